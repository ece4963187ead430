"""The slopes of the tangents that stand for logarithms of means, at the best function: each is one over its mean.

J[T] = max over a of J_a[T], so that the best T is that of J_a at the best a. Where J_a is as large for every a, T is best
with any constant added: it is given for the slope 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy

from symgen.calculus.integrand import Integrand
from symgen.calculus.solving import sign_of
from symgen.calculus.variation import Optimum, Problem, problem_of
from symgen.tensor.expression import Array, Scalar, entry, replace_arrays, tensor
from symgen.tensor.sympy_bridge import from_sympy, to_sympy, within
from symgen.text.diagnostics import CannotDerive

__all__ = ["with_slopes"]

S = sympy


def with_slopes(integrand: Integrand, problem: Problem, optimum: Optimum, name: str) -> tuple[Integrand, Problem, Optimum]:
    """All three with the slopes put in. Raises CannotDerive where they are not found."""
    table = problem.table
    values: dict[Any, Any] = {}
    notes: list[str] = []
    rest = to_sympy(integrand.rest, table)
    for slope in integrand.tangents:
        a = table.symbol(slope)
        mean = S.diff(problem.expression, a).xreplace({problem.t: optimum.expression})
        mass = _integral(mean, integrand, problem)
        balance = None if mass is None else within(2.0, lambda a=a, m=mass: S.factor(S.simplify(S.diff(rest, a) + m)))
        if balance is None:
            raise CannotDerive(f"the mean under a logarithm is not found at the best `{name}`", integrand.rest)
        if balance == 0:
            values[a] = S.Integer(1)
            notes.append(f"{name} + c is as good, for any constant c")
            continue
        roots = within(2.0, lambda b=balance, a=a: [x for x in S.solve(b, a) if sign_of(x) == 1]) or []
        if len(roots) != 1:
            raise CannotDerive(f"the mean under a logarithm is not found at the best `{name}`", integrand.rest)
        values[a] = roots[0]
    puts: dict[Array, Array] = {s.args[0]: tensor((), from_sympy(values[table.symbol(s)], table)) for s in integrand.tangents}

    def put(s: Scalar) -> Scalar:
        made: Scalar = replace_arrays(s, puts)
        return made

    terms = tuple(replace(x, coefficient=put(x.coefficient), body=put(x.body)) for x in integrand.terms)
    made = replace(
        integrand,
        terms=terms,
        rest=from_sympy(rest.xreplace(values), table),
        notes=tuple(dict.fromkeys((*integrand.notes, *notes))),
    )
    expression = S.simplify(optimum.expression.xreplace(values))
    best = replace(
        optimum, strategy=put(optimum.strategy), second_order=put(optimum.second_order),
        stationarity=put(optimum.stationarity), expression=expression,
    )  # fmt: skip
    if notes:  # for each slope the only optimum, and one for each slope
        best = replace(best, notes=tuple(f"concave in {name}" if "the only optimum" in n else n for n in best.notes))
    return made, problem_of(made.scalar, entry(made.t), integrand.t.domain, made.weights, table), best


def _integral(mean: Any, integrand: Integrand, problem: Problem) -> Any:
    """The integral of a sum of densities over the points, each of which has mass 1; None for what is no such sum."""
    table = problem.table
    densities = {table.symbol(w) for w in integrand.weights}
    masses = {to_sympy(x.weight, table) for x in integrand.terms}
    total = S.Integer(0)
    spread = within(2.0, lambda: S.expand(S.simplify(mean)))
    if spread is None:
        return None
    points = {table.atoms.get(s) for s in spread.free_symbols}
    for term in S.Add.make_args(spread):
        factor = next((f for m in masses if not (f := S.simplify(term / m)).free_symbols & densities), None)
        if factor is None:
            return None
        total += factor
    inside = {entry(p) for p in integrand.points if not p.shape}
    return None if inside & points or problem.t in total.free_symbols else total
