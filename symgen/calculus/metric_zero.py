"""Zeros of gradients that are a metric times a distance, G(x) (c - x): where the distance vanishes.

The gradient of a bound by the parameters of a conjugate factor is Fisher's metric times what is left to the best
parameters; the metric holds trigammas, the distance is affine. Amari (1998); Hoffman et al. (2013), eq. 14.
"""

from __future__ import annotations

from symgen.algebra.equality import proved_equal
from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.tensor.build import replace_scalars
from symgen.tensor.clock import spent
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Fn,
    Index,
    Scalar,
    Var,
    depends_on,
    divide,
    entry,
    neg,
    replace_arrays,
    sub,
    tensor,
    walk,
)
from symgen.tensor.facts import NO_FACTS

SECONDS = 2.0


def zero_of_distance(x: Var, body: Scalar, axes: list[Index], ctx: Context) -> Array | None:
    """The x at which the factor of a function of its own entry vanishes, and with it the whole gradient; None where none
    does."""
    own = entry(x, *axes)
    functions = [n for n in walk(body) if isinstance(n, Fn) and n.args == (own,)]
    for f in dict.fromkeys(functions):
        distance = sub(replace_scalars(body, {f: ONE}), replace_scalars(body, {f: ZERO}))
        at_zero = replace_scalars(distance, {own: ZERO})
        slope = sub(replace_scalars(distance, {own: ONE}), at_zero)
        if slope is ZERO or depends_on(slope, x) or depends_on(at_zero, x):
            continue
        made = tensor(axes, simplify_scalar(neg(divide(at_zero, slope)), ctx.facts))
        there = replace_arrays(tensor(axes, body), {x: made})
        if proved_equal(there, tensor(axes, ZERO), ctx.facts or NO_FACTS, min(ctx.deadline, spent() + SECONDS)):
            return made
    return None
