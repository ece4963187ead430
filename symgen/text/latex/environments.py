"""Matrices and cases."""

from __future__ import annotations

from itertools import pairwise

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.derivatives import Derivatives
from symgen.text.latex.items import Item
from symgen.text.latex.tokens import Token
from symgen.text.latex.vocabulary import FUNCTION_WORDS
from symgen.text.tree import Span

__all__ = ["Environments"]

JOINT_WORDS = frozenset("if when whenever for where provided unless and on with all any".split())

COMPLEMENTS = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


def operands_of(condition: t.Expression | None) -> list[t.Expression]:
    """What is compared in a condition."""
    if isinstance(condition, t.Comparison):
        return list(condition.operands)
    return [x for c in condition.operands for x in operands_of(c)] if isinstance(condition, t.Logical) else []


def is_joint(token: Token) -> bool:
    """Whether a token is a word between formulas (if, for all) and no function or name."""
    text = token.text.strip()
    if token.kind == "text":
        return text not in FUNCTION_WORDS
    return token.kind == "word" and text.lower() in JOINT_WORDS


class Environments(Derivatives):
    """Reads what stands between \\begin and \\end inside a formula."""

    def environment(self, token: Token) -> Item:
        start = self.pos
        depth = 1
        while depth:
            found = self.next()
            depth += (found.kind == "begin") - (found.kind == "end")
        span = Span(token.start, self.tokens[self.pos - 1].end)
        rows = self.cells(start, self.pos - 1)
        if token.text.rstrip("*") in ("cases", "dcases", "rcases"):
            return self.postfix(self.cases(rows, span))
        trees = []
        for row in rows:
            trees.append([self.part(a, b).tree for a, b in row if a < b])
        trees = [row for row in trees if row]
        if token.text == "vmatrix" and self.symbols is not None:
            inner = t.ListOf(tuple(t.ListOf(tuple(row), span=span) for row in trees), span=span)
            return self.postfix(Item(t.Call("det", (inner,), span=span), 0))
        if self.symbols is not None and any(self.rank(x) for row in trees for x in row):
            return self.postfix(self.blocks(trees, span))
        if all(len(row) == 1 for row in trees):
            column = t.ListOf(tuple(row[0] for row in trees), span=span)
            return self.postfix(Item(column, 1 if self.symbols is not None else None))
        matrix = t.ListOf(tuple(t.ListOf(tuple(row), span=span) for row in trees), span=span)
        return self.postfix(Item(matrix, 2 if self.symbols is not None else None))

    def blocks(self, rows: list[list[t.Expression]], span: Span) -> Item:
        """A matrix of matrices, and a column of columns."""
        ranks = {self.rank(x) for row in rows for x in row}
        if ranks == {1} and all(len(row) == 1 for row in rows):
            return Item(t.Call("concat", tuple(row[0] for row in rows), span=span, name_span=span), 1)
        if ranks != {2} or len({len(row) for row in rows}) != 1:
            raise self.slip("the blocks of this matrix are not read", span, malformed=False)

        def joined(parts: list[t.Expression], axis: int) -> t.Expression:
            word = t.Keyword("axis", items.number(axis, span), span=span)
            return parts[0] if len(parts) == 1 else t.Call("concat", tuple(parts), (word,), span=span, name_span=span)

        return Item(joined([joined(row, 1) for row in rows], 0), 2)

    def sizes_below(self) -> tuple[t.Expression, ...]:
        """n, m of the script in 0_{n \\times m}; none where nothing is below."""
        found = self.peek()
        if found is None or not found.is_sign("_"):
            return ()
        self.pos += 1
        start, end = self.group()
        cuts = [start - 1, *(k for k in range(start, end) if self.tokens[k].command == "times"), end]
        return tuple(self.part(a + 1, b).tree for a, b in pairwise(cuts))

    def cells(self, start: int, end: int) -> list[list[tuple[int, int]]]:
        """The cells of a matrix or of cases, as token ranges."""
        rows: list[list[tuple[int, int]]] = [[]]
        depth, begin = 0, start
        for k in range(start, end):
            x = self.tokens[k]
            depth += (x.kind == "begin" or x.is_sign("{") or x.side == "<") - (x.kind == "end" or x.is_sign("}") or x.side == ">")
            if depth == 0 and (x.kind == "row" or x.is_sign("&")):
                rows[-1].append((begin, k))
                begin = k + 1
                if x.kind == "row":
                    rows.append([])
        rows[-1].append((begin, end))
        return [row for row in rows if any(a < b for a, b in row)]

    def cases(self, rows: list[list[tuple[int, int]]], span: Span) -> Item:
        """Values with their conditions as where(c, a, b)."""
        found: list[tuple[t.Expression | None, Item]] = []
        for row in rows:
            a, b = row[0]
            while b > a and self.tokens[b - 1].is_sign(",", ".", ";"):
                b -= 1
            texts = [k for k in range(a, b) if self.tokens[k].kind == "text" and k > a]
            rest = [r for r in row[1:] if r[0] < r[1]]
            if texts and not rest:
                rest, b = [(texts[0], b)], texts[0]
            value = self.part(a, b)
            found.append((self.condition(rest[0]) if rest else None, value))
        if self.symbols is None:
            return Item(t.Call("where", tuple(v.tree for _, v in found), span=span))
        if not found or any(c is None for c, _ in found[:-1]):
            raise self.slip("a case has no condition", span, malformed=False)
        condition, last = found[-1]
        if condition is not None and not self.complementary([c for c, _ in found]):
            raise self.slip("the last case needs the condition `otherwise`", span, r"write `& \text{otherwise}`", False)
        made: t.Expression = items.closed(last).tree
        ranks = [v.rank for _, v in found] + [self.rank(x) or 0 for c, _ in found[:-1] for x in operands_of(c)]
        for c, value in reversed(found[:-1]):
            assert c is not None
            made = t.Call("where", (c, items.closed(value).tree, made), span=span)
        return Item(made, None if None in ranks else max(r or 0 for r in ranks))

    def complementary(self, conditions: list[t.Expression | None]) -> bool:
        if len(conditions) != 2:
            return False
        a, b = conditions
        if not (isinstance(a, t.Comparison) and isinstance(b, t.Comparison) and len(a.ops) == len(b.ops) == 1):
            return False
        return a.operands == b.operands and COMPLEMENTS.get(a.ops[0]) == b.ops[0]

    def condition(self, place: tuple[int, int]) -> t.Expression | None:
        """if x > 0; None for `otherwise`."""
        start, end = place
        tokens = self.tokens[start:end]
        words = [x for x in tokens if x.kind in ("text", "word")]
        if not [x for x in tokens if x.kind not in ("text", "word") and not x.is_sign(",", ".")]:
            said = " ".join(x.text.lower() for x in words)
            if self.symbols is None or any(w in said for w in ("otherwise", "else", "ow", "o.w.")):
                return None
            raise self.slip(f"the condition `{said.strip()}` is in words", Span(tokens[0].start, tokens[-1].end), malformed=False)
        while start < end and is_joint(self.tokens[start]):
            start += 1
        while end > start and (self.tokens[end - 1].is_sign(",", ".", ";") or self.tokens[end - 1].kind == "text"):
            end -= 1
        if self.symbols is None:
            groups = self.argument_list(start, end)
            return groups[0][0].tree if groups[0] else None
        parts: list[t.Expression] = []
        joints = {x.text.strip().lower() for x in self.tokens[start:end] if x.kind == "text"}
        if joints >= {"and", "or"}:
            raise self.slip("`and` beside `or` has two readings", self.spanned(start), malformed=False)
        for a, b in self.between_words(start, end):
            with self.within(a, b):
                while self.pos < self.end:
                    if self.tokens[self.pos].is_sign(","):
                        self.pos += 1
                        continue
                    side = self.side().tree
                    if not isinstance(side, t.Comparison):
                        raise self.slip("a condition is a comparison", side.span, malformed=False)
                    parts.append(side)
        joint = "or" if "or" in joints else "and"
        return parts[0] if len(parts) == 1 else t.Logical(joint, tuple(parts), span=parts[0].span)

    def between_words(self, start: int, end: int) -> list[tuple[int, int]]:
        """The token ranges between `and`s and `or`s."""
        out, begin = [], start
        for k in range(start, end):
            if self.tokens[k].kind == "text" and self.tokens[k].text.strip().lower() in ("and", "or"):
                out.append((begin, k))
                begin = k + 1
        out.append((begin, end))
        return [(a, b) for a, b in out if a < b]
