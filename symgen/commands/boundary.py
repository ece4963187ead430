"""Where every error ends: as words on standard error and an exit status, never as a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import IntEnum
from types import TracebackType

from symgen.text.diagnostics import CannotDerive, Diagnostic, InternalError, SpecError, SymgenError


class Exit(IntEnum):
    """The exit statuses of DESIGN.md."""

    DONE = 0
    REFUTED = 1
    USAGE = 2
    WRONG = 3
    BUDGET = 4
    UNDECIDED = 5
    BUG = 70


PRECEDENCE = (Exit.BUG, Exit.WRONG, Exit.REFUTED, Exit.BUDGET, Exit.UNDECIDED, Exit.USAGE, Exit.DONE)


class Unusable(SymgenError):
    """A file or an option that a command cannot work with; the text says what and which."""


def worst(statuses: Iterable[int]) -> Exit:
    """Of several statuses the first in 70 3 1 4 5; 0 of none."""
    return min((Exit(status) for status in statuses), key=PRECEDENCE.index, default=Exit.DONE)


def visible(text: str) -> str:
    """The text with control characters and direction overrides shown as U+XXXX: none of them reaches a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"U+{ord(c):04X}" for c in text)


def say(text: str) -> None:
    """A message: on standard error, since standard output is for results."""
    print(visible(text), file=sys.stderr, flush=True)


def colourful() -> bool:
    """Whether messages may carry colours."""
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def tell(error: BaseException) -> Exit:
    """Say what went wrong; which exit status it has."""
    if isinstance(error, SpecError):
        tell_diagnostics(error.diagnostics)
        return Exit.WRONG
    if isinstance(error, CannotDerive):
        say(f"cannot derive: {error}")
        return Exit.BUDGET
    if isinstance(error, MemoryError):
        say("error: out of memory")
        return Exit.BUDGET
    if isinstance(error, SymgenError) and not isinstance(error, InternalError):
        say(f"error: {error}")
        return Exit.WRONG
    tell_bug(error)
    return Exit.BUG


def tell_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    from symgen.text.excerpt import excerpt  # a message about a missing file needs no drawing

    say("\n\n".join(excerpt(d, color=False) for d in diagnostics))


def tell_bug(error: BaseException) -> None:
    kind = "" if isinstance(error, InternalError) else f"{type(error).__name__}: "
    say(f"internal error: {kind}{str(error)[:1000]}")
    say("This is a bug in symgen, and no result was given. Please report it with the spec and the command;")
    say("SYMGEN_DEBUG=1 shows where it happened.")


class Boundary:
    """Within it every error is told, once, and becomes `status`."""

    status: int = Exit.DONE
    told = False

    def __enter__(self) -> Boundary:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        if error is None or isinstance(error, SystemExit | KeyboardInterrupt | BrokenPipeError) or is_of_click(error):
            return False
        if os.environ.get("SYMGEN_DEBUG"):
            return False
        self.status = tell(error)
        self.told = True
        return True


def is_of_click(error: BaseException) -> bool:
    return type(error).__module__.startswith("click.")
