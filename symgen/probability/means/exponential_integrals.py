"""Integrals of powers times exponentials of polynomials over the line and the half-line: without a search.

over x > 0   x^n exp(-a x^p)        = a^(-(n + 1)/p) Gamma((n + 1)/p)/p
over x > 0   x^n exp(-a x - b/x)    = 2 (b/a)^((n + 1)/2) K_(n+1)(2 sqrt(a b)), elementary for n + 1/2
over x > 0   x^n exp(-a x^2 + b x)  by erfc and the recursion 2 a J_n = (n - 1) J_(n-2) + b J_(n-1), + 1 for n = 1
on the line  the same by symmetry, or with 2 sqrt(pi/a) for the half of it
"""

from __future__ import annotations

import math
from fractions import Fraction
from math import factorial

from symgen.derivation.context import Context
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.special import simplified, without_logarithms
from symgen.probability.forms.terms import TooManyTerms, depends_on_any, expanded, factors_of
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.intervals import slope_in
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    INF,
    MINUS_ONE,
    ONE,
    PI,
    TWO,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Num,
    Pow,
    Scalar,
    Sum,
    Var,
    add,
    as_coefficient,
    compare,
    divide,
    entry,
    fn,
    mul,
    neg,
    num,
    power,
    replace_arrays,
    sub,
    variables_of,
    walk,
    where,
)  # fmt: skip

__all__ = ["exponential_integral", "is_bell_over_sum", "is_hopeless", "log_of_product"]

MOST_POWERS = 12
Polynomial = dict[Scalar, Scalar]  # exponent -> coefficient


def is_hopeless(f: Scalar, x: Var) -> bool:
    """Whether f holds a logarithm beside another function, a power with a name for its exponent that is no power of x, or
    an exponential of one: a search for its integral takes long, and finds none."""
    found: set[str] = set()
    for n in walk(with_powers(f)):
        if isinstance(n, Fn) and n.name in ("log", "exp", "xlogy", "sin", "cos", "tanh") and x in variables_of(n):
            found.add(n.name)
            if n.name == "exp" and any(isinstance(k, Fn) and k.name == "exp" and x in variables_of(k) for k in walk(n.args[0])):
                return True
        elif isinstance(n, Pow) and isinstance(n.base, Add) and not isinstance(n.exponent, Num) and x in variables_of(n.base):
            found.add("power")
    return bool(found & {"log", "xlogy", "power"}) and len(found) > 1


def is_bell_over_sum(f: Array, x: Var) -> bool:
    """Whether f holds an exponential of a square beside a power of a sum in x that is no whole one: no table has these."""
    bell = over = False
    for n in walk(f):
        if isinstance(n, Fn) and n.name == "exp":
            bell = bell or any(isinstance(k, Pow) and x in variables_of(k.base) for k in walk(n.args[0]))
        elif isinstance(n, Pow) and isinstance(n.base, Add) and x in variables_of(n.base):
            over = over or not (isinstance(n.exponent, Num) and n.exponent.rational is not None and n.exponent.rational >= 0)
    return bell and over


def with_powers(f: Scalar) -> Scalar:
    """exp(c log y + r) as y^c exp(r)."""
    return bottom_up(f, lambda n: without_logarithms(n) if isinstance(n, Fn) and n.name == "exp" else n)


def exponential_integral(f: Scalar, x: Var, low: float, high: float, ctx: Context) -> Scalar | None:
    """The integral in closed form; None where f is no sum of such terms, or a sign that it takes is not known."""
    if high != math.inf or low not in (0.0, -math.inf):
        return None
    if any(isinstance(n, Sum) and x in variables_of(n) for n in walk(f)):
        return None
    whole = low == -math.inf
    f = with_powers(f)
    at = entry(x)
    assert isinstance(at, Entry)
    know = Knowledge(ctx)
    if whole:
        shift = _centre(f, at)
        if shift is not None:
            f = replace_arrays(f, {x: lambda *_: add(at, shift)})
        if any(isinstance(n, Fn) and n.name == "abs" and x in variables_of(n) for n in walk(f)):
            return _of_both_sides(f, at, ctx)
    is_random = depends_on_any(frozenset((x,)))
    exponents = [g.args[0] for g in factors_of(f) if isinstance(g, Fn) and g.name == "exp" and is_random(g)]
    rest = mul(*(g for g in factors_of(f) if not (isinstance(g, Fn) and g.name == "exp" and is_random(g))))
    inside, powers = _polynomial(add(*exponents), at), _polynomial(rest, at, not whole)
    if inside is None or powers is None or len(powers) > MOST_POWERS:
        return None
    constant = inside.pop((ZERO, 0), ZERO)
    exponent: Polynomial = {n: c for (n, _), c in inside.items()}
    out: list[Scalar] = []
    for (n, logs), c in powers.items():
        one = _over_line(n, exponent, know) if whole else _over_half(n, exponent, know, logs)
        if one is None:
            return None
        out.append(mul(c, one))
    return collected(simplified(mul(fn("exp", constant), add(*out)))) if out else None


def log_of_product(x: Scalar) -> Scalar:
    """log x, the exponents of its exponentials apart."""
    exponents = [f for f in factors_of(x) if isinstance(f, Fn) and f.name == "exp"]
    return add(*(f.args[0] for f in exponents), fn("log", mul(*(f for f in factors_of(x) if f not in exponents))))


def _of_both_sides(f: Scalar, x: Entry, ctx: Context) -> Scalar | None:
    """Over the line: over x > 0 of f(x) and of f(-x), where |x| is x."""
    out: list[Scalar] = []
    for side in (x, neg(x)):
        there = replace_scalars(replace_arrays(f, {x.array: lambda *_, s=side: s}), {fn("abs", x): x, fn("abs", neg(x)): x})
        one = exponential_integral(there, x.array, 0.0, math.inf, ctx)
        if one is None:
            return None
        out.append(one)
    return collected(add(*out))


def _centre(f: Scalar, x: Entry) -> Scalar | None:
    """m, where x stands in f as x - m alone."""
    found: set[Scalar] = set()
    for n in walk(f):
        inside = n.base if isinstance(n, Pow) else n.args[0] if isinstance(n, Fn) and n.name == "abs" else None
        if isinstance(inside, Add) and x.array in variables_of(inside):
            slope = slope_in(inside, x)
            if slope is None or slope[0] is ZERO:
                return None
            found.add(divide(neg(slope[1]), slope[0]))
    return next(iter(found)) if len(found) == 1 else None


def _polynomial(f: Scalar, x: Entry, with_logs: bool = False) -> dict[tuple[Scalar, int], Scalar] | None:
    """f as a sum of powers of x, with at most one logarithm of x beside."""
    is_random = depends_on_any(frozenset((x.array,)))
    try:
        items = expanded(f, is_random, lambda _: False)
    except TooManyTerms:
        return None
    out: dict[tuple[Scalar, int], Scalar] = {}
    for item in items:
        n: Scalar = ZERO
        logs = 0
        for g in factors_of(item.atom):
            if g is x:
                n = add(n, ONE)
            elif isinstance(g, Pow) and g.base is x and not is_random(g.exponent):
                n = add(n, g.exponent)
            elif with_logs and isinstance(g, Fn) and g.name == "log" and g.args[0] is x:
                logs += 1
            elif g is not ONE:
                return None
        if item.indices or logs > 1:
            return None
        out[n, logs] = add(out.get((n, logs), ZERO), item.coefficient)
    return {n: c for n, c in out.items() if c is not ZERO}


def _over_half(n: Scalar, exponent: Polynomial, know: Knowledge, logs: int = 0) -> Scalar | None:
    """The integral of x^n exp(exponent) over x > 0, with log(x) beside where `logs` is 1: the slope in n."""
    if len(exponent) == 1:
        ((p, c),) = exponent.items()
        a = neg(c)
        if know.positive(a) is not True or know.positive(p) is not True or know.positive(add(n, ONE)) is not True:
            return None
        order = divide(add(n, ONE), p)
        value = divide(mul(power(a, neg(order)), fn("gamma", order)), p)
        return mul(value, divide(sub(fn("digamma", order), fn("log", a)), p)) if logs else value
    if logs:
        return None
    if set(exponent) == {ONE, MINUS_ONE}:
        a, b = neg(exponent[ONE]), neg(exponent[MINUS_ONE])
        if know.positive(a) is not True or know.nonnegative(b) is not True:
            return None
        order = add(n, ONE)
        if know.positive(b) is not True and _is_half(order):
            return _of_half_order(order, a, b, know)
        bessel = fn("besselk", order, mul(TWO, power(mul(a, b), HALF)))
        value = mul(TWO, power(divide(b, a), mul(HALF, order)), bessel)
        if know.positive(b) is True:
            return value
        alone = mul(power(a, neg(order)), fn("gamma", order))
        alone = alone if know.positive(order) is True else where(compare("<", ZERO, order), alone, INF)
        return where(compare("==", as_coefficient(b)[1], ZERO), alone, value)
    order_of = is_natural(n)
    if set(exponent) != {ONE, TWO} or order_of is None or order_of > MOST_POWERS:
        return None
    a, b = neg(exponent[TWO]), exponent[ONE]
    if know.positive(a) is not True:
        return None
    half = mul(HALF, power(divide(PI, a), HALF), fn("exp", divide(power(b, TWO), mul(num(4), a))),
               fn("erfc", divide(neg(b), mul(TWO, power(a, HALF)))))  # fmt: skip
    return _recursion(order_of, a, b, half, divide(add(ONE, mul(b, half)), mul(TWO, a)))


def _is_half(order: Scalar) -> bool:
    return isinstance(order, Num) and order.rational is not None and order.rational.denominator == 2 and 0 < order.rational < 12


def _of_half_order(order: Scalar, a: Scalar, b: Scalar, know: Knowledge) -> Scalar:
    """The integral of x^(order - 1) exp(-a x - b/x) over x > 0 for the order m + 1/2, at b = 0 too: with z = sqrt(b/a) it is
    sqrt(pi/a) exp(-2 a z) sum of (m + k)!/(k! (m - k)!) z^(m - k)/(4 a)^k. DLMF 10.32.10, 10.49.12."""
    assert isinstance(order, Num) and order.rational is not None
    m = int(order.rational)
    z = _root(divide(b, a), know)
    series = [mul(num(Fraction(factorial(m + k), factorial(k) * factorial(m - k))), power(z, num(m - k)),
                  power(mul(num(4), a), num(-k))) for k in range(m + 1)]  # fmt: skip
    return mul(power(divide(PI, a), HALF), fn("exp", mul(num(-2), a, z)), add(*series))


def _root(x: Scalar, know: Knowledge) -> Scalar:
    """The square root of what is not below 0; of y^2 it is |y|."""
    out: list[Scalar] = []
    for f in factors_of(x):
        k = f.exponent.rational if isinstance(f, Pow) and isinstance(f.exponent, Num) else None
        if k is not None and k % 2 == 0:
            out.append(power(f.base if know.positive(f.base) else fn("abs", f.base), num(k / 2)))
        elif know.positive(f):
            out.append(power(f, HALF))
        else:
            return power(x, HALF)
    return mul(*out)


def _over_line(n: Scalar, exponent: Polynomial, know: Knowledge) -> Scalar | None:
    """The integral of x^n exp(exponent) over the line."""
    order = is_natural(n)
    if order is None or order > MOST_POWERS:
        return None
    if len(exponent) == 1:
        ((p, _),) = exponent.items()
        degree = is_natural(p)
        if degree is None or degree % 2 or not degree:
            return None
        one = _over_half(n, exponent, know)
        return None if one is None else ZERO if order % 2 else mul(TWO, one)
    if set(exponent) != {ONE, TWO} or know.positive(neg(exponent[TWO])) is not True:
        return None
    a, b = neg(exponent[TWO]), exponent[ONE]
    whole = mul(power(divide(PI, a), HALF), fn("exp", divide(power(b, TWO), mul(num(4), a))))
    return _recursion(order, a, b, whole, divide(mul(b, whole), mul(TWO, a)))


def _recursion(n: int, a: Scalar, b: Scalar, zeroth: Scalar, first: Scalar) -> Scalar:
    """2 a J_k = (k - 1) J_(k-2) + b J_(k-1)."""
    values = [zeroth, first]
    for k in range(2, n + 1):
        values.append(divide(add(mul(num(k - 1), values[k - 2]), mul(b, values[k - 1])), mul(TWO, a)))
    return values[n]
