"""Weights with a matrix normal prior: the vectors of W and Y are normal with Kronecker covariances, which numbers tell."""

import numpy as np
import pytest
from scipy import stats

import symgen

RNG = np.random.default_rng(7)
N, D, K, L = 4, 2, 3, 2


def spd(k):
    a = RNG.normal(size=(k, k))
    return a @ a.T + np.eye(k)


AT = {"X": RNG.normal(size=(N, D)), "C": RNG.normal(size=(N, K)), "Z": RNG.normal(size=(L, D)), "M": RNG.normal(size=(D, K)),
      "U": spd(D), "S": spd(K), "Q": spd(N)}  # fmt: skip
Y = RNG.normal(size=(N, K))
SPEC = """
dim n, d, k, l
data X: real[n, d], C: real[n, k], Z: real[l, d]
param M: real[d, k], U: spd[d, d], S: spd[k, k], Q: spd[n, n]
dist p(W: real[d, k]) = MatrixNormal(M, U, S)
dist p(Y: real[n, k] | W) = MatrixNormal({mean}, {noise}, S)
dist p(T: real[l, k] | W) = MatrixNormal(Z @ W, eye(l), S)
"""


@pytest.mark.parametrize("mean, noise", [("X @ W + C", "Q"), ("X @ W", "eye(n)")])
def test_posterior_evidence_and_prediction(mean, noise):
    model = symgen.loads(SPEC.format(mean=mean, noise=noise))
    X, M, U, S, Z = (AT[n] for n in "XMUSZ")
    C, Q = (AT["C"], AT["Q"]) if "C" in mean else (np.zeros((N, K)), np.eye(N))
    used = {n: a for n, a in AT.items() if n not in "CQZ" or "C" in mean and n != "Z"}
    G = U @ X.T @ np.linalg.inv(X @ U @ X.T + Q)  # the gain
    want = {"M": M + G @ (Y - C - X @ M), "U": U - G @ X @ U, "V": S}
    d = model.derive("posterior(p, W, given=Y)")
    assert d.evidence.kind == "checked" and d.result.family == "MatrixNormal"
    got = d.result.evaluate("parameters", Y=Y, **used)
    assert all(np.allclose(got[n], want[n]) for n in want)
    evidence = model.derive("log p(Y)")
    assert evidence.evidence.kind == "checked"
    whole = stats.matrix_normal.logpdf(Y, X @ M + C, X @ U @ X.T + Q, S)
    assert np.isclose(evidence.evaluate(Y=Y, **used), whole, rtol=1e-10)
    predicted = model.derive("posterior(p, T, given=Y)")
    assert predicted.evidence.kind == "checked" and predicted.result.family == "MatrixNormal"
    got = predicted.result.evaluate("parameters", Y=Y, Z=Z, **used)
    assert np.allclose(got["M"], Z @ want["M"]) and np.allclose(got["U"], np.eye(L) + Z @ want["U"] @ Z.T)
