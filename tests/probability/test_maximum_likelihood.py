"""Maximum likelihood: the values against scipy's own search over the log-likelihood, and refusals where nothing is one."""

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

import symgen

RNG = np.random.default_rng(4)
TOGETHER = {
    "lo: real, hi: real": ("Uniform(lo, hi)", "real", "[lo, hi]", lambda x: [x.min(), x.max()]),
    "t: positive, u: positive": ("Pareto(t, u)", "positive", "[u, t]",
                                 lambda x: [len(x) / np.log(x / x.min()).sum(), x.min()]),
    "m: positive, s: positive": ("InverseGaussian(m, s)", "positive", "[s, m]",
                                 lambda x: [1 / np.mean(1 / x - 1 / x.mean()), x.mean()]),
}  # fmt: skip


@pytest.mark.parametrize("declared", TOGETHER)
def test_several_parameters_with_ends_of_supports(declared):
    law, domain, asked, want = TOGETHER[declared]
    order = "assume lo < hi\n" if "lo" in declared else ""
    model = symgen.loads(f"dim n\nparam {declared}\n{order}dist p(x: {domain}[n]) = {law}\n")
    d = model.derive(f"mle(p, {asked})")
    assert d.evidence.kind in ("proved", "checked")
    x = RNG.gamma(2, 1.5, size=9)
    assert np.allclose(d.evaluate(x=x), want(x), rtol=1e-12)


@pytest.mark.slow
def test_the_direction_of_a_von_mises_fisher_is_that_of_the_mean_and_its_concentration_a_root():
    X = stats.vonmises_fisher(np.array([0.6, 0, 0.8]), 4.0).rvs(40, random_state=1)
    model = symgen.loads("dim n, k\ndata X: real[n, k]\nparam a: real[k], c: positive\ndist p(X) = VonMisesFisher(a, c)\n")
    want = stats.vonmises_fisher.fit(X)
    found = model.derive("mle(p, [a, c])")
    assert found.evaluate(X=X) == pytest.approx([*want[0], want[1]], rel=1e-7)
    assert model.derive("mle(p, a)").evaluate(X=X) == pytest.approx(want[0], rel=1e-12)
    assert found.evidence.kind == "checked"


@pytest.mark.parametrize("centre", [2.9, *(pytest.param(c, marks=pytest.mark.slow) for c in (0.4, -1.8))])
def test_the_angle_of_a_von_mises_is_that_of_the_mean_direction(centre):
    x = stats.vonmises(2.0, loc=centre).rvs(60, random_state=3)
    model = symgen.loads("dim n\ndata x: real[n]\nparam a: real, c: positive\ndist p(x) = VonMises(a, c)\n")
    want = [math.atan2(np.sin(x).sum(), np.cos(x).sum())]
    ratio = math.hypot(np.sin(x).mean(), np.cos(x).mean())
    want.append(optimize.brentq(lambda c: special.i1e(c) / special.i0e(c) - ratio, 1e-3, 100, xtol=1e-13))
    assert model.derive("mle(p, [a, c])").evaluate(x=x) == pytest.approx(want, rel=1e-7)


CONDITIONAL = """dim n
param a: positive, b: positive
data y: natural[n], t: positive[n]
dist q(lam) = Gamma(a, b)
dist q(y[i] | lam) = Poisson(lam)
dist q(t[i] | lam) = Exponential(lam)
"""


def test_the_likelihood_of_a_part_of_a_joint_has_no_prior_in_it():
    """mle(q(y | lam), lam) is of the data given lam; with the whole joint the prior of lam counts, and the page says so."""
    model = symgen.loads(CONDITIONAL)
    y, t = np.array([3, 1, 4, 1.0, 5]), np.array([0.3, 0.2, 0.7, 1.1, 0.4])
    assert model.derive("mle(q(y | lam), lam)").evaluate(y=y) == pytest.approx(y.mean(), rel=1e-12)
    assert model.derive("mle(q(t | lam), lam)").evaluate(t=t) == pytest.approx(1 / t.mean(), rel=1e-12)
    whole = model.derive("mle(q, lam)")

    def loss(v):
        prior = stats.gamma(2.5, scale=1 / 1.5).logpdf(v)
        return -prior - stats.poisson(v).logpmf(y).sum() - stats.expon(0, 1 / v).logpdf(t).sum()

    top = optimize.minimize_scalar(loss, bounds=(1e-3, 20), method="bounded", options={"xatol": 1e-10})
    assert whole.evaluate(a=2.5, b=1.5, y=y, t=t) == pytest.approx(top.x, rel=1e-6)
    said = [" ".join(d.text().split()) for d in (whole, model.derive("mle(q(y | lam), lam)"))]  # lines end where the terminal does
    assert "mode a posteriori" in said[0] and "mode a posteriori" not in said[1]


def test_the_information_of_a_part_of_a_joint_is_of_that_part():
    model = symgen.loads(CONDITIONAL.replace("dim n", "dim n = 5"))
    assert model.derive("fisher(q(y | lam), lam)").evaluate(lam=0.7) == pytest.approx(5 / 0.7, rel=1e-12)
    assert model.derive("fisher(q(t | lam), lam)").evaluate(lam=0.7) == pytest.approx(5 / 0.7**2, rel=1e-12)


@pytest.mark.parametrize(("law", "domain", "data"), [
    ("Beta(a, b)", "unit", lambda x: x), ("BetaPrime(a, b)", "positive", lambda x: x / (1 - x)),
])  # fmt: skip
def test_parameters_that_hang_together_by_their_sum(law, domain, data):
    x = np.random.default_rng(8).beta(2.3, 0.7, size=40)
    model = symgen.loads(f"dim n\ndata x: {domain}[n]\nparam a: positive, b: positive\ndist p(x) = {law}\n")
    d = model.derive("mle(p, [b, a])")
    assert d.evidence.kind == "checked"
    assert d.evaluate(x=data(x)) == pytest.approx(stats.beta.fit(x, floc=0, fscale=1)[1::-1], rel=1e-5)
    score = model.derive("grad(log p(x), a)").evaluate(x=data(x), **dict(zip("ba", d.evaluate(x=data(x)), strict=True)))
    assert abs(score) < 1e-8


def test_a_dirichlet_of_any_size_has_its_parameters_by_one_equation():
    x = np.random.default_rng(9).dirichlet([0.5, 2.0, 3.3, 1.0], size=30)
    model = symgen.loads("dim n, k\ndata x: simplex[n, k]\nparam al: positive[k]\ndist p(x) = Dirichlet(al)\n")
    d = model.derive("mle(p, al)")
    assert d.evidence.kind == "checked" and d.text_result.count("root[") == 1
    best = d.evaluate(x=x)
    assert special.digamma(best.sum()) - special.digamma(best) + np.log(x).mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-11)
