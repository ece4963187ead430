"""Inverses and determinants of matrices that are written out, two by two or with zeros on a side, by their entries."""

from __future__ import annotations

from collections.abc import Container

import sympy

from symgen.tensor import build
from symgen.tensor.expression import (
    MINUS_ONE,
    ZERO,
    Array,
    Delta,
    Num,
    Operation,
    Scalar,
    Tensor,
    fn,
    mul,
    neg,
    num,
    open_tensor,
    power,
    replace_arrays,
    sub,
    tensor,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_positive
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within

__all__ = ["with_small_matrices_opened"]

LARGEST = 4
LONGER = 8  # times, as long as it may become
SECONDS = 1.0
S = sympy


def with_small_matrices_opened(array: Array, names: Container[Array], facts: Facts | None) -> Array:
    """The array with `inv`, `det` and `logdet` of such matrices written out; a matrix that has a name keeps it."""
    is_written = False
    while True:
        places: dict[Array, Array] = {}
        for n in walk(array):
            if isinstance(n, Operation) and n.name in ("inv", "det", "logdet") and not places:
                made = _opened(n, names, facts)
                if made is not None:
                    places[n] = made
                    is_written |= not isinstance(n.operands[0], Operation)
        if not places:
            return _entry_by_entry(array) if is_written else array
        array = replace_arrays(array, places)


def _entry_by_entry(array: Array) -> Array:
    """A short vector, or a small matrix, as the list of its entries."""
    sizes = [int(s.value) if isinstance(s, Num) and not isinstance(s.value, str) else 0 for s in array.shape]
    if not all(1 <= n <= LARGEST for n in sizes) or len(sizes) > 2:
        return array
    if not sizes:
        return tensor((), _short(open_tensor(array, ())))
    if len(sizes) == 1:
        made = build.stack([build.scalar(_short(open_tensor(array, (num(i),)))) for i in range(sizes[0])]).array()
    else:
        made = _matrix([[_short(open_tensor(array, (num(i), num(j)))) for j in range(sizes[1])] for i in range(sizes[0])])
    return made if isinstance(array, Tensor) and made.weight <= LONGER * array.weight else array


def _short(s: Scalar) -> Scalar:
    """A quotient of polynomials in lowest terms, where that is shorter."""
    table = Table()
    found = within(SECONDS, lambda: S.factor(S.cancel(S.together(to_sympy(s, table)))))
    if found is None:
        return s
    try:
        made = from_sympy(found, table)
    except NotInSymPy:  # what SymPy made of it has no name here: zoo
        return s
    return made if made.weight <= s.weight else s


def _opened(op: Operation, names: Container[Array], facts: Facts | None) -> Array | None:
    (a,) = op.operands[:1]
    if op.name == "inv" and isinstance(a, Operation) and a.name == "inv" and a not in names:
        return a.operands[0] if isinstance(a.operands[0], Array) else None
    if not isinstance(a, Tensor) or a in names or op in names or a.rank != 2 or not any(isinstance(n, Delta) for n in walk(a.body)):
        return None
    sizes = [s.value if isinstance(s, Num) and not isinstance(s.value, str) else 0 for s in a.shape]
    n = int(sizes[0])
    if not 1 < n <= LARGEST or sizes[0] != sizes[1]:
        return None
    rows = [[open_tensor(a, (num(i), num(j))) for j in range(n)] for i in range(n)]
    lower = all(rows[i][j] is ZERO for i in range(n) for j in range(i + 1, n))
    upper = all(rows[i][j] is ZERO for i in range(n) for j in range(i))
    if n != 2 and not (lower or upper) or op.name == "inv" and n != 2 and not (lower and upper):
        return None
    diagonal = [rows[i][i] for i in range(n)]
    det = mul(*diagonal) if lower or upper else sub(mul(*diagonal), mul(rows[0][1], rows[1][0]))
    if det is ZERO:
        return None
    if op.name == "det":
        return tensor((), det)
    if op.name == "logdet":
        return tensor((), fn("log", det if is_positive(det, facts) else fn("abs", det)))
    if lower and upper:
        entries = [[power(rows[i][i], MINUS_ONE) if i == j else ZERO for j in range(n)] for i in range(n)]
    else:
        over = power(det, MINUS_ONE)
        (p, q), (r, s) = rows
        entries = [[mul(s, over), mul(neg(q), over)], [mul(neg(r), over), mul(p, over)]]
    return _matrix(entries)


def _matrix(entries: list[list[Scalar]]) -> Array:
    return build.stack([build.stack([build.scalar(x) for x in row]) for row in entries]).array()
