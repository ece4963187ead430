"""Quantile functions ▣: a draw of each family as an increasing function of one noise `eps`, for couplings on the line.

The noises rise together: `rising` is -log(1 - u), of law Exponential(1); `unit` is u itself; `normal` the normal quantile
of u. `falling`, -log(u), falls as u rises: two functions of it are coupled all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from symgen.probability.families.distribution import Distribution

NOISES: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "normal": ("Normal", (0, 1)), "rising": ("Exponential", (1,)), "falling": ("Exponential", (1,)), "unit": ("Beta", (1, 1)),
}  # fmt: skip

# the families whose draw of a uniform number falls as that rises
DRAWN_DOWNWARDS = ("InverseGamma",)

QUANTILES: Mapping[str, Mapping[str, str]] = {
    "normal": {
        "Normal": "mu + sigma*eps", "LogNormal": "exp(mu + sigma*eps)", "Uniform": "(lo + hi)/2 + (hi - lo)/2*erf(eps/sqrt(2))",
        "LogitNormal": "sigmoid(mu + sigma*eps)",
        "Exponential": "-log(erfc(eps/sqrt(2))/2)/rate", "Weibull": "lam*(-log(erfc(eps/sqrt(2))/2))^(1/k)",
    },
    "rising": {
        "Exponential": "eps/rate", "Weibull": "lam*eps^(1/k)", "Rayleigh": "sigma*sqrt(2)*eps^(1/2)", "Pareto": "xm*exp(eps/alpha)",
        "Lomax": "lam*(exp(eps/alpha) - 1)", "Uniform": "hi - (hi - lo)*exp(-eps)", "Gompertz": "log(1 + eps/eta)/b",
        "Kumaraswamy": "(1 - exp(-eps/b))^(1/a)",
    },
    "falling": {
        "Gumbel": "mu - beta*log(eps)", "Frechet": "s*eps^(-1/alpha)", "Uniform": "lo + (hi - lo)*exp(-eps)",
    },
    "unit": {
        "Uniform": "lo + (hi - lo)*eps", "LogUniform": "lo*exp(eps*log(hi/lo))", "Exponential": "-log(1 - eps)/rate",
        "Logistic": "mu + s*(log(eps) - log(1 - eps))", "Pareto": "xm*(1 - eps)^(-1/alpha)",
        "Lomax": "lam*(1 - eps)^(-1/alpha) - lam", "LogLogistic": "alpha*eps^(1/beta)*(1 - eps)^(-1/beta)",
        "Laplace": "mu + b*where(eps < 1/2, log(2*eps), -log(2 - 2*eps))",
        "AsymmetricLaplace": "m + where(eps < kappa^2/(1 + kappa^2), kappa/lam*log(eps*(1 + kappa^2)/kappa^2),"
        " -log((1 - eps)*(1 + kappa^2))/(lam*kappa))",
        "Triangular": "where(eps < (c - a)/(b - a), a + sqrt((b - a)*(c - a))*eps^(1/2),"
        " b - sqrt((b - a)*(b - c))*(1 - eps)^(1/2))",
        "Cauchy": "x0 + gamma*tan(pi*(eps - 1/2))", "HalfCauchy": "gamma*tan(pi*eps/2)",
        "Weibull": "lam*(-log(1 - eps))^(1/k)", "Rayleigh": "sigma*sqrt(-2*log(1 - eps))",
        "Gompertz": "log(1 - log(1 - eps)/eta)/b",
        "Kumaraswamy": "(1 - (1 - eps)^(1/b))^(1/a)", "Gumbel": "mu - beta*log(-log(eps))", "Frechet": "s*(-log(eps))^(-1/alpha)",
        "TruncatedExponential": "a - log(1 - eps*(1 - exp(-rate*(b - a))))/rate",
        "ContinuousBernoulli": "where(lam == 1/2, eps, log(1 + eps*(2*lam - 1)/(1 - lam))/log(lam/(1 - lam)))",
        "HalfNormal": "sigma*sqrt(2*igammainv(1/2, eps))", "InverseGamma": "b/igammainv(a, 1 - eps)",
        "StudentT": "mu + sigma*where(eps < 1/2, -1, 1)*sqrt(nu*(1/ibetainv(nu/2, 1/2, 2*min(eps, 1 - eps)) - 1))",
        "GeneralizedNormal": "mu + alpha*where(eps < 1/2, -1, 1)*igammainv(1/beta, min(abs(2*eps - 1), 1 - 2^(-53)))^(1/beta)",
        "ExpGamma": "log(igammainv(a, eps)/r)", "Levy": "c/(2*igammainv(1/2, 1 - eps))",
        "BetaPrime": "1/ibetainv(b, a, 1 - eps) - 1", "FisherSnedecor": "dd/dn*(1/ibetainv(dd/2, dn/2, 1 - eps) - 1)",
    },
}  # fmt: skip

# E of the product of two quantile functions at one level, where no lemma of the table says it: the families in order
CROSS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("LogUniform", "LogUniform"): (
        "(hi1*hi2 - lo1*lo2)/log(hi1*hi2/(lo1*lo2))", "the integral of an exponential over the levels"),
    ("Uniform", "LogUniform"): (
        "(lo1*(hi2 - lo2) + (hi1 - lo1)*(hi2 - (hi2 - lo2)/log(hi2/lo2)))/log(hi2/lo2)",
        "the integral of a linear function times an exponential over the levels"),
    ("Normal", "Uniform"): ("mu1*(lo2 + hi2)/2 + sigma1*(hi2 - lo2)/(2*sqrt(pi))", "by parts: the mean of the density of a draw"),
}  # fmt: skip
# families of which two draws without variance, if not of one law, are infinitely far apart
HEAVY = ("Pareto", "Lomax", "LogLogistic", "Frechet")


# below and above a normal number, each without the loss of digits of 1 less the other
BELOW, ABOVE = "erfc(-eps/sqrt(2))/2", "erfc(eps/sqrt(2))/2"
# the inverses of special functions have no value at 0 and at 1
INSIDE = {BELOW: f"max(2^(-960), min({BELOW}, 1 - 2^(-53)))", ABOVE: f"max(2^(-960), {ABOVE})"}


def at_a_normal_level(text: str) -> str:
    """A quantile function of the uniform level u at u = P(z < eps) for a normal z."""
    below, above = (INSIDE[s] if "inv(" in text else s for s in (BELOW, ABOVE))
    apart = {"eps < 1/2": "eps < 0", "1 - eps": f"({above})", "2 - 2*eps": f"(2*{above})", "eps": f"({below})"}
    return re.sub(r"eps < 1/2|(?<![\w*])1 - eps\b(?!\*)|2 - 2\*eps\b|\beps\b", lambda m: apart[m[0]], text)


def quantile_of(row: Distribution, noise: str) -> str:
    """A draw as an increasing function of the noise; the sampler of a uniform number is one. Empty where none is known."""
    found = QUANTILES[noise].get(row.name, "")
    if not found and noise == "unit" and row.noise == "uniform" and row.is_univariate and row.name not in DRAWN_DOWNWARDS:
        return row.draw or row.transform
    return found
