"""Maximum likelihood: the parameters at which the log-density of the data is greatest."""

from __future__ import annotations

import numpy as np

from symgen.calculus.gradient import gradient
from symgen.calculus.optimum import optimum
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.bayes.conditional import bounds
from symgen.probability.estimation.score_root import root_of_score
from symgen.probability.estimation.shared_total import best_by_total
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import factors_of, with_value
from symgen.probability.forms.together import one_vector, refuse_matrices
from symgen.probability.laws.elimination import Question, log_joint
from symgen.probability.laws.joint import decode
from symgen.probability.laws.law import parameters_of, row_of
from symgen.probability.means.vector_kernels import statistics_of
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import (
    MINUS_ONE,
    TWO,
    ZERO,
    Array,
    Fn,
    Operator,
    Scalar,
    Var,
    add,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    open_tensor,
    power,
    replace_arrays,
    substitute,
    tensor,
    total,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/estimation/likelihood.py"
POINTS = 8


def reduce_mle(op: Operator, ctx: Context) -> Array:
    """The parameter at which the log-likelihood is greatest."""
    (p,), options = decode(op)
    values: dict[Var, Array] = {v: options[k] for v, k in options.get("names", ())}
    thetas = [options[k] for k in options if k.startswith("parameter")]
    if len(thetas) != 1:
        refuse_matrices(thetas, "the maximum likelihood", HERE)
        if not all(isinstance(t, Var) for t in thetas):
            raise CannotDerive("`mle` of several parameters at once takes names of parameters", op, HERE)
    drawn = p.joint.variables
    body = log_joint(p.joint.factors, values, ctx.quiet())
    likelihood = tensor((), body)
    prior = [t.name for t in thetas if isinstance(t, Var) and t in drawn]
    reason = f"`{prior[0]}` has a law of its own: with it, the mode a posteriori" if prior else "to be maximised"
    ctx.trace.add("log_likelihood", op, likelihood, reason=reason)
    together = best_by_total(likelihood, [t for t in thetas if isinstance(t, Var)], ctx) if thetas else None
    if together is not None:
        return together
    if len(thetas) > 1:
        asked = Question(p.joint.factors, (), drawn, (), values)
        return _one_after_the_other(likelihood, [t for t in thetas if isinstance(t, Var)], asked, ctx)
    (theta,) = thetas
    if isinstance(theta, Var):
        asked = Question(p.joint.factors, (), drawn, (), values)
        at_the_end = _end_of_support(asked, body, theta, ctx)
        if at_the_end is not None:
            return at_the_end
        place = _direction(asked, likelihood, theta, ctx) or _angle(likelihood, theta, ctx)
        if place is not None:
            return place
        if theta.domain == "simplex":
            likelihood = _counted(body, theta, likelihood, ctx)
    try:
        return optimum(likelihood, theta, (), 1, ctx, closed=True)
    except CannotDerive as error:
        if isinstance(theta, Var) and (found := root_of_score(likelihood, theta, ctx)) is not None:
            return found
        name = getattr(theta, "name", "the parameter")
        text = f"the maximum likelihood of `{name}` has no closed form that symgen finds: {error.args[0]}"
        raise CannotDerive(text, error.expression, error.where_to_add) from error


def _counted(body: Scalar, theta: Var, likelihood: Array, ctx: Context) -> Array:
    """The sum of log theta[x_j] over the data as the sum over the classes of how often they occur, times log theta."""
    s = statistics_of(body, theta)
    if s is None or set(s.found) != {"log"}:
        return likelihood
    counts = mul(s.found["log"], fn("log", entry(theta, *s.axes)))
    made = tensor((), add(s.constant, total(counts, list(s.axes))))
    if made is not likelihood:
        ctx.trace.add("count", likelihood, made, reason="equal labels counted together")
    return made


def _ends(q: Question, theta: Var) -> tuple[list[Scalar], list[Scalar]]:
    """What the data say that a parameter must not fall below, or not exceed."""
    return ([], []) if theta.rank else bounds(q, theta)


def _end_of_support(q: Question, body: Scalar, theta: Var, ctx: Context) -> Array | None:
    """A likelihood that falls in theta, which must not be below the data, is greatest at the largest of them."""
    lows, highs = _ends(q, theta)
    if bool(lows) == bool(highs):
        return None
    slope = collected(open_tensor(gradient(tensor((), body), [theta], ctx.quiet())[theta], ()))
    know = Knowledge(ctx)
    right = know.negative(slope) if lows else know.positive(slope)
    if right is not True:
        return None
    ends = lows or highs
    end = ends[0]
    for other in ends[1:]:
        end = fn("max" if lows else "min", end, other)
    made = tensor((), end)
    word, which = ("falls", "largest") if lows else ("rises", "smallest")
    reason = f"the likelihood {word} in {theta.name}, which the support bounds by the data: the {which} of them"
    ctx.trace.add("support", None, made, where=theta.name, reason=reason)
    ctx.trace.checks.append(lambda: Evidence("proved", method=f"the likelihood {word} in {theta.name}, by its sign"))
    return made


def _direction(q: Question, likelihood: Array, theta: Var, ctx: Context) -> Array | None:
    """On the unit sphere a linear function is greatest along its slope, by Cauchy and Schwarz."""
    units = {parameters_of(f.law)[row.unit] for f in q.factors if (row := row_of(f.law)) is not None and row.unit}
    if theta.rank != 1 or theta not in units:
        return None
    slope = gradient(likelihood, [theta], ctx.quiet())[theta]
    if theta in variables_of(slope):
        return None
    i, j = fresh_index(theta.shape[0]), fresh_index(theta.shape[0])
    at = collected(open_tensor(slope, (i,)))
    positive = [f for f in factors_of(at) if i not in f.free and Knowledge(ctx).positive(f) is True]
    at = mul(*(f for f in factors_of(at) if f not in positive))  # a length is no direction
    size = fn("sqrt", total(power(substitute(at, {i: j}), TWO), [j]))
    made = tensor((i,), divide(at, size))
    reason = f"linear in {theta.name}, which has length 1: greatest along the slope, by the inequality of Cauchy and Schwarz"
    ctx.trace.add("direction", likelihood, made, where=theta.name, reason=reason)
    ctx.trace.condition("the slope is not 0")
    ctx.trace.checks.append(lambda: _longest(slope, made, theta, ctx))
    return made


def _angle(likelihood: Array, theta: Var, ctx: Context) -> Array | None:
    """P cos t + Q sin t + c is greatest at the angle of (P, Q); f is one where its first and third derivative cancel, and then
    P and Q are minus the second and the first derivative at 0."""
    if theta.rank or theta.domain != "real":
        return None
    slopes = [likelihood]
    for _ in range(3):
        slopes.append(gradient(slopes[-1], [theta], ctx.quiet())[theta])
        if len(slopes) == 2 and not any(isinstance(n, Fn) and n.name in ("sin", "cos") for n in walk(slopes[1])):
            return None
    first, second, third = (open_tensor(a, ()) for a in slopes[1:])
    if collected(add(first, third)) is not ZERO or theta not in variables_of(first):
        return None
    at_zero = [collected(with_value(x, theta, lambda *_: ZERO)) for x in (mul(MINUS_ONE, second), first)]
    know = Knowledge(ctx)
    common = [f for f in factors_of(at_zero[0]) if f in factors_of(at_zero[1]) and know.positive(f) is True]
    p, q = (mul(*(f for f in factors_of(x) if f not in common)) for x in at_zero)
    made = tensor((), mul(TWO, fn("atan", divide(q, add(p, fn("sqrt", add(power(p, TWO), power(q, TWO))))))))
    reason = f"a wave in {theta.name}: greatest at the angle of its cosine and sine part, atan2(Q, P) = 2 atan(Q/(P + |(P, Q)|))"
    ctx.trace.add("angle", likelihood, made, where=theta.name, reason=reason, source="Mardia & Jupp (2000), 5.3.1")
    ctx.trace.condition(f"{theta.name} is an angle between -pi and pi, and the wave is not 0")
    ctx.trace.checks.append(lambda: _crest(likelihood, made, theta))
    return made


def _crest(f: Array, made: Array, theta: Var) -> Evidence:
    """The wave at the angle found against that at others, at random data."""
    variables = sorted((variables_of(f) | variables_of(made)) - {theta}, key=lambda v: v.name)
    rng = generator("angle", theta.name, *(v.name for v in variables))
    needed = sizes_in([f, made], variables)
    found = 0
    for _ in range(POINTS):
        sizes = random_sizes(needed, {}, rng, (), largest=5)
        point = random_point(variables, sizes, rng, 0, ()) if sizes is not None else None
        if point is None:
            continue
        best = np.asarray(evaluate([made], point)[0], float)
        heights = [
            float(evaluate([f], Point(point.sizes, {**point.values, theta: np.asarray(t)}))[0])
            for t in (best, *np.linspace(-np.pi, np.pi, 61))
        ]
        if max(heights[1:]) > heights[0] + 1e-9 * max(1.0, abs(heights[0])):
            return Evidence("refuted", points=found, method="other angles")
        found += 1
    return Evidence("checked" if found else "unknown", digits=9, points=found, method="the function at other angles")


def _longest(slope: Array, made: Array, theta: Var, ctx: Context) -> Evidence:
    """The linear function at the direction found against other directions, at random data."""
    variables = sorted(variables_of(slope) | variables_of(made), key=lambda v: v.name)
    rng = generator("direction", theta.name, *(v.name for v in variables))
    needed = sizes_in([slope, made], variables)
    found = 0
    for _ in range(POINTS):
        sizes = random_sizes(needed, {}, rng, (), largest=5)
        point = random_point(variables, sizes, rng, 0, ()) if sizes is not None else None
        if point is None:
            continue
        g, best = (np.asarray(a, float) for a in evaluate([slope, made], point))
        others = rng.standard_normal((200, len(g)))
        others /= np.linalg.norm(others, axis=-1, keepdims=True)
        if abs(np.linalg.norm(best) - 1) > 1e-9 or (others @ g > best @ g + 1e-9).any():
            return Evidence("refuted", points=found, method="other directions")
        found += 1
    return Evidence("checked" if found else "unknown", digits=9, points=found, method="the function in other directions")


def _one_after_the_other(likelihood: Array, thetas: list[Var], asked: Question, ctx: Context) -> Array:
    """Several parameters: one whose best value does not hang on the others is put in, then the next; where all hang
    together, the best of one given the others is put in, and is itself found last. First those that the support bounds."""
    found: dict[Array, Array] = {}
    rest = list(thetas)
    left = likelihood
    given_rest: dict[Var, Array] = {}  # the best of one, whatever the others are
    while rest:
        given_others: tuple[Var, Array] | None = None
        for t in sorted(rest, key=lambda t: not any(_ends(asked, t))):
            try:
                best = (
                    _end_of_support(asked, open_tensor(likelihood, ()), t, ctx)
                    or _direction(asked, left, t, ctx)
                    or _angle(left, t, ctx)
                    or optimum(left, t, (), 1, ctx, closed=True)
                )
            except CannotDerive:
                if rest != [t] or t not in given_rest or any(t in variables_of(a) for a in found.values()):
                    continue
                best = replace_arrays(given_rest[t], dict(found))
            given_rest.setdefault(t, best)
            if all(r is t or r not in variables_of(best) for r in rest):
                break
            given_others = given_others or (t, best)
        else:
            last = root_of_score(left, rest[0], ctx) if len(rest) == 1 else None
            if last is not None:
                given_others = rest[0], last
            if given_others is None:
                raise CannotDerive("the likelihood equations of these parameters hang together, and are not solved", left, HERE)
            t, best = given_others
        rest.remove(t)
        found[t] = best
        left = replace_arrays(left, {t: best})
        ctx.trace.add("profile", None, left, where=t.name, reason=f"the best {t.name} put in")
    for t in reversed(list(found)):
        found[t] = replace_arrays(found[t], {u: a for u, a in found.items() if u is not t})
    return one_vector([found[t] for t in thetas])
