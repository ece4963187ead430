"""Random points and sizes at which expressions are compared, and the small ones that a counterexample is shown at.

Everything drawn depends on the generator alone: equal seeds give equal points, whatever was done before.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np

from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import FLOAT, NotEvaluable, Point, evaluate, size_of
from symgen.tensor.expression import (
    Array,
    Compare,
    Dim,
    Expect,
    Fn,
    Index,
    Logic,
    Node,
    Num,
    Operator,
    Scalar,
    Var,
    walk,
)
from symgen.tensor.numeric import FUNCTIONS

__all__ = [
    "RandomFunction", "complete_point", "dims_of", "generator", "holds", "place_of", "random_direction",
    "random_function", "random_point", "random_sizes", "simple_points", "simple_sizes", "sizes_in", "special_points",
    "tangent",
]  # fmt: skip

Generator = np.random.Generator
MAX_ENTRIES = 2_000_000  # of one array


def generator(*texts: object) -> Generator:
    """A generator seeded by texts, so that the same question is asked at the same points in every run."""
    return np.random.default_rng(zlib.crc32("\0".join(map(str, texts)).encode()))


# --- sizes ------------------------------------------------------------------------------------------------------------


def sizes_in(nodes: Iterable[Node], variables: Iterable[Var] = ()) -> list[Scalar]:
    """Every size that occurs: of indices, arrays and variables."""
    out: dict[Scalar, None] = {}
    todo = [*nodes, *variables]
    for node in walk(*todo):
        if isinstance(node, Index):
            out[node.size] = None
        elif isinstance(node, Dim):
            out[node] = None
        elif isinstance(node, Array):
            out.update(dict.fromkeys(node.shape))
            if isinstance(node, Var):
                out.update(dict.fromkeys(node.domain_args))
        indices = getattr(node, "indices", None) if not isinstance(node, Array) else getattr(node, "axes", None)
        if isinstance(indices, tuple):
            out.update((i.size, None) for i in indices if isinstance(i, Index))
    return list(out)


def dims_of(sizes: Iterable[Scalar]) -> list[Dim]:
    """The dims that sizes are made of, by name."""
    found = {n.name: n for s in sizes for n in walk(s) if isinstance(n, Dim)}
    return [found[name] for name in sorted(found)]


def _fits(sizes: Sequence[Scalar], values: Mapping[str, int], least: int) -> bool:
    try:
        return all(size_of(s, values) >= (least if not isinstance(s, Num) else 0) for s in sizes)
    except NotEvaluable:
        return False


def _allowed(assumptions: Sequence[Scalar], values: Mapping[str, int]) -> bool:
    """Whether the assumptions that speak of sizes alone hold."""
    point = Point(dict(values))
    for a in assumptions:
        if not any(isinstance(n, Var) for n in walk(a)) and not holds(a, point):
            return False
    return True


def _told(assumptions: Sequence[Scalar]) -> dict[str, int]:
    """The dims that an assumption gives a number."""
    out: dict[str, int] = {}
    for a in assumptions:
        if isinstance(a, Compare) and a.op == "==":
            for x, y in (a.args, a.args[::-1]):
                if isinstance(x, Dim) and isinstance(y, Num) and y.rational is not None and y.rational.denominator == 1:
                    out[x.name] = int(y.rational)
    return out


def random_sizes(
    sizes: Sequence[Scalar],
    fixed: Mapping[str, int],
    rng: Generator,
    assumptions: Sequence[Scalar] = (),
    largest: int = 5,
) -> dict[str, int] | None:
    """Values of the dims, unequal as far as they go, such that every size is a positive integer; None: not found."""
    fixed = {**_told(assumptions), **fixed}
    dims = [d for d in dims_of(sizes) if d.name not in fixed]
    for attempt in range(400):
        top = max(largest, 2 + len(dims)) + attempt // 20
        pool = np.arange(2, top + 1)
        if len(dims) <= len(pool) and attempt % 4 != 3:
            chosen = rng.permutation(pool)[: len(dims)]
        else:
            chosen = rng.integers(1, top + 1, size=len(dims))
        values = dict(fixed) | {d.name: int(v) for d, v in zip(dims, chosen, strict=True)}
        if _fits(sizes, values, 1) and _allowed(assumptions, values):
            return values
    return next(iter(simple_sizes(sizes, fixed, assumptions, top=12)), None)


def simple_sizes(
    sizes: Sequence[Scalar], fixed: Mapping[str, int], assumptions: Sequence[Scalar] = (), top: int = 4
) -> Iterator[dict[str, int]]:
    """Values of the dims from small to large."""
    fixed = {**_told(assumptions), **fixed}
    dims = [d for d in dims_of(sizes) if d.name not in fixed]
    top = top if len(dims) <= 4 else 2
    if len(dims) > 10:
        return
    for chosen in sorted(product(range(1, top + 1), repeat=len(dims)), key=lambda c: (sum(c), c)):
        values = dict(fixed) | {d.name: v for d, v in zip(dims, chosen, strict=True)}
        if _fits(sizes, values, 1) and _allowed(assumptions, values):
            yield values


# --- points -----------------------------------------------------------------------------------------------------------


def holds(condition: Scalar, point: Point) -> bool:
    """Whether a condition holds at a point, for certain as far as floats go; one that has no value there does not."""
    if isinstance(condition, Logic):
        parts = [holds(a, point) for a in condition.args]
        if condition.op == "not":
            return not parts[0]
        return all(parts) if condition.op == "and" else any(parts)
    if not isinstance(condition, Compare):
        return condition.args == () and isinstance(condition, Num) and condition.rational == 1
    try:
        a, b = evaluate(condition.args, point, FLOAT)
    except NotEvaluable:
        return True
    x, y = float(a), float(b)
    return {"==": x == y, "!=": x != y, "<": x < y, "<=": x <= y}[condition.op]


def _shape(v: Var, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(size_of(s, sizes) for s in v.shape)


def _are_too_large(variables: Iterable[Var], sizes: Mapping[str, int]) -> bool:
    """Whether arrays of fixed sizes are longer than what is compared entry by entry."""
    return any(prod(_shape(v, sizes)) > MAX_ENTRIES for v in variables)


def _arguments(v: Var, sizes: Mapping[str, int]) -> list[int]:
    return [size_of(s, sizes) for s in v.domain_args]


def random_point(
    variables: Iterable[Var],
    sizes: Mapping[str, int],
    rng: Generator,
    scale: int = 0,
    assumptions: Sequence[Scalar] = (),
) -> Point | None:
    """A point of the domains at which the assumptions hold; None where none was found."""
    ordered = sorted(variables, key=lambda v: (v.name, v.uid))
    point = Point(dict(sizes))
    if _are_too_large(ordered, sizes):
        return None
    for attempt in range(300 if assumptions else 1):
        for v in ordered:
            row = DOMAINS.get(v.domain, DOMAINS["real"])
            wide = scale if attempt < 200 else attempt % 3
            point.values[v] = row.sample(rng, _shape(v, sizes), wide, _arguments(v, sizes))
        _distinct(point, ordered)
        if all(holds(a, point) or (_repair(a, point) and holds(a, point)) for a in assumptions) and all(
            holds(a, point) for a in assumptions
        ):
            return point
    return None


def _distinct(point: Point, variables: Sequence[Var]) -> None:
    """Scalars of one value would agree by luck: a real one that repeats is moved by 1/32."""
    seen: set[float] = set()
    for v in variables:
        value = point.values[v]
        row = DOMAINS.get(v.domain, DOMAINS["real"])
        if np.ndim(value) == 0 and not row.integer:
            x = float(value)
            while x in seen and 0 < abs(x) + 0.03125 < (1 if row.high is not None else np.inf):
                x += 0.03125
            seen.add(x)
            point.values[v] = np.asarray(x)


def _repair(condition: Scalar, point: Point) -> bool:
    """Swap or move the scalars of a comparison that fails, a < b or a == b."""
    if not isinstance(condition, Compare):
        return False
    left, right = (getattr(a, "array", None) for a in condition.args)
    if isinstance(left, Var) and isinstance(right, Var) and not left.shape and not right.shape:
        if left.domain == right.domain and condition.op in ("<", "<="):
            point.values[left], point.values[right] = point.values[right], point.values[left]
            return True
        if condition.op == "==":
            point.values[left] = point.values[right]
            return True
        return False
    # against a number: mirrored at it, if the domain has room there
    for v, other, below in ((left, condition.args[1], True), (right, condition.args[0], False)):
        if isinstance(v, Var) and not v.shape:
            try:
                bound = float(evaluate([other], point, FLOAT)[0])
            except NotEvaluable:
                return False
            x = float(point.values[v])
            if condition.op == "==":
                point.values[v] = np.asarray(bound)
                return True
            moved = bound - abs(x) if below else bound + abs(x)
            row = DOMAINS.get(v.domain, DOMAINS["real"])
            moved = float(np.rint(moved)) if row.integer else moved
            if not row.contains(np.asarray(moved), _arguments(v, point.sizes)):
                moved = bound / 2 if below and bound > 0 else moved
            point.values[v] = np.asarray(moved)
            return True
    return False


def simple_points(
    variables: Iterable[Var], sizes: Mapping[str, int], assumptions: Sequence[Scalar] = (), turns: int = 6
) -> Iterator[Point]:
    """Points of small readable numbers, one after the other."""
    ordered = sorted(variables, key=lambda v: (v.name, v.uid))
    if _are_too_large(ordered, sizes):
        return
    for turn in range(turns):
        point = Point(dict(sizes))
        count: dict[str, int] = {}
        for v in ordered:
            row = DOMAINS.get(v.domain, DOMAINS["real"])
            used = count.get(v.domain, 0)
            shape = _shape(v, sizes)
            point.values[v] = row.simple(shape, turn + used, _arguments(v, sizes))
            count[v.domain] = used + max(1, int(np.prod(shape, dtype=int)) if not row.structure else 1)
        if all(holds(a, point) or _repair(a, point) for a in assumptions) and all(holds(a, point) for a in assumptions):
            yield point


_SPECIAL = (1.0, 0.0, 0.5, 2.0, -1.0, 2.0**-20, 2.0**20, 1 - 2.0**-20)


def special_points(variables: Iterable[Var], sizes: Mapping[str, int], assumptions: Sequence[Scalar] = ()) -> Iterator[Point]:
    """Points at which inequalities tend to be tight or to fail: all variables of one value, two values, the edges."""
    ordered = sorted(variables, key=lambda v: (v.name, v.uid))
    shapes = {v: _shape(v, sizes) for v in ordered}
    if _are_too_large(ordered, sizes):
        return

    def constant(v: Var, c: float) -> Any | None:
        row, shape = DOMAINS.get(v.domain, DOMAINS["real"]), shapes[v]
        x = np.full(shape, c)
        if row.name == "simplex" and shape:
            x = np.full(shape, 1 / shape[-1])
        elif row.structure == 2 and shape:
            x = np.broadcast_to(c * np.eye(shape[-1]), shape)
        elif row.name == "onehot" and shape:
            x = np.broadcast_to(np.eye(shape[-1])[0], shape)
        return x if row.contains(x, _arguments(v, sizes)) else None

    def points() -> Iterator[dict[Var, Any]]:
        for c in _SPECIAL:
            found = {v: constant(v, c) for v in ordered}
            backup = {v: next((x for d in _SPECIAL if (x := constant(v, d)) is not None), None) for v in ordered}
            yield {v: x if x is not None else backup[v] for v, x in found.items()}
        if 1 < len(ordered) <= 3:
            for chosen in product(_SPECIAL, repeat=len(ordered)):
                yield {v: constant(v, c) for v, c in zip(ordered, chosen, strict=True)}
        for turn in range(4):  # variables of one shape are equal
            simple: dict[Any, Any] = {}
            for v in ordered:
                key = (v.domain, shapes[v])
                if key not in simple:
                    simple[key] = DOMAINS.get(v.domain, DOMAINS["real"]).simple(shapes[v], turn + len(simple), _arguments(v, sizes))
            yield {v: simple[v.domain, shapes[v]] for v in ordered}

    for values in points():
        point = Point(dict(sizes), values)
        if all(x is not None for x in values.values()) and all(holds(a, point) for a in assumptions):
            yield point


# --- functions that are not known, and noise --------------------------------------------------------------------------

DRAWS = 3  # of each noise variable: an equation that holds for any draws holds for their average


def complete_point(point: Point, nodes: Sequence[Node], rng: Generator) -> None:
    """Give the point random functions for the unknown ones that occur, and draws for the noise of expectations."""
    for n in walk(*nodes):
        if isinstance(n, Operator) and n.name == "apply" and n.attrs[0] not in point.functions:
            arity = 0 if point.alike else len(n.args)
            point.functions[n.attrs[0]] = random_function(rng, _range_word(n.attrs), arity)
        elif isinstance(n, Fn) and n.name not in FUNCTIONS and n.name not in point.functions:
            point.functions[n.name] = random_function(rng, "real", len(n.args))
        elif isinstance(n, Expect):
            for v, law in zip(n.noise, n.laws, strict=True):
                if v not in point.draws:
                    shape = _shape(v, point.sizes)
                    draw = DOMAINS["unit" if str(law).startswith("Uniform") else "real"].sample
                    point.draws[v] = [draw(rng, shape, 0, ()) for _ in range(DRAWS)]


def _range_word(attrs: Sequence[Any]) -> str:
    return next((a for a in attrs[1:] if isinstance(a, str) and a in DOMAINS), "real")


def random_function(rng: Generator, range_word: str, arity: int) -> RandomFunction:
    weights = rng.integers(3, 30, size=(arity, 8)) * rng.choice([-1, 1], size=(arity, 8))
    return RandomFunction(weights, Fraction(int(rng.integers(1, 16)), 16), Fraction(int(rng.integers(4, 12)), 16), range_word)


@dataclass(frozen=True)
class RandomFunction:
    """A smooth function of arrays: a random combination of a linear form and its sine, brought into the range; `raised`
    by something at a few points."""

    weights: np.ndarray
    shift: Fraction
    amplitude: Fraction
    range_word: str
    raised: Mapping[str, Fraction] = field(default_factory=dict)

    def __call__(self, number: Any, *arguments: Any) -> Any:
        total = number.number(self.shift)
        for row, x in zip(self.weights, arguments, strict=False):
            flat = np.asarray(x).reshape(-1)
            for k in range(flat.size):
                total = total + flat[k] * number.number(Fraction(int(row[k % 8]), 16 + k))
        sine = number.function("sin")(np.asarray(total, dtype=object if number.exact else float))
        value = total + number.number(self.amplitude) * sine
        if self.raised:
            value = value + number.number(self.raised.get(place_of(arguments), Fraction(0)))
        value = np.asarray(value, dtype=object if number.exact else float)
        if self.range_word == "unit":
            return number.function("sigmoid")(value)
        if self.range_word in ("positive", "nonnegative"):
            return number.function("exp")(value * number.number(Fraction(1, 2)))
        return value


def place_of(arguments: Sequence[Any]) -> str:
    """A key for the arguments of a function: their nearest floats."""
    flat = [x for a in arguments for x in np.asarray(a).reshape(-1)]
    return repr([float(x.mid()) if hasattr(x, "mid") else float(x) for x in flat])


# --- directions -------------------------------------------------------------------------------------------------------


def tangent(v: Var, value: Any, direction: Any) -> Any:
    """The part of a direction that stays within the domain of `v`, at `value`."""
    project = DOMAINS.get(v.domain, DOMAINS["real"]).project
    return direction if project is None else project(np.asarray(value), np.asarray(direction))


def random_direction(v: Var, value: Any, rng: Generator) -> Any:
    """A random direction of exact numbers within the domain of `v`."""
    free = (rng.integers(8, 64, size=np.shape(value)) * rng.choice([-1, 1], size=np.shape(value))).astype(object)
    exact = np.asarray(np.frompyfunc(lambda k: Fraction(int(k), 32), 1, 1)(free), dtype=object)
    return np.asarray(tangent(v, _fractions(value), exact), dtype=object)


def _fractions(value: Any) -> Any:
    a = np.asarray(value)
    if a.dtype == object:
        return a
    return np.asarray(np.frompyfunc(lambda x: Fraction(float(x)), 1, 1)(a), dtype=object)
