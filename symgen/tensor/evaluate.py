"""Expressions as numbers: float64 for looks, balls for evidence.

A scalar node becomes an array with one axis for each of its free indices, in the order of their birth; an array node
becomes its entries. Every node is evaluated once, by a worklist. A value that is not defined is nan; one that only a
branch not taken would need does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from symgen.tensor.expression import (
    Add,
    Compare,
    Delta,
    Dim,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Logic,
    Mul,
    Node,
    Num,
    Operation,
    Operator,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    fresh_index,
    substitute,
    variables_of,
)
from symgen.tensor.field import BALL, FLOAT, Ball, Field, TooLarge, align, apply, scalar_array
from symgen.tensor.numeric import FUNCTIONS, OPERATIONS

__all__ = ["BALL", "FLOAT", "Ball", "Field", "NotEvaluable", "Point", "evaluate", "size_of"]

MANY = 32  # terms from which on the entries of a list are put into their places, not summed
Listed = dict[tuple[Index, ...], list[tuple[tuple[int, ...], list[Node]]]]  # by the indices: the places, the factors


class NotEvaluable(Exception):
    """What has no number at this point; `node` is the part in the way: an operator, a variable without value."""

    def __init__(self, message: str, node: Node | None = None) -> None:
        super().__init__(message)
        self.node = node


@dataclass
class Point:
    """Where to evaluate. `sizes` by the names of dims, `values` of the variables (floats, or exact Fractions as
    objects); `functions` give the values of functions not known, `f(field, *arguments)`; `draws` lists samples of the
    noise over which an expectation is averaged; `operators` evaluate operators by name, `f(evaluator, node)`. `shown`
    tells what else a reader should see of the point. Where all is `alike`, unknown functions are constant and unknown
    densities equal."""

    sizes: dict[str, int]
    values: dict[Var, Any] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    draws: dict[Var, Sequence[Any]] = field(default_factory=dict)
    operators: dict[str, Callable[..., Any]] = field(default_factory=dict)
    shown: Callable[[], dict[str, Any]] | None = None
    alike: bool = False


# --- the evaluator ----------------------------------------------------------------------------------------------------


def evaluate(nodes: Sequence[Node], point: Point, number: Field = FLOAT) -> list[Any]:
    """The values of arrays (over their axes) and of closed scalars (rank 0) at a point, as arrays of the field.

    Raises NotEvaluable for an operator that is not reduced, an expectation without draws, a variable without value.
    """
    with number.working():
        try:
            return Evaluator(point, number).values(nodes)
        except TooLarge as error:
            raise NotEvaluable(str(error)) from error


def size_of(size: Scalar, sizes: Mapping[str, int]) -> int:
    """A size as an integer, for these values of the dims."""
    value = _exact(size, sizes)
    if value.denominator != 1 or value < 0:
        raise NotEvaluable(f"a size is {value}", size)
    return int(value)


def _exact(size: Scalar, sizes: Mapping[str, int]) -> Fraction:
    kind = type(size)
    if isinstance(size, Num) and isinstance(size.value, Fraction):
        return size.value
    if isinstance(size, Dim):
        if size.name not in sizes:
            raise NotEvaluable(f"the size {size.name} has no value", size)
        return Fraction(sizes[size.name])
    if kind is Add:
        return sum((_exact(a, sizes) for a in size.args), Fraction(0))
    if kind is Mul:
        out = Fraction(1)
        for a in size.args:
            out *= _exact(a, sizes)
        return out
    if isinstance(size, Pow):
        base, exponent = _exact(size.base, sizes), _exact(size.exponent, sizes)
        if exponent.denominator == 1 and abs(exponent) < 10_000 and (base or exponent > 0):
            return Fraction(base ** int(exponent))
    if isinstance(size, Fn):
        a = [_exact(x, sizes) for x in size.args]
        if size.name == "div" and a[1]:
            return Fraction(a[0] // a[1])
        if size.name == "mod" and a[1]:
            return Fraction(a[0] % a[1])
        if size.name == "floor":
            return Fraction(a[0].numerator // a[0].denominator)
        if size.name in ("max", "min"):
            return Fraction(max(a) if size.name == "max" else min(a))
    raise NotEvaluable("this is no size", size)


class Evaluator:
    """Evaluates nodes at one point. Below a recurrence or expectation, an inner one holds what depends on the step."""

    def __init__(
        self,
        point: Point,
        number: Field,
        parent: Evaluator | None = None,
        fixed: Mapping[Index, int] | None = None,
        values: Mapping[Var, Any] | None = None,
    ) -> None:
        self.point, self.number, self.parent = point, number, parent
        self.fixed = dict(fixed or {})
        self.given = dict(values or {})
        self.memo: dict[Node, Any] = {}
        self.orders: dict[Node, tuple[Index, ...]] = {}
        self.indices: dict[Node, Any] = {}
        self.lists: dict[Node, tuple[Listed, list[Node]]] = {}
        self.all_fixed: dict[Index, int] = {**(parent.all_fixed if parent else {}), **self.fixed}

    def values(self, nodes: Sequence[Node]) -> list[Any]:
        return [self.value(n) for n in nodes]

    def inner(self, fixed: Mapping[Index, int], values: Mapping[Var, Any]) -> Evaluator:
        """An evaluator in which some indices are numbers and some variables have values."""
        return Evaluator(self.point, self.number, self, fixed, values)

    def size(self, size: Scalar) -> int:
        return size_of(size, self.point.sizes)

    def axes(self, node: Node) -> tuple[Index, ...]:
        """The axes of the value of a scalar node."""
        found = self.orders.get(node)
        if found is None:
            free: Any = node.free
            if self.all_fixed:
                free = [i for i in free if i not in self.all_fixed]
            found = self.orders[node] = tuple(sorted(free, key=lambda i: i.serial))
        return found

    def value(self, root: Node) -> Any:
        memo = self.memo
        if root in memo:
            return memo[root]
        stack: list[Node] = [root]
        while stack:
            node = stack[-1]
            if node in memo:
                stack.pop()
                continue
            if self.parent is not None and self._outside(node):
                memo[node] = self.parent.value(node)
                stack.pop()
                continue
            waiting = [a for a in self._needs(node) if a not in memo]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            memo[node] = self._compute(node)
        return memo[root]

    def _outside(self, node: Node) -> bool:
        return node.free.isdisjoint(self.fixed) and variables_of(node).isdisjoint(self.given)

    def _needs(self, node: Node) -> Sequence[Node]:
        kind = type(node)
        if isinstance(node, Entry):
            return [node.array, *(a for a in node.indices if not self._is_index(a))]
        if kind is Delta:
            return [a for a in node.args if not self._is_index(a)]
        if isinstance(node, Sum):
            return node.body.args if type(node.body) is Mul else (node.body,)
        if kind is Add and len(node.args) >= MANY:
            listed, rest = self._listed(node)
            return [*rest, *(f for entries in listed.values() for _, factors in entries for f in factors)]
        if isinstance(node, Recurrence):
            return node.base
        if isinstance(node, Operator):
            return node.args if node.name == "apply" and node.attrs[0] in self.point.functions else ()
        if kind is Expect:
            return ()
        return node.args  # type: ignore[no-any-return]

    def _compute(self, node: Node) -> Any:
        f = _COMPUTE.get(type(node))
        if f is None:
            raise NotEvaluable(f"a {type(node).__name__} has no value", node)
        return f(self, node)

    def _aligned(self, node: Node, wanted: tuple[Index, ...]) -> Any:
        return align(self.memo[node], self.axes(node), wanted)

    def _all(self, node: Node) -> list[Any]:
        wanted = self.axes(node)
        self._check_size(wanted)
        return [self._aligned(a, wanted) for a in node.args]

    def _listed(self, node: Node) -> tuple[Listed, list[Node]]:
        """The terms c*delta(i, 3)*delta(j, 0) of a sum by the indices that they fix, c without axes, and all others."""
        found = self.lists.get(node)
        if found is None:
            listed: Listed = {}
            rest: list[Node] = []
            for term in node.args:
                places: dict[Index, int] = {}
                factors: list[Node] = []
                for f in term.args if type(term) is Mul else (term,):
                    at = _place(f) if isinstance(f, Delta) else None
                    if at is None or at[0] in places or at[0] in self.all_fixed:
                        factors.append(f)
                    else:
                        places[at[0]] = at[1]
                if places and not any(self.axes(f) for f in factors):
                    axes = tuple(sorted(places, key=lambda i: i.serial))
                    listed.setdefault(axes, []).append((tuple(places[i] for i in axes), factors))
                else:
                    rest.append(term)
            found = self.lists[node] = listed, rest
        return found

    def _check_size(self, axes: Sequence[Index]) -> None:
        elements = 1
        for i in axes:
            elements *= self.size(i.size)
        if elements > self.number.limit:
            raise TooLarge("an intermediate array is too large to evaluate")

    # --- index values -------------------------------------------------------------------------------------------------

    def _is_index(self, node: Node) -> bool:
        """Whether a node is made of indices and sizes alone."""
        stack = [node]
        while stack:
            n = stack.pop()
            kind = type(n)
            if kind in (Index, Dim, Num):
                continue
            if kind in (Add, Mul, Pow) or (isinstance(n, Fn) and n.name in ("mod", "div", "max", "min", "floor")):
                stack.extend(n.args)
            else:
                return False
        return True

    def index_value(self, node: Node) -> Any:
        """The integer values of an index expression, as floats over the axes of the node; nan where not an integer."""
        found = self.indices.get(node)
        if found is None:
            if self._is_index(node):
                found = self._index_value(node)
                found = np.where(found == np.rint(found), found, np.nan)
            else:
                found = self.number.to_integers(self.value(node))
            self.indices[node] = found
        return found

    def _index_value(self, node: Node) -> Any:
        if isinstance(node, Index):
            at = self.all_fixed.get(node)
            return np.arange(float(self.number.bounded(self.size(node.size)))) if at is None else np.asarray(float(at))
        if isinstance(node, Num):
            return np.asarray(FLOAT.number(node.value))
        if isinstance(node, Dim):
            return np.asarray(float(self.size(node)))
        wanted = self.axes(node)
        parts = [align(self._index_value(a), self.axes(a), wanted) for a in node.args]
        if type(node) is Add:
            return FLOAT.add(parts)
        if type(node) is Mul:
            return FLOAT.multiply(parts)
        if type(node) is Pow:
            return FLOAT.power(parts[0], parts[1])
        return np.asarray(FLOAT.function(node.name)(*parts))

    # --- arrays -------------------------------------------------------------------------------------------------------

    def _var(self, node: Var) -> Any:
        if node in self.given:
            return self.number.array(self.given[node])
        if node not in self.point.values:
            raise NotEvaluable(f"the variable {node.name} has no value", node)
        value = self.number.array(self.point.values[node])
        shape = tuple(self.size(s) for s in node.shape)
        if value.shape != shape:
            raise NotEvaluable(f"{node.name} has shape {value.shape}, not {shape}", node)
        return value

    def _tensor(self, node: Tensor) -> Any:
        body, axes = self.memo[node.body], self.axes(node.body)
        order = [axes.index(i) for i in node.axes if i in axes]
        shape = tuple(self.size(i.size) for i in node.axes)
        value = np.transpose(body, order) if order != list(range(len(order))) else body
        if len(order) < len(shape):
            value = value.reshape([n if i in axes else 1 for i, n in zip(node.axes, shape, strict=True)])
            value = np.broadcast_to(value, shape)
        return value

    def _operation(self, node: Operation) -> Any:
        row = OPERATIONS.get(node.name)
        if row is None:
            raise NotEvaluable(f"{node.name} has no numbers", node)
        operands = [self.memo[a] for a in node.operands]
        ranks = list(row.ranks[: len(operands)])
        if -1 in ranks:
            ranks[ranks.index(-1)] = operands[1].ndim - (operands[0].ndim - 2)
        batches = [o.shape[: o.ndim - r] for o, r in zip(operands, ranks, strict=True)]
        batch = np.broadcast_shapes(*batches)
        shape = tuple(self.size(s) for s in node.shape)
        f = self.number.matrix_operation(node.name)
        if not batch or (row.rows and not self.number.exact):
            return self._cast(f(*operands)).reshape(shape)
        operands = [np.broadcast_to(o, batch + o.shape[o.ndim - r :]) for o, r in zip(operands, ranks, strict=True)]
        out = np.empty(shape, dtype=object if self.number.exact else float)
        for at in np.ndindex(*batch):
            found = self._cast(f(*(o[at] if o.ndim > len(at) else self._cast(o[at]) for o in operands)))
            out[at] = found if found.ndim else found[()]
        return out

    def _cast(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value
        return scalar_array(value) if self.number.exact else np.asarray(value, dtype=float)

    def _operator(self, node: Operator) -> Any:
        own = self.point.operators.get(node.name)
        if own is not None:
            return own(self, node)
        if node.name == "apply" and node.attrs[0] in self.point.functions:
            f, operands = self.point.functions[node.attrs[0]], [self.memo[a] for a in node.args]
            batch = tuple(self.size(s) for s in node.shape)
            if not batch:
                return self._cast(f(self.number, *operands))
            out = np.empty(batch, dtype=object if self.number.exact else float)
            for at in np.ndindex(*batch):
                out[at] = self._cast(f(self.number, *(self._cast(o[at]) for o in operands)))[()]
            return out
        raise NotEvaluable(f"{node.name} is not reduced", node)

    def _recurrence(self, node: Recurrence) -> Any:
        shape = tuple(self.size(s) for s in node.shape)
        steps, b = shape[0], len(node.base)
        value = self.number.full(shape, self.number.number("nan"))
        done = list(range(steps - 1, -1, -1)) if node.reverse else list(range(steps))
        for t, start in zip(done, node.base, strict=False):
            value[t, ...] = self.memo[start]
        step = node.step
        if isinstance(step, Tensor):
            time = fresh_index(step.axes[0].size)
            rest = [fresh_index(i.size) for i in step.axes[1:]]
            body = substitute(step.body, dict(zip(step.axes, [time, *rest], strict=True)))
        for t in done[b:]:
            if isinstance(step, Tensor):
                inside = self.inner({time: t}, {node.self_var: value})
                entries, axes = inside.value(body), inside.axes(body)
                entries = np.transpose(entries, [axes.index(i) for i in rest if i in axes])
                entries = entries.reshape([n if i in axes else 1 for i, n in zip(rest, shape[1:], strict=True)])
                value[t, ...] = np.broadcast_to(entries, shape[1:])
            else:
                value[t, ...] = self.inner({}, {node.self_var: value}).value(step)[t]
        return value

    # --- scalars ------------------------------------------------------------------------------------------------------

    def _num(self, node: Num) -> Any:
        return self._cast(self.number.number(node.value))

    def _index_or_size(self, node: Node) -> Any:
        return self.number.integers(self.index_value(node))

    def _entry(self, node: Entry) -> Any:
        value = self.memo[node.array]
        wanted = self.axes(node)
        indices = node.indices
        if (
            len(set(indices)) == len(indices) == len(wanted)
            and all(type(i) is Index for i in indices)
            and all(self.size(i.size) == n for i, n in zip(indices, value.shape, strict=True))
        ):
            order = [indices.index(i) for i in wanted]
            return value if order == list(range(len(order))) else np.transpose(value, order)
        self._check_size(wanted)
        shape = tuple(self.size(i.size) for i in wanted)
        places: list[Any] = []
        bad: Any = False
        for i, n in zip(indices, value.shape, strict=True):
            at = align(self.index_value(i), self.axes(i), wanted)
            wrong = ~((at >= 0) & (at < n))
            bad = bad | wrong
            places.append(np.where(wrong, 0, at).astype(int))
        if 0 in value.shape:
            return self.number.full(shape, self.number.number("nan"))
        out = value[tuple(places)]
        if np.any(bad):
            out = self.number.choose(np.broadcast_to(bad, shape), self._cast(self.number.number("nan")), out)
        return np.broadcast_to(self._cast(out), shape)

    def _add(self, node: Add) -> Any:
        if len(node.args) < MANY:
            return self._cast(self.number.add(self._all(node)))
        wanted = self.axes(node)
        self._check_size(wanted)
        listed, rest = self._listed(node)
        terms = [self._aligned(a, wanted) for a in rest]
        one = self.number.number(1)
        for axes, entries in listed.items():
            shape = tuple(self.size(i.size) for i in axes)
            table = self.number.full(shape, self.number.number(0))
            for place, factors in entries:
                if all(0 <= k < n for k, n in zip(place, shape, strict=True)):
                    value = self.number.multiply([one, *(self.memo[f] for f in factors)])
                    table[place] = self.number.add([table[place], value])
            terms.append(align(table, axes, wanted))
        return self._cast(self.number.add(terms))

    def _mul(self, node: Mul) -> Any:
        return self._cast(self.number.multiply(self._all(node)))

    def _pow(self, node: Pow) -> Any:
        return self._cast(self.number.power(*self._all(node)))

    def _fn(self, node: Fn) -> Any:
        args = self._all(node)
        own = self.point.functions.get(node.name)
        if own is not None:
            return np.broadcast_to(self._cast(own(self.number, *args)), np.broadcast_shapes(*(a.shape for a in args)))
        if node.name not in FUNCTIONS:
            raise NotEvaluable(f"the function {node.name} has no numbers", node)
        return self._cast(self.number.function(node.name)(*args))

    def _sum(self, node: Sum) -> Any:
        body = node.body
        if type(body) is not Mul:
            axes = self.axes(body)
            return self._cast(self.number.sum(self.memo[body], tuple(axes.index(i) for i in node.indices)))
        places: dict[Index, int] = {}
        for a in sorted(self.axes(body), key=lambda i: i.serial):
            places[a] = len(places)
        factors = [(self.memo[f], [places[i] for i in self.axes(f)]) for f in body.args]
        bound = [places[i] for i in node.indices]
        out = [places[i] for i in self.axes(node)]
        return self._cast(self.number.contract(factors, bound, out))

    def _fold(self, node: Fold) -> Any:
        axes = self.axes(node.body)
        values = self.memo[node.body]
        return self._cast(self.number.fold(node.kind, values, tuple(axes.index(i) for i in node.indices)))

    def _delta(self, node: Delta) -> Any:
        wanted = self.axes(node)
        a, b = (align(self.index_value(x), self.axes(x), wanted) for x in node.args)
        same = np.where(np.isnan(a) | np.isnan(b), np.nan, np.equal(a, b).astype(float))
        return self.number.integers(same)

    def _compare(self, node: Compare) -> Any:
        a, b = self._all(node)
        if node.op == "==" and any(_is_extreme(x) for x in node.args):
            return self._flags(self.number.attained(a, b))
        return self._flags(self.number.compare(node.op, a, b))

    def _logic(self, node: Logic) -> Any:
        return self._flags(self.number.logic(node.op, [self._truth(a) for a in self._all(node)]))

    def _flags(self, value: Any) -> Any:
        return value if isinstance(value, np.ndarray) else np.asarray(value, dtype=object if self.number.exact else bool)

    def _truth(self, value: Any) -> Any:
        """Truth values; the numbers 1 and 0 are true and false."""
        if value.dtype == bool or not self.number.exact:
            return value
        return apply(lambda v: bool(v == 1) if isinstance(v, arb) else v, value)

    def _where(self, node: Where) -> Any:
        condition, a, b = self._all(node)
        return self._cast(self.number.choose(self._truth(condition), a, b))

    def _expect(self, node: Expect) -> Any:
        """The average over the draws of the point."""
        missing = [v for v in node.noise if v not in self.point.draws]
        if missing:
            raise NotEvaluable("an expectation has no value without draws", node)
        count = min(len(self.point.draws[v]) for v in node.noise)
        samples = [self.inner({}, {v: self.point.draws[v][k] for v in node.noise}).value(node.body) for k in range(count)]
        return self._cast(self.number.add(samples) * self.number.number(Fraction(1, count)))


def _place(node: Delta) -> tuple[Index, int] | None:
    """The index that must be a number, and the number."""
    a, b = node.args
    i, k = (a, b) if isinstance(a, Index) else (b, a)
    if isinstance(i, Index) and isinstance(k, Num) and isinstance(k.value, Fraction) and k.value.denominator == 1:
        return i, int(k.value)
    return None


def _is_extreme(node: Node) -> bool:
    """Whether this is the largest or least of the values over an index, under a name or not."""
    while isinstance(node, Entry) and isinstance(node.array, Tensor):
        node = node.array.body
    return isinstance(node, Fold) and node.kind in ("max", "min")


_COMPUTE: dict[type[Node], Callable[[Evaluator, Any], Any]] = {
    Num: Evaluator._num,
    Dim: Evaluator._index_or_size,
    Index: Evaluator._index_or_size,
    Entry: Evaluator._entry,
    Add: Evaluator._add,
    Mul: Evaluator._mul,
    Pow: Evaluator._pow,
    Fn: Evaluator._fn,
    Sum: Evaluator._sum,
    Fold: Evaluator._fold,
    Delta: Evaluator._delta,
    Compare: Evaluator._compare,
    Logic: Evaluator._logic,
    Where: Evaluator._where,
    Expect: Evaluator._expect,
    Var: Evaluator._var,
    Tensor: Evaluator._tensor,
    Operation: Evaluator._operation,
    Operator: Evaluator._operator,
    Recurrence: Evaluator._recurrence,
}
