"""The referee of Taylor polynomials: near the point, what is left of f is of a higher order than the polynomial."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from symgen.derivation.derivation import Evidence
from symgen.tensor.evaluate import BALL, NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, Scalar, Var, axis, entry, open_tensor, sub, tensor, variables_of
from symgen.tensor.facts import Facts
from symgen.tensor.sample import complete_point, generator, random_direction, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import InternalError

STEP = 60  # the distance from the point is 2^-STEP
LEFT = 40  # what is left over distance^order is below 2^-LEFT: 2^-STEP times a derivative
METHOD = "the remainder near the point, in ball arithmetic"


def check_taylor(f: Array, x: Var, at: Array | None, polynomial: Array, order: int, facts: Facts | None) -> Callable[[], Evidence]:
    """The question whether f(a + h v) - T(a + h v) is o(h^order). `unknown` where no point could be evaluated."""

    def ask() -> Evidence:
        own = [axis(k, s) for k, s in enumerate(f.shape)]
        left = tensor(own, sub(open_tensor(f, own), open_tensor(polynomial, own)))
        nodes = [left, f, *([at] if at is not None else [])]
        free = variables_of(nodes[0]) | variables_of(nodes[-1]) | {x}
        rng = generator("taylor", order, *sorted(v.name for v in free))
        assumptions = facts.assumptions if facts is not None else ()
        number = BALL(64 + STEP * (order + 2))
        done, tried = 0, "no point could be evaluated"
        for _ in range(8):
            values = random_sizes(sizes_in(nodes, free), {}, rng, assumptions, largest=3)
            point = None if values is None else random_point(free, values, rng, 0, assumptions)
            if point is None:
                continue
            complete_point(point, nodes, rng)
            direction = random_direction(x, point.values[x], rng)
            try:
                with number.working():
                    found = _left_over(left, f, x, at, point, direction, order, number)
            except NotEvaluable as error:
                tried = str(error)
                continue
            if found is None:
                continue
            if found is False:
                raise InternalError(f"a Taylor polynomial of order {order} in {x.name} leaves a remainder of its own order")
            done += 1
            if done == 2:
                break
        return Evidence("checked", digits=LEFT // 4, points=done, method=METHOD) if done else Evidence("unknown", tried=(tried,))

    return ask


def _left_over(
    left: Array, f: Array, x: Var, at: Array | None, point: Point, direction: Any, order: int, number: Any
) -> bool | None:
    """Whether the remainder is small beside h^order; None where it has no value."""
    h = Fraction(1, 2**STEP)
    base = {v: number.array(value) for v, value in point.values.items()}
    if at is None:
        centre = number.array(np.zeros_like(np.asarray(point.values[x], dtype=float)))
    else:
        centre = evaluate([_spread(at, x)], Point(point.sizes, dict(base), point.functions, point.draws, point.operators), number)[
            0
        ]
    base[x] = centre + number.array(direction) * number.number(h)
    moved = Point(point.sizes, base, point.functions, point.draws, point.operators)
    rest, whole = evaluate([left, f], moved, number)
    values = list(np.asarray(rest, dtype=object).reshape(-1))
    sizes = list(np.asarray(whole, dtype=object).reshape(-1))
    if not all(v.is_finite() for v in (*values, *sizes)):
        return None
    scale = max([1.0, *(abs(float(v.mid())) for v in sizes)])
    bound = number.number(h) ** order * number.number(Fraction(scale) / 2**LEFT)
    if all(abs(v) < bound for v in values):
        return True
    return False if any(abs(v) > bound * 2**20 for v in values) else None


def _spread(at: Array, x: Var) -> Array:
    """The point in the shape of the variable."""
    if at.rank == x.rank:
        return at
    body: Scalar = entry(at)
    return tensor([axis(k, s) for k, s in enumerate(x.shape)], body)
