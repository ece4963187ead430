"""The referee of means: E f by quadrature or summation at random points and small sizes, against the closed form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from symgen.calculus.rules import lift
from symgen.derivation.derivation import Evidence
from symgen.probability.distributions import FAMILIES
from symgen.probability.joint import full_law
from symgen.probability.law import parameters_of, row_of
from symgen.probability.referee import Numeric, nodes
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate, size_of
from symgen.tensor.expression import Array, Operator, Scalar, Var, entry, fresh_index, num, tensor, var, variables_of
from symgen.tensor.facts import Facts
from symgen.tensor.sample import generator, random_point, simple_sizes, sizes_in
from symgen.text.diagnostics import InternalError

Float = np.ndarray
MOST_NODES = 40_000
POINTS = 3
TOLERANCE = 1e-4  # of the value; the rules are far more exact unless a tail is heavy


def check_mean(body: Scalar, draws: Sequence[tuple[Var, Array]], result: Scalar, facts: Facts | None) -> Evidence:
    """The mean of `body` over the draws against `result`, both of rank 0.

    Raises InternalError where quadrature and the closed form differ at every refinement. Unknown where a law has no
    density that can be summed, or a draw has too many components.
    """
    laws = [full_law(law, v.shape) for v, law in draws]
    drawn = [v for v, _ in draws]
    if any(isinstance(n, Operator) and n.name in ("density", "formula", "Empirical") for n in laws):
        return Evidence("unknown", method="quadrature", tried=("a density that is not known",))
    roots: list[Any] = [tensor((), result), *laws]
    free = frozenset().union(*(variables_of(n) for n in (*roots, body))).difference(drawn)
    rng = generator("mean", *sorted(v.name for v in free))
    assumptions = facts.assumptions if facts is not None else ()
    done = 0
    worst = 0.0
    tried = "no point was found at which both are finite"
    for sizes in small_sizes([*roots, tensor((), body)] if not body.free else roots, [*free, *drawn], assumptions):
        for _ in range(2):
            point = random_point(free, sizes, rng, 0, assumptions)
            if point is None:
                continue
            try:
                found = _mean_at(body, drawn, laws, point)
                want = float(evaluate([tensor((), result)], point)[0])
            except NotEvaluable as error:
                return Evidence("unknown", method="quadrature", tried=(str(error),))
            if found is None:
                tried = "a draw has too many components for quadrature"
                break
            coarse, fine = found
            if not (math.isfinite(coarse) and math.isfinite(fine) and math.isfinite(want)):
                continue
            scale = max(1.0, abs(fine))
            if abs(coarse - fine) > 0.1 * TOLERANCE * scale:
                continue  # the quadrature itself has not settled: a heavy tail
            gap = abs(fine - want) / scale
            if gap > TOLERANCE:
                raise InternalError(f"a closed form and its quadrature differ: {want:.10g} and {fine:.10g}")
            worst = max(worst, gap)
            done += 1
            if done == POINTS:
                break
        if done == POINTS:
            break
    if not done:
        return Evidence("unknown", method="quadrature", tried=(tried,))
    digits = 12 if worst < 1e-12 else int(-math.log10(worst))
    return Evidence("checked", digits=digits, points=done, method="quadrature")


def small_sizes(
    roots: Sequence[Any], variables: Sequence[Var], assumptions: Sequence[Scalar]
) -> Iterator[dict[str, int]]:
    """Sizes from small to large."""
    for k, sizes in enumerate(simple_sizes(sizes_in(roots, variables), {}, assumptions, top=2)):
        if k == 6:
            return
        yield sizes


def _mean_at(body: Scalar, drawn: Sequence[Var], laws: Sequence[Array], point: Point) -> tuple[float, float] | None:
    """The mean at a point by a coarse and by a fine rule; laws may depend on what is drawn before them."""
    out = []
    for level in (0, 1):
        total = _nested(body, list(drawn), list(laws), point, level)
        if total is None:
            return None
        out.append(total)
    return out[0], out[1]


def _nested(body: Scalar, drawn: list[Var], laws: list[Array], point: Point, level: int) -> float | None:
    grids: list[tuple[Float, Float]] = []
    for v, law in zip(drawn, laws, strict=True):
        if not variables_of(law).isdisjoint(drawn):
            return None
        grid = grid_of(law, v, point, level, 1 if len(drawn) == 1 else len(drawn))
        if grid is None:
            return None
        grids.append(grid)
    count = math.prod(len(w) for _, w in grids)
    if count > MOST_NODES:
        return None
    places = np.array(list(product(*(range(len(w)) for _, w in grids)))).reshape(count, len(grids))
    weights = np.ones(count)
    values: dict[Any, Any] = dict(point.values)
    how: dict[Array, Any] = {}
    size = num(count)
    index = fresh_index(size)
    for k, (v, (xs, w)) in enumerate(zip(drawn, grids, strict=True)):
        weights = weights * w[places[:, k]]
        many = var(f"{v.name}_nodes", (size, *v.shape), "real", "placeholder", uid=-31 - k)
        values[many] = xs[places[:, k]]
        how[v] = lambda *at, many=many: entry(many, index, *at)
    lifted = tensor([index], lift(body, how))
    with np.errstate(all="ignore"):
        f = np.asarray(evaluate([lifted], Point(point.sizes, values, point.functions))[0], dtype=np.float64)
        terms = np.where(weights > 0, weights * f, 0.0)
    return float(np.sum(terms))


def grid_of(law: Array, v: Var, point: Point, level: int, share: int) -> tuple[Float, Float] | None:
    """Draws with their probabilities: nodes of a product rule over the components of one variable."""
    row = row_of(law)
    if row is None:
        return None
    shape = tuple(size_of(s, point.sizes) for s in v.shape)
    at = {n: np.asarray(evaluate([a], point)[0], dtype=np.float64) for n, a in parameters_of(law).items()}
    components = math.prod(shape)
    if row.is_univariate and not row.shapes:
        rules = []
        for place in np.ndindex(*shape):
            one = Numeric(row, {n: float(a[place]) for n, a in at.items()})
            rules.append(_rule(one, components * share, level))
        return _product(rules, shape)
    if row.name == "MvNormal" and len(shape) == 1 and components <= 3:
        x, w = np.polynomial.hermite_e.hermegauss(40 + 12 * level if components < 3 else 24 + 6 * level)
        made = _product([(x, w / w.sum())] * components, shape)
        if made is None:
            return None
        points, weights = made
        return at["mu"] + points @ np.linalg.cholesky(at["Sigma"]).T, weights
    if row.shapes and not row.event and not shape:  # a finite law over labels
        p = at["p"].reshape(-1)
        return np.arange(len(p), dtype=np.float64), p
    if row.name == "OneHotCategorical" and len(shape) == 1:
        return np.eye(shape[0]), at["p"]
    if row.name == "Dirichlet" and len(shape) == 1 and shape[0] <= 2:
        if shape[0] == 1:
            return np.ones((1, 1)), np.ones(1)
        a, b = at["alpha"]
        t, w = _rule(Numeric(FAMILIES["Beta"], {"a": float(a), "b": float(b)}), share, level)
        return np.stack([t, 1 - t], axis=-1), w
    return None


def _rule(one: Numeric, components: int, level: int) -> tuple[Float, Float]:
    if one.row.name == "Normal":
        x, w = np.polynomial.hermite_e.hermegauss((80 if components < 3 else 30) + 14 * level)
        return one.parameters["mu"] + one.parameters["sigma"] * x, w / w.sum()
    if one.discrete:
        x, w = one.nodes()
        p = np.exp(one.log_density(x)) * w
        keep = p > 1e-18
        return x[keep], p[keep]
    x, w = nodes(one.low, one.high, list(one.parameters.values()))
    if components > 1:
        step = (6 if components == 2 else 16) - level
        x, w = x[::step], w[::step] * step
    elif level == 0:
        x, w = x[::2], w[::2] * 2
    p = np.exp(one.log_density(x)) * w
    keep = np.isfinite(p) & (p > 0)
    return x[keep], p[keep]


def _product(rules: Sequence[tuple[Float, Float]], shape: tuple[int, ...]) -> tuple[Float, Float] | None:
    count = math.prod(len(w) for _, w in rules)
    if count > MOST_NODES:
        return None
    if not rules:
        return np.zeros((1, *shape)), np.ones(1)
    xs = np.meshgrid(*(x for x, _ in rules), indexing="ij")
    ws = np.meshgrid(*(w for _, w in rules), indexing="ij")
    points = np.stack([x.reshape(-1) for x in xs], axis=-1).reshape(count, *shape)
    return points, np.prod([w.reshape(-1) for w in ws], axis=0)


__all__ = ["check_mean"]
