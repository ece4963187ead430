"""LaTeX to tokens, each with its place in the document. Linear in the text, never recursive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from symgen.text.characters import code_point, is_refused
from symgen.text.diagnostics import Diagnostic, Label
from symgen.text.latex.vocabulary import SIGNS
from symgen.text.names import GREEK
from symgen.text.tree import Source, Span

__all__ = ["MAX_NESTING", "Slip", "Token", "balanced", "group_end", "scan", "with_thousands"]

MAX_NESTING = 100

_PATTERN = re.compile(
    r"(?P<comment>%[^\n]*(?:\n|$))"
    r"|(?P<row>\\\\\*?(?:[ \t]*\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in|mu|\\\w+)\s*\])?|\\cr(?![A-Za-z])|\\tabularnewline)"
    r"|(?P<environment>\\(?:begin|end)\s*\{[^{}\n]{0,40}\})"
    r"|(?P<command>\\(?:operatorname|tag|hspace|vspace)\*|\\[A-Za-z]+|\\.)"
    r"|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<letters>[A-Za-z]+)"
    r"|(?P<space>\s+)"
    r"|(?P<param>\#[1-9])"
    r"|(?P<sign>\|\||:=|.)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """`kind` is letters, number, command, sign, row, begin, end, text, space, param; `text` of a command has its backslash.

    `side` says of a delimiter that \\left, \\right or \\middle stood before it: `<`, `>` or `|`.
    """

    kind: str
    text: str
    start: int
    end: int
    side: str = ""
    depth: int = 0  # of the macros that it came out of
    above: tuple[Token, ...] = ()  # what stands over (or under) a relation

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    def is_sign(self, *texts: str) -> bool:
        return self.kind == "sign" and self.text in texts

    @property
    def command(self) -> str:
        """The name of a command, without its backslash; the empty string for everything else."""
        return self.text[1:] if self.kind == "command" else ""


class Slip(Exception):
    """LaTeX that cannot be read: why, and where."""

    def __init__(self, message: str, start: int, end: int, label: str = "", help: str | None = None,
                 other: tuple[int, int, str] | None = None, malformed: bool = True) -> None:  # fmt: skip
        super().__init__(message)
        self.message, self.start, self.end, self.label, self.help = message, start, end, label, help
        self.other, self.malformed = other, malformed

    def diagnostic(self, source: Source) -> Diagnostic:
        labels = [Label(Span(self.start, max(self.end, self.start + 1)), self.label, True)]
        if self.other is not None:
            start, end, text = self.other
            labels.append(Label(Span(start, end), text))
        return Diagnostic(self.message, source, tuple(labels), (), self.help)


def scan(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of text[start:end], spaces among them. Raises Slip for characters that must not stand in a text."""
    out: list[Token] = []
    for found in _PATTERN.finditer(text, start, len(text) if end is None else end):
        kind, piece = found.lastgroup or "sign", found.group()
        a, b = found.start(), found.end()
        if kind == "comment":
            continue
        if kind == "environment":
            name = piece[piece.index("{") + 1 : -1].strip()
            out.append(Token("begin" if piece.startswith("\\begin") else "end", name, a, b))
            continue
        if kind == "sign" and not piece.isascii():
            if piece in GREEK:
                kind, piece = "command", "\\" + GREEK[piece]
            elif piece in SIGNS:
                kind, piece = "command", "\\" + SIGNS[piece]
            elif piece == "−":
                piece = "-"
            elif piece == "\u3000" or piece == "\u00a0":
                kind = "space"
        if kind in ("sign", "command") and len(piece.lstrip("\\")) == 1:
            last = piece[-1]
            if last not in "\n\t\r" and is_refused(last):
                raise Slip(f"the formula holds the character {code_point(last)}, which cannot be seen", a, b)
        out.append(Token(kind, piece, a, b))
    return out


def with_thousands(tokens: Sequence[Token]) -> list[Token]:
    """1{,}000 and 1\\,000 as one number."""
    out: list[Token] = []
    k = 0
    while k < len(tokens):
        t = tokens[k]
        if t.kind == "number" and t.text.isdecimal() and len(t.text) < 4 and not (out and out[-1].is_sign("_", "^")):
            while (gap := _gap(tokens, k + 1)) and _is_thousand(tokens, k + 1 + gap):
                last = tokens[k + 1 + gap]
                t = replace(t, text=t.text + last.text, end=last.end)
                k += gap + 1
        out.append(t)
        k += 1
    return out


def _gap(tokens: Sequence[Token], k: int) -> int:
    """How many tokens part the thousands of a number here: {,} and a thin space do."""
    texts = [t.text for t in tokens[k : k + 3]]
    return 3 if texts == ["{", ",", "}"] else 1 if texts[:1] == ["\\,"] else 0


def _is_thousand(tokens: Sequence[Token], k: int) -> bool:
    return k < len(tokens) and tokens[k].kind == "number" and len(tokens[k].text.split(".")[0]) == 3


def spliced(tokens: Iterable[Token], use: Token, depth: int) -> Iterator[Token]:
    """Tokens of a macro's body, at the place of its use."""
    for t in tokens:
        yield replace(t, start=use.start, end=use.end, depth=depth)


def group_end(tokens: Sequence[Token], k: int) -> int:
    """The position of the brace that closes tokens[k]; raises Slip."""
    depth = 0
    for j in range(k, len(tokens)):
        t = tokens[j]
        if t.kind == "sign":
            if t.text == "{":
                depth += 1
            elif t.text == "}":
                depth -= 1
                if depth == 0:
                    return j
    raise Slip("`{` is never closed", tokens[k].start, tokens[k].end, "opened here")


def balanced(tokens: Sequence[Token]) -> None:
    """Raises Slip unless braces, environments and \\left..\\right close each other, and nest within reason."""
    open_: list[Token] = []
    for t in tokens:
        if t.kind == "sign" and t.text == "{" or t.kind == "begin" or t.text == "\\left":
            open_.append(t)
            if len(open_) > MAX_NESTING:
                raise Slip(f"brackets are nested more than {MAX_NESTING} deep", t.start, t.end)
            continue
        closing = t.kind == "end" or t.kind == "sign" and t.text == "}" or t.text == "\\right"
        if not closing:
            continue
        wanted = "{" if t.kind == "sign" else "\\left" if t.kind == "command" else t.text
        shown = t.text if t.kind != "end" else f"\\end{{{t.text}}}"
        if not open_:
            raise Slip(f"`{shown}` closes nothing", t.start, t.end)
        last = open_.pop()
        if last.text != wanted or (last.kind == "begin") != (t.kind == "end"):
            opener = last.text if last.kind != "begin" else f"\\begin{{{last.text}}}"
            raise Slip(f"`{shown}` does not close `{opener}`", t.start, t.end, "closed here",
                       other=(last.start, last.end, "opened here"))  # fmt: skip
    if open_:
        last = open_[-1]
        shown = last.text if last.kind != "begin" else f"\\begin{{{last.text}}}"
        raise Slip(f"`{shown}` is never closed", last.start, last.end, "opened here")
