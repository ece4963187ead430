"""Jensen-Shannon, total variation and f-divergences: by what two laws have in common.

The total variation is P - Q of where p > q: for laws on the line, of the intervals between the points where they cross.
"""

from __future__ import annotations

from collections.abc import Callable

from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.divergences.density_referee import leave_density_check, of_js, of_tv
from symgen.probability.divergences.divergence import ask_for_quadrature, rank_zero, reduce_expectation
from symgen.probability.divergences.pairing import Pairing, kinds_differ, value_of
from symgen.probability.families.distribution_functions import SYMMETRIC
from symgen.probability.families.power_integrals import WITHIN_FAMILY
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.terms import TooManyTerms, depends_on_any, expanded, normalised, opened
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.cut_counts import ends_of_counts, is_cut
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.intervals import distribution_function, has_distribution_function, slope_in
from symgen.probability.laws.joint import DistRef, decode, opened_expectation
from symgen.probability.laws.law import row_of
from symgen.probability.laws.own_support import inside_of, ranges_of
from symgen.probability.laws.univariate_law import Law
from symgen.tensor.expression import (
    HALF,
    INF,
    MINUS_ONE,
    NAN,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Mul,
    Num,
    Operator,
    Pow,
    Scalar,
    Where,
    add,
    as_coefficient,
    compare,
    divide,
    entry,
    fn,
    logic,
    mul,
    neg,
    num,
    open_tensor,
    power,
    replace_arrays,
    scalar_of,
    sub,
    var,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_nonnegative
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/divergences/overlap.py"
NOTHING_SHARED = "the two have no mass in common"


def no_common_mass(pair: Pairing) -> bool:
    """Whether where one law has mass the other has none."""
    return kinds_differ(pair) or _are_apart(pair) or (_add_up(pair) and pair.inside is ZERO is pair.outside)


def _add_up(pair: Pairing) -> bool:
    """Whether both laws are of counts with a fixed sum: they share all their values or none."""
    rows = [row_of(f.law) for r in (pair.p, pair.q) for f in r.joint.factors]
    return len(rows) == 2 and all(r is not None and r.region.total for r in rows)


def _are_apart(pair: Pairing) -> bool:
    """Whether the supports of two laws of scalars lie beside each other."""
    ends = []
    for ref in (pair.p, pair.q):
        law = ref.joint.factors[0].law
        row = row_of(law)
        single = len(ref.joint.factors) == 1 and row is not None and row.is_univariate and not row.shapes and not law.shape
        if not single or row is None or row.region.kind not in ("interval", "integers"):
            return False
        scope = parameters(law, pair.ctx.quiet()).scalars(())
        ends.append([scalar_text(t, scope) for t in (row.region.low, row.region.high)])
    know = Knowledge(pair.ctx)
    return any(
        high is not INF and low is not mul(MINUS_ONE, INF) and know.positive(sub(low, high)) is True
        for high, low in ((ends[0][1], ends[1][0]), (ends[1][1], ends[0][0]))
    )


def within(pair: Pairing, ref: DistRef, condition: Scalar) -> Scalar | None:
    """Whether the draw lies in the support of a law of one scalar; 1 where that is known, None of others."""
    if condition is ONE or _add_up(pair):
        return condition
    law = ref.joint.factors[0].law
    row = row_of(law)
    if len(ref.joint.factors) == 1 and is_cut(law):
        low, high = ends_of_counts(law) or (ZERO, INF)
        at = entry(pair.draws[0][0])
        return logic("and", compare("<=", low, at), ONE if high is INF else compare("<=", at, high))
    if len(ref.joint.factors) == 1 and row is None:
        spans = ranges_of(law, pair.ctx.quiet())
        return None if spans is None else inside_of(entry(pair.draws[0][0]), spans)
    if len(ref.joint.factors) != 1 or row is None or law.shape or not row.is_univariate or row.shapes:
        return None
    if row.region.kind not in ("interval", "integers"):
        return None
    scope = parameters(law, pair.ctx.quiet()).scalars(())
    x = entry(pair.draws[0][0])
    parts = []
    low, high = (scalar_text(t, scope) for t in (row.region.low, row.region.high))
    if low is not mul(MINUS_ONE, INF):
        parts.append(compare("<=" if row.region.discrete else "<", low, x))
    if high is not INF:
        parts.append(compare("<=" if row.region.discrete else "<", x, high))
    return logic("and", *parts)


def refused(what: str, op: Operator) -> CannotDerive:
    return CannotDerive(f"{what} of laws on different supports has no rule", op, HERE)


def reduce_js(op: Operator, ctx: Context) -> Array:
    """JS(p, q) = 1/2 E_p[log p - log m] + 1/2 E_q[log q - log m], m = (p + q)/2."""
    (p, q), _ = decode(op)
    means: list[Array] = []
    told = list(ctx.trace.checks)
    pairs = [Pairing(first, second, ctx) for first, second in ((p, q), (q, p))]
    if no_common_mass(pairs[0]):
        result = rank_zero(fn("log", TWO))
        ctx.trace.add("support", op, result, reason=NOTHING_SHARED)
        ctx.trace.checks.append(lambda: Evidence("proved", method=NOTHING_SHARED))
        return result
    for pair in pairs:
        inside = within(pair, pair.q, pair.inside)
        if inside is None:
            raise refused("the Jensen-Shannon divergence", op)
        # log p - log((p + q)/2) = log 2 - log(1 + q/p), and q is 0 outside of its support
        shared = where(inside, fn("log", add(ONE, fn("exp", neg(pair.log_ratio())))), ZERO)
        means.append(pair.mean(sub(fn("log", TWO), shared)))
    definition = rank_zero(add(*(mul(HALF, scalar_of(m)) for m in means)))
    reason = "the definition of JS: 1/2 E_p[log p - log m] + 1/2 E_q[log q - log m] with m = (p + q)/2"
    ctx.trace.add("definition", op, definition, reason=reason)
    settled = within_family(op.name, definition, pairs[0], ctx)
    if settled is not None:
        leave_density_check(pairs[0], lambda p, q, _: of_js(p, q), lambda x, _: x, settled, told)
        return settled
    result = rank_zero(collected(add(*(mul(HALF, value_of(reduce_expectation(m, ctx))) for m in means))))
    if stays(result):
        leave_density_check(pairs[0], lambda p, q, _: of_js(p, q), lambda x, _: x, result, told)
    return result


def within_family(name: str, definition: Array, pair: Pairing, ctx: Context) -> Array | None:
    """The divergence of two scalar laws of one family for which the table has a formula."""
    if any(len(r.joint.factors) != 1 for r in (pair.p, pair.q)):
        return None
    laws = [r.joint.factors[0].law for r in (pair.p, pair.q)]
    rows = [row_of(law) for law in laws]
    if rows[0] is None or rows[0] is not rows[1] or any(law.shape for law in laws):
        return None
    found = WITHIN_FAMILY.get((name, rows[0].name))
    if found is None:
        return None
    scope = {f"{n}{k}": x for k, law in enumerate(laws, 1) for n, x in parameters(law, ctx).scalars(()).items()}
    result = rank_zero(scalar_text(found[0], scope))
    ctx.trace.add("family", definition, result, reason=f"within the family {rows[0].name}", source=found[1])
    return result


def stays(result: Array | Scalar) -> bool:
    """Whether a mean stays in a result."""
    return any(isinstance(n, Operator) and n.name == "E" for n in walk(result))


def reduce_tv(op: Operator, ctx: Context) -> Array:
    """tv(p, q) = 1/2 E_p|1 - q/p| on one support, else E_p[max(1 - q/p, 0)]."""
    (p, q), _ = decode(op)
    pair = Pairing(p, q, ctx)
    if no_common_mass(pair):
        ctx.trace.add("support", op, rank_zero(ONE), reason=NOTHING_SHARED)
        ctx.trace.checks.append(lambda: Evidence("proved", method=NOTHING_SHARED))
        return rank_zero(ONE)
    if pair.is_on_one_support:
        gap = fn("abs", sub(ONE, fn("exp", neg(pair.log_ratio()))))
        mean = pair.mean(gap)
        definition = rank_zero(mul(HALF, scalar_of(mean)))
        ctx.trace.add("definition", op, definition, reason="half the mean distance of the densities")
        told = list(ctx.trace.checks)
        settled = within_family(op.name, definition, pair, ctx)
        if settled is not None:
            leave_density_check(pair, lambda p, q, _: of_tv(p, q), lambda x, _: x, settled, told)
            return settled
        crossed = between_crossings(pair, ctx)
        if crossed is not None:
            result = rank_zero(crossed)
            ctx.trace.add("crossing", definition, result, reason="P - Q of where p > q, by the distribution functions")
            (body,), draws = opened_expectation(mean)
            ask_for_quadrature(mul(HALF, open_tensor(body, ())), draws, crossed, ctx)
            return result
        reduced = value_of(reduce_expectation(mean, ctx))
        if not stays(reduced):
            return rank_zero(mul(HALF, with_distances_joined(reduced)))
        # as good, and bounded where q/p is not
        result = rank_zero(scalar_of(pair.mean(fn("max", sub(ONE, fn("exp", neg(pair.log_ratio()))), ZERO))))
        ctx.trace.add("half", definition, result, reason="p exceeds q by as much as q exceeds p")
        leave_density_check(pair, lambda p, q, _: of_tv(p, q), lambda x, _: x, result, told)
        return result
    told = list(ctx.trace.checks)
    inside = within(pair, pair.q, pair.inside)
    if inside is None:
        raise refused("the total variation", op)
    more = fn("max", sub(ONE, fn("exp", neg(pair.log_ratio()))), ZERO)
    mean = pair.mean(where(inside, more, ONE))
    ctx.trace.add("definition", op, mean, reason="by how much p exceeds q")
    result = rank_zero(with_distances_joined(value_of(reduce_expectation(mean, ctx))))
    if stays(result):
        leave_density_check(pair, lambda p, q, _: of_tv(p, q), lambda x, _: x, result, told)
    return result


def with_distances_joined(x: Scalar) -> Scalar:
    """c |y| = |c y| for c > 0, written shortly: p |q/p - 1| is |q - p|."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Mul):
            return n
        inside = [f for f in n.args if isinstance(f, Fn) and f.name == "abs"]
        apart = [f for f in n.args if f not in inside and not isinstance(f, Num) and is_nonnegative(f, None) is True]
        if len(inside) != 1 or not apart:
            return n
        rest = mul(*(f for f in n.args if f is not inside[0] and f not in apart))
        inner = simplify_scalar(mul(*apart, inside[0].args[0]))
        first = min(inner.args, key=lambda t: as_coefficient(t)[1].serial) if isinstance(inner, Add) else inner
        return mul(rest, fn("abs", neg(inner) if as_coefficient(first)[0] < 0 else inner))

    return bottom_up(x, rule)


# --- where two densities cross ----------------------------------------------------------------------------------------


Kept = Callable[[Scalar, Entry], "Scalar | None"]
END = entry(var("end", (), "real", "placeholder", uid=-62))


def between_crossings(pair: Pairing, ctx: Context, kept: Kept | None = None) -> Scalar | None:
    """The total variation of two laws of a scalar by their distribution functions where they cross; None where these
    points are not found.

    Code that keeps its digits gives `kept`, its form of the difference of the distribution functions at a fixed end.
    """
    laws = [r.joint.factors[0].law for r in (pair.p, pair.q)]
    if len(pair.p.joint.factors) != 1 or len(pair.q.joint.factors) != 1 or any(law.shape for law in laws):
        return None
    know = Knowledge(ctx)
    both: list[Law] = []
    for law in laws:
        row = row_of(law)
        if row is None or not row.is_univariate or row.shapes:
            return None
        both.append(parameters(law, ctx.quiet()).univariate((), know))
    if not all(has_distribution_function(one) for one in both):
        return None

    def gap(v: Scalar) -> Scalar:
        p, q = (distribution_function(one, v) for one in both)
        return sub(p, q)

    if kept is not None:
        assert isinstance(END, Entry)
        at_end = kept(gap(END), END)
        if at_end is None:
            return None
        held = at_end

        def gap(v: Scalar) -> Scalar:
            made: Scalar = replace_arrays(held, {END.array: lambda: v})
            return made

    def where_they_differ(slope: Scalar, value: Scalar) -> Scalar:
        if kept is None:
            return where(compare("!=", slope, ZERO), value, ZERO)
        # in floats the slope may be out of range: 0 is said of one law alone
        found = where(compare("<", ZERO, fn("abs", slope)), value, ZERO)
        return where(compare("<", ZERO, found), found, alike)

    same = [compare("==", x, y) for x, y in zip(*(one.parameters.values() for one in both), strict=False) if x is not y]
    alike = where(logic("and", *same), ZERO, NAN) if both[0].row is both[1].row else ZERO
    apart = _half_of_shift(both)
    if apart is not None:  # 2 F(mu + d/2) - 1
        first = both[0]
        centred = Law(first.row, {**first.parameters, SYMMETRIC[first.row.name]: ZERO})
        value = distribution_function(centred, apart)
        if isinstance(value, Where) and know.holds(value.args[0]) is False:
            value = value.args[2]
        return collected(sub(mul(TWO, value), ONE))
    x = entry(pair.draws[0][0])
    assert isinstance(x, Entry)
    terms = _terms_in(pair, x, ctx)
    if terms is None:
        return None
    constant = terms.pop(ONE, ZERO)
    square = power(x, TWO)
    low = both[0].row.region.low
    if square in terms and set(terms) <= {x, square} and low in ("-inf", "0"):
        a, b = terms[square], terms.get(x, ZERO)
        root = power(sub(power(b, TWO), mul(num(4), a, constant)), HALF)
        ends = [divide(add(neg(b), mul(sign, root)), mul(TWO, a)) for sign in (ONE, MINUS_ONE)]
        if kept is not None and b is not ZERO:  # neither end is a difference
            beside = mul(MINUS_ONE, HALF, add(b, mul(where(compare("<", b, ZERO), MINUS_ONE, ONE), root)))
            ends = [divide(beside, a), divide(constant, beside)]
        if low == "0":
            ends = [fn("max", e, ZERO) for e in ends]
        two = fn("abs", sub(gap(ends[0]), gap(ends[1])))
        if b is ZERO:
            return where_they_differ(a, two)
        alone = divide(neg(constant), b)
        one = where_they_differ(b, fn("abs", gap(alone if low == "-inf" else fn("max", alone, ZERO))))
        return where(compare("!=", a, ZERO), two, one)
    if len(terms) == 1:
        ((function, slope),) = terms.items()
        at = _inverse(function, divide(neg(constant), slope), x, both[0])
        if at is None:
            return None
        return where_they_differ(slope, fn("abs", gap(at)))
    return None


def _half_of_shift(both: list[Law]) -> Scalar | None:
    """Half the distance of two laws of one even shape that falls off: they cross half-way."""
    first, second = both
    place = SYMMETRIC.get(first.row.name)
    if first.row is not second.row or place is None:
        return None
    if any(first.parameters[n] is not second.parameters[n] for n in first.row.parameters if n != place):
        return None
    return mul(HALF, fn("abs", sub(first.parameters[place], second.parameters[place])))


def _terms_in(pair: Pairing, x: Entry, ctx: Context) -> dict[Scalar, Scalar] | None:
    """The logarithm of the ratio of the densities as coefficients of functions of x."""
    return coefficients_of(pair.log_ratio(), x, ctx)


def coefficients_of(f: Scalar, x: Entry, ctx: Context) -> dict[Scalar, Scalar] | None:
    """f as coefficients of functions of x; None where it is no short sum of them."""
    is_random = depends_on_any(frozenset((x.array,)))
    know = Knowledge(ctx)
    body = normalised(opened(f, is_random), is_random, know)
    try:
        items = expanded(body, is_random, lambda _: False)
    except TooManyTerms:
        return None
    out: dict[Scalar, Scalar] = {}
    for item in items:
        if item.indices:
            return None
        out[item.atom] = add(out.get(item.atom, ZERO), item.coefficient)
    return {a: collected(c) for a, c in out.items() if collected(c) is not ZERO}


def _inverse(function: Scalar, value: Scalar, x: Entry, law: Law) -> Scalar | None:
    """x with function(x) = value, for a function that is monotone on the support."""
    positive = law.row.region.low in ("0", "xm", "lo") and law.row.name != "Uniform"
    if function is x:
        return value
    if isinstance(function, Fn) and function.name == "log" and function.args[0] is x:
        return fn("exp", value)
    if isinstance(function, Fn) and function.name == "exp":
        inner = function.args[0]
        slope = slope_in(inner, x)
        return None if slope is None or slope[0] is ZERO else divide(sub(fn("log", value), slope[1]), slope[0])
    if isinstance(function, Pow) and function.base is x:
        n = is_natural(function.exponent)
        if positive or (n is not None and n % 2):
            return power(value, divide(ONE, function.exponent))
    return None


__all__ = ["between_crossings", "coefficients_of", "no_common_mass", "reduce_js", "reduce_tv", "refused", "stays", "within"]
