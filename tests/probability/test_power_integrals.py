"""The integral of p^alpha q^(1 - alpha) within families: by quadrature of scipy's densities, by enumeration and on a circle."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import integrate, special, stats

import symgen

SPEC = """
dim k, p, d
param m: real, n: real, s: positive, t: positive, a: positive, b: positive, l: real, g: real, u: real, v: real, c: positive
param P: simplex[k], Q: simplex[k], V: spd[p, p], W: spd[p, p], M: real[d], N: real[d]
const c5: natural = 5
assume l < u, g < v, a > p, b > p
"""
AT = {"m": 0.4, "n": -0.7, "s": 0.9, "t": 1.4, "a": 3.3, "b": 2.6, "l": -0.3, "g": -0.5, "u": 1.2, "v": 1.7}
INF = math.inf


def logit(m, s):
    return lambda x: stats.norm.logpdf(special.logit(x), m, s) - np.log(x) - np.log1p(-x)


def expon(r, a, b):
    return lambda x: np.where((x > a) & (x < b), np.log(r) - r * (x - a) - np.log1p(-np.exp(-r * (b - a))), -np.inf)


def laplace(m, s):
    return stats.laplace(m, s).logpdf


def pareto(s, a):
    return stats.pareto(a, scale=s).logpdf


PAIRS = {
    "Laplace": ("Laplace(m, s)", "Laplace(n, t)", laplace(0.4, 0.9), laplace(-0.7, 1.4), (-60, -0.7, 0.4, 60)),
    "Laplace of one scale": ("Laplace(m, s)", "Laplace(n, s)", laplace(0.4, 0.9), laplace(-0.7, 0.9), (-60, -0.7, 0.4, 60)),
    "LogitNormal": ("LogitNormal(m, s)", "LogitNormal(n, t)", logit(0.4, 0.9), logit(-0.7, 1.4), (0, 1e-3, 0.5, 0.999, 1)),
    "Pareto": ("Pareto(t, a)", "Pareto(s, b)", pareto(1.4, 3.3), pareto(0.9, 2.6), (1.4, 9, INF)),
    "Pareto, the other inside": ("Pareto(s, a)", "Pareto(t, b)", pareto(0.9, 3.3), pareto(1.4, 2.6), (1.4, 9, INF)),
    "Cauchy": ("Cauchy(m, s)", "Cauchy(n, t)", stats.cauchy(0.4, 0.9).logpdf, stats.cauchy(-0.7, 1.4).logpdf,
               (-INF, -0.7, 0.4, INF)),
    "HalfCauchy": ("HalfCauchy(s)", "HalfCauchy(t)", stats.halfcauchy(0, 0.9).logpdf, stats.halfcauchy(0, 1.4).logpdf, (0, 1, INF)),
    "AsymmetricLaplace": ("AsymmetricLaplace(m, a, s)", "AsymmetricLaplace(n, s, t)",
                          stats.laplace_asymmetric(0.9, 0.4, 1 / 3.3).logpdf, stats.laplace_asymmetric(1.4, -0.7, 1 / 0.9).logpdf,
                          (-40, -0.7, 0.4, 40)),
    "TruncatedExponential": ("TruncatedExponential(s, l, u)", "TruncatedExponential(t, g, v)", expon(0.9, -0.3, 1.2),
                             expon(1.4, -0.5, 1.7), (-0.3, 1.2)),
}  # fmt: skip
ORDERS = {"hellinger({}, {})": (0.5, lambda i: 1 - i), "renyi({}, {}, 1/3)": (1 / 3, lambda i: -1.5 * math.log(i)),
          "chi2({} || {})": (2, lambda i: i - 1)}  # fmt: skip


def overlap(f, g, alpha, ends):
    with np.errstate(divide="ignore"):
        return sum(integrate.quad(lambda x: math.exp(alpha * f(x) + (1 - alpha) * g(x)), a, b, epsabs=1e-13)[0]
                   for a, b in zip(ends, ends[1:], strict=False))  # fmt: skip


model = symgen.loads(SPEC)


@pytest.mark.parametrize("goal", ORDERS)
@pytest.mark.parametrize("pair", PAIRS)
def test_it_is_that_of_quadrature(pair, goal):
    p, q, f, g, ends = PAIRS[pair]
    alpha, finish = ORDERS[goal]
    d = model.derive(goal.format(p, q))
    got = d.evaluate(**AT)
    if pair.endswith("inside") and alpha > 1:
        assert got == math.inf
        return
    assert math.isclose(got, finish(overlap(f, g, alpha, ends)), rel_tol=1e-7)
    assert d.evidence.kind == "checked"


@pytest.mark.parametrize("goal", ORDERS)
def test_counts_by_enumeration(goal):
    alpha, finish = ORDERS[goal]
    P, Q = np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.25, 0.35])
    xs = [x for x in product(range(6), repeat=3) if sum(x) == 5]
    total = sum(stats.multinomial.pmf(x, 5, P) ** alpha * stats.multinomial.pmf(x, 5, Q) ** (1 - alpha) for x in xs)
    got = model.derive(goal.format("Multinomial(c5, P)", "Multinomial(c5, Q)")).evaluate(P=P, Q=Q)
    assert math.isclose(got, finish(total), rel_tol=1e-10)


@pytest.mark.parametrize("family", ["Wishart", "InverseWishart"])
def test_matrices_of_size_one_are_gammas(family):
    """A Wishart of size 1 is a Gamma(nu/2, 1/(2 V)), an inverse one an InverseGamma(nu/2, Psi/2)."""
    one, other = ({"Wishart": stats.gamma(a / 2, scale=2 * x), "InverseWishart": stats.invgamma(a / 2, scale=x / 2)}[family]
                  for a, x in ((3.3, 0.8), (2.6, 1.2)))  # fmt: skip
    for goal, (alpha, finish) in ORDERS.items():
        total = overlap(one.logpdf, other.logpdf, alpha, (0, 1, 20, math.inf))
        got = model.derive(goal.format(f"{family}(a, V)", f"{family}(b, W)")).evaluate(**AT, V=[[0.8]], W=[[1.2]])
        assert math.isclose(got, finish(total), rel_tol=1e-6)


def test_directions_on_the_circle():
    M, N = np.array([0.6, 0.8]), np.array([-1.0, 0.0])
    x = np.linspace(0, 2 * math.pi, 400, endpoint=False)
    way = np.stack([np.cos(x), np.sin(x)])
    p, q = (np.exp(k * mu @ way) / (2 * math.pi * special.i0(k)) for k, mu in ((0.9, M), (1.4, N)))
    for goal, (alpha, finish) in ORDERS.items():
        got = model.derive(goal.format("VonMisesFisher(M, s)", "VonMisesFisher(N, t)")).evaluate(s=0.9, t=1.4, M=M, N=N)
        want = finish(np.mean(p**alpha * q ** (1 - alpha)) * 2 * math.pi)
        angles = goal.format(f"VonMises({math.atan2(0.8, 0.6)}, s)", f"VonMises({math.pi}, t)")
        assert math.isclose(got, want, rel_tol=1e-9)
        assert math.isclose(model.derive(angles).evaluate(s=0.9, t=1.4), want, rel_tol=1e-9)


@pytest.mark.parametrize("goal", ["JS({}, {})", "tv({}, {})", "hellinger({}, {})", "renyi({}, {}, 3/4)"])
@pytest.mark.parametrize(
    "pair", [("Weibull(a, s)", "Weibull(b, t)"), ("Poisson(s)", "Geometric(c5/7)"), ("Beta(a, b)", "Beta(s, t)")]
)
def test_what_stays_open_is_checked_against_the_densities(goal, pair):
    d = model.derive(goal.format(*pair))
    assert d.evidence.kind == "checked"
    assert math.isfinite(d.evaluate(**AT))


def test_the_generating_function_of_counts():
    P, c = np.array([0.2, 0.5, 0.3]), np.array([0.3, -0.7, 1.1])
    xs = [np.array(x) for x in product(range(6), repeat=3) if sum(x) == 5]
    want = sum(stats.multinomial.pmf(x, 5, P) * math.exp(2 * c @ x) for x in xs)
    m = symgen.loads("dim k\nparam P: simplex[k], c: real[k]\nconst n: natural = 5\n")
    d = m.derive("E[x ~ Multinomial(n, P)](exp(2*c @ x))")
    assert d.text_result == "sum(P*exp(2*c))^n" and d.evidence.kind == "checked"
    assert math.isclose(d.evaluate(P=P, c=c), want, rel_tol=1e-12)


MATRICES = {
    "normal": ("dist p(x) = MvNormal(m, S)\ndist q(x) = MvNormal(m, T)", lambda s, t: 2 * t - s),
    "lognormal": ("dist p(x) = MvLogNormal(m, S)\ndist q(x) = MvLogNormal(m, T)", lambda s, t: 2 * t - s),
    "Wishart": ("dist p(X) = Wishart(a, S)\ndist q(X) = Wishart(a, T)", lambda s, t: 2 / s - 1 / t),
    "inverse Wishart": ("dist p(X) = InverseWishart(a, S)\ndist q(X) = InverseWishart(a, T)", lambda s, t: 2 * s - t),
}


@pytest.mark.parametrize("name", MATRICES)
def test_orders_above_1_are_infinite_where_the_mixed_matrix_is_not_positive(name):
    laws, mixed = MATRICES[name]
    model = symgen.loads(f"dim d\nparam m: real[d], S: spd[d, d], T: spd[d, d], a: positive\nassume a > d\n{laws}")
    d = model.derive("renyi(p, q, 2)")
    for s, t in ((1.0, 1.2), (3.0, 1.0), (1.0, 3.0), (1.2, 1.0)):
        value = d.evaluate(m=np.zeros(2), S=s * np.eye(2), T=t * np.eye(2), a=5.0)
        assert math.isinf(value) == (mixed(s, t) <= 0) and value > 0


@pytest.mark.parametrize("goal", ["JS({}, {})", "tv({}, {})"])
@pytest.mark.parametrize("pair", ["Cauchy", "HalfCauchy"])
def test_two_cauchy_laws_have_closed_divergences(pair, goal):
    p, q, f, g, ends = PAIRS[pair]

    def terms(x):
        a, b = math.exp(f(x)), math.exp(g(x))
        if goal.startswith("tv"):
            return abs(a - b) / 2
        return (a * math.log(2 * a / (a + b)) + b * math.log(2 * b / (a + b))) / 2

    cuts = sorted({*ends, -40, -3, 40, 3} if -INF in ends else {*ends, 3, 40})
    want = sum(integrate.quad(terms, a, b, limit=200, epsabs=1e-12)[0] for a, b in zip(cuts, cuts[1:], strict=False))
    d = model.derive(goal.format(p, q))
    assert "E[" not in d.text_result
    assert d.evaluate(**AT) == pytest.approx(want, rel=1e-7)
