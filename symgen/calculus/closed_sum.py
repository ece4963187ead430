"""An infinite sum in closed form: SymPy's proposal under its condition, believed after summation agrees with it."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import mpmath
import sympy

from symgen.tensor.expression import ONE, ZERO, Scalar, Var, Where, depends_on, entry
from symgen.tensor.facts import Facts
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within

__all__ = ["closed_sum"]

SECONDS = 4.0
POINTS = 4
ATTEMPTS = 40
AGREE = 1e-12
SLOW = 0.98  # the ratio of two terms far out


@lru_cache(64)  # a law is normalised where it is derived and where it is evaluated
def closed_sum(body: Scalar, k: Var, low: Scalar, facts: Facts | None) -> tuple[Scalar, Scalar, int] | str:
    """The sum over k = low, low + 1, .., the condition under which it holds, and at how many points summation agrees; or
    why there is none."""
    table = Table(facts)
    try:
        f, first = (to_sympy(s, table) for s in (body, low))
        t = table.symbol(entry(k))
    except NotInSymPy as error:
        return str(error)
    if any(depends_on(atom, k) for atom in table.symbols if atom is not entry(k)):
        return f"its terms hold what has no form in {k.name} that can be summed"
    n = sympy.Dummy("n", integer=True, nonnegative=True)
    f = f.xreplace({t: n})
    if any(n in a.free_symbols for a in f.atoms(sympy.log, sympy.loggamma, sympy.Abs, sympy.Max, sympy.Min, sympy.polygamma)):
        return "no closed form was found"
    together, back = _powers_together(f, n)
    answer = within(SECONDS, sympy.summation, together, (n, first, sympy.oo))
    answer = within(SECONDS, sympy.piecewise_fold, answer) if answer is not None else None
    condition: Any = sympy.true
    if isinstance(answer, sympy.Piecewise):
        answer, condition = answer.args[0]
    if answer is None or answer.has(sympy.Sum, sympy.Piecewise, sympy.nan, sympy.zoo, sympy.oo, sympy.AccumBounds):
        return "no closed form was found"
    answer, condition = answer.xreplace(back), condition.xreplace(back)
    shorter = within(2.0, sympy.simplify, answer)
    answer = shorter if shorter is not None and shorter.count_ops() < answer.count_ops() else answer
    points = _agrees(answer, condition, f, n, first)
    if points == 0:
        return "what SymPy answered could not be confirmed by summation"
    try:
        both = from_sympy(sympy.Piecewise((answer, condition), (0, True)), table)
    except NotInSymPy:
        return "its closed form needs functions that the language lacks"
    if condition is not sympy.true and isinstance(both, Where) and both.args[2] is ZERO:
        return both.args[1], both.args[0], points
    return (both, ONE, points) if condition is sympy.true else "its condition was not read"


def _powers_together(f: Any, n: Any) -> tuple[Any, dict[Any, Any]]:
    """The terms with one letter to the power of n for all that is: of a^n exp(b n) it stands for a exp(b)."""
    base, rest = sympy.Integer(1), []
    for factor in sympy.Mul.make_args(sympy.powsimp(sympy.expand_power_exp(f), deep=False) if not f.is_Mul else f):
        b, e = (sympy.E, factor.args[0]) if isinstance(factor, sympy.exp) else factor.as_base_exp()
        slope = sympy.expand(e).coeff(n, 1)
        if n in b.free_symbols or slope == 0 or n in (sympy.expand(e) - slope * n).free_symbols or n in slope.free_symbols:
            rest.append(factor)
            continue
        base *= b**slope
        rest.append(b ** (sympy.expand(e) - slope * n))
    if base == 1 or base.is_number:
        return f, {}
    letter = sympy.Dummy("base", positive=base.is_positive, real=True)
    return sympy.Mul(*rest) * letter**n, {letter: base}


def _agrees(answer: Any, condition: Any, f: Any, n: Any, first: Any) -> int:
    """At how many points where the condition holds summation agrees; 0 as soon as it does not at one."""
    symbols = sorted((f.free_symbols | first.free_symbols | answer.free_symbols) - {n}, key=str)
    agreed = 0
    with mpmath.workdps(25):
        for attempt in range(ATTEMPTS if symbols else 1):
            point = {s: _number(s, attempt, j) for j, s in enumerate(symbols)}
            if condition.xreplace(point) is not sympy.true:
                continue
            try:
                value = mpmath.mpmathify(answer.xreplace(point).evalf(25))
                inside = partial(_term, f.xreplace(point), n)
                ends = [int(first.xreplace(point)), mpmath.inf]
                slow = abs(inside(ends[0] + 400)) > SLOW * abs(inside(ends[0] + 399))  # terms that fall off as a power
                for method in ("e", "r+s") if slow else ("r+s", "e"):
                    got = mpmath.nsum(inside, ends, method=method)
                    if abs(got - value) <= AGREE * max(abs(value), mpmath.mpf(10) ** -20):
                        break
            except (TypeError, ValueError, ZeroDivisionError, ArithmeticError, mpmath.libmp.NoConvergence):
                continue
            if not abs(got - value) <= AGREE * max(abs(value), mpmath.mpf(10) ** -20):
                return 0
            agreed += 1
            if agreed == POINTS:
                break
    return agreed


def _term(f: Any, n: Any, at: Any) -> Any:
    """A term to the digits that are worked with; between the whole numbers too, for the Euler-Maclaurin formula."""
    digits = mpmath.mp.dps + 3
    return mpmath.mpmathify(
        f.xreplace({n: sympy.Integer(int(at)) if at == int(at) else sympy.Float(str(at), digits)}).evalf(digits)
    )


def _number(symbol: Any, attempt: int, j: int) -> Any:
    """A rational value that the assumptions of the symbol allow; small and large ones in turn."""
    if symbol.is_integer:
        return sympy.Integer(1 + (attempt + j) % 4)
    value = sympy.Rational(2 + 3 * attempt + j, 7 + 5 * attempt + 2 * j) if attempt % 3 else sympy.Rational(9 + attempt + j, 6 + j)
    if symbol.is_positive is None and symbol.is_negative is None and (attempt + j) % 2:
        return -value
    return -value if symbol.is_negative else value
