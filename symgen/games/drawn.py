"""A payoff as the mean over what one density draws: J(q) = E_x E_{t ~ q(t | x)}[B(t, x)] + rest, all else averaged in B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgen.calculus.curvature import flat
from symgen.games.game import Game
from symgen.games.recognise import reference
from symgen.probability.forms.terms import split
from symgen.probability.laws.joint import DistRef, conditional_law, expectation, is_expectation, opened_expectation
from symgen.tensor.expression import (
    Add,
    Array,
    Entry,
    Mul,
    Node,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    entry,
    mul,
    replace_arrays,
    tensor,
    var,
    variables_of,
    walk,
)  # fmt: skip

__all__ = ["Drawn", "as_declared", "drawn_from", "is_law", "mentions", "spread"]

Draws = tuple[tuple[Var, Array], ...]


@dataclass(frozen=True)
class Drawn:
    """E over `outer` of the mean of `body` over `y` from the density given `given`; the `rest` is free of it."""

    y: Var
    given: tuple[Var, ...]
    body: Scalar
    outer: Draws
    rest: Scalar


def is_law(a: object, name: str) -> bool:
    return isinstance(a, Operator) and a.name == "density" and a.attrs[:2] == ("law", name)


def mentions(node: Scalar | Array, name: str) -> bool:
    return any(is_law(n, name) for n in walk(node))


def spread(f: Scalar) -> list[Scalar]:
    """The terms of a sum, a factor before it multiplied in."""
    factors = list(f.args) if isinstance(f, Mul) else [f]
    sums = [a for a in factors if isinstance(a, Add)]
    if len(sums) != 1:
        return [f]
    rest = [a for a in factors if a is not sums[0]]
    return [mul(*rest, t) for t in sums[0].args]


@dataclass(frozen=True)
class _Place:
    """One mean over the density: the other draws around it, and what stands inside."""

    y: Var
    given: tuple[Var, ...]
    others: Draws
    body: Scalar


def drawn_from(game: Game, payoff: Array, name: str) -> Drawn | None:
    """The payoff around the draws of the density of that name; None where it stands otherwise."""
    places: list[_Place] = []
    rest = _take(payoff.body if isinstance(payoff, Tensor) else entry(payoff), (), name, places)
    if rest is None or not places:
        return None
    first = places[0]
    if any(p.y is not first.y or p.given != first.given for p in places):
        return None
    outer = [_around(p) for p in places]
    if any({law for _, law in o} != {law for _, law in outer[0]} for o in outer):
        return None
    inside = [_averaged(game, p, o, name) for p, o in zip(places, outer, strict=True)]
    if any(b is None for b in inside):
        return None
    body = add(*(b for b in inside if b is not None))
    return Drawn(
        first.y, first.given, body, tuple(_alone(game, v, law, first.given) for v, law in outer[0] if v in first.given), rest
    )


def _alone(game: Game, v: Var, law: Array, given: tuple[Var, ...]) -> tuple[Var, Array]:
    """A draw of one variable of a joint; of several together, the joint."""
    below = _given_the_rest(game, v, law, ()) if len(given) == 1 and len(getattr(law, "attrs", ())) > 2 else None
    return v, law if below is None else below


def _take(body: Scalar, others: Draws, name: str, places: list[_Place]) -> Scalar | None:
    """The means over the density among the terms of a body that stands under other draws; what is free of it, its mean taken."""
    free: list[Scalar] = []
    for term in (t for s in (body.args if isinstance(body, Add) else (body,)) for t in spread(s)):
        if not mentions(term, name):
            free.append(_mean(term, others))
            continue
        factors = list(term.args) if isinstance(term, Mul) else [term]
        means = [f for f in factors if mentions(f, name)]
        op = means[0].array if len(means) == 1 and isinstance(means[0], Entry) else None
        if not isinstance(op, Operator) or op.name != "E" or op.shape:
            return None
        outside = mul(*(f for f in factors if f is not means[0]))
        bodies, draws = as_declared(op, thin=True)
        mine = [(v, law) for v, law in draws if is_law(law, name)]
        now = (*others, *(d for d in draws if d not in mine))
        value = _entry(bodies[0])
        if len({v for v, _ in (*others, *draws)}) < len(others) + len(draws):
            return None  # two draws of one variable
        if len(mine) > 1 or any(mentions(law, name) for _, law in now):
            return None
        if not mine:
            below = _take(mul(outside, value), now, name, places)
            if below is None:
                return None
            free.append(below)
            continue
        ((y, law),) = mine
        given = [a for a in law.args if isinstance(a, Var)]
        if len(given) != len(law.args):
            return None
        places.append(_Place(y, tuple(given), now, mul(outside, value)))
    return add(*free)


def as_declared(op: Operator, thin: bool = False) -> tuple[list[Array], list[tuple[Var, Array]]]:
    """The body and the draws of a mean, in the variables of the spec: those of several means are the same. `thin`: without
    what a joint draws and nothing speaks of."""
    bodies, draws = opened_expectation(op)
    used = {u for a in (*bodies, *(law for _, law in draws)) for u in _free(a)}
    draws = [(v, law) for v, law in draws if not thin or v in used or len(getattr(law, "attrs", ())) < 3]
    own: dict[Array, Array] = {v: var(v.name, v.shape, v.domain, "random", v.domain_args) for v, _ in draws}
    made = [(own[v], replace_arrays(law, own)) for v, law in draws]
    return [replace_arrays(b, own) for b in bodies], [(v, law) for v, law in made if isinstance(v, Var)]


def _entry(a: Array) -> Scalar:
    own = flat(a)
    return own.body if isinstance(own, Tensor) else entry(own)


def _around(p: _Place) -> Draws:
    """The draws of what the density is given, and what is drawn with it."""
    laws = {law for v, law in p.others if v in p.given}
    while True:
        more = {law for v, law in p.others if any(v in variables_of(other) for other in laws)} - laws
        if not more:
            return tuple((v, law) for v, law in p.others if law in laws)
        laws |= more


def _averaged(game: Game, p: _Place, outer: Draws, name: str) -> Scalar | None:
    """The body with the mean taken over all that is drawn beside y and what is given."""
    ahead: list[tuple[Var, Array]] = []
    for v, law in p.others:
        if (v, law) not in outer:
            ahead.append((v, law))
        elif v not in p.given:
            below = _given_the_rest(game, v, law, p.given)
            if below is None and v in variables_of(p.body):
                return None
            if below is not None:
                ahead.append((v, below))
    terms = (t for s in (p.body.args if isinstance(p.body, Add) else (p.body,)) for t in spread(s))
    return add(*(t if mentions(t, name) else _mean(t, tuple(ahead)) for t in terms))


def _given_the_rest(game: Game, v: Var, law: Array, given: Sequence[Var]) -> Array | None:
    """The law of one variable of a joint that is not known, given others of it."""
    if not (isinstance(law, Operator) and law.name == "density" and not law.args):
        return None
    ref = reference(law, v, game.joints)
    if not {v, *given} <= set(ref.variables):
        return None
    return conditional_law(DistRef(ref.joint, (v,), tuple(given)), v)


def _free(node: Node) -> set[Var]:
    """The variables of a node that no mean within it binds."""
    found: set[Var] = set()
    stack: list[tuple[Node, frozenset[Var]]] = [(node, frozenset())]
    met: set[tuple[Node, frozenset[Var]]] = set()
    while stack:
        n, bound = stack.pop()
        if (n, bound) in met:
            continue
        met.add((n, bound))
        if isinstance(n, Var):
            found |= {n} - bound
        elif isinstance(n, Operator) and is_expectation(n):
            stack += [(a, bound.union(n.attrs[0])) for a in n.args]
        else:
            stack += [(a, bound) for a in n.args]
    return found


def _mean(term: Scalar, draws: Draws) -> Scalar:
    """The mean over those draws that the term hangs on."""
    needed: list[tuple[Var, Array]] = []
    seen = _free(term)
    for v, law in reversed(draws):
        if v in seen:
            needed.insert(0, (v, law))
            seen |= _free(law)
    if not needed:
        return term
    drawn = {v for v, _ in needed}
    outside, term = split(term, lambda n: not drawn.isdisjoint(_free(n)))
    mates = {law for _, law in needed}
    needed = [d for d in draws if d in needed or d[1] in mates and isinstance(d[1], Operator) and d[1].name == "density"]
    return mul(outside, entry(expectation(tensor((), term), needed)))
