"""What game theory answers with: records whose fields hold expressions.

A field is a scalar or array node, a `Closed` SymPy expression (where numbers are complex), a text, a truth value, or a
tuple, list or dict of them. `public` writes a field in the author's names; `evaluate_field` gives its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import sympy

from symgen.derivation.derivation import Evidence
from symgen.tensor.expression import Array, Scalar, Tensor, Var
from symgen.tensor.sympy_bridge import Closed, array_to_sympy, to_sympy

__all__ = ["BestResponse", "Equation", "Equilibrium", "Stability", "public", "evaluate_field", "as_dict"]


@dataclass(frozen=True)
class Equation:
    """left = right."""

    left: Any
    right: Any


@dataclass
class BestResponse:
    """`strategy` is the player's best choice, `value` its payoff there, `second_order` the second derivative of the
    integrand at it, `conditions` what had to hold."""

    strategy: Any
    value: Any
    second_order: Any
    conditions: tuple[Any, ...] = ()
    stationarity: Any = field(default=None, repr=False)
    evidence: Evidence | None = field(default=None, repr=False)


@dataclass
class Equilibrium:
    """`strategies` maps each player's variable to its choice (a list of such maps where there are several equilibria,
    empty where the conditions could not be solved); `kind` says what was shown, `unique` is None where not decided."""

    conditions: tuple[Any, ...]
    strategies: Any
    value: Any
    kind: str
    unique: bool | None
    evidence: Evidence | None = field(default=None, repr=False)


@dataclass
class Stability:
    """`vector_field` is the direction in which the players move, `jacobian` its derivative at the equilibrium `at`;
    `eigenvalues` those of the Jacobian (in continuous time) or of the iteration, `step_bound` the step up to which it
    converges (None where no step is part of the question)."""

    vector_field: Any
    jacobian: Any
    eigenvalues: tuple[Any, ...]
    spectral_radius: Any
    verdict: str
    step_bound: Any = None
    conditions: tuple[Any, ...] = ()
    at: Any = field(default=None, repr=False)
    variables: tuple[Any, ...] = field(default=(), repr=False)
    iteration: Any = field(default=None, repr=False)
    evidence: Evidence | None = field(default=None, repr=False)


def as_dict(record: Any) -> dict[str, Any]:
    """The fields of a record that callers rely on, in order."""
    return {f.name: getattr(record, f.name) for f in fields(record) if f.repr}


def public(value: Any, names: Mapping[Array, str]) -> Any:
    """A field in SymPy, in the author's names: a matrix for an array of rank 1 or 2 with fixed sizes."""
    if isinstance(value, Scalar):
        return to_sympy(value, names=names)
    if isinstance(value, Closed):
        return value.named(names)
    if isinstance(value, Equation):
        return sympy.Eq(public(value.left, names), public(value.right, names), evaluate=False)
    if isinstance(value, Array):
        return _public_array(value, names)
    if isinstance(value, Mapping):
        return {k: public(v, names) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(public(v, names) for v in value)
    return value


def _public_array(array: Array, names: Mapping[Array, str]) -> Any:
    if not array.rank:
        body = array.body if isinstance(array, Tensor) and array not in names else None
        if body is not None:
            return to_sympy(body, names=names)
        name = names.get(array) or (array.name if isinstance(array, Var) else None)
        return sympy.Symbol(name) if name else array_to_sympy(array, names)[0]
    return array_to_sympy(array, names)[0]


def evaluate_field(value: Any, names: Mapping[Array, str], values: Mapping[str, Any]) -> Any:
    """The number of a field whose free symbols are scalars: float, complex, or a list, dict or truth value of them."""
    if isinstance(value, Mapping):
        return {k: evaluate_field(v, names, values) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(evaluate_field(v, names, values) for v in value)
    if isinstance(value, (str, bool, type(None), int, float)):
        return value
    if isinstance(value, Closed) and value.roots:
        polynomial = sympy.Poly(value.named(names), value.roots)
        return tuple(sympy.Poly([_number_of(c, values) for c in polynomial.all_coeffs()], value.roots).nroots(n=17))
    return number(public(value, names), values)


def number(expression: Any, values: Mapping[str, Any]) -> Any:
    """The value of a SymPy expression at named scalars and arrays. Raises KeyError with the name that is missing."""
    if isinstance(expression, sympy.MatrixBase):
        return [[number(e, values) for e in expression.row(i)] for i in range(expression.rows)]
    if expression in (True, False) or isinstance(expression, bool):
        return bool(expression)
    places: dict[Any, Any] = {}
    for s in expression.atoms(sympy.Indexed):
        base = str(s.base.label)
        if base not in values:
            raise KeyError(base)
        places[s] = _exact(values[base][tuple(int(i) for i in s.indices)])
    labels = {s.base.label for s in expression.atoms(sympy.Indexed)}
    for s in expression.free_symbols:
        if s in labels or isinstance(s, sympy.Indexed):
            continue
        if str(s) not in values:
            raise KeyError(str(s))
        places[s] = _exact(values[str(s)])
    result = expression.xreplace(places)
    if isinstance(result, sympy.Rel) or result in (sympy.true, sympy.false):
        return bool(result)
    result = complex(result.evalf(30))
    return result.real if abs(result.imag) <= 1e-25 * max(abs(result), 1.0) else result


def _number_of(expression: Any, values: Mapping[str, Any]) -> Any:
    return _exact(number(expression, values))


def _exact(x: Any) -> Any:
    x = float(x)
    return sympy.Rational(*x.as_integer_ratio()) if x == x and abs(x) != float("inf") else sympy.Float(x)
