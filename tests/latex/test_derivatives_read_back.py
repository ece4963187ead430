"""Derivatives that are printed as LaTeX read back to the same array: slices, blocks, ranges of indices, identities."""

import pytest

import symgen
from symgen.derivation.referee import check_equal_numeric
from symgen.render.language import unparse
from symgen.render.latex import to_latex
from symgen.render.raising import raise_array
from symgen.render.shapes import shape_of
from symgen.render.writing import size_tree
from symgen.text.latex import Symbols, read_expression

SPEC = """
dim n, m, k, c, t
param A: real[n, n], B: real[n, n], Z: real[n, n], X: real[n, m], x: real[n], w: real[2*n], u: positive[n]
param S: real[c, t], K: real[2, c, 3], E: real[m, k]
data ids: label(m)[n]
"""
GOALS = """
jacobian(Z @ B, Z)
jacobian(vec(A @ Z @ B), Z)
jacobian(outer(x, x), x)
jacobian(tril(Z), Z)
grad(norm(tril(Z) @ tril(Z)' - A)^2, Z)
grad(sum(conv1d(S, K)), S)
grad(norm(conv1d(S, K, padding=1))^2/2, K)
grad(sum((w[:n] - w[n:])^2), w)
grad(sum(X[1:, :-1]*X[:-1, 1:]), X)
grad(x[-1]^2 + x[0]*x[-2], x)
grad(x @ matpow(Z, k) @ x, Z)
hvp(tr(expm(Z)), Z, A)
grad(sum(clip(x, -1, 1)), x)
grad(sum(x/(1 + abs(x))), x)
grad(norm(embed(E, ids))^2, E)
grad(sum(cumprod(u)), u)

""".strip().splitlines()


def read_back(model, derivation):
    e = model.elaborated
    shapes = {name: tuple(map(size_tree, v.variable.shape)) for name, v in e.variables.items()}
    shapes |= dict.fromkeys(e.dims, ())
    tex = to_latex(raise_array(derivation.array, derivation.author_names), shapes)
    return model.derive(unparse(read_expression(tex, Symbols(shapes, shape_of=shape_of), origin=0))), tex


@pytest.mark.parametrize("goal", GOALS)
def test_what_is_printed_of_a_derivative_reads_back(goal):
    model = symgen.loads(SPEC)
    d = model.derive(goal)
    again, tex = read_back(model, d)
    if again.array is not d.array:
        assert check_equal_numeric(again.array, d.array).kind in ("checked", "proved"), tex


@pytest.mark.parametrize("name", ["I", "delta"])
def test_the_identity_is_told_from_a_name_of_the_author(name):
    model = symgen.loads(f"dim n\nparam {name}: real[n], x: real[n], A: real[n, n]")
    for goal in (f"jacobian(A @ (x + {name}) + x, x)", f"jacobian(x*x*{name}, x)", f"jacobian(outer(x, {name}), x)"):
        d = model.derive(goal)
        again, tex = read_back(model, d)
        assert again.array is d.array or check_equal_numeric(again.array, d.array).kind == "checked", tex


CLASHING = """
dim n, d, h
param psi: positive[d], nu: positive, Gamma: real[n, n], sigma: real[n], e: real[n], B: real[n, d], E1: real[d, n, h]
param x: real[n], s: real, A: real[n, n], T: real[n, 2*h]
"""


@pytest.mark.parametrize(
    "goal",
    [
        "digamma(nu)*psi", "trigamma(psi)", "gamma(nu)*Gamma", "sigmoid(nu)*sigma", "expm(A) @ e", "beta(nu, nu)*B",
        "tensor[i: d, j: h](sum[k: n](E1[i, k, j]*x[k]))", "s*abs(tensor[i: n, j: n](i - j))", "concat(zeros(1), x[1:])",
        "B/sqrt(sum(B^2, axis=1, keepdims=True))", "B*sum(B^2, axis=0, keepdims=True)",
        "tensor[i: n, j: h](max[k: 2](T[i, 2*j + k]))", "B*sum(A, axis=1, keepdims=True) - B*exp(sum(A^2, axis=1, keepdims=True))",
        "B - max(A, axis=1, keepdims=True)",
    ],
)  # fmt: skip
def test_a_function_is_told_from_a_name_of_the_author(goal):
    d = symgen.loads(CLASHING).derive(goal)
    again, tex = read_back(d.model, d)
    assert again.array is d.array or check_equal_numeric(again.array, d.array).kind in ("checked", "proved"), tex
