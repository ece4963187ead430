"""The distributions ▣: the rows of all files of families, by name."""

from __future__ import annotations

from symgen.probability.families import counts, matrices, on_intervals, on_the_line, positives, vectors
from symgen.probability.families.distribution import Distribution

ROWS: tuple[Distribution, ...] = (
    *on_the_line.ROWS,
    *positives.ROWS,
    *on_intervals.ROWS,
    *counts.ROWS,
    *vectors.ROWS,
    *matrices.ROWS,
)

FAMILIES: dict[str, Distribution] = {name: row for row in ROWS for name in (row.name, *row.aliases)}
