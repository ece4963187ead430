"""The referee passes right derivatives and no wrong one."""

from __future__ import annotations

import time

import pytest
from identities import SCOPE

from symgen.derivation.referee import check_derivative, check_equal_numeric
from symgen.tensor.expression import Array, Var, entry, fn, fresh_index, mul, operator, power, tensor, total, var
from symgen.tensor.formula import read
from symgen.text.diagnostics import InternalError

# f, variable, its derivative, a near miss
GRADIENTS = """
u @ M @ u | u | (M + M') @ u | 2*(M @ u)
u @ M @ v | M | outer(u, v) | outer(v, u)
norm(X @ w)^2 | w | 2*(X' @ (X @ w)) | X' @ (X @ w)
sum(exp(u)) | u | exp(u) | u*exp(u)
logsumexp(u) | u | softmax(u) | exp(u)
logdet(M) | M | inv(M)' | inv(M)
logdet(S) | S | inv(S) | 2*inv(S)
tr(M @ N) | M | N' | N
sum(relu(u)) | u | where(u > 0, 1, 0) | where(u > 0, 1, -1)
norm(u) | u | u/norm(u) | u
sum(pi_*log(pi_)) | pi_ | log(pi_) - mean(log(pi_)) | log(pi_) + 2*mu
log(a) + a^2*x | a | 1/a + 2*a*x | 1/a + a*x
lgamma(a) | a | digamma(a) | log(a)
sigmoid(x)*y | x | y*sigmoid(x)*(1 - sigmoid(x)) | y*sigmoid(x)
mean((u - mean(u))^2) | u | 2*(u - mean(u))/n | 2*(u - mean(u))
tr(expm(M)) | M | expm(M') | expm(M)
"""
HESSIANS = """
u @ M @ u | u | M + M' | 2*M
sum(exp(u)) | u | diag(exp(u)) | diag(u)
logsumexp(u) | u | diag(softmax(u)) - outer(softmax(u), softmax(u)) | diag(softmax(u))
x^3*y | x | 6*x*y | 3*x*y
"""


def table(text: str) -> list[tuple[str, ...]]:
    return [tuple(p.strip() for p in line.split(" | ")) for line in text.strip().splitlines()]


def of(text: str) -> Array:
    return read(text, SCOPE)


@pytest.mark.parametrize(("f", "x", "right", "wrong"), table(GRADIENTS))
def test_right_gradients_pass_and_near_misses_do_not(f: str, x: str, right: str, wrong: str) -> None:
    v = SCOPE[x]
    assert isinstance(v, Var)
    evidence = check_derivative(of(f), [v], [of(right)])
    assert evidence.kind == "checked" and evidence.digits is not None and evidence.digits >= 15
    with pytest.raises(InternalError):
        check_derivative(of(f), [v], [of(wrong)])


@pytest.mark.parametrize(("f", "x", "right", "wrong"), table(HESSIANS))
def test_right_hessians_pass_and_near_misses_do_not(f: str, x: str, right: str, wrong: str) -> None:
    v = SCOPE[x]
    assert isinstance(v, Var)
    assert check_derivative(of(f), [v], [of(right)], order=2).kind == "checked"
    with pytest.raises(InternalError):
        check_derivative(of(f), [v], [of(wrong)], order=2)


def test_third_derivatives() -> None:
    u = SCOPE["u"]
    assert isinstance(u, Var)
    right = of("outer(u, u)")
    i, j, k = (fresh_index(u.shape[0]) for _ in range(3))
    third = tensor((i, j, k), mul(entry(of("24*diag(u)"), i, j), entry(of("eye(n)"), j, k)))
    assert check_derivative(of("sum(u^4)"), [u], [third], order=3).kind == "checked"
    wrong = tensor((i, j, k), mul(entry(right, i, j), entry(of("eye(n)"), j, k)))
    with pytest.raises(InternalError):
        check_derivative(of("sum(u^4)"), [u], [wrong], order=3)


def test_a_jacobian_has_the_axes_of_f_first() -> None:
    u, m = SCOPE["u"], SCOPE["M"]
    assert isinstance(u, Var) and isinstance(m, Array)
    assert check_derivative(of("M @ u"), [u], [m]).kind == "checked"
    with pytest.raises(InternalError):
        check_derivative(of("M @ u"), [u], [of("M'")])


def test_several_variables_at_once() -> None:
    names = ["u", "v", "M"]
    variables = [SCOPE[n] for n in names]
    results = [of("M @ v"), of("M' @ u"), of("outer(u, v)")]
    assert check_derivative(of("u @ M @ v"), variables, results).kind == "checked"  # type: ignore[arg-type]


def test_what_cannot_be_evaluated_is_unknown() -> None:
    x = SCOPE["x"]
    assert isinstance(x, Var)
    f = operator("grad", (x, x))
    assert check_derivative(tensor((), entry(f)), [x], [x]).kind == "unknown"


def test_a_hundred_layers_are_checked_in_two_seconds() -> None:
    n = var("x0", (SCOPE["n"],)).shape[0]
    h: Array = var("x0", (n,))
    weights = []
    for layer in range(100):
        w = var(f"W{layer}", (n, n))
        weights.append(w)
        i, j = fresh_index(n), fresh_index(n)
        z = tensor([i], total(mul(entry(w, i, j), entry(h, j)), [j]))
        h = tensor([i], fn("tanh", entry(z, i)))
    i = fresh_index(n)
    loss = tensor((), total(power(entry(h, i), read("2", {}).body), [i]))  # type: ignore[attr-defined]
    start = time.process_time()
    with pytest.raises(InternalError):
        check_derivative(loss, weights, weights)
    assert time.process_time() - start < 20


def test_two_forms_of_one_value() -> None:
    assert check_equal_numeric(of("log(1 + exp(x))"), of("x + log(1 + exp(-x))")).kind == "checked"
    with pytest.raises(InternalError):
        check_equal_numeric(of("log(1 + exp(x))"), of("x - log(1 + exp(-x))"))
