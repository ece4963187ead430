"""Predictive laws: what is left of a family when its parameter is integrated out, recognised by its form.

log(c + (x - m)^2) is a Student t, log(x + l) on the half-line a Lomax or a beta prime, lgamma(x + r) a negative
binomial.
"""

from __future__ import annotations

from symgen.calculus.gradient import gradient
from symgen.derivation.context import Context
from symgen.probability.collect import collected
from symgen.probability.conjugate import kernel_of, recognised, tidy
from symgen.probability.distribution import Distribution
from symgen.probability.distributions import FAMILIES
from symgen.probability.elimination import opened_in
from symgen.probability.knowledge import Knowledge
from symgen.probability.law import LAW
from symgen.probability.terms import depends_on_any, terms_of, with_value
from symgen.tensor.expression import (
    HALF,
    ONE,
    TWO,
    ZERO,
    Array,
    Fn,
    Scalar,
    Var,
    add,
    divide,
    entry,
    fn,
    mul,
    neg,
    open_tensor,
    operator,
    power,
    sub,
    tensor,
    variables_of,
    walk,
)  # fmt: skip


def recognised_compound(body: Scalar, z: Var, own: Distribution, ctx: Context) -> Array | None:
    """The law of a scalar z with log-density `body` up to a constant, where it is a compound family."""
    body = opened_in(body, z)
    if own.support == "real":
        return _student(body, z)
    if own.support == "positive":
        return _lomax(body, z, ctx)
    if own.support == "natural":
        return _counts(body, z, ctx)
    return None


def _split(body: Scalar, z: Var, name: str) -> tuple[list[tuple[Scalar, Scalar]], list[Scalar]]:
    """The terms c * name(argument) with z in the argument, as (c, argument), and the other terms with z."""
    is_random = depends_on_any(frozenset((z,)))
    found, rest = [], []
    for t in terms_of(body):
        if not is_random(t):
            continue
        factors = t.args if type(t).__name__ == "Mul" else (t,)
        mine = [f for f in factors if is_random(f)]
        if len(mine) == 1 and isinstance(mine[0], Fn) and mine[0].name == name:
            found.append((mul(*(f for f in factors if f is not mine[0])), mine[0].args[0]))
        else:
            rest.append(t)
    return found, rest


def derivative(x: Scalar, z: Var) -> Scalar:
    """d x / d z for a scalar z."""
    return opened_in(open_tensor(gradient(tensor((), x), [z], Context())[z], ()), z)


def _at_zero(x: Scalar, z: Var) -> Scalar:
    return collected(with_value(opened_in(x, z), z, lambda *_: ZERO))


def _student(body: Scalar, z: Var) -> Array | None:
    """-c log(q), q quadratic in z: nu = 2 c - 1, mu the vertex, nu sigma^2 = q(mu)/(q''/2)."""
    found, rest = _split(body, z, "log")
    if len(found) != 1 or rest:
        return None
    c, q = found[0]
    slope = derivative(q, z)
    bend = collected(derivative(slope, z))
    if z in variables_of(bend) or bend is ZERO:
        return None
    nu = tidy(sub(mul(TWO, neg(c)), ONE))
    mu = tidy(neg(divide(_at_zero(slope, z), bend)))
    least = tidy(sub(_at_zero(q, z), divide(mul(bend, power(mu, TWO)), TWO)))
    sigma = power(tidy(divide(mul(TWO, least), mul(bend, nu))), HALF)
    return operator("StudentT", [tensor((), nu), tensor((), mu), tensor((), sigma)], (), (LAW,))


def _lomax(body: Scalar, z: Var, ctx: Context) -> Array | None:
    """-(a + 1) log(z + l) is a Lomax."""
    found, rest = _split(body, z, "log")
    if len(found) != 1 or rest:
        return None
    c, q = found[0]
    slope = collected(derivative(q, z))
    if z in variables_of(slope) or slope is ZERO:
        return None
    alpha, lam = tidy(sub(neg(c), ONE)), tidy(divide(_at_zero(q, z), slope))
    if Knowledge(ctx).positive(lam) is False or lam is ZERO:
        return None
    return operator("Lomax", [tensor((), alpha), tensor((), lam)], (), (LAW,))


def _counts(body: Scalar, z: Var, ctx: Context) -> Array | None:
    """lgamma(z + r) - lgamma(z + 1) + c z is a negative binomial."""
    row = FAMILIES["NegativeBinomial"]
    shifts = {
        collected(sub(n.args[0], entry(z))) for n in walk(body) if isinstance(n, Fn) and n.name == "lgamma" and z in variables_of(n)
    }
    for r in shifts:
        if z in variables_of(r) or r is ONE:
            continue
        aligned = _with_argument(body, z, r)
        kernel = kernel_of(aligned, z, row, ctx)
        match = recognised(kernel, z, [row], ctx, {"r": r}) if kernel is not None else None
        if match is not None:
            return operator(row.name, [tensor((), match.parameters[n]) for n in row.parameters], (), (LAW,))
    return None


def _with_argument(body: Scalar, z: Var, r: Scalar) -> Scalar:
    """lgamma(z + r) written with r as it stands in the table's text."""
    out = []
    for t in terms_of(body):
        factors = t.args if type(t).__name__ == "Mul" else (t,)
        out.append(mul(*(
            fn("lgamma", add(entry(z), r))
            if isinstance(f, Fn) and f.name == "lgamma" and collected(sub(f.args[0], entry(z))) is r else f
            for f in factors
        )))  # fmt: skip
    return add(*out)
