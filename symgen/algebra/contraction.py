"""Contractions in canonical form: a product summed over bound indices falls into connected components, and each
component is one interned `Sum` whose indices are numbered by canonical labelling of the graph (factors, indices).

The labelling is colour refinement with individualisation: the colour of an index is made of the factors in which it
stands. It depends on nothing but the graph, so that equal contractions become one node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from symgen.algebra.polynomial import Budget, Monomial
from symgen.tensor.expression import Index, Scalar, axis, mul, num, power, substitute, total

__all__ = ["components", "labelled"]

Factor = tuple[Scalar, Fraction]
Tidy = Callable[[Scalar], Scalar]
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


def labelled(factors: Sequence[Factor], bound: Sequence[Index], tidy: Tidy, budget: Budget) -> Scalar:
    """The canonical `Sum` of a product over its indices."""
    order = _canonical_order(factors, bound, tidy, budget)
    relabel = {i: axis(FIRST_LABEL + k, i.size) for k, i in enumerate(order)}
    atoms = [power(tidy(substitute(a, relabel)), num(e)) for a, e in factors]
    return total(mul(*atoms), [relabel[i] for i in order])


def _canonical_order(factors: Sequence[Factor], bound: Sequence[Index], tidy: Tidy, budget: Budget) -> list[Index]:
    if len(bound) == 1:
        return list(bound)
    leaves = 0
    best: tuple[tuple[tuple[int, Fraction], ...], list[Index]] | None = None
    stack: list[dict[Index, int]] = [_refine(factors, {i: i.size.serial for i in bound}, tidy, budget)]
    while stack:
        colours = stack.pop()
        cells: dict[int, list[Index]] = {}
        for i, c in colours.items():
            cells.setdefault(c, []).append(i)
        split = next((cells[c] for c in sorted(cells) if len(cells[c]) > 1), None)
        if split is None:
            leaves += 1
            order = sorted(colours, key=lambda i: colours[i])
            relabel = {i: axis(FIRST_LABEL + k, i.size) for k, i in enumerate(order)}
            key = tuple(sorted((tidy(substitute(a, relabel)).serial, e) for a, e in factors))
            if best is None or key < best[0]:
                best = (key, order)
            if leaves >= MAX_LEAVES:
                break
            continue
        for i in split:
            stack.append(_refine(factors, {j: 2 * c + (j is i) for j, c in colours.items()}, tidy, budget))
    assert best is not None
    return best[1]


def _ranked(keys: dict[Index, tuple[object, ...]]) -> dict[Index, int]:
    places = {k: n for n, k in enumerate(sorted(set(keys.values())))}
    return {i: places[k] for i, k in keys.items()}


def _refine(factors: Sequence[Factor], start: dict[Index, int], tidy: Tidy, budget: Budget) -> dict[Index, int]:
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
                    seen.append((tidy(substitute(a, marked)).serial, e))
            keys[i] = (colours[i], tuple(sorted(seen)))
        finer = _ranked(keys)
        if len(set(finer.values())) == count:
            return finer
        colours = finer
