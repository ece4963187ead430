"""The referee of adjoints of sequences: every entry is moved a little, the later ones go along, and differences tell."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from symgen.calculus.recurrence import perturbed
from symgen.derivation.derivation import Evidence
from symgen.tensor.evaluate import BALL, NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, Recurrence, replace_arrays, var, variables_of
from symgen.tensor.facts import Facts
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import InternalError

__all__ = ["check_adjoint"]

BITS, STEP, POINTS, DIGITS = 320, Fraction(1, 1 << 60), 2, 30


def check_adjoint(f: Array, sequence: Recurrence, claim: Array, facts: Facts | None = None) -> Evidence:
    """<claim, d> against the central difference of f along a random direction d of the entries of the sequence."""
    by = var("_moved", sequence.shape, "real", "placeholder", uid=11)
    moved = replace_arrays(f, {sequence: perturbed(sequence, by)})
    variables = (variables_of(f) | variables_of(claim)) - {by}
    rng = generator("adjoint", sequence.self_var.name, *sorted(v.name for v in variables))
    needed = sizes_in([f, claim], [*variables, by])
    assumptions = facts.assumptions if facts is not None else ()
    done = 0
    for _ in range(4 * POINTS):
        if done == POINTS:
            break
        sizes = random_sizes(needed, {}, rng, assumptions, largest=4)
        point = None if sizes is None else random_point(variables, sizes, rng, 0, assumptions)
        if point is None:
            continue
        number = BALL(BITS)
        with number.working():
            try:
                gradient = evaluate([claim], point, number)[0]
                shape = gradient.shape[f.rank :]
                direction = number.array(rng.integers(-8, 9, size=shape).astype(float))
                h = number.number(STEP)
                ends = [
                    evaluate([moved], Point(point.sizes, {**point.values, by: direction * (h * s)}), number)[0] for s in (1, -1)
                ]
            except NotEvaluable:
                continue
            slopes = np.asarray((ends[0] - ends[1]) / (2 * h), dtype=object).reshape(-1)
            along = (gradient * direction).reshape(slopes.size, -1)
            for slope, row in zip(slopes, along, strict=True):
                _compare(slope, np.sum(row, initial=arb(0)), sequence.self_var.name)
        done += 1
    if not done:
        return Evidence("unknown", tried=("the sequence has no numbers at the points tried",))
    return Evidence("checked", digits=DIGITS, points=done, method="central differences in ball arithmetic")


def _compare(slope: Any, said: Any, name: str) -> None:
    if slope.is_finite() and said.is_finite():
        if float(abs(slope - said).mid()) > 10.0**-DIGITS * (1 + abs(float(said.mid()))):
            raise InternalError(
                f"the adjoint of `{name}` is wrong: differences give {float(slope.mid()):.12g}, the result {float(said.mid()):.12g}"
            )
