"""Values: against NumPy on whole arrays, against mpmath for functions, floats within the balls."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb
from identities import SCALARS, SCOPE, TENSORS, rows

from symgen.tensor.evaluate import BALL, FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    ZERO,
    Var,
    add,
    compare,
    delta,
    dim,
    entry,
    fn,
    fresh_index,
    mul,
    num,
    operator,
    recurrence,
    tensor,
    total,
    var,
    variables_of,
    where,
)
from symgen.tensor.field import Field
from symgen.tensor.formula import read
from symgen.tensor.numeric import FUNCTIONS
from symgen.tensor.sample import dims_of, generator, random_point, random_sizes, sizes_in

NUMPY = {
    "A @ B": lambda v: v["A"] @ v["B"],
    "tr(M @ N)": lambda v: np.trace(v["M"] @ v["N"]),
    "u @ M @ v": lambda v: v["u"] @ v["M"] @ v["v"],
    "M[1:, 0]": lambda v: v["M"][1:, 0],
    "u[::-1]": lambda v: v["u"][::-1],
    "reshape(A, [m*n])": lambda v: v["A"].reshape(-1),
    "vec(A)": lambda v: v["A"].reshape(-1, order="F"),
    "kron(M, A)": lambda v: np.kron(v["M"], v["A"]),
    "concat(u, v)": lambda v: np.concatenate([v["u"], v["v"]]),
    "cumsum(M, axis=0)": lambda v: np.cumsum(v["M"], axis=0),
    "softmax(M)": lambda v: np.exp(v["M"]) / np.exp(v["M"]).sum(axis=1, keepdims=True),
    "inv(M) @ u": lambda v: np.linalg.solve(v["M"], v["u"]),
    "logdet(S)": lambda v: np.linalg.slogdet(v["S"])[1],
    "cholesky(S)": lambda v: np.linalg.cholesky(v["S"]),
    "matpow(M, 3)": lambda v: np.linalg.matrix_power(v["M"], 3),
    "max(M, axis=1)": lambda v: v["M"].max(axis=1),
    "prod(u)": lambda v: v["u"].prod(),
    "outer(u, v)": lambda v: np.outer(v["u"], v["v"]),
    "diag(u)": lambda v: np.diag(v["u"]),
    "eye(n) - M'": lambda v: np.eye(len(v["M"])) - v["M"].T,
    "where(M > 0, M, 0)": lambda v: np.maximum(v["M"], 0),
    "var(A, axis=0)": lambda v: v["A"].var(axis=0),
    "sum[i](u[i]*v[n - 1 - i])": lambda v: v["u"] @ v["v"][::-1],
}


def point_for(*nodes: object, seed: object = 0, scale: int = 0) -> Point:
    rng = generator("evaluate", seed)
    variables = frozenset().union(*(variables_of(n) for n in nodes))  # type: ignore[arg-type]
    sizes = random_sizes(sizes_in(nodes, variables), {}, rng)  # type: ignore[arg-type]
    assert sizes is not None
    point = random_point(variables, sizes, rng, scale)
    assert point is not None
    return point


def values(point: Point) -> dict[str, np.ndarray]:
    return {v.name: np.asarray(x, dtype=float) for v, x in point.values.items()}


@pytest.mark.parametrize("text", NUMPY)
def test_an_array_has_the_values_that_numpy_gives(text: str) -> None:
    array = read(text, SCOPE)
    point = point_for(array, seed=text)
    (got,) = evaluate([array], point)
    assert np.allclose(got, NUMPY[text](values(point)), rtol=1e-12)


@pytest.mark.parametrize(("left", "right"), [row[:2] for row in rows(SCALARS) + rows(TENSORS)])
def test_the_float_lies_near_the_ball(left: str, right: str) -> None:
    for text in (left, right):
        array = read(text, SCOPE)
        point = point_for(array, seed=text)
        (x,), (ball,) = evaluate([array], point, FLOAT), evaluate([array], point, BALL(128))
        middle = np.vectorize(lambda b: float(b.mid()), otypes=[float])(ball)
        assert x.shape == ball.shape
        assert np.allclose(x, middle, rtol=1e-9, atol=1e-9, equal_nan=True)


MPMATH = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))), "digamma": mpmath.digamma, "gamma": mpmath.gamma,
    "trigamma": lambda x: mpmath.polygamma(1, x), "erf": mpmath.erf, "erfc": mpmath.erfc, "E1": mpmath.e1,
    "Ei": mpmath.ei, "dilog": lambda x: mpmath.polylog(2, x).real, "zeta": mpmath.zeta,
    "gelu": lambda x: x * mpmath.ncdf(x), "silu": lambda x: x / (1 + mpmath.exp(-x)), "log1p": mpmath.log1p,
    "expm1": mpmath.expm1, "asin": mpmath.asin, "atan": mpmath.atan, "tanh": mpmath.tanh,
    "ndtri": lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1),
}  # fmt: skip
MPMATH_MANY = {
    "beta": (mpmath.beta, (1.5, 2.25)), "igamma": (lambda a, x: mpmath.gammainc(a, 0, x, regularized=True), (1.5, 2.25)),
    "ibeta": (lambda a, b, x: mpmath.betainc(a, b, 0, x, regularized=True), (1.5, 2.25, 0.375)),
    "besseli": (mpmath.besseli, (1.5, 2.25)), "besselk": (mpmath.besselk, (1.5, 2.25)),
    "hyp1f1": (mpmath.hyp1f1, (1.5, 2.25, -0.75)), "hyp2f1": (mpmath.hyp2f1, (1.5, 2.25, 3.5, 0.375)),
    "hyperu": (mpmath.hyperu, (1.5, 2.25, 0.75)), "polygamma": (lambda n, x: mpmath.polygamma(int(n), x), (2.0, 1.25)),
    "zeta": (mpmath.zeta, (2.5, 1.25)), "xlogy": (lambda x, y: x * mpmath.log(y), (1.5, 2.25)),
    "lbeta": (lambda a, b: mpmath.log(mpmath.beta(a, b)), (1.5, 2.25)),
}  # fmt: skip


def test_functions_agree_with_mpmath() -> None:
    cases = [(f, g, (0.375,)) for f, g in MPMATH.items() if f != "zeta"] + [(f, g, args) for f, (g, args) in MPMATH_MANY.items()]
    with mpmath.workdps(30):
        for name, reference, args in cases:
            want = reference(*map(mpmath.mpf, args))
            row = FUNCTIONS[name]
            assert float(row.float64(*args)) == pytest.approx(float(want), rel=1e-11), name
            assert float(row.ball(*map(arb, args)).mid()) == pytest.approx(float(want), rel=1e-14), name


@pytest.mark.parametrize("number", [FLOAT, BALL(100)])
def test_a_branch_not_taken_does_no_harm(number: Field) -> None:
    n = dim("n")
    x = var("x", (n,))
    i = fresh_index(n)
    safe = where(compare("<", ZERO, entry(x, i)), fn("log", entry(x, i)), ZERO)
    (got,) = evaluate([tensor((), total(safe, [i]))], Point({"n": 2}, {x: np.array([-1.0, 2.0])}), number)
    assert float(got[()]) == pytest.approx(np.log(2.0))


@pytest.mark.parametrize("number", [FLOAT, BALL(100)])
def test_a_recurrence_is_a_loop(number: Field) -> None:
    n, steps = dim("n"), dim("T")
    a, start = var("A", (n, n)), var("h0", (n,))
    size = add(steps, num(1))
    h = var("h", (size, n), role="placeholder")
    t, i, j = fresh_index(size), fresh_index(n), fresh_index(n)
    step = tensor([t, i], fn("tanh", total(mul(entry(a, i, j), entry(h, add(t, num(-1)), j)), [j])))
    matrix, x = np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([1.0, -0.5])
    (got,) = evaluate([recurrence(h, step, [start])], Point({"n": 2, "T": 4}, {a: matrix, start: x}), number)
    for k in range(5):
        assert np.allclose([float(v) for v in got[k]], x)
        x = np.tanh(matrix @ x)


@pytest.mark.parametrize("number", [FLOAT, BALL(106)], ids=["float", "ball"])
def test_long_lists_have_their_entries_at_their_places(number: Field) -> None:
    x = var("x", (), "real")
    i, j = fresh_index(num(12)), fresh_index(num(5))
    table = [[Fraction((7 * a + 3 * b) % 11 - 5, 4) for b in range(5)] for a in range(12)]
    terms = [mul(num(table[a][b]), entry(x), delta(i, num(a)), delta(num(b), j)) for a in range(12) for b in range(5)]
    beside = [delta(i, num(3)), mul(entry(x), delta(i, num(3))), delta(i, num(40)), mul(entry(x), delta(i, j)), num(2)]
    value = evaluate([tensor((i, j), add(*terms, *beside))], Point({}, {x: 1.5}), number)[0]
    wanted = 1.5 * np.array(table, dtype=float) + 2
    wanted[3] += 2.5
    wanted[range(5), range(5)] += 1.5
    assert np.array_equal(np.array(value, dtype=float), wanted)


def test_what_has_no_number_is_named() -> None:
    x = var("x")
    f = operator("grad", (x, x))
    with pytest.raises(NotEvaluable) as caught:
        evaluate([tensor((), entry(f))], Point({}, {x: np.asarray(1.0)}))
    assert caught.value.node is f
    with pytest.raises(NotEvaluable, match="x has no value"):
        evaluate([x], Point({}))


def test_sizes_are_unequal_and_dims_are_found() -> None:
    array = read("A @ B", SCOPE)
    sizes = random_sizes(sizes_in([array], variables_of(array)), {}, generator("sizes"))
    assert sizes is not None and len(set(sizes.values())) == 3
    assert [d.name for d in dims_of(sizes_in([array], variables_of(array)))] == ["k", "m", "n"]
    assert all(isinstance(v, Var) for v in variables_of(array))
