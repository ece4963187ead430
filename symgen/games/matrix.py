"""Finite games: players who mix over pure strategies (variables in the simplex), payoffs linear in each mixture.

Von Neumann (1928); an equilibrium makes every pure strategy that is used equally good and no other better.
"""

from __future__ import annotations

import itertools
from typing import Any

import sympy

from symgen.calculus.solving import assuming, sign_of
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.game import Game
from symgen.games.parameters import Coordinates, coordinates
from symgen.games.records import Equilibrium
from symgen.tensor.expression import Scalar, Var, compare, tensor
from symgen.tensor.sympy_bridge import within
from symgen.text.diagnostics import CannotDerive

__all__ = ["matrix_equilibrium"]

S = sympy
MAX_SUPPORTS = 400


def matrix_equilibrium(game: Game, ctx: Context) -> Equilibrium | None:
    """The equilibrium of two players who each choose one vector of the simplex; None for another game."""
    variables = [p.parameters[0] for p in game.players if len(p.parameters) == 1]
    if len(game.players) != 2 or len(variables) != 2:
        return None
    if not all(isinstance(v, Var) and v.domain == "simplex" and len(v.shape) == 1 for v in variables):
        return None
    c = coordinates(game, ctx, mixed=True)
    x, y = c.own(0), c.own(1)
    A, B = (_bilinear(c.payoffs[k], x, y) for k in (0, 1))
    if A is None or B is None:
        raise CannotDerive("the payoff is not linear in each player's mixture", game.players[0].payoff, "symgen/games/matrix.py")
    with assuming(c.table):
        found = _supports(A, B)
    best = [c.node(e) for e in [*(A * S.Matrix(y)), *(B.T * S.Matrix(x))]]
    worth = [c.node(S.expand(c.payoffs[k])) for k in (0, 1)]
    conditions: list[Any] = [compare("<=", b, worth[0 if i < len(x) else 1]) for i, b in enumerate(best)]
    for i, b in enumerate(best):
        ctx.trace.add(
            "no_better_pure_strategy",
            game.players[0].payoff,
            tensor((), b),
            where=f"strategy {i}",
            reason="no pure strategy does better than the mixture",
        )
    names = [v.name for v in variables]  # type: ignore[attr-defined]
    if not found:
        return Equilibrium(
            tuple(conditions),
            {},
            None,
            "conditions: a mixed equilibrium exists (Nash 1950); symgen has not solved which strategies are used",
            None,
            Evidence("unknown", tried=("all supports",)),
        )
    strategies = [{names[0]: _mixture(c, a), names[1]: _mixture(c, b)} for a, b in found]
    one, two = found[0]
    sign = [1 if p.sense == "max" else -1 for p in game.players]
    values = [
        S.simplify((sign[0] * S.Matrix(one).T * A * S.Matrix(two))[0]),
        S.simplify((sign[1] * S.Matrix(one).T * B * S.Matrix(two))[0]),
    ]
    zero_sum = game.is_zero_sum
    kind = "global Nash equilibrium (saddle point)" if zero_sum else "global Nash equilibrium"
    mixed = any(e not in (0, 1) for e in one)
    kind += " in mixed strategies" if mixed else " in pure strategies"
    value: Any = c.node(values[0]) if zero_sum else tuple(c.node(v) for v in values)
    degenerate = any(_ties(A, B, *pair) for pair in found)
    unique = None if degenerate else len(found) == 1
    return Equilibrium(
        tuple(conditions),
        strategies[0] if len(strategies) == 1 else strategies,
        value,
        kind,
        unique,
        Evidence("proved", method="every pure strategy compared"),
    )


def _mixture(c: Coordinates, values: list[Any]) -> tuple[Scalar, ...]:
    return tuple(c.node(v) for v in values)


def _bilinear(payoff: Any, x: list[Any], y: list[Any]) -> Any:
    polynomial = within(2.0, lambda: S.Poly(S.expand(payoff), *x, *y))
    if polynomial is None:
        return None
    rows = S.zeros(len(x), len(y))
    for powers, coefficient in polynomial.terms():
        i = [k for k, e in enumerate(powers[: len(x)]) if e]
        j = [k for k, e in enumerate(powers[len(x) :]) if e]
        if sum(powers[: len(x)]) > 1 or sum(powers[len(x) :]) > 1:
            return None
        for a in i or range(len(x)):
            for b in j or range(len(y)):  # a constant, since the entries of a mixture sum to 1
                rows[a, b] += coefficient
    return rows


def _supports(A: Any, B: Any) -> list[tuple[list[Any], list[Any]]]:
    """Equilibria by support: equal sizes, the players indifferent within, nothing better outside; signs decided."""
    m, n = A.shape
    out: list[tuple[list[Any], list[Any]]] = []
    looked = 0
    for size in range(1, min(m, n) + 1):
        for rows in itertools.combinations(range(m), size):
            for columns in itertools.combinations(range(n), size):
                looked += 1
                if looked > MAX_SUPPORTS:
                    return out
                y = _indifferent(A, rows, columns)
                x = _indifferent(B.T, columns, rows)
                if x is None or y is None:
                    continue
                payoff_a, payoff_b = A * S.Matrix(y), B.T * S.Matrix(x)
                fine = all(_at_most(payoff_a[i], payoff_a[rows[0]]) for i in range(m) if i not in rows)
                fine = fine and all(_at_most(payoff_b[j], payoff_b[columns[0]]) for j in range(n) if j not in columns)
                if fine:
                    out.append((x, y))
    return out


def _indifferent(A: Any, rows: tuple[int, ...], columns: tuple[int, ...]) -> list[Any] | None:
    """A mixture over `columns`, all weights positive, that makes `rows` of A equally good."""
    size = len(rows)
    matrix = S.zeros(size, size)
    right = S.zeros(size, 1)
    for k in range(size - 1):
        for j, column in enumerate(columns):
            matrix[k, j] = A[rows[k], column] - A[rows[k + 1], column]
    for j in range(size):
        matrix[size - 1, j] = 1
    right[size - 1] = 1
    if S.simplify(matrix.det()) == 0:
        return None
    weights = [S.simplify(w) for w in matrix.LUsolve(right)]
    if any(sign_of(w) != 1 for w in weights):
        return None
    out = [S.Integer(0)] * A.shape[1]
    for j, column in enumerate(columns):
        out[column] = weights[j]
    return out


def _at_most(a: Any, b: Any) -> bool:
    return sign_of(S.simplify(b - a)) in (0, 1)


def _ties(A: Any, B: Any, x: list[Any], y: list[Any]) -> bool:
    """Whether a pure strategy that is not used is as good as those that are: then there may be more equilibria."""
    pa, pb = A * S.Matrix(y), B.T * S.Matrix(x)
    used_a = [i for i, w in enumerate(x) if w != 0]
    used_b = [j for j, w in enumerate(y) if w != 0]
    return any(S.simplify(pa[i] - pa[used_a[0]]) == 0 for i in range(len(x)) if i not in used_a) or any(
        S.simplify(pb[j] - pb[used_b[0]]) == 0 for j in range(len(y)) if j not in used_b
    )
