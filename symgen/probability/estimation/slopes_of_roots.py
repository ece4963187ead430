"""Derivatives of roots: g(r, x) = 0 makes dr/dx = -(dg/dx)/(dg/dr), the implicit function theorem.

A step of Newton's from the root, held, has the value of the root and its first derivative: r - (g(r, x) - g)/g'(r), with g and the
slope held too, so that in the result they cancel; of two steps, g not held, the second derivatives are right as well.
"""

from __future__ import annotations

from symgen.calculus.gradient import jacobian
from symgen.derivation.context import Context
from symgen.probability.laws.reparameterisation import frozen
from symgen.tensor.expression import (
    MINUS_ONE,
    Array,
    Operator,
    Scalar,
    add,
    divide,
    entry,
    fresh_index,
    mul,
    open_tensor,
    power,
    replace_arrays,
    sub,
    tensor,
    variables_of,
    walk,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["with_slopes_of_roots"]

BINDERS = ("E", "Var", "Cov", "integral", "series", "root")
HERE = "symgen/probability/estimation/slopes_of_roots.py"


def with_slopes_of_roots(f: Array, ctx: Context, order: int) -> Array:
    """`f` in which roots have derivatives, up to the second."""
    done: dict[Array, Array] = {}
    bound = {v for n in walk(f) if isinstance(n, Operator) and n.name in BINDERS for v in n.attrs[0]}
    for n in list(walk(f)):
        if not (isinstance(n, Operator) and n.name == "root"):
            continue
        current = replace_arrays(n, done) if done else n
        assert isinstance(current, Operator)
        if not bound.isdisjoint(variables_of(current)):
            raise CannotDerive("a root that hangs on what is drawn, integrated or sought around it is not differentiated", n, HERE)
        if order > 2:
            raise CannotDerive("a root is differentiated once or twice", n, HERE)
        done[n] = _stepped(current, ctx, order)
    return replace_arrays(f, done) if done else f


def _stepped(root: Operator, ctx: Context, order: int) -> Array:
    (t,) = root.attrs[0]
    body = root.operands[0]
    own = [fresh_index(s) for s in root.shape]
    g = open_tensor(body, own)
    slope = open_tensor(jacobian(body, t, ctx.quiet()), own)

    def at(part: Scalar, value: Scalar) -> Scalar:
        made: Scalar = replace_arrays(part, {t: lambda: value})
        return made

    held = entry(frozen(root, ctx, f"_{t.name}"), *own)
    steep = at(slope, held)
    ctx.trace.add(
        "implicit", None, tensor(own, mul(MINUS_ONE, power(at(slope, entry(root, *own)), MINUS_ONE))),
        reason="the implicit function theorem: a root moves by this times what its equation moves",
        source="Rudin (1976), 9.28",
    )  # fmt: skip
    name = f"theta_{t.name}"
    ctx.trace.note(
        f"`{name}` is the root over `{t.name}`, held; `{name}_slope` how it moves, `{name}_gap` its equation there, which is 0"
    )
    if order == 1:
        kept = frozen(tensor(own, divide(MINUS_ONE, steep)), ctx, f"_{t.name}_slope")
        gap = sub(at(g, held), entry(frozen(tensor(own, at(g, held)), ctx, f"_{t.name}_gap", opened=True), *own))  # 0
        return tensor(own, add(held, mul(gap, entry(kept, *own))))
    once = sub(held, divide(at(g, held), steep))
    return tensor(own, sub(once, divide(at(g, once), at(slope, once))))
