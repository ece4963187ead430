"""Maximum likelihood of parameters that hang together by the digamma function of their sum: Beta, Dirichlet, BetaPrime.

Each score is c (digamma(s) - digamma(theta_j)) + g_j, s the sum of all: theta_j is the inverse of digamma at
digamma(s) + g_j/c, and s is the root of one equation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from symgen.calculus.gradient import gradient
from symgen.calculus.root import by_halving, root
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.together import one_vector
from symgen.probability.laws.intervals import slope_in
from symgen.tensor.build import replace_scalars
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    ZERO,
    Array,
    Entry,
    Fn,
    Index,
    Scalar,
    Tensor,
    Var,
    add,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    open_tensor,
    operator,
    sub,
    substitute,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in

__all__ = ["best_by_total"]

POINTS = 12
FEWEST = 3
OTHERS = 60
SLACK = 1e-9
SOURCE = "Minka (2000), Estimating a Dirichlet distribution, 1"
AT_SUM, AT_ONE = (entry(var(name, (), "real", "placeholder", uid=-77)) for name in ("at_sum", "at_one"))


def best_by_total(likelihood: Array, thetas: Sequence[Var], ctx: Context) -> Array | None:
    """All parameters at once, numbers or one vector of them; None where the scores are not of this form."""
    if any(t.domain != "positive" or t.rank > 1 for t in thetas) or (len(thetas) > 1 and any(t.rank for t in thetas)):
        return None
    (first, *_) = thetas
    axis = [fresh_index(first.shape[0])] if first.rank else []
    if not axis and len(thetas) < 2:
        return None
    whole = total(entry(first, *axis), axis) if axis else add(*(entry(t) for t in thetas))
    slopes = gradient(likelihood, list(thetas), Context(facts=ctx.facts))
    parts = [_parts_of(open_tensor(slopes[t], tuple(axis)), entry(t, *axis), whole, thetas) for t in thetas]
    scales = {p[0] for p in parts if p is not None}
    if len(scales) != 1 or any(p is None for p in parts):
        return None
    (scale,) = scales
    if any(i in scale.free for i in axis) or Knowledge(ctx).positive(scale) is not True:
        return None
    levels = [divide(p[1], scale) for p in parts if p is not None]
    s = var("s", (), "positive", "placeholder", uid=-78)

    def at(where: Scalar, level: Scalar) -> Scalar:
        return fn("digammainv", add(fn("digamma", where), level))

    if axis:
        j: list[Index] = [fresh_index(first.shape[0])]
        back = total(at(entry(s), substitute(levels[0], dict(zip(axis, j, strict=True)))), j)
    else:
        back = add(*(at(entry(s), level) for level in levels))
    made = root(sub(back, entry(s)), s, "positive")
    found = [tensor(tuple(axis), at(made, level)) for level in levels]
    names = ", ".join(t.name for t in thetas)
    of_sum = f"the sum of {first.name}" if axis else " + ".join(t.name for t in thetas)
    asked = operator("grad", (likelihood, first), first.shape)
    falls = sub(fn("digamma", whole), fn("digamma", entry(first, *axis)))
    score = tensor(tuple(axis), add(mul(scale, falls), mul(scale, levels[0])))
    ctx.trace.add("score", asked, score, where=first.name, reason="0 at the maximum")
    given = f"{names} by the inverse of digamma, given s, {of_sum}; s is where they sum to it"
    reason = f"{given}: the likelihood is strictly concave, code halves an interval"
    result = found[0] if axis else one_vector(found)
    ctx.trace.add("root", None, result, where=names, reason=reason, source=SOURCE)
    ctx.trace.condition("there are parameters at which the score is 0: the data are not all one")
    level_arrays = [tensor(tuple(axis), level) for level in levels]
    ctx.trace.checks.append(lambda: _is_highest(likelihood, list(thetas), level_arrays, by_halving(result)))
    return result


def _parts_of(score: Scalar, theta: Scalar, whole: Scalar, thetas: Sequence[Var]) -> tuple[Scalar, Scalar] | None:
    """c and g of c (digamma(s) - digamma(theta)) + g."""
    assert isinstance(AT_SUM, Entry) and isinstance(AT_ONE, Entry)
    raw = collected(score)
    found: dict[Scalar, Scalar] = {fn("digamma", theta): AT_ONE}
    for n in walk(raw):
        if isinstance(n, Fn) and n.name == "digamma":
            a = n.args[0]
            named = isinstance(a, Entry) and isinstance(a.array, Tensor)  # a definition with a value of its own
            if (open_tensor(a.array, a.indices) if named else a) is whole:
                found[n] = AT_SUM
    opened = replace_scalars(raw, found)
    line = slope_in(opened, AT_SUM)
    other = slope_in(line[1], AT_ONE) if line is not None else None
    if line is None or other is None or line[0] is ZERO or collected(add(line[0], other[0])) is not ZERO:
        return None
    rest = collected(other[1])
    hidden = {AT_SUM.array, AT_ONE.array, *thetas}
    return None if hidden & (set(variables_of(rest)) | set(variables_of(line[0]))) else (collected(line[0]), rest)


def _solved(levels: np.ndarray) -> np.ndarray | None:
    """The parameters by steps of a fixed point in floats, from the levels g/c; None where there is no maximum."""
    theta: np.ndarray = np.ones_like(levels)
    for _ in range(200):
        scale = special.digamma(theta.sum()) + levels - special.digamma(theta)
        curve, shared = special.polygamma(1, theta), special.polygamma(1, theta.sum())
        b = np.sum(scale / curve) / (1 / shared - np.sum(1 / curve))  # Newton's step, by the formula of a matrix of rank 1
        step = (scale + b) / curve
        size = min(1.0, 0.5 / max(np.max(-step / theta), 1e-300))
        theta = theta + size * step
        if not np.all(np.isfinite(theta)) or theta.max() > 1e8:
            return None
        if np.max(np.abs(step) / theta) < 1e-13:
            return theta
    return None


def _is_highest(likelihood: Array, thetas: list[Var], levels: list[Array], result: Array) -> Evidence:
    """The result against the parameters found by Newton's steps, the likelihood there against that at others, at random data."""
    variables = [v for v in variables_of(likelihood) if v not in thetas]
    needed = sizes_in([likelihood, *levels], [*variables, *thetas])
    rng = generator("total", *sorted(v.name for v in variables))
    done = 0
    for _ in range(POINTS):
        sizes = random_sizes(needed, {}, rng, (), largest=5)
        point = random_point(variables, sizes, rng, 0, ()) if sizes is not None else None
        if point is None:
            continue
        try:
            at = np.concatenate([np.atleast_1d(np.asarray(a, float)) for a in evaluate(levels, point)])
            best = _solved(at) if np.all(np.isfinite(at)) and len(at) > 1 and np.sum(np.exp(at)) < 1 - 1e-6 else None
            if best is None:
                continue
            if not done and not np.allclose(np.asarray(evaluate([result], point)[0], float), best, rtol=1e-8):
                return Evidence("refuted", points=done, method="the parameters by Newton's steps")
            heights = []
            for k in range(OTHERS + 1):
                other = best * np.exp(rng.normal(size=len(best)) * (0.0 if not k else 10.0 ** -(k % 4)))
                values = {thetas[0]: other} if thetas[0].rank else dict(zip(thetas, other, strict=True))
                heights.append(float(evaluate([likelihood], Point(point.sizes, {**point.values, **values}))[0]))
        except NotEvaluable:
            continue
        if max(heights[1:]) > heights[0] + SLACK * max(1.0, abs(heights[0])):
            return Evidence("refuted", points=done, method="the likelihood at other parameters")
        done += 1
    if done < FEWEST:
        return Evidence("unknown", points=done, tried=("too few data have a maximum",))
    return Evidence("checked", digits=9, points=done, method="the likelihood at the parameters against that around them")
