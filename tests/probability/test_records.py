"""Records: their texts are in the language and mean what the record says; no invented name is one of the author's; a part of
a record stands in expressions and claims."""

import math

import numpy as np
import pytest

import symgen

rng = np.random.default_rng(3)
X, y, m0 = rng.normal(size=(5, 2)), rng.normal(size=5), rng.normal(size=2)
SPD = np.array([[1.4, 0.3], [0.3, 0.9]])

# names that a derivation would like to give are the author's own: a hidden variable, a constant, a parameter
CLASHES = {
    "a hidden mean": ("param m0: real[d], K: spd[d, d], s: positive\ndist p(m: real[d]) = MvNormal(m0, K)\n"
                      "dist p(w: real[d] | m) = MvNormal(m, s^2*eye(d))\ndist p(y: real[n] | w) = Normal(X @ w, s)\n"),
    "constants": ("param m0: real[d], K: spd[d, d], s: positive, m: real, Lambda: real, S: real, V: real, mu: real\n"
                  "dist p(w: real[d]) = MvNormal(m0, K)\ndist p(y: real[n] | w) = Normal(X @ w, s)\n"),
    "the target": ("param m0: real[d], K: spd[d, d], s: positive\ndist p(m: real[d]) = MvNormal(m0, K)\n"
                   "dist p(y: real[n] | m) = Normal(X @ m, s)\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", CLASHES)
def test_no_name_that_is_invented_is_one_of_the_authors(case):
    model = symgen.loads(f"dim n, d\ndata X: real[n, d]\n{CLASHES[case]}")
    d = model.derive(f"posterior(p, {'m' if case == 'the target' else 'w'}, given=y)")
    invented = {s.where for s in d.steps if s.rule == "name"}
    assert invented and invented.isdisjoint(model.elaborated.declared)
    for line in d.text().partition("Parameters:")[2].partition("Density")[0].splitlines():
        if " = " in line:
            assert line.split(" = ")[0].strip().replace("μ", "mu").replace("Σ", "Sigma") not in model.elaborated.declared


PAIRS = {
    "Gamma": ("param a: positive, b: positive\ndata x: natural[n]\ndist p(z: positive) = Gamma(a, b)\n"
              "dist p(x | z) = Poisson(z)\n", {"a": 2.3, "b": 1.4, "x": np.array([3, 0, 2])}, 1.3),
    "Beta": ("param a: positive, b: positive\ndata x: binary[n]\ndist p(z: unit) = Beta(a, b)\n"
             "dist p(x | z) = Bernoulli(z)\n", {"a": 2.3, "b": 1.4, "x": np.array([1, 0, 1])}, 0.3),
    "Normal": ("param a: positive, b: positive\ndata x: real[n]\ndist p(z) = Normal(b, a)\n"
               "dist p(x | z) = Normal(z, b)\n", {"a": 2.3, "b": 1.4, "x": np.array([0.3, -1.2, 0.8])}, 0.3),
}  # fmt: skip


@pytest.mark.parametrize("family", PAIRS)
def test_the_text_of_a_posterior_is_its_law(family):
    spec, at, z = PAIRS[family]
    model = symgen.loads(f"dim n\n{spec}")
    d = model.derive("posterior(p, z, given=x)")
    assert d.text_result.startswith(f"{family}(")
    again = symgen.loads(f"dim n\n{spec}dist q(z{': unit' if family == 'Beta' else ''}) = {d.text_result}\n")
    assert math.isclose(again.derive("log q(z)").evaluate(z=z, **at), math.log(d.result.evaluate("density", z=z, **at)))
    assert f"p(z | x) = {d.text_result}" in " ".join(d.text().split())


def test_laws_by_other_parameters_are_written_with_their_keywords():
    model = symgen.loads("dim d\nparam mu: real[d], P: spd[d, d], v: positive\ndist q(z: real[d]) = MvNormal(mu, precision=P)\n"
                         "dist r(u) = Normal(0, var=v)\n")  # fmt: skip
    for goal, text in (("E[z ~ q](log(1 + z @ z))", "MvNormal(mu, precision=P)"), ("E[u ~ r](sin(u^3))", "Normal(0, var=v)")):
        d = model.derive(goal)
        assert text in d.text_result
        assert model.derive(d.text_result).text_result == d.text_result


GAME = """
density p_data(x), p_g(x)
function D(x): unit
let V = E[x ~ p_data](log(D(x))) + E[x ~ p_g](log(1 - D(x)))
game gan = {D: max V, p_g: min V}
param theta: real, psi: real
const c: positive
let U = theta*psi - c*psi^2/2 + c*theta
game g = {psi: max U, theta: min U}
dim n
param a: positive, b: positive
data x: natural[n]
dist p(z: positive) = Gamma(a, b)
dist p(x | z) = Poisson(z)
derive post = posterior(p, z, given=x)
let next = posterior(p, z, given=x).a + 1
"""
CLAIMS = {
    "equilibrium(gan).value = -log(4)": True,
    "equilibrium(gan).value = -log(2)": False,
    "equilibrium(g).psi = -c": True,
    "equilibrium(g).strategies.theta = -c^2": True,
    "equilibrium(g).theta = c^2": False,
    "best_response(gan, D).strategy = p_data(x)/(p_data(x) + p_g(x))": True,
    "best_response(gan, D).strategy = p_data(x)/(p_data(x) + 2*p_g(x))": False,
    "stability(g).jacobian = [[-c, 1], [-1, 0]]": True,
    "posterior(p, z, given=x).a = a + sum(x)": True,
    "posterior(p, z, given=x).parameters.r = b - n": False,
    "(post).r = b + n": True,
    "next - 1 = a + sum(x)": True,
}


@pytest.fixture(scope="module")
def game():
    return symgen.loads(GAME)


@pytest.mark.parametrize("claim", CLAIMS)
def test_parts_of_records_stand_in_claims(game, claim):
    status = game.check(claim).status
    assert (status in ("proved", "checked")) if CLAIMS[claim] else status == "refuted"


@pytest.mark.parametrize("claim, message", [
    ("equilibrium(g).valeu = 0", "there is no field `valeu`"),
    ("equilibrium(g).kind = 0", "is a text"),
    ("equilibrium(g).unique = 0", "is a truth value"),
    ("equilibrium(g).strategies = 0", "has parts"),
    ("sum(x).shape = 3", "is no record"),
])  # fmt: skip
def test_what_is_no_part_of_a_record_is_told(game, claim, message):
    verdict = game.check(claim)
    assert verdict.status == "malformed" and message in verdict.text()


def test_a_part_of_a_record_is_a_value_with_evidence_and_numbers(game):
    d = game.derive("equilibrium(g).theta")
    assert d.evidence.kind in ("proved", "checked") and math.isclose(d.evaluate(c=1.3), -1.69)
    assert math.isclose(game.derive("next").evaluate(a=2.0, b=1.0, x=np.array([1, 4])), 8.0)


def test_a_result_is_never_a_number_that_is_none():
    model = symgen.loads(
        "param nu: positive\ndist t(x) = StudentT(nu, 0, 1)\ndist c(x) = Cauchy(0, 1)\ndist s(x) = StudentT(1, 0, 1)\n"
    )
    d = model.derive("E[x ~ t](x)")
    assert d.text_result == "where(1 < nu, 0, undefined)"
    assert model.derive(d.text_result).text_result == d.text_result
    assert math.isnan(d.evaluate(nu=0.7)) and d.evaluate(nu=1.7) == 0
    assert any("does not exist" in n for n in model.derive("E[x ~ c](x)").notes)
    for goal in ("inf - inf", "E[x ~ s](x)"):
        with pytest.raises(symgen.CannotDerive, match="has no value"):
            model.derive(goal)
