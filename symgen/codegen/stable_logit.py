"""Quotients by 2 p - 1 and by log(p/(1 - p)) near p = 1/2, where both are 0: the continuous Bernoulli law."""

from __future__ import annotations

from symgen.algebra.rational import as_quotient
from symgen.codegen.stable_differences import is_rational, kept_apart
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    Add,
    Compare,
    Entry,
    Fn,
    Mul,
    Pow,
    Scalar,
    Var,
    Where,
    add,
    compare,
    entry,
    fn,
    mul,
    neg,
    power,
    sub,
    var,
    walk,
    where,
)  # fmt: skip

__all__ = ["near_one_half"]

PLACES = [entry(var(f"near one half {k}", (), "real", "placeholder", uid=-94)) for k in range(2)]


def near_one_half(n: Where) -> Scalar:
    """A rational function of p and log(p/(1 - p)) for p other than 1/2, in t = 2 p - 1 and g = artanh(t)/t - 1: then p is
    (1 + t)/2, the logarithm is 2 t (1 + g), and t leaves what is below."""
    condition, at_half, other = n.args
    if not isinstance(condition, Compare) or condition.op != "==" or HALF not in condition.args:
        return n
    p = next(a for a in condition.args if a is not HALF)
    if not isinstance(p, Add) and not (isinstance(p, Entry) and isinstance(p.array, Var) and p.array.domain == "unit"):
        return n
    if isinstance(other, Fn) and other.name == "log":
        inside = near_one_half(where(condition, fn("exp", at_half), other.args[0]))
        near = inside.args[2] if isinstance(inside, Where) else None
        if not isinstance(near, Where):
            return n
        return where(condition, at_half, where(near.args[0], *(fn("log", part) for part in near.args[1:])))
    t, g = PLACES
    odds = mul(p, power(sub(ONE, p), MINUS_ONE))
    logs = [f for f in walk(other) if isinstance(f, Fn) and f.name == "log" and f.args[0] is odds]
    if not logs or not is_rational(replace_scalars(other, {logs[0]: t})):
        return n
    above, below = mul(HALF, add(ONE, t)), mul(HALF, sub(ONE, t))
    double = sub(mul(TWO, p), ONE)
    parts = {p: above, neg(p): neg(above), sub(ONE, p): below, sub(p, ONE): neg(below), double: t, neg(double): neg(t)}
    moved = replace_scalars(replace_scalars(other, {logs[0]: mul(TWO, t, add(ONE, g))}), parts)
    made = as_quotient(moved)
    if any(isinstance(f, Pow) and f.base is t for f in (made.args if isinstance(made, Mul) else ())) and at_half is HALF:
        made = as_quotient(made)
    apart = kept_apart(sub(mul(TWO, p), ONE))
    near = replace_scalars(made, {t: apart, g: fn("artanh_rest", apart)})
    return where(condition, at_half, where(compare("<", fn("abs", apart), HALF), near, other))
