"""Index notation: sum[i, j](..), tensor[i: n](..), and the ranges of indices found where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import ONE, ZERO, Index, Num, Scalar, add, divide, fold, fresh_index, mul, sub, total
from symgen.tensor.reading import Reading
from symgen.tensor.scope import Binding, Clash, Scope, Witness, parts_of, size_text
from symgen.text import tree


def bind(r: Reading, specs: Sequence[tree.IndexSpec], bodies: Sequence[tree.Expression]) -> tuple[list[Index], Scope]:
    """Fresh indices for the names of a binder, sizes as said or as found where the name stands alone in a bracket."""
    scope = Scope({}, r.scope)
    indices: list[Index] = []
    for spec in specs:
        lower: Scalar = ZERO
        if spec.size is not None:
            size = r.size(spec.size)
        elif spec.lower is not None and spec.upper is not None:
            lower = r.scalar(spec.lower, "the lower end")
            size = build.normal_size(add(sub(r.scalar(spec.upper, "the upper end"), lower), ONE))
        else:
            size = find_size(r, spec, bodies, scope)
        if isinstance(size, Num) and (isinstance(size.value, str) or size.value < 0 or size.value.denominator != 1):
            raise Clash(f"index `{spec.name}` has no sensible range", spec.span, f"of length {size.value}")
        index = fresh_index(size)
        indices.append(index)
        if spec.name in scope.names:
            raise Clash(f"index `{spec.name}` is bound twice", spec.span, "again")
        scope.names[spec.name] = Binding(build.scalar(add(index, lower)), spec.span, "index")
    return indices, scope


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


def reduce_indices(r: Reading, e: tree.Binder) -> Value:
    body = r.one_argument(e)
    indices, scope = bind(r, [s for s in e.specs if isinstance(s, tree.IndexSpec)], [body])
    value = r.in_scope(scope, body)
    inner = build.hoisted(value.body, indices)
    if e.function in ("sum", "mean"):
        result = total(inner, indices)
        if e.function == "mean":
            result = mul(divide(ONE, mul(*(i.size for i in indices))), result)
    elif e.function == "logsumexp":
        flat = Value((*value.indices, *indices), inner)
        return build.reduce("logsumexp", flat, list(range(value.rank, flat.rank)))
    else:
        result = fold(e.function, inner, indices)
    return Value(value.indices, result)


def tensor_of(r: Reading, e: tree.Binder) -> Value:
    """tensor[i: n, j: m](body): the array whose entry (i, j) is the body."""
    body = r.one_argument(e)
    indices, scope = bind(r, [s for s in e.specs if isinstance(s, tree.IndexSpec)], [body])
    value = r.in_scope(scope, body)
    return Value((*indices, *value.indices), value.body)
