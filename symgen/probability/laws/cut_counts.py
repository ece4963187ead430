"""Laws of counts given that they lie between two ends: the mass that is left, and the means of what is left."""

from __future__ import annotations

import math
from collections.abc import Callable

from symgen.derivation.context import Context
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.special import simplified
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.intervals import has_distribution_function, probability_below
from symgen.probability.laws.law import LawError, formula_law, row_of, value_domain
from symgen.probability.laws.univariate_law import Law
from symgen.tensor.expression import (
    INF,
    ONE,
    ZERO,
    Array,
    Node,
    Num,
    Operator,
    Scalar,
    Tensor,
    add,
    compare,
    divide,
    entry,
    fn,
    logic,
    mul,
    neg,
    num,
    operator,
    sub,
    tensor,
    var,
    where,
)  # fmt: skip

__all__ = ["cut_mean", "ends_of_counts", "is_cut", "is_of_counts", "truncated_counts"]

CUT = "cut"
FEW = 12  # terms that are written out


def is_of_counts(law: Array) -> bool:
    row = row_of(law)
    return row is not None and row.is_univariate and not row.shapes and row.region.kind == "integers" and not law.rank


def _base(law: Array) -> Law:
    row = row_of(law)
    assert row is not None
    return Law(row, parameters(law, Context()).scalars(()))


def _mass_at(base: Law, k: Scalar) -> Scalar:
    return simplified(fn("exp", base.text(base.row.log_density, x=k)))


def _whole(x: Scalar) -> int | None:
    return int(x.rational) if isinstance(x, Num) and x.rational is not None and x.rational.denominator == 1 else None


def _up(x: Scalar) -> Scalar:
    """The least whole number not below x, of a number."""
    return num(math.ceil(x.rational)) if isinstance(x, Num) and x.rational is not None else x


def truncated_counts(law: Array, low: Scalar, high: Scalar) -> Array:
    """The law given that low <= x <= high, both counted in."""
    base = _base(law)
    low, high = _up(low), neg(_up(neg(high)))
    least, most = (base.text(t) for t in (base.row.region.low, base.row.region.high))
    word = value_domain(law)
    x = var("x", (), word, "placeholder", uid=3)
    parts = [compare("<=", low, entry(x))] if low is not least else []
    if high is not INF and high is not most:
        parts.append(compare("<=", entry(x), high))
    mass = _mass_between(base, low, high)
    body = base.text(base.row.log_density, x=entry(x))
    density = divide(fn("exp", body), mass)
    log_p = fn("log", where(logic("and", *parts), density, ZERO)) if parts else sub(body, fn("log", mass))
    plain = formula_law(x, tensor((), log_p), "", "", True)
    assert isinstance(plain, Operator)
    ends = [tensor((), e) for e in (low, high, mass)]
    return operator("formula", (*plain.args, law, *ends), (), (*plain.attrs, (CUT,)))


def _mass_between(base: Law, low: Scalar, high: Scalar) -> Scalar:
    """P(low <= x <= high): few terms written out, else by the distribution function."""
    least, a, b = _whole(base.text(base.row.region.low)), _whole(low), _whole(high)
    few = FEW if not has_distribution_function(base) else FEW // 4
    if a is not None and b is not None and 0 <= b - a <= few:
        return add(*(_mass_at(base, num(k)) for k in range(a, b + 1)))
    know = Knowledge(Context())
    if a is not None and least is not None and a - least <= FEW:
        below = add(*(_mass_at(base, num(k)) for k in range(least, a)))
    elif has_distribution_function(base):
        below = probability_below(base, sub(low, ONE), know)
    else:
        raise LawError(f"the mass of {base.row.called} between these ends has no closed form")
    if high is INF:
        return sub(ONE, below)
    if not has_distribution_function(base):
        raise LawError(f"the mass of {base.row.called} between these ends has no closed form")
    return sub(probability_below(base, high, know), below)


def is_cut(law: Array) -> bool:
    return isinstance(law, Operator) and law.name == "formula" and law.attrs[5:] == ((CUT,),)


def _number(end: Node) -> Scalar:
    assert isinstance(end, Tensor)
    return end.body


def ends_of_counts(law: Array) -> tuple[Scalar, Scalar] | None:
    """The least and the greatest count of a law; None where they are not known."""
    if is_cut(law):
        assert isinstance(law, Operator)
        low, high = (_number(end) for end in law.operands[2:4])
        return low, high
    if not is_of_counts(law):
        return None
    base = _base(law)
    return base.text(base.row.region.low), base.text(base.row.region.high)


def cut_mean(law: Operator, f: Callable[[Scalar], Scalar], whole: Callable[[Array], Scalar | None]) -> Scalar | None:
    """E f(x) under a cut law: the terms that are left, or the whole mean without those that are cut off."""
    if not is_cut(law):
        return None
    inner, *ends = law.operands[1:]
    assert isinstance(inner, Array)
    low, high, mass = (_number(end) for end in ends)
    base = _base(inner)
    least, a, b = _whole(base.text(base.row.region.low)), _whole(low), _whole(high)

    def terms(first: int, last: int) -> Scalar:
        return add(*(mul(_mass_at(base, num(k)), f(num(k))) for k in range(first, last + 1)))

    if a is not None and b is not None and b - a <= FEW:
        return divide(terms(a, b), mass)
    if high is INF and a is not None and least is not None and a - least <= FEW:
        found = whole(inner)
        return None if found is None else divide(sub(found, terms(least, a - 1)), mass)
    return None
