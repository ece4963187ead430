"""The reference of the language is true: its tables are those of the rows, its examples load."""

from __future__ import annotations

from pathlib import Path

import pytest

import symgen
from symgen.documents import FENCE
from symgen.reference import refreshed

PAGE = Path(__file__).parents[2] / "grammars" / "LANGUAGE.md"


def examples() -> list[str]:
    out: list[str] = []
    inside = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if FENCE.match(line):
            inside = not inside
            if inside:
                out.append("")
        elif inside:
            out[-1] += line + "\n"
    return out


def test_the_tables_are_those_of_the_rows():
    page = PAGE.read_text(encoding="utf-8")
    assert refreshed(page) == page, "run `python -m symgen.reference`"


@pytest.mark.parametrize("text", examples())
def test_an_example_loads_and_its_claims_hold(text):
    model = symgen.loads(text)
    assert all(v.holds for v in model.verify())
