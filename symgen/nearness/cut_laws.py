"""Laws with the exponent of a normal law on an interval, by sums over nodes where they have their mass.

Their closed forms are differences of nearly equal numbers where the density hardly changes over the interval, and where the
interval lies far out. Of two such laws on one interval, with h = log q - log p up to a constant,
    KL(p || q) = log E_p exp(h - E_p h) = log(1 + E_p[exp(v) - 1 - v]),  v = h - E_p h,
by which near laws keep their digits; laws whose masses lie apart have the difference of their cross entropy and entropy. Of
powers of the densities
    log E_p (q/p)^c = L(c) - c L(1),  L(c) = log(1 + E_p[exp(c v) - 1 - c v]),
and apart it is the logarithm of the mass of the law between them, by those of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from symgen.calculus.segment import PLACES, WEIGHTS, listed
from symgen.codegen.stable_differences import by_differences, kept_apart
from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.probability.divergences.overlap import coefficients_of
from symgen.probability.families.texts import scalar_text
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.joint import decode, opened_expectation
from symgen.probability.laws.law import row_of
from symgen.tensor.expression import (
    HALF,
    INF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Array,
    Num,
    Operator,
    Scalar,
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
    open_tensor,
    power,
    sub,
    tensor,
    total,
    var,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_positive

__all__ = ["by_own_nodes"]

PANELS = 6
POWERS = {"renyi": None, "chi2": TWO, "hellinger": HALF}  # of p; that of a Renyi divergence is said with it
NARROW, BROAD = num(40), num(60)  # the density at the ends of the nodes is exp(-40), exp(-60) of that at its peak
ALMOST = num(Fraction(999, 1000))  # ends that are those of the interval are the same but for rounding
X = var("x", (), "real", "random", uid=-78)


@dataclass(frozen=True)
class _Cut:
    """A law on low .. high with the density exp(slope x + bend x^2) there, up to a factor; bend <= 0."""

    low: Scalar
    high: Scalar
    slope: Scalar
    bend: Scalar

    @property
    def peak(self) -> Scalar:
        if self.bend is ZERO:
            return self.by_sign(self.high, self.low)
        return fn("min", fn("max", divide(self.slope, mul(num(-2), self.bend)), self.low), self.high)

    def by_sign(self, rising: Scalar, falling: Scalar) -> Scalar:
        if is_positive(self.slope) is True or is_positive(neg(self.slope)) is True:
            return rising if is_positive(self.slope) is True else falling
        return where(compare("<", ZERO, self.slope), rising, falling)

    def steepness(self) -> Scalar:
        return add(self.slope, mul(TWO, self.bend, self.peak))

    def ends(self, drop: Scalar) -> tuple[Scalar, Scalar]:
        """How far left and right of the peak the logarithm of the density falls by `drop`, within the interval."""
        if self.bend is ZERO:
            reach = fn("min", sub(self.high, self.low), divide(drop, fn("abs", self.slope)))
            return self.by_sign(reach, ZERO), self.by_sign(ZERO, reach)
        out = []
        for sign, room in ((ONE, sub(self.peak, self.low)), (MINUS_ONE, sub(self.high, self.peak))):
            rise = fn("max", mul(sign, self.steepness()), ZERO)
            root = power(sub(power(rise, TWO), mul(num(4), self.bend, drop)), HALF)
            out.append(fn("min", room, divide(mul(TWO, drop), add(rise, root))))
        return out[0], out[1]

    def log_density(self, t: Scalar) -> Scalar:
        """At the peak + t, less that at the peak."""
        return mul(t, add(self.steepness(), mul(self.bend, t)))


def by_own_nodes(op: Operator | None, facts: Facts | None) -> Array | None:
    """The value of an operator by sums over the nodes of its laws; None of other laws."""
    if op is None or op.rank or op.name not in ("KL", "cross_entropy", "entropy", "E", "Var", *POWERS):
        return None
    ctx = Context(Trace(), facts)
    if op.name in ("E", "Var"):
        (body, *_), draws = opened_expectation(op)
        if len(draws) != 1 or body.rank or open_tensor(body, ()) is not entry(draws[0][0]):
            return None
        laws = [draws[0][1]]
    else:
        refs, options = decode(op)
        if any(len(r.joint.factors) != 1 for r in refs):
            return None
        laws = [r.joint.factors[0].law for r in refs]
    cuts = [_cut(law, ctx) for law in laws]
    first, last = cuts[0], cuts[-1]
    if first is None or last is None:
        return None
    if op.name in POWERS:
        power_of_p = POWERS[op.name] or open_tensor(options["alpha"], ())
        return _of_powers(op.name, first, last, power_of_p)
    if first.low is last.low and first.high is last.high:
        return tensor((), _by_nodes(op.name, first, last))
    if op.name != "KL":
        return None
    inside = logic("and", compare("<=", last.low, first.low), compare("<=", first.high, last.high))
    within = replace(last, low=first.low, high=first.high)
    return tensor((), where(inside, add(_lost(last, within), _by_nodes(op.name, first, within)), INF))


def _of_powers(name: str, p: _Cut, q: _Cut, alpha: Scalar) -> Array | None:
    """A Renyi, chi-square or Hellinger divergence of two laws on one interval, by log E_p (q/p)^c, c = 1 - alpha."""
    if p.low is not q.low or p.high is not q.high or not isinstance(alpha, Num) or alpha.rational in (None, 0, 1):
        return None
    c = sub(ONE, alpha)
    between = replace(p, slope=add(mul(alpha, p.slope), mul(c, q.slope)), bend=add(mul(alpha, p.bend), mul(c, q.bend)))
    if between.bend is not ZERO and is_positive(neg(between.bend)) is not True:
        return None
    nodes = _Nodes(p)
    v, weigh = _deviation(nodes, p, q)

    def grown(c: Scalar) -> Scalar:
        return fn("log1p", weigh(sub(fn("expm1", mul(c, v)), mul(c, v))))

    near = sub(grown(c), mul(c, grown(ONE)))
    logs = [add(_log_at_low(one), fn("log", _Nodes(one).mass)) for one in (between, p, q)]
    far = sub(logs[0], add(mul(alpha, logs[1]), mul(c, logs[2])))
    log_mean = where(logic("and", _alike(p, q), _alike(p, between)), near, far)
    if name == "renyi":
        return tensor((), divide(log_mean, neg(c)))
    return tensor((), mul(num(1 if name == "chi2" else -1), fn("expm1", kept_apart(log_mean))))


def _log_at_low(law: _Cut) -> Scalar:
    """The logarithm of the density at the peak, less that at the low end."""
    way = sub(law.peak, law.low)
    return mul(way, sub(law.steepness(), mul(law.bend, way)))


def _lost(q: _Cut, within: _Cut) -> Scalar:
    """-log of the mass that q has within an interval of its own."""
    beside = []
    for part in (replace(q, high=within.low), replace(q, low=within.high)):
        scale = fn("exp", within.log_density(sub(part.peak, within.peak)))
        beside.append(mul(scale, _Nodes(part).mass))
    return fn("log1p", divide(add(*beside), _Nodes(within).mass))


def _cut(law: Array, ctx: Context) -> _Cut | None:
    row = row_of(law)
    if row is None or law.shape or not row.is_univariate or row.shapes or row.region.kind != "interval":
        return None
    if row.region.low not in row.parameters or row.region.high not in row.parameters:
        return None
    scope = parameters(law, ctx).scalars(())
    x = entry(X)
    found = coefficients_of(scalar_text(row.log_density, {**scope, "x": x}), x, ctx)
    if found is None:
        return None
    found.pop(num(1), None)
    slope, bend = found.pop(x, ZERO), found.pop(power(x, TWO), ZERO)
    low, high = scope[row.region.low], scope[row.region.high]
    falls = is_positive(neg(bend)) is True or bend is ZERO and True in (is_positive(slope), is_positive(neg(slope)))
    if found or not falls or any(n is INF for end in (low, high) for n in walk(end)):
        return None
    return _Cut(low, high, slope, bend)


class _Nodes:
    """Nodes around the peak of a law, and its weights there."""

    def __init__(self, law: _Cut) -> None:
        self.law = law
        left, right = law.ends(BROAD)
        ends = [(j + t) / PANELS for j in range(PANELS) for t in PLACES]
        self.count = num(len(ends))
        k = fresh_index(self.count)
        place = entry(listed(ends), k)
        self.gap = tensor([k], sub(mul(right, place), mul(left, sub(ONE, place))))
        weight = mul(divide(add(left, right), num(PANELS)), entry(listed([w for _ in range(PANELS) for w in WEIGHTS]), k))
        self.weights = tensor([k], mul(weight, fn("exp", law.log_density(entry(self.gap, k)))))
        self.mass = self.total(lambda _: ONE)

    def total(self, f: Callable[[Scalar], Scalar]) -> Scalar:
        k = fresh_index(self.count)
        return total(mul(entry(self.weights, k), f(entry(self.gap, k))), [k])

    def mean(self, f: Callable[[Scalar], Scalar]) -> Scalar:
        """Of a function of what x is beyond the peak."""
        return divide(self.total(f), self.mass)


def _by_nodes(name: str, p: _Cut, q: _Cut) -> Scalar:
    nodes = _Nodes(p)
    if name == "E":
        return add(p.peak, nodes.mean(lambda t: t))
    if name == "Var":
        middle = kept_apart(nodes.mean(lambda t: t))
        return nodes.mean(lambda t: power(sub(t, middle), TWO))
    beyond = sub(p.peak, q.peak)
    crossed = sub(fn("log", _Nodes(q).mass), nodes.mean(lambda t: q.log_density(add(t, beyond))))
    if name != "KL":
        return crossed
    own = sub(fn("log", nodes.mass), nodes.mean(p.log_density))
    v, weigh = _deviation(nodes, p, q)
    return where(_alike(p, q), fn("log1p", weigh(sub(fn("expm1", v), v))), sub(crossed, own))


def _deviation(nodes: _Nodes, p: _Cut, q: _Cut) -> tuple[Scalar, Callable[[Scalar], Scalar]]:
    """v at a node of p, and the mean of what is made of it."""
    slope, bend = _apart(q.slope, p.slope), _apart(q.bend, p.bend)
    at_peak = kept_apart(add(slope, mul(TWO, bend, p.peak)))
    k = fresh_index(nodes.count)
    t = entry(nodes.gap, k)
    gap = tensor([k], mul(t, add(at_peak, mul(bend, t))))
    mean = kept_apart(divide(_sum(nodes.weights, gap), nodes.mass))
    j = fresh_index(nodes.count)
    return kept_apart(sub(entry(gap, j), mean)), lambda f: divide(_sum(nodes.weights, tensor([j], f)), nodes.mass)


def _alike(p: _Cut, q: _Cut) -> Scalar:
    """Whether each has its mass where the other has its nodes."""
    inside = []
    for a, b in ((p, q), (q, p)):
        (left, right), (low, high) = a.ends(NARROW), b.ends(BROAD)
        inside.append(compare("<=", sub(mul(ALMOST, left), low), sub(a.peak, b.peak)))
        inside.append(compare("<=", sub(a.peak, b.peak), sub(high, mul(ALMOST, right))))
    return logic("and", *inside)


def _apart(a: Scalar, b: Scalar) -> Scalar:
    """a - b, in differences of the parameters."""
    if a is b:
        return ZERO
    found = by_differences(sub(a, b), [], 1)
    return sub(a, b) if found is None else kept_apart(found[0])


def _sum(*arrays: Array) -> Scalar:
    """The sum over the nodes of a product."""
    j = fresh_index(arrays[0].shape[0])
    return total(mul(*(entry(a, j) for a in arrays)), [j])
