"""Predictive laws: what is left of a family when its parameter is integrated out, recognised by its form.

log(c + (x - m)^2) is a Student t, log(x + l) on the half-line a Lomax or a beta prime, lgamma(x + r) a negative
binomial.
"""

from __future__ import annotations

from symgen.calculus.gradient import gradient
from symgen.derivation.context import Context
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.forms.collect import collected, multiplied_out
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import depends_on_any, factors_of, terms_of, with_value
from symgen.probability.laws.elimination import opened_in
from symgen.probability.laws.law import LAW
from symgen.probability.means.conjugate import kernel_of, recognised, tidy
from symgen.probability.means.gaussian import by_completing_the_square
from symgen.tensor.expression import (
    HALF,
    ONE,
    TWO,
    ZERO,
    Array,
    Entry,
    Fn,
    Operation,
    Operator,
    Scalar,
    Sum,
    Var,
    add,
    count_nodes,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operator,
    power,
    sub,
    substitute,
    tensor,
    total,
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
    least = min(
        tidy(sub(_at_zero(q, z), divide(mul(bend, power(mu, TWO)), TWO))),
        tidy(with_value(opened_in(q, z), z, lambda *_: mu)),
        key=count_nodes,
    )
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


# --- vectors ----------------------------------------------------------------------------------------------------------


def recognised_t(body: Scalar, z: Var, ctx: Context) -> Array | None:
    """-c logdet(S + k (z - m) (z - m)') and -c log(q + (z - m)' A (z - m)) are multivariate t's with 2 c - d degrees of
    freedom. Murphy (2012), 4.213 and 7.75."""
    if z.rank != 1:
        return None
    body = opened_in(body, z)
    is_random = depends_on_any(frozenset((z,)))
    weight: Scalar = ZERO
    form: Array | Scalar | None = None
    for t in terms_of(multiplied_out(body)):
        if not is_random(t):
            continue
        mine = [f for f in factors_of(t) if is_random(f)]
        found = _inside(mine[0]) if len(mine) == 1 else None
        if found is None or form is not None and found is not form:
            return None
        form = found
        weight = add(weight, mul(*(f for f in factors_of(t) if f is not mine[0])))
    if form is None:
        return None
    nu = tidy(sub(mul(num(-2), weight), z.shape[0]))
    made = _rank_one(form, z, nu) if isinstance(form, Array) else _quadratic(form, z, nu, ctx)
    return None if made is None else operator("MultivariateT", [tensor((), nu), *made], z.shape, (LAW,))


def _inside(f: Scalar) -> Array | Scalar | None:
    """M of logdet(M), q of log(q)."""
    if isinstance(f, Fn) and f.name == "log":
        body: Scalar = f.args[0]
        return body
    if isinstance(f, Entry) and isinstance(f.array, Operation) and f.array.name == "logdet":
        inside = f.array.operands[0]
        return inside if isinstance(inside, Array) else None
    return None


def _rank_one(matrix: Array, z: Var, nu: Scalar) -> list[Array] | None:
    """The centre and scale where the matrix is S + k (z - m) (z - m)'."""
    i, j = fresh_index(z.shape[0]), fresh_index(z.shape[0])
    at_i, at_j = entry(z, i), entry(z, j)
    square: Scalar = ZERO
    linear: dict[Scalar, Scalar] = {at_i: ZERO, at_j: ZERO}
    rest: Scalar = ZERO
    for t in split(opened_in(open_tensor(matrix, (i, j)), z), z):
        factors = factors_of(t)
        mine = [f for f in factors if z in variables_of(f)]
        others = mul(*(f for f in factors if f not in mine))
        if not mine:
            rest = add(rest, t)
        elif set(mine) == {at_i, at_j} and not others.free & {i, j}:
            square = add(square, others)
        elif mine == [at_i] and i not in others.free or mine == [at_j] and j not in others.free:
            linear[mine[0]] = add(linear[mine[0]], others)
        else:
            return None
    pull, square = collected(neg(linear[at_i])), tidy(square)
    if square is ZERO or collected(add(substitute(pull, {j: i}), linear[at_j])) is not ZERO:
        return None
    mean = collected(divide(pull, square))
    least = collected(sub(rest, mul(square, mean, substitute(mean, {j: i}))))
    return [tensor([j], mean), tensor([i, j], collected(divide(least, mul(square, nu))))]


def split(x: Scalar, z: Var) -> list[Scalar]:
    """The terms of an expression, sums that hold z taken apart too."""
    out: list[Scalar] = []
    for t in terms_of(multiplied_out(x)):
        sums = [f for f in factors_of(t) if isinstance(f, Sum) and z in variables_of(f)]
        if len(sums) != 1:
            out.append(t)
            continue
        body, indices = open_sum(sums[0])
        rest = mul(*(f for f in factors_of(t) if f is not sums[0]))
        out += [mul(rest, total(part, indices)) for part in split(body, z)]
    return out


def _quadratic(q: Scalar, z: Var, nu: Scalar, ctx: Context) -> list[Array] | None:
    """The centre and scale where q is q0 + (z - m)' H (z - m)/2: q0 = q(0) - g' inv(H) g/2, g minus the slope at 0."""
    law = by_completing_the_square(neg(q), z, ctx)
    if not isinstance(law, Operator) or law.name != "MvNormal":
        return None
    mean, covariance = law.args[0], law.args[1]
    assert isinstance(mean, Array) and isinstance(covariance, Array)
    k, m = fresh_index(z.shape[0]), fresh_index(z.shape[0])
    slope = gradient(tensor((), q), [z], Context())[z]
    pull = tensor([k], collected(neg(_at_zero(open_tensor(slope, (k,)), z))))
    bent = total(mul(open_tensor(pull, (k,)), open_tensor(covariance, (k, m)), open_tensor(pull, (m,))), [k, m])
    least = collected(sub(_at_zero(q, z), divide(bent, TWO)))
    return [mean, tensor([k, m], mul(divide(mul(TWO, least), nu), open_tensor(covariance, (k, m))))]
