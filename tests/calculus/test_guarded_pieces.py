"""What stands under `where` may have no value elsewhere: energies of pairs, x log x, sin(x)/x; held against differences."""

import numpy as np
import pytest

import symgen

MODEL = symgen.loads("dim n, d\nparam X: real[n, d], x: real[n]\n")
VALUES = {"X": np.array([[0.3, -1.2], [0.8, 0.5], [-0.7, 1.1]]), "x": np.array([0.5, -1.25, 2.0])}
GUARDED = """
sum[i: n, j: n](where(i != j, 1/norm(X[i] - X[j]), 0))
sum[i: n, j: n](where(i == j, 0, log(norm(X[i] - X[j])^2)))
sum[i: n, j: n](where(i != j, 1/abs(x[i] - x[j]), 0))
sum[i: n, j: n](where(i < j, 1/(x[i] - x[j])^3, 0))
sum(where(x > 0, x*log(x), 0))
sum(where(x < 0, 0, sqrt(x)*x[2]))
sum(where(x == 0, 1, sin(x)/x))
""".strip().splitlines()


def slopes(f, name):
    x, h = VALUES[name], 1e-4
    out = np.zeros((*np.shape(f(x)), *x.shape))
    for k in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[k] = h
        out[(..., *k)] = (8 * (f(x + step) - f(x - step)) - (f(x + 2 * step) - f(x - 2 * step))) / (12 * h)
    return out


@pytest.mark.parametrize("f", GUARDED)
def test_a_piece_has_a_derivative_where_the_other_has_no_value(f):
    name = "X" if "X" in f else "x"
    sizes = {"n": 3, "d": 2}
    value, gradient, hessian = (MODEL.derive(g) for g in (f, f"grad({f}, {name})", f"hessian({f}, {name})"))
    assert gradient.evidence.kind == hessian.evidence.kind == "checked"
    at = {k: v for k, v in sizes.items() if name == "X" or k == "n"}
    assert np.allclose(gradient.evaluate(**{name: VALUES[name]}, **at), slopes(lambda x: value.evaluate(**{name: x}, **at), name))
    assert np.allclose(hessian.evaluate(**{name: VALUES[name]}, **at), slopes(lambda x: gradient.evaluate(**{name: x}, **at), name))


@pytest.mark.parametrize(
    "f", ["max(relu(x), x)", "max(abs(x), x)", "min(relu(x), x)", "max(x, where(x > 0, x, -x))", "max(max(x, 0), x^2/x)"]
)
def test_arguments_that_are_equal_on_an_open_set_have_one_derivative(f):
    value, gradient = MODEL.derive(f), MODEL.derive(f"grad(sum({f}), x)")
    assert gradient.evidence.kind == "checked"
    assert any("as its last argument" in c for c in gradient.conditions)
    assert np.allclose(gradient.evaluate(x=VALUES["x"], n=3), np.diagonal(slopes(lambda x: value.evaluate(x=x, n=3), "x")))
