"""What a spec asks for: games, derivations, claims, training."""

from __future__ import annotations

from symgen.games.game import Game, Player, Unknown
from symgen.model.declarations import number
from symgen.model.distribution_reader import DistributionReader, plain_array
from symgen.model.elaboration import Elaboration
from symgen.model.model import GameRef, Goal, TrainGoal, UnknownFunction
from symgen.probability.joint import Joint
from symgen.tensor.build import Value
from symgen.tensor.expression import Array, Operator, Var, variables_of
from symgen.tensor.scope import Clash, Witness, shape_text
from symgen.text import tree
from symgen.text.names import near_name
from symgen.text.tree import Span

METHODS = ("sgd", "momentum", "rmsprop", "adam", "adamw", "lbfgs", "newton")
GAME_METHODS = (*METHODS, "simultaneous", "alternating", "extragradient", "optimistic", "consensus")
TRAIN_OPTIONS = ("steps", "batch", "seed", "samples", "inner")


def define_game(model: Elaboration, name: str, s: tree.Game) -> None:
    reader = model.reader()
    players: list[Player] = []
    seen: dict[str, Span] = {}
    if not s.players:
        raise Clash(
            f"the game `{name}` has no player", s.name.span, "no player", help=f"`game {name} = {{x: min V, y: max V}}`"
        )
    for p in s.players:
        payoff = reader.value(p.payoff)
        if payoff.rank:
            raise Clash("a payoff is a scalar", p.payoff.span, shape_text(payoff.shape), reader.witnesses(p.payoff))
        moves: list[Array | Unknown] = []
        for n in p.names:
            if n.name in seen:
                raise Clash(f"`{n.name}` has two players", n.span, "again", [Witness(seen[n.name], "first here")])
            seen[n.name] = n.span
            moves.append(strategy(model, reader, n))
        players.append(Player(tuple(moves), p.sense, payoff.array()))
    game = Game(name, tuple(players), tuple(model.out.joints.values()))
    for k in game.idle():
        place = next(p for p, q in zip(s.players, players, strict=True) if q is k)
        raise Clash(
            f"`{place.names[0].name}` does not occur in what its player wants", place.payoff.span, "its payoff",
            [Witness(place.names[0].span, "the player")],
        )  # fmt: skip
    model.out.games[name] = game
    model.bind(name, GameRef(name, game), "game")


def strategy(model: Elaboration, reader: DistributionReader, n: tree.Name) -> Array | Unknown:
    b = model.scope.find(n.name)
    if b is None:
        raise reader.unknown_name(n.name, n.span)
    if isinstance(b.meaning, UnknownFunction):
        return Unknown("function", n.name, b.meaning.range)
    if isinstance(b.meaning, Joint):
        law = b.meaning.factors[0].law
        if isinstance(law, Operator) and law.name == "density":
            return Unknown("density", n.name, shape=law.shape)
        raise Clash(f"`{n.name}` is a known distribution: a player moves a density or a parameter", n.span, "known",
                    [Witness(b.span, "declared here")])  # fmt: skip
    if isinstance(b.meaning, Value):
        array = plain_array(b.meaning)
        if isinstance(array, Var) and array.role == "param":
            return array
    raise Clash(f"a player moves a parameter, a function or a density, and `{n.name}` is a {b.kind}", n.span, b.kind,
                [Witness(b.span, "declared here")])  # fmt: skip


def goal(model: Elaboration, s: tree.Statement) -> None:
    if isinstance(s, tree.Derive):
        derive_goal(model, s)
    elif isinstance(s, tree.Claim):
        if s.name is not None:
            check_goal_name(model, s.name)
        model.out.claims.append(s)
    elif isinstance(s, tree.Train):
        train_goal(model, s)


def check_goal_name(model: Elaboration, name: tree.Name) -> None:
    """A claim may share its name with nothing."""
    if name.name in model.statements:
        raise Clash(f"`{name.name}` is declared twice", name.span, "again",
                    [Witness(model.places[name.name], f"first as a {model.kinds[name.name]}")])  # fmt: skip
    for goal in model.out.goals:
        if goal.name == name.name:
            raise Clash(f"`{name.name}` is declared twice", name.span, "again", [Witness(goal.span, "first here")])


def derive_goal(model: Elaboration, s: tree.Derive) -> None:
    if s.name is None:
        model.reader().value(s.goal)
    elif model.statements.get(s.name.name) is not s:
        return
    else:
        model.scope.find(s.name.name)
    model.out.goals.append(Goal(s.name.name if s.name is not None else None, s.goal, s.span))


def train_goal(model: Elaboration, s: tree.Train) -> None:
    name = s.target.name
    b = model.scope.find(name)
    if b is None:
        near = near_name(name, [*model.out.losses, *model.out.games])
        raise Clash(
            f"unknown loss `{name}`", s.target.span, "not declared", help=f"did you mean `{near}`?" if near else None
        )
    is_game = isinstance(b.meaning, GameRef)
    if not is_game and name not in model.out.losses:
        raise Clash(f"`{name}` is a {b.kind}: a loss or a game is trained", s.target.span, b.kind,
                    [Witness(b.span, "declared here")],
                    help=f"declare it with `loss {name} = ..`" if b.kind == "named value" else None)  # fmt: skip
    known = GAME_METHODS if is_game else METHODS
    method = s.method
    if method is not None and method.function not in known:
        near = near_name(method.function, known)
        raise Clash(f"unknown method `{method.function}`", method.span, "not known",
                    help=f"did you mean `{near}`?" if near else "methods are " + ", ".join(known))  # fmt: skip
    if method is not None and method.arguments:
        raise Clash("options of a method go by name", method.span, help="`adam(lr=1e-3)`")
    options: dict[str, float] = {}
    for k in s.options:
        if k.name not in TRAIN_OPTIONS:
            near = near_name(k.name, TRAIN_OPTIONS)
            raise Clash(
                f"unknown option `{k.name}`", k.span, "not known", help=f"did you mean `{near}`?" if near else None
            )
        options[k.name] = float(number(model, k.value))
        if k.name in ("steps", "batch", "samples") and (options[k.name] < 1 or options[k.name] != int(options[k.name])):
            raise Clash(f"`{k.name}` is a positive integer", k.value.span, "not one")
    wrt: list[str] = []
    for n in s.wrt:
        declared = model.out.variables.get(n.name)
        if declared is None or declared.variable.role != "param":
            kind = model.kinds.get(n.name)
            if kind is None:
                raise model.reader().unknown_name(n.name, n.span)
            raise Clash(f"`{n.name}` is a {kind}: parameters are trained", n.span, kind,
                        [Witness(model.places[n.name], "declared here")])  # fmt: skip
        wrt.append(n.name)
    if not is_game:
        used = {v.name for v in variables_of(model.out.lets[name]) if v.role == "param"}
        for n in s.wrt:
            if n.name not in used:
                raise Clash(f"`{name}` does not depend on `{n.name}`", n.span, "not in the loss",
                            [Witness(model.places[name], "the loss")])  # fmt: skip
        if not wrt:
            wrt = [n for n in model.out.variables if n in used]
        if not wrt:
            raise Clash(f"`{name}` has no parameter to train", s.target.span, "no parameter")
    method_options = {k.name: float(number(model, k.value)) for k in method.keywords} if method is not None else {}
    model.out.trains.append(
        TrainGoal(name, is_game, tuple(wrt), method.function if method else "adam", method_options, options, s.span)
    )
