"""Values of functions at rational numbers and at rational multiples of pi, in numbers, roots, pi and digamma(1)."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

__all__ = ["AT_RATIONALS", "CIRCLE", "Term", "at_rational", "on_the_circle"]

Term = tuple[Fraction, "str | int | tuple[str, str | int]", Fraction]  # c, b, e of c b^e; b is pi, a number, a function at one

AT_RATIONALS = {"gamma", "lgamma", "digamma", "trigamma", "asin", "acos", "atan"}
CIRCLE = {"sin", "cos", "tan"}
ONE, HALF = Fraction(1), Fraction(1, 2)
LARGEST_HARMONIC = 12
LARGEST_FACTORIAL = {"gamma": 170, "lgamma": 20}
ANGLES = {
    "asin": {ONE: HALF, HALF: Fraction(1, 6)}, "atan": {ONE: Fraction(1, 4)},
    "acos": {ONE: Fraction(0), Fraction(0): HALF, HALF: Fraction(1, 3)},
}  # fmt: skip
AT_HALF: dict[str, list[Term]] = {
    "gamma": [(ONE, "pi", HALF)],
    "lgamma": [(HALF, ("log", "pi"), ONE)],
    "digamma": [(ONE, ("digamma", 1), ONE), (Fraction(-2), ("log", 2), ONE)],
    "trigamma": [(HALF, "pi", Fraction(2))],
}
ROOTS = {Fraction(0): 0, Fraction(1, 6): 1, Fraction(1, 4): 2, Fraction(1, 3): 3, HALF: 4}  # 4 sin(pi t)^2


def at_rational(name: str, r: Fraction) -> list[Term] | None:
    """The value at r, or None where it has no short form: DLMF 5.4.1, 5.4.6, 5.4.12 to 5.4.15; 4.23.2 to 4.23.4."""
    if name in ANGLES:
        turn = ANGLES[name].get(abs(r))
        if turn is None:
            return None
        if r < 0:
            turn = 1 - turn if name == "acos" else -turn
        return [(turn, "pi", ONE)]
    if r == HALF:
        return AT_HALF[name]
    n = int(r)
    if r != n or n < 1:
        return None
    if name in LARGEST_FACTORIAL:
        if n > LARGEST_FACTORIAL[name]:
            return None
        product = factorial(n - 1)
        return [(ONE, product, ONE)] if name == "gamma" else [(ONE, ("log", product), ONE)]
    if n > LARGEST_HARMONIC or (name, n) == ("digamma", 1):
        return None
    if name == "digamma":
        return [(ONE, ("digamma", 1), ONE), (sum((Fraction(1, k) for k in range(1, n)), Fraction(0)), 1, ONE)]
    return [(Fraction(1, 6), "pi", Fraction(2)), (-sum((Fraction(1, k * k) for k in range(1, n)), Fraction(0)), 1, ONE)]


def on_the_circle(name: str, turn: Fraction) -> list[Term] | None:
    """sin, cos or tan of pi times `turn`, where the square of it is a rational number; None elsewhere, and at poles."""
    if name == "tan":
        s, c = _sine(turn), _sine(turn + HALF)
        if s is None or c is None or c[1] == 0:
            return None
        return [(Fraction(s[0] * c[0]), 1, ONE)] if s[1] == c[1] else [(s[0] * c[0] * Fraction(1, c[1]), s[1] * c[1], HALF)]
    found = _sine(turn if name == "sin" else turn + HALF)
    return None if found is None else [(found[0] * HALF, found[1], HALF)]


def _sine(turn: Fraction) -> tuple[int, int] | None:
    """The sign of sin(pi turn), and four times its square."""
    turn %= 2
    sign = 1
    if turn > 1:
        turn, sign = turn - 1, -1
    root = ROOTS.get(min(turn, 1 - turn))
    return None if root is None else (sign, root)
