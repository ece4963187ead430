"""The rules of the canonical form ▣: how functions are written in the basis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgen.algebra import polynomial as poly
from symgen.algebra.polynomial import Poly
from symgen.tensor.expression import (
    EULER,
    HALF,
    MINUS_ONE,
    ONE,
    PI,
    TWO,
    ZERO,
    Entry,
    Fn,
    Fold,
    Num,
    Operation,
    Scalar,
    Sum,
    Tensor,
    add,
    compare,
    divide,
    entry,
    fn,
    fold,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    sub,
    substitute,
    total,
    where,
)
from symgen.tensor.facts import range_of

if TYPE_CHECKING:
    from symgen.algebra.canonical import Workshop

__all__ = ["FUNCTION_RULES"]

Rule = Callable[..., Poly]
HUNDREDTH = num(Fraction(1, 100))
MAX_SHIFT = 12  # of the argument of a gamma function

# functions as formulas in simpler ones
_DEFINITIONS: dict[str, Callable[..., Scalar]] = {
    "sigmoid": lambda x: divide(ONE, add(ONE, fn("exp", neg(x)))),
    "log_sigmoid": lambda x: neg(fn("log", add(ONE, fn("exp", neg(x))))),
    "softplus": lambda x: fn("log", add(ONE, fn("exp", x))),
    "tanh": lambda x: sub(ONE, divide(TWO, add(fn("exp", mul(TWO, x)), ONE))),
    "sinh": lambda x: mul(HALF, sub(fn("exp", x), fn("exp", neg(x)))),
    "cosh": lambda x: mul(HALF, add(fn("exp", x), fn("exp", neg(x)))),
    "silu": lambda x: divide(x, add(ONE, fn("exp", neg(x)))),
    "expm1": lambda x: sub(fn("exp", x), ONE),
    "log1p": lambda x: fn("log", add(ONE, x)),
    "erfc": lambda x: sub(ONE, fn("erf", x)),
    "gelu": lambda x: mul(HALF, x, add(ONE, fn("erf", divide(x, power(TWO, HALF))))),
    "tan": lambda x: divide(fn("sin", x), fn("cos", x)),
    "relu": lambda x: mul(HALF, add(x, fn("abs", x))),
    "max": lambda *a: _pairwise(ONE, a),
    "min": lambda *a: _pairwise(MINUS_ONE, a),
    "leaky_relu": lambda x, a=HUNDREDTH: where(compare("<", ZERO, x), x, mul(a, x)),
    "elu": lambda x, a=ONE: where(compare("<", ZERO, x), x, mul(a, sub(fn("exp", x), ONE))),
    "clip": lambda x, a, b: fn("min", fn("max", x, a), b),
    "step": lambda x: where(compare("<", ZERO, x), ONE, ZERO),
    "lbeta": lambda *a: sub(add(*(fn("lgamma", x) for x in a)), fn("lgamma", add(*a))),
    "beta": lambda *a: fn("exp", sub(add(*(fn("lgamma", x) for x in a)), fn("lgamma", add(*a)))),
    "trigamma": lambda x: fn("polygamma", ONE, x),
    "digamma": lambda x: fn("polygamma", ZERO, x),
    "xlogy": lambda x, y: where(compare("==", x, ZERO), ZERO, mul(x, fn("log", y))),
    "logaddexp": lambda x, y: fn("log", add(fn("exp", x), fn("exp", y))),
}


def _pairwise(sign: Scalar, args: Sequence[Scalar]) -> Scalar:
    """max(a, b) = (a + b + |a - b|)/2."""
    out = args[0]
    for b in args[1:]:
        out = mul(HALF, add(out, b, mul(sign, fn("abs", sub(out, b)))))
    return out


def _defined(build: Callable[..., Scalar]) -> Rule:
    return lambda w, *args: w.poly(build(*args))


def _exp(w: Workshop, x: Scalar) -> Poly:
    """exp of a sum is a product: one atom exp(m) for each monomial m; exp(c log q) = q^c."""
    out = poly.constant(1)
    for m, c in w.poly(x).items():
        if not m:
            out = w.times(out, poly.of_atom(EULER, c))
            continue
        atom = m[0][0] if len(m) == 1 and m[0][1] == 1 else None
        inner = _function_inside(atom, "log") if atom is not None else None
        if inner is not None and c.denominator <= 64 and abs(c) <= 64:
            out = w.times(out, w.power(w.poly(inner.args[0]), c))
            continue
        product = _product_of_logs(atom) if atom is not None else None
        if product is not None and c.denominator <= 64 and abs(c) <= 64:  # exp(c sum(log q)) = prod(q)^c
            out = w.times(out, w.power(w.poly(product), c))
            continue
        out = w.times(out, poly.of_atom(w.atom_of("exp", {m: Fraction(1)}), c))
    return out


def _product_of_logs(atom: Scalar) -> Scalar | None:
    """prod(q) for sum(log(q))."""
    if isinstance(atom, Entry) and isinstance(atom.array, Tensor):
        atom = open_tensor(atom.array, atom.indices)
    if not isinstance(atom, Sum):
        return None
    body, bound = open_sum(atom)
    inner = _function_inside(body, "log")
    return None if inner is None else fold("prod", inner.args[0], bound)


def _function_inside(atom: Scalar | None, name: str) -> Fn | None:
    if isinstance(atom, Entry) and isinstance(atom.array, Tensor):
        atom = open_tensor(atom.array, atom.indices)
    return atom if isinstance(atom, Fn) and atom.name == name else None


def _log(w: Workshop, x: Scalar) -> Poly:
    return log_of(w, w.poly(x))


def log_of(w: Workshop, p: Poly) -> Poly:
    """log of a product, over the factors that are positive; primes for numbers."""
    if not p:
        return poly.of_atom(fn("log", ZERO))
    c, parts = w._parts(p)
    parts, out = _absolutes(w, parts)
    kept: list[tuple[Poly, Fraction]] = []
    for f, e in parts:
        if w.nonnegative(f):  # and not 0, for the logarithm is defined
            out.append(poly.scale(_log_atom(w, f), e))
        elif w.negative(f):
            out.append(poly.scale(_log_atom(w, poly.scale(f, Fraction(-1))), e))
            c *= -1 if e % 2 else 1
        elif e.denominator == 1 and e % 2 == 0:
            out.append(poly.scale(_log_abs(w, f), e))
        elif e.denominator != 1:  # a root that is defined
            out.append(poly.scale(_log_atom(w, f), e))
        else:
            kept.append((f, e))
    if len(kept) == 1:  # the logarithm is defined: what is left is positive, with the sign of the coefficient
        f, e = kept.pop()
        out.append(poly.scale(_log_atom(w, f if c > 0 else poly.scale(f, Fraction(-1))), e))
        c = abs(c)
    if kept or c < 0:
        product = poly.constant(-1 if c < 0 else 1)
        for f, e in kept:
            product = poly.multiply(product, w._atom_power(f, e), w.budget)
        out.append(w.plain_function("log", product))
        c = abs(c)
    for prime, k in poly.primes(c):
        out.append(poly.of_atom(fn("log", num(prime))) if k == 1 else {((fn("log", num(prime)), Fraction(1)),): k})
    return w.add(*out)


def _log_atom(w: Workshop, f: Poly) -> Poly:
    one = poly.single(f)
    if one is not None and one[0] == 1 and len(one[1]) == 1:
        atom, e = one[1][0]
        if atom is EULER:
            return poly.constant(e)
        inside = _function_inside(atom, "exp")
        if inside is not None:
            return poly.scale(w.poly(inside.args[0]), e)
        product = _fold_inside(atom)
        if product is not None and range_of(product.body, w.facts).positive:
            body, bound = open_sum(product)
            return poly.scale(w.sum(log_of(w, w.poly(body)), bound), e)
        if isinstance(atom, Sum) and e == 1:  # the logarithm of what a one-hot vector picks
            found = w.picked(atom)
            if found is not None:
                return w.poly(total(mul(found[0], fn("log", found[2])), [found[1]]))
        determinant = _operation_inside(atom, "det")
        if determinant is not None:
            return poly.scale(w.poly(entry(operation("logdet", determinant.operands, determinant.shape), *atom.args[1:])), e)
        if isinstance(atom, Num) and atom.rational is not None:
            return poly.scale(poly.of_atom(fn("log", atom)), e)
    return w.plain_function("log", f)


def _fold_inside(atom: Scalar) -> Fold | None:
    if isinstance(atom, Entry) and isinstance(atom.array, Tensor):
        atom = open_tensor(atom.array, atom.indices)
    return atom if isinstance(atom, Fold) and atom.kind == "prod" else None


def _operation_inside(atom: Scalar, name: str) -> Operation | None:
    array = atom.array if isinstance(atom, Entry) else None
    return array if isinstance(array, Operation) and array.name == name else None


def _abs(w: Workshop, x: Scalar) -> Poly:
    return w.absolute(w.poly(x))


def _sign(w: Workshop, x: Scalar) -> Poly:
    return w.sign(w.poly(x))


def _log_abs(w: Workshop, f: Poly) -> Poly:
    """log|f| of a factor of unknown sign, an atom."""
    node = poly.node_of(w.oriented(f)[1])
    return poly.of_atom(w._outer(lambda r: fn("log", fn("abs", w.scalar(substitute(node, r)))), fn("abs", node)))


def _absolutes(w: Workshop, parts: list[tuple[Poly, Fraction]]) -> tuple[list[tuple[Poly, Fraction]], list[Poly]]:
    """The factors without the pairs d sign(d), and log|d| for each such pair."""
    left, logs = list(parts), []
    for f, e in parts:
        one = poly.single(f)
        atom = one[1][0][0] if one is not None and len(one[1]) == 1 else None
        d = w.signs.get(atom) if atom is not None else None
        match = next((x for x in left if d and x[0] == d and x[1] % 2 == 1), None)
        if d is not None and match is not None and e % 2 == 1:
            left = [x for x in left if x is not match and x[0] is not f]
            logs.append(poly.scale(_log_abs(w, d), match[1]))
    return left, logs


def _odd(name: str) -> Rule:
    def rule(w: Workshop, x: Scalar) -> Poly:
        s, p = w.oriented(w.poly(x))
        return poly.scale(w.plain_function(name, p), Fraction(s)) if p else w.plain_function(name, p)

    return rule


def _circular(name: str) -> Rule:
    """sin and cos of a sum, term by term; odd and even."""

    def rule(w: Workshop, x: Scalar) -> Poly:
        p = w.poly(x)
        if len(p) > 1 and len(p) <= 4:
            (m, c), *rest = sorted(p.items(), key=lambda t: [a.serial for a, _ in t[0]])
            first, other = poly.node_of({m: c}), poly.node_of(dict(rest))
            a, b = (fn("sin", first), fn("cos", first)), (fn("sin", other), fn("cos", other))
            if name == "sin":
                return w.poly(add(mul(a[0], b[1]), mul(a[1], b[0])))
            return w.poly(sub(mul(a[1], b[1]), mul(a[0], b[0])))
        one = poly.single(p)
        if one is not None and one[1] and one[0].denominator == 1 and 2 <= abs(one[0]) <= 6:
            k, unit = int(abs(one[0])), poly.node_of({one[1]: Fraction(1)})
            less = mul(num(k - 1), unit)
            s1, c1, s2, c2 = fn("sin", less), fn("cos", less), fn("sin", unit), fn("cos", unit)
            if name == "cos":
                return w.poly(sub(mul(c1, c2), mul(s1, s2)))
            return poly.scale(w.poly(add(mul(s1, c2), mul(c1, s2))), Fraction(1 if one[0] > 0 else -1))
        s, q = w.oriented(p)
        return poly.scale(w.plain_function(name, q), Fraction(s if name == "sin" else 1))

    return rule


def _shifted(p: Poly) -> tuple[int, Poly]:
    """k, y with p = y + k and the constant term of y in (0, 1]; k = 0 where it is far off."""
    c = p.get((), Fraction(0))
    k = -((-c.numerator) // c.denominator) - 1
    if abs(k) > MAX_SHIFT:
        return 0, p
    y = dict(p)
    y[()] = c - k
    return k, y


def _lgamma(w: Workshop, x: Scalar) -> Poly:
    """lgamma(y + k) = lgamma(y) + log y + .. + log(y + k - 1), for y > 0."""
    p = w.poly(x)
    k, y = _shifted(p)
    value = poly.constant_of(p)
    if (value is not None and value <= 0) or (k and not (w.positive(y) and w.positive(p))):
        return w.plain_function("lgamma", p)
    steps = [log_of(w, w.add(y, poly.constant(j))) for j in range(k)]
    steps += [poly.scale(log_of(w, w.add(y, poly.constant(-j))), Fraction(-1)) for j in range(1, -k + 1)]
    start = poly.constant_of(y)
    if start == 1:
        base: Poly = {}
    elif start == Fraction(1, 2):
        base = poly.scale(w.plain_function("log", poly.of_atom(PI)), Fraction(1, 2))
    else:
        base = w.plain_function("lgamma", y)
    return w.add(base, *steps)


def _gamma(w: Workshop, x: Scalar) -> Poly:
    p = w.poly(x)
    if w.positive(p):
        return w.poly(fn("exp", fn("lgamma", x)))
    k, y = _shifted(p)
    if poly.constant_of(p) is not None:
        return w.plain_function("gamma", p)
    steps = [w.add(y, poly.constant(j)) for j in range(k)]
    steps += [w.power(w.add(y, poly.constant(-j)), Fraction(-1)) for j in range(1, -k + 1)]
    return w.times(w.plain_function("gamma", y), *steps)


def _polygamma(w: Workshop, order: Scalar, x: Scalar) -> Poly:
    """psi_m(y + k) = psi_m(y) + (-1)^m m! (1/y^(m+1) + .. + 1/(y + k - 1)^(m+1))."""
    p, m = w.poly(x), poly.constant_of(w.poly(order))
    if m is None or m.denominator != 1 or not 0 <= m <= 8:
        return w.plain_function("polygamma", w.poly(order), p)
    value = poly.constant_of(p)
    k, y = _shifted(p)
    if value is not None and value <= 0:
        k, y = 0, p
    weight = Fraction(-1) ** int(m)
    for j in range(2, int(m) + 1):
        weight *= j
    e = Fraction(-1 - m)
    steps = [poly.scale(w.power(w.add(y, poly.constant(j)), e), weight) for j in range(k)]
    steps += [poly.scale(w.power(w.add(y, poly.constant(-j)), e), -weight) for j in range(1, -k + 1)]
    return w.add(w.plain_function("polygamma", poly.constant(m), y), *steps)


def _index_function(name: str) -> Rule:
    """mod and div split where they can."""

    def rule(w: Workshop, a: Scalar, n: Scalar) -> Poly:
        node = fn(name, w.index(a), w.index(n))
        return poly.of_atom(node) if isinstance(node, Fn) else w.poly(node)

    return rule


FUNCTION_RULES: dict[str, Rule] = {
    **{name: _defined(build) for name, build in _DEFINITIONS.items()},
    "exp": _exp,
    "log": _log,
    "abs": _abs,
    "sign": _sign,
    "sin": _circular("sin"),
    "cos": _circular("cos"),
    "asin": _odd("asin"),
    "atan": _odd("atan"),
    "erf": _odd("erf"),
    "lgamma": _lgamma,
    "gamma": _gamma,
    "polygamma": _polygamma,
    "mod": _index_function("mod"),
    "div": _index_function("div"),
}
