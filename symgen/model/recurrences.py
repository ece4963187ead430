"""`let h[0] = h0` with `let h[t: 1..T] = f(h[t-1])`: sequences that are defined by themselves."""

from __future__ import annotations

from symgen.model.elaboration import Elaboration
from symgen.model.named_values import lower_end
from symgen.tensor import build
from symgen.tensor.binders import bind
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import ONE, Num, add, axis, num, recurrence, tensor, var
from symgen.tensor.scope import Binding, Clash, Scope, Witness, parts_of, shape_text
from symgen.text import tree


def define_recurrence(model: Elaboration, name: str, statements: list[tree.Let]) -> None:
    """let h[0] = h0 and let h[t: 1..T] = f(h[t-1]): the sequence h[0..T]."""
    reader = model.reader()
    bases: dict[int, tuple[Value, tree.Let]] = {}
    step: tree.Let | None = None
    for s in statements:
        assert s.indices is not None
        first = s.indices[0]
        if isinstance(first, tree.IndexSpec):
            if step is not None:
                raise Clash(f"`{name}` is declared twice", s.name.span, "again", [Witness(step.name.span, "first here")])
            step = s
            continue
        at = reader.scalar(first, "an index")
        if not isinstance(at, Num) or isinstance(at.value, str) or at.value.denominator != 1 or at.value < 0:
            raise Clash("a first entry is given at a number, such as `h[0]`", first.span, "not a number")
        if int(at.value) in bases:
            raise Clash(f"`{name}[{at.value}]` is given twice", s.name.span, "again",
                        [Witness(bases[int(at.value)][1].name.span, "first here")])  # fmt: skip
        rest = [i for i in s.indices[1:] if isinstance(i, tree.IndexSpec)]
        indices, scope = bind(reader, rest, [s.value])
        body = reader.in_scope(scope, s.value)
        value = Value((*indices, *body.indices), body.body)
        bases[int(at.value)] = (value, s)
    if step is None:
        raise Clash(f"`{name}[..]` has first entries, but no rule for the others", statements[0].name.span, "no rule",
                    help=f"`let {name}[t: 1..T] = ..`")  # fmt: skip
    assert step.indices is not None
    head = step.indices[0]
    assert isinstance(head, tree.IndexSpec)
    if not bases:
        raise Clash(f"`{name}` is defined by itself, without a first entry", step.name.span, "no first entry",
                    help=f"`let {name}[0] = ..`")  # fmt: skip
    if head.lower is None or head.upper is None:
        raise Clash(f"a recurrence says its range: `{name}[{head.name}: 1..T]`", head.span, "no range")
    if sorted(bases) != list(range(len(bases))):
        gap = next(k for k in range(len(bases)) if k not in bases)
        raise Clash(f"the first entries of `{name}` leave a gap: `{name}[{gap}]` is missing",
                    bases[max(bases)][1].name.span, f"entry {max(bases)}")  # fmt: skip
    low = lower_end(reader, head)
    if low != len(bases):
        raise Clash(f"the rule for `{name}` must start at {len(bases)}, after its first entries", head.span,
                    f"starts at {low if low is not None else 'a symbol'}")  # fmt: skip
    length = build.normal_size(add(reader.scalar(head.upper, "the upper end"), ONE))
    entry_shape = build.broadcast([v for v, _ in bases.values()])[0]
    shape = (length, *(i.size for i in entry_shape))
    own = var(name, shape, "real", "recurrence", uid=1)
    t = axis(0, length)
    scope = Scope({}, model.scope)
    scope.names[name] = Binding(build.of_array(own), step.name.span, "sequence")
    scope.names[head.name] = Binding(build.scalar(t), head.span, "index")
    rest = [i for i in step.indices[1:] if isinstance(i, tree.IndexSpec)]
    check_looks_back(model, name, step, head)
    inner = model.reader(scope)
    inner.floors[t] = len(bases)
    if rest:
        indices, deeper = bind(inner, rest, [step.value])
        body = inner.in_scope(deeper, step.value)
        body = Value((*indices, *body.indices), body.body)
    else:
        body = inner.value(step.value)
    try:
        body = build.broadcast_to(body, shape[1:])
    except ShapeClash:
        raise Clash(f"each entry of `{name}` {shape_text(shape[1:])}, and the rule gives another shape", step.value.span,
                    shape_text(body.shape), [Witness(bases[0][1].name.span, shape_text(bases[0][0].shape))]) from None  # fmt: skip
    whole = tensor((t, *body.indices), body.body)
    first_entries = [build.broadcast_to(bases[k][0], shape[1:]).array() for k in range(len(bases))]
    array = recurrence(own, whole, first_entries)
    model.out.lets[name] = array
    model.bind(name, build.of_array(array))


def check_looks_back(model: Elaboration, name: str, step: tree.Let, head: tree.IndexSpec) -> None:
    stack: list[tree.Expression] = [step.value]
    while stack:
        e = stack.pop()
        if isinstance(e, tree.Subscript) and isinstance(e.operand, tree.Name) and e.operand.name == name:
            scope = Scope({head.name: Binding(build.scalar(num(0)), head.span, "index")}, model.scope)
            at = model.reader(scope).scalar(e.items[0], "an index")
            if not isinstance(at, Num) or isinstance(at.value, str) or at.value >= 0:
                raise Clash(f"the rule for `{name}` must look back", e.span, "not an earlier entry",
                            help=f"`{name}[{head.name} - 1]`")  # fmt: skip
            stack.extend(e.items[1:])
        elif isinstance(e, tree.Name) and e.name == name:
            raise Clash(f"the rule for `{name}` uses all of `{name}`", e.span, "all of it", help=f"`{name}[{head.name} - 1]`")
        else:
            stack.extend(parts_of(e))
