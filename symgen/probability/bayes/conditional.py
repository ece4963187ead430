"""The law of one variable of a joint given others: by matching statistics, by completing the square, by enumeration;
what nobody has seen is integrated out first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symgen.calculus.gradient import gradient
from symgen.derivation.context import Context
from symgen.probability.bayes.one_state import one_state_told
from symgen.probability.families.distribution import Distribution, Support
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.logs_undone import without_logs
from symgen.probability.forms.scaled import squared, unscaled, with_common_factors, with_shared_factors
from symgen.probability.forms.terms import depends_on_any, entries_in, opened, with_value
from symgen.probability.forms.walks import bottom_up, constants_opened
from symgen.probability.laws.counts_left import counted
from symgen.probability.laws.densities import log_density_at, parameters
from symgen.probability.laws.elimination import HERE, Question, log_joint, opened_in, question, speaks_of
from symgen.probability.laws.finite import by_enumeration, is_finite, summed_out
from symgen.probability.laws.intervals import slope_in
from symgen.probability.laws.joint import DistRef, Factor, Joint
from symgen.probability.laws.law import LAW, alternative_of, parameters_of, row_of
from symgen.probability.laws.matrix_regression import law_of_matrices
from symgen.probability.laws.thresholds import cut_at_thresholds, cut_of, has_thresholds, log_probability
from symgen.probability.means.compound import recognised_compound, recognised_t
from symgen.probability.means.conjugate import Kernel, families_on, kernel_of, recognised, tidy, with_support_of
from symgen.probability.means.draw import SupportKnowledge
from symgen.probability.means.expectation import Expectation
from symgen.probability.means.gaussian import by_completing_the_square, by_conditioning, graph_of
from symgen.probability.means.gig import generalised_inverse_gaussian
from symgen.probability.means.hidden_chains import is_chain, states_given, summed_over_paths
from symgen.probability.means.left_integrals import log_left_integral, range_of
from symgen.probability.means.own_density import log_integral
from symgen.probability.means.sequences import with_one_normal
from symgen.probability.means.state_spaces import filtered, is_gaussian_chain, smoothed, states_of
from symgen.probability.means.vector_kernels import constant_of, recognised_vector
from symgen.tensor.domains import DOMAINS
from symgen.tensor.expression import (
    INF,
    ONE,
    PI,
    TWO,
    ZERO,
    Array,
    Entry,
    Fn,
    Index,
    Num,
    Operator,
    Pow,
    Scalar,
    Tensor,
    Var,
    add,
    compare,
    depends_on,
    divide,
    entry,
    fn,
    fold,
    fresh_index,
    mul,
    neg,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

GAUSSIAN = ("Normal", "MvNormal")
SHORT = 6  # nodes of a parameter that needs no letter


@dataclass(frozen=True)
class Found:
    """The law of a target (None: it is in no family), and the log joint density as a function of it."""

    law: Array | None
    body: Scalar


def law_given(q: Question, ctx: Context, names: bool = True) -> Found:
    """The law of the one target given what is observed."""
    (z,) = q.targets
    q = with_one_normal(q, ctx)
    if len(q.factors) == 1 and not q.hidden:
        own = q.factors[0]
        return Found(own.law, log_joint(q.factors, q.values, ctx.quiet()))
    told = ctx if names else ctx.quiet()
    if is_gaussian_chain(q.factor_of(z).law):
        body = log_joint(q.factors, q.values, ctx.quiet())
        return Found(smoothed(filtered(states_of(q, z), told), z, told)[0], body)
    one = one_state_told(q, told)
    if one is not None:
        return Found(law_given(one, told, names).law, log_joint(q.factors, q.values, ctx.quiet()))
    if any(is_chain(law) or is_gaussian_chain(law) for law in (q.factor_of(h).law for h in q.hidden)):
        return Found(None, integrated(log_joint(q.factors, q.values, ctx.quiet()), list(q.hidden), q, told))
    of_matrices = law_of_matrices(q)
    if of_matrices is not None:
        return Found(of_matrices, log_joint(q.factors, q.values, ctx.quiet()))
    predicted = predictive(q, told)
    if predicted is not None:
        short, meant = with_letters(predicted)
        found = law_given(short, told, names)
        law = with_meanings(found.law, meant) if found.law is not None and meant else found.law
        return Found(law, replace_arrays(found.body, meant) if law is None else ZERO)
    fewer = without_normals(q, told)
    if fewer is not None:
        return Found(law_given(fewer, told, names).law, log_joint(q.factors, q.values, ctx.quiet()))
    means = mean_of_probabilities(q, ctx) if q.hidden else None
    if means is not None:
        return Found(means, log_joint(q.factors, q.values, ctx.quiet()))
    fewer = seen_given_target(q, told)
    if fewer is not None:
        return law_given(fewer, told, names)
    if (q.hidden and not are_numbers(q)) or is_read_through_a_matrix(q):
        law = by_conditioning(q, told, names)
        if law is not None:
            return Found(law, log_joint(q.factors, q.values, ctx.quiet()))
    body = integrated(log_joint(q.factors, q.values, ctx.quiet()), list(q.hidden), q, ctx)
    is_own = row_of(q.factor_of(z).law) is None  # a density of one's own
    return Found(None if is_own else matched(body, z, q, told), body)


def predictive(q: Question, ctx: Context) -> Question | None:
    """Where nothing hangs on the target: the question in which what is not seen has the laws that what is seen leaves
    it, p(y | x) = E[p(y | z)] over p(z | x)."""
    (y,) = q.targets
    own = q.factor_of(y)
    if not any(v in q.observed for f in q.factors for v in f.variables):
        return None
    if any(f is not own and y in speaks_of(f) for f in q.factors):
        return None
    factors = [f for f in q.factors if f is not own]
    made: list[Factor] = []
    seen = list(q.observed)
    for u in (v for f in factors for v in f.variables if v in q.hidden):
        rest = tuple(v for v in q.hidden if v not in seen and v is not u)
        mine = question(DistRef(Joint("", tuple(factors)), (u,)), [u], seen, q.values)
        if set(mine.hidden) - set(rest):
            return None
        try:
            law = law_given(mine, ctx).law
        except CannotDerive:
            return None
        if law is None:
            return None
        made.append(Factor("", (u,), (), law))
        seen.append(u)
    return Question((*made, own), (y,), (), q.hidden, q.values)


def without_normals(q: Question, ctx: Context) -> Question | None:
    """Where normal variables hang on scales that nobody has seen either: the question with the normal ones integrated
    out first, given the scales."""
    (y,) = q.targets
    names = {v: row.name for f in q.factors for v in f.variables if (row := row_of(f.law)) is not None}
    scales = [v for v in q.hidden if names.get(v) not in GAUSSIAN]
    if not scales or len(scales) == len(q.hidden) or names.get(y) not in GAUSSIAN:
        return None
    if any(v not in q.targets and v not in q.hidden for f in q.factors for v in f.variables):
        return None
    graph = graph_of(q, ctx, scales)
    law = graph.law_of(y) if graph is not None else None
    if not isinstance(law, Operator):
        return None
    operands = []
    for a in law.args:
        assert isinstance(a, Array)
        axes = [fresh_index(s) for s in a.shape]
        operands.append(tensor(axes, with_common_factors(unscaled(open_tensor(a, axes)))))
    law = operator(law.name, operands, law.shape, (LAW,))
    factors = [f for f in q.factors if set(f.variables) <= set(scales)]
    return Question((*factors, Factor("", (y,), (), law)), (y,), (), tuple(scales), q.values)


def with_letters(q: Question) -> tuple[Question, dict[Array, Array]]:
    """The question with the parameters of what is not seen, each as long as the data make it, under letters; and what
    these stand for."""
    hidden = set(q.hidden)
    meant: dict[Array, Array] = {}
    factors: list[Factor] = []
    for f in q.factors:
        row = row_of(f.law)
        if row is None or not hidden & set(f.variables) or len(f.law.attrs) > 1:
            factors.append(f)
            continue
        new: dict[Array, Array] = {}
        for (name, domain), a in zip(row.parameters.items(), f.law.args, strict=False):
            if isinstance(a, Tensor) and not variables_of(a) & hidden and len(set(walk(a))) > SHORT:
                letter = var(f"{name}_n", a.shape, domain if domain in DOMAINS else "real", "placeholder", uid=-90 - len(meant))
                new[a] = meant.setdefault(letter, a) and letter
        factors.append(Factor(f.name, f.variables, f.given, replace_arrays(f.law, new)) if new else f)
    return replace(q, factors=tuple(factors)), meant


def with_meanings(law: Array, meant: Mapping[Array, Array]) -> Array:
    """What letters stood for put back; the square of a root is what stands under it."""

    def rule(n: Scalar) -> Scalar:
        return squared(n.base) if isinstance(n, Pow) and n.exponent is TWO else n

    made = replace_arrays(law, meant)
    assert isinstance(made, Operator)
    operands = [tensor(a.axes, bottom_up(constants_opened(a.body), rule)) if isinstance(a, Tensor) else a for a in made.args]
    return operator(made.name, operands, made.shape, made.attrs)


def is_normal(law: Array) -> bool:
    row = row_of(law)
    return row is not None and row.name in GAUSSIAN


def is_entrywise(law: Array) -> bool:
    row = row_of(law)
    return row is not None and row.is_univariate


def mean_of_probabilities(q: Question, ctx: Context) -> Array | None:
    """A finite target on which nothing hangs has as probabilities the means of those that it is given."""
    (y,) = q.targets
    own = q.factor_of(y)
    if not is_finite(own.law) or any(f is not own and y in speaks_of(f) for f in q.factors):
        return None
    if any(v in q.observed for f in q.factors for v in f.variables) or len(q.hidden) != len(q.factors) - 1:
        return None
    p = own.law.args[0]
    assert isinstance(p, Array)
    if y.rank and not any(p is f.variables[0] and is_entrywise(f.law) for f in q.factors):
        return None  # entries that share what they hang on are not independent
    engine = Expectation([(f.variables[0], f.law) for f in q.factors if f is not own], ctx.quiet())
    axes = [fresh_index(s) for s in p.shape]
    mean = engine.mean(open_tensor(p, axes))
    if engine.open or not engine.applied:
        return None
    row = row_of(own.law)
    assert row is not None
    return operator(row.name, [tensor(axes, collected(mean.value))], y.shape, (LAW,))


def is_read_through_a_matrix(q: Question) -> bool:
    """A vector with a covariance matrix, seen with noise: as it is (a Gaussian process), or through noise of its own
    covariance matrix (a Kalman update). Then the gain is what people write."""
    (z,) = q.targets
    if not has_covariance(q.factor_of(z).law):
        return False
    return all(z in f.variables or has_covariance(f.law) or is_selection(f.law, z) for f in q.factors)


def is_selection(law: Array, z: Var) -> bool:
    """Whether the mean of a law is made of entries of z: all of them, or f[:n]."""
    mean = law.args[0] if isinstance(law, Operator) else None
    if not isinstance(mean, Array):
        return False
    body = opened(open_tensor(mean, [fresh_index(s) for s in mean.shape]), lambda n: z in variables_of(n))
    return isinstance(body, Entry) and body.array is z


def are_numbers(q: Question) -> bool:
    """Numbers of which arrays are seen: sums over the data tell all, without a matrix of them."""
    seen = [v for f in q.factors for v in f.variables if v in q.observed]
    return all(not v.rank for v in (*q.targets, *q.hidden)) and any(v.rank for v in seen)


def seen_given_target(q: Question, ctx: Context) -> Question | None:
    """Where a number is the target and normal variables stand between it and entries that are independent given it: the
    question with these integrated out, y | mu ~ N(mu, s^2 + t^2)."""
    (z,) = q.targets
    seen = [v for f in q.factors for v in f.variables if v in q.observed]
    if z.rank or not q.hidden or len(seen) != 1 or not seen[0].rank or any(not h.rank for h in q.hidden):
        return None
    own = [f for f in q.factors if z in f.variables]
    if any(z not in f.variables and row_of(f.law) is not None and row_of(f.law).name not in GAUSSIAN for f in q.factors):  # type: ignore[union-attr]
        return None
    if any(h in speaks_of(f) for f in own for h in q.hidden):
        return None
    graph = graph_of(q, ctx, [z])
    law = graph.law_of(seen[0]) if graph is not None else None
    if not isinstance(law, Operator) or law.name != "Normal":
        return None
    return Question((*own, Factor("", (seen[0],), (), law)), (z,), q.observed, (), q.values)


def has_covariance(law: Array) -> bool:
    row = row_of(law)
    return row is not None and row.name == "MvNormal" and alternative_of(law) is None


# --- one variable in a log joint density ------------------------------------------------------------------------------


def matched(body: Scalar, z: Var, q: Question, ctx: Context) -> Array | None:
    """The law whose log-density is `body` up to what is free of z; None where it is in no family of the table."""
    law = q.factor_of(z).law
    prior = row_of(law)
    assert prior is not None
    if z not in variables_of(body):
        return None
    if is_finite(law):
        return by_enumeration(body, z, law)
    if is_chain(law):
        try:
            return states_given(body, z, law, ctx)[0]
        except CannotDerive as error:
            if q.hidden:
                raise _beside_chain(z, q.hidden, error) from error
            raise
    if has_thresholds(q, z):
        return cut_at_thresholds(z, q, ctx, lambda b, v, r: matched(b, v, r, ctx))
    axes = [fresh_index(s) for s in z.shape]
    lows, highs = bounds(q, z, axes)
    if lows or highs:
        return _bounded(body, z, law, lows, highs, axes, ctx)
    is_angle = prior.name == "VonMises" or _ends_of(law, prior) == (neg(PI), PI)
    kind = "angle" if is_angle else prior.region.kind if prior.own_rank else "line"
    found = recognised_vector(body, z, kind, ctx)
    if found is not None or prior.name == "VonMises" or kind in ("sphere", "simplex", "spd", "onehot", "counts"):
        return found
    kernel = kernel_of(body, z, prior, ctx.quiet()) if prior.is_univariate else None
    if kernel is not None:
        found = _univariate(kernel, z, law, prior, ctx)
        if found is not None:
            return found
    if z.rank and prior.support in ("real", Support("vectors")):
        found = by_completing_the_square(body, z, ctx) or recognised_t(body, z, ctx.quiet())
    if found is None and not z.rank:
        found = recognised_compound(body, z, prior, ctx.quiet()) or _of_counts(body, z, q, ctx)
    return found


def _of_counts(body: Scalar, z: Var, q: Question, ctx: Context) -> Array | None:
    """The family of the table that a count from 0 is of by its lgammas."""
    left = counted(body, z, q, [], ctx.quiet())
    if left is None:
        return None
    return operator(left.family, [tensor((), a) for a in left.parameters.values()], (), (LAW,))


def _univariate(kernel: Kernel, z: Var, law: Array, prior: Distribution, ctx: Context) -> Array | None:
    rows = with_support_of(prior)
    if _ends_of(law, prior) == (ZERO, ONE):
        rows = families_on("unit")
    match = recognised(kernel, z, rows, ctx.quiet())
    if match is None and prior.fixed:
        at = parameters(law, ctx.quiet()).scalars(kernel.axes[len(kernel.axes) - len(law.shape) :])
        match = recognised(kernel, z, [prior], ctx.quiet(), {n: at[n] for n in prior.fixed})
    if match is None:
        return None
    operands = [tensor(kernel.axes, match.parameters[n]) for n in match.row.parameters]
    return operator(match.row.name, operands, z.shape, (LAW,))


def _ends_of(law: Array, row: Distribution) -> tuple[Scalar, Scalar] | None:
    """The ends of the interval that a law says by its parameters, as Uniform(0, 1) does."""
    if isinstance(row.support, str) or row.region.kind != "interval" or law.shape:
        return None
    p = parameters(law, Context())
    return p.value(row.region.low, ()).body, p.value(row.region.high, ()).body


def bounds(q: Question, z: Var, axes: Sequence[Index] = ()) -> tuple[list[Scalar], list[Scalar]]:
    """What z must not fall below, and not exceed, at its `axes`: where the support of another factor ends at z."""
    lows: list[Scalar] = []
    highs: list[Scalar] = []
    for f in q.factors:
        row = row_of(f.law)
        if row is None or z in f.variables or z not in variables_of(f.law):
            continue
        if row.own_rank or row.shapes or row.region.kind not in ("interval", "integers"):
            continue
        p = parameters(f.law, Context())
        value = q.values.get(f.variables[0], f.variables[0])
        every = [fresh_index(s) for s in value.shape]
        indices = every[len(every) - len(f.law.shape) :]
        for text, is_low in ((row.region.low, True), (row.region.high, False)):
            whole = p.value(text, indices).body if text not in ("inf", "-inf") else ZERO
            both = isinstance(whole, Fn) and whole.name == ("max" if is_low else "min")
            for end in whole.args if both else (whole,):
                if z not in variables_of(end):
                    continue
                end = opened_in(end, z)
                own = entries_in(end, frozenset((z,))) or []
                line = slope_in(end, own[0]) if len(own) == 1 and len(axes) == z.rank else None
                rises = Knowledge(Context()).positive(line[0]) if line is not None else None
                if line is None or rises is None:
                    raise CannotDerive(
                        f"the support of `{f.variables[0].name}` ends where `{z.name}` says: this has no rule", f.law, HERE
                    )
                at = divide(sub(entry(value, *every), line[1]), line[0])
                into, kind = (highs, "min") if is_low is rises else (lows, "max")
                places = {i: j for i, j in zip(own[0].indices, axes, strict=True) if i in every}
                for i, j in zip(own[0].indices, axes, strict=True):
                    if places.get(i) is not j:  # z[c[i]] of groups c: where c[i] is the group
                        at = where(compare("==", i, j), at, neg(INF) if kind == "max" else INF)
                others = [i for i in every if i not in places]
                into.append(substitute(fold(kind, at, others) if others else at, places))
    return lows, highs


def _bounded(
    body: Scalar, z: Var, law: Array, lows: Sequence[Scalar], highs: Sequence[Scalar], axes: Sequence[Index], ctx: Context
) -> Array | None:
    """z stays above what was seen: a Pareto remains one."""
    prior = row_of(law)
    if prior is None or prior.name != "Pareto" or highs:
        return None
    kernel = kernel_of(body, z, prior, ctx.quiet())
    if kernel is None or any(a is not fn("log", entry(z, *kernel.axes)) for a in kernel.statistics):
        return None
    least = entry(parameters_of(law)["xm"], *axes[len(axes) - len(law.shape) :])
    for low in lows:
        least = fn("max", least, low)
    slope = substitute(add(*kernel.statistics.values()), dict(zip(kernel.axes, axes, strict=True)))
    alpha = tidy(sub(neg(slope), ONE))
    return operator("Pareto", [tensor(axes, least), tensor(axes, alpha)], z.shape, (LAW,))


# --- integrating out --------------------------------------------------------------------------------------------------


def integrated(body: Scalar, hidden: list[Var], q: Question, ctx: Context, may_stay: bool = False) -> Scalar:
    """The log of the integral of exp(body) over `hidden`, those drawn last first, in whatever order has rules. The last
    of them may stay under its integral, where `may_stay`."""
    for u in (*q.targets, *hidden):
        know = SupportKnowledge(Knowledge(ctx), u, row_of(q.factor_of(u).law))
        body = without_logs(body, depends_on_any(frozenset((u,))), know)
    last_first = list(reversed(hidden))
    labels_last = sorted(last_first, key=lambda u: is_finite(q.factor_of(u).law))
    made, left, why = _one_by_one(body, last_first, q, ctx)
    if left and labels_last != last_first:  # a sum over labels is what no family integrates
        other = _one_by_one(body, labels_last, q, ctx)
        made, left, why = (made, left, why) if other[1] else other
    if not left:
        return made
    assert why is not None
    chains = [u for u in hidden if is_chain(q.factor_of(u).law)]
    unknown = [u for u in hidden if not is_chain(q.factor_of(u).law)]
    if chains and unknown:
        raise _beside_chain(chains[0], unknown, why)
    if not may_stay or len(left) > 1:
        raise why
    lows, highs = bounds(q, left[0], [fresh_index(s) for s in left[0].shape])
    span = range_of(left[0], q, lows, highs, ctx)
    if span is None:
        raise why
    return log_left_integral(made, left[0], span, bool(lows or highs), ctx)


def _one_by_one(body: Scalar, hidden: Sequence[Var], q: Question, ctx: Context) -> tuple[Scalar, list[Var], CannotDerive | None]:
    """What is left of `body` and of the hidden variables when each that has a rule is integrated out; why the first has none."""
    left = list(hidden)
    while left:
        why: CannotDerive | None = None
        for u in left:
            try:
                body = without(body, u, q, ctx)
            except CannotDerive as error:
                why = why or error
                continue
            left.remove(u)
            break
        else:
            return body, left, why
    return body, left, None


def _beside_chain(z: Var, unknown: Sequence[Var], why: CannotDerive) -> CannotDerive:
    """Why a sum over all paths of z does not go through what is unknown beside it, and what is to be done instead."""
    others = [u.name for u in unknown]
    names, (them, are) = " and ".join(f"`{name}`" for name in others), ("them", "are") if len(others) > 1 else ("it", "is")
    text = f"{names} {are} not integrated out beside the hidden chain `{z.name}`: each of its paths leaves {them} another law"
    way = f"The way out is mean field: give `{z.name}` and {names} a law q each, then `elbo(q, p)` is a lower bound (ELBO)"
    return CannotDerive(f"{text}. {way}, and `argmax(elbo(q, p), ..)` its best parameters", why.expression)


def without(body: Scalar, u: Var, q: Question, ctx: Context) -> Scalar:
    """The log of the integral of exp(body) over u."""
    own = q.factor_of(u)
    if is_finite(own.law):
        return summed_out(body, u, own.law)
    if is_chain(own.law):
        other = next((v for f in q.factors if is_chain(f.law) for v in f.variables if v is not u and v in q.hidden), None)
        if other is not None and other in variables_of(body):
            meet = f"`{u.name}` and `{other.name}` are hidden chains that meet in what is seen"
            text = f"{meet}: they are one chain over the pairs of their labels, which moves by the probabilities `kron(A, B)`"
            raise CannotDerive(text, None, HERE)
        return summed_over_paths(body, u, own.law, ctx)
    if is_gaussian_chain(own.law):
        return filtered(states_of(q, u), ctx).evidence
    if any(row_of(f.law) is None for f in q.factors):
        law = matched(body, u, q, ctx.quiet()) if row_of(own.law) is not None else None
        found = log_mass(body, law, u, ctx) if law is not None else None
        return log_integral(body, u, own.law, ctx) if found is None else with_common_factors(with_shared_factors(found))
    if has_thresholds(q, u):
        cut = cut_of(u, q, ctx.quiet(), lambda b, v, r: matched(b, v, r, ctx.quiet()))
        if cut is None or body is not log_joint(q.factors, q.values, ctx.quiet()):
            raise CannotDerive(f"`{u.name}` is not integrated out beside the number that it is compared with", None, HERE)
        rest = log_joint(cut.rest.factors, q.values, ctx.quiet())
        return add(without(rest, u, cut.rest, ctx), log_probability(cut))
    law = matched(body, u, q, ctx.quiet())
    if law is None and (left := counted(body, u, q, bounds(q, u, [fresh_index(s) for s in u.shape])[0], ctx.quiet())) is not None:
        return left.log_mass
    if law is None and (between := generalised_inverse_gaussian(body, u, own.law, ctx.quiet())) is not None:
        return between.log_mass
    if law is None and u.rank == 2 and is_normal(own.law):
        body, u = turned(body, u)
        law = by_completing_the_square(body, u, ctx.quiet())
    if law is None:
        raise CannotDerive(f"`{u.name}` is not integrated out: its law given the rest is in no family of the table", None, HERE)
    found = log_mass(body, law, u, ctx)
    if found is None:
        raise CannotDerive(f"`{u.name}` is not integrated out in closed form", None, HERE)
    return with_common_factors(with_shared_factors(found))


def _at_its_top(body: Scalar, mean: Array, z: Var, ctx: Context) -> Scalar:
    """A quadratic f at its top m: f(0) + m g/2, g its slope at 0."""
    at = [fresh_index(s) for s in z.shape]
    slope = open_tensor(gradient(tensor((), body), [z], ctx.quiet())[z], at)
    start, pull = (collected(with_value(opened_in(x, z), z, lambda *_: ZERO)) for x in (body, slope))
    return add(start, divide(total(mul(open_tensor(mean, at), pull), at), TWO))


def turned(body: Scalar, z: Var) -> tuple[Scalar, Var]:
    """The same of the transpose of a matrix z: its columns are apart, each with a scale of its own."""
    other = var(z.name, z.shape[::-1], "real", "random", uid=-98)
    made: Scalar = replace_arrays(body, {z: lambda i, j: entry(other, j, i)})
    return made, other


def log_mass(body: Scalar, law: Array, z: Var, ctx: Context) -> Scalar | None:
    """log of the integral of exp(body) over z, whose law given the rest is `law`: body - log p(z | rest), in which z
    cancels: read off at z = 0, or from what is free of the statistics."""
    row = row_of(law)
    assert row is not None
    mine = [a for a in law.args if isinstance(a, Tensor)]
    own = opened(unscaled(log_density_at(law, z, ctx.quiet())), lambda n: any(depends_on(n, a) for a in mine))
    if row.name == "MvNormal" and z.rank:
        mean = law.args[0]
        assert isinstance(law, Operator) and isinstance(mean, Array)
        top = collected(with_value(opened_in(own, z), z, lambda *i: open_tensor(mean, i)))
        return collected(sub(_at_its_top(body, mean, z, ctx), top))
    if row.name in GAUSSIAN:
        zero = [collected(with_value(opened_in(x, z), z, lambda *_: ZERO)) for x in (body, own)]
        return collected(sub(zero[0], zero[1]))
    if row.own_rank or row.name == "VonMises":
        a, b = constant_of(body, z), constant_of(own, z)
        if row.name == "VonMises":  # r cos(z - m) is no constant, whatever m
            kappa, axes = law.args[1], [fresh_index(s) for s in z.shape]
            assert isinstance(kappa, Array)
            b = neg(total(fn("log", mul(TWO, PI, fn("besseli", ZERO, open_tensor(kappa, axes)))), axes))
        return collected(sub(a, b)) if a is not None and b is not None else None
    first, second = kernel_of(body, z, row, ctx.quiet()), kernel_of(own, z, row, ctx.quiet())
    if first is None or second is None:
        return None
    if z.rank or set(first.statistics) == set(second.statistics):
        return collected(sub(first.constant, second.constant))
    # statistics in two forms, log(1 + y + z) and log(1 + z/(1 + y)): read off at one value
    at_zero = [collected(with_value(opened_in(x, z), z, lambda *_: ZERO)) for x in (body, own)]
    has_pole = any(isinstance(n, Num) and n.rational is None for x in at_zero for n in walk(x))
    return None if has_pole else collected(sub(at_zero[0], at_zero[1]))
