"""Regression of matrices: Y = X W + B with matrix normal noise and a matrix normal prior on W of the same column
covariance. Given Y, W is matrix normal, and so is Y with W integrated out. Gupta & Nagar (2000), 2.3; Bishop (2006), 2.3.3."""

from __future__ import annotations

from symgen.algebra.equality import agrees
from symgen.probability.families.texts import value_text
from symgen.probability.forms.collect import collected
from symgen.probability.laws.elimination import Question
from symgen.probability.laws.law import LAW, row_of
from symgen.tensor.expression import (
    ZERO,
    Array,
    Operator,
    Scalar,
    Var,
    delta,
    entry,
    fresh_index,
    mul,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    tensor,
    total,
    variables_of,
)  # fmt: skip

__all__ = ["law_of_matrices"]


def law_of_matrices(q: Question) -> Operator | None:
    """The law of W given Y, or of Y where W is not seen; None where the question is another."""
    if len(q.factors) != 2 or any(row is None or row.name != "MatrixNormal" for row in (row_of(f.law) for f in q.factors)):
        return None
    (z,) = q.targets
    first, second = q.factors
    if second.variables[0] in variables_of(first.law):
        first, second = second, first
    (w,), (y,) = first.variables, second.variables
    if w not in variables_of(second.law) or w in q.observed or w in q.values or first.law.rank != 2 or second.law.rank != 2:
        return None
    M, U, V = first.law.args
    mean, Q, noise = second.law.args
    parts = _linear(mean, w) if isinstance(mean, Array) and noise is V and w not in variables_of(Q) else None
    if parts is None:
        return None
    X, B = parts
    scope = {"M": M, "U": U, "Q": Q, "X": X, "B": B, "Y": q.values.get(y, y)}
    back = "X'" if _is_identity(Q) else "X' @ inv(Q)"
    shift = open_tensor(B, [fresh_index(n) for n in B.shape]) is not ZERO
    if z is w and y in q.observed:
        spread = f"inv(inv(U) + {back} @ X)"
        texts = {"U": spread, "M": f"{spread} @ (inv(U) @ M + {back} @ {'(Y - B)' if shift else 'Y'})"}
    elif z is y and w in q.hidden:
        texts = {"U": "Q + X @ U @ X'", "M": "X @ M + B" if shift else "X @ M"}
    else:
        return None
    made = {n: value_text(text, scope).array() for n, text in texts.items()}
    return operator("MatrixNormal", [made["M"], made["U"], V], z.shape, (LAW,))


def _is_identity(Q: Array) -> bool:
    i, j = (fresh_index(n) for n in Q.shape)
    return open_tensor(Q, (i, j)) is delta(i, j)


def _linear(mean: Array, w: Var) -> tuple[Array, Array] | None:
    """X and B with mean = X W + B."""
    i, j = (fresh_index(s) for s in mean.shape)
    a = fresh_index(w.shape[0])
    body = open_tensor(mean, (i, j))
    if j.size is not w.shape[1]:
        return None
    offset: Scalar = collected(replace_arrays(body, {w: lambda *_: ZERO}))
    slope: Scalar = collected(sub(replace_arrays(body, {w: lambda k, c: mul(delta(k, a), delta(c, j))}), offset))
    if j in slope.free or w in variables_of(slope):
        return None
    X, B = tensor((i, a), slope), tensor((i, j), offset)
    k = fresh_index(w.shape[0])
    again = tensor((i, j), total(mul(entry(X, i, k), entry(w, k, j)), [k]))
    left = tensor((i, j), sub(body, offset))
    return (X, B) if agrees(left, again) else None
