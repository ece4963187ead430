"""Simulation-based calibration: of parameters drawn from the prior, the posteriors given data drawn from them hold as
much on either side as they say. The ranks of the true values are uniform; Talts et al. (2018)."""

import numpy as np
import pytest
from scipy import stats

import symgen

rng = np.random.default_rng(2024)
RUNS = 400
HEAD = "dim n\nparam a: positive, b: positive, m: real\n"
FROZEN = {
    "Beta": lambda p: stats.beta(p["a"], p["b"]),
    "Gamma": lambda p: stats.gamma(p["a"], scale=1 / p["r"]),
    "InverseGamma": lambda p: stats.invgamma(p["a"], scale=p["b"]),
    "Normal": lambda p: stats.norm(p["mu"], p["sigma"]),
    "Pareto": lambda p: stats.pareto(p["alpha"], scale=p["xm"]),
}
A, B, M = 2.3, 1.4, 0.6
# prior in the language, draws of it, likelihood, draws of 5 data
MODELS = {
    "Bernoulli": ("p(z: unit) = Beta(a, b)", lambda: rng.beta(A, B), "binary", "Bernoulli(z)", lambda z: rng.random(5) < z),
    "Poisson": ("p(z) = Gamma(a, b)", lambda: rng.gamma(A, 1 / B), "natural", "Poisson(z)", lambda z: rng.poisson(z, 5)),
    "Exponential": ("p(z) = Gamma(a, b)", lambda: rng.gamma(A, 1 / B), "positive", "Exponential(z)",
                    lambda z: rng.exponential(1 / z, 5)),
    "normal precision": ("p(z) = Gamma(a, b)", lambda: rng.gamma(A, 1 / B), "real", "Normal(m, precision=z)",
                         lambda z: rng.normal(M, z**-0.5, 5)),
    "normal variance": ("p(z) = InverseGamma(a, b)", lambda: 1 / rng.gamma(A, 1 / B), "real", "Normal(m, var=z)",
                        lambda z: rng.normal(M, z**0.5, 5)),
    "normal mean": ("p(z) = Normal(m, a)", lambda: rng.normal(M, A), "real", "Normal(z, b)", lambda z: rng.normal(z, B, 5)),
    "Geometric": ("p(z: unit) = Beta(a, b)", lambda: rng.beta(A, B), "natural", "Geometric(z)", lambda z: rng.geometric(z, 5) - 1),
    "uniform end": ("p(z) = Pareto(a, b)", lambda: A * (1 + rng.pareto(B)), "positive", "Uniform(0, z)",
                    lambda z: rng.uniform(0, z, 5)),
    "Rayleigh": ("p(z) = InverseGamma(a, b)", lambda: 1 / rng.gamma(A, 1 / B), "positive", "Rayleigh(sqrt(z))",
                 lambda z: rng.rayleigh(z**0.5, 5)),
    "Laplace rate": ("p(z) = Gamma(a, b)", lambda: rng.gamma(A, 1 / B), "real", "Laplace(m, 1/z)",
                     lambda z: rng.laplace(M, 1 / z, 5)),
}  # fmt: skip


def parameters_at(record, x):
    return record.evaluate("parameters", x=x, a=A, b=B, m=M)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_posteriors_are_calibrated(name):
    prior, draw, domain, likelihood, data = MODELS[name]
    model = symgen.loads(f"{HEAD}dist {prior}\ndist p(x: {domain}[n] | z) = {likelihood}\n")
    record = model.derive("posterior(p, z, given=x)").result
    levels = []
    for _ in range(RUNS):
        z = draw()
        found = FROZEN[record.family](parameters_at(record, np.asarray(data(z), dtype=float)))
        levels.append(found.cdf(z))
    assert stats.kstest(levels, "uniform").pvalue > 1e-3


@pytest.mark.slow
def test_linear_regression_is_calibrated():
    model = symgen.loads(
        "dim n, d\ndata X: real[n, d]\nparam a: positive, s: positive\ndist p(w: real[d]) = Normal(zeros(d), a)\n"
        "dist p(y: real[n] | w) = Normal(X @ w, s)\n"
    )
    record = model.derive("posterior(p, w, given=y)").result
    X = rng.normal(size=(4, 2))
    levels = []
    for _ in range(RUNS):
        w = rng.normal(0, 1.3, 2)
        y = X @ w + rng.normal(0, 0.7, 4)
        found = record.evaluate("parameters", X=X, y=y, a=1.3, s=0.7)
        off = w - found["mu"]
        levels.append(stats.chi2(2).cdf(off @ np.linalg.solve(found["Sigma"], off)))
    assert stats.kstest(levels, "uniform").pvalue > 1e-3
