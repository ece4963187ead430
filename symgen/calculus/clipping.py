"""Optima whose entries may be 0: water-filling, the projection onto the simplex, nonnegative least squares by entries.

Where the stationary entry is a_i nu - b_i in one level nu, the optimum is max(0, a_i nu - b_i); the level is the least of
(P + sum of w b over A)/(sum of w a over A) over the sets A of entries whose b/a is at most that of one of them: every set
bounds the level from above, and the set of the entries that are not 0 attains it. Boyd and Vandenberghe (2004), ex. 5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sympy

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.gradient import gradient
from symgen.calculus.scalar_optimum import Task
from symgen.derivation.context import Context
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    ZERO,
    Array,
    Scalar,
    Var,
    add,
    axis,
    compare,
    depends_on,
    divide,
    entry,
    fn,
    fold,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_negative, is_positive
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy

__all__ = ["clipped", "shrunk"]

General = Callable[[Task], tuple[Array, Sequence[Var]]]


def clipped(task: Task, general: General) -> Iterator[Array]:
    """The stationary point with negative entries at 0, the multiplier found anew."""
    x = task.x
    if x.domain not in ("nonnegative", "simplex") or (x.domain == "simplex" and x.rank != 1) or task.sign == 0:
        return
    solved, multipliers = general(task)
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    body = open_tensor(solved, axes)
    task.boundary = True
    if not multipliers:
        yield _told(task, tensor(axes, fn("max", ZERO, body)))
        return
    if len(multipliers) != 1 or multipliers[0].rank or x.rank != 1:
        return
    found = _level(task, body, multipliers[0], axes[0])
    if found is None:
        return
    level, slope, offset = found
    task.ctx.trace.add("multiplier", None, tensor((), level), where="nu", reason="the level at which the constraint holds")
    yield _told(task, tensor(axes, fn("max", ZERO, simplify_scalar(sub(mul(slope, level), offset), task.ctx.facts))))


def shrunk(task: Task, zero: Callable[[Task, Array, Scalar, list[Any]], Array]) -> Iterator[Array]:
    """Where |x| is added to what is smooth: the stationary entry on the right if it is positive, on the left if it is
    negative, else 0. Boyd and Vandenberghe (2004), 6.1.2.
    """
    x = task.x
    if x.domain != "real" or task.constraints or task.sign == 0 or not x.rank:
        return
    quiet = Context(facts=task.ctx.facts)
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    slope = gradient(task.f, [x], quiet, "free")[x]
    body = open_tensor(slope, axes)
    kink = fn("sign", entry(x, *axes))
    if kink not in set(walk(body)):
        return
    task.ctx.trace.add("stationarity", task.f, slope, where=f"d/d{x.name}", reason="away from 0, where |x| is smooth")
    sides = []
    for side in (num(1), num(-1)):
        piece = replace_scalars(body, {kink: side})
        plain = Task(task.f, x, (), 0, Context(facts=task.ctx.facts))
        sides.append(open_tensor(zero(plain, tensor(axes, piece), piece, axes), axes))
    right, left = sides
    found = tensor(axes, where(compare("<", ZERO, right), right, where(compare("<", left, ZERO), left, ZERO)))
    task.boundary = True
    task.ctx.trace.note("an entry is 0 where the slopes on both sides of 0 have different signs")
    task.ctx.trace.add("subdifferential", task.f, found, where=x.name, reason=f"the {task.word}, by the sign of the entry")
    yield found


def _told(task: Task, found: Array) -> Array:
    task.ctx.trace.note("entries whose stationary value is negative are 0")
    task.ctx.trace.add(
        "complementary_slackness", task.f, found, where=task.x.name,
        reason="an entry is 0, or stationary: Karush, Kuhn and Tucker", source="Boyd and Vandenberghe (2004), 5.5.3",
    )  # fmt: skip
    return found


def _level(task: Task, body: Scalar, m: Var, i: Any) -> tuple[Scalar, Scalar, Scalar] | None:
    """nu, a and b where the stationary entry is a nu - b, a > 0."""
    parts = _affine(task, body, m)
    weights = _weights(task)
    if parts is None or weights is None:
        return None
    a, b = parts
    w, whole = weights
    if is_negative(a, task.ctx.facts):
        a = neg(a)
    if not is_positive(a, task.ctx.facts) or not is_positive(w, task.ctx.facts):
        return None
    if not a.free:  # the level is measured in units of the entries
        a = num(1)
    j, k = fresh_index(i.size), fresh_index(i.size)
    place = divide(b, a)
    inside = compare("<=", substitute(place, {i: k}), substitute(place, {i: j}))

    def summed(t: Scalar) -> Scalar:
        return total(where(inside, substitute(t, {i: k}), ZERO), [k])

    level = fold("min", divide(add(whole, summed(mul(w, b))), summed(mul(w, a))), [j])
    return level, a, b


def _affine(task: Task, body: Scalar, m: Var) -> tuple[Scalar, Scalar] | None:
    """a and b where `body` is a nu - b for nu = lambda or 1/lambda."""
    table = Table(task.ctx.facts, generic=True)
    t = table.symbol(entry(m), real=True)
    try:
        e = to_sympy(body, table)
    except NotInSymPy:
        return None
    u = sympy.Dummy("nu", real=True)
    for other in (u, 1 / u):
        put = sympy.expand(e.subs(t, other))
        a = sympy.simplify(sympy.diff(put, u))
        if a == 0 or a.has(u) or a.has(t):
            continue
        b = sympy.simplify(-(put - a * u))
        if not b.has(u):
            return from_sympy(a, table), from_sympy(b, table)
    return None


def _weights(task: Task) -> tuple[Scalar, Scalar] | None:
    """w and P where the constraint is sum w_i x_i = P, up to sign."""
    (c,) = task.constraints
    quiet = Context(facts=task.ctx.facts)
    slope = gradient(c, [task.x], quiet, "free")[task.x]
    if depends_on(slope, task.x):
        return None
    w = open_tensor(slope, [axis(0, task.x.shape[0])])
    constant = replace_arrays(entry(c), {task.x: lambda *_: ZERO})
    if is_negative(w, task.ctx.facts):
        return neg(w), constant
    return w, neg(constant)
