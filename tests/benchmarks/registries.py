"""KL beside the registries of others: every ordered pair of the families that torch.distributions shares with symgen, by torch
and by symgen, at numbers; and the pairs of one family that TensorFlow Probability and Distributions.jl have, which symgen answers.

    python -m tests.benchmarks.registries

Of each pair: what torch says (a number, inf, nothing), what symgen says (a number, inf, open: quadrature alone), and whether two
numbers agree to 1e-6. Pairs that differ are
printed.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter

import numpy as np
import torch
from torch import distributions as td

import symgen

warnings.filterwarnings("ignore")
T = torch.float64
COVARIANCE = [[1.3, 0.4], [0.4, 0.9]]
FACTOR = [[0.5], [0.3]]
# a family: two points, and the class of torch at a point
SHARED = {
    "Bernoulli": ([(0.3,), (0.6,)], td.Bernoulli), "Beta": ([(1.7, 2.4), (2.9, 1.2)], td.Beta),
    "Binomial": ([(4, 0.3), (7, 0.6)], td.Binomial), "Categorical": ([([0.2, 0.3, 0.5],), ([0.5, 0.1, 0.4],)], td.Categorical),
    "Cauchy": ([(0.3, 1.2), (-0.5, 2.1)], td.Cauchy), "Chi2": ([(3.2,), (5.1,)], td.Chi2),
    "ContinuousBernoulli": ([(0.3,), (0.8,)], td.ContinuousBernoulli),
    "Dirichlet": ([([1.2, 2.3, 0.8],), ([2.1, 1.1, 3.0],)], td.Dirichlet), "Exponential": ([(1.3,), (0.6,)], td.Exponential),
    "FisherSnedecor": ([(3.0, 5.0), (4.0, 7.0)], td.FisherSnedecor), "Gamma": ([(1.7, 0.8), (2.6, 1.9)], td.Gamma),
    "Geometric": ([(0.3,), (0.6,)], td.Geometric), "Gumbel": ([(0.4, 1.1), (-0.3, 2.2)], td.Gumbel),
    "HalfCauchy": ([(1.1,), (2.3,)], td.HalfCauchy), "HalfNormal": ([(1.1,), (2.3,)], td.HalfNormal),
    "InverseGamma": ([(3.1, 1.2), (4.2, 2.1)], td.InverseGamma), "Kumaraswamy": ([(1.4, 2.2), (2.1, 1.3)], td.Kumaraswamy),
    "Laplace": ([(0.3, 1.2), (-0.5, 2.1)], td.Laplace), "LogNormal": ([(0.3, 0.7), (-0.5, 1.1)], td.LogNormal),
    "MvNormal": ([([0.2, -0.4], COVARIANCE), ([0.5, 0.1], [[0.8, -0.1], [-0.1, 1.5]])], td.MultivariateNormal),
    "NegativeBinomial": ([(2.3, 0.4), (2.3, 0.7)], lambda r, p: td.NegativeBinomial(r, probs=1 - p)),
    "Normal": ([(0.3, 1.2), (-0.5, 2.1)], td.Normal),
    "OneHotCategorical": ([([0.2, 0.3, 0.5],), ([0.5, 0.1, 0.4],)], td.OneHotCategorical),
    "Pareto": ([(1.3, 3.2), (0.7, 2.1)], td.Pareto), "Poisson": ([(1.3,), (3.6,)], td.Poisson),
    "StudentT": ([(3.2, 0.3, 1.2), (5.1, -0.4, 2.0)], td.StudentT), "Uniform": ([(0.2, 0.9), (-0.5, 1.7)], td.Uniform),
    "VonMises": ([(0.3, 1.2), (-0.5, 2.1)], td.VonMises), "Weibull": ([(1.4, 0.8), (2.2, 1.5)], lambda k, lam: td.Weibull(lam, k)),
    "Wishart": ([(4.2, COVARIANCE), (5.1, [[0.8, -0.1], [-0.1, 1.5]])], td.Wishart),
}  # fmt: skip
VECTORS = ("Categorical", "Dirichlet", "MvNormal", "OneHotCategorical", "Wishart")
OTHERS = {
    "TensorFlow Probability, of one family": (
        "Bernoulli Beta Categorical Cauchy Chi Chi2 ContinuousBernoulli Dirichlet ExpGamma Exponential Gamma Gumbel HalfNormal "
        "Laplace LogNormal LogitNormal MatrixNormal Moyal MvNormal Normal OneHotCategorical Pareto Uniform VonMises Weibull"
    ).split(),
    "Distributions.jl, of one family": (
        "Beta Binomial Chi Chi2 Exponential Gamma Geometric InverseGamma Laplace LogNormal LogitNormal LogUniform MvNormal "
        "NegativeBinomial Normal Poisson"
    ).split(),
}


def by_torch(p: tuple[str, tuple], q: tuple[str, tuple]) -> float | None:
    made = [SHARED[name][1](*(torch.tensor(v, dtype=T) for v in at)) for name, at in (p, q)]
    try:
        return float(td.kl_divergence(*made))
    except NotImplementedError:
        return None


def by_symgen(p: tuple[str, tuple], q: tuple[str, tuple]) -> tuple[str, float]:
    laws = [f"{name}({', '.join(map(str, at))})" for name, at in (p, q)]
    try:
        d = symgen.loads("param unused: real").derive(f"KL({laws[0]} || {laws[1]})")
    except symgen.SymgenError:
        return "refused", math.nan
    try:
        value = float(np.asarray(d.evaluate(seed=0)))
    except symgen.SymgenError:
        return "open, without a number", math.nan
    return ("inf" if value == math.inf else "open" if "E[" in d.text_result else "finite"), value


def main() -> None:
    counts: Counter[str] = Counter()
    for a, (points, _) in SHARED.items():
        for b, (others, _) in SHARED.items():
            p, q = (a, points[0]), (b, others[1])
            one = np.ndim(points[0][0]) == np.ndim(others[1][0]) and (a in ("MvNormal", "Wishart")) == (
                b in ("MvNormal", "Wishart")
            )
            theirs = by_torch(p, q) if one else None
            kind, ours = by_symgen(p, q)
            said = "nothing" if theirs is None else "inf" if theirs == math.inf else "a number"
            counts[f"torch {said}, symgen {kind}"] += 1
            both = theirs is not None and kind in ("finite", "open") and math.isfinite(theirs)
            if theirs is not None and kind != "refused" and not (both and abs(theirs - ours) <= 1e-6 * max(1, abs(ours))):
                if not (theirs == math.inf and kind == "inf"):
                    counts["differ"] += 1
                    print(f"differ: KL({p} || {q}): torch {theirs}, symgen {kind} {ours}")
    for line, n in sorted(counts.items()):
        print(f"{n:5d}  {line}")
    for name, families in OTHERS.items():
        kinds = [by_symgen((f, POINTS[f][0]), (f, POINTS[f][1]))[0] for f in families]
        print(f"{name}: {len(families)} pairs; symgen: {dict(Counter(kinds))}")


MORE = {
    "Chi": [(3.2,), (5.1,)], "ExpGamma": [(1.7, 0.8), (2.6, 1.9)], "LogitNormal": [(0.3, 0.7), (-0.5, 1.1)],
    "MatrixNormal": [([[0.1, 0.2]], [[1.3]], COVARIANCE), ([[0.4, -0.2]], [[0.7]], [[0.8, -0.1], [-0.1, 1.5]])],
    "Moyal": [(0.3, 1.2), (-0.5, 2.1)], "LogUniform": [(0.5, 0.9), (0.2, 1.7)],
}  # fmt: skip
POINTS = {**{name: points for name, (points, _) in SHARED.items()}, **MORE}

if __name__ == "__main__":
    main()
