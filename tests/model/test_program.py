"""Names, ranges and densities mean what they say, wherever they stand and however many there are."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import symgen
from symgen.codegen.optimisers import DYNAMICS, OPTIMISERS
from symgen.model.training import GAME_METHODS, METHODS

rng = np.random.default_rng(11)
w, X = rng.normal(size=5), rng.normal(size=(5, 5))

RANGES = {
    "sum[i: d](sum[j: 1..i](w[j]))": sum(w[1 : i + 1].sum() for i in range(5)),
    "sum[i: d, j: i..d-1](X[i, j])": np.triu(X).sum(),
    "sum[i: d](prod[j: 0..i](w[j]))": np.cumprod(w).sum(),
    "sum[i: d](max[j: 0..i](w[j]))": np.maximum.accumulate(w).sum(),
    "sum[i: d](min[j: i..d-1](w[j]))": np.minimum.accumulate(w[::-1]).sum(),
    "sum[i: d](mean[j: 0..i](w[j]))": sum(w[: i + 1].mean() for i in range(5)),
    "sum[i: d](logsumexp[j: i..d-1](w[j]))": sum(np.log(np.exp(w[i:]).sum()) for i in range(5)),
    "sum[i: 1..d-1](w[i]*w[i-1])": w[1:] @ w[:-1],
    "sum[i](where(i > 0, w[i]*w[i-1], 0))": w[1:] @ w[:-1],
}


@pytest.mark.parametrize("text", RANGES)
def test_a_range_holds_what_it_says(text):
    got = symgen.loads(f"dim d\nparam w: real[d], X: real[d, d]\nlet f = {text}\n").derive("f").evaluate(w=w, X=X)
    assert np.isclose(got, RANGES[text])


def test_words_of_the_language_are_names_where_they_are_declared():
    m = symgen.loads(
        "param d: real, e: real, E: real, pi: real, max: real, loss: real, data: real\n"
        "let f = d + e*E + pi*max(max, loss) + data\nlet exp = exp(d)\n"
    )
    given = {"d": 2.0, "e": 3.0, "E": 5.0, "pi": 7.0, "max": 11.0, "loss": 13.0, "data": 17.0}
    assert m.derive("f").evaluate(**given) == 2 + 15 + 7 * 13 + 17
    assert m.derive("grad(f, e)").evaluate(**given) == 5.0
    assert np.isclose(m.derive("exp").evaluate(d=2.0), np.exp(2))


FORWARD = [f"let x{i + 1} = x{i} + 1" for i in range(3000)]


@pytest.mark.parametrize("lines", [FORWARD, FORWARD[::-1]], ids=["in order", "backwards"])
def test_no_chain_of_names_is_too_long(lines):
    start = time.perf_counter()
    m = symgen.loads("param x0: real\n" + "\n".join(lines) + "\n")
    assert list(m.elaborated.lets) == [line.split()[1] for line in lines]
    assert time.perf_counter() - start < 10


def test_a_long_circle_of_names_is_one_mistake():
    with pytest.raises(symgen.SpecError) as error:
        symgen.loads("".join(f"let x{i} = x{(i + 1) % 2000} + 1\n" for i in range(2000)))
    assert len(error.value.diagnostics) == 1


def test_equal_calls_of_a_function_are_read_once():
    calls = "".join(f"def f{i}(t) = f{i - 1}(t) + f{i - 1}(-t)\n" for i in range(1, 60))
    m = symgen.loads(f"param x: real\ndef f0(t) = exp(t)\n{calls}let y = f59(x)\n")
    assert np.isclose(m.derive("y").evaluate(x=0.3), 2.0**58 * (np.exp(0.3) + np.exp(-0.3)))


def test_too_many_different_calls_are_a_mistake():
    calls = "".join(f"def f{i}(t) = f{i - 1}(t + {i}) + f{i - 1}(-t)\n" for i in range(1, 40))
    with pytest.raises(symgen.SpecError, match="more than 5000 calls"):
        symgen.loads(f"param x: real\ndef f0(t) = exp(t)\n{calls}let y = f39(x)\n")


DENSITIES = """
dim n, d, k
data x: real[n], X: real[n, d]
param m: real, s: positive, v: real[d], mu: real[k, d], S: spd[d, d], pi: simplex[k]
dist p(u) = Normal(m, s)
dist q(u | z: real[d]) = Normal(z @ v, s)
dist g(y | c: real[d]) = MvNormal(c, S)
let one = sum[i](log p(x[i]))
let two = sum[i](log q(x[i] | X[i]))
let mixture = sum[i: n](log(sum[j: k](pi[j]*g(X[i] | mu[j]))))
"""


def test_densities_stand_under_an_index():
    m = symgen.loads(DENSITIES)
    x, X, v, mu = rng.normal(size=4), rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(2, 3))
    S, pi = np.eye(3) * 1.5 + 0.2, np.array([0.3, 0.7])
    given = {"x": x, "X": X, "v": v, "mu": mu, "S": S, "pi": pi, "m": 0.4, "s": 1.7}
    mixture = sum(pi[j] * multivariate_normal(mu[j], S).pdf(X) for j in range(2))
    assert np.isclose(m.derive("one").evaluate(**given), norm(0.4, 1.7).logpdf(x).sum())
    assert np.isclose(m.derive("two").evaluate(**given), norm(X @ v, 1.7).logpdf(x).sum())
    assert np.isclose(m.derive("mixture").evaluate(**given), np.log(mixture).sum())


def test_several_densities_of_one_statement_are_one_joint():
    m = symgen.loads("density p(x | z), p(z)\n")
    assert m.check("log p(x, z) = log p(x | z) + log p(z)").status == "proved"


def test_the_first_entries_of_a_recurrence_may_have_indices():
    m = symgen.loads(
        "dim T, d\nparam A: real[d, d], x: real[T+1, d]\nlet h[0, i: d] = x[0, i]\n"
        "let h[t: 1..T, i: d] = sum[j](A[i, j]*h[t-1, j]) + x[t, i]\n"
    )
    A, x = rng.normal(size=(2, 2)), rng.normal(size=(4, 2))
    h = [x[0]]
    for t in range(1, 4):
        h.append(A @ h[-1] + x[t])
    assert np.allclose(m.derive("h").evaluate(A=A, x=x), h)


def test_assumptions_that_stand_after_a_law_are_known_to_it():
    symgen.loads("param a: real, b: real\ndist q(z) = Normal(0, a - b)\nassume a > b\n")


def test_training_knows_the_methods_that_code_is_generated_for():
    assert {name: tuple(row.options) for name, row in OPTIMISERS.items()} == METHODS
    assert {name: tuple(row.options) for name, row in DYNAMICS.items()} == GAME_METHODS


def test_a_constant_array_has_the_shape_that_it_is_declared_with():
    m = symgen.loads("const A: real[2, 2] = [[1, 2], [3, 4]], v: real[2] = 5\nlet f = A @ v\n")
    assert np.allclose(m.derive("f").evaluate(), [15, 35])
