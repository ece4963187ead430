"""symgen in Jupyter: `%load_ext symgen`, then cells that begin with `%%symgen`."""

from __future__ import annotations

import sys
from typing import Any

from IPython.display import display

import symgen
from symgen.render import verdict as render
from symgen.text.diagnostics import CannotDerive, DataError, SpecError
from symgen.verify.verdict import Verdict


def load_ipython_extension(shell: Any) -> None:
    """Register the cell magic `%%symgen [name] [+]`, and how verdicts are shown."""
    formatters = shell.display_formatter.formatters
    formatters["text/plain"].for_type(Verdict, lambda verdict, printer, cycle: printer.text(verdict.text()))
    formatters["text/markdown"].for_type(Verdict, render.markdown)
    Cells(shell)


class Cells:
    """The texts of the cells so far, by the name that each was given, so that `+` can go on with one."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.texts: dict[str, str] = {}
        shell.register_magic_function(self.run, "cell", "symgen")

    def run(self, line: str, cell: str) -> None:
        """%%symgen [name] [+]

        Load the cell as a spec, under the name (`model` by default) as a Python variable, and show what its `derive`
        statements derive and whether its claims hold. With `+` the cell goes on with the spec of that name, and only
        what is new is shown.
        """
        words = line.split()
        goes_on = "+" in words
        names = [word for word in words if word != "+"] or ["model"]
        if len(names) > 1 or not names[0].isidentifier():
            print(f"`{line.strip()}` is no name: write `%%symgen`, `%%symgen name` or `%%symgen name +`", file=sys.stderr)
            return
        name = names[0]
        before = self.texts.get(name, "") if goes_on else ""
        try:
            model = symgen.loads(before + cell, name=f"{name}.sg")
            seen = symgen.loads(before, name=f"{name}.sg") if before else None
        except SpecError as error:
            print(error, file=sys.stderr)
            return
        self.texts[name] = before + cell.rstrip("\n") + "\n"
        self.shell.user_ns[name] = model
        self.show(model, len(seen.goals) if seen else 0, len(seen.claims) if seen else 0)

    def show(self, model: Any, goals: int, claims: int) -> None:
        """Display the derivations and the verdicts of a model from these on."""
        for goal in model.goals[goals:]:
            try:
                display(model.derive(goal))
            except (CannotDerive, DataError) as error:
                print(f"cannot derive `{goal}`: {error}", file=sys.stderr)
        for claim in model.claims[claims:]:
            display(model.check(claim))
