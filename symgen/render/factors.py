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
    return out


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
