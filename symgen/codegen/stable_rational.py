"""What is rational beside remainders, in differences of parameters, each term of second order; what is 1 but for that."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgen.algebra.collect import is_stochastic, written_length
from symgen.algebra.rational import as_quotient
from symgen.codegen.stable_differences import Pair, by_differences, difference, factors_of, is_rational, kept_apart, terms_of
from symgen.codegen.stable_pool import closed_sum, entries_of, holds, multiplied, of_entries, short, summed
from symgen.codegen.stable_zero import with_limits, without_limits
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Index,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    add,
    as_coefficient,
    fn,
    mul,
    num,
    open_sum,
    open_tensor,
    power,
    sub,
    total,
)  # fmt: skip

__all__ = ["left_in_differences", "near_one", "one_less"]

MAX_LENGTH = 260
MINUS_HALF, MINUS_TWO = num(Fraction(-1, 2)), num(-2)
# a and b with -1 = sum(a p + b q): for sqrt(p q), p^2/q and q^2/p
ONES = ((MINUS_HALF, MINUS_HALF), (MINUS_TWO, ONE), (ONE, MINUS_TWO))


def left_in_differences(x: Scalar, known: Sequence[Pair], indices: Sequence[Index], order: int) -> Scalar | None:
    """What is rational, in differences; None where it is of lower order."""
    entries = [p for a, b in known for p in of_entries(a, b)]
    x = short(x)
    if x is ZERO:
        return ZERO
    if indices:
        if closed_sum(x, indices) is ZERO:
            return ZERO
    if not is_rational(x) or holds(x, ("exp",)):
        return None
    found = by_differences(x, entries, order) or by_differences(as_quotient(x), entries, order)
    if found is not None:
        return summed(found[0], indices)
    return (_roots_paired(x, indices) or _quotient_paired(x, indices)) if order == 2 else None


def _quotient_paired(x: Scalar, indices: Sequence[Index]) -> Scalar | None:
    """The same above a denominator."""
    whole = as_quotient(x)
    above = [f for f in factors_of(whole) if isinstance(f, Add)]
    for f in above:
        made = _roots_paired(f, ())
        if made is not None:
            return summed(mul(made, *(g for g in factors_of(whole) if g is not f)), indices)
    return None


def opened(x: Scalar) -> Scalar:
    """What a named value stands for."""
    return open_tensor(x.array, x.indices) if isinstance(x, Entry) and isinstance(x.array, Tensor) else x


def near_one(x: Scalar) -> Scalar | None:
    """log x of what is 1 but for what is of second order in differences: by log1p, or by log x where it is near 0."""
    less = one_less(x)
    if less is None or less is ZERO:
        return None
    is_below = any(as_coefficient(t)[0] < 0 for t in terms_of(less))
    return fn("log_ratio", x, ONE, kept_apart(less)) if is_below else fn("log1p", less)


def one_less(x: Scalar) -> Scalar | None:
    """x - 1 in differences, of second order in them; None where it is not."""
    if isinstance(x, Sum):
        return _less_than_whole(x)
    plain = without_limits(x)
    if not any(isinstance(f, Add) for f in factors_of(plain)) or written_length(x) > MAX_LENGTH or not is_rational(plain):
        return None
    less = left_in_differences(sub(plain, ONE), [], (), 2)
    return None if less is None else with_limits(less)


def _less_than_whole(x: Sum) -> Scalar | None:
    """sum(f(p, q)) - 1 of two distributions, 1 = sum(p) = sum(q), term by term."""
    body, indices = open_sum(x)
    if len(indices) != 1 or written_length(x) > MAX_LENGTH:
        return None
    plain = without_limits(body)
    found = [e for e in entries_of(plain) if _is_summed_to_one(e, indices[0])]
    if len(found) != 2 or not is_rational(plain):
        return None
    p, q = sorted(found, key=repr)
    for a, b in ONES:
        less = left_in_differences(add(plain, mul(a, p), mul(b, q)), [(p, q)], (), 2)
        if less is not None:
            return total(with_limits(less), indices)
    return None


def _is_summed_to_one(e: Entry, i: Index) -> bool:
    return is_stochastic(e.array) and e.indices[-1] is i and not any(i in j.free for j in e.indices[:-1])


def beside_one(n: Add) -> Scalar | None:
    """c x^m - c of an x that is 1 but for what is of second order in differences."""
    constant = next((t for t in n.args if isinstance(t, Num)), None)
    if constant is None or len(n.args) != 2:
        return None
    c, base = as_coefficient(next(t for t in n.args if t is not constant))
    if num(-c) is not constant:
        return None
    base = opened(base)
    if isinstance(base, Sum):
        less = one_less(base)
        return None if less is None else mul(num(c), less)
    log = near_one(opened(base.base)) if isinstance(base, Pow) else None
    return mul(num(c), fn("expm1", mul(base.exponent, log))) if isinstance(base, Pow) and log is not None else None


def _roots_paired(x: Scalar, indices: Sequence[Index]) -> Scalar | None:
    """-sqrt(a b) = (sqrt a - sqrt b)^2/2 - (a + b)/2, where nothing stays beside the squares."""
    squares: list[Scalar] = []
    rest: list[Scalar] = []
    for t in terms_of(x):
        roots = [f for f in factors_of(t) if isinstance(f, Pow) and f.exponent is HALF]
        if len(roots) == 2:
            c = mul(*(f for f in factors_of(t) if f not in roots))
            a, b = (f.base for f in roots)
            apart = power(fn("root_difference", a, b, kept_apart(difference(a, b))), TWO)
            squares.append(mul(MINUS_ONE, HALF, c, apart))
            rest.append(mul(HALF, c, a))
            rest.append(mul(HALF, c, b))
        else:
            rest.append(t)
    left = short(add(*(u for t in rest for u in multiplied(t))))
    if indices and left is not ZERO:
        left = closed_sum(left, indices)
    return summed(add(*squares), indices) if squares and left is ZERO else None
