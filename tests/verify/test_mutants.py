"""Of true derivations none is refuted; of derivations with one slip, nearly all are refuted at the step of the slip."""

from __future__ import annotations

import random
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import symgen
import symgen.verify.check
from symgen import Verdict
from tests.verify.chains import GROUPS, Group, chains
from tests.verify.mutator import Mutant, mutants

EQUIVALENT = {
    tuple(line.split(": ", 1))
    for line in Path(__file__).with_name("equivalent_mutants.txt").read_text().splitlines()
    if not line.startswith("#")
}
# what has no value at any point is neither true nor false
UNDEFINED = ("log(1 - exp(-u))", "log(1 + (-u))", "log(2*p(x)/(p(x) - q(x)))", "log(2*q(x)/(p(x) - q(x)))")


@cache
def model(group: Group) -> symgen.Model:
    return symgen.loads(group.spec)


@pytest.fixture(autouse=True)
def no_suggestions(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are tested elsewhere, and take most of the time."""
    monkeypatch.setattr(symgen.verify.check, "hint", lambda *a, **k: None)


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_no_step_of_a_true_derivation_is_refuted(group: Group) -> None:
    statuses: Counter[str] = Counter()
    for chain in chains(group):
        verdict = model(group).check(chain)
        assert verdict.holds, verdict.text()
        statuses.update(s.status for s in verdict.steps)
    assert statuses["proved"] >= 0.7 * sum(statuses.values()), statuses


def all_mutants() -> list[tuple[Group, Mutant]]:
    return [(g, m) for g in GROUPS for c in chains(g) for m in mutants(c)]


def judge(chosen: list[tuple[Group, Mutant]]) -> None:
    counts: Counter[str] = Counter()
    times: list[float] = []
    missed: list[str] = []
    for group, mutant in chosen:
        start = time.perf_counter()
        step: Verdict = model(group).check(mutant.text).steps[mutant.step - 1]
        times.append(time.perf_counter() - start)
        if (group.name, mutant.text) in EQUIVALENT:
            assert step.status not in ("refuted", "malformed"), mutant.text
            counts["equivalent"] += 1
            continue
        if any(text in mutant.text for text in UNDEFINED):
            assert not step.holds, mutant.text
            counts["undefined"] += 1
            continue
        counts["caught" if step.status in ("refuted", "malformed") else step.status] += 1
        if step.holds:
            missed.append(f"{group.name}: {mutant.text}")
        if step.counterexample is not None:
            assert all(n <= 7 for n in step.counterexample.sizes.values()), mutant.text
    total = sum(counts.values()) - counts["equivalent"] - counts["undefined"]
    times.sort()
    print(f"{len(GROUPS)} groups, {dict(counts)}, median {1000 * times[len(times) // 2]:.0f} ms, slowest {times[-1]:.1f} s")
    print("\n".join(missed))
    assert counts["caught"] >= 0.98 * total
    assert len(missed) <= 0.005 * total, missed
    assert counts["unknown"] <= 0.02 * total


def test_a_slip_is_refuted_where_it_is() -> None:
    chosen = all_mutants()
    random.Random(7).shuffle(chosen)
    judge(chosen[:150])


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_every_slip_of_every_derivation_is_refuted_where_it_is(group: Group) -> None:
    judge([(g, m) for g, m in all_mutants() if g is group])


def test_counterexamples_are_of_the_smallest_size() -> None:
    found = model(GROUPS[1]).check("(A @ B)' = A' @ B'").steps[0].counterexample
    assert found is not None and found.sizes == {"n": 2}
    assert all(abs(x) <= 4 for value in found.values.values() for x in value.reshape(-1))
