"""Functions of a spec's own in which something is differentiated: the derivative is taken first, the argument put in after."""

import mpmath
import numpy as np
import pytest

import symgen

SPEC = """
dim n
param x: real, y: real, z: real[n], a: positive
def f(t) = t^3*exp(t)
def slope(t) = d(f(t), t)
def bend(t) = d(d(f(t), t), t)
def product(t) = d(x*t, t)
def held(t) = grad(t^2*x, x)
def two(s, t) = d(s^2*t, s)
def of_a_vector(v) = grad((v @ v)*sum(exp(v)), v)
def line(t) = taylor(exp(x*t), x, at=0, order=1)
"""
MODEL = symgen.loads(SPEC)
AT = {"x": 0.3, "y": -0.7, "a": 1.4}


def f(t):
    return t**3 * mpmath.exp(t)


CALLS = {
    "slope(2*x + 1)": lambda x, y, a: mpmath.diff(f, 2 * x + 1),
    "slope(x*y)": lambda x, y, a: mpmath.diff(f, x * y),
    "bend(x + a)": lambda x, y, a: mpmath.diff(f, x + a, 2),
    "d(slope(x^2), x)": lambda x, y, a: mpmath.diff(f, x * x, 2) * 2 * x,
    "slope(slope(x))": lambda x, y, a: mpmath.diff(f, mpmath.diff(f, x)),
    "product(x)": lambda x, y, a: x,
    "product(x*y)": lambda x, y, a: x,
    "held(x)": lambda x, y, a: x**2,
    "held(x + y)": lambda x, y, a: (x + y) ** 2,
    "two(x, x)": lambda x, y, a: 2 * x * x,
    "two(x*y, y)": lambda x, y, a: 2 * x * y * y,
    "line(x)": lambda x, y, a: 1 + x * x,
}


@pytest.mark.parametrize("text", CALLS)
def test_a_derivative_is_taken_before_its_argument_is_put_in(text):
    wanted = float(CALLS[text](*map(mpmath.mpf, AT.values())))
    assert MODEL.derive(text).evaluate(**AT) == pytest.approx(wanted, rel=1e-10)


def test_a_gradient_at_a_vector():
    z = np.random.default_rng(3).normal(size=4)
    v = 2 * z - 1
    wanted = 2 * v * np.exp(v).sum() + (v @ v) * np.exp(v)
    assert np.allclose(MODEL.derive("of_a_vector(2*z - 1)").evaluate(z=z), wanted, rtol=1e-12)
