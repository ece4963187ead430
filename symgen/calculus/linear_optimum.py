"""Zeros of gradients that are affine: one linear solve, and whether its matrix is definite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.convexity import is_strictly_convex
from symgen.calculus.gradient import jacobian
from symgen.calculus.scalar_optimum import Task
from symgen.calculus.separate import distribute, terms_of
from symgen.calculus.two_sided import without_common_side
from symgen.derivation.context import Context
from symgen.tensor.evaluate import FLOAT, NotEvaluable, evaluate
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Delta,
    Entry,
    Index,
    Mul,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    axis,
    depends_on,
    divide,
    entry,
    fresh_index,
    mul,
    neg,
    open_tensor,
    operation,
    replace_arrays,
    substitute,
    tensor,
    total,
    variables_of,
)  # fmt: skip
from symgen.tensor.facts import is_negative, is_positive, is_spd, is_symmetric
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive

__all__ = ["linear_zero"]

HERE = "symgen/calculus/linear_optimum.py"


def linear_zero(task: Task, slope: Array, body: Scalar, axes: list[Index], quiet: Context) -> Array:
    """A x + b = 0: x = -inv(A) b, for a vector, or a matrix of which A acts on one axis."""
    x = task.x
    derivative = jacobian(slope, x, quiet, "free")
    if depends_on(derivative, x):
        raise CannotDerive(
            f"the gradient is neither affine in `{x.name}` nor entry by entry: its zero has no closed form that symgen knows",
            slope,
            HERE,
        )
    n = x.rank
    if simplify_scalar(open_tensor(derivative, [axis(k, s) for k, s in enumerate(derivative.shape)])) is ZERO:
        raise CannotDerive(
            f"the gradient does not change with `{x.name}` but at kinks: if there is an optimum, it lies on one, and symgen "
            "does not look there",
            slope,
            HERE,
        )
    rows, columns = axes, [axis(n + k, s) for k, s in enumerate(x.shape)]
    A = add(*_multiplied_out(open_tensor(derivative, [*rows, *columns])))
    b = replace_arrays(body, {x: lambda *_: ZERO})
    acts = _acting_axis(A, rows, columns)
    common = without_common_side(A, add(*_multiplied_out(b)), rows, columns) if acts is None else None
    if common is not None:
        A, b, side = common
        reason = "it stands in every term, and has an inverse: it is left out"
        task.ctx.trace.add("multiply", None, side, where=x.name, reason=reason)
        acts = _acting_axis(A, rows, columns)
    if acts is None:
        raise CannotDerive("the linear system of the stationarity mixes several axes", derivative, HERE)
    i, j = rows[acts], columns[acts]
    scale = _common_scale(A, i, j)
    A = add(*(divide(t, scale) for t in terms_of(_without_deltas(A, rows, columns, acts))))
    b = add(*(divide(t, scale) for t in _multiplied_out(b)))
    A = substitute(A, {c: r for m, (r, c) in enumerate(zip(rows, columns, strict=True)) if m != acts})
    own = _own_scale(A, i, j)  # of one system each: 1/v[r] before one matrix for all rows r
    if own is not ONE:
        A = add(*(divide(t, own) for t in terms_of(A)))
        b, scale = add(*(divide(t, own) for t in terms_of(b))), mul(scale, own)
    batch = [r for r in rows if r is not i and r in A.free]  # one system for each value of these
    p, q = fresh_index(i.size), fresh_index(j.size)
    matrix = tensor((*batch, p, q), substitute(A, {i: p, j: q}))
    square = isinstance(matrix, Tensor) and i.size is j.size
    turned = tensor((*batch, p, q), substitute(A, {i: q, j: p})) if square else matrix
    if isinstance(turned, Var) and is_symmetric(turned):  # inv(S) for inv(S')
        matrix = turned
    _definite(task, matrix, scale)
    inverse = operation("inv", (matrix,), matrix.shape)
    k = fresh_index(j.size)
    solved = total(mul(entry(inverse, *batch, i, k), neg(substitute(b, {i: k}))), [k])
    return tensor(axes, solved)


def _multiplied_out(s: Scalar) -> list[Scalar]:
    return distribute(s, lambda n: isinstance(n, Scalar) and not isinstance(n, Sum) and _has_delta(n))


def _has_delta(n: Any) -> bool:
    stack = [n]
    while stack:
        m = stack.pop()
        if isinstance(m, Delta):
            return True
        if m.is_scalar_node and not isinstance(m, Sum | Entry):
            stack.extend(m.args)
    return False


def _factors(t: Scalar) -> tuple[Scalar, ...]:
    return t.args if isinstance(t, Mul) else (t,)


def _acting_axis(A: Scalar, rows: Sequence[Index], columns: Sequence[Index]) -> int | None:
    """The axis on which A acts: every term holds Delta(row, column) of all the others."""
    for k in range(len(rows)):
        others = [(r, c) for m, (r, c) in enumerate(zip(rows, columns, strict=True)) if m != k]
        if all(all(_delta_factor(t, r, c) is not None for r, c in others) for t in terms_of(A)):
            return k
    return None


def _delta_factor(t: Scalar, r: Index, c: Index) -> Scalar | None:
    return next((f for f in _factors(t) if isinstance(f, Delta) and set(f.args) == {r, c}), None)


def _without_deltas(A: Scalar, rows: Sequence[Index], columns: Sequence[Index], acts: int) -> Scalar:
    out = []
    for t in terms_of(A):
        gone = [_delta_factor(t, r, c) for m, (r, c) in enumerate(zip(rows, columns, strict=True)) if m != acts]
        out.append(mul(*(f for f in _factors(t) if f not in gone)))
    return add(*out)


def _common_scale(A: Scalar, i: Index, j: Index) -> Scalar:
    """The scalar before the first term that is not a multiple of the identity: the system is divided by it."""
    terms = terms_of(A)
    chosen = next((t for t in terms if _delta_factor(t, i, j) is None), terms[0])
    return mul(*(f for f in _factors(chosen) if not f.free and not isinstance(f, Sum)))


def _own_scale(A: Scalar, i: Index, j: Index) -> Scalar:
    """What all terms have as a factor that hangs on the axes along which A does not act."""
    terms = terms_of(A)
    return mul(*(f for f in _factors(terms[0]) if f.free and f.free.isdisjoint((i, j)) and all(f in _factors(t) for t in terms)))


def _definite(task: Task, matrix: Array, scale: Scalar) -> None:
    """The second-order check: the Hessian, `scale` times the matrix, is definite."""
    if task.sign == 0:
        task.ctx.trace.require("the matrix of the linear system is invertible")
        return
    facts = task.ctx.facts
    sign = 1 if is_positive(scale, facts) else -1 if is_negative(scale, facts) else 0
    definite = is_spd(matrix, facts)
    if definite and sign == -task.sign:
        task.ctx.trace.note(f"the Hessian is {'positive' if task.sign == -1 else 'negative'} definite")
    elif definite and sign == task.sign:
        raise CannotDerive(f"the second-order check fails: the Hessian has the wrong sign for a {task.word}", matrix)
    else:
        told = task.f if task.sign == -1 else tensor((), neg(entry(task.f)))
        if is_strictly_convex(told, task.x, facts):
            word = "convex" if task.sign == -1 else "concave"
            task.ctx.trace.note(f"strictly {word} in {task.x.name}, by the rules of composition")
            return
        if _is_singular(matrix):
            raise CannotDerive(f"there is no single {task.word}: the Hessian is singular", matrix)
        task.ctx.trace.require(f"the Hessian is {'positive' if task.sign == -1 else 'negative'} definite (not shown)")
        task.conditional = True


def _is_singular(matrix: Array) -> bool:
    """Whether a matrix has no inverse at random points, for certain: all its values are known there."""
    variables = sorted(variables_of(matrix), key=lambda v: (v.name, v.uid))
    sizes = sizes_in([matrix], variables)
    rng = generator("singular", *(v.name for v in variables))
    seen = []
    for attempt in range(16):  # X'X has an inverse for some sizes
        values = random_sizes(sizes, {}, rng, (), 3 + attempt % 4)
        point = None if values is None else random_point(variables, values, rng, 0)
        if point is None:
            continue
        try:
            m = np.asarray(evaluate([matrix], point, FLOAT)[0], dtype=float)
        except (NotEvaluable, np.linalg.LinAlgError):
            return False
        if m.shape[-1] > 1 and np.isfinite(m).all():
            s = np.linalg.svd(m, compute_uv=False)
            seen.append(bool(np.any(s[..., -1] <= 1e-10 * s[..., 0])))
    return bool(seen) and all(seen)
