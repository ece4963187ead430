"""A draw in a form whose means have lemmas: as the exponential of another, with its covariance as one letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from symgen.probability.knowledge import Knowledge
from symgen.probability.law import row_of
from symgen.probability.terms import factors_of, with_value
from symgen.probability.walks import bottom_up
from symgen.tensor.expression import (
    HALF,
    Array,
    Fn,
    Operation,
    Operator,
    Pow,
    Scalar,
    Tensor,
    Var,
    add,
    entry,
    fn,
    mul,
    neg,
    open_tensor,
    operator,
    replace_arrays,
    var,
    walk,
)  # fmt: skip


def over_logarithms(v: Var, law: Array, body: Scalar) -> tuple[Var, Array, Scalar]:
    """A draw of which the logarithm has a law of the table, as the exponential of such a draw."""
    row = row_of(law)
    if row is None or not row.image_of:
        return v, law, body
    assert isinstance(law, Operator)
    y = var(f"log_{v.name}", v.shape, "real", "random", (), v.uid)
    new = operator(row.image_of, law.args, law.shape, law.attrs)
    return y, new, with_value(body, v, lambda *at: fn("exp", entry(y, *at)))


def opened_out(meant: Mapping[Array, Array]) -> dict[Array, Callable[..., Scalar]]:
    """The entries of letters as those of what they mean."""
    return {a: partial(lambda formula, *at: open_tensor(formula, at), formula) for a, formula in meant.items()}


def with_a_letter_for_the_covariance(law: Array, body: Scalar) -> tuple[Array, Scalar, dict[Array, Array]]:
    """A covariance that is a formula as one letter where its inverse stands in the body, so that inv(S) S is 1; and what
    the letter means."""
    if not isinstance(law, Operator) or law.name != "MvNormal" or len(law.attrs) != 1 or len(law.args) < 2:
        return law, body, {}
    formula = law.args[1]
    if not isinstance(formula, Tensor) or formula.rank != 2:
        return law, body, {}
    if not any(isinstance(n, Operation) and n.name == "inv" and n.operands[0] is formula for n in walk(body)):
        return law, body, {}
    letter = var("S", formula.shape, "spd", "placeholder", uid=-77)
    put = {formula: letter}
    return replace_arrays(law, put), replace_arrays(body, put), {letter: formula}


def with_exponentials_joined(x: Scalar) -> Scalar:
    """exp(a) exp(b) = exp(a + b)."""
    exponents = [f.args[0] for f in factors_of(x) if isinstance(f, Fn) and f.name == "exp"]
    if len(exponents) < 2:
        return x
    rest = [f for f in factors_of(x) if not (isinstance(f, Fn) and f.name == "exp")]
    return mul(*rest, fn("exp", add(*exponents)))


def in_exponentials(x: Scalar, is_random: Callable[[Scalar], bool], know: Knowledge) -> Scalar:
    """cosh u and sinh u by exponentials, c^u for c > 0 as exp(u log c), where u is random."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Fn) and n.name in ("cosh", "sinh") and is_random(n.args[0]):
            back = fn("exp", neg(n.args[0]))
            return mul(HALF, add(fn("exp", n.args[0]), back if n.name == "cosh" else neg(back)))
        if isinstance(n, Pow) and is_random(n.exponent) and not is_random(n.base) and know.positive(n.base):
            return fn("exp", mul(n.exponent, fn("log", n.base)))
        return n

    return bottom_up(x, rule)
