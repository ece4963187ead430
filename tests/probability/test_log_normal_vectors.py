"""Vectors of which the logarithm is normal, heavy-tailed vectors, and what laws on different sets are to each other."""

import math

import numpy as np
import pytest
from scipy import stats

import symgen

HEAD = """
dim d
param m: real[d], r: real[d], S: spd[d, d], T: spd[d, d], v: positive[d], a: positive, b: positive
"""
M, R = np.array([0.3, -0.4]), np.array([-0.2, 0.1])
S, T = np.array([[0.5, 0.2], [0.2, 0.3]]), np.array([[0.7, -0.1], [-0.1, 0.4]])
AT = {"m": M, "r": R, "S": S, "T": T, "a": 5.3, "b": 3.1, "v": np.array([1.2, 0.8])}


@pytest.fixture(scope="module")
def model():
    return symgen.loads(HEAD)


def value(model, goal):
    d = model.derive(goal)
    return d, d.evaluate(**{k: AT[k] for k in map(str, d.symbols) if k in AT})


def test_the_divergence_of_log_normal_vectors_is_that_of_their_logarithms(model):
    _, got = value(model, "KL(MvLogNormal(m, S) || MvLogNormal(r, T))")
    _, want = value(model, "KL(MvNormal(m, S) || MvNormal(r, T))")
    assert got == pytest.approx(want, rel=1e-14)


def test_moments_of_log_normal_vectors_are_those_of_exponentials(model):
    y = np.random.default_rng(2).multivariate_normal(M, S, 400_000)
    x = np.exp(y)
    assert value(model, "E[x ~ MvLogNormal(m, S)](x)")[1] == pytest.approx(x.mean(0), rel=1e-2)
    assert value(model, "Var[x ~ MvLogNormal(m, S)](x)")[1] == pytest.approx(np.cov(x.T), rel=5e-2)
    entropy = stats.multivariate_normal(M, S).entropy() + M.sum()
    assert value(model, "entropy(MvLogNormal(m, S))")[1] == pytest.approx(entropy, rel=1e-12)


def test_the_entropy_of_a_t_vector_is_that_of_scipy(model):
    d, got = value(model, "entropy(MultivariateT(a, m, S))")
    assert got == pytest.approx(stats.multivariate_t(M, S, 5.3).entropy(), rel=1e-10) and d.evidence.kind == "checked"


@pytest.mark.parametrize(
    "goal",
    [
        "KL(MvNormal(m, S) || MvLogNormal(r, T))", "KL(MvNormal(m, S) || Exponential(v))", "KL(MvNormal(m, S) || Dirichlet(v))",
        "KL(Dirichlet(v) || MvNormal(m, S))", "KL(VonMisesFisher(m, a) || MvNormal(r, T))",
    ],
)  # fmt: skip
def test_vectors_have_mass_outside_of_smaller_sets(model, goal):
    d = model.derive(goal)
    assert d.text_result == "inf" and d.evidence.kind == "checked"


@pytest.mark.parametrize(("goal", "want"), [
    ("entropy(Triangular(0, 3, 1))", 0.5 + math.log(1.5)),
    ("KL(GeneralizedNormal(0.3, a, b) || Laplace(0.3, 2))", None),
    ("E[x ~ GeneralizedNormal(0.3, a, b)](abs(x - 1.9))", stats.gennorm(3.1, 0.3, 5.3).expect(lambda x: abs(x - 1.9))),
    ("E[k ~ BetaBinomial(6, a, b)](k^2)", stats.betabinom(6, 5.3, 3.1).expect(lambda k: k**2)),
    ("entropy(Hypergeometric(12, 5, 4))", float(stats.hypergeom(12, 5, 4).entropy())),
    ("entropy(TruncatedExponential(a, 1, 3))", float(stats.truncexpon(2 * 5.3, 1, 1 / 5.3).entropy())),
    ("KL(Logistic(0.4, a) || Logistic(1.7, a))", (z := 1.3 / 5.3) / math.tanh(z / 2) - 2),
])  # fmt: skip
def test_further_families_have_their_entropies_and_means(model, goal, want):
    d, got = value(model, goal)
    if want is None:
        p, q = stats.gennorm(3.1, 0.3, 5.3), stats.laplace(0.3, 2)
        want = p.expect(lambda x: p.logpdf(x) - q.logpdf(x), lb=-25, ub=25)
    assert "E[" not in d.text_result and got == pytest.approx(want, rel=1e-8)


@pytest.mark.parametrize("p", ["Pareto(1.2, a)", "LogUniform(0.5, 4)", "Uniform(0.5, 4)", "LogLogistic(1.3, b)"])
def test_divergences_from_a_log_logistic_are_those_of_quadrature(model, p):
    laws = {"Pareto(1.2, a)": stats.pareto(5.3, scale=1.2), "LogUniform(0.5, 4)": stats.loguniform(0.5, 4),
            "Uniform(0.5, 4)": stats.uniform(0.5, 3.5), "LogLogistic(1.3, b)": stats.fisk(3.1, scale=1.3)}  # fmt: skip
    first, second = laws[p], stats.fisk(3.1, scale=0.8)
    d, got = value(model, f"KL({p} || LogLogistic(0.8, b))")
    assert "E[" not in d.text_result
    assert got == pytest.approx(first.expect(lambda x: first.logpdf(x) - second.logpdf(x)), rel=1e-6)
