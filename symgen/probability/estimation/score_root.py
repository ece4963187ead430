"""Where the likelihood equation of one parameter has no closed solution: the equation, of which code takes the root.

That the score falls through 0 once is shown by the sign of its slope, or looked at over random data; where it does not,
there is no answer.
"""

from __future__ import annotations

import math

import numpy as np

from symgen.calculus.gradient import gradient
from symgen.calculus.root import root
from symgen.calculus.rules import lift
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    Array,
    Var,
    entry,
    fresh_index,
    num,
    open_tensor,
    operator,
    tensor,
    var,
    variables_of,
)  # fmt: skip
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in

__all__ = ["root_of_score"]

DOMAINS = ("real", "positive", "unit")
POINTS = 40
FEWEST = 3
ROUNDS = 8
GRID = 121
WIDE = 12  # of the coordinate in which signs are looked at, on both sides of 0
SLACK = 1e-9


def root_of_score(likelihood: Array, theta: Var, ctx: Context) -> Array | None:
    """The parameter at which the score is 0, as a root; None where the score does not fall through 0 once."""
    if theta.rank or theta.domain not in DOMAINS:
        return None
    quiet = Context(facts=ctx.facts)
    score = collected(open_tensor(gradient(likelihood, [theta], quiet)[theta], ()))
    slope = collected(open_tensor(gradient(tensor((), score), [theta], quiet)[theta], ()))
    falls = Knowledge(ctx).negative(slope) is True
    if not falls and not _falls_once(tensor((), score), theta, ctx):
        return None
    made = tensor((), root(score, theta, theta.domain))
    looked = None if falls else _is_highest(likelihood, tensor((), score), theta, ctx)
    if looked is not None and looked.kind == "unknown":
        return None
    ctx.trace.add("score", operator("grad", (likelihood, theta), ()), tensor((), score), where=theta.name,
                  reason="0 at the maximum")  # fmt: skip
    why = "the score falls: the likelihood is strictly concave, and its only maximum is where the score is 0" if falls else \
        "the score falls through 0 once at all data that were looked at"  # fmt: skip
    ctx.trace.add("root", None, made, where=theta.name, reason=f"{why}; no closed form, code halves an interval")
    ctx.trace.notes.append(f"the maximum likelihood of {theta.name} is the root of its score: {why}")
    ctx.trace.condition(f"there is a {theta.name} at which the score is 0")
    ctx.trace.checks.append(lambda: looked or _is_highest(likelihood, tensor((), score), theta, ctx))
    return made


def _places(domain: str) -> np.ndarray:
    u = np.linspace(-WIDE, WIDE, GRID) + 0.0137
    return np.exp(u) if domain == "positive" else 1 / (1 + np.exp(-u)) if domain == "unit" else np.sinh(u)


def _points(f: Array, theta: Var, ctx: Context, seed: str) -> list[Point]:
    """Random data and other parameters."""
    variables = [v for v in variables_of(f) if v is not theta]
    needed = sizes_in([f], variables)
    assumptions = ctx.facts.assumptions if ctx.facts is not None else ()
    rng = generator(seed, theta.name, *sorted(v.name for v in variables))
    out: list[Point] = []
    for k in range(POINTS):
        sizes = random_sizes(needed, {}, rng, assumptions, largest=7 if k % 2 else 4)
        point = random_point(variables, sizes, rng, 0, assumptions) if sizes is not None else None
        if point is not None:
            out.append(point)
    return out


def _along(f: Array, theta: Var, point: Point, at: np.ndarray) -> np.ndarray:
    """The numbers of a scalar at many values of theta."""
    many = var(f"{theta.name}_many", (num(len(at)),), theta.domain, "placeholder", uid=-71)
    k = fresh_index(num(len(at)))
    lifted = tensor((k,), lift(open_tensor(f, ()), {theta: lambda: entry(many, k)}))
    with np.errstate(all="ignore"):
        return np.asarray(evaluate([lifted], Point(point.sizes, {**point.values, many: at}))[0], float)


def _falls_once(score: Array, theta: Var, ctx: Context) -> bool:
    """Whether the score never turns from negative to positive over random data, and has both signs at some of them."""
    at = _places(theta.domain)
    both = 0
    for point in _points(score, theta, ctx, "score"):
        try:
            values = _along(score, theta, point, at)
        except NotEvaluable:
            return False
        values = values[np.isfinite(values)]
        size = float(np.max(np.abs(values), initial=0.0))
        signs = np.sign(np.where(np.abs(values) < SLACK * min(size, 1.0), 0, values))
        signs = signs[signs != 0]
        if not len(signs):
            continue
        if np.any(np.diff(signs) > 0):
            return False
        both += bool(signs[0] > 0 > signs[-1])
    return both >= FEWEST


def _zero(score: Array, theta: Var, point: Point) -> float:
    """Where the score turns negative, by finer and finer grids; nan where it does not."""
    at = _places(theta.domain)
    for _ in range(ROUNDS):
        values = _along(score, theta, point, at)
        at, positive = at[np.isfinite(values)], values[np.isfinite(values)] > 0
        if not len(at) or not positive[0] or positive[-1]:
            return math.nan
        k = int(np.argmin(positive))
        at = np.linspace(at[k - 1], at[k], GRID)
    return float(at[GRID // 2])


def _is_highest(likelihood: Array, score: Array, theta: Var, ctx: Context) -> Evidence:
    """The likelihood at the root against that at many other values, at random data; where there is no root, at none."""
    at = _places(theta.domain)
    found = 0
    for point in _points(likelihood, theta, ctx, "highest"):
        try:
            value = _zero(score, theta, point)
            if not math.isfinite(value):
                continue
            heights = _along(likelihood, theta, point, np.array([value, *at]))
        except NotEvaluable:
            continue
        heights = np.where(np.isnan(heights), -np.inf, heights)
        if heights[0] < np.max(heights[1:]) - SLACK * max(1.0, abs(float(heights[0]))):
            return Evidence("unknown", tried=(f"another {theta.name} has a higher likelihood than the root at some data",))
        found += 1
    if found < FEWEST:
        return Evidence("unknown", points=found, tried=("too few data have a root",))
    return Evidence("checked", digits=9, points=found, method="the likelihood at the root against that around it")
