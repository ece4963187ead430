"""`symgen derive`: goals of a spec derived and printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from symgen.commands.boundary import Exit, Unusable, say
from symgen.commands.files import deliver, stamp, write_bytes
from symgen.commands.specs import each, load, titled
from symgen.render import report

# what a file is to hold, by its suffix, where --format does not say
FORMATS = {".tex": "latex", ".md": "markdown", ".html": "html", ".pdf": "pdf", ".json": "json"}


def run(file: str, goals: Sequence[str], form: str, output: str | None, seconds: float | None, force: bool) -> int:
    if form == "text" and output:
        form = FORMATS.get(Path(output).suffix, form)
    if form == "pdf" and output is None:
        raise Unusable("a PDF is written to a file: say which with -o")
    model = load(file)
    wanted = list(goals) or model.goals
    if not wanted:
        raise Unusable(f"`{file}` has no `derive` statement: name a goal, as in `symgen derive {file} \"grad(L, w)\"`")
    derived: list[Any] = []

    def work(goal: str) -> Exit:
        derived.append(model.derive(goal) if seconds is None else model.derive(goal, seconds=seconds))
        return Exit.DONE

    status = each(wanted, work)
    if derived:
        if form == "pdf":
            write_bytes(Path(str(output)), as_pdf(derived, file), force)
        else:
            deliver(PRINTERS[form](derived, file), output, force)
        if output:
            say(f"wrote {output}")
    return status


def as_text(derived: Sequence[Any], file: str) -> str:
    return "\n\n".join(d.text() for d in derived)


def as_json(derived: Sequence[Any], file: str) -> str:
    whole = {
        "schema": "symgen.derivations",
        "version": 1,
        "generator": stamp(),
        "file": file,
        "derivations": [json.loads(d.to_json()) for d in derived],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)
