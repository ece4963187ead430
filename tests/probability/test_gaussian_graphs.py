"""Linear-Gaussian models of any graph against the one joint normal that they are, conditioned in numbers."""

import math

import numpy as np
import pytest
from scipy import stats

import symgen

rng = np.random.default_rng(11)


def spd(n):
    a = rng.normal(size=(n, n))
    return a @ a.T + np.eye(n)


D, N = 2, 3
AT = {"A": rng.normal(size=(D, D)), "C": rng.normal(size=(N, D)), "m0": rng.normal(size=D), "P": spd(D), "Q": spd(D),
      "R": spd(N), "K": spd(N), "s": 0.7, "t": 1.3, "m": 0.4, "r": 0.8}  # fmt: skip
HEAD = ("dim n, d\nparam A: real[d, d], C: real[n, d], m0: real[d], P: spd[d, d], Q: spd[d, d], R: spd[n, n], K: spd[n, n]\n"
        "param s: positive, t: positive, m: real, r: real\n")  # fmt: skip
I, O = np.eye, np.zeros

# the factors: (name, size, mean at zero, {parent: slope}, covariance), and the spec that says the same
CHAIN = [("h", D, AT["m0"], {}, AT["P"]), ("z", D, O(D), {"h": AT["A"]}, AT["Q"]), ("x", N, O(N), {"z": AT["C"]}, AT["R"]),
         ("z2", D, O(D), {"z": AT["A"]}, AT["Q"]), ("x2", N, O(N), {"z2": AT["C"]}, AT["R"])]  # fmt: skip
CHAIN_TEXT = """
dist p(h: real[d]) = MvNormal(m0, P)
dist p(z: real[d] | h) = MvNormal(A @ h, Q)
dist p(x: real[n] | z) = MvNormal(C @ z, R)
dist p(z2: real[d] | z) = MvNormal(A @ z, Q)
dist p(x2: real[n] | z2) = MvNormal(C @ z2, R)
"""
SCALARS = [("h", 1, np.array([0.4]), {}, 1.3**2 * I(1)), ("z", 1, O(1), {"h": 0.8 * I(1)}, 0.7**2 * I(1)),
           ("x", 1, np.array([1.0]), {"z": I(1)}, 1.3**2 * I(1)),
           ("y", 1, O(1), {"z": I(1), "h": -I(1)}, 0.7**2 * I(1))]  # fmt: skip
SCALARS_TEXT = """
dist p(h) = Normal(m, t)
dist p(z | h) = Normal(r*h, s)
dist p(x | z) = Normal(z + 1, t)
dist p(y | z, h) = Normal(z - h, s)
"""
LINEAR = [("z", D, O(D), {}, 1.3**2 * I(D)), ("x", N, O(N), {"z": AT["C"]}, 0.7**2 * I(N)),
          ("y", 1, O(1), {"z": AT["m0"][None]}, 0.7**2 * I(1))]  # fmt: skip
LINEAR_TEXT = """
dist p(z: real[d]) = Normal(zeros(d), t)
dist p(x: real[n] | z) = Normal(C @ z, s)
dist p(y | z) = Normal(m0 @ z, s)
"""
PROCESS = [("f", N, O(N), {}, AT["K"]), ("x", N, O(N), {"f": I(N)}, 0.7**2 * I(N))]
PROCESS_TEXT = "dist p(f: real[n]) = MvNormal(zeros(n), K)\ndist p(x: real[n] | f) = Normal(f, s)\n"
GRAPHS = {"chain": (CHAIN, CHAIN_TEXT), "scalars": (SCALARS, SCALARS_TEXT), "linear": (LINEAR, LINEAR_TEXT),
          "process": (PROCESS, PROCESS_TEXT)}  # fmt: skip


def joint_normal(factors):
    """The mean and covariance of all variables, and where each stands."""
    places, mean, cov, at = {}, np.zeros(0), np.zeros((0, 0)), 0
    for name, size, constant, parents, noise in factors:
        slope = np.zeros((size, at))
        for parent, a in parents.items():
            slope[:, places[parent]] = a
        cov = np.block([[cov, cov @ slope.T], [slope @ cov, slope @ cov @ slope.T + noise]])
        mean = np.concatenate([mean, constant + slope @ mean])
        places[name] = slice(at, at + size)
        at += size
    return mean, cov, places


def conditioned(factors, target, seen):
    mean, cov, places = joint_normal(factors)
    z = np.r_[places[target]]
    x = np.concatenate([np.r_[places[k]] for k in seen]) if seen else np.zeros(0, int)
    values = np.concatenate([np.atleast_1d(v) for v in seen.values()]) if seen else np.zeros(0)
    gain = cov[np.ix_(z, x)] @ np.linalg.inv(cov[np.ix_(x, x)]) if seen else np.zeros((len(z), 0))
    return mean[z] + gain @ (values - mean[x]), cov[np.ix_(z, z)] - gain @ cov[np.ix_(x, z)]


V = {"h": rng.normal(size=D), "z": rng.normal(size=D), "x": rng.normal(size=N), "x2": rng.normal(size=N), "y": 0.9}
ASKED = [
    ("chain", "z", ["x"]), ("chain", "h", ["x"]), ("chain", "z", ["x", "x2"]), ("chain", "z2", ["x"]), ("chain", "x2", ["x"]),
    ("chain", "z", ["h", "x"]), ("chain", "h", ["z", "x"]), ("linear", "z", ["x"]), ("linear", "y", ["x"]),
    ("linear", "z", ["x", "y"]), ("process", "f", ["x"]),
    ("scalars", "z", ["x"]), ("scalars", "h", ["x", "y"]), ("scalars", "z", ["y"]), ("scalars", "y", ["x"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def models():
    return {name: symgen.loads(HEAD + text) for name, (_, text) in GRAPHS.items()}


@pytest.mark.parametrize("graph, target, given", ASKED)
def test_a_posterior_is_that_of_the_joint_normal(models, graph, target, given):
    seen = {k: (0.3 if graph == "scalars" and k in "zhx" else V[k]) for k in given}
    names = ", ".join(given)
    d = models[graph].derive(f"posterior(p, {target}, given={f'[{names}]' if len(given) > 1 else names})")
    assert d.evidence.kind in ("checked", "unknown")  # of many components quadrature gives up
    got = d.result.evaluate("parameters", **seen, **AT, n=N, d=D)
    mean, cov = conditioned(GRAPHS[graph][0], target, seen)
    assert np.allclose(got["mu"], mean)
    assert np.allclose(got["Sigma"] if "Sigma" in got else got["sigma"] ** 2, cov)


@pytest.mark.parametrize("graph, target, given", [
    ("chain", "x", []), ("chain", "x2", ["x"]), ("linear", "x", []),
    ("process", "x", []), ("scalars", "y", ["x"]), ("scalars", "x", []),
])  # fmt: skip
def test_evidence_is_that_of_the_joint_normal(models, graph, target, given):
    seen = {k: (0.3 if graph == "scalars" else V[k]) for k in given}
    value = 0.9 if graph == "scalars" else V[target]
    goal = f"log p({target} | {', '.join(given)})" if given else f"log p({target})"
    got = models[graph].derive(goal).evaluate(**{target: value}, **seen, **AT, n=N, d=D)
    mean, cov = conditioned(GRAPHS[graph][0], target, seen)
    assert math.isclose(got, stats.multivariate_normal(mean, cov).logpdf(np.atleast_1d(value)), rel_tol=1e-8)


@pytest.mark.parametrize("target, given", [("h", ["x"]), ("h", ["z"]), ("z", ["h", "x"]), ("x", ["h"]), ("h", ["x", "y"])])
def test_log_densities_look_back_through_a_chain(models, target, given):
    seen = dict.fromkeys(given, 0.3)
    d = models["scalars"].derive(f"log p({target} | {', '.join(given)})")
    assert d.evidence.kind == "checked"
    mean, cov = conditioned(SCALARS, target, seen)
    got = d.evaluate(**{target: 0.7}, **seen, **AT, n=N, d=D)
    assert math.isclose(got, stats.norm(mean[0], math.sqrt(cov[0, 0])).logpdf(0.7), rel_tol=1e-9)


def test_two_variables_at_once(models):
    got = models["chain"].derive("log p(x, x2)").evaluate(x=V["x"], x2=V["x2"], **AT)
    mean, cov, places = joint_normal(CHAIN)
    x = np.r_[np.r_[places["x"]], np.r_[places["x2"]]]
    want = stats.multivariate_normal(mean[x], cov[np.ix_(x, x)]).logpdf(np.r_[V["x"], V["x2"]])
    assert math.isclose(got, want, rel_tol=1e-8)


def test_rows_of_a_factor_analysis_are_apart():
    model = symgen.loads(
        "dim n, d, k\nparam W: real[d, k], mu: real[d], v: positive[d], s: positive\n"
        "dist p(z: real[n, k]) = Normal(0, 1)\ndist p(x: real[n, d] | z) = Normal(z @ W' + mu, sqrt(v))\n"
    )
    W, mu, v = rng.normal(size=(3, 2)), rng.normal(size=3), np.array([0.6, 1.3, 0.9])
    x = rng.normal(size=(4, 3))
    d = model.derive("posterior(p, z, given=x)")
    assert d.evidence.kind == "checked"
    got = d.result.evaluate("parameters", W=W, mu=mu, v=v, x=x, s=1.0)
    precision = np.eye(2) + W.T @ np.diag(1 / v) @ W
    assert np.allclose(got["mu"], (x - mu) / v @ W @ np.linalg.inv(precision))
    assert np.allclose(got["Sigma"], np.linalg.inv(precision))
    evidence = model.derive("log p(x)").evaluate(W=W, mu=mu, v=v, x=x, s=1.0)
    assert math.isclose(evidence, stats.multivariate_normal(mu, W @ W.T + np.diag(v)).logpdf(x).sum(), rel_tol=1e-9)


def test_every_named_intermediate_is_given(models):
    d = models["linear"].derive("posterior(p, z, given=x)")
    text = d.text()
    for name in ("Λ", "m_1"):  # the author has declared an `m`
        assert f" {name})" in text or f" {name} @" in text
        assert any(line.strip().startswith(f"{name} =") for line in text.splitlines()), name
    assert "zeros" not in text.partition("Derivation\n")[2].partition("Result")[0]


MATRICES = {
    "normal-gamma": ("dist p(tau) = Gamma(3, 2)\ndist p(mu | tau) = Normal(m, 1/sqrt(2*tau))\n"
                     "dist p(x: real[n] | mu, tau) = Normal(mu, 1/sqrt(tau))", "[mu, tau]", "NormalGamma"),
    "normal inverse gamma": ("dist p(v) = InverseGamma(3, 2)\ndist p(mu | v) = Normal(m, sqrt(v/2))\n"
                             "dist p(x: real[n] | mu, v) = Normal(mu, sqrt(v))", "[mu, v]", "NormalInverseGamma"),
    "normal-Wishart": ("dist p(mu: real[d], T: spd[d, d]) = NormalWishart(m0, 2, 5, P)\n"
                       "dist p(x: real[n, d] | mu, T) = MvNormal(mu, precision=T)", "[mu, T]", "NormalWishart"),
    "normal inverse Wishart": ("dist p(mu: real[d], S: spd[d, d]) = NormalInverseWishart(m0, 2, 5, P)\n"
                               "dist p(x: real[n, d] | mu, S) = MvNormal(mu, S)", "[mu, S]", "NormalInverseWishart"),
    "mean": ("dist p(mu: real[d]) = MvNormal(m0, P)\ndist p(x: real[n, d] | mu) = MvNormal(mu, Q)", "mu", "MvNormal"),
    "precision": ("dist p(T: spd[d, d]) = Wishart(5, P)\ndist p(x: real[n, d] | T) = MvNormal(m0, precision=T)", "T", "Wishart"),
    "covariance": ("dist p(S: spd[d, d]) = InverseWishart(5, P)\ndist p(x: real[n, d] | S) = MvNormal(m0, S)", "S",
                   "InverseWishart"),
    "direction": ("dist p(u: real[d]) = VonMisesFisher(m0, s)\ndist p(x: real[n, d] | u) = VonMisesFisher(u, t)", "u",
                  "VonMisesFisher"),
}  # fmt: skip


@pytest.mark.parametrize("pair", MATRICES)
def test_posteriors_of_vectors_and_matrices(pair):
    text, z, family = MATRICES[pair]
    d = symgen.loads(f"{HEAD}{text}\n").derive(f"posterior(p, {z}, given=x)")
    assert d.evidence.kind == "checked"
    assert d.result.family == family
    x = rng.normal(size=(4, 2)) if "d]" in text else rng.normal(size=4)
    got = d.result.evaluate("parameters", x=x, **AT)
    mean, l, m0, P = x.mean(0), 2.0, AT["m0"], AT["P"]
    if pair in ("normal-gamma", "normal inverse gamma"):
        rate = 2 + ((x - mean) ** 2).sum() / 2 + l * 4 / (l + 4) * (mean - AT["m"]) ** 2 / 2
        want = {"m": (l * AT["m"] + x.sum()) / (l + 4), "l": l + 4, "a": 3 + 2, "b": rate}
    elif pair in ("normal-Wishart", "normal inverse Wishart"):
        scatter = (x - mean).T @ (x - mean) + l * 4 / (l + 4) * np.outer(mean - m0, mean - m0)
        want = {"m": (l * m0 + x.sum(0)) / (l + 4), "l": l + 4, "nu": 9}
        want |= {"V": np.linalg.inv(np.linalg.inv(P) + scatter)} if "inverse" not in pair else {"Psi": P + scatter}
    elif pair == "mean":
        S = np.linalg.inv(np.linalg.inv(P) + 4 * np.linalg.inv(AT["Q"]))
        want = {"mu": S @ (np.linalg.solve(P, m0) + np.linalg.solve(AT["Q"], x.sum(0))), "Sigma": S}
    elif pair == "direction":
        pull = AT["s"] * m0 + AT["t"] * x.sum(0)
        want = {"mu": pull / np.linalg.norm(pull), "kappa": np.linalg.norm(pull)}
    else:
        scatter = (x - m0).T @ (x - m0)
        want = {"nu": 9} | ({"V": np.linalg.inv(np.linalg.inv(P) + scatter)} if pair == "precision" else {"Psi": P + scatter})
    for name, value in want.items():
        assert np.allclose(got[name], value), name


def test_several_variables_given_what_hangs_on_them():
    model = symgen.loads(
        "param s: positive, u: real, t: positive, w: simplex[2], P: simplex[2, 3], M: real[2, 3]\n"
        "dist p(a) = Normal(0, 1)\ndist p(b) = Normal(1, 2)\ndist p(c | a, b) = Normal(a - b, s)\n"
        "dist p(d | c) = Normal(3*c, 1)\ndist q(a) = Normal(u, t)\ndist q(b | a) = Normal(a, t)\n"
        "dist l(i) = Categorical(w)\ndist l(j | i) = Categorical(P[i])\ndist l(y | i, j) = Normal(M[i, j], s)\n"
    )
    before, gain = np.diag([1.0, 4]), np.array([3.0, -3])
    seen = gain @ before @ gain + 9 * 0.25 + 1
    mean = np.array([0, 1]) + before @ gain * (0.7 + 3) / seen
    after = before - np.outer(before @ gain, before @ gain) / seen
    of_q, shift = 0.64 * np.array([[1, 1], [1, 2]]), mean - 0.3
    inside = np.linalg.inv(after)
    kl = (np.trace(inside @ of_q) + shift @ inside @ shift - 2 + np.log(np.linalg.det(after) / np.linalg.det(of_q))) / 2
    at = {"s": 0.5, "d": 0.7}
    for goal, want, more in [
        ("E[a, b ~ p(a, b | d)](a*b)", after[0, 1] + mean.prod(), {}),
        ("entropy(p(a, b | d))", np.linalg.slogdet(2 * np.pi * np.e * after)[1] / 2, {}),
        ("KL(q(a, b) || p(a, b | d))", kl, {"u": 0.3, "t": 0.8}),
    ]:
        d = model.derive(goal)
        assert d.evidence.kind == "checked" and np.isclose(d.evaluate(**at, **more), want)
    w, P, M = np.array([0.3, 0.7]), np.array([[0.2, 0.3, 0.5], [0.1, 0.6, 0.3]]), np.array([[0.0, 1, 2], [-1, 0.5, 0.3]])
    joint = w[:, None] * P * np.exp(-((0.4 - M) ** 2) / 0.5)
    want = (joint * np.outer(np.arange(2), np.arange(3))).sum() / joint.sum()
    assert np.isclose(model.derive("E[i, j ~ l(i, j | y)](i*j)").evaluate(w=w, P=P, M=M, s=0.5, y=0.4), want)
