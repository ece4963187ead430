"""Branches: one that is no choice; and inverses in those that may not be taken: code computes both, and a singular matrix
there is no error."""

from __future__ import annotations

from collections.abc import Mapping

from symgen.tensor.expression import Array, Compare, Node, Operation, Scalar, Where, operation, replace_arrays, walk

__all__ = ["with_quiet_inverses", "without_choice"]


def without_choice(n: Where) -> Scalar:
    """where(x == c, c, x) is x, and where(.., x, x) too."""
    condition, a, b = n.args
    is_told = isinstance(condition, Compare) and condition.op == "==" and {a, b} == set(condition.args)
    return b if a is b or is_told else n


def with_quiet_inverses(outputs: Mapping[str, Array]) -> dict[str, Array]:
    """inv(A) that the values have in branches alone, as a function that is nan where A is singular."""
    if not any(isinstance(n, Where) for n in walk(*outputs.values())):
        return dict(outputs)
    taken: set[Node] = set()
    stack: list[Node] = [a for name, a in outputs.items() if not name.startswith("grad ")]
    conditional = any(isinstance(n, Where) for n in walk(*stack))
    while stack:
        n = stack.pop()
        if n in taken:
            continue
        taken.add(n)
        stack.extend(n.args[:1] if isinstance(n, Where) else n.args)
    quiet = {
        n: operation("inv_or_nan", n.operands, n.shape)
        for n in walk(*outputs.values())
        if isinstance(n, Operation) and n.name == "inv" and n not in taken
    }
    return {name: replace_arrays(a, quiet) for name, a in outputs.items()} if quiet and conditional else dict(outputs)
