"""sum[k: a..inf](f): infinite, in closed form, or as it was."""

from __future__ import annotations

from symgen.calculus.closed_sum import closed_sum
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import with_value
from symgen.probability.laws.densities import with_densities_written
from symgen.probability.means.finiteness import verdict_of_series
from symgen.tensor.expression import (
    INF,
    NAN,
    ONE,
    Array,
    Operator,
    add,
    entry,
    open_tensor,
    tensor,
    var,
    walk,
    where,
)
from symgen.tensor.facts import is_nonnegative


def reduce_series(op: Operator, ctx: Context) -> Array:
    """An infinite sum in closed form; infinite where it is so, and the sum as it was where neither is found."""
    op = with_densities_written(op, ctx.quiet())
    told = verdict_of_series(op, ctx) if _has_no_sign_change(op, ctx) else None
    if told is not None and told.value is INF:
        made = tensor((), INF)
        ctx.trace.add("divergent", op, made, reason=told.reason)
        ctx.trace.checks.append(told.evidence)
        return made
    body, low = (open_tensor(a, ()) for a in op.operands[:2])
    found = closed_sum(body, op.attrs[0][0], low, ctx.facts)
    if isinstance(found, str):
        ctx.trace.notes.append(f"the sum stays: {found}")
        return op
    value, condition, points = found
    condition = Knowledge(ctx).remaining(condition)
    bad = {e.kind for e, _ in told.found} - {"finite"} if told is not None else set()
    made = tensor((), value if condition is ONE else where(condition, value, INF if bad == {"inf"} else NAN))
    ctx.trace.add("series", op, made, reason=f"confirmed by summation at {points} points")
    ctx.trace.checks.append(lambda: Evidence("checked", digits=12, points=points, method="summation"))
    return made


def _has_no_sign_change(op: Operator, ctx: Context) -> bool:
    """Whether the terms are never negative: of others a few values do not tell what they come to."""
    body, low = (open_tensor(a, ()) for a in op.operands[:2])
    if any(isinstance(n, Operator) for n in walk(body)):
        return False
    steps = entry(var("j", (), "natural", "placeholder", uid=-81))
    return is_nonnegative(with_value(body, op.attrs[0][0], lambda *_: add(low, steps)), ctx.facts) is True


REDUCERS = {"series": reduce_series}

__all__ = ["REDUCERS"]
