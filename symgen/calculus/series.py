"""Taylor polynomials, limits, and the forms that are asked for by name: simplify and expand.

A limit is SymPy's proposal, believed after the function has been seen to come near it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from math import comb, prod
from typing import Any

import sympy

from symgen.algebra.rational import simplify_scalar
from symgen.calculus.gradient import jacobian
from symgen.calculus.separate import distribute, terms_of
from symgen.calculus.series_referee import check_taylor
from symgen.calculus.solving import assuming, numeric, sample_symbols
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.derivation.referee import check_equal_numeric
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Entry,
    Index,
    Mul,
    Num,
    Operator,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    axis,
    count_nodes,
    depends_on,
    divide,
    entry,
    fresh_index,
    mul,
    num,
    open_sum,
    open_tensor,
    replace_arrays,
    sub,
    tensor,
    total,
    walk,
)  # fmt: skip
from symgen.tensor.sympy_bridge import NotInSymPy, Table, from_sympy, to_sympy, within
from symgen.text.diagnostics import CannotDerive, InternalError

MOST_TERMS = 2000  # of what is multiplied out

__all__ = ["REDUCERS", "taylor", "limit", "simplify", "expand"]

S = sympy
HERE = "symgen/calculus/series.py"


# --- Taylor -----------------------------------------------------------------------------------------------------------


def taylor(f: Array, x: Array, at: Array | None, order: int, ctx: Context) -> Array:
    """f(a) + f'(a)(x - a) + .. up to `order`, in all entries of x; the k-th derivative is that of the one before."""
    if not isinstance(x, Var):
        raise CannotDerive("a Taylor polynomial is in a variable", x, HERE)
    if at is not None and at.rank and at.rank != x.rank:
        raise CannotDerive(f"`at` has another shape than `{x.name}`", at)
    quiet = Context(facts=ctx.facts, names=ctx.names)
    own = [axis(k, s) for k, s in enumerate(f.shape)]
    place: Callable[..., Scalar] = (lambda *i: num(0)) if at is None else (lambda *i: open_tensor(at, i if at.rank else ()))
    derivative, terms = f, []
    for k in range(order + 1):
        indices = [[fresh_index(s) for s in x.shape] for _ in range(k)]
        flat = [i for group in indices for i in group]
        body = _at_point(open_tensor(derivative, [*own, *flat]), x, place)
        steps = mul(*(sub(entry(x, *group), place(*group)) for group in indices))
        term = total(mul(body, steps, num(1) if k < 2 else divide(ONE, num(math.factorial(k)))), flat)
        terms.append(term)
        ctx.trace.add(
            "taylor_term",
            derivative,
            tensor(own, term),
            where=f"order {k}",
            reason=f"the derivative of order {k} at the point, over {k}!",
        )
        if k < order:
            derivative = jacobian(derivative, x, quiet, "free")
    polynomial: Array = tensor(own, simplify_scalar(add(*terms), ctx.facts))
    referee = check_taylor(f, x, at, polynomial, order, ctx.facts)
    if any(type(n) is Pow and n.base is ZERO for n in walk(polynomial)):
        raise CannotDerive("the function, or a derivative of it, has no value at the point of the Taylor polynomial", f, HERE)
    if quiet.trace.conditions or quiet.trace.notes:  # kinks: is one of them at the point?
        try:
            referee()
        except InternalError:
            reason = f"there is a kink at the point: no Taylor polynomial in `{x.name}` is near the function"
            raise CannotDerive(reason, f, HERE) from None
    ctx.trace.checks.append(referee)
    return polynomial


def _at_point(body: Scalar, x: Var, place: Callable[..., Scalar]) -> Scalar:
    """`body` at x = the point, and the values that this makes exact."""
    out: Scalar = replace_arrays(body, {x: place})
    return _through_sympy(out) if count_nodes(out) < 80 else out


def _through_sympy(s: Scalar) -> Scalar:
    """`s` after SymPy's own evaluation of functions at special points."""
    table = Table()
    try:
        return from_sympy(to_sympy(s, table), table)
    except NotInSymPy:
        return s


# --- limits -----------------------------------------------------------------------------------------------------------


def limit(f: Array, t: Array, at: Array, direction: str, ctx: Context) -> Array:
    """The limit of every entry of f as the scalar t goes to `at`; from both sides where no direction is said."""
    if not isinstance(t, Var) or t.rank:
        raise CannotDerive("a limit is in a scalar variable", t, HERE)
    axes = [axis(k, s) for k, s in enumerate(f.shape)]
    table = Table(ctx.facts)
    symbol = table.symbol(entry(t), **({"positive": True} if t.domain in ("positive", "unit", "natural") else {"real": True}))
    try:
        e, target = to_sympy(open_tensor(f, axes), table), to_sympy(entry(at), table)
    except NotInSymPy:
        raise CannotDerive("the function has no form that symgen takes limits of", f, HERE) from None
    if any(depends_on(a, t) for a in table.symbols if a is not entry(t)):
        raise CannotDerive("the function holds what has no closed form in the variable of the limit", f, HERE)
    with assuming(table):
        found = _limit(e, symbol, target, direction, t)
    if found is None:
        raise CannotDerive("the limit was not found", f, HERE)
    value, shown = found
    out = tensor(axes, from_sympy(value, table))
    ctx.trace.add(
        "limit",
        f,
        out,
        where=t.name,
        reason=f"{t.name} to {to_sympy(entry(at), names=dict(ctx.names))}",
        evidence=shown,
    )
    ctx.trace.checks.append(lambda: shown)
    return out


def _limit(e: Any, t: Any, target: Any, direction: str, variable: Var) -> tuple[Any, Evidence] | None:
    sides = {"+": ["+"], "-": ["-"], "right": ["+"], "left": ["-"], "above": ["+"], "below": ["-"]}.get(direction, ["+", "-"])
    if target in (S.oo, -S.oo) or (target == 0 and t.is_positive):
        sides = ["-"] if target is S.oo else ["+"]
    values = []
    for side in sides:
        value = within(4.0, S.limit, _in_one_piece(e, t, target, side), t, target, side)
        if value is None or value.has(S.Limit, S.AccumBounds, S.nan, S.zoo) or t in value.free_symbols:
            return None
        values.append(value)
    if len(values) == 2 and S.simplify(values[0] - values[1]) != 0:
        raise CannotDerive(
            f"the limits from the two sides differ: {values[1]} from below and {values[0]} from above, so that there is none",
            entry(variable),
            HERE,
        )
    digits = min(_comes_near(e, t, target, side, values[0]) for side in sides)
    if digits < 2:
        return None
    return values[0], Evidence("checked", digits=digits, points=3, method="the function near the limit, at random constants")


def _in_one_piece(e: Any, t: Any, target: Any, side: str) -> Any:
    """e as it is near the target: of a maximum what is greater there, of pieces the one that holds."""

    def sign(u: Any) -> int:
        """Of u near the target; 0 where it is not told."""
        near = within(1.0, S.limit, u, t, target, side)
        return 1 if near is not None and near.is_extended_positive else -1 if near is not None and near.is_extended_negative else 0

    def choose(*args: Any) -> Any:
        best = args[0]
        for a in args[1:]:
            told = sign(a - best)
            if not told:
                return S.Max(*args)
            best = a if told > 0 else best
        return best

    def piece(*pairs: Any) -> Any:
        for value, condition in pairs:
            if not isinstance(condition, S.core.relational.Relational):
                return value if condition is S.true else S.Piecewise(*pairs)
            told = sign(condition.gts - condition.lts) if hasattr(condition, "gts") else 0
            if not told:
                return S.Piecewise(*pairs)
            if told > 0:
                return value
        return S.Piecewise(*pairs)

    e = e.replace(S.Max, choose).replace(S.Min, lambda *args: -choose(*(-a for a in args)))
    return e.replace(S.Piecewise, piece)


def _comes_near(e: Any, t: Any, target: Any, side: str, value: Any) -> int:
    """To how many digits the function comes near the proposed limit as t does near its target; 0 where it does not."""
    rng = random.Random(9)
    best = 30
    free = list((e.free_symbols | value.free_symbols | target.free_symbols) - {t})
    for _ in range(3):
        point = sample_symbols(free, rng)
        where = target.xreplace(point)
        gaps = []
        for k in (8, 16, 32, 64):
            # slow limits (1/log t) need far points: the steps grow geometrically in the exponent
            step = S.Float(10, 200) ** k
            x = step if where is S.oo else -step if where == -S.oo else where + (1 if side == "+" else -1) / step
            got = within(2.0, lambda x=x, point=point: S.N(e.xreplace({**point, t: x}), 20))  # putting in evaluates
            want = S.N(value.xreplace(point), 20)
            if got is None or not got.is_number:
                continue
            if want in (S.oo, -S.oo):
                gaps.append(1 / abs(float(got)) if got not in (S.oo, -S.oo) and got * (1 if want is S.oo else -1) > 0 else 0.0)
            else:
                gaps.append(float(abs(got - want) / max(1, abs(want))))
        if not gaps:
            return 0
        if gaps[-1] > 0.05 or gaps[-1] > gaps[0] * 1.0001:
            return 0
        best = min(best, int(-math.log10(max(gaps[-1], 1e-30))))
    return max(best, 2)


# --- forms ------------------------------------------------------------------------------------------------------------


def simplify(f: Array, ctx: Context) -> Array:
    """The shorter of symgen's rational form and SymPy's proposal, which is compared at random points first."""
    axes = [axis(k, s) for k, s in enumerate(f.shape)]
    body = open_tensor(f, axes)
    best = simplify_scalar(body, ctx.facts)
    table = Table(ctx.facts)
    try:
        e = to_sympy(best, table)
        proposed = within(3.0, S.simplify, e) if count_nodes(best) < 120 else None
        if proposed is not None and _same(e, proposed):
            other = from_sympy(proposed, table)
            best = min((best, other), key=count_nodes)
    except NotInSymPy:
        pass
    out = tensor(axes, best)
    ctx.trace.add("simplify", f, out, reason="an equal form, shorter")
    ctx.trace.checks.append(lambda: check_equal_numeric(f, out, ctx.facts))
    return out


def _same(a: Any, b: Any) -> bool:
    rng = random.Random(12)
    looked = 0
    for _ in range(8):
        point = sample_symbols(list(a.free_symbols | b.free_symbols), rng)
        x, y = numeric(a, point, 30), numeric(b, point, 30)
        if x is None and y is None:
            continue
        if x is None or y is None or abs(x - y) > 1e-14 * max(1.0, abs(x)):
            return False
        looked += 1
    return looked >= 3


def expand(f: Array, ctx: Context) -> Array:
    """Products of sums multiplied out, integer powers of sums too, sums of sums taken apart."""
    axes: list[Index] = [axis(k, s) for k, s in enumerate(f.shape)]
    kept: list[Scalar] = []
    out = tensor(axes, _expanded(open_tensor(f, axes), kept))
    if kept:
        ctx.trace.notes.append(f"What has more than {MOST_TERMS} terms multiplied out stays as it is.")
    ctx.trace.add("expand", f, out, reason="multiplied out")
    ctx.trace.checks.append(lambda: check_equal_numeric(f, out, ctx.facts))
    return out


def _expanded(s: Scalar, kept: list[Scalar]) -> Scalar:
    """`s` multiplied out; powers and products that would have too many terms are put into `kept`."""
    if isinstance(s, Entry) and isinstance(s.array, Tensor) and not s.indices:
        return _expanded(s.array.body, kept)
    if isinstance(s, Sum):
        body, indices = open_sum(s)
        return add(*(total(t, indices) for t in distribute(_expanded(body, kept), _not_a_leaf)))
    if isinstance(s, Pow):
        return _power_expanded(s, kept)
    if isinstance(s, Mul):
        s = mul(*(_power_expanded(f, kept) if isinstance(f, Pow) else f for f in s.args))
        if isinstance(s, Mul):
            choices = [terms_of(f) for f in s.args]
            if 1 < prod(len(c) for c in choices) <= MOST_TERMS:
                out: Scalar = ONE
                for c in choices:
                    out = add(*(mul(a, b) for a in terms_of(out) for b in c))
                return out if isinstance(out, Mul) else _expanded(out, kept)
            if prod(len(c) for c in choices) > MOST_TERMS:
                kept.append(s)
                return s
    parts = distribute(s, _not_a_leaf)
    return add(*parts) if len(parts) == 1 else add(*(_expanded(p, kept) for p in parts))


def _power_expanded(s: Pow, kept: list[Scalar]) -> Scalar:
    """A whole power of a sum as the sum of its terms."""
    k = s.exponent.value if isinstance(s.exponent, Num) else None
    if not isinstance(k, Fraction) or k.denominator != 1 or k < 2:
        parts = distribute(s, _not_a_leaf)
        return add(*parts)
    terms = terms_of(_expanded(s.base, kept))
    if len(terms) == 1:
        return add(*distribute(s, _not_a_leaf))
    if comb(len(terms) + int(k) - 1, int(k)) > MOST_TERMS:
        kept.append(s)
        return s
    out: Scalar = ONE
    for _ in range(int(k)):
        out = add(*(mul(a, b) for a in terms_of(out) for b in terms))
    return out


def _not_a_leaf(n: Any) -> bool:
    return bool(n.is_scalar_node and n.args and not isinstance(n, Entry | Num))


# --- the operators ----------------------------------------------------------------------------------------------------


def _taylor(op: Operator, ctx: Context) -> Array:
    at = op.args[2] if len(op.args) > 2 else None
    return taylor(op.args[0], op.args[1], at, op.attrs[0] if op.attrs else 2, ctx)


def _limit_of(op: Operator, ctx: Context) -> Array:
    return limit(op.args[0], op.args[1], op.args[2], str(op.attrs[0]) if op.attrs else "", ctx)


def _value_at(op: Operator, ctx: Context) -> Array:
    """A function of a spec's own, in which something is differentiated, at its arguments."""
    pairs = zip(op.args[1::2], op.args[2::2], strict=True)
    held: dict[Array, Array] = {u: value for u, value in pairs if isinstance(u, Var)}
    result: Array = replace_arrays(op.args[0], held)
    if result is not op.args[0]:
        ctx.trace.add("value_at", op.args[0], result, reason="the function at its arguments")
    return result


REDUCERS: dict[str, Callable[[Operator, Context], Array]] = {
    "at": _value_at,
    "taylor": _taylor,
    "limit": _limit_of,
    "simplify": lambda op, ctx: simplify(op.args[0], ctx),
    "expand": lambda op, ctx: expand(op.args[0], ctx),
}
