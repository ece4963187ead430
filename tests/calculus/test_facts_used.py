"""Facts of matrices shorten results: symmetric matrices, inverses, orthogonal matrices; and only where they hold."""

from __future__ import annotations

import pytest

import symgen

SPEC = """
dim n, m
param x: real[n], y: real[m], S: spd[n, n], T: symmetric[n, n], K: skew[n, n], A: real[n, n], B: real[n, m]
param Q: orthogonal[n, n], D: diagonal[n, n], X: real[m, n], L: lower[n, n]
dim k
const lam: positive = 1/2
"""
SHORT = [
    ("grad(x @ inv(S) @ x, x)", "2*inv(S) @ x"),
    ("grad(x @ T @ x, x)", "2*T @ x"),
    ("grad(x @ A @ x, x)", "(A + A') @ x"),
    ("grad(logdet(S), S)", "inv(S)"),
    ("grad(x @ inv(S) @ x, S)", "-outer(inv(S) @ x, inv(S) @ x)"),
    ("grad(logdet(A @ A'), A)", "2*inv(A)'"),
    ("grad(logdet(X @ X'), X)", "2*inv(X @ X') @ X"),
    ("grad(logdet(A @ S @ A'), S)", "inv(S)"),
    ("grad(x @ inv(A @ A') @ x, x)", "2*inv(A @ A') @ x"),
    ("grad(x @ inv(A @ S @ A') @ x, x)", "2*inv(A @ S @ A') @ x"),
    ("grad(logdet(X' @ X + lam*eye(n)), X)", "2*X @ inv(X' @ X + lam*eye(n))"),
    ("grad(y @ inv(B' @ S @ B) @ y, y)", "2*inv(B' @ S @ B) @ y"),
    ("grad(tr(A @ S @ inv(S)), S)", "zeros(n, n)"),
    ("grad(tr(Q' @ A @ Q), A)", "eye(n)"),
    ("grad(tr(Q' @ A @ Q), Q)", "zeros(n, n)"),
    ("grad(norm(Q @ x)^2, x)", "2*x"),
    ("hessian(norm(Q @ x)^2, x)", "2*eye(n)"),
    ("inv(S) @ S @ A", "A"),
    ("jacobian(softmax(x), x)", "diag(softmax(x)) - outer(softmax(x), softmax(x))"),
    ("grad(tr(A @ Q), Q)", "(A' - Q @ A @ Q)/2"),
    ("grad(logdet(Q), Q)", "zeros(n, n)"),
    ("grad(tr(inv(S) @ A), S)", "-inv(S) @ (A + A') @ inv(S)/2"),
    ("grad(tr(inv(X @ X') @ B' @ B), X)", "-2*inv(X @ X') @ B' @ B @ inv(X @ X') @ X"),
    ("grad(norm(K)^2, K)", "2*K"),
    ("grad(logdet(D), D)", "inv(D)"),
    ("grad(x @ D @ x + tr(D @ D), D)", "diag(x^2) + 2*D"),
    ("grad(logdet(L), L)", "diag(1/diagonal(L))"),
    ("grad(sum(log(diagonal(L))), L)", "diag(1/diagonal(L))"),
    ("grad(x @ L @ x*3, L)", "3*tril(outer(x, x))"),
    ("grad(det(matpow(A, 4)), A)", "4*det(A)^4*inv(A)'"),
    ("grad(logdet(matpow(A, k)), A)", "k*inv(A)'"),
    ("grad(det(inv(A)), A)", "-inv(A)'/det(A)"),
    ("grad(tr(sqrtm(S @ S)), S)", "eye(n)"),
    ("grad(sum(eigvals(T)^3), T)", "3*T @ T"),
    ("grad(sum(1/eigvals(S)), S)", "-inv(S) @ inv(S)"),
    (
        "grad(x @ inv(B @ B' + lam*eye(n)) @ x + logdet(B @ B' + lam*eye(n)), B)",
        "2*(inv(B @ B' + lam*eye(n)) - outer(inv(B @ B' + lam*eye(n)) @ x, inv(B @ B' + lam*eye(n)) @ x)) @ B",
    ),
]


@pytest.fixture(scope="module")
def model() -> symgen.Model:
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal, short", SHORT)
def test_a_fact_shortens_a_result(model: symgen.Model, goal: str, short: str) -> None:
    d = model.derive(goal)
    assert d.text_result == short
    assert d.evidence.kind in ("checked", "proved")


def test_the_fact_is_stated(model: symgen.Model) -> None:
    assert "S is symmetric" in model.derive("grad(x @ inv(S) @ x, x)").conditions
    assert not model.derive("grad(x @ inv(A @ A') @ x, x)").conditions  # A A' is symmetric whatever A is


def test_a_free_derivative_does_not_use_that_its_variable_is_symmetric(model: symgen.Model) -> None:
    free = model.derive("grad(x @ S @ x*(y @ y), S, form=free)")
    assert "outer(x, x)" in free.text_result
