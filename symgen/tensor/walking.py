"""Walks over expressions: what stands below a node, and in which order a program is made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from symgen.tensor.nodes import Array, Expect, Node, Operator, Recurrence, Var

__all__ = [
    "arrays_below", "children", "count_nodes", "depends_on", "is_larger", "marks_below", "topological", "uncollected",
    "variables_of", "walk",
]  # fmt: skip


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection inside: interned nodes are never garbage, and looking through all of them takes half the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def children(node: Node) -> tuple[Node, ...]:
    """What a walk goes down to: the arguments, and the body of a lambda, binder or recurrence."""
    return node.args  # type: ignore[no-any-return]


def walk(*roots: Node) -> Iterator[Node]:
    """Every node below the roots once, children before parents, bodies of tensors included."""
    seen: set[Node] = set()
    for root in roots:
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                yield node
                continue
            if node in seen:
                continue
            seen.add(node)
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(children(node)) if a not in seen)


def topological(*roots: Node) -> list[Array]:
    """The arrays below the roots, each after those that it is made from: the program."""
    return [n for n in walk(*roots) if n.is_array_node]


def arrays_below(node: Node) -> tuple[Array, ...]:
    """The arrays that occur in `node` (in the body, of a tensor) without looking into them; in order of appearance."""
    found = node.arrays
    if found is None:
        found = node.arrays = _arrays_of_parts(node) if node.weight <= SHALLOW else _arrays_in(node)
    return found


SHALLOW = 200  # nodes: recursion goes no deeper than that


def _arrays_of_parts(node: Node) -> tuple[Array, ...]:
    out: tuple[Array, ...] = ()
    for a in node.args:
        if a.is_array_node:
            part: tuple[Array, ...] = (a,)
        elif a.args:
            part = arrays_below(a)
        else:
            continue
        out = (*out, *[x for x in part if x not in out]) if out else part
    return out


def _arrays_in(node: Node) -> tuple[Array, ...]:
    out: dict[Array, None] = {}
    seen: set[Node] = set()
    stack: list[Node] = list(node.args[::-1])
    while stack:
        n = stack.pop()
        if n.is_array_node:
            out[n] = None
        elif n.args and n not in seen:
            seen.add(n)
            stack.extend(n.args[::-1])
    return tuple(out)


_leaves: dict[Node, frozenset[Var]] = {}


def variables_of(node: Node) -> frozenset[Var]:
    """The variables that `node` depends on, through all definitions (a bound noise variable is not one of them)."""
    found = _leaves.get(node)
    if found is not None:
        return found
    stack: list[Node] = [node]
    while stack:
        n = stack[-1]
        if n in _leaves:
            stack.pop()
            continue
        if isinstance(n, Var):
            _leaves[n] = frozenset((n,))
            stack.pop()
            continue
        waiting = [a for a in children(n) if a not in _leaves]
        if waiting:
            stack.extend(waiting)
            continue
        out: frozenset[Var] = frozenset()
        for a in children(n):
            below = _leaves[a]
            if below and below is not out:
                out = out | below if out else below
        if isinstance(n, Expect):
            out = out.difference(n.noise)
        elif isinstance(n, Recurrence):
            out = out.difference((n.self_var,))
        elif isinstance(n, Operator) and n.name in ("integral", "root", "series") and n.attrs:
            out = out.difference(n.attrs[0])
        _leaves[n] = out
        stack.pop()
    return _leaves[node]


_deep: dict[Node, int] = {}


def marks_below(node: Node) -> int:
    """The `marks` of `node`, and of all definitions below it."""
    found = _deep.get(node)
    if found is not None:
        return found
    stack: list[Node] = [node]
    while stack:
        n = stack[-1]
        if n in _deep:
            stack.pop()
            continue
        waiting = [a for a in children(n) if a not in _deep]
        if waiting:
            stack.extend(waiting)
            continue
        marks = n.marks
        for a in children(n):
            marks |= _deep[a]
        _deep[n] = marks
        stack.pop()
    return _deep[node]


def depends_on(node: Node, variable: Array) -> bool:
    """Whether `variable` (a Var, or any array) occurs in `node` or in what its arrays are made from."""
    if isinstance(variable, Var):
        return variable in variables_of(node)
    return any(n is variable for n in walk(node))


def is_larger(node: Node, limit: int) -> bool:
    """Whether more than `limit` nodes stand in the expression as a DAG, arrays counted as leaves."""
    return node.weight > limit and count_nodes(node) > limit


_counts: dict[Node, int] = {}


def count_nodes(node: Node) -> int:
    """How many nodes stand in the expression as a DAG, arrays counted as leaves."""
    found = _counts.get(node)
    if found is None:
        seen: set[Node] = set()
        stack: list[Node] = [node]
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            if not n.is_array_node or n is node:
                stack.extend(children(n))
        found = _counts[node] = len(seen)
    return found
