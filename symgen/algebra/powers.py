"""Powers, roots, absolute values and signs of polynomials, over their irreducible factors."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from symgen.algebra import polynomial as poly
from symgen.algebra.polynomial import Monomial, Poly
from symgen.tensor.arithmetic import MAX_BITS
from symgen.tensor.expression import ZERO, Entry, Fn, Num, Scalar, Tensor, num, power, substitute

if TYPE_CHECKING:
    from symgen.algebra.canonical import Workshop

MAX_EXPONENT = 8  # of a sum that is expanded

__all__ = [
    "absolute",
    "atom_power",
    "factored",
    "factors_of",
    "is_sign",
    "oriented",
    "outer_name",
    "power_of",
    "sign_of",
]


def power_of(w: Workshop, p: Poly, exponent: Fraction) -> Poly:
    """p ^ exponent."""
    if exponent == 0:
        return poly.constant(1)
    if exponent == 1 or not p:
        return p if exponent > 0 else poly.of_atom(power(ZERO, num(exponent)))
    if exponent.denominator == 1 and exponent > 0:
        if len(p) == 1 or exponent <= MAX_EXPONENT:
            return natural_power(w, p, int(exponent))
        return poly.of_atom(outer_power(w, p), exponent)
    c, content, factors = factored(w, p)
    if exponent.denominator == 1:
        out = of_number(w, c, int(exponent), tuple((a, e * exponent) for a, e in content))
        for f, k in factors:
            out = poly.multiply(out, poly.of_atom(denominator(w, f), k * exponent), w.budget)
        return w.tidy(out)
    return root(w, c, content, factors, exponent)


def factored(w: Workshop, p: Poly) -> tuple[Fraction, Monomial, list[tuple[Poly, int]]]:
    """c, m, [(f, k), ..] with p = c m f^k ..: irreducible factors of numerator and denominator (there k < 0)."""
    top, powers = poly.cleared(p, w.definitions, w.budget)
    c, content, found = poly.factor(top, w.budget)
    factors: list[tuple[Poly, int]] = []
    for f, k in found:
        s, f = oriented(w, f)
        c *= s**k
        factors.append((f, k))
    return c, content, [*factors, *((w.definitions[a], -k) for a, k in powers.items())]


def oriented(w: Workshop, f: Poly) -> tuple[int, Poly]:
    """s, g with f = s g, where g of g and -g is the one chosen whatever the names of its indices."""
    if not f:
        return 1, f
    flipped = poly.scale(f, Fraction(-1))
    node, other = poly.node_of(f), poly.node_of(flipped)
    if not node.free:
        return (1, f) if poly.leading(f)[1] > 0 else (-1, flipped)
    a, b = (w._outer(lambda r, x=x: substitute(x, r), x) for x in (node, other))  # type: ignore[misc]
    return (1, f) if _age(a) < _age(b) else (-1, flipped)


def natural_power(w: Workshop, p: Poly, k: int) -> Poly:
    one = poly.single(p)
    if one is not None:
        c, m = one
        return w.tidy(of_number(w, c, k, tuple((a, e * k) for a, e in m)))
    return w.times(*([p] * k))


def of_number(w: Workshop, c: Fraction, k: int, m: Monomial) -> Poly:
    """c^k m; a power of too many digits stays a power."""
    if c.denominator == 1 and -2 < c.numerator < 2:
        return {m: c**k}
    if max(c.numerator.bit_length(), c.denominator.bit_length()) * abs(k) <= MAX_BITS:
        return {m: c**k}
    sign = Fraction(-1 if c < 0 and k % 2 else 1)
    return poly.multiply({m: sign}, poly.of_atom(power(num(abs(c)), num(k))), w.budget)


def outer_power(w: Workshop, p: Poly) -> Scalar:
    return denominator(w, p)


def denominator(w: Workshop, f: Poly) -> Scalar:
    """The atom that stands for a polynomial in a denominator, or under a root."""
    node = poly.node_of(f)
    atom = w._outer(lambda relabel: substitute(node, relabel), node) if node.free else node
    w.definitions[atom] = f
    return atom


def root(w: Workshop, c: Fraction, content: Monomial, factors: list[tuple[Poly, int]], q: Fraction) -> Poly:
    """(c content factors) ^ q for a broken q: taken apart over factors whose sign is known."""
    parts: list[tuple[Poly, Fraction]] = [({((a, Fraction(1)),): Fraction(1)}, e) for a, e in content]
    parts += [(f, Fraction(k)) for f, k in factors]
    out: list[Poly] = []
    kept: list[tuple[Poly, Fraction]] = []
    for f, e in parts:
        if w.nonnegative(f):
            out.append(atom_power(w, f, e * q))
        elif w.negative(f):
            out.append(atom_power(w, poly.scale(f, Fraction(-1)), e * q))
            c *= -1 if e % 2 else 1
            if e.denominator != 1:
                kept.append((f, e))
        elif e.denominator == 1 and e % 2 == 0:
            size = absolute(w, f)
            out.append(power_of_product(w, size, e * q))
        else:
            kept.append((f, e))
    if len(kept) == 1 and c > 0:  # the root is defined: what is left is nonnegative
        f, e = kept.pop()
        out.append(atom_power(w, f, e * q))
    if kept or c < 0:
        product = poly.constant(-1 if c < 0 else 1)
        for f, e in kept:
            product = poly.multiply(product, atom_power(w, f, e), w.budget)
        atom = w._outer(lambda relabel: substitute(poly.node_of(product), relabel), poly.node_of(product))
        if isinstance(atom, Num) and atom.rational is not None:
            return poly.of_atom(power(atom, num(q)))  # a root of a negative number
        w.definitions.setdefault(atom, product)
        out.append(poly.of_atom(atom, q))
    return w.times(number_power(w, abs(c), q), *out)


def power_of_product(w: Workshop, p: Poly, e: Fraction) -> Poly:
    one = poly.single(p)
    if one is None or e.denominator != 1:
        return atom_power(w, p, e)
    c, m = one
    return w.tidy(of_number(w, c, int(e), tuple((a, x * e) for a, x in m)))


def atom_power(w: Workshop, f: Poly, e: Fraction) -> Poly:
    one = poly.single(f)
    if one is not None:
        return {tuple((a, x * e) for a, x in one[1]): Fraction(1)}
    if e.denominator == 1 and 0 < e <= MAX_EXPONENT:
        return natural_power(w, f, int(e))
    return poly.of_atom(denominator(w, f), e)


def number_power(w: Workshop, c: Fraction, q: Fraction) -> Poly:
    """c ^ q of a positive number, in powers of primes."""
    whole, out = Fraction(1), {}
    for prime, k in poly.primes(c):
        e = k * q
        n = e.numerator // e.denominator
        whole *= Fraction(prime) ** n
        if e != n:
            out[num(prime)] = e - n
    return {poly.ordered(out): whole}


def absolute(w: Workshop, p: Poly) -> Poly:
    """|p| as a product of its factors, each with its sign."""
    if not p:
        return {}
    c, parts = factors_of(w, p)
    out = poly.constant(abs(c))
    for f, e in parts:
        if e.denominator == 1 and e % 2 and not w.nonnegative(f):
            s = poly.constant(-1) if w.negative(f) else sign_atom(w, f)
            out = w.times(out, s)
        out = w.times(out, atom_power(w, f, e))
    return out


def sign_of(w: Workshop, p: Poly) -> Poly:
    """sign(p) as a product of signs of irreducible factors."""
    if not p:
        return {}
    c, parts = factors_of(w, p)
    out = poly.constant(1 if c > 0 else -1)
    for f, e in parts:
        if w.positive(f):
            continue
        if w.negative(f):
            out = poly.scale(out, Fraction(-1 if e % 2 == 1 else 1))
            continue
        s = sign_atom(w, f)
        out = w.times(out, s) if e % 2 == 1 else w.times(out, s, s)
    return out


def factors_of(w: Workshop, p: Poly) -> tuple[Fraction, list[tuple[Poly, Fraction]]]:
    c, content, factors = factored(w, p)
    parts: list[tuple[Poly, Fraction]] = [({((a, Fraction(1)),): Fraction(1)}, e) for a, e in content]
    return c, [*parts, *((f, Fraction(k)) for f, k in factors)]


def sign_atom(w: Workshop, f: Poly) -> Poly:
    one = poly.single(f)
    if one is not None and len(one[1]) == 1 and is_sign(one[1][0][0]):
        return f  # sign(sign(x)) = sign(x)
    of_sign = _sign_of_a_sign(f)
    if of_sign is not None:
        return of_sign
    atom = w.atom_of("sign", f)
    if isinstance(atom, Num) and atom.rational is not None:
        return poly.constant(atom.rational)
    w.signs[atom] = f
    return poly.of_atom(atom)


def _sign_of_a_sign(f: Poly) -> Poly | None:
    """The sign of a polynomial in one sign s, by its values at -1, 0 and 1: that of 1 + s is 1 + (s - s^2)/2."""
    atoms = {a for m in f for a, _ in m}
    if len(atoms) != 1 or any(e.denominator != 1 or e < 0 for m in f for _, e in m):
        return None
    (s,) = atoms
    if not is_sign(s):
        return None

    def at(x: int) -> int:
        value = sum((c * x ** int(sum(e for _, e in m)) for m, c in f.items()), Fraction(0))
        return (value > 0) - (value < 0)

    below, here, above = at(-1), at(0), at(1)
    made = {(): Fraction(here), ((s, Fraction(1)),): Fraction(above - below, 2)}
    made[((s, Fraction(2)),)] = Fraction(above + below, 2) - here
    return {m: c for m, c in made.items() if c}


def _age(atom: Scalar) -> list[int]:
    return [x.serial for x in atom.args]


def outer_name(atom: Scalar) -> str | None:
    """The name of a function atom."""
    if isinstance(atom, Entry) and isinstance(atom.array, Tensor):
        atom = atom.array.body
    return atom.name if isinstance(atom, Fn) else None


def is_sign(atom: Scalar) -> bool:
    return outer_name(atom) == "sign"
