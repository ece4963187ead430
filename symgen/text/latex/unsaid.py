"""What is drawn where nobody says it: E[y], E[y | x], Var(y), H(X, Y), H(X | Y), I(X; Y) of the one joint that is over these.

A random variable X on paper is the x of a distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from symgen.text import tree as t
from symgen.text.latex.names import Names
from symgen.text.latex.symbols import Law
from symgen.text.tree import Span

__all__ = ["Unsaid"]


class Unsaid(Names):
    """Finds the law of random variables by their names."""

    def over(self, names: Sequence[str]) -> Law | None:
        """The only distribution of the spec that is over all these names."""
        if self.symbols is None or not names:
            return None
        found = [law for law in self.symbols.laws.values() if law.is_density and {*names} <= {*law.variables, *law.given}]
        return found[0] if len(found) == 1 else None

    def as_drawn(self, name: str) -> str | None:
        """The random variable that a letter is: its own name, or x for X."""
        if self.symbols is None or name in self.symbols.laws:
            return None
        return next((n for n in (name, name.lower()) if self.symbols.is_drawn(n) and self.over([n]) is not None), None)

    def law_of(self, drawn: Sequence[str], given: Sequence[str], span: Span) -> t.Expression | None:
        """p, p(y) or p(y | x)."""
        law = self.over([*drawn, *given])
        if law is None or not {*drawn} <= {*law.variables}:
            return None
        if not given and not law.given and {*drawn} == {*law.variables}:
            return t.Name(law.name, span=span)
        order = [n for n in law.variables if n in drawn]
        arguments, behind = (tuple(t.Name(n, span=span) for n in ns) for ns in (order, (*given, *law.given)))
        return t.Call(law.name, arguments, given=behind, span=span, name_span=span)

    def in_small_letters(self, e: t.Expression) -> t.Expression:
        """X as x, where X is nothing else and x is drawn."""
        put: dict[str, str] = {}
        for n in free_names(e):
            small = self.as_drawn(n) if self.symbols is not None and not self.symbols.declares(n) else None
            if small is not None and small != n:
                put[n] = small
                self.state.undeclared.pop(n, None)
        made = _renamed(e, put) if put else e
        assert isinstance(made, t.Expression)
        return made

    def unsaid_draw(self, trees: Sequence[t.Expression], given: Sequence[str], span: Span) -> t.Draw | None:
        """The draw of all that is random in values, and not given."""
        if self.symbols is None:
            return None
        drawn = sorted({n for e in trees for n in free_names(e) if self.symbols.is_drawn(n)} - {*given, *self.outer_draws})
        law = self.law_of(drawn, given, span) if drawn else None
        if law is None:
            return None
        one = self.over([*drawn, *given])
        order = [n for n in one.variables if n in drawn] if one is not None else drawn
        return t.Draw(tuple(order), law, span=span)

    outer_draws: Sequence[str] = ()

    def random_groups(self, start: int, end: int) -> list[list[str]] | None:
        """The random variables in brackets, parted by | or ;; None where something else stands there."""
        groups: list[list[str]] = [[]]
        for token in self.tokens[start:end]:
            if token.is_sign(",") or token.text in ("\\,", "\\;"):
                continue
            if token.is_sign("|", ";", ":") or token.command in ("mid", "vert"):
                groups.append([])
                continue
            name = self.as_drawn(token.text) if token.kind == "letters" and len(token.text) == 1 else None
            if name is None:
                return None
            groups[-1].append(name)
        return groups if all(groups) else None

    def entropy_of(self, groups: list[list[str]], span: Span) -> t.Expression | None:
        """H(X, Y) as entropy(p(x, y)), H(X | Y) as the mean of that of p(x | y)."""
        law = self.law_of(groups[0], groups[1] if len(groups) > 1 else [], span) if len(groups) < 3 else None
        if law is None:
            return None
        inner = t.Call("entropy", (law,), span=span, name_span=span)
        if len(groups) == 1:
            return inner
        outer = self.law_of(groups[1], [], span)
        if outer is None:
            return None
        return t.Binder("E", (t.Draw(tuple(groups[1]), outer, span=span),), (inner,), span=span, name_span=span)

    def information_of(self, groups: list[list[str]], span: Span) -> t.Expression | None:
        """I(X; Y) as mutual_information(p, x, y)."""
        law = self.over([n for g in groups for n in g]) if [len(g) for g in groups] == [1, 1] else None
        if law is None or law.given:
            return None
        names = tuple(t.Name(g[0], span=span) for g in groups)
        return t.Call("mutual_information", (t.Name(law.name, span=span), *names), span=span, name_span=span)


def free_names(e: t.Tree) -> set[str]:
    """The names that stand in a tree, those left out that are drawn in it."""
    if isinstance(e, t.Name):
        return {e.name}
    bound = {n for s in e.specs if isinstance(s, t.Draw) for n in s.names} if isinstance(e, t.Binder) else set()
    out: set[str] = set()
    stack: list[object] = list(vars(e).values())
    while stack:
        x = stack.pop()
        if isinstance(x, t.Tree):
            out |= free_names(x)
        elif isinstance(x, tuple):
            stack.extend(x)
    return out - bound


def _renamed(e: object, put: Mapping[str, str]) -> object:
    if isinstance(e, t.Name):
        return replace(e, name=put.get(e.name, e.name))
    if isinstance(e, tuple):
        return tuple(_renamed(x, put) for x in e)
    if isinstance(e, t.Tree):
        changes: dict[str, Any] = {f.name: _renamed(getattr(e, f.name), put) for f in fields(e) if f.init}
        return replace(e, **changes)
    return e
