"""root[t: a..b](g): where g, which falls from positive to negative between a and b, is 0.

An equation without a closed solution stays as it is, and code halves an interval: of log t on (0, inf), of the log-odds
on (0, 1), of arsinh t on the line.
"""

from __future__ import annotations

from itertools import count

from symgen.derivation.context import Context
from symgen.tensor.bottom_up import bottom_up
from symgen.tensor.expression import (
    HALF,
    INF,
    NAN,
    ONE,
    TWO,
    ZERO,
    Array,
    Entry,
    Operator,
    Recurrence,
    Scalar,
    Tensor,
    Var,
    add,
    compare,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    operator,
    power,
    recurrence,
    replace_arrays,
    sub,
    tensor,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["REDUCERS", "by_halving", "has_roots", "root"]

REACH = 40  # of the coordinate, on both sides of 0
STEPS = 62
ENDS = {"real": (neg(INF), INF), "positive": (ZERO, INF), "unit": (ZERO, ONE)}


def root(g: Scalar, t: Var, domain: str) -> Scalar:
    """The zero of g in t, a number of that domain; one for each value of the indices that are free in g."""
    bound = var(t.name, (), domain, "random", uid=11)
    outer = sorted(g.free, key=lambda i: i.serial)
    body = replace_arrays(tensor(outer, g), {t: bound})
    low, high = ENDS[domain]
    return entry(operator("root", (body, tensor((), low), tensor((), high)), body.shape, ((bound,),)), *outer)


def has_roots(f: Array) -> bool:
    return any(isinstance(n, Operator) and n.name == "root" for n in walk(f))


def by_halving(f: Array) -> Array:
    """`f` with each root as the last value of a sequence that halves an interval."""
    done: dict[Array, Array] = {}
    for n in list(walk(f)):
        if isinstance(n, Operator) and n.name == "root":
            current = replace_arrays(n, done) if done else n
            assert isinstance(current, Operator)
            done[n] = done[current] = _halved(current)
    return replace_arrays(f, done) if done else f


def _halved(op: Operator) -> Array:
    """u[0] = 0, u[k] = u[k - 1] + 40 sign(g(t(u[k - 1])))/2^k; no number where g has one sign."""
    (t,) = op.attrs[0]
    own = [fresh_index(s) for s in op.shape]
    body, (low, high) = open_tensor(op.operands[0], own), (open_tensor(a, ()) for a in op.operands[1:])
    domain = next((d for d, ends in ENDS.items() if ends == (low, high)), None)
    if domain is None:
        raise CannotDerive("roots are found between -inf and inf, 0 and inf, or 0 and 1", op, "symgen/calculus/root.py")
    if any(isinstance(n, Recurrence) and t in variables_of(n) for n in walk(body)):
        raise CannotDerive("a root inside a root that hangs on the outer one has no code", op, "symgen/calculus/root.py")
    inside = {n.self_var for n in walk(body) if isinstance(n, Recurrence)}
    many = (var(f"u_{t.name}", (num(STEPS + 1), *op.shape), "real", "placeholder", uid=12 + 100 * n) for n in count())
    u = next(v for v in many if v not in inside)
    k = fresh_index(num(STEPS + 1))
    before = entry(u, add(k, neg(ONE)), *own)
    side = where(compare("<", ZERO, replace_arrays(_written_out(body, t), {t: lambda: _place(domain, before)})), ONE, neg(ONE))
    step = tensor((k, *own), add(before, mul(num(REACH), side, power(HALF, k))))
    last = entry(recurrence(u, step, [tensor([fresh_index(s) for s in op.shape], ZERO)]), num(STEPS), *own)
    inside = compare("<", fn("abs", last), num(REACH - 1))
    return tensor(own, where(inside, _place(domain, last), NAN))


def _written_out(x: Scalar, t: Var) -> Scalar:
    """`x` with the definitions that t stands in written out."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Entry) and isinstance(n.array, Tensor) and t in variables_of(n.array):
            return bottom_up(open_tensor(n.array, n.indices), rule)
        return n

    return bottom_up(x, rule)


def _place(domain: str, u: Scalar) -> Scalar:
    if domain == "positive":
        return fn("exp", u)
    return fn("sigmoid", u) if domain == "unit" else divide(sub(fn("exp", u), fn("exp", neg(u))), TWO)


def reduce_root(op: Operator, ctx: Context) -> Array:
    """A root stays: what is asked has no closed form that symgen finds."""
    ctx.trace.note("a root stays an equation: code halves an interval until it is met")
    return op


REDUCERS = {"root": reduce_root}
