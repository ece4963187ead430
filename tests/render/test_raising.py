"""What is raised reads as in a paper, and parses back to the same array."""

import random

import numpy as np
import pytest

from symgen.calculus.gradient import gradient
from symgen.derivation.context import Context
from symgen.render.bindings import raise_with_bindings
from symgen.render.language import unparse
from symgen.render.measures import TooLong
from symgen.render.raising import raise_array, raise_scalar
from symgen.tensor import expression as x
from symgen.tensor.formula import read

from .worlds import LEAVES, SCOPE, VARIABLES, Grammar, d, k, n, numbers, printed, round_trip

pytestmark = pytest.mark.filterwarnings("ignore")
NAMED = {
    "p": read("sigmoid(A @ x)", SCOPE),
    "P": read("softmax(X @ W + b)", SCOPE),
    "H": read("tanh(X @ W)", SCOPE),
}

# what is meant -> how a paper writes it
FORMS = {
    "sum[i: n](X[i, 0]*(x[i] - y[i]))": "X[:, 0] @ (x - y)",
    "tensor[j: d](sum[i: n](X[i, j]*(x[i] - y[i]))/n)": "X' @ (x - y)/n",
    "tensor[j: d](sum[i: n](X[i, j]*(x[i] - y[i]))/n + s*w[j])": "X' @ (x - y)/n + s*w",
    "tensor[i: d, j: d](sum[l: n](X[l, i]*x[l]*X[l, j]))": "X' @ diag(x) @ X",
    "tensor[i: n, j: n](where(i <= j, A[i, j], 0))": "triu(A)",
    "diag(x) - outer(x, x)": "diag(x) - outer(x, x)",
    "tensor[i: n, j: d](X[i, j] - sum[l: d](X[i, l])/d)": "X - sum(X, axis=1, keepdims=True)/d",
    "tensor[i: n, j: d](X[i, j]*w[j]/sqrt(1 + sum[l: d](X[i, l]^2)))": "w*X/sqrt(1 + sum(X^2, axis=1, keepdims=True))",
    "A + A'": "A + A'",
    "tensor[i: n, j: n](-sum[l: n](inv(A)[l, i]*B[l, j]))": "-inv(A)' @ B",
    "sum[i: n, j: n](A[i, j]*B[j, i])": "tr(A @ B)",
    "sum[i: n, j: n](A[i, j]*B[i, j])": "sum(A*B)",
    "sum[i: n, j: n, l: n](A[i, j]*B[j, l]*inv(A)[l, i])": "tr(inv(A) @ A @ B)",
    "sum[i: n, j: n](x[i]*A[i, j]*y[j])": "x @ A @ y",
    "sum[i: n](A[i, i])": "tr(A)",
    "tensor[i: n](A[i, i])": "diagonal(A)",
    "tensor[i: n](sum[j: n](A[i, j]))": "sum(A, axis=1)",
    "tensor[j: n](sum[i: n](A[i, j]))": "sum(A, axis=0)",
    "sum(A^2)": "norm(A)^2",
    "sum(x^2)": "x @ x",
    "sqrt(sum((x - y)^2))": "norm(x - y)",
    "2*X' @ (X @ w - y)": "2*X' @ (X @ w - y)",
    "x/2 + y/2 - 3*t": "(x + y)/2 - 3*t",
    "-x/2": "-x/2",
    "1 - x": "1 - x",
    "x - 1": "x - 1",
    "t^2 + 2*t + 1": "t^2 + 2*t + 1",
    "1 + exp(-t)": "1 + exp(-t)",
    "exp(A)/sum(exp(A), axis=1, keepdims=True)": "exp(A)/sum(exp(A), axis=1, keepdims=True)",
    "X @ W + b": "X @ W + b",
    "A/x[:, None]": "diag(1/x) @ A",
    "A*x": "A @ diag(x)",
    "x[1:] - x[:-1]": "x[1:] - x[:n - 1]",
    "where(x < 0, -x, x)": "where(x < 0, -x, x)",
    "max(A, axis=1)": "max(A, axis=1)",
    "prod(x)": "prod(x)",
    "sum(x*log(y))": "sum(x*log(y))",
    "zeros(n, d)": "zeros(n, d)",
    "s*ones(n)": "s*ones(n)",
    "sqrt(d)*t^(3/2)/(s*n)": "t^(3/2)*sqrt(d)/(n*s)",
}  # fmt: skip


@pytest.mark.parametrize("text, wanted", FORMS.items())
def test_results_read_as_in_a_paper(text, wanted):
    assert printed(read(text, SCOPE)) == wanted


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("X' @ (p*(1 - p)*x)", "X' @ (p*x*(1 - p))"),
        ("X' @ diag(p*(1 - p)) @ X/n + t*eye(d)", "X' @ diag(p*(1 - p)) @ X/n + t*eye(d)"),
        ("diag(p) - outer(p, p)", "diag(p) - outer(p, p)"),
        ("-sum(V*log(P))/n", "-sum(V*log(P))/n"),
        ("X' @ ((P - V) @ W'*(1 - X^2))", "X' @ ((1 - X^2)*((P - V) @ W'))"),
        ("sum(P - V, axis=0)", "sum(P - V, axis=0)"),
    ],
)
def test_named_arrays_keep_their_names(text, wanted):
    array = read(text, {**SCOPE, **NAMED})
    names = {a: name for name, a in NAMED.items()}
    assert printed(array, names) == wanted
    _, back = round_trip(array, names)
    assert np.allclose(numbers(array), numbers(back))


def same_numbers(array):
    text, back = round_trip(array)
    want, got = numbers(array), numbers(back)
    assert want.shape == got.shape, text
    assert np.allclose(want, got, rtol=1e-9, atol=1e-12, equal_nan=True), text


@pytest.mark.parametrize("block", range(10))
def test_random_expressions_parse_back_to_equal_arrays(block):
    checked = 0
    for seed in range(40 * block, 40 * block + 40):
        grammar = Grammar(seed)
        text = grammar.make(grammar.r.choice(list(LEAVES)), grammar.r.choice([1, 2, 3]))
        try:
            array = read(text, SCOPE)
        except Exception:
            continue  # shapes that the grammar of the test does not keep
        if "/0" in printed(array):
            continue  # a difference that is zero came under a bar
        same_numbers(array)
        checked += 1
    assert checked > 30


def network(seed):
    """A product of entries over random indices, summed over some."""
    r = random.Random(seed)
    vectors = {n: ["x", "y"], d: ["w", "v"], k: ["b"]}
    matrices = [("X", n, d), ("Y", n, d), ("A", n, n), ("B", n, n), ("C", d, d), ("W", d, k), ("V", n, k)]
    indices = {s: [x.fresh_index(s) for _ in range(r.choice([1, 2, 2, 3]))] for s in (n, d, k)}
    factors = []
    for _ in range(r.choice([1, 2, 3, 3, 4, 5])):
        s = r.choice([n, d, k])
        i = r.choice(indices[s])
        kind = r.random()
        if kind < 0.6:
            name, p, q = r.choice(matrices)
            f = x.entry(VARIABLES[name], r.choice(indices[p]), r.choice(indices[q]))
        elif kind < 0.85:
            f = x.entry(VARIABLES[r.choice(vectors[s])], i)
        elif kind < 0.92:
            f = x.delta(i, r.choice(indices[s]))
        else:
            f = x.fn("tanh", x.sub(x.entry(VARIABLES[r.choice(vectors[s])], i), x.entry(VARIABLES["s"])))
        factors.append(x.power(f, x.num(r.choice([2, -1, 3]))) if r.random() < 0.15 else f)
    if r.random() < 0.2:
        factors.append(x.entry(VARIABLES["T"], *(r.choice(indices[s]) for s in (n, d, k))))
    body = x.mul(*factors)
    free = sorted(body.free, key=lambda i: i.number)
    r.shuffle(free)
    shown = free[: r.choice([0, 0, 1, 1, 2, 2, 2, 3])]
    body = x.total(body, [i for i in free if i not in shown])
    if shown and r.random() < 0.3:
        rest = [x.entry(VARIABLES[vectors[i.size][0]], i) for i in shown]
        body = x.add(body, x.mul(x.num(r.choice([-1, 2])), *rest))
    return x.tensor(shown, body)


@pytest.mark.parametrize("block", range(5))
def test_contractions_of_any_shape_parse_back_to_equal_arrays(block):
    for seed in range(100 * block, 100 * block + 100):
        same_numbers(network(seed))


@pytest.mark.parametrize("seed", range(30))
def test_gradients_parse_back_to_equal_arrays(seed):
    grammar = Grammar(1000 + seed)
    try:
        f = read(grammar.make((), 3), SCOPE)
    except Exception:
        return
    variables = [v for v in VARIABLES.values() if v in x.variables_of(f)]
    for g in gradient(f, variables, Context()).values():
        if "/0" not in printed(g):
            same_numbers(g)


def test_the_order_of_terms_and_factors_does_not_depend_on_the_order_of_birth():
    a, b = x.var("a_first", (n,)), x.var("b_second", (n,))
    i = x.fresh_index(n)
    one = printed(x.tensor([i], x.add(x.entry(a, i), x.entry(b, i))))
    c, e = x.var("z_early", (n,)), x.var("c_late", (n,))
    assert one == "a_first + b_second"
    assert printed(x.tensor([i], x.add(x.entry(c, i), x.entry(e, i)))) == "c_late + z_early"


def test_indices_take_no_name_that_is_taken():
    i, j = x.var("i", (n,)), x.var("j", (d,))
    a, b, c = x.fresh_index(n), x.fresh_index(d), x.fresh_index(k)
    body = x.mul(x.entry(i, a), x.entry(j, b), x.entry(VARIABLES["T"], a, b, c))
    text = printed(x.tensor([a, b, c], body))
    assert text == "tensor[l: n, m: d, r: k](i[l]*j[m]*T[l, m, r])"


def test_parts_that_occur_twice_get_names():
    array = read("X' @ softmax(A @ x + y)*sum(softmax(A @ x + y)) + X' @ inv(A @ A' + B) @ inv(A @ A' + B) @ y", SCOPE)
    tree, parts = raise_with_bindings(array)
    scope = dict(SCOPE)
    for name, part in parts:
        scope[name] = read(unparse(part), scope)
    assert [name for name, _ in parts] == ["p", "M"]
    assert np.allclose(numbers(read(unparse(tree), scope)), numbers(array))


def test_what_would_be_endless_is_refused_and_told_in_parts():
    array = VARIABLES["x"]
    for _ in range(40):
        i = x.fresh_index(n)
        array = x.tensor([i], x.mul(x.fn("tanh", x.entry(array, i)), x.fn("exp", x.entry(array, i))))
    with pytest.raises(TooLong):
        raise_array(array)
    tree, parts = raise_with_bindings(array)
    assert len(parts) >= 38 and len(unparse(tree)) < 100


def test_a_scalar_with_free_indices_is_written_in_their_names():
    i, j = x.fresh_index(n), x.fresh_index(n)
    body = x.mul(x.entry(VARIABLES["A"], i, j), x.entry(VARIABLES["x"], j))
    assert unparse(raise_scalar(body, {i: "i", j: "j"})) == "A[i, j]*x[j]"
