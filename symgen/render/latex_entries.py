"""The entry of an array at indices, pushed down to the names: (A + b c^T)_ij is A_ij + b_i c_j."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction

from symgen.render.latex_text import names_in
from symgen.render.shapes import Shape
from symgen.tensor.functions import FUNCTIONS
from symgen.text import tree as t

SPREAD = frozenset("exp log sqrt abs where max min clip".split()) | frozenset(FUNCTIONS)


class Entries(ABC):
    """What pushes indices; `shapes` are those of the names."""

    shapes: dict[str, Shape]

    @abstractmethod
    def shape(self, e: t.Tree) -> Shape | None: ...

    @abstractmethod
    def rank(self, e: t.Tree) -> int: ...

    def push(self, e: t.Expression, letters: Sequence[str]) -> t.Expression:
        """The entry of `e` at the indices, pushed down to the names."""
        rank = self.rank(e)
        if rank == 0:
            return e
        own = list(letters[len(letters) - rank :])
        match e:
            case t.Terms(terms):
                return t.Terms(tuple((s, self.push(x, own)) for s, x in terms))
            case t.Factors(first, rest) if all(op != "@" for op, _ in rest):
                return t.Factors(self.push(first, own), tuple((op, self.push(x, own)) for op, x in rest))
            case t.Power(base, exponent):
                return t.Power(self.push(base, own), self.push(exponent, own))
            case t.Comparison(operands, ops):
                return t.Comparison(tuple(self.push(x, own) for x in operands), ops)
            case t.Logical(op, operands):
                return t.Logical(op, tuple(self.push(x, own) for x in operands))
            case t.Transpose(operand) if rank == 2:
                return self.push(operand, own[::-1])
            case t.Call() if e.function in SPREAD and not (e.function in ("max", "min") and len(e.arguments) == 1):
                return t.Call(e.function, tuple(self.push(x, own) for x in e.arguments), e.keywords)
            case t.Binder("E", specs, (body,)) if any(isinstance(s, t.Draw) for s in specs):
                return t.Binder("E", specs, (self.push(body, own),), e.keywords)
            case t.Call("ones"):
                return t.Number(Fraction(1))
            case t.Subscript(operand, (t.Slice(None, None, None), t.Name("None"))) if self.rank(operand) == 1:
                return self.push(operand, own[:1])
            case t.Call("embed", (t.Call("eye") as unit, labels)) if rank == 2 and self.rank(labels) == 1:
                return t.Subscript(unit, (t.Name(own[1]), self.push(labels, own[:1])))
            case t.Call("outer", (a, b)) if rank == 2:
                return t.Factors(self.push(a, own[:1]), (("*", self.push(b, own[1:])),))
            case t.Call(
                "sum" | "mean" | "max" | "min" | "prod" | "logsumexp" as word, (body,), (t.Keyword("axis", t.Number(axis)),)
            ):
                shape = self.shape(body)  # along the other axis, at one place of this one
                taken = {*self.shapes, *names_in(body), *letters}
                letter = next((c for c in "jklmr" if c not in taken), None)
                if shape is not None and len(shape) == 2 and axis in (0, 1) and letter is not None:
                    places = [own[0], letter] if axis == 1 else [letter, own[0]]
                    return t.Binder(word, (t.IndexSpec(letter, shape[int(axis)]),), (self.push(body, places),))
        return t.Subscript(e, tuple(t.Name(c) for c in own))
