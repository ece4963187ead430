"""Expressions of the language become entry expressions: names looked up, shapes found, broadcasting decided.

`read` serves the rows of the tables, whose formulas are texts of the language. The model reads its statements with a
subclass that adds the operators (grad, KL, E ..) and turns every `Clash` into a diagnostic with its witnesses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import (
    EULER, INF, ONE, PI, ZERO, Array, Compare, Dim, Index, Logic, Num, Scalar, add, compare, divide, entry, fn, fold,
    fresh_index, logic, mul, neg, num, operation, sub, substitute, tensor, total, where,
)  # fmt: skip
from symgen.tensor.functions import FUNCTIONS
from symgen.text import tree
from symgen.text.parse import parse_expression
from symgen.text.tree import NOWHERE, Span


@dataclass(frozen=True)
class Witness:
    """A place and what it says there."""

    span: Span
    text: str


class Clash(Exception):
    """An expression that has no meaning: what is wrong, where, and the places that make it so."""

    def __init__(
        self,
        message: str,
        span: Span,
        label: str = "",
        witnesses: Sequence[Witness] = (),
        notes: Sequence[str] = (),
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.span, self.label = message, span, label
        self.witnesses, self.notes, self.help = tuple(witnesses), tuple(notes), help


class Poisoned(Exception):
    """The expression uses a name whose own definition has failed; that was reported already."""


@dataclass(frozen=True)
class UserFunction:
    """def f(t) = body, put in place of its calls."""

    name: str
    parameters: tuple[str, ...]
    body: tree.Expression
    span: Span = NOWHERE


@dataclass
class Binding:
    """What a name stands for, and where it was declared."""

    meaning: Value | UserFunction | object
    span: Span = NOWHERE
    kind: str = ""


@dataclass
class Scope:
    """Names in force; inner scopes see the outer ones."""

    names: dict[str, Binding] = field(default_factory=dict)
    parent: Scope | None = None

    def find(self, name: str) -> Binding | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def all_names(self) -> list[str]:
        scope: Scope | None = self
        out: dict[str, None] = {}
        while scope is not None:
            out.update(dict.fromkeys(scope.names))
            scope = scope.parent
        return list(out)


CONSTANTS: dict[str, Scalar] = {"pi": PI, "e": EULER, "inf": INF}
REDUCTIONS = ("sum", "mean", "prod", "max", "min", "logsumexp", "var", "norm")
FOLDS = ("prod", "max", "min")


def size_text(size: Scalar) -> str:
    """A size as people write it: n, 2*d, k + 1."""
    if isinstance(size, Dim):
        return size.name
    if isinstance(size, Num):
        return str(size.value)
    kind = type(size).__name__
    if kind == "Add":
        text = ""
        for t in sorted(size.args, key=lambda t: isinstance(t, Num)):
            piece = size_text(t)
            text = piece if not text else text + (f" - {piece[1:]}" if piece.startswith("-") else f" + {piece}")
        return text
    if kind == "Mul":
        parts = [size_text(f) for f in size.args]
        if parts[0] == "-1":
            return "-" + "*".join(parts[1:])
        return "*".join(f"({p})" if " " in p else p for p in parts)
    return str(size)


def shape_text(shape: Sequence[Scalar]) -> str:
    """`is a scalar`, `has length n`, `is n by k`, `has shape [a, b, c]`."""
    if not shape:
        return "is a scalar"
    if len(shape) == 1:
        return f"has length {size_text(shape[0])}"
    if len(shape) == 2:
        return f"is {size_text(shape[0])} by {size_text(shape[1])}"
    return "has shape [" + ", ".join(map(size_text, shape)) + "]"


class Reader:
    """Reads expressions in a scope. Subclasses add operators by `operator` and what a bare name of theirs means."""

    def __init__(self, scope: Scope, written: Callable[[Span], str] | None = None) -> None:
        self.scope = scope
        self.written = written or (lambda span: "")
        self.depth = 0

    # --- entry points

    def value(self, e: tree.Expression) -> Value:
        method = self._methods.get(type(e))
        if method is None:
            raise Clash(f"{type(e).__name__.lower()} has no value here", e.span)
        return method(self, e)

    def scalar(self, e: tree.Expression, what: str = "this") -> Scalar:
        v = self.value(e)
        if v.rank:
            raise Clash(f"{what} must be a scalar", e.span, shape_text(v.shape), self.witnesses(e))
        return v.body

    def size(self, e: tree.Expression) -> Scalar:
        """A size: dims, integers and + - * // of them."""
        s = build.normal_size(self.scalar(e, "a size"))
        if not is_size(s):
            raise Clash("a size is made of dims and integers with + - *", e.span, "not a size", self.witnesses(e))
        return s

    def witnesses(self, *expressions: tree.Expression) -> list[Witness]:
        """Where the names in these expressions were declared, with their shapes."""
        out: dict[Span, Witness] = {}
        stack = list(expressions)
        while stack:
            e = stack.pop(0)
            if isinstance(e, tree.Name):
                b = self.scope.find(e.name)
                if b is not None and b.span != NOWHERE and isinstance(b.meaning, Value) and b.kind != "dim":
                    out.setdefault(b.span, Witness(b.span, f"{e.name} {shape_text(b.meaning.shape)}"))
            else:
                stack.extend(parts_of(e))
        return list(out.values())

    def shape_clash(self, clash: ShapeClash, span: Span, *operands: tree.Expression) -> Clash:
        message = clash.message
        text = self.written(span)
        if clash.left is not None and clash.right is not None:
            left, right = size_text(clash.left), size_text(clash.right)
            of = f" of `{text}`" if text else ""
            message = f"{clash.message}: {left} and {right}"
            if clash.message == "inner sizes differ":
                message = f"the inner sizes{of} differ: {left} and {right}"
            elif clash.message == "sizes do not broadcast":
                message = f"the sizes{of} do not fit together: {left} and {right}"
            return Clash(message, span, f"{right} must equal {left}", self.witnesses(*operands))
        return Clash(message, span, "", self.witnesses(*operands))

    # --- leaves

    def _number(self, e: tree.Number) -> Value:
        return build.scalar(num(e.value))

    def _name(self, e: tree.Name) -> Value:
        b = self.scope.find(e.name)
        if b is None:
            if e.name in CONSTANTS:
                return build.scalar(CONSTANTS[e.name])
            return self.unknown(e)
        if isinstance(b.meaning, Value):
            return b.meaning
        return self.meaning(e, b)

    def unknown(self, e: tree.Name) -> Value:
        """Hook: a name that nothing declares."""
        raise Clash(f"unknown name `{e.name}`", e.span, "not declared")

    def meaning(self, e: tree.Name, b: Binding) -> Value:
        """Hook: a name that is declared, but is no value."""
        raise Clash(f"`{e.name}` is not a value", e.span, b.kind, [Witness(b.span, "declared here")])

    # --- arithmetic

    def _terms(self, e: tree.Terms) -> Value:
        values = [(sign, self.value(t)) for sign, t in e.terms]
        try:
            return build.plus(values)
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, *(t for _, t in e.terms)) from None

    def _factors(self, e: tree.Factors) -> Value:
        result = self.value(e.first)
        operands: list[tree.Expression] = [e.first]
        for op, f in e.rest:
            right = self.value(f)
            operands.append(f)
            try:
                if op == "@":
                    result = build.matmul(result, right)
                elif op == "*":
                    result = build.times(result, right)
                elif op == "//":
                    result = build.elementwise(lambda a, b: fn("floor", divide(a, b)), result, right)
                else:
                    if right.rank == 0 and right.body is ZERO:
                        raise Clash("division by zero", f.span, "is 0")
                    result = build.over(result, right)
            except ShapeClash as clash:
                span = Span(operands[0].span.start, f.span.end)
                raise self.product_clash(clash, op, span, operands, result, right) from None
        return result

    def product_clash(
        self, clash: ShapeClash, op: str, span: Span, operands: list[tree.Expression], left: Value, right: Value
    ) -> Clash:
        found = self.shape_clash(clash, span, *operands)
        if op == "@" and left.rank and right.rank and len(operands) == 2:
            a, b = (self.written(x.span) for x in operands)
            ways = []
            if left.rank > 1 and build.same_size(left.shape[-2], right.shape[-2 if right.rank > 1 else -1]):
                ways.append(f"`{a}' @ {b}`")
            if right.rank > 1 and build.same_size(left.shape[-1], right.shape[-1]):
                ways.append(f"`{a} @ {b}'`")
            if right.rank > 1 and left.rank == 1 or left.rank > 1 and right.rank == 1:
                x, y = (right, left) if left.rank > 1 else (right, left)
                if build.same_size(x.shape[-1], y.shape[-2] if y.rank > 1 else y.shape[-1]):
                    ways.append(f"`{b} @ {a}`")
            if ways and a and b:
                found.help = " or ".join(dict.fromkeys(ways)) + (" fits" if len(set(ways)) == 1 else " fit")
        elif op == "@" and (left.rank == 0 or right.rank == 0):
            found.help = "`*` multiplies by a scalar"
        return found

    def _power(self, e: tree.Power) -> Value:
        base, exponent = self.value(e.base), self.value(e.exponent)
        try:
            return build.raised(base, exponent)
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, e.base, e.exponent) from None

    def _transpose(self, e: tree.Transpose) -> Value:
        return build.transpose(self.value(e.operand))

    def _comparison(self, e: tree.Comparison) -> Value:
        values = [build.settled(self.value(x)) for x in e.operands]
        try:
            parts = [
                build.elementwise(lambda a, b, op=op: compare(op, a, b), values[k], values[k + 1])
                for k, op in enumerate(e.ops)
            ]
            return build.elementwise(lambda *conditions: logic("and", *conditions), *parts)
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, *e.operands) from None

    def condition(self, e: tree.Expression) -> Value:
        v = self.value(e)
        if not isinstance(v.body, (Compare, Logic)) and v.body is not ONE and v.body is not ZERO:
            raise Clash("a condition is needed here", e.span, "a number", help="compare it: `x > 0`")
        return v

    def _logical(self, e: tree.Logical) -> Value:
        return build.elementwise(lambda *a: logic(e.op, *a), *(self.condition(x) for x in e.operands))

    def _list(self, e: tree.ListOf) -> Value:
        if not e.items:
            raise Clash("an empty list has no value", e.span)
        try:
            return build.stack([self.value(x) for x in e.items])
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, *e.items) from None

    def _slice(self, e: tree.Slice) -> Value:
        raise Clash("a range stands in the bracket of a subscript only", e.span)

    # --- subscripts

    def _subscript(self, e: tree.Subscript) -> Value:
        base = self.value(e.operand)
        items: list[Scalar | tuple[Scalar, Scalar, Scalar] | None] = []
        arrays: list[tuple[int, Value]] = []
        position = 0
        for item in e.items:
            if isinstance(item, tree.Name) and item.name == "None" and self.scope.find("None") is None:
                items.append(None)
                continue
            if position >= base.rank:
                text = self.written(e.operand.span) or "it"
                raise Clash(
                    f"`{text}` has {base.rank} {'axis' if base.rank == 1 else 'axes'}, and {len(e.items)} are picked",
                    e.span, "too many", self.witnesses(e.operand),
                )  # fmt: skip
            size = base.shape[position]
            if isinstance(item, tree.Slice):
                items.append(self.range_of(item, size))
            else:
                v = self.value(item)
                if v.rank:
                    arrays.append((len(items), v))
                    items.append(ZERO)
                else:
                    items.append(self.inside(v.body, size, item, e))
            position += 1
        try:
            if arrays:
                return self.gather(base, items, arrays)
            return build.pick(base, items)
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, e.operand) from None

    def gather(
        self, base: Value, items: list[Scalar | tuple[Scalar, Scalar, Scalar] | None], arrays: list[tuple[int, Value]]
    ) -> Value:
        """X[ids, j]: arrays of labels as subscripts, broadcast together; their axes stand where the first one stood."""
        indices, bodies = build.broadcast([build.settled(v) for _, v in arrays])
        for (position, _), body in zip(arrays, bodies, strict=True):
            items[position] = body
        picked = build.pick(base, items)
        own = [i for i in picked.indices if i not in indices]
        first = sum(1 for item in items[: arrays[0][0]] if not isinstance(item, Scalar))
        return Value((*own[:first], *indices, *own[first:]), picked.body)

    def inside(self, value: Scalar, size: Scalar, item: tree.Expression, whole: tree.Subscript) -> Scalar:
        if isinstance(value, Num) and not isinstance(value.value, str) and value.value < 0:
            value = add(size, value)
        if build.is_inside(value, size) is False:
            name = self.written(whole.operand.span)
            raise Clash(
                f"`{self.written(item.span)}` is out of range: `{name}` has length {size_text(size)} there, counted from 0",
                item.span, "out of range", self.witnesses(whole.operand),
            )  # fmt: skip
        if isinstance(value, Num) and isinstance(value.value, str) or self.not_integer(value):
            raise Clash("a subscript is an integer", item.span, "not an integer")
        return value

    @staticmethod
    def not_integer(value: Scalar) -> bool:
        return isinstance(value, Num) and not isinstance(value.value, str) and value.value.denominator != 1

    def range_of(self, item: tree.Slice, size: Scalar) -> tuple[Scalar, Scalar, Scalar]:
        def end(e: tree.Expression | None, default: Scalar) -> Scalar:
            if e is None:
                return default
            v = self.scalar(e, "the end of a range")
            return add(size, v) if isinstance(v, Num) and not isinstance(v.value, str) and v.value < 0 else v

        step = self.scalar(item.step, "a step") if item.step is not None else ONE
        if not (isinstance(step, Num) and not isinstance(step.value, str) and step.value.denominator == 1):
            raise Clash("the step of a range is an integer", item.span)
        if step.value == 0:
            raise Clash("the step of a range must not be 0", item.span)
        if step.value < 0:
            lower, upper = end(item.lower, sub(size, ONE)), end(item.upper, num(-1))
            count = fn("floor", divide(sub(sub(lower, upper), add(step, ONE)), neg(step))) if step is not num(-1) else None
            length = sub(lower, upper) if count is None else count
        else:
            lower, upper = end(item.lower, ZERO), end(item.upper, size)
            length = sub(upper, lower)
            if step is not ONE:
                length = fn("floor", divide(add(length, sub(step, ONE)), step))
        length = build.normal_size(length)
        if isinstance(length, Num) and not isinstance(length.value, str) and length.value <= 0:
            raise Clash("this range is empty", item.span, f"of length {length.value}")
        for value in (lower, sub(upper, ONE) if step.value > 0 else lower):
            if build.is_inside(build.normal_size(value), size) is False:
                raise Clash(f"this range leaves the axis, whose length is {size_text(size)}", item.span, "out of range")
        return lower, length, step

    # --- calls

    def _call(self, e: tree.Call) -> Value:
        b = self.scope.find(e.function)
        if b is not None:
            if isinstance(b.meaning, UserFunction):
                return self.call_user(e, b.meaning)
            found = self.call_declared(e, b)
            if found is not None:
                return found
        if e.versus or e.given or e.log:
            return self.operator(e)
        special = SPECIAL.get(e.function)
        if special is not None:
            return self.guarded(e, lambda: special(self, e))
        row = FUNCTIONS.get(e.function)
        if row is not None:
            return self.call_function(e)
        return self.operator(e)

    def guarded(self, e: tree.Call, make: Callable[[], Value]) -> Value:
        try:
            return make()
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, *e.arguments) from None

    def call_function(self, e: tree.Call) -> Value:
        row = FUNCTIONS[e.function]
        self.no_keywords(e)
        wanted = len(row.arguments)
        least = wanted - len(row.defaults)
        if not least <= len(e.arguments) <= wanted:
            raise self.wrong_count(e, str(wanted) if least == wanted else f"{least} to {wanted}")
        values = [self.value(a) for a in e.arguments]
        missing = row.defaults[len(e.arguments) - least :] if len(e.arguments) < wanted else ()
        values += [build.scalar(num_text(text)) for text in missing]
        return self.guarded(e, lambda: build.apply(e.function, *values))

    def wrong_count(self, e: tree.Call | tree.Binder, wanted: str) -> Clash:
        n = len(e.arguments)
        plural = "" if wanted == "1" else "s"
        return Clash(f"`{e.function}` takes {wanted} argument{plural}, and {n} {'is' if n == 1 else 'are'} given", e.span)

    def no_keywords(self, e: tree.Call, *allowed: str) -> dict[str, tree.Expression]:
        out = {}
        for k in e.keywords:
            if k.name not in allowed:
                known = f": it knows {', '.join(f'`{a}=`' for a in allowed)}" if allowed else ""
                raise Clash(f"`{e.function}` takes no keyword `{k.name}`{known}", k.span, "unknown keyword")
            out[k.name] = k.value
        return out

    def call_user(self, e: tree.Call, f: UserFunction) -> Value:
        if len(e.arguments) != len(f.parameters):
            raise self.wrong_count(e, str(len(f.parameters)))
        self.no_keywords(e)
        if self.depth > 40:
            raise Clash(f"`{f.name}` calls itself", e.span, "a function must not be recursive")
        names = {}
        for name, argument in zip(f.parameters, e.arguments, strict=True):
            names[name] = Binding(build.settled(self.value(argument)), argument.span, "argument")
        outside, self.scope = self.scope, Scope(names, self.global_scope())
        self.depth += 1
        try:
            return self.value(f.body)
        except Clash as clash:
            # the body is somewhere else: say where it was called from
            clash.witnesses = (*clash.witnesses, Witness(e.span, f"in this call of {f.name}"))
            raise
        finally:
            self.scope = outside
            self.depth -= 1

    def global_scope(self) -> Scope:
        scope = self.scope
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def call_declared(self, e: tree.Call, b: Binding) -> Value | None:
        """Hook: a call of a declared name that is no `def`. None: look among the built-in ones."""
        if e.function in FUNCTIONS or e.function in SPECIAL:
            return None
        if isinstance(b.meaning, Value):
            raise Clash(
                f"`{e.function}` is not a function", e.span, "called here", [Witness(b.span, "declared here")],
                help=f"`{e.function}*(..)` multiplies; `{e.function}[..]` picks an entry",
            )  # fmt: skip
        return None

    def operator(self, e: tree.Call | tree.Binder) -> Value:
        """Hook: grad, KL, E and what else a subclass knows."""
        raise Clash(f"unknown function `{e.function}`", e.span, "not known")

    # --- binders

    def _binder(self, e: tree.Binder) -> Value:
        if any(isinstance(s, tree.Draw) for s in e.specs):
            return self.operator(e)
        if e.function in ("sum", "mean", "prod", "max", "min", "logsumexp"):
            return self.reduce_indices(e)
        if e.function == "tensor":
            return self.tensor_of(e)
        return self.operator(e)

    def one_argument(self, e: tree.Binder) -> tree.Expression:
        if len(e.arguments) != 1:
            raise self.wrong_count(e, "1")
        if e.keywords:
            raise Clash(f"`{e.function}[..](..)` takes no keyword", e.keywords[0].span)
        return e.arguments[0]

    def bind(self, specs: Sequence[tree.IndexSpec], bodies: Sequence[tree.Expression]) -> tuple[list[Index], Scope]:
        """Fresh indices for the names of a binder, sizes as said or as found where the name stands alone in a bracket."""
        scope = Scope({}, self.scope)
        indices: list[Index] = []
        for spec in specs:
            lower: Scalar = ZERO
            if spec.size is not None:
                size = self.size(spec.size)
            elif spec.lower is not None and spec.upper is not None:
                lower = self.scalar(spec.lower, "the lower end")
                size = build.normal_size(add(sub(self.scalar(spec.upper, "the upper end"), lower), ONE))
            else:
                size = self.find_size(spec, bodies, scope)
            if isinstance(size, Num) and (isinstance(size.value, str) or size.value < 0 or size.value.denominator != 1):
                raise Clash(f"index `{spec.name}` has no sensible range", spec.span, f"of length {size.value}")
            index = fresh_index(size)
            indices.append(index)
            if spec.name in scope.names:
                raise Clash(f"index `{spec.name}` is bound twice", spec.span, "again")
            scope.names[spec.name] = Binding(build.scalar(add(index, lower)), spec.span, "index")
        return indices, scope

    def find_size(self, spec: tree.IndexSpec, bodies: Sequence[tree.Expression], scope: Scope) -> Scalar:
        """The length of the axis where the index stands alone; all such places must agree."""
        found: list[tuple[Scalar, tree.Expression]] = []
        stack: list[tuple[tree.Expression, frozenset[str]]] = [(b, frozenset()) for b in bodies]
        while stack:
            e, hidden = stack.pop(0)
            if isinstance(e, tree.Binder):
                hidden = hidden.union(s.name for s in e.specs if isinstance(s, tree.IndexSpec))
            if isinstance(e, tree.Subscript) and spec.name not in hidden:
                for k, item in enumerate(e.items):
                    if isinstance(item, tree.Name) and item.name == spec.name:
                        try:
                            shape = self.value(e.operand).shape
                        except Clash:
                            continue
                        if k < len(shape):
                            found.append((shape[k], e))
            stack.extend((p, hidden) for p in parts_of(e))
        if not found:
            raise Clash(
                f"the range of index `{spec.name}` is not known", spec.span, "over what?",
                help=f"say it: `{spec.name}: n` or `{spec.name}: 1..n`",
            )  # fmt: skip
        size, first = found[0]
        for other, place in found[1:]:
            if not build.same_size(size, other):
                raise Clash(
                    f"index `{spec.name}` runs over axes of different length: {size_text(size)} and {size_text(other)}",
                    place.span, f"length {size_text(other)}", [Witness(first.span, f"length {size_text(size)}")],
                )  # fmt: skip
        return size

    def in_scope(self, scope: Scope, e: tree.Expression) -> Value:
        outside, self.scope = self.scope, scope
        try:
            return self.value(e)
        finally:
            self.scope = outside

    def reduce_indices(self, e: tree.Binder) -> Value:
        body = self.one_argument(e)
        indices, scope = self.bind([s for s in e.specs if isinstance(s, tree.IndexSpec)], [body])
        value = self.in_scope(scope, body)
        inner = build.hoisted(value.body, indices)
        if e.function in ("sum", "mean"):
            result = total(inner, indices)
            if e.function == "mean":
                result = mul(fn_inverse(mul(*(i.size for i in indices))), result)
        elif e.function == "logsumexp":
            flat = Value((*value.indices, *indices), inner)
            return build.reduce("logsumexp", flat, list(range(value.rank, flat.rank)))
        else:
            result = fold(e.function, inner, indices)
        return Value(value.indices, result)

    def tensor_of(self, e: tree.Binder) -> Value:
        """tensor[i: n, j: m](body): the array whose entry (i, j) is the body."""
        body = self.one_argument(e)
        indices, scope = self.bind([s for s in e.specs if isinstance(s, tree.IndexSpec)], [body])
        value = self.in_scope(scope, body)
        return Value((*indices, *value.indices), value.body)

    _methods: dict[type, Callable[..., Value]] = {
        tree.Number: _number, tree.Name: _name, tree.Terms: _terms, tree.Factors: _factors, tree.Power: _power,
        tree.Transpose: _transpose, tree.Comparison: _comparison, tree.Logical: _logical, tree.ListOf: _list,
        tree.Slice: _slice, tree.Subscript: _subscript, tree.Call: _call, tree.Binder: _binder,
    }  # fmt: skip


def fn_inverse(x: Scalar) -> Scalar:
    return divide(ONE, x)


def is_size(s: Scalar) -> bool:
    if isinstance(s, Dim):
        return True
    if isinstance(s, Num):
        return not isinstance(s.value, str) and s.value.denominator == 1
    if type(s).__name__ in ("Add", "Mul"):
        return all(is_size(a) for a in s.args)
    if type(s).__name__ == "Pow":
        return is_size(s.args[0]) and isinstance(s.args[1], Num)
    if type(s).__name__ == "Fn" and s.name == "floor":
        return True
    return False


def parts_of(e: tree.Tree) -> list[tree.Expression]:
    """The expressions directly inside an expression."""
    if isinstance(e, tree.Terms):
        return [t for _, t in e.terms]
    if isinstance(e, tree.Factors):
        return [e.first, *(f for _, f in e.rest)]
    if isinstance(e, tree.Power):
        return [e.base, e.exponent]
    if isinstance(e, tree.Transpose):
        return [e.operand]
    if isinstance(e, (tree.Comparison, tree.Logical)):
        return list(e.operands)
    if isinstance(e, tree.Slice):
        return [x for x in (e.lower, e.upper, e.step) if x is not None]
    if isinstance(e, tree.Subscript):
        return [e.operand, *e.items]
    if isinstance(e, tree.Call):
        return [*e.arguments, *(k.value for k in e.keywords), *e.given, *e.versus]
    if isinstance(e, tree.Binder):
        inside: list[tree.Expression] = []
        for s in e.specs:
            if isinstance(s, tree.Draw):
                inside.append(s.law)
            else:
                inside.extend(x for x in (s.size, s.lower, s.upper) if x is not None)
        return [*inside, *e.arguments, *(k.value for k in e.keywords)]
    if isinstance(e, tree.ListOf):
        return list(e.items)
    return []


# --- functions on whole arrays ----------------------------------------------------------------------------------------

Special = Callable[[Reader, tree.Call], Value]
SPECIAL: dict[str, Special] = {}


def special(*names: str) -> Callable[[Special], Special]:
    def put(f: Special) -> Special:
        for n in names:
            SPECIAL[n] = f
        return f

    return put


def arguments(r: Reader, e: tree.Call, count: int, *keywords: str) -> tuple[list[Value], dict[str, tree.Expression]]:
    named = r.no_keywords(e, *keywords)
    if len(e.arguments) != count:
        raise r.wrong_count(e, str(count))
    return [r.value(a) for a in e.arguments], named


def integer(r: Reader, e: tree.Expression, what: str) -> int:
    v = r.scalar(e, what)
    if not isinstance(v, Num) or isinstance(v.value, str) or v.value.denominator != 1:
        raise Clash(f"{what} is an integer", e.span, "not an integer")
    return int(v.value)


def axes_of(r: Reader, named: Mapping[str, tree.Expression]) -> list[int] | None:
    e = named.get("axis")
    if e is None:
        return None
    items = e.items if isinstance(e, tree.ListOf) else (e,)
    return [integer(r, x, "an axis") for x in items]


def truth(r: Reader, e: tree.Expression | None) -> bool:
    if e is None:
        return False
    if isinstance(e, tree.Name) and e.name in ("True", "true", "False", "false"):
        return e.name in ("True", "true")
    return bool(integer(r, e, "a truth value"))


@special("sum", "mean", "prod", "logsumexp", "var", "norm")
def _reduction(r: Reader, e: tree.Call) -> Value:
    (v,), named = arguments(r, e, 1, "axis", "keepdims")
    return build.reduce(e.function, v, axes_of(r, named), truth(r, named.get("keepdims")))


@special("max", "min")
def _extremum(r: Reader, e: tree.Call) -> Value:
    if len(e.arguments) == 1:
        return _reduction(r, e)
    r.no_keywords(e)
    if not e.arguments:
        raise r.wrong_count(e, "1 or more")
    result = r.value(e.arguments[0])
    for a in e.arguments[1:]:
        result = build.apply(e.function, result, r.value(a))
    return result


@special("softmax", "log_softmax", "cumsum", "cumprod")
def _along(r: Reader, e: tree.Call) -> Value:
    (v,), named = arguments(r, e, 1, "axis")
    axes = axes_of(r, named) or [-1]
    if e.function in ("cumsum", "cumprod"):
        (k,) = build.normal_axes(v.rank, axes)
        v = build.settled(v)
        i, j = v.indices[k], fresh_index(v.shape[k])
        inner = substitute(v.body, {i: j})
        kept = compare("<=", j, i)
        body = total(where(kept, inner, ZERO), [j]) if e.function == "cumsum" else fold("prod", where(kept, inner, ONE), [j])
        return Value(v.indices, body)
    return build.along_axis(e.function, v, axes[0])


@special("layernorm")
def _layernorm(r: Reader, e: tree.Call) -> Value:
    """(x - mean)/sqrt(var + eps) along the last axis; eps = 1e-5 unless given."""
    (v,), named = arguments(r, e, 1, "axis", "eps")
    axes = axes_of(r, named) or [-1]
    eps = r.value(named["eps"]) if "eps" in named else build.scalar(num_text("1e-5"))
    v = build.settled(v)
    centred = build.named(build.plus([(1, v), (-1, build.named(build.reduce("mean", v, axes, True)))]))
    variance = build.reduce("mean", build.raised(centred, build.number(2)), axes, True)
    root = build.named(build.raised(build.plus([(1, variance), (1, eps)]), build.scalar(num_text("0.5"))))
    return build.over(centred, root)


def num_text(text: str) -> Num:
    return num(Fraction(text))


@special("inv")
def _inv(r: Reader, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.inverse(v)


@special("det", "logdet")
def _det(r: Reader, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.determinant(v, e.function)


@special("cholesky", "expm")
def _square(r: Reader, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.operate(e.function, build.square(v, e.function), v.shape)


@special("matpow")
def _matpow(r: Reader, e: tree.Call) -> Value:
    (v, k), _ = arguments(r, e, 2)
    build.square(v, "matpow")
    if k.rank:
        raise Clash("the exponent of `matpow` must be a scalar", e.arguments[1].span)
    if isinstance(k.body, Num) and not isinstance(k.body.value, str) and k.body.value.denominator == 1:
        n = int(k.body.value)
        if n == 0:
            return build.identity(v.shape[-1])
        if abs(n) <= 16:
            base = build.inverse(v) if n < 0 else v
            result = base
            for _ in range(abs(n) - 1):
                result = build.matmul(result, base)
            return result
    if v.outer or k.outer:
        raise Clash("`matpow` with a symbolic exponent does not stand under an index", e.span)
    return build.operate("matpow", v, v.shape, (k.body,))


@special("expm_frechet")
def _expm_frechet(r: Reader, e: tree.Call) -> Value:
    """The derivative of expm at A in the direction E; both map over common batch axes."""
    values, _ = arguments(r, e, 2)
    a, b = (build.square(v, "expm_frechet") for v in values)
    if not build.same_size(a.shape[-1], b.shape[-1]):
        raise ShapeClash("`expm_frechet` takes two matrices of one size", a.shape[-1], b.shape[-1], 1)
    outer = tuple(sorted({*a.outer, *b.outer}, key=lambda i: (i.kind, i.number)))
    batch, (left, right) = build.broadcast([Value(a.indices[:-2], a.body), Value(b.indices[:-2], b.body)])
    operands = (
        tensor((*outer, *batch, *a.indices[-2:]), left),
        tensor((*outer, *batch, *b.indices[-2:]), right),
    )
    result = operation("expm_frechet", operands, operands[0].shape)
    indices = build.fresh(result.shape[len(outer) :])
    return Value(indices, entry(result, *outer, *indices))


@special("solve")
def _solve(r: Reader, e: tree.Call) -> Value:
    (a, b), _ = arguments(r, e, 2)
    return build.matmul(build.inverse(a), b)


@special("tr", "trace")
def _trace(r: Reader, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.trace(v)


@special("diag")
def _diag(r: Reader, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    if v.rank != 1:
        raise Clash(
            "`diag` takes a vector", e.span, shape_text(v.shape), r.witnesses(*e.arguments),
            help="`diagonal(A)` is the diagonal of a matrix",
        )  # fmt: skip
    return build.diagonal_matrix(v)


@special("diagonal")
def _diagonal(r: Reader, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.diagonal(v)


@special("outer")
def _outer(r: Reader, e: tree.Call) -> Value:
    (a, b), _ = arguments(r, e, 2)
    return build.outer(a, b)


@special("dot")
def _dot(r: Reader, e: tree.Call) -> Value:
    (a, b), _ = arguments(r, e, 2)
    return build.dot(a, b)


@special("kron")
def _kron(r: Reader, e: tree.Call) -> Value:
    (a, b), _ = arguments(r, e, 2)
    return build.kron(a, b)


@special("vec")
def _vec(r: Reader, e: tree.Call) -> Value:
    (a,), _ = arguments(r, e, 1)
    return build.vec(a)


@special("eye")
def _eye(r: Reader, e: tree.Call) -> Value:
    r.no_keywords(e)
    if len(e.arguments) not in (1, 2):
        raise r.wrong_count(e, "1 or 2")
    return build.identity(*(r.size(a) for a in e.arguments))


@special("ones", "zeros")
def _filled(r: Reader, e: tree.Call) -> Value:
    r.no_keywords(e)
    return build.filled([r.size(a) for a in e.arguments], ONE if e.function == "ones" else ZERO)


@special("reshape")
def _reshape(r: Reader, e: tree.Call) -> Value:
    r.no_keywords(e)
    if len(e.arguments) < 2:
        raise r.wrong_count(e, "2 or more")
    shape = list(e.arguments[1:])
    if len(shape) == 1 and isinstance(shape[0], tree.ListOf):
        shape = list(shape[0].items)
    return build.reshape(r.value(e.arguments[0]), [r.size(a) for a in shape])


@special("concat", "stack")
def _joined(r: Reader, e: tree.Call) -> Value:
    named = r.no_keywords(e, "axis")
    axis = integer(r, named["axis"], "an axis") if "axis" in named else 0
    items = list(e.arguments)
    if len(items) == 1 and isinstance(items[0], tree.ListOf):
        items = list(items[0].items)
    if not items:
        raise r.wrong_count(e, "1 or more")
    values = [r.value(a) for a in items]
    return build.concat(values, axis) if e.function == "concat" else build.stack(values, axis)


@special("where")
def _where(r: Reader, e: tree.Call) -> Value:
    r.no_keywords(e)
    if len(e.arguments) != 3:
        raise r.wrong_count(e, "3")
    return build.select(r.condition(e.arguments[0]), r.value(e.arguments[1]), r.value(e.arguments[2]))


@special("attention")
def _attention(r: Reader, e: tree.Call) -> Value:
    """softmax(Q @ K'/sqrt(d)) @ V, d the length of a row of Q."""
    (q, k, v), _ = arguments(r, e, 3)
    scores = build.over(build.matmul(q, build.transpose(k)), build.scalar(fn("sqrt", q.shape[-1])))
    return build.matmul(build.along_axis("softmax", scores), v)


@special("embed")
def _embed(r: Reader, e: tree.Call) -> Value:
    """embed(E, ids)[i, :] = E[ids[i], :]."""
    (table, ids), _ = arguments(r, e, 2)
    if table.rank != 2:
        raise Clash("`embed` takes a table: a matrix of rows", e.arguments[0].span, shape_text(table.shape))
    ids = build.settled(ids)
    j = table.indices[1]
    return Value((*ids.indices, j), table.at(ids.body, j))


def _window(r: Reader, named: Mapping[str, tree.Expression], key: str, default: int) -> int:
    return integer(r, named[key], f"`{key}`") if key in named else default


@special("conv1d", "conv2d")
def _convolution(r: Reader, e: tree.Call) -> Value:
    """Cross-correlation: x[.., c, t], w[o, c, s] -> y[.., o, u] = sum over c, s of w[o, c, s] x[c, stride u + s - padding]."""
    (x, w), named = arguments(r, e, 2, "stride", "padding")
    space = 1 if e.function == "conv1d" else 2
    stride, padding = _window(r, named, "stride", 1), _window(r, named, "padding", 0)
    if stride < 1 or padding < 0:
        raise Clash("`stride` is at least 1 and `padding` at least 0", e.span)
    if x.rank < space + 1 or w.rank != space + 2:
        raise Clash(
            f"`{e.function}` takes an input [.., channels{', length' if space == 1 else ', height, width'}] and a kernel "
            f"[out, channels{', length' if space == 1 else ', height, width'}]", e.span, "", r.witnesses(*e.arguments),
        )  # fmt: skip
    x, w = build.settled(x), build.settled(w)
    if not build.same_size(x.shape[-space - 1], w.shape[1]):
        raise ShapeClash("the numbers of channels differ", x.shape[-space - 1], w.shape[1])
    for k in range(space):
        if padding:
            position = x.rank - space + k
            size = build.normal_size(add(x.shape[position], num(2 * padding)))
            x = build.named(build.shifted(x, position, num(padding), size))
    batch = x.indices[: -space - 1]
    channel = fresh_index(w.shape[1])
    out = fresh_index(w.shape[0])
    taps = [fresh_index(s) for s in w.shape[2:]]
    places = []
    for k in range(space):
        length = add(divide(sub(x.shape[x.rank - space + k], taps[k].size), num(stride)), ONE)
        if stride != 1:
            length = add(fn("floor", divide(sub(x.shape[x.rank - space + k], taps[k].size), num(stride))), ONE)
        places.append(fresh_index(build.normal_size(length)))
    at = [add(mul(num(stride), u), s) for u, s in zip(places, taps, strict=True)]
    body = total(mul(w.at(out, channel, *taps), x.at(*batch, channel, *at)), [channel, *taps])
    return Value((*batch, out, *places), body)


@special("maxpool", "meanpool")
def _pool(r: Reader, e: tree.Call) -> Value:
    """The largest or mean entry of windows along the last axis (two of them with `axes=2`): maxpool(x, 2)."""
    named = r.no_keywords(e, "stride", "axes")
    if len(e.arguments) != 2:
        raise r.wrong_count(e, "2")
    x = build.settled(r.value(e.arguments[0]))
    width = integer(r, e.arguments[1], "the width of a window")
    stride = _window(r, named, "stride", width)
    space = _window(r, named, "axes", 1 if x.rank < 3 else 2)
    if width < 1 or stride < 1 or space > x.rank:
        raise Clash("a window is at least 1 wide and lies within the array", e.span)
    batch = x.indices[: x.rank - space]
    taps = [fresh_index(num(width)) for _ in range(space)]
    places = []
    for k in range(space):
        length = divide(sub(x.shape[x.rank - space + k], num(width)), num(stride))
        places.append(fresh_index(build.normal_size(add(fn("floor", length) if stride != 1 else length, ONE))))
    body = x.at(*batch, *(add(mul(num(stride), u), s) for u, s in zip(places, taps, strict=True)))
    if e.function == "maxpool":
        return Value((*batch, *places), fold("max", body, taps))
    return Value((*batch, *places), mul(fn_inverse(num(width**space)), total(body, taps)))


def read(text: str, scope: Mapping[str, Array | Scalar | Value]) -> Array:
    """The array that `text` means in `scope` (no free index may be left); for the formulas of the tables' rows."""
    return read_value(text, scope).array()


def read_value(text: str, scope: Mapping[str, Array | Scalar | Value]) -> Value:
    """Like `read`, with free indices of the scope's scalars allowed in the body."""
    names = {}
    for name, thing in scope.items():
        if isinstance(thing, Value):
            meaning = thing
        elif isinstance(thing, Array):
            meaning = build.of_array(thing)
        else:
            meaning = build.scalar(thing)
        names[name] = Binding(meaning)
    return Reader(Scope(names), lambda span: text[span.start : span.end]).value(parse_expression(text))
