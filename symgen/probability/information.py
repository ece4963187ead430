"""Divergences and quantities of information beyond KL: from their definitions, in closed form where rules give one."""

from __future__ import annotations

from typing import Any

from symgen.calculus.gradient import gradient, jacobian
from symgen.calculus.optimum import optimum
from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.probability.collect import collected
from symgen.probability.conjugate import log_partition, natural
from symgen.probability.densities import log_density_at, parameters
from symgen.probability.divergence import (
    common_draws,
    difference_of_logs,
    rank_zero,
    reduce_expectation,
    reduce_kl,
    widened,
)  # fmt: skip
from symgen.probability.joint import DistRef, decode, divergence, draws_of, expectation, log_density
from symgen.probability.knowledge import Knowledge
from symgen.probability.law import LAW, row_of
from symgen.probability.posterior import marginal_law
from symgen.probability.reparameterisation import transform_of
from symgen.probability.support import inclusion
from symgen.probability.texts import scalar_text
from symgen.tensor.expression import (
    HALF,
    INF,
    ONE,
    TWO,
    ZERO,
    Array,
    Operator,
    Scalar,
    Var,
    add,
    compare,
    delta,
    divide,
    entry,
    fn,
    fold,
    fresh_index,
    logic,
    mul,
    neg,
    num,
    open_tensor,
    operator,
    power,
    replace_arrays,
    scalar_of,
    sub,
    tensor,
    total,
    var,
    where,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/information.py"


class Pairing:
    """Two distributions over one draw: x ~ p, with the log-densities of both there."""

    def __init__(self, p: DistRef, q: DistRef, ctx: Context) -> None:
        self.draws, in_q = common_draws(p, q)
        self.in_p: dict[Var, Array] = {v: new for (v, _), (new, _) in zip(draws_of(p), self.draws, strict=True)}
        self.in_q: dict[Var, Array] = {k: v for k, v in in_q.items() if isinstance(k, Var)}
        self.p, self.q, self.ctx = widened(p, self.in_p), widened(q, self.in_q), ctx
        self.inside = inclusion(self.p, self.q, self.in_p, self.in_q, ctx)
        self.outside = inclusion(self.q, self.p, self.in_q, self.in_p, ctx)

    @property
    def is_known(self) -> bool:
        """Whether both are laws of the table."""
        return all(row_of(f.law) is not None for r in (self.p, self.q) for f in r.joint.factors)

    def log_ratio(self) -> Scalar:
        """log p - log q at the draw."""
        if self.is_known:
            return difference_of_logs(self.p, self.q, self.in_p, self.in_q, self.ctx)
        return sub(scalar_of(log_density(self.p, self.in_p)), scalar_of(log_density(self.q, self.in_q)))

    def mean(self, body: Scalar) -> Operator:
        made = expectation(rank_zero(body), self.draws)
        assert isinstance(made, Operator)
        return made


def _quiet(ctx: Context) -> Context:
    return Context(Trace(), ctx.facts, ctx.names, ctx.deadline)


def power_integral(p: DistRef, q: DistRef, alpha: Scalar, ctx: Context) -> tuple[Scalar, Scalar] | None:
    """The log of the integral of p^alpha q^(1 - alpha) within a family, after the condition under which it is finite.

    A(alpha eta_p + (1 - alpha) eta_q) - alpha A(eta_p) - (1 - alpha) A(eta_q), summed over independent entries.
    Nielsen & Nock (2011).
    """
    pair = Pairing(p, q, ctx)
    if len(pair.p.joint.factors) != 1 or len(pair.q.joint.factors) != 1:
        return None
    law_p, law_q = pair.p.joint.factors[0].law, pair.q.joint.factors[0].law
    row = row_of(law_p)
    if row is None or row is not row_of(law_q) or not row.kernel or not row.is_univariate:
        return None
    indices = [fresh_index(s) for s in law_p.shape]
    a, b = parameters(law_p, ctx).scalars(indices), parameters(law_q, ctx).scalars(indices)
    mixed = [add(mul(alpha, x), mul(sub(ONE, alpha), y)) for x, y in zip(natural(row, a), natural(row, b), strict=True)]
    at = {n: scalar_text(t, {f"c{k + 1}": c for k, c in enumerate(mixed)}) for n, t in row.inverse.items()}
    parts = [log_partition(row, at, ctx), log_partition(row, a, ctx), log_partition(row, b, ctx)]
    if any(x is None for x in parts):
        return None
    value = add(parts[0], neg(mul(alpha, parts[1])), neg(mul(sub(ONE, alpha), parts[2])))  # type: ignore[arg-type]
    know = Knowledge(ctx)
    for scope in (a, b):
        for n, domain in row.parameters.items():
            if domain == "positive":
                know.assume_positive(scope[n])
    conditions: list[Scalar] = []
    for n, domain in row.parameters.items():
        if domain == "positive":
            radicand = at[n].args[0] if type(at[n]).__name__ == "Pow" else at[n]
            sign = know.positive(radicand)
            if sign is not True:
                conditions.append(ZERO if sign is False else compare("<", ZERO, radicand))
    condition = logic("and", *conditions)
    if condition.free and indices:
        condition = compare("==", fold("min", where(condition, ONE, ZERO), indices), ONE)
    return condition, total(value, indices)


def reduce_js(op: Operator, ctx: Context) -> Array:
    """JS(p, q) = 1/2 E_p[log p - log m] + 1/2 E_q[log q - log m], m = (p + q)/2."""
    (p, q), _ = decode(op)
    terms: list[Scalar] = []
    shown: list[Scalar] = []
    for first, second in ((p, q), (q, p)):
        pair = Pairing(first, second, ctx)
        if pair.inside is ZERO:  # no common mass: log p - log(p/2)
            shown.append(mul(HALF, fn("log", TWO)))
            terms.append(mul(HALF, fn("log", TWO)))
            continue
        ratio = pair.log_ratio()
        # log p - log((p + q)/2) = log 2 - log(1 + q/p)
        mean = pair.mean(sub(fn("log", TWO), fn("log", add(ONE, fn("exp", neg(ratio))))))
        shown.append(mul(HALF, scalar_of(mean)))
        terms.append(mul(HALF, _value(reduce_expectation(mean, ctx))))
    definition = rank_zero(add(*shown))
    ctx.trace.add("definition", op, definition, reason="the definition of JS, m = (p + q)/2")
    return rank_zero(collected(add(*terms)))


def _value(array: Array) -> Scalar:
    return open_tensor(array, ()) if not isinstance(array, Operator) else scalar_of(array)


def reduce_power(op: Operator, ctx: Context) -> Array:
    """renyi, chi2 and hellinger, by the integral of p^alpha q^(1 - alpha)."""
    (p, q), options = decode(op)
    alpha = {"renyi": None, "chi2": TWO, "hellinger": HALF}[op.name]
    if alpha is None:
        alpha = open_tensor(options["alpha"], ())
        if alpha is ONE:
            made = divergence("KL", p, q)
            assert isinstance(made, Operator)
            ctx.trace.add("definition", op, made, reason="the limit alpha = 1 is KL")
            return reduce_kl(made, ctx)
    pair = Pairing(p, q, ctx)
    if op.name == "hellinger" and pair.inside is ZERO and pair.outside is ZERO:
        return rank_zero(ONE)

    def finish(integral: Scalar) -> Scalar:
        if op.name == "renyi":
            return divide(fn("log", integral), sub(alpha, ONE))
        return sub(integral, ONE) if op.name == "chi2" else sub(ONE, integral)

    # E_p (p/q)^(alpha - 1)
    mean = pair.mean(fn("exp", mul(sub(alpha, ONE), pair.log_ratio())))
    definition = rank_zero(finish(scalar_of(mean)))
    ctx.trace.add("definition", op, definition, reason=f"the definition of {op.name}")
    if pair.inside is ZERO and op.name != "hellinger":
        result = rank_zero(INF)
        ctx.trace.add("support", definition, result, reason="p has mass where q has none")
        return result
    found = None if _is_finite(pair) else power_integral(p, q, alpha, ctx)
    if found is not None:
        condition, closed = found
        value = divide(closed, sub(alpha, ONE)) if op.name == "renyi" else finish(fn("exp", closed))
        result = rank_zero(where(logic("and", condition, pair.inside), collected(value), INF))
        ctx.trace.add("family", definition, result, reason="a product of powers of two densities of a family is of it",
                      source="Nielsen & Nock (2011)")  # fmt: skip
        return result
    if pair.inside is not ONE:
        raise CannotDerive(f"`{op.name}` of laws whose supports depend on parameters has no rule", op, HERE)
    return rank_zero(collected(finish(_value(reduce_expectation(mean, ctx)))))


def reduce_tv(op: Operator, ctx: Context) -> Array:
    """tv(p, q) = 1/2 E_p|1 - q/p| + half the mass of q where p has none."""
    (p, q), _ = decode(op)
    pair = Pairing(p, q, ctx)
    if pair.inside is ZERO and pair.outside is ZERO and not _overlap(pair):
        return rank_zero(ONE)
    if pair.outside is not ONE:
        if pair.inside is ONE:
            p, q = q, p
            pair = Pairing(p, q, ctx)
        else:
            raise CannotDerive("the total variation of laws on different supports has no rule", op, HERE)
    mean = pair.mean(fn("abs", sub(ONE, fn("exp", neg(pair.log_ratio())))))
    definition = rank_zero(mul(HALF, scalar_of(mean)))
    ctx.trace.add("definition", op, definition, reason="half the mean distance of the densities")
    return rank_zero(mul(HALF, _value(reduce_expectation(mean, ctx))))


def _is_finite(pair: Pairing) -> bool:
    rows = [row_of(f.law) for f in pair.p.joint.factors]
    return all(r is not None and r.region.kind in ("integers", "onehot") and r.region.high != "inf" for r in rows)


def _overlap(pair: Pairing) -> bool:
    rows = [row_of(f.law) for r in (pair.p, pair.q) for f in r.joint.factors]
    kinds = {row.region.discrete for row in rows if row is not None}
    return len(kinds) == 1


def reduce_fdiv(op: Operator, ctx: Context) -> Array:
    """D_f(p || q) = E_q f(p/q)."""
    (p, q), options = decode(op)
    (argument,) = options["argument"]
    pair = Pairing(q, p, ctx)
    if pair.outside is not ONE:
        raise CannotDerive("an f-divergence of laws on different supports has no rule", op, HERE)
    ratio = fn("exp", neg(pair.log_ratio()))
    body = replace_arrays(open_tensor(options["f"], ()), {argument: lambda: ratio})
    mean = pair.mean(body)
    ctx.trace.add("definition", op, mean, reason="the definition of an f-divergence")
    return reduce_expectation(mean, ctx)


def reduce_wasserstein(op: Operator, ctx: Context) -> Array:
    """W_2^2 of laws on the line that are increasing functions of one noise: E (x(eps) - y(eps))^2."""
    (p, q), _ = decode(op)
    pair = Pairing(p, q, ctx)
    laws = [r.joint.factors[0].law for r in (pair.p, pair.q)]
    rows = [row_of(law) for law in laws]
    if any(r is None or not r.is_univariate or r.shapes for r in rows):
        raise CannotDerive("the Wasserstein distance of these laws has no rule", op, HERE)
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


INCREASING = {"Normal", "Laplace", "Logistic", "Gumbel", "Exponential", "Uniform", "LogNormal", "Rayleigh", "Weibull",
              "Pareto", "Lomax", "HalfNormal"}  # fmt: skip
STANDARD: dict[str, tuple[str, tuple[int, ...]]] = {
    "normal": ("Normal", (0, 1)), "uniform": ("Uniform", (0, 1)), "exponential": ("Exponential", (1,)),
    "laplace": ("Laplace", (0, 1)), "logistic": ("Logistic", (0, 1)), "gumbel": ("Gumbel", (0, 1)),
}  # fmt: skip


def reduce_fisher(op: Operator, ctx: Context) -> Array:
    """I(theta)_ij = -E d^2 log p / d theta_i d theta_j, for laws whose support does not depend on theta."""
    (p,), options = decode(op)
    names = [k for k in sorted(options, key=lambda k: (len(k), k)) if k.startswith("parameter")]
    thetas: list[Array] = [options[k] for k in names]
    for f in p.joint.factors:
        row = row_of(f.law)
        if row is None:
            raise CannotDerive("the Fisher information of a density that is not known", op, HERE)
        if row.region.kind == "interval" and row.support != "real" and not isinstance(row.support, str):
            raise CannotDerive("the support depends on the parameters: the Fisher information does not exist", op)
    draws = draws_of(p)
    body = add(*(log_density_at(f.law, f.variables[0], _quiet(ctx)) for f in p.joint.factors))
    log_p = rank_zero(body)
    quiet = _quiet(ctx)
    if len(thetas) == 1:
        (theta,) = thetas
        slope = gradient(log_p, [theta], quiet)[theta]
        bend = slope if not theta.shape else None
        bend = gradient(slope, [theta], quiet)[theta] if bend is not None else jacobian(slope, theta, quiet)
        indices = [fresh_index(s) for s in bend.shape]
        mean = expectation(tensor(indices, neg(open_tensor(bend, indices))), draws)
    else:
        if any(t.shape for t in thetas):
            raise CannotDerive("the Fisher information of several parameters takes scalars", op, HERE)
        i, j = fresh_index(num(len(thetas))), fresh_index(num(len(thetas)))
        terms: list[Scalar] = []
        for a, s in enumerate(thetas):
            first = gradient(log_p, [s], quiet)[s]
            for b, t in enumerate(thetas):
                second = gradient(first, [t], quiet)[t]
                terms.append(mul(delta(i, num(a)), delta(j, num(b)), neg(open_tensor(second, ()))))
        mean = expectation(tensor([i, j], add(*terms)), draws)
    assert isinstance(mean, Operator)
    ctx.trace.add("definition", op, mean, reason="minus the mean curvature of the log-density")
    return reduce_expectation(mean, ctx)


def reduce_mle(op: Operator, ctx: Context) -> Array:
    """The parameter at which the log-likelihood is greatest."""
    (p,), options = decode(op)
    values: dict[Var, Any] = {v: options[k] for v, k in options.get("names", ())}
    thetas = [options[k] for k in options if k.startswith("parameter")]
    if len(thetas) != 1:
        raise CannotDerive("`mle` of several parameters at once has no rule: ask for them one by one", op, HERE)
    body = add(
        *(log_density_at(f.law, values.get(f.variables[0], f.variables[0]), _quiet(ctx)) for f in p.joint.factors)
    )
    likelihood = rank_zero(body)
    ctx.trace.add("definition", op, likelihood, reason="the log-likelihood, to be maximised")
    return optimum(likelihood, thetas[0], (), -1, ctx)


def reduce_mutual_information(op: Operator, ctx: Context) -> Array:
    """I(x; z) = E[log p(x | z) - log p(x)]: a joint normal, or finite laws, or what stays an E."""
    (p,), options = decode(op)
    x, z = options["x"], options["z"]
    factors = {f.variables[0]: f for f in p.joint.factors if len(f.variables) == 1}
    if len(x) != 1 or len(z) != 1 or x[0] not in factors or z[0] not in factors:
        raise CannotDerive("the mutual information of these variables has no rule", op, HERE)
    first, second = (x[0], z[0]) if z[0] in factors[x[0]].given else (z[0], x[0])
    if second not in factors[first].given:
        ctx.trace.add("independence", op, rank_zero(ZERO), reason="the two are independent")
        return rank_zero(ZERO)
    law = marginal_law(p, first, ctx)
    draws = draws_of(DistRef(p.joint, (first,), p.given))
    quiet = _quiet(ctx)
    body = sub(log_density_at(factors[first].law, first, quiet), log_density_at(law, first, quiet))
    mean = expectation(rank_zero(body), draws)
    assert isinstance(mean, Operator)
    ctx.trace.add("definition", op, mean, reason="the divergence of the joint from the product of the marginals")
    return reduce_expectation(mean, ctx)
