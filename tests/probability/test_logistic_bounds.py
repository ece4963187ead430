"""The quadratic bound on the logistic function, its best point, and the updates with it. Jaakkola & Jordan (2000); Bishop (2006),
10.144, 10.156, 10.157, 10.163."""

import numpy as np
import pytest

import symgen

BOUND = "param x: real, xi: positive\nlet lam = tanh(xi/2)/(4*xi)\n"


@pytest.mark.parametrize("claim, holds", [
    ("log(sigmoid(x)) >= log(sigmoid(xi)) + (x - xi)/2 - lam*(x^2 - xi^2)", True),
    ("log(sigmoid(x)) >= log(sigmoid(xi)) + (x - xi)/2 + lam*(x^2 - xi^2)", False),
    ("log(sigmoid(x)) >= log(sigmoid(xi)) + (x - xi)/2 - lam*(x^2 - xi^2)/2", False),
    ("log(sigmoid(x)) <= log(sigmoid(xi)) + (x - xi)/2 - lam*(x^2 - xi^2)", False),
])  # fmt: skip
def test_the_quadratic_bound_lies_below(claim: str, holds: bool) -> None:
    assert symgen.loads(BOUND).check(claim).holds == holds


@pytest.mark.slow
def test_the_bound_is_best_at_the_root_of_the_mean_square() -> None:
    model = symgen.loads(
        "param m: real, v: positive, xi: positive\nlet lam = tanh(xi/2)/(4*xi)\n"
        "let B = log(sigmoid(xi)) + (m - xi)/2 - lam*(m^2 + v - xi^2)\n"
    )
    d = model.derive("stationary(B, xi)")
    assert d.text_result == "sqrt(m^2 + v)"
    assert d.evidence.kind == "checked"


def test_the_posterior_of_logistic_regression_under_the_bound_is_normal() -> None:
    model = symgen.loads(
        "dim n, d\ndata X: real[n, d], y: binary[n]\nparam S: spd[d, d], m: real[d], P: spd[d, d]\nconst xi: positive[n]\n"
        "let lam = tanh(xi/2)/(4*xi)\n"
        "let Q = sum[i](log(sigmoid(xi[i])) + (y[i] - 1/2)*(X @ m)[i] - xi[i]/2 - lam[i]*((X @ m)[i]^2"
        " + sum[j: d, k: d](X[i, j]*S[j, k]*X[i, k]) - xi[i]^2)) - m @ P @ m/2 - tr(P @ S)/2 + logdet(S)/2\n"
    )
    rng = np.random.default_rng(3)
    X, y, xi, P = rng.normal(size=(5, 2)), rng.integers(0, 2, 5), rng.random(5) + 0.3, np.array([[1.4, 0.3], [0.3, 0.8]])
    precision = P + 2 * X.T @ (X * (np.tanh(xi / 2) / (4 * xi))[:, None])
    at = {"X": X, "y": y, "xi": xi, "P": P}
    assert np.allclose(model.derive("argmax(Q, m)").evaluate(**at), np.linalg.solve(precision, X.T @ (y - 0.5)))
    assert np.allclose(model.derive("argmax(Q, S)").evaluate(**at), np.linalg.inv(precision))
