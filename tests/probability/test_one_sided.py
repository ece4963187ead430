"""Normal and exponential laws cut off on one side, and what is learned from data that are censored.

Dempster, Laird & Rubin (1977), 4.2: the M-step puts the moments of the cut-off laws in the place of what was not seen.
"""

import numpy as np
import pytest
from scipy import stats

import symgen

SPEC = """
dim n, m
param mu: real, s: positive, m0: real, s0: positive, l: positive
data c: real[m], x: real[n], above: binary[m]
dist p(x: real[n]) = Normal(mu, s)
dist p(z: real[m]) = Normal(mu, s)
dist q(z: real[m]) = TruncatedNormal(m0, s0, c, inf)
dist below(z: real[m]) = Truncated(Normal(m0, s0), -inf, c)
dist side(z: real[m]) = TruncatedNormal(m0, s0, where(above == 1, c, -inf), where(above == 1, inf, c))
dist t(w) = TruncatedExponential(l, s, inf)
let Q = E[z ~ q](log p(x, z))
"""
rng = np.random.default_rng(4)
AT = {"mu": 0.4, "s": 1.3, "m0": -0.2, "s0": 0.8, "l": 1.7, "c": np.array([0.3, -0.9, 1.4]), "x": rng.normal(size=4),
      "above": np.array([1, 0, 1])}  # fmt: skip
a = (AT["c"] - AT["m0"]) / AT["s0"]
upper = stats.truncnorm(a, np.inf, loc=AT["m0"], scale=AT["s0"])
lower = stats.truncnorm(-np.inf, a, loc=AT["m0"], scale=AT["s0"])
sides = stats.truncnorm(np.where(AT["above"] == 1, a, -np.inf), np.where(AT["above"] == 1, np.inf, a), AT["m0"], AT["s0"])
best = (AT["x"].sum() + upper.mean().sum()) / 7
spread = np.sqrt((((AT["x"] - best) ** 2).sum() + ((upper.mean() - best) ** 2 + upper.var()).sum()) / 7)
WANTS = {
    "E[z ~ q](z)": upper.mean(),
    "E[z ~ q](z^2)": upper.mean() ** 2 + upper.var(),
    "E[z ~ below](z)": lower.mean(),
    "entropy(q)": (np.log(AT["s0"]) + np.log(stats.norm.sf(a) * np.sqrt(2 * np.pi * np.e))
                   + a * stats.norm.pdf(a) / stats.norm.sf(a) / 2).sum(),
    "E[z ~ side](z)": sides.mean(),
    "E[w ~ t](w^2)": (AT["s"] + 1 / AT["l"]) ** 2 + 1 / AT["l"] ** 2,
    "argmax(Q, mu)": best,
    "argmax(Q, [mu, s]).s": spread,
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal", WANTS)
def test_moments_and_updates(model, goal):
    asked = goal.removesuffix(".s")
    d = model.derive(asked)
    assert d.evidence.kind == "checked"
    got = d.evaluate(**AT)
    want = WANTS[goal]
    assert np.allclose(got["at"]["s"] if isinstance(got, dict) else got, want, rtol=1e-9)


def test_a_determinant_under_a_mean_may_vanish():
    """Of a planar flow log|1 + h'(z) u.w| is 0 where u.w = 0, and not log of 0/0. Rezende & Mohamed (2015), eq. 12."""
    model = symgen.loads(
        "dim d\nparam u: real[d], w: real[d], s: positive\ndist q(e: real[d]) = Normal(0, s)\ndist p(z: real[d]) = Normal(0, 1)\n"
        "let F = E[e ~ q](log p(e) + log(abs(1 + (1 - tanh(w @ e)^2)*(u @ w))))\n"
    )
    at = {"u": np.array([1.0, -1.0]), "w": np.array([0.5, 0.5]), "s": 0.9}
    got = model.derive("F").evaluate(**at, seed=0, samples=4)
    assert np.isclose(got, -np.log(2 * np.pi) - 0.9**2, atol=2)
    assert np.all(np.isfinite(model.derive("grad(F, u)").evaluate(**at, seed=0, samples=4)))
