"""Indices in a script: letters side by side, ranges, positions that paper counts from 1 and arrays from 0."""

from __future__ import annotations

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.items import Item
from symgen.text.latex.parser import Core, names_of
from symgen.text.latex.tokens import Slip, Token
from symgen.text.latex.vocabulary import LETTERS
from symgen.text.tree import Span

__all__ = ["CountedFromZero", "Indices"]


WHOLE = ("cdot", "bullet")


class CountedFromZero(Exception):
    """An entry with the number 0 stands in a formula whose entries were to be counted from 1: it has to be read again."""


class Indices(Core):
    """Reads what picks entries of an array."""

    def indices(
        self, span: tuple[int, int] | None, operand: t.Expression | None = None, axis: int = 0, numbers: bool = False
    ) -> tuple[t.Expression, ...]:
        """The indices in a script; letters side by side are several, where the array has as many axes."""
        if span is None or span[0] >= span[1]:
            return ()
        shape = self.shape(operand) if operand is not None else None
        tokens = self.tokens[span[0] : span[1]]
        wanted = len(shape) - axis if shape is not None else None
        if len(tokens) == 1 and tokens[0].kind in ("letters", "number") and wanted == len(tokens[0].text) > 1:
            one = tokens[0]
            out = []
            for k, ch in enumerate(one.text):
                place = Span(one.start + k, one.start + k + 1)
                out.append(self.one_index(Token(one.kind, ch, place.start, place.end), operand, axis + k))
            return tuple(out)
        if self.symbols is not None and len(tokens) == 1 and wanted is not None and tokens[0].kind == "letters":
            run = tokens[0].text
            if len(run) > 1 and run not in self.bound and not self.symbols.declares(run):
                raise self.slip(f"{len(run)} indices stand at an array with {wanted} axes", tokens[0].span)
        if self.symbols is not None and wanted is not None and len(tokens) > 1:
            flat = [Token(x.kind, c, x.start, x.end) for x in tokens for c in ([x.text] if x.kind == "command" else x.text)]
            if len(flat) == wanted and all(x.kind in ("letters", "number") or x.command in (*LETTERS, *WHOLE) for x in tokens):
                return tuple(self.one_index(x, operand, axis + k) for k, x in enumerate(flat))
        outside, self.as_index = self.as_index, not numbers
        try:
            with self.within(*span):
                return self.index_list(operand, axis)
        finally:
            self.as_index = outside

    def index_list(self, operand: t.Expression | None, axis: int) -> tuple[t.Expression, ...]:
        out: list[t.Expression] = []
        while self.pos < self.end:
            found = self.tokens[self.pos]
            if found.is_sign(",", ";", "|") or found.kind == "row" or found.is_sign("&"):
                self.pos += 1
            elif found.is_sign(":") and (after := self.peek(1)) is not None and after.is_sign(":"):
                self.pos += 2
                step = self.expression().tree if self.pos < self.end and not self.tokens[self.pos].is_sign(",", ";") else None
                out.append(t.Slice(None, None, step, span=found.span))
            elif found.is_sign(":") and (self.lone() or self.origin) or found.command in ("cdot", "bullet") and self.lone():
                self.pos += 1
                out.append(t.Slice(None, None, span=found.span))
            elif self.origin == 0 and self.symbols is not None and (colon := self.slice_ahead()) is not None:
                lower = self.part(self.pos, colon).tree if colon > self.pos else None
                self.pos, stop = colon + 1, self.piece_end()
                upper = self.part(self.pos, stop).tree if stop > self.pos else None
                self.pos = stop
                out.append(t.Slice(lower, upper, span=found.span))
            else:
                before = self.pos
                if self.symbols is None:
                    out.append(self.loose())
                else:
                    first = self.tokens[before]
                    out.append(self.counted(self.expression().tree, operand, axis + len(out), first))
                if self.pos == before:
                    raise self.slip(f"`{found.text}` is out of place", found.span)
        return tuple(out)

    def piece_end(self) -> int:
        """Where the index that begins here ends: at a comma, or with the script."""
        depth = 0
        for k in range(self.pos, self.end):
            token = self.tokens[k]
            depth += token.is_sign("(", "{", "[") - token.is_sign(")", "}", "]")
            if depth == 0 and token.is_sign(",", ";", "|"):
                return k
        return self.end

    def slice_ahead(self) -> int | None:
        """The place of the colon of a:b, of which one side is said."""
        stop = self.piece_end()
        colons = [k for k in range(self.pos, stop) if self.tokens[k].is_sign(":")]
        return colons[0] if len(colons) == 1 and stop - self.pos > 1 else None

    def lone(self) -> bool:
        after = self.peek(1)
        return after is None or after.is_sign(",")

    def loose(self) -> t.Expression:
        """Whatever stands in a script, as one piece."""
        start, nesting, closers = self.pos, self.nesting, list(self.closers)
        try:
            return self.side().tree
        except Slip:
            self.pos, self.nesting, self.closers = self.end, nesting, closers
            return t.Name("".join(x.text for x in self.tokens[start : self.end]), span=self.spanned(start))

    def one_index(self, token: Token, operand: t.Expression | None, axis: int) -> t.Expression:
        if token.command in WHOLE:  # the row A_{i\cdot}
            return t.Slice(None, None, span=token.span)
        if token.kind == "number":
            return self.counted(items.number(int(token.text), token.span), operand, axis, token)
        base = LETTERS.get(token.command, token.text)
        made: t.Expression = t.Name(base, span=token.span)
        if base not in self.bound:
            if self.symbols is not None and self.symbols.declares(base):
                return self.counted(made, operand, axis, token)
            self.state.free.setdefault(base, token.span)
        return self.counted(made, operand, axis, token)

    def counted(self, e: t.Expression, operand: t.Expression | None, axis: int, token: Token) -> t.Expression:
        """A position on paper as a position in the array, which is counted from 0."""
        if self.symbols is None or operand is None:
            return e
        names = names_of(e)
        index = next((n for n in names if n in self.bound), None)
        if index is None:
            if any(n in self.state.free for n in names):
                return e
            if self.origin == 0:
                return e
            if isinstance(e, t.Number):
                if e.value == 0:
                    raise CountedFromZero
                return items.number(e.value - 1, e.span)
            return t.Terms(((1, e), (-1, items.number(1, e.span))), span=e.span)
        found = self.bound[index]
        if not found.origin:
            return e
        shape = self.shape(operand)
        size = shape[axis] if shape is not None and axis < len(shape) else None
        if size is not None and found.upper is not None and _is_successor(size, found.upper):
            return t.Terms(((1, e), (1, items.number(1, e.span))), span=e.span)  # an axis that is counted from 0
        return e

    def picked(self, array: Item, indices: tuple[t.Expression, ...], span: Span) -> Item:
        if not indices:
            return array
        if array.rank is not None and len(indices) > array.rank:
            raise self.slip(f"{len(indices)} indices stand at an array with {array.rank} axes", span)
        made = t.Subscript(array.tree, indices, span=span)
        return Item(made, self.rank(made))


def _is_successor(size: t.Expression, upper: t.Expression) -> bool:
    """Whether size is upper + 1."""
    if isinstance(size, t.Number) and isinstance(upper, t.Number):
        return size.value == upper.value + 1
    one = items.number(1)
    return isinstance(size, t.Terms) and sorted(size.terms, key=repr) == sorted(((1, upper), (1, one)), key=repr)
