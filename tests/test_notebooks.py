"""The lessons run from the first cell to the last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_runs(path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    root = str(path.parent.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    os.environ["MPLBACKEND"] = "agg"
    nbclient.NotebookClient(notebook, timeout=300).execute()
    told = [o.text for c in notebook.cells for o in c.get("outputs", []) if o.get("name") == "stderr"]
    assert not [text for text in told if "error" in text or "cannot derive" in text], told


def test_lessons_are_stored_without_outputs() -> None:
    import json

    assert len(NOTEBOOKS) >= 4
    for path in NOTEBOOKS:
        assert not [c for c in json.loads(path.read_text())["cells"] if c.get("outputs")]
