"""Stability of the players' motion near an equilibrium: vector field, Jacobian, eigenvalues, verdict."""

from __future__ import annotations

import itertools
from typing import Any

import sympy

from symgen.calculus.solving import assuming, never_positive, sign_of, vanishes
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.arrays import array_stability
from symgen.games.dynamics import CONTINUOUS, DYNAMICS
from symgen.games.flow import flow_record
from symgen.games.game import Game
from symgen.games.iteration import iteration_record
from symgen.games.motion import Motion, eigenvalues_of, relations, rows, short
from symgen.games.parameters import Coordinates, coordinates, definite_sign
from symgen.games.records import Stability
from symgen.games.sides import branches, has_kink
from symgen.games.spectrum import characteristic, eigenvalue_pairs
from symgen.games.stationary import conditions_at, stationary_points
from symgen.tensor.expression import Array, Compare, Num, add, axis, delta, entry, mul, num, open_tensor, tensor
from symgen.tensor.sympy_bridge import Closed, to_sympy
from symgen.text.diagnostics import CannotDerive

__all__ = ["stability"]

S = sympy


def stability(
    game: Game,
    ctx: Context,
    method: str | None = None,
    step: Array | None = None,
    at: Array | None = None,
    options: tuple[Array, ...] = (),
) -> Stability:
    """Of the flow where neither a method nor a step is named. Raises CannotDerive where no equilibrium is found."""
    if not game.is_parametric:
        raise CannotDerive(
            "stability is of players that are parameters; a function moves in infinitely many directions",
            game.players[0].payoff,
            "symgen/games/stability.py",
        )
    if any(not isinstance(size, Num) for p in game.players for v in p.parameters for size in v.shape):
        return array_stability(game, ctx, method, step)
    c = coordinates(game, ctx)
    with assuming(c.table):
        return _stability(game, c, ctx, method, step, at, options)


def _stability(
    game: Game,
    c: Coordinates,
    ctx: Context,
    method: str | None,
    step: Array | None,
    at: Array | None,
    options: tuple[Array, ...],
) -> Stability:
    field = c.field
    place, needed = _point(c, field, at)
    sides = _sides(c, field, place)
    if len(sides) > 1:
        return _of_sides(game, c, ctx, field, place, sides, needed, method is None and step is None)
    (field_here,) = sides.values()
    J = S.Matrix(field_here).jacobian(S.Matrix(c.symbols)).subs(place, simultaneous=True).applyfunc(short)
    linear = all(S.Matrix([v]).jacobian(S.Matrix(c.symbols)).free_symbols.isdisjoint(c.symbols) for v in field)
    motion = Motion(c, place, field, J, linear)
    shown = [short(v) for v in field]
    payoff = game.players[0].payoff
    ctx.trace.add("vector_field", payoff, _vector(c, shown), reason="each player moves along the gradient of its payoff")
    ctx.trace.add("jacobian", _vector(c, shown), _matrix(c, J), reason="its derivative at " + _where(c, place))
    if method in CONTINUOUS or (method is None and step is None):
        record = flow_record(motion, shown)
    else:
        row = DYNAMICS.get(method or "simultaneous")
        if row is None:
            raise CannotDerive(f"symgen does not know the method `{method}`", payoff, "symgen/games/dynamics.py")
        record = iteration_record(motion, shown, row, step, options)
    known = [str(r) for r in record.conditions]
    apart = [to_sympy(r.args[0], c.table) - to_sympy(r.args[1], c.table) for r in record.conditions if isinstance(r, Compare)]
    needed = [(op, v) for op, v in needed if op != "!=" or not any(S.cancel(v / d).is_number for d in apart)]
    record.conditions = (*record.conditions, *(r for r in relations(c, needed) if str(r) not in known))
    if record.verdict == "inconclusive" and record.evidence:
        ctx.trace.notes.append(record.evidence.method)
    ctx.trace.notes.extend(root_words(record))
    ctx.trace.add(
        "eigenvalues",
        _matrix(c, J),
        record.jacobian,
        where=record.verdict,
        reason=str(record.evidence.method) if record.evidence else "",
    )
    return record


def root_words(record: Stability) -> list[str]:
    """Where the bound of the step is a root without a closed form: of which equation."""
    out = []
    bound = record.step_bound
    for r in bound.expression.atoms(S.CRootOf) if isinstance(bound, Closed) else ():
        equation = S.sstr(r.poly.as_expr(S.Symbol("t"))).replace("**", "^")
        out.append(f"{float(r):.6g} is rounded: the root t of {equation} = 0")
    return out


def _sides(c: Coordinates, field: list[Any], place: dict[Any, Any]) -> dict[tuple[Any, ...], list[Any]]:
    """The field on every side of its kinks at the point; one side where their Jacobians are the same. Raises
    CannotDerive where it jumps there."""
    found = branches(field, c.symbols, place)
    smooth = found is not None and all(
        vanishes(v.subs(place, simultaneous=True)) is not None for side in found.values() for v in side
    )
    if not smooth or found is None:
        for s, v in zip(c.symbols, field, strict=True):
            if has_kink(v, c.symbols):
                raise CannotDerive(
                    f"the motion of `{c.name(s)}` is not smooth at the equilibrium {_where(c, place)}: it has no Jacobian "
                    "there, and stability by eigenvalues is of smooth games",
                    c.game.players[c.owner[c.symbols.index(s)]].payoff,
                )
        return {(): field}
    jacobians = [S.Matrix(v).jacobian(S.Matrix(c.symbols)).subs(place, simultaneous=True) for v in found.values()]
    if all((J - jacobians[0]).applyfunc(S.simplify).is_zero_matrix for J in jacobians[1:]):
        first = next(iter(found.values()))
        return {(): first}
    return found


def _of_sides(
    game: Game, c: Coordinates, ctx: Context, field: list[Any], place: dict[Any, Any], sides: dict[tuple[Any, ...], list[Any]],
    needed: list[tuple[str, Any]], flow: bool,
) -> Stability:  # fmt: skip
    """At a kink of the field the sides have Jacobians of their own: where the symmetric parts of all are definite of one
    sign, the distance from the equilibrium falls, or rises, on every side. Raises CannotDerive where that does not decide."""
    payoff = game.players[0].payoff
    jacobians = [S.Matrix(v).jacobian(S.Matrix(c.symbols)).subs(place, simultaneous=True).applyfunc(short)
                 for v in sides.values()]  # fmt: skip
    signs = {definite_sign((J + J.T) / 2, c.symbols, place) for J in jacobians}
    worn = flow and signs not in ({-1}, {1}) and _is_worn_down(c, list(sides), jacobians)
    if (signs not in ({-1}, {1}) and not worn) or not flow:
        texts = " and ".join(sorted({str([[c.text(e) for e in J.row(i)] for i in range(J.rows)]) for J in jacobians}))
        texts = texts.replace("'", "")
        raise CannotDerive(
            f"the motion has a kink at the equilibrium {_where(c, place)}: its Jacobians on the sides are {texts}, and "
            "symgen does not decide stability from them",
            payoff,
        )
    shown = [short(v) for v in field]
    joined = jacobians[0]
    for side, J in list(zip(sides, jacobians, strict=True))[1:]:
        joined = _joined(joined, J, S.And(*(argument * sign > 0 for argument, sign in side)))
    verdict = "converges" if signs == {-1} or worn else "diverges"
    reason = (
        (
            "the field has a kink at the equilibrium; on every side of it the distance from the equilibrium does not grow, for the "
            "symmetric part of the Jacobian is negative semidefinite, and no motion keeps it: LaSalle (1960)"
        )
        if worn
        else (
            "the field has a kink at the equilibrium; on every side of it the symmetric part of the Jacobian is "
            f"{'negative' if signs == {-1} else 'positive'} definite: the distance from the equilibrium "
            f"{'falls' if signs == {-1} else 'grows'} along the flow"
        )
    )
    ctx.trace.add("vector_field", payoff, _vector(c, shown), reason="each player moves along the gradient of its payoff")
    values: list[Any] = []
    for J in jacobians:
        polynomial = characteristic(J)
        values += eigenvalues_of(c, eigenvalue_pairs(polynomial), polynomial)
        ctx.trace.add("jacobian", _vector(c, shown), _matrix(c, J), reason=f"on one side of {_where(c, place)}")
    return Stability(
        tuple(c.node(v) for v in shown),
        rows(c, joined),
        tuple(values),
        None,
        verdict,
        None,
        tuple(relations(c, needed)),
        {c.name(s): c.node(v) for s, v in place.items()},
        tuple(c.name(s) for s in c.symbols),
        None,
        Evidence("proved", method=reason),
    )


def _is_worn_down(c: Coordinates, sides: list[tuple[Any, ...]], jacobians: list[Any]) -> bool:
    """Whether the distance never grows on two sides of one kink, the field being continuous there, and no motion stays
    where it is kept: the parts that J and its symmetric part Q do not see, [Q; Q J; ..] z = 0, are 0.

    A field of degree 1 that is stable so is exponentially stable, and what is of higher order does not matter.
    """
    if len(sides) != 2 or any(len(side) != 1 for side in sides):
        return False
    normal = S.Matrix([S.diff(sides[0][0][0], s) for s in c.symbols])
    jump = jacobians[0] - jacobians[1]
    if not normal.free_symbols.isdisjoint(c.symbols):
        return False
    across = [jump[i, j] * normal[k] - jump[i, k] * normal[j]
              for i in range(jump.rows) for j in range(jump.cols) for k in range(j)]  # fmt: skip
    if any(S.simplify(x) != 0 for x in across):
        return False  # the field jumps along the kink
    for J in jacobians:
        Q = -(J + J.T) / 2
        size = Q.rows
        chosen = [list(k) for n in range(1, size + 1) for k in itertools.combinations(range(size), n)]
        if not all(never_positive(-S.factor(Q.extract(k, k).det())) for k in chosen):
            return False
        seen = S.Matrix.vstack(*(Q * J**k for k in range(size)))
        if sign_of(S.factor((seen.T * seen).det())) != 1:
            return False
    return True


def _joined(rest: Any, J: Any, there: Any) -> Any:
    """The Jacobian that is J on one side and `rest` elsewhere."""
    return S.Matrix(J.rows, J.cols, lambda i, j: S.Piecewise((J[i, j], there), (rest[i, j], True)))


def _vector(c: Coordinates, values: list[Any]) -> Array:
    """The tensor of rank 1 with these entries."""

    i = axis(0, num(len(values)))
    return tensor((i,), add(*(mul(delta(i, num(k)), c.node(v)) for k, v in enumerate(values))))


def _matrix(c: Coordinates, m: Any) -> Array:

    i, j = axis(0, num(m.rows)), axis(1, num(m.cols))
    return tensor(
        (i, j),
        add(*(mul(delta(i, num(a)), delta(j, num(b)), c.node(m[a, b])) for a in range(m.rows) for b in range(m.cols))),
    )


def _where(c: Coordinates, place: dict[Any, Any]) -> str:
    return ", ".join(f"{c.name(s)} = {c.text(v)}" for s, v in place.items())


def _point(c: Coordinates, field: list[Any], at: Array | None) -> tuple[dict[Any, Any], list[tuple[str, Any]]]:
    """The point that is looked at, and what has to hold for it to be an equilibrium: (op, value) for `value op 0`."""
    if at is not None:
        return _given_point(c, field, at), []
    found = stationary_points(c)
    points, never = [p for p in found.points if not p.ends or p.is_equilibrium], found.never
    good = [p for p in points if p.is_equilibrium] or [p for p in points if all(j.word != "worse" for j in p.judgements)]
    chosen = sorted(good or points, key=lambda p: bool(p.ends))[:1]
    if chosen and chosen[0].ends:
        raise CannotDerive(
            f"the equilibrium {_where(c, chosen[0].solution.values)} stands at an end of the range of "
            + ", ".join(f"`{c.name(s)}`" for s in chosen[0].ends)
            + ": the motion is not smooth there, and stability by eigenvalues is of points inside",
            c.game.players[0].payoff,
        )
    if not chosen:
        raise CannotDerive(
            "the game has no equilibrium to look at"
            if never is not None or (found.complete and not points)
            else "no equilibrium of the game was found to look at: say where with `at=`",
            c.game.players[0].payoff,
        )
    values = chosen[0].solution.values
    needed = conditions_at(c, chosen[0]) + [("!=", v) for v in found.needed]
    return {s: values.get(s, s) for s in c.symbols}, needed


def _given_point(c: Coordinates, field: list[Any], at: Array) -> dict[Any, Any]:

    if at.rank == 0:
        values = [to_sympy(entry(at), c.table)] * len(c.symbols)
    elif at.rank == 1 and at.shape[0] is num(len(c.symbols)):
        values = [to_sympy(open_tensor(at, (num(k),)), c.table) for k in range(len(c.symbols))]
    else:
        raise CannotDerive(f"`at` has to give the {len(c.symbols)} coordinates of the players, in their order", at)
    place = dict(zip(c.symbols, values, strict=True))
    for v in field:
        if vanishes(v.subs(place, simultaneous=True)) is None:
            raise CannotDerive("the point `at` is not stationary: the vector field does not vanish there", at)
    return place
