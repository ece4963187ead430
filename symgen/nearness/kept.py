"""Quantities that vanish where two laws are equal, in code that keeps the digits which the closed form loses near there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np
from flint import arb, ctx

from symgen.calculus.segment import along_segment, remainder_along_segment, slopes_at_start
from symgen.codegen.compile import Compiled
from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.nearness.cut_laws import by_own_nodes
from symgen.nearness.odds import by_odds
from symgen.probability.divergences.overlap import between_crossings
from symgen.probability.divergences.pairing import Pairing
from symgen.probability.divergences.remainder import Near, near_form
from symgen.probability.laws.joint import decode, divergence
from symgen.probability.laws.law import row_of
from symgen.probability.means.nodes_and_weights import by_nodes
from symgen.probability.means.powers import PowerIntegral, power_integral, smooth_power_integral
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    HALF,
    INF,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Mul,
    Node,
    Num,
    Operator,
    Pow,
    Scalar,
    Tensor,
    Var,
    add,
    as_coefficient,
    compare,
    count_nodes,
    depends_on,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    replace_arrays,
    sub,
    tensor,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.tensor.field import Ball
from symgen.tensor.sample import complete_point, generator, random_direction, random_point, simple_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive

__all__ = ["is_by_own_nodes", "is_of_one_law", "remainder_of", "with_digits_kept"]

DISTANCES = (1e-1, 1e-3, 1e-5, 1e-7)
DIRECTIONS = 3
ATTEMPTS = 12
DIGITS = 1e-12  # that the code of a closed form must keep
ENOUGH = 1e-11  # where the remainder is off by more, another way is tried first
POINTS = 6
ALIKE = 3  # points where two forms must have one value
MEASURED = 4
MOST_NODES = 400
READABLE = 120
EXACT = Ball(500)
GROWING = ("exp", "expm1", "gamma", "beta", "besseli", "cosh", "sinh")
DIVERGENCES = ("KL", "cross_entropy", "entropy", "JS", "renyi", "chi2", "hellinger", "tv", "fdiv", "wasserstein2")
_chosen: dict[Array, int] = {}  # what was measured: the order of the remainder, 0 for the closed form, less where none is good
_slopes: dict[Array, frozenset[Var]] = {}  # what was measured: along which variables a divergence rises at once
_loses: dict[tuple[str, ...], bool] = {}  # what was measured of a family whose means stay, by what differs


def with_digits_kept(array: Array, goal: Array | None, facts: Facts | None) -> Array:
    """The result of a goal; where it vanishes as the laws that the goal speaks of come near each other, and the code of
    the closed form loses digits there, with the remainder of its Taylor series."""
    if goal is None:
        return array
    summed = by_own_nodes(_operator_of(goal), facts)
    is_summed = summed is not None and array.rank == 0 and is_same(summed, array, facts)
    return summed if summed is not None and is_summed else _near(array, goal, facts)


def is_by_own_nodes(goal: Array | None, facts: Facts | None) -> bool:
    """Whether the code of a goal sums over nodes where a law has its mass."""
    return by_own_nodes(_operator_of(goal), facts) is not None


def _near(array: Array, goal: Array, facts: Facts | None) -> Array:
    beyond = _beyond_numbers(array, goal, facts)

    def anywhere(made: Array) -> Array:
        return made if beyond is None else tensor((), beyond(open_tensor(made, ())))

    odds = by_odds(array) if count_nodes(array) <= MOST_NODES else array
    if odds is not array and is_same(odds, array, facts):
        return anywhere(odds)
    starts, order = _chosen_for(array, goal)
    if order < 0:
        for way in (_of_crossings, _of_powers, _of_means):
            made = way(array, goal, facts)
            if made is not array:
                return anywhere(made)
        order = -1 - order
    otherwise = None if beyond is None else beyond(open_tensor(array, ()))
    near = along_segment(array, starts, *_options(order, array, starts), otherwise) if order else None
    return anywhere(array) if near is None else near


def remainder_of(array: Array, goal: Array | None) -> Array | None:
    """That remainder as an integral, for a reader; None where the code takes another form, or it is long."""
    starts, order = _chosen_for(array, goal)
    made = remainder_along_segment(array, starts, *_options(order, array, starts)) if order > 0 else None
    return None if made is None or sum(count_nodes(a) for a in walk(made) if isinstance(a, Array)) > READABLE else made


def is_of_one_law(goal: Array | None, values: Mapping[str, Any]) -> bool:
    """Whether a goal is a divergence of two laws, and these are one at the values: it is 0, whatever its form says."""
    op = _operator_of(goal)
    if op is None or op.name not in ("KL", "JS", "renyi", "chi2", "hellinger", "tv", "wasserstein2"):
        return False
    starts = _starts(op)
    return bool(starts) and all(
        isinstance(s, Var) and {s.name, x.name} <= values.keys() and np.array_equal(values[s.name], values[x.name])
        for x, s in starts.items()
    )


def _chosen_for(array: Array, goal: Array | None) -> tuple[dict[Var, Array], int]:
    """What moves from where, and the order of the remainder: 0 for the closed form, -1 where another way is tried."""
    if array.rank or goal is None or goal.rank:
        return {}, 0
    if any(isinstance(n, Operator) for n in walk(array)):
        return {}, -1
    starts = _starts(goal)
    if not starts or not starts.keys() <= set(variables_of(array)) or count_nodes(array) > MOST_NODES:
        return {}, 0
    return starts, _best_order(array, starts)


# --- what moves, and from where -----------------------------------------------------------------------------------------


def _starts(goal: Array) -> dict[Var, Array]:
    """The variables of the second of two laws, each with that of the first: where these agree, the laws are one.

    Of several divergences in a goal all have to be of laws that move in the same way. Empty where there is none.
    """
    found: dict[Var, Array] = {}
    for op in walk(goal):
        if not isinstance(op, Operator) or op.name not in DIVERGENCES:
            continue
        refs, _ = decode(op)
        if len(refs) == 1:
            continue
        factors = [r.joint.factors for r in refs]
        if len(factors[0]) != len(factors[1]):
            return {}
        for f, g in zip(*factors, strict=True):
            own = dict(zip((*f.variables, *f.given), (*g.variables, *g.given), strict=False))
            if not _agree(f.law, replace_arrays(g.law, {b: a for a, b in own.items() if a is not b}), found):
                return {}
    return found


def _agree(a: Node, b: Node, starts: dict[Var, Array]) -> bool:
    """Whether two nodes are one where the variables in `starts` are where they start; more are put into it."""
    stack = [(a, b)]
    while stack:
        a, b = stack.pop()
        if a is b or (isinstance(a, Var) and starts.get(a) is b) or (isinstance(b, Var) and starts.get(b) is a):
            continue
        for x, start in ((b, a), (a, b)):
            if isinstance(x, Var) and isinstance(start, Array) and x not in starts and x.role != "random":
                if x.shape == start.shape and not any(depends_on(start, v) for v in (x, *starts)):
                    starts[x] = start
                    break
        else:
            whole = _entry_of_var(a, b, starts) or _entry_of_var(b, a, starts)
            if whole:
                continue
            if isinstance(a, Operator) and a.attrs != getattr(b, "attrs", None):
                return False
            if type(a) is not type(b) or len(a.args) != len(b.args) or getattr(a, "name", "") != getattr(b, "name", ""):
                return False
            if isinstance(a, Array) and isinstance(b, Array) and a.shape != b.shape:
                return False
            if not a.args:
                return False
            parts = (sorted(n.args, key=_skeleton) if isinstance(n, (Add, Mul)) else n.args for n in (a, b))
            stack.extend(zip(*parts, strict=True))
    return True


_skeletons: dict[Node, int] = {}


def _skeleton(root: Node) -> int:
    """The form of a node without its names, by which terms of two sums are matched."""
    for n in walk(root):
        if n not in _skeletons:
            name = f"{n.domain}{n.rank}" if isinstance(n, Var) else type(n).__name__ if n.args else repr(n)
            parts = sorted(_skeletons[a] for a in n.args)
            _skeletons[n] = crc32(f"{name}{parts}".encode())
    return _skeletons[root]


def _entry_of_var(x: Node, start: Node, starts: dict[Var, Array]) -> bool:
    """An entry of a variable over the free axes against a number: the variable starts from it everywhere."""
    if not isinstance(x, Entry) or not isinstance(x.array, Var) or x.array in starts or x.array.role == "random":
        return False
    if isinstance(start, Entry) or not start.is_scalar_node or variables_of(start):
        return False
    axes = [fresh_index(s) for s in x.array.shape]
    starts[x.array] = tensor(axes, start)
    return not start.free


# --- what is measured ---------------------------------------------------------------------------------------------------


def _best_order(array: Array, starts: Mapping[Var, Array]) -> int:
    """0 where the code of the closed form keeps its digits, else the order of the remainder that does; -1 where none does, and
    -1 less the order that is best where that is not good."""
    places = {v: var(f"place{k}", v.shape, v.domain, "placeholder", uid=-75) for k, v in enumerate(_arguments(array))}
    key = replace_arrays(array, dict(places))
    if key not in _chosen:
        moved = {places[x]: replace_arrays(s, dict(places)) for x, s in starts.items()}
        _chosen[key] = _measured(key, moved)
    return _chosen[key]


def _arguments(array: Array) -> list[Var]:
    return sorted((v for v in variables_of(array)), key=lambda v: v.serial)


def _measured(array: Array, starts: Mapping[Var, Array]) -> int:
    """The order whose code is nearest to the closed form in high precision, where variables are near their starts."""
    try:
        kept: list[tuple[Point, Any]] = []
        for shift in (0, 4):  # large values, where moments exist
            points = _near_points(array, starts, shift)
            wanted = [evaluate([array], at, EXACT)[0].item() for at in points]
            more = [(at, w) for at, w in zip(points, wanted, strict=True) if _is_known(w)]
            kept = max(kept, more, key=len)
            if len(kept) > len(points) / 2:
                break
        if not kept:
            return -1
        best, least = 0, _error(array, kept)
        if least <= DIGITS:
            return 0
        for order in (2, 3, 1):
            made = along_segment(array, starts, *_options(order, array, starts))
            found = np.inf if made is None else _error(made, kept)
            if found < least / 100:
                best, least = order, found
            if least <= DIGITS:
                break
    except (NotEvaluable, CannotDerive):
        return -1
    return best if best and least <= ENOUGH else -1 - best


def _options(order: int, array: Array, starts: Mapping[Var, Array]) -> tuple[int, frozenset[Var]]:
    """1 and 2 are derivatives along the way; 3 is the second, with the slope at the start where that is not 0."""
    return min(order, 2), _steep(array, starts) if order == 3 else frozenset()


def _steep(array: Array, starts: Mapping[Var, Array]) -> frozenset[Var]:
    """The variables along which the slope at the start is not 0: the ends of a support."""
    if array not in _slopes:
        found = slopes_at_start(array, starts) or {}
        free = _arguments(array)
        rng = generator("steep", *(v.name for v in free))
        told = simple_sizes(sizes_in([array], free), {}, (), top=2)
        sizes = max(told, key=lambda s: sum(s.values()), default={})
        tried = [_base(array, free, starts, sizes, shift, rng) for shift in (0, 4) for _ in range(ATTEMPTS)]
        bases = [p for p in tried if p is not None][:MEASURED]
        _slopes[array] = frozenset(x for x, (slope, way) in found.items() if not bases or _is_steep(slope, way, x, bases, rng))
    return _slopes[array]


def _is_steep(slope: Scalar, way: Var, x: Var, bases: list[Point], rng: np.random.Generator) -> bool:
    if slope is ZERO:
        return False
    for base, sign in product(bases, (1, -1)):  # an interval that shrinks has another slope than one that grows
        at = Point(dict(base.sizes), {**base.values, way: sign * _way(x, base.values[x], rng)})
        try:
            value = evaluate([tensor((), slope)], at, EXACT)[0].item()
        except NotEvaluable:
            return True
        if not (value.is_finite() and value.contains(0)):
            return True
    return False


def _is_known(w: Any) -> bool:
    return bool(w.is_finite()) and w.rel_accuracy_bits() > 100


def _error(array: Array, points: list[tuple[Point, Any]]) -> float:
    """The greatest relative error of the code of an array."""
    code = Compiled({"result": array})
    worst = 0.0
    for at, want in points:
        values = {v.name: at.values[v] for v in code.variables}
        sizes = {d.name: at.sizes[d.name] for d in code.dims}
        with np.errstate(all="ignore"):
            got = float(code(values, sizes)["result"])
        if not np.isfinite(got):
            return np.inf
        with ctx.workprec(EXACT.bits):
            worst = max(worst, float(abs((arb(got) - want) / want)))
    return worst


def _near_points(array: Array, starts: Mapping[Var, Array], shift: int) -> list[Point]:
    """Points whose numbers are exact, at which what moves is at a distance from its start: all of it, or one alone."""
    free = _arguments(array)
    told = simple_sizes(sizes_in([array], free), {}, (), top=2)
    sizes = max(told, key=lambda s: sum(s.values()), default={})
    rng = generator("near", *(v.name for v in free))
    out: list[Point] = []
    for turn in range(max(DIRECTIONS, 1 + len(starts))):
        found = (_base(array, free, starts, sizes, shift, rng) for _ in range(ATTEMPTS))
        base = next((p for p in found if p is not None), None)
        if base is None:
            return []
        alone = list(starts)[(turn - 1) % len(starts)] if turn else None
        way = {x: _way(x, base.values[x], rng) for x in starts if alone in (None, x)}
        for h in DISTANCES:
            for step in (2.0 ** round(np.log2(h)), -(2.0 ** round(np.log2(h)))):
                moved = {x: base.values[x] + step * d for x, d in way.items()}
                out.append(Point(dict(base.sizes), {**base.values, **moved}))
    return out


def _base(
    array: Array, free: list[Var], starts: Mapping[Var, Array], sizes: Mapping[str, int], shift: int, rng: np.random.Generator
) -> Point | None:
    """A point where what moves is at its start, and the array is 0."""
    base = random_point(free, sizes, rng, 0)
    if base is None:
        return None
    complete_point(base, [array], rng)
    for v in free:
        if v.domain == "positive":
            base.values[v] = base.values[v] + shift
        elif v.domain == "simplex":  # whose floats sum to 1
            base.values[v] = _dyadic(base.values[v], 10)
        elif v.domain == "real" and v.rank == 1 and v not in starts:  # a direction has the length 1
            base.values[v] = np.eye(np.shape(base.values[v])[0])[0]
    for x, start in starts.items():
        base.values[x] = np.asarray(evaluate([start], base)[0], dtype=float)
    value = evaluate([array], base, EXACT)[0].item()
    return base if value.is_finite() and value.contains(0) else None


def _way(x: Var, value: Any, rng: np.random.Generator) -> Any:
    """A direction within the domain of x, short enough to stay in it."""
    room = float(np.min(np.abs(value), initial=1.0)) if x.domain in ("positive", "simplex", "nonnegative", "unit") else 1.0
    room = min(room, 1 - float(np.max(value))) if x.domain == "unit" else room
    way = np.asarray(random_direction(x, value, rng), dtype=float) * 2.0 ** np.floor(np.log2(0.2 * room or 1.0))
    return _dyadic(way, 16) if x.domain == "simplex" else way


def _dyadic(x: Any, bits: int) -> Any:
    """Numbers of few bits with the sum of x, which is whole, along the last axis."""
    made = np.round(np.asarray(x, dtype=float) * 2.0**bits) / 2.0**bits
    made[..., -1] += np.round(np.sum(x, axis=-1)) - made.sum(axis=-1)
    return made


# --- total variation ----------------------------------------------------------------------------------------------------


def _of_crossings(array: Array, goal: Array, facts: Facts | None) -> Array:
    """The total variation by the distribution functions where the densities cross, their difference there as the remainder
    of its series along the way from p to q. What is off in the places is of second order in the value."""
    op = _operator_of(goal)
    if op is None or op.name != "tv":
        return array
    starts = _starts(op)

    def kept(gap: Scalar, _: Entry) -> Scalar | None:
        made = along_segment(tensor((), gap), starts, 1) if starts else None
        return None if made is None else open_tensor(made, ())

    (p, q), _ = decode(op)
    quiet = Context(Trace(), facts)
    try:
        pair = Pairing(p, q, quiet)
        found = between_crossings(pair, quiet, kept) if pair.is_on_one_support else None  # ends apart are places too
    except CannotDerive:
        return array
    if found is None:
        return array
    made = tensor((), found)
    return made if is_same(made, array, facts) else array


def _of_powers(array: Array, goal: Array, facts: Facts | None) -> Array:
    """Renyi, chi-square and Hellinger divergences whose closed form has removable places where the laws are one: the remainder
    is that of a form without them."""
    op = _operator_of(goal)
    if op is None or op.name not in ("renyi", "chi2", "hellinger"):
        return array
    found = _of_logarithm(op, smooth_power_integral, facts)
    starts = _starts(op)
    if found is None or not starts:
        return array
    condition, value = found
    plain = open_tensor(array, ())
    made = along_segment(tensor((), value), starts, 2, otherwise=plain)
    if made is None:
        return array
    whole = tensor((), where(condition, open_tensor(made, ()), plain))
    return whole if is_same(whole, array, facts) else array


def _beyond_numbers(array: Array, goal: Array, facts: Facts | None) -> Callable[[Scalar], Scalar] | None:
    """chi-square and Hellinger divergences, of a form of them, by the logarithm of the integral, where a part of the closed
    form is too large or too small for a number."""
    op = _operator_of(goal)
    if op is None or op.name not in ("chi2", "hellinger") or array.rank or not any(map(_grows, walk(array))):
        return None
    found = _of_logarithm(op, power_integral, facts)
    if found is None or any(isinstance(n, Operator) for n in walk(array)):
        return None
    condition, value = found
    plain, far = open_tensor(array, ()), where(condition, value, INF)
    if not is_same(tensor((), far), array, facts):
        return None
    if op.name == "hellinger":  # above 1/2 by the logarithm: a part that is 0 or infinite leaves 1, or no number
        return lambda made: where(compare("<", fn("abs", plain), HALF), made, far)
    none = where(compare("==", plain, INF), INF, far)  # infinite, or no number
    return lambda made: where(compare("<", fn("abs", plain), INF), made, none)


def _grows(n: Node) -> bool:
    return isinstance(n, Fn) and n.name in GROWING or isinstance(n, Pow) and not isinstance(n.exponent, Num)


def _of_logarithm(
    op: Operator, integral: Callable[[Array, Array, Scalar, Context], PowerIntegral | None], facts: Facts | None
) -> tuple[Scalar, Scalar] | None:
    """A Renyi, chi-square or Hellinger divergence by the logarithm of its integral, and where that holds."""
    (p, q), options = decode(op)
    alpha = {"chi2": TWO, "hellinger": HALF}.get(op.name) or open_tensor(options["alpha"], ())
    laws = [r.joint.factors[0].law for r in (p, q) if len(r.joint.factors) == 1]
    if len(laws) != 2 or row_of(laws[0]) is None or row_of(laws[1]) is None:
        return None
    try:
        found = integral(laws[0], laws[1], alpha, Context(Trace(), facts))
    except CannotDerive:
        return None
    if found is None:
        return None
    log_mean = found.logarithm
    if op.name == "renyi":
        return found.condition, divide(log_mean, sub(alpha, ONE))
    grown = fn("expm1", log_mean)
    return found.condition, grown if op.name == "chi2" else neg(grown)


def _operator_of(goal: Array | None) -> Operator | None:
    """The operator that a goal is."""
    op = goal.body.array if isinstance(goal, Tensor) and not goal.rank and isinstance(goal.body, Entry) else goal
    return op if isinstance(op, Operator) else None


# --- divergences that keep means ----------------------------------------------------------------------------------------


def _of_means(array: Array, goal: Array, facts: Facts | None) -> Array:
    """Divergences of two laws of one family, with the remainder of the Taylor series below the mean."""
    parts: list[Scalar] = []
    for c, op in _divergences(goal):
        near = near_form(op, Context(Trace(), facts))
        if near is None or not {v for v in variables_of(near.whole) if v.role != "random"} <= set(variables_of(array)):
            return array
        if not loses_digits(near):
            return array
        parts.append(mul(c, open_tensor(near.whole, ())))
    whole = tensor((), add(*parts))
    return whole if parts and is_same(whole, array, facts) else array


def _divergences(goal: Array) -> list[tuple[Scalar, Operator]]:
    """The goal as a sum of KL(p || q), each with its coefficient: H(p, q) - H(p) is one of them; empty where it is none."""
    body: Scalar = entry(goal) if isinstance(goal, Operator) else open_tensor(goal, ())
    out: list[tuple[Scalar, Operator]] = []
    crossed: dict[Array, Scalar] = {}
    for t in body.args if isinstance(body, Add) else (body,):
        c, base = as_coefficient(t)
        op = base.array if isinstance(base, Entry) else None
        if not isinstance(op, Operator) or op.name not in ("KL", "cross_entropy", "entropy"):
            return []
        refs, _ = decode(op)
        if op.name == "KL":
            out.append((num(c), op))
            continue
        if any(len(r.joint.factors) != 1 for r in refs):
            return []
        if op.name == "cross_entropy":
            kl = divergence("KL", *refs)
            assert isinstance(kl, Operator)
            out.append((num(c), kl))
        law = refs[0].joint.factors[0].law
        crossed[law] = add(crossed.get(law, ZERO), num(c))
    return [] if any(c is not ZERO for c in crossed.values()) else out


def in_numbers(array: Array) -> Array:
    """Means that stay, as sums over nodes."""
    return by_nodes(array, Context(Trace()), lambda _: True)


def is_same(made: Array, array: Array, facts: Facts | None) -> bool:
    """Whether both have one value at a few random points: that the parameters stand in their places, in every order."""
    free = sorted((v for v in variables_of(array) if v.role != "random"), key=lambda v: v.serial)
    assumptions = facts.assumptions if facts is not None else ()
    sizes = next(iter(simple_sizes(sizes_in([array], free), {}, assumptions, top=2)), {})
    rng = generator("near", *(v.name for v in free))
    agreed = 0
    for _ in range(POINTS):
        point = random_point(free, sizes, rng, 0, assumptions)
        if point is not None:
            complete_point(point, [made, array], rng)
            with np.errstate(all="ignore"):
                a, b = (float(np.asarray(x)) for x in evaluate([in_numbers(made), in_numbers(array)], point))
            if np.isfinite(a) and np.isfinite(b):
                if not abs(a - b) <= 1e-7 * max(1.0, abs(b)):
                    return False
                agreed += 1
                if agreed == ALIKE:
                    return True
    return agreed > 0


def loses_digits(near: Near) -> bool:
    """Whether the code of the closed form is off where the two laws are near, by the remainder."""
    found = _loses.get(near.key)
    if found is None:
        plain, stable = (in_numbers(tensor((), x)) for x in (near.plain, near.stable))
        code = Compiled({"result": plain})
        found = False
        for distance in (1e-3, 1e-6):
            values = {}
            for k, (p, q) in enumerate(near.places):
                values[p] = np.float64(0.3 if p.domain == "unit" else 0.3 + 0.2 * k if p.domain == "real" else 1.3 + 0.4 * k)
                values[q] = values[p] + distance * (0.7 - 0.4 * k)
            at = {
                v: values.get(v, np.float64(1.7))
                for v in (*variables_of(plain), *variables_of(stable), *values)
                if v.role != "random"
            }
            got = float(code({v.name: x for v, x in at.items() if _is_in(v, code)})["result"])
            want = float(evaluate([stable], Point({}, at))[0])
            if not abs(got - want) <= 1e-2 * abs(want) + 1e-9:
                found = False  # the remainder is not what it should be: the closed form stands
                break
            found = found or not abs(got - want) <= DIGITS * abs(want)
        _loses[near.key] = found
    return found


def _is_in(v: Var, code: Compiled) -> bool:
    return v in code.variables
