"""Distributions in expressions: p(x | z), log q(z), KL(q(z | x) || p(z)), the law of a family at its arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from symgen.derivation.context import Context
from symgen.model.composites import put_in
from symgen.model.lifting import at_values
from symgen.model.model import UnknownFunction
from symgen.model.operators import OPERATORS
from symgen.probability.families.composites import COMPOSITES
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.laws import joint as probability
from symgen.probability.laws.combinators import (
    is_normal,
    mixture,
    named_formula,
    transformed,
    transformed_by,
    truncated,
    truncated_normal,
)
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.joint import DistRef, Joint, full_law
from symgen.probability.laws.law import COMBINATORS, LawError, empirical, is_family, make_law, row_of, value_domain
from symgen.probability.laws.vector_images import transformed_vector
from symgen.probability.means.own_density import normalised_law
from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    INF,
    Array,
    Entry,
    Index,
    Num,
    Operator,
    Scalar,
    Var,
    add,
    entry,
    fn,
    fresh_index,
    neg,
    operator,
    replace_arrays,
    tensor,
    var,
    variables_of,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.tensor.formula import SPECIAL, Reader
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.scope import CONSTANTS, Binding, Clash, Scope, UserFunction, Witness, shape_text
from symgen.text import tree
from symgen.text.diagnostics import CannotDerive
from symgen.text.parse import parse_expression
from symgen.text.spellings import OTHER_FUNCTIONS
from symgen.text.tree import Span

BINDER_WORDS = ("E", "Var", "Cov", "integral", "root", "sum", "prod", "mean", "max", "min", "logsumexp", "tensor")


class Declarations(Protocol):
    """What a reader asks the model for."""

    def written(self, span: Span) -> str: ...
    def random_variable(self, name: str) -> Var | None: ...
    def near_name(self, name: str, known: Iterable[str]) -> str | None: ...
    def bound_elsewhere(self, name: str) -> tuple[Span, str] | None: ...
    @property
    def assumed(self) -> Sequence[Scalar]: ...
    def joint_names(self) -> list[str]: ...
    def parameter_names(self, family: str) -> list[str]: ...
    def check_parameters(self, reader: DistributionReader, law: Array, e: tree.Call) -> None: ...
    def check_weights(self, value: Value, place: tree.Expression, text: str) -> None: ...
    def check_ends(self, law: Array, low: Scalar, high: Scalar, e: tree.Call) -> None: ...
    def check_step(self, step: Array, e: tree.Expression, text: str) -> None: ...
    def record(self, op: Array) -> Any: ...


LETTERS_OF_INDICES = frozenset("ijklmn")

# what families are called elsewhere
OTHER_WORDS = {
    "Gaussian": "Normal", "Gauss": "Normal", "norm": "Normal", "N": "Normal", "MultivariateGaussian": "MvNormal",
    "multivariate_normal": "MvNormal", "DoubleExponential": "Laplace", "Flat": "Uniform", "randn": "Normal", "rand": "Uniform",
    "Discrete": "Categorical", "Lorentz": "Cauchy", "Erlang": "Gamma",
}  # fmt: skip


class DistributionReader(Reader):
    """Reads what speaks of distributions and of functions that are not known."""

    def __init__(self, model: Declarations, scope: Scope) -> None:
        super().__init__(scope, model.written)
        self.model = model

    # --- names

    def unknown(self, e: tree.Name) -> Value:
        found = self.model.random_variable(e.name)
        if found is not None:
            return build.of_array(found)
        raise self.unknown_name(e.name, e.span)

    def unknown_name(self, name: str, span: Span, what: str = "name") -> Clash:
        known = self.scope.all_names()
        if what == "function":
            known = [*known, *FUNCTIONS, *SPECIAL, *OPERATORS, *BINDER_WORDS]
        if what == "function" and name in CONSTANTS:
            return Clash(f"`{name}` is a number, not a function", span, "a number", help=f"`{name}*(..)` multiplies by it")
        if what == "function" and name in OTHER_FUNCTIONS:
            return Clash(f"unknown {what} `{name}`", span, "not declared", help=OTHER_FUNCTIONS[name])
        if what == "function" and name in OTHER_WORDS and name != "norm":
            return Clash(f"unknown distribution `{name}`", span, "not declared", help=f"did you mean `{OTHER_WORDS[name]}`?")
        if what == "function" and name.startswith("log") and name[3:].strip("_") in self.model.joint_names():
            law = name[3:].strip("_")
            return Clash(f"unknown {what} `{name}`", span, "not declared", help=f"write `log {law}(..)`, with a space")
        near = self.model.near_name(name, known)
        if near is not None:
            return Clash(f"unknown {what} `{name}`", span, "not declared", help=f"did you mean `{near}`?")
        if what == "name" and self.is_built_in(name):
            return Clash(f"`{name}` is a function", span, "without its arguments", help=f"write `{name}(..)`")
        bound = self.model.bound_elsewhere(name) if what == "name" else None
        if bound is not None:
            place, kind = bound
            return Clash(
                f"unknown name `{name}`", span, "not known here", [Witness(place, f"{kind}, known inside this alone")],
                help=f"`let f[{name}: n] = ..` has an index on the left" if kind == "an index" else None,
            )  # fmt: skip
        help = {
            "name": "declare it with `data`, `param`, `const` or `let`"
            + (f"; an index is bound by `sum[{name}](..)` or `let a[{name}] = ..`" if name in LETTERS_OF_INDICES else ""),
            "function": f"define it with `def {name}(t) = ..`, or declare it as unknown with `function {name}(x): real`",
            "distribution": f"declare it with `dist {name}(z) = ..`, or as unknown with `density {name}(z)`",
        }.get(what)
        return Clash(f"unknown {what} `{name}`", span, "not declared", help=help)

    def meaning(self, e: tree.Name, b: Binding) -> Value:
        if isinstance(b.meaning, UserFunction):
            raise Clash(
                f"`{e.name}` is a function", e.span, "without its arguments", [Witness(b.span, "declared here")],
                help=f"`{e.name}({', '.join(b.meaning.parameters)})`",
            )  # fmt: skip
        if isinstance(b.meaning, Joint):
            raise Clash(
                f"`{e.name}` is a distribution, not a number", e.span, "a distribution", [Witness(b.span, "declared here")],
                help=f"`log {e.name}(..)` is its log-density, `E[.. ~ {e.name}](..)` an expectation under it",
            )  # fmt: skip
        if isinstance(b.meaning, UnknownFunction):
            raise Clash(f"`{e.name}` is a function", e.span, "without its argument", [Witness(b.span, "declared here")])
        raise Clash(f"`{e.name}` is a {b.kind}, not a value", e.span, b.kind, [Witness(b.span, "declared here")])

    # --- calls of declared names

    def is_built_in(self, name: str) -> bool:
        return super().is_built_in(name) or name in OPERATORS or name in BINDER_WORDS

    def is_known_function(self, name: str) -> bool:
        return self.is_built_in(name) or is_family(name) or name == "Empirical"

    def call_declared(self, e: tree.Call, b: Binding) -> Value | None:
        if isinstance(b.meaning, UnknownFunction):
            return self.apply_unknown(e, b.meaning)
        if isinstance(b.meaning, Joint):
            return self.density_call(e, b.meaning)
        if e.log and isinstance(b.meaning, Value | UserFunction):
            raise Clash(
                f"`{e.function}` is a {b.kind}, not a distribution", e.name_span, b.kind, [Witness(b.span, "declared here")],
                help="`log(..)` is the logarithm of a number; `log p(..)`, with a space, is a log-density",
            )  # fmt: skip
        return super().call_declared(e, b)

    def apply_unknown(self, e: tree.Call, f: UnknownFunction) -> Value:
        self.no_keywords(e)
        if len(e.arguments) != len(f.shapes):
            raise self.wrong_count(e, str(len(f.shapes)))
        arrays: list[Value] = []
        outer: list[Index] = []
        for a, shape in zip(e.arguments, f.shapes, strict=True):
            v = self.value(a)
            if shape is not None and (
                v.rank != len(shape) or not all(build.same_size(x, y) for x, y in zip(v.shape, shape, strict=True))
            ):
                raise Clash(
                    f"the argument of `{f.name}` has another shape than declared", a.span, shape_text(v.shape),
                    [Witness(f.span, f"{f.name} takes one that {shape_text(shape)}")],
                )  # fmt: skip
            if v.outer:
                outer.extend(v.outer)
            arrays.append(v)
        if outer:
            lifted = [build.lifted(v) for v in arrays]
            indices = tuple(dict.fromkeys(i for _, own in lifted for i in own))
            operands = [tensor((*indices, *v.indices), v.body) for v in arrays]
            node = operator("apply", operands, tuple(i.size for i in indices), (f.name, f.range, len(indices)))
            return Value((), entry(node, *indices))
        node = operator("apply", [v.array() for v in arrays], (), (f.name, f.range))
        return build.scalar(entry(node))

    def density_call(self, e: tree.Call, joint: Joint) -> Value:
        """p(x | z) or log p(x | z): each argument is a variable of p, by name, or a value in its place."""
        self.no_keywords(e)
        ref, values = self.reference(e, joint)
        if any(v.outer for v in values.values()):
            log_density = self.log_density_under_an_index(e, ref, values)
            return build.scalar(log_density if e.log else fn("exp", log_density))
        make = probability.log_density if e.log else probability.density
        return build.scalar(entry(make(ref, {k: v.array() for k, v in values.items()})))

    def log_density_under_an_index(self, e: tree.Call, ref: DistRef, values: dict[Var, Value]) -> Scalar:
        """sum[i](log p(x[i] | z)): the formula of the family, at entries instead of whole arrays."""
        factors = [f for f in ref.joint.factors if set(f.variables) & set(ref.variables)]
        known = {*ref.variables, *ref.given, *ref.joint.outside}
        places = {v: var(v.name, v.shape, v.domain, "placeholder", v.domain_args, uid=11) for v in values}
        if any(row_of(f.law) is None or len(f.variables) != 1 or not set(f.given) <= known for f in factors):
            raise Clash("only the density of a family may stand under an index", e.span, "under an index",
                        help="use `E[.. ~ ..]` or whole arrays")  # fmt: skip
        terms = []
        for f in factors:
            (x,) = f.variables
            if x in values and values[x].rank != x.rank:
                raise Clash(f"under an index `{x.name}` of `{e.function}` {shape_text(x.shape)}", e.span,
                            shape_text(values[x].shape))  # fmt: skip
            terms.append(log_density_at(replace_arrays(f.law, places), places.get(x, x), Context()))
        found = at_values(add(*terms), {place: values[v] for v, place in places.items()})
        if found is None:
            raise Clash(f"`{e.function}` does not stand under an index", e.span, "under an index",
                        help="write the log-density out, or use whole arrays")  # fmt: skip
        return found

    def reference(self, e: tree.Call, joint: Joint) -> tuple[DistRef, dict[Var, Value]]:
        """The part of `joint` that p(a, b | c) means, and the values given for its variables."""
        if not e.arguments:
            return probability.whole(joint), {}
        values: dict[Var, Value] = {}
        chosen = self.match_variables(e, e.arguments, joint, joint.variables, values, ())
        given = self.match_variables(e, e.given, joint, (*joint.outside, *joint.variables), values, chosen)
        if not e.given:
            given = tuple(g for f in joint.factors if set(f.variables) & set(chosen) for g in f.given
                          if g in joint.outside and g not in chosen)  # fmt: skip
        return DistRef(joint, chosen, given), values

    def match_variables(
        self, e: tree.Call, items: Sequence[tree.Expression], joint: Joint, among: Sequence[Var],
        values: dict[Var, Value], taken: Sequence[Var],
    ) -> tuple[Var, ...]:  # fmt: skip
        chosen: list[Var] = []
        rest: list[tuple[int, tree.Expression]] = []
        for position, a in enumerate(items):
            v = next((v for v in among if isinstance(a, tree.Name) and v.name == a.name), None)
            if v is not None and v in taken:
                raise Clash(f"`{v.name}` of `{e.function}` stands on both sides of the bar", a.span, "given here")
            if v is not None and v not in chosen:
                chosen.append(v)
                b = self.scope.find(v.name)
                if b is not None and isinstance(b.meaning, Value):
                    array = plain_array(b.meaning)
                    if array is not v:
                        values[v] = b.meaning
            else:
                rest.append((position, a))
                chosen.append(None)  # type: ignore[arg-type]
        given = {g.name for g in e.given if isinstance(g, tree.Name)} if items is e.arguments else set[str]()
        for position, a in rest:
            free = [v for v in among if v not in chosen and v not in taken and v.name not in given]
            if not free:
                raise Clash(
                    f"`{e.function}` has no variable for `{self.written(a.span)}`", a.span, "one too many",
                    notes=[self.variables_text(joint)],
                )  # fmt: skip
            v = free[0]
            if not taken and len(items) == 1 and len(joint.factors) > 1 and len(among) > 1:
                same = self.value(a)
                fits = [f for f in free if self.fits(same, f)]
                if len(fits) != 1:
                    raise Clash(f"which variable of `{e.function}` is this?", a.span, "not one of its names",
                                notes=[self.variables_text(joint)])  # fmt: skip
                v = fits[0]
            chosen[position] = v
            values[v] = self.number(a)
            if not values[v].rank and v.rank:
                values[v] = Value(tuple(fresh_index(s) for s in v.shape), values[v].body)  # it stands for all entries
            read = any(v in variables_of(f.law) for f in joint.factors)  # copies of what a law reads are not told apart
            if not self.ends_in(values[v], v) or (read and values[v].rank > v.rank):
                raise Clash(
                    f"`{v.name}` of `{e.function}` {shape_text(v.shape)}, and `{self.written(a.span)}` "
                    f"{shape_text(values[v].shape)}", a.span, shape_text(values[v].shape), self.witnesses(a),
                )  # fmt: skip
        return tuple(chosen)

    @staticmethod
    def variables_text(joint: Joint) -> str:
        """p is over `x`, `z`, given `w`."""
        text = f"{joint.name} is over " + ", ".join(f"`{v.name}`" for v in joint.variables)
        return text + (", given " + ", ".join(f"`{v.name}`" for v in joint.outside) if joint.outside else "")

    @staticmethod
    def ends_in(value: Value, v: Var) -> bool:
        """Whether the last axes are those of `v`, the ones before being those of copies; a number stands for all entries."""
        last = value.shape[value.rank - v.rank :] if value.rank >= v.rank else None
        return value.rank == 0 or last is not None and all(build.same_size(a, b) for a, b in zip(last, v.shape, strict=True))

    @staticmethod
    def fits(value: Value, v: Var) -> bool:
        return value.rank == v.rank and all(build.same_size(a, b) for a, b in zip(value.shape, v.shape, strict=True))

    # --- distributions as arguments

    def distribution(self, e: tree.Expression) -> DistRef:
        """q, q(z | x), p(z), Normal(0, 1)."""
        if isinstance(e, tree.Name):
            b = self.scope.find(e.name)
            if b is not None and isinstance(b.meaning, Joint):
                return probability.whole(b.meaning)
            if b is not None:
                raise Clash(f"a distribution is needed here, and `{e.name}` is a {b.kind}", e.span, b.kind,
                            [Witness(b.span, "declared here")])  # fmt: skip
            raise self.unknown_name(e.name, e.span, "distribution")
        if isinstance(e, tree.Call) and not e.log:
            b = self.scope.find(e.function)
            if b is not None and isinstance(b.meaning, Joint):
                self.no_keywords(e)
                ref, values = self.reference(e, b.meaning)
                arrays = {v: x.array() for v, x in values.items()}
                self.check_values(e, ref, arrays)
                return self.at_values(ref, {v: x for v, x in arrays.items() if v not in ref.variables})
            if is_family(e.function) or e.function == "Empirical":
                return probability.inline(self.law(e, None))
            if e.function in COMPOSITES:
                return self.composite(e)
            raise self.unknown_distribution(e)
        raise Clash("a distribution is needed here", e.span, "an expression")

    def check_values(self, e: tree.Call, ref: DistRef, values: dict[Var, Array]) -> None:
        """A distribution is over its variables, and what its joint draws can be given at a variable alone."""
        for v, x in values.items():
            plain = plain_array(build.of_array(x)) if x.rank == v.rank else None
            named = isinstance(plain, Var) and (plain.role == "random" or v not in ref.variables)
            if v in ref.variables and not named:
                place = e.arguments[ref.variables.index(v)]
                raise Clash(
                    f"`{self.written(place.span)}` is a value, and a distribution is over its variables", place.span,
                    f"`{v.name}` is needed here",
                )  # fmt: skip
            if v in ref.joint.variables and not (named and plain.shape == v.shape):  # type: ignore[union-attr]
                place = e.given[ref.given.index(v)] if v in ref.given and e.given else e
                raise Clash(
                    f"`{e.function}` draws `{v.name}`, and a computed value cannot be given for it here", place.span,
                    "computed", help="give it a `data` or a random variable",
                )  # fmt: skip

    @staticmethod
    def at_values(ref: DistRef, values: dict[Var, Array]) -> DistRef:
        """`ref` with values for what it is given."""
        if not values:
            return ref
        # p(z | xs) of a joint that draws x: its x is xs from here on
        name = {v: x for v, x in values.items() if isinstance(x, Var) and x.shape == v.shape}

        def renamed(variables: tuple[Var, ...]) -> tuple[Var, ...]:
            return tuple(name.get(v, v) for v in variables)

        factors = tuple(
            probability.Factor(f.name, renamed(f.variables), renamed(f.given), replace_arrays(f.law, values))
            for f in ref.joint.factors
        )
        return DistRef(Joint(ref.joint.name, factors), renamed(ref.variables), renamed(ref.given))

    def composite(self, e: tree.Call) -> DistRef:
        """A family of several variables in place: a joint of its factors, under the names of the table."""
        row = COMPOSITES[e.function]
        places: dict[str, tree.Expression] = dict(zip(row.parameters, e.arguments, strict=False))
        places.update({k.name: k.value for k in e.keywords})
        if set(places) != set(row.parameters) or len(e.arguments) + len(e.keywords) != len(row.parameters):
            listed = ", ".join(f"`{p}`" for p in row.parameters)
            raise Clash(f"a {row.name} takes {len(row.parameters)} arguments ({listed})", e.span)
        places.update({v: tree.Name(f"_drawn_{v}") for v in row.variables})  # apart from the author's names
        drawn: dict[str, Var] = {}
        factors: list[probability.Factor] = []
        outside = self.scope
        try:
            for name, given, text in row.factors:
                law = self.law(put_in(parse_expression(text), places, e.span), None)
                drawn[name] = var(name, law.shape, value_domain(law), "random", uid=-1)
                factors.append(probability.Factor("", (drawn[name],), tuple(drawn[g] for g in given), law))
                binding = Binding(build.of_array(drawn[name]), e.span, "variable")
                self.scope = Scope({f"_drawn_{name}": binding}, self.scope)
        finally:
            self.scope = outside
        return DistRef(Joint("", tuple(factors)), tuple(drawn[n] for n in row.variables))

    def unknown_distribution(self, e: tree.Call) -> Clash:
        span = e.name_span if e.name_span != tree.NOWHERE else e.span
        near = self.model.near_name(e.function, [*FAMILIES, *self.model.joint_names(), *OTHER_WORDS])
        near = OTHER_WORDS.get(near, near) if near is not None else OTHER_WORDS.get(e.function)
        if near is None and e.function[:1].isupper():
            return Clash(f"unknown family `{e.function}`", span, "not known", help="families are " + ", ".join(FAMILIES))
        if near is None:
            return self.unknown_name(e.function, span, "distribution")
        return Clash(f"unknown distribution `{e.function}`", span, "not declared", help=f"did you mean `{near}`?")

    def law(self, e: tree.Call, event_shape: Sequence[Scalar] | None) -> Array:
        """The law of a family at its arguments."""
        if e.given or e.versus:
            raise Clash(f"`{e.function}` takes parameters alone", e.span)
        if e.function in COMBINATORS:
            law = self.combined(e, event_shape)
            return named_formula(law, " ".join(self.written(e.span).split()))
        values = [self.number(a) for a in e.arguments]
        keywords = {k.name: self.number(k.value) for k in e.keywords}
        for v, x in zip([*values, *keywords.values()], [*e.arguments, *(k.value for k in e.keywords)], strict=True):
            if v.outer:
                raise Clash("a distribution does not stand under an index", x.span)
        if e.function == "Empirical":
            if len(values) != 1 or keywords or values[0].rank == 0:
                raise Clash("`Empirical` takes one data array, whose rows are the points", e.span)
            return empirical(values[0].array())
        try:
            law = make_law(e.function, [v.array() for v in values], {k: v.array() for k, v in keywords.items()}, event_shape)
        except LawError as error:
            raise self.law_clash(error, e) from None
        self.model.check_parameters(self, law, e)
        return law

    def combined(self, e: tree.Call, event_shape: Sequence[Scalar] | None = None) -> Array:
        """Truncated(p, low, high), Mixture(w, p, q), Transformed(p, f); of a scalar law that has to give a vector its
        independent copies are transformed."""
        try:
            if e.function == "Mixture" and len(e.arguments) > 1 and not e.keywords:
                weights = self.number(e.arguments[0])
                self.model.check_weights(weights, e.arguments[0], self.written(e.arguments[0].span))
                return mixture(weights.array(), [self.one_law(a) for a in e.arguments[1:]])
            if e.function == "Truncated" and len(e.arguments) == 3 and not e.keywords:
                low, high = (self.number(a) for a in e.arguments[1:])
                inside = e.arguments[0]
                if isinstance(inside, tree.Call) and inside.function == "Truncated" and len(inside.arguments) == 3:
                    within = [self.number(a) for a in inside.arguments[1:]]  # cut off twice is cut off once
                    if not any(v.rank for v in (low, high, *within)):
                        ends = larger(within[0].body, low.body), smaller(within[1].body, high.body)
                        whole = self.one_law(inside.arguments[0])
                        self.model.check_ends(whole, *ends, e)
                        return truncated(whole, *ends)
                law = self.one_law(inside)
                if not low.rank and not high.rank:
                    self.model.check_ends(law, low.body, high.body, e)
                    return truncated(law, low.body, high.body)
                if is_normal(law):
                    return truncated_normal(law, low.array(), high.array())
                raise Clash("the ends of a truncated law are numbers where it is not Normal", e.span)
            name = e.arguments[1] if len(e.arguments) == 2 else None
            if e.function == "Transformed" and isinstance(name, tree.Name) and not e.keywords:
                b = self.scope.find(name.name)
                law = self.one_law(e.arguments[0])
                if event_shape is not None and not law.rank and len(event_shape) == 1:
                    law = full_law(law, event_shape)
                if b is None or not isinstance(b.meaning, UserFunction):
                    if law.rank == 1 and name.name in FUNCTIONS:
                        return transformed_vector(law, lambda x: build.apply(name.name, build.of_array(x)))
                    return transformed(law, name.name)
                own, call = b.meaning, tree.Call(name.name, (name,), span=name.span)
                if law.rank == 1:
                    return transformed_vector(law, lambda x: self.own_values(call, own, x))
                return transformed_by(law, lambda x: self.own_image(call, own, x))
        except LawError as error:
            raise Clash(error.message, e.span, help=error.help) from None
        forms = {"Truncated": "Truncated(Normal(m, s), low, high)", "Mixture": "Mixture(w, Normal(m, s), Normal(n, t))",
                 "Transformed": "Transformed(Normal(m, s), exp)"}  # fmt: skip
        raise Clash(f"`{e.function}` takes other arguments", e.span, help=f"write `{forms[e.function]}`")

    def own_values(self, e: tree.Call, f: UserFunction, x: Array) -> Value:
        """The value of a function of one's own at a draw."""
        if len(f.parameters) != 1:
            raise Clash(f"`{f.name}` takes {len(f.parameters)} arguments, and one is transformed", e.span)
        return self.body_of(e, f, [build.of_array(x)])

    def own_image(self, e: tree.Call, f: UserFunction, x: Array) -> Scalar:
        """The value of a function of one's own at a number."""
        value = self.own_values(e, f, x)
        if value.rank:
            raise Clash(f"`{f.name}` gives an array, and a number is transformed", e.span, shape_text(value.shape))
        return value.body

    def one_law(self, e: tree.Expression) -> Array:
        """The law of a dist of one variable, by its name or in place."""
        ref = self.distribution(e)
        if len(ref.joint.factors) != 1 or ref.given:
            raise Clash("a law of one variable is needed here", e.span, "not one variable")
        return self.of_mass_one(ref.joint.factors[0].law, e)

    def of_mass_one(self, law: Array, e: tree.Expression) -> Array:
        """A law of one's own formula divided by its integral, where that is found."""
        if not (isinstance(law, Operator) and law.name == "formula" and law.attrs[2]):
            return law
        ctx = Context(facts=Facts(self.model.assumed))
        try:
            made = normalised_law(law, ctx)
        except CannotDerive as why:
            raise Clash(str(why.args[0]), e.span) from None
        if ctx.trace.region:
            raise Clash("the density has an integral under a condition alone", e.span, str(ctx.trace.region[0]),
                        help=f"declare it: `assume {ctx.trace.region[0]}`")  # fmt: skip
        return made

    def law_clash(self, error: LawError, e: tree.Call) -> Clash:
        place: tree.Tree = e
        if error.argument is not None:
            names = self.model.parameter_names(e.function)
            for k in e.keywords:
                if k.name == error.argument:
                    place = k
            if error.argument in names and names.index(error.argument) < len(e.arguments):
                place = e.arguments[names.index(error.argument)]
        inside = [place] if isinstance(place, tree.Expression) else list(e.arguments)
        return Clash(error.message, place.span, "", self.witnesses(*inside), help=error.help)


def larger(a: Scalar, b: Scalar) -> Scalar:
    """max(a, b), without it where it is known which."""
    if isinstance(a, Num) and isinstance(b, Num):
        return a if float(a.value) >= float(b.value) else b
    return b if a is neg(INF) else a if b is neg(INF) else fn("max", a, b)


def smaller(a: Scalar, b: Scalar) -> Scalar:
    return (
        neg(larger(neg(a), neg(b)))
        if isinstance(a, Num) and isinstance(b, Num)
        else b
        if a is INF
        else a
        if b is INF
        else fn("min", a, b)
    )


def plain_array(v: Value) -> Array | None:
    """The array whose entries, in order, the value is."""
    if isinstance(v.body, Entry) and tuple(v.body.indices) == v.indices and v.array() is v.body.array:
        return v.body.array
    return None


def plain_or_new(v: Value) -> Array:
    """The array that a value names already, or one of its own."""
    return plain_array(v) or v.array()
