"""What is no ordinary file is never replaced by one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from symgen.commands.boundary import Unusable
from symgen.commands.files import write_text
from tests.cli.test_cli import symgen


@pytest.mark.parametrize("force", [False, True])
def test_a_pipe_and_a_dangling_link_stay(tmp_path: Path, force: bool) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere")
    for path in (pipe, link):
        with pytest.raises(Unusable, match="no ordinary file"):
            write_text(path, "text", force)
    assert pipe.is_fifo() and link.is_symlink()


SPEC = """
dim n
data y: real[n]
param w: real = 0
const lam: positive = 1/2
loss L = sum((y - w)^2) + lam*w^2
derive g = grad(L, w)
claim c: grad(L, w) = 2*(n + lam)*w - 2*sum(y)
train L with sgd(lr=0.1), steps=3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.sg").write_text(SPEC)
    np.savez(tmp_path / "data.npz", y=np.array([1.0, 2.0]))
    return tmp_path


@pytest.mark.parametrize("name", ["m.sg", "./m.sg", "same.sg", "hard.sg"])
@pytest.mark.parametrize("command", ["derive", "verify", "generate"])
def test_what_was_read_is_not_overwritten_even_with_force(folder: Path, command: str, name: str) -> None:
    (folder / "same.sg").symlink_to(folder / "m.sg")
    os.link(folder / "m.sg", folder / "hard.sg")
    r = symgen(command, "m.sg", "-o", name, "--force", cwd=folder)
    assert r.returncode == 3 and "has just been read" in r.stderr
    assert (folder / "m.sg").read_text() == SPEC


@pytest.mark.parametrize("name", ["params.npz", "history.csv", "program.py", "loss.png", "history.json"])
def test_a_run_does_not_begin_where_it_would_end_over_a_file_of_others(folder: Path, name: str) -> None:
    (folder / "run").mkdir()
    (folder / "run" / name).write_text("mine")
    r = symgen("train", "m.sg", "--data", "data.npz", "-o", "run", cwd=folder)
    assert r.returncode == 3 and name in r.stderr and "--force" in r.stderr
    assert (folder / "run" / name).read_text() == "mine" and len(list((folder / "run").iterdir())) == 1
    assert symgen("train", "m.sg", "--data", "data.npz", "-o", "run", "--force", cwd=folder).returncode == 0


def test_the_data_of_a_run_are_not_overwritten_by_its_parameters(folder: Path) -> None:
    (folder / "data.npz").rename(folder / "params.npz")
    before = (folder / "params.npz").read_bytes()
    r = symgen("train", "m.sg", "--data", "params.npz", "-o", ".", "--force", cwd=folder)
    assert r.returncode == 3 and "has just been read" in r.stderr
    assert (folder / "params.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "words"), [("x.xyz", "`.xyz` names no format"), ("x.txt", ""), ("x", ""), ("x.tex", ""), ("x.HTML", "")]
)
def test_the_suffix_of_an_output_says_its_format_or_is_told(folder: Path, name: str, words: str) -> None:
    for command in ("derive", "verify"):
        r = symgen(command, "m.sg", "-o", name, "--force", cwd=folder)
        assert r.returncode == 0 and (words in r.stderr if words else "names no format" not in r.stderr)
        start = {"x.tex": "\\documentclass", "x.HTML": "<!"}.get(name)
        text = (folder / name).read_text().lstrip()
        assert text.startswith(start) if start else not text.startswith(("<", "\\"))
    assert symgen("derive", "m.sg", "--format", "text", "-o", "y.html", cwd=folder).returncode == 0
    assert (folder / "y.html").read_text().startswith("Derivation"), "what --format says comes first"


def test_a_run_that_is_resumed_with_another_precision_says_that(folder: Path) -> None:
    train = ["train", "m.sg", "--data", "data.npz", "-o", "run"]
    assert symgen(*train, cwd=folder).returncode == 0
    r = symgen(*train, "--resume", "--steps", 5, "--dtype", "float32", cwd=folder)
    assert r.returncode == 3 and "--dtype" in r.stderr and "was float64, and is float32" in r.stderr
    assert "data have changed" not in r.stderr
    np.savez(folder / "data.npz", y=np.array([1.0, 3.0]))
    r = symgen(*train, "--resume", "--steps", 5, cwd=folder)
    assert r.returncode == 3 and "the data have changed" in r.stderr


@pytest.mark.parametrize(("setting", "words"), [("lam=-1", "positive number"), ("lam=0", "positive number"), ("lam=nan", "number")])
def test_a_constant_outside_its_domain_is_refused(folder: Path, setting: str, words: str) -> None:
    r = symgen("train", "m.sg", "--data", "data.npz", "--set", setting, cwd=folder)
    assert r.returncode == 3 and "`lam`" in r.stderr and words in r.stderr
