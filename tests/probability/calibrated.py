"""Models to calibrate: for each the spec, what hides, how prior and data are drawn with the samplers of symgen's own table,
and what is looked at. Talts et al. (2018); the pairs are those of Fink (1997)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from laws import drawn

A, B, M, R = 2.3, 1.4, 0.6, 1.7
AL, V = np.array([0.7, 1.9, 2.6]), np.array([[1.4, 0.3], [0.3, 0.9]])
MEAN, DIRECTION = np.array([0.4, -1.1]), np.array([0.6, 0.8, 0.0])
HEAD = "dim n\nparam a: positive, b: positive, m: real, r: positive, al: positive[3]\n"
Draw = Callable[..., Any]


class Drawer:
    """Draws by the NumPy samplers of the rows, from one generator."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, family: str, *shape: int, **parameters: Any) -> Any:
        """`shape` is that of what is drawn, the axes of one draw with it."""
        return drawn(family, self.rng, *shape, **parameters)


@dataclass(frozen=True)
class Calibrated:
    """`prior(draw)` and `data(draw, z)` give one world; `given` are the constants. `after(draw, record, count)` gives draws
    of the posterior: by the sampler of the family that was derived, unless something else is said. `looked(z)` are the
    numbers whose ranks are taken, each of draws along the first axis."""

    text: str
    prior: Draw
    data: Draw
    goal: str = "posterior(p, z, given=x)"
    given: dict[str, Any] = field(default_factory=lambda: {"a": A, "b": B, "m": M, "r": R})
    after: Draw | None = None
    looked: Draw = lambda z: [np.asarray(z)]
    event: tuple[int, ...] = ()


def pair(prior: str, domain: str, likelihood: str, before: Draw, data: Draw, kind: str = "", **rest: Any) -> Calibrated:
    return Calibrated(f"{HEAD}dist p(z{kind}) = {prior}\ndist p(x: {domain} | z) = {likelihood}\n", before, data, **rest)


BETA = ("Beta(a, b)", lambda draw: draw("Beta", a=A, b=B), ": unit")
GAMMA = ("Gamma(a, b)", lambda draw: draw("Gamma", a=A, r=B), ": positive")
INVERSE = ("InverseGamma(a, b)", lambda draw: draw("InverseGamma", a=A, b=B), ": positive")
NORMAL = ("Normal(m, a)", lambda draw: draw("Normal", mu=M, sigma=A), "")


def several(prior: tuple[str, Draw, str], domain: str, likelihood: str, data: Draw, **rest: Any) -> Calibrated:
    text, before, kind = prior
    return pair(text, f"{domain}[n]", likelihood, before, data, kind, **rest)


SCALARS = {
    "Bernoulli, Beta": several(BETA, "binary", "Bernoulli(z)", lambda draw, z: draw("Bernoulli", 5, p=z)),
    "Binomial, Beta": several(BETA, "natural", "Binomial(5, z)", lambda draw, z: draw("Binomial", 3, n=5, p=z)),
    "negative binomial, Beta": several(BETA, "natural", "NegativeBinomial(r, z)",
                                    lambda draw, z: draw("NegativeBinomial", 4, r=R, p=min(z, 1 - 1e-9))),
    "Geometric, Beta": several(BETA, "natural", "Geometric(z)", lambda draw, z: draw("Geometric", 4, p=z)),
    "Poisson, Gamma": several(GAMMA, "natural", "Poisson(z)", lambda draw, z: draw("Poisson", 4, lam=z)),
    "Exponential rate, Gamma": several(GAMMA, "positive", "Exponential(z)", lambda draw, z: draw("Exponential", 4, rate=z)),
    "Gamma rate, Gamma": several(GAMMA, "positive", "Gamma(r, z)", lambda draw, z: draw("Gamma", 4, a=R, r=z)),
    "normal precision, Gamma": several(GAMMA, "real", "Normal(m, precision=z)",
                                    lambda draw, z: draw("Normal", 4, mu=M, sigma=z**-0.5)),
    "Pareto shape, Gamma": several(GAMMA, "positive", "Pareto(r, z)", lambda draw, z: draw("Pareto", 4, xm=R, alpha=z)),
    "Laplace rate, Gamma": several(GAMMA, "real", "Laplace(m, 1/z)", lambda draw, z: draw("Laplace", 4, mu=M, b=1 / z)),
    "inverse Gaussian shape, Gamma": several(GAMMA, "positive", "InverseGaussian(r, z)",
                                          lambda draw, z: draw("InverseGaussian", 4, mu=R, lam=z)),
    "inverse gamma scale, Gamma": several(GAMMA, "positive", "InverseGamma(r, z)",
                                       lambda draw, z: draw("InverseGamma", 4, a=R, b=z)),
    "Weibull rate, Gamma": several(GAMMA, "positive", "Weibull(r, z^(-1/r))",
                                lambda draw, z: draw("Weibull", 4, k=R, lam=z ** (-1 / R))),
    "normal variance, InverseGamma": several(INVERSE, "real", "Normal(m, var=z)",
                                          lambda draw, z: draw("Normal", 4, mu=M, sigma=z**0.5)),
    "Rayleigh, InverseGamma": several(INVERSE, "positive", "Rayleigh(sqrt(z))",
                                   lambda draw, z: draw("Rayleigh", 4, sigma=z**0.5)),
    "Weibull scale, InverseGamma": several(INVERSE, "positive", "Weibull(r, z^(1/r))",
                                        lambda draw, z: draw("Weibull", 4, k=R, lam=z ** (1 / R))),
    "Exponential scale, InverseGamma": several(INVERSE, "positive", "Exponential(scale=z)",
                                            lambda draw, z: draw("Exponential", 4, rate=1 / z)),
    "normal mean, Normal": several(NORMAL, "real", "Normal(z, b)", lambda draw, z: draw("Normal", 4, mu=z, sigma=B)),
    "log-normal location, Normal": several(NORMAL, "positive", "LogNormal(z, b)",
                                        lambda draw, z: draw("LogNormal", 4, mu=z, sigma=B)),
    "uniform end, Pareto": several(("Pareto(a, b)", lambda draw: draw("Pareto", xm=A, alpha=B), ""), "positive",
                                "Uniform(0, z)", lambda draw, z: draw("Uniform", 4, lo=0, hi=z)),
    "von Mises direction": several(("VonMises(m, a)", lambda draw: draw("VonMises", mu=M, kappa=A), ""), "real", "VonMises(z, b)",
                                lambda draw, z: draw("VonMises", 2, mu=z, kappa=B), looked=lambda z: [np.cos(z), np.sin(z)]),
}  # fmt: skip


def shares(likelihood: str, domain: str, data: Draw) -> Calibrated:
    return Calibrated(
        f"{HEAD}dist p(z: simplex[3]) = Dirichlet(al)\ndist p(x: {domain} | z) = {likelihood}\n",
        lambda draw: draw("Dirichlet", 3, alpha=AL), data, given={"al": AL}, event=(3,),
        looked=lambda z: [z[..., 0], z[..., 1]],
    )  # fmt: skip


def urn(draw: Draw, z: Any) -> Any:
    return draw("Hypergeometric", N=20, K=int(z), n=5)


def left_of_urn(draw: Draw, record: dict[str, Any], count: int) -> Any:
    more = draw("BetaBinomial", count, n=int(record["n"]), a=record["a"], b=record["b"])
    return record["shift"] + more


def of_components(draw: Draw, record: dict[str, Any], count: int) -> Any:
    c = draw("Categorical", count, p=record["weights"])
    return draw("Normal", count, mu=record["mu"][c], sigma=record["sigma"][c])


MIXED = {"w": np.array([0.3, 0.7]), "mk": np.array([-1.2, 0.8]), "sk": np.array([0.6, 1.3]), "b": B}
GRID = {"w": np.array([0.2, 0.5, 0.3]), "g": np.array([0.4, 1.7, 3.1])}
VECTORS = "dim n, d\nparam a: positive, b: positive, nu: positive, m: real[d], V: spd[d, d], S: spd[d, d]\nassume nu > d + 1\n"
OF_VECTORS = {"b": B, "nu": 5.7, "m": MEAN, "V": V, "S": V + np.eye(2)}


def rows(draw: Draw, mean: Any, spread: Any) -> Any:
    return draw("MvNormal", 4, 2, mu=mean, Sigma=spread)


def matrix(z: Any) -> list[Any]:
    return [z[..., 0, 0], z[..., 0, 1], np.linalg.slogdet(z)[1]]


def vector(z: Any) -> list[Any]:
    return [z[..., 0], z[..., 1], z[..., 0] * z[..., 1]]


def of_matrices(family: str, last: str, moved: Draw) -> Calibrated:
    """Mean and precision, or covariance, together: the matrix is drawn first."""
    first = "Wishart" if family == "NormalWishart" else "InverseWishart"

    def both(draw: Draw, count: int, m: Any, l: Any, nu: Any, **scale: Any) -> Any:
        T = draw(first, count, 2, 2, nu=np.full(count, nu), **scale)
        return {"mu": draw("MvNormal", count, 2, mu=m, Sigma=moved(T) / l), "T": T}

    law = "precision=T" if family == "NormalWishart" else "T"
    return Calibrated(
        f"{VECTORS}dist p(mu, T) = {family}(m, b, nu, V)\ndist p(x: real[n, d] | mu, T) = MvNormal(mu, {law})\n",
        lambda draw: {k: v[0] for k, v in both(draw, 1, MEAN, B, 5.7, **{last: V}).items()},
        lambda draw, z: rows(draw, z["mu"], moved(z["T"])), "posterior(p, [mu, T], given=x)",
        {"b": B, "nu": 5.7, "m": MEAN, "V": V},
        after=lambda draw, record, count: both(draw, count, **record),
        looked=lambda z: [z["mu"][..., 0], z["mu"][..., 1], *matrix(z["T"])],
    )  # fmt: skip


def of_numbers(family: str, first: str, last: str, law: str, deviation: Draw) -> Calibrated:
    def both(draw: Draw, count: int, m: Any, l: Any, a: Any, b: Any) -> Any:
        v = draw(first, count, **{"a": a, last: b})
        return {"mu": draw("Normal", count, mu=m, sigma=deviation(v) / np.sqrt(l)), "v": v}

    return Calibrated(
        f"{HEAD}dist p(mu, v) = {family}(m, r, a, b)\ndist p(x: real[n] | mu, v) = Normal(mu, {law})\n",
        lambda draw: {k: v[0] for k, v in both(draw, 1, M, R, A, B).items()},
        lambda draw, z: draw("Normal", 4, mu=z["mu"], sigma=deviation(z["v"])), "posterior(p, [mu, v], given=x)",
        after=lambda draw, record, count: both(draw, count, **record),
        looked=lambda z: [z["mu"], z["v"], z["mu"] / deviation(z["v"])],
    )  # fmt: skip


SEVERAL = {
    "Categorical, Dirichlet": shares("Categorical(z)", "label(3)[n]", lambda draw, z: draw("Categorical", 5, p=z)),
    "one-hot, Dirichlet": shares("OneHotCategorical(z)", "onehot[n, 3]", lambda draw, z: draw("OneHotCategorical", 5, 3, p=z)),
    "Multinomial, Dirichlet": shares("Multinomial(5, z)", "natural[3]", lambda draw, z: draw("Multinomial", 3, n=5, p=z)),
    "Hypergeometric, BetaBinomial": Calibrated(
        f"{HEAD}dist p(z: natural) = BetaBinomial(20, a, b)\ndist p(x: natural | z) = Hypergeometric(20, z, 5)\n",
        lambda draw: draw("BetaBinomial", n=20, a=A, b=B), urn,
        after=left_of_urn),
    "mixture of conjugate priors": Calibrated(
        "dim n\nparam w: simplex[2], mk: real[2], sk: positive[2], b: positive\ndist p(c) = Categorical(w)\n"
        "dist p(z | c) = Normal(mk[c], sk[c])\ndist p(x: real[n] | z) = Normal(z, b)\n",
        lambda draw: of_components(draw, {"weights": MIXED["w"], "mu": MIXED["mk"], "sigma": MIXED["sk"]}, 1)[0],
        lambda draw, z: draw("Normal", 2, mu=z, sigma=B), given=MIXED, after=of_components),
    "grid of parameters": Calibrated(
        "dim n\nparam w: simplex[3], g: positive[3]\ndist p(z) = Categorical(w)\ndist p(x: natural[n] | z) = Poisson(g[z])\n",
        lambda draw: draw("Categorical", p=GRID["w"]), lambda draw, z: draw("Poisson", 2, lam=GRID["g"][z]), given=GRID),
    "normal mean and precision": of_numbers("NormalGamma", "Gamma", "r", "precision=v", lambda v: v**-0.5),
    "normal mean and variance": of_numbers("NormalInverseGamma", "InverseGamma", "b", "var=v", lambda v: v**0.5),
    "mean of vectors, MvNormal": Calibrated(
        f"{VECTORS}dist p(z: real[d]) = MvNormal(m, V)\ndist p(x: real[n, d] | z) = MvNormal(z, S)\n",
        lambda draw: draw("MvNormal", 2, mu=MEAN, Sigma=V), lambda draw, z: rows(draw, z, OF_VECTORS["S"]), given=OF_VECTORS,
        looked=vector, event=(2,)),
    "precision, Wishart": Calibrated(
        f"{VECTORS}dist p(z: spd[d, d]) = Wishart(nu, V)\ndist p(x: real[n, d] | z) = MvNormal(m, precision=z)\n",
        lambda draw: draw("Wishart", 2, 2, nu=5.7, V=V), lambda draw, z: rows(draw, MEAN, np.linalg.inv(z)), given=OF_VECTORS,
        looked=matrix, event=(2, 2)),
    "covariance, InverseWishart": Calibrated(
        f"{VECTORS}dist p(z: spd[d, d]) = InverseWishart(nu, V)\ndist p(x: real[n, d] | z) = MvNormal(m, z)\n",
        lambda draw: draw("InverseWishart", 2, 2, nu=5.7, Psi=V), lambda draw, z: rows(draw, MEAN, z), given=OF_VECTORS,
        looked=matrix, event=(2, 2)),
    "mean and precision, NormalWishart": of_matrices("NormalWishart", "V", np.linalg.inv),
    "mean and covariance, NormalInverseWishart": of_matrices("NormalInverseWishart", "Psi", lambda T: T),
    "directions, VonMisesFisher": Calibrated(
        "dim n, k\nparam m: real[k], a: positive, b: positive\ndist p(z: real[k]) = VonMisesFisher(m, a)\n"
        "dist p(x: real[n, k] | z) = VonMisesFisher(z, b)\n",
        lambda draw: draw("VonMisesFisher", 3, mu=DIRECTION, kappa=A), lambda draw, z: draw("VonMisesFisher", 3, 3, mu=z, kappa=B),
        given={"m": DIRECTION, "a": A, "b": B}, looked=vector, event=(3,)),
}  # fmt: skip

X = np.array([[0.4, -1.2], [1.3, 0.2], [-0.7, 0.9], [0.1, 2.1]])
POINTS = np.array([0.0, 0.3, 1.1, 1.6, 2.4])
KERNEL = np.exp(-((POINTS[:, None] - POINTS) ** 2)) + 1e-9 * np.eye(5)
WALK = {"f": 0.8, "m": M, "a": A, "b": 0.7, "r": 0.9}
MOVES = np.array([[0.9, 0.4], [-0.3, 0.7]])
CHAIN = {"w": np.array([0.5, 0.2, 0.3]), "P": np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]),
         "g": np.array([-1.0, 0.2, 1.4]), "s": 0.8}  # fmt: skip
T = 5


def walked(draw: Draw, m: Any, v: Any, a: Any, b: Any, q: Any, count: int = 1) -> Any:
    """z[t + 1] = a[t] z[t] + b[t] + noise, step by step."""
    z = [draw("Normal", count, mu=m, sigma=np.sqrt(v))]
    for t in range(T - 1):
        z.append(draw("Normal", count, mu=a[t] * z[-1] + b[t], sigma=np.sqrt(q[t])))
    return np.stack(z, -1)


def along(z: Any) -> list[Any]:
    return [z[..., 0], z[..., 2], z[..., -1], z[..., 1] - z[..., 2]]


def after_walk(draw: Draw, record: dict[str, Any], count: int) -> Any:
    return walked(draw, **{name: record[name] for name in "mvabq"}, count=count)


def before_walk(draw: Draw) -> Any:
    return walked(draw, M, A**2, np.full(T - 1, 0.8), np.zeros(T - 1), np.full(T - 1, 0.49))[0]


MODELS = {
    "linear regression": Calibrated(
        "dim n, d\ndata X: real[n, d]\nparam a: positive, s: positive\ndist p(z: real[d]) = Normal(zeros(d), a)\n"
        "dist p(x: real[n] | z) = Normal(X @ z, s)\n",
        lambda draw: draw("Normal", 2, mu=0, sigma=1.3), lambda draw, z: draw("Normal", 4, mu=X @ z, sigma=0.7),
        given={"X": X, "a": 1.3, "s": 0.7}, looked=vector, event=(2,)),
    "a process and its values elsewhere": Calibrated(
        "dim n, k\nparam K: spd[n + k, n + k], s: positive\ndist p(z: real[n + k]) = MvNormal(zeros(n + k), K)\n"
        "dist p(x: real[n] | z) = Normal(z[:n], s)\n",
        lambda draw: draw("MvNormal", 5, mu=np.zeros(5), Sigma=KERNEL), lambda draw, z: draw("Normal", 3, mu=z[:3], sigma=0.4),
        given={"K": KERNEL, "s": 0.4, "k": 2}, looked=along, event=(5,)),
    "one state after another": Calibrated(
        "param f: real, m: real, a: positive, b: positive, r: positive\ndist p(h) = Normal(m, a)\n"
        "dist p(z | h) = Normal(f*h, b)\ndist p(x | z) = Normal(z, r)\n",
        lambda draw: draw("Normal", mu=0.8 * draw("Normal", mu=M, sigma=A), sigma=0.7),
        lambda draw, z: draw("Normal", mu=z, sigma=0.9), given=WALK),
    "one vector after another": Calibrated(
        "dim d\nparam F: real[d, d], m: real[d], V: spd[d, d], Q: spd[d, d], r: positive\ndist p(h: real[d]) = MvNormal(m, V)\n"
        "dist p(z: real[d] | h) = MvNormal(F @ h, Q)\ndist p(x | z) = Normal(z[0] + 2*z[1], r)\n",
        lambda draw: draw("MvNormal", 2, mu=MOVES @ draw("MvNormal", 2, mu=MEAN, Sigma=V), Sigma=np.eye(2)),
        lambda draw, z: draw("Normal", mu=z[0] + 2 * z[1], sigma=0.9),
        given={"F": MOVES, "m": MEAN, "V": V, "Q": np.eye(2), "r": 0.9}, looked=vector, event=(2,)),
    "smoothed states": Calibrated(
        "dim T\nparam f: real, m: real, a: positive, b: positive, r: positive\ndist p(z[0]) = Normal(m, a)\n"
        "dist p(z[t: 1..T-1] | z[t - 1]) = Normal(f*z[t - 1], b)\ndata x: real[T]\ndist p(x[t] | z[t]) = Normal(z[t], r)\n",
        before_walk, lambda draw, z: draw("Normal", T, mu=z, sigma=0.9), given=WALK, after=after_walk, looked=along),
    "labels of a mixture": Calibrated(
        "dim n\nparam w: simplex[3], g: real[3], s: positive\ndist p(z: label(3)[n]) = Categorical(w)\n"
        "dist p(x: real[n] | z) = Normal(g[z], s)\n",
        lambda draw: draw("Categorical", 3, p=CHAIN["w"]), lambda draw, z: draw("Normal", 3, mu=CHAIN["g"][z], sigma=0.8),
        given={k: CHAIN[k] for k in "wgs"}, looked=lambda z: [z[..., 0], z[..., 1] + 3 * z[..., 2]], event=(3,)),
    "labels of a hidden chain": Calibrated(
        "dim T, k\nparam w: simplex[k], P: simplex[k, k], g: real[k], s: positive\ndist p(z[0]) = Categorical(w)\n"
        "dist p(z[t: 1..T-1] | z[t - 1]) = Categorical(P[z[t - 1]])\ndata x: real[T]\ndist p(x[t] | z[t]) = Normal(g[z[t]], s)\n",
        lambda draw: draw("MarkovChain", T, p0=CHAIN["w"], P=CHAIN["P"]),
        lambda draw, z: draw("Normal", T, mu=CHAIN["g"][z], sigma=0.8), given=CHAIN,
        looked=lambda z: [z[..., 0], z[..., 2], z[..., 3] + 3 * z[..., 4]], event=(T,)),
}  # fmt: skip
ALL = SCALARS | SEVERAL | MODELS
