"""Long results in parts: what occurs twice, or is long, gets a name of its own, as a person would give it one."""

from __future__ import annotations

from collections.abc import Mapping

from symgen.render.compose import weight
from symgen.render.raising import Raiser
from symgen.tensor.expression import (
    Array,
    Dim,
    Entry,
    Index,
    Node,
    Operation,
    Operator,
    Recurrence,
    Scalar,
    Tensor,
    Var,
    topological,
    walk,
)  # fmt: skip
from symgen.text import tree as t

SCALARS = "c s t".split()
VECTORS = "r u v q h a".split()
MATRICES = "M R S Q H G".split()
OTHERS = "T K N".split()
LEAST = 5  # ink of a part that is worth a name where it occurs twice
LONG = 60  # ink of a part that gets a name anyhow


def raise_with_bindings(
    array: Array, names: Mapping[Array, str] | None = None, long: int = LONG
) -> tuple[t.Expression, list[tuple[str, t.Expression]]]:
    """`array` in matrix notation, and the parts of it that were named, each after those that it is made of."""
    known = {a: n for a, n in (names or {}).items() if a is not array}
    uses = _uses(array, known)
    taken = _taken(array, known)
    made: list[tuple[str, t.Expression]] = []
    for part in topological(array):
        if part not in uses or part is array or part in known or not isinstance(part, (Tensor, Operation)):
            continue
        tree = Raiser(known, part).array(part)
        ink = weight(tree)
        if (ink >= LEAST and uses[part] > 1) or ink > long:
            name = _invented(part, taken)
            known[part] = name
            made.append((name, tree))
    return Raiser(known, array).array(array), made


def _uses(root: Array, known: Mapping[Array, str]) -> dict[Array, int]:
    """In how many places each array is written, those under a name not looked into."""
    edges: dict[Node, int] = {}
    users: dict[Array, list[Node]] = {}
    seen: set[Node] = set()
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        if node in seen or node in known:
            continue
        seen.add(node)
        for a in node.args:
            edges[a] = edges.get(a, 0) + 1
            if isinstance(a, Array):
                users.setdefault(a, []).append(node)
            stack.append(a)
    return {a: sum(edges[u] if isinstance(u, Entry) else 1 for u in places) for a, places in users.items()}


def _taken(root: Array, known: Mapping[Array, str]) -> set[str]:
    taken = set(known.values())
    sizes: set[Scalar] = set()
    for n in walk(root, *known):
        if isinstance(n, Array):
            sizes.update(n.shape)
            if isinstance(n, Var):
                taken.add(n.name)
            elif isinstance(n, Recurrence):
                taken.add(n.self_var.name)
            elif isinstance(n, Operator):
                taken.update(a for a in n.attrs if isinstance(a, str))
        elif isinstance(n, Index):
            sizes.add(n.size)
        elif isinstance(n, Dim):
            taken.add(n.name)
    taken.update(n.name for n in walk(*sizes) if isinstance(n, Dim))
    return taken


def _invented(part: Array, taken: set[str]) -> str:
    pool = (SCALARS, VECTORS, MATRICES)[part.rank] if part.rank < 3 else OTHERS
    if isinstance(part, Operation) and "softmax" in part.name:
        pool = ["p", *pool] if part.rank == 1 else ["P", *pool]
    for name in (*pool, *(f"{pool[0]}_{k}" for k in range(1, 10_000))):
        if name not in taken:
            taken.add(name)
            return name
    raise AssertionError("there are more names than that")
