"""Lower bounds on KL and on mutual information, with an unknown critic or a decoder: what is dropped is a divergence.

Each is I = value + gap in one step, and the sign of the gap in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.divergences.divergence import rank_zero
from symgen.probability.laws.copies import COPIES, copies_of, one_of_each
from symgen.probability.laws.joint import (
    DistRef,
    Factor,
    Joint,
    decode,
    divergence,
    draws_of,
    entropy,
    expectation,
    log_density,
    mutual_information,
)
from symgen.probability.laws.law import LAW
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    Array,
    Num,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    divide,
    entry,
    expand_size,
    fn,
    fresh_index,
    mul,
    neg,
    operator,
    power,
    replace_arrays,
    sub,
    total,
    var,
    variables_of,
)  # fmt: skip
from symgen.tensor.scope import is_size
from symgen.text.diagnostics import CannotDerive

__all__ = ["METHODS", "with_unknown_laws"]

Draws = list[tuple[Var, Array]]
COPY = 1000  # what is added to the number of a variable for each further draw of one joint
MOST = 12  # draws of InfoNCE that are written one by one


@dataclass(frozen=True)
class Pair:
    """Two laws over the same points: what is drawn from the first and from the second, the points under each, and the
    logarithm of the ratio of their densities at the points of the first."""

    first: Draws
    second: Draws
    at_first: tuple[Var, ...]
    at_second: tuple[Var, ...]
    log_ratio: Scalar


def again(draws: Draws, k: int) -> tuple[Draws, dict[Array, Var]]:
    """A further draw of the same, under variables of its own."""
    names: dict[Array, Var] = {}
    out: Draws = []
    for v, law in draws:
        new = var(v.name, v.shape, v.domain, "random", v.domain_args, v.uid + COPY * k)
        out.append((new, replace_arrays(law, names)))
        names[v] = new
    return out, names


def of_joint(op: Operator) -> tuple[DistRef, Var, Var]:
    (p,), options = decode(op)
    x, z = options["x"], options["z"]
    if len(x) != 1 or len(z) != 1:
        raise CannotDerive("a bound on the information between two variables", op)
    return p, x[0], z[0]


def pair_of(op: Operator) -> Pair:
    """The two laws of which the quantity is the divergence."""
    if op.name == "mutual_information":
        p, x, z = of_joint(op)
        joint = draws_of(DistRef(p.joint, (x, z), p.given))
        other, names = again(joint, 1)
        logs = [entry(log_density(DistRef(p.joint, vs, p.given))) for vs in ((x, z), (x,), (z,))]
        return Pair(joint, [*joint, *other], (x, z), (x, names[z]), sub(logs[0], add(*logs[1:])))
    (q, p), _ = decode(op)
    if len(q.variables) != 1 or len(p.variables) != 1:
        raise CannotDerive("the critic of a divergence sees one variable", op)
    (y,), (u,) = q.variables, p.variables
    ratio = sub(entry(log_density(q)), entry(log_density(p, {u: y})))
    return Pair(draws_of(q), draws_of(p), (y,), (u,), ratio)


def critic_at(critic: tuple[str, str, str, int], points: Sequence[Var], op: Operator) -> Scalar:
    """The value of the unknown function at points."""
    _, name, word, arity = critic
    if word != "real" or arity != len(points):
        seen = " and ".join(f"`{v.name}`" for v in points)
        raise CannotDerive(f"the critic `{name}` is a real function of {seen}", op)
    return entry(operator("apply", points, (), (name, word)))


def mean(body: Scalar, draws: Draws) -> Scalar:
    """The mean over what the body hangs on, with what that is drawn from."""
    seen = set(variables_of(body))
    kept: Draws = []
    for v, law in reversed(draws):
        together = isinstance(law, Operator) and law.name in ("density", COPIES) and any(other is law for _, other in draws)
        if v in seen or together:
            seen |= variables_of(law)
            kept.append((v, law))
    return entry(expectation(rank_zero(body), kept[::-1]))


def with_unknown_laws(op: Operator) -> Operator:
    """The same quantity of densities that are not known: what holds for these holds for all."""
    if op.name == "mutual_information":
        _, x, z = of_joint(op)
        law = operator("density", (), (), (LAW, "p", (x.name, z.name)))
        made = mutual_information(Joint("p", (Factor("p", (x, z), (), law),)), (x,), (z,))
    else:
        variables = [ref.variables[0] for ref in decode(op)[0]]
        laws = [operator("density", (), v.shape, (LAW, name)) for name, v in zip("pq", variables, strict=True)]
        joints = [Joint(n, (Factor(n, (v,), (), law),)) for n, v, law in zip("pq", variables, laws, strict=True)]
        made = divergence("KL", *(DistRef(j, j.variables) for j in joints))
    assert isinstance(made, Operator)
    return made


def barber_agakov(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    p, x, z = of_joint(op)
    q: DistRef = arguments[0][1]
    seen = [v for v in (x, z) if v.name in {u.name for u in q.variables}]
    if len(q.variables) != 1 or len(seen) != 1:
        raise CannotDerive(f"the decoder is a distribution of `{x.name}` given `{z.name}`, or the other way", op)
    (a,), b = seen, z if seen[0] is x else x
    values: dict[Var, Array] = {v: {x.name: x, z.name: z}[v.name] for v in (*q.variables, *q.given) if v.name in (x.name, z.name)}
    log_q = entry(log_density(q, values))
    draws = draws_of(DistRef(p.joint, (x, z), p.given))
    log_p = entry(log_density(DistRef(p.joint, (a,), (b, *p.given))))
    own = entry(entropy(DistRef(p.joint, (a,), p.given)))
    value = rank_zero(add(mean(log_q, draws), own))
    gap = mean(sub(log_p, log_q), draws)
    defined = rank_zero(add(mean(log_p, draws), own))
    ctx.trace.add("definition", op, defined, reason=f"I = H({a.name}) - H({a.name} | {b.name})")
    whole = rank_zero(add(mean(log_q, draws), own, gap))
    ctx.trace.add("split", defined, whole, reason="the decoder added and taken away")
    ctx.trace.add(
        "bound_below", whole, value, source="Barber & Agakov (2003)",
        reason=f"Gibbs: the last mean is KL of the posterior from the decoder, at least 0, and 0 where the decoder is "
        f"{p.joint.name}({a.name} | {b.name})",
    )  # fmt: skip
    return value


def donsker_varadhan(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    pair = pair_of(op)
    at_first, at_second = (critic_at(arguments[0], points, op) for points in (pair.at_first, pair.at_second))
    log_z = fn("log", mean(fn("exp", at_second), pair.second))
    value = rank_zero(sub(mean(at_first, pair.first), log_z))
    defined = rank_zero(mean(pair.log_ratio, pair.first))
    left = mean(sub(add(pair.log_ratio, log_z), at_first), pair.first)
    whole = rank_zero(add(mean(at_first, pair.first), neg(log_z), left))
    ctx.trace.add("definition", op, defined, reason="the mean of the log-ratio of the densities")
    ctx.trace.add("split", defined, whole, reason="the critic added and taken away")
    ctx.trace.add(
        "bound_below", whole, value, source="Donsker & Varadhan (1983)",
        reason="Gibbs: what is left is KL from the second law weighted by exp(T) and normalised, at least 0, and 0 where T is the "
        "log-ratio and any constant",
    )  # fmt: skip
    return value


def nwj(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    below = donsker_varadhan(op, arguments, ctx)
    pair = pair_of(op)
    at_first, at_second = (critic_at(arguments[0], points, op) for points in (pair.at_first, pair.at_second))
    value = rank_zero(sub(mean(at_first, pair.first), mean(fn("exp", add(at_second, MINUS_ONE)), pair.second)))
    ctx.trace.add(
        "bound_below", below, value, source="Nguyen, Wainwright & Jordan (2010)",
        reason="log t <= t/e, with equality at t = e: the constant is chosen, T = 1 + the log-ratio",
    )  # fmt: skip
    return value


def infonce(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    p, x, z = of_joint(op)
    size = arguments[1][1]
    n = size.body if isinstance(size, Tensor) else entry(size)
    critic, joint = arguments[0], draws_of(DistRef(p.joint, (x, z), p.given))
    pair = critic_at(critic, (x, z), op)
    others, scores = others_drawn(joint, z, n, lambda u: critic_at(critic, (x, u), op), op)
    shared = divide(add(fn("exp", pair), scores), n)
    apart, names = again(joint, MOST)
    value = rank_zero(mean(sub(pair, fn("log", shared)), [*joint, *others]))
    alone = critic_at(critic, (x, names[z]), op)
    mixed = divide(add(fn("exp", alone), scores), n)
    weighed = mean(mul(fn("exp", alone), power(mixed, MINUS_ONE)), [*joint, *others, *apart])
    full = rank_zero(add(mean(sub(pair, fn("log", shared)), [*joint, *others]), ONE, neg(weighed)))
    ctx.trace.add(
        "bound_below", op, full, source="Poole et al. (2019)",
        reason="the bound of Nguyen, Wainwright & Jordan with the critic 1 + f - log of the mean of exp(f) over n draws",
    )  # fmt: skip
    ctx.trace.add("exchange", full, value, reason="the n draws are alike where all are apart from x: that mean is 1")
    return value


def others_drawn(joint: Draws, z: Var, n: Scalar, score: Callable[[Var], Scalar], op: Operator) -> tuple[Draws, Scalar]:
    """The n - 1 further draws of z, and the sum of exp(score) over them: one by one where they are few, else as one array."""
    count = n.rational if isinstance(n, Num) else None
    if not is_size(n) or (count is not None and count < 2):
        raise CannotDerive("the draws of InfoNCE are counted: a number from 2, or a size such as `dim n`", op)
    draws: Draws = []
    if count is not None and count <= MOST:
        terms: list[Scalar] = []
        for k in range(1, int(count)):
            more, names = again(joint, k)
            draws += more
            terms.append(fn("exp", score(names[z])))
        return draws, add(*terms)
    one, names = again(joint, 1)
    draws = copies_of(one, (expand_size(sub(n, ONE)),))
    whole = {v: w for (v, _), (w, _) in zip(one, draws, strict=True)}
    j = fresh_index(expand_size(sub(n, ONE)))
    each = one_of_each(fn("exp", score(names[z])), {names[z]: whole[names[z]]}, [j])
    return draws, total(each, [j])


METHODS: dict[str, Callable[[Operator, Sequence[Any], Context], Array]] = {
    "barber_agakov": barber_agakov, "donsker_varadhan": donsker_varadhan, "nwj": nwj, "infonce": infonce,
}  # fmt: skip
