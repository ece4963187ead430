"""The divergence of two laws of one family near each other: the remainder of its Taylor series, which loses no digits.

K(psi, phi) and its slope in phi vanish where phi = psi, so that with D = phi - psi
    K = integral over t from 0 to 1 of (1 - t) D' H(psi + t D) D,  H the second derivatives of K in phi.
The integrand is of the size of K; the closed form is a difference of terms of size 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from symgen.derivation.context import Context
from symgen.probability.divergences.divergence import reduce_kl
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.matching import derivative
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.joint import decode, divergence, expectation, inline
from symgen.probability.laws.law import make_law, row_of, value_domain
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    INF,
    ONE,
    PI,
    Add,
    Array,
    Fn,
    Num,
    Operator,
    Pow,
    Scalar,
    Var,
    Where,
    add,
    compare,
    entry,
    fn,
    fresh_index,
    logic,
    mul,
    neg,
    num,
    open_tensor,
    power,
    replace_arrays,
    scalar_of,
    sub,
    tensor,
    total,
    var,
    walk,
    where,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["Near", "near_form"]

STEP, HALF_NODES = num(Fraction(3, 20)), 21  # t = sigmoid(pi sinh u): the weights at the ends are 1e-17
NEAR = num(Fraction(1, 100))  # of the divergence, in nats
KINKS = ("abs", "sign", "max", "min", "relu", "floor")


@dataclass(frozen=True)
class Near:
    """A divergence over placeholders for the parameters: `plain` in closed form, `stable` where the laws are near; and
    as a whole, at the parameters of the laws. `places` come in pairs, of p and of q."""

    key: tuple[str, ...]
    plain: Scalar
    stable: Scalar
    places: tuple[tuple[Var, Var], ...]
    whole: Array


def near_form(op: Operator, ctx: Context) -> Near | None:
    """The form of KL(p || q) for two laws of one family, of independent scalars; None where it has none."""
    (p, q), _ = decode(op)
    if len(p.joint.factors) != 1 or len(q.joint.factors) != 1:
        return None
    laws = [r.joint.factors[0].law for r in (p, q)]
    rows = [row_of(law) for law in laws]
    row = rows[0]
    if row is None or rows[1] is not row or not row.is_univariate or row.shapes:
        return None
    if any(name in (row.region.low, row.region.high) for name in row.parameters):
        return None  # the support moves
    shape = max((law.shape for law in laws), key=len)
    indices = [fresh_index(s) for s in shape]
    quiet = ctx.quiet()
    first, second = (parameters(law, quiet).scalars(indices[len(indices) - len(law.shape) :]) for law in laws)
    names = [n for n in row.parameters if first[n] is not second[n]]
    if not names:
        return None
    domains = {n: d if d in ("positive", "unit") else "real" for n, d in row.parameters.items()}
    at = {n: var(f"{n}_p", (), d, "placeholder", uid=-71) for n, d in domains.items()}
    to = {n: var(f"{n}_q", (), at[n].domain, "placeholder", uid=-71) if n in names else v for n, v in at.items()}
    try:
        both = [make_law(row.name, list(v.values())) for v in (at, to)]
        made = divergence("KL", *(inline(law) for law in both))
        assert isinstance(made, Operator)
        plain = open_tensor(reduce_kl(made, quiet), ())
    except CannotDerive:
        return None
    pairs = [(at[n], to[n]) for n in names]
    stable = _under_the_mean(both[0], row, to, pairs)
    if stable is None or any(n is INF for n in walk(plain)):
        return None
    one = where(stable[0], stable[1], plain)
    how: dict[Var, Scalar] = {at[n]: first[n] for n in row.parameters} | {to[n]: second[n] for n in names}
    if not indices:  # means stay inside, of which the laws take arrays
        body: Scalar = replace_arrays(one, {v: tensor((), x) for v, x in how.items()})
    elif any(isinstance(n, Operator) for n in walk(one)):
        return None
    else:
        body = replace_arrays(one, {v: (lambda *_, x=x: x) for v, x in how.items()})
    whole = tensor((), total(body, indices))
    return Near((row.name, *names), plain, stable[1], tuple((at[n], to[n]) for n in names), whole)


Pairs = list[tuple[Var, Var]]


def _under_the_mean(law: Array, row: Distribution, to: dict[str, Var], pairs: Pairs) -> tuple[Scalar, Scalar] | None:
    """Where the laws are near, and the divergence there, by the second derivatives of log q below the mean, where the
    density has no kinks."""
    x = var("x", law.shape, value_domain(law), "random", uid=1)
    log_q = scalar_text(row.log_density, {**{n: entry(v) for n, v in to.items()}, "x": entry(x)})
    if any(isinstance(n, (Where, Operator)) or (isinstance(n, Fn) and n.name in KINKS) for n in walk(log_q)):
        return None
    try:
        form = neg(_second(_without_overflow(log_q), pairs))
    except (CannotDerive, TypeError):
        return None
    start, value = (scalar_of(expectation(tensor((), f), [(x, law)])) for f in (_at_equal(form, pairs), _along(form, pairs)))
    return _nearness(start, pairs), value


def _without_overflow(log_q: Scalar) -> Scalar:
    """log(1 + y^e) as softplus(e log y), whose derivatives are numbers where y^e is none; y, a power of which stands, is
    positive."""
    made: dict[Scalar, Scalar] = {}
    for n in walk(log_q):
        inside = n.args[0] if isinstance(n, Fn) and n.name == "log" else None
        if isinstance(n, Fn) and isinstance(inside, Add) and len(inside.args) == 2 and ONE in inside.args:
            y = next(t for t in inside.args if t is not ONE)
            if isinstance(y, Pow) and not isinstance(y.exponent, Num):
                made[n] = fn("softplus", mul(y.exponent, fn("log", y.base)))
    return replace_scalars(log_q, made) if made else log_q


def _second(f: Scalar, pairs: Pairs) -> Scalar:
    """D' H D, with D held apart from the place where H is taken."""
    held = [entry(_held(k)) for k in range(len(pairs))]
    slopes = [derivative(f, entry(q)) for _, q in pairs]
    return add(*(mul(num(1 if i == j else 2), held[i], held[j], derivative(slopes[i], entry(pairs[j][1])))
                 for i in range(len(pairs)) for j in range(i + 1)))  # fmt: skip


def _held(k: int) -> Var:
    return var(f"held{k}", (), "real", "placeholder", uid=-72)


def _put(form: Scalar, pairs: Pairs, places: list[Scalar]) -> Scalar:
    """D' H D with H at the places."""
    made = replace_arrays(form, {q: (lambda *_, x=x: x) for (_, q), x in zip(pairs, places, strict=True)})
    gaps = [sub(entry(q), entry(p)) for p, q in pairs]
    out: Scalar = replace_arrays(made, {_held(k): (lambda *_, x=x: x) for k, x in enumerate(gaps)})
    return out


def _at_equal(form: Scalar, pairs: Pairs) -> Scalar:
    return _put(form, pairs, [entry(p) for p, _ in pairs])


def _along(form: Scalar, pairs: Pairs) -> Scalar:
    """The integral over t of (1 - t) D' H(psi + t D) D."""
    k = fresh_index(num(2 * HALF_NODES + 1))
    u = mul(sub(k, num(HALF_NODES)), STEP)
    g = mul(PI, fn("sinh", u))
    t, rest = fn("sigmoid", g), fn("sigmoid", neg(g))
    weight = mul(PI, STEP, fn("cosh", u), t, power(rest, num(2)))
    places = [add(entry(p), mul(t, sub(entry(q), entry(p)))) for p, q in pairs]
    return total(mul(weight, _put(form, pairs, places)), [k])


def _nearness(start: Scalar, pairs: Pairs) -> Scalar:
    """Whether half of D' H D, where the laws are equal, and the steps from positive parameters are small."""
    small = [compare("<", mul(HALF, start), NEAR)]
    for p, q in pairs:
        gap = fn("abs", sub(entry(q), entry(p)))
        if p.domain in ("positive", "unit"):
            small.append(compare("<", gap, mul(HALF, entry(p))))
        if p.domain == "unit":
            small.append(compare("<", gap, mul(HALF, sub(ONE, entry(p)))))
    return logic("and", *small)
