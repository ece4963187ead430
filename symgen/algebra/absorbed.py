"""What balls of a few bits do not tell: a term that a larger one absorbs, a value that does not leave its limit.

9^9^9 and 9^9^9 + 1 agree to any number of digits that is tried; their difference, in canonical form, is 1. tanh(1e6) is
no ball that excludes 1; whoever compares it with 1 does not know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from symgen.algebra import polynomial as poly
from symgen.algebra.canonical import Workshop
from symgen.algebra.comparison import Comparison, ball_text
from symgen.algebra.search import LAST_BITS, MOST_BITS, ORDERS, Judge, Search, Trial
from symgen.derivation.context import BudgetSpent
from symgen.tensor.clock import spent
from symgen.tensor.evaluate import BALL, NotEvaluable, evaluate
from symgen.tensor.expression import Add, Array, Fn, Operator, axis, tensor, variables_of, walk
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.intervals import ALL, interval

__all__ = ["looked_into"]

BITS = (192, LAST_BITS)
SECONDS = 0.5
POINTS = 2


def looked_into(found: Comparison, search: Search, judge: Judge, a: Array, b: Array) -> Comparison:
    """The comparison a ? b, which agreed at points: held against the form of b - a, and against limits not reached."""
    if found.status != "checked" or search.averaged or any(isinstance(n, Operator) for n in walk(a, b)):
        return found
    until = spent() + SECONDS
    try:
        refuted = _by_form(search, judge, a, b, until)
    except (BudgetSpent, NotEvaluable):
        refuted = None
    try:
        return refuted or _by_bits(search, judge, until) or _undecided(found, search, a, b)
    except NotEvaluable:
        return found


def _by_form(search: Search, judge: Judge, a: Array, b: Array, until: float) -> Comparison | None:
    """A refutation by the canonical form of the difference."""
    workshop = Workshop(search.facts, until)
    form = workshop.difference(*((b, a) if judge in ORDERS else (a, b)))
    if workshop.used or not form:
        return None
    apart = tensor([axis(k, s) for k, s in enumerate(a.shape)], poly.node_of(form))
    for attempt in range(1 if search.constant else POINTS):
        points = search.sample(attempt)
        if points is None or not variables_of(apart) <= points[0].values.keys():
            continue
        for bits in BITS:
            number = BALL(bits)
            with number.working():
                values = evaluate([*search.nodes, apart], points[0], number)
                residual, _ = judge([values[:2]])
                at = _worst(judge, np.asarray(values[2], dtype=object), np.asarray(residual, dtype=object))
            if at is not None:
                return _refuted(search, judge, Trial(points, "differ", 0, at, [values]), values[2][at])
            if spent() > until:
                return None
    return None


def _worst(judge: Judge, apart: Any, residual: Any) -> tuple[int, ...] | None:
    """Where the difference is not 0 (for an order: is negative), and the sides say nothing else."""
    for at in np.ndindex(*apart.shape):
        x = apart[at]
        if x.is_finite() and (x < 0 if judge in ORDERS else not x.contains(0)) and x.overlaps(residual[at]):
            return at
    return None


def _refuted(search: Search, judge: Judge, trial: Trial, apart: Any) -> Comparison:
    out = search.refutation(trial, judge)
    assert out.counterexample is not None
    evidence = replace(out.evidence, method="a ball of the difference, in canonical form, excludes 0")
    return replace(out, evidence=evidence, counterexample=replace(out.counterexample, apart=ball_text(abs(apart), 4)))


def _by_bits(search: Search, judge: Judge, until: float) -> Comparison | None:
    """A refutation of a claim about numbers alone, at many more bits."""
    if not search.constant:
        return None
    points = search.sample(0)
    if points is None:
        return None
    for bits in (LAST_BITS, MOST_BITS):
        trial = search.at_bits(judge, points, bits)
        if trial.status == "differ":
            return search.refutation(trial, judge)
        if spent() > until:
            return None
    return None


def _undecided(found: Comparison, search: Search, a: Array, b: Array) -> Comparison:
    """Unknown, where a number in the claim is not told from a limit that it does not reach, or from a part of the sum
    that it is."""
    closed = [n for n in walk(a, b) if isinstance(n, Fn | Add) and not n.free and not variables_of(n)]
    points = search.sample(0) if closed else None
    if points is None:
        return found
    number = BALL(LAST_BITS)
    parts = list(dict.fromkeys(part for n in closed if isinstance(n, Add) for part in n.args))
    values = dict(zip([*closed, *parts], (v.item() for v in evaluate([*closed, *parts], points[0], number)), strict=True))
    for n in closed:
        if isinstance(n, Add):
            if any(abs(values[t]).upper() < values[n].rad() and values[t] != 0 for t in n.args):
                return search.unknown(found.tried, "in a sum of numbers one is too small to be told beside the others")
            continue
        r = interval(FUNCTIONS[n.name].range) if n.name in FUNCTIONS else ALL
        ends = [e for e, is_open in ((r.low, r.low_open), (r.high, r.high_open)) if is_open and e is not None]
        if any(values[n].contains(float(e)) for e in ends):
            return search.unknown(found.tried, f"a value of {n.name} is not told from the limit that it does not reach")
    return found
