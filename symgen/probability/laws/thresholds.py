"""Signs of what is not seen: y = 1 where z > c. Given y, z has its law cut at c (Albert & Chib, 1993)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from symgen.derivation.context import Context
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.elimination import Question, log_joint
from symgen.probability.laws.intervals import slope_in
from symgen.probability.laws.joint import Factor
from symgen.probability.laws.law import LAW, row_of
from symgen.tensor.expression import (
    HALF,
    INF,
    ONE,
    TWO,
    ZERO,
    Array,
    Compare,
    Entry,
    Index,
    Operator,
    Scalar,
    Var,
    Where,
    add,
    compare,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    open_tensor,
    operator,
    power,
    sub,
    tensor,
    total,
    variables_of,
    where,
)  # fmt: skip

__all__ = ["cut_at_thresholds", "cut_of", "has_thresholds", "log_probability"]

Match = Callable[[Scalar, Var, Question], Array | None]


def has_thresholds(q: Question, z: Var) -> bool:
    """Whether a factor says only on which side of a number z lies."""
    return any(_cut_of(f, z, q) is not None for f in q.factors)


@dataclass(frozen=True)
class Cut:
    """What is said of z at its `axes`: y is 1 `above` the number `at`, else below it. Without that, z is Normal(mu, sigma)
    entry by entry, by the factors of `rest`."""

    rest: Question
    axes: list[Index]
    y: Scalar
    at: Scalar
    above: bool
    mu: Scalar
    sigma: Scalar


def cut_of(z: Var, q: Question, ctx: Context, match: Match) -> Cut | None:
    """The one factor that says on which side of a number z lies, and the law of z without it; None where that is not Normal."""
    cuts = [(f, found) for f in q.factors if (found := _cut_of(f, z, q)) is not None]
    if len(cuts) != 1:
        return None
    ((factor, (axes, y, at, above)),) = cuts
    rest = replace(q, factors=tuple(f for f in q.factors if f is not factor))
    law = match(log_joint(rest.factors, rest.values, ctx), z, rest) if len(rest.factors) > 1 else rest.factors[0].law
    if not isinstance(law, Operator) or law.name != "Normal":
        return None
    scope = parameters(law, ctx).scalars(axes[len(axes) - len(law.shape) :])
    return Cut(rest, axes, y, at, above, scope["mu"], scope["sigma"])


def cut_at_thresholds(z: Var, q: Question, ctx: Context, match: Match) -> Array | None:
    """The normal law of z, cut at the number on whose side it lies."""
    cut = cut_of(z, q, ctx, match)
    if cut is None:
        return None
    is_above = compare("==", cut.y, ONE if cut.above else ZERO)
    ends = where(is_above, cut.at, neg(INF)), where(is_above, INF, cut.at)
    return operator("TruncatedNormal", [tensor(cut.axes, s) for s in (cut.mu, cut.sigma, *ends)], z.shape, (LAW,))


def log_probability(cut: Cut) -> Scalar:
    """log P(y) with z integrated out: y log Phi((mu - at)/sigma) + (1 - y) log(1 - Phi), or with y turned."""
    share = divide(sub(cut.mu, cut.at), mul(cut.sigma, power(TWO, HALF)))
    above, below = (mul(HALF, add(ONE, fn("erf", x))) for x in (share, neg(share)))
    yes, no = (above, below) if cut.above else (below, above)
    return total(add(mul(cut.y, fn("log", yes)), mul(sub(ONE, cut.y), fn("log", no))), cut.axes)


def _cut_of(f: Factor, z: Var, q: Question) -> tuple[list[Index], Scalar, Scalar, bool] | None:
    """The axes of z, y there, the number at which y turns, and whether y is 1 above it."""
    row = row_of(f.law)
    if row is None or row.name != "Bernoulli" or z in f.variables or z not in variables_of(f.law):
        return None
    (seen,) = f.variables
    p = f.law.args[0]
    if not isinstance(p, Array) or p.shape != z.shape or seen.shape != z.shape:
        return None
    axes = [fresh_index(s) for s in z.shape]
    body = open_tensor(p, axes)
    if not isinstance(body, Where) or set(body.args[1:]) != {ONE, ZERO} or not isinstance(body.args[0], Compare):
        return None
    condition = body.args[0]
    if condition.op not in ("<", "<="):
        return None
    x = entry(z, *axes)
    assert isinstance(x, Entry)
    line = slope_in(sub(condition.args[1], condition.args[0]), x)
    rises = Knowledge(Context()).positive(line[0]) if line is not None else None
    if line is None or rises is None or z in variables_of(line[1]):
        return None
    value = open_tensor(q.values.get(seen, seen), axes)
    return axes, value, divide(neg(line[1]), line[0]), rises is (body.args[1] is ONE)
