"""Which engine reduces which operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgen.calculus.convexity import REDUCERS as CONVEXITY
from symgen.calculus.joint_optimum import REDUCERS as JOINT_OPTIMUM
from symgen.calculus.optimum import REDUCERS as OPTIMUM
from symgen.calculus.root import REDUCERS as ROOTS
from symgen.calculus.row_optimum import REDUCERS as ROW_OPTIMUM
from symgen.calculus.series import REDUCERS as SERIES
from symgen.calculus.smoothness import REDUCERS as SMOOTHNESS
from symgen.derivation.context import Context
from symgen.games.reducers import REDUCERS as GAMES
from symgen.probability.means.infinite_sums import REDUCERS as INFINITE_SUMS
from symgen.probability.means.integrals import REDUCERS as INTEGRALS
from symgen.probability.reducers import REDUCERS as PROBABILITY
from symgen.tensor.expression import Operator

Engine = Callable[[Operator, Context], Any]

KEPT = {"apply", "log_density", "density", "formula", "Empirical"}  # what stands in results as it is
LATE = {"log_density"}  # written out last, where no expectation has taken it up
ENGINES: dict[str, Engine] = {
    **PROBABILITY, **GAMES, **OPTIMUM, **JOINT_OPTIMUM, **ROW_OPTIMUM, **SERIES, **CONVEXITY, **SMOOTHNESS, **ROOTS,
    **INTEGRALS, **INFINITE_SUMS,
}  # fmt: skip
