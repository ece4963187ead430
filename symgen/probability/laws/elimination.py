"""What a question about some variables of a joint, given others, comes to: the factors that matter, and what has to be
integrated out first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from symgen.derivation.context import Context
from symgen.probability.forms.scaled import unscaled
from symgen.probability.forms.terms import opened
from symgen.probability.forms.walks import bottom_up, constants_opened
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.joint import DistRef, Factor
from symgen.probability.laws.law import has_density
from symgen.tensor.expression import ONE, Array, Fn, Scalar, Var, add, fn, neg, replace_arrays, variables_of
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/means/conjugate.py"


@dataclass(frozen=True)
class Question:
    """p(targets | observed): `factors` are those that hang together with the targets, each after what it is given;
    `hidden` are the other variables that they draw and nobody has seen."""

    factors: tuple[Factor, ...]
    targets: tuple[Var, ...]
    observed: tuple[Var, ...]
    hidden: tuple[Var, ...]
    values: dict[Var, Array] = field(default_factory=dict)

    def factor_of(self, v: Var) -> Factor:
        return next(f for f in self.factors if v in f.variables)

    @property
    def unseen(self) -> tuple[Var, ...]:
        """Targets and hidden variables, in the order in which they are drawn."""
        return tuple(v for f in self.factors for v in f.variables if v in self.targets or v in self.hidden)


def speaks_of(f: Factor) -> set[Var]:
    """The variables that a factor draws or hangs on."""
    return {*f.variables, *f.given, *variables_of(f.law)}


def question(
    ref: DistRef, targets: Sequence[Var], observed: Sequence[Var], values: dict[Var, Array] | None = None,
    connected: bool = True,
) -> Question:  # fmt: skip
    """p(targets | observed) within a joint. What nothing hangs on is left out, and (`connected`) what is independent of
    the targets given what is observed. What the joint does not draw is given."""
    drawn = set(ref.joint.variables)
    for z in targets:
        if z not in drawn:
            raise CannotDerive(f"`{z.name}` is not drawn by `{ref.joint.name}`", None)
    factors = list(ref.joint.factors)
    wanted = {*targets, *observed}
    while True:
        needed = [f for f in factors if wanted.intersection(f.variables)
                  or any(g is not f and speaks_of(g).intersection(f.variables) for g in factors)]  # fmt: skip
        if len(needed) == len(factors):
            break
        factors = needed
    unseen = [v for f in factors for v in f.variables if v not in observed]
    if connected:
        reached = set(targets)
        growing = True
        while growing:
            growing = False
            for f in factors:
                mine = speaks_of(f).intersection(unseen)
                if mine & reached and not mine <= reached:
                    reached |= mine
                    growing = True
        factors = [f for f in factors if speaks_of(f).intersection(unseen) & reached]
        unseen = [v for v in unseen if v in reached]
    return Question(tuple(factors), tuple(targets), tuple(observed), tuple(v for v in unseen if v not in targets),
                    dict(values or {}))  # fmt: skip


def log_joint(factors: Iterable[Factor], values: dict[Var, Array], ctx: Context) -> Scalar:
    """The sum of the log-densities of factors, at values for what is given."""
    terms: list[Scalar] = []
    for f in factors:
        if not has_density(f.law):
            raise CannotDerive(f"the density `{f.name}` is not known, so its posterior has no closed form", f.law, HERE)
        law = replace_arrays(f.law, values) if values else f.law
        at = values.get(f.variables[0], f.variables[0])
        terms.append(log_density_at(law, at, ctx))
    return bottom_up(constants_opened(unscaled(add(*terms))), _beta_of_one)


def _beta_of_one(n: Scalar) -> Scalar:
    """log B(t, 1) = -log t."""
    if not isinstance(n, Fn) or n.name != "lbeta" or ONE not in n.args:
        return n
    other = n.args[0] if n.args[1] is ONE else n.args[1]
    return neg(fn("log", other))


def with_values_in(f: Factor, values: dict[Var, Array]) -> Factor:
    """The factor with data put in for what it is given."""
    return Factor(f.name, f.variables, f.given, replace_arrays(f.law, values)) if values else f


def opened_in(body: Scalar, z: Var) -> Scalar:
    """`body` with every definition that hangs on z written out."""
    return opened(body, lambda n: z in variables_of(n))
