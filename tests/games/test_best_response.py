"""Best responses of functions, against direct optimisation of the integrand at random densities."""

import functools
import math
import re

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import symgen

SPEC = """
density p(x), q(x)
function D(x): {range}
const m: positive = 0.7
let V = E[x ~ p]({on_p}) + E[x ~ q]({on_q})
game g = {{D: {sense} V, q: {other} V}}
"""

log, exp = np.log, np.exp


def softplus(t):
    return np.logaddexp(0.0, t)


# name: (range, sense, on p, on q, f(t), g(t) in NumPy, the value as a claim in the language or None)
LOSSES = {
    "minimax": ("unit", "max", "log(D(x))", "log(1 - D(x))", log, lambda t: log(1 - t), "2*JS(p, q) - log(4)"),
    "logits": ("real", "max", "log(sigmoid(D(x)))", "log(1 - sigmoid(D(x)))", lambda t: -softplus(-t),
               lambda t: -softplus(t), "2*JS(p, q) - 2*log(2)"),
    "softplus": ("real", "min", "softplus(-D(x))", "softplus(D(x))", lambda t: softplus(-t), softplus,
                 "log(4) - 2*JS(p, q)"),
    "least squares": ("real", "min", "(D(x) - 1)^2/2", "D(x)^2/2", lambda t: (t - 1)**2/2, lambda t: t**2/2, None),
    "least squares -1 1": ("real", "min", "(D(x) - 1)^2", "(D(x) + 1)^2", lambda t: (t - 1)**2, lambda t: (t + 1)**2,
                           None),
    "KL": ("real", "max", "D(x)", "-exp(D(x) - 1)", lambda t: t, lambda t: -exp(t - 1), "KL(p || q)"),
    "reverse KL": ("real", "max", "-exp(D(x))", "1 + D(x)", lambda t: -exp(t), lambda t: 1 + t, "KL(q || p)"),
    "Pearson": ("real", "max", "D(x)", "-(D(x)^2/4 + D(x))", lambda t: t, lambda t: -(t**2/4 + t), "chi2(p || q)"),
    "Hellinger": ("real", "max", "1 - exp(-D(x))", "1 - exp(D(x))", lambda t: 1 - exp(-t), lambda t: 1 - exp(t),
                  "2*hellinger(p, q)"),
    "density ratio": ("positive", "max", "log(D(x))", "1 - D(x)", log, lambda t: 1 - t, "KL(p || q)"),
    "weighted": ("unit", "max", "log(D(x))", "m*log(1 - D(x))", log, lambda t: 0.7*log(1 - t), None),
    "penalised": ("real", "max", "D(x)", "-D(x) - m*D(x)^2", lambda t: t, lambda t: -t - 0.7*t**2, "chi2(p || q)/(4*m)"),
    "hinge": ("real", "max", "min(0, D(x) - 1)", "min(0, -1 - D(x))", lambda t: np.minimum(0, t - 1),
              lambda t: np.minimum(0, -1 - t), "2*tv(p, q) - 2"),
    "hinge by relu": ("real", "min", "relu(1 - D(x))", "relu(1 + D(x))", lambda t: np.maximum(0, 1 - t),
                      lambda t: np.maximum(0, 1 + t), "2 - 2*tv(p, q)"),
    "squared hinge": ("real", "min", "relu(1 - D(x))^2", "relu(1 + D(x))^2", lambda t: np.maximum(0, 1 - t)**2,
                      lambda t: np.maximum(0, 1 + t)**2, None),
    "energy": ("nonnegative", "min", "D(x)", "relu(m - D(x))", lambda t: t, lambda t: np.maximum(0, 0.7 - t), None),
}  # fmt: skip
BOUNDS = {"unit": (1e-9, 1 - 1e-9), "real": (-30.0, 30.0), "positive": (1e-9, 60.0), "nonnegative": (0.0, 60.0)}


@functools.cache
def model(name):
    range_word, sense, on_p, on_q, *_ = LOSSES[name]
    other = "min" if sense == "max" else "max"
    return symgen.loads(SPEC.format(range=range_word, sense=sense, other=other, on_p=on_p, on_q=on_q))


@functools.cache
def response(name):
    return model(name).derive("best_response(g, D)").result


every_loss = pytest.mark.parametrize("name", LOSSES)


@every_loss
def test_no_other_value_of_the_function_does_better_at_any_densities(name):
    range_word, sense, _, _, f, g, _ = LOSSES[name]
    r = response(name)
    rng = np.random.default_rng(len(name))
    sign = 1 if sense == "max" else -1
    for p, q in rng.uniform(0.05, 3.0, size=(6, 2)):
        at = {"p": p, "q": q, "m": 0.7}
        t = float(r.evaluate("strategy", **at))
        low, high = BOUNDS[range_word]
        assert low - 1e-9 <= t <= high + 1e-9
        best = minimize_scalar(lambda x, p=p, q=q: -sign * (p * f(x) + q * g(x)), bounds=(low, high), method="bounded",
                               options={"xatol": 1e-11})  # fmt: skip
        mine = p * f(t) + q * g(t)
        assert sign * mine >= -best.fun - 1e-7
        if abs(p - q) > 1e-3 and name not in ("hinge", "hinge by relu", "energy"):
            assert t == pytest.approx(best.x, abs=1e-4)


@every_loss
def test_the_second_derivative_has_the_sign_of_an_optimum(name):
    _, sense, *_ = LOSSES[name]
    r = response(name)
    second = float(r.evaluate("second_order", p=0.3, q=1.1, m=0.7))
    assert second <= 0 if sense == "max" else second >= 0


@every_loss
def test_the_value_is_the_payoff_at_the_best_response(name):
    claim = LOSSES[name][-1]
    if claim is None:
        pytest.skip("no divergence of the language")
    m = model(name)
    assert m.check(f"value(g, D) = {claim}").status in ("proved", "checked")
    assert m.check(f"value(g, D) = {claim} + 1/10").status == "refuted"


@pytest.mark.parametrize("name", ["least squares", "weighted", "squared hinge"])
def test_a_value_without_a_name_is_an_f_divergence_by_its_own_generator(name):
    """On a finite space: the sum of the integrand at the best response is what the generator says."""
    _, sense, _, _, f, g, _ = LOSSES[name]
    m = model(name)
    text = m.derive("value(g, D)").text_result
    assert "fdiv" in text
    strategy = response(name)
    rng = np.random.default_rng(5)
    p, q = rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))
    D = np.array([float(strategy.evaluate("strategy", p=a, q=b, m=0.7)) for a, b in zip(p, q)])
    direct = np.sum(p * f(D) + q * g(D))
    equal = np.sum(p * f(D0 := np.full(6, float(strategy.evaluate("strategy", p=1.0, q=1.0, m=0.7)))) + q * g(D0))
    assert direct >= equal - 1e-12 if sense == "max" else direct <= equal + 1e-12


@pytest.mark.parametrize("spec, words", [
    ("function f(x): real\nlet V = E[x ~ p](f(x)) - E[x ~ q](f(x))\ngame g = {f: max V, q: min V}\n", "unbounded"),
    ("function f(x): unit\nlet V = E[x ~ p](log(f(x))) + E[x ~ q](log(1 - f(x)))\ngame g = {f: min V, q: max V}\n",
     "concave"),
    ("function f(x): real\nlet V = E[x ~ p](tanh(f(x))) - E[x ~ q](tanh(f(x)))\ngame g = {f: max V, q: min V}\n",
     "monotone"),
    ("function f(x): real\nlet V = E[x ~ p, y ~ q](log(sigmoid(f(x) - f(y))))\ngame g = {f: max V, q: min V}\n",
     "point by point"),
])  # fmt: skip
def test_what_has_no_pointwise_best_response_says_why(spec, words):
    with pytest.raises(symgen.CannotDerive, match=words):
        symgen.loads("density p(x), q(x)\n" + spec).derive("best_response(g, f)")


def test_a_bounded_critic_is_a_total_variation():
    m = symgen.loads("density p(x), q(x)\nfunction f(x): unit\nlet V = E[x ~ p](f(x)) - E[x ~ q](f(x))\n"
                     "game g = {f: max V, q: min V}\n")  # fmt: skip
    assert m.check("value(g, f) = tv(p, q)").status in ("proved", "checked")
    r = m.derive("best_response(g, f)").result
    assert float(r.evaluate("strategy", p=2.0, q=1.0)) == 1.0
    assert any("not reached" in str(c) for c in r.conditions)


def test_a_known_density_stands_in_the_best_response_by_its_formula():
    m = symgen.loads("density p(x)\ndist q(z) = Normal(1, 2)\nfunction D(x): unit\n"
                     "let V = E[x ~ p](log(D(x))) + E[z ~ q](log(1 - D(z)))\nparam w: real\nlet U = V + w\n"
                     "game g = {D: max V, w: min U}\n")  # fmt: skip
    r = m.derive("best_response(g, D)").result
    normal = math.exp(-((0.4 - 1) ** 2) / 8) / math.sqrt(8 * math.pi)
    assert float(r.evaluate("strategy", p=0.3, x=0.4)) == pytest.approx(0.3 / (0.3 + normal), rel=1e-12)


def test_a_generator_has_the_density_of_what_it_makes():
    m = symgen.loads("density p(x)\nfunction D(x): unit\nfunction G(z): real\ndist pz(z) = Normal(0, 1)\n"
                     "let V = E[x ~ p](log(D(x))) + E[z ~ pz](log(1 - D(G(z))))\nparam w: real\nlet U = V + w\n"
                     "game g = {D: max V, w: min U}\n")  # fmt: skip
    r = m.derive("best_response(g, D)").result
    assert float(r.evaluate("strategy", p=0.3, p_G=0.1)) == pytest.approx(0.75)


def test_the_best_response_reads_like_the_paper():
    text = model("minimax").derive("best_response(g, D)").text()
    assert re.search(r"p/\(p \+ q\)", text)


def test_label_smoothing_scales_the_best_response():
    m = symgen.loads(
        "density p(x), q(x)\nfunction D(x): unit\nconst s: unit = 0.9\n"
        "let V = E[x ~ p](s*log(D(x)) + (1 - s)*log(1 - D(x))) + E[x ~ q](log(1 - D(x)))\ngame g = {D: max V, q: min V}\n"
    )
    r = m.derive("best_response(g, D)").result
    assert float(r.evaluate("strategy", p=0.4, q=0.6, s=0.9)) == pytest.approx(0.36)


def test_a_density_of_two_variables_is_counted_once():
    m = symgen.loads(
        "density p(x, y), q(x, y)\nfunction D(x, y): unit\n"
        "let V = E[x, y ~ p](log(D(x, y))) + E[x, y ~ q](log(1 - D(x, y)))\ngame g = {D: max V, q: min V}\n"
    )
    r = m.derive("best_response(g, D)").result
    assert float(r.evaluate("strategy", p=0.3, q=0.1)) == pytest.approx(0.75)
    assert m.check("value(g, D) = 2*JS(p, q) - log(4)").status in ("proved", "checked")


def test_two_draws_from_one_density_are_a_product():
    m = symgen.loads(
        "density p(x), q(x)\nfunction D(x, y): unit\n"
        "let V = E[x ~ p, y ~ p](log(D(x, y))) + E[x ~ q, y ~ q](log(1 - D(x, y)))\ngame g = {D: max V, q: min V}\n"
    )
    r = m.derive("best_response(g, D)").result
    at = {"p": 0.3, "p_y": 0.5, "q": 0.2, "q_y": 0.6}  # the densities at x and at y
    assert float(r.evaluate("strategy", **at)) == pytest.approx(0.15 / (0.15 + 0.12))


def test_rows_of_data_weigh_as_their_density():
    m = symgen.loads(
        "dim n, d\ndata X: real[n, d]\ndensity q(x: real[d])\nfunction D(x: real[d]): unit\n"
        "let V = mean[i: n](log(D(X[i]))) + E[x ~ q](log(1 - D(x)))\ngame g = {D: max V, q: min V}\n"
    )
    r = m.derive("best_response(g, D)").result
    assert float(r.evaluate("strategy", p_X=0.3, q=0.1)) == pytest.approx(0.75)
