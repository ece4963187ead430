"""Variational inference and EM: the gap of the bound, mean-field updates, E and M steps, hidden Markov models."""

import math
from fractions import Fraction

import numpy as np
import pytest
from laws import parameters
from scipy import stats

import symgen
from symgen.probability.families.distributions import ROWS
from symgen.probability.families.texts import scalar_text
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import num, tensor

rng = np.random.default_rng(5)
ENCODER = """
param t: positive, m: real, c: positive
dist p(z) = Normal(0, 1)
dist p(x | z) = Normal(z, t)
dist q(z | x) = Normal(m*x, c)
"""


@pytest.fixture(scope="module")
def encoder():
    return symgen.loads(ENCODER)


def test_the_gap_of_the_bound_is_the_divergence_to_the_posterior(encoder):
    d = encoder.derive("simplify(log p(x) - elbo(q, p) - KL(q(z | x) || p(z | x)))")
    assert d.result == 0
    assert d.evidence.kind == "checked"


@pytest.mark.parametrize("goal, want", [
    ("E[z ~ p(z | x)](z)", lambda x, t: x / (1 + t**2)),
    ("Var[z ~ p(z | x)](z)", lambda x, t: t**2 / (1 + t**2)),
    ("entropy(p(x))", lambda x, t: stats.norm(0, math.sqrt(1 + t**2)).entropy()),
    ("entropy(p(z | x))", lambda x, t: stats.norm(0, t / math.sqrt(1 + t**2)).entropy()),
    ("fisher(p(x), t)", lambda x, t: 2 * t**2 / (1 + t**2) ** 2),
    ("KL(p(x) || p(z))", lambda x, t: t**2 / 2 - math.log(1 + t**2) / 2),
])  # fmt: skip
def test_marginals_and_posteriors_stand_inside_operators(encoder, goal, want):
    assert math.isclose(encoder.derive(goal).evaluate(x=0.7, t=1.3, m=0.2, c=0.9), want(0.7, 1.3), rel_tol=1e-9)


def test_bounds_on_mutual_information_and_divergence():
    model = symgen.loads(ENCODER + """
density P(y), Q(y)
function T(y): real
claim barber_agakov: mutual_information(p, x, z) >= E[z ~ p, x ~ p](log q(z | x)) + entropy(p(z))
claim evidence: log p(x) >= E[z ~ q(z | x)](log p(x, z) - log q(z | x))
claim donsker_varadhan: KL(P || Q) >= E[y ~ P](T(y)) - log(E[y ~ Q](exp(T(y))))
claim nwj: KL(P || Q) >= E[y ~ P](T(y)) - E[y ~ Q](exp(T(y) - 1))
claim turned: KL(P || Q) <= E[y ~ P](T(y)) - log(E[y ~ Q](exp(T(y))))
""")  # fmt: skip
    statuses = [v.status for v in model.verify()]
    assert all(s in ("proved", "checked") for s in statuses[:-1])
    assert statuses[-1] == "refuted"


MEAN_FIELD = """
dim n
param m0: real, l0: positive, a0: positive, b0: positive, m: real, l: positive, a: positive, b: positive
data x: real[n]
dist p(mu, tau) = NormalGamma(m0, l0, a0, b0)
dist p(x | mu, tau) = Normal(mu, 1/sqrt(tau))
dist qt(tau) = Gamma(a, b)
dist qm(mu) = Normal(m, 1/sqrt(l))
dist best_mu(mu) = exp(E[tau ~ qt](log p(x, mu, tau)))/Z
dist best_tau(tau: positive) = exp(E[mu ~ qm](log p(x, mu, tau)))/Z2
dist q(tau) = Gamma(a, b)
dist q(mu) = Normal(m, 1/sqrt(l))
"""
AT = {"m0": 0.3, "l0": 1.7, "a0": 2.3, "b0": 1.4, "m": 0.6, "l": 2.1, "a": 3.2, "b": 1.9}


def test_mean_field_updates_are_those_of_the_book():
    """Bishop (2006), 10.26 to 10.30."""
    model = symgen.loads(MEAN_FIELD)
    x = rng.normal(size=5)
    s = AT
    mean = (s["l0"] * s["m0"] + x.sum()) / (s["l0"] + 5)
    value = lambda goal: model.derive(goal).evaluate(x=x, **AT)  # noqa: E731
    assert math.isclose(value("E[mu ~ best_mu](mu)"), mean)
    assert math.isclose(value("Var[mu ~ best_mu](mu)"), s["b"] / (s["a"] * (s["l0"] + 5)))
    rate = s["b0"] + (((x - s["m"]) ** 2).sum() + 5 / s["l"] + s["l0"] * ((s["m"] - s["m0"]) ** 2 + 1 / s["l"])) / 2
    assert math.isclose(value("E[tau ~ best_tau](tau)"), (s["a0"] + 3) / rate)
    assert math.isclose(value("argmax(elbo(q, p), m)"), mean)  # the same by coordinate ascent on the bound
    assert math.isclose(value("argmax(elbo(q, p), l)"), (s["l0"] + 5) * s["a"] / s["b"])


MIXTURE = """
dim n, d, k
data X: real[n, d], N: natural[n], R: simplex[n, k]
param pi: simplex[k], mu: real[k, d], t: positive, s: positive[k], lam: positive[k]
dist g(c: label(k)[n]) = Categorical(pi)
dist g(x: real[n, d] | c) = Normal(mu[c], t)
dist h(e: label(k)[n]) = Categorical(pi)
dist h(o: natural[n] | e) = Poisson(lam[e])
dist q(c: label(k)[n]) = Categorical(R)
dist r(e: label(k)[n]) = Categorical(R)
let Q = E[c ~ q](log g(X, c))
let P = E[e ~ r](log h(N, e))
"""


def test_expectation_and_maximisation_of_mixtures():
    model = symgen.loads(MIXTURE)
    X, N, R = rng.normal(size=(5, 2)), np.array([3, 0, 4, 1, 2]), rng.dirichlet(np.ones(3), 5)
    at = {"X": X, "N": N, "R": R, "pi": np.array([0.2, 0.5, 0.3]), "mu": rng.normal(size=(3, 2)), "t": 0.8,
          "lam": np.array([0.6, 2.4, 1.1]), "s": np.array([1.2, 0.7, 0.9])}  # fmt: skip
    squares = ((X[:, None] - at["mu"]) ** 2).sum(-1)
    weights = at["pi"] * np.exp(-squares / (2 * at["t"] ** 2))
    got = model.derive("posterior(g, c, given=x)").result.evaluate("parameters", x=X, **at)["p"]
    assert np.allclose(got, weights / weights.sum(1, keepdims=True))
    assert np.allclose(model.derive("argmax(Q, pi)").evaluate(**at), R.mean(0))
    assert np.allclose(model.derive("argmax(Q, mu)").evaluate(**at), R.T @ X / R.sum(0)[:, None])
    assert math.isclose(model.derive("argmax(Q, t)").evaluate(**at), math.sqrt((R * squares).sum() / 10))
    assert np.allclose(model.derive("argmax(P, lam)").evaluate(**at), R.T @ N / R.sum(0))


HMM = """
dim k
param pi: simplex[k], A: simplex[k, k], mu: real[k], s: positive
dist p(z1) = Categorical(pi)
dist p(x1 | z1) = Normal(mu[z1], s)
dist p(z2 | z1) = Categorical(A[z1])
dist p(x2 | z2) = Normal(mu[z2], s)
dist p(z3 | z2) = Categorical(A[z2])
dist p(x3 | z3) = Normal(mu[z3], s)
"""


def test_forwards_and_backwards_through_a_hidden_chain():
    model = symgen.loads(HMM)
    pi, A = np.array([0.3, 0.7]), np.array([[0.8, 0.2], [0.4, 0.6]])
    mu, x = np.array([-0.6, 1.1]), [0.4, -0.2, 1.3]
    like = [stats.norm.pdf(v, mu, 0.9) for v in x]
    at = {"pi": pi, "A": A, "mu": mu, "s": 0.9, "x1": x[0], "x2": x[1], "x3": x[2]}
    alpha = ((pi * like[0]) @ A) * like[1]
    beta = A @ like[2]
    value = lambda goal: model.derive(goal).result.evaluate("parameters", **at)["p"]  # noqa: E731
    assert np.allclose(value("posterior(p, z2, given=[x1, x2])"), alpha / alpha.sum())
    assert np.allclose(value("posterior(p, z2, given=[x1, x2, x3])"), alpha * beta / (alpha * beta).sum())
    ahead = (alpha / alpha.sum()) @ A
    assert np.allclose(value("posterior(p, z3, given=[x1, x2])"), ahead)
    whole = model.derive("log p(x1, x2, x3)")
    assert whole.evidence.kind == "checked"
    assert math.isclose(whole.evaluate(**at), math.log(alpha @ beta))


def test_moment_matching_a_mixture():
    """Assumed-density filtering: the normal with the mean and variance of a mixture."""
    model = symgen.loads(
        "dim k\nparam w: simplex[k], mu: real[k], s: positive[k]\ndist p(c) = Categorical(w)\n"
        "dist p(g | c) = Normal(mu[c], s[c])\ndist q(g) = Normal(0, 1)\ndist h(v) = Gamma(1, 1)\ndist f(v) = LogNormal(0, 1/2)\n"
    )
    w, mu, s = np.array([0.3, 0.7]), np.array([-0.6, 1.1]), np.array([0.8, 0.5])
    got = model.derive("moment_match(q, p(g))").result.evaluate("parameters", w=w, mu=mu, s=s)
    assert math.isclose(got["mu"], w @ mu)
    assert math.isclose(got["sigma"], math.sqrt(w @ (mu**2 + s**2) - (w @ mu) ** 2))
    gamma = model.derive("moment_match(h, f)").result.evaluate("parameters")
    mean, variance = math.exp(1 / 8), (math.exp(1 / 4) - 1) * math.exp(1 / 4)
    assert math.isclose(gamma["a"], mean**2 / variance)
    assert math.isclose(gamma["r"], mean / variance)


def test_natural_gradient_is_the_gradient_in_the_metric_of_fisher():
    model = symgen.loads("param m: real, s: positive\ndist q(x) = Normal(m, s)\nlet L = KL(q || Normal(0, 1))\n")
    got = model.derive("inv(fisher(q, [m, s])) @ stack(grad(L, m), grad(L, s))").evaluate(m=0.6, s=1.3)
    assert np.allclose(got, [0.6 * 1.3**2, (1.3 - 1 / 1.3) * 1.3**2 / 2])


@pytest.mark.parametrize("row", [r for r in ROWS if r.moments and r.is_univariate], ids=lambda r: r.name)
def test_parameters_come_back_from_the_moments(row):
    at = parameters(row, np.random.default_rng(7))
    moments = {n: scalar_text(row.known[n], {k: num(v) for k, v in numbers(at).items()}) for n in ("mean", "variance")
               if any(n in text for text in row.moments.values())}  # fmt: skip
    for name, text in row.moments.items():
        got = float(evaluate([tensor((), scalar_text(text, moments))], Point({}))[0])
        assert math.isclose(got, at[name], rel_tol=1e-9), name


def numbers(at):
    return {k: Fraction(v) for k, v in at.items()}


CHAIN = """
dim d
param s: positive, a: positive, b: positive, S: spd[d, d], T: spd[d, d], R: real[d, d], rho: real, w: simplex[3], B: simplex[3, 3]
assume -1 < rho, rho < 1
dist j(h) = Normal(0, s)
dist j(x | h) = Normal(h, a)
dist j(y | x) = Normal(x, b)
dist j(u) = Normal(0, 1)
dist v(k: real[d]) = MvNormal(zeros(d), S)
dist v(l: real[d] | k) = MvNormal(R @ k, T)
dist c(e) = Categorical(w)
dist c(f | e) = Categorical(B[e])
dist t(p, q) = BivariateNormal(a, b, rho)
"""


def test_mutual_information_through_a_chain():
    at = {"s": 1.4, "a": 0.6, "b": 0.9, "rho": 0.4, "w": np.array([0.2, 0.5, 0.3]), "B": rng.dirichlet(np.ones(3), 3)}
    root = rng.normal(size=(2, 2))
    at |= {"S": root @ root.T + np.eye(2), "T": np.diag([0.7, 1.3]), "R": rng.normal(size=(2, 2))}
    joint = at["w"][:, None] * at["B"]
    wants = {
        "mutual_information(j, h, x)": math.log(1 + 1.4**2 / 0.6**2) / 2,
        "mutual_information(j, h, y)": math.log(1 + 1.4**2 / (0.6**2 + 0.9**2)) / 2,
        "mutual_information(j, y, h)": math.log(1 + 1.4**2 / (0.6**2 + 0.9**2)) / 2,
        "mutual_information(j, u, h)": 0.0,
        "mutual_information(v, k, l)": (np.linalg.slogdet(at["R"] @ at["S"] @ at["R"].T + at["T"])[1]
                                        - np.linalg.slogdet(at["T"])[1]) / 2,
        "mutual_information(c, e, f)": (joint * np.log(joint / np.outer(at["w"], joint.sum(0)))).sum(),
        "mutual_information(t, p, q)": -math.log(1 - 0.4**2) / 2,
    }  # fmt: skip
    model = symgen.loads(CHAIN)
    for goal, want in wants.items():
        d = model.derive(goal)
        assert d.evidence.kind in ("checked", "proved"), goal
        assert math.isclose(float(d.evaluate(**at)), want, rel_tol=1e-9, abs_tol=1e-12), goal


PRINCIPAL = """
dim n, d, k
data X: real[n, d], E: real[n, k], V: spd[k, k]
param W: real[d, k], mu: real[d], s: positive
dist p(z: real[n, k]) = Normal(0, 1)
dist p(x: real[n, d] | z) = Normal(z @ W' + mu, s)
dist q(z: real[n, k]) = MvNormal(E, V)
let Q = E[z ~ q](log p(X, z))
"""


def test_expectation_and_maximisation_of_probabilistic_principal_components():
    """Bishop (2006), 12.54 to 12.57."""
    model = symgen.loads(PRINCIPAL)
    W, mu, s, X = rng.normal(size=(3, 2)), rng.normal(size=3), 0.8, rng.normal(size=(6, 3))
    M = W.T @ W / s**2 + np.eye(2)
    V = np.linalg.inv(M)
    E = (X - mu) @ W @ V / s**2
    at = {"W": W, "mu": mu, "s": s, "X": X, "E": E, "V": V}
    got = model.derive("posterior(p, z, given=x)").result.evaluate("parameters", x=X, **at)
    assert np.allclose(got["mu"], E)
    assert np.allclose(got["Sigma"], V)
    second = 6 * V + E.T @ E
    assert np.allclose(model.derive("argmax(Q, W)").evaluate(**at), (X - mu).T @ E @ np.linalg.inv(second))
    left = ((X - mu) ** 2).sum() - 2 * np.trace(W.T @ (X - mu).T @ E) + np.trace(second @ W.T @ W)
    best = model.derive("argmax(Q, s)")
    assert best.evidence.kind == "checked"
    assert math.isclose(float(best.evaluate(**at)), math.sqrt(left / 18))
    assert np.allclose(model.derive("argmax(Q, mu)").evaluate(**at), (X - E @ W.T).mean(0))


@pytest.mark.parametrize("decoder", ["Bernoulli(logits=z @ Wd)", "Normal(tanh(z @ Wd), 1)", "Poisson(exp(tanh(z @ Wd)))"])
def test_a_bound_in_which_a_mean_stays_is_checked_by_its_definition(decoder: str) -> None:
    space = "binary" if "Bernoulli" in decoder else "real" if "Normal" in decoder else "natural"
    model = symgen.loads(
        f"dim n, d, k\ndata X: {space}[n, d]\nparam We: real[d, k]\nparam Ve: real[d, k]\nparam Wd: real[k, d]\n"
        f"dist q(z | X) = Normal(X @ We, logvar=X @ Ve)\ndist p(z) = Normal(zeros(n, k), 1)\ndist p(X | z) = {decoder}\n"
    )
    d = model.derive("elbo(q, p)")
    assert d.evidence.kind == "checked"
    assert "elbo(q(z | X), p) = E[z ~ q](" in d.text() or "elbo(q, p) = E[z ~ q](" in d.text()


@pytest.mark.slow
def test_the_bottleneck_of_two_normals_opens_where_beta_is_large_enough() -> None:
    """Chechik, Globerson, Tishby & Weiss (2005), 3: a^2 = (beta rho^2 - 1)/(1 - rho^2), where beta rho^2 > 1."""
    model = symgen.loads(
        "const rho: unit\nconst beta: positive\nparam a: positive\nassume beta > 1\n"
        "dist p(x) = Normal(0, 1)\ndist p(y | x) = Normal(rho*x, sqrt(1 - rho^2))\ndist p(t | x) = Normal(a*x, 1)\n"
    )
    d = model.derive("argmin(mutual_information(p, x, t) - beta*mutual_information(p, t, y), a)")
    assert d.conditions == ["1 < beta*rho^2"]  # once, though two steps ask for it
    assert d.evaluate(rho=0.8, beta=2.5) == pytest.approx(math.sqrt((2.5 * 0.64 - 1) / 0.36), rel=1e-12)
