"""What a spec declares, typed: the variables, the named arrays, the distributions and games, the goals and claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from symgen.probability.laws.joint import DistRef, Joint
from symgen.tensor.expression import Array, Scalar, Var
from symgen.tensor.facts import Facts
from symgen.text import tree
from symgen.text.diagnostics import Diagnostic
from symgen.text.tree import Source, Span


@dataclass(frozen=True)
class Initial:
    """How a parameter starts: zeros, ones, normal (with its scale), glorot, he, or a number."""

    kind: str
    scale: float = 0.0


@dataclass(frozen=True)
class Declared:
    """A variable of the spec with its declaration. `default` is the value of a constant, `initial` that of a parameter."""

    variable: Var
    span: Span
    initial: Initial | None = None
    default: Any = None


@dataclass(frozen=True)
class UnknownFunction:
    """function D(x: real[d]): unit"""

    name: str
    shapes: tuple[tuple[Scalar, ...] | None, ...]
    range: str
    span: Span


@dataclass(frozen=True)
class Family:
    """A family of distributions written in place, Normal(0, 1), as an argument of an operator."""

    ref: DistRef


@dataclass(frozen=True)
class GameRef:
    name: str
    game: Any


@dataclass
class Goal:
    """A `derive` statement."""

    name: str | None
    expression: tree.Expression
    span: Span


@dataclass(frozen=True)
class TrainGoal:
    target: str
    is_game: bool
    wrt: tuple[str, ...]
    method: str
    method_options: dict[str, float]
    options: dict[str, float]
    span: Span


@dataclass
class Elaborated:
    """All that a spec says. `names` gives the author's name of an array; the first name wins where two mean the same."""

    source: Source
    spec: tree.Spec
    dims: dict[str, Scalar] = field(default_factory=dict)
    variables: dict[str, Declared] = field(default_factory=dict)
    lets: dict[str, Array] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    names: dict[Array, str] = field(default_factory=dict)
    joints: dict[str, Joint] = field(default_factory=dict)
    functions: dict[str, UnknownFunction] = field(default_factory=dict)
    games: dict[str, Any] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    claims: list[tree.Claim] = field(default_factory=list)
    trains: list[TrainGoal] = field(default_factory=list)
    facts: Facts | None = None
    assumptions: list[str] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    reader: Callable[[], Any] | None = None
    declared: frozenset[str] = frozenset()  # every name of the spec, random variables and sizes among them
