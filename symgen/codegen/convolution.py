"""Sums of Delta(f, i + t) A[i] B[t], the adjoints of convolutions: A between zeros, seen through windows.

sum[i, t](Delta(f, i + t) A[i] B[t]) = sum[t](P[f + t] B[T - 1 - t]) with P = T - 1 zeros, A, T - 1 zeros. Neither masks nor
positions are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgen.codegen.contraction import Labelled, nominal_size
from symgen.codegen.positions import affine
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Delta,
    Entry,
    Index,
    Mul,
    Scalar,
    Sum,
    Var,
    add,
    delta,
    entry,
    expand_size,
    fresh_index,
    mul,
    num,
    open_sum,
    sub,
    substitute,
    tensor,
    total,
)  # fmt: skip

if TYPE_CHECKING:
    from symgen.codegen.lower import Lowering

__all__ = ["convolved"]


def convolved(lowering: Lowering, f: Index, e: Scalar, factors: Sequence[Scalar], indices: Sequence[Index]) -> Labelled | None:
    """sum[indices](Delta(f, e) * factors), where e adds indices that no factor mixes; None if it is not so."""
    form = affine(e)
    if form is None or form[0] is not ZERO or any(c is not ONE for c in form[1].values()) or len(form[1]) < 2:
        return None
    places = list(form[1])
    length = add(num(1 - len(places)), *(i.size for i in places))
    if expand_size(sub(f.size, length)) is not ZERO or not set(places) <= set(indices):
        return None
    factors, indices = opened(factors, indices)
    if len(places) > 2:
        return nested(lowering, f, places, factors, indices)
    return padded(lowering, f, places, factors, indices)


def opened(factors: Sequence[Scalar], indices: Sequence[Index]) -> tuple[list[Scalar], list[Index]]:
    """Factors that are sums of products, as one sum."""
    flat: list[Scalar] = []
    more = list(indices)
    for x in factors:
        if isinstance(x, Sum):
            body, bound = open_sum(x)
            flat.extend(body.args if isinstance(body, Mul) else [body])
            more.extend(bound)
        else:
            flat.append(x)
    return flat, more


def nested(
    lowering: Lowering, f: Index, places: Sequence[Index], factors: Sequence[Scalar], indices: Sequence[Index]
) -> Labelled | None:
    """f = (i + t) + s, where no factor has s and one of the others: the sums over i and t first, as an array over i + t."""
    for s in places:
        rest = [i for i in places if i is not s]
        inner = [x for x in factors if not x.free.isdisjoint(rest)]
        if any(s in x.free for x in inner):
            continue
        outer = [x for x in factors if x not in inner]
        g = fresh_index(expand_size(add(num(1 - len(rest)), *(i.size for i in rest))))
        own, shared = split(inner, outer, indices, {*rest})
        array = tensor([g, *shared], total(mul(delta(g, add(*rest)), *inner), own))
        left = [i for i in indices if i not in own]
        body = mul(delta(f, add(g, s)), entry(array, g, *shared), *outer)
        return lowering.sums.summed(body, [*left, g])
    return None


def padded(
    lowering: Lowering, f: Index, places: Sequence[Index], factors: Sequence[Scalar], indices: Sequence[Index]
) -> Labelled | None:
    i, t = sorted(places, key=lambda i: (is_place_of_param(i, factors), -nominal_size(i.size, lowering.nominal)))
    front: list[Scalar] = []  # functions of i + t alone are functions of f
    left: list[Scalar] = []
    for x in factors:
        if i in x.free and t in x.free:
            moved = substitute(x, {i: sub(f, t)})
            if t in moved.free or f in x.free:
                return None
            front.append(moved)
        else:
            left.append(x)
    A = [x for x in left if i in x.free]
    B = [x for x in left if i not in x.free]
    if any(isinstance(x, Delta) for x in A) or any(f in x.free for x in left):
        return None
    if any(not set(indices).isdisjoint(x.free) for x in front):
        return None
    own, shared = split(A, B, indices, {i})
    zeros = sub(t.size, ONE)
    m = fresh_index(expand_size(add(i.size, zeros, zeros)))
    P = tensor([m, *shared], total(mul(delta(m, add(i, zeros)), *A), own))
    back = fresh_index(t.size)
    turned = [substitute(x, {t: sub(zeros, back)}) for x in B]
    rest = [j for j in indices if j not in own and j is not t]
    result = lowering.sums.summed(mul(entry(P, add(f, back), *shared), *turned), [*rest, back])
    if not front:
        return result
    return lowering.multiplied([lowering.product(front), result])


def is_place_of_param(i: Index, factors: Sequence[Scalar]) -> bool:
    """Whether a parameter is read at i: the short side of a convolution, as a rule."""
    return any(isinstance(x, Entry) and isinstance(x.array, Var) and x.array.role == "param" and i in x.free for x in factors)


def split(
    inner: Sequence[Scalar], outer: Sequence[Scalar], indices: Sequence[Index], places: set[Index]
) -> tuple[list[Index], list[Index]]:
    """The indices that are summed inside, and those that the inner sum shares with what stands outside."""
    used = frozenset().union(*(x.free for x in outer)) if outer else frozenset()
    inside: dict[Index, None] = {}
    for x in inner:
        inside.update(dict.fromkeys(sorted(x.free, key=lambda i: (i.kind, i.serial))))
    own = [j for j in indices if j in places or (j in inside and j not in used)]
    return own, [j for j in inside if j not in own]
