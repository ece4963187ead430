"""A result that the author has a name for is shown under that name, and the name is explained."""

import pytest

import symgen

CASES = [
    ("dim n, d\ndata X: real[n, d], y: real[n]\nparam w: real[d]\nlet r = X @ w - y\nlet g = X' @ r/n\nloss L = norm(r)^2/(2*n)",
     "grad(L, w)", "grad(L, w) = g", "g = X' @ r/n"),
    ("dim k\nparam z: real[k]\nlet p = softmax(z)\nlet L = logsumexp(z)", "grad(L, z)", "grad(L, z) = p", "p = softmax(z)"),
    ("param m: real, s: positive\nlet u = m + 1\ndist q(x) = Normal(u, s)", "E[x ~ q](x)", "E[x ~ q](x) = u", "u = m + 1"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "goal", "result", "definition"), CASES)
def test_the_name_is_the_result(spec, goal, result, definition):
    lines = [line.strip() for line in symgen.loads(spec).derive(goal).text().splitlines()]
    assert result in lines[lines.index("Result") :]
    assert any(line.startswith(definition) for line in lines[: lines.index("Result")])


@pytest.mark.parametrize(("spec", "goal", "result", "definition"), CASES)
def test_asked_for_itself_a_name_is_written_out(spec, goal, result, definition):
    name, _ = definition.split(" = ")
    lines = [line.strip() for line in symgen.loads(spec).derive(name).text().splitlines()]
    assert definition in lines[lines.index("Result") :]
