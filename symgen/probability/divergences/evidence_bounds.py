"""Lower bounds on the logarithm of an evidence by several draws of what is hidden, each with its importance weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.divergences.divergence import rank_zero
from symgen.probability.laws.copies import copies_of, one_of_each
from symgen.probability.laws.elimination import log_joint
from symgen.probability.laws.joint import DistRef, Factor, decode, draws_of, expectation, placed_in
from symgen.tensor.expression import (
    Array,
    Num,
    Operator,
    Scalar,
    Tensor,
    Var,
    divide,
    entry,
    expand_size,
    fn,
    fresh_index,
    replace_arrays,
    sub,
    total,
)
from symgen.tensor.scope import is_size
from symgen.text.diagnostics import CannotDerive

__all__ = ["METHODS"]


def log_weight(op: Operator, q: DistRef, ctx: Context) -> tuple[list[tuple[Var, Array]], Scalar]:
    """What q draws, and log p(x, z) - log q(z | x) at the draws."""
    (p,), _ = decode(op)
    if p.given:
        raise CannotDerive("the logarithm of an evidence, `log p(x)`, given nothing that is drawn", op)
    at = placed_in(op)
    seen: dict[Var, Array] = {v: at.get(v, v) for v in p.variables}
    hidden = [v for f in p.joint.factors for v in f.variables if v not in seen]
    by_name = {v.name: a for v, a in seen.items()}
    given: dict[Array, Array] = {g: by_name[g.name] for g in q.given if g.name in by_name}
    draws = [(v, replace_arrays(law, given) if given else law) for v, law in draws_of(q)]
    drawn = {v.name: v for v, _ in draws}
    if {v.name for v in hidden} != set(drawn) or any(v.shape != drawn[v.name].shape for v in hidden):
        names = ", ".join(f"`{v.name}`" for v in hidden)
        raise CannotDerive(f"the proposal draws what the evidence leaves out, {names}", op)
    values: dict[Var, Array] = {**seen, **{v: drawn[v.name] for v in hidden}}
    own = [Factor(q.joint.name, (v,), (), law) for v, law in draws]
    return draws, sub(log_joint(p.joint.factors, values, ctx.quiet()), log_joint(own, {}, ctx.quiet()))


def importance(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    size = arguments[1][1]
    k = expand_size(size.body if isinstance(size, Tensor) else entry(size))
    count = k.rational if isinstance(k, Num) else None
    if not is_size(k) or (count is not None and count < 1):
        raise CannotDerive("the draws are counted: a number from 1, or a size such as `dim k`", op)
    draws, weight = log_weight(op, arguments[0][1], ctx)
    if count == 1:
        whole = rank_zero(fn("log", entry(expectation(rank_zero(fn("exp", weight)), draws))))
        return told(op, whole, expectation(rank_zero(weight), draws), arguments[0][1].joint.name, ctx)
    copies = copies_of(draws, (k,))
    j = fresh_index(k)
    each = one_of_each(weight, {v: w for (v, _), (w, _) in zip(draws, copies, strict=True)}, [j])
    share = divide(total(fn("exp", each), [j]), k)
    whole = rank_zero(fn("log", entry(expectation(rank_zero(share), copies))))
    value = expectation(rank_zero(fn("log", share)), copies)
    return told(op, whole, value, arguments[0][1].joint.name, ctx)


def told(op: Operator, whole: Array, value: Array, name: str, ctx: Context) -> Array:
    reason = f"p(x, z)/{name}(z) has the mean p(x) under {name}, and so has the mean of several"
    ctx.trace.add("importance weights", op, whole, reason=reason)
    ctx.trace.add(
        "bound_below", whole, value, reason="Jensen: the logarithm is concave", source="Burda, Grosse & Salakhutdinov (2016)"
    )
    return value


METHODS: dict[str, Callable[[Operator, Sequence[Any], Context], Array]] = {"importance": importance}
