"""Best densities given something: encoders of bottlenecks, of rate and distortion, posteriors, factors of mean field.

Tishby, Pereira & Bialek (1999), 4; Blahut (1972); Neal & Hinton (1998); Bishop (2006), 10.9; against random tables.
"""

from __future__ import annotations

import numpy as np
import pytest

import symgen

rng = np.random.default_rng(8)
BOTTLENECK = """density p(x, y)
density q(t | x)
density r(y | t)
density s(t)
const beta: positive
let F = E[x ~ p(x), t ~ q(t | x)](log q(t | x) - log s(t)) - beta*E[(x, y) ~ p, t ~ q(t | x)](log r(y | t))
game encoder = {q: min F}
game code = {s: min F}
game decoder = {r: min F}
"""
TILTED = "exp(beta*E[y ~ p(y | x)](log r(y | t)))"


def table(*shape):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def test_the_three_parts_of_the_bottleneck_answer_one_another() -> None:
    m = symgen.loads(BOTTLENECK)
    encoder = m.derive("best_response(encoder, q)")
    assert f"s*{TILTED}/E[t ~ s]({TILTED})" in encoder.text().replace("β", "beta")
    assert f"-E[x ~ p(x)](log(E[t ~ s]({TILTED})))" in encoder.text().replace("β", "beta")
    assert encoder.evidence.kind == "proved"
    assert "E[x ~ p](q(t | x))" in m.derive("best_response(code, s)").text()
    assert "E[x ~ p(x)](p(y | x)*q(t | x))/E[x ~ p](q(t | x))" in m.derive("best_response(decoder, r)").text()
    joint, beta = rng.dirichlet(np.ones(12)).reshape(4, 3), 2.5  # x of four values, y of three, t of two
    px, py = joint.sum(1), joint / joint.sum(1, keepdims=True)
    q, r, s = table(4, 2), table(2, 3), table(2)

    def worth(q, r, s):
        return (px[:, None] * q * (np.log(q / s) - beta * py @ np.log(r).T)).sum()

    tilt = np.exp(beta * py @ np.log(r).T)
    best = s * tilt / (tilt @ s)[:, None]
    assert worth(best, r, s) == pytest.approx(-(px @ np.log(tilt @ s)))
    mixed = px @ q
    seen = (joint.T @ q / mixed).T
    for _ in range(50):
        assert worth(best, r, s) <= worth(table(4, 2), r, s)
        assert worth(q, r, mixed) <= worth(q, r, table(2))
        assert worth(q, seen, s) <= worth(q, table(2, 3), s)


@pytest.mark.parametrize(
    ("spec", "player", "strategy", "value"),
    [
        ("density p(x), s(t)\ndensity q(t | x)\nfunction d(x, t): nonnegative\nconst b: positive\n"
         "let F = E[x ~ p(x)](KL(q(t | x) || s(t))) + b*E[x ~ p(x), t ~ q(t | x)](d(x, t))\ngame g = {q: min F}",
         "q", "s*exp(-b*d)/E[t ~ s](exp(-b*d(x, t)))", "-E[x ~ p](log(E[t ~ s](exp(-b*d(x, t)))))"),
        ("density p(x), s(t)\ndensity q(t | x)\nfunction d(x, t): nonnegative\nconst b: positive\n"
         "let F = E[x ~ p(x)](KL(q(t | x) || s(t))) + b*E[x ~ p(x), t ~ q(t | x)](d(x, t))\ngame g = {s: min F}",
         "s", "E[x ~ p](q(t | x))", "log(E[x ~ p](q(t | x)))"),
        ("density p(x, z), q(z | x)\nlet F = elbo(q, p)\ngame g = {q: max F}", "q", "p/p_x", "log p(x)"),
        ("density p(x, z), q(z | x)\nlet F = E[x ~ p(x), z ~ q(z | x)](log p(x, z) - log q(z | x))\ngame g = {q: max F}",
         "q", "p/p_x", "E[x ~ p(x)](log p(x))"),
        ("density p(x, z, w), q(z), r(w)\nlet F = E[z ~ q, w ~ r](log p(x, z, w)) + entropy(q) + entropy(r)\ngame g = {r: max F}",
         "r", "exp(E[z ~ q](log p(x, z, w)))/integral[w: -inf..inf](exp(E[z ~ q](log p(x, z, w))))",
         "log(integral[w: -inf..inf](exp(E[z ~ q](log p(x, z, w)))))"),
        ("density d(x), q(a | x), ref(a | x)\nfunction r(x, a): real\nconst b: positive\n"
         "let F = E[x ~ d, a ~ q(a | x)](r(x, a)) - b*E[x ~ d](KL(q(a | x) || ref(a | x)))\ngame g = {q: max F}",
         "q", "ref*exp(r/b)/E[a ~ ref](exp(r(x, a)/b))", "b*E[x ~ d](log(E[a ~ ref](exp(r(x, a)/b))))"),
    ],
    ids=["rate and distortion", "the best code book", "the posterior", "the posterior on average", "mean field", "policies"],
)  # fmt: skip
def test_the_best_density_given_something_is_a_tilted_law(spec: str, player: str, strategy: str, value: str) -> None:
    shown = symgen.loads(spec).derive(f"best_response(g, {player})").text()
    response, worth = shown.split("Best response:")[1].split("Value:")
    assert strategy in " ".join(response.split())
    assert value in " ".join(worth.split())


def test_a_payoff_that_another_density_averages_is_refused() -> None:
    m = symgen.loads(
        "density p(x), q(t | x)\n"
        "let F = E[x ~ p, t ~ q(t | x)](log q(t | x)^2)\n"
        "let G = E[x ~ p](log(E[t ~ q(t | x)](log q(t | x))))\n"
        "game f = {q: min F}\ngame g = {q: min G}"
    )
    for name in "fg":
        with pytest.raises(symgen.CannotDerive):
            m.derive(f"best_response({name}, q)")
