"""The law of a whole sequence from that of its first entry and that of an entry given the one before."""

from __future__ import annotations

from symgen.derivation.context import Context
from symgen.probability.forms.terms import depends_on_any, opened, with_value
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.law import LAW, formula_law, parameters_of, row_of
from symgen.probability.means.state_spaces import chain_of_normals
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Scalar,
    Var,
    add,
    delta,
    entry,
    fresh_index,
    mul,
    num,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    tensor,
    var,
)  # fmt: skip

HERE = "symgen/probability/means/sequences.py"


def law_of_sequence(first: Array, step: Array, before: Var, name: str, variable: str) -> Array:
    """The law of x[0..T - 1] with x[0] ~ first and x[t + 1] ~ step[t], in which before[t] stands for x[t]."""
    steps = before.shape[0]
    shape = (add(steps, ONE), *first.shape)
    states = probabilities(first, ()), probabilities(step, (steps,))
    if states[0] is not None and states[1] is not None and not first.rank:
        return _of_states(states[0], states[1], before, shape)
    normal = chain_of_normals(first, step, before, shape)
    if normal is not None:
        return normal
    return _by_formula(first, step, before, name, variable)


def probabilities(law: Array, lead: tuple[Scalar, ...]) -> Array | None:
    """Those of the labels 0..k - 1, over leading axes and then the labels; None where a draw is no label."""
    row = row_of(law)
    if row is None or law.shape != lead or row.name not in ("Categorical", "Bernoulli"):
        return None
    p = parameters_of(law)["p"]
    if row.name == "Categorical":
        return p
    at, k = [fresh_index(s) for s in lead], fresh_index(num(2))
    one = open_tensor(p, at)
    return tensor([*at, k], add(mul(delta(k, ZERO), sub(ONE, one)), mul(delta(k, ONE), one)))


def _of_states(first: Array, step: Array, before: Var, shape: tuple[Scalar, ...]) -> Array:
    k = first.shape[-1]
    t, i, j = fresh_index(before.shape[0]), fresh_index(k), fresh_index(k)
    moves = with_value(opened(open_tensor(step, [t, j]), depends_on_any(frozenset((before,)))), before, lambda *_: i)
    if t not in moves.free:
        return operator("MarkovChain", [first, tensor([i, j], moves), tensor((), shape[0])], shape, (LAW,))
    return operator("InhomogeneousMarkovChain", [first, tensor([t, i, j], moves)], shape, (LAW,))


def _by_formula(first: Array, step: Array, before: Var, name: str, variable: str) -> Array:
    """The log-density of the whole: that of the first entry, and those of the others given the ones before."""
    shape = (add(before.shape[0], ONE), *first.shape)
    whole = var(variable, shape, before.domain, "placeholder", before.domain_args, uid=3)
    t, own = fresh_index(before.shape[0]), [fresh_index(s) for s in first.shape]
    start = tensor(own, entry(whole, ZERO, *own))
    earlier = tensor([t, *own], entry(whole, t, *own))
    later = tensor([t, *own], entry(whole, add(t, ONE), *own))
    body = add(
        log_density_at(first, start, Context()),
        log_density_at(replace_arrays(step, {before: earlier}), later, Context()),
    )
    return formula_law(whole, tensor((), body), "", name, True)
