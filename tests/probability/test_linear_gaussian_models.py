"""Linear-Gaussian models as textbooks write them: what is derived reads as theirs, and has their numbers.

Bishop (2006), chapters 2, 3, 8, 12, 13; Murphy (2012), chapters 4, 7; Rasmussen & Williams (2006), chapter 2.
"""

import numpy as np
import pytest
from numpy.linalg import inv
from scipy import stats

import symgen

rng = np.random.default_rng(21)
N, D, K, M = 4, 3, 2, 2


def spd(n):
    a = rng.normal(size=(n, n))
    return a @ a.T + n * np.eye(n)


AT = {"X": rng.normal(size=(N, D)), "xs": rng.normal(size=D), "W": rng.normal(size=(D, K)), "mu": rng.normal(size=D),
      "psi": rng.random(D) + 0.5, "G": spd(N + M), "alpha": 0.7, "beta": 1.9, "s": 0.6, "t": 1.3, "tau": 0.8, "m0": 0.4,
      "spread": rng.random(N) + 0.3}  # fmt: skip
X, xs, W, mu, psi, G, alpha, beta, s, t, tau, m0, spread = AT.values()
y, z, x, ys, th = rng.normal(size=N), rng.normal(size=K), rng.normal(size=D), 0.3, rng.normal(size=N)
rows = rng.normal(size=(N, K))
HEAD = ("dim n, d, k, m\nconst alpha: positive, beta: positive, s: positive, t: positive, tau: positive\nparam m0: real\n"
        "data X: real[n, d], xs: real[d], spread: positive[n]\nparam W: real[d, k], mu: real[d], psi: positive[d]\n"
        "param G: spd[n + m, n + m]\n")  # fmt: skip
REGRESSION = ("dist p(w: real[d]) = MvNormal(zeros(d), inv(alpha*eye(d)))\ndist p(y: real[n] | w) = Normal(X @ w, precision=beta)\n"
              "dist p(ys | w) = Normal(xs @ w, precision=beta)\n")  # fmt: skip
FACTORS = "dist p(z: real[k]) = Normal(zeros(k), 1)\ndist p(x: real[d] | z) = MvNormal(W @ z + mu, diag(psi))\n"
PROCESS = "dist p(f: real[n + m]) = MvNormal(zeros(n + m), G)\ndist p(y: real[n] | f) = Normal(f[:n], s)\n"
SCHOOLS = ("dist p(c) = Normal(m0, t)\ndist p(th: real[n] | c) = Normal(c, tau)\n"
           "dist p(y: real[n] | th) = Normal(th, spread)\n")  # fmt: skip
EFFECTS = "dist p(b: real[n]) = Normal(m0, t)\ndist p(r: real[n, k] | b) = Normal(b[:, None], s)\n"
C = inv(alpha * np.eye(D) + beta * X.T @ X)
S = G[:N, :N] + s**2 * np.eye(N)
between = 1 / t**2 + (1 / (spread**2 + tau**2)).sum()

# name: (spec, goal, values, truth, how it reads)
MODELS = {
    "weights of a regression": (
        REGRESSION, "posterior(p, w, given=y)", {"y": y}, {"mu": beta * C @ X.T @ y, "Sigma": C},
        "MvNormal(beta*inv(beta*X' @ X + alpha*eye(d)) @ X' @ y, precision=beta*X' @ X + alpha*eye(d))"),
    "prediction of a regression": (
        REGRESSION, "posterior(p, ys, given=y)", {"y": y},
        {"mu": beta * xs @ C @ X.T @ y, "sigma": np.sqrt(1 / beta + xs @ C @ xs)}, None),
    "evidence of a regression": (
        REGRESSION, "log p(y)", {"y": y},
        stats.multivariate_normal(np.zeros(N), np.eye(N) / beta + X @ X.T / alpha).logpdf(y),
        "(-y @ inv(X @ X'/alpha + eye(n)/beta) @ y - logdet(X @ X'/alpha + eye(n)/beta) - n*log(2*pi))/2"),
    "factors": (
        FACTORS, "posterior(p, z, given=x)", {"x": x},
        {"mu": inv(np.eye(K) + W.T / psi @ W) @ W.T @ ((x - mu) / psi), "Sigma": inv(np.eye(K) + W.T / psi @ W)},
        "MvNormal(inv(eye(k) + W' @ diag(1/psi) @ W) @ W' @ ((x - mu)/psi), precision=eye(k) + W' @ diag(1/psi) @ W)"),
    "information in factors": (
        FACTORS, "mutual_information(p, x, z)", {},
        np.linalg.slogdet(W @ W.T + np.diag(psi))[1] / 2 - np.log(psi).sum() / 2, None),
    "a Gaussian process": (
        PROCESS, "posterior(p, f, given=y)", {"y": y},
        {"mu": G[:, :N] @ inv(S) @ y, "Sigma": G - G[:, :N] @ inv(S) @ G[:N]},
        "MvNormal(G[:n]' @ inv(G[:n, :n] + s^2*eye(n)) @ y, G - G[:n]' @ inv(G[:n, :n] + s^2*eye(n)) @ G[:n])"),
    "its mean elsewhere": (PROCESS, "E[f ~ p(f | y)](f[n:])", {"y": y}, G[N:, :N] @ inv(S) @ y, None),
    "its evidence": (PROCESS, "log p(y)", {"y": y}, stats.multivariate_normal(np.zeros(N), S).logpdf(y), None),
    "the mean of schools": (
        SCHOOLS, "posterior(p, c, given=y)", {"y": y},
        {"mu": (m0 / t**2 + (y / (spread**2 + tau**2)).sum()) / between, "sigma": between**-0.5},
        "Normal((sum(y/(spread^2 + tau^2)) + m0/t^2)/(sum(1/(spread^2 + tau^2)) + 1/t^2), "
        "1/sqrt(sum(1/(spread^2 + tau^2)) + 1/t^2))"),
    "a school": (
        SCHOOLS, "posterior(p, th, given=[y, c])", {"y": y, "c": 0.9},
        {"mu": (0.9 / tau**2 + y / spread**2) / (1 / tau**2 + 1 / spread**2),
         "sigma": (1 / tau**2 + 1 / spread**2) ** -0.5}, None),
    "random effects": (
        EFFECTS, "posterior(p, b, given=r)", {"r": rows},
        {"mu": (m0 / t**2 + rows.sum(1) / s**2) / (1 / t**2 + K / s**2), "sigma": np.full(N, (1 / t**2 + K / s**2) ** -0.5)},
        "Normal((t^2*sum(r, axis=1) + m0*s^2)/(k*t^2 + s^2), s*t/sqrt(k*t^2 + s^2))"),
    "evidence of random effects": (
        EFFECTS, "log p(r)", {"r": rows},
        stats.multivariate_normal(np.full(K, m0), t**2 * np.ones((K, K)) + s**2 * np.eye(K)).logpdf(rows).sum(), None),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_the_textbooks(name):
    spec, goal, given, truth, reads = MODELS[name]
    model = symgen.loads(HEAD + spec)
    d = model.derive(goal)
    assert d.evidence.kind == "checked"
    if reads is not None:
        assert d.text_result == reads
    if not isinstance(truth, dict):
        assert np.allclose(d.evaluate(**AT, **given, m=M), truth, rtol=1e-9)
        return
    got = d.result.evaluate("parameters", **AT, **given, m=M)
    for parameter, value in truth.items():
        assert np.allclose(got[parameter], value, rtol=1e-9), parameter


def test_laws_over_an_axis_of_length_one_are_those_of_all_entries():
    """The mean `c[:, None]` stands for every column."""
    model = symgen.loads("dim n, k\nparam c: real[n], s: positive, v: positive[n, k]\n"
                         "dist q(y: real[n, k]) = Normal(c[:, None], s)\ndist p(y: real[n, k]) = Normal(0, v)\n")  # fmt: skip
    c, v = rng.normal(size=N), rng.random((N, K)) + 0.5
    at = {"c": c, "v": v, "s": s, "k": K}
    want = (np.log(v / s) + (s**2 + c[:, None] ** 2) / (2 * v**2) - 0.5).sum()
    assert np.isclose(model.derive("KL(q || p)").evaluate(**at), want)
    assert np.isclose(model.derive("entropy(q)").evaluate(n=N, **at), N * K * stats.norm(0, s).entropy())
    assert np.allclose(model.derive("E[y ~ q](y)").evaluate(**at), np.tile(c[:, None], (1, K)))
