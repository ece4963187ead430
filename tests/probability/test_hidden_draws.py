"""What a marginal is drawn with does not take the names of others: z of `E[x ~ p(x)](x*z)` is the declared z."""

import math

import pytest

import symgen

HEAD = """
dist p(z) = Normal(1, 2)
dist p(x | z) = Normal(z, 1)
dist q(z) = Normal(-1, 1)
"""
Z = 3.0


@pytest.mark.parametrize(("goal", "want"), [  # x ~ Normal(1, sqrt(5)), without the z that it was drawn with
    ("E[x ~ p(x)](x*z)", Z), ("E[x ~ p](x^2*z)", 6 * Z), ("E[x ~ p(x)](exp(x)*z)", math.exp(3.5) * Z),
    ("Var[x ~ p(x)](x + z)", 5), ("Cov[x ~ p(x)](x, z*x)", 5 * Z), ("E[x ~ p(x), z ~ q](x*z)", -1),
    ("E[z ~ q](E[x ~ p(x)](x*z))", -1), ("E[z, x ~ p](x*z)", 5), ("E[x ~ p(x | z)](x*z)", Z * Z),
])  # fmt: skip
def test_a_name_means_what_was_declared_or_drawn(goal, want):
    d = symgen.loads("data z: real\n" + HEAD).derive(goal)
    assert d.evaluate(**({"z": Z} if "z" in d.text_result else {})) == pytest.approx(want)


TABLES = symgen.loads("density p(x, z), q(z | x)\nfunction f(z): real\ndata x: real\n")


@pytest.mark.parametrize("claim", [
    "E[z ~ p(z)](p(x | z)) = p(x)", "E[z ~ q(z | x)](f(z)) = E[z ~ p(z)](q(z | x)/p(z)*f(z))",
    "E[z ~ p(z)](p(x | z)*f(z)) = p(x)*E[z ~ p(z | x)](f(z))", "E[z ~ p(z)](p(x | z)/p(x)) = 1",
])  # fmt: skip
def test_marginals_of_unknown_joints_at_a_declared_value(claim):
    assert TABLES.check(claim).holds


@pytest.mark.parametrize("claim", ["E[z ~ p(z)](p(x | z)) = p(x)^2", "E[z ~ q(z | x)](f(z)) = E[z ~ p(z)](p(z)/q(z | x)*f(z))"])
def test_what_is_wrong_of_them_is_refuted(claim):
    assert TABLES.check(claim).status == "refuted"
