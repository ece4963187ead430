"""The best density where only its logarithm is scored under another law: E_p log q(x | z) is greatest where q is p(x | z), for what
is missing is a divergence. Gneiting & Raftery (2007), 4; Barber & Agakov (2003)."""

from __future__ import annotations

from symgen.calculus.curvature import flat
from symgen.calculus.integrand import value_at_point
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.density import marginal_density
from symgen.games.game import Game, Player
from symgen.games.recognise import reference
from symgen.games.records import BestResponse
from symgen.probability.laws.joint import DistRef, expectation, log_density, opened_expectation
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
    power,
    tensor,
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
    (inner,), draws = opened_expectation(means[0].array)
    found = _score(open_tensor(inner, ()), unknown.name)
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
    top = marginal_density(draws, [*seen, *given], ctx)
    below = marginal_density(draws, given, ctx) if given else None
    if top is None or (given and below is None):
        return None
    best = mul(top, power(below, MINUS_ONE)) if below is not None else top
    logs = [fn("log", a) if not isinstance(a, Fn) or a.name != "exp" else a.args[0] for a in (top, below) if a is not None]
    return best, add(logs[0], *(neg(x) for x in logs[1:])), top


def _mentions(node: Scalar | Array, name: str) -> bool:
    return any(isinstance(n, Operator) and n.name == "density" and n.attrs[:2] == ("law", name) for n in walk(node))
