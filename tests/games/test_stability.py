"""Stability against numeric eigenvalues and against the dynamics themselves, played."""

import functools
import math

import numpy as np
import pytest

import symgen

# spec, players (in order of moving), the payoff of each as a function of the coordinates in that order, senses
GAMES = {
    "bilinear": ("param x: real, y: real\nlet V = x*y\ngame g = {y: max V, x: min V}", [lambda z: z[0] * z[1]] * 2, (1, -1)),
    "scaled": ("param x: real, y: real\nlet V = 3*x*y\ngame g = {y: max V, x: min V}", [lambda z: 3 * z[0] * z[1]] * 2, (1, -1)),
    "strong": ("param x: real, y: real\nlet V = x^2/2 - y^2/2 + 3*x*y\ngame g = {y: max V, x: min V}",
               [lambda z: z[1] ** 2 / 2 - z[0] ** 2 / 2 + 3 * z[0] * z[1]] * 2, (1, -1)),
    "one sided": ("param x: real, y: real\nlet V = x*y - y^2/2\ngame g = {y: max V, x: min V}",
                  [lambda z: z[0] * z[1] - z[0] ** 2 / 2] * 2, (1, -1)),
    "Dirac": ("param t: real, s: real\nlet V = -log(1 + exp(-s*t))\ngame g = {s: max V, t: min V}",
              [lambda z: -math.log1p(math.exp(-z[0] * z[1]))] * 2, (1, -1)),
    "Dirac with penalty": ("param t: real, s: real\nlet V = -log(1 + exp(-s*t))\nlet U = V - s^2\ngame g = {s: max U, t: min V}",
                           [lambda z: -math.log1p(math.exp(-z[0] * z[1])) - z[0] ** 2,
                            lambda z: -math.log1p(math.exp(-z[0] * z[1]))], (1, -1)),
    "Cournot": ("param a: real, b: real\nlet u = a*(1 - a - b)\nlet v = b*(1 - a - b)\ngame g = {a: max u, b: max v}",
                [lambda z: z[0] * (1 - z[0] - z[1]), lambda z: z[1] * (1 - z[0] - z[1])], (1, 1)),
    "wrong way": ("param x: real, y: real\nlet V = y^2 - x^2\ngame g = {y: max V, x: min V}",
                  [lambda z: z[0] ** 2 - z[1] ** 2] * 2, (1, -1)),
    "saddle": ("param x: real, y: real\nlet V = -x^2/2 - y^2/2\ngame g = {y: max V, x: min V}",
               [lambda z: -z[1] ** 2 / 2 - z[0] ** 2 / 2] * 2, (1, -1)),
}  # fmt: skip
REST = {"Cournot": np.array([1 / 3, 1 / 3])}


def field(name):
    _, payoffs, senses = GAMES[name]

    def v(z):
        out = []
        for k, (u, s) in enumerate(zip(payoffs, senses)):
            e = np.zeros(2)
            e[k] = 1e-5
            out.append(s * (u(z + e) - u(z - e)) / 2e-5)
        return np.array(out)

    return v


def jacobian(name):
    v, z = field(name), REST.get(name, np.zeros(2))
    return np.array([(v(z + e) - v(z - e)) / 2e-3 for e in 1e-3 * np.eye(2)]).T


def iterate(name, method, h, z, steps, option=0.3):
    """The methods as their papers write them, without linearisation."""
    v, J = field(name), jacobian(name)
    before = z.copy()
    for _ in range(steps):
        new = z.copy()
        if method == "simultaneous":
            new = z + h * v(z)
        elif method == "alternating":
            for k in range(2):
                new[k] = new[k] + h * v(new)[k]
        elif method == "extragradient":
            new = z + h * v(z + h * v(z))
        elif method == "optimistic":
            new = z + 2 * h * v(z) - h * v(before)
        elif method == "consensus":
            new = z + h * (v(z) - option * J.T @ v(z))
        elif method == "momentum":
            new = z + h * v(z) + option * (z - before)
        before, z = z, new
        if not np.isfinite(z).all() or np.abs(z).max() > 1e3:
            break
    return z


@functools.cache
def record(name, method=None, step="h", option=None):
    call = f"{method}({option})" if option is not None else method
    goal = "stability(g)" if method is None else f"stability(g, method={call}, step={step})"
    return symgen.loads(GAMES[name][0] + "\n").derive(goal).result


every_game = pytest.mark.parametrize("name", GAMES)
METHODS = ["simultaneous", "alternating", "extragradient", "optimistic"]


def sorted_numbers(values):
    return np.sort_complex(np.round(np.array([complex(v) for v in values]), 4))


@every_game
def test_the_jacobian_is_the_derivative_of_the_field(name):
    r = record(name)
    J = np.array([[float(x) for x in row] for row in r.evaluate("jacobian")])
    assert J == pytest.approx(jacobian(name), abs=1e-4)


@every_game
def test_the_eigenvalues_of_the_flow_are_numpys(name):
    r = record(name)
    assert sorted_numbers(r.evaluate("eigenvalues")) == pytest.approx(sorted_numbers(np.linalg.eigvals(jacobian(name))), abs=1e-3)


@every_game
def test_the_verdict_of_the_flow_is_what_the_eigenvalues_say(name):
    verdict, real = record(name).verdict, np.linalg.eigvals(jacobian(name)).real
    if (real < -1e-6).all():
        assert verdict == "converges"
    elif (real > 1e-6).all():
        assert verdict == "diverges"
    elif (real > 1e-6).any() and (real < -1e-6).any():
        assert verdict == "saddle"
    else:
        assert verdict == "cycles"


@every_game
@pytest.mark.parametrize("method", METHODS)
def test_the_spectral_radius_is_the_rate_of_the_method_played(name, method):
    """From a small start the distance grows or shrinks by the spectral radius in the long run."""
    r = record(name, method)
    h = 0.07
    radius = float(r.evaluate("spectral_radius", h=h))
    rest = REST.get(name, np.zeros(2))
    start = rest + 1e-3 * np.array([1.0, 0.7])
    a, b = (np.linalg.norm(iterate(name, method, h, start.copy(), n) - rest) for n in (60, 61 + 59))
    if a > 1e-9 and b < 0.3:
        assert (b / a) ** (1 / 60) == pytest.approx(radius, abs=0.02)


@every_game
@pytest.mark.parametrize("method", METHODS)
def test_a_verdict_holds_on_both_sides_of_the_step_bound(name, method):
    r = record(name, method)
    if r.verdict == "converges":
        bound = float(r.evaluate("step_bound"))
        steps = [
            (0.9 * bound if math.isfinite(bound) else 5.0, True),
            (1.1 * bound if math.isfinite(bound) else 50.0, not math.isfinite(bound)),
        ]
        for h, inside in steps:
            radius = float(r.evaluate("spectral_radius", h=h))
            assert (radius < 1) == inside
    elif r.verdict in ("diverges", "saddle"):
        for h in (0.01, 0.3):
            assert float(r.evaluate("spectral_radius", h=h)) > 1
    elif r.verdict == "cycles":
        assert float(r.evaluate("spectral_radius", h=0.2)) == pytest.approx(1.0)


@pytest.mark.parametrize("method, option", [("consensus", "0.5"), ("momentum", "0.3"), ("momentum", "-0.5")])
@pytest.mark.parametrize("name", ["bilinear", "strong", "one sided"])
def test_methods_with_an_option(name, method, option):
    r = record(name, method, option=option)
    h = 0.05
    radius = float(r.evaluate("spectral_radius", h=h))
    start = np.array([1.0, 0.7])
    a, b = (np.linalg.norm(iterate(name, method, h, start.copy(), n, float(option))) for n in (20, 60))
    assert (b / a) ** (1 / 40) == pytest.approx(radius, abs=0.02)
    if r.verdict == "converges":
        bound = float(r.evaluate("step_bound"))
        assert float(r.evaluate("spectral_radius", h=0.95 * bound)) < 1 < float(r.evaluate("spectral_radius", h=1.05 * bound))
    else:
        assert radius > 1 and r.verdict == "diverges"


@pytest.mark.parametrize("step, verdict", [("0.1", "converges"), ("0.5", "diverges")])
def test_a_number_for_the_step_decides(step, verdict):
    assert record("strong", "simultaneous", step).verdict == verdict


def test_closed_forms_of_papers():
    assert float(record("bilinear", "simultaneous").evaluate("spectral_radius", h=0.5)) == pytest.approx(math.sqrt(1.25))
    assert float(record("bilinear", "optimistic").evaluate("step_bound")) == pytest.approx(1 / math.sqrt(3))
    assert float(record("bilinear", "extragradient").evaluate("step_bound")) == 1
    assert record("bilinear", "alternating").verdict == "cycles"
    assert record("Dirac").verdict == "cycles"
    assert record("Dirac with penalty").verdict == "converges"


def test_a_slow_game_is_sublinear():
    m = symgen.loads("param x: real, y: real\nlet V = x^4 - y^4 + x*y\ngame g = {y: max V, x: min V}\n")
    assert m.derive("stability(g)").result.verdict == "sublinear"


def test_constants_stay_symbols():
    m = symgen.loads("param x: real, y: real\nconst a: positive, b: positive\nlet V = a*x^2/2 - a*y^2/2 + b*x*y\n"
                     "game g = {y: max V, x: min V}\n")  # fmt: skip
    r = m.derive("stability(g, method=simultaneous, step=h)").result
    a, b = 0.8, 2.5
    assert float(r.evaluate("step_bound", a=a, b=b)) == pytest.approx(2 * a / (a**2 + b**2))
    assert float(r.evaluate("spectral_radius", a=a, b=b, h=0.1)) == pytest.approx(abs(1 - 0.1 * a + 0.1j * b))


def test_four_coordinates():
    m = symgen.loads("param x: real[2], y: real[2]\nlet V = x @ x - y @ y + 2*x[0]*y[1] - x[1]*y[0]\n"
                     "game g = {y: max V, x: min V}\n")  # fmt: skip
    r = m.derive("stability(g)").result
    J = np.array([[float(v) for v in row] for row in r.evaluate("jacobian")])
    assert r.verdict == "converges"
    assert sorted_numbers(r.evaluate("eigenvalues")) == pytest.approx(sorted_numbers(np.linalg.eigvals(J)), abs=1e-4)
