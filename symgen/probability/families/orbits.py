"""Families that are moved and stretched into themselves ▣: x = location + scale z, where z has a law without those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Orbit:
    """x = location + scale z, where z has the law of the family with the parameters `standard`; the others are shared."""

    location: str
    scale: str
    standard: Mapping[str, str]


ORBITS: Mapping[str, Orbit] = {
    "Cauchy": Orbit("x0", "gamma", {"x0": "0", "gamma": "1"}),
    "StudentT": Orbit("mu", "sigma", {"mu": "0", "sigma": "1"}),
    "Moyal": Orbit("mu", "s", {"mu": "0", "s": "1"}),
    "AsymmetricLaplace": Orbit("m", "1/lam", {"m": "0", "lam": "1"}),
    "GeneralizedNormal": Orbit("mu", "alpha", {"mu": "0", "alpha": "1"}),
    "ExpGamma": Orbit("-log(r)", "1", {"r": "1"}),
    "Gamma": Orbit("0", "1/r", {"r": "1"}),
    "InverseGamma": Orbit("0", "b", {"b": "1"}),
    "Levy": Orbit("0", "c", {"c": "1"}),
    "HalfCauchy": Orbit("0", "gamma", {"gamma": "1"}),
    "Maxwell": Orbit("0", "sigma", {"sigma": "1"}),
    "Nakagami": Orbit("0", "sqrt(Om)", {"Om": "1"}),
    "GeneralizedGamma": Orbit("0", "a", {"a": "1"}),
}
