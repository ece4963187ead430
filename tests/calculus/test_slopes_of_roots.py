"""Derivatives of what stays a root: against differences of the root found by SciPy, in derivations and in code."""

import numpy as np
import pytest
from scipy.optimize import brentq

import symgen

SPEC = "param a: real, b: positive\nlet r = root[t: -inf..inf](a - b*t - tanh(t))\nlet p = root[t: 0..inf](b - a^2*t - log(t))\n"
A, B = 0.7, 1.3


def r(a, b):
    return brentq(lambda t: a - b * t - np.tanh(t), -20, 20, xtol=1e-15)


def p(a, b):
    return brentq(lambda t: b - a * a * t - np.log(t), 1e-9, 50, xtol=1e-15)


CASES = {
    "r": r,
    "p": p,
    "r^2 + a*p": lambda a, b: r(a, b) ** 2 + a * p(a, b),
    "root[t: -inf..inf](r - t^3 - t)": lambda a, b: brentq(lambda t: r(a, b) - t**3 - t, -9, 9, xtol=1e-15),
}


@pytest.mark.parametrize("f", [*list(CASES)[:2], *(pytest.param(f, marks=pytest.mark.slow) for f in list(CASES)[2:])])
@pytest.mark.parametrize("by", "ab")
def test_a_root_moves_by_the_implicit_function_theorem(f, by):
    model = symgen.loads(SPEC)
    found = model.derive(f"grad({f}, {by})")
    assert found.evidence.kind == "checked" or "root is not reduced" in found.evidence.tried  # balls take no roots

    def at(h):
        return CASES[f](A + h * (by == "a"), B + h * (by == "b"))

    assert found.evaluate(a=A, b=B) == pytest.approx((at(1e-5) - at(-1e-5)) / 2e-5, rel=1e-7)
    second = model.derive(f"hessian({f}, {by})").evaluate(a=A, b=B)
    assert second == pytest.approx((at(1e-3) - 2 * at(0) + at(-1e-3)) / 1e-6, rel=1e-4)


def test_all_gradients_of_one_sweep_pass_through_roots():
    found = symgen.loads(SPEC).derive("grad(r*p, [a, b])").evaluate(a=A, b=B)["by"]
    for name, (da, db) in {"a": (1e-5, 0), "b": (0, 1e-5)}.items():
        ends = [r(A + s * da, B + s * db) * p(A + s * da, B + s * db) for s in (1, -1)]
        assert found[name] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-7)


def test_the_likelihood_of_a_flow_is_trained_through_its_inverse():
    model = symgen.loads(
        "dim k\ndata y: real[k]\nparam w: real[k], u: real[k], b: real\nassume u @ w > -1\ndef f(z) = z + u*tanh(w @ z + b)\n"
        "dist q0(z: real[k]) = Normal(zeros(k), 1)\ndist q(y) = Transformed(q0, f)\nloss L = -log q(y)\n"
    )
    module, data = model.compile(), {"y": np.array([0.4, 0.7])}
    at = {"w": np.array([0.5, -0.3]), "u": np.array([0.6, 0.4]), "b": 0.2}
    _, slopes = module.L_value_and_grad(at, data)
    for name, value in at.items():
        for k in np.ndindex(np.shape(value)):
            h = np.zeros(np.shape(value))
            h[k] = 1e-5
            difference = (module.L(at | {name: value + h}, data) - module.L(at | {name: value - h}, data)) / 2e-5
            assert np.asarray(slopes[name])[k] == pytest.approx(difference, rel=1e-4)
