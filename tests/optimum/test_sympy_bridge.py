"""Scalars that go to SymPy and come back mean the same, whatever function is in them."""

import time

import pytest
import sympy
from flint import arb, ctx

from symgen.tensor.expression import add, compare, entry, fn, mul, num, var, where
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.numeric import FUNCTIONS as NUMERIC
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within
from symgen.tensor.sympy_functions import HANDED_OUT, TO_SYMPY

x, s = entry(var("x")), entry(var("s", (), "positive"))
SPECIAL = {"besseli", "besselk", "hyp1f1", "hyp2f1", "hyperu", "zeta", "polygamma", "igamma", "ibeta", "clip", *HANDED_OUT}


@pytest.mark.parametrize("name", [r for r in FUNCTIONS if not FUNCTIONS[r].internal and r not in SPECIAL])
def test_a_function_comes_back_with_its_value(name):
    row = FUNCTIONS[name]
    arguments = [s, add(s, num(1)), num(2)][: row.least_arity]
    if name in ("asin", "acos"):
        arguments = [fn("sigmoid", s)]
    if name == "dilog":
        arguments = [mul(num(-1), s)]
    node = fn(name, *arguments)
    table = Table()
    e = to_sympy(node, table)
    back = from_sympy(e, table)
    point = {symbol: sympy.Rational(7, 10) for symbol in e.free_symbols}
    assert complex(e.xreplace(point).evalf()) == pytest.approx(complex(to_sympy(back, table).xreplace(point).evalf()))


OWN = [r for r in FUNCTIONS if r not in TO_SYMPY and r not in HANDED_OUT and not FUNCTIONS[r].internal]


@pytest.mark.parametrize("name", OWN)
def test_what_sympy_lacks_has_a_number_there(name):
    """Handed out with names, the function gives under `evalf` what the language's own balls give."""
    row = FUNCTIONS[name]
    values = [0.7, 1.3, 0.4, 0.6][: row.least_arity]
    inputs = [var(f"v{k}", (), "positive") for k in range(len(values))]
    handed = to_sympy(fn(name, *map(entry, inputs)), names={v: v.name for v in inputs})
    got = handed.evalf(
        20, subs={sympy.Symbol(v.name): value for v, value in zip(inputs, map(sympy.Rational, map(str, values)), strict=True)}
    )
    with ctx.workprec(120):
        want = NUMERIC[name].ball(*(arb(str(value)) for value in values))
    assert got == pytest.approx(float(want), rel=1e-14) or not want.is_finite()


def test_conditions_come_back():
    node = where(compare("<", x, s), add(x, s), mul(x, s))
    table = Table()
    assert from_sympy(to_sympy(node, table), table) is node


def test_names_are_the_authors_and_assume_nothing():
    assert to_sympy(mul(x, s), names={}) == sympy.Symbol("x") * sympy.Symbol("s")


def test_complex_numbers_have_no_node():
    with pytest.raises(NotInSymPy):
        from_sympy(sympy.I, Table())


def test_the_clock_rings():
    started = time.process_time()
    assert within(0.2, lambda: [None for _ in range(10**9)]) is None
    assert time.process_time() - started < 20


def test_an_outer_clock_is_heard_inside_an_inner_one():
    started = time.process_time()
    assert within(0.3, within, 5.0, lambda: [None for _ in range(10**9)]) is None
    assert time.process_time() - started < 20
