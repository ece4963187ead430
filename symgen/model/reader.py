"""Expressions in the scope of a model: the operators, densities and expectations on top of plain expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from symgen.model.model import GameRef, UnknownFunction
from symgen.model.operators import OPERATORS, OperatorRow
from symgen.probability import joint as probability
from symgen.probability.distributions import FAMILIES
from symgen.probability.law import LawError, empirical, is_family, make_law
from symgen.probability.joint import DistRef, Joint
from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import Array, Entry, Num, Scalar, Var, entry, operator, replace_arrays, tensor, var
from symgen.tensor.formula import SPECIAL, Binding, Clash, Reader, Scope, UserFunction, Witness, shape_text
from symgen.tensor.functions import FUNCTIONS
from symgen.text import tree
from symgen.text.names import near_name
from symgen.text.tree import Span

if TYPE_CHECKING:
    from symgen.model.elaborate import Elaborator

BINDER_WORDS = ("E", "Var", "Cov", "integral", "sum", "prod", "mean", "max", "min", "logsumexp", "tensor")


class ModelReader(Reader):
    """Reads the expressions of a model. `model` declares names on demand."""

    def __init__(self, model: Elaborator, scope: Scope) -> None:
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
        near = near_name(name, known)
        return Clash(f"unknown {what} `{name}`", span, "not declared", help=f"did you mean `{near}`?" if near else None)

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

    # --- calls

    def call_declared(self, e: tree.Call, b: Binding) -> Value | None:
        if isinstance(b.meaning, UnknownFunction):
            return self.apply_unknown(e, b.meaning)
        if isinstance(b.meaning, Joint):
            return self.density_call(e, b.meaning)
        if e.function in OPERATORS and e.function not in FUNCTIONS:
            return None  # the operator of that name: a value is not called
        return super().call_declared(e, b)

    def apply_unknown(self, e: tree.Call, f: UnknownFunction) -> Value:
        self.no_keywords(e)
        if len(e.arguments) != len(f.shapes):
            raise self.wrong_count(e, str(len(f.shapes)))
        arrays, outer = [], []
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
        lifted_values, outer = self.closed_values(values)
        if outer:
            raise Clash("a density under an index is not supported here", e.span, help="use `E[.. ~ ..]` or whole arrays")
        make = probability.log_density if e.log else probability.density
        return build.scalar(entry(make(ref, lifted_values)))

    def closed_values(self, values: dict[Var, Value]) -> tuple[dict[Var, Array], bool]:
        if any(v.outer for v in values.values()):
            return {}, True
        return {k: v.array() for k, v in values.items()}, False

    def reference(self, e: tree.Call, joint: Joint) -> tuple[DistRef, dict[Var, Value]]:
        """The part of `joint` that p(a, b | c) means, and the values given for its variables."""
        if not e.arguments:
            return probability.whole(joint), {}
        values: dict[Var, Value] = {}
        chosen = self.match_variables(e, e.arguments, joint, joint.variables, values, drawn=True)
        given = self.match_variables(e, e.given, joint, (*joint.outside, *joint.variables), values, drawn=False)
        if not e.given:
            given = tuple(g for f in joint.factors if set(f.variables) & set(chosen) for g in f.given
                          if g in joint.outside and g not in chosen)  # fmt: skip
        return DistRef(joint, chosen, given), values

    def match_variables(
        self, e: tree.Call, items: Sequence[tree.Expression], joint: Joint, among: Sequence[Var],
        values: dict[Var, Value], drawn: bool,
    ) -> tuple[Var, ...]:  # fmt: skip
        chosen: list[Var] = []
        rest: list[tuple[int, tree.Expression]] = []
        for position, a in enumerate(items):
            v = next((v for v in among if isinstance(a, tree.Name) and v.name == a.name), None)
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
        for position, a in rest:
            free = [v for v in among if v not in chosen]
            if not free:
                names = ", ".join(f"`{v.name}`" for v in joint.variables)
                raise Clash(
                    f"`{e.function}` has no variable for `{self.written(a.span)}`", a.span, "one too many",
                    notes=[f"{e.function} is over {names}"],
                )  # fmt: skip
            v = free[0]
            if drawn and len(items) == 1 and len(joint.factors) > 1 and len(among) > 1:
                same = self.value(a)
                fits = [f for f in free if self.fits(same, f)]
                if len(fits) != 1:
                    names = ", ".join(f"`{f.name}`" for f in free)
                    raise Clash(f"which variable of `{e.function}` is this?", a.span, "not one of its names",
                                notes=[f"{e.function} is over {names}"])  # fmt: skip
                v = fits[0]
            chosen[position] = v
            values[v] = self.value(a)
        return tuple(chosen)

    @staticmethod
    def fits(value: Value, v: Var) -> bool:
        return value.rank == v.rank and all(build.same_size(a, b) for a, b in zip(value.shape, v.shape, strict=True))

    # --- operators

    def operator(self, e: tree.Call | tree.Binder) -> Value:
        if isinstance(e, tree.Binder):
            return self.binder_operator(e)
        if e.log:
            return self.log_of_name(e)
        row = OPERATORS.get(e.function)
        if row is None:
            if is_family(e.function):
                raise Clash(
                    f"`{e.function}(..)` is a distribution, not a number", e.span, "a distribution",
                    help="it stands after `~`, on the right of `dist`, or in an operator such as KL",
                )  # fmt: skip
            if e.function in ("E", "Var", "Cov", "integral"):
                raise Clash(f"`{e.function}` needs its bracket", e.span, "over what?",
                            help=f"`{e.function}[x ~ p](..)`" if e.function != "integral" else "`integral[x: a..b](..)`")  # fmt: skip
            raise self.unknown_name(e.function, e.name_span if e.name_span != tree.NOWHERE else e.span, "function")
        return self.make(row, e)

    def log_of_name(self, e: tree.Call) -> Value:
        raise self.unknown_name(e.function, e.name_span if e.name_span != tree.NOWHERE else e.span, "distribution")

    def make(self, row: OperatorRow, e: tree.Call) -> Value:
        items = [*e.arguments, *e.versus]
        if row.pair and e.versus and len(e.arguments) != 1:
            raise Clash(f"`{row.name}` takes one distribution on each side of `||`", e.span)
        if e.versus and not row.pair:
            raise Clash(f"`{row.name}` takes no `||`", e.span)
        low = len(row.takes) - row.optional
        if not low <= len(items) <= len(row.takes):
            n = len(items)
            wanted = str(low) if not row.optional else f"{low} or {len(row.takes)}"
            help = {"KL": "`KL(q || p)`", "grad": "`grad(f, x)`: the gradient of f by x"}.get(row.name)
            raise Clash(f"`{row.name}` takes {wanted} argument{'' if wanted == '1' else 's'}, and {n} "
                        f"{'is' if n == 1 else 'are'} given", e.span, help=help)  # fmt: skip
        picks: list[tree.Subscript] = []
        arguments: list[Any] = []
        for kind, item in zip(row.takes, items, strict=False):
            if kind in ("variable", "variables") and isinstance(item, tree.Subscript) and row.name in ("grad", "d", "jacobian"):
                picks.append(item)
                item = item.operand
            arguments.append(self.argument(kind, item, row, arguments))
        keywords: dict[str, Any] = {}
        for k in e.keywords:
            kind = row.keywords.get(k.name)  # type: ignore[assignment]
            if kind is None:
                known = f": it knows {', '.join(f'`{a}=`' for a in row.keywords)}" if row.keywords else ""
                raise Clash(f"`{row.name}` takes no keyword `{k.name}`{known}", k.span, "unknown keyword")
            keywords.update(self.keyword(kind, k, row, arguments))
        made = row.make(*arguments, **keywords)
        result = build.of_array(made)
        for item in picks:
            result = self.pick_last(result, item, arguments)
        return result

    def pick_last(self, result: Value, item: tree.Subscript, arguments: Sequence[Any]) -> Value:
        """grad(f, W[0, j]): the gradient by W, at that entry."""
        base = self.value(item.operand)
        lead = result.rank - base.rank
        wrapped = Binding(Value(result.indices[lead:], result.body))
        outside, self.scope = self.scope, Scope({"_gradient": wrapped}, self.scope)
        try:
            picked = self.value(tree.Subscript(tree.Name("_gradient", span=item.operand.span), item.items, span=item.span))
        finally:
            self.scope = outside
        return Value((*result.indices[:lead], *(i for i in picked.indices if i not in result.indices[:lead])), picked.body)

    def argument(self, kind: str, e: tree.Expression, row: OperatorRow, before: Sequence[Any]) -> Any:
        if kind in ("value", "scalar"):
            v = self.value(e)
            if kind == "scalar" and v.rank:
                help = "`jacobian(f, x)` differentiates an array" if row.name == "grad" else None
                raise Clash(f"`{row.name}` takes a scalar here", e.span, shape_text(v.shape), self.witnesses(e), help=help)
            if v.outer:
                raise Clash(f"`{row.name}` does not stand under an index", e.span, help="name it with `let` outside")
            return v.array()
        if kind == "variable":
            return self.variable(e, row.name)
        if kind == "variables":
            items = e.items if isinstance(e, tree.ListOf) else (e,)
            return tuple(self.variable(x, row.name) for x in items)
        if kind == "dist":
            return self.distribution(e)
        if kind == "joint":
            return self.distribution(e)
        if kind == "random":
            return self.random_variables(e, before[0] if before and isinstance(before[0], DistRef) else None)
        if kind == "unary":
            return self.unary(e)
        if kind == "game":
            return self.game(e)
        if kind == "player":
            return self.player(e, before[0])
        raise ValueError(kind)

    def keyword(self, kind: str, k: tree.Keyword, row: OperatorRow, before: Sequence[Any]) -> dict[str, Any]:
        e = k.value
        if kind == "word":
            if not isinstance(e, tree.Name) or e.name not in ("free", "tied", "projected"):
                raise Clash(f"`{k.name}` is free, tied or projected", e.span, "not one of them")
            return {k.name: e.name}
        if kind == "integer":
            v = self.scalar(e, f"`{k.name}`")
            if not isinstance(v, Num) or isinstance(v.value, str) or v.value.denominator != 1 or not 0 <= v.value <= 20:
                raise Clash(f"`{k.name}` is an integer from 0 to 20", e.span)
            return {k.name: int(v.value)}
        if kind == "equations":
            items = e.items if isinstance(e, tree.ListOf) else (e,)
            return {k.name: tuple(self.equation(x) for x in items)}
        if kind == "method":
            if isinstance(e, tree.Name):
                return {"method": e.name}
            if isinstance(e, tree.Call):
                return {"method": e.function, "options": tuple(self.step_size(a) for a in e.arguments)}
            raise Clash("a method is a name, such as `alternating`", e.span)
        if kind == "step":
            return {"step": self.step_size(e)}
        if kind == "random":
            return {k.name: self.random_variables(e, before[0] if isinstance(before[0], DistRef) else None)}
        if kind == "value":
            return {k.name: self.value(e).array()}
        raise ValueError(kind)

    def equation(self, e: tree.Expression) -> Array:
        """a = b as the array a - b, which is to be 0."""
        if isinstance(e, tree.Comparison) and e.ops in (("=",), ("==",)):
            a, b = (self.value(x) for x in e.operands)
            try:
                return build.plus([(1, a), (-1, b)]).array()
            except ShapeClash as clash:
                raise self.shape_clash(clash, e.span, *e.operands) from None
        raise Clash("a constraint is an equation, such as `sum(w) = 1`", e.span)

    def step_size(self, e: tree.Expression) -> Array:
        """step=h, consensus(gamma): an undeclared name is a positive symbol."""
        if isinstance(e, tree.Name) and self.scope.find(e.name) is None:
            return var(e.name, (), "positive", "const")
        return tensor((), self.scalar(e, "a step"))

    def variable(self, e: tree.Expression, what: str) -> Array:
        """What a gradient is by: a variable or a let."""
        if isinstance(e, tree.Name):
            b = self.scope.find(e.name)
            if b is None:
                found = self.model.random_variable(e.name)
                if found is None:
                    raise self.unknown_name(e.name, e.span)
                return found
            if isinstance(b.meaning, Value):
                array = plain_array(b.meaning)
                if array is not None:
                    return array
            if b.kind == "dim":
                raise Clash(f"`{what}` is by a variable, and `{e.name}` is a size", e.span, "a size",
                            [Witness(b.span, "declared here")])  # fmt: skip
            if not isinstance(b.meaning, Value):
                raise Clash(f"`{what}` is by a variable, and `{e.name}` is a {b.kind}", e.span, b.kind,
                            [Witness(b.span, "declared here")])  # fmt: skip
        raise Clash(f"`{what}` is by a name: a variable or a `let`", e.span, "not a name",
                    help="give the expression a name with `let` and use that")  # fmt: skip

    def random_variables(self, e: tree.Expression, ref: DistRef | None) -> tuple[Var, ...]:
        out = []
        for x in e.items if isinstance(e, tree.ListOf) else (e,):
            if not isinstance(x, tree.Name):
                raise Clash("the name of a variable is needed here", x.span, "not a name")
            found = ref.joint.named(x.name) if ref is not None else None
            if found is None:
                if ref is not None:
                    names = ", ".join(f"`{v.name}`" for v in ref.joint.variables)
                    raise Clash(f"`{ref.joint.name}` has no variable `{x.name}`", x.span, "not one of its variables",
                                notes=[f"{ref.joint.name} is over {names}"])  # fmt: skip
                found = self.model.random_variable(x.name)
            if found is None:
                raise self.unknown_name(x.name, x.span, "variable")
            out.append(found)
        return tuple(out)

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
                ref, values = self.reference(e, b.meaning)
                arrays = {v: x.array() for v, x in values.items() if v not in ref.variables}
                return self.at_values(ref, arrays)
            if is_family(e.function) or e.function == "Empirical":
                return probability.inline(self.law(e, None))
            raise self.unknown_distribution(e)
        raise Clash("a distribution is needed here", e.span, "an expression")

    @staticmethod
    def at_values(ref: DistRef, values: dict[Var, Array]) -> DistRef:
        """`ref` with values for what it is given."""
        if not values:
            return ref
        factors = tuple(
            probability.Factor(f.name, f.variables, f.given, replace_arrays(f.law, values)) for f in ref.joint.factors
        )
        return DistRef(Joint(ref.joint.name, factors), ref.variables, ref.given)

    def unknown_distribution(self, e: tree.Call) -> Clash:
        span = e.name_span if e.name_span != tree.NOWHERE else e.span
        near = near_name(e.function, [*FAMILIES, *self.model.joint_names()])
        return Clash(f"unknown distribution `{e.function}`", span, "not declared",
                     help=f"did you mean `{near}`?" if near else None)  # fmt: skip

    def law(self, e: tree.Call, event_shape: Sequence[Scalar] | None) -> Array:
        """The law of a family at its arguments."""
        if e.given or e.versus:
            raise Clash(f"`{e.function}` takes parameters alone", e.span)
        values = [self.value(a) for a in e.arguments]
        keywords = {k.name: self.value(k.value) for k in e.keywords}
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
        return Clash(error.message, place.span, "", self.witnesses(*inside), help=error.help)  # type: ignore[arg-type]

    def unary(self, e: tree.Expression) -> tuple[Var, Array]:
        """The name of a function of one argument, as (placeholder, its value)."""
        t = var("t", (), "positive", "placeholder", uid=7)
        if isinstance(e, tree.Name):
            b = self.scope.find(e.name)
            call = tree.Call(e.name, (tree.Name("t", span=e.span),), span=e.span)
            if b is not None and isinstance(b.meaning, UserFunction) or e.name in FUNCTIONS:
                outside, self.scope = self.scope, Scope({"t": Binding(build.of_array(t))}, self.scope)
                try:
                    return t, self.value(call).array()
                finally:
                    self.scope = outside
        raise Clash("the name of a function of one argument is needed here", e.span, "not a function",
                    help="define it: `def f(t) = t*log(t)`")  # fmt: skip

    # --- binders with draws, integrals

    def binder_operator(self, e: tree.Binder) -> Value:
        if e.function in ("E", "Var", "Cov"):
            return self.expectation(e)
        if e.function == "integral":
            return self.integral(e)
        if any(isinstance(s, tree.Draw) for s in e.specs):
            raise Clash(f"`{e.function}` takes indices in its bracket", e.span, help="`E[x ~ p](f)` is the expectation")
        raise self.unknown_name(e.function, e.name_span if e.name_span != tree.NOWHERE else e.span, "function")

    def expectation(self, e: tree.Binder) -> Value:
        draws: list[tuple[Var, Array]] = []
        scope = Scope({}, self.scope)
        if not e.specs:
            raise Clash(f"`{e.function}` draws from nothing", e.span, help=f"`{e.function}[x ~ p](..)`")
        for spec in e.specs:
            if not isinstance(spec, tree.Draw):
                raise Clash(f"`{e.function}` needs to know what `{spec.name}` is drawn from", spec.span, "drawn from?",
                            help=f"`{e.function}[{spec.name} ~ p](..)`")  # fmt: skip
            outside, self.scope = self.scope, scope
            try:
                drawn = self.draw(spec)
            finally:
                self.scope = outside
            for name, v, law in drawn:
                draws.append((v, law))
                scope.names[name] = Binding(build.of_array(v), spec.span, "random variable")
        wanted = 2 if e.function == "Cov" else 1
        if len(e.arguments) != wanted:
            raise self.wrong_count(e, str(wanted))
        values = [self.in_scope(scope, a) for a in e.arguments]
        for v, a in zip(values, e.arguments, strict=True):
            if v.outer:
                raise Clash(f"`{e.function}` does not stand under an index", a.span, help="put the index inside it")
        arrays = [v.array() for v in values]
        if e.function == "E":
            made = probability.expectation(arrays[0], draws)
        elif e.function == "Var":
            made = probability.variance(arrays[0], draws)
        else:
            made = probability.covariance(arrays[0], arrays[1], draws)
        return build.of_array(made)

    def draw(self, spec: tree.Draw) -> list[tuple[str, Var, Array]]:
        """(name, variable, law) for each variable drawn: those asked, and what they hang on within their joint."""
        ref = self.distribution(spec.law)
        drawn = ref.variables if ref.joint.name else ref.variables
        names = list(spec.names)
        by_name = {v.name: v for v in drawn}
        asked: list[Var] = []
        if len(names) < len(drawn) and all(n in by_name for n in names):
            asked = [by_name[n] for n in names]
        elif len(names) == len(drawn):
            asked = [by_name.get(n, None) for n in names]  # type: ignore[misc]
            if any(a is None for a in asked) or len(set(asked)) != len(asked):
                asked = list(drawn)
        else:
            plural = "variable" if len(drawn) == 1 else "variables"
            raise Clash(
                f"`{self.written(spec.law.span)}` draws {len(drawn)} {plural}, and {len(names)} are named", spec.span,
                notes=[f"it is over {', '.join(f'`{v.name}`' for v in drawn)}"],
            )  # fmt: skip
        laws = probability.draws_of(ref, asked)
        rename = {v: n for v, n in zip(asked, names, strict=True)}
        out: list[tuple[str, Var, Array]] = []
        replaced: dict[Array, Any] = {}
        for v, law in laws:
            if replaced:
                law = replace_arrays(law, replaced)
            name = rename.get(v, v.name)
            if v.shape and len(v.shape) > len(law.shape):
                law = probability.full_law(law, v.shape)
            new = var(name, law.shape or v.shape, v.domain, "random", v.domain_args, v.uid)
            if new is not v:
                replaced[v] = new
            out.append((name, new, law))
        return out

    def integral(self, e: tree.Binder) -> Value:
        """integral[x: a..b](f), kept until an engine reduces it."""
        (spec,) = e.specs if len(e.specs) == 1 else (None,)
        if not isinstance(spec, tree.IndexSpec) or spec.lower is None or spec.upper is None:
            raise Clash("`integral` runs over one variable between two ends", e.span, help="`integral[x: a..b](f)`")
        x = var(spec.name, (), "real", "random", uid=9)
        low, high = self.scalar(spec.lower, "an end"), self.scalar(spec.upper, "an end")
        body = self.in_scope(Scope({spec.name: Binding(build.of_array(x), spec.span, "variable")}, self.scope), self.one_argument(e))
        if body.rank or body.outer:
            raise Clash("the integrand is a scalar", e.arguments[0].span, shape_text(body.shape))
        node = operator("integral", (body.array(), tensor((), low), tensor((), high)), (), ((x,),))
        return build.scalar(entry(node))

    # --- games

    def game(self, e: tree.Expression) -> Any:
        if isinstance(e, tree.Name):
            b = self.scope.find(e.name)
            if b is not None and isinstance(b.meaning, GameRef):
                return b.meaning.game
            if b is None:
                raise self.unknown_name(e.name, e.span, "game")
            raise Clash(f"a game is needed here, and `{e.name}` is a {b.kind}", e.span, b.kind,
                        [Witness(b.span, "declared here")])  # fmt: skip
        raise Clash("the name of a game is needed here", e.span, "not a name")

    def player(self, e: tree.Expression, game: Any) -> int:
        """The number of a player by one of the names it moves."""
        name = e.name if isinstance(e, tree.Name) else e.items[0].name if isinstance(e, tree.ListOf) and e.items and isinstance(e.items[0], tree.Name) else None  # noqa: E501
        names = [p.names for p in game.players]
        for k, own in enumerate(names):
            if name in own:
                return k
        known = ", ".join(f"`{n}`" for own in names for n in own)
        raise Clash(f"`{self.written(e.span)}` is no player of this game", e.span, "not a player", notes=[f"its players move {known}"])


def plain_array(v: Value) -> Array | None:
    """The array whose entries, in order, the value is."""
    if isinstance(v.body, Entry) and tuple(v.body.indices) == v.indices:
        return v.body.array
    return None

