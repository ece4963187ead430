"""Whether a mean or a mass exists: the integrand followed in balls to the ends of the range and to where it is singular.

A mean is infinite where p |f| does not fall off faster than the reciprocal of the distance, with one sign; it does not
exist where it is so with both signs, or where f has no value on a part of the range that has mass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from flint import arb

from symgen.probability.forms.terms import with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.referee import nodes
from symgen.tensor.evaluate import BALL, NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    ONE,
    Add,
    Array,
    Compare,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Var,
    add,
    entry,
    fn,
    fresh_index,
    mul,
    num,
    power,
    sub,
    tensor,
    var,
    variables_of,
    walk,
)  # fmt: skip

FINITE, INFINITE, MINUS_INFINITE, UNDEFINED = "finite", "inf", "-inf", "undefined"
BITS = 2600  # 1 - x must be told from 1 at x = exp(-690)
NEAR_BITS = 320
FAR = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 16384, 65536, 2**20, 2**25, 2**30)  # logarithms of the distance
NEAR = (1, 2, 4, 8, 16, 32, 64, 128, 256, 400, 550, 690)
INSIDE = (2, 4, 8, 16, 24, 32, 48, 64, 90, 120)
ENOUGH = 4  # values that make a tail
MOST_SINGULAR = 6
HUGE = 1e300
FARTHEST = 1e8  # beyond, floats overflow


@dataclass(frozen=True)
class Existence:
    """What became of an integral at a point: finite, inf, -inf, undefined, or "" where it cannot be told."""

    kind: str
    reason: str = ""


@dataclass(frozen=True)
class Range:
    """The integral of f exp(log_weight) over x from low to high, or its sum over the integers there."""

    f: Scalar
    log_weight: Scalar
    x: Var
    low: float
    high: float
    discrete: bool = False


def existence(r: Range, point: Point) -> Existence:
    """Whether the integral exists at values of the other variables."""
    whole = _Follower(r, point)
    hole = whole.hole()
    if hole is not None:
        return Existence(UNDEFINED, hole)
    signs: set[int] = set()
    reasons: list[str] = []
    for place, said in whole.places():
        found = whole.tail(place)
        if found is None:
            return Existence("")
        if found:
            signs |= found
            reasons.append(said)
    if not signs:
        return Existence(FINITE)
    where = " and where ".join(list(dict.fromkeys(reasons))[:2])
    if signs == {1}:
        return Existence(INFINITE, f"it has no bound where {where}")
    if signs == {-1}:
        return Existence(MINUS_INFINITE, f"it has no bound where {where}")
    return Existence(UNDEFINED, f"both its positive and its negative part have no bound where {where}")


@dataclass(frozen=True)
class _Place:
    """Where to go: towards `at` (an end, or a singular point from one side), `sign` the side."""

    at: Any
    sign: int
    steps: tuple[int, ...]
    bits: int


class _Follower:
    def __init__(self, r: Range, point: Point) -> None:
        self.r, self.point = replace(r, f=bottom_up(r.f, _near_one)), point
        r = self.r
        exponents = [f.args[0] for f in _factors(r.f) if isinstance(f, Fn) and f.name == "exp"]
        self.exponent = add(*exponents)
        self.rest = mul(*(f for f in _factors(r.f) if not (isinstance(f, Fn) and f.name == "exp")))

    # --- values

    def floats(self, what: Scalar, x: np.ndarray) -> np.ndarray:
        """`what` at many places."""
        count = num(len(x))
        many, i = var(f"{self.r.x.name}_places", (count,), "real", "placeholder", uid=-92), fresh_index(count)
        made = tensor([i], with_value(what, self.r.x, lambda *_: entry(many, i)))
        values = {**self.point.values, many: np.asarray(x, dtype=np.float64)}
        with np.errstate(all="ignore"):
            got = np.asarray(evaluate([made], Point(self.point.sizes, values, self.point.functions))[0])
        return np.asarray(np.broadcast_to(np.real(got), np.shape(x)), dtype=np.float64)

    def ball(self, what: Scalar, x: Any, number: Any, besides: Mapping[Var, Any] | None = None) -> Any:
        values = {**self.point.values}
        for v, given in {self.r.x: x, **(besides or {})}.items():
            values[v] = np.empty((), dtype=object)
            values[v][()] = given
        try:
            out = evaluate([tensor((), what)], Point(self.point.sizes, values, self.point.functions), number)[0]
        except (NotEvaluable, OverflowError):
            return None
        return out.reshape(-1)[0] if isinstance(out, np.ndarray) else out

    # --- holes

    def hole(self) -> str | None:
        """The part of the range where f has no value, if it has mass."""
        r = self.r
        if r.discrete:
            x = np.arange(r.low, min(r.high, r.low + 60) + 1) if math.isfinite(r.low) else np.arange(-30.0, 31.0)
            w = np.ones_like(x)
        else:
            x, w = nodes(r.low, r.high, self.breaks())
            x, w = x[::8], w[::8]
        inside = np.isfinite(self.floats(r.log_weight, x)) & (np.abs(x) < FARTHEST)
        x, w = x[inside], w[inside]
        try:
            f = self.floats(r.f, x)
        except NotEvaluable:
            return None
        number = BALL(NEAR_BITS)
        with number.working():
            truly = [k for k in np.flatnonzero(np.isnan(f)) if self.has_no_value(arb(float(x[k])), number)]
        if len(truly) < (1 if r.discrete else 3):
            return None
        with np.errstate(all="ignore"):
            weight = np.exp(self.floats(r.log_weight, x)) * w
        worst = truly[int(np.argmax(weight[truly]))]
        whole = float(np.sum(weight))
        mass = f", in a part of the range of probability {float(weight[truly].sum()) / whole:.2g}" if whole > 0 else ""
        return f"it has no value at {r.x.name} = {x[worst]:.3g}{mass}"

    def has_no_value(self, x: Any, number: Any) -> bool:
        """Whether f has no value at x: a function in it has none at either end of its argument's ball.

        A ball that is not a number alone does not say so: 1 - sigmoid(z) at z = 239 is a ball around 0, and its logarithm exists.
        """
        if not _is_nan(self.ball(self.r.f, x, number)):
            return False
        for n in walk(self.r.f):
            if not isinstance(n, Fn | Pow) or n.free or self.r.x not in variables_of(n) or not _is_nan(self.ball(n, x, number)):
                continue
            args = n.args if isinstance(n, Fn) else (n.base, n.exponent)
            at = [self.ball(a, x, number) for a in args]
            if any(a is None or _is_nan(a) for a in at):
                continue
            ends = [var(f"{self.r.x.name}_end_{k}", (), "real", "placeholder", uid=-93 - k) for k in range(len(args))]
            letters = [a if isinstance(a, Num) else entry(v) for a, v in zip(args, ends, strict=True)]
            what = fn(n.name, *letters) if isinstance(n, Fn) else power(letters[0], letters[1])
            if all(_is_nan(self.ball(what, x, number, dict(zip(ends, corner, strict=True))))
                   for corner in ([a.lower() for a in at], [a.upper() for a in at])):  # fmt: skip
                return True
        return False

    def breaks(self) -> list[float]:
        return [float(v) for v in self.point.values.values() if np.ndim(v) == 0 and math.isfinite(float(v))][:12]

    # --- tails

    def places(self) -> Iterable[tuple[_Place, str]]:
        r = self.r
        name = r.x.name
        for end, side in ((r.low, -1), (r.high, 1)):
            if math.isinf(end):
                yield _Place(end, side, FAR, NEAR_BITS), f"{name} {'grows' if side > 0 else 'falls'}"
            elif not r.discrete:
                steps, bits = (FAR, NEAR_BITS) if end == 0 else (NEAR, BITS)
                yield _Place(arb(end), -side, steps, bits), f"{name} nears {end:.4g}"
        if r.discrete:
            return
        for root, number in self.singular():
            for side in (-1, 1):
                yield _Place(root, side, INSIDE, NEAR_BITS), f"{name} nears {number:.4g}"

    def tail(self, place: _Place) -> set[int] | None:
        """The signs with which the integrand does not fall off there; None where it cannot be followed."""
        number = BALL(place.bits)
        levels: list[tuple[float, float]] = []
        signs: list[int] = []
        with number.working():
            for s in place.steps:
                if isinstance(place.at, float):
                    x = arb(s).exp() * place.sign
                    if math.isfinite(self.r.low if place.sign > 0 else self.r.high):
                        x = x + (self.r.low if place.sign > 0 else self.r.high)
                    if self.r.discrete:
                        x = x.floor()
                    reach = arb(s)
                else:
                    x, reach = place.at + arb(-s).exp() * place.sign, arb(-s)
                found = self.level(x, number)
                if found is None:
                    continue
                level = found[0] + reach
                if found[1] == 0:  # the integrand is 0 there
                    levels.append((float(s), -math.inf))
                    signs.append(0)
                elif _is_finite(level) and float(level.rad()) <= 1e-3 * max(1.0, abs(float(level.mid()))):
                    levels.append((float(s), max(-HUGE, min(HUGE, float(level.mid())))))
                    signs.append(found[1])
        if len(levels) < ENOUGH:
            return None
        if levels[-1][1] == -math.inf or falls(levels):
            return set()
        if falls(levels) is None:
            return None
        return {s for s in signs[len(signs) // 2 :] if s} or None  # a wave has both signs on the way

    def level(self, x: Any, number: Any) -> tuple[Any, int] | None:
        """log of p |f|, and the sign of f."""
        p = self.ball(self.r.log_weight, x, number)
        e = self.ball(self.exponent, x, number)
        f = self.ball(self.rest, x, number)
        if p is None or e is None or f is None:
            return None
        if bool(f == 0):
            return arb(0), 0
        size = abs(f)
        if not (_is_finite(p) and _is_finite(e) and _is_finite(size)) or not bool(size > 0):
            return None
        return p + e + size.log(), 1 if bool(f > 0) else -1

    # --- singular points inside

    def singular(self) -> list[tuple[Any, float]]:
        """Points inside the range where something that is divided by, or whose logarithm is taken, vanishes."""
        r = self.r
        span = np.concatenate([-np.geomspace(1e5, 1e-4, 60), [0.0], np.geomspace(1e-4, 1e5, 60)])
        middle = [0.0, *(b for b in self.breaks() if r.low < b < r.high)]
        if math.isfinite(r.low) and math.isfinite(r.high):
            x = np.linspace(r.low, r.high, 203)[1:-1]
        elif math.isfinite(r.low):
            x = r.low + np.geomspace(1e-4, 1e4, 200)
        elif math.isfinite(r.high):
            x = r.high - np.geomspace(1e4, 1e-4, 200)
        else:
            x = np.unique(np.concatenate([b + span for b in middle[:4]]))
        weight = np.nan_to_num(self.floats(r.log_weight, x), nan=-math.inf)
        near = sorted(range(len(x) - 1), key=lambda k: -max(weight[k], weight[k + 1]))  # where the mass is, first
        out: list[tuple[Any, float]] = []
        for g in self.critical():
            if g.free:  # it moves with a sum
                continue
            try:
                y = self.floats(g, x)
            except NotEvaluable:
                continue
            for k in near:
                if len(out) == MOST_SINGULAR:
                    return out
                if y[k] == 0 or (np.isfinite(y[k]) and np.isfinite(y[k + 1]) and (y[k] < 0) != (y[k + 1] < 0)):
                    root = self.root(g, float(x[k]), float(x[k]) if y[k] == 0 else float(x[k + 1]))
                    if root is None or not r.low < root[1] < r.high:
                        continue
                    if all(abs(root[1] - other) > 1e-12 * max(1, abs(other)) for _, other in out):
                        out.append(root)
        return out

    def critical(self) -> list[Scalar]:
        """What vanishes at a singular point: bases of powers, arguments of logarithms, borders of pieces."""
        found: dict[Scalar, None] = {}

        def take(g: Scalar) -> None:
            while True:
                if isinstance(g, Fn) and g.name in ("abs", "sqrt"):
                    g = g.args[0]
                elif isinstance(g, Pow):
                    g = g.base
                else:
                    break
            for f in _factors(g):
                if f is not g:
                    take(f)
                elif self.r.x in variables_of(f) and not (isinstance(f, Fn) and f.name == "exp"):
                    found[f] = None

        for n in walk(self.r.f, self.r.log_weight):
            if isinstance(n, Array) or self.r.x not in variables_of(n):
                continue
            if isinstance(n, Pow) and not _is_natural(n.exponent):
                take(n.base)
            elif isinstance(n, Fn) and n.name in ("log", "digamma", "lgamma"):
                take(n.args[0])
            elif isinstance(n, Fn) and n.name == "log1p":
                take(add(ONE, n.args[0]))
            elif isinstance(n, Fn) and n.name == "xlogy":
                take(n.args[1])
            elif isinstance(n, Fn) and n.name == "tan":
                take(fn("cos", n.args[0]))
            elif isinstance(n, Compare):
                take(sub(n.args[0], n.args[1]))
        return list(found)

    def root(self, g: Scalar, a: float, b: float) -> tuple[Any, float] | None:
        """A zero between a and b to NEAR_BITS, by secants."""
        number = BALL(NEAR_BITS)
        with number.working():
            lo, hi = arb(a), arb(b)
            if a == b:
                return lo, a
            f_lo, f_hi = self.ball(g, lo, number), self.ball(g, hi, number)
            for k in range(400):
                if f_lo is None or f_hi is None or not bool((f_hi - f_lo) != 0):
                    break
                mid = (lo + hi) / 2 if k % 3 == 2 else lo - f_lo * (hi - lo) / (f_hi - f_lo)
                mid = arb(mid.mid())
                f = self.ball(g, mid, number)
                if f is None:
                    return None
                if bool(f == 0) or f.contains(0):
                    return mid, float(mid)
                if bool(f * f_lo > 0):
                    lo, f_lo = mid, f
                else:
                    hi, f_hi = mid, f
                if float(abs(hi - lo).mid()) < 1e-80 * max(1.0, abs(float(mid))):
                    return mid, float(mid)
            return None


def spread(point: Point, rng: np.random.Generator) -> None:
    """Parameters of all sizes, so that a condition on them is met at some points and not at others."""
    for v, x in list(point.values.items()):
        far = 10.0 ** rng.uniform(-3, 3, np.shape(x))
        if v.domain in ("positive", "nonnegative"):
            point.values[v] = np.asarray(far)[()]
        elif v.domain == "unit":
            near = 10.0 ** rng.uniform(-4, 0, np.shape(x)) / 2
            point.values[v] = np.where(rng.random(np.shape(x)) < 0.5, near, 1 - near)[()]
        elif v.domain == "real":
            point.values[v] = np.asarray(far * np.where(rng.random(np.shape(x)) < 0.5, -1.0, 1.0))[()]


def falls(levels: Sequence[tuple[float, float]]) -> bool | None:
    """Whether the integral of exp(level) over s converges, from values at growing s: level + log s must fall."""
    last = [(s, v + math.log(s)) for s, v in levels[-3:]]
    if abs(last[-1][1]) >= HUGE / 2:
        return last[-1][1] < 0
    drops = [b[1] - a[1] for a, b in pairwise(last)]
    if all(d < -0.2 for d in drops):
        return True
    return False if all(d >= -1e-6 for d in drops) else None


def _near_one(x: Scalar) -> Scalar:
    """log(1 + u) by log1p, which keeps a u that is far below 1."""
    if isinstance(x, Fn) and x.name == "log" and isinstance(x.args[0], Add) and ONE in x.args[0].args:
        return fn("log1p", add(*(t for t in x.args[0].args if t is not ONE)))
    return x


def _factors(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Mul) else (x,)


def _is_natural(e: Scalar) -> bool:
    return isinstance(e, Num) and e.rational is not None and e.rational.denominator == 1 and e.rational > 0


def _is_nan(x: Any) -> bool:
    return x is not None and bool(x.is_nan())


def _is_finite(x: Any) -> bool:
    return x is not None and bool(x.is_finite())


__all__ = ["FINITE", "INFINITE", "MINUS_INFINITE", "UNDEFINED", "Existence", "Range", "existence", "spread"]
