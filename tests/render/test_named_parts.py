"""What a result or a derivation repeats is named as a person would name it, and says the same."""

from __future__ import annotations

import pytest

import symgen
from symgen.derivation.referee import check_equal_numeric
from tests.calculus.suite.solve import operators

SPEC = """
dim n, d, m, k, h, e
data X: real[n, d], N: real[n, d], P: real[n, e]
param Wq: real[d, h], Wk: real[d, h], Wv: real[d, e], W1: real[d, h], W2: real[h, d], A: real[n, n], x: real[d], g: real[d]
const eps: positive = 1/1000
"""
GOALS = [
    "grad(sum(N*layernorm(X)), X)",
    "grad(norm(X + gelu(layernorm(X) @ W1) @ W2)^2/2, X)",
    "grad(sum(P*attention(X @ Wq, X @ Wk, X @ Wv)), Wq)",
    "grad(sum(P*attention(X @ Wq, X @ Wk, X @ Wv)), X)",
    "grad(sum(N*((X - mean(X, axis=0))/sqrt(var(X, axis=0) + eps))), X)",
    "hessian(g @ layernorm(x), x)",
    "hessian(g @ softmax(x), x)",
]


@pytest.fixture(scope="module")
def model() -> symgen.Model:
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal", GOALS)
def test_a_result_in_parts_is_the_result(model: symgen.Model, goal: str) -> None:
    d = model.derive(goal)
    *lets, last = d.text_in_parts
    assert lets
    back = symgen.loads(SPEC + "\n".join(lets)).derive(last)
    assert check_equal_numeric(back.array, d.array).kind == "checked"
    assert operators(last) + sum(map(operators, (x.split(" = ", 1)[1] for x in lets))) < operators(d.text_result)


def test_each_part_is_made_of_those_before_it(model: symgen.Model) -> None:
    *lets, _ = model.derive(GOALS[1]).text_in_parts
    names = [x.removeprefix("let ").split(" = ")[0] for x in lets]
    assert len(set(names)) == len(names)
    symgen.loads(SPEC + "\n".join(lets))


def test_a_residual_is_called_r(model: symgen.Model) -> None:
    d = model.derive("grad(sum((X @ W1 @ W2 - N)^4)/norm(X @ W1 @ W2 - N)^2, W2)")
    assert d.text_in_parts[0] == "let R = X @ W1 @ W2 - N"


def test_a_page_names_what_it_differentiates_by(model: symgen.Model) -> None:
    lines = [line.strip() for line in model.derive(GOALS[0]).text().splitlines()]
    given = lines[: lines.index("Derivation")]
    steps = lines[lines.index("Derivation") : lines.index("Result")]
    asked = [line.split("grad(f, ")[1].split(") = ")[0] for line in steps if "grad(f, " in line]
    letters = [x for x in asked if x.isidentifier()]
    assert len(letters) >= 3
    for name in letters:
        assert any(line.startswith(f"{name} = ") for line in given)
    assert "f = sum(N*layernorm(X))" in given
