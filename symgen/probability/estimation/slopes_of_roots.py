"""Derivatives of roots: g(r, x) = 0 makes dr/dx = -(dg/dx)/(dg/dr), the implicit function theorem.

r - (g(r, x) - g)/g'(r), where r, g and the slope are held, has the value of the root and its first derivative, and what is held
comes back after the derivative is taken, so that it cancels. With d = g(r, x) - g,
    r - d/g'(r, x) - g'' d^2/(2 g'^3)
has the second.
"""

from __future__ import annotations

from symgen.calculus.gradient import jacobian
from symgen.derivation.context import Context
from symgen.probability.laws.reparameterisation import frozen
from symgen.tensor.expression import (
    MINUS_ONE,
    TWO,
    Array,
    Operator,
    Scalar,
    add,
    divide,
    entry,
    fresh_index,
    mul,
    num,
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
    slope = jacobian(body, t, ctx.quiet())

    def at(part: Array, value: Scalar) -> Scalar:
        made: Scalar = replace_arrays(open_tensor(part, own), {t: lambda: value})
        return made

    def held_as(value: Scalar, word: str, opened: bool = False) -> tuple[str, Scalar]:
        place = frozen(tensor(own, value), ctx, f"_{t.name}_{word}", opened)
        return place.name, entry(place, *own)

    place = frozen(root, ctx, f"_{t.name}")
    held = entry(place, *own)
    steep = at(slope, held)
    ctx.trace.add(
        "implicit", None, tensor(own, mul(MINUS_ONE, power(at(slope, entry(root, *own)), MINUS_ONE))),
        reason="the implicit function theorem: a root moves by this times what its equation moves",
        source="Rudin (1976), 9.28",
    )  # fmt: skip
    called, level = held_as(at(body, held), "level", opened=True)
    gap = sub(at(body, held), level)
    said = f"`{place.name}` is the root over `{t.name}`, held, and `{called}` its equation there, 0"
    if order == 1:
        word, kept = held_as(divide(MINUS_ONE, steep), "slope")
        ctx.trace.note(f"{said}; `{word}` is how it moves")
        return tensor(own, add(held, mul(gap, kept)))
    bend = at(jacobian(slope, t, ctx.quiet()), held)
    word, kept = held_as(divide(bend, mul(TWO, power(steep, num(3)))), "bend")
    ctx.trace.note(f"{said}; `{word}` is how its slope moves")
    return tensor(own, sub(sub(held, divide(gap, steep)), mul(kept, power(gap, TWO))))
