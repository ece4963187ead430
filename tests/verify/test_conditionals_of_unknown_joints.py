"""Claims in which a mean, a divergence or an entropy is of p(x | y), of a joint density that is not known."""

import pytest

import symgen

MODEL = symgen.loads("density p(x, y), r(x)\nfunction f(x, y): real\nfunction g(x): real\ndef h(t) = (t - 1)^2\n")
TRUE = [
    "E[y ~ p](E[x ~ p(x | y)](f(x, y))) = E[x ~ p, y ~ p](f(x, y))",
    "E[y ~ p](E[x ~ p(x | y)](g(x))) = E[x ~ p](g(x))",
    "Var[x ~ p](g(x)) = E[y ~ p](Var[x ~ p(x | y)](g(x))) + Var[y ~ p](E[x ~ p(x | y)](g(x)))",
    "E[y ~ p](E[x ~ p(x | y)](g(x))^2) <= E[x ~ p](g(x)^2)",
    "E[y ~ p](KL(p(x | y) || p(x))) = mutual_information(p, x, y)",
    "mutual_information(p, x, y) <= E[y ~ p](KL(p(x | y) || r(x)))",
    "E[y ~ p](KL(p(x | y) || r(x))) = mutual_information(p, x, y) + KL(p(x) || r)",
    "E[y ~ p](entropy(p(x | y))) = entropy(p) - entropy(p(y))",
    "E[y ~ p](entropy(p(x | y))) <= entropy(p(x))",
    "E[y ~ p](cross_entropy(p(x | y), r)) = cross_entropy(p(x), r)",
    "E[y ~ p](tv(p(x | y), r)) >= tv(p(x), r)",
    "E[y ~ p](chi2(p(x | y) || r)) >= chi2(p(x) || r)",
]
FALSE = [
    "Var[x ~ p](g(x)) = E[y ~ p](Var[x ~ p(x | y)](g(x)))",
    "E[y ~ p](E[x ~ p(x | y)](g(x))^2) >= E[x ~ p](g(x)^2)",
    "E[y ~ p](KL(p(x | y) || p(x))) = -mutual_information(p, x, y)",
    "mutual_information(p, x, y) >= E[y ~ p](KL(p(x | y) || r(x)))",
    "E[y ~ p](entropy(p(x | y))) >= entropy(p(x))",
    "E[y ~ p](tv(p(x | y), r)) <= tv(p(x), r)",
    "E[y ~ p](chi2(p(x | y) || r)) <= chi2(p(x) || r)",
]


@pytest.mark.parametrize("claim", TRUE)
def test_what_holds_is_never_refuted(claim):
    assert MODEL.check(claim).status in ("proved", "checked")


@pytest.mark.parametrize("claim", FALSE)
def test_a_slip_is_refuted(claim):
    assert MODEL.check(claim).status == "refuted"
