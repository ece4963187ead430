"""What is no ordinary file is never replaced by one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from symgen.commands.boundary import Unusable
from symgen.commands.files import write_text


@pytest.mark.parametrize("force", [False, True])
def test_a_pipe_and_a_dangling_link_stay(tmp_path: Path, force: bool) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere")
    for path in (pipe, link):
        with pytest.raises(Unusable, match="no ordinary file"):
            write_text(path, "text", force)
    assert pipe.is_fifo() and link.is_symlink()
