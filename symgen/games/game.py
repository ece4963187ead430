"""What a game is: players, what each of them chooses, and what it wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from symgen.probability.laws.joint import Joint
from symgen.tensor.expression import Array, Operator, Scalar, operator, variables_of, walk

__all__ = [
    "Unknown", "Player", "Game", "best_response", "value_at_best_response", "equilibrium", "stability", "decode",
]  # fmt: skip


@dataclass(frozen=True)
class Unknown:
    """A function or a density that a player chooses.

    In a payoff, the function D at x is `operator("apply", (x,), (), (D,))`; the density p_g is the law
    `operator("density", given, shape, ("law", p_g, ..))`. `range` is the domain word of a function's values.
    """

    kind: str  # function or density
    name: str
    range: str = "real"
    range_args: tuple[Scalar, ...] = ()
    shape: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class Player:
    """`variables` are unknowns or parameters; `sense` is max or min of `payoff`, an array of rank 0."""

    variables: tuple[Array | Unknown, ...]
    sense: str
    payoff: Array

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(getattr(v, "name", v)) for v in self.variables)

    @property
    def unknown(self) -> Unknown | None:
        """The function or density that this player chooses, if it is one."""
        return next((v for v in self.variables if isinstance(v, Unknown)), None)

    @property
    def parameters(self) -> tuple[Array, ...]:
        return tuple(v for v in self.variables if isinstance(v, Array))


@dataclass(frozen=True)
class Game:
    """`joints` are the declared distributions, for the names of the laws in the payoffs."""

    name: str
    players: tuple[Player, ...]
    joints: tuple[Joint, ...] = ()

    def __iter__(self) -> Iterator[Player]:
        return iter(self.players)

    def player(self, variable: object) -> Player:
        """Who chooses `variable` (a variable, an unknown or its name). Raises KeyError."""
        name = variable if isinstance(variable, str) else str(getattr(variable, "name", variable))
        for p in self.players:
            if name in p.names or variable in p.variables:
                return p
        raise KeyError(name)

    def player_names(self) -> list[tuple[str, ...]]:
        return [p.names for p in self.players]

    @property
    def is_zero_sum(self) -> bool:
        """Two players with opposite senses over one payoff."""
        if len(self.players) != 2:
            return False
        a, b = self.players
        return a.payoff is b.payoff and a.sense != b.sense

    @property
    def is_parametric(self) -> bool:
        return all(p.unknown is None for p in self.players)

    def idle(self) -> list[Player]:
        """Players whose payoff does not depend on what they choose."""
        out = []
        for p in self.players:
            used = variables_of(p.payoff)
            nodes = {str(n.attrs[:2]) for n in walk(p.payoff) if getattr(n, "name", "") in ("apply", "density")}
            if not any(any(v.name in key for key in nodes) if isinstance(v, Unknown) else v in used for v in p.variables):
                out.append(p)
        return out


# --- the operators on games, unreduced --------------------------------------------------------------------------------


def _encode(name: str, game: Game, more: tuple[Any, ...], arrays: tuple[Array, ...] = ()) -> Operator:
    return operator(name, (*(p.payoff for p in game.players), *arrays), (), (game, *more))


def best_response(game: Game, player: int) -> Operator:
    return _encode("best_response", game, (player,))


def value_at_best_response(game: Game, player: int | None = None) -> Operator:
    """The payoff at the best response of a player (of the first one whose choice is a function, where none is
    named)."""
    return _encode("value", game, (player,))


def equilibrium(game: Game) -> Operator:
    return _encode("equilibrium", game, ())


def stability(
    game: Game,
    method: str | None = None,
    step: Array | None = None,
    at: Array | None = None,
    options: tuple[Array, ...] = (),
) -> Operator:
    """In continuous time where neither a method nor a step is named; a step without a method is simultaneous."""
    arrays = tuple(a for a in (step, at, *options) if a is not None)
    return _encode("stability", game, (method, step is not None, at is not None), arrays)


def decode(op: Operator) -> tuple[Game, dict[str, Any]]:
    """The game with the payoffs that are the operands now, and the arguments of the operator."""
    game: Game = op.attrs[0]
    count = len(game.players)
    players = tuple(replace(p, payoff=a) for p, a in zip(game.players, op.args[:count], strict=True))
    game = replace(game, players=players)
    if op.name != "stability":
        return game, {"player": op.attrs[1]} if len(op.attrs) > 1 else {}
    method, has_step, has_at = op.attrs[1:]
    arrays = list(op.args[count:])
    step = arrays.pop(0) if has_step else None
    at = arrays.pop(0) if has_at else None
    return game, {"method": method, "step": step, "at": at, "options": tuple(arrays)}
