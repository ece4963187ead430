"""Integrals that somebody asks for: whether one exists is told before what it is."""

from __future__ import annotations

from symgen.calculus.integral import reduce_integral
from symgen.derivation.context import Context
from symgen.probability.forms.walks import bottom_up
from symgen.probability.means.finiteness import verdict_of_integral
from symgen.tensor.expression import INF, NAN, ZERO, Array, Operator, Pow, Scalar, open_tensor, tensor, where
from symgen.tensor.facts import Facts, is_positive


def reduce_asked_integral(op: Operator, ctx: Context) -> Array:
    """integral[x: a..b](f) in closed form where it exists; infinite or undefined where it is so at all values, and beside
    the condition under which it is finite. A closed form that holds for some values, nobody knows which, is not given."""
    found = verdict_of_integral(op, ctx)
    if found is None or (found.value is None and not found.warning):
        return reduce_integral(op, ctx)
    if found.value is NAN:  # sin(x)/x has no integral over absolute values, and an improper one
        ctx.trace.notes.append(found.reason)
        return reduce_integral(op, ctx)
    if found.value is not None:
        made = tensor((), found.value)
        ctx.trace.add("divergent", op, made, reason=found.reason)
        ctx.trace.checks.append(found.evidence)
        return made
    if found.condition is None:
        ctx.trace.notes.append(f"the integral stays: {found.warning}")
        return op
    closed = reduce_integral(op, ctx)
    if closed is op:
        return op
    condition = found.condition
    inside = Facts((*(ctx.facts.assumptions if ctx.facts is not None else ()), condition))
    value = bottom_up(open_tensor(closed, ()), lambda x: ZERO if _is_zero_power(x, inside) else x)
    made = tensor((), where(condition, value, INF))
    ctx.trace.add("existence", closed, made, reason="the condition under which the integral is finite")
    ctx.trace.checks.append(found.evidence)
    return made


def _is_zero_power(x: Scalar, facts: Facts) -> bool:
    """0^a where a is positive."""
    return isinstance(x, Pow) and x.base is ZERO and is_positive(x.exponent, facts) is True


REDUCERS = {"integral": reduce_asked_integral}

__all__ = ["REDUCERS"]
