"""Rational expressions by differences of parameters: a^2 - 2 a b + b^2 is (a - b)^2, formed from a - b.

Two parameters that may be nearly equal are paired: x = y + d. What is of second order in the differences keeps its digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from symgen.algebra.collect import written_length
from symgen.algebra.rational import Field, TooLarge
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    MINUS_ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Var,
    add,
    divide,
    entry,
    fn,
    mul,
    num,
    power,
    tensor,
    var,
)  # fmt: skip

__all__ = ["Pair", "by_differences", "difference", "is_rational", "kept_apart"]

Pair = tuple[Scalar, Scalar]
MOST_FREE = 7  # atoms without a partner that are tried against each other
MOST_TRIES = 60
MINUS_TWO = num(-2)


def difference(x: Scalar, y: Scalar) -> Scalar:
    """x - y, of complements as the difference of what they complement: (1 - p) - (1 - q) is q - p."""
    return add(*terms_of(x), *(mul(MINUS_ONE, t) for t in terms_of(y)))


def factors_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Mul) else (x,)


def kept_apart(x: Scalar) -> Scalar:
    """An expression as the entry of an array of its own, so that its terms stay together."""
    outer = sorted(x.free, key=lambda i: (i.kind, i.number))
    return entry(tensor(tuple(outer), x), *outer)


def terms_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Add) else (x,)


def is_rational(x: Scalar) -> bool:
    """Whether no function stands in x but roots and exponentials."""
    stack: list[Scalar] = [x]
    while stack:
        n = stack.pop()
        if isinstance(n, Fn) and n.name not in ("exp", "abs"):
            return False
        if not isinstance(n, (Entry, Fn)):
            stack.extend(a for a in n.args if a.is_scalar_node)
    return True


def by_differences(x: Scalar, known: Sequence[Pair], order: int = 2) -> tuple[Scalar, list[Pair]] | None:
    """x in differences of paired atoms, each term of at least that order in them, and the pairs, of which `known` are
    some. None where no pairing does it."""
    for pairs in _pairings(x, list(known)):
        made = _written(x, pairs, order)
        if made is not None:
            return made, pairs
    return None


def _pairings(x: Scalar, known: list[Pair]) -> Iterator[list[Pair]]:
    """`known`, then with partners for the other atoms: each other, or 0 for what has a sign."""
    atoms = atoms_of(x)
    once: list[Pair] = []
    for a, b in known:
        taken = {c for p in once for c in p if not isinstance(c, Num)}
        if a in atoms and (b in atoms or isinstance(b, Num)) and not {a, b} & taken:
            once.append((a, b))
    known, used = once, {a for p in once for a in p}
    known += [(a, ZERO) for a in atoms if isinstance(a, Fn) and a.name == "abs" and isinstance(a.args[0], Add)]
    free = [a for a in atoms if a not in used and isinstance(a, Entry) and isinstance(a.array, Var)][:MOST_FREE]
    yield known
    choices: list[Pair] = [(a, b) for a, b in combinations(free, 2) if _alike(a, b)]
    choices += [(a, ZERO) for a in free if _is_real(a)]
    tried = 0
    for count in (1, 2, 3):
        for chosen in combinations(choices, count):
            names = [a for p in chosen for a in p if not isinstance(a, Num)]
            if len(set(names)) != len(names):
                continue
            tried += 1
            if tried > MOST_TRIES:
                return
            yield [*known, *chosen]


def _alike(a: Entry, b: Entry) -> bool:
    """Whether two entries are of variables of one kind at one place."""
    x, y = a.array, b.array
    return isinstance(x, Var) and isinstance(y, Var) and x.domain == y.domain and a.indices == b.indices


def _is_real(a: Scalar) -> bool:
    return isinstance(a, Entry) and isinstance(a.array, Var) and a.array.domain == "real"


def atoms_of(x: Scalar) -> list[Scalar]:
    try:
        return list(Field(x).roots)
    except TooLarge:
        return []


def _written(x: Scalar, pairs: Sequence[Pair], order: int) -> Scalar | None:
    """x with y + d for the first of each pair, where each term has that order in the differences d."""
    places = [entry(var(f"difference{k}", (), "real", "placeholder", uid=-93)) for k in range(len(pairs))]
    try:
        field = Field(add(x, *places, *(b for _, b in pairs)))
        top, bottom = field.fraction(x)
    except TooLarge:
        return None
    if top.is_zero():
        return ZERO
    gens = dict(zip(field.generator, field.ring.gens(), strict=False))
    arguments = dict(gens)
    small: list[Scalar] = []
    back: dict[Scalar, Scalar] = {}
    for place, (a, b) in zip(places, pairs, strict=True):
        if a not in gens or field.roots[a] != (field.roots.get(b, field.roots[a])):
            return None
        q = field.roots[a]
        if b is ZERO and q != 1:
            return None
        if q not in (1, 2) or (b not in gens and not isinstance(b, Num)):
            return None
        base = gens[b] if b in gens else field.ring.constant(int(b.rational or 0))  # type: ignore[attr-defined]
        arguments[a] = base + gens[place]
        small.append(place)
        apart = difference(a, b) if order > 1 else kept_apart(difference(a, b))
        back[place] = apart if q == 1 else fn("root_difference", a, b, kept_apart(difference(a, b)))
    try:
        all_gens = list(field.ring.gens())
        turned = list(all_gens)
        for a, g in arguments.items():
            turned[all_gens.index(gens[a])] = g
        top = field.small(top.compose(*turned, ctx=field.ring))
    except TooLarge:
        return None
    if top.is_zero():
        return ZERO
    where = [all_gens.index(gens[p]) for p in small]
    if any(sum(int(degrees[k]) for k in where) < order for degrees in top.to_dict()):
        return None
    candidates: list[Callable[[], Scalar]] = [lambda: field.factored(top), lambda: field.polynomial(top)]
    numerator = min((c() for c in candidates), key=written_length)
    below = field.factored(bottom, -1)
    if len(bottom) == 1:
        return add(*(_squares(t, below, back) for t in terms_of(field.polynomial(top))))
    made: Scalar = mul(replace_scalars(numerator, back), below)
    return made


def _squares(t: Scalar, below: Scalar, back: Mapping[Scalar, Scalar]) -> Scalar:
    """d^2/y^2 as (d/y)^2, which does not overflow where d/y does not."""
    above, under = list(factors_of(t)), list(factors_of(below))
    out: list[Scalar] = []
    for f in list(above):
        if isinstance(f, Pow) and f.exponent is TWO and f.base in back:
            square = next((g for g in under if isinstance(g, Pow) and g.exponent is MINUS_TWO), None)
            if square is not None and isinstance(square, Pow):
                above.remove(f)
                under.remove(square)
                out.append(power(kept_apart(divide(back[f.base], square.base)), TWO))
    return mul(replace_scalars(mul(*above), dict(back)), *out, *under)
