"""Laws made of laws, truncated, mixed, transformed: against scipy's quadrature of their densities."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import symgen

HEAD = """
dim k
param m: real, s: positive, a: real, b: real, w: unit, n: real, t: positive, c: positive, r: positive, pi: simplex[k], mu: real[k]
assume a < b
"""
AT = {"m": 0.4, "s": 0.9, "a": -0.6, "b": 1.3, "w": 0.35, "n": -0.5, "t": 1.4, "c": 1.7, "r": 0.8,
      "pi": np.array([0.2, 0.3, 0.5]), "mu": np.array([-1.0, 0.5, 2.0])}  # fmt: skip
INF = math.inf
normal, other = stats.norm(0.4, 0.9).pdf, stats.norm(-0.5, 1.4).pdf
gamma = stats.gamma(1.7, scale=1 / 0.8).pdf
LAWS = {
    "Truncated(Normal(m, var=s^2), 0, inf)": (normal, (0, 4, INF)),
    "Truncated(Gamma(c, r), 1, 3)": (gamma, (1, 3)),
    "Truncated(Exponential(r), 1, inf)": (stats.expon(scale=1.25).pdf, (1, 9, INF)),
    "Mixture(w, Normal(m, s), Normal(n, t))": (lambda x: 0.35 * normal(x) + 0.65 * other(x), (-INF, 0, INF)),
    "Mixture(w, Normal(m, s), Gamma(c, r))": (lambda x: 0.35 * normal(x) + 0.65 * gamma(x), (-INF, 0, 5, INF)),
    "Mixture(pi, Normal(mu, s))": (
        lambda x: sum(p * stats.norm(u, 0.9).pdf(x) for p, u in zip(AT["pi"], AT["mu"], strict=True)), (-INF, 0, INF)),
    "Transformed(Normal(m, s), exp)": (stats.lognorm(0.9, scale=math.exp(0.4)).pdf, (0, 1, 9, INF)),
    "Transformed(Gamma(c, r), sqrt)": (lambda y: 2 * y * gamma(y * y), (0, 1, INF)),
    "Transformed(Normal(m, s), abs)": (lambda y: normal(y) + normal(-y), (0, 2, INF)),
    "Transformed(Exponential(r), log)": (lambda y: math.exp(y) * stats.expon(scale=1.25).pdf(math.exp(y)) if y < 99 else 0.0,
                                         (-INF, 0, 5)),
    # one in another
    "Truncated(Mixture(w, Normal(m, s), Gamma(c, r)), a, b)": (lambda x: 0.35 * normal(x) + 0.65 * gamma(x), (-0.6, 0, 1.3)),
    "Truncated(Transformed(Gamma(c, r), sqrt), 1/2, 2)": (lambda y: 2 * y * gamma(y * y), (0.5, 2)),
    "Truncated(Truncated(Gamma(c, r), 1/2, 3), 1, 4)": (gamma, (1, 3)),
    "Mixture(w, Truncated(Normal(m, s), 0, inf), Transformed(Normal(n, t), exp))": (
        lambda x: 0.35 * normal(x) / stats.norm(0.4, 0.9).sf(0) + 0.65 * stats.lognorm(1.4, 0, math.exp(-0.5)).pdf(x),
        (0, 1, 9, INF)),
    "Mixture(w, Mixture(1/4, Normal(m, s), Laplace(n, t)), Uniform(0, 2))": (
        lambda x: 0.35 * (normal(x) + 3 * stats.laplace(-0.5, 1.4).pdf(x)) / 4 + 0.65 * (0 < x < 2) / 2, (-INF, -0.5, 0, 2, INF)),
    "Transformed(Mixture(w, Normal(m, s), Normal(n, 1/2)), exp)": (
        lambda y: (0.35 * normal(math.log(y)) + 0.65 * stats.norm(-0.5, 0.5).pdf(math.log(y))) / y, (0, 1, 9, INF)),
    "Transformed(Gamma(c, r), abs)": (gamma, (0, 2, INF)),
}  # fmt: skip


def integral(f, ends):
    return sum(integrate.quad(f, x, y, epsabs=1e-13)[0] for x, y in zip(ends, ends[1:], strict=False))


@pytest.mark.parametrize("law", LAWS)
def test_density_and_moments(law):
    f, ends = LAWS[law]
    z = integral(f, ends)
    mean, square = (integral(lambda x, n=n: x**n * f(x), ends) / z for n in (1, 2))
    model = symgen.loads(f"{HEAD}dist p(x) = {law}\ndata u: positive\n")
    assert model.derive("log p(u)").evaluate(u=1.2, **AT) == pytest.approx(math.log(f(1.2) / z), rel=1e-9)
    for goal, want in {"E[x ~ p](x)": mean, "Var[x ~ p](x)": square - mean**2, f"E[x ~ {law}](x^2)": square}.items():
        d = model.derive(goal)
        if "log)" not in law:  # the mean of a logarithm has samples alone
            assert d.evaluate(**AT) == pytest.approx(want, rel=1e-8), goal


@pytest.mark.parametrize("f, invariant", [("exp", True), ("sinh", True), ("abs", False)])
def test_divergences_change_only_through_what_is_not_injective(f, invariant):
    model = symgen.loads(f"{HEAD}dist p(x) = Transformed(Normal(m, s), {f})\ndist q(x) = Transformed(Normal(n, t), {f})\n")
    between = integral(lambda x: normal(x) * math.log(normal(x) / other(x)), (-9, 0, 9))
    folded = integral(lambda x: (normal(x) + normal(-x)) * math.log((normal(x) + normal(-x)) / (other(x) + other(-x))), (0, 9))
    assert folded < between
    d = model.derive("KL(p || q)")
    assert d.evaluate(**AT) == pytest.approx(between if invariant else folded, rel=1e-8)


def test_what_is_no_such_law_is_told():
    for text in ("Truncated(Normal(m, s), a)", "Transformed(Normal(m, s), cos)", "Transformed(Normal(m, s), log)",
                 "Mixture(w, Normal(m, s))", "Truncated(MvNormal(mu, eye(k)), 0, 1)"):  # fmt: skip
        with pytest.raises(symgen.SpecError):
            symgen.loads(f"{HEAD}dist p(x) = {text}\n")


OWN = {  # a function of one's own, the law below it, what of x it must lie between, and the inverse with its slope
    "c + 2*u^3": ("Normal(m, s)", (-INF, INF), lambda y: (math.copysign(abs((y - 1.7) / 2) ** (1 / 3), y - 1.7),
                                                          abs((y - 1.7) / 2) ** (-2 / 3) / 6)),
    "1/(1 + exp(2*u))": ("Normal(m, s)", (0, 1), lambda y: (math.log(1 / y - 1) / 2, 1 / (2 * y * (1 - y)))),
    "c - exp(-u/2)": ("Logistic(m, s)", (-INF, 1.7), lambda y: (-2 * math.log(1.7 - y), 2 / (1.7 - y))),
    "u^2 + 1": ("Gamma(c, r)", (1, INF), lambda y: (math.sqrt(y - 1), 0.5 / math.sqrt(y - 1))),
    "tanh(3*u - 1)": ("Laplace(m, s)", (-1, 1), lambda y: ((math.atanh(y) + 1) / 3, 1 / (3 * (1 - y * y)))),
    "log(1 + u)/c": ("Exponential(r)", (0, INF), lambda y: (math.expm1(1.7 * y), 1.7 * math.exp(1.7 * y))),
}  # fmt: skip
BELOW = {"Normal(m, s)": stats.norm(0.4, 0.9), "Logistic(m, s)": stats.logistic(0.4, 0.9), "Laplace(m, s)": stats.laplace(0.4, 0.9),
         "Gamma(c, r)": stats.gamma(1.7, scale=1 / 0.8), "Exponential(r)": stats.expon(scale=1 / 0.8)}  # fmt: skip


@pytest.mark.parametrize("f", OWN)
def test_a_function_of_ones_own_changes_the_variable(f):
    law, (low, high), back = OWN[f]
    image = f"Transformed({law}, f)"
    model = symgen.loads(f"{HEAD}data v: real\ndef f(u) = {f}\ndist p(y) = {image}\ndist q(y) = {image}\n")
    log_p = model.derive("log p(v)")
    for y in (-0.7, 0.35, 0.8, 1.2, 2.9):
        if not low < y < high and (low, high) in ((0, 1), (0, INF)):
            continue  # no values of this variable
        x, slope = back(y) if low < y < high else (0.0, 0.0)
        want = math.log(BELOW[law].pdf(x) * slope) if low < y < high else -INF
        assert log_p.evaluate(v=y, **AT) == pytest.approx(want, rel=1e-10), y
    assert model.derive("KL(p || q)").text_result == "0"


def test_divergences_do_not_change_through_a_function_that_has_an_inverse():
    model = symgen.loads(f"{HEAD}def f(u) = c + 2*u^3\ndef g(u) = c + 3*u^3\n"
                         "dist p(y) = Transformed(Normal(m, s), f)\ndist q(y) = Transformed(Normal(n, t), f)\n"
                         "dist h(y) = Transformed(Normal(n, t), g)\n")  # fmt: skip
    plain = symgen.loads(f"{HEAD}dist p(y) = Normal(m, s)\ndist q(y) = Normal(n, t)\n").derive("KL(p || q)")
    assert model.derive("KL(p || q)").text_result == plain.text_result
    k = (2 / 3) ** (1 / 3)
    moved = integrate.quad(lambda x: normal(x) * math.log(normal(x) / (other(k * x) * k)), -9, 9, epsabs=1e-12)[0]
    assert model.derive("KL(p || h)").evaluate(**AT) == pytest.approx(moved, rel=1e-7)
    assert model.derive("E[y ~ p](y)").text_result == "6*m*s^2 + 2*m^3 + c"
    shifted = symgen.loads(f"{HEAD}def f(u) = n + c*u\ndist p(y) = Transformed(Normal(m, s), f)\n")
    assert shifted.check("KL(p || Normal(n + c*m, c*s)) = 0").status == "proved"


@pytest.mark.parametrize("f", ["u^2 + u", "u + exp(u)", "m*u", "cos(u)", "log(u)"])
def test_what_has_no_inverse_is_told(f):
    with pytest.raises(symgen.SpecError, match="inverse"):
        symgen.loads(f"{HEAD}def f(u) = {f}\ndist p(y) = Transformed(Normal(m, s), f)\n")


exponential, laplace = (lambda r: stats.expon(scale=1 / r).pdf), (lambda m, b: stats.laplace(m, b).pdf)
halves = stats.truncnorm(-0.4 / 0.9, 1.6 / 0.9, 0.4, 0.9).pdf
student = stats.t(2.7, -0.6, 1.4).pdf
MEANS = {  # law, f(x): its mean as an integral over pieces, and parameters at which it is infinite
    ("Mixture(w, Exponential(r), Exponential(t))", "exp(x/2)"): (
        lambda x: (0.35 * exponential(0.8)(x) + 0.65 * exponential(1.4)(x)) * math.exp(x / 2), (0, 9, 99), {"r": 0.4}),
    ("Mixture([w/2, w/2, 1 - w], Normal(m, s), Laplace(n, r), StudentT(c + 1, a, t))", "x^2"): (
        lambda x: (0.175 * normal(x) + 0.175 * laplace(-0.5, 0.8)(x) + 0.65 * student(x)) * x * x, (-INF, -0.5, INF), {"c": 0.9}),
    ("Mixture([w, 1 - w], Uniform(0, s), Truncated(Normal(m, s), 0, 2))", "x^3"): (
        lambda x: (0.35 / 0.9 * (x < 0.9) + 0.65 * halves(x)) * x**3, (0, 0.9, 2), {}),
    ("Mixture(pi, Laplace(mu, s))", "exp(x/2)"): (
        lambda x: sum(p * laplace(u, 0.9)(x) for p, u in zip(AT["pi"], AT["mu"], strict=True)) * math.exp(x / 2),
        (-99, -1, 0.5, 2, 99), {"s": 2.1}),
    ("Transformed(Laplace(m, s), exp)", "x^(3/4)"): (
        lambda y: laplace(0.4, 0.9)(y) * math.exp(0.75 * y), (-99, 0.4, 99), {"s": 1.4}),
    ("Transformed(Gamma(c, r), sqrt)", "x*log(x)"): (lambda y: gamma(y) * math.sqrt(y) * math.log(y) / 2, (0, 1, 9, 99), {}),
    ("Transformed(Uniform(a, b), exp)", "x^2"): (lambda y: math.exp(2 * y) / 1.9, (-0.6, 1.3), {}),
}  # fmt: skip


@pytest.mark.parametrize(("law", "f"), MEANS)
def test_a_mean_under_a_law_of_laws_is_that_of_its_parts_and_infinite_where_one_is(law, f):
    integrand, ends, far = MEANS[law, f]
    derivation = symgen.loads(HEAD + f"dist p(x) = {law}").derive(f"E[x ~ p]({f})")
    assert "E[" not in derivation.text_result
    assert derivation.evaluate(**AT) == pytest.approx(integral(integrand, ends), rel=1e-7)
    if far:
        assert derivation.evaluate(**{**AT, **far}) == math.inf


@pytest.mark.parametrize(
    ("law", "low", "high", "known", "mass"),
    [
        ("Gamma(k, s)", "t", "inf", {"k": 5.5, "s": 1.4, "t": 0.8}, stats.gamma(5.5, scale=1 / 1.4).sf(0.8)),
        ("Beta(k, s)", "1/4", "3/4", {"k": 5.5, "s": 1.4}, stats.beta(5.5, 1.4).cdf(0.75) - stats.beta(5.5, 1.4).cdf(0.25)),
        ("Weibull(k, s)", "t", "inf", {"k": 5.5, "s": 1.4, "t": 0.8}, stats.weibull_min(5.5, scale=1.4).sf(0.8)),
    ],
)
def test_the_divergence_of_a_truncated_law_from_the_whole_is_minus_the_log_of_its_mass(law, low, high, known, mass):
    m = symgen.loads(f"param k: positive, s: positive, t: positive\ndist p(x) = Truncated({law}, {low}, {high})\ndist q(x) = {law}")
    d = m.derive("KL(p || q)")
    assert "E[" not in d.text_result
    assert d.evaluate(**known) == pytest.approx(-np.log(mass), rel=1e-9)


FOLDED = "def g(x) = x^2\nparam m: real, s: positive\ndist p(x) = Transformed({law}, g)\ndist q(x) = {other}\n"


@pytest.mark.parametrize(("law", "other", "value"), [
    ("Normal(0, 1)", "Chi2(1)", 0.0),
    ("Normal(0, s)", "Gamma(1/2, 1/(2*s^2))", 0.0),
    ("Normal(m, s)", "Transformed(Normal(-m, s), g)", 0.0),
])  # fmt: skip
def test_the_square_of_a_draw_forgets_its_sign(law, other, value):
    d = symgen.loads(FOLDED.format(law=law, other=other)).derive("KL(p || q)")
    assert d.evaluate(**{k: x for k, x in {"m": 0.6, "s": 0.7}.items() if k in d.symbols}) == pytest.approx(value, abs=1e-12)
    assert d.evidence.kind in ("proved", "checked")


@pytest.mark.parametrize("law", ["Uniform(-1, 2)", pytest.param("Normal(m, s)", marks=pytest.mark.slow)])
def test_the_square_of_a_draw_has_the_density_of_both_its_roots(law):
    one = stats.uniform(-1, 3) if law.startswith("Uniform") else stats.norm(0.6, 0.7)
    d = symgen.loads(FOLDED.format(law=law, other="Gamma(2, 1)")).derive("KL(p || q)")

    def at(t):  # x = t^2
        p = (one.pdf(t) + one.pdf(-t)) / (2 * t)
        return 2 * t * p * (math.log(p) - math.log(t * t) + t * t) if p > 0 else 0.0

    want = sum(integrate.quad(at, a, b, epsabs=1e-12)[0] for a, b in ((0, 1e-3), (1e-3, 1), (1, 2), (2, 8)))
    assert d.evaluate(**{k: x for k, x in {"m": 0.6, "s": 0.7}.items() if k in d.symbols}) == pytest.approx(want, rel=1e-7)
