"""Rational simplification of one entry: fractions cancelled over atoms, the shortest form kept.

Entries, functions, sums and pieces are atoms: they keep their names. `simplify_scalar` is pointwise and guarded: what
cannot cancel costs a walk.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import lcm
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from symgen.algebra.collect import common_factor, merged_pieces, sum_to_one, written_length
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    ZERO,
    Add,
    Dim,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Sum,
    Where,
    add,
    as_coefficient,
    entry,
    fn,
    is_larger,
    mul,
    num,
    power,
    rebuild,
    total,
    var,
    where,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.tensor.nodes import ADDS, CONTRACTS

MAX_COST = 300  # of an expression that is looked at
MAX_ATOMS = 14
MAX_TERMS = 160  # of a polynomial
MAX_DEGREE = 24
MAX_ROOT = 400  # the denominator of an exponent

_simple: dict[Scalar, Scalar] = {}


def simplify_scalar(node: Scalar, facts: Facts | None = None) -> Scalar:
    """The shortest of `node` as given, cancelled and expanded, cancelled and factored: p (1 - p) (y/p) is y (1 - p)."""
    if not node.marks or type(node) is Entry:
        return node
    if type(node) is Sum and not node.body.marks and type(node.body) is Mul:
        return node  # a product of arrays
    found = _simple.get(node)
    if found is None:
        found = _simple[node] = _simplified(node)
    return found


def _simplified(node: Scalar) -> Scalar:
    kind = type(node)
    if node.weight * 4 > MAX_COST and (is_larger(node, MAX_COST) or written_length(node) > MAX_COST):
        return node
    if kind is Sum:
        body = simplify_scalar(node.body)
        return sum_to_one(node if body is node.body else total(body, node.indices))
    if kind is Where:
        condition, a, b = node.args
        return where(condition, simplify_scalar(a), simplify_scalar(b))
    if kind is not Add and kind is not Mul and kind is not Pow:
        return _inside_atoms(node)
    if kind is Mul and not node.marks & CONTRACTS:
        return _rational(node) if may_cancel(node) else node
    inner = common_factor(merged_pieces(_inside_atoms(node)))
    return _rational(inner) if may_cancel(inner) else inner


def _inside_atoms(node: Scalar) -> Scalar:
    """`node` with the sums among its terms, factors, powers and logarithms simplified."""
    kind = type(node)
    if kind in (Add, Mul, Pow) or kind is Fn and node.name == "log":
        new = [_inside_atoms(a) if type(a) in (Add, Mul, Pow, Fn) else simplify_scalar(a) if type(a) is Sum else a
               for a in node.args]  # fmt: skip
        return node if all(x is y for x, y in zip(new, node.args, strict=True)) else rebuild(node, new)
    return node


def _is_size(x: Scalar) -> bool:
    return isinstance(x, (Dim, Num)) or (type(x) in (Add, Mul, Pow) and all(_is_size(a) for a in x.args))


def may_cancel(node: Scalar) -> bool:
    """Whether a fraction, a power of a sum or a pair of exponentials stands in it that something might cancel with.

    A denominator counts if it is no size and a sum stands beside or below it.
    """
    fractions = sums = exponentials = products = 0
    count = 0
    stack: list[Scalar] = [node]
    while stack:
        x = stack.pop()
        count += 1
        if count > MAX_COST:
            return False
        kind = type(x)
        if kind is Add:
            sums += 1
            stack.extend(x.args)
        elif kind is Mul:
            products += any(type(a) is Add for a in x.args)
            stack.extend(x.args)
        elif kind is Pow:
            base, exponent = x.args
            if type(exponent) is Num:
                if exponent.value != "e" and not isinstance(exponent.value, str) and exponent.value < 0:
                    fractions += not _is_size(base)
                if type(base) is Add or type(base) is Mul:
                    stack.append(base)
        elif kind is Fn and x.name == "exp":
            exponentials += 1
    return (sums > 0 and (fractions > 0 or (products > 0 and sums > 1))) or exponentials > 1


# --- polynomials over atoms -------------------------------------------------------------------------------------------


class _TooLarge(Exception):
    pass


class _Field:
    """Fractions of polynomials whose variables are roots of atoms: x stands for (x^(1/q))^q where roots of x occur."""

    def __init__(self, node: Scalar) -> None:
        self.roots: dict[Scalar, int] = {}
        self.exponents: dict[Scalar, int] = {}
        self.find(node)
        if len(self.roots) + len(self.exponents) > MAX_ATOMS:
            raise _TooLarge
        if any(q > MAX_ROOT for q in (*self.roots.values(), *self.exponents.values())):
            raise _TooLarge
        names = [f"a{k}" for k in range(len(self.roots) + len(self.exponents))]
        self.ring = fmpq_mpoly_ctx.get(names, Ordering.degrevlex)
        gens = self.ring.gens()
        ordered = sorted(self.roots, key=lambda n: n.serial)
        self.generator = dict(zip(ordered, gens, strict=False))
        self.exponential = dict(zip(self.exponents, gens[len(self.roots) :], strict=True))
        self.back: list[tuple[Scalar, Fraction, bool]] = [(a, Fraction(1, self.roots[a]), False) for a in ordered]
        self.back += [(t, Fraction(1, q), True) for t, q in self.exponents.items()]
        self.one = self.ring.constant(1)

    def find(self, node: Scalar) -> None:
        """The atoms of `node`, and which roots of them occur."""
        seen: set[Scalar] = set()
        stack = [node]
        while stack:
            x = stack.pop()
            if x in seen:
                continue
            seen.add(x)
            kind = type(x)
            if kind is Add or kind is Mul:
                stack.extend(x.args)
            elif kind is Num and isinstance(x.value, Fraction):
                continue
            elif kind is Fn and x.name == "exp":
                for c, t in _terms(x.args[0]):
                    self.exponents[t] = lcm(self.exponents.get(t, 1), c.denominator)
            elif kind is Pow and type(x.args[1]) is Num and isinstance(x.args[1].value, Fraction):
                base, e = x.args[0], x.args[1].value
                if e.denominator == 1:
                    stack.append(base)
                else:
                    self.roots[base] = lcm(self.roots.get(base, 1), e.denominator)
            else:
                self.roots.setdefault(x, 1)

    def fraction(self, node: Scalar) -> tuple[fmpq_mpoly, fmpq_mpoly]:
        memo: dict[Scalar, tuple[fmpq_mpoly, fmpq_mpoly]] = {}

        def of(x: Scalar) -> tuple[fmpq_mpoly, fmpq_mpoly]:
            found = memo.get(x)
            if found is None:
                found = memo[x] = self._fraction(x, of)
            return found

        return of(node)

    def _fraction(self, x: Scalar, of: Any) -> tuple[fmpq_mpoly, fmpq_mpoly]:
        kind = type(x)
        if x in self.roots:
            return self.generator[x] ** self.roots[x], self.one
        if kind is Num and isinstance(x.value, Fraction):
            return self.ring.constant(_fmpq(x.value)), self.one
        if kind is Fn:  # exp
            top, bottom = self.one, self.one
            for c, t in _terms(x.args[0]):
                e = int(c * self.exponents[t])
                if abs(e) > MAX_DEGREE:
                    raise _TooLarge
                if e > 0:
                    top *= self.exponential[t] ** e
                else:
                    bottom *= self.exponential[t] ** -e
            return top, bottom
        if kind is Pow:
            base, e = x.args[0], x.args[1].value
            if base in self.roots:
                n = int(e * self.roots[base])
                top, bottom = self.generator[base], self.one
            else:
                n = int(e)
                top, bottom = of(base)
            if abs(n) > MAX_DEGREE or max(len(top), len(bottom)) ** abs(n) > MAX_TERMS**2:
                raise _TooLarge
            if n < 0:
                top, bottom, n = bottom, top, -n
            if bottom.is_zero():
                raise _TooLarge
            return self.small(top**n), self.small(bottom**n)
        if kind is Mul:
            top, bottom = self.one, self.one
            for a in x.args:
                p, q = of(a)
                top, bottom = self.small(top * p), self.small(bottom * q)
            return cancelled(top, bottom)
        if kind is Add:
            top, bottom = of(x.args[0])
            for a in x.args[1:]:
                p, q = of(a)
                if q == bottom:
                    top = self.small(top + p)
                else:
                    g = bottom.gcd(q)
                    left, right = q / g, bottom / g
                    top, bottom = self.small(top * left + p * right), self.small(bottom * left)
            return cancelled(top, bottom)
        raise _TooLarge

    def small(self, p: fmpq_mpoly) -> fmpq_mpoly:
        if len(p) > MAX_TERMS:
            raise _TooLarge
        return p

    # --- back again ---------------------------------------------------------------------------------------------------

    def monomial(self, degrees: Iterable[int], coefficient: Fraction, sign: int = 1) -> Scalar:
        factors: list[Scalar] = [num(coefficient)]
        exponent: list[Scalar] = []
        for (atom, unit, exponential), k in zip(self.back, degrees, strict=True):
            if not k:
                continue
            e = num(sign * int(k) * unit)
            if exponential:
                exponent.append(mul(e, atom))
            else:
                factors.append(power(atom, e))
        if exponent:
            factors.append(fn("exp", add(*exponent)))
        return mul(*factors)

    def polynomial(self, p: fmpq_mpoly) -> Scalar:
        return add(*(self.monomial(d, _fraction(c)) for d, c in p.to_dict().items()))

    def factored(self, p: fmpq_mpoly, sign: int = 1) -> Scalar:
        """The product of the factors of p (of their inverses, for sign -1), turned as people write them: 1 - x."""
        constant, found = p.factor()
        constant = _fraction(constant)
        factors: list[tuple[fmpq_mpoly, int]] = []
        for base, e in found:
            if _is_turned(base):
                base, constant = -base, constant * (-1) ** int(e)
            factors.append((base, int(e)))
        out: list[Scalar] = [power(num(constant), num(sign))]
        for base, e in self.rejoined(factors):
            if len(base) == 1:
                ((degrees, c),) = base.to_dict().items()
                out.append(self.monomial([d * e for d in degrees], _fraction(c) ** (sign * e), sign))
            else:
                out.append(power(self.polynomial(base), num(sign * e)))
        return mul(*out)

    def rejoined(self, factors: list[tuple[fmpq_mpoly, int]]) -> list[tuple[fmpq_mpoly, int]]:
        """Factors multiplied out where that is shorter: 1 - x^2 for (1 - x)(1 + x)."""
        done = list(factors)
        again = len(done) > 1
        while again:
            again = False
            for i, (p, e) in enumerate(done):
                for j in range(i):
                    q, f = done[j]
                    if e != f or len(p) == 1 or len(q) == 1 or len(p) * len(q) > 16:
                        continue
                    product = p * q
                    lengths = [written_length(self.polynomial(x)) for x in (p, q, product)]
                    if lengths[2] < lengths[0] + lengths[1] + 1:
                        done[j] = (product, e)
                        del done[i]
                        again = True
                        break
                if again:
                    break
        return done


def _is_turned(p: fmpq_mpoly) -> bool:
    """Whether -p is what people write: the constant first and positive, or more plus than minus signs."""
    if len(p) == 1:
        return False
    terms = p.to_dict()
    for degrees, c in terms.items():
        if not any(degrees):
            return bool(c < 0)
    negative = sum(bool(c < 0) for c in terms.values())
    return 2 * negative > len(terms)


def cancelled(top: fmpq_mpoly, bottom: fmpq_mpoly) -> tuple[fmpq_mpoly, fmpq_mpoly]:
    if bottom.is_constant():
        return top, bottom
    g = top.gcd(bottom)
    return (top, bottom) if g.is_constant() else (top / g, bottom / g)


def _fmpq(x: Fraction) -> fmpq:
    return fmpq(x.numerator, x.denominator)


def _fraction(x: Any) -> Fraction:
    x = fmpq(x)
    return Fraction(int(x.p), int(x.q))


def _terms(x: Scalar) -> list[tuple[Fraction, Scalar]]:
    """The terms of an exponent with their rational coefficients."""
    return [as_coefficient(t) for t in (x.args if type(x) is Add else (x,))]


def _rational(node: Scalar) -> Scalar:
    found = _cancelled(node)
    held = _held(node) if found is not ZERO else {}
    if held:  # a difference that stands there several times stays one thing: (1 + (w - y)^2)^2 is not multiplied out
        back = {v: k for k, v in held.items()}
        other = replace_scalars(_cancelled(replace_scalars(node, held)), back)
        if written_length(other) <= written_length(found):
            return other
    return found


def _held(node: Scalar) -> dict[Scalar, Scalar]:
    """Sums without sums inside that stand in several places below `node`, each with a name in its place."""
    times: dict[Scalar, int] = {}
    stack: list[Scalar] = [node]
    count = 0
    while stack and count < MAX_COST:
        x = stack.pop()
        count += 1
        if type(x) in (Add, Mul, Pow):
            if type(x) is Add and x is not node and not any(a.marks & ADDS for a in x.args):
                times[x] = times.get(x, 0) + 1
            stack.extend(x.args)
    several = [x for x, n in times.items() if n > 1]
    if not several or len(several) > 3:
        return {}
    return {x: entry(var(f"_held_{k}", (), uid=77)) for k, x in enumerate(several)}


def _cancelled(node: Scalar) -> Scalar:
    given = written_length(node)
    if given > MAX_COST:
        return node
    try:
        field = _Field(node)
        top, bottom = field.fraction(node)
        if top.is_zero():
            return ZERO
        candidates = [mul(field.factored(top), field.factored(bottom, -1))]
        candidates.append(mul(field.polynomial(top), field.factored(bottom, -1)))
        if len(bottom) == 1:
            ((degrees, c),) = bottom.to_dict().items()
            down = field.monomial(degrees, 1 / _fraction(c), -1)
            candidates.append(add(*(mul(field.monomial(d, _fraction(k)), down) for d, k in top.to_dict().items())))
    except _TooLarge:
        return node
    best, length = node, given
    for c in candidates:
        size = written_length(c)
        if size < length:
            best, length = c, size
    return best


def as_quotient(node: Scalar) -> Scalar:
    """`node` as one fraction, its parts factored: a^-2 + b^-2 is (a^2 + b^2)/(a^2 b^2); as it is, where that is long."""
    if is_larger(node, MAX_COST) or written_length(node) > MAX_COST:
        return node
    try:
        field = _Field(node)
        top, bottom = field.fraction(node)
        return ZERO if top.is_zero() else mul(field.factored(top), field.factored(bottom, -1))
    except _TooLarge:
        return node


Field, TooLarge = _Field, _TooLarge

__all__ = ["Field", "TooLarge", "as_quotient", "may_cancel", "simplify_scalar"]
