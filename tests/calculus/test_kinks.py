"""At a kink the derivative is 0, as numbers and in generated code, and it is said; a pole stays a pole."""

from __future__ import annotations

import numpy as np
import pytest

import symgen

SPEC = """
dim n, d
param w: real[d] = zeros, u: real[d] = zeros, W: real[n, d] = zeros, a: real = zeros
const X: real[n, d], y: real[n], S: spd[d, d]
let s = norm(w)
"""
AT = {
    "w": np.zeros(3), "u": np.zeros(3), "W": np.zeros((4, 3)), "a": 0.0, "y": np.zeros(4),
    "X": np.arange(1.0, 13).reshape(4, 3), "S": np.diag([1.0, 2.0, 3.0]) + 0.5,
}  # fmt: skip

# f, by what, the value of the derivative where everything is 0
KINKS = """
norm(w) | w | 0
s + s^2 | w | 0
sqrt(sum(w^2)) | w | 0
(w @ w)^(1/2) | w | 0
norm(w)^3 | w | 0
norm(X @ w - y) | w | 0
norm(X @ w - y) + 3*sum(w) | w | 3
norm(X @ w) + norm(w) + norm(u) | w | 0
sum(norm(W, axis=1)) | W | 0
sum(norm(W, axis=0)*y[0]) | W | 0
norm(W) | W | 0
norm(W @ w - X @ u) | u | 0
sqrt(tr(W' @ W)) | W | 0
sqrt(w @ S @ w) | w | 0
sqrt(w @ inv(S) @ w) | w | 0
sqrt(var(w)) | w | 0
sqrt(a^2) | a | 0
sqrt(a^2 + w @ w) | a | 0
abs(a) | a | 0
abs(a)^3 | a | 0
sqrt(abs(a)) | a | 0
sum(abs(w)) | w | 0
max(abs(w)) | w | 0
relu(a) | a | 0
max(a, 0) | a | 0
min(a, 0) | a | 0
max(0, 1 - a) | a | -1
sum(max(0, X @ w)) | w | 0
clip(a, 0, 1) | a | 0
clip(a, -1, 0) | a | 0
leaky_relu(a) | a | 0
leaky_relu(a, 1/5) | a | 0
elu(a, 2) | a | 0
elu(a) | a | 1
sign(a) | a | 0
exp(-norm(w)) | w | 0
log(1 + norm(w)) | w | 0
norm(w)/(1 + norm(w)) | w | 0
norm(w)*norm(u) | w | 0
sum(where(abs(w) <= 1, w^2/2, abs(w) - 1/2)) | w | 0
"""
CASES = [tuple(x.strip() for x in line.split("|")) for line in KINKS.strip().splitlines()]
SMOOTH = ("elu(a)", "norm(w)^3", "max(0, 1 - a)", "abs(a)^3")


@pytest.mark.parametrize(("f", "x", "want"), CASES)
def test_the_derivative_at_a_kink_is_zero_and_said(f: str, x: str, want: str) -> None:
    d = symgen.loads(SPEC).derive(f"grad({f}, {x})")
    got = np.asarray(d.evaluate(**AT))
    assert got.shape == np.shape(AT[x]) and np.array_equal(got, np.full(got.shape, float(want)))
    assert d.evidence.kind in ("checked", "proved")
    assert f in SMOOTH or any("the subgradient 0 is taken" in c or "attained" in c for c in d.conditions), d.conditions


@pytest.mark.parametrize(("f", "x", "want"), CASES)
def test_the_derivative_nearby_is_the_slope(f: str, x: str, want: str) -> None:
    rng = np.random.default_rng(4)
    m = symgen.loads(SPEC + f"let f = {f}\n")
    at = {k: v + 0.3 * rng.normal(size=np.shape(v)) for k, v in AT.items() if k not in ("S", "X")} | {k: AT[k] for k in "SX"}
    got, value, h = np.asarray(m.derive(f"grad(f, {x})").evaluate(**at)), m.derive("f"), 1e-6
    step = rng.normal(size=np.shape(at[x]))
    up, down = (float(value.evaluate(**{**at, x: at[x] + t * step})) for t in (h, -h))
    assert np.sum(got * step) == pytest.approx((up - down) / (2 * h), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("f", ["1/norm(w)", "u @ w/norm(w)", "log(norm(w))", "w[0]/(w @ w)"])
def test_a_pole_has_no_derivative(f: str) -> None:
    d = symgen.loads(SPEC).derive(f"grad({f}, w)")
    assert not np.isfinite(d.evaluate(**AT)).all()
    assert not any("the subgradient 0 is taken" in c for c in d.conditions)


def test_the_slope_of_a_root_at_the_end_of_its_domain_is_infinite() -> None:
    assert symgen.loads(SPEC).derive("grad(sqrt(a), a)").evaluate(a=0.0) == np.inf


def test_second_derivatives_are_finite_at_a_kink() -> None:
    m = symgen.loads(SPEC)
    assert np.array_equal(m.derive("hessian(norm(w), w)").evaluate(**AT), np.zeros((3, 3)))
    assert np.array_equal(m.derive("hvp(norm(w), w, u)").evaluate(**{**AT, "u": np.ones(3)}), np.zeros(3))
    assert m.derive("hessian(abs(a)^3, a)").evaluate(a=0.0) == 0


TRAINED = """
dim n, d
data X: real[n, d], y: real[n]
param w: real[d] = zeros, b: real = zeros
const lam: positive = 0.1
let r = X @ w + b - y
loss L = norm(r)^2/(2*n) + lam*norm(w) + lam*sqrt(b^2) + lam*norm(r)
train L wrt w, b with adam(lr=0.05), steps=200
"""


@pytest.mark.parametrize("target", ["numpy", "torch", "jax"])
def test_training_starts_at_a_kink(target: str) -> None:
    if target != "numpy":
        pytest.importorskip(target)
    m = symgen.loads(TRAINED)
    assert m.derive("grad(L, w)").text_result == "(lam/norm(r) + 1/n)*X' @ r + lam*w/norm(w)"
    rng = np.random.default_rng(0)
    data = {"X": rng.normal(size=(20, 3)), "y": rng.normal(size=20)}
    mod = m.compile(target=target)
    value, g = mod.L_value_and_grad({"w": np.zeros(3), "b": np.array(0.0)}, data)
    r = -data["y"]
    want = data["X"].T @ r * (1 / 20 + 0.1 / np.linalg.norm(r))
    assert np.allclose(np.asarray(g["w"]), want, rtol=1e-5)
    if target == "numpy":
        trained = mod.train(data, steps=200, seed=0)
        assert mod.L_value_and_grad(trained, data)[0] < value
