"""The words for how a function bends, and how they combine."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["AFFINE", "CONCAVE", "CONSTANT", "CONVEX", "OPPOSITE", "UNKNOWN", "composed", "summed"]

CONSTANT, AFFINE, CONVEX, CONCAVE, UNKNOWN = "constant", "affine", "convex", "concave", "unknown"
OPPOSITE = {CONVEX: CONCAVE, CONCAVE: CONVEX}


def composed(shape: str, slope: int, inner: str) -> str:
    """The curvature of g(h) for a g of a curvature and a slope of one sign (0: of both)."""
    if inner == CONSTANT:
        return CONSTANT
    if inner == AFFINE:
        return shape
    if slope > 0 and (inner == shape or shape == AFFINE):
        return inner
    if slope < 0 and (inner == OPPOSITE.get(shape) or shape == AFFINE):
        return OPPOSITE.get(inner, inner)
    return UNKNOWN


def summed(kinds: Collection[str]) -> str:
    rest = set(kinds) - {CONSTANT}
    if not rest:
        return CONSTANT
    if UNKNOWN in rest or {CONVEX, CONCAVE} <= rest:
        return UNKNOWN
    return (rest - {AFFINE} or {AFFINE}).pop()
