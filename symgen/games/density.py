"""The density of a law of the table at a point, as a formula."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.derivation.context import Context
from symgen.probability.bayes.marginal import log_density_given
from symgen.probability.families.texts import scalar_text
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.joint import DistRef, Factor, Joint
from symgen.probability.laws.law import has_density, parameters_of, row_of
from symgen.tensor.expression import (
    ZERO,
    Array,
    Num,
    Operator,
    Scalar,
    Var,
    compare,
    entry,
    fn,
    fold,
    fresh_index,
    logic,
    variables_of,
    where,
)
from symgen.text.diagnostics import CannotDerive

__all__ = ["density_at", "marginal_density"]

WHOLE = ("vectors", "matrices", "sequences")  # a density above 0 at every point


def marginal_density(draws: Sequence[tuple[Var, Array]], seen: Sequence[Var], ctx: Context) -> Scalar | None:
    """The density of some of what is drawn, the rest integrated out; None where symgen has no formula for it."""
    drawn = [v for v, _ in draws]
    factors = [Factor("", (v,), tuple(u for u in drawn if u in variables_of(law)), law) for v, law in draws]
    if not all(has_density(law) for _, law in draws):
        return None
    quiet = Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline)
    try:
        log_density, _ = log_density_given(DistRef(Joint("p", tuple(factors)), tuple(seen)), seen, (), {}, quiet)
    except CannotDerive:
        return None
    return fn("exp", log_density)


def density_at(law: Array, point: Var) -> Scalar | None:
    """p(point), 0 outside of the support; None for a density that is not known, and for laws of vectors whose support the
    space of the point does not tell."""
    if not isinstance(law, Operator) or law.name in ("density", "Empirical", "formula"):
        return None
    row = row_of(law)
    if row is None or law.rank != point.rank:
        return None
    value = fn("exp", log_density_at(law, point, Context()))
    region = row.region
    if row.own_rank:
        return value if region.kind in WHOLE or region.kind == point.domain else None
    inside: list[Scalar] = []
    if region.kind == "interval":
        indices = [fresh_index(size) for size in law.shape]
        x = entry(point, *indices)
        scope = {name: entry(p, *indices) for name, p in parameters_of(law).items()}
        low, high = scalar_text(region.low, scope), scalar_text(region.high, scope)
        inside = [compare("<", a, b) for a, b in ((low, x), (x, high)) if not any(_is_infinite(end) for end in (a, b))]
    elif region.kind != "integers":
        return None
    if not inside:
        return value
    holds = logic("and", *inside)
    if indices:
        holds = compare("==", fold("min", where(holds, scalar_text("1", {}), ZERO), indices), scalar_text("1", {}))
    return where(holds, value, ZERO)


def _is_infinite(end: Scalar) -> bool:
    return "inf" in str(end) if not isinstance(end, Num) else end.value == "inf"
