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


# --- entries drawn apart: regressions of several outputs, factor analysis with samples in columns --------------------------

APART = """
dim n, d, k, l
data X: real[n, d], Z: real[l, d], s: positive[n]
param t: positive, b: real[k], v: positive, c: positive[k], S: spd[k, k]
dist p(W: real[d, k]) = Normal(0, t)
dist p(Y: real[n, k] | W) = Normal(X @ W + b, s[:, None])
dist p(T: real[l, k] | W) = Normal(Z @ W + b, v)
dist q(W: real[d, k]) = Normal(0, t)
dist q(Y: real[n, k] | W) = Normal(X @ W, c)
dist r(W: real[d, k]) = MvNormal(zeros(k), S)
dist r(Y: real[n, k] | W) = MvNormal(X @ W, S)
dist f(z: real[d, k]) = Normal(0, 1)
dist f(x: real[n, k] | z) = Normal(X @ z + s[:, None], 0.5)
"""
SCALES = {"s": RNG.uniform(0.4, 1.2, N), "b": RNG.normal(size=K), "c": RNG.uniform(0.4, 1.2, K), "t": 0.9, "v": 0.7}
NORMAL = stats.multivariate_normal


@pytest.fixture(scope="module")
def apart():
    return symgen.loads(APART)


def test_outputs_of_one_noise_have_a_matrix_normal_posterior(apart):
    X, Z, s, b, t, v = AT["X"], AT["Z"], *(SCALES[n] for n in "sbtv")
    precision = X.T @ np.diag(s**-2) @ X + np.eye(D) / t**2
    mean = np.linalg.solve(precision, X.T @ ((Y - b) / s[:, None] ** 2))
    seen = {"X": X, "s": s, "b": b, "t": t, "Y": Y}
    d = apart.derive("posterior(p, W, given=Y)")
    assert d.evidence.kind == "checked" and d.result.family == "MatrixNormal"
    got = d.result.evaluate("parameters", **seen)
    assert np.allclose(got["M"], mean) and np.allclose(got["U"], np.linalg.inv(precision)) and np.allclose(got["V"], np.eye(K))
    whole = sum(NORMAL(np.full(N, b[j]), t**2 * X @ X.T + np.diag(s**2)).logpdf(Y[:, j]) for j in range(K))
    assert np.isclose(apart.derive("log p(Y)").evaluate(**seen), whole)
    ahead = RNG.normal(size=(L, K))
    spread = Z @ np.linalg.inv(precision) @ Z.T + v**2 * np.eye(L)
    whole = sum(NORMAL(Z @ mean[:, j] + b[j], spread).logpdf(ahead[:, j]) for j in range(K))
    assert np.isclose(apart.derive("log p(T | Y)").evaluate(Z=Z, v=v, T=ahead, **seen), whole)


def test_columns_of_their_own_noise_are_integrated_out(apart):
    d = apart.derive("log q(Y)")
    assert d.evidence.kind == "checked"
    X, c = AT["X"], SCALES["c"]
    whole = sum(NORMAL(np.zeros(N), 0.81 * X @ X.T + c[j] ** 2 * np.eye(N)).logpdf(Y[:, j]) for j in range(K))
    assert np.isclose(d.evaluate(X=X, c=c, t=0.9, Y=Y), whole)


def test_rows_of_one_covariance_are_matrix_normal(apart):
    got = apart.derive("posterior(r, W, given=Y)").result.evaluate("parameters", X=AT["X"], S=AT["S"], Y=Y)
    precision = AT["X"].T @ AT["X"] + np.eye(D)
    want = {"M": np.linalg.solve(precision, AT["X"].T @ Y), "U": np.linalg.inv(precision), "V": AT["S"]}
    assert all(np.allclose(got[n], want[n]) for n in want)


def test_factors_of_samples_in_columns(apart):
    X, s = AT["X"], SCALES["s"]
    whole = sum(NORMAL(s, X @ X.T + np.eye(N) / 4).logpdf(Y[:, j]) for j in range(K))
    assert np.isclose(apart.derive("log f(x)").evaluate(X=X, s=s, x=Y), whole)
    got = apart.derive("E[z ~ f(z | x)](z)").evaluate(X=X, s=s, x=Y)
    assert np.allclose(got, np.linalg.solve(np.eye(D) + 4 * X.T @ X, 4 * X.T @ (Y - s[:, None])))


ROWS = """
dim n, d, k
data X: real[n, d]
param t: positive, c: positive[k]
dist p(W: real[k, d]) = Normal(0, t)
dist p(Y: real[n, k] | W) = Normal(X @ W', c)
"""


def test_rows_with_a_precision_each_have_a_posterior():
    d = symgen.loads(ROWS).derive("posterior(p, W, given=Y)")
    assert d.evidence.kind == "checked" and d.result.family == "MvNormal"
    X, c = AT["X"], SCALES["c"]
    got = d.result.evaluate("parameters", X=X, c=c, t=0.9, Y=Y)
    for j in range(K):
        covariance = np.linalg.inv(X.T @ X / c[j] ** 2 + np.eye(D) / 0.81)
        assert np.allclose(got["Sigma"][j], covariance) and np.allclose(got["mu"][j], covariance @ X.T @ Y[:, j] / c[j] ** 2)
