"""The support step: whether one law puts mass where the other has none."""

from __future__ import annotations

from symgen.derivation.context import Context
from symgen.probability.densities import parameters
from symgen.probability.distribution import Distribution
from symgen.probability.joint import DistRef, Factor
from symgen.probability.knowledge import Knowledge
from symgen.probability.law import row_of
from symgen.probability.texts import scalar_text
from symgen.tensor.expression import (
    INF,
    ONE,
    ZERO,
    Array,
    Scalar,
    Var,
    compare,
    fold,
    fresh_index,
    logic,
    mul,
    num,
    where,
)  # fmt: skip


def inclusion(q: DistRef, p: DistRef, in_q: dict[Var, Array], in_p: dict[Var, Array], ctx: Context) -> Scalar:
    """The condition under which the support of q lies in that of p: 1 always, 0 never."""
    parts: list[Scalar] = []
    for f in q.joint.factors:
        if not set(f.variables) & set(in_q):
            continue
        new = in_q.get(f.variables[0])
        other = next((g for g in p.joint.factors if g.variables and in_p.get(g.variables[0]) is new), None)
        if other is not None:
            parts.append(_inclusion(f, other, ctx))
    return logic("and", *parts)


def _inclusion(f: Factor, g: Factor, ctx: Context) -> Scalar:
    a, b = row_of(f.law), row_of(g.law)
    if a is None or b is None:
        return ONE
    first, second = a.region, b.region
    if first.discrete != second.discrete and {first.kind, second.kind} <= {"interval", "integers"}:
        return ZERO
    if (first.kind == "interval" and second.kind == "interval") or (
        first.kind == "integers" and second.kind == "integers"
    ):
        return _within(f, a, g, b, ctx)
    return ONE


def _within(f: Factor, a: Distribution, g: Factor, b: Distribution, ctx: Context) -> Scalar:
    know = Knowledge(ctx)
    pa, pb = parameters(f.law, ctx), parameters(g.law, ctx)
    rank = len(f.law.shape)
    indices = [fresh_index(s) for s in f.law.shape]
    batch_b = indices[rank - len(g.law.shape) :] if g.law.shape else []
    scope_a = {**pa.scalars(indices), **pa.sizes()}
    scope_b = {**pb.scalars(batch_b), **pb.sizes()}
    low_a, high_a = scalar_text(a.region.low, scope_a), scalar_text(a.region.high, scope_a)
    low_b, high_b = scalar_text(b.region.low, scope_b), scalar_text(b.region.high, scope_b)
    minus = mul(num(-1), INF)
    parts: list[Scalar] = []
    for small, large in ((low_b, low_a), (high_a, high_b)):
        if small is large or small is minus or large is INF:
            continue
        if large is minus or small is INF:
            return ZERO
        parts.append(know.remaining(compare("<=", small, large)))
    condition = logic("and", *parts)
    if indices and condition.free:
        return compare("==", fold("min", _indicator(condition), indices), ONE)
    return condition


def _indicator(condition: Scalar) -> Scalar:
    return where(condition, ONE, ZERO)


__all__ = ["inclusion", "ZERO"]
