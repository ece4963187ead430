"""No curvature exceeds a smoothness constant, no slope a Lipschitz constant: by power iteration and differences in numpy."""

from __future__ import annotations

import numpy as np
import pytest

import symgen
from symgen.text.diagnostics import CannotDerive

SPEC = """
dim n, d, k
data Y: onehot[n, k], V: real[n, k], P: spd[d, d]
param W: real[d, k]
data X: real[n, d], y: real[n], b: binary[n], s: positive[n]
param w: real[d], t: real
const lam: positive = 1/10, c: positive = 2
let p = sigmoid(X @ w)
"""
SMOOTH = [
    ("-mean(b*log(p) + (1 - b)*log(1 - p))", "spectral_norm(X)^2/(4*n)"),
    ("mean(softplus(-y*(X @ w))) + lam/2*norm(w)^2", "spectral_norm(diag(y) @ X)^2/(4*n) + lam"),
    ("norm(X @ w - y)^2/(2*n) + lam/2*w @ w", "lam + spectral_norm(X)^2/n"),
    ("sum(s*(X @ w - y)^2)", "2*spectral_norm(diag(sqrt(s)) @ X)^2"),
    ("sum(sin(X @ w))", "spectral_norm(X)^2"),
    ("sum(sigmoid(w)*c)", "sqrt(3)*c/18"),
    ("logsumexp(X @ w)", "spectral_norm(X)^2/2"),
    ("c*logsumexp(w/c)", "1/(2*c)"),
    ("log(sum(exp(X @ w - y)))", "spectral_norm(X)^2/2"),
    ("sum(log(cosh(X @ w - y)))", "spectral_norm(X)^2"),
    ("sum(where(abs(X @ w - y) <= c, (X @ w - y)^2/2, c*(abs(X @ w - y) - c/2)))", "spectral_norm(X)^2"),
    ("mean(relu(1 - y*(X @ w))^2)", "2*spectral_norm(diag(y) @ X)^2/n"),
    ("sum(c^2*(sqrt(1 + (w/c)^2) - 1))", "1"),
    ("sum(log(1 + (X @ w - y)^2))", "2*spectral_norm(X)^2"),
    ("mean((y - sigmoid(X @ w))^2)", None),
    ("sum(gelu(w)) + exp(-norm(w)^2/2)", None),
    ("sqrt(1 + norm(X @ w - y)^2)", "spectral_norm(X)^2"),
    ("-logsumexp(w) + norm(w)^2/2", "3/2"),
]
STEEP = [
    ("-mean(b*log(p) + (1 - b)*log(1 - p))", "sum(sqrt(sum(X^2, axis=1)))/n"),
    ("mean(max(0, 1 - y*(X @ w)))", None),
    ("sum(abs(X @ w - y))", "sum(sqrt(sum(X^2, axis=1)))"),
    ("sum(tanh(w))", "sqrt(d)"),
    ("y @ (X @ w)", "norm(X' @ y)"),
    ("sum(w)", "sqrt(d)"),
    ("sum(w)*c + sum(sin(w))", None),
    ("norm(X @ w - y)", "spectral_norm(X)"),
    ("norm(w) + sum(abs(w))", "1 + sqrt(d)"),
    ("logsumexp(w)", "1"),
    ("max(X @ w + y)", "max(sqrt(sum(X^2, axis=1)))"),
    ("sum(where(abs(X @ w - y) <= c, (X @ w - y)^2/2, c*(abs(X @ w - y) - c/2)))", "c*sum(sqrt(sum(X^2, axis=1)))"),
    ("sum(gelu(w))", None),
    ("log(1 + norm(w)^2)", "1"),
]
OF_MATRICES = [
    ("smoothness(-mean(sum(Y*log_softmax(X @ W), axis=1)), W)", "spectral_norm(X)^2/(2*n)"),
    ("smoothness(norm(X @ W - V)^2/(2*n) + lam/2*norm(W)^2, W)", "lam + spectral_norm(X)^2/n"),
    ("smoothness(tr(W' @ P @ W), W)", "2*spectral_norm(P)"), ("lipschitz(norm(X @ W - V), W)", "spectral_norm(X)"),
    ("lipschitz(nuclear_norm(W), W)", "sqrt(min(d, k))"), ("lipschitz(sum(norm(W, axis=1)), W)", "sqrt(d)"),
]  # fmt: skip
REFUSED = [
    "smoothness(sum(exp(X @ w)), w)", "smoothness(sum(abs(X @ w)), w)", "smoothness(sum(w^4), w)", "smoothness(1/t, t)",
    "lipschitz(norm(X @ w)^2, w)", "lipschitz(where(t > 0, 1, 0), t)", "lipschitz(atan(1/t), t)", "lipschitz(sign(t), t)",
    "lipschitz(floor(t), t)", "lipschitz(t*sin(t), t)", "smoothness(t*abs(t)/2 + sign(t), t)",
    "smoothness(sum(relu(X @ w)), w)", "smoothness(norm(w), w)", "smoothness(norm(w)^4, w)", "smoothness(where(t < 0, 0, 1), t)",
    "lipschitz(tan(t), t)", "lipschitz(1/t, t)", "smoothness(norm(X - X @ W @ W')^2, W)",
]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> symgen.Model:
    return symgen.loads(SPEC)


def given(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(7, 3)) * 2
    return {
        "X": X, "y": rng.normal(size=7), "b": rng.integers(0, 2, 7), "s": rng.uniform(0.2, 3, 7), "w": rng.normal(size=3) / 3,
    }  # fmt: skip


def gradient(f: symgen.results.Derivation, at: dict[str, np.ndarray], h: float = 1e-4) -> np.ndarray:
    steps = np.eye(3) * h
    ahead = [f.evaluate(**{**at, "w": at["w"] + e}, n=7, d=3) for e in steps]
    back = [f.evaluate(**{**at, "w": at["w"] - e}, n=7, d=3) for e in steps]
    return (np.array(ahead) - np.array(back)) / (2 * h)


@pytest.mark.parametrize(("f", "bound"), SMOOTH)
def test_no_curvature_exceeds_the_smoothness_constant(model: symgen.Model, f: str, bound: str | None) -> None:
    d = model.derive(f"smoothness({f}, w)")
    assert d.evidence.kind in ("proved", "checked")  # tidied afterwards, it is compared with itself
    assert bound is None or d.text_result == bound
    value = model.derive(f)
    for seed in range(3):
        at = given(seed)
        limit = d.evaluate(**at, n=7, d=3)
        v = np.array([1.0, -0.4, 0.7])  # not ones: a softmax does not move along them
        for _ in range(12):  # power iteration, H v by differences of gradients
            along = v / np.linalg.norm(v) * 1e-3
            v = gradient(value, {**at, "w": at["w"] + along}) - gradient(value, {**at, "w": at["w"] - along})
        assert np.linalg.norm(v) / 2e-3 <= limit * (1 + 1e-4)


@pytest.mark.parametrize(("f", "bound"), STEEP)
def test_no_slope_exceeds_the_lipschitz_constant(model: symgen.Model, f: str, bound: str | None) -> None:
    d = model.derive(f"lipschitz({f}, w)")
    assert d.evidence.kind in ("proved", "checked")  # tidied afterwards, it is compared with itself
    assert bound is None or d.text_result == bound
    value = model.derive(f)
    for seed in range(3):
        at, far = given(seed), given(seed + 10)["w"] * 5
        change = abs(value.evaluate(**at, n=7, d=3) - value.evaluate(**{**at, "w": far}, n=7, d=3))
        assert change <= d.evaluate(**at, n=7, d=3) * np.linalg.norm(at["w"] - far) * (1 + 1e-9)


@pytest.mark.parametrize(("goal", "bound"), OF_MATRICES)
def test_bounds_in_a_matrix_are_held_against_its_eigenvalues(model: symgen.Model, goal: str, bound: str) -> None:
    d = model.derive(goal)
    assert d.text_result == bound
    assert d.evidence.kind in ("proved", "checked")


def test_the_quarter_of_logistic_regression_is_explained(model: symgen.Model) -> None:
    d = model.derive("smoothness(-mean(b*log(p) + (1 - b)*log(1 - p)), w)")
    assert "p (1 - p) <= 1/4" in d.text()


@pytest.mark.parametrize("goal", REFUSED)
def test_what_has_no_bound_is_refused(model: symgen.Model, goal: str) -> None:
    with pytest.raises(CannotDerive):
        model.derive(goal)
