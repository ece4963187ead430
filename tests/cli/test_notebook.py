"""The cell magic: a cell becomes a model under its name, and what it derives and claims is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

interactive = pytest.importorskip("IPython.core.interactiveshell")

SPEC = "param x: real\nlet f = x^3\nderive slope = grad(f, x)\nclaim right: grad(f, x) = 3*x^2\n"


@pytest.fixture
def shell() -> Iterator[Any]:
    shell = interactive.InteractiveShell.instance()
    shell.run_line_magic("load_ext", "symgen")
    yield shell
    interactive.InteractiveShell.clear_instance()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    things: list[Any] = []
    monkeypatch.setattr("symgen.notebook.display", things.append)
    return things


def test_a_cell_becomes_a_model_and_its_results_are_shown(shell: Any, shown: list[Any]) -> None:
    shell.run_cell_magic("symgen", "cube", SPEC)
    assert shell.user_ns["cube"].derive("slope").evaluate(x=2.0) == 12.0
    derivation, verdict = shown
    assert derivation.text_result == "3*x^2" and verdict.status == "proved"


def test_a_cell_may_go_on_with_a_model_and_shows_what_is_new(shell: Any, shown: list[Any]) -> None:
    shell.run_cell_magic("symgen", "cube", SPEC)
    shown.clear()
    shell.run_cell_magic("symgen", "cube +", "claim wrong: grad(f, x) = x^2\n")
    (verdict,) = shown
    assert verdict.status == "refuted" and len(shell.user_ns["cube"].claims) == 2


def test_mistakes_are_told_without_a_traceback(shell: Any, shown: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell_magic("symgen", "broken", "let a = )\nlet b = nowhere\n")
    told = capsys.readouterr().err
    assert "broken.sg:1" in told and "nowhere" in told and "Traceback" not in told and not shown
    shell.run_cell_magic("symgen", "two names", SPEC)
    assert "no name" in capsys.readouterr().err


def test_results_display_as_mathematics(shell: Any, shown: list[Any]) -> None:
    shell.run_cell_magic("symgen", "cube", SPEC)
    for thing in shown:
        data, _ = shell.display_formatter.format(thing)
        assert "$" in data["text/markdown"] and len(data["text/plain"]) < 2000
