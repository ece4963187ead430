"""Hidden Markov chains seen at some times, through more that is hidden, or before what is asked: against sums over all paths."""

import re
from itertools import product

import numpy as np
import pytest
from scipy import special, stats

import symgen

rng = np.random.default_rng(31)
K, T, S, C = 3, 4, 2, 2
HEAD = (
    "dim T, k, c\nparam w: simplex[k], A: simplex[k, k], mu: real[k], s: positive, B: simplex[k, c], m: real[k, c]\n"
    "dist p(z[0]) = Categorical(w)\n"
)
STEP = "dist p(z[t: 1..T-1] | z[t - 1]) = Categorical(A[z[t - 1]])\n"
SEEN = "data x: real[T]\ndist p(x[t] | z[t]) = Normal(mu[z[t]], s)\n"
AT = {"w": rng.dirichlet(np.ones(K)), "A": rng.dirichlet(np.ones(K), K), "mu": rng.normal(size=K), "s": 0.8,
      "B": rng.dirichlet(np.ones(C), K), "m": rng.normal(size=(K, C))}  # fmt: skip
x = rng.normal(size=T)
PATHS = np.array(list(product(range(K), repeat=T)))
PRIOR = np.log(AT["w"])[PATHS[:, 0]] + np.log(AT["A"])[PATHS[:, :-1], PATHS[:, 1:]].sum(1)
OF_STATE = stats.norm.logpdf(x[:, None], AT["mu"], 0.8)  # of each datum in each state
MIXED = special.logsumexp(stats.norm.logpdf(x[:, None, None], AT["m"], 0.8) + np.log(AT["B"]), axis=2)
which = np.array([2, 0, 2])


def of_states(table, times):
    return table[np.arange(len(times)), PATHS[:, times]].sum(1)


# the spec, what is given, the log-density of what is seen on every path
CASES = {
    "no range": (HEAD + STEP.replace("t: 1..T-1", "t", 1) + SEEN, {"x": x}, of_states(OF_STATE, range(T))),
    "as many as are said": (HEAD + STEP.replace("t: 1..T-1", "t: T", 1) + SEEN, {"x": x}, of_states(OF_STATE, range(T))),
    "the first times alone": (
        HEAD + STEP + "dim S\ndata x: real[S]\ndist p(x[t] | z[t]) = Normal(mu[z[t]], s)\n", {"x": x[:S], "T": T},
        of_states(OF_STATE[:S], range(S))),
    "some times, one of them twice": (
        HEAD + STEP + "dim n\ndata o: label(T)[n], x: real[n]\ndist p(x[i] | z) = Normal(mu[z[o[i]]], s)\n",
        {"x": x[:3], "o": which.astype(float), "T": T}, of_states(OF_STATE[:3], which)),
    "mixtures": (
        HEAD + STEP + "data x: real[T]\ndist p(u[t: T] | z[t]) = Categorical(B[z[t]])\n"
        "dist p(x[t] | z[t], u[t]) = Normal(m[z[t], u[t]], s)\n", {"x": x}, of_states(MIXED, range(T))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_states_and_evidence_are_sums_over_all_paths(name):
    spec, given, seen = CASES[name]
    model = symgen.loads(spec)
    evidence = model.derive("log p(x)")
    assert evidence.evidence.kind == "checked"
    assert np.isclose(evidence.evaluate(**AT, **given), special.logsumexp(PRIOR + seen), rtol=1e-11)
    got = model.derive("posterior(p, z, given=x)").result.evaluate("parameters", **AT, **given)
    weights = special.softmax(PRIOR + seen)
    assert np.allclose(got["marginals"], np.einsum("n,ntk->tk", weights, np.eye(K)[PATHS]), rtol=1e-10)


def test_the_next_state_and_what_is_seen_of_it_are_predicted():
    model = symgen.loads(HEAD + STEP + SEEN + "dist p(u | z) = Categorical(A[z[T - 1]])\ndist p(y | u) = Normal(mu[u], s)\n")
    last = np.einsum("n,nk->k", special.softmax(PRIOR + of_states(OF_STATE, range(T))), np.eye(K)[PATHS[:, -1]])
    d = model.derive("posterior(p, u, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", "Categorical")
    assert np.allclose(d.result.evaluate("parameters", **AT, x=x)["p"], last @ AT["A"])
    want = np.log(last @ AT["A"] @ stats.norm.pdf(0.4, AT["mu"], 0.8))
    assert np.isclose(model.derive("log p(y | x)").evaluate(**AT, x=x, y=0.4), want)


def test_a_sequence_whose_length_nothing_says_asks_for_its_range():
    with pytest.raises(symgen.SpecError, match=re.escape("`z[t: 1..T-1]`")):
        symgen.loads(HEAD + STEP.replace("t: 1..T-1", "t", 1))


MANY = """
dim N, T, k
param w: simplex[k], A: simplex[k, k], mu: real[k], s: positive, g: simplex[N, k], G: simplex[N, T-1, k, k]
data x: real[N, T]
dist p(z[n, 0]) = Categorical(w)
dist p(z[n, t] | z[n, t - 1]) = Categorical(A[z[n, t - 1]])
dist p(x[n, t] | z[n, t]) = Normal(mu[z[n, t]], s)
dist q(z: label(k)[N, T]) = InhomogeneousMarkovChain(g, G)
let Q = E[z ~ q](log p(x, z))
"""


def test_several_sequences_of_one_law():
    """Their evidence adds up; the updates of Baum and Welch share what is expected of each. Rabiner (1989), V.B."""
    model, xs = symgen.loads(MANY), np.stack([x, rng.normal(size=T)])
    at = {n: AT[n] for n in ("w", "A", "mu", "s")} | {"x": xs}
    logs = [PRIOR + of_states(stats.norm.logpdf(row[:, None], AT["mu"], 0.8), range(T)) for row in xs]
    evidence, posterior = model.derive("log p(x)"), model.derive("posterior(p, z, given=x)")
    assert evidence.evidence.kind == posterior.evidence.kind == "checked"
    assert np.isclose(evidence.evaluate(**at), sum(map(special.logsumexp, logs)), rtol=1e-11)
    weights, one = np.stack([special.softmax(each) for each in logs]), np.eye(K)[PATHS]
    got = posterior.result.evaluate("parameters", **at)
    singles = np.einsum("sn,ntk->stk", weights, one)
    pairs = np.einsum("sn,nti,ntj->stij", weights, one[:, :-1], one[:, 1:])
    assert np.allclose(got["marginals"], singles) and np.allclose(got["pairs"], pairs)
    assert np.array_equal(got["most_likely"], PATHS[[each.argmax() for each in logs]])
    known = at | {"g": got["p0"], "G": got["P"]}
    want = {"w": singles[:, 0].mean(0), "A": pairs.sum((0, 1)) / pairs.sum((0, 1, 3))[:, None],
            "mu": np.einsum("stk,st->k", singles, xs) / singles.sum((0, 1))}  # fmt: skip
    for name, update in want.items():
        d = model.derive(f"argmax(Q, {name})")
        assert d.evidence.kind == "checked"
        assert np.allclose(d.evaluate(**{n: v for n, v in known.items() if n != name}), update, rtol=1e-9)


def test_chains_with_laws_of_their_own_and_many_walks_are_refused_with_a_way_out():
    with pytest.raises(symgen.SpecError, match="have one law"):
        symgen.loads(MANY.replace("A[z[n, t - 1]]", "A[n]"))
    walks = symgen.loads(
        "dim N, T, d\nparam Q: spd[d, d]\ndata x: real[N, T, d]\ndist p(z[n, 0]) = MvNormal(zeros(d), Q)\n"
        "dist p(z[n, t] | z[n, t - 1]) = MvNormal(z[n, t - 1], Q)\ndist p(x[n, t] | z[n, t]) = Normal(z[n, t], 3)\n"
    )
    with pytest.raises(symgen.CannotDerive, match="hold them all"):
        walks.derive("log p(x)")


STATES = """
dim T, k
param w: simplex[k], A: simplex[k, k], B: simplex[k, k], mu: real[k], nu: real[k], s: positive, v: unit
dist p(z[0]) = Categorical(w)
dist p(z[t: 1..T-1] | z[t - 1]) = Categorical(A[z[t - 1]])
"""
VALUES = {"w": np.array([0.3, 0.7]), "A": np.array([[0.8, 0.2], [0.4, 0.6]]), "B": np.array([[0.1, 0.9], [0.5, 0.5]]),
          "mu": np.array([-0.6, 1.1]), "nu": np.array([0.2, 2.3]), "s": 0.7, "v": 0.35}  # fmt: skip
LAST = np.array([0.4, 1.9, 0.1])
MADE = {  # the law of what is seen, and its density in each state
    "a mixture": ("real", "Mixture(v, Normal(mu[z[t]], s), Normal(nu[z[t]], s))",
                  lambda x: 0.35 * stats.norm.pdf(x, VALUES["mu"], 0.7) + 0.65 * stats.norm.pdf(x, VALUES["nu"], 0.7)),
    "a law cut off": ("positive", "Truncated(Normal(mu[z[t]], s), 0, inf)",
                      lambda x: stats.norm.pdf(x, VALUES["mu"], 0.7) / stats.norm.sf(0, VALUES["mu"], 0.7)),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_what_is_seen_of_a_state_is_mixed_or_cut_off(name):
    domain, law, density = MADE[name]
    model = symgen.loads(f"{STATES}data x: {domain}[T]\ndist p(x[t] | z[t]) = {law}\n")
    seen = np.array([density(x) for x in LAST])
    a = VALUES["w"] * seen[0]
    for row in seen[1:]:
        a = (a @ VALUES["A"]) * row
    d = model.derive("log p(x)")
    assert d.evidence.kind == "checked"
    assert np.isclose(d.evaluate(**VALUES, x=LAST), np.log(a.sum()), rtol=1e-10)
    chain = model.derive("posterior(p, z, given=x)")
    assert chain.evidence.kind == "checked"
    assert np.allclose(chain.result.evaluate("parameters", **VALUES, x=LAST)["marginals"][-1], a / a.sum())


MET = "dist p(x[t] | z[t], u[t]) = Normal(mu[z[t]] + nu[u[t]], s)\ndata x: real[T]\n"


def test_two_chains_that_meet_are_one_of_pairs():
    both = symgen.loads(STATES + STATES.split("real[k], s: positive, v: unit")[-1].replace("z[", "u[").replace("A", "B") + MET)
    with pytest.raises(symgen.CannotDerive, match="pairs of their labels"):
        both.derive("log p(x)")
    one = symgen.loads(
        STATES.split("dist")[0] + "data x: real[T]\nlet P = kron(A, B)\nlet m = vec(outer(nu, ones(k)) + outer(ones(k), mu))\n"
        "dist p(z[0]) = Categorical(kron(w, w))\ndist p(z[t: 1..T-1] | z[t - 1]) = Categorical(P[z[t - 1]])\n"
        "dist p(x[t] | z[t]) = Normal(m[z[t]], s)\n"
    )
    w, A, B = VALUES["w"], VALUES["A"], VALUES["B"]
    seen = stats.norm.pdf(LAST[:, None, None], VALUES["mu"][:, None] + VALUES["nu"], 0.7)
    a = np.outer(w, w) * seen[0]
    for row in seen[1:]:
        a = (A.T @ a @ B) * row
    assert np.isclose(one.derive("log p(x)").evaluate(**VALUES, x=LAST), np.log(a.sum()), rtol=1e-10)


@pytest.mark.parametrize(("laws", "ahead"), [
    ("dist p(y | z) = Normal(mu[z[T - 1]], s)\n", 0),
    ("dist p(u | z) = Categorical(A[z[T - 1]])\ndist p(y | u) = Normal(mu[u], s)\n", 1),
])  # fmt: skip
def test_what_is_seen_next_is_a_mixture_over_the_states(laws, ahead):
    model = symgen.loads(HEAD + STEP + SEEN + laws)
    last = np.einsum("n,nk->k", special.softmax(PRIOR + of_states(OF_STATE, range(T))), np.eye(K)[PATHS[:, -1]])
    d = model.derive("posterior(p, y, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", "mixture of Normal")
    found = d.result.evaluate("parameters", **AT, x=x)
    assert np.allclose(found["weights"], last @ np.linalg.matrix_power(AT["A"], ahead)) and np.allclose(found["mu"], AT["mu"])
    weights = last @ np.linalg.matrix_power(AT["A"], ahead)
    at = {n: AT[n] for n in ("w", "A", "mu")} | {"x": x, "s": 0.8}
    mean = model.derive("E[y ~ p(y | x)](y)")
    assert mean.evidence.kind == "checked" and np.isclose(mean.evaluate(**at), weights @ AT["mu"])
    spread = weights @ (AT["mu"] ** 2 + 0.64) - (weights @ AT["mu"]) ** 2
    assert np.isclose(model.derive("Var[y ~ p(y | x)](y)").evaluate(**at), spread)


def test_states_below_labels_that_are_hidden_too_are_refereed():
    laws = "data x: real[T]\ndist p(c[t] | z[t]) = Categorical(B[z[t]])\ndist p(x[t] | z[t], c[t]) = Normal(m[z[t], c[t]], s)\n"
    d = symgen.loads(HEAD + STEP + laws).derive("posterior(p, z, given=x)")
    assert d.evidence.kind == "checked"
    want = np.einsum("n,ntk->tk", special.softmax(PRIOR + of_states(MIXED, range(T))), np.eye(K)[PATHS])
    at = {n: AT[n] for n in "wABms"} | {"x": x}
    assert np.allclose(d.result.evaluate("parameters", **at)["marginals"], want)
