"""The chain rule for joints that are not known: log p(z | x) = log p(x, z) - log p(x), for what a proof compares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgen.probability.laws.joint import decode
from symgen.tensor.expression import Array, Node, Operator, Scalar, Var, entry, operator, replace_arrays, sub, tensor, walk

__all__ = ["with_chain_rule"]


def with_chain_rule(array: Array) -> Array:
    """The array with the densities of a joint's parts as quotients of its marginals; as it is, where there are none."""
    places: dict[Array, Any] = {}
    for n in walk(array):
        if isinstance(n, Operator) and n.name == "log_density_of":
            opened = _opened(n)
            if opened is not None:
                places[n] = opened
    return replace_arrays(array, places) if places else array


def _opened(op: Operator) -> Array | None:
    """log p(a | b) = log p(a, b) - log p(b), for a joint that is one unknown density."""
    (ref,), options = decode(op)
    if len(ref.joint.factors) != 1:
        return None
    (factor,) = ref.joint.factors
    law = factor.law
    if not isinstance(law, Operator) or law.name != "density":
        return None
    values: dict[Var, Array] = {v: options[key] for v, key in options["names"]}
    outside: dict[Array, Any] = {v: x for v, x in values.items() if v in factor.given and x is not v}
    law = replace_arrays(law, outside) if outside else law

    def marginal(chosen: Sequence[Var]) -> Scalar:
        places = [k for k, v in enumerate(factor.variables) if v in chosen]
        at: list[Node] = [values.get(factor.variables[k], factor.variables[k]) for k in places]
        attrs: tuple[Any, ...] = (factor.name, (), ())
        if len(places) < len(factor.variables):
            attrs = (*attrs, tuple(places))
        return entry(operator("log_density", (law, *at), (), attrs))

    given = [v for v in ref.given if v in factor.variables]
    whole = marginal([*ref.variables, *given])
    return tensor((), sub(whole, marginal(given)) if given else whole)
