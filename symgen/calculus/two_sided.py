"""Linear systems L X R' = C where one side stands in C too: inv(V) on both sides of the equations of a regression.

Every term holds one and the same matrix at an axis of the gradient; it is invertible, and leaves. Magnus & Neudecker (2019), 2.
"""

from __future__ import annotations

from symgen.calculus.separate import terms_of
from symgen.tensor.arithmetic import factors_of
from symgen.tensor.expression import (
    Array,
    Entry,
    Index,
    Operation,
    Scalar,
    Sum,
    Var,
    add,
    delta,
    mul,
    open_sum,
    substitute,
    total,
)  # fmt: skip
from symgen.tensor.facts import is_symmetric

__all__ = ["without_common_side"]


def without_common_side(A: Scalar, b: Scalar, rows: list[Index], columns: list[Index]) -> tuple[Scalar, Scalar, Array] | None:
    """A and b with the symmetric inverse taken off that stands at one axis of every term of both, and that inverse."""
    for r, c in zip(rows, columns, strict=True):
        for side in _sides(A, r, c):
            made_a = [_stripped(t, side, r, c) for t in terms_of(A)]
            made_b = [_stripped(t, side, r, None) for t in terms_of(b)]
            if all(t is not None for t in (*made_a, *made_b)):
                return add(*(t for t in made_a if t is not None)), add(*(t for t in made_b if t is not None)), side
    return None


def _sides(A: Scalar, r: Index, c: Index) -> list[Array]:
    """The symmetric inverses that stand at (r, c) in the first term."""
    out: list[Array] = []
    for f in _opened(terms_of(A)[0])[1]:
        if isinstance(f, Entry) and set(f.indices) == {r, c} and _is_regular(f.array):
            out.append(f.array)
    return out


def _is_regular(a: Array) -> bool:
    """Whether it is symmetric and has an inverse, by its form."""
    regular = (isinstance(a, Operation) and a.name == "inv") or (isinstance(a, Var) and a.domain == "spd")
    return regular and a.rank == 2 and is_symmetric(a) is True


def _opened(term: Scalar) -> tuple[list[Index], list[Scalar]]:
    """The indices that a product is summed over, and its factors."""
    bound: list[Index] = []
    out: list[Scalar] = []
    waiting = list(factors_of(term))
    while waiting:
        f = waiting.pop()
        if isinstance(f, Sum):
            body, indices = open_sum(f)
            bound.extend(indices)
            waiting.extend(factors_of(body))
        else:
            out.append(f)
    return bound, out


def _stripped(term: Scalar, side: Array, r: Index, c: Index | None) -> Scalar | None:
    """The term without one entry of the matrix at r: what it met is at r in its place."""
    bound, factors = _opened(term)
    for f in factors:
        if not isinstance(f, Entry) or f.array is not side or r not in f.indices:
            continue
        other = f.indices[0] if f.indices[1] is r else f.indices[1]
        rest = mul(*(g for g in factors if g is not f))
        if c is not None:
            if other is c and not {r, c} & rest.free:
                return total(mul(rest, delta(r, c)), bound)
        elif isinstance(other, Index) and other in bound and r not in rest.free:
            return total(substitute(rest, {other: r}), [k for k in bound if k is not other])
    return None
