"""Vectors over the rows written as columns, where they are made of reductions: X - mean(X, axis=1, keepdims=True)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from fractions import Fraction

from symgen.render.compose import Product, column, over_one_bar, signed, sum_of
from symgen.render.factors import factors_of
from symgen.tensor import expression as x
from symgen.tensor.expression import Array, Index, Scalar
from symgen.tensor.functions import FUNCTIONS
from symgen.text import tree as t

Axes = tuple[Index, ...]


class Columns(ABC):
    """Writes an entry that depends on the row `i` alone so that it broadcasts along the rows."""

    names: Mapping[Array, str]

    @abstractmethod
    def tree(self, node: Scalar, axes: Axes) -> t.Expression: ...

    @abstractmethod
    def array(self, array: Array) -> t.Expression: ...

    def column(self, node: Scalar, i: Index) -> t.Expression | None:
        """The column, or None where a vector stands in it that would have to be reshaped."""
        if i not in node.free:
            return self.tree(node, ())
        match node:
            case x.Sum() | x.Fold():
                sign, e = signed(self.tree(node, (i,)))
                kept = column(e)
                return kept if kept is None or sign > 0 else t.Terms(((-1, kept),))
            case x.Add():
                terms = [self.column(term, i) for term in node.args]
                return None if None in terms else sum_of(over_one_bar([signed(e) for e in terms if e is not None]))
            case x.Mul() | x.Pow():
                return self._column_of_product(node, i)
            case x.Fn() if node.name in FUNCTIONS and not FUNCTIONS[node.name].internal:
                inside = [self.column(a, i) for a in node.args]
                return None if None in inside else t.Call(node.name, tuple(e for e in inside if e is not None))
            case x.Entry():
                array = node.array
                if isinstance(array, x.Tensor) and array not in self.names:
                    return self.column(x.open_tensor(array, node.indices), i)
                if len(node.indices) == 2 and node.indices[0] is i and array.shape[1] is x.ONE:
                    return self.array(array)
        return None

    def _column_of_product(self, node: Scalar, i: Index) -> t.Expression | None:
        p = Product()
        for f, exponent in factors_of(node):
            if isinstance(f, x.Num) and isinstance(f.value, Fraction) and exponent.denominator == 1 and f.value:
                p.coefficient *= f.value ** int(exponent)
                continue
            e = None if isinstance(f, x.Pow) else self.column(f, i)
            if e is None:
                return None
            if i in f.free:
                p.times((e,), exponent)
            else:
                p.scale(e, exponent)
        return p.tree()


__all__ = ["Columns"]
