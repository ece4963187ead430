"""Whole-array formulas at values that hang on an index: log p(x[i] | z) under sum[i](..).

What is made from such a value gets the indices as leading axes, over which operations map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    Array,
    Operation,
    Scalar,
    Tensor,
    Var,
    entry,
    operation,
    replace_arrays,
    substitute,
    tensor,
    topological,
    variables_of,
)  # fmt: skip

At = Callable[..., Scalar]  # from index values to the entry there


def at_values(formula: Scalar, values: Mapping[Var, Value]) -> Scalar | None:
    """`formula` with its variables at `values`, in which indices may be free; None where an array of it cannot be lifted."""
    outer = tuple(dict.fromkeys(i for v in values.values() for i in v.outer))
    put: dict[Array, At] = {v: value.at for v, value in values.items()}
    for array in topological(tensor((), formula)):
        if array in put or not variables_of(array) & values.keys():
            continue
        if isinstance(array, Tensor):
            put[array] = _entry_of(Value(array.axes, replace_arrays(array.body, put)))
        elif isinstance(array, Operation):
            operands = []
            for x in array.operands:
                if not isinstance(x, Array):
                    x = replace_arrays(x, put)
                    if x.free:
                        return None
                    operands.append(x)
                    continue
                at = build.fresh(x.shape)
                body = put[x](*at) if x in put else entry(x, *at)
                operands.append(tensor((*outer, *at), body))
            lifted = operation(array.name, operands, (*(i.size for i in outer), *array.shape))
            put[array] = lambda *at, lifted=lifted: entry(lifted, *outer, *at)
        else:
            return None
    result: Scalar = replace_arrays(formula, put)
    return result


def _entry_of(value: Value) -> At:
    return lambda *at: substitute(value.body, dict(zip(value.indices, at, strict=True)))
