"""What stands inside a result, under sums and in definitions without a name, as people write it: numbers in front, a
difference one way round, the square of a root without the root, one piece for two, sinh/cosh as tanh."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from fractions import Fraction
from itertools import permutations
from math import gcd, lcm

from symgen.algebra.collect import rank_of, written_length
from symgen.algebra.rational import simplify_scalar
from symgen.tensor.arithmetic import factors_of
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Dim,
    Entry,
    Fn,
    Index,
    Mul,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Where,
    add,
    arrays_below,
    as_coefficient,
    axis,
    compare,
    entry,
    fn,
    is_larger,
    mul,
    num,
    open_sum,
    open_tensor,
    power,
    rebuild,
    sub,
    substitute,
    tensor,
    total,
    where,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_nonnegative, is_positive
from symgen.tensor.nodes import ADDS, CALLS, CHOOSES, CONTRACTS

__all__ = ["settled_inside"]

MAX_READ = 400  # nodes of a result, and of each definition without a name
MAX_ARRAYS = 12
MAX_TERMS = 16


def settled_inside(body: Scalar, named: Container[Array], facts: Facts | None, merged: Callable[[Scalar], Scalar]) -> Scalar:
    """`body` with what stands inside settled, and like terms of sums `merged`; as it is, where it is long."""
    if is_larger(body, MAX_READ):
        return body
    below = nameless(body, named)
    if len(below) > MAX_ARRAYS or not (settles(body) or any(settles(a.body) or a.rank > 2 for a in below)):
        return body
    if any(is_larger(a, MAX_READ) for a in below):
        return body
    return _Inside(body, below, facts, merged).of(body)


def nameless(body: Scalar, named: Container[Array]) -> dict[Tensor, None]:
    """The definitions without a name that stand in `body`, through such definitions."""
    found: dict[Tensor, None] = {}
    stack = list(arrays_below(body))
    while stack and len(found) <= MAX_ARRAYS:
        a = stack.pop()
        if type(a) is Tensor and a not in found and a not in named:
            found[a] = None
            stack.extend(arrays_below(a))
    return found


_settles: dict[Scalar, bool] = {}


def settles(body: Scalar) -> bool:
    """Whether something that this page is about may stand in `body`, arrays not looked into."""
    found = _settles.get(body)
    if found is None:
        found = _settles[body] = type(body) is Pow or (bool(body.marks & (ADDS | CHOOSES | CALLS)) and _may_settle(body))
    return found


def _may_settle(body: Scalar) -> bool:
    stack: list[Scalar] = [body]
    while stack:
        x = stack.pop()
        kind = type(x)
        if kind is Where or (kind is Fn and x.name == "sinh"):
            return True
        if kind is Add and not (len(x.args) == 2 and any(type(t) is Num for t in x.args)):  # 1 - y^2
            return True
        if kind is not Entry:
            stack.extend(x.args)
    return False


class _Inside:
    def __init__(self, body: Scalar, below: dict[Tensor, None], facts: Facts | None, merged: Callable[[Scalar], Scalar]) -> None:
        self.below, self.facts, self.merged, self.root = below, facts, merged, body
        self.memo: dict[Scalar, Scalar] = {}
        self.arrays: dict[Tensor, tuple[Fraction, Array]] = {}
        self.turned: set[Scalar] = set()  # differences that stand there the other way round, more often
        self.mirrored: set[Array] = set()  # differences that are their own negatives with the indices exchanged
        self.made: set[Array] = set(below)
        self.count_differences([body, *(a.body for a in below)])

    # --- differences, one way round -----------------------------------------------------------------------------------

    def count_differences(self, roots: list[Scalar]) -> None:
        """Which differences stand there the other way round too, and less often: they are turned."""
        times: dict[Scalar, int] = {}
        stack, seen = list(roots), set(roots)
        while stack:
            x = stack.pop()
            if type(x) is Add and len(x.args) <= 6 and any(as_coefficient(t)[0] < 0 for t in x.args):
                times[x] = times.get(x, 0) + 1
            for a in x.args:
                if not a.is_array_node and a.args and (a not in seen or type(a) is Add):
                    seen.add(a)
                    stack.append(a)
        groups: dict[tuple[frozenset[Array], int], list[Scalar]] = {}
        for x in times:
            groups.setdefault((frozenset(arrays_below(x)), len(x.args)), []).append(x)
        for alike in groups.values():
            if len(alike) > 1:
                self.compare({x: times[x] for x in alike})

    def compare(self, times: dict[Scalar, int]) -> None:
        forms = {x: closed_form(x) for x in times}
        often: dict[Array, int] = {}
        for x, n in times.items():
            often[forms[x]] = often.get(forms[x], 0) + n
        for x in times:
            other = closed_form(negative(x))
            if other is forms[x]:
                self.mirrored.add(other)
            elif other in often and (often[other], -other.serial) > (often[forms[x]], -forms[x].serial):
                self.turned.add(x)

    def is_turned(self, x: Scalar) -> bool:
        if x in self.turned:
            return True
        if type(x) is not Add or not self.mirrored or closed_form(x) not in self.mirrored:
            return False
        return as_coefficient(min(x.args, key=lambda t: place_of(as_coefficient(t)[1])))[0] < 0

    # --- nodes --------------------------------------------------------------------------------------------------------

    def of(self, x: Scalar) -> Scalar:
        found = self.memo.get(x)
        if found is None:
            found = self.memo[x] = self._of(x)
        return found

    def _of(self, x: Scalar) -> Scalar:
        kind = type(x)
        if kind is Entry:
            return self.entry(x)
        if kind is Sum:
            return self.total(x)
        if kind is Pow:
            return self.power(x)
        if kind is Mul:
            return self.product(x)
        if kind is Add or kind is Where or kind is Fn or kind is Compare:
            new = [self.of(a) for a in x.args]
            if any(a is not b for a, b in zip(new, x.args, strict=True)):
                x = rebuild(x, new)
            if type(x) is Add and x is not self.root:
                return self.sum(x)
            return with_sign_outside(piece(x)) if type(x) is Where and x is not self.root else x
        return x

    def total(self, x: Sum) -> Scalar:
        wide = [f for f in (x.body.args if type(x.body) is Mul else (x.body,)) if self.is_wide(f)]
        if not wide and self.of(x.body) is x.body:
            return x
        body, indices = open_sum(x)  # first, for what is new may bind indices of that height
        names = dict(zip(x.indices, indices, strict=True))
        self.turned |= {substitute(f, names) for f in self.turned if not f.free.isdisjoint(x.indices)}
        if wide:
            body = mul(*(open_tensor(f.array, f.indices) if self.is_wide(f) else f for f in factors_of(body)))
        return total(self.of(body), indices)

    def is_wide(self, f: Scalar) -> bool:
        """Whether a factor is a product that fills three axes, which may come apart under the sum."""
        return type(f) is Entry and f.array in self.below and f.array.rank > 2 and type(f.array.body) is Mul

    def sum(self, x: Add) -> Scalar:
        """A sum with fewer terms, where some are alike."""
        if 1 < len(x.args) <= MAX_TERMS and sum(bool(t.marks & CONTRACTS) or self.speaks(t) for t in x.args) > 1:
            other = self.merged(x)
            if type(other) is not Add or len(other.args) < len(x.args):
                return other
        return x

    def speaks(self, t: Scalar) -> bool:
        """Whether a definition stands in a term that a sum may be inside of."""
        return any(type(a) is Tensor and a in self.below for a in arrays_below(t))

    def entry(self, x: Entry) -> Scalar:
        if x.array not in self.below:
            return x
        if not x.array.rank and type(x.array.body) in (Mul, Pow):  # a number that others may cancel
            return self.of(x.array.body)
        c, array = self.array(x.array)
        return x if array is x.array else mul(num(c), entry(array, *x.indices))

    def array(self, array: Tensor) -> tuple[Fraction, Array]:
        """c and an array with `array` = c times it."""
        found = self.arrays.get(array)
        if found is None:
            self.arrays[array] = (Fraction(1), array)
            body = self.of(array.body)
            c, inner = content(body)
            if c == 1 or not array.rank:
                c, inner = Fraction(1), body
            made = array if inner is array.body else tensor(array.axes, inner)
            self.made.add(made)
            found = self.arrays[array] = (c, made)
        return found

    def power(self, x: Pow) -> Scalar:
        base, exponent = self.of(x.base), self.of(x.exponent)
        k = exponent.value if type(exponent) is Num else None
        if isinstance(k, Fraction) and k.denominator == 1:
            if k % 2 == 0 and type(base) is Entry and base.array in self.made and base.array.rank and is_root(base.array):
                return self.of(power(open_tensor(base.array, base.indices), exponent))
            if self.is_turned(base):
                return mul(power(MINUS_ONE, exponent), power(negative(base), exponent))
        return x if base is x.base and exponent is x.exponent else power(base, exponent)

    def product(self, x: Mul) -> Scalar:
        scale = Fraction(1)
        factors: list[Scalar] = []
        for f in x.args:
            new = self.of(f)
            if self.is_turned(new):
                new, scale = negative(new), -scale
            if type(new) is Add:
                c, new = content(new)
                scale *= c
            factors.append(new)
        made = mul(*self.cancelling(factors_of(mul(num(scale), *factors))))
        return factors_joined(made, self.facts) if type(made) is Mul else made

    def cancelling(self, factors: Sequence[Scalar]) -> Sequence[Scalar]:
        """The factors, definitions that are products opened where one of theirs meets its inverse."""
        below = {f.base for f in factors if type(f) is Pow and not above_zero(f)}
        if not below:
            return factors
        out: list[Scalar] = []
        for f in factors:
            if type(f) is Entry and f.array in self.made and type(f.array.body) is Mul:
                opened = self.of(open_tensor(f.array, f.indices))
                if any(base_of(g) in below for g in factors_of(opened)):
                    f = opened
            out.append(f)
        return out


def negative(x: Scalar) -> Scalar:
    return add(*(mul(MINUS_ONE, t) for t in (x.args if type(x) is Add else (x,))))


def place_of(x: Scalar) -> tuple[int, list[tuple[int, str, int]]]:
    """Where a term of a difference stands among the others, by its array and then by its indices."""
    return (x.array.serial, [rank_of(i) for i in x.indices]) if type(x) is Entry else (x.serial, [])


def closed_form(x: Scalar) -> Array:
    """A difference as an array: the same for every naming of its indices."""
    free = sorted(x.free, key=lambda i: (i.size.serial, i.serial))
    orders = permutations(free) if 1 < len(free) <= 4 else [tuple(free)]
    made = [tensor([axis(k, i.size) for k, i in enumerate(o)], substitute(x, {i: axis(k, i.size) for k, i in enumerate(o)}))
            for o in orders]  # fmt: skip
    return min(made, key=lambda a: a.serial)


def is_root(array: Tensor) -> bool:
    body = array.body
    return type(body) is Pow and type(body.exponent) is Num and body.exponent.value == Fraction(1, 2)


def content(x: Scalar) -> tuple[Fraction, Scalar]:
    """c, y with x = c y: the number that all terms of a sum share, and their sign."""
    if type(x) is not Add:
        return as_coefficient(x) if type(x) is Mul else (Fraction(1), x)
    parts = [as_coefficient(t) for t in x.args]
    if any(type(b) is Num or isinstance(b, (Dim, Index)) for _, b in parts):  # 1 - p, and i + 1
        return Fraction(1), x
    c = Fraction(gcd(*(abs(c.numerator) for c, _ in parts)), lcm(*(c.denominator for c, _ in parts)))
    if all(v < 0 for v, _ in parts):
        c = -c
    return (c, x) if c == 1 else (c, add(*(mul(num(v / c), b) for v, b in parts)))


# --- pieces -----------------------------------------------------------------------------------------------------------


def piece(x: Where) -> Scalar:
    """A condition by a shorter difference: q z < (q + 1) z is 0 < z."""
    condition, a, b = x.args
    if type(condition) is not Compare or condition.op not in ("<", "<=") or ZERO in condition.args:
        return x
    if condition.free and not condition.marks & ADDS:
        return x
    left, right = condition.args
    difference = simplify_scalar(sub(right, left))
    if written_length(difference) + 1 < written_length(left) + written_length(right):
        return where(compare(condition.op, ZERO, difference), a, b)
    return x


def with_sign_outside(x: Scalar) -> Scalar:
    """where(c, -a, 0) as -where(c, a, 0), so that it may cancel."""
    if type(x) is not Where or ZERO not in x.args[1:]:
        return x
    condition, a, b = x.args
    c, value = content(a if b is ZERO else b)
    if c >= 0 and type(value) is not Num:
        return x
    scale = c * value.value if type(value) is Num and isinstance(value.value, Fraction) else Fraction(-1)
    if scale == 1:
        return x
    value = mul(num(1 / scale), a if b is ZERO else b)
    return mul(num(scale), where(condition, value, ZERO) if b is ZERO else where(condition, ZERO, value))


def factors_joined(x: Mul, facts: Facts | None) -> Scalar:
    """Pieces and functions that stand beside each other as one: relu(z) where(0 < z, 1, 0) is relu(z)."""
    calls = {f: Fraction(1) if type(f) is Fn else f.exponent.value for f in x.args if type(base_of(f)) is Fn}
    pieces = [f for f in x.args if type(f) is Where and ZERO in f.args[1:]]
    pieces += [f.base for f in x.args if type(f) is Pow and type(f.base) is Where and is_indicator(f.base) and above_zero(f)]
    if pieces:
        return pieces_joined(x, pieces, facts)
    tangents = ratios(calls)
    if not tangents:
        return x
    gone = {f for pair, _ in tangents for f in pair}
    return mul(*(f for f in x.args if f not in gone), *(made for _, made in tangents))


def base_of(f: Scalar) -> Scalar:
    return f.base if type(f) is Pow and type(f.exponent) is Num and isinstance(f.exponent.value, Fraction) else f  # type: ignore[no-any-return]


def above_zero(f: Pow) -> bool:
    return type(f.exponent) is Num and isinstance(f.exponent.value, Fraction) and f.exponent.value > 0


def ratios(calls: dict[Scalar, Fraction]) -> list[tuple[tuple[Scalar, Scalar], Scalar]]:
    """sinh(z)^k/cosh(z)^k as tanh(z)^k."""
    out: list[tuple[tuple[Scalar, Scalar], Scalar]] = []
    for f, k in calls.items():
        top = base_of(f)
        if top.name == "sinh" and k > 0:
            for g, m in calls.items():
                below = base_of(g)
                if below.name == "cosh" and m == -k and below.args == top.args:
                    out.append(((f, g), power(fn("tanh", *top.args), num(k))))
    return out


def is_indicator(x: Scalar) -> bool:
    return type(x) is Where and set(x.args[1:]) == {ZERO, ONE}


def pieces_joined(x: Mul, pieces: list[Scalar], facts: Facts | None) -> Scalar:
    """One piece for those of one condition, without what it implies; what may have no value elsewhere goes inside."""
    first = pieces[0]
    condition = first.args[0]
    inside: list[Scalar] = []
    outside: list[Scalar] = []
    kept_in_second = first.args[1] is ZERO
    for f in x.args:
        base = f.base if type(f) is Pow and f.base in pieces else f
        if base in pieces and base.args[0] is condition and (base.args[1] is ZERO) == kept_in_second:
            inside.append(base.args[2 if kept_in_second else 1])
        elif may_fail(f, facts):
            inside.append(f)
        else:
            outside.append(f)
    positive = shown_positive(condition) if not kept_in_second else None
    if positive is not None:
        outside = [f for f in outside if not is_square_of_sign(f, positive, facts)]
        if all(a is ONE or not may_fail(a, facts) for a in inside) and any(is_zero_below(f, positive) for f in outside):
            return mul(*outside, *inside)
    body = mul(*inside)
    return mul(*outside, where(condition, ZERO, body) if kept_in_second else where(condition, body, ZERO))


def shown_positive(condition: Scalar) -> Scalar | None:
    """z of 0 < z."""
    if type(condition) is Compare and condition.op in ("<", "<="):
        left, right = condition.args
        return right if left is ZERO else left if right is ZERO else sub(right, left)
    return None


def is_zero_below(f: Scalar, z: Scalar) -> bool:
    """Whether f is relu(z) or max(0, z), or a power of it: 0 where z is not positive."""
    base = f.base if type(f) is Pow and above_zero(f) else f
    if type(base) is not Fn:
        return False
    if base.name == "relu":
        return base.args[0] is z
    return base.name == "max" and len(base.args) == 2 and ZERO in base.args and z in base.args


def is_square_of_sign(f: Scalar, z: Scalar, facts: Facts | None) -> bool:
    """sign(u)^2 where |u| - s > 0, for s >= 0: it is 1 there."""
    if type(f) is not Pow or type(f.base) is not Fn or f.base.name != "sign" or not above_zero(f) or f.exponent.value % 2:
        return False
    size = fn("abs", f.base.args[0])
    return is_nonnegative(sub(size, z), facts) is True


def may_fail(f: Scalar, facts: Facts | None) -> bool:
    """Whether a factor is a quotient, by what is not known to be positive."""
    if type(f) is not Pow or type(f.exponent) is not Num or not isinstance(f.exponent.value, Fraction):
        return False
    return f.exponent.value < 0 and not is_positive(f.base, facts) and not isinstance(f.base, Dim)
