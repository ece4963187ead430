"""Matrices that are symmetric positive definite as they are declared or written."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.tensor.expression import Add, Entry, Index, Node, Num, Operation, Scalar, Tensor, Var, as_coefficient

__all__ = ["is_spd"]


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
