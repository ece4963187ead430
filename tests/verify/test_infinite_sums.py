"""Sums to infinity, in the language and in LaTeX: closed where they converge, infinite where they do not."""

import math

import mpmath
import pytest

import symgen

HEAD = "param a: real, g: unit, s: positive, r: real, lambda: positive\ndist p(x) = Poisson(lambda)\n"
AT = {"a": -0.4, "g": 0.35, "s": 1.7, "r": 2.3, "lambda": 1.3}
SUMS = [  # the sum, its terms, from where
    ("sum[k: 0..inf](g^k*r)", lambda k: 0.35**k * 2.3, 0),
    ("sum[k: 1..inf](k^2*g^k)", lambda k: k**2 * 0.35**k, 1),
    ("sum[k: 0..inf](a^k)", lambda k: (-0.4) ** int(k), 0),
    ("sum[k: 0..inf](s^k*exp(a*k)/gamma(k + 1))", lambda k: 1.7**k * mpmath.exp(-0.4 * k) / mpmath.gamma(k + 1), 0),
    ("sum[k: 2..inf](exp(-s*k))", lambda k: mpmath.exp(-1.7 * k), 2),
    ("sum[n: 1..inf](1/n^2)", lambda k: 1 / k**2, 1),
    ("sum[k: 0..inf](p(k)*k)", lambda k: k * mpmath.exp(-1.3) * 1.3**k / mpmath.gamma(k + 1), 0),
    ("sum[j: 0..inf](sum[k: 0..inf](g^(j + k)))", lambda k: (k + 1) * 0.35**k, 0),
]  # fmt: skip
CLAIMS = [  # right, slips
    ("sum[k: 0..inf](g^k*r) = r/(1 - g)", ["sum[k: 0..inf](g^k*r) = r*g/(1 - g)", "sum[k: 1..inf](g^k*r) = r/(1 - g)"]),
    ("E[x ~ p](exp(a*x)) = sum[k: 0..inf](exp(a*k)*lambda^k*exp(-lambda)/gamma(k + 1)) = exp(lambda*(exp(a) - 1))",
     []),
    ("sum[k: 1..inf](1/k) = inf", ["sum[k: 1..inf](1/k) = 20"]),
]  # fmt: skip
LATEX = [
    (r"\sum_{k=0}^{\infty} g^k r = \frac{r}{1-g}", "proved"),
    (r"\sum_{k=1}^{\infty} g^k r = \frac{r}{1-g}", "refuted"),
    (r"\sum_{k=0}^\infty k \frac{\lambda^k e^{-\lambda}}{k!} = \lambda e^{-\lambda} \sum_{k=1}^\infty "
     r"\frac{\lambda^{k-1}}{(k-1)!} = \lambda e^{-\lambda} e^{\lambda} = \lambda", "proved"),
    (r"\sum_{k=1}^{+\infty} \frac{1}{k^2} = \frac{\pi^2}{6}", "proved"),
    (r"\mathbb{E}_{x \sim p}[x] = \sum_{x=0}^\infty x\, p(x) = \lambda", "proved"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "term", "first"), SUMS, ids=[s[0] for s in SUMS])
def test_a_sum_to_infinity_has_its_value(text, term, first):
    d = symgen.loads(HEAD).derive(text)
    assert d.evidence.kind == "checked"
    known = {v: x for v, x in AT.items() if v in text.replace("gamma", "").replace("exp(-s", "s")}
    if "p(k)" in text:
        known = {"lambda": 1.3}
    assert d.evaluate(**known) == pytest.approx(float(mpmath.nsum(term, [first, mpmath.inf])), rel=1e-10)


def test_a_sum_that_diverges_is_infinite_and_a_wave_has_no_value():
    m = symgen.loads(HEAD)
    d = m.derive("sum[k: 0..inf](s^k)")
    assert [d.evaluate(s=x) for x in (0.5, 2.0)] == [2.0, math.inf]
    assert m.derive("sum[k: 1..inf](1/k)").text_result == "inf"
    assert math.isnan(m.derive("sum[k: 0..inf](a^k)").evaluate(a=-3.0))
    assert m.derive("sum[k: 0..inf]((-1)^k)").text_result == "sum[k: 0..inf]((-1)^k)"
    stays = m.derive("sum[k: 0..inf](exp(-s*k^2))")
    assert r"\sum_{k=0}^{\infty}" in stays.latex() and any("stays" in n for n in stays.notes)


@pytest.mark.parametrize(("right", "slips"), CLAIMS, ids=[c[0] for c in CLAIMS])
def test_claims_about_sums_to_infinity(right, slips):
    m = symgen.loads(HEAD)
    assert m.check(right).status in ("proved", "checked")
    assert [m.check(s).status for s in slips] == ["refuted"] * len(slips)


@pytest.mark.parametrize(("formula", "status"), LATEX)
def test_latex_sums_to_infinity(formula, status, tmp_path):
    (tmp_path / "m.sg").write_text(HEAD)
    (tmp_path / "d.tex").write_text(rf"\[ {formula} \]")
    (v,) = symgen.verify_document(str(tmp_path / "d.tex"), spec=str(tmp_path / "m.sg"))
    assert v.status == status


def test_a_gradient_goes_through_a_sum_to_infinity():
    assert symgen.loads(HEAD).derive("grad(sum[k: 0..inf](g^k*r), g)").evaluate(g=0.35, r=2.3) == pytest.approx(2.3 / 0.65**2)
