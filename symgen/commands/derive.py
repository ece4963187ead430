"""`symgen derive`: goals of a spec derived and printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from symgen.commands.boundary import Exit, Unusable, say
from symgen.commands.files import deliver, stamp, write_pdf
from symgen.commands.specs import each, load
from symgen.render import report

# what a file is to hold, by its suffix, where --format does not say
FORMATS = {".tex": "latex", ".md": "markdown", ".html": "html", ".pdf": "pdf", ".json": "json"}


def run(
    file: str, goals: Sequence[str], form: str | None, body: bool, output: str | None, seconds: float | None, force: bool
) -> int:
    form = format_of(form, output)
    if form == "pdf" and output is None:
        raise Unusable("a PDF is written to a file: say which with -o")
    model = load(file)
    wanted = list(goals) or model.goals
    if not wanted:
        raise Unusable(f'`{file}` has no `derive` statement: name a goal, as in `symgen derive {file} "grad(L, w)"`')
    derived: list[Any] = []
    printed = one_by_one(form, body)
    comes = printed is not None and output in (None, "-")  # each derivation is printed as soon as it is there

    def work(goal: str) -> Exit:
        derivation = model.derive(goal, seconds)
        _ = derivation.evidence  # its referee speaks before anything is shown
        if comes and printed is not None:
            deliver("\n" * bool(derived) + printed(derivation), output)
        derived.append(derivation)
        return Exit.BUDGET if derivation.spent else Exit.DONE

    status = each(wanted, work, lambda goal: f"`{goal}` was not derived")
    if derived and not comes:
        if form == "pdf":
            write_pdf(Path(str(output)), report.report_pdf(title(model), sections(model, derived)), force)
        elif printed is not None:
            deliver("\n\n".join(map(printed, derived)), output, force)
        else:
            deliver(PRINTERS[form](model, derived), output, force)
        if output:
            say(f"wrote {output}")
    return status


def format_of(form: str | None, output: str | None) -> str:
    """The format that --format says, else the suffix of the output, else text; a suffix that says none is told."""
    suffix = Path(output).suffix.lower() if output else ""
    if form is None and suffix not in ("", ".txt", ".text", *FORMATS):
        say(f"`{suffix}` names no format (those that do: {' '.join(FORMATS)} .txt): what is written is text")
    return form or FORMATS.get(suffix, "text")


def one_by_one(form: str, body: bool) -> Callable[[Any], str] | None:
    """How one derivation is printed, in the formats whose page is its derivations one after the other."""
    if form == "latex" and body:
        return lambda d: str(d.latex())
    return {"text": lambda d: str(d.text()), "markdown": lambda d: str(d.markdown())}.get(form)


def title(model: Any) -> str:
    return str(model.name)


def sections(model: Any, derived: Sequence[Any]) -> list[report.Section]:
    return [report.Section("", (d,)) for d in derived]


def as_html(model: Any, derived: Sequence[Any]) -> str:
    return str(derived[0].html()) if len(derived) == 1 else report.report_html(title(model), sections(model, derived))


def as_latex(model: Any, derived: Sequence[Any]) -> str:
    if len(derived) == 1:
        return str(derived[0].latex(document=True))
    return report.report_latex(title(model), sections(model, derived))


def as_json(model: Any, derived: Sequence[Any]) -> str:
    whole = {
        "schema": "symgen.derivations",
        "version": 1,
        "generator": stamp(),
        "model": model.name,
        "derivations": [json.loads(d.to_json()) for d in derived],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


PRINTERS: dict[str, Callable[[Any, Sequence[Any]], str]] = {
    "html": as_html,
    "latex": as_latex,
    "json": as_json,
}
