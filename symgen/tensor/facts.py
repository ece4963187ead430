"""What is known of the sign and the range of an expression: intervals from the domains, through every node kind.

The answers have three values: True and False are shown, None is not known. A range is that of all entries together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symgen.tensor import matrix_facts as matrices
from symgen.tensor.domains import DOMAINS
from symgen.tensor.expression import (
    INF,
    Add,
    Array,
    Compare,
    Delta,
    Dim,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Logic,
    Mul,
    Node,
    Num,
    Operation,
    Operator,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    as_coefficient,
    logic,
    neg,
    sub,
)
from symgen.tensor.function_ranges import function_range
from symgen.tensor.intervals import (
    ALL,
    NONNEGATIVE,
    ONE,
    POSITIVE,
    ZERO,
    Range,
    interval,
    join,
    meet,
    negated,
    range_power,
    range_product,
    range_sum,
)
from symgen.tensor.matrix_facts import matrix_facts
from symgen.tensor.operations import OPERATIONS

__all__ = [
    "ALL", "Facts", "NO_FACTS", "Range", "is_diagonal", "is_integer", "is_invertible", "is_lower", "is_negative",
    "is_nonnegative", "is_nonzero", "is_orthogonal", "is_positive", "is_psd", "is_spd", "is_symmetric", "is_unit", "is_zero",
    "range_of",
]  # fmt: skip


_NONNEGATIVE_OPERATORS = frozenset((  # Cover & Thomas (2006), 2.6.3: by Jensen
    "density", "pdf", "KL", "JS", "chi2", "hellinger", "tv", "wasserstein2", "mutual_information", "Var",
))  # fmt: skip


class Facts:
    """Assumptions on scalars (conditions), and the ranges that follow from them and from the domains."""

    def __init__(self, assumptions: Iterable[Scalar] = ()) -> None:
        flat: dict[Scalar, None] = {}
        todo = list(assumptions)
        while todo:
            a = todo.pop(0)
            if isinstance(a, Logic) and a.op == "and":
                todo = [*a.args, *todo]
            else:
                flat[a] = None
        self.assumptions: tuple[Scalar, ...] = tuple(flat)
        self.memo: dict[Node, Range] = {}
        # What is assumed at one index says nothing of that index in the definition of an array: these facts hold there.
        self._of_arrays: Facts | None = None
        self._inner: dict[Scalar, Facts] = {}
        self._below: list[tuple[Scalar, bool]] = []  # d with d >= 0 (True: d > 0)
        self._bounds: dict[Node, Range] = {}
        self.used: dict[Scalar, None] = {}
        self._collect()

    def __bool__(self) -> bool:
        return bool(self.assumptions)

    def with_assumption(self, condition: Scalar) -> Facts:
        """These facts and one more."""
        found = self._inner.get(condition)
        if found is None:
            found = self._inner[condition] = Facts((*self.assumptions, condition))
            if condition.free:
                found._of_arrays = self._of_arrays or self
            elif self._of_arrays is not None:
                found._of_arrays = self._of_arrays.with_assumption(condition)
        return found

    def with_range(self, node: Scalar, r: Range) -> Facts:
        """These facts, and that `node` lies in `r`."""
        made = Facts(self.assumptions)
        made._of_arrays = (self._of_arrays or self) if node.free else self._of_arrays
        made._bound(node, r)
        return made

    def _collect(self) -> None:
        for a in self.assumptions:
            if not isinstance(a, Compare):
                continue
            left, right = a.args
            if a.op in ("<", "<="):
                self._below.append((sub(right, left), a.op == "<"))
                strict = a.op == "<"
                r, l = NO_FACTS.range(right), NO_FACTS.range(left)
                self._bound(left, Range(None, r.high, False, strict or r.high_open))
                self._bound(right, Range(l.low, None, strict or l.low_open))
            elif a.op == "==":
                self._below += [(sub(right, left), False), (sub(left, right), False)]
                self._bound(left, NO_FACTS.range(right))
                self._bound(right, NO_FACTS.range(left))
            elif (isinstance(right, Num) and right.rational == 0) or (isinstance(left, Num) and left.rational == 0):
                self._bound(left if isinstance(right, Num) else right, Range(nonzero=True))

    def _bound(self, node: Node, r: Range) -> None:
        for target in (node, node.args[0] if isinstance(node, Entry) and not node.indices else None):
            if target is not None and not isinstance(target, Num):
                self._bounds[target] = meet(self._bounds.get(target, ALL), r)

    def range(self, root: Node) -> Range:
        """The interval that the values lie in."""
        memo = self.memo
        stack = [root]
        while stack:
            node = stack[-1]
            if node in memo:
                stack.pop()
                continue
            if node.is_array_node and self._of_arrays is not None:
                r = self._of_arrays.range(node)
            else:
                waiting = [a for a in _needs(node) if a not in memo]
                if waiting:
                    stack.extend(waiting)
                    continue
                f = _RANGES.get(type(node))
                r = f(self, node) if f is not None else ALL
            stack.pop()
            bound = self._bounds.get(node)
            if bound is not None:
                r = meet(r, bound)
            if self._below and isinstance(node, Add | Mul):
                r = self._by_assumption(node, r)
            memo[node] = r
        return memo[root]

    def _by_assumption(self, node: Scalar, r: Range) -> Range:
        """node = d + rest with d >= 0 assumed and rest >= 0: node >= 0."""
        if r.positive or r.negative:
            return r
        for d, strict in self._below:
            for sign, difference in ((1, sub(node, d)), (-1, sub(neg(node), d))):
                if difference is node or _weight(difference) > _weight(node) or isinstance(d, Num):
                    continue
                rest = Range(ZERO, ZERO) if isinstance(difference, Num) and not difference.rational else None
                if rest is None:
                    rest = self.memo.get(difference) or NO_FACTS.range(difference)
                if rest.nonnegative:
                    found = POSITIVE if strict or rest.positive else NONNEGATIVE
                    r = meet(r, found if sign > 0 else negated(found))
            # a positive multiple of d
            c, base = as_coefficient(node)
            e, other = as_coefficient(d)
            if base is other:
                found = POSITIVE if strict else NONNEGATIVE
                r = meet(r, found if c / e > 0 else negated(found))
        return r


def _weight(node: Scalar) -> int:
    return len(node.args) if isinstance(node, Add) else 1


NO_FACTS = Facts()


# --- queries ----------------------------------------------------------------------------------------------------------


def range_of(node: Node, facts: Facts | None = None) -> Range:
    return (facts or NO_FACTS).range(node)


def is_positive(node: Node, facts: Facts | None = None) -> bool | None:
    r = range_of(node, facts)
    return True if r.positive else False if r.nonpositive else None


def is_negative(node: Node, facts: Facts | None = None) -> bool | None:
    r = range_of(node, facts)
    return True if r.negative else False if r.nonnegative else None


def is_nonnegative(node: Node, facts: Facts | None = None) -> bool | None:
    r = range_of(node, facts)
    return True if r.nonnegative else False if r.negative else None


def is_zero(node: Node, facts: Facts | None = None) -> bool | None:
    r = range_of(node, facts)
    return True if r.point == 0 else False if r.without_zero else None


def is_nonzero(node: Node, facts: Facts | None = None) -> bool | None:
    zero = is_zero(node, facts)
    return None if zero is None else not zero


def is_integer(node: Node, facts: Facts | None = None) -> bool | None:
    r = range_of(node, facts)
    if r.integer or (r.point is not None and r.point.denominator == 1):
        return True
    return False if r.point is not None else None


def is_unit(node: Node, facts: Facts | None = None) -> bool | None:
    """Whether 0 < x < 1."""
    r = range_of(node, facts)
    if r.positive and r.high is not None and (r.high < 1 or (r.high == 1 and r.high_open)):
        return True
    if r.nonpositive or (r.low is not None and r.low >= 1):
        return False
    return None


# --- matrices ---------------------------------------------------------------------------------------------------------


def _has(array: Array, fact: str) -> bool | None:
    return True if fact in matrix_facts(array, NO_FACTS) else None


def is_symmetric(array: Array) -> bool | None:
    return _has(array, "symmetric")


def is_orthogonal(array: Array) -> bool | None:
    return _has(array, "orthogonal")


def is_diagonal(array: Array) -> bool | None:
    return _has(array, "diagonal")


def is_lower(array: Array) -> bool | None:
    """Whether a matrix is lower triangular."""
    return _has(array, "lower")


def is_invertible(array: Array) -> bool | None:
    return _has(array, "invertible")


def is_psd(array: Array, facts: Facts | None = None) -> bool | None:
    """Whether a matrix is positive semidefinite: by its facts, or as a sum of terms that are."""
    return matrices.is_psd(array, facts or NO_FACTS, NO_FACTS)


def is_spd(array: Array, facts: Facts | None = None) -> bool | None:
    """Whether a matrix is symmetric positive definite: a sum of squares with one definite term at least."""
    return matrices.is_spd(array, facts or NO_FACTS, NO_FACTS)


# --- ranges of nodes --------------------------------------------------------------------------------------------------


def _needs(node: Node) -> Sequence[Node]:
    if isinstance(node, Index):
        return (node.size,)
    if isinstance(node, Entry):
        return (node.array,)
    if isinstance(node, Where):
        return ()
    if isinstance(node, Sum | Fold):
        return (node.body, *(i.size for i in node.indices))
    if isinstance(node, Compare | Logic | Recurrence | Operator | Delta):
        return ()
    return node.args  # type: ignore[no-any-return]


def _range_num(facts: Facts, node: Num) -> Range:
    if node.rational is not None:
        return Range(node.rational, node.rational, integer=node.rational.denominator == 1, nonzero=node.rational != 0)
    if node.value == "pi":
        return Range(Fraction(314, 100), Fraction(315, 100), True, True)
    if node.value == "e":
        return Range(Fraction(271, 100), Fraction(272, 100), True, True)
    return Range(Fraction(10**12), None) if node.value == "inf" else ALL


def _range_index(facts: Facts, node: Index) -> Range:
    high = facts.memo[node.size].high
    return Range(ZERO, None if high is None else high - 1, integer=True)


def _range_var(facts: Facts, node: Var) -> Range:
    row = DOMAINS.get(node.domain)
    if row is None:
        return ALL
    high, high_open = row.high, row.open
    if node.domain == "label" and node.domain_args:
        top = NO_FACTS.range(node.domain_args[0]).high
        high, high_open = (None if top is None else top - 1), False
    low_open = row.open and row.low is not None
    return Range(row.low, high, low_open, high_open and high is not None, row.integer)


def _range_entry(facts: Facts, node: Entry) -> Range:
    r = facts.memo[node.array]
    if len(node.indices) >= 2 and node.indices[-1] is node.indices[-2]:
        known = matrix_facts(node.array, NO_FACTS)
        if known & {"spd", "lower"}:
            return meet(r, POSITIVE)
        if "psd" in known:
            return meet(r, NONNEGATIVE)
        if "skew" in known:
            return Range(ZERO, ZERO, integer=True)
    return r


def _range_operation(facts: Facts, node: Operation) -> Range:
    row = OPERATIONS.get(node.name)
    if row is None:
        return ALL
    r = interval(row.range)
    inside = [a for a in node.operands if isinstance(a, Array)]
    if inside and row.facts.get("spd") == "positive" and "spd" in matrix_facts(inside[0], NO_FACTS):
        r = meet(r, POSITIVE)
    if node.name == "cumsum" and inside:
        below = facts.memo[inside[0]]
        r = meet(r, POSITIVE if below.positive else NONNEGATIVE if below.nonnegative else ALL)
    return r


def _range_add(facts: Facts, node: Add) -> Range:
    r = Range(ZERO, ZERO, integer=True)
    for a in node.args:
        r = range_sum(r, facts.memo[a])
    return r


def _range_mul(facts: Facts, node: Mul) -> Range:
    r = Range(ONE, ONE, integer=True, nonzero=True)
    for a in node.args:
        r = range_product(r, facts.memo[a])
    return r


def _range_fn(facts: Facts, node: Fn) -> Range:
    return function_range(node.name, [facts.memo[a] for a in node.args])


def _range_sum(facts: Facts, node: Sum) -> Range:
    r = facts.memo[node.body]
    if _is_simplex_sum(node):
        return Range(ONE, ONE, integer=True, nonzero=True)
    for i in node.indices:
        size = facts.memo[i.size]
        r = range_product(replace(r, nonzero=False), size) if r.nonnegative or r.nonpositive or size.point else (
            Range(integer=r.integer)
        )  # fmt: skip
    if r.low == 0 and facts.memo[node.body].positive and all(facts.memo[i.size].positive for i in node.indices):
        r = meet(r, POSITIVE)
    return r


def _is_simplex_sum(node: Sum) -> bool:
    body = node.body
    if not isinstance(body, Entry) or len(node.indices) != 1 or body.indices[-1] is not node.indices[0]:
        return False
    array = body.array
    simple = isinstance(array, Var) and array.domain in ("simplex", "onehot")
    return simple or (isinstance(array, Operation) and array.name == "softmax")


def _range_fold(facts: Facts, node: Fold) -> Range:
    r = facts.memo[node.body]
    if node.kind != "prod":
        return r
    if r.nonnegative:
        below = r.high is not None and r.high <= 1
        above = r.low is not None and r.low >= 1
        low = ONE if above else ZERO
        return Range(low, ONE if below else None, not above and r.positive, False, r.integer, r.without_zero)
    return Range(integer=r.integer, nonzero=r.without_zero)


def _range_where(facts: Facts, node: Where) -> Range:
    condition, a, b = node.args
    yes = facts.with_assumption(condition) if len(facts.assumptions) < 8 else facts
    no = facts.with_assumption(logic("not", condition)) if len(facts.assumptions) < 8 else facts
    return join(yes.range(a), no.range(b))


def _range_apply(facts: Facts, node: Operator) -> Range:
    """An unknown function has the range that it was declared with, an integral the sign of what is integrated."""
    if node.name == "integral":
        return _range_integral(facts, *node.operands)
    if node.name == "apply":
        for word in node.attrs[1:]:
            if isinstance(word, str) and word in DOMAINS:
                row = DOMAINS[word]
                return Range(row.low, row.high, row.open and row.low is not None, row.open and row.high is not None)
    if node.name in _NONNEGATIVE_OPERATORS and not (node.attrs and node.attrs[0] == "law"):
        return NONNEGATIVE if node.name != "Var" or not node.shape else ALL
    return ALL


def _range_integral(facts: Facts, body: Array, low: Array, high: Array) -> Range:
    """What is integrated from left to right gives its sign."""
    first, last = (end.body if isinstance(end, Tensor) else None for end in (low, high))
    apart = last is INF or first is neg(INF)
    if not apart:
        left, right = facts.range(low), facts.range(high)
        if left.high is None or right.low is None or right.low < left.high or first is INF or last is neg(INF):
            return ALL
        apart = right.low > left.high or right.low_open or left.high_open
    f = facts.range(body)
    if f.positive and apart:
        return POSITIVE
    return NONNEGATIVE if f.nonnegative else Range(None, ZERO) if f.nonpositive else ALL


def _range_pow(facts: Facts, node: Pow) -> Range:
    return range_power(facts.memo[node.base], facts.memo[node.exponent])


_RANGES: dict[type[Node], Callable[[Facts, Any], Range]] = {
    Num: _range_num,
    Dim: lambda facts, node: Range(ONE, None, integer=True, nonzero=True),
    Index: _range_index,
    Var: _range_var,
    Tensor: lambda facts, node: facts.memo[node.body],
    Operation: _range_operation,
    Operator: _range_apply,
    Entry: _range_entry,
    Add: _range_add,
    Mul: _range_mul,
    Pow: _range_pow,
    Fn: _range_fn,
    Sum: _range_sum,
    Fold: _range_fold,
    Delta: lambda facts, node: Range(ZERO, ONE, integer=True),
    Where: _range_where,
    Expect: lambda facts, node: replace(facts.memo[node.body], integer=False, nonzero=False),
}
