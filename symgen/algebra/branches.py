"""The sides of every breakpoint of a formula: conditions, max, abs, even roots. Points are sought on each of them, and on
those that no random point meets: where a condition `==` holds, where `floor` jumps, where 0^t is 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from symgen.tensor.clock import spent
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import FLOAT, NotEvaluable, Point, evaluate, size_of
from symgen.tensor.expression import Array, Compare, Fn, Num, Pow, Scalar, Var, sub, tensor, variables_of, walk
from symgen.tensor.facts import Facts
from symgen.tensor.sample import dims_of, holds

__all__ = ["Branches"]

MAX_EDGES = 8
EXACT = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 4.0)


class Search(Protocol):
    """What draws the points."""

    nodes: list[Array]
    variables: list[Var]
    facts: Facts
    deadline: float
    rng: np.random.Generator

    def sample(self, attempt: int) -> list[Point] | None: ...


class Branches:
    """The sides of every breakpoint: conditions, max, abs, even roots. Points are sought on each side not yet seen."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.gaps: list[Array] = []
        self.missing: set[tuple[int, int]] = set()
        for gap in _breakpoints(search.nodes):
            free = sorted(gap.free, key=lambda i: i.serial)
            if variables_of(gap) or dims_of([gap]):
                self.gaps.append(tensor(free, gap))
        for k in range(len(self.gaps)):
            self.missing |= {(k, 1), (k, -1)}
        self.tries = 0
        edges = _edges(search.nodes)
        self.edges = [tensor(sorted(g.free, key=lambda i: i.serial), g) for g in edges if variables_of(g)]

    def sides(self, point: Point) -> set[tuple[int, int]]:
        out: set[tuple[int, int]] = set()
        for k, gap in enumerate(self.gaps):
            try:
                (value,) = evaluate([gap], point, FLOAT)
            except NotEvaluable:
                self.missing -= {(k, 1), (k, -1)}
                continue
            if np.any(value > 0):
                out.add((k, 1))
            if np.any(value < 0):
                out.add((k, -1))
        return out

    def saw(self, point: Point) -> None:
        if self.missing:
            self.missing -= self.sides(point)

    def point(self) -> list[Point] | None:
        """A point on a side not yet seen; None where none was found."""
        for _ in range(60):
            self.tries += 1
            if self.tries > 240 or spent() > self.search.deadline:
                return None
            points = self.search.sample(self.tries)
            if points is None:
                continue
            if self.tries % 3 == 0:
                self._stretch(points[0])
            if self.sides(points[0]) & self.missing:
                return points
        return None

    def on_edges(self) -> Iterator[Point]:
        """Points of exact numbers at which an edge is met: one variable is moved there, the others stay as they fell."""
        for edge in self.edges[:MAX_EDGES]:
            found = 0
            for attempt in range(3):
                points = self.search.sample(attempt)
                if points is None:
                    continue
                for v in sorted(variables_of(edge), key=lambda v: (v.name, v.uid)):
                    for value in (self._root(edge, v, points[0]), *EXACT):
                        if found < 2 and value is not None and spent() < self.search.deadline:
                            moved = _with_value(points[0], v, value)
                            if moved is not None and self._meets(edge, moved):
                                found += 1
                                yield moved

    def _root(self, edge: Array, v: Var, point: Point) -> float | None:
        """Where an edge that is affine in a number is met."""
        at = [_with_value(point, v, x) for x in (0.0, 1.0)]
        if np.ndim(point.values[v]) or DOMAINS[v.domain].structure:
            return None
        try:
            low, high = (float(np.ravel(evaluate([edge], p or point, FLOAT)[0])[0]) for p in at)
        except (NotEvaluable, IndexError):
            return None
        root = low / (low - high) + 0.0 if np.isfinite(low - high) and low != high else np.nan
        return root if np.isfinite(root) else None

    def _meets(self, edge: Array, point: Point) -> bool:
        try:
            (value,) = evaluate([edge], point, FLOAT)
        except NotEvaluable:
            return False
        return bool(np.any(np.asarray(value) == 0)) and all(holds(a, point) for a in self.search.facts.assumptions)

    def _stretch(self, point: Point) -> None:
        """One variable is brought to another order of magnitude."""
        if not self.search.variables:
            return
        v = self.search.variables[int(self.search.rng.integers(0, len(self.search.variables)))]
        row = DOMAINS[v.domain]
        if row.structure or row.integer or row.high is not None:
            return
        factor = float(np.exp2(int(self.search.rng.integers(-8, 9))))
        value = np.asarray(point.values[v]) * factor
        moved = replace(point, values={**point.values, v: value})
        if all(holds(a, moved) for a in self.search.facts.assumptions):
            point.values[v] = value


def _breakpoints(nodes: Sequence[Array]) -> Iterator[Scalar]:
    """The expressions at whose zeros a formula changes."""
    seen: set[Scalar] = set()
    for n in walk(*nodes):
        gap: Scalar | None = None
        if isinstance(n, Compare):
            gap = sub(n.args[0], n.args[1])
        elif isinstance(n, Fn) and n.name in ("max", "min") and len(n.args) == 2:
            gap = sub(n.args[0], n.args[1])
        elif isinstance(n, Fn) and n.name in ("abs", "sign", "relu", "leaky_relu", "elu", "step", "heaviside"):
            gap = n.args[0]
        elif isinstance(n, Fn) and n.name == "clip":
            for bound in n.args[1:]:
                yield sub(n.args[0], bound)
        elif (
            isinstance(n, Pow)
            and isinstance(n.exponent, Num)
            and n.exponent.rational is not None
            and n.exponent.rational.denominator % 2 == 0
            and isinstance(n.base, Pow)
        ):
            gap = n.base.base
        if gap is not None and gap not in seen and not _of_indices(gap):
            seen.add(gap)
            yield gap


def _edges(nodes: Sequence[Array]) -> list[Scalar]:
    """The expressions at whose zeros alone a formula differs from what it is on both sides of them."""
    found: dict[Scalar, None] = {}
    for n in walk(*nodes):
        if isinstance(n, Compare) and n.op in ("==", "!="):
            found[sub(n.args[0], n.args[1])] = None
        elif isinstance(n, Fn) and n.name == "floor":
            found[n.args[0]] = None
        elif isinstance(n, Pow) and isinstance(n.base, Num) and n.base.rational == 0:
            found[n.exponent] = None
    return list(found)


def _with_value(point: Point, v: Var, value: float) -> Point | None:
    """The point with all entries of a variable at one value, if its domain holds it."""
    row = DOMAINS[v.domain]
    x = np.full(np.shape(point.values[v]), value)
    if row.structure or not row.contains(x, [size_of(s, point.sizes) for s in v.domain_args]):
        return None
    return replace(point, values={**point.values, v: x})


def _of_indices(gap: Scalar) -> bool:
    """Conditions on index values alone: both sides occur within one point."""
    return not variables_of(gap)
