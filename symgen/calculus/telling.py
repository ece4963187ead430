"""What a person is told about a backward pass: which adjoint comes next, through what, and in which style.

`chain` shows the adjoint of every intermediate value in the order of backpropagation, each with the local rule that it
came through; `differentials` shows the differential of f again and again, one definition put in at a time, until its
gradient can be read off. What is told is what was computed: the expressions are those of the sweep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from symgen.algebra.collect import collect_common, written_length
from symgen.calculus.rules import derivative_of
from symgen.derivation.context import Context
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
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
    arrays_below,
    axis,
    compare,
    count_nodes,
    entry,
    fn,
    fold,
    fresh_index,
    logic,
    mul,
    open_sum,
    open_tensor,
    operator,
    power,
    sub,
    substitute,
    tensor,
    total,
    var,
    where,
)  # fmt: skip
from symgen.tensor.formula import read, read_value
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.operations import OPERATIONS

STYLES = ("chain", "differentials")
MOST_TOLD = 60  # arrays of a program whose adjoints are told one by one
READABLE = 160  # how long an expression may be that is still shown
POWERS = {TWO: "square", HALF: "square root", MINUS_ONE: "quotient"}
LETTERS = ("z", "a", "u", "v", "s", "q", "h", "c")


def is_view(array: Array) -> bool:
    """Whether an array holds entries of another in other places: a transpose, a slice."""
    return isinstance(array, Tensor) and isinstance(array.body, Entry)


def is_worth_telling(array: Array, g: Scalar, ctx: Context) -> bool:
    """A named value, or one whose adjoint says something: not the 1 of a term of the loss."""
    if isinstance(array, Var) or is_view(array):
        return False
    if ctx.name_of(array):
        return True
    return array.rank > 0 or not (isinstance(g, Num) or written_length(g) <= 3)


def how(consumer: Array, array: Array, name_of: Mapping[Array, str] | None = None) -> str:
    """What stands between `array` and the value that reads it, in words: the sigmoid, a matrix product, a sum."""
    if isinstance(consumer, Operation):
        return consumer.name
    if isinstance(consumer, Operator) and consumer.name == "integral":
        return "under the integral" if consumer.operands[0] is array else "the integral's end"
    if not isinstance(consumer, Tensor):
        return "a recurrence" if isinstance(consumer, Recurrence) else ""
    found: dict[str, None] = {}
    for path in _paths(consumer.body, array):
        found.update(dict.fromkeys(_words(path, consumer)))
        if len(found) > 3:
            break
    words = list(found)
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1] if words else ""


def slope(consumer: Array, array: Array, ctx: Context) -> str:
    """The local derivative of a value that is one function of the entries of `array`: p*(1 - p) for p = sigmoid(z)."""
    if not isinstance(consumer, Tensor) or not isinstance(consumer.body, Fn):
        return ""
    row = FUNCTIONS.get(consumer.body.name)
    args = consumer.body.args
    if row is None or len(args) != 1 or not isinstance(args[0], Entry) or args[0].array is not array:
        return ""
    text = row.derivative[0]
    names = {"Y": ctx.name_of(consumer), "x": ctx.name_of(array) or getattr(array, "name", None)}
    said = set(re.findall(r"\b[Yx]\b", text or "x"))
    if text is None or len(text) > 24 or any(names[k] is None for k in said):
        return ""
    return re.sub(r"\b[Yx]\b", lambda m: str(names[m[0]]), text)


def _paths(body: Scalar, array: Array) -> Iterable[tuple[Node, ...]]:
    """The ways down from the body of a statement to the entries of an array; the first few."""
    reads: dict[Node, bool] = {}

    def leads(node: Node) -> bool:
        known = reads.get(node)
        if known is None:
            if type(node) is Entry:
                known = node.array is array
            else:
                known = not node.is_array_node and any(leads(a) for a in node.args)
            reads[node] = known
        return known

    if count_nodes(body) > 400:
        return
    stack: list[tuple[Node, tuple[Node, ...]]] = [(body, ())]
    count = 0
    while stack and count < 6:
        node, above = stack.pop()
        if not leads(node):
            continue
        if type(node) is Entry:
            count += 1
            yield (*above, node)
        else:
            stack.extend((a, (*above, node)) for a in reversed(node.args))


def _words(path: Sequence[Node], consumer: Tensor) -> Iterable[str]:
    """The operations on a way down, outermost first."""
    summed: Sum | None = None
    for node in path[:-1]:
        match node:
            case Sum():
                factors = node.body.args if isinstance(node.body, Mul) else (node.body,)
                inside = [f for f in factors if not f.free.isdisjoint(node.indices)]
                matrix = len(inside) > 1 and all(isinstance(f, (Entry, Add, Pow)) for f in inside)
                summed = node
                if isinstance(node.body, Pow) and node.body.exponent is TWO:
                    yield "squared norm"
                elif matrix and consumer.rank:
                    yield "matrix product"
                elif matrix:
                    yield "inner product"
                else:
                    yield "sum"
            case Fn():
                yield f"the {node.name}"
            case Pow() if summed is None or node is not summed.body or node.exponent is not TWO:
                yield POWERS.get(node.exponent, "power")
            case Fold():
                yield {"prod": "product", "max": "maximum", "min": "minimum"}[node.kind]
            case Where():
                yield "pieces"
            case Expect():
                yield "expectation"
    if summed is None and len(path) <= 2 and all(isinstance(n, (Add, Mul, Entry)) for n in path):
        yield "linear" if not any(isinstance(n, Mul) for n in path) else "product"


# --- differentials ----------------------------------------------------------------------------------------------------


class Differentials:
    """The differential of f, written out step by step while the sweep goes back."""

    def __init__(self, f: Array, ctx: Context, taken: set[str]) -> None:
        self.f, self.ctx, self.taken = f, ctx, taken
        self.by: dict[Array, Var] = {}
        self.last: Array | None = None
        self.shown: set[Array] = set()
        self.df = self.differential_of(f)

    def named(self, array: Array) -> str:
        """The name of an array; one that has none gets a letter, and a line that says so."""
        name = self.ctx.name_of(array) or (array.name if isinstance(array, Var) else None)
        if name is None:
            letters = ("f",) if array is self.f else LETTERS
            name = next(c for c in (*letters, *(f"{letters[0]}_{k}" for k in range(1, 1000))) if c not in self.taken)
            self.taken.add(name)
            if array is not self.f and self.ctx.detail > 1:
                self.ctx.trace.names[array] = name
                self.ctx.trace.add("name", None, array, where=name)
        return name

    def differential_of(self, array: Array) -> Var:
        """The variable dA that stands for the differential of A."""
        found = self.by.get(array)
        if found is None:
            name = f"d{self.named(array)}"
            while name in self.taken:
                name += "_"
            self.taken.add(name)
            found = self.by[array] = var(name, array.shape, "real", "placeholder", uid=17)
        return found

    def of_value(self, array: Array, active: set[Array]) -> None:
        """The line dA = .. for one statement: its differential in those of what it reads."""
        inner = [a for a in arrays_below(array) if a in active]
        for a in inner:
            self.differential_of(a)
        body = self.of_array(array, set(inner))
        if body is not None and body is not ZERO and written_length(body) <= READABLE:
            axes = tuple(axis(k, s) for k, s in enumerate(array.shape))
            made = tensor(axes, collect_common(body))
            if made is not self.by.get(array):
                reason = OPERATIONS[array.name].because if isinstance(array, Operation) else ""
                source = OPERATIONS[array.name].source if isinstance(array, Operation) else ""
                if array is self.f and self.ctx.detail < 3:
                    return  # the line that comes next says it simplified
                if array is self.f:
                    self.last = made
                if self.ctx.detail > 1:
                    self.ctx.trace.add("differential", self.differential_of(array), made, reason=reason, source=source)

    def of_array(self, array: Array, active: set[Array]) -> Scalar | None:
        if isinstance(array, Operation):
            return self.of_operation(array, active)
        if isinstance(array, Tensor):
            return differential(array.body, {a: self.by[a] for a in active}, entry(array, *array.axes))
        return None

    def of_operation(self, array: Operation, active: set[Array]) -> Scalar | None:
        return differential_of_operation(array, {a: self.by[a] for a in active})

    def of_frontier(self, parts: Mapping[Array, Sequence[Scalar]], simplify: object, reason: str) -> None:
        """The line df = sum of <adjoint, differential> over the values that are left."""
        terms: list[Scalar] = []
        for array, waiting in parts.items():
            axes = [axis(k, s) for k, s in enumerate(array.shape)]
            g = simplify(add(*waiting)) if callable(simplify) else add(*waiting)
            terms.append(total(mul(g, entry(self.differential_of(array), *axes)), axes))
        body = add(*terms)
        if body is ZERO or written_length(body) > READABLE:
            return
        made = tensor((), body)
        if made is self.last:
            return
        if self.ctx.detail > 1:
            self.ctx.trace.add("put_in", self.df, made, reason=reason)
        self.last = made

    def read_off(self, x: Array, result: Array) -> None:
        """The gradient stands beside dX in the last line."""
        pairing = "df = tr(G' @ dX)" if x.rank == 2 else "df = g @ dx" if x.rank == 1 else "df = g*dx"
        name = self.differential_of(x).name
        if self.ctx.detail == 1 and self.last is not None and self.last not in self.shown:
            self.shown.add(self.last)
            self.ctx.trace.add("put_in", self.df, self.last)
        self.ctx.trace.add(
            "read_off", operator("grad", (self.f, x), result.shape), result,
            where=self.ctx.name_of(x) or getattr(x, "name", ""),
            reason=pairing.replace("df", self.df.name).replace("dX", name).replace("dx", name),
        )  # fmt: skip


def differential_of_operation(array: Operation, by: Mapping[Array, Array]) -> Scalar | None:
    """The row's own line, dY = -Y @ dA @ Y, at these operands; None where it is no formula of the language."""
    row = OPERATIONS.get(array.name)
    if row is None:
        return None
    left, _, right = row.because.partition(" = ")
    if left.strip() != "dY" or array.rank != len(row.result):
        return None
    scope: dict[str, Array | Scalar] = {"Y": array}
    commuting = row.commuting
    for (name, axes), operand in zip(row.operands.items(), array.operands, strict=True):
        scope[name] = operand
        if not isinstance(operand, Array):
            if any(a in by for a in arrays_below(operand)):
                return None
            continue
        if operand.rank != len(axes):
            return None
        d = by.get(operand, tensor([axis(k, s) for k, s in enumerate(operand.shape)], ZERO))
        commuting = commuting if is_multiple(d, operand) else None
        scope[f"d{name}"] = d
        scope.update(zip(axes, operand.shape, strict=True))
    text = commuting or right.strip()
    if not commuting and (" of " in right or " over " in right):
        return None
    for own, text_of_entry in row.local.items():
        square = array.shape[-1]
        i, j = fresh_index(square), fresh_index(square)
        scope[own] = tensor((i, j), read_value(text_of_entry, {"i": i, "j": j}).body)
    return open_tensor(read(text, scope), [axis(k, s) for k, s in enumerate(array.shape)])


def is_multiple(d: Array, a: Array) -> bool:
    """Whether d is a number times a: the two commute, as t A and its derivative A do."""
    if d.rank != 2:
        return False
    at = [axis(k, s) for k, s in enumerate(d.shape)]
    left, right = _matrices(open_tensor(d, at), at), _matrices(open_tensor(a, at), at)
    return left is not None and left == right


def _matrices(body: Scalar, at: Sequence[Index]) -> list[Scalar] | None:
    """The factors of a body that vary with the entry, if it is one product."""
    return None if isinstance(body, Add) else [f for f in _factors(body) if not f.free.isdisjoint(at)]


def _factors(body: Scalar) -> tuple[Scalar, ...]:
    return body.args if isinstance(body, Mul) else (body,)


def differential(body: Scalar, by: Mapping[Array, Array | Callable[..., Scalar]], value: Scalar | None = None) -> Scalar:
    """The differential of the expression of an entry: linear in the entries of what `by` gives to arrays.

    `value` stands for `body` itself where its derivative is said by its value.
    """
    memo: dict[Node, Scalar] = {}

    def of(node: Scalar) -> Scalar:
        found = memo.get(node)
        if found is None:
            found = memo[node] = step(node)
        return found

    def step(node: Scalar) -> Scalar:
        match node:
            case Entry():
                made = by.get(node.array)
                if made is None:
                    return ZERO
                return entry(made, *node.indices) if isinstance(made, Array) else made(*node.indices)
            case Add():
                return add(*(of(a) for a in node.args))
            case Mul():
                args = node.args
                return add(*(mul(*args[:k], d, *args[k + 1 :]) for k, a in enumerate(args) if (d := of(a)) is not ZERO))
            case Pow():
                db, de = of(node.base), of(node.exponent)
                down = mul(node.exponent, power(node.base, sub(node.exponent, ONE)), db)
                return down if de is ZERO else add(down, mul(node, fn("log", node.base), de))
            case Fn():
                if node.name not in FUNCTIONS:
                    return ZERO
                at = value if node is body and value is not None else node
                return add(
                    *(mul(derivative_of(node.name, k, node.args, at), d)
                      for k, a in enumerate(node.args) if (d := of(a)) is not ZERO)
                )  # fmt: skip
            case Sum():
                inner, indices = open_sum(node)
                return total(differential(inner, by), indices)
            case Fold():
                return _of_fold(node, by)
            case Where():
                return where(node.args[0], of(node.args[1]), of(node.args[2]))
        return ZERO

    return of(body)


def _of_fold(node: Fold, by: Mapping[Array, Array | Callable[..., Scalar]]) -> Scalar:
    inner, indices = open_sum(node)
    d = differential(inner, by)
    if node.kind != "prod":
        return total(where(compare("==", inner, node), d, ZERO), indices)
    others: list[Index] = [fresh_index(i.size) for i in indices]
    here = logic("and", *(compare("==", j, i) for i, j in zip(indices, others, strict=True)))
    rest = substitute(inner, dict(zip(indices, others, strict=True)))
    return total(mul(fold("prod", where(here, ONE, rest), others), d), indices)
