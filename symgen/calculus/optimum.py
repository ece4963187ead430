"""Where a function is least or greatest: stationarity, Lagrange multipliers, the second-order check.

Scalars: the stationary equation is solved and put back. Arrays of any size: entry by entry where the gradient at an
entry holds that entry alone, by one linear solve where it is affine. Constraints: multipliers, found from the
constraints themselves. Boyd & Vandenberghe (2004), 5.5.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sympy

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.clipping import clipped, shrunk
from symgen.calculus.curvature import flat
from symgen.calculus.finished import finished
from symgen.calculus.gradient import gradient
from symgen.calculus.linear_optimum import linear_zero
from symgen.calculus.matrix_optimum import on_an_ellipsoid, over_positive_definite, with_orthonormal_columns
from symgen.calculus.metric_zero import zero_of_distance
from symgen.calculus.optimum_referee import contest
from symgen.calculus.root_optimum import by_roots
from symgen.calculus.scalar_optimum import Task, domain_of_entries, optimum_of_entries, say_assumed
from symgen.calculus.separable_optimum import diagonally, entry_by_entry, shrunk_by_norm
from symgen.calculus.separate import separate
from symgen.calculus.solving import (
    RANGES,
    Interval,
    Root,
    assuming,
    conditions_of_value,
    numeric,
    positive_roots,
    roots_of,
    sample_symbols,
    sign_of,
)
from symgen.calculus.structured import within_set
from symgen.calculus.variation import bend_on
from symgen.calculus.wording import without_repeats
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.derivation.referee import check_equal_numeric
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Entry,
    Index,
    Num,
    Operator,
    Pow,
    Scalar,
    Tensor,
    Var,
    add,
    axis,
    count_nodes,
    depends_on,
    entry,
    fresh_index,
    mul,
    neg,
    open_tensor,
    power,
    replace_arrays,
    sub,
    tensor,
    total,
    var,
)  # fmt: skip
from symgen.tensor.facts import is_nonnegative, is_positive, is_unit
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within
from symgen.text.diagnostics import CannotDerive, InternalError

__all__ = ["optimum", "REDUCERS"]

S = sympy
HERE = "symgen/calculus/optimum.py"
SETS = ("spd", "psd", "orthogonal", "symmetric", "skew", "diagonal", "lower")
LINEAR_SETS = ("symmetric", "skew", "diagonal")
MAX_ENTRIES = 9  # of an array of fixed size that is solved as a system of scalars


def optimum(f: Array, x: Array, constraints: Sequence[Array], sign: int, ctx: Context, closed: bool = False) -> Array:
    """The x at which f is greatest (sign 1), least (-1) or stationary (0) on the set where the constraints vanish; where it is
    to be `closed`, none that is the root of an equation.

    Raises CannotDerive where the stationarity is not solved, or where the second-order check fails.
    """
    if not isinstance(x, Var):
        raise CannotDerive("an optimum is over a variable", x, HERE)
    if not depends_on(f, x):
        raise CannotDerive(f"`{x.name}` does not occur in the function", f)
    constraints = [_without_root(c, x, ctx) for c in constraints]
    task = Task(f, x, (*constraints, *_of_domain(x, constraints)), sign, ctx)
    found = optimum_of_entries(task) if _size(x) is not None and x.domain not in SETS else None
    if found is None:
        found = _first_that_stands(task, closed)
    else:
        result = task.contests[found] = contest(task, found)
        if result.lost and not (task.conditional and result.won):
            raise CannotDerive(f"what was found is no {task.word} at random data: {result.fault}", f, HERE)
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    inside = {"positive": is_positive, "unit": is_unit}.get(x.domain)
    if inside is not None and not task.is_inside and not inside(open_tensor(found, axes), ctx.facts):
        ctx.trace.require(f"the solution is {'positive' if x.domain == 'positive' else 'between 0 and 1'}")
    ctx.trace.checks.append(lambda: _stationary_there(task, found))
    return found


def _without_root(constraint: Array, x: Var, ctx: Context) -> Array:
    """|u|^2 - c^2 for a constraint |u| = c, with c not negative; names inside of a constraint on one number are put in."""
    whole = constraint if constraint.rank else flat(constraint)
    if not isinstance(whole, Tensor) or whole.rank or not isinstance(whole.body, Add):
        return whole
    moving = [t for t in whole.body.args if depends_on(t, x)]
    rest = add(*(t for t in whole.body.args if t not in moving))
    for sign in (ONE, MINUS_ONE):
        root, level = [mul(sign, t) for t in moving], mul(neg(sign), rest)
        if len(root) == 1 and isinstance(root[0], Pow) and root[0].exponent is HALF and is_nonnegative(level, ctx.facts):
            return tensor((), sub(root[0].base, power(level, TWO)))
    return whole


def _ways(task: Task, closed: bool) -> Iterator[Callable[[], Iterator[Array]]]:
    """How optima are looked for, the special sets first; each gives candidates."""
    yield lambda: over_positive_definite(task, lambda t, slope, body, axes: _zero_of(t, slope, body, axes))
    yield lambda: with_orthonormal_columns(task)
    yield lambda: on_an_ellipsoid(task)
    if task.x.domain in RANGES or task.x.domain == "simplex":
        yield lambda: shrunk(task, _zero_of)
        yield lambda: _of_any_size(task)
        yield lambda: clipped(task, lambda t: _general(t)[:2])
        yield lambda: shrunk_by_norm(task, _of_any_size)
        yield lambda: entry_by_entry(task)
        if not closed:
            yield lambda: by_roots(task)
    elif task.x.domain in (*LINEAR_SETS, "spd") and not task.constraints:
        yield lambda: diagonally(task, _of_any_size)
        yield lambda: _in_linear_set(task)


def _state(task: Task) -> tuple[list[Any], ...]:
    trace = task.ctx.trace
    kept: tuple[list[Any], ...] = (trace.steps, trace.conditions, trace.required, trace.notes, task.required)
    return tuple(list(x) for x in kept)


def _back_to(task: Task, state: tuple[list[Any], ...]) -> None:
    trace = task.ctx.trace
    kept: tuple[list[Any], ...] = (trace.steps, trace.conditions, trace.required, trace.notes, task.required)
    for now, before in zip(kept, state, strict=True):
        now[:] = before
    task.multipliers, task.conditional = {}, False


def _first_that_stands(task: Task, closed: bool) -> Array:
    """The first candidate that no competitor beats at random data. Raises CannotDerive with what was wrong of all."""
    fault: CannotDerive | None = None
    for way in _ways(task, closed):
        before = _state(task)
        try:
            for found in way():
                task.ctx.check()
                result = task.contests[found] = contest(task, found)
                if not result.lost or (task.conditional and result.won):
                    return found
                fault = fault or CannotDerive(result.fault, task.f, HERE)
                _back_to(task, before)
        except CannotDerive as error:
            fault = error if fault is None else fault
        except NotInSymPy:
            fault = fault or CannotDerive("the stationarity equation of an entry has no closed form", task.f, HERE)
        _back_to(task, before)
    raise fault or CannotDerive(f"symgen has no optimum over values in `{task.x.domain}`", task.x, HERE)


def _in_linear_set(task: Task) -> Iterator[Array]:
    """The free optimum brought into a linear set, which is that within the set for functions as round as a norm."""
    free = var(task.x.name, task.x.shape, "real", task.x.role, uid=task.x.uid + 7000)
    wide = Task(replace_arrays(task.f, {task.x: free}), free, (), task.sign, task.ctx)
    for found in _of_any_size(wide):
        axes = [axis(k, s) for k, s in enumerate(found.shape)]
        quiet = Context(facts=task.ctx.facts)
        body = within_set(open_tensor(found, axes), task.x, quiet)
        yield tensor(axes, simplify_scalar(body, task.ctx.facts))


def _of_domain(x: Var, constraints: Sequence[Array]) -> tuple[Array, ...]:
    """What the domain of the variable asks for: rows of a simplex sum to 1."""
    if x.domain != "simplex" or not x.shape:
        return ()
    lead = [axis(k, s) for k, s in enumerate(x.shape[:-1])]
    last = fresh_index(x.shape[-1])
    body = sub(total(entry(x, *lead, last), [last]), ONE)
    said = any(c.shape == x.shape[:-1] and open_tensor(c, lead) in (body, neg(body)) for c in constraints)
    return () if said else (tensor(lead, body),)


def _size(x: Var) -> int | None:
    size = 1
    for s in x.shape:
        if not isinstance(s, Num) or isinstance(s.value, str):
            return None
        size *= int(s.value)
    return size if size <= MAX_ENTRIES else None


def _stationary_there(task: Task, found: Array) -> Evidence:
    """The referee: the gradient of the function, or of the Lagrangian, vanishes at the solution in balls, the constraints
    hold there in balls, and no competitor does better."""
    result = task.contests.get(found) or contest(task, found)
    if result.lost and not (task.conditional and result.won):
        raise InternalError(f"{task.x.name}: {result.fault}")
    questions = [(replace_arrays(c, {task.x: found}), "the constraints hold") for c in task.constraints]
    slope, said = _slope_at(task, found)
    if slope is not None:
        questions.insert(0, (slope, said))
    asked = [check_equal_numeric(a, _zeros(a), task.facts or task.ctx.facts) for a, _ in questions]
    good = [(r, words) for r, (_, words) in zip(asked, questions, strict=True) if r.kind in ("checked", "proved")]
    words = " and ".join(dict.fromkeys(w for _, w in good))
    method = f"{words} at the solution, in balls" if words else "numbers at random points"
    if task.sign and result.won:
        method += f"; no other point of the set is a better {task.word}, at {result.won} random data"
    if len(good) < len(questions) and not (result.won and slope is None):
        bad = next(r for r in asked if r.kind not in ("checked", "proved"))
        if not result.won:
            return bad
    if not good and not result.won:
        return Evidence("unknown", tried=("no random point at which the solution has numbers",))
    digits = [r.digits for r, _ in good if r.digits]
    return Evidence("checked", digits=min(digits, default=6), points=max(result.won, 1), method=method)


def _slope_at(task: Task, found: Array) -> tuple[Array | None, str]:
    """What has to vanish: the gradient within the set of the variable, with the multipliers where there are any."""
    quiet = Context(facts=task.ctx.facts)
    if task.multipliers:
        f = _lagrangian(task, list(task.multipliers))
        slope = gradient(f, [task.x], quiet, "free")[task.x]
        return replace_arrays(slope, {task.x: found, **task.multipliers}), "the gradient of the Lagrangian is 0"
    if task.constraints or task.boundary:
        return None, ""
    slope = gradient(task.f, [task.x], quiet)[task.x]
    return replace_arrays(slope, {task.x: found}), "the gradient is 0"


def _zeros(a: Array) -> Array:
    return tensor([axis(k, s) for k, s in enumerate(a.shape)], ZERO)


# --- any size ---------------------------------------------------------------------------------------------------------


def _lagrangian(task: Task, multipliers: Sequence[Array]) -> Array:
    if not multipliers:
        return task.f
    L = entry(task.f)
    for m, c in zip(multipliers, task.constraints, strict=True):
        indices = [fresh_index(s) for s in c.shape]
        L = add(L, total(mul(entry(m, *indices), open_tensor(c, indices)), indices))
    return tensor((), L)


def _general(task: Task) -> tuple[Array, list[Var], Array]:
    """The stationary point in terms of the multipliers, these, and the gradient of the Lagrangian."""
    x, ctx = task.x, task.ctx
    quiet = Context(facts=ctx.facts, names=ctx.names)
    multipliers = [
        var(_fresh_name("lambda", k, ctx), c.shape, "real", "placeholder", uid=13) for k, c in enumerate(task.constraints)
    ]
    slope = gradient(_lagrangian(task, multipliers), [x], quiet, "free")[x]
    axes = [axis(k, s) for k, s in enumerate(x.shape)]
    body = separate(open_tensor(slope, axes), x)
    ctx.trace.add(
        "stationarity",
        task.f,
        tensor(axes, body),
        where=f"d/d{x.name}",
        reason=f"the gradient{' of the Lagrangian' if multipliers else ''} vanishes at the {task.word}",
    )
    return _zero_of(task, slope, body, axes), multipliers, tensor(axes, body)


def _zero_of(task: Task, slope: Array, body: Scalar, axes: list[Index]) -> Array:
    """The x at which a gradient vanishes: entry by entry, or by one linear solve."""
    places = {n.args[1:] for n in _entries(body, task.x)}
    if places <= {tuple(axes)}:
        return _entrywise(task, body, axes)
    met = zero_of_distance(task.x, body, axes, task.ctx)
    if met is not None:
        return met
    return linear_zero(task, slope, body, axes, Context(facts=task.ctx.facts, names=task.ctx.names))


def _of_any_size(task: Task) -> Iterator[Array]:
    general, multipliers, slope = _general(task)
    trace = task.ctx.trace
    axes = [axis(k, s) for k, s in enumerate(task.x.shape)]
    for solved, found in _eliminate(task, general, multipliers) if multipliers else [(general, {})]:
        before = _state(task)
        for m, value in found.items():
            trace.add("multiplier", None, value, where=m.name, reason="the multiplier, from the constraint")
        body = simplify_scalar(_evaluated(open_tensor(solved, axes)), task.ctx.facts)
        out = tensor(axes, finished(body, Context(facts=task.ctx.facts, names=task.ctx.names)) if axes else body)
        trace.add("solve_stationarity", slope, out, where=task.x.name, reason=f"the {task.word}")
        task.multipliers = dict(found)
        yield out
        conditional = task.conditional
        _back_to(task, before)
        task.conditional = conditional


def _evaluated(s: Scalar) -> Scalar:
    """exp(-log k) is 1/k: what SymPy evaluates by itself."""
    table = Table()
    try:
        if count_nodes(s) > 80:
            return s
        e = to_sympy(s, table).replace(S.exp, lambda a: S.exp(S.expand(a)))
        return min((s, from_sympy(e, table)), key=count_nodes)
    except NotInSymPy:
        return s


def _fresh_name(base: str, k: int, ctx: Context) -> str:
    name = base if not k else f"{base}{k + 1}"
    return name


def _entries(body: Scalar, x: Var) -> list[Any]:
    """The entries of x in the body, those under sums included."""
    seen: set[Any] = set()
    out = []
    stack: list[Any] = [body]
    while stack:
        n = stack.pop()
        if n in seen:
            continue
        seen.add(n)
        if isinstance(n, Entry) and n.array is x:
            out.append(n)
        elif n.is_scalar_node or depends_on(n, x):
            stack.extend(n.args)
    return out


def _entrywise(task: Task, body: Scalar, axes: list[Index]) -> Array:
    """Each entry of the gradient holds the entry of x at its own place alone: one scalar equation, solved for all."""
    x = task.x
    table = Table(task.ctx.facts, generic=True)
    own = entry(x, *axes)
    domain = domain_of_entries(x)
    if domain not in RANGES:
        raise CannotDerive(f"symgen has no optimum over values in `{x.domain}`", x, HERE)
    assumptions = {"positive": {"positive": True}, "unit": {"positive": True}, "nonnegative": {"positive": True}}
    t = table.symbol(own, **assumptions.get(domain, {"real": True}))
    e = to_sympy(body, table)
    if any(a is not own and depends_on(a, x) for a in table.symbols):
        raise CannotDerive(
            f"the stationarity equation holds `{x.name}` inside of what has no closed form", tensor(axes, body), HERE
        )
    with assuming(table):
        roots = roots_of(e, t)
        root = _choose(task, e, t, roots, domain)
        if root is None:
            raise CannotDerive("the stationarity equation of an entry could not be solved", tensor(axes, body), HERE)
        _second_order(task, S.diff(e, t), t, root.value, domain, table)
        for op, value in without_repeats(conditions_of_value(root.value)) if not task.constraints else ():
            if not any(s is t for s in value.free_symbols):
                task.require(op, value, table)
        say_assumed(task, table, root.value)
    return tensor(axes, from_sympy(root.value, table))


def _choose(task: Task, slope: Any, t: Any, roots: list[Root], domain: str) -> Root | None:
    """The root in the domain at which the slope falls (for a maximum), at random values of what is given."""
    rng = random.Random(6)
    interval = RANGES[domain]
    best: tuple[int, Root] | None = None
    bend = S.diff(slope, t)
    roots = positive_roots(roots, slope, t, interval)
    for root in roots:
        good = 0
        for _ in range(6):
            point = sample_symbols(list((slope.free_symbols - {t}) | root.value.free_symbols), rng)
            v = numeric(root.value, point)
            if v is None or abs(v.imag) > 1e-9 * max(1.0, abs(v)):
                continue
            if (interval.low != -S.oo and v.real <= 0) or (interval.high != S.oo and v.real >= 1):
                # a multiplier whose sign is found later may put the root into the domain
                good += bool(task.constraints)
                continue
            b = numeric(bend.subs(t, root.value), point)
            good += 2 if b is not None and (task.sign == 0 or b.real * task.sign < 0) else bool(task.constraints)
        if good and (best is None or good > best[0]):
            best = (good, root)
    if best is not None and task.sign and not task.constraints:
        return _best_of_roots(task, slope, t, best[1], roots, interval)
    return best[1] if best else None


NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def _best_of_roots(task: Task, slope: Any, t: Any, root: Root, roots: list[Root], interval: Interval) -> Root:
    """The root whose value is best, by the integral of the slope between two of them. Raises CannotDerive where another
    is as good."""
    rng = random.Random(8)
    bend = S.diff(slope, t)
    for other in roots:
        if other is root:
            continue
        gaps = []
        for _ in range(6):
            point = sample_symbols(list((slope.free_symbols - {t}) | root.value.free_symbols | other.value.free_symbols), rng)
            a, b = numeric(root.value, point), numeric(other.value, point)
            if a is None or b is None or abs(a.imag) + abs(b.imag) > 1e-12 or not interval.low < S.Float(b.real) < interval.high:
                continue
            bent = numeric(bend.subs(t, other.value), point)
            if bent is None or bent.real * task.sign >= 0:
                continue
            half, middle = (b.real - a.real) / 2, (b.real + a.real) / 2
            values = [numeric(slope, {**point, t: S.Float(middle + half * x, 20)}) for x in NODES]
            if all(v is not None for v in values):
                gaps.append(half * sum(w * v.real for w, v in zip(WEIGHTS, values, strict=True) if v is not None) * task.sign)
        if gaps and all(abs(g) < 1e-9 for g in gaps):
            raise CannotDerive(f"the {task.word} is not unique: two values of an entry are as good", task.f)
        if gaps and all(g > 0 for g in gaps):
            root = other
    return root


def _second_order(task: Task, bend: Any, t: Any, root: Any, domain: str, table: Table) -> None:
    if task.sign == 0:
        return
    everywhere = bend_on(bend, t, RANGES[domain])
    if everywhere == -task.sign:
        task.ctx.trace.note(f"strictly {'concave' if task.sign == 1 else 'convex'} in {task.x.name}")
        return
    at_root = within(2.0, lambda: S.factor(S.simplify(bend.subs(t, root))))
    sign = sign_of(at_root) if at_root is not None else None
    if sign == task.sign or everywhere == task.sign:
        raise CannotDerive(f"the second-order check fails: the stationary point is no {task.word}", task.f)
    if sign is None and not task.constraints:
        try:
            if at_root is None:
                raise NotInSymPy("not simplified in time")
            task.require("<", task.sign * at_root, table)
        except NotInSymPy:
            task.ctx.trace.require("the second derivative has its sign at the stationary point")
            task.conditional = True


# --- multipliers ------------------------------------------------------------------------------------------------------


def _eliminate(task: Task, general: Array, multipliers: Sequence[Var]) -> Iterator[tuple[Array, dict[Array, Array]]]:
    """The multipliers from the constraints, one after the other, put into the solution; every root is tried."""
    todo: list[tuple[Array, dict[Array, Array], tuple[int, ...]]] = [(general, {}, tuple(range(len(multipliers))))]
    fault: CannotDerive | None = None
    while todo:
        x, known, rest = todo.pop()
        if not any(depends_on(x, m) for m in multipliers):
            yield x, known
            continue
        for k in rest:
            m, c = multipliers[k], task.constraints[k]
            body = replace_arrays(c, {task.x: x})
            if not depends_on(body, m):
                continue
            try:
                values = _solve_for(task, body, m)
            except CannotDerive as error:
                fault = fault or error
                continue
            left = tuple(r for r in rest if r != k)
            for value in reversed(values):
                put = {m: lambda *at, value=value: open_tensor(value, at)}
                older = {a: replace_arrays(b, put) for a, b in known.items()}
                todo.append((replace_arrays(x, put), {**older, m: value}, left))
            break
        else:
            fault = fault or CannotDerive("the multipliers of the constraints could not be found", general, HERE)
    if fault is not None:
        raise fault


def _solve_for(task: Task, constraint: Array, m: Var) -> list[Array]:
    """The multiplier, entry by entry where the constraint at an entry holds that entry alone, else by a linear solve."""
    axes = [axis(k, s) for k, s in enumerate(m.shape)]
    body = separate(open_tensor(constraint, axes), m)
    table = Table(task.ctx.facts, generic=True)
    own = entry(m, *axes)
    t = table.symbol(own, real=True)
    e = to_sympy(body, table)
    if any(a is not own and depends_on(a, m) for a in table.symbols):
        quiet = Context(facts=task.ctx.facts, names=task.ctx.names)
        plain = Task(task.f, m, (), 0, Context(facts=task.ctx.facts, names=task.ctx.names))
        task.conditional = True
        task.ctx.trace.require("the constraints are independent of each other")
        return [linear_zero(plain, constraint, body, axes, quiet)]
    with assuming(table):
        roots = roots_of(e, t)
    if not roots:
        raise CannotDerive("the multiplier of a constraint could not be found", tensor(axes, body), HERE)
    return [tensor(axes, from_sympy(root.value, table)) for root in roots]


# --- the operators ----------------------------------------------------------------------------------------------------


def _reducer(sign: int) -> Callable[[Operator, Context], Array]:
    def reduce(op: Operator, ctx: Context) -> Array:
        f, x, *constraints = op.args
        return optimum(f, x, constraints, sign, ctx)

    return reduce


REDUCERS: dict[str, Callable[[Operator, Context], Array]] = {
    "argmin": _reducer(-1),
    "argmax": _reducer(1),
    "stationary": _reducer(0),
}
