"""Fields of records inside expressions: equilibrium(g).value, posterior(p, z, given=x).a.

A field that is a number or an array of them may stand wherever an expression stands; one that is a text, a truth value or
an equation may not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from symgen.games.records import Equation, as_dict
from symgen.tensor import build
from symgen.tensor.expression import Array, Entry, Operator, Scalar, Tensor, replace_arrays, tensor
from symgen.tensor.sympy_bridge import Closed, NotInSymPy, from_sympy

__all__ = ["RECORDS", "NoField", "part_of", "record_operator", "reduce_part"]


class NoField(Exception):
    """Why a record has no such field, or why it is no value; `names` are those that it has."""

    def __init__(self, message: str, names: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message, self.names = message, tuple(names)


RECORDS = frozenset((
    "best_response", "equilibrium", "stability", "posterior", "moment_match", "convex", "joint_optimum", "gradients",
))  # fmt: skip


def record_operator(array: Array) -> Operator | None:
    """The operator that gives a record, as which an expression was read."""
    if isinstance(array, Tensor) and not array.rank and isinstance(array.body, Entry) and not array.body.indices:
        array = array.body.array
    return array if isinstance(array, Operator) and array.name in RECORDS else None


def field_of(record: Any, path: Sequence[str]) -> Any:
    """The field at a path of names: `strategies.theta`. What one of the dicts of a record holds may be named alone."""
    value = record
    for name in path:
        known = entries_of(value)
        if name not in known and is_dataclass(value):
            inside = [v[name] for v in known.values() if isinstance(v, Mapping) and name in v]
            if len(inside) == 1:
                value = inside[0]
                continue
        if name not in known:
            raise NoField(f"there is no field `{name}`", list(known))
        value = known[name]
    return value


def entries_of(value: Any) -> dict[str, Any]:
    """What may be asked for by name."""
    if isinstance(value, Mapping):
        return {k if isinstance(k, str) else getattr(k, "name", str(k)): v for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, (Array, Scalar, Equation, Closed)):
        return {k: v for k, v in as_dict(value).items() if v is not None}
    return {}


def part_of(record: Any, path: Sequence[str]) -> Array:
    """A field as an array."""
    value = field_of(record, path)
    made = array_of(value)
    if made is None:
        if isinstance(value, str):
            raise NoField(f"`{path[-1]}` is a text, and no value: {value}")
        if isinstance(value, (bool, type(None))):
            raise NoField(f"`{path[-1]}` is {'a truth value' if value is not None else 'not decided'}, and no value")
        if entries_of(value):
            raise NoField(f"`{path[-1]}` has parts: name one of them", list(entries_of(value)))
        raise NoField(f"`{path[-1]}` holds complex numbers, or what is no value")
    return made


def reduce_part(op: Operator, record: Any) -> Array:
    """The field that an operator `part` asks for, with the densities of the spec for the symbols of the game."""
    path, symbols = op.attrs
    return replace_arrays(part_of(record, path), dict(zip(symbols, op.args[1:], strict=True)))  # type: ignore[no-any-return]


def array_of(value: Any) -> Array | None:
    """A number or array of a record, or a list of them stacked; None for what is no value."""
    if isinstance(value, Array):
        return value
    if isinstance(value, Scalar):
        return tensor((), value)
    if isinstance(value, Closed):
        try:
            return None if value.roots else tensor((), from_sympy(value.expression, value.table))
        except NotInSymPy:
            return None
    if isinstance(value, (list, tuple)) and value:
        parts = [array_of(v) for v in value]
        if any(p is None for p in parts) or len({p.shape for p in parts if p is not None}) != 1:
            return None
        return build.stack([build.of_array(p) for p in parts if p is not None]).array()
    return None
