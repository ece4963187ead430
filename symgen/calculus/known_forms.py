"""Inverses and determinants that are known before anything is differentiated: of diagonal matrices, of scaled ones, of
Kronecker products, of Cholesky factors. det(s A) = s^n det(A), inv(diag(u)) = diag(1/u).

They are put in only where no value that the author named would lose its name. Petersen and Pedersen (2012), 3.1, 10.2.
"""

from __future__ import annotations

from collections.abc import Callable

from symgen.calculus.reverse import program_of
from symgen.derivation.context import Context
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    ONE,
    Array,
    Delta,
    Entry,
    Fn,
    Fold,
    Index,
    Mul,
    Node,
    Operation,
    Scalar,
    Sum,
    Tensor,
    add,
    arrays_below,
    axis,
    delta,
    divide,
    entry,
    expand_size,
    fn,
    fold,
    fresh_index,
    mul,
    open_sum,
    open_tensor,
    operation,
    power,
    replace_arrays,
    substitute,
    tensor,
    total,
)  # fmt: skip
from symgen.tensor.facts import is_symmetric

__all__ = ["with_known_forms"]

MATRIX = frozenset(["inv", "det", "logdet"])
SPECTRA = frozenset(["cholesky", "eigvals"])
MOST_PARTS = 400  # arrays of a program that is looked through


def with_known_forms(f: Array, ctx: Context) -> Array:
    """`f` with what is known put in; `f` itself where nothing is."""
    program = program_of(f)
    if len(program) > MOST_PARTS or not any(isinstance(a, Operation) and a.name in MATRIX | SPECTRA for a in program):
        return f
    known: dict[Array, Array | Callable[..., Scalar]] = {}
    touched: set[Array] = set()  # that are made from what is put in
    for array in program:
        if any(a in touched for a in arrays_below(array)):
            touched.add(array)
        if ctx.name_of(array) is not None and array is not f:
            if array in touched:
                return f
            continue
        form = _matrix_form(array, ctx) if isinstance(array, Operation) else _spectral_form(array, ctx)
        if form is not None:
            known[array] = form
            touched.add(array)
    if not known:
        return f
    own = known.get(f)
    found: Array = own if isinstance(own, Array) else replace_arrays(f, known)
    name = ctx.name_of(f)
    if name is not None and found is not f:
        ctx.trace.names.setdefault(found, name)
    return found


def _matrix_form(array: Operation, ctx: Context) -> Array | None:
    operand = array.operands[0] if array.name in MATRIX else None
    if not isinstance(operand, Tensor) or operand.rank != 2 or ctx.name_of(operand) is not None:
        return None
    own = [axis(0, operand.shape[0]), axis(1, operand.shape[1])]
    i, j = own
    factors = list(operand.body.args) if isinstance(operand.body, Mul) else [operand.body]
    kronecker = _kronecker(factors, i, j)
    if kronecker is not None:
        return _of_kronecker(array.name, *kronecker, i, j)
    cores = [f for f in factors if f.free == {i, j}]
    if len(cores) != 1 or len(factors) == 1 and not isinstance(cores[0], Delta):
        return None
    (core,) = cores
    scale = mul(*(f for f in factors if not f.free))
    rows = mul(*(f for f in factors if f.free == {i}))
    columns = mul(*(f for f in factors if f.free == {j}))
    if any(f.free - {i, j} for f in factors):
        return None
    if isinstance(core, Delta) and set(core.args) == {i, j}:
        matrix: Callable[[str], Scalar] | None = None
    elif isinstance(core, Entry) and set(core.indices) == {i, j} and len(core.indices) == 2:
        matrix = _inside(core, i, j)
    else:
        return None
    n = operand.shape[0]
    if array.name == "inv":
        turned = {i: j, j: i}
        rest = divide(ONE, mul(scale, substitute(rows, turned), substitute(columns, turned)))
        return tensor(own, mul(matrix("inv") if matrix is not None else delta(i, j), rest))
    diagonal = substitute(mul(rows, columns), {j: i})
    along = fresh_index(n)
    diagonal = substitute(diagonal, {i: along})
    if array.name == "det":
        parts = [power(scale, n), fold("prod", diagonal, [along]) if diagonal is not ONE else ONE]
        return tensor((), mul(*parts, matrix("det") if matrix is not None else ONE))
    logs = [total(fn("log", fn("abs", x)), [along]) for x in _factors(diagonal) if x is not ONE]
    logs += [mul(n, fn("log", fn("abs", x))) for x in _factors(scale) if x is not ONE]
    if matrix is not None:
        logs.append(matrix("logdet"))
    return tensor((), add(*logs))


def _inside(core: Entry, i: Index, j: Index) -> Callable[[str], Scalar]:
    """The operations on the matrix that is scaled; of A' too."""
    straight = core.indices == (i, j)

    def of(name: str) -> Scalar:
        if name == "inv":
            made = operation("inv", (core.array,), core.array.shape)
            return entry(made, i, j) if straight else entry(made, j, i)
        return entry(operation(name, (core.array,), ()))

    return of


def _kronecker(factors: list[Scalar], i: Index, j: Index) -> tuple[Array, Array, Scalar] | None:
    """A, B, c of c*kron(A, B), both square."""
    entries = [f for f in factors if isinstance(f, Entry) and f.free]
    rest = [f for f in factors if f not in entries]
    if len(entries) != 2 or any(f.free for f in rest):
        return None
    for a, b in (entries, entries[::-1]):
        if len(a.indices) != 2 or len(b.indices) != 2:
            continue
        n, p = a.array.shape[0], b.array.shape[0]
        if n is not a.array.shape[1] or p is not b.array.shape[1]:
            continue
        if expand_size(mul(n, p)) is not expand_size(i.size):
            continue
        if a.indices == (fn("div", i, p), fn("div", j, p)) and b.indices == (fn("mod", i, p), fn("mod", j, p)):
            return a.array, b.array, mul(*rest)
    return None


def _of_kronecker(name: str, a: Array, b: Array, scale: Scalar, i: Index, j: Index) -> Array:
    n, p = a.shape[0], b.shape[0]
    if name == "inv":
        left = entry(operation("inv", (a,), a.shape), fn("div", i, p), fn("div", j, p))
        right = entry(operation("inv", (b,), b.shape), fn("mod", i, p), fn("mod", j, p))
        return tensor((i, j), divide(mul(left, right), scale))
    left, right = (entry(operation(name, (x,), ())) for x in (a, b))
    if name == "det":
        return tensor((), mul(power(scale, mul(n, p)), power(left, p), power(right, n)))
    scaled = [] if scale is ONE else [mul(n, p, fn("log", fn("abs", scale)))]
    return tensor((), add(*scaled, mul(p, left), mul(n, right)))


def _spectral_form(array: Array, ctx: Context) -> Array | None:
    """sum(log(diagonal(cholesky(S)))) = logdet(S)/2, the product of that diagonal det(S)^(1/2), that of eigenvalues det(S)."""
    if not isinstance(array, Tensor):
        return None
    found: dict[Scalar, Scalar] = {}
    stack: list[Node] = [array.body]
    while stack:
        node = stack.pop()
        stack += [a for a in node.args if a.is_scalar_node]  # the arrays below have their turn
        if isinstance(node, Sum | Fold) and len(node.indices) == 1:
            body, (k,) = open_sum(node)
            form = _over_spectrum(node, body, k, ctx)
            if form is not None:
                found[node] = form
    return tensor(array.axes, replace_scalars(array.body, found)) if found else None


def _over_spectrum(node: Sum | Fold, body: Scalar, k: Index, ctx: Context) -> Scalar | None:
    product = isinstance(node, Fold)
    if isinstance(node, Fold) and node.kind != "prod":
        return None
    if not product:
        if not isinstance(body, Fn) or body.name != "log":
            return None
        body = body.args[0]
    while isinstance(body, Entry) and isinstance(body.array, Tensor) and ctx.name_of(body.array) is None:
        opened = open_tensor(body.array, body.indices)
        if not isinstance(opened, Entry):
            return None
        body = opened
    if not isinstance(body, Entry) or not isinstance(body.array, Operation) or ctx.name_of(body.array) is not None:
        return None
    of = body.array.operands[0]
    if not isinstance(of, Array) or of.rank != 2:
        return None
    if body.array.name == "cholesky" and body.indices == (k, k):
        if product:
            return power(entry(operation("det", (of,), ())), HALF)
        return mul(HALF, entry(operation("logdet", (of,), ())))
    if body.array.name == "eigvals" and body.indices == (k,) and product and is_symmetric(of):
        return entry(operation("det", (of,), ()))
    return None


def _factors(x: Scalar) -> tuple[Scalar, ...]:
    return tuple(x.args) if isinstance(x, Mul) else (x,)
