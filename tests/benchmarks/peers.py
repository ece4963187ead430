"""The same derivatives by tensorgrad and by SymPy, where they can state them, beside symgen's: right, wrong, times.

    python -m tests.benchmarks.peers [words of a group or goal ..] [-v]

tensorgrad (AGPL-3, no dependency of symgen) is asked where it is installed. Each problem is translated from symgen's
expression of an entry: indices are tensorgrad's edges; SymPy gets the author's text as matrix expressions. A peer states a
problem if the function itself has the right value in its terms; the derivative is right if its value agrees with symgen's,
which its referee has checked, at random sizes.
"""

from __future__ import annotations

import signal
import sys
from statistics import median

import numpy as np

from symgen.tensor import expression as x
from symgen.text import tree
from symgen.text.diagnostics import DataError, SymgenError
from symgen.text.parse import parse_expression
from tests.benchmarks.peer_problems import ORDERS, SIZES, NotStated, function_of, point_of
from tests.benchmarks.peer_sympy import Sympy
from tests.benchmarks.peer_tensorgrad import Tensorgrad
from tests.calculus.suite.problems import PROBLEMS
from tests.calculus.suite.solve import model_of

SECONDS = 20
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


class TooLong(Exception):
    pass


def alarm(*_):
    raise TooLong


def agrees(found, wanted, rank_of_x):
    """Whether the numbers are the same, in any layout of the axes (those of x after those of f, or before)."""
    if found is None or found.size != wanted.size:
        return False
    shapes = [wanted]
    n = wanted.ndim
    if n > 1:
        shapes += [np.moveaxis(wanted, range(n - rank_of_x, n), range(rank_of_x)), np.swapaxes(wanted, -1, -2), wanted.T]
    return any(np.allclose(found.reshape(-1), s.reshape(-1), rtol=1e-6, atol=1e-8) for s in shapes)


def outcome(peer, problem):
    """What came of it, and the seconds; at other sizes too before an answer is called wrong: X'X may have no inverse."""
    model = model_of(problem.spec)
    f, by, order = function_of(model._array_of(parse_expression(problem.goal), problem.goal, False))
    d, inside = model.derive(problem.goal), model.derive(tree_text(problem.goal))
    what, seconds, stated = "no value at the sizes tried", 0.0, False
    for lengths in (SIZES, SIZES[::-1]):
        sizes, values = point_of([f, d.array], lengths)
        given = {**sizes, **{v.name: a for v, a in values.items()}}
        try:
            wanted, value = (np.asarray(evaluated(e, given), dtype=float) for e in (d, inside))
        except DataError:
            continue
        if not (np.isfinite(wanted).all() and np.isfinite(value).all() and np.abs(wanted).max(initial=0) < 1e6):
            continue
        asked = peer.ask(f, by, order, sizes, values, problem.goal, problem.spec)
        if not agrees(next(asked), value, 0):
            what = what if stated else "another value"
            continue
        stated = True
        try:
            made, seconds = next(asked)
        except FAILURES as error:
            what = f"error: {type(error).__name__}"
            continue
        try:
            found = made()
        except FAILURES as error:
            what = f"not evaluated: {type(error).__name__}"
            continue
        what = "right" if agrees(found, wanted, by.rank * order) else "wrong"
        if what == "right":
            break
    if not stated:
        raise NotStated(what)
    return what, seconds


def tree_text(goal):
    """f of grad(f, x), as written; f of hessian and of nested derivatives too."""
    while True:
        e = parse_expression(goal)
        if not (isinstance(e, tree.Call) and e.function in ORDERS):
            return goal
        goal = goal[e.arguments[0].span.start : e.arguments[0].span.end]


def evaluated(d, given):
    names = {v.name for v in x.variables_of(d.array)} | {n.name for n in x.walk(d.array) if isinstance(n, x.Dim)}
    shown = {n for v in x.variables_of(d.array) for s in v.shape for n in [getattr(s, "name", "")]}
    wanted = {k: v for k, v in given.items() if k in names and not (k in shown and np.ndim(v) == 0 and isinstance(v, int))}
    for s in {n for size in d.array.shape for n in x.walk(size) if isinstance(n, x.Dim)}:
        if s.name not in shown:
            wanted[s.name] = given.get(s.name, 3)
    return d.evaluate(**wanted)


def main(arguments):
    words = [a for a in arguments if not a.startswith("-")]
    chosen = [p for p in PROBLEMS if all(w in str(p) for w in words)]
    peers = [Sympy()]
    try:
        peers.insert(0, Tensorgrad())
    except ImportError as error:
        print(f"tensorgrad is not asked: {error}")
    signal.signal(signal.SIGALRM, alarm)
    for peer in peers:
        counts, times, not_stated = {}, [], {}
        for problem in chosen:
            signal.alarm(SECONDS)
            try:
                what, seconds = outcome(peer, problem)
            except NotStated as reason:
                what, seconds = "not stated", 0.0
                not_stated[str(reason)] = not_stated.get(str(reason), 0) + 1
            except TooLong:
                what, seconds = "too long", SECONDS
            except (SymgenError, *FAILURES) as error:
                what, seconds = "not stated", 0.0
                not_stated[type(error).__name__] = not_stated.get(type(error).__name__, 0) + 1
                if "-v" in arguments:
                    print(f"  {peer.name} {type(error).__name__} {str(error)[:100]} {problem}")
            signal.alarm(0)
            kind = what.split(":")[0]
            counts[kind] = counts.get(kind, 0) + 1
            if kind == "right":
                times.append(seconds)
            if "-v" in arguments and kind not in ("right", "not stated"):
                print(f"  {peer.name} {what}: {problem}")
        stated = len(chosen) - counts.get("not stated", 0)
        times = sorted(times) or [0.0]
        print(f"{peer.name}: {stated} of {len(chosen)} stated; " + ", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
        most = dict(sorted(not_stated.items(), key=lambda t: -t[1])[:12])
        print(f"  median {median(times):.4f} s, worst {times[-1]:.2f} s; not stated: {most}")


if __name__ == "__main__":
    main(sys.argv[1:])
