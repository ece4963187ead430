"""Checkpoints of a training run: arrays in a .npz that holds no pickles, the rest as JSON, with a checksum over both.

A checkpoint is written whole or not at all, and the last two are kept: a run that is killed at any moment goes on from
the last one, with the same bits as if it had never stopped.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from symgen.commands.files import MARK, replace
from symgen.text.diagnostics import DataError

SCHEMA, VERSION = "symgen.checkpoint", 1
KEPT = 2
HEADER = "header"

State = Any  # nested dicts and lists of arrays, numbers, texts and None


def pack(state: State, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """The state as JSON, its arrays moved to `arrays`, each with {"array": key} in its place."""
    if isinstance(state, np.ndarray):
        key = f"a{len(arrays)}"
        arrays[key] = state
        return {"array": key}
    if isinstance(state, np.generic):
        return pack(np.asarray(state), arrays)
    if isinstance(state, Mapping):
        return {"items": [[pack(k, arrays), pack(v, arrays)] for k, v in state.items()]}
    if isinstance(state, tuple | list):
        return {"list": [pack(v, arrays) for v in state], "tuple": isinstance(state, tuple)}
    if state is None or isinstance(state, bool | int | float | str):
        return state
    raise TypeError(f"a state holds a {type(state).__name__}")


def unpack(data: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> State:
    if not isinstance(data, dict):
        return data
    if "array" in data:
        return arrays[data["array"]]
    if "items" in data:
        return {unpack(k, arrays): unpack(v, arrays) for k, v in data["items"]}
    values = [unpack(v, arrays) for v in data["list"]]
    return tuple(values) if data["tuple"] else values


def digest(*parts: bytes) -> str:
    """One number for all parts and where each ends."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "little") + part)
    return whole.hexdigest()


def digest_arrays(arrays: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """One number for names, types, shapes and values."""
    parts: list[bytes] = []
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        parts += [name.encode(), str((values.dtype.str, arrays[name].shape)).encode(), values.tobytes()]
    return digest(*parts)


def save_arrays(path: Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]], force: bool = False) -> None:
    """A .npz that `numpy.load` reads: the arrays, and the header as JSON in an array of bytes. Whole or not at all."""
    text = json.dumps(header, ensure_ascii=False, allow_nan=True).encode()

    def fill(file: IO[bytes]) -> None:
        members = {**arrays, HEADER: np.frombuffer(text, dtype=np.uint8)}
        with zipfile.ZipFile(file, "w") as archive:
            for name, values in members.items():
                member = zipfile.ZipInfo(f"{name}.npy")  # its date is constant: equal states give equal files
                with archive.open(member, "w", force_zip64=True) as target:
                    np.lib.format.write_array(target, np.asanyarray(values), allow_pickle=False)
            archive.comment = MARK

    replace(path, fill, force)


def save(folder: Path, step: int, state: State, facts: Mapping[str, Any]) -> Path:
    """Write the checkpoint of a step, and drop all but the last two."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    data = pack(state, arrays)
    checksum = digest(json.dumps(data).encode(), digest_arrays(arrays).encode())
    header = {"schema": SCHEMA, "version": VERSION, "step": step, **facts, "state": data, "checksum": checksum}
    path = folder / f"checkpoint-{step:09d}.npz"
    save_arrays(path, header, arrays)
    for old in checkpoints(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, the last one last."""
    return sorted(folder.glob("checkpoint-[0-9]*.npz"))


def load(path: Path) -> tuple[dict[str, Any], State]:
    """The header and the state of a checkpoint. Raises DataError where it is damaged or not one of ours."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop(HEADER).tobytes())
        if header["schema"] != SCHEMA or header["version"] != VERSION:
            raise DataError(f"`{path}` is a checkpoint of another version of symgen")
        if header["checksum"] != digest(json.dumps(header["state"]).encode(), digest_arrays(arrays).encode()):
            raise DataError(f"`{path}` is damaged: its checksum does not fit")
        return header, unpack(header["state"], arrays)
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"`{path}` is no checkpoint of symgen, or it is damaged: {str(error)[:100]}") from None


def latest(folder: Path) -> tuple[dict[str, Any], State] | None:
    """The last checkpoint that is whole; None where there is none at all."""
    found = checkpoints(folder)
    problems: list[str] = []
    for path in reversed(found):
        try:
            return load(path)
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("; ".join(problems))
    return None
