"""argmin and argmax against scipy on random data of random sizes."""

import functools

import numpy as np
import pytest
from scipy.optimize import minimize

import symgen

SPEC = """
dim n, d, k
data X: real[n, d], y: real[n], Y: real[n, k], x: real[n], c: positive[k], N: natural[n], S: spd[d, d], r: real[d], E: real[k]
param w: real[d], W: real[d, k], mu: real, s: positive, v: positive, rate: positive, pi: positive[k], q: simplex[k], m: real[d]
const lam: positive = 0.3, a: positive = 1.7
"""
rng = np.random.default_rng(8)
n, d, k = 9, 3, 4
A = rng.normal(size=(d, d))
DATA = {
    "X": rng.normal(size=(n, d)), "y": rng.normal(size=n), "Y": rng.normal(size=(n, k)), "x": rng.normal(size=n),
    "c": rng.uniform(0.5, 3, size=k), "N": rng.integers(0, 6, size=n), "S": A @ A.T + np.eye(d), "r": rng.normal(size=d),
    "E": rng.normal(size=k), "lam": 0.3, "a": 1.7,
}  # fmt: skip
X, y, Y, x, c, N, S, r, E, lam, a = DATA.values()

# goal: the objective in NumPy (to be minimised), the shape of the variable, a transform from free numbers to its set
free = lambda z: z  # noqa: E731
positive = np.exp


def simplex(z):
    e = np.exp(z - z.max())
    return e / e.sum()


GOALS = {
    "argmin(norm(X @ w - y)^2/n + lam*w @ w, w)": (lambda w: np.sum((X @ w - y)**2)/n + lam*w @ w, (d,), free),
    "argmin(sum((X @ w - y)^2), w)": (lambda w: np.sum((X @ w - y)**2), (d,), free),
    "argmin(sum((X @ W - Y)^2) + lam*sum(W^2), W)": (lambda W: np.sum((X @ W - Y)**2) + lam*np.sum(W**2), (d, k), free),
    "argmin(w @ S @ w/2 - r @ w, w)": (lambda w: w @ S @ w/2 - r @ w, (d,), free),
    "argmin(sum((x - mu)^2), mu)": (lambda m: np.sum((x - m)**2), (), free),
    "argmin(sum[i](norm(X[i] - m)^2), m)": (lambda m: np.sum((X - m)**2), (d,), free),
    "argmax(sum(-(x - mu)^2/(2*s^2) - log(s)), s)": (lambda s: np.sum((x - 0.2)**2/(2*s**2) + np.log(s)), (), positive),
    "argmax(sum(-(x - mu)^2/(2*v) - log(v)/2), v)": (lambda v: np.sum((x - 0.2)**2/(2*v) + np.log(v)/2), (), positive),
    "argmax(sum(N*log(rate) - rate), rate)": (lambda t: -np.sum(N*np.log(t) - t), (), positive),
    "argmax(sum(c*log(pi)), pi, subject_to=[sum(pi) = 1])": (lambda p: -np.sum(c*np.log(p)), (k,), simplex),
    "argmax(sum(c*log(q)), q)": (lambda p: -np.sum(c*np.log(p)), (k,), simplex),
    "argmax(-sum(pi*log(pi)), pi, subject_to=[sum(pi) = 1])": (lambda p: np.sum(p*np.log(p)), (k,), simplex),
    "argmin(sum(pi*E) + lam*sum(pi*log(pi)), pi, subject_to=[sum(pi) = 1])":
        (lambda p: np.sum(p*E) + lam*np.sum(p*np.log(p)), (k,), simplex),
    "argmin(s + a/s, s)": (lambda s: s + a/s, (), positive),
    "argmin(exp(mu) - a*mu, mu)": (lambda m: np.exp(m) - a*m, (), free),
    "argmin(a*mu^2 - 2*lam*mu, mu)": (lambda m: a*m**2 - 2*lam*m, (), free),
}  # fmt: skip
CONSTRAINED = {
    "argmin(w @ S @ w, w, subject_to=[sum(w) = 1])": (lambda w: w @ S @ w, lambda w: w.sum() - 1),
    "argmin(w @ w, w, subject_to=[r @ w = a])": (lambda w: w @ w, lambda w: r @ w - a),
    "argmin(norm(X @ w - y)^2, w, subject_to=[sum(w) = 1])": (lambda w: np.sum((X @ w - y)**2), lambda w: w.sum() - 1),
}  # fmt: skip


@functools.cache
def model():
    return symgen.loads(SPEC)


def solved(goal):
    derivation = model().derive(goal)
    assert derivation.evidence.kind in ("proved", "checked")
    named = {v: DATA[v] for v in DATA if v in goal}
    return derivation.evaluate(**{**named, **({"mu": 0.2} if "- mu)^2/(2*" in goal else {}), **sizes(goal)})


def sizes(goal):
    return {"k": k} if "log(pi)), pi, subject_to" in goal and "E" not in goal and "c*" not in goal else {}


@pytest.mark.parametrize("goal", GOALS)
def test_the_optimum_is_scipys(goal):
    objective, shape, onto = GOALS[goal]
    size = int(np.prod(shape))
    found = minimize(lambda z: objective(onto(z.reshape(shape))), 0.1 * np.arange(size, dtype=float), tol=1e-12)
    assert solved(goal) == pytest.approx(onto(found.x.reshape(shape)), abs=2e-4)
    assert objective(np.asarray(solved(goal))) <= found.fun + 1e-9


@pytest.mark.parametrize("goal", CONSTRAINED)
def test_the_optimum_on_a_plane_is_scipys(goal):
    objective, constraint = CONSTRAINED[goal]
    found = minimize(objective, np.ones(d), constraints=[{"type": "eq", "fun": constraint}], tol=1e-12)
    mine = solved(goal)
    assert constraint(mine) == pytest.approx(0, abs=1e-9)
    assert mine == pytest.approx(found.x, abs=1e-4)


def test_ridge_reads_as_in_a_textbook():
    text = model().derive("argmin(norm(X @ w - y)^2/n + lam*w @ w, w)").text_result
    assert "inv(" in text and "X' @ X" in text and "X' @ y" in text
    assert model().check("argmin(norm(X @ w - y)^2/n + lam*w @ w, w) = inv(X' @ X + n*lam*eye(d)) @ X' @ y").status in (
        "proved", "checked",
    )  # fmt: skip


@pytest.mark.parametrize("goal, words", [
    ("argmax(a*mu^2 - mu, mu)", "convex"),
    ("argmin(mu^4 - mu^2, mu)", "not unique"),
    ("argmin(a*mu, mu)", "unbounded|no pointwise"),
    ("argmax(w @ S @ w, w)", "second-order"),
    ("argmin(sum(exp(X @ w)), w)", "affine"),
])  # fmt: skip
def test_what_has_no_optimum_in_closed_form_says_why(goal, words):
    with pytest.raises(symgen.CannotDerive, match=words):
        model().derive(goal)


def test_small_vectors_with_constraints():
    m = symgen.loads("param v: real[2]\nconst a: positive\n")
    found = m.derive("argmax(v[0]*v[1], v, subject_to=[v[0] + v[1] = a])").evaluate(a=3.0)
    assert found == pytest.approx([1.5, 1.5])
    found = m.derive("argmin((v[0] - 1)^2 + 2*(v[1] + v[0])^2, v)").evaluate()
    assert found == pytest.approx([1.0, -1.0])
