"""Arrays of the expression world to a `Program`: every entry expression becomes statements on whole arrays.

An entry expression is lowered to a value with one index per axis; free indices that two operands share are aligned,
sums of products go to `contraction`, index arguments to slices, diagonals, reshapes or gathers, Deltas to identity
matrices, scatters or masks. What has no array form raises `CannotDerive`; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symgen.codegen.contraction import Contraction, Labelled, ordered_union
from symgen.codegen.indexing import Indexing, split_axes
from symgen.codegen.program import Loop, Program, Value
from symgen.codegen.recurrence import at_time
from symgen.codegen.sums import Sums
from symgen.tensor.expression import (
    ONE,
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
    Operation,
    Operator,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    as_coefficient,
    entry,
    mul,
    neg,
    num,
    open_tensor,
    power,
    substitute,
    tensor,
    topological,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["Lowering", "lower"]

INTEGER_FUNCTIONS = frozenset({"mod", "div"})


def lower(
    outputs: Mapping[str, Array],
    names: Mapping[Array, str] | None = None,
    formula: Callable[[Array], str] | None = None,
    rows: Sequence[Scalar] = (),
) -> Program:
    """The program that computes `outputs` from the variables below them. Named arrays keep their names; `formula` gives
    the comment of a named array. `rows` are sizes that are large (the rows of the data), for the contraction order."""
    lowering = Lowering(names or {}, formula, rows)
    below = topological(*outputs.values())
    lowering.pair_up(below)
    lowering.count_uses(below, list(outputs.values()))
    outside: frozenset[Var] = frozenset().union(*(variables_of(a) for a in outputs.values()))
    for array in below:  # named arrays first, in the order of the program
        if array in lowering.names and not isinstance(array, (Var, Operator)) and variables_of(array) <= outside:
            lowering.array(array)
    for name, array in outputs.items():
        lowering.program.outputs[name] = lowering.array(array)
    return lowering.program


def is_contraction(x: Value) -> bool:
    """Whether a value is a product of arrays summed, up to numbers: people write it first."""
    while x.op in ("neg", "div", "mul", "transpose"):
        x = x.args[1] if x.op == "mul" and x.args[0].rank < x.rank else x.args[0]
    return x.op in ("matmul", "tensordot", "einsum", "dot", "vdot", "reduce")


def turned(factors: Sequence[Scalar]) -> Sequence[Scalar]:
    """-c (-a - b) as c (a + b)."""
    if not factors or not isinstance(factors[0], Num) or isinstance(factors[0].value, str) or factors[0].value > 0:
        return factors
    for k, f in enumerate(factors):
        if isinstance(f, Add) and 2 * sum(as_coefficient(t)[0] < 0 for t in f.args) > len(f.args):
            c = num(-factors[0].value)
            return ([] if c is ONE else [c]) + [neg(g) if j == k else g for j, g in enumerate(factors) if j]
    return factors


class Lowering:
    """The state of one lowering: values of arrays, and of entry expressions."""

    def __init__(self, names: Mapping[Array, str], formula: Callable[[Array], str] | None, rows: Sequence[Scalar] = ()) -> None:
        self.program = Program()
        self.names = names
        self.formula = formula
        self.nominal: dict[Scalar, float] = dict.fromkeys(rows, 1000.0)
        self.contraction = Contraction(self.program, self.nominal)
        self.indexing = Indexing(self)
        self.sums = Sums(self)
        self.arrays: dict[Array, Value] = {}
        self.entries: dict[Node, Labelled] = {}
        self.uses: dict[Array, int] = {}
        self.bare: set[Array] = set()  # arrays that are read outside of contractions
        self.paired: set[tuple[Node, ...]] = set()
        self.safe = 0  # depth inside branches of Where

    def pair_up(self, arrays: Sequence[Array]) -> None:
        """Notes whose softmax and log_softmax are both wanted: one exponential serves both."""
        found: dict[tuple[Node, ...], set[str]] = {}
        for a in arrays:
            if isinstance(a, Operation) and a.name in ("softmax", "log_softmax"):
                found.setdefault(a.operands, set()).add(a.name)
        self.paired = {operands for operands, names in found.items() if len(names) == 2}

    def count_uses(self, arrays: Sequence[Array], outputs: Sequence[Array]) -> None:
        """How many places read each array."""
        parents: dict[Node, int] = {}
        for n in walk(*outputs):
            for a in n.args:
                parents[a] = parents.get(a, 0) + 1
        entries: dict[Array, int] = dict.fromkeys(outputs, 2)
        self.bare.update(outputs)
        for n in parents:
            if isinstance(n, Entry):
                entries[n.array] = entries.get(n.array, 0) + parents[n]
                if not any(isinstance(i, Index) and i.kind == "s" for i in n.indices):
                    self.bare.add(n.array)
        for a in arrays:
            if isinstance(a, (Operation, Recurrence)):
                for x in a.args:
                    if isinstance(x, Array):
                        entries[x] = entries.get(x, 0) + 2
                        self.bare.add(x)
        self.uses = entries

    # --- arrays ---

    def array(self, array: Array) -> Value:
        """The value of a whole array, in the order of its axes. Arrays below come first, without recursion."""
        found = self.arrays.get(array)
        if found is not None:
            return found
        stack: list[Array] = [array]
        while stack:
            a = stack[-1]
            if a in self.arrays:
                stack.pop()
                continue
            waiting = [x for x in self.needed(a) if x not in self.arrays]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            self.arrays[a] = self.named(a, self.build(a))
        return self.arrays[array]

    def needed(self, array: Array) -> list[Array]:
        """The arrays whose values `array` is made from."""
        if isinstance(array, (Var, Recurrence)):
            return []
        if isinstance(array, Operation):
            return [x for x in array.operands if isinstance(x, Array)]
        if not isinstance(array, Tensor):
            return []
        out: dict[Array, None] = {}
        stack: list[Node] = [array.body]
        seen: set[Node] = set()
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            if isinstance(n, Entry):
                if not self.is_trivial(n.array):
                    out[self.squeezed(n.array)[0]] = None
                stack.extend(n.indices)
            elif isinstance(n, Expect):
                continue
            else:
                stack.extend(a for a in n.args if not a.is_array_node)
        return list(out)

    def is_trivial(self, array: Array) -> bool:
        """Whether an unnamed array is better put in than computed: ones(n), eye(n), a view of another array."""
        if not isinstance(array, Tensor) or array in self.names:
            return False
        body = array.body
        if isinstance(body, Entry):
            return all(isinstance(i, Index) or not i.free for i in body.indices)
        return isinstance(body, (Num, Dim, Delta, Index))

    def squeezed(self, array: Array) -> tuple[Array, tuple[int, ...] | None]:
        """An unnamed array without its axes of size 1, and the axes that are kept (None: all)."""
        if not isinstance(array, Tensor) or array in self.names or all(i.size is not ONE for i in array.axes):
            return array, None
        kept = tuple(k for k, i in enumerate(array.axes) if i.size is not ONE)
        body = substitute(array.body, {i: num(0) for i in array.axes if i.size is ONE})
        return tensor([array.axes[k] for k in kept], body), kept

    def named(self, array: Array, value: Value) -> Value:
        name = self.names.get(array)
        if name is not None and value.op not in ("input", "num", "size") and value.name is None:
            value.name = name
            if self.formula is not None:
                value.comment = self.formula(array)
        return value

    def build(self, array: Array) -> Value:
        if isinstance(array, Var):
            return self.program.make("input", (), (array,), array.shape)
        if isinstance(array, Tensor):
            return self.whole(array.body, array.axes)
        if isinstance(array, Operation):
            return self.operation(array)
        if isinstance(array, Recurrence):
            return self.recurrence(array)
        what = array.name if isinstance(array, Operator) else type(array).__name__
        raise CannotDerive(f"`{what}` has no closed form that code could compute", array)

    def whole(self, body: Scalar, axes: Sequence[Index]) -> Value:
        """The array whose entry at `axes` is `body`."""
        splits = split_axes(body, axes)
        if splits:
            return self.merged(body, axes, splits)
        x = self.lower(body)
        value = self.contraction.arranged(x, axes)
        shape = tuple(i.size for i in axes)
        if value.rank < len(shape) or any(i not in x.labels for i in axes):
            value = self.program.make("broadcast", (value,), (shape,), shape)
        return self.real(value)

    def merged(self, body: Scalar, axes: Sequence[Index], splits: Mapping[Index, tuple[Index, Index]]) -> Value:
        """The array where axes f = n*j + k are computed as two axes j, k."""
        opened = substitute(body, {f: add(mul(k.size, j), k) for f, (j, k) in splits.items()})
        inner = [i for f in axes for i in splits.get(f, (f,))]
        value = self.whole(opened, inner)
        shape = tuple(i.size for i in axes)
        return self.program.make("reshape", (value,), shape, shape, value.kind)

    def real(self, value: Value) -> Value:
        """`value` as a float array."""
        return value if value.kind in ("f", "s") else self.program.make("cast", (value,), (), value.shape)

    def operation(self, array: Operation) -> Value:
        operands, parameters = [], []
        for x in array.operands:
            if isinstance(x, Array):
                operands.append(self.array(x))
            else:
                parameters.append(self.lower(x).value)
        ranks = tuple(len(x.shape) for x in array.operands if isinstance(x, Array))
        if array.operands in self.paired and array.name in ("softmax", "log_softmax"):
            both = self.program.make("both", operands, (), array.shape)
            return self.program.make("item", (both,), (int(array.name == "log_softmax"),), array.shape)
        value = self.program.make("operation", (*operands, *parameters), (array.name, ranks, len(parameters)), array.shape)
        if array in self.bare:
            self.contraction.wanted.add(value.serial)
        return value

    def recurrence(self, array: Recurrence) -> Value:
        """A loop over t that fills the rows of the sequence."""
        p = self.program
        base = tuple(self.array(b) for b in array.base)  # they may hold loops of their own
        number = len(p.loops)
        length = array.shape[0]
        loop = p.loops[number] = Loop(number, array.reverse, length, base)
        time_var = var(f"t{number}", (), "integer", "placeholder", uid=-1 - number)
        t = p.make("loopvar", (), (number,), (), "s")
        own = p.make("loopself", (), (number, array.self_var.name), array.shape)
        t.loops = own.loops = frozenset((number,))
        self.arrays[time_var], self.arrays[array.self_var] = t, own
        step = at_time(array.step, entry(time_var), array.self_var)
        loop.step = self.array(step)
        name = self.names.get(array) or self.names.get(array.self_var) or array.self_var.name
        outer = frozenset().union(*(b.loops for b in base), loop.step.loops.difference({number}))
        value = p.make("loop", base, (number,), array.shape)
        value.loops = outer
        value.name = name
        return value

    # --- entries ---

    def lower(self, node: Scalar) -> Labelled:
        """The value of an entry expression, labelled by its free indices (as numbers they are floats)."""
        found = self.entries.get(node)
        if found is None:
            rule = RULES.get(type(node))
            if rule is None:
                raise CannotDerive(f"no array form for `{type(node).__name__}`", node, "codegen/lower.py")
            found = rule(self, node)
            if self.safe == 0:
                self.entries[node] = found
        return found

    def is_static(self, node: Scalar) -> bool:
        """Whether a scalar holds sizes and numbers alone."""
        return isinstance(node, (Num, Dim)) or (
            not node.free and isinstance(node, (Add, Mul, Pow)) and all(self.is_static(a) for a in node.args)
        )

    def number(self, node: Num) -> Labelled:
        return Labelled(self.program.number(node.value), ())

    def dim(self, node: Dim) -> Labelled:
        return Labelled(self.program.size(node), ())

    def index(self, node: Index) -> Labelled:
        return Labelled(self.program.make("arange", (), (node.size, True), (node.size,)), (node,))

    def entry(self, node: Entry) -> Labelled:
        if self.is_trivial(node.array):
            return self.lower(open_tensor(node.array, node.indices))
        array, kept = self.squeezed(node.array)
        if kept is not None:
            return self.lower(entry(array, *(node.indices[k] for k in kept)))
        return self.indexing.entry(self.array(array), node.indices)

    def add(self, node: Add) -> Labelled:
        """Terms of one shape first; what is subtracted comes after what it is subtracted from."""
        stacked = self.indexing.stacked(node.args)
        if stacked is not None:
            return stacked
        p = self.program
        terms: list[tuple[int, Labelled]] = []
        for t in node.args:
            c, base = as_coefficient(t)
            sign = -1 if c < 0 else 1
            if sign < 0:
                t = mul(num(-c), base)
            terms.append((sign, self.lower(t)))
        joined = self.indexing.joined([x for s, x in terms if s > 0]) if all(s > 0 for s, _ in terms) else None
        if joined is not None:
            return joined
        order = ordered_union([x for _, x in terms])
        groups: dict[frozenset[Index], list[tuple[int, Labelled]]] = {}
        for sign, x in terms:
            groups.setdefault(frozenset(x.labels), []).append((sign, x))
        sums = [self.signed_sum(g, order) for g in groups.values()]  # terms of one shape first
        sums.sort(key=lambda s: -self.contraction.cost(s[1].labels))
        while len(sums) > 2:  # then the small ones, so that the large one is passed over once
            sums[-2:] = [self.signed_sum(sums[-2:], order)]
        sign, result = self.signed_sum(sums, order)
        return result if sign > 0 else Labelled(p.neg(result.value), result.labels)

    def signed_sum(self, terms: Sequence[tuple[int, Labelled]], order: Sequence[Index]) -> tuple[int, Labelled]:
        """Terms with signs added, what is subtracted after what it is subtracted from: a sign and the sum."""
        p = self.program
        terms = sorted(terms, key=lambda s: (s[0] < 0, not is_contraction(s[1].value)))
        sign, result = terms[0]
        for s, x in terms[1:]:
            build = p.add if s == sign else p.sub
            result = self.contraction.elementwise(lambda a, b, f=build: f(self.real(a), self.real(b)), [result, x], order)
        return sign, Labelled(self.real(result.value), result.labels)

    def mul(self, node: Mul) -> Labelled:
        return self.product(node.args)

    def product(self, factors: Sequence[Scalar]) -> Labelled:
        """Small factors first; powers of negative exponent are divided by."""
        deltas = [f for f in factors if isinstance(f, Delta)]
        if deltas:
            return self.indexing.product_with_delta(deltas[0], [f for f in factors if f is not deltas[0]])
        factors = turned(factors)
        pushed = self.sums.scaled_contraction(factors)
        if pushed is not None:
            return pushed
        p = self.program
        top: list[Labelled] = []
        bottom: list[Labelled] = []
        for f in factors:
            if isinstance(f, Num) and isinstance(f.value, Fraction) and abs(f.value.numerator) == 1 and f.value.denominator > 1:
                bottom.append(self.lower(num(f.value.denominator)))
                if f.value < 0:
                    top.append(self.lower(num(-1)))
            elif isinstance(f, Pow) and as_coefficient(f.exponent)[0] < 0:
                bottom.append(self.lower(power(f.base, mul(num(-1), f.exponent))))
            else:
                top.append(self.lower(f))
        negative = [x for x in top if x.value.number is not None and x.value.number < 0]
        if negative:
            place = next(k for k, x in enumerate(top) if x is negative[0])  # the same number may stand there twice
            top = top[:place] + top[place + 1 :]
            top.insert(0, Labelled(p.neg(negative[0].value), ()))
        above, below = self.multiplied(top), self.multiplied(bottom)
        if above is None:
            above = Labelled(p.number(1), ())
        result = above
        if below is not None:
            result = self.contraction.elementwise(lambda a, b: p.div(self.real(a), self.real(b)), [above, below])
        return Labelled(p.neg(result.value), result.labels) if negative else result

    def multiplied(self, factors: list[Labelled]) -> Labelled | None:
        p = self.program
        order = ordered_union(factors)
        result: Labelled | None = None
        for x in sorted(factors, key=lambda x: self.contraction.cost(x.labels)):
            if result is None:
                result = x
                continue
            first, second = (result, x) if len(result.labels) == 0 or x.labels == result.labels else (x, result)
            result = self.contraction.elementwise(lambda a, b: p.mul(self.real(a), self.real(b)), [first, second], order)
        return result

    def pow(self, node: Pow) -> Labelled:
        p = self.program
        base, exponent = self.lower(node.base), node.exponent
        e = exponent.value if isinstance(exponent, Num) and isinstance(exponent.value, Fraction) else None
        x = self.real(base.value)
        if e is not None and e < 0:
            below = self.lower(power(node.base, num(-e)))
            return Labelled(p.div(p.number(1), self.real(below.value)), below.labels)
        if e == 2:
            return Labelled(p.elementwise("square", x), base.labels)
        if e == Fraction(1, 2):
            return Labelled(p.elementwise("sqrt", x), base.labels)
        if e is not None and e.denominator == 1 and e <= 8 and x.kind != "s":
            result: Value | None = None
            square, k = x, int(e)
            while k:
                if k & 1:
                    result = square if result is None else p.mul(result, square)
                k >>= 1
                if k:
                    square = p.elementwise("square", square)
            assert result is not None
            return Labelled(result, base.labels)
        return self.contraction.elementwise(
            lambda a, b: p.elementwise("pow", self.real(a), self.real(b)), [base, self.lower(exponent)]
        )

    def fn(self, node: Fn) -> Labelled:
        if node.name in INTEGER_FUNCTIONS:
            x = self.indexing.integer(node)
            return Labelled(self.real(x.value), x.labels)
        p = self.program
        operands = [self.lower(a) for a in node.args]
        return self.contraction.elementwise(lambda *args: p.elementwise("fn:" + node.name, *(self.real(a) for a in args)), operands)

    def where(self, node: Where) -> Labelled:
        p = self.program
        condition = self.condition(node.args[0])
        self.safe += 1
        try:
            a, b = self.lower(node.args[1]), self.lower(node.args[2])
        finally:
            self.safe -= 1
        return self.contraction.elementwise(
            lambda c, x, y: p.elementwise("where", c, self.real(x), self.real(y), kind="f"), [condition, a, b]
        )

    def condition(self, node: Scalar) -> Labelled:
        """A truth value."""
        p = self.program
        if isinstance(node, Compare):
            a, b = node.args
            if self.indexing.is_integer(a) and self.indexing.is_integer(b):
                x, y = self.indexing.integer(a), self.indexing.integer(b)
            else:
                x, y = self.lower(a), self.lower(b)
            return self.contraction.elementwise(lambda u, v: p.elementwise("cmp:" + node.op, u, v, kind="b"), [x, y])
        if isinstance(node, Logic):
            parts = [self.condition(a) for a in node.args]
            if node.op == "not":
                return Labelled(p.elementwise("not_", parts[0].value, kind="b"), parts[0].labels)
            result = parts[0]
            for x in parts[1:]:
                result = self.contraction.elementwise(lambda u, v: p.elementwise(node.op + "_", u, v, kind="b"), [result, x])
            return result
        raise CannotDerive("a condition is a comparison", node)

    def delta(self, node: Delta) -> Labelled:
        return self.indexing.delta(node)

    def fold(self, node: Fold) -> Labelled:
        body = self.lower(node.body)
        x = Labelled(self.real(body.value), body.labels)
        return self.contraction.reduced(x, node.indices, node.kind)

    # --- sums ---

    def sum(self, node: Sum) -> Labelled:
        """The sum over `indices`: a product is contracted, a sum of products of one sign term by term."""
        return self.sums.summed(node.body, node.indices)

    def expect(self, node: Expect) -> Labelled:
        raise CannotDerive("an expectation has to be sampled before it is lowered", node)


RULES: dict[type, Callable[[Lowering, Any], Labelled]] = {
    Num: Lowering.number, Dim: Lowering.dim, Index: Lowering.index, Entry: Lowering.entry, Add: Lowering.add,
    Mul: Lowering.mul, Pow: Lowering.pow, Fn: Lowering.fn, Sum: Lowering.sum, Fold: Lowering.fold,
    Delta: Lowering.delta, Where: Lowering.where, Expect: Lowering.expect,
}  # fmt: skip
