"""Eigenvalues, roots and norms of singular values: numbers of SciPy, gradients by differences, code of all libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

import symgen
from symgen.tensor import spectral
from symgen.tensor.field import BALL

SPEC = """
dim n, m
param A: real[n, m], S: symmetric[n, n], P: spd[n, n], x: real[n]
"""
rng = np.random.default_rng(5)
A, B = rng.normal(size=(4, 3)), rng.normal(size=(4, 4))
AT = {"A": A, "S": B + B.T, "P": B @ B.T + np.eye(4), "x": rng.normal(size=4)}
VALUES = {
    "eigvals(S)": linalg.eigvalsh(AT["S"]),
    "eigvecs(S) @ diag(eigvals(S)) @ eigvecs(S)'": AT["S"],
    "sqrtm(P)": linalg.sqrtm(AT["P"]),
    "polar(A)": linalg.polar(A)[0],
    "polar(A')": linalg.polar(A.T)[0],
    "nuclear_norm(A)": linalg.svdvals(A).sum(),
    "spectral_norm(A)": linalg.svdvals(A)[0],
}


@pytest.mark.parametrize("text", VALUES)
def test_values_are_those_of_scipy(text: str) -> None:
    d = symgen.loads(SPEC).derive(text)
    assert np.allclose(d.evaluate(**{k: v for k, v in AT.items() if k in text}), VALUES[text])


@pytest.mark.parametrize("name", ["eigvals", "eigvecs", "sqrtm", "polar", "nuclear_norm", "spectral_norm"])
def test_balls_hold_the_values(name: str) -> None:
    given = AT["P"] if name == "sqrtm" else A if name in ("polar", "nuclear_norm", "spectral_norm") else AT["S"]
    number = BALL(120)
    with number.working():
        found = getattr(spectral, f"ball_{name}")(number.array(given))
    assert np.allclose(np.vectorize(float)(found), getattr(spectral, f"float_{name}")(given), atol=1e-12)
    assert max(float(v.rad()) for v in np.asarray(found).reshape(-1)) < 1e-20


def test_equal_eigenvalues_have_no_derivative() -> None:
    g = symgen.loads(SPEC).derive("grad(x @ eigvecs(S) @ x, S)")
    assert not np.isfinite(g.evaluate(S=np.eye(4), x=AT["x"])).all()


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_the_nuclear_norm_has_a_second_derivative_where_its_singular_values_are_not_0(shape: tuple[int, int]) -> None:
    m = symgen.loads("dim n, m\nparam X: real[n, m], D: real[n, m]")
    rng = np.random.default_rng(3)
    at, along, h = rng.normal(size=shape), rng.normal(size=shape), 1e-5

    def slope(a: np.ndarray) -> np.ndarray:
        u, _, v = linalg.svd(a, full_matrices=False)
        return u @ v

    want = (slope(at + h * along) - slope(at - h * along)) / (2 * h)
    assert np.allclose(m.derive("hvp(nuclear_norm(X), X, D)").evaluate(X=at, D=along), want, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("target", ["numpy", "torch", "jax"])
def test_code_computes_losses_of_spectra(target: str) -> None:
    if target != "numpy":
        pytest.importorskip(target)
    m = symgen.loads(SPEC + "loss L = nuclear_norm(A) + spectral_norm(A)^2 + sum(sqrtm(P)) + x @ eigvals(S)\n")
    mod = m.compile(target=target)
    value, g = mod.L_value_and_grad({k: v.astype(np.float32) if target == "jax" else v for k, v in AT.items()})
    s = linalg.svdvals(A)
    want = s.sum() + s[0] ** 2 + linalg.sqrtm(AT["P"]).sum() + AT["x"] @ linalg.eigvalsh(AT["S"])
    assert float(value) == pytest.approx(want, rel=1e-4)
    u, s, vt = linalg.svd(A, full_matrices=False)
    assert np.allclose(np.asarray(g["A"]), u @ vt + 2 * s[0] * np.outer(u[:, 0], vt[0]), atol=1e-3)
    assert np.allclose(np.asarray(g["x"]), linalg.eigvalsh(AT["S"]), atol=1e-3)


def test_formulas_read_back_from_latex_names() -> None:
    d = symgen.loads(SPEC).derive("grad(nuclear_norm(A)^2, A)")
    assert d.text_result == "2*nuclear_norm(A)*polar(A)" and "operatorname{polar}" in d.latex()


@pytest.mark.parametrize("claim, status", [
    ("sqrtm(P) @ sqrtm(P) = P", "proved"),
    ("x @ sqrtm(P)' @ sqrtm(P) @ x = x @ P @ x", "proved"),
    ("eigvecs(S)' @ eigvecs(S) = eye(n)", "proved"),
    ("eigvecs(S) @ diag(eigvals(S)) @ eigvecs(S)' = S", "proved"),
    ("eigvecs(P) @ diag(1/eigvals(P)) @ eigvecs(P)' = inv(P)", "proved"),
    ("norm(A)^2 = sum(eigvals(A' @ A))", "proved"),
    ("tr(S) = sum(eigvals(S))", "proved"),
    ("det(S) = prod(eigvals(S))", "proved"),
    ("tr(S @ S) = sum(eigvals(S)^2)", "proved"),
    ("nuclear_norm(A) = tr(sqrtm(A' @ A + 0*eye(m)))", "checked"),
    ("spectral_norm(A) <= nuclear_norm(A)", "checked"),
    ("sqrtm(P) @ sqrtm(P) = 2*P", "refuted"),
    ("eigvecs(S)' @ diag(eigvals(S)) @ eigvecs(S) = S", "refuted"),
    ("tr(S @ S) = sum(eigvals(S))^2", "refuted"),
    ("eigvecs(S) @ eigvecs(S) = eye(n)", "refuted"),
    ("spectral_norm(A) = norm(A)", "refuted"),
])  # fmt: skip
def test_identities_of_spectra(claim: str, status: str) -> None:
    assert symgen.loads(SPEC).check(claim).status == status
