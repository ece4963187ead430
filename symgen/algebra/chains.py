"""Products of matrices inside contractions: which factors form a chain from one index to another, and which of them
contract: inv(A) @ A = I, Q' @ Q = I, and (A + B) @ inv(A + B) = I read as a rule for its longest product.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgen.algebra.polynomial import Monomial, node_of
from symgen.tensor.expression import (
    Array,
    Entry,
    Index,
    Mul,
    Operation,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    axis,
    delta,
    entry,
    fresh_index,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    tensor,
    total,
)
from symgen.tensor.facts import is_invertible, is_orthogonal, is_spd

if TYPE_CHECKING:
    from symgen.algebra.canonical import Workshop

__all__ = ["Link", "base_of", "chain_of", "chain_product", "contract_pairs", "inverses", "product_form"]

Link = tuple[Array, bool]  # a matrix, and whether it stands transposed


def chain_of(m: Monomial, i: Index, j: Index) -> tuple[Monomial, list[Link]] | None:
    """The factors free of i and j, and matrices with m = c (M1 @ M2 @ ..)[i, j]; None where m is no such product."""
    rest: list[tuple[Scalar, Fraction]] = []
    factors: list[Scalar] = []
    count = 0
    for a, e in m:
        if i not in a.free and j not in a.free:
            rest.append((a, e))
        elif e != 1:
            return None
        elif isinstance(a, Sum) and not count:
            body, bound = open_sum(a)
            count = len(bound)
            factors += body.args if isinstance(body, Mul) else (body,)
        else:
            factors.append(a)
    links: list[Link] = []
    at: Scalar = i
    while factors:
        step = next((f for f in factors if isinstance(f, Entry) and len(f.indices) == 2 and at in f.indices), None)
        if step is None or step.indices[0] is step.indices[1]:
            return None
        factors.remove(step)
        flipped = step.indices[1] is at
        links.append((step.array, flipped))
        at = step.indices[0] if flipped else step.indices[1]
    return (tuple(rest), links) if at is j and links and len(links) == count + 1 else None


def chain_product(links: Sequence[Link]) -> Array:
    """M1 @ M2 @ .., an array."""
    sizes = [links[0][0].shape[1 if links[0][1] else 0]]
    sizes += [a.shape[0 if flipped else 1] for a, flipped in links]
    ends = axis(0, sizes[0]), axis(1, sizes[-1])
    places: list[Index] = [ends[0], *(fresh_index(s) for s in sizes[1:-1]), ends[1]]
    factors = [
        entry(a, places[k + 1], places[k]) if flipped else entry(a, places[k], places[k + 1])
        for k, (a, flipped) in enumerate(links)
    ]
    return tensor(ends, total(mul(*factors), places[1:-1]))


def _transpose(x: Array) -> Array:
    i, j = axis(0, x.shape[1]), axis(1, x.shape[0])
    return tensor((i, j), open_tensor(x, (j, i)))


def product_form(w: Workshop, operand: Array) -> tuple[Scalar, list[Array]] | None:
    """c and square matrices with operand = c M1 @ M2 @ ..; None where the form is no such product. Matrices that are not
    square stand together: W' @ (X' @ X) @ W."""
    form = w.form(operand)
    n = form.shape[0]
    i, j = axis(0, n), axis(1, n)
    body = open_tensor(form, (i, j))
    scalars: list[Scalar] = []
    factors: list[Scalar] = []
    bound: tuple[Index, ...] = ()
    for f in body.args if isinstance(body, Mul) else (body,):
        if not f.free:
            scalars.append(f)
        elif isinstance(f, Sum) and not bound:
            inner, fresh = open_sum(f)
            bound = tuple(fresh)
            factors += inner.args if isinstance(inner, Mul) else (inner,)
        else:
            factors.append(f)
    if bound and scalars == [] and all(x.size is not n for x in bound):
        return None
    chain: list[Array] = []
    group: list[Link] = []  # matrices that lead from a square place to the next
    at: Scalar = i
    left = list(factors)
    count = 0
    while left:
        step = next((f for f in left if isinstance(f, Entry) and len(f.indices) == 2 and at in f.indices), None)
        if step is None or step.indices[0] is step.indices[1]:
            return None
        left.remove(step)
        flipped = step.indices[1] is at
        group.append((step.array, flipped))
        count += 1
        at = step.indices[0] if flipped else step.indices[1]
        if at is not j and not (isinstance(at, Index) and at.size is n):
            continue
        if len(group) > 1:
            chain.append(chain_product(group))
        else:
            turn = flipped and not w.is_symmetric(step.array)  # else the inverse of S' is asked for that of S
            chain.append(_transpose(step.array) if turn else step.array)
        group = []
    if at is not j or group or count != len(bound) + 1:
        return None
    return mul(*scalars), chain


def base_of(array: Array) -> tuple[Array, bool]:
    """The matrix and whether it stands transposed."""
    if isinstance(array, Tensor) and isinstance(array.body, Entry) and array.rank == 2:
        if array.body.indices == (array.axes[1], array.axes[0]):
            return array.body.array, True
    return array, False


# --- pairs of factors in a contraction --------------------------------------------------------------------------------


def contract_pairs(w: Workshop, m: Monomial, bound: Sequence[Index]) -> Scalar | None:
    """The product with one pair of factors contracted: inv(A) @ A = I, Q' @ Q = I, L @ L' = A for L = cholesky(A).

    The index that the pair shares must stand in no other factor; it is then free in the result, and summed to its size
    there, which `delta` does not mention: the caller sums over the other indices.
    """
    entries = [(k, a) for k, (a, e) in enumerate(m) if e == 1 and isinstance(a, Entry) and len(a.indices) == 2]
    squares = [(k, a) for k, (a, e) in enumerate(m) if e == 2 and isinstance(a, Entry) and len(a.indices) == 2]
    for b in bound:
        using = [k for k, (a, _) in enumerate(m) if b in a.free]
        spectral = _spectral(m, using, b) if len(using) in (2, 3) else None
        if spectral is not None:
            rest = [power(a, num(e)) for k, (a, e) in enumerate(m) if k not in using]
            return mul(power(b.size, num(-1)), spectral, *rest)
        pair = [a for k, a in entries if k in using]
        if len(using) == 1 and squares and squares[0][0] in using:
            pair = [squares[0][1], squares[0][1]]
        elif len(using) != 2 or len(pair) != 2:
            continue
        found = _pair(w, pair[0], pair[1], b)
        if found is None:
            continue
        rest = [power(a, num(e)) for k, (a, e) in enumerate(m) if k not in using]
        # b is summed away: the caller's sum over b of something free of b would count its size
        return mul(power(b.size, num(-1)), found, *rest)
    return _contract_sum(w, m, bound)


def _spectral(m: Monomial, using: Sequence[int], b: Index) -> Scalar | None:
    """U @ diag(l) @ U' = S for the eigenvectors U and eigenvalues l of S; with 1/l it is inv(S)."""
    vectors: list[Entry] = []
    values: list[tuple[Entry, Fraction]] = []
    for k in using:
        a, e = m[k]
        name = a.array.name if isinstance(a, Entry) and isinstance(a.array, Operation) else ""
        if name not in ("eigvecs", "eigvals") or a.indices[-1] is not b or any(b in x.free for x in a.indices[:-1]):
            return None
        if name == "eigvals":
            values.append((a, e))
        elif e.denominator == 1 and e > 0:
            vectors += [a] * int(e)
    matrices = {x.array.args[0] for x in (*vectors, *(v for v, _ in values))}
    if len(vectors) != 2 or len(values) != 1 or len(matrices) != 1 or any(len(v.indices) != 2 for v in vectors):
        return None
    matrix, e = matrices.pop(), values[0][1]
    i, j = vectors[0].indices[0], vectors[1].indices[0]
    if e == 1:
        return open_tensor(matrix, (i, j))
    return entry(operation("inv", [matrix], matrix.shape), i, j) if e == -1 else None


def _pair(w: Workshop, x: Entry, y: Entry, b: Index) -> Scalar | None:
    if x.indices.count(b) != 1 or y.indices.count(b) != 1:
        return None
    px, py = x.indices.index(b), y.indices.index(b)
    i, j = x.indices[1 - px], y.indices[1 - py]
    if b in i.free or b in j.free:
        return None
    for u, v, pu, pv in ((x, y, px, py), (y, x, py, px)):
        inverse = u.array
        if isinstance(inverse, Operation) and inverse.name == "inv":
            inner = inverse.operands[0]
            same = inner is v.array or (isinstance(inner, Array) and base_of(inner)[0] is v.array)
            turned = isinstance(inner, Array) and base_of(inner)[1]
            symmetric = w.is_symmetric(v.array)
            if same and (symmetric or (pu != pv) != turned):
                if not is_invertible(v.array):
                    w.used.setdefault(f"{getattr(v.array, 'name', 'the matrix')} is invertible")
                return delta(i, j)
    if x.array is y.array and px == py:
        array = x.array
        if (isinstance(array, Var) and array.domain == "orthogonal") or (isinstance(array, Operation) and is_orthogonal(array)):
            return delta(i, j)
        if isinstance(array, Operation) and array.name == "cholesky" and px == 1 and isinstance(array.operands[0], Array):
            return open_tensor(array.operands[0], (i, j))
    if px != py and x.array is not y.array and _are_exponentials(x.array, y.array):
        first, second = (x, y) if px == 1 else (y, x)
        return _exponential_of_sum(w, first, second, i if first is x else j, j if first is x else i)
    root = x.array  # sqrtm(A) @ sqrtm(A) = A, however it is turned
    if x.array is y.array and isinstance(root, Operation) and root.name == "sqrtm":
        given = root.operands[0]
        if isinstance(given, Array) and is_spd(given):
            return open_tensor(given, (i, j))
    return None


def _are_exponentials(*arrays: Array) -> bool:
    return all(isinstance(a, Operation) and a.name == "expm" for a in arrays)


def _exponential_of_sum(w: Workshop, x: Entry, y: Entry, i: Scalar, j: Scalar) -> Scalar | None:
    """expm(s A) @ expm(t A) = expm((s + t) A)."""
    a, b = x.array.args[0], y.array.args[0]
    k, l = fresh_index(a.shape[0]), fresh_index(a.shape[1])
    p, q = (w.poly(open_tensor(m, (k, l))) for m in (a, b))
    lead = next(iter(p), None)
    if lead is None or q.keys() != p.keys():
        return None
    ratio = q[lead] / p[lead]
    if any(q[m] != ratio * c for m, c in p.items()):
        return None
    if ratio == -1:
        return delta(i, j)
    both = tensor((k, l), mul(num(1 + ratio), node_of(p)))
    return entry(operation("expm", [both], both.shape), i, j)


# --- the inverse of a sum ---------------------------------------------------------------------------------------------


def inverses(w: Workshop, atoms: Sequence[Scalar]) -> list[Array]:
    """The matrices of which inverses stand among the factors: the sums A + B + .. before the others."""
    sums: dict[Array, None] = {}
    others: dict[Array, None] = {}
    for a in atoms:
        inner = list(a.body.args if isinstance(a.body, Mul) else (a.body,)) if isinstance(a, Sum) else [a]
        for f in inner:
            array = f.array if isinstance(f, Entry) else None
            if isinstance(array, Operation) and array.name == "inv" and isinstance(array.operands[0], Array):
                if array.rank == 2:
                    (sums if len(w.matrix_terms(array.operands[0])) > 1 else others)[array.operands[0]] = None
    return [*sums, *others] if sums else []


def _contract_sum(w: Workshop, m: Monomial, bound: Sequence[Index]) -> Scalar | None:
    """L @ inv(L + R) = I - R @ inv(L + R), with L the longest product among the terms of the sum."""
    for k, (z, e) in enumerate(m):
        if e != 1 or not isinstance(z, Entry) or len(z.indices) != 2 or not isinstance(z.array, Operation):
            continue
        matrix = z.array.operands[0]
        if z.array.name != "inv" or not isinstance(matrix, Array) or z.indices[0] is z.indices[1]:
            continue
        lead = w.leading_product(matrix)
        if lead is None:
            continue
        c, links, rest = lead
        for side in (0, 1):
            b, other = z.indices[side], z.indices[1 - side]
            chain = links if side else [(a, not flipped) for a, flipped in reversed(links)]
            walked = _walk(w, m, k, b, chain, bound)
            if walked is None:
                continue
            used, at, gone = walked
            if at in z.free and at is not other:
                continue
            inner = fresh_index(matrix.shape[0])
            turned = (at, inner) if side == 0 else (inner, at)
            left = total(mul(open_tensor(rest, turned), entry(z.array, *((inner, other) if side == 0 else (other, inner)))),
                         [inner])  # fmt: skip
            value = mul(power(c, num(-1)), add(delta(at, other), neg(left)))
            others = [power(a, num(x)) for j, (a, x) in enumerate(m) if j not in used and j != k]
            w.used.setdefault("what is inverted is invertible")
            return mul(*(power(i.size, num(-1)) for i in gone), value, *others)
    return None


def _walk(
    w: Workshop, m: Monomial, start: int, b: Scalar, chain: Sequence[Link], bound: Sequence[Index]
) -> tuple[list[int], Scalar, list[Index]] | None:
    """The factors that form the chain from b on, the index at its end, and the indices that it uses up."""
    used: list[int] = []
    gone: list[Index] = []
    at = b
    for array, flipped in chain:
        if not isinstance(at, Index) or at not in bound:
            return None
        holding = [k for k, (a, _) in enumerate(m) if at in a.free and k not in used and k != start]
        if len(holding) != 1 or sum(at in a.free for a, _ in m) != 2:
            return None
        a, e = m[holding[0]]
        if e != 1 or not isinstance(a, Entry) or a.array is not array or len(a.indices) != 2:
            return None
        slot = a.indices.index(at) if at in a.indices else -1
        if slot < 0 or a.indices[0] is a.indices[1] or (slot != int(flipped) and not w.is_symmetric(array)):
            return None
        used.append(holding[0])
        gone.append(at)
        at = a.indices[1 - slot]
    return used, at, gone
