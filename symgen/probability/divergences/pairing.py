"""Two distributions over one draw."""

from __future__ import annotations

from symgen.derivation.context import Context
from symgen.probability.divergences.divergence import common_draws, difference_of_logs, rank_zero, widened, with_laws_known
from symgen.probability.forms.one_form import vanishes
from symgen.probability.laws.joint import DistRef, draws_of, expectation, log_density
from symgen.probability.laws.law import row_of
from symgen.probability.means.support import inclusion
from symgen.probability.means.support import kinds_differ as laws_differ
from symgen.tensor.expression import ONE, ZERO, Array, Operator, Scalar, Var, open_tensor, scalar_of, sub


class Pairing:
    """Two distributions over one draw: x ~ p, with the log-densities of both there."""

    def __init__(self, p: DistRef, q: DistRef, ctx: Context) -> None:
        p, q = with_laws_known(p, ctx), with_laws_known(q, ctx)
        self.draws, in_q = common_draws(p, q)
        self.in_p: dict[Var, Array] = {v: new for (v, _), (new, _) in zip(draws_of(p), self.draws, strict=True)}
        self.in_q: dict[Var, Array] = {k: v for k, v in in_q.items() if isinstance(k, Var)}
        self.p, self.q, self.ctx = widened(p, self.in_p), widened(q, self.in_q), ctx
        self.inside = inclusion(self.p, self.q, self.in_p, self.in_q, ctx)
        self.outside = inclusion(self.q, self.p, self.in_q, self.in_p, ctx)

    @property
    def is_known(self) -> bool:
        """Whether the densities of both can be written out."""
        return all(has_formula(f.law) for r in (self.p, self.q) for f in r.joint.factors)

    @property
    def is_on_one_support(self) -> bool:
        """Whether each has mass only where the other has: the ratio of the densities is that of their formulas."""
        return self.inside is ONE and self.outside is ONE

    def log_ratio(self) -> Scalar:
        """log p - log q at the draw."""
        if self.is_known:
            ratio = difference_of_logs(self.p, self.q, self.in_p, self.in_q, self.ctx)
            is_own = any(row_of(f.law) is None for f in self.p.joint.factors)
            return ZERO if is_own and self.is_on_one_support and vanishes(ratio, self.ctx) else ratio
        return sub(scalar_of(log_density(self.p, self.in_p)), scalar_of(log_density(self.q, self.in_q)))

    def mean(self, body: Scalar) -> Operator:
        made = expectation(rank_zero(body), self.draws)
        assert isinstance(made, Operator)
        return made


def has_formula(law: Array) -> bool:
    return row_of(law) is not None or (isinstance(law, Operator) and law.name == "formula" and not law.attrs[2])


def is_finite(pair: Pairing) -> bool:
    rows = [row_of(f.law) for f in pair.p.joint.factors]
    return all(r is not None and r.region.kind in ("integers", "onehot") and r.region.high != "inf" for r in rows)


def kinds_differ(pair: Pairing) -> bool:
    """Whether a variable is discrete under one law and not under the other."""
    others = {pair.in_q.get(g.variables[0]): g.law for g in pair.q.joint.factors}
    mine = ((f.law, others.get(pair.in_p.get(f.variables[0]))) for f in pair.p.joint.factors)
    return any(other is not None and laws_differ(law, other) for law, other in mine)


def value_of(array: Array) -> Scalar:
    return open_tensor(array, ()) if not isinstance(array, Operator) else scalar_of(array)
