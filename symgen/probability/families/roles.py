"""What the parameters of families are called ▣, where a scale, a variance, a rate or a precision could be meant."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ROLES", "roles_of"]

ROLES: Mapping[str, Mapping[str, str]] = {
    "Normal": {"mu": "mean", "sigma": "standard deviation"},
    "MvNormal": {"mu": "mean", "Sigma": "covariance"},
    "Laplace": {"mu": "location", "b": "scale"},
    "Logistic": {"mu": "location", "s": "scale"},
    "Gumbel": {"mu": "location", "beta": "scale"},
    "Cauchy": {"x0": "location", "gamma": "scale"},
    "StudentT": {"nu": "degrees of freedom", "mu": "location", "sigma": "scale"},
    "Exponential": {"rate": "rate"},
    "Gamma": {"a": "shape", "r": "rate"},
    "InverseGamma": {"a": "shape", "b": "scale"},
    "Weibull": {"k": "shape", "lam": "scale"},
    "Frechet": {"alpha": "shape", "s": "scale"},
    "LogNormal": {"mu": "mean of the logarithm", "sigma": "standard deviation of the logarithm"},
    "InverseGaussian": {"mu": "mean", "lam": "shape"},
    "LogLogistic": {"alpha": "scale", "beta": "shape"},
    "Lomax": {"alpha": "shape", "lam": "scale"},
    "Pareto": {"xm": "scale", "alpha": "shape"},
    "Gompertz": {"eta": "shape", "b": "rate"},
    "HalfNormal": {"sigma": "scale"},
    "Rayleigh": {"sigma": "scale"},
    "Maxwell": {"sigma": "scale"},
    "HalfCauchy": {"gamma": "scale"},
    "Levy": {"c": "scale"},
    "ExpGamma": {"a": "shape", "r": "rate"},
    "AsymmetricLaplace": {"m": "location", "lam": "rate", "kappa": "asymmetry"},
    "GeneralizedNormal": {"mu": "location", "alpha": "scale", "beta": "shape"},
    "TruncatedNormal": {"mu": "mean before truncation", "sigma": "standard deviation before truncation"},
    "Geometric": {"p": "probability of success"},
    "NegativeBinomial": {"r": "number of failures", "p": "probability of success"},
    "Wishart": {"nu": "degrees of freedom", "V": "scale"},
    "InverseWishart": {"nu": "degrees of freedom", "Psi": "scale"},
    "MultivariateT": {"nu": "degrees of freedom", "mu": "location", "Sigma": "scale"},
    "VonMises": {"mu": "direction", "kappa": "concentration"},
}


def roles_of(family: str, parameters: list[str]) -> list[str]:
    """The words for these parameters in order; none where the table has not all of them."""
    known = ROLES.get(family, {})
    return [known[p] for p in parameters] if all(p in known for p in parameters) else []
