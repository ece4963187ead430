"""LaTeX compiled with the user's pdflatex: no shell escape, an empty folder, no file outside it, half a minute."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from symgen.text.diagnostics import SymgenError

SECONDS = 30.0


class NoPdf(SymgenError):
    """There is no pdflatex, or it did not make a PDF; the text says which, with what it complained of."""


def available() -> bool:
    return shutil.which("pdflatex") is not None


def compiled(document: str, files: Mapping[str, bytes] | None = None, seconds: float = SECONDS) -> bytes:
    """The bytes of the PDF of a LaTeX document; `files` are laid beside it (figures)."""
    program = shutil.which("pdflatex")
    if program is None:
        raise NoPdf("there is no `pdflatex` on this machine: install TeX Live, or ask for HTML")
    with tempfile.TemporaryDirectory(prefix="symgen-") as folder:
        place = Path(folder)
        (place / "page.tex").write_text(document, encoding="utf-8")
        for name, data in (files or {}).items():
            if Path(name).name != name:
                raise NoPdf(f"`{name}` is no plain file name")
            (place / name).write_bytes(data)
        environment = {
            "PATH": os.environ.get("PATH", ""), "HOME": folder, "TEXMFVAR": str(place / "var"), "openin_any": "p",
            "openout_any": "p", "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "max_print_line": "1000",
        }  # fmt: skip
        command = [
            program,
            "-no-shell-escape",
            "-interaction=nonstopmode",
            "-halt-on-error",
            "-file-line-error",
            "page.tex",
        ]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise NoPdf(f"`pdflatex` took more than {seconds:g} s") from None
        made = place / "page.pdf"
        if process.returncode or not made.exists():
            raise NoPdf(f"`pdflatex` failed: {complaint(output.decode('utf-8', 'replace'))}")
        return made.read_bytes()


def complaint(log: str) -> str:
    """The first error of a log."""
    lines = log.splitlines()
    for k, line in enumerate(lines):
        if line.startswith("!") or ".tex:" in line:
            return " ".join(lines[k : k + 3]).strip()
    return lines[-1] if lines else "it said nothing"


def write(document: str, path: str | Path, files: Mapping[str, bytes] | None = None) -> None:
    """Compiles and writes the PDF, through a temporary file beside it."""
    data = compiled(document, files)
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".pdf")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
