"""A side that is infinite is no number: claims say so; integrals that diverge have no closed form of a finite number."""

import math

import pytest

import symgen

MODEL = "param a: real, s: positive\ndist q(x) = Normal(a, s)\ndist p(x) = Exponential(s)\ndist r(x) = Pareto(s, 1/2)\n"
REFUTED = [
    "KL(q || p) = a", "KL(q || p) = log(s) + a", "KL(q || p) <= 5", "E[x ~ r](x) = 3", "E[x ~ r](x) <= 3*s",
    "integral[x: 0..inf](exp(x)) = 1", "integral[x: 0..1](1/x) <= 10",
]  # fmt: skip
HOLD = ["KL(q || p) = inf", "KL(q || p) >= 5", "E[x ~ r](x) > s", "KL(p || q) < inf", "integral[x: 0..1](1/x) = inf"]
CONDITIONAL = [  # an integral, its closed form, where it is finite, a value there, a value where it is infinite
    ("integral[x: 0..inf](exp(-a*x))", "1/a", "a > 0", 2.0, 0.5, -1.0),
    pytest.param("integral[x: 0..inf](x^(a-1)*exp(-x))", "gamma(a)", "a > 0", 3.0, 2.0, -0.3, marks=pytest.mark.slow),
    ("integral[x: 0..1](x^a)", "1/(a + 1)", "a > -1", 1.0, 0.5, -2.0),
]


@pytest.mark.parametrize("claim", REFUTED)
def test_a_number_is_refuted_where_the_side_is_infinite(claim):
    v = symgen.loads(MODEL).check(claim)
    assert v.status == "refuted"
    assert "inf" in v.text() and "[+/-" not in v.text()


@pytest.mark.parametrize("claim", HOLD)
def test_an_infinite_side_is_above_every_number(claim):
    assert symgen.loads(MODEL).check(claim).status in ("proved", "checked")


@pytest.mark.parametrize(("integral", "closed", "condition", "inside", "value", "outside"), CONDITIONAL)
def test_a_divergent_integral_is_infinite_outside_of_its_condition(integral, closed, condition, inside, value, outside):
    m = symgen.loads(MODEL)
    d = m.derive(integral)
    assert d.evaluate(a=inside) == pytest.approx(value)
    assert d.evaluate(a=outside) == math.inf
    v = m.check(f"{integral} = {closed}")
    assert v.status == "checked" and condition in v.text()


def test_an_integral_that_does_not_exist_is_no_number():
    m = symgen.loads(MODEL)
    assert math.isnan(m.derive("integral[x: -inf..inf](x)").evaluate())
    assert math.isnan(m.derive("integral[x: -1..1](1/x)").evaluate())
    assert m.check("integral[x: -inf..inf](x) = 0").status == "unknown"
