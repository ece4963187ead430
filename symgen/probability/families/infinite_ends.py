"""The texts of rows where a parameter is infinite: a normal law truncated on one side has erf(inf) = 1, exp(-inf) = 0.

exp(-inf) is 0 whatever power of an infinite number stands beside it. What has no such value stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from symgen.tensor.expression import (
    INF,
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
    Where,
    add,
    fn,
    mul,
    open_tensor,
    power,
)  # fmt: skip

__all__ = ["branches_of", "end_of", "settled"]

POSITIVE_NAMES = frozenset({"sigma", "rate"})
MINUS_INF = mul(MINUS_ONE, INF)


class UnsettledError(Exception):
    """Of this form nothing is known at infinity."""


class _Vanishing:
    """exp(-inf): 0, and stronger than any infinite factor."""


class _Infinite:
    def __init__(self, sign: int) -> None:
        self.sign = sign


Settled = Scalar | _Vanishing | _Infinite


def end_of(x: Scalar) -> int | None:
    """1 or -1 for inf and -inf."""
    return 1 if x is INF else -1 if x is MINUS_INF else None


def branches_of(x: Scalar) -> tuple[Scalar, Scalar, Scalar] | None:
    """(condition, value, other value) of what is infinite in one of two cases."""
    if isinstance(x, Entry) and isinstance(x.array, Tensor) and isinstance(x.array.body, Where):
        x = open_tensor(x.array, x.indices)
    if isinstance(x, Where) and any(end_of(v) is not None for v in x.args[1:]):
        return x.args[0], x.args[1], x.args[2]
    return None


def settled(body: Scalar, ends: Mapping[Var, int]) -> Scalar | None:
    """`body` where these variables are infinite, or None where it has no value that a rule knows."""
    memo: dict[Scalar, Settled] = {}

    def at(x: Scalar) -> Settled:
        if x not in memo:
            memo[x] = _settled(x, [at(a) for a in x.args if isinstance(a, Scalar)], ends)
        return memo[x]

    try:
        made = at(body)
    except UnsettledError:
        return None
    if isinstance(made, _Infinite):
        return INF if made.sign > 0 else MINUS_INF
    return ZERO if isinstance(made, _Vanishing) else made


def _settled(x: Scalar, args: list[Settled], ends: Mapping[Var, int]) -> Settled:
    if isinstance(x, Entry):
        sign = ends.get(x.array) if isinstance(x.array, Var) else None
        return x if sign is None else _Infinite(sign)
    infinite = [a for a in args if isinstance(a, _Infinite)]
    vanishing = [a for a in args if isinstance(a, _Vanishing)]
    finite = [a for a in args if isinstance(a, Scalar)]
    if isinstance(x, Add) and len({a.sign for a in infinite}) < 2:
        return infinite[0] if infinite else add(*finite)
    if isinstance(x, Mul):
        return _product(finite, infinite, bool(vanishing))
    if isinstance(x, Pow) and not vanishing:
        return _power_of(args)
    if isinstance(x, Fn) and len(args) == 1:
        return _function(x.name, args[0])
    if infinite or vanishing:
        raise UnsettledError
    return x


def _product(finite: list[Scalar], infinite: list[_Infinite], vanishes: bool) -> Settled:
    if vanishes:
        return _Vanishing()
    if not infinite:
        return mul(*finite)
    sign = 1
    for f in finite:
        sign *= _sign(f)
    for a in infinite:
        sign *= a.sign
    return _Infinite(sign)


def _sign(x: Scalar) -> int:
    if isinstance(x, Num) and x.rational:
        return 1 if x.rational > 0 else -1
    if isinstance(x, Pow) and _sign(x.base) > 0:
        return 1
    if isinstance(x, Entry) and isinstance(x.array, Var) and x.array.name in POSITIVE_NAMES:
        return 1
    raise UnsettledError


def _power_of(args: list[Settled]) -> Settled:
    base, exponent = args
    if isinstance(base, Scalar) and isinstance(exponent, Scalar):
        return power(base, exponent)
    if isinstance(base, _Infinite) and isinstance(exponent, Num) and exponent.rational:
        n = exponent.rational
        if n < 0:
            return ZERO
        if base.sign > 0 or n.denominator == 1:
            return _Infinite(1 if base.sign > 0 or n % 2 == 0 else -1)
    raise UnsettledError


def _function(name: str, arg: Settled) -> Settled:
    if isinstance(arg, Scalar):
        return fn(name, arg)
    if isinstance(arg, _Vanishing):
        return fn(name, ZERO)
    if name == "exp":
        return arg if arg.sign > 0 else _Vanishing()
    if name == "erf":
        return ONE if arg.sign > 0 else MINUS_ONE
    raise UnsettledError
