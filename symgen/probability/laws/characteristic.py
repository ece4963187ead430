"""Characteristic functions ▣: the means of cos(t x) and sin(t x), the real and the imaginary part of E exp(i t x).

A row gives modulus and angle, E exp(i t x) = R exp(i a), or where these are no short formulas the two parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgen.probability.laws.univariate_law import Law
from symgen.tensor.expression import Scalar, add, fn, mul, sub

__all__ = ["CHARACTERISTIC", "Wave", "mean_of_wave", "modulus_and_angle"]


@dataclass(frozen=True)
class Wave:
    """E exp(i t x) as texts in t and the parameters."""

    modulus: str = ""
    angle: str = ""
    real: str = ""
    imaginary: str = ""
    source: str = ""


_CONTINUOUS, _DISCRETE = "Johnson, Kotz & Balakrishnan (1994, 1995)", "Johnson, Kemp & Kotz (2005)"
_ROOT = "sqrt((sqrt(1 + (2*mu^2*t/lam)^2) + 1)/2)"  # the real part of sqrt(1 - 2 i mu^2 t/lam)
_CUT = "rate/((rate^2 + t^2)*(1 - exp(-rate*(b - a))))"
_ODDS = "(lam/(1 - lam))"
_CB = f"log{_ODDS}/(({_ODDS} - 1)*(log{_ODDS}^2 + t^2))"
_SPIKE = "-2/((b - a)*(c - a)*(b - c)*t^2)"


def _spikes(f: str) -> str:
    return f"{_SPIKE}*((b - c)*{f}(a*t) - (b - a)*{f}(c*t) + (c - a)*{f}(b*t))"


CHARACTERISTIC: Mapping[str, Wave] = {
    "Normal": Wave("exp(-sigma^2*t^2/2)", "mu*t", source=_CONTINUOUS),
    "Laplace": Wave("1/(1 + b^2*t^2)", "mu*t", source=_CONTINUOUS),
    "Logistic": Wave("where(t == 0, 1, pi*s*t/sinh(pi*s*t))", "mu*t", source=_CONTINUOUS),
    "Cauchy": Wave("exp(-gamma*abs(t))", "x0*t", source=_CONTINUOUS),
    "StudentT": Wave(
        "where(t == 0, 1, 2*(sqrt(nu)*sigma*abs(t)/2)^(nu/2)*besselk(nu/2, sqrt(nu)*sigma*abs(t))/gamma(nu/2))", "mu*t",
        source="Hurst (1995)",
    ),
    "AsymmetricLaplace": Wave(
        "((1 + (t/(lam*kappa))^2)*(1 + (t*kappa/lam)^2))^(-1/2)", "m*t + atan(t/(lam*kappa)) - atan(t*kappa/lam)",
        source="Kotz, Kozubowski & Podgorski (2001), 3.1",
    ),
    "Exponential": Wave("(1 + (t/rate)^2)^(-1/2)", "atan(t/rate)", source=_CONTINUOUS),
    "Gamma": Wave("(1 + (t/r)^2)^(-a/2)", "a*atan(t/r)", source=_CONTINUOUS),
    "Chi2": Wave("(1 + 4*t^2)^(-k/4)", "k/2*atan(2*t)", source=_CONTINUOUS),
    "Levy": Wave("exp(-sqrt(c*abs(t)))", "sign(t)*sqrt(c*abs(t))", source=_CONTINUOUS),
    "InverseGaussian": Wave(f"exp(lam/mu*(1 - {_ROOT}))", f"mu*t/{_ROOT}", source=_CONTINUOUS),
    "TruncatedExponential": Wave(
        real=f"{_CUT}*(rate*(cos(a*t) - exp(-rate*(b - a))*cos(b*t)) - t*(sin(a*t) - exp(-rate*(b - a))*sin(b*t)))",
        imaginary=f"{_CUT}*(rate*(sin(a*t) - exp(-rate*(b - a))*sin(b*t)) + t*(cos(a*t) - exp(-rate*(b - a))*cos(b*t)))",
        source="by the integral of rate*exp((i t - rate) x)",
    ),
    "ContinuousBernoulli": Wave(
        real="where(t == 0, 1, where(lam == 1/2, sin(t)/t,"
        f" {_CB}*(log{_ODDS}*({_ODDS}*cos(t) - 1) + t*{_ODDS}*sin(t))))",
        imaginary="where(t == 0, 0, where(lam == 1/2, (1 - cos(t))/t,"
        f" {_CB}*(log{_ODDS}*{_ODDS}*sin(t) - t*({_ODDS}*cos(t) - 1))))",
        source="by the integral of exp((i t + log(lam/(1 - lam))) x)",
    ),
    "Triangular": Wave(
        real=f"where(t == 0, 1, {_spikes('cos')})", imaginary=f"where(t == 0, 0, {_spikes('sin')})", source=_CONTINUOUS
    ),
    "Geometric": Wave("p*(1 - 2*(1 - p)*cos(t) + (1 - p)^2)^(-1/2)", "atan((1 - p)*sin(t)/(1 - (1 - p)*cos(t)))", source=_DISCRETE),
    "Poisson": Wave("exp(lam*(cos(t) - 1))", "lam*sin(t)", source=_DISCRETE),
    "NegativeBinomial": Wave(
        "((1 - p)^2/(1 - 2*p*cos(t) + p^2))^(r/2)", "r*atan(p*sin(t)/(1 - p*cos(t)))", source=_DISCRETE
    ),
    "LogSeries": Wave(
        real="log(1 - 2*p*cos(t) + p^2)/(2*log(1 - p))", imaginary="-atan(p*sin(t)/(1 - p*cos(t)))/log(1 - p)", source=_DISCRETE
    ),
}  # fmt: skip


def modulus_and_angle(law: Law, slope: Scalar) -> tuple[Scalar, Scalar, str] | None:
    """R and a with E exp(i slope x) = R exp(i a), and where they are from, where the row has them."""
    row = CHARACTERISTIC.get(law.row.name)
    if row is None or not row.modulus:
        return None
    return law.text(row.modulus, t=slope), law.text(row.angle, t=slope), row.source


def mean_of_wave(law: Law, name: str, slope: Scalar, shift: Scalar) -> tuple[Scalar, str] | None:
    """E cos(slope x + shift), or of sin, and where it is from."""
    row = CHARACTERISTIC.get(law.row.name)
    if row is None or name not in ("cos", "sin"):
        return None
    polar = modulus_and_angle(law, slope)
    if polar is not None:
        return mul(polar[0], fn(name, add(polar[1], shift))), row.source
    re, im = law.text(row.real, t=slope), law.text(row.imaginary, t=slope)
    c, s = fn("cos", shift), fn("sin", shift)
    return (sub(mul(re, c), mul(im, s)) if name == "cos" else add(mul(im, c), mul(re, s))), row.source
