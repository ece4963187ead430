"""Means under laws that are made of laws: a mixture has the weighted means of its parts, an image that of a composition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgen.probability.forms.collect import collected, multiplied_out, size_of
from symgen.probability.forms.conditions import guarded
from symgen.probability.forms.special import simplified
from symgen.probability.forms.terms import with_value
from symgen.probability.laws.combinators import image_of, parts_of
from symgen.probability.laws.cut_counts import cut_mean
from symgen.probability.laws.law import law_of_row
from symgen.probability.means.apart import components_of, laws_apart
from symgen.probability.means.univariate import Found
from symgen.tensor.expression import (
    INF,
    NAN,
    ONE,
    Array,
    Entry,
    Operator,
    Scalar,
    Var,
    add,
    entry,
    fresh_index,
    logic,
    mul,
    tensor,
    total,
    var,
)  # fmt: skip
from symgen.tensor.facts import is_nonnegative

if TYPE_CHECKING:
    from symgen.probability.means.expectation import OneDraw

__all__ = ["as_share", "under_parts"]


def under_parts(law: Operator, atom: Scalar, one: OneDraw) -> Found | None:
    """E f(x); None where a part has no lemma for it, or an infinite mean whatever its parameters."""
    v, ctx = one.draw.variable, one.whole.ctx
    image = image_of(law)
    if image is not None:
        f, inner = image
        return one.under(inner, v).of_sum(with_value(atom, v, lambda *_: f(entry(v))))
    cut = cut_mean(law, lambda k: with_value(atom, v, lambda *_: k), lambda whole: _value(one.under(whole, v).of_atom(atom)))
    if cut is not None:
        return Found(simplified(cut), ["the mean of the whole law, less what is cut off"])
    parts = parts_of(law) or laws_apart(law, ctx) or components_of(law, ctx)
    if isinstance(parts, list):
        founds = [one.under(part, v).of_atom(atom) for _, part in parts]
        known = [f for f in founds if f is not None and f.value is not INF]
        if len(known) < len(parts):
            return None
        value = add(*(mul(w, f.value) for (w, _), f in zip(parts, known, strict=True)))
        lemmas = list(dict.fromkeys(["the mean under a mixture", *(text for f in known for text in f.lemmas)]))
        otherwise = next((f.otherwise for f in known if f.condition is not ONE), NAN)
        return Found(value, lemmas, logic("and", *(f.condition for f in known)), otherwise)
    return None if parts is None else _over_an_axis(*parts, atom, one)


def as_share(f: Scalar, e: Entry, high: Scalar, one: OneDraw) -> Found | None:
    """E f(x) of a uniform law from 0 on: x = high*u, with u a draw of Beta(1, 1)."""
    v = e.array
    assert isinstance(v, Var)
    a = tensor((), ONE)
    found = one.under(law_of_row("Beta", [a, a]), v).of_sum(with_value(f, v, lambda *_: mul(high, e)))
    if found is not None:
        found.value = min(found.value, simplified(collected(multiplied_out(found.value, squares=True))), key=size_of)
    return found


def _value(found: Found | None) -> Scalar | None:
    """The value of a mean that exists whatever the parameters are."""
    return found.value if found is not None and found.condition is ONE and found.value is not INF else None


def _over_an_axis(weights: Array, law: Array, atom: Scalar, one: OneDraw) -> Found | None:
    v, k = one.draw.variable, fresh_index(law.shape[0])
    many = var(v.name, law.shape, v.domain, "random", v.domain_args, v.uid)
    found = one.under(law, many).of_atom(with_value(atom, v, lambda *_: entry(many, k)))
    if found is None or found.value is INF:
        return None
    value = found.value
    if found.condition is not ONE:
        never_negative = is_nonnegative(atom, one.whole.ctx.facts) is True
        value = guarded(found.condition, value, INF if never_negative else found.otherwise)
    return Found(total(mul(entry(weights, k), value), [k]), ["the mean under a mixture", *found.lemmas], source=found.source)
