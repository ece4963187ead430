"""A sign times a power of the absolute value is a power: sign(x) |x|^k = x |x|^(k - 1), which is x^k for odd k."""

from __future__ import annotations

from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import ONE, TWO, Fn, Mul, Num, Pow, Scalar, fn, mul, num, power, walk

__all__ = ["signs_joined"]


def signs_joined(body: Scalar) -> tuple[Scalar, bool]:
    """`body` with such products joined, and whether one has a pole: sign(q)/|q| is 1/q, where q is not 0."""
    found: dict[Scalar, Scalar] = {}
    poles = False
    for n in walk(body):
        if isinstance(n, Mul):
            made, pole = _joined(n)
            if made is not n:
                found[n] = made
                poles = poles or pole
    return (replace_scalars(body, found), poles) if found else (body, False)


def _joined(node: Mul) -> tuple[Scalar, bool]:
    factors = list(node.args)
    poles = False
    for f in node.args:
        base, times = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
        if not (isinstance(base, Fn) and base.name == "sign") or times not in (ONE, TWO):
            continue
        x = base.args[0]
        size = fn("abs", x)
        for g in factors:
            k = ONE if g is size else g.exponent if isinstance(g, Pow) and g.base is size else None
            if not isinstance(k, Num) or k.rational is None or k.rational.denominator != 1:
                continue
            n = int(k.rational)
            factors.remove(f)
            factors.remove(g)
            odd = n % 2 == (1 if times is ONE else 0)  # the whole is a power of x
            factors += [power(x, k)] if odd else [x, power(size, num(n - 1))] if times is ONE else [power(size, k)]
            poles = poles or n < 0
            break
    return (node, False) if factors == list(node.args) else (mul(*factors), poles)
