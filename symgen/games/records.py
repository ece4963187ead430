"""What game theory answers with: records whose fields hold expressions.

A field is a scalar or array node, a `Closed` SymPy expression (where numbers are complex), a text, a truth value, or a
tuple, list or dict of them. `public` writes a field in the author's names; `evaluate_field` gives its number.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import mpmath
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
    if isinstance(expression, bool) or expression is sympy.true or expression is sympy.false:
        return expression is True or expression is sympy.true
    if isinstance(expression, int):
        return float(expression)
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
    with mpmath.workdps(30):
        memo = {s: _to_mpmath(v) for s, v in places.items()}
        result = _value(expression, memo)
    if isinstance(result, bool):
        return result
    result = complex(result)
    return result.real if abs(result.imag) <= 1e-13 * max(abs(result), 1.0) else result


_CONDITIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def _to_mpmath(e: Any) -> Any:
    """A number of SymPy."""
    if e in (sympy.oo, -sympy.oo):
        return mpmath.mpf("inf" if e is sympy.oo else "-inf")
    re, im = e.evalf(32).as_real_imag()
    return mpmath.mpc(mpmath.mpf(str(re.evalf(32))), mpmath.mpf(str(im.evalf(32))))


def _value(e: Any, memo: dict[Any, Any]) -> Any:
    """The value of an expression whose symbols stand in `memo`. Nothing is substituted, for SymPy compares the
    arguments of Max exactly when it makes one; real parts are compared here."""
    found = memo.get(e)
    if found is not None:
        return found
    if e is sympy.true or e is sympy.false:
        return e is sympy.true
    out: Any
    if isinstance(e, sympy.Piecewise):
        out = next((_value(v, memo) for v, c in e.args if _value(c, memo) is True), mpmath.mpf("nan"))
    elif isinstance(e, sympy.Rel):
        a, b = (_value(x, memo).real for x in e.args)
        out = bool(_CONDITIONS[str(e.rel_op)](a, b))
    elif isinstance(e, sympy.And | sympy.Or):
        out = (all if isinstance(e, sympy.And) else any)(_value(x, memo) for x in e.args)
    elif isinstance(e, sympy.Integral):
        out = _integral(e, memo)
    elif not e.free_symbols:
        out = _to_mpmath(e)
    else:
        parts = [_value(x, memo) for x in e.args]
        if e.is_Add:
            out = mpmath.fsum(parts)
        elif e.is_Mul:
            out = mpmath.fprod(parts)
        elif e.is_Pow:
            out = mpmath.power(*parts)
        elif isinstance(e, sympy.Max | sympy.Min):
            out = (max if isinstance(e, sympy.Max) else min)(x.real for x in parts)
        elif isinstance(e, sympy.Abs):
            out = mpmath.fabs(parts[0])
        else:
            made = (
                sympy.Float(str(x.real), 30) + sympy.I * sympy.Float(str(x.imag), 30) if x.imag else sympy.Float(str(x.real), 30)
                for x in parts
            )
            out = _to_mpmath(e.func(*made))
    memo[e] = out
    return out


def _integral(e: Any, memo: dict[Any, Any]) -> Any:
    """An integral over one symbol, by quadrature."""
    ((symbol, low, high),) = e.limits
    ends = [_value(x, memo).real for x in (low, high)]
    known = {s: memo[s] for s in e.function.free_symbols if s is not symbol and s in memo}
    return mpmath.quad(lambda t: _value(e.function, {**known, symbol: t}), ends)


def _number_of(expression: Any, values: Mapping[str, Any]) -> Any:
    return _exact(number(expression, values))


def _exact(x: Any) -> Any:
    x = float(x)
    return sympy.Rational(*x.as_integer_ratio()) if x == x and abs(x) != float("inf") else sympy.Float(x)
