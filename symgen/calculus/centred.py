"""Means, and what is centred by them: the sum of x - mean(x) is 0, and a sum that the author named is told by that name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from symgen.algebra.collect import written_length
from symgen.algebra.products import Used, merged_terms
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.finished import name_in
from symgen.derivation.context import Context
from symgen.tensor.build import has_contraction, replace_scalars
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Dim,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    add,
    arrays_below,
    entry,
    mul,
    num,
    open_tensor,
    power,
    tensor,
    total,
)  # fmt: skip

__all__ = ["Means"]

MOST_TERMS = 4  # of a definition that is taken for a centred array


class Means:
    """The means of a program: `put_in` writes sums by them, where that is shorter."""

    def __init__(self, program: Sequence[Array], ctx: Context) -> None:
        self.ctx = ctx
        self.named: dict[Array, tuple[Array, Scalar]] = {}  # a sum as an array: that which is a factor times it
        self.centring: dict[Array, bool] = {}
        for array in program:
            if type(array) is Tensor and ctx.name_of(array):
                self.note(array)

    def note(self, array: Tensor) -> None:
        """Notes the sum that a named array is a factor times."""
        factors = array.body.args if type(array.body) is Mul else (array.body,)
        sums = [f for f in factors if type(f) is Sum]
        rest = [f for f in factors if type(f) is not Sum]
        if len(sums) == 1 and type(sums[0].body) in (Entry, Pow, Fn) and all(_is_size(f) for f in rest):
            for key, own in _as_arrays(sums[0]):
                if own == [a for a in array.axes if a in own]:
                    self.named.setdefault(key, (array, mul(*rest)))

    def put_in(self, g: Scalar, depth: int = 2) -> Scalar:
        """`g` with sums of centred values left out, sums that have a name written by it, and nameless means written out
        where they cancel, if that is shorter."""
        if not has_contraction(g):
            return g
        if not self.named and not any(map(self.is_centring, arrays_below(g))):
            return g
        changed: dict[Scalar, Scalar] = {}
        seen: set[Node] = set()
        stack: list[Node] = [g]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if type(node) is Entry:
                if type(node.array) is Tensor and _is_mean(node.array.body) and not self.ctx.name_of(node.array):
                    changed[node] = open_tensor(node.array, node.indices)
            elif type(node) is Sum:
                named = self.by_name(node)
                if named is not None:
                    changed[node] = named
                    continue
                factor, terms = _terms_of(node)
                kept = [t for t in terms if not self.vanishes(t, node.indices)]
                if len(kept) < len(terms):
                    changed[node] = mul(factor, total(add(*kept), node.indices))
            elif not node.is_array_node:
                stack.extend(node.args)
        if not changed:
            return g
        other = simplify_scalar(replace_scalars(g, changed), self.ctx.facts)
        if depth:
            other = self.put_in(other, depth - 1)
        return other if written_length(other) < written_length(g) else g

    def by_name(self, node: Sum) -> Scalar | None:
        """A sum by the name of what holds it: n mu for the sum of x, where mu is its mean."""
        if not self.named or type(node.body) not in (Entry, Pow, Fn) or len(node.free) > 2:
            return None
        for key, own in _as_arrays(node):
            found = self.named.get(key)
            if found is not None:
                array, factor = found
                return mul(power(factor, num(-1)), entry(array, *own)) if array.rank == len(own) else None
        return None

    def is_centring(self, array: Array) -> bool:
        """Whether an array is a mean, or a sum of terms that may be centred: without a name, or with a mean in it."""
        found = self.centring.get(array)
        if found is None:
            found = self.centring[array] = self._is_centring(array)
        return found

    def _is_centring(self, array: Array) -> bool:
        if type(array) is not Tensor:
            return False
        if not self.ctx.name_of(array):
            return type(array.body) is Add or _is_mean(array.body)
        if type(array.body) is not Add or len(array.body.args) > MOST_TERMS:
            return False
        return any(_is_mean(t) for t in array.body.args) or any(True for _ in _means_in(array.body))

    def vanishes(self, term: Scalar, indices: Sequence[Index]) -> bool:
        """Whether the sum of `term` over `indices` is one of a centred array: c for c = x - mean(x)."""
        varies = [f for f in (term.args if type(term) is Mul else (term,)) if not f.free.isdisjoint(indices)]
        inside = varies[0] if len(varies) == 1 else term
        if type(inside) is not Entry or type(inside.array) is not Tensor or type(inside.array.body) is not Add:
            return False
        if not self.is_centring(inside.array) or len(inside.array.body.args) > MOST_TERMS:
            return False
        terms = total(open_tensor(inside.array, inside.indices), indices)
        named = self.ctx.all_names()
        if merged_terms(terms, named, Used(), lambda a: name_in(a, self.ctx)) is ZERO:
            return True
        means = {e: open_tensor(e.array, e.indices) for e in _means_in(terms)}
        return replace_scalars(terms, means) is ZERO if means else False


def _terms_of(node: Sum) -> tuple[Scalar, Sequence[Scalar]]:
    """What is summed as a factor that does not vary, and terms: a (b + c) of an a that is the same for all."""
    body = node.body
    if type(body) is Mul:
        varying = [f for f in body.args if not f.free.isdisjoint(node.indices)]
        if len(varying) == 1 and type(varying[0]) is Add:
            return mul(*(f for f in body.args if f is not varying[0])), varying[0].args
    return ONE, body.args if type(body) is Add else (body,)


def _as_arrays(node: Sum) -> Iterator[tuple[Array, list[Index]]]:
    """A sum as an array over its free indices, in each order of these."""
    free = sorted(node.free, key=lambda i: (i.kind, i.number))
    for own in permutations(free):
        yield tensor(own, node), list(own)


def _means_in(body: Scalar) -> Iterator[Entry]:
    """The entries of means that stand in an expression outside binders; definitions are not looked into."""
    stack: list[Node] = [body]
    while stack:
        node = stack.pop()
        if type(node) is Entry:
            if type(node.array) is Tensor and _is_mean(node.array.body):
                yield node
        elif not node.is_array_node and type(node) not in (Sum, Fold, Expect):
            stack.extend(node.args)


def _is_size(f: Scalar) -> bool:
    return type(f) in (Num, Dim) or (type(f) is Pow and type(f.base) in (Num, Dim) and type(f.exponent) is Num)


def _is_mean(body: Scalar) -> bool:
    """Whether a body is a sum of entries, or that over a size."""
    factors: Iterable[Node] = body.args if type(body) is Mul else (body,)
    sums = 0
    for f in factors:
        if type(f) is Sum and type(f.body) is Entry:
            sums += 1
        elif type(f) not in (Num, Dim, Pow):
            return False
    return sums == 1
