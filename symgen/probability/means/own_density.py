"""Densities of one's own: the family they are, their normaliser by integration, and whether they have one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from symgen.calculus.closed_sum import closed_sum
from symgen.calculus.integral import reduce_integral
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence, Trace
from symgen.probability.families.distribution import with_article
from symgen.probability.forms.collect import collected, multiplied_out
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.logs_undone import without_logs
from symgen.probability.forms.one_form import vanishes
from symgen.probability.forms.special import simplified
from symgen.probability.forms.terms import depends_on_any, factors_of, normalised, terms_of, with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.densities import log_density_at, with_densities_written
from symgen.probability.laws.law import LAW, formula_law, row_of
from symgen.probability.laws.own_formula import RANGES, OwnDensity, own_density
from symgen.probability.laws.own_support import on_support, ranges_of, spans_of_own
from symgen.probability.laws.referee import nodes
from symgen.probability.means.conjugate import families_on, kernel_of, recognised
from symgen.probability.means.existence import FINITE, INFINITE, UNDEFINED, Existence, Range, existence, spread
from symgen.probability.means.exponential_integrals import exponential_integral, is_hopeless
from symgen.probability.means.piecewise import has_pieces, piecewise_integral, turns_of
from symgen.probability.means.powers import admissible
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    HALF,
    INF,
    MINUS_ONE,
    ONE,
    ZERO,
    Array,
    Entry,
    Fn,
    Logic,
    Num,
    Operator,
    Pow,
    Scalar,
    Var,
    add,
    divide,
    entry,
    expand_size,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    operator,
    replace_arrays,
    scalar_of,
    sub,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.tensor.sample import complete_point, generator, holds, random_point, simple_sizes, sizes_in
from symgen.tensor.sympy_bridge import within
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/means/own_density.py"
POINTS = 24
NEAR_POINTS = 3
TERMS = 4000
SEARCH = 1.5  # seconds for a mean that no rule gives
SEARCH_MASS = 4.0  # .. and for a normaliser
ROUNDING = 1e-6  # of the mass of a density that has no normaliser


# --- whether there is a mass ------------------------------------------------------------------------------------------


def masses(own: OwnDensity, facts: Facts | None) -> Iterator[tuple[Existence, Point]]:
    """Whether the integral of f exists, at random values of the parameters."""
    ends = own.range
    if ends is None or own.x.domain == "binary" or any(isinstance(n, Operator) for n in walk(own.log_f)):
        return  # of means and densities that are not worked out yet nothing is said
    spans = spans_of_own(own, Context(Trace(), facts))
    for point in points_of([tensor((), own.log_f)], {own.x}, facts):
        try:
            low, high = ends[:2]
            if spans is not None and len(spans) == 1:
                low, high = (float(np.asarray(evaluate([tensor((), e)], point)[0])) for e in spans[0])
            log_f = own.log_f if spans is None or len(spans) > 1 else on_support(own.log_f)
            yield existence(Range(ONE, log_f, own.x, low, high, ends[2]), point), point
        except NotEvaluable:
            return


def points_of(roots: list[Array], drawn: set[Var], facts: Facts | None) -> Iterator[Point]:
    """Random values of what the roots hang on, at the simplest sizes."""
    free = sorted(frozenset().union(*(variables_of(r) for r in roots)).difference(drawn), key=lambda v: v.serial)
    rng = generator("own", *(v.name for v in free))
    assumptions = facts.assumptions if facts is not None else ()
    sizes = next(iter(simple_sizes(sizes_in(roots, free), {}, assumptions, top=2)), {})
    for k in range(POINTS if free else 1):
        point = random_point(free, sizes, rng, 0, assumptions)
        if point is None:
            return
        if k >= NEAR_POINTS:
            spread(point, rng)
            if not all(holds(c, point) for c in assumptions):
                continue
        complete_point(point, roots, rng)
        yield point


def shown(point: Point) -> str:
    """a = 0.7, b = 1.2."""
    return ", ".join(f"{v.name} = {float(x):.3g}" for v, x in point.values.items() if np.ndim(x) == 0)


def why_not(law: Array, facts: Facts | None, always: bool = True) -> str | None:
    """The reason for which a density of one's own is none: at every value of its parameters, or at some."""
    own = own_density(law)
    found: list[tuple[Existence, Point]] = []
    for one in masses(own, facts):
        found.append(one)
        if one[0].kind == FINITE and (always or len(found) > NEAR_POINTS):
            break
    bad = [(e, p) for e, p in found if e.kind in (INFINITE, UNDEFINED)]
    if bad and (len(bad) == len(found) or not always):
        e, p = bad[0]
        at = f" at {shown(p)}" if shown(p) and len(bad) < len(found) else ""
        what = "has no value somewhere" if e.kind == UNDEFINED else "cannot be normalised"
        said = e.reason if e.kind == UNDEFINED else e.reason.replace("it has", "its integral has", 1)
        return f"{own.called} {what}{at}: {said}"
    if not own.normaliser:
        off = [(m, p) for m, p in ((mass_at(own, p), p) for e, p in found if e.kind == FINITE) if m is not None]
        wrong = [(m, p) for m, p in off if abs(m - 1) > ROUNDING]
        if wrong and (len(wrong) == len(off) or not always):
            m, p = wrong[0]
            at = f" at {shown(p)}" if shown(p) else ""
            return f"{own.called} integrates to {m:.6g}{at}, not to 1: divide it by a constant `Z` that derivation finds"
    return None


def scalars_of(own: OwnDensity, point: Point) -> list[float]:
    """Where the mass or a kink may lie at a point: its scalars, and where the form of the density turns."""
    at = entry(own.x)
    assert isinstance(at, Entry)
    found = [0.0, *[float(x) for x in point.values.values() if np.ndim(x) == 0 and math.isfinite(float(x))][:12]]
    for v in turns_of(own.log_f, at):
        try:
            found.extend(np.ravel(np.asarray(evaluate([tensor(sorted(v.free, key=lambda i: i.number), v)], point)[0], float)))
        except NotEvaluable:
            continue
    return [x for x in found if math.isfinite(x)]


def mass_at(own: OwnDensity, point: Point) -> float | None:
    """The integral of f at a point, by quadrature; None where two rules differ."""
    made = own_grid(own.x, own.log_f, own.range, point, scalars_of(own, point))
    if made is None:
        return None
    _, w = made
    fine, coarse = float(np.sum(w)), float(np.sum(w[::2])) * 2
    if own.range is not None and own.range[2]:  # of counts, what the last of them add
        coarse = fine - len(w) * max(w[0] if math.isinf(own.range[0]) else 0.0, w[-1] if math.isinf(own.range[1]) else 0.0)
    return fine if abs(fine - coarse) <= ROUNDING * max(1.0, fine) else None


def own_grid(
    x: Var, log_f: Scalar, ends: tuple[float, float, bool] | None, point: Point, breaks: list[float]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Nodes and weights of the measure f(x) dx."""
    if ends is None:
        return None
    low, high, discrete = ends
    if discrete:
        at = np.arange(max(low, -TERMS), min(high, TERMS) + 1)
        w = np.ones_like(at)
    else:
        at, w = nodes(low, high, breaks)
    many = var(f"{x.name}_nodes", (num(len(at)),), "real", "placeholder", uid=-81)
    i = fresh_index(num(len(at)))
    lifted = tensor([i], with_value(log_f, x, lambda *_: entry(many, i)))
    values = {**point.values, many: np.asarray(at, dtype=np.float64)}
    with np.errstate(all="ignore"):
        f = np.exp(np.asarray(evaluate([lifted], Point(point.sizes, values, point.functions))[0], dtype=np.float64))
    return at, np.where(np.isfinite(f), f, 0.0) * w


# --- the normaliser ---------------------------------------------------------------------------------------------------


def normalised_formula(law: Array, ctx: Context) -> tuple[Array, Scalar, Scalar] | None:
    """A density of one's own as a law of the table, the value of its normaliser, and the condition under which it is
    one."""
    own = own_density(law)
    know = Knowledge(ctx)
    for row in families_on(own.x.domain):
        kernel = kernel_of(own.log_f, own.x, row, ctx.quiet())
        if kernel is None:
            continue
        match = recognised(kernel, own.x, [row], ctx.quiet())
        if match is None or any(_has_pole(p) for p in match.parameters.values()):
            continue
        match.parameters = {n: without_logs(p, depends_on_any(variables_of(p)), know) for n, p in match.parameters.items()}
        condition = admissible(row.parameters, match.parameters, know)
        if condition is ZERO or not condition.free.isdisjoint(kernel.axes):
            continue
        operands = [tensor(kernel.axes, match.parameters[n]) for n in row.parameters]
        made = operator(row.name, operands, own.x.shape, (LAW,))
        other = kernel_of(log_density_at(made, own.x, ctx.quiet()), own.x, row, ctx.quiet())
        if other is None:
            continue
        gap = sub(kernel.constant, other.constant)
        if own.z is not None:
            return made, collected(fn("exp", gap)), condition
        if expand_size(collected(gap)) is ZERO or collected(gap) is ZERO:
            return made, ONE, condition
    return None


def _has_pole(x: Scalar) -> bool:
    """Whether 0 is divided by."""
    for n in walk(x):
        if isinstance(n, Pow) and isinstance(n.exponent, Num) and n.exponent.rational is not None and n.exponent.rational < 0:
            if n.base is ZERO or collected(n.base) is ZERO:
                return True
        if isinstance(n, Num) and (n is INF or n.rational is None and str(n.value) in ("nan", "inf")):
            return True
    return False


def integrated(law: Array, ctx: Context) -> tuple[Array, Scalar] | None:
    """The density divided by its integral or sum, and that; None where it has no closed form."""
    own = own_density(law)
    if own.range is None or own.z is None:
        return None
    low, high, discrete = own.range
    z = _sum_of(ONE, own, ctx) if discrete else integral_of(ONE, own.x, low, high, ctx, fn("exp", own.log_f))
    if z is None:
        return None
    log_f = normalised(own.log_f, depends_on_any(frozenset((own.x,))), Knowledge(ctx))
    return formula_law(own.x, tensor((), collected(sub(log_f, fn("log", z)))), "", own.name), z


def _sum_of(f: Scalar, own: OwnDensity, ctx: Context) -> Scalar | None:
    """The sum of f times a density of counts, in closed form."""
    assert own.range is not None
    low, high, _ = own.range
    know = Knowledge(ctx)
    body = without_logs(mul(f, fn("exp", own.log_f)), depends_on_any(frozenset((own.x,))), know)

    def at(k: Scalar) -> Scalar:
        return with_value(body, own.x, lambda *_: k)

    if not math.isinf(high):
        return collected(add(*(at(num(k)) for k in range(int(low), int(high) + 1))))
    k = var("k", (), "natural", "placeholder", uid=-84)
    up = [(at(entry(k)), ZERO)] + ([(at(neg(entry(k))), ONE)] if math.isinf(low) else [])
    values = []
    for side, first in up:
        found = closed_sum(side, k, first, ctx.facts)
        if isinstance(found, str) or know.remaining(found[1]) is not ONE:
            return None
        values.append(found[0])
    return collected(add(*values))


def integral_of(f: Scalar, x: Var, low: float, high: float, ctx: Context, weight: Scalar = ONE) -> Scalar | None:
    """The integral of `weight` f in closed form; where the weight is 0, f may have no value."""
    at = entry(x)
    assert isinstance(at, Entry)
    has_turns = has_pieces(f, at) or has_pieces(weight, at)
    by_pieces, f = f, f if weight is ONE else mul(f, weight)
    direct = exponential_integral(f, x, low, high, ctx)
    if direct is None and not has_turns:
        direct = _of_hyperbolic(f, x, low, high, ctx)
    if direct is None:
        found = piecewise_integral(by_pieces, at, _number(low), _number(high), Knowledge(ctx), weight)
        direct = None if found is None else collected(simplified(found))
    if direct is not None or is_hopeless(f, x) or has_turns:
        return direct
    op = as_integral(f, x, low, high)
    made = within(SEARCH_MASS if weight is not ONE and by_pieces is ONE else SEARCH, reduce_integral, op, ctx.quiet())
    return None if made is op or made is None else collected(open_tensor(made, ()))


def _of_hyperbolic(f: Scalar, x: Var, low: float, high: float, ctx: Context) -> Scalar | None:
    """The integral of what holds sinh and cosh, which are sums of exponentials, term by term."""

    def opened(n: Scalar) -> Scalar:
        if not isinstance(n, Fn) or n.name not in ("sinh", "cosh") or x not in variables_of(n):
            return n
        up, down = fn("exp", n.args[0]), fn("exp", neg(n.args[0]))
        return mul(HALF, add(up, down if n.name == "cosh" else neg(down)))

    f = without_logs(f, depends_on_any(frozenset((x,))), Knowledge(ctx))
    apart = bottom_up(f, opened)
    if apart is f:
        return None
    parts = []
    for term in terms_of(multiplied_out(apart)):
        exponents = [g.args[0] for g in factors_of(term) if isinstance(g, Fn) and g.name == "exp"]
        rest = [g for g in factors_of(term) if not (isinstance(g, Fn) and g.name == "exp")]
        parts.append(exponential_integral(mul(*rest, fn("exp", collected(add(*exponents)))), x, low, high, ctx))
    return None if None in parts else collected(add(*(p for p in parts if p is not None)))


def as_integral(f: Scalar, x: Var, low: float, high: float) -> Operator:
    """integral[t: low..high](f(t)), that is not worked out."""
    t = var("t", (), x.domain if x.domain in ("real", "positive", "unit") else "real", "placeholder", uid=-82)
    body = tensor((), open_tensor(replace_arrays(tensor((), f), {x: t}), ()))
    ends = [tensor((), _number(e)) for e in (low, high)]
    op = operator("integral", (body, *ends), (), ((t,),))
    assert isinstance(op, Operator)
    return op


def mass_of(law: Array) -> Scalar | None:
    """The integral that is the normaliser of a density of one's own, where it has no closed form."""
    own = own_density(law)
    if own.range is None or own.z is None or any(isinstance(n, Operator) for n in walk(own.log_f)):
        return None
    low, high, discrete = own.range
    if discrete:
        return _as_series(own) if math.isinf(high) else None
    return scalar_of(as_integral(fn("exp", own.log_f), own.x, low, high))


def _as_series(own: OwnDensity) -> Scalar:
    """sum[k: 0..inf](f(k)), that is not worked out; over all integers both ways from 0."""
    assert own.range is not None
    k = var("k", (), "natural", "placeholder", uid=-85)
    up = [(entry(k), ZERO)] + ([(neg(entry(k)), ONE)] if math.isinf(own.range[0]) else [])
    out = []
    for at, first in up:
        body = tensor((), with_value(fn("exp", own.log_f), own.x, lambda *_, at=at: at))
        out.append(scalar_of(operator("series", (body, tensor((), first), tensor((), INF)), (), ((k,),))))
    return add(*out)


def mean_under(law: Array, v: Var, f: Scalar, ctx: Context) -> Scalar | None:
    """The mean of f, which hangs on the scalar draw v, by integration; None where that gives no closed form."""
    own = own_density(law)
    if own.range is None or v.rank:
        return None
    at_x = open_tensor(replace_arrays(tensor((), f), {v: own.x}), ())
    if any(isinstance(n, Operator) for n in walk(at_x)):
        return None
    low, high, discrete = own.range
    if discrete:
        return _sum_of(at_x, own, ctx)
    return integral_of(at_x, own.x, low, high, ctx, fn("exp", own.log_f))


def log_integral(body: Scalar, u: Var, law: Array, ctx: Context) -> Scalar:
    """The log of the integral of exp(body) over a number u, drawn from a density of one's own or beside one."""
    row = row_of(law)
    support = own_density(law).x.domain if row is None else row.support
    ends = RANGES.get(support) if isinstance(support, str) else None
    if ends is None or ends[2] or u.rank:
        raise CannotDerive(f"`{u.name}` is not integrated out: it is drawn beside a density of one's own", None, HERE)
    place = var(u.name, (), str(support), "placeholder", uid=-83)
    found = integral_of(ONE, place, *ends[:2], ctx, fn("exp", with_value(body, u, lambda *_: entry(place))))
    if found is None:
        raise CannotDerive(f"`{u.name}` is not integrated out in closed form", None, HERE)
    return fn("log", found)


def _number(x: float) -> Scalar:
    if math.isinf(x):
        return INF if x > 0 else mul(MINUS_ONE, INF)
    return num(int(x))


def normalised_law(law: Array, ctx: Context) -> Array:
    """A law of one's own formula as a law of the table where it is one, else divided by its integral; its normaliser is
    said. Raises CannotDerive where it has none."""
    if not (isinstance(law, Operator) and law.name == "formula"):
        return law
    law = narrowed(with_densities_written(law, ctx), ctx)
    own = own_density(law)
    if own.x.domain == "label" and not own.x.rank:
        return over_labels(own, ctx)
    if not own.normaliser and len(law.attrs) > 4:
        return law  # divided by its integral already
    found = normalised_formula(law, ctx)
    if found is not None:
        made, constant, condition = found
        parts = condition.args if isinstance(condition, Logic) and condition.op == "and" else (condition,)
        conditions = tuple(str(c) for c in parts if c is not ONE)
        for text in conditions:
            ctx.trace.condition(text)
        ctx.trace.region.extend(c for c in parts if c is not ONE and c not in ctx.trace.region)
        if own.normaliser:
            reason = f"{own.normaliser} makes the mass 1: {_family(made)}"
            ctx.trace.add("normaliser", law, made, reason=reason, conditions=conditions)
            _tell(own, constant, ctx)
        return made
    why = why_not(law, ctx.facts, always=False)
    if why is not None:
        raise CannotDerive(why, None)
    if not own.normaliser:
        return formula_law(own.x, tensor((), own.log_f), "", own.name, True)
    divided = integrated(law, ctx)
    if divided is None:
        return law
    made, z = divided
    ctx.trace.add("normaliser", law, made, reason=f"{own.normaliser} makes the mass 1: the {whole_of(law)} of what it divides")
    _tell(own, z, ctx)
    made = formula_law(own.x, made.operands[0], "", own.name, True)  # type: ignore[attr-defined]
    ctx.trace.checks.append(lambda: check_mass(made, ctx.facts))
    return made


def over_labels(own: OwnDensity, ctx: Context) -> Array:
    """A density over labels as the law of their probabilities."""
    size = own.x.domain_args[0]
    j, k = fresh_index(size), fresh_index(size)
    heights = [fn("exp", with_value(own.log_f, own.x, lambda *_, at=at: at)) for at in (j, k)]
    mass = total(heights[1], [k])
    if own.z is None:
        if not vanishes(sub(mass, ONE), ctx):
            raise CannotDerive(f"{own.called} is not shown to sum to 1: divide it by a constant `Z` that derivation finds", None)
        mass = ONE
    made = operator("Categorical", (tensor([j], divide(heights[0], mass)),), (), (LAW,))
    if own.z is not None:
        ctx.trace.add("normaliser", own.z, made, reason=f"{own.normaliser} makes the mass 1: the sum of what it divides")
        _tell(own, mass, ctx)
    return made


def narrowed(law: Operator, ctx: Context) -> Operator:
    """A density that is 0 but on the positive numbers, or between 0 and 1, as one of these alone."""
    own = own_density(law)
    spans = ranges_of(law, ctx) if own.x.domain == "real" and not own.x.rank else None
    word = {(ZERO, INF): "positive", (ZERO, ONE): "unit"}.get(spans[0]) if spans is not None and len(spans) == 1 else None
    if word is None:
        return law
    x = var(own.x.name, (), word, own.x.role, uid=own.x.uid)
    log_f = law.operands[0]
    assert isinstance(log_f, Array)
    body = on_support(open_tensor(log_f, ()))
    written = tensor((), with_value(body, own.x, lambda *_: entry(x)))
    return operator("formula", (written, *law.args[1:]), (), (LAW, x, *law.attrs[2:]))


def whole_of(law: Array) -> str:
    """What the mass of a density of one's own is: the sum of it, or its integral."""
    own = own_density(law)
    return "sum" if own.range is not None and own.range[2] else "integral"


def _family(law: Array) -> str:
    name = law.name if isinstance(law, Operator) else "law"
    return with_article(name)


def _tell(own: OwnDensity, constant: Scalar, ctx: Context) -> None:
    value = tensor((), constant if own.power is MINUS_ONE else divide(ONE, constant))
    ctx.trace.add("normaliser", own.z, value, where=own.normaliser, reason=f"the value of {own.normaliser}")


def check_mass(law: Array, facts: Facts | None) -> Evidence:
    """The mass of a density that was divided by its integral, by quadrature."""
    own = own_density(law)
    done, worst = 0, 0.0
    for point in points_of([tensor((), own.log_f)], {own.x}, facts):
        m = mass_at(own, point)
        if m is not None and m > 0:  # 0 where the normaliser is too large a number
            done, worst = done + 1, max(worst, abs(m - 1))
    if not done or worst > ROUNDING:
        return Evidence("unknown", method="quadrature", tried=("the mass of the density did not settle",))
    return Evidence("checked", digits=12 if worst < 1e-12 else int(-math.log10(worst)), points=done, method="quadrature")


__all__ = [
    "check_mass",
    "integral_of",
    "log_integral",
    "mass_of",
    "masses",
    "normalised_law",
    "own_density",
    "own_grid",
    "scalars_of",
    "whole_of",
    "why_not",
]
