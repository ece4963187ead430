"""Every domain: its points belong to it, are exact, and its directions stay within it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from symgen.tensor.domains import DOMAINS, Domain
from symgen.tensor.evaluate import BALL, Point, evaluate
from symgen.tensor.expression import Var, compare, dim, entry, num, var
from symgen.tensor.facts import range_of
from symgen.tensor.formula import read
from symgen.tensor.sample import generator, holds, random_direction, random_point, simple_points

every_domain = pytest.mark.parametrize("row", DOMAINS.values(), ids=DOMAINS.keys())
N = dim("n")


def variable(row: Domain) -> Var:
    shape = (num(2), N, N) if row.structure == 2 else (num(2), N)
    return var("x", shape, row.name, domain_args=(num(4),) if row.name == "label" else ())


@every_domain
def test_points_belong_to_the_domain(row: Domain) -> None:
    rng = generator(row.name)
    v = variable(row)
    for n in (1, 2, 3, 5):
        points = [random_point([v], {"n": n}, rng, scale) for scale in (0, 1, 2)]
        for point in [*points, *simple_points([v], {"n": n})]:
            assert point is not None
            x = np.asarray(point.values[v], dtype=float)
            assert x.shape[-1] == n and row.contains(x, [4])


@every_domain
def test_points_are_exact_in_balls(row: Domain) -> None:
    v = variable(row)
    point = random_point([v], {"n": 3}, generator(row.name))
    assert point is not None
    (ball,) = evaluate([v], point, BALL(200))
    (x,) = evaluate([v], point)
    for b, value in zip(ball.reshape(-1), x.reshape(-1), strict=True):
        assert float(b.mid()) == value


@every_domain
def test_the_range_of_a_variable_holds_its_points(row: Domain) -> None:
    v = variable(row)
    r = range_of(v)
    for scale in (0, 1, 2):
        point = random_point([v], {"n": 3}, generator(row.name, scale), scale)
        assert point is not None
        x = np.asarray(point.values[v], dtype=float)
        assert r.low is None or np.all(x >= float(r.low))
        assert r.high is None or np.all(x <= float(r.high))


@every_domain
def test_a_small_step_along_a_direction_stays_in_the_domain(row: Domain) -> None:
    if row.discrete:
        return
    v = variable(row)
    rng = generator(row.name)
    point = random_point([v], {"n": 3}, rng)
    assert point is not None
    x = np.asarray(point.values[v], dtype=float)
    step = np.asarray(random_direction(v, point.values[v], rng), dtype=float)
    assert row.contains(x + 1e-9 * step, [4])


@every_domain
def test_the_tangent_in_words_is_the_projection_in_numpy(row: Domain) -> None:
    if row.tangent is None or row.name == "lower":
        return
    rng = np.random.default_rng(0)
    n = 3
    point = random_point([variable(row)], {"n": n}, generator(row.name))
    assert point is not None and row.project is not None
    x = np.asarray(next(iter(point.values.values())), dtype=float)[0]
    if row.structure == 1:
        x = x[None].repeat(2, 0)
    g = rng.normal(size=x.shape)
    shape = (num(x.shape[0]), num(x.shape[1]))
    gradient, at = var("G", shape), var("X", shape)
    array = read(row.tangent, {"G": gradient, "X": at})

    (got,) = evaluate([array], Point({}, {gradient: g, at: x}))
    assert np.allclose(got, row.project(x, g))


def test_assumptions_hold_at_the_points() -> None:
    a, b, t = var("a"), var("b"), var("t", (), "positive")
    facts = [
        compare("<", entry(a), entry(b)), compare("<", entry(t), num(Fraction(1, 4))), compare("<", num(3), entry(a))
    ]  # fmt: skip
    for seed in range(10):
        point = random_point([a, b, t], {}, generator("assume", seed), 0, facts)
        assert point is not None and all(holds(f, point) for f in facts)
