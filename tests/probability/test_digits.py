"""Generated code of divergences keeps its digits where one parameter alone moves, and where shapes are extreme."""

from itertools import pairwise, product

import mpmath as mp
import pytest

import symgen
from tests.benchmarks.accuracy import NEAR, error, exactly, value_of

POWERS = {"hellinger(p, q)": (0.5, lambda m: 1 - m), "renyi(p, q, 1/2)": (0.5, lambda m: -2 * mp.log(m)),
          "chi2(p || q)": (2, lambda m: m - 1), "renyi(p, q, 2)": (2, mp.log)}  # fmt: skip


def of_cut_exponential(power, value):
    """By the integral of p^power q^(1 - power), q on the wider interval where it has to be."""

    def exact(r, a, b, s, c, d):
        low, high, slope = max(a, c), min(b, d), power * r + (1 - power) * s
        mass = [rate * mp.exp(rate * low) / -mp.expm1(-rate * (end - low)) for rate, low, end in ((r, a, b), (s, c, d))]
        return value(mass[0] ** power * mass[1] ** (1 - power) * (mp.exp(-slope * low) - mp.exp(-slope * high)) / slope)

    return exact


@pytest.mark.parametrize("goal", [pytest.param(g, marks=[] if g == "renyi(p, q, 1/2)" else [pytest.mark.slow]) for g in POWERS])
def test_what_stands_of_two_laws_costs_no_digits_of_what_moves(goal):
    text = "param r: positive, a: real, b: real, s: positive, c: real, d: real\nassume a < b, c < d\n"
    laws = "dist p(x) = TruncatedExponential(r, a, b)\ndist q(x) = TruncatedExponential(s, c, d)\n"
    code = symgen.loads(f"{text}{laws}derive h = {goal}").compile().h
    exact = of_cut_exponential(*POWERS[goal])
    for h, moves in product((1e-1, 1e-3, 1e-7), ((1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 1, 1))):
        at = (1.3, 0.4, 2.1, 1.3 + moves[0] * h, 0.4 - moves[1] * h, 2.1 + moves[2] * h)
        with mp.workdps(60):
            want = exact(*map(exactly, at))
        assert error(value_of(code, dict(zip("rabscd", at, strict=True))), want) < NEAR, (h, moves)


LOG_DENSITY = {
    "Chi": lambda x, k: (1 - k / 2) * mp.log(2) - mp.loggamma(k / 2) + (k - 1) * mp.log(x) - x * x / 2,
    "Gamma": lambda x, a, r: a * mp.log(r) - mp.loggamma(a) + (a - 1) * mp.log(x) - r * x,
    "Gumbel": lambda x, m, b: -mp.log(b) - (x - m) / b - mp.exp(-(x - m) / b),
    "InverseGamma": lambda x, a, b: a * mp.log(b) - mp.loggamma(a) - (a + 1) * mp.log(x) - b / x,
    "InverseGaussian": lambda x, m, s: mp.log(s / (2 * mp.pi * x**3)) / 2 - s * (x - m) ** 2 / (2 * m * m * x),
    "Laplace": lambda x, m, b: -mp.log(2 * b) - abs(x - m) / b,
    "Logistic": lambda x, m, s: -abs(x - m) / s - mp.log(s) - 2 * mp.log1p(mp.exp(-abs(x - m) / s)),
    "Weibull": lambda x, k, s: mp.log(k / s) + (k - 1) * mp.log(x / s) - (x / s) ** k,
}
APART = [  # two laws, and places between which the integrand is smooth
    (("Chi", 2.4), ("Gumbel", 0.1, 0.05), (0, 0.2, 1, 3, 9, 13)),
    (("Chi", 1.3), ("Gumbel", 1.1, 0.3), (0, 0.2, 1, 3, 9, 13)),
    (("Gamma", 1700.0, 1.9), ("Gumbel", -900.0, 1.3), (400, 800, 850, 900, 950, 1000, 1400)),
    (("InverseGamma", 900.0, 1000.0), ("Gumbel", 1.2, 0.4), (0.8, 1, 1.1, 1.2, 1.3, 1.6)),
    (("InverseGaussian", 0.5, 1500.0), ("Weibull", 1.4, 0.4), (0.35, 0.45, 0.5, 0.55, 0.7)),
    (("InverseGaussian", 1.3, 1600.0), ("Laplace", 1.1, 3.4), (0.8, 1.1, 1.2, 1.3, 1.4, 1.5, 2)),
    (("Laplace", -1.0, 0.4), ("Logistic", 4.0, 0.005), (-30, -12, -4, -1, 0, 2, 3.9, 4, 4.1, 6, 12, 30)),
    (("Gumbel", -9.0, 0.3), ("Laplace", 5.0, 1.1), (-11, -10, -9, -7, -4, 0, 5, 15)),
]  # fmt: skip


@pytest.mark.parametrize(("p", "q", "places"), APART)
def test_a_divergence_between_families_is_a_number_where_parts_of_it_are_none(p, q, places):
    named = [[f"{side}{k}" for k in range(1, len(law))] for side, law in (("p", p), ("q", q))]
    real = [names[0] for names, law in zip(named, (p, q), strict=True) if law[0] in ("Gumbel", "Laplace", "Logistic")]
    declared = ", ".join(f"{n}: {'real' if n in real else 'positive'}" for n in (*named[0], *named[1]))
    laws = [f"{law[0]}({', '.join(names)})" for names, law in zip(named, (p, q), strict=True)]
    code = symgen.loads(f"param {declared}\nderive h = KL({laws[0]} || {laws[1]})").compile().h
    with mp.workdps(25):
        log_p, log_q = (lambda x, law=law: LOG_DENSITY[law[0]](x, *map(exactly, law[1:])) for law in (p, q))
        want = sum(mp.quad(lambda x: mp.exp(log_p(x)) * (log_p(x) - log_q(x)), ends) for ends in pairwise(map(mp.mpf, places)))
    assert error(value_of(code, dict(zip((*named[0], *named[1]), (*p[1:], *q[1:]), strict=True))), want) < 1e-12


def chi2_of_weibull(k, s, r):
    w = (s / r) ** k
    return (1 - w) ** 2 / (w * (2 - w))


SCALES = {
    "hellinger(Weibull(k, s), Weibull(k, r))": lambda k, s, r: 1 - mp.sech(k * mp.log(s / r) / 2),
    "renyi(Frechet(k, s), Frechet(k, r), 1/2)": lambda k, s, r: 2 * mp.log(mp.cosh(k * mp.log(s / r) / 2)),
    "chi2(Weibull(k, s) || Weibull(k, r))": chi2_of_weibull,
}  # fmt: skip


@pytest.mark.parametrize("goal", SCALES)
def test_laws_whose_parameters_are_far_and_who_are_near_keep_their_digits(goal):
    code = symgen.loads(f"param k: positive, s: positive, r: positive\nderive h = {goal}").compile().h
    for at in ((1.7e-3, 1.5, 0.3), (1.1e-3, 1781.0, 1.9), (0.3, 1.5, 1.9), (0.02, 1.5, 30.0)):
        with mp.workdps(60):
            want = SCALES[goal](*map(exactly, at))
        assert error(value_of(code, dict(zip("ksr", at, strict=True))), want) < 1e-13, at


@pytest.mark.parametrize("target", ["torch"])
def test_short_floats_keep_what_they_can(target):
    torch = pytest.importorskip(target)
    text = "param a: positive, s: positive, r: positive\nderive h = KL(Lomax(a, s) || Lomax(a, r))"
    code = symgen.loads(text).compile(target=target).h
    for distance in (0.05, 1e-2, 1e-3):
        at = {n: torch.tensor(v, dtype=torch.float32) for n, v in (("a", 0.7), ("s", 1.3), ("r", 1.3 + distance))}
        want = float(code({n: x.double() for n, x in at.items()}))
        assert float(code(at)) == pytest.approx(want, rel=1e-5), distance


@pytest.mark.parametrize("goal", POWERS)
def test_laws_that_are_nearly_uniform_on_an_interval_keep_their_digits(goal):
    text = "param r: positive, s: positive, a: real, b: real\nassume a < b\n"
    laws = "dist p(x) = TruncatedExponential(r, a, b)\ndist q(x) = TruncatedExponential(s, a, b)\n"
    code = symgen.loads(f"{text}{laws}derive h = {goal}").compile().h
    exact = of_cut_exponential(*POWERS[goal])
    for r, s in ((1.7e-3, 1.7001e-3), (0.055, 1.5e-3), (1e-3, 2.5), (30.0, 31.0), (2e3, 1.1e3), (1.5, 300.0)):
        with mp.workdps(60):
            want = exact(*map(exactly, (r, -4.0, -2.7, s, -4.0, -2.7)))
        assert error(value_of(code, {"r": r, "s": s, "a": -4.0, "b": -2.7}), want) < 1e-13, (r, s)


BEYOND = {  # powers by such shapes are no numbers
    "hellinger(Weibull(k, s), Weibull(k, r))": lambda k, s, r: 1 - mp.sech(k * mp.log(s / r) / 2),
    "chi2(Gamma(k, s) || Gamma(k, r))": lambda k, s, r: (s * s / (r * (2 * s - r))) ** k - 1,
}


@pytest.mark.parametrize("goal", BEYOND)
def test_near_laws_of_large_shapes_keep_their_digits(goal):
    code = symgen.loads(f"param k: positive, s: positive, r: positive\nderive h = {goal}").compile().h
    for gap in (1e-3, 1e-5, 1e-8):
        at = (1800.0, 0.052, 0.052 * (1 + gap))
        with mp.workdps(60):
            want = BEYOND[goal](*map(exactly, at))
        assert error(value_of(code, dict(zip("ksr", at, strict=True))), want) < NEAR, gap
