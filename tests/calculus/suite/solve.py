"""What symgen makes of a problem: right, wrong, unresolved; how long it took; how long its answer is to read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median

import symgen
from symgen.derivation.referee import check_equal_numeric
from symgen.render.compose import parts
from symgen.text import tree
from symgen.text.diagnostics import InternalError, SymgenError
from symgen.text.parse import parse_expression
from tests.calculus.suite.problems import Problem


@dataclass
class Outcome:
    """`status` is right, wrong (shown to be), or unresolved (`why`)."""

    problem: Problem
    status: str
    why: str = ""
    text: str = ""
    seconds: float = 0.0
    referee_seconds: float = 0.0
    operators: int = 0
    textbook: int | None = None

    @property
    def ratio(self) -> float | None:
        if self.textbook is None:
            return None
        return 1.0 if self.operators <= self.textbook else self.operators / max(self.textbook, 1)


@lru_cache(maxsize=2)
def model_of(spec: str) -> symgen.Model:
    return symgen.loads(spec)


def operators(text: str) -> int:
    """How many operators and functions stand in an expression of the language; a transpose is one."""
    count = 0
    stack: list[object] = [parse_expression(text)]
    while stack:
        e = stack.pop()
        match e:
            case tree.Terms(terms):
                count += len(terms) - 1 + (terms[0][0] < 0)
            case tree.Factors(_, rest):
                count += len(rest)
            case tree.Power() | tree.Transpose() | tree.Call() | tree.Binder() | tree.Subscript() | tree.Comparison():
                count += 1
        stack.extend(parts(e))
    return count


def solve(problem: Problem) -> Outcome:
    """Derives, asks the referee, compares with the textbook and reads the printed form back."""
    model = model_of(problem.spec)
    start = time.perf_counter()
    try:
        d = model.derive(problem.goal)
        seconds = time.perf_counter() - start
    except SymgenError as error:
        return Outcome(problem, "unresolved", f"{type(error).__name__}: {error}", seconds=time.perf_counter() - start)
    out = Outcome(problem, "right", seconds=seconds)
    start = time.perf_counter()
    try:
        out.text = d.text_result
        kind = d.evidence.kind
        if kind not in ("checked", "proved"):
            out.status, out.why = "unresolved", f"the referee says {kind}: {', '.join(d.evidence.tried)}"
        out.operators = operators(out.text)
        back = model.derive(out.text)
        if back.array is not d.array and check_equal_numeric(back.array, d.array).kind == "unknown":
            out.status, out.why = "unresolved", "what is printed could not be compared"
        if problem.expect is not None:
            out.textbook = operators(problem.expect)
            want = model.derive(problem.expect)
            if want.array is not d.array and check_equal_numeric(want.array, d.array).kind == "unknown":
                out.status, out.why = "unresolved", "the textbook's answer could not be compared"
    except InternalError as error:
        out.status, out.why = "wrong", str(error)
    except SymgenError as error:
        out.status, out.why = "unresolved", f"{type(error).__name__}: {error}"
    out.referee_seconds = time.perf_counter() - start
    return out


@dataclass
class Figures:
    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, status: str) -> int:
        return sum(o.status == status for o in self.outcomes)

    def times(self) -> list[float]:
        return sorted(o.seconds for o in self.outcomes)

    def ratios(self) -> list[float]:
        return sorted(r for o in self.outcomes if o.status == "right" and (r := o.ratio) is not None)

    def summary(self) -> str:
        times, ratios = self.times(), self.ratios() or [1.0]
        long = sum(r > 2 for r in ratios)
        return (
            f"{len(self.outcomes)} problems: {self.count('right')} right, {self.count('wrong')} wrong, "
            f"{self.count('unresolved')} unresolved\n"
            f"time without referee: median {median(times):.4f} s, 90 % {times[int(0.9 * len(times))]:.4f} s, "
            f"worst {times[-1]:.2f} s; referee and reading back: "
            f"median {median(o.referee_seconds for o in self.outcomes):.3f} s\n"
            f"operators against the textbook, {len(ratios)} answers: median {median(ratios):.2f}, "
            f"{long} ({100 * long / len(ratios):.0f} %) above 2"
        )


def solve_all(problems: Iterable[Problem]) -> Iterator[Outcome]:
    for problem in problems:
        yield solve(problem)
