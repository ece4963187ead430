"""What is called convex lies below its chords at random points; what is refuted has its witness; neither is guessed."""

from __future__ import annotations

import pytest

import symgen

SPEC = """
dim n, d, k
data X: real[n, d], y: real[n], b: binary[n], Y: onehot[n, k], V: real[n, k]
param w: real[d], S: spd[d, d], z: real[k], U: real[d, k], t: real, s: positive, p: simplex[k], W: real[d, k]
param A: real[d, d], u: unit, Q: orthogonal[d, d]
param v: real[d], a: positive[k], o: simplex[k], L: symmetric[d, d], T: real[d, k]
param x: real[3], r1: real, r2: real, s2: positive, c: real
data P: psd[d, d], G: spd[d, d], h: positive[k], g: positive[n], pr: simplex[k], N: natural[n]
const del: positive = 1, al: unit = 1/3, eps: positive = 1/100
const lam: positive = 1/10
let r = X @ w - y
let q = sigmoid(X @ w)
"""
CONVEX = [
    ("norm(r)^2/2 + lam/2*w @ w", "w"), ("-sum(b*log(q) + (1 - b)*log(1 - q))", "w"), ("sum(softplus(X @ w))", "w"),
    ("sum(abs(r))", "w"), ("norm(r)", "w"), ("mean(max(0, 1 - y*(X @ w)))", "w"), ("logsumexp(z)", "z"),
    ("-logdet(S)", "S"), ("w @ S @ w", "w"), ("sum(p*log(p))", "p"), ("-log(s)", "s"), ("s^3", "s"),
    ("norm(V - X @ U)^2", "U"), ("exp(norm(w)^2)", "w"), ("sum(exp(X @ w) - y*(X @ w))", "w"),
    ("-sum(Y*log_softmax(X @ W))/n", "W"), ("max(X @ w)", "w"), ("s*log(s)", "s"), ("1/s", "s"),
    ("u*log(u) + (1 - u)*log(1 - u)", "u"), ("sqrt(1 + w @ w)", "w"), ("log(sum(exp(X @ w)))", "w"), ("y @ X @ w", "w"),
    ("norm(r)^2/s", "w"), ("sum(relu(X @ w))^2", "w"), ("sum(where(b == 1, r^2, exp(r)))", "w"),
    # losses with pieces
    ("sum(where(abs(r) <= del, r^2/2, del*(abs(r) - del/2)))", "w"), ("sum(max(al*r, (al - 1)*r))", "w"),
    ("sum(where(y*(X @ w) >= 1, 0, where(y*(X @ w) <= 0, 1/2 - y*(X @ w), (1 - y*(X @ w))^2/2)))", "w"),
    ("(t - clip(t, -1, 1))^2", "t"), ("where(t < 0, t^2, 2*t^2)", "t"), ("sum(leaky_relu(X @ w, 0.1))", "w"),
    ("abs(t) - log(1 + abs(t))", "t"), ("max(t, t^2)", "t"), ("relu(norm(w) - 1)^2", "w"),
    # functions of one number
    ("sum(log(cosh(r)))", "w"), ("1/(u*(1 - u))", "u"), ("-log(erf(t)/2 + 1/2)", "t"), ("-log(erfc(t))", "t"), ("s^s", "s"),
    ("t^4 - 2*t^3 + 2*t^2", "t"), ("1/(exp(s) - 1)", "s"), ("t*atan(t) - log(1 + t^2)/2", "t"), ("s^2/(s + 1)", "s"),
    ("s*log(s) - (s + 1)*log(s + 1)", "s"), ("t*erf(t) + exp(-t^2)/sqrt(pi)", "t"), ("lgamma(s)", "s"),
    # matrices
    ("-logdet(S) + tr(S @ P)", "S"), ("v @ inv(S) @ v", "S"), ("tr(inv(S) @ P)", "S"), ("tr(inv(S + G))", "S"),
    ("max(eigvals(L))", "L"), ("sum(exp(eigvals(L)))", "L"), ("tr(expm(L))", "L"), ("-log(det(S))", "S"),
    ("-det(S)^(1/d)", "S"), ("tr(T' @ P @ T)", "T"), ("sum(norm(T, axis=1))", "T"), ("sqrt(w @ G @ w + eps)", "w"),
    ("w @ P @ w + sum(abs(w))", "w"), ("exp(w @ G @ w/2)", "w"),
    # entropies, means, perspectives, several variables together
    ("-prod(a)^(1/k)", "a"), ("sum(a*log(a/sum(a)))", "a"), ("sum(pr*log(pr/p))", "p"), ("s*logsumexp(z/s)", "s"),
    ("sum(lgamma(a)) - lgamma(sum(a))", "a"), ("-sum(log(h - T' @ w))", "w"), ("-log(1 - norm(w)^2)", "w"),
    ("sum(p*log(p/o))", "[p, o]"), ("sum(p*log(p) - p*log(o))", "[p, o]"), ("norm(w)^2/s", "[w, s]"), ("w @ inv(S) @ w", "[w, S]"),
    ("s*logsumexp(z/s)", "[z, s]"), ("-sqrt(s*s2)", "[s, s2]"), ("s^3/s2^2", "[s, s2]"), ("(r1 - r2)^2 + exp(r1 + r2)", "[r1, r2]"),
    ("mean(log(1 + exp(-y*(X @ w + c))))", "[w, c]"), ("2*x[0]^2 + x[1]^2 + 3*x[2]^2 - x[0]*x[1] + x[1]*x[2]", "x"),
]  # fmt: skip
NOT_CONVEX = [
    ("w @ A @ w", "w"), ("t^3", "t"), ("t^4 - t^2", "t"), ("sum(sin(w))", "w"), ("sum(tanh(w))", "w"),
    ("sum(log(1 + r^2))", "w"), ("logdet(S)", "S"), ("-norm(w)", "w"), ("log(s)", "s"), ("sum(q)", "w"),
    ("-sum(p*log(p))", "p"), ("min(X @ w)", "w"), ("prod(z)", "z"),
    ("1/t^2", "t"), ("-log(t^2)", "t"), ("where(t^2 < 1, -1, 0)", "t"), ("where(t < 0, t^2 + 1, t^2)", "t"),
    ("min(t^2, (t - 1)^2)", "t"),
    ("norm(V - X @ tanh(U))^2", "U"), ("mean(sigmoid(-y*(X @ w)))", "w"), ("prod(a)^(1/k)", "a"), ("gelu(t)", "t"),
    ("sum(where(abs(r) <= 1, r^2, 1))", "w"), ("r1*r2", "[r1, r2]"), ("t^2*s", "[t, s]"), ("sqrt(s*s2)", "[s, s2]"),
    ("norm(V - X @ W*s)^2", "[W, s]"), ("norm(T) - nuclear_norm(T)", "T"), ("x[0]*x[1] + x[2]^2", "x"),
    ("100*(x[1] - x[0]^2)^2 + (1 - x[0])^2", "x"), ("-sum(softmax(z)*log_softmax(z))", "z"),
]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> symgen.Model:
    return symgen.loads(SPEC)


@pytest.mark.parametrize("f, x", CONVEX)
def test_a_convex_function_is_proved_so(model: symgen.Model, f: str, x: str) -> None:
    d = model.derive(f"convex({f}, {x})")
    assert d.result.status == "proved" and d.evidence.kind == "proved"
    assert d.text() and d.to_json()


@pytest.mark.parametrize("f, x", NOT_CONVEX)
def test_a_function_that_is_not_convex_is_refuted_by_a_witness(model: symgen.Model, f: str, x: str) -> None:
    r = model.derive(f"convex({f}, {x})").result
    assert r.status == "refuted"
    assert r.direction.get("curvature", 0) < 0 or r.direction.get("above", 0) > 0
    assert "v = " in model.derive(f"convex({f}, {x})").text()


@pytest.mark.parametrize("f, x", CONVEX)
def test_the_opposite_of_a_proved_one_is_never_proved(model: symgen.Model, f: str, x: str) -> None:
    status = model.derive(f"convex(-({f}), {x})").result.status
    assert status != "proved" or f == "y @ X @ w"  # what is linear is both


@pytest.mark.parametrize("f, x, strict, modulus", [
    ("norm(r)^2/2 + lam/2*w @ w", "w", True, "lam"), ("sum(softplus(X @ w)) + 3*norm(w)^2", "w", True, "6"),
    ("sum(abs(w)) + norm(w - v)^2", "w", True, "2"), ("t^2 + exp(t)", "t", True, "2"), ("sum(abs(r))", "w", None, None),
    ("sum(log(1 + exp(X @ w)))", "w", None, None), ("y @ X @ w", "w", False, None), ("exp(t)", "t", True, None),
])  # fmt: skip
def test_squares_make_it_strict(model: symgen.Model, f: str, x: str, strict: bool | None, modulus: str | None) -> None:
    r = model.derive(f"convex({f}, {x})").result
    assert r.strict == strict
    assert (None if r.modulus is None else str(r.modulus)) == modulus


def test_the_rules_are_steps_from_the_inside_out(model: symgen.Model) -> None:
    d = model.derive("convex(sum(log(1 + exp(-y*(X @ w)))), w)")
    reasons = [s.reason for s in d.steps]
    assert reasons.index("convex: `exp` of what is affine") < reasons.index("convex: the logarithm of what is log-convex")


def test_a_set_that_is_not_convex_is_refused(model: symgen.Model) -> None:
    with pytest.raises(symgen.CannotDerive, match="orthogonal"):
        model.derive("convex(tr(Q), Q)")
