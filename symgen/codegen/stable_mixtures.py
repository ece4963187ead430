"""Determinants of mixtures of two matrices, beside those of the two: power integrals of normal and Wishart laws."""

from __future__ import annotations

from itertools import combinations

from symgen.codegen.stable_differences import factors_of
from symgen.codegen.stable_matrices import is_spd
from symgen.codegen.stable_pool import multiplied_out, short
from symgen.tensor.expression import (
    MINUS_ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Operation,
    Scalar,
    Tensor,
    add,
    entry,
    mul,
    operation,
    tensor,
)  # fmt: skip

__all__ = ["mixed_determinants"]


def mixed_determinants(n: Scalar) -> tuple[Scalar, Scalar] | None:
    """k logdet(c A + (1 - c) B) - k c logdet(A) - k (1 - c) logdet(B) as one function of A, B and c, and the rest of the sum:
    what else stands with the determinants of A and B must be a multiple of log(det A/det B)."""
    logs: dict[Array, Scalar] = {}
    rest: list[Scalar] = []
    for t in multiplied_out(n):
        inside = [f for f in factors_of(t) if _is_determinant(f)]
        if len(inside) == 1:
            matrix = inside[0].array.operands[0]
            logs[matrix] = add(logs.get(matrix, ZERO), mul(*(f for f in factors_of(t) if f is not inside[0])))
        else:
            rest.append(t)
    for mixture, k in logs.items():
        for (a, c), (b, d) in combinations(_parts(mixture).items(), 2) if len(_parts(mixture)) == 2 else ():
            if a not in logs or b not in logs or short(add(c, d, MINUS_ONE)) is not ZERO:
                continue
            left, right = short(add(logs[a], mul(k, c))), short(add(logs[b], mul(k, d)))
            if short(add(left, right)) is not ZERO:
                continue
            both = mul(k, entry(operation("mixed_logdet_remainder", (a, b, tensor((), c)), ())))
            ratio = mul(left, entry(operation("logdet_ratio", (a, b), ())))
            others = (mul(logs[m], entry(operation("logdet_spd", (m,), ()))) for m in logs if m not in (mixture, a, b))
            return add(both, ratio), add(*rest, *others)
    return None


def _is_determinant(f: Scalar) -> bool:
    return isinstance(f, Entry) and not f.indices and isinstance(f.array, Operation) and f.array.name in ("logdet", "logdet_spd")


def _parts(matrix: Array) -> dict[Array, Scalar]:
    """c and d with the matrix c A + d B of spd matrices A and B."""
    found: dict[Array, Scalar] = {}
    if isinstance(matrix, Tensor) and matrix.rank == 2 and isinstance(matrix.body, Add):
        for t in matrix.body.args:
            inside = [f for f in factors_of(t) if f.free]
            if len(inside) != 1 or not isinstance(inside[0], Entry) or inside[0].indices != matrix.axes:
                return {}
            if not is_spd(inside[0].array):
                return {}
            found[inside[0].array] = mul(*(f for f in factors_of(t) if f is not inside[0]))
    return found
