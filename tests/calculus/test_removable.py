"""Derivatives where a formula divides 0 by 0: those of the function that it is near there."""

import mpmath
import pytest

import symgen

DECLARED = "param a: real, b: real, s: positive, t: positive, u: unit, v: unit, w: real\n"
POINT = {"a": 0.75, "b": -0.5, "s": 1.25, "t": 0.5, "u": 0.25, "v": 0.625, "w": 0.5}


def logistic(a, b, s):
    y = (b - a) / s
    return -y + 2 * y / (1 - mpmath.exp(-y)) - 2 if y else mpmath.mpf(0)


def continuous_bernoulli(u):
    h = mpmath.log(u / (1 - u))
    return u / (2 * u - 1) - 1 / h


CASES = {  # goal: (by, where, the function of it as it is near there)
    "where(w == 0, 1, (exp(w) - 1)/w)": ("w", 0.0, lambda w: mpmath.expm1(w) / w),
    "where(w == 0, 1, sin(w)/w) + where(w == 0, 1, tanh(w)/w)": ("w", 0.0, lambda w: (mpmath.sin(w) + mpmath.tanh(w)) / w),
    "where(a == b, a, (a^2 - b^2)/(2*(a - b)))": ("a", -0.5, lambda a: (a - 0.5) / 2),
    "where(s == t, s, (s - t)/(log(s) - log(t)))": ("s", 0.5, lambda s: (s - 0.5) / mpmath.log(2 * s)),
    "where(sigmoid(w) == 1/2, 1/2, sigmoid(w)/(2*sigmoid(w) - 1) - 1/w)": (
        "w", 0.0, lambda w: continuous_bernoulli(1 / (1 + mpmath.exp(-w)))),
    "KL(Logistic(a, s) || Logistic(b, s))": ("a", -0.5, lambda a: logistic(a, mpmath.mpf("-0.5"), mpmath.mpf("1.25"))),
    "E[x ~ ContinuousBernoulli(u)](x)": ("u", 0.5, continuous_bernoulli),
    "E[x ~ Uniform(b, a)](exp(w*x))": ("w", 0.0, lambda w: (mpmath.exp(w * 0.75) - mpmath.exp(-w / 2)) / (1.25 * w)),
}  # fmt: skip


@pytest.mark.parametrize("goal", CASES)
@pytest.mark.parametrize("order", [1, 2])
def test_a_derivative_where_a_formula_has_a_hole_is_that_of_the_function_near_it(goal, order):
    by, where, f = CASES[goal]
    text = DECLARED + (f"dist p(x) = Logistic(a, s)\ndist q(x) = Logistic(b, s)\nlet f = {goal}\n" if "KL" not in goal else "")
    if "KL" in goal:
        text, goal = DECLARED + "dist p(x) = Logistic(a, s)\ndist q(x) = Logistic(b, s)\n", "KL(p || q)"
    derivation = symgen.loads(text).derive(f"d(d({goal}, {by}), {by})" if order == 2 else f"d({goal}, {by})")
    used = {n: x for n, x in {**POINT, by: where}.items() if n in derivation.symbols or n == by}
    with mpmath.workdps(120):
        h = mpmath.mpf("1e-9")
        left, right = f(where - h), f(where + h)
        want = (right - left) / (2 * h) if order == 1 else (f(where + 2 * h) - left - right + f(where - 2 * h)) / (3 * h * h)
    assert derivation.evaluate(**used) == pytest.approx(float(want), abs=1e-12, rel=1e-9)


def test_a_jump_and_a_value_that_does_not_fit_keep_their_pieces():
    model = symgen.loads("param w: real")
    assert model.derive("d(where(w == 0, 7, (exp(w) - 1)/w), w)").evaluate(w=0.0) == 0
    assert model.derive("d(where(w == 0, 1, w^2), w)").evaluate(w=0.0) == 0
