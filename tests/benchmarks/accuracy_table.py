"""The rows of the accuracy table: divergences in the language, with their values in 60 digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath as mp

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A divergence of p(first) and q(second) in the language, its value in 60 digits, the parameters of p."""

    goal: str
    exact: Callable[[Values], Any]
    at: tuple[str, ...]
    torch: str = ""


lg, psi, log, exp = mp.loggamma, mp.digamma, mp.log, mp.exp


def kl_normal(m1: Any, s1: Any, m2: Any, s2: Any) -> Any:
    return log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - mp.mpf(1) / 2


def kl_gamma(a1: Any, b1: Any, a2: Any, b2: Any) -> Any:
    return (a1 - a2) * psi(a1) - lg(a1) + lg(a2) + a2 * log(b1 / b2) + a1 * (b2 - b1) / b1


def kl_beta(a1: Any, b1: Any, a2: Any, b2: Any) -> Any:
    return (lg(a2) + lg(b2) - lg(a2 + b2) - lg(a1) - lg(b1) + lg(a1 + b1) + (a1 - a2) * psi(a1) + (b1 - b2) * psi(b1)
            + (a2 - a1 + b2 - b1) * psi(a1 + b1))  # fmt: skip


def kl_bernoulli(p: Any, q: Any) -> Any:
    return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))


def kl_weibull(k1: Any, l1: Any, k2: Any, l2: Any) -> Any:
    return (log(k1 / l1**k1) - log(k2 / l2**k2) + (k1 - k2) * (log(l1) - mp.euler / k1)
            + (l1 / l2) ** k2 * mp.gamma(k2 / k1 + 1) - 1)  # fmt: skip


def kl_gumbel(m1: Any, b1: Any, m2: Any, b2: Any) -> Any:
    return (log(b2) - log(b1) + mp.euler * (b1 / b2 - 1) + exp((m2 - m1) / b2 + lg(b1 / b2 + 1)) - 1
            + (m1 - m2) / b2)  # fmt: skip


def kl_laplace(m1: Any, b1: Any, m2: Any, b2: Any) -> Any:
    d = abs(m1 - m2)
    return log(b2 / b1) + (d + b1 * exp(-d / b1)) / b2 - 1


def kl_cauchy(m1: Any, b1: Any, m2: Any, b2: Any) -> Any:
    return log(((b1 + b2) ** 2 + (m1 - m2) ** 2) / (4 * b1 * b2))


def kl_dirichlet(a: Any, b: Any) -> Any:
    s = sum(a)
    return lg(s) - sum(map(lg, a)) - lg(sum(b)) + sum(map(lg, b)) + sum((x - y) * (psi(x) - psi(s)) for x, y in zip(a, b))


def kl_categorical(a: Any, b: Any) -> Any:
    return sum(x * log(x / y) - x + y for x, y in zip(a, b))  # both sum to 1 but for rounding


def kl_mv(m1: Any, S1: Any, m2: Any, S2: Any) -> Any:
    A, B = mp.matrix(S1), mp.matrix(S2)
    inverse, d = B**-1, mp.matrix(m2) - mp.matrix(m1)
    k = A.rows
    T = inverse * A
    return (sum(T[i, i] for i in range(k)) + (d.T * inverse * d)[0] - k + log(mp.det(B)) - log(mp.det(A))) / 2


def kl_wishart(n1: Any, V1: Any, n2: Any, V2: Any) -> Any:
    A, B = mp.matrix(V1), mp.matrix(V2)
    k, T = A.rows, B**-1 * A

    def sums(f: Any, n: Any) -> Any:
        return sum(f((n - j) / 2) for j in range(k))

    far = n2 * (log(mp.det(B)) - log(mp.det(A))) + n1 * (sum(T[i, i] for i in range(k)) - k)
    return far / 2 + sums(lg, n2) - sums(lg, n1) + (n1 - n2) / 2 * sums(psi, n1)


def affinity_normal(a: Any, m1: Any, s1: Any, m2: Any, s2: Any) -> Any:
    """log of the integral of p^a q^(1 - a)."""
    v = (1 - a) * s1**2 + a * s2**2
    return -a * (1 - a) * (m1 - m2) ** 2 / (2 * v) + (1 - a) * log(s1) + a * log(s2) - log(v) / 2


def kl_generalized_gamma(a1: Any, d1: Any, p1: Any, a2: Any, d2: Any, p2: Any) -> Any:
    return (log(p1 / p2) + d2 * log(a2) - d1 * log(a1) + lg(d2 / p2) - lg(d1 / p1) + (psi(d1 / p1) / p1 + log(a1)) * (d1 - d2)
            + exp(lg((d1 + p2) / p1) - lg(d1 / p1) + p2 * log(a1 / a2)) - d1 / p1)  # fmt: skip


def kl_moyal(m1: Any, s1: Any, m2: Any, s2: Any) -> Any:
    r, c = s1 / s2, log(2) + mp.euler
    return (log(s2 / s1) - (c + 1) / 2 + (m1 - m2) / (2 * s2) + r * c / 2
            + exp((m2 - m1) / s2 + r * log(2) + lg(half + r)) / mp.sqrt(mp.pi) / 2)  # fmt: skip


def kl_asymmetric_laplace(m1: Any, l1: Any, k1: Any, m2: Any, l2: Any, k2: Any) -> Any:
    d, beyond = m2 - m1, (1 - k1**2) / (l1 * k1)
    if d >= 0:
        above = exp(-l1 * k1 * d) / ((1 + k1**2) * l1 * k1)
        below = above - (beyond - d)
    else:
        below = k1**3 / ((1 + k1**2) * l1) * exp(l1 / k1 * d)
        above = below + beyond - d
    return log(l1 / (k1 + 1 / k1)) - log(l2 / (k2 + 1 / k2)) - 1 + l2 * k2 * above + l2 / k2 * below


def kl_lomax(a1: Any, l1: Any, a2: Any, l2: Any) -> Any:
    return log(a1 / l1) - log(a2 / l2) - (a1 + 1) / a1 + (a2 + 1) * mp.hyp2f1(1, a1, a1 + 1, 1 - l2 / l1) / a1


def kl_gompertz(e1: Any, b1: Any, e2: Any, b2: Any) -> Any:
    mean, s = exp(e1) * mp.e1(e1) / b1, b2 / b1
    return (log(b1 * e1) + e1 + b1 * mean - e1 - 1 - log(b2 * e2) - e2 - b2 * mean
            + e2 * exp(e1) * e1**-s * mp.gammainc(1 + s, e1))  # fmt: skip


def kl_continuous_bernoulli(p: Any, q: Any) -> Any:
    h, g = log(p / (1 - p)), log(q / (1 - q))
    mean = p / (2 * p - 1) - 1 / h
    return mean * (h - g) + log((1 - p) / (1 - q)) + log(h / (2 * p - 1)) - log(g / (2 * q - 1))


def kl_von_mises(m1: Any, k1: Any, m2: Any, k2: Any) -> Any:
    return log(mp.besseli(0, k2) / mp.besseli(0, k1)) + mp.besseli(1, k1) / mp.besseli(0, k1) * (k1 - k2 * mp.cos(m1 - m2))


def kl_log_series(p: Any, q: Any) -> Any:
    return -p / ((1 - p) * log(1 - p)) * log(p / q) + log(log(1 - q) / log(1 - p))


def kl_truncated_normal(m1: Any, s1: Any, p1: Any, m2: Any, s2: Any, p2: Any) -> Any:
    """Of laws on -p1 .. 2 and on -p2 .. 2."""
    low, high = (-p1 - m1) / s1, (2 - m1) / s1
    mass = mp.ncdf(high) - mp.ncdf(low)
    first = (mp.npdf(low) - mp.npdf(high)) / mass
    second = 1 + (low * mp.npdf(low) - high * mp.npdf(high)) / mass
    far = mp.ncdf((2 - m2) / s2) - mp.ncdf((-p2 - m2) / s2)
    d = m1 - m2
    return log(s2 * far / (s1 * mass)) - second / 2 + (s1**2 * second + 2 * s1 * d * first + d**2) / (2 * s2**2)


def kl_truncated_exponential(x: Any, p: Any, y: Any, q: Any) -> Any:
    """Of laws on -p .. 2 and on -q .. 2."""
    long, wide = 2 + p, 2 + q
    mean = 1 / x - long * exp(-x * long) / -mp.expm1(-x * long) - p
    return log(x / y) + (y - x) * mean + y * q - x * p + log(mp.expm1(-y * wide) / mp.expm1(-x * long))


def tv_normal(m1: Any, s1: Any, m2: Any, s2: Any) -> Any:
    """|P - Q| of what lies between the two points where the densities cross."""
    d, c = m2 - m1, 2 * log(s2 / s1)
    a, b = s1**-2 - s2**-2, 2 * d / s2**2  # a x^2 + b x = d^2/s2^2 + c, with x from m1
    root = mp.sqrt(b**2 + 4 * a * (d**2 / s2**2 + c))
    ends = [(-b + sign * root) / (2 * a) for sign in (1, -1)]
    gaps = [mp.ncdf(x / s1) - mp.ncdf((x - d) / s2) for x in ends]
    return abs(gaps[0] - gaps[1])


def tv_exponential(x: Any, y: Any) -> Any:
    at = log(x / y) / (x - y)
    return abs(exp(-x * at) - exp(-y * at))


def tv_gamma(a: Any, b: Any, _: Any, d: Any) -> Any:
    at = a * log(b / d) / (b - d)
    return abs(mp.gammainc(a, b * at, d * at, regularized=True))


def tv_poisson(x: Any, y: Any) -> Any:
    k = mp.floor((x - y) / log(x / y))
    return abs(mp.gammainc(k + 1, x, y, regularized=True))


def case(family: str, names: str, exact: Any, torch: str = "", goal: str = "KL({} || {})") -> Case:
    """A goal over one family: names `a b` are parameters a1 b1 and a2 b2."""
    given = names.split()
    first, second = (f"{family}({', '.join(_placed(x, n) for x in given)})" for n in "12")
    own = tuple(x for x in given if not x.startswith("="))
    return Case(
        goal.format(first, second),
        lambda v: exact(*(v[x + n] for n in "12" for x in own)),
        tuple(x for x in own),
        torch,
    )


def _placed(x: str, n: str) -> str:
    return x[1:] if x.startswith("=") else x + n


half = mp.mpf(1) / 2


def lbeta(a: Any, b: Any) -> Any:
    return lg(a) + lg(b) - lg(a + b)


CASES: dict[str, Case] = {
    "Normal": case("Normal", "m a", kl_normal, "Normal"),
    "LogNormal": case("LogNormal", "m a", kl_normal, "LogNormal"),
    "Normal diagonal": case("Normal", "mu s", lambda *v: sum(kl_normal(*x) for x in zip(*v)), "Normal"),
    "MvNormal": case("MvNormal", "mu S", kl_mv, "MultivariateNormal"),
    "Wishart": Case(
        "KL(Wishart(nu1, S1) || Wishart(nu2, S2))",
        lambda v: kl_wishart(v["nu1"], v["S1"], v["nu2"], v["S2"]), ("nu", "S"),
    ),
    "Exponential": case("Exponential", "a", lambda x, y: log(x / y) + y / x - 1, "Exponential"),
    "Poisson": case("Poisson", "a", lambda x, y: x * log(x / y) + y - x, "Poisson"),
    "Gamma": case("Gamma", "a b", kl_gamma, "Gamma"),
    "InverseGamma": case("InverseGamma", "a b", kl_gamma, "InverseGamma"),
    "Chi2": case("Chi2", "a", lambda x, y: kl_gamma(x / 2, half, y / 2, half), "Chi2"),
    "Beta": case("Beta", "a b", kl_beta, "Beta"),
    "Dirichlet": case("Dirichlet", "al", kl_dirichlet, "Dirichlet"),
    "Bernoulli": case("Bernoulli", "p", kl_bernoulli, "Bernoulli"),
    "Binomial": case("Binomial", "=n p", lambda x, y: 3 * kl_bernoulli(x, y)),
    "Geometric": case("Geometric", "p", lambda x, y: kl_bernoulli(x, y) / x, "Geometric"),
    "NegativeBinomial": case("NegativeBinomial", "=3 p", lambda x, y: 3 * kl_bernoulli(x, y) / (1 - x)),
    "Categorical": case("Categorical", "w", kl_categorical, "Categorical"),
    "OneHotCategorical": case("OneHotCategorical", "w", kl_categorical),
    "Laplace": case("Laplace", "m b", kl_laplace, "Laplace"),
    "Weibull": case("Weibull", "a b", kl_weibull),
    "Gumbel": case("Gumbel", "m b", kl_gumbel, "Gumbel"),
    "Cauchy": case("Cauchy", "m b", kl_cauchy, "Cauchy"),
    "Pareto": case("Pareto", "=1 a", lambda x, y: log(x / y) + y / x - 1),
    "HalfNormal": case("HalfNormal", "a", lambda x, y: kl_normal(0, x, 0, y), "HalfNormal"),
    "Rayleigh": case("Rayleigh", "a", lambda x, y: 2 * kl_normal(0, x, 0, y)),
    "Maxwell": case("Maxwell", "a", lambda x, y: 3 * kl_normal(0, x, 0, y)),
    "Nakagami": case("Nakagami", "a b", lambda a, b, c, d: kl_gamma(a, a / b, c, c / d)),
    "InverseGaussian": case(
        "InverseGaussian", "a b",
        lambda a, b, c, d: (log(b / d) + d / b - 1 + d * (a - c) ** 2 / (a * c**2)) / 2,
    ),
    "Levy": case("Levy", "a", lambda x, y: (log(x / y) + y / x - 1) / 2),
    "Frechet": case("Frechet", "a b", lambda a, s, c, t: kl_weibull(a, 1 / s, c, 1 / t)),
    "ExpGamma": case("ExpGamma", "a b", kl_gamma),
    "GeneralizedGamma": case("GeneralizedGamma", "a b c", kl_generalized_gamma),
    "Moyal": case("Moyal", "m a", kl_moyal),
    "AsymmetricLaplace": case("AsymmetricLaplace", "m a c", kl_asymmetric_laplace),
    "Lomax": case("Lomax", "a b", kl_lomax),
    "Gompertz": case("Gompertz", "a b", kl_gompertz),
    "ContinuousBernoulli": case("ContinuousBernoulli", "p", kl_continuous_bernoulli, "ContinuousBernoulli"),
    "VonMises": case("VonMises", "m a", kl_von_mises),
    "LogSeries": case("LogSeries", "p", kl_log_series),
    "Logistic of one scale": case(
        "Logistic", "m =1.3", lambda x, y: (x - y) / (mp.mpf(13) / 10) * mp.coth((x - y) / (mp.mpf(13) / 10) / 2) - 2
    ),
    "LogLogistic of one shape": Case(
        "KL(LogLogistic(a1, b1) || LogLogistic(a2, b1))",
        lambda v: (lambda w: w * mp.coth(w / 2) - 2)(v["b1"] * log(v["a1"] / v["a2"])), ("a", "b"),
    ),
    "Normal to its prior": Case("KL(Normal(m1, a1) || Normal(0, 1))", lambda v: kl_normal(v["m1"], v["a1"], 0, 1), ("m0", "a0")),
    "hellinger Normal": case(
        "Normal", "m a", lambda *v: 1 - exp(affinity_normal(half, *v)), goal="hellinger({}, {})"
    ),
    "chi2 Normal": case("Normal", "m a", lambda *v: exp(affinity_normal(2, *v)) - 1, goal="chi2({} || {})"),
    "renyi Normal": case("Normal", "m a", lambda *v: affinity_normal(half, *v) / (half - 1), goal="renyi({}, {}, 1/2)"),
    "renyi Normal of order 1/3": case(
        "Normal", "m a", lambda *v: affinity_normal(half * 2 / 3, *v) * mp.mpf(-3) / 2, goal="renyi({}, {}, 1/3)"
    ),
    "renyi LogitNormal of order 3/10": case(
        "LogitNormal", "m a", lambda *v: affinity_normal(mp.mpf(3) / 10, *v) / (mp.mpf(3) / 10 - 1),
        goal="renyi({}, {}, 3/10)",
    ),
    "renyi Beta of order 1/3": case(
        "Beta", "a b",
        lambda a, b, c, d: mp.mpf(-3) / 2 * (lbeta((a + 2 * c) / 3, (b + 2 * d) / 3) - lbeta(a, b) / 3 - 2 * lbeta(c, d) / 3),
        goal="renyi({}, {}, 1/3)",
    ),
    "hellinger Exponential": case(
        "Exponential", "a", lambda x, y: 1 - 2 * mp.sqrt(x * y) / (x + y), goal="hellinger({}, {})"
    ),
    "chi2 Exponential": case("Exponential", "a", lambda x, y: x**2 / (y * (2 * x - y)) - 1, goal="chi2({} || {})"),
    "renyi Exponential": case("Exponential", "a", lambda x, y: 2 * log((x + y) / (2 * mp.sqrt(x * y))), goal="renyi({}, {}, 1/2)"),
    "chi2 Poisson": case("Poisson", "a", lambda x, y: exp((x - y) ** 2 / y) - 1, goal="chi2({} || {})"),
    "hellinger Poisson": case(
        "Poisson", "a", lambda x, y: 1 - exp(-((mp.sqrt(x) - mp.sqrt(y)) ** 2) / 2), goal="hellinger({}, {})"
    ),
    "chi2 Bernoulli": case("Bernoulli", "p", lambda x, y: (x - y) ** 2 / (y * (1 - y)), goal="chi2({} || {})"),
    "hellinger Bernoulli": case(
        "Bernoulli", "p", lambda x, y: 1 - mp.sqrt(x * y) - mp.sqrt((1 - x) * (1 - y)), goal="hellinger({}, {})"
    ),
    "JS Bernoulli": case(
        "Bernoulli", "p",
        lambda x, y: (kl_bernoulli(x, (x + y) / 2) + kl_bernoulli(y, (x + y) / 2)) / 2, goal="JS({}, {})",
    ),
    "JS Categorical": case(
        "Categorical", "w",
        lambda a, b: sum(kl_categorical(x, [(u + v) / 2 for u, v in zip(a, b)]) for x in (a, b)) / 2, goal="JS({}, {})",
    ),
    "hellinger Gamma": case("Gamma", "a b", lambda *v: 1 - exp(_affinity_gamma(*v)), goal="hellinger({}, {})"),
    "hellinger Beta": case("Beta", "a b", lambda *v: 1 - exp(_affinity_beta(*v)), goal="hellinger({}, {})"),
    "chi2 Gamma": case("Gamma", "a b", lambda *v: exp(_power_gamma(*v)) - 1, goal="chi2({} || {})"),
    "renyi Gamma": case("Gamma", "a b", lambda *v: -2 * _affinity_gamma(*v), goal="renyi({}, {}, 1/2)"),
    "renyi HalfNormal": case("HalfNormal", "a", lambda x, y: log((x**2 + y**2) / (2 * x * y)), goal="renyi({}, {}, 1/2)"),
    "hellinger Geometric": case(
        "Geometric", "p", lambda x, y: 1 - mp.sqrt(x * y) / (1 - mp.sqrt((1 - x) * (1 - y))), goal="hellinger({}, {})"
    ),
    "renyi Bernoulli": case(
        "Bernoulli", "p", lambda x, y: log(x**2 / y + (1 - x) ** 2 / (1 - y)), goal="renyi({}, {}, 2)"
    ),
    "Chi": case("Chi", "a", lambda x, y: kl_gamma(x / 2, half, y / 2, half)),
    "BetaPrime": case("BetaPrime", "a b", kl_beta),
    "LogitNormal": case("LogitNormal", "m a", kl_normal),
    "HalfCauchy": case("HalfCauchy", "a", lambda x, y: 2 * log((x + y) / (2 * mp.sqrt(x * y)))),
    "renyi Gamma of order 1/3": case(
        "Gamma", "a b", lambda *v: mp.mpf(-3) / 2 * _power_of_gammas(mp.mpf(1) / 3, *v), goal="renyi({}, {}, 1/3)"
    ),
    "hellinger Dirichlet": case("Dirichlet", "al", lambda a, b: 1 - exp(_affinity_dirichlet(a, b)), goal="hellinger({}, {})"),
    "hellinger MvNormal": case("MvNormal", "mu S", lambda *v: 1 - exp(_affinity_mv(*v)), goal="hellinger({}, {})"),
    "renyi Categorical of order 1/3": case(
        "Categorical", "w",
        lambda a, b: mp.mpf(-3) / 2 * log(1 + sum(mp.cbrt(x * y * y) - (x + 2 * y) / 3 for x, y in zip(a, b))),
        goal="renyi({}, {}, 1/3)",
    ),
    "Bernoulli of logits": Case(
        "KL(Bernoulli(sigmoid(m1)) || Bernoulli(sigmoid(m2)))",
        lambda v: kl_bernoulli(*(1 / (1 + exp(-v[n])) for n in ("m1", "m2"))), ("m",),
    ),
    "wasserstein2 Exponential": case("Exponential", "a", lambda x, y: 2 * (1 / x - 1 / y) ** 2, goal="wasserstein2({}, {})"),
    "cross entropy less entropy of Gamma": Case(
        "cross_entropy(Gamma(a1, b1), Gamma(a2, b2)) - entropy(Gamma(a1, b1))",
        lambda v: kl_gamma(v["a1"], v["b1"], v["a2"], v["b2"]), ("a", "b"),
    ),
    "TruncatedNormal": Case(
        "KL(TruncatedNormal(m1, a1, -p1, 2) || TruncatedNormal(m2, a2, -p2, 2))",
        lambda v: kl_truncated_normal(*(v[n + k] for k in "12" for n in "map")), ("m", "a", "p"),
    ),
    "TruncatedExponential": Case(
        "KL(TruncatedExponential(a1, -p1, 2) || TruncatedExponential(a2, -p2, 2))",
        lambda v: kl_truncated_exponential(*(v[n + k] for k in "12" for n in "ap")), ("a", "p"),
    ),
    "LogUniform": Case(
        "KL(LogUniform(1, 1 + a1) || LogUniform(1, 1 + a2))",
        lambda v: log(mp.log1p(v["a2"]) / mp.log1p(v["a1"])), ("a",),
    ),
    "hellinger Laplace": case("Laplace", "m b", lambda *v: 1 - _affinity_laplace(half, *v), goal="hellinger({}, {})"),
    "renyi Laplace of order 3/2": case(
        "Laplace", "m b", lambda *v: 2 * log(_affinity_laplace(3 * half, *v)), goal="renyi({}, {}, 3/2)"
    ),
    "tv Normal": case("Normal", "m a", tv_normal, goal="tv({}, {})"),
    "tv Exponential": case("Exponential", "a", tv_exponential, goal="tv({}, {})"),
    "tv Gamma of one shape": Case(
        "tv(Gamma(13/10, b1), Gamma(13/10, b2))",
        lambda v: tv_gamma(mp.mpf(13) / 10, v["b1"], 0, v["b2"]), ("b",)
    ),
    "tv Poisson": case("Poisson", "a", tv_poisson, goal="tv({}, {})"),
    "hellinger ContinuousBernoulli": case(
        "ContinuousBernoulli", "p", lambda u, v: 1 - _affinity_continuous(u, v), goal="hellinger({}, {})"
    ),
    "wasserstein2 LogNormal": case(
        "LogNormal", "m a",
        lambda m, s, u, t: exp(2 * m + 2 * s**2) + exp(2 * u + 2 * t**2) - 2 * exp(m + u + (s + t) ** 2 / 2),
        goal="wasserstein2({}, {})",
    ),
    "wasserstein2 Pareto": Case(
        "wasserstein2(Pareto(a1, 2 + b1), Pareto(a2, 2 + b2))",
        lambda v: _transport_pareto(v["a1"], 2 + v["b1"], v["a2"], 2 + v["b2"]), ("a", "b"),
    ),
    "wasserstein2 Normal": case("Normal", "m a", lambda m, s, u, t: (m - u) ** 2 + (s - t) ** 2, goal="wasserstein2({}, {})"),
}  # fmt: skip


def _affinity_gamma(a: Any, b: Any, c: Any, d: Any) -> Any:
    return lg((a + c) / 2) - (lg(a) + lg(c)) / 2 + (a * log(b) + c * log(d)) / 2 - (a + c) / 2 * log((b + d) / 2)


def _affinity_laplace(a: Any, m1: Any, b1: Any, m2: Any, b2: Any) -> Any:
    """The integral of p^a q^(1 - a): left, right and between the two modes."""
    d, x, y = abs(m1 - m2), a / b1, (1 - a) / b2
    between = d * exp(-x * d) if x == y else (exp(-y * d) - exp(-x * d)) / (x - y)
    return ((exp(-x * d) + exp(-y * d)) / (x + y) + between) / ((2 * b1) ** a * (2 * b2) ** (1 - a))


def _affinity_continuous(u: Any, v: Any) -> Any:
    g, h = log(u / (1 - u)), log(v / (1 - v))
    middle = (g + h) / 2
    return mp.sqrt((1 - u) * (1 - v) * g * h / ((2 * u - 1) * (2 * v - 1))) * mp.expm1(middle) / middle


def _transport_pareto(a: Any, x: Any, b: Any, y: Any) -> Any:
    return a**2 * x / (x - 2) + b**2 * y / (y - 2) - 2 * a * b / (1 - 1 / x - 1 / y)


def _power_of_gammas(t: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    m = t * a + (1 - t) * c
    return lg(m) - t * lg(a) - (1 - t) * lg(c) + t * a * log(b) + (1 - t) * c * log(d) - m * log(t * b + (1 - t) * d)


def _affinity_dirichlet(a: Any, b: Any) -> Any:
    def lbeta_of(x: Any) -> Any:
        return sum(map(lg, x)) - lg(sum(x))

    return lbeta_of([(x + y) / 2 for x, y in zip(a, b)]) - (lbeta_of(a) + lbeta_of(b)) / 2


def _affinity_mv(m1: Any, S1: Any, m2: Any, S2: Any) -> Any:
    A, B = mp.matrix(S1), mp.matrix(S2)
    M, d = (A + B) / 2, mp.matrix(m2) - mp.matrix(m1)
    return (log(mp.det(A)) + log(mp.det(B))) / 4 - log(mp.det(M)) / 2 - (d.T * M**-1 * d)[0] / 8


def _power_gamma(a: Any, b: Any, c: Any, d: Any) -> Any:
    return 2 * a * log(b) - c * log(d) + (c - 2 * a) * log(2 * b - d) + lg(c) + lg(2 * a - c) - 2 * lg(a)


def _affinity_beta(a: Any, b: Any, c: Any, d: Any) -> Any:
    def lbeta(x: Any, y: Any) -> Any:
        return lg(x) + lg(y) - lg(x + y)

    return lbeta((a + c) / 2, (b + d) / 2) - (lbeta(a, b) + lbeta(c, d)) / 2
