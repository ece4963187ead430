"""Densities of one's own over several numbers: what follows from the formula, against quadrature over the plane."""

import math

import numpy as np
import pytest
from scipy import integrate

import symgen

ON_THE_SQUARE = symgen.loads("dist p(x: unit, y: unit) = x + y\ndist q(x: unit, y: unit) = 4*x*y")
ON_THE_QUADRANT = symgen.loads("""
param a: positive, c: positive
dist r(x: positive, y: positive) = (x + a*y)*exp(-x - y)/Z
dist s(x: positive, y: positive) = where(y < x, exp(-c*x)/Z, 0)
dist t(x: positive, y: positive, z: positive) = Z*x^2*exp(-x*(1 + y + z))
""")
ON_THE_PLANE = symgen.loads("param a: positive\ndist b(x: real, y: real) = exp(-(x^2 + a*y^2 + x*y)/2)/Z")
MODELS = {"p": ON_THE_SQUARE, "q": ON_THE_SQUARE, "r": ON_THE_QUADRANT, "s": ON_THE_QUADRANT, "b": ON_THE_PLANE}
AT = {"p": {}, "q": {}, "r": {"a": 1.7}, "s": {"c": 0.8}, "b": {"a": 1.7}}
FAR = 60.0


def over(f, ends):
    """The integral over the plane, where f is a density up to a factor; ends of y given x."""
    low, high, inner = ends
    return integrate.dblquad(lambda y, x: f(x, y), low, high, lambda x: inner(x)[0], lambda x: inner(x)[1], epsabs=1e-9)[0]


LAWS = {  # the density up to a factor, x from .. to .., y given x from .. to ..
    "p": (lambda x, y: x + y, (0, 1, lambda x: (0, 1))),
    "q": (lambda x, y: 4 * x * y, (0, 1, lambda x: (0, 1))),
    "r": (lambda x, y: (x + 1.7 * y) * math.exp(-x - y), (0, FAR, lambda x: (0, FAR))),
    "s": (lambda x, y: math.exp(-0.8 * x), (0, FAR, lambda x: (0, x))),
    "b": (lambda x, y: math.exp(-(x * x + 1.7 * y * y + x * y) / 2), (-12, 12, lambda x: (-12, 12))),
}  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
def test_means_are_those_of_the_plane(law):
    f, ends = LAWS[law]
    mass = over(f, ends)
    for goal, g in ((f"E[x, y ~ {law}](x)", lambda x, y: x), (f"E[x, y ~ {law}](x*y)", lambda x, y: x * y)):
        d = MODELS[law].derive(goal)
        assert float(d.evaluate(**AT[law])) == pytest.approx(over(lambda x, y, g=g: f(x, y) * g(x, y), ends) / mass, abs=1e-6)


@pytest.mark.parametrize("law", ["p", "s"])
def test_entropies_are_those_of_the_plane(law):
    f, ends = LAWS[law]
    mass = over(f, ends)
    want = over(lambda x, y: -f(x, y) / mass * math.log(f(x, y) / mass) if f(x, y) > 0 else 0.0, ends)
    d = MODELS[law].derive(f"entropy({law})")
    assert float(d.evaluate(**AT[law])) == pytest.approx(want, abs=1e-6) and d.evidence.kind == "checked"


@pytest.mark.parametrize("law, at", [("p", 0.3), ("r", 1.3), ("s", 0.9), ("b", -0.4)])
@pytest.mark.parametrize("name", ["x", "y"])
def test_marginals_integrate_the_other_out(law, at, name):
    f, (low, high, inner) = LAWS[law]
    mass = over(f, (low, high, inner))
    if name == "x":
        want = integrate.quad(lambda y: f(at, y), *inner(at))[0] / mass
    else:
        want = integrate.quad(lambda x: f(x, at), at if law == "s" else low, high)[0] / mass
    d = MODELS[law].derive(f"marginal({law}, {name})")
    assert float(d.evaluate(**AT[law], **{name: at})) == pytest.approx(want, abs=1e-7)


def test_divergence_and_information():
    p, ends = LAWS["p"]
    q = LAWS["q"][0]
    t, w = np.polynomial.legendre.leggauss(60)
    u, w = ((t + 1) / 2) ** 4, w * 2 * ((t + 1) / 2) ** 3  # closer to the logarithms at 0
    x, y = np.meshgrid(u, u)
    want = float((np.outer(w, w) * p(x, y) * np.log(p(x, y) / q(x, y))).sum())
    assert ON_THE_SQUARE.derive("KL(p || q)").evaluate() == pytest.approx(want, abs=1e-9)
    shared = over(lambda x, y: p(x, y) * math.log(p(x, y) / ((x + 0.5) * (y + 0.5))), ends)
    assert ON_THE_SQUARE.derive("mutual_information(p, x, y)").evaluate() == pytest.approx(shared, abs=1e-7)
    assert ON_THE_SQUARE.derive("mutual_information(q, x, y)").text_result == "0"


def test_conditionals_are_of_a_family_where_they_are():
    found = ON_THE_QUADRANT.derive("posterior(s, y, given=x)").result
    assert found.evaluate("density", x=1.5, y=0.4, c=0.8) == pytest.approx(1 / 1.5)
    given = ON_THE_PLANE.derive("posterior(b, y, given=x)").result
    assert given.family == "Normal"
    density = ON_THE_SQUARE.derive("posterior(p, x, given=y)").result
    assert density.evaluate("density", x=0.2, y=0.7) == pytest.approx(0.9 / 1.2)


def test_three_variables_are_integrated_one_by_one():
    assert ON_THE_QUADRANT.derive("E[x, y, z ~ t](x)").evaluate() == pytest.approx(1)
    y = np.array(0.6)
    assert ON_THE_QUADRANT.derive("marginal(t, y)").evaluate(y=y) == pytest.approx(1 / 1.6**2)


@pytest.mark.parametrize("text, said", [
    ("dist p(x: unit, y: unit) = x*y", "integrates to 0.25"),
    ("dist p(x: real, y: real) = exp(-x)/Z", "cannot be normalised"),
    ("dist p(x: real, y: positive) = exp(-x^2)/Z", "cannot be normalised"),
    ("dist p(x: unit, y: unit) = x - y", "may be negative"),
    ("dist p(x: unit, n: natural) = x*n/Z", "continuous numbers"),
    ("dist p(x: unit, y: unit) = exp(sin(x*y))/Z", "in closed form"),
])  # fmt: skip
def test_what_is_no_density_is_refused(text, said):
    with pytest.raises(symgen.SpecError, match=said):
        symgen.loads(text)
