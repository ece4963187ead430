"""How an integrand falls off at an end of its range: its leading terms in powers and logarithms, and the condition under
which its integral converges there."""

from __future__ import annotations

from fractions import Fraction

from symgen.algebra.rational import simplify_scalar
from symgen.probability.forms.conditions import tidy_condition
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.terms import factors_of, with_value
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Var,
    add,
    compare,
    entry,
    fn,
    logic,
    mul,
    num,
    power,
    var,
    variables_of,
)  # fmt: skip

LOG = Fraction(-(10**9))  # the key of log y, below all powers that grow
LOG_SQUARED = LOG + 1
POWER = Fraction(10**6)  # of a power that grows and whose exponent is a name
EXP = Fraction(10**9)  # of an exponential that grows, above all of them
SINGULAR = (LOG, LOG_SQUARED, POWER, EXP)
LOGARITHMIC = (LOG, LOG_SQUARED)
BOUNDED = ("sin", "cos", "tanh", "sigmoid", "erf", "erfc", "atan")
ODD = ("sin", "tanh", "erf", "atan")
Growth = dict[Fraction, Scalar]

__all__ = ["convergence"]


class _Unclear(Exception):
    """A term whose growth is not read."""


def convergence(log_integrand: Scalar, x: Var, low: Scalar | None, sign: int, know: Knowledge) -> Scalar | None:
    """The condition under which the integral of exp(log_integrand) converges as x goes to infinity (`sign`), or to `low`
    from the side of `sign`; None where it cannot be read."""
    y = entry(var("y", (), "positive", "placeholder", uid=-97))
    at: Scalar = mul(num(sign), y) if low is None else add(low, mul(num(sign), power(y, MINUS_ONE)))
    body = with_value(log_integrand, x, lambda *_: at)
    assert isinstance(y, Entry)
    try:
        found = _Reader(y, know).growth(body)
    except _Unclear:
        return None
    more = num(1 if low is None else -1)  # dx is y dlog y, or dlog y / y
    found[LOG] = add(found.get(LOG, ZERO), more)
    keys = [k for k in sorted((k for k in found if k > 0), reverse=True) if simplify_scalar(found[k]) is not ZERO]
    if POWER in keys and any(k < POWER for k in keys):  # which grows faster hangs on the exponent
        return None
    condition = know.remaining(tidy_condition(compare("<", simplify_scalar(found[LOG]), ZERO)))
    for key in (LOG_SQUARED, *reversed(keys)):
        c = simplify_scalar(found.get(key, ZERO))
        if c is ZERO:
            continue
        falls = know.remaining(tidy_condition(compare("<", c, ZERO)))
        vanishes = know.remaining(tidy_condition(compare("==", c, ZERO))) if falls not in (ONE, ZERO) else ZERO
        if condition is ONE and vanishes is not ZERO:
            condition = know.remaining(tidy_condition(compare("<=", c, ZERO)))
        else:
            condition = logic("or", falls, logic("and", vanishes, condition))
    return condition


class _Reader:
    def __init__(self, y: Entry, know: Knowledge) -> None:
        self.y, self.know = y, know
        self.exponent: Scalar | None = None  # of the power whose key is POWER

    def depends(self, x: Scalar) -> bool:
        return self.y.array in variables_of(x)

    def growth(self, x: Scalar) -> Growth:
        """Coefficients of powers of y and of log y, constants left out (power 0)."""
        if not self.depends(x):
            return {Fraction(0): x}
        if x is self.y:
            return {Fraction(1): ONE}
        if isinstance(x, Add):
            out: Growth = {}
            for t in x.args:
                for k, c in self.growth(t).items():
                    out[k] = add(out.get(k, ZERO), c)
            return out
        if isinstance(x, Mul):
            out = {Fraction(0): ONE}
            for f in factors_of(x):
                out = self.product(out, self.growth(f))
            return out
        if isinstance(x, Pow):
            return self.power(x)
        if isinstance(x, Fn):
            return self.function(x)
        raise _Unclear

    def product(self, a: Growth, b: Growth) -> Growth:
        out: Growth = {}
        for k, c in a.items():
            for j, d in b.items():
                key = LOG_SQUARED if k == j == LOG else k + j
                if k and j and key is not LOG_SQUARED and any(a in SINGULAR for a in (k, j)):
                    raise _Unclear
                out[key] = add(out.get(key, ZERO), mul(c, d))
        return out

    def leading(self, g: Growth) -> tuple[Fraction, Scalar]:
        """The highest term whose coefficient is not 0."""
        slow = any(k in g for k in LOGARITHMIC)
        for k in sorted((k for k in g if k not in LOGARITHMIC), reverse=True):
            c = simplify_scalar(g[k])
            if c is not ZERO:
                return (k, c) if k or not slow else (Fraction(0), MINUS_ONE)  # log log y is as good as constant
        if slow:
            return Fraction(0), MINUS_ONE
        raise _Unclear

    def power(self, x: Pow) -> Growth:
        inner = self.growth(x.base)
        n = is_natural(x.exponent)
        if n is not None and n <= 4:
            out: Growth = {Fraction(0): ONE}
            for _ in range(n):
                out = self.product(out, inner)
            return out
        if not isinstance(x.exponent, Num) or x.exponent.rational is None:
            return self.named_power(inner, x.exponent)
        k, c = self.leading(inner)
        if k in SINGULAR:
            raise _Unclear
        if self.know.positive(c) is not True and x.exponent.rational.denominator != 1:
            raise _Unclear
        return {k * x.exponent.rational: power(c, x.exponent)}

    def named_power(self, inner: Growth, exponent: Scalar) -> Growth:
        """(c y^k)^s for a name s: it vanishes or grows by the sign of k s."""
        k, c = self.leading(inner)
        if k == 0 and not any(j in SINGULAR for j in inner) and self.know.positive(c) is True and not self.depends(exponent):
            slope = mul(exponent, power(c, add(exponent, MINUS_ONE)))  # to first order about what it tends to
            return {Fraction(0): power(c, exponent)} | {j: mul(slope, d) for j, d in inner.items() if j < 0}
        if k in SINGULAR or abs(k) != 1 or self.know.positive(c) is not True or self.depends(exponent):
            raise _Unclear
        power_of_y = simplify_scalar(mul(num(k), exponent))
        if self.know.negative(power_of_y) is True:
            return {}
        if self.know.positive(power_of_y) is not True or self.exponent not in (None, power_of_y):
            raise _Unclear
        self.exponent = power_of_y
        return {POWER: power(c, exponent)}

    def function(self, x: Fn) -> Growth:
        u = x.args[0]
        if x.name in ("log", "log1p"):
            inside = self.growth(u if x.name == "log" else add(ONE, u))
            k, c = self.leading(inside)
            if k == EXP:
                raise _Unclear
            if k == POWER and self.exponent is not None:
                return {LOG: self.exponent, Fraction(0): ONE}
            if k:
                return {LOG: num(k), Fraction(0): ONE}
            small = {j: d for j, d in inside.items() if j < 0 and j != LOG}
            return small if c is ONE and small else {Fraction(0): ONE}  # log(1 + u) is about u
        g = self.growth(u)
        if x.name in BOUNDED:
            k, c = self.leading(g)
            return g if k < 0 and x.name in ODD else {Fraction(0): ONE}
        k, c = self.leading(g)
        up = self.know.positive(c)
        if x.name == "abs":
            if k == 0:
                return {k: ONE}
            if k < 0:
                return {k: fn("abs", c)}
            if up is None:
                raise _Unclear
            return {j: d if up else mul(MINUS_ONE, d) for j, d in g.items()}
        if up is None and k > 0:
            raise _Unclear
        if x.name == "softplus" and k > 0:
            return g if up else {}
        if x.name == "exp":
            return {EXP: ONE} if k > 0 and up else {} if k > 0 else {Fraction(0): ONE}
        if k < 0:
            return {}
        raise _Unclear
