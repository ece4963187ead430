"""Whether two expressions are equal, ordered, proportional or equal up to a term: proof where there is one, else balls.

Proof is one canonical form of both sides. Evidence is agreement in ball arithmetic at random points of the declared
domains, of unequal sizes and on every branch. Refutation is a ball that excludes 0, shown at the simplest point found.
A float decides nothing: it says where to look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgen.algebra import canonical as forms
from symgen.algebra.absorbed import looked_into
from symgen.algebra.climb import climb
from symgen.algebra.comparison import Comparison, Counterexample
from symgen.algebra.search import (
    LOOKS,
    SUSPICIOUS,
    Completion,
    Judge,
    Search,
    Trial,
    cross,
    difference,
    moved,
    order,
    strict_order,
)
from symgen.derivation.context import BudgetSpent
from symgen.derivation.derivation import Evidence
from symgen.tensor.clock import spent
from symgen.tensor.evaluate import NotEvaluable
from symgen.tensor.expression import Array, Num, Scalar, Var, divide, fresh_index, open_tensor, sub, tensor, walk
from symgen.tensor.facts import Facts
from symgen.tensor.sample import complete_point

__all__ = [
    "Comparison", "Completion", "Counterexample", "agrees", "equal", "equal_up_to", "less_equal", "proportional",
    "proved_equal",
]  # fmt: skip


Claim = Callable[[forms.Workshop], bool]


# --- the relations ----------------------------------------------------------------------------------------------------


def equal(
    a: Array | Scalar,
    b: Array | Scalar,
    facts: Facts | None = None,
    deadline: float | None = None,
    complete: Completion = complete_point,
    prove: bool = True,
    opened: Callable[[Array], Array] = lambda a: a,
    everywhere: bool = False,
) -> Comparison:
    """Whether a = b, entry by entry, wherever both are defined (with `everywhere`, at jumps, too). The proof is of the
    sides as `opened`."""
    left, right = _array(a), _array(b)
    if left is right:
        return _proved("both sides are one expression")
    search = Search([left, right], facts, deadline, complete, everywhere=everywhere)
    claim = (lambda w: w.is_equal(opened(left), opened(right))) if prove else None
    found = _settled(search, difference, claim, "both sides have one canonical form")
    return looked_into(found, search, difference, left, right) if prove else found


def proved_equal(
    a: Array, b: Array, facts: Facts, deadline: float, opened: Callable[[Array], Array] = lambda a: a
) -> Comparison | None:
    """That a = b by one canonical form; None where the form does not show it."""
    search = Search([a, b], facts, deadline, complete_point)
    proof = _prove(lambda w: w.is_equal(opened(a), opened(b)), search, [], 1.0)
    return None if proof is None else _proved("both sides have one canonical form", proof)


def agrees(a: Array | Scalar, b: Array | Scalar, facts: Facts | None = None, complete: Completion = complete_point) -> bool:
    """Whether a = b at a few points: the quick answer for one of many candidates, without a witness."""
    left, right = _array(a), _array(b)
    if left is right:
        return True
    search = Search([left, right], facts, spent() + 1.0, complete)
    done = 0
    try:
        for attempt in range(8):
            points = search.sample(attempt)
            if points is None:
                continue
            worst = search.floats(difference, points)
            if worst is not None and worst > SUSPICIOUS and attempt < 4:
                return False
            status = search.balls(difference, points).status
            if status == "differ":
                return False
            done += status == "agree"
            if done == 3:
                return True
    except NotEvaluable:
        return False
    return done > 0


def less_equal(
    a: Array | Scalar,
    b: Array | Scalar,
    facts: Facts | None = None,
    deadline: float | None = None,
    strict: bool = False,
    complete: Completion = complete_point,
    opened: Callable[[Array], Array] = lambda a: a,
) -> Comparison:
    """Whether a <= b (a < b if `strict`), entry by entry, wherever both are defined."""
    left, right = _array(a), _array(b)
    if left is right and not strict:
        return _proved("both sides are one expression")
    search = Search([left, right], facts, deadline, complete)
    judge = strict_order if strict else order
    found = _settled(
        search, judge, lambda w: w.is_ordered(opened(left), opened(right), strict),
        "the difference is nonnegative by its form", LOOKS // 2, lambda: further(search, judge),
    )  # fmt: skip
    return looked_into(found, search, judge, left, right)


def further(search: Search, judge: Judge) -> Trial | None:
    """A point at which an order fails, that random points do not show."""
    return search.special(judge) or search.descend(judge) or climb(search, judge)


def proportional(
    a: Array | Scalar,
    b: Array | Scalar,
    over: Sequence[Var],
    facts: Facts | None = None,
    deadline: float | None = None,
    complete: Completion = complete_point,
) -> Comparison:
    """Whether a = c b with a positive factor c that is free of the variables `over`."""
    left, right = _array(a), _array(b)
    return _settled(
        Search([left, right], facts, deadline, complete, over), cross,
        lambda w: w.is_free(_entrywise(divide, left, right), over, positive=True),
        "the quotient of the canonical forms is positive and free of the variable",
    )  # fmt: skip


def equal_up_to(
    a: Array | Scalar,
    b: Array | Scalar,
    over: Sequence[Var],
    facts: Facts | None = None,
    deadline: float | None = None,
    complete: Completion = complete_point,
) -> Comparison:
    """Whether a = b + c with a term c that is free of the variables `over`."""
    left, right = _array(a), _array(b)
    return _settled(
        Search([left, right], facts, deadline, complete, over), moved,
        lambda w: w.is_free(_entrywise(sub, left, right), over),
        "the difference of the canonical forms is free of the variable",
    )  # fmt: skip


def _settled(
    search: Search, judge: Judge, claim: Claim | None, method: str, looks: int = LOOKS // 4,
    further: Callable[[], Trial | None] = lambda: None,
) -> Comparison:  # fmt: skip
    """Refuted at a glance, proved by the form, refuted by a `further` search, or compared at points."""
    tried: list[str] = []
    quick = search.look(judge, looks)
    if quick is not None and not search.averaged:
        return search.refutation(quick, judge)
    proof = _prove(claim, search, tried, 0.5) if claim is not None else None
    if proof is not None:
        return _proved(method, proof)
    found = further()
    if found is not None and not search.averaged:
        return search.refutation(found, judge)
    return search.run(judge, tried)


def _array(x: Array | Scalar) -> Array:
    return x if isinstance(x, Array) else tensor((), x)


def _entrywise(build: Callable[[Scalar, Scalar], Scalar], a: Array, b: Array) -> Array:
    indices = [fresh_index(s) for s in a.shape]
    return tensor(indices, build(open_tensor(a, indices), open_tensor(b, indices)))


def _proved(method: str, proof: forms.Workshop | None = None) -> Comparison:
    if proof is None:
        return Comparison("proved", Evidence("proved", method=method))
    signs = tuple((node, says, text) for (node, says), text in proof.used_signs.items())
    return Comparison("proved", Evidence("proved", proof.conditions, method=method), signs=signs)


def _prove(claim: Callable[[forms.Workshop], bool], search: Search, tried: list[str], share: float) -> forms.Workshop | None:
    """The forms that show the claim, with the conditions they stand under; None where they do not show it."""
    now = spent()
    until = now + share * max(0.0, search.deadline - now)
    numbered = any(isinstance(s, Num) for n in walk(*search.nodes) if isinstance(n, Array) for s in n.shape)
    for opening, spelling in ((False, False), (True, False), *([(True, True)] if numbered else [])):
        workshop = forms.Workshop(search.facts, until, opening, spelling)
        try:
            if claim(workshop):
                return workshop
        except BudgetSpent:
            tried.append("the canonical form was given up: too many terms or too little time")
            return None
    tried.append("the canonical forms differ")
    return None
