"""Bounds that hold for every function: a wrong one is refuted by a function that no random one comes near."""

import pytest

import symgen

MODEL = symgen.loads("""
param beta: positive
density p(x), q(x)
function f(x): real
function D(x): unit
""")
TRUE = [
    "E[x ~ p](f(x)) - E[x ~ q](exp(f(x) - 1)) <= KL(p || q)",
    "E[x ~ p](f(x)) - E[x ~ q](f(x) + f(x)^2/4) <= chi2(p || q)",
    "E[x ~ p](log(D(x))) + E[x ~ q](log(1 - D(x))) <= 2*JS(p, q) - 2*log(2)",
    "E[x ~ q](f(x)) - beta*KL(q || p) <= beta*log(E[x ~ p](exp(f(x)/beta)))",
]
FALSE = [
    "E[x ~ p](f(x)) - E[x ~ q](exp(f(x) - 1)) <= KL(q || p)",
    "E[x ~ p](f(x)) - E[x ~ q](f(x) + f(x)^2/4) <= chi2(q || p)",
    "E[x ~ p](log(D(x))) + E[x ~ q](log(1 - D(x))) <= JS(p, q) - 2*log(2)",
    "E[x ~ q](f(x)) - beta*KL(p || q) <= beta*log(E[x ~ p](exp(f(x)/beta)))",
    "E[x ~ p](f(x)) - E[x ~ q](exp(f(x) - 1)) <= KL(p || q)/2",
]


@pytest.mark.parametrize("claim", TRUE)
def test_a_bound_holds_for_every_function(claim):
    verdict = MODEL.check(claim)
    assert verdict.holds and (verdict.status == "proved" or verdict.evidence.points >= 3)


@pytest.mark.parametrize("claim", FALSE)
def test_a_wrong_bound_is_refuted(claim):
    verdict = MODEL.check(claim)
    assert verdict.status == "refuted"
    assert verdict.steps[0].counterexample.left > verdict.steps[0].counterexample.right
