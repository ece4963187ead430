"""The referee of means: E f by quadrature or summation at random points and small sizes, against the closed form; and
whether what is said to be infinite is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from symgen.calculus.rules import lift
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.forms.terms import depends_on_any, opened, terms_of
from symgen.probability.laws.finite import is_finite
from symgen.probability.laws.joint import full_law, is_expectation, opened_expectation
from symgen.probability.laws.law import row_of
from symgen.probability.means.few import mean_of_terms
from symgen.probability.means.grids import MOST_NODES, Grid, grid_of, is_admissible
from symgen.probability.means.kinks import is_kinked, turns_of
from symgen.probability.means.nodes_and_weights import by_nodes
from symgen.probability.means.tails import grows
from symgen.tensor.clock import spent
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    INF,
    Add,
    Array,
    Entry,
    Index,
    Node,
    Num,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    entry,
    fresh_index,
    mul,
    num,
    open_tensor,
    replace_arrays,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.tensor.sample import complete_point, generator, random_point, simple_sizes, sizes_in, tangent
from symgen.text.diagnostics import CannotDerive, InternalError

Float = np.ndarray
Draws = Sequence[tuple[Var, Array]]
Truth = Callable[[Point, int], "Float | None"]
POINTS = 3
ENOUGH = 3.0  # seconds, after which one point is enough
PATIENCE = 6.0  # seconds for one mean
SOON = 0.5  # seconds, after which no larger sizes are tried
ATTEMPTS = 60
TOLERANCE = 1e-4  # of the value; the rules are far more exact unless a tail is heavy
LOST = 1e-8  # of the mass of a law
ROUGH = 5e-3  # .. where a kink lies across the nodes of several draws
MOST_BRANCHES = 700  # values of one draw below which others hang
METHOD = "quadrature"


def as_array(x: Array | Scalar) -> Array:
    return x if isinstance(x, Array) else tensor((), x)


def _without_integrals(array: Array, facts: Facts | None) -> Array:
    """What holds integrals with sums over their nodes."""
    if not any(isinstance(n, Operator) and n.name in ("integral", "series") for n in walk(array)):
        return array
    return by_nodes(array, Context(facts=facts), lambda op: False)


def check_mean(
    body: Array | Scalar,
    draws: Draws,
    result: Array | Scalar,
    facts: Facts | None,
    outside: Callable[[Point], bool] | None = None,
) -> Evidence:
    """The mean of `body` over the draws against `result`, entry by entry; an E that stays in the result is taken by
    quadrature too. Where the result is infinite, the tails of the mean are looked at, or `outside` says that one law
    has mass where another has none.

    Raises InternalError where quadrature and the closed form differ at every refinement. Unknown where a law has no
    density that can be summed, or a draw has too many components.
    """
    body, result = _without_integrals(as_array(body), facts), _without_integrals(as_array(result), facts)
    laws = [(v, _without_integrals(full_law(law, v.shape), facts)) for v, law in draws]

    def truth(point: Point, level: int) -> Float | None:
        return mean_at(body, laws, point, level, spent() + PATIENCE)

    def infinite(point: Point) -> bool | None:
        if outside is not None and outside(point):
            return True
        return grows(open_tensor(body, ()), laws, point) if not body.rank else None

    rough = len(laws) > 1 and is_kinked(body, [v for v, _ in laws])
    roots = [body, *(law for _, law in laws)]
    return check_value(
        truth, as_array(result), roots, [v for v, _ in draws], facts, infinite, tolerance=ROUGH if rough else TOLERANCE
    )


def check_value(
    truth: Truth,
    result: Array,
    roots: Sequence[Array],
    drawn: Iterable[Var],
    facts: Facts | None,
    infinite: Callable[[Point], bool | None] | None = None,
    method: str = METHOD,
    diverging: str = "the mean grows without bound where its range grows",
    tolerance: float = TOLERANCE,
) -> Evidence:
    """`truth(point, level)` by a coarse and a fine rule against the result at random points of small sizes."""
    drawn = list(drawn)
    if any(isinstance(n, Operator) and _is_unknown(n) for n in walk(result, *roots)):
        return Evidence("unknown", method=method, tried=("a density that is not known",))
    free = frozenset().union(*(variables_of(n) for n in (result, *roots))).difference(drawn)
    free = free.difference(v for n in walk(result, *roots) if isinstance(n, Operator) and is_expectation(n)
                           for v in n.attrs[0])  # fmt: skip
    rng = generator("mean", *sorted(v.name for v in free))
    assumptions = facts.assumptions if facts is not None else ()
    laws = [n for n in walk(*roots) if isinstance(n, Operator) and n.attrs and n.attrs[0] == "law"]
    done, infinities, worst, tried = 0, 0, 0.0, "no point was found at which both are finite"
    attempts = 0
    begun = spent()
    always = isinstance(result, Tensor) and result.body is INF
    leaves = stays(walk(result))
    smallest: dict[str, int] | None = None
    too_many: list[dict[str, int]] = []
    for sizes, wanted in visits(list(small_sizes([result, *roots], [*free, *drawn], assumptions))):
        before, entered = done + infinities, spent()
        smallest = sizes if smallest is None else smallest
        if sizes in too_many or (wanted == 1 and sizes is not smallest and entered - begun > SOON and before):
            continue
        for _ in range(4 if attempts else ATTEMPTS):
            if attempts and spent() - entered > ENOUGH / 2:  # an entry may lie outside at these sizes
                break
            attempts += 1
            if done + infinities >= min(POINTS, before + wanted) and (done or always):
                break
            if done and spent() - begun > ENOUGH:
                break
            point = random_point(free, sizes, rng, 0, assumptions)
            if point is None:
                continue
            complete_point(point, [result, *roots], rng)
            brought_to_sphere(laws, point)
            try:
                if not all(is_admissible(law, point) for law in laws):
                    continue
                want = number_at(result, point)
                if want is None:
                    tried = "an expectation stays that has too many components for quadrature"
                    continue
                if np.any(np.isnan(want)):
                    continue  # outside of what the parameters may be
                if leaves and np.all(np.isfinite(want)) and not settled(number_at(result, point, 0), want):
                    continue  # the nodes miss a part of a mean that stays
                if np.all(np.isposinf(want)):
                    said = infinite(point) if infinite is not None and infinities < POINTS - 1 + always else None
                    infinities += said is True
                    if said is False:
                        found = [truth(point, 0), truth(point, 1)]
                        if settled(*found):
                            raise InternalError(f"what is said to be infinite is {float(np.max(found[1])):.10g}")  # type: ignore[arg-type]
                    continue
                fine = truth(point, 1)
                coarse = truth(point, 0) if fine is not None else None
            except NotEvaluable as error:
                return Evidence("unknown", method=method, tried=(str(error),))
            except CannotDerive as error:
                return Evidence("unknown", method=method, tried=(str(error),))
            if coarse is None or fine is None:
                tried = "a draw has too many components for quadrature"
                too_many.append(sizes)
                break
            gap = difference(coarse, fine, want, tolerance)
            if gap is None:
                continue
            worst = max(worst, gap)
            done += 1
        if (done + infinities >= POINTS and (done or always)) or (done and spent() - begun > ENOUGH):
            break
    if not done and not infinities:
        return Evidence("unknown", method=method, tried=(tried,))
    if not done:
        return Evidence("checked", points=infinities, method=diverging)
    digits = 12 if worst < 1e-12 else int(-math.log10(worst))
    return Evidence("checked", digits=digits, points=done + infinities, method=method)


def _is_unknown(law: Operator) -> bool:
    """A density without a formula, or whose normaliser is not found."""
    return law.name == "density" or (law.name == "formula" and bool(law.attrs[2]))


def brought_to_sphere(laws: Sequence[Operator], point: Point) -> None:
    """The mean direction of a law on the sphere is a unit vector."""
    for law in laws:
        row = row_of(law)
        if row is not None and row.region.kind == "sphere" and isinstance(law.args[0], Var) and law.args[0] in point.values:
            mu = np.asarray(point.values[law.args[0]], dtype=np.float64)
            point.values[law.args[0]] = mu / np.linalg.norm(mu, axis=-1, keepdims=True)


def difference(coarse: Float, fine: Float, want: Float, tolerance: float = TOLERANCE) -> float | None:
    """The relative distance of the result from the quadrature; None where that has not settled (a heavy tail)."""
    coarse, fine, want = (np.asarray(x, dtype=np.float64) for x in (coarse, fine, want))
    if not settled(coarse, fine) or not np.all(np.isfinite(want)):
        return None
    scale = max(1.0, float(np.max(np.abs(fine), initial=0.0)))
    off = np.abs(fine - want)
    gap = float(np.max(off, initial=0.0)) / scale
    if gap > tolerance:
        at = int(np.argmax(off.reshape(-1)))
        raise InternalError(f"a closed form and its quadrature differ: {want.reshape(-1)[at]:.10g} and {fine.reshape(-1)[at]:.10g}")
    return gap


def settled(coarse: Float | None, fine: Float | None) -> bool:
    """Whether both rules agree on something finite."""
    if coarse is None or fine is None or not (np.all(np.isfinite(coarse)) and np.all(np.isfinite(fine))):
        return False
    scale = max(1.0, float(np.max(np.abs(fine), initial=0.0)))
    return bool(np.max(np.abs(coarse - fine), initial=0.0) <= 0.1 * TOLERANCE * scale)


def small_sizes(roots: Sequence[Any], variables: Sequence[Var], assumptions: Sequence[Scalar]) -> Iterator[dict[str, int]]:
    """Sizes from small to large, as far as the entries reach that are named by their number: x[2] needs three."""
    top = max(2, min(_least_size(roots), 4))
    for k, sizes in enumerate(simple_sizes(sizes_in(roots, variables), {}, assumptions, top=top)):
        if k == 6:
            return
        yield sizes


def _least_size(roots: Sequence[Any]) -> int:
    """What a size must be for all entries x[2] and all ranges T - 2 to be there."""
    least = 1
    for n in walk(*roots):
        if isinstance(n, Entry):
            for i, size in zip(n.indices, n.array.shape, strict=True):
                if isinstance(i, Num) and isinstance(i.value, Fraction) and not isinstance(size, Num):
                    least = max(least, int(i.value) + 1)
        elif isinstance(n, Index) and isinstance(n.size, Add):
            off = [a.value for a in n.size.args if isinstance(a, Num) and isinstance(a.value, Fraction)]
            least = max(least, 1 - int(sum(off)))
    return least


def visits(sizes: list[dict[str, int]]) -> Iterator[tuple[dict[str, int], int]]:
    """Sizes and how many points to take there: a point at the smallest, where most is cheap; one at each of the larger
    ones, from the largest on, since what is wrong by a factor of a size is right where that is 1; then the rest."""
    yield from ((s, 1) for s in sizes[:1])
    yield from ((s, 1) for s in reversed(sizes[1:]))
    yield from ((s, POINTS) for s in sizes)


def check_slope(f: Array, x: Var, result: Array, facts: Facts | None) -> Evidence:
    """The derivative of a scalar with expectations inside: central differences of their quadrature, along a random
    direction, against the result."""
    direction = var("_along", x.shape, "real", "placeholder", uid=-51)
    indices = [fresh_index(s) for s in x.shape]
    along = tensor((), total(mul(open_tensor(result, indices), entry(direction, *indices)), indices))

    def truth(point: Point, level: int) -> Float | None:
        base, step = np.asarray(point.values[x], dtype=np.float64), 1e-4 if level else 4e-4
        d = np.asarray(tangent(x, base, point.values[direction]), dtype=np.float64)  # <g, d> is that of the tangent part
        ends = []
        for sign in (1, -1):
            moved = Point(point.sizes, {**point.values, x: base + sign * step * d}, point.functions, point.draws)
            ends.append(number_at(f, moved, level))
        if ends[0] is None or ends[1] is None:
            return None
        if level and not settled(number_at(f, point, 0), number_at(f, point, 1)):
            return np.asarray(math.nan)  # of what is not smooth enough for nodes the differences mean nothing
        return np.asarray((ends[0] - ends[1]) / (2 * step))

    return check_value(truth, along, [f], [], facts, method="differences of quadrature")


# --- numbers ----------------------------------------------------------------------------------------------------------


def number_at(result: Array, point: Point, level: int = 1) -> Float | None:
    """The value of a result at a point, what stays an E taken by quadrature, coarse at level 0; None where that is too
    large."""
    kept = [n for n in walk(result) if isinstance(n, Operator) and is_expectation(n) and n.name == "E"]
    if not kept:
        with np.errstate(all="ignore"):
            return np.asarray(evaluate([result], point)[0], dtype=np.float64)
    inner = set(walk(*(a for n in kept for a in n.args)))
    places: dict[Array, Array] = {}
    values: dict[Any, Any] = dict(point.values)
    for k, n in enumerate(kept):
        if n in inner:
            continue
        (body,), draws = opened_expectation(n)
        found = mean_at(body, [(v, full_law(law, v.shape)) for v, law in draws], point, level)
        if found is None:
            return None
        place = var(f"mean{k}", n.shape, "real", "placeholder", uid=-41 - k)
        places[n], values[place] = place, found
    made = replace_arrays(result, places)
    with np.errstate(all="ignore"):
        return np.asarray(evaluate([made], Point(point.sizes, values, point.functions, point.draws))[0], dtype=np.float64)


def mean_at(body: Array, draws: Draws, point: Point, level: int, until: float = math.inf) -> Float | None:
    """E body at a point by nodes and weights, an array over the axes of the body; laws may hang on what is drawn
    before them. Of many entries, term by term. None where there are too many nodes, or the time `until` is spent."""
    found = mean_of_groups(body, draws, point, level, until) if len(draws) > 2 and not body.rank else None
    if found is None:
        found = _mean_at(body, draws, point, level, until)
    if found is None and not body.rank and all(variables_of(law).isdisjoint({v for v, _ in draws}) for _, law in draws):
        return mean_of_terms(open_tensor(body, ()), draws, point, level)
    return found


def mean_of_groups(body: Array, draws: Draws, point: Point, level: int, until: float) -> Float | None:
    """E body, the terms that need the same draws together: those in them, and those that the laws of these hang on. None
    where one of them needs all, or is too much."""
    laws = dict(draws)
    groups: dict[frozenset[Var], list[Scalar]] = {}
    for t in terms_of(opened(open_tensor(body, ()), depends_on_any(frozenset(laws)))):
        needed = set(variables_of(t)) & set(laws)
        while more := {w for v in needed for w in variables_of(laws[v]) if w in laws} - needed:
            needed |= more
        groups.setdefault(frozenset(needed), []).append(t)
    if len(groups) < 2 or frozenset(laws) in groups:
        return None
    whole = np.asarray(0.0)
    for needed_by, terms in groups.items():
        inner = tensor((), add(*terms))
        some = [(v, law) for v, law in draws if v in needed_by]
        found = mean_at(inner, some, point, level, until) if some else np.asarray(evaluate([inner], point)[0], dtype=np.float64)
        if found is None:
            return None
        whole = whole + found
    return whole


def loses_mass(law: Operator, grid: Grid) -> bool:
    """Whether a part of a law lies nearer to an end than numbers do, as that of Beta(2, 1/4) to 1: its logarithms miss it."""
    row = row_of(law)
    if row is None or not row.is_univariate or row.region.kind != "interval" or row.region.high != "1":
        return False
    return not abs(float(np.sum(grid[1])) - 1) <= LOST * max(1, law.rank)


def _mean_at(body: Array, draws: Draws, point: Point, level: int, until: float, share: int = 0) -> Float | None:
    """`share` is how many draws the nodes are shared between, those before them in a chain too."""
    drawn = {v for v, _ in draws}
    first = [(v, law) for v, law in draws if variables_of(law).isdisjoint(drawn)]
    rest = [(v, law) for v, law in draws if (v, law) not in first]
    share = share or max(1, sum(not is_finite(law) for _, law in draws))  # a sum over labels takes none
    grids: list[Grid] = []
    for v, law in first:
        grid = grid_of(law, v, point, level, share, turns_of(body, v, point) if share == 1 else ())
        if grid is None:
            return None
        if loses_mass(law, grid):
            return np.asarray(math.nan)
        grids.append(grid)
    count = math.prod(len(g[1]) for g in grids)
    if count > (MOST_BRANCHES if rest else MOST_NODES):
        return None
    if not count:  # a parameter is no number there
        return np.asarray(math.nan)
    places = np.array(list(product(*(range(len(g[1])) for g in grids)))).reshape(count, len(grids))
    weights = np.ones(count)
    nodes: dict[Var, Float] = {}
    for k, ((v, _), g) in enumerate(zip(first, grids, strict=True)):
        weights = weights * g[1][places[:, k]]
        nodes[v] = g[0][places[:, k]]
    if rest:
        total: Any = 0.0
        for k in range(count):
            if weights[k] < 1e-14:
                continue
            if spent() > until:
                return None
            inner = Point(point.sizes, {**point.values, **{v: x[k] for v, x in nodes.items()}}, point.functions, point.draws)
            below = _mean_at(body, rest, inner, level, until, share)
            if below is None:
                below = mean_at(body, rest, inner, level, until)
            if below is None:
                return None
            total = total + weights[k] * below
        return np.asarray(total)
    values: dict[Any, Any] = dict(point.values)
    how: dict[Array, Any] = {}
    size = num(count)
    index = fresh_index(size)
    for k, (v, x) in enumerate(nodes.items()):
        many = var(f"{v.name}_nodes", (size, *v.shape), "real", "placeholder", uid=-31 - k)
        values[many] = x
        how[v] = lambda *at, many=many: entry(many, index, *at)
    axes = [fresh_index(s) for s in body.shape]
    lifted = tensor([index, *axes], lift(open_tensor(body, axes), how))
    with np.errstate(all="ignore"):
        at = Point(point.sizes, values, point.functions, point.draws)
        f = np.asarray(evaluate([lifted], at)[0], dtype=np.float64)
        w = weights.reshape(-1, *([1] * (f.ndim - 1)))
        terms = np.where(w > 0, w * f, 0.0)
    found = np.asarray(np.sum(terms, axis=0))
    if len(first) == 1 and not first[0][0].rank and is_cut_off(nodes[first[0][0]], terms, found):
        return np.full_like(found, math.nan)
    return found


FAR = 1e8  # a law that still has mass there has a heavy tail
TAIL = 1e-4  # of a mean, from between the root of the last node and the last node


def is_cut_off(x: Float, terms: Float, found: Float) -> bool:
    """Whether the tail of a mean goes on past the last node. What is left of a tail like x^(-a) past R is R^(-a), the square of
    what is left past the root of R: where that is not small, nodes that agree prove nothing."""
    distance = np.abs(x)
    last = float(np.max(distance, initial=0.0))
    if last < FAR or not np.all(np.isfinite(found)):
        return False
    past = np.abs(np.sum(terms[distance > math.sqrt(last)], axis=0))
    return bool(np.any(past > TAIL * np.maximum(1.0, np.abs(found))))


def stays(nodes: Iterable[Node]) -> bool:
    """Whether an expectation is left."""
    return any(isinstance(n, Operator) and is_expectation(n) for n in walk(*nodes))


__all__ = ["check_mean", "check_slope", "check_value", "mean_at", "number_at", "stays"]
