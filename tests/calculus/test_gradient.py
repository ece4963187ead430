"""Derivatives agree with differences along random tangents, at random points and pairwise unequal sizes."""

from __future__ import annotations

import numpy as np
import pytest

from symgen.calculus.gradient import gradient, jacobian
from symgen.calculus.hessian import hessian, hvp
from symgen.derivation.context import Context
from symgen.tensor.evaluate import FLOAT, Point, evaluate
from symgen.tensor.expression import (
    ONE,
    Array,
    Entry,
    Tensor,
    Var,
    add,
    dim,
    entry,
    fresh_index,
    tensor,
    topological,
    var,
)
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in, tangent
from tests.calculus.problems import GRADIENTS, HESSIANS, JACOBIANS, Problem

# the eight-point rule for the first derivative: error h^8
WEIGHTS = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}


def point_for(problem: Problem, nodes: list[Array]) -> Point:
    rng = generator("calculus", problem.name, problem.f)
    variables = sorted({a for n in nodes for a in topological(n) if isinstance(a, Var)}, key=lambda v: v.serial)
    sizes = random_sizes(sizes_in(nodes, variables), {}, rng)
    assert sizes is not None
    point = random_point(variables, sizes, rng)
    return point


def value(f: Array, point: Point) -> np.ndarray:
    return np.asarray(evaluate([f], point, FLOAT)[0], dtype=float)


def along(f: Array, x: Var, point: Point, direction: np.ndarray, h: float = 2e-3) -> np.ndarray:
    """The derivative of f along `direction`, by differences."""
    start = np.asarray(point.values[x], dtype=float)

    def at(t: float) -> np.ndarray:
        return value(f, Point(point.sizes, {**point.values, x: start + t * direction}))

    return sum(w * (at(k * h) - at(-k * h)) for k, w in WEIGHTS.items()) / h


def direction_of(x: Var, point: Point, form: str | None) -> np.ndarray:
    v = np.asarray(point.values[x], dtype=float)
    d = generator("direction", x.name).normal(size=v.shape)
    return d if form == "free" else np.asarray(tangent(x, v, d), dtype=float)


def agree(got: np.ndarray, want: np.ndarray) -> None:
    assert got.shape == want.shape
    assert np.isfinite(want).all(), "a bad point"
    assert np.allclose(got, want, rtol=2e-7, atol=2e-7 * (1 + np.abs(want).max(initial=0))), (got, want)


def contracted(derivative: np.ndarray, direction: np.ndarray) -> np.ndarray:
    return np.tensordot(derivative, direction, direction.ndim)


@pytest.mark.parametrize("problem", GRADIENTS, ids=str)
def test_gradient_is_the_slope_along_every_tangent(problem: Problem) -> None:
    f, x, names = problem.parts()
    g = gradient(f, [x], Context(names=names), problem.form)[x]
    point = point_for(problem, [f, g, x])
    got = value(g, point)
    assert got.shape == value(x, point).shape
    if isinstance(x, Var):
        d = direction_of(x, point, problem.form)
        agree(contracted(got, d), along(f, x, point, d))
    elif isinstance(x, Tensor) and isinstance(x.body, Entry) and isinstance(x.body.array, Var):
        v = x.body.array
        whole = gradient(f, [v], Context(names=names))[v]
        picked = Tensor.__call__ if False else None
        assert picked is None
        at = {"A[0, 1]": (0, 1), "A[:, 1]": (slice(None), 1)}[problem.x]
        agree(got, value(whole, point)[at])
    else:
        # by an intermediate: the slope of what is left when it is given
        given = var("given", x.shape)
        from symgen.tensor.expression import replace_arrays

        rest = replace_arrays(f, {x: given})
        point.values[given] = value(x, point)
        d = direction_of(given, point, None)
        agree(contracted(got, d), along(rest, given, point, d))


@pytest.mark.parametrize("problem", JACOBIANS, ids=str)
def test_jacobian_has_the_axes_of_f_then_those_of_x(problem: Problem) -> None:
    f, x, names = problem.parts()
    assert isinstance(x, Var)
    j = jacobian(f, x, Context(names=names), problem.form)
    assert j.shape == (*f.shape, *x.shape)
    point = point_for(problem, [f, j, x])
    d = direction_of(x, point, problem.form)
    agree(contracted(value(j, point), d), along(f, x, point, d))


@pytest.mark.parametrize("problem", HESSIANS, ids=str)
def test_hessian_is_the_slope_of_the_gradient(problem: Problem) -> None:
    f, x, names = problem.parts()
    assert isinstance(x, Var)
    ctx = Context(names=names)
    g = gradient(f, [x], ctx, problem.form)[x]
    h = hessian(f, x, ctx, problem.form)
    point = point_for(problem, [f, g, h, x])
    d, e = direction_of(x, point, problem.form), generator("second").normal(size=value(x, point).shape)
    if problem.form != "free":
        e = np.asarray(tangent(x, np.asarray(point.values[x], dtype=float), e), dtype=float)
    got = contracted(value(h, point), d)
    agree(np.sum(got * e), np.sum(along(g, x, point, d) * e))


@pytest.mark.parametrize("problem", HESSIANS, ids=str)
def test_hvp_is_the_hessian_times_the_vector(problem: Problem) -> None:
    f, x, names = problem.parts()
    assert isinstance(x, Var)
    ctx = Context(names=names)
    v = var("v", x.shape)
    h, product = hessian(f, x, ctx, problem.form), hvp(f, x, v, ctx, problem.form)
    assert product.shape == x.shape
    point = point_for(problem, [f, h, product, x])
    agree(value(product, point), contracted(value(h, point), value(v, point)))


@pytest.mark.parametrize("problem", [p for p in HESSIANS if p.name in (
    "logistic", "logsumexp", "mlp", "norm", "product", "digamma", "logdet")], ids=str)  # fmt: skip
def test_third_derivative_is_the_slope_of_the_hessian(problem: Problem) -> None:
    f, x, names = problem.parts()
    assert isinstance(x, Var)
    ctx = Context(names=names)
    h = hessian(f, x, ctx, problem.form)
    third = jacobian(h, x, ctx, problem.form)
    point = point_for(problem, [f, h, third, x])
    d = direction_of(x, point, problem.form)
    agree(contracted(value(third, point), d), along(h, x, point, d))


def test_the_first_entries_of_a_vector_are_not_the_vector() -> None:
    n = dim("n")
    x = var("x", (add(n, ONE),))
    i = fresh_index(n)
    first = tensor((i,), entry(x, i))
    assert first is not x and first.shape == (n,)
    assert jacobian(first, x, Context()).shape == (n, x.shape[0])
