"""Reverse mode inside one statement: from the adjoint of its value to the adjoints of the arrays that it reads.

Every scalar node of the statement is a family of numbers over its own free indices, and so is its adjoint: what comes
from a parent with more indices is summed over them. The nodes are a DAG, each is visited once, after all its parents;
the cost is linear in what is written, however often subexpressions are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from fractions import Fraction
from typing import Any

from symgen.calculus.kinks import is_root, tell_kinks, ties_last
from symgen.calculus.rules import derivative_of
from symgen.derivation.context import Context
from symgen.tensor.build import same_size
from symgen.tensor.domains import DOMAINS
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Delta,
    Dim,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Logic,
    Mul,
    Node,
    Num,
    Operator,
    Pow,
    Scalar,
    Sum,
    Var,
    Where,
    add,
    axis,
    bound_index,
    compare,
    delta,
    entry,
    expect,
    fn,
    fold,
    fresh_index,
    logic,
    mul,
    num,
    open_sum,
    operator,
    power,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_positive
from symgen.tensor.nodes import CHOOSES

Emit = Callable[[Array, Scalar], None]
Simplify = Callable[[Scalar], Scalar]
CONSTANT = (Num, Dim, Index, Delta, Compare, Logic)


def varies_freely(array: Array) -> bool:
    """Whether the entries of an array are variables of their own: not so where a matrix is symmetric."""
    return isinstance(array, Var) and "symmetric" not in DOMAINS[array.domain].facts


class Noise:
    """The random variables that expectations bind in a program, and how to average over each."""

    def __init__(self) -> None:
        self.laws: dict[Array, tuple[Any, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self.laws)

    def in_expect(self, node: Expect) -> None:
        for v, law in zip(node.noise, node.laws, strict=True):
            self.laws.setdefault(v, ("expect", law))

    def in_operator(self, operands: Sequence[Node], attrs: tuple[Any, ...], variables: Iterable[Array]) -> None:
        for v in variables:
            self.laws.setdefault(v, ("operator", tuple(operands), attrs))

    def loose(self, body: Scalar, target: Node) -> list[Array]:
        """The bound variables that `body` depends on and `target` does not; of draws of one mean, all or none."""
        found = variables_of(body).intersection(self.laws)
        if found and any(isinstance(n, Operator) and n.name == "E" for n in walk(body)):
            found = self.outside(body)
        return self.apart([v for v in self.laws if v in found], variables_of(target)) if found else []

    def outside(self, body: Scalar) -> frozenset[Array]:
        """The bound variables that `body` depends on outside of the means that it holds already."""
        held: dict[Array, Array] = {}
        for n in walk(body):
            if isinstance(n, Operator) and n.name == "E":
                drawn = {v for v in n.attrs[0] if isinstance(v, Array)}
                if not any(variables_of(a).intersection(self.laws) - drawn for a in n.args):
                    held[n] = var("mean", n.shape, "real", "placeholder", uid=-31)
        return frozenset(variables_of(replace_arrays(body, held)).intersection(self.laws))

    def apart(self, variables: Sequence[Array], kept: Set[Array]) -> list[Array]:
        """Those variables that are not kept, and are drawn with none that is."""
        out = [v for v in variables if v not in kept]
        return [v for v in out if self.laws[v][0] != "operator" or kept.isdisjoint(self.laws[v][2][0])]

    def average(self, body: Scalar, variables: Sequence[Array]) -> Scalar:
        """The mean of `body` over `variables`; what does not depend on them stays outside."""
        drawn = [v for v in variables if self.laws[v][0] == "expect"]
        if drawn:
            body = expect(body, drawn, [self.laws[v][1] for v in drawn])
        groups: dict[tuple[Any, ...], None] = {}
        for v in variables:
            if self.laws[v][0] == "operator":
                groups[self.laws[v]] = None
        for _, laws, attrs in groups:
            body = _under_operator(body, laws, attrs, set(variables))
        for v in variables:
            if self.laws[v][0] == "integral":
                body = _under_operator(body, self.laws[v][1], ((v,),), {v}, "integral")
        return body

    def integrates(self, array: Array) -> bool:
        """Whether `array` hangs on what an integral runs with."""
        return bool(self.laws) and any(self.laws[v][0] == "integral" for v in variables_of(array).intersection(self.laws))

    def in_integral(self, x: Array, ends: Sequence[Node]) -> bool:
        """Takes note of the integral over x; whether no other one with the same x has other ends."""
        return bool(self.laws.setdefault(x, ("integral", tuple(ends)))[1] == tuple(ends))


def _under_operator(body: Scalar, laws: Sequence[Node], attrs: tuple[Any, ...], variables: Set[Array], name: str = "E") -> Scalar:
    """E[x ~ law](body), or the integral of it, kept as an operator, entry by entry."""

    def loose(n: Node) -> bool:
        return not variables_of(n).isdisjoint(variables)

    if not loose(body):
        return body
    if type(body) is Add:
        return add(*(_under_operator(t, laws, attrs, variables, name) for t in body.args))
    if type(body) is Mul:
        outside = [f for f in body.args if not loose(f)]
        if outside:
            inside = mul(*(f for f in body.args if loose(f)))
            return mul(*outside, _under_operator(inside, laws, attrs, variables, name))
    if type(body) is Sum:
        inner, indices = open_sum(body)
        return total(_under_operator(inner, laws, attrs, variables, name), indices)
    indices = sorted(body.free, key=lambda i: (i.kind, i.number))
    array = tensor(indices, body)
    return entry(operator(name, (array, *laws), array.shape, attrs), *indices)


class Statement:
    """The reverse sweep over one statement.

    `active` are the arrays whose adjoints are asked for (and what leads to them), `lifted` indices that adjoints carry
    along, `noise` what expectations bind.
    """

    def __init__(
        self,
        active: Set[Array],
        lifted: frozenset[Index],
        noise: Noise,
        ctx: Context,
        simplify: Simplify,
        emit: Emit,
    ) -> None:
        self.active, self.lifted, self.noise = active, lifted, noise
        self.ctx, self.simplify, self.emit = ctx, simplify, emit
        self.changed = False  # whether something was simplified on the way
        self.binds = True  # whether the adjoint that comes in binds indices
        self.unique: dict[tuple[int, Scalar], Index] = {}
        self.opened: dict[Node, tuple[Scalar, tuple[Index, ...]]] = {}
        self.reads: dict[Node, bool] = {}
        self.bars: dict[Node, list[Scalar]] = {}
        self.leaves: dict[Node, dict[tuple[Index, ...], list[Scalar]]] = {}

    def open(self, node: Any) -> tuple[Scalar, tuple[Index, ...]]:
        """The body of a binder over unique indices: one per number and size, so that equal parts of neighbouring sums
        stay one node."""
        found = self.opened.get(node)
        if found is None and not self.binds and not node.body.height:
            found = self.opened[node] = (node.body, node.indices)  # no other binder is about: its own indices will do
        elif found is None:
            mapping = {}
            for i in node.indices:
                u = self.unique.get((i.number, i.size))
                if u is None:
                    u = self.unique[i.number, i.size] = fresh_index(i.size)
                mapping[i] = u
            found = self.opened[node] = (substitute(node.body, mapping), tuple(mapping.values()))
        return found

    def below(self, node: Node) -> Sequence[Node]:
        """The children that a derivative may go down to."""
        kind = type(node)
        if kind is Sum or kind is Fold:
            return (self.open(node)[0],)
        if kind is Expect:
            return (node.body,)
        if kind is Where:
            return node.args[1:]  # type: ignore[no-any-return]
        if kind is Entry or isinstance(node, CONSTANT):
            return ()
        return node.args  # type: ignore[no-any-return]

    def order(self, root: Scalar) -> list[Scalar]:
        """The nodes that lead to active arrays, children before parents."""
        reads: dict[Any, bool] = self.reads
        active = self.active
        out: list[Scalar] = []
        stack: list[Any] = [root]
        while stack:
            node = stack[-1]
            if node in reads:
                stack.pop()
                continue
            if type(node) is Entry:
                stack.pop()
                leads = reads[node] = node.array in active
            else:
                below = self.below(node)
                waiting = [c for c in below if c not in reads]
                if waiting:
                    stack += waiting
                    continue
                stack.pop()
                leads = False
                for c in below:
                    if reads[c]:
                        leads = True
                        break
                reads[node] = leads
            if leads:
                out.append(node)
        return out

    def sweep(self, root: Scalar, seed: Scalar, axes: Sequence[Index], value: Scalar) -> None:
        """Emits the adjoints of all active entries of `root`, whose adjoint is `seed` over `axes`. `value` stands for
        `root` in the formulas: the entry of the array that it defines."""
        if not value.free.issubset(root.free):
            value = root  # the array repeats it along an axis
        self.binds = seed.height > 0
        order = self.order(root)
        if not order:
            return
        bars = self.bars = {}
        self.give(root, seed, axes)
        for node in reversed(order):
            if type(node) is Entry:
                self.leaf(node)
                continue
            waiting = bars.pop(node, None)
            if waiting is None:
                continue
            g = add(*waiting) if len(waiting) > 1 else waiting[0]
            if g is ZERO:
                continue
            _PASS[type(node)](self, node, g, value if node is root else node)

    def settle(self, body: Scalar, scope: Iterable[Index], node: Node) -> Scalar:
        """`body` summed over the indices of `scope` that `node` does not have, averaged over its missing noise."""
        free = node.free
        todo = [i for i in scope if i not in free]
        if todo:
            body = summed(body, todo)
        if self.noise:
            loose = self.noise.loose(body, node)
            if loose:
                body = self.noise.average(body, loose)
        return body

    def give(self, child: Scalar, body: Scalar, scope: Iterable[Index]) -> None:
        if body is ZERO:
            return
        if type(child) is Entry and not self.noise:
            # summed when it goes to the array, with its indices renamed in the same breath
            todo = tuple([i for i in scope if i not in child.free])
            self.leaves.setdefault(child, {}).setdefault(todo, []).append(body)
        else:
            self.bars.setdefault(child, []).append(self.settle(body, scope, child))

    # --- one method per kind of node ----------------------------------------------------------------------------------

    def leaf(self, node: Entry) -> None:
        """Hands the adjoint of an entry to its array."""
        groups = self.leaves.pop(node, None)
        if groups is not None:
            for todo, parts in groups.items():
                g = parts[0] if len(parts) == 1 else add(*parts)
                self.emit(node.array, self.met(node, self.at_entry(node.array, node.indices, g, node.free, todo)))
        waiting = self.bars.pop(node, None)
        if waiting is not None:
            self.emit(node.array, self.met(node, self.at_entry(node.array, node.indices, add(*waiting), node.free, ())))

    def met(self, node: Entry, g: Scalar) -> Scalar:
        """The adjoint of an array, averaged over the draws that only chose its entry: E over s of A[s]."""
        if not self.noise:
            return g
        choosing = frozenset().union(*(variables_of(i) for i in node.indices)) - variables_of(node.array)
        loose = self.noise.apart([v for v in self.noise.laws if v in choosing], variables_of(node.array))
        return self.noise.average(g, loose) if loose else g

    def at_entry(
        self, array: Array, indices: Sequence[Scalar], g: Scalar, free: Iterable[Index], todo: tuple[Index, ...]
    ) -> Scalar:
        """The adjoint of `array` over its axes; that of its entry `indices`, over `free`, is `g` summed over `todo`."""
        plain: dict[Index, int] = {}
        for k, (i, size) in enumerate(zip(indices, array.shape, strict=True)):
            if type(i) is Index and i not in plain and (i.size is size or same_size(i.size, size)):
                plain[i] = k
        if len(plain) == len(indices):
            renamed: dict[Index, Scalar] = {i: axis(k, array.shape[k]) for i, k in plain.items()}
            if not todo:
                return substitute(g, renamed)  # type: ignore[no-any-return]
            if any(i.size is ONE for i in todo):
                return substitute(summed(g, todo), renamed)  # type: ignore[no-any-return]
            bound = [bound_index(g.height + 1 + k, i.size) for k, i in enumerate(todo)]
            renamed.update(zip(todo, bound, strict=True))
            return total(substitute(g, renamed), bound)
        if todo:
            g = summed(g, todo)
        target = [fresh_index(s) for s in array.shape]
        mapping: dict[Index, Scalar] = {i: target[k] for i, k in plain.items()}
        taken = set(plain.values())
        deltas = [
            delta(substitute(i, mapping), target[k]) for k, i in enumerate(indices) if k not in taken and array.shape[k] is not ONE
        ]
        body = mul(substitute(g, mapping), *deltas)
        body = total(body, [i for i in free if i not in plain])
        return substitute(body, {t: axis(k, t.size) for k, t in enumerate(target)})  # type: ignore[no-any-return]

    def _add(self, node: Add, g: Scalar, value: Scalar) -> None:
        for child in node.args:
            if self.reads.get(child):
                self.give(child, g, node.free)

    def _mul(self, node: Mul, g: Scalar, value: Scalar) -> None:
        args = node.args
        for k, child in enumerate(args):
            if self.reads.get(child):
                self.give(child, times(g, mul(*args[:k], *args[k + 1 :])), node.free)

    def _pow(self, node: Pow, g: Scalar, value: Scalar) -> None:
        base, exponent = node.base, node.exponent
        if self.reads.get(base):
            slope = self.local(times(g, self.power_derivative(base, exponent, value, node)))
            if is_root(exponent) and divides(slope, (base, value, node)) and not is_positive(base, self.ctx.facts):
                tell_kinks(node, self.ctx.trace, self.ctx.facts)
            self.give(base, slope, node.free)
        if self.reads.get(exponent):
            self.ctx.trace.condition("powers with a varying exponent have a positive base")
            self.give(exponent, self.local(times(g, mul(value, fn("log", base)))), node.free)

    def _fn(self, node: Fn, g: Scalar, value: Scalar) -> None:
        tied = ties_last(node)
        if tied:
            self.ctx.trace.kink(f"`{node.name}` is differentiated as its last argument where that is equal to another")
        else:
            tell_kinks(node, self.ctx.trace, self.ctx.facts)
        for k, child in enumerate(node.args):
            if self.reads.get(child):
                slope = derivative_of(node.name, k, node.args, value, tied)
                self.give(child, self.local(times(g, slope)), node.free)

    def _sum(self, node: Sum, g: Scalar, value: Scalar) -> None:
        body, indices = self.open(node)
        self.give(body, g, (*node.free, *indices))

    def _fold(self, node: Fold, g: Scalar, value: Scalar) -> None:
        body, indices = self.open(node)
        scope = (*node.free, *indices)
        if node.kind == "prod":
            # the product of all other factors: never a division by one of them
            others = [fresh_index(i.size) for i in indices]
            here = logic("and", *(compare("==", j, i) for i, j in zip(indices, others, strict=True)))
            rest = substitute(body, dict(zip(indices, others, strict=True)))
            self.give(body, times(g, fold("prod", where(here, ONE, rest), others)), scope)
            return
        if type(body) is Entry and set(body.indices) >= set(indices) and varies_freely(body.array):
            self.ctx.trace.kink(f"the {node.kind} over an index is attained once: the gradient goes to that entry")
            self.give(body, where(compare("==", body, value), g, ZERO), scope)
            return
        # entries may be equal wherever they are looked at, as those of a symmetric matrix: each gets its part
        self.ctx.trace.kink(
            f"the {node.kind} over an index is attained once, or by entries that stay equal: the gradient goes to them"
        )
        others = [fresh_index(i.size) for i in indices]
        there = substitute(body, dict(zip(indices, others, strict=True)))
        count = total(where(compare("==", there, value), ONE, ZERO), others)
        self.give(body, where(compare("==", body, value), times(g, power(count, num(-1))), ZERO), scope)

    def _where(self, node: Where, g: Scalar, value: Scalar) -> None:
        condition, a, b = node.args
        tell_kinks(node, self.ctx.trace)
        if self.reads.get(a):
            self.give(a, where(condition, g, ZERO), node.free)
        if self.reads.get(b):
            self.give(b, where(logic("not", condition), g, ZERO), node.free)

    def _expect(self, node: Expect, g: Scalar, value: Scalar) -> None:
        self.noise.in_expect(node)
        self.give(node.body, g, node.free)

    def power_derivative(self, base: Scalar, exponent: Scalar, value: Scalar, node: Scalar) -> Scalar:
        """e b^(e-1), or e Y^(1 - 1/e) where the value has a name Y and 1/e is an integer: 1/(2 Y) for a root."""
        if type(exponent) is Num and type(value) is Entry and value is not node and not isinstance(exponent.value, str):
            inverse = 1 / exponent.value
            root = exponent.value.denominator > 1
            if inverse.denominator == 1 and (root or self.ctx.name_of(value.array)):
                return mul(exponent, power(value, num(1 - inverse)))
        return mul(exponent, power(base, sub(exponent, ONE)))

    def local(self, body: Scalar) -> Scalar:
        """What passed a non-linearity may cancel."""
        simple = self.simplify(body)
        self.changed = self.changed or simple is not body
        return simple


def divides(body: Scalar, parts: Sequence[Scalar]) -> bool:
    """Whether one of `parts` stands below a fraction bar in `body`."""
    stack: list[Any] = [body]
    while stack:
        n = stack.pop()
        if type(n) is Pow and type(n.exponent) is Num and n.base in parts:
            k = n.exponent.value
            if not isinstance(k, str) and k < 0:
                return True
        if not isinstance(n, Entry):
            stack.extend(n.args)
    return False


def summed(body: Scalar, indices: Iterable[Index]) -> Scalar:
    """The sum over `indices`; one that takes a single value is put in."""
    indices = list(indices)
    single = {i: ZERO for i in indices if i.size is ONE}
    return total(substitute(body, single), [i for i in indices if i not in single])


def times(g: Scalar, slope: Scalar) -> Scalar:
    """g slope; a piece that is zero stays zero where the slope is not finite."""
    if type(g) is Where:
        condition, a, b = g.args
        if b is ZERO:
            return where(condition, times(a, slope), ZERO)
        if a is ZERO:
            return where(condition, ZERO, times(b, slope))
    elif g.marks & CHOOSES and may_be_undefined(slope):
        if type(g) is Add:
            return add(*(times(t, slope) for t in g.args))
        for f in g.args if type(g) is Mul else ():
            if (type(f) is Where and ZERO in f.args) or (type(f) is Add and f.marks & CHOOSES):
                return mul(times(f, slope), *(x for x in g.args if x is not f))
    return mul(g, slope)


def may_be_undefined(slope: Scalar) -> bool:
    """Whether a quotient, a root or a logarithm stands in `slope`."""
    stack: list[Any] = [slope]
    while stack:
        n = stack.pop()
        if type(n) is Pow:
            k = n.exponent.value if type(n.exponent) is Num else None
            if not isinstance(k, Fraction) or k < 0 or k.denominator > 1:
                return True
        elif type(n) is Fn and n.name == "log":
            return True
        if not isinstance(n, Entry):
            stack.extend(n.args)
    return False


_PASS: dict[type[Node], Callable[[Statement, Any, Scalar, Scalar], None]] = {
    Add: Statement._add,
    Mul: Statement._mul,
    Pow: Statement._pow,
    Fn: Statement._fn,
    Sum: Statement._sum,
    Fold: Statement._fold,
    Where: Statement._where,
    Expect: Statement._expect,
}
