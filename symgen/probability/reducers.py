"""Which engine reduces which operator of probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.bayes.marginal import reduce_conditional_law, reduce_log_density_of, reduce_marginal
from symgen.probability.bayes.posterior import reduce_posterior
from symgen.probability.divergences.alpha_divergence import reduce_power
from symgen.probability.divergences.bounds import reduce_bound
from symgen.probability.divergences.divergence import (
    reduce_cross_entropy,
    reduce_elbo,
    reduce_entropy,
    reduce_expectation,
    reduce_kl,
    reduce_log_density,
)  # fmt: skip
from symgen.probability.divergences.f_divergence import reduce_fdiv
from symgen.probability.divergences.images import at_images, over_preimages, with_bounds_over_images, with_images_opened
from symgen.probability.divergences.information import (
    reduce_fisher,
    reduce_mutual_information,
    reduce_wasserstein,
)  # fmt: skip
from symgen.probability.divergences.moments import reduce_moment_match
from symgen.probability.divergences.overlap import reduce_js, reduce_tv
from symgen.probability.divergences.rates import reduce_entropy_rate
from symgen.probability.divergences.variances import reduce_variance
from symgen.probability.estimation.likelihood import reduce_mle
from symgen.probability.laws.combinators import inner_of_images
from symgen.probability.laws.joint import decode, encode, inline, placed_in
from symgen.tensor.expression import Array, Operator, replace_arrays


def at_what_is_given(engine: Callable[[Operator, Context], Any]) -> Callable[[Operator, Context], Any]:
    """The engine of p(x | y) at the y that an operator outside draws."""

    def run(op: Operator, ctx: Context) -> Any:
        places: dict[Array, Array] = {v: a for v, a in placed_in(op).items() if a is not v}
        made = engine(op, ctx)
        return replace_arrays(made, places) if places else made

    return run


def on_preimages(engine: Callable[[Operator, Context], Any]) -> Callable[[Operator, Context], Any]:
    """The engine of a divergence of two laws that are images under one injective function, on the laws below."""

    def run(op: Operator, ctx: Context) -> Any:
        refs, options = decode(op)
        laws = [f.law for r in refs for f in r.joint.factors]
        inside = inner_of_images(laws[0], laws[1]) if len(laws) == 2 else None
        if inside is None:
            return engine(op, ctx)
        made = encode(op.name, [inline(law) for law in inside], options)
        ctx.trace.add("invariance", op, made, reason="one injective function of both draws changes no divergence")
        return engine(made, ctx)

    return run


MEAN = over_preimages(reduce_expectation)
ENTROPY = with_images_opened(reduce_entropy, reduce_entropy, MEAN)

REDUCERS: Mapping[str, Callable[[Operator, Context], Any]] = {
    "E": MEAN,
    "Var": over_preimages(reduce_variance),
    "Cov": over_preimages(reduce_variance),
    "KL": at_what_is_given(with_images_opened(reduce_kl, reduce_entropy, MEAN)),
    "entropy": at_what_is_given(ENTROPY),
    "entropy_rate": reduce_entropy_rate,
    "cross_entropy": at_what_is_given(with_images_opened(reduce_cross_entropy, reduce_entropy, MEAN)),
    "log_density": at_images(reduce_log_density),
    "log_density_of": reduce_log_density_of,
    "elbo": with_bounds_over_images(reduce_elbo, ENTROPY, MEAN),
    "JS": at_what_is_given(on_preimages(reduce_js)),
    "renyi": at_what_is_given(on_preimages(reduce_power)),
    "chi2": at_what_is_given(on_preimages(reduce_power)),
    "hellinger": at_what_is_given(on_preimages(reduce_power)),
    "tv": at_what_is_given(on_preimages(reduce_tv)),
    "fdiv": at_what_is_given(on_preimages(reduce_fdiv)),
    "wasserstein2": at_what_is_given(reduce_wasserstein),
    "fisher": reduce_fisher,
    "mle": reduce_mle,
    "mutual_information": reduce_mutual_information,
    "bound": reduce_bound,
    "posterior": reduce_posterior,
    "marginal": reduce_marginal,
    "conditional_law": reduce_conditional_law,
    "moment_match": reduce_moment_match,
}
