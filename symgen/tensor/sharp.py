"""The numbers of closed forms to the last digit: what code in floats loses, balls of many digits give back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    Array,
    Dim,
    Expect,
    Fold,
    Node,
    Num,
    Operator,
    Recurrence,
    Scalar,
    Sum,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.field import Ball

__all__ = ["sharpened"]

FIELDS = (Ball(160), Ball(500), Ball(2600))  # the last holds what is 1e-300 beside 1e300
MOST_NODES = 600
MOST_ENTRIES = 64
DIGITS = 1e-14
BY_EQUATIONS = ("simplex", "onehot", "orthogonal")  # floats meet them but for rounding


def sharpened(value: Any, array: Array, values: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """The value of a closed form by its code, or, where that lost digits, overflowed or is not a number, by balls."""
    if not isinstance(value, float) or not _is_small(array, values) or any(n > MOST_ENTRIES for n in sizes.values()):
        return value
    free = variables_of(array)
    found = dict(sizes)
    for v in free:
        lengths = zip(v.shape, np.shape(values[v.name]), strict=True)
        found.update({s.name: n for s, n in lengths if isinstance(s, Dim)})
    point = Point(found, {v: np.asarray(values[v.name], dtype=float) for v in free})
    exact = _by_balls(array, point)
    if exact is None or math.isfinite(value) and any(v.domain in BY_EQUATIONS for v in free):
        return value
    return exact if not abs(value - exact) <= DIGITS * abs(exact) else value


def _is_small(array: Array, values: Mapping[str, Any]) -> bool:
    nodes = list(walk(array))
    if array.rank or len(nodes) > MOST_NODES or any(isinstance(n, (Operator, Expect, Recurrence)) for n in nodes):
        return False
    if any(isinstance(n, Num) and n.rational is not None and n.rational > MOST_ENTRIES for n in _lengths(nodes)):
        return False
    names = [v.name for v in variables_of(array)]
    if any(values.get(n) is None for n in names):
        return False
    given = [np.asarray(values[n]) for n in names]
    return sum(x.size for x in given) <= MOST_ENTRIES and not any(x.dtype == np.float32 for x in given)


def _lengths(nodes: list[Node]) -> list[Scalar]:
    return [i.size for n in nodes if isinstance(n, (Sum, Fold)) for i in n.indices]


def _by_balls(array: Array, point: Point) -> float | None:
    """The nearest float; None where balls do not decide it."""
    for number in FIELDS:
        try:
            ball = evaluate([array], point, number)[0].item()
        except (NotEvaluable, ArithmeticError, ValueError):
            return None
        if ball.is_nan():
            return None
        if ball.is_finite() and ball.rel_accuracy_bits() >= 60:
            return float(ball)
        if ball.is_exact():
            return float(ball)
    return None
