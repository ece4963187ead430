"""A training run: what it leaves, resuming to the same bits, refusing what changed, stopping at what is not finite."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgen.commands import checkpoints

REGRESSION = """
dim n, d
dim h = 5
data  X: real[n, d], y: real[n]
param W: real[d, h] = glorot, v: real[h] = normal(0.5)
let H = tanh(X @ W)
let r = H @ v - y
loss L = r @ r/(2*n)
train L with adam(lr=0.01), steps=60, batch=16, seed=3
"""
GAME = """
param x: real = 1, y: real = 1
let V = x*y
game g = {y: max V, x: min V}
train g with extragradient(lr=0.3), steps=40
"""
SCALE = """
dim n
data x: real[n]
param w: real = 1
let z = w*x
let r = log(z)
loss L = mean(r^2)
train L with sgd(lr=0.1), steps=9
"""


def symgen(*arguments: Any, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "symgen", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    np.savez(tmp_path / "data.npz", X=X, y=np.sin(X).sum(axis=1))
    np.savez(tmp_path / "negative.npz", x=np.array([1.0, 2.0, -3.0]))
    (tmp_path / "regression.sg").write_text(REGRESSION)
    (tmp_path / "game.sg").write_text(GAME)
    (tmp_path / "scale.sg").write_text(SCALE)
    return tmp_path


def test_a_run_leaves_parameters_history_checkpoint_and_program(folder: Path) -> None:
    r = symgen("train", "regression.sg", "--data", "data.npz", "-o", "run", cwd=folder)
    assert r.returncode == 0 and not r.stdout, r.stderr
    with np.load(folder / "run" / "params.npz", allow_pickle=False) as params:
        assert params["W"].shape == (3, 5) and params["v"].shape == (5,)
        assert json.loads(params["header"].tobytes())["step"] == 60
    lines = [line for line in (folder / "run" / "history.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert [int(row["step"]) for row in rows] == list(range(1, 61)) and float(rows[-1]["L"]) < float(rows[0]["L"])
    history = json.loads((folder / "run" / "history.json").read_text())
    assert history["schema"] == "symgen.history" and history["version"] == 1 and len(history["rows"]) == 60
    assert "import numpy" in (folder / "run" / "program.py").read_text()
    assert (folder / "run" / "loss.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("spec, data", [("regression.sg", ["--data", "data.npz"]), ("game.sg", [])])
def test_resuming_gives_the_same_bits_as_never_having_stopped(folder: Path, spec: str, data: list[str]) -> None:
    assert symgen("train", spec, *data, "-o", "whole", cwd=folder).returncode == 0
    assert symgen("train", spec, *data, "-o", "parts", "--steps", 23, cwd=folder).returncode == 0
    assert symgen("train", spec, *data, "-o", "parts", "--resume", "--every", 7, cwd=folder).returncode == 0
    for name in ("params.npz", "history.csv"):
        assert (folder / "whole" / name).read_bytes() == (folder / "parts" / name).read_bytes(), name


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_to_the_same_bits(folder: Path) -> None:
    arguments = ["train", "regression.sg", "--data", "data.npz", "--steps", "20000", "--every", "50"]
    assert symgen(*arguments, "-o", "whole", cwd=folder).returncode == 0
    command = [sys.executable, "-m", "symgen", *arguments, "-o", "killed"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not checkpoints.checkpoints(folder / "killed") and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    r = symgen(*arguments, "-o", "killed", "--resume", cwd=folder)
    assert r.returncode == 0 and "going on from step" in r.stderr
    assert (folder / "whole" / "params.npz").read_bytes() == (folder / "killed" / "params.npz").read_bytes()


@pytest.mark.slow
def test_an_interrupt_stops_cleanly(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "symgen",
        "train",
        "regression.sg",
        "--data",
        "data.npz",
        "--steps",
        "10000000",
        "-o",
        "run",
    ]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (folder / "run" / "program.py").exists() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130 and "Traceback" not in told and "stopped" in told


def test_what_has_changed_since_the_checkpoint_is_refused(folder: Path) -> None:
    run = ["train", "regression.sg", "--data", "data.npz", "-o", "run"]
    assert symgen(*run, "--steps", 20, cwd=folder).returncode == 0
    r = symgen(*run, "--resume", "--seed", 4, cwd=folder)
    assert r.returncode == 3 and "seed was 3, is 4" in r.stderr
    r = symgen(*run, "--resume", "--set", "lr=0.02", cwd=folder)
    assert r.returncode == 3 and "lr" in r.stderr
    data = dict(np.load(folder / "data.npz"))
    np.savez(folder / "data.npz", X=data["X"], y=data["y"] + 1e-9)
    r = symgen(*run, "--resume", cwd=folder)
    assert r.returncode == 3 and "the data have changed" in r.stderr
    np.savez(folder / "data.npz", **data)
    (folder / "regression.sg").write_text(REGRESSION.replace("tanh", "sin"))
    r = symgen(*run, "--resume", cwd=folder)
    assert r.returncode == 3 and "the spec has changed" in r.stderr
    (folder / "regression.sg").write_text("# a remark\n" + REGRESSION)
    assert symgen(*run, "--resume", cwd=folder).returncode == 0, "a comment changes nothing"


def test_a_second_run_does_not_overwrite_the_first(folder: Path) -> None:
    run = ["train", "regression.sg", "--data", "data.npz", "-o", "run", "--steps", 5]
    assert symgen(*run, cwd=folder).returncode == 0
    before = (folder / "run" / "params.npz").read_bytes()
    r = symgen(*run, "--seed", 9, cwd=folder)
    assert r.returncode == 3 and "--resume" in r.stderr and (folder / "run" / "params.npz").read_bytes() == before
    assert symgen(*run, "--seed", 9, "--force", cwd=folder).returncode == 0
    assert (folder / "run" / "params.npz").read_bytes() != before


def test_a_foreign_file_in_the_folder_stays(folder: Path) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "program.py").write_text("mine")
    r = symgen("train", "regression.sg", "--data", "data.npz", "-o", "run", cwd=folder)
    assert r.returncode == 3 and (folder / "run" / "program.py").read_text() == "mine"


def test_training_stops_at_what_is_not_finite_and_says_where(folder: Path) -> None:
    r = symgen("train", "scale.sg", "--data", "negative.npz", "-o", "run", cwd=folder)
    assert r.returncode == 3 and "Traceback" not in r.stderr and "Warning" not in r.stderr
    for words in ("step 1", "`w`", "`r`"):
        assert words in r.stderr, r.stderr


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "regression.sg"], ["`X`", "`y`", "--data"]),
        (["train", "regression.sg", "--data", "nothere.npz"], ["nothere.npz"]),
        (["train", "regression.sg", "--data", "negative.npz"], ["no array `X`", "is `x` meant"]),
        (["train", "regression.sg", "--data", "data.npz", "--set", "speed=3"], ["no `speed`", "lr"]),
        (["train", "regression.sg", "--data", "data.npz", "--dim", "h"], ["`h`", "NAME=VALUE"]),
        (["train", "regression.sg", "--data", "data.npz", "--only", "M"], ["`M`", "`L`"]),
        (["train", "regression.sg", "--data", "data.npz", "--resume"], ["-o"]),
        (["train", "regression.sg", "--data", "data.npz", "--resume", "-o", "empty"], ["no checkpoint"]),
    ],
)
def test_what_cannot_be_trained_is_told(folder: Path, arguments: list[str], words: list[str]) -> None:
    r = symgen(*arguments, cwd=folder)
    assert r.returncode == 3 and "Traceback" not in r.stderr, r.stderr
    assert all(word in r.stderr for word in words), r.stderr


def test_precision_is_as_asked(folder: Path) -> None:
    for dtype in ("float32", "float64"):
        run = ["train", "regression.sg", "--data", "data.npz", "--steps", 3, "-o", dtype, "--dtype", dtype]
        assert symgen(*run, cwd=folder).returncode == 0
        with np.load(folder / dtype / "params.npz") as params:
            assert params["W"].dtype == dtype
