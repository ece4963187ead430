"""The best density where its entropy or a KL divergence counts: J(p) = E_p[B - beta log p] is beta log Z - beta KL(p || p*)
with p* = exp(B/beta)/Z, so that p* is best, and nothing else is. Donsker and Varadhan (1975); Rafailov et al. (2023), eq. 4.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgen.calculus.integrand import value_at_point
from symgen.calculus.root import ENDS
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.drawn import Drawn, drawn_from, is_law, mentions
from symgen.games.game import Game, Player
from symgen.games.recognise import reference
from symgen.games.records import BestResponse
from symgen.probability.laws.joint import DistRef, expectation, log_density
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Mul,
    Operator,
    Scalar,
    Var,
    add,
    divide,
    entry,
    fn,
    mul,
    neg,
    operator,
    power,
    replace_arrays,
    tensor,
    var,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_negative, is_positive
from symgen.text.diagnostics import CannotDerive

__all__ = ["entropic_response"]


def entropic_response(game: Game, player: Player, ctx: Context) -> BestResponse | None:
    """The best density of a player; None where its payoff is linear in it. Raises CannotDerive where there is none."""
    unknown = player.unknown
    assert unknown is not None
    found = drawn_from(game, player.payoff, unknown.name)
    if found is None:
        return None
    y = found.y
    weight, others, plain = _logs(found.body, unknown.name, y)
    if weight is ZERO:
        return None
    wanted = is_negative if player.sense == "max" else is_positive
    if not wanted(weight, ctx.facts):
        raise CannotDerive(
            f"the payoff is {'convex' if player.sense == 'max' else 'concave'} in the density `{unknown.name}`, or not known to "
            "be the other: there is no best response that symgen can show",
            player.payoff,
        )
    beta = neg(weight)
    best = _under_a_density(game, found, others, plain, beta) or _under_a_joint(game, found, others, plain, beta)
    if best is None:
        best = _under_an_integral(found, others, plain, beta, player)
    strategy, log_Z = best
    outside = log_Z if not found.outer else entry(expectation(tensor((), log_Z), found.outer)) if log_Z is not ZERO else ZERO
    worth = add(found.rest, mul(beta, outside))
    trace = ctx.trace
    at = f" given {', '.join(g.name for g in found.given)}" if found.given else ""
    trace.add("payoff_as_integral", player.payoff, tensor((), found.body), where=unknown.name,
              reason=f"its mean under {unknown.name}{at}, whose logarithm it holds")  # fmt: skip
    trace.add("gibbs", None, tensor((), strategy), where=unknown.name, source="Donsker and Varadhan (1975)",
              reason=f"J = c log Z - c KL({unknown.name} || this): the divergence is 0 here alone")  # fmt: skip
    trace.add("substitute", player.payoff, tensor((), worth), reason="the payoff there: c log Z")
    evidence = Evidence("proved", method="the payoff is what it is there, less a divergence")
    second = mul(weight, power(strategy, MINUS_ONE))
    return BestResponse(strategy, worth, second, (), evidence=evidence)


Logs = dict[Array, Scalar]
Best = tuple[Scalar, Scalar]


def _under_a_density(game: Game, found: Drawn, others: Logs, plain: Scalar, beta: Scalar) -> Best | None:
    """The best density and log Z, the normaliser a mean under a density of y that the payoff scores."""
    log_q = next((log for log in others if _is_of(log, found.y, found.given)), None)
    if log_q is None:
        return None
    law, y = log_q.args[0], found.y
    more = [(log, c) for log, c in others.items() if log is not log_q]
    tilt = add(
        *(divide(t, beta) for t in (plain.args if isinstance(plain, Add) else (plain,))),
        *(mul(divide(c, beta), entry(log)) for log, c in more),
        mul(add(divide(others[log_q], beta), MINUS_ONE), entry(log_q)),
    )
    drawn = y
    if not found.given:
        (drawn,) = reference(law, y, game.joints).variables
    at = {**_values(tilt, found), **{log: tensor((), fn("log", entry(_symbol(log.args[0])))) for log in others}}
    Z = entry(expectation(tensor((), replace_arrays(fn("exp", tilt), {y: drawn})), [(drawn, law)])) if tilt is not ZERO else ONE
    strategy = mul(entry(_symbol(law)), fn("exp", replace_arrays(tilt, at)), power(Z, MINUS_ONE))
    return strategy, fn("log", Z) if Z is not ONE else ZERO


def _is_of(log: Array, y: Var, given: Sequence[Var]) -> bool:
    """Whether the logarithm of a density is of y alone, given what the sought density is given."""
    return isinstance(log, Operator) and log.args[1:2] == (y,) and len(log.attrs[1]) == 1 and set(log.args[2:]) <= set(given)


def _under_a_joint(game: Game, found: Drawn, others: Logs, plain: Scalar, beta: Scalar) -> Best | None:
    """The posterior, where the payoff scores a joint density once and nothing else: log p(x, z) = log p(z | x) + log p(x)."""
    if plain is not ZERO or len(others) != 1:
        return None
    ((log, c),) = others.items()
    if c is not beta or not isinstance(log, Operator) or found.y not in log.args[1:]:
        return None
    law = log.args[0]
    ref = reference(law, found.y, game.joints)
    own = {v.name: v for v in ref.variables}
    seen = [v for v in log.args[1:] if v is not found.y]
    if law.args or found.y.name not in own or not all(isinstance(v, Var) and v.name in own for v in seen):
        return None
    name = str(law.attrs[1])
    value = value_at_point(f"{name}_{'_'.join(v.name for v in ref.variables if v.name != found.y.name)}")
    part = DistRef(ref.joint, tuple(own[v.name] for v in seen))
    return mul(value_at_point(name), power(value, MINUS_ONE)), entry(log_density(part, {own[v.name]: v for v in seen}))


def _under_an_integral(found: Drawn, others: Logs, plain: Scalar, beta: Scalar, player: Player) -> Best:
    """The normaliser as an integral, where y is a number."""
    y = found.y
    if y.rank or y.domain not in ENDS:
        assert player.unknown is not None
        raise CannotDerive(
            f"the best `{player.unknown.name}` is proportional to exp(B/beta), and no density of the payoff says under which its "
            "normaliser is a mean",
            player.payoff,
        )
    tilt = add(
        *(divide(t, beta) for t in (plain.args if isinstance(plain, Add) else (plain,))),
        *(mul(divide(c, beta), entry(log)) for log, c in others.items()),
    )
    ends = [tensor((), e) for e in ENDS[y.domain]]
    Z = entry(operator("integral", (tensor((), fn("exp", tilt)), *ends), (), ((y,),)))
    at = {**_values(tilt, found), **{log: tensor((), fn("log", entry(_symbol(log.args[0])))) for log in others}}
    return mul(fn("exp", replace_arrays(tilt, at)), power(Z, MINUS_ONE)), fn("log", Z)


def _logs(body: Scalar, name: str, y: Var) -> tuple[Scalar, Logs, Scalar]:
    """(a, {log q: c}, rest) for a log p(y) + sum of c log q(y) + rest; a is 0 where log p stands otherwise too."""
    weight: Scalar = ZERO
    others: Logs = {}
    rest: list[Scalar] = []
    for term in body.args if isinstance(body, Add) else (body,):
        factors = list(term.args) if isinstance(term, Mul) else [term]
        logs = [f for f in factors if isinstance(f, Entry) and _is_log(f.array)]
        c = mul(*(f for f in factors if f not in logs))
        if len(logs) != 1 or y in {n for n in walk(c) if isinstance(n, Var)}:
            if mentions(term, name):
                return ZERO, {}, body
            rest.append(term)
            continue
        log = logs[0].array
        if is_law(log.args[0], name):
            weight = add(weight, c)
        else:
            others[log] = add(others.get(log, ZERO), c)
    return weight, others, add(*rest)


def _is_log(a: Array) -> bool:
    """Whether an array is the logarithm of a density that is not known."""
    return isinstance(a, Operator) and a.name == "log_density" and getattr(a.args[0], "name", "") == "density"


def _symbol(law: Array) -> Array:
    """The value of a density at the point."""
    name = str(law.attrs[1]) if isinstance(law, Operator) else "q"
    return var(name, (), "positive", "placeholder", uid=31)


def _values(node: Scalar, found: Drawn) -> dict[Array, Array]:
    """Unknown functions at the point, by symbols of their names."""
    return {
        n: var(str(n.attrs[0]), (), "real", "placeholder", uid=32)
        for n in walk(node)
        if isinstance(n, Operator) and n.name == "apply" and found.y in n.args and set(n.args) <= {found.y, *found.given}
    }
