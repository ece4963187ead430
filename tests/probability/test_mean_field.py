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
