"""log p(x | y) within a joint, whatever else it draws integrated out: marginals, evidence, predictive densities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.derivation.referee import check_equal_numeric
from symgen.probability.bayes.candidate import check_by_candidates, check_hidden
from symgen.probability.bayes.conditional import bounds, integrated, law_given
from symgen.probability.bayes.marginal_steps import as_mean, tell
from symgen.probability.bayes.mixtures import mixture_given, with_labels
from symgen.probability.bayes.posterior_checks import check_integrated, check_log_mean, check_posterior
from symgen.probability.forms.collect import collected
from symgen.probability.forms.special import simplified
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.elimination import HERE, Question, log_joint, question
from symgen.probability.laws.joint import DistRef, Factor, Joint, decode, log_density
from symgen.probability.laws.law import formula_law, has_density, row_of
from symgen.probability.means.apart import with_logs_of_powers
from symgen.probability.means.gaussian import chain_of_laws
from symgen.probability.means.left_integrals import on_its_support, range_of
from symgen.probability.means.nodes_and_weights import by_nodes
from symgen.probability.means.own_density import normalised_law
from symgen.probability.means.sequences import with_one_normal
from symgen.tensor.expression import (
    Array,
    Operator,
    Scalar,
    Var,
    add,
    fn,
    open_tensor,
    replace_arrays,
    sub,
    tensor,
    var,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = [
    "check_log_density", "known", "log_density_given", "reduce_conditional_law", "reduce_log_density_of", "reduce_marginal",
    "with_logs_of_powers",
]  # fmt: skip


def known(ref: DistRef, ctx: Context) -> DistRef:
    """The reference with densities of one's own as laws of the table, where they are."""
    factors = tuple(Factor(f.name, f.variables, f.given, normalised_law(f.law, ctx)) for f in ref.joint.factors)
    return DistRef(Joint(ref.joint.name, factors), ref.variables, ref.given)


def log_density_given(
    ref: DistRef, targets: Sequence[Var], observed: Sequence[Var], values: dict[Var, Array], ctx: Context
) -> tuple[Scalar, Question]:
    """log p(targets | observed) at their values, and the question with all of them put in."""
    value, asked, _ = _given(ref, targets, observed, values, ctx)
    return value, asked


def _given(
    ref: DistRef, targets: Sequence[Var], observed: Sequence[Var], values: dict[Var, Array], ctx: Context
) -> tuple[Scalar, Question, Array | None]:
    """log p(targets | observed) at their values, the question, and the law that it was recognised as."""
    q = with_one_normal(question(ref, targets, observed, {v: a for v, a in values.items() if v not in targets}), ctx)
    q = with_labels(q)
    asked = replace(q, values=values)
    if not all(has_density(f.law) for f in q.factors):
        raise CannotDerive(f"the density `{ref.joint.name}` is not known: its marginals stay as they are", None, HERE)
    if not q.hidden and all(f.variables[0] in targets for f in q.factors):
        return log_joint(q.factors, values, ctx.quiet()), asked, None
    if q.hidden and all(_is_shared(h, q, targets) for h in q.hidden):
        found = _difference_of_masses(ref, q, asked, values, ctx)  # sums over the data, and no matrix of them
        if found is not None:
            return found, asked, None
    if len(targets) == 1 and row_of(q.factor_of(targets[0]).law) is not None:
        (z,) = targets
        try:
            law = law_given(q, ctx, not q.hidden).law
        except CannotDerive:
            law = None
        if law is not None:
            return log_density_at(law, values.get(z, z), ctx.quiet()), asked, law
    if q.hidden and (chain := chain_of_laws(asked, ctx.quiet())) is not None:
        return add(*(log_density_at(law, values.get(x, x), ctx.quiet()) for x, law in chain)), asked, None
    found = _difference_of_masses(ref, q, asked, values, ctx, True)
    assert found is not None
    if len(targets) == 1 and row_of(q.factor_of(targets[0]).law) is not None:
        (z,) = targets
        span = range_of(z, q, *bounds(q, z), ctx)
        if span is not None:
            found = on_its_support(found, z, span, open_tensor(values.get(z, z), ()), q.hidden)
    return found, asked, None


def _is_shared(h: Var, q: Question, targets: Sequence[Var]) -> bool:
    """Whether several entries of what is asked about hang on each entry of a hidden variable, whose entries are drawn apart."""
    if not h.rank:
        return any(t.rank for t in targets)
    law = next((f.law for f in q.factors if h in f.variables), None)
    row = row_of(law) if law is not None else None
    return row is not None and row.is_univariate and not row.shapes and all(h.rank < t.rank for t in targets)


def _difference_of_masses(
    ref: DistRef, q: Question, asked: Question, values: dict[Var, Array], ctx: Context, only_way: bool = False
) -> Scalar | None:
    """log p(targets, observed) - log p(observed), each with the rest integrated out; None where a rule is missing."""
    try:
        whole = integrated(log_joint(q.factors, values, ctx.quiet()), list(q.hidden), asked, ctx, only_way)
        less = below(ref, q)
        if less is None:
            return collected(whole)
        under = integrated(log_joint(less.factors, values, ctx.quiet()), list(less.hidden), less, ctx, only_way)
        return collected(sub(whole, under))
    except CannotDerive:
        if only_way:
            raise
        return None


def below(ref: DistRef, q: Question) -> Question | None:
    """What p(targets, observed) is divided by: the observed variables that the factors draw."""
    seen = [v for f in q.factors for v in f.variables if v in q.observed]
    if not seen:
        return None
    joint = Joint(ref.joint.name, q.factors)
    less = question(DistRef(joint, tuple(seen), ()), (), q.observed, q.values, False)
    return less if less.factors else None


def check_log_density(ref: DistRef, q: Question, made: Array, ctx: Context, law: Array | None = None) -> Evidence:
    """The referee of log p(targets | observed)."""
    if len(q.targets) == 1 and not q.hidden and len(q.factors) > 1:
        # a posterior: proportional to the joint density; that it is whole is its family's
        (z,) = q.targets
        if z not in q.values:
            body = log_joint(q.factors, q.values, ctx.quiet())
            return check_posterior(body, open_tensor(made, ()), law, z, ctx)
    less = below(ref, q)
    made = by_nodes(made, Context(facts=ctx.facts), lambda op: False)
    if not q.hidden and less is None:
        return check_equal_numeric(made, tensor((), log_joint(q.factors, q.values, ctx.quiet())), ctx.facts)
    if less is not None and not less.hidden:
        return check_integrated(q, made.args[0], ctx)
    found = check_log_mean(q, made, ctx, less)
    return check_by_candidates(q, made, ctx, less) if found.kind == "unknown" else found


def reduce_log_density_of(op: Operator, ctx: Context) -> Array:
    """log p(x) of a marginal, log p(z | x) of a posterior, log p(y | x) of a prediction."""
    (p,), options = decode(op)
    values: dict[Var, Array] = {v: options[k] for v, k in options["names"] if options[k] is not v}
    bound: dict[Array, Array] = {v: a for v, a in values.items() if isinstance(a, Var) and a.role == "random"}
    values = {v: a for v, a in values.items() if v not in bound}
    p = known(p, ctx)
    if all(isinstance(f.law, Operator) and f.law.name == "density" for f in p.joint.factors):
        return op  # of a density that is not known: its marginals stay as they are
    observed = [*p.joint.outside, *(g for g in p.given if g in p.joint.variables)]
    value, q, law = _given(p, p.variables, observed, values, ctx)
    free = tensor((), with_logs_of_powers(value, ctx))
    made = put_in(free, bound)
    looks_back = len(p.variables) == 1 and not q.hidden and len(q.factors) > 1
    if ctx.trace.steps:  # on the way of a derivation, it is one step
        ctx.trace.add(
            "Bayes" if looks_back else "marginal", op, made,
            reason="the posterior, by Bayes' rule" if looks_back else "the other variables integrated out",
        )  # fmt: skip
    else:

        def say(rule: str, before: Array, after: Array, reason: str) -> None:
            ctx.trace.add(rule, put_in(before, bound), made if after is free else put_in(after, bound), reason=reason)

        tell(op, p, q, free, law, say, ctx)
    ctx.trace.checks.append(lambda: check_log_density(p, q, free, ctx, law))
    return made


def _by_its_density(op: Operator, p: DistRef, x: Var, observed: Sequence[Var], ctx: Context) -> Array:
    """A law in no family of the table, by its density: means under it stay as they are."""
    value, q = log_density_given(p, [x], observed, {}, ctx)
    placeholder = var(x.name, x.shape, x.domain, "placeholder", x.domain_args, uid=3)
    law = formula_law(placeholder, tensor((), replace_arrays(value, {x: placeholder})), "", p.joint.name, True)
    asked = log_density(DistRef(p.joint, (x,), tuple(v for v in observed if v in p.joint.variables)), {})
    ctx.trace.add("Bayes", asked, tensor((), value), reason="Bayes' rule: in no family of the table")
    made = tensor((), value)
    ctx.trace.checks.append(lambda: check_log_density(p, q, made, ctx))
    return law


def _as_mixture(op: Operator, p: DistRef, q: Question, ctx: Context) -> Array | None:
    """What is seen leaves a mixture over a label that nobody has seen, by its density: means under it are those of its parts."""
    if not any(v in q.observed for f in q.factors for v in f.variables):
        return None
    try:
        mixed = mixture_given(p, q, list(q.observed), {}, ctx)
    except CannotDerive:
        return None
    if mixed is None:
        return None
    (x,) = q.targets
    asked, made = mixed
    placeholder = var(x.name, x.shape, x.domain, "placeholder", x.domain_args, uid=3)
    value = tensor((), made.log_density)
    law = formula_law(placeholder, tensor((), replace_arrays(made.log_sum, {x: placeholder})), "", p.joint.name, True)
    seen = tuple(v for v in q.observed if v in p.joint.variables)
    density = log_density(DistRef(p.joint, (x,), seen), {})
    ctx.trace.add("enumerate", density, value, reason=f"a mixture of {made.family} laws, over the values of {made.label}")
    ctx.trace.checks.append(lambda: check_hidden(asked, made.log_density, ctx))
    return law


def reduce_conditional_law(op: Operator, ctx: Context) -> Array:
    """The law of one variable given others, everything else integrated out."""
    (p,), options = decode(op)
    (x,) = options["x"]
    values: dict[Array, Array] = {v: options[k] for v, k in options["names"] if options[k] is not v}
    p = known(p, ctx)
    if not all(has_density(f.law) for f in p.joint.factors):
        return op  # of a density that is not known: means over it stay as they are
    observed = [*p.joint.outside, *(g for g in p.given if g in p.joint.variables)]
    q = with_labels(question(p, [x], observed))
    found = law_given(q, ctx, False)
    law = found.law
    if law is None:
        return put_in(_as_mixture(op, p, q, ctx) or _by_its_density(op, p, x, observed, ctx), values)
    made = put_in(law, values)
    ctx.trace.add("conditional", op, made, reason="the other variables integrated out" if q.hidden else "Bayes' rule")
    value = log_density_at(law, x, ctx.quiet())
    ctx.trace.checks.append(lambda: check_hidden(q, value, ctx) if q.hidden else check_posterior(found.body, value, law, x, ctx))
    return made


def put_in(array: Array, values: dict[Array, Array]) -> Array:
    """What was derived for any value, at those asked for."""
    made: Array = replace_arrays(array, values) if values else array
    return made


def reduce_marginal(op: Operator, ctx: Context) -> Array:
    """p(x) with the other variables integrated out."""
    (p,), options = decode(op)
    p = known(p, ctx)
    values: dict[Var, Array] = {v: options[k] for v, k in options["names"] if options[k] is not v}
    value, q, law = _given(p, options["x"], p.joint.outside, values, ctx)
    made = tensor((), simplified(fn("exp", value)))
    row = row_of(law) if law is not None else None
    start: Array = op
    for rule, mean, why in as_mean(q, ctx):
        ctx.trace.add(rule, start, mean, reason=why)
        start = mean
    reason = f"recognised: {row.called}" if row is not None else "the mean over what is not seen" if start is not op else ""
    ctx.trace.add("marginal", start, made, reason=reason or "the other variables integrated out")
    log = tensor((), value)
    ctx.trace.checks.append(lambda: check_log_density(p, q, log, ctx))
    return made
