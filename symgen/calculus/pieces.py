"""Functions of one number with kinks: where the kinks are, in which order, and what the function is between them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import sympy

from symgen.calculus.solving import Interval, sign_of
from symgen.text.diagnostics import CannotDerive

__all__ = ["KINKED", "between", "branch", "in_order", "kinks_of", "not_outside"]

S = sympy
MOST_BRANCHES = 24
KINKED = (S.Max, S.Min, S.Abs, S.sign, S.Piecewise, S.Heaviside)


def kinks_of(F: Any, t: Any) -> list[Any]:
    """Where the argument of a kinked function changes sign."""
    arguments: list[Any] = []
    for a in F.atoms(*KINKED):
        if t not in a.free_symbols:
            continue
        if isinstance(a, S.Max | S.Min):
            arguments += [x - y for i, x in enumerate(a.args) for y in a.args[i + 1 :]]
        elif isinstance(a, S.Piecewise):
            for _, c in a.args:
                arguments += [r.lhs - r.rhs for r in c.atoms(S.Rel)]
        else:
            arguments.append(a.args[0])
    out: list[Any] = []
    for a in dict.fromkeys(b for x in arguments for b in _branches(x, t)):
        if t not in a.free_symbols:
            continue
        if not a.is_polynomial(t) or S.degree(a, t) not in (1, 2):
            raise CannotDerive("a kink is not linear in what is chosen: symgen does not look for optima between such kinks")
        out += [k for k in _zeros(S.Poly(a, t)) if k not in out]
    return out


def _branches(a: Any, t: Any) -> list[Any]:
    """What an expression may be between the kinks inside of it; not all of that need be so."""
    out, todo = [], [a]
    while todo:
        e = todo.pop()
        inner = [k for k in e.atoms(*KINKED) if t in k.free_symbols and not any(x.has(*KINKED) for x in k.args)]
        if not inner:
            out.append(e)
            continue
        (k, *_) = sorted(inner, key=str)
        if isinstance(k, S.Piecewise):
            values = [value for value, _ in k.args]
        elif isinstance(k, S.Abs):
            values = [k.args[0], -k.args[0]]
        elif isinstance(k, S.Max | S.Min):
            values = list(k.args)
        else:
            values = [S.Integer(1), S.Integer(0), S.Integer(-1)]
        todo += [e.xreplace({k: v}) for v in values]
        if len(todo) + len(out) > MOST_BRANCHES:
            raise CannotDerive("a function has too many kinks inside of each other")
    return out


def _zeros(p: Any) -> list[Any]:
    if p.degree() == 1:
        a, b = p.all_coeffs()
        return [S.cancel(-b / a)]
    a, b, c = p.all_coeffs()
    sign = sign_of(S.expand(b**2 - 4 * a * c))
    if sign is None:
        raise CannotDerive("whether a function has kinks is not known")
    root = S.sqrt(S.factor(b**2 - 4 * a * c))
    return [] if sign < 0 else [-b / (2 * a)] if sign == 0 else [(-b - root) / (2 * a), (-b + root) / (2 * a)]


def not_outside(k: Any, interval: Interval) -> bool:
    return not (
        (interval.low != -S.oo and sign_of(k - interval.low) in (-1, 0))
        or (interval.high != S.oo and sign_of(interval.high - k) in (-1, 0))
    )


def in_order(kinks: list[Any]) -> list[Any] | None:
    out: list[Any] = []
    for k in kinks:
        place = 0
        for j, other in enumerate(out):
            s = sign_of(k - other)
            if s is None:
                return None
            if s > 0:
                place = j + 1
        out.insert(place, k)
    return out


def between(kinks: list[Any], interval: Interval) -> list[Any]:
    """A value of t in each piece."""
    ends = [interval.low, *kinks, interval.high]
    out = []
    for a, b in pairwise(ends):
        if a == -S.oo and b == S.oo:
            out.append(S.Integer(0))
        elif a == -S.oo:
            out.append(b - 1)
        elif b == S.oo:
            out.append(a + 1)
        else:
            out.append((a + b) / 2)
    return out


def branch(F: Any, t: Any, x: Any) -> Any:
    """F near t = x, without kinks in t."""

    def choose(a: Any) -> Any:
        if t not in a.free_symbols:
            return a
        if isinstance(a, S.Max | S.Min):
            best = a.args[0]
            for other in a.args[1:]:
                s = sign_of((other - best).subs(t, x))
                if s is None:
                    raise CannotDerive("on which side of a kink a piece lies is not known")
                if (s > 0 and isinstance(a, S.Max)) or (s < 0 and isinstance(a, S.Min)):
                    best = other
            return best
        if isinstance(a, S.Abs):
            s = sign_of(a.args[0].subs(t, x))
            return a.args[0] * (s or 0) if s is not None else a
        if isinstance(a, S.sign | S.Heaviside):
            s = sign_of(a.args[0].subs(t, x))
            if s is None:
                raise CannotDerive("on which side of a kink a piece lies is not known")
            return S.Integer(s) if isinstance(a, S.sign) else S.Rational(s + 1, 2)
        for value, condition in a.args:
            if _holds(condition, t, x):
                return value
        return a

    return F.replace(lambda a: isinstance(a, KINKED), choose)


def _holds(condition: Any, t: Any, x: Any) -> bool:
    if condition in (True, False) or condition in (S.true, S.false):
        return bool(condition)
    if isinstance(condition, S.And):
        return all(_holds(c, t, x) for c in condition.args)
    if isinstance(condition, S.Or):
        return any(_holds(c, t, x) for c in condition.args)
    if isinstance(condition, S.Not):
        return not _holds(condition.args[0], t, x)
    s = sign_of((condition.lhs - condition.rhs).subs(t, x))
    if s is None:
        raise CannotDerive("on which side of a kink a piece lies is not known")
    return {"<": s < 0, "<=": s <= 0, ">": s > 0, ">=": s >= 0, "==": s == 0, "!=": s != 0}[str(condition.rel_op)]
