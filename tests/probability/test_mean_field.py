"""Coordinate ascent on the bound of conjugate models: each factor's best parameters, against the books in numbers.

Blei, Ng & Jordan (2003), eq. 6, 7, 9; Bishop (2006), 10.2, 10.3; Hoffman et al. (2013).
"""

import numpy as np
import pytest
from scipy.special import digamma, softmax

import symgen

rng = np.random.default_rng(12)
N, K, W = 5, 3, 4
AT = {"al": rng.random(K) + 0.4, "ga": rng.random(K) + 0.6, "Bt": rng.dirichlet(np.ones(W), K), "R": rng.dirichlet(np.ones(K), N),
      "words": rng.integers(0, W, N), "x": rng.normal(size=N), "m0": 0.3, "s0": 1.4, "s": 0.7, "m": rng.normal(size=K),
      "v": rng.random(K) + 0.4}  # fmt: skip
HEAD = """
dim n, k, w, d
param al: positive[k], ga: positive[k], Bt: simplex[k, w], R: simplex[n, k], m0: real, s0: positive, s: positive
param m: real[k], v: positive[k]
data words: label(w)[n], x: real[n]
"""
TOPICS = (
    HEAD
    + """
dist p(th: simplex[k]) = Dirichlet(al)
dist p(z: label(k)[n] | th) = Categorical(th)
dist p(words | z) = Categorical(Bt[z])
dist q(th: simplex[k]) = Dirichlet(ga)
dist q(z: label(k)[n]) = Categorical(R)
"""
)
MIXTURE = (
    HEAD
    + """
dist p(th: simplex[k]) = Dirichlet(al)
dist p(mu: real[k]) = Normal(m0, s0)
dist p(z: label(k)[n] | th) = Categorical(th)
dist p(x | z, mu) = Normal(mu[z], s)
dist q(th: simplex[k]) = Dirichlet(ga)
dist q(mu: real[k]) = Normal(m, v)
dist q(z: label(k)[n]) = Categorical(R)
"""
)
R, x, m, v, ga = AT["R"], AT["x"], AT["m"], AT["v"], AT["ga"]
precision = 1 / AT["s0"] ** 2 + R.sum(0) / AT["s"] ** 2
UPDATES = {
    ("topics", "R"): softmax(digamma(ga) + np.log(AT["Bt"][:, AT["words"]].T), axis=1),
    ("topics", "ga"): AT["al"] + R.sum(0),
    ("topics", "Bt"): np.array([[R[AT["words"] == j, i].sum() for j in range(W)] for i in range(K)]) / R.sum(0)[:, None],
    ("mixture", "R"): softmax(digamma(ga) - ((x[:, None] - m) ** 2 + v**2) / (2 * AT["s"] ** 2), axis=1),
    ("mixture", "ga"): AT["al"] + R.sum(0),
    ("mixture", "m"): (AT["m0"] / AT["s0"] ** 2 + R.T @ x / AT["s"] ** 2) / precision,
    ("mixture", "v"): precision**-0.5,
}


@pytest.fixture(scope="module")
def models():
    return {"topics": symgen.loads(TOPICS), "mixture": symgen.loads(MIXTURE)}


@pytest.mark.parametrize("model, by", UPDATES)
def test_updates_of_mean_field(models, model, by):
    d = models[model].derive(f"argmax(elbo(q, p), {by})")
    assert d.evidence.kind == "checked"
    assert np.allclose(d.evaluate(**AT), UPDATES[model, by])


def test_the_best_dirichlet_reads_as_counts(models):
    assert models["topics"].derive("argmax(elbo(q, p), ga)").text_result == "sum(R, axis=0) + al"


def test_a_shape_alone_has_no_closed_form():
    """Of a Gamma factor the shape and the rate are best together: with a rate held fixed the zero of trigammas stays."""
    model = symgen.loads("param a: positive, b: positive, c: positive\ndist q(z) = Gamma(a, b)\ndist p(z) = Gamma(c, 2)\n")
    with pytest.raises(symgen.CannotDerive):
        model.derive("argmin(KL(q || p), a)")


REGRESSION = """
dim n, d
data X: real[n, d], y: real[n]
param a0: positive, b0: positive, c0: positive, e0: positive, m: real[d], S: spd[d, d]
param a: positive, b: positive, c: positive[d], e: positive[d]
dist p(al: positive[d]) = Gamma(c0, e0)
dist p(tau: positive) = Gamma(a0, b0)
dist p(w: real[d] | al) = Normal(0, 1/sqrt(al))
dist p(y | w, tau) = Normal(X @ w, 1/sqrt(tau))
dist q(w: real[d]) = MvNormal(m, S)
dist q(tau: positive) = Gamma(a, b)
dist q(al: positive[d]) = Gamma(c, e)
dist u(v) = Beta(a, b)
dist t(v) = Beta(a0, b0)
dist g(k, h) = NormalGamma(a, b, a0, b0)
"""


def test_the_parameters_of_a_factor_are_best_together():
    """Relevance determination: Bishop (2006), 10.3 and exercise 10.26; a shape and a rate are found as one."""
    model = symgen.loads(REGRESSION)
    X, y, m, L = rng.normal(size=(6, 2)), rng.normal(size=6), rng.normal(size=2), np.array([[0.8, 0.0], [0.3, 0.6]])
    S = L @ L.T
    squares = ((y - X @ m) ** 2).sum() + np.trace(X @ S @ X.T)
    at = {"X": X, "y": y, "m": m, "S": S, "a0": 1.3, "b0": 0.7, "c0": 0.9, "e0": 1.6, "a": 2.1, "b": 1.2,
          "c": np.array([1.4, 0.6]), "e": np.array([0.5, 1.9])}  # fmt: skip
    noise = model.derive("argmax(elbo(q, p), [a, b])")
    assert noise.evidence.kind == "checked"
    got = noise.evaluate(**at)["at"]
    assert np.allclose([got["a"], got["b"]], [1.3 + 3, 0.7 + squares / 2])
    relevance = model.derive("argmax(elbo(q, p), [c, e])")
    got = relevance.evaluate(**at)["at"]
    assert np.allclose(got["c"], 0.9 + 1 / 2) and np.allclose(got["e"], 1.6 + (m**2 + np.diag(S)) / 2)
    best = model.derive("argmax(elbo(q, p), [m, S])").evaluate(**at)["at"]
    precision = np.diag(at["c"] / at["e"]) + at["a"] / at["b"] * X.T @ X
    assert np.allclose(best["S"], np.linalg.inv(precision))
    assert np.allclose(best["m"], at["a"] / at["b"] * np.linalg.solve(precision, X.T @ y))
    beta = model.derive("argmin(KL(u || t), [a, b])")
    assert beta.evidence.kind == "checked"
    assert [str(beta.result.at[k]) for k in "ab"] == ["a0", "b0"]


GAUSSIANS = """
dim n, d, k
data x: real[n, d]
param al: positive[k], ga: positive[k], m0: real[d], l0: positive, nu0: positive, W0: spd[d, d]
param R: simplex[n, k], m: real[k, d], l: positive[k], nu: positive[k], W: spd[k, d, d]
dist p(pi: simplex[k]) = Dirichlet(al)
dist p(c: label(k)[n] | pi) = Categorical(pi)
dist p(mu: real[k, d], La: spd[k, d, d]) = NormalWishart(m0, l0, nu0, W0)
dist p(x | c, mu, La) = MvNormal(mu[c], precision=La[c])
dist q(pi: simplex[k]) = Dirichlet(ga)
dist q(c: label(k)[n]) = Categorical(R)
dist q(mu: real[k, d], La: spd[k, d, d]) = NormalWishart(m, l, nu, W)
"""


@pytest.mark.slow
def test_a_mixture_of_normals_of_unknown_covariances():
    """Bishop (2006), 10.46 to 10.49, 10.58 to 10.67."""
    model = symgen.loads(GAUSSIANS)
    X, d = rng.normal(size=(N, 2)), 2
    factors = np.tril(rng.normal(size=(K, d, d))) + 2 * np.eye(d)
    counts = R.sum(0)
    at = {"al": AT["al"], "ga": ga, "R": R, "x": X, "m0": np.array([0.3, -0.4]), "l0": 0.7, "nu0": 2.6, "W0": np.diag([0.6, 1.1]),
          "m": rng.normal(size=(K, d)), "l": v + 0.5, "nu": 2.6 + counts, "W": factors @ factors.transpose(0, 2, 1)}  # fmt: skip
    away = X[:, None] - at["m"]
    spread = (digamma((at["nu"][:, None] - np.arange(d)) / 2).sum(1) + d * np.log(2) + np.linalg.slogdet(at["W"])[1]) / 2
    squares = at["nu"] * np.einsum("nki,kij,nkj->nk", away, at["W"], away)
    got = {by: model.derive(f"argmax(elbo(q, p), {by})").evaluate(**at) for by in ("R", "ga", "l", "m", "W")}
    assert np.allclose(got["R"], softmax(digamma(ga) + spread - d / at["l"] / 2 - squares / 2, axis=1))
    assert np.allclose(got["ga"], at["al"] + counts)
    assert np.allclose(got["l"], at["l0"] + counts)
    assert np.allclose(got["m"], (at["l0"] * at["m0"] + R.T @ X) / (at["l0"] + counts)[:, None])
    gap = at["m"] - at["m0"]
    scatter = np.einsum("nk,nki,nkj->kij", R, away, away) + at["l0"] * np.einsum("ki,kj->kij", gap, gap)
    assert np.allclose(got["W"], np.linalg.inv(np.linalg.inv(at["W0"]) + scatter))
