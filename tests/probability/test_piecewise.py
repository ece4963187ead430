"""Densities of one's own in pieces, between symbolic ends and in sums: their means, entropies and divergences in closed form
against scipy's quadrature."""

import math

import pytest
from scipy import integrate

import symgen

HEAD = "param a: positive, m: real, s: positive, l: real, h: real, n: real, t: positive, w: unit, k: positive\nassume l < h\n"
AT = {"a": 1.7, "m": 0.4, "s": 0.9, "l": -0.6, "h": 1.3, "n": -0.5, "t": 1.4, "w": 0.35, "k": 2.6}
A, M, S, L, H, N, T, W, K = AT.values()
exp, INF = math.exp, math.inf
LAWS = {  # the density up to its normaliser, where it turns, the same in numbers
    "p(x) = where(0 < x and x < 1, exp(-a*x), 0)/Z": ((0, 1), lambda x: exp(-A * x)),
    "p(x) = where(x > h, exp(-a*x), 0)/Z": ((H, 6, INF), lambda x: exp(-A * x)),
    "p(x) = where(l < x and x < h, exp(-(x - m)^2/(2*s^2)), 0)/Z": ((L, H), lambda x: exp(-((x - M) ** 2) / (2 * S**2))),
    "p(x) = where(abs(x) < a, a - abs(x), 0)/Z": ((-A, 0, A), lambda x: A - abs(x)),
    "p(x) = exp(-a*abs(x) - x^2)/Z": ((-INF, 0, INF), lambda x: exp(-A * abs(x) - x * x)),
    "p(x: positive) = sqrt(x)*exp(-a*x - k/x)/Z": ((0, 1, 5, INF), lambda x: x**0.5 * exp(-A * x - K / x) if x else 0.0),
    "p(x: positive) = where(x < 2, x^(k - 1)*exp(-a*x), 0)/Z": ((0, 2), lambda x: x ** (K - 1) * exp(-A * x)),
    "p(x: unit) = where(x > 1/4, x^(a - 1)*(1 - x)^(k - 1), 0)/Z": ((0.25, 1), lambda x: x ** (A - 1) * (1 - x) ** (K - 1)),
}  # fmt: skip


def integral(f, ends):
    return sum(integrate.quad(f, a, b, epsabs=1e-13)[0] for a, b in zip(ends, ends[1:], strict=False))


@pytest.mark.parametrize("law", LAWS)
def test_means_and_entropies_are_closed(law):
    ends, f = LAWS[law]
    z = integral(f, ends)
    mean, square = (integral(lambda x, n=n: x**n * f(x), ends) / z for n in (1, 2))
    log = integral(lambda x: f(x) * math.log(f(x)) if f(x) else 0.0, ends) / z
    model = symgen.loads(f"{HEAD}dist {law}\n")
    goals = {"E[x ~ p](x)": mean, "Var[x ~ p](x)": square - mean**2}
    if "(1 - x)" not in law and "x^(k" not in law and "sqrt" not in law:
        goals["entropy(p)"] = math.log(z) - log
    for goal, want in goals.items():
        d = model.derive(goal)
        assert d.evaluate(**AT) == pytest.approx(want, rel=1e-9, abs=1e-12), goal
        assert "E[" not in d.text_result
        assert d.evidence.kind in ("checked", "unknown")  # unknown where two large numbers cancel in the mass


def test_sums_of_exponentials_are_mixtures():
    text = "p(x) = (w*exp(-(x - m)^2/(2*s^2))/s + (1 - w)*exp(-(x - n)^2/(2*t^2))/t)/Z"
    model = symgen.loads(f"{HEAD}dist {text}\n")
    mean = W * M + (1 - W) * N
    assert model.derive("E[x ~ p](x)").evaluate(**AT) == pytest.approx(mean)
    want = W * (S**2 + M**2) + (1 - W) * (T**2 + N**2) - mean**2
    assert model.derive("Var[x ~ p](x)").evaluate(**AT) == pytest.approx(want)


def test_a_normaliser_without_closed_form_stays_an_integral():
    f, ends = lambda x: 1 / (exp(x) + exp(-x)) if abs(x) < 600 else 0.0, (-INF, 0, INF)
    z = integral(f, ends)
    want = math.log(z) - integral(lambda x: f(x) * math.log(f(x)) if f(x) else 0.0, ends) / z
    d = symgen.loads("dist p(x) = 1/((exp(x) + exp(-x))*Z)\n").derive("entropy(p)")
    assert d.evaluate() == pytest.approx(want, rel=1e-9)
