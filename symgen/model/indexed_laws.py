"""Laws of entries: `dist p(z[0]) = ..` with `dist p(z[t: 1..T] | z[t - 1]) = ..`, and `dist p(x[t: T] | z[t]) = ..`.

A head with indices says the law of one entry; the variable is the whole array, and its law is made of those of the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any

from symgen.derivation.context import Context
from symgen.model.distribution_reader import DistributionReader
from symgen.model.elaboration import Elaboration
from symgen.model.named_values import lower_end
from symgen.model.parameter_domains import NEEDS, check, given
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.forms.terms import with_value
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.joint import full_law
from symgen.probability.laws.law import COMBINATORS, LawError, formula_law, make_law, value_domain
from symgen.probability.means.sequences import law_of_long_memory, law_of_sequence
from symgen.tensor import build
from symgen.tensor.binders import bind
from symgen.tensor.expression import (
    NAN,
    ONE,
    ZERO,
    Array,
    Index,
    Num,
    Scalar,
    add,
    entry,
    fresh_index,
    num,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    var,
)  # fmt: skip
from symgen.tensor.scope import Binding, Clash, Scope, Witness, names_in
from symgen.text import tree

BEFORE = -37  # the number of the variable that stands for the entries before


def is_indexed(s: tree.Statement) -> bool:
    return isinstance(s, tree.Dist) and any(tree.indices_of(v) for v in (*s.head.variables, *s.head.given))


def own_indices(s: tree.Dist) -> tuple[tree.IndexSpec | tree.Expression, ...]:
    return tree.indices_of(s.head.variables[0])


def is_rule(s: tree.Dist) -> bool:
    """Whether a statement says the law of every entry of a range, and not of one alone."""
    return all(isinstance(i, tree.IndexSpec) for i in own_indices(s))


@dataclass(frozen=True)
class Entries:
    """The statements about the entries of one variable: those of first ones, and the rule for the others."""

    first: tuple[tree.Dist, ...]
    rule: tree.Dist

    @property
    def looks_back(self) -> bool:
        return any(v.name.name == self.rule.head.variables[0].name.name for v in self.rule.head.given)


def entries_of(model: Elaboration, s: tree.Dist) -> Entries:
    """The group of a statement. Raises a Clash where it has no rule, or two."""
    name = s.head.variables[0].name.name
    for v in (*s.head.variables, *s.head.given):
        if tree.indices_of(v) and v.domain is not None:
            raise Clash(f"`{name}[..]` says no domain: its law does", v.domain.span, "not here",
                        help=f"declare the whole array in another head: `{name}: ..`")  # fmt: skip
    if len(s.head.variables) != 1 or not own_indices(s):
        raise Clash("a law of entries is of the entries of one variable", s.head.span, "no index",
                    help=f"`dist {s.head.name.name}({name}[t: T] | ..)`")  # fmt: skip
    every = model.statements[s.head.name.name]
    group = [x for x in (every if isinstance(every, list) else [every])
             if isinstance(x, tree.Dist) and is_indexed(x) and x.head.variables[0].name.name == name]  # fmt: skip
    rules = [x for x in group if is_rule(x)]
    if not rules:
        raise Clash(f"`{name}` has a first entry, and no rule for the others", group[0].head.span, "no rule",
                    help=f"`dist {s.head.name.name}({name}[t: 1..T-1] | {name}[t - 1]) = ..`")  # fmt: skip
    if len(rules) > 1:
        raise Clash(f"`{s.head.name.name}` says twice what the entries of `{name}` are drawn from", rules[1].head.span, "again",
                    [Witness(rules[0].head.span, "first here")])  # fmt: skip
    first = [x for x in group if x is not rules[0]]
    return Entries(tuple(sorted(first, key=_written_place)), rules[0])


def _written_place(s: tree.Dist) -> Fraction:
    """The last index of a first entry, where a number is written."""
    at = own_indices(s)[-1]
    return at.value if isinstance(at, tree.Number) else Fraction(0)


ShapeOf = Callable[[str], tuple[Scalar, ...] | None]


def indexed_law(model: Elaboration, s: tree.Dist, scope: Scope, shape: Sequence[Scalar] | None, shape_of: ShapeOf) -> Array:
    """The law of the whole variable, of this shape where that is known; `scope` has the variables that are given, `shape_of` the
    shapes of declared arrays."""
    group = entries_of(model, s)
    if not group.first and not group.looks_back:
        return _copies(model, group.rule, scope, shape, shape_of)
    if len(own_indices(group.rule)) != 2:
        return _sequence(model, group, scope, shape, shape_of)
    one, count = _one_of_many(model, group, shape, shape_of)
    law = _sequence(model, one, scope, None if shape is None else tuple(shape)[1:], shape_of, True)
    return full_law(law, (count, *law.shape))


def _one_of_many(model: Elaboration, group: Entries, shape: Sequence[Scalar] | None, shape_of: ShapeOf) -> tuple[Entries, Scalar]:
    """The statements about one of many chains that all have the same law, `z[n: N, t: 1..T-1] | z[n, t - 1]`, and their number."""
    rule, name = group.rule, group.rule.head.variables[0].name.name
    lead = own_indices(rule)[0]
    assert isinstance(lead, tree.IndexSpec)
    size = lead.size or _size_said(model, rule, 0, shape, shape_of)
    if size is None or lead.lower is not None:
        raise Clash(f"the chains `{name}` say how many they are: `{name}[{lead.name}: N, ..]`", lead.span, "how many?")
    made = [_without_lead(s, name) for s in (*group.first, rule)]
    count = model.reader().scalar(size, "a size")
    known = _size_said(model, made[-1], 1, shape, shape_of) if _open(own_indices(made[-1])[0]) else None
    if known is not None:
        time = own_indices(made[-1])[0]
        assert isinstance(time, tree.IndexSpec)
        (v,) = made[-1].head.variables
        assert isinstance(v, tree.DeclaredEntry)
        head = replace(made[-1].head, variables=(replace(v, indices=(replace(time, size=known),)),))
        made[-1] = replace(made[-1], head=head)
    return Entries(tuple(made[:-1]), made[-1]), count


def _open(i: tree.IndexSpec | tree.Expression) -> bool:
    return isinstance(i, tree.IndexSpec) and i.size is i.lower is i.upper is None


def _without_lead(s: tree.Dist, name: str) -> tree.Dist:
    """A statement about the entries of many chains as one about those of one."""
    lead = own_indices(s)[0]
    word = lead.name if isinstance(lead, (tree.IndexSpec, tree.Name)) else ""

    def dropped(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(dropped(y) for y in x)
        if not isinstance(x, tree.Tree):
            return x
        if isinstance(x, tree.DeclaredEntry) and x.name.name == name:
            return replace(x, indices=dropped(x.indices[1:]))
        if isinstance(x, tree.Subscript) and isinstance(x.operand, tree.Name) and x.operand.name == name:
            if isinstance(x.items[0], tree.Name) and x.items[0].name == word:
                return replace(x, items=dropped(x.items[1:]))
        if isinstance(x, tree.Name) and x.name == word:
            raise Clash(f"the chains `{name}` have one law, and this one hangs on `{word}`", x.span, "not the same for all")
        own = {f.name: getattr(x, f.name) for f in fields(x) if f.name != "span"}
        new = {n: dropped(v) for n, v in own.items()}
        return replace(x, **new) if any(new[n] is not own[n] for n in own) else x

    made: tree.Dist = dropped(s)
    return made


def _copies(model: Elaboration, s: tree.Dist, scope: Scope, shape: Sequence[Scalar] | None, shape_of: ShapeOf) -> Array:
    specs = [i for i in own_indices(s) if isinstance(i, tree.IndexSpec)]
    reader = model.reader(scope)
    for k, spec in enumerate(specs):
        if spec.lower is not None and lower_end(reader, spec) != 0:
            name = s.head.variables[0].name.name
            raise Clash(f"the entries of `{name}` before these have no law", spec.span, "starts later",
                        help=f"entries are counted from 0: `{name}[{spec.name}: T]` are T of them")  # fmt: skip
        if spec.size is None and spec.lower is None and shape is not None and k < len(shape):
            specs[k] = tree.IndexSpec(spec.name, _size_tree(model, shape[k], spec.span), span=spec.span)
        elif shape is None and _open(spec) and all(x.name != spec.name for x in names_in(s.law)):
            said = _size_said(model, s, k, None, shape_of)  # of what is drawn given the entry
            specs[k] = tree.IndexSpec(spec.name, said, span=spec.span)
    indices, inner = bind(reader, specs, [s.law])
    own = None if shape is None else tuple(shape)[len(specs) :]
    if isinstance(s.law, tree.Call) and s.law.function in COMBINATORS and not own:
        return _of_a_made_law(model, s, inner, indices)
    return lifted_law(model, model.reader(inner), s.law, indices, own)


def _of_a_made_law(model: Elaboration, s: tree.Dist, scope: Scope, indices: Sequence[Index]) -> Array:
    """The law of numbers that each have a mixture, or a law cut off: the product of their densities. Each is read at letters
    for its indices."""
    assert isinstance(s.law, tree.Call)
    letters = {i: var(f"i_{k}", (), "label", "placeholder", (i.size,), uid=BEFORE - 10 - k) for k, i in enumerate(indices)}
    at: dict[Scalar, Scalar] = {i: entry(v) for i, v in letters.items()}
    names = {}
    for n, b in scope.names.items():
        if isinstance(b.meaning, build.Value) and b.kind == "index":
            names[n] = replace(b, meaning=build.scalar(substitute(b.meaning.body, at)), kind="variable")
    law = model.reader(Scope(names, scope)).law(s.law, None)
    if law.rank:
        raise Clash("the law of an entry is of one number", s.law.span, "of several")
    name = s.head.variables[0].name.name
    domain = value_domain(law)
    whole = var(name, tuple(i.size for i in indices), domain, "placeholder", uid=3)
    one = var(name, (), domain, "placeholder", uid=BEFORE - 9)
    body = with_value(log_density_at(law, one, Context()), one, lambda *_: entry(whole, *indices))
    for i, v in letters.items():
        body = with_value(body, v, lambda *_, i=i: i)
    return formula_law(whole, tensor((), total(body, indices)), "", s.head.name.name, True)


def _size_tree(model: Elaboration, size: Scalar, span: tree.Span) -> tree.Expression | None:
    """A size by the name that it has in the spec, or as a number."""
    if isinstance(size, Num) and size.rational is not None:
        return tree.Number(size.rational, str(size.rational), span=span)
    name = next((n for n, s in model.out.dims.items() if s is size), None)
    return tree.Name(name, span=span) if name is not None else None


def _with_range(model: Elaboration, group: Entries, shape: Sequence[Scalar] | None, shape_of: ShapeOf) -> tree.IndexSpec:
    """The index of a rule that looks back, with its range 1..T - 1: T is said (`t: T`), that of the declared array, or that of what
    is declared and drawn given the entry, `x[t] | z[t]`."""
    rule = group.rule
    head = own_indices(rule)[0]
    assert isinstance(head, tree.IndexSpec)
    if head.lower is not None or head.upper is not None:
        return head
    size = head.size or _size_said(model, rule, 0, shape, shape_of)
    if size is None:
        return head
    one, begun = tree.Number(Fraction(1), "1", span=head.span), max(len(group.first), 1)
    lower = tree.Number(Fraction(begun), str(begun), span=head.span)
    return replace(head, size=None, lower=lower, upper=tree.Terms(((1, size), (-1, one)), span=head.span))


def _size_said(
    model: Elaboration, rule: tree.Dist, place: int, shape: Sequence[Scalar] | None, shape_of: ShapeOf
) -> tree.Expression | None:
    """The size of an axis of what a rule is of: that of the declared array, or of what is declared and drawn given an entry."""
    name, span = rule.head.variables[0].name.name, rule.head.span
    if shape is not None:
        return _size_tree(model, shape[place], span)
    every = model.statements[rule.head.name.name]
    for s in every if isinstance(every, list) else [every]:
        if not isinstance(s, tree.Dist) or not is_indexed(s) or not own_indices(s) or not is_rule(s):
            continue
        places = {i.name: k for k, i in enumerate(own_indices(s)) if isinstance(i, tree.IndexSpec) and _open(i)}
        found = shape_of(s.head.variables[0].name.name)
        for v in s.head.given:
            at = tree.indices_of(v)[place : place + 1]
            word = at[0].name if at and isinstance(at[0], (tree.IndexSpec, tree.Name)) else None
            if v.name.name == name and found is not None and word in places and places[word] < len(found):
                return _size_tree(model, found[places[word]], span)
    return None


def _sequence(
    model: Elaboration, group: Entries, scope: Scope, shape: Sequence[Scalar] | None, shape_of: ShapeOf, many: bool = False
) -> Array:
    rule, name = group.rule, group.rule.head.variables[0].name.name
    if len(own_indices(rule)) != 1:
        raise Clash(f"the entries of the sequence `{name}` have one index", rule.head.span, "several",
                    help="what an entry holds beyond it has the axes of its law")  # fmt: skip
    reader, back = model.reader(scope), max(len(group.first), 1)
    if [_place(model, x) for x in group.first] != list(range(back)):
        there = group.first[0].head.span if group.first else rule.head.span
        raise Clash(f"a sequence that looks one entry back needs the law of `{name}[0]`, and of no other entry", there,
                    "another entry" if group.first else f"`{name}[0]` has none",
                    help=f"entries are counted from 0: `dist {rule.head.name.name}({name}[0]) = ..`; to look two back, give the"
                    f" laws of `{name}[0]` and `{name}[1]`")  # fmt: skip
    head = _with_range(model, group, shape, shape_of)
    if head.lower is None or head.upper is None or lower_end(reader, head) != back:
        which = "its first entry" if back == 1 else f"its first {back} entries"
        begun = "" if back == 1 else f" and `{name}[{back - 1}]`"
        raise Clash(f"a sequence says its range, after {which}: `{name}[{head.name}: {back}..T-1]`", head.span, "no such range",
                    help=f"with `{name}[0]`{begun} these are T entries, 0..T-1")  # fmt: skip
    entry_shape = None if shape is None else tuple(shape)[1:]
    if back > 1:
        return _further_back(model, group, scope, head, entry_shape, many)
    first = lifted_law(model, reader, group.first[0].law, [], entry_shape)
    (step,), inner = bind(reader, [head], [rule.law])
    domain = value_domain(first)
    whole = var(name, (add(step.size, ONE), *first.shape), domain, "placeholder", uid=BEFORE - 1)
    before = var(name, (step.size, *first.shape), domain, "placeholder", uid=BEFORE)
    inner.names[name] = Binding(build.of_array(whole), rule.head.variables[0].span, "variable")
    law = lifted_law(model, model.reader(inner), rule.law, [step], first.shape)
    further: list[Scalar] = []

    def earlier(t: Scalar, *rest: Scalar) -> Scalar:
        if not isinstance(t, Index):
            further.append(t)
            return NAN
        return entry(before, t, *rest)

    law = replace_arrays(law, {whole: earlier})
    if further:
        raise Clash(f"the law of `{name}[{head.name}]` hangs on other entries of `{name}` than the one before it", rule.law.span,
                    "looks elsewhere",
                    help=f"`{name}[{head.name} - 1]`; to look two back, give the laws of `{name}[0]` and `{name}[1]`")  # fmt: skip
    return law_of_sequence(first, law, before, rule.head.name.name, name)


def _further_back(
    model: Elaboration, group: Entries, scope: Scope, head: tree.IndexSpec, entry_shape: Sequence[Scalar] | None, many: bool
) -> Array:
    """The law of a sequence of which an entry hangs on several before it, and the first ones on those before them."""
    rule, name, back = group.rule, group.rule.head.variables[0].name.name, len(group.first)
    reader, span = model.reader(scope), group.rule.head.variables[0].span
    start = lifted_law(model, reader, group.first[0].law, [], entry_shape)
    (step,), inner = bind(reader, [head], [rule.law])
    length = add(step.size, num(back))
    whole = var(name, (length, *start.shape), value_domain(start), "placeholder", uid=BEFORE - 1)
    bound = Binding(build.of_array(whole), span, "variable")
    inner.names[name] = bound
    law = lifted_law(model, model.reader(inner), rule.law, [step], start.shape)
    firsts = [start]
    for s in group.first[1:]:
        (_, own) = bind(reader, [], [s.law])
        own.names[name] = bound
        firsts.append(lifted_law(model, model.reader(own), s.law, [], start.shape))
    for k, one in enumerate((*firsts, law)):
        wrong: list[Scalar] = []

        def seen(t: Scalar, *rest: Scalar, k: int = k, wrong: list[Scalar] = wrong) -> Scalar:
            since = sub(t, next((i for i in t.free), ZERO)) if k == back else t
            if not any(since is num(j) for j in range(k)):
                wrong.append(t)
            return entry(whole, t, *rest)

        replace_arrays(one, {whole: seen})
        if wrong:
            there = group.first[k] if k < back else rule
            raise Clash(f"the law of an entry of `{name}` hangs on other entries than the {back} before it", there.law.span,
                        "looks elsewhere")  # fmt: skip
    return law_of_long_memory(firsts, law, step, whole, rule.head.name.name, many)


def _place(model: Elaboration, s: tree.Dist) -> int | None:
    """Which entry a statement is about, where that is a number."""
    items = own_indices(s)
    if len(items) != 1 or isinstance(items[0], tree.IndexSpec):
        return None
    at = model.reader().scalar(items[0], "an index")
    return int(at.rational) if isinstance(at, Num) and at.rational is not None else None


def lifted_law(
    model: Elaboration, reader: DistributionReader, e: tree.Expression, indices: Sequence[Index], own: Sequence[Scalar] | None
) -> Array:
    """The law of a family at arguments in which indices are free: that of all entries, which have the shape `own`."""
    if not isinstance(e, tree.Call) or e.function not in FAMILIES or e.log or e.given or e.versus:
        raise Clash("the law of entries is a family of the table at its parameters", e.span, "not one")
    row = FAMILIES[e.function]
    domains, places = given(row, e)
    values = {n: reader.number(place) for n, place in places.items()}
    batch = len(own) - row.own_rank if own is not None else max((v.rank - rank_of(row, n) for n, v in values.items()), default=0)
    arrays: dict[str, Array] = {}
    for n, v in values.items():
        if not set(v.outer) <= set(indices):
            raise Clash("a distribution does not stand under another index", places[n].span)
        between = [fresh_index(ONE) for _ in range(batch - (v.rank - rank_of(row, n)))]
        arrays[n] = tensor((*indices, *between, *v.indices), v.body) if v.outer else v.array()
        if domains.get(n) in NEEDS:
            text = reader.written(places[n].span)
            check(model, build.of_array(arrays[n]), domains[n], n, places[n], row, text)
    sizes = tuple(i.size for i in indices)
    positional = [a for n, a in arrays.items() if any(places[n] is x for x in e.arguments)]
    keywords = {k.name: arrays[row.argument_names.get(k.name, k.name)] for k in e.keywords}
    try:
        law = make_law(row.name, positional, keywords, None if own is None else (*sizes, *own))
    except LawError as error:
        raise reader.law_clash(error, e) from None
    return law if any(v.outer for v in values.values()) or own is not None else full_law(law, (*sizes, *law.shape))


def rank_of(row: Distribution, name: str) -> int:
    """How many axes a parameter has for one draw."""
    if name in row.parameters:
        return len(row.axes_of(name))
    return next((len(a.shapes.get(name, ())) for a in row.alternatives.values() if name in a.arguments), 0)


__all__ = ["entries_of", "indexed_law", "is_indexed", "is_rule"]
