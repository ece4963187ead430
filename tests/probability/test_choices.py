"""Parameters that each hold for a part of the data, told by what is known or by a label: numbers by enumeration and quadrature."""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import betaln, gammaln, logsumexp

import symgen

A, B = 2.3, 1.4
HEAD = "dim n\ndata x: natural[n], g: binary[n], t0: label(n)\nparam a: positive, b: positive, s: positive, w: unit, v: positive\n"
RATES = "dist {p}(r) = Gamma(a, b)\ndist {p}(q) = Gamma(a, b)\n"
SPEC = (
    HEAD
    + RATES.format(p="p")
    + "dist p(x[i] | r, q) = Poisson(where(i < t0, r, q))\n"
    + RATES.format(p="c")
    + "dist c(t: label(n)) = Categorical(ones(n)/n)\ndist c(x[i] | t, r, q) = Poisson(where(i < t, r, q))\n"
    "dist m(e) = Normal(0, a)\ndist m(f) = Normal(1, b)\ndist m(y: real[n] | e, f) = Normal(where(g == 1, e, f), s)\n"
    "dist z(r) = Gamma(a, b)\ndist z(h) = Bernoulli(w)\ndist z(k: natural | r, h) = Poisson(r*(1 - h))\n"
)
X = np.array([1.0, 0, 2, 5, 4])


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


def log_mass(x):
    """Of Poisson counts of one rate, without the factorials."""
    return gammaln(A + x.sum()) - gammaln(A) + A * math.log(B) - (A + x.sum()) * math.log(B + len(x))


def of_change(t):
    return log_mass(X[:t]) + log_mass(X[t:]) - gammaln(X + 1).sum()


def test_each_rate_sees_its_own_counts(model):
    for goal in ("posterior(p, r, given=[x, q])", "posterior(p, r, given=x)"):
        d = model.derive(goal)
        assert (d.evidence.kind, d.result.family) == ("checked", "Gamma")
        assert d.result.evaluate("parameters", a=A, b=B, x=X, t0=2) == pytest.approx({"a": A + 1, "r": B + 2})
    assert math.isclose(model.derive("log p(x)").evaluate(a=A, b=B, x=X, t0=2), of_change(2))


def test_when_the_rate_changed(model):
    logs = np.array([of_change(t) for t in range(5)])
    weights = np.exp(logs - logsumexp(logs))
    d = model.derive("posterior(c, t, given=x)")
    assert d.evidence.kind == "checked"
    assert np.allclose(d.result.evaluate("parameters", a=A, b=B, x=X)["p"], weights)
    assert math.isclose(model.derive("log c(x)").evaluate(a=A, b=B, x=X), logsumexp(logs) - math.log(5))
    d = model.derive("posterior(c, r, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", "mixture of Gamma")
    got = d.result.evaluate("density", r=1.3, a=A, b=B, x=X)
    want = sum(w * stats.gamma(A + X[:t].sum(), scale=1 / (B + t)).pdf(1.3) for t, w in enumerate(weights))
    assert math.isclose(got, want, rel_tol=1e-9)


def test_two_means_are_apart(model):
    g, y, s = np.array([1.0, 0, 1, 1, 0]), np.array([0.3, 1.7, -0.4, 0.9, 2.0]), 0.7
    precision = 3 / s**2 + 1 / A**2
    for goal in ("posterior(m, e, given=[y, f])", "posterior(m, e, given=y)"):
        got = model.derive(goal).result.evaluate("parameters", a=A, b=B, s=s, g=g, y=y)
        assert got == pytest.approx({"mu": y[g == 1].sum() / s**2 / precision, "sigma": precision**-0.5})
    covariance = np.where(g[:, None] == g, np.where(g == 1, A, B) ** 2, 0) + s**2 * np.eye(5)
    want = stats.multivariate_normal(1 - g, covariance).logpdf(y)
    assert math.isclose(model.derive("log m(y)").evaluate(a=A, b=B, s=s, g=g, y=y), want)


@pytest.mark.parametrize("k", [0, 2])
def test_a_rate_of_counts_with_more_zeros(model, k):
    def joint(r):
        return stats.gamma(A, scale=1 / B).pdf(r) * (0.7 * stats.poisson(r).pmf(k) + 0.3 * (k == 0))

    whole = integrate.quad(joint, 0, np.inf)[0]
    evidence = model.derive("log z(k)")
    assert evidence.evidence.kind == "checked" and "integral" not in evidence.text_result
    assert math.isclose(evidence.evaluate(a=A, b=B, w=0.3, k=k), math.log(whole), rel_tol=1e-8)
    d = model.derive("posterior(z, r, given=k)")
    assert d.evidence.kind == "checked"
    assert math.isclose(d.result.evaluate("density", r=1.1, a=A, b=B, w=0.3, k=k), joint(1.1) / whole, rel_tol=1e-8)


def test_what_is_impossible_and_does_not_happen_is_certain():
    model = symgen.loads(
        "dim n\ndata x: natural[n]\nparam w: unit, l: positive\n"
        "dist p(h: binary[n]) = Bernoulli(w)\ndist p(x | h) = Poisson(l*(1 - h))\n"
    )
    d = model.derive("posterior(p, h, given=x)")
    assert d.evidence.kind == "checked"
    at = {"w": 0.3, "l": 1.7, "x": np.array([0.0, 2])}
    share = 0.3 / (0.3 + 0.7 * math.exp(-1.7))
    assert np.allclose(d.result.evaluate("parameters", **at)["p"], [share, 0])
    for h, want in (([1.0, 0], share), ([0.0, 0], 1 - share), ([0.0, 1], 0)):
        assert math.isclose(d.result.evaluate("density", h=np.array(h), **at), want, rel_tol=1e-12)
    assert model.derive("E[h ~ p(h | x)](h)").evidence.kind == "checked"


def test_a_prior_that_is_a_mixture_of_conjugates():
    model = symgen.loads(
        "dim n\nparam w: unit\ndist p(t) = Mixture([w, 1 - w], Beta(2, 5), Beta(6, 2))\n"
        "dist p(x: binary[n] | t) = Bernoulli(t)\ndist p(y: binary | t) = Bernoulli(t)\n"
    )
    x = np.array([1.0, 0, 1])
    parts = np.array([0.3 * math.exp(betaln(4, 6) - betaln(2, 5)), 0.7 * math.exp(betaln(8, 3) - betaln(6, 2))])
    d = model.derive("log p(x)")
    assert d.evidence.kind == "checked" and math.isclose(d.evaluate(w=0.3, x=x), math.log(parts.sum()))
    d = model.derive("posterior(p, t, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", "mixture of Beta")
    got = d.result.evaluate("parameters", w=0.3, x=x)
    assert np.allclose(got["weights"], parts / parts.sum()) and np.allclose([got["a"], got["b"]], [[4, 8], [6, 3]])
    mean = model.derive("E[y ~ p(y | x)](y)").evaluate(w=0.3, x=x)
    assert math.isclose(mean, parts @ [4 / 10, 8 / 11] / parts.sum())
