"""Families of several variables ▣: each is a chain of families of one variable, in symgen's own language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Composite:
    """`factors` in the order of drawing: (variable, what it is given, its law). `inverse` gives the parameters back from
    those of the factors, named variable_parameter; `variable_scale` is c where a covariance is c times a matrix drawn
    before, or its inverse. `beside_matrices` are numbers that stand beside a matrix drawn before, one for each copy."""

    name: str
    parameters: tuple[str, ...]
    variables: tuple[str, ...]
    factors: tuple[tuple[str, tuple[str, ...], str], ...]
    inverse: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    latex: str = ""
    source: str = ""
    beside_matrices: tuple[str, ...] = ()


ROWS = (
    Composite(
        "NormalGamma",
        parameters=("m", "l", "a", "b"),
        variables=("mu", "tau"),
        factors=(("tau", (), "Gamma(a, b)"), ("mu", ("tau",), "Normal(m, (l*tau)^(-1/2))")),
        inverse={"m": "mu_mu", "l": "1/(mu_sigma^2*tau)", "a": "tau_a", "b": "tau_r"},
        domains={"tau": "positive"},
        latex=r"\operatorname{NG}",
        source="Bishop (2006), eq. 2.154",
    ),
    Composite(
        "NormalInverseGamma",
        parameters=("m", "l", "a", "b"),
        variables=("mu", "v"),
        factors=(("v", (), "InverseGamma(a, b)"), ("mu", ("v",), "Normal(m, sqrt(v/l))")),
        inverse={"m": "mu_mu", "l": "v/mu_sigma^2", "a": "v_a", "b": "v_b"},
        domains={"v": "positive"},
        latex=r"\operatorname{NIG}",
        source="Murphy (2012), 4.6.3.3",
    ),
    Composite(
        "NormalWishart",
        parameters=("m", "l", "nu", "V"),
        variables=("mu", "T"),
        factors=(("T", (), "Wishart(nu, V)"), ("mu", ("T",), "MvNormal(m, precision=l*T)")),
        inverse={"m": "mu_mu", "l": "1/mu_scale", "nu": "T_nu", "V": "T_V"},
        domains={"T": "spd"},
        latex=r"\mathcal{NW}",
        beside_matrices=("l",),
        source="Bishop (2006), eq. 2.157",
    ),
    Composite(
        "NormalInverseWishart",
        parameters=("m", "l", "nu", "Psi"),
        variables=("mu", "Sigma"),
        factors=(("Sigma", (), "InverseWishart(nu, Psi)"), ("mu", ("Sigma",), "MvNormal(m, Sigma/l)")),
        inverse={"m": "mu_mu", "l": "1/mu_scale", "nu": "Sigma_nu", "Psi": "Sigma_Psi"},
        domains={"Sigma": "spd"},
        latex=r"\mathcal{NIW}",
        beside_matrices=("l",),
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


def recognised(families: Mapping[str, str]) -> Composite | None:
    """The row whose factors are of these families, in the order of drawing."""
    for row in ROWS:
        if row.inverse and [text.partition("(")[0] for _, _, text in row.factors] == list(families.values()):
            return row
    return None
