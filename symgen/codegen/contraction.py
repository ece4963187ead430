"""Sums of products as BLAS calls: which pair is contracted first, and which call does it.

A `Labelled` value carries one index per axis. The order is chosen when the code is made, by the flops at nominal
sizes; transposes are flags of the matrix product, never copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from symgen.codegen.program import Program, Value
from symgen.tensor.expression import Add, Dim, Fn, Index, Mul, Num, Pow, Scalar

EXHAUSTIVE = 6  # operands; more are contracted greedily


@dataclass(frozen=True)
class Labelled:
    """A value and the index of each of its axes (distinct)."""

    value: Value
    labels: tuple[Index, ...]


def nominal_size(size: Scalar, known: dict[Scalar, float]) -> float:
    """A number for a symbolic size, to rank costs by: what `known` says, else 48."""
    found = known.get(size)
    if found is not None:
        return found
    if isinstance(size, Num):
        return float(size.value) if not isinstance(size.value, str) else 1.0
    if isinstance(size, Dim):
        return 48.0
    parts = [nominal_size(a, known) for a in size.args]
    if isinstance(size, Add):
        value = sum(parts)
    elif isinstance(size, Mul):
        value = 1.0
        for p in parts:
            value *= p
    elif isinstance(size, Pow):
        value = parts[0] ** parts[1] if abs(parts[1]) <= 8 else 1e12
    elif isinstance(size, Fn) and size.name == "div":
        value = parts[0] / max(parts[1], 1.0)
    else:
        value = 48.0
    value = max(value, 1.0)
    known[size] = value
    return value


def ordered_union(operands: Sequence[Labelled]) -> tuple[Index, ...]:
    """All labels, in the order of the operand that has most of them; others are put in where they stand elsewhere."""
    if all(i.kind == "a" for x in operands for i in x.labels):  # the axes of the result, in its order
        return tuple(sorted({i for x in operands for i in x.labels}, key=lambda i: i.number))
    order: list[Index] = []
    for x in sorted(operands, key=lambda x: -len(x.labels)):
        position = 0
        for label in x.labels:
            if label in order:
                position = order.index(label) + 1
            else:
                order.insert(position, label)
                position += 1
    return tuple(order)


class Contraction:
    """Contracts labelled values in one program."""

    def __init__(self, program: Program, nominal: dict[Scalar, float]) -> None:
        self.program = program
        self.nominal = nominal
        self.wanted: set[int] = set()  # inverses that are outputs or stand outside of products

    # --- axes ---

    def cost(self, labels: Iterable[Index]) -> float:
        out = 1.0
        for i in labels:
            out *= nominal_size(i.size, self.nominal)
        return out

    def arranged(self, x: Labelled, order: Sequence[Index]) -> Value:
        """The value of `x` with axes in `order`, size-1 axes where it has none (leading ones left out)."""
        present = [i for i in order if i in x.labels]
        value = self.program.transpose(x.value, [x.labels.index(i) for i in present])
        return self.program.expand(value, [i in x.labels for i in order])

    def ordered(self, x: Labelled, order: Sequence[Index]) -> Value:
        """The value of `x` with exactly the axes `order`."""
        return self.program.transpose(x.value, [x.labels.index(i) for i in order])

    def elementwise(
        self, build: Callable[..., Value], operands: Sequence[Labelled], order: Sequence[Index] | None = None
    ) -> Labelled:
        """`build` of the operands aligned; the axes stand in `order` if it is given."""
        if order is None:
            order = ordered_union(operands)
        else:
            present = {i for x in operands for i in x.labels}
            order = tuple(i for i in order if i in present)
        return Labelled(build(*(self.arranged(x, order) for x in operands)), tuple(order))

    def product(self, a: Labelled, b: Labelled) -> Labelled:
        return self.elementwise(self.program.mul, [a, b])

    def reduced(self, x: Labelled, gone: Iterable[Index], kind: str = "sum") -> Labelled:
        gone = [i for i in x.labels if i in set(gone)]
        if not gone:
            return x
        axes = tuple(k for k, i in enumerate(x.labels) if i in gone)
        labels = tuple(i for i in x.labels if i not in gone)
        return Labelled(self.program.make("reduce", (x.value,), (kind, axes), tuple(i.size for i in labels)), labels)

    # --- plan ---

    def contract(self, operands: Sequence[Labelled], bound: Sequence[Index]) -> Labelled:
        """The sum over `bound` of the product of the operands (each bound index occurs in one of them)."""
        pending = list(operands)
        todo = set(bound)
        while len(pending) > 1:
            for k, x in enumerate(pending):  # what a single operand holds is summed first
                others = {i for j, y in enumerate(pending) if j != k for i in y.labels}
                alone = [i for i in x.labels if i in todo and i not in others]
                if alone:
                    pending[k] = self.reduced(x, alone)
                    todo.difference_update(alone)
            i, j = self.next_pair(pending, todo)
            a, b = pending[i], pending[j]
            others = {label for k, x in enumerate(pending) if k not in (i, j) for label in x.labels}
            gone = [label for label in dict.fromkeys((*a.labels, *b.labels)) if label in todo and label not in others]
            todo.difference_update(gone)
            pending = [x for k, x in enumerate(pending) if k not in (i, j)]
            pending.append(self.pair(a, b, gone))
        return self.reduced(pending[0], todo)

    def next_pair(self, pending: Sequence[Labelled], todo: set[Index]) -> tuple[int, int]:
        if len(pending) == 2:
            return 0, 1
        if len(pending) <= EXHAUSTIVE:
            plan = self.search(tuple(frozenset(x.labels) for x in pending), frozenset(todo), {})[1]
            assert plan is not None
            return plan
        best = min(combinations(range(len(pending)), 2), key=lambda p: self.greedy_cost(pending, p[0], p[1], todo))
        return best

    def greedy_cost(self, pending: Sequence[Labelled], i: int, j: int, todo: set[Index]) -> tuple[float, float]:
        a, b = set(pending[i].labels), set(pending[j].labels)
        others = {label for k, x in enumerate(pending) if k not in (i, j) for label in x.labels}
        kept = {x for x in a | b if x in others or x not in todo}
        return self.cost(kept) - self.cost(a) - self.cost(b), self.cost(a | b)

    def search(
        self,
        sets: tuple[frozenset[Index], ...],
        todo: frozenset[Index],
        memo: dict[object, tuple[float, tuple[int, int] | None]],
    ) -> tuple[float, tuple[int, int] | None]:
        """The least flops to contract label sets, and the pair to begin with."""
        if len(sets) == 1:
            return 0.0, None
        key = tuple(sorted(tuple(sorted(i.serial for i in s)) for s in sets))
        if key in memo:
            cost, _ = memo[key]
            if len(sets) == 2:
                return cost, (0, 1)
        best: tuple[float, tuple[int, int] | None] = (float("inf"), None)
        for i, j in combinations(range(len(sets)), 2):
            others: set[Index] = set()
            for k, s in enumerate(sets):
                if k not in (i, j):
                    others |= s
            both = sets[i] | sets[j]
            kept = frozenset(x for x in both if x in others or x not in todo)
            rest = (*(s for k, s in enumerate(sets) if k not in (i, j)), kept)
            cost = self.cost(both) + 0.1 * self.cost(kept)
            if cost < best[0]:
                cost += self.search(rest, todo, memo)[0]
                if cost < best[0]:
                    best = (cost, (i, j))
        memo[key] = best
        return best

    # --- one pair ---

    def pair(self, a: Labelled, b: Labelled, gone: Sequence[Index]) -> Labelled:
        """The sum over `gone` of a*b: a dot, a matrix product, a batched one, or an einsum."""
        if not gone:
            return self.product(a, b)
        alone = [i for i in gone if (i in a.labels) != (i in b.labels)]
        if alone:
            a, b = self.reduced(a, alone), self.reduced(b, alone)
            gone = [i for i in gone if i not in alone]
            if not gone:
                return self.product(a, b)
        batch = [i for i in a.labels if i in b.labels and i not in gone]
        rows = [i for i in a.labels if i not in b.labels]
        columns = [i for i in b.labels if i not in a.labels]
        if not batch:
            return self.unbatched(a, b, list(gone), rows, columns)
        if len(gone) == 1 and len(rows) <= 1 and len(columns) <= 1 and (rows or columns):
            return self.batched(a, b, batch, rows, columns, gone[0])
        return self.einsum(a, b, (*batch, *rows, *columns))

    def unbatched(self, a: Labelled, b: Labelled, gone: list[Index], rows: list[Index], columns: list[Index]) -> Labelled:
        p = self.program
        if rows and columns and all(i.kind == "a" for i in (*rows, *columns)) and rows[0].number > columns[0].number:
            a, b, rows, columns = b, a, columns, rows  # the axes of the result in its order
        labels = (*rows, *columns)
        shape = tuple(i.size for i in labels)
        if not labels:
            order = a.labels
            if len(order) == 1:
                return Labelled(p.make("dot", (a.value, self.ordered(b, order)), (), ()), ())
            return Labelled(p.make("vdot", (a.value, self.ordered(b, order)), (), ()), ())
        if len(gone) == 1 and len(rows) <= 1 and len(columns) <= 1:
            left = self.ordered(a, [*rows, *gone])
            right = self.ordered(b, [*gone, *columns])
            if left.rank == 2 and right.rank == 2 and left.op == "transpose" and right.op == "transpose":
                # A' B' = (B A)': one product without flags, read through a transpose
                product = self.matmul(right.args[0], left.args[0], (shape[1], shape[0]))
                return Labelled(product, (columns[0], rows[0]))
            if left.rank == 1 and right.op == "transpose":  # x @ A' = A @ x
                left, right = right.args[0], left
            elif left.rank == 1 and right.rank == 2:  # x @ A = A' @ x
                left, right = p.transpose(right, (1, 0)), left
            return Labelled(self.matmul(left, right, shape), labels)
        if len(gone) == 1 and len(columns) == 1 and a.labels[-1] is gone[0]:  # (.., k) @ (k, n)
            return Labelled(p.make("matmul", (a.value, self.ordered(b, [*gone, *columns])), (), shape), labels)
        if len(gone) == 1 and len(rows) == 1 and b.labels[-1] is gone[0]:
            product = p.make("matmul", (b.value, self.ordered(a, [*gone, *rows])), (), tuple(i.size for i in (*columns, *rows)))
            return Labelled(product, (*columns, *rows))
        axes = (tuple(a.labels.index(i) for i in gone), tuple(b.labels.index(i) for i in gone))
        return Labelled(p.make("tensordot", (a.value, b.value), axes, shape), labels)

    def matmul(self, left: Value, right: Value, shape: tuple[Scalar, ...]) -> Value:
        """left @ right; an inverse that is wanted for nothing else becomes the solution of a system."""
        p = self.program
        found = self.inverted(left)
        if found is not None and right.rank in (1, found[0].rank):
            return self.solved(*found, right, shape)
        found = self.inverted(right, other_way=True)
        if found is not None and found[0].rank == 2 and left.rank == 1:
            return self.solved(*found, left, shape)
        if found is not None and found[0].rank == 2 and left.rank == 2:
            return p.transpose(self.solved(*found, p.transpose(left, (1, 0)), shape[::-1]), (1, 0))
        return p.make("matmul", (left, right), (), shape)

    def solved(self, A: Value, name: str, right: Value, shape: tuple[Scalar, ...]) -> Value:
        return self.program.make("operation", (A, right), (name, (A.rank, right.rank), 0), shape)

    def inverted(self, x: Value, other_way: bool = False) -> tuple[Value, str] | None:
        """A and what solves its systems, where x = inv(A) or inv(A)' (that transposed, the `other_way`) has no name and is
        wanted in products alone."""
        turned = x.op == "transpose" and x.attrs[0] == (*range(x.rank - 2), x.rank - 1, x.rank - 2)
        inverse = x.args[0] if turned else x
        if inverse.op != "operation" or inverse.attrs[0] not in ("inv", "inv_lower"):
            return None
        if inverse.name or inverse.serial in self.wanted:
            return None
        A = inverse.args[0]
        if inverse.attrs[0] == "inv_lower":
            return A, "solve_lower_transposed" if turned != other_way else "solve_lower"
        last = (*range(x.rank - 2), x.rank - 1, x.rank - 2)
        return (self.program.transpose(A, last) if turned != other_way else A), "solve"

    def batched(
        self, a: Labelled, b: Labelled, batch: list[Index], rows: list[Index], columns: list[Index], gone: Index
    ) -> Labelled:
        left = self.ordered(a, [*batch, *rows, gone])
        right = self.ordered(b, [*batch, gone, *columns])
        labels = (*batch, *rows, *columns)
        if not rows:
            left = self.with_axis(left, -2)
        if not columns:
            right = self.with_axis(right, -1)
        product = self.matmul(left, right, (*left.shape[:-1], right.shape[-1]))
        if not rows:
            product = self.without_axis(product, -2)
        if not columns:
            product = self.without_axis(product, -1)
        return Labelled(product, labels)

    def with_axis(self, x: Value, position: int) -> Value:
        places = [True] * (x.rank + 1)
        places[position] = False
        return self.program.expand(x, places)

    def without_axis(self, x: Value, position: int) -> Value:
        k = position % x.rank
        items = tuple(("pick", 0) if j == k else ("all",) for j in range(x.rank))
        shape = (*x.shape[:k], *x.shape[k + 1 :])
        return self.program.make("index", (x,), items, shape, x.kind)

    def einsum(self, a: Labelled, b: Labelled, labels: Sequence[Index]) -> Labelled:
        letters: dict[Index, str] = {}
        for i in (*a.labels, *b.labels):
            letters.setdefault(i, "ijklmnopqrstuvwxyzabcdefgh"[len(letters) % 26])
        if len(letters) > 26:
            raise OverflowError("a contraction of more than 26 indices")
        spec = "".join(letters[i] for i in a.labels) + "," + "".join(letters[i] for i in b.labels)
        spec += "->" + "".join(letters[i] for i in labels)
        value = self.program.make("einsum", (a.value, b.value), (spec,), tuple(i.size for i in labels))
        return Labelled(value, tuple(labels))
