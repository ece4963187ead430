"""Index arguments: affine forms and whole numbers."""

from __future__ import annotations

from fractions import Fraction

from symgen.tensor.expression import ZERO, Add, Index, Mul, Num, Scalar, add, expand_size, mul

__all__ = ["affine", "integer_value"]


def affine(e: Scalar) -> tuple[Scalar, dict[Index, Scalar]] | None:
    """e = constant + sum of coefficient*index, the coefficients free of indices; None if it is not so."""
    constant: Scalar = ZERO
    out: dict[Index, Scalar] = {}
    e = expand_size(e)
    for t in e.args if isinstance(e, Add) else (e,):
        if not t.free:
            constant = add(constant, t)
            continue
        factors = t.args if isinstance(t, Mul) else (t,)
        indices = [f for f in factors if isinstance(f, Index)]
        others = [f for f in factors if not isinstance(f, Index)]
        if len(indices) != 1 or any(f.free for f in others):
            return None
        (i,) = indices
        out[i] = add(out.get(i, ZERO), mul(*others))
    return constant, out


def integer_value(e: Scalar) -> int | None:
    """The integer that `e` is, if it is a number."""
    if isinstance(e, Num) and isinstance(e.value, Fraction) and e.value.denominator == 1:
        return int(e.value)
    return None
