"""Log-densities quadratic in the states of a chain: -z[t]' J[t] z[t]/2 + h[t] z[t] summed over the times t, and a constant."""

from __future__ import annotations

from collections.abc import Sequence

from symgen.probability.forms.collect import collected
from symgen.probability.forms.terms import TooManyTerms, depends_on_any, expanded, opened
from symgen.tensor.expression import (
    ONE,
    TWO,
    ZERO,
    Array,
    Entry,
    Index,
    Mul,
    Num,
    Pow,
    Scalar,
    Var,
    add,
    compare,
    delta,
    fresh_index,
    logic,
    mul,
    neg,
    sub,
    substitute,
    tensor,
    total,
    where,
)
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/forms/quadratics.py"


def bend_and_slope(body: Scalar, z: Var) -> tuple[Array, Array]:
    """J over times and twice the axes of a state, h over times and the axes of a state. CannotDerive where a term is of states
    at several times, or is not quadratic."""
    is_random = depends_on_any(frozenset((z,)))
    t = fresh_index(z.shape[0])
    rows, columns = ([fresh_index(s) for s in z.shape[1:]] for _ in range(2))
    bend: list[Scalar] = []
    slope: list[Scalar] = []

    def visit(x: Scalar, coefficient: Scalar, bound: tuple[Index, ...]) -> None:
        for item in expanded(opened(x, is_random), is_random, lambda _: False):
            c = mul(coefficient, item.coefficient)
            if item.indices:
                visit(item.atom, c, (*bound, *item.indices))
            elif is_random(item.atom):
                found = _entries(item.atom, z)
                if found is None or any(is_random(i) for e in found for i in e.indices):
                    raise CannotDerive(f"a term is not quadratic in the states `{z.name}`", item.atom, HERE)
                if len({e.indices[0] for e in found}) > 1:
                    raise CannotDerive(f"a term is of states `{z.name}` at two times", item.atom, HERE)
                _place(found, c, bound)

    def _place(found: Sequence[Entry], c: Scalar, bound: tuple[Index, ...]) -> None:
        places = [*zip(found[0].indices[1:], rows, strict=True)]
        if len(found) == 2:
            places += zip(found[1].indices[1:], columns, strict=True)
        made = mul(c, *(delta(a, b) for a, b in places))
        (bend if len(found) == 2 else slope).append(at_time(made, found[0].indices[0], t, bound))

    try:
        visit(body, ONE, ())
    except TooManyTerms as error:
        raise CannotDerive(f"the terms of the states `{z.name}` are too many", None, HERE) from error
    whole = add(*bend)
    turned = substitute(whole, dict([*zip(rows, columns, strict=True), *zip(columns, rows, strict=True)]))
    both = add(whole, turned) if rows else mul(TWO, whole)
    return tensor([t, *rows, *columns], neg(collected(both))), tensor([t, *rows], collected(add(*slope)))


def _entries(x: Scalar, z: Var) -> list[Entry] | None:
    """The one entry of z that a product is, or the two."""
    parts = x.args if isinstance(x, Mul) else (x,)
    out: list[Entry] = []
    for f in parts:
        twice = isinstance(f, Pow) and f.exponent is TWO
        inside = f.base if isinstance(f, Pow) and twice else f
        if not isinstance(inside, Entry) or inside.array is not z:
            return None
        out += [inside, inside] if twice else [inside]
    return out if 1 <= len(out) <= 2 else None


def at_time(x: Scalar, time: Scalar, t: Index, bound: Sequence[Index]) -> Scalar:
    """What stands at the time t of the sum over `bound` of x, which is of the time `time`: an index, one with a number, or any
    other."""
    for i in bound:
        c = sub(time, i)
        if not isinstance(c, Num) or c.rational is None:
            continue
        made = substitute(total(x, [j for j in bound if j is not i]), {i: sub(t, c)})
        inside = []
        if c.rational > 0:
            inside.append(compare("<=", c, t))
        if add(i.size, c) is not t.size:
            inside.append(compare("<", t, add(i.size, c)))
        return made if not inside else where(inside[0] if len(inside) == 1 else logic("and", *inside), made, ZERO)
    return total(mul(delta(time, t), x), list(bound))


__all__ = ["at_time", "bend_and_slope"]
