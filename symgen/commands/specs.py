"""Specs as the command line names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import symgen
from symgen.commands.boundary import Exit, tell, tell_diagnostics, worst
from symgen.commands.files import read_text
from symgen.text.diagnostics import SymgenError


def load(path: str) -> Any:
    """The model of a file, or of standard input for `-`; its warnings are said."""
    model = symgen.loads(read_text(path), name="<stdin>" if path == "-" else path)
    if model.warnings:
        tell_diagnostics(model.warnings)
    return model


def each(things: Iterable[Any], work: Callable[[Any], Exit]) -> Exit:
    """Work on every thing, whatever happens to the others; the status that comes first."""
    statuses = []
    for thing in things:
        try:
            statuses.append(work(thing))
        except (SymgenError, MemoryError, RecursionError) as error:
            statuses.append(tell(error))
    return worst(statuses)
