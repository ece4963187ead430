"""Conditions on entries and what hangs on them; what is known to hold or to fail is the number 1 or 0."""

from __future__ import annotations

from symgen.tensor.arithmetic import factors_of, mul, rational, sub
from symgen.tensor.nodes import (
    DELTAS,
    INF,
    MINUS_ONE,
    ONE,
    ZERO,
    Compare,
    Delta,
    Logic,
    Mul,
    Scalar,
    Where,
    free_of_all,
    intern,
    make_node,
    node_table,
)

__all__ = ["compare", "logic", "where"]


def compare(op: str, a: Scalar, b: Scalar) -> Scalar:
    """The condition a op b; > and >= are turned round. Known ones are the numbers 1 and 0."""
    if op in (">", ">="):
        op, a, b = {">": "<", ">=": "<="}[op], b, a
    difference = rational(sub(a, b))
    if difference is not None:
        holds = {"==": difference == 0, "!=": difference != 0, "<": difference < 0, "<=": difference <= 0}[op]
        return ONE if holds else ZERO
    ends = _sign_of_infinity(a), _sign_of_infinity(b)
    if ends[0] != ends[1] and all(end or rational(x) is not None for end, x in zip(ends, (a, b), strict=True)):
        return ONE if op == "!=" or op != "==" and ends[0] < ends[1] else ZERO
    if op in ("==", "!=") and a.serial > b.serial:
        a, b = b, a
    key = (Compare, op, a, b)
    found = node_table.get(key)
    if found is None:
        found = intern(Compare, key, (a, b), free_of_all((a, b)), max(a.height, b.height))
        found.op = op
    return found


def _sign_of_infinity(a: Scalar) -> int:
    """1 of inf, -1 of -inf, 0 of all else."""
    if a is INF:
        return 1
    return -1 if type(a) is Mul and len(a.args) == 2 and a.args[0] is MINUS_ONE and a.args[1] is INF else 0


_NEGATED = {"==": "!=", "!=": "==", "<": "<=", "<=": "<"}


def logic(op: str, *args: Scalar) -> Scalar:
    """and, or, not; 1 and 0 are true and false."""
    if op == "not":
        (a,) = args
        if a is ONE or a is ZERO:
            return ZERO if a is ONE else ONE
        if isinstance(a, Compare):
            flipped = _NEGATED[a.op]
            return compare(flipped, *a.args) if a.op in ("==", "!=") else compare(flipped, a.args[1], a.args[0])
        if isinstance(a, Logic) and a.op == "not":
            inner: Scalar = a.args[0]
            return inner
        if isinstance(a, Logic):
            return logic("or" if a.op == "and" else "and", *(logic("not", x) for x in a.args))
    else:
        absorbing, neutral = (ZERO, ONE) if op == "and" else (ONE, ZERO)
        flat: list[Scalar] = []
        for a in args:
            for x in a.args if isinstance(a, Logic) and a.op == op else (a,):
                if x is absorbing:
                    return absorbing
                if x is not neutral and x not in flat:
                    flat.append(x)
        if not flat:
            return neutral
        if len(flat) == 1:
            return flat[0]
        args = tuple(flat)
    key = (Logic, op, *args)
    found = node_table.get(key)
    if found is None:
        found = intern(Logic, key, args, free_of_all(args), max((a.height for a in args), default=0))
        found.op = op
    return found


def where(condition: Scalar, a: Scalar, b: Scalar) -> Scalar:
    """a where the condition holds, else b."""
    if condition is ONE or a is b:
        return a
    if condition is ZERO:
        return b
    if (isinstance(condition, Logic) and condition.op == "not") or (isinstance(condition, Compare) and condition.op == "!="):
        condition, a, b = logic("not", condition), b, a
    if (b is ZERO and a.marks & DELTAS) or (a is ZERO and b.marks & DELTAS):  # so that a sum over an index of it takes it away
        factors = factors_of(a if b is ZERO else b)
        deltas = [f for f in factors if type(f) is Delta]
        if deltas:
            rest = mul(*(f for f in factors if type(f) is not Delta))
            return mul(*deltas, make_node(Where, (condition, rest, ZERO) if b is ZERO else (condition, ZERO, rest)))
    made: Scalar = make_node(Where, (condition, a, b))
    return made
