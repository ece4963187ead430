"""Subscripts: entries, ranges and arrays of labels, A[i, j], x[1:], E[ids]."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from math import prod

from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Compare,
    Dim,
    Entry,
    Index,
    Logic,
    Mul,
    Num,
    Scalar,
    Var,
    add,
    as_coefficient,
    divide,
    fn,
    mul,
    neg,
    num,
    sub,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.reading import Reading
from symgen.tensor.scope import Clash, size_text
from symgen.text import tree


def subscript(r: Reading, e: tree.Subscript) -> Value:
    base = r.number(e.operand)
    items: list[Scalar | tuple[Scalar, Scalar, Scalar] | None] = []
    arrays: list[tuple[int, Value]] = []
    position = 0
    for item in e.items:
        if isinstance(item, tree.Name) and item.name == "None" and r.scope.find("None") is None:
            items.append(None)
            continue
        if position >= base.rank:
            text = r.written(e.operand.span) or "it"
            has = f"has {base.rank} {'axis' if base.rank == 1 else 'axes'}, and {len(e.items)} are picked"
            if base.rank == 0:
                has = "is a scalar: it has no entries"
            raise Clash(f"`{text}` {has}", e.span, "too many", r.witnesses(e.operand))
        size = base.shape[position]
        if isinstance(item, tree.Slice):
            items.append(range_of(r, item, size, e))
        else:
            v = r.number(item)
            labels_fit(r, v.body, size, item, e)
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
    """An index value, counted from the end if it is a negative number; a Clash where it leaves its axis for certain."""
    if (isinstance(value, Num) and isinstance(value.value, str)) or not_integer(value):
        raise Clash("a subscript is an integer", item.span, "not an integer")
    if isinstance(value, Num) and not isinstance(value.value, str) and value.value < 0:
        value = add(size, value)
    name, text = r.written(whole.operand.span), r.written(item.span)
    length = f"`{name}` has length {size_text(size)} there, counted from 0"
    if not value.free and build.is_inside(value, size) is False:
        help = f"the last entry is `{name}[-1]`" if value is size and len(whole.items) == 1 else None
        raise Clash(f"`{text}` is out of range: {length}", item.span, "out of range", r.witnesses(whole.operand), help=help)
    ends = ends_of(value, r.floors)
    if ends is not None and (not r.inside_where or not is_guarded(r, value, size)):
        low, high = ends
        if is_negative(low):
            raise Clash(f"`{text}` begins at {size_text(low)}: {length}", item.span, "out of range", r.witnesses(whole.operand))
        if is_negative(normal_difference(size, high)):
            raise Clash(f"`{text}` runs to {size_text(high)}: {length}", item.span, "out of range", r.witnesses(whole.operand))
    return value


def is_guarded(r: Reading, value: Scalar, size: Scalar) -> bool:
    """Whether the conditions of `where` around an index keep it in its axis at small lengths, as far as they speak of
    indices and lengths alone; what they say of entries is not known here."""
    if None in r.guards:
        return True
    guards = [g for g in r.guards if g is not None]
    involved = walk(value, size, *guards)
    if any(not isinstance(n, _COUNTED) for n in involved):
        return True
    indices = sorted(frozenset().union(*(x.free for x in (value, *guards))), key=lambda i: i.serial)
    dims = [n for n in walk(value, size, *guards, *(i.size for i in indices)) if isinstance(n, Dim)]
    if len(dims) > 3 or len(indices) > 3:
        return True
    for lengths in product(range(1, 5), repeat=len(dims)):
        known: dict[Scalar, int | Fraction] = dict(zip(dims, lengths, strict=True))
        runs = [counted(i.size, known) for i in indices]
        for places in product(*(range(int(n)) for n in runs)):
            here = {**known, **dict(zip(indices, places, strict=True))}
            if all(counted(g, here) for g in guards) and not 0 <= counted(value, here) < counted(size, here):
                return False
    return True


_COUNTED = (Num, Index, Dim, Add, Mul, Compare, Logic)


def counted(e: Scalar, known: Mapping[Scalar, int | Fraction]) -> int | Fraction:
    """The value of what is made of lengths, indices and numbers; of a condition, 1 or 0."""
    if isinstance(e, Num):
        return e.rational if e.rational is not None else 0
    if e in known:
        return known[e]
    parts = [counted(a, known) for a in e.args]
    if isinstance(e, Add):
        return sum(parts)
    if isinstance(e, Mul):
        return prod(parts)
    if isinstance(e, Logic):
        return int(not parts[0] if e.op == "not" else all(parts) if e.op == "and" else any(parts))
    assert isinstance(e, Compare)
    a, b = parts
    return int({"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b}[e.op])


def ends_of(value: Scalar, floors: Mapping[Index, int]) -> tuple[Scalar, Scalar] | None:
    """The least and the largest value of an index that is shifted or multiplied by numbers; None for what is not one."""
    low: Scalar = ZERO
    high: Scalar = ZERO
    for term in value.args if isinstance(value, Add) else (value,):
        factor, base = as_coefficient(term)
        if isinstance(base, Index):
            least = mul(num(factor), num(floors.get(base, 0)))
            most = mul(num(factor), sub(base.size, ONE))
            low, high = (add(low, least), add(high, most)) if factor > 0 else (add(low, most), add(high, least))
        elif base.free or variables_of(base):
            return None
        else:
            low, high = add(low, term), add(high, term)
    return (build.normal_size(low), build.normal_size(high)) if value.free else None


def normal_difference(size: Scalar, high: Scalar) -> Scalar:
    """size - 1 - high: how much room is left."""
    return build.normal_size(sub(sub(size, ONE), high))


def is_negative(s: Scalar) -> bool:
    return isinstance(s, Num) and not isinstance(s.value, str) and s.value < 0


def labels_fit(r: Reading, body: Scalar, size: Scalar, item: tree.Expression, whole: tree.Subscript) -> None:
    """A variable as a subscript is an integer, and one of labels has as many classes as the axis is long."""
    if not isinstance(body, Entry) or not isinstance(body.array, Var):
        return
    v, text = body.array, r.written(item.span)
    if v.domain == "label" and not build.same_size(v.domain_args[0], size):
        raise Clash(
            f"`{text}` is a label of {size_text(v.domain_args[0])} classes, and `{r.written(whole.operand.span)}` "
            f"has length {size_text(size)} there", item.span, "other labels", r.witnesses(item, whole.operand),
        )  # fmt: skip
    if v.domain not in ("label", "integer", "natural", "binary"):
        raise Clash(f"a subscript is an integer, and `{text}` is {v.domain}", item.span, "not an integer",
                    r.witnesses(item), help=f"declare it as `label({size_text(size)})`")  # fmt: skip


def not_integer(value: Scalar) -> bool:
    return isinstance(value, Num) and not isinstance(value.value, str) and value.value.denominator != 1


def range_of(r: Reading, item: tree.Slice, size: Scalar, whole: tree.Subscript) -> tuple[Scalar, Scalar, Scalar]:
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
        raise Clash("this range is empty", item.span, f"of length {length.value}", r.witnesses(whole.operand))
    for value in (lower, sub(upper, ONE) if step.value > 0 else lower):
        if build.is_inside(build.normal_size(value), size) is False:
            name, text = r.written(whole.operand.span), r.written(item.span)
            raise Clash(f"`{text}` leaves the axis: `{name}` has length {size_text(size)} there", item.span, "out of range",
                        r.witnesses(whole.operand))  # fmt: skip
    return lower, length, step
