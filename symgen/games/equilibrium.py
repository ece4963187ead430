"""Equilibria: no player gains by moving alone.

A function against a density: the function's best response D* = phi(p/q) makes the density player's integrand a function
of the ratio; it is constant at q = p, so that (phi(1), p) is an equilibrium, and the only one where that function is
strictly monotone or, in a zero-sum game, where the divergence is strictly convex. Parameters: stationarity of every
player, then each player's own second-order condition.
"""

from __future__ import annotations

import itertools
from typing import Any

import sympy

from symgen.calculus.gradient import gradient
from symgen.calculus.integrand import Integrand, integrand_of
from symgen.calculus.solving import assuming, sign_of
from symgen.calculus.wording import contradict, said_relation
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.arrays import array_equilibrium
from symgen.games.best_response import FunctionResponse, arities, function_response, names_of_laws, payoff_at
from symgen.games.density import density_at
from symgen.games.game import Game, Player
from symgen.games.matrix import matrix_equilibrium
from symgen.games.mixed import concave_mixed_equilibrium
from symgen.games.motion import relations, value_of
from symgen.games.parameters import Coordinates, coordinates, definite_sign
from symgen.games.recognise import tidy_logs
from symgen.games.records import Equation, Equilibrium
from symgen.games.stationary import Points, Stationary, conditions_at, stationary_points
from symgen.tensor.expression import ZERO, Array, Operator, Scalar, Var, compare, entry, tensor, variables_of, walk
from symgen.tensor.sympy_bridge import NotInSymPy, from_sympy, to_sympy, within
from symgen.text.diagnostics import CannotDerive

__all__ = ["equilibrium"]

S = sympy


def equilibrium(game: Game, ctx: Context) -> Equilibrium:
    """The equilibrium with its conditions, or the conditions alone where they are not solved (`kind` then says so)."""
    functions = [p for p in game.players if p.unknown is not None and p.unknown.kind == "function"]
    densities = [p for p in game.players if p.unknown is not None and p.unknown.kind == "density"]
    if len(functions) == 1 and len(densities) == 1 and len(game.players) == 2:
        return _function_against_density(game, functions[0], densities[0], ctx)
    if not functions and not densities:
        found = concave_mixed_equilibrium(game, ctx) or matrix_equilibrium(game, ctx)
        return found if found is not None else _parameters(game, ctx)
    if len(functions) == 1 and len(functions) + len(densities) == 1 and len(game.players) <= 2:
        return _function_against_parameters(game, functions[0], ctx)
    raise CannotDerive(
        "symgen has no equilibrium for this mixture of players", game.players[0].payoff, "symgen/games/equilibrium.py"
    )


# --- a function against a density -------------------------------------------------------------------------------------


def _function_against_density(game: Game, player: Player, rival: Player, ctx: Context) -> Equilibrium:
    assert player.unknown is not None and rival.unknown is not None
    r = function_response(game, player, ctx)
    own = _linear_payoff(r, rival, game, ctx)
    q_weight = _weight_of(r, rival.unknown.name)
    others = [w for w in r.integrand.weights if w is not q_weight and w.args]
    if q_weight is None or len(others) != 1:
        raise CannotDerive(
            f"the payoff of `{player.unknown.name}` does not hold `{rival.unknown.name}` and one other density",
            player.payoff,
            "symgen/games/equilibrium.py",
        )
    (p_weight,) = others
    table = r.problem.table
    p, q = table.symbol(p_weight), table.symbol(q_weight)
    strategy = r.optimum.expression
    if r.optimum.kind == "interior":
        at_equal = within(2.0, lambda: S.simplify(strategy.xreplace({q: p})))
    else:  # between the two values every one is as good; the middle stands for them
        sides = [strategy.xreplace({q: p / 2}), strategy.xreplace({q: 2 * p})]
        at_equal = within(2.0, lambda: S.simplify(sum(_decided(x) for x in sides) / 2))
    if at_equal is None or p in at_equal.free_symbols:
        raise CannotDerive(
            f"the best response at {rival.unknown.name} = {_label(p_weight)} still depends on the density",
            r.optimum.strategy,
            "symgen/games/equilibrium.py",
        )
    D = entry(r.integrand.t)
    conditions: list[Any] = [Equation(D, r.shown(r.optimum.strategy)), Equation(q_weight, p_weight)]
    conditions += [c for c in r.optimum.conditions if not isinstance(c, str)]
    value, found = payoff_at(game, r, player, ctx)
    worth = _worth_at_equal(game, r, player, p, q)
    zero_sum = game.is_zero_sum
    unique: bool | None = None
    shown = r.optimum.shown
    wanted = 1 if rival.sense == "min" else -1
    kind = "Nash equilibrium"
    if zero_sum and found is not None and found.convexity == wanted:
        unique = True
        kind = "global Nash equilibrium (minimax)"
        for e in found.nonzero:
            conditions.append(compare("!=", from_sympy(e, table), ZERO))
        ctx.trace.add(
            "least_divergence",
            tensor((), value),
            tensor((), worth),
            where=rival.unknown.name,
            reason=f"{found.name} is least, and 0, only at {rival.unknown.name} = {_label(p_weight)}",
            source=found.source,
        )
    elif zero_sum and found is not None and found.convexity == -wanted:
        raise CannotDerive(
            f"the density player pushes the densities apart: {found.name} is greatest where they are disjoint, "
            "and no density is best",
            rival.payoff,
        )
    elif zero_sum and found is None:
        raise CannotDerive(
            "the payoff at the best response is no divergence that symgen knows: whether equal densities "
            "are its least value is open",
            player.payoff,
            "symgen/games/recognise.py",
        )
    else:
        slope = _ratio_slope(own, r, p, q)
        unique = True if slope == (-1 if rival.sense == "max" else 1) else None
        kind = "Nash equilibrium"
        if slope == (1 if rival.sense == "max" else -1):
            kind = "Nash equilibrium (the density player is indifferent there, and not drawn to it)"
        ctx.trace.add(
            "indifferent_density",
            rival.payoff,
            tensor((), worth),
            where=rival.unknown.name,
            reason=f"at {player.unknown.name} constant every {rival.unknown.name} is as good",
        )
    if r.optimum.kind != "interior" and unique:
        kind = "global Nash equilibrium (minimax)" if zero_sum else kind
        unique = None  # between the kinks every value of the function is as good where the densities are equal
    strategies = {player.unknown.name: from_sympy(at_equal, table), rival.unknown.name: p_weight}
    return Equilibrium(
        tuple(conditions),
        strategies,
        worth,
        kind,
        unique,
        Evidence(shown, method="best response put back; the divergence is 0 only at equal densities"),
    )


def _decided(e: Any) -> Any:
    """A piecewise value whose conditions are of a sure sign."""
    while isinstance(e, S.Piecewise):
        for value, condition in e.args:
            if condition == True:  # noqa: E712
                return value
            s = sign_of(condition.lhs - condition.rhs)
            if s is None:
                return e
            if {"<": s < 0, "<=": s <= 0, ">": s > 0, ">=": s >= 0}[str(condition.rel_op)]:
                e = value
                break
        else:
            return e
    return e


def _weight_of(r: FunctionResponse, name: str) -> Scalar | None:
    for w in r.integrand.weights:
        law = r.integrand.law_of(w)
        if law is not None and law[0].name == "density" and law[0].attrs[1] == name:  # type: ignore[attr-defined]
            return w
    return None


def _label(w: Scalar) -> str:
    return str(w.args[0].name)


def _worth_at_equal(game: Game, r: FunctionResponse, player: Player, p: Any, q: Any) -> Scalar:
    """The payoff at equal densities: the integrand there, the densities integrating to 1."""
    F = to_sympy(r.integrand.scalar, r.problem.table).xreplace({r.problem.t: r.optimum.expression})
    at_one = tidy_logs(F.xreplace({p: S.Integer(1), q: S.Integer(1)}))
    constant = to_sympy(r.integrand.rest, r.problem.table)
    return from_sympy(at_one + constant, r.problem.table)


def _linear_payoff(r: FunctionResponse, rival: Player, game: Game, ctx: Context) -> Integrand:
    """The rival's payoff as an integrand in the function. Raises CannotDerive where a payoff holds the rival's density
    otherwise than as what is drawn from (an entropy, a log-density)."""
    assert rival.unknown is not None and r.unknown is not None
    own = r.integrand
    if rival.payoff is not r.player.payoff:
        names = {**ctx.names, **names_of_laws(game)}
        own = integrand_of(rival.payoff, r.unknown.name, r.unknown.range, density_at, names, arities(game))
    for integrand in (r.integrand, own):
        parts = [integrand.rest, *(x.body for x in integrand.terms), *(x.coefficient for x in integrand.terms)]
        if any(_holds_density(x, rival.unknown.name) for x in parts):
            raise CannotDerive(
                f"a payoff is not linear in the density `{rival.unknown.name}`: it stands elsewhere than in what is drawn",
                rival.payoff,
                "symgen/games/equilibrium.py",
            )
    return own


def _holds_density(node: Scalar, name: str) -> bool:
    return any(isinstance(n, Operator) and n.name == "density" and len(n.attrs) > 1 and n.attrs[1] == name for n in walk(node))


def _ratio_slope(own: Integrand, r: FunctionResponse, p: Any, q: Any) -> int | None:
    """The sign of d/dr of the rival's integrand per unit of q at D = phi, r = q/p."""
    try:
        W = to_sympy(own.scalar, r.problem.table)
    except NotInSymPy:
        return None
    g = S.diff(W, q).xreplace({r.problem.t: r.optimum.expression})
    ratio = S.Dummy("r", positive=True)
    g = g.xreplace({q: ratio * p})
    slope = within(2.0, lambda: S.simplify(S.diff(g, ratio)))
    return sign_of(slope) if slope is not None else None


# --- a function against parameters ------------------------------------------------------------------------------------


def _function_against_parameters(game: Game, player: Player, ctx: Context) -> Equilibrium:
    """The best response and the stationarity of the parameters, as conditions: the value is an integral over laws in
    the parameters."""
    assert player.unknown is not None
    r = function_response(game, player, ctx)
    value, found = payoff_at(game, r, player, ctx)
    D = entry(r.integrand.t)
    conditions: list[Any] = [Equation(D, r.shown(r.optimum.strategy))]
    laws = list(dict.fromkeys(law for w in r.integrand.weights if (law := r.integrand.law_of(w)) is not None))
    strategies: dict[str, Any] = {player.unknown.name: r.shown(r.optimum.strategy)}
    rivals = [p for p in game.players if p is not player]
    wanted = 1 if rivals and rivals[0].sense == "min" else -1
    kind, unique = "conditions: the best response is derived; the parameters are to optimise the value", None
    if found is not None and found.convexity == wanted and len(laws) == 2 and rivals:
        matched = _match_parameters(laws[0][0], laws[1][0], rivals[0])
        if matched is not None:
            at_equal = r.optimum.expression
            p, q = (r.problem.table.symbol(w) for w in r.integrand.weights[:2])
            same = S.simplify(at_equal.xreplace({q: p}))
            strategies = {player.unknown.name: from_sympy(same, r.problem.table), **matched}
            conditions += [Equation(entry(v), s) for v, s in _pairs(rivals[0], matched)]
            worth = _worth_at_equal(game, r, player, p, q)
            return Equilibrium(
                tuple(conditions),
                strategies,
                worth,
                "global Nash equilibrium (minimax): the divergence is 0",
                None,
                Evidence(r.optimum.shown, method="the two laws are equal"),
            )
    return Equilibrium(
        tuple(conditions), strategies, value, kind, unique, Evidence(r.optimum.shown, method="best response put back")
    )


def _match_parameters(a: Array, b: Array, rival: Player) -> dict[str, Scalar] | None:
    """Values of the rival's parameters that make two laws of one family equal."""
    if a.name != b.name or len(a.args) != len(b.args) or a.name in ("density", "Empirical"):  # type: ignore[attr-defined]
        return None
    out: dict[str, Scalar] = {}
    for x, y in zip(a.args, b.args, strict=True):
        if x is y:
            continue
        mine, other = (x, y) if x in rival.parameters else (y, x)
        if mine not in rival.parameters or mine.shape or getattr(mine, "name", "") in out:
            return None
        if any(v in rival.parameters for v in _variables(other)):
            return None
        out[mine.name] = entry(other)
    return out or None


def _variables(a: Array) -> frozenset[Var]:
    return variables_of(a)


def _pairs(rival: Player, matched: dict[str, Scalar]) -> list[tuple[Array, Scalar]]:
    return [(v, matched[v.name]) for v in rival.parameters if getattr(v, "name", "") in matched]  # type: ignore[attr-defined]


# --- parameters -------------------------------------------------------------------------------------------------------


def _parameters(game: Game, ctx: Context) -> Equilibrium:
    try:
        c = coordinates(game, ctx)
    except CannotDerive:
        if any(size.args or type(size).__name__ == "Dim" for p in game.players for v in p.parameters for size in v.shape):
            return array_equilibrium(game, ctx) or _conditions_only(game, ctx)
        raise
    with assuming(c.table):
        return _solved(game, c, ctx)


def _solved(game: Game, c: Coordinates, ctx: Context) -> Equilibrium:
    field = [_short(v) for v in c.field]
    signs = [1 if game.players[k].sense == "max" else -1 for k in c.owner]
    equations = tuple(Equation(c.node(sign * v), ZERO) for sign, v in zip(signs, field, strict=True))
    found = stationary_points(c)
    for symbol, sign, v in zip(c.symbols, signs, field, strict=True):
        payoff = game.players[c.owner[c.symbols.index(symbol)]].payoff
        vanishes = "never vanishes" if found.never is symbol else "vanishes"
        if found.never in (None, symbol):
            ctx.trace.add(
                "stationarity" if found.never is None else "never_stationary",
                payoff,
                tensor((), c.node(sign * v)),
                where=c.name(symbol),
                reason=f"the derivative of the player's payoff by {c.name(symbol)} {vanishes}",
            )
    points, complete = found.points, found.complete
    good = [p for p in points if p.is_equilibrium]
    open_points = [p for p in points if not p.is_equilibrium and all(j.word != "worse" for j in p.judgements)]
    if not good and not open_points:
        return _none_found(c, found, equations)
    if not complete or (good and open_points):
        ctx.trace.notes.append(
            "the list of equilibria may be incomplete: "
            + ("symgen has not shown that it has all stationary points" if not complete else
               f"at {'; '.join(_text(c, p) for p in open_points)} the second-order condition is open")
        )  # fmt: skip
    chosen = good or open_points
    kinds = [_kind(game, p) for p in chosen]
    for p in chosen:
        worth = _payoff(game, c, p)
        ctx.trace.add(
            "solve_stationarity",
            game.players[0].payoff,
            tensor((), worth) if isinstance(worth, Scalar) else game.players[0].payoff,
            reason=f"{_text(c, p) or 'everywhere'}: {_kind(game, p)}",
            evidence=Evidence(p.solution.shown, method="put back into every derivative"),
        )
    for s in sorted({s for p in chosen for v in p.solution.values.values() for s in v.free_symbols & found.whole}, key=str):
        ctx.trace.notes.append(f"in it, {c.name(s)} is any integer")
    unique = _unique(c, found)
    conditions: list[Any] = [e for e, s in zip(equations, c.symbols, strict=True) if not any(s in p.ends for p in chosen)]
    for p in chosen:
        sides = conditions_at(c, p)
        if len(chosen) == 1:
            conditions += relations(c, sides)
        elif sides:
            words = (said_relation(v, op, c.table, ctx.names) for op, v in sides)
            conditions.append(f"{_text(c, p)}: where {' and '.join(words)}")
    conditions += relations(c, [("!=", v) for v in found.needed])
    listed = [_strategies(c, p) for p in chosen]
    strategies: Any = listed[0] if len(listed) == 1 else listed
    kind = "; ".join(dict.fromkeys(kinds))
    one = len({p.payoff for p in game.players}) == 1
    values = [_payoff(game, c, p) if one else tuple(_payoff(game, c, p, k) for k in range(len(game.players))) for p in chosen]
    value: Any = values[0] if len(set(values)) == 1 else values
    shown = "proved" if all(p.solution.shown == "proved" for p in chosen) else "checked"
    return Equilibrium(
        tuple(conditions),
        strategies,
        value,
        kind,
        unique,
        Evidence(shown, method="stationarity put back; second-order conditions of each player"),
    )


def _none_found(c: Coordinates, found: Points, equations: tuple[Any, ...]) -> Equilibrium:
    """The answer where no stationary point is an equilibrium, or where none was found."""
    if found.never is not None:
        name = c.name(found.never)
        kind = f"no equilibrium: the derivative of the payoff of {name} by {name} never vanishes"
        return Equilibrium((), {}, None, kind, None, Evidence("proved", method="the derivative has no zero"))
    if all(p.ends for p in found.points) and (found.complete or not found.points):
        known = found.complete
        if found.points:
            kind = "no equilibrium: there is no stationary point, and no end of a range is best for every player"
            return Equilibrium((), {}, None, kind, None, Evidence("proved", method="all stationary points and all ends"))
        kind = "no equilibrium: there is no stationary point" if known else "conditions: symgen has not solved them"
        return Equilibrium(
            () if known else equations, {}, None, kind, None,
            Evidence("proved" if known else "unknown", method="all cases of the stationarity conditions" if known else "",
                     tried=() if known else ("stationarity of every player",)),
        )  # fmt: skip
    strategies: Any = _strategies(c, found.points[0])
    kind = "not an equilibrium: a player's second-order condition fails at the stationary point"
    if len(found.points) > 1:
        strategies = [_strategies(c, p) for p in found.points]
        kind += "s" * found.complete + " found" * (not found.complete)
    elif not found.complete:
        kind += " found"
    shown = "proved" if found.complete else "unknown"
    tried = () if found.complete else ("stationarity of every player",)
    method = "stationarity put back; second-order conditions of each player" if found.complete else ""
    return Equilibrium(equations, strategies, None, kind, None, Evidence(shown, method=method, tried=tried))


def _short(e: Any) -> Any:
    simple = within(1.5, S.simplify, e)
    return e if simple is None else min((simple, e), key=S.count_ops)


def _kind(game: Game, p: Stationary) -> str:
    words = {j.word for j in p.judgements}
    if words <= {"global", "indifferent"}:
        kind = "global Nash equilibrium"
    elif words == {"strict"} or words == {"strict", "global"}:
        kind = "strict local Nash equilibrium"
    elif words <= {"global", "indifferent", "strict"}:
        kind = "local Nash equilibrium"
    else:
        return "stationary point: the second-order condition is open"
    return f"{kind} (saddle point)" if game.is_zero_sum else kind


def _unique(c: Coordinates, found: Points) -> bool | None:
    """Every equilibrium inside the domains is stationary; so the only stationary point of a complete solution is the
    only equilibrium. With strict concavity of every player alone that is not said."""
    good = [p for p in found.points if p.is_equilibrium]
    if len([p for p in good if p.is_sure]) > 1 or any(p.is_sure and _is_family(c, p, found.whole) for p in good):
        return False
    if any(_is_family(c, p, found.whole) for p in good):
        return None
    worse = [p for p in found.points if any(j.word == "worse" for j in p.judgements)]
    apart = all(contradict(conditions_at(c, p) + conditions_at(c, q)) for p, q in itertools.combinations(good, 2))
    if found.complete and good and apart and len(worse) == len(found.points) - len(good):
        return True  # one in each case
    if len(good) == 1 and c.game.is_zero_sum:
        # strictly concave in the one and strictly convex in the other player's variables
        bends = [definite_sign(S.hessian(c.payoffs[k], c.own(k)), c.own(k)) for k in range(2)]
        if bends == [-1, -1] and all(len(c.own(k)) >= 1 for k in range(2)):
            return True
    return None


def _is_family(c: Coordinates, p: Stationary, whole: set[Any]) -> bool:
    """Whether more than one point is meant: an unknown is free, or an integer is."""
    values = p.solution.values
    return set(values) != set(c.symbols) or any(v.free_symbols & ({*c.symbols} | whole) for v in values.values())


def _strategies(c: Coordinates, p: Stationary) -> dict[str, Any]:
    out: dict[str, Any] = {}
    values = p.solution.values
    for player in c.game.players:
        for v in player.parameters:
            own = [s for s in c.symbols if c.table.atoms[s].args[0] is v]
            nodes = [value_of(c, values.get(s, s)) for s in own]
            out[str(getattr(v, "name", v))] = nodes[0] if not v.shape else tuple(nodes)
    return out


def _payoff(game: Game, c: Coordinates, p: Stationary, player: int = 0) -> Any:
    sign = 1 if game.players[player].sense == "max" else -1
    value = sign * c.payoffs[player].subs(p.solution.values, simultaneous=True)
    short = within(2.0, lambda: S.simplify(value))
    return value_of(c, value if short is None else short)


def _text(c: Coordinates, p: Stationary) -> str:
    return ", ".join(f"{c.name(s)} = {c.text(v)}" for s, v in p.solution.values.items())


def _conditions_only(game: Game, ctx: Context) -> Equilibrium:
    """Stationarity of every player as array equations, for variables whose sizes are symbols."""
    conditions = []
    for player in game.players:
        derived = gradient(player.payoff, list(player.parameters), ctx)
        conditions += [Equation(derived[v], ZERO) for v in player.parameters]
    return Equilibrium(
        tuple(conditions),
        {},
        None,
        "conditions: stationarity of every player, not solved",
        None,
        Evidence("unknown", tried=("stationarity of every player",)),
    )
