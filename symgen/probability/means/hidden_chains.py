"""Hidden Markov chains of any length: sums over all paths, forwards and backwards, in logarithms.

A log joint density that is a sum of terms in one state z[t] and in two that follow one another, z[t] and z[t + 1], is
summed over all paths step by step; what it leaves is a Markov chain again. Rabiner (1989), III; Bishop (2006), 13.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.families.texts import read_array
from symgen.probability.forms.collect import collected
from symgen.probability.forms.quadratics import at_time
from symgen.probability.forms.terms import factors_of, terms_of, with_value
from symgen.probability.laws.elimination import opened_in
from symgen.probability.laws.finite import without_log_of_nothing
from symgen.probability.laws.law import LAW, parameters_of, row_of
from symgen.tensor.evaluate import NotEvaluable, evaluate, size_of
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Entry,
    Index,
    Node,
    Operation,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    compare,
    delta,
    entry,
    fresh_index,
    mul,
    open_sum,
    open_tensor,
    operator,
    sub,
    substitute,
    tensor,
    total,
    variables_of,
    where,
)  # fmt: skip
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive, InternalError

HERE = "symgen/probability/means/hidden_chains.py"

FORWARD = "recurrence[alpha, t: 1..T - 1](f + l[0], logsumexp(alpha[t - 1][:, None] + g[t - 1], axis=0) + l[t])"
BACKWARD = "backward[beta, t: T - 2..0](zeros(k), logsumexp(g[t] + l[t + 1] + beta[t + 1], axis=1))"
# the best path: logs of the greatest terms over all paths to a state and from it on, and where their sum is greatest
BEST_TO = "recurrence[delta, t: 1..T - 1](f + l[0], max(delta[t - 1][:, None] + g[t - 1], axis=0) + l[t])"
BEST_FROM = "backward[rho, t: T - 2..0](zeros(k), max(g[t] + l[t + 1] + rho[t + 1], axis=1))"
BEST = "tensor[t: T](min[j: k](where(m[t, j] == max(m, axis=1)[t], j, k)))"
WHOLE = "logsumexp(a[T - 1])"
# what is known of the states, from both sweeps
LAWS = {
    "p0": "softmax(a[0] + b[0])",
    "P": "softmax(g + l[1:][:, None] + b[1:][:, None])",
    "marginals": "softmax(a + b)",
    "pairs": "exp(a[:T - 1][:, :, None] + g + l[1:][:, None] + b[1:][:, None] - logsumexp(a[T - 1]))",
    "filtered": "softmax(a)",
}


# of many chains, over the second axis of what is over time
OF_MANY = {
    FORWARD: "recurrence[alpha, t: 1..T - 1](f + l[0], logsumexp(alpha[t - 1][:, :, None] + g[t - 1], axis=1) + l[t])",
    BACKWARD: "backward[beta, t: T - 2..0](zeros(N, k), logsumexp(g[t] + (l[t + 1] + beta[t + 1])[:, None], axis=2))",
    BEST_TO: "recurrence[delta, t: 1..T - 1](f + l[0], max(delta[t - 1][:, :, None] + g[t - 1], axis=1) + l[t])",
    BEST_FROM: "backward[rho, t: T - 2..0](zeros(N, k), max(g[t] + (l[t + 1] + rho[t + 1])[:, None], axis=2))",
    BEST: "tensor[t: T, n: N](min[j: k](where(m[t, n, j] == max(m, axis=2)[t, n], j, k)))",
    WHOLE: "sum(logsumexp(a[T - 1], axis=1))",
    LAWS["P"]: "softmax(g + (l[1:] + b[1:])[:, :, None])",
    LAWS["pairs"]: "exp(a[:T - 1][:, :, :, None] + g + (l[1:] + b[1:])[:, :, None] - logsumexp(a[T - 1], axis=1)[:, None, None])",
}


def is_chain(law: Array) -> bool:
    """Whether a law is that of the states of Markov chains."""
    row = row_of(law)
    return row is not None and bool(row.states)


@dataclass(frozen=True)
class Potentials:
    """A log-density up to what is free of z: f[z[0]] + sum of l[t, z[t]] + sum of g[t, z[t], z[t + 1]]; g without t where it is
    the same at all times. Of many chains each has the axis of these next to that of the time."""

    first: Array
    single: Array
    pair: Array
    free: Scalar

    def read(self, text: str, **more: Array) -> Array:
        T, *many, k = self.single.shape
        text = OF_MANY.get(text, text) if many else text
        if self.pair.rank == 2:
            text = text.replace("g[t - 1]", "g").replace("g[t]", "g")
        sizes = {"k": k, "T": T, **({"N": many[0]} if many else {})}
        return read_array(text, {"f": self.first, "l": self.single, "g": self.pair, **sizes, **more})

    def over_states(self, text: str, **more: Array) -> Array:
        """Like `read`, with the axis of many chains first."""
        made = self.read(text, **more)
        if self.single.rank == 2 or text == LAWS["p0"]:
            return made
        t, n, *rest = (fresh_index(s) for s in made.shape)
        return tensor([n, t, *rest], entry(made, t, n, *rest))

    def forward(self) -> Array:
        """log of the sum over paths that end in a state, of all terms up to its time."""
        return self.read(FORWARD)

    def backward(self) -> Array:
        """log of the sum over paths that begin in a state, of all terms after its time."""
        return self.read(BACKWARD)


def potentials(body: Scalar, z: Var, law: Array) -> Potentials:
    """The terms of a log joint density by the states that they are of. CannotDerive names a term that is of others."""
    k_size = parameters_of(law)["p0"].shape[-1]
    *many, length = z.shape
    if len(many) > 1:
        raise CannotDerive(f"the chains `{z.name}` have several axes beside that of the time", None, HERE)
    t, s, a, b = fresh_index(length), fresh_index(sub(length, ONE)), fresh_index(k_size), fresh_index(k_size)
    lead = [fresh_index(n) for n in many]
    first: list[Scalar] = []
    single: list[Scalar] = []
    pair: list[Scalar] = []
    free: list[Scalar] = []
    for term in _summands(opened_in(body, z), z, ()):
        coefficient, inner, indices = term
        if z not in variables_of(inner) and z not in variables_of(coefficient):
            free.append(total(mul(coefficient, inner), indices))
            continue
        if z in variables_of(coefficient):
            raise _of_others(z, inner)
        places = _places(inner, z)
        if lead and len({p[:-1] for p in places}) == 1:
            chain = places[0][0]
            if isinstance(chain, Index) and chain in indices:
                inner, indices = substitute(inner, {chain: lead[0]}), tuple(i for i in indices if i is not chain)
            else:
                inner = mul(delta(chain, lead[0]), inner)
        elif lead:
            raise _of_others(z, inner)
        times = list(dict.fromkeys(p[-1] for p in places))
        own = [x for x in times if isinstance(x, Index) and x in indices]
        if len(times) == 1 and times[0] is ZERO:
            first.append(mul(coefficient, total(with_value(inner, z, lambda *_: a), indices)))
        elif len(times) == 1:
            single.append(mul(coefficient, at_time(with_value(inner, z, lambda *_: a), times[0], t, indices)))
        elif len(times) == 2 and len(own) == 1 and sub(*_in_order(times, own[0])) is ONE and own[0].size is s.size:
            rest = [i for i in indices if i is not own[0]]
            put = with_value(inner, z, lambda *at, own=own[0]: a if at[-1] is own else b)
            pair.append(mul(coefficient, substitute(total(put, rest), {own[0]: s})))
        else:
            raise _of_others(z, inner)

    def array(axes: Sequence[Index], terms: Sequence[Scalar]) -> Array:
        made = without_log_of_nothing(collected(add(*terms)))
        if not made.free <= set(axes):  # beside sums over what is not of the states
            raise _of_others(z, made)
        return tensor(axes, made)

    moves = array([s, *lead, a, b], pair)
    if lead and not {s, *lead} & open_tensor(moves, [s, *lead, a, b]).free:
        moves = at_all_times(at_all_times(moves))
    elif not lead:
        moves = at_all_times(moves)
    return Potentials(array([*lead, a], first), array([t, *lead, a], single), moves, add(*free))


def _summands(x: Scalar, z: Var, bound: tuple[Index, ...]) -> Iterator[tuple[Scalar, Scalar, tuple[Index, ...]]]:
    """A sum as its terms: what stands before a sum over indices, what is summed, and the indices."""
    for term in terms_of(x):
        sums = [f for f in factors_of(term) if isinstance(f, Sum) and z in variables_of(f)]
        if len(sums) != 1:
            yield ONE, term, bound
            continue
        before = mul(*(f for f in factors_of(term) if f is not sums[0]))
        body, indices = open_sum(sums[0])
        for coefficient, inner, own in _summands(body, z, (*bound, *indices)):
            whole = mul(before, coefficient)
            yield (whole, inner, own) if whole.free.isdisjoint(own) else (ONE, mul(whole, inner), own)


def at_all_times(moves: Array) -> Array:
    """g without its first axis, where it does not hang on it."""
    at = [fresh_index(x) for x in moves.shape]
    body = open_tensor(moves, at)
    return moves if at[0] in body.free else tensor(at[1:], body)


def _places(x: Scalar, z: Var) -> list[tuple[Scalar, ...]]:
    """At which indices the states stand in a term, in arrays over the same index too; none where z stands in an array otherwise."""
    out: dict[tuple[Scalar, ...], None] = {}
    stack: list[Node] = [x]
    while stack:
        n = stack.pop()
        if z not in variables_of(n) or n.is_array_node:
            continue
        stack.extend(n.args)
        if not isinstance(n, Entry) or z not in variables_of(n.array):
            continue
        if n.array is z:
            out[n.indices] = None
            continue
        inside = n.array.operands[0] if isinstance(n.array, Operation) and len(n.array.operands) == 1 else n.array
        if not isinstance(inside, Tensor) or len(n.indices) > inside.rank:
            return []
        body = substitute(inside.body, dict(zip(inside.axes, n.indices, strict=False)))
        found = _places(body, z)
        if not found or not all(i.free <= x.free or i.free <= n.free for place in found for i in place):
            return []
        out.update(dict.fromkeys(found))
    return list(out)


def _in_order(times: Sequence[Scalar], own: Index) -> tuple[Scalar, Scalar]:
    later = times[1] if times[0] is own else times[0]
    return later, own


def _of_others(z: Var, term: Scalar) -> CannotDerive:
    return CannotDerive(f"a term is of other states of `{z.name}` than one, or two that follow one another", term, HERE)


def states_told(z: Var, marginals: Array) -> tuple[Array, Array]:
    """1 where the state at a time is the one asked for, over times and states; and its mean that is claimed."""
    *at, j = (fresh_index(s) for s in marginals.shape)
    return tensor([*at, j], where(compare("==", entry(z, *at), j), ONE, ZERO)), marginals


def check_path(body: Scalar, z: Var, law: Array, path: Array, ctx: Context) -> Evidence:
    """No other path is more likely than `path`, at random data."""
    f = tensor((), body)
    free = {v for a in (f, path) for v in variables_of(a)} - {z}
    sizes, rng, done = sizes_in([f, path], [*free, z]), generator("paths", *sorted(v.name for v in free)), 0
    assumptions = ctx.facts.assumptions if ctx.facts else ()
    for _ in range(24):
        values = random_sizes(sizes, {}, rng, assumptions, largest=4)
        point = None if values is None else random_point(free, values, rng, 0, assumptions)
        if point is None:
            continue
        try:
            best = np.asarray(evaluate([path], point)[0], dtype=np.float64)
        except NotEvaluable as error:
            return Evidence("unknown", method="other paths", tried=(str(error),))
        found = []
        k = size_of(parameters_of(law)["p0"].shape[-1], point.sizes)
        every = np.array(list(product(range(k), repeat=best.size))) if k**best.size < 4096 else rng.integers(0, k, (40, best.size))
        for other in (best, *rng.permutation(every.astype(np.float64))[:40].reshape(-1, *best.shape)):
            point.values[z] = other
            found.append(float(evaluate([f], point)[0]))
        if not np.isfinite(found[0]):
            continue
        if max(found) > found[0] + 1e-9 * (1 + abs(found[0])):
            raise InternalError(f"a path is more likely than the best one: {max(found)} and {found[0]}")
        done += 1
        if done == 8:
            break
    return Evidence("checked", digits=9, points=done, method="no other path is more likely") if done else Evidence("unknown")


def summed_over_paths(body: Scalar, z: Var, law: Array, ctx: Context) -> Scalar:
    """The log of the sum of exp(body) over all paths of z."""
    found = potentials(body, z, law)
    forward = found.forward()
    ctx.trace.note(f"`alpha[t, j]` is the log of the sum over all paths of `{z.name}` that end in `j` at the time `t`")
    last = found.read(WHOLE, a=forward)
    return add(found.free, entry(last))


def states_given(body: Scalar, z: Var, law: Array, ctx: Context) -> tuple[Array, dict[str, Array]]:
    """The law of the states whose log-density is `body` up to what is free of them, a Markov chain, and its parameters with the
    laws of one state and of two that follow one another."""
    found = potentials(body, z, law)
    a, b = found.forward(), found.backward()
    ctx.trace.note(f"`alpha[t, j]` and `beta[t, j]` are the logs of the sums over all paths of `{z.name}` to `j`, and from `j` on")
    made = {name: found.over_states(text, a=a, b=b) for name, text in LAWS.items()}
    through = found.read("d + r", d=found.read(BEST_TO), r=found.read(BEST_FROM))
    made["most_likely"] = found.over_states(BEST, m=through)
    return operator("InhomogeneousMarkovChain", [made["p0"], made["P"]], z.shape, (LAW,)), made
