"""What is said of a game under a condition holds where the condition does, and not where it fails."""

import itertools

import numpy as np
import pytest
import sympy

import symgen

# players' variables and senses, payoffs, and the payoffs again as functions of (coordinates, constants)
GAMES = {
    "a x y": ("real", "a*x*y", "a*x*y", lambda z, a, b: [-a * z[0] * z[1], a * z[0] * z[1]]),
    "a x y + b x": ("real", "a*x*y + b*x", "a*x*y + b*x",
                    lambda z, a, b: [-(a * z[0] * z[1] + b * z[0]), a * z[0] * z[1] + b * z[0]]),
    "a (x^2 - y^2) + b x y": ("real", "a*(x^2 - y^2) + b*x*y", "a*(x^2 - y^2) + b*x*y",
                              lambda z, a, b: [-(a * (z[0] ** 2 - z[1] ** 2) + b * z[0] * z[1]),
                                               a * (z[0] ** 2 - z[1] ** 2) + b * z[0] * z[1]]),
    "Cournot": ("nonnegative", "-x*(a - x - y) + b*x", "y*(a - x - y) - b*y",
                lambda z, a, b: [z[0] * (a - z[0] - z[1]) - b * z[0], z[1] * (a - z[0] - z[1]) - b * z[1]]),
    "Bertrand": ("nonnegative", "-(x - b)*(a - x + y/2)", "(y - b)*(a - y + x/2)",
                 lambda z, a, b: [(z[0] - b) * (a - z[0] + z[1] / 2), (z[1] - b) * (a - z[1] + z[0] / 2)]),
}  # fmt: skip
CONSTANTS = [(2.0, 0.5), (-1.5, 0.75), (0.0, 1.0), (0.5, 2.0), (-2.0, -1.0), (0.0, 0.0)]


def model(name):
    domain, u, v, _ = GAMES[name]
    return symgen.loads(
        f"param x: {domain}, y: {domain}\nconst a: real = 1, b: real = 1\nlet U = {u}\nlet V = {v}\n"
        "game g = {x: min U, y: max V}\ngame z = {x: min U, y: max U}"
    )


def truth(condition, a, b):
    return bool(condition.subs({"a": a, "b": b}))


def gains(name, z, a, b):
    """The most that a player wins by moving alone, on a grid."""
    domain, _, _, payoff = GAMES[name]
    best = 0.0
    for k, step in itertools.product(range(2), np.concatenate([np.linspace(-4, 4, 161), [-1e-3, 1e-3]])):
        other = np.array(z, dtype=float)
        other[k] += step
        if domain == "real" or other[k] >= 0:
            best = max(best, payoff(other, a, b)[k] - payoff(z, a, b)[k])
    return best


def cases(record):
    """(values, conditions) of every equilibrium of a record: several are told in words, in the author's names."""
    free = [c for c in record.conditions if isinstance(c, sympy.Rel) and not isinstance(c, sympy.Eq)]
    if isinstance(record.strategies, dict):
        return [(record.strategies, free)]
    words = [c for c in record.conditions if isinstance(c, str)]
    out = []
    for values, text in zip(record.strategies, words, strict=True):
        _, _, said = text.partition(": where ")
        out.append((values, free + [sympy.sympify(part) for part in said.split(" and ")]))
    return out


@pytest.mark.parametrize("name", GAMES)
def test_a_told_equilibrium_is_one_where_its_conditions_hold(name):
    record = model(name).derive(f"equilibrium({'g' if GAMES[name][0] == 'nonnegative' else 'z'})").result
    seen = 0
    for (a, b), (values, conditions) in itertools.product(CONSTANTS, cases(record)):
        if all(truth(c, a, b) for c in conditions):
            z = [float(sympy.sympify(values[k]).subs({"a": a, "b": b})) for k in "xy"]
            assert gains(name, z, a, b) < 1e-9, (a, b, z)
            seen += 1
    assert seen >= 2


@pytest.mark.parametrize("name", ["a x y", "a x y + b x", "Cournot"])
def test_unique_equilibria_are_so_under_their_conditions_alone(name):
    record = model(name).derive(f"equilibrium({'g' if GAMES[name][0] == 'nonnegative' else 'z'})").result
    assert record.unique is True
    for a, b in CONSTANTS:
        held = [values for values, conditions in cases(record) if all(truth(c, a, b) for c in conditions)]
        assert len(held) <= 1
        if name != "Cournot":
            assert bool(held) == (a != 0)  # at a = 0 there is none, or a line of them


@pytest.mark.parametrize("name", ["a x y", "a x y + b x"])
@pytest.mark.parametrize("method", ["", ", method=alternating", ", method=extragradient", ", method=optimistic"])
def test_stability_tells_what_the_equilibrium_needs(name, method):
    record = model(name).derive(f"stability(z{method})").result
    free = [c for c in record.conditions if isinstance(c, sympy.Ne)]
    assert free and not any(truth(c, 0.0, 1.0) for c in free) and all(truth(c, -2.0, 1.0) for c in free)
    if method:
        (bound,) = [c for c in record.conditions if isinstance(c, sympy.StrictLessThan)]
        assert bound.rhs.subs({"a": -2}) == bound.rhs.subs({"a": 2}) > 0  # the sign of a plays no role


def test_stability_of_an_oligopoly_asks_for_a_market():
    (condition,) = model("Cournot").derive("stability(g)").result.conditions
    assert [truth(condition, a, b) for a, b in ((2.0, 0.5), (0.5, 2.0))] == [True, False]


# --- kinks ------------------------------------------------------------------------------------------------------------

SIDES = {
    "steeper right": ("-where(x >= 0, x^2, 3*x^2) + x*y", lambda x, y: [(-2 if x >= 0 else -6) * x + y, -x - 2 * y], "converges"),
    "relu": ("-x^2/2 - relu(x)^2/2 + x*y", lambda x, y: [-x - max(x, 0) + y, -x - 2 * y], "converges"),
    "away on one side": ("-where(x >= 0, x^2, -x^2) + x*y", lambda x, y: [-2 * abs(x) + y, -x - 2 * y], None),
}


@pytest.mark.parametrize("name", SIDES)
def test_both_sides_of_a_kink_are_looked_at(name):
    payoff, field, verdict = SIDES[name]
    m = symgen.loads(f"param x: real, y: real\nlet U = {payoff}\nlet V = -y^2 - x*y\ngame g = {{x: max U, y: max V}}")
    if verdict is None:
        with pytest.raises(symgen.CannotDerive, match="kink"):
            m.derive("stability(g)")
        kind = m.derive("equilibrium(g)").result.kind
        assert kind.startswith("not an equilibrium")  # to the left the payoff of x rises
        return
    assert m.derive("stability(g)").result.verdict == verdict
    for start in ([0.5, 0.1], [-0.5, 0.1], [0.1, -0.5]):
        z = np.array(start)
        for _ in range(4000):
            z = z + 5e-3 * np.array(field(*z))
        assert np.linalg.norm(z) < 1e-6


def test_in_a_family_the_others_stay_while_a_player_moves():
    """x follows y and y flees x: on the line x = y the payoff of y is least, so that no point of it is an equilibrium."""
    m = symgen.loads("param x: real, y: real\nlet U = cos(x - y)\nlet V = -cos(x - y)\ngame g = {x: max U, y: max V}")
    assert m.derive("equilibrium(g)").result.kind.startswith("not an equilibrium")
    m = symgen.loads("param x: real, y: real\nlet U = cos(x - y)\ngame g = {x: max U, y: max U}")
    assert "Nash equilibrium" in m.derive("equilibrium(g)").result.kind


WEIGHTED = "function D(x): unit\ndensity p(x), q(x)\nconst a: real = 1\nlet V = {}\ngame g = {{D: max V, q: min V}}"


@pytest.mark.parametrize("payoff", [
    "a*E[x ~ p](log(D(x))) + E[x ~ q](log(1 - D(x)))",
    "E[x ~ p](log(D(x))) + E[x ~ q](log(1 - D(x)))/a",
])  # fmt: skip
def test_the_best_response_of_a_function_tells_its_condition(payoff):
    d = symgen.loads(WEIGHTED.format(payoff)).derive("best_response(g, D)")
    (condition,) = [c for c in d.result.conditions if isinstance(c, sympy.Rel)]
    assert [truth(condition, a, 0) for a in (2.0, -0.3)] == [True, False]
    ts = np.linspace(1e-4, 1 - 1e-4, 4001)
    for p, q in ((0.3, 1.2), (0.8, 0.2)):
        values = 2.0 * p * np.log(ts) + q * np.log(1 - ts) if "a*E" in payoff else p * np.log(ts) + q * np.log(1 - ts) / 2.0
        assert d.result.evaluate("strategy", p=p, q=q, a=2.0) == pytest.approx(ts[values.argmax()], abs=1e-3)


def test_a_payoff_that_jumps_is_not_globally_best_where_it_is_locally():
    m = symgen.loads("param x: real, y: real\nlet U = where(x < 1, -x^2, 5 - x^2)\nlet V = -y^2\ngame g = {x: max U, y: max V}")
    assert "global" not in m.derive("equilibrium(g)").result.kind


# --- symbolic sizes ---------------------------------------------------------------------------------------------------

ARRAYS = (
    "dim n, m\nparam x: real[n], y: real[m]\ndata A: real[n, m], b: real[n], c: real[m]\n"
    "let V = {}\ngame g = {{x: min V, y: max V}}"
)


def test_players_that_drift_have_no_equilibrium():
    with pytest.raises(symgen.CannotDerive, match="no equilibrium"):
        symgen.loads(ARRAYS.format("b @ x + c @ y")).derive("stability(g)")


def test_a_shifted_bilinear_game_cycles_only_where_its_equations_have_a_solution():
    m = symgen.loads(ARRAYS.format("x @ A @ y + b @ x + c @ y"))
    record = m.derive("stability(g)").result
    assert record.verdict == "cycles" and any("exists" in str(c) for c in record.conditions)
    assert sum(isinstance(c, sympy.Eq) for c in record.conditions) == 2
    plain = symgen.loads(ARRAYS.format("x @ A @ y")).derive("stability(g)").result
    assert plain.verdict == "cycles" and plain.conditions == ()


def test_a_step_is_not_said_to_diverge_because_the_flow_does():
    m = symgen.loads(ARRAYS.format("x @ A @ y - x @ x/20 + y @ y/20"))
    assert m.derive("stability(g)").result.verdict == "diverges"
    # lam = 1/10 + i s: at h s = 1/2 an extragradient step multiplies by less than 1
    assert abs(1 + 0.1 * (0.1 + 5j) + 0.01 * (0.1 + 5j) ** 2) < 1
    assert m.derive("stability(g, method=extragradient)").result.verdict == "inconclusive"


@pytest.mark.parametrize("size", ["3", "n"])
def test_mixed_strategies_do_not_move_as_real_vectors(size):
    m = symgen.loads(f"dim n\nparam P: simplex[{size}], Q: simplex[{size}]\ndata M: real[{size}, {size}]\nlet V = P @ M @ Q\n"
                     "game g = {P: max V, Q: min V}")  # fmt: skip
    with pytest.raises(symgen.CannotDerive, match="`P` is of domain `simplex`"):
        m.derive("stability(g)")


def test_points_that_no_constant_allows_are_not_listed():
    """u^2 + v = k, u = 2 v: with u >= 0 for the payoff to be convex, the larger root alone."""
    m = symgen.loads("param u: real, v: real\nconst k: real = 1\nlet F = u^3/3 - k*u + u*v - v^2\ngame f = {u: min F, v: max F}")
    strategies = m.derive("equilibrium(f)").result.strategies
    assert isinstance(strategies, dict) and float(strategies["u"].subs({"k": 5})) == pytest.approx(2.0)
