"""Points at which two sides are compared: floats say where to look, balls decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symgen.algebra.branches import Branches
from symgen.algebra.comparison import Comparison, Counterexample, ball_text, two_texts
from symgen.derivation.derivation import Evidence
from symgen.tensor.clock import spent
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import BALL, FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    Array,
    Compare,
    Expect,
    Fn,
    Node,
    Num,
    Operator,
    Pow,
    Scalar,
    Tensor,
    Var,
    Where,
    mul,
    variables_of,
    walk,
)
from symgen.tensor.facts import NO_FACTS, Facts, is_nonnegative
from symgen.tensor.sample import (
    dims_of,
    generator,
    holds,
    random_point,
    random_sizes,
    simple_points,
    simple_sizes,
    sizes_in,
    special_points,
)

__all__ = [
    "LAST_BITS",
    "MOST_BITS",
    "ORDERS",
    "Completion",
    "Judge",
    "Search",
    "Trial",
    "cross",
    "difference",
    "moved",
    "order",
    "strict_order",
]

SECONDS = 6.0  # of one comparison, unless the caller says otherwise
POINTS = 8  # in balls
LOOKS = 40  # in floats
DIGITS = 25  # at which two balls count as agreeing
EQUAL_DIGITS = 150  # at which a strict inequality counts as an equality
FIRST_BITS, LAST_BITS, MOST_BITS = 192, 4096, 16384
SUSPICIOUS = 1e-7  # a relative float difference that is looked at in balls first

Completion = Callable[[Point, Sequence[Node], np.random.Generator], None]


# --- how values are judged: an array of numbers whose sign or size decides -------------------------------------------

# each takes the values of (left, right) at one point, or at two points that differ in `over` alone, and gives
# (residual, scale); the relation fails where a ball of the residual excludes 0 (for an order: is negative)
Judge = Callable[[list[list[Any]]], tuple[Any, Any]]


def difference(values: list[list[Any]]) -> tuple[Any, Any]:
    (a, b) = values[0]
    return a - b, abs(a) + abs(b)


def order(values: list[list[Any]]) -> tuple[Any, Any]:
    (a, b) = values[0]
    return b - a, abs(a) + abs(b)


def strict_order(values: list[list[Any]]) -> tuple[Any, Any]:
    return order(values)


def cross(values: list[list[Any]]) -> tuple[Any, Any]:
    (a, b), (c, d) = values
    cross, product = np.asarray(a * d - c * b), np.asarray(a * b)
    scale = np.asarray(abs(a * d) + abs(c * b))
    return np.stack([cross, product - abs(product)]), np.stack([scale, scale + abs(product)])  # no negative factor


def moved(values: list[list[Any]]) -> tuple[Any, Any]:
    (a, b), (c, d) = values
    return (a - b) - (c - d), abs(a) + abs(b) + abs(c) + abs(d)


ORDERS = (order, strict_order)
_JUMPING = frozenset(("sign", "floor", "mod", "div"))


@dataclass
class Trial:
    """One question at one point (or pair of points)."""

    points: list[Point]
    status: str = ""  # agree, differ, undefined, unclear
    digits: int = 0
    at: tuple[int, ...] = ()
    values: list[Any] = field(default_factory=list)
    equal: bool = False  # where the sides of a strict inequality are equal


_INFINITIES = (INF, mul(MINUS_ONE, INF))


class Search:
    """Points at which the sides are compared; `everywhere`: at jumps, too, which derivatives and densities leave out."""

    def __init__(
        self,
        nodes: Sequence[Array],
        facts: Facts | None,
        deadline: float | None,
        complete: Completion,
        over: Sequence[Var] = (),
        everywhere: bool = False,
    ) -> None:
        self.nodes = list(nodes)
        self.everywhere = everywhere
        self.facts = facts or NO_FACTS
        self.deadline = spent() + SECONDS if deadline is None else deadline
        self.complete = complete
        self.over = list(over)
        bound = {v for n in walk(*nodes) if isinstance(n, Operator) for v in _drawn(n)}
        self.variables = sorted(
            frozenset().union(*(variables_of(n) for n in nodes), frozenset(over)) - bound,
            key=lambda v: (v.name, v.uid),
        )
        for a in self.facts.assumptions:
            self.variables += [v for v in sorted(variables_of(a), key=lambda v: v.name) if v not in self.variables]
        self.sizes = sizes_in([*nodes, *self.facts.assumptions], self.variables)
        self.rng = generator(*(f"{v.name}:{v.domain}" for v in self.variables))
        self.averaged = any(isinstance(n, Expect) for n in walk(*nodes))
        self.has_unknown = any(isinstance(n, Operator) and n.name in ("density", "apply") for n in walk(*nodes))
        self.has_infinite_side = any(isinstance(n, Tensor) and n.body in _INFINITIES for n in nodes)
        self.notes: list[str] = []
        self.undefined = 0

    # --- points -------------------------------------------------------------------------------------------------------

    def sample(self, attempt: int) -> list[Point] | None:
        largest = (3, 4, 5, 4, 7, 2)[attempt % 6]
        scale = (0, 0, 1, 2, 1, 2)[(attempt // 2) % 6]
        sizes = random_sizes(self.sizes, {}, self.rng, self.facts.assumptions, largest)
        if sizes is None:
            return None
        point = random_point(self.variables, sizes, self.rng, scale, self.facts.assumptions)
        return None if point is None else self.completed(point)

    def completed(self, point: Point) -> list[Point] | None:
        self.complete(point, self.nodes, self.rng)
        if not self.over:
            return [point]
        for _ in range(20):
            second = random_point(self.over, point.sizes, self.rng, 0)
            if second is None:
                return None
            values = {**point.values, **second.values}
            moved = replace(point, values=values)
            if _holds_all(self.facts, moved):
                return [point, moved]
        return None

    # --- judging ------------------------------------------------------------------------------------------------------

    def floats(self, judge: Judge, points: Sequence[Point]) -> float | None:
        """The relative size of the worst failure in floats (for an order, minus the margin); None: not defined."""
        values = [evaluate(self.nodes, p, FLOAT) for p in points]
        with np.errstate(all="ignore"):
            residual, scale = judge(values)
            size = np.abs(scale).max(initial=0.0) if np.size(scale) else 0.0
            failure = -np.asarray(residual) if judge in ORDERS else np.abs(residual)
            relative = failure / (size + 1e-300) if size else failure
        if not np.size(relative):
            return None if judge in ORDERS else 0.0
        worst = float(np.max(relative))
        return worst if np.isfinite(worst) else None

    def balls(self, judge: Judge, points: list[Point]) -> Trial:
        """Decide at one point, at more and more bits."""
        bits = FIRST_BITS
        while bits <= LAST_BITS and (bits == FIRST_BITS or spent() < self.deadline):
            trial = self.at_bits(judge, points, bits)
            if trial.status in ("differ", "agree", "undefined") and not (trial.status == "undefined" and bits < 800):
                return trial
            bits *= 2
        return trial

    def at_bits(self, judge: Judge, points: list[Point], bits: int) -> Trial:
        """What balls of so many bits say at one point."""
        trial = Trial(points)
        number = BALL(bits)
        with number.working():
            trial.values = [evaluate(self.nodes, p, number) for p in points]
            residual, scale = judge(trial.values)
            residual, scale = np.asarray(residual, dtype=object), np.asarray(scale, dtype=object)
            self._decide(trial, judge, residual, scale)
        return trial

    def _decide(self, trial: Trial, judge: Judge, residual: Any, scale: Any) -> None:
        largest = max((float(s.abs_upper()) for s in scale.reshape(-1) if s.is_finite()), default=0.0)
        trial.status, trial.digits = "agree", 999
        worst = 0.0
        for at in np.ndindex(*residual.shape):
            r = residual[at]
            if not r.is_finite():
                if self.has_infinite_side and not r.is_nan() and (r > 0 or r < 0):  # inf against a number
                    if judge in ORDERS and r > 0:
                        continue
                    trial.status, trial.at = "differ", at
                    return
                trial.status, trial.at = "undefined", at
                return
            excluded = bool(r < 0) if judge in ORDERS else not r.contains(0)
            if judge is strict_order and not excluded and r.contains(0):
                excluded = trial.equal = _digits(r, largest) >= EQUAL_DIGITS
                if not excluded and trial.status != "differ":
                    trial.status = "unclear"
                    continue
            if excluded:
                size = float(r.abs_upper())
                if trial.status != "differ" or size > worst:
                    trial.status, trial.at, worst = "differ", at, size
                continue
            if trial.status == "differ":
                continue
            if judge in ORDERS and r > 0:
                continue
            digits = _digits(r, largest)
            trial.digits = min(trial.digits, digits)
            if digits < DIGITS:
                trial.status = "unclear"

    # --- the search ---------------------------------------------------------------------------------------------------

    def look(self, judge: Judge, looks: int) -> Trial | None:
        """A point that floats find suspicious and balls refute."""
        limit = min(self.deadline, spent() + 0.5)
        for attempt in range(looks):
            if spent() > limit:
                return None
            points = self.sample(attempt)
            if points is None:
                continue
            try:
                trial = self._failure(judge, points, SUSPICIOUS)
            except NotEvaluable:
                return None
            if trial is not None or self.constant:
                return trial
        return None

    def _failure(self, judge: Judge, points: list[Point], near: float) -> Trial | None:
        """The trial at a point, if floats find it suspicious (a failure of `near` or more) and balls refute."""
        worst = self.floats(judge, points)
        if worst is None or worst < near:
            return None
        trial = self.balls(judge, points)
        return trial if trial.status == "differ" else None

    def special(self, judge: Judge) -> Trial | None:
        """A special point at which an inequality fails: variables of one value, the edges of the domains."""
        limit = min(self.deadline, spent() + 0.4)
        near = -1e-12 if judge is strict_order else SUSPICIOUS
        for k, sizes in enumerate(simple_sizes(self.sizes, {}, self.facts.assumptions)):
            if k == 4:
                return None
            opaque = any(isinstance(n, Operator) for n in walk(*self.nodes))
            for turn, point in enumerate(special_points(self.variables, sizes, self.facts.assumptions)):
                if spent() > limit:
                    return None
                point.alike = opaque and turn % 2 == 0
                points = self.completed(point)
                if points is None:
                    continue
                try:
                    trial = self._failure(judge, points, near)
                except NotEvaluable:
                    return None
                if trial is not None:
                    return trial
        return None

    @property
    def may_fail_at_few_points(self) -> bool:
        """Whether the sides may differ where no random point lies: at a jump, or at the whole powers of a negative base."""
        for n in walk(*self.nodes):
            if isinstance(n, Pow) and not isinstance(n.exponent, Num) and not is_nonnegative(n.base, self.facts):
                return True
            if self.everywhere and (isinstance(n, Where | Compare) or (isinstance(n, Fn) and n.name in _JUMPING)):
                return True
        return False

    @property
    def constant(self) -> bool:
        """Whether there is one point only: nothing varies, and no density or function is unknown."""
        return not self.variables and not self.sizes and not self.has_unknown

    def run(self, judge: Judge, tried: list[str]) -> Comparison:
        """Balls at random points, on every branch."""
        agreed, digits, undefined = 0, 999, 0
        branches = Branches(self)
        wanted = 1 if self.constant else POINTS
        for attempt in range(6 * POINTS):
            if (agreed >= wanted and not branches.missing) or spent() > self.deadline:
                break
            points = branches.point() if agreed >= wanted else self.sample(attempt)
            if points is None:
                if agreed >= wanted:
                    break
                continue
            try:
                trial = self.balls(judge, points)
            except NotEvaluable as error:
                return self.unknown(tried, str(error))
            if trial.status == "differ":
                if self.averaged:
                    return self.unknown(tried, "an expectation without closed form was not decided by any draws")
                return self.refutation(trial, judge)
            if trial.status == "agree":
                branches.saw(points[0])
                agreed, digits = agreed + 1, min(digits, trial.digits)
            else:
                undefined += 1
                if self.constant and undefined > 2:
                    break
        if not self.averaged:
            edge = self._on_edges(judge, branches) or self._at_length_one(judge)
            if edge is not None:
                return self.refutation(edge, judge)
        if not self.averaged and spent() < self.deadline:
            late = self.look(judge, LOOKS) or (self.special(judge) if self.may_fail_at_few_points else None)
            if late is not None:
                return self.refutation(late, judge)
        if agreed < min(wanted, 3):
            return self.unknown(tried, "the sides were not defined, or not decided, at the points tried")
        if branches.missing:
            tried.append(f"{len(branches.missing)} branches were not reached")
        method = "ball arithmetic" + (", for any draws of the noise" if self.averaged else "")
        shown = None if judge in ORDERS and digits == 999 else min(digits, 1000)
        evidence = Evidence("checked", digits=shown, points=agreed, method=method, tried=tuple(tried))
        return Comparison("checked", evidence, tried=tuple(tried))

    def _on_edges(self, judge: Judge, branches: Branches) -> Trial | None:
        """A point at which the relation fails, where a condition `==` holds or a function jumps."""
        for point in branches.on_edges():
            points = self.completed(point)
            if points is None:
                continue
            try:
                trial = self.balls(judge, points)
            except NotEvaluable:
                return None
            if trial.status == "differ":
                return trial
        return None

    def _at_length_one(self, judge: Judge) -> Trial | None:
        """A point at which the relation fails, where an axis has length 1: random lengths are larger."""
        dims = [d.name for d in dims_of(self.sizes)]
        for attempt, short in enumerate([dims, *([d] for d in dims[:4] if len(dims) > 1)] if dims else []):
            for turn in range(2):
                sizes = random_sizes(self.sizes, dict.fromkeys(short, 1), self.rng, self.facts.assumptions, 3)
                if sizes is None or any(sizes.get(d) != 1 for d in short) or spent() > self.deadline:
                    break
                point = random_point(self.variables, sizes, self.rng, (attempt + turn) % 2, self.facts.assumptions)
                points = None if point is None else self.completed(point)
                if points is None:
                    break
                try:
                    worst = self.floats(judge, points)
                    if worst is None or worst < SUSPICIOUS:
                        continue
                    trial = self.balls(judge, points)
                except NotEvaluable:
                    return None
                if trial.status == "differ":
                    return trial
        return None

    def unknown(self, tried: Sequence[str], why: str) -> Comparison:
        told = (*tried, why)
        return Comparison("unknown", Evidence("unknown", tried=told), tried=told)

    def descend(self, judge: Judge) -> Trial | None:
        """Go down the margin of an inequality in floats, and look at the lowest points in balls."""
        limit = min(self.deadline, spent() + 0.6)
        try:
            for attempt in range(6):
                points = self.sample(attempt)
                if points is None:
                    continue
                best = self.floats(judge, points)
                step = 1.0
                for _ in range(60):
                    if best is None or spent() > limit:
                        break
                    moved = self._nudged(points[0], step)
                    if moved is None:
                        continue
                    value = self.floats(judge, [moved])
                    if value is not None and value > best:
                        points, best = [moved], value
                        if best > SUSPICIOUS:
                            trial = self.balls(judge, points)
                            if trial.status == "differ":
                                return trial
                    else:
                        step *= 0.9
                if best is not None and best > -1e-6:
                    trial = self.balls(judge, points)
                    if trial.status == "differ":
                        return trial
        except NotEvaluable:
            return None
        return None

    def _nudged(self, point: Point, step: float) -> Point | None:
        fresh = random_point(self.variables, point.sizes, self.rng, 0)
        if fresh is None:
            return None
        values = dict(point.values)
        t = float(np.rint(step * self.rng.uniform(0.05, 1.0) * 256)) / 256
        for v in self.variables:
            row = DOMAINS[v.domain]
            if row.discrete or v.domain == "orthogonal":
                values[v] = fresh.values[v] if self.rng.integers(0, 4) == 0 else values[v]
            else:
                values[v] = np.asarray(values[v]) * (1 - t) + np.asarray(fresh.values[v]) * t
        moved = replace(point, values=values)
        return moved if _holds_all(self.facts, moved) else None

    def refutation(self, trial: Trial, judge: Judge) -> Comparison:
        """The relation fails; shown at the simplest point at which it does."""
        best = self._simplest(judge) or trial
        if judge is cross:
            best.at = best.at[1:]
        left, right = (best.values[0][k][best.at] for k in (0, 1))
        point = best.points[0]
        shown = sorted({n for s in self.sizes for n in _dim_names(s)})
        other = {}
        if len(best.points) > 1:
            other = {v.name: _shown(best.points[1].values[v]) for v in self.over}
        example = Counterexample(
            {name: point.sizes[name] for name in shown if name in point.sizes},
            {v.name: _shown(point.values[v]) for v in self.variables} | (point.shown() if point.shown else {}),
            float(left.mid()),
            float(right.mid()),
            tuple(int(k) for k in best.at),
            other,
            *two_texts(left, right),
        )
        if example.left_text == example.right_text:
            with BALL(MOST_BITS).working():
                example = replace(example, apart=ball_text(abs(left - right), 4))
        method = f"the sides are equal to {EQUAL_DIGITS} digits" if best.equal else "a ball excludes 0"
        return Comparison("refuted", Evidence("refuted", points=1, method=method), example)

    def _simplest(self, judge: Judge) -> Trial | None:
        limit = min(self.deadline + 0.5, spent() + 0.6)
        tested = 0
        for sizes in simple_sizes(self.sizes, {}, self.facts.assumptions):
            for point in simple_points(self.variables, sizes, self.facts.assumptions, turns=6):
                tested += 1
                if tested > 250 or spent() > limit:
                    return None
                points = self.completed(point)
                if points is None:
                    continue
                if len(points) > 1:
                    second = next(iter(list(simple_points(self.over, sizes, (), turns=3))[1:]), None)
                    if second is not None:
                        points[1].values.update(second.values)
                try:
                    trial = self._failure(judge, points, -1e-12 if judge is strict_order else 1e-9)
                except NotEvaluable:
                    continue
                if trial is not None:
                    return trial
        return None


def _digits(r: Any, scale: float) -> int:
    """To how many digits a ball is 0; 999 where it is 0 exactly."""
    if r == 0:
        return 999
    error = r.abs_upper() / (scale or 1.0)
    return max(0, int(min(999.0, -float(error.log()) / np.log(10)))) if error > 0 else 999


def _drawn(op: Operator) -> tuple[Var, ...]:
    """The variables that a mean binds."""
    if op.name in ("E", "Var", "Cov") and len(op.attrs) == 1 and isinstance(op.attrs[0], tuple):
        return op.attrs[0]
    return ()


def _holds_all(facts: Facts, point: Point) -> bool:
    return all(holds(a, point) for a in facts.assumptions)


def _dim_names(size: Scalar) -> list[str]:
    return [d.name for d in dims_of([size])]


def _shown(value: Any) -> Any:
    a = np.asarray(value)
    return a.astype(float) if a.dtype == object else a
