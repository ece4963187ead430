"""Where a density of one's own has mass: the intervals on which its formula is not 0, and the formula there."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.derivation.context import Context
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.inversion import MAPS
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.laws.combinators import image_of
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.intervals import slope_in
from symgen.probability.laws.law import row_of
from symgen.probability.laws.own_formula import OwnDensity, own_density
from symgen.tensor.expression import (
    HALF,
    INF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Compare,
    Entry,
    Fn,
    Logic,
    Mul,
    Num,
    Operator,
    Pow,
    Scalar,
    Where,
    add,
    compare,
    divide,
    entry,
    fn,
    logic,
    mul,
    neg,
    num,
    power,
    sub,
    variables_of,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_positive

__all__ = ["Span", "inside_of", "on_support", "ranges_of", "spans_of_own", "within_ranges"]

Span = tuple[Scalar, Scalar]  # low, high: an interval but for its ends
MINUS_INF = mul(MINUS_ONE, INF)
MOST = 8


class NotFound(Exception):
    """A condition of which the intervals are not found."""


# --- the intervals ----------------------------------------------------------------------------------------------------


def ranges_of(law: Array, ctx: Context) -> list[Span] | None:
    """The intervals where a density of one's own, of a real number, is not 0; None where they are not found."""
    if not isinstance(law, Operator) or law.name != "formula":
        return None
    return _of_image(law, ctx) or spans_of_own(own_density(law), ctx)


def _of_image(law: Operator, ctx: Context) -> list[Span] | None:
    """The intervals of what is mapped by an increasing function of the table, mapped."""
    made = MAPS.get(law.attrs[5][1]) if image_of(law) is not None else None
    if made is None:
        return None
    inner = law.operands[1]
    assert isinstance(inner, Array)
    row = row_of(inner)
    if row is None:
        spans = ranges_of(inner, ctx)
    elif inner.shape or row.shapes or row.region.kind != "interval":
        return None
    else:
        scope = parameters(inner, ctx).scalars(())
        spans = [(scalar_text(row.region.low, scope), scalar_text(row.region.high, scope))]
    least, most = (MINUS_INF if made.image == "real" else ZERO), (ONE if made.image == "unit" else INF)
    start = ZERO if made.domain == "positive" else MINUS_INF

    def at(end: Scalar) -> Scalar:
        return least if end is start else most if end is INF else fn(law.attrs[5][1], end)

    return None if spans is None else [(at(low), at(high)) for low, high in spans]


def spans_of_own(own: OwnDensity, ctx: Context) -> list[Span] | None:
    if own.range is None or own.range[2]:
        return None
    x = entry(own.x)
    assert isinstance(x, Entry)
    low, high = (INF if e == float("inf") else MINUS_INF if e == float("-inf") else num(int(e)) for e in own.range[:2])
    try:
        return _Line(x, Knowledge(ctx)).cut([(low, high)], _of_log(own.log_f))
    except NotFound:
        return None


def _of_log(log_f: Scalar) -> Scalar:
    """f of log f, as far as it can be 0."""
    terms = log_f.args if isinstance(log_f, Add) else (log_f,)
    return mul(*(t.args[0] for t in terms if isinstance(t, Fn) and t.name == "log"))


class _Line:
    """Intervals of one variable."""

    def __init__(self, x: Entry, know: Knowledge) -> None:
        self.x, self.know = x, know

    def hangs(self, f: Scalar) -> bool:
        return self.x.array in variables_of(f)

    def cut(self, spans: list[Span], f: Scalar) -> list[Span]:
        """Where a nonnegative function is not 0, within the intervals."""
        if len(spans) > MOST:
            raise NotFound
        if isinstance(f, Num):
            return [] if f is ZERO else spans
        if not self.hangs(f):
            return spans
        if isinstance(f, Where):
            c, a, b = f.args
            yes, no = self.cut(self.meet(spans, c), a), self.cut(self.meet(spans, logic("not", c)), b)
            return self.joined([*yes, *no])
        if isinstance(f, Mul):
            for factor in f.args:
                spans = self.cut(spans, factor)
            return spans
        if isinstance(f, Add):
            if any(isinstance(g, Where) or (isinstance(g, Mul) and any(isinstance(h, Where) for h in g.args)) for g in f.args):
                return self.joined([s for g in f.args for s in self.cut(spans, g)])
            return spans
        if isinstance(f, Pow):
            return self.cut(spans, f.base)
        if isinstance(f, Fn) and f.name == "relu":
            return self.meet(spans, compare("<", ZERO, f.args[0]))
        if isinstance(f, Fn) and f.name == "max" and ZERO in f.args:
            (other,) = (a for a in f.args if a is not ZERO)
            return self.meet(spans, compare("<", ZERO, other))
        return spans  # but for single points

    def meet(self, spans: list[Span], condition: Scalar) -> list[Span]:
        """The intervals where a condition holds."""
        if condition is ONE:
            return spans
        if condition is ZERO:
            return []
        if isinstance(condition, Logic):
            if condition.op == "and":
                for part in condition.args:
                    spans = self.meet(spans, part)
                return spans
            if condition.op == "or":
                return self.joined([s for part in condition.args for s in self.meet(spans, part)])
            return self.meet(spans, self.turned(condition.args[0]))
        if not isinstance(condition, Compare) or not self.hangs(condition):
            raise NotFound
        if condition.op in ("==", "!="):
            return [] if condition.op == "==" else spans
        return self.below(spans, sub(condition.args[0], condition.args[1]))

    def turned(self, condition: Scalar) -> Scalar:
        """What holds where a condition does not, but for single points."""
        if isinstance(condition, Logic):
            if condition.op == "not":
                return self.turned(self.turned(condition.args[0]))
            return logic("or" if condition.op == "and" else "and", *(self.turned(c) for c in condition.args))
        if not isinstance(condition, Compare):
            raise NotFound
        a, b = condition.args
        if condition.op in ("<", "<="):
            return compare("<=" if condition.op == "<" else "<", b, a)
        return compare("!=" if condition.op == "==" else "==", a, b)

    def below(self, spans: list[Span], g: Scalar) -> list[Span]:
        """The intervals where g < 0: of a line, or of |line| or line^2 beside a number."""
        line = slope_in(g, self.x)
        if line is not None:
            sign = self.know.sign(line[0])
            if not sign:
                raise NotFound
            at = divide(neg(line[1]), line[0])
            return [self.narrowed(s, MINUS_INF, at) if sign > 0 else self.narrowed(s, at, INF) for s in spans]
        terms = g.args if isinstance(g, Add) else (g,)
        curved = [t for t in terms if self.hangs(t)]
        rest = add(*(t for t in terms if not self.hangs(t)))
        if len(curved) != 1:
            raise NotFound
        factors = curved[0].args if isinstance(curved[0], Mul) else (curved[0],)
        inside = [f for f in factors if self.hangs(f)]
        scale = mul(*(f for f in factors if not self.hangs(f)))
        if len(inside) != 1 or not self.know.sign(scale):
            raise NotFound
        bound = divide(neg(rest), scale)  # inside < bound, or > bound where the scale is negative
        (f,) = inside
        if isinstance(f, Fn) and f.name == "abs":
            half, line = bound, slope_in(f.args[0], self.x)
        elif isinstance(f, Pow) and f.exponent is TWO:
            half, line = power(bound, HALF), slope_in(f.base, self.x)
        else:
            raise NotFound
        if line is None or not (turn := self.know.sign(line[0])) or self.know.positive(bound) is not True:
            raise NotFound
        ends = [divide(sub(e, line[1]), line[0]) for e in ((neg(half), half) if turn > 0 else (half, neg(half)))]
        if self.know.sign(scale) == 1:
            return [self.narrowed(s, ends[0], ends[1]) for s in spans]
        return self.joined([self.narrowed(s, *e) for s in spans for e in ((MINUS_INF, ends[0]), (ends[1], INF))])

    def narrowed(self, span: Span, low: Scalar, high: Scalar) -> Span:
        return self.larger(span[0], low), self.smaller(span[1], high)

    def larger(self, a: Scalar, b: Scalar) -> Scalar:
        if a is b or b is MINUS_INF or a is INF:
            return a
        if a is MINUS_INF or b is INF:
            return b
        known = self.know.nonnegative(sub(a, b))
        return a if known is True else b if known is False else fn("max", a, b)

    def smaller(self, a: Scalar, b: Scalar) -> Scalar:
        if a is b or b is INF or a is MINUS_INF:
            return a
        if a is INF or b is MINUS_INF:
            return b
        known = self.know.nonnegative(sub(b, a))
        return a if known is True else b if known is False else fn("min", a, b)

    def joined(self, spans: list[Span]) -> list[Span]:
        """Without what is empty, and with what touches as one, as far as that is known."""
        left = [s for s in dict.fromkeys(spans) if not self.is_empty(s)]
        merged = True
        while merged:
            merged = False
            for a in left:
                other = next((b for b in left if b is not a and self.touch(a, b)), None)
                if other is not None:
                    left = [s for s in left if s is not a and s is not other]
                    left.append((self.smaller(a[0], other[0]), self.larger(a[1], other[1])))
                    merged = True
                    break
        return left

    def is_empty(self, s: Span) -> bool:
        return s[0] is INF or s[1] is MINUS_INF or (_both_finite(s) and self.know.nonnegative(sub(s[0], s[1])) is True)

    def touch(self, a: Span, b: Span) -> bool:
        return self.at_most(a[0], b[0]) and self.at_most(b[0], a[1])

    def at_most(self, a: Scalar, b: Scalar) -> bool:
        if a is b or a is MINUS_INF or b is INF:
            return True
        return b is not MINUS_INF and a is not INF and self.know.nonnegative(sub(b, a)) is True


def _both_finite(s: Span) -> bool:
    return all(e is not INF and e is not MINUS_INF for e in s)


# --- what is asked of them --------------------------------------------------------------------------------------------


def within_ranges(first: Sequence[Span], second: Sequence[Span], know: Knowledge) -> Scalar | None:
    """The condition under which the first intervals lie in the second: 1 always, 0 never; None where nothing is known."""
    parts: list[Scalar] = []
    for low, high in first:
        answers = [_inside(low, high, s, know) for s in second]
        if any(a is ONE for a in answers):
            continue
        if all(a is ZERO for a in answers):
            return ZERO
        if len(second) > 1:
            return None
        parts += answers
    return logic("and", *parts)


def _inside(low: Scalar, high: Scalar, span: Span, know: Knowledge) -> Scalar:
    parts: list[Scalar] = []
    for small, large in ((span[0], low), (high, span[1])):
        if small is large or small is MINUS_INF or large is INF:
            continue
        if large is MINUS_INF or small is INF:
            return ZERO
        parts.append(know.remaining(compare("<=", small, large)))
    return logic("and", *parts)


def inside_of(x: Scalar, spans: Sequence[Span]) -> Scalar:
    """Whether a draw lies in the intervals."""
    parts = []
    for low, high in spans:
        ends = [compare("<", low, x)] if low is not MINUS_INF else []
        ends += [compare("<", x, high)] if high is not INF else []
        parts.append(logic("and", *ends))
    return logic("or", *parts)


def on_support(log_f: Scalar) -> Scalar:
    """The logarithm of a density where that is not 0: without the pieces where it is."""
    terms = log_f.args if isinstance(log_f, Add) else (log_f,)
    return add(*(_log_apart(_without_zero(t.args[0])) if isinstance(t, Fn) and t.name == "log" else t for t in terms))


def _log_apart(f: Scalar) -> Scalar:
    """log f, with the exponents of exponentials and of powers of what is positive in front."""
    out: list[Scalar] = []
    rest: list[Scalar] = []
    for g in f.args if isinstance(f, Mul) else (f,):
        if isinstance(g, Fn) and g.name == "exp":
            out.append(g.args[0])
        elif isinstance(g, Pow) and is_positive(g.base):
            out.append(mul(g.exponent, fn("log", g.base)))
        elif is_positive(g):
            out.append(fn("log", g))
        else:
            rest.append(g)
    return add(*out, *([fn("log", mul(*rest))] if rest else []))


def _without_zero(f: Scalar) -> Scalar:
    if isinstance(f, Where):
        c, a, b = f.args
        if b is ZERO:
            return _without_zero(a)
        return _without_zero(b) if a is ZERO else where(c, _without_zero(a), _without_zero(b))
    if isinstance(f, Mul):
        return mul(*(_without_zero(g) for g in f.args))
    if isinstance(f, Pow):
        return power(_without_zero(f.base), f.exponent)
    if isinstance(f, Fn) and f.name in ("relu", "max"):
        left = [a for a in f.args if isinstance(a, Scalar) and a is not ZERO]
        return left[0] if len(left) == 1 else f
    return f
