"""Quadratic games in arrays of any size: the Jacobian is constant, and its symmetric part decides.

With J the Jacobian of the field and z' J z the change of |z|^2/2 along it: J skew keeps |z| (players rotate), a
negative definite symmetric part makes it fall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.gradient import gradient, jacobian
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.dynamics import CONTINUOUS
from symgen.games.game import Game
from symgen.games.records import Equation, Equilibrium, Stability
from symgen.tensor.expression import (
    HALF,
    ZERO,
    Array,
    Var,
    add,
    axis,
    depends_on,
    entry,
    mul,
    neg,
    num,
    open_tensor,
    replace_arrays,
    tensor,
)  # fmt: skip
from symgen.tensor.facts import is_negative, is_positive, is_spd
from symgen.text.diagnostics import CannotDerive

__all__ = ["Quadratic", "quadratic", "array_equilibrium", "array_stability"]


@dataclass
class Quadratic:
    """`field[k]` is the direction of variable k, `blocks[k][l]` its derivative by variable l; `homogeneous` says that
    the field vanishes at 0."""

    variables: list[Any]
    owner: list[int]
    field: list[Array]
    blocks: list[list[Array]]
    homogeneous: bool


def quadratic(game: Game, ctx: Context) -> Quadratic | None:
    """None where a derivative of the field still depends on the players' variables."""
    variables: list[Any] = []
    owner: list[int] = []
    field: list[Array] = []
    for k, p in enumerate(game.players):
        quiet = Context(facts=ctx.facts, names=ctx.names)
        slopes = gradient(p.payoff, list(p.parameters), quiet, "free")
        for v in p.parameters:
            if isinstance(v, Var) and v.domain != "real":
                raise CannotDerive(
                    f"`{v.name}` is of domain `{v.domain}`: of players of symbolic sizes symgen looks at real ones",
                    v,
                    "symgen/games/arrays.py",
                )
            axes = [axis(j, s) for j, s in enumerate(v.shape)]
            body = open_tensor(slopes[v], axes)
            variables.append(v)
            owner.append(k)
            field.append(tensor(axes, body if p.sense == "max" else neg(body)))
    blocks = [[jacobian(f, v, Context(facts=ctx.facts), "free") for v in variables] for f in field]
    if any(depends_on(b, v) for row in blocks for b in row for v in variables):
        return None
    at_zero = {v: (lambda *_: ZERO) for v in variables}
    homogeneous = all(_is_zero(replace_arrays(f, at_zero)) for f in field)
    return Quadratic(variables, owner, field, blocks, homogeneous)


def _is_zero(a: Array) -> bool:
    return simplify_scalar(open_tensor(a, [axis(j, s) for j, s in enumerate(a.shape)])) is ZERO


def _symmetric_part(q: Quadratic, k: int, m: int) -> Array:
    """(J + J')/2 between the variables k and m, over the axes of k and then those of m."""
    rows = [axis(j, s) for j, s in enumerate(q.variables[k].shape)]
    columns = [axis(len(rows) + j, s) for j, s in enumerate(q.variables[m].shape)]
    there = open_tensor(q.blocks[k][m], [*rows, *columns])
    back = open_tensor(q.blocks[m][k], [*columns, *rows])
    return tensor([*rows, *columns], simplify_scalar(mul(HALF, add(there, back))))


def _sign(q: Quadratic, k: int, part: Array) -> int | None:
    """-1 or 1 where a diagonal block is negative or positive definite, 0 where it is zero."""
    if _is_zero(part):
        return 0
    if q.variables[k].rank > 1:
        return None
    if not q.variables[k].rank:
        value = entry(part)
        return 1 if is_positive(value) else -1 if is_negative(value) else None
    axes = [axis(j, s) for j, s in enumerate(part.shape)]
    if is_spd(part):
        return 1
    return -1 if is_spd(tensor(axes, neg(open_tensor(part, axes)))) else None


def array_equilibrium(game: Game, ctx: Context) -> Equilibrium | None:
    """The equilibrium at 0 of a homogeneous quadratic game; else what its equilibria satisfy, where that is sure."""
    q = quadratic(game, ctx)
    if q is None:
        return None
    own = []
    for k in range(len(q.variables)):
        rivals = [m for m in range(len(q.variables)) if q.owner[m] == q.owner[k] and m != k]
        if any(not _is_zero(q.blocks[k][m]) for m in rivals):
            return None
        own.append(_sign(q, k, q.blocks[k][k]))
    conditions = tuple(Equation(f, num(0)) for f in q.field)
    if not q.homogeneous:
        return _where_stationary(q, game, own, conditions, ctx)
    for f, v in zip(q.field, q.variables, strict=True):
        ctx.trace.add("stationarity", game.players[0].payoff, f, where=v.name, reason=f"vanishes at {v.name} = 0")
    strategies = {v.name: tensor([axis(j, s) for j, s in enumerate(v.shape)], ZERO) for v in q.variables}
    if any(s not in (0, -1) for s in own):
        word = (
            "not an equilibrium: a player's payoff rises from 0"
            if 1 in own
            else "stationary point: the second-order condition is open"
        )
        return Equilibrium(conditions, strategies, None, word, None, Evidence("proved" if 1 in own else "unknown"))
    falls = _falls(q, own)
    value = replace_arrays(entry(game.players[0].payoff), {v: (lambda *_: ZERO) for v in q.variables})
    kind = "global Nash equilibrium" + (" (saddle point)" if game.is_zero_sum else "")
    return Equilibrium(
        conditions,
        strategies,
        value,
        kind,
        True if falls else None,
        Evidence("proved", method="the field vanishes at 0; each payoff is concave in the player's own variables"),
    )


def _falls(q: Quadratic, own: list[int | None]) -> bool:
    """Whether the symmetric part of the Jacobian is negative definite, by its blocks."""
    n = range(len(own))
    return all(s == -1 for s in own) and all(_is_zero(_symmetric_part(q, k, m)) for k in n for m in n if k != m)


def _where_stationary(
    q: Quadratic, game: Game, own: list[int | None], conditions: tuple[Equation, ...], ctx: Context
) -> Equilibrium | None:
    """Payoffs that are concave in the players' own variables: the equilibria are where the field vanishes."""
    if any(s not in (0, -1) for s in own):
        return None
    for f, v in zip(q.field, q.variables, strict=True):
        ctx.trace.add("stationarity", game.players[0].payoff, f, where=v.name, reason="vanishes at an equilibrium")
    unique = True if _falls(q, own) else None
    saddle = " (saddle point)" if game.is_zero_sum else ""
    kind = f"conditions: every point at which they hold is a global Nash equilibrium{saddle}, "
    kind += "and there is exactly one" if unique else "and without such a point there is none"
    return Equilibrium(
        conditions, {}, None, kind, unique, Evidence("proved", method="each payoff is concave in the player's own variables")
    )


def _place_of_rest(q: Quadratic, game: Game) -> tuple[Any, ...]:
    """What has to hold for the field J z + v to vanish somewhere. Raises CannotDerive for players that drift: the rows of
    J are 0 there."""
    drifting = [k for k in range(len(q.variables)) if all(_is_zero(b) for b in q.blocks[k]) and not _is_zero(q.field[k])]
    if drifting:
        names = " and ".join(f"`{q.variables[k].name}`" for k in drifting)
        raise CannotDerive(
            f"the game has no equilibrium to look at: {names} move{'s' * (len(drifting) == 1)} with a speed that nothing "
            "changes, unless it is 0",
            game.players[0].payoff,
        )
    if all(_is_zero(b) for row in q.blocks for b in row):
        raise CannotDerive("nothing moves: every point is an equilibrium", game.players[0].payoff)
    if q.homogeneous:
        return ()
    names = ", ".join(v.name for v in q.variables)
    return (f"an equilibrium exists: the vector field vanishes at some {names}",
            *(Equation(f, num(0)) for f in q.field))  # fmt: skip


def array_stability(game: Game, ctx: Context, method: str | None, step: Array | None) -> Stability:
    """The verdict by the symmetric part of the Jacobian. Raises CannotDerive for a game that is not quadratic."""
    q = quadratic(game, ctx)
    if q is None:
        raise CannotDerive(
            "the sizes are symbols and the game is not quadratic: its Jacobian differs from point to point",
            game.players[0].payoff,
            "symgen/games/arrays.py",
        )
    n = len(q.variables)
    parts = [[_symmetric_part(q, k, m) for m in range(n)] for k in range(n)]
    for f, v in zip(q.field, q.variables, strict=True):
        ctx.trace.add("vector_field", game.players[0].payoff, f, where=v.name, reason="the gradient of the player's payoff")
    there = _place_of_rest(q, game)
    mixed_zero = all(_is_zero(parts[k][m]) for k in range(n) for m in range(n) if k != m)
    signs = [_sign(q, k, parts[k][k]) for k in range(n)]
    flow = method in CONTINUOUS or (method is None and step is None)
    verdict, reason, conditions, shown = (
        "inconclusive",
        "the symmetric part of the Jacobian has no sure sign",
        (),
        "unknown",
    )
    skew = mixed_zero and all(s == 0 for s in signs)
    if skew and flow:
        verdict, reason, shown = (
            "cycles",
            "the Jacobian is skew: the distance from the equilibrium is conserved",
            "proved",
        )
    elif skew and method in (None, "simultaneous"):
        verdict, shown = "diverges", "proved"
        reason = "the Jacobian J is skew: a step of size h multiplies |z|^2 by 1 + h^2 |J z|^2/|z|^2"
        conditions = ("J z != 0 at the start",)  # type: ignore[assignment]
    elif skew and method == "extragradient":
        verdict, shown = "converges", "proved"
        reason = "the Jacobian J is skew with eigenvalues i s: a step multiplies by modulus sqrt(1 - (h s)^2 + (h s)^4)"
        conditions = ("h*norm(J) < 1 in the spectral norm", "along the kernel of J nothing moves")  # type: ignore[assignment]
    elif skew and method is not None:
        reason = f"the Jacobian is skew: symgen has no verdict on {method} steps for variables of symbolic sizes"
    elif mixed_zero and all(s == -1 for s in signs) and flow:
        verdict, reason, shown = "converges", "the symmetric part of the Jacobian is negative definite", "proved"
    elif mixed_zero and all(s == 1 for s in signs) and (flow or method in (None, "simultaneous")):
        verdict, reason, shown = "diverges", "the symmetric part of the Jacobian is positive definite", "proved"
    if skew and verdict != "inconclusive":
        conditions = (*conditions, *there)
    return Stability(
        tuple(q.field),
        tuple(tuple(row) for row in q.blocks),
        (),
        None,
        verdict,
        None,
        conditions,
        None,
        tuple(v.name for v in q.variables),
        None,
        Evidence(shown, method=reason),
    )
