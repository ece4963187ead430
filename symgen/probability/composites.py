"""Families of several variables ▣: each is a chain of families of one variable, in symgen's own language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Composite:
    """`variables` as they are given, with the shape of each where it is no scalar; `factors` in the order of drawing:
    (variable, what it is given, its law). `source` of the density."""

    name: str
    parameters: tuple[str, ...]
    variables: tuple[str, ...]
    factors: tuple[tuple[str, tuple[str, ...], str], ...]
    domains: Mapping[str, str] = field(default_factory=dict)
    latex: str = ""
    source: str = ""


ROWS = (
    Composite(
        "NormalGamma",
        parameters=("m", "l", "a", "b"),
        variables=("mu", "tau"),
        factors=(("tau", (), "Gamma(a, b)"), ("mu", ("tau",), "Normal(m, (l*tau)^(-1/2))")),
        domains={"tau": "positive"},
        latex=r"\operatorname{NG}",
        source="Bishop (2006), eq. 2.154",
    ),
    Composite(
        "NormalInverseGamma",
        parameters=("m", "l", "a", "b"),
        variables=("mu", "v"),
        factors=(("v", (), "InverseGamma(a, b)"), ("mu", ("v",), "Normal(m, sqrt(v/l))")),
        domains={"v": "positive"},
        latex=r"\operatorname{NIG}",
        source="Murphy (2012), 4.6.3.3",
    ),
    Composite(
        "NormalWishart",
        parameters=("m", "l", "nu", "V"),
        variables=("mu", "T"),
        factors=(("T", (), "Wishart(nu, V)"), ("mu", ("T",), "MvNormal(m, precision=l*T)")),
        domains={"T": "spd"},
        latex=r"\mathcal{NW}",
        source="Bishop (2006), eq. 2.157",
    ),
    Composite(
        "NormalInverseWishart",
        parameters=("m", "l", "nu", "Psi"),
        variables=("mu", "Sigma"),
        factors=(("Sigma", (), "InverseWishart(nu, Psi)"), ("mu", ("Sigma",), "MvNormal(m, Sigma/l)")),
        domains={"Sigma": "spd"},
        latex=r"\mathcal{NIW}",
        source="Gelman et al. (2013), 3.6",
    ),
    Composite(
        "BivariateNormal",
        parameters=("sx", "sy", "rho"),
        variables=("x", "y"),
        factors=(("x", (), "Normal(0, sx)"), ("y", ("x",), "Normal(rho*sy/sx*x, sy*sqrt(1 - rho^2))")),
        latex=r"\mathcal{N}_2",
        source="Johnson, Kotz & Balakrishnan (2000), 46",
    ),
)

COMPOSITES: Mapping[str, Composite] = {row.name: row for row in ROWS}
