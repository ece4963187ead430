"""Taylor polynomials against the function nearby, limits against the function far out, forms against the function."""

from fractions import Fraction

import numpy as np
import pytest

import symgen

SPEC = "dim n\nparam x: real, t: positive, h: positive, w: real[n]\ndata A: real[n, n]\nconst a: positive = 1.3\n"
m = symgen.loads(SPEC)
W = np.array([0.3, -0.5, 0.2])
B = np.arange(9.0).reshape(3, 3) / 10


@pytest.mark.parametrize("f, at, order", [
    ("exp(a*x)", "0", 3), ("log(1 + x)", "0", 4), ("sin(x)*a", "1/2", 3), ("1/(1 - x)", "0", 5), ("sqrt(1 + x)", "0", 2),
    ("sigmoid(x)", "0", 3), ("x^3 - x", "2", 3),
])  # fmt: skip
def test_the_remainder_falls_by_one_order_more(f, at, order):
    polynomial = m.derive(f"taylor({f}, x, at={at}, order={order})")
    function = m.derive(f)
    point = float(Fraction(at))
    errors = []
    for e in (0.2, 0.1):
        errors.append(
            abs(float(polynomial.evaluate(x=point + e, a=1.3)) - float(function.evaluate(x=point + e, a=1.3)))
            if "a" in f
            else abs(float(polynomial.evaluate(x=point + e)) - float(function.evaluate(x=point + e)))
        )
    assert errors[0] < 1e-12 or errors[1] < errors[0] * 0.5 ** (order + 0.6)


def test_a_polynomial_of_a_vector_function():
    polynomial = m.derive("taylor(sum(exp(w)) + w @ A @ w, w, order=2)")
    small = 1e-2 * W
    exact = np.exp(small).sum() + small @ B @ small
    assert float(polynomial.evaluate(w=small, A=B)) == pytest.approx(exact, abs=np.abs(small).sum() ** 3)


@pytest.mark.parametrize("goal, value", [
    ("limit(sin(x)/x, x, 0)", 1.0), ("limit((1 + a/t)^t, t, inf)", np.exp(1.3)), ("limit(log(t)/t, t, inf)", 0.0),
    ("limit(sigmoid(x), x, inf)", 1.0), ("limit((exp(h) - 1)/h, h, 0)", 1.0), ("limit(t*exp(-a*t), t, inf)", 0.0),
    ("limit((1 - cos(x))/x^2, x, 0)", 0.5), ("limit(exp(t), t, inf)", np.inf),
    ("limit(max(t - a, 0)/t, t, inf)", 1.0), ("limit(min(t - 2, 3*a), t, inf)", 3.9), ("limit(where(t < 3, t, 2/t), t, inf)", 0.0),
])  # fmt: skip
def test_known_limits(goal, value):
    d = m.derive(goal)
    got = float(d.evaluate(**({"a": 1.3} if "a" in str(d.result.free_symbols) else {})))
    assert got == pytest.approx(value) and d.evidence.kind in ("proved", "checked")


def test_a_limit_that_differs_from_the_sides_is_none():
    with pytest.raises(symgen.CannotDerive, match="two sides"):
        m.derive("limit(abs(x)/x, x, 0)")


@pytest.mark.parametrize("goal, text", [
    ("simplify(sin(x)^2 + cos(x)^2)", "1"), ("simplify((x^2 - 1)/(x - 1))", "x + 1"),
    ("expand((x + t)^2)", "x^2 + 2*x*t + t^2"), ("expand(x*(x + t) - x*t)", "x^2"),
])  # fmt: skip
def test_forms(goal, text):
    assert m.check(f"{goal} = {text}").status == "proved"
    if goal.startswith("expand"):
        assert "(" not in m.derive(goal).text_result
