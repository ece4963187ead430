"""The packaged models: specs to read, derive and train, with data; `wrong/` holds derivations with one wrong step."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

# which packaged arrays a spec trains on; see data/README.md for where they come from
DATA = {
    "ridge": "diabetes",
    "logistic": "cells",
    "softmax": "digits",
    "mlp": "digits",
    "vae": "binary_digits",
    "gan": "geyser",
    "gaussian_mixture": "geyser",
    "matrix_factorisation": "digits",
}


def names() -> list[str]:
    """All packaged specs, in alphabetical order, the wrong derivations last."""
    found = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.sg")]
    return sorted(found, key=lambda name: ("/" in name, name))


def spec(name: str) -> Path:
    """The file of a packaged spec. KeyError if there is none of that name."""
    name = name.removesuffix(".sg")
    if name not in names():
        raise KeyError(name)
    return FOLDER / f"{name}.sg"


def data(name: str) -> Path | None:
    """The arrays that a packaged spec trains on, if it does."""
    file = DATA.get(name.removesuffix(".sg"))
    return FOLDER / "data" / f"{file}.npz" if file else None


def title(name: str) -> str:
    """What a spec opens with: its first line, of a wrong derivation the second."""
    lines = spec(name).read_text(encoding="utf-8").splitlines()
    return lines[1 if name.startswith("wrong/") else 0].lstrip("# ")
