"""Backpropagation through time agrees with differences, for recurrences of first and second order."""
# ruff: noqa: E501

from __future__ import annotations

import pytest

import symgen
from symgen.calculus.gradient import gradient, jacobian
from symgen.calculus.hessian import hessian
from symgen.derivation.context import Context
from symgen.derivation.referee import check_equal_numeric
from symgen.tensor import build
from symgen.tensor.expression import (
    ONE,
    Array,
    Recurrence,
    Scalar,
    Var,
    add,
    axis,
    dim,
    recurrence,
    tensor,
    topological,
    var,
)
from symgen.tensor.formula import read, read_value
from tests.calculus.problems import Problem
from tests.calculus.test_gradient import agree, along, contracted, direction_of, point_for, value

SEQUENCES = {
    # declarations; the first entries; the rule; f
    "rnn": ("A[k, k]; B[k, d]; x[T, d]; h0[k]; c[k]", ["h0"], "tanh(A@h[t-1] + B@x[t-1])", "c@h[T]"),
    "rnn_all_states": ("A[k, k]; B[k, d]; x[T, d]; h0[k]; y[T, k]", ["h0"], "tanh(A@h[t-1] + B@x[t-1])", "norm(h[1:] - y)^2"),
    "linear": ("A[k, k]; h0[k]; c[k]", ["h0"], "A@h[t-1]", "c@h[T]"),
    "scalar": ("a; h0; b", ["h0"], "a*h[t-1] + b", "h[T]^2"),
    "geometric": ("a; h0", ["h0"], "a*h[t-1]", "sum(h)"),
    "logistic_map": ("r; h0: unit", ["h0"], "r*h[t-1]*(1 - h[t-1])", "h[T]"),
    "gated": ("U[k, k]; V[k, k]; h0[k]; c[k]", ["h0"], "sigmoid(U@h[t-1])*h[t-1] + (1 - sigmoid(U@h[t-1]))*tanh(V@h[t-1])", "c@h[T]"),
    "softmax": ("W[k, k]; h0[k]; c[k]", ["h0"], "softmax(W@h[t-1])", "c@h[T]"),
    "batched": ("A[k, k]; H[n, k]; c[k]", ["H"], "tanh(h[t-1]@A)", "sum(h[T]@c)"),
    "second_order": ("a; b; p; q", ["p", "q"], "sin(a*h[t-1]) + b*h[t-2]", "sum(h^2)"),
    "second_order_gap": ("a; p; q", ["p", "q"], "sin(a*h[t-2])", "h[T]*h[T-1]"),
    "moving_average": ("g: unit; x[T]; h0", ["h0"], "g*h[t-1] + (1-g)*x[t-1]", "h[1:]@x"),
    "constant_step": ("A[k, k]; x[T, k]; h0[k]", ["h0"], "tanh(A@x[t-1])", "sum(h)"),
}  # fmt: skip


def program(case: str) -> tuple[Array, dict[str, Array | Scalar], Array]:
    """f, the scope and the sequence; T runs from 1, or from 2 for two first entries."""
    declared, first, rule, f = SEQUENCES[case]
    scope = Problem(case, declared, f, "").scope()
    T = scope.setdefault("T", dim("T"))
    assert not isinstance(T, Array)
    length = add(T, ONE)
    base = [scope[b] for b in first]
    shape = (length, *base[0].shape)  # type: ignore[union-attr]
    own = var("h", shape, role="recurrence", uid=1)
    t = axis(0, length)
    body = build.broadcast_to(read_value(rule, {**scope, "h": own, "t": t}, {t: len(base)}), shape[1:])
    h = recurrence(own, tensor((t, *body.indices), body.body), base)  # type: ignore[arg-type]
    scope["h"] = h
    return read(f, scope), scope, h


CASES = [(case, x) for case, (declared, *_) in SEQUENCES.items() for x in
         (d.partition("[")[0].partition(":")[0].strip() for d in declared.split(";"))]  # fmt: skip


@pytest.mark.parametrize("case, x", CASES)
def test_gradient_through_time_is_the_slope(case: str, x: str) -> None:
    f, scope, h = program(case)
    v = scope[x]
    assert isinstance(v, Var)
    ctx = Context(names={h: "h"})
    g = gradient(f, [v], ctx)[v]
    point = point_for(Problem(case, "", "", x), [f, g, v])
    d = direction_of(v, point, None)
    agree(contracted(value(g, point), d), along(f, v, point, d))


def test_the_adjoint_of_a_recurrence_is_a_reversed_recurrence() -> None:
    f, scope, h = program("rnn")
    ctx = Context(names={h: "h"})
    A = scope["A"]
    assert isinstance(A, Var)
    g = gradient(f, [A], ctx)[A]
    found = [a for a in topological(g) if isinstance(a, Recurrence) and a.reverse]
    assert len(found) == 1
    assert ctx.trace.names[found[0]] == "delta_h"
    assert "backpropagation_through_time" in {s.rule for s in ctx.trace.steps}


@pytest.mark.parametrize("case, x", [("scalar", "a"), ("rnn", "h0"), ("logistic_map", "r"), ("second_order", "a")])
def test_hessian_through_time_is_the_slope_of_the_gradient(case: str, x: str) -> None:
    f, scope, h = program(case)
    v = scope[x]
    assert isinstance(v, Var)
    ctx = Context(names={h: "h"})
    g, second = gradient(f, [v], ctx)[v], hessian(f, v, ctx)
    point = point_for(Problem(case, "", "", x), [f, g, second, v])
    d = direction_of(v, point, None)
    agree(contracted(value(second, point), d), along(g, v, point, d))


@pytest.mark.parametrize("case, x", [("rnn", "A"), ("linear", "h0"), ("batched", "A")])
def test_jacobian_of_the_last_state_is_its_slope(case: str, x: str) -> None:
    _, scope, h = program(case)
    v, last = scope[x], read("h[T]", scope)
    assert isinstance(v, Var)
    j = jacobian(last, v, Context(names={h: "h"}))
    point = point_for(Problem(case, "", "", x), [last, j, v])
    d = direction_of(v, point, None)
    agree(contracted(value(j, point), d), along(last, v, point, d))


SEQUENCE = """
dim T, h
data x: real[T, h], y: real[h]
param A: real[h, h], B: real[h, h], h0: real[h], W: real[T, h, h], c: real[T, h]
let s[0] = h0
let s[t: 1..T] = tanh(A @ s[t-1] + x[t-1])
let z[0] = h0
let z[l: 1..T] = tanh(W[l-1] @ z[l-1] + c[l-1])
loss L = norm(s[T] - y)^2/2
loss M = norm(z[T] - y)^2/2
"""
BY_SEQUENCE = {
    "grad(L, A)": "(grad(L, s)[1:]'*(1 - s[1:]'^2)) @ s[:T]",
    "grad(L, h0)": "grad(L, s)[0]",
    "grad(L, x)": "grad(L, s)[1:]*(1 - s[1:]^2)",
    "grad(M, W)": None,
    "grad(M, c)": "grad(M, z)[1:]*(1 - z[1:]^2)",
    "grad(L, s)": "grad(L, s)",
    "jacobian(s[T], h0)": "jacobian(s[T], s)[:, 0]",
}


@pytest.mark.parametrize("goal", BY_SEQUENCE)
def test_the_adjoint_of_a_sequence_is_the_gradient_by_it(goal: str) -> None:
    """Layers that repeat: the result speaks of the adjoint recurrence as grad(L, s), and parses back."""
    m = symgen.loads(SEQUENCE)
    d = m.derive(goal)
    assert d.text_result == BY_SEQUENCE[goal] or (BY_SEQUENCE[goal] is None and "grad(M, z)[i + 1, j]" in d.text_result)
    assert d.evidence.kind == "checked"
    assert m.check(f"{goal} = {d.text_result}").status == "proved"


def test_the_forward_and_the_backward_recurrence_are_printed() -> None:
    text = symgen.loads(SEQUENCE).derive("grad(M, W)").text()
    for line in ("z[t] = tanh(W[t - 1] @ z[t - 1] + c[t - 1])", "δ_z[T] = z[T] - y", "(δ_z[t + 1]*(1 - z[t + 1]^2))"):
        assert line in text


WRITTEN_OUT = """
dim n, d, T
data x: real[T + 1, d]
param A: real[n, n], B: real[n, d], W: real[n, n], h0: real[n], c: real[n], a: real, g: unit
let h[0] = h0
let h[t: 1..T] = tanh(A @ h[t-1] + B @ x[t])
let e[0] = 0
let e[t: 1..T] = g*e[t-1] + (1 - g)*a*t
let q[0] = h0
let z[t: 1..T] = sigmoid(W @ q[t-1])
let q[t: 1..T] = (1 - z[t])*q[t-1] + z[t]*tanh(A @ q[t-1] + B @ x[t])
"""


@pytest.mark.parametrize("goal", ["grad(c @ q[T], W)", "hessian(e[T], g)", "hvp(c @ h[T], h0, c)", "hessian(c @ h[T], h0)"])
def test_sequences_that_have_no_name_are_written_out(goal):
    m = symgen.loads(WRITTEN_OUT)
    d = m.derive(goal)
    assert check_equal_numeric(m.derive(d.text_result).array, d.array).kind == "checked"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("recurrence[s, t: 1..T](a, s[t - 1]*g + t)[T]", lambda a, g: ((a * g + 1) * g + 2) * g + 3),
        ("recurrence[s, t: 2..T](a, g, s[t - 1] + s[t - 2])[T]", lambda a, g: a + 2 * g),
        ("backward[s, t: T - 1..0](a, s[t + 1]*g + t)[0]", lambda a, g: ((a * g + 2) * g + 1) * g),
        ("sum(backward[s, t: T - 2..0](a, g, s[t + 1] - s[t + 2]))", lambda a, g: a + g + (g - a) + (g - a - g)),
    ],
)
def test_a_sequence_in_an_expression_is_made_entry_by_entry(text, value):
    assert symgen.loads(WRITTEN_OUT).derive(text).evaluate(a=0.7, g=0.4, T=3) == pytest.approx(value(0.7, 0.4), rel=1e-12)


@pytest.mark.parametrize("text", ["recurrence[s, t: 1..T](a, s[t])[T]", "recurrence[s, t: 1..T](a, s[t + 1])[T]",
                                  "backward[s, t: T - 1..0](a, s[t - 1])[0]", "recurrence[s, t: 1..T](a, sum(s))[T]"])  # fmt: skip
def test_a_sequence_is_not_made_from_what_comes_later(text):
    with pytest.raises(symgen.SpecError):
        symgen.loads(WRITTEN_OUT).derive(text)


KEPT = """
dim T, d
param F: real[d, d], V: spd[d, d], h: real[d], m: real[d]
let P = recurrence[P, t: 1..T - 1](V, F @ P[t - 1] @ F')
let S[t: T] = h @ P[t] @ h
let K[t: T, i: d] = h[i]/S[t]
let mu = recurrence[mu, t: 1..T - 1](m, mu[t - 1] + K[t - 1])
let L = sum(mu)
"""


def test_what_has_a_name_beside_a_recurrence_keeps_its_part_of_the_gradient():
    assert symgen.loads(KEPT).derive("grad(L, F)").evidence.kind == "checked"


def test_a_rule_may_read_an_operation_by_the_number_of_the_step():
    text = """
dim T, k
param A: simplex[k, k], l: real[T, k]
let a = recurrence[a, t: 1..T - 1](l[0], logsumexp(a[t - 1][:, None] + log(A), axis=0) + l[t])
let L = logsumexp(a[T - 1])
"""
    model = symgen.loads(text)
    assert model.derive("grad(L, A)").evidence.kind == "checked"
    found = model.derive("grad(L, l)").evaluate(A=[[0.7, 0.3], [0.4, 0.6]], l=[[0.0, 0.5], [1.0, -1.0], [0.2, 0.3]])
    assert abs(found.sum(axis=1) - 1).max() < 1e-12  # the probabilities of the states at each time
