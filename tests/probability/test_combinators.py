"""Laws made of laws, truncated, mixed, transformed: against scipy's quadrature of their densities."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import symgen

HEAD = """
dim k
param m: real, s: positive, a: real, b: real, w: unit, n: real, t: positive, c: positive, r: positive, pi: simplex[k], mu: real[k]
assume a < b
"""
AT = {"m": 0.4, "s": 0.9, "a": -0.6, "b": 1.3, "w": 0.35, "n": -0.5, "t": 1.4, "c": 1.7, "r": 0.8,
      "pi": np.array([0.2, 0.3, 0.5]), "mu": np.array([-1.0, 0.5, 2.0])}  # fmt: skip
INF = math.inf
normal, other = stats.norm(0.4, 0.9).pdf, stats.norm(-0.5, 1.4).pdf
gamma = stats.gamma(1.7, scale=1 / 0.8).pdf
LAWS = {
    "Truncated(Normal(m, var=s^2), 0, inf)": (normal, (0, 4, INF)),
    "Truncated(Gamma(c, r), 1, 3)": (gamma, (1, 3)),
    "Truncated(Exponential(r), 1, inf)": (stats.expon(scale=1.25).pdf, (1, 9, INF)),
    "Mixture(w, Normal(m, s), Normal(n, t))": (lambda x: 0.35 * normal(x) + 0.65 * other(x), (-INF, 0, INF)),
    "Mixture(w, Normal(m, s), Gamma(c, r))": (lambda x: 0.35 * normal(x) + 0.65 * gamma(x), (-INF, 0, 5, INF)),
    "Mixture(pi, Normal(mu, s))": (
        lambda x: sum(p * stats.norm(u, 0.9).pdf(x) for p, u in zip(AT["pi"], AT["mu"], strict=True)), (-INF, 0, INF)),
    "Transformed(Normal(m, s), exp)": (stats.lognorm(0.9, scale=math.exp(0.4)).pdf, (0, 1, 9, INF)),
    "Transformed(Gamma(c, r), sqrt)": (lambda y: 2 * y * gamma(y * y), (0, 1, INF)),
    "Transformed(Normal(m, s), abs)": (lambda y: normal(y) + normal(-y), (0, 2, INF)),
    "Transformed(Exponential(r), log)": (lambda y: math.exp(y) * stats.expon(scale=1.25).pdf(math.exp(y)) if y < 99 else 0.0,
                                         (-INF, 0, 5)),
}  # fmt: skip


def integral(f, ends):
    return sum(integrate.quad(f, x, y, epsabs=1e-13)[0] for x, y in zip(ends, ends[1:], strict=False))


@pytest.mark.parametrize("law", LAWS)
def test_density_and_moments(law):
    f, ends = LAWS[law]
    z = integral(f, ends)
    mean, square = (integral(lambda x, n=n: x**n * f(x), ends) / z for n in (1, 2))
    model = symgen.loads(f"{HEAD}dist p(x) = {law}\ndata u: positive\n")
    assert model.derive("log p(u)").evaluate(u=1.2, **AT) == pytest.approx(math.log(f(1.2) / z), rel=1e-9)
    for goal, want in {"E[x ~ p](x)": mean, "Var[x ~ p](x)": square - mean**2, f"E[x ~ {law}](x^2)": square}.items():
        d = model.derive(goal)
        if "log)" not in law:  # the mean of a logarithm has samples alone
            assert d.evaluate(**AT) == pytest.approx(want, rel=1e-8), goal


@pytest.mark.parametrize("f, invariant", [("exp", True), ("sinh", True), ("abs", False)])
def test_divergences_change_only_through_what_is_not_injective(f, invariant):
    model = symgen.loads(f"{HEAD}dist p(x) = Transformed(Normal(m, s), {f})\ndist q(x) = Transformed(Normal(n, t), {f})\n")
    between = integral(lambda x: normal(x) * math.log(normal(x) / other(x)), (-9, 0, 9))
    folded = integral(lambda x: (normal(x) + normal(-x)) * math.log((normal(x) + normal(-x)) / (other(x) + other(-x))), (0, 9))
    assert folded < between
    d = model.derive("KL(p || q)")
    assert d.evaluate(**AT) == pytest.approx(between if invariant else folded, rel=1e-8)


def test_what_is_no_such_law_is_told():
    for text in ("Truncated(Normal(m, s), a)", "Transformed(Normal(m, s), cos)", "Transformed(Normal(m, s), log)",
                 "Mixture(w, Normal(m, s))", "Truncated(MvNormal(mu, eye(k)), 0, 1)"):  # fmt: skip
        with pytest.raises(symgen.SpecError):
            symgen.loads(f"{HEAD}dist p(x) = {text}\n")
