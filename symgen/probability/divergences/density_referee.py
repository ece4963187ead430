"""The referee of divergences that stay open: an integral over the two densities of a scalar, whatever mean they were told by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgen.derivation.derivation import Evidence
from symgen.probability.divergences.divergence import ExpectationStays
from symgen.probability.divergences.pairing import Pairing
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.laws.law import row_of
from symgen.probability.laws.referee import Numeric, nodes
from symgen.probability.means.grids import numbers_of
from symgen.probability.means.quadrature import check_value
from symgen.tensor.evaluate import Point
from symgen.tensor.expression import Array, Operator

__all__ = ["Check", "leave_density_check", "of_js", "of_tv"]

Float = np.ndarray
Check = Callable[[], Evidence]
MOST_TERMS = 4000


def of_js(p: Float, q: Float) -> Float:
    """p/2 log(p/m) + q/2 log(q/m), m = (p + q)/2, of logarithms of densities."""
    middle = np.logaddexp(p, q) - np.log(2)
    halves = [np.where(a > -np.inf, np.exp(a) * (a - middle) / 2, 0.0) for a in (p, q)]
    return np.asarray(halves[0] + halves[1])


def of_tv(p: Float, q: Float) -> Float:
    """|p - q|/2."""
    return np.asarray(np.abs(np.exp(p) - np.exp(q)) / 2)


def leave_density_check(
    pair: Pairing,
    integrand: Callable[[Float, Float, Point], Float],
    finish: Callable[[float, Point], float],
    result: Array,
    told: list[Check],
) -> None:
    """The referee's question whether `result` is `finish` of the integral of `integrand(log p, log q)`, for laws of one
    scalar; it takes the place of those that say of a mean only that it stays. `told` are the checks before."""
    laws = [r.joint.factors[0].law for r in (pair.p, pair.q)]
    rows = [row_of(law) for law in laws]
    if any(len(r.joint.factors) != 1 for r in (pair.p, pair.q)):
        return
    if any(r is None or not r.is_univariate or r.shapes or law.shape for r, law in zip(rows, laws, strict=True)):
        return

    def truth(point: Point, level: int) -> Any:
        both = []
        for law in laws:
            assert isinstance(law, Operator)
            both.append(Numeric(FAMILIES[law.name], {n: float(a) for n, a in numbers_of(law, point).items()}))
        low, high = min(b.low for b in both), max(b.high for b in both)
        if both[0].discrete:
            x = np.arange(low, min(high, low + MOST_TERMS) + 1)
            w = np.ones_like(x)
        else:
            ends = [e for b in both for e in (b.low, b.high)]
            x, w = nodes(low, high, [*ends, *(v for b in both for v in b.parameters.values())])
            if not level:
                x, w = x[::2], 2 * w[::2]
        with np.errstate(all="ignore"):
            p, q = (np.where((x >= b.low) & (x <= b.high), b.log_density(x), -np.inf) for b in both)
            terms = integrand(p, q, point) * w
        return np.asarray(finish(float(np.sum(terms[np.isfinite(terms)])), point))

    checks = pair.ctx.trace.checks
    checks[:] = [*told, *(c for c in checks[len(told) :] if not isinstance(c, ExpectationStays))]
    checks.append(lambda: check_value(truth, result, laws, (), pair.ctx.facts))
