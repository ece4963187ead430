"""Divergences and quantities of information beyond KL: from their definitions, in closed form where rules give one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgen.calculus.gradient import gradient, jacobian
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.bayes.conditional import law_given
from symgen.probability.bayes.marginal import known, log_density_given
from symgen.probability.divergences.divergence import (
    ExpectationStays,
    rank_zero,
    reduce_expectation,
    with_laws_known,
    written_out,
)  # fmt: skip
from symgen.probability.divergences.fisher_lemmas import settled_fisher
from symgen.probability.divergences.pairing import Pairing, has_formula
from symgen.probability.divergences.transport import between_coins, by_orbit, by_quantiles
from symgen.probability.families.quantile_functions import HEAVY
from symgen.probability.families.texts import read_array, scalar_text
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.logarithms import as_short
from symgen.probability.forms.scaled import scale_and_core, unscaled, with_roots_taken
from symgen.probability.forms.terms import log_of, opened
from symgen.probability.forms.together import one_matrix, one_vector, refuse_matrices
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.combinators import parts_of
from symgen.probability.laws.densities import log_density_at, parameters
from symgen.probability.laws.elimination import Question, question, speaks_of
from symgen.probability.laws.joint import (
    DistRef,
    Factor,
    decode,
    draws_of,
    entropy,
    expectation,
    factor_log_density,
    full_law,
    is_known,
    log_density,
)  # fmt: skip
from symgen.probability.laws.law import LAW, alternative_of, parameters_of, row_of
from symgen.probability.laws.own_support import on_support
from symgen.probability.laws.reparameterisation import transform_of
from symgen.probability.means.gaussian import GAUSSIAN, apart
from symgen.probability.means.normal_referee import check_information, is_linear_gaussian
from symgen.probability.means.quadrature import check_mean, check_value
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import (
    ONE,
    TWO,
    ZERO,
    Array,
    Fn,
    Operator,
    Pow,
    Scalar,
    Tensor,
    Var,
    Where,
    add,
    depends_on,
    entry,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    operator,
    power,
    sub,
    tensor,
    total,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.functions import FUNCTIONS
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/divergences/information.py"


def reduce_wasserstein(op: Operator, ctx: Context) -> Array:
    """W_2^2 of laws on the line that are increasing functions of one noise: E (x(eps) - y(eps))^2."""
    (p, q), _ = decode(op)
    pair = Pairing(p, q, ctx)
    laws = [r.joint.factors[0].law for r in (pair.p, pair.q)]
    rows = [row_of(law) for law in laws]
    names = {r.name for r in rows if r is not None}
    if None not in rows and "MvNormal" in names and names <= {"Normal", "MvNormal"}:
        return _wasserstein_of_normals(op, laws, ctx)
    if any(r is None or not r.is_univariate or r.shapes for r in rows):
        raise CannotDerive("the Wasserstein distance of these laws has no rule", op, HERE)
    orbit = by_orbit(op, laws[0], laws[1], ctx)
    if orbit is not None:
        return orbit
    crossing = between_coins(laws[0], laws[1], ctx)
    if crossing is not None:
        ctx.trace.add("coupling", op, rank_zero(crossing), reason="as much as may stays where it is")
        ctx.trace.checks.append(lambda: Evidence("proved", method="the mass that must move, over a distance of 1"))
        return rank_zero(crossing)
    if rows[0] is not rows[1] or rows[0].name not in INCREASING or rows[0].name in HEAVY:  # type: ignore[union-attr]
        by_levels = by_quantiles(op, laws[0], laws[1], ctx)
        if by_levels is not None:
            if keeps_means(by_levels) and any(r.region.discrete for r in rows if r is not None):
                raise CannotDerive(
                    "the Wasserstein distance of these counts has no closed form: their quantiles are steps", op, HERE
                )
            return by_levels
    forms = [transform_of(law) for law in laws]
    if any(f is None for f in forms) or rows[0] is not rows[1] or rows[0].name not in INCREASING:  # type: ignore[union-attr]
        raise CannotDerive("the Wasserstein distance of these laws has no rule", op, HERE)
    shape = laws[0].shape
    noise, text = forms[0]  # type: ignore[misc]
    eps = var("eps", shape, "real", "random", uid=1)
    indices = [fresh_index(s) for s in shape]
    a, b = (scalar_text(text, {**parameters(law, ctx).scalars(indices), "eps": entry(eps, *indices)}) for law in laws)
    standard = STANDARD[noise]
    made_law = operator(standard[0], [tensor(indices, num(v)) for v in standard[1]], shape, (LAW,))
    mean = expectation(rank_zero(total(power(sub(a, b), TWO), indices)), [(eps, made_law)])
    assert isinstance(mean, Operator)
    ctx.trace.add("definition", op, mean, reason="both are increasing functions of one noise: the optimal coupling",
                  source="Villani (2003), 2.18")  # fmt: skip
    return reduce_expectation(mean, ctx)


def _wasserstein_of_normals(op: Operator, laws: list[Array], ctx: Context) -> Array:
    """|m - b|^2 + tr(S + T - 2 (S^1/2 T S^1/2)^1/2); where the covariances commute, of the differences of their roots."""
    if any(law.rank != 1 for law in laws):
        raise CannotDerive("the Wasserstein distance of many normal vectors at once has no rule", op, HERE)
    scope: dict[str, Array] = {}
    for k, law in enumerate(laws):
        scope[f"m{k}"], scope[f"S{k}"] = _mean_and_covariance(law)
        diagonal = _variances(law)
        if diagonal is not None:
            scope[f"v{k}"] = diagonal
    scales = [scale_and_core(scope[f"S{k}"]) or (ONE, scope[f"S{k}"]) for k in (0, 1)]
    if "v0" in scope and "v1" in scope:
        text, reason = "sum((m0 - m1)^2 + (sqrt(v0) - sqrt(v1))^2)", "the covariances commute: entry by entry"
    elif scales[0][1] is scales[1][1]:
        scope |= {"c0": tensor((), scales[0][0]), "c1": tensor((), scales[1][0]), "S": scales[0][1]}
        text = "sum((m0 - m1)^2) + (sqrt(c0) - sqrt(c1))^2*tr(S)"
        reason = "the covariances are multiples of one matrix"
    else:
        text = "sum((m0 - m1)^2) + tr(S0) + tr(S1) - 2*tr(sqrtm(sqrtm(S0) @ S1 @ sqrtm(S0)))"
        reason = "the optimal coupling of normal vectors is linear"
    mine = [a for a in scope.values() if isinstance(a, Tensor) and ctx.name_of(a) is None]
    body = opened(open_tensor(read_array(text, scope), ()), lambda n: any(depends_on(n, a) for a in mine))
    made = tensor((), with_roots_taken(collected(body), ctx))
    ctx.trace.add("coupling", op, made, reason=reason, source="Givens & Shortt (1984)")

    def truth(point: Point, level: int) -> Any:
        """By eigenvalues of the product of the Cholesky factors."""
        (m, s), (b, t) = ([np.asarray(evaluate([scope[f"{n}{k}"]], point)[0], dtype=np.float64) for n in "mS"] for k in (0, 1))
        middle = np.linalg.cholesky(s).T @ t @ np.linalg.cholesky(s)
        return np.sum((m - b) ** 2) + np.trace(s + t) - 2 * np.sum(np.sqrt(np.maximum(np.linalg.eigvalsh(middle), 0)))

    ctx.trace.checks.append(lambda: check_value(truth, made, laws, (), ctx.facts, method="eigenvalues of the factors"))
    return made


def _mean_and_covariance(law: Array) -> tuple[Array, Array]:
    p = parameters_of(law)
    if "Sigma" in p:
        return p["mu"], p["Sigma"]
    return p["mu"], read_array("diag(sigma^2)", {"sigma": p["sigma"]})


def _variances(law: Array) -> Array | None:
    """The variances of independent components, where a law says that they are."""
    p, chosen = parameters_of(law), alternative_of(law)
    if "sigma" in p:
        return read_array("sigma^2", {"sigma": p["sigma"]})
    if chosen is not None and "diag" in chosen[1] and "low_rank" not in chosen[1]:
        return chosen[1]["diag"]
    i, j = fresh_index(law.shape[0]), fresh_index(law.shape[0])
    alone = apart(open_tensor(p["Sigma"], (i, j)), i, j)
    return None if alone is None else tensor([i], alone)


INCREASING = {"Normal", "Laplace", "Logistic", "Gumbel", "Exponential", "Uniform", "LogNormal", "Rayleigh", "Weibull",
              "Pareto", "Lomax", "HalfNormal", "LogLogistic", "Frechet"}  # fmt: skip
STANDARD: dict[str, tuple[str, tuple[int, ...]]] = {
    "normal": ("Normal", (0, 1)), "uniform": ("Uniform", (0, 1)), "exponential": ("Exponential", (1,)),
    "laplace": ("Laplace", (0, 1)), "logistic": ("Logistic", (0, 1)), "gumbel": ("Gumbel", (0, 1)),
}  # fmt: skip


def reduce_fisher(op: Operator, ctx: Context) -> Array:
    """I(theta)_ij = -E d^2 log p / d theta_i d theta_j, for laws whose support does not depend on theta."""
    (p,), options = decode(op)
    names = [k for k in sorted(options, key=lambda k: (len(k), k)) if k.startswith("parameter")]
    thetas: list[Array] = [options[k] for k in names]
    p = with_laws_known(p, ctx)
    for f in p.joint.factors:
        if not has_formula(f.law):
            raise CannotDerive("the Fisher information of a density that is not known", op, HERE)
        if parts_of(f.law) is not None:
            raise CannotDerive("the Fisher information of a mixture has no rule", op, HERE)
        moved = _support_moves(f.law, thetas, ctx)
        if moved is not None:
            raise CannotDerive(f"the support depends on `{moved}`: the Fisher information does not exist", op)
        pointing = _directions(f.law, thetas)
        if pointing is not None:
            raise CannotDerive(
                f"`{pointing}` is a direction of length 1, no free vector: its Fisher information has no rule", op, HERE
            )
    draws = draws_of(p)
    body = add(*(_log_density_on_support(f, ctx) for f in p.joint.factors))
    log_p = rank_zero(body)
    quiet = ctx.quiet()
    if has_kinks(log_p):  # the curvature lacks what stands at the kink
        slopes = [gradient(log_p, [t], quiet)[t] for t in thetas]
        product = outer_of_scores(slopes, op)
        mean = expectation(product, draws)
        ctx.trace.add("definition", op, mean, reason="the mean of the outer product of the score, where the density has a kink")
        places = [fresh_index(s) for s in product.shape]
        plain = expectation(tensor(places, without_squared_signs(open_tensor(product, places))), draws)
        assert isinstance(plain, Operator)
        if plain is not mean:
            ctx.trace.add("signs", mean, plain, reason="but at the kink, which has no mass")
        result = settled_fisher(reduce_expectation(plain, ctx), p, thetas, ctx)
        ctx.trace.checks.append(lambda: check_score(slopes, draws, result, ctx))
        return result
    refuse_matrices(thetas if len(thetas) > 1 else (), "the Fisher information", HERE)
    slopes = [gradient(log_p, [t], quiet)[t] for t in thetas]
    blocks: list[list[Array]] = []
    for slope in slopes:
        blocks.append([])
        for t in thetas:
            bend = gradient(slope, [t], quiet)[t] if not slope.shape else jacobian(slope, t, quiet)
            at = [fresh_index(s) for s in bend.shape]
            blocks[-1].append(tensor(at, neg(open_tensor(bend, at))))
    whole = blocks[0][0] if len(thetas) == 1 else one_matrix(blocks, thetas, thetas)
    mean = expectation(whole, draws)
    assert isinstance(mean, Operator)
    ctx.trace.add("definition", op, mean, reason="minus the mean curvature of the log-density")
    result = settled_fisher(reduce_expectation(mean, ctx), p, thetas, ctx)
    if keeps_means(result) and all(not b.shape for row in blocks for b in row):  # an entry that is known has no mean
        entries = [[reduce_expectation(expectation(b, draws), quiet) for b in row] for row in blocks]
        whole = entries[0][0] if len(thetas) == 1 else one_matrix(entries, thetas, thetas)
        if whole is not result:
            ctx.trace.add("entries", result, whole, reason="each entry by itself")
            result = whole
        # what stays is a number to the referee, which takes the mean of the products of the score
        ctx.trace.checks[:] = [c for c in ctx.trace.checks if not isinstance(c, ExpectationStays)]
    ctx.trace.checks.append(lambda: check_score(slopes, draws, result, ctx))
    return result


def _log_density_on_support(f: Factor, ctx: Context) -> Scalar:
    """The log-density where it is finite."""
    if row_of(f.law) is not None:
        return log_density_at(f.law, f.variables[0], ctx.quiet())
    node = factor_log_density(f, {})
    assert isinstance(node, Operator)
    return on_support(written_out(node, ctx.quiet()))


def keeps_means(array: Array) -> bool:
    return any(isinstance(n, Operator) and n.name == "E" for n in walk(array))


def _support_moves(law: Array, thetas: Sequence[Array], ctx: Context) -> str | None:
    """The first of the parameters that an end of the support depends on."""
    row = row_of(law)
    if row is None:
        assert isinstance(law, Operator)
        asked = [n.args[0] for n in walk(law.operands[0]) if isinstance(n, Where) and law.attrs[1] in variables_of(n.args[0])]
        return next((ctx.name_of(t) or str(t) for t in thetas if any(depends_on(c, t) for c in asked)), None)
    if not row.is_univariate or row.shapes or row.region.kind not in ("interval", "integers"):
        return None
    scope = parameters(law, ctx.quiet()).scalars([fresh_index(s) for s in law.shape])
    ends = [scalar_text(t, scope) for t in (row.region.low, row.region.high)]
    return next((ctx.name_of(t) or str(t) for t in thetas if any(depends_on(e, t) for e in ends)), None)


def _directions(law: Array, thetas: Sequence[Array]) -> str | None:
    """The name of a parameter in the direction of a law on the sphere."""
    row = row_of(law)
    if row is None or row.region.kind != "sphere" or "mu" not in row.parameters:
        return None
    direction = parameters_of(law)["mu"]
    return next((t.name for t in thetas if isinstance(t, Var) and depends_on(direction, t)), None)


def has_kinks(log_p: Array) -> bool:
    """Whether a slope jumps somewhere: at a kink of a function, or where the pieces of a density meet."""
    return any(
        (isinstance(n, Fn) and n.name in FUNCTIONS and bool(FUNCTIONS[n.name].kinks))
        or (isinstance(n, Where) and any(v.role == "random" for v in variables_of(n.args[0])))
        for n in walk(log_p)
    )


def outer_of_scores(slopes: list[Array], op: Array) -> Array:
    if len(slopes) == 1:
        rows = [fresh_index(s) for s in slopes[0].shape]
        columns = [fresh_index(s) for s in slopes[0].shape]
        return tensor([*rows, *columns], mul(open_tensor(slopes[0], rows), open_tensor(slopes[0], columns)))
    refuse_matrices(slopes, "the Fisher information", HERE)
    score = one_vector(slopes)
    i, j = fresh_index(score.shape[0]), fresh_index(score.shape[0])
    return tensor([i, j], mul(open_tensor(score, [i]), open_tensor(score, [j])))


def without_squared_signs(x: Scalar) -> Scalar:
    """sign(u)^2 as 1, which it is but where u = 0; the powers of pieces piece by piece."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Pow) and isinstance(n.base, Where):
            condition, a, b = n.base.args
            return where(condition, power(a, n.exponent), power(b, n.exponent))
        squared = isinstance(n, Pow) and n.exponent is TWO and isinstance(n.base, Fn) and n.base.name == "sign"
        return ONE if squared else n

    return bottom_up(x, rule)


def check_score(slopes: list[Array], draws: list[tuple[Var, Array]], result: Array, ctx: Context) -> Evidence:
    """The Fisher information is also the mean of the outer product of the score with itself."""
    return check_mean(outer_of_scores(slopes, result), draws, result, ctx.facts)


def reduce_mutual_information(op: Operator, ctx: Context) -> Array:
    """I(x; z) = H(x) - H(x | z) = E[log p(x | z) - log p(x)], what else the joint draws integrated out."""
    (p,), options = decode(op)
    x, z = options["x"], options["z"]
    if len(x) != 1 or len(z) != 1 or x[0] is z[0] or not {x[0], z[0]} <= set(p.joint.variables):
        raise CannotDerive("the mutual information of these variables has no rule", op, HERE)
    p = known(p, ctx)
    order = p.joint.variables
    first, second = (x[0], z[0]) if order.index(x[0]) > order.index(z[0]) else (z[0], x[0])
    outside = list(p.joint.outside)
    linked = question(p, [first], outside)
    below = question(p, [first], [second, *outside])
    if not any(second in speaks_of(f) for f in (*linked.factors, *below.factors)):
        ctx.trace.add("independence", op, rank_zero(ZERO), reason="the two are independent")
        ctx.trace.checks.append(lambda: Evidence("proved", method="the two are independent"))
        return rank_zero(ZERO)
    if not is_known(DistRef(p.joint, p.joint.variables)):
        parts = [entropy(DistRef(p.joint, chosen, p.given)) for chosen in ((first,), (second,), (second, first))]
        made = rank_zero(sub(add(entry(parts[0]), entry(parts[1])), entry(parts[2])))
        a, b = first.name, second.name
        ctx.trace.add("definition", op, made, reason=f"I({a}; {b}) = H({a}) + H({b}) - H({b}, {a})")
        ctx.trace.checks.append(lambda: Evidence("proved", method="by definition"))
        return made
    conditional = law_given(below, ctx, False).law
    if conditional is None:
        raise CannotDerive(f"the law of `{first.name}` is in no family: this information has no closed form", op, HERE)
    law, alone = _marginal(p, first, linked, outside, ctx)
    draws = [*draws_of(DistRef(p.joint, (second,), p.given)), (first, conditional)]
    quiet = ctx.quiet()
    body = sub(log_density_at(conditional, first, quiet), alone)
    mean = expectation(rank_zero(body), draws)
    assert isinstance(mean, Operator)
    logs = [factor_log_density(Factor(p.joint.name, (first,), (second,), conditional), {}),
            log_density(DistRef(p.joint, (first,), p.given)) if law is None
            else factor_log_density(Factor(p.joint.name, (first,), (), law), {})]  # fmt: skip
    definition = expectation(rank_zero(sub(entry(logs[0]), entry(logs[1]))), draws)
    ctx.trace.add("definition", op, definition, reason="the divergence of the joint from the product of the marginals")
    if second in {v for f in p.joint.factors if first in f.variables for v in (*f.given, *variables_of(f.law))}:
        ctx.trace.add("lemma", logs[1], rank_zero(alone), reason=f"the law of {first.name} alone, {second.name} integrated out")
    ctx.trace.add("densities", definition, mean, reason="the log-densities put in")
    both = question(DistRef(p.joint, (first, second), p.given), [first, second], outside, connected=False)
    if law is not None and all((row := row_of(one)) is not None and row.name in GAUSSIAN for one in (law, conditional)):
        alone_of, given_of = f"H({first.name})", f"H({first.name} | {second.name})"
        for log_p, one, words in ((logs[1], law, alone_of), (logs[0], conditional, given_of)):
            surprise = expectation(rank_zero(neg(entry(log_p))), draws)
            ctx.trace.add("lemma", surprise, rank_zero(_entropy_of(one, first, ctx)), reason=f"{words}, of a normal law")
        spreads = (_spread_of(one, first, ctx) for one in (law, conditional))
        made = rank_zero(as_short(collected(sub(*(with_logarithms_split(s, ctx) for s in spreads)))))
        ctx.trace.add("entropies", mean, made, reason=f"{alone_of} - {given_of}")
        ctx.trace.checks.append(
            lambda: check_information(both.factors, first, second, made, ctx) or check_mean(body, draws, made, ctx.facts)
        )
        return made
    before = len(ctx.trace.checks)
    made = reduce_expectation(mean, ctx)
    if is_linear_gaussian(both.factors):
        ctx.trace.checks[before:] = [
            lambda: check_information(both.factors, first, second, made, ctx) or check_mean(body, draws, made, ctx.facts)
        ]
    return made


def _marginal(p: DistRef, x: Var, linked: Question, outside: Sequence[Var], ctx: Context) -> tuple[Array | None, Scalar]:
    """The law of x, where it is in a family, and its log-density: that of a mixture is a sum over its parts."""
    try:
        law = law_given(linked, ctx, False).law
    except CannotDerive:
        law = None
    if law is not None:
        return law, log_density_at(law, x, ctx.quiet())
    return None, log_density_given(DistRef(p.joint, (x,), p.given), [x], outside, {}, ctx)[0]


def _entropy_of(law: Array, x: Var, ctx: Context) -> Scalar:
    """The entropy of a law whose row knows it."""
    law = full_law(law, x.shape)
    row = row_of(law)
    assert row is not None
    batch = [fresh_index(s) for s in law.shape[: len(law.shape) - row.own_rank]]
    return total(unscaled(parameters(law, ctx.quiet()).value(row.known["entropy"], batch).body), batch)


def with_logarithms_split(x: Scalar, ctx: Context) -> Scalar:
    """log(u v) = log u + log v, where u and v are known to be positive."""
    know = Knowledge(ctx)
    return bottom_up(x, lambda n: log_of(n.args[0], know) if isinstance(n, Fn) and n.name == "log" else n)


def _spread_of(law: Array, x: Var, ctx: Context) -> Scalar:
    """The entropy of the normal law of x, less what is the same for all of that dimension."""
    law = full_law(law, x.shape)
    row = row_of(law)
    assert row is not None
    batch = [fresh_index(s) for s in law.shape[: len(law.shape) - row.own_rank]]
    text = "log(sigma^2)/2" if row.name == "Normal" else "logdet(Sigma)/2"
    return total(unscaled(parameters(law, ctx.quiet()).value(text, batch).body), batch)
