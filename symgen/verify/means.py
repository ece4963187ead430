"""Claims about means and integrals that have no closed form: both sides by quadrature at small points, by a coarse and a fine rule.

What the two rules differ by bounds what can be told: sides further apart than that are refuted, sides that agree to it
at every point are checked to as many digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from symgen.algebra.comparison import Comparison, Counterexample
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.laws.joint import full_law, is_expectation, opened_expectation
from symgen.probability.means.finiteness import verdict_of_integral
from symgen.probability.means.grids import is_admissible
from symgen.probability.means.nodes_and_weights import by_nodes
from symgen.probability.means.quadrature import mean_at
from symgen.tensor.clock import spent
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import NAN, Array, Operator, Var, replace_arrays, var, variables_of, walk
from symgen.tensor.facts import NO_FACTS, Facts
from symgen.tensor.sample import complete_point, generator, random_point, simple_points, simple_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive

__all__ = ["compare_means"]

POINTS = 4
SETTLED = 1e-6  # relative difference of the rules above which a point says nothing
AGREES = 1e-8
SAFETY = 1e3  # times the difference of the rules: what is certainly a difference of the sides
METHOD = "quadrature by two rules"


def compare_means(
    left: Array, right: Array, op: str, facts: Facts | None, deadline: float, same: bool = False
) -> Comparison | None:
    """Whether left `op` right, one of = <= < >= >; None where a side has no mean that quadrature can take. `same` says
    that the sides are proved to be equal."""
    nodes = [left, right]
    every = [n for n in walk(*nodes) if isinstance(n, Operator) and n.name == "integral"]
    if every:
        for one in every:
            told = verdict_of_integral(one, Context(facts=facts))
            if told is not None and told.value is NAN:
                return None  # no rule says that it has no value
        nodes = [by_nodes(n, Context(facts=facts), lambda op: False) for n in nodes]
        integrals = not any(isinstance(n, Operator) and n.name == "integral" for n in walk(*nodes))
    else:
        integrals = False
    means = [n for n in walk(*nodes) if isinstance(n, Operator) and is_expectation(n)]
    laws = [n for n in walk(*nodes) if isinstance(n, Operator) and n.attrs[:1] == ("law",)]
    if not (means or integrals) or any(n.name != "E" for n in means) or any(n.name == "density" for n in laws):
        return None
    bound = {v for n in means for v in n.attrs[0]}
    facts = facts or NO_FACTS
    free = sorted(frozenset().union(*(variables_of(n) for n in nodes)) - bound, key=lambda v: (v.name, v.uid))
    done, digits, at_least = 0, 99, POINTS
    beyond = larger = False  # whether quadrature is too large for some sizes; whether it held for one above 1
    for point in _points(free, nodes, facts):
        if spent() > deadline or done == at_least:
            break
        try:
            if not all(is_admissible(law, point) for law in laws if variables_of(law).isdisjoint(bound)):
                continue
            rules = [[_value(n, point, level) for n in nodes] for level in (0, 1)]
        except (NotEvaluable, CannotDerive):
            return None
        if any(x is None for values in rules for x in values):
            beyond |= bool(point.sizes)
            continue
        verdict = _judge(rules, op)
        if same and op in ("<", ">"):
            verdict = (0,) * left.rank
        if verdict is None:
            continue
        if not isinstance(verdict, int):
            return _refuted(point, free, rules[1], verdict)
        done, digits = done + 1, min(digits, verdict)
        larger |= any(n > 1 for n in point.sizes.values())
        if not free and not point.sizes:
            at_least = 1
    if beyond and not larger:
        return None  # at the size 1 alone nothing is seen of what hangs on a size
    if done < min(at_least, 2) or (not free and not done):
        return None
    return Comparison("checked", Evidence("checked", digits=digits, points=done, method=METHOD))


def _points(free: list[Var], nodes: list[Array], facts: Facts) -> Iterator[Point]:
    """Readable points of the smallest sizes, of all of them at 2, where what hangs on a size shows, then random ones."""
    sizes = sizes_in([*nodes, *facts.assumptions], free)
    rng = generator("means", *(v.name for v in free))
    every = list(islice(simple_sizes(sizes, {}, facts.assumptions, top=2), 64))
    small = [*every[:1], *every[:0:-1][:1], *every[1:-1][:2]]
    for values in small:
        for point in simple_points(free, values, facts.assumptions, turns=2):
            complete_point(point, nodes, rng)
            yield point
    for attempt in range(8):
        drawn = random_point(free, small[attempt % len(small)], rng, 0, facts.assumptions) if small else None
        if drawn is not None:
            complete_point(drawn, nodes, rng)
            yield drawn


def _value(array: Array, point: Point, level: int) -> Any:
    """The value of an array whose means are taken by the rule `level`; None where that needs too many nodes."""
    kept = [n for n in walk(array) if isinstance(n, Operator) and is_expectation(n)]
    inner = set(walk(*(a for n in kept for a in n.args)))
    places: dict[Array, Array] = {}
    values: dict[Any, Any] = dict(point.values)
    for k, n in enumerate(n for n in kept if n not in inner):
        (body,), draws = opened_expectation(n)
        found = mean_at(body, [(v, full_law(law, v.shape)) for v, law in draws], point, level)
        if found is None:
            return None
        place = var(f"mean{k}", n.shape, "real", "placeholder", uid=-71 - k)
        places[n], values[place] = place, found
    at = Point(point.sizes, values, point.functions, point.draws)
    with np.errstate(all="ignore"):
        return np.asarray(evaluate([replace_arrays(array, places)], at)[0], dtype=np.float64)


def _judge(rules: list[list[Any]], op: str) -> int | tuple[int, ...] | None:
    """The digits to which the relation holds, or the entry at which it fails; None where nothing can be told."""
    if not all(np.all(np.isfinite(x)) for values in rules for x in values):
        return None
    (a, b), (c, d) = rules
    scale = max(1.0, float(np.max(np.abs(c), initial=0.0)), float(np.max(np.abs(d), initial=0.0)))
    error = max(float(np.max(np.abs(a - c), initial=0.0)), float(np.max(np.abs(b - d), initial=0.0))) / scale
    gap = (d - c) if op in ("<=", "<") else (c - d) if op in (">=", ">") else -np.abs(c - d)
    worst = float(np.min(gap, initial=np.inf)) / scale
    if worst < -(SAFETY * error + AGREES):
        return tuple(int(k) for k in np.unravel_index(int(np.argmin(gap)), np.shape(gap)))
    if error > (SETTLED if op not in ("<=", ">=") or worst < SAFETY * error else 1.0):
        return None
    if op == "=" and -worst > max(AGREES, 10 * error):
        return None
    if op in ("<", ">") and worst < AGREES:
        return None
    close = max(error, -worst if op == "=" else 0.0)
    return 12 if close < 1e-12 else int(-math.log10(close))


def _refuted(point: Point, free: list[Var], sides: list[Any], at: tuple[int, ...]) -> Comparison:
    left, right = (float(x[at]) for x in sides)
    texts = next((t for k in (4, 6, 9, 12) if (t := (f"{left:.{k}g}", f"{right:.{k}g}"))[0] != t[1]), (str(left), str(right)))
    values = {v.name: np.asarray(point.values[v], dtype=float) for v in free}
    example = Counterexample(dict(point.sizes), values, left, right, at, {}, *texts)
    return Comparison("refuted", Evidence("refuted", points=1, method=METHOD), example)
