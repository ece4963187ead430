"""`let h[0] = h0` with `let h[t: 1..T] = f(h[t-1])`: sequences that are defined by themselves, or by one another.

Sequences that need one another are the slices of one sequence: h[t] and c[t] of an LSTM stand side by side in its entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgen.model.elaboration import Elaboration
from symgen.model.named_values import lower_end
from symgen.model.order import expressions_in
from symgen.tensor import build
from symgen.tensor.binders import bind
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import (
    ONE,
    Index,
    Num,
    Scalar,
    Var,
    add,
    axis,
    entry,
    fresh_index,
    num,
    recurrence,
    replace_arrays,
    substitute,
    tensor,
    var,
)
from symgen.tensor.scope import Binding, Clash, Scope, Witness, parts_of, shape_text, words_of
from symgen.text import tree


@dataclass
class Rule:
    """One sequence as it was written: its first entries, its step over `head`, how many entries it has."""

    name: str
    bases: dict[int, tuple[Value, tree.Let]]
    step: tree.Let
    head: tree.IndexSpec
    length: Scalar

    @property
    def entry_shape(self) -> tuple[Scalar, ...]:
        return tuple(i.size for i in build.broadcast([v for v, _ in self.bases.values()])[0])

    def first_entries(self) -> list[Value]:
        return [build.broadcast_to(self.bases[k][0], self.entry_shape) for k in range(len(self.bases))]


def rule_of(model: Elaboration, name: str, statements: Sequence[tree.Let]) -> Rule:
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
    return Rule(name, bases, step, head, length)


def read_step(model: Elaboration, rule: Rule, names: Mapping[str, Binding], t: Index) -> Value:
    """The entry at time t, over its own axes; `names` say what the sequences are."""
    scope = Scope({}, model.scope)
    scope.names.update(names)
    scope.names[rule.head.name] = Binding(build.scalar(t), rule.head.span, "index")
    rest = [i for i in (rule.step.indices or ())[1:] if isinstance(i, tree.IndexSpec)]
    inner = model.reader(scope)
    inner.floors[t] = len(rule.bases)
    if rest:
        indices, deeper = bind(inner, rest, [rule.step.value])
        body = inner.in_scope(deeper, rule.step.value)
        body = Value((*indices, *body.indices), body.body)
    else:
        body = inner.value(rule.step.value)
    try:
        return build.broadcast_to(body, rule.entry_shape)
    except ShapeClash:
        first, let = rule.bases[0]
        message = f"each entry of `{rule.name}` {shape_text(rule.entry_shape)}, and the rule gives another shape"
        witness = Witness(let.name.span, shape_text(first.shape))
        raise Clash(message, rule.step.value.span, shape_text(body.shape), [witness]) from None


def define_recurrence(model: Elaboration, name: str, statements: list[tree.Let]) -> None:
    """let h[0] = h0 and let h[t: 1..T] = f(h[t-1]): the sequence h[0..T]."""
    rule = rule_of(model, name, statements)
    own = var(name, (rule.length, *rule.entry_shape), "real", "recurrence", uid=1)
    t = axis(0, rule.length)
    check_looks_back(model, name, rule.step, rule.head)
    body = read_step(model, rule, {name: Binding(build.of_array(own), rule.step.name.span, "sequence")}, t)
    array = recurrence(own, tensor((t, *body.indices), body.body), [v.array() for v in rule.first_entries()])
    model.out.lets[name] = array
    model.bind(name, build.of_array(array))


# --- several at once --------------------------------------------------------------------------------------------------


def coupled_sequences(statements: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The sequences that need one another, each with all of its group; what they need in between, over time (gates), is
    in the group too."""
    needs = {
        name: {w for e in expressions_in(s) for w in words_of(e) if w in statements and w != name}
        for name, s in statements.items() if is_sequence(s) or is_over_time(s)
    }  # fmt: skip
    needs = {name: {w for w in words if w in needs} for name, words in needs.items()}
    out: dict[str, tuple[str, ...]] = {}
    for circle in circles_of(needs):
        group = tuple(n for n in needs if n in circle) if len(circle) > 1 else ()
        if any(is_sequence(statements[n]) for n in group):
            out.update(dict.fromkeys(group, group))
    return out


def circles_of(needs: Mapping[str, set[str]]) -> list[set[str]]:
    """The sets of names that need one another, in time linear in the needs (Kosaraju; Sharir 1981)."""
    finished: list[str] = []
    seen: set[str] = set()
    for root in needs:
        stack = [(root, iter(needs[root]))] if root not in seen else []
        seen.add(root)
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                finished.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(needs[following])))
    needed_by: dict[str, list[str]] = {n: [] for n in needs}
    for name, words in needs.items():
        for w in words:
            needed_by[w].append(name)
    out: list[set[str]] = []
    placed: set[str] = set()
    for root in reversed(finished):
        if root in placed:
            continue
        circle, todo = {root}, [root]
        placed.add(root)
        while todo:
            for n in needed_by[todo.pop()]:
                if n not in placed:
                    placed.add(n)
                    circle.add(n)
                    todo.append(n)
        out.append(circle)
    return out


def is_sequence(s: Any) -> bool:
    return isinstance(s, list) and all(isinstance(x, tree.Let) for x in s)


def is_over_time(s: Any) -> bool:
    """let f[t: 1..T] = ..: a value at every time."""
    return isinstance(s, tree.Let) and isinstance((s.indices or (None,))[0], tree.IndexSpec)


def define_coupled(model: Elaboration, group: Sequence[str]) -> None:
    """The sequences of a group as slices of one: what one needs of another at the same time is put in."""
    rules = {n: rule_of(model, n, [x for x in s if isinstance(x, tree.Let)])
             for n in group if isinstance(s := model.statements[n], list) and is_sequence(s)}  # fmt: skip
    gates = [n for n in group if n not in rules]
    first = next(iter(rules.values()))
    for r in rules.values():
        check_looks_back(model, r.name, r.step, r.head)
        alike = (
            ("entries of one shape", r.entry_shape, first.entry_shape),
            ("as many entries", (r.length,), (first.length,)),
            ("as many first entries", (num(len(r.bases)),), (num(len(first.bases)),)),
        )
        for what, a, b in alike:
            if len(a) != len(b) or not all(build.same_size(x, y) for x, y in zip(a, b, strict=True)):
                raise Clash(f"`{first.name}` and `{r.name}`, which need one another, do not have {what}", r.step.name.span, "",
                            [Witness(first.step.name.span, "needs it, and is needed")])  # fmt: skip
    shape = (first.length, num(len(rules)), *first.entry_shape)
    own = var("_".join(rules), shape, "real", "recurrence", uid=1)
    t = axis(0, first.length)
    names: dict[str, Binding] = {}
    for k, r in enumerate(rules.values()):
        time, *indices = (fresh_index(s) for s in (first.length, *first.entry_shape))
        value = Value((time, *indices), entry(own, time, num(k), *indices))
        names[r.name] = Binding(value, r.step.name.span, "sequence")
    done: dict[str, Value] = {}
    for name in same_time_order(model, group, rules):
        if name in gates:
            value = gate_value(model, name, names, t, own, done, list(rules), len(first.bases))
            names[name] = Binding(value, model.places[name], "sequence")
            continue
        body = read_step(model, rules[name], names, t)
        done[name] = Value(body.indices, at_same_time(body.body, own, t, done, list(rules)))
    step = build.stack([done[name] for name in rules])
    base = [build.stack([r.first_entries()[k] for r in rules.values()]).array() for k in range(len(first.bases))]
    array = recurrence(own, tensor((t, *step.indices), step.body), base)
    for k, r in enumerate(rules.values()):
        time, *indices = (fresh_index(s) for s in (first.length, *first.entry_shape))
        part = tensor((time, *indices), entry(array, time, num(k), *indices))
        model.out.lets[r.name] = part
        model.bind(r.name, build.of_array(part))


def starts_later(model: Elaboration, s: tree.Let) -> bool:
    """Whether a value over time has none at the first times: it stands inside the rules of sequences alone."""
    head = (s.indices or (None,))[0]
    return isinstance(head, tree.IndexSpec) and head.lower is not None and lower_end(model.reader(), head) != 0


def gate_value(
    model: Elaboration, name: str, names: Mapping[str, Binding], t: Index, own: Var, done: Mapping[str, Value], order: list[str],
    first: int,
) -> Value:  # fmt: skip
    """A value over time that the sequences need at the time t alone."""
    s = model.statements[name]
    assert isinstance(s, tree.Let) and s.indices is not None
    head = s.indices[0]
    assert isinstance(head, tree.IndexSpec)
    scope = Scope({**names, head.name: Binding(build.scalar(t), head.span, "index")}, model.scope)
    inner = model.reader(scope)
    low = 0 if head.lower is None else lower_end(inner, head)
    if low is None or low > first:
        raise Clash(f"`{name}` is needed from {first} on", head.span, "starts later")
    inner.floors[t] = first
    rest = [i for i in s.indices[1:] if isinstance(i, tree.IndexSpec)]
    indices, deeper = bind(inner, rest, [s.value])
    body = inner.in_scope(deeper, s.value)
    value = Value((*indices, *body.indices), at_same_time(body.body, own, t, done, order))
    time = fresh_index(t.size)
    return Value((time, *value.indices), substitute(value.body, {t: time}))


def at_same_time(body: Scalar, own: Var, t: Index, done: Mapping[str, Value], order: list[str]) -> Scalar:
    """`body` with what is made at the time t already in place of its entries."""

    def read(time: Scalar, k: Scalar, *rest: Scalar) -> Scalar:
        if time is t and isinstance(k, Num) and k.rational is not None:
            return done[order[int(k.rational)]].at(*rest)
        return entry(own, time, k, *rest)

    return replace_arrays(body, {own: read})  # type: ignore[no-any-return]


def same_time_order(model: Elaboration, group: Sequence[str], rules: Mapping[str, Rule]) -> list[str]:
    """The names of a group, each after those that it needs at the same time. Raises Clash where they go in a circle."""
    needs: dict[str, set[str]] = {}
    for name in group:
        s = model.statements[name]
        step = rules[name].step if name in rules else s
        assert isinstance(step, tree.Let) and step.indices
        head = step.indices[0]
        assert isinstance(head, tree.IndexSpec)
        needs[name] = {n for n in group if n != name and read_now(model, step.value, n, head, n in rules)}
    order: list[str] = []
    while len(order) < len(group):
        free = [n for n in group if n not in order and needs[n] <= set(order)]
        if not free:
            circle = [n for n in group if n not in order]
            raise Clash(" and ".join(f"`{n}`" for n in circle) + " need one another at the same time", model.places[circle[0]],
                        "needs it at once", [Witness(model.places[n], "and it this") for n in circle[1:]])  # fmt: skip
        order.append(free[0])
    return order


def read_now(model: Elaboration, e: tree.Expression, name: str, head: tree.IndexSpec, is_state: bool) -> bool:
    """Whether `name` is read at the time of the step; a sequence may be read earlier, a gate may not."""
    stack: list[tree.Expression] = [e]
    found = False
    while stack:
        x = stack.pop()
        if isinstance(x, tree.Subscript) and isinstance(x.operand, tree.Name) and x.operand.name == name:
            scope = Scope({head.name: Binding(build.scalar(num(0)), head.span, "index")}, model.scope)
            at = model.reader(scope).scalar(x.items[0], "an index")
            back = at.rational if isinstance(at, Num) else None
            if back is None or back > 0 or (back < 0 and not is_state):
                raise Clash(f"`{name}` is read at another time than that of the step, or before it", x.span, "not at this time",
                            help=f"`{name}[{head.name}]`" + f" or `{name}[{head.name} - 1]`" * is_state)  # fmt: skip
            found = found or back == 0
            stack.extend(x.items[1:])
        elif isinstance(x, tree.Name) and x.name == name:
            raise Clash(
                f"a rule uses all of `{name}`, which needs the rule", x.span, "all of it", help=f"`{name}[{head.name} - 1]`"
            )
        else:
            stack.extend(parts_of(x))
    return found


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
