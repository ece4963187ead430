"""Functions of one number: convex or concave on an interval, rising or falling, by the signs of their derivatives.

A function with kinks is convex where its pieces are, where they meet, and where its slope does not fall at a kink
(Rockafellar (1970), 24). A sign is sure where every term has it: exponentials are written as 1 + r + r^2/2 + w with w
positive, logarithms by their exponentials, and polynomials in one symbol have their real roots counted (Sturm).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy

from symgen.calculus.pieces import KINKED, between, branch, in_order, kinks_of
from symgen.calculus.solving import Interval, assuming, never_positive, sign_of, sign_on
from symgen.tensor.expression import Scalar
from symgen.tensor.facts import Facts
from symgen.tensor.intervals import Range
from symgen.tensor.sympy_bridge import NotInSymPy, Table, to_sympy, within
from symgen.text.diagnostics import CannotDerive

__all__ = ["Bend", "bend_of", "is_defined"]

S = sympy
SECONDS = 2.0
JUMPING = (S.floor, S.ceiling, S.Mod, S.DiracDelta)
LARGEST = 120  # operations of an expression that is asked about


@dataclass(frozen=True)
class Bend:
    """`shape` is convex, concave or affine; `slope` 1 where the function never falls, -1 where it never rises, else 0."""

    shape: str
    slope: int
    strict: bool = False


def bend_of(body: Scalar, value: Scalar, domain: Range, facts: Facts | None) -> Bend | None:
    """How `body` bends as a function of `value` in `domain`, whatever else is in it; None where that is not known."""
    if domain.integer and domain.point is None:
        return None
    table = Table(facts)
    assumptions = {"positive": True} if domain.positive else {"nonnegative": True} if domain.nonnegative else {"real": True}
    t = table.symbol(value, **assumptions)
    low = -S.oo if domain.low is None else S.Rational(domain.low.numerator, domain.low.denominator)
    high = S.oo if domain.high is None else S.Rational(domain.high.numerator, domain.high.denominator)
    try:
        f = to_sympy(body, table)
    except NotInSymPy:
        return None
    held = any(a is not value and value in _below(a) for a in table.symbols)
    if held or f.has(*JUMPING) or f.count_ops() > LARGEST or not t.free_symbols <= f.free_symbols:
        return None
    try:
        with assuming(table):
            found = within(SECONDS, _bend, f, t, Interval(low, high))
    except CannotDerive:
        return None
    return found if isinstance(found, Bend) else None


def _below(node: Scalar) -> set[Any]:
    seen: set[Any] = set()
    stack: list[Any] = [node]
    while stack:
        n = stack.pop()
        if n not in seen:
            seen.add(n)
            stack.extend(n.args)
    return seen


def _bend(f: Any, t: Any, interval: Interval) -> Bend | None:
    kinks: list[Any] = []
    pieces = [f]
    if f.has(*KINKED) and any(t in a.free_symbols for a in f.atoms(*KINKED)):
        found = in_order([k for k in kinks_of(f, t) if _is_inside(k, interval)])
        if found is None:
            return None
        kinks = found
        pieces = [branch(f, t, x) for x in between(kinks, interval)]
        if any(t in a.free_symbols for p in pieces for a in p.atoms(*KINKED)):
            return None
    ends = [interval.low, *kinks, interval.high]
    spans = [Interval(a, b) for a, b in pairwise(ends)]
    if not all(is_defined(p, t, span) for p, span in zip(pieces, spans, strict=True)):
        return None
    slopes = [S.diff(p, t) for p in pieces]
    for k, (left, right) in zip(kinks, pairwise(pieces), strict=True):
        if _reduced((left - right).subs(t, k)) != 0:
            return None  # it jumps
    jumps = [_weak_sign((right - left).subs(t, k)) for k, (left, right) in zip(kinks, pairwise(slopes), strict=True)]
    bends = [_sign_inside(S.diff(s, t), t, span) for s, span in zip(slopes, spans, strict=True)]
    shape = _common([*jumps, *bends])
    slope = _common([_sign_inside(s, t, span) for s, span in zip(slopes, spans, strict=True)])
    if shape is None:
        return None
    word = {1: "convex", -1: "concave", 0: "affine"}[shape]
    strict = shape != 0 and all(b not in (None, 0) for b in bends)
    return Bend(word, slope or 0, strict)


def _is_inside(k: Any, interval: Interval) -> bool:
    """Whether a kink is to be looked at: not where it is surely no point inside."""
    below = interval.low != -S.oo and sign_of(k - interval.low) in (-1, 0)
    return not below and not (interval.high != S.oo and sign_of(interval.high - k) in (-1, 0))


SMOOTH = (S.exp, S.cosh, S.sinh, S.tanh, S.erf, S.erfc, S.sin, S.cos, S.atan)
ON_POSITIVE = (S.log, S.loggamma, S.polygamma)


def is_defined(e: Any, t: Any, span: Interval) -> bool:
    """Whether a piece has a value, and derivatives, at all points inside the interval."""
    for a in e.atoms(S.Function, S.Pow):
        if t not in a.free_symbols or isinstance(a, SMOOTH):
            continue
        if isinstance(a, S.Pow):
            if a.exp.is_nonnegative and a.exp.is_integer:
                continue
            if t in a.exp.free_symbols and t not in a.base.free_symbols and sign_of(a.base) == 1:
                continue
            sign = sign_on(a.base, t, span)
            if not (sign == 1 or (sign == -1 and a.exp.is_integer)):
                return False
        elif not isinstance(a, ON_POSITIVE) or sign_on(a.args[-1], t, span) != 1:
            return False
    return True


def _common(signs: list[int | None]) -> int | None:
    if None in signs:
        return None
    rest = set(signs) - {0}
    return 0 if not rest else rest.pop() if len(rest) == 1 else None


def _reduced(e: Any) -> Any:
    return S.simplify(S.expand_log(S.cancel(S.together(e)))) if e != 0 else e


def _weak_sign(e: Any) -> int | None:
    """1: never below 0; -1: never above 0; 0: it vanishes."""
    e = _reduced(e)
    if e == 0:
        return 0
    if e.has(S.oo, -S.oo, S.zoo, S.nan):
        return None
    return 1 if never_positive(-e) else -1 if never_positive(e) else None


def _sign_inside(e: Any, t: Any, interval: Interval) -> int | None:
    """The weak sign of `e` for all t inside the interval."""
    e = S.cancel(S.together(e)) if not e.has(S.erf, S.erfc, S.polygamma, S.loggamma) else e
    if e == 0:
        return 0
    r = S.Dummy("r", positive=True)
    if interval.low is -S.oo and interval.high is S.oo:
        places = [r, -r]
    elif interval.high is S.oo:
        places = [interval.low + r]
    elif interval.low is -S.oo:
        places = [interval.high - r]
    else:
        places = [interval.low + (interval.high - interval.low) * r / (1 + r)]
    return _common([_sign_at(e.subs(t, p), r) for p in places])


def _sign_at(e: Any, r: Any) -> int | None:
    known = _weak_sign_of(e)
    if known is not None or r not in e.free_symbols:
        return known
    if e.has(S.log) and all(a.args[0] == r for a in e.atoms(S.log) if r in a.free_symbols):
        signs = [_of_exponentials(S.expand(e.subs(r, S.exp(x)), log=True), s) for s in (r,) for x in (s, -s)]
        return _common(signs)
    return _of_exponentials(e, r)


def _weak_sign_of(e: Any) -> int | None:
    s = sign_of(e)
    if s is not None:
        return s
    return -1 if never_positive(e) else 1 if never_positive(-e) else _by_roots(e)


def _of_exponentials(e: Any, r: Any) -> int | None:
    """The sign for r > 0 of what is rational in r and in exponentials of multiples of r."""
    e = e.rewrite(S.exp) if e.has(S.tanh, S.cosh, S.sinh) else e
    top, bottom = S.fraction(S.together(S.powsimp(S.expand(e, power_exp=True))))
    signs = []
    for part in (top, bottom):
        factors = S.Mul.make_args(S.factor(part))
        signs += [_of_factor(f, r) for f in factors]
    if None in signs:
        return None
    product = 1
    for s in signs:
        product *= s or 0
    return product


def _of_factor(f: Any, r: Any) -> int | None:
    s = _weak_sign_of(f)
    if s is not None:
        return s
    if isinstance(f, S.Pow) and f.exp.is_integer:
        inner = _of_factor(f.base, r)
        return 1 if f.exp.is_even else inner
    rates = {a.args[0].coeff(r) for a in f.atoms(S.exp) if r in a.free_symbols}
    if not rates or not all(q.is_Rational and a.args[0] == q * r for a in f.atoms(S.exp) for q in [a.args[0].coeff(r)]):
        return None
    least = min(*rates, S.Integer(0)) if rates else S.Integer(0)
    step = S.gcd_list([q - least for q in rates] + [least]) if rates else S.Integer(1)
    E, w = S.Dummy("E", positive=True), S.Dummy("w", positive=True)
    poly = S.expand(sum(_shifted(t, r, E, least, step) for t in S.Add.make_args(S.expand(f))))
    x = step * r  # E = exp(x) > 1 + x + ..
    for series in (1 + x, 1 + x + x**2 / 2, 1 + x + x**2 / 2 + x**3 / 6):
        s = _weak_sign_of(S.expand(poly.subs(E, series + w)))
        if s is not None:
            return s
    return None


def _shifted(t: Any, r: Any, E: Any, least: Any, step: Any) -> Any:
    """A term times exp(-least r), with exp(step r) written as E."""
    rate = sum((a.args[0].coeff(r) for a in S.Mul.make_args(t) if isinstance(a, S.exp)), S.Integer(0))
    rest = S.Mul(*(a for a in S.Mul.make_args(t) if not isinstance(a, S.exp)))
    return rest * E ** ((rate - least) / step)


def _by_roots(e: Any) -> int | None:
    """The sign of a polynomial in one positive symbol with rational coefficients: of no root of odd order."""
    (x,) = e.free_symbols if len(e.free_symbols) == 1 else (None,)
    if x is None or not x.is_positive:
        return None
    signs = []
    for part in S.fraction(S.together(e)):
        if not part.is_polynomial(x):
            return None
        p = S.Poly(part, x)
        if not all(c.is_Rational for c in p.coeffs()):
            return None
        lead, factors = p.sqf_list()
        sign = 1 if lead > 0 else -1
        for q, times in factors:
            if times % 2 == 0:
                continue
            if q.count_roots(0, S.oo) - (1 if q.eval(0) == 0 else 0):
                return None
            sign *= 1 if q.LC() > 0 else -1
        signs.append(sign)
    return signs[0] * signs[1]
