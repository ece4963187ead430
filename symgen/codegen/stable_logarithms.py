"""Logarithms that nearly cancel, paired: c log x - c log y, means with their references, quotients near 1."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product
from math import gcd, lcm

from symgen.codegen.stable_differences import Pair, by_differences, difference, factors_of, kept_apart, terms_of
from symgen.codegen.stable_pool import Pool, entries_of, into, short
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Num,
    Scalar,
    Var,
    add,
    compare,
    divide,
    fn,
    mul,
    num,
    power,
    sub,
    where,
)  # fmt: skip


def opposite(logs: dict[Scalar, Scalar], known: Sequence[Pair]) -> list[tuple[Scalar, Scalar, Scalar]]:
    """x, y, c of c log x - c log y; pairs that are known go first."""
    out: list[tuple[Scalar, Scalar, Scalar]] = []
    used: set[Scalar] = set()
    both = list(combinations([b for b in logs if not isinstance(b, Num)], 2))
    both.sort(key=lambda p: p not in known and p[::-1] not in known)
    for x, y in both:
        c, d = logs[x], logs[y]
        if x in used or y in used or not _same_kind(x, y) or short(add(c, d)) is not ZERO:
            continue
        # of the two ways to read a pair, the one whose coefficient is positive, or the base itself
        flipped = d is y or (c is not x and _negative(c) and not _negative(d))
        out.append((y, x, d) if flipped else (x, y, c))
        used.update((x, y))
    return out


def products(pool: Pool, out: list[Scalar], pairs: Sequence[Pair]) -> bool:
    """c log(x y) - c log(u v): all logarithms by one coefficient c, or each by one of a few whose sum is that of the
    rest, as remainders of quotients. Whether nothing but remainders is left."""
    plain = [c for b, c in pool.logs.items() if isinstance(b, Entry) and any(short(add(c, d)) is ZERO for d in pool.logs.values())]
    units = [c for k, c in enumerate(plain) if not _negative(c) and not any(short(sub(c, d)) is ZERO for d in plain[:k])]
    above: dict[Scalar, list[Scalar]] = {c: [] for c in units}
    below: dict[Scalar, list[Scalar]] = {c: [] for c in units}
    for b, c in pool.logs.items():
        for side, sign in ((above, ONE), (below, MINUS_ONE)):
            of = [u for u in units if short(sub(c, mul(sign, u))) is ZERO]
            of = of or (units if units and short(sub(c, mul(sign, add(*units)))) is ZERO else [])
            for u in of:
                side[u].append(b)
            if of:
                break
        else:
            return False
    made, rest = [], list(pool.rest)
    for c in units:
        if len(above[c]) != len(below[c]) or len(above[c]) > 2:
            return False
        x, y = mul(*above[c]), mul(*below[c])
        found = by_differences(sub(y, x), pairs, 1)
        if found is None:
            return False
        parts = [divide(t, x) for t in terms_of(found[0])]
        u = add(*parts)
        if len(parts) > 1:  # of two large parts that nearly cancel, the quotient tells more
            quotient = mul(*(kept_apart(divide(b, a)) for a, b in zip(above[c], below[c], strict=True)))
            u = where(compare("<", fn("abs", parts[0]), HALF), u, sub(quotient, ONE))
        logs = (fn("log", b) for b in below[c]), (fn("log", b) for b in above[c])
        made.append(mul(c, fn("log_remainder", u, sub(add(*logs[0]), add(*logs[1])))))
        rest.append(mul(MINUS_ONE, c, sub(divide(y, x), ONE)))
    if not units or short(add(*rest)) is not ZERO:
        return False
    out.extend(made)
    return True


def _same_kind(x: Scalar, y: Scalar) -> bool:
    """Whether x and y may be nearly equal: entries at one place, or sums like each other."""
    if isinstance(x, Entry) and isinstance(y, Entry):
        return x.indices == y.indices
    return isinstance(x, Add) == isinstance(y, Add)


def _negative(c: Scalar) -> bool:
    first = factors_of(c)[0]
    return isinstance(first, Num) and first.rational is not None and first.rational < 0


def references(pool: Pool, out: list[Scalar], pairs: list[Pair]) -> None:
    """a log x + b log y - (a + b) log m is a log(x/m) + b log(y/m), for m the mean of x and y."""
    for m in sorted(pool.logs, key=lambda b: not isinstance(b, Add)):
        if m not in pool.logs:
            continue
        c = pool.logs[m]
        for x, y in combinations([b for b in pool.logs if b is not m], 2):
            if short(add(pool.logs[x], pool.logs[y], c)) is not ZERO:
                continue
            twice = short(sub(add(x, y), m)) is ZERO
            if not twice and short(sub(add(x, y), mul(TWO, m))) is not ZERO:
                continue
            mean = mul(HALF, m) if twice else m
            if twice:  # log(x + y) = log(mean) + log(2)
                into(pool.logs, TWO, c)
            half = short(mul(HALF, difference(y, x)))
            for b, d in ((x, half), (y, mul(MINUS_ONE, half))):
                scale = pool.logs.pop(b)
                ratio = short(divide(scale, b))
                if isinstance(ratio, Num):
                    out.append(mul(ratio, fn("kl_term", b, mean, kept_apart(d))))
                    pool.rest.append(mul(MINUS_ONE, ratio, d))
                else:
                    u = divide(mul(MINUS_ONE, d), mean)
                    out.append(mul(MINUS_ONE, scale, fn("log_remainder", u, sub(fn("log", b), fn("log", mean)))))
                    pool.rest.append(mul(scale, u))
            del pool.logs[m]
            pairs.append((x, y))
            break
        if m in pool.logs:
            weighted_mean(pool, m, out, pairs)
    pool.tidy()


def weighted_mean(pool: Pool, m: Scalar, out: list[Scalar], pairs: list[Pair]) -> None:
    """a log x + b log y - (a + b) log m, where m is (a x + b y)/(a + b), or so of their squares: what is of first order
    in x - y cancels."""
    c = pool.logs[m]
    for (x, y), e in product(combinations([b for b in pool.logs if b is not m and isinstance(b, Entry)], 2), (1, 2)):
        a, b = (short(divide(pool.logs[v], num(e))) for v in (x, y))
        if short(add(a, b, c)) is not ZERO:
            continue
        X, Y = power(x, num(e)), power(y, num(e))
        ratio = short(divide(mul(MINUS_ONE, c, m), add(mul(a, X), mul(b, Y))))
        if not isinstance(ratio, Num) or ratio.rational is None or ratio.rational <= 0:
            continue
        into(pool.logs, ratio, c)  # log(k mean) = log(mean) + log(k)
        mean = short(divide(m, ratio))
        shift = difference(y, x) if e == 1 else mul(kept_apart(difference(y, x)), kept_apart(add(y, x)))
        for v, scale, other, sign in ((X, a, b, ONE), (Y, b, a, MINUS_ONE)):  # x - m = (x - y) b/(a + b)
            u = divide(mul(sign, short(divide(other, c)), shift), mean)
            out.append(mul(MINUS_ONE, scale, fn("log_remainder", u, sub(fn("log", v), fn("log", mean)))))
        del pool.logs[x], pool.logs[y], pool.logs[m]
        pairs.append((x, y))
        return


def quotients(pool: Pool, out: list[Scalar], order: int) -> None:
    """g log(N/D) = g log1p((N - D)/D) of logarithms with numbers as coefficients, where N - D is of second order."""
    chosen = {b: c for b, c in pool.logs.items() if isinstance(c, Num) and c.rational is not None}
    if len(chosen) < 2:
        return
    numbers = [c.rational for c in chosen.values() if c.rational is not None]
    unit = Fraction(gcd(*(c.numerator for c in numbers)), lcm(*(c.denominator for c in numbers)))
    powers = {b: int(c.rational / unit) for b, c in chosen.items()}  # type: ignore[union-attr, operator]
    if max(map(abs, powers.values())) > 6:
        return
    top = mul(*(power(b, num(k)) for b, k in powers.items() if k > 0))
    bottom = mul(*(power(b, num(-k)) for b, k in powers.items() if k < 0))
    found = by_differences(sub(top, bottom), [], order)
    if found is None:
        return
    for b in chosen:
        del pool.logs[b]
    if found[0] is not ZERO:
        out.append(mul(num(unit), fn("log1p", divide(found[0], bottom))))


def relative(x: Scalar, y: Scalar, e: int) -> Scalar:
    """(y/x)^e - 1, the difference formed first."""
    if e == -1:
        return divide(difference(x, y), y)
    if e == 2:
        return mul(kept_apart(divide(difference(y, x), x)), kept_apart(divide(add(y, x), x)))
    return divide(difference(y, x), x)


def log_ratio(x: Scalar, y: Scalar, e: int) -> Scalar:
    """log of (y/x)^e, for y far from x."""
    apart = [mul(num(s), fn("log", b)) for s, b in ((e, y), (-e, x)) if b is not ONE]
    return add(*apart)


def may_near_one(b: Scalar, pool: Pool) -> bool:
    """Whether b is a parameter that is compared with 1: no other parameter of its kind stands in the sum."""
    if not (isinstance(b, Entry) and isinstance(b.array, Var) and b.array.domain in ("positive", "nonnegative")):
        return False
    others = {e for t in pool.rest for e in entries_of(t)} - {b}
    return not any(isinstance(e.array, Var) and e.array.domain == b.array.domain for e in others)
