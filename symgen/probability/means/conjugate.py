"""Families recognised by the statistics in a log-density: posteriors, normalisers, products of powers of densities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symgen.algebra.collect import written_length
from symgen.algebra.rational import as_quotient, simplify_scalar
from symgen.derivation.context import Context
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.distributions import ROWS
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.choices import with_choices_out
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.logarithms import as_short
from symgen.probability.forms.scaled import with_numbers_inside
from symgen.probability.forms.terms import (
    Random,
    TooManyTerms,
    depends_on_any,
    entries_in,
    expanded,
    factors_of,
    normalised,
    opened,
    with_value,
)  # fmt: skip
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.intervals import slope_in
from symgen.probability.means.draw import SupportKnowledge
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Fn,
    Index,
    Node,
    Num,
    Pow,
    Scalar,
    Var,
    add,
    as_coefficient,
    delta,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    power,
    sub,
    substitute,
    total,
    var,
    walk,
)  # fmt: skip

LONGER = 1.5  # times as long a form may be that has no fractions below its line


@dataclass
class Kernel:
    """A log-density as the sum over `axes` of coefficient * statistic(z[axes]), plus a constant."""

    axes: tuple[Index, ...]
    statistics: dict[Scalar, Scalar] = field(default_factory=dict)
    constant: Scalar = ZERO


def kernel_of(body: Scalar, z: Var, row: Distribution | None, ctx: Context) -> Kernel | None:
    """The statistics of the entries of z in `body`; None where entries meet in one term, or it is too long."""
    variables = frozenset((z,))
    is_random = depends_on_any(variables)
    know = SupportKnowledge(Knowledge(ctx), z, row)
    kernel = Kernel(tuple(fresh_index(s) for s in z.shape))

    def visit(x: Scalar, coefficient: Scalar, bound: tuple[Index, ...]) -> bool:
        x = normalised(with_choices_out(opened(x, is_random), is_random), is_random, know)
        met = with_fractions_met(x, is_random, know)
        x = with_constants_out(x if met is x else normalised(met, is_random, know), variables)
        for item in expanded(x, is_random, lambda _: False):
            c = mul(coefficient, item.coefficient)
            if item.indices:
                if not visit(item.atom, c, (*bound, *item.indices)):
                    return False
                continue
            entries = entries_in(item.atom, variables)
            if entries is None:
                return False
            if not entries:
                kernel.constant = add(kernel.constant, total(mul(c, item.atom), list(bound)))
                continue
            if len(entries) != 1:
                return False
            mapping: dict[Index, Scalar] = {}
            atom = with_value(item.atom, z, lambda *_: entry(z, *kernel.axes))
            for place, axis in zip(entries[0].indices, kernel.axes, strict=True):
                if isinstance(place, Index) and place in bound and place not in mapping:
                    mapping[place] = axis
                else:  # z[c[i]] of groups c: sum over k of [c[i] = k] z[k]
                    c = mul(c, delta(place, axis))
            rest = [i for i in bound if i not in mapping]
            atom = substitute(atom, mapping)
            if not atom.free.isdisjoint(rest):
                return False
            kernel.statistics[atom] = add(kernel.statistics.get(atom, ZERO), total(substitute(c, mapping), rest))
        return True

    try:
        if not visit(body, ONE, ()):
            return None
    except TooManyTerms:
        return None
    kernel.statistics = {a: c for a, c in kernel.statistics.items() if c is not ZERO}
    return kernel


def with_fractions_met(x: Scalar, is_random: Random, know: Knowledge) -> Scalar:
    """log(1 + z/(1 - z)) as the logarithm of one fraction."""

    def rule(n: Scalar) -> Scalar:
        inside = n.args[0] if isinstance(n, Fn) and n.name == "log" and is_random(n) else None
        if not isinstance(inside, Add) or not any(_is_below(m, is_random) for m in walk(inside)):
            return n
        quotient = as_quotient(inside)
        return fn("log", quotient) if all(know.positive(f) for f in factors_of(quotient)) else n

    return bottom_up(x, rule) if any(_is_below(m, is_random) for m in walk(x)) else x


def _is_below(x: Node, is_random: Random) -> bool:
    return isinstance(x, Pow) and x.exponent is MINUS_ONE and is_random(x)


def with_constants_out(x: Scalar, variables: frozenset[Var]) -> Scalar:
    """exp(c z + d) as exp(d) exp(c z)."""

    def rule(n: Scalar) -> Scalar:
        if not (isinstance(n, Fn) and n.name == "exp"):
            return n
        entries = entries_in(n.args[0], variables)
        slope = slope_in(n.args[0], entries[0]) if entries is not None and len(entries) == 1 else None
        if slope is None or slope[1] is ZERO:
            return n
        return mul(fn("exp", slope[1]), fn("exp", mul(slope[0], entries[0]))) if entries else n

    return bottom_up(x, rule)


@dataclass
class Recognised:
    """The family and its parameters at the kernel's axes."""

    row: Distribution
    parameters: dict[str, Scalar]


def recognised(
    kernel: Kernel,
    z: Var,
    candidates: Iterable[Distribution],
    ctx: Context,
    fixed: Mapping[str, Scalar] | None = None,
) -> Recognised | None:
    """The first candidate whose statistics are those of the kernel. `fixed` gives the parameters that stand inside
    statistics (the shape of a Weibull); without them such families are left out."""
    variables = frozenset((z,))
    is_random = depends_on_any(variables)
    x = entry(z, *kernel.axes)
    for row in candidates:
        if not row.kernel or not (row.is_univariate or row.name == "Dirichlet"):
            continue
        if row.fixed and (fixed is None or any(n not in fixed for n in row.fixed)):
            continue
        know = SupportKnowledge(Knowledge(ctx), z, row)
        places = {n: entry(place(n)) for n in row.parameters}
        places.update({n: fixed[n] for n in row.fixed} if fixed else {})
        wanted: list[Scalar] = []
        for text in row.kernel:
            wanted.append(normalised(scalar_text(text, {**places, "x": x}), is_random, know))
        if any(a not in wanted for a in kernel.statistics):
            continue
        found = {f"c{k + 1}": kernel.statistics.get(a, ZERO) for k, a in enumerate(wanted)}
        parameters = {n: cleared(tidy(scalar_text(text, {**found, **{n: places[n] for n in row.fixed}})), know)
                      for n, text in row.inverse.items()}  # fmt: skip
        parameters.update({n: places[n] for n in row.fixed})
        if not _is_natural(row, parameters, found):
            continue
        return Recognised(row, parameters)
    return None


def _is_natural(row: Distribution, parameters: Mapping[str, Scalar], found: Mapping[str, Scalar]) -> bool:
    """Whether the parameters give back the coefficients that they were not read from."""
    read = " ".join(row.inverse.values())
    return all(f"c{k + 1}" in read or as_short(sub(c, found[f"c{k + 1}"])) is ZERO for k, c in enumerate(natural(row, parameters)))


def tidy(x: Scalar) -> Scalar:
    return simplify_scalar(with_numbers_inside(collected(with_numbers_inside(x))))


def cleared(x: Scalar, know: Knowledge) -> Scalar:
    """A fraction without fractions below it, under its root too: 1/sqrt(1/s^2 + 1) is s/sqrt(s^2 + 1)."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Pow) or not isinstance(n.exponent, Num) or n.exponent.rational is None:
            return n
        if n.exponent.rational.denominator == 1:
            return n
        parts = factors_of(as_quotient(n.base))
        apart = [f for f in parts if know.positive(f)]
        rest = [f for f in parts if f not in apart]
        return mul(*(_root(f, n.exponent) for f in apart), power(mul(*rest), n.exponent)) if apart else n

    made = as_quotient(bottom_up(x, rule))
    share = LONGER if _has_fraction_below(x) and not _has_fraction_below(made) else 1
    return made if written_length(made) <= share * written_length(x) else x


def _has_fraction_below(x: Scalar) -> bool:
    """Whether a denominator or a root holds a fraction."""
    turned = [n for n in walk(x) if isinstance(n, Pow) and isinstance(n.base, Add) and n.exponent is not TWO]
    return any(isinstance(m, Pow) and as_coefficient(m.exponent)[0] < 0 for n in turned for m in walk(n.base))


def _root(x: Scalar, exponent: Scalar) -> Scalar:
    """x^exponent of a positive x."""
    return power(x.base, mul(x.exponent, exponent)) if isinstance(x, Pow) else power(x, exponent)


def place(name: str) -> Var:
    return var(name, (), "real", "placeholder", uid=-8)


def families_on(support: object) -> list[Distribution]:
    """The families of the table with this support and a kernel, the most general first."""
    rows = [r for r in ROWS if r.support == support and r.kernel]
    return sorted(rows, key=lambda r: len(r.kernel))


def with_support_of(row: Distribution) -> list[Distribution]:
    return [row, *(r for r in families_on(row.support) if r is not row)]


def natural(row: Distribution, parameters: Mapping[str, Scalar]) -> list[Scalar]:
    """The coefficients of the statistics at these parameters."""
    return [scalar_text(t, dict(parameters)) for t in row.kernel.values()]


def log_partition(row: Distribution, parameters: Mapping[str, Scalar], ctx: Context) -> Scalar | None:
    """Minus what is constant in the log-density: log p = sum of coefficient * statistic - A + log base."""
    x = var("x", (), "real", "random", uid=-9)
    body = scalar_text(row.log_density, {**parameters, "x": entry(x)})
    kernel = kernel_of(body, x, row, ctx)
    return None if kernel is None else neg(kernel.constant)


__all__ = ["Entry", "Kernel", "Recognised", "kernel_of", "recognised"]
