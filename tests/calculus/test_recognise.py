"""Functions that people write out, and labels, read in gradients as people write them; the referee differentiates what
was written."""

from __future__ import annotations

import pytest

import symgen

SPEC = """
dim n, d, k
data X: real[n, d], y: label(k)[n], x: real[n], c: real[k]
param W: real[d, k], b: real[k], mu: real[k], s: positive[k], z: real[k], pi: simplex[k], w: real[d], t: real
let Z = X @ W + b
let P = softmax(Z)
let p = 1/(1 + exp(-X @ w))
"""
TEXTS = {
    "grad(log(sum(exp(z))), z)": "softmax(z)",
    "hessian(log(sum(exp(z))), z)": "diag(softmax(z)) - outer(softmax(z), softmax(z))",
    "jacobian(exp(z)/sum(exp(z)), z)": "diag(softmax(z)) - outer(softmax(z), softmax(z))",
    "grad(sum(c*exp(z))/sum(exp(z)), z)": "(c - c @ softmax(z))*softmax(z)",
    "grad(-sum(log(sum(exp(Z), axis=1))), W)": "-X' @ P",
    "grad(sum(log(1 + exp(-x*t))), t)": "-sum(x*sigmoid(-t*x))",
    "grad(sum(x*log(p) + (1 - x)*log(1 - p)), w)": "X' @ (x - p)",
    "grad(sum(1/(1 + exp(-z))), z)": "(1 - sigmoid(z))*sigmoid(z)",
    "grad(log(sum(s*exp(z))), z)": "softmax(z + log(s))",
    "grad(-sum[i: n](log(P[i, y[i]]))/n, W)": "X' @ (P - embed(eye(k), y))/n",
    "grad(-sum[i: n](log_softmax(Z)[i, y[i]])/n, W)": "X' @ (P - embed(eye(k), y))/n",
    "grad(sum(logsumexp(Z, axis=1)) - sum[i: n](Z[i, y[i]]), b)": "sum(P - embed(eye(k), y), axis=0)",
    "grad(sum[i: n](b[y[i]]^2), b)": "2*b*sum(embed(eye(k), y), axis=0)",
    "grad(n*logsumexp(z) - sum[i: n](z[y[i]]), z)": "n*softmax(z) - sum(embed(eye(k), y), axis=0)",
}


@pytest.mark.parametrize("goal", TEXTS)
def test_a_gradient_reads_as_people_write_it(goal: str) -> None:
    m = symgen.loads(SPEC)
    d = m.derive(goal)
    assert d.text_result == TEXTS[goal]
    assert d.evidence.kind == "checked"
    assert m.check(f"{goal} = {d.text_result}").status in ("proved", "checked")


def test_a_mixture_shows_its_responsibilities() -> None:
    m = symgen.loads(SPEC)
    d = m.derive("grad(sum[i: n](log(sum[j](pi[j]*exp(-(x[i] - mu[j])^2/2)))), mu)")
    assert "softmax(log(pi) - " in d.text_result and d.evidence.kind == "checked"
    assert [s.rule for s in d.steps].count("recognise") == 1


@pytest.mark.parametrize("goal", [
    "grad(log(sum(c*exp(z))), z)",  # weights may be negative
    "grad(log(sum[j](pi[j]*exp(z[j]))), pi)",  # and 0, where the derivative by them is finite
    "grad(exp(z[0])/sum(exp(2*z)), z)",
    "grad(1/(2 + exp(t)), t)",
])  # fmt: skip
def test_what_only_looks_like_it_is_left_alone(goal: str) -> None:
    d = symgen.loads(SPEC).derive(goal)
    assert "softmax" not in d.text_result and "sigmoid" not in d.text_result
    assert d.evidence.kind == "checked"


SPECTRA = """
dim n, m
param A: real[n, n], S: spd[n, n], H: symmetric[n, n], u: positive[n], x: real[n], X: real[n, m], t: real
"""


@pytest.mark.parametrize("goal, text", [
    ("grad(log(prod(u)), u)", "1/u"),
    ("grad(logdet(expm(A)), A)", "eye(n)"),
    ("grad(det(expm(A)), A)", "exp(tr(A))*eye(n)"),
    ("grad(logdet(cholesky(S)), S)", "inv(S)/2"),
    ("grad(sum(eigvals(H)), H)", "eye(n)"),
    ("grad(sum(eigvals(H)^2), H)", "2*H"),
    ("grad(sum(log(eigvals(S))), S)", "inv(S)"),
    ("grad(norm(X - mean(X, axis=0))^2/2, X)", "X - sum(X, axis=0)/n"),
    ("grad(norm(X - mean(X))^2/2, X)", "X - sum(X)/(m*n)"),
])  # fmt: skip
def test_what_has_a_shorter_name_is_differentiated_by_it(goal: str, text: str) -> None:
    m = symgen.loads(SPECTRA)
    d = m.derive(goal)
    assert d.text_result == text and d.evidence.kind == "checked"
