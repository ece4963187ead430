"""Total variation, Jensen-Shannon, Hellinger and f-divergences of laws that share all, some or none of their mass,
against quadrature and sums of mpmath."""

import math

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, stats

import symgen
from symgen.probability.families.distribution_functions import DISTRIBUTION_FUNCTIONS, SYMMETRIC
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.laws.referee import Numeric, scalar_at
from tests.probability.laws import parameters

HEAD = """
param m: real, s: positive, r: real, b: positive, a: positive, c: positive, p0: unit, q0: unit
def f(t) = (1 - t)^2/(1 + t)
"""
AT = {"m": 0.37, "s": 1.26, "r": -0.83, "b": 0.71, "a": 2.35, "c": 1.1, "p0": 0.41, "q0": 0.17}
m, s, r, b, a, c, p0, q0 = AT.values()
LAWS = {
    "Normal(m, s)": stats.norm(m, s), "Normal(r, s)": stats.norm(r, s), "Normal(r, b)": stats.norm(r, b),
    "Laplace(m, s)": stats.laplace(m, s), "Laplace(r, s)": stats.laplace(r, s),
    "Cauchy(m, s)": stats.cauchy(m, s), "Cauchy(r, s)": stats.cauchy(r, s),
    "Logistic(m, s)": stats.logistic(m, s), "Logistic(r, s)": stats.logistic(r, s),
    "StudentT(a, m, s)": stats.t(a, m, s), "StudentT(a, r, s)": stats.t(a, r, s),
    "Exponential(a)": stats.expon(scale=1 / a), "Exponential(b)": stats.expon(scale=1 / b),
    "Gamma(a, b)": stats.gamma(a, scale=1 / b), "Gamma(a, c)": stats.gamma(a, scale=1 / c),
    "Gamma(s, b)": stats.gamma(s, scale=1 / b), "InverseGamma(a, b)": stats.invgamma(a, scale=b),
    "InverseGamma(a, c)": stats.invgamma(a, scale=c), "Weibull(a, b)": stats.weibull_min(a, scale=b),
    "Weibull(a, c)": stats.weibull_min(a, scale=c), "Pareto(1, a)": stats.pareto(a), "Pareto(1, c)": stats.pareto(c),
    "Uniform(0, a)": stats.uniform(0, a), "Uniform(c, 3)": stats.uniform(c, 3 - c), "Uniform(3, 4)": stats.uniform(3, 1),
    "HalfNormal(s)": stats.halfnorm(scale=s), "HalfNormal(b)": stats.halfnorm(scale=b),
    "Beta(a, s)": stats.beta(a, s), "Beta(c, s)": stats.beta(c, s),
}  # fmt: skip
COUNTS = {
    "Poisson(a)": stats.poisson(a), "Poisson(b)": stats.poisson(b), "Geometric(p0)": stats.geom(p0, loc=-1),
    "Geometric(q0)": stats.geom(q0, loc=-1), "Bernoulli(p0)": stats.bernoulli(p0), "Binomial(3, q0)": stats.binom(3, q0),
    "Binomial(6, q0)": stats.binom(6, q0), "DiscreteUniform(0, 3)": stats.randint(0, 4),
    "DiscreteUniform(2, 7)": stats.randint(2, 8),
}  # fmt: skip


def integrated(p, q, f):
    """The integral of f(p, q), densities on the line or on counts."""
    if hasattr(p.dist, "pmf"):
        k = np.arange(0, 400)
        return float(np.sum(f(p.pmf(k), q.pmf(k))))
    ends = sorted({e for law in (p, q) for e in law.support() if math.isfinite(e)})
    ends = ends or [0.0]
    low, high = min(law.support()[0] for law in (p, q)), max(law.support()[1] for law in (p, q))
    pieces = [x for x in (low, *np.linspace(-14, 14, 200_001), *ends, high) if low <= x <= high and math.isfinite(x)]
    pieces = np.unique(pieces)
    if math.isinf(high):
        pieces = np.concatenate([pieces, np.geomspace(max(pieces[-1], 1) * 1.0001, 1e9, 60_000)])
    if math.isinf(low):
        pieces = np.concatenate([-np.geomspace(1e9, 14.0001, 60_000), pieces])
    x, w = np.polynomial.legendre.leggauss(3)
    mid, half = (pieces[1:] + pieces[:-1]) / 2, np.diff(pieces) / 2
    at = mid[:, None] + half[:, None] * x
    return float(np.sum(f(p.pdf(at), q.pdf(at)) * w * half[:, None]))


def js(p, q):
    with np.errstate(all="ignore"):
        one = np.where(p > 0, p * np.log(2 * p / (p + q)), 0)
        two = np.where(q > 0, q * np.log(2 * q / (p + q)), 0)
    return (one + two) / 2


def tv(p, q):
    return np.abs(p - q) / 2


@pytest.fixture(scope="module")
def model():
    return symgen.loads(HEAD)


def value(model, goal):
    d = model.derive(goal)
    return d, d.evaluate(**{k: AT[k] for k in map(str, d.symbols) if k in AT})


CROSSING = [
    ("Normal(m, s)", "Normal(r, s)"), ("Normal(m, s)", "Normal(r, b)"), ("Laplace(m, s)", "Laplace(r, s)"),
    ("Cauchy(m, s)", "Cauchy(r, s)"), ("Logistic(m, s)", "Logistic(r, s)"), ("StudentT(a, m, s)", "StudentT(a, r, s)"),
    ("Exponential(a)", "Exponential(b)"), ("Gamma(a, b)", "Gamma(a, c)"), ("Gamma(a, b)", "Gamma(s, b)"),
    ("InverseGamma(a, b)", "InverseGamma(a, c)"), ("Weibull(a, b)", "Weibull(a, c)"), ("Pareto(1, a)", "Pareto(1, c)"),
    ("HalfNormal(s)", "HalfNormal(b)"), ("Beta(a, s)", "Beta(c, s)"), ("Poisson(a)", "Poisson(b)"),
    ("Geometric(p0)", "Geometric(q0)"),
]  # fmt: skip
SHARED = [
    ("Uniform(0, a)", "Uniform(c, 3)"), ("Exponential(a)", "Normal(m, s)"), ("Uniform(c, 3)", "Exponential(b)"),
    ("Pareto(1, a)", "Gamma(a, b)"), ("Bernoulli(p0)", "Poisson(a)"), ("DiscreteUniform(0, 3)", "DiscreteUniform(2, 7)"),
    ("Binomial(3, q0)", "Binomial(6, q0)"), ("Beta(a, s)", "Uniform(c, 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("p", "q"), CROSSING)
def test_the_total_variation_is_taken_where_the_densities_cross(model, p, q):
    laws = LAWS | COUNTS
    d, got = value(model, f"tv({p}, {q})")
    assert "E[" not in d.text_result and d.evidence.kind == "checked"
    assert got == pytest.approx(integrated(laws[p], laws[q], tv), rel=2e-6)


def test_the_total_variation_of_equal_laws_is_0(model):
    d = model.derive("tv(Exponential(a), Exponential(b))")
    assert d.evaluate(a=1.3, b=1.3) == 0
    assert model.derive("tv(Normal(m, s), Normal(r, b))").evaluate(m=1.0, r=1.0, s=2.0, b=2.0) == 0


def test_the_total_variation_of_shifted_normals_is_that_of_the_textbook(model):
    assert model.derive("tv(Normal(m, s), Normal(r, s))").evaluate(m=m, r=r, s=s) == pytest.approx(
        math.erf(abs(m - r) / (2 * math.sqrt(2) * s)), rel=1e-13
    )


@pytest.mark.parametrize(("p", "q"), SHARED)
@pytest.mark.parametrize("name", ["tv", "JS", "hellinger"])
def test_what_two_supports_share_counts(model, name, p, q):
    laws = LAWS | COUNTS
    f = {"tv": tv, "JS": js, "hellinger": lambda p, q: (np.sqrt(p) - np.sqrt(q)) ** 2 / 2}[name]
    for first, second in ((p, q), (q, p)):
        _, got = value(model, f"{name}({first}, {second})")
        assert got == pytest.approx(integrated(laws[p], laws[q], f), rel=2e-5)


@pytest.mark.parametrize(("name", "most"), [("tv", 1.0), ("JS", math.log(2)), ("hellinger", 1.0)])
def test_laws_apart_are_as_far_as_can_be(model, name, most):
    d, got = value(model, f"{name}(Uniform(0, 1), Uniform(3, 4))")
    assert got == pytest.approx(most) and d.evidence.kind == "proved"


def test_an_f_divergence_counts_what_only_the_second_law_has(model):
    _, got = value(model, "fdiv(f, Uniform(0, 1), Exponential(b))")  # E_q f(p/q), f(0) = 1
    p, q = stats.uniform(0, 1), LAWS["Exponential(b)"]
    want = q.expect(lambda x: (1 - 1 / q.pdf(x)) ** 2 / (1 + 1 / q.pdf(x)), ub=1) + q.sf(1)
    assert got == pytest.approx(want, rel=1e-7)
    assert p.cdf(1) == 1


F_DIVERGENCES = """
def squares(t) = (t - 1)^2
def roots(t) = (sqrt(t) - 1)^2
def far(t) = abs(t - 1)/2
def cut(t) = (t - 1)^2/(t + 1)
def log_ratio(t) = t*log(t)
param a: positive, b: positive
"""
A, B = stats.uniform(0, 2), stats.uniform(1, 3)


@pytest.mark.parametrize(("name", "f"), [
    ("roots", lambda p, q: (np.sqrt(p) - np.sqrt(q)) ** 2),
    ("far", lambda p, q: abs(p - q) / 2),
    ("cut", lambda p, q: np.divide((p - q) ** 2, p + q, out=np.zeros_like(p), where=p + q > 0)),
    ("squares", None), ("log_ratio", None),
])  # fmt: skip
def test_mass_where_the_second_law_has_none_counts_by_the_slope_far_out(name, f):
    got = symgen.loads(F_DIVERGENCES).derive(f"fdiv({name}, Uniform(0, 2), Uniform(1, 4))").evaluate()
    assert got == (math.inf if f is None else pytest.approx(integrated(A, B, f), rel=1e-4))


@pytest.mark.parametrize(("a", "b", "want"), [(1.0, 2.0, math.log(2)), (3.0, 2.0, math.inf)])
def test_whether_an_f_divergence_is_infinite_hangs_on_the_parameters(a, b, want):
    d = symgen.loads(F_DIVERGENCES).derive("fdiv(log_ratio, Uniform(0, a), Uniform(0, b))")
    assert d.evaluate(a=a, b=b) == pytest.approx(want)


@pytest.mark.parametrize(("p", "q", "first", "second"), [
    ("Normal(0, 1)", "Normal(0, 2)", stats.norm(0, 1), stats.norm(0, 2)),
    ("HalfNormal(1)", "Exponential(1)", stats.halfnorm(), stats.expon()),
    ("Exponential(2)", "HalfNormal(1)", stats.expon(scale=0.5), stats.halfnorm()),
])  # fmt: skip
def test_densities_that_cross_twice_at_numbers_have_a_closed_form(p, q, first, second):
    d = symgen.loads("").derive(f"tv({p}, {q})")
    assert "E[" not in d.text_result and d.evaluate() == pytest.approx(integrated(first, second, tv), rel=1e-5)


@pytest.mark.parametrize("name", list(DISTRIBUTION_FUNCTIONS))
def test_a_distribution_function_is_the_integral_of_its_density(name):
    row, rng = FAMILIES[name], np.random.default_rng(3)
    at = parameters(row, rng, "second") if name not in ("InverseGamma",) else parameters(row, rng)
    law = Numeric(row, at)
    x, w = law.nodes()
    middle = float(x[np.argmin(np.abs(np.cumsum(np.exp(law.log_density(x)) * w) - 0.6))])
    if law.discrete:
        want = float(np.sum(np.exp(law.log_density(np.arange(law.low, middle + 1)))))
    else:
        from symgen.probability.laws.referee import nodes

        x, w = nodes(law.low, middle, list(at.values()))
        want = float(np.sum(np.exp(law.log_density(x)) * w))
    assert scalar_at(DISTRIBUTION_FUNCTIONS[name], at, np.array([middle]))[0] == pytest.approx(want, rel=1e-7)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_an_even_law_falls_off_on_both_sides(name):
    row, rng = FAMILIES[name], np.random.default_rng(4)
    at = parameters(row, rng)
    law, d = Numeric(row, at), np.linspace(0.01, 9, 300)
    right, left = law.log_density(at[SYMMETRIC[name]] + d), law.log_density(at[SYMMETRIC[name]] - d)
    assert np.allclose(right, left) and np.all(np.diff(right) < 0)


@pytest.mark.parametrize(
    ("goal", "want"),
    [
        ("E[x ~ Normal(m, s)](where(x < r, 1, 0))", stats.norm(m, s).cdf(r)),
        ("E[x ~ Gamma(a, b)](where(c < x and x <= 2, 3, 1))", 1 + 2 * float(np.diff(LAWS["Gamma(a, b)"].cdf([c, 2]))[0])),
        ("E[x ~ Exponential(b)](where(2*x - 3 > 0, a, 0))", a * math.exp(-1.5 * b)),
        ("E[k ~ Poisson(a)](where(k < 3, 1, 0))", stats.poisson(a).cdf(2)),
        ("E[k ~ Poisson(a)](where(k <= 3, 1, 0))", stats.poisson(a).cdf(3)),
        ("E[k ~ Poisson(a)](where(k > c, 1, 0))", stats.poisson(a).sf(1)),
        ("E[k ~ Binomial(20, q0)](where(3 <= k, 1, 0))", stats.binom(20, q0).sf(2)),
        ("E[x ~ Uniform(0, a)](where(c < x, 1, 0))", 1 - c / a),
    ],
)  # fmt: skip
def test_the_probability_of_an_interval_is_that_of_the_distribution_function(model, goal, want):
    d, got = value(model, goal)
    assert "E[" not in d.text_result
    assert got == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize(
    ("goal", "p", "q"),
    [
        ("Gumbel(m, s)/Gumbel(r, s)", stats.gumbel_r(m, s), stats.gumbel_r(r, s)),
        ("Moyal(m, s)/Moyal(r, s)", stats.moyal(m, s), stats.moyal(r, s)),
        ("Weibull(a, s)/Weibull(a, c)", stats.weibull_min(a, scale=s), stats.weibull_min(a, scale=c)),
        ("Frechet(a, s)/Frechet(a, c)", stats.invweibull(a, scale=s), stats.invweibull(a, scale=c)),
        ("Gompertz(a, b)/Gompertz(c, b)", stats.gompertz(a, scale=1 / b), stats.gompertz(c, scale=1 / b)),
    ],
)
def test_laws_of_one_shape_have_powers_in_their_family(model, goal, p, q):
    first, second = goal.split("/")
    u = 1 / (1 + np.exp(-np.linspace(-30, 30, 200_001)))
    x = np.unique(np.concatenate([p.ppf(u), q.ppf(u)]))
    for name, f in (("hellinger", lambda u, v: np.sqrt(u * v)), ("chi2", lambda u, v: u**2 / v)):
        d, got = value(model, f"{name}({first}, {second})" if name == "hellinger" else f"{name}({first} || {second})")
        assert "E[" not in d.text_result and d.evidence.kind == "checked"
        integral = np.trapezoid(f(p.pdf(x), q.pdf(x)), x)
        assert got == pytest.approx(1 - integral if name == "hellinger" else integral - 1, abs=2e-6)
    if "Weibull" in goal:  # infinite where q falls off too fast
        assert model.derive("chi2(Weibull(a, s) || Weibull(a, c))").evaluate(a=2.0, s=3.0, c=1.0) == math.inf


def test_mpmath_agrees_with_the_quadrature_of_this_file():
    with mp.workdps(20):
        want = mp.quad(lambda x: abs(mp.npdf(x, m, s) - mp.npdf(x, r, b)) / 2, np.linspace(-9, 9, 60).tolist())
    assert integrated(LAWS["Normal(m, s)"], LAWS["Normal(r, b)"], tv) == pytest.approx(float(want), rel=1e-6)


WEIGHTED = {
    "t*log(t)": lambda r: r * np.log(r),
    "t*log(t) - t + 1": lambda r: r * np.log(r) - r + 1,
    "(t - 1)*log(t)": lambda r: (r - 1) * np.log(r),
    "t*log(t)^2": lambda r: r * np.log(r) ** 2,
    "t*log(t) + (t - 1)^2": lambda r: r * np.log(r) + (r - 1) ** 2,
}


@pytest.mark.parametrize("f", WEIGHTED)
def test_a_divergence_of_ones_own_with_a_weight_is_a_mean_under_the_first_law(f):
    model = symgen.loads(f"param m: real, h: real, a: positive, b: positive\ndef f(t) = {f}\n")
    found = model.derive("fdiv(f, Normal(m, a), Normal(h, b))")
    assert "E[" not in found.text_result
    p, q = stats.norm(0.4, 0.7), stats.norm(-0.3, 1.1)
    want = integrate.quad(lambda x: q.pdf(x) * WEIGHTED[f](p.pdf(x) / q.pdf(x)), -14, 14, epsabs=1e-12)[0]
    assert found.evaluate(m=0.4, a=0.7, h=-0.3, b=1.1) == pytest.approx(want, rel=1e-8)


def test_such_a_divergence_is_infinite_where_kl_is():
    model = symgen.loads("param m: real, b: positive, c: positive\ndef f(t) = t*log(t)\ndef g(t) = (t - 1)*log(t)\n")
    assert model.derive("fdiv(f, Cauchy(m, b), Normal(m, c))").text_result == "inf"
    assert model.derive("fdiv(g, Cauchy(m, b), Normal(m, c))").text_result == "inf"
    found = model.derive("fdiv(f, Lomax(b, 2), Exponential(c))")
    assert found.evaluate(b=0.8, c=1.0) == np.inf
    assert np.isfinite(found.evaluate(b=1.8, c=1.0))


@pytest.mark.parametrize("r", [0.47, 3.0, 6.0])
def test_total_variation_of_laws_that_begin_apart_is_of_what_both_have(r):
    d = symgen.loads("param s: positive, t: positive, k: positive, r: positive\n").derive("tv(Pareto(s, k), Pareto(t, r))")
    p, q = stats.pareto(3.3, scale=0.65), stats.pareto(r, scale=1.9)
    want = integrate.quad(lambda x: max(p.pdf(x) - q.pdf(x), 0), 0.65, 1.9)[0]
    want += integrate.quad(lambda u: max(p.pdf(1.9 / u) - q.pdf(1.9 / u), 0) * 1.9 / u**2, 0, 1, epsabs=1e-12)[0]
    assert d.evaluate(s=0.65, t=1.9, k=3.3, r=r) == pytest.approx(want, abs=1e-8)
