"""What is integrated out without a closed form: the integral over the support of a number stays, and has a number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from symgen.calculus.integral import reduce_integral
from symgen.derivation.context import Context
from symgen.probability.families.distribution import SUPPORTS
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.collect import collected
from symgen.probability.forms.special import simplified
from symgen.probability.forms.terms import with_value
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.elimination import Question
from symgen.probability.laws.law import row_of
from symgen.probability.laws.own_support import MINUS_INF, Span, inside_of
from symgen.probability.means.exponential_integrals import exponential_integral, log_of_product
from symgen.probability.means.own_density import SEARCH
from symgen.probability.means.support import spans_of
from symgen.tensor.arithmetic import factors_of
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Scalar,
    Var,
    add,
    compare,
    depends_on,
    entry,
    fn,
    open_tensor,
    operator,
    power,
    sub,
    tensor,
    var,
    where,
)  # fmt: skip
from symgen.tensor.sympy_bridge import within

LINES = ("real", "positive", "unit")


def range_of(u: Var, q: Question, lows: Sequence[Scalar], highs: Sequence[Scalar], ctx: Context) -> Span | None:
    """The interval of a number u by its own law and by ends that what was seen sets; None where u is no such number."""
    law = q.factor_of(u).law
    row = row_of(law)
    if u.rank or u.domain not in LINES or law.shape or (row is not None and row.region.kind != "interval"):
        return None
    if row is None:
        spans = spans_of(law, ctx)
        if spans is None or len(spans) != 1:
            return None
        low, high = spans[0]
    else:
        scope = parameters(law, ctx).scalars(())
        low, high = (scalar_text(t, scope) for t in (row.region.low, row.region.high))
    for other in lows:
        low = fn("max", low, other) if low is not MINUS_INF else other
    for other in highs:
        high = fn("min", high, other) if high is not INF else other
    return low, high


def log_left_integral(body: Scalar, u: Var, span: Span, ends_hang_on_data: bool, ctx: Context) -> Scalar:
    """The log of the integral of exp(body) over u, what is free of u in front of it; of none, where what was seen leaves
    no room for u."""
    terms = body.args if isinstance(body, Add) else (body,)
    own = add(*(t for t in terms if depends_on(t, u)))
    t = var("t", (), u.domain, "placeholder", uid=-82)
    inside = simplified(fn("exp", collected(with_value(own, u, lambda *_: entry(t)))))
    op = operator("integral", (tensor((), inside), *(tensor((), end) for end in span)), (), ((t,),))
    ends = {ZERO: 0.0, MINUS_INF: -math.inf, INF: math.inf}
    closed = exponential_integral(inside, t, ends[span[0]], ends[span[1]], ctx.quiet()) if ends.keys() >= set(span) else None
    if closed is None:
        made = within(SEARCH, reduce_integral, op, ctx.quiet()) if _may_close(own, u) else None
        closed = open_tensor(op if made is None else made, ())
    found = where(compare("<", *span), closed, ZERO) if ends_hang_on_data else closed
    return add(*(t for t in terms if not depends_on(t, u)), log_of_product(found))


def _may_close(log_f: Scalar, u: Var) -> bool:
    """Whether the integrand is a product of powers of u and 1 - u and an exponential of u or 1/u: else SymPy is not asked."""
    x = entry(u)
    terms = log_f.args if isinstance(log_f, Add) else (log_f,)
    hanging = [f for t in terms for f in factors_of(t) if depends_on(f, u)]
    return len(hanging) <= 3 and all(f in (x, fn("log", x), fn("log", sub(ONE, x)), power(x, MINUS_ONE)) for f in hanging)


def on_its_support(log_p: Scalar, u: Var, span: Span, at: Scalar, hidden: Sequence[Var]) -> Scalar:
    """log p(u) at a value, of a density that is 0 outside of an interval; ends that hang on what is hidden say nothing."""
    span = (
        MINUS_INF if any(depends_on(span[0], h) for h in hidden) else span[0],
        INF if any(depends_on(span[1], h) for h in hidden) else span[1],
    )
    whole = SUPPORTS[u.domain] if u.domain in SUPPORTS else SUPPORTS["real"]
    known = {"0": ZERO, "1": ONE, "inf": INF, "-inf": MINUS_INF}
    if span == (known[whole.low], known[whole.high]):
        return log_p
    return fn("log", where(inside_of(at, [span]), fn("exp", log_p), ZERO))


__all__ = ["log_left_integral", "on_its_support", "range_of"]
