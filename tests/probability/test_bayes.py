"""Posteriors, marginals and likelihood with their evidence, and the numbers of records that hold arrays."""

import math

import numpy as np
import pytest
from scipy import stats

import symgen

SPEC = """
dim n, d, k
param a: positive, b: positive, m0: real, s0: positive, s: positive, w: simplex[k], mu: real[k], A: real[n, d]
param tau: positive, rr: positive, m: real, l: positive
data u: real[n], c: natural[n]
dist p(z) = Normal(m0, s0)
dist p(x: real[n] | z) = Normal(z, s)
dist q(r) = Gamma(a, b)
dist q(o: natural[n] | r) = Poisson(r)
dist t(h: real[d]) = Normal(0, tau)
dist t(y: real[n] | h) = Normal(A @ h, s)
dist mix(i) = Categorical(w)
dist mix(g | i) = Normal(mu[i], s)
dist e(f) = Gamma(a, b)
dist e(v: positive[n] | f) = Exponential(f)
dist N(u) = Normal(m, s)
dist P(c) = Poisson(l)
"""
rng = np.random.default_rng(3)


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal", [
    "posterior(p, z, given=x)", "posterior(q, r, given=o)", "posterior(t, h, given=y)", "posterior(mix, i, given=g)",
    "posterior(e, f, given=v)", "marginal(p, x)", "marginal(q, o)", "marginal(mix, g)", "marginal(t, y)",
    "mle(N, m)", "mle(N, s)", "mle(N, [m, s])", "mle(P, l)",
])  # fmt: skip
def test_it_comes_with_evidence(model, goal):
    assert model.derive(goal).evidence.kind == "checked"


def test_parameters_of_a_posterior_take_arrays(model):
    x = rng.normal(size=5)
    got = model.derive("posterior(p, z, given=x)").result.evaluate("parameters", m0=0.3, s0=1.2, s=0.7, x=x)
    precision = 1 / 1.2**2 + 5 / 0.7**2
    assert math.isclose(got["mu"], (0.3 / 1.2**2 + x.sum() / 0.7**2) / precision)
    assert math.isclose(got["sigma"], precision**-0.5)


def test_bayesian_linear_regression(model):
    A, y = rng.normal(size=(6, 2)), rng.normal(size=6)
    got = model.derive("posterior(t, h, given=y)").result.evaluate("parameters", A=A, tau=1.3, s=0.6, y=y)
    covariance = np.linalg.inv(A.T @ A / 0.6**2 + np.eye(2) / 1.3**2)
    assert np.allclose(got["Sigma"], covariance)
    assert np.allclose(got["mu"], covariance @ A.T @ y / 0.6**2)


def test_responsibilities_of_a_mixture(model):
    w, mu = np.array([0.2, 0.5, 0.3]), np.array([-1.0, 0.4, 2.0])
    got = model.derive("posterior(mix, i, given=g)").result.evaluate("parameters", w=w, mu=mu, s=0.8, g=0.9)["p"]
    want = w * stats.norm(mu, 0.8).pdf(0.9)
    assert np.allclose(got, want / want.sum())


def test_evidence_of_normal_data(model):
    x = rng.normal(size=4)
    got = model.derive("marginal(p, x)").evaluate(x=x, m0=0.3, s0=1.2, s=0.7)
    want = stats.multivariate_normal(np.full(4, 0.3), 1.2**2 + 0.7**2 * np.eye(4)).pdf(x)
    assert math.isclose(got, want, rel_tol=1e-10)


def test_likelihood_of_several_parameters(model):
    u = rng.normal(size=7)
    assert np.allclose(model.derive("mle(N, [m, s])").evaluate(u=u), [u.mean(), u.std()])


TOGETHER = """
dim n, d
param w: real[d], s: positive, m: real[d]
data X: real[n, d], y: real[n], Z: real[n, d]
dist R(y) = Normal(X @ w, s)
dist I(Z) = Normal(m, s)
"""


def test_scalars_and_vectors_are_estimated_together():
    model = symgen.loads(TOGETHER)
    X, Z = rng.normal(size=(7, 2)), rng.normal(size=(7, 3))
    y = X @ [1.0, 2.0] + 3 + rng.normal(size=7)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    d = model.derive("mle(R, [w, s])")
    assert d.evidence.kind == "checked"
    assert np.allclose(d.evaluate(X=X, y=y), [*best, np.sqrt(((y - X @ best) ** 2).mean())])
    assert np.allclose(model.derive("mle(I, [m, s])").evaluate(Z=Z), [*Z.mean(0), np.sqrt(((Z - Z.mean(0)) ** 2).mean())])
    d = model.derive("fisher(R, [w, s])")
    assert d.evidence.kind == "checked"
    want = np.block([[X.T @ X, np.zeros((2, 1))], [np.zeros((1, 2)), 14.0 * np.ones((1, 1))]]) / 0.7**2
    assert np.allclose(d.evaluate(X=X, y=y, w=np.ones(2), s=0.7), want)
    assert np.allclose(model.derive("fisher(I, [s, m])").evaluate(Z=Z, m=Z[0], s=0.7), np.diag([42, 7, 7, 7]) / 0.7**2)


def test_an_array_beside_a_record_shows_its_sizes():
    model = symgen.loads(
        "dim n\nparam a: positive, b: positive\ndata t: real[n]\ndist p(z: unit) = Beta(a, b)\n"
        "dist p(k: natural | z) = Binomial(n, z)\n"
    )
    record = model.derive("posterior(p, z, given=k)").result
    got = record.evaluate("parameters", a=2.0, b=3.0, k=4.0, t=np.zeros(9))
    assert (got["a"], got["b"]) == (6, 8)
