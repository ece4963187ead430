"""Means over one scalar draw, and integrals, as sums over nodes: their numbers where they have no closed form.

A range is cut where the integrand is not smooth or has its mass; each piece is the double-exponential rule of Takahasi &
Mori (1974), x = a + (b - a) sigmoid(pi sinh t), or a + s exp(pi sinh t) to infinity. Counts are summed over a window. The
value is nan where the rule has not settled: where every other node, the mass of the law, or the ends of the window say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import Random, depends_on_any, entries_in, factors_of, opened, with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.combinators import image_of
from symgen.probability.laws.counts import with_limits_at_zero
from symgen.probability.laws.densities import entry_of
from symgen.probability.laws.intervals import slope_in
from symgen.probability.laws.joint import is_expectation, opened_expectation
from symgen.probability.laws.law import value_domain
from symgen.probability.laws.own_support import on_support, ranges_of
from symgen.probability.means.draw import Draw
from symgen.probability.means.own_density import normalised_law, own_density
from symgen.probability.means.univariate import Univariate
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    INF,
    MINUS_ONE,
    NAN,
    ONE,
    PI,
    TWO,
    ZERO,
    Add,
    Array,
    Compare,
    Entry,
    Fn,
    Index,
    Mul,
    Operator,
    Pow,
    Scalar,
    Sum,
    Var,
    add,
    compare,
    divide,
    entry,
    fn,
    fresh_index,
    logic,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operator,
    power,
    replace_arrays,
    sub,
    tensor,
    total,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_nonnegative, is_positive

__all__ = ["by_nodes"]

HALF_NODES = 400
FINE = 20  # times as many, where there is a kink of which the place is not known
FAR = Fraction(47, 10)  # of t outwards, where exp(pi sinh t) is 1e75: fourth powers are numbers there
REACH = Fraction(57, 10)  # of t, where exp(pi sinh t) is 1e203
MOST_BREAKS = 6
WINDOW = 4096  # terms of a sum over counts
BELOW = 1024  # of them below the middle of the law
DEAD = num(-740)  # the logarithm of the smallest number
ALTERNATING = num(Fraction(1, 10**5))  # the rule is as exact as the square of what every other node says
AT_KINKS = num(Fraction(1, 10**4))
MASS = num(Fraction(1, 10**5))
ROUNDING = num(Fraction(1, 10**13))  # what a mean of 0 may come to
EDGE = num(Fraction(1, 10**11))
INSIDE = num(Fraction(1, 2**120))  # by which what may be 0 is moved inside
NOISE = {"normal": (HALF, TWO), "uniform": (HALF, num(Fraction(3, 4))), "exponential": (ONE, TWO), "gumbel": (ZERO, ONE),
         "logistic": (ZERO, ONE), "laplace": (ZERO, ONE)}  # fmt: skip
SINGULAR = ("log", "sqrt", "xlogy")
KINKED = ("abs", "sign", "max", "min", "relu", "leaky_relu", "elu", "clip", "floor", *SINGULAR)


@dataclass(frozen=True)
class _Line:
    """What is summed: f(x) exp(log_weight(x)) over x from low to high. `middle` lies where the mass is, `spread` is the
    scale of the tails. Of a law the sum is divided by the mass, which takes the rounding that all weights share."""

    x: Entry
    f: Scalar
    log_weight: Scalar
    low: Scalar
    high: Scalar
    discrete: bool
    middle: Scalar | None = None
    spread: Scalar = ONE
    is_law: bool = True
    has_mass_one: bool = True


def by_nodes(f: Array, ctx: Context, wanted: Callable[[Operator], bool], whole: bool = True) -> Array:
    """`f` with the means over one scalar draw that are wanted, and its integrals, as sums over nodes; where not `whole`,
    integrals that have a derivative stay what they are."""
    done: dict[Array, Array] = {}
    for node in list(walk(f)):
        if not isinstance(node, Operator):
            continue
        current = replace_arrays(node, done) if done else node
        made: Array | None = None
        if isinstance(current, Operator) and current.name == "integral":
            made = _integral(current) if whole else _over_one_range(current) if any(a.rank for a in current.operands[1:]) else None
        elif isinstance(current, Operator) and current.name == "series" and whole:
            made = _series(current)
        elif isinstance(current, Operator) and current.name == "E" and is_expectation(current) and wanted(current):
            made = _mean(current, ctx)
        if made is not None:
            done[node] = made
            done[current] = made
    return replace_arrays(f, done) if done else f


def _mean(op: Operator, ctx: Context) -> Array | None:
    """Entry by entry; a sum term by term, where that is what it takes."""
    (body,), draws = opened_expectation(op)
    if len(draws) != 1:
        return None
    ((v, law),) = draws
    quiet = ctx.quiet()
    indices = [fresh_index(s) for s in body.shape]
    is_random = depends_on_any(frozenset((v,)))
    inner = with_limits_at_zero(opened(entry_of(body, indices, quiet), is_random), draws)
    if any(isinstance(n, Operator) for n in walk(inner)):
        return None
    value = _Taken(v, normalised_law(law, quiet), quiet, is_random).mean(inner, indices)
    return None if value is None else tensor(indices, value)


@dataclass(frozen=True)
class _Taken:
    """The mean over one draw, of what hangs on one of its entries at a time."""

    variable: Var
    law: Array
    ctx: Context
    is_random: Random

    def mean(self, f: Scalar, axes: list[Index]) -> Scalar | None:
        if not self.is_random(f):
            return f
        entries = entries_in(f, frozenset((self.variable,)))
        if entries is None and not self.variable.rank:  # below an operation on an array
            entries = [entry(self.variable)]
        if entries is not None and len(entries) == 1:
            line = self.line(f, entries[0])
            return None if line is None else _summed(line, axes)
        if isinstance(f, Sum):
            body, bound = open_sum(f)
            inner = self.mean(body, [*axes, *bound])
            return None if inner is None else total(inner, bound)
        if isinstance(f, Mul):
            random = [g for g in f.args if self.is_random(g)]
            inner = self.mean(random[0], axes) if len(random) == 1 else None
            return None if inner is None else mul(inner, *(g for g in f.args if g is not random[0]))
        if isinstance(f, Add):
            parts = [self.mean(g, axes) for g in f.args]
            return None if any(p is None for p in parts) else add(*(p for p in parts if p is not None))
        return None

    def line(self, f: Scalar, e: Entry) -> _Line | None:
        image = image_of(self.law)
        if image is not None:  # over what is mapped, where the density is tame
            below = var(self.variable.name, (), value_domain(image[1]), "random", uid=self.variable.uid + 5000)
            composed = with_value(f, self.variable, lambda *_: image[0](entry(below)))
            inner = entry(below)
            assert isinstance(below, Var) and isinstance(inner, Entry)
            composed = _with_powers_apart(composed, inner) if below.domain in ("positive", "unit") else composed
            return _Taken(below, image[1], self.ctx, depends_on_any(frozenset((below,)))).line(composed, inner)
        x = entry(var(self.variable.name, (), self.variable.domain, "placeholder", uid=-93))
        assert isinstance(x, Entry)
        f = with_value(f, self.variable, lambda *_: x)
        if isinstance(self.law, Operator) and self.law.name == "formula":
            return _under_own_density(self.law, x, f)
        draw = Draw(self.variable, self.law, self.ctx, Knowledge(self.ctx))
        u = draw.univariate(e) if draw.row is not None else None
        if u is None or u.law.row.region.kind not in ("interval", "integers"):
            return None
        u = Univariate(u.law, x, u.know)
        row = u.law.row
        weight = u.law.text(row.log_density, x=x)
        low, high = (u.law.text(t) for t in (row.region.low, row.region.high))
        if any(isinstance(n, Operator) for n in walk(weight, low, high)):
            return None
        middle = _middle(u, weight)
        if low is ZERO:
            f = _with_powers_as_exponentials(f, x)
        return _Line(x, f, weight, low, high, row.region.discrete, middle, _spread(u, weight, low, middle))


def _with_powers_apart(f: Scalar, x: Entry) -> Scalar:
    """log(x^n) as n log x and (x^n)^m as x^(n m) for x > 0: near 0 the power alone is too small a number."""

    def rule(n: Scalar) -> Scalar:
        inner = n.args[0] if isinstance(n, Fn) and n.name == "log" else n.base if isinstance(n, Pow) else None
        if not isinstance(inner, Pow) or inner.base is not x:
            return n
        return power(x, mul(inner.exponent, n.exponent)) if isinstance(n, Pow) else mul(inner.exponent, fn("log", x))

    return bottom_up(f, rule)


def _with_powers_as_exponentials(f: Scalar, x: Entry) -> Scalar:
    """log(1 + c x^b) as softplus(log c + b log x), which does not overflow far out, for x > 0 and c > 0."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Fn) or n.name != "log" or not isinstance(n.args[0], Add) or len(n.args[0].args) != 2:
            return n
        one, other = n.args[0].args if n.args[0].args[0] is ONE else n.args[0].args[::-1]
        if one is not ONE:
            return n
        logs: list[Scalar] = []
        for g in factors_of(other):
            base, e = (g.base, g.exponent) if isinstance(g, Pow) else (g, ONE)
            if base is not x and not is_positive(base):
                return n
            logs.append(mul(e, fn("log", base)))
        return fn("softplus", add(*logs)) if any(isinstance(g, Pow) and g.base is x for g in factors_of(other)) else n

    return bottom_up(f, rule)


def _integral(op: Operator) -> Array | None:
    x = op.attrs[0][0]
    axes = [fresh_index(size) for size in op.shape]
    body, low, high = (open_tensor(a, axes if a.rank else ()) for a in op.operands)
    if any(isinstance(n, Operator) for n in walk(body, low, high)):
        return None
    at = entry(x)
    assert isinstance(at, Entry)
    sign = ONE
    if not (low is ZERO and is_nonnegative(high) or low is neg(INF) or high is INF or is_nonnegative(sub(high, low))):
        sign = where(compare("<", high, low), neg(ONE), ONE)  # from right to left
        low, high = fn("min", low, high), fn("max", low, high)
    factors = factors_of(body)
    weight = add(*(f.args[0] for f in factors if isinstance(f, Fn) and f.name == "exp"))
    rest = mul(*(f for f in factors if not (isinstance(f, Fn) and f.name == "exp")))
    return tensor(axes, mul(sign, _summed(_Line(at, rest, weight, low, high, False, is_law=False), axes)))


def _series(op: Operator) -> Array | None:
    """An infinite sum over a window."""
    body, low, _ = (open_tensor(a, ()) for a in op.operands)
    at = entry(op.attrs[0][0])
    if any(isinstance(n, Operator) for n in walk(body, low)):
        return None
    assert isinstance(at, Entry)
    factors = factors_of(body)
    weight = add(*(f.args[0] for f in factors if isinstance(f, Fn) and f.name == "exp"))
    rest = mul(*(f for f in factors if not (isinstance(f, Fn) and f.name == "exp")))
    return tensor((), _summed(_Line(at, rest, weight, low, INF, True, is_law=False), []))


def _over_one_range(op: Operator) -> Array | None:
    """Integrals whose ends hang on an index, over the same range for all: u = a + (b - a) t, or a + t, or b - t."""
    x = op.attrs[0][0]
    axes = [fresh_index(size) for size in op.shape]
    body, low, high = (open_tensor(a, axes if a.rank else ()) for a in op.operands)
    bounded = low is not neg(INF) and high is not INF
    if low is neg(INF) and high is INF:
        return None
    t = var(x.name, (), "unit" if bounded else "positive", "random", uid=x.uid + 1)
    if bounded:
        u, slope = add(low, mul(sub(high, low), entry(t))), sub(high, low)
    else:
        u, slope = (add(low, entry(t)) if high is INF else sub(high, entry(t))), ONE
    inside = tensor(axes, mul(slope, with_value(body, x, lambda *_: u)))
    made = operator("integral", (inside, tensor((), ZERO), tensor((), ONE if bounded else INF)), op.shape, ((t,),))
    assert isinstance(made, Operator)
    return made


def _under_own_density(law: Operator, x: Entry, f: Scalar) -> _Line | None:
    own = own_density(law)
    if own.range is None or own.x.rank:
        return None
    low, high = (INF if e == float("inf") else neg(INF) if e == float("-inf") else num(int(e)) for e in own.range[:2])
    log_f, spans = own.log_f, ranges_of(law, Context(Trace()))
    if spans is not None and len(spans) == 1:
        log_f, (low, high) = on_support(log_f), spans[0]
    weight = with_value(log_f, own.x, lambda *_: x)
    if any(isinstance(n, Operator) for n in walk(weight)):
        return None
    middle = ZERO if own.range[2] and low is neg(INF) else None
    return _Line(x, f, weight, low, high, own.range[2], middle, has_mass_one=own.z is None)


# --- where the mass of a law is ---------------------------------------------------------------------------------------


def _middle(u: Univariate, weight: Scalar) -> Scalar | None:
    """exp E log x of a positive draw, else the mean where it always exists, else a root in the density."""
    row = u.law.row
    if row.region.kind == "interval" and row.region.low not in ("-inf", "lo", "a", "-pi"):
        found = u.mean(fn("log", u.x))
        if found is not None and found.condition is ONE:
            return fn("exp", found.value)
    if "mean" in row.known and "mean" not in row.conditions:
        return u.law.text(row.known["mean"])
    return next(iter(_roots([weight], u.x)), None)


def _spread(u: Univariate, weight: Scalar, low: Scalar, middle: Scalar | None) -> Scalar:
    row = u.law.row
    if row.transform and row.noise in NOISE:
        first, second = (u.law.text(row.transform, eps=e) for e in NOISE[row.noise])
        return fn("abs", sub(second, first))
    if middle is not None and low is ZERO:
        return middle
    if "variance" in row.known and "variance" not in row.conditions:
        return power(u.law.text(row.known["variance"]), HALF)
    for n in walk(weight):
        slope = slope_in(n, u.x) if isinstance(n, Scalar) and n.is_scalar_node else None
        if slope is not None and slope[0] not in (ZERO, ONE) and slope[1] is not ZERO:
            return fn("abs", power(slope[0], MINUS_ONE))
    return ONE


# --- where the integrand is not smooth --------------------------------------------------------------------------------


def _roots(bodies: Sequence[Scalar], x: Entry) -> list[Scalar]:
    """Where what stands in functions and powers vanishes, if it is linear in x: first where there is a kink, then where
    there is a logarithm or a root, which is mostly at an end."""
    turns: dict[Scalar, None] = {}
    first: dict[Scalar, None] = {}
    then: dict[Scalar, None] = {}
    for n in walk(*bodies):
        if not isinstance(n, (Fn, Pow, Compare)) or x.array not in variables_of(n):
            continue
        kinked = isinstance(n, Compare) or (isinstance(n, Fn) and n.name in KINKED)
        inside = (sub(n.args[0], n.args[1]),) if isinstance(n, Compare) else (n.base,) if isinstance(n, Pow) else n.args
        if isinstance(n, Fn) and n.name in ("max", "min"):
            inside = (sub(n.args[0], n.args[1]),)
        for g in inside:
            slope = slope_in(g, x)
            if slope is None or slope[0] is ZERO or (slope[1] is ZERO and not kinked):
                continue
            sort = then if not kinked else first if isinstance(n, Fn) and n.name in SINGULAR else turns
            sort.setdefault(divide(neg(slope[1]), slope[0]))
    return list(dict.fromkeys((*turns, *first, *then)))


def _has_hidden_kink(f: Scalar, x: Entry) -> bool:
    """Whether there is a kink where something vanishes that is not linear in x."""
    for n in walk(f):
        if x.array in variables_of(n) and (isinstance(n, Compare) or (isinstance(n, Fn) and n.name in KINKED[:9])):
            inside = sub(n.args[0], n.args[1]) if isinstance(n, Compare) or n.name in ("max", "min") else n.args[0]
            if slope_in(inside, x) is None:
                return True
    return False


def _sorted(points: Sequence[Scalar]) -> list[Scalar]:
    """The points in increasing order, by comparing neighbours."""
    out = list(points)
    for end in range(len(out) - 1, 0, -1):
        for k in range(end):
            out[k], out[k + 1] = fn("min", out[k], out[k + 1]), fn("max", out[k], out[k + 1])
    return out


# --- sums -------------------------------------------------------------------------------------------------------------


def _summed(line: _Line, axes: list[Index]) -> Scalar:
    return _over_counts(line, axes) if line.discrete else _over_pieces(line, axes)


def _over_counts(line: _Line, axes: list[Index]) -> Scalar:
    k = fresh_index(num(WINDOW))
    start = line.low
    if line.middle is not None:
        start = fn("max", line.low, sub(fn("floor", line.middle), num(BELOW)))
    x = add(start, k)
    weight, f = (with_value(_off_the_edge(s), line.x.array, lambda *_: x) for s in (line.log_weight, line.f))
    alive = compare("<", DEAD, weight)
    if line.high is not INF:
        alive = logic("and", compare("<=", x, line.high), alive)
    weights = tensor([*axes, k], where(alive, fn("exp", weight), ZERO))
    own = entry(weights, *axes, k)
    terms = tensor([*axes, k], where(compare("<", ZERO, own), mul(own, f), ZERO))
    if line.high is INF and _falls_as_a_power(line.log_weight, line.x):
        return _with_tail(line, terms, weights, add(start, num(WINDOW)), axes)
    one = fresh_index(num(WINDOW))
    whole, size = total(entry(terms, *axes, one), [one]), total(fn("abs", entry(terms, *axes, one)), [one])
    mass = total(entry(weights, *axes, one), [one])
    edge = mul(EDGE, divide(size, num(WINDOW)))
    settled = [compare("<=", fn("abs", entry(terms, *axes, num(WINDOW - 1))), edge)]
    if line.is_law:  # the mass of what has no normaliser is the sum over the window, if that holds it
        last, rounding = entry(weights, *axes, num(WINDOW - 1)), mul(EDGE, divide(mass, num(WINDOW)))
        settled.append(compare("<", fn("abs", sub(mass, ONE)), MASS) if line.has_mass_one else compare("<=", last, rounding))
    if start is not line.low:
        below = compare("<=", fn("abs", entry(terms, *axes, ZERO)), edge)
        settled.append(logic("or", compare("<=", start, line.low), below))
    return where(logic("and", *settled), divide(whole, mass) if line.is_law else whole, NAN)


def _falls_as_a_power(log_weight: Scalar, x: Entry) -> bool:
    """Whether the weight holds x in logarithms alone: no window is long enough for its sum."""
    terms = log_weight.args if isinstance(log_weight, Add) else (log_weight,)
    random = [[g for g in factors_of(t) if x.array in variables_of(g)] for t in terms]
    return any(random) and all(len(r) < 2 and all(isinstance(g, Fn) and g.name == "log" for g in r) for r in random)


def _with_tail(line: _Line, terms: Array, weights: Array, after: Scalar, axes: list[Index]) -> Scalar:
    """The sum over a window and the integral over what is left, from the middle between the last count of the window and the
    next: sum f(k) = integral f + (f(N) - f(N - 1))/24 + .., by Euler and Maclaurin."""

    def whole(f: Scalar, window: Array) -> Scalar:
        left = _over_pieces(_Line(line.x, f, line.log_weight, sub(after, HALF), INF, False, is_law=False), axes)
        body = mul(f, fn("exp", line.log_weight))
        ends = [with_value(body, line.x.array, lambda *_, n=n: n) for n in (after, sub(after, ONE))]
        one = fresh_index(num(WINDOW))
        return add(total(entry(window, *axes, one), [one]), left, divide(sub(*ends), num(24)))

    sum_of_f = whole(line.f, terms)
    return divide(sum_of_f, whole(ONE, weights)) if line.is_law else sum_of_f


def _off_the_edge(f: Scalar) -> Scalar:
    """f with the logarithms of parameters that may be 0 taken a little inside: 0 log 0 is 0, and gradients are numbers."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Fn) or n.name != "log":
            return n
        arrays = {v for v in variables_of(n.args[0]) if v.role != "random"}
        at_edge = len(arrays) == 1 and all(v.domain in ("nonnegative", "unit", "simplex") for v in arrays)
        short = isinstance(n.args[0], Entry) or isinstance(n.args[0], Add) and len(n.args[0].args) == 2
        if not at_edge or not short:
            return n
        axes = tuple(n.args[0].free)  # held apart: 1 + 2^-120 is 1 in floats
        held = entry(tensor(axes, n.args[0]), *axes) if isinstance(n.args[0], Add) else n.args[0]
        return fn("log", add(held, INSIDE))

    return bottom_up(f, rule)


def _with_logarithms_of_exponentials(f: Scalar) -> Scalar:
    """log sinh u and log cosh u as |u| + log(1 -+ exp(-2 |u|)) - log 2, which do not overflow."""

    def rule(n: Scalar) -> Scalar:
        inner = n.args[0] if isinstance(n, Fn) and n.name == "log" else None
        if not isinstance(inner, Fn) or inner.name not in ("sinh", "cosh"):
            return n
        size = inner.args[0] if is_nonnegative(inner.args[0]) else fn("abs", inner.args[0])
        down = mul(num(-2), size)
        lost = fn("log1p", fn("exp", down)) if inner.name == "cosh" else fn("log", neg(fn("expm1", down)))
        return add(size, lost, neg(fn("log", TWO)))

    return bottom_up(f, rule)


def _over_pieces(line: _Line, axes: list[Index]) -> Scalar:
    line = replace(line, f=_with_logarithms_of_exponentials(line.f), log_weight=_with_logarithms_of_exponentials(line.log_weight))
    x, lowest, highest = line.x, neg(INF), INF
    breaks: dict[Scalar, None] = {} if line.middle is None else {line.middle: None}
    for root in _roots([line.f, line.log_weight], x):
        if not root.free <= set(axes):
            continue  # it moves with a sum inside
        if len(breaks) < MOST_BREAKS and root is not line.low and root is not line.high:
            breaks.setdefault(root)
    lost = line.middle if line.middle is not None else line.low if line.low is not lowest else ZERO
    inside = [b if b is line.middle else where(compare("<", fn("abs", b), INF), b, lost) for b in breaks]  # of equal laws 0/0
    if line.low is not lowest:
        inside = [fn("max", line.low, b) for b in inside]
    if line.high is not highest:
        inside = [fn("min", line.high, b) for b in inside]
    points = _sorted(inside)
    if line.low is not lowest:
        points = [line.low, *points]
    if line.high is not highest:
        points = [*points, line.high]
    points = points or [ZERO]
    kinds: list[tuple[str, Scalar, Scalar]] = [("down", points[0], ONE)] if line.low is lowest else []
    kinds += [("between", a, b) for a, b in zip(points, points[1:], strict=False)]
    kinds += [("up", points[-1], ONE)] if line.high is highest else []
    hidden = _has_hidden_kink(line.f, x)
    half = HALF_NODES * FINE if hidden else HALF_NODES
    step = num(REACH / half)
    assert isinstance(step.value, Fraction)
    j, k = fresh_index(num(len(kinds))), fresh_index(num(2 * half + 1))
    t = mul(sub(k, num(half)), step)
    g = mul(PI, fn("sinh", t))
    slope = mul(PI, step, fn("cosh", t))
    near, far = fn("sigmoid", g), fn("sigmoid", neg(g))
    both_ways = fn("exp", neg(add(fn("abs", g), mul(TWO, fn("softplus", neg(fn("abs", g)))))))  # near far, small at both ends
    left = compare("<", k, num(half))
    place: Scalar = ZERO
    length: Scalar = ZERO
    rest: Scalar = ZERO  # high - x, without the loss of digits near that end
    for position in range(len(kinds) - 1, -1, -1):
        kind, a, b = kinds[position]
        if kind == "between":
            whole = sub(b, a)
            at = where(left, add(a, mul(whole, near)), sub(b, mul(whole, far)))
            rate, gap = mul(whole, both_ways), add(sub(line.high, b), mul(whole, far))
        else:
            outwards = sub(k, num(half)) if kind == "up" else sub(num(half), k)
            is_far = compare("<", num(int(FAR / step.value)), outwards)
            reach = mul(line.spread, fn("exp", g if kind == "up" else neg(g)))
            at, rate = (add(a, reach) if kind == "up" else sub(a, reach)), where(is_far, ZERO, reach)
            gap = sub(line.high, at)
        if position == len(kinds) - 1:
            place, length, rest = at, rate, gap
        else:
            here = compare("<", j, num(position + 1))
            place, length, rest = where(here, at, place), where(here, rate, length), where(here, gap, rest)
    nodes = tensor([*axes, j, k], place)
    lengths = tensor([*axes, j, k], mul(length, slope))
    at_node = entry(nodes, *axes, j, k)
    ends: dict[Scalar, Scalar] = {}
    if line.high is not highest:
        ends[sub(line.high, x)] = entry(tensor([*axes, j, k], rest), *axes, j, k)
    weight, f = (with_value(replace_scalars(s, ends), x.array, lambda *_: at_node) for s in (line.log_weight, line.f))
    strictly = [compare("<", ZERO, entry(lengths, *axes, j, k)), compare("<", DEAD, weight)]
    if line.low is not lowest:
        strictly.append(compare("<", line.low, at_node))
    if line.high is not highest:  # where all is said by the gap to that end, the gap is what must not vanish
        spoken = {n for n in walk(weight, f) if n in (at_node, *ends.values())}
        strictly.append(compare("<", at_node, line.high) if at_node in spoken else compare("<", ZERO, *ends.values()))
    alive = logic("and", *strictly)
    weights = tensor([*axes, j, k], where(alive, mul(fn("exp", weight), entry(lengths, *axes, j, k)), ZERO))
    own = entry(weights, *axes, j, k)
    terms = tensor([*axes, j, k], where(compare("<", ZERO, own), mul(own, f), ZERO))
    both = [fresh_index(j.size), fresh_index(k.size)]
    one = entry(terms, *axes, *both)
    value, size = total(one, both), total(fn("abs", one), both)
    other = fn("abs", total(mul(fn("cos", mul(PI, both[1])), one), both))
    allowed = mul(AT_KINKS if hidden else ALTERNATING, size)
    settled = [compare("<=", other, add(allowed, ROUNDING) if line.is_law else allowed)]
    if line.is_law:
        mass = total(entry(weights, *axes, *both), both)
        value = divide(value, mass)
        if line.has_mass_one:
            settled.append(compare("<", fn("abs", sub(mass, ONE)), MASS))
    return where(logic("and", *settled), value, NAN)
