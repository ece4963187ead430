"""What an author named is told by that name, and what is centred sums to 0.

With mu = sum(x)/n the sum of x is n mu, and that of x - mu is 0; with p = exp(x)/s the exponential of x is s p.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import permutations

from symgen.algebra.collect import written_length
from symgen.algebra.products import Used, flat_length, merged_terms
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.finished import name_in
from symgen.derivation.context import Context
from symgen.tensor.build import has_contraction, replace_scalars, same_size
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
    Operation,
    Pow,
    Scalar,
    Sum,
    Tensor,
    add,
    arrays_below,
    entry,
    mul,
    num,
    open_sum,
    open_tensor,
    power,
    tensor,
    total,
)  # fmt: skip

__all__ = ["OwnNames"]

CENTRED = "what is centred sums to 0"
MOST_TERMS = 4  # of a definition that is taken for a centred array


class OwnNames:
    """The named values of a program: `put_in` writes an adjoint by them, where that is shorter."""

    def __init__(self, program: Sequence[Array], ctx: Context) -> None:
        self.ctx = ctx
        # a sum, or a function of entries, as an array: the named array, what it has beside it as a factor, and the place
        # of each of its axes among those of the sum
        self.cores: dict[Array, tuple[Array, Scalar, tuple[int | None, ...]]] = {}
        self.functions = False  # whether one of them is no sum
        self.contractions = False  # whether one of them is the solution of a linear system
        self.centring: dict[Array, bool] = {}
        self.why: dict[str, None] = {}  # what the last `put_in` used, in words
        for array in program:
            if type(array) is Tensor and ctx.name_of(array):
                self.note(array)

    def note(self, array: Tensor) -> None:
        """Notes the sum, or the function, that a named array is a factor times: a factor that is never 0."""
        factors = array.body.args if type(array.body) is Mul else (array.body,)
        cores = [f for f in factors if not _is_divisor(f)]
        if len(cores) != 1 or not _is_core(cores[0], array) or (type(cores[0]) is not Sum and len(factors) == 1):
            return  # the derivative of a function that has a name of its own is by that name already
        (core,) = cores
        rest = mul(*(f for f in factors if f is not core))
        for key, own in _as_arrays(core):
            if all(a in own or same_size(a.size, ONE) for a in array.axes):
                places = tuple(own.index(a) if a in own else None for a in array.axes)
                self.cores.setdefault(key, (array, rest, places))
                self.functions = self.functions or type(core) is not Sum
                self.contractions = self.contractions or (type(core) is Sum and _has_inverse(core.body))

    def put_in(self, g: Scalar, depth: int = 2) -> Scalar:
        """`g` with sums of centred values left out, what has a name written by it, and nameless means written out where
        they cancel, if that is shorter."""
        self.why.clear()
        made = self._put_in(g, depth)
        if made is g:
            self.why.clear()
        return made

    def _put_in(self, g: Scalar, depth: int) -> Scalar:
        if not self.functions and not has_contraction(g):
            return g
        if not self.cores and not any(map(self.is_centring, arrays_below(g))):
            return g
        if self.contractions:
            g = self.contracted(g)
        made = self.rewritten(g)
        if made is g:
            return g
        made = simplify_scalar(made, self.ctx.facts)
        if depth:
            made = self._put_in(made, depth - 1)
        return made if written_length(made) < written_length(g) else g

    def contracted(self, g: Scalar) -> Scalar:
        """`g` as flat products, in which the solution of a linear system may stand: inv(A)' x b' inv(A)' is inv(A)' x x'."""
        named = self.ctx.all_names()
        flat = merged_terms(g, named, Used(), lambda a: name_in(a, self.ctx))
        ways = [made for way in (flat, self.with_products_open(g)) if (made := self.rewritten(way)) is not way]
        best = min(ways, key=lambda way: flat_length(way, named), default=g)
        return best if flat_length(best, named) < flat_length(g, named) else g

    def with_products_open(self, g: Scalar) -> Scalar:
        """`g` with the nameless products in its sums written out."""
        changed: dict[Scalar, Scalar] = {}
        stack: list[Node] = [g]
        while stack:
            node = stack.pop()
            if not node.is_array_node and type(node) not in (Sum, Entry):
                stack.extend(node.args)
            elif type(node) is Sum and type(node.body) is Mul:
                body, indices = open_sum(node)
                inner: dict[Scalar, Scalar] = {}
                for f in body.args:
                    if type(f) is Entry and type(f.array) is Tensor and type(f.array.body) is Mul:
                        if f.array not in self.ctx.names:
                            inner[f] = open_tensor(f.array, f.indices)
                if inner:
                    changed[node] = total(replace_scalars(body, inner), indices)
        return replace_scalars(g, changed) if changed else g

    def solved_in(self, node: Sum) -> Scalar | None:
        """A sum of products in which the solution of a linear system stands, by its name."""
        body, indices = open_sum(node)
        found = False
        for m in indices:
            factors = body.args if type(body) is Mul else (body,)
            held = [f for f in factors if m in f.free]
            if len(held) != 2:
                continue
            inner = total(mul(*held), [m])
            named = self.by_name(inner) if type(inner) is Sum else None
            if named is not None:
                body, found = mul(named, *(f for f in factors if m not in f.free)), True
                indices = [k for k in indices if k is not m]
        return total(body, indices) if found else None

    def rewritten(self, g: Scalar) -> Scalar:
        """`g` with all that has a name, is centred, or is a nameless mean, written so."""
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
                other = self.summed(node)
                if other is None and self.contractions:
                    other = self.solved_in(node)
                if other is None and self.functions and type(node.body) is not Entry:
                    body, indices = open_sum(node)
                    inner = self.rewritten(body)
                    other = total(inner, indices) if inner is not body else None
                if other is not None:
                    changed[node] = other
            elif not node.is_array_node:
                other = self.by_name(node)
                if other is not None:
                    changed[node] = other
                else:
                    stack.extend(node.args)
        return replace_scalars(g, changed) if changed else g

    def summed(self, node: Sum) -> Scalar | None:
        """A sum by the name of what holds it, or without its terms that are centred; None where it stays as it is."""
        named = self.by_name(node)
        if named is not None:
            return named
        if type(node.body) is Entry and self.ctx.name_of(node.body.array) and type(node.body.array) is Tensor:
            opened = total(open_tensor(node.body.array, node.body.indices), node.indices)
            sums = [f for f in (opened.args if type(opened) is Mul else (opened,)) if type(f) is Sum]
            known = {f: other for f in sums if (other := self.by_name(f)) is not None}
            made = simplify_scalar(replace_scalars(opened, known), self.ctx.facts) if known else opened
            if known and not has_contraction(made):
                return made
        if type(node.body) is Entry and type(node.body.array) is Tensor and node.body.array not in self.ctx.names:
            _, terms = _terms_of(open_tensor(node.body.array, node.body.indices), node.indices)
            kept = [t for t in terms if not self.vanishes(t, node.indices)]
            if len(kept) < len(terms) <= MOST_TERMS and simplify_scalar(total(add(*kept), node.indices), self.ctx.facts) is ZERO:
                self.why.setdefault(CENTRED)
                return ZERO  # an adjoint on the way
        factor, terms = _terms_of(node.body, node.indices)
        kept = [t for t in terms if not self.vanishes(t, node.indices)]
        if len(kept) < len(terms):
            self.why.setdefault(CENTRED)
            return mul(factor, total(add(*kept), node.indices))
        return self.multiplied_out(node)

    def multiplied_out(self, node: Sum) -> Scalar | None:
        """The sum of a (b + c) as those of a b and a c, where one of these is no sum any more: p log p - p of p that sum
        to 1."""
        body = node.body
        terms = [f for f in body.args if type(f) is Add] if type(body) is Mul else []
        if len(terms) != 1 or len(terms[0].args) > MOST_TERMS:
            return None
        rest = [f for f in body.args if f is not terms[0]]
        sums: list[Scalar] = []
        known = False
        for t in terms[0].args:
            made = total(mul(*rest, t), node.indices)
            for s in made.args if type(made) is Mul else (made,):
                other = self.summed(s) if type(s) is Sum else None
                if other is not None and not has_contraction(other):
                    made, known = replace_scalars(made, {s: other}), True
            sums.append(made)
        return add(*sums) if known else None

    def by_name(self, node: Node) -> Scalar | None:
        """A sum or a function by the name of what holds it: n mu for the sum of x, where mu is its mean."""
        if not self.cores or not isinstance(node, (Sum, Fn)) or len(node.free) > 2:
            return None
        for key, own in _as_arrays(node):
            found = self.cores.get(key)
            if found is not None:
                array, factor, places = found
                self.why.setdefault(f"by the definition of {self.ctx.name_of(array)}")
                indices = [own[k] if k is not None else ZERO for k in places]
                return mul(power(factor, num(-1)), entry(array, *indices))
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
        """Whether the sum of `term` over `indices` is 0, since that over one of them is one of a centred value: of c for
        c = x - mean(x)."""
        return any(self.is_centred_over(term, (k,)) for k in indices) or (len(indices) > 1 and self.is_centred_over(term, indices))

    def is_centred_over(self, term: Scalar, indices: Sequence[Index]) -> bool:
        varies = [f for f in (term.args if type(term) is Mul else (term,)) if not f.free.isdisjoint(indices)]
        inside = varies[0] if len(varies) == 1 else term
        if type(inside) is Entry and self.is_centring(inside.array):
            inside = open_tensor(inside.array, inside.indices)
        elif type(inside) is Entry:
            return False
        if type(inside) is not Add or len(inside.args) > MOST_TERMS:
            return False
        terms = total(inside, indices)
        named = self.ctx.all_names()
        if merged_terms(terms, named, Used(), lambda a: name_in(a, self.ctx)) is ZERO:
            return True
        means = {e: open_tensor(e.array, e.indices) for e in _means_in(terms)}
        return replace_scalars(terms, means) is ZERO if means else False


def _terms_of(body: Scalar, indices: Sequence[Index]) -> tuple[Scalar, Sequence[Scalar]]:
    """What is summed as a factor that does not vary, and terms: a (b + c) of an a that is the same for all."""
    if type(body) is Mul:
        varying = [f for f in body.args if not f.free.isdisjoint(indices)]
        if len(varying) == 1 and type(varying[0]) is Add:
            return mul(*(f for f in body.args if f is not varying[0])), varying[0].args
    return ONE, body.args if type(body) is Add else (body,)


def _as_arrays(node: Scalar) -> Iterator[tuple[Array, list[Index]]]:
    """A scalar as an array over its free indices, in each order of these."""
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


def _is_core(f: Scalar, array: Array) -> bool:
    """Whether a factor is a sum or a function that is worth its name; of products only those that are one number."""
    if type(f) is Sum:
        return type(f.body) in (Entry, Pow, Fn) or not array.rank or _has_inverse(f.body)
    return type(f) is Fn


def _has_inverse(body: Scalar) -> bool:
    """Whether a product holds entries of an inverse: the solution of a linear system."""
    inverses = (f.array for f in (body.args if type(body) is Mul else ()) if type(f) is Entry)
    return any(type(a) is Operation and a.name == "inv" for a in inverses)


def _is_divisor(f: Scalar) -> bool:
    """Whether a factor is a number, a size, or 1 over a power of one or of a named number: nothing that may be 0."""
    if type(f) is Pow and type(f.exponent) is Num:
        negative = isinstance(f.exponent.value, Fraction) and f.exponent.value < 0
        return type(f.base) in (Num, Dim) or (negative and type(f.base) is Entry and not f.base.free)
    return type(f) in (Num, Dim)


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
