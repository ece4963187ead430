"""A product of entries under a sum, as a graph reduced to matrix notation: indices are vertices, matrices are edges.

A vector at a summed end folds into the matrix there; two matrices that meet in a summed index become their product,
with diag(v) between them if a vector sits there; parallel matrices multiply elementwise; a closed loop is a trace; what
hangs together no more is an outer product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symgen.render.compose import (
    ELEMENTWISE,
    Chain,
    Product,
    Spelled,
    call,
    column,
    factor_key,
    matmul,
    outer,
    transposes,
    weight,
)  # fmt: skip
from symgen.tensor.expression import Index, Scalar
from symgen.text import tree as t

ONE = Fraction(1)


class NoMatrixForm(Exception):
    """The expression has no matrix notation: index notation is the way to print it."""


class OnlyByIndex(NoMatrixForm):
    """What no array holds is written under the index of the sum around it: values of a function that is not known."""


@dataclass
class Edge:
    """A matrix between two indices, written in both directions, to a power."""

    ends: tuple[Index, Index]
    forward: Chain
    backward: Chain
    exponent: Fraction = ONE

    def towards(self, start: Index) -> Chain:
        """The chain whose first axis is `start`."""
        chain = self.forward if self.ends[0] is start else self.backward
        if self.exponent == ONE:
            return chain
        return (Product(arrays={chain: self.exponent}).tree(),)

    def other(self, end: Index) -> Index:
        return self.ends[1] if self.ends[0] is end else self.ends[0]


def cost(chain: Sequence[t.Expression]) -> tuple[int, int, Spelled]:
    return sum(map(transposes, chain)), sum(map(weight, chain)), Spelled(*chain)


def loop_cost(chain: Sequence[t.Expression]) -> tuple[int, bool, int, Spelled]:
    """A trace begins with an inverse where there is one."""
    turns, ink, text = cost(chain)
    return turns, not isinstance(chain[0], t.Call), ink, text


def reverse(chain: Chain, flip: Callable[[t.Expression], t.Expression]) -> Chain:
    return tuple(flip(x) for x in reversed(chain))


@dataclass
class Network:
    """`weights[i]` is the elementwise product of the vectors on index i; `product` collects numbers and scalars."""

    summed: tuple[Index, ...]
    shown: tuple[Index, ...]
    size: Callable[[Scalar], t.Expression]
    flip: Callable[[t.Expression], t.Expression]
    edges: list[Edge] = field(default_factory=list)
    weights: dict[Index, Product] = field(default_factory=dict)
    product: Product = field(default_factory=Product)
    waiting: list[Index] = field(default_factory=list)
    columns: dict[Chain, t.Expression] = field(default_factory=dict)  # vectors on the first index shown, as columns
    matrices_only: bool = False  # nothing but chains of products, which map over batch axes

    def put(self, i: Index, chain: Chain, exponent: Fraction = ONE) -> None:
        """Multiply by a vector on index i."""
        self.weights.setdefault(i, Product()).times(chain, exponent)

    def at(self, i: Index) -> list[Edge]:
        return [e for e in self.edges if i in e.ends]

    def vector(self, i: Index) -> Chain | None:
        """The vector on i as a chain; its number and scalars go to the product."""
        found = self.weights.pop(i, None)
        if found is None:
            return None
        self.product.absorb(found)
        return found.chain() if found.arrays else None

    # --- reduction ----------------------------------------------------------------------------------------------------

    def reduce(self) -> Product:
        self.waiting = list(self.summed)
        while self.waiting:
            i = self._next()
            if i is None:
                raise NoMatrixForm
            if i in self.waiting:
                self.waiting.remove(i)
        return self._finish()

    def _next(self) -> Index | None:
        waiting = self.waiting
        if self.matrices_only:
            for i in waiting:
                edges = self.at(i)
                if len(edges) != 2 or edges[0].other(i) is edges[1].other(i):
                    raise NoMatrixForm
        for i in waiting:
            if not self.at(i):
                self._close_vertex(i)
                return i
        leaves = [i for i in waiting if len(self.at(i)) == 1]
        if leaves:
            # a leaf without a vector waits: it is summed over an axis, where products read better
            bearing = [i for i in leaves if i in self.weights] or leaves
            self._fold(bearing[0])
            return bearing[0]
        for i in waiting:
            edges = self.at(i)
            if len(edges) == 2 and edges[0].other(i) is not edges[1].other(i):
                self._contract(i, edges[0], edges[1])
                return i
        for i in waiting:
            edges = self.at(i)
            neighbours = {e.other(i) for e in edges}
            if len(neighbours) == 1 and self._close_loop(i, edges):
                return i
        for i in waiting:
            edges = self.at(i)
            for e in edges:
                parallel = [f for f in edges if f.other(i) is e.other(i)]
                if len(parallel) > 1:
                    self._merge(parallel)
                    return self._next()
        return None

    def _fold(self, i: Index) -> None:
        (e,) = self.at(i)
        j = e.other(i)
        self.edges.remove(e)
        vector = self.vector(i)
        chain = e.towards(j)
        if vector is None and j in self.waiting and j not in self.weights and not self.at(j):
            self.waiting.remove(j)
            if e.exponent == 2:
                self.product.scale(call("norm", matmul(min(e.forward, e.backward, key=cost))), Fraction(2))
            else:
                self.product.scale(call("sum", matmul(min(e.towards(i), chain, key=cost))))
            return
        if vector is not None:
            self.put(j, (*chain, *vector))
            return
        if len(chain) == 1 and cost(e.towards(i)) < cost(chain):
            self.put(j, (call("sum", *e.towards(i), axis=t.Number(Fraction(0))),))
            return
        last, turned = chain[-1], self.flip(chain[-1])
        if transposes(turned) < transposes(last) and not isinstance(last, t.Call):
            summed = call("sum", turned, axis=t.Number(Fraction(0)))
        else:
            summed = call("sum", last, axis=t.Number(ONE))
        self.put(j, (*chain[:-1], summed))

    def _contract(self, i: Index, e: Edge, f: Edge) -> None:
        self.edges.remove(e)
        self.edges.remove(f)
        a, b = e.other(i), f.other(i)
        vector = self.vector(i)
        middle: Chain = () if vector is None else (call("diag", matmul(vector)),)
        forward = (*e.towards(a), *middle, *f.towards(i))
        backward = (*f.towards(b), *middle, *e.towards(i))
        self.edges.append(Edge((a, b), forward, backward))

    def _merge(self, parallel: list[Edge]) -> Edge:
        a, b = parallel[0].ends
        forward, backward = Product(), Product()
        for e in parallel:
            self.edges.remove(e)
            forward.times(e.forward if e.ends[0] is a else e.backward, e.exponent)
            backward.times(e.backward if e.ends[0] is a else e.forward, e.exponent)
        self.product.coefficient *= forward.coefficient
        merged = Edge((a, b), forward.chain(), backward.chain())
        self.edges.append(merged)
        return merged

    def _close_loop(self, i: Index, edges: list[Edge]) -> bool:
        """Two matrices between i and j: tr(A @ B) if nothing else hangs on them, diagonal(A @ B) if j is shown."""
        j = edges[0].other(i)
        if len(edges) != 2 or i in self.weights or any(e.exponent != ONE for e in edges):
            return False
        e, f = edges
        loops = [(*e.towards(j), *f.towards(i)), (*f.towards(j), *e.towards(i))]
        loop = min(loops, key=cost)
        alike = [(e.towards(j), f.towards(j)), (e.towards(i), f.towards(i))]
        both = min((x for x in alike), key=lambda x: cost((*x[0], *x[1])))
        long = len(e.forward) > 1 or len(f.forward) > 1 or e.forward == e.backward or f.forward == f.backward
        prefers_loop = cost(loop)[0] < cost((*both[0], *both[1]))[0] or long
        if not prefers_loop:
            return False
        if j in self.waiting and j not in self.weights and len(self.at(j)) == 2:
            self.edges.remove(e)
            self.edges.remove(f)
            ways = (loop, reverse(loop, self.flip))
            loop = min(((*w[k:], *w[:k]) for w in ways for k in range(len(w))), key=loop_cost)
            self.product.scale(call("tr", matmul(loop)))
            self.waiting.remove(j)
            return True
        for x in edges:
            self.edges.remove(x)
        self.put(j, (call("diagonal", matmul(loop)),))
        return True

    def _close_vertex(self, i: Index) -> None:
        """The sum over an index on which only vectors are left."""
        found = self.weights.pop(i, None)
        if found is None:
            self.product.scale(self.size(i.size))
            return
        self.product.absorb(found)
        if not found.arrays:
            self.product.scale(self.size(i.size))
            return
        pieces = list(found.arrays.items())
        if len(pieces) == 1 and pieces[0][1] == 2:
            chain = pieces[0][0]
            if len(chain) == 1 and isinstance(chain[0], t.Name):
                self.product.scale(matmul((chain[0], chain[0])))
            else:
                self.product.scale(call("norm", matmul(chain)), Fraction(2))
            return
        if len(pieces) == 2 and pieces[0][1] == pieces[1][1] == 1 and not any(_is_function(c) for c, _ in pieces):
            a, b = pieces[0][0], pieces[1][0]
            self.product.scale(matmul(self._inner(a, b)))
            return
        long = [c for c, x in pieces if len(c) > 1 and x == 1]
        if len(long) == 1 and len(pieces) > 1:
            rest = Product(arrays={c: x for c, x in pieces if c is not long[0]})
            self.product.scale(matmul((*rest.chain(), *long[0])))
            return
        if len(pieces) == 1 and pieces[0][1] == 1 and len(pieces[0][0]) == 1:
            (only,) = pieces[0][0]
            if isinstance(only, t.Call) and only.function == "diagonal":
                self.product.scale(call("tr", *only.arguments))
                return
        self.product.scale(call("sum", found.bare().tree()))

    def _inner(self, a: Chain, b: Chain) -> Chain:
        ways = [(*reverse(a[:-1], self.flip), *b), (*reverse(b[:-1], self.flip), *a)]
        ways = [(a[-1], *ways[0]), (b[-1], *ways[1])]
        return min(ways, key=lambda c: (sum(map(transposes, c)), len(c), factor_key(c[0]), Spelled(*c)))

    # --- what is left over the shown indices -------------------------------------------------------------------------

    def _finish(self) -> Product:
        if any(i in e.ends for e in self.edges for i in self.summed):
            raise NoMatrixForm
        if len(self.shown) > 2:
            raise NoMatrixForm
        if len(self.shown) == 1:
            (i,) = self.shown
            found = self.weights.pop(i, None) or Product()
            self.product.absorb(found)
            self.product.arrays = found.arrays
        elif len(self.shown) == 2:
            self._finish_matrix()
        return self.product

    def _columns(self, i: Index) -> None:
        """exp(Z)/sum(exp(Z), axis=1, keepdims=True) for a vector on the rows that is a reduction itself."""
        found = self.weights.get(i)
        columns = self._as_columns(found) if found is not None else None
        if found is None or columns is None or len(self.edges[0].towards(i)) > 1:
            return
        self.product.absorb(found)
        del self.weights[i]
        for chain, exponent in columns.items():
            self.product.times(chain, exponent)
        along = self.weights.pop(self.shown[1], None)  # then the vector along the rows stands entry by entry as well
        if along is not None:
            self.product.absorb(along)
            for chain, exponent in along.arrays.items():
                self.product.times(chain, exponent)

    def _as_columns(self, p: Product) -> dict[Chain, Fraction] | None:
        """The vectors as columns, where all are made of reductions along the other axis."""
        made: dict[Chain, Fraction] = {}
        for chain, exponent in p.arrays.items():
            kept = column(chain[0]) if len(chain) == 1 else None
            kept = kept or self.columns.get(chain)
            if kept is None:
                return None
            made[(kept,)] = exponent
        return made or None

    def _finish_matrix(self) -> None:
        i, j = self.shown
        if not self.edges:
            u, v = self.vector(i), self.vector(j)
            if u is None or v is None:
                raise NoMatrixForm
            self.product.times((outer(matmul(u), matmul(v)),))
            return
        edge = self.edges[0]
        self._columns(i)
        u, v = self.vector(i), self.vector(j)
        if u is None and v is None:
            for e in list(self.edges):
                self.product.times(e.forward if e.ends[0] is i else e.backward, e.exponent)
            return
        if len(self.edges) > 1:
            edge = self._merge(list(self.edges))
        left: Chain = () if u is None else (call("diag", matmul(u)),)
        right: Chain = () if v is None else (call("diag", matmul(v)),)
        self.product.times((*left, *edge.towards(i), *right))


def _is_function(chain: Sequence[t.Expression]) -> bool:
    return len(chain) == 1 and isinstance(chain[0], t.Call) and chain[0].function in ELEMENTWISE
