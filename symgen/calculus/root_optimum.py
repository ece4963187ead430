"""Optima entry by entry where the stationarity equation has no closed solution: the equation, of which code takes the root."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symgen.calculus.curvature import flat
from symgen.calculus.finished import finished
from symgen.calculus.gradient import gradient
from symgen.calculus.optimum_referee import contest
from symgen.calculus.root import ENDS, root
from symgen.calculus.scalar_optimum import Task
from symgen.derivation.context import Context
from symgen.tensor.evaluate import FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    Array,
    Entry,
    Var,
    axis,
    entry,
    mul,
    num,
    open_tensor,
    replace_arrays,
    tensor,
    var,
    variables_of,
    walk,
)
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in

__all__ = ["by_roots"]

POINTS, PLACES, WIDE = 12, 41, 8
FEWEST = 3


def by_roots(task: Task) -> Iterator[Array]:
    """Each entry of the slope holds its own entry of x alone, and falls through 0 once at whatever data were looked at."""
    x = task.x
    if task.constraints or not task.sign or x.domain not in ENDS:
        return
    quiet = Context(facts=task.ctx.facts, names=task.ctx.names)
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    slope = gradient(task.f, [x], quiet, "free")[x]
    body = finished(mul(num(task.sign), open_tensor(flat(slope), axes)), quiet)
    if any(n.array is x and n.indices != tuple(axes) for n in walk(body) if isinstance(n, Entry)):
        return
    t = var(x.name, (), x.domain, "placeholder", uid=14)
    at = replace_arrays(tensor(axes, body), {x: lambda *_: entry(t)})
    if x in variables_of(at) or not _falls_once(at, t, task):
        return
    found = tensor(axes, root(open_tensor(at, axes), t, x.domain))
    task.ctx.trace.add("stationarity", task.f, slope, where=f"d/d{x.name}", reason=f"the gradient vanishes at the {task.word}")
    why = "falls through 0 once at all data that were looked at" if task.sign > 0 else "rises through 0 once at all data looked at"
    task.ctx.trace.add("root", None, found, where=x.name, reason=f"it {why}; no closed form, code halves an interval")
    task.ctx.trace.condition(f"the gradient is 0 at some {x.name}")
    task.contests[found] = result = contest(task, found)
    if result.won:
        yield found


def _falls_once(slope: Array, t: Var, task: Task) -> bool:
    """Whether no entry of the slope turns from negative to positive at random data, and some have both signs."""
    u = np.linspace(-WIDE, WIDE, PLACES) + 0.0137
    places = np.exp(u) if t.domain == "positive" else 1 / (1 + np.exp(-u)) if t.domain == "unit" else np.sinh(u)
    others = [v for v in variables_of(slope) if v is not t]
    needed = sizes_in([slope], others)
    assumptions = task.ctx.facts.assumptions if task.ctx.facts is not None else ()
    rng = generator("root", t.name, *sorted(v.name for v in others))
    both = 0
    for _ in range(POINTS):
        task.ctx.check()
        sizes = random_sizes(needed, {}, rng, assumptions, largest=4)
        point = random_point(others, sizes, rng, 0, assumptions) if sizes is not None else None
        if point is None:
            continue
        try:
            with np.errstate(all="ignore"):
                rows = [_number(slope, Point(point.sizes, {**point.values, t: p})) for p in places]
        except NotEvaluable:
            return False
        signs = np.sign(np.stack(rows))  # places, entries
        for column in signs.T:
            own = column[np.isfinite(column) & (column != 0)]
            if np.any(np.diff(own) > 0):
                return False
            both += len(own) > 0 and bool(own[0] > 0 > own[-1])
    return both >= FEWEST


def _number(slope: Array, point: Point) -> np.ndarray:
    return np.asarray(evaluate([slope], point, FLOAT)[0], dtype=float).reshape(-1)
