"""The operators on games, reduced: each makes a record, or the value of a payoff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgen.derivation.context import Context
from symgen.games import best_response as responses
from symgen.games import equilibrium as equilibria
from symgen.games import stability as stabilities
from symgen.games.game import Game, Player, decode
from symgen.games.records import BestResponse, Equilibrium, Stability
from symgen.tensor.expression import Array, Operator, tensor

__all__ = ["REDUCERS", "reduce_game"]


def _player(game: Game, number: int | None) -> Player:
    """The player of that number; without one, the first who chooses a function, else the first."""
    if number is not None:
        return game.players[number]
    chooses = [p for p in game.players if p.unknown is not None and p.unknown.kind == "function"]
    return (chooses or list(game.players))[0]


def best_response(op: Operator, ctx: Context) -> BestResponse:
    game, options = decode(op)
    return responses.best_response(game, _player(game, options["player"]), ctx)


def value(op: Operator, ctx: Context) -> Array:
    game, options = decode(op)
    return tensor((), responses.value(game, _player(game, options["player"]), ctx))


def equilibrium(op: Operator, ctx: Context) -> Equilibrium:
    return equilibria.equilibrium(decode(op)[0], ctx)


def stability(op: Operator, ctx: Context) -> Stability:
    game, options = decode(op)
    return stabilities.stability(game, ctx, **options)


REDUCERS: dict[str, Callable[[Operator, Context], Any]] = {
    "best_response": best_response,
    "value": value,
    "equilibrium": equilibrium,
    "stability": stability,
}


def reduce_game(op: Operator, ctx: Context) -> Any:
    """What an operator on a game means: a record, or an array of rank 0 for `value`."""
    return REDUCERS[op.name](op, ctx)
