"""Maximum likelihood: the parameters at which the log-density of the data is greatest."""

from __future__ import annotations

from symgen.calculus.gradient import gradient
from symgen.calculus.optimum import optimum
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.collect import collected
from symgen.probability.conditional import bounds
from symgen.probability.elimination import Question, log_joint, quiet
from symgen.probability.joint import decode
from symgen.probability.knowledge import Knowledge
from symgen.probability.score_root import root_of_score
from symgen.probability.together import one_vector, refuse_matrices
from symgen.probability.vector_kernels import statistics_of
from symgen.tensor.expression import (
    Array,
    Operator,
    Scalar,
    Var,
    add,
    entry,
    fn,
    mul,
    open_tensor,
    replace_arrays,
    tensor,
    total,
    variables_of,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/likelihood.py"


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
    body = log_joint(p.joint.factors, values, quiet(ctx))
    likelihood = tensor((), body)
    ctx.trace.add("log_likelihood", op, likelihood, reason="to be maximised")
    if len(thetas) > 1:
        asked = Question(p.joint.factors, (), drawn, (), values)
        return _one_after_the_other(likelihood, [t for t in thetas if isinstance(t, Var)], asked, ctx)
    (theta,) = thetas
    if isinstance(theta, Var):
        at_the_end = _end_of_support(Question(p.joint.factors, (), drawn, (), values), body, theta, ctx)
        if at_the_end is not None:
            return at_the_end
        if theta.domain == "simplex":
            likelihood = _counted(body, theta, likelihood, ctx)
    try:
        return optimum(likelihood, theta, (), 1, ctx)
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
    slope = collected(open_tensor(gradient(tensor((), body), [theta], quiet(ctx))[theta], ()))
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
                best = _end_of_support(asked, open_tensor(likelihood, ()), t, ctx) or optimum(left, t, (), 1, ctx)
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
