"""Gradients through draws that are no smooth function of noise: the score function, against sums and quadrature."""

import itertools

import numpy as np
import pytest
from scipy import stats

import symgen

SPEC = """
dim k
param a: real, lam: positive, g: positive, r: positive, u: real[k], v: real[k], w: simplex[k]
dist o(n) = Poisson(lam)
dist G(t) = Gamma(g, r)
dist B(h: binary[k]) = Bernoulli(sigmoid(u))
let P = E[n ~ o](tanh(a*n))
let Q = E[t ~ G](tanh(a*t))
loss L = E[h ~ B](tanh(v @ h)^2)
"""
U, V = np.array([0.3, -0.7]), np.array([1.0, 0.4])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def of_bernoulli(u, v):
    out = 0.0
    for h in itertools.product((0, 1), repeat=len(u)):
        h = np.array(h)
        out += np.prod(np.where(h == 1, sigmoid(u), 1 - sigmoid(u))) * np.tanh(v @ h) ** 2
    return out


def slopes(f, x):
    return np.array([(f(x + 1e-5 * e) - f(x - 1e-5 * e)) / 2e-5 for e in np.eye(len(x))])


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal", ["grad(P, lam)", "grad(P, a)", "grad(Q, g)", "grad(Q, r)", "grad(L, u)", "grad(L, v)"])
def test_it_agrees_with_differences_of_quadrature(model, goal):
    d = model.derive(goal)
    assert d.evidence.kind == "checked" and d.evidence.points >= 1
    # what stands beside the draw alone needs no score, a rate only stretches the draw, and a shape moves it
    moves_the_law = goal not in ("grad(P, a)", "grad(L, v)", "grad(Q, r)", "grad(Q, g)")
    assert any("score function" in n for n in d.notes) == moves_the_law


def test_the_poisson_gradient_is_that_of_sums(model):
    from symgen.probability.means.quadrature import number_at
    from symgen.tensor.evaluate import Point
    from symgen.tensor.expression import variables_of

    d = model.derive("grad(P, lam)")
    at = {v: np.float64({"a": 0.3, "lam": 1.7}[v.name]) for v in variables_of(d.array) if v.name in ("a", "lam")}
    x = np.arange(200)
    f = lambda lam: np.sum(stats.poisson.pmf(x, lam) * np.tanh(0.3 * x))  # noqa: E731
    assert np.isclose(number_at(d.array, Point({}, at)), (f(1.7001) - f(1.6999)) / 2e-4, rtol=1e-6)


def test_samples_estimate_it(model):
    got = model.derive("grad(L, u)").evaluate(u=U, v=V, seed=0, samples=200_000)
    assert np.allclose(got, slopes(lambda u: of_bernoulli(u, V), U), atol=3e-3)


def test_generated_code_trains_through_binary_draws(model):
    module = model.compile()
    value, gradients = module.L_value_and_grad({"u": U, "v": V}, {}, seed=0, samples=200_000)
    assert np.isclose(value, of_bernoulli(U, V), atol=3e-3)
    assert np.allclose(gradients["u"], slopes(lambda u: of_bernoulli(u, V), U), atol=3e-3)
    assert np.allclose(gradients["v"], slopes(lambda v: of_bernoulli(U, v), V), atol=3e-3)
