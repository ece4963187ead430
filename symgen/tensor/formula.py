"""Expressions of the language become entry expressions: names looked up, shapes found, broadcasting decided.

`read` serves the rows of the tables, whose formulas are texts of the language. The model reads its statements with a
subclass that adds the operators (grad, KL, E ..) and turns every `Clash` into a diagnostic with its witnesses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

from symgen.tensor import binders, build, sequences, subscripts
from symgen.tensor.array_functions import ARRAY_FUNCTIONS
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import ZERO, Array, Index, Scalar, compare, divide, fn, logic, num
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.network_functions import NETWORK_FUNCTIONS
from symgen.tensor.reading import Reading
from symgen.tensor.scope import (
    CONSTANTS,
    Binding,
    Clash,
    Poisoned,
    Scope,
    UserFunction,
    Witness,
    shape_text,
    size_text,
)  # fmt: skip
from symgen.text import tree
from symgen.text.parse import parse_expression
from symgen.text.tree import Span

__all__ = [
    "SPECIAL", "Binding", "Clash", "Poisoned", "Reader", "Scope", "UserFunction", "Witness", "read", "read_value",
    "shape_text", "size_text",
]  # fmt: skip
MOST_CALLS = 5000  # in one statement, equal calls counted once
SPECIAL = ARRAY_FUNCTIONS | NETWORK_FUNCTIONS


def _turned(text: str) -> str:
    """The transpose of what is written so."""
    return text[:-1] if text.endswith("'") else f"{text}'"


class Reader(Reading):
    """Reads expressions in a scope. Subclasses add operators by `operator` and what a bare name of theirs means."""

    def value(self, e: tree.Expression) -> Value:
        method = self._methods.get(type(e))
        if method is None:
            raise Clash(f"{type(e).__name__.lower()} has no value here", e.span)
        return method(self, e)

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
        values = [(sign, self.number(t)) for sign, t in e.terms]
        try:
            return build.plus(values)
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, *(t for _, t in e.terms)) from None

    def _factors(self, e: tree.Factors) -> Value:
        result = self.number(e.first)
        operands: list[tree.Expression] = [e.first]
        for op, f in e.rest:
            right = self.number(f)
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
        if len(operands) > 2:
            before = self.written(Span(operands[0].span.start, operands[-2].span.end))
            found.notes = (f"`{before}` {shape_text(left.shape)}", *found.notes)
        if op == "*" and left.rank == 2 and right.rank == 1 and build.same_size(left.shape[0], right.shape[0]):
            b = self.written(operands[-1].span)
            found.help = f"`{b}[:, None]` runs along the rows"
        if op == "@" and left.rank and right.rank and len(operands) == 2:
            a, b = (self.written(x.span) for x in operands)
            ways = []
            if left.rank > 1 and build.same_size(left.shape[-2], right.shape[-2 if right.rank > 1 else -1]):
                ways.append(f"`{_turned(a)} @ {b}`")
            if right.rank > 1 and build.same_size(left.shape[-1], right.shape[-1]):
                ways.append(f"`{a} @ {_turned(b)}`")
            if {left.rank, right.rank} == {1, 2} and build.same_size(right.shape[-1], left.shape[0]):
                ways.append(f"`{b} @ {a}`")
            if ways and a and b:
                found.help = " or ".join(dict.fromkeys(ways)) + (" fits" if len(set(ways)) == 1 else " fit")
        elif op == "@" and (left.rank == 0 or right.rank == 0):
            found.help = "`*` multiplies by a scalar"
        return found

    def _power(self, e: tree.Power) -> Value:
        base, exponent = self.number(e.base), self.number(e.exponent)
        if self.watch is not None:
            self.watch(e, (base, exponent))
        try:
            return build.raised(base, exponent)
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, e.base, e.exponent) from None

    def _transpose(self, e: tree.Transpose) -> Value:
        return build.transpose(self.value(e.operand))

    def _comparison(self, e: tree.Comparison) -> Value:
        values = [build.settled(self.number(x)) for x in e.operands]
        try:
            parts = [
                build.elementwise(lambda a, b, op=op: compare(op, a, b), values[k], values[k + 1]) for k, op in enumerate(e.ops)
            ]
            return build.elementwise(lambda *conditions: logic("and", *conditions), *parts)
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, *e.operands) from None

    def _logical(self, e: tree.Logical) -> Value:
        return build.elementwise(lambda *a: logic(e.op, *a), *(self.condition(x) for x in e.operands))

    def _list(self, e: tree.ListOf) -> Value:
        if not e.items:
            raise Clash("an empty list has no value", e.span)
        try:
            return build.stack([self.number(x) for x in e.items])
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, *e.items) from None

    def _slice(self, e: tree.Slice) -> Value:
        raise Clash("a range stands in the bracket of a subscript only", e.span)

    def _part(self, e: tree.Part) -> Value:
        return self.part(e)

    def part(self, e: tree.Part) -> Value:
        """Hook: a field of a record."""
        raise Clash("only a record has fields", e.span, "not a record")

    def _subscript(self, e: tree.Subscript) -> Value:
        return subscripts.subscript(self, e)

    # --- calls

    def _call(self, e: tree.Call) -> Value:
        b = None if self.is_built_in(e.function) and self.scope.holds_value(e.function) else self.scope.find(e.function)
        if b is not None:
            if isinstance(b.meaning, UserFunction) and not e.log:
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

    def is_built_in(self, name: str) -> bool:
        return name in SPECIAL or name in FUNCTIONS

    def call_function(self, e: tree.Call) -> Value:
        row = FUNCTIONS[e.function]
        self.no_keywords(e)
        wanted = len(row.arguments)
        least = wanted - len(row.defaults)
        if not least <= len(e.arguments) <= wanted:
            raise self.wrong_count(e, str(wanted) if least == wanted else f"{least} to {wanted}")
        values = [self.number(a) for a in e.arguments]
        if self.watch is not None:
            self.watch(e, values)
        missing = row.defaults[len(e.arguments) - least :] if len(e.arguments) < wanted else ()
        values += [build.scalar(num(Fraction(text))) for text in missing]
        return self.guarded(e, lambda: build.apply(e.function, *values))

    def call_user(self, e: tree.Call, f: UserFunction) -> Value:
        if len(e.arguments) != len(f.parameters):
            raise self.wrong_count(e, str(len(f.parameters)))
        self.no_keywords(e)
        arguments = tuple(build.settled(self.value(a)) for a in e.arguments)
        found = self.calls.get((f.name, arguments))
        if len(self.calls) > MOST_CALLS:
            raise Clash(f"this comes to more than {MOST_CALLS} calls of functions of your own", e.span, "too many")
        if found is None:
            found = self.calls[(f.name, arguments)] = self.body_of(e, f, arguments)
        return found

    def body_of(self, e: tree.Call, f: UserFunction, arguments: Sequence[Value]) -> Value:
        names = {
            name: Binding(value, a.span, "argument") for name, value, a in zip(f.parameters, arguments, e.arguments, strict=True)
        }
        outside, self.scope = self.scope, Scope(names, self.global_scope())
        try:
            return self.value(f.body)
        except Clash as clash:
            # the body is somewhere else: say where it was called from
            clash.witnesses = (*clash.witnesses, Witness(e.span, f"in this call of {f.name}"))
            raise
        finally:
            self.scope = outside

    def call_declared(self, e: tree.Call, b: Binding) -> Value | None:
        """Hook: a call of a declared name that is no `def`. None: look among the built-in ones."""
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
        if e.function == "sum" and binders.is_series(e):
            return self.operator(e)
        if e.function in ("sum", "mean", "prod", "max", "min", "logsumexp"):
            return binders.reduce_indices(self, e)
        if e.function == "tensor":
            return binders.tensor_of(self, e)
        if e.function in sequences.WORDS:
            return sequences.sequence_of(self, e)
        return self.operator(e)

    _methods: ClassVar[dict[type, Callable[..., Value]]] = {
        tree.Number: _number, tree.Name: _name, tree.Terms: _terms, tree.Factors: _factors, tree.Power: _power,
        tree.Transpose: _transpose, tree.Comparison: _comparison, tree.Logical: _logical, tree.ListOf: _list,
        tree.Slice: _slice, tree.Part: _part, tree.Subscript: _subscript, tree.Call: _call, tree.Binder: _binder,
    }  # fmt: skip


def read(text: str, scope: Mapping[str, Array | Scalar | Value]) -> Array:
    """The array that `text` means in `scope` (no free index may be left); for the formulas of the tables' rows."""
    return read_value(text, scope).array()


def read_value(text: str, scope: Mapping[str, Array | Scalar | Value], floors: Mapping[Index, int] | None = None) -> Value:
    """Like `read`, with free indices of the scope's scalars allowed in the body; `floors` are the least values of some."""
    names = {}
    for name, thing in scope.items():
        if isinstance(thing, Value):
            meaning = thing
        elif isinstance(thing, Array):
            meaning = build.of_array(thing)
        else:
            meaning = build.scalar(thing)
        names[name] = Binding(meaning)
    reader = Reader(Scope(names), lambda span: text[span.start : span.end])
    reader.floors.update(floors or {})
    return reader.value(parse_expression(text))
