"""Whole-array constructors: broadcasting, products, reductions, slices and reshapes, each as the index form of one entry.

A `Value` is an entry expression over its axes that has not been given a name yet. It may stand under binders: indices
of an enclosing `sum[i](..)` are then free in its body beside its axes, and `named` lifts them to leading axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Array,
    Dim,
    Entry,
    Expect,
    Fold,
    Index,
    Mul,
    Node,
    Num,
    Scalar,
    Sum,
    add,
    compare,
    delta,
    divide,
    ends_of,
    entry,
    expand_size,
    fn,
    fold,
    fresh_index,
    has_delta_on,
    in_range,
    is_larger,
    mul,
    neg,
    num,
    operation,
    power,
    rebuild,
    sub,
    substitute,
    tensor,
    total,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.nodes import CONTRACTS

Shape = tuple[Scalar, ...]
INLINE_NODES = 60  # a larger entry expression gets a name before it is used in another


@dataclass(frozen=True)
class Value:
    """An entry expression over axes; `indices` are distinct, one per axis."""

    indices: tuple[Index, ...]
    body: Scalar

    @property
    def shape(self) -> Shape:
        return tuple(i.size for i in self.indices)

    @property
    def rank(self) -> int:
        return len(self.indices)

    def at(self, *values: Scalar) -> Scalar:
        """The entry at these index values."""
        return substitute(self.body, dict(zip(self.indices, values, strict=True)))  # type: ignore[no-any-return]

    @property
    def outer(self) -> tuple[Index, ...]:
        """The indices of enclosing binders that occur in the body, oldest first."""
        return tuple(sorted(self.body.free.difference(self.indices), key=lambda i: (i.kind, i.number)))

    def array(self) -> Array:
        """The tensor over the axes (no enclosing binder may be in force)."""
        return tensor(self.indices, self.body)


class ShapeClash(Exception):
    """Shapes that do not go together: `left`, `right` are the sizes that differ, `why` says what they had to be."""

    def __init__(self, message: str, left: Scalar | None = None, right: Scalar | None = None, operand: int = 0) -> None:
        super().__init__(message)
        self.message, self.left, self.right, self.operand = message, left, right, operand


def same_size(a: Scalar, b: Scalar) -> bool:
    return a is b or expand_size(sub(a, b)) is ZERO


def normal_size(a: Scalar) -> Scalar:
    return expand_size(a)


def fresh(shape: Sequence[Scalar]) -> tuple[Index, ...]:
    return tuple(fresh_index(s) for s in shape)


def scalar(body: Scalar) -> Value:
    return Value((), body)


def number(value: int) -> Value:
    return Value((), num(value))


def of_array(array: Array) -> Value:
    """The entries of an array."""
    indices = fresh(array.shape)
    return Value(indices, entry(array, *indices))


def is_plain(body: Scalar) -> bool:
    """Whether a body is an entry, a number, or one of them negated: nothing that would be computed twice."""
    if isinstance(body, (Entry, Num, Dim, Index)):
        return True
    return isinstance(body, Mul) and len(body.args) == 2 and isinstance(body.args[0], Num) and is_plain(body.args[1])


def has_contraction(body: Node) -> bool:
    """Whether a Sum, a Fold or an Expect stands in the expression (arrays not looked into)."""
    return bool(body.marks & CONTRACTS)


def named(value: Value) -> Value:
    """The same entries by way of an array of their own; enclosing indices become leading axes."""
    if isinstance(value.body, Entry) and value.body.array.rank == value.rank + len(value.outer):
        return value
    outer = value.outer
    array = tensor((*outer, *value.indices), value.body)
    return Value(value.indices, entry(array, *outer, *value.indices))


def settled(value: Value) -> Value:
    """`value`, under a name of its own where it holds a contraction or is long: what feeds another contraction or a
    non-linearity is a statement of its own."""
    if is_plain(value.body):
        return value
    if has_contraction(value.body) or is_larger(value.body, INLINE_NODES):
        return named(value)
    return value


def lifted(value: Value) -> tuple[Array, tuple[Index, ...]]:
    """The array of `value` with enclosing indices as leading axes, and those indices."""
    outer = value.outer
    return tensor((*outer, *value.indices), value.body), outer


# --- broadcasting -----------------------------------------------------------------------------------------------------


def broadcast(values: Sequence[Value]) -> tuple[tuple[Index, ...], list[Scalar]]:
    """Common axes by NumPy's rule (aligned at the last axis, 1 stretches), and each value's body over them."""
    rank = max((v.rank for v in values), default=0)
    sizes: list[Scalar] = []
    for k in range(rank):
        chosen: Scalar = ONE
        for position, v in enumerate(values):
            j = v.rank - rank + k
            if j < 0:
                continue
            size = v.shape[j]
            if size is ONE or same_size(size, chosen):
                continue
            if chosen is not ONE:
                raise ShapeClash("sizes do not broadcast", chosen, size, position)
            chosen = size
        sizes.append(chosen)
    indices = fresh(sizes)
    bodies = []
    for v in values:
        mapping: dict[Index, Scalar] = {}
        for own, common in zip(v.indices, indices[rank - v.rank :], strict=True):
            mapping[own] = ZERO if own.size is ONE and common.size is not ONE else common
        bodies.append(substitute(v.body, mapping))
    return indices, bodies


def broadcast_to(value: Value, shape: Sequence[Scalar]) -> Value:
    indices, (body, _) = broadcast([value, Value(fresh(shape), ONE)])
    if len(indices) != len(shape):
        raise ShapeClash("too many axes")
    return Value(indices, body)


def elementwise(build: Callable[..., Scalar], *values: Value) -> Value:
    indices, bodies = broadcast(values)
    return Value(indices, build(*bodies))


def apply(name: str, *values: Value) -> Value:
    """A function of the functions table on elements; an argument that holds a contraction is named first."""
    return elementwise(lambda *bodies: fn(name, *bodies), *(settled(v) for v in values))


def plus(terms: Sequence[tuple[int, Value]]) -> Value:
    indices, bodies = broadcast([v for _, v in terms])
    return Value(indices, add(*(b if s > 0 else neg(b) for (s, _), b in zip(terms, bodies, strict=True))))


def times(a: Value, b: Value) -> Value:
    return elementwise(mul, a, b)


def over(a: Value, b: Value) -> Value:
    return elementwise(divide, a, settled(b))


def raised(a: Value, b: Value) -> Value:
    return elementwise(power, settled(a), settled(b))


# --- products ---------------------------------------------------------------------------------------------------------


def matmul(a: Value, b: Value) -> Value:
    """The matrix and inner product, as NumPy's `@`: vectors are vectors, leading axes are batch axes."""
    if a.rank == 0 or b.rank == 0:
        raise ShapeClash("`@` takes arrays", operand=0 if a.rank == 0 else 1)
    a, b = settled(a), settled(b)
    inner_a = a.indices[-1]
    inner_b = b.indices[-2] if b.rank > 1 else b.indices[-1]
    if not same_size(inner_a.size, inner_b.size):
        raise ShapeClash("inner sizes differ", inner_a.size, inner_b.size)
    k = fresh_index(inner_a.size)
    left = Value(a.indices[:-2] if a.rank > 1 else (), substitute(a.body, {inner_a: k}))
    right = Value(b.indices[:-2] if b.rank > 1 else (), substitute(b.body, {inner_b: k}))
    batch, (x, y) = broadcast([left, right])
    rows = (a.indices[-2],) if a.rank > 1 else ()
    columns = (b.indices[-1],) if b.rank > 1 else ()
    if rows and rows == columns:  # the same value on both sides
        new = fresh_index(columns[0].size)
        y = substitute(y, {columns[0]: new})
        columns = (new,)
    return Value((*batch, *rows, *columns), total(mul(x, y), [k]))


def transpose(a: Value) -> Value:
    """The last two axes exchanged; a vector is its own transpose."""
    if a.rank < 2:
        return a
    a = settled(a)  # so that (A B + C)' reads the array that A B + C beside it is
    return Value((*a.indices[:-2], a.indices[-1], a.indices[-2]), a.body)


def outer(a: Value, b: Value) -> Value:
    a, b = settled(a), settled(b)
    i, j = fresh(a.shape), fresh(b.shape)
    return Value((*i, *j), mul(a.at(*i), b.at(*j)))


def dot(a: Value, b: Value) -> Value:
    """The sum of all products of equal entries."""
    if a.rank != b.rank:
        raise ShapeClash("`dot` takes arrays of one shape")
    a, b = settled(a), settled(b)
    for x, y in zip(a.shape, b.shape, strict=True):
        if not same_size(x, y):
            raise ShapeClash("`dot` takes arrays of one shape", x, y)
    i = fresh(a.shape)
    return Value((), total(mul(a.at(*i), b.at(*i)), i))


# --- reductions -------------------------------------------------------------------------------------------------------


def hoisted(body: Scalar, indices: Sequence[Index]) -> Scalar:
    """`body` with inner contractions that depend on `indices` put under names of their own."""
    inner: dict[Scalar, Scalar] = {}
    stack: list[Scalar] = [body]
    seen: set[Scalar] = set()
    while stack:
        n = stack.pop()
        if n in seen or n.is_array_node:
            continue
        seen.add(n)
        if isinstance(n, Sum) and has_delta_on(n.body, indices):
            continue  # the sum outside takes the Delta away
        if isinstance(n, (Sum, Fold)) and not n.free.isdisjoint(indices):
            inner[n] = named(Value((), n)).body
        else:
            stack.extend(n.args)
    return replace_scalars(body, inner) if inner else body


def replace_scalars(body: Scalar, mapping: dict[Scalar, Scalar]) -> Scalar:
    """`body` with whole sub-expressions replaced (outside binders)."""
    memo: dict[Node, Scalar] = dict(mapping)
    stack: list[Node] = [body]
    while stack:
        n = stack[-1]
        if n in memo:
            stack.pop()
            continue
        if not n.args or n.is_array_node or isinstance(n, (Sum, Fold, Expect)):
            memo[n] = n
            stack.pop()
            continue
        waiting = [a for a in n.args if a not in memo]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        new = [memo[a] for a in n.args]
        memo[n] = n if all(x is y for x, y in zip(new, n.args, strict=True)) else rebuild(n, new)
    return memo[body]


def contract(value: Value, over_indices: Sequence[Index]) -> Scalar:
    return total(hoisted(value.body, over_indices), list(over_indices))


def normal_axes(rank: int, axes: Sequence[int]) -> list[int]:
    out = []
    for a in axes:
        if not -rank <= a < rank:
            axes_there = "a scalar has none" if rank == 0 else "the only axis is 0" if rank == 1 else f"axes are 0 to {rank - 1}"
            raise ShapeClash(f"there is no axis {a}: {axes_there}")
        out.append(a % rank)
    return sorted(set(out))


def reduce(kind: str, value: Value, axes: Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """sum, mean, prod, max, min, logsumexp, var or norm over the given axes (all of them by default)."""
    chosen = list(range(value.rank)) if axes is None else normal_axes(value.rank, axes)
    gone = [value.indices[k] for k in chosen]
    kept = [i for k, i in enumerate(value.indices) if k not in chosen]
    if not gone and kind in ("sum", "mean", "prod", "max", "min"):
        return value
    if kind == "sum":
        body = contract(value, gone)
    elif kind == "mean":
        body = mul(power(mul(*(i.size for i in gone)), MINUS_ONE), contract(value, gone))
    elif kind == "var":
        value = settled(value)
        mean = named(reduce("mean", value, chosen, keepdims=True))
        return reduce("mean", raised(plus([(1, value), (-1, mean)]), number(2)), chosen, keepdims)
    elif kind == "norm":
        value = settled(value)
        body = power(contract(Value(value.indices, power(value.body, TWO)), gone), HALF)
    elif kind == "logsumexp":
        return _log_sum_exp(value, chosen, keepdims)
    elif kind in ("prod", "max", "min"):
        body = fold(kind, hoisted(value.body, gone), gone)
    else:
        raise ValueError(kind)
    if keepdims:
        kept = [fresh_index(ONE) if k in chosen else i for k, i in enumerate(value.indices)]
    return Value(tuple(kept), body)


def _log_sum_exp(value: Value, chosen: list[int], keepdims: bool) -> Value:
    order = [i for k, i in enumerate(value.indices) if k not in chosen]
    last = [value.indices[k] for k in chosen]
    flat = Value((*order, *last), value.body)
    if not last:
        return value
    if len(last) > 1:
        flat = reshape(flat, (*(i.size for i in order), mul(*(i.size for i in last))))
    array, outer_indices = lifted(flat)
    result = operation("logsumexp", (array,), array.shape[:-1])
    axes = flat.indices[:-1]
    body = entry(result, *outer_indices, *axes)
    if not keepdims:
        return Value(axes, body)
    rest = iter(axes)
    return Value(tuple(fresh_index(ONE) if k in chosen else next(rest) for k in range(value.rank)), body)


# --- opaque operations ------------------------------------------------------------------------------------------------


def operate(name: str, value: Value, shape: Sequence[Scalar], parameters: Sequence[Scalar] = ()) -> Value:
    """An operation of the operations table on the last axes of `value`; `shape` is that of the result, batch included."""
    array, outer_indices = lifted(value)
    result = operation(name, (array, *parameters), (*(i.size for i in outer_indices), *shape))
    indices = fresh(shape)
    return Value(indices, entry(result, *outer_indices, *indices))


def along_axis(name: str, value: Value, position: int = -1) -> Value:
    """softmax, cumsum and their kin: an operation along one axis that keeps the shape."""
    if value.rank == 0:
        raise ShapeClash(f"`{name}` takes an array")
    (k,) = normal_axes(value.rank, [position])
    order = [i for j, i in enumerate(value.indices) if j != k] + [value.indices[k]]
    moved = operate(name, Value(tuple(order), value.body), [i.size for i in order])
    back = list(moved.indices)
    back.insert(k, back.pop())
    return Value(tuple(back), moved.body)


def square(value: Value, what: str) -> Value:
    if value.rank < 2:
        raise ShapeClash(f"`{what}` takes a matrix")
    if not same_size(value.shape[-1], value.shape[-2]):
        raise ShapeClash(f"`{what}` takes a square matrix", value.shape[-2], value.shape[-1])
    return value


def inverse(value: Value) -> Value:
    return operate("inv", square(value, "inv"), value.shape)


def determinant(value: Value, name: str = "det") -> Value:
    return operate(name, square(value, name), value.shape[:-2])


def trace(value: Value) -> Value:
    value = square(settled(value), "tr")
    i = fresh_index(value.shape[-1])
    batch = value.indices[:-2]
    return Value(batch, total(hoisted(value.at(*batch, i, i), [i]), [i]))


def diagonal(value: Value) -> Value:
    value = square(settled(value), "diagonal")
    i = fresh_index(value.shape[-1])
    return Value((*value.indices[:-2], i), value.at(*value.indices[:-2], i, i))


def triangle(value: Value, lower: bool) -> Value:
    """The entries on one side of the diagonal, and on it; zeros elsewhere."""
    if value.rank < 2:
        raise ShapeClash("a triangle is of a matrix")
    i, j = value.indices[-2:]
    value = settled(value)
    return Value(value.indices, where(compare("<=", j, i) if lower else compare("<=", i, j), value.body, ZERO))


def diagonal_matrix(value: Value) -> Value:
    if value.rank == 0:
        raise ShapeClash("`diag` takes a vector")
    value = settled(value)
    i, j = value.indices[-1], fresh_index(value.shape[-1])
    return Value((*value.indices, j), mul(delta(i, j), value.body))


def identity(n: Scalar, m: Scalar | None = None) -> Value:
    i, j = fresh_index(n), fresh_index(m if m is not None else n)
    return Value((i, j), delta(i, j))


def filled(shape: Sequence[Scalar], body: Scalar) -> Value:
    return Value(fresh(shape), body)


def kron(a: Value, b: Value) -> Value:
    """The Kronecker product of matrices (or of vectors)."""
    if a.rank != b.rank or a.rank not in (1, 2):
        raise ShapeClash("`kron` takes two matrices or two vectors")
    a, b = settled(a), settled(b)
    f = fresh([normal_size(mul(m, p)) for m, p in zip(a.shape, b.shape, strict=True)])
    left = a.at(*(fn("div", i, p) for i, p in zip(f, b.shape, strict=True)))
    right = b.at(*(fn("mod", i, p) for i, p in zip(f, b.shape, strict=True)))
    return Value(f, mul(left, right))


def vec(a: Value) -> Value:
    """The columns of a matrix stacked."""
    if a.rank != 2:
        raise ShapeClash("`vec` takes a matrix")
    return reshape(transpose(a), (normal_size(mul(*a.shape)),))


def reshape(a: Value, shape: Sequence[Scalar]) -> Value:
    """Row-major; the sizes must have one product."""
    shape = tuple(normal_size(s) for s in shape)
    if not same_size(mul(*shape), mul(*a.shape)):
        raise ShapeClash("`reshape` keeps the number of entries", mul(*a.shape), mul(*shape))
    a = settled(a)
    indices = fresh(shape)
    flat: Scalar = ZERO
    for i in indices:
        flat = add(mul(flat, i.size), i) if flat is not ZERO else i
    flat = expand_size(flat)
    values: list[Scalar] = []
    for size in reversed(a.shape[1:]):
        values.append(fn("mod", flat, size))
        flat = fn("div", flat, size)
    if a.rank:
        values.append(flat)
    return Value(indices, a.at(*reversed(values)))


def shifted(a: Value, k: int, offset: Scalar, size: Scalar) -> Value:
    """`a` put at `offset` along axis k of a larger axis, zeros around: padding."""
    f, i = fresh_index(size), a.indices[k]
    body = total(mul(delta(f, add(i, offset)), a.body), [i])
    return Value((*a.indices[:k], f, *a.indices[k + 1 :]), body)


def concat(values: Sequence[Value], position: int = 0) -> Value:
    ranks = {v.rank for v in values}
    if len(ranks) != 1 or 0 in ranks:
        raise ShapeClash("`concat` takes arrays with equally many axes")
    rank = ranks.pop()
    (k,) = normal_axes(rank, [position])
    values = [settled(v) for v in values]
    first = values[0]
    for p, v in enumerate(values):
        for j in range(rank):
            if j != k and not same_size(v.shape[j], first.shape[j]):
                raise ShapeClash(f"`concat` joins axis {k}, and the sizes of axis {j} differ", first.shape[j], v.shape[j], p)
    size = normal_size(add(*(v.shape[k] for v in values)))
    parts, offset = [], ZERO
    for v in values:
        parts.append((1, shifted(v, k, offset, size)))
        offset = normal_size(add(offset, v.shape[k]))
    return plus(parts)


def stack(values: Sequence[Value], position: int = 0) -> Value:
    indices, bodies = broadcast([settled(v) for v in values])
    if any(v.rank != len(indices) for v in values):
        raise ShapeClash("`stack` takes arrays of one shape")
    new = fresh_index(num(len(values)))
    k = position % (len(indices) + 1)
    body = add(*(mul(delta(new, num(p)), b) for p, b in enumerate(bodies)))
    return Value((*indices[:k], new, *indices[k:]), body)


# --- entries and slices -----------------------------------------------------------------------------------------------


def pick(value: Value, items: Sequence[Scalar | tuple[Scalar, Scalar, Scalar] | None]) -> Value:
    """X[items]: a scalar picks an entry, (lower, size, step) a range, None adds an axis of size 1; missing ones take all."""
    value = settled(value)
    mapping: dict[Index, Scalar] = {}
    kept: list[Index] = []
    position = 0
    for item in items:
        if item is None:
            kept.append(fresh_index(ONE))
            continue
        own = value.indices[position]
        position += 1
        if isinstance(item, tuple):
            lower, size, step = item
            new = fresh_index(normal_size(size))
            mapping[own] = add(lower, mul(step, new))
            kept.append(new)
        else:
            mapping[own] = item
    kept.extend(value.indices[position:])
    return Value(tuple(kept), substitute(value.body, mapping))


def is_inside(item: Scalar, size: Scalar) -> bool | None:
    """Whether an index value is within an axis: True for certain, False where it is certainly outside, else None."""
    if in_range(item, size):
        return True
    ends = ends_of(item)
    if ends is None or not all(isinstance(n, (Num, Dim, Index)) or n.args for n in walk(item)):
        return None
    low, past = expand_size(ends[0]), expand_size(sub(ends[1], size))
    if isinstance(past, Num) and past.rational is not None and past.rational >= 0:
        return False
    # the index of a recurrence starts later than its axis does
    starts_at_0 = not any(isinstance(n, Index) and n.kind == "a" for n in walk(item))
    if starts_at_0 and isinstance(low, Num) and low.rational is not None and low.rational < 0:
        return False
    return None


def select(condition: Value, a: Value, b: Value) -> Value:
    return elementwise(where, condition, settled(a), settled(b))
