"""What the referees of derivatives can decide: domains that random points miss, lets that are symmetric, extremes, floats."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest

import symgen
from symgen.calculus.series_referee import check_taylor
from symgen.derivation.referee import check_derivative
from symgen.tensor.formula import read
from symgen.text.diagnostics import InternalError

SPEC = """
dim n, m
data X: real[n, m], y: real[n]
param w: real[n], S: spd[n, n], s: positive, M: real[m, m], Q: real[n, n]
let K = s*Q @ Q' + eye(n)
"""

DECIDED = [
    "grad(-log(1 - sum(w^2)), w)",  # defined where w is small alone
    "hessian(-log(1/100 - w @ w), w)",
    "grad(y @ inv(K) @ y/2 + logdet(K)/2, K)",  # K is symmetric: so are the points at which it is moved
    "grad(max(eigvals(S)), S)",  # an extreme of numbers that no float holds exactly
    "grad(max(sin(w)*w), w)",
    "grad(min[i](exp(w[i])*y[i]), w)",
    "grad(nuclear_norm(X)*spectral_norm(X), X)",
    "grad(sum(X @ M) - sum(log(X @ M)), M)",  # defined where all entries of a product are positive
]


@pytest.mark.parametrize("goal", DECIDED)
def test_the_referee_decides(goal: str) -> None:
    assert symgen.loads(SPEC).derive(goal).evidence.kind == "checked"


def test_the_gradient_by_a_symmetric_value_is_its_adjoint() -> None:
    m = symgen.loads(SPEC)
    assert m.check("grad(y @ inv(K) @ y/2 + logdet(K)/2, K) = (inv(K) - outer(inv(K) @ y, inv(K) @ y))/2").status == "proved"


NEED_TALL = ["grad(logdet(X' @ X), X)", "grad(tr(inv(X' @ X)), X)", "grad(log(det(X' @ S @ X)), X)"]


@pytest.mark.parametrize("goal", NEED_TALL)
def test_code_is_not_blamed_for_matrices_without_inverse(goal: str) -> None:
    """At some sizes X' X has no inverse; the code is compared with its expression where it has one."""
    x = np.random.default_rng(3).normal(size=(5, 3))
    root = np.random.default_rng(4).normal(size=(5, 5))
    given = {"X": x, "S": root @ root.T + np.eye(5)}
    m = symgen.loads(SPEC)
    f = m.derive(goal.removeprefix("grad(").removesuffix(", X)"))
    got = m.derive(goal).evaluate(**given)
    h = 1e-5
    for i, j in ((0, 0), (4, 2), (2, 1)):
        step = np.zeros_like(x)
        step[i, j] = h
        by_hand = (f.evaluate(**{**given, "X": x + step}) - f.evaluate(**{**given, "X": x - step})) / (2 * h)
        assert got[i, j] == pytest.approx(by_hand, rel=1e-5, abs=1e-7)


TAYLOR = "dim n\nparam x: real[n], b: real[n], A: real[n, n], t: real, a: real, p: positive"


@pytest.mark.parametrize(
    "goal",
    [
        "taylor(sin(t)*a, t, at=a, order=4)",
        "taylor(exp(b @ x), x)",
        "taylor(softmax(x), x, at=b)",
        "taylor(x @ A @ x, x, at=b, order=1)",
    ],
)
def test_what_a_taylor_polynomial_leaves_is_of_higher_order(goal):
    assert symgen.loads(TAYLOR).derive(goal).evidence.kind == "checked"


@pytest.mark.parametrize(
    "goal", ["taylor(abs(t), t)", "taylor(1/t, t)", "taylor(norm(x), x)", "taylor(sqrt(p), p)", "taylor(relu(t)*a, t)"]
)
def test_there_is_no_taylor_polynomial_where_a_function_is_not_smooth(goal):
    with pytest.raises(symgen.CannotDerive):
        symgen.loads(TAYLOR).derive(goal)


def test_a_wrong_taylor_polynomial_is_refuted():
    m = symgen.loads(TAYLOR)
    f, wrong = m.derive("sin(t)*a").array, m.derive("a*t - a*t^3/5").array
    with pytest.raises(InternalError):
        check_taylor(f, m.elaborated.variables["t"].variable, None, wrong, 3, None)()


LARGE = symgen.loads(
    """
data X: real[64, 784], Y: onehot[64, 10], y: real[64]
param W1: real[784, 96], b1: real[96], W2: real[96, 10], c: real, S: spd[60, 60], Z: real[60, 60], w: real[784]
let H = tanh(X @ W1 + b1)
let L = -sum(Y*log_softmax(H @ W2))/64
"""
)


@pytest.mark.parametrize("goal", ["grad(L, W1)", "grad(L, b1)", "hessian(norm(X @ w - y)^2/64, w)", "grad(logdet(S + Z @ Z'), Z)"])
def test_sizes_that_are_large_numbers_are_only_lengths(goal: str) -> None:
    start = process_time()
    evidence = LARGE.derive(goal).evidence
    assert evidence.kind == "checked" and "smaller sizes" in evidence.method
    assert process_time() - start < 3


def test_a_size_that_stands_as_a_number_is_looked_at_as_it_is() -> None:
    derived = LARGE.derive("grad(sum(w + c)^2/2, c)")
    assert derived.evidence.kind == "checked" and "smaller" not in derived.evidence.method
    assert "784" in derived.text_result


def test_a_wrong_result_of_large_sizes_is_refuted() -> None:
    w, y = (LARGE.elaborated.variables[n].variable for n in "wy")
    X = LARGE.elaborated.variables["X"].variable
    f = read("norm(X @ w - y)^2/2", {"X": X, "w": w, "y": y})
    right, wrong = (read(text, {"X": X, "w": w, "y": y}) for text in ("X' @ (X @ w - y)", "X' @ (X @ w + y)"))
    assert check_derivative(f, [w], [right]).kind == "checked"
    with pytest.raises(InternalError):
        check_derivative(f, [w], [wrong])
