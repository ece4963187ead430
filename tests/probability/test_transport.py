"""Wasserstein distances of normal vectors against the eigenvalues of the product of their covariances."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import symgen
from symgen.probability.families.distribution_functions import DISTRIBUTION_FUNCTIONS
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.families.quantile_functions import QUANTILES
from symgen.probability.laws.referee import scalar_at

SPEC = """
dim d
param m: real[d], S: spd[d, d], b: real[d], T: spd[d, d], v: positive[d], w: positive[d], s: positive
dist p(x) = MvNormal(m, S)
dist q(x) = MvNormal(b, T)
dist r(x) = MvNormal(b, diag=v)
dist e(x) = MvNormal(m, diag=w)
dist n(x: real[d]) = Normal(b, v)
dist g(x) = MvNormal(b, s*S)
"""
rng = np.random.default_rng(8)
spd = lambda: (lambda a: a @ a.T + np.eye(3))(rng.normal(size=(3, 3)))  # noqa: E731
AT = {"m": rng.normal(size=3), "S": spd(), "b": rng.normal(size=3), "T": spd(), "v": np.array([0.4, 1.3, 2.2]),
      "w": np.array([1.9, 0.6, 0.8]), "s": 2.6}  # fmt: skip
LAWS = {"p": ("m", AT["S"]), "q": ("b", AT["T"]), "r": ("b", np.diag(AT["v"])), "e": ("m", np.diag(AT["w"])),
        "n": ("b", np.diag(AT["v"] ** 2)), "g": ("b", AT["s"] * AT["S"])}  # fmt: skip


@pytest.mark.parametrize("pair", ["pq", "re", "pn", "nr", "pg", "gq", "rq", "pp"])
def test_wasserstein(pair):
    d = symgen.loads(SPEC).derive(f"wasserstein2({pair[0]}, {pair[1]})")
    assert d.evidence.kind == "checked"
    (m, S), (b, T) = LAWS[pair[0]], LAWS[pair[1]]
    roots = np.sqrt(np.linalg.eigvals(S @ T).real)
    want = ((AT[m] - AT[b]) ** 2).sum() + np.trace(S) + np.trace(T) - 2 * roots.sum()
    assert math.isclose(float(d.evaluate(**AT)), want, rel_tol=1e-9, abs_tol=1e-9)


ON_THE_LINE = {  # two laws, and their quantiles
    "StudentT": ("StudentT(c, m, s)", "StudentT(c, n, t)", stats.t(4.3, 0.4, 0.9), stats.t(4.3, -0.5, 1.4)),
    "Moyal": ("Moyal(m, s)", "Moyal(n, t)", stats.moyal(0.4, 0.9), stats.moyal(-0.5, 1.4)),
    "GeneralizedNormal": ("GeneralizedNormal(m, s, c)", "GeneralizedNormal(n, t, c)", stats.gennorm(4.3, 0.4, 0.9),
                          stats.gennorm(4.3, -0.5, 1.4)),
    "Gamma": ("Gamma(c, s)", "Gamma(c, t)", stats.gamma(4.3, scale=1 / 0.9), stats.gamma(4.3, scale=1 / 1.4)),
    "InverseGamma": ("InverseGamma(c, s)", "InverseGamma(c, t)", stats.invgamma(4.3, scale=0.9), stats.invgamma(4.3, scale=1.4)),
    "Nakagami": ("Nakagami(c, s)", "Nakagami(c, t)", stats.nakagami(4.3, scale=0.9**0.5), stats.nakagami(4.3, scale=1.4**0.5)),
    "LogLogistic": ("LogLogistic(s, c)", "LogLogistic(t, 2*c)", stats.fisk(4.3, scale=0.9), stats.fisk(8.6, scale=1.4)),
    "Frechet": ("Frechet(c, s)", "Frechet(2*c, t)", stats.invweibull(4.3, scale=0.9), stats.invweibull(8.6, scale=1.4)),
    "Pareto": ("Pareto(s, c)", "Pareto(t, 2*c)", stats.pareto(4.3, scale=0.9), stats.pareto(8.6, scale=1.4)),
    "Lomax": ("Lomax(c, s)", "Lomax(2*c, t)", stats.lomax(4.3, scale=0.9), stats.lomax(8.6, scale=1.4)),
    "LogUniform": ("LogUniform(s, s + t)", "LogUniform(t, c)", stats.loguniform(0.9, 2.3), stats.loguniform(1.4, 4.3)),
    "Triangular": ("Triangular(m, m + 2, m + 1/2)", "Triangular(n, n + 3, n + 2)", stats.triang(0.25, 0.4, 2),
                   stats.triang(2 / 3, -0.5, 3)),
    "Gompertz": ("Gompertz(s, c)", "Gompertz(t, c)", stats.gompertz(0.9, scale=1 / 4.3), stats.gompertz(1.4, scale=1 / 4.3)),
    "AsymmetricLaplace": ("AsymmetricLaplace(m, s, t)", "AsymmetricLaplace(n, t, s)",
                          stats.laplace_asymmetric(1.4, 0.4, 1 / 0.9), stats.laplace_asymmetric(0.9, -0.5, 1 / 1.4)),
    "Uniform and Exponential": ("Uniform(m, m + s)", "Exponential(t)", stats.uniform(0.4, 0.9), stats.expon(scale=1 / 1.4)),
    "Normal and Uniform": ("Normal(m, s)", "Uniform(n, n + t)", stats.norm(0.4, 0.9), stats.uniform(-0.5, 1.4)),
    "Logistic and Exponential": ("Logistic(m, s)", "Exponential(t)", stats.logistic(0.4, 0.9), stats.expon(scale=1 / 1.4)),
    "Frechet and Gumbel": ("Frechet(c, s)", "Gumbel(n, t)", stats.invweibull(4.3, scale=0.9), stats.gumbel_r(-0.5, 1.4)),
    "Normal and LogNormal": ("Normal(m, s)", "LogNormal(n, 1/3)", stats.norm(0.4, 0.9),
                             stats.lognorm(1 / 3, scale=math.exp(-0.5))),
    "Bernoulli": ("Bernoulli(s/2)", "Bernoulli(t/2)", stats.bernoulli(0.45), stats.bernoulli(0.7)),
}  # fmt: skip
LINE = symgen.loads("param m: real, s: positive, n: real, t: positive, c: positive\nassume s < 2, t < 2\n")
ON = {"m": 0.4, "s": 0.9, "n": -0.5, "t": 1.4, "c": 4.3}


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_on_the_line_it_is_the_distance_of_the_quantiles(name):
    p, q, one, other = ON_THE_LINE[name]

    def gap(u):
        return (one.ppf(u) - other.ppf(u)) ** 2

    ends = [0, 1e-6, 1e-3, 0.1, 0.3, 0.45, 0.55, 0.7, 0.9, 0.999, 1 - 1e-6, 1 - 1e-9, 1]
    want = sum(integrate.quad(gap, a, b, limit=200)[0] for a, b in zip(ends, ends[1:], strict=False))
    d = LINE.derive(f"wasserstein2({p}, {q})")
    assert math.isclose(float(d.evaluate(**ON)), want, rel_tol=2e-4)
    assert d.evidence.kind in ("proved", "checked")


def test_a_heavy_tail_is_moved_at_finite_cost_by_a_shift_alone():
    d = LINE.derive("wasserstein2(Cauchy(m, s), Cauchy(n, t))")
    assert d.evaluate(**ON) == math.inf
    assert d.evaluate(**{**ON, "t": 0.9}) == pytest.approx(0.81)
    assert LINE.derive("wasserstein2(Cauchy(m, s), Cauchy(n, s))").text_result == "(m - n)^2"
    assert LINE.derive("wasserstein2(Levy(s), Levy(t))").evaluate(**ON) == math.inf
    assert LINE.derive("wasserstein2(Pareto(s, 2), Pareto(t, c))").evaluate(**ON) == math.inf
    assert LINE.derive("wasserstein2(Lomax(t, s), Lomax(t, s))").evaluate(**ON) == 0


@pytest.mark.parametrize("law", ["Cauchy(n, t)", "Levy(t)", "StudentT(2, n, t)", "HalfCauchy(t)"])
def test_what_has_no_variance_is_infinitely_far_from_what_has_one(law):
    for p, q in (("Normal(m, s)", law), (law, "Normal(m, s)"), ("Exponential(s)", law)):
        d = LINE.derive(f"wasserstein2({p}, {q})")
        assert d.text_result == "inf" and d.evidence.kind == "proved"
        assert any(step.reason and "has no variance" in step.reason for step in d.steps)


@pytest.mark.parametrize("noise", QUANTILES)
def test_the_distribution_function_undoes_the_quantile_function(noise):
    for name, text in QUANTILES[noise].items():
        row = FAMILIES[name]
        at = {n: {"unit": 0.3, "positive": 1.7, "real": 0.4}[d] + 0.1 * k for k, (n, d) in enumerate(row.parameters.items())}
        if row.order:
            at.update(zip(("lo", "hi") if "lo" in at else ("a", "b", "c"), (0.6, 2.3, 1.1), strict=False))
        u = np.array([0.02, 0.3, 0.55, 0.97])
        eps = {"normal": stats.norm.ppf(u), "rising": -np.log1p(-u), "falling": -np.log(u), "unit": u}[noise]
        x = scalar_at(text.replace("eps", "x"), at, eps)
        if name in DISTRIBUTION_FUNCTIONS:
            assert scalar_at(DISTRIBUTION_FUNCTIONS[name], at, x) == pytest.approx(u, rel=1e-9), name


QUANTILES_BY_NUMBERS = {
    "Gamma(a, r)": lambda u: stats.gamma.ppf(u, 2.3, scale=1 / 1.4),
    "Beta(a, r)": lambda u: stats.beta.ppf(u, 2.3, 1.4),
    "Beta(b, s)": lambda u: stats.beta.ppf(u, 3.1, 0.8),
    "Gamma(b, s)": lambda u: stats.gamma.ppf(u, 3.1, scale=1 / 0.8),
    "Exponential(r)": lambda u: stats.expon.ppf(u, scale=1 / 1.4),
    "Exponential(s)": lambda u: stats.expon.ppf(u, scale=1 / 0.8),
    "Normal(m, s)": lambda u: stats.norm.ppf(u, 0.3, 0.8),
    "Uniform(0, 1)": lambda u: u,
    "Nakagami(a, s)": lambda u: np.sqrt(stats.gamma.ppf(u, 2.3, scale=0.8 / 2.3)),
    "Laplace(0, r)": lambda u: stats.laplace.ppf(u, 0, 1.4),
    "Logistic(0, r)": lambda u: stats.logistic.ppf(u, 0, 1.4),
    "StudentT(9, m, r)": lambda u: stats.t.ppf(u, 9, 0.3, 1.4),
    "GeneralizedNormal(m, r, a)": lambda u: stats.gennorm.ppf(u, 2.3, 0.3, 1.4),
    "ExpGamma(a, r)": lambda u: stats.loggamma.ppf(u, 2.3, -math.log(1.4)),
    "InverseGamma(9, s)": lambda u: stats.invgamma.ppf(u, 9, scale=0.8),
}
SHAPES = [
    ("Gamma(a, r)", "Gamma(b, s)"), ("Beta(a, r)", "Beta(b, s)"), ("Exponential(s)", "Gamma(a, r)"),
    ("Normal(m, s)", "Exponential(r)"), ("Uniform(0, 1)", "Beta(a, r)"), ("Gamma(b, s)", "Nakagami(a, s)"),
    ("InverseGamma(9, s)", "Gamma(a, r)"), ("Normal(m, s)", "Laplace(0, r)"), ("Logistic(0, r)", "Normal(m, s)"),
    ("Normal(m, s)", "StudentT(9, m, r)"), ("Gamma(a, r)", "Normal(m, s)"), ("GeneralizedNormal(m, r, a)", "Laplace(0, r)"),
    ("ExpGamma(a, r)", "StudentT(9, m, r)"),
]  # fmt: skip
QUICK_SHAPES = [SHAPES[1], ("Gamma(a, r)", "Normal(m, s)")]


@pytest.mark.parametrize(("p", "q"), [pytest.param(*c, marks=[] if c in QUICK_SHAPES else [pytest.mark.slow]) for c in SHAPES])
def test_a_distance_without_a_closed_form_is_a_mean_over_the_levels(p, q):
    lines = "param a: positive, b: positive, r: positive, s: positive, m: real\n"
    found = symgen.loads(f"{lines}dist p(x) = {p}\ndist q(x) = {q}\n").derive("wasserstein2(p, q)")
    point = {"a": 2.3, "b": 3.1, "r": 1.4, "s": 0.8, "m": 0.3}
    got = found.evaluate(**{n: v for n, v in point.items() if n in found.symbols})
    k = np.arange(-3.6, 3.6, 0.01)  # levels that crowd at both ends
    u = 1 / (1 + np.exp(-np.pi * np.sinh(k)))
    w = 0.01 * np.pi * np.cosh(k) * u * (1 - u)
    inside = (u > 1e-13) & (u < 1 - 1e-13)
    x, y = (QUANTILES_BY_NUMBERS[law](u[inside]) for law in (p, q))
    assert got == pytest.approx(np.sum(w[inside] * (x - y) ** 2), rel=1e-6)
