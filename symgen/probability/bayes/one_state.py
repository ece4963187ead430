"""Predictions from a chain of states of which something was seen: from the law of the one state on which they hang."""

from __future__ import annotations

from dataclasses import replace

from symgen.derivation.context import Context
from symgen.probability.forms.terms import opened, with_value
from symgen.probability.laws.elimination import Question, log_joint
from symgen.probability.laws.joint import Factor
from symgen.probability.laws.law import LAW, row_of
from symgen.probability.means.hidden_chains import is_chain, states_given
from symgen.probability.means.state_spaces import filtered, is_gaussian_chain, smoothed, states_of
from symgen.tensor.expression import (
    ONE,
    Array,
    Entry,
    Operator,
    Scalar,
    Var,
    entry,
    fn,
    fresh_index,
    open_tensor,
    operator,
    sub,
    tensor,
    var,
    variables_of,
    walk,
)  # fmt: skip

THEN = "_then"  # ends the name of the one state


def one_state_told(q: Question, ctx: Context) -> Question | None:
    """Where the target, and what else is not seen, hang on the states at one time: the question in which that one state has the
    law that all that is seen leaves it."""
    z = next((h for h in q.hidden if is_chain(law := q.factor_of(h).law) or is_gaussian_chain(law)), None)
    if z is None or is_chain(q.factor_of(z).law) and z.rank > 1:
        return None
    late = [f for f in q.factors if z not in f.variables and any(v in q.targets or v in q.hidden for v in f.variables)]
    before = [f for f in q.factors if f not in late]
    drawn = {v for f in late for v in f.variables}
    if any(not drawn.isdisjoint(variables_of(f.law)) for f in before):
        return None
    w = var(f"{z.name}{THEN}", z.shape[1:], z.domain, "random", z.domain_args, uid=-62)
    made: list[Factor] = []
    times: set[Scalar] = set()
    for f in late:
        if z not in variables_of(f.law):
            made.append(f)
            continue
        if row_of(f.law) is None:
            return None
        assert isinstance(f.law, Operator)
        operands = []
        for a in f.law.args:
            assert isinstance(a, Array)
            axes = [fresh_index(s) for s in a.shape]
            body = opened(open_tensor(a, axes), lambda n: z in variables_of(n))
            times |= {n.indices[0] for n in walk(body) if isinstance(n, Entry) and n.array is z}
            operands.append(tensor(axes, with_value(body, z, lambda _, *k: entry(w, *k))) if z in variables_of(a) else a)
        made.append(Factor(f.name, f.variables, (w,), operator(f.law.name, operands, f.law.shape, f.law.attrs)))
    if len(times) != 1 or (time := times.pop()).free:
        return None
    told = _law_at(replace(q, factors=tuple(before), targets=(z,), hidden=()), z, time, ctx)
    others = tuple(v for v in q.hidden if v is not z)
    return Question((Factor("", (w,), (), told), *made), q.targets, (), (w, *others), q.values)


def _law_at(seen: Question, z: Var, time: Scalar, ctx: Context) -> Array:
    """The law of a state given all that is seen."""
    kind = "filtered" if time is sub(z.shape[0], ONE) else ""  # of the last state all is known already
    law = seen.factor_of(z).law
    if is_chain(law):
        laws = states_given(log_joint(seen.factors, seen.values, ctx.quiet()), z, law, ctx)[1][kind or "marginals"]
        j = fresh_index(laws.shape[1])
        return operator("Categorical", (tensor([j], entry(laws, time, j)),), (), (LAW,))
    known = smoothed(filtered(states_of(seen, z), ctx), z, ctx)[1]
    at, other = ([fresh_index(s) for s in z.shape[1:]] for _ in range(2))
    center = tensor(at, entry(known[f"{kind}_mean" if kind else "mean"], time, *at))
    spread = entry(known[f"{kind}_covariance" if kind else "covariance"], time, *at, *other)
    if at:
        return operator("MvNormal", (center, tensor([*at, *other], spread)), z.shape[1:], (LAW,))
    return operator("Normal", (center, tensor((), fn("sqrt", spread))), (), (LAW,))


__all__ = ["THEN", "one_state_told"]
