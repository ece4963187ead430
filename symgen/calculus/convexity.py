"""Whether a function is convex in variables: proved by rules of composition or by its Hessian, refuted by a direction.

A composition is convex by the signs of slopes and curvatures (`curvature`); a Hessian by its form, a sum of X' D X with
D >= 0, or by its minors. A refutation is a point and a direction along which a ball shows negative curvature, or a
midpoint that lies above its chord. Where none of them says anything, it is not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import sympy
from flint import arb

from symgen.calculus.curvature import AFFINE, CONCAVE, CONSTANT, CONVEX, Curvature, flat
from symgen.calculus.gradient import gradient, jacobian
from symgen.calculus.mirrored import definiteness_of
from symgen.calculus.solving import never_positive, sign_of
from symgen.derivation.context import BudgetSpent, Context
from symgen.derivation.derivation import Evidence
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import BALL, FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    Add,
    Array,
    Delta,
    Fn,
    Index,
    Mul,
    Node,
    Num,
    Operator,
    Pow,
    Scalar,
    Tensor,
    Var,
    Where,
    add,
    axis,
    depends_on,
    mul,
    num,
    open_tensor,
    replace_arrays,
    tensor,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_psd, is_spd, range_of
from symgen.tensor.functions import FUNCTIONS, NONNEGATIVE, POSITIVE, REAL
from symgen.tensor.sample import complete_point, generator, random_point, random_sizes, sizes_in
from symgen.tensor.sympy_bridge import NotInSymPy, Table, to_sympy, within
from symgen.text.diagnostics import CannotDerive

S = sympy
CURVED_SETS = frozenset(("orthogonal", "onehot"))
INTERIOR = {"simplex": "unit", "nonnegative": "positive"}
POINTS = 12
BITS = 192
JUMPING = ("sign", "floor", "mod", "div")
CHORDS = 5
HEAVIEST = 600  # nodes of a Hessian whose form is looked at
MOST_ENTRIES = 4  # of variables of fixed size, whose Hessian is looked at by its minors
MOST_RULES = 8
Blocks = dict[tuple[Var, Var], Array]


@dataclass
class Convexity:
    """`status` is proved, refuted or unknown; `reason` says by what. `strict` is a truth value where it is known, `modulus`
    a number m such that f - m/2 |x|^2 is convex too, where one was found.

    Refuted: `direction` holds the numbers of the point, of the direction v there, and of v'Hv or of f(middle) less its
    chord, which is of the wrong sign.
    """

    status: str
    reason: str
    hessian: Array | None = None
    strict: bool | None = None
    modulus: Array | None = None
    direction: dict[str, Any] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    evidence: Evidence | None = field(default=None, repr=False)


def convexity(op: Operator, ctx: Context) -> Convexity:
    """The engine of `convex(f, x)` and `convex(f, [x, y])`: in all of them together."""
    f, *operands = op.operands
    assert isinstance(f, Array)
    if f.rank:
        raise CannotDerive("a function of numbers is convex or not; this is an array", f, __name__)
    xs = [x for x in dict.fromkeys(operands) if isinstance(x, Var)]
    for x in operands:
        if not isinstance(x, Var):
            raise CannotDerive("convexity is asked in a variable", x, __name__)
        if x.domain in CURVED_SETS or DOMAINS[x.domain].discrete:
            raise CannotDerive(f"`{x.name}` is {x.domain}: its values are no convex set", x, __name__)
    whole = flat(f)
    inner, within_it = _interior(whole, xs)
    found = _by_composition(whole, xs, ctx, quick=True) or _by_composition(inner, within_it, ctx, quick=True)
    if found is not None:
        return found
    seen = _Hessian(f, xs, ctx)
    found = _by_hessian(seen, ctx)
    if found is not None:
        return found
    ctx.check()
    direction = refutation(f, xs, seen.blocks, ctx)
    if direction is not None:
        evidence = Evidence("proved", method="a ball that does not hold 0")
        return Convexity("refuted", direction.pop("reason"), seen.shown, None, None, direction, (), evidence)
    found = _by_composition(inner, within_it, ctx, quick=False)
    if found is not None:
        return found
    tried = ("rules of composition", "the form of the Hessian", "random directions")
    return Convexity("unknown", "not decided", seen.shown, evidence=Evidence("unknown", tried=tried))


def is_strictly_convex(f: Array, x: Var, facts: Facts | None) -> bool:
    """Whether the rules of composition show it, and a term with a definite Hessian."""
    found = _by_composition(flat(f), [x], Context(facts=facts), quick=True)
    return found is not None and found.strict is True


def _interior(f: Array, xs: Sequence[Var]) -> tuple[Array, list[Var]]:
    """f on the inside of the sets of its variables: a continuous function is convex on a set if it is inside it."""
    if any(isinstance(n, Where) or (isinstance(n, Fn) and n.name in JUMPING) for n in walk(f)):
        return f, list(xs)
    inside = {x: var(x.name, x.shape, INTERIOR[x.domain], x.role, uid=x.uid + 5000) for x in xs if x.domain in INTERIOR}
    return (replace_arrays(f, inside) if inside else f), [inside.get(x, x) for x in xs]


# --- rules ------------------------------------------------------------------------------------------------------------


def _by_composition(f: Array, xs: Sequence[Var], ctx: Context, quick: bool) -> Convexity | None:
    curvature = Curvature(xs, ctx.facts, quick)
    found = curvature.of_array(f)
    if found not in (CONSTANT, AFFINE, CONVEX):
        return None
    if found != CONVEX:
        words = f"it is {found} in {' and '.join(x.name for x in xs)}"
        return Convexity("proved", words, strict=False, evidence=Evidence("proved", method=words))
    words = "rules of composition"
    for node, kind, rule in curvature.used(f)[-MOST_RULES:]:
        free = sorted((i for i in node.free if isinstance(i, Index)), key=lambda i: i.serial)
        ctx.trace.add("curvature", None, tensor(free, node), where=kind, reason=f"{kind}: {rule}")
    strict, modulus = _strength(f, xs, ctx)
    return Convexity("proved", words, strict=strict, modulus=modulus, evidence=Evidence("proved", method=words))


def _strength(f: Array, xs: Sequence[Var], ctx: Context) -> tuple[bool | None, Array | None]:
    """Whether one of the terms of a convex function is strictly convex, and of how many squares they hold."""
    if len(xs) > 1 or not isinstance(f, Tensor):
        return None, None
    strict: bool | None = None
    squares: list[Scalar] = []
    for term in f.body.args if isinstance(f.body, Add) else (f.body,):
        if not depends_on(term, xs[0]) or Curvature(xs, ctx.facts, quick=True).of(term) != CONVEX:
            continue
        seen = _Hessian(tensor((), term), xs, ctx)
        if seen.is_definite(ctx.facts) and seen.is_smooth:
            strict = True
        if seen.is_smooth and seen.blocks:
            squares += _squares(seen.blocks[xs[0], xs[0]], xs[0], ctx.facts)
    return strict, tensor((), add(*squares)) if squares else None


def _squares(second: Array, x: Var, facts: Facts | None) -> list[Scalar]:
    """The c of the terms c I of a Hessian whose other terms are positive semidefinite, c free of x."""
    one, other = _axes(x)
    body = open_tensor(second, (*one, *other))
    squares: list[Scalar] = []
    for t in body.args if isinstance(body, Add) else (body,):
        factors = list(t.args) if isinstance(t, Mul) else [t]
        rest = [f for f in factors if not isinstance(f, Delta)]
        c = mul(*rest)
        same = {frozenset(f.args) for f in factors if isinstance(f, Delta)}
        whole = same == {frozenset(p) for p in zip(one, other, strict=True)}
        if whole and not c.free and not depends_on(c, x) and range_of(c, facts).positive:
            squares.append(c)
        elif body.weight > HEAVIEST or definiteness_of(t, dict(zip(one, other, strict=True)), facts) is None:
            if x.rank or not range_of(t, facts).nonnegative:
                return []
    return squares


# --- the Hessian ------------------------------------------------------------------------------------------------------


class _Hessian:
    """The second derivatives of f by all pairs of variables: `blocks` free of what the sets ask, `shown` as people want
    it; empty where they are not derived."""

    def __init__(self, f: Array, xs: Sequence[Var], ctx: Context) -> None:
        self.f, self.xs = f, xs
        self.blocks: Blocks = {}
        self.shown: Array | None = None
        quiet = Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline, detail=1)
        try:
            for x in xs:
                slope = gradient(f, [x], quiet, "free")[x]
                for y in xs:
                    self.blocks[x, y] = jacobian(slope, y, quiet, "free")
            if len(xs) == 1:
                (x,) = xs
                self.shown = self.blocks[x, x]
                if x.domain != "real":
                    plain = Context(facts=ctx.facts, names=ctx.names, deadline=ctx.deadline, detail=1)
                    self.shown = jacobian(gradient(f, [x], plain)[x], x, plain)
        except (CannotDerive, BudgetSpent):
            pass
        if len(self.blocks) < len(xs) ** 2:
            self.blocks = {}
        self.conditions = tuple(quiet.trace.conditions)
        self.is_smooth = quiet.trace.is_smooth

    def is_definite(self, facts: Facts | None) -> bool | None:
        """True: positive definite; False: semidefinite; None: not known. On all directions, those out of the set included."""
        if not self.blocks:
            return None
        f, xs = _interior(self.f, self.xs)
        inside = dict(zip(self.xs, xs, strict=True))
        if not is_defined_throughout(f, xs, facts):
            return None
        blocks = {k: replace_arrays(b, inside) for k, b in self.blocks.items()}
        if len(self.xs) == 1:
            (x,) = self.xs
            known = definite(blocks[x, x], x, facts)
            if known is not None:
                return known
        found = within(2.0, _by_minors, blocks, self.xs, facts)
        return found if isinstance(found, bool) else None


def _by_hessian(seen: _Hessian, ctx: Context) -> Convexity | None:
    if not seen.blocks or not seen.is_smooth:
        return None
    sign = seen.is_definite(ctx.facts)
    if sign is None:
        return None
    words = f"the Hessian is positive {'definite' if sign else 'semidefinite'}"
    modulus = None
    if len(seen.xs) == 1:
        squares = _squares(seen.blocks[seen.xs[0], seen.xs[0]], seen.xs[0], ctx.facts)
        modulus = tensor((), add(*squares)) if squares else None
    evidence = Evidence("proved", seen.conditions, method=words)
    return Convexity("proved", words, seen.shown, sign or None, modulus, {}, seen.conditions, evidence)


def is_defined_throughout(f: Array, xs: Sequence[Var], facts: Facts | None) -> bool:
    """Whether f has a value on all of a convex set: no pole inside, logarithms and roots of what is affine or concave."""
    inner = Curvature(xs, facts, quick=True)
    for n in walk(f):
        if not inner.moves(n):
            continue
        if isinstance(n, Where) or (isinstance(n, Fn) and n.name in JUMPING):
            return False  # where it jumps, the Hessian shows nothing
        if isinstance(n, Pow) and not range_of(n.exponent, facts).nonnegative:
            broken = isinstance(n.exponent, Num) and n.exponent.rational is not None and n.exponent.rational.denominator > 1
            if not range_of(n.base, facts).without_zero and not (broken and inner.of(n.base) in (AFFINE, CONCAVE)):
                return False
        elif isinstance(n, Fn):
            row = FUNCTIONS[n.name]
            r = range_of(n.args[0], facts)
            open_below = row.domain[0] in (POSITIVE, NONNEGATIVE, "(-1, inf)")
            if row.domain[0] != REAL and not r.positive and not (open_below and inner.of(n.args[0]) in (AFFINE, CONCAVE)):
                return False
            if row.poles is not None and (not r.positive or row.poles.startswith("pi")):
                return False
    return True


def _axes(x: Var) -> tuple[list[Index], list[Index]]:
    one, other = ([axis(k + x.rank * side, n) for k, n in enumerate(x.shape)] for side in (0, 1))
    return one, other


def definite(second: Array, x: Var, facts: Facts | None) -> bool | None:
    """True: positive definite; False: semidefinite; None: not known."""
    if x.rank == 0:
        r = range_of(open_tensor(second, ()), facts)
        return True if r.positive else False if r.nonnegative else None
    if x.rank == 1 and is_psd(second, facts):
        return bool(is_spd(second, facts))
    one, other = _axes(x)
    body = open_tensor(second, (*one, *other))
    if body.weight > HEAVIEST:
        return None
    kind = definiteness_of(body, dict(zip(one, other, strict=True)), facts)
    return None if kind is None else kind == "spd"


def _by_minors(blocks: Blocks, xs: Sequence[Var], facts: Facts | None) -> bool | None:
    """By the signs of principal minors, for variables of few entries (Sylvester)."""
    places = [(x, at) for x in xs for at in _places(x)]
    if not 0 < len(places) <= MOST_ENTRIES or any(_places(x) == [] for x in xs):
        return None
    table = Table(facts)
    try:
        rows = [[to_sympy(open_tensor(blocks[x, y], (*a, *b)), table) for y, b in places] for x, a in places]
    except NotInSymPy:
        return None
    matrix = S.Matrix(rows)
    size = len(places)
    if all(sign_of(S.factor(matrix[:k, :k].det())) == 1 for k in range(1, size + 1)):
        return True
    chosen = (c for k in range(1, size + 1) for c in combinations(range(size), k))
    return False if all(never_positive(-S.factor(matrix[list(c), list(c)].det())) for c in chosen) else None


def _places(x: Var) -> list[tuple[Scalar, ...]]:
    sizes = [int(n.rational) for n in x.shape if isinstance(n, Num) and n.rational is not None]
    if len(sizes) < x.rank or int(np.prod(sizes, dtype=int)) > MOST_ENTRIES:
        return []
    return [tuple(num(int(k)) for k in at) for at in np.ndindex(*sizes)]


# --- refutation -------------------------------------------------------------------------------------------------------


def refutation(f: Array, xs: Sequence[Var], blocks: Blocks, ctx: Context) -> dict[str, Any] | None:
    """A point and a direction of negative curvature, or a middle above its chord, shown in balls."""
    nodes: list[Node] = [f, *blocks.values()]
    free = {v for n in nodes for v in variables_of(n)} | set(xs)
    sizes = sizes_in(nodes, free)
    rng = generator("convexity", *sorted(v.name for v in free))
    assumptions = ctx.facts.assumptions if ctx.facts is not None else ()
    for attempt in range(POINTS):
        ctx.check()
        values = random_sizes(sizes, {}, rng, assumptions, largest=2 + attempt % 3)
        point = None if values is None else random_point(free, values, rng, attempt // 6, assumptions)
        if point is None:
            continue
        for x in xs:
            if attempt % 2 and x.domain == "real":  # nearer to 0, where polynomials bend otherwise
                point.values[x] = np.asarray(point.values[x], dtype=float) / 8
        complete_point(point, nodes, rng)
        try:
            found = _along_hessian(blocks, xs, point) if blocks else None
            found = found or _above_chord(f, xs, point, rng, through_zero=attempt % 3 == 1)
        except NotEvaluable:
            return None
        if found is not None:
            return {**found, "sizes": dict(point.sizes)}
    return None


def _along_hessian(blocks: Blocks, xs: Sequence[Var], point: Point) -> dict[str, Any] | None:
    keys = [(x, y) for x in xs for y in xs]
    shapes = {x: np.shape(point.values[x]) for x in xs}
    sizes = {x: int(np.prod(shapes[x], dtype=int)) for x in xs}

    def joined(values: Sequence[Any]) -> Any:
        at = {k: np.asarray(v).reshape(sizes[k[0]], sizes[k[1]]) for k, v in zip(keys, values, strict=True)}
        return np.block([[at[x, y] for y in xs] for x in xs])

    arrays = [blocks[k] for k in keys]
    matrix = joined([np.asarray(v, dtype=float) for v in evaluate(arrays, point, FLOAT)])
    basis = _directions(xs, shapes)
    matrix = basis.T @ matrix @ basis
    if not np.all(np.isfinite(matrix)) or not matrix.size:
        return None
    weights, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    if weights[0] > -1e-9 * max(1.0, abs(weights[-1])):
        return None
    v = basis @ np.round(vectors[:, 0] / np.max(np.abs(vectors[:, 0])), 3)
    number = BALL(BITS)
    with number.working():
        exact = joined(evaluate(arrays, point, number))
        along = number.array(v)
        total = arb(0)
        for i in range(len(v)):
            for j in range(len(v)):
                total += along[i] * exact[i, j] * along[j]
    if not total < 0:
        return None
    found = {"reason": "a direction of negative curvature", "point": _shown(point)}
    return {**found, "v": _parts(v, xs, shapes), "curvature": float(total.mid())}


def _directions(xs: Sequence[Var], shapes: Mapping[Var, tuple[int, ...]]) -> Any:
    """Columns that span the directions in which the variables may move."""
    parts = []
    for x in xs:
        size = int(np.prod(shapes[x], dtype=int))
        basis: Any = np.eye(size)
        if x.domain in ("symmetric", "spd", "psd", "diagonal", "skew", "lower") and x.rank >= 2:
            n = shapes[x][-1]
            flip = np.arange(size).reshape(shapes[x]).swapaxes(-1, -2).reshape(-1)
            if x.domain == "diagonal":
                basis = basis[:, np.broadcast_to(np.eye(n, dtype=bool), shapes[x]).reshape(-1)]
            elif x.domain == "lower":
                basis = basis[:, np.broadcast_to(np.tri(n, dtype=bool), shapes[x]).reshape(-1)]
            else:
                mixed = basis + basis[flip] if x.domain != "skew" else basis - basis[flip]
                basis = np.unique(mixed[:, np.abs(mixed).sum(0) > 0], axis=1)
                keep = [k for k in range(basis.shape[1]) if not any((basis[:, k] == -basis[:, m]).all() for m in range(k))]
                basis = basis[:, keep]
        elif x.domain == "simplex" and size:
            n = shapes[x][-1]
            steps = np.eye(n)[:, :-1] - np.eye(n)[:, 1:]
            basis = np.kron(np.eye(size // n), steps)
        parts.append(basis)
    out = np.zeros((sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)))
    row = column = 0
    for p in parts:
        out[row : row + p.shape[0], column : column + p.shape[1]] = p
        row, column = row + p.shape[0], column + p.shape[1]
    return out


def _parts(v: Any, xs: Sequence[Var], shapes: Mapping[Var, tuple[int, ...]]) -> Any:
    out: dict[str, Any] = {}
    start = 0
    for x in xs:
        size = int(np.prod(shapes[x], dtype=int))
        out[x.name] = np.asarray(v[start : start + size], dtype=float).reshape(shapes[x]).tolist()
        start += size
    return out if len(xs) > 1 else out[xs[0].name]


def _above_chord(f: Array, xs: Sequence[Var], point: Point, rng: np.random.Generator, through_zero: bool) -> dict[str, Any] | None:
    """A chord whose middle lies below the function; `through_zero`, where many kinks are, if the domain holds 0."""
    for k in range(CHORDS):
        other = random_point(list(xs), point.sizes, rng, 0)  # the domains that are let in are convex: so is the way there
        if other is None:
            return None
        for x in xs:
            here = np.asarray(point.values[x], dtype=float)
            if through_zero and k == 0 and x.domain == "real":
                other.values[x] = -here
            elif k % 2:  # a short one
                other.values[x] = here + (np.asarray(other.values[x], dtype=float) - here) / 4
        if _gap(f, xs, point, other, FLOAT) > 0:
            number = BALL(BITS)
            with number.working():
                gap = _gap(f, xs, point, other, number)
                if gap > 0:
                    shapes = {x: np.shape(point.values[x]) for x in xs}
                    v = [np.asarray(other.values[x], dtype=float) - np.asarray(point.values[x], dtype=float) for x in xs]
                    shown = _parts(np.concatenate([np.reshape(d, -1) for d in v]), xs, shapes)
                    reason = "a middle above its chord"
                    return {"reason": reason, "point": _shown(point), "v": shown, "above": float(gap.mid())}
    return None


def _gap(f: Array, xs: Sequence[Var], point: Point, other: Point, number: Any) -> Any:
    """How far the function lies above its chord in the middle; 0 where it has no number."""
    half = number.number(Fraction(1, 2))
    values = []
    ends = [{x: number.array(p.values[x]) for x in xs} for p in (point, other)]
    for t in (0, half, 1):
        at: Mapping[Var, Any] = {**point.values, **{x: ends[0][x] + (ends[1][x] - ends[0][x]) * t for x in xs}}
        (value,) = evaluate([f], Point(point.sizes, dict(at), point.functions, point.draws, point.operators), number)
        values.append(np.asarray(value, dtype=object).reshape(-1)[0])
    if not all(math.isfinite(v) if isinstance(v, float) else v.is_finite() for v in values):
        return 0
    return values[1] - (values[0] + values[2]) * half


def _shown(point: Point) -> dict[str, Any]:
    return {v.name: np.asarray(value, dtype=float).tolist() for v, value in point.values.items()}


REDUCERS = {"convex": convexity}
__all__ = ["REDUCERS", "Convexity", "convexity", "is_strictly_convex"]
