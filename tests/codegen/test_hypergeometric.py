"""Hypergeometric functions and their kin in generated code, over the parameters at which closed forms hold them, against mpmath."""

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import symgen

FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[tuple[float, ...], ...]]] = {
    "hyp2f1(1, a, a + 1, 1 - x)": (
        lambda a, b, x: mp.hyp2f1(1, a, a + 1, 1 - x),
        ((0.0011, 1, 1e-6), (1.37, 1, 4e-4), (1281, 1, 1e-6), (1062, 1, 25), (3, 1, 1e6)),
    ),
    "hyp2f1(b, 1 - b, 1, -x)": (
        lambda a, b, x: mp.hyp2f1(b, 1 - b, 1, -x), ((1, 0.5, 1e10), (1, 0.02, 3), (1, 0.7, 1e-5))),
    "hyp1f1(a, a + b, x - 30)": (
        lambda a, b, x: mp.hyp1f1(a, a + b, x - 30), ((3, 1, 80), (0.01, 50, 140), (70, 0.02, 1e-3), (0.3, 0.2, 30.5)),
    ),
    "hyp1f1(-a/2, 1/2, -x)": (lambda a, b, x: mp.hyp1f1(-a / 2, mp.mpf(1) / 2, -x), ((0.3, 1, 9), (7.3, 1, 200))),
    "hyperu(a, 1 - b, x)": (lambda a, b, x: mp.hyperu(a, 1 - b, x), ((33, 7.5, 4e-3), (0.02, 0.3, 20), (1, 40, 0.3))),
    "hyperu(a, 1 + b, x)": (lambda a, b, x: mp.hyperu(a, 1 + b, x), ((1, 335, 1515), (2, 30, 50))),
    "besselk(a, x)": (lambda a, b, x: mp.besselk(a, x), ((50, 1, 0.03), (0.3, 1, 1e-3), (0.5, 1, 500))),
    "Ei(x - 3)": (lambda a, b, x: mp.ei(x - 3), ((1, 1, 0.1), (1, 1, 4.5), (1, 1, 90))),
    "dilog(1 - x)": (lambda a, b, x: mp.polylog(2, 1 - x).real, ((1, 1, 0.125), (1, 1, 0.75), (1, 1, 1.5), (1, 1, 300))),
}  # fmt: skip


def number(target: str, x: float) -> Any:
    if target == "torch":
        torch = pytest.importorskip("torch")
        return torch.tensor(x, dtype=torch.float64)
    if target == "jax":
        jax = pytest.importorskip("jax")
        jax.config.update("jax_enable_x64", True)
        return jax.numpy.asarray(x, dtype="float64")
    return np.float64(x)


@pytest.mark.parametrize("target", ["numpy", "torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_their_values_have_thirteen_digits(target):
    if target != "numpy":
        pytest.importorskip(target)
    goals = "".join(f"derive f{k} = {text}\n" for k, text in enumerate(FUNCTIONS))
    made = symgen.loads("param a: positive, b: positive, x: positive\n" + goals).compile(target=target)
    for k, (text, (exact, points)) in enumerate(FUNCTIONS.items()):
        for at in points:
            got = float(getattr(made, f"f{k}")({n: number(target, v) for n, v in zip("abx", at, strict=True) if n in text}))
            with mp.workdps(50):
                want = exact(*map(mp.mpf, at))
            assert abs(got - want) <= 1e-13 * abs(want), (text, at)


def test_outside_of_what_torch_can_sum_there_is_no_number():
    torch = pytest.importorskip("torch")
    made = symgen.loads("param a: positive, x: positive\nderive f = hyp2f1(a, a + 1, 1/2, -x)").compile(target="torch")
    at = {n: torch.tensor(2.5, dtype=torch.float64) for n in "ax"}
    assert np.isnan(float(made.f(at)))


PRODUCTS: dict[str, tuple[Callable[..., Any], tuple[tuple[float, float], ...]]] = {
    "gamma(a)*exp(-x)": (lambda a, x: mp.gamma(a) * mp.exp(-x), ((3.5, 2), (200, 900), (180, 800), (5, 2000))),
    "gamma(a + 2*x)/gamma(a)*3^(-x*a)": (
        lambda a, x: mp.gamma(a + 2 * x) / mp.gamma(a) * mp.mpf(3) ** (-x * a), ((3.5, 2), (405, 0.3), (8, 90), (40, 90)),
    ),
    "a^x*exp(-x*a/3)": (lambda a, x: a**x * mp.exp(-x * a / 3), ((3.5, 2), (3000, 900))),
    "(a/(a + 1))^x*(a + x)^(a + x)*exp(-x*a)": (
        lambda a, x: (a / (a + 1)) ** x * (a + x) ** (a + x) * mp.exp(-x * a), ((3, 2), (4, 200))),
    "besselk(a, x)*exp(x)": (lambda a, x: mp.besselk(a, x) * mp.exp(x), ((0.3, 0.2), (0.4, 900), (30, 2000))),
    "besselk(a, x)*(x/2)^a/gamma(a)": (
        lambda a, x: mp.besselk(a, x) * (x / 2) ** a / mp.gamma(a), ((0.3, 0.2), (1900, 0.02), (900, 60))),
    "(1/gamma(a) + hyperu(a, 1/2, x))*gamma(a + 1/2)": (
        lambda a, x: (1 / mp.gamma(a) + mp.hyperu(a, 0.5, x)) * mp.gamma(a + 0.5), ((0.3, 0.2), (700, 0.02), (400, 60))),
    "exp(x - 3)*hyp2f1(1, a + 1, a + 2, -exp(x - 3))": (
        lambda a, x: mp.exp(x - 3) * mp.hyp2f1(1, a + 1, a + 2, -mp.exp(x - 3)),
        ((0.3, 0.2), (2, 70), (0.02, 90), (1e-4, 900), (2, 900))),
    "E1(exp(a - x))": (lambda a, x: mp.e1(mp.exp(a - x)), ((0.3, 0.2), (1, 39), (1, 43), (1, 900))),
    "exp(2*a/x)*erfc(sqrt(a/2)*(1 + 1/x))": (
        lambda a, x: mp.exp(2 * a / x) * mp.erfc(mp.sqrt(a / 2) * (1 + 1 / x)), ((0.3, 0.2), (900, 1.01), (900, 0.2))),
}  # fmt: skip


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_a_product_is_a_number_where_its_factors_are_none(target):
    pytest.importorskip(target)
    goals = "".join(f"derive f{k} = {text}\n" for k, text in enumerate(PRODUCTS))
    made = symgen.loads("param a: positive, x: positive\n" + goals).compile(target=target)
    for k, (text, (exact, points)) in enumerate(PRODUCTS.items()):
        for at in points:
            got = float(getattr(made, f"f{k}")({n: number(target, v) for n, v in zip("ax", at, strict=True)}))
            with mp.workdps(50):
                want = exact(*map(mp.mpf, at))
            size = max(abs(mp.log(abs(want))), mp.loggamma(at[0] + at[1]), 1)
            assert abs(got - want) <= 4e-15 * size * abs(want) + 1e-300, (text, at)
