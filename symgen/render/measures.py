"""How long, how deep and how cluttered an expression is when it is written."""

from __future__ import annotations

from collections.abc import Mapping

from symgen.render.compose import fillers, transposes, weight
from symgen.tensor.expression import Array, Fn, Node
from symgen.text import tree as t
from symgen.text.diagnostics import SymgenError

__all__ = ["DEEPEST", "MOST", "TooLong", "clutter", "ink", "is_square", "written_size"]

DEEPEST = 1000  # nodes above one another
MOST = 50_000  # symbols of one expression: those take some seconds


class TooLong(SymgenError):
    """An expression whose shared parts, each written out, make it too long to be read or parsed."""


def written_size(root: Node, names: Mapping[Array, str]) -> tuple[int, int]:
    """How many nodes there are to write when shared parts are written out each time, named ones by their names; and
    how deep they are nested."""
    size: dict[Node, tuple[int, int]] = {}
    stack: list[Node] = [root]
    while stack:
        node = stack[-1]
        if node in size:
            stack.pop()
        elif node in names and node is not root:
            size[node] = (1, 1)
        else:
            waiting = [a for a in node.args if a not in size]
            if waiting:
                stack.extend(waiting)
            else:
                below = [size[a] for a in node.args]
                twice = 2 if isinstance(node, Fn) and node.name == "mod" else 1  # i mod n is i - n*floor(i/n)
                size[node] = (1 + twice * sum(n for n, _ in below), 1 + max((k for _, k in below), default=0))
    return size[root]


def ink(e: t.Expression) -> tuple[int, int]:
    return transposes(e), weight(e)


def clutter(e: t.Expression) -> int:
    return transposes(e) + 2 * fillers(e)


def is_square(e: t.Expression) -> bool:
    return isinstance(e, t.Factors) and isinstance(e.first, t.Name) and e.rest == (("@", e.first),)
