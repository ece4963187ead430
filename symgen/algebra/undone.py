"""Logarithms of exponentials undone: log(e^u v) is u + log(v), log(sqrt(v)) is log(v)/2; and log(1) is 0."""

from __future__ import annotations

from symgen.tensor.bottom_up import bottom_up
from symgen.tensor.expression import HALF, ONE, Add, Fn, Mul, Pow, Scalar, add, fn, mul, power

__all__ = ["with_exponentials_met", "without_logs_of_exponentials"]


def without_logs_of_exponentials(x: Scalar) -> Scalar:
    """`x` with the exponentials and square roots among the factors inside a logarithm taken out of it."""
    return bottom_up(x, _taken_out)


def with_exponentials_met(x: Scalar) -> Scalar:
    """The same, and (e^u v)^a as e^(a u) v^a, e^u e^v as e^(u + v)."""
    return bottom_up(x, _met)


def _met(n: Scalar) -> Scalar:
    base, e = (n.base, n.exponent) if isinstance(n, Pow) else (n, ONE)
    factors = base.args if isinstance(base, Mul) else (base,)
    exponents = [f.args[0] for f in factors if isinstance(f, Fn) and f.name == "exp"]
    if not exponents or base is n and len(exponents) == 1:
        return _taken_out(n)
    rest = mul(*(f for f in factors if not isinstance(f, Fn) or f.name != "exp"))
    return mul(power(rest, e), fn("exp", add(*(mul(e, u) for u in exponents))))


def _taken_out(n: Scalar) -> Scalar:
    if not isinstance(n, Fn) or n.name != "log":
        return n
    inside = n.args[0]
    factors = inside.args if isinstance(inside, Mul) else (inside,)
    if not any(isinstance(f, Fn) and f.name == "exp" for f in factors):
        return n
    out: list[Scalar] = []
    rest: list[Scalar] = []
    for f in factors:
        if isinstance(f, Fn) and f.name == "exp":
            out.extend(f.args[0].args if isinstance(f.args[0], Add) else f.args)
        elif isinstance(f, Pow) and f.exponent is HALF:
            out.append(mul(HALF, fn("log", f.base)))
        else:
            rest.append(f)
    left = mul(*rest)
    return add(*out) if left is ONE else add(*out, fn("log", left))
