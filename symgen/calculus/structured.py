"""Gradients within a set: what the free gradient E becomes where the variable is symmetric, orthogonal, on the simplex.

The gradient within a linear set is the projection of E onto it; within the orthogonal matrices and the simplex onto the
tangent space. `tied` gives the partial derivatives by the free entries instead, Petersen and Pedersen (2012), eq. 138.
"""

from __future__ import annotations

from symgen.algebra.collect import symmetric_entries
from symgen.derivation.context import Context
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    ONE,
    ZERO,
    Add,
    Array,
    Delta,
    Entry,
    Index,
    Mul,
    Operation,
    Scalar,
    Var,
    add,
    as_coefficient,
    axis,
    compare,
    delta,
    divide,
    entry,
    fresh_index,
    mul,
    neg,
    num,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    var,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_diagonal, is_lower, is_symmetric
from symgen.text.diagnostics import CannotDerive

REASONS = {
    "symmetric": "(E + E')/2: the gradient within the symmetric matrices",
    "diagonal": "the diagonal of E: the gradient within the diagonal matrices",
    "lower": "the lower triangle of E: the gradient within the lower triangular matrices",
    "skew": "(E - E')/2: the gradient within the skew-symmetric matrices",
    "orthogonal": "E - X (X'E + E'X)/2: the part of E that is tangent to the orthogonal matrices",
    "simplex": "E less its mean: the part of E that is tangent to the simplex",
}
KINDS = {
    "symmetric": "symmetric", "spd": "symmetric", "psd": "symmetric", "diagonal": "diagonal", "lower": "lower",
    "skew": "skew", "orthogonal": "orthogonal", "simplex": "simplex",
}  # fmt: skip


def within_set(body: Scalar, x: Var, ctx: Context, form: str | None = None) -> Scalar:
    """The gradient by `x` within its domain, from the free gradient `body` over the axes of `x`.

    `form` is None (within the set), "free" or "tied".
    """
    kind = KINDS.get(x.domain)
    if form not in (None, "free", "tied"):
        raise CannotDerive(f"`form={form}` is not known: a gradient is `free` or `tied`", x)
    if kind is None or form == "free" or body is ZERO:
        return body
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    if form == "tied":
        made, reason = _tied(body, x, kind), "the partial derivatives by the free entries"
    elif kind == "simplex":
        j = fresh_index(axes[-1].size)
        # what is equal for all entries of a row is its own mean
        varies = add(*(t for t in (body.args if type(body) is Add else (body,)) if axes[-1] in t.free))
        mean = divide(total(substitute(varies, {axes[-1]: j}), [j]), j.size)
        made, reason = sub(varies, mean), REASONS[kind]
    else:
        i, j = axes[-2], axes[-1]
        flipped = substitute(body, {i: j, j: i}) if i.size is j.size else body
        if kind == "symmetric":
            alike = flipped is body or (body.free.issubset(axes) and is_symmetric(tensor(axes, body)))
            made = body if alike else mul(HALF, add(symmetric_entries(body), symmetric_entries(flipped)))
        elif kind == "skew":
            there = {entry(x, *axes[:-2], j, i): neg(entry(x, *axes))}
            made = replace_scalars(mul(HALF, sub(body, flipped)), there)
        elif kind == "diagonal":
            made = add(*(_on_diagonal(t, i, j) for t in _terms(body)))
        elif kind == "lower":
            made = _below_diagonal(body, i, j)
        else:
            made = _tangent_to_orthogonal(body, x)
        reason = REASONS[kind]
    if made is not body:
        ctx.trace.condition(f"{ctx.name_of(x) or x.name} is {x.domain}, and the gradient shown is {reason}")
    return made


def why_within(x: Var, ctx: Context, form: str | None) -> str:
    """The reason of the step from the free gradient to the one that is shown."""
    said = "the partial derivatives by the free entries" if form == "tied" else REASONS[KINDS[x.domain]]
    return f"{ctx.name_of(x) or x.name} is {x.domain}: {said}"


def _terms(body: Scalar) -> tuple[Scalar, ...]:
    return body.args if type(body) is Add else (body,)


def _on_diagonal(term: Scalar, i: Index, j: Index) -> Scalar:
    """Delta(i, j) term(i, i); a diagonal matrix as it is."""
    factors = list(term.args) if type(term) is Mul else [term]
    varying = [f for f in factors if not f.free.isdisjoint((i, j))]
    if len(varying) == 1 and type(varying[0]) is Entry and varying[0].indices[-2:] in ((i, j), (j, i)):
        if is_diagonal(varying[0].array):
            *front, _, _ = varying[0].indices
            return mul(*(f for f in factors if f is not varying[0]), entry(varying[0].array, *front, i, j))
    return mul(delta(i, j), substitute(term, {j: i}))


def _below_diagonal(body: Scalar, i: Index, j: Index) -> Scalar:
    """What stands on and below the diagonal: of a lower triangular matrix all, of its transpose the diagonal."""
    apart: list[Scalar] = []
    cut: list[Scalar] = []
    for term in _terms(body):
        factors = list(term.args) if type(term) is Mul else [term]
        triangle = [f for f in factors if type(f) is Entry and set(f.indices[-2:]) == {i, j} and is_lower(f.array)]
        if any(type(f) is Delta and f.free == {i, j} for f in factors) or any(f.indices[-2:] == (i, j) for f in triangle):
            apart.append(term)
        elif triangle:
            apart.append(mul(delta(i, j), *(_at_diagonal(f, i) if f in triangle else substitute(f, {j: i}) for f in factors)))
        else:
            cut.append(term)
    if cut:
        scale, inside = as_coefficient(add(*cut))
        apart.append(mul(num(scale), where(compare("<=", j, i), inside, ZERO)))
    return add(*apart)


def _at_diagonal(f: Entry, i: Index) -> Scalar:
    """The diagonal of a triangular matrix, that of an inverse by that of the matrix."""
    *front, _, _ = f.indices
    array = f.array
    if isinstance(array, Operation) and array.name == "inv" and isinstance(array.operands[0], Array):
        return divide(ONE, entry(array.operands[0], *front, i, i))
    return entry(array, *front, i, i)


def _tied(body: Scalar, x: Var, kind: str) -> Scalar:
    i, j = axis(x.rank - 2, x.shape[-2]), axis(x.rank - 1, x.shape[-1])
    if kind in ("diagonal", "lower"):
        if kind == "diagonal":
            return add(*(_on_diagonal(t, i, j) for t in _terms(body)))
        return _below_diagonal(body, i, j)
    if kind not in ("symmetric", "skew"):
        raise CannotDerive(f"`form=tied` is for symmetric and skew matrices; `{x.name}` is {x.domain}", x)
    flipped = substitute(body, {i: j, j: i})
    if kind == "skew":
        return sub(body, flipped)
    return add(body, flipped, neg(mul(delta(i, j), substitute(body, {j: i}))))


def by_free_entries(f: Array, x: Var, result: Array) -> tuple[Array, Var, Array]:
    """What the tied form says: f over the free entries v of x alone, v, and its gradient by v, which `result` gives on
    and below the diagonal."""
    v = var(f"_{x.name}", x.shape, "real", "placeholder", uid=14)
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    *batch, i, j = axes
    here, there = entry(v, *axes), entry(v, *batch, j, i)
    kind = KINDS[x.domain]
    below, shown = compare("<=", j, i), entry(result, *axes)
    if kind == "symmetric":
        made = where(below, here, there)
    elif kind == "skew":
        below = compare("<", j, i)
        made = where(below, here, where(compare("<", i, j), neg(there), ZERO))
    elif kind == "diagonal":
        below = compare("==", i, j)
        made = mul(delta(i, j), here)
    else:
        made = where(below, here, ZERO)
    matrix = tensor(axes, made)
    claim = tensor(axes, where(below, shown, ZERO))
    return replace_arrays(f, {x: matrix}), v, replace_arrays(claim, {x: matrix})


def _tangent_to_orthogonal(body: Scalar, x: Var) -> Scalar:
    """E - X (X'E + E'X)/2 over axes (i, j)."""
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    if body.free.issubset(axes):
        body = entry(tensor(axes, body), *axes)
    batch = [axis(k, s) for k, s in enumerate(x.shape[:-2])]
    i, j = axes[-2:]

    def at(row: Scalar, column: Scalar) -> Scalar:
        return substitute(body, {i: row, j: column})  # type: ignore[no-any-return]

    k, c = fresh_index(j.size), fresh_index(i.size)
    inner = (mul(entry(x, *batch, c, k), at(c, j)), mul(at(c, k), entry(x, *batch, c, j)))
    return sub(body, mul(HALF, add(*(total(mul(entry(x, *batch, i, k), t), [k, c]) for t in inner))))
