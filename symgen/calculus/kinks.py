"""Kinks of norms and of roots of squares: there the subgradient 0 is taken, in numbers as in words.

The gradient of |w| is printed as w/|w|, its condition beside it. At w = 0 that is 0/0: what is computed has the norm
replaced by infinity where it is 0, so that 1/|w| is 0 there. Only quotients that differentiation brought in are guarded:
x/|x|, written by somebody, has no value at 0, and gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from fractions import Fraction

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.rules import definition_of
from symgen.derivation.derivation import Trace
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    INF,
    ZERO,
    Add,
    Array,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    compare,
    num,
    open_sum,
    open_tensor,
    power,
    replace_arrays,
    sub,
    substitute,
    topological,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_positive, is_psd
from symgen.tensor.functions import FUNCTIONS

MOST_BRANCHES = 24


def is_smooth_zero(body: Scalar, facts: Facts | None = None, depth: int = 12) -> bool:
    """Whether `body` is 0 at least, and changes by second order where it is 0, by its form: a sum of squares, x'Sx."""
    if depth == 0:
        return False
    if isinstance(body, Entry):
        opened = _opened(body)
        return opened is not body and is_smooth_zero(opened, facts, depth - 1)
    if isinstance(body, Pow):
        e = body.exponent.value if isinstance(body.exponent, Num) else None
        if e is None or isinstance(e, str) or e <= 0:
            return False
        return (e.denominator == 1 and e % 2 == 0) or is_smooth_zero(body.base, facts, depth - 1)
    if isinstance(body, Mul):
        rest = [f for f in body.args if not is_smooth_zero(f, facts, depth - 1)]
        return len(rest) < len(body.args) and all(is_positive(f, facts) for f in rest)
    if isinstance(body, Add):
        return all(is_smooth_zero(t, facts, depth - 1) for t in body.args)
    if isinstance(body, Sum):
        return is_smooth_zero(body.body, facts, depth - 1) or _is_form(body)
    return isinstance(body, Fn) and body.name == "abs"


def tell_kinks(node: Node, trace: Trace, facts: Facts | None = None) -> None:
    """Notes where a node is not differentiable: at the kinks of a function, where a root is 0, between pieces."""
    if isinstance(node, Fn):
        row = FUNCTIONS.get(node.name)
        if row is not None and row.kinks:
            said = f"`{node.name}({', '.join(row.arguments[: len(node.args)])})`"
            trace.kink(f"{said} is differentiated where {' or '.join(row.kinks)}; elsewhere the subgradient 0 is taken")
    elif isinstance(node, Where):
        trace.kink("piecewise values are differentiated within their pieces")
    elif isinstance(node, Pow) and is_root(node.exponent) and not is_positive(node.base, facts):
        kind = "norms and roots of squares" if is_smooth_zero(node.base, facts) else "roots"
        trace.kink(f"{kind} are differentiated where what stands under them is not 0")


def ties_last(node: Fn) -> bool:
    """Whether two arguments of a function that chooses between them may be equal on an open set: max(relu(x), x)."""
    row = FUNCTIONS.get(node.name)
    if row is None or row.tied is None or len(node.args) != 2:
        return False
    left, right = (_opened(a) for a in node.args)
    todo, seen = [sub(left, right)], 0
    while todo:
        difference = todo.pop()
        seen += 1
        kinked = next((n for n in _surface(difference) if _branches(n)), None)
        if kinked is None or seen > MOST_BRANCHES:
            if simplify_scalar(difference) is ZERO:
                return True
            continue
        todo += [replace_scalars(difference, {kinked: b}) for b in _branches(kinked)]
    return False


def _branches(n: Node) -> tuple[Scalar, ...]:
    """What a function with kinks is between them; nothing for others."""
    if isinstance(n, Fn) and n.name in FUNCTIONS and FUNCTIONS[n.name].kinks:
        n = definition_of(n) or n
    return n.args[1:] if isinstance(n, Where) else ()  # type: ignore[no-any-return]


def _surface(root: Scalar) -> Iterator[Node]:
    """The nodes outside of binders and definitions, children first."""
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif not node.is_array_node and not isinstance(node, (Sum, Fold, Expect)):
            stack.append((node, True))
            stack.extend((a, False) for a in node.args)


def is_root(exponent: Node) -> bool:
    """Whether a power has no derivative at 0, though it has a value there."""
    return isinstance(exponent, Num) and not isinstance(exponent.value, str) and 0 < exponent.value < 1


def _opened(body: Scalar) -> Scalar:
    """What an entry stands for."""
    for _ in range(8):
        if not (isinstance(body, Entry) and isinstance(body.array, Tensor)):
            break
        body = open_tensor(body.array, body.indices)
    return body


def _is_form(node: Sum) -> bool:
    """Whether a sum is u'Su for a positive semidefinite S."""
    factors, indices = _factors(node)
    for f in factors:
        if not isinstance(f, Entry) or len(f.indices) < 2:
            continue
        i, j = f.indices[-2:]
        if i is j or i not in indices or j not in indices or not is_psd(f.array):
            continue
        rest = [g for g in factors if g is not f]
        left = [g for g in rest if i in g.free]
        right = [g for g in rest if j in g.free]
        if len(left) + len(right) == len(rest) and sorted(g.serial for g in right) == sorted(
            substitute(g, {i: j}).serial for g in left
        ):
            return True
    return False


def _factors(node: Scalar) -> tuple[list[Scalar], list[Index]]:
    """The factors of a sum of a product, nested ones and products of matrices without a name opened."""
    factors: list[Scalar] = []
    bound: list[Index] = []
    stack = [node]
    while stack and len(factors) < 12:
        x = stack.pop()
        if isinstance(x, Sum):
            body, indices = open_sum(x)
            bound.extend(indices)
            stack.append(body)
        elif isinstance(x, Mul):
            stack.extend(x.args)
        elif isinstance(x, Entry) and isinstance(x.array, Tensor) and isinstance(x.array.body, (Sum, Mul)):
            stack.append(open_tensor(x.array, x.indices))
        else:
            factors.append(x)
    return factors, bound


def _root_below(node: Node, facts: Facts | None) -> Scalar | None:
    """b, where `node` is b^(-q), q no integer, and b has a kink under a root."""
    if not isinstance(node, Pow) or not isinstance(node.exponent, Num) or isinstance(node.exponent.value, str):
        return None
    e = node.exponent.value
    if e >= 0:
        return None
    inside = _opened(node.base)
    if isinstance(inside, Pow) and isinstance(inside.exponent, Num) and not isinstance(inside.exponent.value, str):
        if inside.exponent.value.denominator > 1:
            e, inside = e * inside.exponent.value, inside.base
    elif isinstance(inside, Fn) and inside.name == "abs":
        return inside if e.numerator % 2 else None
    if e.denominator == 1 or not is_smooth_zero(inside, facts):
        return None
    return inside


def _roots_below(arrays: Iterable[Array], facts: Facts | None) -> Iterator[tuple[Pow, frozenset[Var]]]:
    for node in walk(*arrays):
        b = _root_below(node, facts)
        if b is not None:
            yield node, variables_of(b)


def note_kinks(trace: Trace, f: Array, results: Iterable[Array], facts: Facts | None = None) -> None:
    """Notes which roots stand below a bar in the derivatives `results` of `f` that did not in `f`."""
    brought, own = trace.brought_in, trace.poles
    own.update(key for _, key in _roots_below((f,), facts) if key not in brought)
    new = {key for _, key in _roots_below(results, facts)} - own
    brought.update(new)
    if new:
        trace.condition("where a norm or a root of squares is 0, the subgradient 0 is taken")


def guarded(
    array: Array, trace: Trace, facts: Facts | None = None, names: MutableMapping[Array, str] | None = None
) -> tuple[Array, Mapping[Array, Array]]:
    """`array` with 1/|w| = 0 at w = 0 wherever differentiation brought it in, and what each new array was.

    `names` gets the names of the new arrays.
    """
    keys = trace.brought_in
    guards: dict[Node, Node] = {}
    if keys:
        for node, key in list(_roots_below((array,), facts)):
            if key in keys:
                guards[node] = _with_guard(node, guards)
    if not guards:
        return array, {}
    was: dict[Array, Array] = {}
    for a in topological(array):
        new = replace_arrays(a, guards)  # type: ignore[arg-type]
        if new is not a:
            was[new] = a
            if names is not None and a in names:
                names.setdefault(new, names[a])
    return replace_arrays(array, guards), was  # type: ignore[arg-type]


def _with_guard(node: Pow, guards: Mapping[Node, Node]) -> Scalar:
    """b^(-k/q) as r^-k, r the root of b, infinite where it is 0."""
    base = replace_arrays(node.base, guards)  # type: ignore[arg-type]
    exponent = node.exponent
    assert isinstance(exponent, Num) and isinstance(exponent.value, Fraction)
    root = power(base, num(Fraction(1, exponent.value.denominator)))
    return power(where(compare("==", root, ZERO), INF, root), num(exponent.value.numerator))


__all__ = ["guarded", "is_root", "is_smooth_zero", "note_kinks", "tell_kinks"]
