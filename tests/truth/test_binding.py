"""Renaming indices: what a binder binds stays bound, whatever numbers its indices have."""

import itertools

from symgen.tensor.expression import (
    add,
    bound_index,
    dim,
    entry,
    fn,
    fold,
    fresh_index,
    mul,
    substitute,
    total,
    var,
)

k = dim("k")
P, Q = var("P", (k,)), var("Q", (k,))
M = var("M", (k, k))


def binders():
    """Closed and open sums over indices that `_bind` numbers from 1."""
    i, j = fresh_index(k), fresh_index(k)
    yield total(entry(P, i), [i])
    yield total(mul(entry(P, i), fn("exp", entry(Q, i))), [i])
    yield fold("max", entry(Q, i), [i])
    yield total(fn("exp", total(mul(entry(M, i, j), entry(P, j)), [j])), [i])


def test_an_index_of_the_same_number_outside_a_binder_is_renamed_alone():
    for inner, number in itertools.product(binders(), (1, 2)):
        outside = bound_index(number, k)
        new = fresh_index(k)
        for build in (
            lambda x, inner=inner: add(inner, entry(P, x)),
            lambda x, inner=inner: mul(fn("exp", inner), entry(Q, x)),
            lambda x, inner=inner: fn("exp", add(mul(inner, entry(P, x)), entry(M, x, x))),
        ):
            assert substitute(build(outside), {outside: new}) is build(new)


def test_a_free_index_inside_a_binder_of_the_same_number_is_not_caught():
    for number in (1, 2, 3):
        free = fresh_index(k)
        i = fresh_index(k)
        open_row = total(mul(entry(M, free, i), entry(P, i)), [i])
        place = bound_index(number, k)
        moved = substitute(open_row, {free: place})
        assert place in moved.free
        assert substitute(moved, {place: free}) is open_row
        both = mul(moved, entry(Q, place))
        assert substitute(both, {place: free}) is mul(open_row, entry(Q, free))


def test_an_index_is_not_renamed_where_a_binder_has_it():
    row, i = fresh_index(k), fresh_index(k)
    for inner in (
        total(mul(entry(M, row, i), entry(P, i)), [i]),
        fold("max", add(entry(M, row, i), entry(P, i)), [i]),
        total(fn("exp", mul(entry(M, i, row), entry(P, i))), [i]),
    ):
        (bound,) = inner.indices
        for outside in (bound, fresh_index(k)):
            new, other = fresh_index(k), fresh_index(k)
            moved = substitute(mul(inner, entry(Q, outside)), {outside: new, row: other})
            assert moved is mul(substitute(inner, {row: other}), entry(Q, new))
            assert moved.free == {new, other}
