"""Specs as the command line names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import symgen
from symgen.commands.boundary import Boundary, Exit, say, tell_diagnostics, worst
from symgen.commands.files import read_text


def load(path: str) -> Any:
    """The model of a file, or of standard input for `-`; its warnings are said."""
    model = symgen.loads(read_text(path), name="<stdin>" if path == "-" else path)
    if model.warnings:
        tell_diagnostics(model.warnings)
    return model


def each(things: Iterable[Any], work: Callable[[Any], Exit], failed: Callable[[Any], str] | None = None) -> Exit:
    """Work on every thing, whatever happens to the others, and say which failed; the status that comes first."""
    statuses = []
    for thing in things:
        with Boundary() as boundary:
            boundary.status = work(thing)
        if boundary.told and failed:
            say(failed(thing))
        statuses.append(boundary.status)
    return worst(statuses)
