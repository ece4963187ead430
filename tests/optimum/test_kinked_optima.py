"""Optima at kinks and at ends, entry by entry and by groups, against direct search; signs of data are not guessed."""

import numpy as np
import pytest
from scipy.optimize import minimize

import symgen

SPEC = """
dim d, k, n
data a: real[d], A: real[d, k], v: real[d], y: real[n], z: real[n], P: spd[d, d], B: real[d, d]
param x: real[d], V: real[d, k], t: nonnegative, s: positive[d], D: diagonal[d, d], S: spd[d, d], u: positive
const lam: positive = 0.7, al: unit = 0.3
"""
rng = np.random.default_rng(5)
d, k, n = 3, 2, 4
M = rng.normal(size=(d, d))
DATA = {
    "a": np.array([1.9, -0.4, -1.3]), "A": rng.normal(size=(d, k)), "v": np.array([0.6, -1.4, 2.2]), "y": rng.normal(size=n),
    "z": rng.normal(size=n), "P": M @ M.T + np.eye(d), "B": rng.normal(size=(d, d)), "lam": 0.7, "al": 0.3,
}  # fmt: skip
a, A, v, y, z, P, B, lam, al = DATA.values()
free = np.asarray
GOALS = {
    "argmin(norm(x - a)^2/2 + lam*norm(x), x)": (lambda x: np.sum((x - a) ** 2) / 2 + lam * np.linalg.norm(x), (d,), free),
    "argmin(norm(x - a)^2 + 9*lam*norm(x), x)": (lambda x: np.sum((x - a) ** 2) + 9 * lam * np.linalg.norm(x), (d,), free),
    "argmin(norm(V - A)^2/2 + lam*sum(norm(V, axis=1)), V)": (
        lambda V: np.sum((V - A) ** 2) / 2 + lam * np.linalg.norm(V, axis=1).sum(), (d, k), free),
    "argmin(norm(x - a)^2/2 + lam*sum(relu(x)), x)": (
        lambda x: np.sum((x - a) ** 2) / 2 + lam * np.maximum(x, 0).sum(), (d,), free),
    "argmin(sum(where(abs(x - a) < 1, (x - a)^2/2, abs(x - a) - 1/2)) + norm(x)^2/2, x)": (
        lambda x: np.sum(np.where(abs(x - a) < 1, (x - a) ** 2 / 2, abs(x - a) - 0.5)) + x @ x / 2, (d,), free),
    "argmin(norm(y - z*t)^2, t)": (lambda t: np.sum((y - z * t) ** 2), (), abs),
    "argmin(norm(-y - z*t)^2, t)": (lambda t: np.sum((y + z * t) ** 2), (), abs),
    "argmin(sum(s*v^2) + sum(1/s), s)": (lambda s: s @ v**2 + np.sum(1 / s), (d,), np.exp),
    "argmin(norm(D @ B - P)^2, D)": (lambda D: np.sum((np.diag(np.diag(D)) @ B - P) ** 2), (d, d), lambda D: np.diag(np.diag(D))),
    "argmin(norm(S - P)^2, S)": (lambda S: np.sum((S - P) ** 2), (d, d), free),
    "argmin(u - u^al, u)": (lambda u: u - u**al, (), np.exp),
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal", GOALS)
def test_no_search_finds_less(model, goal):
    objective, shape, onto = GOALS[goal]
    derivation = model.derive(goal)
    assert derivation.evidence.kind in ("proved", "checked")
    mine = np.asarray(derivation.evaluate(**{name: value for name, value in DATA.items() if name in goal}))
    size = int(np.prod(shape))
    for start in (0.3, -0.2):
        q = minimize(lambda q: objective(onto(q.reshape(shape))), np.full(size, start), method="Powell", tol=1e-10)
        assert objective(mine) <= q.fun + 1e-8
    assert mine == pytest.approx(onto(q.x.reshape(shape)), abs=2e-3)


def test_a_root_of_no_known_sign_is_taken_by_its_size(model):
    assert model.check("argmin(sum(s*v^2) + sum(1/s), s) = 1/abs(v)").status == "proved"
