"""Eigenvalues of small matrices in closed form, their moduli, and where all roots of a polynomial lie.

Hurwitz' determinants say whether all roots have negative real parts; by mu = (1 + s)/(1 - s) the same determinants say
whether all lie inside the unit circle (Jury 1964). Gantmacher (1959), XV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

from symgen.calculus.solving import never_positive, sign_of, vanishes
from symgen.tensor.sympy_bridge import within

__all__ = ["Pair", "eigenvalue_pairs", "hurwitz", "in_circle", "characteristic", "largest", "below_zero", "square_root"]

S = sympy
mu = S.Dummy("mu")


def tidy(e: Any) -> Any:
    short = within(2.0, lambda: S.factor(S.cancel(S.together(e))))
    return e if short is None else short


@dataclass(frozen=True)
class Pair:
    """center +- sqrt(radicand), real both; a single root has `radicand` 0 and `double` False."""

    center: Any
    radicand: Any
    single: bool = False

    @property
    def roots(self) -> list[Any]:
        if self.single:
            return [self.center]
        root = _root(self.radicand)
        return [self.center - root, self.center + root]

    @property
    def sign(self) -> int | None:
        """Of the radicand: 1 two real roots, -1 a conjugate pair."""
        if self.single:
            return 0
        if never_positive(self.radicand):
            return -1
        return 1 if never_positive(-self.radicand) else sign_of(self.radicand)

    @property
    def real_part_signs(self) -> list[int | None]:
        if self.single:
            return [sign_of(self.center)]
        s = self.sign
        if s in (-1, 0):
            return [sign_of(self.center)] * 2
        product = sign_of(tidy(self.center**2 - self.radicand))
        if product == -1:
            return [-1, 1]
        c = sign_of(self.center)
        if product == 1:
            return [c, c]  # both roots on the side of their mean, real or not
        return [None, None] if product is None else [c, 0]

    @property
    def modulus(self) -> Any:
        """The larger modulus."""
        if self.single:
            return S.Abs(self.center)
        s = self.sign
        inside = square_root(tidy(self.center**2 - self.radicand))
        outside = S.Abs(self.center) + square_root(self.radicand)
        if s == -1:
            return inside
        if s is not None:
            return outside
        return S.Piecewise((inside, below_zero(self.radicand)), (outside, True))


def _root(radicand: Any) -> Any:
    """sqrt of a real number of either sign, the imaginary unit taken out where the sign is sure."""
    return S.I * square_root(-radicand, True) if never_positive(radicand) else square_root(radicand, True)


def square_root(e: Any, either: bool = False) -> Any:
    """The square root, squares taken out and the rest multiplied out; `either` sign of it will do where roots come in
    pairs."""
    outside: Any = S.Integer(1)
    top, bottom = S.fraction(tidy(e))
    rest: list[Any] = []
    for part in (top, bottom):
        inside: Any = S.Integer(1)
        for f in S.Mul.make_args(part):
            base, k = f.as_base_exp() if not f.is_number else (f, S.Integer(1))
            if k.is_Integer and k >= 2 and base.is_real:
                sign = sign_of(base)
                root = sign * base if sign is not None else base if either or (k // 2) % 2 == 0 else S.Abs(base)
                outside *= root ** (k // 2) if part is top else root ** -(k // 2)
                f = base ** (k % 2)
            inside *= f
        content, primitive = S.expand(inside).as_content_primitive()
        rest.append(primitive)
        outside *= S.sqrt(content) if part is top else 1 / S.sqrt(content)
    return outside * S.sqrt(rest[0] / rest[1])


def below_zero(e: Any) -> Any:
    """The condition e < 0 without the factors of a sure sign."""
    sign, rest = 1, S.Integer(1)
    top, bottom = S.fraction(tidy(e))
    for f in [*S.Mul.make_args(top), *S.Mul.make_args(bottom)]:
        s = sign_of(f)
        if s in (1, -1):
            sign *= s  # type: ignore[operator]
        else:
            rest *= f
    rest = S.expand(rest)
    return rest < 0 if sign == 1 else rest > 0


def characteristic(matrix: Any) -> Any:
    """det(mu I - M) as a polynomial in `mu`."""
    polynomial = matrix.charpoly(mu)
    return S.Poly([tidy(c) for c in polynomial.all_coeffs()], mu)


def eigenvalue_pairs(polynomial: Any) -> list[Pair] | None:
    """The roots, where the polynomial splits into factors of degree 1 and 2; None where it does not."""
    if polynomial.degree() <= 2:
        factors = [(polynomial, 1)]
    else:
        found = within(3.0, lambda: S.factor_list(polynomial.as_expr(), mu)[1])
        if found is None:
            return None
        factors = [(S.Poly(f, mu), k) for f, k in found if mu in f.free_symbols]
    out: list[Pair] = []
    for f, times in factors:
        if f.degree() > 2:
            return None
        c = f.all_coeffs()
        if f.degree() == 1:
            out += [Pair(tidy(-c[1] / c[0]), S.Integer(0), single=True)] * times
        else:
            center, radicand = tidy(-c[1] / (2 * c[0])), tidy((c[1] ** 2 - 4 * c[0] * c[2]) / (4 * c[0] ** 2))
            if radicand == 0:
                out += [Pair(center, S.Integer(0), single=True)] * (2 * times)
            else:
                out += [Pair(center, radicand)] * times
    return out


# --- where the roots lie ----------------------------------------------------------------------------------------------


def hurwitz(polynomial: Any) -> list[Any]:
    """Expressions that are all positive if and only if every root has a negative real part: the coefficients (made
    monic) for degree 1 and 2, beyond that the determinants of Hurwitz and the last coefficient."""
    c = polynomial.all_coeffs()
    lead = c[0]
    c = [tidy(x / lead) for x in c]
    n = len(c) - 1
    if n <= 2:
        return c[1:]
    matrix = S.zeros(n, n)
    for i in range(n):
        for j in range(n):
            k = 2 * (j + 1) - (i + 1)
            matrix[i, j] = c[k] if 0 <= k <= n else 0
    return [tidy(matrix[:k, :k].det(method="berkowitz")) for k in range(1, n)] + [c[n]]


def in_circle(polynomial: Any) -> list[Any]:
    """Expressions that are all positive if and only if every root lies inside the unit circle."""
    s = S.Dummy("s")
    n = polynomial.degree()
    e = sum(c * (1 + s) ** (n - k) * (1 - s) ** k for k, c in enumerate(polynomial.all_coeffs()))
    e = S.expand(e)
    rest = [tidy(e.coeff(s, k)) for k in range(n, -1, -1)]  # the first is (-1)^n P(-1), the last P(1)
    if n <= 2:
        return rest
    matrix = S.zeros(n, n)
    for i in range(n):
        for j in range(n):
            k = 2 * (j + 1) - (i + 1)
            matrix[i, j] = rest[k] if 0 <= k <= n else 0
    return [rest[0]] + [tidy(matrix[:k, :k].det(method="berkowitz")) for k in range(1, n)] + [rest[n]]


def largest(moduli: list[Any]) -> Any:
    """The largest of them, decided where signs are."""
    out: list[Any] = []
    for m in moduli:
        if m in out:
            continue
        worse = False
        for other in list(out):
            s = sign_of(tidy(m**2 - other**2)) if not m.has(S.Piecewise) and not other.has(S.Piecewise) else None
            if s is None and vanishes(m - other):
                s = 0
            if s == 1:
                out.remove(other)
            elif s in (-1, 0):
                worse = True
                break
        if not worse:
            out.append(m)
    return out[0] if len(out) == 1 else S.Max(*out)
