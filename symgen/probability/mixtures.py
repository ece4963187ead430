"""A target below a finite variable that nobody has seen: its law is a mixture over the values of that variable."""

from __future__ import annotations

from dataclasses import dataclass

from symgen.derivation.context import Context
from symgen.probability.collect import collected
from symgen.probability.conditional import log_mass, matched
from symgen.probability.densities import entry_log_density
from symgen.probability.elimination import HERE, Question, log_joint, quiet
from symgen.probability.finite import at_value, count_of, is_finite
from symgen.probability.law import LAW, row_of
from symgen.tensor.expression import (
    Array,
    Scalar,
    Var,
    entry,
    fn,
    fresh_index,
    mul,
    open_tensor,
    operation,
    operator,
    tensor,
    total,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive


@dataclass(frozen=True)
class Mixture:
    """`weights[k]`, the `parameters` over k, and the log-density."""

    family: str
    weights: Array
    parameters: dict[str, Array]
    log_density: Scalar


def mixture_over(q: Question) -> Var | None:
    """The one hidden variable, where it is finite and the target is not."""
    if len(q.hidden) != 1 or q.hidden[0].rank or is_finite(q.factor_of(q.targets[0]).law):
        return None
    return q.hidden[0] if is_finite(q.factor_of(q.hidden[0]).law) else None


def mixture_of(q: Question, c: Var, ctx: Context) -> Mixture:
    """sum_k w_k p(z | x, c = k), w_k proportional to p(x, c = k)."""
    (z,) = q.targets
    law = q.factor_of(c).law
    if z.rank:
        raise CannotDerive(f"the mixture of the posteriors of `{z.name}` has no rule", None, HERE)
    body = log_joint(q.factors, q.values, quiet(ctx))
    one = matched(body, z, q, quiet(ctx))
    mass = log_mass(body, one, z, ctx) if one is not None else None
    if one is None or mass is None:
        raise CannotDerive(f"the posterior of `{z.name}` given `{c.name}` is in no family of the table", None, HERE)
    row = row_of(one)
    assert row is not None
    k = fresh_index(count_of(c, law))
    weights = operation("softmax", (tensor([k], collected(at_value(mass, c, law, k))),), (k.size,))
    parameters = {
        n: tensor([k], collected(at_value(open_tensor(a, ()), c, law, k)))
        for n, a in zip(row.parameters, one.args, strict=False)
        if isinstance(a, Array)
    }
    many = operator(row.name, list(parameters.values()), (k.size,), (LAW,))
    density = fn("exp", entry_log_density(many, entry(z), (k,), quiet(ctx)))
    value = fn("log", total(mul(entry(weights, k), density), [k]))
    return Mixture(row.name, weights, parameters, value)
