"""The referee of closed forms: quadrature and summation at random parameters, from the densities alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from symgen.probability.families.distribution import Distribution
from symgen.probability.families.texts import scalar_text
from symgen.probability.laws.law import parameters_of, row_of
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import Array, Scalar, entry, fresh_index, num, open_tensor, tensor, var

Float = np.ndarray
LEVEL = 300  # nodes on each side of a piece
TAIL = 2000  # terms of an infinite sum


def scalar_at(text: str, parameters: Mapping[str, float], x: Float | None = None) -> Any:
    """The value of a text of a row at numbers; at many values of x at once."""
    places = {n: var(n, (), "real", "placeholder", uid=-21) for n in parameters}
    scope: dict[str, Scalar] = {n: entry(v) for n, v in places.items()}
    values: dict[Any, Any] = {v: np.float64(parameters[n]) for n, v in places.items()}
    if x is None:
        made = tensor((), scalar_text(text, scope))
        return float(evaluate([made], Point({}, values))[0])
    size = num(len(x))
    at = var("x", (size,), "real", "placeholder", uid=-21)
    i = fresh_index(size)
    made = tensor([i], scalar_text(text, {**scope, "x": entry(at, i)}))
    values[at] = np.asarray(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        return np.asarray(evaluate([made], Point({}, values))[0], dtype=np.float64)


def nodes(low: float, high: float, breaks: Sequence[float] = ()) -> tuple[Float, Float]:
    """Points and weights of the double-exponential rule on an interval, taken in pieces between `breaks`."""
    inside = sorted({b for b in breaks if low < b < high})
    if not inside and low == -math.inf and high == math.inf:
        inside = [0.0]
    ends = [low, *inside, high]
    xs, ws = [], []
    for a, b in pairwise(ends):
        x, w = _piece(a, b)
        xs.append(x)
        ws.append(w)
    return np.concatenate(xs), np.concatenate(ws)


def _piece(a: float, b: float) -> tuple[Float, Float]:
    h = 6.6 / LEVEL
    t = np.arange(-LEVEL, LEVEL + 1) * h
    with np.errstate(all="ignore"):
        if math.isinf(a) and math.isinf(b):
            x = np.sinh(math.pi / 2 * np.sinh(t * 0.8))
            w = 0.8 * h * math.pi / 2 * np.cosh(t * 0.8) * np.cosh(math.pi / 2 * np.sinh(t * 0.8))
        elif math.isinf(a) or math.isinf(b):
            u = t * 0.9
            r = np.exp(math.pi / 2 * np.sinh(u))
            x = a + r if math.isinf(b) else b - r
            w = 0.9 * h * math.pi / 2 * np.cosh(u) * r
        else:
            u = math.pi / 2 * np.sinh(t * 0.65)
            near = 1 / (1 + np.exp(2 * np.abs(u)))  # the distance to the nearer end, in lengths
            x = np.where(u < 0, a + (b - a) * near, b - (b - a) * near)
            w = (b - a) / 2 * h * 0.65 * math.pi / 2 * np.cosh(t * 0.65) / np.cosh(u) ** 2
    keep = np.isfinite(x) & np.isfinite(w) & (w > 0) & (x > a) & (x < b)
    return x[keep], w[keep]


class Numeric:
    """A univariate law at numbers."""

    def __init__(self, row: Distribution, parameters: Mapping[str, float]) -> None:
        self.row, self.parameters = row, dict(parameters)
        self.low, self.high = (scalar_at(t, self.parameters) for t in (row.region.low, row.region.high))
        self.discrete = row.region.kind == "integers"

    def log_density(self, x: Float) -> Float:
        return np.asarray(scalar_at(self.row.log_density, self.parameters, x))

    def nodes(self, breaks: Sequence[float] = ()) -> tuple[Float, Float]:
        """Points and weights (of counting or of length) over the support."""
        if self.discrete:
            high = self.high if math.isfinite(self.high) else self.low + TAIL
            x = np.arange(self.low, high + 1, dtype=np.float64)
            return x, np.ones_like(x)
        return nodes(self.low, self.high, [*self.parameters.values(), *breaks])

    def mean(self, f: Callable[[Float], Float], breaks: Sequence[float] = ()) -> float:
        """E f(x) by quadrature or summation."""
        x, w = self.nodes(breaks)
        with np.errstate(all="ignore"):
            p = np.exp(self.log_density(x)) * w
            value = f(x)
            terms = np.where(p > 0, p * value, 0.0)
        return float(np.sum(terms[np.isfinite(terms)]))


def numeric(law: Array, values: Mapping[Array, Any]) -> Numeric | None:
    """A law of independent scalars of rank 0 at a point."""
    row = row_of(law)
    if row is None or law.shape or not row.is_univariate or row.shapes:
        return None
    at = {n: float(evaluate([tensor((), open_tensor(a, ()))], Point({}, dict(values)))[0])
          for n, a in parameters_of(law).items()}  # fmt: skip
    return Numeric(row, at)


def close(a: float, b: float, digits: int = 7) -> bool:
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= 10.0**-digits * max(1.0, abs(a), abs(b))
