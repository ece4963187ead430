"""The gallery of wrong specs: each NAME.sg with the whole message that it draws in NAME.txt beside it.

A new mistake is two files: write NAME.sg, run `python tests/mistakes/regenerate.py`, read NAME.txt as its reader would.
"""

from __future__ import annotations

from pathlib import Path

from symgen import loads
from symgen.text.diagnostics import SpecError

FOLDER = Path(__file__).parent
SPECS = sorted(FOLDER.glob("*.sg"))


def message_of(spec: Path) -> str | None:
    """What loading the spec says; None where it says nothing."""
    try:
        loads(spec.read_text(encoding="utf-8"), name=spec.name)
    except SpecError as error:
        return f"{error}\n"
    return None
