"""All equilibria: families with integers or free unknowns, closed ends of a range, and games that have none. The referee
is a search of each player's own moves around the point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symgen

Payoff = Callable[[Any, Any], Any]
# payoff (x maximises, y minimises), the same in NumPy, points that have to be among those found
SADDLES: dict[str, tuple[Payoff, list[tuple[float, float]]]] = {
    "sin(x)*y": (lambda x, y: np.sin(x) * y, [(k * math.pi, 0) for k in (-5, -2, 0, 1, 4)]),
    "x^2*y^2": (lambda x, y: x**2 * y**2, [(-3, 0), (0, 0), (0.7, 0)]),
    "-x^2*y": (lambda x, y: -(x**2) * y, [(0, 0), (0, 2.5)]),
    "x*y^2": (lambda x, y: x * y**2, [(0, 0), (1.5, 0)]),
    "(x - 1)^2*y": (lambda x, y: (x - 1) ** 2 * y, [(1, 0), (1, -3)]),
    "cos(x) + y^2": (lambda x, y: np.cos(x) + y**2, [(2 * k * math.pi, 0) for k in (-3, 0, 2)]),
    "sin(x)*sin(y)": (lambda x, y: np.sin(x) * np.sin(y), [(math.pi * j, math.pi * k) for j in (-1, 0, 2) for k in (0, 3)]),
    "tan(x)*y": (lambda x, y: np.tan(x) * y, [(math.pi * k, 0) for k in (-2, 0, 1)]),
    "cos(2*x) + cos(y)": (lambda x, y: np.cos(2 * x) + np.cos(y), [(math.pi * j, math.pi) for j in (-2, 0, 3)]),
    "x*y*(x - 1)": (lambda x, y: x * y * (x - 1), [(0, 0), (1, 0)]),
    "erf(x - 2)*sinh(y)": (lambda x, y: np.vectorize(math.erf)(x - 2) * np.sinh(y), [(2, 0)]),
    "-x^4/4 + x - y*x + y^2": (lambda x, y: -(x**4) / 4 + x - y * x + y**2, [(0.8351223484, 0.4175611742)]),
}  # fmt: skip


def members(strategies: Any) -> list[dict[str, Any]]:
    return strategies if isinstance(strategies, list) else [strategies]


def covers(member: dict[str, Any], point: tuple[float, float]) -> bool:
    """Whether some integers and values of free unknowns give the point."""
    free = sorted({s for v in member.values() for s in sympy.sympify(v).free_symbols}, key=str)
    given = dict(zip("xy", point, strict=True))
    whole = [s for s in free if str(s) not in given]
    for numbers in itertools.product(range(-8, 9), repeat=len(whole)):
        values = {s: given[str(s)] for s in free if str(s) in given} | dict(zip(whole, numbers, strict=True))
        if all(abs(float(sympy.sympify(v).subs(values)) - given[n]) < 1e-8 for n, v in member.items()):
            return True
    return False


def is_local_saddle(U: Payoff, x: float, y: float) -> bool:
    moves = np.concatenate([np.linspace(-1e-2, 1e-2, 41), np.linspace(-1e-4, 1e-4, 41)])
    here = U(x, y)
    return bool(np.all(U(x + moves, y) <= here + 1e-13) and np.all(U(x, y + moves) >= here - 1e-13))


@pytest.mark.parametrize("text", SADDLES)
def test_every_equilibrium_is_among_those_found(text: str) -> None:
    U, points = SADDLES[text]
    d = symgen.loads(f"param x: real, y: real\nlet U = {text}\ngame g = {{x: max U, y: min U}}").derive("equilibrium(g)")
    r = d.result
    assert "Nash" in r.kind and d.evidence.kind == "proved"
    for x, y in points:
        assert is_local_saddle(U, x, y), "the point of this test is an equilibrium"
        assert any(covers(m, (x, y)) for m in members(r.strategies)), (x, y, r.strategies)
    assert not any("incomplete" in note for note in d.notes)


@pytest.mark.parametrize("text", SADDLES)
def test_what_is_found_is_an_equilibrium(text: str) -> None:
    """At random integers and values of the unknowns that the conditions allow."""
    U, _ = SADDLES[text]
    r = symgen.loads(f"param x: real, y: real\nlet U = {text}\ngame g = {{x: max U, y: min U}}").derive("equilibrium(g)").result
    rng = np.random.default_rng(5)
    for member in members(r.strategies):
        free = sorted({s for v in member.values() for s in sympy.sympify(v).free_symbols}, key=str)
        for _ in range(6):
            values = {s: float(rng.normal()) if str(s) in "xy" else int(rng.integers(-4, 5)) for s in free}
            inequalities = [c for c in r.conditions if isinstance(c, sympy.Rel) and not isinstance(c, sympy.Eq)]
            if all(c.subs({sympy.Symbol(str(s)): v for s, v in values.items()} | values) == True for c in inequalities):  # noqa: E712
                x, y = (float(sympy.sympify(member[n]).subs(values)) for n in "xy")
                assert is_local_saddle(U, x, y), (x, y)


# declarations, payoff, kind
NONE = [
    ("x: real, y: real", "x + y", "by x never vanishes"),
    ("x: real, y: real", "exp(x)*y", "by y never vanishes"),
    ("x: real, y: real", "y^2 + exp(x)", "by x never vanishes"),
    ("x: positive, y: positive", "x^2*y", "never vanishes"),
    ("x: nonnegative, y: nonnegative", "x + y", "no end of a range"),
    ("x: nonnegative, y: real", "exp(x) + y^2", "no end of a range"),
]


@pytest.mark.parametrize(("declared", "payoff", "words"), NONE)
def test_where_there_is_no_equilibrium_that_is_said(declared: str, payoff: str, words: str) -> None:
    d = symgen.loads(f"param {declared}\nlet U = {payoff}\ngame g = {{x: max U, y: min U}}").derive("equilibrium(g)")
    assert d.result.kind.startswith("no equilibrium") and words in d.result.kind
    assert d.result.conditions == () and d.result.strategies == {} and d.evidence.kind == "proved"
    assert "= 0 " not in d.text().split("Result")[1]
    with pytest.raises(symgen.CannotDerive, match="no equilibrium"):
        symgen.loads(f"param {declared}\nlet U = {payoff}\ngame g = {{x: max U, y: min U}}").derive("stability(g)")


# declarations, payoff, x, y
ENDS = [
    ("x: nonnegative, y: real", "-(x + 1)^2 + y^2", 0.0, 0.0),
    ("x: nonnegative, y: real", "-(x + 1)^2 + (y - x - 3)^2", 0.0, 3.0),
    ("x: nonnegative, y: nonnegative", "-x^2 + y^2 + x*y - x + y", 0.0, 0.0),
    ("x: real, y: nonnegative", "-(x - y)^2 + exp(y)", 0.0, 0.0),
    ("x: nonnegative, y: nonnegative", "x - x^2/2 + x*y + y", 1.0, 0.0),
]


@pytest.mark.parametrize(("declared", "payoff", "x", "y"), ENDS)
def test_closed_ends_of_a_range_are_attained(declared: str, payoff: str, x: float, y: float) -> None:
    m = symgen.loads(f"param {declared}\nlet U = {payoff}\ngame g = {{x: max U, y: min U}}")
    r = m.derive("equilibrium(g)").result
    assert {k: float(v) for k, v in r.strategies.items()} == {"x": x, "y": y} and r.unique is True
    U = sympy.lambdify(sympy.symbols("x y"), sympy.sympify(payoff.replace("^", "**")))
    moves = np.linspace(0, 3, 61)
    signs = [(n, 1 if f"{n}: nonnegative" in declared else s) for n in "xy" for s in (1, -1)]
    for n, s in signs:
        if n == "x":
            assert all(U(max(x + s * h, 0 if "x: nonn" in declared else -9), y) <= U(x, y) + 1e-12 for h in moves)
        else:
            assert all(U(x, max(y + s * h, 0 if "y: nonn" in declared else -9)) >= U(x, y) - 1e-12 for h in moves)


def test_a_list_that_may_be_incomplete_says_so() -> None:
    for payoff in ("sin(x*y)", "abs(x)*y", "lgamma(exp(x))*y", "max(x, 0)*y"):
        d = symgen.loads(f"param x: real, y: real\nlet U = {payoff}\ngame g = {{x: max U, y: min U}}").derive("equilibrium(g)")
        assert any("incomplete" in note for note in d.notes), payoff
        assert d.result.unique is not True


# payoffs whose motion is not smooth at the equilibrium, or has no closed derivative
ROUGH = ["-abs(x) + y^2", "relu(x)*y", "max(x, 0)*y - x^2", "floor(x)*y", "sign(x)*y", "clip(x, 0, 1)*y", "-abs(x - 1) + (y - x)^2",
         "lgamma(exp(x))*y", "abs(x)*abs(y)", "where(x > 0, x, 2*x)*y"]  # fmt: skip


@pytest.mark.parametrize("payoff", ROUGH)
@pytest.mark.parametrize("goal", ["stability(g)", "stability(g, step=h)", "equilibrium(g)", "best_response(g, x)"])
def test_rough_games_are_answered_or_refused_in_words(payoff: str, goal: str) -> None:
    m = symgen.loads(f"param x: real, y: real\nlet U = {payoff}\ngame g = {{x: max U, y: min U}}")
    try:
        d = m.derive(goal)
    except symgen.CannotDerive as refusal:
        assert "DiracDelta" not in str(refusal) and "Derivative" not in str(refusal) and "s0" not in str(refusal)
        return
    assert not goal.startswith("stability"), "a kink has no Jacobian"
    assert d.text() and "**" not in d.text()


@pytest.mark.parametrize(
    ("step", "words"), [("-1", "it is -1"), ("0", "it is 0"), ("-2/3", "it is -2/3"), ("b", "may be negative")]
)
def test_a_step_is_positive(step: str, words: str) -> None:
    m = symgen.loads("param x: real, y: real\nconst b: real = 1\nlet U = x*y\ngame g = {x: max U, y: min U}")
    with pytest.raises(symgen.SpecError, match=f"a step must be positive, and .*{words}"):
        m.derive(f"stability(g, step={step})")
    assert m.derive("stability(g, step=h)").result.verdict == "diverges"


# range, payoff (D maximises), the best value at p = 0.3, q = 0.7 is searched for
CLOSED = [
    "-E[x ~ p]((D(x) + 1)^2) - E[x ~ q]((D(x) + 2)^2)",
    "-E[x ~ p]((D(x) - 1)^2) - E[x ~ q]((D(x) + 2)^2)",
    "-E[x ~ p]((D(x) - 3)^2) - E[x ~ q]((D(x) + 1)^2)",
    "E[x ~ p](log(D(x) + 1)) - E[x ~ q](D(x))",
    "-E[x ~ p](D(x)) - E[x ~ q](D(x)^3)",
    "E[x ~ p](exp(-D(x))) + E[x ~ q](exp(-2*D(x)))",
    "-E[x ~ p](exp(D(x))) + E[x ~ q](2*D(x))",
]


@pytest.mark.parametrize("V", CLOSED)
def test_a_best_response_at_a_closed_end(V: str) -> None:
    m = symgen.loads(f"density p(x), q(x)\nfunction D(x): nonnegative\nlet V = {V}\ngame g = {{D: max V, q: min V}}")
    r = m.derive("best_response(g, D)").result
    for p, q in ((0.3, 0.7), (0.9, 0.2), (0.1, 2.0)):
        best = float(r.evaluate("strategy", p=p, q=q))
        body = V.replace("E[x ~ p]", f"{p}*").replace("E[x ~ q]", f"{q}*").replace("D(x)", "t").replace("^", "**")
        F = sympy.lambdify(sympy.Symbol("t"), sympy.sympify(body), "numpy")
        grid = np.concatenate([np.linspace(0, 12, 4001), best + np.linspace(-1e-3, 1e-3, 9)])
        assert best >= 0 and F(best) >= np.max(F(grid[grid >= 0])) - 1e-12


@pytest.mark.parametrize(("n", "a", "b"), [(4, 1, 1), (4, 2, 3), pytest.param(6, 1, 5, marks=pytest.mark.slow)])
def test_power_losses_have_short_best_responses(n: int, a: int, b: int) -> None:
    m = symgen.loads(
        f"density p(x), q(x)\nfunction D(x): real\nlet V = {a}*E[x ~ p]((D(x) - 1)^{n}) + {b}*E[x ~ q]((2*D(x) + 1)^{n})\n"
        "game g = {D: min V, q: max V}"
    )
    r = m.derive("best_response(g, D)").result
    assert len(str(r.strategy)) < 120
    t = np.linspace(-0.6, 1.1, 170001)
    for p, q in ((0.3, 0.7), (2.0, 0.1)):
        F = a * p * (t - 1) ** n + b * q * (2 * t + 1) ** n
        assert float(r.evaluate("strategy", p=p, q=q)) == pytest.approx(t[np.argmin(F)], abs=1e-3)


@pytest.mark.parametrize("goal", ["best_response(gan, D)", "value(gan, D)", "equilibrium(gan)"])
def test_means_of_unknown_densities_are_no_news_in_a_game(goal: str) -> None:
    m = symgen.loads(
        "density p_data(x), p_g(x)\nfunction D(x): unit\n"
        "let V = E[x ~ p_data](log(D(x))) + E[x ~ p_g](log(1 - D(x)))\ngame gan = {D: max V, p_g: min V}"
    )
    assert not any("stays as it is" in note for note in m.derive(goal).notes)
