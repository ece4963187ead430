"""The tour leaves a report with everything in it, and may be taken again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from symgen.render import pdf


@pytest.mark.slow
def test_the_tour_leaves_a_report(tmp_path: Path) -> None:
    for _ in range(2):
        command = [sys.executable, "-m", "symgen", "tour", "--quick", "-o", "tour"]
        r = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, env={**os.environ})
        assert r.returncode == 0 and not r.stdout, r.stderr
    folder = tmp_path / "tour"
    html, tex = (folder / "report.html").read_text(), (folder / "report.tex").read_text()
    for words in ("of 9 wrong derivations 9 were caught", "Backpropagation", "What a GAN converges to"):
        assert words in html and words in tex, words
    for name in ("softmax", "mlp", "vae", "gan", "dirac_gan"):
        assert "import numpy" in (folder / "modules" / f"{name}.py").read_text()
    assert html.count("data:image/png;base64,") == 7 == len(list(folder.glob("*.png")))
    assert not pdf.available() or (folder / "report.pdf").read_bytes().startswith(b"%PDF")
