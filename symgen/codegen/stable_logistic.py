"""Quotients of exponentials that overflow though they lie between 0 and 1: logistic functions and hyperbolic tangents."""

from __future__ import annotations

from fractions import Fraction

from symgen.tensor.expression import (
    ZERO,
    Add,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Tensor,
    add,
    fn,
    mul,
    neg,
    num,
    open_tensor,
    power,
    sub,
)

__all__ = ["power_of_logistic", "product_of_logistics", "two_exponentials"]


def _opened(x: Scalar) -> Scalar:
    for _ in range(8):
        if not (isinstance(x, Entry) and isinstance(x.array, Tensor)):
            break
        x = open_tensor(x.array, x.indices)
    return x


def _called(x: Scalar, name: str) -> Scalar | None:
    x = _opened(x)
    return x.args[0] if isinstance(x, Fn) and x.name == name else None


def two_exponentials(x: Scalar) -> tuple[Scalar, Scalar] | None:
    """a, b with x = exp(a) + exp(b), where 1 is exp(0)."""
    x = _opened(x)
    if len(x.args) != 2 or not isinstance(x, Add):
        return None
    a, b = (_called(t, "exp") for t in x.args)
    return (a, b) if a is not None and b is not None else None


def _whole(x: Scalar) -> int:
    """The exponent of a power by a whole number; 0 for any other."""
    value = x.value if isinstance(x, Num) else None
    return int(value) if value is not None and not isinstance(value, str) and value.denominator == 1 else 0


def power_of_logistic(n: Pow) -> Scalar:
    """(1 + exp(u))^-k = sigmoid(-u)^k."""
    k = -_whole(n.exponent)
    base = _opened(n.base)
    if k < 1 or not isinstance(base, Add) or len(base.args) != 2 or num(1) not in base.args:
        return n
    u = next((u for t in base.args if (u := _called(t, "exp")) is not None), None)
    return power(fn("sigmoid", neg(u)), num(k)) if u is not None else n


def product_of_logistics(n: Mul) -> Scalar:
    """exp(k u) sigmoid(-u)^p = sigmoid(u)^k sigmoid(-u)^(p - k), exp(k a + (p - k) b)/(exp(a) + exp(b))^p likewise, and
    sinh/cosh = tanh."""
    exponentials = [(f, u) for f in n.args if (u := _called(f, "exp")) is not None]
    whole = add(*(u for _, u in exponentials))
    for g in n.args if exponentials else ():
        base, p = (g.base, _whole(g.exponent)) if isinstance(g, Pow) else (g, 1)
        z = _called(base, "sigmoid")
        rest = [x for x in n.args if x is not g and all(x is not f for f, _ in exponentials)]
        if z is not None:
            k = next((k for k in range(1, min(p, 4) + 1) if _is_multiple(whole, -k, z)), 0)
            if k:
                return mul(*rest, power(fn("sigmoid", neg(z)), num(k)), power(base, num(p - k)))
        two = two_exponentials(base) if p < 0 else None
        if two is not None:
            a, b = two
            for k in range(min(-p, 4) + 1):
                if add(whole, *([neg(a)] * k), *([neg(b)] * (-p - k))) is ZERO:
                    up, down = fn("sigmoid", sub(a, b)), fn("sigmoid", sub(b, a))
                    return mul(*rest, power(up, num(k)), power(down, num(-p - k)))
    for f in n.args:  # (exp(u) - 1)/(exp(u) + 1) = tanh(u/2)
        u = _called(f, "expm1")
        for g in n.args if u is not None else ():
            base, p = (g.base, _whole(g.exponent)) if isinstance(g, Pow) else (g, 1)
            z = _called(base, "sigmoid")
            if z is not None and p > 0 and u is neg(z):
                rest = [x for x in n.args if x is not g and x is not f]
                return mul(*rest, power(base, num(p - 1)), fn("tanh", mul(num(Fraction(1, 2)), u)))
    for f in n.args:
        u = _called(f, "sinh")
        if u is None:
            continue
        below = power(fn("cosh", u), num(-1))
        if below in n.args:
            return mul(*(x for x in n.args if x is not f and x is not below), fn("tanh", u))
    return n


def _is_multiple(u: Scalar, k: int, z: Scalar) -> bool:
    """Whether u = k z by its form."""
    return u is mul(num(k), z) or add(u, *([z if k < 0 else neg(z)] * abs(k))) is ZERO
