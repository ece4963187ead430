"""The distributions ▣: the rows of all files of families, by name."""

from __future__ import annotations

from symgen.probability import (
    families_of_counts,
    families_of_matrices,
    families_of_positives,
    families_of_vectors,
    families_on_intervals,
    families_on_the_line,
)
from symgen.probability.distribution import Distribution

ROWS: tuple[Distribution, ...] = (
    *families_on_the_line.ROWS,
    *families_of_positives.ROWS,
    *families_on_intervals.ROWS,
    *families_of_counts.ROWS,
    *families_of_vectors.ROWS,
    *families_of_matrices.ROWS,
)

FAMILIES: dict[str, Distribution] = {name: row for row in ROWS for name in (row.name, *row.aliases)}
