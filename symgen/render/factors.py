"""What a product is made of, and index values of the form step*i + offset."""

from __future__ import annotations

from fractions import Fraction

from symgen.tensor import expression as x
from symgen.tensor.expression import Index, Scalar


def remainder(node: x.Fn) -> Scalar:
    """i mod n = i - n*floor(i/n)."""
    a, n = node.args
    whole = x.fn("floor", x.divide(a, n))
    return whole if node.name == "div" else x.sub(a, x.mul(n, whole))


def exponent_of(node: x.Pow) -> Fraction | None:
    """The exponent, if it is a rational number."""
    return node.exponent.rational if isinstance(node.exponent, x.Num) else None


def factors_of(node: Scalar) -> list[tuple[Scalar, Fraction]]:
    """(base, rational exponent) pairs of a product; a power with a symbolic exponent is a base of its own."""
    out: list[tuple[Scalar, Fraction]] = []
    for f in node.args if isinstance(node, x.Mul) else (node,):
        exponent = exponent_of(f) if isinstance(f, x.Pow) else None
        if isinstance(f, x.Pow) and exponent is not None:
            out.append((f.base, exponent))
        else:
            out.append((f, Fraction(1)))
    return well_turned(out)


def well_turned(factors: list[tuple[Scalar, Fraction]]) -> list[tuple[Scalar, Fraction]]:
    """(x - m)*(y - m), not (m - x)*(m - y): what is drawn or observed before what it is compared with, wherever that can be
    had; and so the same text whatever was derived before."""
    wrong = [k for k, (f, n) in enumerate(factors) if n.denominator == 1 and n > 0 and n % 2 and _is_turned(f)]
    wrong.sort(key=lambda k: _spelled(factors[k][0]))
    for k in wrong[: len(wrong) // 2 * 2]:  # signs go in pairs
        factors[k] = (x.neg(factors[k][0]), factors[k][1])
    return factors


def _is_turned(f: Scalar) -> bool:
    """Whether the second of a difference should stand first."""
    if not isinstance(f, x.Add) or len(f.args) != 2:
        return False
    (c, a), (d, b) = map(x.as_coefficient, f.args)
    if (c > 0) == (d > 0):
        return False
    plus, minus = (a, b) if c > 0 else (b, a)
    return _spelled(minus) < _spelled(plus)


def _spelled(f: Scalar) -> tuple[bool, bool, list[str]]:
    """What is drawn or observed first, by name; what is made of several things last."""
    plain = isinstance(f, x.Entry) and isinstance(f.array, x.Var)
    found = sorted(x.variables_of(f), key=lambda v: v.name)
    return not plain, not any(v.role in ("data", "random") for v in found), [v.name for v in found]


def affine(value: Scalar, i: Index) -> tuple[int | None, Scalar]:
    """step, offset with value = step*i + offset; step None where it is not of that form."""
    step, rest = Fraction(0), []
    for term in value.args if isinstance(value, x.Add) else (value,):
        c, base = x.as_coefficient(term)
        if base is i:
            step += c
        elif i in base.free:
            return None, x.ZERO
        else:
            rest.append(term)
    return (int(step) if step.denominator == 1 else None), x.add(*rest)
