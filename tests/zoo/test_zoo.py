"""The packaged models load, derive and hold what they claim; of each wrong derivation exactly one step is refuted."""

from __future__ import annotations

import numpy as np
import pytest

import symgen
from symgen import zoo
from symgen.commands.arrays import read_arrays

RIGHT = [name for name in zoo.names() if not name.startswith("wrong/")]
WRONG = [name for name in zoo.names() if name.startswith("wrong/")]
DERIVED_GOALS = [(name, goal) for name in RIGHT for goal in symgen.load(zoo.spec(name)).goals]


@pytest.mark.parametrize("name, goal", DERIVED_GOALS)
def test_every_derivation_of_the_zoo_comes_with_its_evidence(name: str, goal: str) -> None:
    d = symgen.load(zoo.spec(name)).derive(goal)
    undecided = d.array is None and getattr(d.result, "verdict", "") == "inconclusive"  # and says why
    assert d.evidence.kind in ("proved", "checked") or (undecided and d.evidence.method)
    assert d.steps or d.evidence.method == "by definition"
    assert d.text() and d.latex()


@pytest.mark.parametrize("name", RIGHT)
def test_every_claim_of_the_zoo_holds(name: str) -> None:
    for verdict in symgen.load(zoo.spec(name)).verify():
        assert verdict.status in ("proved", "checked"), verdict.text()


@pytest.mark.parametrize("name", WRONG)
def test_of_a_wrong_derivation_one_step_is_refuted(name: str) -> None:
    (verdict,) = symgen.load(zoo.spec(name)).verify()
    statuses = [step.status for step in verdict.steps]
    assert verdict.status == "refuted" and statuses.count("refuted") == 1
    assert set(statuses) <= {"proved", "checked", "refuted"}
    assert verdict.counterexample


@pytest.mark.parametrize("name", sorted(zoo.DATA))
def test_packaged_data_are_what_their_spec_declares(name: str) -> None:
    path = zoo.data(name)
    assert path is not None
    declared = symgen.load(zoo.spec(name)).elaborated.variables.values()
    arrays = dict(np.load(path, allow_pickle=False))
    wanted = [x.variable for x in declared if x.variable.role == "data" and x.variable.name in arrays]
    assert wanted and read_arrays(path, wanted, {})


def test_every_file_of_data_says_where_it_is_from() -> None:
    text = (zoo.FOLDER / "data" / "README.md").read_text()
    assert all(f"`{path.name}`" in text for path in (zoo.FOLDER / "data").glob("*.npz"))


def test_every_spec_opens_with_words_for_a_reader() -> None:
    for name in zoo.names():
        lines = zoo.spec(name).read_text().splitlines()
        assert lines[0].startswith("# ") and lines[1].startswith("#"), name
        assert max(map(len, lines)) <= 120, name
        assert max(len(line) for line in lines if not line.startswith("#")) <= 98, f"{name}: too wide for a page"
