"""Reading what people name on the command line, and writing so that nothing is lost: to a temporary file that is
renamed, and never over a file that symgen did not write."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click

from symgen import __version__
from symgen.commands.boundary import Unusable

LARGEST_SPEC = 4_000_000  # bytes; a person writes a thousandth of it
MARK = b"made by symgen"  # in the first or last block of whatever symgen writes
BLOCK = 4096

# how a line of comment looks, by suffix
COMMENTS = {".py": "# {}", ".tex": "% {}", ".html": "<!-- {} -->", ".md": "<!-- {} -->", ".sg": "# {}", ".csv": "# {}"}


def read_text(path: str) -> str:
    """The text of a file, or of standard input for `-`. Raises Unusable with the reason."""
    data = sys.stdin.buffer.read(LARGEST_SPEC + 1) if path == "-" else read_bytes(Path(path))
    if len(data) > LARGEST_SPEC:
        raise Unusable(f"`{path}` is larger than {LARGEST_SPEC // 1_000_000} MB: is it a spec?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"`{path}` is not UTF-8 text: byte {error.start} is 0x{data[error.start]:02x}") from None


INPUTS: set[tuple[int, int]] = set()  # device and number of every file that this run has read


def note_input(file: IO[Any]) -> None:
    """Remember an open file as one that is read: nothing is written over it."""
    about = os.fstat(file.fileno())
    INPUTS.add((about.st_dev, about.st_ino))


def read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise Unusable(f"`{path}` is a folder")
        with path.open("rb") as file:
            note_input(file)
            return file.read(LARGEST_SPEC + 1)
    except FileNotFoundError:
        raise Unusable(f"there is no file `{path}`") from None
    except (OSError, ValueError) as error:
        raise Unusable(f"`{path}` cannot be read: {reason_of(error)}") from None


def reason_of(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def stamp() -> str:
    return f"{MARK.decode()} {__version__}"


def is_ours(path: Path) -> bool:
    """Whether symgen wrote this file: its mark stands in the first or last block."""
    with path.open("rb") as file:
        head = file.read(BLOCK)
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - BLOCK))
        return MARK in head or MARK in file.read()


def refuse_loss(path: Path, force: bool) -> None:
    """Raises Unusable where writing the file would lose what is not ours to lose."""
    if path.is_dir():
        raise Unusable(f"`{path}` is a folder")
    if (path.exists() or path.is_symlink()) and not path.is_file():
        raise Unusable(f"`{path}` is no ordinary file")  # renaming would put a file in the place of a device
    if not path.exists():
        return
    about = path.stat()
    if (about.st_dev, about.st_ino) in INPUTS:
        raise Unusable(f"`{path}` has just been read: it is not overwritten with what was made of it")
    if about.st_size and not force and not is_ours(path):
        raise Unusable(f"`{path}` exists and symgen did not write it (--force overwrites it)")


def replace(path: Path, fill: Callable[[IO[bytes]], None], force: bool = False) -> None:
    """Write a file whole or not at all: a temporary file beside it, on the disk, renamed, and the folder too."""
    try:
        refuse_loss(path, force)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o666 & ~umask())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise Unusable(f"`{path}` cannot be written: {reason_of(error)}") from None


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system lets folders be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_bytes(path: Path, data: bytes, force: bool = False) -> None:
    if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return

    def fill(file: IO[bytes]) -> None:
        file.write(data)

    replace(path, fill, force)


def write_pdf(path: Path, data: bytes, force: bool = False) -> None:
    """Write a PDF with symgen's mark after its end, where readers of PDF pass over it."""
    write_bytes(path, data.rstrip(b"\n") + f"\n% {stamp()}\n".encode(), force)


def write_text(path: Path, text: str, force: bool = False) -> None:
    """Write text with symgen's mark at its end, as a comment of its language, where it does not hold it already."""
    data = text.encode("utf-8")
    if MARK not in data[:BLOCK] and MARK not in data[-BLOCK:]:
        comment = COMMENTS.get(path.suffix, "({})").format(stamp())
        data = data.rstrip(b"\n") + f"\n{comment}\n".encode()
    write_bytes(path, data, force)


def deliver(text: str, output: str | None, force: bool = False) -> None:
    """A result: to the file that -o names, else to standard output."""
    if output is None or output == "-":
        click.echo(text)
    else:
        write_text(Path(output), text, force)
