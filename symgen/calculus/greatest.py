"""The greatest size of a function of one number on an interval: at an end, at a kink, or where its derivative vanishes.

The derivative is made a polynomial in t, in e^(c t), or in v where t = sinh v; its real roots are all counted (Sturm), so
that none is overlooked. A positive scale of t comes out in front: sup |h(t)| is that of |h(q t)|.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import sympy

from symgen.calculus.one_variable import is_defined
from symgen.calculus.pieces import KINKED, between, branch, in_order, kinks_of
from symgen.calculus.solving import Interval, sign_of
from symgen.tensor.sympy_bridge import within

__all__ = ["greatest_size", "pieces_of"]

S = sympy
SECONDS = 2.0
DIGITS = 30


def pieces_of(f: Any, t: Any, interval: Interval) -> tuple[list[Any], list[Any]] | None:
    """The kinks of f, in order, and what it is between them; None where that is not known."""
    if not any(t in a.free_symbols for a in f.atoms(*KINKED)):
        return [], [f]
    kinks = in_order([k for k in kinks_of(f, t) if not _is_outside(k, interval)])
    if kinks is None:
        return None
    pieces = [branch(f, t, x) for x in between(kinks, interval)]
    return None if any(t in a.free_symbols for p in pieces for a in p.atoms(*KINKED)) else (kinks, pieces)


def _is_outside(k: Any, interval: Interval) -> bool:
    below = interval.low != -S.oo and sign_of(k - interval.low) in (-1, 0)
    return below or (interval.high != S.oo and sign_of(interval.high - k) in (-1, 0))


def greatest_size(f: Any, t: Any, interval: Interval, order: int) -> Any:
    """A number that the size of the derivative of `f` of that order does not exceed, the least where that is found; oo where
    it grows without end, nan where f or a derivative below it jumps or has a pole, None where it is not known."""
    found = within(SECONDS, _greatest, f, t, interval, order)
    return found if isinstance(found, S.Expr) else None


def _greatest(f: Any, t: Any, interval: Interval, order: int) -> Any:
    known = pieces_of(f, t, interval)
    if known is None:
        return None
    kinks, pieces = known
    for k, (left, right) in zip(kinks, pairwise(pieces), strict=True):
        for n in range(order):
            gap = S.diff(left - right, t, n).subs(t, k)
            if S.simplify(gap) != 0:
                return S.nan
    ends = [interval.low, *kinks, interval.high]
    if not all(is_defined(p, t, Interval(a, b)) for p, (a, b) in zip(pieces, pairwise(ends), strict=True)):
        return S.nan
    sizes = [_of_smooth(S.diff(p, t, order), t, a, b) for p, (a, b) in zip(pieces, pairwise(ends), strict=True)]
    return S.oo if S.oo in sizes else None if None in sizes else _largest(sizes)


def _largest(sizes: list[Any]) -> Any:
    best = S.Integer(0)
    for s in sizes:
        sign = 1 if best == 0 else sign_of(s - best)
        if sign is None:
            return S.Max(*sizes) if len(set(sizes)) > 1 else sizes[0]
        best = s if sign > 0 else best
    return best


def _of_smooth(h: Any, t: Any, low: Any, high: Any) -> Any:
    """sup |h| on (low, high), for an h without kinks."""
    if low in (-S.oo, 0) and high is S.oo:
        found = _rational_in_exponentials(h, t, low)
        if found is not None:
            return found
    h = S.simplify(h) if h.count_ops() < 60 else h
    if t not in h.free_symbols:
        return _size(h)
    others = sorted(h.free_symbols - {t}, key=str)
    symbolic = not (low.is_number and high.is_number)
    if others or symbolic:
        return _of_ends(h, t, low, high) if symbolic and h.is_polynomial(t) else _scaled(h, t, low, high, others)
    if h.has(S.sin, S.cos) and low is -S.oo and high is S.oo:
        return _of_waves(h, t)
    return _of_numbers(h, t, low, high)


def _rational_in_exponentials(h: Any, t: Any, low: Any) -> Any:
    """Of what is rational in E = e^t: in the other symbols it is taken apart."""
    E = S.Dummy("E", positive=True)
    if not h.has(S.exp, S.tanh, S.cosh, S.sinh):
        return None
    e = _exponentials(h.rewrite(S.exp), E, t)
    if e.has(S.exp) or t in e.free_symbols or E not in e.free_symbols:
        return None
    top, bottom = S.fraction(S.cancel(S.together(e)))
    others = sorted((top.free_symbols | bottom.free_symbols) - {E}, key=str)
    if bottom.free_symbols - {E} or not top.is_polynomial(E, *others) or not bottom.is_polynomial(E):
        return None
    total = S.Integer(0)
    for powers, c in S.Poly(top, *others).terms() if others else [((), top)]:
        front = S.Mul(*(q**k for q, k in zip(others, powers, strict=True)))
        a, b = (S.Poly(x, E) for x in S.fraction(S.cancel(c / bottom)))
        if not all(x.is_Rational for x in (*a.all_coeffs(), *b.all_coeffs())):
            return None
        if a.degree() > b.degree():
            return S.oo
        values = [a.LC() / b.LC() if a.degree() == b.degree() else S.Integer(0)]
        start = S.Integer(0) if low is -S.oo else S.Integer(1)
        if b.eval(start) == 0:
            return None
        values.append(a.eval(start) / b.eval(start))
        slope = a.diff(E) * b - a * b.diff(E)
        places = [z for z in slope.real_roots() if z.evalf(DIGITS) > start] if not slope.is_zero else []
        values += [a.as_expr().subs(E, z) / b.as_expr().subs(E, z) for z in dict.fromkeys(places)]
        sizes = [(abs(complex(v.evalf(DIGITS)).real), v) for v in values]
        total += _size(front) * _tidy(abs(max(sizes, key=lambda pair: pair[0])[1]))
    return total


def _of_ends(h: Any, t: Any, low: Any, high: Any) -> Any:
    """Of what is linear between two ends."""
    if low.is_infinite or high.is_infinite:
        return S.oo
    if S.degree(h, t) > 1:
        return None
    return _largest([_size(S.simplify(h.subs(t, end))) for end in (low, high)])


def _size(h: Any) -> Any:
    s = sign_of(h)
    return h if s == 1 else -h if s == -1 else S.Integer(0) if s == 0 else S.Abs(h)


def _scaled(h: Any, t: Any, low: Any, high: Any, others: list[Any]) -> Any:
    """With t = q x for a positive symbol q: c(q) h(x), where the other symbols come out in front; else term by term, each
    a number times what is free of t."""
    if not (low.is_number and high.is_number):
        low, high = -S.oo, S.oo  # an end that is a symbol: on all of the line then
    for q in others if low in (-S.oo, 0) and high is S.oo else ():
        for scale in (q, S.sqrt(q)) if q.is_positive else ():
            apart = _factored(S.powdenest(S.simplify(h.subs(t, scale * t))), t)
            if apart is not None:
                front, rest = apart
                inner = _of_smooth(rest, t, low, high)
                return None if inner is None else _size(front) * inner
    top, bottom = S.fraction(S.together(h))
    if bottom.free_symbols - {t} or not top.is_polynomial(*others):
        return None
    total = S.Integer(0)
    for powers, coefficient in S.Poly(top, *others).terms():
        inner = _of_smooth(coefficient / bottom, t, low, high)
        if inner is None:
            return None
        total += _size(S.Mul(*(q**k for q, k in zip(others, powers, strict=True)))) * inner
    return total


def _factored(h: Any, t: Any) -> tuple[Any, Any] | None:
    front, rest = S.factor(h).as_independent(t, as_Add=False)
    return (front, rest) if rest.free_symbols <= {t} else None


def _of_waves(h: Any, t: Any) -> Any:
    """a + sum of c sin and c cos: each is at most 1 in size."""
    total = S.Integer(0)
    for term in S.Add.make_args(S.expand(h)):
        front, rest = term.as_independent(t, as_Add=False)
        factors = [x.base if isinstance(x, S.Pow) and x.exp.is_positive else x for x in S.Mul.make_args(rest)]
        if rest != 1 and not all(isinstance(x, S.sin | S.cos) for x in factors):
            return None
        total += _size(front)
    return total


def _of_numbers(h: Any, t: Any, low: Any, high: Any) -> Any:
    values = []
    for end, side in ((low, "+"), (high, "-")):
        value = S.limit(h, t, end, side) if end.is_infinite else S.simplify(h.subs(t, end))
        if value in (S.oo, -S.oo):
            return S.oo
        if value.has(S.oo, S.zoo, S.nan, S.AccumBounds) or value.is_finite is False or not value.is_number:
            return None
        values.append(value)
    places = _critical(h, t, low, high)
    if places is None:
        return None
    values += [h.subs(t, p) for p in places]
    sizes = [(abs(complex(v.evalf(DIGITS)).real), v) for v in values]
    _, best = max(sizes, key=lambda pair: pair[0])
    return _tidy(abs(best))


def _tidy(value: Any) -> Any:
    """A closed form where it is short, else a rational number just above it."""
    nice = S.nsimplify(value.evalf(DIGITS), rational=True, tolerance=S.Float(10) ** -24)
    if nice.q < 1000 and abs((value - nice).evalf(DIGITS)) < 1e-24:
        return nice
    for c in (2, 3, 5):
        part = S.nsimplify((value / S.sqrt(c)).evalf(DIGITS), rational=True, tolerance=S.Float(10) ** -24)
        if part.q < 1000 and abs((value - part * S.sqrt(c)).evalf(DIGITS)) < 1e-24:
            return part * S.sqrt(c)
    short = value if value.has(S.CRootOf) or value.count_ops() > 25 else S.radsimp(S.simplify(value))
    if short.has(S.CRootOf) or short.count_ops() > 14:
        return S.Rational(int(S.ceiling(value.evalf(DIGITS) * 10**6)) + 1, 10**6)
    return short


def _critical(h: Any, t: Any, low: Any, high: Any) -> list[Any] | None:
    """All the points inside the interval where the derivative vanishes."""
    slope = S.diff(h, t)
    E, v = S.Dummy("E", positive=True), S.Dummy("v", positive=True)
    for way in range(3):  # the slope, the unknown in it, and t in terms of that
        if way == 0:
            e, x, back = slope, t, t
        elif way == 1:
            written = S.powsimp(S.expand(slope.rewrite(S.exp)), force=True)
            e, x, back = _exponentials(written, E, t), E, S.log(E)
            if t in e.free_symbols:
                continue
        else:
            e, x, back = S.simplify(slope.subs(t, (v - 1 / v) / 2)), v, (v - 1 / v) / 2
        e = S.factor(S.together(e))
        top = S.fraction(e)[0]
        zeros: list[Any] = []
        for f in S.Mul.make_args(top):
            base = f.base if isinstance(f, S.Pow) and f.exp.is_positive else f
            if isinstance(base, S.exp) or base.is_number:
                continue
            if not base.is_polynomial(x) or base.free_symbols != {x}:
                break
            zeros += S.Poly(base, x).real_roots()
        else:
            places = [back.subs(x, z) for z in zeros if x is t or z.evalf(DIGITS) > 0]
            return [p for p in places if low < p.evalf(DIGITS) < high]
    return None


def _exponentials(e: Any, E: Any, t: Any) -> Any:
    """exp(c t), c an integer, as a power of E."""
    found = {a: E ** (a.args[0] / t) for a in e.atoms(S.exp) if (a.args[0] / t).is_Integer}
    return e.xreplace(found)
