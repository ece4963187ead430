"""Sums of entry expressions: products become contractions, sums of products are split where that loses no digits."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgen.codegen.contraction import Contraction, Labelled
from symgen.codegen.indexing import split_axes
from symgen.codegen.program import Program, Value
from symgen.tensor.expression import (
    TWO,
    Add,
    Delta,
    Entry,
    Index,
    Mul,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    add,
    as_coefficient,
    mul,
    num,
    open_sum,
    open_tensor,
    power,
    substitute,
)  # fmt: skip

if TYPE_CHECKING:
    from symgen.codegen.lower import Lowering

__all__ = ["Sums"]


class Sums:
    def __init__(self, lowering: Lowering) -> None:
        self.lowering = lowering

    @property
    def program(self) -> Program:
        return self.lowering.program

    @property
    def contraction(self) -> Contraction:
        return self.lowering.contraction

    def summed(self, body: Scalar, indices: Sequence[Index], into_smallest: bool = False) -> Labelled:
        indices = list(indices)
        missing = [i for i in indices if i not in body.free]
        if missing:  # constant over an index: as many times
            rest = self.summed(body, [i for i in indices if i in body.free])
            count = self.lowering.product([i.size for i in missing])
            return self.contraction.elementwise(lambda a, b: self.program.mul(a, b), [count, rest])
        if not indices:
            return self.lowering.lower(body)
        if isinstance(body, Sum):
            return self.summed(body.body, [*indices, *body.indices])
        splits = split_axes(body, indices)
        if splits:
            opened = substitute(body, {f: add(mul(k.size, j), k) for f, (j, k) in splits.items()})
            return self.summed(opened, [i for f in indices for i in splits.get(f, (f,))])
        if isinstance(body, Add) and self.splits(body, indices):
            return self.sum_of_terms(body, indices)
        factors = list(body.args) if isinstance(body, Mul) else [body]
        deltas = [f for f in factors if isinstance(f, Delta) and not f.free.isdisjoint(indices)]
        if deltas:
            done = self.lowering.indexing.sum_with_delta(deltas, factors, indices)
            if done is not None:
                return done
        factors, indices = self.opened_chain(factors, indices)
        constant = [i for i in indices if all(i not in f.free for f in factors)]  # a factor was constant after all
        indices = [i for i in indices if i not in constant]
        scalars = [*(f for f in factors if not f.free), *(i.size for i in constant)]
        factors = [f for f in factors if f.free]
        if not factors:
            return self.lowering.product(scalars)
        operands = self.operands(factors)
        if into_smallest and scalars:
            k = min(range(len(operands)), key=lambda k: self.contraction.cost(operands[k].labels))
            operands[k] = self.times_scalars(operands[k], scalars)
            scalars = []
        result = self.contraction.contract(operands, indices)
        if scalars:
            front = self.lowering.product(scalars)
            result = self.contraction.elementwise(lambda a, b: self.program.mul(a, b), [front, result])
        return result

    def opened_chain(self, factors: Sequence[Scalar], indices: list[Index]) -> tuple[list[Scalar], list[Index]]:
        """Factors that are entries of a contraction without name, used nowhere else, put in: the order of a chain of
        products is then free."""
        out: list[Scalar] = []
        for f in factors:
            array = f.array if isinstance(f, Entry) else None
            if not isinstance(array, Tensor) or array in self.lowering.names or self.lowering.uses.get(array) != 1:
                out.append(f)
                continue
            opened = open_tensor(array, f.indices)
            inner = opened.args if isinstance(opened, Mul) else (opened,)
            sums = [g for g in inner if isinstance(g, Sum)]
            plain = all(isinstance(g, (Sum, Entry)) or not g.free for g in inner)
            if len(sums) != 1 or not plain or not is_product_of_entries(sums[0].body):
                out.append(f)
                continue
            body, bound = open_sum(sums[0])
            more = [*(g for g in inner if g is not sums[0]), *(body.args if isinstance(body, Mul) else (body,))]
            more, bound = self.opened_chain(more, bound)
            out.extend(more)
            indices = [*indices, *bound]
        return out, indices

    def times_scalars(self, x: Labelled, scalars: Sequence[Scalar]) -> Labelled:
        """x times numbers, divided where they are reciprocals."""
        p = self.program
        value = x.value
        for f in sorted(scalars, key=lambda f: isinstance(f, Pow)):
            if isinstance(f, Pow) and as_coefficient(f.exponent)[0] < 0:
                value = p.div(value, self.lowering.lower(power(f.base, mul(num(-1), f.exponent))).value)
            elif isinstance(f, Num) and isinstance(f.value, Fraction) and abs(f.value.numerator) == 1:
                value = p.div(value, p.number(abs(f.value.denominator)))
                value = p.neg(value) if f.value < 0 else value
            else:
                value = p.mul(value, self.lowering.lower(f).value)
        return Labelled(value, x.labels)

    def splits(self, body: Add, indices: Sequence[Index]) -> bool:
        """Whether a sum is better taken term by term: the terms are products of one sign (no digits are lost), or a
        product would grow past its factors."""
        signs = set()
        products = 0
        for t in body.args:
            c, base = as_coefficient(t)
            signs.add(c > 0)
            factors = [f for f in (base.args if isinstance(base, Mul) else (base,)) if f.free]
            if any(isinstance(f, Delta) for f in factors):
                return True
            products += len(factors) > 1
            if factors and all(len(f.free) < len(base.free) for f in factors):
                return True
        return len(signs) == 1 and products == len(body.args)

    def sum_of_terms(self, body: Add, indices: Sequence[Index]) -> Labelled:
        p = self.program
        result: Labelled | None = None
        for t in sorted(body.args, key=lambda t: as_coefficient(t)[0] < 0):
            c, base = as_coefficient(t)
            x = self.summed(mul(num(abs(c)), base), indices)
            if result is None:
                result = Labelled(p.neg(x.value), x.labels) if c < 0 else x
            else:
                build = p.sub if c < 0 else p.add
                result = self.contraction.elementwise(lambda a, b, f=build: f(a, b), [result, x])
        assert result is not None
        return result

    def operands(self, factors: Sequence[Scalar]) -> list[Labelled]:
        """The operands of a contraction: a square is two of them, a divisor goes into a factor that has its indices."""
        out: list[Labelled] = []
        inverse: list[Scalar] = []
        for f in factors:
            if isinstance(f, Pow) and f.exponent is TWO:
                x = self.lowering.lower(f.base)
                x = Labelled(self.lowering.real(x.value), x.labels)
                out.extend((x, x))
            elif isinstance(f, Pow) and as_coefficient(f.exponent)[0] < 0:
                inverse.append(f)
            else:
                x = self.lowering.lower(f)
                out.append(Labelled(self.lowering.real(x.value), x.labels))
        for f in inverse:
            below = self.lowering.lower(power(f.base, mul(num(-1), f.exponent)))
            hosts = [k for k, x in enumerate(out) if set(below.labels) <= set(x.labels)]
            if hosts:
                k = min(hosts, key=lambda k: self.contraction.cost(out[k].labels))
                out[k] = self.contraction.elementwise(self.quotient, [out[k], below])
            else:
                out.append(Labelled(self.program.div(self.program.number(1), self.lowering.real(below.value)), below.labels))
        return out

    def scaled_contraction(self, factors: Sequence[Scalar]) -> Labelled | None:
        """Numbers times a large contraction: they go to its smallest operand. None if that gains nothing."""
        scalars = [f for f in factors if not f.free]
        if not scalars or len(scalars) == len(factors):
            return None
        for g in factors:
            if isinstance(g, Sum) and isinstance(g.body, Mul) and g not in self.lowering.entries:
                inner = [f for f in g.body.args if f.free]
                smallest = min(self.contraction.cost(f.free) for f in inner)
                if len(inner) > 1 and 4 * smallest < self.contraction.cost(g.free) and not any(isinstance(f, Delta) for f in inner):
                    scaled = self.summed(mul(*scalars, g.body), g.indices, into_smallest=True)
                    rest = [f for f in factors if f.free and f is not g]
                    others = [self.lowering.product(rest)] if rest else []
                    return self.lowering.multiplied([scaled, *others])
        return None

    def quotient(self, a: Value, b: Value) -> Value:
        return self.program.div(a, self.lowering.real(b))


def is_product_of_entries(body: Scalar) -> bool:
    return all(isinstance(f, Entry) or not f.free for f in (body.args if isinstance(body, Mul) else (body,)))
