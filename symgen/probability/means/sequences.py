"""The law of a whole sequence from that of its first entries and that of an entry given those before it.

Numbers drawn from normal laws whose means are linear in what was drawn before are one normal vector: z = c + A z + noise with A
below the diagonal, so that L z ~ N(c, D) with L = 1 - A. Rue & Held (2005), 1.2.1, 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from symgen.derivation.context import Context
from symgen.derivation.referee import check_equal_numeric
from symgen.probability.forms.scaled import inverse, squared
from symgen.probability.forms.terms import depends_on_any, linear_form, opened, with_value
from symgen.probability.forms.walks import constants_opened
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.elimination import Question
from symgen.probability.laws.joint import Factor, full_law
from symgen.probability.laws.law import LAW, alternative_of, beside_normal, formula_law, parameters_of, row_of, with_normal_beside
from symgen.probability.means.state_spaces import chain_of_normals
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Index,
    Num,
    Operator,
    Scalar,
    Var,
    add,
    compare,
    delta,
    entry,
    fresh_index,
    mul,
    num,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    tensor,
    var,
    variables_of,
    where,
)  # fmt: skip
from symgen.tensor.formula import read

HERE = "symgen/probability/means/sequences.py"


def law_of_sequence(first: Array, step: Array, before: Var, name: str, variable: str) -> Array:
    """The law of x[0..T - 1] with x[0] ~ first and x[t + 1] ~ step[t], in which before[t] stands for x[t]."""
    steps = before.shape[0]
    shape = (add(steps, ONE), *first.shape)
    states = probabilities(first, ()), probabilities(step, (steps,))
    if states[0] is not None and states[1] is not None and not first.rank:
        return _of_states(states[0], states[1], before, shape)
    normal = chain_of_normals(first, step, before, shape)
    if normal is not None:
        return normal
    return _by_formula(first, step, before, name, variable)


def probabilities(law: Array, lead: tuple[Scalar, ...]) -> Array | None:
    """Those of the labels 0..k - 1, over leading axes and then the labels; None where a draw is no label."""
    row = row_of(law)
    if row is None or law.shape != lead or row.name not in ("Categorical", "Bernoulli"):
        return None
    p = parameters_of(law)["p"]
    if row.name == "Categorical":
        return p
    at, k = [fresh_index(s) for s in lead], fresh_index(num(2))
    one = open_tensor(p, at)
    return tensor([*at, k], add(mul(delta(k, ZERO), sub(ONE, one)), mul(delta(k, ONE), one)))


def _of_states(first: Array, step: Array, before: Var, shape: tuple[Scalar, ...]) -> Array:
    k = first.shape[-1]
    t, i, j = fresh_index(before.shape[0]), fresh_index(k), fresh_index(k)
    moves = with_value(opened(open_tensor(step, [t, j]), depends_on_any(frozenset((before,)))), before, lambda *_: i)
    if t not in moves.free:
        return operator("MarkovChain", [first, tensor([i, j], moves), tensor((), shape[0])], shape, (LAW,))
    return operator("InhomogeneousMarkovChain", [first, tensor([t, i, j], moves)], shape, (LAW,))


def _by_formula(first: Array, step: Array, before: Var, name: str, variable: str) -> Array:
    """The log-density of the whole: that of the first entry, and those of the others given the ones before."""
    shape = (add(before.shape[0], ONE), *first.shape)
    whole = var(variable, shape, before.domain, "placeholder", before.domain_args, uid=3)
    t, own = fresh_index(before.shape[0]), [fresh_index(s) for s in first.shape]
    start = tensor(own, entry(whole, ZERO, *own))
    earlier = tensor([t, *own], entry(whole, t, *own))
    later = tensor([t, *own], entry(whole, add(t, ONE), *own))
    body = add(
        log_density_at(first, start, Context()),
        log_density_at(replace_arrays(step, {before: earlier}), later, Context()),
    )
    return formula_law(whole, tensor((), body), "", name, True)


def law_of_long_memory(firsts: Sequence[Array], step: Array, at: Index, whole: Var, name: str, many: bool) -> Array:
    """The law of x[0..T - 1] with x[k] ~ firsts[k] and x[t + p] ~ step[t], in which `whole` stands for x. The density is the
    product of those; beside it stands the law of all of them as one normal vector, where they are one."""
    t, own = at, [fresh_index(s) for s in whole.shape[1:]]
    place = var(whole.name, whole.shape, whole.domain, "placeholder", whole.domain_args, uid=3)
    back = num(len(firsts))

    def density(law: Array, k: Scalar, free: Sequence[Index]) -> Scalar:
        here = tensor([*free, *own], entry(place, k, *own))
        return log_density_at(replace_arrays(law, {whole: place}), here, Context())

    body = add(*(density(law, num(k), ()) for k, law in enumerate(firsts)), density(step, add(t, back), [t]))
    plain = formula_law(place, tensor((), body), "", name, True)
    normal = _one_normal(_rows(firsts, step, t, whole), whole.shape) if whole.rank == 1 else None
    if normal is None:
        return plain
    return normal if many else beside_normal(plain, normal)


@dataclass(frozen=True)
class Entries:
    """What stands at 0, 1, .., and what at t + p, over t."""

    firsts: tuple[Scalar, ...]
    rest: Scalar
    t: Index

    def at(self, i: Index) -> Scalar:
        """The entry at i, an index over all of them."""
        if self.t in self.rest.free:
            return entry(self._one_after_another(), i)
        made = self.rest
        for k, x in reversed(list(enumerate(self.firsts))):
            made = made if x is self.rest else where(compare("==", i, num(k)), x, made)
        return made

    def sum_at(self, i: Index) -> Scalar:
        """The same as a sum: it is linear in whatever the entries are linear in."""
        if self.t in self.rest.free:
            return entry(self._one_after_another(), i)
        return add(self.rest, *(mul(delta(i, num(k)), sub(x, self.rest)) for k, x in enumerate(self.firsts)))

    def _one_after_another(self) -> Array:
        names: dict[str, Array | Scalar] = {f"s{k}": x for k, x in enumerate(self.firsts)}
        return read(f"concat([{', '.join(names)}], r)", {**names, "r": tensor([self.t], self.rest)})


@dataclass(frozen=True)
class Rows:
    """z[t] ~ Normal(sum_d slopes[d][t] z[t - d] + c[t], sqrt(v[t]))."""

    slopes: dict[int, Entries]
    c: Entries
    v: Entries


def _rows(firsts: Sequence[Array], step: Array, t: Index, whole: Var) -> Rows | None:
    back, only = len(firsts), frozenset((whole,))
    slopes: dict[tuple[int, int], Scalar] = {}  # by the number of the law and the distance
    constants, variances = [], []
    for k, law in enumerate((*firsts, step)):
        row = row_of(law)
        if row is None or row.name != "Normal" or alternative_of(law) is not None or whole in variables_of(law.args[1]):
            return None
        assert isinstance(law, Operator) and isinstance(law.args[0], Array) and isinstance(law.args[1], Array)
        own = [t] if k == back else []
        body = opened(constants_opened(open_tensor(law.args[0], own)), depends_on_any(only))
        form = linear_form(body, depends_on_any(only), only)
        if form is None or any(p.indices for p in form.parts):
            return None
        here = add(t, num(back)) if own else num(k)
        for p in form.parts:
            distance = sub(here, p.entry.indices[0])
            if not isinstance(distance, Num) or distance.rational is None:
                return None
            slopes[k, int(distance.rational)] = p.coefficient
        constants.append(form.constant)
        variances.append(squared(constants_opened(open_tensor(law.args[1], own))))
    made = {}
    for d in range(1, back + 1):
        rest = slopes.get((back, d), ZERO)  # of the entries before d, none is d after another
        first = tuple(slopes.get((k, d), ZERO) if k >= d else rest if t not in rest.free else ZERO for k in range(back))
        made[d] = Entries(first, rest, t)
    return Rows(made, Entries(tuple(constants[:-1]), constants[-1], t), Entries(tuple(variances[:-1]), variances[-1], t))


def _one_normal(rows: Rows | None, shape: tuple[Scalar, ...]) -> Array | None:
    """L z ~ N(c, D): z ~ N(L^-1 c, precision L' D^-1 L)."""
    if rows is None:
        return None
    T = shape[-1]
    i, j = fresh_index(T), fresh_index(T)
    below = [where(compare("==", i, add(j, num(d))), f.at(i), ZERO) for d, f in rows.slopes.items()]
    L = tensor([i, j], sub(delta(i, j), add(*below)))
    c, v = tensor([i], rows.c.sum_at(i)), tensor([i], rows.v.at(i))
    mean = c if c.body is ZERO else read("inv(L) @ c", {"L": L, "c": c})
    precision = read("L' @ diag(1/v) @ L", {"L": L, "v": v})
    return full_law(operator("MvNormal", [mean, inverse(precision), precision], (T,), (LAW, "precision")), shape)


def one_normal(law: Array) -> Array | None:
    """The law of a sequence of numbers as that of one normal vector, or of as many as there are sequences."""
    made, row = with_normal_beside(law), row_of(law)
    if made is not law:
        return made
    if row is None or row.name != "GaussianWalk":
        return None
    own: dict[str, Scalar] = {}
    t = fresh_index(sub(law.shape[-1], ONE))
    for name, a in parameters_of(law).items():
        lead = [fresh_index(s) for s in a.shape[: a.rank - len(row.axes_of(name))]]
        own[name] = constants_opened(open_tensor(a, [*lead, *([t] if row.axes_of(name) else [])]))
        if own[name].free.intersection(lead):
            return None  # sequences of different laws
    slope = own["a"]
    first = ZERO if t in slope.free else slope
    rows = Rows({1: Entries((first,), slope, t)}, Entries((own["m"],), own["b"], t), Entries((own["v"],), own["q"], t))
    return _one_normal(rows, law.shape)


def with_one_normal(q: Question, ctx: Context) -> Question:
    """The question with sequences of normal numbers as normal vectors, where it is about what no sweep along a sequence gives:
    longer memory, several sequences, other variables that are not seen either."""
    unseen = set(q.unseen)
    made = []
    for f in q.factors:
        z = f.variables[0]
        others = unseen - {z} - set(() if z in q.targets else q.targets)
        swept = row_of(f.law) is not None and len(f.law.shape) == 1 and not others and not variables_of(f.law) & unseen
        told = any(g is not f and z in variables_of(g.law) for g in q.factors)
        asked = z in unseen and told and not swept
        law = one_normal(f.law) if asked else None
        made.append(f if law is None else Factor(f.name, f.variables, f.given, law))
        if law is not None:
            ctx.trace.note(f"`{z.name}` is one normal vector: with L {z.name} = c + noise its precision is L' D^-1 L")
            old, new = (tensor((), log_density_at(a, z, ctx.quiet())) for a in (f.law, law))
            ctx.trace.checks.append(partial(check_equal_numeric, new, old, ctx.facts))
    return replace(q, factors=tuple(made))
