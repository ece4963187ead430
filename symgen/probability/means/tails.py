"""Whether a mean is infinite: the integrand followed to the ends of the support in balls, whose exponents do not
overflow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import arb

from symgen.probability.families.distribution import Distribution
from symgen.probability.families.texts import scalar_text
from symgen.probability.laws.law import row_of
from symgen.probability.laws.referee import Numeric
from symgen.probability.means.grids import grid_of, numbers_of
from symgen.tensor.evaluate import BALL, NotEvaluable, Point, evaluate, size_of
from symgen.tensor.expression import Array, Scalar, Var, entry, tensor, var

Float = np.ndarray
STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 400, 550, 690)  # logarithms of the distance
COUNTS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
BITS = 2600  # 1 - x must be told from 1 at x = exp(-690)


def grows(body: Scalar, draws: Sequence[tuple[Var, Array]], point: Point) -> bool | None:
    """Whether E body is infinite, for one drawn variable: p(x) |f(x)| dist(x) does not fall at some end of the support,
    the other entries held fixed. None where no entry can be followed."""
    if len(draws) != 1:
        return None
    ((v, law),) = draws
    row = row_of(law)
    if row is None:
        return None
    shape = tuple(size_of(s, point.sizes) for s in v.shape)
    grid = grid_of(law, v, point, 0, 1, whole=False)
    if grid is None or not len(grid[1]):
        return None
    xs, ws = grid
    start = xs[int(np.argmax(ws))]
    at = numbers_of(law, point)
    seen = False
    if row.is_univariate and not row.shapes:
        for place in np.ndindex(*shape):
            one = Numeric(row, {n: float(a[place]) for n, a in at.items()})
            for end in (one.low, one.high):
                found = _follow(body, v, start, place, one, end, point)
                if found:
                    return True
                seen = seen or found is not None
        return False if seen else None
    if row.name == "MvNormal":
        rng = np.random.default_rng(1)
        return any(_along(body, v, at, rng.normal(size=shape), point) for _ in range(48))
    return None


def _follow(body: Scalar, v: Var, start: Float, place: Any, one: Numeric, end: float, point: Point) -> bool | None:
    number = BALL(BITS)
    levels: list[float] = []
    with number.working():
        for step in COUNTS if one.discrete else STEPS:
            if one.discrete:
                if not math.isinf(end):
                    return None
                x, reach = arb(one.low + step), arb(1)
            elif math.isinf(end):
                reach = arb(step).exp()
                x = reach if end > 0 else -reach
                if math.isfinite(one.low):
                    x = x + one.low
            else:
                reach = (arb(-step)).exp()
                x = arb(end) + reach if end == one.low else arb(end) - reach
            value = np.empty(np.shape(start), dtype=object)
            for other in np.ndindex(*np.shape(start)):
                value[other] = arb(float(start[other]))
            value[place] = x
            try:
                f = evaluate([tensor((), body)], Point(point.sizes, {**point.values, v: value}, point.functions), number)[0]
            except NotEvaluable:
                return None
            p = _log_density(one.row, one.parameters, x, number)
            level = _level(p, f.reshape(-1)[0] if isinstance(f, np.ndarray) else f, reach)
            if level is not None:
                levels.append(level)
    return _stays_up(levels)


def _level(p: arb, f: arb, reach: arb) -> float | None:
    """log of p |f| dist."""
    size = abs(f)
    if not (p.is_finite() and size.is_finite()) or not bool(size > 0):
        return None
    total = p + size.log() + reach.log()
    if not total.is_finite() or float(total.rad()) > 1e-3 * max(1.0, abs(float(total.mid()))):
        return None
    return float(total.mid())


def _stays_up(levels: Sequence[float]) -> bool | None:
    """Whether the last of the levels do not fall: then the integral over them has no bound."""
    if len(levels) < 4:
        return None
    last = levels[-3:]
    return last[1] >= last[0] - 1e-6 * abs(last[0]) and last[2] >= last[1] - 1e-6 * abs(last[1])


def _log_density(row: Distribution, parameters: Any, x: arb, number: Any) -> arb:
    places = {n: var(n, (), "real", "placeholder", uid=-21) for n in (*parameters, "x")}
    made = tensor((), scalar_text(row.log_density, {n: entry(p) for n, p in places.items()}))
    values: dict[Any, Any] = {places[n]: np.asarray(float(a)) for n, a in parameters.items()}
    ball = np.empty((), dtype=object)
    ball[()] = x
    values[places["x"]] = ball
    out = evaluate([made], Point({}, values), number)[0]
    return out.reshape(-1)[0] if isinstance(out, np.ndarray) else out


def _along(body: Scalar, v: Var, at: dict[str, Float], direction: Float, point: Point) -> bool:
    """A normal vector followed along a line through its mean."""
    number = BALL(256)
    levels: list[float] = []
    inverse = np.linalg.inv(at["Sigma"])
    slope = direction @ inverse @ direction / 2
    with number.working():
        for step in (1, 2, 3, 4, 5, 6):
            reach = arb(step).exp()
            value = np.empty(np.shape(direction), dtype=object)
            for k in np.ndindex(*np.shape(direction)):
                value[k] = arb(float(at["mu"][k])) + reach * float(direction[k])
            try:
                f = evaluate([tensor((), body)], Point(point.sizes, {**point.values, v: value}, point.functions), number)[0]
            except NotEvaluable:
                return False
            level = _level(-reach * reach * float(slope), f.reshape(-1)[0] if isinstance(f, np.ndarray) else f, reach)
            if level is not None:
                levels.append(level)
    return _stays_up(levels) is True
