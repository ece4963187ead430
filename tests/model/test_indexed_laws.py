"""Heads with indices mean what they say: the densities of sequences and plates are products over entries."""

import numpy as np
import pytest
from scipy import stats

import symgen

rng = np.random.default_rng(3)
D, N, K, V, T = 2, 4, 3, 5, 6
TH, BE = rng.dirichlet(np.ones(K), D), rng.dirichlet(np.ones(V), K)
C, W = rng.integers(0, K, (D, N)), rng.integers(0, V, (D, N))
X, Y = rng.normal(size=(T, 2)), rng.normal(size=T)
F = rng.normal(size=(2, 2))
S = np.array([[1.4, 0.3], [0.3, 0.8]])
LATENT = stats.dirichlet([1.3, 0.7, 2.1])
TWO = stats.multivariate_normal(cov=S)
# name: declarations and laws, what is asked, the arrays, the number
CASES = {
    "topics of documents": (
        "dim D, N, k, V\nparam al: positive[k], be: simplex[k, V]\ndata u: label(V)[D, N], c: label(k)[D, N], th: simplex[D, k]\n"
        "dist p(th[d: D]) = Dirichlet(al)\ndist p(c[d: D, n: N] | th[d]) = Categorical(th[d])\n"
        "dist p(u[d, n] | c[d, n]) = Categorical(be[c[d, n]])\n",
        "log p(u, c, th)", {"u": W, "c": C, "th": TH, "al": np.array([1.3, 0.7, 2.1]), "be": BE},
        sum(LATENT.logpdf(t) for t in TH) + np.log(TH[np.arange(D)[:, None], C]).sum() + np.log(BE[C, W]).sum()),
    "a walk of one number": (
        "dim T\nparam a: real, s: positive, s0: positive\ndata y: real[T + 1]\ndist p(y[0]) = Normal(0, s0)\n"
        "dist p(y[t: 1..T] | y[t - 1]) = Normal(a*y[t - 1] + t, s)\n",
        "log p(y)", {"y": Y, "a": 0.7, "s": 1.3, "s0": 0.6},
        stats.norm.logpdf(Y[0], 0, 0.6) + stats.norm.logpdf(Y[1:], 0.7 * Y[:-1] + np.arange(1, T), 1.3).sum()),
    "a walk of vectors": (
        "dim T, d\nparam F: real[d, d], S: spd[d, d]\ndata x: real[T, d]\ndist p(x[0]) = MvNormal(zeros(d), S)\n"
        "dist p(x[t: 1..T-1] | x[t - 1]) = MvNormal(F @ x[t - 1], S)\n",
        "log p(x)", {"x": X, "F": F, "S": S},
        TWO.logpdf(X[0]) + TWO.logpdf(X[1:] - X[:-1] @ F.T).sum()),
    "volatilities": (
        "dim T\nparam a: unit, s: positive\ndata y: real[T], h: real[T]\ndist p(h[0]) = Normal(0, 1)\n"
        "dist p(h[t: 1..T-1] | h[t - 1]) = Normal(a*h[t - 1], s)\ndist p(y[t] | h[t]) = Normal(0, exp(h[t]/2))\n",
        "log p(y, h)", {"y": Y, "h": X[:, 0], "a": 0.8, "s": 0.4},
        stats.norm.logpdf(X[0, 0]) + stats.norm.logpdf(X[1:, 0], 0.8 * X[:-1, 0], 0.4).sum()
        + stats.norm.logpdf(Y, 0, np.exp(X[:, 0] / 2)).sum()),
    "a chain of counts": (
        "dim T\nparam a: positive, b: positive\ndata y: natural[T]\ndist p(y[0]) = Poisson(a)\n"
        "dist p(y[t: 1..T-1] | y[t - 1]) = Poisson(a + b*y[t - 1])\n",
        "log p(y)", {"y": np.array([1.0, 0, 3, 4]), "a": 1.2, "b": 0.5},
        stats.poisson.logpmf(1, 1.2) + stats.poisson.logpmf([0, 3, 4], [1.7, 1.2, 2.7]).sum()),
    "rows with their own scales": (
        "dim D, N\nparam m: real[D], s: positive[N]\ndata x: real[D, N]\ndist p(x[d, n]) = Normal(m[d], s[n])\n",
        "log p(x)", {"x": X.T, "m": np.array([0.2, -1.0]), "s": np.arange(1.0, T + 1)},
        stats.norm.logpdf(X.T, np.array([[0.2], [-1.0]]), np.arange(1.0, T + 1)).sum()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_density_is_the_product_of_those_of_the_entries(name):
    text, goal, arrays, want = CASES[name]
    found = symgen.loads(text).derive(goal)
    assert np.isclose(found.evaluate(**{n: np.asarray(a, dtype=float) for n, a in arrays.items()}), want, rtol=1e-12)


def test_a_head_with_indices_means_what_whole_arrays_do():
    first = "dim T, k\nparam w: simplex[k], A: simplex[k, k], mu: real[k], s: positive\ndata x: real[T]\n"
    short = first + "dist p(z) = MarkovChain(w, A, T)\ndist p(x | z) = Normal(mu[z], s)\n"
    long = first + (
        "dist p(z[0]) = Categorical(w)\ndist p(z[t: 1..T - 1] | z[t - 1]) = Categorical(A[z[t - 1]])\n"
        "dist p(x[t: T] | z[t]) = Normal(mu[z[t]], s)\n"
    )
    assert symgen.loads(short).derive("log p(x)").array is symgen.loads(long).derive("log p(x)").array
