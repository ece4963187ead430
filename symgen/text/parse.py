"""Text to tree: scan, join lines, parse statement by statement, and report every mistake in one go."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from symgen.text import tree
from symgen.text.build import Misplaced, TreeBuilder
from symgen.text.diagnostics import Diagnostic, SpecError
from symgen.text.lalr import Parser, Stopped, Tables
from symgen.text.layout import MAX_DEPTH, Words, statements
from symgen.text.mistakes import Situation, explain
from symgen.text.scan import MAX_MISTAKES, Scanner, diagnostic
from symgen.text.tree import Source

__all__ = ["Reading", "decoded", "grammar_folder", "parse_claim", "parse_expression", "parse_spec", "read_spec"]

_QUOTED = re.compile(r"`([^`]*)`")
_WORD = re.compile(r"\w+")

MAX_TEXT = 2_000_000
MAX_TOKENS = 100_000  # of one statement


@cache
def grammar_folder() -> Path:
    """`grammars/`: inside the package once installed, beside it in a checkout."""
    package = Path(__file__).parents[1]
    return next(p for p in (package / "grammars", package.parent / "grammars") if p.is_dir())


@cache
def _language() -> tuple[Parser, Scanner]:
    """The parser and its scanner, made once, when the first text is read."""
    folder = grammar_folder()
    grammar = (folder / "symgen.lark").read_text(encoding="utf-8")
    tables = Tables.from_json((folder / "symgen.json").read_text(encoding="utf-8"))
    if tables.grammar != hashlib.sha256(grammar.encode()).hexdigest():
        # the grammar has been edited: only then is Lark imported
        tables = import_module("symgen.text.tables").make_tables(grammar)
    return Parser(tables, TreeBuilder()), Scanner(tables.symbols, tables.number, tables.string)


@dataclass(frozen=True)
class Reading:
    """The statements that parse, the mistakes of the others, and the names that those may have declared."""

    spec: tree.Spec
    mistakes: tuple[Diagnostic, ...]
    lost: frozenset[str]

    def explains(self, found: Diagnostic) -> bool:
        """Whether a mistake found later may only follow from these: its message quotes a lost name."""
        quoted = " ".join(_QUOTED.findall(found.message))
        return not self.lost.isdisjoint(_WORD.findall(quoted))


def read_spec(text: str, name: str = "<text>", line_shift: int = 0) -> Reading:
    """As much of a spec as parses, so that its other mistakes can be told in the same run."""
    source = Source(text, name, line_shift)
    found, mistakes, lost = _read(source, "statement")
    spec = tree.Spec(source, tuple(found), span=tree.Span(0, len(text)))
    return Reading(spec, tuple(mistakes), frozenset(lost))


def parse_spec(text: str, name: str = "<text>", line_shift: int = 0) -> tree.Spec:
    """The statements of a spec. Raises SpecError with every mistake, at most one of grammar in each statement."""
    reading = read_spec(text, name, line_shift)
    if reading.mistakes:
        raise SpecError(list(reading.mistakes))
    return reading.spec


def decoded(data: bytes, name: str = "<text>") -> str:
    """The text of a file. Raises SpecError where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        source = Source(data.decode("utf-8", "replace"), name)
        utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        message = "the text is in UTF-16" if utf16 else f"the byte 0x{data[error.start]:02X} is not UTF-8"
        start = len(before)
        raise SpecError([diagnostic(source, message, start, start + 1, "", "save it as UTF-8")]) from None


def parse_expression(text: str, name: str = "<expression>") -> tree.Expression:
    """One expression. Raises SpecError."""
    return _one(Source(text, name), "expression", "an expression")  # type: ignore[no-any-return]


def parse_claim(text: str, name: str = "<claim>") -> tree.Claim:
    """A claim, with or without its word: `a = b`, `right: a = b`, `claim right: a = b`. Raises SpecError."""
    return _one(Source(text, name), "chain", "a claim")  # type: ignore[no-any-return]


def _one(source: Source, start: str, what: str) -> Any:
    found, mistakes, _ = _read(source, start)
    if not found and not mistakes:
        mistakes = [Diagnostic(f"{what} is missing: the text is empty", source)]
    if mistakes:
        raise SpecError(mistakes)
    return found[0]


def _read(source: Source, start: str) -> tuple[list[Any], list[Diagnostic], set[str]]:
    size = len(source.text)
    if size > MAX_TEXT:
        message = f"the text has {size:,} characters, and symgen reads up to {MAX_TEXT:,}"
        return [], [Diagnostic(message, Source("", source.name))], set()
    parser, scanner = _language()
    lines, mistakes = scanner.scan(source)
    found: list[Any] = []
    lost: set[str] = set()
    for words in statements(lines, source, mistakes, single=start != "statement"):
        node = None
        if not words.broken and len(mistakes) < MAX_MISTAKES:
            node = _parse(parser, words, source, start, mistakes)
        if node is not None:
            found.append(node)
        else:
            lost.update(_declared(words))
    mistakes.sort(key=lambda d: d.position)
    if len(mistakes) >= MAX_MISTAKES:
        del mistakes[MAX_MISTAKES:]
        mistakes.append(Diagnostic(f"mistakes beyond the first {MAX_MISTAKES} are not listed", source, severity="note"))
    return found, mistakes, lost


def _declared(words: Words) -> Iterator[str]:
    """Names that a statement with a mistake in it may declare: all that stand where a declaration has its names."""
    first, *rest = words.tokens
    if first in ("data", "param", "const", "dim", "density"):
        yield from (str(token) for token in rest if token.type == "NAME")
    else:
        yield from (str(token) for token in rest[:1] if token.type == "NAME")
    if first.type == "NAME" and rest and rest[0] == "=":
        yield str(first)  # `x = 3` without its `let`


def _parse(parser: Parser, words: Words, source: Source, start: str, mistakes: list[Diagnostic]) -> Any:
    """One statement, or None with a mistake."""
    tokens = words.tokens
    if start == "chain" and tokens[0] == "claim" and len(tokens) > 1 and tokens[1].type in ("NAME", "NUMBER", "log"):
        tokens = tokens[1:]
    begin = tokens[0].start
    if len(tokens) > MAX_TOKENS:
        help = "give its parts names by `let`"
        message = f"a statement has {len(tokens):,} words and signs, and symgen reads up to {MAX_TOKENS:,}"
        mistakes.append(diagnostic(source, message, begin, begin + 1, "", help))
        return None
    try:
        node = parser.parse(tokens, start)
    except Stopped as stopped:
        accepted = parser.accepted(tokens[: stopped.position], start)
        mistakes.append(explain(Situation(source, words, tokens, stopped.position, start, accepted)))
        return None
    except Misplaced as found:
        mistakes.append(diagnostic(source, found.message, found.span.start, found.span.end, "", found.help))
        return None
    if len(tokens) > MAX_DEPTH:
        deepest = _too_deep(node)
        if deepest is not None:
            help = "give an inner part a name of its own by `let`"
            message = f"an expression is nested more than {MAX_DEPTH} deep"
            mistakes.append(diagnostic(source, message, deepest.span.start, deepest.span.end, "", help))
            return None
    return node


def _too_deep(node: tree.Tree) -> tree.Tree | None:
    """A node more than MAX_DEPTH below `node`, if there is one."""
    waiting: list[tuple[Any, int]] = [(node, 0)]
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, tree.Tree):
            if depth > MAX_DEPTH:
                return part
            waiting.extend((value, depth + 1) for value in vars(part).values() if isinstance(value, tree.Tree | tuple))
        else:
            waiting.extend((value, depth) for value in part if isinstance(value, tree.Tree | tuple))
    return None
