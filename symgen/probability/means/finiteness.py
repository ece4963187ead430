"""Whether a mean that no lemma gives is finite: asked at random parameters before it stays as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import depends_on_any, entries_in, factors_of, opened, with_value
from symgen.probability.laws.counts import with_limits_at_zero
from symgen.probability.laws.densities import entry_log_density, parameters
from symgen.probability.laws.joint import full_law, opened_expectation
from symgen.probability.laws.law import row_of
from symgen.probability.laws.own_support import on_support, ranges_of
from symgen.probability.means.existence import (
    FINITE,
    INFINITE,
    MINUS_INFINITE,
    UNDEFINED,
    Existence,
    Range,
    existence,
    spread,
)
from symgen.probability.means.grids import is_admissible
from symgen.probability.means.growth import convergence
from symgen.probability.means.own_density import own_density, shown
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    NAN,
    ONE,
    ZERO,
    Add,
    Array,
    Dim,
    Fn,
    Index,
    Operator,
    Pow,
    Scalar,
    Var,
    add,
    entry,
    fn,
    logic,
    mul,
    open_tensor,
    replace_arrays,
    substitute,
    tensor,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.sample import complete_point, generator, holds, random_point, simple_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive

NEAR_POINTS = 3
CALM = 8  # points that speak for a finite mean
ATTEMPTS = 28
UNCLEAR = 8  # points at which nothing could be told
_VALUES = {INFINITE: INF, MINUS_INFINITE: mul(MINUS_ONE, INF), UNDEFINED: NAN}
METHOD = "the integrand followed to where it may have no bound"


@dataclass(frozen=True)
class Verdict:
    """What a mean is at all points that were looked at, or a warning where it is infinite at some."""

    value: Scalar | None
    reason: str
    points: int
    warning: str = ""
    condition: Scalar | None = None  # under which it is finite, where that was found
    found: tuple[tuple[Existence, Point], ...] = ()  # what it is at points

    def evidence(self) -> Evidence:
        return Evidence("checked", points=self.points, method=METHOD)


@dataclass(frozen=True)
class _One:
    """A mean of a function of one scalar: the placeholder, its range, what is integrated."""

    x: Var
    f: Scalar
    log_weight: Scalar
    low: Scalar
    high: Scalar
    discrete: bool


def verdict(body: Scalar, draws: Sequence[tuple[Var, Array]], ctx: Context) -> Verdict | None:
    """What can be told of E body over one draw; None where nothing can."""
    if len(draws) != 1:
        return None
    try:
        one = _of_one_scalar(body, draws[0][0], draws[0][1], ctx)
    except CannotDerive:
        return None
    if one is None or any(isinstance(n, Operator) for n in walk(one.f, one.log_weight)):
        return None
    return _told(one, draws[0][1], ctx, "mean")


def verdict_of_integral(op: Operator, ctx: Context) -> Verdict | None:
    """What can be told of integral[x: a..b](f); None where nothing can."""
    one = _of_an_integral(op)
    return None if one is None else _told(one, None, ctx, "integral")


def verdict_of_series(op: Operator, ctx: Context) -> Verdict | None:
    """What can be told of sum[k: a..inf](f); None where nothing can."""
    one = _of_an_integral(op)
    return None if one is None else _told(replace(one, discrete=True), None, ctx, "sum")


def _of_an_integral(op: Operator) -> _One | None:
    if op.rank or any(isinstance(n, Operator) for a in op.operands for n in walk(a)):
        return None
    body, low, high = (open_tensor(a, ()) for a in op.operands)
    return _One(op.attrs[0][0], body, ZERO, low, high, False)


def _told(one: _One, law: Array | None, ctx: Context, name: str) -> Verdict | None:
    found: list[tuple[Existence, Point]] = []
    roots: list[Array] = [tensor((), s) for s in (one.f, one.log_weight, one.low, one.high)]
    free = sorted(frozenset().union(*(variables_of(r) for r in roots)).difference({one.x}), key=lambda v: v.serial)
    rng = generator("finite", *(v.name for v in free))
    assumptions = ctx.facts.assumptions if ctx.facts is not None else ()
    sizes = next(iter(simple_sizes(sizes_in([*roots, *([] if law is None else [law])], free), {}, assumptions, top=2)), {})
    unclear = 0
    for k in range(ATTEMPTS):
        point = random_point(free, sizes, rng, 0, assumptions)
        if point is None:
            return None
        if k >= NEAR_POINTS:
            spread(point, rng)
            if not all(holds(c, point) for c in assumptions):
                continue
        complete_point(point, roots, rng)
        try:
            if law is not None and not is_admissible(law, point):
                continue
            ends = [float(np.asarray(evaluate([r], point)[0])) for r in roots[2:]]
            if not ends[0] < ends[1] or any(math.isnan(e) for e in ends):
                continue
            told = existence(Range(one.f, one.log_weight, one.x, ends[0], ends[1], one.discrete), point)
        except (NotEvaluable, CannotDerive):
            return None
        if not told.kind:
            unclear += 1
            if unclear > UNCLEAR or not free:
                break
            continue
        found.append((told, point))
        kinds = {e.kind for e, _ in found}
        calm = len(found) >= NEAR_POINTS and kinds == {FINITE} and k >= CALM
        if not free or calm or (len(kinds) > 1 and not kinds <= {FINITE, INFINITE}):
            break
    kinds = {e.kind for e, _ in found}
    if len(kinds) == 1 and kinds <= _VALUES.keys():
        what = {INFINITE: "is infinite", MINUS_INFINITE: "is minus infinity", UNDEFINED: "does not exist"}
        (kind,) = kinds
        return Verdict(_VALUES[kind], f"the {name} {what[kind]}: {found[0][0].reason}", len(found), found=tuple(found))
    bad = [(e, p) for e, p in found if e.kind in _VALUES]
    if bad:
        e, p = bad[0]
        at = f" at {shown(p)}" if shown(p) else ""
        word = "undefined" if e.kind == UNDEFINED else "infinite"
        condition = _condition(one, found, ctx) if e.kind == INFINITE else None
        return Verdict(None, e.reason, len(found), f"the {name} is {word} for some values: {e.reason}{at}", condition, tuple(found))
    return Verdict(None, "", len(found)) if kinds == {FINITE} else None


def with_infinite_means(array: Array, values: Mapping[Var, Any], ctx: Context) -> Array:
    """The array with the means that are infinite or do not exist at these values as such: no sample shows that."""
    found: dict[Array, Array] = {}
    for n in walk(array):
        if (
            isinstance(n, Operator)
            and n.name in ("integral", "series")
            and not n.shape
            and all(v in values for v in variables_of(n) - {n.attrs[0][0]})
        ):
            one = _of_an_integral(n)
            one = one if one is None or n.name == "integral" else replace(one, discrete=True)
            if one is not None and (kind := _kind_at(one, values)) in _VALUES:
                found[n] = tensor((), _VALUES[kind])
            continue
        if not (isinstance(n, Operator) and n.name == "E" and not n.shape and all(v in values for v in free_variables(n))):
            continue
        (body, *_), draws = opened_expectation(n)
        inner = with_limits_at_zero(open_tensor(body, ()), draws)  # 0 log 0 is no hole
        one = _of_one_scalar(inner, *draws[0], ctx) if len(draws) == 1 else None
        if one is None or any(isinstance(m, Operator) for m in walk(one.f, one.log_weight)):
            continue
        if (kind := _kind_at(one, values)) in _VALUES:
            found[n] = tensor((), _VALUES[kind])
    return replace_arrays(array, found) if found else array


def _kind_at(one: _One, values: Mapping[Var, Any]) -> str:
    """What a mean or an integral is at values of all its variables."""
    point = Point(_sizes_shown(values), dict(values))
    try:
        ends = [float(np.asarray(evaluate([tensor((), e)], point)[0])) for e in (one.low, one.high)]
        if not ends[0] < ends[1]:
            return ""
        return existence(Range(one.f, one.log_weight, one.x, ends[0], ends[1], one.discrete), point).kind
    except (NotEvaluable, CannotDerive):
        return ""


def free_variables(n: Operator) -> set[Var]:
    drawn = set(n.attrs[0])
    return {v for v in variables_of(n) if v not in drawn and v.role not in ("random", "placeholder", "normaliser")}


def _sizes_shown(values: Mapping[Var, Any]) -> dict[str, int]:
    return {s.name: k for v, x in values.items() for s, k in zip(v.shape, np.shape(x), strict=False) if isinstance(s, Dim)}


def _condition(one: _One, found: Sequence[tuple[Existence, Point]], ctx: Context) -> Scalar | None:
    """When the mean is finite, by its growth at the ends; believed where it agrees with every point that was looked at."""
    know = Knowledge(ctx)
    body = add(one.log_weight, _log_size(one.f))
    minus = mul(MINUS_ONE, INF)
    ends = [(None, 1) if one.high is INF else (one.high, -1), (None, -1) if one.low is minus else (one.low, 1)]
    if one.discrete:  # a sum over a tail converges where the integral does
        ends = [(at, sign) for at, sign in ends if at is None]
    parts = [convergence(body, one.x, at, sign, know) for at, sign in ends]
    if any(p is None for p in parts):
        return None
    condition = logic("and", *(p for p in parts if p is not None))
    if any(e.kind not in (FINITE, INFINITE) or holds(condition, p) != (e.kind == FINITE) for e, p in found):
        return None
    return condition if condition not in (ONE, ZERO) else None


def _log_size(f: Scalar) -> Scalar:
    """log |f|, factor by factor."""
    out: list[Scalar] = []
    for g in factors_of(f):
        if isinstance(g, Fn) and g.name == "exp":
            out.append(g.args[0])
        elif isinstance(g, Pow):
            out.append(mul(g.exponent, fn("log", fn("abs", g.base))))
        else:
            out.append(fn("log", fn("abs", g)))
    return add(*out)


def _of_one_scalar(body: Scalar, v: Var, law: Array, ctx: Context) -> _One | None:
    law = full_law(law, v.shape)
    is_random = depends_on_any(frozenset((v,)))
    body = opened(body, is_random)
    entries = entries_in(body, frozenset((v,)))
    if entries is None or len(entries) != 1:
        return None
    x = var(v.name, (), "real", "placeholder", uid=-91)
    f = with_value(body, v, lambda *_: entry(x))
    row = row_of(law)
    if row is None:
        if not isinstance(law, Operator) or law.name != "formula":
            return None
        own = own_density(law)
        if own.range is None:
            return None
        low, high, discrete = own.range
        ends = [INF if math.isinf(e) else ZERO if e == 0 else scalar_text(str(int(e)), {}) for e in (low, high)]
        if math.isinf(low):
            ends[0] = mul(MINUS_ONE, INF)
        spans = None if discrete else ranges_of(law, ctx.quiet())
        if spans:  # where the density is 0, there is nothing to follow
            weight = with_value(on_support(own.log_f), own.x, lambda *_: entry(x))
            return _One(x, f, weight, spans[0][0], spans[-1][1], discrete)
        terms = own.log_f.args if isinstance(own.log_f, Add) else (own.log_f,)
        weight = add(*(t for t in terms if own.x in variables_of(t)))  # constants make nothing infinite
        return _One(x, f, with_value(weight, own.x, lambda *_: entry(x)), ends[0], ends[1], discrete)
    if not row.is_univariate or row.shapes or row.region.kind not in ("interval", "integers"):
        return None
    quiet = ctx.quiet()
    at = entries[0].indices
    scope = parameters(law, quiet).scalars(at)
    made = [f, entry_log_density(law, entry(x), at, quiet), *(scalar_text(t, scope) for t in (row.region.low, row.region.high))]
    free: dict[Index, Scalar] = {i: ZERO for s in made for i in s.free}
    f, weight, low_end, high_end = (substitute(s, free) if free else s for s in made)
    return _One(x, f, weight, low_end, high_end, row.region.discrete)


__all__ = ["Verdict", "verdict", "verdict_of_integral", "verdict_of_series", "with_infinite_means"]
