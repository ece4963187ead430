"""How a gradient passes through a mean whose law hangs on what it is taken by, chosen law by law, with its reason.

Where the draw is a smooth function of noise, through that function (reparameterisation.py); where it is moved and
stretched only, through location and scale; where its distribution function is known and what stands below the mean does
not jump, by the implicit function theorem (implicit.py); else by the score function. Williams (1992); Kingma & Welling
(2014); Figurnov et al. (2018).
"""

from __future__ import annotations

from symgen.derivation.context import Context
from symgen.probability.divergences.images import on_what_is_mapped
from symgen.probability.estimation.implicit import implicitly_moved
from symgen.probability.families.orbits import ORBITS
from symgen.probability.families.texts import names_in, scalar_text
from symgen.probability.forms.special import simplified
from symgen.probability.laws.densities import log_density_at, parameters
from symgen.probability.laws.joint import expectation, full_law, is_expectation, opened_expectation
from symgen.probability.laws.law import law_of_row, row_of
from symgen.probability.laws.own_support import on_support, ranges_of
from symgen.probability.laws.reparameterisation import (
    frozen,
    is_continuous,
    name_draw,
    standard_noise,
    transform_of,
    with_draws_apart,
)
from symgen.probability.laws.vector_images import image_in_parts
from symgen.probability.means.jumps import jumps_in, kinks_in
from symgen.probability.means.own_density import normalised_law
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    Array,
    Operator,
    Scalar,
    Var,
    Where,
    add,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    tensor,
    variables_of,
    walk,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["with_estimators"]

HERE = "symgen/probability/estimation/estimators.py"

Draws = list[tuple[Var, Array]]


def is_unknown_function(body: Array, drawn: set[Var]) -> bool:
    """Whether a function that is not known is taken at a draw: no gradient passes through it."""
    return any(isinstance(n, Operator) and n.name == "apply" and not variables_of(n).isdisjoint(drawn) for n in walk(body))


def hangs_on(array: Array, x: Array | None) -> bool:
    """Whether x stands in it; without x, whether anything that is trained does."""
    if x is None:
        return any(v.role == "param" for v in variables_of(array))
    return x in set(walk(array))


def with_estimators(f: Array, ctx: Context, x: Array | None = None, order: int = 1) -> Array:
    """`f` with each E so written that its derivatives of that order by `x` are right when the laws are held fixed."""
    done: dict[Array, Array] = {}
    for node in list(walk(f)):
        if not (isinstance(node, Operator) and node.name == "E" and is_expectation(node)):
            continue
        current = replace_arrays(node, done) if done else node
        if any(is_own(law) for _, law in opened_expectation(current)[1]) and (x is None or x in set(walk(current))):
            current = normalised(current, ctx)
        (body,), draws = opened_expectation(current)
        if current is not node:
            done[node] = current
        if any(not has_density(law) for _, law in draws):
            continue
        broken = (jumps_in if order == 1 else kinks_in)(body, {v for v, law in draws if is_continuous(law)})
        if any(hangs_on(n, x) for n in broken):
            text = "where what is differentiated by moves a jump" if order == 1 else "where what is differentiated by moves a kink"
            raise CannotDerive(f"the derivative of this mean has a part {text}, which symgen does not derive", current, HERE)
        if x is not None and all(x not in set(walk(law)) for _, law in draws):
            continue
        blind = is_unknown_function(body, {v for v, _ in draws})
        if broken and any(support_moves(law, x, ctx) and not is_own(law) for _, law in draws):
            raise CannotDerive(
                "the derivative of this mean has a part at the end of the support, which symgen does not derive", current, HERE
            )
        if not blind and not broken:
            if all(transform_of(law) is not None for _, law in draws):
                continue
            moved = moved_and_stretched(current, x, ctx)
            if moved is None and order == 1:
                moved = implicitly_moved(current, x, ctx)
            if moved is not None:
                done[node] = moved
                continue
        at_ends: list[Scalar] | None = []
        if any(is_own(law) and support_moves(law, x, ctx) for _, law in draws):
            at_ends = moving_ends(current, x, ctx) if order == 1 else None
        if at_ends is None:
            raise CannotDerive(
                "the derivative of this mean has a part at the end of the support, which symgen does not derive", current, HERE
            )
        mean = weighted(current, order, ctx)
        done[node] = tensor((), add(entry(mean), *at_ends)) if at_ends else mean
        families = ", ".join(sorted({name_of(law) for _, law in draws if transform_of(law) is None}))
        why = f"a draw of {families} is no smooth function of noise"
        if broken:
            why = "what stands below the mean jumps" if order == 1 else "what stands below the mean bends"
        if blind:
            why = "no gradient passes through a function that is not known"
        reason = f"{why}: the score function, grad E f = E[grad f + f grad log q]"
        if at_ends:
            reason += ", and by the rule of Leibniz what stands at the ends that move, f q times their derivative"
        ctx.trace.add("score function", node, current, reason=reason, source="Williams (1992)")
        ctx.trace.notes.append(reason)
    return with_draws_apart(replace_arrays(f, done)) if done else f


def is_own(law: Array) -> bool:
    return isinstance(law, Operator) and law.name == "formula"


def normalised(op: Operator, ctx: Context) -> Operator:
    """E over what is mapped to an image, and under densities of one's own with their normalisers."""
    quiet = ctx.quiet()
    op = on_what_is_mapped(op, quiet, lambda law: image_in_parts(law) is not None)
    (body,), draws = opened_expectation(op)
    made = expectation(body, [(v, normalised_law(law, quiet)) for v, law in draws])
    assert isinstance(made, Operator)
    return made


def support_moves(law: Array, x: Array | None, ctx: Context) -> bool:
    """Whether an end of the support hangs on x."""
    row = row_of(law)
    if row is None:
        assert isinstance(law, Operator)
        if not is_own(law):
            return hangs_on(law, x)
        place = law.attrs[1]
        asked = [n.args[0] for n in walk(law.operands[0]) if isinstance(n, Where) and place in variables_of(n.args[0])]
        return any(hangs_on(tensor(sorted(c.free, key=str), c), x) for c in asked)
    ends = [t for t in (row.region.low, row.region.high) if names_in(t) & row.parameters.keys()]
    if not ends or row.own_rank or row.shapes:
        return False
    scope = parameters(law, ctx).scalars([fresh_index(s) for s in law.shape])
    return any(hangs_on(tensor(sorted(s.free, key=str), s), x) for s in (scalar_text(t, scope) for t in ends))


def has_density(law: Array) -> bool:
    """Whether the density is known with its normaliser."""
    return row_of(law) is not None or (isinstance(law, Operator) and law.name == "formula" and not law.attrs[2])


def name_of(law: Array) -> str:
    if isinstance(law, Operator) and law.name == "formula":
        return str(law.attrs[3]) or "a density of one's own"
    return law.name if isinstance(law, Operator) else "a law"


def log_of_density(law: Operator, v: Var, ctx: Context) -> Scalar:
    if law.name == "formula":
        return on_support(open_tensor(replace_arrays(law.operands[0], {law.attrs[1]: v}), ()))
    return log_density_at(law, v, ctx)


def moving_ends(op: Operator, x: Array | None, ctx: Context) -> list[Scalar] | None:
    """What stands at the ends of a support that move, to first order: f q held there, times how far they move; None where a
    density of one's own jumps at more than its ends, or is of several variables."""
    (body,), draws = opened_expectation(op)
    if len(draws) != 1 or body.rank or draws[0][0].rank:
        return None
    ((v, law),) = draws
    assert isinstance(law, Operator)
    spans, log_q = ranges_of(law, ctx), log_of_density(law, v, ctx)
    asked = [n.args[0] for n in walk(log_q) if isinstance(n, Where) and v in variables_of(n.args[0])]
    if spans is None or len(spans) != 1 or any(hangs_on(tensor((), c), x) for c in asked):
        return None
    held: dict[Array, Array] = {a: frozen(a, ctx) for a in variables_of(law) if a.role not in ("random", "placeholder")}
    out: list[Scalar] = []
    for sign, end in zip((MINUS_ONE, ONE), spans[0], strict=True):
        if not hangs_on(tensor((), end), x):
            continue
        there = replace_arrays(end, held)
        value = mul(open_tensor(body, ()), fn("exp", replace_arrays(log_q, held)))
        out.append(mul(sign, simplified(replace_arrays(value, {v: tensor((), there)})), sub(end, there)))
    return out


def weighted(op: Operator, order: int, ctx: Context) -> Operator:
    """E over the laws held fixed, weighted by the ratio q/q_held, or to first order by 1 + log q - log q_held."""
    (body,), draws = opened_expectation(op)
    laws: list[Array] = []
    weight: list[Scalar] = []
    for v, law in draws:
        whole = full_law(law, v.shape)
        assert isinstance(whole, Operator)
        mapping: dict[Array, Array] = {a: frozen(a, ctx) for a in variables_of(whole) if a.role not in ("random", "placeholder")}
        held = replace_arrays(whole, mapping)
        laws.append(held)
        weight.extend((log_of_density(whole, v, ctx), neg(log_of_density(held, v, ctx))))
    indices = [fresh_index(s) for s in body.shape]
    ratio = add(ONE, *weight) if order == 1 else fn("exp", add(*weight))
    inner = tensor(indices, mul(open_tensor(body, indices), ratio))
    return operator("E", (inner, *laws), inner.shape, op.attrs)


def moved_and_stretched(op: Operator, x: Array | None, ctx: Context) -> Array | None:
    """E over draws that `x` moves or stretches only, over standard draws; None where it does more."""
    (body,), draws = opened_expectation(op)
    mapping: dict[Array, Array] = {}
    made: Draws = []
    said: list[str] = []
    for v, given in draws:
        law = replace_arrays(given, mapping) if mapping else given
        row = row_of(law)
        if transform_of(law) is not None or not hangs_on(law, x):
            made.append((v, law))
            continue
        orbit = ORBITS.get(row.name) if row is not None else None
        if row is None or orbit is None:
            return None
        law = full_law(law, v.shape)
        at = [fresh_index(s) for s in v.shape]
        scope = parameters(law, ctx).scalars(at)
        if any(hangs_on(tensor(at, scope[n]), x) for n in row.parameters if n not in orbit.standard):
            return None
        z = standard_noise(v, law)
        law = law_of_row(row.name, [tensor(at, scalar_text(orbit.standard.get(n, n), scope)) for n in row.parameters])
        text = add(scalar_text(orbit.location, scope), mul(scalar_text(orbit.scale, scope), entry(z, *at)))
        draw = mapping[v] = tensor(at, text)
        name_draw(draw, v, ctx)
        made.append((z, law))
        said.append(f"{v.name} = location + scale {z.name}, and the law of {z.name}, a standard {row.name}, stays")
    result = expectation(replace_arrays(body, mapping), made)
    assert isinstance(result, Operator)
    reason = "; ".join(said)
    ctx.trace.add("reparameterise", op, result, reason=reason, source="Kingma & Welling (2014)")
    ctx.trace.notes.append(f"the gradient passes through the draws: {reason}")
    return result
