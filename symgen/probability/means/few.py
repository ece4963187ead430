"""The mean of a sum over many independent entries: term by term, each by a rule over the few entries that stand in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from symgen.calculus.rules import lift
from symgen.probability.forms.terms import depends_on_any, factors_of, opened, split
from symgen.probability.laws.law import row_of
from symgen.probability.laws.referee import Numeric
from symgen.probability.means.grids import MOST_NODES, grid_of, numbers_of, rule
from symgen.tensor.evaluate import Point, evaluate, size_of
from symgen.tensor.expression import (
    ONE,
    Add,
    Array,
    Entry,
    Index,
    Node,
    Num,
    Scalar,
    Sum,
    Var,
    entry,
    fresh_index,
    mul,
    num,
    open_sum,
    substitute,
    tensor,
    var,
)  # fmt: skip

MOST_TERMS = 400
Float = np.ndarray


class TooMany(Exception):
    """More terms, or more entries in one, than are looked at."""


class Few:
    """Means at one point under independent laws."""

    def __init__(self, draws: Sequence[tuple[Var, Array]], point: Point, level: int) -> None:
        self.draws, self.point, self.level = draws, point, level
        self.drawn = frozenset(v for v, _ in draws)
        self.is_random = depends_on_any(self.drawn)
        self.laws = dict(draws)
        self.rows = {v: row_of(law) for v, law in draws}
        self.is_of_entries = {v: r is not None and r.is_univariate and not r.shapes for v, r in self.rows.items()}
        self.numbers = {v: numbers_of(law, point) for v, law in draws if self.is_of_entries[v]}
        self.terms = 0

    def mean(self, body: Scalar) -> float:
        """E body. Raises TooMany."""
        return self.visit(opened(body, self.is_random))

    def visit(self, x: Scalar) -> float:
        if not self.is_random(x):
            return float(evaluate([tensor((), x)], self.point)[0])
        if isinstance(x, Add):
            return sum(self.visit(t) for t in x.args)
        coefficient, rest = split(x, self.is_random)
        if coefficient is not ONE:
            return float(evaluate([tensor((), coefficient)], self.point)[0]) * self.visit(rest)
        if isinstance(x, Sum):
            inner, indices = open_sum(x)
            sizes = [size_of(i.size, self.point.sizes) for i in indices]
            total = 0.0
            for at in product(*(range(n) for n in sizes)):
                mapping: dict[Index, Scalar] = dict(zip(indices, (num(k) for k in at), strict=True))
                total += self.visit(substitute(inner, mapping))
            return total
        return self.term(x)

    def term(self, x: Scalar) -> float:
        apart = self.apart(x)
        if len(apart) > 1:  # E f(w) g(t) = E f(w) E g(t) of independent draws
            return math.prod(self.visit(part) for part in apart)
        self.terms += 1
        units = self.units(x)
        if self.terms > MOST_TERMS or not 0 < len(units) <= 2:
            raise TooMany
        rules = [self.rule(u, len(units)) for u in units]
        count = math.prod(len(w) for _, w in rules)
        if not 0 < count <= MOST_NODES:
            raise TooMany
        places = np.indices([len(w) for _, w in rules]).reshape(len(rules), -1)
        index = fresh_index(num(count))
        values: dict[Any, Any] = dict(self.point.values)
        lifted_at: dict[Entry | Var, Var] = {}
        for k, (u, (nodes, _)) in enumerate(zip(units, rules, strict=True)):
            many = var(f"few{k}", (num(count), *(u.shape if isinstance(u, Var) else ())), "real", "placeholder", uid=-71 - k)
            values[many] = nodes[places[k]]
            lifted_at[u] = many

        def at_nodes(v: Var) -> Callable[..., Scalar]:
            def made(*at: Scalar) -> Scalar:
                whole = lifted_at.get(v)
                if whole is not None:
                    return entry(whole, index, *at)
                one = entry(v, *at)
                assert isinstance(one, Entry)
                return entry(lifted_at[one], index)

            return made

        how: dict[Array, Any] = {v: at_nodes(v) for v in self.drawn}
        lifted = tensor([index], lift(x, how))
        with np.errstate(all="ignore"):
            f = np.asarray(evaluate([lifted], Point(self.point.sizes, values, self.point.functions))[0], dtype=np.float64)
        w = math.prod((r[1][places[k]] for k, r in enumerate(rules)), start=np.ones(count))
        return float(np.sum(np.where(w > 0, w * f, 0.0)))

    def rule(self, unit: Entry | Var, share: int) -> tuple[Float, Float]:
        """Nodes and weights of an entry with a law of its own, or of all entries of a variable."""
        if isinstance(unit, Var):
            grid = grid_of(self.laws[unit], unit, self.point, self.level, share)
            if grid is None:
                raise TooMany
            return grid
        v = unit.array
        row = self.rows[v]
        assert row is not None
        place = tuple(int(i.rational) for i in unit.indices if isinstance(i, Num) and i.rational is not None)
        one = Numeric(row, {n: float(a[place]) for n, a in self.numbers[v].items()})
        return rule(one, share, self.level)

    def apart(self, x: Scalar) -> list[Scalar]:
        """The factors of a product, those with a draw in common together."""
        groups: list[tuple[set[Entry | Var], list[Scalar]]] = []
        for f in factors_of(x):
            mine, parts = set(self.units(f)), [f]
            for g in [g for g in groups if not g[0].isdisjoint(mine)]:
                groups.remove(g)
                mine, parts = mine | g[0], [*g[1], *parts]
            groups.append((mine, parts))
        return [mul(*parts) for _, parts in groups]

    def units(self, x: Scalar) -> list[Entry | Var]:
        """What is drawn apart from all else and stands in x: an entry, or a variable whose entries hang together."""
        found: dict[Entry | Var, None] = {}
        seen: set[Node] = set()
        stack: list[Node] = [x]
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            if isinstance(n, Entry) and isinstance(n.array, Var) and n.array in self.drawn:
                if not self.is_of_entries[n.array]:
                    found[n.array] = None
                    stack.extend(n.indices)
                elif any(not isinstance(i, Num) for i in n.indices):
                    raise TooMany
                else:
                    found[n] = None
            elif isinstance(n, Array) and self.is_random(n):
                raise TooMany
            else:
                stack.extend(n.args)
        return list(found)


def mean_of_terms(body: Scalar, draws: Sequence[tuple[Var, Array]], point: Point, level: int) -> Float | None:
    """E body term by term; None where a term holds many entries."""
    try:
        return np.asarray(Few(draws, point, level).mean(body))
    except TooMany:
        return None
