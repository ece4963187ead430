"""Densities that are not known are tested as random finite tables: a space of a few points with cell weights, on which
E, KL and Bayes are finite sums.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symgen.tensor.evaluate import Point
from symgen.tensor.expression import Node
from symgen.tensor.sample import complete_point as complete_functions

__all__ = ["complete_point"]


def complete_point(point: Point, nodes: Sequence[Node], rng: np.random.Generator) -> None:
    """Give the point all that its nodes need and that is not known: functions, draws, tables."""
    complete_functions(point, nodes, rng)
