"""Moment matching: the member of a family with the mean and variance of another distribution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.derivation.referee import check_equal_numeric
from symgen.probability.bayes.marginal import known
from symgen.probability.divergences.divergence import reduce_expectation
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.texts import value_text
from symgen.probability.forms.collect import collected, difference_of_means
from symgen.probability.forms.scaled import with_roots_taken
from symgen.probability.laws.densities import log_density_at, parameters
from symgen.probability.laws.joint import DistRef, decode, draws_of, expectation, full_law
from symgen.probability.laws.law import LAW, row_of
from symgen.probability.means.conjugate import tidy
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    Array,
    Index,
    Operator,
    Scalar,
    Var,
    entry,
    fn,
    fresh_index,
    mul,
    open_tensor,
    operator,
    sub,
    substitute,
    tensor,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/families/distributions.py"


@dataclass
class MomentMatch:
    """The family, its parameters by name, the density as an expression over the variable."""

    family: str
    parameters: dict[str, Array]
    density: Array
    evidence: Evidence | None = field(default=None, repr=False)


def reduce_moment_match(op: Operator, ctx: Context) -> MomentMatch:
    """The parameters of q at which E_q x = E_p x and, as far as q has more of them, Var_q x = Var_p x."""
    (q, p), _ = decode(op)
    q, p = known(q, ctx), known(p, ctx)
    z = q.variables[0]
    factor = q.joint.factor_of(z)
    assert factor is not None
    row = row_of(factor.law)
    if row is None or len(q.variables) != 1:
        raise CannotDerive("moments are matched by one variable of a family of the table", op, HERE)
    if not row.moments:
        raise CannotDerive(f"the parameters of a {row.name} are not found from its mean and variance in closed form", op, HERE)
    x = next((v for v in p.variables if v.name == z.name), None) or _the_one(p, z, op)
    draws = draws_of(p, [x])
    mean = _reduced(x, draws, ctx)
    at = [fresh_index(s) for s in x.shape]
    scope: dict[str, Value] = {}
    if row.own_rank == 0:
        if any("variance" in text for text in row.moments.values()):
            square = tensor(at, mul(entry(x, *at), entry(x, *at)))
            second = open_tensor(_reduced(square, draws, ctx), at)
            m = open_tensor(mean, at)
            scope["variance"] = Value((), _short(sub(second, mul(m, m))))
        scope["mean"] = Value((), open_tensor(mean, at))
        batch: list[Index] = at
    else:
        batch, i = at[:-1], at[-1]
        j = fresh_index(x.shape[-1])
        scope["mean"] = Value((i,), open_tensor(mean, at))
        if any("covariance" in text for text in row.moments.values()):
            product = tensor([*at, j], mul(entry(x, *at), entry(x, *batch, j)))
            second = open_tensor(_reduced(product, draws, ctx), [*at, j])
            m = open_tensor(mean, at)
            scope["covariance"] = Value((i, j), _short(sub(second, mul(m, substitute(m, {i: j})))))
    found = {n: value_text(text, {**scope}) for n, text in row.moments.items()}
    made = {n: tensor([*batch, *v.indices], _tidied(v, ctx)) for n, v in found.items()}
    law = full_law(operator(row.name, [made[n] for n in row.parameters], x.shape, (LAW,)), x.shape)
    ctx.trace.add("moments", op, law, reason=f"a {row.name} with the mean and variance of the other")
    ctx.trace.checks.append(lambda: _check(row, law, scope, batch, ctx))
    density = tensor((), fn("exp", log_density_at(law, z, ctx.quiet())))
    return MomentMatch(row.name, made, density)


def _the_one(p: DistRef, z: Var, op: Operator) -> Var:
    if len(p.variables) != 1 or p.variables[0].rank != z.rank:
        raise CannotDerive(f"which variable of `{p.joint.name}` has the moments of `{z.name}`? Write p(x)", op, HERE)
    return p.variables[0]


def _reduced(body: Array, draws: list[tuple[Var, Array]], ctx: Context) -> Array:
    mean = expectation(body, draws)
    assert isinstance(mean, Operator)
    made = reduce_expectation(mean, ctx)
    if isinstance(made, Operator) and made.name == "E":
        raise CannotDerive("a moment of the other distribution has no closed form", mean, HERE)
    return made


def _tidied(v: Value, ctx: Context) -> Scalar:
    return collected(v.body) if v.indices else with_roots_taken(simplify_scalar(tidy(v.body), ctx.facts), ctx)


def _short(x: Scalar) -> Scalar:
    return tidy(difference_of_means(x))


def _check(row: Distribution, law: Array, scope: dict[str, Value], batch: list[Index], ctx: Context) -> Evidence:
    """The moments that the table knows of the family, at these parameters, are those asked for."""
    worst: Evidence | None = None
    for name, wanted in scope.items():
        if name not in row.known:
            return Evidence("unknown", method="moments", tried=(f"the {name} of a {row.name} is not in the table",))
        got: Any = parameters(law, Context()).value(row.known[name], batch)
        same = dict(zip(got.indices, wanted.indices, strict=True))
        axes = [*batch, *wanted.indices]
        found = check_equal_numeric(tensor(axes, substitute(got.body, same)), tensor(axes, wanted.body), ctx.facts)
        worst = found if worst is None or found.kind != "checked" else worst
    assert worst is not None
    return worst
