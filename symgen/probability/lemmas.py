"""Means of functions of a draw ▣: one lemma each, with the condition under which it exists. E x and Var x stand
with the distributions; what follows from these by derivatives is generated (see `lemma.py`)."""

from __future__ import annotations

from symgen.probability.lemma import Antiderivative, Lemma, PowerLemma

POWER, MGF, ABS = "x^j", "exp(t*x)", "abs(x - v)"
JOHNSON = "Johnson, Kotz & Balakrishnan (1994)"
DLMF = "DLMF (2024), 5.2.1"

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
    # log-quadratics and their kin
    Lemma("Cauchy", "log(1 + ((x - v)/w)^2)", "log(((abs(w) + gamma)^2 + (x0 - v)^2)/w^2)",
          source="Chyzak & Nielsen (2019)"),
    Lemma("Cauchy", "log(1 + ((x - v)/w)^2/t)", "log(((abs(w)*sqrt(t) + gamma)^2 + (x0 - v)^2)/(w^2*t))", "t > 0",
          source="Chyzak & Nielsen (2019)"),
    Lemma("HalfCauchy", "log(1 + (x/w)^2)", "2*log(1 + gamma/abs(w))", source="Chyzak & Nielsen (2019)"),
    Lemma("StudentT", "log(1 + ((x - mu)/sigma)^2/nu)", "digamma((nu + 1)/2) - digamma(nu/2)",
          source="DLMF (2024), 5.12.3"),
    Lemma("Logistic", "softplus(-(x - mu)/s)", "1", source="sigmoid of a logistic draw is uniform"),
    Lemma("LogLogistic", "log(1 + (x/alpha)^beta)", "1", source="its odds are uniform"),
    Lemma("BetaPrime", "log(1 + x)", "digamma(a + b) - digamma(b)", source="DLMF (2024), 5.12.3"),
    Lemma("Lomax", "log(1 + x/lam)", "1/alpha", source="its logarithm is exponential"),
    Lemma("FisherSnedecor", "log(1 + dn*x/dd)", "digamma((dn + dd)/2) - digamma(dd/2)", source="DLMF (2024), 5.12.3"),
    Lemma("Kumaraswamy", "log(1 - x^a)", "-1/b", source="Jones (2009)"),
    Lemma("Exponential", "log(1 + x/w)", "exp(rate*w)*E1(rate*w)", "w > 0", source="DLMF (2024), 6.2.1"),
    Lemma("Exponential", "log(1 + x)", "exp(rate)*E1(rate)", source="DLMF (2024), 6.2.1"),
    Lemma("Pareto", "log(1 + x/w)", "log(1 + xm/w) + hyp2f1(1, alpha, alpha + 1, -w/xm)/alpha", "w > 0",
          source="DLMF (2024), 15.6.1"),
    Lemma("LogitNormal", "log(x)-log(1 - x)", "mu", source="its logit is normal"),
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
    Antiderivative("x^j", "x^(j + 1)/(j + 1)", "positive"),
    Antiderivative("log(x)", "xlogy(x, x) - x", "nonnegative"),
    Antiderivative("log(x)^2", "xlogy(x, x)*log(x) - 2*xlogy(x, x) + 2*x", "positive"),
    Antiderivative("log(1 - x)", "-xlogy(1 - x, 1 - x) - x", "unit"),
    Antiderivative("exp(t*x)", "exp(t*x)/t"),
    Antiderivative("exp(x)", "exp(x)"),
    Antiderivative("abs(x - v)", "(x - v)*abs(x - v)/2"),
    Antiderivative("abs(x)", "x*abs(x)/2"),
    Antiderivative("log(1 + ((x - v)/w)^2)",
                   "(x - v)*log(1 + ((x - v)/w)^2) - 2*(x - v) + 2*w*atan((x - v)/w)"),
    Antiderivative("log(1 + x/w)", "(w + x)*log(1 + x/w) - x", "nonnegative"),
    Antiderivative("log(1 + x)", "(1 + x)*log(1 + x) - x", "nonnegative"),
    Antiderivative("softplus(-(x - v)/w)", "w*dilog(-exp(-(x - v)/w))"),
    Antiderivative("cos(t*x)", "sin(t*x)/t"),
    Antiderivative("sin(t*x)", "-cos(t*x)/t"),
)  # fmt: skip

_MIXED = "alpha*logdet(Sigma2)/2 + (1 - alpha)*logdet(Sigma1)/2 - alpha*(1 - alpha)/2*(mu1 - mu2) @ inv(M) @ (mu1 - mu2)"
POWER_INTEGRALS = {
    "MvNormal": PowerLemma(
        f"{_MIXED} - logdet(M)/2", f"{_MIXED} - sum(log(diagonal(cholesky(M))))",
        "the mixed covariance alpha*Sigma2 + (1 - alpha)*Sigma1 is positive definite; infinite otherwise",
        {"M": "alpha*Sigma2 + (1 - alpha)*Sigma1"}, source="Gil, Alajaji & Linder (2013), table 2",
    ),
}  # fmt: skip
