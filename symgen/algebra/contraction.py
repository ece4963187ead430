"""Contractions in canonical form: a product summed over bound indices falls into connected components, and each
component is one interned `Sum` whose indices are numbered by canonical labelling of the graph (factors, indices).

The labelling is colour refinement with individualisation: the colour of an index is made of the factors in which it
stands. It depends on nothing but the graph, so that equal contractions become one node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod

from symgen.algebra.polynomial import Budget, Monomial
from symgen.tensor.expression import Index, Scalar, axis, mul, num, power, substitute, total

__all__ = ["Order", "components", "labelled"]

Factor = tuple[Scalar, Fraction]
Tidy = Callable[[Scalar], Scalar]
Turns = Callable[[Scalar], bool]
MAX_LEAVES = 120  # labellings that are compared where the graph has symmetries
FIRST_LABEL, MARK, OTHER = 1000, 2000, 3000  # numbers of the axes that stand for labelled, marked and other indices


def components(m: Monomial, bound: Sequence[Index]) -> tuple[list[Factor], list[tuple[list[Factor], list[Index]]]]:
    """The factors without bound index, and the connected components of the others with their indices."""
    todo = set(bound)
    outside: list[Factor] = []
    groups: list[tuple[list[Factor], set[Index]]] = []
    for atom, e in m:
        touched = todo.intersection(atom.free)
        if not touched:
            outside.append((atom, e))
            continue
        factors: list[Factor] = [(atom, e)]
        kept: list[tuple[list[Factor], set[Index]]] = []
        for group in groups:
            if touched & group[1]:
                factors, touched = group[0] + factors, touched | group[1]
            else:
                kept.append(group)
        groups = [*kept, (factors, touched)]
    return outside, [(factors, [i for i in bound if i in touched]) for factors, touched in groups]


def never(atom: Scalar) -> bool:
    return False


class Order:
    """How an atom and its power are brought in order: `tidy` sorts its indices, and `turns` says whether that leaves
    the negative of the atom."""

    def __init__(self, tidy: Tidy, turns: Turns = never) -> None:
        self.tidy, self.turns = tidy, turns

    def __call__(self, atom: Scalar, e: Fraction) -> Scalar:
        return atom if e.denominator != 1 and self.turns(atom) else self.tidy(atom)

    def sign(self, atom: Scalar, e: Fraction) -> int:
        return -1 if e.denominator == 1 and e.numerator % 2 and self.turns(atom) else 1


def labelled(factors: Sequence[Factor], bound: Sequence[Index], order: Order, budget: Budget) -> tuple[Scalar, int]:
    """The canonical `Sum` of a product over its indices, and its sign: 0 where a symmetry of the graph takes the sum to
    its negative."""
    indices, sign = _canonical_labels(factors, bound, order, budget)
    relabel = {i: axis(FIRST_LABEL + k, i.size) for k, i in enumerate(indices)}
    atoms = [power(order(substitute(a, relabel), e), num(e)) for a, e in factors]
    return total(mul(*atoms), [relabel[i] for i in indices]), sign


def _canonical_labels(factors: Sequence[Factor], bound: Sequence[Index], order: Order, budget: Budget) -> tuple[list[Index], int]:
    leaves = 0
    best: tuple[tuple[tuple[int, Fraction], ...], list[Index], int] | None = None
    stack: list[dict[Index, int]] = [_refine(factors, {i: i.size.serial for i in bound}, order, budget)]
    while stack:
        colours = stack.pop()
        cells: dict[int, list[Index]] = {}
        for i, c in colours.items():
            cells.setdefault(c, []).append(i)
        split = next((cells[c] for c in sorted(cells) if len(cells[c]) > 1), None)
        if split is None:
            leaves += 1
            indices = sorted(colours, key=lambda i: colours[i])
            relabel = {i: axis(FIRST_LABEL + k, i.size) for k, i in enumerate(indices)}
            atoms = [(substitute(a, relabel), e) for a, e in factors]
            key = tuple(sorted((order(a, e).serial, e) for a, e in atoms))
            sign = prod(order.sign(a, e) for a, e in atoms)
            if best is None or key < best[0]:
                best = (key, indices, sign)
            elif key == best[0] and sign != best[2]:
                best = (key, indices, 0)
            if leaves >= MAX_LEAVES:
                break
            continue
        for i in split:
            stack.append(_refine(factors, {j: 2 * c + (j is i) for j, c in colours.items()}, order, budget))
    assert best is not None
    return best[1], best[2]


def _ranked(keys: dict[Index, tuple[object, ...]]) -> dict[Index, int]:
    places = {k: n for n, k in enumerate(sorted(set(keys.values())))}
    return {i: places[k] for i, k in keys.items()}


def _refine(factors: Sequence[Factor], start: dict[Index, int], order: Order, budget: Budget) -> dict[Index, int]:
    """The coarsest colouring finer than `start` in which indices of one colour stand in factors of the same kinds."""
    colours = _ranked({i: (c,) for i, c in start.items()})
    while True:
        count = len(set(colours.values()))
        if count == len(colours):
            return colours
        keys: dict[Index, tuple[object, ...]] = {}
        for i in colours:
            budget.spend(len(factors))
            seen = []
            others = {j: axis(OTHER + c, j.size) for j, c in colours.items() if j is not i}
            marked = {**others, i: axis(MARK + colours[i], i.size)}
            for a, e in factors:
                if i in a.free:
                    seen.append((order(substitute(a, marked), e).serial, e))
            keys[i] = (colours[i], tuple(sorted(seen)))
        finer = _ranked(keys)
        if len(set(finer.values())) == count:
            return finer
        colours = finer
