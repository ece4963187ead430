"""Characteristic functions against quadrature and sums of scipy's densities."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import symgen
from symgen.probability.laws.characteristic import CHARACTERISTIC

HEAD = "param a: real, s: positive, t: positive, k: positive, u: unit, w: real, c: real\n"
AT = {"a": 0.7, "s": 1.4, "t": 0.8, "k": 3.5, "u": 0.35, "c": 0.3}
LAWS = {
    "Normal": ("Normal(a, s)", stats.norm(0.7, 1.4)), "Laplace": ("Laplace(a, s)", stats.laplace(0.7, 1.4)),
    "Logistic": ("Logistic(a, s)", stats.logistic(0.7, 1.4)), "Cauchy": ("Cauchy(a, s)", stats.cauchy(0.7, 1.4)),
    "StudentT": ("StudentT(k, a, s)", stats.t(3.5, 0.7, 1.4)),
    "AsymmetricLaplace": ("AsymmetricLaplace(a, s, t)", stats.laplace_asymmetric(0.8, 0.7, 1 / 1.4)),
    "Exponential": ("Exponential(s)", stats.expon(scale=1 / 1.4)), "Gamma": ("Gamma(k, s)", stats.gamma(3.5, scale=1 / 1.4)),
    "Chi2": ("Chi2(k)", stats.chi2(3.5)), "Levy": ("Levy(s)", stats.levy(0, 1.4)),
    "InverseGaussian": ("InverseGaussian(s, t)", stats.invgauss(1.4 / 0.8, scale=0.8)),
    "TruncatedExponential": ("TruncatedExponential(s, t, 2)", stats.truncexpon(1.2 * 1.4, 0.8, 1 / 1.4)),
    "Triangular": ("Triangular(a, a + 2, a + 0.5)", stats.triang(0.25, 0.7, 2)),
    "ContinuousBernoulli": ("ContinuousBernoulli(u)", stats.truncexpon(-math.log(0.35 / 0.65), 0, -1 / math.log(0.35 / 0.65))),
    "Geometric": ("Geometric(u)", stats.geom(0.35, loc=-1)), "Poisson": ("Poisson(s)", stats.poisson(1.4)),
    "NegativeBinomial": ("NegativeBinomial(k, u)", stats.nbinom(3.5, 0.65)), "LogSeries": ("LogSeries(u)", stats.logser(0.35)),
}  # fmt: skip


def wave(law, f, w, c):
    """E f(w x + c): the sum, or the integral, by the rule for waves where the tails are heavy."""
    if hasattr(law.dist, "pmf"):
        x = np.arange(0, 400)
        return float(np.sum(law.pmf(x) * f(w * x + c)))
    low, high = law.support()
    if law.dist.name not in ("cauchy", "levy"):
        ends = [max(low, law.ppf(1e-13)), *law.ppf([0.01, 0.5, 0.99]), min(high, law.isf(1e-13))]
        pieces = zip(ends, ends[1:], strict=False)
        return sum(integrate.quad(lambda x: law.pdf(x) * f(w * x + c), x, y, limit=900)[0] for x, y in pieces)
    middle = 0.7 if law.dist.name == "cauchy" else 30.0
    total = integrate.quad(lambda x: law.pdf(x) * f(w * x + c), 0, middle, limit=900)[0] if low == 0 else 0.0
    b = w * middle + c  # f(b + sign w y) = f(b) cos(w y) + sign f(b + pi/2) sin(w y)
    for sign in (1,) if low == 0 else (1, -1):
        for kind, scale in (("cos", f(b)), ("sin", sign * f(b + math.pi / 2))):
            tail = integrate.quad(lambda y, s=sign: law.pdf(middle + s * y), 0, np.inf, weight=kind, wvar=w, limlst=900)
            total += scale * tail[0]
    return total


@pytest.mark.parametrize("family", CHARACTERISTIC)
def test_the_means_of_waves_are_the_parts_of_the_characteristic_function(family):
    text, law = LAWS[family]
    model = symgen.loads(HEAD)
    for name, f in (("cos", np.cos), ("sin", np.sin)):
        derivation = model.derive(f"E[x ~ {text}]({name}(w*x + c))")
        assert "E[" not in derivation.text_result
        for w in (1.3, 0.4):
            assert derivation.evaluate(w=w, **AT) == pytest.approx(wave(law, f, w, 0.3), abs=3e-8)
        if "StudentT" not in text:
            assert derivation.evaluate(w=-1.3, **AT) == pytest.approx(wave(law, lambda x, f=f: f(0.6 - x), 1.3, 0.3), abs=3e-8)
        assert derivation.evaluate(w=0.0, **AT) == pytest.approx(f(0.3), abs=1e-12)


FUNCTIONS = {  # of a draw: its mean under Laplace(a, s) and Gamma(k, t) by quadrature, at w = 1/2
    "cos(w*x)^2": lambda x: math.cos(x / 2) ** 2,
    "cos(w*x)*sin(x)^3": lambda x: math.cos(x / 2) * math.sin(x) ** 3,
    "cosh(w*x)": lambda x: math.cosh(x / 2),
    "sinh(x/5)^2": lambda x: math.sinh(x / 5) ** 2,
    "t^(x/2)": lambda x: 0.8 ** (x / 2),
}


@pytest.mark.parametrize("f", FUNCTIONS)
def test_products_of_waves_and_exponentials_have_the_means_of_their_sums(f):
    for text, law in (("Laplace(a, s)", stats.laplace(0.7, 1.4)), ("Gamma(k, s)", stats.gamma(3.5, scale=1 / 1.4))):
        derivation = symgen.loads(HEAD).derive(f"E[x ~ {text}]({f})")
        low = law.support()[0]
        pieces = [max(low, -99.0), 0.7, 5.0, 99.0]
        want = sum(
            integrate.quad(lambda x, law=law: law.pdf(x) * FUNCTIONS[f](x), x, y, limit=900)[0]
            for x, y in zip(pieces, pieces[1:], strict=False)
        )
        assert "E[" not in derivation.text_result
        assert derivation.evaluate(w=0.5, **AT) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("law", ["Geometric(u)", "NegativeBinomial(k, u)", "Poisson(s)", "LogSeries(u)"])
def test_the_generating_function_of_a_count_is_infinite_past_its_radius(law):
    derivation = symgen.loads(HEAD).derive(f"E[x ~ {law}](t^x)")
    frozen = LAWS[law.split("(")[0]][1]
    x = np.arange(0, 400)
    assert derivation.evaluate(**AT) == pytest.approx(float(np.sum(frozen.pmf(x) * 0.8**x)), rel=1e-12)
    assert math.isinf(derivation.evaluate(**{**AT, "t": 9.0})) == (law != "Poisson(s)")
