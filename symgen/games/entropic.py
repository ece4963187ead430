"""The best density where its entropy or a KL divergence counts: J(p) = E_p[B - beta log p] is beta log Z - beta KL(p || p*)
with p* = exp(B/beta)/Z, so that p* is best, and nothing else is. Donsker and Varadhan (1975); Rafailov et al. (2023), eq. 4.
"""

from __future__ import annotations

from symgen.calculus.curvature import flat
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.game import Game, Player
from symgen.games.recognise import reference
from symgen.games.records import BestResponse
from symgen.probability.laws.joint import expectation
from symgen.tensor.expression import (
    MINUS_ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Mul,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    divide,
    entry,
    fn,
    mul,
    neg,
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
    parts = _under_the_mean(player.payoff, unknown.name)
    if parts is None:
        return None
    body, y, rest = parts
    weight, others, plain = _logs(body, unknown.name, y)
    if weight is ZERO:
        return None
    wanted = is_negative if player.sense == "max" else is_positive
    if not wanted(weight, ctx.facts):
        raise CannotDerive(
            f"the payoff is {'convex' if player.sense == 'max' else 'concave'} in the density `{unknown.name}`, or not known to "
            "be the other: there is no best response that symgen can show",
            player.payoff,
        )
    if not others:
        raise CannotDerive(
            f"the best `{unknown.name}` is proportional to exp(B/beta), and no density of the payoff says under which its "
            "normaliser is a mean",
            player.payoff,
        )
    beta = neg(weight)
    (log_q, power_of), *more = others.items()
    law = log_q.args[0]
    tilt = add(
        *(divide(t, beta) for t in (plain.args if isinstance(plain, Add) else (plain,))),
        *(mul(divide(c, beta), entry(log)) for log, c in more),
        mul(add(divide(power_of, beta), MINUS_ONE), entry(log_q)),
    )
    ref = reference(law, y, game.joints)
    (drawn,) = ref.variables
    Z = entry(expectation(tensor((), replace_arrays(fn("exp", tilt), {y: drawn})), [(drawn, law)]))
    at = {**_values(tilt, y), **{log: tensor((), fn("log", entry(_symbol(log.args[0])))) for log in others}}
    strategy = mul(entry(_symbol(law)), fn("exp", replace_arrays(tilt, at)), power(Z, MINUS_ONE))
    worth = add(rest, mul(beta, fn("log", Z)))
    trace = ctx.trace
    trace.add("payoff_as_integral", player.payoff, tensor((), body), where=unknown.name,
              reason=f"its mean under {unknown.name}, whose logarithm it holds")  # fmt: skip
    trace.add("gibbs", None, tensor((), strategy), where=unknown.name, source="Donsker and Varadhan (1975)",
              reason=f"J = beta log Z - beta KL({unknown.name} || this): the divergence is 0 here alone")  # fmt: skip
    trace.add("substitute", player.payoff, tensor((), worth), reason="the payoff there: beta log Z")
    evidence = Evidence("proved", method="the payoff is what it is there, less a divergence")
    second = mul(weight, power(strategy, MINUS_ONE))
    return BestResponse(strategy, worth, second, (), evidence=evidence)


def _under_the_mean(payoff: Array, name: str) -> tuple[Scalar, Var, Scalar] | None:
    """(f, y, rest) for a payoff E[y ~ p](f) + rest, in which p stands nowhere else."""
    body = payoff.body if isinstance(payoff, Tensor) else entry(payoff)
    y: Var | None = None
    inside: list[Scalar] = []
    outside: list[Scalar] = []
    for term in body.args if isinstance(body, Add) else (body,):
        if not _mentions(term, name):
            outside.append(term)
            continue
        factors = list(term.args) if isinstance(term, Mul) else [term]
        means = [f for f in factors if _mentions(f, name)]
        if len(means) != 1 or not isinstance(means[0], Entry) or not isinstance(means[0].array, Operator):
            return None
        mean = means[0].array
        drawn: tuple[Var, ...] = mean.attrs[0] if mean.name == "E" else ()
        operands = list(mean.operands)
        if len(drawn) != 1 or len(operands) != 2 or not _is_law(operands[1], name):
            return None
        own = flat(operands[0])
        if own.rank:
            return None
        y = y or drawn[0]
        inner = replace_arrays(own.body if isinstance(own, Tensor) else entry(own), {drawn[0]: y})
        inside.append(mul(*(f for f in factors if f not in means), inner))
    return None if y is None else (add(*(t for f in inside for t in _spread(f))), y, add(*outside))


def _spread(f: Scalar) -> list[Scalar]:
    """The terms of a sum, a factor before it multiplied in."""
    factors = list(f.args) if isinstance(f, Mul) else [f]
    sums = [a for a in factors if isinstance(a, Add)]
    if len(sums) != 1:
        return [f]
    rest = [a for a in factors if a is not sums[0]]
    return [mul(*rest, t) for t in sums[0].args]


def _is_law(a: object, name: str) -> bool:
    return isinstance(a, Operator) and a.name == "density" and a.attrs[:2] == ("law", name)


def _mentions(node: Scalar, name: str) -> bool:
    return any(_is_law(n, name) for n in walk(node))


def _logs(body: Scalar, name: str, y: Var) -> tuple[Scalar, dict[Array, Scalar], Scalar]:
    """(a, {log q: c}, rest) for a log p(y) + sum of c log q(y) + rest; a is 0 where log p stands otherwise too."""
    weight: Scalar = ZERO
    others: dict[Array, Scalar] = {}
    rest: list[Scalar] = []
    for term in body.args if isinstance(body, Add) else (body,):
        factors = list(term.args) if isinstance(term, Mul) else [term]
        logs = [f for f in factors if isinstance(f, Entry) and _is_log(f.array)]
        c = mul(*(f for f in factors if f not in logs))
        if len(logs) != 1 or y in {n for n in walk(c) if isinstance(n, Var)}:
            if _mentions(term, name):
                return ZERO, {}, body
            rest.append(term)
            continue
        log = logs[0].array
        if _is_law(log.args[0], name):
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


def _values(node: Scalar, y: Var) -> dict[Array, Array]:
    """Unknown functions at the point, by symbols of their names."""
    return {
        n: var(str(n.attrs[0]), (), "real", "placeholder", uid=32)
        for n in walk(node)
        if isinstance(n, Operator) and n.name == "apply" and y in n.args
    }
