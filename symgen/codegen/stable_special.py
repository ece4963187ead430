"""Special functions that cancel, overflow or vanish beside their leading factor: their complements and scaled forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from symgen.algebra.collect import written_length
from symgen.algebra.rational import as_quotient
from symgen.codegen.stable_differences import difference, factors_of, is_rational, kept_apart
from symgen.codegen.stable_logistic import with_exponents
from symgen.codegen.stable_pool import entries_of, is_nonnegative_by_form, short
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    as_coefficient,
    compare,
    divide,
    fn,
    mul,
    neg,
    num,
    open_tensor,
    power,
    sub,
    walk,
    where,
)  # fmt: skip

__all__ = [
    "OF_ARGUMENT", "complement", "exact_difference",
    "log_beside_one", "log_of_cosh", "log_of_half_erf_gap", "log_of_half_erfc", "scaled",
    "short_differences",
]  # fmt: skip

COMPLEMENTS = {"erf": "erfc", "igamma": "igammac", "ibeta": "ibetac"}
LONGEST = 200
TINY = num(-40)  # the exponential of what is below is lost beside a number
LEFT, RIGHT = num(Fraction(-7, 10)), num(Fraction(7, 10))


def complement(n: Add) -> Scalar:
    """1 - erf(x), 1 + erf(x), 1 - igamma(a, x) and 1 - ibeta(a, b, x) as one function each, exact where it is small."""
    for one in n.args:
        if not isinstance(one, Num) or one.rational is None:
            continue
        for t in n.args:
            c, base = as_coefficient(t)
            if not isinstance(base, Fn) or base.name not in COMPLEMENTS or abs(c) != abs(one.rational):
                continue
            if c == one.rational and base.name != "erf":
                continue
            args = base.args if c == -one.rational else (neg(base.args[0]),)
            made = mul(one, fn(COMPLEMENTS[base.name], *args))
            return add(made, *(u for u in n.args if u is not t and u is not one))
    return n


def beside_one(f: Fn) -> Fn:
    """The hypergeometric function at x by 1 - x, which keeps its digits where x is near 1."""
    *parameters, x = f.args
    rest = sub(ONE, x) if isinstance(x, Add) and ONE in x.args else add(ONE, kept_apart(neg(x)))
    return fn("hyp2f1_rest", *parameters, rest)


def of_exponential(f: Fn) -> Scalar:
    """E1(exp(u)) far left of 0, where exp(u) vanishes: -gamma - u, but for exp(u)."""
    x = as_entry_of(f.args[0])
    if not isinstance(x, Fn) or x.name != "exp":
        return f
    u = x.args[0]
    near = fn("E1", fn("exp", fn("max", u, TINY)))
    return where(compare("<", u, TINY), sub(fn("digamma", ONE), u), near)


OF_ARGUMENT: Mapping[str, Callable[[Fn], Scalar]] = {"hyp2f1": beside_one, "E1": of_exponential}


def as_entry_of(x: Scalar) -> Scalar:
    """What a name of its own stands for."""
    return open_tensor(x.array, x.indices) if isinstance(x, Entry) and isinstance(x.array, Tensor) else x


def log_of_half_erfc(v: Scalar) -> Scalar:
    """log(erfc(v)/2), which is near -v^2 where erfc(v) vanishes, and near 0 where it is 2."""
    far = sub(fn("log", mul(HALF, fn("erfcx", fn("max", v, ZERO)))), power(v, TWO))
    near = fn("log1p", mul(num(-1), HALF, fn("erfc", neg(fn("min", v, ZERO)))))
    return where(compare("<", ZERO, v), far, near)


def log_of_half_erf_gap(x: Scalar) -> Scalar | None:
    """log(|erf(a) - erf(b)|/2), which is a number where neither end is near 0."""
    if not isinstance(x, Fn) or x.name != "erf_gap":
        return None
    return fn("log_half_erf_gap", *x.args, kept_apart(short(difference(*x.args))))


def log_beside_one(x: Scalar) -> Scalar | None:
    """log(1 - exp(u)), which is near -exp(u) far left of 0, and log(exp(u) - 1), which is near u far right of it."""
    c, inside = as_coefficient(x)
    if not isinstance(inside, Fn) or inside.name != "expm1" or abs(c) != 1:
        return None
    u = inside.args[0]
    if c < 0:
        far = fn("log1p", neg(fn("exp", fn("min", u, LEFT))))
        return where(compare("<", u, LEFT), far, fn("log", neg(fn("expm1", fn("max", u, LEFT)))))
    far = add(u, fn("log1p", neg(fn("exp", neg(fn("max", u, RIGHT))))))
    return where(compare("<", RIGHT, u), far, fn("log", fn("expm1", fn("min", u, RIGHT))))


def log_of_cosh(u: Scalar) -> Scalar:
    """log(cosh(u)), near 0 log(1 + 2 sinh(u/2)^2), and far from it |u| + log((1 + exp(-2 |u|))/2)."""
    size = fn("abs", u)
    far = add(size, fn("softplus", mul(num(-2), size)), neg(fn("log", TWO)))
    half = fn("sinh", mul(HALF, fn("min", size, num(1))))
    return where(compare("<", size, num(1)), fn("log1p", mul(TWO, power(half, TWO))), far)


def short_differences(n: Add) -> Scalar:
    """1 - cos(u) = 2 sin(u/2)^2, u - log(1 + u), exp(u) - 1 - u, sqrt(a) - 1, log(a) - log(b) of what may be nearly equal."""
    for t in n.args:
        c, base = as_coefficient(t)
        made: Scalar | None = None
        other: Scalar | None = None
        cosine = next((f for f in factors_of(t) if isinstance(f, Fn) and f.name == "cos"), None)
        beside = mul(*(f for f in factors_of(t) if f is not cosine))
        if cosine is not None and isinstance(cosine, Fn) and neg(beside) in n.args:
            other = neg(beside)
            made = mul(num(-2), beside, power(fn("sin", mul(HALF, cosine.args[0])), TWO))
        elif isinstance(base, Fn) and base.name == "log1p" and mul(num(-c), base.args[0]) in n.args:
            other = mul(num(-c), base.args[0])
            made = mul(num(-c), fn("log_remainder", base.args[0], base))
        elif isinstance(base, Fn) and base.name == "expm1" and mul(num(-c), base.args[0]) in n.args:
            other = mul(num(-c), base.args[0])
            made = mul(num(c), fn("expm1_remainder", base.args[0]))
        elif isinstance(base, Pow) and base.exponent is HALF:
            one = next((x for x in n.args if isinstance(x, Num) and x.rational is not None and x.rational * c < 0), None)
            if one is not None and one.rational is not None and is_rational(base.base):
                other, r = one, -one.rational / c
                made = mul(num(c), fn("root_difference", base.base, num(r * r), short(sub(base.base, num(r * r)))))
        elif isinstance(base, Pow) and base.exponent is MINUS_ONE and len(n.args) == 2 and is_short(base.base):
            one = next((x for x in n.args if isinstance(x, Num)), None)  # 1/(1 + x) - 1 = -x/(1 + x)
            whole = as_quotient(n)
            if one is not None and not any(isinstance(f, Add) and f is not base.base for f in factors_of(whole)):
                return whole
        else:
            weight, a = weighted_logarithm(t)
            for u in n.args if a is not None and is_short(a) else ():
                against, b = weighted_logarithm(u)
                if against is neg(weight) and b is not None and is_short(b) and a is not None:
                    made, other = mul(weight, log_of_quotient(a, b)), u
                    break
        if made is not None and other in n.args:
            return add(made, *(u for u in n.args if u is not t and u is not other))
    return n


def weighted_logarithm(x: Scalar) -> tuple[Scalar, Scalar | None]:
    """w and a, where x is w log(a)."""
    logs = [f for f in factors_of(x) if isinstance(f, Fn) and f.name in ("log", "log1p")]
    if len(logs) != 1:
        return x, None
    (f,) = logs
    return mul(*(g for g in factors_of(x) if g is not f)), f.args[0] if f.name == "log" else add(num(1), f.args[0])


def is_short(x: Scalar) -> bool:
    """Whether x is rational and of few entries, none of which may be 0 by its domain: there 0 log 0 has its own form."""
    if isinstance(x, Num) or written_length(x) > 12 or not is_rational(x) or any(isinstance(y, Sum) for y in walk(x)):
        return False
    return all(isinstance(e.array, Var) and e.array.domain in ("real", "positive") for e in entries_of(x))


def exact_difference(n: Scalar) -> Scalar:
    """(a + b) - (c + d) of numbers as they are given, rounded once: none of the sums is rounded before."""
    if not isinstance(n, Add) or len(n.args) not in (3, 4):
        return n
    found = [as_coefficient(t) for t in n.args]
    plain = all(isinstance(e, Entry) and isinstance(e.array, Var) and not e.array.rank for _, e in found)
    exact = all(abs(c) in (1, 2, 4, Fraction(1, 2), Fraction(1, 4)) for c, _ in found)
    return fn(f"exact_sum_{len(n.args)}", *n.args) if plain and exact and sum(c for c, _ in found) == 0 else n


def log_of_quotient(a: Scalar, b: Scalar) -> Scalar:
    """log(a/b) = log(1 + (a - b)/b), where a is near b."""
    gap = kept_apart(exact_difference(short(difference(a, b))))
    near = compare("<", fn("abs", gap), mul(HALF, b))
    return where(near, fn("log1p", divide(gap, b)), sub(fn("log", a), fn("log", b)))


def scaled(n: Mul) -> Scalar:
    """exp(w) erfc(v) = exp(w - v^2) erfcx(v), exp(w) E1(v) = exp(w - v) (exp(v) E1(v)), and quotients of gammas."""
    apart = _over_gammas(n)
    if apart is not None:
        return add(*(scaled(t) if isinstance(t, Mul) else t for t in apart))
    powers = _of_powers(n)
    if isinstance(powers, Mul):
        return _ratio_of_gammas(powers) or powers
    turned = _inverse_mean(n) or _of_expm1(n) or powers or _over_erf_gap(n) or _with_exponential(n) or _upper_gamma(n)
    return turned or _ratio_of_gammas(n) or n


def _over_gammas(n: Mul) -> list[Scalar] | None:
    """The terms of gamma(a) (x/gamma(b) + y), in which the gammas meet."""
    if not any(map(_is_gamma, n.args)):
        return None
    for f in n.args:
        if isinstance(f, Add) and any(isinstance(g, Pow) and _is_gamma(g.base) for t in f.args for g in factors_of(t)):
            return [mul(t, *(g for g in n.args if g is not f)) for t in f.args]
    return None


def _of_powers(n: Mul) -> Scalar | None:
    """a^e/b^e by an exponent that is no number is (a/b)^e, where neither power may be one."""
    powers = [f for f in n.args if isinstance(f, Pow) and not isinstance(f.exponent, Num) and is_nonnegative_by_form(f.base)]
    for f in powers:
        for g in powers:
            if as_coefficient(f.exponent)[0] > 0 and g.exponent is neg(f.exponent):
                return mul(*(h for h in n.args if h is not f and h is not g), power(divide(f.base, g.base), f.exponent))
    return None


def _inverse_mean(n: Mul) -> Scalar | None:
    """exp(u) 2F1(1, b; b + 1; -exp(u)), b > 1, as the mean of 1/(t + exp(-u)) for a beta(b, 1) variable t; DLMF 15.6.1."""
    for f in n.args:
        if not isinstance(f, Fn) or f.name != "hyp2f1_rest" or f.args[0] is not ONE:
            continue
        _, b, c, rest = f.args
        w = as_entry_of(sub(rest, ONE))
        if w in n.args and isinstance(w, Fn) and w.name == "exp" and short(sub(c, b)) is ONE:
            if is_nonnegative_by_form(short(sub(b, ONE))):
                return mul(*(g for g in n.args if g is not f and g is not w), fn("inverse_mean", b, w.args[0]))
    return None


def _of_expm1(n: Mul) -> Scalar | None:
    """exp(u)/(exp(u) - 1) = -1/(exp(-u) - 1)."""
    for f in n.args:
        base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ZERO)
        if not isinstance(base, Fn) or base.name != "expm1" or not isinstance(e, Num) or e.rational is None or e.rational >= 0:
            continue
        w = next((g for g in n.args if _is_exponential(g, base.args[0])), None)
        if w is not None:
            rest = [g for g in n.args if g is not f and g is not w]
            return mul(num(-1), *rest, power(base, add(e, num(1))), power(fn("expm1", neg(base.args[0])), MINUS_ONE))
    return None


def _is_exponential(x: Scalar, u: Scalar) -> bool:
    """Whether x is exp(u), or (a/b)^e for u = e log(a/b)."""
    if isinstance(x, Fn):
        return x.name == "exp" and x.args[0] is u
    ratio = next((f for f in factors_of(u) if isinstance(f, Fn) and f.name == "log_ratio"), None)
    if not isinstance(x, Pow) or ratio is None:
        return False
    return mul(*(f for f in factors_of(u) if f is not ratio)) is x.exponent and divide(ratio.args[0], ratio.args[1]) is x.base


def _over_erf_gap(n: Mul) -> Scalar | None:
    """exp(w)/(erf(a) - erf(b)), and sums of such over it, by the logarithm of what is below."""
    for f in n.args:
        if not isinstance(f, Pow) or not isinstance(f.exponent, Num) or f.exponent.rational is None:
            continue
        log_of, e = log_of_half_erf_gap(f.base), f.exponent.rational
        if log_of is None or e.denominator != 1 or e >= 0:
            continue
        out = mul(power(num(2), num(e)), power(fn("sign", sub(*f.base.args)), num(-e)) if e.numerator % 2 else num(1))
        exponentials = [g for g in n.args if isinstance(g, Fn) and g.name == "exp"]
        leading = add(*(g.args[0] for g in exponentials))
        for g in n.args:
            base, k = (g.base, g.exponent) if isinstance(g, Pow) and g.exponent is num(-e) else (g, num(1))
            terms = with_exponents(base) if g is not f and g not in exponentials else None
            if terms is not None and (k is num(1) or not exponentials):
                below = sub(log_of if k is not num(1) else mul(num(-e), log_of), leading)
                above = add(*(mul(c, fn("exp", sub(u, below))) for c, u in terms))
                return mul(out, *(h for h in n.args if h is not f and h is not g and h not in exponentials), power(above, k))
        if exponentials:
            rest = (h for h in n.args if h is not f and h not in exponentials)
            return mul(out, *rest, fn("exp", add(leading, mul(num(e), log_of))))
    return None


def _with_exponential(n: Mul) -> Scalar | None:
    w = next((f for f in n.args if isinstance(f, Fn) and f.name == "exp"), None)
    if w is None:
        return None
    for f in n.args:
        base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, num(1))
        if not isinstance(base, Fn) or base.name not in ("erfc", "E1") or not isinstance(e, Num) or e.rational is None:
            continue
        v = base.args[0]
        leading = mul(e, v if base.name == "E1" else power(v, TWO))
        if written_length(w) + written_length(leading) > LONGEST:
            continue
        left = short(sub(w.args[0], leading))
        square = any(isinstance(g, Pow) and g.exponent is TWO and isinstance(g.base, Add) for g in factors_of(left))
        if left is ZERO or square or written_length(left) < written_length(w.args[0]):
            name = "erfcx" if base.name == "erfc" else "E1_scaled"
            return mul(*(g for g in n.args if g is not f and g is not w), fn("exp", left), power(fn(name, v), e))
    return None


def _upper_gamma(n: Mul) -> Scalar | None:
    """exp(w) gamma(s) Q(s, z) = exp(w - z) z^s U(1, s + 1, z), a number where Q(s, z) is 0; DLMF 13.6.6."""
    w = next((f for f in n.args if isinstance(f, Fn) and f.name == "exp"), None)
    tail = next((f for f in n.args if isinstance(f, Fn) and f.name == "igammac"), None)
    if w is None or tail is None or fn("gamma", tail.args[0]) not in n.args:
        return None
    s, z = tail.args
    left = short(sub(w.args[0], z))
    if left is not ZERO and written_length(left) >= written_length(w.args[0]):
        return None
    powers = [f for f in n.args if isinstance(f, Pow) and f.base is z]
    rest = [f for f in n.args if f not in (w, tail, fn("gamma", s), *powers)]
    exponent = short(add(s, *(f.exponent for f in powers)))
    far = mul(fn("exp", left), power(z, exponent), fn("hyperu", ONE, add(s, ONE), z))
    plain = mul(*(f for f in n.args if f not in rest))
    return mul(*rest, where(compare("<", z, s), plain, far))


def _ratio_of_gammas(n: Mul) -> Scalar | None:
    """gamma(a)^e/gamma(b)^e, which is a number where neither is."""
    powers = [(f, f.base, f.exponent) if isinstance(f, Pow) else (f, f, num(1)) for f in n.args]
    gammas = [(f, base, e.rational) for f, base, e in powers if _is_gamma(base) and isinstance(e, Num) and e.rational]
    made: list[Scalar] = []
    used: list[Scalar] = []
    for f, a, e in gammas:
        for g, b, d in gammas:
            if f in used or g in used or e is None or d is None or e <= 0 or e != -d:
                continue
            made.append(power(fn("gamma_ratio", a.args[0], b.args[0], short(sub(a.args[0], b.args[0]))), num(e)))
            used += [f, g]
    return mul(*(f for f in n.args if f not in used), *made) if made else None


def _is_gamma(x: Scalar) -> bool:
    return isinstance(x, Fn) and x.name == "gamma"
