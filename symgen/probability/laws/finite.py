"""Finite latent variables: their posteriors and marginals by enumeration, and mixtures over their values."""

from __future__ import annotations

from symgen.probability.forms.collect import collected
from symgen.probability.forms.terms import factors_of, terms_of, with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.elimination import opened_in
from symgen.probability.laws.law import LAW, row_of
from symgen.tensor.expression import (
    INF,
    ONE,
    ZERO,
    Array,
    Entry,
    Fn,
    Index,
    Mul,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    as_coefficient,
    compare,
    delta,
    entry,
    fn,
    fresh_index,
    mul,
    num,
    open_sum,
    operation,
    operator,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    variables_of,
    walk,
    where,
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
        off, on = (without_log_of_nothing(with_value(body, z, lambda *_, value=value: value)) for value in (ZERO, ONE))
        if INF in (*walk(off), *walk(on)):
            return where(compare("==", k, ZERO), off, on)
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
        return operator("Bernoulli", [tensor(axes, fn("sigmoid", without_log_of_nothing(collected(odds))))], z.shape, (LAW,))
    k = fresh_index(count_of(z, law))
    logits = tensor([*axes, k], up_to_a_shift(at_value(local, z, law, k), k))
    return operator(row.name, [operation("softmax", (logits,), logits.shape)], z.shape, (LAW,))


def up_to_a_shift(logits: Scalar, k: Index) -> Scalar:
    """The terms in which the class stands: a softmax does not see the others."""

    def own(t: Scalar) -> Scalar:
        if not isinstance(t, Where):
            return t
        condition, *sides = t.args
        shared = [s for s in terms_of(sides[0]) if s in terms_of(sides[1]) and k not in s.free]
        return where(condition, *(add(*(s for s in terms_of(side) if s not in shared)) for side in sides)) if shared else t

    return add(*(own(t) for t in terms_of(without_log_of_nothing(collected(logits))) if k in t.free))


def may_be_nothing(x: Scalar) -> bool:
    """0, or a multiple of what is counted."""
    return x is ZERO or any(
        isinstance(f, Entry) and isinstance(f.array, Var) and f.array.domain in ("binary", "natural") for f in factors_of(x)
    )


def without_log_of_nothing(x: Scalar) -> Scalar:
    """c log 0 as minus infinity, and as 0 where the count c is 0; c log(v q), where v may be counted as 0, likewise."""

    def rule(n: Scalar) -> Scalar:
        parts = n.args if isinstance(n, Mul) else ()
        logs = [f for f in parts if isinstance(f, Fn) and f.name == "log" and may_be_nothing(f.args[0])]
        if len(logs) != 1:
            return n
        count = mul(*(f for f in n.args if f is not logs[0]))
        if logs[0].args[0] is not ZERO:
            sign, core = as_coefficient(count)
            return mul(num(sign), fn("xlogy", core, logs[0].args[0]))
        sign, core = as_coefficient(count)  # of odds, minus the count of what is impossible
        return where(compare("==", core, ZERO), ZERO, mul(num(-1 if sign > 0 else 1), INF))

    made: dict[Array, Array] = {}
    for n in walk(x):
        if isinstance(n, Tensor) and (body := bottom_up(n.body, rule)) is not n.body:
            made[n] = tensor(n.axes, body)
    return bottom_up(replace_arrays(x, made) if made else x, rule)


def counted_as_nothing(x: Scalar, z: Var | None = None) -> Scalar:
    """c log v, c a count (of z), as xlogy(c, v), which is 0 where c is: what is impossible and does not happen is certain."""

    def rule(n: Scalar) -> Scalar:
        logs = [f for f in n.args if isinstance(f, Fn) and f.name == "log"] if isinstance(n, Mul) else []
        if len(logs) != 1:
            return n
        sign, core = as_coefficient(mul(*(f for f in n.args if f is not logs[0])))
        if core is ONE or z is not None and z not in variables_of(core):
            return n
        return mul(num(sign), fn("xlogy", core, logs[0].args[0]))

    return bottom_up(x, rule)


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
    weights = without_log_of_nothing(collected(at_value(local, z, law, k)))
    if weights.free <= {*axes, k}:
        logits = tensor([*axes, k], weights)
        summed: Scalar = entry(operation("logsumexp", (logits,), logits.shape[:-1]), *axes)
    else:  # it hangs on indices of another mixture
        extra = sorted(weights.free - {*axes, k}, key=lambda i: i.serial)
        logits = tensor([*extra, *axes, k], weights)
        summed = entry(operation("logsumexp", (logits,), logits.shape[:-1]), *extra, *axes)
    return add(free, total(summed, axes))


def every_entry(x: Scalar, z: Var) -> list[Entry]:
    """The entries of z below, those under binders of their own too; none where z stands inside an array."""
    found = [n for n in walk(x) if isinstance(n, Entry) and z in variables_of(n.array)]
    return found if all(e.array is z for e in found) else []


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
        entries = every_entry(inner, z)
        if not entries:
            return None
        at = entries[0].indices[: len(axes)]
        own = [i for i in at if isinstance(i, Index)]
        if len(own) != len(at) or any(i not in indices for i in own) or any(e.indices[: len(axes)] != at for e in entries):
            return None
        rest = [i for i in indices if i not in own]
        mapping: dict[Index, Scalar] = dict(zip(own, axes, strict=True))
        out.append(mul(coefficient, substitute(total(inner, rest), mapping)))
    return add(*out)
