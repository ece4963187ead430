"""Where a function of one number has no optimum in its domain, that is said with its reason; no end is told that is not in it."""

import time

import pytest

import symgen

SPEC = "param a: positive, b: real, c: unit, u: nonnegative\nlet L = 0\n"

NONE = {
    "argmin(2*a + 1, a)": "is approached and is not in the domain",
    "argmax(-a, a)": "is approached and is not in the domain",
    "argmax(2*c, c)": "`c` = 1 is approached",
    "argmin(3*b, b)": "unbounded",
    "argmin(exp(b), b)": "not reached",
    "argmax(u, u)": "unbounded",
    "argmin(a^2, a)": "not reached",
}
SOME = {
    "argmin(3*u + 1, u)": 0,
    "argmin((b - 1)^2, b)": 1,
    "argmin(a + 4/a, a)": 2,
    "argmax(c*(1 - c), c)": 0.5,
    "argmin(abs(b), b)": 0,
}


@pytest.mark.parametrize("goal", NONE)
def test_it_is_said_that_there_is_none(goal):
    with pytest.raises(symgen.CannotDerive, match=r"there is no (minimum|maximum)") as raised:
        symgen.loads(SPEC).derive(goal)
    assert NONE[goal] in str(raised.value)


@pytest.mark.parametrize("goal", SOME)
def test_an_optimum_in_the_domain_is_found(goal):
    assert symgen.loads(SPEC).derive(goal).evaluate() == pytest.approx(SOME[goal])


@pytest.mark.parametrize(
    "goal", ["argmin(cos(b), b)", "argmax(sin(2*b), b)", "argmin(abs(b - 1) + abs(b + 1), b)", "argmin(relu(b - 1), b)"]
)
def test_one_of_many_is_not_told_as_the_optimum(goal):
    with pytest.raises(symgen.CannotDerive, match=r"not unique|is approached"):
        symgen.loads(SPEC).derive(goal)


@pytest.mark.parametrize(
    "goal", ["y*log(y) + b*y^2", pytest.param("exp(y) + b*y^2 - y", marks=pytest.mark.slow), "y^2 + b*sin(y) + sin(2*y)*c"]
)
def test_what_no_function_of_the_language_solves_is_refused_soon(goal):
    """LambertW; waves beside the variable itself."""
    model = symgen.loads("param b: positive, c: positive, y: positive\n")
    start = time.process_time()
    with pytest.raises(symgen.CannotDerive, match="could not be solved"):
        model.derive(f"argmin({goal}, y)")
    assert time.process_time() - start < 10


def test_the_stationary_point_at_0_of_waves_is_found():
    assert symgen.loads("param x: real\n").derive("argmin(x^2/2 - cos(x), x)").result == 0
