"""A walk over a scalar, children first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgen.tensor.expression import Entry, Fold, Node, Scalar, Sum, fold, open_sum, rebuild, total

__all__ = ["bottom_up"]


def bottom_up(root: Scalar, rule: Callable[[Any], Scalar]) -> Scalar:
    """`rule` at every node below, children first; arrays are not looked into."""
    memo: dict[Node, Scalar] = {}

    def visit(x: Scalar) -> Scalar:
        found = memo.get(x)
        if found is None:
            if isinstance(x, (Sum, Fold)):
                body, indices = open_sum(x)
                inner = visit(body)
                made = x if inner is body else total(inner, indices) if isinstance(x, Sum) else fold(x.kind, inner, indices)
            elif not x.args or isinstance(x, Entry) or type(x).__name__ == "Expect":
                made = x
            else:
                args = [visit(a) if a.is_scalar_node else a for a in x.args]
                made = x if all(a is b for a, b in zip(args, x.args, strict=True)) else rebuild(x, args)
            found = memo[x] = rule(made)
        return found

    return visit(root)
