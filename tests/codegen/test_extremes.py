"""Quotients of exponentials and their gradients where the exponentials themselves overflow, against 900 digits."""

import math

import mpmath
import numpy as np
import pytest

import symgen

POINTS = [(800.0, -3.0), (-800.0, 2.0), (40.0, 41.0), (0.7, -0.2), (-2000.0, -2000.5), (5.0, 900.0)]
LOGISTIC = {
    "log(1 + exp(x))": lambda x, y: mpmath.log(1 + mpmath.exp(x)),
    "1/(1 + exp(x))": lambda x, y: 1 / (1 + mpmath.exp(x)),
    "exp(x)/(1 + exp(x))": lambda x, y: mpmath.exp(x) / (1 + mpmath.exp(x)),
    "log(exp(x) + exp(y))": lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)),
    "exp(x)/(exp(x) + exp(y))": lambda x, y: mpmath.exp(x) / (mpmath.exp(x) + mpmath.exp(y)),
    "log(exp(x)/(exp(x) + exp(y)))": lambda x, y: mpmath.log(mpmath.exp(x) / (mpmath.exp(x) + mpmath.exp(y))),
    "log(2*cosh(x))": lambda x, y: mpmath.log(2 * mpmath.cosh(x)),
}  # fmt: skip


@pytest.mark.parametrize("text", LOGISTIC)
def test_what_lies_within_bounds_does_not_overflow(text):
    module = symgen.loads(f"param x: real, y: real\nloss L = {text}\n").compile()
    for at in POINTS:
        with mpmath.workdps(900):
            x, y, h = mpmath.mpf(at[0]), mpmath.mpf(at[1]), mpmath.mpf(10) ** -300
            f = LOGISTIC[text]
            wanted = float(f(x, y)), float((f(x + h, y) - f(x - h, y)) / (2 * h))
        value, gradients = module.L_value_and_grad({"x": at[0], "y": at[1]}, {})
        assert np.allclose((value, float(gradients["x"])), wanted, rtol=1e-12, atol=1e-15), at


@pytest.mark.parametrize(
    "a, b", [(8.1, 7.9), (-9.0, -8.5), (3.0, -2.0), (0.5, 0.4), (1e-9, 2e-9), (20.0, 15.0), (0.6, 0.45), (6.0, 0.0)]
)
def test_a_difference_of_error_functions_keeps_its_digits(a, b):
    got = symgen.loads("param a: real, b: real").derive("3*erf(a) - 3*erf(b)").evaluate(a=a, b=b)
    with mpmath.workdps(900):
        want = 3 * (mpmath.erf(mpmath.mpf(a)) - mpmath.erf(mpmath.mpf(b)))
        assert abs(got - want) <= 1e-13 * abs(want)


@pytest.mark.parametrize("P, Q, wanted", [
    ([0.5, 0.5, 0], [0.3, 0.7, 0], -0.5 * math.log(0.21)), ([1, 0, 0], [1, 0, 0], 0), ([0.5, 0.5, 0], [0.3, 0, 0.7], math.inf),
])  # fmt: skip
def test_a_class_without_mass_adds_nothing_to_a_cross_entropy(P, Q, wanted):
    m = symgen.loads("dim k\nparam P: simplex[k], Q: simplex[k]\ndist p(x) = Categorical(P)\ndist q(x) = Categorical(Q)")
    d = m.derive("cross_entropy(p || q)")
    assert d.evaluate(P=np.array(P, float), Q=np.array(Q, float)) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("a, b, wanted", [(0, 0, 0), (1, 1, 0), (0, 0.5, math.log(2)), (1, 0.5, math.log(2)), (0.5, 1, math.inf)])
def test_a_sure_bit_adds_nothing_to_a_cross_entropy(a, b, wanted):
    m = symgen.loads("param a: unit, b: unit\ndist p(x) = Bernoulli(a)\ndist q(x) = Bernoulli(b)")
    assert m.derive("cross_entropy(p || q)").evaluate(a=float(a), b=float(b)) == pytest.approx(wanted, rel=1e-14)
