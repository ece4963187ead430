"""Choices by what is known: where(c, f, g) as [c] f + [not c] g, with [c]^2 = [c] and [c] [not c] = 0."""

from __future__ import annotations

from collections.abc import Callable

from symgen.probability.forms.terms import factors_of
from symgen.probability.forms.walks import bottom_up
from symgen.tensor.expression import ONE, ZERO, Add, Compare, Delta, Fn, Mul, Num, Pow, Scalar, Where, add, fn, mul, where
from symgen.tensor.facts import range_of
from symgen.tensor.nodes import CHOOSES, DELTAS

__all__ = ["with_choices_met", "with_choices_out"]

Random = Callable[[Scalar], bool]


def with_choices_out(x: Scalar, is_random: Random) -> Scalar:
    """log where(c, f, g), c free of what is random, as where(c, 1, 0) log f + where(c, 0, 1) log g; so too of f Delta(0, k) + g
    Delta(1, k)."""

    def rule(n: Scalar) -> Scalar:
        if not is_random(n):
            return n
        inside = n.args[0] if isinstance(n, Fn) and n.name == "log" else None
        if isinstance(inside, Add) and (cases := _cases(inside) or _sides(inside)) is not None:
            return add(*(mul(chosen, fn("log", f)) for chosen, f in cases))
        if isinstance(n, Where) and not is_random(n.args[0]):
            c, f, g = n.args
            return add(mul(where(c, ONE, ZERO), f), mul(where(c, ZERO, ONE), g))
        return n

    return bottom_up(x, rule) if x.marks & (CHOOSES | DELTAS) else x


def _sides(x: Add) -> list[tuple[Scalar, Scalar]] | None:
    """[c], f and [not c], g of f [c] + g [not c]."""
    groups: dict[Scalar, list[Scalar]] = {}
    for t in x.args:
        chosen = [f for f in factors_of(t) if is_indicator(f)]
        if len(chosen) != 1:
            return None
        groups.setdefault(chosen[0], []).append(mul(*(f for f in factors_of(t) if f is not chosen[0])))
    if len(groups) != 2 or len({c.args[0] for c in groups}) != 1:
        return None
    return [(c, add(*terms)) for c, terms in groups.items()]


def _cases(x: Add) -> list[tuple[Scalar, Scalar]] | None:
    """Delta(0, k), f and Delta(1, k), g of f Delta(0, k) + g Delta(1, k); None where it is no choice by one number k."""
    out: list[tuple[Scalar, Scalar]] = []
    numbers: set[Scalar] = set()
    by: set[Scalar] = set()
    for t in x.args:
        chosen = [f for f in factors_of(t) if isinstance(f, Delta) or isinstance(f, Where) and f.args[1:] == (ONE, ZERO)]
        if len(chosen) != 1:
            return None
        both = chosen[0].args if isinstance(chosen[0], Delta) else chosen[0].args[0].args
        is_equal = isinstance(chosen[0], Delta) or isinstance(chosen[0].args[0], Compare) and chosen[0].args[0].op == "=="
        number = next((n for n in both if isinstance(n, Num)), None)
        if not is_equal or number is None or len(both) != 2:
            return None
        numbers.add(number)
        by.update(n for n in both if n is not number)
        out.append((chosen[0], mul(*(f for f in factors_of(t) if f is not chosen[0]))))
    return out if len(by) == 1 and len(numbers) == len(out) and _is_all(numbers, by.pop()) else None


def _is_all(numbers: set[Scalar], k: Scalar) -> bool:
    """Whether k takes no other value: for one of them the sum would be 0, and its logarithm no number."""
    values = {n.rational for n in numbers if isinstance(n, Num)}
    known = range_of(k)
    last = len(numbers) - 1 if known.high is None else known.high
    return known.integer and values == set(range(int(last) + 1))


def with_choices_met(x: Scalar) -> Scalar:
    """[c]^2 = [c], and [c] [not c] = 0."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Pow) and is_indicator(n.base) and isinstance(n.exponent, Num) and (n.exponent.rational or 0) > 0:
            return n.base
        chosen = [f for f in n.args if is_indicator(f)] if isinstance(n, Mul) else []
        if len(chosen) < 2:
            return n
        sides = dict.fromkeys(chosen)
        if len({c.args[0] for c in sides}) < len(sides):
            return ZERO
        return mul(*(f for f in n.args if f not in sides), *sides)

    return bottom_up(x, rule) if x.marks & CHOOSES else x


def is_indicator(x: Scalar) -> bool:
    return isinstance(x, Where) and x.args[1:] in ((ONE, ZERO), (ZERO, ONE))
