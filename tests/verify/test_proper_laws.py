"""Counterexamples lie where the laws of a claim exist: lo < hi, nu > d - 1."""

import pytest

import symgen

SPEC = "dim d\nparam a: real, b: real, c: real, n1: positive, n2: positive, V: spd[d, d], W: spd[d, d]\n"
TRUE = (
    "E[x ~ Uniform(a, b)](x) <= b", "a <= E[x ~ Uniform(a, b)](x)", "E[x ~ Triangular(a, b, c)](x) <= b",
    "KL(Wishart(n1, V) || Wishart(n2, W)) >= 0",
)  # fmt: skip
FALSE = ("E[x ~ Uniform(a, b)](x) <= a", "E[x ~ Uniform(a, b)](x) = a", "KL(Wishart(n1, V) || Wishart(n2, W)) <= 0")


@pytest.mark.parametrize("claim", TRUE)
def test_a_true_claim_is_not_refuted_by_parameters_without_a_law(claim):
    assert symgen.loads(SPEC).check(claim).status != "refuted"


@pytest.mark.parametrize("claim", FALSE)
def test_a_false_claim_is_refuted_by_a_law(claim):
    verdict = symgen.loads(SPEC).check(claim)
    assert verdict.status == "refuted"
    values = verdict.counterexample.values if hasattr(verdict.counterexample, "values") else verdict.counterexample
    if "Uniform" in claim:
        assert values["a"] < values["b"]
