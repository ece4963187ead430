"""A formula of LaTeX as a tree: sums, products, factors with their scripts.

Which letter is a matrix, a density or a size is asked of the `Symbols`; without them (`symbols=None`) letters are names
and products plain. What has two readings is a Slip, not a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.items import Item, Shape
from symgen.text.latex.rows import relation_of
from symgen.text.latex.symbols import Law, Symbols
from symgen.text.latex.tokens import MAX_NESTING, Slip, Token
from symgen.text.latex.vocabulary import (
    ACCENTS,
    BARS,
    BIG,
    CLOSING,
    OPENING,
    PRODUCTS,
    RELATIONS,
    SUMS,
)
from symgen.text.tree import Span

__all__ = ["Core", "Range", "Script", "calls_of", "names_of", "with_span"]

LOOSE = frozenset("odot circ oslash otimes * oplus ominus wedge vee cap cup setminus".split())
COMPARISONS = {"=": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", ":=": "==", "~=": "~="}


@dataclass(frozen=True)
class Range:
    """An index that is bound: its ends as written, and from where its axis is counted, 0 or 1."""

    lower: t.Expression | None = None
    upper: t.Expression | None = None
    origin: int = 0


@dataclass
class Script:
    """What stands low and high at a name: token ranges, and the number of primes."""

    low: tuple[int, int] | None = None
    high: tuple[int, int] | None = None
    primes: int = 0
    span: Span = t.NOWHERE


@dataclass
class Bar:
    """An open |, and whether a | closes it."""

    kind: str


@dataclass
class State:
    """What is found while a formula is read."""

    undeclared: dict[str, Span] = field(default_factory=dict)
    parts: dict[str, tuple[str, str]] = field(default_factory=dict)  # of undeclared names: the letter, what stands low
    free: dict[str, Span] = field(default_factory=dict)  # indices that no sum binds
    informal: list[tuple[str, Span]] = field(default_factory=list)


def names_of(e: t.Tree) -> set[str]:
    """All names that stand in a tree."""
    out: set[str] = set()
    stack: list[object] = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, t.Name):
            out.add(x.name)
        if isinstance(x, t.Tree):
            stack.extend(v for v in vars(x).values() if isinstance(v, (t.Tree, tuple)))
        elif isinstance(x, tuple):
            stack.extend(x)
    return out


def calls_of(e: t.Tree) -> set[str]:
    """All functions that are called in a tree."""
    out: set[str] = set()
    stack: list[object] = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, t.Call):
            out.add(x.function)
        if isinstance(x, t.Tree):
            stack.extend(v for v in vars(x).values() if isinstance(v, (t.Tree, tuple)))
        elif isinstance(x, tuple):
            stack.extend(x)
    return out


class Core:
    """Positions, brackets, sums and products."""

    def __init__(self, tokens: Sequence[Token], symbols: Symbols | None, origin: int = 1) -> None:
        self.tokens = list(tokens)
        self.pos, self.end = 0, len(self.tokens)
        self.symbols = symbols
        self.origin = origin
        self.bound: dict[str, Range] = {}
        self.local: dict[str, Shape] = {}  # shapes of what is drawn or bound
        self.state = State()
        self.nesting = 0
        self.closers: list[str] = []  # what ends the bracket that is open
        self.as_index = False  # indices stand in a subscript, not as numbers
        self.law_wanted = False  # a distribution is read, which may be named alone

    # --- positions

    def peek(self, ahead: int = 0) -> Token | None:
        k = self.pos + ahead
        return self.tokens[k] if k < self.end else None

    def next(self) -> Token:
        found = self.peek()
        if found is None:
            raise self.missing()
        self.pos += 1
        return found

    def missing(self, what: str = "something") -> Slip:
        k = min(self.pos, len(self.tokens) - 1)
        last = self.tokens[max(0, k - 1)] if self.tokens else Token("sign", "", 0, 0)
        return Slip(f"{what} is missing after `{_shown(last)}`", last.start, last.end)

    def spanned(self, start: int) -> Span:
        first = self.tokens[start]
        last = self.tokens[max(start, self.pos - 1)]
        return Span(min(first.start, last.start), max(first.end, last.end))

    def here(self) -> Span:
        k = min(self.pos, len(self.tokens) - 1)
        return self.tokens[k].span if self.tokens else t.NOWHERE

    def slip(self, message: str, span: Span, help: str | None = None, malformed: bool = True) -> Slip:
        return Slip(message, span.start, span.end, help=help, malformed=malformed)

    @contextmanager
    def within(self, start: int, end: int) -> Iterator[None]:
        """Only the tokens from start to end, then on where it was."""
        outside = self.pos, self.end, self.closers, self.nesting
        self.deeper()
        self.pos, self.end, self.closers = start, end, []
        try:
            yield
        finally:
            self.pos, self.end, self.closers, self.nesting = outside

    def deeper(self) -> None:
        self.nesting += 1
        if self.nesting > 3 * MAX_NESTING:  # a bracket costs up to three
            span = self.here()
            raise Slip(f"brackets are nested more than {MAX_NESTING} deep", span.start, span.end)

    def group(self) -> tuple[int, int]:
        """The token range of the next argument: a group, or one token (one digit, one letter)."""
        found = self.next()
        if found.is_sign("{"):
            depth, start = 1, self.pos
            while depth:
                found = self.next()
                depth += found.is_sign("{") - found.is_sign("}")
            return start, self.pos - 1
        k = self.pos - 1
        if found.kind == "command" and (
            found.command in ACCENTS or found.command in ("frac", "dfrac", "tfrac", "sqrt", "mathbf", "boldsymbol")
        ):
            for _ in range(2 if "frac" in found.command else 1):
                self.group()
            return k, self.pos
        elif found.kind == "sign" and found.text in "}]),&" and not found.side:
            raise self.slip(f"`{_shown(found)}` where an argument is needed", found.span)
        return k, k + 1

    # --- shapes

    def shape(self, e: t.Expression) -> Shape | None:
        if self.symbols is None:
            return None
        shapes = {**self.symbols.shapes, **self.local} if self.local else self.symbols.shapes
        return self.symbols.shape_of(e, shapes)

    def rank(self, e: t.Expression) -> int | None:
        shape = self.shape(e)
        return len(shape) if shape is not None else None

    def item(self, e: t.Expression) -> Item:
        return Item(e, self.rank(e))

    # --- sums and products

    def expression(self) -> Item:
        """A sum, up to what is none of its terms."""
        self.deeper()
        terms: list[tuple[int, Item]] = []
        start = self.pos
        sign = 1
        while True:
            found = self.peek()
            if found is None:
                raise self.missing("a term")
            if found.kind == "row":
                self.pos += 1
                continue
            step = self.sign_of(found)
            if step is None:
                break
            self.pos += 1
            sign *= step
        terms.append((sign, self.product()))
        while True:
            found = self.peek()
            while found is not None and found.kind == "row" and self.goes_on():
                self.pos += 1
                found = self.peek()
            step = self.sign_of(found) if found is not None else None
            if found is None or step is None:
                break
            self.pos += 1
            terms.append((step, self.product()))
        self.nesting -= 1
        made = items.added(terms, self.shape)
        return made if made.tree.span != t.NOWHERE else Item(with_span(made.tree, self.spanned(start)), made.rank)

    def goes_on(self) -> bool:
        after = self.peek(1)
        return after is not None and (self.sign_of(after) is not None or after.command in PRODUCTS)

    def sign_of(self, found: Token) -> int | None:
        if found.is_sign("+") and not found.side:
            return 1
        if found.is_sign("-") and not found.side:
            return -1
        step = SUMS.get(found.command)
        if step is not None:
            if self.symbols is not None:
                raise self.slip(f"`{found.text}` stands for two formulas", found.span, malformed=False)
            return step
        return None

    def product(self, stop_at: frozenset[str] = frozenset()) -> Item:
        """Factors side by side, up to the next + or -; `stop_at` names signs that end it."""
        start = self.pos
        groups: list[tuple[str, list[tuple[str, Item]]]] = [("", [("", self.factor())])]
        while True:
            found = self.peek()
            if found is None:
                break
            if found.kind == "row" and self.closers and self.peek(1) is not None:
                self.pos += 1
                continue
            op = self.operator(found)
            if op is not None:
                if op in stop_at:
                    break
                self.pos += 1
                after = self.peek()
                if after is None:
                    raise self.missing("a factor")
                minus = 1
                while after is not None and self.sign_of(after) is not None:
                    minus *= self.sign_of(after) or 1
                    self.pos += 1
                    after = self.peek()
                factor = self.factor()
                if minus < 0:
                    factor = items.added([(-1, factor)], self.shape)
                if op == "/":
                    self.check_slash(factor)
                if op in LOOSE:
                    groups.append((op, [("", factor)]))
                else:
                    groups[-1][1].append((op, factor))
            elif self.begins_factor(found):
                groups[-1][1].append(("", self.factor()))
            else:
                break
        if len(groups) == 1 and len(groups[0][1]) == 1:
            return groups[0][1][0][1]
        made = self.folded(groups[0][1])
        for op, group in groups[1:]:
            made = self.times(made, op, self.folded(group))
        if made.tree.span == t.NOWHERE:
            made = Item(with_span(made.tree, self.spanned(start)), made.rank, made.row, made.hole)
        return made

    def folded(self, group: Sequence[tuple[str, Item]]) -> Item:
        made = group[0][1]
        for op, factor in group[1:]:
            made = self.times(made, op, factor)
        return made

    def times(self, a: Item, op: str, b: Item) -> Item:
        """The product; with a spec, one of arrays whose shapes are not known is not read."""
        rows = a.tree.items if a.rank == 2 and isinstance(a.tree, t.ListOf) else ()
        if op in ("", "cdot") and b.rank == 1 and len(rows) == 1 and isinstance(b.tree, t.ListOf):  # a row times a column
            a = Item(rows[0], 1, row=True)
        unknown = next((x for x in (a, b) if x.rank is None), None)
        if unknown is not None and (a.rank != 0 and b.rank != 0):
            self.informal("the shape of a factor is not known", unknown.span)
        return items.multiplied(a, op, b)

    def operator(self, found: Token) -> str | None:
        if found.side:
            return None
        if found.is_sign("*", "/"):
            return found.text
        return PRODUCTS.get(found.command)

    def check_slash(self, below: Item) -> None:
        """a/b c has two readings."""
        after = self.peek()
        if self.symbols is None or after is None or not self.begins_factor(after):
            return
        if isinstance(below.tree, t.Number):  # 1/2 (a + b), 1/2 \sum
            if after.kind not in ("letters", "word", "command") or after.command in BIG or after.text in OPENING:
                return
            if after.side in ("<", "mathbb") or after.command in ("log", "nabla", "frac", "tfrac", "dfrac"):
                return
        raise self.slip("`/` before a product has two readings", below.span, r"write `\frac{..}{..}`, or brackets", False)

    def begins_factor(self, found: Token) -> bool:
        if found.kind in ("letters", "number", "word", "begin"):
            return True
        if found.kind == "text":
            return bool(found.text.strip())
        if found.text in BARS and found.kind in ("sign", "command"):
            return self.bar_opens(found)
        if found.kind == "sign":
            return found.side != ">" and found.text in ("(", "[", "{", "|", "nothing", "\\{") and found.side != "|"
        if found.kind == "command":
            if found.text in CLOSING or found.side == ">" or found.command in PRODUCTS or found.command in SUMS:
                return False
            return found.command not in RELATIONS or found.command in ("perp", "vdots")
        return False

    def bar_opens(self, found: Token) -> bool:
        """Whether a | after a factor opens another: where as many open as close from here on."""
        if found.side:
            return found.side == "<"
        kind = BARS[found.text]
        after = self.peek(1)
        if found.command in ("mid", "parallel") or kind in self.closers[-1:] or after is not None and after.is_sign("_"):
            return False
        return self.bars_ahead(kind) % 2 == 0

    def bars_ahead(self, kind: str) -> int:
        """How many bars of a kind stand from here to the end of the bracket."""
        count = depth = 0
        for k in range(self.pos, self.end):
            x = self.tokens[k]
            if x.kind not in ("sign", "command") or x.side == "|":
                continue
            opens = x.is_sign("{") or x.side == "<" or not x.side and x.text in OPENING
            shuts = x.is_sign("}") or x.side == ">" or not x.side and x.text in CLOSING
            depth += opens - shuts
            if depth < 0:
                break
            count += depth == 0 and not x.side and x.text in BARS and BARS[x.text] == kind and x.command != "mid"
        return count

    def part(self, start: int, end: int) -> Item:
        """An argument as an expression of its own."""
        raise NotImplementedError

    # --- one factor (the forms are in `forms`)

    def factor(self) -> Item:
        raise NotImplementedError

    def argument_list(self, start: int, end: int) -> list[list[Item]]:
        """The arguments between two positions: groups parted by | or ;, each of items parted by commas."""
        with self.within(start, end):
            self.closers = ["args"]
            groups: list[list[Item]] = [[]]
            while self.pos < self.end:
                found = self.tokens[self.pos]
                if found.is_sign(",") or found.kind == "row" or found.is_sign("&"):
                    self.pos += 1
                elif found.is_sign(";", ":") or (groups[-1] and self.parts_arguments(found)):
                    self.pos += 1
                    groups.append([])
                else:
                    before = self.pos
                    groups[-1].append(self.side())
                    if self.pos == before:
                        raise self.slip(f"`{_shown(found)}` is out of place", found.span)
            return groups

    def without_keywords(self, arguments: list[Item]) -> tuple[list[Item], tuple[t.Keyword, ...]]:
        """Arguments, and those that say axis = 1 or keepdims = True."""
        plain: list[Item] = []
        keywords: list[t.Keyword] = []
        for x in arguments:
            match x.tree:
                case t.Comparison((t.Name("axis" | "keepdims" as word), value), _) if self.symbols is not None:
                    keywords.append(t.Keyword(word, value, span=x.span))
                    for name in ("axis", "keepdims", "True"):
                        self.state.undeclared.pop(name, None)
                case _:
                    plain.append(x)
        return plain, tuple(keywords)

    def parts_arguments(self, found: Token) -> bool:
        return found.text in BARS and found.kind in ("sign", "command") and found.side in ("", "|")

    def side(self) -> Item:
        """An expression, or relations between several."""
        start = self.pos
        first = self.peek()
        leading = first is not None and relation_of(first) is not None  # (= 1)
        head = None if leading else self.expression()
        operands = [] if head is None else [head.tree]
        ops: list[str] = []
        while True:
            found = self.peek()
            relation = relation_of(found) if found is not None else None
            if found is not None and found.is_sign(":") and (after := self.peek(1)) and after.is_sign("="):
                self.pos += 1
                relation = "="
            if relation is None:
                break
            self.pos += 1
            if self.pos < self.end and relation_of(self.tokens[self.pos]) is not None:
                continue
            after = self.peek()
            if after is None or after.is_sign(",", ";", ")", "]"):
                break
            ops.append(COMPARISONS.get(relation, relation))
            operands.append(self.expression().tree)
        if len(operands) < 2 and head is not None:
            return head
        if self.symbols is not None and not set(ops) <= {"==", "!=", "<", ">", "<=", ">="}:
            raise self.slip("a relation inside a formula", self.spanned(start), malformed=False)
        return Item(t.Comparison(tuple(operands), tuple(ops[: max(0, len(operands) - 1)]), span=self.spanned(start)), 0)

    # --- declared or not

    def law(self, name: str) -> Law | None:
        return self.symbols.laws.get(name) if self.symbols is not None else None

    def undeclared(self, name: str, span: Span) -> None:
        if self.symbols is not None:
            self.state.undeclared.setdefault(name, span)

    def informal(self, what: str, span: Span) -> None:
        self.state.informal.append((what, span))


def _shown(found: Token) -> str:
    text = found.text if found.text != "nothing" else "."
    if found.side == "<":
        return f"\\left{text}"
    return f"\\right{text}" if found.side == ">" else text


def with_span(e: t.Expression, span: Span) -> t.Expression:
    object.__setattr__(e, "span", span)
    return e


def fraction(text: str) -> Fraction:
    return Fraction(text if not text.startswith(".") else "0" + text)
