"""Systems of equations between closed scalars: factors that never vanish go, what is left is solved case by case.

SymPy proposes solutions; each is put back.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symgen.calculus.solving import roots_of, sign_of, vanishes
from symgen.tensor.sympy_bridge import within

__all__ = ["Solution", "solve_system", "essential"]

S = sympy
MAX_CASES = 64


@dataclass(frozen=True)
class Solution:
    """`complete` says that the solutions found are all there are."""

    values: dict[Any, Any]
    shown: str
    complete: bool


def essential(equation: Any) -> list[Any]:
    """Factors whose product vanishes where the equation does, without those of a sure sign."""
    e = within(2.0, lambda: S.factor(S.fraction(S.together(S.powsimp(equation)))[0]))
    e = equation if e is None else e
    out: list[Any] = []
    for f in S.Mul.make_args(e):
        base = f.base if f.is_Pow and f.exp.is_positive else f
        if isinstance(base, S.exp) or (base.is_number and base != 0) or sign_of(base) in (1, -1):
            continue
        if base not in out:
            out.append(base)
    return out


def solve_system(equations: Sequence[Any], unknowns: Sequence[Any], seconds: float = 4.0) -> list[Solution]:
    """The real solutions that SymPy finds and that stand the test. An empty list says nothing about existence."""
    factors = []
    for e in equations:
        if vanishes(e) == "proved":
            continue
        parts = [f for f in essential(e) if any(x in f.free_symbols for x in unknowns)]
        if not parts:
            return []  # an equation that never holds
        factors.append(parts)
    count = 1
    for parts in factors:
        count *= len(parts)
    cases = itertools.product(*factors) if count <= MAX_CASES else [tuple(S.Mul(*p) for p in factors)]
    out: list[Solution] = []
    complete = True
    proposals: list[dict[Any, Any]] = []
    for case in cases:
        found, all_of_them = _solve_case(list(dict.fromkeys(case)), list(unknowns), seconds)
        complete = complete and all_of_them
        proposals += found
    if not proposals:  # what SymPy has not solved may still vanish where all unknowns do
        proposals, complete = [{x: S.Integer(0) for x in unknowns}], False
    for values in proposals:
        values = {x: _tidy(v) for x, v in values.items()}
        if any(v.has(S.I) or v.is_real is False for v in values.values()):
            continue
        if any(set(values) == set(o.values) and all(vanishes(values[x] - o.values[x]) == "proved" for x in values) for o in out):
            continue
        shown = [vanishes(e.subs(values, simultaneous=True)) for e in equations]
        if all(s is not None for s in shown):
            out.append(Solution(values, "proved" if set(shown) <= {"proved"} else "checked", False))
    return [Solution(o.values, o.shown, complete) for o in out]


def _tidy(v: Any) -> Any:
    short = within(1.5, lambda: S.factor(S.simplify(v)))
    return v if short is None else short


def _solve_case(equations: list[Any], unknowns: list[Any], seconds: float) -> tuple[list[dict[Any, Any]], bool]:
    free = {x: S.Dummy(str(x)) for x in unknowns}
    back = {d: x for x, d in free.items()}
    system = [e.xreplace(free) for e in equations]
    dummies = list(back)
    polynomial = all(e.is_polynomial(*dummies) for e in system)
    if polynomial and all(S.Poly(e, *dummies).total_degree() <= 1 for e in system):
        matrix, right = S.linear_eq_to_matrix(system, dummies)
        if matrix.rows == matrix.cols:
            determinant = S.simplify(matrix.det())
            if determinant != 0:
                solved = matrix.LUsolve(right)
                return [{back[d]: v for d, v in zip(dummies, solved, strict=True)}], sign_of(determinant) in (1, -1)
    if len(unknowns) == 1 and len(equations) == 1:
        roots = roots_of(equations[0], unknowns[0], seconds)
        return [{unknowns[0]: r.value} for r in roots], bool(roots) and all(r.complete for r in roots)
    found = within(seconds, S.solve, system, dummies, dict=True)
    if not found:
        return [], found is not None and polynomial
    out = []
    for f in found:
        if all(isinstance(v, S.Expr) for v in f.values()):
            out.append({back[d]: v.xreplace(back) for d, v in f.items()})
    return out, polynomial
