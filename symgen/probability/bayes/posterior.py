"""Posteriors as records: family, parameters, density, with the steps that lead there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.bayes.candidate import check_hidden
from symgen.probability.bayes.conditional import Found, bounds, law_given
from symgen.probability.bayes.marginal import check_log_density, known, log_density_given, with_logs_of_powers
from symgen.probability.bayes.mixtures import Mixture, mixture_given, with_labels
from symgen.probability.bayes.posterior_checks import check_integrated, check_posterior
from symgen.probability.families.composites import recognised
from symgen.probability.families.texts import read_array
from symgen.probability.forms.collect import collected
from symgen.probability.forms.scaled import inverse, scale_and_core
from symgen.probability.forms.special import simplified
from symgen.probability.forms.terms import opened
from symgen.probability.laws.counts_left import Counted, counted
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.elimination import HERE, Question, log_joint, opened_in, question
from symgen.probability.laws.finite import counted_as_nothing
from symgen.probability.laws.joint import DistRef, decode, log_density
from symgen.probability.laws.law import formula_law, has_density, row_of
from symgen.probability.means.conjugate import tidy
from symgen.probability.means.gig import Between, generalised_inverse_gaussian
from symgen.probability.means.hidden_chains import check_path, is_chain, states_given, states_told
from symgen.probability.means.normal_referee import check_normal
from symgen.probability.means.own_density import normalised_formula
from symgen.probability.means.quadrature import check_mean
from symgen.probability.means.sequences import with_one_normal
from symgen.probability.means.state_spaces import filtered, is_gaussian_chain, smoothed, states_of
from symgen.tensor.expression import (
    INF,
    ZERO,
    Array,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    fn,
    fresh_index,
    open_tensor,
    replace_arrays,
    scalar_of,
    sub,
    tensor,
    var,
    variables_of,
    walk,
)
from symgen.text.diagnostics import CannotDerive

Named = tuple[str, tuple[str, ...], tuple[str, ...], Array | tuple[str, dict[str, Any]]]


@dataclass
class Posterior:
    """p(z | given): the family, its parameters by name, the density as an expression over z. `laws` are those of the
    variables in the order in which they are drawn, as (distribution, drawn, given, law): a law, or a family and its
    parameters."""

    family: str
    parameters: dict[str, Any]
    density: Array
    evidence: Evidence | None = field(default=None, repr=False)
    laws: tuple[Named, ...] = field(default=(), repr=False)


def reduce_posterior(op: Operator, ctx: Context) -> Posterior:
    """p(z | x) is p(x, z) up to a factor free of z. Several variables: p(z1 | x) p(z2 | z1, x)."""
    (p,), options = decode(op)
    zs: tuple[Var, ...] = options["z"]
    values: dict[Var, Any] = {v: options[k] for v, k in options["names"] if options[k] is not v and v not in zs}
    p = known(p, ctx)
    given = options["given"] or tuple(v for v in p.joint.variables if v not in zs)
    observed = [*p.joint.outside, *(g for g in given if g not in p.joint.outside)]
    if len(zs) > 1:
        return _jointly(p, zs, observed, values, ctx)
    (z,) = zs
    q = with_labels(with_one_normal(question(p, zs, observed, values), ctx))
    unknown = next((f for f in q.factors if not has_density(f.law)), None)
    if unknown is not None:
        raise CannotDerive(f"the density `{unknown.name}` is not known, so its posterior has no closed form", unknown.law, HERE)
    start = _bayes(p, q, ctx)
    if row_of(q.factor_of(z).law) is None:
        return _of_own_densities(p, q, start, observed, values, ctx)
    mixed = mixture_given(p, q, observed, values, ctx)
    if mixed is not None:
        return _mixture(*mixed, start, ctx)
    is_own = any(row_of(f.law) is None for f in q.factors)
    found = _with_own_densities(q, ctx) if is_own else law_given(q, ctx)
    if found is None or is_own and found.law is None:
        return _of_own_densities(p, q, start, observed, values, ctx)
    if found.law is None and (left := counted(found.body, z, q, bounds(q, z)[0], ctx.quiet())) is not None:
        return _shifted(q, found.body, left, start, ctx)
    between = generalised_inverse_gaussian(found.body, z, q.factor_of(z).law, ctx.quiet()) if found.law is None else None
    if between is not None:
        return _between(q, found.body, between, start, ctx)
    if found.law is None:
        value = _in_no_family(p, z, observed, values, ctx)
        log_q = tensor((), value)
        ctx.trace.add("integrate", start, log_q, reason="the other variables integrated out; it is in no family of the table")
        ctx.trace.checks.append(lambda: check_log_density(p, q, log_q, ctx))
        return Posterior("none of the table", {}, tensor((), fn("exp", value)))
    told = ctx.quiet()
    if is_gaussian_chain(found.law):
        told.trace.names.update(ctx.trace.names)  # what has a letter keeps it
        value = log_density_at(found.law, z, told)
    else:
        value = with_logs_of_powers(log_density_at(found.law, z, told), ctx)
    if any(n is INF for n in walk(found.law)):
        value = counted_as_nothing(value, z)
    row = row_of(found.law)
    assert row is not None
    ctx.trace.add("recognise", start, tensor((), value), reason=f"recognised by its statistics: {row.called}")
    parameters = {n: a for n, a in zip(row.parameters, found.law.args, strict=False) if isinstance(a, Array)}
    if is_gaussian_chain(found.law):
        parameters = smoothed(filtered(states_of(q, z), ctx.quiet()), z, ctx.quiet())[1]
    if is_chain(found.law):
        parameters = states_given(found.body, z, q.factor_of(z).law, ctx)[1]
        path, body = parameters["most_likely"], found.body
        ctx.trace.checks.append(lambda: check_path(body, z, q.factor_of(z).law, path, ctx))
        states, shown = states_told(z, parameters["marginals"])
        ctx.trace.checks.append(lambda: check_mean(states, [(z, found.law)], shown, ctx.facts))  # type: ignore[list-item]
    ctx.trace.checks.append(lambda: _check(q, found.body, value, found.law, ctx))
    laws = (named_law(p, zs, observed, found.law),)
    return Posterior(row.name, parameters, tensor((), fn("exp", value)), laws=laws)


def _with_own_densities(q: Question, ctx: Context) -> Found | None:
    """The law of a target whose own law is of the table, beside densities of one's own; None where a rule is missing."""
    try:
        return law_given(q, ctx)
    except CannotDerive:
        return None


def _of_own_densities(
    p: DistRef, q: Question, start: Array, observed: list[Var], values: dict[Var, Any], ctx: Context
) -> Posterior:
    """The posterior within a joint of densities of one's own: of a family of the table where its form is that of one."""
    (z,) = q.targets
    value = _in_no_family(p, z, observed, values, ctx)
    place = var(z.name, z.shape, z.domain, "placeholder", z.domain_args, uid=3)
    log_q = tensor((), value)
    found = normalised_formula(formula_law(place, replace_arrays(log_q, {z: place}), "", p.joint.name), ctx)
    row = row_of(found[0]) if found is not None else None
    told = "in no family of the table" if row is None else f"it is a {row.name}"
    ctx.trace.add("integrate", start, log_q, reason=f"divided by what is left when `{z.name}` is integrated out; {told}")
    ctx.trace.checks.append(lambda: check_log_density(p, q, log_q, ctx))
    if found is None or row is None:
        return Posterior("none of the table", {}, tensor((), simplified(fn("exp", value))))
    law = found[0]
    assert isinstance(law, Operator)
    parameters = {n: a for n, a in zip(row.parameters, law.args, strict=False) if isinstance(a, Array)}
    density = tensor((), fn("exp", log_density_at(law, z, ctx.quiet())))
    return Posterior(row.name, parameters, density, laws=(named_law(p, (z,), observed, law),))


def _shifted(q: Question, body: Scalar, left: Counted, start: Array, ctx: Context) -> Posterior:
    """What is left of a count, of which some were seen: z - shift is of the family."""
    value = collected(sub(body, left.log_mass))
    (z,) = q.targets
    name = left.family if left.shift is ZERO else f"shifted {left.family}"
    reason = f"recognised by its lgammas: {z.name} less what was seen is a {left.family}"
    ctx.trace.add("recognise", start, tensor((), value), reason=reason)
    ctx.trace.checks.append(lambda: check_integrated(q, value, ctx))
    parameters = {n: tensor((), a) for n, a in left.parameters.items()}
    if left.shift is not ZERO:
        parameters["shift"] = tensor((), left.shift)
    return Posterior(name, parameters, tensor((), fn("exp", value)))


def _between(q: Question, body: Scalar, left: Between, start: Array, ctx: Context) -> Posterior:
    """A family that has no row: its density and its parameters."""
    value = with_logs_of_powers(left.log_density, ctx)
    reason = "recognised by its statistics: log z, z and 1/z, a generalised inverse Gaussian"
    ctx.trace.add("recognise", start, tensor((), value), reason=reason)
    ctx.trace.checks.append(lambda: _check(q, body, value, None, ctx))
    return Posterior("GeneralizedInverseGaussian", dict(left.parameters), tensor((), fn("exp", value)))


def named_law(p: DistRef, zs: Sequence[Var], seen: Sequence[Var], law: Array | tuple[str, dict[str, Any]]) -> Named:
    """p(zs | seen) and what it is."""
    own = [v.name for v in seen if v in p.joint.variables or v in p.joint.outside]
    return p.joint.name, tuple(v.name for v in zs), tuple(dict.fromkeys(own)), law


def _in_no_family(p: DistRef, z: Var, observed: Sequence[Var], values: dict[Var, Array], ctx: Context) -> Scalar:
    """The log-density of a posterior that no row of the table describes: the joint density over what is left of it."""
    try:
        return log_density_given(p, [z], observed, values, ctx)[0]
    except CannotDerive as error:
        if "`elbo(q, p)`" in str(error):
            raise
        text = f"the posterior of `{z.name}` is in no family of the table, and its normaliser has no closed form"
        raise CannotDerive(text, error.expression, HERE) from error


def _bayes(p: DistRef, q: Question, ctx: Context) -> Array:
    """The steps up to the log joint density: log p(z | x) = log p(x | z) + log p(z) - log p(x)."""
    given = tuple(v for v in q.observed if v in p.joint.variables)
    asked = log_density(DistRef(p.joint, q.targets, given), q.values)
    if q.hidden:
        names = ", ".join(f"`{v.name}`" for v in q.hidden)
        ctx.trace.notes.append(f"{names} integrated out")
        return asked
    seen = tuple(v for f in q.factors for v in f.variables if v in q.observed)
    if not seen:
        return asked
    written = log_joint(q.factors, q.values, ctx.quiet())
    evidence = scalar_of(log_density(DistRef(p.joint, seen, tuple(v for v in given if v not in seen)), q.values))
    made = tensor((), sub(written, evidence))
    ctx.trace.add("Bayes", asked, made, reason="Bayes' rule, with the log-densities put in")
    return made


def _check(q: Question, body: Scalar, value: Scalar, law: Array | None, ctx: Context) -> Evidence:
    if law is not None and is_gaussian_chain(law):
        return check_normal(q, value, ctx) or Evidence("unknown", tried=("a mean that is not linear",))
    return check_hidden(q, value, ctx) if q.hidden else check_posterior(body, value, law, q.targets[0], ctx)


def _mixture(q: Question, made: Mixture, start: Array, ctx: Context) -> Posterior:
    """A finite variable that nobody has seen makes the posterior a mixture over its values."""
    value = made.log_density
    ctx.trace.add("enumerate", start, tensor((), value), reason=f"over the values of {made.label}")
    ctx.trace.checks.append(lambda: check_hidden(q, value, ctx))
    parameters = {"weights": made.weights, **made.parameters}
    return Posterior(f"mixture of {made.family}", parameters, tensor((), fn("exp", value)))


def _jointly(p: DistRef, zs: Sequence[Var], observed: Sequence[Var], values: dict[Var, Array], ctx: Context) -> Posterior:
    """p(z1, z2 | x) = p(z1 | x) p(z2 | z1, x), in the order in which they are drawn."""
    ordered = [v for v in p.joint.variables if v in zs]
    seen = list(observed)
    parts: list[tuple[Var, Array]] = []
    total: list[Scalar] = []
    laws: list[Named] = []
    for z in ordered:
        q = question(p, [z], seen, values)
        found = law_given(q, ctx)
        if found.law is None:
            raise CannotDerive(f"the posterior of `{z.name}` is in no family of the table", None, HERE)
        value = with_logs_of_powers(log_density_at(found.law, z, ctx.quiet()), ctx)
        asked = log_density(DistRef(p.joint, (z,), tuple(v for v in seen if v in p.joint.variables)), values)
        row = row_of(found.law)
        assert row is not None
        ctx.trace.add("recognise", asked, tensor((), value), reason=f"recognised by its statistics: {row.called}")
        ctx.trace.checks.append(
            lambda q=q, found=found, value=value: _check(q, found.body, value, found.law, ctx)  # type: ignore[misc]
        )
        laws.append(named_law(p, [z], [*reversed([v for v, _ in parts]), *observed], found.law))
        parts.append((z, found.law))
        total.append(value)
        seen.append(z)
    density = tensor((), fn("exp", add(*total)))
    rows = {z.name: row_of(law) for z, law in parts}
    parameters = {
        z.name: dict(zip(row_of(law).parameters, law.args, strict=False))  # type: ignore[union-attr]
        for z, law in parts
    }
    whole = _as_composite(parts, ctx)
    if whole is not None:
        name, made, own = whole
        return Posterior(name, made, density, laws=(named_law(p, own, observed, (name, made)),))
    return Posterior(", ".join(r.name for r in rows.values() if r is not None), parameters, density, laws=tuple(laws))


def _as_composite(parts: Sequence[tuple[Var, Array]], ctx: Context) -> tuple[str, dict[str, Any], list[Var]] | None:
    """Gamma and Normal as one NormalGamma, where the second hangs on the first as that family says; with its variables in
    the order of the family."""
    names = {z.name: row.name for z, law in parts if (row := row_of(law)) is not None}
    found = recognised(names)
    if found is None or len(parts) != len(found.factors):
        return None
    scope: dict[str, Array] = {}
    for (z, law), (role, _, _) in zip(parts, found.factors, strict=True):
        row = row_of(law)
        assert row is not None
        scope[role] = z
        scope.update({f"{role}_{n}": a for n, a in zip(row.parameters, law.args, strict=False) if isinstance(a, Array)})
        scaled = scale_and_core(scope[f"{role}_Sigma"]) if f"{role}_Sigma" in scope else None
        if scaled is not None and any(scaled[1] is v or scaled[1] is inverse(v) for v, _ in parts):
            scope[f"{role}_scale"] = tensor((), scaled[0])
    if any("_scale" in text and not any(k.endswith("_scale") for k in scope) for text in found.inverse.values()):
        return None
    out: dict[str, Any] = {}
    for name, text in found.inverse.items():
        made = read_array(text, scope)
        at = [fresh_index(s) for s in made.shape]
        body = open_tensor(made, at)
        for z, _ in parts:
            body = opened_in(body, z)
        body = opened(body, lambda n: any(isinstance(a, Tensor) and not a.rank for a in walk(n)))
        body = collected(body) if at else simplify_scalar(tidy(body), ctx.facts)
        if any(z in variables_of(body) for z, _ in parts):
            return None
        out[name] = tensor(at, body)
    own = {role: z for (z, _), (role, _, _) in zip(parts, found.factors, strict=True)}
    return found.name, out, [own[role] for role in found.variables]


__all__ = ["Posterior", "reduce_posterior"]
