"""Second derivatives: the Jacobian of the gradient, and its product with a vector without forming it."""

from __future__ import annotations

from symgen.calculus.finished import finished
from symgen.calculus.gradient import gradient, jacobian
from symgen.derivation.context import Context
from symgen.tensor.expression import Array, axis, entry, mul, open_tensor, operator, replace_arrays, tensor, total, var
from symgen.tensor.facts import is_symmetric
from symgen.text.diagnostics import CannotDerive


def hessian(f: Array, x: Array, ctx: Context, form: str | None = None) -> Array:
    """The matrix of second derivatives: the axes of `x` twice, both slots within the set of `x`.

    By a scalar of rank 0 it is the second derivative. `f` of a higher rank has its own axes first.
    """
    first = gradient(f, [x], ctx, form)[x] if f.rank == 0 else jacobian(f, x, ctx, form)
    result = jacobian(first, x, ctx, form)
    ctx.trace.add("hessian", operator("hessian", (f, x), result.shape), result, where=ctx.name_of(x) or "")
    return result


def hvp(f: Array, x: Array, v: Array, ctx: Context, form: str | None = None) -> Array:
    """The Hessian times `v`, as the gradient of <grad f, v>: no array larger than `x` is formed.

    Pearlmutter (1994).
    """
    if v.shape != x.shape:
        raise CannotDerive("the vector of a Hessian-vector product has the shape of the variable", v)
    first = gradient(f, [x], ctx, form)[x]
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    fixed = var("v", x.shape, "real", "placeholder", uid=13)  # v is held fixed, also where it is made from x
    slope = tensor((), total(mul(entry(first, *axes), entry(fixed, *axes)), axes))
    result: Array = replace_arrays(gradient(slope, [x], ctx, form)[x], {fixed: v})
    if v.rank > 1 and is_symmetric(v):  # of v and v', which were two, one is left
        result = tensor(axes, finished(open_tensor(result, axes), ctx))
    ctx.trace.add(
        "hessian_vector_product", operator("hvp", (f, x, v), result.shape), result, where=ctx.name_of(x) or "",
        reason="the gradient of <grad f, v>", source="Pearlmutter (1994)",
    )  # fmt: skip
    return result
