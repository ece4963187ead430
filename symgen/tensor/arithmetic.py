"""Sums, products, powers and functions of entries: the constructors fold constants, flatten, and merge like terms
and equal bases; they never expand and never search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from operator import attrgetter

from symgen.tensor.exact_values import AT_RATIONALS, CIRCLE, Term, at_rational, on_the_circle
from symgen.tensor.nodes import (
    EULER,
    HALF,
    INF,
    MINUS_ONE,
    NAN,
    ONE,
    PI,
    TWO,
    ZERO,
    Add,
    Delta,
    Dim,
    Entry,
    Fn,
    Index,
    Mul,
    Num,
    Pow,
    Scalar,
    Var,
    free_of_all,
    intern,
    make_node,
    node_table,
    num,
)

__all__ = [
    "MAX_BITS", "add", "as_coefficient", "delta", "divide", "ends_of", "expand_size", "factors_of", "fn",
    "has_power_of", "in_range", "mul", "neg", "power", "rational", "recombined", "serial_of", "sub",
]  # fmt: skip

MAX_BITS = 100_000  # of an exact number; a larger power stays a power


def rational(x: Scalar) -> Fraction | None:
    """The value of a rational number."""
    return x.value if type(x) is Num and not isinstance(x.value, str) else None


_NO, _YES = Fraction(0), Fraction(1)  # made once: making a Fraction costs as much as making a node


def as_coefficient(term: Scalar) -> tuple[Fraction, Scalar]:
    """c, t with term = c t, c a rational number."""
    if type(term) is Num:
        return (term.value, ONE) if not isinstance(term.value, str) else (_YES, term)
    if type(term) is Mul:
        c = rational(term.args[0])
        if c is not None:
            rest = term.args[1:]
            return c, rest[0] if len(rest) == 1 else make_node(Mul, rest)
    return _YES, term


def _times(c: Fraction, term: Scalar) -> Scalar:
    if c is _YES or c == 1:
        return term
    if term is ONE:
        return num(c)
    if type(term) is Mul:
        return make_node(Mul, (num(c), *term.args))  # type: ignore[no-any-return]
    return make_node(Mul, (num(c), term))  # type: ignore[no-any-return]


def add(*terms: Scalar) -> Scalar:
    """The sum, flattened, like terms merged."""
    constant = _NO
    special: list[Scalar] = []
    coefficients: dict[Scalar, Fraction] = {}
    stack = list(reversed(terms))
    while stack:
        t = stack.pop()
        kind = type(t)
        if kind is Num:
            if isinstance(t.value, str) and t.value in ("inf", "nan"):
                special.append(t)
            elif isinstance(t.value, str):
                coefficients[t] = coefficients.get(t, _NO) + 1
            else:
                constant = constant + t.value if constant is not _NO else t.value
            continue
        if kind is Add:
            stack.extend(reversed(t.args))
            continue
        c, base = as_coefficient(t)
        if type(base) is Add:
            stack.extend(_times_into(c, b) for b in reversed(base.args))
            continue
        before = coefficients.get(base)
        coefficients[base] = c if before is None else before + c
    if special:
        return _add_special(special, coefficients)
    out = [t if c is _YES else _times(c, t) for t, c in coefficients.items() if c is _YES or c]
    if constant:
        out.append(num(constant))
    if not out:
        return ZERO
    if len(out) == 1:
        return out[0]
    out.sort(key=serial_of)
    return make_node(Add, tuple(out))  # type: ignore[no-any-return]


def _times_into(c: Fraction, term: Scalar) -> Scalar:
    d, base = as_coefficient(term)
    return _times(c * d, base)


def _add_special(special: list[Scalar], coefficients: Mapping[Scalar, Fraction]) -> Scalar:
    if NAN in special:
        return NAN
    negative = [t for t, c in coefficients.items() if t is INF and c < 0]
    if negative or coefficients.get(INF, _YES) < 0:
        return NAN
    return INF


serial_of = attrgetter("serial")


def neg(x: Scalar) -> Scalar:
    return mul(MINUS_ONE, x)


def sub(x: Scalar, y: Scalar) -> Scalar:
    return add(x, neg(y))


def divide(x: Scalar, y: Scalar) -> Scalar:
    return mul(x, power(y, MINUS_ONE))


def mul(*factors: Scalar) -> Scalar:
    """The product, flattened, powers of one base merged; a rational coefficient goes into a lone sum only if it is -1."""
    coefficient = _YES
    powers: dict[Scalar, Scalar] = {}
    stack = list(reversed(factors))
    while stack:
        f = stack.pop()
        kind = type(f)
        if kind is Num:
            if not isinstance(f.value, str):
                coefficient = f.value if coefficient is _YES else coefficient * f.value
                continue
        elif kind is Mul:
            stack.extend(reversed(f.args))
            continue
        elif kind is Delta:
            powers[f] = ONE
            continue
        base, exponent = (f.args[0], f.args[1]) if kind is Pow else (f, ONE)
        if base in powers:
            powers[base] = add(powers[base], exponent)
        else:
            powers[base] = exponent
    if not coefficient:
        return NAN if INF in powers or NAN in powers else ZERO
    if INF in powers or NAN in powers:
        if NAN in powers or powers[INF] is not ONE:
            return NAN
        if len(powers) == 1:
            return INF if coefficient > 0 else make_node(Mul, (MINUS_ONE, INF))
    out: list[Scalar] = []
    again = False
    for base, exponent in powers.items():
        if exponent is ONE:
            out.append(base)
            continue
        p = power(base, exponent)
        if p is ONE:
            continue
        if type(p) is Num and not isinstance(p.value, str):
            coefficient *= p.value
            continue
        again = again or type(p) is Mul
        out.append(p)
    if again:
        return mul(num(coefficient), *out)
    if not out:
        return num(coefficient)
    if len(out) == 1:
        only = out[0]
        if coefficient is _YES or coefficient == 1:
            return only
        if coefficient == -1 and type(only) is Add:
            return add(*(_times_into(coefficient, t) for t in only.args))
        return make_node(Mul, (num(coefficient), only))  # type: ignore[no-any-return]
    out.sort(key=serial_of)
    if coefficient is not _YES and coefficient != 1:
        out.insert(0, num(coefficient))
    return make_node(Mul, tuple(out))  # type: ignore[no-any-return]


def _integer_root(value: int, degree: int) -> int | None:
    """The exact root, or None."""
    if value < 0:
        return None
    if value in (0, 1):
        return value
    if value.bit_length() // degree > 2000:
        return None
    low, high = 1, 1 << (value.bit_length() // degree + 1)
    while low <= high:
        middle = (low + high) // 2
        p = middle**degree
        if p == value:
            return middle
        low, high = (middle + 1, high) if p < value else (low, middle - 1)
    return None


def power(base: Scalar, exponent: Scalar) -> Scalar:
    """base ^ exponent; exact where a rational power is rational and short, else kept."""
    if exponent is ONE:
        return base
    if exponent is ZERO:
        return ONE
    e = rational(exponent)
    if type(base) is Num and e is not None and not isinstance(base.value, str):
        b = base.value
        if b == 1:
            return ONE
        if b == 0:
            return ZERO if e > 0 else make_node(Pow, (base, exponent))
        if e.denominator == 1:
            bits = max(b.numerator.bit_length(), b.denominator.bit_length()) * abs(e)
            if bits <= MAX_BITS:
                return num(b ** int(e))
        elif b > 0 and e.denominator <= 64 and abs(e) < 64:
            top, bottom = _integer_root(b.numerator, e.denominator), _integer_root(b.denominator, e.denominator)
            if top is not None and bottom is not None:
                return num(Fraction(top, bottom) ** e.numerator)
    if base is INF and e is not None:
        return INF if e > 0 else ZERO
    if base is ONE:
        return ONE
    if e is not None and e.denominator == 1:
        if type(base) is Pow:
            return power(base.args[0], mul(base.args[1], exponent))
        if type(base) is Mul:
            return mul(*(power(f, exponent) for f in base.args))
        if type(base) is Delta and e > 0:
            return base
        if type(base) is Fn and base.name == "exp":
            return fn("exp", mul(exponent, base.args[0]))
    elif e is not None and type(base) is Mul:
        c = rational(base.args[0])
        if c is not None and c > 0:  # sqrt(4 x) = 2 sqrt(x)
            root = power(base.args[0], exponent)
            if type(root) is Num:
                return mul(root, power(mul(*base.args[1:]), exponent))
    if base is EULER:
        return fn("exp", exponent)
    return make_node(Pow, (base, exponent))  # type: ignore[no-any-return]


_EXACT: dict[str, dict[Scalar, Scalar]] = {
    "exp": {ZERO: ONE, ONE: EULER, INF: INF},
    "log": {ONE: ZERO, EULER: ONE, INF: INF},
    "log1p": {ZERO: ZERO}, "expm1": {ZERO: ZERO}, "sqrt": {}, "abs": {ZERO: ZERO, INF: INF}, "sign": {ZERO: ZERO},
    "sin": {ZERO: ZERO, PI: ZERO}, "cos": {ZERO: ONE, PI: MINUS_ONE}, "tan": {ZERO: ZERO}, "sinh": {ZERO: ZERO},
    "cosh": {ZERO: ONE}, "tanh": {ZERO: ZERO}, "asin": {ZERO: ZERO}, "atan": {ZERO: ZERO}, "sigmoid": {ZERO: HALF},
    "relu": {ZERO: ZERO}, "erf": {ZERO: ZERO, INF: ONE}, "erfc": {ZERO: ONE, INF: ZERO}, "lgamma": {ONE: ZERO, TWO: ZERO},
    "gamma": {ONE: ONE, TWO: ONE}, "gelu": {ZERO: ZERO}, "silu": {ZERO: ZERO},
}  # fmt: skip
_PARITY = {
    **dict.fromkeys(("abs", "cos", "cosh"), ONE),
    **dict.fromkeys(("sin", "sinh", "tanh", "asin", "atan", "sign"), MINUS_ONE),  # not erf: tails are taken by erf(-x)
}


def fn(name: str, *args: Scalar) -> Scalar:
    """name(args); `sqrt(x)` is x^(1/2); exact values at 0, 1, e, inf are taken."""
    if name == "sqrt":
        return power(args[0], HALF)
    if len(args) == 1:
        a = args[0]
        known = _EXACT.get(name)
        if known is not None:
            value = known.get(a)
            if value is not None:
                return value
        if name == "exp" and type(a) is Fn and a.name == "log":
            return a.args[0]  # type: ignore[no-any-return]
        if name == "log" and type(a) is Fn and a.name == "exp":
            return a.args[0]  # type: ignore[no-any-return]
        if name == "log" and (root := _odd_power(a)) is not None:
            return mul(num(root[1]), fn("log", root[0]))
        r = rational(a)
        if r is not None:
            if name == "abs":
                return num(abs(r))
            if name == "sign":
                return num((r > 0) - (r < 0))
            if name == "relu":
                return num(max(r, Fraction(0)))
            if name == "floor":
                return num(r.numerator // r.denominator)
            if name in AT_RATIONALS:
                value = _at_rational(name, r)
                if value is not None:
                    return value
        elif name in _PARITY or name in CIRCLE:
            c, rest = as_coefficient(a) if type(a) is Mul else (_YES, a)
            if c < 0 and name in _PARITY:
                return mul(_PARITY[name], fn(name, mul(num(-c), rest)))
            value = _on_the_circle(name, a) if name in CIRCLE else None
            if value is not None:
                return value
    elif name in ("max", "min") and len(args) == 2:
        r, s = rational(args[0]), rational(args[1])
        if r is not None and s is not None:
            return num(max(r, s) if name == "max" else min(r, s))
        if args[0] is args[1]:
            return args[0]
    elif (name == "mod" and len(args) == 2) or (name == "div" and len(args) == 2):
        return _split_index(name, *args)
    key = (Fn, name, *args)
    found = node_table.get(key)
    if found is None:
        found = intern(Fn, key, args, free_of_all(args), max((a.height for a in args), default=0))
        found.name = name
    return found


def _odd_power(a: Scalar) -> tuple[Scalar, Fraction] | None:
    """b, n with a = b^n positive only where b is: 1/b, sqrt(b), b^3, and not b^2; log(b^n) is n log(b)."""
    if type(a) is Pow and type(a.args[1]) is Num and isinstance(n := a.args[1].value, Fraction) and n.numerator % 2:
        return a.args[0], n
    return None


def _at_rational(name: str, r: Fraction) -> Scalar | None:
    found = at_rational(name, r)
    return None if found is None else _written(found)


def _on_the_circle(name: str, angle: Scalar) -> Scalar | None:
    """sin, cos and tan at multiples of pi/6 and pi/4."""
    turn = None
    if angle is PI:
        turn = Fraction(1)
    elif type(angle) is Mul and len(angle.args) == 2 and angle.args[1] is PI:
        turn = rational(angle.args[0])
    found = None if turn is None else on_the_circle(name, turn)
    return None if found is None else _written(found)


def _written(terms: Sequence[Term]) -> Scalar:
    """The sum of c b^e, where b is pi, a number, or a function at one."""
    out = []
    for c, base, e in terms:
        name, at = base if isinstance(base, tuple) else ("", base)
        b = PI if at == "pi" else num(int(at))
        out.append(mul(num(c), power(fn(name, b) if name else b, num(e))))
    return add(*out)


def _split_index(name: str, a: Scalar, n: Scalar) -> Scalar:
    """mod(a, n) and div(a, n) of index values: (n j + i) splits where i is an index of size n."""
    a = recombined(a)
    r, s = rational(a), rational(n)
    if r is not None and s is not None and s > 0:
        return num(r % s) if name == "mod" else num(r // s)
    if n is ONE:
        return ZERO if name == "mod" else a
    if type(a) is Index and a.size is n:
        return a if name == "mod" else ZERO
    if type(a) is Add:
        inside = [t for t in a.args if type(t) is Index and t.size is n]
        if len(inside) == 1:
            rest = [divide(t, n) for t in a.args if t is not inside[0]]
            if all(n not in factors_of(t) and not has_power_of(t, n) for t in rest):
                return inside[0] if name == "mod" else add(*rest)
    quotient = divide(a, n)
    if type(a) is Mul and not has_power_of(quotient, n) and quotient is not a:
        if len(factors_of(quotient)) < len(factors_of(a)) or (rational(n) is not None and _is_integral(quotient)):
            return ZERO if name == "mod" else quotient
    key = (Fn, name, a, n)
    found = node_table.get(key)
    if found is None:
        found = intern(Fn, key, (a, n), free_of_all((a, n)), 0)
        found.name = name
    return found


def factors_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if type(x) is Mul else (x,)


def _is_integral(x: Scalar) -> bool:
    return all(((r := rational(f)) is not None and r.denominator == 1) or type(f) in (Index, Dim) for f in factors_of(x))


def has_power_of(x: Scalar, n: Scalar) -> bool:
    c = rational(n)
    if c is not None:
        return not _is_integral(x)
    return any(type(f) is Pow and f.args[0] is n for f in factors_of(x))


def delta(a: Scalar, b: Scalar) -> Scalar:
    """1 if the index values are equal, else 0."""
    if a is b:
        return ONE
    difference = rational(sub(a, b)) if a.free == b.free else None
    if difference is not None:
        return ONE if difference == 0 else ZERO
    if type(a) is Add or type(b) is Add:
        a, b = recombined(a), recombined(b)
        if a is b or _is_apart(a, b):
            return ONE if a is b else ZERO
    if a.serial > b.serial:
        a, b = b, a
    return make_node(Delta, (a, b))  # type: ignore[no-any-return]


def _is_apart(a: Scalar, b: Scalar) -> bool:
    """Whether two affine index values are never equal: i + n and j, for j below n."""
    ends = ends_of(sub(a, b))
    if ends is None:
        return False
    low, high = ends
    return _nonnegative(expand_size(sub(low, ONE))) or _nonnegative(expand_size(sub(MINUS_ONE, high)))


def recombined(x: Scalar) -> Scalar:
    """n div(e, n) + mod(e, n) is e."""
    if type(x) is not Add:
        return x
    for t in x.args:
        if type(t) is Fn and t.name == "mod":
            e, n = t.args
            whole = mul(n, fn("div", e, n))
            if whole in x.args:
                return recombined(add(e, *(u for u in x.args if u is not t and u is not whole)))
    return x


def in_range(value: Scalar, size: Scalar) -> bool:
    """Whether an index value lies in 0 .. size-1 for certain: an index of that size, a number, or an affine index."""
    if type(value) is Index:
        return value.size is size or _nonnegative(sub(size, value.size))
    r = rational(value)
    if r is not None:
        return r >= 0 and _nonnegative(sub(size, num(r + 1)))
    if type(value) is Entry and type(value.array) is Var and value.array.domain == "label" and value.array.domain_args:
        return _nonnegative(sub(size, value.array.domain_args[0]))
    if type(value) is Fn and value.name == "mod":
        return value.args[1] is size
    if type(value) is Fn and value.name == "div":
        inner = value.args[0]
        return type(inner) is Index and mul(size, value.args[1]) is inner.size
    if type(value) is Add:
        ends = ends_of(value)
        if ends is None:
            return False
        low, high = ends
        return _nonnegative(expand_size(low)) and _nonnegative(expand_size(sub(sub(size, ONE), high)))
    return False


def ends_of(value: Scalar) -> tuple[Scalar, Scalar] | None:
    """The least and the largest value of an affine index."""
    low, high = ZERO, ZERO
    for t in value.args if type(value) is Add else (value,):
        c, base = as_coefficient(t)
        if base is ONE or not base.free:
            low, high = add(low, t), add(high, t)
            continue
        indices = [f for f in factors_of(base) if type(f) is Index]
        others = [f for f in factors_of(base) if type(f) is not Index]
        if len(indices) != 1 or any(f.free for f in others):
            return None
        top = mul(num(c), *others, sub(indices[0].size, ONE))
        low, high = (low, add(high, top)) if c > 0 else (add(low, top), high)
    return low, high


def expand_size(x: Scalar) -> Scalar:
    """A size as a sum of monomials in dims."""
    if type(x) is Add:
        return add(*(expand_size(t) for t in x.args))
    if type(x) is Mul:
        terms: list[Scalar] = [ONE]
        for f in x.args:
            f = expand_size(f)
            parts = f.args if type(f) is Add else (f,)
            if len(terms) * len(parts) > 64:
                return x
            terms = [mul(t, p) for t in terms for p in parts]
        return add(*terms)
    if type(x) is Pow and type(x.args[0]) is Add and x.args[1] is TWO:
        return expand_size(make_node(Mul, (x.args[0], x.args[0])))
    if type(x) is Fn and x.name == "floor":
        return _floor(expand_size(x.args[0]))
    return x


def _floor(x: Scalar) -> Scalar:
    """floor(n + f) as n + floor(f), where n is an integer for all dims."""
    whole: list[Scalar] = []
    rest: list[Scalar] = []
    for t in x.args if type(x) is Add else (x,):
        c, base = as_coefficient(t)
        if base is ONE:
            n = c.numerator // c.denominator
            whole.append(num(n))
            rest.append(num(c - n))
        elif c.denominator == 1 and all(type(f) is Dim or _is_counted(f) for f in factors_of(base)):
            whole.append(t)
        else:
            rest.append(t)
    return add(*whole, fn("floor", add(*rest)))


def _is_counted(f: Scalar) -> bool:
    if type(f) is Pow:
        exponent = rational(f.args[1])
        return type(f.args[0]) is Dim and exponent is not None and exponent > 0 and exponent.denominator == 1
    return type(f) is Fn and f.name == "floor"


def _nonnegative(x: Scalar) -> bool:
    """Whether a size expression is >= 0 for all dims >= 1: each dim is written 1 + m with m >= 0."""
    x = expand_size(x)
    low = Fraction(0)
    for t in x.args if type(x) is Add else (x,):
        c, base = as_coefficient(t)
        if base is ONE:
            low += c
        elif c < 0:
            return False
        elif any(type(f) not in (Dim, Pow) for f in factors_of(base)):
            return False
        else:
            low += c
    return low >= 0
