"""Gamma functions that nearly cancel: lgamma(y) - lgamma(x) - (y - x) digamma(x), and means of two."""

from __future__ import annotations

from itertools import combinations

from symgen.codegen.stable_differences import Pair, by_differences, difference, factors_of, kept_apart, terms_of
from symgen.codegen.stable_pool import Pool, entries_of, into, of_entries, positive_factors, short
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Fn,
    Num,
    Scalar,
    Sum,
    Tensor,
    add,
    as_coefficient,
    compare,
    divide,
    fn,
    mul,
    num,
    open_sum,
    open_tensor,
    sub,
    substitute,
    total,
    where,
)  # fmt: skip


def gamma_pairs(pool: Pool, out: list[Scalar], pairs: list[Pair], order: int, stirling: bool = False) -> None:
    """c (lgamma(y) - lgamma(x) - (y - x) digamma(x)); lgamma(1) = 0 may be missing. `stirling`: what is left of it beyond
    c (y log(y/x) - (y - x)), which goes to the logarithms."""
    for r in [r for r in pool.gammas if isinstance(r, Add) and ONE in r.args]:  # lgamma(1 + r) = lgamma(r) + log(r)
        rest = sub(r, ONE)
        if order == 2 and not any(p in pool.psis for p in pool.gammas if p is not ONE):
            c = pool.gammas.pop(r)
            into(pool.gammas, rest, c)
            for b, e in positive_factors(rest):
                into(pool.logs, b, mul(e, c))
        elif order == 1:
            c = pool.gammas.pop(r)
            d = _less_one(rest)
            out.append(mul(c, add(fn("lgamma_remainder", TWO, r, d), mul(d, fn("digamma", TWO)))))
    gamma_means(pool, out, pairs)
    found: list[tuple[Scalar, Scalar, Scalar]] = []
    for x, d in list(pool.psis.items()):
        for y, c in list(pool.gammas.items()):
            if y is x or (x is not ONE and (x not in pool.gammas or short(add(pool.gammas[x], c)) is not ZERO)):
                continue
            if short(add(d, mul(c, sub(opened(y), opened(x))))) is not ZERO:
                continue
            found.append((x, y, c))
            del pool.psis[x], pool.gammas[y]
            pool.gammas.pop(x, None)
            break
        else:
            c = mul(MINUS_ONE, pool.gammas.get(x, ZERO))
            end = short(sub(opened(x), divide(d, c))) if c is not ZERO else ZERO
            if end is ONE or end is TWO:  # where lgamma is 0
                found.append((x, end, c))
                del pool.psis[x], pool.gammas[x]
    small = [difference(y, x) for x, y, _ in found if len(terms_of(difference(y, x))) == 2]
    for x, y, c in found:
        d = _joined(difference(opened(y), opened(x))) if x is not ONE else _less_one(y)
        if len(terms_of(d)) > 2:  # (a2 + b2) - (a1 + b1) is (a2 - a1) + (b2 - b1)
            parts = [s for s in small if all(t in terms_of(d) for t in terms_of(s) if not isinstance(t, Num))]
            if add(*parts) is d:
                d = add(*(kept_apart(p) for p in parts))
        if stirling and x is not ONE:
            out.append(mul(c, fn("stirling_remainder", x, y, d)))
            for b, e in ((opened(y), c), (opened(x), mul(MINUS_ONE, c))):
                for base, k in positive_factors(b):
                    into(pool.logs, base, mul(e, k, opened(y)))
            pool.rest.append(mul(c, difference(opened(x), opened(y))))
        else:
            out.append(mul(c, fn("lgamma_remainder", x, y, d)))
        if isinstance(x, Entry) and isinstance(y, Entry):
            pairs.append((x, y))


def gamma_means(pool: Pool, out: list[Scalar], pairs: list[Pair]) -> None:
    """a lgamma(x) + b lgamma(y) - (a + b) lgamma(m) for m the mean of x and y with the weights a and b: the remainders to
    both sides of m."""
    for m in sorted(pool.gammas, key=lambda g: len(entries_of(g))):  # sums last: their differences are of known pairs
        if m not in pool.gammas:
            continue
        c = pool.gammas[m]
        for x, y in combinations([b for b in pool.gammas if b is not m], 2):
            a, b = pool.gammas[x], pool.gammas[y]
            if short(add(a, b, c)) is not ZERO or short(add(mul(a, x), mul(b, y), mul(c, m))) is not ZERO:
                continue
            apart = short(difference(y, x))
            plain = not isinstance(apart, Add) and not any(isinstance(f, Add) for f in factors_of(apart))
            shift = apart if plain else _by_parts(difference(y, x), pairs)
            del pool.gammas[x], pool.gammas[y], pool.gammas[m]
            for end, scale, other, sign in ((x, a, b, ONE), (y, b, a, MINUS_ONE)):  # x - m = (x - y) b/(a + b)
                out.append(mul(scale, fn("lgamma_remainder", m, end, mul(sign, short(divide(other, c)), shift))))
            pairs.extend(of_entries(x, y))
            break


def near_flat(near: Scalar, far: Scalar) -> Scalar:
    """Remainders to 1 less one to 2, where nothing is large, and the form for large shapes elsewhere."""
    terms = [as_coefficient(t)[1] for t in terms_of(near)]
    gaps = [f for f in terms if isinstance(f, Fn) and f.name == "lgamma_remainder"]
    twos = [f.args[0] for f in gaps if f.args[1] is TWO]
    mixed = len(twos) == 1 and any(f.args[1] is ONE for f in gaps)
    return where(compare("<", twos[0], num(4)), near, far) if mixed else near


def opened(x: Scalar) -> Scalar:
    """The definition of a named sum: sum(alpha)."""
    if isinstance(x, Entry) and isinstance(x.array, Tensor):
        return open_tensor(x.array, x.indices)
    return x


def _by_parts(d: Scalar, pairs: list[Pair]) -> Scalar:
    """(a2 + b2) - (a1 + b1) as (a2 - a1) + (b2 - b1); the pairs that were found are kept."""
    made = by_differences(d, pairs, 1)
    if made is None:
        return d
    pairs.extend(p for p in made[1] if p not in pairs and p[::-1] not in pairs and not isinstance(p[1], Num))
    return made[0]


def _joined(d: Scalar) -> Scalar:
    """sum(a) - sum(b) is sum(a - b)."""
    terms = terms_of(d)
    if len(terms) != 2:
        return d
    (c, a), (e, b) = (as_coefficient(t) for t in terms)
    if not (isinstance(a, Sum) and isinstance(b, Sum)) or [i.size for i in a.indices] != [i.size for i in b.indices]:
        return d
    body, indices = open_sum(a)
    other = substitute(b.body, dict(zip(b.indices, indices, strict=True)))
    return total(kept_apart(add(mul(num(c), body), mul(num(e), other))), indices)


def _less_one(r: Scalar) -> Scalar:
    """r - 1 of a quotient: a/b - 1 is (a - b)/b."""
    made = by_differences(sub(r, ONE), [], 1)
    return made[0] if made is not None else sub(r, ONE)
