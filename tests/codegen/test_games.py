"""Games train by their own players' gradients: who moves when, and where that leads."""

import numpy as np
import pytest

import symgen

BILINEAR = """
param x: real = 1, y: real = 1
let V = x*y
game g = {y: max V, x: min V}
train g with METHOD, steps=300
"""


def trained(method, **options):
    return symgen.loads(BILINEAR.replace("METHOD", method)).compile().train({}, **options)


def distance(p):
    return float(np.hypot(p["x"], p["y"]))


def test_dynamics_of_a_bilinear_game_do_as_the_theory_says():
    start = np.sqrt(2)
    assert np.isclose(distance(trained("simultaneous(lr=0.1)", steps=300)), start * (1 + 0.1**2) ** 150)
    assert 0.5 < distance(trained("alternating(lr=0.1)")) / start < 2
    extra = abs(complex(1 - 0.1**2, 0.1)) ** 300
    assert np.isclose(distance(trained("extragradient(lr=0.1)")), start * extra)
    assert distance(trained("optimistic(lr=0.1)")) < 0.5 * start


GAN = """
dim n
data X: real[n]
param a: real = 0, b: positive = 1, u: real = 0.1, v: real = 0
def D(x) = sigmoid(u*x + v)
def G(z) = a + b*z
dist emp(x) = Empirical(X)
dist noise(z) = Normal(0, 1)
let V = E[x ~ emp](log(D(x))) + E[z ~ noise](log(1 - D(G(z))))
let W = E[z ~ noise](log(D(G(z))))
game gan = {[u, v]: max V, [a, b]: max W}
train gan with METHOD, steps=400, batch=32, seed=1
"""


@pytest.mark.parametrize("method", ["adam(lr=0.02)", "simultaneous(lr=0.05)", "extragradient(lr=0.05)"])
def test_a_game_of_samples_is_deterministic_and_goes_on_to_the_same_bits(method):
    m = symgen.loads(GAN.replace("METHOD", method)).compile()
    data = {"X": np.random.default_rng(0).normal(2.0, 1.0, size=200)}
    states = []
    whole = m.train(data, steps=20)
    m.train(data, steps=8, checkpoint=states.append, every=4)
    assert [s["step"] for s in states] == [4, 8]
    for state in states:
        again = m.train(data, steps=20, state=state)
        assert all(np.array_equal(whole[k], again[k]) for k in whole)
    assert whole["b"] > 0


def test_the_generator_moves_towards_the_data():
    m = symgen.loads(GAN.replace("METHOD", "adam(lr=0.02)")).compile()
    data = {"X": np.random.default_rng(0).normal(2.0, 1.0, size=200)}
    p = m.train(data)
    assert abs(p["a"] - data["X"].mean()) < 1.0


def test_gradients_of_a_game_are_each_players_own():
    m = symgen.loads(GAN.replace("METHOD", "adam()")).compile()
    data = {"X": np.random.default_rng(0).normal(2.0, 1.0, size=50)}
    params = {"a": 0.3, "b": 1.2, "u": 0.4, "v": -0.2}
    payoffs, gradients = m.gan_values_and_grads(params, data, seed=4, samples=64)
    first, second = list(payoffs)
    for names, payoff in ((("u", "v"), first), (("a", "b"), second)):
        for name in names:
            up, down = ({**params, name: params[name] + s} for s in (1e-6, -1e-6))
            slope = m.gan_values_and_grads(up, data, seed=4, samples=64)[0][payoff]
            slope -= m.gan_values_and_grads(down, data, seed=4, samples=64)[0][payoff]
            assert gradients[name] == pytest.approx(slope / 2e-6, rel=1e-5)


SHARED = """
dim n, m, k
data x: real[n], c: real[m, k]
param w: real = 1, v: real[k]
let r = log(w*x)
let V = mean(r^2) + sum(v^2)
game zero_sum = {w: max V, v: min V}
game team = {w: max V, v: max V}
derive q = c @ v
train zero_sum with simultaneous(lr=0.01), steps=2
train team with alternating(lr=0.01), steps=2
"""


def test_payoffs_have_the_names_of_the_author():
    assert list(symgen.loads(GAN.replace("METHOD", "adam()")).compile().gan_values_and_grads(
        {"a": 0.3, "b": 1.2, "u": 0.4, "v": -0.2}, {"X": np.ones(3)})[0]) == ["V", "W"]  # fmt: skip
    m = symgen.loads(SHARED).compile()
    seen = []
    for train in m.TRAINS.values():
        train({"x": np.ones(3)}, k=2, callback=lambda step, payoffs, params: seen.append(list(payoffs)))
    assert seen[0] == ["max V", "min V"] and seen[-1] == ["max V by w", "max V by v"]


def test_training_asks_only_for_the_data_that_its_game_reads():
    m = symgen.loads(SHARED).compile()
    assert m.train({"x": np.ones(3)}, k=2)["v"].shape == (2,)
    assert m.train({"x": np.ones(3), "c": np.ones((4, 2))})["v"].shape == (2,)  # c shows k
    with pytest.raises(ValueError, match="`x` is missing"):
        m.train({"c": np.ones((4, 2))})


def test_a_game_that_stops_names_the_first_term_that_is_not_finite():
    m = symgen.loads(SHARED).compile()
    with pytest.raises(FloatingPointError, match=r"step 1: zero_sum is \[nan, nan\].*`r`"), np.errstate(all="ignore"):
        m.train({"x": -np.ones(3)}, k=2)
