"""The referee of derivatives: high-precision differences of the function itself, which know no rule of the deriver.

Along a random direction V within the domains, D_V f is compared with the sum of result * V, in balls. The step is far
below the size of the numbers and the working precision far below the step, so that 15 digits and more can agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from symgen.derivation.derivation import Evidence
from symgen.derivation.smaller import with_smaller_sizes
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import BALL, NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, Expect, Node, Scalar, Var, tensor, variables_of, walk
from symgen.tensor.facts import Facts
from symgen.tensor.sample import (
    complete_point,
    generator,
    random_direction,
    random_point,
    random_sizes,
    sizes_in,
)
from symgen.text.diagnostics import InternalError

__all__ = ["check_derivative", "check_equal_numeric"]

STEP = 60  # the step of a difference is 2^-STEP
MATCH = 1e-9  # relative size of a difference that is a mistake; the truncation error is about 2^-120
ATTEMPTS = 17
SCALES = (0,) * 8 + (1,) * 4 + (-1,) * 3 + (-2,) * 2  # of the numbers drawn, attempt by attempt: ordinary, wide, small


def check_derivative(
    f: Array | Scalar,
    variables: Sequence[Var],
    results: Mapping[Var, Array] | Sequence[Array],
    order: int = 1,
    facts: Facts | None = None,
    rng: np.random.Generator | None = None,
    points: int = 2,
    fixed_sizes: Mapping[str, int] | None = None,
) -> Evidence:
    """Whether `results` are the derivatives of `f` (over any axes) by `variables`, of order 1, 2 or 3.

    A result has the axes of f, then for each order the axes of its variable; of order 2 and 3 there is one variable.
    Raises InternalError where a result is shown to be wrong; `unknown` where no point could be evaluated.
    """
    f = f if isinstance(f, Array) else tensor((), f)
    given = [results[v] for v in variables] if isinstance(results, Mapping) else list(results)
    # a discrete variable has no directions
    pairs = [(v, r) for v, r in zip(variables, given, strict=True) if not DOMAINS[v.domain].discrete]
    if fixed_sizes is None and rng is None:
        found = _at_smaller_sizes(f, pairs, order, facts, points)
        if found is not None:
            return found
    names = sorted(v.name for v in variables)
    rng = rng if rng is not None else generator("derivative", order, *names)
    nodes: list[Node] = [f, *given]
    free = set(variables)
    for n in nodes:
        free |= variables_of(n)
    sizes = sizes_in(nodes, free)
    assumptions = facts.assumptions if facts is not None else ()
    digits, done, tried = 999, 0, ""
    for attempt in range(ATTEMPTS):
        if done == points:
            break
        values = random_sizes(sizes, dict(fixed_sizes or {}), rng, assumptions, largest=3 if attempt < 4 else 4)
        if values is None:
            tried = "no sizes were found that fit"
            break
        point = random_point(free, values, rng, SCALES[attempt], assumptions)
        if point is None:
            tried = "no point was found that satisfies the assumptions"
            continue
        if not done and attempt % 3 == 2:  # the logarithm of a product of matrices wants all their entries positive
            point = replace(point, values={v: np.abs(a) if v.domain == "real" else a for v, a in point.values.items()})
        complete_point(point, nodes, rng)
        try:
            agreed = _check_at(f, pairs, order, point, rng)
        except NotEvaluable as error:
            return Evidence("unknown", method="differences in balls", tried=(str(error),))
        if agreed is None:
            tried = "the function was not defined, or not smooth, at the points tried"
            continue
        digits, done = min(digits, agreed), done + 1
    if not done:
        return Evidence("unknown", method="differences in balls", tried=(tried,))
    method = "central differences in ball arithmetic"
    if any(isinstance(n, Expect) for n in walk(*nodes)):
        method += ", for any draws of the noise"
    return Evidence("checked", digits=min(digits, 30), points=done, method=method)


def _at_smaller_sizes(
    f: Array, pairs: Sequence[tuple[Var, Array]], order: int, facts: Facts | None, points: int
) -> Evidence | None:
    """What is found with small numbers for large sizes; None where that says nothing."""
    smaller = with_smaller_sizes([f, *(v for v, _ in pairs), *(r for _, r in pairs)])
    if smaller is None:
        return None
    count = len(pairs)
    try:
        found = check_derivative(
            smaller[0], [v for v in smaller[1 : count + 1] if isinstance(v, Var)], smaller[count + 1 :], order, facts, points=points
        )
    except InternalError:  # a size stands in the result as a number: with the sizes as they are, it is seen whether it is right
        return None
    return replace(found, method=f"{found.method}, at smaller sizes") if found.kind == "checked" else None


def _check_at(
    f: Array, pairs: Sequence[tuple[Var, Array]], order: int, point: Point, rng: np.random.Generator, nudges: bool = True
) -> int | None:
    bits = 64 + STEP * (order + 2)
    number = BALL(bits)
    directions = [{v: random_direction(v, point.values[v], rng) for v, _ in pairs} for _ in range(order)]
    with number.working():
        claimed = _along(f, pairs, directions, point, number)
        rough = _differences(f, directions, point, number, STEP // 2)
        fine = _differences(f, directions, point, number, STEP)
    if claimed is None or rough is None or fine is None:
        return None
    scale = max([abs(float(x.mid())) for x in fine] + [abs(float(x.mid())) for x in claimed] + [1e-12])
    worst = 0.0
    for want, also, got in zip(fine, rough, claimed, strict=True):
        # where the two step lengths disagree the function has a kink or a jump nearby: another point is taken
        if not (want - also).abs_upper() < scale * 1e-7:
            return None
        error = (want - got).abs_upper()
        if not (error < scale * MATCH):
            if (want - got).abs_lower() > scale * MATCH:
                if nudges and _agrees_nearby(f, pairs, order, point, rng):
                    return None  # the point lies on a kink, on whose two sides the differences have their mean
                raise InternalError(_mismatch(pairs, order, point, want, got))
            return None
        worst = max(worst, float(error) / scale)
    return 30 if worst == 0 else max(0, int(-np.log10(worst)))


def _agrees_nearby(f: Array, pairs: Sequence[tuple[Var, Array]], order: int, point: Point, rng: np.random.Generator) -> bool:
    """Whether the results are right at points a little aside."""
    for _ in range(2):
        values = dict(point.values)
        for v, _ in pairs:
            values[v] = np.asarray(values[v], float) + np.asarray(random_direction(v, values[v], rng), float) * 2.0**-20
        aside = Point(point.sizes, values, point.functions, point.draws, point.operators)
        try:
            if _check_at(f, pairs, order, aside, rng, nudges=False) is None:
                return False
        except InternalError:
            return False
    return True


def _mismatch(pairs: Sequence[tuple[Var, Array]], order: int, point: Point, want: Any, got: Any) -> str:
    shown = [v.name for v, _ in pairs]
    names = ", ".join(shown if len(shown) < 6 else [*shown[:4], ".."])
    sizes = ", ".join(f"{k} = {n}" for k, n in sorted(point.sizes.items()))
    return (
        f"a derivative of order {order} by {names} is wrong{' at ' + sizes if sizes else ''}: "
        f"differences give {float(want.mid()):.12g}, the result {float(got.mid()):.12g}"
    )


def _along(f: Array, pairs: Any, directions: Sequence[Mapping[Var, Any]], point: Point, number: Any) -> list[Any] | None:
    """The derivative that the results claim, along the directions: one ball for each entry of f."""
    values = evaluate([r for _, r in pairs], point, number)
    total: Any = None
    for (v, _), value in zip(pairs, values, strict=True):
        for d in reversed(directions):
            along = number.array(d[v])
            rank = along.ndim
            shape = value.shape[: value.ndim - rank]
            rows = value.reshape((int(np.prod(shape, dtype=int)), -1) if value.size else (0, 0))
            flat = along.reshape(-1)
            out = np.empty(len(rows), dtype=object)
            for k, row in enumerate(rows):
                out[k] = sum((a * b for a, b in zip(row, flat, strict=True)), arb(0))
            value = out.reshape(shape)
        total = value if total is None else total + value
    if total is None:
        return None
    flat = list(np.asarray(total, dtype=object).reshape(-1)) if isinstance(total, np.ndarray) else [total]
    return flat if all(x.is_finite() for x in flat) else None


def _differences(f: Array, directions: Sequence[Mapping[Var, Any]], point: Point, number: Any, step: int) -> Any:
    """The mixed difference over all signs, divided by (2 h)^order: exact up to h^2."""
    order = len(directions)
    h = Fraction(1, 2**step)
    base = {v: number.array(x) for v, x in point.values.items()}
    moves = [{v: number.array(x) * number.number(h) for v, x in d.items()} for d in directions]
    total: Any = None
    for signs in np.ndindex(*([2] * order)):
        sign = 1
        at = dict(base)
        for s, move in zip(signs, moves, strict=True):
            factor = 1 if s else -1
            sign *= factor
            for v, x in move.items():
                at[v] = at[v] + x * factor
        moved = Point(point.sizes, at, point.functions, point.draws, point.operators)
        value = evaluate([f], moved, number)[0] * sign
        total = value if total is None else total + value
    scale = number.number(Fraction(2**step, 2) ** order)
    flat = [x * scale for x in np.asarray(total, dtype=object).reshape(-1)]
    return flat if all(x.is_finite() for x in flat) else None


def check_equal_numeric(
    a: Array | Scalar, b: Array | Scalar, facts: Facts | None = None, points: int = 3, bits: int = 192
) -> Evidence:
    """Whether two expressions agree at random points. Raises InternalError where a ball shows that they do not."""
    left = a if isinstance(a, Array) else tensor((), a)
    right = b if isinstance(b, Array) else tensor((), b)
    nodes: list[Node] = [left, right]
    free = variables_of(left) | variables_of(right)
    sizes = sizes_in(nodes, free)
    rng = generator("equal", *sorted(v.name for v in free))
    assumptions = facts.assumptions if facts is not None else ()
    digits, done = 999, 0
    for attempt in range(ATTEMPTS):
        if done == points:
            break
        values = random_sizes(sizes, {}, rng, assumptions, largest=3)
        scale = SCALES[attempt] if attempt >= 12 else min(attempt // 3, 1)
        point = None if values is None else random_point(free, values, rng, scale, assumptions)
        if point is None:
            continue
        complete_point(point, nodes, rng)
        try:
            x, y = evaluate([left, right], point, BALL(bits))
        except NotEvaluable as error:
            return Evidence("unknown", method="balls", tried=(str(error),))
        worst = 0.0
        largest = max([float(v.abs_upper()) for v in x.reshape(-1)] + [1e-30])
        for u, v in zip(x.reshape(-1), y.reshape(-1), strict=True):
            if not u.is_finite() or not v.is_finite():
                worst = np.inf
            elif not u.overlaps(v):
                raise InternalError(f"two forms of one value differ: {float(u.mid()):.12g} and {float(v.mid()):.12g}")
            else:
                worst = max(worst, float((u - v).abs_upper()) / largest)
        if worst < 1e-12:
            done += 1
            digits = min(digits, 50 if worst == 0 else int(-np.log10(worst)))
    if not done:
        return Evidence("unknown", method="balls", tried=("the values were not defined at the points tried",))
    return Evidence("checked", digits=digits, points=done, method="ball arithmetic")
