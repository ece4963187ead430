"""Stable forms: finite and right to the last digits where the formula as written overflows, underflows or cancels."""

import mpmath
import numpy as np
import pytest

import symgen
from symgen.codegen.compile import compile_arrays
from symgen.tensor.expression import dim, var
from symgen.tensor.formula import read

n, k = dim("n"), dim("k")
z, y = var("z", (n,)), var("y", (n,), "binary", "data")
Z, Y = var("Z", (n, k)), var("Y", (n, k), "onehot", "data")
a, x = var("a"), var("x")
w = var("w", (k,), "simplex")
SCOPE = {"z": z, "y": y, "Z": Z, "Y": Y, "a": a, "x": x, "w": w, "n": n, "k": k}
LARGE = np.array([-1000.0, -50.0, -1.5, 0.0, 2.0, 40.0, 1000.0])


def value(text, lets=(), dtype=np.float64, **arrays):
    scope = dict(SCOPE)
    names = {}
    for name, formula in lets:
        scope[name] = read(formula, scope)
        names[scope[name]] = name
    made = compile_arrays({"value": read(text, scope)}, names)
    with np.errstate(all="raise", under="ignore"):
        return made({name: np.asarray(v, dtype) for name, v in arrays.items()})["value"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("target", [0.0, 1.0])
@pytest.mark.parametrize("lets", [(), [("p", "sigmoid(z)")], [("s", "2*z - z"), ("p", "1/(1 + exp(-s))")]])
def test_cross_entropy_is_finite_and_right_far_out(dtype, target, lets):
    p = "p" if lets else "sigmoid(z)"
    ys = np.full(len(LARGE), target)
    got = value(f"-sum(y*log({p}) + (1 - y)*log(1 - {p}))", lets, dtype, z=LARGE, y=ys)
    want = sum(float(mpmath.log1p(mpmath.exp(s))) for s in (LARGE if target == 0 else -LARGE))
    assert np.isclose(got, want, rtol=1e-13 if dtype is np.float64 else 1e-6)


@pytest.mark.parametrize("point", [-40.0, -3.0, 30.0])
@pytest.mark.parametrize(
    "text, exact",
    [
        ("log(sigmoid(x))", lambda t: -mpmath.log1p(mpmath.exp(-t))),
        ("log(1 - sigmoid(x))", lambda t: -mpmath.log1p(mpmath.exp(t))),
        ("1 - sigmoid(x)", lambda t: 1 / (1 + mpmath.exp(t))),
        ("sigmoid(x)", lambda t: 1 / (1 + mpmath.exp(-t))),
        ("log(1 + exp(x))", lambda t: mpmath.log1p(mpmath.exp(t))),
        ("log(sigmoid(x)*(1 - sigmoid(x)))", lambda t: -mpmath.log1p(mpmath.exp(-t)) - mpmath.log1p(mpmath.exp(t))),
        ("1 - erf(x/8)", lambda t: mpmath.erfc(t / 8)),
        ("exp(x/10^12) - 1", lambda t: mpmath.expm1(t / 10**12)),
        ("log(1 + x/10^12)", lambda t: mpmath.log1p(t / 10**12)),
        ("1/(1 + exp(-20*x))", lambda t: 1 / (1 + mpmath.exp(-20 * t))),
    ],
)
def test_digits_are_kept(text, exact, point):
    assert np.isclose(value(text, x=point), float(exact(mpmath.mpf(point))), rtol=1e-13, atol=0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_log_of_a_sum_of_exponentials(dtype):
    rows = np.array([[1000.0, 999.0, -1000.0], [-2000.0, -2001.0, -2002.0], [0.1, 0.2, 0.3]])
    want = [float(mpmath.log(sum(mpmath.exp(v) for v in row))) for row in rows]
    tolerance = 1e-14 if dtype is np.float64 else 1e-6
    assert np.allclose(value("log(sum(exp(Z), axis=1))", dtype=dtype, Z=rows), want, rtol=tolerance)
    weighted = [float(mpmath.log(sum(c * mpmath.exp(v) for c, v in zip((0.2, 0.3, 0.5), row)))) for row in rows]
    assert np.allclose(value("log(exp(Z) @ w)", dtype=dtype, Z=rows, w=[0.2, 0.3, 0.5]), weighted, rtol=tolerance)
    total = float(mpmath.log(sum(mpmath.exp(v) for row in rows for v in row)))
    assert np.isclose(value("log(sum(exp(Z)))", dtype=dtype, Z=rows), total, rtol=tolerance)
    share = value("exp(Z)/sum(exp(Z), axis=1, keepdims=True)", dtype=dtype, Z=rows)
    assert np.allclose(share.sum(axis=1), 1) and np.isclose(share[0, 0] / share[0, 1], np.e, rtol=1e-5)


@pytest.mark.parametrize("lets", [(), [("P", "softmax(Z)")]])
def test_log_of_softmax(lets):
    rows = np.array([[1000.0, 0.0], [-1000.0, 1000.0]])
    P = "P" if lets else "softmax(Z)"
    assert np.isclose(value(f"-sum(Y*log({P}))/n", lets, Z=rows, Y=[[0, 1], [1, 0]]), 1500.0)


def test_entropy_where_an_entry_is_zero():
    assert np.isclose(value("-sum(w*log(w))", w=[0.5, 0.5, 0.0]), np.log(2))
    assert value("-sum(Y*log(Y))", Y=[[1, 0], [0, 1]]) == 0


def test_a_known_positive_matrix_takes_its_cholesky_factor():
    S = var("S", (k, k), "spd")
    made = compile_arrays({"value": read("logdet(S)", {"S": S})})
    A = np.diag([1e200, 1e200, 1e-10])
    assert "logdet_spd" in made.source
    assert np.isclose(made({"S": A})["value"], np.log(1e200) * 2 + np.log(1e-10))


PRODUCTS = ["inv(S) @ v", "v @ inv(S)", "inv(S) @ B", "B' @ inv(S)", "v @ inv(S) @ v", "inv(S)' @ v"]


@pytest.mark.parametrize("text", PRODUCTS)
def test_an_inverse_in_a_product_is_a_solution(text):
    scope = {"S": var("S", (k, k)), "v": var("v", (k,)), "B": var("B", (k, n))}
    made = compile_arrays({"value": read(text, scope)})
    assert "solve" in made.source and "inv" not in made.source.replace("inverse", "")
    rng = np.random.default_rng(0)
    arrays = {"S": rng.normal(size=(4, 4)), "v": rng.normal(size=4), "B": rng.normal(size=(4, 3))}
    used = {v.name: arrays[v.name] for v in made.variables}
    S, v, B = arrays["S"], arrays["v"], arrays["B"]
    K = np.linalg.inv(S)
    want = {"inv(S) @ v": K @ v, "v @ inv(S)": v @ K, "inv(S) @ B": K @ B, "B' @ inv(S)": B.T @ K,
            "v @ inv(S) @ v": v @ K @ v, "inv(S)' @ v": K.T @ v}[text]  # fmt: skip
    assert np.allclose(made(used)["value"], want)


@pytest.mark.parametrize("text", [p.replace("S", "L") for p in PRODUCTS] + ["inv(L @ L') @ v", "v @ inv(L @ L') @ v", "inv(L)"])
@pytest.mark.parametrize("target", ["numpy", *(pytest.param(t, marks=pytest.mark.slow) for t in ("torch", "jax"))])
def test_a_triangular_matrix_is_solved_by_substitution(text, target):
    """Of a factor of condition 1e12 each entry keeps the digits that its own condition leaves, which elimination with
    exchanged rows, or the product L L', would lose."""
    library = np if target == "numpy" else pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    spec = f"dim k, n\nparam L: lower[k, k], v: real[k], B: real[k, n]\nderive h = {text}\n"
    module = symgen.loads(spec).compile(target=target)
    rng = np.random.default_rng(0)
    L = np.tril(rng.normal(size=(4, 4)), -1) + np.diag([1, 1e-4, 1e-8, 1e-12])
    arrays = {"L": L, "v": rng.normal(size=4), "B": rng.normal(size=(4, 3))}
    used = {name: a for name, a in arrays.items() if name in text.replace("inv", "")}
    with mpmath.workdps(60):
        M, v, B = (mpmath.matrix(arrays[n].tolist()) for n in ("L", "v", "B"))
        K = M**-1
        want = {"inv(L) @ v": K * v, "v @ inv(L)": K.T * v, "inv(L) @ B": K * B, "B' @ inv(L)": B.T * K, "inv(L)": K,
                "v @ inv(L) @ v": v.T * K * v, "inv(L)' @ v": K.T * v, "inv(L @ L') @ v": K.T * K * v,
                "v @ inv(L @ L') @ v": (K * v).T * (K * v)}[text]  # fmt: skip
        want = np.array([[float(x) for x in row] for row in want.tolist()])
    made = library.tensor if target == "torch" else np.asarray
    got = np.asarray(module.h({n: made(a, dtype=library.float64 if target == "torch" else np.float64) for n, a in used.items()}))
    assert np.allclose(got.reshape(want.shape), want, rtol=1e-13, atol=0)
