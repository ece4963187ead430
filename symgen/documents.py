"""Derivations in documents: specs, fenced blocks of Markdown, cells of notebooks; and formulas of LaTeX, beside a spec.

Lines that are not of the language are blanked, so that every excerpt shows the line of the document. The displays of
LaTeX are left to `displays`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from symgen.displays import Paper
from symgen.facade import Model, load, loads
from symgen.text.diagnostics import CannotDerive, DataError
from symgen.text.latex import Macro, definitions
from symgen.text.parse import decoded
from symgen.text.tree import Source
from symgen.verify.verdict import Verdict

FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})\s*(\S*)")
WORDS = ("symgen", "sg")
MARKDOWN = (".md", ".markdown", ".rmd", ".qmd")
LATEX = (".tex", ".ltx", ".latex")
_INPUT = re.compile(r"^[^%\n]*\\(?:input|include|usepackage|RequirePackage)\s*\{([A-Za-z0-9_./-]+)\}", re.MULTILINE)


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


def _cells(text: str) -> list[dict[str, object]]:
    try:
        cells = json.loads(text)["cells"]
        return [{"kind": c.get("cell_type"), "source": "".join(c["source"])} for c in cells]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DataError("this is not a Jupyter notebook") from None


def notebook_spec(text: str) -> str:
    """The cells that begin with %%symgen, one after the other. Raises DataError for what is no notebook."""
    sources = [str(c["source"]) for c in _cells(text) if c["kind"] == "code"]
    return "\n".join(s.split("\n", 1)[1] if "\n" in s else "" for s in sources if s.startswith("%%symgen"))


def read_document(path: str | Path, spec: str | Path | None = None) -> Model:
    """The model of a document: the declarations of `spec`, then what stands in the document."""
    path = Path(path)
    kind = path.suffix.lower()
    if kind in LATEX:
        if spec is None:
            raise CannotDerive("the formulas of a LaTeX document are read in the names of a spec: give `spec=`", None)
        return load(spec)
    text = decoded(path.read_bytes(), str(path))
    own = markdown_spec(text) if kind in MARKDOWN else notebook_spec(text) if kind == ".ipynb" else text
    if spec is None:
        return loads(own, str(path))
    before = decoded(Path(spec).read_bytes(), str(spec))
    lines = before.count("\n") + 1
    return loads(f"{before}\n{own}", str(path) if own.strip() else str(spec), -lines if own.strip() else 0)


def verify_document(path: str | Path, spec: str | Path | None = None, seconds: float | None = None) -> list[Verdict]:
    """The verdicts on all claims of a document (.sg .md .ipynb .tex), read in the scope of `spec` where one is given.

    With a spec, the displays of LaTeX are read too (equation, align, $$ .. $$ and their kin; of Markdown and notebooks
    those outside code). Each chain of relations is one verdict, named by its label or its line, with one step for each
    relation. A name that the spec does not declare is defined where it stands alone on the left, `H = X^\\top X`: the
    verdict says so in `defines`, its steps are those after the first, and it is `unknown` where there are none. What uses
    other names that are not declared, or cannot be read, is `unknown` and says why; a slip of the LaTeX itself is
    `malformed`. Left out are displays without relations, declarations such as x in R^n, and those in which no declared
    name stands. Raises SpecError where a spec does not parse, CannotDerive for LaTeX without a spec.
    """
    model = read_document(path, spec)
    verdicts = model.verify(seconds) if Path(path).suffix.lower() not in LATEX else []
    if spec is None:
        return verdicts
    paper = Paper(model, seconds)
    for source, markdown, macros in _sources(Path(path)):
        paper.read(source, markdown, macros)
    return [*verdicts, *paper.verdicts()]


def _sources(path: Path) -> Iterator[tuple[Source, bool, dict[str, Macro]]]:
    """The texts of a document that hold displays, and the macros from elsewhere."""
    kind = path.suffix.lower()
    if kind not in (*LATEX, *MARKDOWN, ".ipynb"):
        return
    text = decoded(path.read_bytes(), str(path))
    if kind != ".ipynb":
        yield Source(text, str(path)), kind in MARKDOWN, _preamble(path, text) if kind in LATEX else {}
        return
    for k, cell in enumerate(_cells(text), 1):
        if cell["kind"] == "markdown":
            yield Source(str(cell["source"]), f"{path}, cell {k}"), True, {}


def _preamble(path: Path, text: str) -> dict[str, Macro]:
    """The macros of files beside the document that it takes in."""
    found: dict[str, Macro] = {}
    folder = path.parent.resolve()
    for m in list(_INPUT.finditer(text))[:20]:
        for suffix in (".tex", ".sty", ""):
            other = (folder / (m[1] + suffix)).resolve()
            if other.is_relative_to(folder) and other.suffix in (".tex", ".sty", ".cls") and other.is_file():
                if other.stat().st_size < 1_000_000:
                    found.update(definitions(other.read_bytes().decode("utf-8", "replace"))[0])
                break
    return found
