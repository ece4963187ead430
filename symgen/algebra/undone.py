"""Logarithms of exponentials undone: log(e^u v) is u + log(v), log(sqrt(v)) is log(v)/2; and log(1) is 0."""

from __future__ import annotations

from collections.abc import Container

from symgen.tensor.arithmetic import factors_of
from symgen.tensor.bottom_up import bottom_up
from symgen.tensor.expression import HALF, ONE, Add, Fn, Mul, Pow, Scalar, add, fn, mul, power

__all__ = ["with_exponentials_met", "without_logs_of_exponentials"]


def without_logs_of_exponentials(x: Scalar) -> Scalar:
    """`x` with the exponentials and square roots among the factors inside a logarithm taken out of it."""
    return bottom_up(x, _taken_out)


def with_exponentials_met(x: Scalar, positive: Container[Scalar] = ()) -> Scalar:
    """The same, and (e^u v)^a as e^(a u) v^a, e^u e^v as e^(u + v); so for powers of what is `positive`, which are taken out
    of sums too: (s^2 - s^2 e^u)^a s^(-2 a) is (1 - e^u)^a."""

    def met(n: Scalar) -> Scalar:
        if isinstance(n, Add):
            shared = [f for f in factors_of(n.args[0]) if _root(f) in positive and all(f in factors_of(t) for t in n.args)]
            return mul(*shared, add(*(mul(*(f for f in factors_of(t) if f not in shared)) for t in n.args))) if shared else n
        base, e = (n.base, n.exponent) if isinstance(n, Pow) else (n, ONE)
        factors = factors_of(base)
        exponents = [f.args[0] for f in factors if isinstance(f, Fn) and f.name == "exp"]
        roots = [f for f in factors if _root(f) in positive] if isinstance(n, Pow) and isinstance(base, (Mul, Pow)) else []
        if not roots and (not exponents or base is n and len(exponents) == 1):
            return _taken_out(n)
        rest = mul(*(f for f in factors if f not in roots and not (isinstance(f, Fn) and f.name == "exp")))
        out = [power(_root(f), mul(e, f.exponent if isinstance(f, Pow) else ONE)) for f in roots]
        grown = fn("exp", add(*(mul(e, u) for u in exponents))) if exponents else ONE
        return mul(power(rest, e), *out, grown)

    return bottom_up(x, met)


def _root(f: Scalar) -> Scalar:
    return f.base if isinstance(f, Pow) else f


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
