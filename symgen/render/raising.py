"""From the expression of an entry back to matrix notation: raising.

`X' @ (p - y)/n` is printed for the sum over i of X[i, j]*(p[i] - y[i])/n. What has no matrix notation is printed in
index notation, `tensor[i: n, j: d](..)`: never something that means another array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from math import prod
from typing import Any

from symgen.render.columns import Columns
from symgen.render.compose import (
    Product,
    call,
    exponential,
    name_tree,
    number,
    outer,
    over_one_bar,
    signed,
    spread,
    sum_of,
    transposed,
    weight,
)
from symgen.render.factors import affine, exponent_of, factors_of, remainder
from symgen.render.index_notation import Axes, IndexNotation, binders, counts
from symgen.render.labelling import in_order_of_use
from symgen.render.measures import DEEPEST, MOST, TooLong, clutter, ink, is_square, written_size
from symgen.render.network import Edge, Network, NoMatrixForm, OnlyByIndex
from symgen.render.operator_notation import OperatorNotation
from symgen.render.patterns import label_of, pattern
from symgen.render.shapes import REDUCTIONS
from symgen.tensor import expression as x
from symgen.tensor.expression import Array, Index, Node, Scalar
from symgen.tensor.facts import is_symmetric
from symgen.tensor.nodes import make_index
from symgen.tensor.reading import room_to_nest
from symgen.text import tree as t

OPENED = 1 << 39  # above the numbers of all other indices
LISTED = 16  # entries of an array of fixed size that are written one by one


def raise_array(array: Array, names: Mapping[Array, str] | None = None) -> t.Expression:
    """`array` in matrix notation, the arrays of `names` under their names (but for `array` itself)."""
    names = {a: n for a, n in (names or {}).items() if a is not array}
    size, depth = written_size(array, names)
    if size > MOST:
        raise TooLong(f"written out, this has more than {MOST} symbols: name its parts with `let`")
    if depth > DEEPEST:
        raise TooLong("written out, this is nested deeper than an expression may be: name its parts with `let`")
    with room_to_nest():
        return Raiser(names, array).array(array)


def raise_scalar(
    scalar: Scalar, index_names: Mapping[Index, str] | None = None, names: Mapping[Array, str] | None = None
) -> t.Expression:
    """The expression of an entry; free indices are written under their names."""
    raiser = Raiser(names or {}, scalar)
    if not scalar.free:
        return raiser.tree(scalar, ())
    return raiser.indexed(scalar, dict(index_names or {}))


def reduction(name: str, inner: t.Expression, rank: int) -> t.Expression:
    """A reduction over the last axis; without an axis the language reduces all of them."""
    if not rank:
        flat = isinstance(inner, t.Call) and inner.function == "reshape" and len(inner.arguments) == 2
        return t.Call(name, (inner.arguments[0],) if flat and isinstance(inner, t.Call) else (inner,))
    if rank == 1 and isinstance(inner, t.Transpose):
        return t.Call(name, (inner.operand,), (t.Keyword("axis", t.Number(Fraction(0))),))
    return t.Call(name, (inner,), (t.Keyword("axis", t.Number(Fraction(rank))),))


class Raiser(OperatorNotation, IndexNotation, Columns):
    """Raises nodes below `root` (which names are taken is looked up there)."""

    def __init__(self, names: Mapping[Array, str], root: Node) -> None:
        self.names = names
        self.root = root
        self._memo: dict[tuple[Node, Axes], t.Expression] = {}
        self._directs: dict[tuple[Node, Axes], t.Expression] = {}
        self._products: dict[tuple[Node, Axes], tuple[Any, ...]] = {}
        self._opened: dict[Node, tuple[Scalar, Axes]] = {}
        self._numbers: dict[int, Node] = {}
        self._arrays: dict[Array, t.Expression] = {}
        self._taken: set[str] | None = None

    # --- arrays -------------------------------------------------------------------------------------------------------

    def array(self, array: Array) -> t.Expression:
        """An array with its axes in order: its name, or what it is made of."""
        found = self._arrays.get(array)
        if found is None:
            found = self._arrays[array] = self._array(array)
        return found

    def _array(self, array: Array) -> t.Expression:
        name = self.names.get(array)
        if name is not None:
            return name_tree(name)
        match array:
            case x.Var():
                return t.Name(array.name)
            case x.Tensor():
                tree = self.whole(array.body, array.axes)
                if array is self.root and isinstance(tree, t.Transpose) and isinstance(tree.operand, t.Terms):
                    direct = self._direct(array.body, array.axes)  # the transpose of a whole sum is read last
                    return direct if clutter(direct) <= clutter(tree) + 1 else tree
                return tree
            case x.Operation():
                if array.name in REDUCTIONS and len(array.operands) == 1:
                    return reduction(array.name, self.operand(array.operands[0]), array.rank)
                return t.Call(array.name, tuple(self.operand(a) for a in array.operands))
            case x.Operator():
                return self.operator(array)
            case x.Recurrence():
                return self.sequence(array)
        raise NoMatrixForm

    def operand(self, node: Node) -> t.Expression:
        return self.array(node) if isinstance(node, Array) else self.tree(node, ())

    def whole(self, body: Scalar, axes: Axes) -> t.Expression:
        """`body` over all of `axes`, those included on which it does not depend."""
        counts = [i.size.rational for i in axes if isinstance(i.size, x.Num)]
        if axes and len(counts) == len(axes) and x.has_delta_on(body, axes):
            numbers = [int(c) for c in counts if c is not None]
            if len(numbers) == len(axes) and 0 < prod(numbers) <= LISTED and min(numbers) > 0:
                return self.listed(body, axes, numbers)
        try:
            return self._whole(body, axes)
        except NoMatrixForm:
            return self.by_index(body, axes)

    def listed(self, body: Scalar, axes: Axes, counts: Sequence[int]) -> t.Expression:
        """[a, b]: a small array entry by entry."""
        first = [x.substitute(body, {axes[0]: x.num(k)}) for k in range(counts[0])]
        if len(axes) == 1:
            return t.ListOf(tuple(self.tree(e, ()) for e in first))
        return t.ListOf(tuple(self.listed(e, axes[1:], counts[1:]) for e in first))

    def _whole(self, body: Scalar, axes: Axes) -> t.Expression:
        present = tuple(i for i in axes if i in body.free)
        if len(present) == len(axes):
            if len(axes) <= 2:
                return self.tree(body, axes)
            return self._tree(body, axes)
        if not present:
            return self.constant(body, [i.size for i in axes])
        if len(axes) == 2:
            (i,) = present
            vector = self.tree(body, present)
            if i is axes[0]:
                kept = self.column(body, i) if axes[1].size is x.ONE else None
                return kept or outer(vector, call("ones", self.size(axes[1].size)))
            return outer(call("ones", self.size(axes[0].size)), vector)
        raise NoMatrixForm

    def constant(self, value: Scalar, sizes: Sequence[Scalar]) -> t.Expression:
        shape = [self.size(s) for s in sizes]
        if value is x.ZERO:
            return call("zeros", *shape)
        ones = call("ones", *shape)
        if value is x.ONE:
            return ones
        product = self.product(value, ()) or Product()
        product = Product(product.coefficient, dict(product.scalars), {(ones,): Fraction(1)})
        return product.tree()

    def size(self, size: Scalar) -> t.Expression:
        return self.tree(size, ())

    # --- entries of one body ------------------------------------------------------------------------------------------

    def tree(self, node: Scalar, axes: Axes) -> t.Expression:
        """`node` as an array over `axes`, which are its free indices in the order wanted."""
        key = (node, axes)
        found = self._memo.get(key)
        if found is None:
            try:
                found = self._either_way(node, axes)
            except NoMatrixForm as cause:
                if len(axes) > 2 or (axes and isinstance(cause, OnlyByIndex)):
                    raise
                found = self.by_index(node, axes)
            if not axes and isinstance(node, x.Sum) and binders(found, "tensor"):
                # sum(log(tensor[i: n](w[z[i]]))) is a sum over i
                by_index = self.by_index(node, axes)
                found = by_index if binders(by_index, "tensor") < binders(found, "tensor") else found
            self._memo[key] = found
        return found

    def _either_way(self, node: Scalar, axes: Axes) -> t.Expression:
        """Directly, or as the transpose of the other way round where that takes fewer transposes and fillers."""
        direct = self._direct(node, axes)
        mess, function = clutter(direct), isinstance(node, x.Fn)
        if len(axes) != 2 or isinstance(node, (x.Mul, x.Sum, x.Pow, x.Entry, x.Delta)) or mess < (1 if function else 2):
            return direct
        turned = transposed(self._direct(node, axes[::-1]))
        return turned if clutter(turned) < mess + function else direct  # tanh(Z)' for tanh(Z')

    def _direct(self, node: Scalar, axes: Axes) -> t.Expression:
        key = (node, axes)
        found = self._directs.get(key)
        if found is None:
            found = self._directs[key] = self._tree(node, axes)
        return found

    def _tree(self, node: Scalar, axes: Axes) -> t.Expression:
        if len(node.free) != len(axes) or (len(axes) > 2 and self._depth(node) > 60):
            raise NoMatrixForm
        named = pattern(self, node, axes)
        if named is not None:
            return named
        match node:
            case x.Num():
                return t.Name("undefined" if node is x.NAN else node.value) if isinstance(node.value, str) else number(node.value)
            case x.Dim():
                return t.Name(node.name)
            case x.Entry():
                return self.entry(node, axes)
            case x.Add():
                return self.sum(node, axes)
            case x.Pow() if exponent_of(node) is None:
                return t.Power(self.aligned(node.base, axes), self.aligned(node.exponent, axes))
            case x.Delta() if not node.free:  # of two values, not of two places
                left, right = (self.tree(a, ()) for a in node.args)
                return t.Call("where", (t.Comparison((left, right), ("==",)), number(1), number(0)))
            case x.Mul() | x.Pow() | x.Sum() | x.Delta():
                product = self.product(node, axes)
                if axes and not product.arrays:
                    product.times((call("ones", *(self.size(i.size) for i in axes)),))
                return product.tree()
            case x.Fn():
                if node.name in ("mod", "div"):
                    return self.tree(remainder(node), axes)
                if node.name == "exp":
                    return exponential(self.aligned(node.args[0], axes))
                return t.Call(node.name, tuple(self.aligned(a, axes) for a in node.args))
            case x.Where() if speaks_of_indices(node.args[0]):
                raise NoMatrixForm
            case x.Where():
                return t.Call("where", tuple(self.aligned(a, axes) for a in node.args))
            case x.Compare():
                left, right = (self.aligned(a, axes) for a in node.args)
                return t.Comparison((left, right), (node.op,))
            case x.Logic():
                return t.Logical(node.op, tuple(self.aligned(a, axes) for a in node.args))
            case x.Fold():
                return self.reduction(node.kind, node, axes)
            case x.Expect():
                return self.expectation(node, self.tree(node.body, axes))
        raise NoMatrixForm

    def _depth(self, node: Scalar) -> int:
        return x.count_nodes(node)

    def aligned(self, node: Scalar, axes: Axes) -> t.Expression:
        """`node` as an array that broadcasting brings to `axes`."""
        present = tuple(i for i in axes if i in node.free)
        if len(present) < len(node.free):
            raise NoMatrixForm
        if present == axes[len(axes) - len(present) :]:
            return self.tree(node, present)
        if len(axes) == 2 and not isinstance(node, (x.Compare, x.Logic)):
            kept = self.column(node, axes[0]) if present else None
            return kept or spread(self.tree(node, present), self.size(axes[1].size))
        raise NoMatrixForm

    def opened(self, node: x.Sum | x.Fold) -> tuple[Scalar, Axes]:
        """The body of a binder under indices that occur nowhere else, the same ones each time: whatever was derived
        before, it is written in the same order."""
        found = self._opened.get(node)
        if found is None:
            own, number = in_order_of_use(node.indices, node.body)
            first = OPENED + (number << 5)
            while self._numbers.setdefault(first, node) is not node:
                first += 32
            indices = tuple(make_index("u", first + k, i.size) for k, i in enumerate(own))
            body = x.substitute(node.body, dict(zip(own, indices, strict=True)))
            found = self._opened[node] = (body, indices)
        return found

    # --- sums ---------------------------------------------------------------------------------------------------------

    def sum(self, node: x.Add, axes: Axes) -> t.Expression:
        return sum_of(over_one_bar([signed(self.aligned(term, axes)) for term in node.args]))

    def reduction(self, kind: str, node: Any, axes: Axes) -> t.Expression:
        """kind(body) over everything, or over one axis of a matrix."""
        body, summed = self.opened(node)
        if not axes and len(summed) <= 2:
            ways: list[Axes] = [summed] if len(summed) == 1 else [summed, summed[::-1]]
            return call(kind, min((self.tree(body, w) for w in ways), key=ink))
        if len(axes) == 1 and len(summed) == 1:
            trees = [self.tree(body, w) for w in ((axes[0], summed[0]), (summed[0], axes[0]))]
            best = min((0, 1), key=lambda k: ink(trees[k]))
            return call(kind, trees[best], axis=number(1 - best))
        if 2 < len(axes) + len(summed) <= 4 and (kind != "sum" or not isinstance(body, x.Mul)):
            return self.of_many_axes(kind, body, summed, axes)
        raise NoMatrixForm

    def of_many_axes(self, kind: str, body: Scalar, summed: Axes, axes: Axes) -> t.Expression:
        """kind(T, axis=[..]) of an array of rank 3 or 4, in whatever order its axes are written."""
        ways: list[t.Expression] = []
        for order in permutations((*axes, *summed)):
            if tuple(i for i in order if i in axes) != axes:
                continue
            try:
                tree = self._tree(body, order)
            except NoMatrixForm:
                continue
            places = [number(k) for k, i in enumerate(order) if i in summed]
            where = {"axis": places[0] if len(places) == 1 else t.ListOf(tuple(places))} if axes else {}
            ways.append(call(kind, tree, **where))
        if not ways:
            raise NoMatrixForm
        return min(ways, key=ink)

    # --- products -----------------------------------------------------------------------------------------------------

    def product(self, node: Scalar, axes: Axes) -> Product:
        """`node` as number, scalars and arrays over `axes`."""
        key = (node, axes)
        found = self._products.get(key)
        if found is None:
            p = self._product(node, axes)
            found = self._products[key] = (p.coefficient, dict(p.scalars), dict(p.arrays))
        return Product(found[0], dict(found[1]), dict(found[2]))

    def scaled(self, tree: t.Expression, scale: Scalar) -> t.Expression:
        """A number or scalar times an array."""
        p = self.product(scale, ())
        p.times((tree,))
        return p.tree()

    def _product(self, node: Scalar, axes: Axes) -> Product:
        named = pattern(self, node, axes)
        if named is not None:
            p = Product()
            p.times((named,))
            return p
        if isinstance(node, x.Sum):
            body, indices = self.opened(node)
            if not axes and counts(body, indices):  # sum[i: k](lgamma(a - i/2))
                return Product(scalars={self.indexed(node, {}, whole=True): Fraction(1)})
            if isinstance(body, x.Add):
                return self._sum_of_terms(node, axes)
            try:
                return self.network(factors_of(body), indices, axes)
            except NoMatrixForm:
                if len(body.free) < 3 or len(factors_of(body)) > 1:
                    raise
            p = Product()
            tree = self.of_many_axes("sum", body, indices, axes)
            p.times((tree,)) if axes else p.scale(tree)
            return p
        return self.network(factors_of(node), (), axes)

    def _sum_of_terms(self, node: x.Sum, axes: Axes) -> Product:
        """The sum of a sum: of the elementwise whole, or term by term where the terms contract."""
        ways: list[t.Expression] = []
        body, indices = self.opened(node)
        contracts = any(isinstance(f, x.Sum) for term in body.args for f, _ in factors_of(term))
        if len(body.free) <= 2 and (axes or not contracts):
            ways.append(self.reduction("sum", node, axes))
        if axes or not ways:
            terms = [x.total(term, indices) for term in body.args]
            ways.append(sum_of(over_one_bar([signed(self.aligned(term, axes)) for term in terms])))
        tree = min(ways, key=weight)
        p = Product()
        match tree:
            case t.Call("sum", (t.Factors(first, (*rest, ("/", t.Number(value)))),), ()) if value != 0:
                p.coefficient /= value
                tree = call("sum", t.Factors(first, tuple(rest)) if rest else first)
        if axes:
            p.times((tree,))
        else:
            p.scale(tree)
        return p

    def network(self, factors: Sequence[tuple[Scalar, Fraction]], summed: Axes, axes: Axes) -> Product:
        """The product of `factors` summed over `summed`."""
        alive = {*summed, *axes}
        for f, exponent in factors:
            if isinstance(f, x.Delta) and f.free and exponent > 0 and label_of(f) is None:
                return self.diagonal(f, factors, summed, axes)
        if len(axes) > 2:
            return self.elementwise(factors, summed, axes)
        net = Network(tuple(summed), axes, self.size, transposed)
        for f, exponent in factors:
            free = [i for i in (*axes, *summed) if i in f.free]
            if len(free) != len(f.free) or not alive.issuperset(free):
                raise NoMatrixForm
            if not free:
                self._scale(net.product, f, exponent)
            elif len(free) == 1:
                p = self.piece(f, (free[0],))
                self._raise_into(net.product, p, exponent)
                for chain, power in p.arrays.items():
                    net.put(free[0], chain, power * exponent)
                if free == list(axes[:1]) and len(axes) == 2 and list(p.arrays.values()) == [1]:
                    kept = self.column(f, axes[0]) if p.coefficient == 1 and not p.scalars else None
                    if kept is not None:
                        net.columns[next(iter(p.arrays))] = kept
            elif len(free) == 2:
                i, j = free
                forward, backward = self.piece(f, (i, j)), self.piece(f, (j, i))
                if not forward.arrays or not backward.arrays:
                    raise NoMatrixForm
                self._raise_into(net.product, forward, exponent)
                net.edges.append(Edge((i, j), forward.chain(), backward.chain(), exponent))
            else:
                raise NoMatrixForm
        return net.reduce()

    def elementwise(self, factors: Sequence[tuple[Scalar, Fraction]], summed: Axes, axes: Axes) -> Product:
        """A product over three axes or more, entry by entry."""
        if summed:
            return self.batched(factors, summed, axes)
        p = Product()
        for f, exponent in factors:
            if f.free:
                p.times((self.aligned(f, axes),), exponent)
            else:
                self._scale(p, f, exponent)
        return p

    def batched(self, factors: Sequence[tuple[Scalar, Fraction]], summed: Axes, axes: Axes) -> Product:
        """A chain of matrix products that maps over the axes before the last two."""
        batch, last = axes[:-2], axes[-2:]
        net = Network(tuple(summed), last, self.size, transposed, matrices_only=True)
        for f, exponent in factors:
            front = tuple(i for i in batch if i in f.free)
            ends = tuple(i for i in (*last, *summed) if i in f.free)
            if not f.free:
                self._scale(net.product, f, exponent)
                continue
            if front != batch[len(batch) - len(front) :] or len(ends) != 2 or len(front) + 2 != len(f.free):
                raise NoMatrixForm
            ways = [(self.tree(f, (*front, *way)),) for way in (ends, ends[::-1])]
            net.edges.append(Edge((ends[0], ends[1]), ways[0], ways[1], exponent))
        product = net.reduce()
        if not any(f.free.issuperset(batch) for f, _ in factors):
            raise NoMatrixForm
        return product

    def _scale(self, p: Product, f: Scalar, exponent: Fraction) -> None:
        while isinstance(f, x.Entry) and isinstance(f.array, x.Tensor) and not f.indices and f.array not in self.names:
            f = f.array.body
        if isinstance(f, (x.Sum, x.Mul)):
            try:
                inner = self.product(f, ())
            except NoMatrixForm:
                p.scale(self.tree(f, ()), exponent)
                return
            if exponent.denominator == 1 or inner.coefficient > 0:
                self._raise_into(p, inner, exponent)
                return
        if isinstance(f, x.Num) and isinstance(f.value, Fraction) and exponent.denominator == 1 and f.value != 0:
            worked_out = x.power(f, x.num(exponent))  # a number that is short; 2^(2^100) stays a power
            if isinstance(worked_out, x.Num) and isinstance(worked_out.value, Fraction):
                p.coefficient *= worked_out.value
                return
        p.scale(self.tree(f, ()), exponent)

    def _raise_into(self, p: Product, inner: Product, exponent: Fraction) -> None:
        """p times number and scalars of inner^exponent."""
        if exponent.denominator == 1 and (abs(exponent) < 64 or abs(inner.coefficient) == 1):
            p.coefficient *= inner.coefficient ** int(exponent)
            for e, power in inner.scalars.items():
                p.scale(e, power * exponent)
            return
        one = len(inner.scalars) == 1 and inner.coefficient == 1 and not inner.arrays
        if one:
            ((e, power),) = inner.scalars.items()
            if isinstance(e, t.Call) and e.function == "norm":
                p.scale(e, power * exponent)
                return
            if is_square(e) and isinstance(e, t.Factors) and power == 1:
                p.scale(call("norm", e.first), 2 * exponent)
                return
        if inner.scalars or inner.coefficient != 1:
            p.scale(Product(inner.coefficient, inner.scalars).tree(), exponent)

    def piece(self, f: Scalar, axes: Axes) -> Product:
        """One factor over its own axes."""
        if isinstance(f, x.Sum):
            return self.product(f, axes)
        p = Product()
        if isinstance(f, x.Entry) and isinstance(f.array, x.Tensor) and f.array not in self.names:
            body = f.array.body
            if isinstance(body, (x.Mul, x.Sum)) and all(isinstance(i, Index) for i in f.indices):
                inner = dict(zip(f.array.axes, f.indices, strict=True))
                if len(set(f.indices)) == len(f.indices) and set(f.array.axes) == body.free:
                    back = {b: a for a, b in inner.items()}
                    return self.product(body, tuple(back[i] for i in axes))
        p.times((self.tree(f, axes),))
        return p

    def diagonal(self, d: x.Delta, factors: Sequence[tuple[Scalar, Fraction]], summed: Axes, axes: Axes) -> Product:
        """Delta(i, j) over shown axes i, j: diag(v) of what is left, or eye(n); Delta(i, c): a column of eye(n)."""
        a, b = d.args
        if summed:
            raise NoMatrixForm
        rest = x.mul(*(x.power(f, x.num(e)) for f, e in factors if f is not d))
        if len(axes) == 2 and isinstance(a, Index) and isinstance(b, Index) and a.size is b.size:
            i, j = axes
            rest = x.substitute(rest, {j: i})
            if rest.free:
                inner = self.product(rest, (i,))
                inner.arrays = {(call("diag", inner.bare().tree()),): Fraction(1)}
                return inner
            inner = Product()
            self._scale_all(inner, rest)
            inner.times((call("eye", self.size(i.size)),))
            return inner
        if len(axes) == 1:
            (i,) = axes
            value = b if a is i else a
            if i not in value.free and d.free == {i} and x.in_range(value, i.size) and (a is i or b is i):
                rest = x.substitute(rest, {i: value})
                inner = Product()
                self._scale_all(inner, rest)
                inner.times((t.Subscript(call("eye", self.size(i.size)), (self.tree(value, ()),)),))
                return inner
        raise NoMatrixForm

    def _scale_all(self, p: Product, node: Scalar) -> None:
        for f, exponent in factors_of(node):
            self._scale(p, f, exponent)

    # --- entries ------------------------------------------------------------------------------------------------------

    def entry(self, node: x.Entry, axes: Axes) -> t.Expression:
        """An array with indices put in: the array itself, its transpose, diagonal, a row, a slice."""
        array = (node := self.slice_with_name(node)).array
        plain = all(isinstance(i, Index) and i.size is s for i, s in zip(node.indices, array.shape, strict=True))
        unnamed = isinstance(array, x.Tensor) and array not in self.names
        if plain and unnamed and len(set(node.indices)) == len(node.indices):
            assert isinstance(array, x.Tensor)
            back = dict(zip(node.indices, array.axes, strict=True))
            return self._whole(array.body, tuple(back[i] for i in axes))
        if unnamed and not plain:
            opened = x.open_tensor(array, node.indices)
            return self.aligned_exactly(opened, axes)
        if self.is_each(array):
            raise OnlyByIndex if array.name == "apply" else NoMatrixForm
        base = self.array(array)
        if plain:
            if node.indices == axes:
                return base
            if len(node.indices) == 2 and len(axes) == 2:
                return base if is_symmetric(array) else transposed(base)
            if len(node.indices) == 2 and len(axes) == 1:
                return call("diagonal", base)
            if len(axes) > 2 and node.indices == (*axes[:-2], axes[-1], axes[-2]):
                return base if is_symmetric(array) else transposed(base)
            raise NoMatrixForm
        items = [self.item(i, s) for i, s in zip(node.indices, array.shape, strict=True)]
        shown = [i for _, i in items if i is not None]
        trees = [tree for tree, _ in items]
        while isinstance(trees[-1], t.Slice) and trees[-1] == t.Slice(None, None):
            trees.pop()
        picked = t.Subscript(base, tuple(trees))
        if tuple(shown) == axes:
            return picked
        if tuple(reversed(shown)) == axes and len(axes) == 2:
            return transposed(picked)
        raise NoMatrixForm

    def aligned_exactly(self, node: Scalar, axes: Axes) -> t.Expression:
        if node.free != set(axes):
            return self._whole(node, axes)
        return self._tree(node, axes)

    def item(self, index: Scalar, size: Scalar) -> tuple[t.Expression, Index | None]:
        """What stands in the bracket for one axis, and the index that runs over it."""
        if not index.free:
            return self.tree(index, ()), None
        if len(index.free) > 1:
            raise NoMatrixForm
        (i,) = index.free
        if index is i:
            return t.Slice(None, None if i.size is size else self.size(i.size)), i
        step, offset = affine(index, i)
        if step is None or step < 1:
            raise NoMatrixForm
        last = x.expand_size(x.add(offset, x.mul(x.num(step), x.sub(i.size, x.ONE)), x.ONE))
        lower = None if offset is x.ZERO else self.tree(offset, ())
        upper = None if last is size else self.tree(last, ())
        return t.Slice(lower, upper, None if step == 1 else number(step)), i


def speaks_of_indices(condition: Node) -> bool:
    """Whether a condition compares indices themselves: i <= j."""
    if isinstance(condition, x.Logic):
        return any(speaks_of_indices(a) for a in condition.args)
    return any(a.free and not any(isinstance(n, x.Entry) for n in x.walk(a)) for a in condition.args)


__all__ = ["Raiser", "raise_array", "raise_scalar"]
