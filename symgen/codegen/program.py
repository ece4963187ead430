"""A `Program`: array statements in single assignment, with shapes. `lower` makes them, `emit` prints them.

A `Value` is one array operation on other values. Values are interned per program, so that what is computed twice is
one value; what no output needs is never printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symgen.tensor.expression import ONE, Scalar

__all__ = ["Program", "Value", "LEAVES", "VIEWS"]

LEAVES = frozenset({"input", "num", "size", "loopvar", "loopself"})
VIEWS = frozenset({"transpose", "expand", "index", "diagonal", "reshape", "windows", "item"})  # may share memory with args[0]


@dataclass(eq=False)
class Value:
    """One operation: `op` of `args` with `attrs`. kind: f float array, i integer array, b truth values, s a number.

    `loops` are the loops inside which it has to stand; `name` is the author's (or a derivation's) word for it,
    `comment` its formula.
    """

    op: str
    args: tuple[Value, ...]
    attrs: tuple[Any, ...]
    shape: tuple[Scalar, ...]
    kind: str
    serial: int
    loops: frozenset[int] = frozenset()
    name: str | None = None
    comment: str | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def number(self) -> Fraction | None:
        """The exact number that it is, if it is one."""
        value = self.attrs[0] if self.op == "num" else None
        return value if isinstance(value, Fraction) else None


@dataclass
class Loop:
    """A recurrence h: entries `base` are given, then h[t] = step for t from len(base) on, or downwards."""

    number: int
    reverse: bool
    length: Scalar
    base: tuple[Value, ...] = ()
    step: Value | None = None


@dataclass
class Program:
    """The values of a computation; `outputs` are named values to compute from inputs and sizes."""

    table: dict[tuple[Any, ...], Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    loops: dict[int, Loop] = field(default_factory=dict)

    def make(
        self,
        op: str,
        args: Sequence[Value] = (),
        attrs: tuple[Any, ...] = (),
        shape: tuple[Scalar, ...] = (),
        kind: str = "f",
    ) -> Value:
        args = tuple(args)
        key = (op, attrs, *(a.serial for a in args), shape if not args else None)
        found = self.table.get(key)
        if found is None:
            loops: frozenset[int] = frozenset()
            for a in args:
                loops = loops | a.loops
            found = self.table[key] = Value(op, args, attrs, shape, kind, len(self.table), loops)
        return found

    def number(self, value: Fraction | int | str) -> Value:
        return self.make("num", (), (value if isinstance(value, str) else Fraction(value),), (), "s")

    def size(self, size: Scalar) -> Value:
        """A size as a number."""
        rational = getattr(size, "rational", None)
        return self.number(rational) if rational is not None else self.make("size", (), (size,), (), "s")

    # --- views ---

    def transpose(self, x: Value, order: Sequence[int]) -> Value:
        order = tuple(order)
        if order == tuple(range(x.rank)):
            return x
        if x.op == "transpose":
            return self.transpose(x.args[0], [x.attrs[0][k] for k in order])
        return self.make("transpose", (x,), (order,), tuple(x.shape[k] for k in order), x.kind)

    def expand(self, x: Value, places: Sequence[bool]) -> Value:
        """`places` tells for each new axis whether it is one of x's (else it is new, of size 1)."""
        places = tuple(places)
        while places and not places[0]:  # broadcasting adds leading axes by itself
            places = places[1:]
        if all(places):
            return x
        shape, rest = [], iter(x.shape)
        for own in places:
            shape.append(next(rest) if own else ONE)
        return self.make("expand", (x,), (places,), tuple(shape), x.kind)

    # --- elements ---

    def elementwise(self, op: str, *args: Value, kind: str | None = None) -> Value:
        shape = broadcast_shape([a.shape for a in args])
        if kind is None:
            kind = "s" if all(a.kind == "s" for a in args) else "f"
        return self.make(op, args, (), shape, kind)

    def add(self, a: Value, b: Value) -> Value:
        if a.number == 0:
            return b
        if b.number == 0:
            return a
        if a.number is not None and b.number is not None:
            return self.number(a.number + b.number)
        return self.elementwise("add", a, b)

    def sub(self, a: Value, b: Value) -> Value:
        if b.number == 0:
            return a
        return self.neg(b) if a.number == 0 else self.elementwise("sub", a, b)

    def neg(self, a: Value) -> Value:
        if a.number is not None:
            return self.number(-a.number)
        return a.args[0] if a.op == "neg" else self.elementwise("neg", a)

    def mul(self, a: Value, b: Value) -> Value:
        if a.number == 1:
            return b
        if b.number == 1:
            return a
        if a.number is not None and b.number is not None:
            return self.number(a.number * b.number)
        if a.number == -1:
            return self.neg(b)
        return self.elementwise("mul", a, b)

    def div(self, a: Value, b: Value) -> Value:
        if b.number == 1:
            return a
        if a.number is not None and b.number is not None and b.number != 0:
            return self.number(a.number / b.number)
        return self.elementwise("div", a, b)

    def reachable(self, roots: Iterable[Value]) -> list[Value]:
        """The values that the roots need, in the order of making."""
        seen: dict[int, Value] = {}
        stack = list(roots)
        while stack:
            v = stack.pop()
            if v.serial in seen:
                continue
            seen[v.serial] = v
            stack.extend(self.needs(v))
        return [seen[k] for k in sorted(seen)]

    def needs(self, v: Value) -> tuple[Value, ...]:
        """What has to be computed before `v`: its arguments, and the body of a loop."""
        if v.op == "loop":
            loop = self.loops[v.attrs[0]]
            assert loop.step is not None
            return (*loop.base, loop.step)
        return v.args


def broadcast_shape(shapes: Sequence[tuple[Scalar, ...]]) -> tuple[Scalar, ...]:
    rank = max((len(s) for s in shapes), default=0)
    out: list[Scalar] = [ONE] * rank
    for s in shapes:
        for k, size in enumerate(s, rank - len(s)):
            if size is not ONE:
                out[k] = size
    return tuple(out)
