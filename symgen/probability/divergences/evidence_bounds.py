"""Lower bounds on the logarithm of an evidence by several draws of what is hidden, each with its importance weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.divergences.divergence import rank_zero
from symgen.probability.laws.copies import copies_of, one_of_each
from symgen.probability.laws.elimination import log_joint
from symgen.probability.laws.joint import DistRef, Factor, decode, draws_of, expectation, factor_log_density, placed_in
from symgen.probability.laws.law import has_density
from symgen.tensor.expression import (
    ZERO,
    Array,
    Node,
    Num,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    divide,
    entry,
    expand_size,
    fn,
    fresh_index,
    num,
    replace_arrays,
    sub,
    total,
    var,
    walk,
)
from symgen.tensor.scope import is_size
from symgen.text.diagnostics import CannotDerive

__all__ = ["METHODS"]

FEW = 6  # draws


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
    heads = {v.name: f for f in q.joint.factors for v in f.variables}
    own = [Factor(q.joint.name, (v,), heads[v.name].given if v.name in heads else (), law) for v, law in draws]
    return draws, sub(_log_densities(p.joint.factors, values, ctx), _log_densities(own, {}, ctx))


def _log_densities(factors: Sequence[Factor], values: dict[Var, Array], ctx: Context) -> Scalar:
    """The sum of the log-densities of factors; those that are not known stay."""
    known = [f for f in factors if has_density(f.law)]
    others = (entry(factor_log_density(f, values)) for f in factors if f not in known)
    return add(log_joint(known, values, ctx.quiet()) if known else ZERO, *others)


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
    if not all(has_density(law) for _, law in draws) or any(_is_unknown(n) for n in walk(weight)):
        return _few(op, draws, weight, count, arguments[0][1].joint.name, ctx)
    copies = copies_of(draws, (k,))
    j = fresh_index(k)
    each = one_of_each(weight, {v: w for (v, _), (w, _) in zip(draws, copies, strict=True)}, [j])
    share = divide(total(fn("exp", each), [j]), k)
    whole = rank_zero(fn("log", entry(expectation(rank_zero(share), copies))))
    value = expectation(rank_zero(fn("log", share)), copies)
    return told(op, whole, value, arguments[0][1].joint.name, ctx)


def _is_unknown(n: Node) -> bool:
    return isinstance(n, Operator) and n.name == "density"


def _few(op: Operator, draws: list[tuple[Var, Array]], weight: Scalar, count: Fraction | None, name: str, ctx: Context) -> Array:
    """Each draw under a name of its own: densities that are not known are of single variables."""
    if count is None or count > FEW:
        raise CannotDerive(f"draws of a density that is not known, or scored by one, are counted: from 1 to {FEW}", op)
    every: list[tuple[Var, Array]] = []
    shares: list[Scalar] = []
    for j in range(1, int(count) + 1):
        own: dict[Array, Array] = {v: var(f"{v.name}_{j}", v.shape, v.domain, "random", v.domain_args, v.uid) for v, _ in draws}
        every += [(w, replace_arrays(law, own)) for (v, law) in draws if isinstance(w := own[v], Var)]
        shares.append(fn("exp", replace_arrays(weight, own)))
    share = divide(add(*shares), num(count))
    whole = rank_zero(fn("log", entry(expectation(rank_zero(share), every))))
    return told(op, whole, expectation(rank_zero(fn("log", share)), every), name, ctx)


def told(op: Operator, whole: Array, value: Array, name: str, ctx: Context) -> Array:
    reason = f"p(x, z)/{name}(z) has the mean p(x) under {name}, and so has the mean of several"
    ctx.trace.add("importance weights", op, whole, reason=reason)
    ctx.trace.add(
        "bound_below", whole, value, reason="Jensen: the logarithm is concave", source="Burda, Grosse & Salakhutdinov (2016)"
    )
    return value


METHODS: dict[str, Callable[[Operator, Sequence[Any], Context], Array]] = {"importance": importance}
