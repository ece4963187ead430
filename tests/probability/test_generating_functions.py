"""Moments and moment generating functions of laws on intervals by quadrature; where those of heavy tails are infinite."""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import iv

import symgen

MODEL = symgen.loads("""
param a: real, b: real, d: real, m: real, s: positive, t: real, i: integer, j: integer, l: positive, h: positive, c: positive
assume a < d, d < b, i < j, l < h
""")
AT = {"a": -0.7, "b": 1.9, "d": 0.3, "m": 0.2, "s": 1.3, "t": 0.6, "i": -2, "j": 5, "l": 0.4, "h": 2.2, "c": 1.2}
LAWS = {
    "TruncatedNormal(m, s, a, b)": stats.truncnorm(-0.9 / 1.3, 1.7 / 1.3, 0.2, 1.3).pdf,
    "Triangular(a, b, d)": stats.triang(1 / 2.6, -0.7, 2.6).pdf,
    "LogUniform(l, h)": stats.loguniform(0.4, 2.2).pdf,
    "TruncatedExponential(s, a, b)": lambda x: 1.3 * math.exp(-1.3 * (x + 0.7)) / (1 - math.exp(-1.3 * 2.6)),
}
GOALS = {"exp(t*x)": lambda x: np.exp(0.6 * x), "x^3": lambda x: x**3}


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("law", LAWS)
def test_on_an_interval(law, goal):
    ends = (0.4, 2.2) if "Log" in law else (-0.7, 0.3, 1.9)
    f = GOALS[goal]
    want = sum(integrate.quad(lambda x: LAWS[law](x) * f(x), u, v)[0] for u, v in zip(ends, ends[1:], strict=False))
    d = MODEL.derive(f"E[x ~ {law}]({goal})")
    assert math.isclose(d.evaluate(**AT), want, rel_tol=1e-9)
    assert "E[" not in d.text_result and d.evidence.kind == "checked"
    if goal == "exp(t*x)":
        assert math.isclose(d.evaluate(**{**AT, "t": 0.0}), 1, rel_tol=1e-12)


@pytest.mark.parametrize("goal", ["exp(t*x)", "x^3", "x^4"])
def test_of_counts(goal):
    f = {**GOALS, "x^4": lambda x: x**4}[goal]
    want = np.mean([f(x) for x in np.arange(-2.0, 6.0)])
    assert math.isclose(MODEL.derive(f"E[x ~ DiscreteUniform(i, j)]({goal})").evaluate(**AT), want, rel_tol=1e-12)


@pytest.mark.parametrize("law", ["LogNormal(m, s)", "Frechet(c, s)", "LogLogistic(c, s)", "Lomax(c, s)"])
def test_a_heavy_tail_has_none_above_0(law):
    d = MODEL.derive(f"E[x ~ {law}](exp(t*x))")
    assert d.evaluate(seed=0, **AT) == math.inf
    assert d.evaluate(seed=0, **{**AT, "t": 0.0}) == pytest.approx(1)
    assert 0 < d.evaluate(seed=0, **{**AT, "t": -0.5}) < 1


def test_one_infinite_term_outweighs_the_other():
    d = MODEL.derive("E[x ~ Levy(c)](x^2 - x)")
    assert d.text_result == "inf" and d.evidence.kind == "checked"


@pytest.mark.parametrize(("f", "angle", "order"), [("cos(2*(x - m))", 0.0, 2), ("sin(3*x)", 1.2, 3), ("cos(2*x + 1/4)", 1.05, 2)])
def test_a_wave_of_whole_order_on_the_circle_has_a_mean(f, angle, order):
    d = symgen.loads("param m: real, s: positive\ndist p(x) = VonMises(m, s)\n").derive(f"E[x ~ p]({f})")
    want = (math.cos if f.startswith("cos") else math.sin)(angle) * iv(order, 1.3) / iv(0, 1.3)
    assert d.evidence.kind == "checked"
    assert d.evaluate(**{k: v for k, v in {"m": 0.4, "s": 1.3}.items() if k in d.symbols}) == pytest.approx(want, rel=1e-13)
