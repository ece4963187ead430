"""Integrals over intervals with symbolic ends: split where a condition or an absolute value turns, then by formula.

x^n exp(b x)            J_n = [x^n exp(b x)]/b - n/b J_(n-1)
x^n exp(-a x^2 + b x)   J_n = ((n - 1) J_(n-2) + b J_(n-1) - [x^(n-1) exp(-a x^2 + b x)])/(2 a), J_0 by erf
x^s exp(-a x^p)         by the incomplete gamma function, x^s (1 - x)^w by the incomplete beta function
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

from symgen.algebra.rational import simplify_scalar
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.special import without_logarithms
from symgen.probability.forms.terms import TooManyTerms, depends_on_any, expanded, factors_of, terms_of
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.intervals import slope_in
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    INF,
    MINUS_ONE,
    ONE,
    PI,
    TWO,
    ZERO,
    Compare,
    Entry,
    Fn,
    Logic,
    Node,
    Num,
    Pow,
    Scalar,
    Where,
    add,
    as_coefficient,
    divide,
    fn,
    mul,
    neg,
    num,
    power,
    replace_arrays,
    sub,
    total,
    variables_of,
    walk,
)  # fmt: skip

__all__ = ["Unclear", "has_pieces", "piecewise_integral", "pieces_between", "turns_of"]

MOST_POWERS = 12
MOST_PIECES = 8
TURNING = ("abs", "sign", "max", "min", "relu")
MINUS_INF = mul(MINUS_ONE, INF)


class Unclear(Exception):
    """Where a condition turns is not known, or a piece has no formula."""


@dataclass(frozen=True)
class _Interval:
    low: Scalar
    high: Scalar
    know: Knowledge

    def is_above(self, v: Scalar) -> bool:
        """Whether the whole interval lies above v."""
        return self.low is v or self.low is not MINUS_INF and self.know.nonnegative(sub(self.low, v)) is True

    def is_below(self, v: Scalar) -> bool:
        return self.high is v or self.high is not INF and self.know.nonnegative(sub(v, self.high)) is True

    def holds_inside(self, v: Scalar) -> bool:
        above = self.low is MINUS_INF or self.know.positive(sub(v, self.low)) is True
        return above and (self.high is INF or self.know.positive(sub(self.high, v)) is True)


def has_pieces(f: Scalar, x: Entry) -> bool:
    """Whether the form of f changes with x somewhere."""
    return any(isinstance(n, Where) or isinstance(n, Fn) and n.name in TURNING for n in walk(f) if x.array in variables_of(n))


def turns_of(f: Scalar, x: Entry) -> list[Scalar]:
    """Where the form of f may change: the roots of what conditions compare and of what absolute values hold."""
    found: dict[Scalar, None] = {}

    def look(g: Scalar) -> None:
        inner = next((n for n in walk(g) if isinstance(n, Fn) and n.name == "abs" and x.array in variables_of(n)), None)
        if inner is not None:  # |u| < a turns where u = a and where u = -a
            look(inner.args[0])
            for side in (inner.args[0], neg(inner.args[0])):
                look(replace_scalars(g, {inner: side}))
            return
        slope = slope_in(g, x)
        if slope is not None and slope[0] is not ZERO:
            found.setdefault(divide(neg(slope[1]), slope[0]))

    for n in walk(f):
        if x.array not in variables_of(n):
            continue
        if isinstance(n, Compare):
            look(sub(n.args[1], n.args[0]))
        elif isinstance(n, Fn) and n.name in TURNING:
            look(sub(*n.args) if len(n.args) == 2 else n.args[0])
    return list(found)


def piecewise_integral(f: Scalar, x: Entry, low: Scalar, high: Scalar, know: Knowledge, weight: Scalar = ONE) -> Scalar | None:
    """The integral of `weight` f from low to high, where the weight is not 0; None where a piece has no formula, or signs
    that it takes are not known."""
    weight = bottom_up(weight, lambda n: without_logarithms(n) if isinstance(n, Fn) and n.name == "exp" else n)
    try:
        return add(*(_of_piece(mul(w, g), x, at) for w, g, at in _pieces(weight, f, x, _Interval(low, high, know), 0)))
    except Unclear:
        return None


def pieces_between(f: Scalar, x: Entry, know: Knowledge) -> Iterator[tuple[Scalar, Scalar, Scalar]]:
    """f without conditions on x on intervals of the whole line, with their ends; raises Unclear where an order of ends is
    not known."""
    for w, g, at in _pieces(ONE, f, x, _Interval(MINUS_INF, INF, know), 0):
        yield mul(w, g), at.low, at.high


# --- pieces -----------------------------------------------------------------------------------------------------------


def _pieces(weight: Scalar, f: Scalar, x: Entry, at: _Interval, depth: int) -> Iterator[tuple[Scalar, Scalar, _Interval]]:
    """Weight and f without conditions on x, on intervals between the points where they turn."""
    if depth > MOST_PIECES:
        raise Unclear
    turns: list[Scalar] = []
    weight = _resolved(weight, x, at, turns)
    if weight is ZERO:
        return
    if not turns:
        f = _resolved(f, x, at, turns)
    if not turns:
        if has_pieces(weight, x) or has_pieces(f, x):
            raise Unclear
        yield weight, f, at
        return
    v = next((v for v in turns if at.holds_inside(v)), None)
    if v is None:
        raise Unclear
    yield from _pieces(weight, f, x, _Interval(at.low, v, at.know), depth + 1)
    yield from _pieces(weight, f, x, _Interval(v, at.high, at.know), depth + 1)


def _resolved(f: Scalar, x: Entry, at: _Interval, turns: list[Scalar]) -> Scalar:
    """f with what is decided on the interval; where something turns is added to `turns`."""

    def sign(g: Node) -> int:
        """The sign of a linear form on the interval; 0 where it turns."""
        slope = slope_in(g, x)
        if slope is None:
            if isinstance(g, Scalar) and has_pieces(g, x):
                return 0
            raise Unclear
        c, d = slope
        up = ONE if at.know.positive(c) else MINUS_ONE if at.know.negative(c) else None
        if up is None:
            raise Unclear
        v = divide(neg(d), c)
        if at.is_above(v):
            return 1 if up is ONE else -1
        if at.is_below(v):
            return -1 if up is ONE else 1
        turns.append(v)
        return 0

    def decided(c: Node) -> bool | None:
        if c is ONE or c is ZERO:
            return c is ONE
        if isinstance(c, Logic):
            parts = [decided(a) for a in c.args]
            if c.op == "not":
                return None if parts[0] is None else not parts[0]
            stop = c.op == "or"
            return stop if stop in parts else None if None in parts else not stop
        if not isinstance(c, Compare) or c.op not in ("<", "<="):
            raise Unclear
        if x.array not in variables_of(c):
            raise Unclear
        s = sign(sub(c.args[1], c.args[0]))
        return None if s == 0 else s > 0

    def rule(n: Scalar) -> Scalar:
        if x.array not in variables_of(n):
            return n
        if isinstance(n, Where) and x.array in variables_of(n.args[0]):
            holds = decided(n.args[0])
            return n if holds is None else n.args[1] if holds else n.args[2]
        if isinstance(n, Fn) and n.name in TURNING:
            a, b = n.args if len(n.args) == 2 else (n.args[0], ZERO)
            s = sign(sub(a, b))
            if s == 0:
                return n
            if n.name == "abs":
                return a if s > 0 else neg(a)
            if n.name == "sign":
                return num(s)
            return a if (s > 0) == (n.name != "min") else b
        return n

    return bottom_up(f, rule)


# --- one piece --------------------------------------------------------------------------------------------------------


def _of_piece(f: Scalar, x: Entry, at: _Interval) -> Scalar:
    is_random = depends_on_any(frozenset((x.array,)))
    f = bottom_up(f, lambda n: _opened(n, x, at.know))
    if not is_random(f):
        if f is ZERO:
            return ZERO
        if at.low is MINUS_INF or at.high is INF:
            raise Unclear
        return mul(f, sub(at.high, at.low))
    return _of_terms(f, x, at, 0)


def _of_terms(f: Scalar, x: Entry, at: _Interval, depth: int) -> Scalar:
    is_random = depends_on_any(frozenset((x.array,)))
    try:
        items = expanded(f, is_random, lambda _: False)
    except TooManyTerms as error:
        raise Unclear from error
    out = []
    for item in items:
        if item.indices and depth < MOST_PIECES:  # what stands under a sum
            one = _of_terms(item.atom, x, at, depth + 1)
        else:
            one = _of_atom(item.atom, x, at)
        out.append(total(mul(item.coefficient, one), list(item.indices)))
    return add(*out)


def _opened(n: Scalar, x: Entry, know: Knowledge) -> Scalar:
    """exp(c log y + r) as y^c exp(r), log exp(u) as u, log(u v) as a sum."""
    if isinstance(n, Fn) and n.name == "exp":
        made = without_logarithms(n)
        if isinstance(made, Fn) and made.name == "exp":
            terms = terms_of(made.args[0])
            gammas = {t: as_coefficient(t) for t in terms}
            gammas = {
                t: (c, g) for t, (c, g) in gammas.items() if isinstance(g, Fn) and g.name == "lgamma" and not c.denominator > 1
            }
            outside = [power(fn("gamma", g.args[0]), num(c)) for c, g in gammas.values()]
            return mul(*outside, fn("exp", add(*(t for t in terms if t not in gammas)))) if gammas else made
        return made
    if isinstance(n, Fn) and n.name == "log" and x.array in variables_of(n):
        inside = factors_of(n.args[0])
        if all(isinstance(g, Fn) and g.name == "exp" or g is x or know.positive(g) for g in inside):
            return add(*(g.args[0] if isinstance(g, Fn) and g.name == "exp" else fn("log", g) for g in inside))
    return n


def _of_atom(atom: Scalar, x: Entry, at: _Interval) -> Scalar:
    n: Scalar = ZERO
    w: Scalar = ZERO
    logs = 0
    linear: tuple[Scalar, Scalar] | None = None
    exponents: list[Scalar] = []
    for g in factors_of(atom) if atom is not ONE else ():
        if g is x:
            n = add(n, ONE)
        elif isinstance(g, Pow) and g.base is x and x.array not in variables_of(g.exponent):
            n = add(n, g.exponent)
        elif isinstance(g, Pow) and g.base is sub(ONE, x) and x.array not in variables_of(g.exponent):
            w = add(w, g.exponent)
        elif g is sub(ONE, x):
            w = add(w, ONE)
        elif isinstance(g, Fn) and g.name == "exp":
            exponents.append(g.args[0])
        elif isinstance(g, Fn) and g.name == "log" and g.args[0] is x:
            logs += 1
        elif isinstance(g, Fn) and g.name == "log" and (slope := slope_in(g.args[0], x)) is not None and linear is None:
            linear = slope
        else:
            raise Unclear
    if linear is not None:
        if logs or exponents or w is not ZERO:
            raise Unclear
        return _log_of_linear(is_natural(n), linear, at)
    polynomial = _polynomial(add(*exponents), x)
    constant = polynomial.pop(ZERO, ZERO)
    return mul(fn("exp", constant), _closed(n, w, logs, polynomial, x, at))


def _polynomial(f: Scalar, x: Entry) -> dict[Scalar, Scalar]:
    is_random = depends_on_any(frozenset((x.array,)))
    out: dict[Scalar, Scalar] = {}
    try:
        items = expanded(f, is_random, lambda _: False)
    except TooManyTerms as error:
        raise Unclear from error
    for item in items:
        g = item.atom
        p = ZERO if g is ONE else ONE if g is x else g.exponent if isinstance(g, Pow) and g.base is x else None
        if p is None or item.indices or x.array in variables_of(p):
            raise Unclear
        out[p] = add(out.get(p, ZERO), item.coefficient)
    return {p: c for p, c in out.items() if c is not ZERO}


def _closed(n: Scalar, w: Scalar, logs: int, exponent: dict[Scalar, Scalar], x: Entry, at: _Interval) -> Scalar:
    """The integral of x^n (1 - x)^w log(x)^logs exp(exponent) over the interval."""
    k = is_natural(n)
    if w is not ZERO:
        if logs or exponent:
            raise Unclear
        return _by_beta(n, w, at)
    if logs:
        if logs > 1 or exponent:
            raise Unclear
        return _log_of_power(n, at)
    if not exponent:
        return _of_power(n, at)
    if k is not None and k <= MOST_POWERS:
        if set(exponent) == {ONE}:
            return _of_exponential(k, exponent[ONE], x, at)
        if TWO in exponent and set(exponent) <= {ONE, TWO}:
            return _of_normal(k, exponent, x, at)
    if len(exponent) == 1:
        ((p, c),) = exponent.items()
        return _by_gamma(n, p, neg(c), at)
    raise Unclear


def _needs(condition: bool | None) -> None:
    if condition is not True:
        raise Unclear


def _is_nonnegative(at: _Interval) -> bool:
    return at.low is not MINUS_INF and at.know.nonnegative(at.low) is True


def _of_power(n: Scalar, at: _Interval) -> Scalar:
    _needs(at.low is not MINUS_INF)
    order = add(n, ONE)
    if is_natural(n) is None:
        _needs(_is_nonnegative(at))
        if at.high is INF:
            _needs(at.know.positive(at.low) and at.know.negative(order))
            return neg(divide(power(at.low, order), order))
        if order is ZERO:
            _needs(at.know.positive(at.low))
            return fn("log", divide(at.high, at.low))
        _needs(at.know.positive(order) if at.low is ZERO else at.know.positive(at.low))
    else:
        _needs(at.high is not INF)
    below = ZERO if at.low is ZERO else power(at.low, order)
    return divide(sub(power(at.high, order), below), order)


def _log_of_power(n: Scalar, at: _Interval) -> Scalar:
    """[x^m (log x - 1/m)]/m, m = n + 1."""
    m = add(n, ONE)
    _needs(_is_nonnegative(at) and at.know.positive(m))
    _needs(at.high is not INF)

    def end(v: Scalar) -> Scalar:
        return ZERO if v is ZERO else divide(mul(power(v, m), sub(fn("log", v), power(m, MINUS_ONE))), m)

    return sub(end(at.high), end(at.low))


def _log_of_linear(n: int | None, slope: tuple[Scalar, Scalar], at: _Interval) -> Scalar:
    """The integral of x^n log(c x + d), over u = c x + d."""
    c, d = slope
    _needs(n is not None and n <= MOST_POWERS and at.low is not MINUS_INF and at.high is not INF)
    up = at.know.positive(c)
    _needs(True if up else at.know.negative(c))
    ends = [simplify_scalar(add(mul(c, v), d)) for v in (at.low, at.high)]
    there = _Interval(ends[0], ends[1], at.know) if up else _Interval(ends[1], ends[0], at.know)
    parts = []
    for k in range((n or 0) + 1):
        weight = mul(num(comb(n or 0, k)), power(neg(d), num((n or 0) - k)), power(c, num(-(n or 0))))
        parts.append(mul(weight, _log_of_power(num(k), there)))
    return divide(add(*parts), c if up else neg(c))


def _between(g: Scalar, x: Entry, at: _Interval, low: Scalar, high: Scalar) -> Scalar:
    """g at the upper end less g at the lower; `low`, `high` at infinite ends."""

    def end(v: Scalar, far: Scalar) -> Scalar:
        return far if v in (INF, MINUS_INF) else replace_arrays(g, {x.array: lambda *_: v})  # type: ignore[no-any-return]

    return sub(end(at.high, high), end(at.low, low))


def _of_exponential(n: int, b: Scalar, x: Entry, at: _Interval) -> Scalar:
    if at.high is INF:
        _needs(at.know.negative(b))
    if at.low is MINUS_INF:
        _needs(at.know.positive(b))
    value: Scalar = ZERO
    for k in range(n + 1):
        edge = _between(mul(power(x, num(k)), fn("exp", mul(b, x))), x, at, ZERO, ZERO)
        value = divide(sub(edge, mul(num(k), value)), b)
    return value


def _of_normal(n: int, exponent: dict[Scalar, Scalar], x: Entry, at: _Interval) -> Scalar:
    a, b = neg(exponent[TWO]), exponent.get(ONE, ZERO)
    _needs(at.know.positive(a))
    scale, square = _root_apart(divide(ONE, a), at.know)  # 1/sqrt(a) = scale sqrt(square)
    centre = simplify_scalar(divide(b, mul(TWO, a)))
    middle = fn("erf", divide(sub(x, centre), mul(scale, power(square, HALF))))
    height = mul(HALF, scale, power(mul(PI, square), HALF), fn("exp", simplify_scalar(mul(HALF, b, centre))))
    values = [mul(height, _between(middle, x, at, MINUS_ONE, ONE))]
    whole = fn("exp", add(mul(neg(a), power(x, TWO)), mul(b, x)))
    for k in range(1, n + 1):
        edge = _between(mul(power(x, num(k - 1)), whole), x, at, ZERO, ZERO)
        before = mul(num(k - 1), values[k - 2]) if k > 1 else ZERO
        values.append(divide(add(before, mul(b, values[k - 1]), neg(edge)), mul(TWO, a)))
    return values[n]


def _root_apart(a: Scalar, know: Knowledge) -> tuple[Scalar, Scalar]:
    """c, r with a = c^2 r: squares of what is positive are taken out."""
    whole: list[Scalar] = []
    rest: list[Scalar] = []
    for g in factors_of(a):
        k = g.exponent.rational if isinstance(g, Pow) and isinstance(g.exponent, Num) else None
        if k is not None and k % 2 == 0 and isinstance(g, Pow) and know.positive(g.base):
            whole.append(power(g.base, num(k / 2)))
        else:
            rest.append(g)
    return mul(*whole), mul(*rest)


def _by_gamma(n: Scalar, p: Scalar, a: Scalar, at: _Interval) -> Scalar:
    """a^(-s) Gamma(s)/p (P(s, a h^p) - P(s, a l^p)), s = (n + 1)/p."""
    order = add(n, ONE)
    _needs(_is_nonnegative(at) and at.know.positive(a) and at.know.positive(p) and at.know.positive(order))
    s = divide(order, p)

    def end(v: Scalar) -> Scalar:
        return ONE if v is INF else ZERO if v is ZERO else fn("igamma", s, mul(a, power(v, p)))

    return mul(power(a, neg(s)), fn("gamma", s), power(p, MINUS_ONE), sub(end(at.high), end(at.low)))


def _by_beta(n: Scalar, w: Scalar, at: _Interval) -> Scalar:
    a, b = add(n, ONE), add(w, ONE)
    if is_natural(n) is not None and is_natural(w) is not None:
        raise Unclear  # a polynomial, that was not multiplied out
    _needs(_is_nonnegative(at) and at.know.nonnegative(sub(ONE, at.high)) and at.know.positive(a) and at.know.positive(b))

    def end(v: Scalar) -> Scalar:
        return v if v in (ZERO, ONE) else fn("ibeta", a, b, v)

    return mul(fn("beta", a, b), sub(end(at.high), end(at.low)))
