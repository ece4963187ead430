"""Fisher information of families at their parameters: the mean outer product of scores by differences of scipy's densities."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

import symgen
from symgen.probability.laws.referee import nodes
from symgen.text.diagnostics import CannotDerive

MODEL = symgen.loads("""param a: positive, b: positive, mu: real, s: positive, nu: positive
dist of_Cauchy(x) = Cauchy(mu, s)
dist of_HalfCauchy(x) = HalfCauchy(s)
dist of_Laplace(x) = Laplace(mu, b)
dist of_Logistic(x) = Logistic(mu, s)
dist of_LogLogistic(x) = LogLogistic(a, b)
dist of_LogitNormal(x) = LogitNormal(mu, s)
dist of_StudentT(x) = StudentT(nu, mu, s)
dist of_GeneralizedNormal(x) = GeneralizedNormal(mu, a, b)
dist of_Lomax(x) = Lomax(a, b)
dist of_AsymmetricLaplace(x) = AsymmetricLaplace(mu, a, s)
dist of_FisherSnedecor(x) = FisherSnedecor(a, nu)
dist of_Kumaraswamy(x) = Kumaraswamy(a, b)
dist of_Triangular(x) = Triangular(mu, nu, s)
""")
AT = {"a": 2.2, "b": 3.1, "mu": 0.3, "s": 1.4, "nu": 4.2}
LAWS = {
    "Cauchy": (("mu", "s"), lambda x, m, s: stats.cauchy.logpdf(x, m, s), (-np.inf, 0.3, np.inf)),
    "HalfCauchy": (("s",), lambda x, s: stats.halfcauchy.logpdf(x, 0, s), (0, 3, np.inf)),
    "Laplace": (("mu", "b"), lambda x, m, b: stats.laplace.logpdf(x, m, b), (-90, 0.3 - 1e-4, 0.3 + 1e-4, 90)),
    "Logistic": (("mu", "s"), lambda x, m, s: stats.logistic.logpdf(x, m, s), (-60, 0, 60)),
    "LogLogistic": (("a", "b"), lambda x, a, b: stats.fisk.logpdf(x, b, 0, a), (0, 2, 20, np.inf)),
    "LogitNormal": (("mu", "s"), lambda x, m, s: stats.norm.logpdf(special.logit(x), m, s) - np.log(x) - np.log1p(-x), (0, 0.5, 1)),
    "StudentT": (("nu", "mu", "s"), lambda x, n, m, s: stats.t.logpdf(x, n, m, s), (-np.inf, 0.3, np.inf)),
    "GeneralizedNormal": (("mu", "a", "b"), lambda x, m, a, b: stats.gennorm.logpdf(x, b, m, a), (-9, 0.3 - 1e-4, 0.3 + 1e-4, 9)),
    "Lomax": (("a", "b"), lambda x, a, b: stats.lomax.logpdf(x, a, 0, b), (0, 2, 20, np.inf)),
    "AsymmetricLaplace": (("mu", "a", "s"), lambda x, m, a, s: stats.laplace_asymmetric.logpdf(x, s, m, 1 / a),
                          (-60, 0.3 - 1e-4, 0.3 + 1e-4, 60)),
    "FisherSnedecor": (("a", "nu"), lambda x, a, n: stats.f.logpdf(x, a, n), (0, 2, 20, np.inf)),
    "Kumaraswamy": (("a", "b"), lambda x, a, b: np.log(a * b) + (a - 1) * np.log(x) + (b - 1) * np.log1p(-(x**a)), (0, 0.5, 1)),
    "Triangular": (("s",), lambda x, c: stats.triang.logpdf(x, (c - 0.3) / 3.9, 0.3, 3.9), (0.3, 1.4 - 1e-4, 1.4 + 1e-4, 4.2)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_it_is_the_mean_outer_product_of_the_score(name):
    names, f, ends = LAWS[name]
    at = np.array([AT[n] for n in names])

    x, w = nodes(ends[0], ends[-1], ends[1:-1])
    step = 1e-5 * np.eye(len(at))
    with np.errstate(all="ignore"):
        scores = np.array([(f(x, *(at + h)) - f(x, *(at - h))) / 2e-5 for h in step])
        weights = np.where(np.isfinite(scores).all(axis=0), w * np.exp(f(x, *at)), 0.0)
    scores = np.where(weights > 0, scores, 0.0)
    want = (scores * weights) @ scores.T
    d = MODEL.derive(f"fisher(of_{name}, [{', '.join(names)}])" if len(at) > 1 else f"fisher(of_{name}, {names[0]})")
    assert "E[" not in d.text_result and d.evidence.kind == "checked"
    np.testing.assert_allclose(np.reshape(d.evaluate(**AT), want.shape), want, rtol=2e-4, atol=2e-4)


def test_an_entry_that_is_known_has_no_mean_beside_one_that_is_not():
    spec = "param a: positive, q: unit\ndist n(k) = NegativeBinomial(a, q)"
    d = symgen.loads(spec).derive("fisher(n, [a, q])")
    assert d.text_result.count("E[") == 1 and d.evidence.kind == "checked"
    a, q = 1.5, 0.3
    k = np.arange(200)
    mass = stats.nbinom.pmf(k, a, 1 - q)
    score = [special.digamma(a + k) - special.digamma(a) + np.log(1 - q), k / q - a / (1 - q)]
    want = [[np.sum(mass * s * t) for t in score] for s in score]
    assert np.allclose(d.evaluate(a=a, q=q), want, rtol=1e-9)


def _information(log_f, theta, low, high):
    """The mean square of the score of exp(log_f) over its mass, by quadrature and differences."""

    def log_mass(th):
        return math.log(integrate.quad(lambda x: math.exp(log_f(x, th)), low, high, epsabs=1e-13)[0])

    h = 1e-4
    masses = [log_mass(theta + d) for d in (-h, 0, h)]

    def square(x):
        slope = (log_f(x, theta + h) - masses[2] - log_f(x, theta - h) + masses[0]) / (2 * h)
        return math.exp(log_f(x, theta) - masses[1]) * slope**2

    return integrate.quad(square, low, high, epsabs=1e-12)[0]


OWN = {
    "dist p(t: positive) = exp(-t^3/r)/Z": (lambda t, r: -(t**3) / r, "r", 0, 6),
    "dist p(t: real) = exp(-(t - m)^4)/Z": (lambda t, m: -((t - m) ** 4), "m", -5, 5),
    "dist p(t: positive) = exp(-r*t - t^2)/Z": (lambda t, r: -r * t - t * t, "r", 0, 9),
    "dist p(t: unit) = r*t^(r - 1)": (lambda t, r: (r - 1) * math.log(t), "r", 1e-14, 1),
    "dist p(t) = Truncated(Gamma(2, r), 1, 3)": (lambda t, r: stats.gamma.logpdf(t, 2, scale=1 / r), "r", 1, 3),
    "dist p(t) = Truncated(Logistic(m, 1.3), 1, 3)": (lambda t, m: stats.logistic.logpdf(t, m, 1.3), "m", 1, 3),
}


@pytest.mark.parametrize("law", [pytest.param(n, marks=[pytest.mark.slow] if "Trunc" in n or "t^2" in n else []) for n in OWN])
def test_the_information_of_a_density_of_ones_own_is_the_mean_square_of_its_score(law):
    log_f, by, low, high = OWN[law]
    found = symgen.loads(f"param r: positive, m: real\n{law}\n").derive(f"fisher(p, {by})")
    at = {"r": 1.3, "m": 0.4}
    got = found.evaluate(**{n: x for n, x in at.items() if n in found.symbols})
    assert got == pytest.approx(_information(log_f, at[by], low, high), rel=1e-5)


@pytest.mark.parametrize(
    ("law", "says"), [("Truncated(Laplace(m, 1), r, 4)", "support depends"), ("Mixture(w, Normal(m, 1), Normal(r, 2))", "mixture")]
)
def test_where_there_is_no_information_that_is_said(law, says):
    model = symgen.loads(f"param r: positive, m: real, w: unit\ndist p(t) = {law}\n")
    with pytest.raises(CannotDerive, match=says):
        model.derive("fisher(p, r)")
