"""Random expressions of the language with their shapes, and the numbers they have, for tests of printing."""

from __future__ import annotations

import random

import numpy as np

from symgen.render.language import unparse
from symgen.render.raising import raise_array
from symgen.tensor import expression as x
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.formula import read

n, d, k = x.dim("n"), x.dim("d"), x.dim("k")
SIZES = {"n": 3, "d": 4, "k": 2}
SHAPES = {
    "X": (n, d), "Y": (n, d), "A": (n, n), "B": (n, n), "C": (d, d), "W": (d, k), "V": (n, k),
    "x": (n,), "y": (n,), "w": (d,), "v": (d,), "b": (k,), "s": (), "t": (), "T": (n, d, k),
}  # fmt: skip
VARIABLES = {name: x.var(name, shape, domain="positive") for name, shape in SHAPES.items()}
SCOPE = {**VARIABLES, "n": n, "d": d, "k": k}
_rng = np.random.default_rng(3)
POINT = Point(
    dict(SIZES),
    {v: _rng.uniform(0.3, 1.3, [SIZES[s.name] for s in v.shape]) for v in VARIABLES.values()},
)


def numbers(array):
    (value,) = evaluate([array], POINT)
    return np.asarray(value, dtype=float)


def printed(array, names=None):
    return unparse(raise_array(array, names or {}))


def round_trip(array, names=None):
    """The text of an array and the array that it means when it is read again."""
    text = printed(array, names)
    scope = dict(SCOPE)
    scope.update({name: a for a, name in (names or {}).items()})
    return text, read(text, scope)


LEAVES = {
    (n, d): ["X", "Y"], (d, n): ["X'", "Y'"], (n, n): ["A", "B", "A'", "inv(A + 3*eye(n))", "eye(n)"],
    (d, d): ["C", "C'"],
    (d, k): ["W"], (k, d): ["W'"], (n, k): ["V"], (k, n): ["V'"], (k, k): ["eye(k)"],
    (n,): ["x", "y", "A[:, 1]", "ones(n)"], (d,): ["w", "v"], (k,): ["b", "W[0]"],
    (): ["s", "t", "2", "3", "n", "x[0]"],
}  # fmt: skip
UNARY = ["exp", "sigmoid", "tanh", "log1p", "sqrt", "abs"]
DIMS = [n, d, k]


class Grammar:
    """Texts of a wanted shape."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def make(self, shape, depth):
        r = self.r
        if depth <= 0:
            return r.choice(LEAVES[shape])
        kind = r.choice(["plus", "plus", "times", "times", "over", "unary", "where", "special", "special", "special", "special"])
        if kind == "plus":
            return f"({self.like(shape, depth - 1)} {r.choice('+-')} {self.make(shape, depth - 1)})"
        if kind == "times":
            return f"({self.like(shape, depth - 1)}*{self.make(shape, depth - 1)})"
        if kind == "over":
            return f"({self.make(shape, depth - 1)}/{self.make(r.choice([(), shape]), 0)})"
        if kind == "unary":
            return f"{r.choice(UNARY)}({self.make(shape, depth - 1)})" if r.random() < 0.7 else f"{self.make(shape, depth - 1)}^2"
        if kind == "where":
            leaf = [self.make(shape, 0) for _ in range(3)]
            return f"where({leaf[0]} < {leaf[1]}, {self.make(shape, depth - 1)}, {leaf[2]})"
        return self.special(shape, depth)

    def like(self, shape, depth):
        """Something that broadcasts to `shape`."""
        return self.make(self.r.choice([shape, shape, shape[1:], ()]), depth)

    def special(self, shape, depth):
        r, make = self.r, self.make
        if shape == ():
            p, q = r.choice(DIMS), r.choice(DIMS)
            return r.choice([
                lambda: f"({make((p,), depth - 1)} @ {make((p,), depth - 1)})",
                lambda: f"sum({make((p,), depth - 1)})", lambda: f"sum({make((p, q), depth - 1)})",
                lambda: f"mean({make((p, q), depth - 1)})",
                lambda: f"tr({make((p, q), depth - 1)} @ {make((q, p), depth - 1)})",
                lambda: f"norm({make((p,), depth - 1)})", lambda: f"max({make((p, q), depth - 1)})",
                lambda: f"prod({make((p,), depth - 1)})", lambda: f"logsumexp({make((p,), depth - 1)})",
                lambda: f"sum[i: {p.name}]({make((p,), 0)}[i]*{make((p,), depth - 1)}[i])",
            ])()  # fmt: skip
        if len(shape) == 1:
            (p,) = shape
            q = r.choice(DIMS)
            return r.choice([
                lambda: f"({make((p, q), depth - 1)} @ {make((q,), depth - 1)})",
                lambda: f"({make((q,), depth - 1)} @ {make((q, p), depth - 1)})",
                lambda: f"sum({make((p, q), depth - 1)}, axis=1)", lambda: f"sum({make((q, p), depth - 1)}, axis=0)",
                lambda: f"max({make((p, q), depth - 1)}, axis=1)", lambda: f"softmax({make((p,), depth - 1)})",
                lambda: f"diagonal({make((p, q), depth - 1)} @ {make((q, p), depth - 1)})",
            ])()  # fmt: skip
        p, q = shape
        m = r.choice(DIMS)
        return r.choice([
            lambda: f"({make((p, m), depth - 1)} @ {make((m, q), depth - 1)})",
            lambda: f"outer({make((p,), depth - 1)}, {make((q,), depth - 1)})",
            lambda: f"{make((q, p), depth - 1)}'" if depth > 1 else f"({make((q, p), 0)})'",
            lambda: f"(diag({make((p,), depth - 1)}) @ {make((p, q), depth - 1)})",
            lambda: f"softmax({make((p, q), depth - 1)})",
            lambda: f"({make((p,), depth - 1)})[:, None]*{make((p, q), depth - 1)}",
            lambda: f"({make((p, q), depth - 1)}/sum({make((p, q), depth - 1)}, axis=1, keepdims=True))",
        ])()  # fmt: skip
