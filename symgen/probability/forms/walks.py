"""A walk over a scalar that opens what is constant."""

from __future__ import annotations

from symgen.tensor.bottom_up import bottom_up
from symgen.tensor.expression import Delta, Entry, Scalar, Tensor, open_tensor

__all__ = ["bottom_up", "constants_opened"]


def constants_opened(root: Scalar) -> Scalar:
    """Entries of arrays that are the same everywhere, and of identity matrices, as what they are: zeros(n)[i] = 0."""

    def rule(n: Scalar) -> Scalar:
        if not (isinstance(n, Entry) and isinstance(n.array, Tensor)):
            return n
        body = n.array.body
        if isinstance(body, Delta):
            return open_tensor(n.array, n.indices)
        return n if body.free else constants_opened(body)

    return bottom_up(root, rule)
