"""Proof of inequalities: a form is nonnegative by its range, as a sum of squares, or by a known inequality ▣.

Each rule gives something not larger than the form, until that is seen to be nonnegative. Logarithms lie below their
tangents, log q <= log t + q/t - 1, at 1 or where another logarithm of the form is taken; exp(q) >= 1 + q;
Cauchy-Schwarz for sums; sums of nonnegative terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from symgen.algebra import polynomial as poly
from symgen.algebra.polynomial import Monomial, Poly
from symgen.tensor.expression import (
    Array,
    Dim,
    Entry,
    Fn,
    Index,
    Mul,
    Operation,
    Scalar,
    Sum,
    Tensor,
    Var,
    fn,
    fresh_index,
    open_sum,
    open_tensor,
    substitute,
)
from symgen.tensor.facts import is_spd, range_of

if TYPE_CHECKING:
    from symgen.algebra.canonical import Workshop

__all__ = ["is_nonnegative_form"]

DEPTH = 3  # of known inequalities used one after the other
MAX_BASIS = 12


def is_nonnegative_form(w: Workshop, p: Poly, strict: bool, depth: int = DEPTH) -> bool:
    """Whether p >= 0 (p > 0 if `strict`) is shown by the form of p."""
    w.budget.spend()
    r = range_of(poly.node_of(p), w.facts)
    if r.positive or (r.nonnegative and not strict) or _is_sum_of_squares(w, p, strict):
        return True
    if strict:
        return False
    if _is_sum_of_nonnegative(w, p, depth):
        return True
    return depth > 0 and any(is_nonnegative_form(w, q, False, depth - 1) for rule in _LOWER for q in rule(w, p))


# --- sums of squares --------------------------------------------------------------------------------------------------


def _root(w: Workshop, m: Monomial) -> Monomial | None:
    """s with m = s^2, over the reals."""
    for a, e in m:
        if not (e.denominator == 1 and e % 2 == 0) and not w.nonnegative(poly.of_atom(a)):
            return None
    return tuple((a, e / 2) for a, e in m)


def _is_sum_of_squares(w: Workshop, p: Poly, strict: bool) -> bool:
    """A form in the roots of its monomials with a Gram matrix that is positive semidefinite."""
    basis = [s for m, c in p.items() if c > 0 and (s := _root(w, m)) is not None]
    if not basis or len(basis) > MAX_BASIS:
        return False
    squares = {poly.times(s, s) for s in basis}
    gram = [[Fraction(0)] * len(basis) for _ in basis]
    left = dict(p)
    for i, s in enumerate(basis):
        gram[i][i] = left.pop(poly.times(s, s))
    for i, s in enumerate(basis):
        for j in range(i):
            m = poly.times(s, basis[j])
            if m in left and m not in squares:
                gram[i][j] = gram[j][i] = left.pop(m) / 2
    if left and not range_of(poly.node_of(left), w.facts).nonnegative:
        return False
    definite = _pivots(gram)
    return definite is not None and (not strict or (definite and () in basis))


def _pivots(a: list[list[Fraction]]) -> bool | None:
    """Whether a symmetric matrix is positive definite; None where it is not even semidefinite."""
    definite = True
    for k in range(len(a)):
        if a[k][k] < 0 or (a[k][k] == 0 and any(a[k][j] for j in range(k + 1, len(a)))):
            return None
        if a[k][k] == 0:
            definite = False
            continue
        for i in range(k + 1, len(a)):
            f = a[i][k] / a[k][k]
            for j in range(k + 1, len(a)):
                a[i][j] -= f * a[k][j]
    return definite


# --- sums -------------------------------------------------------------------------------------------------------------


def _single_sum(m: Monomial) -> tuple[Sum, Monomial] | None:
    """A sum over one index among the factors, and the other factors."""
    for k, (a, e) in enumerate(m):
        if isinstance(a, Sum) and e == 1 and len(a.indices) == 1:
            return a, m[:k] + m[k + 1 :]
    return None


def _is_sum_of_nonnegative(w: Workshop, p: Poly, depth: int) -> bool:
    """p = sum[i](q(i)) + r with q(i) >= 0 for every i and r >= 0; the constant c n is sum[i](c)."""
    groups: dict[Scalar, tuple[Index, list[Poly]]] = {}
    rest: Poly = {}
    for m, c in p.items():
        found = _single_sum(m)
        if found is None:
            rest[m] = c
            continue
        node, others = found
        (old,) = node.indices
        index, parts = groups.setdefault(old.size, (fresh_index(old.size), []))
        body = w.poly(substitute(node.body, {old: index}))
        parts.append(poly.multiply({others: c}, body, w.budget))
    if not groups:
        return False
    for size, (_, parts) in groups.items():
        if isinstance(size, Dim):
            parts.append({(): rest.pop(((size, Fraction(1)),), Fraction(0))})
    if rest and not is_nonnegative_form(w, rest, False, 0):
        return False
    return all(
        is_nonnegative_form(w, w.tidy(poly.add_polys(parts, w.budget)), False, depth - 1)
        for _, parts in groups.values()
    ) if depth > 0 else False  # fmt: skip


# --- known inequalities: what is not larger ---------------------------------------------------------------------------


def _function(atom: Scalar, name: str) -> Scalar | None:
    """The argument of a function atom."""
    if isinstance(atom, Entry) and isinstance(atom.array, Tensor):
        atom = open_tensor(atom.array, atom.indices)
    return atom.args[0] if isinstance(atom, Fn) and atom.name == name else None


def _logarithm(m: Monomial) -> tuple[Scalar, Monomial] | None:
    """The argument of a logarithm among the factors, and the other factors."""
    for k, (a, e) in enumerate(m):
        q = _function(a, "log") if e == 1 else None
        if q is not None:
            return q, m[:k] + m[k + 1 :]
    return None


def _tangents(w: Workshop, p: Poly) -> Iterator[Poly]:
    """-c log q >= -c (log t + q/t - 1) for c >= 0, inside sums too; t is 1 or what another logarithm is of."""
    at: list[Poly] = [poly.constant(1)]
    at += [w.poly(f[0]) for m, c in p.items() if c > 0 and (f := _logarithm(m)) is not None]
    for t in at:
        out, changed = [], False
        for m, c in p.items():
            new = _below(w, m, c, t)
            out.append({m: c} if new is None else new)
            changed = changed or new is not None
        if changed:
            yield w.tidy(poly.add_polys(out, w.budget))
    yield from _tangents_in_sums(w, p)


def _below(w: Workshop, m: Monomial, c: Fraction, t: Poly) -> Poly | None:
    found = _logarithm(m)
    if found is None:
        return None
    q, others = found
    if c > 0:
        return _below_entropy(w, w.poly(q), others, c, t)
    if others and not range_of(poly.term_node(others), w.facts).nonnegative:
        return None
    from_log = w.poly(_log_node(t)) if poly.constant_of(t) != 1 else {}
    ratio = w.times(w.poly(q), w.power(t, Fraction(-1)))
    line = w.add(from_log, ratio, poly.constant(-1))
    return poly.multiply({others: c}, line, w.budget)


def _below_entropy(w: Workshop, q: Poly, others: Monomial, c: Fraction, t: Poly) -> Poly | None:
    """c q log q >= c (q log t + q - t), for q log q is convex."""
    one = poly.single(q)
    if one is None or one[0] != 1 or len(one[1]) != 1:
        return None
    rest = poly.times(others, tuple((a, -e) for a, e in one[1]))
    if any(a is one[1][0][0] for a, _ in rest) or not range_of(poly.term_node(rest), w.facts).nonnegative:
        return None
    from_log = w.times(q, w.poly(_log_node(t))) if poly.constant_of(t) != 1 else {}
    return poly.multiply({rest: c}, w.add(from_log, q, poly.scale(t, Fraction(-1))), w.budget)


def _log_node(t: Poly) -> Scalar:
    return fn("log", poly.node_of(t))


def _tangents_in_sums(w: Workshop, p: Poly) -> Iterator[Poly]:
    for m, c in p.items():
        found = _single_sum(m)
        if found is None or not range_of(poly.term_node(found[1]), w.facts).nonnegative:
            continue
        node, others = found
        (old,) = node.indices
        index = fresh_index(old.size)
        body = w.poly(substitute(node.body, {old: index}))
        at: list[Poly] = [poly.constant(1)]
        for other, d in p.items():
            twin = _single_sum(other)
            if d > 0 and twin is not None and twin[0].indices[0].size is old.size:
                inner = w.poly(substitute(twin[0].body, {twin[0].indices[0]: index}))
                at += [w.poly(f[0]) for n, v in inner.items() if v > 0 and (f := _logarithm(n)) is not None]
            outer = _logarithm(other)
            if d > 0 and outer is not None:  # Jensen: at the mean
                mean = w.poly(outer[0])
                at += [w.times(mean, w.power(w.poly(old.size), Fraction(-1))), mean, w.power(mean, Fraction(-1))]
        for t in at:
            parts, changed = [], False
            for n, v in body.items():
                new = _below(w, n, c * v, t)
                parts.append({n: c * v} if new is None else new)
                changed = changed or new is not None
            if changed:
                inside = w.tidy(poly.add_polys(parts, w.budget))
                summed = poly.multiply({others: Fraction(1)}, w.sum(inside, [index]), w.budget)
                left = {n: v for n, v in p.items() if n != m}
                yield w.tidy(poly.add_polys([left, summed], w.budget))


def _exponentials(w: Workshop, p: Poly) -> Iterator[Poly]:
    """c exp(q) >= c (1 + q) for c >= 0."""
    out, changed = [], False
    for m, c in p.items():
        q = _function(m[0][0], "exp") if len(m) == 1 and c > 0 else None
        if q is None:
            out.append({m: c})
            continue
        line = poly.add_polys([poly.constant(1), poly.scale(w.poly(q), m[0][1])], w.budget)
        out.append(poly.scale(line, c))
        changed = True
    if changed:
        yield w.tidy(poly.add_polys(out, w.budget))


def _cauchy_schwarz(w: Workshop, p: Poly) -> Iterator[Poly]:
    """-c sum(f g)^2 >= -c sum(f^2) sum(g^2) for c >= 0."""
    for m, c in p.items():
        for k, (a, e) in enumerate(m):
            others = m[:k] + m[k + 1 :]
            if c > 0 or not isinstance(a, Sum) or e != 2 or len(a.indices) > 2:
                continue
            if not range_of(poly.term_node(others), w.facts).nonnegative:
                continue
            body, bound = open_sum(a)
            inner = poly.single(w.poly(body))
            if inner is None or len(inner[1]) > 5:
                continue
            shares = [(0, 1, 2) if w.nonnegative(poly.of_atom(b)) else (0, 2) for b, _ in inner[1]]
            for chosen in product(*shares):
                sums = []
                for side in (chosen, [2 - k for k in chosen]):
                    part = tuple((b, k * x) for k, (b, x) in zip(side, inner[1], strict=True) if k)
                    sums.append(w.sum({part: Fraction(1)}, bound))
                bounded = poly.scale(poly.multiply({others: c}, w.times(*sums), w.budget), inner[0] ** 2)
                left = {n: v for n, v in p.items() if n != m}
                yield w.tidy(poly.add_polys([left, bounded], w.budget))


def _definite(w: Workshop, p: Poly) -> Iterator[Poly]:
    """c x' S x >= 0 and -c logdet(S) >= -c (tr(S) - n) for c >= 0 and S spd."""
    for m, c in p.items():
        left = {n: v for n, v in p.items() if n != m}
        for k, (a, e) in enumerate(m):
            others = m[:k] + m[k + 1 :]
            if e != 1 or not range_of(poly.term_node(others), w.facts).nonnegative:
                continue
            if c > 0 and isinstance(a, Sum) and _is_quadratic_form(a):
                yield left
            array = a.array if isinstance(a, Entry) else None
            if c < 0 and isinstance(array, Operation) and array.name == "logdet":
                matrix = array.operands[0]
                if isinstance(matrix, Array) and matrix.rank == 2 and is_spd(matrix, w.facts):
                    i = fresh_index(matrix.shape[0])
                    trace = w.sum(w.poly(open_tensor(matrix, (i, i))), [i])
                    line = w.add(trace, poly.scale(w.poly(matrix.shape[0]), Fraction(-1)))
                    yield w.add(left, poly.multiply({others: c}, line, w.budget))


def _is_quadratic_form(node: Sum) -> bool:
    """sum[i, j](S[i, j]*f(i)*f(j)) with S psd."""
    if len(node.indices) != 2 or not isinstance(node.body, Mul):
        return False
    i, j = node.indices
    whole = [f for f in node.body.args if i in f.free and j in f.free]
    if len(whole) != 1 or not isinstance(whole[0], Entry) or set(whole[0].indices) != {i, j}:
        return False
    from_i = {substitute(f, {i: j}) for f in node.body.args if i in f.free and f is not whole[0]}
    from_j = {f for f in node.body.args if j in f.free and f is not whole[0]}
    free = any(i not in f.free and j not in f.free for f in node.body.args)
    array = whole[0].array
    known = is_spd(array) or (isinstance(array, Var) and array.domain == "psd")
    return bool(known) and from_i == from_j and not free


_LOWER: tuple[Callable[[Workshop, Poly], Iterator[Poly]], ...] = (
    _tangents, _exponentials, _cauchy_schwarz, _definite,
)  # fmt: skip
