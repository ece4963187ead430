"""What people get wrong, told apart: the place where the parser stopped to a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from symgen.text.characters import quoted
from symgen.text.diagnostics import Diagnostic
from symgen.text.lalr import Token
from symgen.text.layout import STATEMENT_WORDS, Words
from symgen.text.names import near_name
from symgen.text.scan import diagnostic
from symgen.text.tree import Source

__all__ = ["Situation", "explain"]


@dataclass(frozen=True)
class Situation:
    """The parser stopped at tokens[position] (at the end, if there is none); `accepted` could have stood there."""

    source: Source
    words: Words
    tokens: list[Token]
    position: int
    start: str
    accepted: frozenset[str]

    @property
    def token(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    @property
    def previous(self) -> Token | None:
        return self.tokens[self.position - 1] if self.position else None


def explain(at: Situation) -> Diagnostic:
    """The diagnostic of a statement that does not parse."""
    token, previous = at.token, at.previous
    if at.position == 0 and token is not None and at.start == "statement":
        near = near_name(token, STATEMENT_WORDS)
        help = f"did you mean `{near}`?" if near else f"a statement starts with one of {', '.join(STATEMENT_WORDS)}"
        start, end = token.start, token.end
        return diagnostic(at.source, f"unknown statement {quoted(token)}", start, end, "", help)
    if token is None and previous is not None:
        end = previous.end
        return diagnostic(at.source, f"an expression must follow {quoted(previous)}", previous.start, end)
    assert token is not None
    return diagnostic(at.source, f"{quoted(token)} cannot stand here", token.start, token.end)
