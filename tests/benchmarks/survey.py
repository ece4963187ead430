"""Digits of generated code over all families: every closed divergence, entropy, mean and variance against the same formula
in balls of hundreds of bits. Near: all parameters moved, then one at a time; far: unrelated ones over the domain.

    python -m tests.benchmarks.survey [--wide] [--all] QUANTITY,.. [FAMILY,..]

A line for each goal whose code is off by more than 1e-11 near or 1e-13 far (an error far away is divided by a thousandth of
the condition of the problem, where that is more than 1); `--all` shows the others too. `--wide` goes to parameters of 1e-8
and 1e8. Where a mean stays, or a rule is missing, nothing is measured. A simplex and a direction are not measured near: in
floats they do not have the sum and the length one.
"""

from __future__ import annotations

import math
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, ctx

import symgen
from symgen.codegen.compile import Compiled
from symgen.nearness.kept import in_numbers, with_digits_kept
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.distributions import ROWS
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, Operator, Var, variables_of, walk
from symgen.tensor.field import Ball

TWO = {
    "kl": "KL({} || {})", "chi2": "chi2({} || {})", "hellinger": "hellinger({}, {})", "renyi2": "renyi({}, {}, 2)",
    "renyi": "renyi({}, {}, 1/2)", "js": "JS({}, {})", "tv": "tv({}, {})", "w2": "wasserstein2({}, {})",
    "cross": "cross_entropy({}, {})",
}  # fmt: skip
ONE = {"entropy": "entropy({})", "mean": "E[x ~ {}](x)", "var": "Var[x ~ {}](x)"}
GRID = {
    "positive": (1e-3, 0.03, 0.3, 1.0, 2.5, 17.0, 1e3), "real": (0.0, 1e-4, -1e-2, 0.7, -4.0, 30.0, -1e3),
    "unit": (1e-6, 1e-3, 0.01, 0.3, 0.5, 0.7, 0.99, 0.99999),
}  # fmt: skip
WIDE = {
    "positive": (1e-8, 1e-4, 1e-2, 0.3, 1.0, 2.5, 17.0, 1e3, 1e5, 1e8), "real": (0.0, 1e-8, -1e-3, 0.7, -4.0, 30.0, -1e4, 1e8),
    "unit": (1e-12, 1e-5, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 2.0**-30),
}  # fmt: skip
MIDDLE = {"real": 0.375, "positive": 1.25, "unit": 0.3125}
SPD = np.array([[2, 0.25, -0.25], [0.25, 1, 0.375], [-0.25, 0.375, 1.5]])
FIELDS = (160, 600, 2600)
NEAR, FAR = 1e-11, 1e-13
DISTANCES = (1e-1, 1e-3, 1e-5, 1e-7)
POINTS = 40
SKIPPED = ("Hypergeometric", "SphericalUniform", "MarkovChain", "InhomogeneousMarkovChain", "GaussianChain", "GaussianWalk")
TOGETHER = {"Logistic": "s", "LogLogistic": "beta", "GeneralizedNormal": "mu", "Kumaraswamy": "a", "StudentT": "nu", "Gamma": "a",
            "Weibull": "k", "Frechet": "alpha", "Pareto": "xm", "Lomax": "alpha", "InverseGaussian": "lam"}  # fmt: skip
Values = dict[str, Any]


def declared(row: Distribution, n: str) -> str:
    """The parameters of one of two laws, with their domains."""
    kinds = {"integer": "natural"}
    shapes = {k: f"[{', '.join(s)}]" for k, s in row.shapes.items()}
    return ", ".join(f"{k}{n}: {kinds.get(d, d)}{shapes.get(k, '')}" for k, d in row.parameters.items())


def assumed(row: Distribution, n: str) -> str:
    """The order of the ends of an interval."""
    if not row.order or "integer" in row.parameters.values():
        return ""
    named = re.sub(r"\b[A-Za-z]\w*\b", lambda k: k[0] if k[0] == "and" else k[0] + n, row.order)
    return "".join(f"assume {part}\n" for part in named.split(" and "))


def called(row: Distribution, n: str, shared: tuple[str, ...] = ()) -> str:
    return f"{row.name}({', '.join(k + ('1' if k in shared else n) for k in row.parameters)})"


def ordered(row: Distribution, at: Values) -> Values:
    """The parameters with ends in their order."""
    if row.name == "Triangular":
        at.update(b=at["a"] + 2, c=at["a"] + 0.7)
    elif row.name == "DiscreteUniform":
        at.update(a=2.0, b=9.0)
    elif row.order:
        low, high = row.order.split(" ")[::2]
        at[high] = at[low] + 1.3
    return at


def middle(row: Distribution, turn: int, rng: np.random.Generator) -> Values:
    """Parameters of the size of one."""
    out: Values = {}
    for j, (n, d) in enumerate(row.parameters.items()):
        shape = row.shapes.get(n)
        if shape:
            out[n] = {
                "simplex": np.array([0.25, 0.4375, 0.3125]), "spd": SPD, "positive": np.array([1.25, 0.625, 2.5]),
            }.get(d, np.array([0.375, -1.125, 0.625]) if len(shape) == 1 else np.arange(9.0).reshape(3, 3) / 8)  # fmt: skip
        elif d in ("natural", "integer"):
            out[n] = 5.0 + j
        elif turn == 0:
            out[n] = MIDDLE[d] + (0.5 * j if d == "positive" else 0)
        else:
            ranges = {"real": rng.uniform(-3, 3), "positive": math.exp(rng.uniform(-1.5, 2)), "unit": rng.uniform(0.05, 0.95)}
            out[n] = ranges[d]
    for n in ("nu",) if row.name in ("StudentT", "MultivariateT", "Wishart", "InverseWishart") else ():
        out[n] += 4
    return ordered(row, out)


def anywhere(row: Distribution, grid: Mapping[str, tuple[float, ...]], rng: np.random.Generator) -> Values:
    """Parameters over the domain."""
    out = middle(row, 0, rng)
    for n, d in row.parameters.items():
        if not row.shapes.get(n) and d in grid:
            out[n] = float(rng.choice(grid[d])) * (1 + round(rng.uniform() * 64) / 64 if d == "positive" else 1)
    if "Wishart" in row.name:
        out["nu"] += 2  # more than the size of the matrix, less 1
    return ordered(row, out)


def moved(row: Distribution, base: Values, alone: str | None, h: float, rng: np.random.Generator) -> Values:
    """Parameters at a distance from the base: all of them, or one alone."""
    out = dict(base)
    for n, d in row.parameters.items():
        if alone not in (None, n) or d in ("natural", "integer", "simplex"):
            continue
        v, sign = base[n], float(rng.choice([1, -1])) * rng.uniform(0.5, 1)
        if np.ndim(v) == 2:
            out[n] = v + h * np.array([[0.5, 0.125, 0.25], [0.125, -0.375, 0.25], [0.25, 0.25, 0.625]])
        elif np.ndim(v):
            out[n] = v + h * np.array([0.5, -0.25, 0.5])
        else:
            out[n] = v + h * sign * {"real": 1.0, "positive": 0.5 * v, "unit": 0.5 * min(v, 1 - v)}[d]
    return out


@dataclass(frozen=True)
class Code:
    """The formula of a goal, and its code."""

    formula: Array
    code: Compiled
    free: list[Var]

    def point(self, at: Values) -> Point:
        sizes = {d.name: n for v in self.free for d, n in zip(v.shape, np.shape(at[v.name]), strict=True) if hasattr(d, "name")}
        return Point(sizes, {v: np.asarray(at[v.name], dtype=float) for v in self.free})

    def exact(self, point: Point) -> Any:
        """A ball of 80 bits; None where none is found."""
        for bits in FIELDS:
            try:
                found = evaluate([self.formula], point, Ball(bits))[0].item()
            except (NotEvaluable, ArithmeticError, ValueError):
                return None
            if not found.is_nan() and (found.is_exact() or (found.is_finite() and found.rel_accuracy_bits() >= 80)):
                return found
        return None

    def error(self, at: Values) -> tuple[float, Any]:
        """The relative error of the code, and the ball; nan where the formula has no number."""
        want = self.exact(self.point(at))
        if want is None:
            return math.nan, None
        with np.errstate(all="ignore"):
            got = float(self.code({v.name: at[v.name] for v in self.code.variables})["result"])
        return relative(got, want), want

    def condition(self, at: Values, want: Any) -> float:
        """The greatest relative change of the value by one of a parameter."""
        worst, step, point = 1.0, 2.0**-50, self.point(at)
        for v in self.free:
            if v.rank or v.domain == "natural" or not want.is_finite() or want == 0:
                continue
            there = Point(point.sizes, {**point.values, v: np.asarray(float(point.values[v]) * (1 + step))})
            other = self.exact(there)
            if other is not None and other.is_finite():
                with ctx.workprec(FIELDS[-1]):
                    worst = max(worst, float(abs((other - want) / want)) / step)
        return worst


def relative(got: float, want: Any) -> float:
    with ctx.workprec(400):
        if not want.is_finite() or want == 0 or not math.isfinite(got):
            return 0.0 if got == float(want) else math.inf
        if abs(float(want)) < 1e-290:
            return 0.0 if abs(got - float(want)) <= 1e-300 + 1e-6 * abs(got) else math.inf
        return float(abs((arb(got) - want) / want))


def code_of(row: Distribution, goal: str) -> Code | None:
    """The formula and the code of a goal; None where a mean stays, or a rule is missing."""
    sizes = sorted({x for shape in row.shapes.values() for x in shape})
    head = f"dim {', '.join(sizes)}\n" if sizes else ""
    model = symgen.loads(head + f"param {declared(row, '1')}, {declared(row, '2')}\n" + assumed(row, "1") + assumed(row, "2"))
    try:
        found = model.derive(goal)
        array = found.array
        if array is None or any(isinstance(n, Operator) for n in walk(array)):
            return None
        kept = with_digits_kept(array, found._goal_array, model.elaborated.facts)
        code = Compiled({"result": in_numbers(kept)})
    except symgen.CannotDerive:
        return None
    free = sorted(variables_of(array), key=lambda v: v.serial)
    return Code(array, code, free) if free else None


def goals(row: Distribution, quantity: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """A goal with what both laws have in common: nothing, the ends of the support, or a shape."""
    if quantity in ONE:
        yield (), ONE[quantity].format(called(row, "1"))
        return
    sizes = tuple(n for n, d in row.parameters.items() if d in ("natural", "integer"))
    ends = tuple(n for n in row.parameters if n in (row.region.low, row.region.high)) if row.is_univariate else ()
    for more in dict.fromkeys([(), ends, tuple(n for n in (TOGETHER.get(row.name),) if n)]):
        shared = tuple(dict.fromkeys((*sizes, *more)))
        yield shared, TWO[quantity].format(called(row, "1"), called(row, "2", shared))


def both(first: Values, second: Values, shared: tuple[str, ...]) -> Values:
    return {n + "1": v for n, v in first.items()} | {n + "2": first[n] if n in shared else v for n, v in second.items()}


def measured(row: Distribution, code: Code, shared: tuple[str, ...], near: bool, wide: bool) -> tuple[float, float, Values]:
    """The worst error near, the worst far, and where the worse of them is."""
    rng = np.random.default_rng(5)
    worst: list[float] = [0.0, 0.0]
    where: Values = {}
    for turn in range(3) if near else ():
        base = middle(row, turn, rng)
        for alone in (None, *(n for n in row.parameters if n not in shared)):
            for h in DISTANCES:
                at = both(base, moved(row, base, alone, h, rng), shared)
                off, _ = code.error(at)
                if off > worst[0]:
                    worst[0], where = off, at
    for _ in range(POINTS):
        grid = WIDE if wide else GRID
        at = both(anywhere(row, grid, rng), anywhere(row, grid, rng), shared)
        off, want = code.error(at)
        off = off / max(1.0, 1e-3 * code.condition(at, want)) if off > FAR else off
        if off > worst[1]:
            worst[1], where = off, at
    return worst[0], worst[1], where


def main(arguments: list[str]) -> None:
    warnings.simplefilter("ignore")
    wide, shows_all = (flag in arguments for flag in ("--wide", "--all"))
    lists = [a.split(",") for a in arguments if not a.startswith("--")]
    quantities = lists[0] if lists else [*TWO, *ONE]
    rows = [r for r in ROWS if r.name not in SKIPPED and (len(lists) < 2 or r.name in lists[1])]
    count = bad = 0
    for row in rows:
        for quantity in quantities:
            for shared, goal in goals(row, quantity):
                code = code_of(row, goal)
                if code is None:
                    continue
                near = quantity in TWO and not {"simplex"} & set(row.parameters.values()) and row.region.kind != "sphere"
                close, far, where = measured(row, code, shared, near, wide)
                wrong = close > NEAR or far > FAR
                count, bad = count + 1, bad + wrong
                if wrong or shows_all:
                    at = ", ".join(f"{n}={v:.6g}" for n, v in where.items() if not np.ndim(v)) if wrong else ""
                    print(f"{goal:70} near {close:7.0e}  far {far:7.0e}  {at}", flush=True)
    print(f"of {count} goals {bad} miss {NEAR:g} near or {FAR:g} far")


if __name__ == "__main__":
    main(sys.argv[1:])
