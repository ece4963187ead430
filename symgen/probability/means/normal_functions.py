"""Means of functions of a normal draw: in pieces, times polynomials, exponentials of quadratics, cosines, error functions.

With N(m, s^2) between l and u, f = exp(-((x - m)/s)^2/2)/sqrt(2 pi):
I_n = m I_(n-1) + (n - 1) s^2 I_(n-2) + s (l^(n-1) f(l) - u^(n-1) f(u)), and by Stein's lemma E x h = m E h + s^2 E h'.
"""

from __future__ import annotations

from dataclasses import dataclass

from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.terms import TooManyTerms, depends_on_any, expanded, factors_of
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.intervals import slope_in
from symgen.probability.means.piecewise import Unclear, pieces_between
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
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    Var,
    add,
    compare,
    divide,
    fn,
    mul,
    neg,
    num,
    power,
    sub,
    total,
    variables_of,
)  # fmt: skip
from symgen.tensor.functions import FUNCTIONS

__all__ = ["normal_mean", "opened_functions"]

OPENED = frozenset("relu leaky_relu elu clip gelu max min abs sign erfc".split())
HYPERBOLIC = frozenset(("cosh", "sinh"))
AS_PIECES = {"sign": "where(x < 0, -1, 1)"}  # but at 0, which has no mass
MOST_POWERS = 8
MINUS_INF = mul(MINUS_ONE, INF)


@dataclass(frozen=True)
class Normal:
    """The law and the interval that a mean is taken over."""

    m: Scalar
    s: Scalar
    low: Scalar = MINUS_INF
    high: Scalar = INF

    @property
    def is_whole(self) -> bool:
        return self.low is MINUS_INF and self.high is INF


def normal_mean(f: Scalar, x: Entry, m: Scalar, s: Scalar, know: Knowledge) -> Scalar | None:
    """E f(x) for x of law Normal(m, s); None where a part has no formula."""
    if x.array not in variables_of(f) or x.array in variables_of(m) | variables_of(s):
        return None
    for names in (OPENED, OPENED | HYPERBOLIC):
        try:
            plain = with_linear_conditions(opened_functions(f, x, names), x, know)
            return add(*(of_piece(g, x, Normal(m, s, low, high), know) for g, low, high in pieces_between(plain, x, know)))
        except Unclear:
            continue
    return of_distance(f, x, Normal(m, s))


def opened_functions(f: Scalar, x: Entry, names: frozenset[str] = OPENED) -> Scalar:
    """relu(u), clip(u, a, b), gelu(u) as their definitions."""

    def rule(n: Node) -> Scalar:
        if isinstance(n, Fn) and n.name in names and x.array in variables_of(n):
            row = FUNCTIONS[n.name]
            text = AS_PIECES.get(n.name, row.definition or "")
            return bottom_up(scalar_text(text, dict(zip(row.arguments, n.args, strict=True))), rule)
        assert isinstance(n, Scalar)
        return n

    return bottom_up(f, rule)


def of_distance(f: Scalar, x: Entry, law: Normal) -> Scalar | None:
    """E |a x + b|^p for p > -1, with M and S the mean and scale of a x + b: (2 S^2)^(p/2) G((p + 1)/2)/sqrt(pi)
    1F1(-p/2; 1/2; -M^2/(2 S^2)). Winkelbauer (2012)."""
    if not (isinstance(f, Pow) and isinstance(f.base, Fn) and f.base.name == "abs" and isinstance(f.exponent, Num)):
        return None
    slope, p = slope_in(f.base.args[0], x), f.exponent
    if slope is None or p.rational is None or p.rational <= -1:
        return None
    twice = mul(TWO, power(slope[0], TWO), power(law.s, TWO))
    scope = {"v": twice, "M": add(mul(slope[0], law.m), slope[1]), "p": p}
    return scalar_text("v^(p/2)*gamma((p + 1)/2)/sqrt(pi)*hyp1f1(-p/2, 1/2, -M^2/v)", scope)


def with_linear_conditions(f: Scalar, x: Entry, know: Knowledge) -> Scalar:
    """K < c exp(u) as log(K/c) < u, for positive c and K."""

    def rule(n: Node) -> Scalar:
        if isinstance(n, Compare) and x.array in variables_of(n) and slope_in(sub(n.args[1], n.args[0]), x) is None:
            return linear_condition(n, x, know)
        assert isinstance(n, Scalar)
        return n

    return bottom_up(f, rule)


def linear_condition(c: Compare, x: Entry, know: Knowledge) -> Scalar:
    gap = sub(c.args[1], c.args[0])
    terms = gap.args if not isinstance(gap, (Mul, Fn)) and len(gap.args) > 1 else (gap,)
    moving = [t for t in terms if x.array in variables_of(t)]
    fixed = add(*(t for t in terms if t not in moving))
    if len(moving) != 1:
        raise Unclear
    inside = [g for g in factors_of(moving[0]) if x.array in variables_of(g)]
    scale = mul(*(g for g in factors_of(moving[0]) if g not in inside))
    if len(inside) != 1 or not isinstance(inside[0], Fn) or inside[0].name != "exp":
        raise Unclear
    u = inside[0].args[0]
    if know.positive(scale) and know.negative(fixed):
        return compare(c.op, fn("log", divide(neg(fixed), scale)), u)
    if know.negative(scale) and know.positive(fixed):
        return compare(c.op, u, fn("log", divide(fixed, neg(scale))))
    raise Unclear


# --- one piece --------------------------------------------------------------------------------------------------------


def of_piece(f: Scalar, x: Entry, law: Normal, know: Knowledge) -> Scalar:
    assert isinstance(x.array, Var)
    try:
        items = expanded(f, depends_on_any(frozenset((x.array,))), lambda _: False)
    except TooManyTerms as error:
        raise Unclear from error
    return add(*(total(mul(i.coefficient, of_atom(i.atom, x, law, know)), list(i.indices)) for i in items))


def of_atom(atom: Scalar, x: Entry, law: Normal, know: Knowledge) -> Scalar:
    """E x^n exp(a x^2 + b x + c) T(x), T made of cosines and sines, or one error function; or one hyperbolic function."""
    n = 0
    exponent: list[Scalar] = []
    waves: list[tuple[str, Scalar, Scalar]] = []
    hyperbolic: list[tuple[str, Scalar, Scalar]] = []
    error: tuple[Scalar, Scalar] | None = None
    for g in factors_of(atom) if atom is not ONE else ():
        base, k = (g.base, is_natural(g.exponent)) if isinstance(g, Pow) and g.base is not x else (g, 1)
        slope = slope_in(base.args[0], x) if isinstance(base, Fn) and len(base.args) == 1 else None
        if g is x:
            n += 1
        elif isinstance(g, Pow) and g.base is x and (k := is_natural(g.exponent)) is not None:
            n += k
        elif isinstance(base, Fn) and base.name == "exp" and k is not None:
            exponent.append(mul(num(k), base.args[0]))
        elif isinstance(base, Fn) and base.name in ("cos", "sin") and slope is not None and k is not None:
            waves.extend([(base.name, *slope)] * k)
        elif isinstance(g, Fn) and g.name in HYPERBOLIC and slope is not None:
            hyperbolic.append((g.name, *slope))
        elif isinstance(g, Fn) and g.name == "erf" and slope is not None and error is None:
            error = slope
        else:
            raise Unclear
    if n > MOST_POWERS or len(waves) > MOST_POWERS or (waves and error is not None):
        raise Unclear
    if len(hyperbolic) == 1 and not n and not waves and error is None and not exponent and law.is_whole:
        ((name, a, b),) = hyperbolic
        return mul(fn("exp", mul(HALF, power(a, TWO), power(law.s, TWO))), fn(name, add(mul(a, law.m), b)))
    if hyperbolic:
        raise Unclear
    factor, tilted = tilt(add(*exponent), x, law, know)
    if waves:
        inner = add(*(mul(c, of_wave(n, name, a, b, tilted)) for c, name, a, b in one_wave(waves)))
    elif error is not None:
        inner = of_error(n, *error, tilted)
    else:
        inner = moment(n, tilted)
    return mul(factor, inner)


def tilt(exponent: Scalar, x: Entry, law: Normal, know: Knowledge) -> tuple[Scalar, Normal]:
    """The factor and the law that exp(a x^2 + b x + c) times the density is."""
    parts = {0: ZERO, 1: ZERO, 2: ZERO}
    assert isinstance(x.array, Var)
    for i in expanded(exponent, depends_on_any(frozenset((x.array,))), lambda _: False):
        g = i.atom
        k = 0 if g is ONE else 1 if g is x else is_natural(g.exponent) if isinstance(g, Pow) and g.base is x else None
        if k is None or k > 2:
            raise Unclear
        parts[k] = add(parts[k], total(i.coefficient, list(i.indices)))
    c, b, a = parts[0], parts[1], parts[2]
    square = power(law.s, TWO)
    if a is ZERO:
        made = Normal(add(law.m, mul(b, square)), law.s, law.low, law.high)
        return fn("exp", add(c, mul(b, law.m), mul(HALF, power(b, TWO), square))), made
    if not know.nonnegative(neg(a)):
        raise Unclear
    wide = add(ONE, mul(num(-2), a, square))
    grown = add(c, divide(add(mul(b, law.m), mul(a, power(law.m, TWO)), mul(HALF, power(b, TWO), square)), wide))
    made = Normal(divide(add(law.m, mul(b, square)), wide), divide(law.s, power(wide, HALF)), law.low, law.high)
    return divide(fn("exp", grown), power(wide, HALF)), made


def moment(n: int, law: Normal) -> Scalar:
    """I_n: the integral of x^n over the interval."""
    root = mul(law.s, power(TWO, HALF))

    def share(v: Scalar) -> Scalar:  # of what lies above v, twice
        return add(ONE, fn("erf", divide(sub(law.m, v), root)))

    def at_end(v: Scalar, k: int) -> Scalar:
        if v is INF or v is MINUS_INF:
            return ZERO
        far = mul(num(-1), HALF, power(divide(sub(v, law.m), law.s), TWO))
        return divide(mul(power(v, num(k)), fn("exp", far)), power(mul(TWO, PI), HALF))

    above = TWO if law.low is MINUS_INF else share(law.low)
    beyond = ZERO if law.high is INF else share(law.high)
    values = [mul(HALF, sub(above, beyond))]
    for k in range(1, n + 1):
        step = add(mul(law.m, values[k - 1]), mul(law.s, sub(at_end(law.low, k - 1), at_end(law.high, k - 1))))
        values.append(add(step, mul(num(k - 1), power(law.s, TWO), values[k - 2])) if k > 1 else step)
    return values[n]


def of_error(n: int, a: Scalar, b: Scalar, law: Normal) -> Scalar:
    """E x^n erf(a x + b) by Stein's lemma: erf' is 2/sqrt(pi) exp(-(a x + b)^2)."""
    if not law.is_whole:
        raise Unclear
    square = power(law.s, TWO)
    wide = add(ONE, mul(TWO, power(a, TWO), square))
    at_mean = add(mul(a, law.m), b)
    values = [fn("erf", divide(at_mean, power(wide, HALF)))]
    narrow = Normal(divide(sub(law.m, mul(TWO, a, b, square)), wide), divide(law.s, power(wide, HALF)))
    height = divide(mul(TWO, a, fn("exp", neg(divide(power(at_mean, TWO), wide)))), power(mul(PI, wide), HALF))
    for k in range(1, n + 1):
        bend = add(mul(num(k - 1), values[k - 2]) if k > 1 else ZERO, mul(height, moment(k - 1, narrow)))
        values.append(add(mul(law.m, values[k - 1]), mul(square, bend)))
    return values[n]


def of_wave(n: int, name: str, a: Scalar, b: Scalar, law: Normal) -> Scalar:
    """E x^n cos(a x + b) and E x^n sin(a x + b) by Stein's lemma."""
    if not law.is_whole:
        raise Unclear
    square = power(law.s, TWO)
    damped = fn("exp", mul(num(-1), HALF, power(a, TWO), square))
    cos, sin = ([mul(damped, fn(w, add(mul(a, law.m), b)))] for w in ("cos", "sin"))
    for k in range(1, n + 1):
        more = [mul(num(k - 1), v[k - 2]) if k > 1 else ZERO for v in (cos, sin)]
        up = add(mul(law.m, cos[k - 1]), mul(square, sub(more[0], mul(a, sin[k - 1]))))
        sin.append(add(mul(law.m, sin[k - 1]), mul(square, add(more[1], mul(a, cos[k - 1])))))
        cos.append(up)
    return (cos if name == "cos" else sin)[n]


def one_wave(waves: list[tuple[str, Scalar, Scalar]]) -> list[tuple[Scalar, str, Scalar, Scalar]]:
    """A product of cosines and sines as a sum of single ones: cos u cos v = (cos(u - v) + cos(u + v))/2."""
    out: list[tuple[Scalar, str, Scalar, Scalar]] = [(ONE, *waves[0])]
    for other, c, d in waves[1:]:
        new = []
        for k, name, a, b in out:
            half = mul(HALF, k)
            less, more = (sub(a, c), sub(b, d)), (add(a, c), add(b, d))
            if name == other:
                new += [(half, "cos", *less), (half if name == "cos" else neg(half), "cos", *more)]
            else:  # sin u cos v = (sin(u + v) + sin(u - v))/2, cos u sin v = (sin(u + v) - sin(u - v))/2
                new += [(half, "sin", *more), (half if name == "sin" else neg(half), "sin", *less)]
        out = new
    return out
