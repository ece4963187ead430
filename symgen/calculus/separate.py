"""Sums taken apart, so that what does not run with their indices stands before them.

sum_i w_i (x_i - mu) = sum_i w_i x_i - mu sum_i w_i: entries of the unknown come out of the sums of the data.
"""

from __future__ import annotations

from collections.abc import Callable

from symgen.tensor.expression import (
    ONE,
    Add,
    Array,
    Entry,
    Expect,
    Fn,
    Fold,
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    add,
    depends_on,
    fn,
    fold,
    mul,
    open_sum,
    open_tensor,
    power,
    rebuild,
    total,
)

__all__ = ["separate", "terms_of", "distribute"]

MAX_TERMS = 200


def terms_of(s: Scalar) -> tuple[Scalar, ...]:
    return s.args if isinstance(s, Add) else (s,)


def separate(root: Scalar, unknown: Array) -> Scalar:
    """`root` with the definitions that hold `unknown` opened and its sums split."""
    memo: dict[Node, Scalar] = {}
    return _separate(root, lambda n: depends_on(n, unknown), memo)


def _separate(s: Scalar, holds: Callable[[Node], bool], memo: dict[Node, Scalar]) -> Scalar:
    found = memo.get(s)
    if found is not None:
        return found
    if not holds(s):
        memo[s] = s
        return s
    out: Scalar = s
    if isinstance(s, Entry):
        if isinstance(s.array, Tensor):
            out = _separate(open_tensor(s.array, s.indices), holds, memo)
    elif isinstance(s, Sum):
        body, indices = open_sum(s)
        out = add(*(total(t, indices) for t in distribute(_separate(body, holds, memo), holds)))
    elif isinstance(s, Fold):
        body, indices = open_sum(s)
        out = fold(s.kind, _separate(body, holds, memo), indices)
    elif not isinstance(s, Expect) and s.args:
        out = rebuild(s, [_separate(a, holds, memo) if a.is_scalar_node else a for a in s.args])
    memo[s] = out
    return out


def distribute(s: Scalar, holds: Callable[[Node], bool]) -> list[Scalar]:
    """The terms of `s`, products with sums that hold the unknown multiplied out, exp of a sum as a product."""
    if isinstance(s, Add):
        return [t for a in s.args for t in distribute(a, holds)]
    if isinstance(s, Pow) and isinstance(s.base, Add) and isinstance(s.exponent, Num) and holds(s.base):
        k = s.exponent.value
        if not isinstance(k, str) and k.denominator == 1 and 2 <= k <= 4:
            out: list[Scalar] = [ONE]
            for _ in range(int(k)):
                out = [mul(a, b) for a in out for b in s.base.args]
            return list(terms_of(add(*out)))
    if isinstance(s, Fn) and s.name == "exp" and holds(s):
        parts = _all_terms(s.args[0])
        if len(parts) > 1:
            return [mul(*(fn("exp", t) for t in parts))]
    if isinstance(s, Pow) and isinstance(s.base, Mul) and holds(s):
        return [mul(*(power(f, s.exponent) for f in s.base.args))]
    if isinstance(s, Mul):
        choices = [list(distribute(f, holds)) if holds(f) else [f] for f in s.args]
        count = 1
        for p in choices:
            count *= len(p)
        if 1 < count <= MAX_TERMS:
            terms: list[Scalar] = [ONE]
            for p in choices:
                terms = [mul(a, b) for a in terms for b in p]
            return terms
        if count == 1:
            return [mul(*(p[0] for p in choices))]
    return [s]


def _all_terms(s: Scalar) -> list[Scalar]:
    return distribute(s, lambda n: isinstance(n, Add | Mul | Pow))
