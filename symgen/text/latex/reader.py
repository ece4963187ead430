"""LaTeX as trees: expressions, and the chains of relations of a display.

`read_expression` reads one formula, `read_display` the statements of a display; both take the `Symbols` of a spec, or
none: then letters are names and every product is plain.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from symgen.text import tree as t
from symgen.text.diagnostics import Diagnostic, SpecError
from symgen.text.latex.forms import Parser
from symgen.text.latex.indices import CountedFromZero
from symgen.text.latex.items import closed
from symgen.text.latex.macros import Macro, definitions, expand
from symgen.text.latex.parser import names_of, with_span
from symgen.text.latex.prepare import prepared
from symgen.text.latex.rows import Link, Statement, statements
from symgen.text.latex.symbols import Symbols
from symgen.text.latex.tokens import Slip, Token, balanced, scan, with_thousands
from symgen.text.latex.vocabulary import BIG, CHECKED, INFORMAL, LETTERS
from symgen.text.tree import Source, Span

__all__ = ["Chain", "Display", "read_display", "read_expression"]

MAX_TOKENS = 20_000  # of a display
FRAMES = 12_000  # brackets nest at most 100 deep, each takes some frames


@dataclass(frozen=True)
class Definition:
    """A name that a chain gives to its second side: plain, with indices (p_i = ..), or of its parameters (f(t) = ..)."""

    name: str
    parameters: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()
    whole: str = ""  # the name that goes with indices

    def inside(self, symbols: Symbols) -> Symbols:
        """The names in force on its right side."""
        if not self.parameters:
            return symbols
        return replace(symbols, shapes={**symbols.shapes, **dict.fromkeys(self.parameters, ())})

    def over_indices(self) -> Definition:
        return Definition(self.whole, (), self.indices)


def definition_of(side: t.Expression | Unread, symbols: Symbols) -> Definition | None:
    """What a left side of unknown names would define."""
    if not isinstance(side, Unread) or side.mistake is not None or side.tree is None:
        return None
    base, low = side.parts
    unknown = [n for n, _ in side.undeclared]
    match side.tree:
        case t.Name(name) if unknown == [name] and base:
            letters = tuple(low.replace(",", ""))
            indexed = bool(letters) and all(x.isalpha() for x in letters) and len(set(letters)) == len(letters)
            if indexed and len(letters) < 3 and (len(low) == 1 or len(base) == 1):
                return None if symbols.declares(base) else Definition(name, (), letters, base)
            return Definition(name)
        case t.Call(name, arguments) if base and not low and name in unknown and side.tree.keywords == ():
            names = tuple(a.name for a in (*arguments, *side.tree.given) if isinstance(a, t.Name))
            if not names or len(names) != len(arguments) + len(side.tree.given) or len(set(names)) != len(names):
                return None
            mute = all(n in unknown or n in symbols.mute or symbols.is_drawn(n) for n in names)
            if set(unknown) <= {name, *names} and mute and not side.tree.given:
                return Definition(name, names)
            if unknown == [name] and all(n in symbols.values for n in names):
                return Definition(name)  # J(w) of a variable w of the spec
    return None


@dataclass(frozen=True)
class Unread:
    """A side that was not read, or that no claim can hold: why; `mistake` where the LaTeX is wrong."""

    reason: str
    span: Span
    mistake: Diagnostic | None = None
    undeclared: tuple[tuple[str, Span], ...] = ()
    tree: t.Expression | None = None  # what it is but for the names that nothing declares
    parts: tuple[str, str] = ("", "")  # of the name that it is: the letter, what stands low
    mentions: bool = False  # whether a value of the spec stands in it


@dataclass(frozen=True)
class Chain:
    """A statement: its sides, each a tree or what was not read, and the relations between them, with their reasons.

    A relation that no claim can hold stays as it was read, `in` or `approx`, and the side after it is unread.

    `sides[0]` stands on the left. `claim` is the whole as a claim, where every side was read.
    """

    span: Span
    sides: tuple[t.Expression | Unread, ...]
    relations: tuple[t.ClaimStep, ...] = ()
    defined: Definition | None = None  # what the first side is made by this chain
    assigned: bool = False  # := stands after the first side

    @property
    def unread(self) -> tuple[Unread, ...]:
        return tuple(x for x in self.sides if isinstance(x, Unread))

    @property
    def claim(self) -> t.Claim | None:
        if self.unread or not self.relations or not isinstance(self.sides[0], t.Expression):
            return None
        return t.Claim(None, self.sides[0], self.relations, span=self.span)


@dataclass(frozen=True)
class Display:
    """The statements of a display; `mistake` is a slip of the LaTeX itself, for which nothing of it is read."""

    span: Span
    chains: tuple[Chain, ...] = ()
    mistake: Diagnostic | None = None


@contextmanager
def _room() -> Iterator[None]:
    """Python's limit of recursion lifted to what the deepest formula needs."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _tokens(text: str, start: int, end: int, macros: Mapping[str, Macro]) -> list[Token]:
    found = expand(scan(text, start, end), macros)
    if len(found) > MAX_TOKENS:
        raise Slip(f"a formula has {len(found):,} words and signs, and symgen reads up to {MAX_TOKENS:,}", start, start + 1)
    balanced(found)
    return prepared(with_thousands(found))


def read_expression(
    text: str, symbols: Symbols | None = None, macros: Mapping[str, Macro] | None = None, origin: int = 1,
    name: str = "<latex>",
) -> t.Expression:  # fmt: skip
    """One formula. `origin` is the number of the first entry, where an index is a number. Raises SpecError."""
    source = Source(text, name)
    try:
        tokens = _tokens(text, 0, len(text), macros or {})
        if not tokens:
            raise Slip("a formula is missing: the text is empty", 0, 1)
        with _room():
            try:
                return Parser(tokens, symbols, origin).whole().tree
            except CountedFromZero:
                return Parser(tokens, symbols, 0).whole().tree
    except Slip as slip:
        raise SpecError([slip.diagnostic(source)]) from None


def read_display(
    source: Source,
    span: Span | None = None,
    symbols: Symbols | None = None,
    macros: Mapping[str, Macro] | None = None,
) -> Display:
    """The statements of the display at `span` of a document. What cannot be read is told, never raised."""
    text = source.text
    span = span or Span(0, len(text))
    if macros is None:
        macros, _ = definitions(text[span.start : span.end])
    try:
        tokens = _tokens(text, span.start, span.end, macros)
    except Slip as slip:
        return Display(span, (), slip.diagnostic(source))
    origin = _origin(tokens)
    with _room():
        try:
            chains = tuple(_chain(s, source, symbols, origin) for s in statements(tokens))
        except CountedFromZero:
            chains = tuple(_chain(s, source, symbols, 0) for s in statements(tokens))
    return Display(span, chains)


def _origin(tokens: Sequence[Token]) -> int:
    """Whether entries are counted from 0 or from 1: from 0 where a sum begins at 0 (or an entry has the number 0: that is
    seen when it is read)."""
    for k, x in enumerate(tokens):
        if x.command in BIG and BIG[x.command] in ("sum", "prod"):
            under = [y.text for y in tokens[k + 1 : k + 6]]
            if under[:2] == ["_", "{"] and under[3:5] == ["=", "0"]:
                return 0
    return 1


def _chain(s: Statement, source: Source, symbols: Symbols | None, origin: int) -> Chain:
    tokens = s.tokens
    span = Span(min(x.start for x in tokens), max(x.end for x in tokens))
    free: dict[str, Span] = {}
    sides: list[t.Expression | Unread] = []
    defined: Definition | None = None
    for k, (written, where) in enumerate([(s.first, span), *((x.tokens, x.token.span) for x in s.links)]):
        condition = s.links[k - 1].condition if k else ""
        within = defined.inside(symbols) if k and defined is not None and symbols is not None else symbols
        made = _side(written, source, within, origin, free, where)
        sides.append(replace(made, mentions=_mentions(written, symbols)) if isinstance(made, Unread) else made)
        if condition and symbols is not None and not isinstance(sides[-1], Unread):
            sides[-1] = Unread(f"it holds `{condition}`, which is in words", where)
        if k == 0 and symbols is not None and s.links and s.links[0].relation in ("=", ":="):
            defined = definition_of(sides[0], symbols)
    if defined is not None:
        defined, free = _fitting(defined, sides, free)
    if free and symbols is not None:
        lengths = _lengths([e for e in sides if isinstance(e, t.Expression)], free, symbols)
        sides = [_with_axes(e, free, lengths) if isinstance(e, t.Expression) else e for e in sides]
    steps = []
    for k, link in enumerate(s.links, 1):
        side = sides[k]
        relation = "=" if link.relation == ":=" else link.relation
        over: tuple[t.Name, ...] = ()
        if symbols is not None and relation not in CHECKED:
            why = INFORMAL.get(relation, f"`{link.token.text}` is no relation that symgen checks")
            if not isinstance(side, Unread):
                sides[k] = Unread(why, link.token.span)
        elif symbols is not None and relation in ("propto", "~="):
            over = _over(link, sides[0], symbols, origin)
            if not over and not isinstance(side, Unread):
                text = rf"`{link.token.text}` does not say in which variable: write `\propto_{{w}}`"
                sides[k] = Unread(text, link.token.span)
        value = side if isinstance(side, t.Expression) else t.Name("_", span=side.span)
        steps.append(t.ClaimStep(relation, over, value, link.reason or None, link.token.span, span=value.span))
    return Chain(span, tuple(sides), tuple(steps), defined, bool(s.links) and s.links[0].relation == ":=")


def _fitting(
    defined: Definition, sides: list[t.Expression | Unread], free: dict[str, Span]
) -> tuple[Definition | None, dict[str, Span]]:
    """The definition, where the second side says what it is; indices in the order of the left side."""
    value = sides[1]
    if not isinstance(value, t.Expression):
        return None, free
    inside = names_of(value)
    if defined.name in inside:
        return None, free
    if defined.parameters:
        return (defined if not free else None), free
    if defined.indices and set(defined.indices) == set(free):
        return defined.over_indices(), {n: free[n] for n in defined.indices}
    if free or any(n in inside for n in defined.indices):
        return None, free
    return (defined if not defined.indices else None), free


def _mentions(tokens: Sequence[Token], symbols: Symbols | None) -> bool:
    """Whether the letter of a value of a spec stands in a side."""
    letters = (LETTERS.get(x.command, x.text) for x in tokens if x.kind in ("letters", "word") or x.command in LETTERS)
    return symbols is not None and any(symbols.find(x) in symbols.values for x in letters)


def _side(
    tokens: list[Token], source: Source, symbols: Symbols | None, origin: int, free: dict[str, Span], where: Span
) -> t.Expression | Unread:
    while tokens and (tokens[-1].is_sign(".", ",", ";") or tokens[-1].kind == "row"):
        tokens = tokens[:-1]
    if not tokens:
        if symbols is None:
            return t.Name("nothing", span=where)
        found = Slip("a side of this relation is missing", where.start, where.end)
        return Unread(found.message, where, found.diagnostic(source))
    span = Span(min(x.start for x in tokens), max(x.end for x in tokens))
    parser = Parser(tokens, symbols, origin)
    state = parser.state
    try:
        if symbols is None:
            return parser.part(0, len(tokens)).tree
        made = closed(parser.expression())
        parser.finished()
    except Slip as slip:
        place = Span(slip.start, max(slip.end, slip.start + 1))
        mistake = slip.diagnostic(source) if slip.malformed and not state.undeclared else None
        return Unread(slip.message, place, mistake, tuple(state.undeclared.items()))
    if state.undeclared:
        listed = ", ".join(f"`{n}`" for n in list(state.undeclared)[:4]) + (" .." if len(state.undeclared) > 4 else "")
        plural = "is" if len(state.undeclared) == 1 else "are"
        head = made.tree.function if isinstance(made.tree, t.Call) else made.tree.name if isinstance(made.tree, t.Name) else ""
        reason = f"{listed} {plural} not declared in the spec"
        return Unread(reason, span, None, tuple(state.undeclared.items()), made.tree, state.parts.get(head, ("", "")))
    if state.informal:
        return Unread(*state.informal[0])
    free.update({n: x for n, x in state.free.items() if n in names_of(made.tree)})
    return made.tree if made.tree.span != t.NOWHERE else with_span(made.tree, span)


def _lengths(sides: Sequence[t.Expression], free: Iterable[str], symbols: Symbols) -> dict[str, t.Expression]:
    """The lengths of the axes where indices stand alone, by any side."""
    out: dict[str, t.Expression] = {}
    for e in (s for side in sides for s in _subscripts(side)):
        parts: tuple[t.Expression, ...] = (e.operand,)
        if isinstance(e.operand, t.Call) and e.operand.function in ("jacobian", "grad"):  # the axes of f, then those of x
            parts = e.operand.arguments[:2] if e.operand.function == "jacobian" else e.operand.arguments[1:2]
        shapes = [symbols.shape_of(x, symbols.shapes) for x in parts]
        shape = [size for found in shapes for size in found or ()] if None not in shapes else []
        for item, size in zip(e.items, shape, strict=False):
            if isinstance(item, t.Name) and item.name in free and size is not None:
                out.setdefault(item.name, size)
    return out


def _subscripts(e: t.Expression) -> Iterator[t.Subscript]:
    stack: list[object] = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, t.Subscript):
            yield x
        if isinstance(x, t.Tree):
            stack.extend(v for v in vars(x).values() if isinstance(v, (t.Tree, tuple)))
        elif isinstance(x, tuple):
            stack.extend(x)


def _with_axes(e: t.Expression, free: Mapping[str, Span], lengths: Mapping[str, t.Expression]) -> t.Expression | Unread:
    """p_i = .. for all i: a side as an array over i, as long as other sides say where this one does not."""
    own = {i.name for s in _subscripts(e) for i in s.items if isinstance(i, t.Name)}
    specs = tuple(t.IndexSpec(n, None if n in own else lengths.get(n), span=free[n]) for n in free if n in names_of(e))
    if not specs:
        return e
    if len(specs) < len(free):
        missing = ", ".join(f"`{n}`" for n in free if n not in names_of(e))
        return Unread(f"the index {missing} stands in other steps alone", e.span)
    return t.Binder("tensor", specs, (e,), span=e.span, name_span=e.span)


def _over(link: Link, first: t.Expression | Unread, symbols: Symbols, origin: int) -> tuple[t.Name, ...]:
    """What a proportion is over: the script of its sign, else what the density on the left is of; () where none says."""
    tokens = prepared(list(link.token.above)) if link.token.above else []
    if link.tokens and link.tokens[0].is_sign("_"):
        under = Parser(link.tokens, symbols, origin)
        under.pos = 1
        a, b = under.group()
        tokens, link.tokens = link.tokens[a:b], link.tokens[under.pos :]
    if tokens:
        try:
            names = [x.tree for g in Parser(tokens, symbols, origin).argument_list(0, len(tokens)) for x in g]
        except Slip:
            return ()
        return tuple(x for x in names if isinstance(x, t.Name))
    call = first.arguments[0] if isinstance(first, t.Call) and first.function == "log" else first
    if isinstance(call, t.Call):
        law = symbols.laws.get(call.function)
        if law is not None and law.is_density:
            return tuple(a for a in call.arguments if isinstance(a, t.Name))
    return ()
