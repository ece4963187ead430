"""Values at a point where a formula divides 0 by 0, `where(x == c, a, f(x))`: the derivatives there are those of f.

f is written as a power series in t = x - c, with finitely many negative powers; a is then replaced by a + f'(c) t, which
is the same at x = c and has the right slope. Henrici (1974), 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.reverse import program_of
from symgen.calculus.rules import derivative_of
from symgen.derivation.context import Context
from symgen.tensor.bottom_up import bottom_up
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Tensor,
    Var,
    Where,
    add,
    axis,
    divide,
    fn,
    mul,
    neg,
    num,
    open_tensor,
    power,
    rebuild,
    replace_arrays,
    sub,
    tensor,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.nodes import CHOOSES
from symgen.tensor.walking import count_nodes
from symgen.text.diagnostics import CannotDerive

__all__ = ["with_met", "with_slopes_at_equality"]

TERMS = (5, 9)  # of a series, and where so many cancelled that nothing is left
MOST = 400  # nodes of a formula that is looked through


Known = dict[Scalar, tuple[Scalar, Scalar]]  # a condition of equality: what it says, y = value


class _NoSeries(Exception):
    """A formula that is no power series there, as far as is seen."""


Series = tuple[int, list[Scalar]]  # sum of coefficients[k] t^(first + k)


def with_slopes_at_equality(f: Array, xs: Sequence[Array], ctx: Context) -> tuple[Array, Known]:
    """`f` with slopes where two quantities that hang on `xs` are equal, and the conditions at which it has them."""
    own = frozenset(x for x in xs if isinstance(x, Var))
    known: Known = {}
    failed: list[Compare] = []

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Add):
            joined = _joined(n)
            if joined is n:
                return n
            n = add(*(rule(t) if isinstance(t, Where) else t for t in joined.args)) if isinstance(joined, Add) else joined
        if not isinstance(n, Where) or not isinstance(n.args[0], Compare) or n.args[0].op != "==" or isinstance(n.args[2], Num):
            return n
        condition, a, b = n.args
        if own.isdisjoint(variables_of(condition)) or count_nodes(b) > MOST:
            return n
        made = _with_slope(condition, a, b, own)
        if made is None:
            failed.append(condition)
            return n
        known[condition] = made[1:]
        return where(condition, made[0], b)

    put: dict[Array, Array] = {}
    for array in program_of(f):
        if isinstance(array, Tensor) and array.body.marks & CHOOSES and (array is f or ctx.name_of(array) is None):
            failed.clear()
            before = open_tensor(array, array.axes)
            body = bottom_up(before, rule)
            for condition in dict.fromkeys(failed):  # poles that cancel between pieces far apart
                pieces = [_where_it(condition, before, k) for k in (1, 2)]
                made = _with_slope(condition, pieces[0], pieces[1], own)
                if made is not None:
                    known[condition], body = made[1:], where(condition, made[0], pieces[1])
            if known:
                put[array] = tensor(array.axes, body)
    return (replace_arrays(f, put), known) if known else (f, {})


def _where_it(condition: Compare, x: Scalar, piece: int) -> Scalar:
    """x where the condition holds (1) or does not (2)."""
    return bottom_up(x, lambda n: n.args[piece] if isinstance(n, Where) and n.args[0] is condition else n)


def _joined(x: Add) -> Scalar:
    """Terms with pieces under one condition of equality as one: their poles may cancel."""
    by: dict[Scalar, list[tuple[Scalar, Scalar]]] = {}
    rest: list[Scalar] = []
    for t in x.args:
        factors = t.args if isinstance(t, Mul) else (t,)
        chosen = [g for g in factors if isinstance(g, Where) and isinstance(g.args[0], Compare) and g.args[0].op == "=="]
        if len(chosen) == 1:
            outside = mul(*(g for g in factors if g is not chosen[0]))
            by.setdefault(chosen[0].args[0], []).append((mul(outside, chosen[0].args[1]), mul(outside, chosen[0].args[2])))
        else:
            rest.append(t)
    if all(len(pieces) < 2 for pieces in by.values()):
        return x
    made = [where(c, add(*(a for a, _ in pieces)), add(*(b for _, b in pieces))) for c, pieces in by.items()]
    return add(*made, *rest)


def with_met(array: Array, known: Known) -> Array:
    """The pieces under the conditions with what these say put in."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Where) and n.args[0] in known:
            return where(n.args[0], replaced(n.args[1], *known[n.args[0]]), n.args[2])
        return n

    axes = [axis(k, s) for k, s in enumerate(array.shape)]
    return tensor(axes, bottom_up(open_tensor(array, axes), rule))


INVERSES: Mapping[str, Callable[[Scalar], Scalar]] = {
    "sigmoid": lambda c: sub(fn("log", c), fn("log", sub(ONE, c))),
    "exp": lambda c: fn("log", c),
    "log": lambda c: fn("exp", c),
}


def _with_slope(condition: Compare, a: Scalar, b: Scalar, own: frozenset[Var]) -> tuple[Scalar, Scalar, Scalar] | None:
    for y, at in _places(condition, own):
        try:
            for terms in TERMS:
                first, found = _Expansion(y, at, terms).of(b)
                if first + len(found) > 1:
                    break
        except (_NoSeries, CannotDerive):
            continue
        if first + len(found) < 2 or any(simplify_scalar(c) is not ZERO for k, c in enumerate(found) if k + first < 0):
            continue
        value, slope = ([ZERO] * first + found)[:2] if first >= 0 else found[-first : 2 - first]
        here = replaced(a, y, at)
        if simplify_scalar(sub(value, here)) is ZERO:
            return add(value, mul(simplify_scalar(slope), sub(y, at))), y, at
    return None


def replaced(x: Scalar, y: Scalar, value: Scalar) -> Scalar:
    return bottom_up(x, lambda n: value if n is y else n)


def _places(condition: Compare, own: frozenset[Var]) -> Iterator[tuple[Scalar, Scalar]]:
    """What the condition says, y = at: y an entry in which it is linear, or of which it holds a function, or that function."""
    gap = sub(*condition.args)
    entries = {n for n in parts_of(gap) if isinstance(n, Entry) and not own.isdisjoint(variables_of(n.array))}
    for n, other in (condition.args, condition.args[::-1]):
        if isinstance(n, Fn) and n.name in INVERSES and isinstance(n.args[0], Entry) and own.isdisjoint(variables_of(other)):
            yield n.args[0], simplify_scalar(INVERSES[n.name](other))
    for y in [*sorted(entries, key=lambda e: e.serial), *(n for n in condition.args if isinstance(n, Fn))]:
        try:
            first, line = _Expansion(y, ZERO, 4).of(gap)
        except (_NoSeries, CannotDerive):
            continue
        level, slope = ([ZERO] * first + line + [ZERO, ZERO])[:2] if first >= 0 else (ZERO, ZERO)
        curved = any(simplify_scalar(c) is not ZERO for k, c in enumerate(line) if k + first > 1)
        if not curved and simplify_scalar(slope) is not ZERO:
            yield y, simplify_scalar(neg(divide(level, slope)))


class _Expansion:
    """Series in t of formulas at y = at + t, `terms` coefficients each."""

    def __init__(self, y: Scalar, at: Scalar, terms: int) -> None:
        self.y, self.at, self.terms = y, at, terms
        self.memo: dict[tuple[Scalar, int], Series] = {}
        self.read: dict[Scalar, bool] = {}

    def of(self, x: Scalar, terms: int = 0) -> Series:
        terms = terms or self.terms
        found = self.memo.get((x, terms))
        if found is None:
            found = self.memo[x, terms] = _led(self.made(x, terms))
        return found

    def reads(self, x: Scalar) -> bool:
        found = self.read.get(x)
        if found is None:
            own = self.y.array if isinstance(self.y, Entry) else None
            found = self.read[x] = any(
                m is self.y or (own is not None and isinstance(m, Entry) and m.array is own) for m in walk(x)
            )
        return found

    def made(self, x: Scalar, n: int) -> Series:
        if x is self.y:
            return 0, [self.at, ONE, *[ZERO] * (n - 2)][:n]
        if not self.reads(x):
            return 0, [x, *[ZERO] * (n - 1)]
        if isinstance(x, Add):
            return _sum([self.of(t, n) for t in x.args])
        if isinstance(x, Mul):
            out: Series = (0, [ONE, *[ZERO] * (n - 1)])
            for g in x.args:
                out = _product(out, self.of(g, n))
            return out
        if isinstance(x, Pow):
            return self.power(x, n)
        if isinstance(x, Fn):
            return self.function(x, n)
        if isinstance(x, Where) and isinstance(x.args[0], Compare) and x.args[0].op == "==" and self.reads(x.args[0]):
            return self.of(x.args[2], n)
        raise _NoSeries

    def power(self, x: Pow, n: int) -> Series:
        if not isinstance(x.exponent, Num) or x.exponent.rational is None:
            return self.of(fn("exp", mul(x.exponent, fn("log", x.base))), n)
        e = x.exponent.rational
        first, c = self.of(x.base, n)
        if not c and e > 0 and e.denominator == 1:
            return int(first * e), []
        if (e.denominator != 1 and first) or not c:
            raise _NoSeries
        rest = [divide(d, c[0]) for d in c]  # c0 (1 + h): (1 + h)^e by the recurrence of its coefficients
        out: list[Scalar] = [ONE]
        for k in range(1, len(c)):
            terms = [mul(num((e + 1) * Fraction(j, k) - 1), rest[j], out[k - j]) for j in range(1, k + 1)]
            out.append(simplify_scalar(add(*terms)))
        return int(first * e), [mul(power(c[0], x.exponent), d) for d in out]

    def function(self, x: Fn, n: int) -> Series:
        inside = [k for k, a in enumerate(x.args) if self.reads(a)]
        if len(inside) != 1:
            raise _NoSeries
        (k,) = inside
        first, c = self.of(x.args[k], n)
        if first < 0 or not (first or c):
            raise _NoSeries
        u = [*[ZERO] * first, *c][:n]
        arguments = [u[0] if j == k else a for j, a in enumerate(x.args)]
        if x.name in ("log", "abs") and simplify_scalar(u[0]) is ZERO:
            raise _NoSeries
        value = rebuild(x, arguments)
        if len(u) == 1:
            return 0, [value]
        slope = derivative_of(x.name, k, x.args, x)
        du: Series = (0, [mul(num(j), d) for j, d in enumerate(u)][1:])
        low, d = _product(self.of(slope, len(u) - 1), du)
        if low < 0:
            raise _NoSeries
        d = [*[ZERO] * low, *d]
        return 0, [value, *(divide(e, num(j + 1)) for j, e in enumerate(d))][:n]


def _led(s: Series) -> Series:
    """Without leading coefficients that vanish; without any it is of the order of t^first."""
    first, c = s
    c = [simplify_scalar(d) for d in c]
    while c and c[0] is ZERO:
        first, c = first + 1, c[1:]
    return first, c


def _sum(parts: Sequence[Series]) -> Series:
    first = min(f for f, _ in parts)
    end = min(f + len(c) for f, c in parts)
    return first, [add(*(c[k - f] for f, c in parts if k >= f)) for k in range(first, end)]


def _product(a: Series, b: Series) -> Series:
    n = min(len(a[1]), len(b[1]))
    return a[0] + b[0], [add(*(mul(a[1][j], b[1][k - j]) for j in range(k + 1))) for k in range(n)]


def parts_of(x: Scalar) -> Iterator[Scalar]:
    """The scalar nodes of a formula; arrays are not looked into."""
    stack: list[Scalar] = [x]
    while stack:
        n = stack.pop()
        yield n
        if not isinstance(n, Entry):
            stack.extend(a for a in n.args if a.is_scalar_node)
