"""`dist p(mu, tau) = NormalGamma(..)` as the `dist`s of its factors: one per variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from symgen.probability.families.composites import COMPOSITES, Composite
from symgen.text import tree
from symgen.text.diagnostics import Diagnostic, Label, SpecError
from symgen.text.parse import parse_expression


def with_composites(spec: tree.Spec) -> tree.Spec:
    """The spec with families of several variables taken apart."""
    if not any(composite_of(s) for s in spec.statements):
        return spec
    declared = {s.name.name for s in spec.statements if isinstance(s, tree.Def)}
    out: list[tree.Statement] = []
    for s in spec.statements:
        row = composite_of(s)
        if row is None or row.name in declared:
            out.append(s)
        else:
            assert isinstance(s, tree.Dist) and isinstance(s.law, tree.Call)
            out.extend(factors_of(s, s.law, row, spec))
    return replace(spec, statements=tuple(out))


def composite_of(s: tree.Statement) -> Composite | None:
    if isinstance(s, tree.Dist) and isinstance(s.law, tree.Call) and not s.law.log:
        return COMPOSITES.get(s.law.function)
    return None


def factors_of(s: tree.Dist, law: tree.Call, row: Composite, spec: tree.Spec) -> list[tree.Statement]:
    """One `dist` per factor; the arguments stand in for the parameters, the variables for those of the row."""
    if len(s.head.variables) != len(row.variables):
        raise complaint(
            f"a {row.name} draws {len(row.variables)} variables, and `{s.head.name.name}` has {len(s.head.variables)}",
            s.head.span, spec, f"`dist {s.head.name.name}({', '.join(row.variables)}) = {row.name}(..)`",
        )  # fmt: skip
    arguments = argument_trees(law, row, spec)
    drawn = dict(zip(row.variables, s.head.variables, strict=True))
    places: dict[str, tree.Expression] = {**arguments, **{n: tree.Name(v.name.name) for n, v in drawn.items()}}
    out: list[tree.Statement] = []
    for name, given, text in row.factors:
        head = tree.Head(
            s.head.name, (with_domain(drawn[name], row.domains.get(name)),),
            (*(tree.Declared(drawn[g].name, None, span=drawn[g].span) for g in given), *s.head.given), span=s.head.span,
        )  # fmt: skip
        for n in row.beside_matrices:
            text = beside_matrices(text, n, lead_of(arguments[n], spec))
        made = put_in(parse_expression(text), places, law.span)
        out.append(tree.Dist(head, made, span=s.span))
    return out


def lead_of(argument: tree.Expression, spec: tree.Spec) -> int:
    """How many axes a parameter has that is a number for each copy: those of its declaration."""
    if not isinstance(argument, tree.Name):
        return 0
    items = (d for s in spec.statements if isinstance(s, tree.Declaration) for d in s.items if d.name.name == argument.name)
    return max((len(d.domain.shape or ()) for d in items if d.domain is not None), default=0)


def beside_matrices(text: str, name: str, lead: int) -> str:
    """l T of many matrices T as l[:, None, None] T."""
    return re.sub(rf"\b{name}\b", f"{name}[{', '.join([':'] * lead + ['None', 'None'])}]", text) if lead else text


def argument_trees(law: tree.Call, row: Composite, spec: tree.Spec) -> dict[str, tree.Expression]:
    found = dict(zip(row.parameters, law.arguments, strict=False))
    found.update({k.name: k.value for k in law.keywords})
    listed = ", ".join(f"`{p}`" for p in row.parameters)
    if set(found) != set(row.parameters) or len(law.arguments) + len(law.keywords) != len(row.parameters):
        raise complaint(f"a {row.name} takes {len(row.parameters)} arguments ({listed})", law.span, spec)
    return found


def with_domain(v: tree.Declared, word: str | None) -> tree.Declared:
    """A scalar variable that says no domain gets that of its law; of a matrix the law says it."""
    if v.domain is not None or word != "positive":
        return v
    return replace(v, domain=tree.Domain(word, span=v.span))


def put_in(node: Any, places: Mapping[str, tree.Expression], span: tree.Span) -> Any:
    """The tree with names replaced; its own parts point at the place in the author's text."""
    if isinstance(node, tree.Name) and node.name in places:
        return places[node.name]
    if isinstance(node, tuple):
        return tuple(put_in(x, places, span) for x in node)
    if not isinstance(node, tree.Tree):
        return node
    changed = {f.name: put_in(getattr(node, f.name), places, span) for f in fields(node) if f.name not in ("span", "name_span")}
    if isinstance(node, tree.Call):
        changed["name_span"] = span
    return replace(node, **changed, span=span)


def complaint(message: str, span: tree.Span, spec: tree.Spec, help: str = "") -> SpecError:
    return SpecError([Diagnostic(message, spec.source, (Label(span, culprit=True),), help=help or None)])
