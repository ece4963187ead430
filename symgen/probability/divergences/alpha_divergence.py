"""Renyi, chi-square and Hellinger divergences: by the integral of p^alpha q^(1 - alpha)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgen.algebra.collect import written_length
from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.derivation.referee import check_equal_numeric
from symgen.probability.divergences.density_referee import leave_density_check
from symgen.probability.divergences.divergence import (
    ask_for_quadrature,
    rank_zero,
    reduce_expectation,
    reduce_kl,
    with_laws_known,
)  # fmt: skip
from symgen.probability.divergences.overlap import no_common_mass, within
from symgen.probability.divergences.pairing import Pairing, is_finite, value_of
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.forms.collect import collected, with_shifts_cancelled
from symgen.probability.forms.conditions import guarded
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.logarithms import gathered_logarithms
from symgen.probability.forms.special import with_known_signs
from symgen.probability.laws.combinators import parts_of
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.joint import DistRef, decode, divergence, expectation, inline, opened_expectation
from symgen.probability.laws.law import row_of
from symgen.probability.laws.referee import Numeric, nodes
from symgen.probability.means.grids import numbers_of
from symgen.probability.means.powers import exponential_of, lemma_for, power_integral
from symgen.probability.means.quadrature import check_value
from symgen.probability.means.support import mass_outside, without_support
from symgen.tensor import build
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import (
    HALF,
    INF,
    ONE,
    TWO,
    ZERO,
    Array,
    Operator,
    Scalar,
    Sum,
    Where,
    add,
    divide,
    entry,
    fn,
    fold,
    fresh_index,
    logic,
    mul,
    neg,
    open_tensor,
    power,
    replace_arrays,
    scalar_of,
    sub,
    var,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/divergences/alpha_divergence.py"
INTEGRAL = var("integral", (), "positive", "placeholder", uid=-61)
MOST_PARTS = 4
SOMEWHERE = "the mean is infinite for some values"


def reduce_power(op: Operator, ctx: Context) -> Array:
    """renyi, chi2 and hellinger, by the integral of p^alpha q^(1 - alpha), and that integral (`powers`).

    For alpha > 1 it is infinite where p has mass outside the support of q; for 0 < alpha < 1 it is 0 where the two have
    no mass in common.
    """
    (p, q), options = decode(op)
    p, q = with_laws_known(p, ctx), with_laws_known(q, ctx)
    alpha = {"renyi": None, "powers": None, "chi2": TWO, "hellinger": HALF}[op.name]
    if alpha is None:
        alpha = open_tensor(options["alpha"], ())
        if alpha is ONE and op.name == "renyi":
            made = divergence("KL", p, q)
            assert isinstance(made, Operator)
            ctx.trace.add("definition", op, made, reason="the limit alpha = 1 is KL")
            return reduce_kl(made, ctx)
    know = Knowledge(ctx)
    below = know.positive(sub(ONE, alpha))  # alpha < 1
    if know.positive(alpha) is not True:
        if know.negative(alpha) or alpha is ZERO:
            raise CannotDerive("the order of a Renyi divergence is positive", op, HERE)
        ctx.trace.condition("the order of the divergence is positive")
    if below is None and know.positive(sub(alpha, ONE)) is not True:
        ctx.trace.condition("the order of the divergence is not 1, where it is KL")
    pair = Pairing(p, q, ctx)

    def finish(integral: Scalar) -> Scalar:
        if op.name == "renyi":
            return divide(fn("log", integral), sub(alpha, ONE))
        if op.name == "powers":
            return integral
        return sub(integral, ONE) if op.name == "chi2" else sub(ONE, integral)

    if below is True and pair.inside is not ONE and pair.outside is ONE:
        # the mean is taken under q, whose mass lies within the support of p: E_q (p/q)^alpha
        turned = Pairing(q, p, ctx)
        mean, is_turned = turned.mean(fn("exp", mul(neg(alpha), turned.log_ratio()))), True
    else:  # E_p (p/q)^(alpha - 1)
        body, is_turned = fn("exp", mul(sub(alpha, ONE), pair.log_ratio())), False
        inside = within(pair, pair.q, pair.inside) if below is True else ONE
        if inside is None or (below is None and pair.inside is not ONE):
            raise CannotDerive(f"`{op.name}` of laws of which neither has the other's support has no rule", op, HERE)
        mean = pair.mean(where(inside, body, ZERO))
    definition = rank_zero(finish(scalar_of(mean)))
    ctx.trace.add("definition", op, definition, reason=f"the definition of {op.name}")
    disjoint = no_common_mass(pair)
    if disjoint or (pair.inside is ZERO and below is False):
        if op.name == "hellinger":
            ctx.trace.add("support", definition, rank_zero(ONE), reason="the two have no mass in common")
            ctx.trace.checks.append(lambda: Evidence("proved", method="the two have no mass in common"))
            return rank_zero(ONE)
        return without_support(definition, pair.p, pair.q, ctx, mass_outside(pair.p, pair.q, pair.in_p, pair.in_q, ctx))
    flat = overlap_of_flat(pair, alpha, ctx)
    if flat is not None and below is True:
        result = rank_zero(collected(finish(flat)))
        ctx.trace.add("overlap", definition, result, reason="both densities are constant")
        leave_power_check(pair, alpha, result, finish, ctx)
        return result
    condition = pair.inside if below is False else ONE
    single = len(pair.p.joint.factors) == len(pair.q.joint.factors) == 1
    first, second = pair.p.joint.factors[0].law, pair.q.joint.factors[0].law
    lemma = lemma_for(first, second) if single else None
    is_direct = single and not is_turned and not is_finite(pair) and (below is False or pair.inside is ONE)
    is_direct = is_direct or lemma is not None and (lemma.on_any_support or not is_turned)
    found = power_integral(first, second, alpha, ctx) if is_direct else None
    (body,), draws = opened_expectation(mean)
    outside = mass_outside(pair.p, pair.q, pair.in_p, pair.in_q, ctx) if below is False else None
    if found is not None:
        integral = exponential_of(found.logarithm)
        value = divide(found.logarithm, sub(alpha, ONE)) if op.name == "renyi" else finish(integral)
        if op.name == "renyi" and not _has_sum(value):
            value = gathered_logarithms(value)
        result = rank_zero(guarded(logic("and", condition, found.condition), _short(value, ctx.facts)))
        if found.note:
            ctx.trace.condition(found.note)
        if lemma is None:
            why, source = (
                f"the product of the powers is a density of the family {found.family}, up to a factor",
                "Nielsen & Nock (2011)",
            )
        else:
            why, source = f"the integral of the powers of two densities of the family {found.family}", lemma.source
        ctx.trace.add("family", definition, result, reason=why, source=source)
        joined = logic("and", condition, found.condition)
        ask_for_quadrature(body, draws, guarded(joined, integral), ctx, outside)
        whole = rank_zero(guarded(joined, finish(fn("exp", found.logarithm))))
        ctx.trace.checks.append(lambda: check_equal_numeric(whole, result, ctx.facts))
        return result
    if alpha is TWO and (apart := _of_parts(pair, q, definition, finish, ctx)) is not None:
        return apart
    told = list(ctx.trace.checks)
    reduced = value_of(reduce_expectation(mean, ctx))
    if below is not True and any(isinstance(n, Operator) and n.name == "E" for n in walk(reduced)):
        warned = next((n for n in ctx.trace.notes if n.startswith(SOMEWHERE)), None)
        if warned is not None:  # samples would give a number where there is none
            raise CannotDerive(f"`{op.name}` has no closed form here, and {warned}", op, HERE)
        if len(draws) != 1 or draws[0][0].rank:
            ctx.trace.notes.append("the mean that stays may be infinite: an estimate from samples does not show it")
    value = collected(finish(reduced))
    if condition is not ONE:
        value = guarded(condition, value)
    result = rank_zero(value)
    if any(isinstance(n, Operator) and n.name == "E" for n in walk(reduced)):
        order = rank_zero(alpha)
        form = rank_zero(finish(entry(INTEGRAL)))

        def powers(p: np.ndarray, q: np.ndarray, point: Point) -> np.ndarray:
            a = float(evaluate([order], point)[0])
            return np.exp(a * p + (1 - a) * q)

        def finished(x: float, point: Point) -> float:
            return float(evaluate([form], Point({}, {**point.values, INTEGRAL: np.asarray(x)}))[0])

        leave_density_check(pair, powers, finished, result, told)
    return result


def _of_parts(pair: Pairing, q: DistRef, before: Array, finish: Callable[[Scalar], Scalar], ctx: Context) -> Array | None:
    """The integral of p^2/q of a mixture p: the sum over pairs of its parts of w_i w_j E_i (p_j/q); None where a mean stays."""
    law = pair.p.joint.factors[0].law
    parts = parts_of(law) if len(pair.p.joint.factors) == 1 else None
    if not isinstance(parts, list) or len(parts) > MOST_PARTS or pair.inside is not ONE:
        return None
    (v, _) = pair.draws[0]
    sides = [Pairing(inline(one), q, ctx.quiet()) for _, one in parts]
    ratios = [replace_arrays(s.log_ratio(), {s.draws[0][0]: v}) for s in sides]
    means, values, conditions = [], [], []
    quiet = ctx.quiet()
    for i, (w, one) in enumerate(parts):
        for j in range(i, len(parts)):
            mean = expectation(rank_zero(fn("exp", ratios[j])), [(v, one)])
            assert isinstance(mean, Operator)
            value = value_of(reduce_expectation(mean, quiet))
            condition = ONE
            if isinstance(value, Where) and value.args[2] is INF:
                condition, value = value.args[:2]
            if any(isinstance(n, Operator) and n.name == "E" for n in walk(value, condition)):
                return None
            factor = mul(w, parts[j][0], ONE if i == j else TWO)
            means.append(mul(factor, scalar_of(mean)))
            values.append(mul(factor, value))
            conditions.append(condition)
    told = rank_zero(finish(add(*means)))
    ctx.trace.add("parts", before, told, reason="term by term over the parts of the mixture, by their weights")
    made = INF if INF in values else guarded(logic("and", *conditions), _short(finish(add(*values)), ctx.facts))
    ctx.trace.add("moments", told, rank_zero(made), reason="each term the integral of an exponential")
    ctx.trace.checks.extend(quiet.trace.checks)
    return rank_zero(made)


def _has_sum(x: Scalar) -> bool:
    return any(isinstance(n, Sum) for n in walk(x)) or build.has_contraction(x)


def _short(value: Scalar, facts: Facts | None) -> Scalar:
    value = with_shifts_cancelled(with_known_signs(value, facts))
    return with_shifts_cancelled(min((value, collected(value), simplify_scalar(value)), key=written_length))


def overlap_of_flat(pair: Pairing, alpha: Scalar, ctx: Context) -> Scalar | None:
    """The integral of p^alpha q^(1 - alpha) of two laws of constant density on intervals."""
    laws = [r.joint.factors[0].law for r in (pair.p, pair.q)]
    rows = [row_of(law) for law in laws]
    if any(r is None or r.name != "Uniform" for r in rows) or len(pair.p.joint.factors) != 1:
        return None
    indices = [fresh_index(s) for s in laws[0].shape]
    a, b = (parameters(law, ctx).scalars(indices) for law in laws)
    common = fn("max", sub(fn("min", a["hi"], b["hi"]), fn("max", a["lo"], b["lo"])), ZERO)
    one = mul(common, power(sub(a["hi"], a["lo"]), neg(alpha)), power(sub(b["hi"], b["lo"]), sub(alpha, ONE)))
    return fold("prod", one, indices)


def leave_power_check(pair: Pairing, alpha: Scalar, result: Array, finish: Callable[[Scalar], Scalar], ctx: Context) -> None:
    """The referee's question about an integral over what the two supports have in common, for one component."""
    laws = [pair.p.joint.factors[0].law, pair.q.joint.factors[0].law]

    def truth(point: Point, level: int) -> Any:
        ns = [numbers_of(law, point) for law in laws]
        total = 1.0
        a = float(evaluate([rank_zero(alpha)], point)[0])
        for place in np.ndindex(*next(iter(ns[0].values())).shape):
            one, two = (Numeric(FAMILIES[law.name], {k: float(x[place]) for k, x in n.items()})
                        for law, n in zip(laws, ns, strict=True))  # fmt: skip
            low, high = max(one.low, two.low), min(one.high, two.high)
            if low >= high:
                total = 0.0
                continue
            x, w = nodes(low, high)
            total *= float(np.sum(w * np.exp(a * one.log_density(x) + (1 - a) * two.log_density(x))))
        made = rank_zero(finish(entry(INTEGRAL)))
        return np.asarray(evaluate([made], Point({}, {**point.values, INTEGRAL: np.asarray(total)}))[0])

    ctx.trace.checks.append(lambda: check_value(truth, result, laws, (), ctx.facts))
