"""How a diagnostic reads: the reader's lines, `^^^` under the culprit, `---` under what makes it one, the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symgen.text.diagnostics import Diagnostic


def excerpt(diagnostic: Diagnostic, color: bool = False) -> str:
    """The report of one diagnostic, as STYLE.md draws it."""
    text = diagnostic.source.text
    line = text.count("\n", 0, diagnostic.position) + 1
    column = diagnostic.position - (text.rfind("\n", 0, diagnostic.position) + 1) + 1
    return f"{diagnostic.severity}: {diagnostic.message}\n --> {diagnostic.source.name}:{line}:{column}"
