"""Fields of numbers: float64 for looks, balls for evidence; one interface on arrays of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq

from symgen.tensor.numeric import FUNCTIONS, OPERATIONS, ball_power

__all__ = ["BALL", "FLOAT", "Ball", "Field", "TooLarge", "align", "apply", "scalar_array"]

MAX_ELEMENTS = 40_000_000  # of one float array
MAX_BALLS = 1_000_000  # of one array of balls


class TooLarge(Exception):
    """An array that would not fit into memory."""


class Field:
    """Float64: arrays of dtype float."""

    name = "float64"
    limit = MAX_ELEMENTS
    exact = False

    @contextmanager
    def working(self) -> Iterator[None]:
        with np.errstate(all="ignore"):
            yield

    def number(self, value: int | Fraction | str) -> Any:
        if isinstance(value, str):
            return np.float64({"inf": np.inf, "nan": np.nan, "pi": np.pi, "e": np.e}[value])
        try:
            return np.float64(value)
        except OverflowError:
            return np.float64(np.inf if value > 0 else -np.inf)

    def array(self, value: Any) -> Any:
        return np.asarray(value, dtype=float)

    def integers(self, values: Any) -> Any:
        """Field values of an array of integers held as floats."""
        return np.asarray(values, dtype=float)

    def to_integers(self, values: Any) -> Any:
        """Floats that hold integers where the values are integers, else nan."""
        values = np.asarray(values, dtype=float)
        return np.where(values == np.rint(values), values, np.nan)

    def full(self, shape: tuple[int, ...], value: Any) -> Any:
        return np.full(shape, value)

    def add(self, terms: Sequence[Any]) -> Any:
        out = terms[0]
        for t in terms[1:]:
            out = out + t
        return out

    def multiply(self, factors: Sequence[Any]) -> Any:
        out = factors[0]
        for f in factors[1:]:
            out = out * f
        return out

    def power(self, base: Any, exponent: Any) -> Any:
        e = np.asarray(exponent)
        if e.ndim == 0:
            if e == 0.5:
                return np.sqrt(base)
            if e == -1:
                return 1.0 / np.asarray(base)
            if e == 2:
                return base * base
        return np.power(base, exponent)

    def function(self, name: str) -> Callable[..., Any]:
        return FUNCTIONS[name].float64

    def matrix_operation(self, name: str) -> Callable[..., Any]:
        return OPERATIONS[name].float64

    def sum(self, values: Any, axes: tuple[int, ...]) -> Any:
        self.bounded(np.size(values))
        return np.sum(values, axis=axes)

    def bounded(self, count: int) -> int:
        """So many numbers, if they are not too many: a view of a few may be long, and takes long to go through."""
        if count > self.limit:
            raise TooLarge("a sum has too many terms to evaluate")
        return count

    def fold(self, kind: str, values: Any, axes: tuple[int, ...]) -> Any:
        self.bounded(np.size(values))
        if kind == "prod":
            return np.prod(values, axis=axes)
        start = -np.inf if kind == "max" else np.inf
        return (np.max if kind == "max" else np.min)(values, axis=axes, initial=start)

    def compare(self, op: str, a: Any, b: Any) -> Any:
        if op == "==":
            return np.equal(a, b)
        if op == "!=":
            return np.not_equal(a, b)
        return np.less(a, b) if op == "<" else np.less_equal(a, b)

    def attained(self, a: Any, b: Any) -> Any:
        """Whether an extreme `a` is (at) the value `b`."""
        return np.equal(a, b)

    def logic(self, op: str, args: Sequence[Any]) -> Any:
        if op == "not":
            return np.logical_not(args[0])
        out = args[0]
        for a in args[1:]:
            out = np.logical_and(out, a) if op == "and" else np.logical_or(out, a)
        return out

    def choose(self, condition: Any, a: Any, b: Any) -> Any:
        return np.where(condition, a, b)

    def contract(self, factors: list[tuple[Any, list[int]]], bound: list[int], out: list[int]) -> Any:
        operands: list[Any] = []
        for values, axes in factors:
            operands += [values, axes]
        if len(set(bound) | set(out)) > 50:
            return _eliminate(self, factors, bound, out)
        return np.einsum(*operands, out, optimize="greedy" if len(factors) > 1 else False)


class Ball(Field):
    """Balls of `bits` bits: object arrays of `flint.arb`; a condition that a ball does not decide is None."""

    limit = MAX_BALLS
    exact = True

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.name = f"ball{bits}"

    @contextmanager
    def working(self) -> Iterator[None]:
        with ctx.workprec(self.bits):
            yield

    def number(self, value: int | Fraction | str) -> Any:
        if isinstance(value, str):
            return {"inf": arb.pos_inf, "nan": arb.nan, "pi": arb.pi, "e": arb.const_e}[value]()
        if isinstance(value, int):
            return arb(value)
        if value.denominator == 1:
            return arb(value.numerator)
        return arb(fmpq(value.numerator, value.denominator))

    def array(self, value: Any) -> Any:
        a = np.asarray(value)
        if a.dtype == object:
            return _balls(_to_ball, a)
        if a.dtype.kind in "iub":
            return _balls(arb, a.astype(object))
        return _balls(arb, a.astype(float))

    def integers(self, values: Any) -> Any:
        return _balls(lambda v: arb(int(v)) if v == v else arb("nan"), np.asarray(values))

    def to_integers(self, values: Any) -> Any:
        def one(v: Any) -> float:
            k = v.unique_fmpz()
            return float("nan") if k is None else float(int(k))

        return np.asarray(np.frompyfunc(one, 1, 1)(values), dtype=float)

    def full(self, shape: tuple[int, ...], value: Any) -> Any:
        out = np.empty(shape, dtype=object)
        out.fill(value)
        return out

    def power(self, base: Any, exponent: Any) -> Any:
        return apply(ball_power, base, exponent)

    def function(self, name: str) -> Callable[..., Any]:
        return _vectorised(FUNCTIONS[name].ball)

    def matrix_operation(self, name: str) -> Callable[..., Any]:
        return OPERATIONS[name].ball

    def sum(self, values: Any, axes: tuple[int, ...]) -> Any:
        self.bounded(np.size(values))
        return _reduce(lambda a, b: a + b, values, axes, arb(0))

    def fold(self, kind: str, values: Any, axes: tuple[int, ...]) -> Any:
        if kind == "prod":
            return _reduce(lambda a, b: a * b, values, axes, arb(1))
        if kind == "max":
            return _reduce(arb.max, values, axes, arb.neg_inf())
        return _reduce(arb.min, values, axes, arb.pos_inf())

    def compare(self, op: str, a: Any, b: Any) -> Any:
        return apply(_COMPARE[op], a, b)

    def attained(self, a: Any, b: Any) -> Any:
        return apply(_attained, a, b)

    def logic(self, op: str, args: Sequence[Any]) -> Any:
        if op == "not":
            return apply(lambda a: None if a is None else not a, args[0])
        decisive = op == "or"

        def combine(a: bool | None, b: bool | None) -> bool | None:
            if a is decisive or b is decisive:
                return decisive
            return None if a is None or b is None else not decisive

        out = args[0]
        for a in args[1:]:
            out = apply(combine, out, a)
        return out

    def choose(self, condition: Any, a: Any, b: Any) -> Any:
        return apply(_choose, condition, a, b)

    def contract(self, factors: list[tuple[Any, list[int]]], bound: list[int], out: list[int]) -> Any:
        return _eliminate(self, factors, bound, out)


FLOAT = Field()


@lru_cache(maxsize=64)
def BALL(bits: int) -> Ball:
    """The field of balls of that many bits."""
    return Ball(bits)


def _to_ball(value: Any) -> Any:
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator))
    return value if isinstance(value, arb) else arb(value)


def apply(f: Callable[..., Any], *args: Any) -> Any:
    """f on elements of object arrays, broadcast; an array also where it has rank 0."""
    out = np.frompyfunc(f, len(args), 1)(*args)
    if isinstance(out, np.ndarray):
        return out
    return scalar_array(out)


def scalar_array(value: Any) -> Any:
    out = np.empty((), dtype=object)
    out[()] = value
    return out


@lru_cache(maxsize=512)
def _vectorised(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: apply(f, *args)


def _balls(f: Callable[[Any], Any], a: Any) -> Any:
    flat = np.empty(a.size, dtype=object)
    for k, v in enumerate(a.reshape(-1).tolist()):
        flat[k] = f(v)
    return flat.reshape(a.shape)


def _reduce(f: Callable[[Any, Any], Any], values: Any, axes: tuple[int, ...], start: Any) -> Any:
    kept = [k for k in range(values.ndim) if k not in axes]
    moved = np.transpose(values, [*kept, *axes])
    shape = tuple(values.shape[k] for k in kept)
    rows = int(np.prod(shape, dtype=int))
    moved = moved.reshape(rows, -1) if values.size else np.empty((rows, 0), dtype=object)
    out = np.empty(moved.shape[0], dtype=object)
    for r, row in enumerate(moved):
        total = start
        for v in row:
            total = f(total, v)
        out[r] = total
    return out.reshape(shape)


def _equal(a: Any, b: Any) -> bool | None:
    if a.is_exact() and b.is_exact():
        return bool(a == b)
    return None if a.overlaps(b) else False


def _attained(a: Any, b: Any) -> bool | None:
    """Whether a value is the extreme of those that it is compared with: two of them at a random point do not agree to
    twelve digits unless they are one."""
    found = _equal(a, b)
    if found is None and (a - b).abs_upper() < 1e-12 * (1 + abs(a.mid())):
        return True
    return found


def _not(f: Callable[[Any, Any], bool | None]) -> Callable[[Any, Any], bool | None]:
    def negated(a: Any, b: Any) -> bool | None:
        x = f(a, b)
        return None if x is None else not x

    return negated


def _less(a: Any, b: Any) -> bool | None:
    return True if a < b else False if a >= b else None


def _less_equal(a: Any, b: Any) -> bool | None:
    return True if a <= b else False if a > b else None


_COMPARE: dict[str, Callable[[Any, Any], bool | None]] = {
    "==": _equal, "!=": _not(_equal), "<": _less, "<=": _less_equal,
}  # fmt: skip


def _choose(condition: bool | None, a: Any, b: Any) -> Any:
    if condition is None:
        return a.union(b) if a.is_finite() and b.is_finite() else arb.nan()
    return a if condition else b


def align(values: Any, axes: Sequence[Any], wanted: Sequence[Any]) -> Any:
    """`values` over `axes` as an array over `wanted`, in which the axes stand in the same order."""
    if len(axes) == len(wanted):
        return values
    sizes = dict(zip(axes, values.shape, strict=True))
    return values.reshape([sizes.get(i, 1) for i in wanted])


def _eliminate(number: Field, factors: list[tuple[Any, list[int]]], bound: list[int], out: list[int]) -> Any:
    """Sum a product over `bound`, one index after the other, the one whose factors make the smallest product first."""
    sizes: dict[int, int] = {}
    for values, axes in factors:
        sizes.update(zip(axes, values.shape, strict=True))
    todo = list(bound)

    def joined(i: int) -> tuple[int, ...]:
        return tuple(sorted({a for _, axes in factors if i in axes for a in axes}))

    def cost(i: int) -> int:
        return int(np.prod([float(sizes[a]) for a in joined(i)]))

    while todo:
        i = min(todo, key=cost)
        if cost(i) > number.limit:
            raise TooLarge("a contraction is too large to evaluate")
        todo.remove(i)
        axes = list(joined(i))
        product = number.multiply([align(v, a, axes) for v, a in factors if i in a])
        product = np.broadcast_to(product, [sizes[a] for a in axes])
        k = axes.index(i)
        rest = [(v, a) for v, a in factors if i not in a]
        factors = [*rest, (number.sum(product, (k,)), axes[:k] + axes[k + 1 :])]
    product = number.multiply([align(v, a, sorted(out)) for v, a in factors])
    return np.broadcast_to(product, [sizes[a] for a in sorted(out)])
