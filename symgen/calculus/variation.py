"""The pointwise optimum of an integrand in the value of an unknown function.

F(t) = sum_k w_k f_k(t) with positive weights w_k is maximised over the range of t: where F is smooth, by F'(t) = 0 and
F''(t) < 0; where it is concave and linear between kinks, at a kink, at which its slope changes sign; where it is
linear, at an end of the range or nowhere. Gelfand & Fomin (1963), 1.3: without derivatives of the function, Euler's
equation holds point by point.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import sympy

from symgen.calculus.pieces import KINKED, between, branch, in_order, kinks_of, not_outside
from symgen.calculus.solving import (
    RANGES,
    Interval,
    Root,
    conditions_of_value,
    holds_at,
    never_positive,
    numeric,
    positive_roots,
    roots_of,
    sample_symbols,
    sign_of,
    sign_on,
    vanishes,
)  # fmt: skip
from symgen.calculus.wording import contradict, range_words, said, said_relation, sides, without_repeats
from symgen.tensor.expression import Scalar, compare
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within
from symgen.text.diagnostics import CannotDerive

__all__ = ["Optimum", "Problem", "pointwise_optimum", "problem_of"]

S = sympy
JUMPING = (S.floor, S.ceiling, S.Mod, S.DiracDelta)


@dataclass
class Problem:
    """F as a SymPy expression in the symbols of `table`; `t` is the symbol of the value, `interval` its range. F is called
    a `noun`, and what it has none of, where it has none, `wanted`."""

    expression: Any
    t: Any
    interval: Interval
    table: Table
    weights: tuple[Any, ...] = ()
    noun: str = "payoff"
    wanted: str = "pointwise best response"


@dataclass
class Optimum:
    """`strategy` and `second_order` are nodes; `kind` is interior, kink or end; `shown` is proved or checked."""

    strategy: Scalar
    second_order: Scalar
    stationarity: Scalar
    expression: Any  # the strategy in the symbols of the problem
    kind: str
    shown: str
    conditions: tuple[Any, ...] = ()
    notes: tuple[str, ...] = field(default=())


def problem_of(
    integrand: Scalar, value: Scalar, domain: str, weights: Sequence[Scalar] = (), table: Table | None = None
) -> Problem:
    """The problem of choosing `value` in the integrand. Raises CannotDerive for a range without an interval."""
    interval = RANGES.get(domain)
    if interval is None:
        raise CannotDerive(f"symgen has no pointwise optimum over values in `{domain}`", value, "symgen/calculus/solving.py")
    table = table or Table()
    symbols = tuple(table.symbol(w, positive=True) for w in weights if not _is_number(w))
    assumptions = {"real": {"real": True}, "positive": {"positive": True}, "unit": {"positive": True},
                   "nonnegative": {"nonnegative": True}}[domain]  # fmt: skip
    t = table.symbol(value, **assumptions)
    return Problem(to_sympy(integrand, table), t, interval, table, symbols)


def _is_number(w: Scalar) -> bool:
    return not w.args


def pointwise_optimum(problem: Problem, sense: str) -> Optimum:
    """The value t that maximises (`sense` max) or minimises F for all positive weights.

    Raises CannotDerive where F is unbounded, where its stationarity is not solved, or where the second-order condition
    fails.
    """
    sign = 1 if sense == "max" else -1
    F = problem.expression if sign == 1 else -problem.expression
    if any(problem.t in a.free_symbols for a in F.atoms(*JUMPING)):
        raise CannotDerive(f"the {problem.noun} jumps in `{_name(problem)}`", node(problem.expression, problem))
    if F.has(*KINKED) and any(problem.t in a.free_symbols for a in F.atoms(*KINKED)):
        return _kinked(problem, F, sign)
    slope = S.diff(F, problem.t)
    if problem.t not in slope.free_symbols or _free_of(slope, problem.t):
        return _by_slopes(problem, F, sign, [], [F])
    return _smooth(problem, F, slope, sign)


def _free_of(e: Any, t: Any) -> bool:
    reduced = within(2.0, lambda: S.cancel(S.together(e)))
    return reduced is not None and t not in reduced.free_symbols


def node(e: Any, problem: Problem) -> Scalar:
    try:
        return from_sympy(e, problem.table)
    except NotInSymPy as missing:  # LambertW
        text = f"the stationarity condition in `{_name(problem)}` is solved by a function that symgen lacks, {missing}"
        raise CannotDerive(text) from None


# --- smooth -----------------------------------------------------------------------------------------------------------


def _smooth(problem: Problem, F: Any, slope: Any, sign: int) -> Optimum:
    t, interval = problem.t, problem.interval
    curvature = S.diff(slope, t)
    bend = bend_on(curvature, t, interval)
    at_end = _at_closed_end(problem, F, slope, sign, bend)
    if at_end is not None:
        return at_end
    if bend == 1:
        raise CannotDerive(
            f"the {problem.noun} is {'convex' if sign == 1 else 'concave'} in `{_name(problem)}`: a stationary point is its "
            f"{'least' if sign == 1 else 'greatest'} value, and there is no {'maximum' if sign == 1 else 'minimum'} inside "
            f"{range_words(interval)}",
            node(sign * curvature, problem),
        )
    roots = positive_roots(roots_of(slope, t), slope, t, interval)
    if not roots:
        _say_if_monotone(problem, slope, sign)
        raise CannotDerive(
            f"the stationarity condition in `{_name(problem)}` could not be solved",
            node(slope * sign, problem),
            "symgen/calculus/solving.py",
        )
    root, inside = _root_in_range(problem, F, slope, curvature, roots, sign)
    needed = conditions_of_value(root.value)
    shown = root.shown
    at_root = curvature.subs(t, root.value)
    short = within(2.0, lambda: S.factor(S.simplify(at_root)))
    at_root = at_root if short is None else short
    notes: list[str] = []
    if bend == -1:
        notes.append(f"strictly {'concave' if sign == 1 else 'convex'} in {_name(problem)}: the only optimum")
    else:
        local = sign_of(at_root)
        if local == 1:
            raise CannotDerive("the second-order condition fails at the stationary point", node(sign * at_root, problem))
        if local != -1:
            needed.append(("<", at_root))
            shown = shown if t not in curvature.free_symbols else "checked"
        elif not (root.complete and inside and _only_root(problem, roots)):
            shown = "checked"  # a strict local optimum, and the best of a scan of the range
    held = _held_in(interval, root.value) if bend == -1 and not inside else None
    if held is not None:
        notes.append(f"where it lies outside of {range_words(interval)}, the end of the range is best, and attained")
        root = Root(held, root.shown, root.complete)
    if not inside and held is None:
        low, high = interval.low, interval.high
        for gap in ([root.value - low] if low != -S.oo else []) + ([high - root.value] if high != S.oo else []):
            if sign_of(gap) != 1:
                needed.append(("<", -gap))
    needed = without_repeats(needed)
    if contradict(needed) or not _best_of_scan(problem, F, root.value, needed):
        raise CannotDerive("direct optimisation does not agree with the stationary point", node(root.value, problem))
    return Optimum(
        node(root.value, problem),
        node(sign * at_root, problem),
        node(sign * slope, problem),
        root.value,
        "interior",
        shown,
        tuple(relation(op, value, problem) for op, value in needed),
        tuple(notes),
    )


def bend_on(curvature: Any, t: Any, interval: Interval) -> int | None:
    """1 where a function is strictly convex on the interval, -1 where strictly concave: its second derivative may vanish
    at a point."""
    bend = sign_on(curvature, t, interval)
    if bend is not None or interval.low != -S.oo or interval.high != S.oo or t not in curvature.free_symbols:
        return bend
    r = S.Dummy("r", positive=True)
    signs = {sign_of(curvature.subs(t, x)) for x in (r, -r)}
    if len(signs) == 1 and None not in signs:
        return signs.pop()
    if curvature.has(*KINKED):
        return None
    return -1 if never_positive(curvature) else 1 if never_positive(-curvature) else None  # 0 at single points


def relation(op: str, value: Any, problem: Problem) -> Scalar:
    """The node of `value op 0`, what is positive on the larger side."""
    left, op, right = sides(value, op)
    if op in (">", ">="):
        left, op, right = right, op.replace(">", "<"), left
    return compare(op, node(left, problem), node(right, problem))


def _held_in(interval: Interval, value: Any) -> Any:
    """The value, or the closed end that it lies beyond: the optimum of a concave function; None where an end is open."""
    held = value
    for end, is_closed, gap, choose in (
        (interval.low, interval.closed_low, value - interval.low, S.Max),
        (interval.high, interval.closed_high, interval.high - value, S.Min),
    ):
        if abs(end) != S.oo and sign_of(gap) != 1:
            if not is_closed:
                return None
            held = choose(end, held)
    return held


def _at_closed_end(problem: Problem, F: Any, slope: Any, sign: int, bend: int | None) -> Optimum | None:
    """The end of the range, where that is closed and F falls from it inwards for certain."""
    t, interval = problem.t, problem.interval
    for end, inwards, is_closed in ((interval.low, 1, interval.closed_low), (interval.high, -1, interval.closed_high)):
        if not is_closed or S.diff(slope, t).subs(t, end).has(S.zoo, S.nan, S.oo):
            continue
        first = sign_of(inwards * slope.subs(t, end))
        if first not in (-1, 0) or not (bend == -1 or sign_on(inwards * slope, t, interval) == -1):
            continue
        if not _best_of_scan(problem, F, end):
            return None
        word = "maximum" if sign == 1 else "minimum"
        moves = "falls" if sign == 1 else "rises"
        note = f"the {problem.noun} {moves} from the end {said(end)} of {range_words(interval)}: the {word} is attained there"
        second = S.diff(slope, t).subs(t, end)
        return Optimum(
            node(end, problem), node(sign * second, problem), node(sign * slope, problem), end, "end", "proved", (), (note,)
        )
    return None


def _say_if_monotone(problem: Problem, slope: Any, sign: int) -> None:
    """Raises CannotDerive where the slope is a factor free of t times one of a sure sign: no stationary point."""
    parts = within(2.0, lambda: S.factor(S.together(slope)))
    for f in S.Mul.make_args(parts if parts is not None else slope):
        if problem.t in f.free_symbols and sign_on(f, problem.t, problem.interval) not in (1, -1):
            return
    raise CannotDerive(
        f"there is no {problem.wanted}: the {problem.noun} is monotone in `{_name(problem)}`, so that its bound is approached "
        f"at an end of {range_words(problem.interval)} and not reached",
        node(sign * slope, problem),
    )


def _name(problem: Problem) -> str:
    atom = problem.table.atoms[problem.t]
    return str(getattr(getattr(atom, "array", None), "name", "t"))


def _only_root(problem: Problem, roots: Sequence[Root]) -> bool:
    rng = random.Random(3)
    for _ in range(6):
        point = sample_symbols([s for r in roots for s in r.value.free_symbols], rng)
        if sum(_inside(numeric(r.value, point), problem.interval, point) is True for r in roots) != 1:
            return False
    return True


def _inside(v: complex | None, interval: Interval, point: Any) -> bool:
    if v is None or abs(v.imag) > 1e-9 * max(1.0, abs(v)):
        return False
    low = numeric(interval.low, point) if interval.low != -S.oo else complex(float("-inf"))
    high = numeric(interval.high, point) if interval.high != S.oo else complex(float("inf"))
    assert low is not None and high is not None
    x = v.real
    return (x > low.real or (interval.closed_low and x >= low.real)) and (
        x < high.real or (interval.closed_high and x <= high.real)
    )


def _root_in_range(problem: Problem, F: Any, slope: Any, curvature: Any, roots: Sequence[Root], sign: int) -> tuple[Root, bool]:
    """The root that lies in the range and bends down, and whether it is sure to lie inside."""
    interval = problem.interval
    rng = random.Random(5)
    symbols = sorted((F.free_symbols - {problem.t}) | {s for r in roots for s in r.value.free_symbols}, key=str)
    worths: dict[int, list[float | None]] = {}
    fine: dict[int, int] = {}
    for count in (8, 60):  # many, where few lie in the range
        points = [sample_symbols(symbols, rng) for _ in range(count)]
        for position, root in enumerate(roots):
            worths[position] = [_worth(problem, F, curvature, root.value, point) for point in points]
        fine = {k: sum(w is not None for w in values) for k, values in worths.items()}
        if any(fine.values()):
            break
    if not any(fine.values()):
        _say_if_monotone(problem, slope, sign)
        raise CannotDerive(
            f"no stationary point in `{_name(problem)}` lies in its range {range_words(interval)} and passes the second-order test",
            node(slope, problem),
        )
    chosen = max(fine, key=lambda k: (fine[k], sum(_beats(worths[k], worths[o]) for o in fine if o != k), -k))
    rivals = [k for k in fine if k != chosen and fine[k] == fine[chosen] and _ties(worths[k], worths[chosen])]
    if rivals:
        raise CannotDerive(
            f"the optimum in `{_name(problem)}` is not unique: "
            + " and ".join(said(roots[k].value, problem.table) for k in sorted([chosen, *rivals]))
            + " are as good",
            node(slope, problem),
        )
    root = roots[chosen]
    low_gap = 1 if interval.low == -S.oo else sign_of(root.value - interval.low)
    high_gap = 1 if interval.high == S.oo else sign_of(interval.high - root.value)
    return root, low_gap == 1 and high_gap == 1


def _worth(problem: Problem, F: Any, curvature: Any, value: Any, point: dict[Any, Any]) -> float | None:
    """F at a root, where it lies in the range and F bends down there."""
    v = numeric(value, point)
    if not _inside(v, problem.interval, point):
        return None
    bend = numeric(curvature.subs(problem.t, value), point)
    if bend is None or bend.real > 1e-12:
        return None
    worth = numeric(F.subs(problem.t, value), point)
    return worth.real if worth is not None else None


def _beats(a: list[float | None], b: list[float | None]) -> bool:
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    return bool(pairs) and all(x >= y - 1e-12 * max(1.0, abs(y)) for x, y in pairs)


def _ties(a: list[float | None], b: list[float | None]) -> bool:
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    return bool(pairs) and all(abs(x - y) <= 1e-12 * max(1.0, abs(y)) for x, y in pairs)


def _grid(interval: Interval, point: Any) -> list[Any]:
    R = S.Rational
    if interval.low == -S.oo and interval.high == S.oo:
        return [R(k, 4) for k in range(-40, 41, 2)] + [S.Integer(-60), S.Integer(60)]
    if interval.high == S.oo:
        low = interval.low.xreplace(point)
        return [low + R(k * k + 1, 60) for k in range(0, 60, 2)]
    low, high = interval.low.xreplace(point), interval.high.xreplace(point)
    return [low + (high - low) * R(2 * k + 1, 60) for k in range(30)]


def _best_of_scan(problem: Problem, F: Any, strategy: Any, needed: Sequence[tuple[str, Any]] = ()) -> bool:
    """Whether no value of a grid over the range beats the strategy, at random weights at which the conditions hold."""
    rng = random.Random(11)
    symbols = sorted((F.free_symbols - {problem.t}) | strategy.free_symbols, key=str)
    looked = 0
    for _ in range(10 + 30 * bool(needed)):
        point = sample_symbols(symbols, rng)
        if not all(holds_at(op, value, point) for op, value in needed):
            continue
        t_star = numeric(strategy, point)
        if not _inside(t_star, problem.interval, point) or t_star is None:
            continue
        best = numeric(F.xreplace({problem.t: S.Float(t_star.real, 30)}), point)
        if best is None:
            continue
        for x in _grid(problem.interval, point):
            value = numeric(F.xreplace({problem.t: x}), point, 20)
            if value is not None and abs(value.imag) < 1e-12 and value.real > best.real + 1e-9 * max(1.0, abs(best)):
                return False
        looked += 1
        if looked == 3:
            return True
    return looked > 0


# --- kinks ------------------------------------------------------------------------------------------------------------


def _kinked(problem: Problem, F: Any, sign: int) -> Optimum:
    kinks = kinks_of(F, problem.t)
    kinks = [k for k in kinks if not_outside(k, problem.interval)]
    ordered = in_order(kinks)
    if ordered is None:
        raise CannotDerive(
            f"the order of the kinks of the {problem.noun} is not known", node(sign * F, problem), "symgen/calculus/variation.py"
        )
    pieces = [branch(F, problem.t, x) for x in between(ordered, problem.interval)]
    if all(_free_of(S.diff(p, problem.t), problem.t) for p in pieces):
        return _by_slopes(problem, F, sign, ordered, pieces)
    return _by_pieces(problem, F, sign, ordered, pieces)


def _by_slopes(problem: Problem, F: Any, sign: int, kinks: list[Any], pieces: list[Any]) -> Optimum:
    """F is linear between the kinks with falling slopes: the optimum is the first candidate past which it falls."""
    t, interval = problem.t, problem.interval
    slopes = [S.cancel(S.together(S.diff(p, t))) for p in pieces]
    for left, right in pairwise(slopes):
        if sign_of(left - right) not in (0, 1):
            raise CannotDerive(
                f"the {problem.noun} is not {'concave' if sign == 1 else 'convex'} in `{_name(problem)}`, and has kinks",
                node(sign * F, problem),
                "symgen/calculus/variation.py",
            )
    for k, (a, b) in zip(kinks, pairwise(pieces), strict=True):
        if vanishes((a - b).subs(t, k)) is None:
            raise CannotDerive(f"the {problem.noun} jumps in `{_name(problem)}`", node(sign * F, problem))
    signs = [sign_of(x) for x in slopes]
    candidates = [interval.low, *kinks, interval.high]
    _refuse_flat(problem, sign, signs, candidates)
    needed: list[tuple[str, Any]] = []
    if kinks:  # where the signs at infinity are open, that F falls there is a condition
        for end, k, fall in ((interval.low, 0, -1), (interval.high, -1, 1)):
            if abs(end) == S.oo and signs[k] is None:
                needed.append(("<", fall * slopes[k]))
                signs[k] = -fall
    first, last = signs[0], signs[-1]
    if contradict(needed):
        raise CannotDerive(f"there is no {problem.wanted}: the {problem.noun} is unbounded", node(sign * F, problem))
    if (interval.low == -S.oo and first != 1) or (interval.high == S.oo and last != -1):
        steep = slopes[0] if interval.low == -S.oo and first != 1 else slopes[-1]
        everywhere = interval.low == -S.oo and interval.high == S.oo
        how = "it is unbounded" if everywhere or sign_of(steep) is not None else "it is unbounded, or its bound is not attained,"
        open_case = f", unless {said_relation(steep, '==', problem.table)}" if sign_of(steep) is None else ""
        bound = "; bound its range, or constrain it (1-Lipschitz, as in a Wasserstein critic), which is no condition at a point"
        raise CannotDerive(
            f"there is no {problem.wanted}: the {problem.noun} is linear in `{_name(problem)}` with a slope that does not "
            f"vanish, so that {how} over {range_words(interval)}{open_case}"
            f"{bound * (problem.noun == 'payoff')}",
            node(sign * steep, problem),
        )
    conditions: list[Any] = []
    notes: list[str] = []
    out: Any = None
    for candidate, slope, s in reversed(list(zip(candidates, [*slopes, None], [*signs, None], strict=True))):
        if out is None:
            out = candidate
            continue
        if s == 1:
            continue
        out = candidate if s in (-1, 0) else S.Piecewise((candidate, slope <= 0), (out, True))
    ends = out.atoms(S.Piecewise) | {out}
    values = {v for e in ends for v in ([a for a, _ in e.args] if isinstance(e, S.Piecewise) else [e])}
    for end, is_closed in ((interval.low, interval.closed_low), (interval.high, interval.closed_high)):
        if end in values and not is_closed:
            notes.append(f"the value {said(end)} is approached and not reached: it is an open end of {range_words(interval)}")
    conditions += [relation(op, value, problem) for op, value in without_repeats(needed)]
    for s, known in zip(slopes, signs, strict=True):
        if known is None:
            notes.append(f"any value between the neighbouring ones is as good where {said(s, problem.table)} = 0")
    zero = node(S.Integer(0), problem)
    stationarity = node(sign * slopes[0], problem) if len(slopes) == 1 else zero
    if not kinks:
        conditions.append("linear in the value: the optimum is at an end of the range")
    else:
        conditions.append("concave and linear between kinks: the optimum is at a kink")
    return Optimum(
        node(out, problem),
        zero,
        stationarity,
        out,
        "kink" if kinks else "end",
        "proved",
        tuple(conditions),
        tuple(notes),
    )


def _refuse_flat(problem: Problem, sign: int, signs: Sequence[int | None], ends: Sequence[Any]) -> None:
    """Raises CannotDerive where a whole piece is best: concave, with a slope that is 0 there."""
    for s, low, high in zip(signs, ends, ends[1:], strict=False):
        if s == 0:
            name, word = _name(problem), "maximiser" if sign == 1 else "minimiser"
            low, high = said(low, problem.table), said(high, problem.table)
            text = f"every `{name}` " + (f"<= {high}" if low == "-inf" else f">= {low}" if high == "inf" else
                                         f"from {low} to {high}")  # fmt: skip
            if (low, high) == ("-inf", "inf"):
                text = f"every `{name}`"
            raise CannotDerive(
                f"the {'maximum' if sign == 1 else 'minimum'} is not unique: {text} is a {word}",
                node(sign * problem.expression, problem),
            )


def _by_pieces(problem: Problem, F: Any, sign: int, kinks: list[Any], pieces: list[Any]) -> Optimum:
    """F is smooth between the kinks: the piece whose stationary point is sure to lie in it, F being concave."""
    t, interval = problem.t, problem.interval
    ends = [interval.low, *kinks, interval.high]
    for k, (a, b) in zip(kinks, pairwise(pieces), strict=True):
        jump = S.simplify(S.diff(b - a, t).subs(t, k))
        if vanishes((a - b).subs(t, k)) is None or sign_of(jump) not in (0, -1):
            raise CannotDerive(
                f"the {problem.noun} is not {'concave' if sign == 1 else 'convex'} across its kinks", node(sign * F, problem)
            )
    bends = [bend_on(S.diff(p, t, 2), t, Interval(a, b)) for p, a, b in zip(pieces, ends, ends[1:], strict=False)]
    if any(b not in (-1, 0) for b in bends):
        raise CannotDerive(
            f"the {problem.noun} is not {'concave' if sign == 1 else 'convex'} in `{_name(problem)}`, and has kinks",
            node(sign * F, problem),
        )
    slopes = [S.cancel(S.together(S.diff(p, t))) for p in pieces]
    _refuse_flat(problem, sign, [sign_of(x) if _free_of(x, t) else None for x in slopes], ends)
    out = _along_pieces(problem, pieces, slopes, kinks)
    best = node(out, problem)
    second = _at_value(out, [S.diff(x, t) for x in slopes], kinks, t)
    if not _best_of_scan(problem, F, out):
        raise CannotDerive("direct optimisation does not agree with what was found", best)
    words = "concave" if sign == 1 else "convex"
    return Optimum(
        best, node(sign * second, problem), node(sign * slopes[0], problem), out,
        "kink" if out in kinks else "interior" if not isinstance(out, S.Piecewise) else "kink", "proved",
        (f"{words}: the {problem.noun} has its only optimum where its slope changes sign",),
    )  # fmt: skip


def _along_pieces(problem: Problem, pieces: Sequence[Any], slopes: Sequence[Any], kinks: Sequence[Any]) -> Any:
    """The optimum of a concave function of smooth pieces: the zero of the first slope that has fallen below 0 at the next
    kink, or the kink at which it does. Raises CannotDerive where a slope has no zero that is known."""
    t, interval = problem.t, problem.interval
    cases: list[tuple[Any, Any]] = []
    for k, slope in enumerate(slopes):
        if k or interval.low != -S.oo:
            start = slope.subs(t, kinks[k - 1] if k else interval.low)
            falls = sign_of(start)
            if falls != 1 and not k:
                raise CannotDerive(f"whether the {problem.noun} falls from the end of its range is not known", node(start, problem))
            if falls in (0, -1):
                cases.append((kinks[k - 1], True))
                break
            if falls is None:
                cases.append((kinks[k - 1], start <= 0))
        stop = slope.subs(t, kinks[k]) if k < len(kinks) else None
        if stop is not None and sign_of(stop) in (0, 1):
            continue
        if t not in slope.free_symbols and stop is not None:
            continue  # a sure sign is 1 here; else the kinks around it decide
        low = kinks[k - 1] if k else interval.low
        roots = [r for r in roots_of(slope, t) if low == -S.oo or sign_of(r.value - low) != -1] if t in slope.free_symbols else []
        if len(roots) != 1 or conditions_of_value(roots[0].value):
            raise CannotDerive(
                f"no piece of the {problem.noun}, which has kinks, is sure to hold its stationary point",
                node(slope, problem),
                "symgen/calculus/variation.py",
            )
        surely = stop is None or sign_of(stop) == -1
        cases.append((roots[0].value, True if surely else S.Lt(stop, 0)))
        if surely:
            break
    if len(cases) == 1:
        return cases[0][0]
    return S.Piecewise(*cases)


def _at_value(out: Any, bends: Sequence[Any], kinks: Sequence[Any], t: Any) -> Any:
    """The second derivative at an optimum that lies inside one piece; 0 stands for a kink."""
    return bends[0].subs(t, out) if not isinstance(out, S.Piecewise) and out not in kinks and len(set(bends)) == 1 else S.Integer(0)
