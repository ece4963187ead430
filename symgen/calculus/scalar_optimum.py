"""Optima over a few numbers: closed scalars in the entries of the variable, by SymPy, put back.

Without constraints and with one entry, the second derivative decides; else the (bordered) Hessian of the Lagrangian.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import sympy

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.solving import RANGES, Interval, assuming, numeric, sample_symbols, sign_of
from symgen.calculus.system import solve_system
from symgen.calculus.variation import Optimum, Problem, pointwise_optimum
from symgen.calculus.wording import said, said_relation, sides
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence, Trace
from symgen.tensor.expression import (
    ONE,
    Add,
    Array,
    Entry,
    Mul,
    Node,
    Num,
    Scalar,
    Tensor,
    Var,
    add,
    axis,
    compare,
    count_nodes,
    delta,
    depends_on,
    entry,
    mul,
    neg,
    num,
    open_tensor,
    replace_arrays,
    tensor,
    var,
)  # fmt: skip
from symgen.tensor.facts import Facts, range_of
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, in_time, to_sympy, within
from symgen.text.diagnostics import CannotDerive

__all__ = ["Task", "optimum_of_entries", "domain_of_entries", "say_assumed"]

S = sympy
HERE = "symgen/calculus/scalar_optimum.py"
STEP = 0.0625  # beside an optimum, where it is looked whether others are as good


@dataclass
class Task:
    """argmin or argmax of f over x; `sign` is 1 for a maximum, -1 for a minimum, 0 where any stationary point will do.

    `multipliers` are those of the solution; it is `conditional` if its second-order condition was not shown, and has a
    `boundary` if entries may lie at the end of their domain. Under what is `required` it is a solution.
    """

    f: Array
    x: Var
    constraints: tuple[Array, ...]
    sign: int
    ctx: Context
    multipliers: dict[Array, Array] = field(default_factory=dict)
    conditional: bool = False
    boundary: bool = False
    is_inside: bool = False  # the domain, under what is required
    facts: Facts | None = None
    contests: dict[Array, Any] = field(default_factory=dict)
    required: list[Scalar] = field(default_factory=list)

    def require(self, op: str, value: Any, table: Table) -> None:
        """`value op 0` has to hold for the solution to be one."""
        text = said_relation(value, op, table, self.ctx.names)
        if any(table.atoms[s].free for s in value.free_symbols & set(table.atoms)):
            text = re.sub(r"\[[a-z]\w*(, [a-z]\w*)*\]", "", text)  # of every entry
        if op == "!=" and any(text.replace("!=", strict) in self.ctx.trace.required for strict in "<>"):
            return
        left, op, right = sides(value, op)
        if op in (">", ">="):
            left, op, right = right, op.replace(">", "<"), left
        self.required.append(compare(op, from_sympy(left, table), from_sympy(right, table)))
        self.ctx.trace.require(text)

    @property
    def word(self) -> str:
        return {1: "maximum", -1: "minimum", 0: "stationary point"}[self.sign]


def domain_of_entries(x: Var) -> str:
    return {"simplex": "nonnegative", "symmetric": "real"}.get(x.domain, x.domain)


def say_assumed(task: Task, table: Table, root: Any) -> None:
    for atom in table.assumed:
        if table.symbols[atom] in root.free_symbols and not atom.free:
            task.ctx.trace.require(f"{said(atom, names=task.ctx.names)} > 0")


def optimum_of_entries(task: Task) -> Array | None:
    """By SymPy over the entries; None where the function is no closed scalar in them (sums of symbolic size)."""
    return _by_coefficients(task) or _by_sympy(task)


LONGEST = 12  # seconds for all questions to SymPy about one optimum
MOST_TERMS = 60
LONG = 40  # nodes of a function whose coefficients are looked at as numbers first


def _by_coefficients(task: Task) -> Array | None:
    """The optimum of c g(x) + d h(x) + .. with numbers for the coefficients c, d, which are put in at the end; None where
    they are short, or where it hangs on more than their signs."""
    x, ctx = task.x, task.ctx
    if x.rank or task.constraints or not task.sign:
        return None
    parts: dict[Scalar, list[Scalar]] = {}
    written = _distributed(open_tensor(task.f, ()), x)
    if sum(count_nodes(term) for term in written) < LONG:
        return None
    for term in written:
        factors = term.args if isinstance(term, Mul) else (term,)
        moving = mul(*(f for f in factors if depends_on(f, x)))
        parts.setdefault(moving, []).append(mul(*(f for f in factors if not depends_on(f, x))))
    meant: dict[Array, Callable[..., Scalar]] = {}
    terms: list[Scalar] = []
    for k, (moving, coefficients) in enumerate(parts.items()):
        c = simplify_scalar(add(*coefficients), ctx.facts)
        r = range_of(c, ctx.facts)
        if moving is ONE:
            continue
        if count_nodes(c) > 3 and (r.positive or r.negative):
            short = var(f"c_{k + 1}", (), "positive", uid=-700 - k)
            meant[short] = _standing_for(c if r.positive else _turned(c))
            c = entry(short) if r.positive else neg(entry(short))
        terms.append(mul(c, moving))
    if not meant:
        return None
    inner = replace(task, f=tensor((), add(*terms)), ctx=replace(ctx, trace=Trace()), required=[], contests={})
    try:
        found = _by_sympy(inner)
    except CannotDerive:
        return None
    told = inner.ctx.trace
    if found is None or inner.required or told.conditions or told.required:
        return None
    for step in told.steps:
        before, after = (replace_arrays(n, meant) if isinstance(n, Node) else n for n in (step.before, step.after))
        before = task.f if step.before is inner.f else before
        ctx.trace.add(step.rule, before, after, where=step.where, reason=step.reason, source=step.source)
    task.is_inside, task.boundary, task.conditional = inner.is_inside, inner.boundary, inner.conditional
    made: Array = replace_arrays(found, meant)
    return tensor((), simplify_scalar(open_tensor(made, ()), ctx.facts))


def _standing_for(value: Scalar) -> Callable[..., Scalar]:
    return lambda *_: value


def _turned(c: Scalar) -> Scalar:
    """-c, with the sign inside of a sum."""
    factors = list(c.args) if isinstance(c, Mul) else [c]
    whole = next((f for f in factors if isinstance(f, Add)), None)
    if whole is None:
        return neg(c)
    return mul(*(f for f in factors if f is not whole), add(*(neg(u) for u in whole.args)))


def _distributed(body: Scalar, x: Var) -> list[Scalar]:
    """The terms of a sum, with products of sums that x stands in multiplied out."""
    out: list[Scalar] = []
    todo = [body]
    while todo and len(out) + len(todo) < MOST_TERMS:
        term = todo.pop()
        factors = [_opened(f, x) for f in (term.args if isinstance(term, Mul) else (term,))]
        sums = [f for f in factors if isinstance(f, Add) and depends_on(f, x)]
        if not sums:
            out.append(mul(*factors))
            continue
        rest = [f for f in factors if f is not sums[0]]
        todo += [mul(*rest, u) for u in reversed(sums[0].args)]
    return [*out, *todo]


def _opened(factor: Scalar, x: Var) -> Scalar:
    """A part that has a name as what it stands for, where x does in it."""
    if isinstance(factor, Entry) and isinstance(factor.array, Tensor) and depends_on(factor, x):
        return open_tensor(factor.array, factor.indices)
    return factor


def _by_sympy(task: Task) -> Array | None:
    x, ctx = task.x, task.ctx
    places = list(product(*(range(int(s.value)) for s in x.shape)))  # type: ignore[attr-defined]
    entries = [entry(x, *(num(i) for i in p)) for p in places]
    table = Table(ctx.facts, generic=True)
    assumptions = {
        "positive": {"positive": True},
        "unit": {"positive": True},
        "nonnegative": {"nonnegative": True},
        "simplex": {"nonnegative": True},
    }.get(x.domain, {"real": True})
    symbols = [table.symbol(e, **assumptions) for e in entries]
    try:
        F = to_sympy(entry(task.f), table)
        equations = [to_sympy(open_tensor(c, p), table) for c in task.constraints for p in _places(c)]
    except NotInSymPy:
        return None
    if any(a not in entries and depends_on(a, x) for a in table.symbols):
        return None
    domain = domain_of_entries(x)
    if domain not in RANGES:
        raise CannotDerive(f"symgen has no optimum over values in `{x.domain}`", x, HERE)
    with assuming(table):
        if len(entries) == 1 and not equations and task.sign:
            best = _inside(task, _problem(task, F, symbols[0], RANGES[domain], table))
            ctx.trace.add(
                "stationarity",
                task.f,
                tensor((), best.stationarity),
                where=f"d/d{x.name}",
                reason=f"the derivative vanishes at the {task.word}",
            )
            out = tensor([axis(k, s) for k, s in enumerate(x.shape)], simplify_scalar(best.strategy, ctx.facts))
            ctx.trace.add(
                "solve_stationarity",
                tensor((), best.stationarity),
                out,
                where=x.name,
                reason=best.notes[0] if best.notes else f"a {task.word}: the second derivative has its sign",
            )
            _conditions(task, best.conditions, table)
            task.is_inside = True
            task.boundary = best.kind != "interior" or best.expression.has(S.Max, S.Min, S.Piecewise)
            say_assumed(task, table, best.expression)
            return out
        return _system(task, F, equations, symbols, table, places)


def optimum_in_one(task: Task, body: Scalar, value: Scalar) -> Scalar | None:
    """The best `value` for `body`, which is one number whatever its free indices are; None where SymPy has no word for it."""
    table = Table(task.ctx.facts, generic=True)
    domain = domain_of_entries(task.x)
    assumptions = {"positive": {"positive": True}, "unit": {"positive": True}, "nonnegative": {"nonnegative": True}}
    t = table.symbol(value, **assumptions.get(domain, {"real": True}))
    try:
        F = to_sympy(body, table)
    except NotInSymPy:
        return None
    if any(a is not value and depends_on(a, task.x) for a in table.symbols):
        return None
    with assuming(table):
        best = _inside(task, _problem(task, F, t, RANGES[domain], table))
        _conditions(task, best.conditions, table)
        say_assumed(task, table, best.expression)
    task.is_inside = True
    task.boundary = best.kind != "interior" or best.expression.has(S.Max, S.Min, S.Piecewise)
    return best.strategy


def _inside(task: Task, problem: Problem) -> Optimum:
    """The optimum over the domain of one number. Raises CannotDerive where it is approached and not reached."""
    if problem.t not in problem.expression.free_symbols:
        raise CannotDerive(f"`{task.x.name}` does not occur in it: every value is a {task.word}", task.f, HERE)
    best: Optimum | None = in_time(LONGEST, pointwise_optimum, problem, "max" if task.sign == 1 else "min")
    if best is None:
        raise CannotDerive(f"the {task.word} was not found in {LONGEST} seconds", task.f, HERE)
    other = _another(problem, best)
    if other:
        raise CannotDerive(f"the {task.word} is not unique: {other}", task.f)
    pieces = best.expression.atoms(S.Piecewise) | {best.expression}
    values = {v for e in pieces for v in ([a for a, _ in e.args] if isinstance(e, S.Piecewise) else [e])}
    ends = ((problem.interval.low, problem.interval.closed_low), (problem.interval.high, problem.interval.closed_high))
    missed = [said(end) for end, closed in ends if end in values and not closed]
    if missed:
        raise CannotDerive(
            f"there is no {task.word}: `{task.x.name}` = {' or '.join(missed)} is approached and is not in the domain", task.f
        )
    return best


def _problem(task: Task, F: Any, t: Any, interval: Interval, table: Table) -> Problem:
    return Problem(F, t, interval, table, noun="function", wanted=task.word)


def _real(expression: Any, point: dict[Any, Any]) -> float | None:
    value = numeric(expression, point)
    return value.real if value is not None and abs(value.imag) < 1e-12 else None


def _another(problem: Problem, best: Optimum) -> str:
    """Where other values do as well, in words: a period, a flat stretch beside the optimum; else ""."""
    F, t = problem.expression, problem.t
    if problem.interval.low == -S.oo and problem.interval.high == S.oo:
        period = within(1.0, S.periodicity, F, t)
        if period is not None and period != 0:
            return f"the function repeats after {period}"
    rng = random.Random(1)
    for _ in range(3):
        point = sample_symbols([x for x in F.free_symbols | best.expression.free_symbols if x != t], rng)
        at = _real(best.expression, point)
        here = _real(F, {**point, t: S.Float(at, 30)}) if at is not None else None
        if at is None or here is None:
            continue
        for step in (STEP, -STEP):
            if not problem.interval.low < S.Float(at + step) < problem.interval.high:
                continue
            there = _real(F, {**point, t: S.Float(at + step, 30)})
            if there is not None and abs(there - here) < 1e-14 * (1 + abs(here)):
                return "the function is constant beside it"
    return ""


def _conditions(task: Task, conditions: Sequence[Any], table: Table) -> None:
    for c in conditions:
        if isinstance(c, str):
            task.ctx.trace.note(c)
        else:
            left, right = (to_sympy(x, table) for x in c.args)
            task.require(c.op, left - right, table)


def _places(c: Array) -> list[tuple[Scalar, ...]]:
    if any(not isinstance(s, Num) for s in c.shape):
        raise NotInSymPy("a constraint of symbolic size")
    return [tuple(num(i) for i in p) for p in product(*(range(int(s.value)) for s in c.shape))]  # type: ignore[attr-defined]


def _system(task: Task, F: Any, equations: list[Any], symbols: list[Any], table: Table, places: list[Any]) -> Array:
    multipliers = [S.Dummy(f"lambda{k}") for k in range(len(equations))]
    L = F + sum(m * c for m, c in zip(multipliers, equations, strict=True))
    slopes = [S.diff(L, s) for s in symbols]
    solutions = solve_system([*slopes, *equations], [*symbols, *multipliers])
    good: list[tuple[dict[Any, Any], str]] = []
    for found in solutions:
        values = {s: found.values.get(s, s) for s in symbols}
        if not _allowed(task.x, values):
            continue
        hessian = S.hessian(L.subs({m: found.values.get(m, m) for m in multipliers}), symbols)
        hessian = hessian.subs({s: values[s] for s in symbols}, simultaneous=True).applyfunc(S.simplify)
        kind = _bordered_sign(hessian, S.Matrix(equations).jacobian(symbols).subs(values) if equations else None)
        if kind == task.sign or task.sign == 0:
            good.append((values, found.shown))
    if not good:
        raise CannotDerive(
            f"no stationary point that was found passes the second-order check for a {task.word}"
            if solutions
            else "the stationarity equations could not be solved",
            task.f,
            HERE,
        )
    if len(good) > 1:
        good = _best(task, F, good) if task.sign else good
        if len(good) > 1:
            raise CannotDerive(
                f"there are {len(good)} {task.word}s: "
                + "; ".join(
                    ", ".join(str(to_sympy(from_sympy(v, table), names=task.ctx.names)) for v in values.values())
                    for values, _ in good
                ),
                task.f,
                HERE,
            )
    values, shown = good[0]
    nodes = [from_sympy(values[s], table) for s in symbols]
    out = _array_of(task.x, places, nodes)
    reason = f"a {task.word}" if not equations else f"a {task.word} on the constraint, by Lagrange's multipliers"
    task.ctx.trace.add(
        "stationarity",
        task.f,
        tensor((), entry(task.f)),
        where=task.x.name,
        reason="all derivatives of the Lagrangian vanish" if equations else "all derivatives vanish",
    )
    task.ctx.trace.add(
        "solve_stationarity",
        task.f,
        out,
        where=task.x.name,
        reason=reason,
        evidence=Evidence(shown, method="put back into every equation; the (bordered) Hessian"),
    )
    return out


def _array_of(x: Var, places: list[Any], nodes: list[Scalar]) -> Array:
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    terms = []
    for p, value in zip(places, nodes, strict=True):
        terms.append(mul(value, *(delta(i, k if isinstance(k, Num) else num(k)) for i, k in zip(axes, p, strict=True))))
    return tensor(axes, add(*terms))


def _allowed(x: Var, values: dict[Any, Any]) -> bool:
    rng = random.Random(4)
    free = list({s for v in values.values() for s in v.free_symbols})
    domain = domain_of_entries(x)
    for _ in range(6):
        point = sample_symbols(free, rng)
        numbers = [numeric(v, point) for v in values.values()]
        if any(v is None or abs(v.imag) > 1e-9 * max(1.0, abs(v)) for v in numbers):
            continue
        reals = [v.real for v in numbers if v is not None]
        if domain == "real" or (
            all(r > 0 or (domain == "nonnegative" and r >= 0) for r in reals) and (domain != "unit" or all(r < 1 for r in reals))
        ):
            return True
    return False


def _bordered_sign(hessian: Any, border: Any) -> int | None:
    """1 for a strict maximum, -1 for a strict minimum of the restricted problem, by its Hessian on the tangent
    space."""
    if border is not None:
        basis = border.nullspace()
        if not basis:
            return None
        T = S.Matrix.hstack(*basis)
        hessian = (T.T * hessian * T).applyfunc(S.simplify)
    for sign in (1, -1):
        m = -sign * hessian
        if all(sign_of(S.simplify(m[:j, :j].det())) == 1 for j in range(1, m.rows + 1)):
            return sign
    return None


def _best(task: Task, F: Any, good: list[tuple[dict[Any, Any], str]]) -> list[tuple[dict[Any, Any], str]]:
    """Those local optima that no other beats, where the signs of the differences are sure."""
    out = []
    for values, shown in good:
        beaten = False
        for other, _ in good:
            gap = sign_of(S.simplify(F.subs(other) - F.subs(values)))
            beaten = beaten or gap == task.sign
        if not beaten:
            out.append((values, shown))
    return out
