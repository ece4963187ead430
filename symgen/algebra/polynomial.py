"""Polynomials over atoms, with fractional and negative exponents: the arithmetic below a canonical form.

An atom is an interned scalar node that is opened no further. A monomial is a tuple of (atom, exponent), in the order of
the birth of the atoms; a polynomial maps monomials to rational coefficients. A denominator that is no monomial is an
atom of its own, the `Pow(D, -1)` of an irreducible polynomial D: see `Denominators`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from symgen.derivation.context import BudgetSpent
from symgen.tensor.clock import spent
from symgen.tensor.expression import Scalar, add, mul, num, power

__all__ = [
    "Budget", "Monomial", "Poly", "add_polys", "cleared", "constant", "constant_of", "factor", "leading",
    "monomial_content", "multiply", "node_of", "of_atom", "ordered", "primes", "reduce_denominators", "scale", "single",
    "term_node", "times",
]  # fmt: skip

Monomial = tuple[tuple[Scalar, Fraction], ...]
Poly = dict[Monomial, Fraction]
ONE = Fraction(1)
MAX_TERMS = 3000  # of one polynomial
MAX_DEGREE = 200  # of a polynomial that is factored or divided


class Budget:
    """Terms and time; `spend` raises BudgetSpent when one of them is used up."""

    def __init__(self, deadline: float, terms: int = 400_000) -> None:
        self.deadline, self.terms = deadline, terms

    def spend(self, terms: int = 1) -> None:
        self.terms -= terms
        if self.terms < 0 or spent() > self.deadline:
            raise BudgetSpent


def constant(value: Fraction | int) -> Poly:
    return {(): Fraction(value)} if value else {}


def of_atom(atom: Scalar, exponent: Fraction | int = 1) -> Poly:
    return {((atom, Fraction(exponent)),): ONE}


def constant_of(p: Poly) -> Fraction | None:
    """The value of a polynomial that is a number."""
    if not p:
        return Fraction(0)
    return p.get(()) if len(p) == 1 else None


def single(p: Poly) -> tuple[Fraction, Monomial] | None:
    """Coefficient and monomial of a polynomial of one term."""
    if len(p) != 1:
        return None
    ((m, c),) = p.items()
    return c, m


def scale(p: Poly, c: Fraction) -> Poly:
    return {m: c * v for m, v in p.items()} if c else {}


def add_polys(polys: Iterable[Poly], budget: Budget) -> Poly:
    out: Poly = {}
    for p in polys:
        budget.spend(len(p))
        for m, c in p.items():
            total = out.get(m, Fraction(0)) + c
            if total:
                out[m] = total
            else:
                out.pop(m, None)
    return out


def times(a: Monomial, b: Monomial) -> Monomial:
    if not a:
        return b
    if not b:
        return a
    out: dict[Scalar, Fraction] = dict(a)
    for atom, e in b:
        total = out.get(atom, Fraction(0)) + e
        if total:
            out[atom] = total
        else:
            del out[atom]
    return ordered(out)


def ordered(exponents: Mapping[Scalar, Fraction]) -> Monomial:
    return tuple(sorted(((a, e) for a, e in exponents.items() if e), key=lambda x: x[0].serial))


def multiply(p: Poly, q: Poly, budget: Budget) -> Poly:
    if len(p) * len(q) > MAX_TERMS:
        raise BudgetSpent
    budget.spend(len(p) * len(q))
    out: Poly = {}
    for m, c in p.items():
        for n, d in q.items():
            k = times(m, n)
            total = out.get(k, Fraction(0)) + c * d
            if total:
                out[k] = total
            else:
                out.pop(k, None)
    return out


def term_node(m: Monomial, c: Fraction = ONE) -> Scalar:
    return mul(num(c), *(power(a, num(e)) for a, e in m))


def node_of(p: Poly) -> Scalar:
    """The polynomial as an expression."""
    return add(*(term_node(m, c) for m, c in p.items()))


def monomial_content(p: Poly) -> Monomial:
    """The greatest monomial that divides every term, exponents of both signs."""
    least: dict[Scalar, Fraction] = {}
    atoms = {a for m in p for a, _ in m}
    for a in atoms:
        least[a] = min(dict(m).get(a, Fraction(0)) for m in p)
    return ordered(least)


class Ring:
    """The flint ring over the atoms of some polynomials; exponents are shifted and scaled to natural numbers."""

    def __init__(self, polys: Iterable[Poly]) -> None:
        exponents: dict[Scalar, list[Fraction]] = {}
        for p in polys:
            for m in p:
                for a, e in m:
                    exponents.setdefault(a, []).append(e)
        self.atoms = sorted(exponents, key=lambda a: a.serial)
        self.units = [lcm(*(e.denominator for e in exponents[a])) for a in self.atoms]
        self.places = {a: k for k, a in enumerate(self.atoms)}
        # x^(1/q) stands in the ring as a variable whose q-th power is x: degrees may be far above the exponents
        self.degree = max((abs(e) * u for a, u in zip(self.atoms, self.units, strict=True) for e in exponents[a]), default=0)
        self.ctx: Any = fmpq_mpoly_ctx.get([f"x{k}" for k in range(len(self.atoms))], Ordering.lex)

    def read(self, p: Poly) -> Any:
        """A polynomial without negative exponents."""
        out: dict[tuple[int, ...], fmpq] = {}
        for m, c in p.items():
            exponents = [0] * len(self.atoms)
            for a, e in m:
                k = self.places[a]
                exponents[k] = int(e * self.units[k])
            out[tuple(exponents)] = fmpq(c.numerator, c.denominator)
        return self.ctx.from_dict(out)

    def write(self, p: Any) -> Poly:
        out: Poly = {}
        for exponents, c in p.to_dict().items():
            m = tuple((a, Fraction(int(e), u)) for a, e, u in zip(self.atoms, exponents, self.units, strict=True) if e)
            out[m] = Fraction(int(c.p), int(c.q))
        return out


def split_content(p: Poly) -> tuple[Monomial, Poly]:
    """content, primitive with p = content * primitive; the primitive has no negative exponent."""
    content = monomial_content(p)
    inverse = tuple((a, -e) for a, e in content)
    return content, {times(m, inverse): c for m, c in p.items()}


def split_negative(p: Poly) -> tuple[Monomial, Poly]:
    """m, q with p = m q, where q has no negative exponent and m no positive one."""
    content = tuple((a, e) for a, e in monomial_content(p) if e < 0)
    inverse = tuple((a, -e) for a, e in content)
    return content, {times(m, inverse): c for m, c in p.items()}


def factor(p: Poly, budget: Budget) -> tuple[Fraction, Monomial, list[tuple[Poly, int]]]:
    """c, m, [(f, k), ..] with p = c m f^k ..: the f irreducible, of two terms at least, with coprime integers."""
    one = single(p)
    if one is not None:
        return one[0], one[1], []
    budget.spend(10 * len(p))
    content, primitive = split_content(p)
    ring = Ring([primitive])
    if len(primitive) > 60 or any(e > 12 for m in primitive for _, e in m) or ring.degree > MAX_DEGREE:
        factors: list[tuple[Any, int]] = [(ring.read(primitive), 1)]
        c = Fraction(1)
    else:
        lead, factors = ring.read(primitive).factor()
        c = Fraction(int(lead.p), int(lead.q))
    out: list[tuple[Poly, int]] = []
    for f, k in factors:
        q = ring.write(f)
        common = _common(q)
        c *= common ** int(k)
        q = scale(q, 1 / common)
        one = single(q)
        if one is not None:
            content = times(content, tuple((a, e * int(k)) for a, e in one[1]))
        else:
            out.append((q, int(k)))
    out.sort(key=lambda x: node_of(x[0]).serial)
    return c, content, out


def _common(p: Poly) -> Fraction:
    """The rational number that leaves coprime integers, the leading one positive."""
    top = gcd(*(v.numerator for v in p.values()))
    bottom = lcm(*(v.denominator for v in p.values()))
    return Fraction(top, bottom) * (1 if leading(p)[1] > 0 else -1)


def leading(p: Poly) -> tuple[Monomial, Fraction]:
    """The leading term: the first in the lexicographic order by the birth of the atoms."""
    atoms = sorted({a for m in p for a, _ in m}, key=lambda a: a.serial)

    def key(m: Monomial) -> tuple[Fraction, ...]:
        exponents = dict(m)
        return tuple(exponents.get(a, Fraction(0)) for a in atoms)

    m = max(p, key=key)
    return m, p[m]


def reduce_denominators(p: Poly, definitions: Mapping[Scalar, Poly], budget: Budget) -> Poly:
    """One fraction in lowest terms over all denominators of `p`, then expanded in powers of a lone denominator.

    `definitions` gives the polynomial of a denominator atom. N/D^k is written by D-adic digits, N = r0 + r1 D + ..,
    so that sums of such fractions have one form whatever sum sign they stand under.
    """
    powers: dict[Scalar, Fraction] = {}
    for m in p:
        for a, e in m:
            if a in definitions and e < 0:
                if e.denominator != 1:
                    return p
                powers[a] = min(powers.get(a, Fraction(0)), e)
    if not powers:
        return p
    atoms = sorted((a for a in powers), key=lambda a: a.serial)
    pieces: list[Poly] = []
    for m, c in p.items():
        exponents = dict(m)
        rest: Poly = {tuple((a, e) for a, e in m if a not in powers): c}
        for a in atoms:
            k = int(exponents.get(a, Fraction(0)) - powers[a])
            if k > 12:
                raise BudgetSpent
            for _ in range(k):
                rest = multiply(rest, definitions[a], budget)
        pieces.append(rest)
    top = add_polys(pieces, budget)
    if not top:
        return {}
    content, primitive = split_negative(top)
    divisors = [split_content(definitions[a])[1] for a in atoms]
    ring = Ring([primitive, *divisors])
    if ring.degree > MAX_DEGREE:
        raise BudgetSpent
    numerator = ring.read(primitive)
    left: list[tuple[Scalar, Any, int]] = []
    for a, divisor in zip(atoms, divisors, strict=True):
        k, d = int(-powers[a]), ring.read(divisor)
        while k > 0:
            budget.spend(len(top))
            quotient, remainder = divmod(numerator, d)
            if remainder != 0:
                break
            numerator, k = quotient, k - 1
        if k:
            left.append((a, d, k))
    pieces_left: list[tuple[Any, Monomial]] = [(numerator, content)]
    for a, d, k in left:
        split: list[tuple[Any, Monomial]] = []
        for n, bottom in pieces_left:
            for j in range(k, 0, -1):
                budget.spend(len(top))
                n, digit = divmod(n, d)
                if digit != 0:
                    split.append((digit, times(bottom, ((a, Fraction(-j)),))))
            if n != 0:
                split.append((n, bottom))
        pieces_left = split
    return add_polys(({times(m, bottom): c for m, c in ring.write(n).items()} for n, bottom in pieces_left), budget)


def cleared(p: Poly, definitions: Mapping[Scalar, Poly], budget: Budget) -> tuple[Poly, dict[Scalar, int]]:
    """N and powers k with p = N / prod(D^k), the denominators multiplied out of N."""
    powers: dict[Scalar, int] = {}
    for m in p:
        for a, e in m:
            if a in definitions and e < 0 and e.denominator == 1:
                powers[a] = max(powers.get(a, 0), int(-e))
    if not powers:
        return p, {}
    pieces: list[Poly] = []
    for m, c in p.items():
        exponents = dict(m)
        rest: Poly = {tuple((a, e) for a, e in m if a not in powers): c}
        for a, k in powers.items():
            for _ in range(int(exponents.get(a, Fraction(0)) + k)):
                rest = multiply(rest, definitions[a], budget)
        pieces.append(rest)
    return add_polys(pieces, budget), powers


def primes(c: Fraction) -> list[tuple[int, Fraction]]:
    """The primes of a positive rational number with their exponents; a part that is too large stays whole."""
    out: dict[int, int] = {}
    for value, s in ((c.numerator, 1), (c.denominator, -1)):
        p = 2
        while p * p <= value and p < 2000:
            while value % p == 0:
                out[p] = out.get(p, 0) + s
                value //= p
            p += 1
        if value > 1:
            out[value] = out.get(value, 0) + s
    return [(p, Fraction(k)) for p, k in sorted(out.items())]
