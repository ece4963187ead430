"""Generalised inverse Gaussian laws, z^(p - 1) exp(-(a z + b/z)/2) on z > 0: what normal data with an unknown variance leave of a
Gamma, an Exponential or one another. Jorgensen (1982); Andrews & Mallows (1974); Park & Casella (2008)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symgen.derivation.context import Context
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.laws.law import row_of
from symgen.probability.means.conjugate import kernel_of, tidy
from symgen.probability.means.exponential_integrals import exponential_integral, log_of_product
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Array,
    Scalar,
    Var,
    add,
    divide,
    entry,
    fn,
    mul,
    neg,
    power,
    sub,
    tensor,
    total,
    var,
)  # fmt: skip

__all__ = ["Between", "generalised_inverse_gaussian"]


@dataclass(frozen=True)
class Between:
    """The parameters p, a and b of each entry, the log-density of all, and the log of the mass that it was divided by."""

    parameters: dict[str, Array]
    log_density: Scalar
    log_mass: Scalar


def generalised_inverse_gaussian(body: Scalar, z: Var, law: Array, ctx: Context) -> Between | None:
    """The law with log-density `body` up to a constant; None where it is another."""
    row = row_of(law)
    if row is None or row.support != "positive":
        return None
    kernel = kernel_of(body, z, row, ctx)
    if kernel is None:
        return None
    x = entry(z, *kernel.axes)
    log, over = fn("log", x), power(x, MINUS_ONE)
    found = kernel.statistics
    if not {x, over} <= set(found) <= {x, over, log}:
        return None
    p, a, b = add(tidy(found.get(log, ZERO)), ONE), tidy(mul(TWO, neg(found[x]))), tidy(mul(TWO, neg(found[over])))
    know = Knowledge(ctx)
    if know.positive(a) is not True or know.nonnegative(b) is not True:
        return None
    mass = _log_mass(p, a, b, ctx)
    half = add(mul(sub(p, ONE), log), neg(mul(HALF, add(mul(a, x), mul(b, over)))))
    whole = total(mass, list(kernel.axes)) if kernel.axes else mass
    density = sub(total(half, list(kernel.axes)) if kernel.axes else half, whole)
    parameters = {n: tensor(kernel.axes, collected(s)) for n, s in (("p", p), ("a", a), ("b", b))}
    return Between(parameters, density, collected(add(kernel.constant, whole)))


def _log_mass(p: Scalar, a: Scalar, b: Scalar, ctx: Context) -> Scalar:
    t = var("t", (), "positive", "placeholder", uid=-84)
    x = entry(t)
    inside = mul(power(x, sub(p, ONE)), fn("exp", neg(mul(HALF, add(mul(a, x), mul(b, power(x, MINUS_ONE)))))))
    found = exponential_integral(inside, t, 0.0, math.inf, ctx)
    if found is None:
        found = mul(TWO, power(divide(b, a), mul(HALF, p)), fn("besselk", p, power(mul(a, b), HALF)))
    return log_of_product(found)
