"""Expectation and maximisation: the updates that are derived, run as they are, never lower the evidence that is derived.

Dempster, Laird & Rubin (1977); Bishop (2006), 9.2, 12.2, 12.66, 13.2; Rubin & Thayer (1982).
"""

import numpy as np
import pytest
from scipy import optimize, stats

import symgen

rng = np.random.default_rng(31)
N, D, K = 30, 2, 2
X = np.concatenate([rng.normal(-1, 0.7, (N // 2, D)), rng.normal(1.5, [0.5, 1.4], (N // 2, D))])
Y = rng.normal(size=(N, 1)) @ rng.normal(size=(1, 3)) + rng.normal(size=(N, 3)) * [0.4, 0.9, 0.6] + [1.0, 0.0, -2.0]
COUNTS = np.concatenate([rng.poisson(1.2, N // 2), rng.poisson(6.0, N // 2)])
BITS = (rng.random((N, 4)) < np.repeat([[0.2, 0.7, 0.5, 0.9], [0.8, 0.1, 0.6, 0.3]], N // 2, axis=0)).astype(float)
WEIGHTS = "dim n, d, k\nparam pi: simplex[k], R: simplex[n, k]\n"
LATENT = "dist p(c: label(k)[n]) = Categorical(pi)\n"
FACTORS = """
dim n, d, k
param W: real[d, k], mu: real[d], v: positive[d], s: positive, E: real[n, k], V: spd[k, k]
dist p(z: real[n, k]) = Normal(0, 1)
dist q(z: real[n, k]) = MvNormal(E, V)
let Q = E[z ~ q](log p(x, z))
"""
of_labels = "let Q = E[c ~ Categorical(R)](log p(x, c))\n"
# name: (spec, the latent variable, where its posterior goes, the parameters in the order of their updates, data, start)
MODELS = {
    "normals of full covariance": (
        WEIGHTS + "param mu: real[k, d], S: spd[k, d, d]\ndata x: real[n, d]\n" + LATENT
        + "dist p(x | c) = MvNormal(mu[c], S[c])\n" + of_labels,
        "c", {"p": "R"}, ["pi", "mu", "S"], X, {"mu": X[[0, -1]], "S": np.stack([np.eye(D), 2 * np.eye(D)])}),
    "Poisson counts": (
        WEIGHTS + "param lam: positive[k]\ndata x: natural[n]\n" + LATENT + "dist p(x | c) = Poisson(lam[c])\n" + of_labels,
        "c", {"p": "R"}, ["pi", "lam"], COUNTS, {"lam": np.array([1.0, 3.0])}),
    "Bernoulli vectors": (
        WEIGHTS + "param th: unit[k, d]\ndata x: binary[n, d]\n" + LATENT + "dist p(x | c) = Bernoulli(th[c])\n" + of_labels,
        "c", {"p": "R"}, ["pi", "th"], BITS, {"th": rng.random((K, 4)) * 0.5 + 0.25}),
    "lifetimes": (
        WEIGHTS + "param r: positive[k]\ndata x: positive[n]\n" + LATENT + "dist p(x | c) = Exponential(r[c])\n" + of_labels,
        "c", {"p": "R"}, ["pi", "r"], COUNTS + 0.3, {"r": np.array([0.3, 2.0])}),
    "factors": (
        FACTORS + "data x: real[n, d]\ndist p(x | z) = Normal(z @ W' + mu, sqrt(v))\n",
        "z", {"mu": "E", "Sigma": "V"}, ["mu", "W", "v"], Y, {"v": np.ones(3)}),
    "principal components": (
        FACTORS + "data x: real[n, d]\ndist p(x | z) = Normal(z @ W' + mu, s)\n",
        "z", {"mu": "E", "Sigma": "V"}, ["mu", "W", "s"], Y, {"s": 1.0}),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_the_evidence_never_falls(name):
    spec, latent, filled, updates, x, start = MODELS[name]
    model = symgen.loads(spec)
    posterior = model.derive(f"posterior(p, {latent}, given=x)")
    evidence = model.derive("log p(x)")
    steps = {u: model.derive(f"argmax(Q, {u})") for u in updates}
    at = {"x": x.astype(float)} | start
    if "pi" in updates:
        at |= {"pi": np.array([0.5, 0.5])}
    else:
        at |= {"W": rng.normal(size=(3, K)), "mu": np.zeros(3)}
    seen = [float(evidence.evaluate(**at))]
    for _ in range(8):
        found = posterior.result.evaluate("parameters", **at)
        at |= {mine: np.asarray(found[theirs]) for theirs, mine in filled.items()}
        if "V" in at:  # one covariance for all rows
            at["V"] = at["V"].reshape(-1, K, K)[0]
        for u, step in steps.items():
            at[u] = step.evaluate(**{k: v for k, v in at.items() if k != u})
        seen.append(float(evidence.evaluate(**at)))
    rises = np.diff(seen)
    assert np.all(rises > -1e-9 * abs(seen[-1])) and rises[0] > 0.1


def test_updates_read_as_in_the_books():
    mixture, factors = (symgen.loads(MODELS[n][0]) for n in ("normals of full covariance", "factors"))
    assert mixture.derive("argmax(Q, mu)").text_result == "diag(1/sum(R, axis=0)) @ R' @ x"
    assert factors.derive("argmax(Q, W)").text_result == "(x' @ E - outer(mu, sum(E, axis=0))) @ inv(E' @ E + n*V)"


GAUSSIANS = """dim n, d, K
data X: real[n, d]
param w: simplex[K], mu: real[K, d], S: spd[K, d, d], R: real[n, K]
dist p(z[i]) = Categorical(w)
dist p(X[i] | z[i]) = MvNormal(mu[z[i]], S[z[i]])
dist q(z[i]) = Categorical(softmax(R[i]))
"""


def test_the_best_covariances_of_a_mixture_are_weighted_squares_about_the_best_means():
    """S_k = sum_i r_ik (x_i - mu_k)(x_i - mu_k)' / sum_i r_ik: no square is multiplied out on the page."""
    d = symgen.loads(GAUSSIANS).derive("argmax(elbo(q, p), [w, mu, S])")
    assert "(X[l, j] - μ_hat[i, j])*(X[l, k] - μ_hat[i, k]))/sum[l: n](softmax(R)[l, i])" in d.text()
    rng = np.random.default_rng(0)
    X, R = rng.normal(size=(7, 2)), rng.normal(size=(7, 3))
    r = np.exp(R) / np.exp(R).sum(1, keepdims=True)
    found = d.evaluate(X=X, R=R)
    mu = (r.T @ X) / r.sum(0)[:, None]
    S = np.einsum("ik,ika,ikb->kab", r, X[:, None] - mu, X[:, None] - mu) / r.sum(0)[:, None, None]
    found = found["at"]
    assert np.allclose(found["w"], r.mean(0)) and np.allclose(found["mu"], mu) and np.allclose(found["S"], S)


SHAPES = """
dim n, k
param w: simplex[k], R: simplex[n, k], a: positive[k], b: positive[k], p0: unit[k]
data x: {domain}[n]
dist p(z: label(k)[n]) = Categorical(w)
dist p(x | z) = {law}
dist q(z: label(k)[n]) = Categorical(R)
let Q = E[z ~ q](log p(x, z))
"""
SHARES_OF_DATA, FIXED = np.random.default_rng(3).dirichlet(np.ones(2), 6), {"b": np.array([0.8, 1.7]), "p0": np.array([0.3, 0.6])}
ROOTS = {  # the law of a component, data, what is chosen, the log-density of one observation
    "shapes of Gamma": ("positive", "Gamma(a[z], b[z])", np.random.default_rng(1).gamma(2, 1, 6), "a",
                        lambda x, a, j: stats.gamma.logpdf(x, a, scale=1 / FIXED["b"][j])),
    "shapes of Beta": ("unit", "Beta(a[z], b[z])", np.random.default_rng(2).random(6), "a",
                       lambda x, a, j: stats.beta.logpdf(x, a, FIXED["b"][j])),
    "counts of NegativeBinomial": ("natural", "NegativeBinomial(a[z], p0[z])", np.array([0.0, 4, 2, 7, 1, 3]), "a",
                                   lambda x, a, j: stats.nbinom.logpmf(x, a, 1 - FIXED["p0"][j])),
}  # fmt: skip


@pytest.mark.parametrize("name", [n if "Beta" in n else pytest.param(n, marks=pytest.mark.slow) for n in ROOTS])
def test_shapes_of_components_are_roots(name):
    domain, law, x, by, density = ROOTS[name]
    model = symgen.loads(SHAPES.format(domain=domain, law=law))
    d = model.derive(f"argmax(Q, {by})")
    assert d.evidence.kind == "checked" and "root[" in d.text_result
    got = d.evaluate(x=x, R=SHARES_OF_DATA, **{v: a for v, a in FIXED.items() if f"{v}[" in law})
    for j in range(2):
        best = optimize.minimize_scalar(lambda u, j=j: -(SHARES_OF_DATA[:, j] * density(x, np.exp(u), j)).sum(), tol=1e-12)
        assert np.isclose(got[j], np.exp(best.x), rtol=1e-6)


@pytest.mark.slow
def test_shape_and_rate_of_components_are_found_together():
    domain, law, x, *_ = ROOTS["shapes of Gamma"]
    d = symgen.loads(SHAPES.format(domain=domain, law=law)).derive("argmax(Q, [a, b])")
    got = d.evaluate(x=x, R=SHARES_OF_DATA, w=np.array([0.3, 0.7]))["at"]
    for j in range(2):

        def loss(t, shares):
            return -(shares * stats.gamma.logpdf(x, np.exp(t[0]), scale=np.exp(-t[1]))).sum()

        top = optimize.minimize(loss, [0, 0], args=(SHARES_OF_DATA[:, j],), tol=1e-12)
        assert np.allclose([got["a"][j], got["b"][j]], np.exp(top.x), rtol=1e-4)


def test_the_value_at_the_best_parameters_is_short():
    """The weights sum to n, the squares over the best variance cancel, and conditions are in the language."""
    d = symgen.loads("""dim n, K
param w: simplex[K], mu: real[K], s: positive, R: real[n, K]
data x: real[n]
dist p(z[i: n]) = Categorical(w)
dist p(x[i] | z[i]) = Normal(mu[z[i]], s)
dist q(z[i: n]) = Categorical(softmax(R)[i])
""").derive("argmax(elbo(q, p), [w, mu, s])")
    page = d.text()
    assert "w = sum(softmax(R), axis=0)/n" in page and "- (n + n*log(2*π))/2" in page
    assert "softmax(R, i" not in page and "softmax(R)[i, j]" in page
