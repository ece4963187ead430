"""The terms of a result as flat products of entries: equal contractions become one term, facts of matrices are used.

A term is a product of factors summed over indices. Definitions without a name that are such products are put in,
entries of symmetric matrices are oriented, inv(A) A and Q'Q are I, and the indices are numbered by the graph alone:
x'inv(S) and inv(S) x of a symmetric S are then one node, and their sum is twice it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from fractions import Fraction
from functools import cache

from symgen.algebra.collect import orientation, symmetric_entries, written_length
from symgen.algebra.contraction import Order, components, labelled
from symgen.algebra.polynomial import Budget
from symgen.derivation.context import BudgetSpent
from symgen.tensor.clock import spent
from symgen.tensor.expression import (
    ONE,
    TWO,
    Add,
    Array,
    Delta,
    Entry,
    Fn,
    Index,
    Mul,
    Node,
    Num,
    Operation,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    arrays_below,
    delta,
    depends_on,
    entry,
    fresh_index,
    is_larger,
    mul,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    rebuild,
    total,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_orthogonal, is_symmetric

MAX_TERMS = 24
MAX_FACTORS = 16
MAX_NODES = 600
MAX_DEPTH = 2  # of definitions that are looked into for facts
MAX_LENGTH = 150  # of what is multiplied out
SECONDS = 0.5


class Used(dict[str, None]):
    """Facts that were used, in words."""


Name = Callable[[Array], str | None]


def merged_terms(
    node: Scalar, named: Container[Array], used: Used, name: Name, free: Var | None = None, expand: bool = False
) -> Scalar:
    """`node` with its terms flat, like ones merged and facts used; what is too large is left as it is.

    `free` is a variable whose entries are to be taken as unrelated: its domain gives no facts here. With `expand`
    products of sums are multiplied out, and inverses of products of square matrices are products of inverses.
    """
    if type(node) not in (Add, Mul, Sum, Entry) or is_larger(node, MAX_NODES):
        return node
    terms = node.args if type(node) is Add else (node,)
    if len(terms) > MAX_TERMS:
        return node
    work = _Work(named, used, name, free, expand)
    try:
        if expand:
            terms = [u for t in terms for u in work.expanded(t)]
        return add(*(work.term(t) for t in terms))
    except BudgetSpent:
        return node


@cache
def is_known(array: Array) -> bool:
    """Whether something is known of a matrix that shortens products."""
    return type(array) is Operation or bool(is_symmetric(array) or is_orthogonal(array))


def speaks_of_facts(node: Scalar, named: Container[Array]) -> bool:
    """Whether a matrix stands in the products of `node` that something is known of: an inverse, a symmetric one."""
    level: Iterable[Array] = arrays_below(node)
    for depth in range(MAX_DEPTH + 1):
        below: dict[Array, None] = {}
        for array in level:
            if len(array.shape) > 1 and is_known(array):
                return True
            if depth < MAX_DEPTH and type(array) is Tensor and array not in named:
                if type(array.body) is Add or is_product(array):
                    below.update(dict.fromkeys(arrays_below(array)))
        if not below:
            return False
        level = below
    return False


class _Work:
    def __init__(self, named: Container[Array], used: Used, name: Name, free: Var | None, opening: bool) -> None:
        self.named, self.used, self.name, self.free, self.opening = named, used, name, free, opening
        self.budget = Budget(spent() + SECONDS)

    def term(self, node: Scalar) -> Scalar:
        """A term in its one form."""
        factors: list[Scalar] = []
        bound: list[Index] = []
        self.flatten(node, factors, bound)
        if len(factors) > MAX_FACTORS:
            return node
        factors = [self.inside(f) for f in factors]
        changed = True
        while changed:
            changed = self.contract(factors, bound)
        flat = total(mul(*factors), bound)  # Deltas go away here
        if type(flat) is Add:
            return add(*(self.term(t) for t in flat.args)) if len(flat.args) <= MAX_TERMS else flat
        factors, bound = [], []
        self.flatten(flat, factors, bound)
        if not bound:
            return mul(*map(self.turned, factors))
        pairs = [as_power(f) for f in factors]
        outside, groups = components(pairs, bound)  # type: ignore[arg-type]
        made = [power(self.turned(a), num(e)) for a, e in outside]
        made += [labelled(g, i, Order(self.turned), self.budget)[0] for g, i in groups]
        return mul(*made)

    def expanded(self, node: Scalar) -> list[Scalar]:
        """The terms of a term, products multiplied out: sums, and nameless definitions that are sums, are opened."""
        todo: list[Scalar] = [node]
        done: list[Scalar] = []
        while todo:
            t = todo.pop()
            if len(todo) + len(done) > MAX_TERMS:
                raise BudgetSpent
            factors: list[Scalar] = []
            bound: list[Index] = []
            self.flatten(t, factors, bound)
            place = next((k for k, f in enumerate(factors) if self.terms_of(f) is not None), None)
            if place is None:
                done.append(total(mul(*factors), bound))
                continue
            rest = factors[:place] + factors[place + 1 :]
            for u in self.terms_of(factors[place]) or ():
                made = total(mul(u, *rest), bound)
                todo.extend(made.args if type(made) is Add else (made,))
        return done

    def terms_of(self, f: Scalar) -> tuple[Scalar, ...] | None:
        if type(f) is Add:
            return f.args  # type: ignore[no-any-return]
        if type(f) is Sum and type(f.body) is Add:
            body, indices = open_sum(f)
            return tuple(total(t, indices) for t in body.args)
        if type(f) is Entry and type(f.array) is Tensor and f.array not in self.named:
            if type(f.array.body) is Add and not is_larger(f.array.body, MAX_NODES // 8):
                opened = open_tensor(f.array, f.indices)
                return opened.args if type(opened) is Add else (opened,)
        return None

    def flatten(self, node: Scalar, factors: list[Scalar], bound: list[Index]) -> None:
        """The factors of a product, through sums and nameless definitions that are products themselves."""
        stack = [node]
        while stack:
            x = stack.pop()
            self.budget.spend()
            if type(x) is Mul:
                stack.extend(reversed(x.args))
            elif type(x) is Sum and type(x.body) is not Add:
                body, indices = open_sum(x)
                bound.extend(indices)
                stack.append(body)
            elif type(x) is Entry and type(x.array) is Tensor and x.array not in self.named and is_product(x.array):
                stack.append(open_tensor(x.array, x.indices))
            elif self.opening and type(x) is Pow and x.exponent is TWO and is_sum_of_products(x.base):
                stack.extend((x.base, x.base))  # each with indices of its own
            elif self.opening and type(x) is Entry and (links := inverse_links(x)) is not None:
                bound.extend(links[1])
                stack.extend(links[0])
            else:
                factors.append(x)

    def inside(self, x: Scalar) -> Scalar:
        """A sum among the factors with its terms in their form: (A + A')(B + B') as it stands."""
        if type(x) is Add and not is_larger(x, MAX_NODES // 4):
            return add(*(self.term(t) for t in x.args))
        return x

    def turned(self, x: Scalar) -> Scalar:
        """Entries of symmetric matrices with their indices in one order."""
        if type(x) is Entry:
            if self.is_free(x.array):
                return x
            inner = x.array.operands[0] if isinstance(x.array, Operation) and x.array.name == "inv" else None
            if isinstance(inner, Array) and is_orthogonal(inner):
                self.used.setdefault(f"{self.name(inner) or 'the matrix'} is orthogonal")
                return entry(inner, *x.indices[:-2], x.indices[-1], x.indices[-2])
            other = orientation(x)
            if other is not x:
                for declared in self.symmetric_below(x.array):
                    self.used.setdefault(f"{declared} is symmetric")
            return other
        if type(x) is Pow:
            return power(self.turned(x.base), x.exponent)
        if type(x) is Add or type(x) is Mul or type(x) is Fn:
            new = [self.turned(a) for a in x.args]
            return x if all(a is b for a, b in zip(new, x.args, strict=True)) else rebuild(x, new)
        return x

    def is_free(self, array: Array) -> bool:
        return self.free is not None and depends_on(array, self.free)

    def symmetric_below(self, array: Array) -> list[str]:
        """The names of the declared matrices that a symmetry rests on; that of A @ A' rests on none."""
        if isinstance(array, Var):
            return [array.name]
        below = [a for a in walk(array) if isinstance(a, Var) and is_symmetric(a)]
        return sorted({a.name for a in below})

    # --- pairs of matrices that give the identity ---------------------------------------------------------------------

    def contract(self, factors: list[Scalar], bound: list[Index]) -> bool:
        """inv(A) A and Q'Q within the product become a Delta; whether one was found."""
        for b in bound:
            using = [f for f in factors if b in f.free]
            if len(using) == 1 and type(using[0]) is Pow and using[0].exponent is not ONE:
                found = self.squared(using[0], b)
            elif len(using) == 2 and all(type(f) is Entry for f in using):
                found = self.pair(using[0], using[1], b)
            else:
                continue
            if found is not None:
                bound.remove(b)
                factors[:] = [f for f in factors if f not in using]
                factors.append(found)
                return True
        return False

    def squared(self, f: Pow, b: Index) -> Scalar | None:
        """The sum over b of Q[b, i]^2."""
        if type(f.base) is Entry and isinstance(f.exponent, Num) and f.exponent.value == 2:
            return self.pair(f.base, f.base, b)
        return None

    def pair(self, x: Entry, y: Entry, b: Index) -> Scalar | None:
        if len(x.indices) < 2 or len(x.indices) != len(y.indices) or x.indices[:-2] != y.indices[:-2]:
            return None
        for u, v in ((x, y), (y, x)):
            if u.indices.count(b) != 1 or v.indices.count(b) != 1:
                return None
            pu, pv = u.indices.index(b) - len(u.indices), v.indices.index(b) - len(v.indices)
            if pu < -2 or pv < -2:
                return None
            i, j = u.indices[-3 - pu], v.indices[-3 - pv]
            inner = u.array.operands[0] if isinstance(u.array, Operation) and u.array.name == "inv" else None
            if isinstance(inner, Array):
                base, flipped = untransposed(inner)
                other, turned = untransposed(v.array)
                alike = is_symmetric(base) and not self.is_free(base)
                if base is other and (alike or (pu != pv) != (flipped != turned)):
                    name = self.name(base)
                    self.used.setdefault(f"inv({name}) @ {name} = I" if name else "a matrix times its inverse is I")
                    return delta(i, j)
            orthogonal = u.array is v.array and is_orthogonal(u.array) and not self.is_free(u.array)
            if orthogonal and pu == pv and (pu == -2 or _is_square(u.array)):
                self.used.setdefault(f"{self.name(u.array) or 'the matrix'} is orthogonal")
                return delta(i, j)
        return None


def merged_by_symmetry(node: Scalar, free: Var | None, used: Used) -> Scalar:
    """A sum with entries of symmetric matrices one way round, where terms merge by it: inv(S) for (inv(S) + inv(S)')/2."""
    if type(node) not in (Add, Mul, Sum) or not any(len(a.shape) > 1 and is_symmetric(a) for a in arrays_below(node)):
        return node
    turned: list[Array] = []
    other = symmetric_entries(node, turned)
    if other is node or (written_length(other) >= written_length(node) if type(other) is type(node) else type(other) is Add):
        return node
    if free is not None and any(depends_on(a, free) for a in turned):
        return node
    work = _Work((), used, lambda a: None, free, False)
    for declared in dict.fromkeys(d for a in turned for d in work.symmetric_below(a)):
        used.setdefault(f"{declared} is symmetric")
    return other


def is_sum_of_products(x: Scalar) -> bool:
    """Whether a scalar is an entry of a product of matrices, whose square is a product of two."""
    return type(x) is Sum and type(x.body) is not Add


def _is_square(array: Array) -> bool:
    return array.shape[-1] is array.shape[-2]


def inverse_links(x: Entry) -> tuple[list[Scalar], list[Index]] | None:
    """The entry of inv(A B C), all square, as factors inv(C) inv(B) inv(A) and the indices between them."""
    if not isinstance(x.array, Operation) or x.array.name != "inv" or x.array.rank != 2:
        return None
    chain = links_of(x.array.operands[0])
    if chain is None or len(chain) < 2:
        return None
    size = x.array.shape[0]
    between = [fresh_index(size) for _ in chain[1:]]
    stops = [x.indices[0], *between, x.indices[1]]
    factors: list[Scalar] = []
    for k, (array, turned) in enumerate(reversed(chain)):
        i, j = stops[k], stops[k + 1]
        factors.append(entry(operation("inv", (array,), array.shape), *((j, i) if turned else (i, j))))
    return factors, between


def links_of(array: Node) -> list[tuple[Array, bool]] | None:
    """A, B, C of a product of square matrices, each with whether it is transposed there."""
    if not isinstance(array, Tensor) or len(array.axes) != 2 or not is_product(array):
        return [(array, False)] if isinstance(array, Array) else None
    body = array.body
    factors: list[Scalar] = []
    bound: list[Index] = []
    nothing: Used = {}  # type: ignore[assignment]
    work = _Work((), nothing, lambda a: None, None, False)
    work.flatten(body, factors, bound)
    at, last = array.axes
    chain: list[tuple[Array, bool]] = []
    while factors:
        found = [f for f in factors if type(f) is Entry and len(f.indices) == 2 and at in f.indices]
        if len(found) != 1 or found[0].indices[0] is found[0].indices[1]:
            return None
        (f,) = found
        factors.remove(f)
        turned = f.indices[1] is at
        at = f.indices[0] if turned else f.indices[1]
        if f.array.shape[0] is not f.array.shape[1]:
            return None
        chain.append((f.array, turned))
    return chain if at is last and len(bound) == len(chain) - 1 else None


def flat_length(node: Scalar, named: Container[Array]) -> int:
    """How long an expression is with nameless definitions written out, as far as MAX_LENGTH; a transpose counts."""
    size = 0
    stack: list[Scalar] = [node]
    while stack and size <= MAX_LENGTH:
        x = stack.pop()
        if type(x) is Entry:
            if type(x.array) is Tensor and x.array not in named:
                stack.append(x.array.body)
                continue
            size += 1 + (len(x.indices) > 1 and orientation(x) is not x)
            if isinstance(x.array, Operation):
                size += 2
                inner = (a for a in x.array.operands if isinstance(a, Tensor) and a not in named)
                stack.extend(a.body for a in inner)
        elif type(x) is Add or type(x) is Mul:
            size += len(x.args) - 1
            stack.extend(x.args)
        elif x.is_array_node or not x.args or type(x) is Delta:
            size += 1
        elif type(x) is Sum:
            stack.append(x.body)
        else:
            size += 1
            stack.extend(x.args)
    return size


def as_power(x: Scalar) -> tuple[Scalar, Fraction]:
    if type(x) is Pow and isinstance(x.exponent, Num) and isinstance(x.exponent.value, Fraction):
        return x.base, x.exponent.value
    return x, Fraction(1)


@cache
def is_product(array: Tensor) -> bool:
    """Whether the entries are products of entries of arrays, summed perhaps: a product of matrices, a transpose."""
    stack: list[Node] = [array.body]
    count = 0
    while stack:
        x = stack.pop()
        count += 1
        if count > MAX_FACTORS:
            return False
        if type(x) is Mul:
            stack.extend(x.args)
        elif type(x) is Sum and type(x.body) is not Add:
            stack.append(x.body)
        elif type(x) is Pow and isinstance(x.exponent, Num) and type(x.base) is Entry:
            continue
        elif type(x) not in (Entry, Num, Delta) and x.free and (type(x) is not Add or x is array.body):
            return False
    return True


def untransposed(array: Array) -> tuple[Array, bool]:
    """A and whether the array is A'."""
    if isinstance(array, Tensor) and isinstance(array.body, Entry) and len(array.axes) >= 2:
        *front, i, j = array.axes
        if array.body.indices == (*front, j, i):
            base, turned = untransposed(array.body.array)
            return base, not turned
    return array, False


__all__ = [
    "MAX_LENGTH", "Used", "flat_length", "links_of", "merged_by_symmetry", "merged_terms", "speaks_of_facts", "untransposed",
]  # fmt: skip
