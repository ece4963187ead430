"""A scalar as an affine function of one entry of a sequence: sum of A[j] z[t, j] + b."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgen.probability.forms.collect import collected
from symgen.probability.forms.terms import depends_on_any, linear_form, opened
from symgen.probability.forms.walks import constants_opened
from symgen.tensor.expression import Array, Index, Scalar, Var, add, delta, fresh_index, mul, substitute, tensor, total


@dataclass(frozen=True)
class Affine:
    """`slope` over the indices in `at`, those of an entry of z; `constant` what is left."""

    at: tuple[Index, ...]
    slope: Scalar
    constant: Scalar

    def arrays(self, own: Sequence[Index]) -> tuple[Array, Array]:
        """The linear map and the constant, over the indices `own` of the value."""
        return tensor([*own, *self.at], self.slope), tensor(own, self.constant)


def affine_in(x: Scalar, z: Var, t: Index) -> Affine | None:
    """`x` as an affine function of z[t]; None where it is none, or reads z at another time."""
    only = frozenset((z,))
    body = opened(constants_opened(x), depends_on_any(only))
    form = linear_form(body, depends_on_any(only), only)
    if form is None:
        return None
    at = tuple(fresh_index(s) for s in z.shape[1:])
    terms: list[Scalar] = []
    for part in form.parts:
        if part.entry.indices[0] is not t or t in part.indices:
            return None
        coefficient, left = part.coefficient, list(part.indices)
        for place, j in zip(part.entry.indices[1:], at, strict=True):
            if isinstance(place, Index) and place in left:
                coefficient = substitute(coefficient, {place: j})
                left.remove(place)
            else:
                coefficient = mul(coefficient, delta(place, j))
        terms.append(total(coefficient, left))
    return Affine(at, collected(add(*terms)), collected(form.constant))
