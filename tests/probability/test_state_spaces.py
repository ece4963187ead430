"""Linear-Gaussian state spaces of any length against the one normal law of all states and all that is seen.

Bishop (2006), 13.3; Shumway & Stoffer (1982).
"""

import numpy as np
import pytest
from scipy import stats

import symgen

rng = np.random.default_rng(8)
T, D, M = 5, 2, 3
SPD = {n: (lambda a: a @ a.T + np.eye(n))(rng.normal(size=(n, n))) for n in (D, M)}
F, H, B = rng.normal(size=(D, D)) * 0.6, rng.normal(size=(M, D)), rng.normal(size=(D, 1))
U, G = rng.normal(size=(T, 1)), rng.normal(size=(T, D, D)) * 0.5
VECTOR = "dim T, d\nparam m0: real[d], V0: spd[d, d], F: real[d, d], Q: spd[d, d]\ndist p(z[0]) = MvNormal(m0, V0)\n"
MOVES = "dist p(z[t: 1..T-1] | z[t - 1]) = MvNormal(F @ z[t - 1], Q)\n"
NUMBER = "dim T\nparam a: real, s: positive, s0: positive\ndist p(z[0]) = Normal(1/2, s0)\n"
STEPS = "dist p(z[t: 1..T-1] | z[t - 1]) = Normal(a*z[t - 1], s)\n"
STATES = {"m0": np.array([0.3, -0.8]), "V0": SPD[D], "F": F, "Q": 0.7 * SPD[D] + np.diag([0.1, 0.4])}
ONE = {"a": 0.8, "s": 0.5, "s0": 1.3}
MANY = rng.normal(size=(T, M))
FEW = rng.normal(size=T)


def steps(first, spread, moves, shift, noise):
    """The mean and covariance of all states: x = L (shift + noise), L the inverse of the difference of steps."""
    d = len(first)
    back, blocks, means = np.eye(T * d), np.zeros((T * d, T * d)), np.concatenate([first, np.zeros((T - 1) * d)])
    blocks[:d, :d] = spread
    for t in range(1, T):
        back[t * d : t * d + d, t * d - d : t * d] = -moves(t)
        blocks[t * d : t * d + d, t * d : t * d + d] = noise
        means[t * d : t * d + d] = shift(t)
    L = np.linalg.inv(back)
    return L @ means, L @ blocks @ L.T


OF_VECTORS = steps(STATES["m0"], STATES["V0"], lambda t: F, lambda t: 0, STATES["Q"])
OF_NUMBERS = steps(np.array([0.5]), np.array([[1.69]]), lambda t: 0.8, lambda t: 0, 0.25)
h = rng.normal(size=D)
# name: the spec, arrays, mean and covariance of the states, the matrix to what is seen, its constant, its covariance
CASES = {
    "vectors seen as vectors": (
        VECTOR + MOVES + "dim m\nparam H: real[m, d], R: spd[m, m]\ndata x: real[T, m]\n"
        "dist p(x[t] | z[t]) = MvNormal(H @ z[t], R)\n",
        STATES | {"H": H, "R": SPD[M], "x": MANY}, OF_VECTORS, np.kron(np.eye(T), H), 0, np.kron(np.eye(T), SPD[M])),
    "independent noise, a constant": (
        VECTOR + MOVES + "dim m\nparam H: real[m, d], c: real[m], r: positive[m]\ndata x: real[T, m]\n"
        "dist p(x[t] | z[t]) = Normal(H @ z[t] + c, r)\n",
        STATES | {"H": H, "c": np.arange(3.0), "r": np.array([0.5, 0.7, 1.2]), "x": MANY}, OF_VECTORS,
        np.kron(np.eye(T), H), np.tile(np.arange(3.0), T), np.kron(np.eye(T), np.diag([0.25, 0.49, 1.44]))),
    "vectors seen as numbers": (
        VECTOR + MOVES + "param h: real[d], r: positive\ndata x: real[T]\ndist p(x[t] | z[t]) = Normal(h @ z[t], r)\n",
        STATES | {"h": h, "r": 0.6, "x": FEW}, OF_VECTORS, np.kron(np.eye(T), h[None]), 0, 0.36 * np.eye(T)),
    "numbers seen as numbers": (
        NUMBER + STEPS + "param b: real, r: positive\ndata x: real[T]\ndist p(x[t] | z[t]) = Normal(b*z[t], r)\n",
        ONE | {"b": 1.4, "r": 0.6, "x": FEW}, OF_NUMBERS, 1.4 * np.eye(T), 0, 0.36 * np.eye(T)),
    "numbers seen as vectors": (
        NUMBER + STEPS + "dim m\nparam b: real[m], R: spd[m, m]\ndata x: real[T, m]\ndist p(x[t] | z[t]) = MvNormal(b*z[t], R)\n",
        ONE | {"b": H[:, 0], "R": SPD[M], "x": MANY}, OF_NUMBERS, np.kron(np.eye(T), H[:, :1]), 0, np.kron(np.eye(T), SPD[M])),
    "moved by inputs": (
        VECTOR + "dim j\nparam B: real[d, j], h: real[d], r: positive\ndata u: real[T, j], x: real[T]\n"
        "dist p(z[t: 1..T-1] | z[t - 1]) = MvNormal(F @ z[t - 1] + B @ u[t], Q)\ndist p(x[t] | z[t]) = Normal(h @ z[t], r)\n",
        STATES | {"B": B, "u": U, "h": h, "r": 0.6, "x": FEW},
        steps(STATES["m0"], STATES["V0"], lambda t: F, lambda t: B @ U[t], STATES["Q"]),
        np.kron(np.eye(T), h[None]), 0, 0.36 * np.eye(T)),
    "other steps at other times": (
        VECTOR.replace("F: real[d, d]", "F: real[T, d, d]") + "param h: real[d], r: positive[T]\ndata x: real[T]\n"
        "dist p(z[t: 1..T-1] | z[t - 1]) = MvNormal(F[t] @ z[t - 1], Q)\ndist p(x[t] | z[t]) = Normal(h @ z[t], r[t])\n",
        STATES | {"F": G, "h": h, "r": np.arange(1.0, T + 1), "x": FEW},
        steps(STATES["m0"], STATES["V0"], lambda t: G[t], lambda t: 0, STATES["Q"]),
        np.kron(np.eye(T), h[None]), 0, np.diag(np.arange(1.0, T + 1) ** 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_states_and_evidence_are_those_of_the_joint_normal(name):
    spec, at, (mean, spread), seen, constant, noise = CASES[name]
    model, x = symgen.loads(spec), at["x"].reshape(-1)
    S = seen @ spread @ seen.T + noise
    evidence, posterior = model.derive("log p(x)"), model.derive("posterior(p, z, given=x)")
    assert evidence.evidence.kind == posterior.evidence.kind == "checked"
    assert np.isclose(evidence.evaluate(**at), stats.multivariate_normal.logpdf(x, seen @ mean + constant, S), rtol=1e-11)
    gain = np.linalg.solve(S, seen @ spread).T
    d = len(mean) // T
    m = (mean + gain @ (x - seen @ mean - constant)).reshape(T, d)
    C = (spread - gain @ seen @ spread).reshape(T, d, T, d)
    got = {n: np.asarray(a) for n, a in posterior.result.evaluate("parameters", **at).items()}
    assert np.allclose(got["mean"].reshape(T, d), m, rtol=1e-9)
    assert np.allclose(got["covariance"].reshape(T, d, d), np.stack([C[t, :, t] for t in range(T)]), rtol=1e-9)
    assert np.allclose(got["cross"].reshape(T - 1, d, d), np.stack([C[t + 1, :, t] for t in range(T - 1)]), rtol=1e-8)
    k = 2 * len(x) // T  # what is seen at the first two times
    some, part = seen[:k], np.linalg.solve(S[:k, :k], seen[:k] @ spread).T
    up_to = (mean + part @ (x[:k] - some @ mean - np.broadcast_to(constant, len(x))[:k])).reshape(T, d)
    assert np.allclose(got["filtered_mean"].reshape(T, d)[1], up_to[1], rtol=1e-9)
    assert np.allclose(got["filtered_mean"][-1], got["mean"][-1])


@pytest.mark.parametrize("name", ["vectors seen as numbers", "vectors seen as vectors"])
def test_the_gradient_of_the_evidence_is_that_of_differences(name):
    spec, at, *_ = CASES[name]
    model = symgen.loads(spec)
    value, slope = model.derive("log p(x)"), model.derive("grad(log p(x), F)").evaluate(**at)
    for i, j in ((0, 1), (1, 1)):
        step = np.zeros((D, D))
        step[i, j] = 1e-5
        ends = [value.evaluate(**{**at, "F": F + sign * step}) for sign in (1, -1)]
        assert np.isclose(slope[i, j], (ends[0] - ends[1]) / 2e-5, rtol=1e-6)


def test_what_is_no_state_space_is_refused_with_its_reason():
    model = symgen.loads(VECTOR + MOVES + "data x: natural[T]\nparam h: real[d]\ndist p(x[t] | z[t]) = Poisson(exp(h @ z[t]))\n")
    with pytest.raises(symgen.CannotDerive, match="not quadratic in the states"):
        model.derive("log p(x)")


LEARNED = """
param e0: real[d], C0: spd[d, d], G: real[T-1, d, d], g: real[T-1, d], S: spd[T-1, d, d]
dist q(z) = GaussianChain(e0, C0, G, g, S)
let Q_bound = E[z ~ q](log p(x, z))
"""


def test_expectation_and_maximisation_never_lower_the_evidence():
    spec, at, *_ = CASES["vectors seen as vectors"]
    model = symgen.loads(spec + LEARNED)
    posterior, evidence = model.derive("posterior(p, z, given=x)").result, model.derive("log p(x)")
    updates = {n: model.derive(f"argmax(Q_bound, {n})") for n in ("F", "Q", "R")}
    at, seen = dict(at), []
    for _ in range(4):
        seen.append(float(evidence.evaluate(**at)))
        got = posterior.evaluate("parameters", **at)
        at |= dict(zip(("e0", "C0", "G", "g", "S"), (got[n] for n in "mVFbQ"), strict=True))
        for n, update in updates.items():
            at[n] = np.asarray(update.evaluate(**{k: v for k, v in at.items() if k != n}))
            if n == "F":  # Shumway and Stoffer: second moments of neighbours over those of the earlier state
                m, C = got["mean"], got["covariance"]
                both = got["cross"].sum(0) + m[1:].T @ m[:-1]
                assert np.allclose(at["F"], both @ np.linalg.inv(C[:-1].sum(0) + m[:-1].T @ m[:-1]), rtol=1e-8)
    assert np.all(np.diff(seen) > -1e-8) and seen[1] > seen[0] + 1e-2


def test_the_bound_is_tight_at_the_smoothed_states():
    spec, at, *_ = CASES["numbers seen as numbers"]
    model = symgen.loads(
        spec + "param e: real, C: positive, G: real[T-1], g: real[T-1], S: positive[T-1]\ndist q(z) = GaussianWalk(e, C, G, g, S)\n"
    )
    got = model.derive("posterior(p, z, given=x)").result.evaluate("parameters", **at)
    chain = dict(zip(("e", "C", "G", "g", "S"), (got[n] for n in "mvabq"), strict=True))
    bound, evidence = model.derive("elbo(q, p)"), model.derive("log p(x)").evaluate(**at)
    assert bound.evidence.kind == "checked" and np.isclose(bound.evaluate(**at, **chain), evidence, rtol=1e-10)
    assert bound.evaluate(**at, **{**chain, "G": chain["G"] + 0.1}) < evidence - 1e-4


NOISING = """
dim T
param a: unit[T], x0: real, f: unit, s: positive
dist q(x[0]) = Normal(sqrt(a[0])*x0, sqrt(1 - a[0]))
dist q(x[t: 1..T-1] | x[t - 1]) = Normal(sqrt(a[t])*x[t - 1], sqrt(1 - a[t]))
dist r(y[0]) = Normal(0, s/sqrt(1 - f^2))
dist r(y[t: 1..T-1] | y[t - 1]) = Normal(f*y[t - 1], s)
"""


def test_what_is_left_after_many_steps_of_noise_has_a_closed_form():
    """Ho, Jain & Abbeel (2020), eq. 4: N(sqrt(a_bar) x0, 1 - a_bar)."""
    model = symgen.loads(NOISING)
    a = np.array([0.9, 0.8, 0.95, 0.6, 0.7])
    law = steps(np.array([np.sqrt(0.9) * 1.7]), np.array([[0.1]]), lambda t: np.sqrt(a[t]), lambda t: 0, 0.0)
    late, spread = model.derive("E[x ~ q](x[T-1])"), model.derive("Var[x ~ q](x[T-1])")
    assert spread.text_result == "1 - a[0]*prod(a[1:])" and late.evidence.kind == spread.evidence.kind == "checked"
    assert np.isclose(late.evaluate(a=a, x0=1.7), law[0][-1]) and np.isclose(spread.evaluate(a=a), 1 - np.prod(a))
    assert np.allclose(model.derive("E[x ~ q](x)").evaluate(a=a, x0=1.7), law[0])
    assert model.derive("Var[y ~ r](y[T-1])").text_result == "s^2/(1 - f^2)"
