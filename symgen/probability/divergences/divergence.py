"""Divergences, entropies and expectations reduced: each from its definition, by the densities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.forms.collect import collected, with_shifts_cancelled
from symgen.probability.forms.conditions import guarded
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.one_form import proved_zero, vanishes
from symgen.probability.laws.combinators import inner_of_images
from symgen.probability.laws.counts import with_limits_at_zero
from symgen.probability.laws.cut_counts import is_cut
from symgen.probability.laws.densities import entry_of, log_density_at, log_density_terms, parameters
from symgen.probability.laws.joint import (
    DistRef,
    Factor,
    Joint,
    decode,
    divergence,
    draws_of,
    entropy,
    expectation,
    factor_log_density,
    full_law,
    inline,
    log_density,
    opened_expectation,
)  # fmt: skip
from symgen.probability.laws.law import row_of
from symgen.probability.laws.own_support import on_support, ranges_of
from symgen.probability.means.expectation import Divergent, Expectation
from symgen.probability.means.finiteness import verdict
from symgen.probability.means.own_density import mass_of, normalised_law, own_density
from symgen.probability.means.quadrature import check_mean, check_value, number_at
from symgen.probability.means.support import inclusion, mass_outside, may_lie_outside, support_said, without_support
from symgen.tensor.evaluate import Point
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    NAN,
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Index,
    Mul,
    Operator,
    Scalar,
    Var,
    add,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    open_tensor,
    operator,
    replace_arrays,
    scalar_of,
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

HERE = "symgen/probability/families/lemmas.py"


# --- bringing two distributions together ------------------------------------------------------------------------------


def aligned(q: DistRef, p: DistRef) -> dict[Var, Var]:
    """The variable of q that each variable of p is: by name, else by position."""
    names = {v.name: v for v in q.variables}
    if len(q.variables) != len(p.variables):
        raise CannotDerive(f"a divergence is between distributions over the same variables: {_over(q)} and {_over(p)}", None)
    if all(v.name in names for v in p.variables):
        return {v: names[v.name] for v in p.variables}
    return dict(zip(p.variables, q.variables, strict=True))


def _over(ref: DistRef) -> str:
    return ", ".join(f"`{v.name}`" for v in ref.variables)


def common_draws(q: DistRef, p: DistRef) -> tuple[list[tuple[Var, Array]], dict[Array, Array]]:
    """The draws of q, over all axes that q or p have, and what stands in p for its variables."""
    match = aligned(q, p)
    draws = draws_of(q)
    back = {w: v for v, w in match.items()}
    out: list[tuple[Var, Array]] = []
    renamed: dict[Array, Array] = {}
    for v, law in draws:
        other = back.get(v)
        shape = v.shape if len(v.shape) >= len(law.shape) else law.shape
        if other is not None:
            for candidate in (other.shape, *(f.law.shape for f in p.joint.factors if other in f.variables)):
                if len(candidate) > len(shape):
                    shape = candidate
        law = replace_arrays(law, renamed) if renamed else law
        new = var(v.name, shape, v.domain, "random", v.domain_args, 1)
        out.append((new, full_law(law, shape)))
        renamed[v] = new
    mapping: dict[Array, Array] = {w: renamed[v] for w, v in match.items() if v in renamed}
    return out, mapping


def log_of(ref: DistRef, values: dict[Var, Array]) -> Array:
    """The log-density of a reference at values, unreduced."""
    return log_density(ref, values)


def log_terms(ref: DistRef, values: dict[Var, Array], ctx: Context) -> list[tuple[Scalar, list[Index]]]:
    """The log-density as sums over independent components, where it is finite; an opaque part is one term."""
    out: list[tuple[Scalar, list[Index]]] = []
    whole = log_density(ref, values)
    for node in _density_nodes(whole):
        law = node.operands[0]
        at = node.operands[1]
        if row_of(law) is not None and isinstance(at, Array):
            out.append(log_density_terms(law, at, ctx))
        else:
            written = written_out(node, ctx)
            has_ends = is_cut(law) or ranges_of(law, ctx) is not None
            out.append((on_support(written) if has_ends else written, []))
    return out


def _density_nodes(whole: Array) -> list[Operator]:
    body = open_tensor(whole, ()) if not isinstance(whole, Operator) else scalar_of(whole)
    terms = body.args if type(body).__name__ == "Add" else (body,)
    nodes = []
    for t in terms:
        if not isinstance(t, Entry) or not isinstance(t.array, Operator):
            raise CannotDerive("this density has no form that symgen can take apart", t)
        nodes.append(t.array)
    return nodes


def written_out(node: Operator, ctx: Context) -> Scalar:
    """log p(x) with the density of a known law put in; as it is where the law is opaque."""
    if node.name != "log_density":
        return scalar_of(node)
    law, value = node.operands[0], node.operands[1]
    assert isinstance(law, Operator) and isinstance(value, Array)
    law = normalised_law(law, ctx)
    assert isinstance(law, Operator)
    if law.name == "Empirical":
        raise CannotDerive("the rows of data have no density: what weight a value has hangs on which rows are equal", node)
    if row_of(law) is not None:
        return log_density_at(law, value, ctx)
    if law.name == "formula":
        placeholder, normaliser = law.attrs[1], law.attrs[2]
        if normaliser:
            mass = mass_of(law)
            if mass is None:
                raise CannotDerive(f"the normaliser `{normaliser}` of this density is not found yet", node, HERE)
            return _at_copies(sub(own_density(law).log_f, fn("log", mass)), placeholder, value)
        assert isinstance(law.operands[0], Array)
        return _at_copies(open_tensor(law.operands[0], ()), placeholder, value)
    return scalar_of(node)


def _at_copies(log_f: Scalar, placeholder: Var, value: Array) -> Scalar:
    """The sum of log f over the entries of a value: the axes that it has before those of f are those of copies."""
    copies = [fresh_index(s) for s in value.shape[: len(value.shape) - len(placeholder.shape)]]
    if not copies:
        return open_tensor(replace_arrays(tensor((), log_f), {placeholder: value}), ())
    return total(replace_arrays(log_f, {placeholder: lambda *own: open_tensor(value, (*copies, *own))}), copies)


def difference_of_logs(q: DistRef, p: DistRef, values_q: dict[Var, Array], values_p: dict[Var, Array], ctx: Context) -> Scalar:
    """log q - log p, with the sums over equal axes joined so that equal parts cancel before any mean is taken."""
    groups: dict[tuple[Scalar, ...], list[tuple[Scalar, list[Index]]]] = {}
    for sign, ref, values in ((ONE, q, values_q), (MINUS_ONE, p, values_p)):
        for body, indices in log_terms(ref, values, ctx):
            groups.setdefault(tuple(i.size for i in indices), []).append((mul(sign, body), indices))
    out = []
    for sizes, parts in groups.items():
        common = [fresh_index(s) for s in sizes]
        body = add(*(substitute(b, dict(zip(i, common, strict=True))) for b, i in parts))
        out.append(total(body, common))
    return add(*out)


# --- steps ------------------------------------------------------------------------------------------------------------


def rank_zero(body: Scalar) -> Array:
    return tensor((), body)


def report(ctx: Context, engine: Expectation, before: Array, shown: Array, value: Array, final: Array) -> None:
    """The steps from a mean to its value: expanded, the lemmas, put in, collected."""
    if shown is not before:
        ctx.trace.add("linearity", before, shown, reason="the mean is linear; what does not depend on the draw goes out")
    for a in engine.applied.values():
        ctx.trace.add(
            "lemma", a.atom.array, _lemma_value(a.atom, a.value), reason=", ".join(a.lemmas), source=a.source,
            conditions=() if a.condition is ONE else (str(a.condition),),
        )  # fmt: skip
    for atom, why in engine.open.items():
        ctx.trace.notes.append(f"a mean stays as it is: {why}")
        ctx.trace.add("kept", atom.array, atom.array, reason=why)
    if value is not shown:
        ctx.trace.add("moments", shown, value, reason="the means put in")
    if final is not value:
        ctx.trace.add("collect", value, final, reason="collected")


def _lemma_value(atom: Entry, value: Scalar) -> Array:
    free = [i for i in atom.indices if isinstance(i, Index)]
    return tensor(free, value)


def reduced_mean(
    body: Scalar,
    draws: Sequence[tuple[Var, Array]],
    ctx: Context,
    before: Array,
    divergence: bool = False,
    condition: Scalar = ONE,
    outside: Callable[[Point], bool] | None = None,
) -> Scalar:
    """E body over draws, with its steps; infinite where `condition` fails."""
    body = with_limits_at_zero(body, draws)
    engine = Expectation(draws, ctx, divergence)
    try:
        pair = engine.mean(body)
    except Divergent as reason:
        ctx.trace.add("divergent", before, rank_zero(INF), reason=str(reason))
        ask_for_quadrature(body, draws, INF, ctx, outside)
        return INF
    # outside of the other's support a logarithm has no value: that is for the support step to say
    told, limit = told_of(body, draws, before, engine, ctx) if condition is ONE else (None, ONE)
    if told is not None:
        return told
    final = guarded(limit, collected(pair.value))
    shown, value = (rank_zero(with_shifts_cancelled(x)) for x in (pair.shown, pair.value))
    report(ctx, engine, before, shown, value, rank_zero(final))
    if condition is not ONE:
        inside, final = final, guarded(condition, final)
        ctx.trace.add("support", rank_zero(inside), rank_zero(final), reason="elsewhere the one has mass where the other has none")
    ask_for_quadrature(body, draws, final, ctx, outside)
    return final


def told_of(
    body: Scalar, draws: Sequence[tuple[Var, Array]], before: Array, engine: Expectation, ctx: Context
) -> tuple[Scalar | None, Scalar]:
    """What a mean is that does not exist or is infinite, where a part of it has no lemma; and the condition under which
    it is finite, a note where that was not found."""
    if not engine.open:
        return None, ONE
    found = verdict(body, draws, ctx)
    if found is None:
        return None, ONE
    if found.value is None:
        if found.condition is not None:
            ctx.trace.notes.append(f"the mean is infinite unless {found.condition}: {found.reason}")
        elif found.warning:
            ctx.trace.notes.append(found.warning)
        return None, found.condition or ONE
    result = tensor(sorted(body.free, key=lambda i: (i.kind, i.number)), found.value)
    ctx.trace.add("undefined" if found.value is NAN else "divergent", before, result, reason=found.reason)
    ctx.trace.notes.append(found.reason)
    ctx.trace.checks.append(found.evidence)
    return found.value, ONE


def ask_for_quadrature(
    body: Array | Scalar,
    draws: Sequence[tuple[Var, Array]],
    final: Array | Scalar,
    ctx: Context,
    outside: Callable[[Point], bool] | None = None,
) -> None:
    """Leave the referee its question: whether `final` is the mean of `body`."""
    ctx.trace.checks.append(lambda: check_mean(body, list(draws), final, ctx.facts, outside))


# --- expectations -----------------------------------------------------------------------------------------------------


def reduce_expectation(op: Operator, ctx: Context) -> Array:
    """E[x ~ p](f), entry by entry."""
    (body,), draws = opened_expectation(op)
    indices = [fresh_index(s) for s in body.shape]
    inner = entry_of(body, indices, ctx)
    inner = with_limits_at_zero(densities_written(inner, frozenset(v for v, _ in draws), ctx), draws)
    if all(v not in variables_of(inner) for v, _ in draws):
        result = tensor(indices, inner)
        ctx.trace.add("constant", op, result, reason="it does not depend on what is drawn")
        ctx.trace.checks.append(lambda: Evidence("proved", method="the mean of a constant"))
        return result
    draws = [(v, normalised_law(law, ctx)) for v, law in draws]
    engine = Expectation(draws, ctx)
    pair = engine.mean(inner)
    if pair.value is NAN and (whole := verdict(inner, draws, ctx)) is not None and whole.value in (INF, mul(MINUS_ONE, INF)):
        result = tensor(indices, whole.value)  # its terms are infinite with both signs, and one outweighs the other
        ctx.trace.add("divergent", op, result, reason=whole.reason)
        ctx.trace.checks.append(whole.evidence)
        return result
    told, limit = told_of(inner, draws, op, engine, ctx)
    if told is not None:
        return tensor(indices, told)
    if not engine.applied:
        stays = kept(op, ctx, engine)
        if limit is ONE:
            return stays
        made = tensor(indices, guarded(limit, entry(stays, *indices)))
        ctx.trace.add("divergent", stays, made, reason="elsewhere it has no bound", conditions=(str(limit),))
        return made
    final = guarded(limit, collected(pair.value))
    shown, value, made = tensor(indices, pair.shown), tensor(indices, pair.value), tensor(indices, final)
    report(ctx, engine, op, shown, value, made)
    asked, answer = (tensor(indices, densities_written(x, None, ctx)) for x in (inner, final))
    ask_for_quadrature(asked, draws, answer, ctx)
    return made


def kept(op: Operator, ctx: Context, engine: Expectation) -> Array:
    """A mean without closed form, as it was written; terms and factors that are not random go out."""
    (body,), draws = opened_expectation(op)
    variables = frozenset(v for v, _ in draws)
    indices = [fresh_index(s) for s in body.shape]
    outside, coefficient, inside = split_constants(entry_of(body, indices, ctx), variables)
    why = next(iter(engine.open.values()), "no lemma gives this mean")
    if why not in ctx.trace.notes:
        ctx.trace.notes.append(f"a mean stays as it is: {why}")
    ctx.trace.checks.append(ExpectationStays(why))
    if outside is ZERO and coefficient is ONE:
        return op
    inner = tensor(indices, inside)
    mean = operator("E", (inner, *(law for _, law in draws)), inner.shape, op.attrs)
    result = tensor(indices, add(outside, mul(coefficient, entry(mean, *indices))))
    ctx.trace.add("linearity", op, result, reason="what does not depend on the draw goes out")
    return result


@dataclass(frozen=True)
class ExpectationStays:
    """Nothing was shown: the result is the question."""

    why: str

    def __call__(self) -> Evidence:
        return Evidence("unknown", method="an expectation stays", tried=(self.why,))


def split_constants(x: Scalar, variables: frozenset[Var]) -> tuple[Scalar, Scalar, Scalar]:
    """a, c, f with x = a + c f, a and c not random."""

    def is_random(n: Scalar) -> bool:
        return not variables_of(n).isdisjoint(variables)

    terms = x.args if isinstance(x, Add) else (x,)
    outside = add(*(t for t in terms if not is_random(t)))
    inside = add(*(t for t in terms if is_random(t)))
    factors = inside.args if isinstance(inside, Mul) else (inside,)
    coefficient = mul(*(f for f in factors if not is_random(f)))
    return outside, coefficient, mul(*(f for f in factors if is_random(f)))


def with_laws_known(ref: DistRef, ctx: Context) -> DistRef:
    """The reference with densities of one's own as laws of the table, where they are."""
    factors = tuple(Factor(f.name, f.variables, f.given, normalised_law(f.law, ctx)) for f in ref.joint.factors)
    return DistRef(Joint(ref.joint.name, factors), ref.variables, ref.given)


def densities_written(x: Scalar, variables: frozenset[Var] | None, ctx: Context) -> Scalar:
    """Log-densities of known laws put in, where they depend on what is drawn; all of them where that is not said."""
    mapping: dict[Array, Any] = {}
    for n in walk(x):
        if not isinstance(n, Operator) or n.name != "log_density":
            continue
        if variables is None or not variables_of(n).isdisjoint(variables):
            law = n.operands[0]
            if isinstance(law, Operator) and (row_of(law) is not None or law.name == "formula"):
                mapping[n] = tensor((), written_out(n, ctx))
    return replace_arrays(x, mapping) if mapping else x


# --- Kullback-Leibler and its kin -------------------------------------------------------------------------------------


def reduce_kl(op: Operator, ctx: Context) -> Array:
    """KL(q || p) = E_q[log q - log p]; infinite where q has mass outside the support of p."""
    (q, p), _ = decode(op)
    if len(q.joint.factors) == len(p.joint.factors) == 1:
        inside = inner_of_images(q.joint.factors[0].law, p.joint.factors[0].law)
        if inside is not None:
            made = divergence("KL", inline(inside[0]), inline(inside[1]))
            assert isinstance(made, Operator)
            ctx.trace.add("invariance", op, made, reason="one injective function of both draws changes no divergence")
            return reduce_kl(made, ctx)
    q, p = with_laws_known(q, ctx), with_laws_known(p, ctx)
    draws, in_p = common_draws(q, p)
    in_q: dict[Var, Array] = {}
    for (v, _), (new, _) in zip(draws_of(q), draws, strict=True):
        in_q[v] = new
    values_p: dict[Var, Array] = {k: v for k, v in in_p.items() if isinstance(k, Var)}
    q_wide, p_wide = widened(q, in_q), widened(p, values_p)
    definition = expectation(rank_zero(sub(scalar_of(log_density(q_wide, in_q)), scalar_of(log_density(p_wide, values_p)))), draws)
    ctx.trace.add("definition", op, definition, reason="the definition of KL")
    condition = inclusion(q_wide, p_wide, in_q, values_p, ctx)
    outside = mass_outside(q_wide, p_wide, in_q, values_p, ctx)
    if condition is ZERO:
        return without_support(definition, q_wide, p_wide, ctx, outside)
    body = difference_of_logs(q_wide, p_wide, in_q, values_p, ctx)
    written = expectation(rank_zero(body), draws)
    ctx.trace.add("densities", definition, written, reason=f"the log-densities put in{support_said(q_wide, p_wide, condition)}")
    if any(row_of(law) is None for _, law in draws) and vanishes(body, ctx):
        return proved_zero(written, "both densities have one form", ctx)
    return rank_zero(reduced_mean(body, draws, ctx, written, True, condition, outside))


def widened(ref: DistRef, values: dict[Var, Array]) -> DistRef:
    """The reference with its laws as independent copies over the axes that the values have beyond them."""
    factors = []
    for f in ref.joint.factors:
        law = f.law
        v = f.variables[0]
        if v in values and len(values[v].shape) > len(law.shape):
            law = full_law(law, values[v].shape)
        factors.append(Factor(f.name, f.variables, f.given, law))
    return DistRef(Joint(ref.joint.name, tuple(factors)), ref.variables, ref.given)


def reduce_entropy(op: Operator, ctx: Context) -> Array:
    """H(p) = -E log p, differential where p is a density."""
    (p,), _ = decode(op)
    p = with_laws_known(p, ctx)
    return _minus_mean_log(op, p, p, ctx)


def reduce_cross_entropy(op: Operator, ctx: Context) -> Array:
    """H(q, p) = -E_q log p."""
    (q, p), _ = decode(op)
    q, p = with_laws_known(q, ctx), with_laws_known(p, ctx)
    return _minus_mean_log(op, q, p, ctx)


def _minus_mean_log(op: Operator, q: DistRef, p: DistRef, ctx: Context) -> Array:
    draws, in_p = common_draws(q, p)
    values: dict[Var, Array] = {k: v for k, v in in_p.items() if isinstance(k, Var)}
    wide = widened(p, values)
    definition = expectation(rank_zero(neg(scalar_of(log_density(wide, values)))), draws)
    ctx.trace.add("definition", op, definition, reason=f"the definition of {op.name.replace('_', ' ')}")
    condition: Scalar = ONE
    outside: Callable[[Point], bool] | None = None
    if p is not q:
        in_q: dict[Var, Array] = {v: new for (v, _), (new, _) in zip(draws_of(q), draws, strict=True)}
        condition = inclusion(widened(q, in_q), wide, in_q, values, ctx, of_data=True)
        outside = mass_outside(widened(q, in_q), wide, in_q, values, ctx)
        if condition is ZERO:
            return without_support(definition, q, wide, ctx, outside)
    body = neg(add(*(total(b, i) for b, i in log_terms(wide, values, ctx))))
    written = expectation(rank_zero(body), draws)
    ctx.trace.add("densities", definition, written, reason="the log-density put in")
    return rank_zero(reduced_mean(body, draws, ctx, written, True, condition, outside))


def reduce_log_density(op: Operator, ctx: Context) -> Array:
    """log p(x), with the density of a known law put in."""
    body = written_out(op, ctx)
    made = rank_zero(body)
    if made is not op:
        ctx.trace.add("density", op, made, reason=f"the density of {op.attrs[0]}")
        ctx.trace.checks.append(lambda: Evidence("proved", method="the density of the family put in"))
        if (found := may_lie_outside(op.operands[0], op.operands[1], ctx)) is not None:
            said, inside = found
            ctx.trace.condition(said)
            ctx.trace.may_lie_outside = True
            if ctx.outside:
                return rank_zero(where(inside, body, mul(MINUS_ONE, INF)))
    return made


def bound_of(op: Operator) -> tuple[DistRef, DistRef, dict[Var, Array]]:
    """q, p, and the values at which the factors of p stand: what is given, and the draws of q."""
    (q, p), options = decode(op)
    values = {v: options[key] for v, key in options.get("names", ())}
    by_name = {v.name: v for v in q.variables}
    for v in (*p.joint.variables, *p.joint.outside):
        if v.name in by_name and v not in values:
            values[v] = by_name[v.name]
    return q, p, values


def reduce_elbo(op: Operator, ctx: Context) -> Array:
    """ELBO = E_q[log p(x, z)] - E_q[log q] = E_q[log p(x | z)] - KL(q || p(z)), factor by factor."""
    q, p, values = bound_of(op)
    by_name = {v.name: v for v in q.variables}
    draws = draws_of(q)
    terms: list[Scalar] = []
    shown: list[Scalar] = []
    prior: list[Factor] = []
    before = list(ctx.trace.checks)
    for f in p.joint.factors:
        drawn = [v for v in f.variables if v.name in by_name]
        if drawn and len(drawn) == len(f.variables):
            prior.append(f)
        else:
            shown.append(scalar_of(expectation(factor_log_density(f, values), draws)))
    latent = DistRef(Joint(p.joint.name, tuple(prior)), tuple(v for f in prior for v in f.variables),
                     tuple(g for f in prior for g in f.given if g not in p.joint.variables))  # fmt: skip
    same = {v.name for v in latent.variables} == set(by_name)
    if same:
        kl = divergence("KL", q, latent)
        split = rank_zero(sub(add(*shown), scalar_of(kl)))
        ctx.trace.add("definition", op, split, reason="the evidence lower bound: reconstruction less divergence")
        assert isinstance(kl, Operator)
        terms.append(neg(scalar_of(reduce_kl(kl, ctx))))
    elif set(by_name) <= {v.name for f in p.joint.factors for v in f.variables}:  # one density of what is seen and what is not
        own = entropy(q)
        shown = [scalar_of(expectation(factor_log_density(f, values), draws)) for f in p.joint.factors]
        ctx.trace.add("definition", op, rank_zero(add(*shown, scalar_of(own))), reason="energy and entropy")
        assert isinstance(own, Operator)
        terms.append(scalar_of(reduce_entropy(own, ctx)))
    else:
        raise CannotDerive(
            "the prior of the joint is not over the variables that q draws", op, "symgen/probability/divergences/divergence.py"
        )
    for s in shown:
        inner = s.array if isinstance(s, Entry) else None
        assert isinstance(inner, Operator)
        terms.append(scalar_of(reduce_expectation(inner, ctx)))
    result = rank_zero(
        add(*(open_tensor(t.array, ()) if isinstance(t, Entry) and not isinstance(t.array, Operator) else t for t in terms))
    )
    open_means = [c for c in ctx.trace.checks if isinstance(c, ExpectationStays) and c not in before]
    if open_means:  # the bound is asked about as a whole, the mean that stays taken by quadrature
        inside = [factor_log_density(f, values) for f in p.joint.factors]
        logs = sub(add(*map(scalar_of, inside)), scalar_of(log_density(q, {v: v for v in q.variables})))
        whole = expectation(rank_zero(densities_written(logs, None, ctx)), draws)
        ctx.trace.checks[:] = [c for c in ctx.trace.checks if c not in open_means]
        written = rank_zero(densities_written(scalar_of(result), None, ctx))
        ctx.trace.checks.append(lambda: _by_its_definition(whole, written, draws, open_means[0], ctx))
    return result


def _by_its_definition(whole: Array, result: Array, draws: Sequence[tuple[Var, Array]], open_mean: Any, ctx: Context) -> Evidence:
    """Whether a bound in which a mean stays has the value of its definition; what is open, where that cannot be told."""
    drawn = [v for v, _ in draws]
    found = check_value(lambda point, level: number_at(whole, point, level), result, [whole], drawn, ctx.facts)
    return open_mean() if found.kind == "unknown" else found


__all__ = ["Knowledge", "fn", "entry", "parameters", "reduced_mean", "reduce_kl"]
