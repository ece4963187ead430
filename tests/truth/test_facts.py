"""What is known of a sign or a range is true at every point, and the usual facts are known."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from identities import SCALARS, SCOPE, TENSORS, rows

from symgen.tensor.evaluate import FLOAT, evaluate
from symgen.tensor.expression import (
    ZERO,
    Array,
    Scalar,
    axis,
    compare,
    dim,
    entry,
    fresh_index,
    mul,
    num,
    power,
    sub,
    tensor,
    total,
    var,
    variables_of,
    where,
)
from symgen.tensor.facts import (
    Facts,
    is_integer,
    is_negative,
    is_nonnegative,
    is_nonzero,
    is_positive,
    is_spd,
    is_unit,
    is_zero,
    range_of,
)
from symgen.tensor.formula import read
from symgen.tensor.intervals import bound_at
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in


def of(text: str) -> Array:
    return read(text, SCOPE)


def value(text: str) -> Scalar:
    return entry(of(text))


POSITIVE = ["a", "a*b", "a + b", "exp(x)", "1 + x^2", "p*(1 - p)", "1 - p", "a/b", "sigmoid(x)", "softplus(x)", "sqrt(a)",
            "a^x", "cosh(x)", "gamma(a)", "n", "det(S)", "logsumexp(u) - logsumexp(u) + 1", "sum(exp(u))", "norm(u)^2 + a",
            "prod(r)", "max(a, x)", "1/(1 + exp(-x))", "S[0, 0]", "L[1, 1]", "2 - sin(x)", "mean(r)", "pi - 3", "e - 2",
            "where(x > 0, x, 1)", "exp(-u @ u)", "log(1 + a)", "beta(a, b)", "-log(p)", "softmax(u)[0]", "n*a"]  # fmt: skip
NONNEGATIVE = ["x^2", "abs(x)", "norm(u)", "u @ u", "relu(x)", "n - 1", "e_", "sum(abs(u))", "(x - y)^2", "pi_[0]"]
UNKNOWN = ["x", "a - b", "x + y", "log(a)", "sin(x)", "sum(u)", "det(M)", "a - 1", "digamma(a)", "p - q", "u @ v"]


@pytest.mark.parametrize("text", POSITIVE)
def test_what_is_positive_is_known(text: str) -> None:
    assert is_positive(value(text)) is True
    assert is_negative(value(text)) is False and is_nonzero(value(text)) is True


@pytest.mark.parametrize("text", NONNEGATIVE)
def test_what_is_nonnegative_is_known(text: str) -> None:
    assert is_nonnegative(value(text)) is True and is_positive(value(text)) is None


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_may_have_either_sign_is_not_known(text: str) -> None:
    assert is_positive(value(text)) is None and is_negative(value(text)) is None


@pytest.mark.parametrize("text", sorted({t for row in rows(SCALARS) + rows(TENSORS) for t in row}))
def test_a_range_holds_every_value(text: str) -> None:
    array = of(text)
    r = range_of(array)
    rng = generator("facts", text)
    for scale in (0, 1, 2):
        sizes = random_sizes(sizes_in([array], variables_of(array)), {}, rng)
        assert sizes is not None
        point = random_point(variables_of(array), sizes, rng, scale)
        assert point is not None
        (x,) = evaluate([array], point, FLOAT)
        x = x[np.isfinite(x)]
        slack = 1e-9 * (1 + np.abs(x))
        assert r.low is None or np.all(x >= float(r.low) - slack)
        assert r.high is None or np.all(x <= float(r.high) + slack)


def test_assumptions_are_used() -> None:
    a, b, x = (value(t) for t in "abx")
    facts = Facts([compare("<", b, a), compare("<", num(3), x)])
    assert is_positive(sub(a, b), facts) and is_negative(sub(b, a), facts)
    assert is_positive(value("2*a - 2*b"), facts) and is_positive(value("a - b + p"), facts)
    assert is_positive(value("x - 2"), facts) and is_positive(value("log(x)"), facts)
    assert is_positive(value("a - b")) is None


def test_integers_units_and_zero() -> None:
    assert is_integer(value("n")) and is_integer(value("j + 1")) and not is_integer(value("x"))
    assert is_unit(value("p")) and is_unit(value("1 - p")) and is_unit(value("sigmoid(x)")) and not is_unit(value("a"))
    assert is_zero(num(0)) is True and is_zero(value("a")) is False and is_zero(value("x")) is None


def test_sums_of_squares_are_positive_definite() -> None:
    assert is_spd(of("X' @ X + a*eye(d)")) and is_spd(of("S + T")) and is_spd(of("diag(r)")) and is_spd(of("S"))
    assert is_spd(of("X' @ X")) is None and is_spd(of("M")) is None and is_spd(of("S - T")) is None
    assert is_spd(of("X' @ X - a*eye(d)")) is None


def test_names_do_not_hide_ranges() -> None:
    array = tensor((), value("exp(x)"))
    assert is_positive(entry(array)) is True


def test_what_is_assumed_at_one_index_says_nothing_of_a_definition() -> None:
    """Where x[i] > 0, x[i]^3 is positive, and the sum of the array S = x^3 over all its entries need not be."""
    n = dim("n")
    x = var("x", (n,))
    i, j = fresh_index(n), fresh_index(n)
    cubes = tensor([j], power(entry(x, j), num(3)))
    here = Facts().with_assumption(compare("<", ZERO, entry(x, axis(0, n))))
    assert is_positive(power(entry(x, axis(0, n)), num(3)), here)
    assert is_positive(total(entry(cubes, i), [i]), here) is None
    at_number = Facts().with_assumption(compare("<", ZERO, entry(x, ZERO)))
    cube = entry(tensor([], power(entry(x, ZERO), num(3))))
    assert is_positive(cube, at_number)  # a condition without an index holds everywhere


def test_the_range_of_nested_pieces_costs_no_more_than_they_are() -> None:
    """Thirty layers of leaky rectifiers, each a choice by the value before: every layer is looked at twice, not 2^30 times."""
    n = dim("n")
    h: Array = var("x", (n,))
    looked = 0
    for _ in range(30):
        k = axis(0, n)
        h = tensor([k], where(compare("<", ZERO, entry(h, k)), entry(h, k), mul(num(Fraction(1, 10)), entry(h, k))))
    facts = Facts()
    assert not is_positive(entry(h, axis(0, n)), facts)
    stack = [facts]
    while stack:
        f = stack.pop()
        looked += len(f.memo)
        stack.extend(f._inner.values())
    assert looked < 1000


FAR_OUT = [
    ("exp", 10**12, 2**4096, None),
    ("exp", -(10**12), 0, Fraction(1, 2**4096)),
    ("sinh", -(10**9), None, -(2**4096)),
]


@pytest.mark.parametrize("far", FAR_OUT, ids=lambda far: f"{far[0]} {far[1]}")
def test_bounds_far_out_are_numbers_of_bounded_length(far):
    """exp(10^12) as an exact number has 10^12 bits."""
    name, x, low, high = far
    assert bound_at(name, Fraction(x), True) == low
    assert bound_at(name, Fraction(x), False) == high


def test_bounds_hold_the_value():
    low, high = (bound_at("exp", Fraction(1), lower) for lower in (True, False))
    assert low < high and low <= Fraction(math.e) + Fraction(1, 2**50) and high >= Fraction(math.e)
