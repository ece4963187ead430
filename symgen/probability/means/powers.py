"""The integral of p^alpha q^(1 - alpha): what Renyi, chi-square and Hellinger divergences are made of.

The product of powers of two densities is recognised as a density of the table up to a factor, which is the integral.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.segment import PLACES, WEIGHTS, listed
from symgen.derivation.context import Context
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.distributions import ROWS
from symgen.probability.families.lemma import PowerLemma
from symgen.probability.families.power_integrals import POWER_INTEGRALS
from symgen.probability.families.texts import read_array, scalar_text
from symgen.probability.forms.conditions import for_all, tidy_condition
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.logarithms import gathered_logarithms
from symgen.probability.forms.scaled import without_sums_of_inverses
from symgen.probability.forms.special import simplified, without_logarithms
from symgen.probability.forms.terms import depends_on_any, factors_of, opened
from symgen.probability.laws.densities import entry_log_density, log_density_at, parameters
from symgen.probability.laws.law import LAW, law_of_row, parameters_of, row_of
from symgen.probability.means.conjugate import kernel_of, recognised
from symgen.tensor.expression import (
    HALF,
    ONE,
    ZERO,
    Array,
    Fn,
    Num,
    Pow,
    Scalar,
    Var,
    Where,
    add,
    compare,
    entry,
    fn,
    fresh_index,
    logic,
    mul,
    num,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    tensor,
    total,
    var,
    walk,
    where,
)  # fmt: skip

SAME_RATIO = {"LogitNormal": "Normal"}  # the family of an injective function of x: ratios of densities are the same


@dataclass(frozen=True)
class PowerIntegral:
    """The logarithm of the integral, within the family or law `family`, finite where the condition holds; `note` is a
    condition that has no form in the language."""

    condition: Scalar
    logarithm: Scalar
    family: str
    note: str = ""


def smooth_power_integral(p: Array, q: Array, alpha: Scalar, ctx: Context) -> PowerIntegral | None:
    """The same by the form that a row of the table has for derivatives, where its condition holds; None where it has none."""
    lemma = lemma_for(p, q)
    if lemma is None or not lemma.smooth[0]:
        return None
    scope = _scope_of(lemma, p, q, alpha) | {"S": listed(PLACES), "W": listed(WEIGHTS)}
    near = open_tensor(read_array(f"where({lemma.smooth[0]}, 1, 0)", scope), ())
    assert isinstance(near, Where)
    return PowerIntegral(near.args[0], open_tensor(read_array(lemma.smooth[1], scope), ()), "")


def power_integral(p: Array, q: Array, alpha: Scalar, ctx: Context) -> PowerIntegral | None:
    """log of the integral of p^alpha q^(1 - alpha) for two laws over one shape, summed over independent entries."""
    first, second = row_of(p), row_of(q)
    if first is None or second is None or first.region != second.region:
        return None
    if first is second and first.name in SAME_RATIO:
        p, q = (law_of_row(SAME_RATIO[first.name], law.args) if not law.shape else law for law in (p, q))
        first, second = row_of(p), row_of(q)
        assert first is not None and second is not None
    lemma = lemma_for(p, q)
    if lemma is not None:
        return _by_lemma(lemma, p, q, alpha, ctx)
    if first is second and first.is_univariate and p.rank and first.name in POWER_INTEGRALS:
        return _over_entries(p, q, alpha, ctx)
    if first.own_rank != second.own_rank or (first.event and first.name != "Dirichlet"):
        return None
    if first.event and p.rank != first.own_rank:
        return None
    x = var("x", p.shape[p.rank - first.own_rank :], "real", "random", uid=-9)
    indices = [fresh_index(s) for s in p.shape[: p.rank - first.own_rank]]
    quiet = ctx.quiet()
    know = Knowledge(ctx)
    if first.event:
        logs = [log_density_at(law, x, quiet) for law in (p, q)]
    else:
        for law in (p, q):
            parameters(law, ctx).univariate(indices, know)
        logs = [entry_log_density(law, entry(x), indices, quiet) for law in (p, q)]
    body = add(mul(alpha, logs[0]), mul(sub(ONE, alpha), logs[1]))
    kernel = kernel_of(body, x, first, quiet)
    if kernel is None:
        return None
    kernel.statistics = {a: simplify_scalar(c) for a, c in kernel.statistics.items()}
    kernel.statistics = {a: c for a, c in kernel.statistics.items() if c is not ZERO}
    rows = [first, *([second] if second is not first else []),
            *(r for r in ROWS if r.support == first.support and r not in (first, second))]  # fmt: skip
    rows = [r for r in rows if r.region == first.region or r is first]
    fixed = {} if first.event else {k: v for law in (q, p) for k, v in parameters(law, ctx).scalars(indices).items()}
    found = recognised(kernel, x, rows, quiet, fixed)
    if found is None:
        return None
    if found.row.event:
        operands = [tensor(kernel.axes, found.parameters[n]) for n in found.row.parameters]
        own = kernel_of(log_density_at(operator(found.row.name, operands, x.shape, (LAW,)), x, quiet), x, found.row, quiet)
    else:
        text = scalar_text(found.row.log_density, {**found.parameters, "x": entry(x)})
        own = kernel_of(text, x, found.row, quiet)
    if own is None:
        return None
    condition = admissible(found.row.parameters, found.parameters, know)
    if condition.free.intersection(kernel.axes):
        condition = for_all(condition, list(kernel.axes))
    if condition.free and indices:
        condition = for_all(condition, indices)
    value = gathered_logarithms(sub(kernel.constant, own.constant))
    return PowerIntegral(condition, total(value, indices), found.row.name)


def tilted(row: Distribution, at: Mapping[str, Scalar], log_f: Scalar, x: Var, ctx: Context) -> PowerIntegral | None:
    """log of the mean of f under a scalar law, where the density times f is one of the table up to a factor."""
    quiet = ctx.quiet()
    kernel = kernel_of(add(scalar_text(row.log_density, {**at, "x": entry(x)}), log_f), x, row, quiet)
    if kernel is None:
        return None
    kernel.statistics = {a: c for a, b in kernel.statistics.items() if (c := simplify_scalar(b)) is not ZERO}
    rows = [row, *(r for r in ROWS if r.support == row.support and r is not row and r.is_univariate)]
    found = recognised(kernel, x, rows, quiet, at)
    if found is None:
        return None
    own = kernel_of(scalar_text(found.row.log_density, {**found.parameters, "x": entry(x)}), x, found.row, quiet)
    if own is None:
        return None
    condition = admissible(found.row.parameters, found.parameters, Knowledge(ctx))
    return PowerIntegral(condition, gathered_logarithms(sub(kernel.constant, own.constant)), found.row.name)


def admissible(domains: object, found: dict[str, Scalar], know: Knowledge) -> Scalar:
    """The condition under which parameters that were found lie in their domains."""
    conditions: list[Scalar] = []
    for n, domain in dict(domains).items():  # type: ignore[call-overload]
        x = found[n]
        if domain == "positive":
            y = mul(*(f for f in factors_of(x) if know.positive(f) is not True))
            while isinstance(y, Pow) and (not isinstance(y.exponent, Num) or _is_odd(y.exponent)):
                y = y.base  # of a power that is not whole the base is positive
            if isinstance(y, Pow) and y.exponent in (HALF, num(Fraction(-1, 2))):
                y = y.base
            sign = know.positive(y)
            if sign is not True:
                conditions.append(compare("<", ZERO, y))
        elif domain == "unit":
            if know.positive(x) is not True:
                conditions.append(compare("<", ZERO, x))
            if know.positive(sub(ONE, x)) is not True:
                conditions.append(compare("<", x, ONE))
        else:
            logs = (y.args[0] for y in walk(x) if isinstance(y, Fn) and y.name == "log")
            conditions.extend(compare("<", ZERO, y) for y in logs if know.positive(y) is not True)
    return tidy_condition(know.remaining(tidy_condition(logic("and", *conditions))))


def _is_odd(exponent: Num) -> bool:
    return exponent.rational is not None and exponent.rational.denominator == 1 and int(exponent.rational) % 2 == 1


def lemma_for(p: Array, q: Array) -> PowerLemma | None:
    """The row of the table of power integrals that speaks of two laws of one draw."""
    row, other = row_of(p), row_of(q)
    if row is None or row is not other or row.name not in POWER_INTEGRALS or p.rank != row.own_rank:
        return None
    lemma, first, second = POWER_INTEGRALS[row.name], parameters_of(p), parameters_of(q)
    if row.fixed and row.fixed != lemma.equal and all(first[n] is second[n] for n in row.fixed):
        return None  # within an exponential family
    return lemma if all(first[n] is second[n] for n in lemma.equal) else None


def _by_lemma(lemma: PowerLemma, p: Array, q: Array, alpha: Scalar, ctx: Context) -> PowerIntegral:
    """A row of the table of power integrals, over the parameters of both laws."""
    row = row_of(p)
    assert row is not None
    scope = _scope_of(lemma, p, q, alpha)
    inside = isinstance(alpha, Num) and alpha.rational is not None and 0 <= alpha.rational <= 1
    know = Knowledge(ctx)
    special = _condition(lemma.degenerate[0], scope, know) if lemma.degenerate[0] else ZERO
    value = open_tensor(read_array(lemma.degenerate[1], scope), ()) if special is not ZERO else ZERO
    if special is not ONE:
        text = lemma.value if inside or not lemma.guarded_value else lemma.guarded_value
        general = open_tensor(read_array(text, scope), ())
        value = where(special, value, simplified(general) if "hyp2f1" in text else general)
    value = without_sums_of_inverses(value)
    if inside:
        return PowerIntegral(ONE, value, row.name)
    condition = tidy_condition(without_sums_of_inverses(_condition(lemma.when, scope, know))) if lemma.when else ONE
    return PowerIntegral(condition, value, row.name, lemma.note)


def _over_entries(p: Array, q: Array, alpha: Scalar, ctx: Context) -> PowerIntegral | None:
    """The logarithm for laws of independent entries: the sum of those of the entries."""
    row = row_of(p)
    assert row is not None
    indices = [fresh_index(s) for s in p.shape]
    meant: dict[Scalar, Var] = {}
    both: list[Array] = []
    for law in (p, q):
        at = parameters(law, ctx).scalars(indices)
        for n, x in at.items():
            meant.setdefault(x, var(n, (), row.parameters[n], "placeholder", uid=-620 - len(meant)))
        both.append(law_of_row(row.name, [meant[x] for x in at.values()]))
    found = power_integral(both[0], both[1], alpha, ctx)
    if found is None:
        return None
    back = {v: partial(lambda x: x, x) for x, v in meant.items()}
    is_meant = depends_on_any(frozenset(meant.values()))
    condition, logarithm = (replace_arrays(opened(x, is_meant), back) for x in (found.condition, found.logarithm))
    return PowerIntegral(for_all(condition, indices), total(logarithm, indices), found.family, found.note)


def _scope_of(lemma: PowerLemma, p: Array, q: Array, alpha: Scalar) -> dict[str, Array | Scalar]:
    """What the names in a row stand for."""
    row = row_of(p)
    assert row is not None
    scope: dict[str, Array | Scalar] = {"alpha": alpha}
    for k, law in (("1", p), ("2", q)):
        scope.update({f"{n}{k}": a for n, a in parameters_of(law).items()})
    for letter, size in zip(row.event, p.shape, strict=True):
        scope[letter] = size
    for name, text in lemma.lets.items():
        scope[name] = read_array(text, scope)
    return scope


def _condition(text: str, scope: Mapping[str, Array | Scalar], know: Knowledge) -> Scalar:
    """What is not known of a condition that is written in the language."""
    said = open_tensor(read_array(f"where({text}, 1, 0)", scope), ())
    return know.remaining(said.args[0] if isinstance(said, Where) else said)


def exponential_of(logarithm: Scalar) -> Scalar:
    """exp(L) with its logarithms as powers."""
    made = fn("exp", logarithm)
    return without_logarithms(made) if isinstance(made, Fn) and made.name == "exp" else made


__all__ = ["PowerIntegral", "exponential_of", "lemma_for", "power_integral", "smooth_power_integral", "tilted"]
