"""Where a function of several variables is least or greatest: one after the other, each put into what is left.

min over x and y is min over y of min over x: where each of these is attained, so is the whole, at the values put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, permutations

from symgen.calculus.conjugate_optimum import conjugate_optimum
from symgen.calculus.curvature import flat
from symgen.calculus.finished import finished
from symgen.calculus.optimum import optimum
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence, Trace
from symgen.tensor.expression import Array, Operator, Tensor, Var, replace_arrays, tensor, variables_of
from symgen.text.diagnostics import CannotDerive

__all__ = ["REDUCERS", "JointOptimum", "joint_optimum"]

HERE = "symgen/calculus/joint_optimum.py"
MOST_ORDERS = 6
_FOUND = Evidence("checked", method="each of the optima in turn: no other point does better at random data")
SHORT, LONG = 40, 200  # nodes of a value that is written out; of one with which no other order is tried


@dataclass
class JointOptimum:
    """`at` holds the best value of each variable, `value` the function there."""

    at: dict[str, Array]
    value: Array
    conditions: tuple[str, ...] = ()
    evidence: Evidence | None = field(default=None, repr=False)


def joint_optimum(op: Operator, ctx: Context) -> JointOptimum:
    """The engine of argmin(f, [x, y]) and argmax(f, [x, y]). Raises CannotDerive where no order of them leads through."""
    f, *operands = op.operands
    assert isinstance(f, Array)
    word, constraints = op.attrs
    if constraints:
        raise CannotDerive("an optimum over several variables together is without `subject_to` in symgen", op, HERE)
    xs = [x for x in operands if isinstance(x, Var)]
    if len(set(xs)) < len(operands):
        raise CannotDerive("an optimum is over variables, each named once", op, HERE)
    fault: CannotDerive | None = None
    best: tuple[int, dict[Var, Array], Array, Trace] | None = None
    together = conjugate_optimum(f, xs, -1 if word == "argmin" else 1, ctx)
    if together is not None:
        value = _short(replace_arrays(f, dict(together)), ctx)
        return JointOptimum({x.name: together[x] for x in xs}, value, tuple(ctx.trace.required), _FOUND)
    for order in islice(permutations(sorted(xs, key=lambda x: x.rank)), MOST_ORDERS):  # numbers first: they stay short
        ctx.check()
        quiet = ctx.quiet()
        try:
            at, value = _one_by_one(f, order, -1 if word == "argmin" else 1, quiet)
        except CannotDerive as error:
            fault = fault or error
            continue
        length = sum(flat(a).weight for a in at.values())
        if best is None or length < best[0]:
            best = (length, at, value, quiet.trace)
        if length > LONG:
            break  # what is this long is put into nothing else
    if best is None:
        why = f": {fault.args[0]}" if fault is not None else ""
        raise CannotDerive(f"chosen one after the other, in any order, the variables lead to no optimum{why}", f, HERE)
    _, at, value, made = best
    _adopt(ctx.trace, made)
    required = tuple(made.required)
    return JointOptimum({x.name: at[x] for x in xs}, value, required, replace(_FOUND, conditions=required))


def _one_by_one(f: Array, order: Sequence[Var], sign: int, ctx: Context) -> tuple[dict[Var, Array], Array]:
    left = f
    chosen: list[tuple[Var, Array]] = []
    later: dict[Var, Array] = {}
    for k, x in enumerate(order):
        best = _short(optimum(left, x, (), sign, ctx), ctx)
        chosen.append((x, best))
        if flat(best).weight > SHORT and variables_of(best).isdisjoint(order[k + 1 :]):
            later[x] = best  # whatever the others are: it keeps its letter until they are found
        else:
            left = replace_arrays(left, {x: best})
    at: dict[Var, Array] = {}
    for x in later:
        at[x] = later[x] = replace_arrays(later[x], {a: b for a, b in later.items() if a is not x and a in at})
    for x, best in reversed(chosen):
        if x in later:
            continue
        at[x] = _short(replace_arrays(best, dict(at)), ctx)
        if at[x] is not best:
            ctx.trace.add("substitute", best, at[x], where=x.name, reason="the others at their best")
    return at, _short(replace_arrays(left, dict(later)) if later else left, ctx)


def _short(array: Array, ctx: Context) -> Array:
    """As people write it; what is short, or gets shorter so, is written out where a part of it is named."""
    whole = flat(array)
    if not isinstance(array, Tensor) or not isinstance(whole, Tensor):
        return whole if whole.weight <= SHORT else array
    opened = _finished(whole, ctx) if whole.weight <= LONG else array
    if whole.weight <= SHORT or opened is array:
        return opened if opened is not array else _finished(array, ctx)
    made = _finished(array, ctx)
    return opened if opened.weight < flat(made).weight else made


def _finished(array: Tensor, ctx: Context) -> Array:
    return tensor(array.axes, finished(array.body, Context(facts=ctx.facts, names=ctx.names)))


def _adopt(trace: Trace, made: Trace) -> None:
    trace.steps += made.steps
    trace.names.update(made.names)
    trace.checks += made.checks
    for text in made.conditions:
        trace.condition(text)
    for text in made.required:
        trace.require(text)
    for text in made.notes:
        trace.note(text)


REDUCERS = {"joint_optimum": joint_optimum}
