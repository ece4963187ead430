"""Entropies and variances of laws of large shapes: what is left of gamma functions beyond the leading terms of Stirling's
formula, and differences of two exponentials, each as one product."""

from __future__ import annotations

from dataclasses import dataclass, field

from symgen.algebra.collect import written_length
from symgen.codegen.stable_differences import factors_of, terms_of
from symgen.codegen.stable_gammas import gamma_means, opened
from symgen.codegen.stable_pool import Pool, expanded, into, is_nonnegative_by_form, positive_factors, short, whole
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Fn,
    Index,
    Mul,
    Num,
    Pow,
    Scalar,
    Sum,
    add,
    fn,
    mul,
    open_sum,
    power,
    sub,
    substitute,
    total,
)  # fmt: skip

__all__ = ["beyond_leading_terms", "difference_of_powers"]

MAX_LENGTH = 200
GAMMAS = ("lgamma", "lbeta", "digamma")
ALONE: tuple[Index, ...] = ()


@dataclass
class _Part:
    """What is summed over some indices: gammas in a pool, and the rest."""

    pool: Pool = field(default_factory=Pool)
    rest: list[Scalar] = field(default_factory=list)


def beyond_leading_terms(n: Add) -> Scalar:
    """c lgamma(x) + d digamma(x), where c x + d is of lower degree than d: lgamma(x) is x log(x) - x and a rest, digamma(x)
    is log(x) and a rest; what is large cancels by its form."""
    names = {f.name for f in _functions(n)}
    if "digamma" not in names or not names & {"lgamma", "lbeta"} or written_length(n) > MAX_LENGTH:
        return n
    parts = {ALONE: _Part()}
    for t in n.args:
        _sort(t, parts)
    changed = False
    for part in parts.values():
        pool = part.pool
        for x, d in list(pool.psis.items()):
            same = x if x in pool.gammas else next((y for y in pool.gammas if short(sub(x, y)) is ZERO), x)
            if same is not x:
                into(pool.psis, same, pool.psis.pop(x))
                x, d = same, pool.psis[same]
            c = pool.gammas.get(x, ZERO)
            inside = opened(x)
            left = short(add(d, mul(c, inside)))
            if c is ZERO or isinstance(x, Num) or written_length(left) >= written_length(short(d)):
                continue
            del pool.psis[x], pool.gammas[x]
            part.rest += [mul(c, fn("lgamma_rest", x)), mul(d, fn("digamma_rest", x))]
            part.rest += [mul(left, fn("log", x)), mul(MINUS_ONE, c, inside)]
            changed = True
    if not changed:
        return n
    made: list[Scalar] = []
    for key, part in parts.items():
        tables = (("lgamma", part.pool.gammas), ("digamma", part.pool.psis))
        terms = [*part.rest, *(mul(c, fn(name, x)) for name, table in tables for x, c in table.items())]
        plain = [t for t in terms if not _functions(t)]
        made += [total(t, list(key)) for t in terms if _functions(t)]
        made += [total(t, list(key)) for t in terms_of(short(add(*plain)))]
    found = add(*made)
    logs = Pool()
    rest = [t for t in terms_of(found) if not _is_logarithm(t)]
    for t in terms_of(found):
        if _is_logarithm(t):
            logs.put(t)
    logs.tidy()
    rest += [short(add(*logs.rest)), *logs.small]
    return add(*rest, *(mul(c, fn("log", b)) for b, c in logs.logs.items()))


def _is_logarithm(t: Scalar) -> bool:
    names = [f.name for f in factors_of(t) if isinstance(f, Fn)]
    return names == ["log"] or not _functions(t) and not any(isinstance(f, Sum) for f in factors_of(t))


def _functions(x: Scalar) -> list[Fn]:
    out: list[Fn] = []
    stack: list[Scalar] = [x]
    while stack:
        y = stack.pop()
        if isinstance(y, Fn):
            out.append(y)
        elif isinstance(y, (Add, Mul, Pow, Sum)):
            stack.extend(a for a in y.args if a.is_scalar_node)
    return out


def _sort(t: Scalar, parts: dict[tuple[Index, ...], _Part]) -> None:
    """A term among the parts, with products multiplied out; what does not hang on its index goes outside."""
    key = ALONE
    sums = [f for f in factors_of(t) if isinstance(f, Sum)]
    if len(sums) == 1 and len(sums[0].indices) == 1:
        body, (i,) = open_sum(sums[0])
        key = next((k for k in parts if k and k[0].size is i.size), (i,))
        t = mul(substitute(body, {i: key[0]}), *(f for f in factors_of(t) if f is not sums[0]))
    part = parts.setdefault(key, _Part())
    for u in expanded(t):
        special = [f for f in factors_of(u) if isinstance(f, Fn) and f.name in GAMMAS]
        if len(special) != 1:
            part.rest.append(u)
            continue
        c = mul(*(g for g in factors_of(u) if g is not special[0]))
        if key and special[0].free.isdisjoint(key):
            parts[ALONE].pool.one(special[0], total(c, list(key)))
        else:
            part.pool.one(special[0], c)


# --- differences of exponentials ----------------------------------------------------------------------------------------


def difference_of_powers(n: Add) -> Scalar:
    """c exp(v) - c exp(w) = c exp(w) (exp(v - w) - 1) for products of gammas, where v - w is a sum of remainders."""
    if len(n.args) != 2 or not any(f.name in ("gamma", "gamma_ratio") for f in _functions(n)):
        return n
    for t, u in (n.args, n.args[::-1]):
        sign, logs = _logarithm(mul(MINUS_ONE, t)), _logarithm(u)
        if sign is None or logs is None:
            continue
        pool = Pool()
        for b, c in (*sign.items(), *((b, mul(MINUS_ONE, c)) for b, c in logs.items())):
            if isinstance(b, Fn):
                into(pool.gammas, b.args[0], c)
            else:
                into(pool.logs, b, c)
        pool.tidy()
        made = _near_zero(pool)
        if made is not None:
            return mul(MINUS_ONE, u, fn("expm1", made))
    return n


def _logarithm(t: Scalar) -> dict[Scalar, Scalar] | None:
    """The logarithm of a positive product: of each base its coefficient, gamma(x) as it is."""
    out: dict[Scalar, Scalar] = {}
    for f in factors_of(t):
        base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
        if isinstance(base, Num) and (base.rational is None or base.rational <= 0):
            return None
        if isinstance(base, Fn) and base.name == "gamma":
            into(out, base, e)
        elif isinstance(base, Fn) and base.name == "gamma_ratio":
            into(out, fn("gamma", base.args[0]), e)
            into(out, fn("gamma", base.args[1]), mul(MINUS_ONE, e))
        elif is_nonnegative_by_form(base):
            for b, k in positive_factors(base):
                into(out, b, mul(e, k))
        else:
            return None
    return out


def _near_zero(pool: Pool) -> Scalar | None:
    """A sum of logarithms and lgammas in remainders: of means, around 1, and of arguments apart by a number."""
    out: list[Scalar] = []
    gamma_means(pool, out, [])
    around = [x for x in pool.gammas if isinstance(x, Add) and ONE in x.args]
    if around and len(around) == len(pool.gammas) and not pool.logs:
        apart = {x: sub(x, ONE) for x in around}
        if short(add(*(mul(pool.gammas[x], d) for x, d in apart.items()))) is ZERO:
            return add(*out, *(mul(pool.gammas[x], fn("lgamma_remainder", ONE, x, d)) for x, d in apart.items()))
    for x, c in list(pool.gammas.items()):
        for y in list(pool.gammas):
            d = short(sub(y, x))
            if y not in pool.gammas or x not in pool.gammas or y is x or not isinstance(d, Num):
                continue
            if d.rational is None or d.rational <= 0 or short(add(c, pool.gammas[y])) is not ZERO:
                continue
            c = pool.gammas.pop(y)  # lgamma(y) - lgamma(x) = d (log(x) + a rest) + the remainder
            del pool.gammas[x]
            out += [mul(c, fn("lgamma_remainder", x, y, d)), mul(c, d, fn("digamma_rest", x))]
            for b, k in positive_factors(x):
                into(pool.logs, b, mul(c, d, k))
    pool.tidy()
    pool.logs = {b: c for b, c in pool.logs.items() if b is not ONE}
    whole_log = _product(pool.logs)
    return add(*out) if out and not pool.gammas and whole_log is ONE else None


def _product(logs: dict[Scalar, Scalar]) -> Scalar:
    """The number of which the logarithm is c log b + ..., where all c are whole; ZERO where it is none."""
    if not all(isinstance(c, Num) and whole(c) for c in logs.values()):
        return ZERO
    return short(mul(*(power(b, c) for b, c in logs.items())))
