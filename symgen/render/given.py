"""What a derivation starts from: the declarations it speaks of, the named values, the laws with what their parameters are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symgen.probability.families.distributions import FAMILIES
from symgen.probability.families.roles import roles_of
from symgen.probability.laws.law import alternative_of
from symgen.render.language import unparse
from symgen.render.page import Block, Chain, Inline, Maths, Member, Mono, Paragraph, Relation
from symgen.render.steps import MANY
from symgen.render.writing import Writer, heads_of, laws_below
from symgen.tensor.expression import Array, Node, Operator
from symgen.text import tree as t
from symgen.text.diagnostics import SymgenError
from symgen.text.parse import parse_expression

__all__ = ["assumption", "given", "joined"]


def given(d: Any, writer: Writer, laws: Mapping[Array, str], definitions: Sequence[tuple[str, Array]]) -> list[Block]:
    out: list[Block] = []
    assumed = [assumption(text) for text in _assumptions(d, [a for _, a in definitions], laws)]
    if assumed:
        out.append(Paragraph(("Given ", *joined(assumed), ".")))
    if definitions or laws:
        lines = tuple(Relation(right, left) for n, a in definitions for left, right in writer.definition(n, a))
        plain = Writer(d.names)
        heads = heads_of(laws_below(x for step in d.steps for x in (step.before, step.after) if isinstance(x, Node)))
        shown = [(law, head) for law, head in heads.items() if law in laws]
        shown += [(law, t.Name(name)) for law, name in _once(laws) if law not in heads]
        by_entry = _by_entry(d, plain)
        told: dict[tuple[str, str], Relation] = {}
        for law, head in shown:
            name = head.function if isinstance(head, t.Call) else head.name if isinstance(head, t.Name) else ""
            declared = by_entry.get((name, unparse(plain.array(law))))
            for left, right in declared or [(head, _as_written(d, law, head) or plain.array(law))]:
                if left != right:
                    told[unparse(left), unparse(right)] = Relation(right, left, reason=_roles(law))
        lines += tuple(told.values())  # a law over other variables may read the same
        out += [Paragraph(("where" if assumed else "Where",)), Chain(lines)]
    return out


def _by_entry(d: Any, plain: Writer) -> dict[tuple[str, str], list[tuple[t.Expression, t.Expression]]]:
    """The laws that were declared of entries, `p(x[i] | z) = Poisson(z)`, which stand for whole arrays, as they were written:
    by their text, since an operator renames what it draws."""
    model = getattr(d, "model", None)
    out: dict[tuple[str, str], list[tuple[t.Expression, t.Expression]]] = {}
    if model is None:
        return out
    for s in model.spec.statements:
        if not isinstance(s, t.Dist) or not any(t.indices_of(v) for v in (*s.head.variables, *s.head.given)):
            continue
        joint = model.elaborated.joints.get(s.head.name.name)
        drawn = [v.name.name for v in s.head.variables]
        own = [f for f in joint.factors if [v.name for v in f.variables] == drawn] if joint is not None else []
        if len(own) == 1:
            over, given = (tuple(_entry(v) for v in vs) for vs in (s.head.variables, s.head.given))
            key = s.head.name.name, unparse(plain.array(own[0].law))
            out.setdefault(key, []).append((t.Call(s.head.name.name, over, (), given), s.law))
    return out


def _entry(v: t.Declared) -> t.Expression:
    indices = tuple(t.Name(i.name) if isinstance(i, t.IndexSpec) else i for i in t.indices_of(v))
    return t.Subscript(t.Name(v.name.name), indices) if indices else t.Name(v.name.name)


def _as_written(d: Any, law: Array, head: t.Expression) -> t.Expression | None:
    """A law that is made of others, or a density of one's own, as its author wrote it: it has no name but that of the dist."""
    spec = getattr(getattr(d, "model", None), "spec", None)
    name = head.name if isinstance(head, t.Name) else head.function if isinstance(head, t.Call) and not head.given else None
    if spec is None or name is None or not (isinstance(law, Operator) and law.name == "formula"):
        return None
    written = [s.law for s in spec.statements if isinstance(s, t.Dist) and s.head.name.name == name]
    return written[0] if len(written) == 1 else None


def _roles(law: Array) -> tuple[Inline, ...]:
    """What the parameters of a law are, in the order in which they stand: shape, rate."""
    row = FAMILIES.get(law.name) if isinstance(law, Operator) else None
    if row is None:
        return ()
    words = roles_of(row.name, list(row.parameters)) if alternative_of(law) is None else ()  # keywords say what they are
    return (", ".join(words),) if words else ()


def _assumptions(d: Any, shown: Sequence[Array], laws: Iterable[Array]) -> list[str]:
    """The declarations of all that the derivation speaks of, that of the definitions and laws which are shown among it."""
    model = getattr(d, "model", None)
    if model is None:
        return list(d.assumptions)
    steps = [n for s in d.steps for n in (s.before, s.after) if isinstance(n, Node)] if len(d.steps) <= MANY else []
    found = list(dict.fromkeys([*d.assumptions, *model.assumptions_of([*shown, *laws, *steps])]))
    names = list(model.elaborated.variables)
    return sorted(found, key=lambda text: names.index(name) if (name := text.split(":")[0]) in names else len(names))


def _once(laws: Mapping[Array, str]) -> list[tuple[Array, str]]:
    """One law for each name."""
    first: dict[str, Array] = {}
    for law, name in laws.items():
        first.setdefault(name, law)
    return [(law, name) for name, law in first.items()]


def joined(parts: Sequence[Sequence[Inline]]) -> list[Inline]:
    """a, b and c."""
    out: list[Inline] = []
    for k, part in enumerate(parts):
        if k:
            out.append(" and " if k == len(parts) - 1 else ", ")
        out += part
    return out


def assumption(text: str) -> list[Inline]:
    """`X: real[n, d]` and `a > b` as mathematics where they parse, else as they stand."""
    found = re.fullmatch(r"\s*(\w+)\s*:\s*(\w+)\s*(?:\((.*)\))?\s*(?:\[(.*)\])?\s*", text)
    try:
        if found:
            name, word, arguments, shape = found.groups()
            return [Member(name, word, _listed(arguments), _listed(shape))]
        return [Maths(parse_expression(text))]
    except SymgenError:
        return [Mono(text)]


def _listed(text: str | None) -> tuple[t.Expression, ...]:
    whole = parse_expression(f"[{text}]") if text else None
    return whole.items if isinstance(whole, t.ListOf) else ()
