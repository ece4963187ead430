"""What the parameters of the laws in an expression must satisfy for it to speak of laws at all: lo < hi, nu > p - 1."""

from __future__ import annotations

from symgen.derivation.context import Context
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.law import batch_shape, row_of
from symgen.tensor.build import fresh
from symgen.tensor.expression import Array, Compare, Logic, Operator, Scalar, Where, variables_of, walk

__all__ = ["proper_conditions"]


def proper_conditions(array: Array) -> list[Scalar]:
    """The conditions on scalar parameters, each once."""
    out: dict[Scalar, None] = {}
    for law in walk(array):
        row = row_of(law) if isinstance(law, Operator) else None
        if row is None or batch_shape(law) or not variables_of(law):
            continue
        for text in (row.order, row.proper):
            if not text:
                continue
            body = parameters(law, Context()).value(f"where({text}, 1, 0)", fresh(())).body
            condition = body.args[0] if isinstance(body, Where) else None
            if isinstance(condition, Compare | Logic) and all(not v.rank for v in variables_of(condition)):
                out.setdefault(condition)
    return list(out)
