"""Equilibria of GANs and of small games, against best-response search and known answers."""

import math

import numpy as np
import pytest
import sympy
from scipy.optimize import minimize

import symgen

GAN = """
density p_data(x), p_g(x)
function D(x): {range}
let V = {V}
let W = {W}
game g = {{D: {sense} V, p_g: {rival}}}
"""
# V, W, range, sense, what the density player does, D at equilibrium, value
GANS = {
    "minimax": ("E[x ~ p_data](log(D(x))) + E[x ~ p_g](log(1 - D(x)))", "0", "unit", "max", "min V", 0.5, -math.log(4)),
    "non-saturating": ("E[x ~ p_data](log(D(x))) + E[x ~ p_g](log(1 - D(x)))", "E[x ~ p_g](log(D(x)))", "unit", "max",
                       "max W", 0.5, -math.log(4)),
    "least squares": ("E[x ~ p_data]((D(x) - 1)^2)/2 + E[x ~ p_g](D(x)^2)/2", "E[x ~ p_g]((D(x) - 1)^2)/2", "real",
                      "min", "min W", 0.5, 0.25),
    "KL": ("E[x ~ p_data](D(x)) - E[x ~ p_g](exp(D(x) - 1))", "0", "real", "max", "min V", 1.0, 0.0),
    "hinge": ("E[x ~ p_data](min(0, D(x) - 1)) + E[x ~ p_g](min(0, -1 - D(x)))", "0", "real", "max", "min V", None, -2.0),
}  # fmt: skip


@pytest.mark.parametrize("name", GANS)
def test_the_generated_density_is_that_of_the_data(name):
    V, W, range_word, sense, rival, D, value = GANS[name]
    r = symgen.loads(GAN.format(V=V, W=W, range=range_word, sense=sense, rival=rival)).derive("equilibrium(g)").result
    assert str(r.strategies["p_g"]) == "p_data"
    if D is not None:
        assert float(r.evaluate("strategies", p_data=0.3)["D"]) == pytest.approx(D)
        assert r.unique is True
    assert float(r.evaluate("value")) == pytest.approx(value)
    assert "Nash" in r.kind


def test_a_density_that_wants_to_be_told_apart_is_said_not_to_be_drawn_to_the_data():
    V, _, range_word, sense, _, _, _ = GANS["minimax"]
    r = symgen.loads(GAN.format(V=V, W="0", range=range_word, sense=sense, rival="max V")).derive("equilibrium(g)").result
    assert "not drawn" in r.kind and r.unique is None


# spec of V (and others), players, strategies, kind contains, unique
GAMES = {
    "bilinear": ("param x: real, y: real\nlet V = x*y", "{y: max V, x: min V}", {"x": 0, "y": 0}, "global Nash", True),
    "quadratic": ("param x: real, y: real\nlet V = x^2 - 2*y^2 + 3*x*y - x + y", "{y: max V, x: min V}",
                  {"x": 1/17, "y": 5/17}, "global Nash", True),
    "Dirac": ("param theta: real, psi: real\nlet V = -log(1 + exp(-psi*theta)) - log(2)", "{psi: max V, theta: min V}",
              {"theta": 0, "psi": 0}, "global Nash", True),
    "saddle the wrong way": ("param x: real, y: real\nlet V = y^2 - x^2", "{y: max V, x: min V}", None, "not an equilibrium",
                             None),
    "quartic": ("param x: real, y: real\nlet V = x^4 - y^4 + x*y", "{y: max V, x: min V}", {"x": 0, "y": 0}, "global Nash",
                True),
    "three players": ("param x: real, y: real, z: real\nlet A = -x^2 + x*y\nlet B = -y^2 + y*z + y\nlet C = -z^2 + z*x",
                      "{x: max A, y: max B, z: max C}", {"x": 2/7, "y": 4/7, "z": 1/7}, "global Nash", True),
    "local only": ("param x: real, y: real\nlet V = x^2 - y^2 + x*y - y^4*x^2", "{y: max V, x: min V}", {"x": 0, "y": 0},
                   "Nash", None),
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(g, marks=pytest.mark.slow) if g == "local only" else g for g in GAMES])
def test_known_equilibria(name):
    spec, players, strategies, kind, unique = GAMES[name]
    r = symgen.loads(f"{spec}\ngame g = {players}\n").derive("equilibrium(g)").result
    assert kind in r.kind
    if strategies is not None:
        found = r.strategies if isinstance(r.strategies, dict) else r.strategies[0]
        for k, v in strategies.items():
            assert float(found[k]) == pytest.approx(v)
    if unique is not None:
        assert r.unique is unique


def test_no_player_gains_by_moving_alone():
    """Cournot with unequal costs, against direct search."""
    m = symgen.loads(
        "param q1: positive, q2: positive\nconst a: positive, c1: positive, c2: positive\nassume a > 2*c1, a > 2*c2\n"
        "let P = a - q1 - q2\nlet u1 = q1*(P - c1)\nlet u2 = q2*(P - c2)\ngame g = {q1: max u1, q2: max u2}\n"
    )
    r = m.derive("equilibrium(g)").result
    at = {"a": 5.0, "c1": 1.0, "c2": 2.0}
    q = {k: float(v.subs({s: at[str(s)] for s in v.free_symbols})) for k, v in r.strategies.items()}
    assert q == pytest.approx({"q1": (5 - 2 + 2) / 3, "q2": (5 - 4 + 1) / 3})
    for own, other, cost in (("q1", "q2", 1.0), ("q2", "q1", 2.0)):
        best = minimize(lambda x, other=other, cost=cost: -x[0] * (5 - x[0] - q[other] - cost), [0.5]).x[0]
        assert q[own] == pytest.approx(best, abs=1e-5)
    response = m.derive("best_response(g, q1)").result
    assert float(response.evaluate("strategy", q2=0.8, **at)) == pytest.approx((5 - 1 - 0.8) / 2)


def matrix_game(A, B=None):
    m, n = len(A), len(A[0])

    def payoff(M):
        return " + ".join(f"{M[i][j]}*x[{i}]*y[{j}]" for i in range(m) for j in range(n)).replace("+ -", "- ")

    other = f"let W = {payoff(B)}\ngame g = {{x: max V, y: max W}}" if B else "game g = {x: max V, y: min V}"
    return symgen.loads(f"param x: simplex[{m}], y: simplex[{n}]\nlet V = {payoff(A)}\n{other}\n")


@pytest.mark.parametrize("A, x, y, value", [
    ([[1, -1], [-1, 1]], [1/2, 1/2], [1/2, 1/2], 0),
    ([[3, -1], [-2, 1]], [3/7, 4/7], [2/7, 5/7], 1/7),
    ([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], [1/3] * 3, [1/3] * 3, 0),
    ([[4, 2], [3, 1]], [1, 0], [0, 1], 2),
])  # fmt: skip
def test_matrix_games_have_their_minimax_value(A, x, y, value):
    r = matrix_game(A).derive("equilibrium(g)").result
    assert [float(v) for v in r.strategies["x"]] == pytest.approx(x)
    assert [float(v) for v in r.strategies["y"]] == pytest.approx(y)
    assert float(r.value) == pytest.approx(value)
    A = np.array(A)
    assert (A @ np.array(y)).max() == pytest.approx(value) and (np.array(x) @ A).min() == pytest.approx(value)


def test_two_coordination_equilibria_are_not_called_unique():
    r = matrix_game([[2, 0], [0, 1]], [[1, 0], [0, 2]]).derive("equilibrium(g)").result
    assert isinstance(r.strategies, list) and len(r.strategies) == 3 and r.unique is False


def test_a_game_in_vectors_of_any_size():
    m = symgen.loads("dim n, m\nparam x: real[n], y: real[m]\nconst A: real[n, m]\nlet V = x @ A @ y\n"
                     "game g = {x: min V, y: max V}\n")  # fmt: skip
    r = m.derive("equilibrium(g)").result
    assert "global Nash" in r.kind
    assert m.derive("stability(g)").result.verdict == "cycles"
    assert m.derive("stability(g, step=h)").result.verdict == "diverges"


def test_the_fields_of_a_record_are_sympy():
    r = symgen.loads("param x: real, y: real\nlet V = x*y\ngame g = {y: max V, x: min V}\n").derive("equilibrium(g)").result
    assert all(isinstance(c, sympy.Basic) for c in r.conditions)
    assert set(r.as_dict()) == {"conditions", "strategies", "value", "kind", "unique"}


def test_a_payoff_that_is_not_linear_in_the_density_is_refused():
    """With an entropy in the payoff, the density of the data is not the best answer to a constant D."""
    m = symgen.loads(
        "density p(x), q(x)\nfunction D(x): unit\nlet V = E[x ~ p](log(D(x))) + E[x ~ q](log(1 - D(x)))\n"
        "let U = V - entropy(q)\ngame g = {D: max V, q: min U}\n"
    )
    with pytest.raises(symgen.CannotDerive, match="not linear in the density"):
        m.derive("equilibrium(g)")


def test_strategies_outside_of_their_domains_are_conditions():
    m = symgen.loads(
        "param p: unit, q: unit\nconst a: real, b: real\nlet V = a*p*q - b*p + (1 - p)*(1 - q)\ngame g = {p: max V, q: min V}\n"
    )
    r = m.derive("equilibrium(g)").result
    assert any("<" in str(c) for c in r.conditions)
