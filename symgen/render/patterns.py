"""Index forms that have a name: parts put side by side, running sums, Kronecker products, reshaped arrays, triangles.

Each pattern gives the expression of the language whose definition the index form is, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgen.render.compose import call, number
from symgen.tensor import expression as x
from symgen.tensor.arithmetic import factors_of
from symgen.tensor.expression import Index, Scalar
from symgen.tensor.nodes import CALLS
from symgen.text import tree as t

if TYPE_CHECKING:
    from symgen.render.raising import Raiser

Axes = tuple[Index, ...]


@dataclass(frozen=True)
class Segment:
    """`body` over `axes`, standing at `offset` along axis `place` of a larger array that is zero elsewhere."""

    place: int
    offset: Scalar
    axes: Axes
    body: Scalar

    @property
    def end(self) -> Scalar:
        return x.expand_size(x.add(self.offset, self.axes[self.place].size))


def pattern(r: Raiser, node: Scalar, axes: Axes) -> t.Expression | None:
    """The named form of `node` over `axes`, if it is one of those known here."""
    if not 0 < len(axes) <= 2:
        return None
    for recognise in RECOGNISERS.get(type(node), ()):
        found = recognise(r, node, axes)
        if found is not None:
            return found
    return None


def segment_of(r: Raiser, node: Scalar, axes: Axes) -> Segment | None:
    """sum[j: m](f[j] Delta(i, j + k)): the vector f at k, for an i of a longer range."""
    factors = list(node.args) if isinstance(node, x.Mul) else [node]
    sums = [f for f in factors if isinstance(f, x.Sum)]
    if len(sums) != 1:
        return None
    body, indices = r.opened(sums[0])
    inside = list(body.args) if isinstance(body, x.Mul) else [body]
    deltas = [f for f in inside if isinstance(f, x.Delta)]
    for d, (i, at) in ((f, way) for f in deltas for way in (f.args, f.args[::-1])):
        # i may be shifted itself: i + 1 = j
        for k, own in enumerate(axes):
            moved = x.sub(i, own)
            if own in moved.free or moved.free or own in at.free:
                continue
            at_own = x.sub(at, moved)
            found = [j for j in indices if j in at_own.free]
            if len(found) != 1 or x.sub(at_own, found[0]).free:
                continue
            j = found[0]
            offset = x.expand_size(x.sub(at_own, j))
            rest = [f for f in inside if f is not d]
            if own in x.mul(*rest).free or not x.in_range(x.add(offset, j), own.size):
                continue
            inner = x.total(x.mul(*rest), [i for i in indices if i is not j])
            whole = x.mul(*(f for f in factors if f is not sums[0]), inner)
            if own in whole.free:
                continue
            return Segment(k, offset, (*axes[:k], j, *axes[k + 1 :]), whole)
    return None


def joined(r: Raiser, node: Scalar, axes: Axes) -> t.Expression | None:
    """concat(zeros(k), f, g, zeros(m)) of segments that stand side by side."""
    terms = node.args if isinstance(node, x.Add) else (node,)
    if len(terms) > 16:
        return None
    found = [segment_of(r, term, axes) for term in terms]
    segments = [s for s in found if s is not None]
    if len(segments) < len(terms) or len({s.place for s in segments}) != 1:
        return None
    place = segments[0].place
    size = axes[place].size
    starts: dict[Scalar, Segment] = {s.offset: s for s in segments}
    if len(starts) < len(segments):
        return None
    ends = {s.end for s in segments}
    first = [s for s in segments if s.offset not in ends]
    if len(first) != 1:
        return None
    order = [first[0]]
    while order[-1].end in starts:
        order.append(starts[order[-1].end])
    if len(order) != len(segments):
        return None
    front, back = order[0].offset, x.expand_size(x.sub(size, order[-1].end))
    parts: list[t.Expression] = [r.whole(s.body, s.axes) for s in order]
    if front is not x.ZERO:
        parts.insert(0, zeros(r, axes, place, front))
    if back is not x.ZERO:
        parts.append(zeros(r, axes, place, back))
    return call("concat", *parts) if place == 0 else call("concat", *parts, axis=number(place))


def zeros(r: Raiser, axes: Axes, place: int, length: Scalar) -> t.Expression:
    return call("zeros", *(r.size(length if k == place else i.size) for k, i in enumerate(axes)))


def running(r: Raiser, node: Scalar, axes: Axes) -> t.Expression | None:
    """sum[j](where(j <= i, f[j], 0)) is cumsum(f), and prod[j](where(j <= i, f[j], 1)) cumprod(f); with i <= j they run
    from the end."""
    if not isinstance(node, x.Sum | x.Fold) or len(node.indices) != 1:
        return None
    word, outside = ("cumsum", x.ZERO) if isinstance(node, x.Sum) else ("cumprod", x.ONE)
    if isinstance(node, x.Fold) and node.kind != "prod":
        return None
    body, (j,) = r.opened(node)
    if not isinstance(body, x.Where) or body.args[2] is not outside or not isinstance(body.args[0], x.Compare):
        return None
    condition, inner, _ = body.args
    i = axes[-1]
    if condition.op != "<=" or set(condition.args) != {i, j} or i in inner.free or i.size is not j.size:
        return None
    values = r.whole(inner, (*axes[:-1], j))
    if condition.args[0] is j:
        return call(word, values)
    return back_to_front(call(word, back_to_front(values, len(axes))), len(axes))


def stacked(r: Raiser, node: Scalar, axes: Axes) -> t.Expression | None:
    """sum_k Delta(i, k) f_k, k = 0, 1, .. to the end of the axis: the f_k one above the other."""
    parts: dict[int, list[Scalar]] = {}
    if not isinstance(node, x.Add) or len(axes) != 2:
        return None
    for term in node.args:
        factors = list(term.args) if isinstance(term, x.Mul) else [term]
        places = [
            (f, at.value)
            for f in factors
            if isinstance(f, x.Delta)
            for i, at in (f.args, f.args[::-1])
            if i is axes[0] and isinstance(at, x.Num) and not isinstance(at.value, str)
        ]
        rest = x.mul(*(f for f in factors if not places or f is not places[0][0]))
        if len(places) != 1 or axes[0] in rest.free or places[0][1].denominator != 1:
            return None
        parts.setdefault(int(places[0][1]), []).append(rest)
    if axes[0].size is not x.num(len(parts)) or set(parts) != set(range(len(parts))) or len(parts) < 2:
        return None
    return call("stack", *(r.whole(x.add(*parts[k]), axes[1:]) for k in range(len(parts))))


def back_to_front(e: t.Expression, rank: int) -> t.Expression:
    backwards = t.Slice(None, None, number(-1))
    return t.Subscript(e, (*(t.Slice(None, None) for _ in range(rank - 1)), backwards))


def kronecker(r: Raiser, node: Scalar, axes: Axes) -> t.Expression | None:
    """A[div(i, p), div(j, q)] B[mod(i, p), mod(j, q)], where A and B may be sums and products themselves; over one axis
    also vec(M) of a matrix whose entries stand at div(i, p) and mod(i, p)."""
    if not node.marks & CALLS:
        return None
    places: dict[Index, Scalar] = {}
    outer: list[Index] = []
    inner: list[Index] = []
    for i in axes:
        p = _digit(node, i)
        if p is None:
            return None
        outer.append(x.fresh_index(x.expand_size(x.divide(i.size, p))))
        inner.append(x.fresh_index(p))
        if x.expand_size(x.mul(outer[-1].size, p)) is not x.expand_size(i.size) or _is_quotient(outer[-1].size):
            return None
        places[i] = x.add(x.mul(p, outer[-1]), inner[-1])
    split = x.substitute(node, places)
    body, bound = r.opened(split) if isinstance(split, x.Sum) else (split, [])
    sides = _sides(list(factors_of(body)), set(outer), set(inner), set(bound))
    if sides is None:
        if len(axes) == 1 and not isinstance(node, x.Add):
            return call("vec", r.whole(split, (inner[0], outer[0])))
        return None
    left, right, rest = sides
    if not left or not right:
        return None
    parts = [x.total(x.mul(*part), [b for b in bound if any(b in f.free for f in part)]) for part in (left, right)]
    made = call("kron", r.whole(parts[0], tuple(outer)), r.whole(parts[1], tuple(inner)))
    return r.scaled(made, x.mul(*rest))


def _sides(
    factors: list[Scalar], outer: set[Index], inner: set[Index], bound: set[Index]
) -> tuple[list[Scalar], list[Scalar], list[Scalar]] | None:
    """The factors on the outer and on the inner indices, with what is summed with them, and the numbers; None where one
    is on both."""
    found: list[list[Scalar]] = [[], []]
    waiting = [f for f in factors if f.free]
    ends = (set(outer), set(inner))
    again = True
    while again:
        again = False
        for f in list(waiting):
            on = [k for k in (0, 1) if not ends[k].isdisjoint(f.free)]
            if len(on) == 2:
                return None
            if on:
                found[on[0]].append(f)
                ends[on[0]].update(bound.intersection(f.free))
                waiting.remove(f)
                again = True
    return None if waiting else (found[0], found[1], [f for f in factors if not f.free])


def _digit(node: Scalar, i: Index) -> Scalar | None:
    """p where the index i stands in `node` in div(i, p) and mod(i, p)."""
    stack: list[x.Node] = [node]
    while stack:
        n = stack.pop()
        if isinstance(n, x.Fn) and n.name in ("div", "mod") and n.args[0] is i:
            return n.args[1]  # type: ignore[no-any-return]
        stack.extend(a for a in n.args if not a.is_array_node and i in a.free)
    return None


def _is_quotient(size: Scalar) -> bool:
    return any(isinstance(f, x.Pow) for f in factors_of(size))


def reshaped(r: Raiser, node: Scalar, axes: Axes) -> t.Expression | None:
    """The entry of an array at the digits of a flat index: vec(A), reshape(A, n, m)."""
    if not isinstance(node, x.Entry) or not any(isinstance(i, x.Fn) for i in node.indices):
        return None
    shape = node.array.shape
    if digits(axes, shape) == list(node.indices):
        return call("reshape", r.array(node.array), *(r.size(i.size) for i in axes))
    if len(shape) == 2 and len(axes) == 1 and digits(axes, shape[::-1]) == list(node.indices[::-1]):
        return call("vec", r.array(node.array))
    return None


def digits(axes: Axes, shape: tuple[Scalar, ...]) -> list[Scalar]:
    """The row-major places in an array of `shape` of the entries over `axes`."""
    flat: Scalar = x.ZERO
    for i in axes:
        flat = x.add(x.mul(flat, i.size), i)
    flat = x.expand_size(flat)
    out: list[Scalar] = []
    for size in shape[:0:-1]:
        out.append(x.fn("mod", flat, size))
        flat = x.fn("div", flat, size)
    return [flat, *reversed(out)]


def triangle(r: Raiser, node: Scalar, axes: Axes) -> t.Expression | None:
    """where(j <= i, A[i, j], 0): the lower triangle."""
    if not isinstance(node, x.Where) or len(axes) != 2 or node.args[2] is not x.ZERO:
        return None
    condition, body, _ = node.args
    if not isinstance(condition, x.Compare) or condition.op != "<=" or set(condition.args) != set(axes):
        return None
    name = "tril" if condition.args[0] is axes[1] else "triu"
    return call(name, r.whole(body, axes))


def label_of(node: Scalar) -> tuple[x.Entry, Index] | None:
    """The label y[n] and the index j of Delta(j, y[n])."""
    if isinstance(node, x.Delta):
        for j, value in (node.args, node.args[::-1]):
            if isinstance(j, Index) and isinstance(value, x.Entry) and j not in value.free and len(value.free) == 1:
                if x.in_range(value, j.size):
                    return value, j
    return None


def one_hot(r: Raiser, node: Scalar, axes: Axes) -> t.Expression | None:
    """Delta(j, y[n]) over (n, j): the rows of eye(k) at the labels."""
    found = label_of(node)
    if found is None or len(axes) != 2:
        return None
    value, j = found
    (n,) = value.free
    if set(axes) != {n, j}:
        return None
    made = call("embed", call("eye", r.size(j.size)), r.tree(value, (n,)))
    return made if axes == (n, j) else t.Transpose(made)


RECOGNISERS: dict[type, tuple[Callable[[Raiser, Scalar, Axes], t.Expression | None], ...]] = {
    x.Add: (joined, stacked),
    x.Fold: (running,),
    x.Sum: (kronecker, joined, running),
    x.Mul: (kronecker, joined),
    x.Entry: (reshaped,),
    x.Where: (triangle,),
    x.Delta: (one_hot,),
}

__all__ = ["label_of", "pattern"]
