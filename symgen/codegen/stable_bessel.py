"""Modified Bessel functions in forms that do not overflow: scaled in quotients and logarithms, and remainders of their
logarithms, by which laws of directions near each other keep their digits."""

from __future__ import annotations

from symgen.codegen.stable_differences import difference, factors_of, kept_apart
from symgen.codegen.stable_pool import Pool, short
from symgen.codegen.stable_special import short_differences
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    add,
    fn,
    mul,
    power,
    rebuild,
    sub,
)  # fmt: skip

__all__ = ["bessel_remainders", "log_of_bessel", "without_growth"]


def log_of_bessel(x: Fn) -> Scalar:
    """log(I_v(x)) = x + log(exp(-x) I_v(x))."""
    return add(x.args[1], fn("log", fn("besseli_scaled", *x.args)))


def without_growth(n: Mul) -> Scalar:
    """A product in which as many Bessel functions of x stand above as below: each times exp(-x)."""
    arguments = {f.args[1] for f in _functions(n) if f.name == "besseli"}
    for x in arguments:
        if _degree(n, x) == 0:
            made = _scaled(n, x)
            assert isinstance(made, Mul)
            n = made
    return n


def _functions(x: Scalar) -> list[Fn]:
    out: list[Fn] = []
    stack: list[Scalar] = [x]
    while stack:
        y = stack.pop()
        if isinstance(y, Fn):
            out.append(y)
        elif isinstance(y, (Add, Mul, Pow)):
            stack.extend(y.args)
    return out


def _degree(n: Scalar, x: Scalar) -> int | None:
    """k, where n grows as exp(k x) times powers; None where it has no such form."""
    if isinstance(n, Fn) and n.name == "besseli" and n.args[1] is x:
        return 1
    if isinstance(n, Pow):
        inner = _degree(n.base, x)
        e = n.exponent.rational if isinstance(n.exponent, Num) else None
        if inner == 0:
            return 0
        return None if inner is None or e is None or e.denominator != 1 else inner * int(e)
    if isinstance(n, (Mul, Add)):
        found = [_degree(a, x) for a in n.args]
        if any(k is None for k in found):
            return None
        degrees = [k for k in found if k is not None]
        return sum(degrees) if isinstance(n, Mul) else degrees[0] if len(set(degrees)) == 1 else None
    return 0


def _scaled(n: Scalar, x: Scalar) -> Scalar:
    if isinstance(n, Fn) and n.name == "besseli" and n.args[1] is x:
        return fn("besseli_scaled", *n.args)
    if isinstance(n, (Mul, Add, Pow)):
        made: Scalar = rebuild(n, [_scaled(a, x) for a in n.args])
        return made
    return n


def bessel_remainders(n: Add) -> Scalar:
    """c (log I_v(b) - log I_v(a)) beside the quotient I_(v+1)(a)/I_v(a): by the remainder of log I_v, and what is left.

    Alone, x (1 - I_(v+1)(x)/I_v(x)) of what x stands for beside the quotient.
    """
    logs = [f for f in _functions(n) if f.name == "log" and _is_scaled(f.args[0])]
    ratios = [r for r in (_ratio(t) for u in n.args for t in (u, *_inner(u))) if r is not None]
    if not ratios:
        return n
    v, a = ratios[0]
    ratio = mul(fn("besseli_scaled", add(v, ONE), a), power(fn("besseli_scaled", v, a), MINUS_ONE))
    terms = [t for u in n.args for t in _multiplied(u, ratio)]
    factor = add(*(_without(t, ratio) for t in terms if _holds(t, ratio)))
    rest = [t for t in terms if not _holds(t, ratio)]
    if _functions(factor) and any(f.name.startswith("besseli") for f in _functions(factor)):
        return n
    own = [f for f in logs if f.args[0].args[1] is a and f.args[0].args[0] is v]
    other = [f for f in logs if f not in own and f.args[0].args[0] is v]
    made: list[Scalar] = []
    if len(own) == 1 and len(other) == 1:
        c, d = (add(*(_without(t, f) for t in rest if f in factors_of(t))) for f in (other[0], own[0]))
        b = other[0].args[0].args[1]
        gap = difference(b, a)
        if short(add(c, d)) is ZERO and isinstance(c, Num):
            rest = [t for t in rest if not any(f in factors_of(t) for f in (own[0], other[0]))]
            made.append(mul(c, fn("besseli_remainder", v, a, b, kept_apart(gap))))
            rest += [mul(c, v, fn("log", b)), mul(MINUS_ONE, c, v, fn("log", a)), mul(MINUS_ONE, c, gap)]
            factor = add(factor, mul(c, gap))
    if made:
        rest = _logarithms_joined(rest)
    plain = [t for t in rest if not _functions(t)]
    told = [t for t in rest if _functions(t)]
    left, factor = short(add(*plain)), short(factor)
    if not made and short(add(left, factor)) is left:
        return n
    if left is not ZERO or not made:  # factor ratio + left = (factor + left) - factor (1 - ratio)
        both = short(add(left, factor))
        return add(*made, *told, _short_sum(both), mul(MINUS_ONE, factor, fn("besseli_gap", v, a)))
    return add(*made, *told, mul(_short_sum(factor), ratio))


def _logarithms_joined(terms: list[Scalar]) -> list[Scalar]:
    """c log(x) - c log(x/2) is c log(2)."""
    pool, out = Pool(), []
    for t in terms:
        logs = [f for f in _functions(t) if f.name == "log"]
        if len(logs) == 1 and logs[0] in factors_of(t) and not _is_scaled(logs[0].args[0]):
            pool.put(t)
        else:
            out.append(t)
    pool.tidy()
    return [*out, *pool.rest, *pool.small, *(mul(c, fn("log", b)) for b, c in pool.logs.items())]


def _short_sum(x: Scalar) -> Scalar:
    """x - x cos(u) = 2 x sin(u/2)^2, also inside a product."""
    made = mul(*(short_differences(f) if isinstance(f, Add) else f for f in factors_of(x)))
    return short_differences(made) if isinstance(made, Add) else made


def _is_scaled(x: Scalar) -> bool:
    return isinstance(x, Fn) and x.name == "besseli_scaled"


def _inner(u: Scalar) -> list[Scalar]:
    """The terms of a product with a sum."""
    sums = [f for f in factors_of(u) if isinstance(f, Add)]
    return [mul(t, *(g for g in factors_of(u) if g is not f)) for f in sums for t in f.args]


def _ratio(t: Scalar) -> tuple[Scalar, Scalar] | None:
    """v, x of the quotient I_(v+1)(x)/I_v(x) in a product."""
    above = [f for f in factors_of(t) if _is_scaled(f)]
    below = [f.base for f in factors_of(t) if isinstance(f, Pow) and f.exponent is MINUS_ONE and _is_scaled(f.base)]
    for f in above:
        for g in below:
            if f.args[1] is g.args[1] and short(sub(f.args[0], g.args[0])) is ONE:
                return g.args[0], g.args[1]
    return None


def _multiplied(t: Scalar, ratio: Scalar) -> list[Scalar]:
    """A product with a sum of Bessel functions, term by term."""
    for f in factors_of(t):
        if isinstance(f, Add) and any(_is_scaled(g) for u in f.args for g in factors_of(u)):
            return [mul(u, *(g for g in factors_of(t) if g is not f)) for u in f.args]
    return [t]


def _holds(t: Scalar, ratio: Scalar) -> bool:
    return all(f in factors_of(t) for f in factors_of(ratio))


def _without(t: Scalar, ratio: Scalar) -> Scalar:
    return mul(*(f for f in factors_of(t) if f not in factors_of(ratio)))
