"""Means of squares are infinite where they do not exist as numbers, and the Fisher information of laws with a kink is that
of their scores."""

import numpy as np
import pytest
from scipy import integrate, stats

import symgen

SPEC = "param a: positive, m: real, b: positive"


@pytest.mark.parametrize("goal", ["E[x ~ StudentT(a, 0, 1)](x^2)", "E[x ~ StudentT(a, m, b)]((x - 1)^2)"])
def test_a_square_has_a_mean_or_an_infinite_one(goal):
    d = symgen.loads(SPEC).derive(goal)
    at = {"m": 0.5, "b": 2.0} if "m" in goal else {}
    for a in (0.5, 1.5, 2.0):
        assert d.evaluate(a=a, **at) == np.inf
    loc, scale, centre = (0.5, 2.0, 1.0) if at else (0.0, 1.0, 0.0)
    want, _ = integrate.quad(lambda x: (x - centre) ** 2 * stats.t.pdf(x, 7.0, loc, scale), -np.inf, np.inf)
    assert d.evaluate(a=7.0, **at) == pytest.approx(want, rel=1e-6)


def test_the_information_of_a_laplace_is_that_of_its_score():
    model = symgen.loads(SPEC)
    assert model.derive("fisher(Laplace(m, b), [m])").text_result == "1/b^2"
