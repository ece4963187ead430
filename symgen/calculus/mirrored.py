"""Kernels K(i, j) that are positive semidefinite by their form, over index tuples of any length.

A term is turned into itself by a mirror, an exchange of i with j and of summed indices with each other: what stands on
one side has its image on the other, f(i) f(j); what lies across is a kernel itself, P[i, j] or Delta(i, j); what the
mirror leaves alone is a weight and not negative. Products of kernels are kernels (Schur), sums of them too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symgen.tensor.build import same_size
from symgen.tensor.expression import (
    Add,
    Delta,
    Entry,
    Index,
    Num,
    Pow,
    Scalar,
    mul,
    substitute,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_psd, is_spd, range_of
from symgen.tensor.matrix_facts import factors_below

__all__ = ["Mirrored", "definiteness_of", "is_kernel", "mirrored"]

Mirror = dict[Index, Index]
MOST_BOUND = 6


@dataclass
class Mirrored:
    """One way to see a term: `pairs` of one-sided factors f(i) f(j), of which one stands here, what lies `across` with
    the indices that it joins, the `weights`, and whether summed indices are exchanged."""

    pairs: list[Scalar] = field(default_factory=list)
    across: list[tuple[Scalar, Index, Index]] = field(default_factory=list)
    weights: list[Scalar] = field(default_factory=list)
    exchanges: bool = False


def mirrored(term: Scalar, outer: Mapping[Index, Index], facts: Facts | None) -> Iterator[Mirrored]:
    """The ways in which a term is its own mirror image; `outer` exchanges its free indices.

    What lies across is not looked at: whether it is a kernel is for the caller to say (`is_kernel`).
    """
    factors, bound = factors_below(term, squares=True)
    if len(bound) > MOST_BOUND:
        return
    start = {**outer, **{j: i for i, j in outer.items()}}
    for inner in _mirrors(bound):
        seen = _seen(factors, {**start, **inner}, outer)
        if seen is not None and range_of(mul(*seen.weights), facts).nonnegative:
            seen.exchanges = bool(inner)
            yield seen


def _mirrors(bound: Sequence[Index]) -> Iterator[Mirror]:
    """All exchanges of indices that run over the same sizes; an index may stay."""
    if not bound:
        yield {}
        return
    first, *rest = bound
    for k, other in enumerate(rest):
        if same_size(first.size, other.size):
            for m in _mirrors(rest[:k] + rest[k + 1 :]):
                yield {first: other, other: first, **m}
    yield from _mirrors(rest)


def _seen(factors: Sequence[Scalar], mirror: Mirror, outer: Mapping[Index, Index]) -> Mirrored | None:
    out = Mirrored()
    left: list[Scalar] = []
    for f in factors:
        moved = [i for i in f.free if i in mirror]
        if not moved:
            out.weights.append(f)
        elif any(mirror[i] in f.free for i in moved):
            if len(moved) != 2:
                return None
            out.across.append((f, moved[0], moved[1]))
        else:
            left.append(f)
    links: list[list[Index]] = []
    while left:
        f = left.pop()
        image = substitute(f, mirror)
        if image not in left:
            return None
        left.remove(image)
        out.pairs.append(f)
        links.append([i for i in f.free if i in mirror])
    return out if _has_sides(links, mirror, outer) else None


def _has_sides(links: Sequence[Sequence[Index]], mirror: Mirror, outer: Mapping[Index, Index]) -> bool:
    """Whether the indices fall into two sides, so that each factor stands on one of them."""
    side: dict[Index, int] = dict.fromkeys(outer, 0) | dict.fromkeys(outer.values(), 1)
    waiting = [list(x) for x in links]
    while waiting:
        known = next((x for x in waiting if any(i in side for i in x)), waiting[0])
        waiting.remove(known)
        s = next((side[i] for i in known if i in side), 0)
        for i in known:
            if side.setdefault(i, s) != s or side.setdefault(mirror[i], 1 - s) != 1 - s:
                return False
    return True


def is_kernel(f: Scalar, i: Index, j: Index, facts: Facts | None) -> str | None:
    """psd or spd where f(i, j), a factor that lies across, is one as a matrix."""
    if isinstance(f, Delta):
        return "spd" if set(f.args) == {i, j} else None
    if isinstance(f, Entry) and set(f.indices[-2:]) == {i, j} and not {i, j} & set(f.indices[:-2]):
        return "spd" if is_spd(f.array, facts) else "psd" if is_psd(f.array, facts) else None
    if isinstance(f, Pow) and isinstance(f.exponent, Num):
        e = f.exponent.rational
        if e is not None and e > 0 and e.denominator == 1:  # Schur
            return is_kernel(f.base, i, j, facts)
    return None


def definiteness_of(body: Scalar, outer: Mapping[Index, Index], facts: Facts | None) -> str | None:
    """spd, psd or None: what a form over the index tuples `outer` is, from the forms of its terms."""
    kinds = {_of_term(t, outer, facts) for t in (body.args if isinstance(body, Add) else (body,))}
    return None if None in kinds else "spd" if "spd" in kinds else "psd"


def _of_term(term: Scalar, outer: Mapping[Index, Index], facts: Facts | None) -> str | None:
    found: str | None = None
    for seen in mirrored(term, outer, facts):
        kinds = [is_kernel(f, i, j, facts) for f, i, j in seen.across]
        if None in kinds:
            continue
        reached = {i for f, *_ in seen.across for i in f.free if i in outer}
        whole = not seen.pairs and not seen.exchanges and set(kinds) == {"spd"} and reached == set(outer)
        if whole and range_of(mul(*seen.weights), facts).positive:
            return "spd"
        found = "psd"
    return found
