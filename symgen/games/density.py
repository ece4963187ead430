"""The density of a law of the table at a point, as a formula."""

from __future__ import annotations

from symgen.probability.law import parameters_of, row_of
from symgen.probability.texts import scalar_text
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
    total,
    where,
)

__all__ = ["density_at"]


def density_at(law: Array, point: Var) -> Scalar | None:
    """p(point), 0 outside of the support; None for a density that is not known, and for laws of whole vectors."""
    if not isinstance(law, Operator) or law.name in ("density", "Empirical", "formula"):
        return None
    row = row_of(law)
    if row is None or row.own_rank or law.rank != point.rank:
        return None
    indices = [fresh_index(size) for size in law.shape]
    x = entry(point, *indices)
    scope = {name: entry(p, *indices) for name, p in parameters_of(law).items()}
    log_density = scalar_text(row.log_density, {**scope, "x": x})
    region = row.region
    inside = []
    if region.kind == "interval":
        low, high = scalar_text(region.low, scope), scalar_text(region.high, scope)
        inside = [compare("<", a, b) for a, b in ((low, x), (x, high)) if not any(_is_infinite(end) for end in (a, b))]
    elif region.kind != "integers":
        return None
    value = fn("exp", total(log_density, indices))
    if not inside:
        return value
    holds = logic("and", *inside)
    if indices:
        holds = compare("==", fold("min", where(holds, scalar_text("1", {}), ZERO), indices), scalar_text("1", {}))
    return where(holds, value, ZERO)


def _is_infinite(end: Scalar) -> bool:
    return "inf" in str(end) if not isinstance(end, Num) else end.value == "inf"
