"""Means that have no closed form are compared by quadrature; means over unknown densities are proved equal by form."""

from __future__ import annotations

import pytest

import symgen

NORMAL = """
dim k
param mu: real[k], s: positive[k], m: real, tau: positive, a: positive
dist g(u) = Normal(m, tau)
dist g0(u) = Normal(0, 1)
dist q(z) = Normal(mu, s)
dist ex(t) = Exponential(a)
"""
UNKNOWN = """
dim d
density p(x, z), q(z | x), r(x), s(x)
data xs: real
function f(x): real
"""
TRUE = """
E[u ~ g0](tanh(u)) = -E[u ~ g0](tanh(-u))
E[u ~ g0](tanh(u)) = 0
E[u ~ g](log(1 + exp(u))) = E[u ~ g](u) + E[u ~ g](log(1 + exp(-u)))
E[u ~ g](sigmoid(u)) = E[u ~ g0](sigmoid(m + tau*u))
E[u ~ g](softplus(u)) >= softplus(m)
E[z ~ q](log(1 + exp(z @ z))) = E[z ~ q](z @ z + log(1 + exp(-z @ z)))
E[t ~ ex](tanh(t)) <= 1/a
"""
FALSE = """
E[u ~ g](tanh(u)) = -E[u ~ g](tanh(u))
E[u ~ g](tanh(u)) = 0
E[u ~ g](sigmoid(u)) = sigmoid(m)
E[u ~ g](sigmoid(u)) = E[u ~ g0](sigmoid(m + tau^2*u))
E[u ~ g](softplus(u)) <= softplus(m)
E[z ~ q](tanh(sum(z))) = tanh(sum(mu))
E[t ~ ex](tanh(t)) >= 1/a
"""
PROVED = """
E[x ~ r](2*f(x) + 3) = 2*E[x ~ r](f(x)) + 3
E[x ~ r](f(x)) = E[y ~ r](f(y))
E[x ~ r, y ~ s](f(x)*f(y)) = E[x ~ r](f(x))*E[x ~ s](f(x))
E[x ~ r, y ~ r]((f(x) - f(y))^2)/2 = Var[x ~ r](f(x))
E[x ~ r](s(x)/r(x)) = 1
E[x ~ r](s(x)/r(x)*f(x)) = E[x ~ s](f(x))
E[x, z ~ p](f(x)) = E[x ~ p](f(x))
E[x, z ~ p](log p(x, z)) = E[x, z ~ p](log p(x | z)) + E[z ~ p](log p(z))
log p(xs) = E[z ~ q(z | xs)](log p(xs, z) - log p(z | xs))
E[z ~ q(z | xs)](p(xs | z)*p(z)/q(z | xs)) = p(xs)
KL(r || s) = E[x ~ r](log(r(x)/s(x)))
"""
NOT_PROVED = """
E[x ~ r](f(x)) = E[x ~ s](f(x))
E[x ~ r](f(x)^2) = E[x ~ r](f(x))^2
E[x ~ r](r(x)/s(x)) = 1
E[x, z ~ p](f(x)) = E[z ~ p](f(z))
E[x, z ~ p](log p(x | z)) = E[x, z ~ p](log p(z | x))
log p(xs) = E[z ~ q(z | xs)](log p(xs, z) - log q(z | xs))
E[x ~ r, y ~ r](f(x)*f(y)) = E[x ~ r](f(x)^2)
"""
REFUSED = """
0 <= KL(q(xs | xs) || p(z))
0 <= KL(q(z | xs) || p(z | f(xs)))
E[x, z ~ p](log p(x | x)) = 0
"""


def claims(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("claim", claims(TRUE))
def test_a_true_claim_about_means_holds(claim: str) -> None:
    verdict = symgen.loads(NORMAL).check(claim)
    assert verdict.holds, verdict.text()


@pytest.mark.parametrize("claim", claims(FALSE))
def test_a_false_claim_about_means_is_refuted(claim: str) -> None:
    verdict = symgen.loads(NORMAL).check(claim)
    assert verdict.status == "refuted" and verdict.counterexample is not None
    assert "step 1 is" in verdict.text() or "both" in verdict.text()


@pytest.mark.parametrize("claim", claims(PROVED))
def test_means_over_unknown_densities_are_proved_equal(claim: str) -> None:
    verdict = symgen.loads(UNKNOWN).check(claim)
    assert verdict.status == "proved", verdict.text()


@pytest.mark.parametrize("claim", claims(NOT_PROVED))
def test_what_differs_for_some_densities_is_refuted(claim: str) -> None:
    assert symgen.loads(UNKNOWN).check(claim).status == "refuted"


@pytest.mark.parametrize("claim", claims(REFUSED))
def test_a_value_where_a_distribution_has_none_is_malformed(claim: str) -> None:
    assert symgen.loads(UNKNOWN).check(claim).status == "malformed"


def test_the_conditions_of_a_proof_are_told() -> None:
    found = symgen.loads(UNKNOWN).check("E[x ~ r](s(x)/r(x)) = 1")
    assert found.evidence.conditions and "proved under {" in found.text()


def test_swapped_names_and_turned_relations_are_suggested() -> None:
    m = symgen.loads("param x: real, y: real, a: positive")
    assert "`<=` for `>=`" in m.check("x^2 >= x^2 + y^2").text()
    assert m.check("2*x*a + x = x*a + x + y*a").steps[0].suggestion == "`x` for `y`"
    assert "`<=` for `<`" in m.check("x*y < (x^2 + y^2)/2").text()
