"""A wrong spec says what is wrong with it, word by word and mark by mark."""

from __future__ import annotations

import re
import unicodedata

import pytest

from tests.mistakes.gallery import FOLDER, SPECS, message_of


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_a_wrong_spec_draws_its_message(spec):
    assert message_of(spec) == spec.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_a_message_keeps_the_style_of_the_house(spec):
    message = spec.with_suffix(".txt").read_text(encoding="utf-8")
    for report in message.rstrip("\n").split("\n\n"):
        first, where, *rest = report.split("\n")
        words = re.sub(r"`[^`]*`", "`name`", first.removeprefix("error: "))
        assert first.startswith("error: ") and not first.endswith(".")
        assert words[0].islower() or words[0] in "`+=0123456789"
        assert re.match(rf" +--> {re.escape(spec.name)}(:\d+:\d+)?$", where)
        assert all(len(line) <= 140 and line == line.rstrip() for line in rest)
        assert any("^" in line for line in rest)
    assert not [c for c in message if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn") and c != "\n"]


def test_no_message_is_left_without_its_spec():
    assert {page.stem for page in FOLDER.glob("*.txt")} == {spec.stem for spec in SPECS}
