"""Hidden Markov chains of any length against sums over all their paths; the updates of Baum and Welch never lower the evidence.

Rabiner (1989), III; Bishop (2006), 13.2.
"""

from itertools import product

import numpy as np
import pytest
from scipy import special, stats

import symgen

rng = np.random.default_rng(12)
K, T = 3, 5
CHAIN = """
dim T, k
param w: simplex[k], A: simplex[k, k], g: simplex[k], B: simplex[T, k, k]
dist p(z[0]) = Categorical(w)
dist p(z[t: 1..T-1] | z[t - 1]) = Categorical(A[z[t - 1]])
dist q(z[0]) = Categorical(g)
dist q(z[t: 1..T-1] | z[t - 1]) = Categorical(B[t, z[t - 1]])
let Q = E[z ~ q](log p(x, z))
"""
START = {"w": rng.dirichlet(np.ones(K)), "A": rng.dirichlet(np.ones(K), K)}
# what is seen: declarations and law, data, parameters, the log-density of one observation in each state
EMISSIONS = {
    "normals": ("data x: real[T]\nparam mu: real[k], s: positive[k]\ndist p(x[t] | z[t]) = Normal(mu[z[t]], s[z[t]])\n",
                rng.normal(size=T), {"mu": rng.normal(size=K), "s": rng.random(K) + 0.5},
                lambda x, mu, s: stats.norm.logpdf(x[:, None], mu, s)),
    "counts": ("data x: natural[T]\nparam lam: positive[k]\ndist p(x[t] | z[t]) = Poisson(lam[z[t]])\n",
               np.array([0.0, 3, 1, 7, 2]), {"lam": np.array([0.7, 2.5, 6.0])},
               lambda x, lam: stats.poisson.logpmf(x[:, None], lam)),
    "letters": ("dim v = 4\ndata x: label(v)[T]\nparam th: simplex[k, v]\ndist p(x[t] | z[t]) = Categorical(th[z[t]])\n",
                np.array([0.0, 2, 1, 3, 2]), {"th": rng.dirichlet(np.ones(4), K)},
                lambda x, th: np.log(th[:, x.astype(int)]).T),
    "vectors": ("dim d\ndata x: real[T, d]\nparam mu: real[k, d], S: spd[k, d, d]\n"
                "dist p(x[t] | z[t]) = MvNormal(mu[z[t]], S[z[t]])\n",
                rng.normal(size=(T, 2)),
                {"mu": rng.normal(size=(K, 2)), "S": np.stack([np.eye(2), [[2, 0.5], [0.5, 1]], 2 * np.eye(2)])},
                lambda x, mu, S: np.stack([stats.multivariate_normal.logpdf(x, m, C) for m, C in zip(mu, S, strict=True)], 1)),
}  # fmt: skip
PATHS = np.array(list(product(range(K), repeat=T)))


def of_paths(start, moves, seen):
    """The log joint density of every path."""

    def log(a):
        return np.log(np.maximum(a, 1e-300))

    steps = log(moves)[PATHS[:, :-1], PATHS[:, 1:]].sum(1)
    return log(start)[PATHS[:, 0]] + steps + seen[np.arange(T), PATHS].sum(1)


@pytest.fixture(scope="module")
def models():
    return {name: symgen.loads(CHAIN + text) for name, (text, *_) in EMISSIONS.items()}


@pytest.mark.parametrize("name", EMISSIONS)
def test_states_and_evidence_are_sums_over_all_paths(models, name):
    _, x, own, density = EMISSIONS[name]
    at = START | own | {"x": x}
    logs = of_paths(START["w"], START["A"], density(x, **own))
    p = np.exp(logs - special.logsumexp(logs))
    evidence = models[name].derive("log p(x)")
    assert evidence.evidence.kind == "checked"
    assert np.isclose(evidence.evaluate(**at), special.logsumexp(logs), rtol=1e-12)
    posterior = models[name].derive("posterior(p, z, given=x)")
    assert posterior.evidence.kind == "checked"
    got = posterior.result.evaluate("parameters", **at)
    one = np.eye(K)[PATHS]
    assert np.allclose(got["marginals"], np.einsum("n,ntk->tk", p, one), rtol=1e-11)
    assert np.allclose(got["pairs"], np.einsum("n,nti,ntj->tij", p, one[:, :-1], one[:, 1:]), rtol=1e-11)
    assert np.allclose(got["p0"], got["marginals"][0]) and np.allclose(got["P"].sum(-1), 1)
    assert np.allclose(got["P"], got["pairs"] / got["marginals"][:-1, :, None])
    assert np.array_equal(got["most_likely"], PATHS[np.argmax(logs)])
    first = of_paths(START["w"], START["A"], np.where(np.arange(T)[:, None] < 3, density(x, **own), 0))
    some = np.exp(first - special.logsumexp(first))
    assert np.allclose(got["filtered"][2], np.einsum("n,nk->k", some, one[:, 2]), rtol=1e-11)


def test_states_that_cannot_follow_have_no_mass(models):
    _, x, own, density = EMISSIONS["normals"]
    moves, start = np.array([[0.5, 0.5, 0], [0, 0.3, 0.7], [0, 0, 1]]), np.array([1.0, 0, 0])
    at = own | {"x": x, "w": start, "A": moves}
    logs = of_paths(start, moves, density(x, **own))
    assert np.isclose(models["normals"].derive("log p(x)").evaluate(**at), special.logsumexp(logs))
    got = models["normals"].derive("posterior(p, z, given=x)").result.evaluate("parameters", **at)
    assert np.all(got["pairs"][:, moves == 0] == 0) and np.allclose(got["marginals"].sum(-1), 1)


def test_states_that_cannot_be_reached_leave_the_gradients_of_others_as_they_are(models):
    _, x, own, density = EMISSIONS["normals"]
    moves, start = np.array([[0.5, 0.5, 0], [0, 0.3, 0.7], [0, 0, 1]]), np.array([1.0, 0, 0])
    found = models["normals"].derive("grad(log p(x), mu)").evaluate(w=start, A=moves, **own, x=x)
    ends = [[special.logsumexp(of_paths(start, moves, density(x, own["mu"] + e * h, own["s"]))) for h in (1e-5, -1e-5)]
            for e in np.eye(K)]  # fmt: skip
    assert np.allclose(found, [(a - b) / 2e-5 for a, b in ends], rtol=1e-6)


FORWARDS = """
dim T, k
param a: unit[k], mu: real[k], s: positive
data x: real[T]
let A[i: k, j: k] = where(i == j, a[i], where(j == i + 1, 1 - a[i], 0)) + where(i == k - 1, where(j == k - 1, 1 - a[i], 0), 0)
dist p(z[0]) = Categorical(eye(k)[0])
dist p(z[t: 1..T-1] | z[t - 1]) = Categorical(A[z[t - 1]])
dist p(x[t] | z[t]) = Normal(mu[z[t]], s)
loss L = log p(x)
"""


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_a_chain_that_only_moves_forwards_has_gradients_everywhere(target):
    library = pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    as_array = library.as_tensor if target == "torch" else np.asarray
    at = {"a": np.array([0.4, 0.7, 0.3]), "mu": np.array([-0.5, 0.2, 1.1]), "s": np.array(1.2)}
    model, x = symgen.loads(FORWARDS), EMISSIONS["normals"][1]
    value = model.derive("log p(x)")
    _, slopes = model.compile(target=target).L_value_and_grad({n: as_array(v) for n, v in at.items()}, {"x": as_array(x)})
    for name, v in at.items():
        for i in np.ndindex(v.shape):
            step = np.zeros_like(v)
            step[i] = 1e-6
            ends = [float(value.evaluate(**at | {name: v + sign * step}, x=x)) for sign in (1, -1)]
            assert np.isclose(np.asarray(slopes[name])[i], (ends[0] - ends[1]) / 2e-6, atol=1e-6)


def test_the_gradient_of_the_evidence_is_that_of_differences(models):
    _, x, own, density = EMISSIONS["normals"]
    found = models["normals"].derive("grad(log p(x), mu)").evaluate(**START, **own, x=x)

    def evidence(mu):
        return special.logsumexp(of_paths(START["w"], START["A"], density(x, mu, own["s"])))

    ends = [(evidence(own["mu"] + e), evidence(own["mu"] - e)) for e in 1e-5 * np.eye(K)]
    assert np.allclose(found, [(a - b) / 2e-5 for a, b in ends], rtol=1e-7)


@pytest.mark.parametrize(("name", "updates"), [
    ("normals", "w A mu s"), pytest.param("counts", "w A lam", marks=pytest.mark.slow), ("letters", "w A th"),
    pytest.param("vectors", "w A mu S", marks=pytest.mark.slow),
])  # fmt: skip
def test_expectation_and_maximisation_never_lower_the_evidence(models, name, updates):
    _, x, own, density = EMISSIONS[name]
    at, seen = START | own | {"x": x}, []
    posterior = models[name].derive("posterior(p, z, given=x)").result
    steps = {u: models[name].derive(f"argmax(Q, {u})") for u in updates.split()}
    for _ in range(3 if name == "vectors" else 5):
        logs = of_paths(at["w"], at["A"], density(x, **{n: at[n] for n in own}))
        seen.append(special.logsumexp(logs))
        got = posterior.evaluate("parameters", **at)
        at |= {"g": got["p0"], "B": np.concatenate([got["P"][:1], got["P"]])}
        for u, step in steps.items():
            at[u] = step.evaluate(**{n: a for n, a in at.items() if n != u})
            if u == "A":  # the textbook: pairs over states
                assert np.allclose(at["A"], got["pairs"].sum(0) / got["pairs"].sum((0, 2))[:, None])
    assert np.all(np.diff(seen) > -1e-9) and seen[1] > seen[0] + 1e-3


def test_the_bound_of_a_chain_is_tight_at_the_posterior(models):
    _, x, own, density = EMISSIONS["counts"]
    at = START | own | {"x": x}
    got = models["counts"].derive("posterior(p, z, given=x)").result.evaluate("parameters", **at)
    chain = {"g": got["p0"], "B": np.concatenate([got["P"][:1], got["P"]])}
    evidence = special.logsumexp(of_paths(START["w"], START["A"], density(x, **own)))
    bound = models["counts"].derive("elbo(q, p)")
    assert np.isclose(bound.evaluate(**at, **chain), evidence, rtol=1e-12)
    other = {"g": START["w"], "B": np.repeat(START["A"][None], T, 0)}
    assert bound.evaluate(**at, **other) < evidence - 0.1


def test_a_chain_of_coins_is_one_of_two_states():
    model = symgen.loads(
        "dim T\nparam a: unit, b: unit, c: unit, m: real\ndata x: real[T]\ndist p(z[0]) = Bernoulli(a)\n"
        "dist p(z[t: 1..T-1] | z[t - 1]) = Bernoulli(b*z[t - 1] + c*(1 - z[t - 1]))\ndist p(x[t] | z[t]) = Normal(m*z[t], 1)\n"
    )
    x, moves = rng.normal(size=4), np.array([[0.8, 0.2], [0.4, 0.6]])
    paths = np.array(list(product(range(2), repeat=4)))
    logs = (np.log([0.7, 0.3])[paths[:, 0]] + np.log(moves)[paths[:, :-1], paths[:, 1:]].sum(1)
            + stats.norm.logpdf(x, 1.4 * paths).sum(1))  # fmt: skip
    got = model.derive("log p(x)").evaluate(a=0.3, b=0.6, c=0.2, m=1.4, x=x)
    assert np.isclose(got, special.logsumexp(logs), rtol=1e-12)


@pytest.mark.slow
def test_code_in_three_languages_agrees(models):
    text, x, own, density = EMISSIONS["normals"]
    model = symgen.loads(CHAIN + text + "loss L = -log p(x)\n")
    want = -special.logsumexp(of_paths(START["w"], START["A"], density(x, **own)))
    for target in ("numpy", "torch", "jax"):
        pytest.importorskip(target)
        value, slopes = model.compile(target=target).L_value_and_grad(START | own, {"x": x})
        assert np.isclose(float(value), want, rtol=1e-5 if target == "jax" else 1e-12)
        assert np.all(np.isfinite(np.asarray(slopes["A"])))


# what is seen hangs on the state after, on two states, or on what was seen before
BETWEEN = {
    "seen after the first move": ("data x: real[T-1]\ndist p(x[t: T-1] | z[t + 1]) = Normal(mu[z[t + 1]], s)\n",
                                  lambda x, z, mu, a: stats.norm.logpdf(x[:-1], mu[z[1:]], 0.7).sum()),
    "seen of two states": ("data x: real[T-1]\ndist p(x[t: T-1] | z[t]) = Normal(mu[z[t]] + a[z[t + 1]], s)\n",
                           lambda x, z, mu, a: stats.norm.logpdf(x[:-1], mu[z[:-1]] + a[z[1:]], 0.7).sum()),
    "seen as a walk": ("data x: real[T]\ndist p(x[0]) = Normal(0, 1)\n"
                       "dist p(x[t: 1..T-1] | x[t - 1], z[t]) = Normal(a[z[t]]*x[t - 1] + mu[z[t]], s)\n",
                       lambda x, z, mu, a: stats.norm.logpdf(x[0])
                       + stats.norm.logpdf(x[1:], a[z[1:]] * x[:-1] + mu[z[1:]], 0.7).sum()),
}  # fmt: skip


@pytest.mark.parametrize("name", BETWEEN)
def test_what_is_seen_may_stand_between_states(name):
    text, density = BETWEEN[name]
    model = symgen.loads(CHAIN + "param mu: real[k], a: real[k], s: positive\n" + text)
    mu, a, x = rng.normal(size=K), rng.normal(size=K), rng.normal(size=T)
    logs = of_paths(START["w"], START["A"], np.zeros((T, K))) + [density(x, z, mu, a) for z in PATHS]
    at = START | {"mu": mu, "a": a, "s": 0.7, "x": x if "walk" in name else x[:-1]}
    evidence = model.derive("log p(x)")
    assert evidence.evidence.kind == "checked" and np.isclose(evidence.evaluate(**at), special.logsumexp(logs), rtol=1e-11)
    got = model.derive("posterior(p, z, given=x)").result.evaluate("parameters", **at)
    p = np.exp(logs - special.logsumexp(logs))
    assert np.allclose(got["marginals"], np.einsum("n,ntk->tk", p, np.eye(K)[PATHS]), rtol=1e-10)


def test_an_index_takes_its_range_from_what_is_drawn_given_the_entry():
    """dist p(z[i]) with dist p(x[i] | z[i]) and x: real[n]: there are n of them."""
    head = "dim K\nparam w: simplex[K], mu: real[K]\ndim n\ndata x: real[n]\n"
    open_range = symgen.loads(head + "dist p(z[i]) = Categorical(w)\ndist p(x[i] | z[i]) = Normal(mu[z[i]], 1)")
    said = symgen.loads(head + "dist p(z[i: n]) = Categorical(w)\ndist p(x[i] | z[i]) = Normal(mu[z[i]], 1)")
    at = {"w": [0.3, 0.7], "mu": [-1.0, 2.0], "x": [0.1, 2.2, -0.7]}
    assert open_range.derive("log p(x)").evaluate(**at) == pytest.approx(said.derive("log p(x)").evaluate(**at), rel=1e-14)
    want = sum(np.log(sum(w * stats.norm(m).pdf(x) for w, m in zip(at["w"], at["mu"], strict=True))) for x in at["x"])
    assert open_range.derive("log p(x)").evaluate(**at) == pytest.approx(want, rel=1e-12)


def test_what_a_law_speaks_of_is_given_said_or_not():
    """dist p(z[t] | z[t-1]) = Categorical(A[z[t-1]]) with a random A means the same as with A listed: its logarithm is averaged."""
    spec = """dim T, K
param w: simplex[K], a: positive[K, K], c: positive[K, K], lam: positive[K], R: real[T, K]
data x: natural[T]
dist p(A) = Dirichlet(a)
dist p(z[0]) = Categorical(w)
dist p(z[t: 1..T-1] | z[t-1]GIVEN) = Categorical(A[z[t-1]])
dist p(x[t] | z[t]) = Poisson(lam[z[t]])
dist q(A) = Dirichlet(c)
dist q(z[t: T]) = Categorical(softmax(R[t]))
"""
    said, unsaid = (symgen.loads(spec.replace("GIVEN", g)).derive("elbo(q, p)") for g in (", A", ""))
    assert said.text_result == unsaid.text_result and "log(A)" not in unsaid.text_result
