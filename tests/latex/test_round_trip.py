"""What symgen prints as LaTeX reads back to an expression of the same value."""

import numpy as np
import pytest

from symgen.render.language import unparse
from symgen.render.latex import to_latex
from symgen.render.raising import raise_array
from symgen.render.shapes import shape_of
from symgen.render.writing import size_tree
from symgen.tensor.formula import Clash, read
from symgen.text.latex import Symbols, read_expression
from symgen.text.parse import parse_expression
from tests.render.worlds import LEAVES, SCOPE, SHAPES, Grammar, numbers

SIZES = {name: tuple(size_tree(s) for s in shape) for name, shape in SHAPES.items()} | {"n": (), "d": (), "k": ()}
SYMBOLS = Symbols(SIZES, shape_of=shape_of)
UNKNOWN_SIZE = ("zeros(", "max(eye")  # 0 and [max I] show no size


@pytest.mark.parametrize("seed", range(120))
def test_printed_expressions_read_back(seed):
    grammar = Grammar(seed)
    text = grammar.make(grammar.r.choice(list(LEAVES)), grammar.r.choice([1, 2, 3]))
    try:
        array = read(text, SCOPE)
    except Clash:
        return
    for tree in (parse_expression(text), raise_array(array, {})):
        if any(word in unparse(tree) for word in UNKNOWN_SIZE):
            continue
        tex = to_latex(tree, SIZES)
        again = read(unparse(read_expression(tex, SYMBOLS, origin=0)), SCOPE)
        wanted, found = numbers(array), numbers(again)
        assert found.ndim <= wanted.ndim
        assert np.allclose(np.broadcast_to(found, wanted.shape), wanted), tex
