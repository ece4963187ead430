"""Unknown means and covariances, and regressions with unknown noise: posteriors, predictions and evidence in vectors.

The referee is the one-step-ahead predictive t of the normal-(inverse-)Wishart model, and the t of all observations of a
regression, both by scipy.
"""

import math

import numpy as np
import pytest
from scipy import stats

import symgen

rng = np.random.default_rng(7)
D, N = 2, 4
AT = {"a": 2.3, "b": 1.4, "nu": 5.7, "m": rng.normal(size=D)}
V = np.array([[1.4, 0.3], [0.3, 0.9]])
x, new = rng.normal(size=(N, D)), rng.normal(size=D)
HEAD = "dim n, d\nparam a: positive, b: positive, nu: positive, m: real[d], V: spd[d, d]\nassume nu > d + 1\n"
LAWS = {"NormalWishart": "MvNormal(mu, precision=T)", "NormalInverseWishart": "MvNormal(mu, T)"}


def updated(family, rows):
    """m_n, l_n, nu_n and the scatter S_n (Murphy (2012), 4.6.3.3)."""
    n, scatter = len(rows), (np.linalg.inv(V) if family == "NormalWishart" else V)
    mean = (AT["b"] * AT["m"] + rows.sum(0)) / (AT["b"] + n)
    scatter = scatter + AT["b"] * np.outer(AT["m"], AT["m"]) + rows.T @ rows - (AT["b"] + n) * np.outer(mean, mean)
    return mean, AT["b"] + n, AT["nu"] + n, scatter


def predictive(family, rows):
    mean, l, nu, scatter = updated(family, rows)
    free = nu - D + 1
    return stats.multivariate_t(mean, scatter * (l + 1) / (l * free), df=free)


@pytest.fixture(scope="module")
def models():
    return {
        family: symgen.loads(
            f"{HEAD}dist p(mu, T) = {family}(m, b, nu, V)\ndist p(x: real[n, d] | mu, T) = {law}\n"
            f"dist p(y: real[d] | mu, T) = {law}\n"
        )
        for family, law in LAWS.items()
    }


@pytest.mark.parametrize("family", LAWS)
def test_a_normal_of_unknown_mean_and_covariance(models, family):
    model, at = models[family], {**AT, "V": V, "x": x}
    mean, l, nu, scatter = updated(family, x)
    joint = model.derive("posterior(p, [mu, T], given=x)")
    assert joint.result.family == family and joint.evidence.kind == "checked"
    got = joint.result.evaluate("parameters", **at)
    last = got["V"] if family == "NormalWishart" else got["Psi"]
    assert np.allclose(got["m"], mean) and math.isclose(got["l"], l) and math.isclose(got["nu"], nu)
    assert np.allclose(last, np.linalg.inv(scatter) if family == "NormalWishart" else scatter)
    evidence = model.derive("log p(x)")
    assert evidence.evidence.kind == "checked"
    assert math.isclose(evidence.evaluate(**at), sum(predictive(family, x[:k]).logpdf(x[k]) for k in range(N)), rel_tol=1e-10)


@pytest.mark.parametrize("family", [pytest.param(f, marks=pytest.mark.slow) if "Inverse" in f else f for f in LAWS])
def test_the_mean_and_the_next_observation_are_multivariate_t(models, family):
    model, at = models[family], {**AT, "V": V, "x": x}
    mean, l, nu, scatter = updated(family, x)
    centre = model.derive("posterior(p, mu, given=x)").result
    assert centre.family == "MultivariateT"
    got = centre.evaluate("parameters", **at)
    assert math.isclose(got["nu"], nu - D + 1) and np.allclose(got["mu"], mean)
    assert np.allclose(got["Sigma"], scatter / (l * (nu - D + 1)))
    ahead = model.derive("posterior(p, y, given=x)")
    assert ahead.result.family == "MultivariateT" and ahead.evidence.kind == "checked"
    want = predictive(family, x).logpdf(new)
    assert math.isclose(math.log(ahead.result.evaluate("density", y=new, **at)), want, rel_tol=1e-9)
    assert math.isclose(model.derive("log p(y | x)").evaluate(y=new, **at), want, rel_tol=1e-9)


REGRESSION = """
data X: real[n, d], xs: real[d]
param K: spd[d, d]
dist p(tau: positive) = Gamma(a, b)
dist p(w: real[d] | tau) = MvNormal(m, precision=tau*K)
dist p(y: real[n] | w, tau) = Normal(X @ w, precision=tau)
dist p(ys | w, tau) = Normal(xs @ w, precision=tau)
"""


def test_a_regression_with_unknown_noise():
    """Murphy (2012), 7.6.3."""
    model = symgen.loads(HEAD.replace("assume nu > d + 1\n", "") + REGRESSION)
    X, xs, y = rng.normal(size=(N, D)), rng.normal(size=D), rng.normal(size=N)
    at = {"a": AT["a"], "b": AT["b"], "m": AT["m"], "K": V, "X": X, "xs": xs, "y": y}
    C = np.linalg.inv(V + X.T @ X)
    w = C @ (V @ AT["m"] + X.T @ y)
    a, b = AT["a"] + N / 2, AT["b"] + (y @ y + AT["m"] @ V @ AT["m"] - w @ np.linalg.inv(C) @ w) / 2
    got = model.derive("posterior(p, tau, given=y)").result.evaluate("parameters", **at)
    assert math.isclose(got["a"], a) and math.isclose(got["r"], b)
    d = model.derive("posterior(p, w, given=y)")
    assert d.result.family == "MultivariateT" and d.evidence.kind == "checked"
    got = d.result.evaluate("parameters", **at)
    assert math.isclose(got["nu"], 2 * a) and np.allclose(got["mu"], w) and np.allclose(got["Sigma"], b / a * C)
    d = model.derive("posterior(p, ys, given=y)")
    assert d.result.family == "StudentT" and d.evidence.kind == "checked"
    got = d.result.evaluate("parameters", **at)
    assert math.isclose(got["mu"], xs @ w) and math.isclose(got["sigma"] ** 2, b / a * (1 + xs @ C @ xs))
    marginal = stats.multivariate_t(X @ AT["m"], AT["b"] / AT["a"] * (np.eye(N) + X @ np.linalg.inv(V) @ X.T), df=2 * AT["a"])
    assert math.isclose(model.derive("log p(y)").evaluate(**at), marginal.logpdf(y), rel_tol=1e-10)
    assert math.isclose(
        model.derive("log p(ys)").evaluate(**at, ys=0.3),
        stats.t(2 * AT["a"], xs @ AT["m"], math.sqrt(AT["b"] / AT["a"] * (1 + xs @ np.linalg.solve(V, xs)))).logpdf(0.3),
    )
