"""Index arguments as array code: slices, diagonals, windows and gathers; Deltas as identities, scatters and masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgen.codegen.contraction import Labelled, ordered_union
from symgen.codegen.convolution import convolved
from symgen.codegen.positions import affine, integer_value
from symgen.codegen.program import Program, Value
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Delta,
    Dim,
    Entry,
    Fn,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    add,
    divide,
    expand_size,
    fn,
    fresh_index,
    in_range,
    mul,
    num,
    sub,
    substitute,
)  # fmt: skip

if TYPE_CHECKING:
    from symgen.codegen.lower import Lowering

__all__ = ["Indexing", "split_axes"]


def split_axes(body: Scalar, indices: Sequence[Index]) -> dict[Index, tuple[Index, Index]]:
    """Indices f that `body` holds as div(f, n) or mod(f, n), with f = n*j + k: {f: (j, k)}."""
    out: dict[Index, tuple[Index, Index]] = {}
    wanted = set(indices)
    seen: set[Node] = set()
    stack: list[Node] = [body]
    while stack:
        node = stack.pop()
        if node in seen or node.is_array_node or node.free.isdisjoint(wanted):
            continue
        seen.add(node)
        if isinstance(node, Fn) and node.name in ("mod", "div"):
            f, n = node.args
            if isinstance(f, Index) and f in wanted and f not in out and not n.free:
                m = expand_size(divide(f.size, n))
                if is_size(m):
                    out[f] = (fresh_index(m), fresh_index(n))
        stack.extend(node.args)
    return out


def is_size(m: Scalar) -> bool:
    """Whether a quotient of sizes is a whole number for all dims: no divisor is left."""
    if isinstance(m, Num):
        return integer_value(m) is not None
    if isinstance(m, Dim):
        return True
    if isinstance(m, (Add, Mul)):
        return all(is_size(a) for a in m.args)
    return isinstance(m, Pow) and is_size(m.base) and (integer_value(m.exponent) or -1) > 0


class Indexing:
    def __init__(self, lowering: Lowering) -> None:
        self.lowering = lowering

    @property
    def program(self) -> Program:
        return self.lowering.program

    # --- index values ---

    def is_integer(self, e: Scalar) -> bool:
        """Whether `e` is made of indices, sizes and whole numbers."""
        if isinstance(e, (Index, Dim)):
            return True
        if isinstance(e, Num):
            return integer_value(e) is not None
        if isinstance(e, Entry):
            return (
                not e.indices
                and self.lowering.arrays.get(e.array, None) is not None
                and (self.lowering.arrays[e.array].op == "loopvar")
            )
        if isinstance(e, Pow):
            return self.is_integer(e.base) and (integer_value(e.exponent) or -1) > 0
        return (isinstance(e, (Add, Mul)) or (isinstance(e, Fn) and e.name in ("mod", "div"))) and all(
            self.is_integer(a) for a in e.args
        )

    def integer(self, e: Scalar) -> Labelled:
        """An index value as an integer array over its free indices (a Python integer if there are none)."""
        p, contraction = self.program, self.lowering.contraction
        if isinstance(e, Index):
            return Labelled(p.make("arange", (), (e.size, False), (e.size,), "i"), (e,))
        if not self.is_integer(e):
            x = self.lowering.lower(e)
            if x.value.rank == 0:
                return Labelled(p.make("to_int", (x.value,), (), (), "s"), ())
            return Labelled(p.make("to_index", (x.value,), (), x.value.shape, "i"), x.labels)
        if not e.free:
            return self.static(e)
        parts = [self.integer(a) for a in e.args]
        if isinstance(e, Fn):
            op = "floordiv" if e.name == "div" else "mod"
            return contraction.elementwise(lambda a, b: p.elementwise(op, a, b, kind="i"), parts)
        op = "add" if isinstance(e, Add) else "mul"
        result = parts[0]
        for x in parts[1:]:
            result = contraction.elementwise(lambda a, b: p.elementwise(op, a, b, kind="i"), [result, x])
        return result

    def static(self, e: Scalar) -> Labelled:
        """An index value without free indices."""
        if isinstance(e, (Num, Dim)) or not any(isinstance(x, Entry) for x in self.parts(e)):
            return Labelled(self.program.size(e), ())
        if isinstance(e, Fn):
            a, b = (self.static(x).value for x in e.args)
            return Labelled(self.program.elementwise("floordiv" if e.name == "div" else "mod", a, b, kind="s"), ())
        return self.lowering.lower(e)

    def parts(self, e: Scalar) -> list[Node]:
        out: list[Node] = []
        stack: list[Node] = [e]
        while stack:
            n = stack.pop()
            out.append(n)
            if not n.is_array_node and not isinstance(n, Entry):
                stack.extend(n.args)
        return out

    # --- entries ---

    def entry(self, value: Value, indices: Sequence[Scalar]) -> Labelled:
        """The entries of `value` at index arguments, labelled by the indices in them."""
        reshaped = self.reshape(value, indices)
        if reshaped is not None:
            return reshaped
        items: list[tuple[object, ...]] = []
        labels: list[Index] = []
        shape: list[Scalar] = []
        fancy: list[tuple[int, Scalar]] = []  # (axis of the result of the basic part, index expression)
        windows: list[tuple[int, Index, Index, Scalar, int]] = []
        args: list[Value] = []
        reverse: list[int] = []
        for e, size in zip(indices, value.shape, strict=True):
            if isinstance(e, Index) and e.size is size:
                items.append(("all",))
                labels.append(e)
                shape.append(size)
                continue
            if not e.free:
                items.append(("pick", len(args)))
                args.append(self.position(e, size))
                continue
            form = affine(e)
            inside = in_range(e, size)
            if form is not None and inside and len(form[1]) == 1:
                ((i, c),) = form[1].items()
                step = integer_value(c)
                if step is not None and self.is_integer(form[0]):
                    extent = mul(num(abs(step)), sub(i.size, ONE))
                    start = form[0] if step > 0 else sub(form[0], extent)
                    stop = expand_size(add(start, extent, ONE))
                    if step < 0:
                        reverse.append(len(labels))
                    items.append(self.slice(expand_size(start), stop, abs(step), size))
                    labels.append(i)
                    shape.append(i.size)
                    continue
            if form is not None and inside and len(form[1]) == 2 and self.is_integer(form[0]):
                pairs = sorted(form[1].items(), key=lambda p: integer_value(p[1]) == 1)
                (outer, c), (inner, one) = pairs
                step = integer_value(c)
                if one is ONE and step is not None and step > 0 and not {outer, inner} & set(labels):
                    windows.append((len(labels), outer, inner, form[0], step))
                    items.append(("all",))
                    labels.append(outer)
                    shape.append(size)
                    continue
            fancy.append((len(labels), e))
            items.append(("all",))
            labels.append(fresh_index(size))
            shape.append(size)
        result = self.index(value, items, tuple(shape), args)
        if reverse:
            result = self.index(result, [("reverse",) if k in reverse else ("all",) for k in range(len(labels))], tuple(shape), [])
        for place, outer, inner, start, step in windows:
            result, labels = self.window(result, labels, place, outer, inner, start, step)
        if fancy:
            return self.gather(result, labels, fancy)
        return self.diagonals(result, labels)

    def slice(self, start: Scalar, stop: Scalar, step: int, size: Scalar) -> tuple[object, ...]:
        if start is ZERO and expand_size(sub(stop, size)) is ZERO and step == 1:
            return ("all",)
        return ("slice", start, None if expand_size(sub(stop, size)) is ZERO else stop, step)

    def index(self, value: Value, items: Sequence[tuple[object, ...]], shape: tuple[Scalar, ...], args: list[Value]) -> Value:
        if all(x == ("all",) for x in items):
            return value
        return self.program.make("index", (value, *args), tuple(items), shape, value.kind)

    def position(self, e: Scalar, size: Scalar) -> Value:
        """One position on an axis of `size`: clamped in the branch of a `where`, else checked if it may be outside."""
        x = self.integer(e).value
        if in_range(e, size) or isinstance(e, Num):
            return x
        op = "clamp" if self.lowering.safe else "inside"
        if x.loops and not self.lowering.safe:  # a loop runs over the times at which its step is meaningful
            return x
        return self.program.make(op, (x, self.program.size(size)), (), (), "s")

    def window(
        self, value: Value, labels: list[Index], place: int, outer: Index, inner: Index, start: Scalar, step: int
    ) -> tuple[Value, list[Index]]:
        """Axis `place` at start + step*outer + inner: windows as a view, the window as a last axis."""
        size = value.shape[place]
        count = add(sub(size, inner.size), ONE)
        shape = [*value.shape, inner.size]
        shape[place] = count
        view = self.program.make("windows", (value,), (place, inner.size), tuple(shape), value.kind)
        stop = expand_size(add(start, mul(num(step), sub(outer.size, ONE)), ONE))
        items: list[tuple[object, ...]] = [("all",)] * len(shape)
        items[place] = self.slice(expand_size(start), stop, step, expand_size(count))
        shape[place] = outer.size
        return self.index(view, items, tuple(shape), []), [*labels, inner]

    def gather(self, value: Value, labels: list[Index], fancy: list[tuple[int, Scalar]]) -> Labelled:
        p, contraction = self.program, self.lowering.contraction
        places: dict[int, Labelled] = {}
        for place, e in fancy:
            x = self.integer(e)
            size = value.shape[place]
            if not in_range(e, size):
                op = "clamp_index" if self.lowering.safe else "check_index"
                x = Labelled(p.make(op, (x.value, p.size(size)), (), x.value.shape, "i"), x.labels)
            places[place] = x
        if len(fancy) == 1:
            ((place, x),) = places.items()
            others = [i for k, i in enumerate(labels) if k != place]
            if not set(others) & set(x.labels) and len(set(others)) == len(others):
                shape = (*value.shape[:place], *x.value.shape, *value.shape[place + 1 :])
                result = p.make("take", (value, x.value), (place,), shape, value.kind)
                return Labelled(result, (*labels[:place], *x.labels, *labels[place + 1 :]))
        operands = [
            places.get(k) or Labelled(p.make("arange", (), (i.size, False), (i.size,), "i"), (i,)) for k, i in enumerate(labels)
        ]
        order = ordered_union(operands)
        args = [contraction.arranged(x, order) for x in operands]
        result = p.make("gather", (value, *args), (), tuple(i.size for i in order), value.kind)
        return Labelled(result, order)

    def diagonals(self, value: Value, labels: list[Index]) -> Labelled:
        """Axes with one index are read along their diagonal, which becomes the last axis."""
        while len(set(labels)) < len(labels):
            i = next(x for x in labels if labels.count(x) > 1)
            a = labels.index(i)
            b = labels.index(i, a + 1)
            shape = (*(s for k, s in enumerate(value.shape) if k not in (a, b)), i.size)
            value = self.program.make("diagonal", (value,), (a, b), shape, value.kind)
            labels = [x for k, x in enumerate(labels) if k not in (a, b)] + [i]
        return Labelled(value, tuple(labels))

    def reshape(self, value: Value, indices: Sequence[Scalar]) -> Labelled | None:
        """X at div and mod of one flat index that runs over a new shape: X.reshape. An axis at m*i + j is split."""
        if value.rank > 1 and isinstance(indices[-1], Fn) and indices[-1].name == "mod":
            flat: Scalar = indices[-1].args[0]
            rest, expected = flat, []
            for size in reversed(value.shape[1:]):
                expected.append(fn("mod", rest, size))
                rest = fn("div", rest, size)
            expected.append(rest)
            if all(a is b for a, b in zip(reversed(expected), indices, strict=True)):
                order = self.row_major(flat, expand_size(mul(*value.shape)))
                if order is not None:
                    return Labelled(self.reshaped(value, [i.size for i in order]), tuple(order))
        for k, e in enumerate(indices):
            if isinstance(e, Add):
                order = self.row_major(e, value.shape[k])
                if order is not None and len(order) > 1:
                    shape = (*value.shape[:k], *(i.size for i in order), *value.shape[k + 1 :])
                    return self.entry(self.reshaped(value, shape), (*indices[:k], *order, *indices[k + 1 :]))
        return None

    def reshaped(self, value: Value, shape: Sequence[Scalar]) -> Value:
        return self.program.make("reshape", (value,), tuple(shape), tuple(shape), value.kind)

    def row_major(self, flat: Scalar, size: Scalar) -> list[Index] | None:
        """The indices i, j, .. with flat = (i*n_j + j)*.., whose sizes multiply to `size`."""
        form = affine(flat)
        if form is None or form[0] is not ZERO:
            return None
        remaining = dict(form[1])
        order: list[Index] = []
        stride: Scalar = ONE
        while remaining:
            match = [i for i, c in remaining.items() if expand_size(sub(c, stride)) is ZERO]
            if len(match) != 1:
                return None
            order.insert(0, match[0])
            del remaining[match[0]]
            stride = expand_size(mul(stride, match[0].size))
        return order if expand_size(sub(stride, size)) is ZERO else None

    # --- arrays joined ---

    def joined(self, terms: Sequence[Labelled]) -> Labelled | None:
        """Parts put side by side on one axis, as one concatenation."""
        if len(terms) < 2 or any(x.value.op != "scatter" or x.labels != terms[0].labels for x in terms):
            return None
        parts: list[tuple[Scalar, Scalar | None, Value]] = []
        place: int | None = None
        for x in terms:
            _, items = x.value.attrs
            sliced = [k for k, item in enumerate(items) if item[0] == "slice"]
            if len(sliced) != 1 or items[sliced[0]][3] != 1 or place not in (None, sliced[0]):
                return None
            place = sliced[0]
            parts.append((items[place][1], items[place][2], x.value.args[0]))
        at: Scalar | None = ZERO
        ordered: list[Value] = []
        while parts:
            found = [p for p in parts if at is not None and expand_size(sub(p[0], at)) is ZERO]
            if len(found) != 1:
                return None
            ordered.append(found[0][2])
            at = found[0][1]
            parts.remove(found[0])
        if at is not None:
            return None
        first = terms[0]
        return Labelled(self.program.make("concat", ordered, (place,), first.value.shape), first.labels)

    def stacked(self, terms: Sequence[Scalar]) -> Labelled | None:
        """Delta(f, 0) a + Delta(f, 1) b + .. with all values of f: arrays stacked along a new axis."""
        parts: dict[int, Scalar] = {}
        new: Index | None = None
        for t in terms:
            factors = t.args if isinstance(t, Mul) else (t,)
            chosen = [
                (f, a, b) for f in factors if isinstance(f, Delta)
                for a, b in (f.args, f.args[::-1]) if isinstance(a, Index) and integer_value(b) is not None
            ]  # fmt: skip
            if len(chosen) != 1:
                return None
            f, i, b = chosen[0]
            position = integer_value(b)
            rest = mul(*(g for g in factors if g is not f))
            if new not in (None, i) or position is None or position in parts or i in rest.free:
                return None
            new = i
            parts[position] = rest
        if new is None or integer_value(new.size) != len(parts) or set(parts) != set(range(len(parts))):
            return None
        lowered = [self.lowering.lower(parts[k]) for k in range(len(parts))]
        order = ordered_union(lowered)
        shape = tuple(i.size for i in order)
        values = []
        for x in lowered:
            value = self.lowering.real(self.lowering.contraction.arranged(x, order))
            if len(x.labels) < len(order):
                value = self.program.make("broadcast", (value,), (shape,), shape)
            values.append(value)
        return Labelled(self.program.make("stack", values, (), (new.size, *shape)), (new, *order))

    # --- Delta ---

    def delta(self, node: Delta) -> Labelled:
        """1 where the index values are equal: an identity matrix, else a mask."""
        a, b = node.args
        p = self.program
        if isinstance(a, Index) and isinstance(b, Index):
            return Labelled(p.make("eye", (), (a.size, b.size), (a.size, b.size)), (a, b))
        x, y = self.integer(a), self.integer(b)
        mask = self.lowering.contraction.elementwise(lambda u, v: p.elementwise("cmp:==", u, v, kind="b"), [x, y])
        return Labelled(self.lowering.real(mask.value), mask.labels)

    def product_with_delta(self, node: Delta, rest: Sequence[Scalar]) -> Labelled:
        """Delta(i, j) x[i, ..]: the diagonal of a new axis."""
        a, b = node.args
        contraction, p = self.lowering.contraction, self.program
        if isinstance(a, Index) and isinstance(b, Index) and a.size is b.size:
            factor = self.lowering.lower(substitute(mul(*rest), {b: a}))
            if factor.labels == (a,):
                diag = p.make("diag", (self.lowering.real(factor.value),), (), (a.size, b.size))
                return Labelled(diag, (a, b))
        else:
            factor = self.lowering.product(rest)
        return contraction.elementwise(lambda u, v: p.mul(self.lowering.real(u), self.lowering.real(v)), [self.delta(node), factor])

    def sum_with_delta(self, deltas: Sequence[Delta], factors: list[Scalar], indices: list[Index]) -> Labelled | None:
        """sum[i](Delta(f, e(i)) x[i]) with f free: x put, or added, at positions e(i) of a new axis."""
        for node in deltas:
            for f, e in (node.args, tuple(reversed(node.args))):
                if not isinstance(f, Index) or f in indices or f in e.free or not e.free <= set(indices):
                    continue
                rest = substitute(mul(*(x for x in factors if x is not node)), {f: e})
                done = self.scatter(f, e, rest, indices)
                if done is None:
                    done = convolved(self.lowering, f, e, [x for x in factors if x is not node], indices)
                if done is not None:
                    return done
        return None

    def scatter(self, f: Index, e: Scalar, rest: Scalar, indices: list[Index]) -> Labelled | None:
        p = self.program
        form = affine(e)
        at = [i for i in indices if i in e.free]
        others = [i for i in indices if i not in e.free]
        if form is not None and len(at) == 1 and in_range(e, f.size) and self.is_integer(form[0]):
            (i,) = at
            step = integer_value(form[1][i])
            if step is None or step == 0:
                return None
            value = self.whole(rest, others, i)
            extent = mul(num(abs(step)), sub(i.size, ONE))
            start = form[0] if step > 0 else sub(form[0], extent)
            stop = expand_size(add(start, extent, ONE))
            if step < 0:
                items: list[tuple[object, ...]] = [("reverse",) if x is i else ("all",) for x in value.labels]
                value = Labelled(self.index(value.value, items, value.value.shape, []), value.labels)
            labels = tuple(f if label is i else label for label in value.labels)
            span = self.slice(expand_size(start), stop, abs(step), f.size)
            places = tuple(span if x is f else ("all",) for x in labels)
            shape = tuple(x.size for x in labels)
            return Labelled(p.make("scatter", (value.value,), (shape, places), shape), labels)
        if form is None and any(isinstance(x, Entry) for x in self.parts(e)):
            position = self.integer(e)
            if not set(position.labels) == set(at):
                return None
            value = self.whole(rest, others, *position.labels)
            order = [*position.labels, *(x for x in value.labels if x not in position.labels)]
            labels = (f, *order[len(position.labels) :])
            checked = p.make("check_index", (position.value, p.size(f.size)), (), position.value.shape, "i")
            arranged = self.lowering.contraction.ordered(value, order)
            shape = tuple(x.size for x in labels)
            return Labelled(p.make("scatter_add", (checked, arranged), (shape,), shape), labels)
        return None

    def whole(self, rest: Scalar, others: Sequence[Index], *needed: Index) -> Labelled:
        """The sum of `rest` over `others`, with every index of `needed` among its labels."""
        value = self.lowering.sums.summed(rest, others)
        missing = [i for i in needed if i not in value.labels]
        real = self.lowering.real(value.value)
        if not missing:
            return Labelled(real, value.labels)
        labels = (*missing, *value.labels)
        shape = tuple(i.size for i in labels)
        return Labelled(self.program.make("broadcast", (real,), (shape,), shape), labels)
