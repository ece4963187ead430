"""Functions that cancel, overflow or vanish as they are written, and their gradients, against 900 digits."""

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import symgen


def ndtr(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


FORMS: dict[str, tuple[Callable[[Any], Any], tuple[float, ...]]] = {
    "log(erfc(-x/sqrt(2))/2)": (lambda x: mp.log(ndtr(x)), (-30.0, -5.0, 0.3, 5.0)),
    "log((1 + erf(x/sqrt(2)))/2)": (lambda x: mp.log(ndtr(x)), (-20.0, -1.0, 5.0)),
    "log(1 - erf(x))": (mp.erfc, (-3.0, 1.0, 20.0)),
    "exp(x^2/4)*(1 - erf(x/2))": (lambda x: mp.exp(x**2 / 4) * mp.erfc(x / 2), (-3.0, 0.1, 30.0)),
    "exp(-x^2/2)/erfc(-x/sqrt(2))": (lambda x: mp.exp(-(x**2) / 2) / mp.erfc(-x / mp.sqrt(2)), (-30.0, 0.3, 3.0)),
    "exp(x)*E1(x)": (lambda x: mp.exp(x) * mp.e1(x), (0.01, 30.0, 51.0, 800.0)),
    "1 - igamma(9/2, x)": (lambda x: mp.gammainc(4.5, x, regularized=True), (0.1, 3.0, 33.0)),
    "gamma(x + 1/2)/gamma(x)": (lambda x: mp.gamma(x + mp.mpf(1) / 2) / mp.gamma(x), (0.1, 33.0, 99.5)),
    "log(1 - exp(-x))": (lambda x: mp.log(-mp.expm1(-x)), (1e-20, 0.1, 3.0, 50.0)),
    "log(exp(x) - 1)": (lambda x: mp.log(mp.expm1(x)), (1e-10, 0.1, 3.0, 800.0)),
    "log(cosh(x))": (lambda x: mp.log(mp.cosh(x)), (1e-5, -0.1, 1.5, 800.0)),
    "1 - cos(x)": (lambda x: 2 * mp.sin(x / 2) ** 2, (1e-8, 0.3)),
    "log(1 + x) - x": (lambda x: mp.log1p(x) - x, (1e-8, 0.3, 30.0)),
    "sqrt(1 + x) - 1": (lambda x: mp.sqrt(1 + x) - 1, (1e-12, 0.3, 30.0)),
    "log(x) - log(x + 1)": (lambda x: -mp.log1p(1 / x), (1e-10, 1.0, 1e14)),
    "exp(x)/(1 + exp(x))^2": (lambda x: 1 / (2 * mp.cosh(x / 2)) ** 2, (-30.0, 0.1, 3.0)),
}
FORMS["log(1 - erf(x))"] = (lambda x: mp.log(mp.erfc(x)), FORMS["log(1 - erf(x))"][1])
TEXT = "param x: real, y: positive\n" + "".join(
    f"loss L{k} = {t.replace('x', 'y').replace('eyp', 'exp') if min(p) > 0 else t}\n" for k, (t, (_, p)) in enumerate(FORMS.items())
)


def module(target: str) -> Any:
    return symgen.loads(TEXT).compile(target=target)


def number(target: str, x: float) -> Any:
    if target == "torch":
        return pytest.importorskip("torch").tensor(x, dtype=pytest.importorskip("torch").float64)
    if target == "jax":
        jax = pytest.importorskip("jax")
        jax.config.update("jax_enable_x64", True)
        return jax.numpy.asarray(x, dtype="float64")
    return np.float64(x)


@pytest.mark.parametrize(("target", "tolerance"), [("numpy", 1e-12), ("torch", 1e-12)])
def test_values_and_gradients_keep_their_digits(target, tolerance):
    if target != "numpy":
        pytest.importorskip(target)
    made = module(target)
    for k, (text, (f, points)) in enumerate(FORMS.items()):
        for at in points:
            x, h = mp.mpf(at), mp.mpf(10) ** -40 * max(abs(mp.mpf(at)), 1)
            with mp.workdps(420 if abs(at) > 100 else 100):
                want = f(x), (f(x + h) - f(x - h)) / (2 * h)
            with np.errstate(all="ignore"):
                value, gradients = getattr(made, f"L{k}_value_and_grad")({"x": number(target, at), "y": number(target, at)}, {})
            name = "y" if min(points) > 0 else "x"
            for got, exact in zip((float(value), float(gradients[name])), want, strict=True):
                assert abs(got - exact) <= tolerance * abs(exact) + 1e-300, (text, at)


def test_trigamma_of_torch_has_all_digits():
    torch = pytest.importorskip("torch")
    made = symgen.loads("param x: real\nloss L = digamma(x)").compile(target="torch")
    for at in (0.02, 1.117, 30.0, -0.3, -7.6):
        got = float(made.L_value_and_grad({"x": torch.tensor(at, dtype=torch.float64)}, {})[1]["x"])
        assert abs(got - mp.psi(1, mp.mpf(at))) <= 1e-13 * abs(mp.psi(1, mp.mpf(at)))


def test_the_gradient_of_a_divergence_where_a_class_has_no_mass():
    text = "dim n\ndata p: simplex[n]\nparam q: simplex[n]\nloss L = KL(Categorical(p) || Categorical(q))"
    p = np.array([0.5, 0.5, 0.0])
    value, gradients = symgen.loads(text).compile().L_value_and_grad({"q": p}, {"p": p})
    assert value == 0 and np.allclose(gradients["q"], [-1 / 3, -1 / 3, 2 / 3], rtol=1e-14)


MOMENTS = {  # what is left beyond the leading terms of gamma functions, and differences of their powers
    "entropy(Gamma(x, 2))": lambda x: x - mp.log(2) + mp.loggamma(x) + (1 - x) * mp.digamma(x),
    "entropy(Beta(x, 3*x))": lambda x: (
        mp.loggamma(x) + mp.loggamma(3 * x) - mp.loggamma(4 * x) + (1 - x) * mp.digamma(x) + (1 - 3 * x) * mp.digamma(3 * x)
        + (4 * x - 2) * mp.digamma(4 * x)
    ),
    "entropy(FisherSnedecor(x, 5))": lambda x: (
        mp.loggamma(x / 2) + mp.loggamma(mp.mpf(5) / 2) - mp.loggamma(x / 2 + mp.mpf(5) / 2) + mp.log(5 / x)
        + (1 - x / 2) * mp.digamma(x / 2) - mp.mpf(7) / 2 * mp.digamma(mp.mpf(5) / 2)
        + (x + 5) / 2 * mp.digamma((x + 5) / 2)
    ),
    "Var[z ~ Weibull(x, 3)](z)": lambda x: 9 * (mp.gamma(1 + 2 / x) - mp.gamma(1 + 1 / x) ** 2),
    "Var[z ~ Chi(x)](z)": lambda x: x - 2 * (mp.gamma((x + 1) / 2) / mp.gamma(x / 2)) ** 2,
    "Var[z ~ GeneralizedGamma(2, x, 3)](z)": lambda x: 4 * (
        mp.gamma((x + 2) / 3) / mp.gamma(x / 3) - (mp.gamma((x + 1) / 3) / mp.gamma(x / 3)) ** 2
    ),
    "E[z ~ Kumaraswamy(3, x)](z)": lambda x: x * mp.beta(mp.mpf(4) / 3, x),
}  # fmt: skip


@pytest.mark.parametrize("target", ["numpy", "torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_moments_and_entropies_of_large_shapes_keep_their_digits(target):
    if target != "numpy":
        pytest.importorskip(target)
    goals = "".join(f"derive h{k} = {text}\n" for k, text in enumerate(MOMENTS))
    made = symgen.loads("param x: positive\n" + goals).compile(target=target)
    for k, (text, exact) in enumerate(MOMENTS.items()):
        for at in (0.3, 7.0, 300.0, 1e5) if target != "jax" else (300.0,):
            with mp.workdps(80):
                want = exact(mp.mpf(at))
            got = float(getattr(made, f"h{k}")({"x": number(target, at)}))
            assert abs(got - want) <= 2e-13 * abs(want), (text, at)


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_moments_of_the_continuous_bernoulli_law_keep_their_digits_beside_one_half(target):
    if target != "numpy":
        pytest.importorskip(target)
    goals = ("E[x ~ ContinuousBernoulli(p)](x)", "Var[x ~ ContinuousBernoulli(p)](x)")
    made = symgen.loads("param p: unit\n" + "".join(f"loss L{k} = {g}\n" for k, g in enumerate(goals))).compile(target=target)
    for at in (0.5 + 1e-12, 0.5 - 1e-8, 0.5001, 0.3, 0.26, 0.24, 1e-9):
        with mp.workdps(80):
            p = mp.mpf(at)
            h, t = mp.log(p / (1 - p)), 2 * p - 1
            wanted = p / t - 1 / h, 1 / h**2 - p * (1 - p) / t**2
            slope = 1 / (h**2 * p * (1 - p)) - 1 / t**2
        for k, want in enumerate(wanted):
            value, gradients = getattr(made, f"L{k}_value_and_grad")({"p": number(target, at)}, {})
            assert abs(float(value) - want) <= 1e-14 * abs(want), (k, at)
            if k == 0:
                assert abs(float(gradients["p"]) - slope) <= 1e-12 * abs(slope), at
