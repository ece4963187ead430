"""Optima of sums over the entries, each of which is chosen by itself, and of what a norm is added to.

min_x sum_i g_i(x_i) is attained entry by entry, kinks included. min_x k/2 |x - a|^2 + c |x| is a shrunk towards 0: at 0
where k |a| <= c, else (1 - c/(k |a|)) a, for the slope of the norm has length 1 (Parikh and Boyd (2014), 6.5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.curvature import flat
from symgen.calculus.hessian import hessian
from symgen.calculus.scalar_optimum import Task, optimum_in_one
from symgen.calculus.solving import RANGES
from symgen.derivation.context import Context
from symgen.tensor.build import same_size
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Delta,
    Entry,
    Index,
    Mul,
    Pow,
    Scalar,
    Sum,
    Tensor,
    add,
    axis,
    compare,
    delta,
    depends_on,
    divide,
    entry,
    mul,
    open_sum,
    open_tensor,
    power,
    replace_arrays,
    substitute,
    tensor,
    total,
    var,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_nonnegative

__all__ = ["diagonally", "entry_by_entry", "shrunk_by_norm"]

Solve = Callable[[Task], Iterator[Array]]


def entry_by_entry(task: Task) -> Iterator[Array]:
    """sum_i g_i(x_i): the optimum of each g_i."""
    x = task.x
    if not x.rank or task.constraints or not task.sign or x.domain not in RANGES:
        return
    places = [axis(k, s) for k, s in enumerate(x.shape)]
    body = _of_an_entry(task, places)
    if body is None:
        return
    best = optimum_in_one(task, body, entry(x, *places))
    if best is not None:
        found = tensor(places, simplify_scalar(best, task.ctx.facts))
        task.ctx.trace.add("separate", task.f, found, where=x.name, reason=f"each entry has its own {task.word}")
        yield found


def _of_an_entry(task: Task, places: list[Index]) -> Scalar | None:
    """The part of f that holds the entry of x at `places`, where every part holds one entry."""
    x = task.x
    whole = flat(task.f)
    if not isinstance(whole, Tensor):
        return None
    parts: list[Scalar] = []
    for term in whole.body.args if isinstance(whole.body, Add) else (whole.body,):
        if not depends_on(term, x):
            continue
        factors = list(term.args) if isinstance(term, Mul) else [term]
        moving = [f for f in factors if depends_on(f, x)]
        if len(moving) != 1 or not isinstance(moving[0], Sum):
            return None
        body, bound = open_sum(moving[0])
        at = {n.indices for n in walk(body) if isinstance(n, Entry) and n.array is x}
        if len(at) != 1:
            return None
        (own,) = at
        if not all(isinstance(i, Index) and i in bound for i in own) or len(set(own)) < len(own):
            return None
        if any(isinstance(n, Sum) and depends_on(n, x) for n in walk(body)):
            return None
        rest = [i for i in bound if i not in own]
        inner = total(body, rest)
        if not all(same_size(i.size, p.size) for i, p in zip(own, places, strict=True) if isinstance(i, Index)):
            return None
        put = {i: p for i, p in zip(own, places, strict=True) if isinstance(i, Index)}
        parts.append(mul(*(f for f in factors if f is not moving[0]), substitute(inner, put)))
    return add(*parts)


def shrunk_by_norm(task: Task, solve: Solve) -> Iterator[Array]:
    """k/2 |x - a|^2 + c |x|, also for groups of entries."""
    x = task.x
    if task.constraints or task.sign != -1 or x.domain != "real" or not x.rank:
        return
    whole = flat(task.f)
    if not isinstance(whole, Tensor):
        return
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    terms = whole.body.args if isinstance(whole.body, Add) else (whole.body,)
    norms = [(t, n) for t in terms if (n := _norm_of(t, task, axes)) is not None]
    if len(norms) != 1:
        return
    (chosen, (weight, group)), *_ = norms
    rest = tensor((), add(*(t for t in terms if t is not chosen)))
    curvature = _roundness(rest, task)
    if curvature is None:
        return
    plain = Task(rest, x, (), -1, Context(facts=task.ctx.facts, names=task.ctx.names))
    for free in solve(plain):
        body = open_tensor(free, axes)
        length = power(total(power(body, TWO), group), HALF)
        stays = compare("<=", mul(curvature, length), weight)
        shrunk = mul(add(ONE, mul(MINUS_ONE, divide(weight, mul(curvature, length)))), body)
        found = tensor(axes, where(stays, ZERO, shrunk))
        task.boundary = True
        reason = "the slope of the norm has length 1, and any length up to 1 at 0: the optimum without it is shrunk"
        task.ctx.trace.add("subdifferential", task.f, found, where=x.name, reason=reason, source="Parikh and Boyd (2014), 6.5.1")
        yield found


def _norm_of(term: Scalar, task: Task, axes: list[Index]) -> tuple[Scalar, list[Index]] | None:
    """(c, axes of a group) for c |x|, or for c sum of the norms of the rows or columns of x."""
    x = task.x
    factors = list(term.args) if isinstance(term, Mul) else [term]
    moving = [f for f in factors if depends_on(f, x)]
    weight = mul(*(f for f in factors if f not in moving))
    if len(moving) != 1:
        return None
    root = moving[0]
    put: dict[Index, Index] = {}
    if isinstance(root, Sum):
        root, outer = open_sum(root)
        fixed = [f for f in (root.args if isinstance(root, Mul) else (root,)) if not depends_on(f, x)]
        inner = [f for f in (root.args if isinstance(root, Mul) else (root,)) if f not in fixed]
        if len(inner) != 1:
            return None
        root, weight = inner[0], mul(weight, *fixed)
    else:
        outer = []
    if not (isinstance(root, Pow) and root.exponent is HALF and isinstance(root.base, Sum)):
        return None
    body, bound = open_sum(root.base)
    if not (isinstance(body, Pow) and body.exponent is TWO and isinstance(body.base, Entry) and body.base.array is x):
        return None
    own = body.base.indices
    if set(own) != {*bound, *outer} or len(own) != len(bound) + len(outer) or not is_nonnegative(weight, task.ctx.facts):
        return None
    put = {i: a for i, a in zip(own, axes, strict=True) if isinstance(i, Index)}
    return substitute(weight, put), [put[i] for i in bound]


def _roundness(f: Array, task: Task) -> Scalar | None:
    """k where the Hessian is k I, for a k that is free of x and positive."""
    x = task.x
    second = hessian(f, x, Context(facts=task.ctx.facts), "free")
    one, other = ([axis(k + x.rank * side, n) for k, n in enumerate(x.shape)] for side in (0, 1))
    body = open_tensor(second, (*one, *other))
    factors = list(body.args) if isinstance(body, Mul) else [body]
    rest = mul(*(f for f in factors if not isinstance(f, Delta)))
    whole = mul(rest, *(delta(i, j) for i, j in zip(one, other, strict=True)))
    return rest if whole is body and not rest.free and not depends_on(rest, x) else None


def diagonally(task: Task, solve: Solve) -> Iterator[Array]:
    """Over diagonal matrices: the optimum over their diagonals."""
    x = task.x
    if x.domain != "diagonal" or task.constraints or x.rank != 2:
        return
    d = var(x.name, x.shape[:1], "real", x.role, uid=x.uid + 7500)
    f = replace_arrays(task.f, {x: lambda i, j: mul(delta(i, j), entry(d, i))})
    plain = Task(f, d, (), task.sign, task.ctx)
    i, j = axis(0, x.shape[0]), axis(1, x.shape[1])
    for found in solve(plain):
        task.conditional = plain.conditional
        yield tensor((i, j), mul(delta(i, j), open_tensor(found, (i,))))
