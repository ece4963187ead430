"""Where the integrand of a mean jumps or bends in what is drawn: no path derivative of first, of second order sees that."""

from __future__ import annotations

from collections.abc import Set

from symgen.algebra.equality import agrees
from symgen.probability.laws.intervals import slope_in
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    ZERO,
    Array,
    Compare,
    Entry,
    Fn,
    Node,
    Scalar,
    Var,
    Where,
    divide,
    neg,
    sub,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.functions import FUNCTIONS

__all__ = ["jumps_in", "kinks_in"]

JUMPS = ("sign", "floor", "mod", "div")


def jumps_in(body: Array, drawn: Set[Var]) -> list[Node]:
    """What jumps as the drawn variables move: pieces that do not meet, signs, whole parts, entries chosen by a draw."""
    out: list[Node] = []
    for n in walk(body):
        if isinstance(n, Where) and _hangs(n.args[0], drawn) and not _meets(n, drawn):
            out.append(n.args[0])
        elif isinstance(n, Fn) and n.name in JUMPS and _hangs(n, drawn):
            out.append(n)
        elif isinstance(n, Entry):
            out += [i for i in n.indices if _hangs(i, drawn)]
    return out


def kinks_in(body: Array, drawn: Set[Var]) -> list[Node]:
    """What bends or jumps as the drawn variables move."""
    out = jumps_in(body, drawn)
    for n in walk(body):
        pieces = isinstance(n, Where) and _hangs(n.args[0], drawn)
        if pieces or isinstance(n, Fn) and n.name in FUNCTIONS and FUNCTIONS[n.name].kinks and _hangs(n, drawn):
            out.append(n)
    return out


def _hangs(n: Node, drawn: Set[Var]) -> bool:
    return not variables_of(n).isdisjoint(drawn)


def _meets(n: Where, drawn: Set[Var]) -> bool:
    """Whether the two pieces have one value where the condition turns, a number that is linear in one drawn entry."""
    condition, one, other = n.args
    if (
        not isinstance(condition, Compare)
        or condition.op not in ("<", "<=")
        or not isinstance(one, Scalar)
        or not isinstance(other, Scalar)
    ):
        return False
    side = sub(condition.args[0], condition.args[1])
    entries = {m for m in walk(side) if isinstance(m, Entry) and m.array in drawn}
    if len(entries) != 1:
        return False
    (x,) = entries
    line = slope_in(side, x)
    if (
        line is None
        or line[0] is ZERO
        or not variables_of(line[0]).isdisjoint(drawn)
        or not variables_of(line[1]).isdisjoint(drawn)
    ):
        return False
    at = divide(neg(line[1]), line[0])
    left, right = (replace_scalars(p, {x: at}) for p in (one, other))
    return left is right or agrees(left, right)
