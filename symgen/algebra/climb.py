"""Inequalities over functions that are not known: their values are moved, point by point, to where the margin is least.

sup over f of E_p f - E_q exp(f - 1) is KL(p || q), which no random f comes near; on a space of a few points it is found by
going up in one value of f after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symgen.algebra.search import SUSPICIOUS, Judge, Search, Trial
from symgen.tensor.clock import spent
from symgen.tensor.evaluate import FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import Operator, walk
from symgen.tensor.sample import RandomFunction, place_of

__all__ = ["climb"]

SECONDS = 0.8
STARTS = 8
STEPS = (4, 2, 1, Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 16))
MOST_PLACES = 12
Place = tuple[str, str]  # a function, and where it is asked for


def climb(search: Search, judge: Judge) -> Trial | None:
    """A point at which an inequality over unknown functions fails."""
    if not any(isinstance(n, Operator) and n.name == "apply" for n in walk(*search.nodes)):
        return None
    until = min(search.deadline, spent() + SECONDS)
    try:
        for attempt in range(STARTS):
            points = search.sample(attempt)
            if points is None or spent() > until:
                continue
            found = _from(search, judge, points[0], until)
            if found is not None:
                return found
    except NotEvaluable:
        return None
    return None


def _from(search: Search, judge: Judge, start: Point, until: float) -> Trial | None:
    point, places = start, _places(search, start)
    best = search.floats(judge, [start])
    if best is None or not 0 < len(places) <= MOST_PLACES:
        return None
    for step in STEPS:
        for _ in range(3):
            before = best
            for place in places:
                for sign in (1, -1):
                    if spent() > until:
                        return None
                    moved = _raised(point, place, sign * Fraction(step))
                    value = search.floats(judge, [moved])
                    if value is not None and value > best:
                        point, best = moved, value
                        break
            if best > SUSPICIOUS:
                trial = search.balls(judge, [point])
                if trial.status == "differ":
                    return trial
            if best == before:
                break
    return None


def _places(search: Search, point: Point) -> list[Place]:
    """Where the functions of a point are asked for."""
    found: dict[Place, None] = {}

    def watched(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        def call(number: Any, *arguments: Any) -> Any:
            found.setdefault((name, place_of(arguments)))
            return f(number, *arguments)

        return call

    functions = {name: watched(name, f) if isinstance(f, RandomFunction) else f for name, f in point.functions.items()}
    evaluate(search.nodes, replace(point, functions=functions), FLOAT)
    return list(found)


def _raised(point: Point, place: Place, by: Fraction) -> Point:
    name, at = place
    f = point.functions[name]
    assert isinstance(f, RandomFunction)
    raised = {**f.raised, at: f.raised.get(at, Fraction(0)) + by}
    return replace(point, functions={**point.functions, name: replace(f, raised=raised)})
