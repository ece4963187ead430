"""Probit regression by normal auxiliaries: y = 1 where z > 0, z normal (Albert & Chib, 1993)."""

import numpy as np
import pytest
from scipy import special, stats

import symgen

SPEC = """
dim n, d
data X: real[n, d], y: binary[n]
param t: positive, a: real[n]
dist p(w) = Normal(zeros(d), t)
dist p(z | w) = Normal(X @ w, 1)
dist p(y | z) = Bernoulli(where(z > 0, 1, 0))
dist q(z: real[n]) = TruncatedNormal(a, 1, where(y == 1, 0, -inf), where(y == 1, inf, 0))
"""
X = np.array([[1.0], [-0.6], [0.4], [1.7], [-1.1]])
Y = np.array([1.0, 0.0, 0.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


def test_the_auxiliary_leaves_the_probit_likelihood(model):
    d = model.derive("log p(y | w)")
    assert d.evidence.kind == "checked"
    w = np.array([0.8])
    want = stats.norm.logcdf((2 * Y - 1) * (X @ w)).sum()
    assert np.isclose(d.evaluate(X=X, y=Y, w=w), want, rtol=1e-12)


@pytest.mark.parametrize("sign, at", [("z > c", 0.3), ("z < c", 0.3), ("c - z < 1", -0.7)])
def test_the_posterior_is_cut_at_the_threshold(sign, at):
    model = symgen.loads(f"param m: real, s: positive, c: real\ndist p(z) = Normal(m, s)\n"
                         f"dist p(y | z) = Bernoulli(where({sign}, 1, 0))\n")  # fmt: skip
    d = model.derive("posterior(p, z, given=y)")
    assert d.evidence.kind == "checked" and d.result.family == "TruncatedNormal"
    for y in (0.0, 1.0):
        above = (y == 1) == (sign != "z < c")
        mass = stats.norm.sf(at, 0.5, 1.2) if above else stats.norm.cdf(at, 0.5, 1.2)
        z = at + (0.4 if above else -0.4)
        got = d.result.evaluate("density", y=y, z=z, m=0.5, s=1.2, c=0.3)
        assert np.isclose(got, stats.norm.pdf(z, 0.5, 1.2) / mass, rtol=1e-12)


def test_means_of_the_cut_laws_make_the_updates(model):
    d = model.derive("E[z ~ q](z)")
    assert d.evidence.kind == "checked"
    a = np.array([0.3, -1.2, 0.8, 2.0, -0.4])
    ends = [(-a[i], np.inf) if Y[i] else (-np.inf, -a[i]) for i in range(5)]
    assert np.allclose(d.evaluate(y=Y, a=a), [stats.truncnorm.mean(*e, loc=m) for e, m in zip(ends, a, strict=True)])


def test_draws_in_turn_have_the_posterior(model):
    """Gibbs's sampler, both of whose laws are derived, against Bayes' rule on a grid."""
    of_z = model.derive("posterior(p, z, given=[w, y])").result
    of_w = model.derive("posterior(p, w, given=[z, y])").result
    rng = np.random.default_rng(2)
    w, draws = np.zeros(1), []
    spread = of_w.evaluate("parameters", X=X, y=Y, t=1.5, z=np.zeros(5))["Sigma"]
    low = of_z.evaluate("parameters", X=X, y=Y, w=w)
    assert np.array_equal(low["a"], np.where(Y == 1, 0, -np.inf)) and np.array_equal(low["b"], np.where(Y == 1, np.inf, 0))
    gain = np.stack([of_w.evaluate("parameters", X=X, y=Y, t=1.5, z=e)["mu"] for e in np.eye(5)], 1)
    for _ in range(6000):
        m = X @ w
        below, above = special.ndtr(low["a"] - m), special.ndtr(low["b"] - m)
        z = m + special.ndtri(below + (above - below) * rng.random(5))
        w = gain @ z + np.sqrt(spread[0]) * rng.normal(size=1)
        draws.append(w[0])
    grid = np.linspace(-6, 8, 4001)
    log = stats.norm.logpdf(grid, 0, 1.5) + stats.norm.logcdf((2 * Y - 1)[:, None] * X * grid).sum(0)
    p = np.exp(log - log.max())
    mean = (grid * p).sum() / p.sum()
    assert np.isclose(np.mean(draws[200:]), mean, atol=0.06)
