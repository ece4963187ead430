"""The referee of posteriors: the log joint density less the log-density claimed must not hang on the variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgen.calculus.gradient import gradient
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.derivation.referee import check_equal_numeric
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.elimination import Question, log_joint, with_values_in
from symgen.probability.laws.finite import classes, counted_as_nothing, is_finite
from symgen.probability.laws.joint import Factor, full_law
from symgen.probability.laws.law import row_of
from symgen.probability.laws.own_support import on_support
from symgen.probability.means.hidden_chains import is_chain
from symgen.probability.means.normal_referee import check_normal
from symgen.probability.means.quadrature import PATIENCE, check_value, mean_at
from symgen.tensor.clock import spent
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate, size_of
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    compare,
    delta,
    entry,
    fn,
    fold,
    fresh_index,
    mul,
    open_tensor,
    replace_arrays,
    sub,
    tensor,
    var,
    variables_of,
    where,
)  # fmt: skip
from symgen.tensor.sample import generator, random_point, simple_sizes, sizes_in
from symgen.text.diagnostics import InternalError

VALUES = 4  # at which a posterior of counts or labels is looked at
Mean = tuple[Array, list[tuple[Var, Array]]]


def check_posterior(body: Scalar, log_q: Scalar, law: Array | None, z: Var, ctx: Context) -> Evidence:
    """log p(x, z) - log q(z) must not depend on z: its gradient by z, or its differences, vanish."""
    log_q = on_support(log_q)
    row = row_of(law) if law is not None else None
    by_values = z.domain in ("spd", "onehot", "simplex") or DOMAINS[z.domain].discrete
    if by_values or row is not None and (row.region.discrete or row.name == "Pareto"):
        return check_values(body, log_q, law, z, ctx)
    slope = gradient(tensor((), sub(body, log_q)), [z], ctx.quiet())[z]
    zero = tensor([fresh_index(s) for s in z.shape], ZERO)
    return check_equal_numeric(slope, zero, ctx.facts)


def check_values(body: Scalar, log_q: Scalar, law: Array | None, z: Var, ctx: Context) -> Evidence:
    """log p(x, z) - log q(z) at several values of z: they must agree, and both be -inf where one is."""
    both = [tensor((), counted_as_nothing(x)) for x in (body, log_q)]
    free = [v for v in variables_of(sub(body, log_q)) if v is not z]
    rng = generator("values", *sorted(v.name for v in free))
    roots = [*both, *([law] if law is not None else [])]
    assumptions = ctx.facts.assumptions if ctx.facts else ()
    for sizes in simple_sizes(sizes_in(roots, [*free, z]), {}, assumptions, top=3):
        if any(n < 2 for n in sizes.values()):
            continue
        done, worst = 0, 0.0
        for _ in range(6):
            point = random_point(free, sizes, rng, 0, assumptions)
            if point is None or done == 3:
                continue
            found, impossible = [], 0
            for _ in range(VALUES):
                point.values[z] = random_value(law, z, point, rng)
                try:
                    joint, claimed = (float(x) for x in evaluate(both, point))
                except NotEvaluable as error:
                    return Evidence("unknown", method="differences over its values", tried=(str(error),))
                if joint == claimed == -np.inf:
                    impossible += 1
                else:
                    found.append(joint - claimed)
            if not found or not np.all(np.isfinite(found)) or len(found) + impossible < VALUES:
                continue
            gap = max(found) - min(found)
            if not gap < 1e-8 * max(1.0, *map(abs, found)):
                raise InternalError(f"a posterior is not proportional to the joint density: {min(found)} and {max(found)}")
            worst, done = max(worst, gap), done + 1
        if done:
            return Evidence("checked", digits=12 if worst < 1e-12 else 8, points=done, method="differences over its values")
    return Evidence("unknown", method="differences over its values", tried=("no sizes were found",))


def random_value(law: Array | None, z: Var, point: Point, rng: Any) -> Any:
    """A value that z may take."""
    shape = tuple(size_of(s, point.sizes) for s in z.shape)
    row = row_of(law) if law is not None else None
    if row is not None and row.name == "OneHotCategorical":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if row is not None and row.name in ("Bernoulli", "Categorical"):
        assert law is not None
        count = 2 if row.name == "Bernoulli" else size_of(classes(law), point.sizes)
        return np.asarray(rng.integers(0, count, shape), dtype=np.float64)
    if row is not None and row.region.kind == "labels":
        assert isinstance(law, Operator) and isinstance(law.args[0], Array)
        return np.asarray(rng.integers(0, size_of(law.args[0].shape[-1], point.sizes), shape), dtype=np.float64)
    if row is not None and row.name == "Pareto":
        assert isinstance(law, Operator)
        low = np.asarray(evaluate([law.args[0]], point)[0], dtype=np.float64)
        return np.asarray(low * (1.1 + 3 * rng.random(shape)))
    if row is not None and row.region.discrete:
        return np.asarray(rng.integers(0, 6, shape), dtype=np.float64)
    made = random_point([z], point.sizes, rng, 0, ())
    return made.values[z] if made is not None else rng.normal(size=shape)


def check_integrated(q: Question, log_q: Scalar, ctx: Context) -> Evidence:
    """Where variables were integrated out: at two values of the target, the ratio of the densities against the ratio of
    the means of what is seen over the draws of what is not."""
    found = check_normal(q, log_q, ctx)
    if found is not None:
        return found
    (z,) = q.targets
    values = two_values(q, z)
    means = [mean_over_hidden(q, {**q.values, **at}) for at in values]
    if means[0] is None or means[1] is None:
        return Evidence("unknown", method="quadrature", tried=("nothing is seen of what was integrated out",))
    ends = [replace_arrays(log_q, at) if at else log_q for at in values]
    claim = tensor((), sub(*ends))

    def truth(point: Point, level: int) -> Any:
        found = [number_of(mean, point, level) for mean in means if mean is not None]
        if any(f is None for f in found):
            return None
        with np.errstate(all="ignore"):
            return np.asarray(np.log(found[0]) - np.log(found[1]))

    roots = [x for mean in means if mean is not None for x in (mean[0], *(law for _, law in mean[1]))]
    return check_value(truth, claim, roots, q.hidden, ctx.facts)


def two_values(q: Question, z: Var) -> tuple[dict[Var, Array], dict[Var, Array]]:
    """Two values of a target: itself and a twin; of labels that all are 0, and that the first is 1."""
    law = q.factor_of(z).law
    row = row_of(law)
    if not (is_finite(law) or is_chain(law)) or row is None or row.name == "OneHotCategorical":
        return {}, {z: var(f"{z.name}_twin", z.shape, z.domain, "placeholder", z.domain_args, uid=-61)}
    at = [fresh_index(s) for s in z.shape]
    return {z: tensor(at, ZERO)}, {z: tensor(at, mul(*(delta(i, ZERO) for i in at)))}


def check_log_mean(q: Question, result: Array, ctx: Context, less: Question | None = None) -> Evidence:
    """log p(seen) against the log of the mean of what is seen over the draws of what is not; of a conditional, less
    that of what it is given."""
    found = check_normal(q, result.args[0], ctx) if isinstance(result, Tensor) else None
    if found is not None:
        return found
    parts = [mean_over_hidden(x, x.values) for x in (q, less) if x is not None]
    if any(p is None for p in parts):
        return Evidence("unknown", method="quadrature", tried=("nothing is seen of what was integrated out",))
    means = [renamed(p, k) for k, p in enumerate(p for p in parts if p is not None)]

    def truth(point: Point, level: int) -> Any:
        found = [number_of(mean, point, level) for mean in means]
        if any(f is None for f in found):
            return None
        with np.errstate(all="ignore"):
            logs = [np.log(f) for f in found if f is not None]
        return np.asarray(logs[0] - logs[1] if len(logs) == 2 else logs[0])

    roots = [x for body, draws in means for x in (body, *(law for _, law in draws))]
    return check_value(truth, result, roots, [v for _, draws in means for v, _ in draws], ctx.facts)


def number_of(mean: Mean, point: Point, level: int) -> Any:
    """The mean by quadrature; None where a matrix of its nodes is singular to machine precision."""
    try:
        return mean_at(*mean, point, level, spent() + PATIENCE)
    except np.linalg.LinAlgError:
        return None


def renamed(mean: Mean, number: int) -> Mean:
    """The same mean over draws under other names: what is drawn here may be given elsewhere."""
    body, draws = mean
    new: dict[Array, Array] = {}
    out: list[tuple[Var, Array]] = []
    for v, law in draws:
        other = var(f"{v.name}_drawn", v.shape, v.domain, "random", v.domain_args, uid=-71 - number)
        out.append((other, replace_arrays(law, new)))
        new[v] = other
    return replace_arrays(body, new), out


def mean_over_hidden(q: Question, values: dict[Var, Array]) -> Mean | None:
    """The product of the densities of what is seen (or asked), and the draws over which its mean is p(seen, asked)."""
    seen = [f for f in q.factors if not set(f.variables) & set(q.hidden)]
    unseen = [with_values_in(f, values) for f in q.factors if set(f.variables) & set(q.hidden)]
    if not seen:
        return None
    inside = [inside_support(f, q, values) for f in seen]
    coins = [f for f in seen if (row := row_of(f.law)) is not None and row.name == "Bernoulli"]
    others = [f for f in seen if f not in coins]
    heights = [probability_of(f, values) for f in coins]  # no logarithm of what may be 0
    if others:
        heights.append(fn("exp", log_joint(others, values, Context())))
    body = tensor((), mul(*inside, *heights))
    return body, [(f.variables[0], full_law(f.law, f.variables[0].shape)) for f in unseen]


def probability_of(f: Factor, values: dict[Var, Array]) -> Scalar:
    """p x + (1 - p) (1 - x), multiplied over the entries of a Bernoulli."""
    x = values.get(f.variables[0], f.variables[0])
    law = full_law(with_values_in(f, values).law, x.shape)
    at = [fresh_index(s) for s in x.shape]
    p, own = open_tensor(law.args[0], at), entry(x, *at)  # type: ignore[arg-type]
    made = add(mul(p, own), mul(sub(ONE, p), sub(ONE, own)))
    return fold("prod", made, at) if at else made


def inside_support(f: Factor, q: Question, values: dict[Var, Array]) -> Scalar:
    """1 where the value of a factor lies in its support, as far as that hangs on what is hidden."""
    row = row_of(f.law)
    if row is None or row.own_rank or row.shapes or row.region.kind != "interval":
        return ONE
    p = parameters(replace_arrays(f.law, values), Context())
    value = values.get(f.variables[0], f.variables[0])
    at = [fresh_index(s) for s in value.shape]
    own = at[len(at) - len(f.law.shape) :]
    out: list[Scalar] = []
    for text, low in ((row.region.low, True), (row.region.high, False)):
        if text in ("inf", "-inf"):
            continue
        end = p.value(text, own).body
        if variables_of(end).isdisjoint(q.hidden):
            continue
        x = entry(value, *at)
        holds = compare("<=", end, x) if low else compare("<=", x, end)
        out.append(fold("prod", where(holds, ONE, ZERO), at) if at else where(holds, ONE, ZERO))
    return mul(*out)
