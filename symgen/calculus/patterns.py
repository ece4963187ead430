"""Statements that are alike: the reverse sweep over one layer of a network is that of the next with other arrays in it.

What a sweep does depends on how a statement and its adjoint are built, on shapes, domains, and which arrays are asked
for: not on what the arrays are called. So it is done once for each pattern, and read off for the other layers.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from symgen.calculus.kinks import is_root
from symgen.tensor.arithmetic import serial_of
from symgen.tensor.binding import same_binder
from symgen.tensor.expression import (
    Add,
    Array,
    Delta,
    Dim,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Mul,
    Node,
    Num,
    Operation,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    rebuild,
)  # fmt: skip
from symgen.tensor.nodes import make_node

MOST_NODES = 60  # of a statement and its adjoint together

Emitted = list[tuple[Array, Scalar]]


def pattern_of(array: Tensor, g: Scalar, active: Container[Array], named: bool) -> tuple[tuple[Any, ...], list[Array]] | None:
    """What a statement and its adjoint look like, and the arrays in them; None where facts of arrays may play a part.

    `named` says whether the value has a name: the derivative of a power is then written by it."""
    if array.body.weight + g.weight > MOST_NODES:
        return None
    places: dict[Array, int] = {array: 0}
    says: list[Any] = [array.shape, named]
    stack: list[Any] = [g, array.body]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is Entry:
            a = node.args[0]
            place = places.get(a)
            if place is None:
                place = places[a] = len(places)
                word = (a.domain, a.domain_args) if type(a) is Var else a.name if type(a) is Operation else type(a)
                says += (a.shape, word, a in active)
            says.append(place)
            for i in node.args[1:]:
                if i.args:
                    return None
                says.append(i)
        elif kind is Num or kind is Dim or kind is Index:
            says.append(node)
        elif kind is Add or kind is Mul:
            says += (kind, len(node.args))
            stack += node.args
        elif kind is Fn:
            says += (node.name, len(node.args))
            stack += node.args
        elif kind is Sum:
            says.append(node.indices)
            stack.append(node.body)
        elif kind is Pow and type(node.exponent) is Num and not is_root(node.exponent):
            says.append(Pow)
            stack += node.args
        else:
            return None
    return tuple(says), list(places)


def with_arrays(node: Any, arrays: Mapping[Array, Array], memo: dict[Node, Any]) -> Any:
    """`node` with the arrays of its entries replaced, one to one; definitions are not looked into."""
    kind = type(node)
    args: Any = node.args
    if kind is Entry:  # its indices hold no entries
        array = args[0]
        return make_node(Entry, (arrays.get(array, array), *args[1:]))
    if not args:
        return node
    found = memo.get(node)
    if found is None:
        if kind is Fold or kind is Expect:
            raise TypeError("a pattern holds no other binders than sums")
        if kind is Sum:
            found = same_binder(node, with_arrays(node.body, arrays, memo))
        else:
            args = [with_arrays(a, arrays, memo) for a in args]
            if kind is Mul and type(args[0]) is Num and not isinstance(args[0].value, str):
                args[1:] = sorted(args[1:], key=serial_of)
                found = make_node(Mul, tuple(args))
            elif kind is Mul or kind is Add or kind is Delta:
                args.sort(key=serial_of)
                found = make_node(kind, tuple(args))
            else:
                found = rebuild(node, args)
        memo[node] = found
    return found
