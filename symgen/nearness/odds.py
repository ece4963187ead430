"""Divergences of laws whose odds are those of a uniform draw, where the laws are near each other.

Of logistic laws, and of log-logistic laws of one shape, the ratio of the odds is one number exp(w), and the mean of the
logarithm of 1 + odds is w exp(w)/(exp(w) - 1) = 1 + w/2 + K(w), where
    K(w) = w/2 coth(w/2) - 1 = half the integral over z from 0 to 1 of log(1 + (1 - z^2) sinh(w/2)^2),
a sum of positive terms of the size of w^2, from which nothing is taken away. The variance of a LogUniform on a .. b is
K(log(b/a)) times the square of its mean.
"""

from __future__ import annotations

from fractions import Fraction

from symgen.algebra.collect import written_length
from symgen.calculus.segment import PLACES, WEIGHTS, listed
from symgen.codegen.stable_differences import factors_of, kept_apart, terms_of
from symgen.codegen.stable_pool import Pool, is_nonnegative_by_form, multiplied, positive_factors, short
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Compare,
    Entry,
    Fn,
    Pow,
    Scalar,
    Where,
    add,
    as_coefficient,
    compare,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    power,
    sub,
    tensor,
    total,
    walk,
    where,
)  # fmt: skip

__all__ = ["by_odds"]

NEAR = ONE  # the nodes are exact below, and the closed form loses one digit above


def by_odds(array: Array) -> Array:
    """The scalar with the means of logarithms of 1 + odds by K(w), where that leaves less beside it."""
    if array.rank:
        return array
    spread = _of_log_uniform(open_tensor(array, ()))
    if spread is not None:
        return tensor((), spread)
    if not any(isinstance(n, Where) for n in walk(array)):
        return array
    terms = [t for u in terms_of(open_tensor(array, ())) for t in multiplied(u)]
    out: list[Scalar] = []
    plain: list[Scalar] = []
    for t in terms:
        piece = next((f for f in factors_of(t) if isinstance(f, Where)), None)
        found = None if piece is None else _mean(piece)
        if piece is None or found is None:
            plain.append(t)
            continue
        c = mul(*(f for f in factors_of(t) if f is not piece))
        w, turn = found
        out.append(mul(c, _remainder(w)))
        plain += [c, *(mul(c, turn, HALF, u) for u in terms_of(_opened(w)))]
    if not out:
        return array
    left = _collected(plain)
    before = add(*(t for t in terms if not any(isinstance(f, Where) for f in factors_of(t))))
    shorter = left is ZERO or written_length(left) < written_length(before)
    return tensor((), add(*out, left)) if shorter else array


def _of_log_uniform(x: Scalar) -> Scalar | None:
    """(b^2 - a^2)/(2 log(b/a)) - (b - a)^2/log(b/a)^2 as ((b - a)/log(b/a))^2 K(log(b/a)): the variance of a LogUniform."""
    if not isinstance(x, Add) or len(x.args) != 2:
        return None
    logs = [f.base for t in x.args for f in factors_of(t) if isinstance(f, Pow) and as_coefficient(f.exponent)[0] == -2]
    for log in logs:
        if not isinstance(log, Fn) or log.name not in ("log", "log1p"):
            continue
        found = {e: b for b, e in positive_factors(log.args[0] if log.name == "log" else add(ONE, log.args[0]))}
        a, b = found.get(MINUS_ONE, ONE), found.get(ONE)
        if b is None or found.keys() - {ONE, MINUS_ONE}:
            continue
        twice = divide(sub(power(b, TWO), power(a, TWO)), mul(TWO, log))
        if short(sub(x, sub(twice, power(divide(sub(b, a), log), TWO)))) is not ZERO:
            continue
        w = sub(fn("log", b), fn("log", a))
        return mul(power(divide(kept_apart(sub(b, a)), w), TWO), _remainder(w))
    return None


def _mean(piece: Scalar) -> tuple[Scalar, Scalar] | None:
    """w and s = 1 or -1 with where(exp(w) == 1, 1, x) = 1 + s w/2 + K(w): x is w exp(w)/(exp(w) - 1), or w/(exp(w) - 1)."""
    condition, one, x = piece.args
    if one is not ONE or not isinstance(condition, Compare) or condition.op != "==" or not isinstance(x, Scalar):
        return None
    for f in factors_of(x):
        if not (isinstance(f, Pow) and f.exponent is MINUS_ONE and isinstance(f.base, Add) and len(f.base.args) == 2):
            continue
        sign = ONE if MINUS_ONE in f.base.args else MINUS_ONE
        ratio = mul(sign, add(f.base, sign))
        w = _logarithm(ratio) if neg(sign) in f.base.args else None
        if w is None or not _is_where_equal(condition, ratio, w):
            continue
        above = mul(sign, *(g for g in factors_of(x) if g is not f))
        for turn, factor in ((ONE, ratio), (MINUS_ONE, ONE)):
            if short(sub(_opened(divide(above, factor)), _opened(w))) is ZERO:
                return w, turn
    return None


def _logarithm(x: Scalar) -> Scalar | None:
    """w with x = exp(w), differences of logarithms kept; None where x is not positive by its form."""
    exponents: list[Scalar] = []
    logs: list[tuple[Scalar, Scalar]] = []
    for b, e in positive_factors(x):
        if isinstance(b, Fn) and b.name == "exp":
            exponents.append(mul(e, b.args[0]))
        elif is_nonnegative_by_form(b):
            logs.append((b, e))
        else:
            return None
    while logs:
        b, e = logs.pop()
        other = next((k for k, (_, d) in enumerate(logs) if add(d, e) is ZERO), None)
        exponents.append(mul(e, fn("log", b) if other is None else sub(fn("log", b), fn("log", logs.pop(other)[0]))))
    return add(*exponents)


def _is_where_equal(condition: Compare, ratio: Scalar, w: Scalar) -> bool:
    """Whether the condition says that w is 0."""
    x, y = condition.args
    if {x, y} == {ONE, ratio}:
        return True
    return any(isinstance(a, Entry) and short(replace_scalars(w, {a: b})) is ZERO for a, b in ((x, y), (y, x)))


def _opened(x: Scalar) -> Scalar:
    """The terms of x, products with sums multiplied out."""
    return add(*(u for t in terms_of(x) for u in multiplied(t)))


def _collected(terms: list[Scalar]) -> Scalar:
    pool = Pool()
    for t in terms:
        pool.put(t)
    pool.tidy()
    logs = [mul(c, fn("log", b)) for b, c in pool.logs.items()]
    others = [mul(c, fn(name, b)) for name, table in (("lgamma", pool.gammas), ("digamma", pool.psis)) for b, c in table.items()]
    return add(*logs, *others, *pool.small, short(add(*pool.rest)))


def _difference(w: Scalar) -> Scalar:
    """c x - c y as c (x - y): the difference of what is near comes first."""
    if isinstance(w, Add) and len(w.args) == 2:
        (c, x), (d, y) = (as_coefficient(t) for t in w.args)
        if c == -d:
            return mul(num(c), kept_apart(sub(x, y)))
    return w


def _remainder(w: Scalar) -> Scalar:
    """K(w)."""
    w = _difference(w)
    j = fresh_index(num(len(PLACES)))
    room = [4 * t * (1 - t) for t in PLACES]  # 1 - z^2 at the nodes on -1 .. 1
    square = power(fn("sinh", mul(HALF, w)), TWO)
    terms = fn("log1p", mul(entry(listed(room), j), square))
    near = total(mul(HALF, entry(listed(WEIGHTS), j), terms), [j])
    size = fn("abs", w)
    falls = fn("exp", neg(size))
    far = add(mul(HALF, size), num(Fraction(-1)), mul(size, falls, power(sub(ONE, falls), MINUS_ONE)))
    return where(compare("<", size, NEAR), near, far)
