"""A draw in a form whose means have lemmas: as the exponential of another, with its covariance as one letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.terms import factors_of, with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.law import row_of
from symgen.tensor.expression import (
    HALF,
    ONE,
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
    sub,
    var,
    walk,
)  # fmt: skip

MOST_WAVES = 4


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


def in_simpler_functions(x: Scalar, is_random: Callable[[Scalar], bool], know: Knowledge) -> Scalar:
    """A function as a sum of those whose means have lemmas."""
    return in_single_waves(in_exponentials(x, is_random, know), is_random)


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


def in_single_waves(x: Scalar, is_random: Callable[[Scalar], bool]) -> Scalar:
    """A product of sines and cosines as a sum of such: cos(u)^2 = (1 + cos(2 u))/2."""
    waves: list[Fn] = []
    rest: list[Scalar] = []
    for f in factors_of(x):
        base, n = (f.base, is_natural(f.exponent)) if isinstance(f, Pow) else (f, 1)
        if isinstance(base, Fn) and base.name in ("cos", "sin") and is_random(base) and n is not None and n <= MOST_WAVES:
            waves += [base] * n
        else:
            rest.append(f)
    if not 2 <= len(waves) <= MOST_WAVES:
        return x
    terms: list[tuple[Scalar, str, Scalar]] = [(ONE, waves[0].name, waves[0].args[0])]
    for w in waves[1:]:
        terms = [made for c, name, u in terms for made in _product_of_waves(c, name, u, w.name, w.args[0])]
    return mul(*rest, add(*(mul(c, fn(name, u)) for c, name, u in terms)))


def _product_of_waves(c: Scalar, name: str, u: Scalar, other: str, v: Scalar) -> list[tuple[Scalar, str, Scalar]]:
    half, less, more = mul(HALF, c), sub(u, v), add(u, v)
    if name == other:
        return [(half, "cos", less), (half if name == "cos" else neg(half), "cos", more)]
    return [(half, "sin", more), (half if name == "sin" else neg(half), "sin", less)]
