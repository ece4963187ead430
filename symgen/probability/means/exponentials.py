"""Means of exponentials of a whole draw: of a quadratic form of a normal vector, of a trace and of powers of the
determinant of a Wishart matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgen.algebra.canonical import canonical
from symgen.calculus.gradient import jacobian
from symgen.derivation.context import Context
from symgen.probability.families.texts import value_text
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.scaled import apart, inverse, scale_and_core, with_inverses_met
from symgen.probability.forms.terms import depends_on_any, factors_of, opened, with_value
from symgen.probability.laws.densities import Parameters
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Array,
    Entry,
    Fn,
    Index,
    Operation,
    Operator,
    Pow,
    Scalar,
    Var,
    add,
    delta,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    open_tensor,
    operation,
    power,
    replace_arrays,
    substitute,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_psd, is_symmetric

__all__ = ["ExponentialMean", "mean_of_exponential"]


@dataclass(frozen=True)
class ExponentialMean:
    """The mean, the lemma that gave it; it is infinite where `condition` fails, or what `note` says in words."""

    value: Scalar
    lemma: str
    source: str
    condition: Scalar = ONE
    note: str = ""


def mean_of_exponential(f: Scalar, x: Var, p: Parameters, ctx: Context) -> ExponentialMean | None:
    """E f(x) of a product of exponentials and of powers of determinants; None where another form of x stands in it."""
    exponent: Scalar = ZERO
    order: Scalar = ZERO
    for g in factors_of(f):
        base, n = (g.base, g.exponent) if isinstance(g, Pow) else (g, ONE)
        if isinstance(g, Fn) and g.name == "exp":
            exponent = add(exponent, g.args[0])
        elif isinstance(base, Entry) and isinstance(base.array, Operation) and base.array.operands == (x,):
            if base.array.name != "det" or x in variables_of(n):
                return None
            order = add(order, n)
        else:
            return None
    if p.row.name in QUADRATIC and order is ZERO:
        return of_quadratic(exponent, x, p, ctx)
    return of_trace(exponent, order, x, p, ctx) if p.row.name in OF_MATRICES else None


QUADRATIC = ("MvNormal",)
BOUNDED = "the precision of the draw less the second derivative of the exponent is positive definite; infinite otherwise"


def slopes(g: Scalar, x: Var, ctx: Context) -> tuple[Array, Array, list[Index]]:
    """The first and second derivatives of a scalar by x, below axes for its free indices; and these."""
    free = sorted(g.free, key=lambda i: (i.kind, i.number))
    quiet = ctx.quiet()
    first = jacobian(tensor(free, g), x, quiet, "free")
    return first, jacobian(first, x, quiet, "free"), free


def of_quadratic(g: Scalar, x: Var, p: Parameters, ctx: Context) -> ExponentialMean | None:
    """E exp(g), g = g(mu) + b'(x - mu) - (x - mu)'K(x - mu)/2:
    exp(g(mu) + b' (inv(Sigma) + K)^-1 b/2)/sqrt(det(I + Sigma K)).
    """
    if any(x in variables_of(n) and isinstance(n, Fn | Operator) for n in walk(g)):  # functions of it, known or not
        return None
    slope, bend, free = slopes(g, x, ctx)
    if x in variables_of(bend):
        return None
    i, j = fresh_index(x.shape[0]), fresh_index(x.shape[0])
    is_random = depends_on_any(frozenset((x,)))
    K = neg(open_tensor(bend, (*free, i, j)))
    if K is ZERO:
        return None  # linear: its cumulants tell
    mu = p.scope(())["mu"]

    pull = opened(open_tensor(slope, (*free, i)), is_random)
    g = opened(g, is_random)

    def at_mean(h: Scalar) -> Scalar:
        return with_value(h, x, lambda k: mu.at(k))

    scope: dict[str, Value | Scalar] = {"Sigma": p.scope(())["Sigma"], "d": x.shape[0]}
    known = not K.free - {i, j} and is_psd(tensor([i, j], K), ctx.facts) is True
    turned = inverse_multiple(K, i, j) if known else None
    if turned is None:
        scope |= {"g": at_mean(g), "b": Value((i,), at_mean(pull)), "K": Value((i, j), K)}
        root = "logdet(eye(d) + Sigma @ K)/2" if known else "logdet(Sigma)/2 + sum(log(diagonal(cholesky(inv(Sigma) + K))))"
        made = value_text(f"g + b @ inv(inv(Sigma) + K) @ b/2 - ({root})", scope).body
    else:  # K = inv(T), and the exponent c - (x - a)'inv(T)(x - a)/2 with a = T h, h its slope at 0
        still = [with_value(h, x, lambda *_: ZERO) for h in (g, pull)]

        def times(b: Scalar) -> Value:
            return Value((i,), with_inverses_met(collected(total(mul(turned.at(i, j), substitute(b, {i: j})), [j]))))

        scope |= {"g": still[0], "h": Value((i,), still[1]), "a": times(still[1]), "u": times(at_mean(pull)), "T": turned}
        scope["c"] = value_text("g + h @ a/2", scope).body
        if canonical(scope["c"], ctx.facts) is ZERO:
            scope["c"] = ZERO
        text = "c - u @ inv(Sigma + T) @ u/2 + logdet(T)/2 - logdet(Sigma + T)/2"
        made = value_text(text, scope).body
    made = fn("exp", with_inverses_met(collected(made)))
    lemma = "the normal density times the exponential of a quadratic form is a normal density, up to a factor"
    return ExponentialMean(made, lemma, "Bishop (2006), 2.3.3", note="" if known else BOUNDED)


def inverse_multiple(K: Scalar, i: Index, j: Index) -> Value | None:
    """T with K = inv(T), where it is at hand: K a multiple of an inverse or diagonal."""
    single = apart(K, i, j)
    if single is not None:
        return Value((i, j), mul(delta(i, j), power(single, MINUS_ONE)))
    scaled = scale_and_core(tensor([i, j], K))
    scale, core = scaled if scaled is not None else (ONE, tensor([i, j], K))
    if not (isinstance(core, Operation) and core.name == "inv"):
        return None
    return Value((i, j), mul(power(scale, MINUS_ONE), entry(inverse(core), i, j)))


# --- matrices

# of X or, turned, of its inverse, which is a Wishart draw with this scale
OF_MATRICES: Mapping[str, tuple[str, bool]] = {"Wishart": ("V", False), "InverseWishart": ("inv(Psi)", True)}
MOST_FACTORS = 4  # of a power of the determinant that is written as a product


def of_trace(g: Scalar, order: Scalar, x: Var, p: Parameters, ctx: Context) -> ExponentialMean | None:
    """E det(X)^s exp(tr(A X)) = 2^(p s) det(V)^s G(nu/2 + s)/G(nu/2) det(I - 2 V A)^-(nu/2 + s), G the multivariate gamma
    function; finite where inv(V) - 2 A is positive definite and nu/2 + s > (p - 1)/2."""
    scale, turned = OF_MATRICES[p.row.name]
    y = var(f"inv_{x.name}", x.shape, "spd", "random", x.domain_args, x.uid) if turned else x
    if turned:
        g = replace_arrays(g, {operation("inv", (x,), x.shape): y})
        order = neg(order)
        if x in variables_of(g):
            return None
    k, size = x.shape[0], p.sizes()["p"]
    i, j = fresh_index(k), fresh_index(k)
    scope: dict[str, Value | Scalar] = {"s": order, "V": p.value(scale, ()), "p": size, "nu": p.value("nu", ()).body}
    know = Knowledge(ctx)
    conditions, note, outside = ONE, "", ONE
    parts: list[str] = []
    if g is not ZERO:
        slope, bend, free = slopes(g, y, ctx)
        if y in variables_of(slope) or not is_zero(bend):
            return None
        A = open_tensor(slope, (*free, i, j))
        twice = mul(TWO, A) if is_symmetric(tensor([i, j], A)) else add(A, substitute(A, {i: j, j: i}))
        scope["A"] = Value((i, j), twice)
        outside = fn("exp", opened(with_value(g, y, lambda *_: ZERO), depends_on_any(frozenset((y,)))))
        known = not A.free - {i, j} and is_psd(tensor([i, j], neg(A)), ctx.facts) is True
        note = "" if known else "inv(V) less twice the derivative of the exponent is positive definite; infinite otherwise"
        parts.append("-(nu/2 + s)*logdet(eye(p) - V @ A)" if known else
                     "-(nu + 2*s)*(logdet(V)/2 + sum(log(diagonal(cholesky(inv(V) - A)))))")  # fmt: skip
    whole = ONE
    if order is not ZERO:
        conditions = know.remaining(value_text("where(p - 1 < nu + 2*s, 1, 0)", scope).body.args[0])
        n = is_natural(order)
        if n is not None and n <= MOST_FACTORS:
            whole = value_text(f"det(V)^s*prod[j: p]({'*'.join(f'(nu - j + {2 * r})' for r in range(n))})", scope).body
        else:
            parts.append("s*logdet(V) + p*s*log(2) + sum[j: p](lgamma((nu - j)/2 + s) - lgamma((nu - j)/2))")
    made = mul(outside, whole, fn("exp", value_text(" + ".join(parts), scope).body) if parts else ONE)
    lemma = f"the density of a {p.row.name} times it is such a density, up to a factor"
    return ExponentialMean(made, lemma, "Gupta & Nagar (2000), 3.3", conditions, note)


def is_zero(a: Array) -> bool:
    return open_tensor(a, [fresh_index(s) for s in a.shape]) is ZERO
