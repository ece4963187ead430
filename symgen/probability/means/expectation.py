"""Expectations, reduced by rules: linearity, independence, moments, the lemmas of the tables.

`Expectation(draws, ctx).mean(body)` gives two forms of one result: `shown`, where the means of single functions stand
as E, and `value`, with the lemmas put in. What has no closed form stays an E.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import factorial
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.forms.conditions import guarded
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.scaled import with_inverses_met
from symgen.probability.forms.special import simplified
from symgen.probability.forms.terms import (
    Item,
    LinearForm,
    TooManyTerms,
    entries_in,
    expanded,
    factors_of,
    linear_form,
    normalised,
    opened,
    terms_of,
    with_value,
)  # fmt: skip
from symgen.probability.laws.densities import entry_of
from symgen.probability.laws.drawn_as import (
    in_simpler_functions,
    opened_out,
    over_logarithms,
    with_a_letter_for_the_covariance,
    with_exponentials_joined,
)  # fmt: skip
from symgen.probability.laws.law import row_of
from symgen.probability.laws.nested import absorbed, partitions
from symgen.probability.laws.univariate_law import Law
from symgen.probability.means.draw import Draw, SupportKnowledge
from symgen.probability.means.entry_by_entry import over_entries
from symgen.probability.means.own_density import mean_under, whole_of
from symgen.probability.means.parts import as_share, under_parts
from symgen.probability.means.powers import exponential_of, tilted
from symgen.probability.means.two_forms import of_pairs, of_two_forms
from symgen.probability.means.univariate import Found, Univariate, together
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    INF,
    NAN,
    ONE,
    TWO,
    ZERO,
    Array,
    Entry,
    Fn,
    Index,
    Node,
    Num,
    Operation,
    Operator,
    Pow,
    Scalar,
    Sum,
    Var,
    Where,
    add,
    delta,
    entry,
    fn,
    fresh_index,
    logic,
    mul,
    num,
    operator,
    power,
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
from symgen.tensor.facts import is_nonnegative

MAX_DEGREE = 4


class Divergent(Exception):
    """A mean that does not exist, where a divergence is then infinite."""

    def __init__(self, atom: Scalar, reason: str) -> None:
        super().__init__(reason)
        self.atom, self.reason = atom, reason


@dataclass(frozen=True)
class Pair:
    """A mean with its lemmas to be read (`shown`) and put in (`value`); `rest` is what still stands under the E."""

    shown: Scalar
    value: Scalar
    rest: Scalar = ZERO


@dataclass
class Applied:
    """A lemma that was applied to an E that stood in the expression."""

    atom: Entry
    value: Scalar
    lemmas: list[str]
    condition: Scalar
    source: str = ""


class Expectation:
    """Means over draws, the last drawn first. `divergence`: means that do not exist make the whole infinite."""

    def __init__(self, draws: Sequence[tuple[Var, Array]], ctx: Context, divergence: bool = False) -> None:
        self.draws, self.ctx, self.divergence = list(draws), ctx, divergence
        self.know = Knowledge(ctx)
        self.applied: dict[Entry, Applied] = {}
        self.open: dict[Entry, str] = {}
        self.conditions: list[Scalar] = []

    def mean(self, body: Scalar) -> Pair:
        shown, value = body, body
        for k in range(len(self.draws) - 1, -1, -1):
            v, law = self.draws[k]
            if v not in variables_of(value):
                continue
            v, law, value = over_logarithms(v, law, value)
            law, value, meant = with_a_letter_for_the_covariance(law, value)
            one = OneDraw(self, Draw(v, law, self.ctx, self.know), self.draws[:k])
            pair = one.mean(value)
            pair = self._with_meanings(pair, meant) if meant else replace(pair, value=one.draw.of_unit_length(pair.value))
            shown, value = pair.shown, with_inverses_met(pair.value) if k else pair.value
        if self.divergence and self.conditions:
            value = guarded(logic("and", *self.conditions), value)
        return Pair(shown, value)

    def _with_meanings(self, pair: Pair, meant: dict[Array, Array]) -> Pair:
        """What letters stood for put back, in what was found and in the lemmas that found it."""

        def plain(x: Any) -> Any:
            return replace_arrays(x, meant)

        def back(x: Scalar) -> Any:
            return plain(replace_arrays(with_inverses_met(x), opened_out(meant)))

        self.applied = {plain(e): Applied(plain(a.atom), back(a.value), a.lemmas, plain(a.condition), a.source)
                        for e, a in self.applied.items()}  # fmt: skip
        self.open = {plain(e): why for e, why in self.open.items()}
        self.conditions = [plain(c) for c in self.conditions]
        return Pair(plain(pair.shown), back(pair.value), plain(pair.rest))


@dataclass
class OneDraw:
    """The mean over one variable, what was drawn before it held fixed."""

    whole: Expectation
    draw: Draw
    before: list[tuple[Var, Array]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_random = self.draw.is_random
        self.variables = self.draw.variables

    def mean(self, body: Scalar) -> Pair:
        law = self.draw.law
        if isinstance(law, Operator) and law.name == "Empirical":
            found = self.without_row(body)
            if found is not None:
                closed = self.close(body)
                if isinstance(closed, Entry):
                    self.whole.applied[closed] = Applied(closed, found.value, found.lemmas, ONE)
                return Pair(closed, found.value)
        pair = self.reduce(opened(body, self.is_random))
        if pair.rest is ZERO:
            return pair
        closed = self.close(pair.rest, self.reason())
        return Pair(add(pair.shown, closed), add(pair.value, closed))

    def reduce(self, body: Scalar) -> Pair:
        self.whole.ctx.check()
        if not self.is_random(body):
            return Pair(body, body)
        know = self.positive_draws()
        body = normalised(body, self.is_random, know)
        try:
            items = expanded(body, self.is_random, self.keep_power)
        except TooManyTerms:
            return Pair(ZERO, ZERO, body)
        return self.collect(items)

    def positive_draws(self) -> Knowledge:
        """What is known while entries of the draw stand in expressions: the support of the law."""
        return SupportKnowledge(self.whole.know, self.draw.variable, self.draw.row)

    def collect(self, items: list[Item]) -> Pair:
        atoms: dict[Scalar, Scalar] = {}
        sums: dict[tuple[Scalar, ...], list[tuple[Scalar, tuple[Index, ...]]]] = {}
        for item in items:
            if item.indices:
                body = mul(item.coefficient, item.atom)
                sums.setdefault(tuple(i.size for i in item.indices), []).append((body, item.indices))
            else:
                atoms[item.atom] = add(atoms.get(item.atom, ZERO), item.coefficient)
        shown: list[Scalar] = []
        value: list[Scalar] = []
        rest: list[Scalar] = []
        for atom, coefficient in atoms.items():
            if coefficient is ZERO:
                continue
            pair = self.atom(atom)
            shown.append(mul(coefficient, pair.shown))
            value.append(mul(coefficient, pair.value))
            rest.append(mul(coefficient, pair.rest))
        for sizes, parts in sums.items():
            indices = [fresh_index(s) for s in sizes]
            body = add(*(substitute(b, dict(zip(idx, indices, strict=True))) for b, idx in parts))
            before = len(self.whole.conditions)
            pair = self.reduce(body)
            inner = pair.value
            if self.whole.divergence:
                mine = [c for c in self.whole.conditions[before:] if not c.free.isdisjoint(indices)]
                if mine:
                    inner = guarded(logic("and", *mine), inner)
                    self.whole.conditions[before:] = [c for c in self.whole.conditions[before:] if c not in mine]
            shown.append(total(pair.shown, indices))
            value.append(total(inner, indices))
            rest.append(total(pair.rest, indices))
        return Pair(add(*shown), add(*value), add(*rest))

    def keep_power(self, x: Scalar) -> bool:
        """Whether a product or power of linear forms is better taken as it is: by mean and covariance."""
        if self.draw.row is None:
            return False
        if self.draw.row.name == "Categorical" and len(entries_in(x, self.variables) or ()) == 1:
            return True  # its mean is the sum over the labels, of (x - mu[z])^2 as of anything else
        if isinstance(x, Pow) and self.is_lemma(x):
            return True
        degree = 0
        for f in factors_of(x):
            base, n = (f.args[0], f.args[1]) if isinstance(f, Pow) else (f, ONE)
            if not isinstance(n, Num) or n.rational is None or n.rational.denominator != 1 or n.rational < 1:
                return False
            if linear_form(base, self.is_random, self.variables) is None:
                return False
            degree += int(n.rational)
        return degree <= 2

    def is_lemma(self, x: Scalar) -> bool:
        """Whether a lemma of the law speaks of this power as a whole: the square of a logit."""
        entries = entries_in(x, self.variables)
        row = self.draw.row
        if entries is None or len(entries) != 1 or row is None or not row.is_univariate:
            return False
        u = self.draw.univariate(entries[0])
        return u is not None and u.has_power(x)

    # --- one atom

    def atom(self, atom: Scalar) -> Pair:
        if atom is ONE:
            return Pair(ONE, ONE)
        if isinstance(atom, Where) and not self.is_random(atom.args[0]):
            a, b = self.reduce(atom.args[1]), self.reduce(atom.args[2])
            at = atom.args[0]
            return Pair(where(at, a.shown, b.shown), where(at, a.value, b.value), where(at, a.rest, b.rest))
        found = self.of_atom(atom)
        if found is not None:
            found.value = simplified(found.value)
        if found is None:
            return Pair(ZERO, ZERO, atom)
        closed = self.close(atom)
        value = found.value
        if found.condition is not ONE:
            if self.whole.divergence:
                if found.condition is ZERO:
                    raise Divergent(closed, f"{', '.join(found.lemmas)} has no finite mean")
                if found.condition not in self.whole.conditions:
                    self.whole.conditions.append(found.condition)
            else:
                never_negative = found.otherwise is NAN and is_nonnegative(atom, self.whole.ctx.facts) is True
                value = guarded(found.condition, value, INF if never_negative else found.otherwise)
        if isinstance(closed, Entry):
            self.whole.applied[closed] = Applied(closed, value, found.lemmas, found.condition, found.source)
        return Pair(closed, value)

    def without_row(self, atom: Scalar) -> Found | None:
        """Means under an Empirical law; an opaque density has none."""
        law = self.draw.law
        if isinstance(law, Operator) and law.name == "Empirical":
            rows = law.args[0]
            assert isinstance(rows, Array)
            i = fresh_index(rows.shape[0])
            batch = len(self.draw.variable.shape) - (rows.rank - 1)
            if batch:
                return None
            ctx = self.whole.ctx
            body = with_value(atom, self.draw.variable, lambda *at: entry_of(rows, (i, *at), ctx))
            return Found(mul(power(rows.shape[0], num(-1)), total(body, [i])), ["the mean over the rows of the data"])
        if isinstance(law, Operator) and law.name == "formula" and not law.attrs[2] and not atom.free:
            value = mean_under(law, self.draw.variable, atom, self.whole.ctx)
            return under_parts(law, atom, self) if value is None else Found(value, [f"the {whole_of(law)} against the density"])
        return None

    def under(self, law: Array, v: Var) -> OneDraw:
        """The same means under another law of `v`."""
        return OneDraw(self.whole, Draw(v, law, self.whole.ctx, self.whole.know), self.before)

    def of_atom(self, atom: Scalar) -> Found | None:
        found = self.find(atom) if self.draw.row is not None else self.without_row(atom)
        if found is not None:
            return found
        opened = in_simpler_functions(atom, self.is_random, self.whole.know)
        return None if opened is atom else self.of_sum(opened)

    def of_sum(self, body: Scalar) -> Found | None:
        """The mean of a sum of atoms, each by a lemma."""
        try:
            items = expanded(normalised(body, self.is_random, self.positive_draws()), self.is_random, self.keep_power)
        except TooManyTerms:
            return None
        if any(i.indices for i in items):
            return None
        founds = [self.of_atom(i.atom) if i.atom is not ONE else Found(ONE) for i in items]
        known = [f for f in founds if f is not None and f.value is not INF]
        if len(known) < len(items):
            return None
        return together(known, add(*(mul(i.coefficient, f.value) for i, f in zip(items, known, strict=True))))

    def reason(self) -> str:
        law = self.draw.law
        if isinstance(law, Operator) and law.name == "density":
            return f"the density `{law.attrs[1]}` is not known"
        return "no lemma gives this mean"

    def close(self, atom: Scalar, reason: str | None = None) -> Scalar:
        """E of the atom as an operator, one axis for each free index."""
        atom, inner = absorbed(atom)
        draws = [(self.draw.variable, self.draw.counts_alone(atom)), *inner]
        free = sorted(atom.free, key=lambda i: (i.kind, i.number))
        body = tensor(free, atom)
        closed = entry(operator("E", (body, *(law for _, law in draws)), body.shape, (tuple(v for v, _ in draws),)), *free)
        if reason is not None:
            self.whole.open[closed] = reason
        return closed

    def find(self, atom: Scalar) -> Found | None:
        """The mean of a product of random factors."""
        row = self.draw.row
        assert row is not None
        atom = with_exponentials_joined(atom)
        if isinstance(atom, Entry) and isinstance(atom.array, Operation):
            found = self.draw.of_array(atom)
            if found is not None:
                return found
        if row.event:
            found = self.draw.of_function(atom)
            if found is not None:
                return found
        forms: list[LinearForm] = []
        for f in factors_of(atom):
            base, n = (f.args[0], f.args[1]) if isinstance(f, Pow) else (f, ONE)
            form = linear_form(base, self.is_random, self.variables)
            if form is None or not isinstance(n, Num) or n.rational is None or n.rational.denominator != 1 or n.rational < 1:
                forms = []
                break
            forms.extend([form] * int(n.rational))
        if forms and len(forms) <= 2 and not (row.shapes and not row.event):
            found = self.by_moments(forms)
            if found is not None:
                return found
        if row.name == "MvNormal" and 2 < len(forms) <= 6:
            return of_pairs(forms, self)
        groups = self.groups(atom)
        if groups is not None and len(groups) == 1:
            e, f = next(iter(groups.items()))
            return self.single(e, f) or of_two_forms(atom, self)
        if groups is not None and row.is_univariate and len(groups) <= MAX_DEGREE:
            return self.by_independence(groups)
        return self.jointly(atom) or over_entries(atom, self) or self.draw.two_labels(atom) or of_two_forms(atom, self)

    def single(self, e: Entry, f: Scalar) -> Found | None:
        row = self.draw.row
        assert row is not None
        u = self.draw.univariate(e)
        if u is None:
            return self.draw.categorical(f, e)
        if row.name == "OneHotCategorical" or u.law.row.name == "Bernoulli":
            return u.mean(f)
        if row.region.discrete and row.region.low in ("0", "1"):
            f = replace_scalars(f, {fn("abs", e): e})
        found = u.mean(f)
        if found is None:
            again = normalised(f, self.is_random, self.positive_draws())
            found = u.mean(again) if again is not f else None
        if found is None and isinstance(f, Fn) and f.name in ("max", "min", "relu"):
            found = self.of_larger(f)
        if found is None and row.name == "Uniform" and not self.draw.law.shape and u.law.parameters["lo"] is ZERO:
            found = as_share(f, e, u.law.parameters["hi"], self)
        return found if found is not None else self.tilted(u, e, f) or u.by_pieces(f)

    def tilted(self, u: Univariate, e: Entry, f: Scalar) -> Found | None:
        """E exp(g), where the density times exp(g) is one of the table: exp(a x^2) under a normal law."""
        x = var("x", (), "real", "random", uid=-9)
        parts: list[Scalar] = []
        for g in factors_of(replace_scalars(f, {e: entry(x)})):
            if isinstance(g, Fn) and g.name == "exp":
                parts.append(g.args[0])
            elif isinstance(g, Pow) and u.law.row.region.low == "0":
                parts.append(mul(g.args[1], fn("log", g.args[0])))
            else:
                return None
        if not parts or any(isinstance(n, Operator) for n in walk(*parts)) or u.law.row.region.discrete:
            return None
        found = tilted(u.law.row, u.law.parameters, add(*parts), x, self.whole.ctx)
        if found is None or found.condition is ZERO:
            return None
        lemma = f"the density times it is that of a {found.family}, up to a factor"
        return Found(exponential_of(found.logarithm), [lemma], found.condition, INF)

    def of_larger(self, f: Fn) -> Found | None:
        """max(a, b) = (a + b + |a - b|)/2."""
        a, b = (f.args[0], ZERO) if f.name == "relu" else f.args
        sign = num(-1) if f.name == "min" else ONE
        pair = self.reduce(mul(HALF, add(a, b, mul(sign, fn("abs", sub(a, b))))))
        return Found(pair.value, ["the mean distance"]) if pair.rest is ZERO else None

    def groups(self, atom: Scalar) -> dict[Entry, Scalar] | None:
        """The factors of a product by the entry that each depends on."""
        out: dict[Entry, Scalar] = {}
        for f in factors_of(atom):
            entries = entries_in(f, self.variables)
            if entries is None or len(entries) != 1:
                return None
            out[entries[0]] = mul(out.get(entries[0], ONE), f)
        return out

    def by_moments(self, forms: list[LinearForm]) -> Found | None:
        """E L = the form at the mean; E L1 L2 = E L1 E L2 + Cov(L1, L2)."""
        parts: list[Found] = []

        def mean(form: LinearForm) -> Scalar | None:
            failed = False

            def at(*indices: Scalar) -> Scalar:
                nonlocal failed
                found = self.draw.mean_entry(entry(self.draw.variable, *indices))
                if found is None:
                    failed = True
                    return ZERO
                parts.append(found)
                return found.value

            value = with_value(form.whole, self.draw.variable, at)
            return None if failed else value

        means = [m for f in forms if (m := mean(f)) is not None]
        if len(means) < len(forms):
            return None
        if len(forms) == 1:
            return together(parts, means[0])
        covariance: Scalar = ZERO
        for p in forms[0].parts:
            for q in forms[1].parts:
                renamed = {i: fresh_index(i.size) for i in q.indices}
                other = substitute(q.entry, renamed)
                found = self.draw.covariance(p.entry, other)
                if found is None:
                    return None
                parts.append(found)
                term = mul(p.coefficient, substitute(q.coefficient, renamed), found.value)
                covariance = add(covariance, total(term, [*p.indices, *renamed.values()]))
        return together(parts, add(mul(means[0], means[1]), covariance))

    def by_independence(self, groups: dict[Entry, Scalar]) -> Found | None:
        """E f(z_i) g(z_j): a sum over the ways in which indices can be equal, each with a joint cumulant."""
        entries = list(groups)
        functions = [groups[e] for e in entries]
        memo: dict[frozenset[int], Found | None] = {}

        def joint(block: frozenset[int]) -> Found | None:
            """The mean of the product of the block's functions of one and the same entry."""
            if block not in memo:
                first = entries[min(block)]
                f = mul(*(replace_scalars(functions[k], {entries[k]: first}) for k in block))
                memo[block] = self.single(first, f)
            return memo[block]

        used: list[Found] = []
        result: Scalar = ZERO
        for partition in partitions(list(range(len(entries)))):
            term: Scalar = ONE
            for block in partition:
                first = entries[block[0]]
                for k in block[1:]:
                    for i, j in zip(first.indices, entries[k].indices, strict=True):
                        term = mul(term, delta(i, j))
                if term is ZERO:
                    break
                cumulant: Scalar = ZERO
                for inner in partitions(block):
                    product: Scalar = num((-1) ** (len(inner) - 1) * factorial(len(inner) - 1))
                    for part in inner:
                        found = joint(frozenset(part))
                        if found is None:
                            return None
                        used.append(found)
                        product = mul(product, found.value)
                    cumulant = add(cumulant, product)
                term = mul(term, cumulant)
            result = add(result, term)
        return together(used, result)

    def jointly(self, atom: Scalar) -> Found | None:
        """Functions of a linear form: exp(a'z) by the cumulant generating function, others of a normal by its law."""
        row = self.draw.row
        assert row is not None
        if row.name == "OneHotCategorical" and self.draw.variable.rank == 1:
            return self.one_hot(atom)
        chosen = self.draw.only_entry(atom) if row.shapes and row.region.kind == "integers" else None
        if chosen is not None and not any(isinstance(n, Operator) and n.name != "apply" for n in walk(atom)):
            return self.draw.categorical(atom, chosen)
        if len(factors_of(atom)) != 1:
            return None
        inner = self.common_form(atom)
        if inner is None:
            return None
        node, form = inner
        if row.name in ("Normal", "MvNormal"):
            mean, second = self.by_moments([form]), self.by_moments([form, form])
            if mean is None or second is None:
                return None
            variance = add(second.value, mul(num(-1), power(mean.value, TWO)))
            x = entry(var("u", (), "real", "random", uid=-9))
            normal = row_of(operator("Normal", ()))
            assert normal is not None and isinstance(x, Entry)
            sigma = power(variance, HALF)
            self.whole.know.assume_positive(sigma)
            u = Univariate(Law(normal, {"mu": mean.value, "sigma": sigma}), x, self.whole.know)
            return u.mean(f := replace_scalars(atom, {node: x})) or u.by_pieces(f)
        if isinstance(atom, Fn) and atom.name == "exp" and row.name == "Multinomial" and self.draw.variable.rank == 1:
            return self.draw.exponential_of_counts(form)
        if isinstance(atom, Fn) and atom.name == "exp" and row.is_univariate:
            exponent: Scalar = form.constant
            conditions: list[Found] = []
            for p in form.parts:
                alone = self.draw.univariate(p.entry)
                if alone is None:
                    return None
                found = alone.mean(fn("exp", mul(p.coefficient, p.entry)))
                if found is None:
                    return None
                conditions.append(found)
                exponent = add(exponent, total(fn("log", found.value), list(p.indices)))
            if any(not f.condition.free.issubset(atom.free) for f in conditions) or len(form.parts) > 1:
                return None  # two may meet in one entry
            return together(conditions, fn("exp", exponent))
        return None

    def one_hot(self, atom: Scalar) -> Found | None:
        """A one-hot draw: the sum over its k values."""
        assert self.draw.parameters is not None
        k = fresh_index(self.draw.variable.shape[-1])
        weight = self.draw.parameters.value("p", ()).at(k)
        return Found(
            total(mul(weight, with_value(atom, self.draw.variable, lambda i: delta(i, k))), [k]),
            ["the sum over its values"],
        )

    def common_form(self, atom: Scalar) -> tuple[Scalar, LinearForm] | None:
        """The one largest linear form that all that is random in `atom` stands in."""
        if isinstance(atom, (Fn, Pow)) or isinstance(atom, Where):
            found: dict[Scalar, None] = {}
            stack: list[Node] = [a for a in atom.args if self.is_random(a)]
            while stack:
                n = stack.pop()
                if n.is_array_node:
                    return None
                form = linear_form(n, self.is_random, self.variables)
                if form is not None and form.parts:
                    found[n] = None
                    continue
                if isinstance(n, (Entry, Sum)):
                    return None
                stack.extend(a for a in n.args if self.is_random(a))
            if len(found) == 1:
                node = next(iter(found))
                form = linear_form(node, self.is_random, self.variables)
                return (node, form) if form is not None else None
        return None


__all__ = ["Divergent", "Draw", "Expectation", "Pair", "simplified", "terms_of"]
