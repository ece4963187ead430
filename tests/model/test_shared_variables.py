"""Laws that share the name of a variable: nothing is taken from the domain of one into the other."""

import pytest

import symgen

SPECS = (
    "dist q(t: unit) = Beta(2, 2)\ndist p(t: positive) = Gamma(2, 1)\ndist r(t) = Normal(0, 1)",
    "dist p(t: positive) = Gamma(2, 1)\ndist q(t: unit) = Beta(2, 2)\ndist r(t) = Normal(0, 1)",
    "dist q(t) = Beta(2, 2)\ndist p(t) = Gamma(2, 1)\ndist r(t) = Normal(0, 1)",
    "dist r(t) = Normal(0, 1)\ndist q(t) = Bernoulli(1/2)\ndist p(t) = Exponential(1)",
)
FALSE = (
    "E[t ~ p](where(t < 1, 1, 0)) = 1", "E[t ~ r](where(t > 0, 1, 0)) = 1", "E[t ~ r](sign(t)) = 1",
    "E[t ~ r](abs(t)) = E[t ~ r](t)", "E[t ~ p](t^2) = E[t ~ p](t)",
)  # fmt: skip
TRUE = ("E[t ~ r](where(t > 0, 1, 0)) = 1/2", "E[t ~ r](t^2) = 1", "E[t ~ q](t) = 1/2", "E[t ~ r](sign(t)) = 0")


@pytest.mark.parametrize("spec", SPECS)
def test_domains_do_not_leak(spec):
    model = symgen.loads(spec)
    for claim in FALSE:
        assert not model.check(claim).holds, claim
    for claim in TRUE:
        assert model.check(claim).holds, claim


@pytest.mark.parametrize("value", ["0", "sum(y)", "y[0]", "3"])
def test_a_number_stands_for_all_entries_of_a_draw(value):
    """log p(c | X) of a vector y is that of the vector of c."""
    model = symgen.loads("dim n, d\ndata X: real[n, d], y: natural[n]\nparam w: real[d]\ndist p(y | X) = Poisson(exp(X @ w))")
    assert model.check(f"log p({value} | X) = sum({value}*(X @ w) - exp(X @ w)) - n*lgamma({value} + 1)").holds
