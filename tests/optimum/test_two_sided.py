"""Regressions of many outputs: the covariance of the noise stands on both sides of the equations, and leaves.

Anderson (2003), 8.2; Gupta & Nagar (2000), 2; Little & Rubin (2019), 11.2.
"""

import numpy as np
import pytest

import symgen

rng = np.random.default_rng(17)
N, D, E = 9, 2, 3
SPEC = """
dim n, d, e
param mu: real[d], S: spd[d, d], U: spd[n, n], V: spd[e, e], W: real[d, e], M: real[n, e], A: real[e, d], c: real[e], G: spd[e, e]
data X: real[n, d], Y: real[n, e]
dist p(X) = MvNormal(mu, S)
dist g(Y) = MatrixNormal(X @ W, U, V)
dist r(Y) = MvNormal(X @ W, V)
dist p(z: real[n, e] | X) = MvNormal(X @ A' + c, V)
dist q(z: real[n, e]) = MvNormal(M, G)
let Q = E[z ~ q](log p(X, z))
"""


def spd(k):
    root = rng.normal(size=(k, k))
    return root @ root.T + np.eye(k)


X, Y = rng.normal(size=(N, D)), rng.normal(size=(N, E))
AT = {"X": X, "Y": Y, "U": spd(N), "V": spd(E), "M": rng.normal(size=(N, E)), "G": spd(E), "c": rng.normal(size=E),
      "W": rng.normal(size=(D, E)), "A": rng.normal(size=(E, D)), "mu": rng.normal(size=D), "S": spd(D)}  # fmt: skip
inner = X.T @ np.linalg.inv(AT["U"])
least = np.linalg.solve(X.T @ X, X.T @ Y)
WANTS = {
    "mle(g, W)": np.linalg.solve(inner @ X, inner @ Y),
    "mle(r, W)": least,
    "argmax(Q, A)": (AT["M"] - AT["c"]).T @ X @ np.linalg.inv(X.T @ X),
    "mle(p(X), [mu, S])": {"mu": X.mean(0), "S": np.cov(X.T, bias=True)},
    "mle(r, [W, V])": {"W": least, "V": (Y - X @ least).T @ (Y - X @ least) / N},
}


@pytest.mark.parametrize("goal", WANTS)
def test_the_noise_leaves_the_equations(goal):
    d = symgen.loads(SPEC).derive(goal)
    assert d.evidence.kind == "checked"
    got, want = d.evaluate(**AT), WANTS[goal]
    for name, value in want.items() if isinstance(want, dict) else [("", want)]:
        assert np.allclose(got["at"][name] if name else got, value)
