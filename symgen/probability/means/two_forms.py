"""Means of f(u) g(v) for two linear forms u, v of centred normal draws ▣: what kernels of wide networks are made of.

`texts` are in the variances a, b of u and v and their covariance c; by Price's theorem the derivative by c of E f(u) g(v)
is E f'(u) g'(v).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.knowledge import is_natural
from symgen.probability.forms.terms import LinearForm, factors_of, linear_form
from symgen.probability.laws.nested import partitions
from symgen.probability.means.univariate import Found, together
from symgen.tensor.expression import HALF, MINUS_ONE, ONE, ZERO, Compare, Fn, Pow, Scalar, Where, add, fn, mul, sub

if TYPE_CHECKING:
    from symgen.probability.means.expectation import OneDraw

__all__ = ["KERNELS", "of_pairs", "of_two_forms"]

CHO, WILLIAMS = "Cho & Saul (2009)", "Williams (1997)"
# within the range of a correlation, where rounding may leave it
_ASIN, _ROOT = "asin(clip(c/sqrt(a*b), -1, 1))", "sqrt(max(a*b - c^2, 0))"
KERNELS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("step", "step"): (f"1/4 + {_ASIN}/(2*pi)", CHO),
    ("relu", "step"): ("(sqrt(a) + c/sqrt(b))/(2*sqrt(2*pi))", CHO),
    ("relu", "relu"): (f"({_ROOT} + c*(pi/2 + {_ASIN}))/(2*pi)", CHO),
    ("sign", "sign"): (f"2/pi*{_ASIN}", "Sheppard (1899)"),
    ("abs", "abs"): (f"2/pi*({_ROOT} + c*{_ASIN})", "Sheppard (1899)"),
    ("abs", "relu"): (f"({_ROOT} + c*{_ASIN})/pi", "Sheppard (1899)"),
    ("relu", "sign"): ("c/sqrt(2*pi*b)", "Sheppard (1899)"),
    ("erf", "erf"): ("2/pi*asin(2*c/sqrt((1 + 2*a)*(1 + 2*b)))", WILLIAMS),
    ("erf", "sign"): ("2/pi*asin(c*sqrt(2)/sqrt((1 + 2*a)*b))", WILLIAMS),
    ("gelu", "gelu"): (
        "c/4 + (c*asin(c/sqrt((1 + a)*(1 + b))) + (a*b - c^2 + c^2/(1 + a) + c^2/(1 + b))/sqrt((1 + a)*(1 + b) - c^2))/(2*pi)",
        "Tsuchida, Pearce, van der Heide, Roosta & Gallagher (2021)",
    ),
}


def of_two_forms(atom: Scalar, one: OneDraw) -> Found | None:
    """E of a product of two functions of the table, of forms with mean 0."""
    row = one.draw.row
    if row is None or row.name not in ("Normal", "MvNormal"):
        return None
    waves = one_wave_of_two(atom)
    if waves is not None:
        pair = one.reduce(waves)
        return Found(pair.value, ["the product of two waves is a sum of waves"]) if pair.rest is ZERO else None
    parts: list[tuple[str, LinearForm]] = []
    for g in factors_of(atom):
        base, k = (g.base, is_natural(g.exponent)) if isinstance(g, Pow) else (g, 1)
        found = function_of(base)
        form = linear_form(found[1], one.is_random, one.variables) if found is not None else None
        if found is None or form is None or not form.parts or k is None:
            return None
        parts.extend([(found[0], form)] * k)
    if len(parts) != 2:
        return None
    parts.sort(key=lambda p: p[0])
    row_of_table = KERNELS.get((parts[0][0], parts[1][0]))
    if row_of_table is None:
        return None
    u, v = parts[0][1], parts[1][1]
    means = [one.by_moments([w]) for w in (u, v)]
    if any(m is None or m.value is not ZERO for m in means):
        return None
    second = [one.by_moments([p, q]) for p, q in ((u, u), (v, v), (u, v))]
    if any(m is None for m in second):
        return None
    scope = {n: m.value for n, m in zip("abc", second, strict=True) if m is not None}
    lemma = f"the mean of {parts[0][0]}(u) {parts[1][0]}(v), u and v centred normal"
    return Found(scalar_text(row_of_table[0], scope), [lemma], source=row_of_table[1])


def one_wave_of_two(atom: Scalar) -> Scalar | None:
    """cos u cos v = (cos(u - v) + cos(u + v))/2 and its kin; None of another product."""
    waves = [g for g in factors_of(atom) if isinstance(g, Fn) and g.name in ("cos", "sin")]
    if len(waves) != 2 or len(factors_of(atom)) != 2:
        return None
    first, second = sorted(waves, key=lambda g: g.name)
    less, more = sub(first.args[0], second.args[0]), add(first.args[0], second.args[0])
    if first.name != second.name:
        return mul(HALF, sub(fn("sin", more), fn("sin", less)))
    sign = ONE if first.name == "cos" else MINUS_ONE
    return mul(HALF, add(fn("cos", less), mul(sign, fn("cos", more))))


def function_of(g: Scalar) -> tuple[str, Scalar] | None:
    """The name of a function of the table, and of what it is taken."""
    if isinstance(g, Fn) and g.name in ("relu", "sign", "abs", "erf", "gelu"):
        return g.name, g.args[0]
    if isinstance(g, Fn) and g.name == "max" and ZERO in g.args:
        return "relu", next(a for a in g.args if a is not ZERO)
    if isinstance(g, Where) and g.args[1] is ONE and g.args[2] is ZERO and isinstance(g.args[0], Compare):
        below, above = g.args[0].args
        return ("step", sub(above, below)) if g.args[0].op in ("<", "<=") else None
    return None


def of_pairs(forms: list[LinearForm], one: OneDraw) -> Found | None:
    """The mean of a product of linear forms of a normal vector: the sum over all ways to pair some of them."""
    used: list[Found] = []
    means: list[Scalar] = []
    for f in forms:
        found = one.by_moments([f])
        if found is None:
            return None
        used.append(found)
        means.append(found.value)
    covariances: dict[tuple[int, int], Scalar] = {}
    for i in range(len(forms)):
        for j in range(i):
            found = one.by_moments([forms[j], forms[i]])
            if found is None:
                return None
            covariances[j, i] = sub(found.value, mul(means[j], means[i]))
    result: Scalar = ZERO
    for partition in partitions(list(range(len(forms)))):
        if all(len(block) <= 2 for block in partition):
            result = add(result, mul(*(means[b[0]] if len(b) == 1 else covariances[min(b), max(b)] for b in partition)))
    return together(used, result)
