"""Integrals: closed forms, derivatives by Leibniz' rule, integrals over integrals, and claims about what stays.

The referee is mpmath's quadrature of the integrand as Python writes it, and central differences of that.
"""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symgen

SPEC = """
dim n
param t: real
param a: positive
param b: real
data x: real[n]
param w: real[n]
dist p(z) = Normal(0, 1)
"""
LONG = (  # SymPy looks for a closed form until its time is up
    "log(integral[u: 0..1](exp(t*sin(u)^2)))",
    "integral[u: 0..inf](sin(a*u)/u*exp(-u))",
    "integral[u: 0..t](integral[v: 0..u](exp(-u^4*v^4)))",
    "b*integral[u: 0..1](exp(-b*u^3)/(1+u))",
    "integral[u: a..0](exp(-u*sin(u)))",
    "integral[u: 0..t](integral[v: 0..u](exp(-v^4)))",
    "integral[t: 0..a](integral[u: 0..t](exp(-u^4))) = a*integral[u: 0..a](exp(-u^4))",
    "integral[u: 0..1](sin(sin(u)*b)) = integral[v: 0..1](sin(sin(1-v)*a))",
    "integral[u: b..1](integral[v: u..1](u*exp(-v^4)))",
)
quad, exp, sin, cos = mpmath.quad, mpmath.exp, mpmath.sin, mpmath.cos
AT = {"t": 0.7, "a": 1.3, "b": -0.6}
X, W = np.array([0.4, -1.1]), np.array([0.9, 0.3])


def timed(rows: list[Any]) -> list[Any]:
    """The rows, those that take seconds marked."""
    texts = [r[0] for r in rows]
    return [pytest.param(*r, marks=[pytest.mark.slow] if t in LONG else [], id=t) for r, t in zip(rows, texts, strict=True)]


def number(goal: str, **data: Any) -> Any:
    d = symgen.loads(SPEC).derive(goal)
    assert d.evidence.kind in ("proved", "checked"), (goal, d.evidence)
    names = {v for v in (*AT, "x", "w") if v in data or v in AT}
    given = {k: v for k, v in {**AT, "x": X, "w": W, **data}.items() if k in names or k in ("x", "w")}
    return d.evaluate(**given)


VALUES: list[tuple[str, Callable[[float, float, float], Any]]] = [
    ("integral[u: 0..t](integral[v: 0..u](exp(-v^4)))", lambda t, a, b: quad(lambda v: (t - v) * exp(-(v**4)), [0, t])),
    ("integral[t: 0..a](integral[t: 0..t](t))", lambda t, a, b: a**3 / 6),
    ("integral[u: b..1](integral[v: u..1](u*exp(-v^4)))",
     lambda t, a, b: quad(lambda u: u * quad(lambda v: exp(-(v**4)), [u, 1]), [b, 1])),
    ("integral[u: a..0](exp(-u*sin(u)))", lambda t, a, b: -quad(lambda u: exp(-u * sin(u)), [0, a])),
    ("integral[u: 0..b](exp(-u^4))", lambda t, a, b: quad(lambda u: exp(-(u**4)), [0, b])),
    ("integral[u: 0..a](logsumexp(concat([u], [2*u])))",
     lambda t, a, b: quad(lambda u: mpmath.log(exp(u) + exp(2 * u)), [0, a])),
    ("sum[i: 1..3](integral[u: 0..i](exp(-u^4)))", lambda t, a, b: sum(quad(lambda u: exp(-(u**4)), [0, i]) for i in (1, 2, 3))),
    ("sum[i](integral[u: 0..1](exp(-u^4*x[i])))", lambda t, a, b: sum(quad(lambda u, c=c: exp(-(u**4) * c), [0, 1]) for c in X)),
    ("sum[i](x[i]*integral[u: 0..x[i]](u^2))", lambda t, a, b: sum(c**4 / 3 for c in X)),
    ("sum[i](E[z ~ p](cos(z*x[i])))", lambda t, a, b: sum(exp(-(c**2) / 2) for c in X)),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "truth"), timed(VALUES))
def test_the_value_is_that_of_quadrature(goal: str, truth: Callable[..., Any]) -> None:
    assert number(goal) == pytest.approx(float(truth(**AT)), rel=1e-9)


SLOPES: list[tuple[str, str, Callable[[float, float, float], Any]]] = [
    ("integral[u: 0..t](exp(-u^4))", "t", lambda t, a, b: quad(lambda u: exp(-(u**4)), [0, t])),
    ("integral[u: t..t^2](lgamma(3 + u^2*t^2))", "t",
     lambda t, a, b: quad(lambda u: mpmath.loggamma(3 + u * u * t * t), [t, t * t])),
    ("integral[u: 0..t](exp(-u^4*b^2))", "b", lambda t, a, b: quad(lambda u: exp(-(u**4) * b * b), [0, t])),
    ("b*integral[u: 0..1](exp(-b*u^3)/(1+u))", "b", lambda t, a, b: b * quad(lambda u: exp(-b * u**3) / (1 + u), [0, 1])),
    ("integral[u: 0..inf](sin(a*u)/u*exp(-u))", "a", lambda t, a, b: mpmath.atan(a)),
    ("integral[u: 0..t](integral[v: 0..u](exp(-u^4*v^4)))", "t",
     lambda t, a, b: quad(lambda u: quad(lambda v: exp(-(u**4) * v**4), [0, u]), [0, t])),
    ("log(integral[u: 0..1](exp(t*sin(u)^2)))", "t", lambda t, a, b: mpmath.log(quad(lambda u: exp(t * sin(u) ** 2), [0, 1]))),
]  # fmt: skip


@pytest.mark.parametrize(("f", "by", "truth"), timed(SLOPES))
def test_a_derivative_is_taken_under_the_integral(f: str, by: str, truth: Callable[..., Any]) -> None:
    got = number(f"grad({f}, {by})")
    with mpmath.workdps(30):
        want = mpmath.diff(lambda s: truth(**{**AT, by: s}), AT[by])
    assert got == pytest.approx(float(want), rel=1e-8)


def test_a_derivative_reads_as_one_under_the_integral() -> None:
    d = symgen.loads(SPEC).derive("grad(integral[u: 0..1](exp(-b*lgamma(2 + u))), b)")
    assert "= -integral[u: 0..1](exp(-b*lgamma(u + 2))*lgamma(u + 2))" in d.text()
    assert "under the integral" in d.text()


def test_gradients_by_a_vector_under_the_integral() -> None:
    got = number("grad(sum[i](integral[u: 0..1](exp(-u^4*w[i]*x[i]))), w)")
    want = [-c * quad(lambda u, c=c, s=s: u**4 * exp(-(u**4) * s * c), [0, 1]) for c, s in zip(X, W, strict=True)]
    assert got == pytest.approx(np.array(want, dtype=float), rel=1e-9)


def test_ends_that_hang_on_an_index() -> None:
    got = number("grad(sum[i](integral[u: 0..x[i]^2](u*lgamma(2 + u*w[i]^2))), w)")
    want = [2 * s * quad(lambda u, s=s: u * u * mpmath.digamma(2 + u * s * s), [0, c * c]) for c, s in zip(X, W, strict=True)]
    assert got == pytest.approx(np.array(want, dtype=float), rel=1e-8)


CLAIMS = [
    ("integral[u: 0..1](sin(sin(u))/(1+u)) = integral[v: 0..1](sin(sin(v))/(1+v))", "proved"),
    ("integral[u: 0..1](2*b*sin(sin(u)) + a*u) = 2*b*integral[v: 0..1](sin(sin(v))) + a/2", "proved"),
    ("integral[u: 0..b](exp(-a*u^4)) = -integral[u: b..0](exp(-a*u^4))", "proved"),
    ("grad(integral[u: 0..b](exp(-u^4)), b) = exp(-b^4)", "proved"),
    ("sum[i](integral[u: 0..1](exp(-a*u^4*x[i]))) = integral[u: 0..1](sum[i](exp(-a*u^4*x[i])))", "proved"),
    ("integral[u: 0..1](exp(-a*u^4*b^4)) = integral[v: 0..1/2](2*exp(-16*a*(v*b)^4))", "checked"),
    ("integral[u: 0..1](sin(sin(u)*b)) = integral[v: 0..1](sin(sin(1-v)*b))", "checked"),
    ("integral[u: 0..1](sin(sin(u)*b)) = integral[v: 0..1](sin(sin(1-v)*a))", "refuted"),
    ("integral[u: 0..1](lgamma(1 + u*a)) = integral[v: 0..2](lgamma(1 + v*a))", "refuted"),
    ("integral[u: 0..inf](exp(-u^3*sin(exp(b*u))^2)) > 0", "proved"),
    ("integral[u: 0..1](u*exp(-sin(exp(a*u)))) > 0", "proved"),
    ("integral[u: 1..0](u*exp(-sin(exp(a*u)))) > 0", "refuted"),
    ("integral[t: 0..a](integral[u: 0..t](exp(-u^4))) = a*integral[u: 0..a](exp(-u^4))", "refuted"),
]


@pytest.mark.parametrize(("claim", "status"), timed(CLAIMS))
def test_claims_about_integrals_that_stay(claim: str, status: str) -> None:
    assert symgen.loads(SPEC).check(claim).status == status
