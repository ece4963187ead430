"""Arrays of a stranger, read without running anything of theirs: headers first, then values, then what the spec says of
them. Every refusal names the array."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from symgen.commands.files import note_input
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import size_of
from symgen.tensor.expression import Dim, Var
from symgen.text.diagnostics import DataError

LARGEST = 64 * 2**30  # bytes that the arrays of a file may fill in memory, however small the file is


@dataclass(frozen=True)
class Header:
    """What a file says of one of its arrays before the values are read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_headers(path: Path) -> dict[str, Header]:
    """Name -> header of every array of a .npz. Raises DataError if it is no such file, or would not fit."""
    headers: dict[str, Header] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                with archive.open(member) as file:
                    major, minor = npy.read_magic(file)
                    read = npy.read_array_header_1_0 if (major, minor) == (1, 0) else npy.read_array_header_2_0
                    shape, _, dtype = read(file, max_header_size=4096)
                    header = Header(tuple(shape), dtype)
                    told = math.prod(header.shape) * dtype.itemsize
                    if not dtype.hasobject and file.tell() + told != member.file_size:
                        raise DataError(f"`{path}`: the array `{name}` is not as long as its header says")
                headers[name] = header
    except FileNotFoundError:
        raise DataError(f"there is no file `{path}`") from None
    except zipfile.BadZipFile:
        raise DataError(f"`{path}` is not a .npz file (numpy.savez writes them)") from None
    except DataError:
        raise
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        KeyError,
        TypeError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise DataError(f"`{path}` cannot be read: {str(error)[:200]}") from None
    if sum(math.prod(h.shape) * h.dtype.itemsize for h in headers.values()) > LARGEST:
        raise DataError(f"`{path}` would fill more than {LARGEST // 2**30} GB of memory")
    return headers


def read_arrays(path: Path, wanted: Sequence[Var], sizes: dict[str, int]) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays that a spec wants, as numbers; `sizes` gets the sizes that they show.

    Raises DataError naming the array that is missing, not made of numbers, of another shape, not finite or outside its
    domain.
    """
    headers = read_headers(path)
    for variable in wanted:
        check_header(path, variable, headers, sizes)
    arrays = {}
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        note_input(opened)
        for variable in wanted:
            values = file[variable.name]
            check_values(path, variable, values, sizes)
            arrays[variable.name] = values
    return arrays


def written(variable: Var) -> str:
    return "[" + ", ".join(str(size) for size in variable.shape) + "]"


def check_header(path: Path, variable: Var, headers: Mapping[str, Header], sizes: dict[str, int]) -> None:
    name = variable.name
    if name not in headers:
        near = [n for n in headers if n.lower() == name.lower()] or get_close_matches(name, headers, n=1)
        there = ", ".join(f"`{n}`" for n in headers) or "nothing"
        raise DataError(f"`{path}` has no array `{name}`: it holds {there}" + (f"; is `{near[0]}` meant?" if near else ""))
    header = headers[name]
    if header.dtype.kind not in "biuf":
        raise DataError(f"`{path}`: the array `{name}` holds {kind_of(header.dtype)}, not numbers")
    if len(header.shape) != len(variable.shape):
        raise DataError(f"`{path}`: the array `{name}` has shape {list(header.shape)}, but is declared {written(variable)}")
    for size, length in zip(variable.shape, header.shape):
        if isinstance(size, Dim):
            sizes.setdefault(size.name, length)
    for axis, (size, length) in enumerate(zip(variable.shape, header.shape)):
        if not (isinstance(size, Dim) or all(d.name in sizes for d in size.atoms(Dim))):
            continue
        expected = size_of(size, sizes)
        if expected != length:
            raise DataError(
                f"`{path}`: axis {axis} of `{name}` has length {length}, but {size} is {expected}"
                f" (`{name}` is declared {written(variable)})"
            )
    if 0 in header.shape:
        raise DataError(f"`{path}`: the array `{name}` is empty, with shape {list(header.shape)}")


def kind_of(dtype: np.dtype[Any]) -> str:
    kinds = {
        "c": "complex numbers",
        "O": "Python objects, which are not read",
        "U": "text",
        "S": "text",
        "V": "records",
    }
    return kinds.get(dtype.kind, f"values of type {dtype}")


def check_values(path: Path, variable: Var, values: np.ndarray[Any, Any], sizes: Mapping[str, int]) -> None:
    """Refuse what is not finite or leaves the declared domain; the message has the first such place."""
    numbers = np.asarray(values, dtype=np.float64)
    refuse_outside(path, variable.name, numbers, 0, lambda x: bool(np.isfinite(x).all()), "a finite number")
    row = DOMAINS[variable.domain]
    arguments = [size_of(size, sizes) for size in variable.domain_args]
    says = f"{row.says} (`{variable.name}` is declared {variable.domain})"
    refuse_outside(path, variable.name, numbers, row.structure, lambda x: row.contains(x, arguments), says)


def refuse_outside(
    path: Path, name: str, values: np.ndarray[Any, Any], structure: int, belongs: Callable[[Any], bool], says: str
) -> None:
    """DataError at the first entry (or row, or matrix, as `structure` is 0, 1 or 2) that does not belong."""
    if belongs(values):
        return
    place: list[int] = []
    while values.ndim > structure:
        low, high = 0, len(values)  # the first that does not belong is in values[low:high]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if belongs(values[low:middle]) else (low, middle)
        place.append(low)
        values = values[low]
    where = f"{name}[{', '.join(map(str, place))}]" if place else name
    found = f"{values:.6g}" if values.ndim == 0 else f"{np.array2string(values, precision=4, threshold=8)}"
    raise DataError(f"`{path}`: `{where}` is {found}, not {says}")
