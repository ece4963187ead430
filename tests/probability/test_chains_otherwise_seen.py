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
