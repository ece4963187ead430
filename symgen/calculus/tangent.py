"""Forward mode: the derivative of an array by a scalar, from the front.

dY = -Y dA Y is then A'(t) between two inverses, where the transposed rules would sum over all pairs of entries.
Griewank and Walther (2008), 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgen.algebra.collect import collect_common
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.kinks import tell_kinks
from symgen.calculus.rules import FUNCTIONS_FILE, OPERATIONS_FILE
from symgen.calculus.telling import READABLE, differential, differential_of_operation, is_worth_telling
from symgen.derivation.context import Context
from symgen.tensor.build import is_plain
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Entry,
    Expect,
    Fn,
    Node,
    Operation,
    Scalar,
    Tensor,
    arrays_below,
    axis,
    entry,
    is_larger,
    open_tensor,
    operator,
    tensor,
    walk,
)  # fmt: skip
from symgen.tensor.functions import FUNCTIONS

SHORT = 12  # nodes of a tangent that is put in where it is used


class NoForwardRule(Exception):
    """Forward mode has no rule for something in the program: reverse mode is asked."""


def tangent(f: Array, x: Array, program: list[Array], active: set[Array], ctx: Context) -> Scalar:
    """df/dx for a scalar x, as a body over the axes of `f`. Raises NoForwardRule."""
    made: dict[Array, Array | Callable[..., Scalar]] = {x: lambda *at: ONE}
    body: Scalar = ONE if f is x else ZERO
    for array in program:
        if array is x or array not in active:
            continue
        ctx.check()
        below = {a: made[a] for a in arrays_below(array) if a in made}
        body = _of(array, below, ctx)
        body = simplify_scalar(body, ctx.facts)
        axes = tuple(axis(k, s) for k, s in enumerate(array.shape))
        if body is ZERO:
            continue
        if array is not f and ctx.detail > 1 and is_worth_telling(array, body, ctx) and not is_larger(body, READABLE):
            before = operator("d", (array, x), array.shape)
            ctx.trace.add("forward", before, tensor(axes, collect_common(body)), where=ctx.name_of(array) or "")
        result = tensor(axes, body)
        plain = is_plain(body) or not is_larger(body, SHORT)
        made[array] = _opened(result) if plain and isinstance(result, Tensor) else result
    return body


def _opened(array: Array) -> Callable[..., Scalar]:
    return lambda *at: open_tensor(array, at)


def varying(body: Scalar, made: Mapping[Array, object]) -> list[Node]:
    """The nodes of a body that depend on entries of the arrays in `made`."""
    out: dict[Node, None] = {}
    for node in walk(body):
        if isinstance(node, Entry):
            if node.array in made:
                out[node] = None
        elif not node.is_array_node and any(a in out for a in node.args):
            out[node] = None
    return list(out)


def _of(array: Array, made: Mapping[Array, Array | Callable[..., Scalar]], ctx: Context) -> Scalar:
    own = [axis(k, s) for k, s in enumerate(array.shape)]
    if isinstance(array, Tensor):
        if any(isinstance(n, Expect) or _has_no_rule(n, made) for n in walk(array.body)):
            raise NoForwardRule(FUNCTIONS_FILE)
        for node in varying(array.body, made):
            tell_kinks(node, ctx.trace, ctx.facts)
        return differential(array.body, made, entry(array, *own))
    if isinstance(array, Operation):
        given = {
            a: m if isinstance(m, Array) else tensor(
                [axis(k, s) for k, s in enumerate(a.shape)], m(*(axis(k, s) for k, s in enumerate(a.shape)))
            )
            for a, m in made.items()
        }  # fmt: skip
        body = differential_of_operation(array, given)
        if body is not None:
            return body
    raise NoForwardRule(OPERATIONS_FILE)


def _has_no_rule(node: object, made: Mapping[Array, object]) -> bool:
    """Whether a function stands above what varies, and the table does not know how it changes."""
    if not isinstance(node, Fn):
        return False
    row = FUNCTIONS.get(node.name)
    for k, a in enumerate(node.args):
        if (row is None or row.derivative[k] is None) and any(isinstance(n, Entry) and n.array in made for n in walk(a)):
            return True
    return False


__all__ = ["NoForwardRule", "tangent"]
