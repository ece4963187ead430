"""Sequences as expressions: recurrence[h, t: 1..T](h0, step) holds h[0] = h0 and h[t] = step; backward[h, t: T-1..0](end,
step) runs from its last entry down. So the adjoint of a recurrence can be written, and read back, in one expression."""

from __future__ import annotations

from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Num,
    add,
    axis,
    entry,
    expand_size,
    fresh_index,
    num,
    recurrence,
    sub,
    substitute,
    tensor,
    var,
)  # fmt: skip
from symgen.tensor.reading import Reading
from symgen.tensor.scope import Binding, Clash, Scope, is_size, parts_of, shape_text
from symgen.text import tree

__all__ = ["WORDS", "sequence_of"]

WORDS = ("recurrence", "backward")


def sequence_of(r: Reading, e: tree.Binder) -> Value:
    """The whole sequence, over its times and the axes of an entry."""
    word, back = e.function, e.function == "backward"
    specs = [s for s in e.specs if isinstance(s, tree.IndexSpec)]
    example = "`backward[h, t: T - 1..0](last, step)`" if back else "`recurrence[h, t: 1..T](first, step)`"
    if len(specs) != 2 or specs[0].size or specs[0].lower or specs[1].lower is None or specs[1].upper is None:
        raise Clash(f"`{word}` takes the name of the sequence and the range of its rule", e.span, help=example)
    if len(e.arguments) < 2:
        raise Clash(f"`{word}` takes first entries and a rule", e.span, help=example)
    own_spec, head = specs
    assert head.lower is not None and head.upper is not None
    first = [r.value(a) for a in e.arguments[:-1]]
    low, high = (head.upper, head.lower) if back else (head.lower, head.upper)
    least, most = r.scalar(low, "an end"), r.scalar(high, "an end")
    count = len(first)
    if least is not (ZERO if back else num(count)) or not is_size(most):
        start = "ends at 0" if back else f"starts at {count}, after its first entries"
        raise Clash(f"the rule of this `{word}` {start}", head.span, "not so")
    length = build.normal_size(add(most, num(count + 1) if back else ONE))
    try:
        shape = tuple(i.size for i in build.broadcast(first)[0])
    except ShapeClash:
        raise Clash("the first entries differ in their shapes", e.span) from None
    own = var(own_spec.name, (length, *shape), "real", "recurrence", uid=1)
    check_reach(r, e, own_spec.name, head, count, back)
    made_by_rule = fresh_index(build.normal_size(sub(length, num(count))))
    t = made_by_rule if back else add(made_by_rule, num(count))
    scope = Scope({}, r.scope)
    scope.names[own_spec.name] = Binding(build.of_array(own), own_spec.span, "sequence")
    scope.names[head.name] = Binding(build.scalar(t), head.span, "index")
    step = r.in_scope(scope, e.arguments[-1])
    try:
        step = build.broadcast_to(step, shape)
        bases = [build.broadcast_to(v, shape) for v in first]
    except ShapeClash:
        raise Clash(f"each entry {shape_text(shape)}, and the rule gives another shape", e.span, shape_text(step.shape)) from None
    if set(step.outer) - {made_by_rule} or any(v.outer for v in bases):
        raise Clash(f"`{word}` does not stand under an index", e.span)
    time = axis(0, length)
    body = substitute(step.body, {made_by_rule: time if back else sub(time, num(count))})
    made = recurrence(own, tensor((time, *step.indices), body), [v.array() for v in bases], reverse=back)
    indices = build.fresh(made.shape)
    return Value(indices, entry(made, *indices))


def check_reach(r: Reading, e: tree.Binder, name: str, head: tree.IndexSpec, count: int, back: bool) -> None:
    """The rule reads entries that are there: up to `count` steps before (after, for `backward`) the one it makes."""
    stack: list[tree.Expression] = [e.arguments[-1]]
    while stack:
        x = stack.pop()
        if isinstance(x, tree.Subscript) and isinstance(x.operand, tree.Name) and x.operand.name == name:
            t = fresh_index(num(1))
            at = r.in_scope(Scope({head.name: Binding(build.scalar(t), head.span, "index")}, r.scope), x.items[0]).body
            away = expand_size(sub(at, t) if back else sub(t, at))
            steps = away.rational if isinstance(away, Num) else None
            if steps is None or not 0 < steps <= count:
                near = f"{head.name} {'+' if back else '-'} 1"
                raise Clash(f"the rule of `{name}` reads an entry that is not made before", x.span, "which one?",
                            help=f"`{name}[{near}]`")  # fmt: skip
            stack.extend(x.items[1:])
        elif isinstance(x, tree.Name) and x.name == name:
            raise Clash(f"the rule of `{name}` uses all of `{name}`", x.span, "all of it")
        else:
            stack.extend(parts_of(x))
