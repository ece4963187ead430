"""Games over mixed strategies whose payoffs are strictly concave in each player's own: logit equilibria, of entropic
matrix games. Each strategy is the one best response to the others; Rosen (1965); McKelvey and Palfrey (1995).
"""

from __future__ import annotations

from symgen.calculus.convexity import convexity
from symgen.calculus.optimum import optimum
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.game import Game
from symgen.games.records import Equation, Equilibrium
from symgen.tensor.expression import Array, Var, axis, entry, neg, open_tensor, operator, tensor
from symgen.text.diagnostics import CannotDerive

__all__ = ["concave_mixed_equilibrium"]


def concave_mixed_equilibrium(game: Game, ctx: Context) -> Equilibrium | None:
    """What holds at the equilibrium; None where a player chooses anything else than one point of a simplex, or where its
    payoff is not strictly concave in that."""
    own = [p.parameters[0] for p in game.players if len(p.parameters) == 1]
    if len(own) < len(game.players) or not all(isinstance(x, Var) and x.domain == "simplex" and x.rank == 1 for x in own):
        return None
    quiet = Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline)
    for p, x in zip(game.players, own, strict=True):
        loss = p.payoff if p.sense == "min" else tensor((), neg(entry(p.payoff)))
        try:
            found = convexity(operator("convex", (loss, x), (), ()), quiet)
        except CannotDerive:
            return None
        if found.status != "proved" or not found.strict:
            return None
    conditions = []
    for p, x in zip(game.players, own, strict=True):
        best = optimum(p.payoff, x, (), 1 if p.sense == "max" else -1, Context(facts=ctx.facts, names=ctx.names))
        ctx.trace.add("best_response", p.payoff, best, where=getattr(x, "name", ""), reason="the one best response to the others")
        conditions.append(Equation(_left(x), best))
    saddle = " (saddle point)" if game.is_zero_sum else ""
    one = ", and there is exactly one" if game.is_zero_sum else ", and there is one at least"
    kind = f"conditions: every point at which they hold is a global Nash equilibrium{saddle} in mixed strategies{one}"
    method = "each payoff is strictly concave in the player's own strategy, over a simplex; the best responses by multipliers"
    unique = True if game.is_zero_sum else None
    return Equilibrium(tuple(conditions), {}, None, kind, unique, Evidence("proved", method=method))


def _left(x: Array) -> Array:
    axes = [axis(k, n) for k, n in enumerate(x.shape)]
    return tensor(axes, open_tensor(x, axes))
