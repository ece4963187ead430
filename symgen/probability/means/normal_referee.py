"""The referee of linear-Gaussian models: the one joint normal of all variables, made and conditioned in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.laws.elimination import Question, with_values_in
from symgen.probability.laws.joint import Factor, full_law
from symgen.probability.laws.law import row_of
from symgen.probability.means.grids import moments_of_chain
from symgen.probability.means.quadrature import check_value
from symgen.tensor.evaluate import Point, evaluate, size_of
from symgen.tensor.expression import Array, Operator, Scalar, Var, tensor, variables_of, walk

Float = np.ndarray


def is_linear_gaussian(factors: Sequence[Factor]) -> bool:
    """Whether all laws are normal with spreads that hang on nothing drawn; that the means are linear, numbers tell."""
    drawn = {v for f in factors for v in f.variables}
    for f in factors:
        row = row_of(f.law)
        if row is None or (row.name not in ("Normal", "MvNormal") and not row.spread) or len(f.variables) != 1:
            return False
        means = (0, 3) if row.spread else (0,)  # the first state and the constants of the steps
        if any(not variables_of(a).isdisjoint(drawn) for k, a in enumerate(f.law.args) if k not in means):
            return False
    return True


def check_normal(q: Question, log_density: Scalar, ctx: Context) -> Evidence | None:
    """log p(targets | observed) against the conditional of the joint normal; None where a mean is not linear."""
    if not is_linear_gaussian(q.factors) or any(isinstance(n, Operator) and n.name == "integral" for n in walk(log_density)):
        return None
    laws = [(f.variables[0], with_values_in(f, q.values)) for f in q.factors]
    made = [(v, full_law(f.law, v.shape)) for v, f in laws]
    linear = True

    def truth(point: Point, level: int) -> Any:
        nonlocal linear
        found = joint_normal(made, point)
        if found is None:
            linear = False
            return None
        mean, covariance, places = found
        targets = [i for v in q.targets for i in places[v]]
        seen = [i for v in q.observed if v in places for i in places[v]]
        values = np.concatenate([np.zeros(0), *(number(v, q, point).reshape(-1) for v in q.targets)])
        given = np.concatenate([np.zeros(0), *(number(v, q, point).reshape(-1) for v in q.observed if v in places)])
        gain = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, targets)]).T
        center = mean[targets] + gain @ (given - mean[seen])
        spread = covariance[np.ix_(targets, targets)] - gain @ covariance[np.ix_(seen, targets)]
        off = values - center
        return np.asarray(-(off @ np.linalg.solve(spread, off) + np.linalg.slogdet(spread)[1] + len(off) * np.log(2 * np.pi)) / 2)

    roots = [law for _, law in made]
    evidence = check_value(truth, tensor((), log_density), roots, q.hidden, ctx.facts, method="the joint normal in numbers")
    return evidence if linear else None


def check_information(factors: Sequence[Factor], x: Var, z: Var, result: Array, ctx: Context) -> Evidence | None:
    """I(x; z) of a joint normal against log |S_x| |S_z| / |S| / 2; None where it is none."""
    if not is_linear_gaussian(factors):
        return None
    made = [(f.variables[0], full_law(f.law, f.variables[0].shape)) for f in factors]
    linear = True

    def truth(point: Point, level: int) -> Any:
        nonlocal linear
        found = joint_normal(made, point)
        if found is None:
            linear = False
            return None
        _, covariance, places = found
        parts = [places[x], places[z], [*places[x], *places[z]]]
        logs = [np.linalg.slogdet(covariance[np.ix_(part, part)])[1] for part in parts]
        return np.asarray((logs[0] + logs[1] - logs[2]) / 2)

    drawn = [v for v, _ in made]
    evidence = check_value(truth, result, [law for _, law in made], drawn, ctx.facts, method="the joint normal in numbers")
    return evidence if linear else None


def number(v: Var, q: Question, point: Point) -> Float:
    return np.asarray(evaluate([q.values.get(v, v)], point)[0], dtype=np.float64)


def joint_normal(laws: Sequence[tuple[Var, Array]], point: Point) -> tuple[Float, Float, dict[Var, list[int]]] | None:
    """The mean and covariance of all components, each law's mean read as a linear map by its values at unit vectors."""
    places: dict[Var, list[int]] = {}
    mean, covariance = np.zeros(0), np.zeros((0, 0))
    for v, law in laws:
        assert isinstance(law, Operator) and isinstance(law.args[0], Array)
        shape = tuple(size_of(s, point.sizes) for s in v.shape)
        size = int(np.prod(shape, dtype=int))
        known = {u: np.zeros(tuple(size_of(s, point.sizes) for s in u.shape)) for u in places}
        base = _mean_at(law, point, known)
        slope = np.zeros((size, len(mean)))
        for u, where in places.items():
            for k, column in enumerate(where):
                for length in (1.0, 2.0):
                    unit = np.zeros(known[u].shape)
                    unit.reshape(-1)[k] = length
                    moved = (_mean_at(law, point, {**known, u: unit}) - base) / length
                    if length == 1.0:
                        slope[:, column] = moved
                    elif not np.allclose(moved, slope[:, column], rtol=1e-9, atol=1e-9):
                        return None
        if _is_chain(law):
            noise = _of_chain(law, point)[1]
        else:
            scale = np.asarray(evaluate([law.args[1]], point)[0], dtype=np.float64)
            noise = np.diag(scale.reshape(-1) ** 2) if law.name == "Normal" else _blocks(scale, size)
        across = slope @ covariance
        covariance = np.block([[covariance, across.T], [across, across @ slope.T + noise]])
        places[v] = list(range(len(mean), len(mean) + size))
        mean = np.concatenate([mean, base + slope @ mean])
    return mean, covariance, places


def _is_chain(law: Operator) -> bool:
    row = row_of(law)
    return row is not None and bool(row.spread)


def _of_chain(law: Operator, at: Point) -> tuple[Float, Float]:
    return moments_of_chain([np.asarray(evaluate([a], at)[0], dtype=np.float64) for a in law.args if isinstance(a, Array)])


def _mean_at(law: Operator, point: Point, values: dict[Var, Float]) -> Float:
    at = Point(point.sizes, {**point.values, **values}, point.functions, point.draws)
    if _is_chain(law):
        return _of_chain(law, at)[0]
    return np.asarray(evaluate([law.args[0]], at)[0], dtype=np.float64).reshape(-1)


def _blocks(scale: Float, size: int) -> Float:
    """Covariances of rows that are independent as one matrix."""
    out = np.zeros((size, size))
    d = scale.shape[-1]
    for k, block in enumerate(scale.reshape(-1, d, d)):
        out[k * d : (k + 1) * d, k * d : (k + 1) * d] = block
    return out
