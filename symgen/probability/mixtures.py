"""A target below a finite variable that nobody has seen: its law is a mixture over the values of that variable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.probability.collect import collected
from symgen.probability.conditional import log_mass, matched
from symgen.probability.conjugate import families_on, kernel_of, log_partition, recognised
from symgen.probability.densities import entry_log_density
from symgen.probability.distribution import Distribution
from symgen.probability.elimination import HERE, Question, log_joint, opened_in, quiet
from symgen.probability.finite import at_value, count_of, is_finite, up_to_a_shift
from symgen.probability.joint import expectation, opened_expectation
from symgen.probability.law import LAW, row_of
from symgen.probability.marginal import with_logs_of_powers
from symgen.probability.special import simplified
from symgen.probability.terms import factors_of, terms_of, with_value
from symgen.probability.walks import bottom_up
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Operation,
    Operator,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    delta,
    entry,
    fn,
    fresh_index,
    mul,
    open_sum,
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


@dataclass(frozen=True)
class Mixture:
    """`weights[k]`, the `parameters` over k, and the log-density."""

    family: str
    weights: Array
    parameters: dict[str, Array]
    log_density: Scalar


def mixture_over(q: Question) -> Var | None:
    """The one hidden variable, where it is finite and the target is not."""
    if len(q.hidden) != 1 or q.hidden[0].rank or is_finite(q.factor_of(q.targets[0]).law):
        return None
    return q.hidden[0] if is_finite(q.factor_of(q.hidden[0]).law) else None


def mixture_of(q: Question, c: Var, ctx: Context) -> Mixture:
    """sum_k w_k p(z | x, c = k), w_k proportional to p(x, c = k)."""
    (z,) = q.targets
    law = q.factor_of(c).law
    if z.rank:
        raise CannotDerive(f"the mixture of the posteriors of `{z.name}` has no rule", None, HERE)
    body = log_joint(q.factors, q.values, quiet(ctx))
    one = matched(body, z, q, quiet(ctx))
    mass = log_mass(body, one, z, ctx) if one is not None else None
    if one is None or mass is None:
        raise CannotDerive(f"the posterior of `{z.name}` given `{c.name}` is in no family of the table", None, HERE)
    row = row_of(one)
    assert row is not None
    k = fresh_index(count_of(c, law))
    weights = operation("softmax", (tensor([k], up_to_a_shift(at_value(mass, c, law, k), k)),), (k.size,))
    parameters = {
        n: tensor([k], collected(at_value(open_tensor(a, ()), c, law, k)))
        for n, a in zip(row.parameters, one.args, strict=False)
        if isinstance(a, Array)
    }
    many = operator(row.name, list(parameters.values()), (k.size,), (LAW,))
    density = fn("exp", entry_log_density(many, entry(z), (k,), quiet(ctx)))
    value = fn("log", total(mul(entry(weights, k), density), [k]))
    return Mixture(row.name, weights, parameters, value)


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
        apart = laws_apart(law, ctx) if len(draws) == 1 else None
        if apart is not None:
            axes = [fresh_index(s) for s in body.shape]
            means = [mul(weight, entry(expectation(body, [(v, one)]), *axes)) for weight, one in apart]
            done[node] = done[current] = tensor(axes, add(*means))
            continue
        parts = components_of(law, ctx) if len(draws) == 1 else by_label(draws) if len(draws) == 2 else None
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


def components_of(law: Array, ctx: Context) -> tuple[Array, Array] | None:
    """The weights and the components, one law over k, of a density that is a logsumexp of densities of one family."""
    if not isinstance(law, Operator) or law.name != "formula":
        return None
    z, log_density = law.attrs[1], law.args[0]
    outside, inside = ZERO, None
    for t in terms_of(opened_in(open_tensor(log_density, ()), z)):  # type: ignore[arg-type]
        if z not in variables_of(t):
            outside = add(outside, t)
        elif isinstance(t, Entry) and isinstance(t.array, Operation) and t.array.name == "logsumexp" and inside is None:
            inside = t.array.args[0]
        elif isinstance(t, Fn) and t.name == "log" and isinstance(t.args[0], Sum) and inside is None:
            term, indices = open_sum(t.args[0])
            inside = tensor(indices, log_of_term(term))
        else:
            return None
    if not isinstance(inside, Tensor) or inside.rank != 1:
        return None
    k = fresh_index(inside.shape[0])
    found = _family_of(open_tensor(inside, (k,)), z, ctx)
    if found is None:
        return None
    mass, row, parameters = found
    many = operator(row.name, [tensor([k], parameters[n]) for n in row.parameters], (k.size,), (LAW,))
    return tensor([k], _weight(add(mass, outside), ctx)), many


def laws_apart(law: Array, ctx: Context) -> list[tuple[Scalar, Array]] | None:
    """(weight, law) of each term of a density that is a sum of a few, of whatever families."""
    if not isinstance(law, Operator) or law.name != "formula" or len(law.attrs) < 5:
        return None
    z, body = law.attrs[1], open_tensor(law.operands[0], ())
    if not (isinstance(body, Fn) and body.name == "log" and isinstance(body.args[0], Add)):
        return None
    out: list[tuple[Scalar, Array]] = []
    for t in body.args[0].args:
        found = _family_of(log_of_term(t), z, ctx) if z in variables_of(t) else None
        if found is None:
            return None
        mass, row, parameters = found
        one = operator(row.name, [tensor((), parameters[n]) for n in row.parameters], (), (LAW,))
        out.append((_weight(mass, ctx), one))
    return out


def log_of_term(x: Scalar) -> Scalar:
    """log of a product, the exponents of exponentials and the logarithms of the rest added."""
    return add(*(f.args[0] if isinstance(f, Fn) and f.name == "exp" else fn("log", f) for f in factors_of(x)))


def _family_of(x: Scalar, z: Var, ctx: Context) -> tuple[Scalar, Distribution, dict[str, Scalar]] | None:
    """(logarithm of the mass, family, parameters) of exp(x) as a density of z up to its mass."""
    know = quiet(ctx)
    for row in families_on(z.domain):
        kernel = kernel_of(x, z, row, know)
        match = recognised(kernel, z, [row], know) if kernel is not None else None
        scale = log_partition(row, match.parameters, know) if match is not None else None
        if kernel is not None and match is not None and scale is not None:
            return add(kernel.constant, scale), row, {n: simplify_scalar(x, ctx.facts) for n, x in match.parameters.items()}
    return None


def _weight(mass: Scalar, ctx: Context) -> Scalar:
    return simplified(fn("exp", with_logs_of_powers(mass, quiet(ctx))))
