"""The command line: what can be typed. What a command does lives in symgen/commands and is imported when it runs, so
that --help, --version and completion answer without SymPy, Lark and NumPy."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

from symgen import __version__

F = TypeVar("F", bound=Callable[..., Any])

PAGES = ("text", "latex", "markdown", "html", "pdf", "json")
WORDS = ("text", "markdown", "html", "latex", "json")
TARGETS = ("numpy", "jax", "torch")
SHELLS = ("bash", "zsh", "fish")

EPILOG = """\b
Exit status: 0 done; 1 a claim is refuted or malformed; 2 wrong command line; 3 the spec or the data is wrong;
4 a budget was spent or a rule is missing; 5 undecided (with --strict); 70 a bug in symgen.
Of several, the first in 70 3 1 4 5."""


class SpecFile(click.Path):
    """A file of a spec, or - for standard input; completes names that end in the given suffixes, and folders."""

    def __init__(self, *suffixes: str) -> None:
        super().__init__(allow_dash=True)
        self.suffixes = suffixes

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        folder, start = os.path.split(incomplete)
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            return []
        found = [(name, os.path.join(folder, name)) for name in names if name.startswith(start)]
        return [
            CompletionItem(path + "/" * os.path.isdir(path))
            for name, path in found
            if os.path.isdir(path) or name.endswith(self.suffixes)
        ]


class ZooName(click.types.StringParamType):
    """The name of a packaged model."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = import_module("symgen.zoo").names()
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class Program(click.Group):
    """A group that offers the nearest command, and lists commands in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Program, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="symgen", message="%(prog)s %(version)s")
def program() -> None:
    """Write a model, a loss or a game as mathematics; symgen derives, prints, verifies and trains it."""


files = click.argument("files", nargs=-1, required=True, metavar="FILE..", type=SpecFile(".sg"))
file = click.argument("file", metavar="FILE", type=SpecFile(".sg"))
force = click.option("--force", is_flag=True, help="Overwrite files that symgen did not write.")
budget = click.option("--seconds", type=click.FloatRange(min=0.1), help="Budget for each goal, in processor time.", metavar="S")


def output(what: str) -> Callable[[F], F]:
    return click.option("-o", "--output", metavar="PATH", type=click.Path(), help=what)


def formats(names: Sequence[str], default: str | None = None) -> Callable[[F], F]:
    return click.option("--format", "form", type=click.Choice(list(names)), default=default, help="How to print it.")


@program.command(short_help="Say what a spec declares; report every mistake.")
@files
@formats(("text", "json"), "text")
def check(**options: Any) -> int:
    """Say what each FILE declares, with shapes and domains, and report all its mistakes. - is standard input."""
    return run("check", options)


@program.command(short_help="Derive goals and print the derivations.")
@file
@click.argument("goals", nargs=-1, metavar="[GOAL]..")
@formats(PAGES)
@click.option("--body", is_flag=True, help="LaTeX without a preamble, to be read by \\input.")
@output("Write to this file; its suffix says the format, where --format does not.")
@budget
@force
def derive(**options: Any) -> int:
    """Derive each GOAL, an expression of the language ("grad(L, w)") or the name of a derivation of FILE.

    Without a GOAL: all `derive` statements of the file.
    """
    return run("derive", options)


@program.command(short_help="Check the claims of specs and documents.")
@click.argument("files", nargs=-1, required=True, metavar="FILE..", type=SpecFile(".sg", ".tex", ".md", ".ipynb"))
@click.option("--spec", metavar="SPEC", type=SpecFile(".sg"), help="The spec that .tex, .md and .ipynb files speak about.")
@click.option("--strict", is_flag=True, help="Exit with 5 where a claim could not be decided.")
@formats(WORDS)
@output("Write to this file.")
@budget
@force
def verify(**options: Any) -> int:
    """Check every step of every claim: proved, checked, refuted with a counterexample, malformed or unknown.

    A FILE is a spec (.sg), or a document (.tex, .md, .ipynb): of a document the fenced blocks and cells of the language
    are read, and with --spec also its LaTeX displays, in the names of that spec and those that the document defines.
    """
    return run("verify", options)


@program.command(short_help="Write numeric code that stands alone.")
@file
@click.option("--target", type=click.Choice(TARGETS), default="numpy", help="The library it is written for.")
@output("Write to this file.")
@force
def generate(**options: Any) -> int:
    """Write a module with the losses, their gradients, the named derivations and a training loop."""
    return run("generate", options)


@program.command(short_help="Train a loss or a game on data.")
@file
@click.option("--data", metavar="DATA.npz", type=SpecFile(".npz"), help="The arrays that the spec declares as data.")
@click.option("--only", metavar="NAME", help="Which `train` statement, by its loss or game; all by default.")
@click.option("--steps", type=click.IntRange(min=1), help="Steps, instead of what the spec says.")
@click.option("--batch", type=click.IntRange(min=1), help="Rows of a minibatch.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of initial values, batches and sampling.")
@click.option("--dim", "sizes", metavar="NAME=SIZE", multiple=True, help="A size that neither spec nor data show.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A constant, or an option as lr or samples.")
@click.option("--every", type=click.IntRange(min=1), help="Steps from one checkpoint to the next.", metavar="N")
@click.option("--dtype", type=click.Choice(["float64", "float32"]), default="float64", help="Precision.")
@output("The folder of the run: checkpoints, parameters, history, a plot of the loss.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint of the run.")
@force
def train(**options: Any) -> int:
    """Train as FILE's `train` statement says. Resuming gives the same bits as never having stopped."""
    return run("train", options)


@program.command(short_help="List, print or copy the packaged models.")
@click.argument("name", required=False, type=ZooName())
@output("Copy the spec and its data into this folder.")
@force
def zoo(**options: Any) -> int:
    """Without NAME: list the packaged specs. With NAME: print it, or copy it and its data with -o."""
    return run("zoo", options)


@program.command(short_help="The main job, end to end, on packaged data.")
@output("The folder of the report; `tour` by default.")
@click.option("--quick", is_flag=True, help="A tenth of the training steps.")
@force
def tour(**options: Any) -> int:
    """Derive, verify, generate and train the packaged models on real data; leave a report (HTML, LaTeX, PDF)."""
    return run("tour", options)


@program.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> int:
    """Print the completion script of SHELL: `symgen completion bash >> ~/.bashrc`."""
    from click.shell_completion import get_completion_class  # only this command needs it

    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(program, {}, "symgen", "_SYMGEN_COMPLETE").source())
    return 0


def run(command: str, options: dict[str, Any]) -> int:
    """The command's exit status; what goes wrong is told once, in words."""
    with import_module("symgen.commands.boundary").Boundary() as boundary:
        boundary.status = import_module(f"symgen.commands.{command}").run(**options)
    return int(boundary.status)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and leave with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Unicode gets escapes, not a traceback
    try:
        status = program.main(arguments, prog_name="symgen", standalone_mode=False)
    except click.Abort:  # Ctrl-C
        click.echo("stopped", err=True)
        status = 130
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except BrokenPipeError:  # the reader of a pipe, as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(int(status or 0))
