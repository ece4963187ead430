"""What draws: E[x ~ p](f), Var, Cov; and integrals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symgen.model.own_functions import FunctionReader
from symgen.probability.laws import joint as probability
from symgen.probability.laws.copies import copies_of
from symgen.probability.laws.joint import Joint
from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import INF, ONE, ZERO, Array, Scalar, Var, entry, operator, replace_arrays, tensor, var
from symgen.tensor.facts import is_nonnegative
from symgen.tensor.scope import Binding, Clash, Scope, is_size, shape_text
from symgen.text import tree

HIDDEN = 1000  # what is added to the number of a variable that is drawn and not spoken of


class ExpectationReader(FunctionReader):
    """Reads the binders that draw random variables or integrate."""

    integrals = 0  # that what is read stands in

    def binder_operator(self, e: tree.Binder) -> Value:
        if e.function in ("E", "Var", "Cov"):
            return self.expectation(e)
        if e.function in ("integral", "root"):
            return self.integral(e)
        if e.function == "sum":
            return self.series(e)
        if any(isinstance(s, tree.Draw) for s in e.specs):
            raise Clash(f"`{e.function}` takes indices in its bracket", e.span, help="`E[x ~ p](f)` is the expectation")
        raise self.unknown_name(e.function, e.name_span if e.name_span != tree.NOWHERE else e.span, "function")

    def expectation(self, e: tree.Binder) -> Value:
        draws: list[tuple[Var, Array]] = []
        scope = Scope({}, self.scope)
        if not e.specs:
            raise Clash(f"`{e.function}` draws from nothing", e.span, help=f"`{e.function}[x ~ p](..)`")
        specs = self.one_draw_each(e.specs)
        for spec in specs:
            if not isinstance(spec, tree.Draw):
                is_law = spec.name in self.model.joint_names()
                draw = f"x ~ {spec.name}" if is_law else f"{spec.name} ~ p"
                raise Clash(f"`{e.function}` needs to know what `{spec.name}` is drawn from" if not is_law else
                            f"`{e.function}` needs a name for what is drawn from `{spec.name}`", spec.span, "drawn from?",
                            help=f"`{e.function}[{draw}](..)`")  # fmt: skip
            outside, self.scope = self.scope, scope
            try:
                others = [d for d in specs if isinstance(d, tree.Draw) and d is not spec]
                beside = [n for d in others for n in d.names if self.head(d) != self.head(spec)]
                drawn = self.draw(spec, beside, [n for d in others for n in d.names if n not in beside])
            finally:
                self.scope = outside
            for name, v, law in drawn:
                draws.append((v, law))
                if v.uid < HIDDEN:
                    scope.names[name] = Binding(build.of_array(v), spec.span, "random variable")
        wanted = 2 if e.function == "Cov" else 1
        if len(e.arguments) != wanted:
            raise self.wrong_count(e, str(wanted))
        values = [self.in_scope(scope, a) for a in e.arguments]
        outer = values[0].outer
        if e.function != "E":
            for value, a in zip(values, e.arguments, strict=True):
                if value.outer:
                    raise Clash(f"`{e.function}` does not stand under an index", a.span, help="put the index inside it")
        arrays = [tensor((*v.outer, *v.indices), v.body) for v in values]
        if e.function == "E":
            made = probability.expectation(arrays[0], draws)
        elif e.function == "Var":
            made = probability.variance(arrays[0], draws)
        else:
            made = probability.covariance(arrays[0], arrays[1], draws)
        if not outer:
            return build.of_array(made)
        own = build.fresh(made.shape[len(outer) :])  # under an index: one mean for each of its values
        return Value(own, entry(made, *outer, *own))

    def one_draw_each(self, specs: Sequence[tree.IndexSpec | tree.Draw]) -> list[tree.IndexSpec | tree.Draw]:
        """`y ~ p, x ~ p` of p(x, y) as `(y, x) ~ p`, one draw; of a p of one variable they are two."""
        out: list[tree.IndexSpec | tree.Draw] = []
        for spec in specs:
            b = self.scope.find(spec.law.name) if isinstance(spec, tree.Draw) and isinstance(spec.law, tree.Name) else None
            variables = [v.name for v in b.meaning.variables] if b is not None and isinstance(b.meaning, Joint) else []
            before = [(k, d.names) for k, d in enumerate(out)
                      if isinstance(d, tree.Draw) and isinstance(spec, tree.Draw) and d.law == spec.law]  # fmt: skip
            if before and isinstance(spec, tree.Draw):
                place, taken = before[0]
                names = (*taken, *spec.names)
                if len(set(names)) == len(names) and set(names) <= set(variables):
                    out[place] = replace(spec, names=names)
                    continue
            out.append(spec)
        return out

    def head(self, spec: tree.Draw) -> str:
        """What is drawn from: `x ~ p, y ~ p` is one draw of p(x, y), and `x ~ p(x), y ~ p(y)` are two."""
        return " ".join(self.written(spec.law.span).split())

    def draw(self, spec: tree.Draw, beside: Sequence[str] = (), same: Sequence[str] = ()) -> list[tuple[str, Var, Array]]:
        """(name, variable, law) for each variable drawn: those asked, and what they hang on within their joint. Of these a
        name that means something else, as one drawn `beside` or by a declaration, is not seen; one of the `same` draw is."""
        ref = self.distribution(self.in_own_names(spec))
        drawn = ref.variables
        names = list(spec.names)
        by_name = {v.name: v for v in drawn}
        asked: list[Var] = []
        sizes = [build.normal_size(self.scalar(s, "how many are drawn")) for s in spec.sizes]
        for s, tree_of in zip(sizes, spec.sizes, strict=True):
            if not is_size(s):
                raise Clash("what is drawn is counted by sizes", tree_of.span, "not a size", help="declare it: `dim n`")
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
        if sizes:
            one = [v for v, _ in laws]
            laws = copies_of(laws, sizes)
            many = dict(zip(one, (v for v, _ in laws), strict=True))
            asked = [many[v] for v in asked]
        rename = dict(zip(asked, names, strict=True))
        out: list[tuple[str, Var, Array]] = []
        replaced: dict[Array, Any] = {}
        for v, law in laws:
            if replaced:
                law = replace_arrays(law, replaced)
            name = rename.get(v, v.name)
            if v.shape and len(v.shape) > len(law.shape):
                law = probability.full_law(law, v.shape)
            known = name not in same and self.scope.find(name) is not None
            hidden = v not in rename and (name in beside or known)
            new = var(name, law.shape or v.shape, v.domain, "random", v.domain_args, v.uid + HIDDEN if hidden else v.uid)
            if new is not v:
                replaced[v] = new
            out.append((name, new, law))
        return out

    def in_own_names(self, spec: tree.Draw) -> tree.Expression:
        """`q(z | x)` for the law of `u ~ q(u | x)`: the names that are drawn, in the names of its variables."""
        law = spec.law
        b = self.scope.find(law.function) if isinstance(law, tree.Call) and not law.log else None
        if not isinstance(law, tree.Call) or b is None or not isinstance(b.meaning, Joint):
            return law
        joint = b.meaning
        said = {a.name for a in (*law.arguments, *law.given) if isinstance(a, tree.Name)}
        own = [a for a in law.arguments if isinstance(a, tree.Name) and a.name in spec.names and joint.named(a.name) is None]
        left = [v for v in joint.variables if v.name not in said]
        if not own or len(own) != len(left):
            return law
        place = dict(zip(own, left, strict=True))
        arguments = tuple(tree.Name(place[a].name, span=a.span) if a in place else a for a in law.arguments)
        return replace(law, arguments=arguments)

    def integral(self, e: tree.Binder) -> Value:
        """integral[x: a..b](f), root[x: a..b](f), kept until an engine reduces it."""
        (spec,) = e.specs if len(e.specs) == 1 else (None,)
        if not isinstance(spec, tree.IndexSpec) or spec.lower is None or spec.upper is None:
            raise Clash(f"`{e.function}` runs over one variable between two ends", e.span, help=f"`{e.function}[x: a..b](f)`")
        ends = [self.scalar(end, "an end") for end in (spec.lower, spec.upper)]
        x = self.integration_variable(spec.name, *ends)
        self.integrals += 1
        try:
            body = self.in_scope(
                Scope({spec.name: Binding(build.of_array(x), spec.span, "variable")}, self.scope), self.one_argument(e)
            )
        finally:
            self.integrals -= 1
        free = body.body.free.difference(body.indices)
        outer = tuple(sorted(free.union(*(end.free for end in ends)), key=lambda i: (i.kind, i.number)))
        each = outer if any(end.free for end in ends) else ()  # ends that hang on an index are arrays over all of them
        if body.rank and each:
            raise Clash("the integrand is a scalar", e.arguments[0].span, shape_text(body.shape))
        whole = (*outer, *body.indices)  # of an array, entry by entry
        operands = (tensor(whole, body.body), *(tensor(each, end) for end in ends))
        node = operator(e.function, operands, operands[0].shape, ((x,),))
        return Value(body.indices, entry(node, *whole))

    def series(self, e: tree.Binder) -> Value:
        """sum[k: a..inf](f), kept until an engine reduces it."""
        (spec,) = e.specs if len(e.specs) == 1 else (None,)
        if not isinstance(spec, tree.IndexSpec) or spec.lower is None:
            raise Clash("a sum to infinity runs over one index", e.span, help="`sum[i: 0..inf](sum[j: 0..inf](f))`")
        low = self.scalar(spec.lower, "an end")
        self.integrals += 1
        try:
            k = var(spec.name, (), "natural" if is_nonnegative(low, None) else "integer", "random", uid=8 + 16 * self.integrals)
            scope = Scope({spec.name: Binding(build.of_array(k), spec.span, "variable")}, self.scope)
            body = self.in_scope(scope, self.one_argument(e))
        finally:
            self.integrals -= 1
        if body.rank or body.body.free or low.free:
            raise Clash("what is summed to infinity is a scalar, under no other index", e.arguments[0].span, shape_text(body.shape))
        node = operator("series", (tensor((), body.body), tensor((), low), tensor((), INF)), (), ((k,),))
        return build.scalar(entry(node))

    def integration_variable(self, name: str, low: Scalar, high: Scalar) -> Var:
        """What an integral runs with: another one for other ends or further in, whatever its name."""
        domain = "real"
        if low is ZERO and high is ONE:
            domain = "unit"
        elif low is ZERO and high is INF or all(is_nonnegative(end, None) for end in (low, high)):
            domain = "positive"
        said = hash((low.serial, high.serial)) & 0xFFFFFFFF
        return var(name, (), domain, "random", uid=9 + 16 * (self.integrals + 64 * said))
