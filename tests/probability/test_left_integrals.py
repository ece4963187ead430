"""A number that no family integrates out stays under its integral: evidence, posterior and means have numbers, on the
support that the laws leave."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import symgen

norm, cauchy, poisson = stats.norm.pdf, stats.cauchy.pdf, stats.poisson.pmf
HEAD = "param a: real, s: positive, t: positive, u: unit\n"
AT = {"a": 0.7, "s": 1.4, "t": 0.8, "u": 0.35}
MODELS = [  # the laws of z and of x given z, the range of z, their densities, what is seen
    ("Normal(a, s)", "Normal(z^2, t)", (-12, 14), lambda z: norm(z, 0.7, 1.4), lambda x, z: norm(x, z * z, 0.8), 0.9),
    ("Cauchy(a, s)", "Normal(z, t)", (-20, 20), lambda z: cauchy(z, 0.7, 1.4), lambda x, z: norm(x, z, 0.8), 0.9),
    ("Uniform(0, u)", "Bernoulli(z)", (0, 0.35), lambda z: 1 / 0.35, lambda x, z: z if x else 1 - z, 1),
    ("Uniform(u, 1)", "Binomial(7, z)", (0.35, 1), lambda z: 1 / 0.65, lambda x, z: stats.binom.pmf(x, 7, z), 3),
    ("Truncated(Normal(0, 1), 0, 1)", "Geometric(z)", (0, 1), stats.truncnorm(0, 1).pdf, lambda x, z: z * (1 - z) ** x, 2),
    ("Uniform(0, s)", "Poisson(z)", (0, 1.4), lambda z: 1 / 1.4, lambda x, z: poisson(x, z), 2),
    ("LogNormal(a, s)", "Poisson(z)", (0, 40), stats.lognorm(1.4, scale=math.exp(0.7)).pdf, lambda x, z: poisson(x, z), 2),
    ("Exponential(s)", "Uniform(0, z)", (0.9, 40), stats.expon(scale=1 / 1.4).pdf, lambda x, z: 1 / z, 0.9),
]  # fmt: skip
QUICK = ("Truncated(Normal(0, 1), 0, 1)", "LogNormal(a, s)", "Exponential(s)")


def whole(f, low, high):
    return quad(f, low, high, points=[x for x in (0.3, 0.9, 1.5) if low < x < high], epsabs=1e-13)[0]


@pytest.mark.parametrize(("prior", "seen", "ends", "p", "likelihood", "x"), [
    pytest.param(*m, id=f"{m[0]}-{m[1]}", marks=() if m[0] in QUICK else pytest.mark.slow) for m in MODELS
])  # fmt: skip
def test_evidence_posterior_and_its_mean_are_integrals(prior, seen, ends, p, likelihood, x):
    m = symgen.loads(HEAD + f"dist p(z) = {prior}\ndist p(x | z) = {seen}")
    inside = 0.25 if ends[1] < 0.5 else 1.1 if ends[1] > 1 else 0.6
    known = {k: v for k, v in AT.items() if k in prior.replace("Normal", "") + seen.replace("Normal", "").replace("Poisson", "")}
    mass = whole(lambda z: p(z) * likelihood(x, z), *ends)
    evidence = m.derive("log p(x)")
    assert evidence.evidence.kind in ("checked", "proved")
    assert evidence.evaluate(x=x, **known) == pytest.approx(math.log(mass), rel=1e-7)
    mean = m.derive("E[z ~ p(z | x)](z)").evaluate(x=x, **known)
    assert mean == pytest.approx(whole(lambda z: z * p(z) * likelihood(x, z), *ends) / mass, rel=1e-6)
    density = m.derive("p(z | x)").evaluate(x=x, z=inside, **known)
    assert density == pytest.approx(p(inside) * likelihood(x, inside) / mass, rel=1e-6)


@pytest.mark.slow
def test_outside_of_what_the_laws_leave_a_posterior_is_0():
    m = symgen.loads(HEAD + "dist p(z) = Uniform(0, u)\ndist p(x | z) = Bernoulli(z)\n")
    assert m.derive("E[z ~ p(z | x)](z)").evidence.kind == "checked"
    assert m.derive("p(z | x)").evaluate(x=1, z=0.5, u=0.35) == 0
    assert m.derive("posterior(p, z, given=x)").result.evaluate("density", x=1, z=0.5, u=0.35) == 0
    late = symgen.loads(HEAD + "dist p(z) = Uniform(0, 1)\ndist p(x | z) = Uniform(0, z)\n").derive("marginal(p, x)")
    assert [late.evaluate(x=x) for x in (-0.5, 1.5)] == [0, 0]
    assert late.evaluate(x=0.1) == pytest.approx(math.log(10))


@pytest.mark.parametrize(
    "law", ["Uniform(0, 1)", "Uniform(u, 1)", "TruncatedNormal(1/2, 1, 0, 1)", "LogUniform(u, 1)", "Triangular(0, 1, 1/2)"]
)
def test_a_number_that_is_drawn_between_0_and_1_is_a_probability(law):
    m = symgen.loads(HEAD + f"dist p(z) = {law}\ndist p(x | z) = Bernoulli(z)\n")
    d = m.derive("E[x ~ p(x)](x)")
    z = m.derive("E[z ~ p(z)](z)")
    known = {"u": 0.35} if "u" in law.replace("Uniform", "").replace("Trunc", "").replace("Triang", "") else {}
    assert d.evaluate(**known) == pytest.approx(z.evaluate(**known))


def test_the_posterior_of_a_coin_that_is_enumerated_is_checked_at_its_values():
    m = symgen.loads(HEAD + "dist p(z) = Bernoulli(u)\ndist p(x | z) = Poisson(where(z == 1, s, t))\n")
    d = m.derive("p(z | x)")
    heads, tails = (w * poisson(2, r) for w, r in ((0.35, 1.4), (0.65, 0.8)))
    assert d.evidence.kind in ("checked", "proved")
    assert d.evaluate(z=1, x=2, u=0.35, s=1.4, t=0.8) == pytest.approx(heads / (heads + tails))


def test_the_location_of_heavy_tails_is_inferred_from_many_data():
    m = symgen.loads("dim n\ndata x: real[n]\ndist p(z) = Normal(0, 2)\ndist p(x | z) = Cauchy(z, 1)\n")
    x = np.array([0.3, 1.2, -0.4, 5.0])

    def p(z):
        return norm(z, 0, 2) * np.prod(cauchy(x, z, 1))

    mass = whole(p, -12, 14)
    assert m.derive("log p(x)").evaluate(x=x) == pytest.approx(math.log(mass), rel=1e-8)
    assert m.derive("E[z ~ p(z | x)](z)").evaluate(x=x) == pytest.approx(whole(lambda z: z * p(z), -12, 14) / mass, rel=1e-6)


def test_the_gradient_of_an_evidence_that_stays_an_integral():
    m = symgen.loads(HEAD + "data x: real\ndist p(z) = Normal(a, s)\ndist p(x | z) = Cauchy(z, 1)\nlet L = log p(x)\n")

    def evidence(a):
        return math.log(whole(lambda z: norm(z, a, 1.4) * cauchy(0.9, z, 1), -15, 16))

    slope = (evidence(0.7 + 1e-4) - evidence(0.7 - 1e-4)) / 2e-4
    assert m.derive("grad(L, a)").evaluate(x=0.9, a=0.7, s=1.4) == pytest.approx(slope, rel=1e-6)
