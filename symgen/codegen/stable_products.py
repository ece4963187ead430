"""Products that are numbers where a factor is none: exp(u) gamma(v) by its logarithm, where a factor is out of range."""

from __future__ import annotations

from fractions import Fraction

from symgen.algebra.collect import written_length
from symgen.codegen.stable_pool import is_nonnegative_by_form
from symgen.tensor.expression import (
    ONE,
    Add,
    Fn,
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    add,
    compare,
    fn,
    mul,
    num,
    sub,
    where,
)  # fmt: skip

__all__ = ["may_overflow", "without_overflow"]

MOST = Fraction(600)  # the product of the factors is computed where the sum of the sizes of their logarithms is below
LONGEST = 120
GROWING = ("gamma", "beta", "gamma_ratio")


def may_overflow(n: Node) -> bool:
    """Whether a node is a gamma function, by which products leave the range of numbers."""
    return isinstance(n, Fn) and n.name in GROWING


def without_overflow(n: Node) -> Node:
    """A product of gamma functions with exponentials or powers: by the sum of the logarithms where a factor is no number."""
    if not isinstance(n, Mul):
        return n
    logs = {f: u for f in n.args if (u := _logarithm(f)) is not None}
    if len(logs) < 2 or not any(_is_gamma(f) for f in logs):
        return n
    if sum(map(written_length, logs.values())) > LONGEST:
        return n
    size = add(*(fn("abs", u) for u in logs.values()))
    whole = fn("exp", add(*logs.values()))
    plain = mul(*logs)
    return mul(*(f for f in n.args if f not in logs), where(compare("<", size, num(MOST)), plain, whole))


def _is_gamma(f: Scalar) -> bool:
    base = f.base if isinstance(f, Pow) else f
    return may_overflow(base)


def _logarithm(f: Scalar) -> Scalar | None:
    """log(f), of a factor that is positive and may be out of range."""
    base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
    if isinstance(base, Fn) and base.name == "exp":
        return mul(e, base.args[0])
    if isinstance(base, Fn) and base.name == "gamma":
        return mul(e, fn("lgamma", base.args[0])) if is_nonnegative_by_form(base.args[0]) else None
    if isinstance(base, Fn) and base.name == "gamma_ratio":
        return mul(e, sub(fn("lgamma", base.args[0]), fn("lgamma", base.args[1])))
    if isinstance(base, Fn) and base.name == "beta":
        return mul(e, fn("lbeta", *base.args))
    if isinstance(f, Pow) and not isinstance(e, Num) and is_nonnegative_by_form(base) and not isinstance(base, Add):
        return mul(e, fn("log", base))
    return None
