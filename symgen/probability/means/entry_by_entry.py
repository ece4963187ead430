"""Means of products over the entries of a vector that are independent: generating and characteristic functions, powers of
ratios of densities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from symgen.probability.forms.conditions import for_all
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import LinearForm, entries_in, factors_of, linear_form, terms_of
from symgen.probability.laws.characteristic import modulus_and_angle
from symgen.probability.means.draw import Draw
from symgen.probability.means.univariate import Found
from symgen.tensor.expression import (
    Compare,
    Entry,
    Fn,
    Index,
    Logic,
    Pow,
    Scalar,
    Sum,
    Var,
    add,
    fn,
    fold,
    mul,
    open_sum,
    sub,
    substitute,
    total,
)  # fmt: skip

__all__ = ["over_entries"]


class Means(Protocol):
    """The means over one draw."""

    draw: Draw
    is_random: Callable[[Scalar], bool]
    variables: frozenset[Var]

    def of_atom(self, atom: Scalar) -> Found | None: ...

    def positive_draws(self) -> Knowledge: ...


def over_entries(atom: Scalar, one: Means) -> Found | None:
    """E exp(sum_i g(x_i)), E cos(c + sum_i t_i x_i): each entry by itself."""
    row = one.draw.row
    if row is None or not row.is_univariate or not isinstance(atom, Fn) or not one.draw.variable.rank:
        return None
    if atom.name == "exp":
        return _of_exponential(atom.args[0], one)
    form = linear_form(atom.args[0], one.is_random, one.variables) if atom.name in ("cos", "sin") else None
    return _of_wave(atom.name, form, one) if form is not None else None


def _of_exponential(exponent: Scalar, one: Means) -> Found | None:
    """E exp(sum_i g(x_i)) of independent entries: the product of the means of exp(g)."""
    constant: list[Scalar] = []
    inside: list[Scalar] = []
    first: Entry | None = None
    for t in terms_of(exponent):
        if not one.is_random(t):
            constant.append(t)
            continue
        sums = [f for f in factors_of(t) if isinstance(f, Sum)]
        if len(sums) != 1 or any(one.is_random(f) for f in factors_of(t) if f is not sums[0]):
            return None
        body, indices = open_sum(sums[0])
        entries = entries_in(body, one.variables)
        if entries is None or len(entries) != 1:
            return None
        (e,) = entries
        if set(e.indices) != set(indices) or len(e.indices) != len(indices):
            return None
        g = mul(body, *(f for f in factors_of(t) if f is not sums[0]))
        first = first or e
        inside.append(substitute(g, dict(zip(e.indices, first.indices, strict=True))))
    if first is None:
        return None
    found = one.of_atom(fn("exp", add(*inside)))
    if found is None:
        return None
    bound = [i for i in first.indices if isinstance(i, Index)]
    logarithm = _logarithm(found.value, found.condition, one.positive_draws())
    return replace(found, value=fn("exp", add(*constant, total(logarithm, bound))), condition=for_all(found.condition, bound))


def _logarithm(x: Scalar, condition: Scalar, know: Knowledge) -> Scalar:
    """log x under the condition, the factors that are powers or exponentials taken out."""
    said = condition.args if isinstance(condition, Logic) and condition.op == "and" else (condition,)
    above = {sub(c.args[1], c.args[0]) for c in said if isinstance(c, Compare) and c.op == "<"}
    out: list[Scalar] = []
    rest: list[Scalar] = []
    for f in factors_of(x):
        if isinstance(f, Fn) and f.name == "exp":
            out.append(f.args[0])
        elif isinstance(f, Pow) and (f.base in above or know.positive(f.base)):
            out.append(mul(f.exponent, fn("log", f.base)))
        elif know.positive(f):
            out.append(fn("log", f))
        else:
            rest.append(f)
    return add(*out, fn("log", mul(*rest))) if rest else add(*out)


def _of_wave(name: str, form: LinearForm, one: Means) -> Found | None:
    """E cos(c + sum_i t_i x_i) of independent entries: moduli multiply, angles add."""
    if len(form.parts) != 1:
        return None
    (p,) = form.parts
    u = one.draw.univariate(p.entry)
    polar = modulus_and_angle(u.law, p.coefficient) if u is not None else None
    if polar is None:
        return None
    modulus, angle, source = polar
    bound = list(p.indices)
    value = mul(fold("prod", modulus, bound), fn(name, add(form.constant, total(angle, bound))))
    return Found(value, ["characteristic functions of independent entries multiply"], source=source)
