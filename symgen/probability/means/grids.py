"""Draws with their probabilities: the nodes and weights of a law at a point, for the referee of means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from symgen.derivation.context import Context
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.law import parameters_of, row_of, with_normal_beside
from symgen.probability.laws.referee import Numeric, nodes, scalar_at
from symgen.probability.means.own_density import own_density, own_grid, scalars_of
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate, size_of
from symgen.tensor.expression import Array, Operator, Var, tensor

Float = np.ndarray
Grid = tuple[Float, Float]
MOST_NODES = 40_000
LEAST = 1e-18  # of the largest weight


def numbers_of(law: Array, point: Point) -> dict[str, Float]:
    """The parameters of a law of the table at a point."""
    return {n: np.asarray(evaluate([a], point)[0], dtype=np.float64) for n, a in parameters_of(law).items()}


def is_admissible(law: Array, point: Point) -> bool:
    """Whether the parameters lie in their domains at the point: a Uniform has lo < hi."""
    row = row_of(law)
    if row is None:
        return True
    at: dict[str, Float] = {}
    for name, array in parameters_of(law).items():
        try:
            at[name] = np.asarray(evaluate([array], point)[0], dtype=np.float64)
        except NotEvaluable:
            continue  # it hangs on a draw
    for name, x in at.items():
        domain = row.parameters[name]
        endless = name in row.open_ends and not np.any(np.isnan(x))
        if not (endless or np.all(np.isfinite(x))) or (domain == "positive" and np.any(x <= 0)):
            return False
        if domain == "unit" and (np.any(x < 0) or np.any(x > 1)):
            return False
    if row.order and row.is_univariate and len(at) == len(row.parameters):
        for place in np.ndindex(*next(iter(at.values())).shape):
            if scalar_at(f"where({row.order}, 1, 0)", {n: float(a[place]) for n, a in at.items()}) != 1:
                return False
    return True


def grid_of(
    law: Array, v: Var, point: Point, level: int, share: int, turns: Sequence[float] = (), whole: bool = True
) -> Grid | None:
    """Nodes of a product rule over the components of one variable; `level` 0 is coarse, 1 fine; `share` tells how many
    variables the nodes are shared between, `turns` where a function of a scalar is not smooth."""
    if isinstance(law, Operator) and law.name == "Empirical":
        rows = np.asarray(evaluate([law.args[0]], point)[0], dtype=np.float64)
        return (rows, np.full(len(rows), 1 / len(rows))) if rows.ndim == len(v.shape) + 1 else None
    row = row_of(law)
    if row is None:
        return _own(law, v, point, level, share)
    shape = tuple(size_of(s, point.sizes) for s in v.shape)
    at = numbers_of(law, point)
    components = math.prod(shape)
    breaks = [*numbers_at(point), *turns]
    if row.is_univariate and not row.shapes:
        rules = []
        for place in np.ndindex(*shape):
            one = Numeric(row, {n: float(a[place]) for n, a in at.items()})
            alone = components * share == 1
            rules.append(rule(one, components * share, level, breaks if alone else (), whole))
        return _product(rules, shape)
    special = VECTORS.get(row.name)
    if special is not None and len(shape) == row.own_rank:
        made: Grid | None = special(at, shape, level, share)
        return made
    if special is not None and len(shape) > row.own_rank:
        return _rows(special, at, shape, row.own_rank, level, share)
    if row.shapes and not row.event:  # a finite law over labels
        p = at["p"]
        k = p.shape[-1]
        return _product([(np.arange(k, dtype=np.float64), p[place]) for place in np.ndindex(*shape)], shape)
    return None


def _rows(special: Any, at: dict[str, Float], shape: tuple[int, ...], own: int, level: int, share: int) -> Grid | None:
    """Independent copies over the leading axes: the product of their grids."""
    lead = shape[: len(shape) - own]
    grids: list[Grid] = []
    for place in np.ndindex(*lead):
        made = special({n: a[place] for n, a in at.items()}, shape[len(shape) - own :], level, share * math.prod(lead))
        if made is None:
            return None
        grids.append(made)
    if math.prod(len(w) for _, w in grids) > MOST_NODES:
        return None
    picks = np.array(list(product(*(range(len(w)) for _, w in grids))))
    points = np.stack([x[picks[:, k]] for k, (x, _) in enumerate(grids)], axis=1)
    weights = np.prod([w[picks[:, k]] for k, (_, w) in enumerate(grids)], axis=0)
    return points.reshape(len(picks), *shape), weights


def _own(law: Array, v: Var, point: Point, level: int, share: int) -> Grid | None:
    """A density of one's own, of a scalar, whose normaliser is known; of the nodes every so many where several variables
    share them."""
    if not isinstance(law, Operator) or law.name != "formula" or law.attrs[2]:
        return None
    if (normal := with_normal_beside(law)) is not law:
        made = grid_of(normal, v, point, level, share)
        return made if made is not None and _is_that_density(law, normal, v, made[0], point) else None
    if v.rank:
        return None
    own = own_density(law)
    made = own_grid(own.x, own.log_f, own.range, point, scalars_of(own, point))
    if made is None:
        return None
    x, w = made if level or (own.range is not None and own.range[2]) else (made[0][::2], made[1][::2] * 2)
    if share > 1 and not (own.range is not None and own.range[2]):
        x, w = x[w > w.max() * LEAST], w[w > w.max() * LEAST]
        step = math.ceil(len(x) / MOST_NODES ** (1 / share))
        x, w = x[::step], w[::step] * step
    return x[w > 0], w[w > 0]


def _is_that_density(law: Operator, normal: Array, v: Var, nodes: Float, point: Point) -> bool:
    """Whether a density of one's own is the normal one that stands beside it: at some of its nodes."""
    of_normal, of_formula = (tensor((), log_density_at(a, v, Context())) for a in (normal, law))
    for k in {0, len(nodes) // 3, len(nodes) - 1}:
        at = Point(point.sizes, {**point.values, v: nodes[k]}, point.functions, point.draws)
        first, second = (float(x) for x in evaluate([of_normal, of_formula], at))
        if not math.isclose(first, second, rel_tol=1e-8, abs_tol=1e-8):
            return False
    return True


def numbers_at(point: Point) -> list[float]:
    """The scalars of a point: where kinks may lie."""
    return [float(x) for x in point.values.values() if np.ndim(x) == 0 and math.isfinite(float(x))][:12]


@lru_cache(maxsize=64)
def hermite(count: int) -> Grid:
    """Nodes and weights of the standard normal, the weights up to a factor."""
    x, w = np.polynomial.hermite_e.hermegauss(count)
    x.flags.writeable = w.flags.writeable = False
    return x, w


def rule(one: Numeric, components: int, level: int, breaks: Sequence[float] = (), whole: bool = True) -> Grid:
    """Nodes and probabilities of one scalar; a function may have kinks at `breaks`."""
    if one.row.name == "Normal" and not breaks:
        x, w = hermite((80 if components < 3 else 30) + 14 * level if components < 4 else 14 + 6 * level)
        return one.parameters["mu"] + one.parameters["sigma"] * x, w / w.sum()
    if one.discrete:
        x, w = one.nodes()
        if level == 0 and len(x) > 400:
            x, w = x[: len(x) // 2], w[: len(x) // 2]
        p = np.exp(one.log_density(x)) * w
        keep = p > (1e-300 if components == 1 else 1e-18)
        return _whole(x[keep], p[keep]) if whole else (x[keep], p[keep])
    x, w = nodes(one.low, one.high, [*one.parameters.values(), *breaks])
    if components > 1:
        step = (6 if components == 2 else 16) - level
        x, w = x[::step], w[::step] * step
    elif level == 0:
        x, w = x[::2], w[::2] * 2
    p = np.exp(one.log_density(x)) * w
    keep = np.isfinite(p) & (p > 0)
    return _whole(x[keep], p[keep]) if whole and components == 1 else (x[keep], p[keep])


LOST = 1e-6  # of the mass of a law, which nodes in floats may miss at an end where the density is infinite


def _whole(x: Float, p: Float) -> Grid:
    """The nodes, or none where they do not hold the whole mass."""
    return (x, p) if abs(float(np.sum(p)) - 1) < LOST else (x[:0], p[:0])


def _product(rules: Sequence[Grid], shape: tuple[int, ...]) -> Grid | None:
    count = math.prod(len(w) for _, w in rules)
    if count > MOST_NODES:
        return None
    if not rules:
        return np.zeros((1, *shape)), np.ones(1)
    xs = np.meshgrid(*(x for x, _ in rules), indexing="ij")
    ws = np.meshgrid(*(w for _, w in rules), indexing="ij")
    points = np.stack([x.reshape(-1) for x in xs], axis=-1).reshape(count, *shape)
    return points, np.prod([w.reshape(-1) for w in ws], axis=0)


# --- vectors ----------------------------------------------------------------------------------------------------------


def _normal(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    (d,) = shape
    if d > 3:
        return None
    count = 40 + 12 * level if d * share < 3 else 24 + 6 * level
    x, w = hermite(count)
    made = _product([(x, w / w.sum())] * d, shape)
    if made is None:
        return None
    points, weights = made
    return at["mu"] + points @ np.linalg.cholesky(at["Sigma"]).T, weights


def _dirichlet(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    """By breaking a stick: x_i is a Beta share of what is left."""
    a = at["alpha"]
    return _broken(a[:-1], np.cumsum(a[::-1])[::-1][1:], level, share)


def _generalized_dirichlet(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    return _broken(at["a"], at["b"], level, share)


def _broken(a: Float, b: Float, level: int, share: int) -> Grid | None:
    """The parts of a stick of which the share a[i]/(a[i] + b[i]) of what is left breaks off on average."""
    m = len(a)
    if m == 0:
        return np.ones((1, 1)), np.ones(1)
    if m > 2:
        return None
    rules = [rule(Numeric(FAMILIES["Beta"], {"a": float(a[i]), "b": float(b[i])}), m * share, level) for i in range(m)]
    made = _product(rules, (m,))
    if made is None:
        return None
    sticks, weights = made
    left = np.ones(len(weights))
    out = []
    for i in range(m):
        out.append(left * sticks[:, i])
        left = left * (1 - sticks[:, i])
    return np.stack([*out, left], axis=-1), weights


def _one_hot(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid:
    return np.eye(shape[0]), at["p"]


def _multinomial(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    n, p = int(at["n"]), at["p"]
    if (n + 1) ** (len(p) - 1) > 4000:
        return None
    counts, weights = [], []
    for first in product(range(n + 1), repeat=len(p) - 1):
        if sum(first) <= n:
            x = [*first, n - sum(first)]
            counts.append(x)
            weights.append(math.exp(math.lgamma(n + 1) - sum(math.lgamma(c + 1) for c in x)
                                    + sum(c * math.log(q) for c, q in zip(x, p, strict=True) if c)))  # fmt: skip
    return np.array(counts, dtype=np.float64), np.array(weights)


def _bartlett(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    """The factor F of a Wishart draw F F': F = L A, A lower with chi entries on its diagonal; where it has no inverse in
    numbers there is no mass."""
    p = shape[0]
    nu = float(at["nu"])
    if p > 2 or nu <= p - 1:
        return None
    rules = [rule(Numeric(FAMILIES["Chi2"], {"k": nu - j}), p * share, level) for j in range(p)]
    if p == 1:
        (x, w) = rules[0]
        t, weights = x[:, None], w
    else:
        z, v = hermite(12 + 2 * level)
        rules = [(x[:: 4 - level], w[:: 4 - level] * (4 - level)) for x, w in rules]
        made = _product([*rules, (z, v / v.sum())], (3,))
        if made is None:
            return None
        t, weights = made
    regular = (t[:, :p] > 1e-100).all(axis=1)
    t, weights = t[regular], weights[regular]
    A = np.zeros((len(weights), p, p))
    for j in range(p):
        A[:, j, j] = np.sqrt(t[:, j])
    if p == 2:
        A[:, 1, 0] = t[:, 2]
    return np.linalg.cholesky(at["V"]) @ A, weights


def _wishart(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    found = _bartlett(at, shape, level, share)
    return None if found is None else (found[0] @ found[0].transpose(0, 2, 1), found[1])


def _inverse_wishart(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    found = _bartlett({"nu": at["nu"], "V": np.linalg.inv(at["Psi"])}, shape, level, share)
    if found is None:
        return None
    back = np.linalg.inv(found[0])
    return back.transpose(0, 2, 1) @ back, found[1]


def _matrix_normal(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    if math.prod(shape) > 3:
        return None
    count = 30 + 8 * level if math.prod(shape) < 3 else 18 + 4 * level
    x, w = hermite(count)
    made = _product([(x, w / w.sum())] * math.prod(shape), shape)
    if made is None:
        return None
    points, weights = made
    return at["M"] + np.linalg.cholesky(at["U"]) @ points @ np.linalg.cholesky(at["V"]).T, weights


def _sphere(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    """On two points, the circle or the sphere; where mu is no unit vector there is no such law."""
    (d,) = shape
    if d > 3:
        return None
    count = (20 + 10 * level) // share
    angle = np.linspace(0, 2 * math.pi, 200 + 100 * level if d == 2 and share == 1 else 2 * count, endpoint=False)
    x, w = np.stack([np.cos(angle), np.sin(angle)], axis=-1), np.ones(len(angle))
    if d == 1:
        x, w = np.array([[-1.0], [1.0]]), np.ones(2)
    elif d == 3:
        t, v = np.polynomial.legendre.leggauss(count)
        flat = np.sqrt(1 - t**2)[:, None, None] * x
        x = np.concatenate([flat, np.broadcast_to(t[:, None, None], (count, len(angle), 1))], axis=-1).reshape(-1, 3)
        w = np.repeat(v, len(angle))
    if "mu" in at:
        w = w * np.exp(float(at["kappa"]) * (x @ at["mu"]))
    return x, w / w.sum()


def _multivariate_t(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    """By the radius, of which the square over d has an F law, and the direction."""
    (d,) = shape
    if d > 2:
        return None
    square, w = rule(Numeric(FAMILIES["FisherSnedecor"], {"dn": float(d), "dd": float(at["nu"])}), 2 * share, level)
    if d == 1:
        way = np.array([[1.0], [-1.0]])
    else:
        angle = np.linspace(0, 2 * math.pi, 24 + 8 * level, endpoint=False)
        way = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = (np.sqrt(d * square)[:, None, None] * way).reshape(-1, d)
    return at["mu"] + points @ np.linalg.cholesky(at["Sigma"]).T, np.repeat(w, len(way)) / len(way)


def _log_normal(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    made = _normal(at, shape, level, share)
    return None if made is None else (np.exp(made[0]), made[1])


def _chain(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    """Every path with its probability."""
    (length,), k = shape, len(at["p0"])
    if k**length > 4000:
        return None
    paths = np.array(list(product(range(k), repeat=length)))
    steps = (np.arange(length - 1),) if at["P"].ndim == 3 else ()
    w = at["p0"][paths[:, 0]] * np.prod(at["P"][(*steps, paths[:, :-1], paths[:, 1:])], axis=1)
    return paths.astype(np.float64), w


def moments_of_chain(numbers: Sequence[Float]) -> tuple[Float, Float]:
    """The mean and covariance of all states of a chain: x = L (b + noise), L the inverse of the difference of steps."""
    m, V, F, b, Q = numbers
    d, T = max(1, m.size), len(b) + 1
    back, blocks = np.eye(T * d), [V.reshape(d, d), *Q.reshape(T - 1, d, d)]
    noise = np.zeros((T * d, T * d))
    for t in range(T):
        noise[t * d : t * d + d, t * d : t * d + d] = blocks[t]
        if t:
            back[t * d : t * d + d, t * d - d : t * d] = -F.reshape(T - 1, d, d)[t - 1]
    L = np.linalg.inv(back)
    return L @ np.concatenate([m.reshape(-1), b.reshape(-1)]), L @ noise @ L.T


def _gaussian_chain(at: dict[str, Float], shape: tuple[int, ...], level: int, share: int) -> Grid | None:
    count = math.prod(shape)
    if count * share > 4:
        return None
    mean, covariance = moments_of_chain(list(at.values()))
    x, w = hermite((40, 40, 24, 10)[count * share - 1] + 2 * level)
    made = _product([(x, w / w.sum())] * count, (count,))
    if made is None:
        return None
    points, weights = made
    return (mean + points @ np.linalg.cholesky(covariance).T).reshape(-1, *shape), weights


VECTORS: dict[str, Any] = {
    "MultivariateT": _multivariate_t, "MvLogNormal": _log_normal,
    "MvNormal": _normal, "Dirichlet": _dirichlet, "OneHotCategorical": _one_hot, "Multinomial": _multinomial,
    "Wishart": _wishart, "InverseWishart": _inverse_wishart, "MatrixNormal": _matrix_normal, "VonMisesFisher": _sphere,
    "SphericalUniform": _sphere, "GeneralizedDirichlet": _generalized_dirichlet,
    "MarkovChain": _chain, "InhomogeneousMarkovChain": _chain,
    "GaussianChain": _gaussian_chain, "GaussianWalk": _gaussian_chain,
}  # fmt: skip
