"""The steps to a log-density of a joint: of all that it draws, of some with the rest integrated out, of one given others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgen.derivation.context import Context
from symgen.probability.bayes.conditional import matched
from symgen.probability.forms.special import simplified
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.elimination import Question, log_joint
from symgen.probability.laws.finite import is_finite
from symgen.probability.laws.joint import (
    DistRef,
    Joint,
    conditional_law,
    expectation,
    factor_log_density,
    log_density,
)
from symgen.probability.laws.law import row_of
from symgen.probability.means.gaussian import GAUSSIAN
from symgen.tensor.expression import Array, Operator, Scalar, Var, add, entry, fn, sub, tensor
from symgen.text.diagnostics import CannotDerive

__all__ = ["tell"]

Say = Callable[[str, Array, Array, str], None]


def tell(op: Operator, p: DistRef, q: Question, made: Array, law: Array | None, say: Say, ctx: Context) -> None:
    """Steps from log p(targets | observed) to what it is; `law` where it was recognised as one of the table."""
    joint = Joint(p.joint.name, q.factors)
    seen = tuple(v for f in q.factors for v in f.variables if v in q.observed)
    if not q.hidden and not seen:
        _of_all(op, q, made, say)
    elif not q.hidden:
        _by_bayes(op, joint, q, seen, made, law, say)
    elif law is not None and _is_normal(law) and len(q.targets) == 1:
        _by_its_law(op, p, q, law, made, say)
    elif seen:
        say("marginal", op, made, f"{_names(q.hidden)} integrated out")
    elif len(q.hidden) == 1 and not is_finite(q.factor_of(q.hidden[0]).law):
        _by_what_cancels(op, joint, q, made, say, ctx)
    else:
        _by_total_probability(op, q, made, say, ctx)


def _names(variables: Sequence[Var]) -> str:
    named = [f"`{v.name}`" for v in variables]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _sum_of_factors(q: Question) -> Scalar:
    return add(*(entry(factor_log_density(f, q.values)) for f in q.factors))


def _of_all(op: Operator, q: Question, made: Array, say: Say) -> None:
    if len(q.factors) == 1:
        say("density", op, made, "the density put in")
        return
    factors = tensor((), _sum_of_factors(q))
    say("marginal", op, factors, "the chain rule of probability")
    say("densities", factors, made, "the log-densities put in")


def _by_bayes(op: Operator, joint: Joint, q: Question, seen: tuple[Var, ...], made: Array, law: Array | None, say: Say) -> None:
    """log p(z | x) = log p(x | z) + log p(z) - log p(x)."""
    others = tuple(v for v in q.observed if v in joint.variables and v not in seen)
    evidence = entry(log_density(DistRef(joint, seen, others), {v: a for v, a in q.values.items() if v in q.observed}))
    rule = tensor((), sub(_sum_of_factors(q), evidence))
    say("Bayes", op, rule, "Bayes' rule")
    row = row_of(law) if law is not None else None
    say("recognise", rule, made, "divided by what it sums to" if row is None else f"recognised by its statistics: {row.called}")


def _is_normal(law: Array) -> bool:
    row = row_of(law)
    return row is not None and row.name in GAUSSIAN


def _by_its_law(op: Operator, p: DistRef, q: Question, law: Array, made: Array, say: Say) -> None:
    """Sums of normal variables are normal: the law by its mean and covariance. Bishop (2006), 2.115, 2.81."""
    (x,) = q.targets
    given = f"{x.name} | {', '.join(v.name for v in q.hidden)}"
    why = f"linear in {_names(q.hidden)}, and all are normal: E {x.name} = E E({given}), "
    why += f"Var {x.name} = E Var({given}) + Var E({given})"
    if q.observed:
        why += f", all given {_names(q.observed)}"
    say("marginal", conditional_law(p, x), law, why)
    say("density", op, made, "its density")


def _by_what_cancels(op: Operator, joint: Joint, q: Question, made: Array, say: Say, ctx: Context) -> None:
    """log p(x) = log p(x, z) - log p(z | x), the same at every z."""
    (z,) = q.hidden
    body = log_joint(q.factors, q.values, ctx.quiet())
    try:
        law = matched(body, z, q, ctx.quiet()) if row_of(q.factor_of(z).law) is not None else None
    except CannotDerive:
        law = None
    row = row_of(law) if law is not None else None
    if law is None or row is None:
        _by_total_probability(op, q, made, say, ctx)
        return
    given = log_density(DistRef(joint, (z,), q.targets), q.values)
    rule = tensor((), sub(_sum_of_factors(q), entry(given)))
    say("Bayes", op, rule, f"Bayes' rule, whatever `{z.name}` is")
    say("recognise", given, tensor((), log_density_at(law, z, ctx.quiet())), f"recognised by its statistics: {row.called}")
    put_in = tensor((), sub(body, entry(given)))
    say("densities", rule, put_in, "the log-densities put in")
    say("marginal", put_in, made, f"`{z.name}` cancels")


def _by_total_probability(op: Operator, q: Question, made: Array, say: Say, ctx: Context) -> None:
    """log p(x) = log E[z ~ p(z)](p(x | z))."""
    start: Array = op
    for rule, mean, why in as_mean(q, ctx):
        logarithm = tensor((), fn("log", entry(mean)))
        say(rule, start, logarithm, why)
        start = logarithm
    finite = all(is_finite(q.factor_of(h).law) for h in q.hidden)
    say("marginal", start, made, f"{'summed' if finite else 'integrated'} over {_names(q.hidden)}")


def as_mean(q: Question, ctx: Context) -> list[tuple[str, Array, str]]:
    """p(x) = E[z ~ p(z)](p(x | z)), then with the density put in, each with its rule; none where that is not what it is."""
    hidden = [f for f in q.factors if set(f.variables) <= set(q.hidden)]
    seen = [f for f in q.factors if f not in hidden]
    if not hidden or any(len(f.variables) > 1 for f in hidden) or any(set(f.variables) & set(q.hidden) for f in seen):
        return []
    draws = [(f.variables[0], f.law) for f in hidden]
    mean = expectation(tensor((), fn("exp", add(*(entry(factor_log_density(f, q.values)) for f in seen)))), draws)
    put_in = expectation(tensor((), simplified(fn("exp", log_joint(seen, q.values, ctx.quiet())))), draws)
    return [
        ("total_probability", mean, "the law of total probability"),
        ("densities", put_in, "the density put in"),
    ]
