"""The canonical form has the value of the expression, is its own form, and gives up in time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from identities import SCALARS, SCOPE, TENSORS, rows

from symgen.algebra.canonical import Workshop, canonical, is_canonical
from symgen.derivation.context import BudgetSpent
from symgen.tensor.evaluate import BALL, evaluate
from symgen.tensor.expression import variables_of
from symgen.tensor.facts import NO_FACTS
from symgen.tensor.formula import read
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in

TEXTS = sorted({t for row in rows(SCALARS) + rows(TENSORS) for t in row})


@pytest.mark.parametrize("text", TEXTS)
def test_the_form_has_the_value_of_the_expression(text: str) -> None:
    array = read(text, SCOPE)
    form = canonical(array)
    variables = variables_of(array) | variables_of(form)
    rng = generator("canonical", text)
    for scale in (0, 2):
        sizes = random_sizes(sizes_in([array, form], variables), {}, rng)
        assert sizes is not None
        point = random_point(variables, sizes, rng, scale)
        assert point is not None
        a, b = evaluate([array, form], point, BALL(192))
        assert a.shape == b.shape
        for x, y in zip(a.reshape(-1), b.reshape(-1), strict=True):
            assert not (x.is_finite() and y.is_finite()) or x.overlaps(y)


@pytest.mark.parametrize("text", TEXTS)
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert is_canonical(canonical(read(text, SCOPE)))


def test_sides_of_an_equality_are_one_node() -> None:
    pairs = [row[:2] for row in rows(SCALARS) + rows(TENSORS)]
    different = [p for p in pairs if canonical(read(p[0], SCOPE)) is not canonical(read(p[1], SCOPE))]
    assert len(different) <= len(pairs) // 20, different


def test_a_contraction_does_not_depend_on_the_names_of_its_indices() -> None:
    rng = np.random.default_rng(0)
    names = list("ijklpq")
    pattern = [("M", 0, 1), ("M", 1, 2), ("N", 2, 3), ("M", 3, 0), ("N", 4, 5), ("M", 5, 4), ("u", 4), ("u", 0)]
    forms = set()
    for _ in range(6):
        perm = [names[k] for k in rng.permutation(6)]
        factors = [f"{f}[{', '.join(perm[k] for k in ks)}]" for f, *ks in pattern]
        order = rng.permutation(len(factors))
        text = f"sum[{', '.join(names)}]({'*'.join(factors[k] for k in order)})"
        forms.add(canonical(read(text, SCOPE)))
    assert len(forms) == 1


@pytest.mark.parametrize("text", ["(a + b + x + y + z + t + p + q)^40", "sum(u)^30", "exp(x)^(2^20)*(x + y)^60",
                                  "prod[i: n](u[i] + v[i] + x)^9"])  # fmt: skip
def test_a_form_that_would_be_enormous_is_given_up_in_time(text: str) -> None:
    start = time.process_time()
    try:
        Workshop(NO_FACTS, start + 1.0).form(read(text, SCOPE))
    except BudgetSpent:
        pass
    assert time.process_time() - start < 20
