"""Finite latent variables: responsibilities and M steps of mixtures of any family, laws of mixtures with their entropy and
information by quadrature, and chances that are 0.

The referee adds over the labels and integrates with scipy.
"""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import symgen

rng = np.random.default_rng(12)
N, K, D = 5, 3, 2
HEAD = "dim n, k, d, v\nparam pi: simplex[k], R: simplex[n, k], lam: positive[k], a: positive[k], th: unit[k]\n"
HEAD += "param B: unit[k, d], mu: real[k, d], S: spd[k, d, d], T: simplex[k, v], s: positive\nconst L: natural\n"
AT = {"pi": rng.dirichlet(np.ones(K)), "R": rng.dirichlet(np.ones(K), N), "lam": rng.random(K) + 0.5, "a": rng.random(K) + 1.2,
      "th": rng.random(K), "B": rng.random((K, D)), "mu": rng.normal(size=(K, D)), "s": 0.8, "L": 7.0,
      "S": np.array([(lambda q: q @ q.T + np.eye(D))(rng.normal(size=(D, D))) for _ in range(K)]),
      "T": rng.dirichlet(np.ones(4), K)}  # fmt: skip
counts, positives, coins, points = rng.integers(0, 5, N), rng.random(N) + 0.3, rng.integers(0, 2, (N, D)), rng.normal(size=(N, D))
labels, bags = rng.integers(0, 4, N), rng.multinomial(7, np.ones(4) / 4, N)
R, pi = AT["R"], AT["pi"]
total = R.sum(0)

# name: (domain of x, law given c, data, log-likelihoods [n, k], the M step by name)
MIXTURES = {
    "Poisson": ("natural[n]", "Poisson(lam[c])", counts, lambda j: stats.poisson.logpmf(counts, AT["lam"][j]),
                {"lam": R.T @ counts / total}),
    "Exponential": ("positive[n]", "Exponential(lam[c])", positives,
                    lambda j: stats.expon.logpdf(positives, scale=1 / AT["lam"][j]),
                    {"lam": total / (R.T @ positives)}),
    "Gamma": ("positive[n]", "Gamma(a[c], lam[c])", positives,
              lambda j: stats.gamma.logpdf(positives, AT["a"][j], scale=1 / AT["lam"][j]),
              {"lam": AT["a"] * total / (R.T @ positives)}),
    "Binomial": ("natural[n]", "Binomial(L, th[c])", counts, lambda j: stats.binom.logpmf(counts, 7, AT["th"][j]),
                 {"th": R.T @ counts / (7 * total)}),
    "products of coins": ("binary[n, d]", "Bernoulli(B[c])", coins, lambda j: stats.bernoulli.logpmf(coins, AT["B"][j]).sum(1),
                          {"B": R.T @ coins / total[:, None]}),
    "labels": ("label(v)[n]", "Categorical(T[c])", labels, lambda j: np.log(AT["T"][j][labels]),
               {"T": R.T @ np.eye(4)[labels] / total[:, None]}),
    "bags of words": ("natural[n, v]", "Multinomial(L, T[c])", bags, lambda j: stats.multinomial.logpmf(bags, 7, AT["T"][j]),
                      {"T": R.T @ bags / (R.T @ bags).sum(1, keepdims=True)}),
    "normal of one spread": ("real[n, d]", "Normal(mu[c], s)", points, lambda j: stats.norm.logpdf(points, AT["mu"][j], 0.8).sum(1),
                             {"mu": R.T @ points / total[:, None]}),
    "normal of a covariance each": ("real[n, d]", "MvNormal(mu[c], S[c])", points,
                                    lambda j: stats.multivariate_normal(AT["mu"][j], AT["S"][j]).logpdf(points),
                                    {"mu": R.T @ points / total[:, None]}),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXTURES)
def test_expectation_and_maximisation_of_a_mixture(name):
    domain, law, x, likelihood, steps = MIXTURES[name]
    model = symgen.loads(
        f"{HEAD}data x: {domain}\ndist p(c: label(k)[n]) = Categorical(pi)\ndist p(x: {domain} | c) = {law}\n"
        "dist q(c: label(k)[n]) = Categorical(R)\nlet Q = E[c ~ q](log p(x, c))\n"
    )
    logits = np.log(pi) + np.stack([likelihood(j) for j in range(K)], 1)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    d = model.derive("posterior(p, c, given=x)")
    assert d.evidence.kind == "checked" and "lgamma(x" not in d.text_result  # what no label changes is not told
    got = d.result.evaluate("parameters", x=x, **AT)["p"]
    assert np.allclose(got, weights / weights.sum(1, keepdims=True))
    evidence = model.derive("log p(x)").evaluate(x=x, **AT)
    assert math.isclose(evidence, np.log(np.exp(logits).sum(1)).sum(), rel_tol=1e-10)
    for parameter, value in steps.items():
        assert np.allclose(model.derive(f"argmax(Q, {parameter})").evaluate(x=x, **AT), value)
    assert np.allclose(model.derive("argmax(Q, pi)").evaluate(x=x, **AT), R.mean(0))


LAWS = {
    "normal": ("Normal(m[c], s[c])", "real", lambda m, s: stats.norm(m, s), (-20, 20), "Normal(0, 1)", stats.norm(0, 1)),
    "exponential": ("Exponential(s[c])", "positive", lambda m, s: stats.expon(scale=1 / s), (0, 60), "Gamma(2, 1)", stats.gamma(2)),
}


@pytest.mark.parametrize("name", LAWS)
def test_entropy_and_information_of_a_mixture_are_numbers(name):
    law, domain, component, ends, other, reference = LAWS[name]
    w, m, s = np.array([0.3, 0.7]), np.array([-0.6, 1.1]), np.array([0.8, 1.3])
    model = symgen.loads(f"dim k\nparam w: simplex[k], m: real[k], s: positive[k]\ndist p(c: label(k)) = Categorical(w)\n"
                         f"dist p(x: {domain} | c) = {law}\ndist q(x: {domain}) = {other}\n")  # fmt: skip
    parts = [component(m[j], s[j]) for j in range(2)]

    def density(x):
        return sum(w[j] * parts[j].pdf(x) for j in range(2))

    def mean(f):
        return integrate.quad(lambda x: density(x) * f(x), *ends, points=[-0.6, 1.1], limit=200)[0]

    entropy = -mean(lambda x: np.log(density(x)))
    at = {"w": w, "m": m, "s": s}
    assert math.isclose(model.derive("entropy(p(x))").evaluate(**at), entropy, rel_tol=1e-8)
    information = entropy - sum(w[j] * parts[j].entropy() for j in range(2))
    assert math.isclose(model.derive("mutual_information(p, x, c)").evaluate(**at), information, rel_tol=1e-7)
    divergence = mean(lambda x: np.log(density(x)) - reference.logpdf(x))
    assert math.isclose(model.derive("KL(p(x) || q(x))").evaluate(**at), divergence, rel_tol=1e-7)


def test_an_alarm_that_never_rings_alone():
    """w rings only through u or v: chances of 0 are no numbers that are none."""
    model = symgen.loads("param a: unit, b: unit, c: unit, d: unit\ndist p(u: binary) = Bernoulli(a)\n"
                         "dist p(v: binary) = Bernoulli(b)\n"
                         "dist p(w: binary | u, v) = Bernoulli(1 - (1 - c*u)*(1 - d*v))\n")  # fmt: skip
    at = {"a": 0.3, "b": 0.6, "c": 0.8, "d": 0.45}

    def chance(u, v, w):
        rings = 1 - (1 - 0.8 * u) * (1 - 0.45 * v)
        return (0.3 if u else 0.7) * (0.6 if v else 0.4) * (rings if w else 1 - rings)

    one, two = model.derive("posterior(p, u, given=w)"), model.derive("posterior(p, u, given=[v, w])")
    assert one.evidence.kind == two.evidence.kind == "checked"
    for w in (0, 1):
        want = sum(chance(1, v, w) for v in (0, 1)) / sum(chance(u, v, w) for u in (0, 1) for v in (0, 1))
        assert math.isclose(one.result.evaluate("parameters", w=w, **at)["p"], want)
        for v in (0, 1):
            want = chance(1, v, w) / (chance(0, v, w) + chance(1, v, w))
            assert math.isclose(two.result.evaluate("parameters", w=w, v=v, **at)["p"], want)


CHAIN = """
dim T, k
param w: simplex[k], A: simplex[k, k], mu: real[k], s: positive
data x: real[T]
let alpha[0] = w*exp(-(x[0] - mu)^2/(2*s^2))/s
let alpha[t: 1..T-1] = (alpha[t-1] @ A)*exp(-(x[t] - mu)^2/(2*s^2))/s
let evidence = log(sum(alpha[T-1]))
"""


def test_a_hidden_chain_of_any_length_is_gone_through_forwards_and_backwards():
    """The adjoint of the forward recurrence is the backward one: the gradient by mu weighs with p(z_t | x)."""
    w, A, mu, s = np.array([0.3, 0.7]), np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([-0.5, 1.0]), 0.7
    x = rng.normal(size=6)
    like = np.exp(-((x[:, None] - mu) ** 2) / (2 * s**2)) / s
    forwards, backwards = np.zeros((6, 2)), np.ones((6, 2))
    forwards[0] = w * like[0]
    for t in range(1, 6):
        forwards[t] = (forwards[t - 1] @ A) * like[t]
    for t in range(4, -1, -1):
        backwards[t] = A @ (like[t + 1] * backwards[t + 1])
    model = symgen.loads(CHAIN)
    at = {"w": w, "A": A, "mu": mu, "s": s, "x": x}
    assert math.isclose(model.derive("evidence").evaluate(**at), math.log(forwards[-1].sum()))
    smoothed = forwards * backwards / forwards[-1].sum()
    d = model.derive("grad(evidence, mu)")
    assert d.evidence.kind == "checked"
    assert np.allclose(d.evaluate(**at), (smoothed * (x[:, None] - mu) / s**2).sum(0))


COUNTS_MIXED = [  # a mixture of counts, another law, and whether the first lies in the support of the second
    ("Mixture(w, DiscreteUniform(0, 0), Poisson(2))", "Poisson(3)", True),
    ("Poisson(2)", "Mixture(w, DiscreteUniform(0, 0), Poisson(2))", True),
    ("Mixture(w, Binomial(3, 0.3), Binomial(2, 0.6))", "Binomial(5, 0.4)", True),
    ("Mixture(w, Poisson(3), Binomial(2, 0.6))", "Binomial(5, 0.4)", False),
]


def masses_of(law: str, w: float, upto: int = 60) -> np.ndarray:
    k = np.arange(upto)
    one = {
        "Poisson(2)": stats.poisson(2).pmf, "Poisson(3)": stats.poisson(3).pmf, "DiscreteUniform(0, 0)": lambda k: 1.0*(k == 0),
        "Binomial(3, 0.3)": stats.binom(3, 0.3).pmf, "Binomial(2, 0.6)": stats.binom(2, 0.6).pmf,
        "Binomial(5, 0.4)": stats.binom(5, 0.4).pmf,
    }  # fmt: skip
    if law in one:
        return one[law](k)
    first, second = law[len("Mixture(w, ") : -1].split("), ")
    return w * one[first + ")"](k) + (1 - w) * one[second](k)


@pytest.mark.parametrize(("p", "q", "lies"), COUNTS_MIXED)
def test_a_mixture_of_counts_lies_where_its_parts_do(p, q, lies):
    a, b = masses_of(p, 0.4), masses_of(q, 0.4)
    d = symgen.loads(f"param w: unit\ndist p(x) = {p}\ndist q(x) = {q}\n").derive("KL(p || q)")
    assert d.evidence.kind == "checked"
    want = np.sum(a[a > 0] * np.log(a[a > 0] / b[a > 0])) if lies else math.inf
    assert d.evaluate(**({"w": 0.4} if lies else {})) == pytest.approx(want, rel=1e-10)


@pytest.mark.parametrize("s", [1.2, 1.5])
def test_the_chi_square_divergence_of_a_mixture_is_a_sum_over_pairs_of_its_parts(s):
    model = symgen.loads("param s: positive, m: real, w: unit\ndist p(x) = Mixture(w, Normal(m, 1), Normal(-1, s))\n"
                         "dist q(x) = Normal(0, 1)\n")  # fmt: skip
    d = model.derive("chi2(p || q)")
    x = np.linspace(-25, 25, 200_001)
    p = 0.3 * stats.norm.pdf(x, 0.4, 1) + 0.7 * stats.norm.pdf(x, -1, s)
    want = np.sum(p**2 / stats.norm.pdf(x)) * (x[1] - x[0]) - 1 if s**2 < 2 else math.inf
    assert d.text_result.startswith("where(s^2 < 2, ") and d.evidence.kind == "checked"
    assert d.evaluate(s=s, m=0.4, w=0.3) == pytest.approx(want, rel=1e-10)


def test_the_chi_square_divergence_of_mixed_counts_is_their_sum():
    d = symgen.loads("param w: unit\ndist p(x) = Mixture(w, DiscreteUniform(0, 0), Poisson(2))\ndist q(x) = Poisson(3)\n").derive(
        "chi2(p || q)"
    )
    a, b = masses_of("Mixture(w, DiscreteUniform(0, 0), Poisson(2))", 0.4), masses_of("Poisson(3)", 0.4)
    assert d.evaluate(w=0.4) == pytest.approx(np.sum(a**2 / b) - 1, rel=1e-12) and d.evidence.kind == "checked"
