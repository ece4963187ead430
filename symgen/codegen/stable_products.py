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
GROWING = ("gamma", "beta", "gamma_ratio", "besselk", "hyperu")


def may_overflow(n: Node) -> bool:
    """Whether a node is a gamma or Bessel function, or an exponential times a power, which leave the range of numbers."""
    if isinstance(n, Mul):
        return any(isinstance(f, Fn) and f.name == "exp" for f in n.args) and any(map(_is_power, n.args))
    return isinstance(n, Fn) and n.name in GROWING


def without_overflow(n: Node) -> Node:
    """A product of gamma functions with exponentials or powers: by the sum of the logarithms where a factor is no number."""
    if not isinstance(n, Mul):
        return n
    logs = {f: u for f in n.args if (u := _logarithm(f)) is not None}
    if len(logs) < 2 or not (may_overflow(n) or any(map(_is_growing, logs))):
        return n
    if sum(map(written_length, logs.values())) > LONGEST:
        return n
    size = add(*(fn("abs", u) for u in logs.values()))
    whole = fn("exp", add(*logs.values()))
    plain = mul(*logs)
    return mul(*(f for f in n.args if f not in logs), where(compare("<", size, num(MOST)), plain, whole))


def _is_growing(f: Scalar) -> bool:
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
    if isinstance(base, Fn) and base.name == "besselk":
        return mul(e, sub(fn("log_besselk", *base.args), base.args[1]))
    if isinstance(base, Fn) and base.name == "hyperu":
        return mul(e, fn("log_hyperu", *base.args)) if all(is_nonnegative_by_form(base.args[k]) for k in (0, 2)) else None
    return mul(e, fn("log", base)) if _is_power(f) else None


def _is_power(f: Scalar) -> bool:
    """Whether f is b^e for positive b and an e that is no number."""
    if not isinstance(f, Pow) or isinstance(f.exponent, Num):
        return False
    return all(map(is_nonnegative_by_form, f.base.args if isinstance(f.base, Add) else (f.base,)))
