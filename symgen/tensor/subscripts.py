"""Subscripts: entries, ranges and arrays of labels, A[i, j], x[1:], E[ids]."""

from __future__ import annotations

from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import ONE, ZERO, Num, Scalar, add, divide, fn, neg, num, sub
from symgen.tensor.reading import Reading
from symgen.tensor.scope import Clash, size_text
from symgen.text import tree


def subscript(r: Reading, e: tree.Subscript) -> Value:
    base = r.value(e.operand)
    items: list[Scalar | tuple[Scalar, Scalar, Scalar] | None] = []
    arrays: list[tuple[int, Value]] = []
    position = 0
    for item in e.items:
        if isinstance(item, tree.Name) and item.name == "None" and r.scope.find("None") is None:
            items.append(None)
            continue
        if position >= base.rank:
            text = r.written(e.operand.span) or "it"
            raise Clash(
                f"`{text}` has {base.rank} {'axis' if base.rank == 1 else 'axes'}, and {len(e.items)} are picked",
                e.span, "too many", r.witnesses(e.operand),
            )  # fmt: skip
        size = base.shape[position]
        if isinstance(item, tree.Slice):
            items.append(range_of(r, item, size))
        else:
            v = r.value(item)
            if v.rank:
                arrays.append((len(items), v))
                items.append(ZERO)
            else:
                items.append(inside(r, v.body, size, item, e))
        position += 1
    try:
        if arrays:
            return gather(r, base, items, arrays)
        return build.pick(base, items)
    except ShapeClash as clash:
        raise r.shape_clash(clash, e.span, e.operand) from None


def gather(
    r: Reading, base: Value, items: list[Scalar | tuple[Scalar, Scalar, Scalar] | None], arrays: list[tuple[int, Value]]
) -> Value:
    """X[ids, j]: arrays of labels as subscripts, broadcast together; their axes stand where the first one stood."""
    indices, bodies = build.broadcast([build.settled(v) for _, v in arrays])
    for (position, _), body in zip(arrays, bodies, strict=True):
        items[position] = body
    picked = build.pick(base, items)
    own = [i for i in picked.indices if i not in indices]
    first = sum(1 for item in items[: arrays[0][0]] if not isinstance(item, Scalar))
    return Value((*own[:first], *indices, *own[first:]), picked.body)


def inside(r: Reading, value: Scalar, size: Scalar, item: tree.Expression, whole: tree.Subscript) -> Scalar:
    if isinstance(value, Num) and not isinstance(value.value, str) and value.value < 0:
        value = add(size, value)
    if build.is_inside(value, size) is False:
        name = r.written(whole.operand.span)
        raise Clash(
            f"`{r.written(item.span)}` is out of range: `{name}` has length {size_text(size)} there, counted from 0",
            item.span, "out of range", r.witnesses(whole.operand),
        )  # fmt: skip
    if (isinstance(value, Num) and isinstance(value.value, str)) or not_integer(value):
        raise Clash("a subscript is an integer", item.span, "not an integer")
    return value


def not_integer(value: Scalar) -> bool:
    return isinstance(value, Num) and not isinstance(value.value, str) and value.value.denominator != 1


def range_of(r: Reading, item: tree.Slice, size: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    def end(e: tree.Expression | None, default: Scalar) -> Scalar:
        if e is None:
            return default
        v = r.scalar(e, "the end of a range")
        return add(size, v) if isinstance(v, Num) and not isinstance(v.value, str) and v.value < 0 else v

    step = r.scalar(item.step, "a step") if item.step is not None else ONE
    if not (isinstance(step, Num) and not isinstance(step.value, str) and step.value.denominator == 1):
        raise Clash("the step of a range is an integer", item.span)
    if step.value == 0:
        raise Clash("the step of a range must not be 0", item.span)
    if step.value < 0:
        lower, upper = end(item.lower, sub(size, ONE)), end(item.upper, num(-1))
        count = fn("floor", divide(sub(sub(lower, upper), add(step, ONE)), neg(step))) if step is not num(-1) else None
        length = sub(lower, upper) if count is None else count
    else:
        lower, upper = end(item.lower, ZERO), end(item.upper, size)
        length = sub(upper, lower)
        if step is not ONE:
            length = fn("floor", divide(add(length, sub(step, ONE)), step))
    length = build.normal_size(length)
    if isinstance(length, Num) and not isinstance(length.value, str) and length.value <= 0:
        raise Clash("this range is empty", item.span, f"of length {length.value}")
    for value in (lower, sub(upper, ONE) if step.value > 0 else lower):
        if build.is_inside(build.normal_size(value), size) is False:
            raise Clash(f"this range leaves the axis, whose length is {size_text(size)}", item.span, "out of range")
    return lower, length, step
