"""The text of the functions that generated modules carry, from the runtime files, without annotations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from symgen.text.diagnostics import InternalError

__all__ = ["CARRIED", "source_of"]

RUNTIMES = ("runtime.py", "runtime_torch.py", "runtime_jax.py")
PARTS = ("complex", "bessel", "hyper")  # special functions: common to all, and what each backend adds
INCOMPLETE = "../tensor/incomplete_floats.py"  # common to all too, and of the evaluator
HEAD = re.compile(r"^def (\w+)\(", re.MULTILINE)


@cache
def _text(file: str) -> str:
    return (Path(__file__).parent / file).read_text(encoding="utf-8")


def _files(runtime: str) -> tuple[str, ...]:
    """Where the functions of a runtime stand: the common ones, then its own, which come before them."""
    own = () if runtime == "runtime.py" else (runtime, *(runtime.replace("_", f"_{part}_") for part in (*PARTS, "incomplete")))
    common = ("runtime.py", "runtime_remainders.py", *(f"runtime_{part}.py" for part in PARTS), INCOMPLETE, "optimisers.py")
    return (*common, *own)


@cache
def _definitions(file: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(_text(file)).body if isinstance(node, ast.FunctionDef)}


@cache
def _places(runtime: str) -> dict[str, str]:
    """The file of each function."""
    return {name: file for file in _files(runtime) for name in _definitions(file)}


@cache
def _function(name: str, file: str) -> tuple[str, tuple[str, ...]]:
    """A function's source without annotations, and the names that it uses."""
    node = _definitions(file)[name]
    used = tuple(dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name)))
    return _without_annotations(_text(file), node), used


def _without_annotations(text: str, function: ast.FunctionDef) -> str:
    """A module for people who train need not tell types."""
    lines = text.split("\n")
    cuts: list[tuple[int, int, int, str]] = []  # line, from, to, what to put there
    for node in ast.walk(function):
        if isinstance(node, ast.arg) and node.annotation is not None:
            end = node.annotation.end_col_offset or 0
            cuts.append((node.lineno - 1, _characters(lines[node.lineno - 1], node.col_offset) + len(node.arg), end, ""))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            cuts.append((node.lineno - 1, node.target.end_col_offset or 0, node.annotation.end_col_offset or 0, ""))
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            at = (node.returns.end_lineno or 1) - 1
            start = lines[at].rindex("->", 0, node.returns.col_offset)
            cuts.append((at, start - 1, node.returns.end_col_offset or 0, ""))
    for line, start, end, put in sorted(cuts, reverse=True):
        lines[line] = lines[line][:start] + put + lines[line][end:]
    body = lines[function.lineno - 1 : function.end_lineno]
    return "\n".join(line.replace("  # fmt: skip", "") for line in body)


def _characters(line: str, column: int) -> int:
    """The character at which a byte column stands."""
    return len(line.encode()[:column].decode())


def carried() -> frozenset[str]:
    """The names of all of them, read from the lines on which they begin."""
    return frozenset(name for runtime in RUNTIMES for file in _files(runtime) for name in HEAD.findall(_text(file)))


CARRIED = carried()


def source_of(names: Iterable[str], runtime: str = "runtime.py") -> list[str]:
    """The sources of the named functions and of all that they use, each after what it uses."""
    places = _places(runtime)
    out: dict[str, None] = {}

    def visit(name: str, above: tuple[str, ...] = ()) -> None:
        if name in out or name not in places or name in above:
            return
        for used in _function(name, places[name])[1]:
            visit(used, (*above, name))
        out[name] = None

    for name in names:
        visit(name)
    foreign = [name for name in out if runtime != "runtime.py" and "np" in _function(name, places[name])[1]]
    if foreign:
        raise InternalError(f"`{foreign[0]}` is written for NumPy alone")
    return [_function(name, places[name])[0] for name in out]
