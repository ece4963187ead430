"""Which quantities of one family have a closed form: entropies, Fisher information, divergences of any order, distances.

    python -m tests.benchmarks.quantities [--only Normal,Gamma] [--of entropy,renyi] [--points 2]

Each number is compared with quadrature or summation over the densities alone; `wrong` must be 0. What has no closed form
is said to have none and is compared all the same, through generated code.
"""

from __future__ import annotations

import math
import sys
import time
from collections import defaultdict

import numpy as np

import symgen
from symgen.probability.families.distributions import ROWS
from symgen.probability.laws.referee import Numeric, scalar_at
from symgen.tensor.expression import Operator, walk
from symgen.text.diagnostics import SymgenError

QUANTITIES = ("entropy", "fisher", "renyi", "hellinger", "chi2", "JS", "wasserstein2")
ALPHA = 0.37


def spec(row):
    """p and q of one family, over parameters of their own."""
    lines, assumed = [], []
    for letter, law in (("1", "p"), ("2", "q")):
        for name, domain in row.parameters.items():
            kind = domain if domain in ("positive", "unit", "natural", "integer") else "real"
            lines.append(f"param {name}{letter}: {kind}")
        if row.order:
            assumed.append(" ".join(w + letter if w in row.parameters else w for w in row.order.replace(" and ", " , ").split()))
        lines.append(f"dist {law}(x) = {row.name}({', '.join(n + letter for n in row.parameters)})")
    lines.extend(f"assume {a.replace(' ,', ',')}" for a in assumed)
    return "\n".join(lines) + "\nparam alpha: unit\n"


def panels(p: Numeric, more=()):
    """Places between which the density is smooth, closer where it may be steep."""
    middle = [v for v in (*p.parameters.values(), *more) if p.low < v < p.high] or [0.0 if math.isinf(p.low) else p.low + 1.0]
    far = np.concatenate([np.geomspace(1e-40, 1e-2, 130), np.geomspace(1e-2, 40, 160), np.geomspace(40, 1e40, 200)])
    sides = [(m, s) for m in middle for s in (1, -1)] + [(e, s) for e, s in ((p.low, 1), (p.high, -1)) if math.isfinite(e)]
    places = np.concatenate([*(m + s * far for m, s in sides), middle])
    low, high = max(p.low, -1e40), min(p.high, 1e40)
    return np.unique(np.concatenate([places[(places > low) & (places < high)], [low, high]]))


NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def over(p: Numeric, f, more=()):
    """The sum or integral of f over the support of p; nothing where f is no number, as 0 log 0."""
    if p.discrete:
        x = np.arange(p.low, min(p.high, p.low + 4000) + 1)
        with np.errstate(all="ignore"):
            return float(np.nansum(f(x)))
    cuts = panels(p, more)
    a, b = cuts[:-1, None], cuts[1:, None]
    x = (a + b) / 2 + (b - a) / 2 * NODES
    with np.errstate(all="ignore"):
        y = f(x.ravel()).reshape(x.shape)
    return float((np.where(np.isfinite(y), y, 0) * WEIGHTS * (b - a) / 2).sum())


def parameters(row, rng):
    """Numbers in the domains of the row that satisfy its order; shapes at which tails are not too long to be summed."""
    ranges = {"positive": (1.3, 3.4), "unit": (0.15, 0.85), "real": (-1.2, 1.6)}
    while True:
        at = {
            n: float(rng.integers(1, 12)) if d in ("natural", "integer") else rng.uniform(*ranges[d])
            for n, d in row.parameters.items()
        }
        if not row.order or scalar_at(f"where({row.order}, 1, 0)", at) == 1:
            return at


def log_density(p: Numeric):
    """Its log-density, -inf outside its support."""

    def f(x):
        with np.errstate(all="ignore"):
            return np.where((x >= p.low) & (x <= p.high), p.log_density(np.clip(x, p.low, p.high)), -np.inf)

    return f


class Quantiles:
    """The distribution function of a density from panels of Gauss's rule, and its inverse by Newton's steps within one."""

    def __init__(self, p: Numeric) -> None:
        self.p, self.cuts = p, panels(p)
        mass = self.mass(self.cuts[:-1], self.cuts[1:])
        self.below = np.concatenate([[0.0], np.cumsum(mass)])
        self.above = np.concatenate([np.cumsum(mass[::-1])[::-1], [0.0]])

    def mass(self, a, b):
        x = (a + b)[:, None] / 2 + (b - a)[:, None] / 2 * NODES
        with np.errstate(all="ignore"):
            y = np.exp(self.p.log_density(x.ravel())).reshape(x.shape)
        return (np.where(np.isfinite(y), y, 0) * WEIGHTS).sum(-1) * (b - a) / 2

    def at(self, u):
        """The quantiles at u, given as (u, 1 - u)."""
        u, v = u
        k = np.where(u < 0.5, np.searchsorted(self.below, u) - 1, np.searchsorted(-self.above, -v) - 1)
        k = np.clip(k, 0, len(self.cuts) - 2)
        a, b = self.cuts[k], self.cuts[k + 1]
        rest = np.where(u < 0.5, u - self.below[k], self.above[k] - v)
        low, high = a.copy(), b.copy()
        for _ in range(60):
            x = (low + high) / 2
            more = self.mass(a, x) < rest
            low, high = np.where(more, x, low), np.where(more, high, x)
        return (low + high) / 2


def distance(p: Numeric, q: Numeric):
    """The mean of (x - y)^2 over quantiles of the same level."""
    if p.discrete:
        out, level = 0.0, 0.0
        x = [np.arange(f.low, min(f.high, f.low + 4000) + 1) for f in (p, q)]
        masses = [list(np.exp(f.log_density(a))) for f, a in zip((p, q), x, strict=True)]
        i = j = 0
        while i < len(x[0]) and j < len(x[1]) and level < 1 - 1e-15:
            step = min(masses[0][i], masses[1][j])
            out += step * (x[0][i] - x[1][j]) ** 2
            level += step
            masses[0][i] -= step
            masses[1][j] -= step
            i, j = i + (masses[0][i] <= 1e-18), j + (masses[1][j] <= 1e-18)
        return out
    h = 0.02
    k = np.arange(-3.9, 3.9, h)
    inner = np.pi / 2 * np.sinh(k)
    u, v = 1 / (1 + np.exp(-2 * inner)), 1 / (1 + np.exp(2 * inner))
    w = h * np.pi * np.cosh(k) * u * v
    return float((w * (Quantiles(p).at((u, v)) - Quantiles(q).at((u, v))) ** 2).sum())


def information(row, at):
    """The mean of the products of scores, by differences of the log-density."""
    names = [n for n, d in row.parameters.items() if d in ("real", "positive", "unit")]
    p, h = Numeric(row, at), 1e-5

    def score(n, x):
        step = h * max(1, abs(at[n]))
        up, down = (Numeric(row, at | {n: at[n] + s * step}).log_density(x) for s in (1, -1))
        return (up - down) / (2 * step)

    return np.array(
        [[over(p, lambda x, a=a, b=b: np.exp(p.log_density(x)) * score(a, x) * score(b, x)) for a in names] for b in names]
    )


def wanted(quantity, p: Numeric, q: Numeric):
    lp, lq = log_density(p), log_density(q)
    a, ends = ALPHA, list(q.parameters.values())
    if quantity == "entropy":
        return over(p, lambda x: -np.exp(lp(x)) * lp(x))
    if quantity == "renyi":
        common = over(p, lambda x: np.exp(a * lp(x) + (1 - a) * lq(x)), ends)
        return math.log(common) / (a - 1) if common > 0 else math.inf
    if quantity == "hellinger":
        return 1 - over(p, lambda x: np.exp((lp(x) + lq(x)) / 2), ends)
    if quantity == "chi2":
        return over(p, lambda x: np.exp(2 * lp(x) - lq(x))) - 1
    if quantity == "JS":

        def half(law, f, g):
            return over(
                law, lambda x: np.exp(f(x)) * (f(x) - np.logaddexp(f(x), g(x)) + math.log(2)), [*ends, *p.parameters.values()]
            )

        return (half(p, lp, lq) + half(q, lq, lp)) / 2
    if quantity == "wasserstein2":
        return distance(p, q)
    raise KeyError(quantity)


def main():
    def option(name, default):
        return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default

    only, of = option("--only", ""), option("--of", ",".join(QUANTITIES)).split(",")
    points = int(option("--points", "1"))
    table, wrong = defaultdict(lambda: defaultdict(list)), []
    for row in ROWS:
        if not row.is_univariate or row.shapes or only and row.name not in only.split(","):
            continue
        model = symgen.loads(spec(row))
        for quantity in of:
            rng = np.random.default_rng(3)
            names = ", ".join(n + "1" for n, d in row.parameters.items() if d in ("real", "positive", "unit"))
            goal = {
                "entropy": "entropy(p)",
                "renyi": "renyi(p, q, alpha)",
                "chi2": "chi2(p || q)",
                "fisher": f"fisher(p, [{names}])",
            }.get(quantity, f"{quantity}(p, q)")
            start = time.perf_counter()
            try:
                d = model.derive(goal)
                kind = "open" if any(isinstance(n, Operator) for n in walk(d.array)) else "closed"
            except SymgenError as error:
                table[quantity]["refused"].append(f"{row.name} ({str(error).splitlines()[0][:60]})")
                continue
            seconds = time.perf_counter() - start
            table[quantity][kind].append(row.name)
            print(
                f"{row.name:22s} {quantity:14s} {kind:8s} {d.evidence.kind:8s} {seconds:6.2f} s  {d.text_result[:90]}", flush=True
            )
            for _ in range(points):
                at, to = parameters(row, rng), parameters(row, rng)
                values = {n + "1": v for n, v in at.items()} | {n + "2": v for n, v in to.items()} | {"alpha": ALPHA}
                if quantity == "fisher":
                    want = information(row, at)
                else:
                    want = wanted(quantity, Numeric(row, at), Numeric(row, to))
                try:
                    got = d.evaluate(**{k: v for k, v in values.items() if k in d.symbols})
                except SymgenError as error:
                    wrong.append((row.name, quantity, at, to, str(error)[:80], want))
                    continue
                near = (np.asarray(got) == want) | (np.abs(np.asarray(got) - want) <= 1e-5 * np.maximum(1, np.abs(want)))
                if not (
                    near | np.isinf(got) & ((np.abs(want) > 1e3) | (quantity == "chi2"))
                ).all():  # of infinite ones a part is seen
                    wrong.append((row.name, quantity, kind, at, to, got, want))
    for quantity, kinds in table.items():
        for kind, names in kinds.items():
            print(f"{quantity}: {kind} {len(names)}: {' '.join(names)}")
    print(f"{len(wrong)} wrong")
    for line in wrong:
        print("WRONG", *line)


if __name__ == "__main__":
    main()
