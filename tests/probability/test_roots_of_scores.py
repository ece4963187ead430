"""Likelihood equations without a closed solution stay as roots; their numbers against scipy's fits and searches."""

import numpy as np
import pytest
from scipy import optimize, special, stats

import symgen

RNG = np.random.default_rng(11)
X, Y, U = RNG.gamma(2.5, 1.3, 30), RNG.logistic(0.4, 1.2, 25), RNG.beta(2, 3, 20)


def searched(log_density, x):
    """The maximum of a sum of log-densities over a positive parameter."""
    found = optimize.minimize_scalar(lambda u: -np.sum(log_density(x, np.exp(u))), bounds=(-6, 6), method="bounded",
                                     options={"xatol": 1e-11})  # fmt: skip
    return np.exp(found.x)


def fitted(law, x, *places):
    found = law.fit(x, floc=0)
    return [found[k] for k in places]


# parameters: (law, domain of the data, asked, data, the other parameters, wanted)
CASES = {
    "Gamma shape": ("a: positive, r: positive", "Gamma(a, r)", "positive", "a", X, {"r": 0.8},
                    searched(lambda x, a: stats.gamma.logpdf(x, a, scale=1 / 0.8), X)),
    "Gamma": ("a: positive, r: positive", "Gamma(a, r)", "positive", "[a, r]", X, {},
              np.array([1, 1]) * fitted(stats.gamma, X, 0, 2) ** np.array([1, -1])),
    "Weibull": ("a: positive, r: positive", "Weibull(a, r)", "positive", "[a, r]", X, {}, fitted(stats.weibull_min, X, 0, 2)),
    "Gumbel": ("a: real, r: positive", "Gumbel(a, r)", "real", "[a, r]", Y, {}, stats.gumbel_r.fit(Y)),
    "Logistic location": ("a: real, r: positive", "Logistic(a, r)", "real", "a", Y, {"r": 1.1},
                          optimize.brentq(lambda m: np.sum(2 * special.expit((Y - m) / 1.1) - 1), -9, 9, xtol=1e-13)),
    "Beta shape": ("a: positive, r: positive", "Beta(a, r)", "unit", "a", U, {"r": 2.7},
                   searched(lambda x, a: stats.beta.logpdf(x, a, 2.7), U)),
    "concentration": ("a: real, r: positive", "VonMises(a, r)", "real", "r", Y / 3, {"a": 0.2},
                      searched(lambda x, k: stats.vonmises.logpdf(x, k, 0.2), Y / 3)),
    "median": ("a: real, r: positive", "Laplace(a, r)", "real", "a", Y, {"r": 1.0}, np.median(Y)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_root_is_the_maximum(case):
    declared, law, domain, asked, x, others, want = CASES[case]
    model = symgen.loads(f"dim n\nparam {declared}\ndist p(x: {domain}[n]) = {law}\n")
    d = model.derive(f"mle(p, {asked})")
    assert "root[" in d.text_result
    assert d.evidence.kind == "checked"
    assert any("the score falls" in note for note in d.notes)
    assert np.allclose(d.evaluate(x=x, **others), want, rtol=2e-5 if case == "Weibull" else 1e-7)


def test_a_score_with_several_zeros_is_refused():
    model = symgen.loads("dim n\nparam a: real, r: positive\ndist p(x: real[n]) = Cauchy(a, r)\n")
    with pytest.raises(symgen.CannotDerive):
        model.derive("mle(p, a)")


def test_roots_are_expressions_of_the_language_with_code():
    model = symgen.loads("dim n\nparam c: positive\ndata x: positive[n]\n"
                         "derive t = root[t: 0..inf](log(t) - digamma(t) - c)\nderive u = root[u: 0..1](sum(x) - n*u/(1 - u))\n"
                         "derive v = root[v: -inf..inf](c - v - exp(v))\n")  # fmt: skip
    module = model.compile()
    c, x = 0.3, np.array([1.2, 0.4, 3.1])
    t, v, u = module.t({"c": c}), module.v({"c": c}), module.u({}, {"x": x})
    assert np.isclose(np.log(t) - special.digamma(t), c, atol=1e-13)
    assert np.isclose(u / (1 - u), x.mean(), rtol=1e-13)
    assert np.isclose(v + np.exp(v), c, atol=1e-13)
    d = model.derive("root[t: 0..inf](log(t) - digamma(t) - c)")
    assert model.derive(d.text_result).array is d.array
    assert np.isnan(model.derive("root[t: 0..inf](t + c)").evaluate(c=0.5))  # no root
