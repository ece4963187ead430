"""The referee's own quadrature does not call a right result wrong: at kinks, and where mass crowds at an end."""

import pytest

import symgen

MODEL = symgen.loads("param a: real, m: real, b: positive, s: positive, k: positive, l: positive, n: positive, p: unit\n")


@pytest.mark.parametrize("goal", [
    "renyi(Normal(0, 1), Laplace(0, 1), 1/2)", "chi2(Normal(0, 1) || Laplace(0, 1))", "fisher(Beta(n*p, n*(1 - p)), p)",
    "E[x ~ Beta(k, l)](1/(x*(1 - x)))", "E[x ~ Beta(b, p)](1/(1 - x))", "E[x ~ Normal(a, b), y ~ Normal(m, s)](abs(x - y))",
])  # fmt: skip
def test_a_right_result_is_checked(goal):
    assert MODEL.derive(goal).evidence.kind == "checked"
