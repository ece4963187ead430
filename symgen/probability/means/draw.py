"""One drawn variable and its law: the laws, means and covariances of its entries, and where its values lie."""

from __future__ import annotations

from dataclasses import dataclass

from symgen.derivation.context import Context
from symgen.probability.families.distribution import Distribution
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.probability.forms.terms import LinearForm, depends_on_any, entries_in, normalised, opened, terms_of, with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.joint import full_law
from symgen.probability.laws.law import LAW, row_of, with_normal_beside
from symgen.probability.laws.univariate_law import Law
from symgen.probability.means.chains import covariance_of_states, mean_of_states, shrunken
from symgen.probability.means.exponentials import mean_of_exponential
from symgen.probability.means.univariate import Found, Univariate
from symgen.tensor.build import Value, replace_scalars, same_size
from symgen.tensor.expression import (
    INF,
    NAN,
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Entry,
    Fn,
    Index,
    Mul,
    Num,
    Operation,
    Pow,
    Scalar,
    Sum,
    Var,
    Where,
    add,
    delta,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    num,
    open_sum,
    operator,
    power,
    sub,
    substitute,
    tensor,
    total,
    walk,
)  # fmt: skip


@dataclass
class Draw:
    """One drawn variable and its law."""

    variable: Var
    law: Array
    ctx: Context
    know: Knowledge

    def __post_init__(self) -> None:
        self.law = full_law(with_normal_beside(self.law), self.variable.shape)
        self.row = row_of(self.law)
        self.variables = frozenset((self.variable,))
        self.is_random = depends_on_any(self.variables)
        self.parameters = parameters(self.law, self.ctx) if self.row is not None else None

    def split_index(self, e: Entry) -> tuple[tuple[Scalar, ...], tuple[Scalar, ...]]:
        """The batch part and the own part of the indices of an entry."""
        own = self.row.own_rank if self.row is not None else 0
        at = e.indices
        return at[: len(at) - own], at[len(at) - own :]

    def univariate(self, e: Entry) -> Univariate | None:
        """The law of one entry alone."""
        assert self.row is not None and self.parameters is not None
        batch, own = self.split_index(e)
        if not own:
            if self.row.shapes:
                return None
            return Univariate(self.parameters.univariate(batch, self.know), e, SupportKnowledge(self.know, self.variable, self.row))
        how = MARGINALS.get(self.row.name)
        if how is None:
            return None
        family, texts = how
        row = row_of(operator(family, ()))
        assert row is not None
        scope = {"i": own[0]}
        scalars = [self.parameters.value(t, batch, **scope).body for t in texts]
        for s, domain in zip(scalars, row.parameters.values(), strict=True):
            if domain == "positive":
                self.know.assume_positive(s)
        return Univariate(
            Law(row, dict(zip(row.parameters, scalars, strict=True))),
            e,
            SupportKnowledge(self.know, self.variable, self.row),
        )

    def mean_entry(self, e: Entry) -> Found | None:
        assert self.row is not None and self.parameters is not None
        batch, own = self.split_index(e)
        if not own:
            u = self.univariate(e)
            return u.mean(e) if u is not None else self.categorical(e, e)
        return self.of_function(e) if self.row.states else self.known("mean", batch, own)

    def of_unit_length(self, x: Scalar) -> Scalar:
        """`x` with mu @ mu = 1, where the law is around a unit vector mu."""
        if self.row is None or self.parameters is None or not self.row.unit or self.law.rank != self.row.own_rank:
            return x
        square = self.parameters.value(f"sum({self.row.unit}^2)", ()).body

        def rule(n: Scalar) -> Scalar:
            if n is square or not isinstance(n, Sum) or not isinstance(square, Sum):
                return ONE if n is square else n
            body, (i, *more) = open_sum(n)  # mu @ (a mu - b m) is a - b mu @ m
            if more or i.size is not square.indices[0].size:
                return n
            one = substitute(square.body, {square.indices[0]: i})
            terms = [mul(*rest, t) for *rest, f in [_sum_last(body)] for t in (f.args if isinstance(f, Add) else (f,))]
            unit = {t: divide(t, one) for t in terms if not one.free.isdisjoint(t.free)}
            unit = {t: c for t, c in unit.items() if i not in c.free}
            if not unit:
                return n
            return add(*unit.values(), total(add(*(t for t in terms if t not in unit)), [i]))

        return bottom_up(x, rule)

    def known(self, key: str, batch: tuple[Scalar, ...], own: tuple[Scalar, ...]) -> Found | None:
        """The mean of an array function of the draw that the row knows, with its condition."""
        assert self.row is not None and self.parameters is not None
        if key not in self.row.known:
            return None
        if self.row.spread and key == "mean" and own[0] is ZERO:
            return Found(self.parameters.value("m", batch).at(*own[1:]), ["the mean of the first state"], source=self.row.source)
        if self.row.spread and key == "mean" and (mean := shrunken(self.parameters, own[0])) is not None:
            return Found(mean, ["the mean of a walk without a shift"], source=self.row.source)
        what = "the mean" if key == "mean" else f"the mean of {key}"
        found = Found(self.parameters.value(self.row.known[key], batch).at(*own), [f"{what} of {self.row.called}"],
                      source=self.row.source)  # fmt: skip
        if key in self.row.conditions:
            found.condition, found.otherwise = self._holds(key, batch), NAN
        return found

    def _holds(self, key: str, batch: tuple[Scalar, ...]) -> Scalar:
        """What is not known of the condition under which a moment exists."""
        assert self.row is not None and self.parameters is not None
        condition = self.parameters.value(f"where({self.row.conditions[key]}, 1, 0)", batch).body
        return self.know.remaining(condition.args[0] if isinstance(condition, Where) else condition)

    def of_array(self, e: Entry) -> Found | None:
        """The mean of logdet(x), inv(x): an operation on a whole draw, or on each of many."""
        if self.row is None or not isinstance(e.array, Operation) or e.array.operands != (self.variable,):
            return None
        many = self.variable.rank - self.row.own_rank
        return self.known(e.array.name, e.indices[:many], e.indices[many:])

    def of_function(self, f: Scalar) -> Found | None:
        """The mean of a scalar function of a whole draw that the row knows by its formula, of states of a chain, of an
        exponential."""
        if self.row is None or self.parameters is None:
            return None
        if self.row.states:
            made = mean_of_states(f, self.variable, self.parameters)
            return None if made is None else Found(made[0], [made[1]], source=self.row.source)
        if self.variable.rank != self.row.own_rank:
            return None
        tilted = mean_of_exponential(f, self.variable, self.parameters, self.ctx)
        if tilted is not None:
            if tilted.note:
                self.ctx.trace.condition(tilted.note)
            return Found(tilted.value, [tilted.lemma], self.know.remaining(tilted.condition), INF, tilted.source)
        if not isinstance(f, Fn):
            return None
        for text in self.row.known:
            if "x" in text.replace("covariance", "") and "(" in text:
                axes = [fresh_index(s) for s in self.variable.shape]
                whole = Value(tuple(axes), entry(self.variable, *axes))
                body = opened(self.parameters.value(text, (), x=whole).body, self.is_random)
                if normalised(body, self.is_random, self.know) is f:
                    return self.known(text, (), ())
        return self.at_a_place(f)

    def at_a_place(self, f: Scalar) -> Found | None:
        """The mean of a function of a whole draw at a place i that the row knows."""
        if self.row is None or self.parameters is None or self.variable.rank != 1 or not self.row.means:
            return None
        axes = [fresh_index(s) for s in self.variable.shape]
        whole, sizes = Value(tuple(axes), entry(self.variable, *axes)), self.parameters.sizes()
        for text, mean, axis in self.row.means:
            for place in places_in(f, self.variable):
                if axis and isinstance(place, Index) and not same_size(place.size, sizes[axis]):
                    continue
                made = opened(self.parameters.value(text, (), x=whole, i=place).body, self.is_random)
                if made is f:
                    return Found(self.parameters.value(mean, (), i=place).body, [f"the mean of {text}"], source=self.row.source)
        return None

    def covariance(self, a: Entry, b: Entry) -> Found | None:
        """Cov of two entries: 0 for independent components of different index."""
        assert self.row is not None and self.parameters is not None
        batch_a, own_a = self.split_index(a)
        batch_b, own_b = self.split_index(b)
        same = mul(*(delta(i, j) for i, j in zip(batch_a, batch_b, strict=True)))
        if not own_a:
            if same is ZERO:
                return Found(ZERO)
            u = self.univariate(a)
            found = u.cumulant(2) if u is not None else None
            if found is None:
                return None
            return Found(mul(same, found.value), found.lemmas, found.condition, found.otherwise)
        if self.row.spread:
            between = covariance_of_states(own_a, own_b, self.parameters)
            return None if between is None else Found(between, ["the covariance of states of a chain"], source=self.row.source)
        if "covariance of entries" in self.row.known:
            scope = dict(zip("ijkl", (*own_a, *own_b), strict=False))
            value = self.parameters.value(self.row.known["covariance of entries"], batch_a, **scope).body
            found = Found(mul(same, value), [f"the covariance of {self.row.called}"])
            if "covariance of entries" in self.row.conditions:
                found.condition, found.otherwise = self._holds("covariance of entries", batch_a), NAN
            return found
        if "covariance" not in self.row.known:
            return None
        if "covariance" in self.row.conditions:
            return self._conditional_covariance(same, batch_a, own_a, own_b)
        value = self.parameters.value(self.row.known["covariance"], batch_a).at(*own_a, *own_b)
        return Found(mul(same, value), [f"the covariance of {self.row.called}"])

    def _conditional_covariance(
        self, same: Scalar, batch: tuple[Scalar, ...], a: tuple[Scalar, ...], b: tuple[Scalar, ...]
    ) -> Found | None:
        found = self.known("covariance", batch, (*a, *b))
        if found is not None:
            found.value, found.lemmas, found.otherwise = mul(same, found.value), ["the covariance"], INF
        return found

    def only_entry(self, x: Scalar) -> Entry | None:
        """The one entry of the draw that `x` hangs on, inside arrays too."""
        found = [n for n in walk(x) if isinstance(n, Entry) and n.array is self.variable]
        return found[0] if len(found) == 1 and found[0].free.issubset(x.free) else None

    def exponential_of_counts(self, form: LinearForm) -> Found | None:
        """E exp(c'x) = (sum of p exp(c))^n of a multinomial draw."""
        assert self.parameters is not None
        if len(form.parts) != 1 or form.parts[0].entry.indices != tuple(form.parts[0].indices):
            return None
        (part,) = form.parts
        k = fresh_index(self.variable.shape[-1])
        slope = substitute(part.coefficient, dict(zip(part.indices, (k,), strict=True)))
        one = total(mul(self.parameters.value("p", ()).at(k), fn("exp", slope)), [k])
        value = mul(fn("exp", form.constant), power(one, self.parameters.value("n", ()).body))
        return Found(value, ["the moment generating function of a Multinomial"], source="Johnson, Kotz & Balakrishnan (1997), 35")

    def counts_alone(self, f: Scalar) -> Array:
        """The law, or where f is a sum of functions of one count each, that of the counts by themselves."""
        if self.row is None or self.row.name != "Multinomial" or self.parameters is None or self.law.rank != 1:
            return self.law
        parts = [open_sum(t)[0] if isinstance(t, Sum) else t for t in terms_of(opened(f, self.is_random))]
        if not all(self.only_entry(t) is not None for t in parts if self.is_random(t)):
            return self.law
        i = fresh_index(self.law.shape[0])
        p = tensor([i], self.parameters.value("p", ()).at(i))
        return operator("Binomial", [tensor([i], self.parameters.value("n", ()).body), p], self.law.shape, (LAW,))

    def categorical(self, f: Scalar, e: Entry) -> Found | None:
        """A finite law over 0..k-1: the sum over its values."""
        assert self.row is not None and self.parameters is not None
        if not self.row.shapes or self.row.region.kind != "integers":
            return None
        batch, _ = self.split_index(e)
        k = fresh_index(self.parameters.sizes()["k"])
        weight = fn("exp", self.parameters.value(self.row.log_density, batch, x=k).body)
        return Found(total(mul(weight, with_value(f, self.variable, lambda *_: k)), [k]), ["the sum over its values"])

    def two_labels(self, f: Scalar) -> Found | None:
        """E f(z[i], z[j]) of independent labels: over the values of both, and where i = j over those of the one."""
        assert self.row is not None and self.parameters is not None
        places = entries_in(f, self.variables) if self.row.shapes and self.row.region.kind == "integers" else None
        if places is None or len(places) != 2:
            return None
        first, second = places
        size = self.parameters.sizes()["k"]
        a, b = fresh_index(size), fresh_index(size)
        apart = [sub(i, j) for i, j in zip(first.indices, second.indices, strict=True)]
        weight = [fn("exp", self.parameters.value(self.row.log_density, e.indices, x=k).body) for e, k in ((first, a), (second, b))]
        both = total(mul(*weight, replace_scalars(f, {first: a, second: b})), [a, b])
        lemma = ["the sum over the values of both"]
        if any(isinstance(d, Num) and d is not ZERO for d in apart):
            return Found(both, lemma, source=self.row.source)
        same = mul(*(delta(i, j) for i, j in zip(first.indices, second.indices, strict=True)))
        one = total(mul(weight[0], replace_scalars(f, {first: a, second: a})), [a])
        return Found(add(mul(same, one), mul(sub(ONE, same), both)), lemma, source=self.row.source)


def places_in(f: Scalar, variable: Var) -> list[Scalar]:
    """The indices of the variable, and what these are compared with."""
    found: dict[Scalar, None] = {}
    for n in walk(f):
        if isinstance(n, Entry) and n.array is variable:
            found.update(dict.fromkeys(n.indices))
        elif isinstance(n, Compare):
            found.update(dict.fromkeys(n.args))
    return [p for p in found if p.free <= f.free]


MARGINALS: dict[str, tuple[str, tuple[str, ...]]] = {
    "MvNormal": ("Normal", ("mu[i]", "sqrt(Sigma[i, i])")),
    "Dirichlet": ("Beta", ("alpha[i]", "sum(alpha) - alpha[i]")),
    "OneHotCategorical": ("Bernoulli", ("p[i]",)),
    "Multinomial": ("Binomial", ("n", "p[i]")),
}


class SupportKnowledge(Knowledge):
    """Signs, where the entries of a draw are known to lie in the support of a row."""

    def __init__(self, base: Knowledge, variable: Var, row: Distribution | None) -> None:
        self.facts, self.assumed, self.variable = base.facts, base.assumed, variable
        self.is_random = depends_on_any(frozenset((variable,)))
        self.low_is_positive = row is not None and (
            row.region.kind == "simplex" or (row.region.kind == "interval" and row.region.low in ("0", "xm"))
            or row.name in ("LogUniform",) or (row.region.kind == "integers" and row.region.low == "1")
        )  # fmt: skip
        self.unit = row is not None and (row.support == "unit" or row.region.kind == "simplex")

    def positive(self, x: Scalar) -> bool | None:
        if isinstance(x, Entry) and x.array is self.variable:
            return True if self.low_is_positive else None
        if self.unit and isinstance(x, Add) and len(x.args) == 2 and ONE in x.args:
            other = next(t for t in x.args if t is not ONE)
            if isinstance(other, Mul) and other.args[0] is num(-1) and isinstance(other.args[1], Entry):
                if other.args[1].array is self.variable:
                    return True
        if self.is_random(x) and isinstance(x, (Add, Mul, Pow)):
            if isinstance(x, Add):
                some = any(self.positive(t) for t in x.args)
                return True if some and all(self.at_least_zero(t) for t in x.args) else None
            if isinstance(x, Mul):
                return True if all(self.positive(t) for t in x.args) else None
            return True if self.positive(x.base) else None
        return super().positive(x)

    def at_least_zero(self, x: Scalar) -> bool:
        """Whether x >= 0 is seen from its form: a square, a count."""
        if self.positive(x):
            return True
        if isinstance(x, Entry) and x.array is self.variable:
            return self.variable.domain in ("natural", "binary", "nonnegative")
        if isinstance(x, Mul):
            return all(self.at_least_zero(f) for f in x.args)
        n = is_natural(x.exponent) if isinstance(x, Pow) else None
        return n is not None and isinstance(x, Pow) and (n % 2 == 0 or self.at_least_zero(x.base))


def _sum_last(x: Scalar) -> list[Scalar]:
    """The factors of a product, a sum among them at the end."""
    factors = list(x.args) if isinstance(x, Mul) else [x]
    return sorted(factors, key=lambda f: isinstance(f, Add))
