"""What is called convex lies below its chords at random points; what is refuted has its witness; neither is guessed."""

from __future__ import annotations

import pytest

import symgen

SPEC = """
dim n, d, k
data X: real[n, d], y: real[n], b: binary[n], Y: onehot[n, k], V: real[n, k]
param w: real[d], S: spd[d, d], z: real[k], U: real[d, k], t: real, s: positive, p: simplex[k], W: real[d, k]
param A: real[d, d], u: unit, Q: orthogonal[d, d]
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
]  # fmt: skip
NOT_CONVEX = [
    ("w @ A @ w", "w"), ("t^3", "t"), ("t^4 - t^2", "t"), ("sum(sin(w))", "w"), ("sum(tanh(w))", "w"),
    ("sum(log(1 + r^2))", "w"), ("logdet(S)", "S"), ("-norm(w)", "w"), ("log(s)", "s"), ("sum(q)", "w"),
    ("-sum(p*log(p))", "p"), ("min(X @ w)", "w"), ("prod(z)", "z"),
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


def test_a_set_that_is_not_convex_is_refused(model: symgen.Model) -> None:
    with pytest.raises(symgen.CannotDerive, match="orthogonal"):
        model.derive("convex(tr(Q), Q)")
