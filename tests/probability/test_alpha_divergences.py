"""Renyi, chi-square, Hellinger, total variation: against sums and quadrature of scipy's densities; the conditions under
which they are finite."""

import math

import numpy as np
import pytest
import scipy.linalg
from scipy import integrate, stats

import symgen

SPEC = """
param m1: real, s1: positive, m2: real, s2: positive, a1: positive, r1: positive, a2: positive, r2: positive
param p1: unit, p2: unit, h: positive
"""
AT = {"m1": 0.4, "s1": 0.8, "m2": -0.3, "s2": 1.1, "a1": 2.3, "r1": 1.7, "a2": 3.1, "r2": 1.2, "p1": 0.63, "p2": 0.37}
PAIRS = {
    "Normal": ("Normal(m1, s1)", "Normal(m2, s2)", lambda v: stats.norm(v["m1"], v["s1"]), lambda v: stats.norm(v["m2"], v["s2"])),
    "Gamma": ("Gamma(a1, r1)", "Gamma(a2, r2)", lambda v: stats.gamma(v["a1"], scale=1 / v["r1"]),
              lambda v: stats.gamma(v["a2"], scale=1 / v["r2"])),
    "Beta": ("Beta(a1, r1)", "Beta(a2, r2)", lambda v: stats.beta(v["a1"], v["r1"]), lambda v: stats.beta(v["a2"], v["r2"])),
    "Exponential": ("Exponential(r1)", "Exponential(r2)", lambda v: stats.expon(scale=1 / v["r1"]),
                    lambda v: stats.expon(scale=1 / v["r2"])),
    "Weibull": ("Weibull(a1, s1)", "Weibull(a1, s2)", lambda v: stats.weibull_min(v["a1"], scale=v["s1"]),
                lambda v: stats.weibull_min(v["a1"], scale=v["s2"])),
    "LogNormal": ("LogNormal(m1, s1)", "LogNormal(m2, s2)", lambda v: stats.lognorm(v["s1"], scale=math.exp(v["m1"])),
                  lambda v: stats.lognorm(v["s2"], scale=math.exp(v["m2"]))),
    "Rayleigh, HalfNormal": ("Rayleigh(s1)", "HalfNormal(s2)", lambda v: stats.rayleigh(scale=v["s1"]),
                             lambda v: stats.halfnorm(scale=v["s2"])),
    "Poisson": ("Poisson(r1)", "Poisson(r2)", lambda v: stats.poisson(v["r1"]), lambda v: stats.poisson(v["r2"])),
    "Geometric": ("Geometric(p1)", "Geometric(p2)", lambda v: stats.geom(v["p1"], -1), lambda v: stats.geom(v["p2"], -1)),
    "Bernoulli": ("Bernoulli(p1)", "Bernoulli(p2)", lambda v: stats.bernoulli(v["p1"]), lambda v: stats.bernoulli(v["p2"])),
    "NegativeBinomial": ("NegativeBinomial(a1, p2)", "NegativeBinomial(a1, p1)",
                         lambda v: stats.nbinom(v["a1"], 1 - v["p2"]), lambda v: stats.nbinom(v["a1"], 1 - v["p1"])),
}  # fmt: skip


def integral(p, q, alpha):
    if hasattr(p, "pmf"):
        x = np.arange(0, 400)
        a, b = p.logpmf(x), q.logpmf(x)
        keep = np.isfinite(a) & np.isfinite(b)
        return float(np.sum(np.exp(alpha * a[keep] + (1 - alpha) * b[keep])))
    low, high = p.support()
    f = lambda x: math.exp(alpha * p.logpdf(x) + (1 - alpha) * q.logpdf(x))  # noqa: E731
    middle = float(p.median())
    return sum(integrate.quad(f, a, b, limit=400)[0] for a, b in ((low, middle), (middle, high)))


GOALS = {
    "hellinger({}, {})": lambda i: 1 - i(0.5),
    "renyi({}, {}, 1/3)": lambda i: math.log(i(1 / 3)) / (1 / 3 - 1),
    "renyi({}, {}, h)": lambda i: math.log(i(1.2)) / 0.2,
    "chi2({} || {})": lambda i: i(2) - 1,
}


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("pair", PAIRS)
def test_it_is_that_of_quadrature(pair, goal):
    a, b, p, q = PAIRS[pair]
    at = dict(AT, h=1.2)
    d = symgen.loads(SPEC).derive(goal.format(a, b))
    got = float(d.evaluate(**at))
    if math.isfinite(got):
        want = GOALS[goal](lambda alpha: integral(p(at), q(at), alpha))
        assert math.isclose(got, want, rel_tol=1e-6, abs_tol=1e-9)
    assert d.evidence.kind in ("proved", "checked")


@pytest.mark.parametrize("goal, finite, infinite", [
    ("chi2(Normal(m1, s1) || Normal(m2, s2))", {"s1": 1.3, "s2": 1.0}, {"s1": 1.5, "s2": 1.0}),
    ("chi2(Gamma(a1, r1) || Gamma(a2, r2))", {"r1": 1.1, "r2": 2.0}, {"r1": 0.9, "r2": 2.0}),
    ("chi2(Gamma(a1, r1) || Gamma(a2, r2))", {"a1": 1.1, "a2": 2.0}, {"a1": 0.9, "a2": 2.0}),
    ("chi2(Exponential(r1) || Exponential(r2))", {"r1": 1.1, "r2": 2.0}, {"r1": 0.9, "r2": 2.0}),
    ("chi2(Geometric(p1) || Geometric(p2))", {"p1": 0.4, "p2": 0.5}, {"p1": 0.2, "p2": 0.5}),
    ("renyi(Geometric(p1), Geometric(p2), 3)", {"p1": 0.5, "p2": 0.5}, {"p1": 0.2, "p2": 0.6}),
    ("chi2(Pareto(r1, a1) || Pareto(r2, a2))", {"a1": 1.1, "a2": 2.0}, {"a1": 0.9, "a2": 2.0}),
    ("chi2(Pareto(r1, a1) || Pareto(r2, a2))", {"r1": 2.0, "r2": 1.0}, {"r1": 1.0, "r2": 2.0}),
])  # fmt: skip
def test_it_is_infinite_where_it_is(goal, finite, infinite):
    d = symgen.loads(SPEC).derive(goal)
    assert math.isfinite(d.evaluate(**{**AT, **finite}))
    assert d.evaluate(**{**AT, **infinite}) == math.inf
    assert d.evidence.kind == "checked"


@pytest.mark.parametrize("goal, want", [
    ("hellinger(Normal(m1, s1), Normal(m2, s2))", "1 - exp(-(m1 - m2)^2/(4*(s1^2 + s2^2)))*sqrt(2*s1*s2/(s1^2 + s2^2))"),
    ("hellinger(Poisson(r1), Poisson(r2))", "1 - exp(-(sqrt(r1) - sqrt(r2))^2/2)"),
    ("tv(Bernoulli(p1), Bernoulli(p2))", "abs(p1 - p2)"),
    ("chi2(Poisson(r1) || Poisson(r2))", "exp((r1 - r2)^2/r2) - 1"),
    ("hellinger(Exponential(r1), Exponential(r2))", "1 - 2*sqrt(r1*r2)/(r1 + r2)"),
])  # fmt: skip
def test_it_reads_as_in_a_book(goal, want):
    assert symgen.loads(SPEC).derive(goal).text_result == want


def test_laws_without_common_mass():
    m = symgen.loads(SPEC)
    assert m.derive("renyi(Normal(m1, s1), Exponential(r1), 2)").evaluate(**AT) == math.inf
    got = m.derive("renyi(Uniform(0, 2), Uniform(1, 4), 1/2)").evaluate()
    assert math.isclose(float(got), -2 * math.log(1 / math.sqrt(6)))


VECTORS = """
dim d, k
param m: real[d], b: real[d], S: spd[d, d], T: spd[d, d], v: positive[d], w: positive[d], al: positive[k], be: positive[k]
dist f(x) = MvNormal(m, S)
dist g(x) = MvNormal(b, T)
dist D(r) = Dirichlet(al)
dist F(r) = Dirichlet(be)
"""


def test_normal_vectors_of_symbolic_size():
    rng = np.random.default_rng(0)
    model = symgen.loads(VECTORS)
    A, B = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    S, T, m, b = A @ A.T + np.eye(3), B @ B.T + np.eye(3), rng.normal(size=3), rng.normal(size=3)
    M = (S + T) / 2
    det = np.linalg.det
    want = 1 - (det(S) * det(T)) ** 0.25 / det(M) ** 0.5 * np.exp(-(m - b) @ np.linalg.inv(M) @ (m - b) / 8)
    d = model.derive("hellinger(f, g)")
    assert math.isclose(d.evaluate(m=m, b=b, S=S, T=T), want, rel_tol=1e-10)
    assert d.evidence.kind == "checked"
    d = model.derive("wasserstein2(MvNormal(m, diag=v), MvNormal(b, diag=w))")
    v, w = rng.uniform(0.5, 2, 3), rng.uniform(0.5, 2, 3)
    assert math.isclose(d.evaluate(m=m, b=b, v=v, w=w), np.sum((m - b) ** 2 + (v**0.5 - w**0.5) ** 2))
    root = scipy.linalg.sqrtm(S)
    want = (m - b) @ (m - b) + np.trace(S + T - 2 * scipy.linalg.sqrtm(root @ T @ root).real)
    assert math.isclose(model.derive("wasserstein2(f, g)").evaluate(m=m, b=b, S=S, T=T), want, rel_tol=1e-9)


def test_dirichlet_of_symbolic_size():
    al, be = np.array([1.2, 0.7, 2.0]), np.array([0.6, 1.6, 1.1])
    lB = lambda a: sum(math.lgamma(x) for x in a) - math.lgamma(sum(a))  # noqa: E731
    got = symgen.loads(VECTORS).derive("hellinger(D, F)").evaluate(al=al, be=be)
    assert math.isclose(got, 1 - math.exp(lB((al + be) / 2) - (lB(al) + lB(be)) / 2), rel_tol=1e-10)


def test_a_letter_for_the_order_may_not_be_1():
    model = symgen.loads(
        "const al: positive\nconst be: unit\nconst a: positive, b: positive\ndist p(x) = Normal(0, a)\ndist q(x) = Normal(0, b)\n"
    )
    said = "the order of the divergence is not 1, where it is KL"
    assert said in model.derive("renyi(p, q, al)").conditions
    assert said not in model.derive("renyi(p, q, be)").conditions + model.derive("renyi(p, q, 1 + al)").conditions
