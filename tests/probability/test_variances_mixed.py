"""Normal numbers with a variance drawn from a Gamma or an Exponential, rates from an inverse Gaussian: generalised inverse
Gaussian posteriors, and what is left when the variance is integrated out, by quadrature and by the Bessel function."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import symgen

SPEC = """
dim n, d
param a: positive, b: positive, m: real, l: positive, c: positive[d]
dist p(v) = Gamma(a, b)
dist p(x: real[n] | v) = Normal(m, var=v)
dist q(v) = Exponential(1/(2*b^2))
dist q(o | v) = Normal(m, sqrt(v))
dist s(u: positive[d]) = Exponential(1/(2*c^2))
dist s(w: real[d] | u) = Normal(0, sqrt(u))
dist r(v) = InverseGaussian(a, l)
dist r(k: natural[n] | v) = Poisson(v)
dist g(v) = Gamma(5/2, b)
dist g(o | v) = Normal(m*v, sqrt(v))
"""
X, K, W, C = np.array([0.7, -1.2, 0.4]), np.array([1.0, 3, 0]), np.array([0.5, -0.8]), np.array([0.6, 1.1])
A, B, M, L = 1.4, 0.9, 0.3, 1.3


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


def normal(x, v, mean=M):
    return stats.norm(mean, math.sqrt(v)).pdf(x).prod()


CASES = {
    "p x": (lambda v: stats.gamma(A, scale=1 / B).pdf(v) * normal(X, v), {"a": A, "b": B, "m": M, "x": X},
            {"p": A - 1.5, "a": 2 * B, "b": ((X - M) ** 2).sum()}),
    "q o": (lambda v: stats.expon(scale=2 * B**2).pdf(v) * normal(0.8, v), {"b": B, "m": M, "o": 0.8},
            {"p": 0.5, "a": 1 / B**2, "b": 0.25}),
    "r k": (lambda v: stats.invgauss(A / L, scale=L).pdf(v) * stats.poisson(v).pmf(K).prod(), {"a": A, "l": L, "k": K},
            {"p": 3.5, "a": L / A**2 + 6, "b": L}),
    "g o": (lambda v: stats.gamma(2.5, scale=1 / B).pdf(v) * normal(0.8, v, M * v), {"b": B, "m": M, "o": 0.8},
            {"p": 2, "a": 2 * B + M**2, "b": 0.64}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_variance_given_the_data(model, case):
    joint, at, want = CASES[case]
    name, seen = case.split()
    whole = integrate.quad(joint, 0, np.inf, epsabs=0)[0]
    d = model.derive(f"posterior({name}, v, given={seen})")
    assert (d.evidence.kind, d.result.family) == ("checked", "GeneralizedInverseGaussian")
    assert d.result.evaluate("parameters", **at) == pytest.approx(want)
    assert math.isclose(d.result.evaluate("density", v=0.7, **at), joint(0.7) / whole, rel_tol=1e-7)
    evidence = model.derive(f"log {name}({seen})")
    assert evidence.evidence.kind == "checked" and "integral" not in evidence.text_result
    assert math.isclose(evidence.evaluate(**at), math.log(whole), rel_tol=1e-7)


def test_an_exponential_variance_leaves_a_laplace(model):
    d = model.derive("log s(w)")
    for w in (W, 0 * W):  # at 0 the two exponents meet
        assert math.isclose(d.evaluate(c=C, w=w), stats.laplace(0, C).logpdf(w).sum(), rel_tol=1e-9)
    d = model.derive("posterior(s, u, given=w)")
    assert (d.evidence.kind, d.result.family) == ("checked", "GeneralizedInverseGaussian")
    v = np.array([0.3, 0.9])
    want = math.log(d.result.evaluate("density", c=C, w=W, u=v)) + stats.laplace(0, C).logpdf(W).sum()
    joint = stats.expon(scale=2 * C**2).logpdf(v) + stats.norm(0, np.sqrt(v)).logpdf(W)
    assert math.isclose(want, joint.sum(), rel_tol=1e-9)


def test_at_its_centre_the_density_is_finite_where_it_is(model):
    d = model.derive("log p(x)")
    shape, at = 2.2, {"b": B, "m": M, "x": np.array([M])}
    want = integrate.quad(lambda v: stats.gamma(shape, scale=1 / B).pdf(v) / math.sqrt(2 * math.pi * v), 0, np.inf)[0]
    assert math.isclose(d.evaluate(a=shape, **at), math.log(want), rel_tol=1e-7)
    assert d.evaluate(a=0.3, **at) == math.inf
