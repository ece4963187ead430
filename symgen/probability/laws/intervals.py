"""The probability of an interval under a law of one scalar, by its distribution function."""

from __future__ import annotations

from symgen.probability.families.distribution_functions import DISTRIBUTION_FUNCTIONS
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.laws.univariate_law import Law
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Compare,
    Entry,
    Logic,
    Mul,
    Node,
    Scalar,
    add,
    compare,
    divide,
    fn,
    mul,
    neg,
    sub,
    variables_of,
    where,
)  # fmt: skip

__all__ = ["distribution_function", "has_distribution_function", "probability_below", "probability_of", "slope_in"]


def has_distribution_function(law: Law) -> bool:
    return law.row.name in DISTRIBUTION_FUNCTIONS


def distribution_function(law: Law, v: Scalar) -> Scalar:
    """P(x <= v) for v in the range of the support; of counts at the integer below v."""
    return law.text(DISTRIBUTION_FUNCTIONS[law.row.name], x=fn("floor", v) if law.row.region.discrete else v)


def probability_below(law: Law, v: Scalar, know: Knowledge) -> Scalar:
    """P(x <= v); of counts at the integer below v."""
    low, high = (law.text(t) for t in (law.row.region.low, law.row.region.high))
    value = distribution_function(law, v)
    if high is not INF and know.positive(sub(high, v)) is not True:
        value = where(compare("<", v, high), value, ONE)
    if low is not mul(MINUS_ONE, INF) and know.positive(sub(v, low)) is not True:
        value = where(compare("<", v, low) if law.row.region.discrete else compare("<=", v, low), ZERO, value)
    return value


def probability_of(law: Law, condition: Scalar, x: Entry, know: Knowledge) -> Scalar | None:
    """P(condition) for one or two bounds on x, linear in it; None where that is not what it says."""
    if not has_distribution_function(law):
        return None
    parts = condition.args if isinstance(condition, Logic) and condition.op == "and" else (condition,)
    above: Scalar | None = None
    below: Scalar | None = None
    for part in parts:
        found = _bound(part, x, know, law.row.region.discrete)
        if found is None:
            return None
        value, is_upper = found
        if is_upper:
            below = value if below is None else fn("min", below, value)
        else:
            above = value if above is None else fn("max", above, value)
    up = ONE if below is None else probability_below(law, below, know)
    down = ZERO if above is None else probability_below(law, above, know)
    if below is None or above is None or know.nonnegative(sub(below, above)):
        return sub(up, down)
    return fn("max", sub(up, down), ZERO)


def _bound(part: Scalar, x: Entry, know: Knowledge, discrete: bool) -> tuple[Scalar, bool] | None:
    """v and whether the part says x <= v (else v < x)."""
    if not isinstance(part, Compare) or part.op not in ("<", "<="):
        return None
    slope = slope_in(sub(part.args[1], part.args[0]), x)
    if slope is None:
        return None
    upwards = know.positive(slope[0])
    if not upwards and not know.negative(slope[0]):
        return None
    v = divide(neg(slope[1]), slope[0])
    if discrete and (part.op == "<") != bool(upwards):  # x < v is x <= ceil(v) - 1; v <= x is ceil(v) - 1 < x
        v = sub(neg(fn("floor", neg(v))), ONE)
    return v, not upwards


def slope_in(g: Node, x: Entry) -> tuple[Scalar, Scalar] | None:
    """c, d with g = c x + d."""
    if not isinstance(g, Scalar):
        return None
    if x.array not in variables_of(g):
        return ZERO, g
    if g is x:
        return ONE, ZERO
    if isinstance(g, Add):
        parts = [slope_in(t, x) for t in g.args]
        if any(p is None for p in parts):
            return None
        return add(*(p[0] for p in parts if p)), add(*(p[1] for p in parts if p))
    if isinstance(g, Mul):
        random = [f for f in g.args if x.array in variables_of(f)]
        inner = slope_in(random[0], x) if len(random) == 1 else None
        if inner is None:
            return None
        rest = mul(*(f for f in g.args if f is not random[0]))
        return mul(rest, inner[0]), mul(rest, inner[1])
    return None
