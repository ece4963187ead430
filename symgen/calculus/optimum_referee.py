"""The referee of optima: no point of the set near the solution or far from it does better, at random data.

Competitors are moved along the set of the variable and brought back onto the constraints by Gauss and Newton.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgen.calculus.gradient import jacobian
from symgen.calculus.root import by_halving
from symgen.calculus.scalar_optimum import Task
from symgen.derivation.context import Context
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, Operation, tensor, variables_of, walk
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in

__all__ = ["Contest", "contest"]

ATTEMPTS, POINTS, DIRECTIONS = 24, 3, 6
SCALES = (1e-3, 3e-2, 0.5, 2.0)
SINGULAR = "the stationary point is not positive definite"
UNMET = "the constraints do not hold at the stationary point, or a matrix has no inverse"
OUTSIDE = "the stationary point leaves its open domain, in which there is no optimum then"
VOID = (SINGULAR, UNMET, OUTSIDE)  # where a matrix that has to be inverted is singular, numbers tell nothing
SINGULAR_FROM = 1e11  # the condition of a matrix
LARGEST = 1e6  # of a solution: beyond it, a matrix was not invertible
POSITIVE = ("positive", "nonnegative", "unit", "simplex")


@dataclass
class Contest:
    """At how many random points the solution stood (`won`), was no point of the set, or was beaten; `fault` says the last
    of these."""

    won: int = 0
    lost: int = 0
    fault: str = ""

    @property
    def is_lost(self) -> bool:
        return self.lost > 0 and self.won == 0


def contest(task: Task, found: Array) -> Contest:
    """The solution against competitors at random values of what is given."""
    found = by_halving(found)
    nodes = [task.f, found, *task.constraints]
    free = {v for n in nodes for v in variables_of(n)} - {task.x}
    sizes = sizes_in(nodes, [*free, task.x])
    rng = generator("optimum", task.x.name, *sorted(v.name for v in free))
    facts = task.facts or task.ctx.facts
    assumptions = facts.assumptions if facts is not None else ()
    quiet = Context(facts=task.ctx.facts)
    slopes = [jacobian(c, task.x, quiet, "free") for c in task.constraints]
    out = Contest()
    void = ""
    nowhere = 0  # points at which the solution has no value
    for attempt in range(ATTEMPTS * (1 + 2 * bool(task.required))):
        if out.won + out.lost >= POINTS:
            break
        task.ctx.check()
        barren = attempt >= ATTEMPTS // 2 and not out.won  # more rows than columns may be needed
        values = random_sizes(sizes, {}, rng, assumptions, largest=9 if barren else 3 + attempt % 3)
        point = None if values is None else random_point(free, values, rng, 0, assumptions)
        if point is None:
            continue
        try:
            with np.errstate(all="ignore"):
                if not _is_required(task, point):
                    continue
                fault = _fault_at(task, found, slopes, point, rng)
        except (NotEvaluable, np.linalg.LinAlgError, IndexError):
            continue
        if fault is None:
            nowhere += 1
            continue
        if fault in VOID:
            void = fault
            continue
        if fault:
            out.lost += 1
            out.fault = fault
        else:
            out.won += 1
    if void and not out.won and not out.lost:
        out.lost, out.fault = 1, void
    if nowhere > ATTEMPTS // 2 and not out.won and not out.lost:
        out.lost, out.fault = 1, "the stationary point has no value"
    return out


def _is_required(task: Task, point: Point) -> bool:
    """Whether what the solution needs holds at a point."""
    asked = [tensor(sorted(c.free, key=lambda i: i.serial), c) for c in task.required]
    return all(bool(np.all(np.asarray(v) == 1)) for v in evaluate(asked, point, FLOAT)) if asked else True


def _fault_at(task: Task, found: Array, slopes: Sequence[Array], point: Point, rng: Any) -> str | None:
    """What is wrong with the solution at a point: nothing (""), or None where it has no numbers there."""
    x, row = task.x, DOMAINS[task.x.domain]
    best = np.asarray(evaluate([found], point, FLOAT)[0], dtype=float)
    if not np.isfinite(best).all() or np.max(np.abs(best), initial=0.0) > LARGEST:
        return None
    if _is_by_a_singular_inverse(found, point):
        return None
    arguments = [int(a) for a in evaluate(list(x.domain_args), point, FLOAT)]
    if x.domain == "spd" and np.linalg.eigvalsh((best + np.swapaxes(best, -1, -2)) / 2).min() < 1e-8:
        return SINGULAR
    inside = np.maximum(best, 0.0) if row.low == 0 and best.min(initial=0.0) > -1e-9 else best
    if not row.contains(inside, arguments):
        return OUTSIDE if row.open else f"the stationary point leaves the values that are {x.domain}"
    at, off = _values(task, best, point)
    if not np.isfinite(at):
        return None
    if off > 1e-7 * (1 + np.max(np.abs(best), initial=0.0)):
        return UNMET if task.conditional else "the constraints do not hold at the stationary point"
    if task.sign == 0:
        return ""
    margin = 1e-7 * (1 + abs(at))
    for scale in SCALES:
        for _ in range(DIRECTIONS):
            other = _moved(task, best, scale, slopes, point, rng)
            if other is None or not row.contains(other, arguments):
                continue
            value, off = _values(task, other, point)
            if np.isfinite(value) and off < 1e-9 * (1 + np.max(np.abs(other))) and task.sign * (value - at) > margin:
                return f"another point of the set does better: the stationary point is no {task.word}"
    return ""


def _is_by_a_singular_inverse(found: Array, point: Point) -> bool:
    """Whether a matrix that the solution inverts has no inverse there: X'X of fewer rows than columns."""
    inverted = [n.operands[0] for n in walk(found) if isinstance(n, Operation) and n.name == "inv" and not n.free]
    matrices = evaluate([a for a in inverted if isinstance(a, Array)], point, FLOAT)
    return any(np.max(np.linalg.cond(np.asarray(m, dtype=float)), initial=0.0) > SINGULAR_FROM for m in matrices)


def _values(task: Task, x: Any, point: Point) -> tuple[float, float]:
    """f and how far the constraints are from 0."""
    here = Point(point.sizes, {**point.values, task.x: x})
    f, *rest = (np.asarray(v, dtype=float) for v in evaluate([task.f, *task.constraints], here, FLOAT))
    return float(f), max((float(np.max(np.abs(c), initial=0.0)) for c in rest), default=0.0)


def _moved(task: Task, x: Any, scale: float, slopes: Sequence[Array], point: Point, rng: Any) -> Any:
    """A point of the set at about the distance `scale`, or None."""
    domain = task.x.domain
    d = scale * rng.normal(size=x.shape)
    if domain == "orthogonal":
        return np.linalg.qr(x + d)[0] * np.sign(np.diagonal(np.linalg.qr(x + d)[1]))
    if domain in ("spd", "psd"):
        low = np.linalg.eigvalsh(x).min(initial=1.0)
        d = (d + np.swapaxes(d, -1, -2)) / 2
        return x + d * min(1.0, 0.5 * low / (np.abs(np.linalg.eigvalsh(d)).max(initial=0.0) + 1e-300))
    project = DOMAINS[domain].project
    y = x + (d if project is None else project(x, d))
    if domain in ("positive", "unit"):  # towards the ends, not past them
        y = x * np.exp(np.clip(d, -5, 5))
        y = np.where(y < 1, y, (1 + x) / 2) if domain == "unit" else y
    elif domain in ("nonnegative", "simplex"):
        y = np.maximum(y, 0.0)
    if domain == "lower":
        y = np.tril(y, -1) + np.diag(np.abs(np.diagonal(y)))
    return _onto(task, y, slopes, point) if task.constraints else y


def _onto(task: Task, y: Any, slopes: Sequence[Array], point: Point) -> Any:
    """`y` brought onto the constraints, entries that may not be negative clipped on the way."""
    positive = task.x.domain in POSITIVE
    for _ in range(60):
        here = Point(point.sizes, {**point.values, task.x: y})
        off = [np.asarray(c, dtype=float).reshape(-1) for c in evaluate(list(task.constraints), here, FLOAT)]
        c = np.concatenate(off)
        if np.max(np.abs(c), initial=0.0) < 1e-12 * (1 + np.max(np.abs(y))):
            return y
        rows = [np.asarray(j, dtype=float).reshape(-1, y.size) for j in evaluate(list(slopes), here, FLOAT)]
        matrix = np.concatenate(rows)
        if positive:  # entries that are 0 stay there
            matrix = matrix * (y.reshape(-1) > 0)
        step = np.linalg.lstsq(matrix, c, rcond=None)[0]
        y = y - step.reshape(y.shape)
        if positive:
            y = np.maximum(y, 0.0)
        if not np.isfinite(y).all():
            return None
    return None
