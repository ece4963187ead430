"""Probabilities that may be 0: quotients and logarithms of them have their limits, and gradients are numbers there."""

from __future__ import annotations

from fractions import Fraction

from symgen.codegen.stable_differences import factors_of, terms_of
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    INF,
    ONE,
    ZERO,
    Add,
    Compare,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Sum,
    Var,
    Where,
    add,
    as_coefficient,
    compare,
    fn,
    mul,
    neg,
    num,
    open_sum,
    power,
    sub,
    substitute,
    walk,
    where,
)  # fmt: skip

__all__ = [
    "centred_at_zero", "is_one_number", "log_ratios", "logs_of_what_may_be_zero", "may_be_zero", "power_at_zero",
    "quotient_at_zero", "weighted_ratio", "with_limits", "without_limits",
]  # fmt: skip


def quotient_at_zero(n: Mul, is_gradient: bool) -> Scalar:
    """p^a/q^b of probabilities, a > 1, which is 0 where p is 0, whatever q is; in gradients p/q too, the slope of p log q.

    The same of (p - q)^a/q^b, which is (-1)^a q^(a - b) where p is 0, and of complements.
    """
    below = [f.base for f in n.args if isinstance(f, Pow) and as_coefficient(f.exponent)[0] < 0 and may_be_zero(f.base)]
    if not below:
        return n
    made: Scalar = n
    for f in n.args:
        base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
        a = as_coefficient(e)[0]
        if base in below or not (is_gradient and a > 0 or a > 1):
            continue
        for p, end, c, left in _differences(base, below):
            rest = replace_scalars(mul(*(g for g in n.args if g is not f)), {p: end})
            made = where(compare("==", p, end), mul(power(num(c), e), mul(power(left, e), rest)), made)
        if may_be_zero(base) and any(type(b) is type(base) and b.args[1:] == base.args[1:] for b in below):
            return where(compare("==", base, ZERO), ZERO, n)
    return made


def weighted_ratio(n: Mul) -> Scalar:
    """a log(1 + b/a) of products of probabilities a, which is 0 where a is 0."""
    for f in n.args:
        if not (isinstance(f, Fn) and f.name == "log1p"):
            continue
        below = {b: e for b, e in map(_base_and_exponent, factors_of(without_limits(f.args[0]))) if as_coefficient(e)[0] < 0}
        weights = [g for g in n.args if g is not f and below.get(_base_and_exponent(g)[0]) is neg(_base_and_exponent(g)[1])]
        if below and len(weights) == len(below) and all(map(may_be_zero, below)):
            return mul(*(g for g in n.args if g is not f and g not in weights), fn("xlog1py", mul(*weights), f.args[0]))
    return n


def _base_and_exponent(f: Scalar) -> tuple[Scalar, Scalar]:
    return (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)


def without_limits(x: Scalar) -> Scalar:
    """x without the branches for probabilities of 0 in which it is 0."""
    return replace_scalars(x, {n: n.args[2] for n in walk(x) if isinstance(n, Where) and _is_at_zero(n)})


def _is_at_zero(n: Where) -> bool:
    condition, there, _ = n.args
    return isinstance(condition, Compare) and condition.op == "==" and ZERO in condition.args and there is ZERO


def with_limits(x: Scalar) -> Scalar:
    """Quotients in x with their limits at probabilities of 0."""
    products = {n: quotient_at_zero(n, False) for n in walk(x) if isinstance(n, Mul)}
    return replace_scalars(x, {n: made for n, made in products.items() if made is not n})


def _differences(x: Scalar, below: list[Scalar]) -> list[tuple[Scalar, Scalar, Fraction, Scalar]]:
    """p, its end, c and q, or -c and 1 - q, of c (q - p) beside a quotient by q, or by 1 - q."""
    if not isinstance(x, Add) or len(x.args) != 2:
        return []
    out: list[tuple[Scalar, Scalar, Fraction, Scalar]] = []
    for t, u in (x.args, x.args[::-1]):
        (c, p), (d, q) = as_coefficient(t), as_coefficient(u)
        if c != -d or not (isinstance(p, Entry) and may_be_zero(p) and isinstance(q, Entry)):
            continue
        if q in below and p not in below:
            out.append((p, ZERO, d, q))
        if sub(ONE, q) in below and sub(ONE, p) not in below:
            out.append((p, ONE, -d, sub(ONE, q)))
    return out


def log_ratios(n: Add) -> Scalar:
    """c log(p) - c log(q) of what may be 0 as the logarithm of a quotient, which is 0 where p is q."""
    logs: list[tuple[Scalar, Fraction, Scalar]] = []
    for t in n.args:
        c, base = as_coefficient(t)
        if isinstance(base, Fn) and base.name in ("log", "log1p"):
            x = base.args[0] if base.name == "log" else add(ONE, base.args[0])
            if may_be_zero(x):
                logs.append((t, c, x))
    made: list[Scalar] = []
    used: list[Scalar] = []
    for k, (t, c, x) in enumerate(logs):
        for u, d, y in logs[k + 1 :]:
            if t in used or u in used or c != -d or not _alike(x, y):
                continue
            (p, q) = (x, y) if c > 0 else (y, x)
            gap = add(*terms_of(p), *(neg(s) for s in terms_of(q)))
            made.append(mul(num(abs(c)), fn("log_ratio", p, q, gap)))
            used += [t, u]
    return add(*made, *(t for t in n.args if t not in used)) if made else n


def logs_of_what_may_be_zero(n: Add) -> tuple[dict[Scalar, list[Scalar]], list[Scalar]]:
    """The logarithms of what may be 0, each with its weights in the sum, products with sums of them multiplied out; the rest."""
    found: dict[Scalar, list[Scalar]] = {}
    rest: list[Scalar] = []
    stack = list(n.args)
    while stack:
        t = stack.pop()
        inner = next((f for f in factors_of(t) if isinstance(f, Add) and any(_zero_log(u) is not None for u in f.args)), None)
        if inner is not None:
            beside = mul(*(f for f in factors_of(t) if f is not inner))
            stack.extend(mul(beside, u) for u in inner.args)
            continue
        log = _zero_log(t)
        if log is None:
            rest.append(t)
        else:
            found.setdefault(log, []).append(mul(*(f for f in factors_of(t) if f is not log)))
    return found, rest


def _zero_log(t: Scalar) -> Scalar | None:
    """The logarithm among the factors of t that is of what may be 0."""
    for f in factors_of(t):
        if isinstance(f, Fn) and f.name in ("log", "log1p"):
            if may_be_zero(f.args[0] if f.name == "log" else add(ONE, f.args[0])):
                return f
    return None


def power_at_zero(t: Scalar) -> Scalar:
    """c log(x) as xlogy(c, x), in the exponent of x^c: 0^0 is 1."""
    log = _zero_log(t)
    weight = mul(*(f for f in factors_of(t) if f is not log))
    if not isinstance(log, Fn) or isinstance(weight, Num):
        return t
    return fn("xlogy" if log.name == "log" else "xlog1py", weight, log.args[0])


def _alike(x: Scalar, y: Scalar) -> bool:
    if isinstance(x, Entry) and isinstance(y, Entry):
        return x.indices == y.indices
    return isinstance(x, Add) and isinstance(y, Add)


def centred_at_zero(n: Add) -> Scalar:
    """x less its mean over an axis, in a gradient within the simplex: where x is infinite, x."""
    for t in n.args:
        inner = [f for f in factors_of(t) if isinstance(f, Sum) and len(f.indices) == 1]
        if len(inner) != 1:
            continue
        body, (i,) = open_sum(inner[0])
        if not any(isinstance(f, Fn) and f.name in ("log", "log1p", "log_ratio") for f in walk(body)):
            continue
        rest = add(*(u for u in n.args if u is not t))
        own = [j for j in rest.free if j.size is i.size]
        if any(_differ_by_one_sign(substitute(body, {i: j}), rest) for j in own):
            return where(compare("==", fn("abs", rest), INF), rest, n)
    return n


def _differ_by_one_sign(x: Scalar, y: Scalar) -> bool:
    return as_coefficient(x)[1] is as_coefficient(y)[1]


def may_be_zero(x: Scalar) -> bool:
    """Whether x is an entry of a variable whose domain holds 0, or a probability or its complement."""
    if isinstance(x, Add) and len(x.args) == 2 and ONE in x.args:
        c, base = as_coefficient(next(t for t in x.args if t is not ONE))
        return c == -1 and isinstance(base, Entry) and isinstance(base.array, Var) and base.array.domain == "unit"
    return isinstance(x, Entry) and isinstance(x.array, Var) and x.array.domain in (
        "nonnegative", "simplex", "onehot", "binary", "natural", "unit",
    )  # fmt: skip


def is_one_number(x: Scalar) -> bool:
    """Whether x is a probability that is a scalar of its own: that it may be 0 costs nothing to look at."""
    return isinstance(x, Entry) and not x.indices and isinstance(x.array, Var) and x.array.domain in ("unit", "nonnegative")
