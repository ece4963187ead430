"""Means over counts: g log g is 0 where g is 0, as its limit is."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.probability.families.distribution import Distribution
from symgen.probability.forms.terms import depends_on_any, factors_of
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.law import row_of
from symgen.tensor.expression import (
    ONE,
    TWO,
    ZERO,
    Array,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Var,
    compare,
    divide,
    fn,
    mul,
    where,
)  # fmt: skip

__all__ = ["with_limits_at_zero"]


def with_limits_at_zero(body: Scalar, draws: Sequence[tuple[Var, Array]]) -> Scalar:
    """`body` with the products of a power of a factor g and a logarithm that is singular where g = 0 as their limits,
    for draws that may be 0 with positive probability."""
    counts = frozenset(v for v, law in draws if _may_be_zero(row_of(law)))
    if not counts:
        return body
    is_random = depends_on_any(counts)

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Mul):
            return n
        for f in n.args:
            base, order = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
            if not (isinstance(base, Fn) and base.name == "log" and is_random(base) and _is_positive(order)):
                continue
            zeros = {_base(g) for g in factors_of(base.args[0])}
            for g in n.args:
                inner = _base(g)
                if g is f or inner not in zeros or not is_random(inner) or not _is_positive(_exponent(g)):
                    continue
                rest = mul(*(h for h in n.args if h is not f and h is not g))
                if order is ONE and (_exponent(g) is ONE or _exponent(g) is TWO):
                    return rule(mul(rest, divide(g, inner), fn("xlogy", inner, base.args[0])))
                return where(compare("==", inner, ZERO), ZERO, mul(rest, f, g))
        return n

    return bottom_up(body, rule)


def _base(g: Scalar) -> Scalar:
    return g.base if isinstance(g, Pow) else g


def _exponent(g: Scalar) -> Scalar:
    return g.exponent if isinstance(g, Pow) else ONE


def _is_positive(e: Scalar) -> bool:
    return isinstance(e, Num) and e.rational is not None and e.rational > 0


def _may_be_zero(row: Distribution | None) -> bool:
    return row is not None and row.region.kind in ("integers", "counts", "onehot") and row.region.low != "1"
