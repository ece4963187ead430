"""Sums of logarithms gathered: each logarithm taken apart into those of its factors, equal ones joined."""

from __future__ import annotations

from symgen.algebra.collect import written_length
from symgen.algebra.rational import as_quotient, simplify_scalar
from symgen.probability.forms.collect import multiplied_out
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
    as_coefficient,
    fn,
    mul,
    num,
    power,
)  # fmt: skip
from symgen.tensor.facts import is_positive

LIKE_LOG = ("lgamma", "lbeta")


def terms_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Add) else (x,)


def factors_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Mul) else (x,)


def gathered_logarithms(x: Scalar) -> Scalar:
    """r + sum of c log b, the bases prime to each other, r one fraction; functions like lgamma with one coefficient
    each. Bases that count with c and -c stand in one quotient: (log(a/b))/2."""
    rest: list[Scalar] = []
    logs: dict[Scalar, Scalar] = {}
    others: dict[Scalar, Scalar] = {}
    for t in terms_of(multiplied_out(x)):
        found = [f for f in factors_of(t) if isinstance(f, Fn) and f.name in ("log", *LIKE_LOG)]
        if len(found) != 1:
            rest.append(t)
            continue
        (f,) = found
        c = mul(*(g for g in factors_of(t) if g is not f))
        if f.name != "log":
            same = arguments_tidied(f)
            others[same] = add(others.get(same, ZERO), c)
            continue
        for base, e in prime_factors(f.args[0]):
            logs[base] = add(logs.get(base, ZERO), mul(e, c))
    out = [as_short(add(*rest))]
    out.extend(mul(as_short(c), f) for f, c in others.items())
    groups: dict[Scalar, list[Scalar]] = {}
    for base, c in logs.items():
        c = as_short(c)
        if c is ZERO:
            continue
        opposite = as_short(mul(MINUS_ONE, c))
        if opposite in groups:
            groups[opposite].append(power(base, MINUS_ONE))
        else:
            groups.setdefault(c, []).append(base)
    for c, bases in groups.items():
        if as_coefficient(c)[0] < 0:
            bases, c = [power(b, MINUS_ONE) for b in bases], mul(MINUS_ONE, c)
        if all(isinstance(b, Pow) and b.exponent is MINUS_ONE for b in bases):
            bases, c = [power(b, MINUS_ONE) for b in bases], mul(MINUS_ONE, c)
        out.append(mul(c, fn("log", mul(*bases))))
    return add(*out)


def arguments_tidied(f: Fn) -> Scalar:
    return fn(f.name, *(as_short(a) for a in f.args))


def as_short(x: Scalar) -> Scalar:
    """One fraction, factored, or the shorter form that simplification finds."""
    return min((as_quotient(x), simplify_scalar(x), x), key=written_length)


def prime_factors(x: Scalar) -> list[tuple[Scalar, Scalar]]:
    """Positive factors b with exponents e such that x > 0 is the product of b^e; x itself where signs are not known."""
    if isinstance(x, Pow) and isinstance(x.exponent, Num):
        return [(b, mul(e, x.exponent)) for b, e in prime_factors(x.base)]
    whole = as_quotient(x)
    out: list[tuple[Scalar, Scalar]] = []
    unknown = 0
    for f in factors_of(whole):
        base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
        if isinstance(base, Num) and base.rational is not None and base.rational > 0:
            r = base.rational
            if r.numerator != 1:
                out.append((num(r.numerator), e))
            if r.denominator != 1:
                out.append((num(r.denominator), mul(MINUS_ONE, e)))
            continue
        if isinstance(base, Fn) and base.name == "exp":
            return [(x, ONE)]
        if is_positive(base, None) is not True:
            unknown += 1  # one factor of unknown sign is positive, for the product is
        out.append((base, e))
    return out if unknown <= 1 else [(x, ONE)]


def without_denominators(difference: Scalar) -> Scalar:
    """A positive multiple of an expression, without denominators that are known to be positive: what is positive with
    it."""
    whole = as_quotient(difference)
    kept: list[Scalar] = []
    for f in factors_of(whole):
        base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
        if isinstance(f, Num):
            if f.rational is None:
                return difference
            kept.append(num((f.rational > 0) - (f.rational < 0)))
            continue
        if is_positive(base, None) is True:
            continue
        if isinstance(e, Num) and e.rational is not None and e.rational.denominator == 1:
            kept.append(base if e.rational % 2 else power(base, num(2)))
        else:
            kept.append(f)
    return mul(*kept)


__all__ = ["as_short", "gathered_logarithms", "prime_factors", "without_denominators"]
