"""The entropy that a chain makes in a step, in the long run."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgen.derivation.context import Context
from symgen.probability.divergences.divergence import rank_zero
from symgen.probability.families.texts import read_array
from symgen.probability.laws.joint import decode
from symgen.probability.laws.law import parameters_of, row_of
from symgen.probability.means.grids import numbers_of
from symgen.probability.means.quadrature import check_value
from symgen.tensor.evaluate import Point
from symgen.tensor.expression import Array, Operator, open_tensor
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/divergences/rates.py"
HALVINGS = 40  # of the lazy chain: 2^40 steps


def reduce_entropy_rate(op: Operator, ctx: Context) -> Array:
    """lim H(x[0], .., x[T - 1])/T = -sum of q[i] P[i, j] log P[i, j], q the law that a step leaves as it is.

    q P = q and q 1 = 1 give q (I - P + 1 1') = 1', and the matrix has an inverse where the chain has one class of states
    to which it returns. Cover & Thomas (2006), 4.2.4.
    """
    (p,), _ = decode(op)
    law = p.joint.factors[0].law
    row = row_of(law)
    if len(p.joint.factors) != 1 or row is None or not row.states or law.rank != 1:
        raise CannotDerive("the entropy rate of this law has no rule: it is that of a MarkovChain", op, HERE)
    moves = parameters_of(law)["P"]
    k = moves.shape[0]
    at_rest = read_array("ones(k) @ inv(eye(k) - P + ones(k, k))", {"P": moves, "k": k})
    unique = "one class of states to which the chain returns"
    ctx.trace.condition(unique)
    mean = rank_zero(open_tensor(read_array("-q @ sum(P*log(P), axis=1)", {"q": at_rest, "P": moves}), ()))
    ctx.trace.add("definition", op, mean, conditions=(unique,), source="Cover & Thomas (2006), 4.2.4",
                  reason="the mean entropy of a move, from the law q that a move leaves as it is: q P = q and q 1 = 1 give"
                  " q (I - P + 1 1') = 1'")  # fmt: skip

    def truth(point: Point, level: int) -> Any:
        """By the law after very many moves, of which each is left out with probability 1/2."""
        P = numbers_of(law, point)["P"]
        far = (P + np.eye(len(P))) / 2
        for _ in range(HALVINGS):
            far = far @ far
            far /= far.sum(axis=1, keepdims=True)
        return -np.sum(far[0] @ (P * np.log(P)))

    ctx.trace.checks.append(lambda: check_value(truth, mean, [law], (), ctx.facts, method="the law after many moves"))
    return mean


__all__ = ["reduce_entropy_rate"]
