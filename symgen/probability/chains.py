"""Markov chains: means of functions of one state, or of two that are a known number of steps apart."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.probability.densities import Parameters
from symgen.probability.terms import with_value
from symgen.tensor.expression import ZERO, Entry, Num, Scalar, Var, fresh_index, mul, sub, total, walk

__all__ = ["covariance_of_states", "mean_of_states"]

MOST_STEPS = 8


def mean_of_states(f: Scalar, x: Var, p: Parameters) -> tuple[Scalar, str] | None:
    """E f(x[t]) = sum of q_t[a] f(a) with q_t = p0 P^t, and E f(x[t], x[t + n]) = sum of q_t[a] (P^n)[a, b] f(a, b); and
    the lemma that gave it."""
    times = list(dict.fromkeys(n.indices[0] for n in walk(f) if isinstance(n, Entry) and n.array is x))
    if not 1 <= len(times) <= 2 or any(not t.free <= f.free for t in times):
        return None
    k = p.sizes()["k"]
    a, b = fresh_index(k), fresh_index(k)

    def state(t: Scalar) -> Scalar:
        return p.value("p0", ()).at(a) if t is ZERO else p.value(p.row.states, ()).at(t, a)

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
        moves = p.value("P", ()).at(first, a, b)
    else:
        return None
    weight = mul(state(first), moves)
    value = with_value(f, x, lambda t: a if t is first else b)
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
    spread = p.value(p.row.spread, ())
    if gap is ZERO:
        return spread.at(t, *i, *j)
    if not i:
        return mul(p.value(step, ()).at(t), spread.at(t))
    k = fresh_index(spread.shape[-1])
    return total(mul(p.value(step, ()).at(t, *j, k), spread.at(t, k, *i)), [k])
