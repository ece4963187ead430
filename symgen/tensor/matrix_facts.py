"""What is known of a matrix: by its domain, by the operation that made it, or by what its entries show.

Weights must have a sign for a sum to be definite: `ranges` tells it where a condition may hold, `always` where none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from symgen.tensor.domains import DOMAINS
from symgen.tensor.expression import (
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
    count_nodes,
    entry,
    fresh_index,
    mul,
    neg,
    open_sum,
    open_tensor,
    power,
    rebuild,
    substitute,
    total,
    walk,
)
from symgen.tensor.intervals import Range
from symgen.tensor.operations import OPERATIONS

__all__ = ["cholesky_factor_of", "factors_below", "is_cholesky_factor", "is_psd", "is_spd", "matrix_facts", "unnamed"]

MOST_FACTORS = 16


class Ranges(Protocol):
    """Knows the interval that the values of an expression lie in."""

    def range(self, root: Node) -> Range: ...


def _given_facts(array: Array, always: Ranges) -> set[str]:
    """The facts that a domain or an operation gives: symmetric psd spd diagonal orthogonal lower skew invertible."""
    if isinstance(array, Var):
        return set(DOMAINS[array.domain].facts) if array.domain in DOMAINS else set()
    if isinstance(array, Operation):
        row = OPERATIONS.get(array.name)
        inside = [a for a in array.operands if isinstance(a, Array)]
        if row is None or not row.facts or len(inside) != 1:
            return set()
        below = matrix_facts(inside[0], always)
        found = {to for given, to in row.facts.items() if given == "real" or given in below}
        implied = {f for name in found if name in DOMAINS for f in DOMAINS[name].facts}
        return found | implied | ({"invertible"} if array.name in ("inv", "expm") else set())
    return set()


def matrix_facts(array: Array, always: Ranges) -> set[str]:
    """What is known of a matrix: symmetric psd spd diagonal orthogonal lower skew invertible."""
    found = _given_facts(array, always)
    if isinstance(array, Tensor):
        known = _tensor_facts.get(array)
        if known is None:
            known = _tensor_facts[array] = _facts_of_tensor(array, always)
        found |= known
    return found


_tensor_facts: dict[Tensor, set[str]] = {}


def _facts_of_tensor(array: Tensor, always: Ranges) -> set[str]:
    """What the entries show: a transpose, a sum of psd and symmetric terms, an expression that is its own transpose."""
    inner = _is_transpose(array)
    if inner is not None:
        return matrix_facts(inner, always) - {"lower"}
    if len(array.axes) < 2 or array.axes[-1].size is not array.axes[-2].size:
        return set()
    if is_spd(array, always, always):
        return {"spd", "psd", "symmetric", "invertible"}
    body = array.body
    i, j = array.axes[-2:]
    terms = body.args if isinstance(body, Add) else (body,)
    if all(_definiteness(t, i, j, always, always) is not None for t in terms):
        return {"psd", "symmetric"}
    if substitute(body, {i: j, j: i}) is body or all(_symmetric_term(t, i, j, always) for t in terms):
        return {"symmetric"}
    return set()


def factors_below(term: Scalar, squares: bool = False) -> tuple[list[Scalar], list[Index]]:
    """The factors of a term and the indices it is summed over, through nameless products: (A @ S) @ A' is A S A'.

    With `squares`, x^2 is x x, the sums in it opened apart.
    """
    factors: list[Scalar] = []
    bound: list[Index] = []
    stack = [term]
    while stack:
        f = stack.pop()
        if isinstance(f, Mul):
            stack.extend(reversed(f.args))
        elif isinstance(f, Sum) and not isinstance(f.body, Add):
            body, indices = open_sum(f)
            bound += indices
            stack.append(body)
        elif (
            isinstance(f, Entry)
            and isinstance(f.array, Tensor)
            and isinstance(f.array.body, (Sum, Mul, Entry, Pow) if squares else (Sum, Mul, Entry))
        ):
            stack.append(open_tensor(f.array, f.indices))
        elif squares and isinstance(f, Pow) and isinstance(f.exponent, Num) and f.exponent.value == 2:
            inner = unnamed(f.base)
            if isinstance(inner, Sum) and not isinstance(inner.body, Add):
                stack += [inner, inner]  # opened apart, each with indices of its own
            else:
                factors += [f.base, f.base]
        else:
            factors.append(f)
        if len(factors) + len(stack) > MOST_FACTORS:
            return [term], []
    return factors, bound


def unnamed(node: Scalar) -> Scalar:
    """What an entry of a named array stands for."""
    while isinstance(node, Entry) and isinstance(node.array, Tensor):
        node = open_tensor(node.array, node.indices)
    return node


def _symmetric_term(term: Scalar, i: Index, j: Index, always: Ranges) -> bool:
    """Whether a term is its own transpose: f(i, j) alike, the entry of a symmetric matrix, or a congruence B S B'."""
    flipped = substitute(term, {i: j, j: i})
    if flipped is term or _congruence(term, i, j, always) is not None:
        return True
    if count_nodes(term) <= 200 and _turned(flipped, i, j, always) is _turned(term, i, j, always):
        return True
    factors, bound = factors_below(term)
    if bound:
        return False
    for f in factors:
        if f.free.isdisjoint((i, j)):
            continue
        if isinstance(f, Entry) and f.indices[-2:] in ((i, j), (j, i)) and _is_symmetric(f.array, always):
            continue
        if substitute(f, {i: j, j: i}) is not f:
            return False
    return True


def _turned(node: Scalar, i: Index, j: Index, always: Ranges) -> Scalar:
    """`node` with entries (j, i) of symmetric matrices as (i, j), and (a - b)^2 always one way round."""
    if isinstance(node, Entry):
        if node.indices[-2:] == (j, i) and _is_symmetric(node.array, always):
            return substitute(node, {i: j, j: i})  # type: ignore[no-any-return]
        return node
    if isinstance(node, Pow) and isinstance(node.exponent, Num) and isinstance(node.base, Add):
        e = node.exponent.rational
        if e is not None and e.denominator == 1 and e.numerator % 2 == 0:
            other = neg(node.base)
            return power(min(node.base, other, key=lambda n: n.serial), node.exponent)
    if isinstance(node, Sum) and not {i, j}.isdisjoint(node.free):
        return total(_turned(node.body, i, j, always), node.indices)
    if isinstance(node, Add | Mul | Pow | Fn) and not {i, j}.isdisjoint(node.free):
        return rebuild(node, [_turned(a, i, j, always) for a in node.args])  # type: ignore[no-any-return]
    return node


def _is_symmetric(array: Array, always: Ranges) -> bool:
    return "symmetric" in matrix_facts(array, always)


def _congruence(term: Scalar, i: Index, j: Index, always: Ranges) -> str | None:
    """B S B' for a symmetric S between the two sides: symmetric, or psd as S is."""
    factors, bound = factors_below(term)
    if not bound:
        return None
    left, right = [f for f in factors if i in f.free], [f for f in factors if j in f.free]
    others = [f for f in factors if i not in f.free and j not in f.free]
    if not any(f in right for f in left) and _swapped(left, i, j) == sorted(right, key=lambda f: f.serial):
        return "psd" if all(always.range(f).nonnegative for f in others) else "symmetric"
    for middle in factors:
        if not isinstance(middle, Entry) or len(middle.indices) < 2 or not {i, j}.isdisjoint(middle.free):
            continue
        s, t = middle.indices[-2:]
        if not isinstance(s, Index) or not isinstance(t, Index) or s is t:
            continue
        known = matrix_facts(middle.array, always)
        if "symmetric" not in known:
            continue
        rest = [f for f in factors if f is not middle]
        left, right = [f for f in rest if i in f.free], [f for f in rest if j in f.free]
        others = [f for f in rest if i not in f.free and j not in f.free]
        if any(f in right for f in left) or any(not f.free.isdisjoint((s, t)) for f in others):
            continue
        mirrored = [_in_order(substitute(f, {i: j, s: t, t: s}), always) for f in left]
        if sorted(mirrored, key=lambda f: f.serial) == sorted((_in_order(f, always) for f in right), key=lambda f: f.serial):
            positive = all(always.range(f).nonnegative for f in others)
            return "psd" if "psd" in known and positive else "symmetric"
    return None


def _in_order(f: Scalar, always: Ranges) -> Scalar:
    """The entry of a symmetric matrix with its indices in one order."""
    if isinstance(f, Entry) and len(f.indices) == 2 and f.indices[0].serial > f.indices[1].serial:
        if _is_symmetric(f.array, always):
            return rebuild(f, [f.array, *f.indices[::-1]])  # type: ignore[no-any-return]
    return f


def _is_transpose(array: Tensor) -> Array | None:
    body = array.body
    if isinstance(body, Entry) and len(array.axes) == 2 and body.indices == (array.axes[1], array.axes[0]):
        return body.array
    return None


def is_psd(array: Array, ranges: Ranges, always: Ranges) -> bool | None:
    """Whether a matrix is positive semidefinite: by its facts, or as a sum of terms that are."""
    if isinstance(array, Tensor) and len(array.axes) == 2:
        i, j = array.axes
        terms = array.body.args if isinstance(array.body, Add) else (array.body,)
        if all(_definiteness(t, i, j, ranges, always) is not None for t in terms):
            return True
    return True if "psd" in matrix_facts(array, always) else None


def is_spd(array: Array, ranges: Ranges, always: Ranges) -> bool | None:
    """Whether a matrix is symmetric positive definite: a sum of squares with one definite term at least."""
    if not isinstance(array, Tensor):
        return True if "spd" in _given_facts(array, always) else None
    if len(array.axes) < 2:
        return None
    i, j = array.axes[-2:]
    terms = array.body.args if isinstance(array.body, Add) else (array.body,)
    definite = False
    for t in terms:
        kind = _definiteness(t, i, j, ranges, always)
        if kind is None:
            return None
        definite = definite or kind == "spd"
    return True if definite else None


def _definiteness(term: Scalar, i: Index, j: Index, ranges: Ranges, always: Ranges) -> str | None:
    bound: tuple[Index, ...] = ()
    factors: list[Scalar] = []
    todo = list(term.args) if isinstance(term, Mul) else [term]
    while todo:
        f = todo.pop(0)
        if isinstance(f, Sum):
            bound += f.indices
            todo += list(f.body.args) if isinstance(f.body, Mul) else [f.body]
        else:
            factors.append(f)
    diagonal = [f for f in factors if isinstance(f, Delta) and set(f.args) == {i, j}]
    if diagonal:
        rest = [f for f in factors if f not in diagonal]
        found = [ranges.range(f) for f in rest]
        if bound:
            return "psd" if all(r.nonnegative for r in found) else None
        return "spd" if all(r.positive for r in found) else "psd" if all(r.nonnegative for r in found) else None
    if _congruence(term, i, j, always) == "psd":
        return "psd"
    from_i, from_j, weights = [], [], []
    whole: list[Entry] = []
    for f in factors:
        if isinstance(f, Entry) and set(f.indices) == {i, j} and len(f.indices) == 2:
            whole.append(f)
        elif i in f.free and j in f.free:
            return None
        elif i in f.free:
            from_i.append(f)
        elif j in f.free:
            from_j.append(f)
        else:
            weights.append(f)
    positive = all(ranges.range(w).positive for w in weights)
    if not all(ranges.range(w).nonnegative for w in weights):
        return None
    if whole:
        known = matrix_facts(whole[0].array, always)
        if len(whole) > 1 or from_i or from_j or bound:
            return None
        return "spd" if "spd" in known and positive else "psd" if known & {"psd", "spd"} else None
    if _swapped(from_i, i, j) == sorted(from_j, key=lambda f: f.serial):
        return "psd"
    return None


def _swapped(factors: Sequence[Scalar], i: Index, j: Index) -> list[Scalar]:
    return sorted((substitute(f, {i: j}) for f in factors), key=lambda f: f.serial)


def is_cholesky_factor(x: Array) -> bool:
    """Whether a matrix is lower triangular with a positive diagonal, by declaration or as a Cholesky factor."""
    return x.rank == 2 and (isinstance(x, Var) and x.domain == "lower" or isinstance(x, Operation) and x.name == "cholesky")


def cholesky_factor_of(matrix: Array) -> Array | None:
    """L where the matrix is L @ L' of such a factor."""
    if not isinstance(matrix, Tensor) or matrix.rank != 2:
        return None
    i, j, k = fresh_index(matrix.shape[0]), fresh_index(matrix.shape[1]), fresh_index(matrix.shape[0])
    body = open_tensor(matrix, (i, j))
    for n in walk(body):
        if isinstance(n, Entry) and is_cholesky_factor(n.array):
            return n.array if body is total(mul(entry(n.array, i, k), entry(n.array, j, k)), [k]) else None
    return None
