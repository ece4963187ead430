"""Where the integrand of a mean is not smooth, as numbers: the referee sets its nodes apart there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from symgen.probability.laws.intervals import slope_in
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, Compare, Entry, Fn, Node, Pow, Scalar, Var, entry, sub, tensor, variables_of, walk
from symgen.tensor.functions import FUNCTIONS

__all__ = ["is_kinked", "turns_of"]

MOST = 6
BROKEN = ("log", "sqrt", "xlogy", "floor", "sign", "digamma", "lgamma", "gamma")


def turns_of(body: Array, v: Var, point: Point) -> list[float]:
    """The values of a scalar draw at which what stands under a kink, a logarithm or a root in `body` vanishes; 0 where
    that is not linear in the draw."""
    if v.rank:
        return []
    x = entry(v)
    assert isinstance(x, Entry)
    found: dict[float, None] = {}
    for node in walk(body):
        for g in _under(node):
            if v not in variables_of(g):
                continue
            line = slope_in(g, x)
            at = 0.0 if line is None else _root(line, v, point)
            if at is not None:
                found.setdefault(at)
    return sorted(found)[:MOST]


def is_kinked(body: Array, drawn: Sequence[Var]) -> bool:
    """Whether something that is drawn stands under a kink, a logarithm or a root."""
    return any(not variables_of(g).isdisjoint(drawn) for node in walk(body) for g in _under(node))


def _under(node: Node) -> tuple[Scalar, ...]:
    """What has a sign of its own below a node: there the node turns."""
    if isinstance(node, Compare):
        return (sub(node.args[0], node.args[1]),)
    if isinstance(node, Pow):
        return () if _is_whole(node.exponent) else (node.base,)
    if not isinstance(node, Fn) or node.name not in FUNCTIONS:
        return ()
    if node.name in ("max", "min"):
        return (sub(node.args[0], node.args[1]),)
    return tuple(node.args) if FUNCTIONS[node.name].kinks or node.name in BROKEN else ()


def _is_whole(exponent: Scalar) -> bool:
    value = getattr(exponent, "rational", None)
    return value is not None and value.denominator == 1 and value > 0


def _root(line: tuple[Scalar, Scalar], v: Var, point: Point) -> float | None:
    slope, rest = line
    if slope.free or rest.free:
        return None
    try:
        a, b = (float(np.asarray(evaluate([tensor((), s)], point)[0])) for s in line)
    except NotEvaluable:
        return None
    at = -b / a if a else math.nan
    return at if math.isfinite(at) else None
