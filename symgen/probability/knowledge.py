"""What is known of scalars here: signs of parameters, and whether the condition of a lemma holds."""

from __future__ import annotations

from fractions import Fraction

from symgen.derivation.context import Context
from symgen.tensor import facts as tensor_facts
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Compare,
    Logic,
    Num,
    Scalar,
    logic,
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
        if x in self.assumed:
            return True
        if isinstance(x, Num):
            r = x.rational
            return r > 0 if r is not None else x.value != "nan"
        kind = type(x).__name__
        if kind == "Mul":
            negative = False
            for f in x.args:
                sign = self.positive(f)
                if sign is None:
                    break
                if sign is False:
                    if self.negative(f) is not True:
                        break
                    negative = not negative
            else:
                return not negative
        elif kind == "Add":
            if all(self.positive(t) for t in x.args):
                return True
            if all(self.negative(t) for t in x.args):
                return False
        elif kind == "Pow" and self.positive(x.args[0]):
            return True
        elif kind == "Fn" and x.name in ("exp", "gamma") and (x.name == "exp" or self.positive(x.args[0])):
            return True
        return tensor_facts.is_positive(x, self.facts)

    def negative(self, x: Scalar) -> bool | None:
        return self.positive(sub(ZERO, x))

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
