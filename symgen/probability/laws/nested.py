"""Means under means, and the ways in which indices can be equal."""

from __future__ import annotations

from symgen.probability.forms.terms import (
    factors_of,
)  # fmt: skip
from symgen.probability.laws.joint import opened_expectation
from symgen.tensor.expression import (
    Add,
    Array,
    Entry,
    Operator,
    Scalar,
    Sum,
    Var,
    add,
    mul,
    open_sum,
    open_tensor,
    total,
)  # fmt: skip


def absorbed(x: Scalar) -> tuple[Scalar, list[tuple[Var, Array]]]:
    """E E' f = E f over both draws: what stands linearly under inner means comes out, where they draw the same."""
    draws: list[tuple[Var, Array]] = []
    clash = False

    def visit(n: Scalar) -> Scalar:
        nonlocal clash
        if isinstance(n, Add):
            return add(*(visit(t) for t in n.args))
        if isinstance(n, Sum):
            body, indices = open_sum(n)
            return total(visit(body), indices)
        means = [f for f in factors_of(n) if isinstance(f, Entry) and isinstance(f.array, Operator) and f.array.name == "E"]
        if len(means) != 1:
            return n
        bodies, inner = opened_expectation(means[0].array)
        if draws and draws != inner:
            clash = True
        draws[:] = inner
        rest = mul(*(g for g in factors_of(n) if g is not means[0]))
        return mul(rest, open_tensor(bodies[0], means[0].indices))

    made = visit(x)
    return (x, []) if clash else (made, draws)


def partitions(items: list[int]) -> list[list[list[int]]]:
    if not items:
        return [[]]
    first, rest = items[0], items[1:]
    out: list[list[list[int]]] = []
    for p in partitions(rest):
        out.append([[first], *p])
        for k in range(len(p)):
            out.append([*p[:k], [first, *p[k]], *p[k + 1 :]])
    return out
