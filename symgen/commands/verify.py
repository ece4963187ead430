"""`symgen verify`: the claims of specs and documents, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import symgen
from symgen.commands.boundary import Exit, Unusable, say, worst
from symgen.commands.derive import format_of
from symgen.commands.files import deliver, read_text, stamp
from symgen.commands.specs import each, load
from symgen.render import report, verdict

STATUSES = {"refuted": Exit.REFUTED, "malformed": Exit.REFUTED, "unknown": Exit.UNDECIDED}
Checked = list[tuple[str, list[Any]]]  # the verdicts of each file


def run(
    files: Sequence[str],
    spec: str | None,
    strict: bool,
    form: str | None,
    output: str | None,
    seconds: float | None,
    force: bool,
) -> int:
    form = format_of(form, output)
    if form not in PRINTERS:
        raise Unusable(f"verdicts are not written as {form}: --format is one of {', '.join(PRINTERS)}")
    checked: Checked = []

    def work(file: str) -> Exit:
        verdicts: list[Any] = []
        checked.append((file, verdicts))
        failed = fill(verdicts, file, spec, seconds)
        if not verdicts and not failed:
            say(f"`{file}` claims nothing")
        found = worst(STATUSES.get(v.status, Exit.DONE) for v in verdicts if not v.is_definition)
        return worst([failed, Exit.DONE if found == Exit.UNDECIDED and not strict else found])

    status = each(files, work)
    if any(verdicts for _, verdicts in checked) or form == "json":
        deliver(PRINTERS[form](checked), output, force)
        if output:
            say(f"wrote {output}")
    counts = ["defined" if v.is_definition else v.status for _, verdicts in checked for v in verdicts]
    words = ("proved", "checked", "unknown", "malformed", "refuted", "defined")
    say(", ".join(f"{counts.count(word)} {word}" for word in words if word in counts))
    return status


def fill(verdicts: list[Any], file: str, spec: str | None, seconds: float | None) -> Exit:
    """Append the verdicts on the claims of a spec, or of a document in the scope of one; what became of the rest."""
    if spec is None and Path(file).suffix not in (".tex", ".md", ".ipynb"):
        model = load(file)

        def check(name: str) -> Exit:
            verdicts.append(model.check(name, seconds))
            return Exit.DONE

        return each(model.claims, check, lambda name: f"the claim `{name}` was not checked")
    for path in filter(None, (file, spec)):
        read_text(path)  # what cannot be read is told in the same words everywhere
    verdicts += symgen.verify_document(file, spec=spec, seconds=seconds)
    return Exit.DONE


def as_text(checked: Checked) -> str:
    return "\n\n".join(v.text() for _, verdicts in checked for v in verdicts)


def sections(checked: Checked) -> list[report.Section]:
    return [report.Section(file if len(checked) > 1 else "", tuple(verdicts)) for file, verdicts in checked]


def as_json(checked: Checked) -> str:
    whole = {
        "schema": "symgen.verdicts",
        "version": 1,
        "generator": stamp(),
        "files": [{"file": file, "claims": [verdict.as_data(v) for v in verdicts]} for file, verdicts in checked],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


PRINTERS: dict[str, Callable[[Checked], str]] = {
    "text": as_text,
    "markdown": lambda checked: report.report_markdown("Verdicts", sections(checked)),
    "html": lambda checked: report.report_html("Verdicts", sections(checked)),
    "latex": lambda checked: report.report_latex("Verdicts", sections(checked)),
    "json": as_json,
}
