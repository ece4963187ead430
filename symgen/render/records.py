"""Records as texts: each field in the language where it is mathematics, and the laws of a posterior as one writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symgen.algebra.collect import with_numbers_out
from symgen.calculus.gradient import Gradients
from symgen.games.records import as_dict
from symgen.render.language import unparse
from symgen.render.latex_text import names_in
from symgen.render.writing import Writer
from symgen.tensor.expression import Array, Node, operator
from symgen.text import tree as t


def laws_of(record: Any, writer: Writer) -> list[tuple[t.Call, t.Expression]]:
    """p(z | x) and its law, for each of the variables of a posterior that is in families of the table."""
    out = []
    for name, drawn, given, law in getattr(record, "laws", ()):
        head = t.Call(name, tuple(t.Name(v) for v in drawn), given=tuple(t.Name(v) for v in given))
        out.append((head, call_of(law, writer)))
    return out


def gradients_of(record: Gradients, writer: Writer) -> list[tuple[t.Expression, Array]]:
    """grad(f, x) and what it is, for each x."""
    lefts = (writer.node(operator("grad", (record.of, x), x.shape, (None,))) for x in record.variables)
    return list(zip(lefts, (with_numbers_out(g, writer.names) for g in record.by.values()), strict=True))


def call_of(law: Any, writer: Writer) -> t.Expression:
    """A law, or the name of a family with its parameters by name, as a call."""
    if isinstance(law, Array):
        return writer.array(law)
    family, parameters = law
    return t.Call(family, tuple(tree for v in parameters.values() if (tree := writer.value(v)) is not None))


def apart(names: Sequence[str], trees: Iterable[t.Expression | None], taken: Iterable[str]) -> dict[str, str]:
    """What the parameters of a posterior are called: by the letters of the family where these mean nothing else here,
    else each with `_post`."""
    used = {*taken, *(n for tree in trees if tree is not None for n in names_in(tree))}
    ending = ""
    if used.intersection(names):
        ending, k = "_post", 1
        while used.intersection(n + ending for n in names):
            k += 1
            ending = f"_post{k}"
    return {n: n + ending for n in names}


def record_text(record: Any, names: Mapping[Array, str]) -> str:
    """The record in the language: the law of a posterior, its density where it has none; of other records each field on
    a line of its own, `field = value`, what is no mathematics in quotes."""
    writer = Writer(names)
    laws = laws_of(record, writer)
    if len(laws) == 1:
        return unparse(laws[0][1])
    if laws:
        return "\n".join(f"{unparse(head)} = {unparse(law)}" for head, law in laws)
    if hasattr(record, "family") and hasattr(record, "density"):
        return field_text(record.density, writer)
    if isinstance(record, Gradients):
        return "\n".join(f"{unparse(left)} = {field_text(g, writer)}" for left, g in gradients_of(record, writer))
    lines: list[str] = []
    for name, value in as_dict(record).items():
        if isinstance(value, Mapping):
            lines += [f"{name}.{key_text(k, writer)} = {field_text(v, writer)}" for k, v in value.items()]
        elif value is not None and value != ():
            lines.append(f"{name} = {field_text(value, writer)}")
    return "\n".join(lines)


def key_text(key: Any, writer: Writer) -> str:
    return key if isinstance(key, str) else unparse(writer.node(key)) if isinstance(key, Node) else str(key)


def field_text(value: Any, writer: Writer) -> str:
    """A field in the language; a text in quotes, a truth value as 1 or 0 would be misread: yes or no."""
    if isinstance(value, bool):
        return '"yes"' if value else '"no"'
    if isinstance(value, str):
        return f'"{value}"'
    tree = writer.value(value)
    if tree is not None:
        return unparse(tree)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key_text(k, writer)}: {field_text(v, writer)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(field_text(v, writer) for v in value) + "]"
    return str(value)
