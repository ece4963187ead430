"""The range of a function of numbers from the ranges of its arguments."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.intervals import ALL, ONE, POSITIVE, ZERO, Range, bound_at, interval, meet, negated
from symgen.tensor.numeric import FUNCTIONS as NUMERIC

__all__ = ["function_range"]

# functions that are positive where all their arguments are
_POSITIVE_ON_POSITIVE = {"gamma", "besseli", "hyp1f1", "besselk", "hyperu", "zeta", "beta"}


def function_range(name: str, args: list[Range]) -> Range:
    """The interval of f(a, b, ..) from those of a, b, ..: by its row, by monotony, or by a formula of its own."""
    special = _SPECIAL.get(name)
    if special is not None:
        return special(args)
    row = FUNCTIONS.get(name)
    if row is None:
        return ALL
    r = interval(row.range)
    if name in _POSITIVE_ON_POSITIVE and all(a.positive for a in args):
        r = meet(r, POSITIVE)
    if row.monotone is not None and len(args) == 1 and name in NUMERIC:
        a = args[0]
        up = row.monotone == "increasing"
        first, last = (a.low, a.high) if up else (a.high, a.low)
        first_open, last_open = (a.low_open, a.high_open) if up else (a.high_open, a.low_open)
        if first is not None:
            bound = bound_at(name, first, True)
            if bound is not None:
                r = meet(r, Range(bound, None, first_open))
        if last is not None:
            bound = bound_at(name, last, False)
            if bound is not None:
                r = meet(r, Range(None, bound, False, last_open))
    return r


def _abs_range(args: list[Range]) -> Range:
    a = args[0]
    if a.nonnegative:
        return a
    if a.nonpositive:
        return negated(a)
    high = None if a.low is None or a.high is None else max(abs(a.low), abs(a.high))
    return Range(ZERO, high, a.nonzero, False, a.integer, a.nonzero)


def _max_range(args: list[Range]) -> Range:
    lows = [a for a in args if a.low is not None]
    best = max(lows, key=lambda a: (a.low, a.low_open), default=ALL)
    highs = [a.high for a in args]
    high = None if None in highs else max(h for h in highs if h is not None)
    return Range(best.low, high, best.low_open, False, all(a.integer for a in args))


def _min_range(args: list[Range]) -> Range:
    return negated(_max_range([negated(a) for a in args]))


def _floor_range(args: list[Range]) -> Range:
    a = args[0]

    def down(x: Fraction | None) -> Fraction | None:
        return None if x is None else Fraction(x.numerator // x.denominator)

    return Range(down(a.low), down(a.high), integer=True)


def _sign_range(args: list[Range]) -> Range:
    a = args[0]
    low = ONE if a.positive else ZERO if a.nonnegative else -ONE
    high = -ONE if a.negative else ZERO if a.nonpositive else ONE
    return Range(low, high, integer=True, nonzero=a.without_zero)


def _relu_range(args: list[Range]) -> Range:
    return _max_range([args[0], Range(ZERO, ZERO, integer=True)])


_SPECIAL: dict[str, Callable[[list[Range]], Range]] = {
    "abs": _abs_range,
    "max": _max_range,
    "min": _min_range,
    "clip": lambda a: _min_range([_max_range(a[:2]), a[2]]),
    "floor": _floor_range,
    "sign": _sign_range,
    "relu": _relu_range,
    "mod": lambda a: Range(ZERO, None, integer=True),
    "div": lambda a: Range(ZERO, None, integer=True) if a[0].nonnegative else Range(integer=True),
}
