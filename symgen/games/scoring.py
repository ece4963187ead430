"""The best density where only its logarithm is scored under another law: E_p log q(x | z) is greatest where q is p(x | z), for what
is missing is a divergence. Gneiting & Raftery (2007), 4; Barber & Agakov (2003)."""

from __future__ import annotations

from collections.abc import Iterable

from symgen.calculus.curvature import flat
from symgen.calculus.integrand import value_at_point
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.density import marginal_density
from symgen.games.drawn import as_declared
from symgen.games.game import Game, Player
from symgen.games.recognise import reference
from symgen.games.records import BestResponse
from symgen.probability.laws.joint import DistRef, conditional_law, expectation, log_density
from symgen.tensor.expression import (
    MINUS_ONE,
    Add,
    Array,
    Entry,
    Fn,
    Mul,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    entry,
    fn,
    mul,
    neg,
    num,
    open_tensor,
    operator,
    power,
    tensor,
    variables_of,
    walk,
)
from symgen.tensor.facts import is_negative, is_positive

__all__ = ["scored_response"]

Draws = list[tuple[Var, Array]]


def scored_response(game: Game, player: Player, ctx: Context) -> BestResponse | None:
    """The best density of a player whose payoff holds its logarithm alone, in one mean; None for other payoffs."""
    unknown = player.unknown
    assert unknown is not None
    payoff = flat(player.payoff)
    body = payoff.body if isinstance(payoff, Tensor) else entry(payoff)
    terms = body.args if isinstance(body, Add) else (body,)
    mine = [t for t in terms if _mentions(t, unknown.name)]
    if len(mine) != 1:
        return None
    factors = list(mine[0].args) if isinstance(mine[0], Mul) else [mine[0]]
    means = [f for f in factors if _mentions(f, unknown.name)]
    if len(means) != 1 or not isinstance(means[0], Entry) or getattr(means[0].array, "name", "") != "E":
        return None
    inner, draws = _with_nested(means[0].array)
    found = _score(inner, unknown.name)
    if found is None or any(_mentions(law, unknown.name) for _, law in draws):
        return None
    weight, log, others = found
    weight = mul(weight, *(f for f in factors if f is not means[0]))
    if not (is_positive if player.sense == "max" else is_negative)(weight, ctx.facts):
        return None
    count = len(log.attrs[1])
    seen, given = ([a for a in part if isinstance(a, Var)] for part in (log.args[1 : 1 + count], log.args[1 + count :]))
    drawn = [v for v, _ in draws]
    if len(seen) + len(given) != len(log.args) - 1 or not all(v in drawn for v in (*seen, *given)):
        return None
    best = _conditional(game, draws, seen, given, ctx)
    if best is None:
        return None
    strategy, log_best, whole = best
    rest = [t for t in terms if t is not mine[0]]
    worth = add(*rest, mul(weight, entry(expectation(tensor((), log_best), draws))))
    if others is not None:
        worth = add(worth, mul(*(f for f in factors if f is not means[0]), entry(expectation(tensor((), others), draws))))
    reason = f"Gibbs: the mean of log {unknown.name} is greatest at the law of what is drawn, for the rest is a divergence"
    ctx.trace.add("gibbs", None, tensor((), strategy), where=unknown.name, reason=reason, source="Gneiting & Raftery (2007)")
    ctx.trace.add("substitute", player.payoff, tensor((), worth), reason="the payoff there")
    evidence = Evidence("proved", method="the payoff is what it is there, less a divergence")
    second = neg(mul(weight, whole, power(strategy, num(-2))))  # of c p log q by q
    return BestResponse(strategy, worth, second, (), evidence=evidence)


def _with_nested(mean: Operator) -> tuple[Scalar, Draws]:
    """The body and the draws of a mean, and of a mean that is all that stands in it."""
    (inner,), draws = as_declared(mean)
    body = open_tensor(flat(inner), ())
    if isinstance(body, Entry) and isinstance(body.array, Operator) and body.array.name == "E":
        below, more = _with_nested(body.array)
        if {v for v, _ in draws}.isdisjoint(v for v, _ in more):
            return below, [*draws, *more]
    return body, draws


def _score(body: Scalar, name: str) -> tuple[Scalar, Operator, Scalar | None] | None:
    """(c, log q, the rest) of c log q + rest, c a number."""
    terms = body.args if isinstance(body, Add) else (body,)
    mine = [t for t in terms if _mentions(t, name)]
    if len(mine) != 1:
        return None
    factors = list(mine[0].args) if isinstance(mine[0], Mul) else [mine[0]]
    logs = [f for f in factors if isinstance(f, Entry) and getattr(f.array, "name", "") == "log_density"]
    others = [f for f in factors if f not in logs]
    if len(logs) != 1 or any(isinstance(n, Var) and n.role == "random" for f in others for n in walk(f)):
        return None
    log = logs[0].array
    assert isinstance(log, Operator)
    rest = [t for t in terms if t is not mine[0]]
    return mul(*others), log, add(*rest) if rest else None


def _conditional(
    game: Game, draws: Draws, seen: list[Var], given: list[Var], ctx: Context
) -> tuple[Scalar, Scalar, Scalar] | None:  # fmt: skip
    """p(seen | given) of what is drawn, by its value at the point, its logarithm as an expression, and p(seen, given)."""
    laws = {law for _, law in draws}
    (law, *more) = laws
    if not more and isinstance(law, Operator) and law.name == "density" and len(seen) == 1 and not law.args:
        ref = reference(law, seen[0], game.joints)
        name = str(law.attrs[1])
        own = {v.name: v for v in ref.variables}
        if {v.name for v in (*seen, *given)} <= set(own):
            part = DistRef(ref.joint, tuple(own[v.name] for v in seen), tuple(own[v.name] for v in given))
            values: dict[Var, Array] = {own[v.name]: v for v in (*seen, *given)}

            def at(of: list[Var]) -> Scalar:
                names = [v.name for v in ref.variables if any(v.name == u.name for u in of)]
                return value_at_point(name if len(names) == len(own) else f"{name}_{'_'.join(names)}")

            whole = at([*seen, *given])
            strategy = mul(whole, power(at(given), MINUS_ONE)) if given else whole
            return strategy, entry(log_density(part, values)), whole
        return None
    top = marginal_density(draws, [*seen, *given], ctx) or _mixed(game, draws, [*seen, *given])
    below = marginal_density(draws, given, ctx) or _mixed(game, draws, given) if given else None
    if top is None or (given and below is None):
        return None
    best = mul(top, power(below, MINUS_ONE)) if below is not None else top
    logs = [fn("log", a) if not isinstance(a, Fn) or a.name != "exp" else a.args[0] for a in (top, below) if a is not None]
    return best, add(logs[0], *(neg(x) for x in logs[1:])), top


def _mixed(game: Game, draws: Draws, wanted: list[Var]) -> Scalar | None:
    """The density of some draws from laws that are not known: the mean, over the others, of the densities that they are given."""
    logs: list[Scalar] = []
    others: Draws = []
    draws = _needed(wanted, draws)
    for v, law in draws:
        if not (isinstance(law, Operator) and law.name == "density"):
            if v in wanted:
                return None
            others.append((v, law))
            continue
        mates = [u for u, other in draws if other is law]
        if len(mates) == 1:
            ref = reference(law, v, game.joints)
            if v in wanted:
                logs.append(entry(operator("log_density", (law, v, *law.args), (), (str(law.attrs[1]), (v,), tuple(law.args)))))
            else:
                others.append((v, law))
        elif v is mates[0]:
            ref = reference(law, v, game.joints)
            own = {u.name: u for u in ref.variables}
            free = [u for u in mates if u not in wanted]
            if not {u.name for u in mates} <= set(own) or len(free) > 1:
                return None
            mine = tuple(own[u.name] for u in mates if u in wanted)
            if mine:
                part = DistRef(ref.joint, mine, tuple(own[u.name] for u in free))
                logs.append(entry(log_density(part, {own[u.name]: u for u in mates})))
            others += [(u, conditional_law(DistRef(ref.joint, (own[u.name],)), own[u.name])) for u in free]
    body = fn("exp", add(*logs))
    needed = _needed(variables_of(body), others)
    return entry(expectation(tensor((), body), needed)) if needed else body


def _needed(wanted: Iterable[Var], draws: Draws) -> Draws:
    """The draws of some variables, and those that their laws hang on."""
    seen = set(wanted)
    out: Draws = []
    for v, law in reversed(draws):
        if v in seen:
            out.insert(0, (v, law))
            seen |= variables_of(law)
    return out


def _mentions(node: Scalar | Array, name: str) -> bool:
    return any(isinstance(n, Operator) and n.name == "density" and n.attrs[:2] == ("law", name) for n in walk(node))
