"""Code of gradients and Hessians computes what their entry expressions say."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_lowering import EXPRESSIONS, SCOPE, SIZES, VALUES, evaluated

from symgen.calculus.gradient import gradient
from symgen.calculus.hessian import hessian
from symgen.codegen.compile import compile_arrays
from symgen.derivation.context import Context
from symgen.tensor.expression import variables_of
from symgen.tensor.formula import read
from symgen.text.diagnostics import CannotDerive


def same(array, text):
    compiled = compile_arrays({"value": array})
    got = compiled({v.name: VALUES[v.name] for v in compiled.variables}, SIZES)["value"]
    want = evaluated(array)
    assert np.shape(got) == want.shape, (text, compiled.source)
    assert np.allclose(got, want, rtol=1e-9, atol=1e-9, equal_nan=True), (text, compiled.source)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_code_of_gradients(text):
    loss = read(f"sum(({text})^2)", SCOPE)
    variables = sorted((v for v in variables_of(loss) if v.domain != "label"), key=lambda v: v.name)
    try:
        found = gradient(loss, variables, Context())
    except CannotDerive as reason:
        pytest.skip(str(reason))
    for v in variables:
        same(found[v], f"grad by {v.name} of {text}")


@pytest.mark.parametrize(
    "text, by",
    [
        ("x @ A @ x", "x"), ("sum(exp(x*y))", "x"), ("logsumexp(x)", "x"), ("norm(A @ x - y)^2", "x"),
        ("sum(A @ A')", "A"), ("sum((B @ C)^2)", "C"), ("sum(log(softmax(x))*y)", "x"), ("w @ inv(S) @ w", "w"),
        ("sum(x[1:]*x[:n - 1])", "x"), ("sum(sigmoid(X @ w))", "w"), ("prod(q)", "q"), ("norm(x)", "x"),
        ("sum(concat(x, u)^3)", "x"), ("sum(kron(x, u)^2)", "u"),
    ],
)  # fmt: skip
def test_code_of_hessians(text, by):
    same(hessian(read(text, SCOPE), SCOPE[by], Context()), f"hessian by {by} of {text}")
