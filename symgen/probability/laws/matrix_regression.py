"""Regression of matrices: Y = X W + B with matrix normal noise and a matrix normal prior on W of the same column
covariance. Given Y, W is matrix normal, and so is Y with W integrated out. Gupta & Nagar (2000), 2.3; Bishop (2006), 2.3.3.

Entries that are drawn apart, and rows that are, are matrix normal too: the entries of W are not apart given X W.
"""

from __future__ import annotations

from symgen.algebra.equality import agrees
from symgen.probability.families.texts import value_text
from symgen.probability.forms.collect import collected
from symgen.probability.forms.scaled import apart, squared, unscaled
from symgen.probability.forms.terms import opened
from symgen.probability.forms.walks import constants_opened
from symgen.probability.laws.elimination import Question
from symgen.probability.laws.joint import Factor, full_law
from symgen.probability.laws.law import LAW, row_of
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Entry,
    Operator,
    Scalar,
    Var,
    delta,
    entry,
    fresh_index,
    mul,
    open_tensor,
    operation,
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
    if len(q.factors) != 2 or any(len(f.variables) != 1 or f.variables[0].rank != 2 for f in q.factors):
        return None
    (z,) = q.targets
    first, second = q.factors
    if second.variables[0] in variables_of(first.law):
        first, second = second, first
    (w,), (y,) = first.variables, second.variables
    if w not in variables_of(second.law) or w in q.observed or w in q.values:
        return None
    prior, likelihood = _by_matrices(first.law, w), _by_matrices(second.law, y)
    if prior is None or likelihood is None:
        return None
    M, U, V = prior
    mean, Q, noise = likelihood
    is_shared = noise.shape == V.shape and agrees(noise, V)
    parts = _linear(mean, w) if is_shared and w not in variables_of(Q) else None
    if parts is None or not _is_matrix_normal(first, second) and _is_diagonal(parts[0]):
        return None
    X, B = parts
    scope = {"M": M, "U": U, "Q": Q, "X": X, "B": B, "Y": q.values.get(y, y)}
    back = "X'" if _is_identity(Q) else "X' @ inv(Q)"
    shift = open_tensor(B, [fresh_index(n) for n in B.shape]) is not ZERO
    if z is w and y in q.observed:
        scope["S"] = operation("inv", (_made(f"inv(U) + {back} @ X", scope),), U.shape)
        scope["pull"] = _made(f"inv(U) @ M + {back} @ {'(Y - B)' if shift else 'Y'}", scope)
        spread, mean = _made("S", scope), _made("S @ pull", scope)
    elif z is y and w in q.hidden:
        spread, mean = _made("Q + X @ U @ X'", scope), _made("X @ M + B" if shift else "X @ M", scope)
    else:
        return None
    return operator("MatrixNormal", [mean, spread, V], z.shape, (LAW,))


def _made(text: str, scope: dict[str, Array]) -> Array:
    """What a text says, with inverses of multiples as those of the matrices, and without what is 0."""
    made = value_text(text, scope).array()
    axes = [fresh_index(n) for n in made.shape]
    body = collected(opened(unscaled(open_tensor(made, axes)), lambda n: bool(n.args) or isinstance(n, Entry)))
    return tensor(axes, body)


def _is_matrix_normal(*factors: Factor) -> bool:
    return all((row := row_of(f.law)) is not None and row.name == "MatrixNormal" for f in factors)


def _by_matrices(law: Array, v: Var) -> tuple[Array, Array, Array] | None:
    """The mean and the covariances of rows and of columns of a matrix that is normal: as said, of entries drawn apart
    with a scale for each row or each column, of rows drawn apart."""
    row = row_of(law)
    if row is None or row.name not in ("MatrixNormal", "Normal", "MvNormal"):
        return None
    whole = full_law(law, v.shape)
    assert isinstance(whole, Operator)
    mean, spread, *rest = (a for a in whole.args if isinstance(a, Array))
    if row.name == "MatrixNormal":
        return (mean, spread, rest[0]) if law.rank == 2 else None
    i, k, j, m = (fresh_index(n) for n in (v.shape[0], v.shape[0], v.shape[1], v.shape[1]))
    if row.name == "MvNormal":
        matrix = open_tensor(spread, (i, j, m) if spread.rank == 3 else (j, m))
        return None if i in matrix.free else (mean, tensor((i, k), delta(i, k)), tensor((j, m), matrix))
    variance = squared(constants_opened(open_tensor(spread, (i, j))))
    if {i, j} <= variance.free:
        return None
    by_row, by_column = (ONE, variance) if j in variance.free else (variance, ONE)
    return mean, tensor((i, k), mul(by_row, delta(i, k))), tensor((j, m), mul(by_column, delta(j, m)))


def _is_identity(Q: Array) -> bool:
    i, j = (fresh_index(n) for n in Q.shape)
    return open_tensor(Q, (i, j)) is delta(i, j)


def _is_diagonal(X: Array) -> bool:
    i, j = (fresh_index(n) for n in X.shape)
    return apart(open_tensor(X, (i, j)), i, j) is not None


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
