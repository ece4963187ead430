"""Intervals of values: their sums, products, powers and images."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx, fmpq

from symgen.tensor.numeric import FUNCTIONS

__all__ = [
    "ALL", "NONNEGATIVE", "ONE", "POSITIVE", "Range", "ZERO", "bound_at", "interval", "join", "meet", "negated",
    "range_power", "range_product", "range_sum",
]  # fmt: skip


@dataclass(frozen=True)
class Range:
    """An interval; a bound of None is infinite; an open end is not taken. `nonzero` leaves 0 out, `integer` what is
    not whole."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False
    integer: bool = False
    nonzero: bool = False

    @property
    def positive(self) -> bool:
        return self.low is not None and (self.low > 0 or (self.low == 0 and (self.low_open or self.nonzero)))

    @property
    def negative(self) -> bool:
        return self.high is not None and (self.high < 0 or (self.high == 0 and (self.high_open or self.nonzero)))

    @property
    def nonnegative(self) -> bool:
        return self.low is not None and self.low >= 0

    @property
    def nonpositive(self) -> bool:
        return self.high is not None and self.high <= 0

    @property
    def point(self) -> Fraction | None:
        return self.low if self.low is not None and self.low == self.high else None

    @property
    def without_zero(self) -> bool:
        return self.positive or self.negative or self.nonzero


ALL = Range()
POSITIVE = Range(Fraction(0), None, True)
NONNEGATIVE = Range(Fraction(0), None)
ONE, ZERO = Fraction(1), Fraction(0)


def meet(a: Range, b: Range) -> Range:
    low, low_open = a.low, a.low_open
    if b.low is not None and (low is None or b.low > low or (b.low == low and b.low_open)):
        low, low_open = b.low, b.low_open
    high, high_open = a.high, a.high_open
    if b.high is not None and (high is None or b.high < high or (b.high == high and b.high_open)):
        high, high_open = b.high, b.high_open
    return Range(low, high, low_open, high_open, a.integer or b.integer, a.nonzero or b.nonzero)


def join(a: Range, b: Range) -> Range:
    low, low_open = a.low, a.low_open
    if low is not None:
        if b.low is None or b.low < low or (b.low == low and not b.low_open):
            low, low_open = b.low, b.low_open
    high, high_open = a.high, a.high_open
    if high is not None:
        if b.high is None or b.high > high or (b.high == high and not b.high_open):
            high, high_open = b.high, b.high_open
    return Range(low, high, low_open, high_open, a.integer and b.integer, a.without_zero and b.without_zero)


def negated(a: Range) -> Range:
    return Range(
        None if a.high is None else -a.high,
        None if a.low is None else -a.low,
        a.high_open,
        a.low_open,
        a.integer,
        a.nonzero,
    )


def range_sum(a: Range, b: Range) -> Range:
    low = None if a.low is None or b.low is None else a.low + b.low
    high = None if a.high is None or b.high is None else a.high + b.high
    return Range(low, high, a.low_open or b.low_open, a.high_open or b.high_open, a.integer and b.integer)


def range_product(a: Range, b: Range) -> Range:
    nonzero, integer = a.without_zero and b.without_zero, a.integer and b.integer
    if a.negative or a.nonpositive:
        out = range_product(negated(a), b) if not (a.point == 0) else Range(ZERO, ZERO, integer=True)
        return out if a.point == 0 else negated(out)
    if b.negative or b.nonpositive:
        return Range(ZERO, ZERO, integer=True) if b.point == 0 else negated(range_product(a, negated(b)))
    if a.nonnegative and b.nonnegative:
        assert a.low is not None and b.low is not None
        high = None if a.high is None or b.high is None else a.high * b.high
        low_open = (a.low_open or b.low_open) if a.low and b.low else nonzero
        high_open = (a.high_open or b.high_open) and bool(high)
        return Range(a.low * b.low, high, low_open, high_open, integer, nonzero)
    ends = [x for x in (a.low, a.high, b.low, b.high) if x is not None]
    if len(ends) == 4:
        corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high) if x is not None and y is not None]
        return Range(min(corners), max(corners), False, False, integer, nonzero)
    return Range(integer=integer, nonzero=nonzero)


def reciprocal(a: Range) -> Range:
    if a.positive:
        assert a.low is not None
        high = 1 / a.low if a.low else None
        return Range(ZERO if a.high is None else 1 / a.high, high, a.high is None or a.high_open, a.low_open)
    if a.negative:
        return negated(reciprocal(negated(a)))
    return Range(nonzero=True)


def range_power(base: Range, exponent: Range) -> Range:
    e = exponent.point
    if e is not None and e.denominator == 1:
        k = int(e)
        if k < 0:
            return reciprocal(range_power(base, Range(Fraction(-k), Fraction(-k))))
        if k % 2 == 0:
            size = base if base.nonnegative else negated(base) if base.nonpositive else None
            if size is None:
                bound = None
                if base.low is not None and base.high is not None and k <= 64:
                    bound = max(abs(base.low), abs(base.high)) ** k
                return Range(ZERO, bound, base.nonzero, False, base.integer, base.nonzero)
            base = size
        if k > 64:
            return POSITIVE if base.positive else NONNEGATIVE if base.nonnegative else ALL
        low = None if base.low is None else base.low**k
        high = None if base.high is None else base.high**k
        return Range(low, high, base.low_open, base.high_open, base.integer, base.without_zero)
    if base.positive:
        high, low = None, ZERO
        if base.high is not None and base.high <= 1 and exponent.nonnegative:
            high = ONE
        if base.low is not None and base.low >= 1 and exponent.nonnegative:
            low = ONE
        if base.high is not None and base.high <= 1 and exponent.nonpositive:
            low = ONE
        if base.low is not None and base.low >= 1 and exponent.nonpositive:
            high = ONE
        strict = base.without_zero and exponent.without_zero
        low_open = low == 0 or (bool(base.low_open and strict) and base.low == 1)
        return Range(low, high, low_open, bool(high) and base.high_open and strict and base.high == 1)
    return NONNEGATIVE if base.nonnegative or (e is not None and e.denominator % 2 == 0) else ALL


def _parse_interval(text: str) -> Range:
    low, high = text[1:-1].split(",")

    def number(t: str) -> Fraction | None:
        t = t.strip()
        return None if "inf" in t else Fraction(t)

    return Range(number(low), number(high), text[0] == "(", text[-1] == ")")


_intervals: dict[str, Range] = {}


def interval(text: str) -> Range:
    found = _intervals.get(text)
    if found is None:
        found = _intervals[text] = _parse_interval(text)
    return found


LARGEST = 4096  # the logarithm of a bound, to base 2


def bound_at(name: str, x: Fraction, lower: bool) -> Fraction | None:
    """A bound below (or above) f(x); exact where the ball is."""
    with ctx.workprec(80):
        value = FUNCTIONS[name].ball(arb(fmpq(x.numerator, x.denominator)))
        if not value.is_finite():
            return None
        end = value.lower() if lower else value.upper()
        mantissa, exponent = (int(x) for x in end.mid().man_exp())
    size = mantissa.bit_length() + exponent
    if mantissa == 0 or abs(size) <= LARGEST:
        return Fraction(mantissa) * Fraction(2) ** exponent
    sign = 1 if mantissa > 0 else -1
    if size > 0:  # no bound is written with more bits than that
        return sign * Fraction(2) ** LARGEST if (sign > 0) == lower else None
    return Fraction(0) if (sign > 0) == lower else sign * Fraction(2) ** -LARGEST
