"""What the page of the language shows is in the language: every block, and every piece of code inside a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symgen.text.diagnostics import SpecError
from symgen.text.parse import parse_claim, parse_expression, parse_spec

ROOT = Path(__file__).parents[2]
PAGE = next(
    (p for p in (ROOT / "LANGUAGE.md", ROOT / "docs/LANGUAGE.md", ROOT.parent / "shared/LANGUAGE.md") if p.exists()),
    None,
)
TEXT = PAGE.read_text(encoding="utf-8") if PAGE else ""
BLOCKS = re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
INLINE = dict.fromkeys(re.findall(r"`([^`]+)`", re.sub(r"```\n(.*?)```", "", TEXT, flags=re.DOTALL)))

# lists of words and signs, names of files, and a sentence of mathematics
NO_CODE = re.compile(r"[^\w]*|\.sg|[-+*/ ]+|[=!<> ]+|~=\[w\]|facts/.*|p\(x, z\) = p\(x \| z\) p\(z\)|z: \[n, k\]")


@pytest.mark.skipif(PAGE is None, reason="the page of the language is not here")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:40])
def test_every_block_parses(block):
    assert parse_spec(block).statements


def pieces(code: str) -> list[str]:
    """The code with its ellipses filled; a list of words and calls gives each of them."""
    code = " ".join(code.replace("(...)", "(x)").replace("(..)", "(x)").replace("[..]", "[i]").split())
    words = re.findall(r"[\w.]+(?:\([^()]*\))?", code)
    return words if " ".join(words) == code else [code]


@pytest.mark.parametrize("code", [code for code in INLINE if not NO_CODE.fullmatch(code)])
def test_every_piece_of_code_parses(code):
    for piece in pieces(code):
        for parse in (parse_spec, parse_expression, parse_claim):
            try:
                assert parse(piece)
                break
            except SpecError:
                continue
        else:
            pytest.fail(f"{piece} is not in the language")
