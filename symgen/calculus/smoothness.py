"""Lipschitz constants of a function and of its gradient, from the form of the derivatives, for all values of the variable.

`smoothness(f, w)` is a number that no eigenvalue of the Hessian exceeds in size: each term of it is c A' diag(v) A with
v between two numbers, c diag(v), or free of w; A' diag(v) A lies within max|v| |A|^2, |A| the spectral norm.
`lipschitz(f, w)` is one that the length of the gradient does not exceed: |A' v| <= max|v| sum_k |A_k|. What has another
form, or no bound, is refused. Boyd and Vandenberghe (2004), 9.1.2; Bubeck (2015), 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from symgen.calculus.gradient import gradient, jacobian
from symgen.calculus.growth import Growth
from symgen.calculus.growth import spectral as spectral_of
from symgen.calculus.hessian import hessian
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    HALF,
    ONE,
    TWO,
    Add,
    Array,
    Delta,
    Entry,
    Expect,
    Fn,
    Index,
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
    add,
    as_coefficient,
    axis,
    depends_on,
    entry,
    fn,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operation,
    operator,
    power,
    sub,
    tensor,
    total,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, range_of
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.sample import complete_point, generator, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive, InternalError

HERE = "symgen/calculus/smoothness.py"
HIGHEST = 6  # degree of a polynomial whose extremes are looked for
POINTS = 4
CONTINUOUS = frozenset(("softmax", "log_softmax", "logsumexp"))
Polynomial = list[Fraction]


class _Bounds:
    """What the values of expressions in x stay below in size, whatever x is."""

    def __init__(self, x: Var, facts: Facts | None) -> None:
        self.x, self.facts = x, facts

    def refused(self, node: Scalar, why: str) -> CannotDerive:
        return CannotDerive(f"no bound of this is known for all `{self.x.name}`: {why}", node, HERE)

    def moves(self, node: Scalar) -> bool:
        return depends_on(node, self.x)

    def opened(self, node: Scalar) -> Scalar:
        """`node` with what depends on x written out, as far as its sums, products and powers go."""
        while isinstance(node, Entry) and isinstance(node.array, Tensor) and self.moves(node):
            node = open_tensor(node.array, node.indices)
        if not self.moves(node):
            return node
        if isinstance(node, Add):
            return add(*map(self.opened, node.args))
        if isinstance(node, Mul):
            return mul(*map(self.opened, node.args))
        if isinstance(node, Pow):
            return power(self.opened(node.base), node.exponent)
        return node

    def magnitude(self, node: Scalar) -> Scalar:
        """|node|, for what is free of x."""
        r = range_of(node, self.facts)
        return node if r.nonnegative else neg(node) if r.nonpositive else fn("abs", node)

    def largest(self, node: Scalar) -> Fraction:
        """A number that |node| does not exceed: by its range, or as a polynomial in one bounded function."""
        node = self.opened(node)
        r = range_of(node, self.facts)
        found = [] if r.low is None or r.high is None else [max(abs(r.low), abs(r.high))]
        inner = self.of_polynomial(node)
        found += [] if inner is None else [inner]
        if not found:
            raise self.refused(node, "it may grow without end, or its bound has no rule")
        return min(found)

    def of_polynomial(self, node: Scalar) -> Fraction | None:
        """The extreme of a polynomial in one bounded function: 1/4 for p (1 - p)."""
        atoms = list(dict.fromkeys(_atoms(node)))
        r = range_of(atoms[0], self.facts) if len(atoms) == 1 else None
        p = _coefficients(node, atoms[0]) if r is not None else None
        if p is None or r is None or r.low is None or r.high is None or len(p) > HIGHEST + 1:
            return None
        slope = [k * c for k, c in enumerate(p)][1:]
        places = [r.low, r.high]
        for z in np.roots([float(c) for c in reversed(slope)]) if len(slope) > 1 else ():
            t = Fraction(float(z.real)).limit_denominator(1000)
            if abs(z.imag) < 1e-9 and r.low < t < r.high:
                if _at(slope, t) != 0:
                    return None  # an extreme that is no simple fraction
                places.append(t)
        return max(abs(_at(p, t)) for t in places)


def _at(p: Polynomial, t: Fraction) -> Fraction:
    return sum((c * t**k for k, c in enumerate(p)), Fraction(0))


def _atoms(node: Scalar) -> list[Scalar]:
    """What a polynomial is in."""
    if isinstance(node, Num):
        return []
    if isinstance(node, (Add, Mul)):
        return [a for part in node.args for a in _atoms(part)]
    if isinstance(node, Pow) and isinstance(node.exponent, Num):
        return _atoms(node.base)
    return [node]


def _coefficients(node: Scalar, atom: Scalar) -> Polynomial | None:
    if node is atom:
        return [Fraction(0), Fraction(1)]
    if isinstance(node, Num):
        return None if isinstance(node.value, str) else [node.value]
    if isinstance(node, Pow) and isinstance(node.exponent, Num) and node.exponent.value in range(2, HIGHEST + 1):
        base = _coefficients(node.base, atom)
        return None if base is None else _product([base] * int(node.exponent.value))
    if not isinstance(node, (Add, Mul)):
        return None
    parts = [_coefficients(a, atom) for a in node.args]
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    if isinstance(node, Mul):
        return _product(known)
    return [sum((p[k] for p in known if k < len(p)), Fraction(0)) for k in range(max(map(len, known)))]


def _product(parts: Sequence[Polynomial]) -> Polynomial:
    out: Polynomial = [Fraction(1)]
    for p in parts:
        made = [Fraction(0)] * (len(out) + len(p) - 1)
        for i, a in enumerate(out):
            for j, b in enumerate(p):
                made[i + j] += a * b
        out = made
    return out


def _terms(node: Scalar) -> Sequence[Scalar]:
    return node.args if isinstance(node, Add) else (node,)


def _factors(node: Scalar) -> list[Scalar]:
    return list(node.args) if isinstance(node, Mul) else [node]


def spectral(matrix: Array) -> Scalar:
    return entry(operation("spectral_norm", (matrix,), ()))


# --- the Hessian ------------------------------------------------------------------------------------------------------


def curvature_bound(bounds: _Bounds, body: Scalar, i: Index, j: Index) -> Scalar:
    """A number that the eigenvalues of a symmetric matrix over (i, j) do not exceed in size."""
    return add(*(_of_term(bounds, t, i, j) for t in _terms(bounds.opened(body))))


def _of_term(bounds: _Bounds, term: Scalar, i: Index, j: Index) -> Scalar:
    outside: list[Scalar] = []
    sums: list[Sum] = []
    values: list[Scalar] = []
    diagonal = False
    for f in _factors(term):
        if isinstance(f, Delta) and f.free == {i, j}:
            diagonal = True
        elif not bounds.moves(f) and f.free.isdisjoint((i, j)):
            outside.append(bounds.magnitude(f))
        elif isinstance(f, Sum) and f.free == {i, j}:
            sums.append(f)
        else:
            values.append(f)
    if diagonal and not sums:
        if any(isinstance(f, Sum) for f in values):
            raise bounds.refused(term, "a sum of it stands on the diagonal")
        return mul(*outside, num(bounds.largest(mul(*values)))) if values else mul(*outside)
    if diagonal or len(sums) > 1 or (sums and values):
        raise bounds.refused(term, "it is no A' diag(v) A")
    if not sums:
        if any(bounds.moves(f) for f in values):
            raise bounds.refused(term, "it is no A' diag(v) A")
        return mul(*outside, spectral(tensor((i, j), mul(*values))))
    return mul(*outside, _of_sum(bounds, sums[0], i, j))


def _of_sum(bounds: _Bounds, node: Sum, i: Index, j: Index) -> Scalar:
    """The bound of sum_k A[k, i] v[k] A[k, j]; of what is free of x, the spectral norm."""
    body, bound = open_sum(node)
    factors = _factors(body)
    left = mul(*(f for f in factors if i in f.free))
    right = mul(*(f for f in factors if j in f.free))
    middle = [f for f in factors if f.free.isdisjoint((i, j))]
    if bounds.moves(left) or bounds.moves(right) or any(i in f.free and j in f.free for f in factors):
        raise bounds.refused(node, "it is no A' diag(v) A")
    square = len(bound) == 1 and _swapped(left, i, j) is right
    if not square:
        if bounds.moves(body):
            raise bounds.refused(node, "it is no A' diag(v) A")
        return spectral(tensor((i, j), node))
    moving = [f for f in middle if bounds.moves(f)]
    fixed = mul(*(f for f in middle if not bounds.moves(f)))
    weight = num(bounds.largest(mul(*moving))) if moving else ONE
    if fixed.free:  # diag(c) A between its square roots
        root = mul(left, *(_root(bounds, f) for f in _factors(fixed)))
    else:
        root, weight = left, mul(weight, bounds.magnitude(fixed))
    return mul(weight, power(spectral(tensor((bound[0], i), root)), TWO))


def _root(bounds: _Bounds, f: Scalar) -> Scalar:
    """r with r^2 = |f|."""
    if isinstance(f, Pow) and isinstance(f.exponent, Num) and f.exponent.rational is not None:
        if f.exponent.rational.denominator == 1 and f.exponent.rational.numerator % 2 == 0:
            return power(f.base, num(f.exponent.rational / 2))
    return power(bounds.magnitude(f), HALF)


def _swapped(node: Scalar, i: Index, j: Index) -> Scalar:
    from_i: Array = tensor((i, *(k for k in sorted(node.free, key=lambda k: k.number) if k is not i)), node)
    others = [k for k in sorted(node.free, key=lambda k: k.number) if k is not i]
    return open_tensor(from_i, (j, *others))


# --- the gradient -----------------------------------------------------------------------------------------------------


def slope_bound(bounds: _Bounds, body: Scalar, i: Index | None) -> Scalar:
    """A number that the length of a vector over i does not exceed."""
    whole = bounds.opened(body)
    if i is not None and i in whole.free and isinstance(whole, Add) and not any(isinstance(n, Sum) for n in walk(whole)):
        try:
            return mul(num(bounds.largest(whole)), power(i.size, HALF))
        except CannotDerive:
            pass  # term by term
    return add(*(_of_slope(bounds, t, i) for t in _terms(bounds.opened(body))))


def _of_slope(bounds: _Bounds, term: Scalar, i: Index | None) -> Scalar:
    here = [f for f in _factors(term) if i is not None and i in f.free]
    rest = [f for f in _factors(term) if f not in here]
    scale = mul(*(bounds.magnitude(f) for f in rest if not bounds.moves(f)))
    if i is not None and not here:  # the same in all its entries
        scale = mul(scale, power(i.size, HALF))
    if any(bounds.moves(f) for f in rest):
        moving = mul(*(f for f in rest if bounds.moves(f)))
        if isinstance(moving, Sum) and not here:
            return mul(scale, _of_weighted_rows(bounds, moving, None))
        scale = mul(scale, num(bounds.largest(moving)))
    if not here:
        return scale
    vector = mul(*here)
    if not bounds.moves(vector):
        return mul(scale, _length(vector, i))
    if len(here) == 1 and isinstance(vector, Sum):
        return mul(scale, _of_weighted_rows(bounds, vector, i))
    if i is not None and not any(isinstance(f, Sum) for f in here):
        fixed = mul(*(f for f in here if not bounds.moves(f)))
        most = num(bounds.largest(mul(*(f for f in here if bounds.moves(f)))))
        return mul(scale, most, _length(fixed, i) if i in fixed.free else power(i.size, HALF))
    raise bounds.refused(term, "it is no A' v")


def _of_weighted_rows(bounds: _Bounds, node: Sum, i: Index | None) -> Scalar:
    """sum_k |A_k| max|v_k| for sum_k A[k, i] v[k]."""
    body, bound = open_sum(node)
    if isinstance(body, Add):
        return add(*(slope_bound(bounds, total(t, bound), i) for t in body.args))
    row = [f for f in _factors(body) if not bounds.moves(f)]
    moving = mul(*(f for f in _factors(body) if bounds.moves(f)))
    if i is not None and i in moving.free:
        raise bounds.refused(node, "it is no A' v")
    return mul(num(bounds.largest(moving)), total(_length(mul(*row), i), bound))


def _length(vector: Scalar, i: Index | None) -> Scalar:
    if i is None or i not in vector.free:
        return fn("abs", vector)
    return power(total(power(vector, TWO), [i]), HALF)


# --- engines ----------------------------------------------------------------------------------------------------------


def _asked(op: Operator) -> tuple[Array, Var]:
    f, x = op.operands
    assert isinstance(f, Array)
    if not isinstance(x, Var) or DOMAINS[x.domain].discrete or x.domain == "onehot":
        raise CannotDerive(f"`{op.name}` is asked in a variable that is a number or an array of numbers", op, HERE)
    return f, x


def _by_parts(op: Operator, ctx: Context, order: int) -> Array | CannotDerive:
    """The bound from the parts of the function, or why there is none."""
    f, x = _asked(op)
    growth = Growth(x, ctx.facts)
    try:
        bound = growth.of(f, order)
    except CannotDerive as error:
        return error
    for part, most, _ in dict.fromkeys(growth.used):
        free = sorted((i for i in part.free if isinstance(i, Index)), key=lambda i: i.serial)
        ctx.trace.add("greatest", tensor(free, part), tensor(free, most), reason=_words(part, most, order))
    quiet = Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline, detail=1)
    slope = gradient(f, [x], quiet, "free")[x]
    derivative = jacobian(slope, x, quiet, "free") if order == 2 else slope
    reason = f"each term of the {'Hessian' if order == 2 else 'gradient'} is bounded, whatever the variable is"
    return _told(op, ctx, bound, derivative, reason)


def _words(part: Scalar, most: Scalar, order: int) -> str:
    if isinstance(part, Entry) or (isinstance(part, Fn) and part.name == "log"):
        return "no eigenvalue of diag(p) - p p' is above this: Boehning (1992)"
    _, part = as_coefficient(part)
    ps = [n for n in walk(part) if isinstance(n, Fn) and n.name == "sigmoid"]
    tops = [f.args[0] for f in _factors(part) if isinstance(f, Fn) and f.name == "exp"]
    if order == 2 and len(tops) == 1 and part is mul(fn("exp", tops[0]), power(add(ONE, fn("exp", tops[0])), num(-2))):
        return "at most this in size: p (1 - p) <= 1/4 for p = e/(1 + e), with equality at p = 1/2"
    if order == 2 and len(ps) == 1 and part is mul(ps[0], sub(ONE, ps[0])):
        return "at most this in size: p (1 - p) <= 1/4, with equality at p = 1/2"
    return "at most this in size, whatever the variable is"


def _breaks(f: Array, x: Var, facts: Facts | None, error: CannotDerive) -> None:
    """Refuses what may jump, or have no value, where its derivative shows nothing of that."""
    if any(depends_on(node, x) and _may_break(node, facts) for node in walk(f)):
        raise error


def _may_break(node: Node, facts: Facts | None) -> bool:
    """Whether a function need not be continuous here: pieces, signs, poles, what is not known."""
    if isinstance(node, (Where, Recurrence, Operator, Expect)):
        return True
    if isinstance(node, Operation):
        return node.name not in CONTINUOUS
    if isinstance(node, Fn):
        row = FUNCTIONS.get(node.name)
        poles = row is not None and row.poles is not None and not range_of(node.args[0], facts).positive
        return row is None or row.internal or poles or node.name in ("sign", "floor")
    if isinstance(node, Pow):
        r = range_of(node.exponent, facts)
        return not r.nonnegative and not range_of(node.base, facts).without_zero
    return False


def smoothness(op: Operator, ctx: Context) -> Array:
    """The engine of `smoothness(f, x)`."""
    f, x = _asked(op)
    found = _by_parts(op, ctx, 2)
    if isinstance(found, Array):
        return found
    _breaks(f, x, ctx.facts, found)
    quiet = Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline, detail=1)
    second = hessian(f, x, quiet, "free")
    if not quiet.trace.is_smooth:
        raise CannotDerive("the gradient jumps at its kinks: no constant bounds its changes", f, HERE)
    bounds = _Bounds(x, ctx.facts)
    if x.rank > 1:
        bound = _of_constant(bounds, second, x, found)
    elif x.rank:
        i, j = axis(0, x.shape[0]), axis(1, x.shape[0])
        bound = curvature_bound(bounds, open_tensor(second, (i, j)), i, j)
    else:
        bound = slope_bound(bounds, open_tensor(second, ()), None)
    ctx.trace.add("hessian", operator("hessian", (f, x), second.shape), second)
    return _told(op, ctx, bound, second, "each term of the Hessian is bounded, whatever the variable is")


def _of_constant(bounds: _Bounds, second: Array, x: Var, error: CannotDerive) -> Scalar:
    """The spectral norm of a Hessian that is the same everywhere, its axes joined."""
    one, other = ([axis(k + x.rank * side, n) for k, n in enumerate(x.shape)] for side in (0, 1))
    body = open_tensor(second, (*one, *other))
    if bounds.moves(body):
        raise error
    parts = [spectral_of(one, other, t) for t in _terms(bounds.opened(body))]
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        raise error
    return add(*known)


def lipschitz(op: Operator, ctx: Context) -> Array:
    """The engine of `lipschitz(f, x)`."""
    f, x = _asked(op)
    found = _by_parts(op, ctx, 1)
    if isinstance(found, Array):
        return found
    _breaks(f, x, ctx.facts, found)
    quiet = Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline, detail=1)
    slope = gradient(f, [x], quiet, "free")[x]
    if x.rank > 1:
        raise found
    bounds = _Bounds(x, ctx.facts)
    i = axis(0, x.shape[0]) if x.rank else None
    bound = slope_bound(bounds, open_tensor(slope, () if i is None else (i,)), i)
    ctx.trace.add("gradient", operator("grad", (f, x), slope.shape), slope)
    return _told(op, ctx, bound, slope, "each term of the gradient is bounded, whatever the variable is")


def _told(op: Operator, ctx: Context, bound: Scalar, derivative: Array, reason: str) -> Array:
    result = tensor((), bound)
    ctx.trace.add("bound", op, result, reason=reason, source="Boyd and Vandenberghe (2004), 9.1.2")
    ctx.trace.note("a bound that holds everywhere: the least one may be smaller")
    ctx.trace.checks.append(lambda: _check(result, derivative, ctx.facts, reason, 2 if op.name == "smoothness" else 1))
    return result


def _check(bound: Array, derivative: Array, facts: Facts | None, reason: str, order: int) -> Evidence:
    """The eigenvalues of the Hessian, the length of the gradient, at random points against the bound."""
    free = variables_of(bound) | variables_of(derivative)
    sizes = sizes_in([bound, derivative], free)
    rng = generator("bound", *sorted(v.name for v in free))
    assumptions = facts.assumptions if facts is not None else ()
    done = 0
    for attempt in range(3 * POINTS):
        values = random_sizes(sizes, {}, rng, assumptions)
        point: Point | None = None if values is None else random_point(free, values, rng, attempt % 2, assumptions)
        if point is None or done == POINTS:
            break
        complete_point(point, [bound, derivative], rng)
        try:
            limit, value = (np.asarray(v, dtype=float) for v in evaluate([bound, derivative], point, FLOAT))
        except NotEvaluable as error:
            return Evidence("unknown", method="eigenvalues at random points", tried=(str(error),))
        if order == 2:
            value = value.reshape(int(np.sqrt(value.size)), -1)
        size = float(np.linalg.norm(value, 2) if order == 2 else np.linalg.norm(value))
        if np.isfinite(size) and np.isfinite(limit):
            if size > float(limit) * (1 + 1e-9) + 1e-12:
                raise InternalError(f"a bound is exceeded: {size:.12g} lies above {float(limit):.12g}")
            done += 1
    return Evidence("proved", points=done, method=f"{reason}; held at {done} random points")


REDUCERS: dict[str, Callable[[Operator, Context], Array]] = {"smoothness": smoothness, "lipschitz": lipschitz}
__all__ = ["REDUCERS", "lipschitz", "smoothness"]
