"""Collecting, as people write results: X'(p - y)/n for X'p/n - X'y/n, one `where` for two halves, sums of p as 1.

Nothing is expanded here; each rule makes an expression shorter or leaves it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from fractions import Fraction
from functools import cache
from itertools import permutations
from typing import Any

from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Delta,
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
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    arrays_below,
    as_coefficient,
    count_nodes,
    entry,
    is_larger,
    logic,
    mul,
    num,
    open_sum,
    open_tensor,
    rebuild,
    replace_arrays,
    substitute,
    tensor,
    total,
    walk,
    where,
)
from symgen.tensor.facts import is_symmetric

MAX_TERMS = 64
MAX_READ = 600  # nodes of an expression that rules look into


_lengths: dict[Scalar, int] = {}


def written_length(node: Scalar) -> int:
    """How long an expression is as people write it: leaves, operations and signs counted, arrays as one.

    What is shared is written as often as it stands; an expression too large to be read is as long as its nodes.
    """
    found = _lengths.get(node)
    if found is None:
        if is_larger(node, MAX_READ):
            found = _lengths[node] = count_nodes(node)
            return found
        stack = [node]
        while stack:  # parts first, so that no call goes deep
            x = stack[-1]
            waiting = [a for a in x.args if a not in _lengths and not a.is_array_node and a.args]
            if waiting:
                stack.extend(waiting)
            else:
                _lengths[x] = _length(x)
                stack.pop()
        found = _lengths[node]
    return found


def _length(node: Scalar) -> int:
    kind = type(node)
    if kind is Add:
        return sum(written_length(t) for t in node.args) + len(node.args) - 1
    if kind is Mul:
        first = node.args[0]
        rest = node.args[1:] if first is MINUS_ONE else node.args
        bracket = len(rest) == 1 and type(rest[0]) is Add  # -(a + b)
        return sum(written_length(t) for t in rest) + len(rest) - (first is not MINUS_ONE) + bracket
    if kind is Pow:
        if type(node.args[0]) is Sum and _is_root(node.args[1]) and type(node.args[0].body) is Pow:
            return 2 if node.args[1] is HALF else 3  # a norm, or a power of one
        if node.args[1] is MINUS_ONE or node.args[1] is HALF:
            return 1 + written_length(node.args[0])
        return 1 + written_length(node.args[0]) + written_length(node.args[1])
    if kind is Fn:
        return 1 + sum(written_length(a) for a in node.args)
    if kind is Sum or kind is Fold or kind is Expect:
        return 2 + written_length(node.body)
    if kind is Where:
        return 3 + written_length(node.args[1]) + written_length(node.args[2])
    if kind is Num and isinstance(node.value, Fraction):
        return 1 if node.value.denominator == 1 else 2
    return 1


def _is_root(e: Scalar) -> bool:
    return type(e) is Num and isinstance(e.value, Fraction) and e.value.denominator == 2


def with_scalars_open(body: Scalar, named: Container[Array]) -> Scalar:
    """`body` with numbers that have no name written out, so that they may cancel: (1 + |w|) - |w|."""
    if is_larger(body, MAX_READ) or not any(is_written_out(a, named) for a in arrays_below(body)):
        return body
    opened: dict[Array, Array | Callable[..., Scalar]] = {}
    found = False
    for array in arrays_on_surface(body, named):
        if is_written_out(array, named):
            inner: Scalar = replace_arrays(array.body, opened)
            opened[array] = lambda *_, inner=inner: inner
            found = True
        else:
            opened[array] = array  # stays, with all that it is made from
    return replace_arrays(body, opened) if found else body  # type: ignore[no-any-return]


def with_numbers_out(root: Array, named: Container[Array]) -> Array:
    """`root` with the numbers that its nameless arrays are multiplied by drawn out, so that they meet: 2 (u/2) is u."""
    moved: dict[Array, Array | Callable[..., Scalar]] = {}
    for a in walk(root):
        if type(a) is Tensor and a is not root and a in named:
            moved[a] = a  # stays, with all that it is made from
        if type(a) is not Tensor or a is root or a in named or type(a.body) is not Mul:
            continue
        factor = a.body.args[0]
        if type(factor) is Num and factor is not MINUS_ONE:
            rest = replace_arrays(tensor(a.axes, mul(*a.body.args[1:])), moved)
            moved[a] = lambda *indices, factor=factor, rest=rest: mul(factor, entry(rest, *indices))
    return replace_arrays(root, moved) if any(map(callable, moved.values())) else root  # type: ignore[no-any-return]


def is_written_out(array: Array, named: Container[Array]) -> bool:
    """Whether an array is one number, which may stand at many places, without a name."""
    return isinstance(array, Tensor) and not array.body.free and array not in named


def arrays_on_surface(body: Scalar, named: Container[Array]) -> list[Array]:
    """The arrays that are read in `body` with its nameless numbers written out, each after those that it is made from."""
    out: list[Array] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(body, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            out.append(node)
        elif node not in seen:
            seen.add(node)
            if isinstance(node, Array):
                stack.append((node, True))
                if not is_written_out(node, named):
                    continue
            stack.extend((a, False) for a in node.args if a not in seen)
    return out


# --- sums with common factors -----------------------------------------------------------------------------------------


def with_both_ways_joined(node: Scalar, named: Container[Array]) -> Scalar:
    """R + R' of a sum R without a name, its terms that are their own transposes joined: 2 Z Z' - A - A'."""
    if is_larger(node, MAX_READ):
        return node
    kind = type(node)
    if kind is Sum:
        body, indices = open_sum(node)
        new = with_both_ways_joined(body, named)
        return node if new is body else total(new, indices)
    if kind is Mul:
        parts = [with_both_ways_joined(a, named) if type(a) in (Add, Sum) else a for a in node.args]
        return node if all(x is y for x, y in zip(parts, node.args, strict=True)) else mul(*parts)
    if kind is not Add:
        return node
    opened: list[Scalar] = []
    ways: dict[Array, set[Any]] = {}
    count = 0
    for c, base in map(as_coefficient, node.args):
        array = base.array if type(base) is Entry and len(base.indices) == 2 else None
        if type(array) is Tensor and array not in named and type(array.body) is Add and not is_symmetric(array):
            ways.setdefault(array, set()).add(base.indices)
            base = open_tensor(array, base.indices)
        opened.append(mul(num(c), base))
        count += len(base.args) if type(base) is Add else 1
    if all(len(w) < 2 for w in ways.values()):
        return node
    joined = add(*(mul(num(c), t) for o in opened for c, b in [as_coefficient(o)] for t in (b.args if type(b) is Add else (b,))))
    return joined if type(joined) is not Add or len(joined.args) < count else node


def collect_common(node: Scalar) -> Scalar:
    """Sums over the same indices that share factors are joined where that is shorter: X'p/n - X'y/n is X'(p - y)/n."""
    if is_larger(node, MAX_READ):
        return node
    if type(node) is Mul:
        new = [collect_common(a) if type(a) is Add else a for a in node.args]
        return node if all(x is y for x, y in zip(new, node.args, strict=True)) else mul(*new)
    if type(node) is not Add or len(node.args) > MAX_TERMS:
        return node
    terms = [ordered(t) for t in node.args]
    if any(t is not u for t, u in zip(terms, node.args, strict=True)):
        node = add(*terms)
        if type(node) is not Add:
            return node
    return common_factor(_by_scalar(_joined_sums(node)))


def _by_scalar(node: Scalar) -> Scalar:
    """Terms that share a sum that is one number stand together: |x|^2 (A + A') x for |x|^2 A x + |x|^2 A' x."""
    if type(node) is not Add or not 3 <= len(node.args) <= MAX_TERMS:
        return node
    groups: dict[Scalar, list[Scalar]] = {}
    for t in node.args:
        for f in t.args if type(t) is Mul else ():
            if type(f) is Sum and not f.free:
                groups.setdefault(f, []).append(t)
    for f, terms in groups.items():
        if 2 <= len(terms) < len(node.args):
            inner = add(*(mul(*(g for g in t.args if g is not f)) for t in terms))
            joined = _joined_sums(inner) if type(inner) is Add else inner
            made = add(*(t for t in node.args if t not in terms), mul(f, common_factor(joined)))
            if written_length(made) < written_length(node):
                return made
    return node


def common_factor(node: Scalar) -> Scalar:
    """a b + a c is a (b + c); a rational number or a sign goes out where all terms share it."""
    if type(node) is not Add or len(node.args) > MAX_TERMS:
        return node
    parts = [as_coefficient(t) for t in node.args]
    factors = [list(b.args) if type(b) is Mul else [b] for _, b in parts]
    common = [f for f in factors[0] if f is not ONE and all(f in g for g in factors[1:])]
    scale = parts[0][0]
    if any(abs(c) != abs(scale) for c, _ in parts) or abs(scale) == 1:
        scale = Fraction(1)
    else:
        scale = abs(scale)
    if not common and scale == 1:
        return node
    on_diagonal = [any(type(f) is Delta for f in g) for g in factors]
    if any(on_diagonal) and not all(on_diagonal):  # diag(p) - p p', not (I - 1 p') diag(p)
        return node
    left = [mul(num(c / scale), *(f for f in g if f not in common)) for (c, _), g in zip(parts, factors, strict=True)]
    rest = add(*left)
    made = mul(num(scale), *common, rest)
    return made if written_length(made) < written_length(node) else node


def ordered(node: Scalar) -> Scalar:
    """A sum over several indices with these in an order that depends on how they are used."""
    if type(node) is Mul:
        new = [ordered(a) if type(a) is Sum else a for a in node.args]
        return node if all(x is y for x, y in zip(new, node.args, strict=True)) else mul(*new)
    if type(node) is not Sum or len(node.indices) < 2:
        return node
    uses: dict[Index, list[tuple[Any, ...]]] = {i: [] for i in node.indices}
    stack = [node.body]
    while stack:
        x = stack.pop()
        if type(x) is Entry:
            front = tuple(i.serial if i not in uses else -1 for i in x.indices)
            for k, i in enumerate(x.indices):
                if i in uses:
                    uses[i].append((x.array.serial, k, front))
        elif not x.is_array_node:
            stack.extend(x.args)
    order = sorted(node.indices, key=lambda i: (i.size.serial, sorted(uses[i]), i.number))
    return node if tuple(order) == node.indices else total(node.body, order)


def _joined_sums(node: Scalar) -> Scalar:
    """Terms c Sum(u v) and c Sum(u w) with the same outer factors become c Sum(u (v + w)), if they share a factor."""
    groups: dict[tuple[frozenset[Scalar], tuple[Any, ...]], list[tuple[Fraction, Scalar]]] = {}
    rest: list[Scalar] = []
    for term in node.args:
        c, base = as_coefficient(term)
        factors = list(base.args) if type(base) is Mul else [base]
        sums = [f for f in factors if type(f) is Sum]
        if len(sums) != 1:
            rest.append(term)
            continue
        outer = frozenset(f for f in factors if f is not sums[0])
        key = tuple(i.size for i in sums[0].indices)
        groups.setdefault((outer, key), []).append((c, sums[0]))
    made: list[Scalar] = []
    for (outer, _), members in groups.items():
        if len(members) == 1:
            made.extend(mul(num(c), *outer, s) for c, s in members)
        else:
            made.append(mul(*outer, *_join(members)))
    joined = add(*rest, *made)
    return joined if written_length(joined) < written_length(node) else node


def _join(members: Sequence[tuple[Fraction, Scalar]]) -> list[Scalar]:
    """One sum of all members over the indices of the first, its common factors in front."""
    first, indices = open_sum(members[0][1])
    bodies = [(members[0][0], first)]
    for c, s in members[1:]:
        bodies.append((c, _most_alike(s, indices, first)))
    factors = [dict.fromkeys(b.args if type(b) is Mul else (b,)) for _, b in bodies]
    common = [f for f in factors[0] if type(f) is not Num and all(f in g for g in factors[1:])]
    if not common:
        pieces = merged_pieces(add(*(mul(num(c), b) for c, b in bodies)))
        if type(pieces) is Where:  # the same condition in all
            return [total(pieces, indices)]
        return [add(*(mul(num(c), s) for c, s in members))]
    left = [mul(*(f for f in g if f not in common)) for g in factors]
    if len(frozenset().union(*(x.free for x in left))) > 2 or len({x.free for x in left if x.free}) > 1:
        return [add(*(mul(num(c), s) for c, s in members))]  # what is left is no matrix: A B + B' A has no name
    scales = [c * as_coefficient(b)[0] for c, b in bodies]
    scale = scales[0] if all(abs(s) == abs(scales[0]) for s in scales) else Fraction(1)
    inner = add(*(mul(num(c / scale), *(f for f in g if f not in common)) for (c, _), g in zip(bodies, factors, strict=True)))
    return [num(scale), total(mul(*common, inner), indices)]


def _most_alike(node: Sum, indices: Sequence[Index], first: Scalar) -> Scalar:
    """The body of a sum with its indices named so that it shares the most factors with `first`."""
    wanted = set(first.args if type(first) is Mul else (first,))
    best, most = first, -1
    orders = permutations(indices) if 1 < len(indices) <= 4 else [indices]
    for order in orders:
        if any(i.size is not j.size for i, j in zip(node.indices, order, strict=True)):
            continue
        body = substitute(node.body, dict(zip(node.indices, order, strict=True)))
        shared = sum(f in wanted for f in (body.args if type(body) is Mul else (body,)))
        if shared > most:
            best, most = body, shared
    return best


# --- pieces -----------------------------------------------------------------------------------------------------------


def merged_pieces(node: Scalar) -> Scalar:
    """where(c, a, 0) + where(not c, b, 0) is where(c, a, b); equal conditions share one `where`."""
    if type(node) is not Add:
        return node
    pieces: dict[Scalar, tuple[Scalar, Scalar]] = {}
    rest: list[Scalar] = []
    count = 0
    for term in node.args:
        c, base = as_coefficient(term)
        factors = base.args if type(base) is Mul else (base,)
        found = [f for f in factors if type(f) is Where]
        if len(found) != 1 or len(factors) > 1 or ZERO not in found[0].args[1:]:
            rest.append(term)
            continue
        count += 1
        condition, a, b = found[0].args
        a, b = mul(num(c), a), mul(num(c), b)
        if condition not in pieces and (other := _negated(condition)) in pieces:
            condition, a, b = other, b, a
        x, y = pieces.get(condition, (ZERO, ZERO))
        pieces[condition] = (add(x, a), add(y, b))
    if len(pieces) == count:
        return node
    return add(*rest, *(where(c, a, b) for c, (a, b) in pieces.items()))


def _negated(condition: Scalar) -> Scalar:
    return logic("not", condition) if isinstance(condition, (Compare, Logic)) else condition


# --- facts of arrays --------------------------------------------------------------------------------------------------


def is_stochastic(array: Array) -> bool:
    """Whether the entries along the last axis sum to 1: simplex and onehot variables, a softmax."""
    if isinstance(array, Var):
        return array.domain in ("simplex", "onehot")
    return isinstance(array, Operation) and array.name == "softmax"


def sum_to_one(node: Scalar) -> Scalar:
    """sum[k](p[.., k]) is 1 where p is a distribution along its last axis."""
    if type(node) is not Sum or type(node.body) is not Entry:
        return node
    inside = node.body
    last = inside.args[-1] if len(inside.args) > 1 else None
    if last not in node.indices or not is_stochastic(inside.array):
        return node
    if any(last in i.free for i in inside.indices[:-1]) or last.size is not inside.array.shape[-1]:
        return node
    return total(ONE, [i for i in node.indices if i is not last])


@cache
def _symmetric(array: Array) -> bool:
    return array.rank >= 2 and bool(is_symmetric(array))


def symmetric_entries(node: Scalar, used: list[Array] | None = None) -> Scalar:
    """Entries of symmetric matrices with their last two indices in one order, so that S and S' are one."""
    memo: dict[Scalar, Scalar] = {}
    if is_larger(node, MAX_READ):
        return node

    def of(x: Scalar) -> Scalar:
        found = memo.get(x)
        if found is None:
            found = memo[x] = step(x)
        return found

    def step(x: Scalar) -> Scalar:
        kind = type(x)
        if kind is Entry:
            turned = orientation(x)
            if turned is not x and used is not None and x.array not in used:
                used.append(x.array)
            return turned
        if kind is Sum:
            body = of(x.body)
            return x if body is x.body else total(body, x.indices)
        if kind in (Add, Mul, Pow):
            new = [of(a) for a in x.args]
            return x if all(a is b for a, b in zip(new, x.args, strict=True)) else rebuild(x, new)
        return x

    return of(node)


def orientation(x: Scalar) -> Scalar:
    """The entry of a symmetric matrix with its last two indices in order; any other entry as it is."""
    if len(x.args) > 2:
        *front, i, j = x.args
        if rank_of(j) < rank_of(i) and _symmetric(x.array):
            return rebuild(x, [*front, j, i])  # type: ignore[no-any-return]
    return x


def rank_of(index: Scalar) -> tuple[int, str, int]:
    if isinstance(index, Index):
        return (0 if index.kind == "a" else 1 if index.kind == "u" else 2, index.kind, index.number)
    return (3, "", index.serial)


__all__ = [
    "collect_common", "common_factor", "is_stochastic", "merged_pieces", "orientation", "rank_of", "sum_to_one",
    "symmetric_entries", "written_length",
]  # fmt: skip
