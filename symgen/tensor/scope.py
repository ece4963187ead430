"""What names stand for, and what is said where an expression has no meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from symgen.tensor.build import Value
from symgen.tensor.expression import EULER, INF, NAN, PI, Add, Dim, Fn, Mul, Num, Pow, Scalar
from symgen.text import tree
from symgen.text.tree import NOWHERE, Span

CONSTANTS: dict[str, Scalar] = {"pi": PI, "e": EULER, "inf": INF, "undefined": NAN}


@dataclass(frozen=True)
class Witness:
    """A place and what it says there."""

    span: Span
    text: str


class Clash(Exception):
    """An expression that has no meaning: what is wrong, where, and the places that make it so."""

    def __init__(
        self,
        message: str,
        span: Span,
        label: str = "",
        witnesses: Sequence[Witness] = (),
        notes: Sequence[str] = (),
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.span, self.label = message, span, label
        self.witnesses, self.notes, self.help = tuple(witnesses), tuple(notes), help


class Poisoned(Exception):
    """The expression uses a name whose own definition has failed; that was reported already."""


@dataclass(frozen=True)
class UserFunction:
    """def f(t) = body, put in place of its calls."""

    name: str
    parameters: tuple[str, ...]
    body: tree.Expression
    span: Span = NOWHERE


@dataclass
class Binding:
    """What a name stands for, and where it was declared."""

    meaning: Value | UserFunction | object
    span: Span = NOWHERE
    kind: str = ""


@dataclass
class Scope:
    """Names in force; inner scopes see the outer ones."""

    names: dict[str, Binding] = field(default_factory=dict)
    parent: Scope | None = None

    def find(self, name: str) -> Binding | None:
        """The binding of `name` in the innermost scope that has one."""
        found = self.names.get(name)
        return found if found is not None or self.parent is None else self.parent.find(name)

    def holds_value(self, name: str) -> bool:
        """Whether `name` is declared and is a number, so that a call of it is one of the built-in function."""
        found = self.names.get(name)
        if found is not None:
            return isinstance(found.meaning, Value)
        return self.parent is not None and self.parent.holds_value(name)

    def all_names(self) -> list[str]:
        outside = self.parent.all_names() if self.parent is not None else []
        return list(dict.fromkeys([*self.names, *outside]))


# --- sizes and shapes as people write them ----------------------------------------------------------------------------


def is_size(s: Scalar) -> bool:
    if isinstance(s, Dim):
        return True
    if isinstance(s, Num):
        return not isinstance(s.value, str) and s.value.denominator == 1
    if isinstance(s, (Add, Mul)):
        return all(is_size(a) for a in s.args)
    if isinstance(s, Pow):
        return is_size(s.base) and isinstance(s.exponent, Num)
    return isinstance(s, Fn) and s.name == "floor"


def size_text(size: Scalar) -> str:
    """A size as people write it: n, 2*d, k + 1."""
    if isinstance(size, Dim):
        return size.name
    if isinstance(size, Num):
        return str(size.value)
    if isinstance(size, Add):
        text = ""
        for t in sorted(size.args, key=lambda t: isinstance(t, Num)):
            piece = size_text(t)
            joined = f" - {piece[1:]}" if piece.startswith("-") else f" + {piece}"
            text = text + joined if text else piece
        return text
    if isinstance(size, Mul):
        parts = [size_text(f) for f in size.args]
        if parts[0] == "-1":
            return "-" + "*".join(parts[1:])
        return "*".join(f"({p})" if " " in p else p for p in parts)
    return str(size)


def shape_text(shape: Sequence[Scalar]) -> str:
    """`is a scalar`, `has length n`, `is n by k`, `has shape [a, b, c]`."""
    if not shape:
        return "is a scalar"
    if len(shape) == 1:
        return f"has length {size_text(shape[0])}"
    if len(shape) == 2:
        return f"is {size_text(shape[0])} by {size_text(shape[1])}"
    return "has shape [" + ", ".join(map(size_text, shape)) + "]"


# --- the tree ---------------------------------------------------------------------------------------------------------


def parts_of(e: tree.Tree) -> list[tree.Expression]:
    """The expressions directly inside an expression."""
    if isinstance(e, tree.Terms):
        return [t for _, t in e.terms]
    if isinstance(e, tree.Factors):
        return [e.first, *(f for _, f in e.rest)]
    if isinstance(e, tree.Power):
        return [e.base, e.exponent]
    if isinstance(e, tree.Transpose | tree.Part):
        return [e.operand]
    if isinstance(e, (tree.Comparison, tree.Logical)):
        return list(e.operands)
    if isinstance(e, tree.Slice):
        return [x for x in (e.lower, e.upper, e.step) if x is not None]
    if isinstance(e, tree.Subscript):
        return [e.operand, *e.items]
    if isinstance(e, tree.Call):
        return [*e.arguments, *(k.value for k in e.keywords), *e.given, *e.versus]
    if isinstance(e, tree.Binder):
        inside: list[tree.Expression] = []
        for s in e.specs:
            if isinstance(s, tree.Draw):
                inside.append(s.law)
            else:
                inside.extend(x for x in (s.size, s.lower, s.upper) if x is not None)
        return [*inside, *e.arguments, *(k.value for k in e.keywords)]
    if isinstance(e, tree.ListOf):
        return list(e.items)
    return []


def mentions(e: tree.Expression, name: str) -> bool:
    return name in free_names(e)


def names_in(e: tree.Expression) -> Iterator[tree.Name]:
    """The names that stand in an expression."""
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, tree.Name):
            yield x
        stack.extend(reversed(parts_of(x)))


def words_of(e: tree.Expression) -> list[str]:
    """The free names in an expression, and those of the functions and distributions that it calls."""
    return list(_words(e, True))


def free_names(e: tree.Expression) -> list[str]:
    """The names in an expression that it does not bind, in order."""
    return list(_words(e, False))


def _words(e: tree.Expression, called: bool) -> dict[str, None]:
    out: dict[str, None] = {}
    stack: list[tuple[tree.Expression, frozenset[str]]] = [(e, frozenset())]
    while stack:
        x, bound = stack.pop()
        if isinstance(x, tree.Name) and x.name not in bound:
            out[x.name] = None
        elif called and isinstance(x, tree.Call):
            out[x.function] = None
        if isinstance(x, tree.Binder):
            bound = bound.union(n for s in x.specs for n in ((s.name,) if isinstance(s, tree.IndexSpec) else s.names))
        stack.extend((p, bound) for p in reversed(parts_of(x)))
    return out
