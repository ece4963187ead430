"""Symbolic sizes from the shapes of arrays: which axis shows which dim, and what is left to be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symgen.tensor.expression import (
    Add,
    Dim,
    Index,
    Mul,
    Node,
    Num,
    Scalar,
    Var,
    as_coefficient,
    expand_size,
    num,
    sub,
    walk,
)  # fmt: skip

__all__ = ["Sight", "dims_of", "sights", "substitute_dims"]


@dataclass(frozen=True)
class Sight:
    """`dim` = (length of axis `axis` of `variable` - `offset`) // `factor`, where offset holds dims seen before."""

    dim: Dim
    variable: Var
    axis: int
    offset: Scalar
    factor: int


def dims_of(*nodes: Node) -> list[Dim]:
    """The dims below the nodes, index sizes and shapes included, by name."""
    found: dict[Dim, None] = {}
    for n in walk(*nodes):
        if isinstance(n, Dim):
            found[n] = None
        elif isinstance(n, Index):
            found.update(dict.fromkeys(dims_of(n.size)))
        elif n.is_array_node:
            for s in n.shape:
                found.update(dict.fromkeys(dims_of(s)))
        if hasattr(n, "indices") and isinstance(n.indices, tuple):
            for i in n.indices:
                if isinstance(i, Index):
                    found.update(dict.fromkeys(dims_of(i.size)))
    return sorted(found, key=lambda d: d.name)


def sights(variables: Iterable[Var], known: Iterable[Dim] = ()) -> list[Sight]:
    """How the dims that shapes show are read off, plain axes first."""
    seen = set(known)
    out: list[Sight] = []
    pending = [(v, k, s) for v in variables for k, s in enumerate(v.shape)]
    for v, k, s in pending:
        if isinstance(s, Dim) and s not in seen:
            seen.add(s)
            out.append(Sight(s, v, k, num(0), 1))
    progress = True
    while progress:
        progress = False
        for v, k, s in pending:
            unknown = [d for d in dims_of(s) if d not in seen]
            if len(unknown) != 1:
                continue
            (d,) = unknown
            terms = expand_size(s)
            parts: Sequence[Scalar] = terms.args if isinstance(terms, Add) else (terms,)
            own = [t for t in parts if d in dims_of(t)]
            if len(own) != 1:
                continue
            c, base = as_coefficient(own[0])
            if base is not d or c.denominator != 1 or c <= 0:
                continue
            seen.add(d)
            out.append(Sight(d, v, k, expand_size(sub(terms, own[0])), int(c)))
            progress = True
    return out


def substitute_dims(size: Scalar, values: dict[Dim, int]) -> int:
    """The number that a size is, for these dims."""
    if isinstance(size, Num):
        assert isinstance(size.value, Fraction)
        return int(size.value)
    if isinstance(size, Dim):
        return values[size]
    exact = _exact(size, values)
    return int(exact)


def _exact(size: Scalar, values: dict[Dim, int]) -> Fraction:
    if isinstance(size, Num):
        assert isinstance(size.value, Fraction)
        return size.value
    if isinstance(size, Dim):
        return Fraction(values[size])
    parts = [_exact(a, values) for a in size.args]
    if isinstance(size, Add):
        return sum(parts, Fraction(0))
    if isinstance(size, Mul):
        product = Fraction(1)
        for p in parts:
            product *= p
        return product
    name = getattr(size, "name", "")
    if name == "div":
        return Fraction(parts[0] // parts[1])
    if name == "mod":
        return Fraction(parts[0] % parts[1])
    if name == "floor":
        return Fraction(parts[0] // 1)
    if name in ("max", "min"):
        return max(parts) if name == "max" else min(parts)
    return parts[0] ** int(parts[1])
