"""Exact values of functions at rational numbers and at multiples of pi, against mpmath; nothing is said where none is short."""

from fractions import Fraction

import mpmath
import pytest

from symgen.tensor.evaluate import BALL, Point, evaluate
from symgen.tensor.exact_values import AT_RATIONALS, CIRCLE
from symgen.tensor.expression import INF, PI, Fn, compare, fn, mul, neg, num, tensor, walk

MPMATH = {"gamma": mpmath.gamma, "lgamma": mpmath.loggamma, "digamma": mpmath.digamma,
          "trigamma": lambda x: mpmath.polygamma(1, x)}  # fmt: skip
RATIONALS = sorted({Fraction(n, d) for n in range(-26, 27) for d in (1, 2, 3)})
TURNS = sorted({Fraction(n, d) for n in range(-30, 31) for d in (1, 2, 3, 4, 5, 6, 12)})


@pytest.mark.parametrize("name", sorted(AT_RATIONALS | CIRCLE))
def test_they_are_those_of_mpmath(name):
    given = TURNS if name in CIRCLE else RATIONALS
    f = MPMATH.get(name) or getattr(mpmath, name)
    found = 0
    for r in given:
        node = fn(name, mul(num(r), PI) if name in CIRCLE else num(r))
        if any(isinstance(n, Fn) and n.name == name and n is node for n in walk(node)):
            continue
        found += 1
        with mpmath.workdps(40):
            x = mpmath.mpf(r.numerator) / r.denominator
            want = f(mpmath.pi * x if name in CIRCLE else x)
        got = evaluate([tensor((), node)], Point({}), BALL(120))[0][()]
        assert abs(float(got.mid()) - float(want)) <= 1e-14 * max(1.0, abs(float(want))), (name, r)
    assert found >= 3


def test_infinite_ends_are_compared():
    ends = [neg(INF), num(-3), num(0), num(5), INF]
    for i, a in enumerate(ends):
        for j, b in enumerate(ends):
            if i != j:
                assert [compare(op, a, b) is num(1) for op in ("<", "<=", ">", ">=", "==", "!=")] == [
                    i < j, i < j, i > j, i > j, False, True,
                ]  # fmt: skip
