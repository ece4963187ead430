"""Conditions under which a mean exists, in the form in which a person writes them: 1 < a, not 0 < a - 1."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgen.probability.forms.logarithms import without_denominators
from symgen.tensor.expression import (
    INF,
    ONE,
    ZERO,
    Compare,
    Index,
    Logic,
    Num,
    Pow,
    Scalar,
    Where,
    add,
    as_coefficient,
    compare,
    fold,
    logic,
    mul,
    num,
    sub,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_positive


def guarded(condition: Scalar, value: Scalar, otherwise: Scalar = INF) -> Scalar:
    """`value` where the condition holds; conditions with one and the same alternative are joined."""
    if isinstance(value, Where) and value.args[2] is otherwise:
        condition, value = logic("and", condition, value.args[0]), value.args[1]
    return where(tidy_condition(condition), value, otherwise)


def for_all(condition: Scalar, indices: Sequence[Index]) -> Scalar:
    """The condition at every value of the indices: 0 < min(b - a)."""
    if condition.free.isdisjoint(indices):
        return condition
    if isinstance(condition, Logic) and condition.op == "and":
        return logic("and", *(for_all(a, indices) for a in condition.args))
    if isinstance(condition, Compare) and condition.op in ("<", "<="):
        difference = sub(condition.args[1], condition.args[0])
        return compare(condition.op, ZERO, fold("min", difference, [i for i in indices if i in difference.free]))
    return compare("==", fold("min", where(condition, ONE, ZERO), indices), ONE)


def tidy_condition(condition: Scalar) -> Scalar:
    """Terms on the side where they are positive; of two bounds of one expression, the one that says more."""
    if isinstance(condition, Logic) and condition.op in ("and", "or"):
        parts = [tidy_condition(a) for a in condition.args]
        return logic(condition.op, *(_strongest(parts) if condition.op == "and" else parts))
    if not isinstance(condition, Compare) or condition.op not in ("<", "<="):
        return condition
    difference = without_denominators(sub(condition.args[1], condition.args[0]))
    terms = difference.args if type(difference).__name__ == "Add" else (difference,)
    pairs = [as_coefficient(t) for t in terms]
    if not pairs or all(base is ONE for _, base in pairs):
        return compare(condition.op, ZERO, difference)
    unit = Fraction(1)
    if len([b for _, b in pairs if b is not ONE]) == 1:
        unit = next(abs(c) for c, b in pairs if b is not ONE)
    above = add(*(mul(num(c / unit), b) for c, b in pairs if c > 0))
    below = add(*(mul(num(-c / unit), b) for c, b in pairs if c < 0))
    if isinstance(above, Pow) and isinstance(below, Pow) and above.exponent is below.exponent:
        if all(is_positive(x, None) for x in (above.base, below.base, above.exponent)):
            return compare(condition.op, below.base, above.base)  # a^2 < b^2, both positive
    return compare(condition.op, below, above)


def _bound(c: Scalar) -> tuple[Scalar, Fraction] | None:
    """e, b of a condition b < e."""
    if not isinstance(c, Compare) or c.op not in ("<", "<="):
        return None
    difference = sub(c.args[1], c.args[0])
    terms = difference.args if type(difference).__name__ == "Add" else (difference,)
    constant = sum((t.rational for t in terms if isinstance(t, Num) and t.rational is not None), Fraction(0))
    return sub(difference, num(constant)), -constant


def _strongest(parts: list[Scalar]) -> list[Scalar]:
    out: list[Scalar] = []
    for k, c in enumerate(parts):
        mine = _bound(c)
        weaker = False
        for j, d in enumerate(parts):
            other = _bound(d)
            if j == k or mine is None or other is None or mine[0] is not other[0]:
                continue
            if (other[1], d.op == "<", -j) > (mine[1], c.op == "<", -k):
                weaker = True
        if not weaker:
            out.append(c)
    return out
