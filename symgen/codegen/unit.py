"""What code is made of: the declarations, losses with gradients, named values and training statements of a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symgen.tensor.expression import Array, Var

__all__ = ["Game", "Loss", "Param", "Player", "Train", "Unit"]


@dataclass(frozen=True)
class Param:
    """A parameter and how it starts: zeros, ones, normal (with `scale`), glorot, he, number (`scale`), or None: glorot
    for matrices, normal(0.1) for the rest, both within the domain."""

    variable: Var
    initial: str | None = None
    scale: float = 0.0


@dataclass(frozen=True)
class Loss:
    """A quantity of rank 0 and its gradients by parameters."""

    name: str
    value: Array
    gradients: Mapping[Var, Array]


@dataclass(frozen=True)
class Player:
    """One player of a game: its own parameters, `max` or `min`, its payoff and the gradients of that by them."""

    params: tuple[Var, ...]
    sense: str
    payoff: Array
    gradients: Mapping[Var, Array]
    name: str = ""


@dataclass(frozen=True)
class Game:
    name: str
    players: tuple[Player, ...]


@dataclass(frozen=True)
class Train:
    """`train target wrt .. with method(options), steps=.., batch=.., seed=..`; `wrt` empty: all parameters."""

    target: str
    wrt: tuple[str, ...] = ()
    method: str = "adam"
    options: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Unit:
    """What a module is generated from. `dims` are the declared sizes with their fixed values (None: free), `consts` the
    constants with defaults (None: to be given), `values` the named arrays that get a function each, `names` what
    arrays are called, `assumptions` texts for the docstring."""

    name: str = "model"
    dims: Mapping[str, int | None] = field(default_factory=dict)
    params: Sequence[Param] = ()
    data: Sequence[Var] = ()
    consts: Mapping[Var, Any] = field(default_factory=dict)
    losses: Sequence[Loss] = ()
    values: Sequence[tuple[str, Array]] = ()
    trains: Sequence[Train] = ()
    games: Sequence[Game] = ()
    names: Mapping[Array, str] = field(default_factory=dict)
    assumptions: Sequence[str] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)  # a name as the author spelled it -> the name
