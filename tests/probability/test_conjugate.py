"""The conjugate pairs of the compendium: prior times likelihood over the posterior is one number whatever the parameter,
that number is the evidence, and predictions are the means of the likelihood under the posterior.

The referee knows the densities from scipy and integrates by its own quadrature over the parameter.
"""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

import symgen

HEAD = "dim n\nparam a: positive, b: positive, m: real, r: positive, al: positive[3]\n"
AT = {"a": 2.3, "b": 1.4, "m": 0.6, "r": 1.7, "al": np.array([0.7, 1.9, 2.6])}
A, B, M, R = AT["a"], AT["b"], AT["m"], AT["r"]
UNIT, HALF_LINE, LINE = (0, 1), (0, np.inf), (-25, 25)
gamma, inverse_gamma = stats.gamma(A, scale=1 / B), stats.invgamma(A, scale=B)
beta, normal = stats.beta(A, B), stats.norm(M, A)

# name: (likelihood in the language, the domain of the data, data, prior, its density, the likelihood's, range, family)
PAIRS = {
    "Bernoulli": ("Beta(a, b)", "binary", "Bernoulli(z)", [1, 0, 1, 1], beta, lambda x, z: stats.bernoulli.logpmf(x, z), UNIT),
    "Binomial": ("Beta(a, b)", "natural", "Binomial(5, z)", [3, 0, 4], beta, lambda x, z: stats.binom.logpmf(x, 5, z), UNIT),
    "negative binomial": ("Beta(a, b)", "natural", "NegativeBinomial(r, z)", [3, 0, 4], beta,
                          lambda x, z: stats.nbinom.logpmf(x, R, 1 - z), UNIT),
    "Geometric": ("Beta(a, b)", "natural", "Geometric(z)", [2, 0, 5], beta, lambda x, z: stats.geom.logpmf(x + 1, z), UNIT),
    "Poisson": ("Gamma(a, b)", "natural", "Poisson(z)", [3, 1, 4], gamma, lambda x, z: stats.poisson.logpmf(x, z), HALF_LINE),
    "Exponential": ("Gamma(a, b)", "positive", "Exponential(z)", [0.3, 1.7], gamma,
                    lambda x, z: stats.expon.logpdf(x, scale=1 / z), HALF_LINE),
    "Gamma rate": ("Gamma(a, b)", "positive", "Gamma(r, z)", [0.3, 1.7], gamma,
                   lambda x, z: stats.gamma.logpdf(x, R, scale=1 / z), HALF_LINE),
    "normal precision": ("Gamma(a, b)", "real", "Normal(m, precision=z)", [0.3, -1.7], gamma,
                         lambda x, z: stats.norm.logpdf(x, M, z**-0.5), HALF_LINE),
    "Pareto shape": ("Gamma(a, b)", "positive", "Pareto(r, z)", [1.9, 3.7], gamma,
                     lambda x, z: stats.pareto.logpdf(x, z, scale=R), HALF_LINE),
    "Laplace rate": ("Gamma(a, b)", "real", "Laplace(m, 1/z)", [0.3, -1.7], gamma,
                     lambda x, z: stats.laplace.logpdf(x, M, 1 / z), HALF_LINE),
    "inverse Gaussian shape": ("Gamma(a, b)", "positive", "InverseGaussian(r, z)", [0.3, 1.7], gamma,
                               lambda x, z: stats.invgauss.logpdf(x, R / z, scale=z), HALF_LINE),
    "inverse gamma scale": ("Gamma(a, b)", "positive", "InverseGamma(r, z)", [0.3, 1.7], gamma,
                            lambda x, z: stats.invgamma.logpdf(x, R, scale=z), HALF_LINE),
    "Weibull rate": ("Gamma(a, b)", "positive", "Weibull(r, z^(-1/r))", [0.3, 1.7], gamma,
                     lambda x, z: stats.weibull_min.logpdf(x, R, scale=z ** (-1 / R)), HALF_LINE),
    "normal variance": ("InverseGamma(a, b)", "real", "Normal(m, var=z)", [0.3, -1.7], inverse_gamma,
                        lambda x, z: stats.norm.logpdf(x, M, z**0.5), HALF_LINE),
    "Rayleigh": ("InverseGamma(a, b)", "positive", "Rayleigh(sqrt(z))", [0.3, 1.7], inverse_gamma,
                 lambda x, z: stats.rayleigh.logpdf(x, scale=z**0.5), HALF_LINE),
    "Weibull scale": ("InverseGamma(a, b)", "positive", "Weibull(r, z^(1/r))", [0.3, 1.7], inverse_gamma,
                      lambda x, z: stats.weibull_min.logpdf(x, R, scale=z ** (1 / R)), HALF_LINE),
    "Exponential scale": ("InverseGamma(a, b)", "positive", "Exponential(scale=z)", [0.3, 1.7], inverse_gamma,
                          lambda x, z: stats.expon.logpdf(x, scale=z), HALF_LINE),
    "normal mean": ("Normal(m, a)", "real", "Normal(z, b)", [0.3, -1.7, 2.2], normal, lambda x, z: stats.norm.logpdf(x, z, B),
                    LINE),
    "log-normal location": ("Normal(m, a)", "positive", "LogNormal(z, b)", [0.3, 1.7], normal,
                            lambda x, z: stats.lognorm.logpdf(x, B, scale=np.exp(z)), LINE),
    "uniform end": ("Pareto(a, b)", "positive", "Uniform(0, z)", [0.3, 3.7], stats.pareto(B, scale=A),
                    lambda x, z: stats.uniform.logpdf(x, 0, z), (3.7, np.inf)),
    "von Mises direction": ("VonMises(m, a)", "real", "VonMises(z, b)", [0.3, -1.7], stats.vonmises(A, M),
                            lambda x, z: stats.vonmises.logpdf(x, B, z), (-math.pi, math.pi)),
    "Beta shape": ("Gamma(a, b)", "unit", "Beta(z, 1)", [0.3, 0.8, 0.45], gamma,
                   lambda x, z: stats.beta.logpdf(x, z, 1), HALF_LINE),
    "Lomax shape": ("Gamma(a, b)", "positive", "Lomax(z, r)", [0.3, 1.8], gamma,
                    lambda x, z: stats.lomax.logpdf(x, z, scale=R), HALF_LINE),
    "half-normal precision": ("Gamma(a, b)", "positive", "HalfNormal(z^(-1/2))", [0.3, 1.8], gamma,
                              lambda x, z: stats.halfnorm.logpdf(x, scale=z**-0.5), HALF_LINE),
    "rule of succession": ("Uniform(0, 1)", "binary", "Bernoulli(z)", [1, 0, 1, 1], stats.uniform(0, 1),
                           lambda x, z: stats.bernoulli.logpmf(x, z), UNIT),
}  # fmt: skip
FAMILY = {"Beta(a, b)": "Beta", "Gamma(a, b)": "Gamma", "InverseGamma(a, b)": "InverseGamma", "Normal(m, a)": "Normal",
          "Pareto(a, b)": "Pareto", "VonMises(m, a)": "VonMises", "Uniform(0, 1)": "Beta"}  # fmt: skip
DOMAIN = {UNIT: ": unit", HALF_LINE: ": positive"}
PREDICTED = {"Bernoulli": "Bernoulli", "Poisson": "NegativeBinomial", "Exponential": "Lomax", "normal precision": "StudentT",
             "normal variance": "StudentT", "normal mean": "Normal", "rule of succession": "Bernoulli",
             "Exponential scale": "Lomax"}  # fmt: skip


def loaded(pair):
    prior, domain, likelihood, _, _, _, ends = PAIRS[pair]
    return symgen.loads(
        f"{HEAD}dist p(z{DOMAIN.get(ends, '')}) = {prior}\n"
        f"dist p(x: {domain}[n] | z) = {likelihood}\ndist p(y: {domain} | z) = {likelihood}\n"
    )


def referee(pair, y=None, data=None):
    """The log of the integral of prior times likelihood."""
    _, _, _, own, prior, likelihood, ends = PAIRS[pair]
    data = [*(own if data is None else data), *([] if y is None else [y])]
    low, high = (max(A, *data), ends[1]) if pair == "uniform end" else ends
    f = lambda z: np.exp(prior.logpdf(z) + sum(likelihood(x, z) for x in data))  # noqa: E731
    return math.log(integrate.quad(f, low, high, epsabs=0, epsrel=1e-10, limit=400)[0])


@pytest.mark.parametrize("pair", PAIRS)
def test_posterior_evidence_and_prediction(pair):
    model = loaded(pair)
    _, domain, _, data, prior, likelihood, ends = PAIRS[pair]
    data = np.array(data, dtype=float)
    posterior = model.derive("posterior(p, z, given=x)")
    assert posterior.evidence.kind == "checked"
    assert posterior.result.family == FAMILY[PAIRS[pair][0]]
    truth = referee(pair)
    high = 1 if ends == UNIT else 3 if ends[1] > 3 else ends[1]
    low = max(ends[0], data.max()) if pair == "uniform end" else max(ends[0], -1.0) + 0.1
    for z in np.linspace(low + 0.05, low + 2 if pair == "uniform end" else high - 0.1, 3):
        log_joint = prior.logpdf(z) + sum(likelihood(x, z) for x in data)
        density = posterior.result.evaluate("density", x=data, z=z, **AT)
        assert math.isclose(log_joint - math.log(density), truth, rel_tol=1e-7, abs_tol=1e-8)
    evidence = model.derive("log p(x)")
    assert evidence.evidence.kind == "checked"
    assert math.isclose(evidence.evaluate(x=data, **AT), truth, rel_tol=1e-8, abs_tol=1e-9)
    new = {"binary": 1.0, "unit": 0.6, "natural": 2.0, "positive": 2.1, "real": -0.4}[domain]
    predictive = model.derive("posterior(p, y, given=x)")
    got = predictive.result.evaluate("density", x=data, y=new, **AT)
    assert math.isclose(math.log(got), referee(pair, new) - truth, rel_tol=1e-6, abs_tol=1e-7)
    assert predictive.result.family == PREDICTED.get(pair, predictive.result.family)
    assert math.isclose(model.derive("log p(y | x)").evaluate(x=data, y=new, **AT), math.log(got), abs_tol=1e-9)


def log_beta(v):
    return sum(map(math.lgamma, v)) - math.lgamma(sum(v))


@pytest.mark.parametrize("domain, likelihood, data, counts", [
    ("label(3)[n]", "Categorical(z)", np.array([0, 2, 2, 1, 2]), [1, 1, 3]),
    ("onehot[n, 3]", "OneHotCategorical(z)", np.eye(3)[[0, 2, 2, 1, 2]], [1, 1, 3]),
    ("natural[3]", "Multinomial(5, z)", np.array([1, 1, 3]), [1, 1, 3]),
])  # fmt: skip
def test_classes(domain, likelihood, data, counts):
    model = symgen.loads(f"{HEAD}dist p(z: simplex[3]) = Dirichlet(al)\ndist p(x: {domain} | z) = {likelihood}\n")
    posterior = model.derive("posterior(p, z, given=x)")
    assert posterior.evidence.kind == "checked"
    assert np.allclose(posterior.result.evaluate("parameters", x=data, **AT)["alpha"], AT["al"] + counts)
    want = log_beta(AT["al"] + counts) - log_beta(AT["al"])
    if "Multinomial" in likelihood:
        want += math.lgamma(6) - sum(math.lgamma(c + 1) for c in counts)
    assert math.isclose(model.derive("log p(x)").evaluate(x=data, **AT), want, rel_tol=1e-10)


def test_a_class_is_predicted_by_its_share():
    model = symgen.loads(
        f"{HEAD}dist p(z: simplex[3]) = Dirichlet(al)\ndist p(x: label(3)[n] | z) = Categorical(z)\n"
        "dist p(y: label(3) | z) = Categorical(z)\n"
    )
    got = model.derive("posterior(p, y, given=x)").result.evaluate("parameters", x=np.array([0, 2, 2, 1, 2]), **AT)["p"]
    assert np.allclose(got, (AT["al"] + [1, 1, 3]) / (AT["al"].sum() + 5))


def test_rows_share_their_parameters_column_by_column():
    """x of shape [n, k] given z of shape [k]: the n rows are not independent once z is integrated out."""
    model = symgen.loads("dim n, k\nparam a: positive, b: positive\ndist p(z: unit[k]) = Beta(a, b)\n"
                         "dist p(x: binary[n, k] | z) = Bernoulli(z)\n")  # fmt: skip
    x = np.array([[1, 0, 1], [1, 0, 0.0]])
    want = sum(special.betaln(A + c, B + 2 - c) - special.betaln(A, B) for c in x.sum(0))
    assert math.isclose(model.derive("log p(x)").evaluate(x=x, a=A, b=B), want, rel_tol=1e-12)


def test_a_mixture_of_conjugate_priors_stays_one():
    model = symgen.loads(
        f"{HEAD}param w: simplex[2], mk: real[2], sk: positive[2]\ndist p(c) = Categorical(w)\n"
        "dist p(z | c) = Normal(mk[c], sk[c])\ndist p(x: real[n] | z) = Normal(z, b)\n"
    )
    at = {"w": np.array([0.3, 0.7]), "mk": np.array([-1.2, 0.8]), "sk": np.array([0.6, 1.3])}
    x = np.array([0.3, -0.9])
    posterior = model.derive("posterior(p, z, given=x)")
    assert posterior.evidence.kind == "checked"

    def joint(z):
        prior = sum(w * stats.norm.pdf(z, m, s) for w, m, s in zip(at["w"], at["mk"], at["sk"], strict=True))
        return prior * np.prod(stats.norm.pdf(x, z, B))

    whole = integrate.quad(joint, -np.inf, np.inf)[0]
    for z in (-0.7, 0.2, 1.1):
        assert math.isclose(posterior.result.evaluate("density", x=x, z=z, **at, **AT), joint(z) / whole, rel_tol=1e-7)
    assert math.isclose(model.derive("log p(x)").evaluate(x=x, **at, **AT), math.log(whole), rel_tol=1e-7)
    assert model.derive("posterior(p, c, given=x)").evidence.kind == "checked"


def test_a_grid_of_parameters():
    model = symgen.loads(
        f"{HEAD}param w: simplex[3], g: positive[3]\ndist p(z) = Categorical(w)\ndist p(x: natural[n] | z) = Poisson(g[z])\n"
    )
    w, g, x = np.array([0.2, 0.5, 0.3]), np.array([0.4, 1.7, 3.1]), np.array([2, 0, 3])
    like = w * np.prod(stats.poisson.pmf(x[:, None], g), axis=0)
    got = model.derive("posterior(p, z, given=x)").result.evaluate("parameters", x=x, w=w, g=g, **AT)["p"]
    assert np.allclose(got, like / like.sum())
    assert math.isclose(model.derive("log p(x)").evaluate(x=x, w=w, g=g, **AT), math.log(like.sum()), rel_tol=1e-10)


def test_what_no_family_integrates_out_stays_under_its_integral():
    model = symgen.loads(f"{HEAD}dist p(z: positive) = Gamma(a, b)\ndist p(x: positive[n] | z) = Uniform(0, z)\n")
    want = math.log(integrate.quad(lambda z: gamma.pdf(z) / z**2, 3.7, np.inf)[0])
    assert math.isclose(model.derive("log p(x)").evaluate(x=np.array([0.3, 3.7]), **AT), want, rel_tol=1e-8)
    shown = symgen.loads(f"{HEAD}dist p(z) = Laplace(m, a)\ndist p(x: real[n] | z) = Normal(z, b)\n")
    assert shown.derive("log p(x | z)").evidence.kind in ("proved", "checked", "unknown")


@pytest.mark.parametrize("prior, domain, likelihood, family, parameters, evidence", [
    ("Beta(a, b)", "binary", "Bernoulli(z)", "Beta", lambda x: {"a": A + x, "b": B + 1 - x},
     lambda x: stats.betabinom(1, A, B).logpmf(x).sum()),
    ("Gamma(a, b)", "natural", "Poisson(z)", "Gamma", lambda x: {"a": A + x, "r": B + 1},
     lambda x: stats.nbinom(A, B / (B + 1)).logpmf(x).sum()),
])  # fmt: skip
def test_every_entry_has_a_parameter_of_its_own(prior, domain, likelihood, family, parameters, evidence):
    kind = "unit" if family == "Beta" else "positive"
    model = symgen.loads(f"{HEAD}dist p(z: {kind}[n]) = {prior}\ndist p(x: {domain}[n] | z) = {likelihood}\n")
    x = np.array([1.0, 0.0, 1.0])
    d = model.derive("posterior(p, z, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", family)
    got = d.result.evaluate("parameters", x=x, **AT)
    for name, value in parameters(x).items():
        assert np.allclose(got[name], value)
    assert math.isclose(model.derive("log p(x)").evaluate(x=x, **AT), evidence(x), rel_tol=1e-9)


# likelihood in the words of another parameterisation, and the same prior's plain pair
OTHERWISE = {
    "odds": ("Beta(a, b)", "binary", "Bernoulli(logits=log(z/(1 - z)))", "Bernoulli"),
    "odds by keyword": ("Beta(a, b)", "binary", "Bernoulli(odds=z/(1 - z))", "Bernoulli"),
    "two labels": ("Beta(a, b)", "label(2)", "Categorical([1 - z, z])", "Bernoulli"),
    "failures": ("Beta(b, a)", "binary", "Bernoulli(1 - z)", "Bernoulli"),
    "rate 1/scale": ("Gamma(a, scale=1/b)", "positive", "Exponential(scale=1/z)", "Exponential"),
    "precision": ("Gamma(a, b)", "real", "Normal(m, var=1/z)", "normal precision"),
    "Gumbel of a log-rate": ("Gamma(a, b)", "real", "Gumbel(r*log(z), r)", "Exponential"),
    "variance and precision": ("Normal(m, var=a^2)", "real", "Normal(z, precision=1/b^2)", "normal mean"),
}


@pytest.mark.parametrize("way", OTHERWISE)
def test_another_way_of_saying_a_pair_gives_its_posterior(way):
    prior, domain, likelihood, plain = OTHERWISE[way]
    kind = DOMAIN.get(PAIRS[plain][6], "")
    model = symgen.loads(f"{HEAD}dist p(z{kind}) = {prior}\ndist p(x: {domain}[n] | z) = {likelihood}\n")
    data = np.array(PAIRS[plain][3], dtype=float)
    same = loaded(plain).derive("posterior(p, z, given=x)").result
    d = model.derive("posterior(p, z, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", same.family)
    # exp(-x/r) of a Gumbel is exponential; 1 - z is Beta(b, a) where z is Beta(a, b)
    there = np.exp(-data / R) if "Gumbel" in way else data
    want = {k: float(v) for k, v in same.evaluate("parameters", x=there, **AT).items()}
    got = {k: float(v) for k, v in d.result.evaluate("parameters", x=data, **AT).items()}
    if way == "failures":
        got = {"a": got["b"], "b": got["a"]}
    assert got == pytest.approx(want)


COUNTS = {  # prior, likelihood of what is seen, their probabilities, the family of what is left
    "urn": ("BetaBinomial(20, a, b)", "Hypergeometric(20, z, 5)", stats.betabinom(20, A, B).pmf,
            lambda x, z: stats.hypergeom.pmf(x, 20, z, 5), "shifted BetaBinomial"),
    "urn of coins": ("Binomial(20, t)", "Hypergeometric(20, z, 5)", stats.binom(20, 0.35).pmf,
                     lambda x, z: stats.hypergeom.pmf(x, 20, z, 5), "shifted Binomial"),
    "thinned Poisson": ("Poisson(a)", "Binomial(z, t)", stats.poisson(A).pmf, lambda x, z: stats.binom.pmf(x, z, 0.35),
                        "shifted Poisson"),
    "thinned binomial": ("Binomial(20, 1/3)", "Binomial(z, t)", stats.binom(20, 1 / 3).pmf,
                         lambda x, z: stats.binom.pmf(x, z, 0.35), "shifted Binomial"),
    "thinned negative binomial": ("NegativeBinomial(a, t)", "Binomial(z, 1/4)", stats.nbinom(A, 0.65).pmf,
                                  lambda x, z: stats.binom.pmf(x, z, 0.25), "shifted NegativeBinomial"),
    "thinned geometric": ("Geometric(t)", "Binomial(z, 1/4)", lambda z: stats.geom.pmf(z + 1, 0.35),
                          lambda x, z: stats.binom.pmf(x, z, 0.25), "shifted NegativeBinomial"),
}  # fmt: skip


@pytest.mark.parametrize("pair", COUNTS)
def test_counts_of_which_some_were_seen(pair):
    prior, likelihood, before, seen, family = COUNTS[pair]
    model = symgen.loads(
        f"param a: positive, b: positive, t: unit\ndist p(z: natural) = {prior}\ndist p(x: natural | z) = {likelihood}\n"
    )
    at, z = {"a": A, "b": B, "t": 0.35, "x": 3}, np.arange(300 if "20" not in prior else 21)
    joint = before(z) * seen(3, z)
    d = model.derive("posterior(p, z, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", family)
    got = [d.result.evaluate("density", z=k, **at) for k in (3, 4, 7)]
    assert np.allclose(got, joint[[3, 4, 7]] / joint.sum(), rtol=1e-9)
    evidence = model.derive("log p(x)")
    assert evidence.evidence.kind == "checked"
    assert math.isclose(evidence.evaluate(**at), math.log(joint.sum()), rel_tol=1e-9)
    assert math.isclose(model.derive("E[z ~ p(z | x)](z)").evaluate(**at), joint @ z / joint.sum(), rel_tol=1e-8)


def test_an_interval_about_zero_and_scaled_ends():
    model = symgen.loads(f"{HEAD}data c: positive[n]\ndist p(z) = Pareto(a, b)\ndist p(x: real[n] | z) = Uniform(-z, z)\n"
                         "dist p(u: positive[n] | z) = Uniform(0, c*z)\n")  # fmt: skip
    x, u, c = np.array([0.3, -3.7]), np.array([0.8, 2.9]), np.array([0.5, 2.0])
    for given, data, least in (("x", x, 3.7), ("u", u, 2.3)):
        d = model.derive(f"posterior(p, z, given={given})")
        assert (d.evidence.kind, d.result.family) == ("checked", "Pareto")
        got = d.result.evaluate("parameters", **{given: data}, c=c, **AT)
        assert math.isclose(got["xm"], least) and math.isclose(got["alpha"], B + 2)


IN_GROUPS = "data c: label(k)[n], x: {domain}[n]\ndist p(z{kind}[k]) = {prior}\ndist p(x[i] | z) = {likelihood}\n"
IN_COLUMNS = "data x: {domain}[n, k]\ndist p(z{kind}[k]) = {prior}\ndist p(x | z) = {likelihood}\n"
FAST = ("Poisson", "uniform end", "von Mises direction", "normal variance")


@pytest.mark.parametrize("pair", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in PAIRS])
def test_groups_and_columns_have_parameters_of_their_own(pair):
    """z[c[i]] of the groups c, and z[j] of the columns j: the evidence is the sum over the parameters of that of their data."""
    prior, domain, likelihood, data, *_, ends = PAIRS[pair]
    kind = DOMAIN.get(ends, ": real")
    words = {"domain": domain, "prior": prior, "kind": kind}
    data, c = np.array(data, dtype=float), np.arange(len(data)) % 2
    for text, own, at in (
        (IN_GROUPS, "z[c[i]]", {"x": data, "c": c.astype(float)}),
        (IN_COLUMNS, "z", {"x": np.array([data[:2], data[1::-1]])}),
    ):
        model = symgen.loads(f"dim k\n{HEAD}{text.format(**words, likelihood=likelihood.replace('z', own))}")
        parts = [data[c == 0], data[c == 1]] if "c" in at else list(at["x"].T)
        want = sum(referee(pair, data=list(part)) for part in parts)
        posterior, evidence = model.derive("posterior(p, z, given=x)"), model.derive("log p(x)")
        assert posterior.evidence.kind == evidence.evidence.kind == "checked"
        assert posterior.result.family == FAMILY[prior]
        assert math.isclose(evidence.evaluate(**at, k=2, **AT), want, rel_tol=1e-8, abs_tol=1e-9)


def test_rows_of_shares_and_directions():
    head = "dim D, k, n\nparam al: positive[k], mu: real[k], a: positive, b: positive\n"
    shares = symgen.loads(
        head + "dist p(z[d: D]) = Dirichlet(al)\ndata x: label(k)[D, n]\ndist p(x[d, i] | z[d]) = Categorical(z[d])\n"
    )
    x, al = np.array([[0, 2, 2, 1], [1, 1, 0, 1]]), AT["al"]
    counts = np.array([np.bincount(row, minlength=3) for row in x])
    d = shares.derive("posterior(p, z, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", "Dirichlet")
    assert np.allclose(d.result.evaluate("parameters", x=x, al=al)["alpha"], al + counts)
    want = sum(log_beta(al + c) - log_beta(al) for c in counts)
    assert math.isclose(shares.derive("log p(x)").evaluate(x=x, al=al), want, rel_tol=1e-10)
    directions = symgen.loads(
        head
        + "dist p(z[d: D]) = VonMisesFisher(mu/norm(mu), a)\ndata u: real[D, k]\ndist p(u[d] | z[d]) = VonMisesFisher(z[d], b)\n"
    )
    u, mu = np.eye(3)[[2, 0]], np.array([0.3, -1.2, 0.7])
    d = directions.derive("posterior(p, z, given=u)")
    assert d.result.family == "VonMisesFisher"
    pull = A * mu / np.linalg.norm(mu) + B * u
    got = d.result.evaluate("parameters", u=u, mu=mu, a=A, b=B)
    assert np.allclose(got["kappa"], np.linalg.norm(pull, axis=1)) and np.allclose(got["mu"] * got["kappa"][:, None], pull)


def test_a_direction_of_which_nothing_is_known():
    model = symgen.loads(f"{HEAD}dist p(z) = Uniform(-pi, pi)\ndist p(x: real[n] | z) = VonMises(z, b)\n")
    x = np.array([0.3, -1.7])
    d = model.derive("posterior(p, z, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", "VonMises")
    pull = B * np.exp(1j * x).sum()
    got = d.result.evaluate("parameters", x=x, **AT)
    assert np.allclose([got["mu"], got["kappa"]], [np.angle(pull), abs(pull)])
    want = math.log(2 * math.pi * special.i0(abs(pull))) - 2 * math.log(2 * math.pi * special.i0(B)) - math.log(2 * math.pi)
    assert math.isclose(model.derive("log p(x)").evaluate(x=x, **AT), want, rel_tol=1e-10)


@pytest.mark.parametrize("pair, formula", [
    ("Bernoulli", "z^x*(1 - z)^(1 - x)"),
    ("Binomial", "z^x*(1 - z)^(5 - x)*exp(lgamma(6) - lgamma(x + 1) - lgamma(6 - x))"),
])  # fmt: skip
def test_a_likelihood_of_ones_own_beside_a_prior_of_the_table(pair, formula):
    prior, domain, _, data, *_ = PAIRS[pair]
    model = symgen.loads(f"{HEAD}dist p(z: unit) = {prior}\ndist p(x: {domain} | z) = {formula}\n")
    d, x = model.derive("posterior(p, z, given=x)"), float(data[0])
    assert (d.evidence.kind, d.result.family) == ("checked", "Beta")
    assert math.isclose(model.derive("log p(x)").evaluate(x=x, **AT), referee(pair, data=[x]), rel_tol=1e-8)
    want = (A + x) / (A + B + (5 if pair == "Binomial" else 1))
    assert math.isclose(model.derive("E[z ~ p(z | x)](z)").evaluate(x=x, **AT), want, rel_tol=1e-10)


def test_counts_to_come_are_a_beta_binomial():
    model = symgen.loads(
        "dim n\ndata m: natural[n]\nparam a: positive, b: positive\ndist p(z) = Beta(a, b)\n"
        "dist p(x: natural[n] | z) = Binomial(m, z)\ndist p(y: natural | z) = Binomial(4, z)\n"
    )
    m, x = np.array([3.0, 4, 5]), np.array([1.0, 4, 2])
    d = model.derive("posterior(p, y, given=x)")
    assert (d.evidence.kind, d.result.family) == ("checked", "BetaBinomial")
    assert d.result.evaluate("parameters", m=m, x=x, a=A, b=B) == {"n": 4, "a": A + 7, "b": pytest.approx(B + 5)}
    mean = model.derive("E[y ~ p(y | x)](y)").evaluate(m=m, x=x, a=A, b=B)
    assert math.isclose(mean, 4 * (A + 7) / (A + B + 12))
