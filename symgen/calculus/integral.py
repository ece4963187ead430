"""Definite integrals of closed scalar expressions: SymPy is asked, and believed only after quadrature agrees.

What has no closed form stays an integral, with the reason in the notes.
"""

from __future__ import annotations

from typing import Any

import mpmath
import sympy

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.tensor.expression import Array, Operator, Scalar, Var, depends_on, entry, mul, open_tensor, sub, tensor
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within

SECONDS = 8.0
POINTS = 4
AGREE = 1e-10


def reduce_integral(op: Operator, ctx: Context) -> Array:
    """integral[x: a..b](f) in closed form, or the operator as it was.

    The answer is compared with Gauss and tanh-sinh quadrature in 30 digits at random values of the other symbols.
    """
    x: Var = op.attrs[0][0]
    body, low, high = (open_tensor(a, ()) for a in op.operands)
    if not depends_on(body, x):
        result = tensor((), mul(body, sub(high, low)))
        ctx.trace.add("integral_of_constant", op, result, reason="the integrand is constant")
        return result
    table = Table(ctx.facts)
    try:
        f, a, b = (to_sympy(s, table) for s in (body, low, high))
        t = table.symbol(entry(x))
    except NotInSymPy as error:
        ctx.trace.notes.append(f"the integral stays: {error}")
        return op
    answer = _ask(f, t, a, b)
    if answer is None:
        ctx.trace.notes.append("the integral stays: no closed form was found")
        return op
    points = _agrees(answer, f, t, a, b)
    if points == 0:
        ctx.trace.notes.append("the integral stays: what SymPy answered could not be confirmed by quadrature")
        return op
    try:
        value: Scalar = from_sympy(answer, table)
    except NotInSymPy:
        ctx.trace.notes.append("the integral stays: its closed form needs functions that the language lacks")
        return op
    result = tensor((), value)
    ctx.trace.add("integrate", op, result, reason=f"confirmed by quadrature at {points} points")
    ctx.trace.checks.append(lambda: Evidence("checked", digits=10, points=points, method="quadrature"))
    return result


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
            if error > 1e-10 * scale:
                continue
            if abs(got - value) > AGREE * scale:
                return 0
            agreed += 1
    return agreed


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
