"""Means of what networks do to normal draws: functions of one form by SciPy's quadrature, kernels of two forms by nodes along
the directions between their kinks."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

import symgen

MODEL = symgen.loads("""
dim d, n
param m: real, s: positive, a: real, b: real, c: positive, K: positive, v: positive
param S: spd[d, d], x: real[d], y: real[d]
data X: real[n, d]
dist p(z) = Normal(m, s)
dist w(h) = MvNormal(zeros(d), S)
dist q(h) = Normal(zeros(d), s)
dist o(z) = Normal(0, s)
""")
AT = {"m": 0.4, "s": 1.3, "a": 0.7, "b": -0.3, "c": 0.9, "K": 1.1, "v": 0.25}
M, SD, A, B, C, K, V = AT.values()
Phi, exp, erf = stats.norm.cdf, math.exp, math.erf
OF_ONE = {
    "relu(z)^2": lambda z: max(z, 0) ** 2, "relu(a*z + b)": lambda z: max(A * z + B, 0), "z*relu(z)": lambda z: z * max(z, 0),
    "leaky_relu(z)": lambda z: z if z > 0 else z / 100, "elu(z)": lambda z: z if z > 0 else math.expm1(z),
    "clip(z, -1, 1)": lambda z: min(max(z, -1), 1), "gelu(z)": lambda z: z * Phi(z),
    "gelu(a*z + b)": lambda z: (A * z + B) * Phi(A * z + B), "sign(z - v)": lambda z: math.copysign(1, z - V),
    "abs(z)*z": lambda z: abs(z) * z, "abs(z - m)^3": lambda z: abs(z - M) ** 3, "abs(z)^(3/2)": lambda z: abs(z) ** 1.5,
    "where(z > v, z, 0)": lambda z: z * (z > V), "where(z > -1 and z < 1, z^2, 0)": lambda z: z * z * (-1 < z < 1),
    "(1 + erf((a*z + b)/sqrt(2)))/2": lambda z: Phi(A * z + B), "z*erf(z)": lambda z: z * erf(z),
    "z^2*erf(a*z + b)": lambda z: z * z * erf(A * z + B), "exp(-z^2/2)*erf(z)": lambda z: exp(-z * z / 2) * erf(z),
    "z*exp(-c*z^2)": lambda z: z * exp(-C * z * z), "exp(-(z - v)^2/(2*c^2))": lambda z: exp(-((z - V) ** 2) / (2 * C * C)),
    "where(z > 0, exp(b*z), 0)": lambda z: exp(B * z) * (z > 0), "max(exp(z) - K, 0)": lambda z: max(exp(z) - K, 0),
    "max(K - exp(z), 0)": lambda z: max(K - exp(z), 0), "cos(a*z + b)": lambda z: math.cos(A * z + B),
    "sin(z)^2": lambda z: math.sin(z) ** 2, "z*cos(a*z)": lambda z: z * math.cos(A * z),
    "z^3*sin(z)": lambda z: z**3 * math.sin(z), "cos(z)*sin(a*z)*exp(-z^2)": lambda z: math.cos(z) * math.sin(A * z) * exp(-z * z),
    "cosh(z)": math.cosh, "sinh(a*z)": lambda z: math.sinh(A * z), "z*sinh(z)": lambda z: z * math.sinh(z),
}  # fmt: skip


@pytest.mark.parametrize("f", OF_ONE)
def test_a_function_of_a_normal_draw_has_the_mean_of_quadrature(f):
    d = MODEL.derive(f"E[z ~ p]({f})")
    assert "E[" not in d.text_result and d.evidence.kind == "checked"
    kinks = sorted({0.0, V, M, 1.0, -1.0, math.log(K), -B / A})
    ends = [-18.0, *kinks, 20.0]
    want = sum(
        integrate.quad(lambda z: OF_ONE[f](z) * stats.norm.pdf(z, M, SD), l, h)[0] for l, h in zip(ends, ends[1:], strict=False)
    )
    assert math.isclose(d.evaluate(**AT), want, rel_tol=1e-7)


x, y, S = np.array([0.8, -0.5]), np.array([0.3, 1.1]), np.array([[1.4, 0.5], [0.5, 0.9]])
relu, step, gelu = (lambda u: np.maximum(u, 0)), (lambda u: (u > 0) * 1.0), (lambda u: u * Phi(u))
OF_TWO = {
    "relu(h @ x)*relu(h @ y)": (relu, relu), "where(h @ x > 0, 1, 0)*where(h @ y > 0, 1, 0)": (step, step),
    "relu(h @ x)*where(h @ y > 0, 1, 0)": (relu, step), "erf(h @ x)*erf(h @ y)": (special.erf, special.erf),
    "sign(h @ x)*sign(h @ y)": (np.sign, np.sign), "abs(h @ x)*abs(h @ y)": (np.abs, np.abs),
    "abs(h @ x)*relu(h @ y)": (np.abs, relu), "relu(h @ x)*sign(h @ y)": (relu, np.sign),
    "erf(h @ x)*sign(h @ y)": (special.erf, np.sign),
    "gelu(h @ x)*gelu(h @ y)": (gelu, gelu), "cos(h @ x)*cos(h @ y)": (np.cos, np.cos), "sin(h @ x)*sin(h @ y)": (np.sin, np.sin),
}  # fmt: skip


def by_directions(f, g, a, b, c):
    """E f(u) g(v) for centred normal u, v of variances a, b and covariance c, in polar coordinates."""
    turn = math.atan2(-c / math.sqrt(a), math.sqrt(b - c * c / a))  # there v = 0
    ends = sorted({t % (2 * math.pi) for k in (0, 1) for t in (math.pi / 2 + k * math.pi, turn + k * math.pi)})
    t, w = np.polynomial.legendre.leggauss(60)
    r, wr = 7 * (t + 1), 7 * w
    total = 0.0
    for low, high in zip(ends, [*ends[1:], ends[0] + 2 * math.pi], strict=True):
        angle = (low + high + (high - low) * t) / 2
        u = math.sqrt(a) * np.outer(r, np.cos(angle))
        v = np.outer(r, c / math.sqrt(a) * np.cos(angle) + math.sqrt(b - c * c / a) * np.sin(angle))
        total += (high - low) / 2 * (wr * r * np.exp(-(r**2) / 2)) @ (f(u) * g(v)) @ w
    return total / (2 * math.pi)


@pytest.mark.parametrize("f", OF_TWO)
def test_a_kernel_of_two_forms_has_the_mean_of_nodes_between_its_kinks(f):
    d = MODEL.derive(f"E[h ~ w]({f})")
    assert "E[" not in d.text_result
    want = by_directions(*OF_TWO[f], x @ S @ x, y @ S @ y, x @ S @ y)
    assert math.isclose(d.evaluate(x=x, y=y, S=S), want, rel_tol=1e-8)


def test_squares_of_centred_draws_are_kernels_of_a_form_with_itself():
    for f, g in {"erf(z)^2": special.erf, "gelu(z)^2": gelu}.items():
        want = integrate.quad(lambda z, g=g: g(z) ** 2 * stats.norm.pdf(z, 0, SD), -15, 15)[0]
        assert math.isclose(MODEL.derive(f"E[z ~ o]({f})").evaluate(s=SD), want, rel_tol=1e-9)


def test_a_layer_of_width_one_has_the_kernel_of_all_pairs_of_rows():
    rows = np.array([[0.8, -0.5], [0.3, 1.1], [-0.6, 0.2]])
    pairs = [by_directions(relu, relu, SD**2 * u @ u, SD**2 * v @ v, SD**2 * u @ v) if i != j else SD**2 * u @ u / 2
             for i, u in enumerate(rows) for j, v in enumerate(rows)]  # fmt: skip
    d = MODEL.derive("E[h ~ q](sum[i: n](relu(h @ X[i]))^2)")
    assert math.isclose(d.evaluate(s=SD, X=rows), sum(pairs), rel_tol=1e-8)


OF_OTHERS = {
    "Exponential(s)": (
        stats.expon(0, 1 / SD),
        {"where(z > v, z^2, 0)": lambda z: z * z * (z > V), "clip(z, 1/2, 2)": lambda z: min(max(z, 0.5), 2)},
    ),
    "Gamma(c, s)": (
        stats.gamma(C, 0, 1 / SD),
        {"where(z > v, z, 0)": lambda z: z * (z > V), "max(z - v, 0)^2": lambda z: max(z - V, 0) ** 2},
    ),
    "Laplace(0, s)": (stats.laplace(0, SD), {"relu(z)^2": lambda z: max(z, 0) ** 2, "where(z > 1, z, 0)": lambda z: z * (z > 1)}),
    "Beta(c, K)": (stats.beta(C, K), {"where(z > 1/2, z, 0)": lambda z: z * (z > 0.5)}),
    "HalfNormal(s)": (stats.halfnorm(0, SD), {"where(z > v, z^2, 0)": lambda z: z * z * (z > V)}),
    "LogNormal(m, s)": (
        stats.lognorm(SD, 0, exp(M)),
        {"where(z > K, z, 0)": lambda z: z * (z > K), "where(z < K, z^2, 0)": lambda z: z * z * (z < K)},
    ),
}


@pytest.mark.parametrize("law", OF_OTHERS)
def test_a_function_in_pieces_of_another_draw_has_the_mean_of_quadrature(law):
    density, functions = OF_OTHERS[law]
    ends = sorted(
        {max(density.support()[0], -40), *(p for p in (0, V, 0.5, 1, K, 2, 8, 60, 500, 1e4, 1e6) if density.support()[0] < p)}
    )
    ends = [e for e in ends if e <= density.support()[1]]
    for f, g in functions.items():
        d = MODEL.derive(f"E[z ~ {law}]({f})")
        assert "E[" not in d.text_result and d.evidence.kind == "checked", f
        want = sum(integrate.quad(lambda z, g=g: g(z) * density.pdf(z), a, b)[0] for a, b in zip(ends, ends[1:], strict=False))
        assert math.isclose(d.evaluate(**AT), want, rel_tol=1e-6), f
