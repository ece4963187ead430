"""Bounds on entropies, informations and divergences of mixtures, which have no closed form, by quantities of pairs of parts
that have one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.divergences.alpha_divergence import reduce_power
from symgen.probability.divergences.divergence import rank_zero, reduce_entropy, reduce_expectation, reduce_kl
from symgen.probability.forms.collect import collected
from symgen.probability.laws.combinators import parts_of
from symgen.probability.laws.finite import at_value, classes
from symgen.probability.laws.joint import DistRef, decode, divergence, draws_of, entropy, expectation, inline, log_density, whole
from symgen.probability.laws.law import row_of
from symgen.tensor.expression import (
    HALF,
    ONE,
    ZERO,
    Array,
    Num,
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
    sub,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["METHODS"]

HERE = "symgen/probability/divergences/mixture_bounds.py"
LABELS = ("Categorical", "Bernoulli")
OfLaw = Callable[[Array], Scalar]


@dataclass
class Listed:
    """Parts that are counted, each with its weight."""

    parts: list[tuple[Scalar, Array]]

    def mean(self, f: OfLaw) -> Scalar:
        return add(*(mul(w, f(law)) for w, law in self.parts))


@dataclass
class Labelled:
    """Parts by a label c, whose law is `labels`."""

    law: Array
    c: Var
    labels: Array
    made: list[Var] = field(default_factory=list)

    def mean(self, f: OfLaw) -> Scalar:
        letter = "abcdefgh"[len(self.made) % 8]
        a = var(letter, (), self.c.domain, "placeholder", self.c.domain_args, uid=-301 - len(self.made))
        self.made.append(a)
        body = f(replace_arrays(self.law, {self.c: a}))
        k = fresh_index(classes(self.labels))
        p = self.labels.args[0]
        assert isinstance(p, Array)
        return total(mul(entry(p, k), at_value(body, a, self.labels, k)), [k])


Parts = Listed | Labelled


def parts(law: Array, op: Operator) -> Parts:
    """The parts of a mixture."""
    made = parts_of(law)
    if isinstance(made, list):
        return Listed(made)
    if made is not None:
        weights, over = made
        c = var("c", (), "label", "placeholder", (weights.shape[0],), uid=-300)
        assert isinstance(over, Operator)
        operands = [tensor((), entry(a, entry(c))) if a.rank else a for a in over.operands if isinstance(a, Array)]
        labels = operator("Categorical", (weights,), (), ("law",))
        return Labelled(operator(over.name, operands, (), over.attrs), c, labels)
    if isinstance(law, Operator) and law.name == "conditional_law":
        (ref,), options = decode(law)
        (x,) = options["x"]
        if len(ref.joint.factors) == 2 and not ref.given:
            return labelled(ref, x, op)
    if row_of(law) is not None:
        return Listed([(ONE, law)])
    raise CannotDerive("this is no finite mixture: one of a label, or `Mixture`", op, HERE)


def labelled(ref: DistRef, x: Var, op: Operator) -> Parts:
    own = next(f for f in ref.joint.factors if x in f.variables)
    label = next((f for f in ref.joint.factors if x not in f.variables), None)
    row = row_of(label.law) if label is not None else None
    if label is None or row is None or row.name not in LABELS or label.variables[0].rank:
        raise CannotDerive("the label of a mixture is Categorical or Bernoulli", op, HERE)
    (c,) = label.variables
    if row.name == "Categorical":
        return Labelled(own.law, c, label.law)
    p = label.law.args[0]
    assert isinstance(p, Array)
    laws = [replace_arrays(own.law, {c: tensor((), value)}) for value in (ZERO, ONE)]
    return Listed([(sub(ONE, entry(p)), laws[0]), (entry(p), laws[1])])


class Told:
    """Quantities of parts in closed form, the first of each kind told as a lemma."""

    def __init__(self, op: Operator, ctx: Context) -> None:
        self.op, self.ctx = op, ctx
        self.kinds: set[str] = set()

    def closed(self, kind: str, asked: Array, reduce: Callable[[Operator, Context], Array]) -> Scalar:
        assert isinstance(asked, Operator)
        told = self.ctx.quiet()
        made = reduce(asked, told)
        if any(isinstance(n, Operator) and n.name == "E" for n in walk(made)):
            raise CannotDerive("a quantity of the parts of this mixture has no closed form", asked, HERE)
        if kind not in self.kinds:
            self.kinds.add(kind)
            self.ctx.trace.add("lemma", asked, made, reason=kind)
        self.ctx.trace.checks.extend(told.trace.checks[:1])
        return open_tensor(made, ())

    def entropy(self, law: Array) -> Scalar:
        return self.closed("the entropy of a part", entropy(inline(law)), reduce_entropy)

    def kl(self, first: Array, second: Array) -> Scalar:
        if first is second:
            return ZERO
        return self.closed("the divergence of two parts", divergence("KL", inline(first), inline(second)), reduce_kl)

    def chernoff(self, alpha: Scalar, first: Array, second: Array) -> Scalar:
        """-log integral p^alpha q^(1 - alpha) = (1 - alpha) R_alpha(p || q)."""
        if first is second:
            return ZERO
        asked = divergence("renyi", inline(first), inline(second), alpha=tensor((), alpha))
        return mul(sub(ONE, alpha), self.closed("the Renyi divergence of two parts", asked, reduce_power))

    def overlap(self, first: Array, second: Array) -> Scalar:
        """integral p q."""
        p, q = inline(first), inline(second)
        (x,), (y,) = p.variables, q.variables
        asked = expectation(rank_zero(fn("exp", entry(log_density(q, {y: x})))), draws_of(p))
        return self.closed("the overlap of two parts", asked, reduce_expectation)


def laws_of(op: Operator) -> list[Parts]:
    refs = decode(op)[0]
    if any(len(ref.joint.factors) != 1 for ref in refs):
        raise CannotDerive("a mixture is of one variable here: p(x)", op, HERE)
    return [parts(ref.joint.factors[0].law, op) for ref in refs]


def information_parts(op: Operator) -> Parts:
    """The mixture of x over the label c, of I(x; c)."""
    (p,), options = decode(op)
    both = [options["x"][0], options["z"][0]]
    rows = [row_of(f.law) for v in both if (f := p.joint.factor_of(v)) is not None]
    others = [v for v, row in zip(both, rows, strict=False) if row is None or row.name not in LABELS]
    if len(rows) != 2 or len(others) != 1 or len(p.joint.factors) != 2:
        raise CannotDerive("the information between what is drawn and a label", op, HERE)
    (x,) = others
    return labelled(whole(p.joint), x, op)


def spread(one: Parts, other: Parts, d: Callable[[Array, Array], Scalar]) -> Scalar:
    """E_a log E_b exp(-d(a, b))."""
    return one.mean(lambda a: fn("log", other.mean(lambda b: fn("exp", neg(d(a, b))))))


def end(op: Operator, value: Scalar, side: str, reason: str, source: str, ctx: Context) -> Array:
    made = rank_zero(collected(value))
    ctx.trace.add("bound_below" if side == "lower" else "bound_above", op, made, reason=reason, source=source)
    return made


def pairs(op: Operator, arguments: Sequence[Any], ctx: Context, kind: str) -> Array:
    """H(x | c) - E_a log E_b exp(-d): above with d = KL, below with d = -log integral p_a^alpha p_b^(1 - alpha)."""
    told = Told(op, ctx)
    alpha = HALF if kind == "bhattacharyya" else open_tensor(arguments[0][1], ()) if kind == "chernoff" else ONE
    d = told.kl if kind == "pairwise" else partial(told.chernoff, alpha)
    side = "upper" if kind == "pairwise" else "lower"
    source = "Kolchinsky & Tracey (2017)"
    most, d_of = ("most", "KL") if side == "upper" else ("least", "the Chernoff distance")
    reason = f"x tells of its part at {most} minus the mean of log E exp(-d), d being {d_of} of that part and another"
    if isinstance(alpha, Num) and alpha.rational is not None and not 0 < alpha.rational <= 1:
        raise CannotDerive("the order of a Chernoff bound lies between 0 and 1", op, HERE)
    if kind == "chernoff" and variables_of(alpha):
        ctx.trace.require("0 < alpha <= 1")
    if op.name == "mutual_information":
        mixed = information_parts(op)
        return end(op, neg(spread(mixed, mixed, d)), side, reason, source, ctx)
    if op.name == "KL":
        first, second = laws_of(op)
        lower = spread(first, first, partial(told.chernoff, HALF))
        value = sub(lower, spread(first, second, told.kl))
        return end(op, value, side, "the entropy from below, by overlaps; the cross-entropy from above, by Jensen", source, ctx)
    (mixed,) = laws_of(op)
    return end(op, sub(mixed.mean(told.entropy), spread(mixed, mixed, d)), side, reason, source, ctx)


def overlaps(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    (mixed,) = laws_of(op)
    told = Told(op, ctx)
    value = neg(mixed.mean(lambda a: fn("log", mixed.mean(lambda b: told.overlap(a, b)))))
    return end(op, value, "lower", "Jensen: the mean of a logarithm is at most the logarithm of the mean",
               "Huber, Bailey, Durrant-Whyte & Hanebeck (2008)", ctx)  # fmt: skip


def labels(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    (mixed,) = laws_of(op)
    told = Told(op, ctx)
    if isinstance(mixed, Labelled):
        p = mixed.labels.args[0]
        assert isinstance(p, Array)
        k = fresh_index(classes(mixed.labels))
        own = neg(total(mul(entry(p, k), fn("log", entry(p, k))), [k]))
    else:
        own = neg(add(*(mul(w, fn("log", w)) for w, _ in mixed.parts)))
    reason = "H(x) = H(x | c) + H(c) - H(c | x), and H(c | x) is at least 0"
    return end(op, add(mixed.mean(told.entropy), own), "upper", reason, "Cover & Thomas (2006), 2.5.1", ctx)


def given_labels(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    (mixed,) = laws_of(op)
    told = Told(op, ctx)
    reason = "what is given lowers an entropy in the mean: the entropy is concave"
    return end(op, mixed.mean(told.entropy), "lower", reason, "Cover & Thomas (2006), 2.7.3", ctx)


def convexity(op: Operator, arguments: Sequence[Any], ctx: Context) -> Array:
    first, second = laws_of(op)
    told = Told(op, ctx)
    value = first.mean(lambda a: second.mean(lambda b: told.kl(a, b)))
    return end(op, value, "upper", "KL is convex in both laws", "Cover & Thomas (2006), 2.7.2", ctx)


METHODS: dict[str, Callable[[Operator, Sequence[Any], Context], Array]] = {
    **{kind: partial(pairs, kind=kind) for kind in ("pairwise", "chernoff", "bhattacharyya")},
    "overlaps": overlaps, "labels": labels, "given_labels": given_labels, "convexity": convexity,
}  # fmt: skip
