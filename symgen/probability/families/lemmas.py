"""Means of functions of a draw ▣: one lemma each, with the condition under which it exists. E x and Var x stand
with the distributions; what follows from these by derivatives is generated (see `lemma.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import comb

from symgen.probability.families.lemma import Antiderivative, Lemma

POWER, MGF, ABS = "x^j", "exp(t*x)", "abs(x - v)"
JOHNSON = "Johnson, Kotz & Balakrishnan (1994)"
DLMF = "DLMF (2024), 5.2.1"
E1_OF_COMPLEX = "DLMF (2024), 6.2.1, 13.6.6: real part of E log(w + i (x - v)), exp(z) E_1(z) = U(1, 1, z)"
LERCH_OF_COMPLEX = "DLMF (2024), 25.14.5: real part of E log(w + i (x - v))"


def _power(of: str, n: int) -> str:
    return "1" if n == 0 else of if n == 1 else f"{of}^{n}"


def _powers(family: str, scale: str, even: Callable[[int], str], when: str = "", source: str = "") -> Iterator[Lemma]:
    """E x^n and E (x - v)^n, n = 3 .. 8, of x = mu + scale z, z even in law and E z^j = `even(j)`: the binomial theorem."""
    for n in range(3, 9):
        for of, middle in ((f"(x - mu)^{n}", "0"), (f"(x - v)^{n}", "(mu - v)"), (f"x^{n}", "mu")):
            terms = (f"{comb(n, j)}*{_power(middle, n - j)}*{_power(scale, j)}*{even(j) if j else 1}" for j in range(0, n + 1, 2))
            yield Lemma(family, of, " + ".join(terms), when.format(n=n), "nan" if n % 2 else "inf", source=source)


LEMMAS = (
    # x^j: the Mellin transform
    Lemma("Exponential", POWER, "gamma(1 + j)/rate^j", "j > -1", source=DLMF),
    Lemma("Gamma", POWER, "gamma(a + j)/(gamma(a)*r^j)", "a + j > 0", source=DLMF),
    Lemma("Chi2", POWER, "2^j*gamma(k/2 + j)/gamma(k/2)", "k/2 + j > 0", source=DLMF),
    Lemma("InverseGamma", POWER, "b^j*gamma(a - j)/gamma(a)", "j < a", source=DLMF),
    Lemma("Levy", POWER, "(c/2)^j*gamma(1/2 - j)/gamma(1/2)", "j < 1/2", source=DLMF),
    Lemma("Weibull", POWER, "lam^j*gamma(1 + j/k)", "j/k > -1", source=DLMF),
    Lemma("Frechet", POWER, "s^j*gamma(1 - j/alpha)", "j < alpha", source=DLMF),
    Lemma("HalfNormal", POWER, "(2*sigma^2)^(j/2)*gamma(1/2 + j/2)/gamma(1/2)", "j > -1", source=DLMF),
    Lemma("Rayleigh", POWER, "(2*sigma^2)^(j/2)*gamma(1 + j/2)", "j > -2", source=DLMF),
    Lemma("Maxwell", POWER, "(2*sigma^2)^(j/2)*gamma(3/2 + j/2)/gamma(3/2)", "j > -3", source=DLMF),
    Lemma("Chi", POWER, "2^(j/2)*gamma(k/2 + j/2)/gamma(k/2)", "k + j > 0", source=DLMF),
    Lemma("Nakagami", POWER, "(Om/m)^(j/2)*gamma(m + j/2)/gamma(m)", "2*m + j > 0", source=DLMF),
    Lemma("GeneralizedGamma", POWER, "a^j*gamma((d + j)/p)/gamma(d/p)", "d + j > 0", source=DLMF),
    Lemma("LogNormal", POWER, "exp(j*mu + j^2*sigma^2/2)", source="Johnson, Kotz & Balakrishnan (1994), 14"),
    Lemma("LogLogistic", POWER, "alpha^j*gamma(1 + j/beta)*gamma(1 - j/beta)", "-beta < j and j < beta", source=DLMF),
    Lemma("BetaPrime", POWER, "gamma(a + j)*gamma(b - j)/(gamma(a)*gamma(b))", "a + j > 0 and j < b", source=DLMF),
    Lemma("Lomax", POWER, "lam^j*gamma(1 + j)*gamma(alpha - j)/gamma(alpha)", "j > -1 and j < alpha", source=DLMF),
    Lemma("FisherSnedecor", POWER, "(dd/dn)^j*gamma(dn/2 + j)*gamma(dd/2 - j)/(gamma(dn/2)*gamma(dd/2))",
          "dn/2 + j > 0 and j < dd/2", source=DLMF),
    Lemma("Kumaraswamy", POWER, "b*gamma(1 + j/a)*gamma(b)/gamma(1 + j/a + b)", "a + j > 0", source="Jones (2009)"),
    Lemma("Pareto", POWER, "alpha*xm^j/(alpha - j)", "j < alpha", source=JOHNSON),
    Lemma("HalfCauchy", POWER, "gamma^j*gamma((1 + j)/2)*gamma((1 - j)/2)/pi", "-1 < j and j < 1", source=DLMF),
    Lemma("InverseGaussian", POWER, "exp(lam/mu)*sqrt(2*lam/pi)*mu^(j - 1/2)*besselk(j - 1/2, lam/mu)",
          source="Johnson, Kotz & Balakrishnan (1994), 15"),
    Lemma("ContinuousBernoulli", POWER,
          "where(lam == 1/2, 1/(j + 1), log(lam/(1 - lam))*(1 - lam)/(2*lam - 1)*hyp1f1(j + 1, j + 2, log(lam/(1 - lam)))/(j + 1))",
          "j > -1", source="DLMF (2024), 13.4.1"),
    Lemma("ContinuousBernoulli", "log(x)",
          "where(lam == 1/2, -1, -(Ei(log(lam/(1 - lam))) - log(abs(log(lam/(1 - lam)))) + digamma(1))*(1 - lam)/(2*lam - 1))",
          source="DLMF (2024), 6.2.3"),
    Lemma("ContinuousBernoulli", "log(1 - x)",
          "where(lam == 1/2, -1, (Ei(-log(lam/(1 - lam))) - log(abs(log(lam/(1 - lam)))) + digamma(1))*lam/(2*lam - 1))",
          source="DLMF (2024), 6.2.3"),
    Lemma("InverseGaussian", "x^(-1)", "1/mu + 1/lam", source=JOHNSON),
    Lemma("InverseGaussian", "log(x)", "log(mu) - exp(2*lam/mu)*E1(2*lam/mu)", source="Mudholkar & Tian (2002)"),
    Lemma("LogUniform", "x^j", "(hi^j - lo^j)/(j*log(hi/lo))", "j != 0", "undefined", source=JOHNSON),
    Lemma("LogUniform", "log(x)", "log(lo*hi)/2", source=JOHNSON),
    Lemma("LogUniform", "log(x)^2", "(log(hi)^2 + log(hi)*log(lo) + log(lo)^2)/3", source=JOHNSON),
    # x^j (1 - x)^w on the unit interval
    Lemma("Beta", "x^j*(1 - x)^w", "gamma(a + j)*gamma(b + w)*gamma(a + b)/(gamma(a + b + j + w)*gamma(a)*gamma(b))",
          "a + j > 0 and b + w > 0", source="DLMF (2024), 5.12.1"),
    # exp(t x): the moment generating function
    Lemma("Normal", MGF, "exp(mu*t + sigma^2*t^2/2)", source="Bishop (2006), 2.3"),
    Lemma("Laplace", MGF, "exp(mu*t)/(1 - b^2*t^2)", "b^2*t^2 < 1", source="Kotz et al. (2001), 2.1"),
    Lemma("Logistic", MGF, "exp(mu*t)*gamma(1 + s*t)*gamma(1 - s*t)", "s^2*t^2 < 1", source=JOHNSON),
    Lemma("Gumbel", MGF, "exp(mu*t)*gamma(1 - beta*t)", "beta*t < 1", source=JOHNSON),
    Lemma("Moyal", MGF, "exp(mu*t)*2^(-s*t)*gamma(1/2 - s*t)/gamma(1/2)", "s*t < 1/2", source="Walck (2007), 26"),
    Lemma("ExpGamma", MGF, "gamma(a + t)/(gamma(a)*r^t)", "a + t > 0", source=DLMF),
    Lemma("AsymmetricLaplace", MGF, "exp(m*t)/((1 - t/(lam*kappa))*(1 + kappa*t/lam))",
          "t < lam*kappa and -lam < kappa*t", source="Kotz et al. (2001), 3.1"),
    Lemma("InverseGaussian", MGF, "exp(lam/mu*(1 - sqrt(1 - 2*mu^2*t/lam)))", "t <= lam/(2*mu^2)", source=JOHNSON),
    Lemma("Poisson", MGF, "exp(lam*(exp(t) - 1))", source="Johnson, Kemp & Kotz (2005), 4"),
    Lemma("Geometric", MGF, "p/(1 - (1 - p)*exp(t))", "(1 - p)*exp(t) < 1", source="Johnson, Kemp & Kotz (2005), 5"),
    Lemma("Binomial", MGF, "(1 - p + p*exp(t))^n", source="Johnson, Kemp & Kotz (2005), 3"),
    Lemma("NegativeBinomial", MGF, "((1 - p)/(1 - p*exp(t)))^r", "p*exp(t) < 1",
          source="Johnson, Kemp & Kotz (2005), 5"),
    Lemma("LogSeries", MGF, "log(1 - p*exp(t))/log(1 - p)", "p*exp(t) < 1", source="Johnson, Kemp & Kotz (2005), 7"),
    Lemma("Beta", MGF, "hyp1f1(a, a + b, t)", source="DLMF (2024), 13.4.1"),
    Lemma("HalfNormal", MGF, "exp(sigma^2*t^2/2)*erfc(-sigma*t/sqrt(2))", source="DLMF (2024), 7.7.6"),
    Lemma("Rayleigh", MGF, "1 + sigma*t*exp(sigma^2*t^2/2)*sqrt(pi/2)*erfc(-sigma*t/sqrt(2))",
          source="DLMF (2024), 7.7.6"),
    Lemma("Gompertz", "exp(b*x)", "1 + 1/eta", source=JOHNSON),
    Lemma("Gompertz", MGF, "exp(eta)*eta^(-t/b)*gamma(1 + t/b)*(1 - igamma(1 + t/b, eta))", "t > 0", "undefined",
          source="DLMF (2024), 8.2.2"),
    Lemma("Maxwell", MGF, "(1 + sigma^2*t^2)*exp(sigma^2*t^2/2)*erfc(-sigma*t/sqrt(2)) + sigma*t*sqrt(2/pi)",
          source="DLMF (2024), 7.7.6"),
    Lemma("Chi", MGF, "gamma((k + 1)/2)/sqrt(pi)*hyperu(k/2, 1/2, t^2/2)", "t < 0", "undefined", source="DLMF (2024), 13.2.42"),
    Lemma("Chi", MGF, "hyp1f1(k/2, 1/2, t^2/2) + t*sqrt(2)*gamma((k + 1)/2)/gamma(k/2)*hyp1f1((k + 1)/2, 3/2, t^2/2)",
          source="Johnson, Kotz & Balakrishnan (1994), 18"),
    Lemma("InverseGamma", MGF, "2*(-b*t)^(a/2)*besselk(a, 2*sqrt(-b*t))/gamma(a)", "t < 0", "undefined",
          source="DLMF (2024), 10.32.10"),
    Lemma("Pareto", MGF, "alpha*exp(t*xm)*hyperu(1, 1 - alpha, -t*xm)", "t < 0", "undefined",
          source="DLMF (2024), 8.19.1"),
    Lemma("LogUniform", MGF, "(Ei(t*hi) - Ei(t*lo))/log(hi/lo)", "t != 0", "undefined", source="DLMF (2024), 6.2.5"),
    Lemma("LogUniform", MGF, "where(t == 0, 1, (Ei(t*hi) - Ei(t*lo))/log(hi/lo))", source="DLMF (2024), 6.2.5"),
    Lemma("ContinuousBernoulli", MGF,
          "where(lam == 1/2, where(t == 0, 1, (exp(t) - 1)/t),"
          " where(t == -log(lam/(1 - lam)), log(lam/(1 - lam))*(1 - lam)/(2*lam - 1),"
          " log(lam/(1 - lam))*(1 - lam)*(lam/(1 - lam)*exp(t) - 1)/((2*lam - 1)*(log(lam/(1 - lam)) + t))))",
          source="Loaiza-Ganem & Cunningham (2019)"),
    Lemma("TruncatedExponential", MGF,
          "rate*exp(t*a)*(1 - exp((t - rate)*(b - a)))/((rate - t)*(1 - exp(-rate*(b - a))))", "t < rate", "undefined",
          source="Johnson, Kotz & Balakrishnan (1994), 19"),
    Lemma("TruncatedExponential", MGF,
          "where(t == rate, rate*exp(t*a)*(b - a)/(1 - exp(-rate*(b - a))),"
          " rate*exp(t*a)*(1 - exp((t - rate)*(b - a)))/((rate - t)*(1 - exp(-rate*(b - a)))))",
          source="Johnson, Kotz & Balakrishnan (1994), 19"),
    Lemma("TruncatedNormal", MGF,
          "exp(mu*t + sigma^2*t^2/2)*(erf((b - mu - sigma^2*t)/(sigma*sqrt(2))) - erf((a - mu - sigma^2*t)/(sigma*sqrt(2))))"
          "/(erf((b - mu)/(sigma*sqrt(2))) - erf((a - mu)/(sigma*sqrt(2))))",
          source="Johnson, Kotz & Balakrishnan (1994), 13"),
    Lemma("TruncatedNormal", "x^2",
          "mu^2 + sigma^2 + sigma*sqrt(2/pi)*((a + mu)*exp(-((a - mu)/sigma)^2/2) - (b + mu)*exp(-((b - mu)/sigma)^2/2))"
          "/(erf((b - mu)/(sigma*sqrt(2))) - erf((a - mu)/(sigma*sqrt(2))))",
          source="Johnson, Kotz & Balakrishnan (1994), 13"),
    Lemma("Triangular", MGF,
          "2*((b - c)*exp(a*t) - (b - a)*exp(c*t) + (c - a)*exp(b*t))/((b - a)*(c - a)*(b - c)*t^2)", "t != 0", "undefined",
          source="Johnson, Kotz & Balakrishnan (1995), 26"),
    Lemma("Triangular", MGF,
          "where(t == 0, 1, 2*((b - c)*exp(a*t) - (b - a)*exp(c*t) + (c - a)*exp(b*t))/((b - a)*(c - a)*(b - c)*t^2))",
          source="Johnson, Kotz & Balakrishnan (1995), 26"),
    Lemma("Triangular", "x^3", "(a + b + c)*(a^2 + b^2 + c^2)/10 + a*b*c/10", source="Johnson, Kotz & Balakrishnan (1995), 26"),
    Lemma("DiscreteUniform", MGF, "where(t == 0, 1, (exp(t*a) - exp(t*(b + 1)))/((b - a + 1)*(1 - exp(t))))",
          source="Johnson, Kemp & Kotz (2005), 6"),
    Lemma("DiscreteUniform", "x^3", "((b*(b + 1))^2 - ((a - 1)*a)^2)/(4*(b - a + 1))",
          source="the sum of cubes is the square of a sum"),
    Lemma("DiscreteUniform", "x^4",
          "(b*(b + 1)*(2*b + 1)*(3*b^2 + 3*b - 1) - (a - 1)*a*(2*a - 1)*(3*(a - 1)^2 + 3*(a - 1) - 1))/(30*(b - a + 1))",
          source="the sum of fourth powers"),
    Lemma("VonMises", "cos(x)", "cos(mu)*besseli(1, kappa)/besseli(0, kappa)", source="Mardia & Jupp (2000), 3.5.4"),
    Lemma("VonMises", "sin(x)", "sin(mu)*besseli(1, kappa)/besseli(0, kappa)", source="Mardia & Jupp (2000), 3.5.4"),
    Lemma("VonMises", "sin(x - v)", "sin(mu - v)*besseli(1, kappa)/besseli(0, kappa)",
          source="Mardia & Jupp (2000), 3.5.4"),
    *(Lemma("VonMises", f"{f}({u})", f"{f}({u.replace('x', 'mu')})*besseli(t, kappa)/besseli(0, kappa)",
            "t > 0 and floor(t) == t", "undefined", "Mardia & Jupp (2000), 3.5.4")
      for f in ("cos", "sin") for u in ("t*x", "t*(x - v)", "t*x - v")),
    Lemma("VonMises", "cos(x - v)", "cos(mu - v)*besseli(1, kappa)/besseli(0, kappa)",
          source="Mardia & Jupp (2000), 3.5.4"),
    # x^j exp(t x): exponential tilting of a Gamma
    Lemma("Gamma", "x^j*exp(t*x)", "gamma(a + j)*r^a/(gamma(a)*(r - t)^(a + j))", "a + j > 0 and t < r", source=DLMF),
    Lemma("Exponential", "x^j*exp(t*x)", "gamma(1 + j)*rate/(rate - t)^(1 + j)", "j > -1 and t < rate", source=DLMF),
    Lemma("Chi2", "x^j*exp(t*x)", "2^j*gamma(k/2 + j)/(gamma(k/2)*(1 - 2*t)^(k/2 + j))", "k/2 + j > 0 and t < 1/2",
          source=DLMF),
    # infinite, where the condition holds
    Lemma("LogNormal", MGF, "inf", "t > 0", source="Johnson, Kotz & Balakrishnan (1994), 14"),
    *(Lemma(heavy, MGF, "inf", "t > 0", source="its tail is a power") for heavy in (
        "InverseGamma", "Levy", "Frechet", "LogLogistic", "BetaPrime", "Lomax", "FisherSnedecor", "Pareto",
        "HalfCauchy",
    )),
    *(Lemma(heavy, MGF, "inf", "t != 0", source="both tails are powers") for heavy in ("Cauchy", "StudentT")),
    Lemma("Cauchy", ABS, "inf", source="its tails are 1/x^2"),
    Lemma("Cauchy", "x^2", "inf", source="its tails are 1/x^2"),
    Lemma("Levy", ABS, "inf", source="its tail is x^(-3/2)"),
    Lemma("HalfCauchy", ABS, "inf", source="its tail is 1/x^2"),
    # |x - v|: partial expectations
    Lemma("Normal", ABS, "sigma*sqrt(2/pi)*exp(-((mu - v)/sigma)^2/2) + (mu - v)*erf((mu - v)/(sigma*sqrt(2)))",
          source="Leone, Nelson & Nottingham (1961)"),
    Lemma("Laplace", ABS, "abs(mu - v) + b*exp(-abs(mu - v)/b)", source="Kotz et al. (2001), 2.1"),
    Lemma("Logistic", ABS, "2*s*softplus(-abs(mu - v)/s) + abs(mu - v)",
          source="by the integral of its survival function"),
    Lemma("Gumbel", ABS, "beta*(2*E1(exp(-(v - mu)/beta)) - digamma(1)) - (v - mu)", source="DLMF (2024), 6.2.1"),
    Lemma("AsymmetricLaplace", ABS,
          "where(v < m, m + (1 - kappa^2)/(lam*kappa) - v + 2*kappa^3/(lam*(1 + kappa^2))*exp(lam/kappa*(v - m)),"
          " v - m - (1 - kappa^2)/(lam*kappa) + 2/(lam*kappa*(1 + kappa^2))*exp(-lam*kappa*(v - m)))",
          source="Kotz et al. (2001), 3.1"),
    Lemma("Exponential", ABS, "where(v < 0, 1/rate - v, v - 1/rate + 2*exp(-rate*v)/rate)",
          source="by the integral of its survival function"),
    Lemma("Gamma", ABS, "where(v < 0, a/r - v, v*(2*igamma(a, r*v) - 1) + a/r*(1 - 2*igamma(a + 1, r*v)))",
          source="DLMF (2024), 8.2.4"),
    Lemma("Chi2", ABS, "where(v < 0, k - v, v*(2*igamma(k/2, v/2) - 1) + k*(1 - 2*igamma(k/2 + 1, v/2)))",
          source="DLMF (2024), 8.2.4"),
    Lemma("Weibull", ABS,
          "where(v < 0, lam*gamma(1 + 1/k) - v,"
          " v*(1 - 2*exp(-(v/lam)^k)) + lam*gamma(1 + 1/k)*(1 - 2*igamma(1 + 1/k, (v/lam)^k)))",
          source="DLMF (2024), 8.2.4"),
    Lemma("Beta", ABS,
          "where(v < 0, a/(a + b) - v, where(v < 1, v*(2*ibeta(a, b, v) - 1) + a/(a + b)*(1 - 2*ibeta(a + 1, b, v)),"
          " v - a/(a + b)))", source="DLMF (2024), 8.17"),
    Lemma("Pareto", ABS,
          "where(v < xm, alpha*xm/(alpha - 1) - v, v - alpha*xm/(alpha - 1) + 2*xm^alpha*v^(1 - alpha)/(alpha - 1))",
          "alpha > 1", source="by the integral of its survival function"),
    Lemma("LogNormal", ABS,
          "where(v <= 0, exp(mu + sigma^2/2) - v, v*erf((log(v) - mu)/(sigma*sqrt(2)))"
          " - exp(mu + sigma^2/2)*erf((log(v) - mu - sigma^2)/(sigma*sqrt(2))))",
          source="Johnson, Kotz & Balakrishnan (1994), 14"),
    Lemma("HalfNormal", ABS,
          "where(v < 0, sigma*sqrt(2/pi) - v,"
          " v*(2*erf(v/(sigma*sqrt(2))) - 1) + sigma*sqrt(2/pi)*(2*exp(-v^2/(2*sigma^2)) - 1))",
          source="DLMF (2024), 7.2"),
    # .. of X = c Y^(1/p), Y of law Gamma(a): P(a, u) the regularised incomplete gamma function at u = (v/c)^p
    *(Lemma(family, ABS,
            f"where(v <= 0, {mean} - v, v*(2*igamma({a}, {u}) - 1) + {mean}*(1 - 2*igamma({a} + {e}, {u})))",
            source="DLMF (2024), 8.2.4") for family, mean, a, e, u in (
        ("Rayleigh", "sigma*sqrt(pi/2)", "1", "1/2", "v^2/(2*sigma^2)"),
        ("Maxwell", "2*sigma*sqrt(2/pi)", "3/2", "1/2", "v^2/(2*sigma^2)"),
        ("Chi", "sqrt(2)*gamma((k + 1)/2)/gamma(k/2)", "k/2", "1/2", "v^2/2"),
        ("Nakagami", "gamma(m + 1/2)/gamma(m)*sqrt(Om/m)", "m", "1/2", "m*v^2/Om"),
        ("GeneralizedGamma", "a*gamma((d + 1)/p)/gamma(d/p)", "d/p", "1/p", "(v/a)^p"),
    )),
    *(Lemma(family, ABS,
            f"where(v <= 0, {mean} - v, v*(1 - 2*igamma({a}, {u})) + {mean}*(2*igamma({a} - {e}, {u}) - 1))",
            when, source="DLMF (2024), 8.2.4") for family, mean, a, e, u, when in (
        ("InverseGamma", "b/(a - 1)", "a", "1", "b/v", "a > 1"),
        ("Frechet", "s*gamma(1 - 1/alpha)", "1", "1/alpha", "(s/v)^alpha", "alpha > 1"),
    )),
    Lemma("StudentT", ABS,
          "abs(mu - v)*(1 - ibeta(nu/2, 1/2, nu/(nu + ((v - mu)/sigma)^2))) + 2*sigma*(nu + ((v - mu)/sigma)^2)/(nu - 1)"
          "*(1 + ((v - mu)/sigma)^2/nu)^(-(nu + 1)/2)/(sqrt(nu)*beta(nu/2, 1/2))",
          "nu > 1", source="by the integral of its distribution function"),
    Lemma("Lomax", ABS,
          "where(v < 0, lam/(alpha - 1) - v, v - lam/(alpha - 1) + 2*lam/(alpha - 1)*(1 + v/lam)^(1 - alpha))",
          "alpha > 1", source="by the integral of its survival function"),
    *(Lemma(family, ABS,
            f"where(v <= 0, {mean} - v, v*(2*ibeta({a}, {b}, {u}) - 1) + {mean}*(1 - 2*ibeta({c}, {d}, {u})))",
            when, source="DLMF (2024), 8.17") for family, mean, a, b, c, d, u, when in (
        ("LogLogistic", "alpha*(pi/beta)/sin(pi/beta)", "1", "1", "1 + 1/beta", "1 - 1/beta",
         "(v/alpha)^beta/(1 + (v/alpha)^beta)", "beta > 1"),
        ("BetaPrime", "a/(b - 1)", "a", "b", "a + 1", "b - 1", "v/(1 + v)", "b > 1"),
        ("FisherSnedecor", "dd/(dd - 2)", "dn/2", "dd/2", "dn/2 + 1", "dd/2 - 1", "dn*v/(dd + dn*v)", "dd > 2"),
    )),
    Lemma("Kumaraswamy", ABS,
          "where(v <= 0, b*beta(1 + 1/a, b) - v, where(v < 1, v*(1 - 2*(1 - v^a)^b)"
          " + b*beta(1 + 1/a, b)*(1 - 2*ibeta(1 + 1/a, b, v^a)), v - b*beta(1 + 1/a, b)))", source="DLMF (2024), 8.17"),
    Lemma("InverseGaussian", ABS,
          "where(v <= 0, mu - v, (v - mu)*erf(sqrt(lam/(2*v))*(v/mu - 1))"
          " + (v + mu)*exp(2*lam/mu)*erfc(sqrt(lam/(2*v))*(v/mu + 1)))",
          source="Johnson, Kotz & Balakrishnan (1994), 15"),
    Lemma("LogUniform", ABS,
          "where(v <= lo, (hi - lo)/log(hi/lo) - v, where(v < hi,"
          " (v*log(v/lo) - v*log(hi/v) + hi + lo - 2*v)/log(hi/lo), v - (hi - lo)/log(hi/lo)))", source=JOHNSON),
    Lemma("ContinuousBernoulli", ABS,
          "where(v <= 0, _m - v, where(v < 1, where(lam == 1/2, v^2 - v + 1/2, v*(2*_c*((lam/(1 - lam))^v - 1) - 1) + _m"
          " - 2*_c*((v*_h - 1)*(lam/(1 - lam))^v + 1)/_h), v - _m))"
          .replace("_m", "where(lam == 1/2, 1/2, lam/(2*lam - 1) - 1/log(lam/(1 - lam)))").replace("_c", "((1 - lam)/(2*lam - 1))")
          .replace("_h", "log(lam/(1 - lam))"), source="by the integral of its distribution function"),
    # log-quadratics and their kin
    Lemma("Cauchy", "log(1 + ((x - v)/w)^2)", "log(((abs(w) + gamma)^2 + (x0 - v)^2)/w^2)",
          source="Chyzak & Nielsen (2019)"),
    Lemma("Cauchy", "log(1 + ((x - v)/w)^2/t)", "log(((abs(w)*sqrt(t) + gamma)^2 + (x0 - v)^2)/(w^2*t))", "t > 0",
          "undefined",          source="Chyzak & Nielsen (2019)"),
    *(Lemma(family, of, value.replace("_q", q.replace("_c", centre)).replace("_w", w), when, "undefined", source)
      for of, q, w, when in (
        ("log(1 + ((x - v)/w)^2)", "((_c - v)/w)^2", "abs(w)", ""),
        ("log(1 + ((x - v)/w)^2/t)", "((_c - v)/w)^2/t", "abs(w)*sqrt(t)", "t > 0"),
      )
      for family, centre, value, source in (
        ("Laplace", "mu", "log(1 + _q) + scaled_E1_re((mu - v)/b, _w/b) + scaled_E1_re((v - mu)/b, _w/b)", E1_OF_COMPLEX),
        ("AsymmetricLaplace", "m", "log(1 + _q) + 2/(1 + kappa^2)*scaled_E1_re(lam*kappa*(m - v), lam*kappa*_w)"
         " + 2*kappa^2/(1 + kappa^2)*scaled_E1_re(lam/kappa*(v - m), lam/kappa*_w)", E1_OF_COMPLEX),
        ("Exponential", "0", "log(1 + _q) + 2*scaled_E1_re(-rate*v, rate*_w)", E1_OF_COMPLEX),
        ("Logistic", "mu", "2*polygamma_re(0, 1/2 + _w/(2*pi*s), (mu - v)/(2*pi*s)) + 2*log(2*pi*s/_w)",
         "DLMF (2024), 5.9.16: real part of E log(w + i (x - v))"),
        ("Pareto", "xm", "log(1 + _q) + 2*lerch_re(1, alpha, v/xm, _w/xm)", LERCH_OF_COMPLEX),
        ("Lomax", "0", "log(1 + _q) + 2*lerch_re(1, alpha, 1 + v/lam, _w/lam)", LERCH_OF_COMPLEX),
      )),
    Lemma("HalfCauchy", "log(1 + (x/w)^2)", "2*log(1 + gamma/abs(w))", source="Chyzak & Nielsen (2019)"),
    Lemma("StudentT", "log(1 + ((x - mu)/sigma)^2/nu)", "digamma((nu + 1)/2) - digamma(nu/2)",
          source="DLMF (2024), 5.12.3"),
    *_powers("StudentT", "sigma", lambda j: f"nu^{j // 2}*" + "*".join(f"{i - 1}/(nu - {i})" for i in range(2, j + 1, 2)),
             "nu > {n}", "Johnson, Kotz & Balakrishnan (1995), 28"),
    Lemma("StudentT", "abs(x - mu)^v",
          "sigma^v*nu^(v/2)*gamma((v + 1)/2)*gamma((nu - v)/2)/(sqrt(pi)*gamma(nu/2))", "v > -1 and v < nu", "inf",
          source="Johnson, Kotz & Balakrishnan (1995), 28"),
    Lemma("Cauchy", "abs(x - x0)^v", "gamma^v/cos(pi*v/2)", "-1 < v and v < 1", "inf", source="DLMF (2024), 5.12.3"),
    *_powers("GeneralizedNormal", "alpha", lambda j: f"gamma({j + 1}/beta)/gamma(1/beta)", source="Nadarajah (2005)"),
    Lemma("GeneralizedNormal", "abs(x - mu)^beta", "alpha^beta/beta", source="Nadarajah (2005)"),
    Lemma("GeneralizedNormal", "abs(x - mu)", "alpha*gamma(2/beta)/gamma(1/beta)", source="Nadarajah (2005)"),
    Lemma("GeneralizedNormal", ABS,
          "abs(v - mu)*igamma(1/beta, (abs(v - mu)/alpha)^beta)"
          " + alpha*gamma(2/beta)/gamma(1/beta)*(1 - igamma(2/beta, (abs(v - mu)/alpha)^beta))", source="DLMF (2024), 8.2.4"),
    Lemma("Triangular", "where(x < c, log(x - a) - log(c - a), log(b - x) - log(b - c))", "-1/2",
          source="on each side the share of the way is the root of a uniform draw"),
    Lemma("GeneralizedNormal", "abs(x - mu)^v", "alpha^v*gamma((v + 1)/beta)/gamma(1/beta)", "v > -1",
          source="Nadarajah (2005)"),
    Lemma("Logistic", "softplus(-(x - mu)/s)", "1", source="sigmoid of a logistic draw is uniform"),
    Lemma("Logistic", "softplus(-(x - v)/s)", "where(v == mu, 1, (v - mu)/(s*(1 - exp(-(v - mu)/s))))",
          source="sigmoid of a logistic draw is uniform"),
    Lemma("LogLogistic", "log(1 + (x/alpha)^beta)", "1", source="its odds are uniform"),
    Lemma("LogLogistic", "log(1 + v*x^beta)",
          "where(v*alpha^beta == 1, 1, v*alpha^beta*(log(v) + beta*log(alpha))/(v*alpha^beta - 1))", "v > 0", "undefined",
          source="its odds are uniform"),
    Lemma("BetaPrime", "log(1 + x)", "digamma(a + b) - digamma(b)", source="DLMF (2024), 5.12.3"),
    Lemma("Lomax", "log(1 + x/lam)", "1/alpha", source="its logarithm is exponential"),
    Lemma("FisherSnedecor", "log(1 + dn*x/dd)", "digamma((dn + dd)/2) - digamma(dd/2)", source="DLMF (2024), 5.12.3"),
    Lemma("Kumaraswamy", "log(1 - x^a)", "-1/b", source="Jones (2009)"),
    Lemma("Beta", "log(1 - x^w)", "digamma(1) - digamma(a/w + 1)", "w > 0 and b == 1", "undefined", source="Jones (2009)"),
    Lemma("Exponential", "log(1 + x/w)", "exp(rate*w)*E1(rate*w)", "w > 0", "undefined", source="DLMF (2024), 6.2.1"),
    Lemma("Exponential", "log(1 + x)", "exp(rate)*E1(rate)", source="DLMF (2024), 6.2.1"),
    Lemma("Pareto", "log(1 + x/w)", "log(1 + xm/w) + hyp2f1(1, alpha, alpha + 1, -w/xm)/alpha", "w > 0", "undefined",
          source="DLMF (2024), 15.6.1"),
    Lemma("Lomax", "log(1 + x/w)", "hyp2f1(1, alpha, alpha + 1, 1 - w/lam)/alpha", "w > 0", "undefined",
          source="DLMF (2024), 15.6.1"),
    Lemma("Lomax", "log(1 + x)", "hyp2f1(1, alpha, alpha + 1, 1 - 1/lam)/alpha", source="DLMF (2024), 15.6.1"),
    Lemma("Pareto", "log(1 + x)", "log(1 + xm) + hyp2f1(1, alpha, alpha + 1, -1/xm)/alpha", source="DLMF (2024), 15.6.1"),
    Lemma("Pareto", "log(1 + v*x^w)",
          "log(1 + v*xm^w) + w/alpha*hyp2f1(1, alpha/w, 1 + alpha/w, -xm^(-w)/v)", "v > 0 and w > 0", "undefined",
          source="DLMF (2024), 15.6.1"),
    Lemma("LogUniform", "log(1 + x/w)", "(dilog(-lo/w) - dilog(-hi/w))/log(hi/lo)", "w > 0", "undefined",
          source="DLMF (2024), 25.12.2"),
    Lemma("LogUniform", "log(1 + x)", "(dilog(-lo) - dilog(-hi))/log(hi/lo)", source="DLMF (2024), 25.12.2"),
    Lemma("LogUniform", "log(1 + v*x^w)", "(dilog(-v*lo^w) - dilog(-v*hi^w))/(w*log(hi/lo))", "v > 0 and w > 0", "undefined",
          source="DLMF (2024), 25.12.2"),
    Lemma("LogUniform", "log(1 - x)", "(dilog(lo) - dilog(hi))/log(hi/lo)", "hi <= 1", "nan",
          source="DLMF (2024), 25.12.2"),
    Lemma("LogUniform", "log(1 - x^w)", "(dilog(lo^w) - dilog(hi^w))/(w*log(hi/lo))", "hi <= 1", "nan",
          source="DLMF (2024), 25.12.2"),
    Lemma("Exponential", "softplus(-(x - v)/w)",
          "softplus(v/w) - exp(v/w)/(rate*w + 1)*hyp2f1(1, rate*w + 1, rate*w + 2, -exp(v/w))", "w > 0", "undefined",
          source="DLMF (2024), 15.6.1"),
    Lemma("Laplace", "softplus(-(x - v)/w)",
          "softplus((v - mu)/w) + b/(2*w) - (exp((v - mu)/w)*hyp2f1(1, w/b + 1, w/b + 2, -exp((v - mu)/w))"
          " + exp((mu - v)/w)*hyp2f1(1, w/b + 1, w/b + 2, -exp((mu - v)/w)))/(2*(w/b + 1))", "w > 0", "undefined",
          source="DLMF (2024), 15.6.1"),
    Lemma("LogitNormal", "(log(x) - log(1 - x) - v)^2", "sigma^2 + (mu - v)^2", source="its logit is normal"),
    Lemma("LogitNormal", "(log(x) - log(1 - x))^2", "sigma^2 + mu^2", source="its logit is normal"),
    # what networks do to a normal
    Lemma("Normal", "cos(t*x)", "exp(-sigma^2*t^2/2)*cos(mu*t)", source="the real part of its characteristic function"),
    Lemma("Normal", "sin(t*x)", "exp(-sigma^2*t^2/2)*sin(mu*t)",
          source="the imaginary part of its characteristic function"),
    Lemma("Normal", "cos(x)", "exp(-sigma^2/2)*cos(mu)", source="the real part of its characteristic function"),
    Lemma("Normal", "sin(x)", "exp(-sigma^2/2)*sin(mu)", source="the imaginary part of its characteristic function"),
    Lemma("Normal", "erf(x)", "erf(mu/sqrt(1 + 2*sigma^2))", source="Bishop (2006), eq. 4.152"),
    Lemma("Normal", "erf(t*x)", "erf(t*mu/sqrt(1 + 2*sigma^2*t^2))", source="Bishop (2006), eq. 4.152"),
    Lemma("Normal", "erf(t*x + v)", "erf((t*mu + v)/sqrt(1 + 2*sigma^2*t^2))", source="Bishop (2006), eq. 4.152"),
    Lemma("Normal", "relu(x)", "sigma*exp(-(mu/sigma)^2/2)/sqrt(2*pi) + mu*(1 + erf(mu/(sigma*sqrt(2))))/2",
          source="Frey & Hinton (1999)"),
)  # fmt: skip

ANTIDERIVATIVES = (
    Antiderivative("x^(-1)", "log(x)", "positive"),
    Antiderivative("x^j", "x^(j + 1)/(j + 1)", "positive", hole=("j", "-1", "log(x)")),
    Antiderivative("log(x)", "xlogy(x, x) - x", "nonnegative"),
    Antiderivative("log(x)^2", "xlogy(x, x)*log(x) - 2*xlogy(x, x) + 2*x", "positive"),
    Antiderivative("log(1 - x)", "-xlogy(1 - x, 1 - x) - x", "unit"),
    Antiderivative("exp(t*x)", "exp(t*x)/t", hole=("t", "0", "x")),
    Antiderivative("exp(x)", "exp(x)"),
    Antiderivative("abs(x - v)", "(x - v)*abs(x - v)/2"),
    Antiderivative("abs(x)", "x*abs(x)/2"),
    Antiderivative("log(1 + ((x - v)/w)^2)",
                   "(x - v)*log(1 + ((x - v)/w)^2) - 2*(x - v) + 2*w*atan((x - v)/w)"),
    Antiderivative("log(1 + x/w)", "(w + x)*log(1 + x/w) - x", "nonnegative"),
    Antiderivative("log(1 + x)", "(1 + x)*log(1 + x) - x", "nonnegative"),
    Antiderivative("softplus(-(x - v)/w)", "w*dilog(-exp(-(x - v)/w))"),
    Antiderivative("log(1 + v*x^w)",
                   "x*log(1 + v*x^w) - w*x + w*x*hyp2f1(1, 1/w, 1 + 1/w, -v*x^w)", "nonnegative", when="v > 0 and w > 0"),
    Antiderivative("log(1 - x^w)", "x*log(1 - x^w) - w*x + w*x*hyp2f1(1, 1/w, 1 + 1/w, x^w)", "unit", when="w > 0"),
    Antiderivative("cos(x - v)", "sin(x - v)"),
    Antiderivative("cos(t*x)", "sin(t*x)/t", hole=("t", "0", "x")),
    Antiderivative("sin(t*x)", "-cos(t*x)/t", hole=("t", "0", "0")),
)  # fmt: skip
