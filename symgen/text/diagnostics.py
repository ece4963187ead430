"""What went wrong, as data: a message, the places that made it so, notes and a way out. `render` decides the look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symgen.text.excerpt import excerpt
from symgen.text.tree import Source, Span


class SymgenError(Exception):
    """The base of all errors that symgen raises on purpose."""


@dataclass(frozen=True)
class Label:
    """A stretch of the source with a word on it; `culprit` is drawn with ^^^, a witness with ---."""

    span: Span
    text: str = ""
    culprit: bool = False


@dataclass(frozen=True)
class Diagnostic:
    """One cause, one message. `severity` is error, warning or note; the first culprit label is where it stands."""

    message: str
    source: Source
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: str = "error"

    @property
    def position(self) -> int:
        spans = [x.span.start for x in self.labels if x.culprit] or [x.span.start for x in self.labels] or [0]
        return spans[0]

    def __str__(self) -> str:
        return excerpt(self)


class SpecError(SymgenError):
    """A spec that does not parse or does not type-check; `diagnostics` holds every mistake of it."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "\n\n".join(str(d) for d in self.diagnostics)


class CannotDerive(SymgenError):
    """symgen lacks a rule: `expression` is the part that it has none for, `where_to_add` the file for a rule."""

    def __init__(self, message: str, expression: Any = None, where_to_add: str | None = None) -> None:
        super().__init__(message)
        self.expression = expression
        self.where_to_add = where_to_add

    def __str__(self) -> str:
        text = str(self.args[0])
        return f"{text} (a rule for it belongs into {self.where_to_add})" if self.where_to_add else text


class DataError(SymgenError, ValueError):
    """Arrays that do not fit the spec."""


class InternalError(SymgenError):
    """A result that its own referee refuted: a bug in symgen, never an answer."""
