"""Payoffs with kinks: what they are on either side of a kink, and whether a player stands well there.

An expression beside a point is its branch there: an absolute value, a maximum, a piece is what the sign of its argument
just beside the point makes it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symgen.calculus.pieces import between, branch, in_order, kinks_of
from symgen.calculus.solving import Interval, sign_of, sign_on, vanishes
from symgen.text.diagnostics import CannotDerive

__all__ = ["KINKED", "branches", "has_kink", "kink_arguments", "is_concave", "stands_on_kink"]

S = sympy
KINKED = (S.Max, S.Min, S.Abs, S.sign, S.Piecewise, S.Heaviside, S.floor, S.ceiling, S.DiracDelta)
MAX_KINKS = 3  # at one point: each doubles the sides
DEEPEST = 4  # derivatives of an argument, until one does not vanish


def has_kink(e: Any, symbols: Sequence[Any]) -> bool:
    """Whether a function with a kink or a jump is taken of one of the symbols."""
    return any(not a.free_symbols.isdisjoint(symbols) for a in e.atoms(*KINKED))


def kink_arguments(e: Any, symbols: Sequence[Any]) -> list[Any]:
    """What changes its sign where a function with a kink or a jump has it; None where that is not one place."""
    out: list[Any] = []
    for a in e.atoms(*KINKED):
        if a.free_symbols.isdisjoint(symbols):
            continue
        if isinstance(a, S.Max | S.Min):
            out += [x - y for x, y in itertools.combinations(a.args, 2)]
        elif isinstance(a, S.Piecewise):
            relations = [r for _, c in a.args for r in c.atoms(S.Rel)]
            out += [r.lhs - r.rhs for r in relations if not isinstance(r, S.Eq | S.Ne)]
        elif isinstance(a, S.Abs | S.sign | S.Heaviside):
            out.append(a.args[0])
        else:
            out.append(None)
    return list(dict.fromkeys(x for x in out if x is None or not x.free_symbols.isdisjoint(symbols)))


def at_point(e: Any, symbols: Sequence[Any], at: Mapping[Any, Any]) -> list[Any] | None:
    """The arguments of kinks that vanish at a point, those that differ by a number only once; None where a sign is not
    known there."""
    out: list[Any] = []
    for argument in kink_arguments(e, symbols):
        if argument is None:
            return None
        here = argument.subs(dict(at), simultaneous=True)
        if vanishes(here) is not None:
            if not any(S.cancel(argument / other).is_number for other in out):
                out.append(argument)
        elif sign_of(here) is None:
            return None
    return out


def branches(e: Sequence[Any], symbols: Sequence[Any], at: Mapping[Any, Any]) -> dict[tuple[Any, ...], list[Any]] | None:
    """Expressions on every side of the kinks at a point, by (argument, sign): more sides than there are, perhaps; None
    where that is not known."""
    arguments: list[Any] = []
    for x in e:
        own = at_point(x, symbols, at)
        if own is None:
            return None
        arguments += [a for a in own if not any(S.cancel(a / other).is_number for other in arguments)]
    if len(arguments) > MAX_KINKS:
        return None

    def sign_by(signs: Sequence[int], argument: Any) -> int | None:
        here = argument.subs(dict(at), simultaneous=True)
        if vanishes(here) is None:
            return sign_of(here)
        for a, s in zip(arguments, signs, strict=True):
            ratio = S.cancel(argument / a)
            if ratio.is_number:
                return int(s * S.sign(ratio))
        return None

    out: dict[tuple[Any, ...], list[Any]] = {}
    for signs in itertools.product((-1, 1), repeat=len(arguments)):
        made = [_branch_by(x, symbols, lambda a, signs=signs: sign_by(signs, a)) for x in e]
        if any(x is None for x in made):
            return None
        out[tuple(zip(arguments, signs, strict=True))] = made
    return out


def _branch_by(e: Any, symbols: Sequence[Any], sign: Any) -> Any:
    """The branch of `e` for a known sign of the arguments of its kinks; None where one is not known."""
    lost = False

    def choose(a: Any) -> Any:
        nonlocal lost
        if a.free_symbols.isdisjoint(symbols):
            return a
        if isinstance(a, S.Max | S.Min):
            best = a.args[0]
            for other in a.args[1:]:
                s = sign(other - best)
                lost = lost or s is None
                if s is not None and ((s > 0) == isinstance(a, S.Max)) and s != 0:
                    best = other
            return best
        if isinstance(a, S.Piecewise):
            for value, condition in a.args:
                held = _holds(condition, sign)
                if held is None:
                    lost = True
                if held:
                    return value
            lost = True
            return a
        if isinstance(a, S.Abs | S.sign | S.Heaviside):
            s = sign(a.args[0])
            if s is None:
                lost = True
                return a
            return a.args[0] * s if isinstance(a, S.Abs) else S.Integer(s) if isinstance(a, S.sign) else S.Rational(s + 1, 2)
        if isinstance(a, S.DiracDelta):
            return S.Integer(0)
        lost = True
        return a

    out = e.replace(lambda a: isinstance(a, KINKED), choose)
    return None if lost else out


def _holds(condition: Any, sign: Any) -> bool | None:
    if condition in (True, False) or condition in (S.true, S.false):
        return bool(condition)
    if isinstance(condition, S.And | S.Or):
        parts = [_holds(c, sign) for c in condition.args]
        return None if None in parts else all(parts) if isinstance(condition, S.And) else any(parts)
    if isinstance(condition, S.Not):
        inner = _holds(condition.args[0], sign)
        return None if inner is None else not inner
    s = sign(condition.lhs - condition.rhs)
    if s is None:
        return None
    held: bool = {"<": s < 0, "<=": s <= 0, ">": s > 0, ">=": s >= 0, "==": s == 0, "!=": s != 0}[str(condition.rel_op)]
    return held


# --- one number -------------------------------------------------------------------------------------------------------


def is_concave(phi: Any, t: Any, interval: Interval) -> bool:
    """Whether a function with kinks is concave: its pieces are, it is continuous, and its slope falls at every kink."""
    try:
        kinks = in_order(kinks_of(phi, t))
        if kinks is None:
            return False
        pieces = [branch(phi, t, x) for x in between(kinks, interval)]
    except CannotDerive:
        return False
    ends = [interval.low, *kinks, interval.high]
    for piece, low, high in zip(pieces, ends, ends[1:], strict=False):
        if has_kink(piece, [t]) or sign_on(S.diff(piece, t, 2), t, Interval(low, high)) not in (0, -1):
            return False
    for k, a, b in zip(kinks, pieces, pieces[1:], strict=False):
        if vanishes((a - b).subs(t, k)) is None or sign_of(S.simplify(S.diff(b - a, t).subs(t, k))) not in (0, -1):
            return False
    return True


def stands_on_kink(phi: Any, t: Any, at: Any) -> str | None:
    """What both sides say of a point where a function of one number has a kink, or may have one: strict, worse, flat
    on a side, open; None where there is none."""
    here = at_point(phi, [t], {t: at})
    if here == []:
        return None
    beside = branches([phi], [t], {t: at})
    if beside is None or len(here or ()) != 1:
        return "open"
    (argument,) = here or (None,)
    rises = next((s for k in range(1, DEEPEST) if (s := sign_of(S.diff(argument, t, k).subs(t, at))) != 0), None)
    if rises is None:
        return "open"
    words = []
    value = None
    for (pair,), (piece,) in beside.items():
        side = pair[1] * rises  # of the argument, and so of t where the argument rises
        level = piece.subs(t, at)
        if value is not None and vanishes(level - value) is None:
            return "open"  # a jump
        value = level
        slope = sign_of(S.simplify(side * S.diff(piece, t).subs(t, at)))
        bend = sign_of(S.simplify(S.diff(piece, t, 2).subs(t, at)))
        words.append("worse" if slope == 1 or (slope == 0 and bend == 1) else
                     "strict" if slope == -1 or (slope == 0 and bend == -1) else
                     "flat" if slope == 0 and bend == 0 else "open")  # fmt: skip
    return next((w for w in ("worse", "open", "flat") if w in words), "strict")
