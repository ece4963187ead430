"""Means and entropies under a density of one's own, with the normaliser derived: against mpmath, and quick."""

import time

import mpmath as mp
import pytest

import symgen

HEAD = """
param a: positive, m: real, b: real
"""
exp, A, M, B = mp.exp, 1.37, 0.42, -0.6
LAWS = {  # the density up to its normaliser, the range, the same in numbers
    "s(x: positive) = exp(-x^2 - a*x)/Z": (0, lambda x: exp(-(x**2) - A * x)),
    "s(x: positive) = x^2*exp(-2*x^2 + b*x)/Z": (0, lambda x: x**2 * exp(-2 * x**2 + B * x)),
    "s(x: positive) = x^3*exp(-a*x^4)/Z": (0, lambda x: x**3 * exp(-A * x**4)),
    "s(x: positive) = sqrt(x)*exp(-x^3)/Z": (0, lambda x: mp.sqrt(x) * exp(-(x**3))),
    "s(x) = exp(-(x - m)^4)/Z": (-mp.inf, lambda x: exp(-((x - M) ** 4))),
    "s(x) = exp(-a*abs(x - m)^3)/Z": (-mp.inf, lambda x: exp(-A * abs(x - M) ** 3)),
    "s(x) = x^2*exp(-x^2/2 + b*x)/Z": (-mp.inf, lambda x: x**2 * exp(-(x**2) / 2 + B * x)),
    "s(x) = (1 + abs(x))*exp(-abs(x)/a)/Z": (-mp.inf, lambda x: (1 + abs(x)) * exp(-abs(x) / A)),
}  # fmt: skip


def mean(f, low, density):
    ends = [low, *([-6, -1] if low else []), 0, M, 1, 6, 60] if low else [0, 1, 4, 60]
    ends = [e if e != -mp.inf else -60 for e in ends]
    return mp.quad(lambda x: f(x) * density(x), ends) / mp.quad(density, ends)


@pytest.mark.parametrize("law", LAWS)
def test_moments_and_the_entropy_are_closed_and_quick(law):
    low, density = LAWS[law]
    model = symgen.loads(HEAD + f"dist {law}\n")
    start = time.perf_counter()
    found = {g: model.derive(g) for g in ("E[x ~ s](x)", "E[x ~ s](x^2)", "entropy(s)")}
    assert time.perf_counter() - start < 5
    z = mp.quad(density, [-60, -6, -1, 0, M, 1, 6, 60] if low else [0, 1, 4, 60])
    wanted = [lambda x: x, lambda x: x**2, lambda x: mp.log(z) - mp.log(density(x)) if density(x) else 0]
    for (goal, d), f in zip(found.items(), wanted, strict=True):
        at = {k: v for k, v in {"a": A, "m": M, "b": B}.items() if k in map(str, d.symbols)}
        assert d.evaluate(**at) == pytest.approx(float(mean(f, low, density)), rel=1e-9, abs=1e-12), goal
        if "entropy" not in goal:
            assert "E[" not in d.text_result and d.evidence.kind == "checked"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_each_density_lives_where_its_own_head_says(order: tuple[int, int]) -> None:
    """One variable, two spaces: 6 t (1 - t) on the unit interval is no density on the half line. Means 1/2 and 1."""
    lines = ["dist s(t: positive) = exp(-t)/Z", "dist u(t: unit) = 6*t*(1 - t)"]
    model = symgen.loads("\n".join(lines[k] for k in order) + "\n")
    assert model.derive("E[t ~ u](t)").text_result == "1/2"
    assert model.derive("E[t ~ s](t)").text_result == "1"


@pytest.mark.parametrize(("density", "domain", "goal", "of"), [
    ("exp(-s*x)*sinh(x)", "positive", "E[x ~ p](x)", lambda x, p: x * p),
    ("exp(-s*x)*sinh(x)", "positive", "entropy(p)", lambda x, p: -p * mp.log(p)),
    ("exp(-x^2)*cosh(s*x)", "real", "E[x ~ p](x^2)", lambda x, p: x**2 * p),
    pytest.param("exp(-x^2)*cosh(s*x)", "real", "entropy(p)", lambda x, p: -p * mp.log(p), marks=pytest.mark.slow),
])  # fmt: skip
def test_hyperbolic_functions_are_sums_of_exponentials(density, domain, goal, of):
    s, low = mp.mpf("2.2"), 0 if domain == "positive" else -20
    raw = {"positive": lambda x: mp.exp(-s * x) * mp.sinh(x), "real": lambda x: mp.exp(-x * x) * mp.cosh(s * x)}[domain]
    mass = mp.quad(raw, [low, 0, 1, 5, 20, 60])
    want = mp.quad(lambda x: of(x, raw(x) / mass) if raw(x) else 0, [low, 0, 1, 5, 20, 60])
    d = symgen.loads(f"param s: positive\nassume s > 1\ndist p(x: {domain}) = {density}/Z\n").derive(goal)
    assert ("E[" in d.text_result) == goal.startswith("entropy")
    assert d.evidence.kind == "checked"
    assert d.evaluate(s=2.2) == pytest.approx(float(want), rel=1e-12)
