"""What gradients are of expectations, pieces and shared expressions; what is said; what cannot be derived."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from symgen.algebra.collect import written_length
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.gradient import gradient, jacobian
from symgen.derivation.context import BudgetSpent, Context
from symgen.tensor.clock import spent
from symgen.tensor.evaluate import FLOAT, Point, evaluate
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Entry,
    Operator,
    Var,
    axis,
    count_nodes,
    dim,
    entry,
    expect,
    fn,
    operation,
    operator,
    tensor,
    topological,
    var,
)
from symgen.tensor.formula import read, read_value
from symgen.text.diagnostics import CannotDerive
from tests.calculus.problems import MLP, Problem
from tests.calculus.test_gradient import agree, along, contracted, direction_of, point_for, value

k, n, d = dim("k"), dim("n"), dim("d")


# --- simplification ---------------------------------------------------------------------------------------------------

SHORTER = [
    ("p*(1-p)*(-(y/p) + (1-y)/(1-p))", "p - y", "p y"),
    ("exp(a)*exp(-a)", "1", "a"),
    ("x/(x^2)*x", "1", "x"),
    ("(a^2 - b^2)/(a - b)", "a + b", "a b"),
    ("1/(1 + 1/x)", "x/(1 + x)", "x"),
    ("(x - 1)*(x + 1)/(x^2 - 1)", "1", "x"),
    ("sqrt(x)*sqrt(x)/x", "1", "x"),
    ("exp(2*a)/exp(a) - exp(a)", "0", "a"),
    ("s - 1/s + 1/s", "s", "s"),
    ("a/(a + b) + b/(a + b)", "1", "a b"),
    ("(1 - t^2)*a + (1 - t^2)*b", "(1 - t^2)*(a + b)", "t a b"),
    ("where(x < 0, a, 0) + where(x >= 0, b, 0)", "where(x < 0, a, b)", "x a b"),
]


@pytest.mark.parametrize("given, short, names", SHORTER)
def test_simplification_is_equal_and_as_short_as_by_hand(given: str, short: str, names: str) -> None:
    variables = {name: var(name, ()) for name in names.split()}
    body = read_value(given, variables).body
    got = simplify_scalar(body)
    assert written_length(got) <= written_length(read_value(short, variables).body)
    rng = np.random.default_rng(2)
    point = Point({}, {v: rng.uniform(0.2, 0.8) for v in variables.values()})
    x, y = evaluate([tensor((), body), tensor((), got)], point, FLOAT)
    assert float(x) == pytest.approx(float(y), rel=1e-12, abs=1e-12)


def test_a_large_expression_is_left_alone_quickly() -> None:
    x = [entry(var(f"x{i}", ())) for i in range(40)]
    body = ONE
    for a, b in pairwise(x):
        body = read_value("(s + a/b)^3", {"s": body, "a": a, "b": b}).body
    start = time.monotonic()
    simplify_scalar(body)
    assert time.monotonic() - start < 20


# --- expectations -----------------------------------------------------------------------------------------------------


def reparameterised() -> tuple[Array, Var, Var, Var]:
    mu, s = var("mu", (k,)), var("s", (k,), "positive")
    eps = var("eps", (k,), "real", "random")
    z = read("mu + s*eps", {"mu": mu, "s": s, "eps": eps})
    inside = read("sum(tanh(z)*z) + norm(mu)^2", {"z": z, "mu": mu})
    return tensor((), expect(entry(inside), [eps], ["Normal(0, 1)"])), mu, s, eps


def test_gradient_of_an_expectation_is_the_expectation_of_the_gradient() -> None:
    f, mu, s, eps = reparameterised()
    g = gradient(f, [mu, s], Context())
    rng = np.random.default_rng(4)
    draws = list(rng.normal(size=(6, 3)))
    point = Point({"k": 3}, {mu: rng.normal(size=3), s: rng.uniform(0.5, 2, size=3)}, draws={eps: draws})

    def at(v: Var, t: float, i: int) -> float:
        moved = point.values[v] + t * np.eye(3)[i]
        return float(evaluate([f], Point({"k": 3}, {**point.values, v: moved}, draws={eps: draws}), FLOAT)[0])

    for v in (mu, s):
        got = np.asarray(evaluate([g[v]], point, FLOAT)[0], float)
        want = [(at(v, 1e-5, i) - at(v, -1e-5, i)) / 2e-5 for i in range(3)]
        assert np.allclose(got, want, rtol=1e-7, atol=1e-8)


def test_what_does_not_depend_on_the_noise_is_not_averaged() -> None:
    f, mu, _, eps = reparameterised()
    g = gradient(f, [mu], Context())[mu]
    terms = g.body.args  # type: ignore[attr-defined]
    assert any(eps not in t.atoms(Var) for t in terms)


def test_an_unreduced_expectation_is_linear() -> None:
    w, x = var("w", (d,)), var("x", (d,), "real", "random")
    law = operator("density", (), (d,), ("law", "p_data"))
    body = read("log(sigmoid(w@x))", {"w": w, "x": x})
    f = tensor((), entry(operator("E", (body, law), (), ((x,),))))
    g = gradient(f, [w], Context())[w]
    found = [a for a in topological(g) if isinstance(a, Operator) and a.name == "E"]
    assert len(found) == 1 and found[0].args[1] is law
    assert found[0].attrs == ((x,),)
    assert g.shape == (d,)


# --- sharing, pieces, structure ---------------------------------------------------------------------------------------


def test_cost_is_linear_where_subexpressions_are_shared() -> None:
    x = var("x", ())
    e = entry(x)
    for _ in range(60):
        e = read_value("tanh(e) + e*y", {"e": e, "y": entry(var("y", ()))}).body
    f = tensor((), e)
    start = time.monotonic()
    g = gradient(f, [x], Context())[x]
    assert time.monotonic() - start < 20
    assert count_nodes(g) < 4000


def test_product_is_differentiated_without_division() -> None:
    x = var("x", (n,))
    f = read("prod(x)", {"x": x})
    g = gradient(f, [x], Context())[x]
    got = evaluate([g], Point({"n": 3}, {x: np.array([0.0, 2.0, 5.0])}), FLOAT)[0]
    assert np.allclose(got, [10, 0, 0])


def test_a_piece_that_is_not_taken_does_not_spoil_the_gradient() -> None:
    x = var("x", (n,))
    f = read("sum(where(x > 0, sqrt(x), 0))", {"x": x})
    g = gradient(f, [x], Context())[x]
    got = evaluate([g], Point({"n": 2}, {x: np.array([4.0, 0.0])}), FLOAT)[0]
    assert np.allclose(got, [0.25, 0.0])


@pytest.mark.parametrize("f, words", [("sum(abs(x))", "abs"), ("sum(relu(x))", "relu"), ("max(x)", "max")])
def test_kinks_and_ties_are_said(f: str, words: str) -> None:
    x = var("x", (n,))
    ctx = Context()
    gradient(read(f, {"x": x}), [x], ctx)
    assert any(words in c for c in ctx.trace.conditions)


def test_the_set_of_a_structured_variable_is_said() -> None:
    S = var("S", (n, n), "spd")
    f = read("logdet(S) + tr(A@S)", {"S": S, "A": var("A", (n, n))})
    ctx = Context()
    within, free = gradient(f, [S], ctx)[S], gradient(f, [S], Context(), "free")[S]
    assert within is not free
    assert "gradient_within_set" in {s.rule for s in ctx.trace.steps}
    tied = gradient(f, [S], Context(), "tied")[S]
    A = np.arange(9.0).reshape(3, 3) + np.eye(3)
    P = A @ A.T + np.eye(3)
    point = Point({"n": 3}, {S: P, var("A", (n, n)): A})
    e, w, t = (np.asarray(evaluate([a], point, FLOAT)[0], float) for a in (free, within, tied))
    assert np.allclose(w, (e + e.T) / 2)
    assert np.allclose(t, e + e.T - np.diag(np.diag(e)))


# --- names, steps, refusals -------------------------------------------------------------------------------------------


def test_adjoints_get_the_names_people_use() -> None:
    problem = Problem("deep", MLP, "mean((H@W2 + b2 - Y)^2)", "W1", "Z = X@W1 + b1; H = gelu(Z)")
    f, x, names = problem.parts()
    scope = problem.scope()
    ctx = Context(names=names)
    gradient(f, [x, scope["b1"]], ctx)  # type: ignore[list-item]
    assert "delta_Z" in ctx.trace.names.values()


def test_a_step_says_before_and_after_and_the_last_one_is_the_result() -> None:
    f, x, names = Problem("r", "X[n, d]; y[n]; w[d]", "norm(X@w - y)^2", "w").parts()
    ctx = Context(names=names)
    g = gradient(f, [x], ctx)[x]
    assert ctx.trace.steps[-1].after is g
    assert isinstance(ctx.trace.steps[-1].before, Operator)


def test_the_gradient_by_what_f_does_not_contain_is_zero_and_said() -> None:
    x, y = var("x", (n,)), var("y", (n,))
    ctx = Context()
    g = gradient(read("x@x", {"x": x}), [y], ctx)[y]
    assert g is tensor((axis(0, n),), ZERO)
    assert ctx.trace.steps[-1].rule == "independent"


@pytest.mark.parametrize("make, name", [
    (lambda x: operator("KL", (x,)), "KL"),
    (lambda x: operator("apply", (x,), (), ("f",)), "apply"),
    (lambda x: tensor((), fn("nonesuch", entry(x))), "nonesuch"),
    (lambda x: tensor((), fn("besseli", entry(x), ONE)), "besseli"),
    (lambda x: operation("sort", (tensor((axis(0, n),), entry(x)),), (n,)), "sort"),
])  # fmt: skip
def test_what_has_no_rule_is_refused_with_the_part_and_the_file(make: object, name: str) -> None:
    x = var("x", ())
    inner = make(x)  # type: ignore[operator]
    f = inner if inner.rank == 0 else read("sum(v)", {"v": inner})
    f = read("exp(u) + 1", {"u": f})
    with pytest.raises(CannotDerive, match=name) as error:
        gradient(f, [x], Context())
    assert error.value.expression is not None
    assert error.value.where_to_add


def test_the_gradient_of_an_array_is_refused() -> None:
    x = var("x", (n,))
    with pytest.raises(CannotDerive, match="scalar"):
        gradient(x, [x], Context())


def test_a_spent_budget_stops_the_sweep() -> None:
    f, x, _ = Problem("r", "X[n, d]; y[n]; w[d]", "norm(X@w - y)^2", "w").parts()
    with pytest.raises(BudgetSpent):
        gradient(f, [x], Context(deadline=spent() - 1))


def test_the_identity_has_the_jacobian_delta() -> None:
    x = var("x", (n,))
    j = jacobian(x, x, Context())
    assert np.allclose(evaluate([j], Point({"n": 4}, {}), FLOAT)[0], np.eye(4))


def test_gradient_by_several_is_that_by_each() -> None:
    problem = Problem("m", MLP, "norm(H@W2 + b2 - Y)^2/n", "W1", "H = tanh(X@W1 + b1)")
    scope = problem.scope()
    f, _, names = problem.parts()
    xs = [scope[name] for name in ("W1", "b1", "W2", "b2")]
    assert all(isinstance(x, Var) for x in xs)
    together = gradient(f, xs, Context(names=names))  # type: ignore[arg-type]
    for x in xs:
        assert isinstance(x, Var)
        point = point_for(problem, [f, together[x], x])
        direction = direction_of(x, point, None)
        agree(contracted(value(together[x], point), direction), along(f, x, point, direction))
        assert not isinstance(together[x], Entry)
