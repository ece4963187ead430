"""Variances and covariances: E f g - E f E g, where these exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.divergences.divergence import densities_written, rank_zero
from symgen.probability.forms.collect import difference_of_means
from symgen.probability.forms.conditions import guarded
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import factors_of
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.counts import with_limits_at_zero
from symgen.probability.laws.densities import entry_of
from symgen.probability.laws.joint import expectation, full_law, opened_expectation
from symgen.probability.means.expectation import Expectation
from symgen.probability.means.finiteness import verdict
from symgen.probability.means.own_density import normalised_law
from symgen.probability.means.quadrature import check_value, mean_at
from symgen.tensor.evaluate import Point
from symgen.tensor.expression import (
    INF,
    NAN,
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Mul,
    Num,
    Operator,
    Pow,
    Scalar,
    Var,
    Where,
    add,
    as_coefficient,
    fn,
    fresh_index,
    logic,
    mul,
    num,
    power,
    sub,
    tensor,
    where,
)  # fmt: skip
from symgen.tensor.facts import Facts

__all__ = ["check_covariance", "reduce_variance"]


def reduce_variance(op: Operator, ctx: Context) -> Array:
    """Var f = E f f' - E f E f'."""
    bodies, draws = opened_expectation(op)
    draws = [(v, normalised_law(law, ctx)) for v, law in draws]
    f = bodies[0]
    g = bodies[1] if op.name == "Cov" else f
    rows = [fresh_index(s) for s in f.shape]
    columns = [fresh_index(s) for s in g.shape] if op.name == "Cov" or f.rank else rows
    first, second = entry_of(f, rows, ctx), entry_of(g, columns, ctx)
    indices = rows if columns is rows else [*rows, *columns]
    know = frozenset(v for v, _ in draws)
    first, second = (with_limits_at_zero(densities_written(f, know, ctx), draws) for f in (first, second))
    product = _mean(mul(first, second), draws, ctx)
    mean = _mean(first, draws, ctx)
    if product is INF and isinstance(mean, Entry):  # it may have no value at all
        found = verdict(first, draws, ctx)
        if found is not None and found.value is not None:
            mean = found.value
            ctx.trace.notes.append(found.reason)
    value = _variance_in_pieces(product, mean) if first is second else None
    if value is None:
        other = mean if second is first else _mean(second, draws, ctx)
        value = _covariance_in_pieces(product, mean, other) or difference_of_means(sub(product, mul(mean, other)))
    value = with_exponentials_apart(value, Knowledge(ctx))
    made = tensor(indices, value)
    if first is second and not indices:
        for words, body, moment in (("the mean", first, mean), ("the mean of the square", mul(first, second), product)):
            ctx.trace.add("lemma", expectation(rank_zero(body), draws), rank_zero(moment), reason=words)
    ctx.trace.add("variance", op, made, reason="Cov(f, g) = E f g - E f E g")
    parts = [tensor(rows, first), tensor(columns, second), tensor(indices, mul(first, second))]
    ctx.trace.checks.append(lambda: check_covariance(parts, draws, made, ctx.facts))
    return made


def with_exponentials_apart(x: Scalar, know: Knowledge) -> Scalar:
    """c e^u e^v/(e^u - e^v)^2 as c e^(v - u)/(1 - e^(v - u))^2 for u > v, which does not overflow."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Mul):
            return n
        for f in n.args:
            k = f.exponent.rational if isinstance(f, Pow) and isinstance(f.exponent, Num) else None
            if not isinstance(f, Pow) or k is None or k.denominator != 1 or k >= 0 or not isinstance(f.base, Add):
                continue
            terms = [as_coefficient(t) for t in f.base.args]
            if len(terms) != 2 or any(abs(c) != 1 or not isinstance(e, Fn) or e.name != "exp" for c, e in terms):
                continue
            for (c, e), (d, g) in (terms, terms[::-1]):
                gap = sub(g.args[0], e.args[0])
                if know.negative(gap) is not True and know.negative(simplify_scalar(gap)) is not True:
                    continue
                others = [h for h in n.args if isinstance(h, Fn) and h.name == "exp"]
                exponent = simplify_scalar(add(*(h.args[0] for h in others), mul(num(k), e.args[0])))
                less = power(add(num(c), mul(num(d), fn("exp", simplify_scalar(gap)))), f.exponent)
                return mul(*(h for h in n.args if h is not f and h not in others), fn("exp", exponent), less)
        return n

    return bottom_up(x, rule)


def _variance_in_pieces(square: Scalar, mean: Scalar) -> Scalar | None:
    """E f^2 - (E f)^2 where a moment does not exist everywhere: wherever E f^2 is finite, so is E f (Jensen), and where
    E f has no value the variance has none."""
    inside, undefined = mean, ZERO
    condition: Scalar = ONE
    if isinstance(mean, Where) and _is_no_number(mean.args[2]):
        condition, inside, undefined = mean.args
    elif mean is NAN:
        condition, undefined = ZERO, NAN
    outside = where(condition, INF, NAN) if undefined is NAN else INF
    if square is INF:
        return outside
    if isinstance(square, Where) and square.args[2] is INF:
        return where(square.args[0], difference_of_means(sub(square.args[1], mul(inside, inside))), outside)
    return None


def _is_no_number(x: Scalar) -> bool:
    return x is NAN or INF in factors_of(x)


def _covariance_in_pieces(product: Scalar, *means: Scalar) -> Scalar | None:
    """E f g - E f E g where all three exist, and no value elsewhere."""
    conditions: list[Scalar] = []
    insides: list[Scalar] = []
    for x in (product, *means):
        is_guarded = isinstance(x, Where) and _is_no_number(x.args[2])
        conditions.append(x.args[0] if is_guarded else ONE)
        insides.append(x.args[1] if is_guarded else x)
    if conditions[0] is ONE:
        return None
    return guarded(logic("and", *conditions), difference_of_means(sub(insides[0], mul(*insides[1:]))), NAN)


def check_covariance(parts: Sequence[Array], draws: Sequence[tuple[Var, Array]], result: Array, facts: Facts | None) -> Evidence:
    """E f g - E f E g by quadrature: `parts` are f, g and their products over the axes of the result."""
    laws = [(v, full_law(law, v.shape)) for v, law in draws]

    def truth(point: Point, level: int) -> Any:
        f, g, both = (mean_at(a, laws, point, level) for a in parts)
        if f is None or g is None or both is None:
            return None
        return both - (np.multiply.outer(f, g) if both.ndim > f.ndim or not f.ndim else f * g)

    return check_value(truth, result, [*parts, *(law for _, law in laws)], [v for v, _ in draws], facts)


def _mean(body: Scalar, draws: Sequence[tuple[Var, Array]], ctx: Context) -> Scalar:
    return Expectation(draws, ctx).mean(body).value
