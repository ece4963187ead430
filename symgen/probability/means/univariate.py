"""E f(x) for one scalar draw x: f is read as a product of powers, logarithms and exponentials; a lemma applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from symgen.probability.families.lemma import Lemma
from symgen.probability.families.lemmas import ANTIDERIVATIVES, LEMMAS
from symgen.probability.families.texts import names_in, scalar_text
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.matching import PLACE, PLACES, derivative, match, put_in
from symgen.probability.forms.special import simplified
from symgen.probability.forms.terms import factors_of, normalised, with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.characteristic import mean_of_wave
from symgen.probability.laws.intervals import probability_of
from symgen.probability.laws.univariate_law import Law
from symgen.probability.means.normal_functions import normal_mean, opened_functions
from symgen.probability.means.piecewise import has_pieces, piecewise_integral
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    NAN,
    ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Fn,
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    Var,
    Where,
    add,
    compare,
    describe,
    divide,
    entry,
    fn,
    logic,
    mul,
    num,
    power,
    sub,
    var,
    variables_of,
    where,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

MAX_ORDER = 6
MAX_OUTCOMES = 12


@dataclass
class Found:
    """A mean: its value, the lemmas that gave it, the conditions that are not known to hold and what it is without."""

    value: Scalar
    lemmas: list[str] = field(default_factory=list)
    condition: Scalar = ONE
    otherwise: Scalar = NAN
    source: str = ""


def outcomes(law: Law) -> list[int] | Scalar | None:
    """The values of a law of finite support: a list of numbers, or the size k of 0..k-1."""
    region = law.row.region
    if region.kind != "integers" or region.high == "inf":
        return None
    scope = dict(law.parameters)
    if law.row.shapes:
        return None
    low, high = scalar_text(region.low, scope), scalar_text(region.high, scope)
    if isinstance(low, Num) and isinstance(high, Num) and low.rational is not None and high.rational is not None:
        count = high.rational - low.rational + 1
        if 0 < count <= MAX_OUTCOMES:
            return [int(low.rational) + k for k in range(int(count))]
    return None


class Univariate:
    """Means under one law."""

    def __init__(self, law: Law, x: Entry, know: Knowledge) -> None:
        self.law, self.x, self.know = law, x, know
        self.variable: Var = x.array

    def mean(self, f: Scalar) -> Found | None:
        """E f(x), or None where no lemma says it."""
        values = outcomes(self.law)
        if values is not None:
            assert isinstance(values, list)
            return self.finite(f, values)
        form = self.read(f)
        if form is None:
            return None
        found = self.by_lemma(form)
        if found is not None and form.constant is not ONE:
            found = Found(mul(form.constant, found.value), found.lemmas, found.condition, found.otherwise, found.source)
        return found

    def by_pieces(self, f: Scalar) -> Found | None:
        """E f(x) of a function in pieces, between the points where it turns."""
        p, region = self.law.parameters, self.law.row.region
        if self.law.row.name == "Normal":
            value = normal_mean(f, self.x, p["mu"], p["sigma"], self.know)
        elif self.law.row.name == "LogNormal":
            value = normal_mean(replace_scalars(f, {self.x: fn("exp", self.x)}), self.x, p["mu"], p["sigma"], self.know)
        elif region.kind == "interval":
            plain = opened_functions(f, self.x)
            low, high = (self.law.text(t) for t in (region.low, region.high))
            density = fn("exp", self.law.text(self.law.row.log_density, x=self.x))
            value = piecewise_integral(plain, self.x, low, high, self.know, density) if has_pieces(plain, self.x) else None
        else:
            value = None
        if value is None:
            return None
        return Found(simplified(value), [f"the integrals against the density of {self.law.row.called}, piece by piece"])

    def finite(self, f: Scalar, values: list[int]) -> Found:
        terms = []
        for v in values:
            at = with_value(f, self.variable, lambda *_, v=v: num(v))
            weight = fn("exp", self.law.text(self.law.row.log_density, x=num(v)))
            terms.append(mul(weight, at))
        return Found(add(*terms), ["the sum over its values"])

    # --- reading f

    def read(self, f: Scalar) -> Form | None:
        form = Form()
        for g in factors_of(f):
            if not self.depends(g):
                form.constant = mul(form.constant, g)
            elif g is self.x:
                form.j = add(form.j, ONE)
            elif isinstance(g, Pow) and g.base is self.x and not self.depends(g.exponent):
                form.j = add(form.j, g.exponent)
            elif self._is_log(g):
                form.m += 1
            elif isinstance(g, Pow) and self._is_log(g.base) and is_natural(g.exponent) is not None:
                form.m += is_natural(g.exponent) or 0
            elif self._is_log_of_rest(g):
                form.n += 1
            elif isinstance(g, Pow) and self._is_log_of_rest(g.base) and is_natural(g.exponent) is not None:
                form.n += is_natural(g.exponent) or 0
            elif isinstance(g, Pow) and self._is_rest(g.base) and not self.depends(g.exponent):
                form.w = add(form.w, g.exponent)
            elif isinstance(g, Fn) and g.name == "exp":
                slope = self._slope(g.args[0])
                if slope is None:
                    form.special.append(g)
                else:
                    form.t = add(form.t, slope[0])
                    form.constant = mul(form.constant, fn("exp", slope[1]))
            elif isinstance(g, Pow) and isinstance(g.base, Add):
                n = is_natural(g.exponent)
                slope = self._slope(g.base)
                if n is None or slope is None:
                    form.special.append(g)
                else:
                    form.linear.append((slope[0], slope[1], n))
            else:
                form.special.append(g)
        return form

    def depends(self, node: Node) -> bool:
        return self.variable in variables_of(node)

    def _is_log(self, g: Scalar) -> bool:
        return isinstance(g, Fn) and g.name == "log" and g.args[0] is self.x

    def _is_rest(self, g: Scalar) -> bool:
        return self.law.row.support == "unit" and g is sub(ONE, self.x)

    def _is_log_of_rest(self, g: Scalar) -> bool:
        return isinstance(g, Fn) and g.name == "log" and self._is_rest(g.args[0])

    def _slope(self, g: Scalar) -> tuple[Scalar, Scalar] | None:
        """c, d with g = c x + d."""
        if not self.depends(g):
            return ZERO, g
        if g is self.x:
            return ONE, ZERO
        if isinstance(g, Add):
            parts = [self._slope(t) for t in g.args]
            if any(p is None for p in parts):
                return None
            return add(*(p[0] for p in parts)), add(*(p[1] for p in parts))  # type: ignore[index]
        if isinstance(g, Mul):
            random = [f for f in g.args if self.depends(f)]
            inner = self._slope(random[0]) if len(random) == 1 else None
            if inner is None:
                return None
            rest = mul(*(f for f in g.args if f is not random[0]))
            return mul(rest, inner[0]), mul(rest, inner[1])
        return None

    # --- applying lemmas

    def by_lemma(self, form: Form) -> Found | None:
        if form.special:
            if len(form.special) == 1 and form.is_plain:
                return self.by_pattern(form.special[0])
            return None
        if form.linear:
            return self.centred(form)
        plain_power = form.m == 0 and form.n == 0 and form.w is ZERO and form.t is ZERO
        n = is_natural(form.j)
        if plain_power and n is not None:
            found = self.power_moment(n)
            if found is not None:
                return found
        if form.w is ZERO and form.n == 0 and form.t is ZERO:
            found = self.generated(("x^j",), {"j": form.j}, {"j": form.m})
            if found is not None:
                return found
        if form.t is ZERO:
            found = self.generated(("x^j*(1 - x)^w",), {"j": form.j, "w": form.w}, {"j": form.m, "w": form.n})
            if found is not None:
                return found
        if form.w is ZERO and form.n == 0:
            found = self.generated(("x^j*exp(t*x)",), {"j": form.j, "t": form.t}, {"j": form.m})
            if found is not None:
                return found
            if n is not None and form.m == 0 and n <= MAX_ORDER:
                found = self.generated(("exp(t*x)",), {"t": form.t}, {"t": n})
                if found is not None:
                    return found
        product = form.product(self.x)
        return self.by_pattern(product)

    def power_moment(self, n: int) -> Found | None:
        known, conditions = self.law.row.known, self.law.row.conditions
        if n == 0:
            return Found(ONE)
        if n == 1 and "mean" in known:
            return self._known("mean", "mean")
        if n == 2 and any(lemma.of == "x^2" for lemma in _table(self.law.row.name)):
            return self.by_pattern(power(self.x, TWO))
        if n == 2 and "mean" in known and "variance" in known and self.law.row.name not in _MELLIN:
            first, second = self._known("mean", "mean"), self._known("variance", "variance")
            return _sum_of(power(first.value, TWO), [first, second], second.value)
        del conditions
        return None

    def _known(self, key: str, what: str) -> Found:
        value = self.law.text(self.law.row.known[key])
        condition = self.law.row.conditions.get(key)
        found = Found(value, [f"the {what} of {self.law.row.called}"], source=self.law.row.source)
        if condition is not None:
            positive = self.law.row.region.low not in ("-inf", "lo", "a")
            found.condition = self.know.remaining(self.law.text(condition))
            found.otherwise = INF if positive or key == "variance" else NAN
        return found

    def moments(self) -> tuple[Found, Found] | None:
        """Mean and variance."""
        known = self.law.row.known
        if "mean" in known and "variance" in known:
            return self._known("mean", "mean"), self._known("variance", "variance")
        first = self.generated(("x^j",), {"j": ONE}, {})
        second = self.generated(("x^j",), {"j": TWO}, {})
        if first is None or second is None:
            return None
        variance = Found(sub(second.value, power(first.value, TWO)), second.lemmas, second.condition, INF)
        return first, variance

    def cumulant(self, order: int) -> Found | None:
        """The cumulant of that order: mean, variance, third central moment, .."""
        if order == 1:
            return self.mean(self.x)
        if order == 2:
            both = self.moments()
            return both[1] if both is not None else None
        if self.law.row.name == "Normal":
            return Found(ZERO, ["higher cumulants of a Normal are 0"])
        raw = [self.mean(power(self.x, num(k))) for k in range(1, order + 1)]
        if any(r is None for r in raw):
            return None
        values = [r.value for r in raw]  # type: ignore[union-attr]
        if order == 3:
            value = add(values[2], mul(num(-3), values[1], values[0]), mul(TWO, power(values[0], num(3))))
        elif order == 4:
            value = add(
                values[3], mul(num(-4), values[2], values[0]), mul(num(-3), power(values[1], TWO)),
                mul(num(12), values[1], power(values[0], TWO)), mul(num(-6), power(values[0], num(4))),
            )  # fmt: skip
        else:
            return None
        condition = logic("and", *(r.condition for r in raw))  # type: ignore[union-attr]
        return Found(value, [lemma for r in raw for lemma in r.lemmas], condition, NAN)  # type: ignore[union-attr]

    def centred(self, form: Form) -> Found | None:
        """E (c x + d)^n: by mean and variance for n = 2, else by powers of x."""
        if len(form.linear) == 1 and form.j is ZERO and form.m == form.n == 0 and form.w is form.t is ZERO:
            c, d, n = form.linear[0]
            if n == 2:
                infinite = self.by_pattern(power(self.x, TWO))
                if infinite is not None and infinite.value is INF:
                    return infinite
                both = self.moments()
                if both is not None:
                    mean, variance = both
                    value = mul(power(c, TWO), variance.value)
                    return _sum_of(power(add(mul(c, mean.value), d), TWO), [mean, variance], value)
                return None
        parts: list[Found] = []
        value = ZERO
        polynomial: dict[int, Scalar] = {0: ONE}
        for c, d, n in form.linear:
            for _ in range(n):
                new: dict[int, Scalar] = {}
                for k, a in polynomial.items():
                    new[k + 1] = add(new.get(k + 1, ZERO), mul(a, c))
                    new[k] = add(new.get(k, ZERO), mul(a, d))
                polynomial = new
        for k, a in polynomial.items():
            if a is ZERO:
                continue
            one = Form(j=add(form.j, num(k)), m=form.m, n=form.n, w=form.w, t=form.t)
            found = self.by_lemma(one)
            if found is None:
                return None
            parts.append(found)
            value = add(value, mul(a, found.value))
        return _sum_of(ZERO, parts, value)

    def generated(self, patterns: tuple[str, ...], at: dict[str, Scalar], orders: dict[str, int]) -> Found | None:
        """The lemma of that form, differentiated: E x^j log(x)^m = d^m/dj^m E x^j."""
        for lemma in _table(self.law.row.name):
            if lemma.of not in patterns or (any(orders.values()) and lemma.value.startswith("where(t == ")):
                continue  # what is said at a point alone has no slope there
            if lemma.value == "inf":
                if not any(orders.values()) and self.infinite(lemma, at):
                    return Found(INF, [f"the mean of {lemma.of}"], ZERO, INF, lemma.source)
                continue
            value, lemmas = self._value(lemma, at, orders), [spoken_of(lemma.of, at, orders)]
            condition = self.know.remaining(self.law.text(lemma.when, **self._all(at))) if lemma.when else ONE
            otherwise = INF if lemma.otherwise == "inf" and not any(orders.values()) else NAN
            if value is None or (condition is not ONE and lemma.otherwise == "undefined"):
                continue
            return Found(value, lemmas, condition, otherwise, lemma.source)
        return None

    def infinite(self, lemma: Lemma, at: Mapping[str, Scalar]) -> bool:
        """Whether a lemma that says `inf` holds for certain."""
        return not lemma.when or self.know.holds(self.law.text(lemma.when, **self._all(at))) is True

    @staticmethod
    def _all(at: Mapping[str, Scalar]) -> dict[str, Scalar]:
        return {k: at.get(k, ZERO) for k in PLACES if k in at}

    def _value(self, lemma: Lemma, at: dict[str, Scalar], orders: dict[str, int]) -> Scalar | None:
        if sum(orders.values()) > MAX_ORDER:
            return None
        fixed = tuple((k, v) for k, v in at.items() if isinstance(v, Num))
        names = tuple(self.law.row.parameters)
        try:
            body = _generated(lemma.value, names, tuple(at), fixed, tuple((k, n) for k, n in orders.items() if n))
        except CannotDerive:
            return None  # a Bessel function has no derivative by its order
        scope = {**self.law.parameters, **{k: v for k, v in at.items() if not isinstance(v, Num)}}
        return simplified(put_in(body, {_place(k): v for k, v in scope.items()}))

    def by_pattern(self, g: Scalar) -> Found | None:
        found = self.by_probability(g) if isinstance(g, Where) else None
        if found is not None:
            return found
        for lemma in _table(self.law.row.name):
            if lemma.of in GENERATORS:
                continue
            bound = match(self.pattern(lemma.of), g, self.x)
            if bound is None:
                continue
            if lemma.value == "inf":
                if self.infinite(lemma, bound):
                    return Found(INF, [f"the mean of {lemma.of}"], ZERO, INF, lemma.source)
                continue
            condition = ONE
            if lemma.when:
                condition = self.know.remaining(self.law.text(lemma.when, **bound))
                if condition is not ONE and lemma.otherwise == "undefined":
                    continue
            value = self.law.text(lemma.value, **bound)
            otherwise = INF if lemma.otherwise == "inf" else NAN
            return Found(simplified(self.without_signs(value)), [f"the mean of {lemma.of}"], condition, otherwise, lemma.source)
        return self.by_antiderivative(g) if self.is_flat else self.of_wave(g)

    def of_wave(self, g: Scalar) -> Found | None:
        """E cos(c x + d), E sin(c x + d)."""
        slope = self._slope(g.args[0]) if isinstance(g, Fn) and len(g.args) == 1 else None
        made = mean_of_wave(self.law, g.name, *slope) if slope is not None and isinstance(g, Fn) else None
        if made is None or not isinstance(g, Fn):
            return None
        part = "real" if g.name == "cos" else "imaginary"
        return Found(
            simplified(made[0]), [f"the {part} part of the characteristic function of {self.law.row.called}"], source=made[1]
        )

    def by_probability(self, g: Where) -> Found | None:
        """E[a where x lies in an interval, else b] = b + (a - b) P(x lies there)."""
        condition, a, b = g.args
        if self.depends(a) or self.depends(b):
            return None
        p = probability_of(self.law, condition, self.x, self.know)
        if p is None:
            return None
        return Found(add(b, mul(sub(a, b), p)), [f"the distribution function of a {self.law.row.name}"])

    def has_power(self, g: Scalar) -> bool:
        """Whether a lemma is about a power of a sum that this is."""
        return any(
            lemma.of.startswith("(") and match(self.pattern(lemma.of), g, self.x) is not None for lemma in _table(self.law.row.name)
        )

    def pattern(self, text: str) -> Scalar:
        """A pattern over x and the places, in the form in which products and logarithms are expanded."""
        raw = self.law.text(text, x=self.x, **{k: PLACE[k] for k in PLACES})
        return normalised(raw, self.depends, self.know)

    @property
    def is_flat(self) -> bool:
        """Whether the density is constant on an interval."""
        return self.law.row.region.kind == "interval" and "x" not in names_in(self.law.row.log_density)

    def without_signs(self, value: Scalar) -> Scalar:
        """|x| = x where x is known to be positive."""

        def rule(n: Scalar) -> Scalar:
            if isinstance(n, Fn) and n.name == "abs" and self.know.positive(n.args[0]):
                return n.args[0]  # type: ignore[no-any-return]
            return n

        return bottom_up(value, rule)

    def without_guards(self, value: Scalar) -> Scalar:
        """xlogy(a, x) = a log x where x is known to be positive."""

        def rule(n: Scalar) -> Scalar:
            if isinstance(n, Fn) and n.name == "xlogy" and self.know.positive(n.args[1]):
                return mul(n.args[0], fn("log", n.args[1]))
            return n

        return bottom_up(value, rule)

    def by_antiderivative(self, g: Scalar) -> Found | None:
        low = scalar_text(self.law.row.region.low, dict(self.law.parameters))
        high = scalar_text(self.law.row.region.high, dict(self.law.parameters))
        for rule in ANTIDERIVATIVES:
            pattern = scalar_text(rule.of, {"x": self.x, **{k: PLACE[k] for k in PLACES}})
            bound = match(pattern, g, self.x)
            if bound is None and rule.of == "x^j":
                bound = self._as_power(g)
            if bound is None:
                continue
            if rule.when and self.know.remaining(scalar_text(rule.when, bound)) is not ONE:
                continue
            if rule.when and rule.domain == "unit" and high is ONE:
                continue  # two parts are infinite there
            n = is_natural(bound["j"]) if "j" in bound else None
            if rule.of == "x^j" and bound["j"] is MINUS_ONE:
                continue
            condition: Scalar = ONE
            if rule.of == "x^j" and n is None:  # x^j has an integral from 0 on for j > -1
                from_zero = self.know.remaining(logic("and", compare("<=", ZERO, low), compare("<", MINUS_ONE, bound["j"])))
                condition = from_zero if low is ZERO else logic("or", compare("<", ZERO, low), from_zero)
            elif rule.domain == "positive" and n is None:
                condition = compare("<", ZERO, low)
            elif rule.domain == "nonnegative" or rule.domain == "unit":
                condition = compare("<=", ZERO, low)
            if rule.domain == "unit":
                condition = logic("and", condition, compare("<=", high, ONE))
            condition = self.know.remaining(condition)
            if condition is ZERO and rule.of != "x^j":
                continue  # it may have a mean yet
            value = self._between(rule.value, low, high, bound)
            if rule.of == "x^j" and low is ZERO:
                value = divide(power(high, bound["j"]), add(bound["j"], ONE))
            elif rule.hole:
                name, place, filled = rule.hole
                gap = sub(bound[name], scalar_text(place, {}))
                if self.know.positive(gap) is not True and self.know.negative(gap) is not True:
                    value = where(compare("==", gap, ZERO), self._between(filled, low, high, bound), value)
            otherwise = INF if rule.of == "x^j" and self.know.nonnegative(low) else NAN
            return Found(simplified(self.without_guards(value)), ["the integral over the interval"], condition, otherwise)
        return None

    @staticmethod
    def _between(text: str, low: Scalar, high: Scalar, bound: Mapping[str, Scalar]) -> Scalar:
        ends = [scalar_text(text, {"x": e, **bound}) for e in (high, low)]
        return divide(sub(ends[0], ends[1]), sub(high, low))

    def _as_power(self, g: Scalar) -> dict[str, Scalar] | None:
        if g is self.x:
            return {"j": ONE}
        if isinstance(g, Pow) and g.base is self.x and not self.depends(g.exponent):
            return {"j": g.exponent}
        return None


@dataclass
class Form:
    """constant * x^j log(x)^m (1 - x)^w log(1 - x)^n exp(t x) * powers of linear forms * what is special."""

    j: Scalar = ZERO
    m: int = 0
    w: Scalar = ZERO
    n: int = 0
    t: Scalar = ZERO
    constant: Scalar = ONE
    linear: list[tuple[Scalar, Scalar, int]] = field(default_factory=list)
    special: list[Scalar] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        return self.j is self.w is self.t is ZERO and self.m == self.n == 0 and not self.linear

    def product(self, x: Scalar) -> Scalar:
        return mul(
            power(x, self.j), power(fn("log", x), num(self.m)), power(sub(ONE, x), self.w),
            power(fn("log", sub(ONE, x)), num(self.n)), fn("exp", mul(self.t, x)),
        )  # fmt: skip


GENERATORS = ("x^j", "x^j*(1 - x)^w", "x^j*exp(t*x)")
_BY_FAMILY: dict[str, list[Lemma]] = {}
for _lemma in LEMMAS:
    _BY_FAMILY.setdefault(_lemma.family, []).append(_lemma)
_MELLIN = {lemma.family for lemma in LEMMAS if lemma.of == "x^j"}


def _table(family: str) -> list[Lemma]:
    return _BY_FAMILY.get(family, [])


def spoken_of(of: str, at: Mapping[str, Scalar], orders: Mapping[str, int]) -> str:
    """Which lemma: the mean of x^j, j = 1/2; where it is differentiated, at which order."""
    places = ", ".join(f"{k} = {describe(v)}" for k, v in at.items() if isinstance(v, Num) and k in of)
    turned = [f"the {ORDERS.get(n, f'{n}th ')}derivative by {k}" for k, n in orders.items() if n]
    if turned:
        return f"{' and '.join(turned)} of the mean of {of}{f', at {places}' if places else ''}"
    return f"the mean of {of}{f', {places}' if places else ''}"


ORDERS = {1: "", 2: "second ", 3: "third "}


def _sum_of(base: Scalar, parts: list[Found], more: Scalar) -> Found:
    return Found(
        add(base, more), [lemma for p in parts for lemma in p.lemmas], logic("and", *(p.condition for p in parts)),
        next((p.otherwise for p in parts if p.condition is not ONE), NAN),
        next((p.source for p in parts if p.source), ""),
    )  # fmt: skip


def _place(name: str) -> Scalar:
    return entry(var(name, (), "real", "placeholder", uid=-8))


@lru_cache(maxsize=4096)
def _generated(
    text: str,
    names: tuple[str, ...],
    free: tuple[str, ...],
    fixed: tuple[tuple[str, Num], ...],
    orders: tuple[tuple[str, int], ...],
) -> Scalar:
    """A lemma's value over places for parameters and arguments, differentiated, then at those that are numbers."""
    body = scalar_text(text, {n: _place(n) for n in (*names, *free)})
    for name, order in orders:
        for _ in range(order):
            body = derivative(body, _place(name))
    return simplified(put_in(body, {_place(k): v for k, v in fixed}))


def conditional(found: Found) -> Scalar:
    """The value, with its condition where that is not known to hold."""
    return where(found.condition, found.value, found.otherwise)


def together(parts: Sequence[Found], value: Scalar) -> Found:
    """A value that several means gave."""
    lemmas = list(dict.fromkeys(lemma for p in parts for lemma in p.lemmas))
    return Found(
        value, lemmas, logic("and", *(p.condition for p in parts)),
        next((p.otherwise for p in parts if p.condition is not ONE), NAN),
        next((p.source for p in parts if p.source), ""),
    )  # fmt: skip
