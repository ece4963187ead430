"""The suite of derivatives: every answer right, most as short as the textbook's. `-m slow` solves all of them."""

from __future__ import annotations

import pytest

from tests.calculus.suite.problems import PROBLEMS, Problem
from tests.calculus.suite.solve import Figures, solve

FEW = PROBLEMS[::9]


@pytest.mark.parametrize("problem", FEW, ids=str)
def test_an_answer_is_right_and_reads_back(problem: Problem) -> None:
    o = solve(problem)
    assert o.status == "right", f"{o.text}\n{o.why}"


@pytest.mark.slow
def test_all_answers_are_right_and_short() -> None:
    figures = Figures([solve(p) for p in PROBLEMS])
    assert [str(o.problem) for o in figures.outcomes if o.status != "right"] == []
    ratios = figures.ratios()
    assert ratios[len(ratios) // 2] <= 1.2, figures.summary()
    assert sum(r > 2 for r in ratios) <= 0.05 * len(ratios), figures.summary()


def test_problems_and_answers_are_many() -> None:
    assert len(PROBLEMS) >= 300
    assert len({str(p) for p in PROBLEMS}) == len(PROBLEMS)
