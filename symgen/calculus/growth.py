"""How fast a function, or its gradient, may change, from its parts: sums of functions of one affine value each.

With u = A x + b, the Hessian of sum_k c_k g(u_k) is A' diag(c g''(u)) A, within sup|c g''| |A|^2; that of log-sum-exp
A' (diag(p) - p p') A, within |A|^2/2, for the middle has no eigenvalue above 1/2 (Boehning (1992)). The gradient of such a
sum is A' (c g'(u)); that of a norm of u lies within |A|. Functions of a norm g(|u|) bend no more than g does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.bend import AFFINE
from symgen.calculus.curvature import Curvature, flat
from symgen.calculus.gradient import jacobian
from symgen.calculus.greatest import greatest_size
from symgen.calculus.solving import Interval, assuming
from symgen.derivation.context import Context
from symgen.tensor.expression import (
    HALF,
    INF,
    NAN,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Delta,
    Entry,
    Fn,
    Fold,
    Index,
    Mul,
    Num,
    Operation,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    as_coefficient,
    axis,
    entry,
    fn,
    fold,
    fresh_index,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    replace_arrays,
    sub,
    tensor,
    total,
    var,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, range_of
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy
from symgen.text.diagnostics import CannotDerive

__all__ = ["Growth", "spectral"]

S = sympy
HERE = "symgen/calculus/growth.py"
NORMS = {"spectral_norm": ONE, "nuclear_norm": None}


def spectral(rows: Sequence[Index], columns: Sequence[Index], body: Scalar) -> Scalar | None:
    """The spectral norm of body as a matrix, rows by columns: Delta factors and axes on which nothing depends come out;
    None where more than one index is left on a side."""
    c, body = as_coefficient(body)
    scale: Scalar = num(abs(c))
    rows, columns = list(rows), list(columns)
    factors = list(body.args) if isinstance(body, Mul) else [body]
    for f in list(factors):
        if isinstance(f, Delta):
            i, j = f.args
            rest = [g for g in factors if g is not f]
            if {i, j} & set(rows) and {i, j} & set(columns) and not any({i, j} & set(g.free) for g in rest):
                factors = rest
                rows, columns = [r for r in rows if r not in (i, j)], [c for c in columns if c not in (i, j)]
    rest = mul(*factors)
    for side in (rows, columns):
        for i in [i for i in side if i not in rest.free]:
            side.remove(i)
            scale = mul(scale, power(i.size, HALF))
    if not rows and not columns:
        return mul(scale, _size(rest, None))
    if not rows or not columns:
        return mul(scale, power(total(power(rest, TWO), rows or columns), HALF))
    if len(rows) > 1 or len(columns) > 1:
        return None
    return mul(scale, entry(operation("spectral_norm", (tensor((*rows, *columns), rest),), ())))


def _size(node: Scalar, facts: Facts | None) -> Scalar:
    r = range_of(node, facts)
    return node if r.nonnegative else neg(node) if r.nonpositive else fn("abs", node)


@dataclass
class Growth:
    """Bounds in x. `used` holds (function of its value, bound, order of the derivative) for what was bounded."""

    x: Var
    facts: Facts | None
    used: list[tuple[Scalar, Scalar, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.curvature = Curvature([self.x], self.facts, quick=True)
        self.axes = [axis(k, n) for k, n in enumerate(self.x.shape)]

    def of(self, f: Array, order: int) -> Scalar:
        """What the length of the gradient (order 1), or the eigenvalues of the Hessian (2), do not exceed. Raises
        CannotDerive with the part that has no bound."""
        whole = flat(_apart(f))
        self.curvature.of_array(whole)
        body = whole.body if isinstance(whole, Tensor) else entry(whole)
        return add(*(self.of_term(t, [], ONE, order) for t in _terms(body)))

    def moves(self, node: Scalar) -> bool:
        return self.curvature.moves(node)

    def refused(self, node: Scalar, why: str) -> CannotDerive:
        return CannotDerive(f"no bound of this is known for all `{self.x.name}`: {why}", node, HERE)

    def of_term(self, term: Scalar, over: list[Index], weight: Scalar, order: int) -> Scalar:
        """The bound of sum over `over` of weight*term."""
        if not self.moves(term):
            return ZERO
        idle = [i for i in over if i not in term.free]
        if idle:  # sum_i c_i f = (sum_i c_i) f
            weight = total(weight, idle)
            points = [(f, range_of(f, self.facts).point) for f in _factors(weight)]
            weight = mul(*(f if point is None else num(point) for f, point in points))
            over = [i for i in over if i not in idle]
        if self.curvature.of(term) == AFFINE:
            return ZERO if order == 2 else self.of_affine(term, over, weight)
        if isinstance(term, Mul):
            fixed = mul(*(f for f in term.args if not self.moves(f)))
            moving = mul(*(f for f in term.args if self.moves(f)))
            if fixed is not ONE:
                return self.of_term(moving, over, mul(weight, fixed), order)
        if isinstance(term, Sum):
            body, indices = open_sum(term)
            if isinstance(body, Add) and self.value_of(body) is None:
                return add(*(self.of_term(t, [*over, *indices], weight, order) for t in body.args))
            return self.of_term(body, [*over, *indices], weight, order)
        value = self.value_of(term)
        if value is not None:
            return self.of_function(term, value, over, weight, order)
        special = self.of_exponentials(term, over, weight, order) or self.of_norm(term, over, weight, order)
        special = special or self.of_extreme(term, over, weight, order)
        if special is not None:
            return special
        if isinstance(term, Add):
            return add(*(self.of_term(t, over, weight, order) for t in term.args))
        raise self.refused(term, "it is no function of one affine value, of a norm, or log-sum-exp")

    # --- parts --------------------------------------------------------------------------------------------------------

    def value_of(self, term: Scalar) -> Scalar | None:
        """The affine value that a term is a function of."""
        if isinstance(term, Sum | Fold):
            return None
        cores = self.curvature.cores(term)
        if len(cores) != 1 or self.curvature.of(cores[0]) != AFFINE:
            return None
        at = entry(var("_u", (), "real", "placeholder", uid=23))
        return None if self.moves(self.curvature.without(term, cores[0], at)) else cores[0]

    def slope_of(self, value: Scalar) -> Scalar:
        """d value/d x over the axes of x, for an affine value."""
        free = sorted((i for i in value.free if isinstance(i, Index)), key=lambda i: i.serial)
        slope = jacobian(tensor(free, value), self.x, Context(facts=self.facts), "free")
        return open_tensor(slope, (*free, *self.axes))

    def of_affine(self, term: Scalar, over: list[Index], weight: Scalar) -> Scalar:
        slope = total(mul(weight, self.slope_of(term)), over)
        return power(total(power(slope, TWO), self.axes), HALF)

    def of_function(self, term: Scalar, value: Scalar, over: list[Index], weight: Scalar, order: int) -> Scalar:
        most = self.most(term, value, order)
        a = self.slope_of(value)
        if order == 2:
            return self.squared(over, mul(weight, most), a)
        return self.summed(over, mul(weight, most), a)

    def most(self, term: Scalar, value: Scalar, order: int) -> Scalar:
        """sup |d^k term/d value^k| for all values."""
        r = range_of(value, self.facts)
        domain = "positive" if r.positive else "nonnegative" if r.nonnegative else "real"
        at = entry(var("_u", (), domain, "placeholder", uid=23))
        body = self.curvature.without(term, value, at)
        if self.moves(body):
            raise self.refused(term, "it is no function of one affine value")
        found = _most(body, at, r.low, r.high, order, self.facts)
        if order == 1 and found is not None and not isinstance(found, Num):
            found = self.by_range(body, at) or found
        words = {1: "slope", 2: "second derivative"}[order]
        if found is None:
            raise self.refused(term, f"the greatest size of its {words} has no rule")
        if found is INF:
            raise self.refused(term, f"its {words} grows without end")
        if found is NAN:
            raise self.refused(term, f"its {'value' if order == 1 else 'slope'} jumps, or it has a pole")
        if found is not ZERO:
            slope = self.derivative(body, at, order)
            shown = None if slope is None else replace_arrays(slope, {at.array: lambda: value})
            self.used.append((shown or term, found, order))
        return found

    def by_range(self, body: Scalar, at: Scalar) -> Scalar | None:
        """|slope| by the range of it, where that is bounded."""
        if any(isinstance(n, Where) for n in walk(body)):
            return None
        slope = self.derivative(body, at, 1)
        r = range_of(slope, self.facts) if slope is not None else None
        return None if r is None or r.low is None or r.high is None else num(max(abs(r.low), abs(r.high)))

    def derivative(self, body: Scalar, at: Scalar, order: int) -> Scalar | None:
        """d^k body/d at^k."""
        assert isinstance(at, Entry)
        free = sorted((i for i in body.free if isinstance(i, Index)), key=lambda i: i.serial)
        out: Array = tensor(free, body)
        try:
            for _ in range(order):
                out = jacobian(out, at.array, Context(facts=self.facts), "free")
        except CannotDerive:
            return None
        return simplify_scalar(open_tensor(out, free), self.facts)

    def squared(self, over: list[Index], weight: Scalar, a: Scalar) -> Scalar:
        """|diag(sqrt|c|) A|^2."""
        c = _size(weight, self.facts)
        fixed = mul(*(f for f in _factors(c) if not f.free & set(over)))
        inside = mul(*(_root(f, self.facts) for f in _factors(c) if f.free & set(over)))
        norm = spectral(over, self.axes, mul(inside, a))
        if norm is None:
            norm = power(total(power(mul(inside, a), TWO), [*over, *self.axes]), HALF)
        return mul(fixed, power(norm, TWO))

    def summed(self, over: list[Index], weight: Scalar, a: Scalar) -> Scalar:
        """sum_k |c_k| |A_k|, or sqrt(n) |c| |A| where A has one entry in a row."""
        c = _size(weight, self.facts)
        if any(isinstance(f, Delta) for f in _factors(a)) and not c.free & set(over):
            norm = spectral(over, self.axes, a)
            if norm is not None:
                return mul(c, norm, *(power(i.size, HALF) for i in over))
        return total(mul(c, power(total(power(a, TWO), self.axes), HALF)), over)

    def of_exponentials(self, term: Scalar, over: list[Index], weight: Scalar, order: int) -> Scalar | None:
        """log-sum-exp of affine values."""
        value: Scalar | None = None
        i: list[Index] = []
        if isinstance(term, Entry) and isinstance(term.array, Operation) and term.array.name == "logsumexp":
            (v,) = term.array.operands
            if isinstance(v, Array) and self.curvature.array(v) == AFFINE:
                *lead, last = v.shape
                i = [fresh_index(last)]
                value = open_tensor(v, (*term.indices[: len(lead)], *i))
        elif isinstance(term, Fn) and term.name == "log" and isinstance(term.args[0], Sum):
            body, i = open_sum(term.args[0])
            moving = [f for f in _factors(body) if self.moves(f)]
            fits = len(moving) == 1 and isinstance(moving[0], Fn) and moving[0].name == "exp"
            fits = fits and self.curvature.of(moving[0].args[0]) == AFFINE
            if fits and all(range_of(f, self.facts).nonnegative for f in _factors(body) if f not in moving):
                value = moving[0].args[0]
        if value is None:
            return None
        a = self.slope_of(value)
        if order == 2:
            self.used.append((term, HALF, 2))
            return mul(HALF, self.squared_rows(over, i, weight, a))
        return total(mul(_size(weight, self.facts), fold("max", power(total(power(a, TWO), self.axes), HALF), i)), over)

    def squared_rows(self, over: list[Index], i: list[Index], weight: Scalar, a: Scalar) -> Scalar:
        return self.squared([*over, *i], weight, a)

    def of_norm(self, term: Scalar, over: list[Index], weight: Scalar, order: int) -> Scalar | None:
        """g(|u|) for an affine array u: the norm itself, or a smooth function of its square."""
        roots = [n for n in _inside(term) if self.is_square_norm(n)]
        if not roots:
            return None
        square = roots[0]
        assert isinstance(square, Sum)
        body, i = open_sum(square)
        assert isinstance(body, Pow)
        at = entry(var("_u", (), "positive", "placeholder", uid=26))
        rest = self.curvature.without(term, square, power(at, TWO))
        if self.moves(rest):
            return None
        most = _most(rest, at, Fraction(0), None, order, self.facts)
        if most in (None, INF, NAN) or (order == 2 and not _is_even(rest, at, self.facts)):
            raise self.refused(term, "as a function of a norm it grows too fast, or has a kink at 0")
        self.used.append((term, most, order))
        a = self.slope_of(body.base)
        norm = spectral(i, self.axes, a)
        if norm is None:
            norm = power(total(power(a, TWO), [*i, *self.axes]), HALF)
        c = _size(mul(weight, most), self.facts)
        whole = spectral([*over, *i], self.axes, a) if over and not c.free & set(over) else None
        if order == 1 and whole is not None:
            return mul(c, whole, *(power(k.size, HALF) for k in over))
        return total(mul(c, norm if order == 1 else power(norm, TWO)), over)

    def is_square_norm(self, n: Scalar) -> bool:
        if not isinstance(n, Sum) or not self.moves(n):
            return False
        body = n.body
        return isinstance(body, Pow) and body.exponent is TWO and self.curvature.of(body.base) == AFFINE

    def of_extreme(self, term: Scalar, over: list[Index], weight: Scalar, order: int) -> Scalar | None:
        """The largest of affine values, norms of matrices."""
        if order == 2:
            return None
        if isinstance(term, Fold) and term.kind in ("max", "min") and self.curvature.of(term.body) == AFFINE:
            body, i = open_sum(term)
            length = power(total(power(self.slope_of(body), TWO), self.axes), HALF)
            return total(mul(_size(weight, self.facts), fold("max", length, i)), over)
        if isinstance(term, Entry) and isinstance(term.array, Operation) and term.array.name in NORMS:
            (a,) = term.array.operands
            if isinstance(a, Array) and self.curvature.array(a) == AFFINE:
                i, j = (fresh_index(n) for n in a.shape)
                norm = spectral([i, j], self.axes, self.slope_of(open_tensor(a, (i, j))))
                if norm is None:
                    return None
                rank = ONE if term.array.name == "spectral_norm" else power(fn("min", *a.shape), HALF)
                return total(mul(_size(weight, self.facts), rank, norm), over)
        return None


def _most(body: Scalar, at: Scalar, low: Fraction | None, high: Fraction | None, order: int, facts: Facts | None) -> Scalar | None:
    table = Table(facts)
    r = range_of(at, facts)
    t = table.symbol(at, **({"positive": True} if r.positive else {"nonnegative": True} if r.nonnegative else {"real": True}))
    ends = Interval(-S.oo if low is None else S.Rational(*low.as_integer_ratio()),
                    S.oo if high is None else S.Rational(*high.as_integer_ratio()))  # fmt: skip
    try:
        f = to_sympy(body, table)
        with assuming(table):
            found = greatest_size(f, t, ends, order)
        if found is None or found in (S.oo, S.nan):
            return {None: None, S.oo: INF, S.nan: NAN}[found]
        return from_sympy(found, table)
    except (NotInSymPy, CannotDerive):
        return None


def _is_even(body: Scalar, at: Scalar, facts: Facts | None) -> bool:
    """Whether g is smooth and even around 0, so that g(|u|) is smooth there."""
    table = Table(facts)
    t = table.symbol(at, real=True)
    try:
        f = to_sympy(body, table)
    except NotInSymPy:
        return False
    return bool(S.simplify(f - f.subs(t, -t)) == 0) and not f.has(S.Abs, S.sign)


def _apart(f: Array) -> Array:
    """`f` with log-softmax written as v - logsumexp(v)."""
    found = {n: _log_softmax(n.operands[0]) for n in walk(f) if isinstance(n, Operation) and n.name == "log_softmax"}
    return replace_arrays(f, found) if found else f


def _log_softmax(v: Any) -> Array:
    axes = [axis(k, n) for k, n in enumerate(v.shape)]
    return tensor(axes, sub(open_tensor(v, axes), entry(operation("logsumexp", (v,), v.shape[:-1]), *axes[:-1])))


def _terms(node: Scalar) -> Sequence[Scalar]:
    return node.args if isinstance(node, Add) else (node,)


def _factors(node: Scalar) -> list[Scalar]:
    return list(node.args) if isinstance(node, Mul) else [node]


def _root(f: Scalar, facts: Facts | None) -> Scalar:
    """r with r^2 = |f|."""
    if isinstance(f, Pow) and range_of(f.exponent).integer:
        r = range_of(f.exponent).point
        if r is not None and r % 2 == 0:
            return power(f.base, num(r / 2))
    return power(_size(f, facts), HALF)


def _inside(term: Scalar) -> list[Scalar]:
    out: list[Scalar] = []
    stack: list[Scalar] = [term]
    while stack:
        n = stack.pop()
        out.append(n)
        if not isinstance(n, Sum | Fold):
            stack.extend(a for a in n.args if isinstance(a, Scalar))
    return out
