"""The support step: whether one law puts mass where the other has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from symgen.derivation.context import Context
from symgen.probability.families.distribution import SUPPORTS, Distribution, Support, with_article
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.conditions import for_all
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.laws.combinators import WIDER, is_vector_image, parts_of
from symgen.probability.laws.cut_counts import ends_of_counts, is_cut
from symgen.probability.laws.densities import entry_of, parameters
from symgen.probability.laws.joint import DistRef, Factor
from symgen.probability.laws.law import row_of, value_domain
from symgen.probability.laws.own_support import Span, inside_of, ranges_of, within_ranges
from symgen.probability.laws.referee import Numeric
from symgen.probability.means.grids import numbers_of
from symgen.probability.means.quadrature import check_value
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    ONE,
    ZERO,
    Array,
    Node,
    Operator,
    Scalar,
    Var,
    Where,
    compare,
    fn,
    fold,
    fresh_index,
    logic,
    mul,
    num,
    sub,
    tensor,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_integer, is_nonnegative
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/means/support.py"
UNKNOWN = "whether one law lies in the support of the other is not known"


def inclusion(
    q: DistRef, p: DistRef, in_q: dict[Var, Array], in_p: dict[Var, Array], ctx: Context, of_data: bool = False
) -> Scalar:
    """The condition under which the support of q lies in that of p: 1 always, 0 never. `of_data`: where q is data, a
    density of p at its rows is all that is asked for."""
    parts: list[Scalar] = []
    for f in q.joint.factors:
        if not set(f.variables) & set(in_q):
            continue
        new = in_q.get(f.variables[0])
        other = next((g for g in p.joint.factors if g.variables and in_p.get(g.variables[0]) is new), None)
        if other is not None and not (of_data and is_data(f.law)):
            parts.append(_inclusion(f, other, ctx))
    return logic("and", *parts)


def _inclusion(f: Factor, g: Factor, ctx: Context) -> Scalar:
    if kinds_differ(f.law, g.law):
        return ZERO
    if is_vector_image(f.law) or is_vector_image(g.law):
        found = image_within(f.law, g.law)
        if found is None:
            raise CannotDerive(UNKNOWN, None, HERE)
        return ONE if found else ZERO
    a, b = row_of(f.law), row_of(g.law)
    if a is None or b is None:
        mixed = _mixed_counts_within(f, g, ctx)
        return _own_within(f.law, g.law, ctx) if mixed is None else mixed
    first, second = region_of(a), region_of(b)
    if first.total or second.total:
        return _total_within(f.law, g.law, ctx)
    if (first.kind == "interval" and second.kind == "interval") or (first.kind == "integers" and second.kind == "integers"):
        return _within(f, a, g, b, ctx)
    return ONE


def _total_within(first: Array, second: Array, ctx: Context) -> Scalar:
    """Counts that add up lie among those that add up to as many, and among counts of their own that reach as far."""
    a, b = row_of(first), row_of(second)
    assert a is not None and b is not None
    if not all(r.region.total or (r.is_univariate and r.region.kind == "integers") for r in (a, b)):
        raise CannotDerive(UNKNOWN, None, HERE)
    if not a.region.total:
        return ZERO  # counts of their own have no fixed sum
    indices = [fresh_index(s) for s in first.shape]
    batch = indices[: len(indices) - a.own_rank]
    n = parameters(first, ctx).value(a.region.total, batch).body
    other = batch if b.region.total else indices
    other = other[len(other) - (len(second.shape) - b.own_rank) :]
    of = parameters(second, ctx)
    if b.region.total:
        condition = compare("==", n, of.value(b.region.total, other).body)
    else:
        low, high = (of.value(t, other).body for t in (b.region.low, b.region.high))
        condition = logic("and", compare("<=", low, ZERO), ONE if high is INF else compare("<=", n, high))
    condition = Knowledge(ctx).remaining(condition)
    return for_all(condition, indices) if not condition.free.isdisjoint(indices) else condition


def _mixed_counts_within(f: Factor, g: Factor, ctx: Context) -> Scalar | None:
    """Of mixtures of counts: each part of the first within the second, or the first within one part of the second."""
    mine, other = (parts if isinstance(parts := parts_of(x.law), list) else None for x in (f, g))
    laws = [law for part in (mine, other) if part for _, law in part]
    if not laws or not all(ends_of_counts(law) is not None or isinstance(parts_of(law), list) for law in laws):
        return None
    if mine:
        return logic("and", *(_inclusion(replace(f, law=law), g, ctx) for _, law in mine))
    inside = [_inclusion(f, replace(g, law=law), ctx) for _, law in other or ()]
    return ONE if ONE in inside else None


def image_within(first: Array, second: Array) -> bool | None:
    """Whether the entries of one law of vectors range within those of the other, of which one is an image."""
    (word, is_whole), (other, is_all) = _range_of(first), _range_of(second)
    if word is None or other is None:
        return None
    if is_all and other in WIDER[word]:
        return True
    fewer = not is_all or other not in WIDER[word]
    return False if is_whole and fewer else None


def _range_of(law: Array) -> tuple[str | None, bool]:
    """Where the entries of a draw lie, real, positive or unit, and whether they reach all of it."""
    if is_vector_image(law):
        assert isinstance(law, Operator)
        return str(law.attrs[1].domain), not any(isinstance(n, Where) for n in walk(law.operands[0]))
    row = row_of(law)
    if row is None:
        return None, False
    region = region_of(row)
    word = next((w for w in ("real", "positive", "unit") if region in (SUPPORTS[w],)), None)
    return (word, True) if word is not None else ("positive" if region.low == "0" else None, False)


def _own_within(first: Array, second: Array, ctx: Context) -> Scalar:
    """Of laws of a real number, of which one is a density of one's own."""
    know = Knowledge(ctx)
    if is_cut(second):
        mine, other = ends_of_counts(first), ends_of_counts(second)
        if mine is None or other is None:
            raise CannotDerive("the least and the greatest count of this law are not known", None, HERE)
        above = ONE if other[1] is INF else ZERO if mine[1] is INF else compare("<=", mine[1], other[1])
        return know.remaining(logic("and", compare("<=", other[0], mine[0]), above))
    spans = spans_of(first, ctx), spans_of(second, ctx)
    found = None if spans[0] is None or spans[1] is None else within_ranges(spans[0], spans[1], know)
    if found is None and isinstance(second, Operator) and any(isinstance(n, Where) for a in second.operands[:1] for n in walk(a)):
        raise CannotDerive(UNKNOWN, None, HERE)
    return ONE if found is None else found


def spans_of(law: Array, ctx: Context) -> list[Span] | None:
    """The intervals where a law of a real number has mass."""
    row = row_of(law)
    if row is None:
        return ranges_of(law, ctx)
    if law.shape or not row.is_univariate or row.shapes or row.region.kind != "interval":
        return None
    scope = parameters(law, ctx).scalars(())
    return [(scalar_text(row.region.low, scope), scalar_text(row.region.high, scope))]


def domain_within(law: Array, ctx: Context) -> str:
    """The least domain that holds what the law of a real number draws, by its ends: (0, 1) is `unit`, (0, 5) `positive`."""
    row = row_of(law)
    word = value_domain(law)
    if word != "real" or (row is not None and (not row.is_univariate or row.shapes or row.region.kind != "interval")):
        return word
    if row is None:
        spans = spans_of(law, ctx)
    else:
        scope = parameters(law, ctx).scalars([fresh_index(s) for s in law.shape])
        spans = [(scalar_text(row.region.low, scope), scalar_text(row.region.high, scope))]
    if not spans or not all(is_nonnegative(low, ctx.facts) for low, _ in spans):
        return word
    return "unit" if all(is_nonnegative(sub(ONE, high), ctx.facts) for _, high in spans) else "positive"


def region_of(row: Distribution) -> Support:
    """The support of one entry of a draw, where entries range over an interval each."""
    return {"vectors": SUPPORTS["real"], "positives": SUPPORTS["positive"]}.get(row.region.kind, row.region)


def is_data(law: Array) -> bool:
    return isinstance(law, Operator) and law.name == "Empirical"


def kinds_differ(first: Array, second: Array) -> bool:
    """Whether one law has its mass where the other can have none: atoms and a density, a simplex and the space."""
    kinds = [_measure_of(first), _measure_of(second)]
    return None not in kinds and kinds[0] != kinds[1]


def _measure_of(law: Array) -> str | None:
    """By what the density is one: counting, length, the area of a simplex, sphere or set of matrices."""
    row = row_of(law)
    if row is None:
        return "counting" if is_data(law) else None
    if row.region.discrete:
        return "counting"
    return row.region.kind if row.region.kind in ("simplex", "sphere", "spd") else "length"


def _within(f: Factor, a: Distribution, g: Factor, b: Distribution, ctx: Context) -> Scalar:
    know = Knowledge(ctx)
    pa, pb = parameters(f.law, ctx), parameters(g.law, ctx)
    rank = len(f.law.shape)
    indices = [fresh_index(s) for s in f.law.shape]
    batch_b = indices[rank - len(g.law.shape) :] if g.law.shape else []
    scope_a = {**pa.scalars(indices), **pa.sizes()} if a.is_univariate else {}
    scope_b = {**pb.scalars(batch_b), **pb.sizes()} if b.is_univariate else {}
    low_a, high_a = (scalar_text(t, scope_a) for t in (region_of(a).low, region_of(a).high))
    low_b, high_b = (scalar_text(t, scope_b) for t in (region_of(b).low, region_of(b).high))
    minus = mul(num(-1), INF)
    parts: list[Scalar] = []
    for small, large in ((low_b, low_a), (high_a, high_b)):
        if small is large or small is minus or large is INF:
            continue
        if large is minus or small is INF:
            return ZERO
        parts.append(know.remaining(compare("<=", small, large)))
    condition = logic("and", *parts)
    if indices and condition.free:
        return for_all(condition, indices)
    return condition


def mass_outside(q: DistRef, p: DistRef, in_q: dict[Var, Array], in_p: dict[Var, Array], ctx: Context) -> Callable[[Point], bool]:
    """Whether at a point some component of q has mass where p has none: by the ends of the supports."""
    pairs: list[tuple[Array, Array]] = []
    for f in q.joint.factors:
        new = in_q.get(f.variables[0])
        other = next((g for g in p.joint.factors if g.variables and new is not None and in_p.get(g.variables[0]) is new), None)
        if other is not None:
            pairs.append((f.law, other.law))

    return lambda point: any(_lies_outside(first, second, point, ctx) for first, second in pairs)


def _lies_outside(first: Array, second: Array, point: Point, ctx: Context) -> bool:
    """Whether at a point the first law has mass where the second has none, as far as the ends of their supports tell."""
    if kinds_differ(first, second):
        return True
    if is_vector_image(first) or is_vector_image(second):
        return image_within(first, second) is False
    a, b = row_of(first), row_of(second)
    if a is None or b is None:
        parts = parts_of(first) if b is not None and b.region.kind == "integers" else None
        if isinstance(parts, list):  # of a mixture of counts, some part
            return any(_lies_outside(law, second, point, ctx) for _, law in parts)
        return own_outside(first, second, point, ctx)
    if region_of(a).low == "-inf" and region_of(b).low == "0":
        return True
    if a.region.total or b.region.total:
        return _other_total(first, second, point, ctx)
    if a.shapes or b.shapes:
        return False
    at, to = numbers_of(first, point), numbers_of(second, point)
    for place in np.ndindex(*next(iter(at.values())).shape):
        one = Numeric(a, {n: float(x[place]) for n, x in at.items()})
        two = Numeric(b, {n: float(x[place[place_rank(place, x) :]]) for n, x in to.items()})
        if one.low < two.low or one.high > two.high:
            return True
    return False


def _other_total(first: Array, second: Array, point: Point, ctx: Context) -> bool:
    """Whether at a point the counts of the first law do not lie among those of the second."""
    held = evaluate([tensor((), _total_within(first, second, ctx))], point)[0]
    return not bool(np.asarray(held))


EVERYWHERE = ("real", Support("vectors"), Support("matrices"))


def support_said(q: DistRef, p: DistRef, condition: Scalar) -> str:
    """That q has mass only where p has, where p has not mass everywhere and this is known."""
    rows = [row_of(f.law) for f in p.joint.factors]
    if condition is not ONE or any(r is None for r in rows) or all(r is not None and r.support in EVERYWHERE for r in rows):
        return ""
    first, second = spoken(q), spoken(p)
    return f"; {first} has mass only where {second} has" if first != second else ""


def without_support(definition: Array, q: DistRef, p: DistRef, ctx: Context, outside: Callable[[Point], bool]) -> Array:
    """Infinite: q has mass where p has none, which the referee sees at a point."""
    result = tensor((), INF)
    first, second = spoken(q), spoken(p)
    said = f"{first} has mass where {second} has none" if first != second else "the first has mass where the second has none"
    laws = [f.law for f in (*q.joint.factors, *p.joint.factors)]
    ctx.trace.add("support", definition, result, reason=said)
    ctx.trace.checks.append(lambda: check_value(lambda *_: None, result, laws, (), ctx.facts, outside, "supports", said))
    return result


def spoken(ref: DistRef) -> str:
    """What a distribution is called in a sentence: by its name, else by its family."""
    if ref.joint.name:
        return f"`{ref.joint.name}`"
    laws = [f.law for f in ref.joint.factors]
    name = laws[0].name if len(laws) == 1 and isinstance(laws[0], Operator) else "law"
    return with_article(name)


def own_outside(first: Array, second: Array, point: Point, ctx: Context) -> bool:
    """Whether at a point the intervals of the first law reach out of those of the second."""
    spans = [spans_of(law, ctx) for law in (first, second)]
    if spans[0] is None or spans[1] is None:
        return False
    at = [[tuple(float(np.asarray(evaluate([tensor((), e)], point)[0])) for e in s) for s in side] for side in spans if side]
    if len(at) < 2:
        return len(at) == 1 and spans[1] == []
    return any(a < b and not any(c <= a and b <= d for c, d in at[1]) for a, b in at[0])


def place_rank(place: tuple[int, ...], x: np.ndarray) -> int:
    """How many leading axes of a place the array does not have."""
    return len(place) - x.ndim


def may_lie_outside(law: Node, value: Node, ctx: Context) -> tuple[str, Scalar] | None:
    """What a value must satisfy that may be more than the support of the law of a real number, in words and as a condition
    on all of its entries. None where it is known to lie inside, or is drawn."""
    if not isinstance(law, Operator) or not isinstance(value, Array) or any(v.role == "random" for v in variables_of(value)):
        return None
    know = Knowledge(ctx)
    quiet = ctx.quiet()
    row = row_of(law)
    indices = [fresh_index(s) for s in value.shape]
    x = entry_of(value, indices, quiet)
    parts: list[Scalar] = []
    if row is not None:
        if row.region.kind not in ("interval", "integers") or not row.is_univariate or row.shapes:
            return None
        scope = parameters(law, quiet).scalars(indices[len(indices) - len(law.shape) :])
        low, high = (scalar_text(t, scope) for t in (row.region.low, row.region.high))
        if low is not mul(MINUS_ONE, INF) and know.nonnegative(sub(x, low)) is not True:
            parts.append(compare("<=", low, fold("min", x, indices) if low.free.isdisjoint(indices) else x))
        if high is not INF and know.nonnegative(sub(high, x)) is not True:
            parts.append(compare("<=", fold("max", x, indices) if high.free.isdisjoint(indices) else x, high))
        if row.region.kind == "integers" and is_integer(x, ctx.facts) is not True:
            parts.append(compare("==", fn("floor", x), x))
        called = row.called
    else:
        spans = ranges_of(law, quiet)
        inside = know.remaining(inside_of(x, spans)) if spans is not None else ONE
        parts += [] if inside is ONE else [inside]
        called = "the law"
    if not parts:
        return None
    each = [c for c in parts if not c.free.isdisjoint(indices)]
    one = compare("<", ZERO, fold("min", where(logic("and", *each), ONE, ZERO), indices)) if each else ONE
    whole = logic("and", *(c for c in parts if c not in each), one)
    said = value.name if isinstance(value, Var) else "the value"
    return f"{said} lies where {called} has mass; elsewhere the density is 0", whole


__all__ = [
    "domain_within", "inclusion", "is_data", "kinds_differ", "mass_outside", "may_lie_outside", "spans_of", "spoken",
    "without_support",
]  # fmt: skip
