"""Generated code of divergences keeps its digits where one parameter alone moves, and where shapes are extreme."""

from itertools import product

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


@pytest.mark.parametrize("goal", [pytest.param(g, marks=[pytest.mark.slow] if "renyi" in g else []) for g in POWERS])
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
