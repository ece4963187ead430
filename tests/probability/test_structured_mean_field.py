"""Mean field for models with structure: each update raises the bound, which is summed over all values of the labels.

Bishop (2006), 10.1; Blei, Ng & Jordan (2003), 5.2; Daudin, Picard & Robin (2008); MacKay (1997).
"""

from itertools import product

import numpy as np
import pytest
from scipy import special, stats

import symgen

rng = np.random.default_rng(21)
K, T, N = 2, 5, 4
START, MOVES, MU = np.array([0.3, 0.7]), np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([-0.6, 1.1])
X, Y = rng.normal(size=T), rng.integers(0, 2, (N, N)).astype(float)
LINKS = np.array([[0.8, 0.3], [0.1, 0.6]])


def chain(z):
    return np.log(START[z[0]]) + np.log(MOVES[z[:-1], z[1:]]).sum() + stats.norm.logpdf(X, MU[z], 0.8).sum()


def blocks(z):
    return np.log(START[z]).sum() + stats.bernoulli.logpmf(Y, LINKS[z[:, None], z]).sum()


# name: the model, its arrays, how many labels, the log joint density of their values
MODELS = {
    "a hidden chain": (
        "dim T, k\nparam w: simplex[k], A: simplex[k, k], mu: real[k], s: positive, r: simplex[T, k]\ndata x: real[T]\n"
        "dist p(z[0]) = Categorical(w)\ndist p(z[t: 1..T-1] | z[t - 1]) = Categorical(A[z[t - 1]])\n"
        "dist p(x[t] | z[t]) = Normal(mu[z[t]], s)\ndist q(z[t]) = Categorical(r[t])\n",
        {"w": START, "A": MOVES, "mu": MU, "s": 0.8, "x": X}, T, chain),
    "blocks of a graph": (
        "dim n, k\nparam w: simplex[k], P: unit[k, k], r: simplex[n, k]\ndata y: binary[n, n]\ndist p(z[i: n]) = Categorical(w)\n"
        "dist p(y[i, j] | z[i], z[j]) = Bernoulli(P[z[i], z[j]])\ndist q(z[i: n]) = Categorical(r[i])\n",
        {"w": START, "P": LINKS, "y": Y}, N, blocks),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_each_row_in_turn_raises_the_bound(name):
    spec, at, count, log_joint = MODELS[name]
    model = symgen.loads(spec)
    bound, update = model.derive("elbo(q, p)"), model.derive("argmax(elbo(q, p), r[i])")
    assert bound.evidence.kind == update.evidence.kind == "checked"
    values = [np.array(z) for z in product(range(K), repeat=count)]
    logs = np.array([log_joint(z) for z in values])

    def elbo(r):
        q = np.array([np.prod(r[np.arange(count), z]) for z in values])
        return q @ (logs - np.log(q))

    r, seen = rng.dirichlet(np.ones(K), count), []
    assert np.isclose(bound.evaluate(**at, r=r), elbo(r), rtol=1e-12)
    for _ in range(3):
        for i in range(count):
            best = update.evaluate(**at, r=r)[i]
            rivals = [elbo(np.where(np.arange(count)[:, None] == i, row, r)) for row in rng.dirichlet(np.ones(K), 4)]
            r = np.where(np.arange(count)[:, None] == i, best, r)
            seen.append(elbo(r))
            assert seen[-1] >= max(rivals) - 1e-12
    assert np.all(np.diff(seen) > -1e-12) and seen[-1] <= special.logsumexp(logs)


def test_topics_of_documents_by_the_updates_of_blei():
    D, V = 2, 4
    model = symgen.loads(
        "dim D, N, k\ndim V = 4\nparam al: positive[k], be: simplex[k, V], ga: positive[D, k], ph: simplex[D, N, k]\n"
        "data u: label(V)[D, N]\ndist p(th[d: D]) = Dirichlet(al)\ndist p(c[d: D, n: N] | th[d]) = Categorical(th[d])\n"
        "dist p(u[d, n] | c[d, n]) = Categorical(be[c[d, n]])\ndist q(th[d: D]) = Dirichlet(ga[d])\n"
        "dist q(c[d: D, n: N]) = Categorical(ph[d, n])\n"
    )
    at = {"al": np.array([0.7, 1.6]), "be": rng.dirichlet(np.ones(V), K), "u": rng.integers(0, V, (D, N)).astype(float),
          "ga": rng.random((D, K)) + 0.5, "ph": rng.dirichlet(np.ones(K), (D, N))}  # fmt: skip

    def elbo(al, be, u, ga, ph):
        logs = special.digamma(ga) - special.digamma(ga.sum(1, keepdims=True))
        prior = sum(special.gammaln(al.sum()) - special.gammaln(al).sum() + (al - 1) @ row for row in logs)
        seen = np.einsum("dnk,dk->", ph, logs) + np.einsum("dnk,kdn->", ph, np.log(be[:, u.astype(int)]))
        return prior + seen + sum(stats.dirichlet(g).entropy() for g in ga) - (ph * np.log(ph)).sum()

    bound, seen = model.derive("elbo(q, p)"), []
    assert np.isclose(bound.evaluate(**at), elbo(**at), rtol=1e-11)
    updates = {n: model.derive(f"argmax(elbo(q, p), {n})") for n in ("ph", "ga", "be")}
    for _ in range(3):
        for n, update in updates.items():
            seen.append(elbo(**at))
            at[n] = update.evaluate(**{k: v for k, v in at.items() if k != n})
    assert np.all(np.diff(seen) > -1e-10) and seen[-1] > seen[0] + 0.1


def test_moves_that_are_random_are_counted_under_a_chain():
    model = symgen.loads(
        "dim T, k\nparam al: positive[k], g: simplex[k], B: simplex[T-1, k, k], om: positive[k, k], w: simplex[k]\n"
        "dist p(A[i: k]) = Dirichlet(al)\ndist p(z[0]) = Categorical(w)\n"
        "dist p(z[t: 1..T-1] | z[t - 1], A) = Categorical(A[z[t - 1]])\n"
        "dist q(A[i: k]) = Dirichlet(om[i])\ndist q(z) = InhomogeneousMarkovChain(g, B)\n"
    )
    B, al = rng.dirichlet(np.ones(K), (T - 1, K)), np.array([0.8, 1.7])
    paths = np.array(list(product(range(K), repeat=T)))
    q = START[paths[:, 0]] * np.prod(B[np.arange(T - 1), paths[:, :-1], paths[:, 1:]], axis=1)
    counts = np.array([[q @ ((paths[:, :-1] == i) & (paths[:, 1:] == j)).sum(1) for j in range(K)] for i in range(K)])
    found = model.derive("argmax(elbo(q, p), om)").evaluate(al=al, g=START, B=B)
    assert np.allclose(found, counts + al, rtol=1e-10)


@pytest.mark.parametrize(("goal", "reason"), [
    ("argmax(sum(r^2), r[i])", "no linear function"),
    ("argmax(sum(r @ C @ r') - sum(r*log(r)), r[i])", "a row hangs on itself"),
    ("argmax(sum(C*log(C)), C[i])", "arrays of probabilities"),
])  # fmt: skip
def test_rows_without_a_closed_form_are_refused(goal, reason):
    model = symgen.loads("dim n, k\nparam r: simplex[n, k], C: positive[k, k]\n")
    with pytest.raises(symgen.CannotDerive, match=reason):
        model.derive(goal)
