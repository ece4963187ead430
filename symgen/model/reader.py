"""Expressions in the scope of a model: the operators of the table on top of distributions and plain expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgen.games.dynamics import CONTINUOUS, DYNAMICS
from symgen.model.distribution_reader import plain_array
from symgen.model.expectation_reader import ExpectationReader
from symgen.model.model import GameRef, UnknownFunction
from symgen.model.operators import OPERATORS, OperatorRow
from symgen.model.records import NoField, part_of, record_operator
from symgen.probability.divergences.inequalities import INEQUALITIES
from symgen.probability.laws.joint import DistRef, Joint
from symgen.probability.laws.law import is_family, row_of, value_domain
from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.domains import DOMAINS
from symgen.tensor.expression import Array, Num, Var, operator, tensor, var, variables_of
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.scope import CONSTANTS, Binding, Clash, Scope, UserFunction, Witness, shape_text
from symgen.text import tree


class ModelReader(ExpectationReader):
    """Reads the expressions of a model, which declares names on demand."""

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
            if e.function in ("E", "Var", "Cov", "integral", "root"):
                help = f"`{e.function}[x: a..b](..)`" if e.function in ("integral", "root") else f"`{e.function}[x ~ p](..)`"
                raise Clash(f"`{e.function}` needs its bracket", e.span, "over what?", help=help)
            raise self.unknown_name(e.function, e.name_span if e.name_span != tree.NOWHERE else e.span, "function")
        return self.make(row, e)

    def part(self, e: tree.Part) -> Value:
        """equilibrium(g).value, of a record that is found while the text is read: its shape is told by nothing else."""
        path, first = [e.name], e
        while isinstance(first.operand, tree.Part):
            first = first.operand
            path.insert(0, first.name)
        text = self.written(first.operand.span)
        op = record_operator(self.value(first.operand).array())
        record = self.model.record(op) if op is not None else None
        if op is None or record is None:
            raise Clash(f"`{text}` is no record: it has no field `{path[0]}`", e.span, "not a record",
                        help="`equilibrium`, `stability`, `best_response` and `posterior` give records")  # fmt: skip
        try:
            made = part_of(record, path)
        except NoField as error:
            near = self.model.near_name(path[-1], error.names)
            known = [f"it has {', '.join(f'`{n}`' for n in error.names)}"] if error.names else []
            raise Clash(error.message, e.span, "not a value", notes=known,
                        help=f"did you mean `{near}`?" if near else None) from None  # fmt: skip
        meant = {v: a for v in variables_of(made) if v.role == "placeholder" and (a := self.density_named(v.name, e.span))}
        return build.of_array(operator("part", (op, *meant.values()), made.shape, (tuple(path), tuple(meant))))

    def density_named(self, name: str, span: tree.Span) -> Array | None:
        """p(x) for the symbol of a game that stands for the density of that name at the point."""
        b = self.scope.find(name)
        whole, _, part = (name, "", "") if b is not None else name.partition("_")  # p_x is p(x) of p(x, z)
        b = self.scope.find(whole)
        joint = b.meaning if b is not None else None
        if not isinstance(joint, Joint) or len(joint.factors) != 1:
            return None
        names = [v.name for v in joint.factors[0].variables if not part or v.name in part.split("_")]
        if not names:
            return None
        at = tuple(tree.Name(n, span=span) for n in names)
        return self.value(tree.Call(whole, at, span=span, name_span=span)).array()

    def log_of_name(self, e: tree.Call) -> Value:
        raise self.unknown_name(e.function, e.name_span if e.name_span != tree.NOWHERE else e.span, "distribution")

    def make(self, row: OperatorRow, e: tree.Call) -> Value:
        items = [*e.arguments, *e.versus]
        if row.pair and e.versus and len(e.arguments) != 1:
            raise Clash(f"`{row.name}` takes one distribution on each side of `||`", e.span)
        if e.given and row.pair:
            raise Clash(f"two bars stand between the distributions of `{row.name}`", e.span, "one bar",
                        help=f"`{row.name}(q || p)`")  # fmt: skip
        if e.given:
            raise Clash(f"`{row.name}` takes nothing after a bar", e.span, "given?")
        if e.versus and not row.pair:
            raise Clash(f"`{row.name}` takes no `||`", e.span)
        low = len(row.takes) - row.optional
        if not low <= len(items) <= len(row.takes):
            n = len(items)
            wanted = str(low) if not row.optional else f"{low} or {len(row.takes)}"
            forms = {"KL": "`KL(q || p)`", "grad": "`grad(f, x)`: the gradient of f by x; by several, `grad(f, [x, y])`"}
            help = forms.get(row.name)
            raise Clash(f"`{row.name}` takes {wanted} argument{'' if wanted == '1' else 's'}, and {n} "
                        f"{'is' if n == 1 else 'are'} given", e.span, help=help)  # fmt: skip
        if row.name in ("argmin", "argmax") and len(items) == 2 and not e.keywords and (names := self.own_indices(items[1])):
            assert isinstance(items[1], tree.Subscript)
            of, by = self.argument("scalar", items[0], row, ()), self.variable(items[1].operand, row.name)
            return build.of_array(operator("optimum_by_rows", (of, by), by.shape, (row.name, names)))
        picks: list[tree.Subscript] = []
        arguments: list[Any] = []
        for kind, item in zip(row.takes, items, strict=False):
            if kind in ("variable", "variables") and isinstance(item, tree.Subscript) and row.name in ("grad", "d", "jacobian"):
                picks.append(item)
                item = item.operand
            arguments.append(self.argument(kind, item, row, arguments))
        if row.name == "grad" and len(arguments) == 1:
            arguments.append(self.params_of(arguments[0], items[0]))
        keywords: dict[str, Any] = {}
        for k in e.keywords:
            kind = row.keywords.get(k.name)  # type: ignore[assignment]
            if kind is None:
                known = f": it knows {', '.join(f'`{a}=`' for a in row.keywords)}" if row.keywords else ""
                raise Clash(f"`{row.name}` takes no keyword `{k.name}`{known}", k.span, "unknown keyword")
            keywords.update(self.keyword(kind, k, row, arguments))
        if row.name == "hvp" and arguments[1].shape != arguments[2].shape:
            texts = [self.written(a.span) for a in e.arguments]
            raise Clash(f"the direction of `hvp` has the shape of `{texts[1]}`", e.arguments[2].span,
                        shape_text(arguments[2].shape), self.witnesses(*e.arguments[1:]))  # fmt: skip
        if row.pair:
            self.one_space(row, arguments[0], arguments[1], e)
        made = row.make(*arguments, **keywords)
        result = build.of_array(made)
        for item in picks:
            result = self.pick_last(result, item, arguments)
        return result

    def own_indices(self, e: tree.Expression) -> tuple[str, ...]:
        """t of r[t] where nothing else is called so: each row in turn; none where this is something else."""
        if not isinstance(e, tree.Subscript):
            return ()
        names = tuple(i.name for i in e.items if isinstance(i, tree.Name) and self.scope.find(i.name) is None)
        return names if len(names) == len(e.items) else ()

    def params_of(self, f: Array, e: tree.Expression) -> tuple[Array, ...]:
        """All parameters that an expression depends on, as they are declared: `grad(L)`."""
        found = [v for v in variables_of(f) if v.role == "param"]
        if not found:
            raise Clash(f"`grad({self.written(e.span)})` is by all its parameters, and it has none", e.span, "no `param`",
                        help="`grad(f, x)`: the gradient of f by x")  # fmt: skip
        places = {v: b.span.start for v in found if (b := self.scope.find(v.name)) is not None}
        return tuple(sorted(found, key=lambda v: places.get(v, 0)))

    def one_space(self, row: OperatorRow, q: DistRef, p: DistRef, e: tree.Call) -> None:
        """Two distributions that are compared are over values of one shape, both counted or both continuous."""
        if row.name in ("elbo", "moment_match") or len(q.variables) != 1 or len(p.variables) != 1:
            return
        (x,), (y,) = q.variables, p.variables
        short = min(x.rank, y.rank)
        fits = all(build.same_size(a, b) for a, b in zip(x.shape[x.rank - short :], y.shape[y.rank - short :], strict=True))
        texts = [self.written(a.span) for a in (*e.arguments, *e.versus)[:2]]
        if not fits:
            raise Clash(f"`{texts[0]}` and `{texts[1]}` are over different spaces", e.span, "not comparable", notes=[
                f"`{text}` is over `{v.name}`, which {shape_text(v.shape)}" for text, v in zip(texts, (x, y), strict=True)
            ])  # fmt: skip
        laws = [next(f.law for f in r.joint.factors if v in f.variables) for r, v in ((q, x), (p, y))]
        spaces = [DOMAINS[value_domain(law)] for law in laws if row_of(law) is not None and value_domain(law) in DOMAINS]
        if len(spaces) == 2 and spaces[0].discrete != spaces[1].discrete:
            raise Clash(f"`{texts[0]}` and `{texts[1]}` are over different spaces", e.span, "not comparable", notes=[
                f"`{text}` draws {space.says.replace('any ', 'a ')}" for text, space in zip(texts, spaces, strict=True)
            ])  # fmt: skip

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

    # --- arguments of operators

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
            if not items:
                raise Clash(f"`{row.name}` is by one variable at least", e.span, "an empty list")
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
            return self.method(e)
        if kind == "inequality":
            return self.inequality(e)
        if kind == "step":
            step = self.step_size(e)
            self.model.check_step(step, e, self.written(e.span))
            return {"step": step}
        if kind == "random":
            return {k.name: self.random_variables(e, before[0] if isinstance(before[0], DistRef) else None)}
        if kind == "value":
            return {k.name: self.value(e).array()}
        raise ValueError(kind)

    def method(self, e: tree.Expression) -> dict[str, Any]:
        """method=alternating, method=consensus(gamma)."""
        if not isinstance(e, tree.Name | tree.Call):
            raise Clash("a method is a name, such as `alternating`", e.span, "not a name")
        name = e.name if isinstance(e, tree.Name) else e.function
        known = [*DYNAMICS, *CONTINUOUS]
        if name not in known:
            near = self.model.near_name(name, known)
            raise Clash(f"unknown method `{name}`", e.span, "not known",
                        help=f"did you mean `{near}`?" if near else "methods are " + ", ".join(known))  # fmt: skip
        given = e.arguments if isinstance(e, tree.Call) else ()
        wanted = DYNAMICS[name].options if name in DYNAMICS else ()
        if len(given) != len(wanted) or (isinstance(e, tree.Call) and e.keywords):
            raise Clash(f"`{name}` takes {len(wanted)} options, and {len(given)} are given", e.span, "",
                        help=f"`method={name}({', '.join(wanted)})`" if wanted else f"`method={name}`")  # fmt: skip
        return {"method": name} | ({"options": tuple(self.step_size(a) for a in given)} if given else {})

    def inequality(self, e: tree.Expression) -> dict[str, Any]:
        """by=nwj(T), by=barber_agakov(q), by=pairwise."""
        if not isinstance(e, tree.Name | tree.Call):
            raise Clash("an inequality is a name, such as `donsker_varadhan(T)`", e.span, "not a name")
        name = e.name if isinstance(e, tree.Name) else e.function
        row = INEQUALITIES.get(name)
        if row is None:
            near = self.model.near_name(name, INEQUALITIES)
            raise Clash(f"unknown inequality `{name}`", e.span, "not known",
                        help=f"did you mean `{near}`?" if near else "inequalities are " + ", ".join(INEQUALITIES))  # fmt: skip
        given = e.arguments if isinstance(e, tree.Call) else ()
        if len(given) != len(row.takes) or (isinstance(e, tree.Call) and e.keywords):
            raise Clash(f"`{name}` takes {len(row.takes)} argument{'' if len(row.takes) == 1 else 's'}, and {len(given)} "
                        f"{'is' if len(given) == 1 else 'are'} given", e.span, "",
                        help=f"`by={name}({', '.join(row.takes)})`" if row.takes else f"`by={name}`")  # fmt: skip
        return {"name": name, "arguments": tuple(self.of_inequality(k, a) for k, a in zip(row.takes, given, strict=True))}

    def of_inequality(self, kind: str, e: tree.Expression) -> tuple[Any, ...]:
        """What an inequality speaks of: the name of a critic, a decoder, a number."""
        if kind == "decoder":
            return (kind, self.distribution(e))
        if kind == "number":
            return (kind, tensor((), self.scalar(e, "this")))
        b = self.scope.find(e.name) if isinstance(e, tree.Name) else None
        if b is None or not isinstance(b.meaning, UnknownFunction):
            raise Clash("a critic is a function that is not known", e.span, "not one",
                        help="declare it with `function T(x, z): real`")  # fmt: skip
        return (kind, b.meaning.name, b.meaning.range, len(b.meaning.shapes))

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
                if found is None and e.name in CONSTANTS:
                    raise Clash(f"`{what}` is by a variable, and `{e.name}` is a number", e.span, "a number")
                if found is None:
                    raise self.unknown_name(e.name, e.span)
                return found
            if isinstance(b.meaning, Value):
                array = plain_array(b.meaning)
                if isinstance(array, Var) and array.domain in DOMAINS and DOMAINS[array.domain].discrete:
                    raise Clash(f"`{what}` is by a continuous variable, and `{e.name}` is of domain `{array.domain}`",
                                e.span, array.domain, [Witness(b.span, "declared here")])  # fmt: skip
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

    def unary(self, e: tree.Expression) -> tuple[Var, Array]:
        """The name of a function of one argument, as (placeholder, its value)."""
        t = var("t", (), "positive", "placeholder", uid=7)
        if isinstance(e, tree.Name):
            b = self.scope.find(e.name)
            call = tree.Call(e.name, (tree.Name("t", span=e.span),), span=e.span)
            if (b is not None and isinstance(b.meaning, UserFunction)) or e.name in FUNCTIONS:
                outside, self.scope = self.scope, Scope({"t": Binding(build.of_array(t))}, self.scope)
                try:
                    return t, self.value(call).array()
                finally:
                    self.scope = outside
        raise Clash("the name of a function of one argument is needed here", e.span, "not a function",
                    help="define it: `def f(t) = t*log(t)`")  # fmt: skip

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
        first = e.items[0] if isinstance(e, tree.ListOf) and e.items else e
        name = first.name if isinstance(first, tree.Name) else None
        names = [p.names for p in game.players]
        for k, own in enumerate(names):
            if name in own:
                return k
        known = ", ".join(f"`{n}`" for own in names for n in own)
        raise Clash(
            f"`{self.written(e.span)}` is no player of this game",
            e.span,
            "not a player",
            notes=[f"its players move {known}"],
        )
