"""A checkpoint comes back bit for bit, and a damaged one is never believed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from symgen.commands import checkpoints
from symgen.commands.files import is_ours
from symgen.text.diagnostics import DataError

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | arrays.arrays(st.sampled_from([np.float64, np.float32, np.int64]), arrays.array_shapes(min_dims=0, max_side=3))
)  # fmt: skip
states = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(), inner, max_size=3)
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


@given(state=states)
@settings(max_examples=60, deadline=None)
def test_a_state_comes_back_bit_for_bit(state: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("run")
    checkpoints.save(folder, 7, state, {"spec": "abc"})
    found = checkpoints.latest(folder)
    assert found is not None
    header, back = found
    assert header["step"] == 7 and header["spec"] == "abc" and same(state, back)


def test_the_state_of_a_generator_comes_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    checkpoints.save(tmp_path, 1, rng.bit_generator.state, {})
    other = np.random.default_rng()
    other.bit_generator.state = checkpoints.latest(tmp_path)[1]  # type: ignore[index]
    assert np.array_equal(rng.random(5), other.random(5))


def test_the_last_two_are_kept_and_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        checkpoints.save(tmp_path, step, {"w": np.full(1000, float(step))}, {})
    names = [path.name for path in checkpoints.checkpoints(tmp_path)]
    assert names == ["checkpoint-000000020.npz", "checkpoint-000000030.npz"] and is_ours(tmp_path / names[0])
    data = bytearray((tmp_path / names[1]).read_bytes())
    data[600] ^= 1
    (tmp_path / names[1]).write_bytes(data)
    with pytest.raises(DataError):
        checkpoints.load(tmp_path / names[1])
    found = checkpoints.latest(tmp_path)
    assert found is not None and found[0]["step"] == 20
    for name in names:
        (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(DataError):
        checkpoints.latest(tmp_path)


def test_equal_states_give_equal_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        checkpoints.save(tmp_path / folder, 1, {"w": np.arange(5.0)}, {})
    a, b = (next((tmp_path / folder).iterdir()).read_bytes() for folder in ("a", "b"))
    assert a == b


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    program = (
        "import itertools, sys, numpy as np; from pathlib import Path; from symgen.commands import checkpoints\n"
        "for step in itertools.count(1): checkpoints.save(Path(sys.argv[1]), step, {'w': np.full(300_000, step)}, {})\n"
    )
    last = 0
    for trial in range(20):
        process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
        time.sleep(0.6 + 0.013 * trial)
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = checkpoints.latest(tmp_path)
        if found is not None:
            header, state = found
            assert (state["w"] == header["step"]).all()
            last = max(last, header["step"])
        for path in tmp_path.iterdir():
            os.unlink(path)
    assert last > 1
