"""Quadratic forms that vanish where all variables are equal: variances of what lies far from 0."""

from __future__ import annotations

from fractions import Fraction

from symgen.codegen.stable_differences import difference, factors_of, kept_apart
from symgen.tensor.expression import TWO, Add, Entry, Pow, Scalar, add, as_coefficient, mul, num, power

__all__ = ["squares_of_differences"]

Form = dict[frozenset[Entry], Fraction]


def squares_of_differences(n: Add) -> Scalar:
    """a^2 + b^2 + c^2 - a b - b c - c a as (a - b)^2/2 + (b - c)^2/2 + (c - a)^2/2, and its like: the sum of -d/2 (x - y)^2
    over the products d x y, where the square of each x stands with half of what its products lack of 0."""
    form: Form = {}
    for t in n.args:
        c, base = as_coefficient(t)
        factors = factors_of(base)
        square = factors[0] if len(factors) == 1 else None
        both = (square.base,) if isinstance(square, Pow) and square.exponent is TWO else factors
        pair = frozenset(x for x in both if isinstance(x, Entry))
        if len(pair) != len(both) or pair in form or (square is None and len(both) != 2) or both == factors[:1]:
            return n
        form[pair] = c
    products = [p for p in form if len(p) == 2]
    squares = [p for p in form if len(p) == 1]
    if not products or any(form[p] * form[products[0]] < 0 for p in products):
        return n
    sums = {x: sum((form[p] for p in products if x in p), Fraction(0)) for q in (*products, *squares) for x in q}
    if any(form.get(frozenset({x}), Fraction(0)) != -d / 2 for x, d in sums.items()):
        return n
    ordered = [tuple(f for f in factors_of(as_coefficient(t)[1])) for t in n.args]
    pairs = [u for u in ordered if frozenset(u) in products]
    return add(*(mul(num(-form[frozenset(u)] / 2), power(kept_apart(difference(*u)), TWO)) for u in pairs))
