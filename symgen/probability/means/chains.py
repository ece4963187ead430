"""Markov chains: means of functions of one state, or of two that are a known number of steps apart."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.probability.families.texts import value_text
from symgen.probability.forms.terms import with_value
from symgen.probability.laws.densities import Parameters
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    ONE,
    TWO,
    ZERO,
    Array,
    Entry,
    Fn,
    Num,
    Scalar,
    Var,
    add,
    divide,
    entry,
    fold,
    fresh_index,
    mul,
    power,
    sub,
    total,
    walk,
)  # fmt: skip
from symgen.tensor.scope import is_size

__all__ = ["covariance_of_states", "mean_of_states", "shrunken"]

MOST_STEPS = 8
# the laws of the states of many chains
OF_MANY = "recurrence[s, t: 1..m](p0, sum(s[t - 1][:, :, None]*P[:, t - 1], axis=1))"


def mean_of_states(f: Scalar, x: Var, p: Parameters) -> tuple[Scalar, str] | None:
    """E f(x[t]) = sum of q_t[a] f(a) with q_t = p0 P^t, and E f(x[t], x[t + n]) = sum of q_t[a] (P^n)[a, b] f(a, b); and
    the lemma that gave it."""
    places = list(dict.fromkeys(n.indices for n in walk(f) if isinstance(n, Entry) and n.array is x))
    times = [place[-1] for place in places]
    if not 1 <= len(places) <= 2 or len({place[:-1] for place in places}) > 1:
        return None
    if any(not i.free <= f.free for place in places for i in place):
        return None
    start, moving = p.law.args[:2]
    assert isinstance(start, Array) and isinstance(moving, Array)
    lead = places[0][:-1] if start.rank > 1 else ()  # of many chains, each with a law of its own
    if start.rank - 1 != len(lead) or lead and moving.rank != 4:
        return None
    k = start.shape[-1]
    a, b = fresh_index(k), fresh_index(k)

    def state(t: Scalar) -> Scalar:
        if t is ZERO:
            return entry(start, *lead, a)
        if not lead:
            return p.value(p.row.states, ()).at(t, a)
        return value_text(OF_MANY, {"p0": start, "P": moving, "m": moving.shape[1]}).at(t, *lead, a)

    if len(times) == 1:
        weight = state(times[0])
        return total(mul(weight, with_value(f, x, lambda *_: a)), [a]), "the law of a state"
    gap = sub(times[1], times[0])
    if not isinstance(gap, Num) or gap.rational is None or gap.rational.denominator != 1:
        return None
    steps = int(gap.rational)
    first = times[0] if steps > 0 else times[1]
    if abs(steps) > MOST_STEPS:
        return None
    if p.row.name == "MarkovChain":
        moves = p.value(f"matpow(P, {abs(steps)})", ()).at(a, b)
    elif abs(steps) == 1:
        moves = entry(moving, *lead, first, a, b)
    else:
        return None
    weight = mul(state(first), moves)
    value = with_value(f, x, lambda *at: a if at[-1] is first else b)
    return total(mul(weight, value), [a, b]), "the law of a state and of the moves from it"


def covariance_of_states(a: Sequence[Scalar], b: Sequence[Scalar], p: Parameters) -> Scalar | None:
    """Cov(x[t, i], x[t, j]) = C_t[i, j] and Cov(x[t + 1, j], x[t, i]) = (F_t C_t)[j, i] of a chain of normal steps."""
    gap = sub(b[0], a[0])
    if not isinstance(gap, Num) or gap.rational is None or abs(gap.rational) > 1:
        return None
    (t, *i), (_, *j) = (a, b) if gap.rational >= 0 else (b, a)
    start, step = list(p.row.parameters)[1:3]
    if t is ZERO and gap is ZERO:
        return p.value(start, ()).at(*i, *j)
    if gap is ZERO:
        return spread_of_states(p, t, *i, *j)
    if not i:
        return mul(p.value(step, ()).at(t), spread_of_states(p, t))
    k = fresh_index(p.law.shape[-1])
    return total(mul(p.value(step, ()).at(t, *j, k), spread_of_states(p, t, k, *i)), [k])


def shrunken(p: Parameters, t: Scalar) -> Scalar | None:
    """The mean m a[0] .. a[t - 1] of a walk of numbers without a shift."""
    if p.row.own_rank > 1 or not p.row.spread or p.value("b", ()).body is not ZERO:
        return None
    return mul(p.value("m", ()).body, product_before(p.value("a", ()), t))


def product_before(a: Value, t: Scalar) -> Scalar:
    """a[0] .. a[t - 1]."""
    if is_size(t):
        j = fresh_index(t)
        return fold("prod", a.at(j), [j])
    return value_text("concat(ones(1), cumprod(a))", {"a": a}).at(t)


def spread_of_states(p: Parameters, t: Scalar, *at: Scalar) -> Scalar:
    """The covariance of a state; where q = c (1 - a^2) at all times, c + (v - c) a[0]^2 .. a[t - 1]^2."""
    if p.row.own_rank == 1:
        a, q = p.value("a", ()), p.value("q", ())
        s = fresh_index(a.shape[0])
        slope = a.at(s)
        square = slope.args[0] if isinstance(slope, Fn) and slope.name == "sqrt" else power(slope, TWO)
        level = divide(q.at(s), sub(ONE, square))
        if s not in level.free:
            return add(level, mul(sub(p.value("v", ()).body, level), product_before(Value((s,), square), t)))
    return p.value(p.row.spread, ()).at(t, *at)
