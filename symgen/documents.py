"""Derivations in documents: specs, fenced blocks of Markdown, cells of notebooks.

Lines that are not of the language are blanked, so that every excerpt shows the line of the document.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from symgen.facade import Model, loads
from symgen.text.diagnostics import CannotDerive, DataError
from symgen.verify.verdict import Verdict

FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})\s*(\S*)")
WORDS = ("symgen", "sg")


def markdown_spec(text: str) -> str:
    """The fenced blocks marked `symgen` or `sg`, every other line empty."""
    out: list[str] = []
    fence, inside = "", False
    for line in text.splitlines():
        found = FENCE.match(line)
        if not fence and found:
            fence, inside = found.group(1), found.group(2).strip("{.}").lower() in WORDS
            out.append("")
        elif fence and found and found.group(1).startswith(fence) and not found.group(2):
            fence, inside = "", False
            out.append("")
        else:
            out.append(line if inside else "")
    return "\n".join(out) + "\n"


def notebook_spec(text: str) -> str:
    """The cells that begin with %%symgen, one after the other. Raises DataError for what is no notebook."""
    try:
        cells = json.loads(text)["cells"]
        sources = ["".join(c["source"]) for c in cells if c.get("cell_type") == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DataError("this is not a Jupyter notebook") from None
    return "\n".join(s.split("\n", 1)[1] if "\n" in s else "" for s in sources if s.startswith("%%symgen"))


def read_document(path: str | Path, spec: str | Path | None = None) -> Model:
    """The model of a document: the declarations of `spec`, then what stands in the document."""
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    kind = path.suffix.lower()
    if kind in (".md", ".markdown"):
        own = markdown_spec(text)
    elif kind == ".ipynb":
        own = notebook_spec(text)
    elif kind == ".tex":
        raise CannotDerive("symgen does not read LaTeX documents yet: write the derivation as a `claim` of a spec", None)
    else:
        own = text
    if spec is None:
        return loads(own, str(path))
    before = Path(spec).read_text(encoding="utf-8")
    lines = before.count("\n") + 1
    return loads(f"{before}\n{own}", str(path), -lines)


def verify_document(path: str | Path, spec: str | Path | None = None, seconds: float | None = None) -> list[Verdict]:
    """The verdicts on all claims of a document (.sg .md .ipynb), read in the scope of `spec` where one is given.

    Raises SpecError where it does not parse, CannotDerive for a kind of document that symgen does not read.
    """
    return read_document(path, spec).verify(seconds)
