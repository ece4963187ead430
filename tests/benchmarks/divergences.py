"""KL of all ordered pairs of univariate families: how many are finite, infinite with a reason, open, wrong.

    python -m tests.benchmarks.divergences [--points 3] [--only Normal,Gamma]

Each closed form is compared with quadrature or summation of the log-densities at random parameters over a wide range,
each infinity with the tails of its integrand. `wrong` must be 0; what quadrature cannot settle is counted apart.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter, defaultdict
from statistics import median

import numpy as np

from symgen.derivation.context import Context
from symgen.probability.families.distributions import FAMILIES, ROWS
from symgen.probability.laws.joint import divergence, inline, opened_expectation
from symgen.probability.laws.law import make_law
from symgen.probability.laws.referee import nodes
from symgen.probability.means.grids import Numeric
from symgen.probability.means.tails import grows
from symgen.probability.reducers import REDUCERS
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import INF, Operator, Where, open_tensor, var, walk

FACTS = (
    "Normal Laplace Logistic Gumbel Cauchy StudentT Moyal ExpGamma AsymmetricLaplace Exponential Gamma Chi2 InverseGamma "
    "Levy Weibull Frechet HalfNormal Rayleigh Maxwell Chi Nakagami GeneralizedGamma LogNormal InverseGaussian LogLogistic "
    "BetaPrime Lomax FisherSnedecor Gompertz Beta Kumaraswamy ContinuousBernoulli LogitNormal Uniform LogUniform Pareto "
    "VonMises Bernoulli Binomial Geometric Poisson NegativeBinomial LogSeries DiscreteUniform"
).split()
DOMAINS = ("positive", "unit", "natural", "integer")


def law_of(row, suffix):
    names = {n: var(n + suffix, (), d if d in DOMAINS else "real") for n, d in row.parameters.items()}
    return make_law(row.name, list(names.values())), names


def parameters(row, rng):
    out = {}
    for name, domain in row.parameters.items():
        if domain == "positive":
            out[name] = float(math.exp(rng.uniform(-1.3, 1.6)))
        elif domain == "unit":
            out[name] = float(rng.uniform(0.05, 0.95))
        elif domain in ("natural", "integer"):
            out[name] = float(rng.integers(1, 7))
        else:
            out[name] = float(rng.uniform(-2, 2))
    if row.order:
        low, high = list(out)
        if rng.random() < 0.5 and row.parameters[low] != "integer":
            out[low] = abs(out[low]) % 0.5
            out[high] = out[low] + rng.uniform(0.05, 0.49)
        else:
            out[high] = out[low] + (float(rng.integers(1, 5)) if row.parameters[low] == "integer" else rng.uniform(0.1, 3))
    return out


def quadrature(p: Numeric, q: Numeric, breaks):
    """(value, error, tail) of E_p[log p - log q]."""
    if p.discrete:
        high = min(p.high, p.low + 6000)
        x = np.arange(p.low, high + 1)
        with np.errstate(all="ignore"):
            terms = np.exp(p.log_density(x)) * (p.log_density(x) - q.log_density(x))
        terms = np.where(np.exp(p.log_density(x)) > 0, terms, 0.0)
        return float(terms.sum()), abs(float(terms[-1])) * len(x)
    out = []
    for level in (1, 2):
        x, w = nodes(p.low, p.high, [*p.parameters.values(), *breaks])
        x, w = (x[::2], w[::2] * 2) if level == 1 else (x, w)
        with np.errstate(all="ignore"):
            lp = p.log_density(x)
            terms = np.exp(lp) * w * (lp - q.log_density(x))
        keep = np.isfinite(terms)
        terms = np.where(keep & (np.exp(lp) > 0), terms, 0.0)
        out.append(float(terms.sum()))
    edge = float(max(np.abs(terms[:3]).max(), np.abs(terms[-3:]).max()))
    return out[1], abs(out[1] - out[0]) + edge * 50


def main():
    points = int(sys.argv[sys.argv.index("--points") + 1]) if "--points" in sys.argv else 2
    only = sys.argv[sys.argv.index("--only") + 1].split(",") if "--only" in sys.argv else None
    names = [n for n in FACTS if n in FAMILIES]
    rng = np.random.default_rng(5)
    count, times, wrong, table = Counter(), [], [], defaultdict(lambda: defaultdict(list))
    for a in names:
        if only and a not in only:
            continue
        p = FAMILIES[a]
        for b in names:
            q = FAMILIES[b]
            law_p, in_p = law_of(p, "1")
            law_q, in_q = law_of(q, "2")
            start = time.perf_counter()
            ctx = Context()
            result = REDUCERS["KL"](divergence("KL", inline(law_p), inline(law_q)), ctx)
            times.append(time.perf_counter() - start)
            if p.region.discrete != q.region.discrete:
                count["mixed, infinite" if open_tensor(result, ()) is INF else "mixed, NOT INFINITE"] += 1
                continue
            body = open_tensor(result, ())
            if any(isinstance(n, Operator) and n.name == "E" for n in walk(result)):
                kind = "open"
            elif body is INF:
                kind = "infinite"
            elif any(isinstance(n, Where) and n.args[2] is INF for n in walk(result)):
                kind = "conditional"
            else:
                kind = "finite"
            count[kind] += 1
            table[a][kind].append(b)
            if kind == "open":
                continue
            for _ in range(points):
                at, to = parameters(p, rng), parameters(q, rng)
                values = {v: np.float64(at[n]) for n, v in in_p.items()} | {v: np.float64(to[n]) for n, v in in_q.items()}
                first, second = Numeric(p, at), Numeric(q, to)
                got = float(evaluate([result], Point({}, values))[0])
                count["points"] += 1
                if first.low < second.low or first.high > second.high:
                    if got != math.inf:
                        wrong.append((a, b, at, to, got, "support"))
                    continue
                if math.isinf(got):
                    op = next(s.after for s in ctx.trace.steps if s.rule == "densities")
                    assert isinstance(op, Operator)
                    (inner,), draws = opened_expectation(op)
                    said = grows(open_tensor(inner, ()), [draws[0]], Point({}, values))
                    count[f"infinite, confirmed {said}"] += 1
                    if said is False:
                        wrong.append((a, b, at, to, got, "said to be infinite, tails fall"))
                    continue
                want, error = quadrature(first, second, list(to.values()))
                if error > 1e-6 * max(1, abs(want)):
                    count["unsettled"] += 1
                    if math.isnan(got):
                        wrong.append((a, b, at, to, got, "nan"))
                    continue
                if not abs(got - want) <= max(1e-6 * max(1, abs(want)), 3 * error):
                    wrong.append((a, b, at, to, got, want))
    for a, kinds in table.items():
        print(
            f"{a:20s}", "; ".join(f"{k} {len(v)}" + (f": {' '.join(v)}" if k == "open" else "") for k, v in sorted(kinds.items()))
        )
    print(dict(count))
    print(f"median {1e3 * median(times):.1f} ms, longest {max(times):.2f} s a pair; {len(wrong)} wrong")
    for line in wrong:
        print("WRONG", *line)
    print(f"{len(ROWS)} families")


if __name__ == "__main__":
    main()
