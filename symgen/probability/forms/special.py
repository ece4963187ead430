"""Values made readable: quotients of gamma functions, special functions at shifted and special arguments."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

from symgen.probability.forms.walks import bottom_up
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    PI,
    TWO,
    ZERO,
    Add,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    add,
    as_coefficient,
    divide,
    expand_size,
    fn,
    mul,
    neg,
    num,
    power,
    sub,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_positive, range_of


def factors_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Mul) else (x,)


def simplified(x: Scalar) -> Scalar:
    """Quotients of gamma functions whose arguments differ by an integer become products; gamma(1/2) is sqrt(pi)."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, (Mul, Pow)):
            return gamma_quotient(half_bessel(n) if isinstance(n, Mul) else n)
        if isinstance(n, Fn) and n.name == "exp":
            return without_logarithms(n)
        if isinstance(n, Add):
            return ending_sum(n) or what_is_left(n)
        return special_value(n) if isinstance(n, Fn) else n

    return bottom_up(x, rule)


def with_known_signs(x: Scalar, facts: Facts | None) -> Scalar:
    """|x| without its bars where the sign of x is known, the lesser of a negative and a positive number."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Fn) or n.name not in ("abs", "min", "max"):
            return n
        first, *others = (range_of(a, facts) for a in n.args)
        a: Scalar = n.args[0]
        if n.name == "abs":
            return a if first.nonnegative else neg(a) if first.nonpositive else n
        if len(n.args) == 2 and (first.nonpositive and others[0].nonnegative or first.nonnegative and others[0].nonpositive):
            b: Scalar = n.args[1]
            return a if (n.name == "min") == first.nonpositive else b
        return n

    return bottom_up(x, rule)


def ending_sum(x: Add) -> Scalar | None:
    """c - c P(n, z) = c exp(-z) (1 + z + .. + z^(n - 1)/(n - 1)!) for n = 1 .. 6, DLMF 8.4.8."""
    found = next((t for t in x.args if isinstance(as_coefficient(t)[1], Fn) and as_coefficient(t)[1].name == "igamma"), None)
    if found is None or len(x.args) != 2:
        return None
    c, gamma = as_coefficient(found)
    order, z = gamma.args[0], gamma.args[1]
    n = order.rational if isinstance(order, Num) else None
    if num(-c) not in x.args or n is None or n.denominator != 1 or not 0 < n <= 6:
        return None
    return mul(num(-c), fn("exp", neg(z)), add(*(mul(num(Fraction(1, factorial(k))), power(z, num(k))) for k in range(int(n)))))


def what_is_left(x: Add) -> Scalar:
    """1 - a/(a + b) = b/(a + b), where that is shorter."""
    number = next((t for t in x.args if isinstance(t, Num)), None)
    if number is None or len(x.args) != 2:
        return x
    factors = list(factors_of(next(t for t in x.args if t is not number)))
    for f in factors:
        if isinstance(f, Pow) and f.exponent is MINUS_ONE and isinstance(f.base, Add):
            part = mul(*(g for g in factors if g is not f))
            top = add(*(mul(number, t) for t in f.base.args), part)
            if len(terms_of(top)) < len(f.base.args):
                return divide(top, f.base)
    return x


def without_logarithms(x: Fn) -> Scalar:
    """exp(c log y + r) = y^c exp(r)."""
    outside: list[Scalar] = []
    rest: list[Scalar] = []
    stack: list[Scalar] = list(reversed(terms_of(x.args[0])))
    while stack:
        t = stack.pop()
        factors = list(factors_of(t))
        sums = [f for f in factors if isinstance(f, Add) and any(_is_log(u) for u in f.args)]
        if len(sums) == 1:
            others = [f for f in factors if f is not sums[0]]
            stack.extend(mul(*others, u) for u in reversed(sums[0].args))
            continue
        logs = [f for f in factors if isinstance(f, Fn) and f.name == "log"]
        if len(logs) == 1:
            outside.append(power(logs[0].args[0], mul(*(f for f in factors if f is not logs[0]))))
        else:
            rest.append(t)
    return mul(*outside, fn("exp", add(*rest))) if outside else x


def _is_log(t: Scalar) -> bool:
    return any(isinstance(f, Fn) and f.name == "log" for f in factors_of(t))


def terms_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Add) else (x,)


def special_value(x: Fn) -> Scalar:
    """digamma(a + n) = digamma(a) + sum of 1/(a + k); gamma at halves."""
    a = x.args[0] if x.args else ZERO
    r = a.rational if isinstance(a, Num) else None
    if x.name == "log" and isinstance(a, Pow) and is_positive(a.base):
        return mul(a.exponent, fn("log", a.base))
    if x.name == "xlogy" and (a is ZERO or x.args[1] is ONE):
        return ZERO
    if x.name == "ibeta" and ONE in x.args[:2]:
        return power(x.args[2], a) if x.args[1] is ONE else sub(ONE, power(sub(ONE, x.args[2]), x.args[1]))
    if x.name in ("beta", "lbeta") and ONE in x.args:
        other = x.args[1] if a is ONE else a
        return power(other, MINUS_ONE) if x.name == "beta" else neg(fn("log", other))
    if x.name == "hyp2f1" and isinstance(x.args[1], Num) and x.args[1].rational in (0, -1, -2):
        return polynomial_2f1(a, int(x.args[1].rational), x.args[2], x.args[3])
    if x.name == "lgamma" and r is not None and r.denominator == 1 and 0 < r <= 20:
        return fn("log", num(factorial(int(r) - 1)))
    if x.name == "gamma" and r is not None and r.denominator == 2 and 0 < r < 30:
        value: Scalar = power(PI, divide(ONE, TWO))
        k = r - 1
        while k > 0:
            value = mul(num(k), value)
            k -= 1
        return value
    if x.name in ("digamma", "trigamma") and isinstance(a, Add):
        constant = next((t for t in a.args if isinstance(t, Num) and t.rational is not None), None)
        if constant is not None and constant.rational is not None and constant.rational.denominator == 1:
            n = int(constant.rational)
            rest = sub(a, constant)
            if 0 < n <= 6:
                down = fn(x.name, rest)
                extra = [power(add(rest, num(k)), num(-1 if x.name == "digamma" else -2)) for k in range(n)]
                return add(down, *(e if x.name == "digamma" else neg(e) for e in extra))
    return x


def polynomial_2f1(a: Scalar, b: int, c: Scalar, x: Scalar) -> Scalar:
    """2F1(a, b; c; x) for b = 0, -1, -2: the sum of (a)_k (b)_k/((c)_k k!) x^k."""
    terms, term = [], ONE
    for k in range(1 - b):
        terms.append(term)
        term = divide(mul(term, add(a, num(k)), num(b + k), x), mul(add(c, num(k)), num(k + 1)))
    return add(*terms)


def half_bessel(x: Mul) -> Scalar:
    """K of order n + 1/2 at z > 0 is sqrt(pi/(2 z)) exp(-z) sum of (n + k)!/(k! (n - k)!) (2 z)^-k.

    DLMF 10.49.12.
    """
    bessel = next((f for f in x.args if isinstance(f, Fn) and f.name == "besselk" and _is_half(f.args[0])), None)
    if bessel is None:
        return x
    order, z = bessel.args
    assert isinstance(order, Num) and order.rational is not None
    n = int(abs(order.rational) - Fraction(1, 2))
    series = add(*(mul(num(Fraction(factorial(n + k), factorial(k) * factorial(n - k))), power(mul(TWO, z), num(-k)))
                   for k in range(n + 1)))  # fmt: skip
    half = num(Fraction(1, 2))
    roots = [power(PI, half), power(TWO, neg(half)), *(positive_root(f, neg(half)) for f in factors_of(z))]
    rest = [g for f in x.args if f is not bessel for g in _root_factors(f)]
    return mul(*rest, *roots, fn("exp", neg(z)), series)


def _is_half(order: Scalar) -> bool:
    return isinstance(order, Num) and order.rational is not None and order.rational.denominator == 2 and abs(order.rational) < 12


def positive_root(x: Scalar, exponent: Scalar) -> Scalar:
    """x^exponent for positive x: (a^b)^c is a^(b c)."""
    return power(x.base, mul(x.exponent, exponent)) if isinstance(x, Pow) else power(x, exponent)


def _root_factors(f: Scalar) -> list[Scalar]:
    """sqrt(2 a/pi) beside a Bessel function of a, which is positive, in its factors."""
    if isinstance(f, Pow) and isinstance(f.base, Mul):
        return [positive_root(g, f.exponent) for g in f.base.args]
    return [f]


def gamma_quotient(x: Scalar) -> Scalar:
    """Gamma(a + n)/Gamma(a) = a (a + 1) .. (a + n - 1); exponentials of a product join."""
    factors = list(factors_of(x))
    while True:
        above = [f for f in factors if isinstance(f, Fn) and f.name == "gamma"]
        below = [f for f in factors if isinstance(f, Pow) and f.exponent is MINUS_ONE and isinstance(f.base, Fn)
                 and f.base.name == "gamma"]  # fmt: skip
        for a in above:
            for b in below:
                difference = expand_size(sub(a.args[0], b.base.args[0]))
                if isinstance(difference, Num) and difference.rational is not None and difference.rational.denominator == 1:
                    n = int(difference.rational)
                    if abs(n) <= 12:
                        low = b.base.args[0] if n >= 0 else a.args[0]
                        rising = [add(low, num(k)) for k in range(abs(n))]
                        factors.remove(a)
                        factors.remove(b)
                        factors.append(mul(*rising) if n >= 0 else power(mul(*rising), MINUS_ONE))
                        break
            else:
                continue
            break
        else:
            break
    exponents = [f.args[0] for f in factors if isinstance(f, Fn) and f.name == "exp"]
    if len(exponents) > 1:
        factors = [f for f in factors if not (isinstance(f, Fn) and f.name == "exp")]
        factors.append(fn("exp", add(*exponents)))
    return mul(*factors)
