"""Relations between the atoms of a monomial: what is idempotent, sin^2 + cos^2 = 1, signs, one-hot vectors, deltas."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from symgen.algebra import polynomial as poly
from symgen.algebra.polynomial import Monomial, Poly
from symgen.derivation.context import BudgetSpent
from symgen.tensor.expression import (
    Array,
    Delta,
    Entry,
    Index,
    Mul,
    Num,
    Operation,
    Scalar,
    Sum,
    Var,
    axis,
    mul,
    num,
    power,
    substitute,
    total,
)
from symgen.tensor.facts import is_orthogonal

if TYPE_CHECKING:
    from symgen.algebra.canonical import Workshop

from symgen.algebra.powers import outer_name

MARK = 4000  # the number of the axis under which sums are compared

__all__ = ["picked", "relations"]


def relations(w: Workshop, p: Poly) -> Poly:
    todo = list(p.items())
    out: list[Poly] = []
    changed = False
    rounds = 0
    while todo:
        m, c = todo.pop()
        rounds += 1
        if rounds > 20_000:
            raise BudgetSpent
        new = relation(w, m)
        if new is None:
            out.append({m: c})
        else:
            changed = True
            todo += [(n, c * d) for n, d in new.items()]
    return poly.add_polys(out, w.budget) if changed else p


def relation(w: Workshop, m: Monomial) -> Poly | None:
    for k, (a, e) in enumerate(m):
        rest = m[:k] + m[k + 1 :]
        if e.denominator == 1 and e > 0 and a in w.definitions:
            return poly.multiply({rest: Fraction(1)}, expanded(w, w.definitions[a], int(e)), w.budget)
        if isinstance(a, Num) and a.rational is not None and not 0 < e < 1:
            whole = e.numerator // e.denominator
            left = poly.of_atom(a, e - whole) if e != whole else poly.constant(1)
            return poly.scale(poly.multiply({rest: Fraction(1)}, left, w.budget), a.rational**whole)
        if isinstance(a, Delta) and e != 1:
            return {poly.ordered({**dict(rest), a: Fraction(1)}): Fraction(1)}
        if isinstance(a, Delta) and all(isinstance(x, Index) for x in a.args):
            i, j = sorted(a.args, key=lambda x: x.serial)
            if any(j in b.free for b, _ in rest):  # Delta(i, j) f(j) = Delta(i, j) f(i)
                moved = w.times(*(w.poly(power(substitute(b, {j: i}), num(x))) for b, x in rest))
                return poly.multiply({((a, Fraction(1)),): Fraction(1)}, moved, w.budget)
        if e > 1 and isinstance(a, Entry) and _is_idempotent(a.array):
            return {poly.ordered({**dict(rest), a: Fraction(1)}): Fraction(1)}
        if e.denominator == 1 and not 0 <= e <= 1 and _is_one_or_minus_one(a):
            return {poly.ordered({**dict(rest), a: e % 2} if e % 2 else dict(rest)): Fraction(1)}
        if e > 0 and e.denominator == 1 and isinstance(a, Sum):
            new = picked_relation(w, m, k)
            if new is not None:
                return new
        if a in w.signs:
            new = sign_relation(w, m, a, e, rest)
            if new is not None:
                return new
        if e >= 2 and e.denominator == 1 and outer_name(a) == "sin":
            cosine = w.atom_of("cos", w._argument(a))
            square = {((cosine, Fraction(2)),): Fraction(-1), (): Fraction(1)}
            left = poly.of_atom(a, e - 2) if e > 2 else poly.constant(1)
            return poly.multiply(poly.multiply({rest: Fraction(1)}, square, w.budget), left, w.budget)
    return None


def picked_relation(w: Workshop, m: Monomial, k: int) -> Poly | None:
    """sum(g f)^2 = sum(g f^2) and sum(g f) sum(g h) = sum(g f h) for a one-hot g."""
    a, e = m[k]
    found = picked(a)
    if found is None:
        return None
    one, index, value = found
    for j, (b, x) in enumerate(m):
        other = picked(b) if x > 0 and x.denominator == 1 else None
        if other is None or (j == k and e == 1) or (j != k and other[0] is not one):
            continue
        both = mul(power(value, num(e)), *(() if j == k else (power(other[2], num(x)),)))
        rest = tuple(t for i, t in enumerate(m) if i not in (j, k))
        return poly.multiply({rest: Fraction(1)}, w.poly(total(mul(one, both), [index])), w.budget)
    return None


def sign_relation(w: Workshop, m: Monomial, a: Scalar, e: Fraction, rest: Monomial) -> Poly | None:
    """s^3 = s, and s^2 d = d for s = sign(d)."""
    if e > 2 and e.denominator == 1:
        return {poly.ordered({**dict(rest), a: Fraction(2 - int(e) % 2)}): Fraction(1)}
    if e < 0 and e.denominator == 1:  # 1/s = s where it is defined
        return {poly.ordered({**dict(rest), a: -e}): Fraction(1)}
    d = w.signs[a]
    if e != 2 or not d:
        return None
    lead, c = poly.leading(d)
    exponents = dict(rest)
    if any(exponents.get(x, Fraction(0)) < f for x, f in lead):
        return None
    quotient = poly.times(rest, tuple((x, -f) for x, f in lead))
    # s^2 lead/c' with d = c lead + tail: s^2 lead = (d - s^2 tail)/c
    tail = {n: v for n, v in d.items() if n != lead}
    square = poly.of_atom(a, 2)
    inner = poly.add_polys([d, poly.scale(poly.multiply(square, tail, w.budget), Fraction(-1))], w.budget)
    return poly.scale(poly.multiply({quotient: Fraction(1)}, inner, w.budget), 1 / c)


def expanded(w: Workshop, p: Poly, k: int) -> Poly:
    if k > 40:
        raise BudgetSpent
    out = poly.constant(1)
    for _ in range(k):
        out = poly.multiply(out, p, w.budget)
    return out


def picked(atom: Scalar) -> tuple[Scalar, Index, Scalar] | None:
    """g[i], i and f(i) of sum[i](g[i]*f(i)) with a one-hot g, which is the value of f at one place."""
    if not isinstance(atom, Sum) or len(atom.indices) != 1:
        return None
    index = axis(MARK, atom.indices[0].size)
    body = substitute(atom.body, {atom.indices[0]: index})
    factors = body.args if isinstance(body, Mul) else (body,)
    for f in factors:
        one = isinstance(f, Entry) and isinstance(f.array, Var) and f.array.domain == "onehot"
        if one and f.indices[-1] is index and all(index not in x.free for x in f.indices[:-1]):
            return f, index, mul(*(x for x in factors if x is not f))
    return None


def _is_idempotent(array: Array) -> bool:
    return isinstance(array, Var) and array.domain in ("binary", "onehot")


def _is_one_or_minus_one(atom: Scalar) -> bool:
    """The determinant of an orthogonal matrix."""
    array = atom.array if isinstance(atom, Entry) else None
    if not isinstance(array, Operation) or array.name != "det":
        return False
    operand = array.operands[0]
    return isinstance(operand, Array) and bool(is_orthogonal(operand))
