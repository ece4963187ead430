"""f-divergences D_f(p || q) = E_q f(p/q) of a function f of one's own: by powers, by logarithms, or as bounded means."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from symgen.algebra.collect import written_length
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.series import limit
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.divergences.alpha_divergence import reduce_power
from symgen.probability.divergences.density_referee import leave_density_check
from symgen.probability.divergences.divergence import rank_zero, reduce_expectation, reduce_kl
from symgen.probability.divergences.overlap import refused, stays, within
from symgen.probability.divergences.pairing import Pairing, value_of
from symgen.probability.forms.collect import collected, multiplied_out
from symgen.probability.forms.conditions import guarded
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import factors_of, terms_of
from symgen.probability.laws.joint import DistRef, decode, divergence
from symgen.probability.means.support import mass_outside, without_support
from symgen.tensor.build import replace_scalars
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    ONE,
    ZERO,
    Array,
    Operator,
    Pow,
    Scalar,
    Var,
    add,
    as_coefficient,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    operator,
    power,
    replace_arrays,
    scalar_of,
    sub,
    tensor,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["reduce_fdiv"]

Check = Callable[[], Evidence]


def reduce_fdiv(op: Operator, ctx: Context) -> Array:
    """D_f(p || q) = E_q f(p/q), where q has mass wherever p has."""
    (p, q), options = decode(op)
    (argument,) = options["argument"]
    f = open_tensor(options["f"], ())
    pair = Pairing(q, p, ctx)
    told = list(ctx.trace.checks)
    slope = ZERO if pair.outside is ONE else _slope_far_out(f, argument, ctx)
    inside = within(pair, pair.q, pair.inside)
    if inside is None:
        raise refused("an f-divergence", op)
    ratio = fn("exp", neg(pair.log_ratio()))
    body = replace_arrays(f, {argument: lambda: ratio})
    at_zero = ZERO if inside is ONE else _limit_at_zero(f, argument, ctx)
    nested = ONE  # under which condition the whole is finite
    if at_zero is INF:
        nested = pair.inside
    elif inside is not ONE:
        body = where(inside, body, at_zero)
    mean = pair.mean(body)
    if nested is ZERO:
        ctx.trace.add("definition", op, mean, reason="the definition of an f-divergence; f(0) is infinite")
        return without_support(mean, pair.p, pair.q, ctx, mass_outside(pair.p, pair.q, pair.in_p, pair.in_q, ctx))
    if slope is ZERO:
        ctx.trace.add("definition", op, mean, reason="the definition of an f-divergence")
        if pair.is_on_one_support:
            found = by_powers(f, argument, (p, q), mean, ctx)
            if found is not None:
                return found
            if (turned_over := _by_logarithms(f, argument)) is not None:
                return _under_both(turned_over, argument, (p, q), mean, ctx)
        result = rank_zero(guarded(nested, value_of(reduce_expectation(mean, ctx))))
        return _bounded((f, argument), (p, q), result, told, ctx) if stays(result) else result
    turned = Pairing(p, q, ctx)
    within_q = within(turned, turned.q, turned.inside)
    if within_q is None:
        raise refused("an f-divergence", op)
    lost = turned.mean(where(within_q, ZERO, ONE))
    definition = rank_zero(add(scalar_of(mean), mul(slope, scalar_of(lost))))
    ctx.trace.add("definition", op, definition, reason="by definition; f'(inf), the limit of f(t)/t, where q has no mass")
    if slope is INF and turned.inside is ZERO:
        outside = mass_outside(turned.p, turned.q, turned.in_p, turned.in_q, ctx)
        return without_support(definition, turned.p, turned.q, ctx, outside)
    value = guarded(nested, value_of(reduce_expectation(mean, ctx)))
    if slope is INF:
        return rank_zero(where(turned.inside, value, INF))
    result = rank_zero(collected(add(value, mul(slope, value_of(reduce_expectation(lost, ctx))))))
    return _bounded((f, argument), (p, q), result, told, ctx) if stays(result) else result


def _bounded(form: tuple[Scalar, Var], refs: tuple[DistRef, DistRef], before: Array, told: list[Check], ctx: Context) -> Array:
    """E_q g(s) + E_p g(s) with s = p/(p + q) between 0 and 1 and g(s) = (1 - s) f(s/(1 - s)), where g is bounded."""
    f, t = form
    p, q = refs
    s, r = (entry(var(name, (), "unit", "placeholder", uid=-63)) for name in ("s", "r"))  # r = 1 - s
    try:
        ends = (_limit_at_zero(f, t, ctx), _slope_far_out(f, t, ctx))
    except CannotDerive:
        return before
    if any(e is INF or t in variables_of(e) or any(isinstance(n, Operator) for n in walk(e)) for e in ends):
        return before
    g = _in_shares(f, t, s, r, Knowledge(ctx))
    means: list[Array] = []
    for first, second, sign, outside in ((q, p, MINUS_ONE, ends[0]), (p, q, ONE, ends[1])):
        pair = Pairing(first, second, ctx)
        shared = within(pair, pair.q, pair.inside)
        if shared is None:
            return before
        z = mul(sign, pair.log_ratio())  # log p - log q
        inside = replace_scalars(g, {r: fn("sigmoid", neg(z)), s: fn("sigmoid", z)})
        means.append(pair.mean(where(shared, inside, outside)))
    result = rank_zero(add(*(scalar_of(m) for m in means)))
    why = "with s = p/(p + q), which is between 0 and 1, this is E_q g(s) + E_p g(s) for g(s) = (1 - s) f(s/(1 - s))"
    ctx.trace.add("bounded", before, result, reason=why)

    def integrand(log_p: np.ndarray, log_q: np.ndarray, point: Point) -> np.ndarray:
        z = np.clip(log_p - log_q, -300, 300)
        many = var("t", (num(len(z)),), "positive", "placeholder", uid=-64)
        i, at = fresh_index(num(len(z))), Point(point.sizes, {**point.values, many: np.exp(z)}, point.functions)
        values = evaluate([tensor([i], replace_arrays(f, {t: lambda: entry(many, i)}))], at)[0]
        here = np.where(z < 0, np.exp(log_q) * values, np.exp(log_p) * values * np.exp(-z))
        return np.where(np.isneginf(log_p) & np.isneginf(log_q), 0.0, here)

    leave_density_check(Pairing(p, q, ctx), integrand, lambda x, _: x, result, told)
    return result


def _by_logarithms(f: Scalar, t: Var) -> tuple[Scalar, Scalar] | None:
    """g and h with f(t) = t g(log t) + h(t), g of logarithms alone and not constant; None where there is no such part."""
    at = entry(t)
    turned: list[Scalar] = []
    rest: list[Scalar] = []
    for term in terms_of(multiplied_out(f)):
        factors = factors_of(term)
        left = mul(*(g for g in factors if g is not at))
        logs = replace_scalars(left, {fn("log", at): ONE})
        is_log = at in factors and logs is not left and t not in variables_of(logs)
        (turned if is_log else rest).append(left if is_log else term)
    return (add(*turned), add(*rest)) if turned else None


def _under_both(parts: tuple[Scalar, Scalar], t: Var, refs: tuple[DistRef, DistRef], before: Array, ctx: Context) -> Array:
    """E_q[p/q g(log p/q)] = E_p[g(log p/q)], the rest under q; t log t is KL(p || q), and -log t is KL(q || p)."""
    p, q = refs
    first, second = Pairing(p, q, ctx), Pairing(q, p, ctx)
    log_t = fn("log", entry(t))
    shown: list[tuple[Fraction, Array]] = []
    left: list[list[Scalar]] = [[], []]
    for k, (part, sign, pair) in enumerate(((parts[0], 1, (p, q)), (parts[1], -1, (q, p)))):
        for term in terms_of(part):
            c, rest = as_coefficient(term)
            if rest is log_t and c * sign > 0:
                shown.append((c * sign, divergence("KL", *pair)))
            elif term is not ZERO:
                left[k].append(term)
    ratio = fn("exp", neg(second.log_ratio()))
    bodies = [
        replace_scalars(add(*left[0]), {log_t: first.log_ratio()}),
        replace_arrays(add(*left[1]), {t: lambda: ratio}),
    ]
    shown += [(Fraction(1), pair.mean(body)) for pair, body in zip((first, second), bodies, strict=True) if body is not ZERO]
    both = rank_zero(add(*(mul(num(c), scalar_of(a)) for c, a in shown)))
    ctx.trace.add("weights", before, both, reason="what is weighted by p/q under q is a mean under p")
    values: list[Scalar] = []
    for c, a in shown:
        assert isinstance(a, Operator)
        values.append(mul(num(c), value_of(reduce_kl(a, ctx) if a.name == "KL" else reduce_expectation(a, ctx))))
        if values[-1] is INF:
            return rank_zero(INF)
    return rank_zero(collected(add(*values)))


def _limit_at_zero(f: Scalar, t: Var, ctx: Context) -> Scalar:
    """f(0), as the limit from the right."""
    return open_tensor(limit(rank_zero(f), t, rank_zero(ZERO), "+", ctx.quiet()), ())


def _slope_far_out(f: Scalar, t: Var, ctx: Context) -> Scalar:
    """f'(inf), the limit of f(t)/t."""
    return open_tensor(limit(rank_zero(divide(f, entry(t))), t, rank_zero(INF), "-", ctx.quiet()), ())


def _in_shares(f: Scalar, t: Var, s: Scalar, r: Scalar, know: Knowledge) -> Scalar:
    """r f(s/r), where s + r = 1, without a quotient by what may vanish if there is such a form."""
    powers = {n: mul(power(s, n.exponent), power(r, neg(n.exponent))) for n in walk(f) if isinstance(n, Pow) and n.base is entry(t)}
    apart = replace_arrays(replace_scalars(f, powers), {t: lambda: divide(s, r)})
    multiplied = multiplied_out(mul(r, apart))
    if all(know.positive(n.exponent) is True for n in walk(multiplied) if isinstance(n, Pow) and n.base in (s, r)):
        return multiplied
    whole = replace_scalars(mul(r, apart), {r: sub(ONE, s)})
    return min((simplify_scalar(whole), whole), key=written_length)


def by_powers(f: Scalar, t: Var, refs: tuple[DistRef, DistRef], before: Array, ctx: Context) -> Array | None:
    """The sum of c E_q (p/q)^a for f(t) = sum of c t^a, each by the integral of p^a q^(1 - a); None for other f."""
    p, q = refs
    know = Knowledge(ctx)
    powers: dict[Scalar, Scalar] = {}
    for term in terms_of(multiplied_out(f)):
        factors = [g for g in factors_of(term) if t in variables_of(g)]
        c = mul(*(g for g in factors_of(term) if g not in factors))
        exponent = add(
            *(g.exponent if isinstance(g, Pow) and g.base is entry(t) else ONE if g is entry(t) else INF for g in factors)
        )
        if exponent is INF or t in variables_of(exponent) or any(isinstance(n, Operator) for n in walk(c)):
            return None
        powers[exponent] = add(powers.get(exponent, ZERO), c)
    if all(e in (ZERO, ONE) for e in powers):
        return None
    value: list[Scalar] = []
    inner = ctx.quiet()
    for e, c in powers.items():
        if e in (ZERO, ONE):
            value.append(c)
            continue
        above = know.positive(e)
        if above is None and know.negative(e) is not True:
            return None
        order, (first, second) = (e, (p, q)) if above else (sub(ONE, e), (q, p))
        renyi = divergence("renyi", first, second, alpha=rank_zero(order))
        assert isinstance(renyi, Operator)
        found = value_of(reduce_power(operator("powers", renyi.args, (), renyi.attrs), inner))
        if stays(found):
            return None
        value.append(mul(c, found))
    result = rank_zero(collected(add(*value)))
    ctx.trace.checks.extend(inner.trace.checks)
    for condition in inner.trace.conditions:
        ctx.trace.condition(condition)
    ctx.trace.add("powers", before, result, reason="each power of p/q by the integral of p^a q^(1 - a)")
    return result
