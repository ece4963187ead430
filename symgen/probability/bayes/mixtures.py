"""A target below a finite variable that nobody has seen: its law is a mixture over the values of that variable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from symgen.algebra.collect import is_stochastic
from symgen.derivation.context import Context
from symgen.probability.bayes.conditional import integrated, law_given, log_mass, matched
from symgen.probability.bayes.one_state import THEN, one_state_told
from symgen.probability.forms.collect import collected
from symgen.probability.forms.terms import with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.combinators import parts_of
from symgen.probability.laws.densities import entry_log_density
from symgen.probability.laws.elimination import HERE, Question, log_joint, opened_in, question
from symgen.probability.laws.finite import at_value, count_of, is_finite, up_to_a_shift
from symgen.probability.laws.joint import DistRef, Factor, expectation, opened_expectation
from symgen.probability.laws.law import LAW, row_of
from symgen.probability.means.apart import components_of, laws_apart
from symgen.probability.means.gaussian import free_name
from symgen.probability.means.hidden_chains import is_chain
from symgen.probability.means.state_spaces import is_gaussian_chain
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Entry,
    Fn,
    Index,
    Num,
    Operation,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    delta,
    entry,
    fn,
    fresh_index,
    mul,
    num,
    open_tensor,
    operation,
    operator,
    replace_arrays,
    sub,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

FEW = 4  # components that are written out


@dataclass(frozen=True)
class Mixture:
    """`weights[k]` of the values of a `label`, the `parameters` over k, the log-density as it is told, and as a logsumexp,
    which does not underflow."""

    label: str
    family: str
    weights: Array
    parameters: dict[str, Array]
    log_density: Scalar
    log_sum: Scalar


def with_labels(q: Question) -> Question:
    """A number that nobody has seen, drawn from a mixture of laws of one family, as drawn below a label."""
    factors: list[Factor] = []
    labels: list[Var] = []
    for f in q.factors:
        parts = parts_of(f.law)
        unseen = len(f.variables) == 1 and f.variables[0] in q.unseen and not f.variables[0].rank
        rows = {row.name if (row := row_of(law)) is not None else "" for _, law in parts} if isinstance(parts, list) else {""}
        if not unseen or not isinstance(parts, list) or len(rows) > 1 or rows == {""} or any(len(a.attrs) > 1 for _, a in parts):
            factors.append(f)
            continue
        c = var(f"{f.variables[0].name}_part", (), "label", "random", (num(len(parts)),), uid=-63 - len(labels))
        k = fresh_index(num(len(parts)))
        weights = tensor([k], add(*(mul(delta(k, num(i)), w) for i, (w, _) in enumerate(parts))))
        operands = []
        for several in zip(*(law.args for _, law in parts), strict=True):
            own = [mul(delta(entry(c), num(i)), entry(a)) for i, a in enumerate(several) if isinstance(a, Array)]
            operands.append(tensor((), add(*own)))
        labels.append(c)
        factors += [Factor("", (c,), (), operator("Categorical", (weights,), (), (LAW,))),
                    Factor(f.name, f.variables, (*f.given, c), operator(rows.pop(), operands, (), (LAW,)))]  # fmt: skip
    return replace(q, factors=tuple(factors), hidden=(*labels, *q.hidden)) if labels else q


def mixture_given(
    p: DistRef, q: Question, observed: list[Var], values: dict[Var, Any], ctx: Context
) -> tuple[Question, Mixture] | None:
    """The law of a target as a mixture over a label that nobody has seen, drawn apart or at one time of a hidden chain, and
    the question that it answers."""
    (z,) = q.targets
    label = mixture_over(q)
    if label is not None:
        try:
            return q, mixture_of(q, label, ctx)
        except CannotDerive:
            if len(q.hidden) == 1:
                raise
    of_state = of_one_label(p, q, observed, values, ctx) if not z.rank and len(q.hidden) in (1, 2) else None
    label = mixture_over(of_state) if of_state is not None else None
    return (of_state, mixture_of(of_state, label, ctx)) if of_state is not None and label is not None else None


def of_one_label(p: DistRef, q: Question, observed: list[Var], values: dict[Var, Any], ctx: Context) -> Question | None:
    """Where the target hangs on one state of a hidden chain, or on one label drawn from such a state: the question in which
    that one has the law that all that is seen leaves it."""
    one = one_state_told(q, ctx.quiet())
    if one is None or len(one.hidden) < 2:
        return one
    (z,) = q.targets
    last = [u for u in one.hidden if u in variables_of(one.factor_of(z).law)]
    read = [f for f in q.factors if z not in f.variables and any(v in variables_of(f.law) for v in (z, *last))]
    if len(last) != 1 or last[0].rank or read:
        return None
    law = law_given(question(p, last, observed, values), ctx.quiet()).law
    if law is None:
        return None
    label = Factor("", (last[0],), (), law)
    return Question((label, one.factor_of(z)), one.targets, (), (last[0],), one.values)


def mixture_over(q: Question) -> Var | None:
    """The one finite number that is hidden, where the target is not finite."""
    labels = [v for v in q.hidden if is_finite(q.factor_of(v).law)]
    if len(labels) != 1 or labels[0].rank or is_finite(q.factor_of(q.targets[0]).law):
        return None
    others = [q.factor_of(v).law for v in q.hidden]
    return None if any(is_chain(law) or is_gaussian_chain(law) for law in others) else labels[0]


def mixture_of(q: Question, c: Var, ctx: Context) -> Mixture:
    """sum_k w_k p(z | x, c = k), w_k proportional to p(x, c = k)."""
    (z,) = q.targets
    law = q.factor_of(c).law
    if z.rank:
        raise CannotDerive(f"the mixture of the posteriors of `{z.name}` has no rule", None, HERE)
    body = integrated(log_joint(q.factors, q.values, ctx.quiet()), [v for v in q.hidden if v is not c], q, ctx)
    one = matched(body, z, q, ctx.quiet())
    mass = log_mass(body, one, z, ctx) if one is not None else None
    if one is None or mass is None:
        raise CannotDerive(f"the posterior of `{z.name}` given `{c.name}` is in no family of the table", None, HERE)
    row = row_of(one)
    assert row is not None
    k = fresh_index(count_of(c, law))
    weights = _softmax(up_to_a_shift(at_value(mass, c, law, k), k), k)
    parameters = {
        n: tensor([k], collected(at_value(open_tensor(a, ()), c, law, k)))
        for n, a in zip(row.parameters, one.args, strict=False)
        if isinstance(a, Array)
    }
    label = c.name.removesuffix(THEN)
    letter = free_name("w", ctx, weights, *parameters.values())
    ctx.trace.add("name", None, weights, where=letter, reason=f"named: the probabilities of the values of {label}")
    ctx.trace.names[weights] = letter
    number = k.size.rational if isinstance(k.size, Num) else None
    many = operator(row.name, list(parameters.values()), (k.size,), (LAW,))
    density = entry_log_density(many, entry(z), (k,), ctx.quiet())
    log_sum = entry(operation("logsumexp", (tensor([k], add(fn("log", entry(weights, k)), density)),), ()))
    if number is None or number > FEW:
        value = fn("log", total(mul(entry(weights, k), fn("exp", density)), [k]))
        return Mixture(label, row.name, weights, parameters, value, log_sum)
    parts: list[Scalar] = []
    for at in (num(i) for i in range(int(number))):
        own = operator(row.name, [tensor((), open_tensor(a, (at,))) for a in parameters.values()], (), (LAW,))
        parts.append(mul(entry(weights, at), fn("exp", entry_log_density(own, entry(z), (), ctx.quiet()))))
    return Mixture(label, row.name, weights, parameters, fn("log", add(*parts)), log_sum)


def _softmax(logits: Scalar, k: Index) -> Array:
    """softmax(log p) is p where p sums to 1."""
    inside = logits.args[0] if isinstance(logits, Fn) and logits.name == "log" else None
    if isinstance(inside, Entry) and inside.indices[-1] is k and is_stochastic(inside.array):
        return tensor([k], inside)
    return operation("softmax", (tensor([k], logits),), (k.size,))


# --- means under a mixture --------------------------------------------------------------------------------------------


def by_components(f: Array, ctx: Context) -> Array:
    """E[x ~ mixture](g) as E[u ~ components](sum_k w_k g(u_k)): what has nodes, a sampler and a reparameterisation."""
    done: dict[Array, Array] = {}
    for node in list(walk(f)):
        if not (isinstance(node, Operator) and node.name == "E"):
            continue
        current = replace_arrays(node, done) if done else node
        (body, *_), draws = opened_expectation(current)
        if any(v.rank for v, _ in draws):
            continue
        v, law = draws[-1]
        apart = parts_of(law) or laws_apart(law, ctx) if len(draws) == 1 else None
        if isinstance(apart, list):
            axes = [fresh_index(s) for s in body.shape]
            means = [mul(weight, entry(expectation(body, [(v, one)]), *axes)) for weight, one in apart]
            done[node] = done[current] = tensor(axes, add(*means))
            continue
        parts = apart or components_of(law, ctx) if len(draws) == 1 else by_label(draws) if len(draws) == 2 else None
        if parts is None:
            continue
        weights, law = parts
        many = var(v.name, law.shape, v.domain, "random", v.domain_args, v.uid)
        axes, k = [fresh_index(s) for s in body.shape], fresh_index(law.shape[0])
        at = written_out(opened_in(open_tensor(body, axes), v), v)
        if len(draws) == 2:
            at = at_value(opened_in(at, draws[0][0]), *draws[0], k)
        here = entry(many, k)
        inside = total(mul(entry(weights, k), with_value(at, v, lambda *_, here=here: here)), [k])
        done[node] = done[current] = expectation(tensor(axes, inside), [(many, law)])
    return replace_arrays(f, done) if done else f


def by_label(draws: Sequence[tuple[Var, Array]]) -> tuple[Array, Array] | None:
    """The weights and the laws over the labels of a first draw that is finite."""
    (c, labels), (_, law) = draws
    row = row_of(law)
    if not is_finite(labels) or row is None or not row.is_univariate or len(law.attrs) > 1:
        return None
    k = fresh_index(count_of(c, labels))
    p = labels.args[0]
    assert isinstance(p, Array)
    off = [delta(k, ZERO), delta(k, ONE)]
    weight = entry(p, k) if p.rank else add(mul(off[0], sub(ONE, entry(p))), mul(off[1], entry(p)))
    parameters = [tensor([k], at_value(opened_in(open_tensor(a, ()), c), c, labels, k)) for a in law.args if isinstance(a, Array)]
    return tensor([k], weight), operator(row.name, parameters, (k.size,), (LAW,))


def written_out(x: Scalar, v: Var) -> Scalar:
    """logsumexp of what is drawn as log(sum(exp)): entry by entry."""

    def rule(n: Scalar) -> Scalar:
        if not (isinstance(n, Entry) and isinstance(n.array, Operation) and n.array.name == "logsumexp"):
            return n
        inside = n.array.args[0]
        if v not in variables_of(inside) or not isinstance(inside, Tensor):
            return n
        j = fresh_index(inside.shape[-1])
        return fn("log", total(fn("exp", opened_in(open_tensor(inside, (*n.indices, j)), v)), [j]))

    return bottom_up(x, rule)
