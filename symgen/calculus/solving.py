"""Signs and roots of small closed scalar expressions.

SymPy proposes roots; each is put back into its equation, exactly where the residual reduces to 0 by rational
arithmetic, else at random points to many digits. A sign is decided by positive generators alone: where every term of
numerator and denominator has one sign.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symgen.tensor.facts import is_negative, is_positive
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within

__all__ = [
    "sign_of", "sign_on", "generic_sign", "sign_off_zero", "never_positive", "assuming", "Interval", "RANGES", "roots_of",
    "vanishes", "conditions_of_value", "holds_at", "positive_roots", "with_real_roots", "sample_symbols", "numeric", "Root",
]  # fmt: skip

S = sympy
SECONDS = 3.0  # for one question to SymPy


@dataclass(frozen=True)
class Interval:
    """low .. high, either end closed or not; the ends are SymPy numbers or expressions."""

    low: Any
    high: Any
    closed_low: bool = False
    closed_high: bool = False

    def __str__(self) -> str:
        return f"{'[' if self.closed_low else '('}{self.low}, {self.high}{']' if self.closed_high else ')'}"


RANGES: dict[str, Interval] = {
    "real": Interval(-S.oo, S.oo),
    "positive": Interval(S.Integer(0), S.oo),
    "nonnegative": Interval(S.Integer(0), S.oo, closed_low=True),
    "unit": Interval(S.Integer(0), S.Integer(1)),
}


# --- signs ------------------------------------------------------------------------------------------------------------


def sign_of(expression: Any) -> int | None:
    """1, -1 or 0 where the sign of the expression is sure for all values of its symbols, else None."""
    e = expression
    if e.is_zero:
        return 0
    if e.is_positive:
        return 1
    if e.is_negative:
        return -1
    answer = within(SECONDS, _sign, e)
    if isinstance(answer, int):
        return answer
    units = [s for table in _tables for s in table.units if s in e.free_symbols]
    if units:  # s in (0, 1) is r/(1 + r) with r > 0
        written = {s: r / (1 + r) for s in units for r in [S.Dummy("r", positive=True)]}
        answer = within(SECONDS, _sign, e.subs(written))
        if isinstance(answer, int):
            return answer
    known = _known_sign(e)
    if known is None:
        answer = within(SECONDS, _surd_sign, e)
        known = answer if isinstance(answer, int) else None
    return known


def _surd_sign(e: Any) -> int | None:
    """Of a + b sqrt(c): that of b where b^2 c > a^2."""
    roots = [r for r in e.atoms(S.Pow) if r.exp == S.Rational(1, 2)]
    if len(roots) != 1:
        return None
    (root,) = roots
    r = S.Dummy("r")
    poly = S.expand(e).xreplace({root: r})
    if not poly.is_polynomial(r) or S.degree(poly, r) != 1:
        return None
    b, a = poly.coeff(r, 1), poly.coeff(r, 0)
    larger = sign_of(S.expand(b**2 * root.base - a**2))
    return sign_of(b) if larger == 1 else sign_of(a) if larger == -1 else None


_tables: list[Table] = []


@contextmanager
def assuming(table: Table) -> Iterator[None]:
    """Signs of expressions in the symbols of `table` are also asked of its facts, here inside."""
    _tables.append(table)
    try:
        yield
    finally:
        _tables.pop()


def _known_sign(e: Any) -> int | None:
    for table in _tables:
        if table.facts and e.free_symbols <= set(table.atoms):
            try:
                node = from_sympy(S.factor(e), table)
            except NotInSymPy:
                continue
            if is_positive(node, table.facts):
                return 1
            if is_negative(node, table.facts):
                return -1
            flat = from_sympy(S.expand(e), table)
            if is_positive(flat, table.facts):
                return 1
            if is_negative(flat, table.facts):
                return -1
    return None


def _sign(e: Any) -> int | None:
    e = S.powsimp(S.together(e.rewrite(S.exp) if e.has(S.tanh, S.cosh, S.sinh) else e))
    top, bottom = S.fraction(S.together(e))
    a, b = _factors_sign(top), _factors_sign(bottom)
    if a == 0:
        return 0
    return a * b if a is not None and b is not None else None


def _factors_sign(e: Any) -> int | None:
    e = S.factor(e) if e.is_Add else e
    sign = 1
    for f in S.Mul.make_args(e):
        s = _terms_sign(f)
        if s is None:
            return None
        sign *= s
    return sign


def _terms_sign(e: Any) -> int | None:
    if e.is_zero:
        return 0
    if e.is_positive:
        return 1
    if e.is_negative:
        return -1
    if e.is_Pow and e.exp.is_integer:
        inner = _factors_sign(e.base)
        if inner is None:
            return None
        return inner if e.exp.is_odd else inner * inner if e.exp.is_even else None
    signs = set()
    strict = False
    for t in S.Add.make_args(S.expand(e)):
        if t.is_positive or t.is_nonnegative:
            signs.add(1)
            strict = strict or bool(t.is_positive)
        elif t.is_negative or t.is_nonpositive:
            signs.add(-1)
            strict = strict or bool(t.is_negative)
        else:
            return None
    return signs.pop() if len(signs) == 1 and strict else None


def generic_sign(expression: Any) -> int | None:
    """The sign, where it is sure but for a vanishing of factors of even power (of constants, as a rule)."""
    s = sign_of(expression)
    if s is not None:
        return s
    if never_positive(expression) or never_positive(-expression):
        return -1 if never_positive(expression) else 1
    return sign_off_zero(expression)


def sign_off_zero(e: Any) -> int | None:
    """The sign of an expression in one symbol of no sure sign, if it is the same above 0 and below."""
    loose = [s for s in e.free_symbols if s.is_real and sign_of(s) is None]
    if len(loose) != 1:
        return None
    r = S.Dummy("r", positive=True)
    signs = {sign_of(e.subs(loose[0], x)) for x in (r, -r)}
    return signs.pop() if len(signs) == 1 else None


def sign_on(expression: Any, t: Any, interval: Interval) -> int | None:
    """The sign of the expression for all t inside the interval, if it is one: t is written as a positive number."""
    if t not in expression.free_symbols:
        return sign_of(expression)
    r = S.Dummy("r", positive=True)
    if interval.low is -S.oo and interval.high is S.oo:
        pieces = [r, -r, S.Integer(0)]
    elif interval.high is S.oo:
        pieces = [interval.low + r] + ([interval.low] if interval.closed_low else [])
    elif interval.low is -S.oo:
        pieces = [interval.high - r] + ([interval.high] if interval.closed_high else [])
    else:
        pieces = [interval.low + (interval.high - interval.low) * r / (1 + r)]
        pieces += [interval.low] * interval.closed_low + [interval.high] * interval.closed_high
    signs = {sign_of(expression.subs(t, p)) for p in pieces}
    return signs.pop() if len(signs) == 1 else None


def never_positive(e: Any) -> bool:
    """Whether e <= 0 for certain: a product of factors of sure signs and of even powers."""
    if e.is_nonpositive or sign_of(e) in (0, -1):
        return True
    sign = 1
    for part in S.fraction(S.factor(S.cancel(S.together(e)))):
        for f in S.Mul.make_args(part):
            if f.is_Pow and f.exp.is_even and f.base.is_real:
                continue
            s = 1 if f.is_nonnegative else sign_of(f)
            if s is None:
                return False
            sign *= s
    return sign <= 0


# --- numbers ----------------------------------------------------------------------------------------------------------


def sample_symbols(symbols: Sequence[Any], rng: random.Random) -> dict[Any, Any]:
    """A random rational point in what the assumptions of the symbols, and of the tables in force, allow."""
    wanted = [c for table in _tables for c in _conditions_of(table) if c.free_symbols & set(symbols)]
    everything = sorted({*symbols, *(s for c in wanted for s in c.free_symbols)}, key=str)
    units = {u for table in _tables for u in table.units}
    out: dict[Any, Any] = {}
    for _ in range(60):
        out = {s: S.Rational(rng.randint(5, 95), 100) if s in units else _sample(s, rng) for s in everything}
        if all(c.xreplace(out) == True for c in wanted):  # noqa: E712
            break
    return out


def _conditions_of(table: Table) -> list[Any]:
    """The assumptions of the facts of a table that are about its symbols."""
    if not table.facts:
        return []
    out = []
    for a in table.facts.assumptions:
        try:
            out.append(to_sympy(a, table))
        except NotInSymPy:
            continue
    return [c for c in out if isinstance(c, S.Rel)]


def _sample(s: Any, rng: random.Random) -> Any:
    if s.is_integer:
        return S.Integer(rng.randint(1, 5))
    x = S.Rational(rng.randint(5, 300), 100)
    if s.is_negative:
        return -x
    return -x if not (s.is_positive or s.is_nonnegative) and rng.random() < 0.5 else x


def numeric(expression: Any, point: Mapping[Any, Any], digits: int = 30) -> complex | None:
    """The value at a point, or None where there is none."""

    def value() -> complex:
        return complex(expression.xreplace(dict(point)).evalf(digits))

    v = within(SECONDS, value)
    return v if v is not None and v == v else None


def vanishes(expression: Any, points: int = 5) -> str | None:
    """proved, checked, or None where the expression is not 0 (at random points)."""
    if expression == 0:
        return "proved"
    reduced = within(SECONDS, _reduce, expression)
    if reduced == 0:
        return "proved"
    rng = random.Random(7)
    symbols = list(expression.free_symbols)
    looked = 0
    for _ in range(4 * points):
        point = sample_symbols(symbols, rng)
        value = numeric(expression, point, 40)
        scale = max((abs(v) for t in S.Add.make_args(expression) if (v := numeric(t, point)) is not None), default=1.0)
        if value is None:
            continue
        if abs(value) > 1e-20 * max(scale, 1e-12):
            return None
        looked += 1
        if looked == points:
            return "checked"
    return None


def _reduce(e: Any) -> Any:
    """Rational arithmetic over logs and exponentials that were first taken apart."""
    e = S.expand_log(S.powsimp(e)) if e.has(S.log, S.exp) else e
    e = S.cancel(S.together(e))
    if e == 0:
        return e
    e = S.expand_log(S.powdenest(S.expand(e), force=False))
    e = S.cancel(S.together(e))
    return e if e == 0 or S.count_ops(e) > 80 else S.simplify(e)


def conditions_of_value(e: Any) -> list[tuple[str, Any]]:
    """What a real expression needs to have a value: (op, value) for `value op 0`, where that is not sure."""
    out: list[tuple[str, Any]] = []
    for a in S.preorder_traversal(e):
        if isinstance(a, S.log) and sign_of(a.args[0]) != 1:
            out.append(("<", -a.args[0]))
        elif a.is_Pow and not a.exp.is_integer and not isinstance(a, S.exp):
            base, strict = a.base, not a.exp.is_positive
            if sign_of(base) != 1 and (strict or not never_positive(-base)):
                out.append(("<" if strict else "<=", -base))
        elif a.is_Pow and a.exp.is_negative and generic_sign(a.base) is None and not a.base.is_number:
            out.append(("!=", a.base))
    return list(dict.fromkeys(out))


def holds_at(op: str, value: Any, point: Mapping[Any, Any]) -> bool:
    """Whether `value op 0` holds at a point, for certain."""
    v = numeric(value, point)
    if v is None or abs(v.imag) > 1e-12 * max(1.0, abs(v)):
        return False
    return {"<": v.real < 0, "<=": v.real <= 0, "!=": v.real != 0}[op]


def with_real_roots(e: Any) -> Any:
    """t^(1/3) for a t of either sign as sign(t) |t|^(1/3): the real root, not the principal one."""

    def real(a: Any) -> Any:
        base, (p, q) = a.base, (a.exp.p, a.exp.q)
        if not q % 2 or base.is_nonnegative or not base.is_real or sign_of(base) is not None:
            return a
        size = S.Pow(S.Abs(base), a.exp)
        return S.sign(base) * size if p % 2 else size

    return e.replace(lambda a: a.is_Pow and a.exp.is_Rational and not a.exp.is_Integer, real)


# --- roots ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Root:
    """A root; `shown` is proved or checked, `complete` says that SymPy's list of roots is known to be all of them."""

    value: Any
    shown: str
    complete: bool


def roots_of(expression: Any, t: Any, seconds: float = SECONDS) -> list[Root]:
    """The roots in t of expression = 0 that stand the test of being put back."""
    free = S.Dummy("t")  # without assumptions: SymPy drops roots that it cannot place
    e = expression.xreplace({t: free})
    candidates: list[Any] = []
    complete = False
    pair = _two_odd_powers(e, free)
    if pair is not None and (shown := vanishes(expression.subs(t, pair))) is not None:
        return [Root(pair, shown, True)]
    top = within(seconds, lambda: S.fraction(S.together(S.powsimp(e)))[0])
    top = e if top is None else top
    polynomial = within(seconds, lambda: S.Poly(top, free))
    if polynomial is not None and not any(free in c.free_symbols for c in polynomial.all_coeffs()):
        top = polynomial.as_expr()
        if polynomial.degree() <= 2:
            candidates, complete = list(S.roots(polynomial, multiple=False) or ()), True
        else:
            found = within(seconds, S.roots, polynomial)
            candidates = list(found) if found else []
            complete = bool(found) and sum(found.values()) == polynomial.degree()
    if not candidates:
        candidates, complete = _by_logarithms(e, free, seconds)
    if not candidates:
        candidates, complete = _by_generator(top, free, seconds)
    if not candidates and e.has(S.tanh):
        candidates = _of_polynomial_factors(e, free, seconds)
    if not candidates and _beyond_formulas(top, free):
        candidates = [S.Integer(0)]
    if not candidates:
        found = within(seconds, S.solve, top, free)
        candidates = [c for c in found or () if isinstance(c, S.Expr)]
        if not candidates:
            found = within(seconds, S.solve, e, free)
            candidates = [c for c in found or () if isinstance(c, S.Expr)]
    out = []
    for c in candidates:
        if c.has(S.LambertW):  # no function of the language
            continue
        short = within(seconds, _tidy, c)
        c = c if short is None else short
        if c.has(free) or c.has(S.zoo, S.nan):
            continue
        own = with_real_roots(c)
        if own != c and vanishes(expression.subs(t, own)) is not None:
            c = own
        shown = vanishes(expression.subs(t, c)) if _defined(expression, t, c) else None
        if shown is not None:
            out.append(Root(c, shown, complete))
    return out


def _beyond_formulas(e: Any, t: Any) -> bool:
    """Whether every factor that holds t holds sin or cos of it, or two exponentials, beside t itself, a sin t + b t: no formula
    solves that."""
    factors = [
        f for f in S.Mul.make_args(S.factor_terms(e)) if t in f.free_symbols and f is not t and not (f.is_Pow and f.base is t)
    ]
    for f in factors:
        waves = [w for w in f.atoms(S.sin, S.cos) if t in w.free_symbols]
        powers = [w for w in f.atoms(S.exp) if t in w.free_symbols]
        found = {w: S.Dummy() for w in (*waves, *powers)}
        if not (waves or len(powers) > 1) or t not in f.xreplace(found).free_symbols:
            return False
    return bool(factors)


def _of_polynomial_factors(e: Any, t: Any, seconds: float) -> list[Any]:
    """The roots of those factors that are quadratic or linear, tanh and its kin written by exp: (c - t^2)(exp(t) - 1 - t)."""
    top = within(seconds, lambda: S.fraction(S.factor(S.together(e.rewrite(S.exp))))[0])
    factors = S.Mul.make_args(top) if top is not None else ()
    found: list[Any] = []
    for f in factors:
        base = f.base if f.is_Pow else f
        if t in base.free_symbols and base.is_polynomial(t) and S.degree(base, t) <= 2:
            found += S.roots(base, t)
    return found


def positive_roots(roots: Sequence[Root], slope: Any, t: Any, interval: Interval) -> list[Root]:
    """The roots; above 0, |v| for a v of no known sign where -v is a root too, as the slope is even or odd."""
    open_ = [r for r in roots if sign_of(r.value) is None and _is_real_off_zero(r.value)]
    if interval.low != 0 or not open_:
        return list(roots)
    x = S.Dummy("t", real=True)
    there, back = slope.xreplace({t: x}), slope.xreplace({t: -x})
    mirrored = within(SECONDS, lambda: S.simplify(there - back) == 0 or S.simplify(there + back) == 0)
    out = [replace(r, value=S.Abs(r.value)) if mirrored and r in open_ else r for r in roots]
    return list({r.value: r for r in out}.values())


def _is_real_off_zero(e: Any) -> bool:
    """Whether a value is real where its symbols are not 0."""
    loose = {s: S.Dummy(real=True, nonzero=True) for s in e.free_symbols if s.is_real and s.is_nonzero is None}
    return bool(e.xreplace(loose).is_real)


def _two_odd_powers(e: Any, t: Any) -> Any:
    """The only real root of a f^n + b g^n = 0 for odd n > 1, f and g linear in t and a, b of sure signs: there
    a^(1/n) f + b^(1/n) g = 0. None where the equation is of another form."""
    terms = S.Add.make_args(e)
    if len(terms) != 2:
        return None
    sides = []
    power = None
    common = S.gcd(terms[0].as_coeff_Mul()[0], terms[1].as_coeff_Mul()[0])
    for term in terms:
        factors = [f for f in S.Mul.make_args(term) if f.has(t)]
        if len(factors) != 1 or not factors[0].is_Pow:
            return None
        base, n = factors[0].args
        weight = term / factors[0] / common
        sign = sign_of(weight)
        linear = base.is_polynomial(t) and S.degree(base, t) == 1
        if not linear or not n.is_Integer or n < 3 or n % 2 == 0 or sign not in (1, -1) or power not in (None, n):
            return None
        power = n
        sides.append((sign * (sign * weight) ** (1 / n), base))
    (a, f), (b, g) = sides
    slope = S.diff(f, t) * a + S.diff(g, t) * b
    sign = sign_of(slope)
    return None if sign not in (1, -1) else S.expand(-sign * (a * f.subs(t, 0) + b * g.subs(t, 0))) / S.expand(sign * slope)


def _defined(e: Any, t: Any, c: Any) -> bool:
    value = e.subs(t, c)
    return not value.has(S.zoo, S.nan, S.oo)


def _tidy(c: Any) -> Any:
    squares = {a.base for a in c.atoms(S.Pow) if a.exp.is_Rational and a.exp.q == 2 and a.base.is_Symbol and a.base.is_positive}
    if squares and not c.has(S.log, S.exp):  # rational in the roots: s/(1 + s), not (a - s)/(a - 1)
        roots = {x: S.Dummy(str(x), positive=True) for x in squares}
        plain = c.subs({x: r**2 for x, r in roots.items()}, simultaneous=True)
        if plain.is_rational_function():
            return S.factor(S.cancel(plain)).subs({r: S.sqrt(x) for x, r in roots.items()})
    c = S.radsimp(S.cancel(c)) if not c.has(S.log, S.exp) else S.simplify(c)
    return S.factor(c) if not c.has(S.sqrt, S.log) and c.is_rational_function() else c


def _by_logarithms(e: Any, t: Any, seconds: float) -> tuple[list[Any], bool]:
    """Roots of c log f - c log g + r: those of f/g = exp(-r/c)."""
    logs: list[tuple[Any, Any]] = []
    rest = S.Integer(0)
    for term in S.Add.make_args(S.expand(e, log=False)):
        if not term.has(t):
            rest += term
            continue
        c, f = term.as_independent(t, as_Add=False)
        if not isinstance(f, S.log):
            return [], False
        logs.append((c, f.args[0]))
    ratios = [S.cancel(c / logs[0][0]) for c, _ in logs] if len(logs) > 1 else []
    if not ratios or not all(r.is_Integer for r in ratios):
        return [], False
    level = S.Dummy("level", positive=True)
    found = roots_of(S.Mul(*(f**r for r, (_, f) in zip(ratios, logs, strict=True))) - level, t, seconds)
    value = S.exp(-rest / logs[0][0])
    return [r.value.xreplace({level: value}) for r in found], bool(found) and all(r.complete for r in found)


def _by_generator(e: Any, t: Any, seconds: float) -> tuple[list[Any], bool]:
    """Roots where t stands only inside one exponential, logarithm or power: that is the unknown first."""
    inside = [a for a in S.preorder_traversal(e) if a.has(t) and (isinstance(a, S.exp | S.log) or _is_power(a, t))]
    bases = {_exponential_base(a, t) for a in inside}
    if len(bases) != 1 or None in bases:
        return [], False
    (base,) = bases
    u = S.Dummy("u", positive=isinstance(base, S.exp) or None)
    swapped = e.subs({a: _power_of(a, base, u, t) for a in inside})
    if swapped.has(t):
        return [], False
    found = roots_of(swapped, u, seconds)
    out = []
    for root in found:
        if isinstance(base, S.exp):
            k = base.exp.coeff(t, 1)
            if root.value.is_negative or root.value.is_zero:
                continue
            out.append((S.log(root.value) - base.exp.coeff(t, 0)) / k)
        elif isinstance(base, S.log):
            out += [r.value for r in roots_of(base.args[0] - S.exp(root.value), t, seconds)]
        else:
            out += [r.value for r in roots_of(base.base - root.value ** (1 / base.exp), t, seconds)]
    return out, bool(found) and all(r.complete for r in found)


def _is_power(a: Any, t: Any) -> bool:
    return bool(a.is_Pow and a.base.has(t) and not a.exp.has(t) and not a.exp.is_integer)


def _exponential_base(a: Any, t: Any) -> Any:
    """exp(k t) counts as a power of exp(t): the class of what may be the one unknown."""
    if isinstance(a, S.exp):
        argument = S.expand(a.exp)
        if not argument.is_polynomial(t) or S.degree(argument, t) != 1:
            return None
        k = argument.coeff(t, 1)
        return S.exp(t) if k.is_Integer else S.exp(k * t) if k.could_extract_minus_sign() is False else S.exp(-k * t)
    return a


def _power_of(a: Any, base: Any, u: Any, t: Any) -> Any:
    if isinstance(a, S.exp):
        argument = S.expand(a.exp)
        k = argument.coeff(t, 1) / base.exp.coeff(t, 1)
        return u**k * S.exp(argument.coeff(t, 0))
    return u


def closed(interval: Interval) -> Interval:
    return replace(interval, closed_low=True, closed_high=True)
