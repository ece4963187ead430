"""Functions of a vector that have an inverse: entry by entry, linear, and one after the other.

y = f(x) is taken apart from outside: a function of one number in each entry, then a matrix times a vector plus a vector or a
flow, then what stands inside. log |det df/dx| is the sum over what was taken apart (Bishop 2006, eq. 1.27).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symgen.probability.forms.collect import collected
from symgen.probability.forms.flow_maps import Steered, Triangular, flow_of
from symgen.probability.forms.inversion import Inverse, NoInverse, inverse_of
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import depends_on_any, linear_form, opened, split, terms_of, with_value
from symgen.tensor import build
from symgen.tensor.expression import (
    ONE,
    Add,
    Array,
    Entry,
    Fn,
    Index,
    Mul,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    delta,
    entry,
    fresh_index,
    mul,
    open_sum,
    open_tensor,
    substitute,
    tensor,
    total,
    var,
    variables_of,
)  # fmt: skip

__all__ = ["NUMBER", "Entries", "Linear", "Stage", "stages_of"]

NUMBER = var("t", (), "real", "placeholder", uid=5)  # one entry of a vector
DEEPEST = 20


@dataclass(frozen=True)
class Entries:
    """y_i = g(x_i): `body` is g of NUMBER, over `index`."""

    index: Index
    body: Scalar

    def at(self, x: Scalar, i: Scalar) -> Scalar:
        moved: Scalar = substitute(self.body, {self.index: i})
        return with_value(moved, NUMBER, lambda *_: x)

    def inverse(self, y: Scalar, i: Index, positive: bool, know: Knowledge) -> Inverse:
        """x_i for y_i = y, and the slopes; `positive`: every x_i is."""
        if positive:
            know.assume_positive(entry(NUMBER))
        return inverse_of(substitute(self.body, {self.index: i}), NUMBER, y, know)


@dataclass(frozen=True)
class Linear:
    """y = A @ x + b."""

    matrix: Array
    shift: Array

    @property
    def is_square(self) -> bool:
        return build.same_size(self.matrix.shape[0], self.matrix.shape[1])

    def apply(self, x: Callable[[Scalar], Scalar], i: Scalar) -> Scalar:
        j = fresh_index(self.matrix.shape[1])
        return add(total(mul(entry(self.matrix, i, j), x(j)), [j]), _entry_of(self.shift, i))


Stage = Entries | Linear | Steered | Triangular


def _entry_of(a: Array, i: Scalar) -> Scalar:
    return open_tensor(a, (i,)) if isinstance(a, Tensor) else entry(a, i)


def stages_of(body: Scalar, i: Index, x: Var) -> list[Stage]:
    """The stages of y_i = body, the innermost first. Raises NoInverse."""
    hangs = depends_on_any(frozenset((x,)))
    body = opened(body, hangs)
    if not hangs(body):
        raise NoInverse("it does not hang on its argument")
    out: list[Stage] = []
    for _ in range(DEEPEST):
        alone = _of_one_entry(body, i, x)
        if alone is not None:
            if alone is not entry(NUMBER):
                out.append(Entries(i, alone))
            return out[::-1]
        inside = _added_up(body, x)
        if inside is not body:
            outer = build.replace_scalars(body, {inside: entry(NUMBER)})
            if x in variables_of(outer):
                raise NoInverse("it holds its argument more than once")
            out.append(Entries(i, outer))
        try:
            stage, j, within = _linear(inside, i, x)
            if substitute(within, {j: i}) is inside:  # each entry hangs on others
                raise NoInverse("it is no matrix times a vector")
        except NoInverse:
            flow, before = flow_of(inside, i, x)
            out.append(flow)
            if before is None:
                return out[::-1]
            body = before
            continue
        i, body = j, within
        out.append(stage)
    raise NoInverse("it is too deep")


def _of_one_entry(body: Scalar, i: Index, x: Var) -> Scalar | None:
    """`body` with NUMBER for x[i], where it speaks of no other entry."""
    made = with_value(body, x, lambda *at: entry(NUMBER) if at == (i,) else entry(x, *at))
    return None if x in variables_of(made) else made


def _added_up(body: Scalar, x: Var) -> Scalar:
    """The largest part in which entries are added up."""
    only = frozenset((x,))
    hangs = depends_on_any(only)
    node = body
    while True:
        inner: Sequence[Scalar] = ()
        if isinstance(node, Add | Mul) and linear_form(node, hangs, only) is None:
            inner = [a for a in node.args if hangs(a)]
        elif isinstance(node, Fn):
            inner = [a for a in node.args if hangs(a)]
        elif isinstance(node, Pow) and not hangs(node.exponent):
            inner = [node.base]
        if len(inner) != 1:
            return node
        node = inner[0]


def _linear(w: Scalar, i: Index, x: Var) -> tuple[Linear, Index, Scalar]:
    """w = sum over j of A[i, j] h_j + b[i]: the stage, j and h_j."""
    hangs = depends_on_any(frozenset((x,)))
    j = fresh_index(x.shape[0])
    coefficients: list[Scalar] = []
    rest: list[Scalar] = []
    inside: Scalar | None = None

    def take(term: Scalar, coefficient: Scalar) -> None:
        nonlocal inside
        if not hangs(term):
            rest.append(mul(coefficient, term))
            return
        if isinstance(term, Add):
            for t in term.args:
                take(t, coefficient)
            return
        if isinstance(term, Mul):
            outer, moving = split(term, hangs)
            if moving is not term:
                take(moving, mul(coefficient, outer))
                return
        k: Scalar = i
        if isinstance(term, Sum):
            inner, indices = open_sum(term)
            if len(indices) != 1:
                raise NoInverse("a sum over more than one index")
            for t in terms_of(inner):
                outer, moving = split(t, hangs) if hangs(t) else (t, ONE)
                if moving is ONE:
                    rest.append(mul(coefficient, total(outer, indices)))
                    continue
                keep(moving, indices[0], mul(coefficient, outer), True)
            return
        if isinstance(term, Entry) and term.array is x:
            k = term.indices[0]
        keep(term, k, coefficient, False)

    def keep(h: Scalar, k: Scalar, coefficient: Scalar, is_summed: bool) -> None:
        nonlocal inside
        if isinstance(h, Entry) and h.array is x and h.indices[0] is not k:
            raise NoInverse("it is no matrix times a vector")
        moved = entry(x, j) if isinstance(h, Entry) and h.array is x else substitute(h, {k: j}) if isinstance(k, Index) else h
        if not build.same_size(j.size, k.size if isinstance(k, Index) else j.size):
            raise NoInverse("the sizes differ within it")
        if inside is not None and inside is not moved:
            raise NoInverse("it holds its argument in more than one way")
        inside = moved
        coefficients.append(
            substitute(coefficient, {k: j}) if is_summed and isinstance(k, Index) else mul(coefficient, delta(k, j))
        )

    take(w, ONE)
    if inside is None:
        raise NoInverse("it does not hang on its argument")
    stage = Linear(tensor([i, j], collected(add(*coefficients))), tensor([i], collected(add(*rest))))
    return stage, j, inside
