"""Which engine reduces which operator of probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.divergence import (
    reduce_cross_entropy, reduce_elbo, reduce_entropy, reduce_expectation, reduce_kl, reduce_log_density, reduce_variance,
)  # fmt: skip
from symgen.tensor.expression import Operator

REDUCERS: Mapping[str, Callable[[Operator, Context], Any]] = {
    "E": reduce_expectation,
    "Var": reduce_variance,
    "Cov": reduce_variance,
    "KL": reduce_kl,
    "entropy": reduce_entropy,
    "cross_entropy": reduce_cross_entropy,
    "log_density": reduce_log_density,
    "log_density_of": reduce_log_density,
    "elbo": reduce_elbo,
}
