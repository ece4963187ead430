"""Perspectives s g(v/s), relative entropies a log(a/b), terms of a sum that bend together (Boyd and Vandenberghe (2004), 3.2.6)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from symgen.calculus.bend import AFFINE, CONCAVE, CONSTANT, CONVEX, OPPOSITE, UNKNOWN, summed
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Index,
    Mul,
    Num,
    Pow,
    Scalar,
    Sum,
    Var,
    add,
    as_coefficient,
    fn,
    fresh_index,
    mul,
    num,
    open_sum,
    power,
    replace_arrays,
    substitute,
    total,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import range_of

if TYPE_CHECKING:
    from symgen.calculus.curvature import Curvature

from symgen.calculus.quadratic_form import spread

__all__ = ["entropy", "in_common", "is_log_beta", "perspective"]


def _lgamma_of(term: Scalar) -> Scalar:
    """lgamma(a), or the sum of it for a sum."""
    if isinstance(term, Sum):
        body, bound = open_sum(term)
        return total(fn("lgamma", body), bound)
    return fn("lgamma", term)


def _put(term: Scalar, indices: list[Index]) -> Scalar:
    """The body of c sum f at given indices."""
    factors = list(term.args) if isinstance(term, Mul) else [term]
    (s,) = [f for f in factors if isinstance(f, Sum)]
    body, own = open_sum(s)
    return mul(*(f for f in factors if f is not s), substitute(body, dict(zip(own, indices, strict=True))))


def _without_factor(term: Scalar, a: Scalar) -> Scalar:
    factors = list(term.args) if isinstance(term, Mul) else [term]
    factors.remove(a)
    return mul(*factors)


def is_log_beta(c: Curvature, node: Add) -> str:
    """sum lgamma(a) - lgamma(sum a) is the logarithm of an integral of exponentials in a (Boyd and Vandenberghe (2004),
    3.5.2)."""
    for whole in node.args:
        k, f = as_coefficient(whole)
        if not (isinstance(f, Fn) and f.name == "lgamma" and c.of(f.args[0]) == AFFINE):
            continue
        parts = [_lgamma_of(p) for p in spread(f.args[0])]
        rest = add(node, mul(num(-k), f), *(mul(num(k), p) for p in parts))
        if all(range_of(p, c.facts).positive for p in spread(f.args[0])) and c.moves(f):
            kind = summed({c.of(rest) if c.moves(rest) else CONSTANT, CONVEX if k < 0 else CONCAVE})
            if kind != UNKNOWN:
                return kind
    return UNKNOWN


def in_common(c: Curvature, node: Add) -> str:
    """Terms that are summed over the same indices, or hold the same factor, looked at together."""
    groups: dict[tuple[Scalar, ...], list[Scalar]] = {}
    fixed: list[Scalar] = []
    for t in node.args:
        factors = list(t.args) if isinstance(t, Mul) else [t]
        sums = [f for f in factors if isinstance(f, Sum)]
        if len(sums) == 1 and c.of(t) in (UNKNOWN, CONVEX, CONCAVE):
            groups.setdefault(tuple(i.size for i in sums[0].indices), []).append(t)
        else:
            fixed.append(t)
    kinds = [c.of(add(*fixed))] if fixed and len(fixed) < len(node.args) else []
    if kinds:
        pass
    elif fixed:
        return of_common_factor(c, node)
    for sizes, terms in groups.items():
        indices = [fresh_index(n) for n in sizes]
        body = add(*(_put(t, indices) for t in terms))
        kinds.append(c.of(body) if len(terms) > 1 else c.of(terms[0]))
    return summed(kinds)


def of_common_factor(c: Curvature, node: Add) -> str:
    first, *rest = (list(t.args) if isinstance(t, Mul) else [t] for t in node.args if c.moves(t))
    for a in first:
        if c.moves(a) and rest and all(a in fs for fs in rest):
            inner = add(*(_without_factor(t, a) for t in node.args if c.moves(t)))
            return c.of(mul(a, inner)) if not isinstance(mul(a, inner), Add) else UNKNOWN
    return UNKNOWN


def perspective(c: Curvature, node: Mul) -> str:
    """s g(v/s), s > 0, is as g is, in v and s together."""
    for s in node.args:
        if not (isinstance(s, Entry) and isinstance(s.array, Var) and s.array in c.xs and not s.array.rank):
            continue
        rest = [f for f in node.args if f is not s]
        fixed = [f for f in rest if not c.moves(f)]
        body = mul(*(f for f in rest if c.moves(f)))
        sign = c.sign(fixed) if fixed else 1
        values = over(body, s) if range_of(s, c.facts).positive and sign else None
        if values is None:
            continue
        moving = c.xs - {s.array}
        if not any(moving & variables_of(v) for v in values):
            moving = frozenset(x for v in values for x in variables_of(v) if x is not s.array)
        zeros: dict[Array, Callable[..., Scalar]] = {x: lambda *_: ZERO for x in moving}
        inner = type(c)(moving, c.facts, c.quick)
        if any(inner.of(v) != AFFINE or replace_arrays(v, zeros) is not ZERO for v in values):
            continue
        kind = inner.of(replace_arrays(body, {s.array: lambda: ONE}))
        if kind in (CONVEX, CONCAVE):
            return kind if sign > 0 else OPPOSITE[kind]
    return UNKNOWN


def over(body: Scalar, s: Entry) -> list[Scalar] | None:
    """The values that stand over s, where s stands nowhere else."""
    below = power(s, MINUS_ONE)
    values: list[Scalar] = []
    for n in walk(body):
        if s in n.args and n is not below:
            return None
        if below in n.args:
            if not isinstance(n, Mul):
                return None
            values.append(mul(*(f for f in n.args if f is not below)))
    return values or None


def entropy(c: Curvature, node: Mul) -> str:
    """a log(a/b) is convex in a and b together, a log a too (Boyd and Vandenberghe (2004), 3.2.6)."""
    varying = [f for f in node.args if c.moves(f)]
    for a in varying:
        rest = [f for f in varying if f is not a]
        if len(rest) != 1 or c.of(a) != AFFINE or not range_of(a, c.facts).nonnegative:
            continue
        powers = powers_in_log(c, rest[0])
        sign = c.sign([f for f in node.args if f not in varying])
        if powers is None or sign == 0:
            continue
        own = powers.pop(a, Fraction(0))
        for flip in (1, -1):
            others = [-flip * e for e in powers.values()]
            if own * flip >= sum(others) and all(e >= 0 for e in others) and own * flip > 0:
                return CONVEX if sign * flip > 0 else CONCAVE
    return UNKNOWN


def powers_in_log(c: Curvature, node: Scalar) -> dict[Scalar, Fraction] | None:
    """{a: 1, b: -1} for log a - log b + c, where a and b are affine and positive."""
    out: dict[Scalar, Fraction] = {}
    for term in node.args if isinstance(node, Add) else (node,):
        k, rest = as_coefficient(term)
        if not c.moves(rest):
            continue
        if not isinstance(rest, Fn) or rest.name != "log":
            return None
        (inside,) = rest.args
        for f in inside.args if isinstance(inside, Mul) else (inside,):
            base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
            r = range_of(base, c.facts)
            if not c.moves(f):
                continue
            if not isinstance(e, Num) or e.rational is None or c.of(base) != AFFINE or not r.nonnegative:
                return None
            out[base] = out.get(base, Fraction(0)) + k * e.rational
    return out
