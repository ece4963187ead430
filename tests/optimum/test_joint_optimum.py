"""Optima over several variables together, against direct search over all of them at once."""

import numpy as np
import pytest
from scipy.optimize import minimize

import symgen

SPEC = """
dim n, d
data X: real[n, d], y: real[n], z: real[n]
param w: real[d], b: real, mu: real[d], Sig: spd[d, d], m: real, s: positive, u: real, v: real
const lam: positive = 0.3
"""
rng = np.random.default_rng(4)
n, d = 8, 2
X, y, z, lam = rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=n), 0.3


def likelihood(q):
    L = np.array([[np.exp(q[2]), 0], [q[3], np.exp(q[4])]])
    return n / 2 * np.linalg.slogdet(L @ L.T)[1] + np.sum(np.linalg.solve(L, (X - q[:2]).T) ** 2) / 2


GOALS = {
    "argmin(norm(X @ w + b - y)^2 + lam*norm(w)^2, [w, b])": (
        lambda q: np.sum((X @ q[:2] + q[2] - y) ** 2) + lam * q[:2] @ q[:2], 3),
    "argmin(n/2*logdet(Sig) + sum[i: n]((X[i] - mu) @ inv(Sig) @ (X[i] - mu))/2, [Sig, mu])": (likelihood, 5),
    "argmin(n*log(s) + sum((y - m)^2)/(2*s^2), [s, m])": (
        lambda q: n * q[0] + np.sum((y - q[1]) ** 2) / (2 * np.exp(2 * q[0])), 2),
    "argmin((u - 1)^2 + (v + 2)^2 + u*v, [u, v])": (lambda q: (q[0] - 1) ** 2 + (q[1] + 2) ** 2 + q[0] * q[1], 2),
    "argmin(sum((y - u*z - v)^2), [u, v])": (lambda q: np.sum((y - q[0] * z - q[1]) ** 2), 2),
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal", GOALS)
def test_no_search_over_all_variables_finds_less(model, goal):
    objective, size = GOALS[goal]
    found = model.derive(goal)
    assert found.evidence.kind in ("proved", "checked")
    given = {name: value for name, value in {"X": X, "y": y, "z": z, "lam": lam}.items() if f"{name}" in goal}
    value = found.result.evaluate("value", **given)
    best = min(minimize(objective, start, tol=1e-12).fun for start in (np.zeros(size), np.full(size, 0.4)))
    assert value == pytest.approx(best, abs=1e-6)
    if "lam" in goal:  # the bias goes first, and what is left is centred: Hastie, Tibshirani and Friedman (2009), 3.41
        assert not found.conditions and "sum(X, axis=0)/n" in found.text_result
    assert found.text() and found.latex() and found.to_json()


def test_a_part_of_a_joint_optimum_stands_in_a_claim(model):
    assert model.check("argmin(n*log(s) + sum((y - m)^2)/(2*s^2), [s, m]).m = mean(y)").status == "proved"


@pytest.mark.parametrize("goal", ["argmin((u - v)^2, [u, v])", "argmin(u^2*v, [u, v])", "argmin(u*v, [u, v])"])
def test_what_has_no_one_optimum_is_refused(model, goal):
    with pytest.raises(symgen.CannotDerive):
        model.derive(goal)
