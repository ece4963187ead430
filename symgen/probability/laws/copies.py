"""z[n] ~ q: independent draws of one law, as one array over leading axes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from symgen.calculus.rules import lift
from symgen.probability.laws.joint import full_law
from symgen.probability.laws.law import LAW
from symgen.tensor.expression import (
    Array,
    Entry,
    Fold,
    Index,
    Node,
    Operator,
    Scalar,
    Sum,
    Tensor,
    Var,
    entry,
    fresh_index,
    open_tensor,
    operator,
    tensor,
    var,
    variables_of,
)
from symgen.text.diagnostics import CannotDerive

__all__ = ["COPIES", "copies_of", "is_symmetric_in", "law_of_one", "one_of", "one_of_each"]

COPIES = "copies"  # the law of independent draws of one that is not known


def copies_of(draws: Sequence[tuple[Var, Array]], sizes: Sequence[Scalar]) -> list[tuple[Var, Array]]:
    """n draws of (v, law), .. under variables with leading axes; what is drawn first stands in the laws of what comes later."""
    indices = [fresh_index(s) for s in sizes]
    whole: dict[Array, Callable[..., Scalar]] = {}
    made: dict[Array, Array] = {}
    out: list[tuple[Var, Array]] = []
    for v, law in draws:
        new = var(v.name, (*sizes, *v.shape), v.domain, "random", v.domain_args, v.uid)
        found = made.get(law)
        if found is None:
            full = full_law(law, v.shape) if len(v.shape) > len(law.shape) else law
            found = made[law] = _copied(full, whole, indices)
        whole[v] = _entries(new, indices)
        out.append((new, found))
    return out


def _entries(new: Var, indices: Sequence[Index]) -> Callable[..., Scalar]:
    return lambda *at: entry(new, *indices, *at)


def one_of_each(body: Scalar, pairs: Mapping[Var, Var], indices: Sequence[Index]) -> Scalar:
    """`body` at the copies with these numbers of the variables that it is written in."""
    return lift(body, {v: _entries(new, indices) for v, new in pairs.items()})


def law_of_one(law: Operator) -> Operator:
    """The density of each of the copies."""
    return operator("density", law.args, law.shape[law.attrs[1] :], law.attrs[2])


def one_of(v: Var, law: Operator) -> Var:
    """A variable for one of the copies that `v` is."""
    return var(v.name, v.shape[law.attrs[1] :], v.domain, v.role, v.domain_args, v.uid)


def is_symmetric_in(body: Scalar, copies: Collection[Var]) -> bool:
    """Whether the numbers of the copies may be exchanged: each stands under an index that is summed over and nowhere else."""
    numbers: set[Scalar] = set()
    places: set[Scalar] = set()
    seen: set[Node] = set()
    waiting: list[Node] = [body]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, Index):
            places.add(node)
        elif isinstance(node, Sum | Fold):
            waiting.append(node.body)
        elif not isinstance(node, Entry):
            waiting += node.args
        elif node.array in copies:
            numbers.add(node.indices[0])
            waiting += node.indices[1:]
        elif isinstance(node.array, Tensor):
            waiting.append(open_tensor(node.array, node.indices))
        elif isinstance(node.array, Operator) and node.array.name == "apply":
            inner = [[fresh_index(s) for s in a.shape[len(node.indices) :]] for a in node.array.args]
            waiting += [open_tensor(a, (*node.indices, *own)) for a, own in zip(node.array.args, inner, strict=True)]
        elif variables_of(node.array).isdisjoint(copies):
            waiting += node.indices
        else:
            return False
    return all(isinstance(i, Index) for i in numbers) and numbers.isdisjoint(places | set(body.free))


def _copied(law: Array, whole: Mapping[Array, Callable[..., Scalar]], indices: Sequence[Index]) -> Array:
    assert isinstance(law, Operator)
    sizes = [i.size for i in indices]
    if law.name == "density":
        if not variables_of(law).isdisjoint(whole):
            raise CannotDerive("several draws of a law that is not known, each given another", law)
        return operator(COPIES, law.args, (*sizes, *law.shape), (LAW, len(sizes), law.attrs))
    if variables_of(law).isdisjoint(whole):
        return full_law(law, (*sizes, *law.shape))
    operands: list[Array] = []
    for a in law.args:
        assert isinstance(a, Array)
        own = [fresh_index(s) for s in a.shape]
        operands.append(tensor((*indices, *own), lift(entry(a, *own), whole)))
    return operator(law.name, operands, (*sizes, *law.shape), law.attrs)
