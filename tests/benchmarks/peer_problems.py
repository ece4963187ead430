"""What a peer is asked: the function, the variable, the order; and a point where the answer is compared."""

from __future__ import annotations

import numpy as np

from symgen.tensor import expression as x

SIZES = (3, 4, 2, 5, 6, 7, 8)
ORDERS = {"grad": 1, "jacobian": 1, "d": 1, "hessian": 2}


class NotStated(Exception):
    """The peer has no words for this."""


def function_of(array: x.Array):
    """f, the variable and the order of a goal grad(f, x), jacobian(f, x), hessian(f, x), d(f, t), nested ones too."""
    order, by = 0, None
    while isinstance(array, x.Operator) and array.name in ORDERS and (order == 0 or by is array.args[1]):
        if array.attrs and any(a not in (None, "") for a in array.attrs):
            raise NotStated("a form within a set")
        order += ORDERS[array.name]
        array, by = array.args[0], array.args[1]
    if not order or not isinstance(by, x.Var):
        raise NotStated("no derivative by a variable")
    if by.domain not in ("real", "positive", "unit", "nonnegative"):
        raise NotStated("a derivative within a set")
    return array, by, order


def point_of(arrays, lengths=SIZES, seed=11):
    """Sizes that differ, and numbers in the domains of the variables."""
    variables = sorted({v for a in arrays for v in x.variables_of(a)}, key=lambda v: v.name)
    dims = sorted({n for a in (*arrays, *variables) for s in a.shape for n in x.walk(s) if isinstance(n, x.Dim)}, key=str)
    dims = sorted({*dims, *(n for a in arrays for n in x.walk(a) if isinstance(n, x.Dim))}, key=lambda d: d.name)
    sizes = {d.name: lengths[k % len(lengths)] for k, d in enumerate(dims)}
    rng = np.random.default_rng(seed)
    values = {}
    for v in variables:
        shape = tuple(int(size_of(s, sizes)) for s in v.shape)
        a = rng.normal(size=shape)
        ways = {
            "positive": lambda a: np.exp(a), "nonnegative": lambda a: np.exp(a), "unit": lambda a: 1 / (1 + np.exp(-a)),
            "binary": lambda a: (a > 0) * 1.0, "natural": lambda a: np.round(np.exp(a)), "symmetric": lambda a: a + a.T,
            "spd": lambda a: a @ a.T + 3 * np.eye(len(a)), "simplex": lambda a: np.exp(a) / np.exp(a).sum(-1, keepdims=True),
            "onehot": lambda a: np.eye(a.shape[-1])[np.argmax(a, -1)],
        }  # fmt: skip
        values[v] = ways[v.domain](a) if v.domain in ways else a
        if v.domain in ("label", "integer", "lower", "skew", "orthogonal", "diagonal", "psd"):
            raise NotStated(f"a variable that is {v.domain}")
    return sizes, values


def size_of(s, sizes):
    if isinstance(s, x.Num):
        return s.value
    if isinstance(s, x.Dim):
        return sizes[s.name]
    if isinstance(s, x.Add):
        return sum(size_of(a, sizes) for a in s.args)
    if isinstance(s, x.Mul):
        return np.prod([size_of(a, sizes) for a in s.args])
    if isinstance(s, x.Pow):
        return size_of(s.args[0], sizes) ** size_of(s.args[1], sizes)
    raise NotStated("a size")
