"""What has a value of its own: sums known in closed form, and entries of a recurrence at a known step."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgen.tensor.expression import (
    HALF,
    ONE,
    Entry,
    Index,
    Num,
    Recurrence,
    Scalar,
    Var,
    mul,
    num,
    open_tensor,
    power,
    replace_arrays,
    sub,
)

__all__ = ["closed_sum", "unrolled"]

MAX_STEPS = 24  # of a recurrence that is opened


def unrolled(array: Recurrence, indices: Sequence[Scalar]) -> Scalar | None:
    """The entry of a recurrence at a step whose number is known, by its definition."""
    step, t = array.step, indices[0]
    known = isinstance(t, Num) and t.rational is not None and t.rational.denominator == 1
    if array.reverse or not known or not 0 <= t.rational <= MAX_STEPS:
        return None
    at = int(t.rational)
    if at < len(array.base):
        return open_tensor(array.base[at], indices[1:])
    return replace_arrays(open_tensor(step, indices), {array.self_var: array})  # type: ignore[no-any-return]


def closed_sum(factors: list[tuple[Scalar, Fraction]], bound: list[Index]) -> Scalar | None:
    """Sums known in closed form: of i^k over i, of a probability vector, of a one-hot vector."""
    if len(bound) != 1 or len(factors) != 1:
        return None
    (i,), ((a, e),) = bound, factors
    if a is i and e.denominator == 1 and 1 <= e <= 3:
        n = i.size
        first = mul(n, sub(n, ONE), HALF)
        if e == 1:
            return first
        if e == 3:
            return power(first, num(2))
        return mul(num(Fraction(1, 6)), n, sub(n, ONE), sub(mul(num(2), n), ONE))
    if isinstance(a, Entry) and isinstance(a.array, Var) and a.array.domain in ("simplex", "onehot"):
        last = a.indices[-1] is i and all(i not in x.free for x in a.indices[:-1])
        whole = i.size is a.array.shape[-1]
        if last and whole and (e == 1 or (e > 0 and a.array.domain == "onehot")):
            return ONE
    return None
