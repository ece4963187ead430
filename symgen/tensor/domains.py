"""The domains of variables ▣: who belongs to them, how points of them are drawn, which directions stay within them.

A domain holds for each entry, or, where `structure` is 1 or 2, for the last axis or the last two. Points are dyadic (or
exact fractions), so that floats and balls start from the same numbers; entries are unequal and none is 0 or 1 where the
domain leaves a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np

__all__ = ["DOMAINS", "Domain", "domain"]

Generator = np.random.Generator
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Domain:
    """A set that a variable lives in.

    `contains(x, args)` says whether a float array belongs to it; `sample(rng, shape, scale, args)` draws a point, wider
    with `scale` 0, 1, 2; `simple(shape, turn, args)` gives a readable point for a counterexample. `tangent` projects a
    free gradient `G` at `X` on the directions within the set (a text of the language, None: all directions), `project`
    is the same in NumPy. `low`, `high` bound the entries, `open` says that neither bound is taken; `integer` entries
    are whole numbers. `discrete` variables have no gradient.
    """

    name: str
    contains: Callable[[Any, Sequence[int]], bool]
    sample: Callable[[Generator, Shape, int, Sequence[int]], Any]
    simple: Callable[[Shape, int, Sequence[int]], Any]
    latex: str
    says: str
    structure: int = 0
    tangent: str | None = None
    project: Callable[[Any, Any], Any] | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    open: bool = True
    integer: bool = False
    discrete: bool = False
    facts: tuple[str, ...] = ()


# --- drawing ----------------------------------------------------------------------------------------------------------


def _magnitude(rng: Generator, shape: Shape, scale: int) -> Any:
    """Positive dyadic numbers with 6 bits after the point at least: most near 1, with `scale` some far off; all are
    small where it is negative."""
    body = rng.integers(20, 160, size=shape) / 64.0
    body = np.where(body == 1.0, 1.046875, body)
    if scale <= 0:
        return body * 2.0 ** (4 * scale)
    shift = rng.choice([-1, 0, 0, 1, 2], size=shape) if scale == 1 else rng.choice([-9, -4, 0, 2, 5, 8], size=shape)
    return body * np.exp2(shift)


def _real(rng: Generator, shape: Shape, scale: int, args: Sequence[int]) -> Any:
    return _magnitude(rng, shape, scale) * rng.choice([-1.0, 1.0], size=shape)


def _positive(rng: Generator, shape: Shape, scale: int, args: Sequence[int]) -> Any:
    return _magnitude(rng, shape, scale)


def _unit(rng: Generator, shape: Shape, scale: int, args: Sequence[int]) -> Any:
    near = rng.integers(9, 120, size=shape) / 128.0
    near = np.where(near == 0.5, 0.515625, near)
    if scale < 2:
        return near
    edge = np.exp2(-rng.integers(4, 12, size=shape).astype(float))
    side = rng.integers(0, 3, size=shape)
    return np.where(side == 0, edge, np.where(side == 1, 1.0 - edge, near))


def _whole(low: int, high: int, wide: int) -> Callable[[Generator, Shape, int, Sequence[int]], Any]:
    def draw(rng: Generator, shape: Shape, scale: int, args: Sequence[int]) -> Any:
        top = high if scale < 2 else wide
        bottom = low if scale < 2 or low >= 0 else -wide
        return rng.integers(bottom, top + 1, size=shape).astype(float)

    return draw


def _label(rng: Generator, shape: Shape, scale: int, args: Sequence[int]) -> Any:
    return rng.integers(0, args[0] if args else 4, size=shape).astype(float)


def _onehot(rng: Generator, shape: Shape, scale: int, args: Sequence[int]) -> Any:
    return np.eye(shape[-1])[rng.integers(0, shape[-1], size=shape[:-1])]


def _simplex(rng: Generator, shape: Shape, scale: int, args: Sequence[int]) -> Any:
    """Multiples of 1/1024 that add up to 1."""
    n, total = shape[-1], 1024
    out = np.empty(shape)
    for at in np.ndindex(*shape[:-1]):
        cuts = np.sort(rng.choice(np.arange(1, total // 8), size=n - 1, replace=False)) * 8 if n > 1 else np.empty(0)
        out[at] = np.diff(np.concatenate([[0], cuts, [total]])) / total
    return out


def _matrix(make: Callable[[Generator, int, int], Any]) -> Callable[[Generator, Shape, int, Sequence[int]], Any]:
    def draw(rng: Generator, shape: Shape, scale: int, args: Sequence[int]) -> Any:
        rows = [make(rng, shape[-1], scale) for _ in np.ndindex(*shape[:-2])]
        return np.array(rows).reshape(shape)

    return draw


def _free(rng: Generator, n: int, scale: int) -> Any:
    return _real(rng, (n, n), min(scale, 1), ())


def _draw_symmetric(rng: Generator, n: int, scale: int) -> Any:
    a = np.triu(_free(rng, n, scale))
    return a + np.triu(a, 1).T


def _draw_lower(rng: Generator, n: int, scale: int) -> Any:
    return np.tril(_free(rng, n, scale) / 2, -1) + np.diag(_positive(rng, (n,), min(scale, 1), ()))


def _draw_spd(rng: Generator, n: int, scale: int) -> Any:
    root = _draw_lower(rng, n, scale)
    return root @ root.T


def _draw_psd(rng: Generator, n: int, scale: int) -> Any:
    root = _draw_lower(rng, n, scale)
    if n > 1 and rng.integers(0, 2):
        root[:, -1] = 0.0
    return root @ root.T


def _draw_orthogonal(rng: Generator, n: int, scale: int) -> Any:
    """(I - K)^-1 (I + K) for a skew K, in exact fractions."""
    k = [[Fraction(0)] * n for _ in range(n)]
    for i in range(n):
        for j in range(i):
            k[i][j] = Fraction(int(rng.integers(1, 5)) * int(rng.choice([-1, 1])), 4)
            k[j][i] = -k[i][j]
    return cayley(k, bool(rng.integers(0, 2)))


def cayley(k: list[list[Fraction]], reflect: bool) -> Any:
    """The orthogonal matrix (I - K)^-1 (I + K) of a skew K; `reflect` turns the sign of its last column."""
    n = len(k)
    left = [[Fraction(int(i == j)) - k[i][j] for j in range(n)] for i in range(n)]
    right = [[Fraction(int(i == j)) + k[i][j] for j in range(n)] for i in range(n)]
    for c in range(n):
        pivot = next(r for r in range(c, n) if left[r][c])
        left[c], left[pivot], right[c], right[pivot] = left[pivot], left[c], right[pivot], right[c]
        scale = left[c][c]
        left[c], right[c] = [v / scale for v in left[c]], [v / scale for v in right[c]]
        for r in range(n):
            if r != c and left[r][c]:
                f = left[r][c]
                left[r] = [a - f * b for a, b in zip(left[r], left[c], strict=True)]
                right[r] = [a - f * b for a, b in zip(right[r], right[c], strict=True)]
    out = np.empty((n, n), dtype=object)
    for i in range(n):
        for j in range(n):
            out[i, j] = -right[i][j] if reflect and j == n - 1 else right[i][j]
    return out


# --- readable points --------------------------------------------------------------------------------------------------


def _cycle(*numbers: float) -> Callable[[Shape, int, Sequence[int]], Any]:
    """The numbers one after the other, from number `turn` on."""

    def fill(shape: Shape, turn: int, args: Sequence[int]) -> Any:
        count = int(np.prod(shape, dtype=int))
        return np.array([numbers[(turn + k) % len(numbers)] for k in range(count)], dtype=float).reshape(shape)

    return fill


_REALS = _cycle(0.5, -1.0, 2.0, -0.5, 3.0, 1.5, -2.0, 0.25)
_POSITIVES = _cycle(2.0, 0.5, 3.0, 1.5, 0.25, 4.0)


def _simple_label(shape: Shape, turn: int, args: Sequence[int]) -> Any:
    k = args[0] if args else 3
    count = int(np.prod(shape, dtype=int))
    return np.array([(turn + 1 + i) % k for i in range(count)], dtype=float).reshape(shape)


def _simple_onehot(shape: Shape, turn: int, args: Sequence[int]) -> Any:
    rows = _simple_label(shape[:-1], turn, (shape[-1],)).astype(int)
    return np.eye(shape[-1])[rows]


def _simple_simplex(shape: Shape, turn: int, args: Sequence[int]) -> Any:
    n = shape[-1]
    base = np.array([*(0.5 ** (k + 2) for k in range(n - 1)), 0.0])
    base[-1] = 1.0 - base.sum()
    rows = [np.roll(base, turn + r) for r in range(int(np.prod(shape[:-1], dtype=int)))]
    return np.array(rows).reshape(shape)


def _simple_matrix(make: Callable[[int, int], Any]) -> Callable[[Shape, int, Sequence[int]], Any]:
    def fill(shape: Shape, turn: int, args: Sequence[int]) -> Any:
        rows = [make(shape[-1], turn + r) for r in range(int(np.prod(shape[:-2], dtype=int)))]
        return np.array(rows).reshape(shape)

    return fill


def _simple_symmetric(n: int, turn: int) -> Any:
    a = _REALS((n, n), turn, ())
    return np.triu(a) + np.triu(a, 1).T


def _simple_lower(n: int, turn: int) -> Any:
    return np.tril(_cycle(1.0, -1.0, 2.0)((n, n), turn, ()), -1) + np.diag(_cycle(2.0, 1.0, 3.0)((n,), turn, ()))


def _simple_spd(n: int, turn: int) -> Any:
    root = np.tril(np.ones((n, n)), -1) + np.diag(_cycle(1.0, 2.0, 1.0)((n,), turn, ()))
    return root @ root.T if n > 1 else np.array([[2.0 + turn % 3]])


def _simple_orthogonal(n: int, turn: int) -> Any:
    if n == 1:
        return np.array([[-1.0 if turn % 2 == 0 else 1.0]])
    if n == 2:
        c, s = Fraction(3, 5), Fraction(4, 5)
        return np.array([[c, -s], [s, c]], dtype=object)
    order = list(permutations(range(n)))[(turn + 3) % max(1, min(6, n))]
    return np.eye(n)[list(order)]


# --- membership -------------------------------------------------------------------------------------------------------


def _close(a: Any, b: Any) -> bool:
    return bool(np.allclose(a, b, rtol=1e-8, atol=1e-10))


def _t(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _is_integer(x: Any) -> bool:
    return bool(np.all(x == np.rint(x)))


def _is_simplex(x: Any, args: Sequence[int]) -> bool:
    return bool(np.all(x >= 0)) and bool(np.allclose(x.sum(axis=-1), 1.0, atol=1e-6))


def _is_onehot(x: Any, args: Sequence[int]) -> bool:
    return bool(np.all((x == 0) | (x == 1))) and bool(np.all(x.sum(axis=-1) == 1))


def _least_eigenvalue(x: Any) -> float:
    return float(np.min(np.linalg.eigvalsh(x), initial=np.inf))


def _is_symmetric(x: Any, args: Sequence[int]) -> bool:
    return _close(x, _t(x))


def _is_spd(x: Any, args: Sequence[int]) -> bool:
    return _close(x, _t(x)) and _least_eigenvalue(x) > 0


def _is_psd(x: Any, args: Sequence[int]) -> bool:
    return _close(x, _t(x)) and _least_eigenvalue(x) >= -1e-9 * (1 + float(np.max(np.abs(x), initial=0.0)))


def _is_diagonal(x: Any, args: Sequence[int]) -> bool:
    return bool(np.all(np.where(np.eye(x.shape[-1], dtype=bool), 0.0, x) == 0))


def _is_orthogonal(x: Any, args: Sequence[int]) -> bool:
    return bool(np.allclose(_t(x) @ x, np.eye(x.shape[-1]), atol=1e-6))


def _is_lower(x: Any, args: Sequence[int]) -> bool:
    return bool(np.all(np.triu(x, 1) == 0)) and bool(np.all(np.diagonal(x, axis1=-2, axis2=-1) > 0))


# --- directions -------------------------------------------------------------------------------------------------------


def _project_symmetric(x: Any, g: Any) -> Any:
    return (g + _t(g)) / 2


def _project_skew(x: Any, g: Any) -> Any:
    return (g - _t(g)) / 2


def _project_diagonal(x: Any, g: Any) -> Any:
    return g * np.eye(g.shape[-1])


def _project_orthogonal(x: Any, g: Any) -> Any:
    return (g - x @ _t(g) @ x) / 2


def _project_simplex(x: Any, g: Any) -> Any:
    return g - g.mean(axis=-1, keepdims=True)


ZERO, ONE = Fraction(0), Fraction(1)
SYMMETRIC = "(G + G')/2"

_ROWS = (
    Domain("real", lambda x, a: True, _real, _REALS, r"\mathbb{{R}}^{{{shape}}}", "any real number"),
    Domain("positive", lambda x, a: bool(np.all(x > 0)), _positive, _POSITIVES,
           r"\mathbb{{R}}_{{>0}}^{{{shape}}}", "a positive number", low=ZERO),
    Domain("nonnegative", lambda x, a: bool(np.all(x >= 0)), _positive, _POSITIVES,
           r"\mathbb{{R}}_{{\ge 0}}^{{{shape}}}", "a nonnegative number", low=ZERO, open=False),
    Domain("unit", lambda x, a: bool(np.all((x > 0) & (x < 1))), _unit, _cycle(0.25, 0.5, 0.75, 0.125),
           r"(0, 1)^{{{shape}}}", "a number strictly between 0 and 1", low=ZERO, high=ONE),
    Domain("integer", lambda x, a: _is_integer(x), _whole(-5, 5, 12), _cycle(2.0, -1.0, 3.0, -2.0),
           r"\mathbb{{Z}}^{{{shape}}}", "an integer", integer=True, discrete=True),
    Domain("natural", lambda x, a: _is_integer(x) and bool(np.all(x >= 0)), _whole(0, 7, 13),
           _cycle(2.0, 1.0, 3.0, 0.0), r"\mathbb{{N}}_0^{{{shape}}}", "a natural number or 0",
           low=ZERO, open=False, integer=True, discrete=True),
    Domain("binary", lambda x, a: bool(np.all((x == 0) | (x == 1))), _whole(0, 1, 1), _cycle(1.0, 0.0),
           r"\{{0, 1\}}^{{{shape}}}", "0 or 1", low=ZERO, high=ONE, open=False, integer=True, discrete=True),
    Domain("label", lambda x, a: _is_integer(x) and bool(np.all((x >= 0) & (x < (a[0] if a else np.inf)))), _label,
           _simple_label, r"\{{0, \dots, {args} - 1\}}^{{{shape}}}", "a label 0, 1, ..",
           low=ZERO, open=False, integer=True, discrete=True),
    Domain("onehot", _is_onehot, _onehot, _simple_onehot, r"\{{e_1, \dots, e_{{{last}}}\}}^{{{rest}}}",
           "a one-hot vector", structure=1, low=ZERO, high=ONE, open=False, integer=True, discrete=True),
    Domain("simplex", _is_simplex, _simplex, _simple_simplex, r"(\Delta^{{{last} - 1}})^{{{rest}}}",
           "a probability vector", structure=1, tangent="G - mean(G, axis=-1, keepdims=True)",
           project=_project_simplex, low=ZERO, high=ONE, open=False),
    Domain("symmetric", _is_symmetric, _matrix(_draw_symmetric), _simple_matrix(_simple_symmetric),
           r"\mathbb{{S}}^{{{last}}}", "a symmetric matrix", structure=2, tangent=SYMMETRIC,
           project=_project_symmetric, facts=("symmetric",)),
    Domain("spd", _is_spd, _matrix(_draw_spd), _simple_matrix(_simple_spd), r"\mathbb{{S}}_{{++}}^{{{last}}}",
           "a symmetric positive definite matrix", structure=2, tangent=SYMMETRIC, project=_project_symmetric,
           facts=("symmetric", "psd", "spd", "invertible")),
    Domain("psd", _is_psd, _matrix(_draw_psd), _simple_matrix(_simple_spd), r"\mathbb{{S}}_{{+}}^{{{last}}}",
           "a symmetric positive semidefinite matrix", structure=2, tangent=SYMMETRIC, project=_project_symmetric,
           facts=("symmetric", "psd")),
    Domain("diagonal", _is_diagonal, _matrix(lambda r, n, s: np.diag(_real(r, (n,), min(s, 1), ()))),
           _simple_matrix(lambda n, turn: np.diag(_REALS((n,), turn, ()))), r"\mathbb{{D}}^{{{last}}}",
           "a diagonal matrix", structure=2, tangent="diag(diagonal(G))", project=_project_diagonal,
           facts=("symmetric", "diagonal")),
    Domain("orthogonal", _is_orthogonal, _matrix(_draw_orthogonal), _simple_matrix(_simple_orthogonal),
           r"\mathrm{{O}}({last})", "an orthogonal matrix", structure=2, tangent="(G - X @ G' @ X)/2",
           project=_project_orthogonal, facts=("orthogonal", "invertible"), low=-ONE, high=ONE, open=False),
    Domain("lower", _is_lower, _matrix(_draw_lower), _simple_matrix(_simple_lower), r"\mathbb{{L}}_{{+}}^{{{last}}}",
           "a lower triangular matrix with positive diagonal", structure=2, tangent="tril(G)",
           project=lambda x, g: np.tril(g), facts=("lower", "invertible")),
    Domain("skew", lambda x, a: _close(x, -_t(x)),
           _matrix(lambda r, n, s: (lambda a: np.tril(a, -1) - np.tril(a, -1).T)(_free(r, n, s))),
           _simple_matrix(lambda n, turn: (lambda a: np.tril(a, -1) - np.tril(a, -1).T)(_REALS((n, n), turn, ()))),
           r"\mathfrak{{so}}({last})", "a skew-symmetric matrix", structure=2, tangent="(G - G')/2",
           project=_project_skew, facts=("skew",)),
)  # fmt: skip
DOMAINS: dict[str, Domain] = {row.name: row for row in _ROWS}


def domain(name: str) -> Domain:
    """The row of a domain."""
    return DOMAINS[name]
