"""Nodes of a derivation as trees in its names, and the shapes of those names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symgen.derivation.derivation import Step
from symgen.games.records import Equation
from symgen.render.language import unparse
from symgen.render.measures import DEEPEST, MOST, TooLong, written_size
from symgen.render.notation import BECOMES, DERIVATIVES
from symgen.render.operator_notation import is_encoded
from symgen.render.raising import Raiser, raise_array, raise_scalar
from symgen.render.shapes import Shape
from symgen.render.sympy_tree import tree_of
from symgen.tensor.build import is_plain, replace_scalars
from symgen.tensor.expression import (
    Array,
    Dim,
    Entry,
    Node,
    Num,
    Operation,
    Operator,
    Recurrence,
    Scalar,
    Tensor,
    Var,
    axis,
    dim,
    entry,
    expand_size,
    fresh_index,
    num,
    open_tensor,
    operation,
    sub,
    substitute,
    tensor,
    walk,
)  # fmt: skip
from symgen.tensor.reading import room_to_nest
from symgen.tensor.sympy_bridge import Closed
from symgen.text import tree as t

SHORT = 16  # nodes of what needs no letter
ON_LAST_AXIS = frozenset("logsumexp softmax log_softmax".split())


def at_one_time(body: Scalar) -> Scalar:
    """The reductions and softmaxes over the last axis that are asked for at one place in front, taken there alone."""
    found: dict[Scalar, Scalar] = {}
    for n in walk(body):
        op = n.array if isinstance(n, Entry) else None
        if not isinstance(op, Operation) or op.name not in ON_LAST_AXIS or n.args[1].free or len(op.operands) != 1:
            continue
        inner = op.operands[0]
        own = [fresh_index(s) for s in inner.shape[1:]]
        made = operation(op.name, [tensor(own, open_tensor(inner, (n.args[1], *own)))], op.shape[1:])
        found[n] = entry(made, *n.args[2:])
    return replace_scalars(body, found) if found else body


class Writer:
    """Writes nodes of one derivation in its names."""

    def __init__(self, names: Mapping[Array, str], defined: Mapping[Array, t.Expression | None] | None = None) -> None:
        """`defined` are the arrays that the page explains before its steps, some of them by what the author wrote."""
        self.names = names
        self.defined = defined or {}

    def array(self, array: Array) -> t.Expression:
        return raise_array(array, self.names)

    def definition(self, name: str, array: Array) -> list[tuple[t.Expression, t.Expression]]:
        """What `name` stands for, as (left, right): for a sequence its first entries, then its rule."""
        if not isinstance(array, Recurrence):
            return [(t.Name(name), self.defined.get(array) or self.array(array))]
        own = Writer({**self.names, array.self_var: name})
        size = array.shape[0]
        out: list[tuple[t.Expression, t.Expression]] = []
        for k, first in enumerate(array.base):
            place = sub(size, num(k + 1)) if array.reverse else num(k)
            out.append((t.Subscript(t.Name(name), (own.node(expand_size(place)),)), own.array(first)))
        taken = {n.name for n in walk(array) if isinstance(n, Dim | Var)} | set(self.names.values())
        index = next(x for x in ("t", "s", "u", "tau", "t_1", "t_2") if x not in taken)
        axes = [axis(k, s) for k, s in enumerate(array.shape)]
        rule = tensor(axes[1:], at_one_time(substitute(open_tensor(array.step, axes), {axes[0]: dim(index)})))
        out.append((t.Subscript(t.Name(name), (t.Name(index),)), own.array(rule)))
        return out

    def node(self, node: Any) -> t.Expression:
        if not isinstance(node, Node):
            tree = self.value(node)
            return tree if tree is not None else t.Name("_")
        size, depth = written_size(node, self.names)
        if size > MOST or depth > DEEPEST:
            raise TooLong("too long to be written out")
        with room_to_nest():
            if isinstance(node, Array):
                return Raiser(self.names, node).array(node)
            assert isinstance(node, Scalar)
            return raise_scalar(node, {}, self.names)

    def value(self, value: Any) -> t.Expression | None:
        """A field of a record as an expression; None where it is text."""
        if isinstance(value, Array):
            return self.array(value)
        if isinstance(value, Scalar):
            return self.node(value)
        if isinstance(value, Closed):
            return tree_of(value.named(self.names))
        if isinstance(value, Equation):
            left, right = self.value(value.left), self.value(value.right)
            return t.Comparison((left, right), ("=",)) if left is not None and right is not None else None
        if isinstance(value, (list, tuple)) and value:
            parts = [self.value(v) for v in value]
            if all(p is not None for p in parts):
                return t.ListOf(tuple(p for p in parts if p is not None))
        return None


def shapes_of(names: Mapping[Array, str], roots: Iterable[Node] = ()) -> dict[str, Shape]:
    """The shapes of all names that may occur in the mathematics."""
    out: dict[str, Shape] = {}
    sizes: set[Scalar] = set()
    for node in walk(*names, *roots):
        if isinstance(node, Array):
            name = names.get(node) or (node.name if isinstance(node, Var) else None)
            sizes.update(node.shape)
            if name is not None and name not in out:
                out[name] = tuple(size_tree(s) for s in node.shape)
    for size in sizes:
        for node in walk(size):
            if isinstance(node, Dim):
                out.setdefault(node.name, ())
    return out


def size_tree(size: Scalar) -> t.Expression:
    return raise_scalar(size)


def size_text(size: Scalar) -> str:
    """A size as it is written: n, 2*d, k + 1."""
    return unparse(size_tree(size))


def step_names(steps: Sequence[Step], names: Mapping[Array, str], result: Node | None) -> dict[Array, str]:
    """Names for what steps made and later steps use, where nobody gave it one: w_hat for the best w, else delta_1, .."""
    made: dict[Array, str] = {}
    begun: dict[Any, Any] = {}  # with what the chain began that has come to an expression
    for step in steps:
        after = step.after
        start = step.before if step.rule in BECOMES else begun.get(step.before, step.before)
        begun.setdefault(after, start)
        goes_on = start is not step.before and isinstance(start, Operator) and start.name not in DERIVATIVES
        if goes_on or step.rule in ("kept", "curvature"):
            continue  # a mean, a divergence, a part that was looked at: it, or what it comes to, is put in
        if isinstance(after, Tensor) and is_plain(after.body) and (after.rank or isinstance(after.body, Num)):
            continue  # m for all entries, a number
        if isinstance(after, Tensor) and not after.rank and step.rule == "lemma" and after.weight <= SHORT:
            continue  # a/(2*b), which a law may have for a parameter too
        if isinstance(after, Operator) and after.attrs[:1] == ("law",):
            continue  # it is called by what it is the law of
        if isinstance(after, Array) and not isinstance(after, Var) and after not in names and after is not result:
            made.setdefault(after, step.where if BECOMES.get(step.rule) == "optimum" and step.where.isidentifier() else "")
    used: set[Node] = set()
    for node in walk(*(s.after for s in steps if isinstance(s.after, Node)), *([result] if result else [])):
        used.update(a for a in node.args if a in made)
    taken = {*names.values(), *(n.name for n in walk(*names) if isinstance(n, Var))}
    out: dict[Array, str] = {}
    k = 0
    for array, best in made.items():
        if array in used and best and f"{best}_hat" not in taken:
            out[array] = f"{best}_hat"
        elif array in used:
            k += 1
            while f"delta_{k}" in taken:
                k += 1
            out[array] = f"delta_{k}"
    return out


Head = tuple[str, tuple[Var, ...], tuple[Var, ...]]  # the name of a law, what it is the law of, what is given


def laws_below(roots: Iterable[Node]) -> dict[Array, Head]:
    """The laws that the operators below the roots speak of by a name."""
    found: dict[Array, Head] = {}
    for node in walk(*roots):
        if not isinstance(node, Operator):
            continue
        if node.name == "log_density" and len(node.attrs) == 3 and node.attrs[0] and isinstance(node.args[0], Array):
            found.setdefault(node.args[0], (str(node.attrs[0]), tuple(node.attrs[1]), tuple(node.attrs[2])))
        elif is_encoded(node):
            position = 0
            for name, factors, _, _ in node.attrs[0]:
                laws = node.args[position : position + len(factors)]
                position += len(factors)
                for law, (factor, variables, given) in zip(laws, factors, strict=False):
                    if isinstance(law, Array) and (factor or name):
                        found.setdefault(law, (str(factor or name), tuple(variables), tuple(given)))
    return found


def heads_of(laws: Mapping[Array, Head]) -> dict[Array, t.Expression]:
    """What the laws of a joint of several factors are laws of, and conditional ones: p(z), p(x | z)."""
    names = [name for name, _, _ in laws.values()]

    def head(name: str, variables: tuple[Var, ...], given: tuple[Var, ...]) -> t.Expression:
        return t.Call(name, tuple(t.Name(v.name) for v in variables), (), tuple(t.Name(v.name) for v in given))

    return {law: head(*about) for law, about in laws.items() if names.count(about[0]) > 1 or about[2]}


def law_names(roots: Iterable[Node]) -> dict[Array, str]:
    """The names of the laws that the operators below the roots speak of; where one name is of several laws, what each is
    the law of: q(lam), q(lam | y)."""
    roots = list(roots)
    laws = laws_below(roots)
    shown = {law: name for law, (name, _, _) in laws.items() if isinstance(law, Operator) and law.name != "density"}
    heads, names = heads_of(laws), list(shown.values())
    told = {name: {unparse(heads[law]) for law, own in shown.items() if own == name and law in heads} for name in names}
    called = {law: unparse(heads[law]) if len(told[name]) > 1 and law in heads else name for law, name in shown.items()}
    if any(name.isidentifier() for name in called.values()) or not called:
        return called
    texts = {unparse(raise_array(law, {})): name for law, name in called.items()}
    for node in walk(*roots):  # an operator renames what it draws, and the laws of later draws with it
        if isinstance(node, Operator) and node.name in ("E", "Var", "Cov"):
            for law in node.args[-len(node.attrs[0]) :] if node.attrs and isinstance(node.attrs[0], tuple) else ():
                if isinstance(law, Operator) and law not in called and (name := texts.get(unparse(raise_array(law, {})))):
                    called[law] = name
    return called
