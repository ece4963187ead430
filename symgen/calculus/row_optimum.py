"""The best row of an array of probabilities, the other rows held: an update of coordinate ascent, `argmax(f, r[t])`.

Where f is linear in each row but for its entropy, f = c H(r[t]) + <r[t], g> + what is free of r[t], the best row is
softmax(g/c): f less its bound c log sum exp(g/c) is -c KL(r[t] || softmax(g/c)). Bishop (2006), 10.1.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from symgen.algebra.collect import collect_common
from symgen.calculus.gradient import gradient
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    ZERO,
    Add,
    Array,
    Fn,
    Mul,
    Num,
    Operator,
    Scalar,
    Var,
    add,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    open_tensor,
    operation,
    operator,
    tensor,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive, InternalError

HERE = "symgen/calculus/row_optimum.py"
POINTS, RIVALS = 3, 5
Float = np.ndarray


def optimum_by_rows(op: Operator, ctx: Context) -> Array:
    """argmax(f, r[t]): over all t, the row that is best where the others are as they are."""
    f, r = op.operands
    assert isinstance(f, Array)
    word, names = op.attrs
    if not isinstance(r, Var) or r.domain != "simplex" or r.rank != len(names) + 1:
        raise CannotDerive("the best row is known of arrays of probabilities, with an index for each axis but the last", r, HERE)
    sign = 1 if word == "argmax" else -1
    slope = gradient(f, [r], ctx.quiet(), "free")[r]
    at = [fresh_index(s) for s in r.shape]
    entropy, rest = _apart(open_tensor(slope, at), entry(r, *at))
    if entropy is None or not isinstance(entropy, Num) or entropy.rational is None or not sign * entropy.rational > 0:
        raise CannotDerive("in a row this is no linear function less a multiple of sum(r*log(r))", f, HERE)
    logits = tensor(at, collect_common(divide(rest, entropy)))
    made = operation("softmax", (logits,), logits.shape)
    shown = operator("grad", (f, r), r.shape, ("free",))
    ctx.trace.add("differentiate", shown, tensor(at, add(mul(neg(entropy), fn("log", entry(r, *at))), rest)),
                  reason="up to a number for each row")  # fmt: skip
    text = f"{r.name}[{', '.join(names)}]"
    reason = f"the slope by {text} is the same for all classes there, the other rows held"
    ctx.trace.add("coordinate_ascent", op, made, reason=reason, source="Bishop (2006), 10.1.1")
    ctx.trace.condition(f"the other rows of {r.name} are held")
    _other_rows_alone(logits, r)
    ctx.trace.checks.append(lambda: _contest(f, r, made, sign, ctx))
    return made


def _apart(body: Scalar, own: Scalar) -> tuple[Scalar | None, Scalar]:
    """c and the rest of -c log r - c + rest; the constants of a row do not matter."""
    entropy: Scalar | None = None
    rest: list[Scalar] = []
    for t in body.args if isinstance(body, Add) else (body,):
        logs = [x for x in (t.args if isinstance(t, Mul) else (t,)) if isinstance(x, Fn) and x.name == "log" and x.args[0] is own]
        if logs:
            other = mul(*(x for x in (t.args if isinstance(t, Mul) else (t,)) if x is not logs[0]))
            entropy = add(entropy or ZERO, neg(other))
        elif not isinstance(t, Num):
            rest.append(t)
    return entropy, add(*rest)


def _points(roots: list[Array], r: Var) -> Callable[[], Point | None]:
    free = {v for a in roots for v in variables_of(a)} | {r}
    sizes, rng = sizes_in(roots, list(free)), generator("rows", *sorted(v.name for v in free))

    def point() -> Point | None:
        values: Mapping[str, int] | None = random_sizes(sizes, {}, rng, (), largest=4)
        return None if values is None else random_point(free, values, rng, 0, ())

    return point


def _with_row(point: Point, r: Var, at: tuple[int, ...], row: Float) -> Point:
    moved = np.array(point.values[r], dtype=np.float64)
    moved[at] = row
    return Point(point.sizes, {**point.values, r: moved}, point.functions, point.draws)


def _number(a: Array, point: Point) -> Float:
    with np.errstate(all="ignore"):
        return np.asarray(evaluate([a], point)[0], dtype=np.float64)


def _other_rows_alone(logits: Array, r: Var) -> None:
    """Raises CannotDerive where the logits of a row hang on the row itself."""
    if r not in variables_of(logits) and not any(r in variables_of(n) for n in walk(logits) if isinstance(n, Array)):
        return
    point_at, rng, done = _points([logits], r), generator("own row", r.name), 0
    for _ in range(12):
        point = point_at()
        if point is None or min(np.shape(point.values[r])) < 2:
            continue
        before = _number(logits, point)
        for at in list(np.ndindex(*before.shape[:-1]))[:6]:
            moved = _number(logits, _with_row(point, r, at, rng.dirichlet(np.ones(before.shape[-1]))))
            gap = (moved[at] - before[at]) - np.mean(moved[at] - before[at])
            if not np.all(np.abs(gap) <= 1e-9 * (1 + np.abs(before[at]))):
                raise CannotDerive("a row hangs on itself beyond its entropy: its best value has no closed form", logits, HERE)
        done += 1
        if done == POINTS:
            return
    if not done:
        raise CannotDerive("no numbers were found at which to look at the rows one by one", logits, HERE)


def _contest(f: Array, r: Var, made: Array, sign: int, ctx: Context) -> Evidence:
    """No other row does better than the one that was found, at random data."""
    point_at, rng, won = _points([f, made], r), generator("rival rows", r.name), 0
    for _ in range(24):
        point = point_at()
        if point is None:
            continue
        try:
            best = _number(made, point)
            places = list(np.ndindex(*best.shape[:-1]))
            at = places[int(rng.integers(len(places)))]
            top = float(_number(f, _with_row(point, r, at, best[at])))
            rivals = [float(_number(f, _with_row(point, r, at, row))) for row in rng.dirichlet(np.ones(best.shape[-1]), RIVALS)]
        except (NotEvaluable, np.linalg.LinAlgError) as error:
            return Evidence("unknown", method="other rows", tried=(str(error),))
        if not np.all(np.isfinite([top, *rivals])):
            continue
        if max(sign * (x - top) for x in rivals) > 1e-9 * (1 + abs(top)):
            raise InternalError(f"a row does better than the best one: {max(rivals)} and {top}")
        won += 1
        if won == POINTS:
            break
    return (
        Evidence("checked", digits=9, points=won, method="no other row does better at random data") if won else Evidence("unknown")
    )


REDUCERS: dict[str, Callable[[Operator, Context], Array]] = {"optimum_by_rows": optimum_by_rows}
