"""One value, one form: whatever the order, the grouping, the names of indices, the declarations and the hash seed."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import numpy as np
import pytest

from symgen.algebra.canonical import canonical
from symgen.tensor.evaluate import BALL, Point, evaluate
from symgen.tensor.expression import Array, Scalar, dim, var
from symgen.tensor.formula import read
from tests.algebra.random_expressions import MATRICES, NUMBERS, SIZES, VECTORS, Node, draw, point, value, varied, written

SCOPE: dict[str, Array | Scalar] = {
    **{k: dim(k) for k in SIZES},
    **{k: var(k, [dim(s) for s in shape]) for k, shape in {**MATRICES, **VECTORS, **NUMBERS}.items()},
}
SHAPES = [(), (), ("n",), ("n", "m"), ("m", "m")]


def expression(seed: int) -> tuple[Node, random.Random]:
    rng = random.Random(seed)
    return draw(rng, SHAPES[seed % len(SHAPES)], 2 + seed % 3 // 2), rng


def exactly(array: Array, at: dict[str, object]) -> np.ndarray:
    """The value of an expression at integers, which balls of enough bits hold exactly."""
    found = evaluate([array], Point(dict(SIZES), {SCOPE[k]: v for k, v in at.items()}), BALL(512))[0]  # type: ignore[misc]
    return np.vectorize(lambda b: int(b.unique_fmpz()), otypes=[object])(found)


@pytest.mark.parametrize("seed", range(60))
def test_all_ways_to_write_a_value_have_one_form(seed: int) -> None:
    node, rng = expression(seed)
    texts = [written(node, rng), *(written(varied(varied(node, rng), rng), rng) for _ in range(4))]
    at = point(rng)
    want = value(node, at)
    forms = [canonical(read(text, SCOPE)) for text in texts]
    for text, form in zip(texts, forms, strict=True):
        assert (exactly(form, at) == want).all(), text
    assert len(set(forms)) == 1, texts


@pytest.mark.parametrize("seed", range(20))
def test_another_value_has_another_form(seed: int) -> None:
    """One leaf changed: equal forms have equal values at random integers, so different values have different forms."""
    node, rng = expression(seed)
    other, _ = expression(seed + 1000)
    if other.shape != node.shape:
        return
    at = point(rng)
    same = canonical(read(written(node, rng), SCOPE)) is canonical(read(written(other, rng), SCOPE))
    assert same == bool(np.all(value(node, at) == value(other, at)))


CHILD = """
import random, sys
from symgen.algebra.canonical import canonical
from symgen.render.language import unparse
from symgen.render.raising import raise_array
from symgen.tensor.expression import dim, var
from symgen.tensor.formula import read
from tests.algebra.random_expressions import *
from tests.algebra.test_confluence import SHAPES, expression
names = list({**MATRICES, **VECTORS, **NUMBERS}.items())
random.Random(int(sys.argv[1])).shuffle(names)
scope = {k: var(k, [dim(s) for s in shape]) for k, shape in names} | {k: dim(k) for k in SIZES}
for seed in range(12):
    node, rng = expression(seed)
    for _ in range(int(sys.argv[1])):
        node = varied(node, rng)
    print(unparse(raise_array(canonical(read(written(node, rng), scope)))))
"""


def test_the_form_does_not_hang_on_declarations_and_hash_seeds() -> None:
    printed = []
    for order in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": order, "PYTHONPATH": os.getcwd()}
        done = subprocess.run(
            [sys.executable, "-c", CHILD, order], env=environment, capture_output=True, text=True, timeout=600, check=True
        )
        printed.append(done.stdout.splitlines())
    assert len(printed[0]) == 12
    assert printed[0] == printed[1] == printed[2]
