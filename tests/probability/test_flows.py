"""Flows: maps of a vector in which entries meet, against determinants by differences, Gauss's rule and the map itself.

planar and radial: Rezende & Mohamed (2015), eq. 10 to 14; coupling: Dinh et al. (2017), eq. 4 to 8;
autoregressive: Kingma et al. (2016).
"""

import math

import numpy as np
import pytest
from scipy import stats

import symgen
from symgen.text.diagnostics import SpecError

SPEC = """dim k
param w: real[k], u: real[k], v: real[k], b: real, c: real, m: real[k], s: positive[k], y: real[k], x: real[2]
param be: positive, al: positive, z0: real[k], W: real[k, k], A: real[2, k], t: positive
data M: binary[k]
assume u @ w > -1
def planar(z) = z + u*tanh(w @ z + b)
def twice(z) = planar(planar(z))
def two(z) = planar(z) + v*sigmoid(w @ planar(z) + c)
def radial(z) = z + be*(z - z0)/(al + norm(z - z0))
def masked(z) = M*z + (1 - M)*(z*exp(tanh(W @ (M*z))) + W @ (M*z))
def turned(z) = (1 - M)*z + M*(z*exp(tanh(W @ ((1 - M)*z))) + W @ ((1 - M)*z))
def halves(z) = concat(z[:1], z[1:]*exp(tanh(W[1:, :1] @ z[:1])) + W[1:, :1] @ z[:1])
def chained(z) = tensor[i](z[i]*exp(sum[j](where(j < i, W[i, j]*z[j], 0))) + u[i])
def outside(z) = exp(planar(z))
dist q0(z: real[k]) = Normal(m, s)
"""
RNG = np.random.default_rng(11)
W = np.array([[0.4, -0.3, 0.2], [0.5, 0.1, -0.6], [-0.2, 0.7, 0.3]])
w, u, v, m, s, z0 = (np.array(a) for a in ([0.8, -0.5, 0.3], [0.6, 0.4, -0.7], [0.2, -0.9, 0.5], [0.3, -0.4, 0.1], [0.7, 1.2, 0.9],
                                           [0.2, 0.5, -0.3]))  # fmt: skip
M = np.array([1.0, 0.0, 1.0])
b, c, be, al = 0.3, -0.2, 1.4, 0.8
POINT = {"w": w, "u": u, "v": v, "b": b, "c": c, "m": m, "s": s, "be": be, "al": al, "z0": z0, "W": W, "M": M}


def planar(z):
    return z + u * math.tanh(w @ z + b)


MAPS = {
    "planar": planar,
    "twice": lambda z: planar(planar(z)),
    "two": lambda z: planar(z) + v / (1 + math.exp(-(w @ planar(z)) - c)),
    "radial": lambda z: z + be * (z - z0) / (al + np.linalg.norm(z - z0)),
    "masked": lambda z: M * z + (1 - M) * (z * np.exp(np.tanh(W @ (M * z))) + W @ (M * z)),
    "turned": lambda z: (1 - M) * z + M * (z * np.exp(np.tanh(W @ ((1 - M) * z))) + W @ ((1 - M) * z)),
    "halves": lambda z: np.r_[z[:1], z[1:] * np.exp(np.tanh(W[1:, :1] @ z[:1])) + W[1:, :1] @ z[:1]],
    "chained": lambda z: z * np.exp(np.tril(W, -1) @ z) + u,
    "outside": lambda z: np.exp(planar(z)),
}


def slope(f, x):
    """log |det df/dx| by differences."""
    return np.linalg.slogdet(np.stack([(f(x + h) - f(x - h)) / 2e-6 for h in 1e-6 * np.eye(len(x))], -1))[1]


def number(found, **more):
    return found.evaluate(**{n: a for n, a in {**POINT, **more}.items() if n in found.symbols or n in more})


QUICK = ("two", "radial", "masked", "halves", "chained")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in MAPS])
def test_the_density_at_a_point_is_that_of_its_preimage_over_the_slope(name):
    found = symgen.loads(SPEC + f"dist q(y) = Transformed(q0, {name})\n").derive("log q(y)")
    for z in RNG.normal(size=(2, 3)):
        want = stats.norm(m, s).logpdf(z).sum() - slope(MAPS[name], z)
        more = {n: POINT[n] for n in ("W", "u") if name == "chained"}
        assert number(found, y=MAPS[name](z), **more) == pytest.approx(want, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("name", ["planar", "radial", "masked", "halves", "chained"])
def test_the_density_at_the_image_of_a_draw_needs_no_inverse(name):
    found = symgen.loads(SPEC + f"param z: real[k]\ndist q(y) = Transformed(q0, {name})\n").derive(f"log q({name}(z))")
    assert "root" not in found.text_result
    assert found.evidence.kind == "checked"
    z = np.array([0.4, -1.1, 0.6])
    want = stats.norm(m, s).logpdf(z).sum() - slope(MAPS[name], z)
    assert number(found, z=z) == pytest.approx(want, rel=1e-8, abs=1e-8)


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(8)


def over_normal(f):
    """The mean of f over the draws that are mapped, by Gauss's rule in three dimensions."""
    grid = np.stack(np.meshgrid(NODES, NODES, NODES, indexing="ij"), -1).reshape(-1, 3)
    weights = np.einsum("i,j,k->ijk", WEIGHTS, WEIGHTS, WEIGHTS).ravel() / (2 * math.pi) ** 1.5
    return sum(weight * f(m + s * z) for weight, z in zip(weights, grid, strict=True) if weight > 1e-9)


def test_the_bound_of_a_flow_is_energy_and_entropy():
    model = symgen.loads(
        SPEC + "dist q(z) = Transformed(q0, planar)\ndist p(z: real[k]) = Normal(0, 1)\ndist p(x | z) = Normal(A @ z, t)\n"
    )
    found = model.derive("elbo(q, p)")
    assert found.evidence.kind == "checked"
    assert not found.conditions  # that u @ w > -1 is assumed
    A, x, t = np.array([[0.7, -0.2, 0.5], [0.1, 0.9, -0.4]]), np.array([0.6, -0.3]), 0.8

    def inside(z):
        y = planar(z)
        log_joint = stats.norm.logpdf(y).sum() + stats.norm(A @ y, t).logpdf(x).sum()
        h = 1 - math.tanh(w @ z + b) ** 2
        return log_joint - stats.norm(m, s).logpdf(z).sum() + math.log(1 + h * (u @ w))

    got = found.evaluate(**{n: a for n, a in POINT.items() if n in found.symbols}, A=A, x=x, t=t, seed=1)
    values = [inside(m + s * z) for z in RNG.normal(size=(300, 3))]
    want, error = over_normal(inside), np.std(values) / math.sqrt(len(values))
    assert abs(np.asarray(got).ravel()[0] - want) < 8 * error


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        ("z + a*tanh(w @ z + b)", ["0 < 1 + a @ w"]),
        ("z + a*sigmoid(w @ z + b)", ["0 < 1 + a @ w/4"]),
        ("z + a*sin(w @ z)", ["0 < 1 + a @ w", "0 < 1 - a @ w"]),
        ("z + a*sinh(w @ z)", ["0 < 1 + (a @ w)*cosh(w @ x)", "at every x"]),
        ("z + u*tanh(w @ z + b)", []),
        ("z + be*(z - z0)/(al + norm(z - z0))", []),
        ("z + ga*(z - z0)/(al + norm(z - z0))", ["0 < 1 + ga/(norm(x - z0) + al)", "at every x"]),
    ],
)
def test_what_a_flow_needs_to_have_an_inverse_is_said(body, needs):
    model = symgen.loads(SPEC + f"param a: real[k], ga: real\ndef f(z) = {body}\ndist q(z) = Transformed(q0, f)\n")
    found = model.derive("entropy(q)")
    assert found.conditions == (["the map has an inverse"] if needs else [])
    assert all(need in found.text() for need in needs)
    assert found.evidence.kind == "checked"


@pytest.mark.parametrize(
    "body",
    ["z*sum(z)", "z*norm(z) + u*tanh(w @ z)", "z + W @ tanh(W @ z)", "M*z + (1 - M)*(z*exp(W @ z))",
     "M*z + (1 - M)*(z + W @ exp(z))", "tensor[i](z[i]*exp(sum[j](where(j <= i, W[i, j]*z[j], 0))))",
     "concat(z[:1]*exp(z[1:2]), z[1:]*exp(sum(z[:1])))"],
)  # fmt: skip
def test_a_map_that_cannot_be_taken_apart_is_refused(body):
    with pytest.raises(SpecError, match="no inverse here"):
        symgen.loads(SPEC + f"def f(z) = {body}\ndist q(z) = Transformed(q0, f)\n")


def test_maps_are_put_one_after_the_other():
    model = symgen.loads(
        SPEC + "dist r(y) = Transformed(q0, planar)\ndist p(y) = Transformed(r, masked)\ndist q(y) = Transformed(p, exp)\n"
    )
    found = model.derive("log q(y)")

    def f(z):
        return np.exp(MAPS["masked"](planar(z)))

    z = np.array([0.4, -1.1, 0.6])
    assert number(found, y=f(z)) == pytest.approx(stats.norm(m, s).logpdf(z).sum() - slope(f, z), rel=1e-7)


def test_a_law_and_its_image_are_over_one_variable():
    model = symgen.loads("dim k\nparam a: real[k]\ndist q0(z: real[k]) = Normal(a, 1)\ndist q(z) = Transformed(q0, sinh)\n")
    assert model.derive("KL(q || q)").result == 0
