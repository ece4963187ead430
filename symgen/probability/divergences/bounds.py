"""bound(f, by=name(..)): a quantity of information held against what is simpler, by a named inequality.

What is dropped is a divergence, or a term of a sure sign, written out in the step before; the side on which the bound lies is
checked on random finite tables where a density is not known, and by quadrature where all are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symgen.algebra.equality import less_equal
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.bayes.marginal import reduce_conditional_law, reduce_log_density_of
from symgen.probability.divergences.divergence import reduce_entropy, reduce_expectation, reduce_kl
from symgen.probability.divergences.evidence_bounds import METHODS as OF_EVIDENCE
from symgen.probability.divergences.inequalities import CALLED, INEQUALITIES, Inequality
from symgen.probability.divergences.information import reduce_mutual_information
from symgen.probability.divergences.information_bounds import METHODS as OF_INFORMATION
from symgen.probability.divergences.information_bounds import with_unknown_laws
from symgen.probability.divergences.mixture_bounds import METHODS as OF_MIXTURES
from symgen.probability.laws.joint import is_expectation
from symgen.probability.laws.tables import complete_point
from symgen.probability.means.quadrature import number_at, small_sizes, visits
from symgen.tensor.evaluate import NotEvaluable
from symgen.tensor.expression import Array, Entry, Operator, Tensor, Var, replace_arrays, variables_of, walk
from symgen.tensor.facts import Facts
from symgen.tensor.sample import generator, random_point
from symgen.text.diagnostics import CannotDerive, InternalError

__all__ = ["quantity_of", "reduce_bound"]

POINTS = 3
CLOSE = 1e-7  # by which quadrature may miss a bound that is tight
CLOSED: dict[str, Callable[[Operator, Context], Array]] = {
    "E": reduce_expectation, "entropy": reduce_entropy, "KL": reduce_kl, "mutual_information": reduce_mutual_information,
    "log_density_of": reduce_log_density_of,
}  # fmt: skip
METHODS: dict[str, Callable[[Operator, Sequence[Any], Context], Array]] = {**OF_INFORMATION, **OF_MIXTURES, **OF_EVIDENCE}


def quantity_of(array: Array) -> Operator | None:
    """The operator that an expression is."""
    if isinstance(array, Tensor) and not array.rank and isinstance(array.body, Entry) and not array.body.indices:
        array = array.body.array
    return array if isinstance(array, Operator) else None


def reduce_bound(op: Operator, ctx: Context) -> Array:
    """The bound, its means taken where they have closed forms."""
    whole, name, arguments = op.attrs
    row = INEQUALITIES[name]
    quantity = quantity_of(whole)
    if quantity is None or quantity.name not in row.of:
        of = " or ".join(f"`{CALLED.get(n, n)}`" for n in row.of)
        raise CannotDerive(
            f"`{name}` bounds {of}, and this is something else", whole, "symgen/probability/divergences/inequalities.py"
        )
    made = METHODS[name](quantity, arguments, ctx)
    settled = closed(made, ctx)
    if settled is not made:
        ctx.trace.add("means", made, settled, reason="the means taken")
    ctx.trace.note(f"{'a lower' if row.side == 'lower' else 'an upper'} bound: {row.says}; equal where {row.tight}")
    if quantity.name == "mutual_information" and "KL" in row.of and "critic" in row.takes:
        ctx.trace.note("here p is the joint, and q the product of its marginals")
    if "critic" in row.takes and not _has_density(quantity):
        ctx.trace.checks.append(lambda: for_any_laws(quantity, name, arguments, row, ctx))
    else:
        ctx.trace.checks.append(lambda: check_bound(quantity, settled, row, ctx))
    return settled


def _has_density(a: Array) -> bool:
    return any(isinstance(n, Operator) and n.name == "density" for n in walk(a))


def for_any_laws(quantity: Operator, name: str, arguments: Sequence[Any], row: Inequality, ctx: Context) -> Evidence:
    """What an unknown critic sees is infinite under most laws: the inequality is looked at for laws on a few points."""
    told = replace(ctx.quiet(), facts=None)
    general = with_unknown_laws(quantity)
    found = check_bound(general, METHODS[name](general, arguments, told), row, told)
    return replace(found, method=f"the inequality for any laws: {found.method}")


def closed(array: Array, ctx: Context) -> Array:
    """What has a closed form in it; unknown functions and densities leave their means as they are."""
    places: dict[Array, Array] = {}
    for n in walk(array):
        if not isinstance(n, Operator) or n.name not in CLOSED or _is_open(n):
            continue
        try:
            made = CLOSED[n.name](n, ctx.quiet())
        except CannotDerive:
            continue
        if made is not n:
            places[n] = made
    return replace_arrays(array, places) if places else array


def _is_open(n: Operator) -> bool:
    """Whether it speaks of a function or a density that is not known."""
    return any(isinstance(m, Operator) and m.name in ("apply", "density") for m in walk(n))


def check_bound(quantity: Operator, value: Array, row: Inequality, ctx: Context) -> Evidence:
    """Whether the bound lies on its side."""
    if _has_density(quantity) or _has_density(value):
        below, above = (value, quantity) if row.side == "lower" else (quantity, value)
        found = less_equal(below, above, ctx.facts, complete=complete_point)
        if found.status == "refuted":
            raise InternalError(f"the bound `{row.name}` lies on the wrong side")
        return found.evidence
    inner = [n for n in walk(quantity) if isinstance(n, Operator) and n.name == "conditional_law"]
    laws: dict[Array, Array] = {n: reduce_conditional_law(n, ctx.quiet()) for n in inner}
    exact = closed(replace_arrays(quantity, laws) if laws else quantity, ctx)
    return by_quadrature(exact, value, row, ctx.facts)


def by_quadrature(quantity: Array, value: Array, row: Inequality, facts: Facts | None) -> Evidence:
    """Both at random points of small sizes, what stays a mean by quadrature."""
    nodes = [quantity, value]
    bound = {v for n in walk(*nodes) if isinstance(n, Operator) and is_expectation(n) for v in n.attrs[0]}
    free: list[Var] = sorted(frozenset().union(*(variables_of(n) for n in nodes)) - bound, key=lambda v: (v.name, v.uid))
    assumptions = facts.assumptions if facts is not None else ()
    rng = generator("bound", *(v.name for v in free))
    method, done = "quadrature of the quantity against the bound", 0
    for sizes, _ in visits(list(small_sizes(nodes, free, assumptions))):
        for _ in range(3):
            point = random_point(free, sizes, rng, 0, assumptions)
            if point is None or done == POINTS:
                continue
            complete_point(point, nodes, rng)
            try:
                exact, rough, held = number_at(quantity, point), number_at(quantity, point, 0), number_at(value, point)
            except NotEvaluable as error:
                return Evidence("unknown", method=method, tried=(str(error),))
            if exact is None or rough is None or held is None or not np.all(np.isfinite([exact, rough, held])):
                continue
            scale = max(1.0, abs(float(exact)))
            if abs(float(exact - rough)) > CLOSE * scale:
                continue
            gap = float(exact - held) if row.side == "lower" else float(held - exact)
            if gap < -CLOSE * scale:
                raise InternalError(f"the bound `{row.name}` is {float(held):.10g}, and the quantity {float(exact):.10g}")
            done += 1
        if done == POINTS:
            break
    if not done:
        return Evidence("unknown", method=method, tried=("no point at which quadrature settles",))
    return Evidence("checked", points=done, method=method)
