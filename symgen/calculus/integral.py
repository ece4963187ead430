"""Definite integrals of closed scalar expressions: SymPy is asked, and believed only after quadrature agrees.

What has no closed form stays an integral, with the reason in the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import mpmath
import sympy

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.tensor.arithmetic import factors_of
from symgen.tensor.expression import (
    Array,
    Entry,
    Operator,
    Scalar,
    Var,
    depends_on,
    entry,
    fresh_index,
    mul,
    open_tensor,
    operator,
    sub,
    tensor,
)
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within
from symgen.text.diagnostics import InternalError

SECONDS = 5.0
POINTS = 4
AGREE = 1e-10

_known: dict[tuple[Any, ...], tuple[Scalar, int] | str] = {}


def reduce_integral(op: Operator, ctx: Context) -> Array:
    """integral[x: a..b](f) in closed form, or the operator as it was; one for each index that it stands under.

    The answer is compared with Gauss and tanh-sinh quadrature in 30 digits at random values of the other symbols. One
    integral over another that hangs on its variable is turned round where the inner one has no closed form.
    """
    x: Var = op.attrs[0][0]
    indices = [fresh_index(size) for size in op.shape]
    body, low, high = (open_tensor(a, indices if a.rank else ()) for a in op.operands)
    if not depends_on(body, x):
        result = tensor(indices, mul(body, sub(high, low)))
        ctx.trace.add("integral_of_constant", op, result, reason="the integrand is constant")
        return result
    found = _in_closed_form(body, x, low, high, ctx)
    if isinstance(found, str):
        turned = None if op.rank else _turned_round(op, ctx)
        if turned is not None:
            return turned
        ctx.trace.notes.append(f"the integral stays: {found}")
        return op
    value, points = found
    result = tensor(indices, value)
    ctx.trace.add("integrate", op, result, reason=f"confirmed by quadrature at {points} points")
    ctx.trace.checks.append(lambda: Evidence("checked", digits=10, points=points, method="quadrature"))
    return result


def _in_closed_form(body: Scalar, x: Var, low: Scalar, high: Scalar, ctx: Context) -> tuple[Scalar, int] | str:
    """The value and at how many points quadrature agrees, or why there is none; asked once."""
    key = (body, x, low, high, tuple(ctx.facts.assumptions) if ctx.facts else ())
    found = _known.get(key)
    if found is None:
        found = _known[key] = _worked_out(body, x, low, high, ctx)
    return found


def _worked_out(body: Scalar, x: Var, low: Scalar, high: Scalar, ctx: Context) -> tuple[Scalar, int] | str:
    table = Table(ctx.facts)
    try:
        f, a, b = (to_sympy(s, table) for s in (body, low, high))
        t = table.symbol(entry(x))
    except NotInSymPy as error:
        return str(error)
    if any(depends_on(atom, x) for atom in table.symbols if atom is not entry(x)):
        return f"the integrand holds what has no form in {x.name} that can be integrated"
    answer = _ask(f, t, a, b)
    if answer is None:
        return "no closed form was found"
    points = _agrees(answer, f, t, a, b)
    if points == 0:
        return "what SymPy answered could not be confirmed by quadrature"
    try:
        return from_sympy(answer, table), points
    except NotInSymPy:
        return "its closed form needs functions that the language lacks"


def _turned_round(op: Operator, ctx: Context) -> Array | None:
    """The integral over t of c(t) times that of f(u, t) over u from where t begins to t, or from t to where t ends, with
    the inner integral over t: Fubini's theorem. None where that has no closed form either."""
    x: Var = op.attrs[0][0]
    body, low, high = (open_tensor(a, ()) for a in op.operands)
    for inner in factors_of(body):
        if not (isinstance(inner, Entry) and isinstance(inner.array, Operator) and inner.array.name == "integral") or inner.indices:
            continue
        u: Var = inner.array.attrs[0][0]
        f, first, last = (open_tensor(a, ()) for a in inner.array.operands)
        outside = mul(*(c for c in factors_of(body) if c is not inner))
        if first is low and last is entry(x):
            ends = entry(u), high
        elif last is high and first is entry(x):
            ends = low, entry(u)
        else:
            continue
        whole = mul(outside, f)
        if not depends_on(whole, x):
            now = mul(whole, sub(ends[1], ends[0]))
        else:
            found = _in_closed_form(whole, x, *ends, ctx)
            if isinstance(found, str):
                continue
            now = found[0]
        made = operator("integral", (tensor((), now), op.operands[1], op.operands[2]), (), ((u,),))
        ctx.trace.add("fubini", op, made, reason=f"the integral over {x.name} is taken first")
        ctx.trace.checks.append(partial(_same_by_quadrature, op, made, ctx))
        return reduce_integral(made, ctx)
    return None


def _same_by_quadrature(op: Operator, made: Operator, ctx: Context) -> Evidence:
    """Whether an integral over an integral is that over one variable, at random values of the other symbols."""
    table = Table(ctx.facts)
    sides = [_as_sympy(op, table), _as_sympy(made, table)]
    symbols = sorted(set().union(*(s.free_symbols for s in sides)), key=str)
    agreed = 0
    with mpmath.workdps(15):
        for k in range(2 if symbols else 1):
            point = {s: mpmath.mpmathify(abs(_number(s, k, j))) for j, s in enumerate(symbols)}
            try:
                a, b = (_quadrature(s)(point) for s in sides)
            except (TypeError, ValueError, ZeroDivisionError, ArithmeticError, mpmath.libmp.NoConvergence):
                continue
            if abs(a - b) > AGREE * abs(b):
                raise InternalError(f"the order of integration gives {mpmath.nstr(b, 12)}, not {mpmath.nstr(a, 12)}")
            agreed += 1
    if not agreed:
        return Evidence("unknown", tried=("quadrature",))
    return Evidence("checked", digits=10, points=agreed, method="quadrature")


def _as_sympy(op: Operator, table: Table) -> Any:
    """The integral with those in it as SymPy's."""
    x: Var = op.attrs[0][0]
    body, low, high = (open_tensor(a, ()) for a in op.operands)
    inner = {
        f: f.array
        for f in factors_of(body)
        if isinstance(f, Entry) and isinstance(f.array, Operator) and f.array.name == "integral"
    }
    f = to_sympy(mul(*(c for c in factors_of(body) if c not in inner)), table)
    for integral in inner.values():
        f = f * _as_sympy(integral, table)
    return sympy.Integral(f, (table.symbol(entry(x)), to_sympy(low, table), to_sympy(high, table)))


def _quadrature(e: Any) -> Callable[[Mapping[Any, Any]], Any]:
    """The number of an integral, or of a product of them, as a function of what its symbols are."""
    if isinstance(e, sympy.Integral):
        *within_it, (x, low, high) = e.limits
        f = _quadrature(sympy.Integral(e.function, *within_it) if within_it else e.function)
        first, last = (_quadrature(end) if end.free_symbols else partial(_fixed, _end(end)) for end in (low, high))

        def integral(at: Mapping[Any, Any]) -> Any:
            ends = [first(at), last(at)]
            return mpmath.quad(lambda u: f({**at, x: u}), [ends[0], *_breaks(ends), ends[1]])

        return integral
    if isinstance(e, sympy.Mul) and e.has(sympy.Integral):
        parts = [_quadrature(a) for a in e.args]
        return lambda at: mpmath.fprod(part(at) for part in parts)
    symbols = sorted(e.free_symbols, key=str)
    return lambda at: mpmath.mpmathify(e.xreplace({s: sympy.Float(at[s], 17) for s in symbols}).evalf(17))


def _fixed(value: Any, at: Mapping[Any, Any]) -> Any:
    return value


def _ask(f: Any, t: Any, a: Any, b: Any) -> Any:
    """SymPy's answer, free of conditions and of unevaluated integrals; None if it has none in time."""
    answer = within(SECONDS, sympy.integrate, f, (t, a, b))
    if isinstance(answer, sympy.Piecewise):
        answer = answer.args[0][0]
    if answer is None or answer.has(sympy.Integral, sympy.Piecewise, sympy.nan, sympy.zoo):
        return None
    shorter = within(2.0, sympy.simplify, answer)
    return answer if shorter is None else shorter


def _agrees(answer: Any, f: Any, t: Any, a: Any, b: Any) -> int:
    """At how many random points quadrature agrees; 0 as soon as it does not at one."""
    symbols = sorted((f.free_symbols | a.free_symbols | b.free_symbols | answer.free_symbols) - {t}, key=str)
    agreed = 0
    with mpmath.workdps(30):
        for k in range(POINTS if symbols else 1):
            point = {s: _number(s, k, j) for j, s in enumerate(symbols)}
            try:
                value = mpmath.mpmathify(answer.xreplace(point).evalf(30))
                ends = [_end(e.xreplace(point)) for e in (a, b)]
                inside = f.xreplace(point)
                got, error = mpmath.quad(
                    lambda u: mpmath.mpmathify(inside.xreplace({t: sympy.Float(u, 30)}).evalf(30)),  # noqa: B023
                    [ends[0], *_breaks(ends), ends[1]], error=True, maxdegree=7,
                )  # fmt: skip
            except (TypeError, ValueError, ZeroDivisionError, ArithmeticError, mpmath.libmp.NoConvergence):
                continue
            scale = max(abs(value), mpmath.mpf(10) ** -20)
            if not _is_real(answer.xreplace(point)):
                return 0  # right as a complex function, and without value in the reals
            if error > 1e-10 * scale:
                continue
            if abs(got - value) > AGREE * scale:
                return 0
            agreed += 1
    return agreed


def _is_real(e: Any) -> bool:
    """Whether all parts of a number are real."""
    parts = sympy.preorder_traversal(e)
    return all(abs(sympy.im(part.evalf(15))) < 1e-12 for part in parts if isinstance(part, sympy.Expr) and part.is_number)


def _end(e: Any) -> Any:
    if e in (sympy.oo, -sympy.oo):
        return mpmath.inf if e == sympy.oo else -mpmath.inf
    return mpmath.mpmathify(e.evalf(30))


def _breaks(ends: list[Any]) -> list[Any]:
    """Points in between that help the quadrature over an infinite range."""
    low, high = ends
    if mpmath.isinf(low) and mpmath.isinf(high):
        return [-8, -1, 0, 1, 8]
    if mpmath.isinf(high):
        return [low + 1, low + 4, low + 16]
    return [high - 16, high - 4, high - 1] if mpmath.isinf(low) else []


def _number(symbol: Any, k: int, j: int) -> Any:
    """A rational value that the assumptions of the symbol allow."""
    value = sympy.Rational(7 + 5 * k + 3 * j, 6 + 2 * j)
    if symbol.is_integer:
        return sympy.Integer(2 + k + j)
    if symbol.is_positive is None and symbol.is_negative is None and (k + j) % 2:
        return -value
    return -value if symbol.is_negative else value
