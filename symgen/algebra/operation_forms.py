"""Operations in the canonical form ▣: which have an index form, and what is known of inverses and determinants."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from symgen.algebra import polynomial as poly
from symgen.algebra.chains import base_of, chain_of, chain_product, product_form
from symgen.algebra.closed_forms import small_determinant
from symgen.algebra.polynomial import Monomial, Poly
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Array,
    Delta,
    Entry,
    Fn,
    Index,
    Mul,
    Num,
    Operation,
    Scalar,
    Var,
    add,
    axis,
    compare,
    delta,
    divide,
    entry,
    fn,
    fold,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    operation,
    power,
    sub,
    substitute,
    tensor,
    total,
    walk,
    where,
)
from symgen.tensor.facts import is_invertible

if TYPE_CHECKING:
    from symgen.algebra.canonical import Workshop

__all__ = ["open_operation"]


def open_operation(w: Workshop, array: Operation, indices: list[Scalar]) -> Poly:
    """The entry of an operation: in index form where it has one, else an atom over canonical operands."""
    if w.spelling and array.name in ("inv", "det", "logdet"):
        spelled = _spelled(array, indices)
        if spelled is not None:
            return w.poly(spelled)
    rule = _OPERATION_RULES.get(array.name)
    if rule is not None:
        opened = rule(w, array, indices)
        if opened is not None:
            return w.poly(opened)
    atom = w.tidied(entry(w.canonical_operation(array), *indices))
    return poly.of_atom(atom)


MAX_SPELLED = 3  # rows of a matrix whose determinant is written out


def _spelled(array: Operation, indices: list[Scalar]) -> Scalar | None:
    """A determinant in the entries of a small matrix, an inverse by its cofactors (Cramer)."""
    operand = array.operands[0]
    assert isinstance(operand, Array)
    size = operand.shape[-1]
    if operand.rank != 2 or not isinstance(size, Num) or size.rational is None or size.rational > MAX_SPELLED:
        return None
    n = int(size.rational)
    rows = [[open_tensor(operand, (num(i), num(j))) for j in range(n)] for i in range(n)]
    whole = small_determinant(rows)
    if array.name != "inv":
        return fn("log", fn("abs", whole)) if array.name == "logdet" else whole
    if not all(isinstance(s, Num) for s in indices):
        return None
    row, column = (int(s.rational) for s in indices if isinstance(s, Num) and s.rational is not None)
    minor = [[x for l, x in enumerate(r) if l != row] for k, r in enumerate(rows) if k != column]
    return divide(mul(num((-1) ** (row + column)), small_determinant(minor)), whole)


def _last(x: Array, front: Sequence[Scalar]) -> tuple[Scalar, Index]:
    """Entry of x on its last axis, with a fresh index there."""
    k = fresh_index(x.shape[-1])
    return open_tensor(x, [*front, k]), k


def _softmax(w: Workshop, array: Operation, indices: list[Scalar]) -> Scalar:
    x = array.operands[0]
    assert isinstance(x, Array)
    other, k = _last(x, indices[:-1])
    return divide(fn("exp", open_tensor(x, indices)), total(fn("exp", other), [k]))


def _log_softmax(w: Workshop, array: Operation, indices: list[Scalar]) -> Scalar:
    x = array.operands[0]
    assert isinstance(x, Array)
    other, k = _last(x, indices[:-1])
    return sub(open_tensor(x, indices), fn("log", total(fn("exp", other), [k])))


def _logsumexp(w: Workshop, array: Operation, indices: list[Scalar]) -> Scalar:
    x = array.operands[0]
    assert isinstance(x, Array)
    other, k = _last(x, indices)
    return fn("log", total(fn("exp", other), [k]))


def _cumsum(w: Workshop, array: Operation, indices: list[Scalar]) -> Scalar:
    x = array.operands[0]
    assert isinstance(x, Array)
    other, k = _last(x, indices[:-1])
    return total(mul(where(compare("<", indices[-1], k), ZERO, ONE), other), [k])


def _solve(w: Workshop, array: Operation, indices: list[Scalar]) -> Scalar:
    """solve(A, b) = inv(A) @ b."""
    a, b = array.operands
    assert isinstance(a, Array) and isinstance(b, Array)
    batch = a.rank - 2
    k = fresh_index(a.shape[-1])
    inverse = operation("inv", [a], a.shape)
    front, row, rest = indices[:batch], indices[batch], indices[batch + 1 :]
    return total(mul(entry(inverse, *front, row, k), open_tensor(b, [*front, k, *rest])), [k])


def _diagonal_of(w: Workshop, operand: Array) -> Scalar | None:
    """d(i) of a matrix with entries Delta(i, j) d(i)."""
    form = w.form(operand)
    i, j = axis(0, form.shape[0]), axis(1, form.shape[1])
    body = open_tensor(form, (i, j))
    factors = body.args if isinstance(body, Mul) else (body,)
    match = [f for f in factors if isinstance(f, Delta) and set(f.args) == {i, j}]
    if not match:
        return None
    return substitute(mul(*(f for f in factors if f is not match[0])), {j: i})  # type: ignore[no-any-return]


def _kronecker_factors(w: Workshop, operand: Array) -> tuple[Array, Array] | None:
    """A and B of a matrix with the entries A(i div p, j div p) B(i mod p, j mod p), both square: kron(A, B)."""
    form = w.form(operand)
    size = form.shape[0]
    i, j = axis(0, size), axis(1, size)
    body = open_tensor(form, (i, j))
    places = [x for x in walk(body) if isinstance(x, Fn) and x.name in ("div", "mod") and x.args[0] in (i, j)]
    widths = {x.args[1] for x in places}
    if len(widths) != 1:
        return None
    width = widths.pop()
    outer, inner = (fresh_index(divide(size, width)), fresh_index(divide(size, width))), (fresh_index(width), fresh_index(width))
    turned: dict[Scalar, Scalar] = {}
    for k, s in enumerate((i, j)):  # the row, the column
        turned |= {fn("div", s, width): outer[k], fn("mod", s, width): inner[k]}
    body = replace_scalars(body, turned)
    factors = list(body.args) if isinstance(body, Mul) else [body]
    left = [f for f in factors if not f.free.isdisjoint(outer)]
    right = [f for f in factors if f not in left]
    if {i, j} & body.free or any(not f.free.isdisjoint(inner) for f in left) or not left or not right:
        return None
    return tensor(outer, mul(*left)), tensor(inner, mul(*right))


def _inv(w: Workshop, array: Operation, indices: list[Scalar]) -> Scalar | None:
    """inv(c A @ B) = inv(B) @ inv(A)/c, inv(inv(A)) = A, inv(A') = inv(A)', inv of diagonal and orthogonal matrices."""
    operand = array.operands[0]
    assert isinstance(operand, Array)
    if operand.rank != 2:
        return None
    i, j = indices
    d = _diagonal_of(w, operand)
    if d is not None:
        return mul(delta(i, j), power(substitute(d, {axis(0, operand.shape[0]): i}), MINUS_ONE))
    pair = _kronecker_factors(w, operand)
    if pair is not None:
        a, b = pair
        parts = [
            entry(operation("inv", [x], x.shape), *(fn(f, s, b.shape[0]) for s in (i, j))) for x, f in ((a, "div"), (b, "mod"))
        ]
        w.used.setdefault("the factors of the product are invertible")
        return mul(*parts)
    product = product_form(w, operand)
    if product is None:
        return None
    c, chain = product
    if len(chain) == 1 and c is ONE:
        base, flipped = base_of(chain[0])
        if isinstance(base, Operation) and base.name == "expm" and isinstance(base.operands[0], Array):
            k, l = fresh_index(i.size), fresh_index(j.size)
            opposite = tensor((k, l), neg(open_tensor(base.operands[0], (k, l))))
            return entry(operation("expm", [opposite], base.shape), *((j, i) if flipped else (i, j)))
        if isinstance(base, Operation) and base.name == "inv" and isinstance(base.operands[0], Array):
            return open_tensor(base.operands[0], (j, i) if flipped else (i, j))
        if isinstance(base, Var) and base.domain == "orthogonal":
            return entry(base, *((i, j) if flipped else (j, i)))
        return entry(operation("inv", [base], base.shape), j, i) if flipped else None
    # all indices of the chain of inverses, from the last matrix to the first
    between = [fresh_index(operand.shape[0]) for _ in range(len(chain) - 1)]
    places = [i, *between, j]
    factors: list[Scalar] = []
    for at, m in enumerate(reversed(chain)):
        if len(chain) > 1:
            w.used.setdefault("the factors of the product are invertible")
        factors.append(entry(operation("inv", [m], m.shape), places[at], places[at + 1]))
    return mul(power(c, MINUS_ONE), total(mul(*factors), between))


def _determinant_lemma(w: Workshop, array: Operation, logarithm: bool) -> Scalar | None:
    """det(A + W) = det A det(I + inv(A) W); det(I + U V) = det(I + V U), the oldest of its turns; rank one in full."""
    operand = array.operands[0]
    assert isinstance(operand, Array)
    n = operand.shape[0]
    i, j = axis(0, n), axis(1, n)
    terms = w.matrix_terms(operand)
    if len(terms) != 2:
        return None
    for base, other in itertools.permutations(terms):
        if terms[base] != 1 or len(base) != 1 or base[0][1] != 1:
            continue
        atom = base[0][0]
        matrix: Array | None = None
        if not (isinstance(atom, Delta) and set(atom.args) == {i, j}):
            if not isinstance(atom, Entry) or set(atom.indices) != {i, j} or not is_invertible(atom.array):
                continue
            matrix = atom.array if atom.indices == (i, j) or w.is_symmetric(atom.array) else None
            if matrix is None:
                continue
        rest = _one_plus(w, array, matrix, other, num(terms[other]), i, j)
        if rest is None:
            continue
        if logarithm:
            rest = rest if isinstance(rest, Entry) else fn("log", fn("abs", rest))
        if matrix is None:
            return rest
        first = entry(operation(array.name, [matrix], ()))
        return add(first, rest) if logarithm else mul(first, rest)
    return None


def _one_plus(w: Workshop, array: Operation, matrix: Array | None, m: Monomial, c: Scalar, i: Index, j: Index) -> Scalar | None:
    """det(I + inv(matrix) c m), of the term m over (i, j); an entry where it is a determinant still."""
    inverse = None if matrix is None else operation("inv", [matrix], matrix.shape)
    found = chain_of(m, i, j)
    if found is not None:
        scalars, links = found
        links = links if inverse is None else [(inverse, False), *links]
        turned = [(a, not flipped) for a, flipped in reversed(links)]
        turns = [x[r:] + x[:r] for x in (links, turned) for r in range(len(links))]
        made = [w.form(_shifted_identity(chain_product(t), mul(c, poly.term_node(scalars)))) for t in turns]
        best = min(made, key=lambda a: a.serial)
        return None if best is w.form(array.operands[0]) else entry(operation(array.name, [best], ()))
    left = [f for f in m if i in f[0].free]
    right = [f for f in m if j in f[0].free]
    if any(f in right for f in left) or not left or not right:
        return None
    k = fresh_index(i.size)
    g, f = (substitute(poly.term_node(tuple(x)), {y: k}) for x, y in ((right, j), (left, i)))
    if inverse is not None:
        l = fresh_index(i.size)
        f = total(mul(entry(inverse, k, l), substitute(poly.term_node(tuple(left)), {i: l})), [l])
    scalars = tuple(x for x in m if x not in left and x not in right)
    return add(ONE, mul(c, poly.term_node(scalars), total(mul(g, f), [k])))


def _shifted_identity(product: Array, c: Scalar) -> Array:
    i, j = axis(0, product.shape[0]), axis(1, product.shape[0])
    return tensor((i, j), add(delta(i, j), mul(c, open_tensor(product, (i, j)))))


def _determinant(logarithm: bool) -> Callable[[Workshop, Operation, list[Scalar]], Scalar | None]:
    """det(c A @ B) = c^n det A det B, det A' = det A, det inv(A) = 1/det A; logdet likewise."""

    def rule(w: Workshop, array: Operation, indices: list[Scalar]) -> Scalar | None:
        operand = array.operands[0]
        assert isinstance(operand, Array)
        if operand.rank != 2:
            return None
        n = operand.shape[0]
        d = _diagonal_of(w, operand)
        if d is not None:
            i = axis(0, n)
            k = fresh_index(n)
            at = substitute(d, {i: k})
            return total(fn("log", fn("abs", at)), [k]) if logarithm else fold("prod", at, [k])
        pair = _kronecker_factors(w, operand)
        if pair is not None:  # det(kron(A, B)) = det(A)^q det(B)^p of p by p and q by q matrices
            x, y = (entry(operation(array.name, [m], ())) for m in pair)
            p, q = (m.shape[0] for m in pair)
            return add(mul(q, x), mul(p, y)) if logarithm else mul(power(x, q), power(y, p))
        product = product_form(w, operand)
        if product is None:
            return _determinant_lemma(w, array, logarithm)
        c, chain = product
        parts: list[Scalar] = []
        plain = len(chain) == 1 and c is ONE
        for m in chain:
            base, flipped = base_of(m)
            if isinstance(base, Operation) and base.name == "inv":
                inner = entry(operation(array.name, [base.operands[0]], ()))
                parts.append(neg(inner) if logarithm else power(inner, MINUS_ONE))
                continue
            if isinstance(base, Operation) and base.name == "expm" and isinstance(base.operands[0], Array):
                k = fresh_index(n)
                trace = total(open_tensor(base.operands[0], (k, k)), [k])
                parts.append(trace if logarithm else fn("exp", trace))
                continue
            if isinstance(base, Var) and base.domain == "lower":
                k = fresh_index(n)
                parts.append(total(fn("log", entry(base, k, k)), [k]) if logarithm else fold("prod", entry(base, k, k), [k]))
                continue
            if isinstance(base, Var) and base.domain == "orthogonal" and logarithm:
                continue
            if isinstance(base, Operation) and base.name == "cholesky":
                k = fresh_index(n)
                diagonal = fn("log", entry(base, k, k))
                parts.append(total(diagonal, [k]) if logarithm else fold("prod", entry(base, k, k), [k]))
                continue
            if plain and not flipped:
                return None
            parts.append(entry(operation(array.name, [base], ())))
        if logarithm:
            return add(mul(n, fn("log", fn("abs", c))), *parts)
        return mul(power(c, n), *parts)

    return rule


_OPERATION_RULES: dict[str, Callable[[Workshop, Operation, list[Scalar]], Scalar | None]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "cumsum": _cumsum,
    "solve": _solve,
    "inv": _inv,
    "det": _determinant(False),
    "logdet": _determinant(True),
}
