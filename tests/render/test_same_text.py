"""A result is written the same, whatever was derived before it; and letters of indices never hide one another."""

from __future__ import annotations

import pytest

import symgen
from symgen.derivation.referee import check_equal_numeric
from symgen.render.compose import parts
from symgen.tensor.expression import ONE, fresh_index
from symgen.text import tree
from symgen.text.parse import parse_expression

SPEC = """
dim n, d, c, o, t, h
data X: real[n, d]
param w: real[d], z: real[d], F: real[o, c, 3], s: real[c, t + 2], I: real[2, c, 2*t + 1, 2*h + 1], J: real[o, c, 3, 3]
const nu: positive = 3
let r = X @ w
"""
GOALS = [
    "grad(sum(conv1d(s, F)^2)/2, s)",
    "grad(sum(conv2d(I, J, stride=2)^2)/2, J)",
    "grad(sum(maxpool(conv2d(I, J), 2)), J)",
    "grad(sum(log(1 + r^2/nu))*(nu + 1)/2, w)",
    "jacobian(hessian(logsumexp(z), z), z)",
    "hessian(prod(z), z)",
]


def texts(model: symgen.Model) -> list[str]:
    return [model.derive(g).text_result for g in GOALS]


def test_what_was_derived_before_shows_in_no_text() -> None:
    first = texts(symgen.loads(SPEC))
    for burnt in (1, 2, 5):
        for _ in range(burnt):
            fresh_index(ONE)
        assert texts(symgen.loads(SPEC)) == first


def hidden(e: object, outside: frozenset[str] = frozenset()) -> list[str]:
    """Letters that a binder takes again inside itself."""
    if isinstance(e, tree.Binder):
        own = {s.name for s in e.specs if isinstance(s, tree.IndexSpec)}
        return [*(own & outside), *(x for p in parts(e) for x in hidden(p, outside | own))]
    return [x for p in parts(e) for x in hidden(p, outside)]


@pytest.mark.parametrize("goal", GOALS)
def test_no_letter_hides_another(goal: str) -> None:
    model = symgen.loads(SPEC)
    d = model.derive(goal)
    assert hidden(parse_expression(d.text_result)) == []
    back = model.derive(d.text_result)
    assert back.array is d.array or check_equal_numeric(back.array, d.array).kind == "checked"
