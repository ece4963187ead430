"""The order in which bound indices are written: by what each of them does, whatever their numbers are.

Two expressions that differ in the numbers of their bound indices alone are written alike, so that nothing derived
before, and no hash of a name, shows in a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any
from zlib import crc32

from symgen.render.compose import parts
from symgen.tensor.expression import (
    Add,
    Array,
    Compare,
    Delta,
    Fold,
    Index,
    Mul,
    Node,
    Num,
    Scalar,
    Sum,
    Var,
    variables_of,
)  # fmt: skip
from symgen.text import tree as t

__all__ = ["in_order_of_use", "order_of_appearance", "renamed"]

COMMUTATIVE = (Add, Mul, Delta)


def in_order_of_use(indices: Sequence[Index], body: Scalar) -> tuple[list[Index], int]:
    """`indices`, bound over `body`, in an order that their numbers have no part in; and a number below 2^32 of it all."""
    others = dict.fromkeys(indices, 1)
    memo: dict[Node, int] = {}
    whole = _use(body, others, indices, memo) & 0xFFFFFFFF
    if len(indices) < 2:
        return list(indices), whole
    uses = {i: _use(body, {**others, i: 2}, indices, memo) for i in indices}
    return sorted(indices, key=lambda i: (uses[i], i.size.serial)), whole


def _use(root: Node, colours: Mapping[Index, int], marked: Sequence[Index], memo: dict[Node, int]) -> int:
    """A number of `root` in which an index counts by its colour and size; of commuting parts the order is nothing."""
    mine: dict[Node, int] = {}
    stack: list[Node] = [root]
    while stack:
        node = stack[-1]
        held = memo if node.is_array_node or node.free.isdisjoint(marked) else mine
        if node in held:
            stack.pop()
            continue
        parts = _parts(node)
        waiting = [p for p in parts if p not in mine and p not in memo]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        held[node] = _number(node, [mine[p] if p in mine else memo[p] for p in parts], colours)
    return mine[root] if root in mine else memo[root]


def _parts(node: Node) -> Sequence[Any]:
    return () if isinstance(node, Index | Num | Array) else node.args


def _number(node: Node, parts: list[int], colours: Mapping[Index, int]) -> int:
    if isinstance(node, Index):
        if node in colours:
            return hash((colours[node], node.size.serial))
        return node.serial if node.kind != "s" else hash((3, node.size.serial))
    if isinstance(node, Var):
        return node.serial
    if isinstance(node, Array):  # closed: its own bound indices are none of ours
        sizes = [s.serial for s in node.shape]
        return hash((_word(node), *sizes, *sorted(v.serial for v in variables_of(node))))
    if isinstance(node, Sum | Fold):
        return hash((_word(node), *sorted(i.size.serial for i in node.indices), *parts))
    if not parts:
        return node.serial
    if isinstance(node, COMMUTATIVE) or (isinstance(node, Compare) and node.op in ("==", "!=")):
        return hash((_word(node), *sorted(parts)))
    return hash((_word(node), *parts))


def _word(node: Node) -> int:
    """A number of what kind of node this is, whatever the hash of a name."""
    return crc32(f"{type(node).__name__} {getattr(node, 'name', '')} {getattr(node, 'op', '')}".encode())


# --- the names of what is written -------------------------------------------------------------------------------------


def order_of_appearance(e: t.Expression, names: Sequence[str]) -> list[str]:
    """`names` in the order in which they stand in `e`."""
    places = {name: k for k, name in reversed(list(enumerate(_names(e))))}
    return sorted(names, key=lambda n: places.get(n, len(places)))


def _names(e: Any) -> Iterator[str]:
    """The names that stand free in `e`, as they come."""
    if isinstance(e, t.Name):
        yield e.name
    own = _bound_by(e)
    for x in parts(e):
        yield from (n for n in _names(x) if n not in own) if own else _names(x)


def _bound_by(e: Any) -> frozenset[str]:
    specs = e.specs if isinstance(e, t.Binder) else ()
    return frozenset(s.name for s in specs if isinstance(s, t.IndexSpec))


def renamed(e: Any, names: Mapping[str, str]) -> Any:
    """`e` with other names for what is bound outside of it."""
    if isinstance(e, t.Name):
        return t.Name(names.get(e.name, e.name))
    if isinstance(e, tuple):
        return tuple(renamed(x, names) for x in e)
    if isinstance(e, t.Tree):
        own = _bound_by(e)
        if own:  # a letter that an array inside binds for itself is another one
            names = {old: new for old, new in names.items() if old not in own}
        changed = {f.name: renamed(v, names) for f in fields(e) if isinstance(v := getattr(e, f.name), (t.Tree, tuple))}
        return replace(e, **changed)
    return e
