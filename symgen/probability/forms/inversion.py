"""The inverse of a function of one number that holds it once, and the logarithm of its slope: change of variables.

y = f(x) is taken apart from outside: sums, products with what has a known sign, powers, and functions that have an inverse
(Bishop 2006, eq. 1.27). What is asked of y on the way, as 0 < y - a for a + exp(x), says where its law has mass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.knowledge import Knowledge
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Tensor,
    Var,
    add,
    compare,
    depends_on,
    divide,
    fn,
    mul,
    neg,
    num,
    open_tensor,
    power,
    sub,
)
from symgen.tensor.facts import is_positive

__all__ = ["INSIDE", "MAPS", "Inverse", "Map", "NoInverse", "inverse_of"]


@dataclass(frozen=True)
class Map:
    """y = f(x), increasing: x and log dx/dy as texts in y, where y lies, log dy/dx as a text in x, where x must lie."""

    inverse: str
    log_slope: str
    image: str
    forward: str
    domain: str = "real"


MAPS: Mapping[str, Map] = {
    "exp": Map("log(y)", "-log(y)", "positive", "x"),
    "log": Map("exp(y)", "y", "real", "-log(x)", "positive"),
    "sigmoid": Map("log(y) - log(1 - y)", "-log(y) - log(1 - y)", "unit", "-x - 2*softplus(-x)"),
    "softplus": Map("y + log(1 - exp(-y))", "-log(1 - exp(-y))", "positive", "-softplus(-x)"),
    "sqrt": Map("y^2", "log(2*y)", "positive", "-log(2) - log(x)/2", "positive"),
    "sinh": Map("log(y + sqrt(y^2 + 1))", "-log(y^2 + 1)/2", "real", "log(cosh(x))"),
}
# functions that stand inside others
INSIDE: Mapping[str, Map] = {
    **MAPS,
    "tanh": Map("(log(1 + y) - log(1 - y))/2", "-log(1 + y) - log(1 - y)", "ball", "2*log(2) - 2*x - 2*softplus(-2*x)"),
    "expm1": Map("log(1 + y)", "-log(1 + y)", "above", "x"),
    "log1p": Map("exp(y) - 1", "y", "real", "-log(1 + x)", "positive"),
}
LEAST = {"positive": ZERO, "unit": ZERO, "ball": MINUS_ONE, "above": MINUS_ONE}
MOST = {"unit": ONE, "ball": ONE}
DEEPEST = 40  # operations one in another


class NoInverse(ValueError):
    """A function that is not taken apart: why not."""


@dataclass
class Inverse:
    """x as an expression in y, log |dx/dy| in y and log |dy/dx| in x, and what y must satisfy."""

    value: Scalar
    log_slope: Scalar = ZERO
    forward: Scalar = ZERO
    conditions: list[Scalar] = field(default_factory=list)

    def within(self, image: str) -> None:
        """What is inverted lies in the image of a function."""
        pairs = [(low, self.value) for low in (LEAST.get(image),) if low is not None]
        pairs += [(self.value, high) for high in (MOST.get(image),) if high is not None]
        self.conditions += [compare("<", a, b) for a, b in pairs if is_positive(sub(b, a)) is not True]

    def through(self, value: Scalar, log_slope: Scalar, forward: Scalar) -> None:
        self.value, self.log_slope, self.forward = value, add(self.log_slope, log_slope), add(self.forward, forward)


def inverse_of(body: Scalar, x: Var, y: Scalar, know: Knowledge) -> Inverse:
    """x and log |dx/dy| for y = body. Raises NoInverse."""
    made = Inverse(y)
    node = body
    for _ in range(DEEPEST):
        if isinstance(node, Entry) and isinstance(node.array, Tensor):
            node = open_tensor(node.array, node.indices)
        if isinstance(node, Entry) and node.array is x:
            return made
        if isinstance(node, Add | Mul):
            moving = [a for a in node.args if depends_on(a, x)]
            rest = [a for a in node.args if not depends_on(a, x)]
            if len(moving) != 1:
                raise NoInverse("it holds its argument more than once")
            if isinstance(node, Add):
                made.through(sub(made.value, add(*rest)), ZERO, ZERO)
            else:
                size = fn("log", _size(mul(*rest), know))
                made.through(divide(made.value, mul(*rest)), neg(size), size)
            node = moving[0]
        elif isinstance(node, Pow) and isinstance(node.exponent, Num) and isinstance(node.exponent.value, Fraction):
            _root(node.base, node.exponent.value, made, know)
            node = node.base
        elif isinstance(node, Fn) and node.name in INSIDE and len(node.args) == 1:
            row = INSIDE[node.name]
            if row.domain == "positive" and know.positive(node.args[0]) is not True:
                raise NoInverse(f"`{node.name}` is of what is positive, and its argument need not be")
            made.within(row.image)
            value, log_slope = (scalar_text(text, {"y": made.value}) for text in (row.inverse, row.log_slope))
            made.through(value, log_slope, scalar_text(row.forward, {"x": node.args[0]}))
            node = node.args[0]
        else:
            break
    raise NoInverse("it is no composition of sums, products, powers and functions that have an inverse")


def _size(c: Scalar, know: Knowledge) -> Scalar:
    """|c| of a factor whose sign is known."""
    if know.positive(c):
        return c
    if know.negative(c):
        return neg(c)
    raise NoInverse("the sign of a factor is not known")


def _root(base: Scalar, e: Fraction, made: Inverse, know: Knowledge) -> None:
    """y = base^e."""
    y = made.value
    slope = num(1 / e - 1)
    if know.positive(base):
        made.within("positive")
        steep = add(fn("log", num(abs(e))), mul(num(e - 1), fn("log", base)))
        made.through(power(y, num(1 / e)), add(neg(fn("log", num(abs(e)))), mul(slope, fn("log", y))), steep)
    elif e.denominator == 1 and e > 0 and e.numerator % 2:
        size = fn("abs", y)
        steep = add(fn("log", num(e)), mul(num(e - 1), fn("log", fn("abs", base))))
        root = mul(fn("sign", y), power(size, num(1 / e)))
        made.through(root, add(neg(fn("log", num(e))), mul(slope, fn("log", size))), steep)
    else:
        raise NoInverse("an even power, or a root, of what need not be positive")
