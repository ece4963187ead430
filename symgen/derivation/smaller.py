"""The same arrays with smaller sizes, for the referee: what is right for X: real[64, 784] is so for X: real[7, 5], where
the sizes are lengths of axes and nothing else. Who reads index values, digits or entries at given places gets no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Any

from symgen.tensor.expression import (
    Array,
    Compare,
    Delta,
    Entry,
    Expect,
    Fold,
    Index,
    Node,
    Num,
    Operation,
    Operator,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    entry,
    fold,
    num,
    operation,
    rebuild,
    tensor,
    total,
    var,
    walk,
)  # fmt: skip
from symgen.tensor.nodes import make_index

__all__ = ["with_smaller_sizes"]

ENOUGH = 1500  # entries of an array that are worth the trouble
LEAST, MOST = 6, 11  # sizes that are written instead


def with_smaller_sizes(arrays: Sequence[Array]) -> list[Array] | None:
    """The arrays with each size that is a large number replaced by a small one of its own; None where a size may mean
    more than a length, or nothing is large."""
    nodes = list(walk(*arrays))
    sizes = {s for n in nodes if isinstance(n, Var) for s in n.shape}
    if not any(isinstance(n, Var) and _entries(n) > ENOUGH for n in nodes) or not all(map(_is_plain, nodes)):
        return None
    large = sorted((s for s in sizes if _number(s) > MOST), key=lambda s: s.serial)
    spoken = {n.value for n in nodes if isinstance(n, Num)} | {s.value for s in sizes if isinstance(s, Num)}
    free = [k for k in range(LEAST, 10 * MOST) if k not in spoken]
    if not large or len(large) > MOST - LEAST:
        return None
    return _Smaller(dict(zip(large, map(num, free), strict=False))).of_all(nodes, arrays)


def _entries(v: Var) -> int:
    return prod(max(1, int(_number(s))) for s in v.shape)


def _number(s: Node) -> Fraction:
    """The value of a size that is a number; 0 for others."""
    return s.value if isinstance(s, Num) and isinstance(s.value, Fraction) else Fraction(0)


def _is_plain(n: Node) -> bool:
    """Whether the indices in a node are places along axes, and no numbers."""
    if isinstance(n, Operator | Recurrence | Expect):
        return False
    if isinstance(n, Var):
        return not n.domain_args and all(isinstance(s, Num) or not s.args for s in n.shape)
    if isinstance(n, Entry | Delta):
        places = n.indices if isinstance(n, Entry) else n.args
        return all(isinstance(i, Index) or (isinstance(i, Num) and _number(i) < LEAST) for i in places)
    if isinstance(n, Compare):
        both = [isinstance(a, Index) for a in n.args]
        return all(both) or not any(both)
    return n.is_array_node or not any(isinstance(a, Index) for a in n.args)


class _Smaller:
    def __init__(self, sizes: dict[Scalar, Scalar]) -> None:
        self.sizes = sizes
        self.memo: dict[Node, Any] = {}

    def of_all(self, nodes: Sequence[Node], arrays: Sequence[Array]) -> list[Array]:
        for n in nodes:  # children first
            self.memo[n] = self.of(n)
        return [self.memo[a] for a in arrays]

    def shape(self, shape: Sequence[Scalar]) -> tuple[Scalar, ...]:
        return tuple(self.sizes.get(s, s) for s in shape)

    def index(self, i: Scalar) -> Scalar:
        return make_index(i.kind, i.number, self.sizes.get(i.size, i.size)) if isinstance(i, Index) else i

    def of(self, n: Node) -> Any:
        if isinstance(n, Index):
            return self.index(n)
        if isinstance(n, Var):
            return var(n.name, self.shape(n.shape), n.domain, n.role, n.domain_args, n.uid)
        new = [self.memo.get(a, a) for a in n.args]
        if isinstance(n, Tensor):
            return tensor([self.index(i) for i in n.axes], new[0])
        if isinstance(n, Sum):
            return total(new[0], [self.index(i) for i in n.indices])
        if isinstance(n, Fold):
            return fold(n.kind, new[0], [self.index(i) for i in n.indices])
        if isinstance(n, Entry):
            return entry(new[0], *map(self.index, n.indices))
        if isinstance(n, Operation):
            return operation(n.name, new, self.shape(n.shape))
        return rebuild(n, new) if n.args else n
