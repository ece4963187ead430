"""The derivative of a sum over paths by its terms, past logarithms of what may be 0.

For alpha[t, j] = log sum over i of exp(alpha[t - 1, i] + g[i, j]) + l[t, j] and its value at the end, the derivative by g[i, j]
is the sum over t of exp(alpha[t - 1, i] + g[i, j] + l[t, j] + beta[t, j] - log Z). Where g[i, j] = log a, that by a is the same
without g: no division by a, which may be 0. Rabiner (1989), III.C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgen.calculus.adjoint import Statement
from symgen.calculus.separate import terms_of
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Delta,
    Entry,
    Fn,
    Index,
    Mul,
    Operation,
    Recurrence,
    Scalar,
    Tensor,
    Var,
    add,
    axis,
    depends_on,
    entry,
    fn,
    fresh_index,
    mul,
    open_tensor,
    operation,
    recurrence,
    replace_arrays,
    sub,
    substitute,
    tensor,
    topological,
    var,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_positive

if TYPE_CHECKING:
    from symgen.calculus.reverse import Reverse

__all__ = ["Paths", "logarithms_under", "paths_of"]

FIRST_UID = 5000  # of what stands for a logarithm


@dataclass(frozen=True)
class Logarithms:
    """The logarithms of what may be 0 that stand in a sum of exponentials."""

    constants: dict[Array, Callable[..., Scalar]]  # what stands for them
    logs: list[tuple[Scalar, list[Index], Scalar]]  # what may be 0, over which axes, the exponent of its terms without its log
    factor: Scalar

    def emit(self, outer: Reverse) -> None:
        """The adjoints of what stands in the logarithms."""
        for u, axes, exponent in self.logs:
            self.swept(outer, u, mul(self.factor, fn("exp", exponent)), axes)

    def swept(self, outer: Reverse, u: Scalar, g: Scalar, axes: Sequence[Index]) -> None:
        def emit(target: Array, body: Scalar) -> None:
            outer.emit(target, replace_arrays(body, self.constants))

        statement = Statement(outer.active, frozenset(outer.lifted), outer.noise, outer.ctx, outer.simplify, emit)
        statement.sweep(u, g, axes, u)


@dataclass(frozen=True)
class Paths(Logarithms):
    """A sum over paths with the logarithms of what may be 0 set apart."""

    node: Recurrence  # with a constant in the place of each such logarithm

    def starts(self, outer: Reverse, bar: Callable[..., Scalar]) -> None:
        """The adjoint of what else the first entry is made from; `bar` is that of the entry."""
        (start,) = self.node.base
        axes = [axis(k, s) for k, s in enumerate(start.shape)]
        self.swept(outer, open_tensor(start, axes), bar(*axes), axes)

    def leads_on(self, outer: Reverse) -> bool:
        """Whether anything else of the sequence hangs on what is differentiated by."""
        return any(a in outer.active for part in (self.node.step, *self.node.base) for a in topological(part) if isinstance(a, Var))


def paths_of(outer: Reverse, node: Recurrence, g: Scalar) -> Paths | None:
    """`node` as a sum over paths whose logarithm at the end is what is differentiated; None where it is nothing like that, or
    no logarithm of what may be 0 stands in it."""
    end = _end(node, g)
    if end is None or node.reverse or len(node.base) != 1 or not isinstance(node.step, Tensor):
        return None
    factor, whole = end
    axes = list(node.step.axes)
    many, j = axes[1:-1], axes[-1]
    s, i = fresh_index(sub(node.shape[0], ONE)), fresh_index(node.shape[-1])
    terms = terms_of(node.step.body)
    over = next((t for t in terms if depends_on(t, node.self_var)), None)
    single = [t for t in terms if t is not over]
    if not isinstance(over, Entry) or not isinstance(over.array, Operation) or over.array.name != "logsumexp":
        return None
    (inside,) = over.array.operands
    if not isinstance(inside, Array) or any(depends_on(t, node.self_var) for t in single):
        return None
    own = [fresh_index(n) for n in inside.shape]
    place = dict(zip(own, [*over.indices, i], strict=True))
    both = terms_of(open_tensor(inside, own))
    before = next((t for t in both if depends_on(t, node.self_var)), None)
    pair = [t for t in both if t is not before]
    if before is None or substitute(before, place) is not entry(node.self_var, sub(axes[0], ONE), *many, i):
        return None
    if any(depends_on(t, node.self_var) for t in pair):
        return None
    at = [fresh_index(n) for n in node.shape[1:]]
    apart = _Apart(outer)
    pairs, singles, starts = apart.split(pair), apart.split(single), apart.split(terms_of(open_tensor(node.base[0], at)))
    if not apart.constants:
        return None

    there = {axes[0]: add(s, ONE)}
    moved = {k: substitute(v, there) for k, v in place.items()}
    pairs_there = [(substitute(t, moved), substitute(u, moved)) for t, _, u in pairs]
    singles_there = [(substitute(t, there), substitute(u, there)) for t, _, u in singles]
    local, emitted = [t for t, _ in singles_there], [t for t, _ in pairs_there]
    beta = _backward(outer, node, add(*emitted, *local), (s, *many, i, j))
    to = entry(node, s, *many, i)
    after = sub(entry(beta, add(s, ONE), *many, j), substitute(whole, dict(zip(_axes(node)[1:], [*many, j], strict=True))))
    reached = replace_arrays(substitute(over, there), {node.self_var: node})
    logs = []
    for k, (_, u) in enumerate(pairs_there):
        if u is not ZERO:
            logs.append((u, [s, *many, i, j], add(to, *_without(emitted, k), *local, after)))
    for k, (_, u) in enumerate(singles_there):
        if u is not ZERO:
            logs.append((u, [s, *many, j], add(reached, *_without(local, k), after)))
    first = [t for t, _, _ in starts]
    onward = sub(entry(beta, ZERO, *at), substitute(whole, dict(zip(_axes(node)[1:], at, strict=True))))
    logs += [(u, at, add(*_without(first, k), onward)) for k, (_, _, u) in enumerate(starts) if u is not ZERO]

    summed = tensor(own, add(before, *(c for _, c, _ in pairs)))
    step = add(entry(operation("logsumexp", (summed,), over.array.shape), *over.indices), *(c for _, c, _ in singles))
    base = tensor(at, add(*(c for _, c, _ in starts)))
    return Paths(apart.constants, logs, factor, recurrence(node.self_var, tensor(axes, step), [base]))


def logarithms_under(outer: Reverse, node: Operation, g: Scalar) -> bool:
    """Emits the adjoints of what logsumexp(x) is made from, and whether it did: with x = log(u) + v the derivative by u is
    exp(v - logsumexp(x)), where u may be 0 too."""
    (inside,) = node.operands
    if not isinstance(inside, Tensor) or inside not in outer.active or inside in outer.wanted | outer.stop:
        return False
    axes = _axes(inside)
    apart = _Apart(outer)
    parts = apart.split(terms_of(open_tensor(inside, axes)))
    if not apart.constants:
        return False
    whole = entry(node, *axes[:-1])
    terms = [t for t, _, _ in parts]
    logs = [(u, axes, sub(add(*_without(terms, k)), whole)) for k, (_, _, u) in enumerate(parts) if u is not ZERO]
    Logarithms(apart.constants, logs, g).emit(outer)
    share = entry(operation("softmax", (inside,), inside.shape), *axes)
    Logarithms(apart.constants, [], g).swept(outer, add(*(c for _, c, _ in parts)), mul(g, share), axes)
    return True


class _Apart:
    """Sets logarithms of what may be 0 apart, among the terms of a sum."""

    def __init__(self, outer: Reverse) -> None:
        self.outer = outer
        self.constants: dict[Array, Callable[..., Scalar]] = {}

    def split(self, terms: Iterable[Scalar]) -> list[tuple[Scalar, Scalar, Scalar]]:
        """Each term, what stands for it, and u where it is log(u) and u may be 0; 0 there where it is not."""
        out: list[tuple[Scalar, Scalar, Scalar]] = []
        for t in terms:
            inner = self.definition(t)
            if isinstance(inner, Add) and any(self.inside(self.definition(x)) is not ZERO for x in inner.args):
                out += self.split(inner.args)
                continue
            u = self.inside(inner)
            out.append((t, t if u is ZERO else self.constant(t), u))
        return out

    def definition(self, t: Scalar) -> Scalar:
        while isinstance(t, Entry) and isinstance(t.array, Tensor):
            if t.array in self.outer.wanted or t.array in self.outer.stop or self.outer.ctx.name_of(t.array) is not None:
                return t
            t = open_tensor(t.array, t.indices)
        return t

    def inside(self, t: Scalar) -> Scalar:
        if not isinstance(t, Fn) or t.name != "log" or is_positive(t.args[0], self.outer.ctx.facts):
            return ZERO
        u: Scalar = t.args[0]
        return u if any(isinstance(n, Entry) and n.array in self.outer.active for n in walk(u)) else ZERO

    def constant(self, t: Scalar) -> Scalar:
        free = sorted(t.free, key=_order)
        made = var("c", tuple(i.size for i in free), role="placeholder", uid=FIRST_UID + len(self.constants))

        def read(*at: Scalar) -> Scalar:
            found: Scalar = substitute(t, dict(zip(free, at, strict=True)))
            return found

        self.constants[made] = read
        return entry(made, *free)


def _end(node: Recurrence, g: Scalar) -> tuple[Scalar, Scalar] | None:
    """c and logsumexp(alpha[T - 1]) over the axes of the sequence, where g = c softmax(alpha[T - 1])[j] at the last time alone."""
    axes = _axes(node)
    last = sub(node.shape[0], ONE)
    rest: list[Scalar] = []
    whole: Scalar | None = None
    at_end = False
    for f in g.args if isinstance(g, Mul) else (g,):
        array = f.array if isinstance(f, Entry) else None
        if isinstance(f, Delta) and axes[0] in f.args and last in f.args and not at_end:
            at_end = True
        elif isinstance(array, Operation) and array.name == "softmax" and whole is None and _is_last(array, f.indices, node, last):
            whole = entry(operation("logsumexp", array.operands, array.shape[:-1]), *f.indices[:-1])
        else:
            rest.append(f)
    factor = mul(*rest)
    if whole is None or not at_end or factor.free & {axes[0], axes[-1]} or depends_on(factor, node.self_var):
        return None
    return factor, whole


def _is_last(array: Operation, indices: Sequence[Scalar], node: Recurrence, last: Scalar) -> bool:
    (inside,) = array.operands
    return isinstance(inside, Array) and open_tensor(inside, indices) is entry(node, last, *_axes(node)[1:])


def _backward(outer: Reverse, node: Recurrence, body: Scalar, at: Sequence[Index]) -> Recurrence:
    """beta[t, i] = log sum over j of exp(body + beta[t + 1, j]), 0 at the end; `body` is over t, .., i, j."""
    s, *many, i, j = at
    own = var("beta", node.shape, role="recurrence", uid=1)
    summed = tensor(at, add(body, entry(own, add(s, ONE), *many, j)))
    t = fresh_index(node.shape[0])
    step = entry(operation("logsumexp", (summed,), summed.shape[:-1]), t, *many, i)
    zeros = tensor([fresh_index(n) for n in node.shape[1:]], ZERO)
    outer.ctx.trace.note("`beta[t, j]` is the logarithm of the sum over all paths that go on from `j` at the time `t`")
    return recurrence(own, tensor((t, *many, i), step), [zeros], reverse=True)


def _without(terms: Sequence[Scalar], k: int) -> list[Scalar]:
    return [t for n, t in enumerate(terms) if n != k]


def _axes(node: Recurrence) -> list[Index]:
    return [axis(k, s) for k, s in enumerate(node.shape)]


def _order(i: Index) -> tuple[str, int]:
    return (i.kind, i.number)
