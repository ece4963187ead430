"""Optimal transport on the line: laws that are a + c z for one z are coupled by z."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.divergences.divergence import rank_zero, reduce_expectation
from symgen.probability.divergences.pairing import value_of
from symgen.probability.divergences.transport_referee import check_distance
from symgen.probability.families.orbits import ORBITS
from symgen.probability.families.quantile_functions import CROSS, HEAVY, NOISES, QUANTILES, at_a_normal_level, quantile_of
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.collect import collected
from symgen.probability.forms.special import simplified
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.joint import expectation
from symgen.probability.laws.law import law_of_row, row_of
from symgen.tensor.expression import (
    INF,
    NAN,
    ONE,
    TWO,
    ZERO,
    Array,
    Fn,
    Operator,
    Scalar,
    Var,
    Where,
    add,
    compare,
    entry,
    fn,
    logic,
    mul,
    num,
    power,
    sub,
    tensor,
    var,
    walk,
    where,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["between_coins", "by_orbit", "by_quantiles"]

HERE = "symgen/probability/divergences/transport.py"
INVERTED = "the mean over the levels of quantile functions that invert a special function has no closed form"


def by_orbit(op: Operator, p: Array, q: Array, ctx: Context) -> Array | None:
    """E (a + c z - b - d z)^2 for two scalar laws of one orbit; None where they are not on one."""
    row = row_of(p)
    if row is None or row_of(q) is not row or p.shape or q.shape or row.name not in ORBITS:
        return None
    orbit = ORBITS[row.name]
    first, second = (parameters(law, ctx).scalars(()) for law in (p, q))
    if any(first[n] is not second[n] for n in row.parameters if n not in orbit.standard):
        return None
    shift, stretch = (sub(scalar_text(t, first), scalar_text(t, second)) for t in (orbit.location, orbit.scale))
    z = var("z", (), "real", "random", uid=1)
    law = law_of_row(row.name, [tensor((), scalar_text(orbit.standard.get(n, n), first)) for n in row.parameters])
    mean = expectation(rank_zero(power(add(shift, mul(stretch, entry(z))), TWO)), [(z, law)])
    assert isinstance(mean, Operator)
    ctx.trace.add("definition", op, mean, reason="both are increasing functions of one draw: the optimal coupling",
                  source="Villani (2003), 2.18")  # fmt: skip
    value = value_of(reduce_expectation(mean, ctx))
    if stretch is ZERO or not any(n is INF for n in walk(value)):
        return rank_zero(value)
    made = rank_zero(where(compare("==", stretch, ZERO), power(shift, TWO), value))  # a shift moves all by as much
    ctx.trace.add("shift", rank_zero(value), made, reason="laws of one scale are moved as a whole")
    return made


def by_quantiles(op: Operator, p: Array, q: Array, ctx: Context) -> Array | None:
    """E x^2 + E y^2 - 2 E Q_p(u) Q_q(u) for two scalar laws whose quantile functions are known; the square of their
    difference at one level, averaged over the levels, where the product has no closed mean."""
    rows = [row_of(law) for law in (p, q)]
    if p.shape or q.shape or any(r is None for r in rows):
        return None
    names = [r.name for r in rows if r is not None]
    couplings = [c for noise in QUANTILES if (c := coupled(noise, (p, q), ctx)) is not None]
    if not couplings and (at_levels := coupled("normal", (p, q), ctx, through=True)) is not None:
        couplings = [at_levels]
    if not couplings:
        return None
    quiet = ctx.quiet()
    spreads = [where_finite(value_of(reduce_expectation(m, quiet)))[0] for m in map(_mean_square, (p, q), "xy")]
    if ZERO in spreads and spreads != [ZERO, ZERO]:
        return _of_no_variance(op, (p, q)[spreads.index(ZERO)], ctx)
    known = _cross_moment(names, (p, q), ctx)
    hopeless = known is None and all(map(_is_inverted, couplings))
    if hopeless:
        chosen, closed = couplings[0], False
    elif known is None:
        couplings = [c for c in couplings if not _is_inverted(c)]
        products = ((c, reduce_expectation(_mean_of(mul(*c.at), c), quiet)) for c in couplings)
        chosen, closed = next(((c, True) for c, made in products if not _is_open(made)), (couplings[0], False))
    else:
        chosen, closed = couplings[0], True
    whole = _mean_of(power(sub(*chosen.at), TWO), chosen)
    ctx.trace.add("definition", op, whole, reason="the values of the quantile functions at one level: the optimal coupling",
                  source="Villani (2003), 2.18")  # fmt: skip
    squares: list[Scalar] = []
    for law, name in ((p, "x"), (q, "y")):
        squares.append(value_of(reduce_expectation(_mean_square(law, name), ctx if closed else quiet)))
    conditions, values = zip(*map(where_finite, squares), strict=True)
    both = logic("and", *conditions)
    told = list(ctx.trace.checks)
    if closed:
        product_of = _mean_of(mul(*chosen.at), chosen)
        if known is None:  # finite where both squares are: by Cauchy and Schwarz
            product = without_conditions(value_of(reduce_expectation(product_of, ctx)))
        else:
            product = scalar_text(known[0], _both_parameters((p, q), ctx))
            ctx.trace.add("product", product_of, rank_zero(product), reason=known[1])
        value = collected(simplified(add(*values, mul(num(-2), product))))
    else:
        value = entry(whole) if hopeless else value_of(reduce_expectation(whole, ctx))
        if hopeless:
            ctx.trace.notes.append(f"a mean stays as it is: {INVERTED}")
            ctx.trace.add("kept", whole, whole, reason=INVERTED)
        ctx.trace.checks[:] = told
    if both is ONE:
        made = rank_zero(value)
    else:
        beyond = INF
        if names[0] == names[1] and names[0] in HEAVY:
            one, other = (parameters(law, ctx).scalars(()) for law in (p, q))
            beyond = where(logic("and", *(compare("==", one[n], other[n]) for n in one)), ZERO, INF)
        elif conditions[0] is ZERO and conditions[1] is ZERO:
            raise CannotDerive("the Wasserstein distance of two laws without variance has no rule", op, HERE)
        elif conditions[0] is not ONE and conditions[1] is not ONE:
            ctx.trace.condition("one of the two laws has a variance")
        made = rank_zero(where(both, value, beyond))
    if closed:
        ctx.trace.add("collect", whole, made, reason="the square of the difference, term by term")
    if both is ONE or not closed:  # tails without variance are too long to be inverted
        ctx.trace.checks.append(lambda: check_distance(p, q, made, ctx))
    return made


def _mean_square(law: Array, name: str) -> Operator:
    v = var(name, (), "real", "random", uid=1)
    mean = expectation(rank_zero(power(entry(v), TWO)), [(v, law)])
    assert isinstance(mean, Operator)
    return mean


def _of_no_variance(op: Operator, law: Array, ctx: Context) -> Array:
    """Infinite: |x - y| >= |x| - |y|, whatever the coupling."""
    row = row_of(law)
    assert row is not None
    why = f"{row.called} has no variance, and the other law has one"
    ctx.trace.add("divergent", op, rank_zero(INF), reason=why)
    ctx.trace.notes.append(f"the distance is infinite: {why}")
    ctx.trace.checks.append(lambda: Evidence("proved", method="|x - y| is at least |x| - |y|, in the mean square"))
    return rank_zero(INF)


@dataclass(frozen=True)
class Coupling:
    """Two draws as functions of one noise."""

    noise: tuple[Var, Array]
    at: tuple[Scalar, Scalar]


def coupled(noise: str, laws: tuple[Array, Array], ctx: Context, through: bool = False) -> Coupling | None:
    """Two laws by one noise; `through` the level of a normal noise, where a quantile function takes levels."""
    texts = [quantile_of(row, noise) if (row := row_of(law)) is not None else "" for law in laws]
    if through:
        levels = [quantile_of(row, "unit") if (row := row_of(law)) is not None else "" for law in laws]
        texts = [t or at_a_normal_level(at) for t, at in zip(texts, levels, strict=True)]
    if not all(texts):
        return None
    eps = var("eps", (), "real", "random", uid=1)
    family, numbers = NOISES[noise]
    at = [scalar_text(t, {**parameters(law, ctx).scalars(()), "eps": entry(eps)}) for t, law in zip(texts, laws, strict=True)]
    return Coupling((eps, law_of_row(family, [tensor((), num(k)) for k in numbers])), (at[0], at[1]))


def _mean_of(body: Scalar, c: Coupling) -> Operator:
    made = expectation(rank_zero(body), [c.noise])
    assert isinstance(made, Operator)
    return made


def _is_inverted(c: Coupling) -> bool:
    """Whether a quantile function is the inverse of an incomplete gamma or beta function, whose products have no closed mean."""
    return any(isinstance(n, Fn) and n.name in ("igammainv", "ibetainv") for x in c.at for n in walk(x))


def _is_open(array: Array) -> bool:
    return any(isinstance(n, Operator) and n.name == "E" for n in walk(array))


def where_finite(value: Scalar) -> tuple[Scalar, Scalar]:
    """The condition under which a moment is finite, and its value there."""
    if isinstance(value, Where) and value.args[2] is INF:
        return value.args[0], value.args[1]
    return (ZERO, value) if value is INF else (ONE, value)


def without_conditions(value: Scalar) -> Scalar:
    """A value of which the conditions of existence are known to hold."""

    def rule(n: Scalar) -> Scalar:
        return n.args[1] if isinstance(n, Where) and n.args[2] in (INF, NAN) else n

    return bottom_up(value, rule)


def _both_parameters(laws: tuple[Array, Array], ctx: Context) -> dict[str, Scalar]:
    return {f"{n}{k}": x for k, law in enumerate(laws, 1) for n, x in parameters(law, ctx).scalars(()).items()}


def _cross_moment(names: list[str], laws: tuple[Array, Array], ctx: Context) -> tuple[str, str] | None:
    """The text of the mean of the product over the parameters with 1 and 2 behind, in the order of the laws."""
    found = CROSS.get((names[0], names[1]))
    if found is not None:
        return found
    turned = CROSS.get((names[1], names[0]))
    if turned is None:
        return None
    swapped = {"1": "2", "2": "1"}
    return re.sub(r"(?<=[A-Za-z])([12])\b", lambda m: swapped[m[1]], turned[0]), turned[1]


def between_coins(p: Array, q: Array, ctx: Context) -> Scalar | None:
    """|p - q|: what must cross from 0 to 1."""
    if any((row := row_of(law)) is None or row.name != "Bernoulli" or law.shape for law in (p, q)):
        return None
    a, b = (parameters(law, ctx).scalars(())["p"] for law in (p, q))
    return fn("abs", sub(a, b))
