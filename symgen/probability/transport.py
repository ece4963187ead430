"""Optimal transport on the line: laws that are a + c z for one z are coupled by z."""

from __future__ import annotations

from symgen.derivation.context import Context
from symgen.probability.densities import parameters
from symgen.probability.divergence import rank_zero, reduce_expectation
from symgen.probability.joint import expectation
from symgen.probability.law import law_of_row, row_of
from symgen.probability.orbits import ORBITS
from symgen.probability.pairing import value_of
from symgen.probability.texts import scalar_text
from symgen.tensor.expression import (
    INF,
    TWO,
    ZERO,
    Array,
    Operator,
    Scalar,
    add,
    compare,
    entry,
    fn,
    mul,
    power,
    sub,
    tensor,
    var,
    walk,
    where,
)  # fmt: skip

__all__ = ["between_coins", "by_orbit"]


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


def between_coins(p: Array, q: Array, ctx: Context) -> Scalar | None:
    """|p - q|: what must cross from 0 to 1."""
    if any((row := row_of(law)) is None or row.name != "Bernoulli" or law.shape for law in (p, q)):
        return None
    a, b = (parameters(law, ctx).scalars(())["p"] for law in (p, q))
    return fn("abs", sub(a, b))
