"""Whether a function is convex in a variable: proved by rules of composition or by its Hessian, refuted by a direction.

A composition is convex by the signs of slopes and curvatures (Boyd and Vandenberghe (2004), 3.2.4; Grant, Boyd and Ye
(2006)); a Hessian by its form, a sum of X' D X with D >= 0. A refutation is a point and a direction along which a ball
shows negative curvature, or a midpoint that lies above its chord. Where none of them says anything, it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from symgen.calculus.hessian import hessian
from symgen.calculus.rules import derivative_of
from symgen.derivation.context import BudgetSpent, Context
from symgen.derivation.derivation import Evidence
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import BALL, FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    Add,
    Array,
    Entry,
    Expect,
    Fn,
    Fold,
    Mul,
    Node,
    Num,
    Operation,
    Operator,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    arrays_below,
    entry,
    fn,
    open_tensor,
    replace_arrays,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_psd, is_spd, range_of
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.operations import OPERATIONS
from symgen.tensor.sample import complete_point, generator, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive

CONSTANT, AFFINE, CONVEX, CONCAVE, UNKNOWN = "constant", "affine", "convex", "concave", "unknown"
OPPOSITE = {CONVEX: CONCAVE, CONCAVE: CONVEX}
CURVED_SETS = frozenset(("orthogonal", "onehot"))
INTERIOR = {"simplex": "unit", "nonnegative": "positive"}
POINTS = 12
BITS = 192


@dataclass
class Convexity:
    """`status` is proved, refuted or unknown; `reason` says by what. `strict` is a truth value where it is known.

    Refuted: `direction` holds the numbers of the point, of the direction v there, and of v'Hv or of f(middle) less its
    chord, which is of the wrong sign.
    """

    status: str
    reason: str
    hessian: Array | None = None
    strict: bool | None = None
    direction: dict[str, Any] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    evidence: Evidence | None = field(default=None, repr=False)


def convexity(op: Operator, ctx: Context) -> Convexity:
    """The engine of `convex(f, x)`."""
    f, x = op.operands
    assert isinstance(f, Array) and isinstance(x, Array)
    if f.rank:
        raise CannotDerive("a function of numbers is convex or not; this is an array", f, __name__)
    if not isinstance(x, Var):
        raise CannotDerive("convexity is asked in a variable", x, __name__)
    row = DOMAINS[x.domain]
    if x.domain in CURVED_SETS or row.discrete:
        raise CannotDerive(f"`{x.name}` is {x.domain}: its values are no convex set", x, __name__)
    quiet = Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline, detail=1)
    found = Curvature(x, ctx.facts).of_array(f)
    if found in (CONSTANT, AFFINE, CONVEX):
        words = "rules of composition" if found == CONVEX else f"it is {found} in {x.name}"
        strict = None if found == CONVEX else False
        return Convexity("proved", words, None, strict, {}, (), Evidence("proved", method=words))
    second: Array | None = None
    whole: Array | None = None
    try:
        whole = hessian(f, x, quiet, "free")
        second = hessian(f, x, Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline, detail=1))
    except (CannotDerive, BudgetSpent):
        pass
    if whole is not None:
        inner = INTERIOR.get(x.domain)  # a continuous function is convex on a set if it is inside it
        if inner is not None:
            whole = replace_arrays(whole, {x: var(x.name, x.shape, inner, x.role, uid=x.uid + 5000)})
        sign = definite(whole, x, ctx.facts)  # on all directions, those out of the set included
        if sign is not None:
            words = "the Hessian is positive definite" if sign else "the Hessian is positive semidefinite"
            conditions = tuple(quiet.trace.conditions)
            if quiet.trace.is_smooth:
                evidence = Evidence("proved", conditions, method=words)
                return Convexity("proved", words, second or whole, sign or None, {}, conditions, evidence)
    ctx.check()
    direction = refutation(f, x, second, ctx)
    if direction is not None:
        evidence = Evidence("proved", method="a ball that does not hold 0")
        return Convexity("refuted", direction.pop("reason"), second, None, direction, (), evidence)
    tried = ("rules of composition", "the form of the Hessian", "random directions")
    return Convexity("unknown", "not decided", second, None, {}, (), Evidence("unknown", tried=tried))


def definite(second: Array, x: Var, facts: Facts | None) -> bool | None:
    """True: positive definite; False: semidefinite; None: not known."""
    if x.rank == 0:
        body = open_tensor(second, ())
        r = range_of(body, facts)
        return True if r.positive else False if r.nonnegative else None
    if x.rank == 1:
        return True if is_spd(second, facts) else False if is_psd(second, facts) else None
    return None


# --- composition ------------------------------------------------------------------------------------------------------


class Curvature:
    """The curvature of expressions as functions of x."""

    def __init__(self, x: Var, facts: Facts | None) -> None:
        self.x, self.facts = x, facts
        self.arrays: dict[Array, str] = {}
        self.memo: dict[Node, str] = {}

    def of_array(self, root: Array) -> str:
        for array in [n for n in walk(root) if isinstance(n, Array)]:
            if array not in self.arrays:
                self.arrays[array] = self._array(array)
        return self.arrays[root]

    def _array(self, array: Array) -> str:
        if array is self.x:
            return AFFINE
        if self.x not in variables_of(array):
            return CONSTANT
        if isinstance(array, Tensor):
            return self.of(array.body)
        if isinstance(array, Operation):
            return self.operation(array)
        return UNKNOWN

    def operation(self, array: Operation) -> str:
        row = OPERATIONS.get(array.name)
        inside = {self.arrays.get(a, UNKNOWN) for a in array.operands if isinstance(a, Array)}
        if row is None or row.curvature is None or any(not isinstance(a, Array) for a in array.operands):
            return UNKNOWN
        curvature, _, where = row.curvature.partition(" ")
        if where == "increasing":
            return composed(curvature, 1, inside.pop()) if len(inside) == 1 else UNKNOWN
        if where == "affine":
            return curvature if inside <= {AFFINE, CONSTANT} else UNKNOWN
        if where == "spd" and inside == {AFFINE}:
            return curvature if all(is_spd(a, self.facts) for a in array.operands if isinstance(a, Array)) else UNKNOWN
        return UNKNOWN

    def of(self, node: Scalar) -> str:
        found = self.memo.get(node)
        if found is None:
            found = self.memo[node] = self._of(node)
        return found

    def _of(self, node: Scalar) -> str:
        match node:
            case Entry():
                return self.arrays.get(node.array, UNKNOWN)
            case Add():
                return summed({self.of(a) for a in node.args})
            case Mul():
                return self.product(node)
            case Pow():
                return self.power(node)
            case Fn():
                return self.function(node)
            case Sum() | Expect():
                return self.of(node.body)
            case Fold():
                inner = self.of(node.body)
                shape = {"max": CONVEX, "min": CONCAVE}.get(node.kind)
                if inner == CONSTANT or shape is None:
                    return inner if inner == CONSTANT else UNKNOWN
                return shape if inner in (AFFINE, shape) else UNKNOWN
            case Where():
                condition, a, b = node.args
                fixed = all(self.x not in variables_of(n) for n in arrays_below(condition))
                return summed({self.of(a), self.of(b)}) if fixed else UNKNOWN
        return CONSTANT if all(self.x not in variables_of(a) for a in arrays_below(node)) else UNKNOWN

    def product(self, node: Mul) -> str:
        varying = [a for a in node.args if self.of(a) != CONSTANT]
        if not varying:
            return CONSTANT
        if len(varying) > 1:
            return UNKNOWN
        inner = self.of(varying[0])
        if inner in (AFFINE, UNKNOWN):
            return inner
        signs = [range_of(a, self.facts) for a in node.args if a is not varying[0]]
        if not all(r.nonnegative or r.nonpositive for r in signs):
            return UNKNOWN
        flips = sum(not r.nonnegative for r in signs)
        return OPPOSITE[inner] if flips % 2 else inner

    def power(self, node: Pow) -> str:
        inner, base = self.of(node.base), range_of(node.base, self.facts)
        if self.of(node.exponent) != CONSTANT or not isinstance(node.exponent, Num):
            return CONSTANT if inner == CONSTANT == self.of(node.exponent) else UNKNOWN
        e = node.exponent.rational
        if inner == CONSTANT or e is None:
            return CONSTANT if inner == CONSTANT else UNKNOWN
        if e == Fraction(1, 2) and self.is_norm(node.base):
            return CONVEX
        if e.denominator == 1 and e.numerator % 2 == 0 and e > 0:
            if inner == AFFINE or (inner == CONVEX and base.nonnegative) or (inner == CONCAVE and base.nonpositive):
                return CONVEX
            return UNKNOWN
        if e >= 1 and base.nonnegative:
            return CONVEX if inner in (AFFINE, CONVEX) else UNKNOWN
        if 0 < e < 1 and base.nonnegative:
            return CONCAVE if inner in (AFFINE, CONCAVE) else UNKNOWN
        if e < 0 and base.positive:
            return CONVEX if inner in (AFFINE, CONCAVE) else UNKNOWN
        return UNKNOWN

    def is_norm(self, node: Scalar) -> bool:
        """Whether a sum of squares of affine values, and of what is constant and not negative: its root is a norm."""
        terms = list(node.args if isinstance(node, Add) else (node,))
        while terms:
            t = opened(terms.pop())
            if isinstance(t, Add):
                terms.extend(t.args)
                continue
            if self.of(t) == CONSTANT and range_of(t, self.facts).nonnegative:
                continue
            inner = t
            while isinstance(inner, Sum) or (isinstance(inner, Mul) and isinstance(inner.args[-1], Sum)):
                if isinstance(inner, Mul):
                    if not all(range_of(a, self.facts).nonnegative for a in inner.args[:-1]):
                        return False
                    inner = inner.args[-1]
                else:
                    inner = inner.body
            inner = opened(inner)
            factors = inner.args if isinstance(inner, Mul) else (inner,)
            squares = [f for f in factors if self.of(f) != CONSTANT]
            rest = [f for f in factors if self.of(f) == CONSTANT]
            if len(squares) != 1 or not all(range_of(f, self.facts).nonnegative for f in rest):
                return False
            (square,) = squares
            if not isinstance(square, Pow) or not isinstance(square.exponent, Num) or square.exponent.value != 2:
                return False
            if self.of(square.base) != AFFINE:
                return False
        return True

    def is_sum_of_exponentials(self, node: Scalar) -> bool:
        """Whether a sum of exp(convex) with positive weights: its logarithm is convex."""
        node = opened(node)
        if isinstance(node, Add):
            return all(self.is_sum_of_exponentials(t) for t in node.args)
        if isinstance(node, Sum):
            return self.is_sum_of_exponentials(node.body)
        if isinstance(node, Mul):
            rest = [a for a in node.args if self.of(a) != CONSTANT]
            weights = [a for a in node.args if self.of(a) == CONSTANT]
            if not all(range_of(a, self.facts).nonnegative for a in weights):
                return False
            return len(rest) == 1 and self.is_sum_of_exponentials(rest[0])
        if self.of(node) == CONSTANT:
            return range_of(node, self.facts).nonnegative
        return isinstance(node, Fn) and node.name == "exp" and self.of(node.args[0]) in (AFFINE, CONVEX)

    def function(self, node: Fn) -> str:
        kinds = [self.of(a) for a in node.args]
        if all(k == CONSTANT for k in kinds):
            return CONSTANT
        if node.name in ("max", "min"):
            shape = CONVEX if node.name == "max" else CONCAVE
            return shape if all(k in (CONSTANT, AFFINE, shape) for k in kinds) else UNKNOWN
        if node.name == "log" and self.is_sum_of_exponentials(node.args[0]):
            inner = opened(node.args[0])
            return AFFINE if isinstance(inner, Fn) and self.of(inner.args[0]) == AFFINE else CONVEX
        row = FUNCTIONS.get(node.name)
        if row is None or len(node.args) != 1 or row.derivative[0] is None:
            return UNKNOWN
        at = var("_at", (), "real", "placeholder", uid=21)
        free = entry(at)
        bounds = (self.facts or Facts()).with_range(free, range_of(node.args[0], self.facts))
        slope = range_of(derivative_of(node.name, 0, (free,), fn(node.name, free)), bounds)
        curved = row.curvature
        if curved is None:
            return UNKNOWN
        sign = 1 if slope.nonnegative else -1 if slope.nonpositive else 0
        return composed(curved, sign, kinds[0])


def opened(node: Scalar) -> Scalar:
    """The entry of a defined array by its definition."""
    while isinstance(node, Entry) and isinstance(node.array, Tensor):
        node = open_tensor(node.array, node.indices)
    return node


def composed(shape: str, slope: int, inner: str) -> str:
    """The curvature of g(h) for a g of a curvature and a slope of one sign (0: of both)."""
    if inner == CONSTANT:
        return CONSTANT
    if inner == AFFINE:
        return shape
    if slope > 0 and inner == shape:
        return shape
    if slope < 0 and inner == OPPOSITE.get(shape):
        return shape
    return UNKNOWN


def summed(kinds: set[str]) -> str:
    rest = kinds - {CONSTANT}
    if not rest:
        return CONSTANT
    if UNKNOWN in rest or {CONVEX, CONCAVE} <= rest:
        return UNKNOWN
    return (rest - {AFFINE} or {AFFINE}).pop()


# --- refutation -------------------------------------------------------------------------------------------------------


def refutation(f: Array, x: Var, second: Array | None, ctx: Context) -> dict[str, Any] | None:
    """A point and a direction of negative curvature, or a middle above its chord, shown in balls."""
    nodes: list[Node] = [f] if second is None else [f, second]
    free = {v for n in nodes for v in variables_of(n)} | {x}
    sizes = sizes_in(nodes, free)
    rng = generator("convexity", *sorted(v.name for v in free))
    assumptions = ctx.facts.assumptions if ctx.facts is not None else ()
    for attempt in range(POINTS):
        ctx.check()
        values = random_sizes(sizes, {}, rng, assumptions, largest=2 + attempt % 3)
        point = None if values is None else random_point(free, values, rng, attempt // 6, assumptions)
        if point is None:
            continue
        if attempt % 2 and x.domain == "real":  # nearer to 0, where polynomials bend otherwise
            point.values[x] = np.asarray(point.values[x], dtype=float) / 8
        complete_point(point, nodes, rng)
        try:
            found = _along_hessian(second, x, point) if second is not None else None
            found = found or _above_chord(f, x, point, rng, through_zero=attempt % 3 == 1)
        except NotEvaluable:
            return None
        if found is not None:
            return {**found, "sizes": dict(point.sizes)}
    return None


def _along_hessian(second: Array, x: Var, point: Point) -> dict[str, Any] | None:
    h = np.asarray(evaluate([second], point, FLOAT)[0], dtype=float)
    size = int(np.prod(h.shape[: x.rank], dtype=int))
    matrix = h.reshape(size, size)
    if not np.all(np.isfinite(matrix)):
        return None
    weights, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    if weights[0] > -1e-9 * max(1.0, abs(weights[-1])):
        return None
    v = np.round(vectors[:, 0] / np.max(np.abs(vectors[:, 0])), 3)
    number = BALL(BITS)
    with number.working():
        exact = evaluate([second], point, number)[0].reshape(size, size)
        along = number.array(v)
        total = arb(0)
        for i in range(size):
            for j in range(size):
                total += along[i] * exact[i, j] * along[j]
    if not total < 0:
        return None
    return {
        "reason": "a direction of negative curvature", "point": _shown(point), "v": v.reshape(h.shape[: x.rank]).tolist(),
        "curvature": float(total.mid()),
    }  # fmt: skip


def _above_chord(
    f: Array, x: Var, point: Point, rng: np.random.Generator, through_zero: bool = False
) -> dict[str, Any] | None:
    """A chord whose middle lies below the function; `through_zero`, where many kinks are, if the domain holds 0."""
    number = BALL(BITS)
    other = random_point([x], point.sizes, rng, 0)  # the domains that are let in are convex: so is the way there
    if other is None:
        return None
    if through_zero and x.domain == "real":
        other.values[x] = -np.asarray(point.values[x], dtype=float)
    start = number.array(point.values[x])
    direction = number.array(other.values[x]) - start
    half = number.number(Fraction(1, 2))
    values = []
    with number.working():
        for t in (0, half, 1):
            at: Mapping[Var, Any] = {**point.values, x: start + direction * t}
            moved = Point(point.sizes, dict(at), point.functions, point.draws, point.operators)
            (value,) = evaluate([f], moved, number)
            values.append(np.asarray(value, dtype=object).reshape(-1)[0])
        if not all(v.is_finite() for v in values):
            return None
        gap = values[1] - (values[0] + values[2]) * half
    if not gap > 0:
        return None
    shown = np.asarray(direction, dtype=object)
    v = [float(d.mid()) for d in shown.reshape(-1)]
    return {"reason": "a middle above its chord", "point": _shown(point), "v": v, "above": float(gap.mid())}


def _shown(point: Point) -> dict[str, Any]:
    return {v.name: np.asarray(value, dtype=float).tolist() for v, value in point.values.items()}


REDUCERS = {"convex": convexity}
__all__ = ["REDUCERS", "Convexity", "convexity"]
