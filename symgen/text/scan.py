"""Text to tokens, line by line, with every character accounted for. Never recursive, linear in the text.

A piece that is no token becomes a `BAD` one in its place, and its mistake is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from symgen.text.characters import code_point, described, is_plain, is_refused, quoted
from symgen.text.diagnostics import Diagnostic, Label
from symgen.text.lalr import Token
from symgen.text.names import canonical, is_name_character, refusal
from symgen.text.spellings import FOREIGN, POWERS, SUBSCRIPTS
from symgen.text.tree import Source, Span

__all__ = ["Line", "Scanner", "diagnostic"]

MAX_DIGITS = 400
MAX_EXPONENT = 400
MAX_NAME = 200
_OTHER_NUMBER = re.compile(r"0[xXbBoO][0-9A-Fa-f_]+|[0-9]+(?:_[0-9]+)+")
_COMMAND = re.compile(r"\\[A-Za-z]+(?:\{[^{}\r\n]*\})*")
_CURLY = re.compile("“[^“”\r\n]*”")
MAX_IN_LINE = 5  # mistakes of characters
MAX_MISTAKES = 200  # in one text: a file of noise must not answer with megabytes


def diagnostic(
    source: Source,
    message: str,
    start: int,
    end: int,
    text: str = "",
    help: str | None = None,
    notes: tuple[str, ...] = (),
) -> Diagnostic:
    """A diagnostic with one culprit."""
    return Diagnostic(message, source, (Label(Span(start, end), text, True),), notes, help)


@dataclass
class Line:
    """The tokens of a physical line that has some; `indent` counts columns, tabs to multiples of 8."""

    indent: int
    tokens: list[Token] = field(default_factory=list)


class Scanner:
    """The scanner of a grammar with these signs, and these patterns of numbers and strings."""

    def __init__(self, symbols: Iterable[str], number: str, string: str) -> None:
        self.symbols = {s for s in symbols if not s[0].isalpha()}
        operators = sorted({*self.symbols, *(s for s in FOREIGN if s.isascii())}, key=len, reverse=True)
        self.pattern = re.compile(
            r"(?P<BLANK>[ \t]+)|(?P<NEWLINE>\r\n?|\n)|(?P<COMMENT>#[^\r\n]*)"
            rf"|(?P<NUMBER>{number})|(?P<WORD>[A-Za-z_][A-Za-z_0-9]*+(?![^\x00-\x7f]))"
            rf"|(?P<STRING>{string})|(?P<SYMBOL>{'|'.join(map(_literal, operators))})"
        )

    def scan(self, source: Source) -> tuple[list[Line], list[Diagnostic]]:
        """The lines that hold tokens, and the mistakes on the way, each with a BAD token in its place."""
        return _Scan(self, source).run()


def _literal(sign: str) -> str:
    """A sign as a pattern; one that ends in a letter, `.T`, is not the start of a longer word."""
    return re.escape(sign) + (r"(?![A-Za-z_0-9])" if sign[-1].isalpha() else "")


class _Scan:
    def __init__(self, scanner: Scanner, source: Source) -> None:
        self.scanner, self.source, self.text = scanner, source, source.text
        self.lines: list[Line] = []
        self.mistakes: list[Diagnostic] = []
        self.told: set[str] = set()  # in this line: what occurs twice there is told once
        self.refused = {c for c in set(self.text) if is_refused(c)} if not is_plain(self.text) else set()

    def mistake(self, message: str, start: int, end: int, help: str | None = None, text: str = "") -> Token:
        if len(self.mistakes) < MAX_MISTAKES and len(self.told) < MAX_IN_LINE and message not in self.told:
            self.mistakes.append(diagnostic(self.source, message, start, end, text, help))
            self.told.add(message)
        return Token("BAD", "", start, end)

    def run(self) -> tuple[list[Line], list[Diagnostic]]:
        text, match, symbols = self.text, self.scanner.pattern.match, self.scanner.symbols
        position = 1 if text.startswith("\ufeff") else 0
        start_of_line, size = position, len(text)
        tokens: list[Token] | None = None
        while position < size:
            found = match(text, position)
            token = None
            if found is None:
                position, token = self.odd(position)
            else:
                kind, begin, position = found.lastgroup, position, found.end()
                if kind == "BLANK":
                    continue
                if kind == "NEWLINE":
                    tokens, start_of_line = None, position
                    self.told.clear()
                    continue
                if kind == "WORD":
                    token = Token("NAME", found.group(), begin, position)
                    if position - begin > MAX_NAME:
                        token = self.mistake(f"a name is longer than {MAX_NAME} characters", begin, position)
                elif kind == "SYMBOL":
                    spelling = found.group()
                    if spelling in symbols and (spelling != "." or self.names_a_part(begin, tokens)):
                        token = Token(spelling, spelling, begin, position)
                    else:
                        position, token = self.foreign(begin, position)
                elif kind == "NUMBER":
                    token = self.number(begin, position)
                else:  # COMMENT, STRING
                    token = self.free_text(kind or "", begin, position)
            if token is not None:
                if tokens is None:
                    indent = len(text[start_of_line : token.start].expandtabs(8))
                    tokens = []
                    self.lines.append(Line(indent, tokens))
                tokens.append(token)
        return self.lines, self.mistakes

    def number(self, start: int, end: int) -> Token:
        written = self.text[start:end]
        digits, _, exponent = written.lower().partition("e")
        if len(digits) > MAX_DIGITS:
            return self.mistake(f"a number has more than {MAX_DIGITS} digits", start, end)
        if exponent and (len(exponent) > 6 or abs(int(exponent)) > MAX_EXPONENT):
            help = "write a larger power as `10^n`, or work with logarithms"
            return self.mistake(f"the exponent of a number lies beyond {MAX_EXPONENT}", start, end, help)
        following = self.text[end : end + 1]
        if following == "." and self.text[end : end + 2] not in ("..", ".T"):
            more = re.compile(r"[0-9.]*").match(self.text, end)
            assert more is not None
            return self.mistake(f"{quoted(self.text[start : more.end()])} is not a number", start, more.end())
        if (other := _OTHER_NUMBER.match(self.text, start)) and other.end() > end:
            what = quoted(other.group())
            return self.mistake(f"{what} is not a number here", start, other.end(), "write it in plain decimal digits")
        return Token("NUMBER", written, start, end)

    def free_text(self, kind: str, start: int, end: int) -> Token | None:
        """A comment or a reason: any text in which nothing hides."""
        written = self.text[start:end]
        if self.refused and not written.isprintable():
            bad = next(((i, c) for i, c in enumerate(written) if c in self.refused), None)
            if bad is not None:
                where = "a comment" if kind == "COMMENT" else "a reason"
                return self.refuse(start + bad[0], start + bad[0] + 1, f" in {where}")
        if kind == "COMMENT":
            return None
        return Token("STRING", written, start, end)

    def refuse(self, start: int, end: int, where: str = "") -> Token:
        found = described(self.text[start])
        return self.mistake(f"{found} must not stand{where or ' in a spec'}", start, end, "remove it")

    def odd(self, start: int) -> tuple[int, Token | None]:
        """What the pattern does not know: names in Unicode, blanks of other kinds, an unclosed string, noise."""
        text, size = self.text, len(self.text)
        character = text[start]
        end = start + 1
        if character == '"':
            while end < size and text[end] not in "\r\n":
                end += 1
            help = 'close it by `"` on its line'
            return end, self.mistake('a reason is not closed: `"` is missing', start, end, help)
        if character in self.refused:
            while end < size and text[end] == character:
                end += 1
            return end, self.refuse(start, end)
        if character.isspace():
            return end, None
        if character.isidentifier():
            while end < size and is_name_character(text[end]):
                end += 1
            return end, self.name(start, end)
        while end < size and text[end] == character:
            end += 1
        if character in FOREIGN:
            return self.foreign(start, end)
        if character in POWERS or character in SUBSCRIPTS:
            begin = start
            while end < size and (text[end] in POWERS or text[end] in SUBSCRIPTS):
                end += 1
            plain = unicodedata.normalize("NFKC", text[begin:end])
            if character in POWERS:
                return end, self.mistake(f"{quoted(text[begin:end])} is not a power here", begin, end, f"write `^{plain[:20]}`")
            return end, self.mistake(f"{quoted(text[begin:end])} is not an index here", begin, end, f"write `_{plain[:20]}`")
        if character.isascii():
            return end, self.mistake(f"{quoted(text[start:end])} is not part of the language", start, end)
        name = unicodedata.name(character, "").lower()
        called = f"{quoted(character)} ({code_point(character)}{', ' + name if name else ''})"
        return end, self.mistake(f"{called} is not part of the language", start, end)

    def names_a_part(self, point: int, before: list[Token] | None) -> bool:
        """Whether a point stands right after a call, or after such a part, and right before a name."""
        text = self.text
        if not before or before[-1].end != point or not is_name_character(text[point + 1 : point + 2] or " "):
            return False
        return before[-1].type == ")" or (len(before) > 1 and before[-1].type == "NAME" and before[-2].type == ".")

    def foreign(self, start: int, end: int) -> tuple[int, Token]:
        """A sign of another language, a LaTeX command, or a reason in the quotes of a word processor."""
        text = self.text
        if text[start] == "\\" and (command := _COMMAND.match(text, start)):
            help = "write names and functions without backslash, as in `mu*exp(x)/2`"
            message = f"{quoted(command.group())} is LaTeX"
            return command.end(), self.mistake(message, start, command.end(), help)
        message, help = FOREIGN.get(text[start:end]) or FOREIGN[text[start]]
        if text[start] == "“" and (reason := _CURLY.match(text, start)):
            end = reason.end()
        return end, self.mistake(message, start, end, help)

    def name(self, start: int, end: int) -> Token:
        written = self.text[start:end]
        if end - start > MAX_NAME:
            return self.mistake(f"a name is longer than {MAX_NAME} characters", start, end)
        why = refusal(written)
        if why:
            return self.mistake(why[0], start, end, why[1])
        return Token("NAME", canonical(written), start, end)
