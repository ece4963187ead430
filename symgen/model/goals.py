"""What a spec asks for: games, derivations, claims, training."""

from __future__ import annotations

from symgen.games.game import Game, Player, Unknown
from symgen.model.declarations import number
from symgen.model.distribution_reader import DistributionReader, plain_array
from symgen.model.elaboration import Elaboration
from symgen.model.model import GameRef, Goal, TrainGoal, UnknownFunction
from symgen.model.training import GAME_METHODS, METHODS, OPTIONS, POSITIVE, WHOLE
from symgen.probability.laws.joint import Joint
from symgen.tensor.build import Value
from symgen.tensor.expression import Array, Operator, Var, variables_of
from symgen.tensor.scope import Clash, Witness, shape_text
from symgen.text import tree
from symgen.text.tree import Span


def define_game(model: Elaboration, name: str, s: tree.Game) -> None:
    reader = model.reader()
    players: list[Player] = []
    seen: dict[str, Span] = {}
    if not s.players:
        raise Clash(f"the game `{name}` has no player", s.name.span, "no player", help=f"`game {name} = {{x: min V, y: max V}}`")
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
            check_claim_name(model, s.name)
        model.out.claims.append(s)
    elif isinstance(s, tree.Train):
        train_goal(model, s)


def check_claim_name(model: Elaboration, name: tree.Name) -> None:
    """A claim may share its name with nothing."""
    if name.name in model.statements:
        raise model.declared_twice(name)
    first = model.claim_names.setdefault(name.name, name.span)
    if first != name.span:
        raise Clash(f"two claims are named `{name.name}`", name.span, "again", [Witness(first, "first here")])


def derive_goal(model: Elaboration, s: tree.Derive) -> None:
    if s.name is None:
        model.reader().value(s.goal)
    elif model.statements.get(s.name.name) is not s:
        return
    else:
        model.scope.find(s.name.name)
    model.out.goals.append(Goal(s.name.name if s.name is not None else None, s.goal, s.span))


def train_goal(model: Elaboration, s: tree.Train) -> None:
    """Every mistake of the statement is told: that of the target, of the method, of each option."""
    found: dict[str, bool] = {}
    sound = model.attempt(None, lambda: found.update(game=is_game_of(model, s)))
    is_game = found.get("game", model.kinds.get(s.target.name) == "game")
    method_options: dict[str, float] = {}
    options: dict[str, float] = {}
    sound &= s.method is None or check_method(model, s.method, is_game, method_options)
    method = s.method.function if s.method is not None else "adam"
    for k in s.options:
        sound &= model.attempt(None, lambda k=k: options.update({k.name: own_option(model, k, method)}))  # type: ignore[misc]
    if sound:
        parameters = trained(model, s, is_game)
        model.out.trains.append(TrainGoal(s.target.name, is_game, parameters, method, method_options, options, s.span))


def is_game_of(model: Elaboration, s: tree.Train) -> bool:
    """Whether a game is trained, and not a loss."""
    name = s.target.name
    b = model.scope.find(name)
    if b is None:
        near = model.near_name(name, [*model.out.losses, *model.out.games])
        help = f"did you mean `{near}`?" if near else f"declare it with `loss {name} = ..`"
        raise Clash(f"unknown loss `{name}`", s.target.span, "not declared", help=help)
    if isinstance(b.meaning, GameRef):
        return True
    if name not in model.out.losses:
        raise Clash(f"`{name}` is a {b.kind}: a loss or a game is trained", s.target.span, b.kind,
                    [Witness(b.span, "declared here")],
                    help=f"declare it with `loss {name} = ..`" if b.kind == "named value" else None)  # fmt: skip
    return False


def own_option(model: Elaboration, k: tree.Keyword, method: str) -> float:
    """The number of an option of the statement itself."""
    if k.name not in OPTIONS:
        near = model.near_name(k.name, OPTIONS)
        own = any(k.name in names for names in METHODS.values())
        help = f"it is an option of the method: `{method}({k.name}=..)`" if own else "options are " + ", ".join(OPTIONS)
        raise Clash(f"unknown option `{k.name}`", k.span, "not known", help=f"did you mean `{near}`?" if near else help)
    return option(model, k)


def check_method(model: Elaboration, e: tree.Call, is_game: bool, options: dict[str, float]) -> bool:
    """Reads the options of a method into `options`; whether the method and all of them are right."""
    names: dict[str, tuple[str, ...]] = {}
    if not model.attempt(None, lambda: names.update({e.function: names_of_method(model, e, is_game)})):
        known = (*METHODS.values(), *GAME_METHODS.values())
        return (
            all(
                model.attempt(None, lambda k=k: options.update({k.name: option(model, k)}))  # type: ignore[misc]
                for k in e.keywords
                if any(k.name in own for own in known)
            )
            and False
        )
    sound = True
    if e.arguments:
        first = e.arguments[0]
        text = model.written(first.span)
        model.report(
            Clash("options of a method go by name", first.span, "by name", help=f"`{e.function}({names[e.function][0]}={text})`")
        )
        sound = False
    for k in e.keywords:
        sound &= model.attempt(None, lambda k=k: options.update({k.name: method_option(model, e.function, k, names[e.function])}))  # type: ignore[misc]
    return sound


def names_of_method(model: Elaboration, e: tree.Call, is_game: bool) -> tuple[str, ...]:
    """The names of the options of a method."""
    known = GAME_METHODS if is_game else METHODS
    span = e.name_span if e.name_span != tree.NOWHERE else e.span
    if e.function in known:
        return known[e.function]
    if e.function in (METHODS if is_game else GAME_METHODS):
        of = "losses, and a game is trained" if is_game else "games, and a loss is trained"
        raise Clash(f"`{e.function}` is a method for {of}", span, "not for this", help="methods are " + ", ".join(known))
    near = model.near_name(e.function, known)
    raise Clash(f"unknown method `{e.function}`", span, "not known",
                help=f"did you mean `{near}`?" if near else "methods are " + ", ".join(known))  # fmt: skip


def method_option(model: Elaboration, method: str, k: tree.Keyword, names: tuple[str, ...]) -> float:
    if k.name not in names:
        near = model.near_name(k.name, names)
        raise Clash(f"`{method}` has no option `{k.name}`", k.span, "not known",
                    help=f"did you mean `{near}`?" if near else "its options are " + ", ".join(names))  # fmt: skip
    return option(model, k)


def option(model: Elaboration, k: tree.Keyword) -> float:
    """The number of an option."""
    exact = number(model, k.value)
    if not -(10**15) <= exact <= 10**15:
        raise Clash(f"`{k.name}` is too large", k.value.span, "beyond 10^15")
    value = float(exact)
    if k.name in WHOLE and value != int(value):
        raise Clash(f"`{k.name}` is an integer", k.value.span, "not an integer")
    if k.name in POSITIVE and value <= 0 or value < 0:
        raise Clash(f"`{k.name}` is {'positive' if k.name in POSITIVE else 'at least 0'}", k.value.span, f"is {value:g}")
    return value


def trained(model: Elaboration, s: tree.Train, is_game: bool) -> tuple[str, ...]:
    """The parameters that are trained: those after `wrt`, or all that the loss depends on."""
    for n in s.wrt:
        declared = model.out.variables.get(n.name)
        if declared is None or declared.variable.role != "param":
            kind = model.kinds.get(n.name)
            if kind is None:
                raise model.reader().unknown_name(n.name, n.span)
            raise Clash(f"`{n.name}` is a {kind}: parameters are trained", n.span, kind,
                        [Witness(model.places[n.name], "declared here")])  # fmt: skip
    if is_game:
        return tuple(n.name for n in s.wrt)
    name = s.target.name
    used = {v.name for v in variables_of(model.out.lets[name]) if v.role == "param"}
    for n in s.wrt:
        if n.name not in used:
            raise Clash(f"`{name}` does not depend on `{n.name}`", n.span, "not in the loss",
                        [Witness(model.places[name], "the loss")])  # fmt: skip
    found = tuple(n.name for n in s.wrt) or tuple(n for n in model.out.variables if n in used)
    if not found:
        raise Clash(f"`{name}` has no parameter to train", s.target.span, "no parameter",
                    help="declare what is trained with `param`")  # fmt: skip
    return found
