"""The texts of the rows become nodes: read once over placeholders, then put at the parameters of a law."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from symgen.probability.families.infinite_ends import branches_of, end_of, settled
from symgen.tensor import build, formula
from symgen.tensor.build import Value
from symgen.tensor.expression import Array, Scalar, Var, entry, replace_arrays, var, where


def names_in(text: str) -> set[str]:
    """The words of a text."""
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split()).difference("0123456789")


def read_array(text: str, scope: Mapping[str, Array | Scalar | Value]) -> Array:
    """The array that a text means."""
    return formula.read(text, scope)


@lru_cache(maxsize=4096)
def _template(text: str, names: tuple[str, ...]) -> tuple[Scalar, tuple[Var, ...]]:
    places = tuple(var(n, (), "real", "placeholder", uid=-7) for n in names)
    value = formula.read_value(text, dict(zip(names, places, strict=True)))
    if value.rank:
        raise ValueError(f"`{text}` is not a scalar")
    return value.body, places


def scalar_text(text: str, scope: Mapping[str, Scalar]) -> Scalar:
    """The scalar that `text` means where its names stand for these scalars (with whatever free indices)."""
    cases = next((c for c in map(branches_of, scope.values()) if c is not None), None)
    if cases is not None:
        return where(cases[0], *(scalar_text(text, {n: _of_case(x, cases[0], k) for n, x in scope.items()}) for k in (1, 2)))
    body, places = _template(text, tuple(scope))
    ends = {p: sign for p, sign in zip(places, map(end_of, scope.values()), strict=True) if sign is not None}
    if ends:
        body = _at_infinity(text, tuple(scope), tuple(ends.items())) or body
    return replace_arrays(body, {p: _constant(s) for p, s in zip(places, scope.values(), strict=True)})  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def _at_infinity(text: str, names: tuple[str, ...], ends: tuple[tuple[Var, int], ...]) -> Scalar | None:
    return settled(_template(text, names)[0], dict(ends))


def _of_case(x: Scalar, condition: Scalar, which: int) -> Scalar:
    """What `x` is where the condition holds (1), or does not (2)."""
    cases = branches_of(x)
    return cases[which] if cases is not None and cases[0] is condition else x


class _constant:
    """A function of no index values: a scalar to stand in the place of an entry of a rank-0 array."""

    def __init__(self, scalar: Scalar) -> None:
        self.scalar = scalar

    def __call__(self) -> Scalar:
        return self.scalar


def value_text(text: str, scope: Mapping[str, Array | Scalar | Value]) -> Value:
    """The value of a text whose names stand for arrays; their bodies may have free indices (batch axes)."""
    return formula.read_value(text, scope)


def at_batch(array: Array, batch: tuple[Scalar, ...]) -> Value:
    """The array at these values of its leading axes, as a value over the other axes."""
    own = build.fresh(array.shape[len(batch) :])
    return Value(own, entry(array, *batch, *own))
