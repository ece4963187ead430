"""Families of several variables: divergences and entropies against their chains of one variable, in numbers."""

import math

import numpy as np
import pytest
from scipy import special, stats

import symgen

rng = np.random.default_rng(4)
HEAD = """
dim d
param m: real, l: positive, a: positive, b: positive, n: real, k: positive, g: positive, h: positive, rho: real
param M: real[d], V: spd[d, d], nu: positive, N: real[d], W: spd[d, d], eta: positive
assume -1 < rho, rho < 1, nu > d + 1, eta > d + 1
"""
root = rng.normal(size=(2, 2))
AT = {"m": 0.4, "l": 1.7, "a": 2.3, "b": 1.4, "n": -0.6, "k": 0.8, "g": 3.1, "h": 0.9, "rho": 0.3, "M": np.array([0.2, -0.5]),
      "V": root @ root.T + np.eye(2), "nu": 5.5, "N": np.array([1.1, 0.3]), "W": np.diag([0.8, 1.6]), "eta": 4.2}  # fmt: skip


def kl_gamma(a, b, g, h):
    return (a - g) * special.digamma(a) - math.lgamma(a) + math.lgamma(g) + g * (math.log(b) - math.log(h)) + a * (h - b) / b


def kl_normal_gamma(m, l, a, b, n, k, g, h):
    return kl_gamma(a, b, g, h) + (math.log(l / k) + k / l - 1 + k * (m - n) ** 2 * a / b) / 2


def value(text, goal):
    d = symgen.loads(HEAD + text).derive(goal)
    assert d.evidence.kind in ("checked", "unknown")
    return float(d.evaluate(**AT))


@pytest.mark.parametrize("family", ["NormalGamma", "NormalInverseGamma"])
def test_divergence_of_normal_gammas(family):
    text = f"dist q(mu, t) = {family}(m, l, a, b)\ndist p(mu, t) = {family}(n, k, g, h)\n"
    want = kl_normal_gamma(*(AT[x] for x in "mlabnkgh"))
    assert math.isclose(value(text, "KL(q || p)"), want, rel_tol=1e-9)


def test_a_family_of_two_variables_stands_in_place():
    want = kl_normal_gamma(*(AT[x] for x in "mlabnkgh"))
    assert math.isclose(value("", "KL(NormalGamma(m, l, a, b) || NormalGamma(n, k, g, h))"), want, rel_tol=1e-9)
    own = "param tau: positive\n"  # a name of the author's that the table uses for what is drawn
    d = symgen.loads(HEAD + own).derive("KL(NormalGamma(tau, l, a, b) || NormalGamma(n, k, g, h))")
    assert math.isclose(float(d.evaluate(tau=0.4, **AT)), want, rel_tol=1e-9)


def test_divergence_of_normal_wisharts():
    text = "dist q(mu, T) = NormalWishart(M, l, nu, V)\ndist p(mu, T) = NormalWishart(N, k, eta, W)\n"
    V, W, nu, eta, off = AT["V"], AT["W"], AT["nu"], AT["eta"], AT["M"] - AT["N"]
    inverse = np.linalg.inv(W)
    wishart = (eta / 2 * (np.linalg.slogdet(W)[1] - np.linalg.slogdet(V)[1]) + nu / 2 * (np.trace(inverse @ V) - 2)
               + special.multigammaln(eta / 2, 2) - special.multigammaln(nu / 2, 2)
               + (nu - eta) / 2 * sum(special.digamma((nu - j) / 2) for j in range(2)))  # fmt: skip
    l, k = AT["l"], AT["k"]
    want = wishart + (2 * (math.log(l / k) + k / l - 1) + k * nu * off @ V @ off) / 2
    assert math.isclose(value(text, "KL(q || p)"), want, rel_tol=1e-9)


def test_the_centred_bivariate_normal():
    text = "dist q(x, y) = BivariateNormal(a, b, rho)\n"
    a, b, rho = AT["a"], AT["b"], AT["rho"]
    joint = stats.multivariate_normal(np.zeros(2), [[a**2, rho * a * b], [rho * a * b, b**2]])
    assert math.isclose(value(text, "entropy(q)"), joint.entropy(), rel_tol=1e-9)
    model = symgen.loads(HEAD + text)
    assert math.isclose(model.derive("log q(x, y)").evaluate(x=0.7, y=-1.2, **AT), joint.logpdf([0.7, -1.2]), rel_tol=1e-9)


@pytest.mark.parametrize("text", ["dist p(z) = NormalGamma(0, 1, 2, 3)", "dist p(z, t) = NormalGamma(0, 1, 2)"])
def test_what_does_not_fit_is_said(text):
    with pytest.raises(symgen.SpecError, match="a NormalGamma"):
        symgen.loads(text + "\n")
