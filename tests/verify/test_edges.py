"""Claims that fail at few points alone: where conditions meet, where an axis has length 1, where roots have no value."""

import pytest

import symgen

MODEL = symgen.loads("dim n\nparam x: real, y: real, v: real[n], A: real[n, n]\n")


@pytest.mark.parametrize(
    "claim",
    [
        "where(x == 1, 2, 3) = 3", "where(1 == -x, y, 1/x) = 1/x", "where(3*x + 1 == y, 1, 2) = 2", "0^x = 0",
        "floor(-x) = -floor(x) - 1", "prod(eye(n)) = 0", "max(n, v) = max(2, max(n, v))",
        "abs(max(eye(n)*inv(A))) = relu(max(eye(n)*inv(A)))", "sqrt(v)^2 = -abs(v)", "tanh(1) = tanh(tanh(lgamma(9)))",
    ],
)  # fmt: skip
def test_a_claim_that_fails_at_few_points_is_refuted(claim):
    assert MODEL.check(claim).status == "refuted"


@pytest.mark.parametrize(
    "claim", ["sqrt(x)^2 = abs(x)", "sqrt(x)^2 = max(x, 0)", "sqrt(v)^2 = abs(v)", "sum(sqrt(v)^2) = sum(abs(v))"]
)
def test_points_where_what_was_written_has_no_value_refute_nothing(claim):
    verdict = MODEL.check(claim)
    assert verdict.holds and verdict.steps[0].evidence.conditions
