"""Eigenvalues, eigenvectors and what is made of them, on numbers: in float64 and in balls.

Matrices are taken by their symmetric part. Eigenvalues ascend; the entries of an eigenvector have a sum above 0. In
balls the eigenvalues have to be simple, and are isolated; else the values are nan.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import acb_mat, arb, arb_mat

__all__ = [
    "ball_eigvals", "ball_eigvecs", "ball_nuclear_norm", "ball_polar", "ball_spectral_norm", "ball_sqrtm",
    "float_eigvals", "float_eigvecs", "float_nuclear_norm", "float_polar", "float_spectral_norm", "float_sqrtm",
]  # fmt: skip


# --- float64 ----------------------------------------------------------------------------------------------------------


def float_eigvals(a: Any) -> Any:
    return np.linalg.eigvalsh((a + a.T) / 2)


def float_eigvecs(a: Any) -> Any:
    v = np.linalg.eigh((a + a.T) / 2)[1]
    return v * np.where(v.sum(axis=0) < 0, -1.0, 1.0)


def float_nuclear_norm(a: Any) -> Any:
    return np.linalg.svd(a, compute_uv=False).sum()


def float_spectral_norm(a: Any) -> Any:
    return np.linalg.svd(a, compute_uv=False).max(initial=0.0)


def float_polar(a: Any) -> Any:
    u, _, vt = np.linalg.svd(a, full_matrices=False)
    return u @ vt


def float_sqrtm(a: Any) -> Any:
    s, v = np.linalg.eigh((a + a.T) / 2)
    return (v * np.sqrt(s)) @ v.T


# --- balls ------------------------------------------------------------------------------------------------------------


def _eigen(a: Any) -> tuple[list[Any], list[list[Any]]]:
    """The eigenvalues of the symmetric part, ascending, and the unit eigenvectors. ValueError where they cannot be told
    apart."""
    n = a.shape[0]
    m = arb_mat(n, n, [(a[i, j] + a[j, i]) / 2 for i in range(n) for j in range(n)])
    if n == 1:
        return [m[0, 0]], [[arb(1)]]
    values, right = acb_mat(m).eig(right=True)
    order = sorted(range(n), key=lambda k: float(values[k].real.mid()))
    vectors = []
    for k in order:
        # an isolated eigenvalue of a real symmetric matrix is real, and so is its vector but for a complex factor
        column = [right[i, k] for i in range(n)]
        pivot = max(column, key=lambda z: float(abs(z).mid()))
        real = [(z / pivot).real for z in column]
        length = sum((x * x for x in real), arb(0)).sqrt()
        whole = sum(real, arb(0))
        if not (whole > 0 or whole < 0):
            raise ValueError("the sign of an eigenvector is not known")
        vectors.append([x / length * (1 if whole > 0 else -1) for x in real])
    return [values[k].real for k in order], vectors


def _gram(a: Any) -> Any:
    """A'A or AA', the smaller one."""
    return a.T @ a if a.shape[0] >= a.shape[1] else a @ a.T


def _objects(rows: list[list[Any]]) -> Any:
    out = np.empty((len(rows), len(rows[0]) if rows else 0), dtype=object)
    for i, row in enumerate(rows):
        for j, x in enumerate(row):
            out[i, j] = x
    return out


def _number(x: Any) -> Any:
    out = np.empty((), dtype=object)
    out[()] = x
    return out


def ball_eigvals(a: Any) -> Any:
    return _objects([_eigen(a)[0]])[0]


def ball_eigvecs(a: Any) -> Any:
    return _objects(_eigen(a)[1]).T


def _function(a: Any, f: Any) -> Any:
    """V f(s) V'."""
    values, vectors = _eigen(a)
    v = _objects(vectors).T
    return (v * np.array([f(s) for s in values], dtype=object)) @ v.T


def ball_sqrtm(a: Any) -> Any:
    return _function(a, arb.sqrt)


def ball_nuclear_norm(a: Any) -> Any:
    return _number(sum((s.sqrt() for s in _eigen(_gram(a))[0]), arb(0)))


def ball_spectral_norm(a: Any) -> Any:
    return _number(_eigen(_gram(a))[0][-1].sqrt())


def ball_polar(a: Any) -> Any:
    inverse_root = _function(_gram(a), arb.rsqrt)
    return a @ inverse_root if a.shape[0] >= a.shape[1] else inverse_root @ a
