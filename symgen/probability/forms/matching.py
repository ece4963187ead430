"""Patterns of lemmas: places in a formula, what they stand for in a node, derivatives by them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symgen.calculus.rules import derivative_of
from symgen.probability.forms.terms import factors_of, terms_of
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Entry,
    Fn,
    Mul,
    Num,
    Pow,
    Scalar,
    Where,
    add,
    divide,
    entry,
    fn,
    mul,
    neg,
    num,
    power,
    replace_arrays,
    sub,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip

PLACES = ("j", "t", "v", "w")
PLACE = {n: entry(var(n, (), "real", "placeholder", uid=-8)) for n in (*PLACES, "x")}


def put_in(body: Scalar, mapping: Mapping[Scalar, Scalar]) -> Scalar:
    """`body` with entries of rank-0 arrays replaced."""
    how = {e.array: (lambda v=v: v) for e, v in mapping.items() if isinstance(e, Entry)}
    made: Scalar = replace_arrays(body, how)
    return made


def derivative(x: Scalar, at: Scalar) -> Scalar:
    """d x / d at, for a scalar built of + * ^ and functions of the table, `at` an entry."""
    memo: dict[Scalar, Scalar] = {}

    def visit(n: Scalar) -> Scalar:
        if n is at:
            return ONE
        found = memo.get(n)
        if found is not None:
            return found
        if not n.args or isinstance(n, Entry) or at not in set(walk(n)):
            made: Scalar = ZERO
        elif isinstance(n, Add):
            made = add(*(visit(t) for t in n.args))
        elif isinstance(n, Mul):
            made = add(*(mul(visit(f), *(g for g in n.args if g is not f)) for f in n.args))
        elif isinstance(n, Pow):
            base, exponent = n.base, n.exponent
            by_base, by_exponent = visit(base), visit(exponent)
            made = add(
                mul(exponent, power(base, sub(exponent, ONE)), by_base) if by_base is not ZERO else ZERO,
                mul(n, fn("log", base), by_exponent) if by_exponent is not ZERO else ZERO,
            )
        elif isinstance(n, Fn):
            made = ZERO
            for k, a in enumerate(n.args):
                slope = visit(a)
                if slope is not ZERO:
                    made = add(made, mul(slope, derivative_of(n.name, k, n.args, n)))
        elif isinstance(n, Where):  # the pieces are pieces of one function, which is smooth
            made = where(n.args[0], visit(n.args[1]), visit(n.args[2]))
        else:
            raise TypeError(type(n).__name__)
        memo[n] = made
        return made

    return visit(x)


def match(pattern: Scalar, node: Scalar, x: Entry) -> dict[str, Scalar] | None:
    """The values of j, t, v, w with which the pattern is the node; what they stand for does not depend on x."""
    bound: dict[Scalar, Scalar] = {}
    if _match(pattern, node, x, bound):
        names = {p: n for n, p in PLACE.items()}
        return {names[p]: v for p, v in bound.items()}
    return None


def _has_x(node: Scalar, x: Entry) -> bool:
    return x.array in variables_of(node)


def _open(node: Scalar) -> bool:
    """Whether a place occurs in the pattern."""
    if node in _PLACES:
        return True
    return not isinstance(node, Entry) and any(_open(a) for a in node.args)


_PLACES = frozenset(PLACE[n] for n in PLACES)


def _match(p: Scalar, n: Scalar, x: Entry, bound: dict[Scalar, Scalar]) -> bool:
    if not _open(p):
        return p is n
    if p in _PLACES:
        if _has_x(n, x):
            return False
        if p in bound:
            return bound[p] is n
        bound[p] = n
        return True
    if isinstance(p, Add):
        return _match_parts(p.args, terms_of(n), x, bound, add, neg)
    if isinstance(p, Mul):
        return _match_parts(p.args, factors_of(n), x, bound, mul, lambda a: power(a, MINUS_ONE))
    if isinstance(p, Pow):
        if not _has_x(p, x):
            e = p.exponent
            if _has_x(n, x) or not isinstance(e, Num) or e.rational is None:
                return False
            return _match(p.base, root(n, e.rational), x, bound)
        if isinstance(n, Pow):
            return _match(p.base, n.base, x, bound) and _match(p.exponent, n.exponent, x, bound)
        return False
    if isinstance(p, Fn):
        return (
            isinstance(n, Fn) and n.name == p.name and len(n.args) == len(p.args)
            and all(_match(a, b, x, bound) for a, b in zip(p.args, n.args, strict=True))
        )  # fmt: skip
    return False


def root(n: Scalar, degree: Fraction) -> Scalar:
    """One w with w^degree = n, n > 0: powers are taken apart, so that the root of s^-2 is s."""
    if isinstance(n, Mul):
        return mul(*(root(f, degree) for f in n.args))
    if isinstance(n, Pow) and isinstance(n.exponent, Num) and n.exponent.rational is not None:
        return power(n.base, num(n.exponent.rational / degree))
    return power(n, num(1 / degree))


def _match_parts(ps, ns, x, bound, join, inverse) -> bool:  # type: ignore[no-untyped-def]
    """Terms with x match one to one; what is free of x on the one side is what is free of x on the other."""
    p_with, p_without = [p for p in ps if _has_x(p, x)], [p for p in ps if not _has_x(p, x)]
    n_with, n_without = [n for n in ns if _has_x(n, x)], [n for n in ns if not _has_x(n, x)]
    if len(p_with) != len(n_with):
        return False
    fixed = [p for p in p_without if not _open(p)]
    loose = [p for p in p_without if _open(p)]
    rest = join(*n_without, *(inverse(p) for p in fixed))
    for order in _permutations(n_with):
        trial = dict(bound)
        if not all(_match(p, n, x, trial) for p, n in zip(p_with, order, strict=True)):
            continue
        remaining, ok = rest, True
        pending = list(loose)
        for p in loose:
            if p in trial or all(q in trial for q in _places_of(p)):
                remaining = join(remaining, inverse(put_in(p, trial)))
                pending.remove(p)
        neutral = join()
        if not pending:
            ok = remaining is neutral
        elif len(pending) == 1:
            ok = _match_coefficient(pending[0], remaining, x, trial)
        else:
            ok = False
        if ok:
            bound.clear()
            bound.update(trial)
            return True
    return False


def _match_coefficient(p: Scalar, n: Scalar, x: Entry, bound: dict[Scalar, Scalar]) -> bool:
    """c q against n, c a number: q against n/c."""
    if isinstance(p, Mul):
        fixed = [f for f in p.args if not _open(f)]
        if fixed:
            rest = mul(*(f for f in p.args if f not in fixed))
            return _match_coefficient(rest, divide(n, mul(*fixed)), x, bound)
        return _match_parts(p.args, factors_of(n), x, bound, mul, lambda a: power(a, MINUS_ONE))
    return _match(p, n, x, bound)


def _places_of(p: Scalar) -> set[Scalar]:
    if p in _PLACES:
        return {p}
    return set().union(*(_places_of(a) for a in p.args)) if not isinstance(p, Entry) else set()


def _permutations(items: list[Scalar]) -> list[list[Scalar]]:
    if len(items) <= 1:
        return [items]
    if len(items) > 3:
        return [items]
    return [[a, *rest] for k, a in enumerate(items) for rest in _permutations(items[:k] + items[k + 1 :])]
