"""Marginals, posteriors and divergences of a joint inside means over its own variables: x is bound by the mean, the z over
which p(x) is the marginal is not.

The referee knows the joint normal of z and x, and a table of two coins.
"""

import math

import numpy as np
import pytest

import symgen

T = 1.3
SPEC = """
param t: positive
dist p(z) = Normal(0, 1)
dist p(x | z) = Normal(z, t)
dist q(z | x) = Normal(x/2, t)
"""
INFORMATION = math.log(1 + 1 / T**2) / 2
H = lambda variance: math.log(2 * math.pi * math.e * variance) / 2  # noqa: E731
VALUES = {
    "E[x ~ p(x)](KL(p(z | x) || p(z)))": INFORMATION,
    "E[x ~ p(x)](E[z ~ p(z | x)](log p(z | x) - log p(z)))": INFORMATION,
    "E[z ~ p](E[x ~ p(x | z)](log p(x | z) - log p(x)))": INFORMATION,
    "E[z ~ p, x ~ p](log p(z | x) - log p(z))": INFORMATION,
    "entropy(p(z)) - E[x ~ p(x)](entropy(p(z | x)))": INFORMATION,
    "mutual_information(p, x, z)": INFORMATION,
    "E[x ~ p(x)](-log p(x))": H(1 + T**2),
    "E[x ~ p(x), z ~ p(z | x)](log p(x, z))": -H(1) - H(T**2),
    "E[x ~ p(x)](E[z ~ p(z | x)](z^2))": 1.0,
    "E[x ~ p(x)](Var[z ~ p(z | x)](z)) + Var[x ~ p(x)](E[z ~ p(z | x)](z))": 1.0,
    "E[x ~ p(x)](posterior(p, z, given=x).mu^2)": 1 / (1 + T**2),
    "E[x ~ p(x)](elbo(q, p)) - E[x ~ p(x)](log p(x)) + E[x ~ p(x)](KL(q(z | x) || p(z | x)))": 0.0,
}


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal", VALUES)
def test_a_mean_binds_what_it_draws_and_no_more(model, goal):
    assert math.isclose(model.derive(goal).evaluate(t=T), VALUES[goal], rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("claim, holds", [
    ("E[z ~ p(z | x)](log p(x, z) - log p(z | x)) = log p(x)", True),
    ("E[z ~ p(z | x)](log p(x, z) - log p(z)) = log p(x)", False),
    ("E[x ~ p(x)](KL(p(z | x) || p(z))) = mutual_information(p, x, z)", True),
    ("E[x ~ p(x)](KL(p(z | x) || p(z))) = 2*mutual_information(p, x, z)", False),
])  # fmt: skip
def test_claims_about_them(model, claim, holds):
    status = model.check(claim).status
    assert (status in ("proved", "checked")) if holds else status == "refuted"


def test_the_same_of_coins():
    model = symgen.loads("param a: unit, b: unit, c: unit\ndist p(z: binary) = Bernoulli(a)\n"
                         "dist p(x: binary | z) = Bernoulli(where(z == 1, b, c))\n")  # fmt: skip
    at = {"a": 0.3, "b": 0.8, "c": 0.25}
    joint = np.array([[0.7 * 0.75, 0.7 * 0.25], [0.3 * 0.2, 0.3 * 0.8]])
    information = (joint * np.log(joint / joint.sum(0) / joint.sum(1, keepdims=True))).sum()
    assert math.isclose(model.derive("mutual_information(p, x, z)").evaluate(**at), information)
    assert math.isclose(model.derive("E[x ~ p(x)](KL(p(z | x) || p(z)))").evaluate(**at), information)
    assert math.isclose(model.derive("E[x ~ p(x)](-log p(x))").evaluate(**at), -(joint.sum(0) * np.log(joint.sum(0))).sum())


@pytest.mark.parametrize("claim", [
    "E[y ~ p(y | x)](f(y)) = E[y ~ p(y)](f(y))",
    "KL(p(y | x) || p(y)) = mutual_information(p, x, y)",
])  # fmt: skip
def test_a_conditional_of_an_unknown_joint_is_not_taken_for_the_marginal(claim):
    model = symgen.loads("density p(x, y)\nfunction f(y): real\n")
    assert model.check(claim).status in ("unknown", "refuted")


def test_draws_from_one_joint_are_one_draw_in_any_order() -> None:
    """`y ~ q, x ~ q` drew x a second time, apart from the x that y hangs on: E(x y) was the product of the means."""
    model = symgen.loads("param a: real, s: positive\ndist q(x) = Normal(1, s)\ndist q(y | x) = Normal(a*x, 1/2)\n")
    for spec in ("x ~ q, y ~ q", "y ~ q, x ~ q", "(y, x) ~ q"):
        d = model.derive(f"E[{spec}](x*y)")
        assert d.evidence.kind == "checked"
        assert d.evaluate(a=0.7, s=1.3) == pytest.approx(0.7 * (1 + 1.3**2))
    assert model.derive("E[y ~ q(y), x ~ q(x)](x*y)").evaluate(a=0.7, s=1.3) == pytest.approx(0.7)
