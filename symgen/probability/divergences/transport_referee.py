"""The distance of two laws on the line by inverting their distribution functions as numbers: the referee of couplings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.laws.law import row_of
from symgen.probability.laws.referee import Numeric
from symgen.probability.means.grids import is_admissible, numbers_of
from symgen.probability.means.quadrature import check_value
from symgen.tensor.evaluate import NotEvaluable, Point
from symgen.tensor.expression import Array

__all__ = ["check_distance"]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)
FAR = np.concatenate([np.geomspace(1e-30, 1e-2, 90), np.geomspace(1e-2, 40, 120), np.geomspace(40, 1e9, 50)])


class Quantiles:
    """The distribution function of a density by Gauss's rule between places, and its inverse by bisection within them."""

    def __init__(self, p: Numeric) -> None:
        self.p = p
        low, high = max(p.low, -1e9), min(p.high, 1e9)
        middle = [v for v in p.parameters.values() if p.low < v < p.high] or [0.0 if math.isinf(p.low) else p.low + 1]
        sides = [(m, s) for m in middle for s in (1, -1)] + [(e, s) for e, s in ((low, 1), (high, -1)) if abs(e) < 1e9]
        places = np.concatenate([*(m + s * FAR for m, s in sides), middle])
        self.cuts = np.unique(np.concatenate([places[(places > low) & (places < high)], [low, high]]))
        mass = self.mass(self.cuts[:-1], self.cuts[1:])
        self.below = np.concatenate([[0.0], np.cumsum(mass)])
        self.above = np.concatenate([np.cumsum(mass[::-1])[::-1], [0.0]])

    def mass(self, a: Any, b: Any) -> Any:
        x = (a + b)[:, None] / 2 + (b - a)[:, None] / 2 * NODES
        with np.errstate(all="ignore"):
            y = np.exp(self.p.log_density(x.ravel())).reshape(x.shape)
        return (np.where(np.isfinite(y), y, 0) * WEIGHTS).sum(-1) * (b - a) / 2

    def at(self, u: Any, v: Any) -> Any:
        """The quantiles at u = 1 - v."""
        k = np.where(u < 0.5, np.searchsorted(self.below, u) - 1, np.searchsorted(-self.above, -v) - 1)
        k = np.clip(k, 0, len(self.cuts) - 2)
        low, high = self.cuts[k].copy(), self.cuts[k + 1].copy()
        start, rest = low.copy(), np.where(u < 0.5, u - self.below[k], self.above[k] - v)
        for _ in range(50):
            x = (low + high) / 2
            more = self.mass(start, x) < rest
            low, high = np.where(more, x, low), np.where(more, high, x)
        return (low + high) / 2


def distance(p: Numeric, q: Numeric, level: int) -> float:
    """The mean of (x - y)^2 over quantiles of one level; the coarse rule leaves the tails out, where they count."""
    h, end = ((0.05, 3.0), (0.025, 3.9))[level]
    k = np.arange(-end, end, h)
    inner = np.pi * np.sinh(k)
    u, v = 1 / (1 + np.exp(-inner)), 1 / (1 + np.exp(inner))
    w = h * np.pi * np.cosh(k) * u * v
    return float((w * (Quantiles(p).at(u, v) - Quantiles(q).at(u, v)) ** 2).sum())


def check_distance(p: Array, q: Array, result: Array, ctx: Context) -> Evidence:
    rows = row_of(p), row_of(q)

    def truth(point: Point, level: int) -> Any:
        if not all(is_admissible(law, point) for law in (p, q)):
            raise NotEvaluable("outside the domains")
        laws = []
        for law, row in zip((p, q), rows, strict=True):
            assert row is not None
            laws.append(Numeric(row, {n: float(a) for n, a in numbers_of(law, point).items()}))
        return distance(laws[0], laws[1], level)

    return check_value(truth, result, (p, q), (), ctx.facts, method="quantiles by inverting the integrals of the densities")
