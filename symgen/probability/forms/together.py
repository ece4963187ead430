"""Scalars and vectors one after the other, as one vector, and the blocks of a matrix over them."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import ONE, Array, fresh_index, open_tensor, tensor
from symgen.text.diagnostics import CannotDerive


def as_axis(a: Array, k: int) -> Value:
    """`a` with an axis of length 1 put in at k."""
    own = [fresh_index(s) for s in a.shape]
    return Value((*own[:k], fresh_index(ONE), *own[k:]), open_tensor(a, own))


def one_vector(parts: Sequence[Array]) -> Array:
    if not any(a.rank for a in parts):
        return build.stack([build.of_array(a) for a in parts]).array()
    return build.concat([as_axis(a, 0) if not a.rank else build.of_array(a) for a in parts]).array()


def one_matrix(blocks: Sequence[Sequence[Array]], rows: Sequence[Array], columns: Sequence[Array]) -> Array:
    """The matrix of blocks: that of two scalars has no axis, that of a scalar and a vector one."""
    if not any(a.rank for a in (*rows, *columns)):
        return build.stack([build.stack([build.of_array(a) for a in line]) for line in blocks]).array()
    out = []
    for line, r in zip(blocks, rows, strict=True):
        parts = []
        for block, c in zip(line, columns, strict=True):
            a = block
            if not r.rank:
                v = as_axis(a, 0)
                a = tensor(v.indices, v.body)
            if not c.rank:
                v = as_axis(a, 1)
                a = tensor(v.indices, v.body)
            parts.append(build.of_array(a))
        out.append(build.concat(parts, 1))
    return build.concat(out, 0).array()


def refuse_matrices(parameters: Sequence[Array], what: str, where: str) -> None:
    if any(a.rank > 1 for a in parameters):
        raise CannotDerive(f"{what} of several parameters takes scalars and vectors: ask for matrices one by one", None, where)
