"""The referee of generated code: its numbers against those of the entry expressions, which know nothing of BLAS.

Both are taken at a random point of small unequal sizes; a mismatch is a loud internal error, never an answer.
"""

from __future__ import annotations

import numpy as np

from symgen.codegen.compile import Compiled
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, variables_of
from symgen.tensor.facts import Facts
from symgen.tensor.nodes import AVERAGES
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in
from symgen.tensor.walking import marks_below
from symgen.text.diagnostics import DataError, InternalError

__all__ = ["check_code"]

LARGEST = 64  # a fixed size beyond it makes the comparison too long
RELATIVE = 1e-6


def check_code(compiled: Compiled, facts: Facts | None = None, points: int = 1) -> int:
    """At how many points the outputs of `compiled` were compared; raises InternalError where they differ."""
    outputs = {k: a for k, a in compiled.outputs.items() if not marks_below(a) & AVERAGES}
    arrays = list(outputs.values())
    if not arrays:
        return 0
    variables = {v for a in arrays for v in variables_of(a)}
    sizes_needed = sizes_in(arrays, variables)
    rng = generator("code", *sorted(v.name for v in variables))
    assumptions = facts.assumptions if facts is not None else ()
    done = 0
    for _ in range(4 * points):
        if done == points:
            break
        sizes = random_sizes(sizes_needed, {}, rng, assumptions, largest=3)
        point = random_point(variables, sizes, rng, 0, assumptions) if sizes is not None else None
        if sizes is None or point is None or any(np.size(x) > LARGEST**2 for x in point.values.values()):
            return done
        try:
            with np.errstate(all="ignore"):
                wanted = evaluate(arrays, point)
                got = compiled({v.name: np.asarray(x, float) for v, x in point.values.items()}, sizes)
        except (NotEvaluable, DataError, np.linalg.LinAlgError, IndexError):
            continue
        for (name, _), value in zip(outputs.items(), wanted, strict=True):
            a, b = np.asarray(value, float), np.asarray(got[name], float)
            if not (np.isfinite(a).all() and np.isfinite(b).all()):
                continue  # outside of the domain, or beyond the floats
            scale = max(float(np.max(np.abs(a), initial=0.0)), 1e-3)
            if a.shape != b.shape or float(np.max(np.abs(a - b), initial=0.0)) > RELATIVE * scale:
                if a.shape == b.shape and _is_unsteady(compiled.outputs[name], a, point, RELATIVE * scale):
                    break  # a matrix that has no inverse at these sizes: floats say nothing here
                raise InternalError(f"the code for `{name}` gives {b.ravel()[:3]}, its expression {a.ravel()[:3]}")
        else:
            done += 1
    return done


def _is_unsteady(array: Array, value: np.ndarray, point: Point, least: float) -> bool:
    """Whether the last digits of the point decide about the value."""
    rng = generator("steady")
    for _ in range(2):
        near = {v: x * (1 + 1e-14 * rng.standard_normal(x.shape)) for v, x in point.values.items() if x.dtype == float}
        with np.errstate(all="ignore"):
            moved = np.asarray(evaluate([array], Point(point.sizes, {**point.values, **near}))[0], float)
        if not float(np.max(np.abs(moved - value), initial=0.0)) <= least:
            return True
    return False
