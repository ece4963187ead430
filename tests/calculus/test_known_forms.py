"""Inverses and determinants with a known form are differentiated in that form, and what has a name keeps it."""

import pytest

import symgen

SPEC = """
dim n, p
param u: positive[n], v: real[n], A: real[n, n], B: real[p, p], S: spd[n, n], s: real, W: symmetric[n, n], a: real[n], b: real[n]
let K = exp(s)*A
"""
SHORT = {
    "grad(logdet(diag(u)), u)": "1/u",
    "grad(a @ inv(diag(u)) @ b, u)": "-a*b/u^2",
    "grad(logdet(A @ diag(v)), v)": "1/v",
    "grad(logdet(s*A), s)": "n/s",
    "grad(logdet(s*A), A)": "inv(A)'",
    "grad(a @ inv(s*A) @ b, s)": "-a @ inv(A) @ b/s^2",
    "grad(logdet(kron(A, B)), A)": "p*inv(A)'",
    "grad(det(kron(A, B)), B)": "n*det(A)^p*det(B)^n*inv(B)'",
    "grad(sum(log(diagonal(cholesky(S)))), S)": "inv(S)/2",
    "grad(prod(eigvals(W)), W)": "det(W)*inv(W)",
    "grad(logdet(K), s)": "tr(inv(K) @ K)",
}


@pytest.mark.parametrize("goal", SHORT)
def test_a_known_form_is_differentiated(goal):
    model = symgen.loads(SPEC)
    d = model.derive(goal)
    assert d.evidence.kind == "checked"
    if goal != "grad(logdet(K), s)":
        assert d.text_result == SHORT[goal]
    assert model.check(f"{goal} = {SHORT[goal]}").status in ("proved", "checked")
