"""The mean of a sum over many independent entries: term by term, each by a rule over the few entries that stand in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from symgen.calculus.rules import lift
from symgen.probability.grids import numbers_of, rule
from symgen.probability.law import row_of
from symgen.probability.referee import Numeric
from symgen.probability.terms import depends_on_any, opened, split
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
    """Means at one point under laws of independent scalars."""

    def __init__(self, draws: Sequence[tuple[Var, Array]], point: Point, level: int) -> None:
        self.draws, self.point, self.level = draws, point, level
        self.drawn = frozenset(v for v, _ in draws)
        self.is_random = depends_on_any(self.drawn)
        self.numbers = {v: numbers_of(law, point) for v, law in draws}
        self.rows = {v: row_of(law) for v, law in draws}
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
        self.terms += 1
        entries = self.entries(x)
        if self.terms > MOST_TERMS or not 0 < len(entries) <= 2:
            raise TooMany
        rules = []
        for e in entries:
            v = e.array
            row = self.rows[v]
            assert row is not None
            place = tuple(int(i.rational) for i in e.indices if isinstance(i, Num) and i.rational is not None)
            one = Numeric(row, {n: float(a[place]) for n, a in self.numbers[v].items()})
            rules.append(rule(one, len(entries), self.level))
        count = math.prod(len(w) for _, w in rules)
        xs = np.meshgrid(*(r[0] for r in rules), indexing="ij")
        ws = np.meshgrid(*(r[1] for r in rules), indexing="ij")
        index = fresh_index(num(count))
        values: dict[Any, Any] = dict(self.point.values)
        places: dict[Entry, Scalar] = {}
        for k, (e, nodes) in enumerate(zip(entries, xs, strict=True)):
            many = var(f"few{k}", (num(count),), "real", "placeholder", uid=-71 - k)
            values[many] = nodes.reshape(-1)
            places[e] = entry(many, index)
        how = {v: (lambda *at, v=v: places[entry(v, *at)]) for v in self.drawn}
        lifted = tensor([index], lift(x, how))
        with np.errstate(all="ignore"):
            f = np.asarray(evaluate([lifted], Point(self.point.sizes, values, self.point.functions))[0], dtype=np.float64)
        w = np.prod([a.reshape(-1) for a in ws], axis=0)
        return float(np.sum(np.where(w > 0, w * f, 0.0)))

    def entries(self, x: Scalar) -> list[Entry]:
        found: dict[Entry, None] = {}
        seen: set[Node] = set()
        stack: list[Node] = [x]
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            if isinstance(n, Entry) and n.array in self.drawn:
                if any(not isinstance(i, Num) for i in n.indices):
                    raise TooMany
                found[n] = None
            elif isinstance(n, Array) and self.is_random(n):
                raise TooMany
            else:
                stack.extend(n.args)
        return list(found)


def mean_of_terms(body: Scalar, draws: Sequence[tuple[Var, Array]], point: Point, level: int) -> Float | None:
    """E body term by term; None where a law is not of independent scalars, or a term holds many entries."""
    for _, law in draws:
        row = row_of(law)
        if row is None or not row.is_univariate or row.shapes:
            return None
    try:
        return np.asarray(Few(draws, point, level).mean(body))
    except TooMany:
        return None
