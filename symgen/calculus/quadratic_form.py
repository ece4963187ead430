"""Norms, quadratic forms, matrix fractions and functions of eigenvalues: how they bend (Boyd and Vandenberghe (2004), 3.1, 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgen.calculus.bend import AFFINE, CONCAVE, CONSTANT, CONVEX, OPPOSITE, UNKNOWN
from symgen.calculus.mirrored import is_kernel, mirrored
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    Add,
    Array,
    Entry,
    Fold,
    Index,
    Mul,
    Operation,
    Pow,
    Scalar,
    Sum,
    add,
    entry,
    mul,
    open_sum,
    power,
    size_product,
    var,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_psd, is_spd, is_symmetric, range_of
from symgen.tensor.matrix_facts import factors_below

if TYPE_CHECKING:
    from symgen.calculus.curvature import Curvature


__all__ = ["form", "is_geometric_mean", "is_norm", "is_spectrum", "of_matrix", "spread"]

MATRIX_FUNCTIONS = {"inv": CONVEX, "sqrtm": CONCAVE}  # of positive definite matrices (Bhatia (1997), V.2)


def spread(node: Scalar) -> list[Scalar]:
    """The terms of a sum of sums."""
    if isinstance(node, Add):
        return [t for a in node.args for t in spread(a)]
    return [node]


def is_norm(c: Curvature, node: Pow) -> bool:
    """(sum |f|^p)^(1/p), p >= 1, of affine f or of convex ones that are not negative; roots of quadratic forms."""
    e = node.exponent
    p = power(e, MINUS_ONE)
    size = range_of(p, c.facts)
    if size.low is None or size.low < 1 or c.moves(e):
        return False
    square = size.point == 2
    return all(is_term_of_norm(c, t, p, square) for t in spread(node.base))


def is_term_of_norm(c: Curvature, t: Scalar, p: Scalar, square: bool) -> bool:
    if not c.moves(t):
        return range_of(t, c.facts).nonnegative
    if square and is_quadratic(c, t):
        return True
    factors = list(t.args) if isinstance(t, Mul) else [t]
    moving = [f for f in factors if c.moves(f)]
    if len(moving) != 1 or not range_of(mul(*(f for f in factors if f is not moving[0])), c.facts).nonnegative:
        return False
    (f,) = moving
    if isinstance(f, Sum):
        body, _ = open_sum(f)
        return all(is_term_of_norm(c, s, p, square) for s in spread(body))
    base, exponent = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
    if exponent is not p:
        return False
    if square and c.of(base) == AFFINE:
        return True
    kind = c.of(base)
    return kind in (AFFINE, CONVEX) and range_of(base, c.facts).nonnegative


def is_part_of(c: Curvature, e: Scalar, many: Scalar) -> bool:
    """Whether many e <= 1."""
    return range_of(add(ONE, mul(MINUS_ONE, many, e)), c.facts).nonnegative


def is_geometric_mean(c: Curvature, node: Pow) -> bool:
    """prod(f)^e and det(S)^e, 0 < e <= 1/n."""
    body = node.base
    if isinstance(body, Entry) and isinstance(body.array, Operation) and body.array.name == "det":
        (a,) = body.array.operands
        affine = isinstance(a, Array) and c.array(a) == AFFINE and is_spd(a, c.facts)
        positive = range_of(node.exponent, c.facts).positive
        return bool(affine) and positive and isinstance(a, Array) and is_part_of(c, node.exponent, a.shape[-1])
    if not isinstance(body, Fold) or body.kind != "prod":
        return False
    many = size_product(body.indices)
    fits = is_part_of(c, node.exponent, many)
    fits = fits and range_of(node.exponent, c.facts).positive
    return fits and c.of(body.body) in (AFFINE, CONCAVE) and range_of(body.body, c.facts).nonnegative


def is_quadratic(c: Curvature, term: Scalar) -> bool:
    """Whether sum f(i) P(i, j) f(j), with P positive semidefinite and f affine, or 1/affine in a matrix fraction."""
    for seen in mirrored(term, {}, c.facts):
        pairs = [c.of(f) for f in seen.pairs]
        if pairs.count(AFFINE) != 1 or not set(pairs) <= {AFFINE, CONSTANT}:
            continue
        if any(c.moves(f) for f in seen.weights) or any(c.moves(f) for f, *_ in seen.across):
            continue
        if all(is_kernel(f, i, j, c.facts) for f, i, j in seen.across):
            return True
    return False


def form(c: Curvature, term: Scalar) -> str:
    """Quadratic forms, matrix fractions f' inv(S) f and tr(P inv(S)), sums over eigenvalues."""
    plain = is_quadratic(c, term)
    negative = mul(MINUS_ONE, term)
    if plain or is_quadratic(c, negative):
        return c.say(term, CONVEX if plain else CONCAVE, "a quadratic form, positive semidefinite")
    for shape in (CONVEX, CONCAVE):
        if is_matrix_fraction(c, term, shape):
            return c.say(term, shape, "a matrix fraction")
        if is_matrix_fraction(c, negative, shape):
            return c.say(term, OPPOSITE[shape], "a matrix fraction")
    if isinstance(term, Sum):
        return spectral(c, term)
    return UNKNOWN


def is_matrix_fraction(c: Curvature, term: Scalar, shape: str) -> bool:
    for seen in mirrored(term, {}, c.facts):
        moving = [f for f, *_ in seen.across if c.moves(f)]
        if len(moving) != 1 or any(c.moves(f) for f in seen.weights) or of_matrix(c, moving[0]) != shape:
            continue
        pairs = [c.of(f) for f in seen.pairs]
        if pairs.count(AFFINE) > (shape == CONVEX) or not set(pairs) <= {AFFINE, CONSTANT}:
            continue
        if all(c.moves(f) or is_kernel(f, i, j, c.facts) for f, i, j in seen.across):
            return True
    return False


def of_matrix(c: Curvature, f: Scalar) -> str:
    """The curvature of x' F(S) x for an entry of inv(S) or sqrtm(S), for an S that is affine and positive definite."""
    if not isinstance(f, Entry) or not isinstance(f.array, Operation) or f.array.name not in MATRIX_FUNCTIONS:
        return UNKNOWN
    (a,) = f.array.operands
    fits = isinstance(a, Array) and c.array(a) == AFFINE and is_spd(a, c.facts)
    return MATRIX_FUNCTIONS[f.array.name] if fits else UNKNOWN


def spectral(c: Curvature, term: Sum) -> str:
    """sum_i g(lambda_i) is convex where g is; tr expm(A) and tr A^k are such sums."""
    body, bound = open_sum(term)
    spectrum = [n for n in walk(body) if is_spectrum(c, n)] if len(bound) == 1 else []
    if len(spectrum) == 1 and isinstance(spectrum[0], Entry) and spectrum[0].indices[-1] is bound[0]:
        at = var("_lambda", (), "real", "placeholder", uid=22)
        rest = replace_scalars(body, {spectrum[0]: entry(at)})
        (a,) = spectrum[0].array.operands  # type: ignore[attr-defined]
        domain = "positive" if is_spd(a, c.facts) else "nonnegative" if is_psd(a, c.facts) else "real"
        at = var("_lambda", (), domain, "placeholder", uid=22)
        rest = replace_scalars(body, {spectrum[0]: entry(at)})
        if bound[0] not in rest.free and not c.moves(rest):
            kind = type(c)({at}, c.facts, c.quick).of(rest)
            return c.say(term, kind, "a symmetric function of eigenvalues") if kind != CONSTANT else UNKNOWN
    factors, indices = factors_below(term, squares=True)
    if len(factors) == 1 and len(indices) == 1 and isinstance(factors[0], Entry):
        array, at_ = factors[0].array, factors[0].indices
        if isinstance(array, Operation) and array.name == "expm" and at_[-1] is at_[-2]:
            (a,) = array.operands
            if isinstance(a, Array) and c.array(a) == AFFINE and is_symmetric(a):
                return c.say(term, CONVEX, "the trace of a convex function of a symmetric matrix")
    return UNKNOWN


def is_spectrum(c: Curvature, node: Scalar) -> bool:
    """Whether an entry of the eigenvalues of what is affine and symmetric."""
    if not isinstance(node, Entry) or not isinstance(node.array, Operation) or node.array.name != "eigvals":
        return False
    (a,) = node.array.operands
    return isinstance(a, Array) and c.array(a) == AFFINE and isinstance(node.indices[-1], Index)
