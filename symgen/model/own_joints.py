"""A density of one's own over several numbers: by the chain rule, p(x, y) = p(x) p(y | x), each one a density of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.model.elaboration import Elaboration
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import log_of, with_value
from symgen.probability.laws.joint import Factor
from symgen.probability.laws.law import formula_law
from symgen.probability.laws.own_formula import RANGES, own_density
from symgen.probability.means.own_density import integral_of, normalised_formula, why_not
from symgen.tensor.expression import (
    INF,
    NAN,
    ONE,
    Array,
    Fn,
    Mul,
    Pow,
    Scalar,
    Var,
    add,
    entry,
    fn,
    mul,
    open_tensor,
    power,
    replace_arrays,
    sub,
    tensor,
    var,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.tensor.scope import Clash
from symgen.text import tree

__all__ = ["own_factors"]

NORMALISER = "Z"


def own_factors(
    model: Elaboration, s: tree.Dist, drawn: Sequence[Var], places: Sequence[Var], density: Scalar, normaliser: str
) -> list[Factor]:
    """The factors of `dist p(x, y) = f(x, y)/Z`, in an order in which what is integrated out first has a closed integral.

    `density` is over the placeholders `places` of the variables `drawn`; its mass is checked, or found, with the last
    that is left.
    """
    for v, place in zip(drawn, s.head.variables, strict=True):
        if v.rank or v.domain not in RANGES or RANGES[v.domain][2]:
            raise Clash("a density of your own over several variables is over continuous numbers", place.span, "not one",
                        help="say the law of each variable with a `dist` of its own, given the others")  # fmt: skip
    name = s.head.name.name
    ctx = Context(Trace(), Facts(model.assumed))
    whole = own_density(formula_law(places[0], tensor((), fn("log", density)), normaliser, name))
    plain = density if whole.z is None else with_value(density, whole.z, lambda *_: ONE)
    constant = ONE if whole.z is None else power(entry(whole.z), whole.power)
    for order in permutations(range(len(drawn))):
        chosen, own = [drawn[k] for k in reversed(order)], [places[k] for k in reversed(order)]
        found = _in_order(own, plain, ctx)
        if found is None:
            continue
        if any(n is INF or n is NAN for m in found for n in walk(m)):
            raise Clash(f"the density `{name}` cannot be normalised: its integral over the others has no bound", s.law.span,
                        "no density")  # fmt: skip
        masses = [*found, plain]  # of the first variable, of the first two, .., of all
        factors: list[Factor] = []
        for k, (v, p) in enumerate(zip(chosen, own, strict=True)):
            given = dict(zip(own[:k], chosen[:k], strict=True))
            if not k:
                law = formula_law(p, tensor((), fn("log", mul(masses[k], constant))), normaliser, name)
                why = why_not(law, Facts(model.assumed))
                if why is not None:
                    raise Clash(why, s.law.span, "no density")
            else:
                law = _conditional(p, _log(masses[k], ctx), _log(masses[k - 1], ctx), given, name, ctx)
            factors.append(Factor(name, (v,), tuple(chosen[:k]), law))
        return factors
    raise Clash("no variable of this density is integrated out in closed form", s.law.span, "no closed integral",
                help="say it as `dist p(x) = ..` and `dist p(y | x) = ..`")  # fmt: skip


def _in_order(own: Sequence[Var], density: Scalar, ctx: Context) -> list[Scalar] | None:
    """The integrals of the density over all but the first, .., over the last alone; None where one has no closed form."""
    out: list[Scalar] = []
    for p in reversed(own[1:]):
        low, high, _ = RANGES[p.domain]
        made = integral_of(ONE, p, low, high, ctx, density)
        if made is None:
            return None
        density = made
        out.insert(0, density)
    return out


def _log(mass: Scalar, ctx: Context) -> Scalar:
    """The logarithm of a product as a sum, of a sum as it is."""
    know = Knowledge(ctx)
    parts = mass.args if isinstance(mass, Mul) else (mass,)
    return add(*(log_of(f, know) if isinstance(f, Pow | Fn) and know.positive(f) else fn("log", f) for f in parts))


def _conditional(p: Var, log_f: Scalar, log_mass: Scalar, given: dict[Var, Var], name: str, ctx: Context) -> Array:
    """The law of one variable given those before it: of the table where it is one, else by its density."""
    z = var(NORMALISER, (), "positive", "normaliser", uid=3)

    def at_given(body: Scalar) -> Array:
        return tensor((), open_tensor(replace_arrays(tensor((), body), dict(given)), ()))

    found = normalised_formula(formula_law(p, at_given(sub(log_f, fn("log", entry(z)))), NORMALISER, name), ctx)
    if found is not None and found[2] is ONE:
        return found[0]
    return formula_law(p, at_given(sub(log_f, log_mass)), "", name, True)
