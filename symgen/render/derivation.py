"""A derivation as a page, as a careful textbook writes it: what is given, the steps, the result, what speaks for it."""

from __future__ import annotations

import json as json_format
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from symgen.calculus.gradient import Gradients
from symgen.derivation.derivation import Evidence
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.laws.law import without_copies
from symgen.render import html as html_pages
from symgen.render import markdown as markdown_pages
from symgen.render import pdf as pdf_pages
from symgen.render import terminal as terminal_pages
from symgen.render import tex as tex_pages
from symgen.render.bindings import SAVED, ink_saved, named_parts, raise_with_bindings
from symgen.render.given import given, joined
from symgen.render.language import unparse
from symgen.render.latex import to_latex
from symgen.render.latex_text import names_in
from symgen.render.linear_maps import linear_map_blocks
from symgen.render.measures import TooLong, written_size
from symgen.render.network import NoMatrixForm
from symgen.render.notation import DERIVATIVES
from symgen.render.page import (
    Block,
    Chain,
    Heading,
    Inline,
    Items,
    Maths,
    Mono,
    Page,
    Paragraph,
    Relation,
    Table,
    marked,
)
from symgen.render.records import apart, gradients_of, laws_of
from symgen.render.shapes import Shape
from symgen.render.steps import LONGEST, MANY, step_blocks
from symgen.render.writing import Writer, law_names, shapes_of, size_text, size_tree, step_names
from symgen.tensor.expression import Array, Node, Operator, Recurrence, Var, variables_of, walk
from symgen.text import tree as t
from symgen.text.diagnostics import SpecError, SymgenError
from symgen.text.parse import parse_expression

SCHEMA, VERSION = "symgen.derivation", 1
EXACT = 500  # digits beyond which both sides were the same exact number
MOST_NAMED = 3000  # nodes of a result in which parts are looked for
LONG_RESULT = 150  # nodes of a result that is told in parts
FIELDS = {
    "strategy": "Best response", "value": "Value", "second_order": "Second-order condition", "conditions": "Conditions",
    "strategies": "Strategies", "kind": "Kind", "unique": "Unique", "vector_field": "Vector field",
    "jacobian": "Jacobian", "eigenvalues": "Eigenvalues", "spectral_radius": "Spectral radius", "verdict": "Verdict",
    "step_bound": "Step bound",
    "family": "Family", "parameters": "Parameters", "density": "Density",
}  # fmt: skip


# --- the page ---------------------------------------------------------------------------------------------------------


def page(d: Any) -> Page:
    """The derivation `d` as a page."""
    laws, names, invented = page_names(d)
    writer = Writer({**laws, **names}, _as_written(d, invented))
    roots = [x for x in (d.array, *(s.after for s in d.steps)) if isinstance(x, Node)]
    shapes = {**shapes_of(names, roots), **_declared_shapes(d)}
    for name in laws.values():
        shapes.pop(name, None)
    title: tuple[Inline, ...] = ("Derivation of ", Maths(d.goal)) if d.goal is not None else ("Derivation",)
    out = Page(f"Derivation of {unparse(d.goal)}" if d.goal is not None else "Derivation", [], shapes)
    out.blocks.append(Heading(1, title))
    out.blocks += given(d, writer, laws, _definitions(d, invented))
    steps = step_blocks(d, writer)
    if steps:
        out.blocks.append(Heading(2, ("Derivation",)))
        out.blocks += steps
    out.blocks += _layers(d, writer, invented)
    out.blocks.append(Heading(2, ("Result",)))
    out.blocks += _result(d, writer)
    out.blocks += [Paragraph(_spoken(f"{note[:1].upper()}{note[1:]}."), "note") for note in dict.fromkeys(d.notes)]
    out.blocks.append(Paragraph(evidence_words(d.evidence), "evidence"))
    return out


def _spoken(note: str) -> tuple[Inline, ...]:
    """A note, with the formulas that it speaks of as formulas."""

    def formula(part: Inline) -> Inline:
        try:
            return Maths(parse_expression(part.text)) if isinstance(part, Mono) else part
        except SpecError:
            return part

    return tuple(map(formula, marked(note)))


LAYERS = 3  # values with adjoints, from which on the forward and backward equations of a network stand side by side


def _layers(d: Any, writer: Writer, invented: Mapping[Array, str]) -> list[Block]:
    """The table of the layers of a network: how each value is computed, its adjoint, and the gradients of what is first
    used there."""
    adjoints: dict[Array, tuple[Operator, Array]] = {}
    for step in d.steps:
        if isinstance(step.before, Operator) and step.before.name == "grad" and isinstance(step.after, Array):
            x = step.before.args[1]
            if x not in adjoints or isinstance(x, Var):  # the last word: the gradient within its set
                adjoints[x] = step.before, step.after
    definitions = {array: name for name, array in _definitions(d, invented)}
    inputs = [x for x in adjoints if isinstance(x, Var)]
    rows: list[list[tuple[t.Comparison, ...]]] = []
    try:
        for array, name in definitions.items():
            if array not in adjoints or isinstance(array, Var):
                continue
            below = _below_names(array, definitions)
            used = [x for x in inputs if x in below]
            inputs = [x for x in inputs if x not in below]
            forward = t.Comparison(writer.definition(name, array)[0], ("=",))
            rows.append([(forward,), (_adjoint(*adjoints[array], writer),), tuple(_adjoint(*adjoints[x], writer) for x in used)])
    except (NoMatrixForm, TooLong):
        return []
    if len(rows) < LAYERS:
        return []
    wide = 3 if any(row[2] for row in rows) else 2
    cells = tuple(tuple(_comma(cell) for cell in row[:wide]) for row in rows)
    return [Paragraph(("side by side,",)), Table(("Forward", "Backward", "Gradients")[:wide], cells)]


def _comma(cell: Sequence[t.Comparison]) -> tuple[Inline, ...]:
    return tuple(joined([[Maths(x)] for x in cell]))


def _adjoint(asked: Operator, adjoint: Array, writer: Writer) -> t.Comparison:
    """delta = the adjoint; grad(L, h) = the adjoint, where it has no name."""
    others = Writer({a: n for a, n in writer.names.items() if a is not adjoint}, writer.defined)
    left = t.Name(writer.names[adjoint]) if adjoint in writer.names else writer.node(asked)
    return t.Comparison((left, others.array(adjoint)), ("=",))


def _below_names(root: Array, named: Mapping[Array, str]) -> set[Node]:
    """What stands in the definition of `root`, the named values in it left shut."""
    seen: set[Node] = set()
    stack: list[Node] = list(root.args)
    while stack:
        n = stack.pop()
        if n not in seen:
            seen.add(n)
            stack.extend(() if n in named else n.args)
    return seen


def page_names(d: Any) -> tuple[dict[Array, str], dict[Array, str], dict[Array, str]]:
    """The names of laws, and of arrays: the author's, the engines', and those that the page invents; the last by
    themselves."""
    laws = law_names(x for step in d.steps for x in (step.before, step.after) if isinstance(x, Node))
    invented = _invented(d, {**laws, **d.names}) if len(d.steps) <= MANY else {}
    for step in d.steps:  # letters that the engine gave
        if step.rule == "name" and isinstance(step.after, Array) and step.after in d.names:
            invented.setdefault(step.after, d.names[step.after])
    asked = _asked(d)
    if asked in invented and isinstance(d.goal.arguments[0], t.Name):
        named = {asked: d.goal.arguments[0].name}  # under the name that the question has for it
        invented = {a: n for a, n in invented.items() if a is not asked}
    else:
        named = {}
    invented |= _sequences(d, {**laws, **invented, **d.names})
    known = {**invented, **named, **d.names}
    return laws, {**step_names(d.steps, known, d.array), **known}, invented


def _sequences(d: Any, names: Mapping[Array, str]) -> dict[Array, str]:
    """The names by which sequences without one call themselves: what is alpha in its own rule is alpha on the page."""
    roots = [x for s in d.steps for x in (s.before, s.after) if isinstance(x, Node)] if len(d.steps) <= MANY else []
    roots += [d.array] if d.array is not None else _arrays_of(d.record)
    taken = {
        *_declared(d),
        *names.values(),
        *(n.name for r in roots for n in walk(r) if isinstance(n, Var) and n.role != "recurrence"),
    }
    out: dict[Array, str] = {}
    for node in walk(*roots):
        if isinstance(node, Recurrence) and node not in names and node.self_var not in names:
            own = node.self_var.name
            name = next(n for n in (own, *(f"{own}_{k}" for k in range(2, 99))) if n not in taken)
            taken.add(name)
            out[node] = name
    return out


def _arrays_of(record: Any) -> list[Node]:
    """The arrays that the fields of a record hold."""
    found: list[Node] = []
    waiting = [getattr(record, f.name) for f in fields(record)] if is_dataclass(record) else []
    while waiting:
        x = waiting.pop(0)
        if isinstance(x, Array):
            found.append(x)
        elif isinstance(x, Mapping):
            waiting.extend(x.values())
        elif isinstance(x, (list, tuple)):
            waiting.extend(x)
    return found


def _invented(d: Any, names: Mapping[Array, str]) -> dict[Array, str]:
    """Names for what the steps differentiate by, and for what they write more than once."""
    asked = [s.before for s in d.steps if isinstance(s.before, Operator) and s.before.name in DERIVATIVES]
    if len(asked) < 2:
        return {}
    inner = [op.args[1] for op in asked if isinstance(op.args[1], Array) and op.args[1].rank]
    functions = [op.args[0] for op in asked]
    roots = [x for x in (*functions, *(s.after for s in d.steps), d.array) if isinstance(x, Array)]
    if written_size(roots[-1], names)[0] > MOST_NAMED:
        return {}
    others = _declared(d)
    asked_for = [a for a in inner if a not in names]
    found = {a: n for a, n, _ in named_parts(list(dict.fromkeys(roots)), names, asked_for, taken=others)}
    taken = {*others, *names.values(), *found.values(), *(v.name for r in roots for v in variables_of(r))}
    for f in dict.fromkeys(functions):
        letter = next((x for x in "fLJ" if x not in taken), None)
        if functions.count(f) > 1 and f not in names and not isinstance(f, Var) and letter is not None:
            found[f] = letter
            taken.add(letter)
    return found


def _as_written(d: Any, invented: Mapping[Array, str]) -> dict[Array, t.Expression | None]:
    """The invented names; the function that was asked about stands as its author wrote it."""
    out: dict[Array, t.Expression | None] = dict.fromkeys(invented)
    asked = _asked(d)
    if asked in out:
        out[asked] = d.goal.arguments[0]
    return out


def _asked(d: Any) -> Any:
    """The function whose derivative the goal asks for, as the first step that differentiates has it."""
    if not isinstance(d.goal, t.Call) or d.goal.function not in DERIVATIVES or not d.goal.arguments:
        return None
    first = next((s.before for s in d.steps if isinstance(s.before, Operator) and s.before.name in DERIVATIVES), None)
    return None if first is None else first.args[0]


def _declared(d: Any) -> set[str]:
    """The names that the spec has given away."""
    found = getattr(getattr(d, "model", None), "elaborated", None)
    return set() if found is None else {*found.declared, *found.variables, *found.dims, *found.lets}


def _declared_shapes(d: Any) -> dict[str, Shape]:
    model = getattr(d, "model", None)
    declared = getattr(getattr(model, "elaborated", None), "variables", {})
    out: dict[str, Shape] = {}
    for name, entry in declared.items():
        out[name] = tuple(size_tree(s) for s in entry.variable.shape)
    return out


def _definitions(d: Any, invented: Mapping[Array, str]) -> list[tuple[str, Array]]:
    """The named values that the goal, a step or the result speaks of, in the order of the program."""
    own = {a: n for a, n in getattr(d, "author_names", d.names).items() if not isinstance(a, Var)}
    own = {**own, **{a: n for a, n in invented.items() if a not in own}}
    place = {a: k for k, a in enumerate(own)}
    spoken = {n for n, _ in d.definitions} | (names_in(d.goal) if d.goal is not None else set())
    for step in d.steps:
        for node in (step.before, step.after):
            if isinstance(node, Node) and len(d.steps) <= MANY:
                spoken |= {own[a] for a in ([node] if node in own else _named_below(node, own))}
    result = by_name(d)
    if result is not None:
        spoken.add(result)
    waiting, kept = [a for a, n in own.items() if n in spoken], set()
    while waiting:
        a = waiting.pop()
        if a not in kept:
            kept.add(a)
            waiting += _named_below(a, own)
    chosen: dict[str, Array] = {}
    for node in walk(*sorted(kept, key=lambda a: place[a])):
        if node in kept and own[node] not in chosen and (node is not d.array or by_name(d) is not None):
            chosen[own[node]] = node
    named = {**d.names, **invented}
    for node in walk(*([d.array] if d.array is not None else _arrays_of(d.record))):  # the sequences that the result speaks of
        if isinstance(node, Recurrence) and named.get(node, "") not in ("", *chosen) and (node not in own or node in invented):
            chosen[named[node]] = node
    return list(chosen.items())


def _named_below(root: Node, own: Mapping[Array, str]) -> list[Array]:
    """The named arrays met first on the way down from `root`."""
    out: list[Array] = []
    seen: set[Node] = set()
    stack: list[Node] = list(root.args)
    while stack:
        n = stack.pop()
        if n in seen:
            continue
        seen.add(n)
        if n in own:
            out.append(n)
        else:
            stack.extend(n.args)
    return out


def by_name(d: Any) -> str | None:
    """The author's name of the result, where the goal asked for something else that is equal to it."""
    if isinstance(d.array, Var) or d.goal is None:
        return None
    name: str | None = getattr(d, "author_names", {}).get(d.array)
    return None if name is None or unparse(d.goal) == name else name


def _result(d: Any, writer: Writer) -> list[Block]:
    if d.array is not None:
        name = by_name(d)
        if name is not None:
            return [Chain((Relation(t.Name(name), d.goal),))]
        named: list[tuple[str, t.Expression]] = []
        size = written_size(d.array, {a: n for a, n in writer.names.items() if a is not d.array})[0]
        if size > LONG_RESULT or (size > SAVED and ink_saved(d.array, writer.names) >= SAVED):
            right, named = raise_with_bindings(
                d.array, writer.names, taken={*_declared(d), *(names_in(d.goal) if d.goal is not None else ())}
            )
        else:
            right = writer.array(d.array)
        left = d.goal if d.goal is not None else t.Name("result")
        if unparse(left) == unparse(right):
            return [Chain((Relation(right, None, ""),))]
        out: list[Block] = [Chain((Relation(right, left),))]
        if named:
            out += [Paragraph(("with",)), Chain(tuple(Relation(tree, t.Name(name)) for name, tree in named))]
        goal = getattr(d, "_goal_array", None)
        return out + (linear_map_blocks(goal, d.array, writer.names) or linear_map_blocks(goal, d.array, d.author_names))
    return record_blocks(d.record, writer, _declared_names(d))


def _declared_names(d: Any) -> frozenset[str]:
    return getattr(getattr(getattr(d, "model", None), "elaborated", None), "declared", frozenset())


def in_parts(d: Any) -> list[str]:
    """The result as statements of the language: what it repeats as `let`, and the expression."""
    named: list[tuple[str, t.Expression]] = []
    tree = d.tree
    if not any(isinstance(n, Operator | Recurrence) for n in walk(d.array)) and d.array not in d.author_names:
        tree, named = raise_with_bindings(
            d.array, d.author_names, taken={*_declared(d), *(names_in(d.goal) if d.goal is not None else ())}
        )
    return [*(f"let {name} = {unparse(part)}" for name, part in named), unparse(tree)]


def record_blocks(record: Any, writer: Writer, taken: Iterable[str] = ()) -> list[Block]:
    """A record as titled parts: name = value, or text where a part is text. No part of a posterior is called by a name
    that is `taken`."""
    out: list[Block] = []
    if not is_dataclass(record):
        return [Paragraph((str(record),))]
    for f in fields(record):
        if not f.repr or f.name == "evidence":
            continue
        value = getattr(record, f.name)
        if value is None or value == () or value == [] or value == {}:
            continue
        if not isinstance(record, Gradients):
            out.append(Heading(3, (FIELDS.get(f.name, f.name.replace("_", " ").capitalize()),)))
        if f.name == "parameters" and isinstance(value, Mapping) and not any(isinstance(v, Mapping) for v in value.values()):
            new = apart(list(value), [writer.value(v) for v in value.values()], taken)
            value = dict(_of_each(new[k], k, v, getattr(record, "family", "")) for k, v in value.items())
        out += _named_field(f.name, value, record, writer) or _field(value, writer)
        if f.name == "family":
            out += [Chain((Relation(law, head),)) for head, law in laws_of(record, writer)]
    return out


def _of_each(shown: str, name: str, value: Any, family: str) -> tuple[str, Any]:
    """A matrix or vector that all of a batch share as that of each: V[i] = S."""
    row = FAMILIES.get(family)
    own_rank = len(row.axes_of(name)) if row is not None and name in row.parameters else 0
    if not own_rank or not isinstance(value, Array):
        return shown, value
    single = without_copies(value, own_rank)
    lead = value.rank - own_rank
    return (shown, value) if single is value or lead > 3 else (f"{shown}[{', '.join('ijk'[:lead])}]", single)


def _named_field(field: str, value: Any, record: Any, writer: Writer) -> list[Block]:
    """Fields whose parts have customary names: eigenvalues, the field of motion, the spectral radius."""
    lefts: list[t.Expression] = []
    if isinstance(record, Gradients):
        lefts, value = (list(x) for x in zip(*gradients_of(record, writer), strict=True))
    elif field == "eigenvalues":
        lefts = [t.Name(f"lambda_{k + 1}") for k in range(len(value))]
    elif field == "vector_field":
        names = [writer.value(v) for v in getattr(record, "variables", ())]
        if len(names) == len(value):
            lefts = [t.Name(f"{unparse(n)}_dot") for n in names if isinstance(n, t.Name)]
    elif field in ("spectral_radius", "jacobian"):
        lefts, value = [t.Name("rho" if field == "spectral_radius" else "J")], (value,)
    trees = [writer.value(v) for v in value] if lefts and len(lefts) == len(value) else [None]
    if any(x is None for x in trees):
        return []
    return [Chain(tuple(Relation(x, left) for x, left in zip(trees, lefts, strict=True) if x is not None))]


def _field(value: Any, writer: Writer) -> list[Block]:
    if isinstance(value, bool):
        return [Paragraph(("yes" if value else "no",))]
    if isinstance(value, str):
        return [Paragraph((value.replace("_", " "),))]
    if isinstance(value, Mapping) and all(is_data(v) for v in value.values()):
        return [Items(tuple((f"{k} = {_shown(v)}",) for k, v in value.items() if v != {}))]
    if isinstance(value, Mapping):
        lines: list[Relation] = []
        rest: list[Block] = []
        for k, v in value.items():
            tree = writer.value(v)
            name = k if isinstance(k, str) else unparse(writer.node(k)) if isinstance(k, Node) else str(k)
            left = _parsed(name)
            if tree == left:
                rest.append(Paragraph(marked(f"`{name}` may take every value")))
            elif tree is not None:
                lines.append(Relation(tree, left))
            else:
                rest += [Paragraph((name, ": ")), *_field(v, writer)]
        return [*([Chain(tuple(lines))] if lines else []), *rest]
    if isinstance(value, (list, tuple)):
        if all(isinstance(v, str) for v in value):
            return [Items(tuple((str(v),) for v in value))]
        trees = [writer.value(v) for v in value]
        if all(x is not None for x in trees):
            return [Chain(tuple(_statement(x) for x in trees if x is not None))]
        return [b for v in value for b in _field(v, writer)]
    tree = writer.value(value)
    if tree is None:
        return [Paragraph((str(value),))]
    return [Chain((_statement(tree),))]


def is_data(value: Any) -> bool:
    """Whether a field is numbers alone: those of a point."""
    if isinstance(value, Mapping):
        return all(is_data(v) for v in value.values())
    if isinstance(value, (list, tuple)):
        return all(is_data(v) for v in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} = {_shown(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_shown(v) for v in value)}]"
    return f"{value:.6g}"


def _statement(tree: t.Expression) -> Relation:
    if isinstance(tree, t.Comparison) and len(tree.ops) == 1:
        return Relation(tree.operands[1], tree.operands[0], tree.ops[0])
    return Relation(tree, None, "")


def _parsed(text: str) -> t.Expression:
    try:
        return parse_expression(text)
    except SymgenError:
        return t.Name(re.sub(r"\W+", "_", text) or "_")


def evidence_words(e: Evidence) -> tuple[Inline, ...]:
    """What speaks for a result, in words."""
    under = f", under {', '.join(e.conditions)}" if e.conditions else ""
    how = f" ({e.method})" if e.method else ""
    if e.kind == "checked":
        points = f" at {e.points} random point{'s' if e.points != 1 else ''}" if e.points else ""
        digits = "" if e.digits is None else f" to {e.digits} digits" if e.digits < EXACT else ", exactly"
        return marked(f"Checked{points}{digits}{how}{under}.")
    if e.kind in ("proved", "refuted"):
        return marked(f"{e.kind.capitalize()}{how}{under}.")
    if e.kind == "malformed":
        return ("Malformed: it has no meaning.",)
    return marked(f"Not decided{': tried ' + ', '.join(dict.fromkeys(e.tried)) if e.tried else ''}{under}.")


# --- formats ----------------------------------------------------------------------------------------------------------


def latex(d: Any) -> str:
    """The body of the derivation, for a document that loads amsmath, amssymb and bm."""
    return tex_pages.body(page(d))


def latex_document(d: Any) -> str:
    return tex_pages.document(page(d))


def latex_display(d: Any) -> str:
    """The result alone as one display, for a notebook."""
    out = page_of_result(d)
    return tex_pages.display(out)


def page_of_result(d: Any) -> Page:
    writer = Writer(d.names)
    shapes = {**shapes_of(d.names, [d.array] if d.array is not None else []), **_declared_shapes(d)}
    return Page("", _result(d, writer), shapes)


def markdown(d: Any) -> str:
    return markdown_pages.render(page(d))


def html(d: Any) -> str:
    return html_pages.document(page(d))


def text(d: Any, width: int | None = None) -> str:
    return terminal_pages.render(page(d), width)


def pdf(d: Any, path: str | Path) -> None:
    """Compiles the derivation (or a LaTeX document) with the user's pdflatex."""
    pdf_pages.write(d if isinstance(d, str) else latex_document(d), path)


def json(d: Any) -> str:
    """The derivation as data; `schema` and `version` say how to read it."""
    return json_format.dumps(as_data(d), ensure_ascii=False, indent=2)


def as_data(d: Any) -> dict[str, Any]:
    """What the JSON holds."""
    laws, names, invented = page_names(d)
    writer, authors = Writer({**laws, **names}), Writer(getattr(d, "author_names", d.names))
    shapes = {**shapes_of(names, [d.array] if d.array is not None else []), **_declared_shapes(d)}

    def both(tree: t.Expression | None) -> dict[str, str] | None:
        return None if tree is None else {"text": unparse(tree), "latex": to_latex(tree, shapes)}

    def of_node(node: Any, by: Writer = writer) -> dict[str, str] | None:
        if node is None:
            return None
        try:
            tree = by.array(node) if isinstance(node, Array) else by.node(node)
        except (NoMatrixForm, TooLong):
            return None
        return both(tree) if len(unparse(tree)) <= 50 * LONGEST else None

    def of_field(value: Any) -> Any:
        if value is None or isinstance(value, (bool, str, int, float)):
            return value
        if isinstance(value, Mapping):
            return {str(k): of_field(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [of_field(v) for v in value]
        tree = authors.value(value)
        return both(tree) if tree is not None else str(value)

    record = None
    if d.array is None and is_dataclass(d.record):
        record = {
            "kind": type(d.record).__name__,
            "fields": {f.name: of_field(getattr(d.record, f.name)) for f in fields(d.record) if f.repr},
        }
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "model": d.model_name,
        "goal": both(d.goal),
        "assumptions": list(d.assumptions),
        "definitions": [
            {"name": name, **(of_node(array) or {})}
            for name, array in [*d.definitions, *((n, a) for a, n in invented.items())]
        ],
        "result": of_node(d.array, authors),
        "shape": [size_text(s) for s in d.array.shape] if d.array is not None else None,
        "record": record,
        "steps": [
            {
                "rule": s.rule, "where": s.where, "name": names.get(s.after), "before": of_node(s.before),
                "after": of_node(s.after), "reason": s.reason,
                "conditions": list(s.conditions), "source": s.source,
                "evidence": evidence_data(s.evidence) if s.evidence is not None else None,
            }
            for s in d.steps
        ],
        "evidence": evidence_data(d.evidence),
        "notes": list(d.notes),
    }  # fmt: skip


def evidence_data(e: Evidence) -> dict[str, Any]:
    return {
        "kind": e.kind, "conditions": list(e.conditions), "digits": e.digits, "points": e.points, "method": e.method,
        "tried": list(e.tried), "words": terminal_pages.inline(evidence_words(e)),
    }  # fmt: skip
