"""Divergences and their gradients where a probability is 0 or 1, or two laws are one: limits, never nan, in every backend."""

import math
from functools import cache

import numpy as np
import pytest

import symgen

INF, L2 = math.inf, math.log(2)
HEAD = "param p: unit, q: unit, r: nonnegative, s: nonnegative, u: simplex[3], v: simplex[3], a: positive, b: positive\n"
HALF, SURE = [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]
EDGES = [  # the value and some of the gradient
    ("KL(Bernoulli(p) || Bernoulli(q))", {"p": 0, "q": 0}, 0, {"p": 0, "q": 1}),
    ("KL(Bernoulli(p) || Bernoulli(q))", {"p": 1, "q": 1}, 0, {"p": 0, "q": -1}),
    ("KL(Bernoulli(p) || Bernoulli(q))", {"p": 0, "q": 0.3}, -math.log(0.7), {"p": -INF, "q": 1 / 0.7}),
    ("KL(Bernoulli(p) || Bernoulli(q))", {"p": 0.5, "q": 0}, INF, {"q": -INF}),
    ("KL(Poisson(r) || Poisson(s))", {"r": 0, "s": 0}, 0, {"r": 0, "s": 1}),
    ("KL(Poisson(r) || Poisson(s))", {"r": 0, "s": 2}, 2, {"r": -INF, "s": 1}),
    ("KL(Geometric(p) || Geometric(q))", {"p": 1, "q": 0.5}, L2, {"q": -2}),
    ("KL(Categorical(u) || Categorical(v))", {"u": HALF, "v": [0.25, 0.25, 0.5]}, L2, {"u": [INF, INF, -INF]}),
    ("KL(Categorical(u) || Categorical(v))", {"u": HALF, "v": HALF}, 0, {"u": [0, 0, 0], "v": [-1 / 3, -1 / 3, 2 / 3]}),
    ("JS(Categorical(u), Categorical(v))", {"u": HALF, "v": HALF}, 0, {}),
    ("JS(Categorical(u), Categorical(v))", {"u": SURE, "v": [0.0, 1.0, 0.0]}, L2, {}),
    ("JS(Bernoulli(p), Bernoulli(q))", {"p": 0, "q": 0}, 0, {}),
    ("hellinger(Bernoulli(p), Bernoulli(q))", {"p": 0, "q": 0}, 0, {}),
    ("chi2(Bernoulli(p) || Bernoulli(q))", {"p": 0, "q": 0}, 0, {"q": 1}),
    ("chi2(Poisson(r) || Poisson(s))", {"r": 0, "s": 0}, 0, {"s": 1}),
    ("renyi(Poisson(r), Poisson(s), 2)", {"r": 0, "s": 0}, 0, {"s": 1}),
    ("entropy(Categorical(u))", {"u": SURE}, 0, {"u": [-INF, INF, INF]}),
    ("entropy(Geometric(p))", {"p": 1}, 0, {}),
    ("cross_entropy(Bernoulli(p), Bernoulli(q))", {"p": 0, "q": 0}, 0, {"q": 1}),
    ("KL(Laplace(0, a) || Laplace(0, b))", {"a": 1, "b": 1}, 0, {"a": 0, "b": 0}),
]
POINTS = [("numpy", "float64"), ("numpy", "float32"), ("torch", "float32"), pytest.param("jax", "float32", marks=pytest.mark.slow)]


@cache
def model():
    return symgen.loads(HEAD + "".join(f"loss L{k} = {goal}\n" for k, (goal, *_) in enumerate(EDGES)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("target", "dtype"), POINTS)
def test_values_and_gradients_at_the_edge_are_limits(target, dtype):
    library = np if target == "numpy" else pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    array = {"numpy": np.asarray, "jax": getattr(getattr(library, "numpy", None), "asarray", None), "torch": None}[target]

    def number(x):
        return library.tensor(np.asarray(x, float), dtype=getattr(library, dtype)) if array is None else array(x, dtype=dtype)

    module = model().compile(target=target)
    filled = {"p": 0.4, "q": 0.4, "r": 1.0, "s": 1.0, "u": HALF, "v": HALF, "a": 1.0, "b": 1.0}
    for k, (goal, point, value, slopes) in enumerate(EDGES):
        got, gradient = getattr(module, f"L{k}_value_and_grad")({n: number(x) for n, x in {**filled, **point}.items()}, {})
        assert float(got) == pytest.approx(value, rel=1e-6, abs=1e-7), (goal, point)
        for name in point:
            assert not np.isnan(np.asarray(gradient[name], float)).any(), (goal, point, name)
        for name, slope in slopes.items():
            assert np.asarray(gradient[name], float) == pytest.approx(np.asarray(slope, float), rel=1e-5, abs=1e-6), (goal, name)


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_a_singular_mixture_of_covariances_gives_an_infinite_divergence(target):
    library = np if target == "numpy" else pytest.importorskip(target)
    text = "dim k\nparam m: real[k], A: spd[k, k], B: spd[k, k]\nloss L = renyi(MvNormal(m, A), MvNormal(m, B), 2)"
    module = symgen.loads(text).compile(target=target)
    A = np.array([[2.0, 0.3], [0.3, 1.0]])
    number = np.asarray if target == "numpy" else lambda x: library.tensor(x, dtype=library.float64)
    for share, wanted in ((0.5, INF), (1.0, 0.0), (0.75, math.log(0.75**2 / 0.5))):
        value, _ = module.L_value_and_grad({"m": number(np.zeros(2)), "A": number(A), "B": number(share * A)}, {})
        assert float(value) == pytest.approx(wanted, rel=1e-12, abs=1e-15), share
