"""The best parameters of a conjugate factor, all of them together: argmax(elbo(q, p), [a, b]) of a Gamma factor.

Its gradient is the metric times the distance to the best parameters. The metric holds polygammas, of which no two are
multiples of each other: where what stands beside each of them vanishes, and the rest, so does the gradient. Bishop (2006),
10.4; Hoffman et al. (2013), eq. 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import sympy

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.gradient import gradient
from symgen.calculus.optimum_referee import contest
from symgen.calculus.scalar_optimum import Task, domain_of_entries
from symgen.calculus.separate import separate
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.derivation.referee import check_equal_numeric
from symgen.tensor.expression import (
    ZERO,
    Array,
    Fn,
    Scalar,
    Var,
    axis,
    depends_on,
    entry,
    open_tensor,
    replace_arrays,
    tensor,
    walk,
)
from symgen.tensor.facts import is_positive, is_unit
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within
from symgen.text.diagnostics import InternalError

__all__ = ["conjugate_optimum"]

S = sympy
SECONDS = 4.0
REASON = "what stands beside each polygamma vanishes, and the rest: the natural parameters agree"
GAMMAS = ("lgamma", "digamma", "trigamma", "polygamma", "lbeta")
ASSUMED = {"positive": {"positive": True}, "unit": {"positive": True}}


def conjugate_optimum(f: Array, xs: Sequence[Var], sign: int, ctx: Context) -> dict[Var, Array] | None:
    """The parameters at which the factor beside each polygamma vanishes, or None where that is not so."""
    shape = xs[0].shape
    if len(xs) < 2 or any(x.shape != shape or domain_of_entries(x) not in ("real", "positive", "unit") for x in xs):
        return None
    if not any(isinstance(n, Fn) and n.name in GAMMAS and any(depends_on(n, x) for x in xs) for n in walk(f)):
        return None
    quiet = Context(facts=ctx.facts, names=ctx.names)
    slopes = gradient(f, list(xs), quiet, "free")
    axes = [axis(k, s) for k, s in enumerate(shape)]
    table = Table(ctx.facts, generic=True)
    owns = [entry(x, *axes) for x in xs]
    symbols = [table.symbol(o, **ASSUMED.get(domain_of_entries(x), {"real": True})) for o, x in zip(owns, xs, strict=True)]
    bodies: list[Scalar] = []
    for x in xs:
        body = open_tensor(slopes[x], axes)
        for other in xs:
            body = separate(body, other)
        bodies.append(body)
    try:
        by_slope = [_parts(to_sympy(body, table), symbols) for body in bodies]
    except NotInSymPy:
        return None
    equations = [e for parts in by_slope for e in parts]
    if any(atom not in owns and any(depends_on(atom, x) for x in xs) for atom in table.symbols):
        return None
    if not all(e.is_rational_function(*symbols) for e in equations):
        return None
    # equal sums may stand in two forms, so that together they contradict each other: then those of one slope, if enough
    for found in (found for some in (equations, *by_slope) for found in _solutions(some, symbols)):
        if set(found) != set(symbols) or any(v.free_symbols & set(symbols) or v.has(S.I) for v in found.values()):
            continue
        at = {x: tensor(axes, simplify_scalar(from_sympy(S.factor_terms(found[s]), table), ctx.facts))
              for x, s in zip(xs, symbols, strict=True)}  # fmt: skip
        checks = [_beaten(f, x, at, sign, ctx) for x in xs]
        if any(checks) or not all(_vanishes(slopes[x], at, ctx) for x in xs):
            continue
        for x, body in zip(xs, bodies, strict=True):
            ctx.trace.add("stationarity", f, tensor(axes, body), where=f"d/d{x.name}", reason="the gradient vanishes")
        for x in xs:
            ctx.trace.add("solve_stationarity", None, at[x], where=x.name, reason=REASON)
            _require_inside(x, open_tensor(at[x], axes), ctx)
            ctx.trace.checks.append(partial(_checked, f, x, at, sign, ctx))
        return at
    return None


def _solutions(equations: list[Any], symbols: list[Any]) -> list[dict[Any, Any]]:
    if len(equations) < len(symbols):
        return []
    found = within(SECONDS, S.solve, [S.numer(S.together(e)) for e in equations], symbols, dict=True)
    return found if isinstance(found, list) else []


def _parts(e: Any, unknown: list[Any]) -> list[Any]:
    """The factors beside each polygamma of an unknown, and what is left."""
    e = S.expand(e)
    gammas = sorted((g for g in e.atoms(S.polygamma, S.loggamma) if g.free_symbols & set(unknown)), key=str)
    letters = {g: S.Dummy(f"g{k}") for k, g in enumerate(gammas)}
    poly = S.Poly(e.xreplace(letters), *letters.values()) if letters else None
    return [c for c in poly.coeffs() if c != 0] if poly is not None else [e] if e != 0 else []


def _task(f: Array, x: Var, at: dict[Var, Array], sign: int, ctx: Context) -> Task:
    """The optimum over one of them, the others at their best."""
    return Task(replace_arrays(f, {y: v for y, v in at.items() if y is not x}), x, (), sign, ctx)


def _beaten(f: Array, x: Var, at: dict[Var, Array], sign: int, ctx: Context) -> bool:
    result = contest(_task(f, x, at, sign, ctx), at[x])
    return bool(result.lost) or not result.won


def _vanishes(slope: Array, at: dict[Var, Array], ctx: Context) -> bool:
    there = replace_arrays(slope, dict(at))
    zero = tensor([axis(k, s) for k, s in enumerate(slope.shape)], ZERO)
    return check_equal_numeric(there, zero, ctx.facts).kind in ("checked", "proved")


def _checked(f: Array, x: Var, at: dict[Var, Array], sign: int, ctx: Context) -> Evidence:
    result = contest(_task(f, x, at, sign, ctx), at[x])
    if result.lost:
        raise InternalError(f"{x.name}: {result.fault}")
    words = "maximum" if sign > 0 else "minimum"
    method = f"no other {x.name} is a better {words}, the others at their best, at {result.won} random data"
    return Evidence("checked", digits=6, points=max(result.won, 1), method=method)


def _require_inside(x: Var, body: Scalar, ctx: Context) -> None:
    inside = {"positive": is_positive, "unit": is_unit}.get(x.domain)
    if inside is not None and not inside(body, ctx.facts):
        ctx.trace.require(f"the solution is {'positive' if x.domain == 'positive' else 'between 0 and 1'}")
