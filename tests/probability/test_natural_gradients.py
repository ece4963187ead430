"""The natural gradient, inv(F) grad L: of an exponential family it is the gradient by the mean parameters; of KL to a member of
the family the step to it in natural parameters; of the bound of a conjugate model the step to the posterior. Amari (1998);
Hoffman, Blei, Wang & Paisley (2013)."""

import numpy as np
import pytest

import symgen

# family, natural parameters, the target, and theta - theta of the target
DIVERGENCES = {
    "Gamma": ("param a: positive, r: positive\ndist q(x) = Gamma(a, r)\n", ["a", "r"], "Gamma(2, 3)", ["a - 2", "r - 3"]),
    "Beta": ("param a: positive, b: positive\ndist q(x) = Beta(a, b)\n", ["a", "b"], "Beta(2, 3)", ["a - 2", "b - 3"]),
    "InverseGamma": (
        "param a: positive, b: positive\ndist q(x) = InverseGamma(a, b)\n", ["a", "b"], "InverseGamma(2, 3)", ["a - 2", "b - 3"],
    ),
    "Normal": (
        "param h: real, l: positive\ndist q(x) = Normal(h/l, 1/sqrt(l))\n", ["h", "l"], "Normal(2, 1/2)", ["h - 8", "l - 4"],
    ),
}  # fmt: skip
ONE = {
    "Bernoulli": ("param t: real\ndist q(x) = Bernoulli(logits=t)\n", "Bernoulli(1/3)", "t + log(2)"),
    "Poisson": ("param t: real\ndist q(x) = Poisson(exp(t))\n", "Poisson(3)", "t - log(3)"),
    "Exponential": ("param t: positive\ndist q(x) = Exponential(t)\n", "Exponential(3)", "t - 3"),
}


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_natural_gradient_of_a_divergence_is_a_difference_of_natural_parameters(name: str) -> None:
    spec, (u, v), target, want = DIVERGENCES[name]
    d = symgen.loads(f"{spec}let L = KL(q || {target})\n").derive(f"inv(fisher(q, [{u}, {v}])) @ stack(grad(L, {u}), grad(L, {v}))")
    assert d.text_result == f"[{', '.join(want)}]"


@pytest.mark.parametrize("name", ONE)
def test_the_natural_gradient_by_one_natural_parameter(name: str) -> None:
    spec, target, want = ONE[name]
    assert symgen.loads(f"{spec}let L = KL(q || {target})\n").check(f"grad(L, t)/fisher(q, t) = {want}").holds


def test_the_natural_gradient_is_the_gradient_by_the_means() -> None:
    """Of any f: here E f of a normal law by its mean and second moment. Khan & Rue (2023), eq. 7."""
    model = symgen.loads(
        "param h: real, l: positive, m: real, k: positive\nassume m^2 < k\ndist q(x) = Normal(h/l, 1/sqrt(l))\n"
        "let L = E[x ~ q](x^4 + x)\nlet M = 3*k^2 - 2*m^4 + m\n"
    )
    got = model.derive("inv(fisher(q, [h, l])) @ stack(grad(L, h), grad(L, l))").evaluate(h=0.6, l=1.7)
    mean, second = 0.6 / 1.7, 0.6**2 / 1.7**2 + 1 / 1.7
    by_means = [model.derive(f"grad(M, {x})").evaluate(m=mean, k=second) for x in "mk"]
    assert np.allclose(got, [by_means[0], -2 * by_means[1]])  # the statistics are x and -x^2/2


def test_a_natural_step_of_a_conjugate_bound_leads_to_the_posterior() -> None:
    model = symgen.loads(
        "param h: real, l: positive, t: positive\ndata x: real\ndist p(z) = Normal(0, 1)\ndist p(x | z) = Normal(z, t)\n"
        "dist q(z) = Normal(h/l, 1/sqrt(l))\nlet L = elbo(q, p)\n"
    )
    d = model.derive("inv(fisher(q, [h, l])) @ stack(grad(L, h), grad(L, l))")
    assert np.allclose(d.evaluate(h=0.6, l=1.7, t=0.9, x=1.3), [1.3 / 0.81 - 0.6, 1 + 1 / 0.81 - 1.7])


def test_inverses_and_determinants_that_are_written_out() -> None:
    model = symgen.loads("param a: real, b: real, c: real, s: positive, S: spd[3, 3], v: real[3]\ndata x: real[2]\n"
                         "let y = [x[0], x[1]*exp(tanh(a*x[0])) + b*x[0]]\n")  # fmt: skip
    assert model.derive("inv([[a, b], [0, s]])[0]").text_result == "[1/a, -b/(a*s)]"
    assert model.derive("logdet(jacobian(y, x))").text_result == "tanh(a*x[0])"  # an affine coupling: Dinh et al. (2017)
    assert model.derive("det([[a, b, c], [0, s, b], [0, 0, 2]])").text_result == "2*a*s"
    assert model.derive("inv(inv(S)) @ v").text_result == "S @ v"
    point = {"a": 0.7, "b": -1.2, "c": 0.4, "s": 1.6}
    want = np.linalg.inv([[0.7, -1.2], [0.4, 1.6]])
    assert np.allclose(model.derive("inv([[a, b], [c, s]])").evaluate(**point), want)
