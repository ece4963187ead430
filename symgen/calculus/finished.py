"""A result as people write it: of the forms that say the same, the shortest."""

from __future__ import annotations

from symgen.algebra.collect import collect_common, with_both_ways_joined, with_scalars_open
from symgen.algebra.inside import settled_inside
from symgen.algebra.products import (
    MAX_LENGTH,
    Used,
    flat_length,
    merged_terms,
    speaks_of_facts,
)  # fmt: skip
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.labels import pinned
from symgen.derivation.context import Context
from symgen.tensor.expression import (
    Add,
    Array,
    Scalar,
    Var,
)  # fmt: skip

__all__ = ["finished", "name_in"]

STRUCTURED = 110  # length of a result that keeps its adjoints apart unless much is won


def finished(body: Scalar, ctx: Context, free: Var | None = None) -> Scalar:
    """A result as people write it: fractions cancelled, sums joined, facts of matrices used where that is shorter (not
    those of `free`, whose entries are taken as unrelated)."""
    named = ctx.all_names()
    facts = Used()

    def merged(x: Scalar) -> Scalar:
        return merged_terms(x, named, facts, lambda a: name_in(a, ctx), free)

    body = settled_inside(pinned(body, ctx.facts), named, ctx.facts, merged)
    for fact in facts:
        ctx.trace.condition(fact)
    best = _collected(body, ctx)
    ways = (False, True) if speaks_of_facts(body, named) else (False,) if type(body) is Add else ()
    inside = with_scalars_open(body, named)
    if not ways and inside is body:
        return best
    length, used = flat_length(best, named), Used()
    if length > MAX_LENGTH:
        return best
    if inside is not body:
        other = _collected(inside, ctx)
        if flat_length(other, named) <= length:
            body, best, length = inside, other, flat_length(other, named)
    for expand in ways:
        facts = Used()
        other = merged_terms(body, named, facts, lambda a: name_in(a, ctx), free, expand)
        if other is not body:
            other = _collected(other, ctx)
            found = flat_length(other, named)
            if found < (length if length <= STRUCTURED else length * 7 // 8):
                best, length, used = other, found, facts
    for fact in used:
        ctx.trace.condition(fact)
    return best


def _collected(body: Scalar, ctx: Context) -> Scalar:
    found = collect_common(simplify_scalar(body, ctx.facts))
    joined = with_both_ways_joined(found, ctx.all_names())
    return found if joined is found else collect_common(joined)


def name_in(array: Array, ctx: Context) -> str | None:
    return ctx.name_of(array) or (array.name if isinstance(array, Var) else None)
