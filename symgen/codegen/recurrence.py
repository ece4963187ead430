"""One step of a recurrence as an array: the sequence and all that depends on it, at one time."""

from __future__ import annotations

from symgen.tensor.expression import (
    Array,
    Entry,
    Expect,
    Fold,
    Node,
    Operation,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    depends_on,
    entry,
    expect,
    fold,
    fresh_index,
    open_sum,
    operation,
    rebuild,
    substitute,
    tensor,
    total,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["at_time"]


def at_time(array: Array, time: Scalar, self_var: Var) -> Array:
    """`array` at the first index `time` (closed): its other axes are the axes of the result. Arrays inside that depend
    on the sequence are taken at the time where they are read."""
    return _Slicer(self_var).sliced(array, time)


class _Slicer:
    def __init__(self, self_var: Var) -> None:
        self.self_var = self_var
        self.memo: dict[tuple[Array, Scalar], Array] = {}

    def sliced(self, array: Array, time: Scalar) -> Array:
        key = (array, time)
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self.slice(array, time)
        return found

    def slice(self, array: Array, time: Scalar) -> Array:
        if isinstance(array, Tensor):
            own = [fresh_index(i.size) for i in array.axes[1:]]
            body = substitute(array.body, dict(zip(array.axes, [time, *own], strict=True)))
            return tensor(own, self.opened(body))
        if isinstance(array, Operation):
            operands: list[Node] = []
            for x in array.operands:
                if isinstance(x, Array) and x.shape and x.shape[0] is array.shape[0] and depends_on(x, self.self_var):
                    operands.append(self.sliced(x, time))
                elif isinstance(x, Array) and depends_on(x, self.self_var):
                    raise CannotDerive("an operation inside a recurrence that mixes times", array)
                else:
                    operands.append(x)
            return operation(array.name, operands, array.shape[1:])
        own = [fresh_index(s) for s in array.shape[1:]]
        return tensor(own, entry(array, time, *own))

    def opened(self, body: Scalar) -> Scalar:
        """`body` with entries of arrays that depend on the sequence read from their slices."""
        memo: dict[Node, Scalar] = {}
        stack: list[Node] = [body]
        while stack:
            n = stack[-1]
            if n in memo:
                stack.pop()
                continue
            if n.is_array_node or not n.args or not depends_on(n, self.self_var):
                memo[n] = n
                stack.pop()
                continue
            if isinstance(n, (Sum, Fold)):
                inner, bound = open_sum(n)
                inner = self.opened(inner)
                memo[n] = total(inner, bound) if isinstance(n, Sum) else fold(n.kind, inner, bound)
                stack.pop()
                continue
            if isinstance(n, Expect):
                memo[n] = expect(self.opened(n.body), n.noise, n.laws)
                stack.pop()
                continue
            if isinstance(n, Entry):
                if n.array is self.self_var or isinstance(n.array, Recurrence):
                    memo[n] = n
                elif n.indices and not n.indices[0].free:
                    memo[n] = entry(self.sliced(n.array, n.indices[0]), *n.indices[1:])
                elif isinstance(n.array, Tensor):
                    memo[n] = self.opened(substitute(n.array.body, dict(zip(n.array.axes, n.indices, strict=True))))
                else:
                    raise CannotDerive("a recurrence that reads an operation at another time", n)
                stack.pop()
                continue
            waiting = [a for a in n.args if a not in memo]
            if waiting:
                stack.extend(waiting)
                continue
            memo[n] = rebuild(n, [memo[a] for a in n.args])
            stack.pop()
        return memo[body]
