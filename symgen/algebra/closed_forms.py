"""What has a value of its own: sums known in closed form, and entries of a recurrence at a known step."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

from symgen.tensor.expression import (
    HALF,
    ONE,
    Add,
    Array,
    Entry,
    Fn,
    Index,
    Num,
    Operation,
    Recurrence,
    Scalar,
    Tensor,
    Var,
    add,
    as_coefficient,
    entry,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    operation,
    power,
    replace_arrays,
    sub,
    total,
)

__all__ = ["closed_sum", "last_probability", "places_of", "product_of_eigenvalues", "small_determinant", "unrolled"]

MAX_PLACES = 36  # of an array that is compared entry by entry, of a sum that is written out
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


def places_of(sizes: Sequence[Scalar]) -> list[tuple[Scalar, ...]] | None:
    """All places of an array whose sizes are small numbers, in order."""
    lengths = [int(s.rational) for s in sizes if isinstance(s, Num) and s.rational is not None]
    if len(lengths) != len(sizes) or math.prod(lengths) > MAX_PLACES:
        return None
    return list(itertools.product(*(map(num, range(n)) for n in lengths)))


def last_probability(array: Var, indices: Sequence[Scalar]) -> Scalar | None:
    """1 less the others, for the last of a few probabilities."""
    *front, at = indices or (ONE,)
    size = array.shape[-1] if array.shape else ONE
    if array.domain != "simplex" or not isinstance(size, Num) or size.rational is None or at is not num(size.rational - 1):
        return None
    return sub(ONE, add(*(entry(array, *front, num(k)) for k in range(int(size.rational) - 1))))


def small_determinant(rows: Sequence[Sequence[Scalar]]) -> Scalar:
    """The determinant of a matrix of a few entries, by its first row (Leibniz)."""
    if not rows:
        return ONE
    minors = [small_determinant([[*r[:k], *r[k + 1 :]] for r in rows[1:]]) for k in range(len(rows))]
    return add(*(mul(num((-1) ** k), rows[0][k], d) for k, d in enumerate(minors)))


def closed_sum(a: Scalar, e: Fraction, i: Index) -> Scalar | None:
    """sum[i](a^e) where it is known: of i^k, of a probability vector, of a one-hot vector, of eigenvalues, of signs."""
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
    if isinstance(a, Entry) and isinstance(a.array, Operation):
        return _of_eigenvalues(a, i, e)
    if isinstance(a, Entry) and isinstance(a.array, Tensor):
        a = open_tensor(a.array, a.indices)
    return _of_signs(a, i, e)


def _of_eigenvalues(a: Entry, i: Index, e: Fraction) -> Scalar | None:
    """The sum of the eigenvalues is the trace, that of their squares the trace of the square."""
    matrix = _matrix_of_eigenvalues(a, i)
    if matrix is None or e not in (1, 2):
        return None
    front = a.indices[:-1]
    k, l = fresh_index(i.size), fresh_index(i.size)
    if e == 1:
        return total(open_tensor(matrix, [*front, k, k]), [k])
    return total(mul(open_tensor(matrix, [*front, k, l]), open_tensor(matrix, [*front, l, k])), [k, l])


def _matrix_of_eigenvalues(a: Scalar, i: Index) -> Array | None:
    array = a.array if isinstance(a, Entry) else None
    if not isinstance(a, Entry) or not isinstance(array, Operation) or array.name != "eigvals":
        return None
    matrix = array.operands[0]
    last = a.indices[-1] is i and all(i not in x.free for x in a.indices[:-1])
    return matrix if last and isinstance(matrix, Array) else None


def product_of_eigenvalues(a: Scalar, bound: Sequence[Index]) -> Scalar | None:
    """The product of the eigenvalues is the determinant."""
    matrix = _matrix_of_eigenvalues(a, bound[0]) if len(bound) == 1 else None
    if matrix is None or matrix.rank != 2:
        return None
    return entry(operation("det", [matrix], ()))


def _of_signs(a: Scalar, i: Index, e: Fraction) -> Scalar | None:
    """sum[i](sign(j - i)) = 2 j - n + 1 for indices i and j below n, and n - 1 of them are not 0."""
    inner = a.args[0] if isinstance(a, Fn) and a.name == "sign" else None
    if not isinstance(inner, Add) or len(inner.args) != 2 or e not in (1, 2):
        return None
    others = [x for x in inner.args if i not in x.free]
    if len(others) != 1:
        return None
    c, j = as_coefficient(others[0])
    d, same = as_coefficient(next(x for x in inner.args if x is not others[0]))
    if same is not i or not isinstance(j, Index) or j.size is not i.size or abs(c) != 1 or d != -c:
        return None
    if e == 2:
        return sub(i.size, ONE)
    return mul(num(c), add(mul(num(2), j), neg(i.size), ONE))
