"""Posteriors, marginals and normalisers: by matching statistics, by completing the square, by enumeration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgen.calculus.gradient import gradient, jacobian
from symgen.calculus.hessian import hessian
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence, Trace
from symgen.derivation.referee import check_equal_numeric
from symgen.probability.collect import collected
from symgen.probability.conjugate import Kernel, families_on, kernel_of, recognised, tidy, with_support_of
from symgen.probability.densities import log_density_at
from symgen.probability.expectation import Expectation
from symgen.probability.joint import DistRef, Factor, decode, draws_of, full_law
from symgen.probability.knowledge import Knowledge
from symgen.probability.law import LAW, row_of
from symgen.probability.quadrature import check_mean
from symgen.probability.special import simplified
from symgen.probability.terms import depends_on_any, entries_in, opened, with_value
from symgen.tensor.evaluate import Point, evaluate, size_of
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Index,
    Mul,
    Operator,
    Scalar,
    Sum,
    Var,
    add,
    delta,
    depends_on,
    entry,
    expand_size,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operation,
    operator,
    power,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    variables_of,
)  # fmt: skip
from symgen.tensor.sample import generator, random_point, simple_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive, InternalError

HERE = "symgen/probability/conjugate.py"


@dataclass
class Posterior:
    """p(z | given): the family, its parameters by name, the density as an expression over z."""

    family: str
    parameters: dict[str, Array]
    density: Array
    evidence: Evidence | None = field(default=None, repr=False)
    law: Array | None = field(default=None, repr=False)


def quiet(ctx: Context) -> Context:
    return Context(Trace(), ctx.facts, ctx.names, ctx.deadline)


def log_joint(factors: list[Factor], values: dict[Var, Array], ctx: Context) -> Scalar:
    """The sum of the log-densities of factors, at values for what is given."""
    terms: list[Scalar] = []
    for f in factors:
        if row_of(f.law) is None:
            raise CannotDerive(f"the density `{f.name}` is not known, so its posterior has no closed form", f.law, HERE)
        law = replace_arrays(f.law, values) if values else f.law
        at = values.get(f.variables[0], f.variables[0])
        terms.append(log_density_at(law, at, ctx))
    return add(*terms)


def posterior_law(ref: DistRef, z: Var, values: dict[Var, Array], ctx: Context) -> tuple[Array, Scalar]:
    """The law of z given the other variables of the joint, and the log joint density."""
    relevant = [f for f in ref.joint.factors if z in f.variables or z in f.given or depends_on(f.law, z)]
    own = ref.joint.factor_of(z)
    if own is None:
        raise CannotDerive(f"`{z.name}` is not drawn by `{ref.joint.name}`", None)
    body = log_joint(relevant, values, quiet(ctx))
    prior = row_of(own.law)
    assert prior is not None
    finite = _by_enumeration(body, z, own, ctx)
    if finite is not None:
        return finite, body
    if prior.name == "Dirichlet":
        found = _dirichlet(body, z, ctx)
        if found is not None:
            return found, body
    kernel = kernel_of(body, z, prior, quiet(ctx)) if prior.is_univariate else None
    if kernel is not None:
        match = recognised(kernel, z, with_support_of(prior), quiet(ctx))
        if match is not None:
            operands = [tensor(kernel.axes, match.parameters[n]) for n in match.row.parameters]
            return operator(match.row.name, operands, z.shape, (LAW,)), body
    gaussian = _by_completing_the_square(body, z, ctx)
    if gaussian is not None:
        return gaussian, body
    raise CannotDerive(f"the posterior of `{z.name}` is in no family of the table", None, HERE)


def _by_enumeration(body: Scalar, z: Var, own: Factor, ctx: Context) -> Array | None:
    """A finite latent variable: the weights are a softmax of the log joint density at its values."""
    row = row_of(own.law)
    assert row is not None
    if row.name not in ("Bernoulli", "Categorical", "OneHotCategorical"):
        return None
    rank = z.rank - row.own_rank
    axes = [fresh_index(s) for s in z.shape[:rank]]
    local = _per_entry(body, z, axes)
    if local is None:
        raise CannotDerive(f"the entries of `{z.name}` are not independent given the rest", None, HERE)
    if row.name == "Bernoulli":
        odds = sub(with_value(local, z, lambda *_: ONE), with_value(local, z, lambda *_: ZERO))
        return operator("Bernoulli", [tensor(axes, fn("sigmoid", collected(odds)))], z.shape, (LAW,))
    size = z.shape[-1] if row.own_rank else _classes(own.law)
    k = fresh_index(size)
    if row.name == "Categorical":
        weight = with_value(local, z, lambda *_: k)
    else:
        weight = with_value(local, z, lambda *at: delta(at[-1], k))
    logits = tensor([*axes, k], weight)
    return operator(row.name, [operation("softmax", (logits,), logits.shape)], z.shape, (LAW,))


def _classes(law: Array) -> Scalar:
    p = law.args[0]
    assert isinstance(p, Array)
    return p.shape[-1]


def _per_entry(body: Scalar, z: Var, axes: list[Index]) -> Scalar | None:
    """f with body = sum over axes of f(z[axes]) + what is free of z."""
    if not axes:
        return add(*(t for t in (body.args if isinstance(body, Add) else (body,)) if z in variables_of(t)))
    body = opened(body, depends_on_any(frozenset((z,))))
    out: list[Scalar] = []
    for t in body.args if isinstance(body, Add) else (body,):
        if z not in variables_of(t):
            continue
        coefficient: Scalar = ONE
        if isinstance(t, Mul):
            sums = [f for f in t.args if isinstance(f, Sum)]
            if len(sums) != 1:
                return None
            coefficient, t = mul(*(f for f in t.args if f is not sums[0])), sums[0]
        if not isinstance(t, Sum):
            return None
        inner, indices = open_sum(t)
        entries = entries_in(inner, frozenset((z,)))
        if entries is None or len(entries) != 1 or any(i not in indices for i in entries[0].indices):
            return None
        at = entries[0].indices
        rest = [i for i in indices if i not in at]
        mapping: dict[Index, Scalar] = dict(zip(at, axes, strict=False))
        out.append(mul(coefficient, total(substitute(inner, mapping), rest)))
    return add(*out)


def _dirichlet(body: Scalar, z: Var, ctx: Context) -> Array | None:
    """c_i log z_i terms: a Dirichlet at c + 1."""
    row = next(r for r in (row_of(operator("Dirichlet", ())),) if r is not None)
    kernel = kernel_of(body, z, row, quiet(ctx))
    if kernel is None:
        return None
    wanted = fn("log", entry(z, *kernel.axes))
    if any(a is not wanted for a in kernel.statistics):
        return None
    alpha = tidy(add(kernel.statistics.get(wanted, ZERO), ONE))
    return operator("Dirichlet", [tensor(kernel.axes, alpha)], z.shape, (LAW,))


def _by_completing_the_square(body: Scalar, z: Var, ctx: Context) -> Array | None:
    """A log-density quadratic in a vector: precision = -Hessian, mean = precision^-1 gradient at 0.

    Bishop (2006), 2.3.3.
    """
    if z.rank != 1:
        return None
    f = tensor((), body)
    bend = hessian(f, z, quiet(ctx))
    if z in variables_of(bend):
        return None
    i, j = fresh_index(z.shape[0]), fresh_index(z.shape[0])
    precision = tensor([i, j], collected(neg(open_tensor(bend, (i, j)))))
    ctx.trace.names.setdefault(precision, "Lambda")
    slope = gradient(f, [z], quiet(ctx))[z]
    at_zero = collected(with_value(open_tensor(slope, (i,)), z, lambda *_: ZERO))
    covariance = operation("inv", (precision,), (z.shape[0], z.shape[0]))
    mean = tensor([j], total(mul(entry(covariance, j, i), at_zero), [i]))
    return operator("MvNormal", [mean, covariance, precision], z.shape, (LAW, "precision"))


def reduce_posterior(op: Operator, ctx: Context) -> Posterior:
    """p(z | x) is p(x, z) up to a factor free of z."""
    (p,), options = decode(op)
    values: dict[Var, Any] = {v: options[k] for v, k in options.get("names", ())}
    zs = options["z"]
    if len(zs) != 1:
        raise CannotDerive("the posterior of several variables at once has no rule: ask for them one by one", op, HERE)
    z: Var = zs[0]
    law, body = posterior_law(p, z, values, ctx)
    joint = tensor((), body)
    ctx.trace.add("Bayes", None, joint, reason=f"log p({z.name}, ..) as a function of {z.name}, up to a constant")
    density = tensor((), fn("exp", log_density_at(law, z, quiet(ctx))))
    row = row_of(law)
    assert row is not None
    ctx.trace.add("recognise", joint, law, reason=f"the statistics of a {row.name}")
    named = {n: a for n, a in zip(row.parameters, law.args, strict=False) if isinstance(a, Array)}
    ctx.trace.checks.append(lambda: _check(body, law, z, ctx))
    return Posterior(row.name, named, density, None, law)


def _check(body: Scalar, law: Array, z: Var, ctx: Context) -> Evidence:
    """log p(x, z) - log p(z | x) must not depend on z: its gradient by z, or its differences, vanish."""
    difference = sub(body, log_density_at(law, z, quiet(ctx)))
    row = row_of(law)
    if row is not None and row.region.discrete:
        return _check_values(difference, law, z, ctx)
    slope = gradient(tensor((), difference), [z], quiet(ctx))[z]
    zero = tensor([fresh_index(s) for s in z.shape], ZERO)
    return check_equal_numeric(slope, zero, ctx.facts)


def _check_values(difference: Scalar, law: Array, z: Var, ctx: Context) -> Evidence:
    """log p(x, z) - log p(z | x) at several values of a finite z: they must agree."""
    row = row_of(law)
    assert row is not None
    free = [v for v in variables_of(difference) if v is not z]
    rng = generator("values", *sorted(v.name for v in free))
    roots = [tensor((), difference), law]
    for sizes in simple_sizes(sizes_in(roots, [*free, z]), {}, ctx.facts.assumptions if ctx.facts else (), top=3):
        if any(n < 2 for n in sizes.values()):
            continue
        done, worst = 0, 0.0
        for _ in range(3):
            point = random_point(free, sizes, rng, 0, ctx.facts.assumptions if ctx.facts else ())
            if point is None:
                continue
            found = []
            for _ in range(4):
                point.values[z] = _random_value(row.name, law, z, point, rng)
                found.append(float(evaluate([tensor((), difference)], point)[0]))
            gap = max(found) - min(found)
            if not gap < 1e-8 * max(1.0, *map(abs, found)):
                raise InternalError(f"a posterior is not proportional to the joint density: {min(found)} and {max(found)}")
            worst, done = max(worst, gap), done + 1
        return Evidence("checked", digits=12 if worst < 1e-12 else 8, points=done, method="differences over its values")
    return Evidence("unknown", method="differences over its values", tried=("no sizes were found",))


def _random_value(name: str, law: Array, z: Var, point: Point, rng: Any) -> Any:
    shape = tuple(size_of(s, point.sizes) for s in z.shape)
    if name == "OneHotCategorical":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    count = 2 if name == "Bernoulli" else size_of(_classes(law), point.sizes)
    return np.asarray(rng.integers(0, count, shape), dtype=np.float64)


def marginal_law(p: DistRef, x: Var, ctx: Context) -> Array:
    """The law of one variable of a joint: what it hangs on is integrated out, in a family of the table."""
    own = p.joint.factor_of(x)
    if own is None:
        raise CannotDerive(f"`{x.name}` is not drawn by `{p.joint.name}`", None)
    hidden = [g for g in own.given if g in p.joint.variables]
    if not hidden:
        return own.law
    if len(hidden) != 1:
        raise CannotDerive(f"the marginal of `{x.name}` over several variables has no rule", None, HERE)
    z = hidden[0]
    above = marginal_law(p, z, ctx)
    upper, lower = row_of(above), row_of(own.law)
    if upper is None or lower is None:
        raise CannotDerive(f"the marginal of `{x.name}` has no closed form: a density is not known", None, HERE)
    gaussian = ("Normal", "MvNormal")
    if upper.name in gaussian and lower.name in gaussian:
        found = _gaussian_marginal(x, own, z, above, ctx)
        if found is not None:
            return found
    raise CannotDerive(f"the marginal law of `{x.name}` is in no family that symgen finds", None, HERE)


def _gaussian_marginal(x: Var, own: Factor, z: Var, above: Array, ctx: Context) -> Array | None:
    """x | z normal with a mean linear in z and a scale free of z: mean and covariance of x by iterated expectation."""
    whole = full_law(own.law, x.shape)
    assert isinstance(whole, Operator)
    mean, scale = whole.args[0], whole.args[1]
    assert isinstance(mean, Array) and isinstance(scale, Array)
    if z in variables_of(scale):
        return None
    bend_free = _is_linear(mean, z, ctx)
    if not bend_free:
        return None
    draws = [(z, above)]
    i = [fresh_index(s) for s in x.shape]
    first = Expectation(draws, quiet(ctx)).mean(open_tensor(mean, i)).value
    if x.rank == 0:
        at = open_tensor(mean, ())
        second = Expectation(draws, quiet(ctx)).mean(mul(at, at)).value
        variance = collected(add(second, neg(mul(first, first)), mul(open_tensor(scale, ()), open_tensor(scale, ()))))
        return operator("Normal", [tensor((), collected(first)), tensor((), fn("sqrt", variance))], (), (LAW,))
    if x.rank != 1:
        return None
    j = [fresh_index(s) for s in x.shape]
    product = Expectation(draws, quiet(ctx)).mean(mul(open_tensor(mean, i), open_tensor(mean, j))).value
    between = sub(product, mul(first, substitute(first, dict(zip(i, j, strict=True)))))
    row = row_of(own.law)
    if row is not None and row.name == "Normal":
        within = mul(delta(i[0], j[0]), power(open_tensor(scale, i), num(2)))
    else:
        within = open_tensor(scale, (i[0], j[0]))
    covariance = tensor([i[0], j[0]], collected(add(between, within)))
    return operator("MvNormal", [tensor(i, collected(first)), covariance], x.shape, (LAW,))


def _is_linear(f: Array, z: Var, ctx: Context) -> bool:
    return z not in variables_of(jacobian(f, z, quiet(ctx)))


def reduce_marginal(op: Operator, ctx: Context) -> Array:
    """log p(x) with the other variables integrated out: by enumeration, or by Bayes' rule."""
    (p,), options = decode(op)
    xs = options["x"]
    if len(xs) != 1:
        raise CannotDerive("the marginal of several variables at once has no rule", op, HERE)
    x: Var = xs[0]
    made = tensor((), simplified(fn("exp", marginal_log_density(p, x, {}, ctx))))
    ctx.trace.add("marginal", op, made, reason="the other variables integrated out")
    ctx.trace.checks.append(lambda: check_marginal(p, x, made, ctx))
    return made


def check_marginal(p: DistRef, x: Var, result: Array, ctx: Context) -> Evidence:
    """The density of x given what is above it, averaged over that."""
    own = p.joint.factor_of(x)
    assert own is not None
    if row_of(own.law) is None:
        return Evidence("unknown", method="quadrature", tried=("a density that is not known",))
    draws = draws_of(DistRef(p.joint, (x,), p.given))[:-1]
    conditional = tensor((), fn("exp", log_density_at(own.law, x, quiet(ctx))))
    return check_mean(conditional, draws, result, ctx.facts)


def marginal_log_density(p: DistRef, x: Var, values: dict[Var, Array], ctx: Context) -> Scalar:
    """log p(x) at its value."""
    own = p.joint.factor_of(x)
    assert own is not None
    at = values.get(x, x)
    hidden = [g for g in own.given if g in p.joint.variables]
    if not hidden:
        return log_density_at(own.law, at, quiet(ctx))
    try:
        return log_density_at(marginal_law(p, x, ctx), at, quiet(ctx))
    except CannotDerive:
        pass
    if len(hidden) != 1:
        raise CannotDerive(f"the marginal of `{x.name}` over several variables has no rule", None, HERE)
    z = hidden[0]
    above = marginal_law(p, z, ctx)
    small = DistRef(type(p.joint)(p.joint.name, (Factor(p.joint.name, (z,), (), above), own)), (x, z))
    law, body = posterior_law(small, z, values, ctx)
    row = row_of(law)
    assert row is not None
    if row.name in ("Bernoulli", "Categorical", "OneHotCategorical"):
        return _summed_out(body, z, above)
    # log p(x) = log p(x, z) - log p(z | x): the statistics cancel, the constants stay
    a, b = kernel_of(body, z, row, quiet(ctx)), kernel_of(log_density_at(law, z, quiet(ctx)), z, row, quiet(ctx))
    if a is None or b is None:
        raise CannotDerive(f"the marginal of `{x.name}` has no closed form", None, HERE)
    return collected(sub(a.constant, b.constant))


def _summed_out(body: Scalar, z: Var, above: Array) -> Scalar:
    """The log of the sum over the values of a finite z, entry by entry."""
    row = row_of(above)
    assert row is not None
    axes = [fresh_index(s) for s in z.shape[: z.rank - row.own_rank]]
    local = _per_entry(body, z, axes)
    if local is None:
        raise CannotDerive(f"the entries of `{z.name}` are not independent given the rest", None, HERE)
    free = add(*(t for t in (body.args if isinstance(body, Add) else (body,)) if z not in variables_of(t)))
    size = num(2) if row.name == "Bernoulli" else z.shape[-1] if row.own_rank else _classes(above)
    k = fresh_index(size)
    if row.name == "Bernoulli":
        off, on = with_value(local, z, lambda *_: ZERO), with_value(local, z, lambda *_: ONE)
        weight = add(mul(delta(k, ZERO), off), mul(delta(k, ONE), on))
    elif row.name == "Categorical":
        weight = with_value(local, z, lambda *_: k)
    else:
        weight = with_value(local, z, lambda *at: delta(at[-1], k))
    logits = tensor([*axes, k], weight)
    return add(free, total(entry(operation("logsumexp", (logits,), logits.shape[:-1]), *axes), axes))


def normalised_formula(law: Array, ctx: Context) -> tuple[Array, Scalar] | None:
    """A density of one's own as a law of the table, and the value of its normaliser."""
    assert isinstance(law, Operator)
    placeholder, name = law.attrs[1], law.attrs[2]
    body = law.args[0]
    assert isinstance(body, Array)
    scalar = open_tensor(body, ())
    z = next((v for v in variables_of(body) if v.role == "normaliser" and v.name == name), None)
    supports = {"positive": "positive", "unit": "unit", "real": "real", "natural": "natural", "binary": "binary"}
    rows = families_on(supports.get(placeholder.domain, placeholder.domain))
    for row in rows:
        kernel = kernel_of(scalar, placeholder, row, quiet(ctx))
        if kernel is None:
            continue
        match = recognised(kernel, placeholder, [row], quiet(ctx))
        if match is None or not _admissible(match.parameters, row, ctx):
            continue
        made = operator(
            row.name, [tensor(kernel.axes, match.parameters[n]) for n in row.parameters], placeholder.shape, (LAW,)
        )
        own = kernel_of(log_density_at(made, placeholder, quiet(ctx)), placeholder, row, quiet(ctx))
        if own is None:
            continue
        gap = sub(kernel.constant, own.constant)
        if z is not None:
            gap = add(gap, fn("log", entry(z)))  # log f = .. - log Z
            return made, collected(fn("exp", gap))
        if expand_size(collected(gap)) is ZERO or collected(gap) is ZERO:
            return made, ONE
    return None


def _admissible(found: dict[str, Scalar], row: Any, ctx: Context) -> bool:
    know = Knowledge(ctx)
    return all(know.positive(found[n]) is not False for n, d in row.parameters.items() if d == "positive")


__all__ = ["Kernel", "Posterior", "reduce_posterior"]
