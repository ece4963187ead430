"""A density of one's own that is 0 somewhere: divergences from it and to it, against quadrature of both densities."""

import math

import numpy as np
import pytest
from scipy import stats

import symgen

HEAD = """
param k: positive
dist quartic(u: real) = exp(-u^4)/Z1
dist tent(u: real) = max(1 - abs(u), 0)
dist bowl(u: real) = where(abs(u) < 1, 1 - u^2, 0)/Z2
dist below(u: real) = where(u < k, exp(-u^2), 0)/Z3
dist right(u: real) = where(u > 0, 1/(1 + u^2), 0)/Z4
"""
K = 1.7
DENSITIES = {
    "quartic": lambda u: np.exp(-(u**4)) / (2 * math.gamma(1.25)),
    "tent": lambda u: np.maximum(1 - np.abs(u), 0),
    "bowl": lambda u: np.maximum(1 - u**2, 0) * 0.75,
    "below": lambda u: np.where(u < K, np.exp(-(u**2)), 0) / (math.sqrt(math.pi) * stats.norm.cdf(K * math.sqrt(2))),
    "right": stats.halfcauchy.pdf,
    "Normal(0, 1)": stats.norm.pdf,
    "HalfNormal(1)": stats.halfnorm.pdf,
    "Uniform(-1, 1)": stats.uniform(-1, 2).pdf,
    "Uniform(-2, 2)": stats.uniform(-2, 4).pdf,
    "Exponential(1)": stats.expon.pdf,
    "Truncated(Exponential(1), 0, k)": stats.truncexpon(K).pdf,
    "Truncated(Cauchy(0, 1), 0, inf)": stats.halfcauchy.pdf,
    "Mixture(1/2, Uniform(-2, -1), Uniform(1, 2))": lambda u: np.where((np.abs(u) > 1) & (np.abs(u) < 2), 0.5, 0),
    "Mixture(1/4, Uniform(-2, 0), Uniform(0, 2))": lambda u: np.where(u > 0, 3 / 8, np.where(u > -2, 1 / 8, 0)) * (u < 2),
}
PLACES = np.concatenate([[-1e4, -60], np.sort(np.r_[np.arange(-12, 13, 0.004), K, -1e-9, 1e-9]), [60, 1e4]])


def integrated(f, p, q):
    x, w = np.polynomial.legendre.leggauss(5)
    mid, half = (PLACES[1:] + PLACES[:-1]) / 2, np.diff(PLACES) / 2
    at = mid[:, None] + half[:, None] * x
    with np.errstate(all="ignore"):
        return float(np.sum(f(DENSITIES[p](at), DENSITIES[q](at)) * w * half[:, None]))


def kl(p, q):
    return np.where(p > 0, p * np.log(p / q), 0)


@pytest.fixture(scope="module")
def model():
    return symgen.loads(HEAD)


def number(model, goal):
    d = model.derive(goal)
    return d.evaluate(**({"k": K} if "k" in goal or "below" in goal else {}))


@pytest.mark.parametrize(("p", "q"), [
    ("tent", "Uniform(-1, 1)"), ("bowl", "Uniform(-2, 2)"), ("tent", "Normal(0, 1)"),
    ("Uniform(-1, 1)", "below"), ("Truncated(Exponential(1), 0, k)", "Exponential(1)"), ("tent", "quartic"),
    ("Mixture(1/2, Uniform(-2, -1), Uniform(1, 2))", "Mixture(1/4, Uniform(-2, 0), Uniform(0, 2))"),
])  # fmt: skip
def test_kl_is_that_of_quadrature(model, p, q):
    assert number(model, f"KL({p} || {q})") == pytest.approx(integrated(kl, p, q), abs=2e-6)


@pytest.mark.parametrize(("p", "q"), [
    ("quartic", "HalfNormal(1)"), ("Uniform(-2, 2)", "tent"), ("Normal(0, 1)", "bowl"), ("Normal(0, 1)", "below"),
    ("Exponential(1)", "Truncated(Exponential(1), 0, k)"), ("Uniform(-2, 2)", "below"),
    ("Mixture(1/4, Uniform(-2, 0), Uniform(0, 2))", "Mixture(1/2, Uniform(-2, -1), Uniform(1, 2))"),
    ("right", "HalfNormal(1)"), ("Truncated(Cauchy(0, 1), 0, inf)", "Normal(0, 1)"),
])  # fmt: skip
def test_what_is_infinite_is_said_to_be(model, p, q):
    assert number(model, f"KL({p} || {q})") == math.inf
    if "Cauchy" not in p and p != "right":  # their squares are integrable
        assert number(model, f"chi2({p} || {q})") == math.inf


@pytest.mark.parametrize("name, f", [("tv", lambda p, q: abs(p - q) / 2), ("hellinger", lambda p, q: (p**0.5 - q**0.5) ** 2 / 2)])
@pytest.mark.parametrize(("p", "q"), [
    ("Truncated(Exponential(1), 0, k)", "Exponential(1)"), ("quartic", "HalfNormal(1)"), ("tent", "Uniform(-2, 2)"),
    ("below", "Normal(0, 1)"),
])  # fmt: skip
def test_what_lies_beyond_one_support_counts(model, name, f, p, q):
    assert number(model, f"{name}({p}, {q})") == pytest.approx(integrated(f, p, q), abs=5e-6)


@pytest.mark.parametrize("law", ["Normal(1.3, k)", "Laplace(-0.4, k)", "Logistic(0.7, k)"])
@pytest.mark.parametrize("name", ["KL", "hellinger", "tv", "JS", "chi2"])
def test_the_sizes_of_a_draw_and_of_its_mirror_image_are_one_law(model, law, name):
    family, (m, s) = law.split("(")[0], law[:-1].split("(")[1].split(", ")
    d = model.derive(f"{name}(Transformed({law}, abs), Transformed({family}(-({m}), {s}), abs))")
    assert d.text_result == "0" and d.evidence.kind == "proved"


def test_a_logistic_draw_through_the_sigmoid_is_uniform(model):
    assert model.derive("KL(Transformed(Logistic(0, 1), sigmoid) || Uniform(0, 1))").text_result == "0"
    assert model.derive("entropy(Transformed(Uniform(0, 1), log))").evaluate() == pytest.approx(1)


OWN = """
param l: positive, b: positive, a: real
dist counts(u: natural) = l^u/gamma(u + 1)/Z
dist labels(u: label(4)) = exp(a*u)/Z
dist given(u: label(3)) = (u + 1)/6
"""
LABELS = np.exp(0.7 * np.arange(4)) / np.exp(0.7 * np.arange(4)).sum()


@pytest.mark.parametrize(("goal", "at", "want"), [
    ("KL(counts || Poisson(b))", {"l": 2.3, "b": 3.4}, 2.3 * math.log(2.3 / 3.4) - 2.3 + 3.4),
    ("E[u ~ labels](u)", {"a": 0.7}, LABELS @ np.arange(4)),
    ("entropy(labels)", {"a": 0.7}, -LABELS @ np.log(LABELS)),
    ("E[u ~ given](u^2)", {}, 14 / 6),
])  # fmt: skip
def test_densities_of_counts_and_labels(goal, at, want):
    d = symgen.loads(OWN).derive(goal)
    assert d.evaluate(**at) == pytest.approx(want, rel=1e-9) and d.evidence.kind == "checked"


@pytest.mark.parametrize("dist", ["s(u: label(3)) = (u + 1)/7", "s(u: real) = where(u > 1, 3/u^3, 0)"])
def test_what_has_another_mass_than_1_is_no_density(dist):
    with pytest.raises(symgen.SymgenError, match="to 1: divide it"):
        symgen.loads(f"dist {dist}").derive("E[u ~ s](u)")
