"""Index notation: sum[i, j](..), tensor[i: n](..), and the ranges of indices found where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    INF,
    ONE,
    ZERO,
    Index,
    Num,
    Scalar,
    add,
    compare,
    divide,
    fold,
    fresh_index,
    logic,
    mul,
    neg,
    sub,
    total,
    where,
)  # fmt: skip
from symgen.tensor.reading import Reading
from symgen.tensor.scope import Binding, Clash, Scope, Witness, is_size, parts_of, size_text
from symgen.tensor.subscripts import ends_of
from symgen.text import tree


def bind(r: Reading, specs: Sequence[tree.IndexSpec], bodies: Sequence[tree.Expression]) -> tuple[list[Index], Scope]:
    """Fresh indices for the names of a binder, sizes as said or as found where the name stands alone in a bracket."""
    indices, scope, conditions = bind_in_part(r, specs, bodies)
    if conditions:
        spec = next(s for s in specs if s.upper is not None)
        raise Clash(f"the axis of `{spec.name}` would be of different lengths", spec.span, "hangs on an index",
                    help="an array has one length along an axis: use `where` for the entries that are none")  # fmt: skip
    return indices, scope


def bind_in_part(
    r: Reading, specs: Sequence[tree.IndexSpec], bodies: Sequence[tree.Expression]
) -> tuple[list[Index], Scope, list[Scalar]]:
    """Like `bind`, with ranges that hang on indices, as in sum[i: n](sum[j: 0..i](..)): such an index runs as far as it may
    ever go, under conditions."""
    scope = Scope({}, r.scope)
    indices: list[Index] = []
    conditions: list[Scalar] = []
    for spec in specs:
        lower: Scalar = ZERO
        ends: tuple[Scalar, Scalar] | None = None
        if spec.size is not None:
            size = size_in(r, scope, spec.size)
        elif spec.lower is not None and spec.upper is not None:
            lower, upper = r.in_scope(scope, spec.lower).body, r.in_scope(scope, spec.upper).body
            size = build.normal_size(add(sub(upper, lower), ONE))
            if lower.free or upper.free:
                ends, lower, size = (lower, upper), ZERO, furthest(r, spec, upper)
            elif not is_size(size):
                raise Clash(f"the range of index `{spec.name}` is not made of dims and integers", spec.span, "not a size",
                            r.witnesses(spec.lower, spec.upper))  # fmt: skip
        else:
            size = find_size(r, spec, bodies, scope)
        if isinstance(size, Num) and (isinstance(size.value, str) or size.value < 0 or size.value.denominator != 1):
            raise Clash(f"index `{spec.name}` has no sensible range", spec.span, f"of length {size.value}")
        index = fresh_index(size)
        if ends is not None:
            conditions += [compare("<=", ends[0], index), compare("<=", index, ends[1])]
        indices.append(index)
        if spec.name in scope.names:
            raise Clash(f"index `{spec.name}` is bound twice", spec.span, "again")
        scope.names[spec.name] = Binding(build.scalar(add(index, lower)), spec.span, "index")
    return indices, scope, conditions


def size_in(r: Reading, scope: Scope, e: tree.Expression) -> Scalar:
    outside, r.scope = r.scope, scope
    try:
        return r.size(e)
    finally:
        r.scope = outside


def furthest(r: Reading, spec: tree.IndexSpec, upper: Scalar) -> Scalar:
    """The length of 0 .. the largest value that the upper end takes."""
    ends = ends_of(upper, r.floors) if upper.free else (upper, upper)
    if ends is None or not is_size(ends[1]):
        raise Clash(f"the range of index `{spec.name}` is not known", spec.span, "hangs on what?",
                    help="an end is made of dims, integers and indices")  # fmt: skip
    return build.normal_size(add(ends[1], ONE))


def find_size(r: Reading, spec: tree.IndexSpec, bodies: Sequence[tree.Expression], scope: Scope) -> Scalar:
    """The length of the axis where the index stands alone; all such places must agree."""
    found: list[tuple[Scalar, tree.Expression]] = []
    stack: list[tuple[tree.Expression, frozenset[str]]] = [(b, frozenset()) for b in bodies]
    while stack:
        e, hidden = stack.pop(0)
        if isinstance(e, tree.Binder):
            hidden = hidden.union(s.name for s in e.specs if isinstance(s, tree.IndexSpec))
        if isinstance(e, tree.Subscript) and spec.name not in hidden:
            for k, item in enumerate(e.items):
                if isinstance(item, tree.Name) and item.name == spec.name:
                    try:
                        shape = r.value(e.operand).shape
                    except Clash:
                        continue
                    if k < len(shape):
                        found.append((shape[k], e))
        stack.extend((p, hidden) for p in parts_of(e))
    if not found:
        raise Clash(
            f"the range of index `{spec.name}` is not known", spec.span, "over what?",
            help=f"say it: `{spec.name}: n` or `{spec.name}: 1..n`",
        )  # fmt: skip
    size, first = found[0]
    for other, place in found[1:]:
        if not build.same_size(size, other):
            raise Clash(
                f"index `{spec.name}` runs over axes of different length: {size_text(size)} and {size_text(other)}",
                place.span, f"length {size_text(other)}", [Witness(first.span, f"length {size_text(size)}")],
            )  # fmt: skip
    return size


OUTSIDE = {"sum": ZERO, "mean": ZERO, "prod": ONE, "max": neg(INF), "min": INF, "logsumexp": neg(INF)}


def is_series(e: tree.Binder) -> bool:
    """Whether a sum runs to infinity."""
    return any(isinstance(s, tree.IndexSpec) and isinstance(s.upper, tree.Name) and s.upper.name == "inf" for s in e.specs)


def reduce_indices(r: Reading, e: tree.Binder) -> Value:
    body = r.one_argument(e)
    indices, scope, conditions = bind_in_part(r, [s for s in e.specs if isinstance(s, tree.IndexSpec)], [body])
    r.inside_where += bool(conditions)
    r.guards.extend(conditions)
    try:
        value = r.in_scope(scope, body)
    finally:
        del r.guards[len(r.guards) - len(conditions) :]
        r.inside_where -= bool(conditions)
    inner = build.hoisted(value.body, indices)
    holds = logic("and", *conditions) if conditions else None
    if holds is not None:
        inner = where(holds, inner, OUTSIDE[e.function])
    if e.function == "sum":
        return Value(value.indices, total(inner, indices))
    if e.function == "mean":
        count = total(where(holds, ONE, ZERO), indices) if holds is not None else mul(*(i.size for i in indices))
        return Value(value.indices, divide(total(inner, indices), count))
    if e.function == "logsumexp":
        flat = Value((*value.indices, *indices), inner)
        return build.reduce("logsumexp", flat, list(range(value.rank, flat.rank)))
    return Value(value.indices, fold(e.function, inner, indices))


def tensor_of(r: Reading, e: tree.Binder) -> Value:
    """tensor[i: n, j: m](body): the array whose entry (i, j) is the body."""
    body = r.one_argument(e)
    indices, scope = bind(r, [s for s in e.specs if isinstance(s, tree.IndexSpec)], [body])
    value = r.in_scope(scope, body)
    return Value((*indices, *value.indices), value.body)
