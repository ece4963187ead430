"""Laws cut off at two ends and densities of one's own: their entropies, divergences and gradients against quadrature."""

import math
import re

import pytest
from scipy import integrate, stats

import symgen

POINT = {"a": 1.7, "b": 0.8, "m": 0.4, "c": 0.3, "t": 0.9}
LINES = "param a: positive, b: positive, m: real, c: real, t: real\n"
LAWS = {
    "Laplace(m, b)": lambda v: stats.laplace(v["m"], v["b"]).logpdf,
    "Logistic(m, b)": lambda v: stats.logistic(v["m"], v["b"]).logpdf,
    "Gumbel(m, b)": lambda v: stats.gumbel_r(v["m"], v["b"]).logpdf,
    "Cauchy(m, b)": lambda v: stats.cauchy(v["m"], v["b"]).logpdf,
    "StudentT(a, m, b)": lambda v: stats.t(v["a"], v["m"], v["b"]).logpdf,
    "Weibull(a, b)": lambda v: stats.weibull_min(v["a"], scale=v["b"]).logpdf,
    "LogNormal(m, b)": lambda v: stats.lognorm(v["b"], scale=math.exp(v["m"])).logpdf,
    "LogLogistic(a, b)": lambda v: stats.fisk(v["b"], scale=v["a"]).logpdf,
    "InverseGamma(a, b)": lambda v: stats.invgamma(v["a"], scale=v["b"]).logpdf,
    "Frechet(a, b)": lambda v: stats.invweibull(v["a"], scale=v["b"]).logpdf,
    "BetaPrime(a, b)": lambda v: stats.betaprime(v["a"], v["b"]).logpdf,
    "Pareto(b, a)": lambda v: stats.pareto(v["a"], scale=v["b"]).logpdf,
    "Gamma(a, b)": lambda v: stats.gamma(v["a"], scale=1 / v["b"]).logpdf,
}
LOW, HIGH = 1.0, 3.0
QUICK = ("Weibull(a, b)",)


def mean(f, law, v):
    """The mean of f under the law between the ends."""
    points = [v["m"]] if LOW < v["m"] < HIGH else None

    def over(g):
        return integrate.quad(g, LOW, HIGH, epsabs=1e-13, epsrel=1e-12, points=points)[0]

    log_p = LAWS[law](v)
    mass = over(lambda x: math.exp(log_p(x)))
    return over(lambda x: math.exp(log_p(x)) * f(x, log_p(x) - math.log(mass))) / mass


def value(found, v):
    return found.evaluate(**{n: x for n, x in v.items() if n in found.symbols})


@pytest.mark.parametrize("law", [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in LAWS])
def test_the_entropy_and_a_divergence_of_a_law_that_is_cut_off(law):
    by = "m" if re.search(r"\bm\b", law) else "a"
    other = re.sub(rf"\b{by}\b", "t", law)
    lines = LINES.replace("t: real", "t: positive")
    model = symgen.loads(f"{lines}dist p(x) = Truncated({law}, 1, 3)\ndist q(x) = Truncated({other}, 1, 3)\n")
    turned = {**POINT, by: POINT["t"]}
    assert value(model.derive("entropy(p)"), POINT) == pytest.approx(mean(lambda _, s: -s, law, POINT), rel=1e-8)
    log_q = LAWS[law](turned)
    mass = integrate.quad(lambda x: math.exp(log_q(x)), LOW, HIGH, epsabs=1e-13)[0]
    want = mean(lambda x, s: s - log_q(x) + math.log(mass), law, POINT)
    assert value(model.derive("KL(p || q)"), POINT) == pytest.approx(want, rel=1e-7)


SMOOTH = [("Laplace(m, b)", "m"), ("Logistic(m, b)", "b"), ("Weibull(a, b)", "a"), ("Gamma(a, b)", "a"), ("Cauchy(m, b)", "m")]


@pytest.mark.parametrize(
    ("law", "by"), [pytest.param(*c, marks=[] if c == ("Logistic(m, b)", "b") else [pytest.mark.slow]) for c in SMOOTH]
)
def test_a_gradient_passes_through_a_law_that_is_cut_off(law, by):
    model = symgen.loads(f"{LINES}let f = E[x ~ Truncated({law}, 1, 3)](cos(x)*log(1 + x^2))\n")
    got = value(model.derive(f"grad(f, {by})"), {n: x for n, x in POINT.items() if n in law})

    def at(h):
        return mean(lambda x, _: math.cos(x) * math.log(1 + x * x), law, {**POINT, by: POINT[by] + h})

    assert got == pytest.approx((at(1e-4) - at(-1e-4)) / 2e-4, rel=1e-5)


@pytest.mark.slow
def test_a_gradient_passes_through_a_density_of_ones_own():
    model = symgen.loads("param a: positive\ndist s(t: positive) = exp(-a*t - t^2)/Z\nlet f = E[t ~ s](sin(t)*t)\n")

    def at(a):
        mass = integrate.quad(lambda t: math.exp(-a * t - t * t), 0, 9)[0]
        return integrate.quad(lambda t: math.exp(-a * t - t * t) * math.sin(t) * t, 0, 9)[0] / mass

    got = model.derive("grad(f, a)").evaluate(a=1.7)
    assert got == pytest.approx((at(1.7001) - at(1.6999)) / 2e-4, rel=1e-6)


def test_a_gradient_by_an_end_that_moves_has_the_part_at_that_end():
    model = symgen.loads(f"{LINES}let f = E[x ~ Truncated(Laplace(m, b), c, 3)](cos(x)/(1 + x^2))\n")
    near = [model.derive("f").evaluate(m=0.3, b=1.2, c=-0.5 + h) for h in (1e-4, -1e-4)]
    assert model.derive("grad(f, c)").evaluate(m=0.3, b=1.2, c=-0.5) == pytest.approx((near[0] - near[1]) / 2e-4, rel=1e-6)
