"""Divergences of laws that lie near each other, in code that keeps the digits which the closed form loses."""

from __future__ import annotations

import numpy as np

from symgen.codegen.compile import Compiled
from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.probability.nodes_and_weights import by_nodes
from symgen.probability.remainder import Near, near_form
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import Array, Entry, Operator, Tensor, Var, tensor, variables_of
from symgen.tensor.facts import Facts
from symgen.tensor.sample import complete_point, generator, random_point, simple_sizes, sizes_in

__all__ = ["with_digits_kept"]

DISTANCES = (1e-3, 1e-6)
POINTS = 6
DIGITS = 1e-12  # that the code of a closed form must keep
_loses: dict[tuple[str, ...], bool] = {}  # what was measured of a family, by what differs; it hangs on nothing else


def with_digits_kept(array: Array, goal: Array | None, facts: Facts | None) -> Array:
    """The result of a goal; of a divergence of two laws of one family, where the code of the closed form loses digits as
    they come near each other, with the remainder of its Taylor series there."""
    op = goal.body.array if isinstance(goal, Tensor) and not goal.rank and isinstance(goal.body, Entry) else goal
    if not isinstance(op, Operator) or op.name != "KL":
        return array
    near = near_form(op, Context(Trace(), facts))
    if near is None or not {v for v in variables_of(near.whole) if v.role != "random"} <= variables_of(array):
        return array
    if not loses_digits(near):
        return array
    return near.whole if is_same(near.whole, array, facts) else array


def in_numbers(array: Array) -> Array:
    """Means that stay, as sums over nodes."""
    return by_nodes(array, Context(Trace()), lambda _: True)


def is_same(made: Array, array: Array, facts: Facts | None) -> bool:
    """Whether both have one value at a random point: that the parameters stand in their places."""
    free = sorted((v for v in variables_of(array) if v.role != "random"), key=lambda v: v.serial)
    assumptions = facts.assumptions if facts is not None else ()
    sizes = next(iter(simple_sizes(sizes_in([array], free), {}, assumptions, top=2)), {})
    rng = generator("near", *(v.name for v in free))
    for _ in range(POINTS):
        point = random_point(free, sizes, rng, 0, assumptions)
        if point is not None:
            complete_point(point, [made, array], rng)
            with np.errstate(all="ignore"):
                a, b = (float(np.asarray(x)) for x in evaluate([in_numbers(made), in_numbers(array)], point))
            if np.isfinite(a) and np.isfinite(b):
                return abs(a - b) <= 1e-7 * max(1.0, abs(b))
    return False


def loses_digits(near: Near) -> bool:
    """Whether the code of the closed form is off where the two laws are near, by the remainder."""
    found = _loses.get(near.key)
    if found is None:
        plain, stable = (in_numbers(tensor((), x)) for x in (near.plain, near.stable))
        code = Compiled({"result": plain})
        found = False
        for distance in DISTANCES:
            values = {}
            for k, (p, q) in enumerate(near.places):
                values[p] = np.float64(0.3 if p.domain == "unit" else 0.3 + 0.2 * k if p.domain == "real" else 1.3 + 0.4 * k)
                values[q] = values[p] + distance * (0.7 - 0.4 * k)
            at = {
                v: values.get(v, np.float64(1.7))
                for v in (*variables_of(plain), *variables_of(stable), *values)
                if v.role != "random"
            }
            got = float(code({v.name: x for v, x in at.items() if _is_in(v, code)})["result"])
            want = float(evaluate([stable], Point({}, at))[0])
            if not abs(got - want) <= 1e-2 * abs(want) + 1e-9:
                found = False  # the remainder is not what it should be: the closed form stands
                break
            found = found or not abs(got - want) <= DIGITS * abs(want)
        _loses[near.key] = found
    return found


def _is_in(v: Var, code: Compiled) -> bool:
    return v in code.variables
