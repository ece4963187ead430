"""Figures of the derivative suite: right, wrong, unresolved, times, operators against the textbook.

python -m tests.benchmarks.derivatives [words of a group or goal ..] [-v]
"""

from __future__ import annotations

import sys

from tests.calculus.suite.problems import PROBLEMS
from tests.calculus.suite.solve import Figures, solve


def main(arguments: list[str]) -> int:
    words = [a for a in arguments if not a.startswith("-")]
    chosen = [p for p in PROBLEMS if all(w in str(p) for w in words)]
    figures = Figures()
    for problem in chosen:
        o = solve(problem)
        figures.outcomes.append(o)
        shown = "-v" in arguments or o.status != "right" or (o.ratio or 0) > 2 or o.seconds > 1
        if shown:
            ratio = f" {o.operators}/{o.textbook}" if o.textbook is not None else f" {o.operators}"
            print(f"{o.status:10} {o.seconds:6.3f} s{ratio:8} {problem}\n           = {o.text or o.why}")
            if o.why and o.text:
                print(f"           ! {o.why}")
            if problem.expect and (o.ratio or 0) > 1.2:
                print(f"           textbook {problem.expect}")
    print(figures.summary())
    return int(figures.count("wrong") > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
