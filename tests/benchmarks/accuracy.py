"""Digits of divergences as q approaches p: symgen's generated code and torch.distributions against 60-digit arithmetic.

    python -m tests.benchmarks.accuracy [--target numpy|torch|jax] [--edges] [NAME..]

Each row is the relative error at distances 1e-1 .. 1e-7; `far` is at unrelated parameters; `short` is in float32 at 1e-3.
`--edges` shows the edges of the domains and extreme parameters instead.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import numpy as np

import symgen
from tests.benchmarks.accuracy_table import CASES, Case, Values

DIGITS = 60
DISTANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
NEAR, FAR = 1e-11, 1e-13
SHORT = 1e-3  # the distance at which float32 is shown
HEAD = """
dim k
param m1: real, m2: real, a1: positive, a2: positive, b1: positive, b2: positive, p1: unit, p2: unit
param c1: positive, c2: positive, nu1: positive, nu2: positive
param w1: simplex[k], w2: simplex[k], al1: positive[k], al2: positive[k], mu1: real[k], mu2: real[k]
param s1: positive[k], s2: positive[k], S1: spd[k, k], S2: spd[k, k], n: natural
"""
BASE: dict[str, Any] = {
    "m": 0.3, "a": 1.3, "b": 2.1, "c": 0.9, "nu": 4.7, "p": 0.3, "w": np.array([0.2, 0.5, 0.3]), "al": np.array([1.2, 0.7, 2.5]),
    "mu": np.array([0.3, -1.1, 0.6]), "s": np.array([1.3, 0.4, 2.2]),
    "S": np.array([[2.0, 0.3, -0.2], [0.3, 1.0, 0.4], [-0.2, 0.4, 1.5]]), "m0": 0.0, "a0": 1.0,
}  # fmt: skip
SHIFT: dict[str, Any] = {
    "m": 1.0, "a": 0.7, "b": -0.6, "c": 0.4, "nu": 1.3, "p": 0.8, "w": np.array([0.3, -0.5, 0.2]), "al": np.array([0.5, -0.4, 0.8]),
    "mu": np.array([1.0, -0.3, 0.5]), "s": np.array([0.4, 0.3, -0.8]),
    "S": np.array([[0.5, 0.1, 0.2], [0.1, -0.4, 0.3], [0.2, 0.3, 0.6]]), "m0": 1.0, "a0": -0.7,
}  # fmt: skip
OTHER: dict[str, Any] = {
    "m": -1.9, "a": 2.4, "b": 0.9, "c": 1.6, "nu": 7.1, "p": 0.85, "w": np.array([0.6, 0.1, 0.3]), "al": np.array([3.1, 2.2, 0.4]),
    "mu": np.array([-1.0, 2.0, 0.1]), "s": np.array([0.3, 1.9, 1.0]),
    "S": np.array([[1.0, -0.3, 0.0], [-0.3, 2.0, 0.1], [0.0, 0.1, 0.7]]), "m0": 1.7, "a0": 0.2,
}  # fmt: skip


def values(c: Case, distance: float | None) -> dict[str, Any]:
    """The parameters of both laws at a distance; None: unrelated."""
    out: dict[str, Any] = {"n": 3}
    for x in c.at:
        if x.endswith("0"):
            out[x[:-1] + "1"] = OTHER[x] if distance is None else BASE[x] + distance * SHIFT[x]
            continue
        out[x + "1"] = BASE[x]
        out[x + "2"] = OTHER[x] if distance is None else BASE[x] + distance * SHIFT[x]
    return out


def exactly(x: Any) -> Any:
    if np.ndim(x) == 2:
        return [[mp.mpf(float(y)) for y in row] for row in x]
    return [mp.mpf(float(y)) for y in x] if np.ndim(x) else mp.mpf(float(x))


def truth(c: Case, at: Values) -> Any:
    with mp.workdps(DIGITS):
        return c.exact({k: exactly(v) for k, v in at.items()})


def error(got: float, want: Any) -> float:
    with mp.workdps(DIGITS):
        return float(abs(mp.mpf(got) - want) / abs(want)) if want else float(abs(got))


def code_of(names: Sequence[str], target: str = "numpy") -> Any:
    """The generated module that holds the divergences of that name, `h0`, `h1`, ..: nothing but its code."""
    return symgen.loads(HEAD.replace(", n: natural", "") + goals_of(names)).compile(target=target)


def goals_of(names: Sequence[str]) -> str:
    return "".join(f"derive h{k} = {CASES[name].goal.replace('(n, ', '(3, ')}\n" for k, name in enumerate(names))


def typed(target: str, dtype: str) -> Callable[[Any], Any]:
    """Numbers and arrays of a backend."""
    if target == "torch":
        import torch

        return lambda x: torch.as_tensor(np.asarray(x), dtype=getattr(torch, dtype))
    if target == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        return lambda x: jax.numpy.asarray(x, dtype=dtype)
    return lambda x: np.asarray(x, dtype=dtype)[()]


def value_of(f: Callable[..., Any], at: Values, target: str = "numpy", dtype: str = "float64") -> float:
    """What a function of a generated module gives at a point."""
    number = typed(target, dtype)
    with np.errstate(all="ignore"):
        return float(f({k: number(v) for k, v in at.items() if k != "n"}))


def rounded(at: Values, dtype: str) -> dict[str, Any]:
    """The numbers that the code is given."""
    return {k: np.asarray(np.asarray(v, dtype), float) for k, v in at.items()}


def errors(f: Callable[..., Any], c: Case, target: str = "numpy") -> list[float]:
    """The relative errors of generated code at the distances, far away, and in float32."""
    out = [error(value_of(f, at, target), truth(c, at)) for at in (values(c, d) for d in (*DISTANCES, None))]
    at = rounded(values(c, SHORT), "float32")
    return [*out, error(value_of(f, at, target, "float32"), truth(c, at))]


def torch_errors(c: Case) -> list[float] | None:
    """The same of torch.distributions."""
    try:
        import torch
    except ImportError:
        return None
    if not c.torch:
        return None
    law = getattr(torch.distributions, c.torch)
    out = []
    for distance, dtype in [*((d, "float64") for d in (*DISTANCES, None)), (SHORT, "float32")]:
        at = rounded(values(c, distance), dtype)
        number = typed("torch", dtype)
        try:
            p, q = (law(*(number(at[x + n]) for x in c.at)) for n in "12")
            got = torch.distributions.kl_divergence(p, q).sum()
        except NotImplementedError:
            return None
        out.append(error(float(got), truth(c, at)))
    return out


Edge = tuple[str, dict[str, Any], float, Callable[[Any], Any] | None]


def _torch(p: str, q: str, first: Sequence[Any], second: Sequence[Any]) -> Callable[[Any], Any]:
    """The divergence by torch.distributions; a first number of Binomial is its size."""

    def compute(torch: Any) -> Any:
        def law(name: str, numbers: Sequence[Any]) -> Any:
            made = [torch.tensor(x, dtype=torch.float64) for x in numbers]
            return getattr(torch.distributions, name)(*made, validate_args=False)

        return torch.distributions.kl_divergence(law(p, first), law(q, second))

    return compute


EDGES: list[Edge] = [  # probability.md (f): what torch.distributions has wrong at the edges
    ("KL(Binomial(5, p) || Binomial(5, q))", {"p": 1, "q": 0.5}, 5 * math.log(2), _torch("Binomial", "Binomial", (5, 1), (5, 0.5))),
    ("KL(Binomial(5, p) || Binomial(5, q))", {"p": 0.5, "q": 0}, math.inf, _torch("Binomial", "Binomial", (5, 0.5), (5, 0))),
    ("KL(Binomial(5, p) || Binomial(5, q))", {"p": 1, "q": 1}, 0, _torch("Binomial", "Binomial", (5, 1), (5, 1))),
    ("KL(Poisson(r) || Poisson(s))", {"r": 0, "s": 2}, 2, _torch("Poisson", "Poisson", (0,), (2,))),
    ("KL(Poisson(r) || Poisson(s))", {"r": 0, "s": 0}, 0, _torch("Poisson", "Poisson", (0,), (0,))),
    ("KL(Bernoulli(p) || Poisson(s))", {"p": 0, "s": 0}, 0, _torch("Bernoulli", "Poisson", (0,), (0,))),
    ("KL(ContinuousBernoulli(p) || Uniform(0, 1))", {"p": 0.3}, 0.029386202232129087,
     _torch("ContinuousBernoulli", "Uniform", (0.3,), (0, 1))),
    ("KL(Uniform(0, 1) || ContinuousBernoulli(p))", {"p": 0.3}, 0.029736123251875689,
     _torch("Uniform", "ContinuousBernoulli", (0, 1), (0.3,))),
    ("KL(Bernoulli(p) || Bernoulli(q))", {"p": 0.5, "q": 1e-30}, 33.845629214350746,
     _torch("Bernoulli", "Bernoulli", (0.5,), (1e-30,))),
    ("KL(Categorical(u) || Categorical(v))", {"u": [0.5, 0.5], "v": [1e-30, 1.0]}, 33.845629214350746,
     _torch("Categorical", "Categorical", ([0.5, 0.5],), ([1e-30, 1.0],))),
    ("KL(Bernoulli(p) || Bernoulli(q))", {"p": 1e-10, "q": 1e-20}, 2.2025850930090458e-09,
     _torch("Bernoulli", "Bernoulli", (1e-10,), (1e-20,))),
    ("KL(Uniform(1, 2) || Pareto(a, b))", {"a": 1e-3, "b": 150}, 1089.4831050823277,
     _torch("Uniform", "Pareto", (1, 2), (1e-3, 150))),
    ("KL(Beta(a, b) || Beta(c, d))", {"a": 1e8, "b": 1e8, "c": 1.0001e8, "d": 1.0001e8}, 2.4998333583310835e-09,
     _torch("Beta", "Beta", (1e8, 1e8), (1.0001e8, 1.0001e8))),
    ("KL(Gamma(a, b) || Gamma(c, d))", {"a": 1e8, "b": 1, "c": 1.0001e8, "d": 1}, 0.49998333666645002,
     _torch("Gamma", "Gamma", (1e8, 1), (1.0001e8, 1))),
    ("KL(Bernoulli(p) || Bernoulli(q))", {"p": 0, "q": 0}, 0, _torch("Bernoulli", "Bernoulli", (0,), (0,))),
    ("KL(Geometric(p) || Geometric(q))", {"p": 1, "q": 0.5}, math.log(2), _torch("Geometric", "Geometric", (1,), (0.5,))),
    ("KL(VonMises(0, a) || VonMises(0, b))", {"a": 1e4, "b": 1.1e4}, 0.0023450237507334736, None),
]  # fmt: skip
EDGE_HEAD = (
    "param p: unit, q: unit, r: nonnegative, s: nonnegative, u: simplex[2], v: simplex[2]\n"
    "param a: positive, b: positive, c: positive, d: positive\n"
)


def edges(target: str) -> list[tuple[Edge, float]]:
    """The cases at the edge and what generated code gives there."""
    goals = "".join(f"derive h{k} = {goal}\n" for k, (goal, *_) in enumerate(EDGES))
    module = symgen.loads(EDGE_HEAD + goals).compile(target=target)
    return [(e, value_of(getattr(module, f"h{k}"), e[1], target)) for k, e in enumerate(EDGES)]


def is_right(got: float, want: float) -> bool:
    return got == want or math.isfinite(want) and abs(got - want) <= 1e-12 * abs(want)


def show_edges(target: str) -> None:
    """Generated code and torch.distributions at the edges."""
    try:
        import torch
    except ImportError:
        torch = None  # type: ignore[assignment]
    print(f"{'':72}{'right':>16}{'symgen':>17}{'torch':>17}")
    wrong = [0, 0]
    for (goal, at, want, peer), got in edges(target):
        theirs = math.nan
        if torch is not None and peer is not None:
            try:
                theirs = float(peer(torch))
            except (NotImplementedError, ValueError):
                theirs = math.nan
        wrong[0] += not is_right(got, want)
        wrong[1] += not is_right(theirs, want)
        marks = ("" if is_right(x, want) else "*" for x in (got, theirs))
        shown = (f"{x:.9g}{m}" for x, m in zip((got, theirs), marks, strict=True))
        print(
            f"{goal + ' at ' + ', '.join(f'{k} = {v}' for k, v in at.items()):72}{want:>16.9g}" + "".join(f"{x:>17}" for x in shown)
        )
    print(f"of {len(EDGES)}: symgen {wrong[0]} wrong, torch {wrong[1]} wrong or none (*)")


def _alone(name: str, target: str) -> Callable[..., Any] | None:
    """The code of one divergence; None where the backend lacks a function of it."""
    try:
        made: Callable[..., Any] = code_of([name], target).h0
    except symgen.CannotDerive:
        return None
    return made


def main(arguments: list[str]) -> None:
    warnings.simplefilter("ignore")
    target = arguments[arguments.index("--target") + 1] if "--target" in arguments else "numpy"
    asked = [a for k, a in enumerate(arguments) if not a.startswith("--") and arguments[k - 1 : k] != ["--target"]]
    if "--edges" in arguments:
        show_edges(target)
        return
    names = [name for name in CASES if not asked or any(n in name for n in asked)]
    found_code = {name: one for name in names if (one := _alone(name, target)) is not None} if target != "numpy" else {}
    if target == "numpy":
        module = code_of(names)
        found_code = {name: getattr(module, f"h{k}") for k, name in enumerate(names)}
    print(f"{target:36}" + "".join(f"{x:>9.0e}" for x in DISTANCES) + f"{'far':>9}{'short':>9}")
    bad = 0
    for name, f in found_code.items():
        c = CASES[name]
        found = errors(f, c, target)
        ok = all(e <= NEAR for e in found[:-2]) and found[-2] <= FAR
        bad += not ok
        print(f"{name:36}" + "".join(f"{e:>9.0e}" for e in found) + ("" if ok else "  <--"))
        peer = torch_errors(c)
        if peer is not None:
            print(f"{'  torch':36}" + "".join(f"{e:>9.0e}" for e in peer))
    for name in names:
        if name not in found_code:
            print(f"{name:36}no code")
    print(f"of {len(found_code)} rows {bad} miss {NEAR:g} near or {FAR:g} far")


if __name__ == "__main__":
    main(sys.argv[1:])
