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
from symgen.tensor.clock import spent
from symgen.tensor.expression import Array, Operator, tensor
from symgen.tensor.sympy_bridge import SYMPY_ERRORS, NotInSymPy, within
from symgen.text.diagnostics import CannotDerive, SymgenError

__all__ = ["REDUCERS", "reduce_game"]

LONGEST = 60.0  # seconds of processor time


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


def readable(reduce: Callable[[Operator, Context], Any]) -> Callable[[Operator, Context], Any]:
    """The same within the time that is left, where what SymPy brings up and symgen cannot say is told as what cannot be
    derived."""

    def reduced(op: Operator, ctx: Context) -> Any:
        # payoffs are means under laws that may be unknown: that these stay is no news
        ctx.trace.notes[:] = [note for note in ctx.trace.notes if not note.startswith("a mean stays as it is")]
        seconds = min(max(ctx.deadline - spent(), 1.0), LONGEST)
        made: list[Any] = []
        failed: list[Exception] = []

        def work() -> None:
            try:
                made.append(reduce(op, ctx))
            except (SymgenError, *SYMPY_ERRORS) as error:
                failed.append(error)

        within(seconds, work)
        if not made and not failed:
            raise CannotDerive(
                f"{seconds:.0f} seconds were not enough for closed forms of this game", decode(op)[0].players[0].payoff
            )
        if failed and isinstance(failed[0], NotInSymPy):
            raise CannotDerive(
                f"a derivative of a payoff holds what symgen has no expression for ({_named(failed[0])}): a function of the "
                "players is not smooth, or its derivative has no closed form",
                decode(op)[0].players[0].payoff,
            ) from None
        if failed:
            raise failed[0]
        return made[0]

    return reduced


def _named(missing: NotInSymPy) -> str:
    """The function that is missing, without the symbols of the question."""
    words = {"Derivative": "the derivative of a function that jumps", "DiracDelta": "the derivative of a jump"}
    name = str(missing).split("(")[0]
    return words.get(name, name)


REDUCERS: dict[str, Callable[[Operator, Context], Any]] = {
    "best_response": readable(best_response),
    "value": readable(value),
    "equilibrium": readable(equilibrium),
    "stability": readable(stability),
}


def reduce_game(op: Operator, ctx: Context) -> Any:
    """What an operator on a game means: a record, or an array of rank 0 for `value`."""
    return REDUCERS[op.name](op, ctx)
