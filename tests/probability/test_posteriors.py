"""Posteriors against Bayes' rule on a grid or by enumeration; densities of one's own find their normaliser."""

import math

import numpy as np
import pytest

import symgen

CONJUGATE = {
    "Beta Bernoulli": ("dist p(z) = Beta(a, b)\ndist p(x: binary[n] | z) = Bernoulli(z)", [1.0, 0.0, 1.0, 1.0], (0, 1)),
    "Beta Geometric": ("dist p(z) = Beta(a, b)\ndist p(x: natural[n] | z) = Geometric(z)", [2.0, 0.0, 5.0], (0, 1)),
    "Gamma Poisson": ("dist p(z) = Gamma(a, b)\ndist p(x: natural[n] | z) = Poisson(z)", [3.0, 1.0, 4.0], (0, 40)),
    "Gamma Exponential": ("dist p(z) = Gamma(a, b)\ndist p(x: positive[n] | z) = Exponential(z)", [0.3, 1.7], (0, 40)),
    "Normal Normal": ("dist p(z) = Normal(m, a)\ndist p(x: real[n] | z) = Normal(z, b)", [0.3, -1.7, 2.2], (-15, 15)),
    "Exponential Poisson": ("dist p(z) = Exponential(a)\ndist p(x: natural[n] | z) = Poisson(z)", [2.0, 6.0], (0, 40)),
}
AT = {"a": 2.3, "b": 1.4, "m": 0.6}
LOG = {
    "Beta": lambda z: (AT["a"] - 1) * np.log(z) + (AT["b"] - 1) * np.log1p(-z),
    "Gamma": lambda z: (AT["a"] - 1) * np.log(z) - AT["b"] * z,
    "Exponential": lambda z: -AT["a"] * z,
    "Normal": lambda z: -((z - AT["m"]) ** 2) / (2 * AT["a"] ** 2),
}
LIKELIHOOD = {
    "Bernoulli": lambda x, z: x * np.log(z) + (1 - x) * np.log1p(-z),
    "Geometric": lambda x, z: x * np.log1p(-z) + np.log(z),
    "Poisson": lambda x, z: x * np.log(z) - z,
    "Exponential": lambda x, z: np.log(z) - z * x,
    "Normal": lambda x, z: -((x - z) ** 2) / (2 * AT["b"] ** 2),
}


@pytest.mark.parametrize("pair", CONJUGATE)
def test_the_density_is_joint_over_evidence(pair):
    text, data, (low, high) = CONJUGATE[pair]
    model = symgen.loads(f"dim n\nparam a: positive, b: positive, m: real\n{text}\n")
    log_posterior = model.derive("log p(z | x)")
    prior, likelihood = pair.split()
    h = (high - low) / 40_000
    z = low + h * (np.arange(40_000) + 0.5)
    log_joint = LOG[prior](z) + sum(LIKELIHOOD[likelihood](x, z) for x in data)
    density = np.exp(log_joint - log_joint.max())
    density /= density.sum() * h
    for k in (5_000, 17_000, 30_000):
        got = math.exp(log_posterior.evaluate(z=z[k], x=np.array(data), **AT))
        assert math.isclose(got, density[k], rel_tol=2e-3, abs_tol=1e-9)


def test_linear_regression_completes_the_square():
    model = symgen.loads(
        "dim n, d\nparam s: positive, t: positive\ndata X: real[n, d]\n"
        "dist p(w) = Normal(zeros(d), s)\ndist p(y | w) = Normal(X @ w, t)\n"
    )
    record = model.derive("posterior(p, w, given=y)").result
    assert record.family == "MvNormal"


def test_a_mixture_is_summed_out():
    model = symgen.loads(
        "dim n, d, k\ndata X: real[n, d]\nparam pi: simplex[k], mu: real[k, d], s: positive\n"
        "dist g(c: label(k)[n]) = Categorical(pi)\ndist g(x: real[n, d] | c) = Normal(mu[c], s)\n"
    )
    rng = np.random.default_rng(2)
    X, mu, pi, s = rng.normal(size=(5, 2)), rng.normal(size=(3, 2)), rng.dirichlet(np.ones(3)), 0.8
    squares = ((X[:, None] - mu[None]) ** 2).sum(-1)
    want = np.log((pi * np.exp(-squares / (2 * s**2)) / (2 * np.pi * s**2)).sum(1)).sum()
    assert math.isclose(float(model.derive("log g(X)").evaluate(X=X, mu=mu, pi=pi, s=s)), want, rel_tol=1e-10)


@pytest.mark.parametrize("text, goal, want", [
    ("dist q(t: positive) = exp(-a*t)/Z", "log q(3)", lambda a: math.log(a) - 3 * a),
    ("dist q(t: positive) = t^2*exp(-a*t)/Z", "E[t ~ q](t)", lambda a: 3 / a),
    ("dist q(t) = exp(-a*t^2)/C", "entropy(q)", lambda a: 0.5 * math.log(math.pi * math.e / a)),
    ("dist q(t: unit) = t^a*(1 - t)/Z", "E[t ~ q](t)", lambda a: (a + 1) / (a + 3)),
])  # fmt: skip
def test_the_normaliser_is_found(text, goal, want):
    model = symgen.loads(f"param a: positive\n{text}\n")
    assert math.isclose(float(model.derive(goal).evaluate(a=1.7)), want(1.7), rel_tol=1e-10)


def test_gaussian_marginal_and_mutual_information():
    model = symgen.loads("param m: real, s: positive, t: positive\ndist e(z) = Normal(m, s)\ndist e(x | z) = Normal(z, t)\n")
    got = float(model.derive("mutual_information(e, x, z)").evaluate(m=0.3, s=1.4, t=0.6))
    assert math.isclose(got, 0.5 * math.log(1 + 1.4**2 / 0.6**2), rel_tol=1e-10)


def test_fisher_information():
    model = symgen.loads("param m: real, s: positive, a: positive\ndist q(x) = Normal(m, s)\ndist g(x) = Gamma(a, s)\n")
    assert np.allclose(model.derive("fisher(q, [m, s])").evaluate(m=0.3, s=1.4), np.diag([1, 2]) / 1.4**2)
    from scipy.special import polygamma

    assert math.isclose(float(model.derive("fisher(g, a)").evaluate(a=2.3, s=1.1)), float(polygamma(1, 2.3)), rel_tol=1e-10)


def test_a_count_above_zero_is_not_of_the_zeros_that_were_put_in():
    """Lambert (1992): of a 0 the odds are those of the Poisson's 0, of any other count they are infinite."""
    model = symgen.loads(
        "dim n\nparam w: unit, lam: positive\ndata x: natural[n]\ndist p(c[i: n]) = Bernoulli(w)\n"
        "dist p(x[i] | c[i]) = Poisson(lam*c[i])\n"
    )
    x = np.array([0.0, 3, 0, 1])
    got = model.derive("posterior(p, c, given=x)").result.evaluate("parameters", x=x, w=0.3, lam=2.0)["p"]
    zero = 0.3 * math.exp(-2) / (0.7 + 0.3 * math.exp(-2))
    assert np.allclose(got, np.where(x == 0, zero, 1))
    seen = [0.7 * (k == 0) + 0.3 * math.exp(-2) * 2**k / math.factorial(int(k)) for k in x]
    assert math.isclose(model.derive("log p(x)").evaluate(x=x, w=0.3, lam=2.0), sum(map(math.log, seen)), rel_tol=1e-12)
