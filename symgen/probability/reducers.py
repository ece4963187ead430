"""Which engine reduces which operator of probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.alpha_divergence import reduce_power
from symgen.probability.divergence import (
    reduce_cross_entropy,
    reduce_elbo,
    reduce_entropy,
    reduce_expectation,
    reduce_kl,
    reduce_log_density,
    reduce_variance,
)  # fmt: skip
from symgen.probability.information import (
    reduce_fisher,
    reduce_mutual_information,
    reduce_wasserstein,
)  # fmt: skip
from symgen.probability.likelihood import reduce_mle
from symgen.probability.marginal import reduce_conditional_law, reduce_log_density_of, reduce_marginal
from symgen.probability.moments import reduce_moment_match
from symgen.probability.overlap import reduce_fdiv, reduce_js, reduce_tv
from symgen.probability.posterior import reduce_posterior
from symgen.tensor.expression import Operator

REDUCERS: Mapping[str, Callable[[Operator, Context], Any]] = {
    "E": reduce_expectation,
    "Var": reduce_variance,
    "Cov": reduce_variance,
    "KL": reduce_kl,
    "entropy": reduce_entropy,
    "cross_entropy": reduce_cross_entropy,
    "log_density": reduce_log_density,
    "log_density_of": reduce_log_density_of,
    "elbo": reduce_elbo,
    "JS": reduce_js,
    "renyi": reduce_power,
    "chi2": reduce_power,
    "hellinger": reduce_power,
    "tv": reduce_tv,
    "fdiv": reduce_fdiv,
    "wasserstein2": reduce_wasserstein,
    "fisher": reduce_fisher,
    "mle": reduce_mle,
    "mutual_information": reduce_mutual_information,
    "posterior": reduce_posterior,
    "marginal": reduce_marginal,
    "conditional_law": reduce_conditional_law,
    "moment_match": reduce_moment_match,
}
