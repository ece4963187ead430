"""Gradients and Jacobians: reverse mode over the statements of a program, symbolic inside each statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symgen.calculus.finished import finished
from symgen.calculus.known_forms import with_known_forms
from symgen.calculus.removable import with_met, with_slopes_at_equality
from symgen.calculus.reverse import Reverse, active_arrays, program_of
from symgen.calculus.rules import has_delta
from symgen.calculus.structured import KINDS, why_within, within_set
from symgen.calculus.tangent import NoForwardRule, tangent
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Index,
    Mul,
    Operation,
    Operator,
    Recurrence,
    Scalar,
    Tensor,
    Var,
    add,
    axis,
    delta,
    fresh_index,
    mul,
    operator,
    substitute,
    tensor,
    uncollected,
)  # fmt: skip
from symgen.tensor.operations import OPERATIONS
from symgen.text.diagnostics import CannotDerive


@dataclass
class Gradients:
    """`by` holds the gradient of a scalar by each variable, in the shape of the variable."""

    by: dict[str, Array]
    of: Array = field(repr=False)
    variables: tuple[Array, ...] = field(repr=False)
    evidence: Evidence | None = field(default=None, repr=False)


def gradient(f: Array, xs: Sequence[Array], ctx: Context, form: str | None = None) -> dict[Array, Array]:
    """The gradient of the scalar `f` by each of `xs`, in the shape of each.

    An `x` is a variable, an array of the program (then its adjoint, the gradient by its value), or an entry or slice of
    one of these. By a variable that is declared symmetric, spd, diagonal, lower, skew, orthogonal or simplex it is the
    gradient within its set, unless `form` is "free", or "tied" (partial derivatives by the free entries).
    Raises CannotDerive with the sub-expression where a rule is missing. Giles (2008); Griewank and Walther (2008), 3.
    """
    if f.rank:
        raise CannotDerive("the gradient is of a scalar; `jacobian` differentiates an array", f)
    if all(isinstance(x, Var) for x in xs):
        f, met = with_slopes_at_equality(with_known_forms(f, ctx), xs, ctx)
        if met:
            return {x: with_met(g, met) for x, g in gradient_of(f, xs, ctx, form).items()}
    return gradient_of(f, xs, ctx, form)


def gradient_of(f: Array, xs: Sequence[Array], ctx: Context, form: str | None) -> dict[Array, Array]:
    if len(xs) == 1 and xs[0].rank == 0 and form is None and has_shorter_front(f, xs[0]):
        forward = by_scalar(f, xs[0], ctx)
        if forward is not None:
            return {xs[0]: forward}
    return differentiate(f, xs, ctx, (), ONE, form)


def jacobian(f: Array, x: Array, ctx: Context, form: str | None = None) -> Array:
    """The derivative of every entry of `f` by every entry of `x`: the axes of `f`, then the axes of `x`."""
    if isinstance(x, Var):
        f, met = with_slopes_at_equality(with_known_forms(f, ctx), [x], ctx)
        if met:
            return with_met(jacobian_of(f, x, ctx, form), met)
    return jacobian_of(f, x, ctx, form)


def jacobian_of(f: Array, x: Array, ctx: Context, form: str | None) -> Array:
    if x.rank == 0 and form is None and (f.rank > 0 or has_shorter_front(f, x)):
        found = by_scalar(f, x, ctx)
        if found is not None:
            return found
    own = [axis(k, s) for k, s in enumerate(f.shape)]
    lifted = [fresh_index(s) for s in f.shape]
    seed = mul(*(delta(i, j) for i, j in zip(own, lifted, strict=True)))
    return differentiate(f, (x,), ctx, lifted, seed, form)[x]


def has_shorter_front(f: Array, x: Array) -> bool:
    """Whether an operation on the way is shorter in forward mode: A expm(t A) for the derivative of expm(t A) by t."""
    program = program_of(f)
    active, _ = active_arrays(program, {x})
    return any(isinstance(a, Operation) and a.name in OPERATIONS and OPERATIONS[a.name].commuting for a in active)


def by_scalar(f: Array, x: Array, ctx: Context) -> Array | None:
    """The derivative of an array by a scalar in forward mode; None where a rule for that is missing."""
    program = program_of(f)
    inside = set(program)
    if x not in inside or any(isinstance(a, (Recurrence, Operator)) for a in program):
        return None
    steps = len(ctx.trace.steps)
    with uncollected():
        active, _ = active_arrays(program, {x})
        try:
            body = finished(tangent(f, x, program, active, ctx), ctx)
        except NoForwardRule:
            del ctx.trace.steps[steps:]
            return None
        result = tensor([axis(k, s) for k, s in enumerate(f.shape)], body)
    ctx.trace.add("forward", operator("d", (f, x), f.shape), result, where=ctx.name_of(f) or "")
    return result


def differentiate(
    f: Array, xs: Sequence[Array], ctx: Context, lifted: Sequence[Index], seed: Scalar, form: str | None
) -> dict[Array, Array]:
    """The sum over entries of `seed` times f, by each of `xs`; the lifted axes stand first in the results."""
    with uncollected():
        return _differentiate(f, xs, ctx, lifted, seed, form)


def _differentiate(
    f: Array, xs: Sequence[Array], ctx: Context, lifted: Sequence[Index], seed: Scalar, form: str | None
) -> dict[Array, Array]:
    program = program_of(f)
    inside = set(program)
    sources = {x: source_of(x, inside) for x in xs}
    free_ones = {s for s, _ in sources.values() if form == "free" and isinstance(s, Var) and s.domain in KINDS}
    sweep = Reverse(f, {s for s, _ in sources.values()}, ctx, lifted, program, next(iter(free_ones), None))
    sweep.run(seed)
    out: dict[Array, Array] = {}
    for x in xs:
        source, at = sources[x]
        free = source if isinstance(source, Var) and source in free_ones else None
        body = finished(sweep.adjoints.get(source, ZERO), ctx, free)
        within = ""
        if isinstance(source, Var):
            projected = within_set(body, source, ctx, form)
            if projected is not body:
                if sweep.differentials is None and at is None and body is not ZERO:
                    own = [axis(k, s) for k, s in enumerate(source.shape)]
                    sweep.explain(source, tensor((*lifted, *own), spread(body) if lifted else body), form="free")
                    within = why_within(source, ctx, form)
                body = finished(projected, ctx)
        if lifted:
            body = spread(body)
        own = [axis(k, s) for k, s in enumerate(source.shape)]
        if at is not None:
            indices = [fresh_index(s) for s in x.shape]
            values = [substitute(i, dict(zip(at[0], indices, strict=True))) for i in at[1]]
            body, own = substitute(body, dict(zip(own, values, strict=True))), indices
        out[x] = result = tensor((*lifted, *own), body)
        if body is ZERO:
            before = operator("jacobian" if lifted else "grad", (f, x), result.shape)
            ctx.trace.add("independent", before, result, where=ctx.name_of(x) or "", reason="it is constant in it")
        elif sweep.differentials is not None:
            sweep.differentials.read_off(source if at is None else x, result)
        else:
            rule = "gradient_within_set" if within else "chain_rule"
            sweep.explain(source if at is None else x, result, rule, within)
    return out


def spread(body: Scalar) -> Scalar:
    """p_j (Delta(i, j) - p_i) as Delta(i, j) p_j - p_i p_j: diag(p) - p p'."""
    if type(body) is not Mul:
        return body
    for f in body.args:
        if type(f) is Add and len(f.args) <= 4:
            with_delta = [has_delta(t) for t in f.args]
            if any(with_delta) and not all(with_delta):
                rest = mul(*(g for g in body.args if g is not f))
                if not has_delta(rest):
                    return add(*(mul(rest, t) for t in f.args))
    return body


def source_of(x: Array, program: set[Array]) -> tuple[Array, tuple[tuple[Index, ...], tuple[Scalar, ...]] | None]:
    """The array that `x` is taken from: itself, or W for an entry or a slice of W (with its indices in W)."""
    if x in program or not isinstance(x, Tensor) or not isinstance(x.body, Entry):
        return x, None
    if isinstance(x.body.array, (Var, Tensor, Operation)) and all(_is_place(i) for i in x.body.indices):
        return x.body.array, (x.axes, x.body.indices)
    return x, None


def _is_place(index: Scalar) -> bool:
    return not any(isinstance(n, Entry) for n in (index, *index.args))
