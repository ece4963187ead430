"""How a field moves near a point of rest: what verdicts on flows and on iterations share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symgen.calculus.solving import sign_of
from symgen.calculus.wording import sides
from symgen.games.parameters import Coordinates
from symgen.games.spectrum import Pair, largest, mu
from symgen.tensor.expression import Scalar, compare
from symgen.tensor.sympy_bridge import Closed, NotInSymPy, within

__all__ = ["Verdict", "Motion", "short", "falling_energy", "rows", "value_of", "eigenvalues_of", "radius_of", "relations"]

S = sympy


@dataclass
class Verdict:
    word: str
    conditions: tuple[Any, ...] = ()
    bound: Any = None
    reason: str = ""
    shown: str = "proved"


@dataclass
class Motion:
    """The field near the point `at`; `w` are the coordinates measured from it."""

    c: Coordinates
    at: dict[Any, Any]
    field: list[Any]
    jacobian: Any
    is_linear: bool

    @property
    def centred(self) -> list[Any]:
        """The field in the distance from the equilibrium."""
        return [v.subs({s: s + self.at[s] for s in self.c.symbols}, simultaneous=True) for v in self.field]

    def with_values(self, values: Mapping[Any, Any]) -> Motion:
        """The motion with other constants."""
        at = {s: v.xreplace(values) for s, v in self.at.items()}
        return Motion(self.c, at, [v.xreplace(values) for v in self.field], self.jacobian.xreplace(values), self.is_linear)


def short(e: Any) -> Any:
    if e.is_number and not e.has(S.exp, S.log):
        return e
    simple = within(1.5, S.simplify, e)
    forms = [e] if simple is None else [simple, e]
    factored = within(1.0, S.factor, forms[0])
    return min([*forms, *([factored] if factored is not None else [])], key=S.count_ops)


def falling_energy(m: Motion) -> Verdict | None:
    """|z - z*|^2/2 falls along the flow at every other point: it converges, though not at an exponential rate."""
    change = S.expand(sum(s * v for s, v in zip(m.c.symbols, m.centred, strict=True)))
    if not change.is_polynomial(*m.c.symbols):
        return None
    polynomial = S.Poly(change, *m.c.symbols)
    pure: set[int] = set()
    slow = False
    for powers, coefficient in polynomial.terms():
        if any(p % 2 for p in powers) or sign_of(coefficient) != -1:
            return None
        used = [k for k, p in enumerate(powers) if p]
        if len(used) == 1:
            pure.add(used[0])
            slow = slow or powers[used[0]] > 2
    if pure != set(range(len(m.c.symbols))):
        return None
    return Verdict(
        "sublinear" if slow else "converges",
        reason="the squared distance from the equilibrium falls along the flow" + (", slower than exponentially" if slow else ""),
    )


def rows(c: Coordinates, m: Any) -> tuple[tuple[Scalar, ...], ...]:
    return tuple(tuple(c.node(m[a, b]) for b in range(m.cols)) for a in range(m.rows))


def relations(c: Coordinates, conditions: Sequence[tuple[str, Any]]) -> list[Any]:
    """Conditions (op, value) for `value op 0` as nodes, what is positive on the larger side."""
    out: list[Any] = []
    for op, value in conditions:
        left, relation, right = sides(value, op)
        try:
            if relation == "!=":
                raise NotInSymPy("nodes have no order for it")
            if relation in (">", ">="):
                left, relation, right = right, relation.replace(">", "<"), left
            node: Any = compare(relation, c.node(left), c.node(right))
        except NotInSymPy:
            node = Closed(S.Rel(left, right, relation, evaluate=False), c.table)
        if node not in out:
            out.append(node)
    return out


def value_of(c: Coordinates, e: Any) -> Any:
    if not e.has(S.I):
        known = [sign_of(a.base) for a in e.atoms(S.Pow) if a.exp == S.Rational(1, 2)]
        if all(k in (0, 1) for k in known):
            try:
                return c.node(e)
            except NotInSymPy:
                pass
    return Closed(e, c.table)


def eigenvalues_of(c: Coordinates, pairs: list[Pair] | None, polynomial: Any) -> tuple[Any, ...]:
    if pairs is None:
        return (Closed(polynomial.as_expr(), c.table, mu),)
    return tuple(value_of(c, r) for p in pairs for r in p.roots)


def radius_of(c: Coordinates, moduli: list[Any]) -> Any:
    e = largest(moduli)
    short = within(1.5, S.simplify, e) if not e.has(S.Piecewise) else e
    e = e if short is None or S.count_ops(short) > S.count_ops(e) else short
    try:
        return c.node(e)
    except NotInSymPy:
        return Closed(e, c.table)
