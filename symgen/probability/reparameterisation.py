"""Draws as functions of standard noise: E over z becomes E over eps, z = mu + sigma eps, and gradients pass through."""

from __future__ import annotations

from collections.abc import Callable

from symgen.derivation.context import Context
from symgen.probability.densities import entry_of, parameters
from symgen.probability.joint import full_law, is_expectation, opened_expectation
from symgen.probability.law import alternative_of, row_of
from symgen.probability.texts import scalar_text
from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    Array,
    Operator,
    Scalar,
    Var,
    entry,
    expect,
    fresh_index,
    replace_arrays,
    tensor,
    var,
    walk,
)  # fmt: skip


def transform_of(law: Array) -> tuple[str, str] | None:
    """(law of the noise, text of the draw as a function of it), or None."""
    row = row_of(law)
    if row is None:
        return None
    chosen = alternative_of(law)
    if chosen is not None and chosen[0].transform:
        return row.noise, chosen[0].transform
    return (row.noise, row.transform) if row.transform else None


def as_function_of_noise(law: Array, noise: Var, ctx: Context) -> Array:
    """The draw of a law at the noise, over all axes of the noise."""
    found = transform_of(law)
    row = row_of(law)
    assert found is not None and row is not None
    law = full_law(law, noise.shape)
    own = row.own_rank
    indices = [fresh_index(s) for s in noise.shape[: noise.rank - own]]
    p = parameters(law, ctx)
    if not own:
        return tensor(indices, scalar_text(found[1], {**p.scalars(indices), "eps": entry(noise, *indices)}))
    axes = build.fresh(noise.shape[noise.rank - own :])
    value = p.value(found[1], indices, eps=Value(axes, entry(noise, *indices, *axes)))
    return tensor([*indices, *value.indices], value.body)


def standard_noise(v: Var, law: Array) -> Var:
    """The noise that a variable is a function of; numbered as the variable, so that equal expectations stay equal."""
    return var(f"eps_{v.name}", v.shape, "real", "random", uid=max(v.uid, 1))


def reparameterised(op: Operator, ctx: Context) -> Array | None:
    """One E as an Expect over standard noise, or None where a law has no such form."""
    (body,), draws = opened_expectation(op)
    noise: list[Var] = []
    laws: list[str] = []
    mapping: dict[Array, Array | Callable[..., Scalar]] = {}
    for v, law in draws:
        law = replace_arrays(law, mapping) if mapping else law
        found = transform_of(law)
        if found is None:
            return None
        eps = standard_noise(v, law)
        made = as_function_of_noise(law, eps, ctx)
        ctx.trace.names.setdefault(made, v.name)
        mapping[v] = made
        noise.append(eps)
        laws.append(found[0])
    indices = [fresh_index(s) for s in body.shape]
    inner = replace_arrays(entry_of(body, indices, ctx), mapping)
    result = tensor(indices, expect(inner, noise, laws))
    ctx.trace.add(
        "reparameterise",
        op,
        result,
        reason=", ".join(f"{v.name} is a function of {law} noise" for (v, _), law in zip(draws, laws, strict=True)),
    )
    return result


def reparameterise(f: Array, ctx: Context) -> Array:
    """`f` with every E whose laws are functions of standard noise written over that noise; others stay."""
    done: dict[Array, Array] = {}
    for node in list(walk(f)):
        if isinstance(node, Operator) and node.name == "E" and is_expectation(node):
            current = replace_arrays(node, done) if done else node
            if not isinstance(current, Operator) or current.name != "E":
                continue
            made = reparameterised(current, ctx)
            if made is not None:
                done[node] = made
                if current is not node:
                    done[current] = made
    return replace_arrays(f, done) if done else f
