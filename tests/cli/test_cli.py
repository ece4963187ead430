"""The command line: results on standard output, messages on standard error, an exit status that says which it was."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from symgen.commands.boundary import worst
from symgen.render import pdf

GOOD = """
dim n, d
data  X: real[n, d], y: real[n]
param w: real[d] = zeros
let r = X @ w - y
loss L = r @ r/(2*n)
derive g = grad(L, w)
claim right: grad(L, w) = X' @ r/n
train L with sgd(lr=0.1), steps=5
"""
WRONG_CLAIM = GOOD + "claim wrong: grad(L, w) = X' @ r\n"
BROKEN = "dim n\nlet a = )\nlet b = nowhere\n"


def symgen(*arguments: Any, cwd: Path, text: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "symgen", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, input=text, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.sg").write_text(GOOD)
    (tmp_path / "wrong.sg").write_text(WRONG_CLAIM)
    (tmp_path / "broken.sg").write_text(BROKEN)
    return tmp_path


def test_of_several_statuses_the_first_in_70_3_1_4_5_counts() -> None:
    assert worst([]) == 0
    assert worst([0, 5]) == 5
    assert worst([5, 4, 0]) == 4
    assert worst([4, 1, 5]) == 1
    assert worst([1, 3, 4]) == 3
    assert worst([3, 70, 1]) == 70


def test_help_and_version_answer_without_the_engines() -> None:
    watch = "import sys\ntry:\n import symgen.cli; symgen.cli.main()\nfinally:\n"
    watch += " print(sorted({m.split('.')[0] for m in sys.modules} & {'sympy', 'lark', 'numpy', 'scipy', 'rich', 'flint'}))"
    for options in (["--help"], ["--version"], ["derive", "--help"]):
        r = subprocess.run([sys.executable, "-c", watch, *options], capture_output=True, text=True)
        assert r.returncode == 0 and r.stdout.endswith("[]\n"), r.stdout + r.stderr


@pytest.mark.slow
def test_help_takes_little_longer_than_python_and_click() -> None:
    """60 ms on a quiet machine, of which Python and click take 50; processor time in one run, so that load does not decide."""

    def seconds(*arguments: str) -> float:
        before = os.times()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    pairs = [(seconds("-m", "symgen", "--help"), seconds("-c", "import click")) for _ in range(15)]
    assert min(ours for ours, _ in pairs) < 1.3 * min(base for _, base in pairs) + 0.01


def test_exit_statuses(folder: Path) -> None:
    for arguments, status in [
        (["check", "good.sg"], 0),
        (["verify", "good.sg"], 0),
        (["verify", "good.sg", "wrong.sg"], 1),
        (["verify", "wrong.sg", "broken.sg", "good.sg"], 3),
        (["nonsense"], 2),
        (["derive"], 2),
        (["check", "nothere.sg"], 3),
        (["check", "."], 3),
        (["derive", "good.sg", "--format", "pdf"], 3),
        (["derive", "good.sg", "grad(L, nowhere)"], 3),
        (["zoo", "nowhere"], 3),
    ]:
        r = symgen(*arguments, cwd=folder)
        assert r.returncode == status, (arguments, r.stdout, r.stderr)
        assert "Traceback" not in r.stderr
        assert status == 0 or r.stderr


def test_all_mistakes_of_a_file_are_told_with_their_places(folder: Path) -> None:
    r = symgen("check", "broken.sg", cwd=folder)
    assert r.returncode == 3 and not r.stdout
    assert "broken.sg:2" in r.stderr and "broken.sg:3" in r.stderr


def test_check_says_what_is_declared(folder: Path) -> None:
    r = symgen("check", "good.sg", cwd=folder)
    for words in ("real[n, d]", "w", "loss", "scalar", "sgd"):
        assert words in r.stdout
    data = json.loads(symgen("check", "good.sg", "broken.sg", "--format", "json", cwd=folder).stdout)
    assert data["schema"] == "symgen.check" and data["version"] == 1
    assert {"kind": "data", "name": "X", "says": "real[n, d]"} in data["files"][0]["declares"]
    assert [d["line"] for d in data["files"][1]["diagnostics"]] == [2, 3]


def test_a_spec_may_come_from_standard_input(tmp_path: Path) -> None:
    assert symgen("check", "-", cwd=tmp_path, text=GOOD).returncode == 0
    r = symgen("check", "-", cwd=tmp_path, text=BROKEN)
    assert r.returncode == 3 and "<stdin>:2" in r.stderr


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x00" * 100, b"let a = 1\xc3"])
def test_what_is_no_text_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "odd.sg").write_bytes(data)
    r = symgen("check", "odd.sg", cwd=tmp_path)
    assert r.returncode == 3 and r.stderr.startswith("error") and "Traceback" not in r.stderr


def test_an_empty_spec_declares_nothing(tmp_path: Path) -> None:
    assert symgen("check", "-", cwd=tmp_path, text="").returncode == 0
    assert symgen("verify", "-", cwd=tmp_path, text="# nothing\n").returncode == 0


def test_a_huge_file_is_refused_at_once(tmp_path: Path) -> None:
    with (tmp_path / "huge.sg").open("wb") as file:
        file.truncate(2**34)
    r = symgen("check", "huge.sg", cwd=tmp_path)
    assert r.returncode == 3 and "larger than" in r.stderr


@pytest.mark.parametrize("form", ["text", "latex", "markdown", "html", "json"])
def test_derivations_are_printed_in_every_format(folder: Path, form: str) -> None:
    r = symgen("derive", "good.sg", "--format", form, cwd=folder)
    assert r.returncode == 0 and r.stdout.strip() and not r.stderr
    if form == "json":
        whole = json.loads(r.stdout)
        assert whole["schema"] == "symgen.derivations" and whole["version"] == 1 and len(whole["derivations"]) == 1


def test_a_goal_that_cannot_be_derived_does_not_stop_the_others(folder: Path) -> None:
    r = symgen("derive", "good.sg", "grad(L, nowhere)", "g", cwd=folder)
    assert r.returncode == 3 and "nowhere" in r.stderr and r.stdout.strip()


def test_nothing_is_overwritten_that_symgen_did_not_write(folder: Path) -> None:
    for form, name in [("html", "out.html"), ("json", "out.json")]:
        target = folder / name
        target.write_text("mine")
        r = symgen("derive", "good.sg", "--format", form, "-o", name, cwd=folder)
        assert r.returncode == 3 and "--force" in r.stderr and target.read_text() == "mine"
        assert symgen("derive", "good.sg", "--format", form, "-o", name, "--force", cwd=folder).returncode == 0
        assert target.read_text() != "mine"
        assert symgen("derive", "good.sg", "--format", form, "-o", name, cwd=folder).returncode == 0, "its own it may"
    assert not [p for p in folder.iterdir() if p.name.startswith(".")], "no temporary file stays"


@pytest.mark.skipif(not pdf.available(), reason="needs pdflatex")
def test_a_pdf_is_written_and_written_again(folder: Path) -> None:
    for _ in range(2):
        r = symgen("derive", "good.sg", "-o", "out.pdf", cwd=folder)
        assert r.returncode == 0 and (folder / "out.pdf").read_bytes().startswith(b"%PDF"), r.stderr


def test_the_file_of_a_spec_is_not_overwritten(folder: Path) -> None:
    assert symgen("generate", "good.sg", "-o", "good.sg", cwd=folder).returncode == 3
    assert (folder / "good.sg").read_text() == GOOD


def test_a_generated_module_runs_alone(folder: Path) -> None:
    assert symgen("generate", "good.sg", "-o", "made.py", cwd=folder).returncode == 0
    program = "import sys, made, numpy as np; assert 'symgen' not in sys.modules and 'sympy' not in sys.modules\n"
    program += "print(made.L_value_and_grad({'w': np.ones(2)}, {'X': np.ones((3, 2)), 'y': np.zeros(3)}))"
    r = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    assert r.returncode == 0 and "2." in r.stdout, r.stderr


def test_verdicts_name_the_wrong_step(folder: Path) -> None:
    r = symgen("verify", "wrong.sg", cwd=folder)
    assert r.returncode == 1 and "wrong" in r.stdout and "wrong.sg:10" in r.stdout
    whole = json.loads(symgen("verify", "wrong.sg", "--format", "json", cwd=folder).stdout)
    assert [c["status"] for c in whole["files"][0]["claims"]][1] == "refuted"


def test_a_bug_is_told_without_a_traceback(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text(
        "import symgen, symgen.commands.files as f\ndef broken(path): raise ZeroDivisionError('oh')\nf.read_text = broken\n"
    )
    r = symgen("check", "good.sg", cwd=folder, PYTHONPATH=os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    assert r.returncode == 70 and "Traceback" not in r.stderr and "bug in symgen" in r.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_and_completes(tmp_path: Path, shell: str) -> None:
    assert "_SYMGEN_COMPLETE" in symgen("completion", shell, cwd=tmp_path).stdout
    r = symgen(cwd=tmp_path, _SYMGEN_COMPLETE="bash_complete", COMP_WORDS="symgen zoo rid", COMP_CWORD="2")
    assert "ridge" in r.stdout


def test_control_characters_of_a_spec_do_not_reach_the_terminal(tmp_path: Path) -> None:
    r = symgen("check", "-", cwd=tmp_path, text="let a = \x1b]0;owned\x07 )\n")
    assert r.returncode == 3 and "\x1b" not in r.stderr and "\x07" not in r.stderr


def test_a_terminal_without_unicode_is_no_bug(folder: Path) -> None:
    (folder / "greek.sg").write_text("param μ: real\nlet f = μ^2\nderive grad(f, μ)\nlet g = ψ\n")
    r = symgen("check", "greek.sg", cwd=folder, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert r.returncode == 3 and r.stderr.isascii()
    (folder / "greek.sg").write_text("param μ: real\nlet f = μ^2\nderive grad(f, μ)\n")
    assert symgen("derive", "greek.sg", cwd=folder, PYTHONIOENCODING="ascii", PYTHONUTF8="0").returncode == 0


@pytest.mark.parametrize(("form", "output"), [("text", None), ("markdown", None), ("latex", None), ("text", "out.txt")])
def test_a_crash_in_one_goal_leaves_the_goals_before_and_after_it(folder: Path, form: str, output: str | None) -> None:
    (folder / "sitecustomize.py").write_text(
        "import symgen.facade as f\n"
        "derive = f.Model.derive\n"
        "def broken(self, goal, *rest, **more):\n"
        "    if goal == 'y @ y': raise ZeroDivisionError('oh')\n"
        "    return derive(self, goal, *rest, **more)\n"
        "f.Model.derive = broken\n"
    )
    there = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    more = ["-o", output] if output else []
    r = symgen("derive", "good.sg", "g", "y @ y", "hessian(L, w)", "--format", form, *more, cwd=folder, PYTHONPATH=there)
    text = (folder / output).read_text() if output else r.stdout
    assert r.returncode == 70 and "`y @ y` was not derived" in r.stderr and "oh" in r.stderr
    words = ("grad(L, w)", "hessian(L, w)") if form == "text" else ("nabla_{w}", "nabla_{w}^{2}")
    assert all(word in text for word in words) and "Traceback" not in r.stderr


def test_derivations_come_as_they_are_made(folder: Path) -> None:
    """The first stands on standard output before the second is begun."""
    (folder / "sitecustomize.py").write_text(
        "import symgen.facade as f, os\n"
        "derive = f.Model.derive\n"
        "def broken(self, goal, *rest, **more):\n"
        "    if goal == 'y @ y': os._exit(9)\n"
        "    return derive(self, goal, *rest, **more)\n"
        "f.Model.derive = broken\n"
    )
    there = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    r = symgen("derive", "good.sg", "g", "y @ y", cwd=folder, PYTHONPATH=there)
    assert r.returncode == 9 and "grad(L, w)" in r.stdout


def test_a_crash_in_one_claim_leaves_the_other_claims(folder: Path) -> None:
    (folder / "good.sg").write_text(GOOD + "claim odd: y @ y = y @ y\nclaim last: L = r @ r/2/n\n")
    (folder / "sitecustomize.py").write_text(
        "import symgen.facade as f\n"
        "check = f.Model.check\n"
        "def broken(self, claim, *rest, **more):\n"
        "    if claim == 'odd': raise ZeroDivisionError('oh')\n"
        "    return check(self, claim, *rest, **more)\n"
        "f.Model.check = broken\n"
    )
    there = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    r = symgen("verify", "good.sg", cwd=folder, PYTHONPATH=there)
    assert r.returncode == 70 and "the claim `odd` was not checked" in r.stderr
    assert "right" in r.stdout and "last" in r.stdout


def test_check_tells_the_claims_that_have_no_meaning(folder: Path) -> None:
    (folder / "odd.sg").write_text(
        GOOD + "claim a: grad(L, z) = X\nclaim b: grad(L, w) = X @ w\nclaim c: L = zz\n    = r @ r + uu\nclaim last: L = 3*L\n"
    )
    r = symgen("check", "odd.sg", cwd=folder)
    assert r.returncode == 1 and "real[n, d]" in r.stdout
    for words in ("unknown name `z`", "step 1 has another shape than the left side", "unknown name `zz`", "unknown name `uu`"):
        assert words in r.stderr
    assert r.stderr.count("error:") == 4, "a claim that is false has a meaning"


def test_verify_says_which_documents_it_reads(folder: Path) -> None:
    text = symgen("verify", "--help", cwd=folder).stdout
    assert all(suffix in text for suffix in (".sg", ".tex", ".md", ".ipynb"))
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert re.search(r"symgen verify \S+ --spec .*\.tex, \.md or \.ipynb", readme)
