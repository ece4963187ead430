"""What is known of scalars here: signs of parameters, and whether the condition of a lemma holds."""

from __future__ import annotations

from fractions import Fraction

from symgen.derivation.context import Context
from symgen.tensor import facts as tensor_facts
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Compare,
    Fn,
    Logic,
    Mul,
    Num,
    Pow,
    Scalar,
    logic,
    mul,
    sub,
)  # fmt: skip


class Knowledge:
    """Signs of scalars, from the domains, the assumptions and what laws ask of their parameters."""

    def __init__(self, ctx: Context) -> None:
        self.facts = ctx.facts if ctx.facts is not None else tensor_facts.Facts(())
        self.assumed: set[Scalar] = set()

    def assume_positive(self, x: Scalar) -> None:
        """What the domain of a parameter says of it: the scale of a Normal is positive."""
        self.assumed.add(x)

    def positive(self, x: Scalar) -> bool | None:
        """Whether x > 0; None where that is not known."""
        sign = self.sign(x)
        return tensor_facts.is_positive(x, self.facts) if sign is None else sign > 0

    def negative(self, x: Scalar) -> bool | None:
        sign = self.sign(x)
        return tensor_facts.is_positive(mul(MINUS_ONE, x), self.facts) if sign is None else sign < 0

    def sign(self, x: Scalar) -> int | None:
        """1 or -1 where that is known."""
        if x in self.assumed:
            return 1
        if isinstance(x, Num):
            r = x.rational
            return (1 if r > 0 else -1 if r < 0 else None) if r is not None else 1 if x.value != "nan" else None
        if isinstance(x, Mul):
            whole = 1
            for f in x.args:
                one = self.sign(f)
                if one is None:
                    return None
                whole *= one
            return whole
        if isinstance(x, Add):
            signs = {self.sign(t) for t in x.args}
            if len(signs) == 1 and None not in signs:
                return signs.pop()
        elif isinstance(x, Pow) and self.sign(x.base) == 1:
            return 1
        elif isinstance(x, Fn) and (x.name == "exp" or x.name == "gamma" and self.sign(x.args[0]) == 1):
            return 1
        if tensor_facts.is_positive(x, self.facts):
            return 1
        return -1 if tensor_facts.is_positive(mul(MINUS_ONE, x), self.facts) else None

    def holds(self, condition: Scalar) -> bool | None:
        """Whether a Compare or Logic holds; None where that is not known."""
        if condition is ONE:
            return True
        if condition is ZERO:
            return False
        if isinstance(condition, Logic):
            parts = [self.holds(a) for a in condition.args]
            if condition.op == "and":
                return False if False in parts else True if all(p is True for p in parts) else None
            if condition.op == "or":
                return True if True in parts else False if all(p is False for p in parts) else None
            return None if parts[0] is None else not parts[0]
        if isinstance(condition, Compare):
            a, b = condition.args
            difference = sub(b, a)
            if condition.op == "<":
                return _three(self.positive(difference), self.nonpositive(difference))
            if condition.op == "<=":
                return _three(self.nonnegative(difference), self.negative(difference))
            same = difference is ZERO
            apart = self.positive(difference) is True or self.negative(difference) is True
            known = True if same else False if apart else None
            return known if condition.op == "==" or known is None else not known
        return None

    def nonnegative(self, x: Scalar) -> bool | None:
        if x is ZERO or self.positive(x):
            return True
        if isinstance(x, Num) and x.rational is not None:
            return x.rational >= 0
        return tensor_facts.is_nonnegative(x, self.facts)

    def nonpositive(self, x: Scalar) -> bool | None:
        return self.nonnegative(sub(ZERO, x))

    def remaining(self, condition: Scalar) -> Scalar:
        """The parts of a conjunction that are not known to hold."""
        if isinstance(condition, Logic) and condition.op == "and":
            return logic("and", *(self.remaining(a) for a in condition.args))
        known = self.holds(condition)
        return ONE if known is True else ZERO if known is False else condition


def _three(yes: bool | None, no: bool | None) -> bool | None:
    return True if yes is True else False if no is True or yes is False else None


def is_natural(x: Scalar) -> int | None:
    """n, where x is the number n = 0, 1, 2, .."""
    if isinstance(x, Num) and isinstance(x.value, Fraction) and x.value.denominator == 1 and x.value >= 0:
        return int(x.value)
    return None
