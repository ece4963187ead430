"""Quotients of exponentials that overflow though they lie between 0 and 1: logistic functions and hyperbolic tangents."""

from __future__ import annotations

from fractions import Fraction

from symgen.codegen.stable_pool import is_nonnegative_by_form
from symgen.tensor.expression import (
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
    add,
    as_coefficient,
    fn,
    mul,
    neg,
    num,
    open_tensor,
    power,
    sub,
)

MOST = 6

__all__ = ["common_exponential", "odd_in_logit", "power_of_logistic", "product_of_logistics", "two_exponentials", "with_exponents"]


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


def odd_in_logit(n: Add) -> Scalar:
    """softplus(z) - softplus(-z) = z and 2 sigmoid(z) - 1 = tanh(z/2)."""
    for t in n.args:
        c, base = as_coefficient(t)
        if not isinstance(base, Fn) or base.name not in ("softplus", "sigmoid"):
            continue
        z = base.args[0]
        if base.name == "softplus":
            other, made = mul(num(-c), fn("softplus", neg(z))), mul(num(c), z)
        else:
            other, made = num(-c / 2), mul(num(c / 2), fn("tanh", mul(num(Fraction(1, 2)), z)))
        if other in n.args and other is not t:
            return add(made, *(u for u in n.args if u is not t and u is not other))
    return n


def common_exponential(x: Scalar) -> tuple[Scalar, Scalar] | None:
    """u, r with x = exp(u) r, where each term of the sum x has an exponential: u is the greatest of their exponents."""
    found = with_exponents(_opened(x))
    if found is None or len(found) < 2:
        return None
    exponents = list(dict.fromkeys(u for _, u in found))
    if len(exponents) < 2:
        return None
    top = exponents[0]
    for u in exponents[1:]:
        top = fn("max", top, u)
    return top, add(*(mul(c, fn("exp", sub(u, top))) for c, u in found))


def with_exponents(x: Scalar) -> list[tuple[Scalar, Scalar]] | None:
    """c, u with x the sum of all c exp(u); None where a term has no exponential, or there are many."""
    out: list[tuple[Scalar, Scalar]] = []
    for t in x.args if isinstance(x, Add) else (x,):
        factors = list(t.args) if isinstance(t, Mul) else [t]
        k = next((k for k, f in enumerate(factors) if exponent_of(f) is not None or _is_sum_of_exponentials(f)), None)
        if k is None or len(out) > MOST:
            return None
        rest = mul(*factors[:k], *factors[k + 1 :])
        out.extend((mul(rest, c), u) for c, u in _termswith_exponents(factors[k]))
    return out


def _is_sum_of_exponentials(x: Scalar) -> bool:
    return isinstance(_opened(x), Add) and with_exponents(_opened(x)) is not None


def _termswith_exponents(x: Scalar) -> list[tuple[Scalar, Scalar]]:
    u = exponent_of(x)
    return [(ONE, u)] if u is not None else with_exponents(_opened(x)) or []


def exponent_of(x: Scalar) -> Scalar | None:
    """u with x = exp(u): an exponential, or a power of what is not negative by an exponent that is no number."""
    if isinstance(x, Pow) and not isinstance(x.exponent, Num) and is_nonnegative_by_form(x.base):
        return mul(x.exponent, fn("log", x.base))
    return _called(x, "exp")


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
