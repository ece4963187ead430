"""Matrices that are symmetric positive definite or triangular as they are declared or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symgen.tensor.expression import (
    TWO,
    Add,
    Array,
    Entry,
    Index,
    Node,
    Num,
    Operation,
    Scalar,
    Tensor,
    Var,
    as_coefficient,
    entry,
    fn,
    fresh_index,
    mul,
    operation,
    replace_arrays,
    tensor,
    total,
    walk,
)  # fmt: skip
from symgen.tensor.matrix_facts import cholesky_factor_of, is_cholesky_factor

__all__ = ["is_spd", "with_triangular_factors"]


def is_spd(x: Node) -> bool:
    """Whether a matrix is symmetric positive definite by declaration."""
    if isinstance(x, Var):
        return x.domain == "spd"
    if isinstance(x, Operation) and x.name == "inv":
        return is_spd(x.operands[0])
    if isinstance(x, Tensor) and isinstance(x.body, Add) and len(x.axes) == 2:
        return all(_is_spd_term(t, x.axes) for t in x.body.args)
    return False


def _is_spd_term(t: Scalar, axes: Sequence[Index]) -> bool:
    if isinstance(t, Num):
        return False
    c, base = as_coefficient(t)
    return c > 0 and isinstance(base, Entry) and tuple(base.indices) == tuple(axes) and is_spd(base.array)


def with_triangular_factors(outputs: Mapping[str, Array]) -> dict[str, Array]:
    """inv(L) of a lower triangular L by substitution, inv(L @ L') as inv(L)' @ inv(L), logdet(L @ L') by the diagonal of L:
    the errors are those of L, where the product has the square of its condition."""
    found: dict[Array, Any] = {}
    for n in walk(*outputs.values()):
        made: Any = None
        if isinstance(n, Operation) and n.name == "inv" and n.rank == 2:
            made = _triangular_inverse(n)
        elif isinstance(n, Operation) and n.name in ("logdet", "logdet_spd"):
            made = _log_of_diagonal(n)
        if made is not None:
            found[n] = made
    return {name: replace_arrays(a, found) for name, a in outputs.items()} if found else dict(outputs)


def _log_of_diagonal(n: Operation) -> Callable[[], Scalar] | None:
    (matrix,) = n.operands
    factor = cholesky_factor_of(matrix) if isinstance(matrix, Array) else None
    if factor is None:
        return None
    k = fresh_index(factor.shape[0])
    twice = mul(TWO, total(fn("log", entry(factor, k, k)), [k]))
    return lambda: twice


def _triangular_inverse(n: Operation) -> Array | None:
    (matrix,) = n.operands
    assert isinstance(matrix, Array)
    if is_cholesky_factor(matrix):
        return operation("inv_lower", (matrix,), n.shape)
    factor = cholesky_factor_of(matrix)
    if factor is None:
        return None
    root = operation("inv_lower", (factor,), factor.shape)
    i, j, k = (fresh_index(s) for s in (*n.shape, n.shape[0]))
    return tensor([i, j], total(mul(entry(root, k, i), entry(root, k, j)), [k]))
