"""Arrays of strangers are read or refused by name, and nothing of theirs runs."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgen.commands.arrays import read_arrays
from symgen.tensor.domains import DOMAINS
from symgen.tensor.expression import dim, num, var
from symgen.text.diagnostics import DataError

n, d = dim("n"), dim("d")
X = var("X", (n, d), role="data")
y = var("y", (n,), "binary", role="data")


def saved(tmp_path: Path, **arrays: Any) -> Path:
    np.savez(tmp_path / "data.npz", **arrays)
    return tmp_path / "data.npz"


def test_arrays_come_with_the_sizes_they_show(tmp_path: Path) -> None:
    sizes: dict[str, int] = {}
    arrays = read_arrays(saved(tmp_path, X=np.ones((5, 3)), y=np.zeros(5), other=["a"]), [X, y], sizes)
    assert sizes == {"n": 5, "d": 3} and set(arrays) == {"X", "y"}


@pytest.mark.parametrize(
    "arrays, words",
    [
        ({"X": np.ones((5, 3)), "Y": np.ones(5)}, ["no array `y`", "is `Y` meant"]),
        ({"X": np.ones((5, 3)), "y": np.ones(4)}, ["axis 0 of `y` has length 4", "n is 5"]),
        ({"X": np.ones(5), "y": np.ones(5)}, ["`X` has shape [5]", "[n, d]"]),
        ({"X": np.array([[1.0, np.nan], [np.inf, 2]]), "y": np.ones(2)}, ["`X[0, 1]` is nan", "finite"]),
        ({"X": np.ones((5, 3)), "y": np.array([0, 1, 2, 0, 3])}, ["`y[2]` is 2", "0 or 1"]),
        ({"X": np.ones((5, 3)) * 1j, "y": np.ones(5)}, ["`X` holds complex numbers"]),
        ({"X": np.array([["a"]]), "y": np.ones(1)}, ["`X` holds text"]),
        ({"X": np.array([[object()]]), "y": np.ones(1)}, ["`X` holds Python objects"]),
        ({"X": np.ones((0, 3)), "y": np.ones(0)}, ["`X` is empty"]),
    ],
)
def test_a_wrong_array_is_named(tmp_path: Path, arrays: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(DataError) as error:
        read_arrays(saved(tmp_path, **arrays), [X, y], {})
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize("row", [row for row in DOMAINS.values() if row.name != "real"], ids=lambda row: row.name)
def test_the_first_that_leaves_its_domain_is_found(tmp_path: Path, row: Any) -> None:
    event = (3,) * row.structure
    arguments = [4] if row.name == "label" else []
    values = np.asarray(row.sample(np.random.default_rng(0), (6, *event), 0, arguments), dtype=float)
    x = var("x", (num(6),) + (num(3),) * row.structure, row.name, "data", [num(a) for a in arguments])
    read_arrays(saved(tmp_path, x=values), [x], {})
    values[4] = -1.5 + np.arange(values[4].size).reshape(event)
    with pytest.raises(DataError, match=r"`x\[4"):
        read_arrays(saved(tmp_path, x=values), [x], {})


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_npz_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "data.npz").write_bytes(data)
    with pytest.raises(DataError):
        read_arrays(tmp_path / "data.npz", [X], {})


def test_a_header_that_claims_more_than_there_is_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = (
        b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3), }".ljust(117) + b"\n"
    )
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("X.npy", header + bytes(80))
    with pytest.raises(DataError, match="`X` is not as long as its header says"):
        read_arrays(tmp_path / "data.npz", [X], {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*nothing\.npz"):
        read_arrays(tmp_path / "nothing.npz", [X], {})
