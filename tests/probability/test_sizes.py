"""What is right only where a size is 1 is found out; draws that choose a row of a table; gradients where a law stays."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

import symgen
from symgen.probability.means.quadrature import check_mean
from symgen.tensor.expression import dim, entry, fresh_index, mul, num, operator, power, tensor, total, var
from symgen.text.diagnostics import InternalError

rng = np.random.default_rng(5)


def test_the_referee_of_means_sees_a_missing_size():
    """E sum z^2 = n sigma^2, and not sigma^2."""
    n, i = dim("n"), fresh_index(dim("n"))
    z, s = var("z", (n,), "real", "random", (), 1), var("s", (), "positive")
    spread = tensor([i], entry(s))
    law = operator("Normal", [tensor([fresh_index(n)], num(0)), spread], (n,), ("law",))
    k = fresh_index(n)
    square = total(power(entry(z, k), num(2)), [k])
    right = check_mean(square, [(z, law)], mul(n, power(entry(s), num(2))), None)
    assert right.kind == "checked" and right.points == 3
    with pytest.raises(InternalError):
        check_mean(square, [(z, law)], power(entry(s), num(2)), None)


SHARED = """
dim n, m, k
param al: real, t: positive, r: positive, v: positive[n], mu: simplex[m], Th: real[m, k], R: real[m, k], a: positive
dist p(mean) = Normal(al, t)
dist p(th: real[n] | mean) = Normal(mean, r)
dist p(y: real[n] | th) = Normal(th, sqrt(v))
dist q(s: label(m)) = Categorical(mu)
dist q(c: label(k) | s) = Categorical(softmax(Th[s]))
dist g(z) = Gamma(a, 1)
dist h(w) = Normal(al, t)
function f(x): real
let P = softmax(Th)
let J = E[s ~ q, c ~ q](R[s, c])
"""
AT = {"al": 0.6, "t": 1.3, "r": 0.8, "v": rng.random(3) + 0.4, "mu": np.array([0.3, 0.7]), "Th": rng.normal(size=(2, 3)),
      "R": rng.normal(size=(2, 3)), "a": 2.3}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SHARED)


def logdet(a):
    return np.linalg.slogdet(a)[1]


ALIKE = 1.3**2 * np.ones((3, 3))  # of three components with one mean
INFORMATION = {
    "mutual_information(p, mean, th)": (logdet(ALIKE + 0.64 * np.eye(3)) - 3 * math.log(0.64)) / 2,
    "mutual_information(p, mean, y)": (logdet(ALIKE + np.diag(0.64 + AT["v"])) - np.log(0.64 + AT["v"]).sum()) / 2,
    "entropy(p(th))": stats.multivariate_normal(np.zeros(3), ALIKE + 0.64 * np.eye(3)).entropy(),
}


@pytest.mark.parametrize("goal", INFORMATION)
def test_copies_that_share_a_mean_count_each(model, goal):
    d = model.derive(goal)
    assert d.evidence.kind == "checked"
    assert math.isclose(d.evaluate(**AT), INFORMATION[goal], rel_tol=1e-10)


def test_an_inverse_meets_the_covariance_that_it_inverts(model):
    assert model.derive("entropy(p(th))").text_result == "(logdet(t^2 + r^2*eye(n)) + n*log(2*pi) + n)/2"


def test_a_draw_that_chooses_a_row(model):
    """The policy gradient theorem for one step; Sutton & Barto (2018), 13.2."""
    P = special.softmax(AT["Th"], axis=1)
    value = (P * AT["R"]).sum(1)
    assert math.isclose(model.derive("J").evaluate(**AT), AT["mu"] @ value)
    want = AT["mu"][:, None] * P * (AT["R"] - value[:, None])
    assert np.allclose(model.derive("grad(J, Th)").evaluate(**AT), want)


@pytest.mark.parametrize("claim, status", [
    ("J = mu @ sum(P*R, axis=1)", "proved"),
    ("J = mu @ sum(R, axis=1)", "refuted"),
    ("E[w ~ h](sum(softmax(w*Th, axis=1)*R)/(1 + w^2)) = E[w ~ h](sum(R)/(1 + w^2))", "refuted"),  # true for k = 1
])  # fmt: skip
def test_claims_of_means_see_every_size(model, claim, status):
    assert model.check(claim).status == status


KEPT = {  # (goal, the derivative by differences of a mean by quadrature)
    "grad(E[z ~ g](sin(t*z)/(1 + z^2)), t)": ("t", lambda x, a, t, al: stats.gamma.pdf(x, a) * np.sin(t * x) / (1 + x * x)),
    "grad(E[z ~ g](sin(t*z)/(1 + z^2)), a)": ("a", lambda x, a, t, al: stats.gamma.pdf(x, a) * np.sin(t * x) / (1 + x * x)),
}


@pytest.mark.parametrize("goal", KEPT)
def test_draws_move_only_where_the_law_does(model, goal):
    by, f = KEPT[goal]
    d = model.derive(goal)
    assert d.evidence.kind == "checked"
    assert ("gamma_shift" in d.text_result) == (by == "a")
    at = {"a": 2.3, "t": 1.3, "al": 0.6}
    ends = [integrate.quad(f, 0, 60, args=tuple((at | {by: at[by] + h}).values()), epsabs=1e-12)[0] for h in (1e-4, -1e-4)]
    assert math.isclose(d.evaluate(**AT), (ends[0] - ends[1]) / 2e-4, rel_tol=1e-5)


def test_no_gradient_passes_through_an_unknown_function(model):
    d = model.derive("grad(E[w ~ h](f(w)), al)")
    assert d.text_result == "E[w ~ Normal(al, t)]((w - al)*f(w))/t^2"
    assert d.evidence.kind == "checked"
    assert any("not known: the score function" in step.reason for step in d.steps)
