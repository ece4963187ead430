"""Strategies that pay for their information, and a kink with one side that only does not rise: against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import symgen

rng = np.random.default_rng(3)


def test_the_best_policy_under_a_divergence_tilts_the_reference() -> None:
    m = symgen.loads(
        "density ref(y), pi(y)\nfunction r(y): real\nconst b: positive\n"
        "let J = E[y ~ pi](r(y)) - b*KL(pi || ref)\ngame g = {pi: max J}\ngame worse = {pi: min J}"
    )
    found = m.derive("best_response(g, pi)").result.as_dict()
    assert str(found["strategy"]) == "ref*exp(r/b)/E(exp(r(y)/b), ref)"
    assert str(found["value"]) == "b*log(E(exp(r(y)/b), ref))"
    assert m.derive("value(g, pi)").text_result == "b*log(E[y ~ ref](exp(r(y)/b)))"
    ref, r, b = rng.dirichlet(np.ones(5)), rng.normal(size=5), 0.6  # of five outcomes: no policy does better
    worth = b * np.log(ref @ np.exp(r / b))
    for pi in rng.dirichlet(np.ones(5), size=50):
        assert pi @ r - b * pi @ np.log(pi / ref) <= worth
    with pytest.raises(symgen.CannotDerive, match="concave in the density"):
        m.derive("best_response(worse, pi)")


@pytest.mark.parametrize("rival", ["min U", "max q @ B @ p - t*sum(q*log(q))"])
def test_logit_equilibria_are_where_smoothed_best_responses_rest(rival: str) -> None:
    m = symgen.loads(
        "dim n, k\nparam p: simplex[n], q: simplex[k]\ndata A: real[n, k], B: real[k, n]\nconst t: positive\n"
        f"let U = p @ A @ q - t*sum(p*log(p)) + t*sum(q*log(q))\ngame g = {{p: max U, q: {rival}}}"
    )
    record = m.derive("equilibrium(g)").result
    assert record.unique is (True if rival == "min U" else None)
    A, B, t = rng.normal(size=(3, 2)), rng.normal(size=(2, 3)), 0.8
    p, q = np.full(3, 1 / 3), np.full(2, 1 / 2)
    for _ in range(400):
        best = [np.exp(A @ q / t), np.exp((-A.T if rival == "min U" else B) @ p / t)]
        p, q = (0.8 * x + 0.2 * e / e.sum() for x, e in zip((p, q), best, strict=True))
    response = m.derive("best_response(g, q)").evaluate(A=A, B=B, t=t, p=p, q=q)
    assert response["strategy"] == pytest.approx(q, abs=1e-9)
    other = m.derive("best_response(g, p)").evaluate(A=A, B=B, t=t, p=p, q=q)
    assert other["strategy"] == pytest.approx(p, abs=1e-9)


def test_a_binary_logit_response_is_a_sigmoid() -> None:
    m = symgen.loads(
        "param x: unit, y: unit\nconst t: positive\n"
        "let U = (2*x - 1)*(2*y - 1) - t*(x*log(x) + (1 - x)*log(1 - x))\ngame g = {x: max U, y: min U}"
    )
    assert m.derive("best_response(g, x)").result.evaluate("strategy", y=0.7, t=0.5) == pytest.approx(1 / (1 + np.exp(-1.6)))


SIDES = {  # payoff of the one who minimises in x, its rival in y; the field
    "relu(x)^2 + x*y - y^2/2": lambda t, z: [-2 * max(z[0], 0) - z[1], z[0] - z[1]],
    "relu(-x)^2/2 + 3*x*y - y^2": lambda t, z: [-min(z[0], 0) - 3 * z[1], 3 * z[0] - 2 * z[1]],
}


@pytest.mark.parametrize("payoff", SIDES)
def test_a_side_that_only_keeps_the_distance_does_not_stop_the_fall(payoff: str) -> None:
    m = symgen.loads(f"param x: real, y: real\nlet U = {payoff}\ngame g = {{x: min U, y: max U}}")
    d = m.derive("stability(g)")
    assert d.result.verdict == "converges" and d.evidence.kind == "proved"
    for angle in np.linspace(0, 2 * np.pi, 7):
        path = solve_ivp(SIDES[payoff], (0, 40), [np.cos(angle), np.sin(angle)], rtol=1e-8)
        assert np.linalg.norm(path.y[:, -1]) < 1e-4


def test_a_side_on_which_the_distance_grows_decides_nothing() -> None:
    m = symgen.loads("param x: real, y: real\nlet U = abs(x)*x/2 + x*y\ngame g = {x: min U, y: max U}")
    with pytest.raises(symgen.CannotDerive, match="does not decide"):
        m.derive("stability(g)")
