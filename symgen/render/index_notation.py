"""Index notation, for what has no matrix notation: tensor[i: n, j: d](sum[k: m](A[i, k]*B[k, j, j]))."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from symgen.render.compose import Product, call, number, over_one_bar, signed, sum_of
from symgen.render.factors import factors_of, remainder
from symgen.render.labelling import order_of_appearance, renamed
from symgen.render.measures import TooLong
from symgen.render.network import NoMatrixForm
from symgen.tensor import expression as x
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import Array, Index, Node, Scalar
from symgen.tensor.nodes import make_index
from symgen.tensor.scope import parts_of
from symgen.text import tree as t

Axes = tuple[Index, ...]
MOST_MULTIPLIED, MOST_TERMS = 120, 4  # nodes, and terms of one factor, of what is multiplied out for a matrix notation
MOST_INDEXED = 10_000  # parts of a formula with indices
LETTERS = "i j k l m r s t u v a b c g h o q w z".split()
ROW_WISE = frozenset(("logsumexp",))  # operations that take the last axis away
ROWS = (1 << 39) - 1  # numbers of the indices of rows, at or below it


def _with_first_index(node: Scalar, used: Mapping[Index, str]) -> Scalar:
    """eye(n)[i, j]*x[i] for eye(n)[i, j]*x[j]: what stands beside a Delta has the index that was named first."""
    if not isinstance(node, x.Mul):
        return node
    order = list(used)
    for d in [f for f in node.args if isinstance(f, x.Delta) and all(i in used for i in f.args)]:
        if d.args[0].size is not d.args[1].size:  # the longer one would run past the end of what the other picks
            continue
        first, other = sorted(d.args, key=order.index)
        rest = [
            f if isinstance(f, x.Delta) else x.substitute(f, {other: first})
            for f in (node.args if isinstance(node, x.Mul) else (node,))
        ]
        node = x.mul(*rest)
    return node


def multiplied_out(node: Scalar) -> Scalar:
    """`node` with its sums of a (b + c) as those of a b and a c; with the factors of a sum of sums."""
    if x.is_larger(node, MOST_MULTIPLIED):
        return node
    found: dict[Scalar, Scalar] = {}
    stack: list[Node] = [node]
    while stack:
        n = stack.pop()
        if isinstance(n, x.Sum):
            factors = n.body.args if isinstance(n.body, x.Mul) else ()
            sums = [f for f in factors if isinstance(f, x.Add)]
            if len(sums) > 1:  # that of a matrix and what is spread out stands in the way
                sums = [f for f in sums if len({a.free for a in f.args}) > 1]
            if len(sums) == 1 and len(sums[0].args) <= MOST_TERMS:
                rest = [f for f in factors if f is not sums[0]]
                found[n] = x.add(*(x.total(x.mul(*rest, a), n.indices) for a in sums[0].args))
        elif isinstance(n, x.Scalar) and not n.is_array_node and not isinstance(n, (x.Fold, x.Expect)):
            stack.extend(n.args)
    return replace_scalars(node, found) if found else node


def counts(body: Scalar, indices: Sequence[Index]) -> bool:
    """Whether an index is a number in a formula, and not a place alone."""
    stack: list[Scalar] = [body]
    while stack:
        e = stack.pop()
        if e in indices:
            return True
        if isinstance(e, x.Add | x.Mul | x.Pow) or isinstance(e, x.Fn) and e.name not in ("mod", "div"):
            stack.extend(a for a in e.args if a.is_scalar_node)
    return False


def binders(tree: t.Expression, *words: str) -> int:
    """How often one of the words binds indices in a formula: `tensor` where an array stands entry by entry."""
    found, stack = 0, [tree]
    while stack:
        e = stack.pop()
        found += isinstance(e, t.Binder) and e.function in words
        stack.extend(parts_of(e))
    return found


class IndexNotation(ABC):
    """Writes entries with their indices; what has no free index is left to `tree`."""

    names: Mapping[Array, str]
    root: Node
    _taken: set[str] | None
    written: int = 0  # entries

    @abstractmethod
    def tree(self, node: Scalar, axes: Axes) -> t.Expression: ...

    @abstractmethod
    def array(self, array: Array) -> t.Expression: ...

    @abstractmethod
    def is_each(self, node: x.Node) -> bool: ...

    @abstractmethod
    def one_of_each(self, node: x.Entry, write: Callable[[Scalar], t.Expression]) -> t.Expression: ...

    @abstractmethod
    def size(self, size: Scalar) -> t.Expression: ...

    @abstractmethod
    def opened(self, node: x.Sum | x.Fold) -> tuple[Scalar, Axes]: ...

    @abstractmethod
    def expectation(self, node: x.Expect, body: t.Expression) -> t.Expression: ...

    def letters(self, count: int, used: Mapping[Index, str]) -> list[str]:
        if self._taken is None:
            self._taken = set(self.names.values())
            sizes: set[Scalar] = set()
            for n in x.walk(self.root, *self.names):
                if isinstance(n, Array):
                    sizes.update(n.shape)
                    if isinstance(n, (x.Var, x.Recurrence)):
                        self._taken.add(n.name if isinstance(n, x.Var) else n.self_var.name)
                elif isinstance(n, (Index, x.Dim)):
                    sizes.add(n.size if isinstance(n, Index) else n)
            self._taken.update(n.name for n in x.walk(*sizes) if isinstance(n, x.Dim))
        free = [c for c in LETTERS if c not in self._taken and c not in used.values()]
        k = 1
        while len(free) < count:
            if f"i{k}" not in self._taken and f"i{k}" not in used.values():
                free.append(f"i{k}")
            k += 1
        return free[:count]

    def slice_with_name(self, node: x.Entry) -> x.Entry:
        """h[t] for the entry (t, 0) of sequences that stand side by side, of which the author named each."""
        if not isinstance(node.array, x.Recurrence) or node.array in self.names:
            return node
        for named in self.names:
            whole = named.body if isinstance(named, x.Tensor) else None
            if isinstance(whole, x.Entry) and whole.array is node.array and len(set(whole.indices)) == len(whole.indices):
                pairs = list(zip(whole.indices, node.indices, strict=True))
                if all(a is b for a, b in pairs if not isinstance(a, Index)):
                    found = {a: b for a, b in pairs if isinstance(a, Index)}
                    if set(found) == set(named.axes):
                        made = x.entry(named, *(found[a] for a in named.axes))
                        return made if isinstance(made, x.Entry) else node
        return node

    def sequence(self, array: x.Recurrence) -> t.Expression:
        """recurrence[h, t: 1..T](h0, step), of a sequence without a name."""
        self.letters(0, {})
        others = {v.name for v in x.variables_of(self.root) if v.role != "recurrence"} | set(self.names.values())
        known = others | {n for n in self._taken or () if n != array.self_var.name}
        own = next(n for n in (array.self_var.name, *(f"{array.self_var.name}_{k}" for k in range(2, 99))) if n not in known)
        time = next(n for n in ("t", "s", "u", "tau", *(f"t_{k}" for k in range(1, 99))) if n not in known and n != own)
        axes = [x.axis(k, s) for k, s in enumerate(array.shape)]
        step = x.tensor(axes[1:], x.substitute(x.open_tensor(array.step, axes), {axes[0]: x.dim(time)}))
        inner = type(self)({**self.names, array.self_var: own}, step)  # type: ignore[call-arg]
        made = len(array.base)
        last = self.size(x.expand_size(x.sub(array.shape[0], x.num(made + 1 if array.reverse else 1))))
        ends = (last, number(0)) if array.reverse else (number(made), last)
        specs = (t.IndexSpec(own), t.IndexSpec(time, None, *ends))
        word = "backward" if array.reverse else "recurrence"
        return t.Binder(word, specs, (*map(self.array, array.base), inner.array(step)))

    def by_index(self, node: Scalar, axes: Axes) -> t.Expression:
        """tensor[i: n, j: d](entry); without indices, where there is a matrix notation of it multiplied out."""
        other = multiplied_out(node) if 1 <= len(axes) <= 2 else node
        if other is not node:
            try:
                made = self.tree(other, axes)
            except NoMatrixForm:
                made = None
            if made is not None and not binders(made, "tensor", "sum"):
                return made
        used: dict[Index, str] = {}
        used.update(zip(axes, self.letters(len(axes), used), strict=True))
        body = self.indexed(node, used, whole=True)
        if not axes:
            return body
        specs = tuple(t.IndexSpec(used[i], self.size(i.size)) for i in axes)
        return t.Binder("tensor", specs, (body,))

    def indexed(self, node: Scalar, used: Mapping[Index, str], whole: bool = False) -> t.Expression:
        """The entry in index notation; a part without free index is raised (not the `whole`: it has no other form)."""
        self.written += 1  # each part is written where it stands, and i mod n holds i twice
        if self.written > MOST_INDEXED:
            raise TooLong("written out by its indices, this is too long to be read: name its parts with `let`")
        if not node.free and not whole:
            return self.tree(node, ())
        match node:
            case x.Index():
                return t.Name(used[node])
            case x.Entry():
                node = self.slice_with_name(node)
                if isinstance(node.array, x.Tensor) and node.array not in self.names:
                    return self.indexed(x.open_tensor(node.array, node.indices), used)
                if self.is_each(node.array):
                    return self.one_of_each(node, lambda s: self.indexed(s, used))
                if isinstance(node.array, x.Operation) and node.array not in self.names and node.array.name in ROW_WISE:
                    return self._one_row(node.array, node.indices, used)
                return t.Subscript(self.array(node.array), tuple(self.indexed(x.recombined(i), used) for i in node.indices))
            case x.Add():
                return sum_of(over_one_bar([signed(self.indexed(a, used)) for a in node.args]))
            case x.Mul() | x.Pow():
                p = Product()
                for f, exponent in factors_of(_with_first_index(node, used)):
                    if isinstance(f, x.Num) and isinstance(f.value, Fraction) and exponent.denominator == 1:
                        p.coefficient *= f.value ** int(exponent)
                    else:
                        part = self._factor(f, used)
                        match part:
                            case t.Power(t.Call("norm") as norm, t.Number(value)):  # |C|^3, not (|C|^2)^(3/2)
                                p.scale(norm, exponent * value)
                            case _:
                                p.scale(part, exponent)
                return p.tree()
            case x.Sum() | x.Fold():
                body, indices = self.opened(node)
                inner = {**used}
                inner.update(zip(indices, self.letters(len(indices), used), strict=True))
                kind = "sum" if isinstance(node, x.Sum) else node.kind
                return self._bound(kind, indices, inner, self.indexed(body, inner))
            case x.Delta():
                a, b = node.args
                if isinstance(a, Index) and isinstance(b, Index) and a.size is b.size:
                    return t.Subscript(call("eye", self.size(a.size)), (t.Name(used[a]), t.Name(used[b])))
                condition = t.Comparison((self.indexed(a, used), self.indexed(b, used)), ("==",))
                return call("where", condition, number(1), number(0))
            case x.Fn() if node.name in ("mod", "div"):
                return self.indexed(remainder(node), used)
            case x.Fn():
                return t.Call(node.name, tuple(self.indexed(a, used) for a in node.args))
            case x.Where():
                return t.Call("where", tuple(self.indexed(a, used) for a in node.args))
            case x.Compare():
                left, right = (self.indexed(a, used) for a in node.args)
                return t.Comparison((left, right), (node.op,))
            case x.Logic():
                return t.Logical(node.op, tuple(self.indexed(a, used) for a in node.args))
            case x.Expect():
                return self.expectation(node, self.indexed(node.body, used))
        raise NoMatrixForm

    def _one_row(self, op: x.Operation, places: Sequence[Scalar], used: Mapping[Index, str]) -> t.Expression:
        """logsumexp[k](A[i, k]), the reduction of one row."""
        (inside,) = op.operands
        assert isinstance(inside, Array)
        last = make_index("u", ROWS - len(used), inside.shape[-1])
        names = {**used, last: self.letters(1, used)[0]}
        return self._bound(op.name, (last,), names, self.indexed(x.entry(inside, *places, last), names))

    def _bound(self, kind: str, indices: Axes, names: Mapping[Index, str], body: t.Expression) -> t.Expression:
        """kind[i: n, j: m](body), the letters in the order in which they stand in the body."""
        letters = [names[i] for i in indices]
        seen = order_of_appearance(body, letters)
        if seen != letters:
            body = renamed(body, dict(zip(seen, letters, strict=True)))
        sizes = {names[i]: self.size(i.size) for i in indices}
        specs = tuple(t.IndexSpec(new, sizes[old]) for old, new in zip(seen, letters, strict=True))
        return t.Binder(kind, specs, (body,))

    def _factor(self, f: Scalar, used: Mapping[Index, str]) -> t.Expression:
        """A factor in index notation; x^e with a symbolic exponent."""
        if isinstance(f, x.Pow):
            return t.Power(self.indexed(f.base, used), self.indexed(f.exponent, used))
        return self.indexed(f, used)
