"""Optima over sets of matrices, on spheres and with entries at 0: the textbook's answers on random data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

import symgen

SPEC = """
dim n, d, k
data X: real[n, d], Y: real[n, d], M: real[d, d], C: symmetric[d, d], B: spd[d, d], c: real[d], v: positive[d], A: real[k, d]
data b: real[k], R: positive[n, k], y: real[n], m: real[d]
const P: positive, T: positive, lam: positive
param S: spd[d, d], Q: orthogonal[d, d], W: real[d, k], w: real[d], p: simplex[d], q: nonnegative[d], K: skew[d, d]
param G: diagonal[d, d], H: symmetric[d, d]
"""
rng = np.random.default_rng(3)
n, d, k = 9, 4, 2
X, Y, M, A = rng.normal(size=(n, d)), rng.normal(size=(n, d)), rng.normal(size=(d, d)), rng.normal(size=(k, d))
C, B = M + M.T, M @ M.T + np.eye(d)
DATA = {
    "X": X, "Y": Y, "M": M, "C": C, "B": B, "c": rng.normal(size=d), "v": rng.uniform(0.2, 3, size=d), "A": A,
    "b": rng.normal(size=k), "R": rng.uniform(0.1, 1, size=(n, k)), "y": rng.normal(size=n), "m": rng.normal(size=d),
    "P": 0.8, "T": 0.7, "lam": 0.3,
}  # fmt: skip
c, v, b, m = DATA["c"], DATA["v"], DATA["b"], DATA["m"]


def polar(a):
    return linalg.polar(a)[0]


def water(s, whole):
    low, high = s.min(), s.max() + whole
    for _ in range(200):
        nu = (low + high) / 2
        low, high = (nu, high) if np.maximum(nu - s, 0).sum() < whole else (low, nu)
    return np.maximum(low - s, 0)


def top(a, r=None):
    """The projector on the leading eigenvectors: it knows no sign."""
    vectors = np.linalg.eigh(a)[1]
    u = vectors[:, -1:] if r is None else vectors[:, -r:]
    return u @ u.T


GOALS = {
    "argmin(n/2*logdet(S) + sum((X - m) @ inv(S)*(X - m))/2, S)": (X - m).T @ (X - m) / n,
    "argmin(logdet(S) + tr(inv(S) @ B), S)": B,
    "argmax(logdet(S) - tr(S @ B), S)": np.linalg.inv(B),
    "argmax(-(n + P)/2*logdet(S) - tr(inv(S) @ (X' @ X + B))/2, S)": (X.T @ X + B) / (n + 0.8),
    "argmax(tr(Q' @ M), Q)": polar(M),
    "argmin(tr(Q' @ M), Q)": -polar(M),
    "argmin(norm(X @ Q - Y)^2, Q)": polar(X.T @ Y),
    "argmin(norm(Q - M)^2, Q)": polar(M),
    "argmax(sum(W*A'), W, subject_to=[W' @ W = eye(k)])": polar(A.T),
    "argmin(norm(H - M)^2, H)": C / 2,
    "argmin(norm(K - M)^2, K)": (M - M.T) / 2,
    "argmin(norm(G - M)^2, G)": np.diag(np.diag(M)),
    "argmax(sum(log(1 + q/v)), q, subject_to=[sum(q) = P])": water(v, 0.8),
    "argmin(norm(p - c)^2, p)": water(-c, 1.0),
    "argmin(norm(q - c)^2, q)": np.maximum(c, 0),
    "argmax(p @ c - T*sum(p*log(p)), p)": np.exp(c / 0.7) / np.exp(c / 0.7).sum(),
    "argmin(norm(w - c)^2/2 + lam*sum(abs(w)), w)": np.sign(c) * np.maximum(np.abs(c) - 0.3, 0),
    "argmin(sum(v*(w - c)^2) + lam*sum(abs(w)) + P*sum(w), w)":
        np.where(c - 1.1/(2*v) > 0, c - 1.1/(2*v), np.minimum(c - 0.5/(2*v), 0)),
    "argmin(w @ w, w, subject_to=[A @ w = b])": np.linalg.pinv(A) @ b,
    "argmin(w @ B @ w/2 + c @ w, w, subject_to=[A @ w = b])": np.linalg.solve(
        np.block([[B, A.T], [A, np.zeros((k, k))]]), np.concatenate([-c, b])
    )[:d],
    "argmax(c @ w, w, subject_to=[w @ w = 1])": c / np.linalg.norm(c),
    "argmin(c @ w, w, subject_to=[w @ w = 1])": -c / np.linalg.norm(c),
    "argmin(c @ w, w, subject_to=[norm(w) = 1])": -c / np.linalg.norm(c),
    "argmax(c @ w, w, subject_to=[w @ B @ w = P])":
        np.sqrt(0.8 / (c @ np.linalg.solve(B, c))) * np.linalg.solve(B, c),
}  # fmt: skip
UP_TO_ROTATION = {
    "argmax(w @ C @ w, w, subject_to=[w @ w = 1])": top(C),
    "argmin(w @ C @ w, w, subject_to=[w @ w = 1])": top(-C),
    "argmax(w @ C @ w, w, subject_to=[norm(w) = 1])": top(C),
    "argmin(w @ C @ w, w, subject_to=[3 = norm(w)])": 9 * top(-C),
    "argmax(norm(X @ w)^2, w, subject_to=[w @ w = 4])": 4 * top(X.T @ X),
    "argmin(norm(X - outer(X @ w, w))^2, w, subject_to=[w @ w = 1])": top(X.T @ X),
    "argmax(w @ C @ w/(w @ w), w)": top(C),
    "argmax(tr(W' @ C @ W), W, subject_to=[W' @ W = eye(k)])": top(C, k),
    "argmin(tr(W' @ C @ W), W, subject_to=[eye(k) = W' @ W])": top(-C, k),
    "argmin(norm(X - X @ W @ W')^2, W, subject_to=[W' @ W = eye(k)])": top(X.T @ X, k),
}


@pytest.fixture(scope="module")
def model() -> symgen.Model:
    return symgen.loads(SPEC)


def solved(model: symgen.Model, goal: str):
    derivation = model.derive(goal)
    assert derivation.evidence.kind == "checked" and "no other point of the set" in derivation.evidence.method
    assert derivation.text_result and derivation.steps
    return derivation.evaluate(**{name: DATA[name] for name in DATA if name in goal}, **({"k": k} if "W" in goal else {}))


@pytest.mark.parametrize("goal", GOALS)
def test_the_optimum_is_the_textbooks(model: symgen.Model, goal: str) -> None:
    assert solved(model, goal) == pytest.approx(GOALS[goal], abs=1e-8)


@pytest.mark.parametrize("goal", UP_TO_ROTATION)
def test_the_eigenspace_is_the_one_of_numpy(model: symgen.Model, goal: str) -> None:
    found = np.asarray(solved(model, goal)).reshape(d, -1)
    assert found @ found.T == pytest.approx(UP_TO_ROTATION[goal], abs=1e-8)


def test_the_generalised_eigenvector_has_the_greatest_quotient(model: symgen.Model) -> None:
    w = solved(model, "argmax(w @ C @ w, w, subject_to=[w @ B @ w = 1])")
    assert w @ B @ w == pytest.approx(1) and w @ C @ w == pytest.approx(linalg.eigh(C, B)[0][-1])


@pytest.mark.parametrize("goal, words", [
    ("argmin(norm(X @ Q - Y @ Q')^2, Q)", "optimum|closed form|affine"),
    ("argmax(logdet(S) + tr(inv(S) @ B), S)", "better"),
    ("argmin(logdet(S) + c @ inv(S) @ c, S)", "positive definite"),
    ("argmin(sum(p^3*c), p)", None),
    ("argmax(w @ w, w)", None),
    ("argmin(c @ w, w)", None),
    ("argmin(sum((q - c)^4), q, subject_to=[sum(q) = P])", None),
])  # fmt: skip
def test_what_is_no_optimum_is_not_called_one(model: symgen.Model, goal: str, words: str | None) -> None:
    with pytest.raises(symgen.CannotDerive, match=words):
        model.derive(goal)


def test_the_multiplier_and_the_gradient_of_the_lagrangian_are_told(model: symgen.Model) -> None:
    d = model.derive("argmin(w @ B @ w, w, subject_to=[c @ w = 1])")
    assert any(s.rule == "multiplier" for s in d.steps)
    assert "the gradient of the Lagrangian is 0" in d.evidence.method and "the constraints hold" in d.evidence.method


MIXTURE = """
dim n, d, k
data X: real[n, d], R: positive[n, k]
param mu: real[d], S: spd[d, d], s: positive[d], M: real[k, d], C: spd[k, d, d], pi: simplex[k], v: positive[k]
dist p(X) = MvNormal(mu, S)
dist q(X) = Normal(mu, s)
let J = sum[i: n, j: k](R[i, j]*(log(pi[j]) - logdet(C[j])/2 - (X[i] - M[j]) @ inv(C[j]) @ (X[i] - M[j])/2))
"""


def test_likelihoods_and_the_steps_of_a_mixture_have_their_textbook_answers() -> None:
    m, r = symgen.loads(MIXTURE), DATA["R"]
    assert m.derive("mle(p, mu)").text_result == "sum(X, axis=0)/n"
    assert m.derive("mle(p, S)").text_result == "(X - mu)' @ (X - mu)/n"
    assert m.derive("argmax(log p(X), S)").text_result == "(X - mu)' @ (X - mu)/n"
    assert np.allclose(m.derive("argmax(J, pi)").evaluate(R=r), r.sum(axis=0) / r.sum())
    centres = (r.T @ X) / r.sum(axis=0)[:, None]
    spread = np.array([np.cov(X.T, aweights=r[:, j], ddof=0) for j in range(k)])
    assert np.allclose(m.derive("argmax(J, M)").evaluate(X=X, R=r, C=spread), centres)
    assert np.allclose(m.derive("argmax(J, C)").evaluate(X=X, R=r, M=centres), spread)
