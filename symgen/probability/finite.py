"""Finite latent variables: their posteriors and marginals by enumeration, and mixtures over their values."""

from __future__ import annotations

from symgen.probability.collect import collected
from symgen.probability.elimination import opened_in
from symgen.probability.law import LAW, row_of
from symgen.probability.terms import entries_in, terms_of, with_value
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Index,
    Mul,
    Scalar,
    Sum,
    Var,
    add,
    delta,
    entry,
    fn,
    fresh_index,
    mul,
    num,
    open_sum,
    operation,
    operator,
    sub,
    substitute,
    tensor,
    total,
    variables_of,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

FINITE = ("Bernoulli", "Categorical", "OneHotCategorical")


def is_finite(law: Array) -> bool:
    row = row_of(law)
    return row is not None and row.name in FINITE


def classes(law: Array) -> Scalar:
    """How many labels a Categorical has."""
    p = law.args[0]
    assert isinstance(p, Array)
    return p.shape[-1]


def count_of(z: Var, law: Array) -> Scalar:
    """How many values one component of z takes."""
    row = row_of(law)
    assert row is not None
    return num(2) if row.name == "Bernoulli" else z.shape[-1] if row.own_rank else classes(law)


def at_value(body: Scalar, z: Var, law: Array, k: Index) -> Scalar:
    """`body` where a component of z takes its k-th value."""
    row = row_of(law)
    assert row is not None
    if row.name == "Bernoulli":
        off, on = with_value(body, z, lambda *_: ZERO), with_value(body, z, lambda *_: ONE)
        return add(mul(delta(k, ZERO), off), mul(delta(k, ONE), on))
    if row.name == "Categorical":
        return with_value(body, z, lambda *_: k)
    return with_value(body, z, lambda *at: delta(at[-1], k))


def by_enumeration(body: Scalar, z: Var, law: Array) -> Array:
    """A finite latent variable: the weights are a softmax of the log joint density at its values."""
    row = row_of(law)
    assert row is not None
    axes = [fresh_index(s) for s in z.shape[: z.rank - row.own_rank]]
    local = per_entry(body, z, axes)
    if local is None:
        raise CannotDerive(f"the entries of `{z.name}` are not independent given the rest", None)
    if row.name == "Bernoulli":
        odds = sub(with_value(local, z, lambda *_: ONE), with_value(local, z, lambda *_: ZERO))
        return operator("Bernoulli", [tensor(axes, fn("sigmoid", collected(odds)))], z.shape, (LAW,))
    k = fresh_index(count_of(z, law))
    logits = tensor([*axes, k], at_value(local, z, law, k))
    return operator(row.name, [operation("softmax", (logits,), logits.shape)], z.shape, (LAW,))


def summed_out(body: Scalar, z: Var, law: Array) -> Scalar:
    """The log of the sum of exp(body) over the values of a finite z, entry by entry."""
    row = row_of(law)
    assert row is not None
    axes = [fresh_index(s) for s in z.shape[: z.rank - row.own_rank]]
    local = per_entry(body, z, axes)
    if local is None:
        raise CannotDerive(f"the entries of `{z.name}` are not independent given the rest", None)
    free = add(*(t for t in terms_of(body) if z not in variables_of(t)))
    k = fresh_index(count_of(z, law))
    weights = collected(at_value(local, z, law, k))
    if weights.free <= {*axes, k}:
        logits = tensor([*axes, k], weights)
        summed: Scalar = entry(operation("logsumexp", (logits,), logits.shape[:-1]), *axes)
    else:  # it hangs on indices of another mixture
        extra = sorted(weights.free - {*axes, k}, key=lambda i: i.serial)
        logits = tensor([*extra, *axes, k], weights)
        summed = entry(operation("logsumexp", (logits,), logits.shape[:-1]), *extra, *axes)
    return add(free, total(summed, axes))


def per_entry(body: Scalar, z: Var, axes: list[Index]) -> Scalar | None:
    """f with body = sum over axes of f(z[axes]) + what is free of z."""
    if not axes:
        return add(*(t for t in terms_of(body) if z in variables_of(t)))
    out: list[Scalar] = []
    for t in terms_of(opened_in(body, z)):
        if z not in variables_of(t):
            continue
        coefficient: Scalar = ONE
        if isinstance(t, Mul):
            sums = [f for f in t.args if isinstance(f, Sum)]
            if len(sums) != 1:
                return None
            coefficient, t = mul(*(f for f in t.args if f is not sums[0])), sums[0]
        if not isinstance(t, Sum):
            return None
        inner, indices = open_sum(t)
        entries = entries_in(inner, frozenset((z,)))
        if entries is None or not entries:
            return None
        at = entries[0].indices[: len(axes)]
        own = [i for i in at if isinstance(i, Index)]
        if len(own) != len(at) or any(i not in indices for i in own) or any(e.indices[: len(axes)] != at for e in entries):
            return None
        rest = [i for i in indices if i not in own]
        mapping: dict[Index, Scalar] = dict(zip(own, axes, strict=True))
        out.append(mul(coefficient, substitute(total(inner, rest), mapping)))
    return add(*out)
