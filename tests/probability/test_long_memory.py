"""Sequences of normal numbers beyond one state after another: longer memory, several of them, a drift that nobody has seen.

The referee is the one joint normal of everything drawn, conditioned in numbers. Rue & Held (2005), 1.2.1; Shumway & Stoffer
(2017), 3.1, 6.5.
"""

import numpy as np
import pytest
from scipy import stats

import symgen

rng = np.random.default_rng(5)
T, N = 5, 2
AT = {"a": 0.6, "b": -0.3, "s": 0.7, "r": 0.5, "m": 0.4, "u": rng.normal(size=T), "w": rng.normal(size=T)}
a, b, s, r, m, u, w = AT.values()
HEAD = "dim T, N\nparam a: real, b: real, s: positive, r: positive, m: real\ndata u: real[T], w: real[T]\n"
SEEN = "data x: real[T]\ndist p(x[t] | z[t]) = Normal(z[t], r)\n"
TWO_BACK = "dist p(z[0]) = Normal(m, 1)\ndist p(z[1] | z[0]) = Normal(a*z[0], s)\n"


def joint(slopes, constants, deviations):
    """z[t] = sum_j A[t, j] z[j] + c[t] + noise: mean and covariance."""
    L = np.linalg.inv(np.eye(len(slopes)) - slopes)
    return L @ constants, L @ np.diag(np.square(deviations)) @ L.T


def band(*coefficients):
    """A[t, t - d] = coefficients[d - 1], a number or one for each t."""
    A = np.zeros((T, T))
    for d, c in enumerate(coefficients, 1):
        A += np.diag(np.broadcast_to(c, T)[d:], -d)
    return A


LATER = np.r_[1, np.full(T - 1, s)]
SECOND = band(2, -1)
SECOND[1, 0] = 0
# name: the law of the states, their slopes, constants and deviations
LAWS = {
    "two back": (TWO_BACK + "dist p(z[t: 2..T-1] | z[t - 1], z[t - 2]) = Normal(a*z[t - 1] + b*z[t - 2], s)\n",
                 band(a, b), np.r_[m, np.zeros(T - 1)], LATER),
    "second differences": ("dist p(z[0]) = Normal(0, 3)\ndist p(z[1]) = Normal(0, 3)\n"
                           "dist p(z[t: 2..T-1] | z[t - 1], z[t - 2]) = Normal(2*z[t - 1] - z[t - 2], s)\n",
                           SECOND, np.zeros(T), np.r_[3, 3, np.full(T - 2, s)]),
    "inputs and steps of their own": (
        TWO_BACK + "dist p(z[t: 2..T-1] | z[t - 1], z[t - 2]) = Normal(w[t]*z[t - 1] + b*z[t - 2] + u[t], s)\n",
        band(np.r_[0, a, w[2:]], b), np.r_[m, 0, u[2:]], LATER),
    "three back, two left out": (
        "dist p(z[0]) = Normal(0, 1)\ndist p(z[1]) = Normal(0, s)\ndist p(z[2] | z[0]) = Normal(m*z[0], s)\n"
        "dist p(z[t: 3..T-1] | z[t - 3]) = Normal(b*z[t - 3], s)\n",
        band(0, np.r_[0, 0, m, np.zeros(T - 3)], b), np.zeros(T), LATER),
}  # fmt: skip


QUICK = ("inputs and steps of their own",)


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in LAWS])
def test_states_of_longer_memory(name):
    spec, *parts = LAWS[name]
    model, x = symgen.loads(HEAD + spec + SEEN), rng.normal(size=T)
    mean, spread = joint(*parts)
    gain = np.linalg.solve(spread + r**2 * np.eye(T), spread).T
    evidence, posterior = model.derive("log p(x)"), model.derive("posterior(p, z, given=x)")
    assert evidence.evidence.kind == posterior.evidence.kind == "checked" and posterior.result.family == "MvNormal"
    truth = stats.multivariate_normal.logpdf(x, mean, spread + r**2 * np.eye(T))
    assert np.isclose(evidence.evaluate(**AT, x=x), truth, rtol=1e-10)
    got = posterior.result.evaluate("parameters", **AT, x=x)
    assert np.allclose(got["mu"], mean + gain @ (x - mean), rtol=1e-9)
    assert np.allclose(got["Sigma"], spread - gain @ spread, rtol=1e-9)
    of_states = model.derive("log p(z)")
    assert of_states.evidence.kind in ("proved", "checked") and "inv" not in of_states.text_result
    assert np.isclose(of_states.evaluate(**AT, z=x), stats.multivariate_normal.logpdf(x, mean, spread), rtol=1e-10)


def test_means_under_a_sequence_of_longer_memory():
    spec, *parts = LAWS["two back"]
    model, (mean, spread) = symgen.loads(HEAD + spec + SEEN), joint(*parts)
    for goal, want in (("E[z ~ p(z)](z)", mean), ("Var[z ~ p(z)](z)", spread)):
        d = model.derive(goal)
        assert d.evidence.kind == "checked" and np.allclose(d.evaluate(**AT, T=T), want)


@pytest.mark.slow
def test_how_a_number_hangs_on_the_two_before_it_is_estimated():
    spec, *_ = LAWS["two back"]
    model, x = symgen.loads(HEAD + spec.replace("z", "x")), rng.normal(size=T)
    X, y = np.c_[x[:-1], np.r_[0, x[:-2]]], x[1:]  # the second entry looks back at the first alone
    best = model.derive("argmax(log p(x), [a, b])").evaluate(**{k: v for k, v in AT.items() if k not in "ab"}, x=x)["at"]
    assert np.allclose([best["a"], best["b"]], np.linalg.lstsq(X, y, rcond=None)[0])


def test_several_sequences_of_one_law():
    model = symgen.loads(
        HEAD + "dist p(z[n: N, 0]) = Normal(m, 1)\ndist p(z[n: N, t: 1..T-1] | z[n, t - 1]) = Normal(a*z[n, t - 1] + u[t], s)\n"
        "data x: real[N, T]\ndist p(x[n, t] | z[n, t]) = Normal(z[n, t], r)\n"
    )
    mean, spread = joint(band(a), np.r_[m, u[1:]], LATER)
    x = rng.normal(size=(N, T))
    gain = np.linalg.solve(spread + r**2 * np.eye(T), spread).T
    evidence, posterior = model.derive("log p(x)"), model.derive("posterior(p, z, given=x)")
    assert evidence.evidence.kind == posterior.evidence.kind == "checked"
    truth = stats.multivariate_normal.logpdf(x, mean, spread + r**2 * np.eye(T)).sum()
    assert np.isclose(evidence.evaluate(**AT, x=x), truth, rtol=1e-10)
    got = posterior.result.evaluate("parameters", **AT, x=x)
    assert np.allclose(got["mu"], mean + (x - mean) @ gain.T, rtol=1e-9)
    assert np.allclose(got["Sigma"], np.broadcast_to(spread - gain @ spread, (N, T, T)), rtol=1e-9)


def test_a_walk_with_a_drift_that_nobody_has_seen():
    model = symgen.loads(
        HEAD + "dist p(c) = Normal(m, 2)\ndist p(z[0]) = Normal(0, 1)\n"
        "dist p(z[t: 1..T-1] | z[t - 1], c) = Normal(z[t - 1] + c, s)\n" + SEEN
    )
    x = rng.normal(size=T)
    A = np.zeros((T + 1, T + 1))  # c, then the states
    A[1:, 1:] = band(1)
    A[2:, 0] = 1
    mean, spread = joint(A, np.r_[m, np.zeros(T)], np.r_[2, LATER])
    S = spread[1:, 1:] + r**2 * np.eye(T)
    gain = np.linalg.solve(S, spread[1:]).T
    left, covariance = mean + gain @ (x - mean[1:]), spread - gain @ spread[1:]
    d = model.derive("log p(x)")
    assert d.evidence.kind == "checked" and np.isclose(d.evaluate(**AT, x=x), stats.multivariate_normal.logpdf(x, mean[1:], S))
    d = model.derive("posterior(p, c, given=x)")
    got = d.result.evaluate("parameters", **AT, x=x)
    assert d.evidence.kind == "checked" and np.isclose(got["mu"], left[0]) and np.isclose(got["sigma"], covariance[0, 0] ** 0.5)
    d = model.derive("posterior(p, z, given=x)")
    got = d.result.evaluate("parameters", **AT, x=x)
    assert d.evidence.kind == "checked" and np.allclose(got["mu"], left[1:]) and np.allclose(got["Sigma"], covariance[1:, 1:])
