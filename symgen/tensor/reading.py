"""What every part of the reader of expressions uses: values in a scope, witnesses, counts of arguments."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import ONE, ZERO, Compare, Index, Logic, Scalar, variables_of
from symgen.tensor.scope import Clash, Poisoned, Scope, Witness, is_size, parts_of, shape_text, size_text
from symgen.text import tree
from symgen.text.names import hint_of
from symgen.text.tree import NOWHERE, Span

FRAMES = 20_000  # a spec nests at most 200 brackets, a name in a name of a circle at most 50; each takes some frames


@contextmanager
def room_to_nest() -> Iterator[None]:
    """Python's limit of recursion lifted to what the deepest text needs (frames of Python functions are on no C stack)."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def unbracketed(text: str) -> str:
    """`(x > 0)` without the brackets around it."""
    while text.startswith("(") and text.endswith(")"):
        inside = text[1:-1]
        if inside.find(")") < inside.find("(") or "(" not in inside and ")" in inside:
            return text
        text = inside
    return text


class Reading(ABC):
    """A scope, the text that is read, and the value of an expression in them."""

    def __init__(self, scope: Scope, written: Callable[[Span], str] | None = None) -> None:
        self.scope = scope
        self.written = written or (lambda span: "")
        self.floors: dict[Index, int] = {}  # the least value of an index, where it is not 0
        self.inside_where = 0  # a branch of `where` may pick entries that its condition excludes
        self.guards: list[Scalar | None] = []  # these conditions; None for one on entries
        self.calls: dict[tuple[str, tuple[Value, ...]], Value] = {}  # f(x) twice is read once
        self.watch: Callable[[tree.Expression, Sequence[Value]], None] | None = None  # is told what is applied to which values

    @abstractmethod
    def value(self, e: tree.Expression) -> Value:
        """What `e` means."""

    def scalar(self, e: tree.Expression, what: str = "this") -> Scalar:
        v = self.number(e)
        if v.rank:
            raise Clash(f"{what} must be a scalar", e.span, shape_text(v.shape), self.witnesses(e))
        return v.body

    def size(self, e: tree.Expression) -> Scalar:
        """A size: dims, integers and + - * // of them."""
        s = build.normal_size(self.scalar(e, "a size"))
        if not is_size(s):
            used = sorted({v.name for v in variables_of(s)})
            if used:
                raise Clash(f"a size cannot hang on {_listed(used)}", e.span, "not a size", self.witnesses(e),
                            ["a size is made of dims and integers with + - * //"])  # fmt: skip
            help = f"`{self.written(e.span).replace('/', '//')}` rounds down" if "/" in self.written(e.span) else None
            raise Clash("a size is made of dims and integers with + - * //", e.span, "not a size", help=help)
        return s

    def number(self, e: tree.Expression) -> Value:
        """The value of `e`, which is a number and no condition."""
        v = self.value(e)
        if isinstance(v.body, (Compare, Logic)):
            text = unbracketed(self.written(e.span) or "c")
            raise Clash(f"`{text}` is a condition, not a number", e.span, "a condition",
                        help=f"`where({text}, 1, 0)` is 1 where it holds")  # fmt: skip
        return v

    def condition(self, e: tree.Expression) -> Value:
        v = self.value(e)
        if not isinstance(v.body, (Compare, Logic)) and v.body is not ONE and v.body is not ZERO:
            text = self.written(e.span) or "x"
            help = f"compare it: `{text} > 0`" if len(text) <= 40 else "compare it with something"
            raise Clash("a condition is needed here", e.span, "a number", self.witnesses(e), help=help)
        return v

    def in_scope(self, scope: Scope, e: tree.Expression) -> Value:
        """The number that `e` is in an inner scope."""
        outside, self.scope = self.scope, scope
        try:
            return self.number(e)
        finally:
            self.scope = outside

    def global_scope(self) -> Scope:
        scope = self.scope
        while scope.parent is not None:
            scope = scope.parent
        return scope

    # --- arguments

    def wrong_count(self, e: tree.Call | tree.Binder, wanted: str) -> Clash:
        n = len(e.arguments)
        given = f"{n} is given" if n == 1 else f"{n} are given"
        return Clash(f"`{e.function}` takes {wanted} argument{'' if wanted == '1' else 's'}, and {given}", e.span)

    def no_keywords(self, e: tree.Call, *allowed: str) -> dict[str, tree.Expression]:
        out = {}
        for k in e.keywords:
            if k.name not in allowed:
                known = f": it knows {', '.join(f'`{a}=`' for a in allowed)}" if allowed else ""
                near = hint_of(k.name, allowed)
                raise Clash(f"`{e.function}` takes no keyword `{k.name}`{known}", k.span, "unknown keyword", help=near)
            out[k.name] = k.value
        return out

    def one_argument(self, e: tree.Binder) -> tree.Expression:
        if len(e.arguments) != 1:
            raise self.wrong_count(e, "1")
        if e.keywords:
            raise Clash(f"`{e.function}[..](..)` takes no keyword", e.keywords[0].span)
        return e.arguments[0]

    # --- shapes that do not go together

    def guarded(self, e: tree.Call, make: Callable[[], Value]) -> Value:
        try:
            return make()
        except ShapeClash as clash:
            raise self.shape_clash(clash, e.span, *e.arguments) from None

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
        """The clash of shapes at a place of the text, with the shapes of its operands."""
        text = self.written(span)
        of = f" of `{text}`" if text else ""
        found = Clash(clash.message, span, "", self.witnesses(*operands))
        if clash.message.startswith("`") and " takes " in clash.message:
            shapes = self.shapes_of(operands)
            found.message += f", and {' and '.join(shapes)}" if shapes else ""
            found.label = "not square" if " square " in clash.message else ""
            return found
        if clash.left is not None and clash.right is not None:
            left, right = size_text(clash.left), size_text(clash.right)
            found.message = f"{clash.message}: {left} and {right}"
            found.label = f"{left} must equal {right}"
            if clash.message == "inner sizes differ":
                found.message = f"the inner sizes{of} differ: {left} and {right}"
            elif clash.message == "sizes do not broadcast":
                found.message = f"the sizes{of} do not fit together: {left} and {right}"
        compound = [e for e in operands if not isinstance(e, tree.Name | tree.Number)]
        found.notes = tuple(line for line in self.shapes_of(compound)[:4] if not line.endswith("is a scalar"))
        return found

    def shapes_of(self, expressions: Sequence[tree.Expression]) -> list[str]:
        """`X` is n by d: a line for each expression that is short enough to be told."""
        out = []
        for e in expressions:
            text = self.written(e.span)
            if text and len(text) <= 40 and "\n" not in text:
                try:
                    out.append(f"`{text}` {shape_text(self.value(e).shape)}")
                except (Clash, Poisoned):
                    continue
        return list(dict.fromkeys(out)) or []
