"""Distribution functions ▣: P(X <= x) of the families, for x inside the support (of counts: an integer)."""

from __future__ import annotations

DISTRIBUTION_FUNCTIONS = {
    # on the line
    "Normal": "(1 + erf((x - mu)/(sigma*sqrt(2))))/2",
    "Laplace": "where(x < mu, exp((x - mu)/b)/2, 1 - exp(-(x - mu)/b)/2)",
    "Logistic": "sigmoid((x - mu)/s)",
    "Gumbel": "exp(-exp(-(x - mu)/beta))",
    "Cauchy": "1/2 + atan((x - x0)/gamma)/pi",
    "StudentT": "where(x < mu, ibeta(nu/2, 1/2, nu/(nu + ((x - mu)/sigma)^2))/2,"
    " 1 - ibeta(nu/2, 1/2, nu/(nu + ((x - mu)/sigma)^2))/2)",
    "Moyal": "erfc(exp(-(x - mu)/(2*s))/sqrt(2))",
    "ExpGamma": "igamma(a, r*exp(x))",
    "AsymmetricLaplace": "where(x < m, kappa^2/(1 + kappa^2)*exp(lam/kappa*(x - m)), 1 - exp(-lam*kappa*(x - m))/(1 + kappa^2))",
    "GeneralizedNormal": "(1 + sign(x - mu)*igamma(1/beta, (abs(x - mu)/alpha)^beta))/2",
    # on the positive half-line
    "Exponential": "1 - exp(-rate*x)",
    "Gamma": "igamma(a, r*x)",
    "Chi2": "igamma(k/2, x/2)",
    "InverseGamma": "1 - igamma(a, b/x)",
    "Levy": "erfc(sqrt(c/(2*x)))",
    "Weibull": "1 - exp(-(x/lam)^k)",
    "Frechet": "exp(-(x/s)^(-alpha))",
    "HalfNormal": "erf(x/(sigma*sqrt(2)))",
    "Rayleigh": "1 - exp(-x^2/(2*sigma^2))",
    "Maxwell": "igamma(3/2, x^2/(2*sigma^2))",
    "Chi": "igamma(k/2, x^2/2)",
    "Nakagami": "igamma(m, m*x^2/Om)",
    "GeneralizedGamma": "igamma(d/p, (x/a)^p)",
    "LogNormal": "(1 + erf((log(x) - mu)/(sigma*sqrt(2))))/2",
    "InverseGaussian": "(1 + erf(sqrt(lam/(2*x))*(x/mu - 1)))/2 + exp(2*lam/mu)*erfc(sqrt(lam/(2*x))*(x/mu + 1))/2",
    "LogLogistic": "1/(1 + (x/alpha)^(-beta))",
    "BetaPrime": "ibeta(a, b, x/(1 + x))",
    "Lomax": "1 - (1 + x/lam)^(-alpha)",
    "FisherSnedecor": "ibeta(dn/2, dd/2, dn*x/(dn*x + dd))",
    "Gompertz": "1 - exp(-eta*(exp(b*x) - 1))",
    "HalfCauchy": "2*atan(x/gamma)/pi",
    # on intervals
    "Beta": "ibeta(a, b, x)",
    "Uniform": "(x - lo)/(hi - lo)",
    "Kumaraswamy": "1 - (1 - x^a)^b",
    "ContinuousBernoulli": "where(lam == 1/2, x, ((lam/(1 - lam))^x - 1)*(1 - lam)/(2*lam - 1))",
    "LogitNormal": "(1 + erf((log(x) - log(1 - x) - mu)/(sigma*sqrt(2))))/2",
    "LogUniform": "log(x/lo)/log(hi/lo)",
    "Pareto": "1 - (xm/x)^alpha",
    "TruncatedNormal": "(erf((x - mu)/(sigma*sqrt(2))) - erf((a - mu)/(sigma*sqrt(2))))"
    "/(erf((b - mu)/(sigma*sqrt(2))) - erf((a - mu)/(sigma*sqrt(2))))",
    "TruncatedExponential": "(1 - exp(-rate*(x - a)))/(1 - exp(-rate*(b - a)))",
    "Triangular": "where(x < c, (x - a)^2/((b - a)*(c - a)), 1 - (b - x)^2/((b - a)*(b - c)))",
    # counts
    "Poisson": "1 - igamma(x + 1, lam)",
    "Geometric": "1 - (1 - p)^(x + 1)",
    "Binomial": "where(x < n, 1 - ibeta(x + 1, max(n - x, 1), p), 1)",
    "NegativeBinomial": "1 - ibeta(x + 1, r, p)",
    "DiscreteUniform": "(x - a + 1)/(b - a + 1)",
}
# laws that are even in x - mu and fall off on both sides, by the name of mu: two of one shape cross in the middle
SYMMETRIC = {
    "Normal": "mu", "Laplace": "mu", "Logistic": "mu", "Cauchy": "x0", "StudentT": "mu", "GeneralizedNormal": "mu",
}  # fmt: skip
