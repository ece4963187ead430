"""Lines to statements: which lines belong together, which bracket closes which, and which word is a keyword where.

A statement ends with its line, but goes on inside an open bracket, after a trailing operator, and where the next line
is indented more and starts with a relation, a binary operator, `with`, `on` or a reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from symgen.text.diagnostics import Diagnostic, Label
from symgen.text.lalr import Token
from symgen.text.scan import MAX_MISTAKES, Line, diagnostic
from symgen.text.tree import Source, Span

__all__ = ["MAX_DEPTH", "STATEMENT_WORDS", "Words", "statements"]

MAX_DEPTH = 200

STATEMENT_WORDS = (
    "dim data param const assume let loss def dist density function game derive claim train"
).split()  # fmt: skip
_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {")": "(", "]": "[", "}": "{"}
_RELATIONS = {"=", "<=", ">=", "<", ">", "~=", "==", "!="}
_OPERATORS = {"+", "-", "*", "/", "//", "@", "^", "**"}
_STARTERS = _RELATIONS | _OPERATORS | {",", "|", "||", "~", ":", ".."}  # of an indented line that goes on
_TRAILING = _STARTERS
_WORD_STARTERS = {"propto", "and", "or", "with", "wrt", "on"}
_WORD_TRAILING = {"and", "or", "with", "wrt", "not"}
_OPERAND_WORDS = {"and", "or", "propto", "with", "wrt"}  # keywords only after an operand


@dataclass
class Words:
    """The tokens of one statement; `broken` where a mistake has been found in it already."""

    tokens: list[Token]
    broken: bool = False
    indent: int = 0
    stray: bool = False  # indented as if it went on


def _ends_operand(token: Token) -> bool:
    return token.type in ("NAME", "NUMBER", "STRING", "BAD") or token in (")", "]", "}", "'", ".T")


def _starts_operand(token: Token) -> bool:
    return token.type in ("NUMBER", "(", "[", "-", "+") or (token.type == "NAME" and token not in _OPERAND_WORDS)


def _begins_statement(line: Line, base: int, last: Token) -> bool:
    """Whether a line can only be a new statement, whatever is open: a statement word where no name can stand.

    That is where an operand stands before it, or a name or a number side by side after it.
    """
    first = line.tokens[0]
    if first.type != "NAME" or first not in STATEMENT_WORDS or line.indent > base:
        return False
    following = line.tokens[1] if len(line.tokens) > 1 else None
    if following is not None and following.type in ("NAME", "NUMBER") and following not in _OPERAND_WORDS:
        return True
    return _ends_operand(last)


def _goes_on(tokens: list[Token], line: Line, indent: int) -> bool:
    """Whether `line` continues a statement with no bracket open."""
    last, first = tokens[-1], line.tokens[0]
    deeper = line.indent > indent
    if last.type != "STRING" and last in _TRAILING and not _begins_statement(line, indent, last):
        return True
    if last.type == "NAME" and len(tokens) > 1 and last in _WORD_TRAILING and _ends_operand(tokens[-2]):
        return not _begins_statement(line, indent, last)
    if not deeper:
        return False
    if len(tokens) == 1 and last in STATEMENT_WORDS:
        return True
    if first.type == "STRING" or first in _STARTERS:
        return True
    return first.type == "NAME" and first in _WORD_STARTERS and not (len(line.tokens) > 1 and line.tokens[1] == "=")


class _Brackets:
    """The open brackets of a statement."""

    def __init__(self, source: Source, mistakes: list[Diagnostic]) -> None:
        self.source, self.mistakes = source, mistakes
        self.open: list[Token] = []
        self.broken = False

    def report(self, found: Diagnostic) -> None:
        """One mistake a statement: what follows a wrong bracket is guesswork."""
        if not self.broken and len(self.mistakes) < MAX_MISTAKES:
            self.mistakes.append(found)
        self.broken = True

    def take(self, token: Token) -> None:
        start, end = token.start, token.end
        if token in _OPENING:
            self.open.append(token)
            if len(self.open) == MAX_DEPTH + 1:
                help = "give an inner part a name of its own by `let`"
                self.report(diagnostic(self.source, f"brackets are nested more than {MAX_DEPTH} deep", start, end, "", help))
        elif not self.open:
            found = diagnostic(self.source, f"`{token}` closes nothing", start, end, f"no `{_CLOSING[token]}` is open here")
            self.report(found)
        else:
            opening = self.open.pop()
            if _OPENING[opening] != token:
                labels = (
                    Label(Span(opening.start, opening.end), "opened here"),
                    Label(Span(start, end), f"`{_OPENING[opening]}` must close it", True),
                )
                self.report(Diagnostic(f"`{token}` does not close `{opening}`", self.source, labels))

    def finish(self) -> None:
        if self.open:
            opening = self.open[-1]
            start, end = opening.start, opening.end
            self.report(diagnostic(self.source, f"`{opening}` is never closed", start, end, f"`{_OPENING[opening]}` is missing"))


def statements(lines: list[Line], source: Source, mistakes: list[Diagnostic], single: bool = False) -> list[Words]:
    """The statements in order; mistakes of brackets and depth go to `mistakes`. `single`: all lines are one."""
    found: list[Words] = []
    current: Words | None = None
    brackets = _Brackets(source, mistakes)

    def finish() -> None:
        if current is not None:
            brackets.finish()
            current.broken = current.broken or brackets.broken

    for line in lines:
        if len(mistakes) >= MAX_MISTAKES:
            break
        if current is not None and not single:
            if brackets.open:
                joined = not _begins_statement(line, current.indent, current.tokens[-1])
            else:
                joined = _goes_on(current.tokens, line, current.indent)
            if not joined:
                finish()
                stray = line.indent > current.indent and not current.stray
                current = None
        else:
            stray = False
        if current is None:
            brackets = _Brackets(source, mistakes)
            current = Words([], indent=line.indent, stray=stray)
            found.append(current)
        for token in line.tokens:
            if token.type == "BAD":
                current.broken = brackets.broken = True
            elif token.type != "STRING" and (token in _OPENING or token in _CLOSING):
                brackets.take(token)
        current.tokens.extend(line.tokens)
    finish()
    for words in found:
        if not words.broken:
            words.tokens = _placed(words.tokens, single)
    return found


def _placed(tokens: list[Token], single: bool) -> list[Token]:
    """The tokens with keywords told from names by their place."""
    placed: list[Token] = []
    statement = ""
    braces = 0
    for i, token in enumerate(tokens):
        if token.type == "NAME":
            previous = placed[-1] if placed else None
            following = tokens[i + 1] if i + 1 < len(tokens) else None
            keyword = False
            if i == 0 and not single:
                if token in STATEMENT_WORDS:
                    keyword, statement = True, str(token)
            elif token in _OPERAND_WORDS:
                keyword = previous is not None and _ends_operand(previous)
            elif token == "not":
                keyword = following is not None and _starts_operand(following)
            elif token == "log":
                keyword = following is not None and following.type == "NAME" and following not in _OPERAND_WORDS
            elif token in ("max", "min"):
                keyword = statement == "game" and braces > 0 and previous == ":"
            if keyword:
                token = Token(str(token), str(token), token.start, token.end)
        elif token == "{" and token.type != "STRING":
            braces += 1
        elif token == "}" and token.type != "STRING":
            braces -= 1
        placed.append(token)
    return placed
