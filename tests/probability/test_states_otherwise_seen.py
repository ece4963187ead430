"""State spaces of which more is seen than one variable at each time, or less: against the one joint normal of all of it.

Bishop (2006), 13.3; Anderson & Moore (1979), 6.
"""

import numpy as np
import pytest
from scipy import stats

import symgen

rng = np.random.default_rng(21)
T, D, S = 5, 2, 3
A, s, s0, b, r, q = 0.8, 0.5, 1.3, 1.4, 0.6, 0.9
NUMBERS = (
    "dim T\nparam a: real, s: positive, s0: positive, b: real, r: positive, q: positive\ndist p(z[0]) = Normal(1/2, s0)\n"
    "dist p(z[t: 1..T-1] | z[t - 1]) = Normal(a*z[t - 1], s)\n"
)
VECTORS = (
    "dim T, d\nparam m0: real[d], V0: spd[d, d], F: real[d, d], Q: spd[d, d], h: real[d], H: real[2, d], R: spd[2, 2]\n"
    "param r: positive\n"
    "dist p(z[0]) = MvNormal(m0, V0)\ndist p(z[t: 1..T-1] | z[t - 1]) = MvNormal(F @ z[t - 1], Q)\n"
)
AT = {"a": A, "s": s, "s0": s0, "b": b, "r": r, "q": q}
SPD = rng.normal(size=(D, D))
MANY = {"m0": rng.normal(size=D), "V0": SPD @ SPD.T + np.eye(D), "F": rng.normal(size=(D, D)) * 0.6, "Q": np.diag([0.3, 0.8]),
        "h": rng.normal(size=D), "H": rng.normal(size=(2, D)), "R": np.array([[0.9, 0.2], [0.2, 0.5]]), "r": r}  # fmt: skip
x, y, u, few = rng.normal(size=T), rng.normal(size=T), rng.normal(size=(T, 2)), rng.normal(size=S)
which = np.array([3.0, 0, 3])
on = np.array([1.0, 0, 0, 1, 1])
I = np.eye(T)


def states(first, spread, moves, noise):
    d = len(first)
    back, blocks = np.eye(T * d) - np.kron(np.eye(T, k=-1), moves), np.kron(np.eye(T), noise)
    blocks[:d, :d] = spread
    L = np.linalg.inv(back)
    return L @ np.concatenate([first, np.zeros((T - 1) * d)]), L @ blocks @ L.T


WALK = states(np.array([0.5]), np.array([[s0**2]]), np.array([[A]]), np.array([[s**2]]))
CHAIN = states(MANY["m0"], MANY["V0"], MANY["F"], MANY["Q"])
LAGS = np.linalg.inv(np.eye(T) - b * np.eye(T, k=-1))  # of x[t] = z[t] + b x[t - 1] + noise
SEEN_X = "data x: real[T]\ndist p(x[t] | z[t]) = Normal(b*z[t], r)\n"
# the spec, what is seen, its values, the states' law, the map from states to what is seen stacked, the noise's covariance
CASES = {
    "two numbers": (
        NUMBERS + SEEN_X + "data y: real[T]\ndist p(y[t] | z[t]) = Normal(z[t], q)\n", "x, y", AT | {"x": x, "y": y}, WALK,
        np.vstack([b * I, I]), np.diag(np.repeat([r**2, q**2], T)), np.r_[x, y]),
    "a vector and a number": (
        VECTORS + "data y: real[T], u: real[T, 2]\ndist p(y[t] | z[t]) = Normal(h @ z[t], r)\n"
        "dist p(u[t] | z[t]) = MvNormal(H @ z[t], R)\n", "y, u", MANY | {"y": y, "u": u}, CHAIN,
        np.vstack([np.kron(I, MANY["h"][None]), np.kron(I, MANY["H"])]),
        np.block([[r**2 * I, np.zeros((T, 2 * T))], [np.zeros((2 * T, T)), np.kron(I, MANY["R"])]]), np.r_[y, u.ravel()]),
    "one hangs on the other": (
        NUMBERS + SEEN_X + "data y: real[T]\ndist p(y[t] | z[t], x[t]) = Normal(z[t] + x[t], q)\n", "x, y", AT | {"x": x, "y": y},
        WALK, np.vstack([b * I, (1 + b) * I]), np.block([[r**2 * I, r**2 * I], [r**2 * I, (r**2 + q**2) * I]]), np.r_[x, y]),
    "what was seen before": (
        NUMBERS + "data x: real[T]\ndist p(x[0] | z[0]) = Normal(z[0], r)\n"
        "dist p(x[t: 1..T-1] | z[t], x[t - 1]) = Normal(z[t] + b*x[t - 1], r)\n", "x", AT | {"x": x}, WALK, LAGS,
        r**2 * LAGS @ LAGS.T, x),
    "the first times alone": (
        NUMBERS + "dim S\ndata x: real[S]\ndist p(x[t] | z[t]) = Normal(b*z[t], r)\n", "x", AT | {"x": few, "T": T}, WALK,
        b * I[:S], r**2 * np.eye(S), few),
    "some times, one of them twice": (
        NUMBERS + "dim n\ndata o: label(T)[n], x: real[n]\ndist p(x[i] | z) = Normal(b*z[o[i]], r)\n", "x",
        AT | {"x": few, "o": which, "T": T}, WALK, b * I[[3, 0, 3]], r**2 * np.eye(S), few),
    "the last state": (
        NUMBERS + "dist p(x | z) = Normal(b*z[T - 1], r)\n", "x", AT | {"x": 0.7, "T": T}, WALK, b * I[-1:], r**2 * np.eye(1),
        np.array([0.7])),
    "where it is not missing": (
        NUMBERS + "data o: binary[T], x: real[T]\ndist p(x[t] | z[t]) = Normal(o[t]*z[t], r)\n", "x", AT | {"x": x * on, "o": on},
        WALK, np.diag(on), r**2 * I, x * on),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_states_and_evidence_are_those_of_the_joint_normal(name):
    spec, given, at, (mean, spread), seen, noise, values = CASES[name]
    model, both = symgen.loads(spec), seen @ spread @ seen.T + noise
    evidence, posterior = model.derive(f"log p({given})"), model.derive(f"posterior(p, z, given=[{given}])")
    assert evidence.evidence.kind == posterior.evidence.kind == "checked"
    want = stats.multivariate_normal.logpdf(values, seen @ mean, both)
    assert np.isclose(evidence.evaluate(**at), want, rtol=1e-10)
    gain, d = np.linalg.solve(both, seen @ spread).T, len(mean) // T
    C = (spread - gain @ seen @ spread).reshape(T, d, T, d)
    got = {n: np.asarray(a) for n, a in posterior.result.evaluate("parameters", **at).items()}
    assert np.allclose(got["mean"].ravel(), mean + gain @ (values - seen @ mean), rtol=1e-9)
    assert np.allclose(got["covariance"].reshape(T, d, d), np.stack([C[t, :, t] for t in range(T)]), rtol=1e-9)
    assert np.allclose(got["cross"].reshape(T - 1, d, d), np.stack([C[t + 1, :, t] for t in range(T - 1)]), rtol=1e-8)


def test_the_evidence_keeps_its_digits_far_from_zero():
    """Against the filter of one variable, by the density of each surprise."""
    both = symgen.loads(NUMBERS + SEEN_X + "data y: real[T]\ndist p(y[t] | z[t]) = Normal(z[t], q)\n").derive("log p(x, y)")
    mean, spread = states(np.array([0.5]), np.array([[1e8]]), np.array([[1.0]]), np.array([[s**2]]))
    seen, far = np.vstack([b * I, I]), 3e4 + x
    S_both = seen @ spread @ seen.T + np.diag(np.repeat([r**2, q**2], T))
    want = stats.multivariate_normal.logpdf(np.r_[b * far, far], seen @ mean, S_both)
    assert np.isclose(both.evaluate(**(AT | {"a": 1.0, "s0": 1e4}), x=b * far, y=far), want, rtol=1e-6)


PREDICTED = {
    "what comes next": ("dist p(y | z) = Normal(a*z[T - 1], s)\n", A * I[-1], s**2),
    "what is seen of the next state": ("dist p(w | z) = Normal(a*z[T - 1], s)\ndist p(y | w) = Normal(b*w, q)\n",
                                       b * A * I[-1], b**2 * s**2 + q**2),
    "the first state again": ("dist p(y | z) = Normal(2*z[0], q)\n", 2 * I[0], q**2),
}  # fmt: skip


@pytest.mark.parametrize("name", PREDICTED)
def test_predictions_are_those_of_the_joint_normal(name):
    text, slope, noise = PREDICTED[name]
    model = symgen.loads(NUMBERS + SEEN_X + text)
    d = model.derive("posterior(p, y, given=x)")
    mean, spread = WALK
    gain = np.linalg.solve(b**2 * spread + r**2 * I, b * spread).T
    center, C = mean + gain @ (x - b * mean), spread - b * gain @ spread
    got = d.result.evaluate("parameters", **AT, x=x)
    assert (d.evidence.kind, d.result.family) == ("checked", "Normal")
    assert np.isclose(got["mu"], slope @ center) and np.isclose(got["sigma"] ** 2, slope @ C @ slope + noise)
