"""From the tree of a spec to its typed model: every name looked up, every shape found, every mistake reported once.

Statements stand in any order: a name is elaborated when it is first asked for, and a name whose definition failed is
poisoned, so that one cause gives one message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symgen.games.game import Game, Player, Unknown
from symgen.model.model import Declared, Elaborated, GameRef, Goal, Initial, TrainGoal, UnknownFunction
from symgen.model.reader import ModelReader, plain_array
from symgen.probability import joint as probability
from symgen.probability.law import (
    empirical, family, formula_law, is_family, opaque_density, row_of, value_domain,
)  # fmt: skip
from symgen.probability.joint import Factor, Joint
from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    ONE, Array, Compare, Dim, Logic, Num, Operator, Scalar, Var, add, axis, dim, entry, fn, num, recurrence, sub,
    tensor, uncollected, var, variables_of, walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_nonnegative, is_positive, is_zero
from symgen.tensor.formula import (
    SPECIAL, Binding, Clash, Poisoned, Scope, UserFunction, Witness, parts_of, shape_text, size_text,
)  # fmt: skip
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.sample import random_point, random_sizes, sizes_in
from symgen.text import tree
from symgen.text.diagnostics import Diagnostic, Label, SpecError
from symgen.text.names import near_name
from symgen.text.tree import Source, Span

METHODS = ("sgd", "momentum", "rmsprop", "adam", "adamw", "lbfgs", "newton")
GAME_METHODS = (*METHODS, "simultaneous", "alternating", "extragradient", "optimistic", "consensus")
TRAIN_OPTIONS = ("steps", "batch", "seed", "samples", "inner")
OUTER = ("data", "param", "const")


class GlobalScope(Scope):
    """The names of the spec, elaborated when first asked for."""

    def __init__(self, model: Elaborator) -> None:
        super().__init__({}, None)
        self.model = model

    def find(self, name: str) -> Binding | None:
        found = self.names.get(name)
        return found if found is not None else self.model.demand(name)

    def all_names(self) -> list[str]:
        return list(self.model.statements)


class Elaborator:
    """Elaborates one spec. `run` gives the model and all diagnostics."""

    def __init__(self, spec: tree.Spec) -> None:
        self.spec = spec
        self.source: Source = spec.source
        self.out = Elaborated(spec.source, spec)
        self.diagnostics: list[Diagnostic] = []
        self.statements: dict[str, tree.Statement | list[tree.Statement]] = {}
        self.places: dict[str, Span] = {}
        self.kinds: dict[str, str] = {}
        self.scope = GlobalScope(self)
        self.running: list[str] = []
        self.failed: set[str] = set()
        self.random: dict[str, Var | None] = {}
        self.seeking: set[str] = set()
        self.laws: dict[int, Array | None] = {}
        self.heads: dict[str, list[tree.Dist | tree.Head]] = {}
        self._assumed: list[Scalar] = []
        self.out.reader = self.reader

    # --- help for readers

    def written(self, span: Span) -> str:
        return self.source.text[span.start : span.end]

    def reader(self) -> ModelReader:
        return ModelReader(self, self.scope)

    def report(self, clash: Clash, severity: str = "error") -> None:
        found = self.diagnostic(clash, self.source, severity)
        if severity == "warning":
            self.out.warnings.append(found)
        elif found not in self.diagnostics:
            self.diagnostics.append(found)

    def diagnostic(self, clash: Clash, source: Source, severity: str = "error") -> Diagnostic:
        """The clash as a diagnostic; witnesses stand in the spec, and are told as notes where the culprit does not."""
        labels = [Label(clash.span, clash.label, True)]
        notes = list(clash.notes)
        for w in clash.witnesses:
            if source is not self.source:
                notes.append(w.text)
            elif w.span != tree.NOWHERE and w.span != clash.span:
                labels.append(Label(w.span, w.text))
        return Diagnostic(clash.message, source, tuple(labels), tuple(notes), clash.help, severity)

    def attempt(self, name: str | None, work: Callable[[], None]) -> bool:
        """Runs `work`; a clash is reported and the name is poisoned."""
        try:
            work()
            return True
        except Clash as clash:
            self.report(clash)
        except Poisoned:
            pass
        except RecursionError:
            span = self.places.get(name, tree.NOWHERE) if name else tree.NOWHERE
            self.report(Clash("this is nested too deeply", span))
        if name is not None:
            self.failed.add(name)
        return False

    # --- the whole

    def run(self) -> Elaborated:
        for s in self.spec.statements:
            self.collect(s)
        for name in list(self.statements):
            try:
                self.scope.find(name)
            except Poisoned:
                pass
        for s in self.spec.statements:
            if isinstance(s, tree.Assume):
                self.attempt(None, lambda s=s: self.assume(s))  # type: ignore[misc]
        self.out.facts = Facts(self.assumed)
        for s in self.spec.statements:
            self.attempt(None, lambda s=s: self.goal(s))  # type: ignore[misc]
        self.number_names()
        if self.diagnostics:
            self.diagnostics.sort(key=lambda d: d.position)
            raise SpecError(self.diagnostics)
        return self.out

    @property
    def assumed(self) -> list[Scalar]:
        return self._assumed

    def number_names(self) -> None:
        """The names in the order of the text, so that the result does not hang on who asked first."""
        ordered: dict[Array, str] = {}
        for name, array in sorted(self.out.lets.items(), key=lambda item: self.places[item[0]].start):
            if not isinstance(array, Var):
                ordered.setdefault(array, name)
        self.out.names = ordered
        self.out.lets = {n: self.out.lets[n] for n in self.statements if n in self.out.lets}
        self.out.variables = {n: self.out.variables[n] for n in self.statements if n in self.out.variables}

    # --- first pass: who declares what

    def collect(self, s: tree.Statement) -> None:
        if isinstance(s, tree.Dim):
            for name, _ in s.items:
                self.put(name, s, "size")
        elif isinstance(s, tree.Declaration):
            for item in s.items:
                self.put(item.name, s, {"data": "data array", "param": "parameter", "const": "constant"}[s.role])
        elif isinstance(s, tree.Let):
            self.put_let(s)
        elif isinstance(s, tree.Def):
            self.put(s.name, s, "function")
        elif isinstance(s, tree.Dist):
            self.put_factor(s.head.name, s)
            self.note_heads(s.head, s)
        elif isinstance(s, tree.Density):
            for head in s.heads:
                self.put_factor(head.name, s)
                self.note_heads(head, head)
        elif isinstance(s, tree.Function):
            self.put(s.head.name, s, "function")
        elif isinstance(s, tree.Game):
            self.put(s.name, s, "game")
        elif isinstance(s, tree.Derive) and s.name is not None:
            self.put(s.name, s, "named derivation")

    def note_heads(self, head: tree.Head, where: tree.Dist | tree.Head) -> None:
        for v in head.variables:
            self.heads.setdefault(v.name.name, []).append(where)
        for v in head.given:
            self.heads.setdefault(v.name.name, [])

    def put(self, name: tree.Name, s: tree.Statement, kind: str) -> None:
        if name.name in self.statements:
            self.duplicate(name)
            return
        self.statements[name.name] = s
        self.places[name.name] = name.span
        self.kinds[name.name] = kind

    def duplicate(self, name: tree.Name) -> None:
        self.report(Clash(
            f"`{name.name}` is declared twice", name.span, "again",
            [Witness(self.places[name.name], f"first as a {self.kinds[name.name]}")],
        ))  # fmt: skip

    def put_let(self, s: tree.Let) -> None:
        name = s.name.name
        earlier = self.statements.get(name)
        is_base = s.indices is not None and any(not isinstance(i, tree.IndexSpec) for i in s.indices)
        recursive = s.indices is not None and mentions(s.value, name)
        if isinstance(earlier, list) and all(isinstance(x, tree.Let) for x in earlier) and (is_base or recursive):
            earlier.append(s)
            return
        if earlier is not None:
            self.duplicate(s.name)
            return
        self.statements[name] = [s] if is_base or recursive else s
        self.places[name] = s.name.span
        self.kinds[name] = "loss" if s.role == "loss" else "named value"

    def put_factor(self, name: tree.Name, s: tree.Statement) -> None:
        earlier = self.statements.get(name.name)
        if isinstance(earlier, list) and isinstance(earlier[0], (tree.Dist, tree.Density)):
            earlier.append(s)
            return
        if earlier is not None:
            self.duplicate(name)
            return
        self.statements[name.name] = [s]
        self.places[name.name] = name.span
        self.kinds[name.name] = "distribution" if isinstance(s, tree.Dist) else "density"

    # --- on demand

    def demand(self, name: str) -> Binding | None:
        """The binding of a global name, elaborated now if it was not yet. Raises Poisoned, or Clash for a cycle."""
        s = self.statements.get(name)
        if s is None:
            return None
        if name in self.failed:
            raise Poisoned
        if name in self.running:
            circle = self.running[self.running.index(name) :]
            witnesses = [Witness(self.places[n], "it needs this") for n in circle[1:]]
            path = " needs ".join(f"`{n}`" for n in [*circle, name])
            for n in circle:
                self.failed.add(n)
            raise Clash(f"`{name}` is defined by itself: {path}", self.places[name], "defined by itself", witnesses)
        self.running.append(name)
        try:
            ok = self.attempt(name, lambda: self.define(name, s))
        finally:
            self.running.pop()
        if not ok or name in self.failed:
            raise Poisoned
        return self.scope.names[name]

    def define(self, name: str, s: tree.Statement | list[tree.Statement]) -> None:
        if isinstance(s, list):
            if isinstance(s[0], tree.Let):
                self.define_recurrence(name, s)  # type: ignore[arg-type]
            else:
                self.define_joint(name, s)
        elif isinstance(s, tree.Dim):
            self.define_dim(name, s)
        elif isinstance(s, tree.Declaration):
            self.define_variable(name, s)
        elif isinstance(s, tree.Let):
            self.define_let(name, s)
        elif isinstance(s, tree.Def):
            self.define_function(name, s)
        elif isinstance(s, tree.Function):
            self.define_unknown(name, s)
        elif isinstance(s, tree.Game):
            self.define_game(name, s)
        elif isinstance(s, tree.Derive):
            self.bind(name, build.of_array(plain_or_new(self.reader().value(s.goal))))

    def bind(self, name: str, meaning: object, kind: str | None = None) -> None:
        self.scope.names[name] = Binding(meaning, self.places[name], kind or self.kinds[name])

    def define_dim(self, name: str, s: tree.Dim) -> None:
        value: Scalar = dim(name)
        for n, e in s.items:
            if n.name == name and e is not None:
                given = self.reader().scalar(e, "a size")
                if not isinstance(given, Num) or isinstance(given.value, str) or given.value.denominator != 1 or given.value < 1:
                    raise Clash(f"the size `{name}` must be a positive integer", e.span, "not one")
                if given.value > 10**9:
                    raise Clash(f"the size `{name}` is larger than any array can be", e.span, "too large")
                value = given
        self.out.dims[name] = value
        self.bind(name, build.scalar(value), "dim")

    def domain(self, d: tree.Domain | None, what: str) -> tuple[str, tuple[Scalar, ...], tuple[Scalar, ...]]:
        """word, arguments, shape."""
        if d is None:
            return "real", (), ()
        if d.word not in DOMAINS:
            near = near_name(d.word, list(DOMAINS))
            help = f"did you mean `{near}`?" if near else "domains are " + ", ".join(DOMAINS)
            raise Clash(f"unknown domain `{d.word}`", d.span, "not a domain", help=help)
        reader = self.reader()
        shape = tuple(self.declared_size(reader, e, what) for e in d.shape or ())
        arguments = tuple(reader.size(e) for e in d.arguments)
        if d.word == "label" and len(arguments) != 1:
            raise Clash("`label` takes the number of classes", d.span, help="`label(k)`: 0, 1, .. k-1")
        if d.word != "label" and arguments:
            raise Clash(f"`{d.word}` takes no argument", d.span)
        if d.word in ("symmetric", "spd", "psd", "diagonal", "lower", "skew", "orthogonal"):
            if len(shape) < 2:
                raise Clash(f"a `{d.word}` variable is a matrix", d.span, shape_text(shape), help=f"`{d.word}[n, n]`")
            if d.word != "orthogonal" and not build.same_size(shape[-1], shape[-2]):
                raise Clash(f"a `{d.word}` matrix is square", d.span, shape_text(shape))
        if d.word in ("simplex", "onehot") and not shape:
            raise Clash(f"a `{d.word}` variable is a vector", d.span, "a scalar", help=f"`{d.word}[k]`")
        return d.word, arguments, shape

    def declared_size(self, reader: ModelReader, e: tree.Expression, what: str) -> Scalar:
        if isinstance(e, tree.Name) and e.name not in self.statements:
            near = near_name(e.name, [n for n, k in self.kinds.items() if k == "size"])
            raise Clash(f"unknown size `{e.name}`", e.span, "not declared",
                        help=f"did you mean `{near}`?" if near else f"declare it: `dim {e.name}`")  # fmt: skip
        if isinstance(e, tree.Name) and self.kinds.get(e.name) != "size":
            raise Clash(f"`{e.name}` is not a size", e.span, f"a {self.kinds[e.name]}",
                        [Witness(self.places[e.name], "declared here")])  # fmt: skip
        size = reader.size(e)
        if isinstance(size, Num) and not isinstance(size.value, str) and size.value < 1:
            raise Clash("a size is at least 1", e.span, f"is {size.value}")
        return size

    def define_variable(self, name: str, s: tree.Declaration) -> None:
        item = next(i for i in s.items if i.name.name == name)
        word, arguments, shape = self.domain(item.domain, name)
        v = var(name, shape, word, s.role, arguments)
        initial, default = None, None
        if item.initial is not None:
            if s.role == "param":
                initial = self.initial(item.initial, v)
            elif s.role == "const":
                default = self.default(item.initial, v)
            else:
                raise Clash("data has no value in the spec", item.initial.span, "given at run time",
                            help=f"`const {name}: {word} = ..` declares a constant")  # fmt: skip
        self.out.variables[name] = Declared(v, item.name.span, initial, default)
        self.bind(name, build.of_array(v))

    def initial(self, e: tree.Expression, v: Var) -> Initial:
        if isinstance(e, tree.Name) and e.name in ("zeros", "ones", "glorot", "he", "normal"):
            return Initial(e.name, 1.0 if e.name == "normal" else 0.0)
        if isinstance(e, tree.Call) and e.function == "normal" and len(e.arguments) == 1:
            return Initial("normal", float(self.number(e.arguments[0])))
        if isinstance(e, (tree.Name, tree.Call)) and (not isinstance(e, tree.Name) or e.name not in self.statements):
            near = near_name(e.name if isinstance(e, tree.Name) else e.function, ["zeros", "ones", "normal", "glorot", "he"])
            raise Clash("unknown initialiser", e.span, "zeros, ones, normal(0.01), glorot, he or a number",
                        help=f"did you mean `{near}`?" if near else None)  # fmt: skip
        value = float(self.number(e))
        self.in_domain(value, v, e)
        return Initial("number", value)

    def default(self, e: tree.Expression, v: Var) -> Any:
        if v.rank:
            if isinstance(e, tree.ListOf):
                return np.array([float(self.number(x)) for x in e.items])
            return float(self.number(e))
        value = self.number(e)
        self.in_domain(float(value), v, e)
        return float(value)

    def in_domain(self, value: float, v: Var, e: tree.Expression) -> None:
        bad = (
            v.domain == "positive" and not value > 0 or v.domain == "nonnegative" and value < 0
            or v.domain == "unit" and not 0 < value < 1 or v.domain == "binary" and value not in (0, 1)
            or v.domain in ("integer", "natural", "label") and value != int(value)
            or v.domain in ("natural", "label") and value < 0
        )  # fmt: skip
        if bad:
            raise Clash(f"`{v.name}` is {v.domain}, and its value is not", e.span, f"not {v.domain}",
                        [Witness(self.places[v.name], f"{v.name} is {v.domain}")])  # fmt: skip

    def number(self, e: tree.Expression) -> float | Fraction:
        """A number worked out now: 1e-3, 1/2, sqrt(2)."""
        s = self.reader().scalar(e, "this")
        if isinstance(s, Num) and not isinstance(s.value, str):
            return s.value
        if variables_of(s) or any(isinstance(n, Dim) for n in walk(s)):
            raise Clash("a number is needed here", e.span, "not a number")
        try:
            (value,) = evaluate([tensor((), s)], Point({}))
        except NotEvaluable:
            raise Clash("a number is needed here", e.span, "not a number") from None
        if not np.isfinite(value):
            raise Clash("this number is not finite", e.span)
        return float(value)

    def define_let(self, name: str, s: tree.Let) -> None:
        reader = self.reader()
        if s.indices is None:
            v = reader.value(s.value)
        else:
            specs = [i for i in s.indices if isinstance(i, tree.IndexSpec)]
            indices, scope = reader.bind(specs, [s.value])
            for spec in specs:
                if spec.lower is not None and self.lower_end(reader, spec) != 0:
                    raise Clash(f"an index on the left starts at 0, and `{spec.name}` does not", spec.span,
                                help="only a recurrence starts later: it needs its first entries, `let h[0] = ..`")  # fmt: skip
            body = reader.in_scope(scope, s.value)
            v = Value((*indices, *body.indices), body.body)
        if isinstance(v.body, (Compare, Logic)):
            raise Clash(f"`{name}` is a condition, not a number", s.value.span, help="`where(c, 1, 0)` is its number")
        if s.role == "loss" and v.rank:
            raise Clash(f"a loss is a scalar, and `{name}` {shape_text(v.shape)}", s.name.span, shape_text(v.shape),
                        reader.witnesses(s.value), help="`sum(..)` or `mean(..)` makes it one")  # fmt: skip
        array = plain_or_new(v)
        self.out.lets[name] = array
        if s.role == "loss":
            self.out.losses.append(name)
        self.bind(name, build.of_array(array))
        self.warn(s.value, reader)

    def lower_end(self, reader: ModelReader, spec: tree.IndexSpec) -> Fraction | None:
        assert spec.lower is not None
        low = reader.scalar(spec.lower, "the lower end")
        return low.value if isinstance(low, Num) and not isinstance(low.value, str) else None

    def warn(self, e: tree.Expression, reader: ModelReader) -> None:
        """x @ y' of two vectors: an outer product was meant, perhaps."""
        stack = [e]
        while stack:
            x = stack.pop()
            if isinstance(x, tree.Factors):
                operands = [x.first, *(f for _, f in x.rest)]
                for (op, right), left in zip(x.rest, operands, strict=False):
                    if op == "@" and isinstance(right, tree.Transpose):
                        try:
                            a, b = reader.value(left), reader.value(right.operand)
                        except (Clash, Poisoned):
                            continue
                        if a.rank == 1 and b.rank == 1:
                            self.report(Clash(
                                f"`{self.written(right.span)}` is `{self.written(right.operand.span)}`: this is an inner product",
                                right.span, "a vector is its own transpose",
                                help=f"`outer({self.written(left.span)}, {self.written(right.operand.span)})` is the matrix",
                            ), "warning")  # fmt: skip
            stack.extend(parts_of(x))

    def define_function(self, name: str, s: tree.Def) -> None:
        parameters = [p.name for p in s.parameters]
        for k, p in enumerate(s.parameters):
            if p.name in parameters[:k]:
                raise Clash(f"the parameter `{p.name}` stands twice", p.span, "again")
        self.check_body(s)
        self.bind(name, UserFunction(name, tuple(parameters), s.body, s.name.span))

    def check_body(self, s: tree.Def) -> None:
        """Unknown names in the body of a function are mistakes even if nobody calls it."""
        known = {p.name for p in s.parameters}
        reader = self.reader()
        stack: list[tuple[tree.Expression, set[str]]] = [(s.body, known)]
        while stack:
            e, names = stack.pop()
            if isinstance(e, tree.Binder):
                names = names | {n for spec in e.specs for n in ((spec.name,) if isinstance(spec, tree.IndexSpec) else spec.names)}
            if isinstance(e, tree.Name) and e.name not in names and e.name not in ("pi", "e", "inf", "None", "True", "False"):
                if e.name not in self.statements and e.name not in self.heads:
                    raise reader.unknown_name(e.name, e.span)
            if isinstance(e, tree.Call) and e.function == s.name.name:
                raise Clash(f"`{s.name.name}` calls itself", e.span, "a function must not be recursive")
            stack.extend((p, names) for p in parts_of(e))

    def define_unknown(self, name: str, s: tree.Function) -> None:
        shapes: list[tuple[Scalar, ...] | None] = []
        for v in s.head.variables:
            shapes.append(None if v.domain is None else self.domain(v.domain, v.name.name)[2])
        word = "real"
        if s.range is not None:
            word, _, shape = self.domain(s.range, name)
            if shape:
                raise Clash("an unknown function is real-valued", s.range.span, shape_text(shape))
        made = UnknownFunction(name, tuple(shapes), word, s.head.name.span)
        self.out.functions[name] = made
        self.bind(name, made)

    # --- recurrences

    def define_recurrence(self, name: str, statements: list[tree.Let]) -> None:
        """let h[0] = h0 and let h[t: 1..T] = f(h[t-1]): the sequence h[0..T]."""
        reader = self.reader()
        bases: dict[int, tuple[Value, tree.Let]] = {}
        step: tree.Let | None = None
        for s in statements:
            assert s.indices is not None
            first = s.indices[0]
            if isinstance(first, tree.IndexSpec):
                if step is not None:
                    raise Clash(f"`{name}` is declared twice", s.name.span, "again", [Witness(step.name.span, "first here")])
                step = s
                continue
            at = reader.scalar(first, "an index")
            if not isinstance(at, Num) or isinstance(at.value, str) or at.value.denominator != 1 or at.value < 0:
                raise Clash("a first entry is given at a number, such as `h[0]`", first.span, "not a number")
            if int(at.value) in bases:
                raise Clash(f"`{name}[{at.value}]` is given twice", s.name.span, "again",
                            [Witness(bases[int(at.value)][1].name.span, "first here")])  # fmt: skip
            value = reader.value(s.value)
            rest = [i for i in s.indices[1:] if isinstance(i, tree.IndexSpec)]
            if rest:
                indices, scope = reader.bind(rest, [s.value])
                body = reader.in_scope(scope, s.value)
                value = Value((*indices, *body.indices), body.body)
            bases[int(at.value)] = (value, s)
        if step is None:
            raise Clash(f"`{name}[..]` has first entries, but no rule for the others", statements[0].name.span,
                        help=f"`let {name}[t: 1..T] = ..`")  # fmt: skip
        assert step.indices is not None
        head = step.indices[0]
        assert isinstance(head, tree.IndexSpec)
        if not bases:
            raise Clash(f"`{name}` is defined by itself, without a first entry", step.name.span, "no first entry",
                        help=f"`let {name}[0] = ..`")  # fmt: skip
        if head.lower is None or head.upper is None:
            raise Clash(f"a recurrence says its range: `{name}[{head.name}: 1..T]`", head.span, "no range")
        if sorted(bases) != list(range(len(bases))):
            raise Clash(f"the first entries of `{name}` must be 0, 1, ..", statements[0].name.span)
        low = self.lower_end(reader, head)
        if low != len(bases):
            raise Clash(f"the rule for `{name}` must start at {len(bases)}, after its first entries", head.span,
                        f"starts at {low if low is not None else 'a symbol'}")  # fmt: skip
        length = build.normal_size(add(reader.scalar(head.upper, "the upper end"), ONE))
        entry_shape = build.broadcast([v for v, _ in bases.values()])[0]
        shape = (length, *(i.size for i in entry_shape))
        own = var(name, shape, "real", "recurrence", uid=1)
        t = axis(0, length)
        scope = Scope({}, self.scope)
        scope.names[name] = Binding(build.of_array(own), step.name.span, "sequence")
        scope.names[head.name] = Binding(build.scalar(t), head.span, "index")
        rest = [i for i in step.indices[1:] if isinstance(i, tree.IndexSpec)]
        inner = ModelReader(self, scope)
        if rest:
            indices, deeper = inner.bind(rest, [step.value])
            body = inner.in_scope(deeper, step.value)
            body = Value((*indices, *body.indices), body.body)
        else:
            body = inner.value(step.value)
        self.check_looks_back(name, own, step, head)
        try:
            body = build.broadcast_to(body, shape[1:])
        except ShapeClash:
            raise Clash(f"each entry of `{name}` {shape_text(shape[1:])}, and the rule gives another shape", step.value.span,
                        shape_text(body.shape), [Witness(bases[0][1].name.span, shape_text(bases[0][0].shape))]) from None  # fmt: skip
        whole = tensor((t, *body.indices), body.body)
        first_entries = [build.broadcast_to(bases[k][0], shape[1:]).array() for k in range(len(bases))]
        array = recurrence(own, whole, first_entries)
        self.out.lets[name] = array
        self.bind(name, build.of_array(array))

    def check_looks_back(self, name: str, own: Var, step: tree.Let, head: tree.IndexSpec) -> None:
        stack: list[tree.Expression] = [step.value]
        while stack:
            e = stack.pop()
            if isinstance(e, tree.Subscript) and isinstance(e.operand, tree.Name) and e.operand.name == name:
                scope = Scope({head.name: Binding(build.scalar(num(0)), head.span, "index")}, self.scope)
                at = ModelReader(self, scope).scalar(e.items[0], "an index")
                if not isinstance(at, Num) or isinstance(at.value, str) or at.value >= 0:
                    raise Clash(f"the rule for `{name}` must look back", e.span, "not an earlier entry",
                                help=f"`{name}[{head.name} - 1]`")  # fmt: skip
                stack.extend(e.items[1:])
            elif isinstance(e, tree.Name) and e.name == name:
                raise Clash(f"the rule for `{name}` uses all of `{name}`", e.span, help=f"`{name}[{head.name} - 1]`")
            else:
                stack.extend(parts_of(e))

    # --- distributions

    def joint_names(self) -> list[str]:
        return [n for n, k in self.kinds.items() if k in ("distribution", "density")]

    def parameter_names(self, name: str) -> list[str]:
        return list(family(name).parameters)

    def random_variable(self, name: str) -> Var | None:
        """The variable `name` of the heads of dists and densities: one variable for the whole spec."""
        if name in self.random:
            return self.random[name]
        if name not in self.heads:
            return None
        if name in self.statements and self.kinds[name] not in ("distribution", "density", "game"):
            b = self.scope.find(name)
            if b is not None and isinstance(b.meaning, Value):
                array = plain_array(b.meaning)
                if isinstance(array, Var):
                    self.random[name] = array
                    return array
        if name in self.seeking:
            raise _Pending(name)
        self.seeking.add(name)
        try:
            made = self.find_variable(name)
        finally:
            self.seeking.discard(name)
        self.random[name] = made
        return made

    def annotation(self, name: str) -> tree.Domain | None:
        for s in self.spec.statements:
            heads = [s.head] if isinstance(s, (tree.Dist, tree.Function)) else list(s.heads) if isinstance(s, tree.Density) else []
            for head in heads:
                if isinstance(s, tree.Function):
                    continue
                for v in (*head.variables, *head.given):
                    if v.name.name == name and v.domain is not None:
                        return v.domain
        return None

    def find_variable(self, name: str) -> Var:
        said = self.annotation(name)
        if said is not None:
            word, arguments, shape = self.domain(said, name)
            return var(name, shape, word, "random", arguments)
        best: tuple[int, tuple[Scalar, ...], str] | None = None
        for where in self.heads[name]:
            if isinstance(where, tree.Head):
                candidate: tuple[int, tuple[Scalar, ...], str] = (0, (), "real")
            else:
                try:
                    law = self.law_of(where)
                except (_Pending, Clash, Poisoned):
                    continue
                if law is None:
                    candidate = (0, (), "real")
                else:
                    candidate = (law.rank, law.shape, value_domain(law))
            if best is None or candidate[0] > best[0]:
                best = candidate
        if best is None:
            best = (0, (), "real")
        return var(name, best[1], best[2] if best[2] in DOMAINS else "real", "random")

    def law_of(self, s: tree.Dist) -> Array | None:
        """The law of a `dist` whose right side is a family; None for a formula of one's own."""
        if id(s) in self.laws:
            return self.laws[id(s)]
        e = s.law
        law: Array | None = None
        b = self.scope.find(e.function) if isinstance(e, tree.Call) and e.function in self.statements else None
        if isinstance(e, tree.Call) and b is None and (is_family(e.function) or e.function == "Empirical") and not e.log:
            reader = ModelReader(self, self.head_scope(s.head, with_drawn=False))
            shape = None
            if len(s.head.variables) == 1 and e.function != "Empirical":
                v = s.head.variables[0]
                if v.domain is not None:
                    shape = self.domain(v.domain, v.name.name)[2]
                elif self.declared_outside(v.name.name) is not None:
                    shape = self.declared_outside(v.name.name).shape  # type: ignore[union-attr]
            if e.function == "Empirical":
                values = [reader.value(a) for a in e.arguments]
                if len(values) != 1 or e.keywords or values[0].rank == 0:
                    raise Clash("`Empirical` takes one data array, whose rows are the points", e.span)
                law = empirical(values[0].array())
            else:
                law = self.family_law(reader, e, shape)
        elif isinstance(e, tree.Call) and b is None and looks_like_family(e.function) and e.function not in ("E",):
            if e.function not in FUNCTIONS and e.function not in SPECIAL:
                raise ModelReader(self, self.scope).unknown_distribution(e)
        self.laws[id(s)] = law
        return law

    def family_law(self, reader: ModelReader, e: tree.Call, shape: Sequence[Scalar] | None) -> Array:
        try:
            return reader.law(e, None)
        except Clash:
            if shape is None:
                raise
            return reader.law(e, shape)

    def declared_outside(self, name: str) -> Var | None:
        """A data array or parameter of the name of a head variable."""
        if name in self.statements and self.kinds[name] in ("data array", "parameter", "constant", "named value"):
            b = self.scope.find(name)
            if b is not None and isinstance(b.meaning, Value):
                array = plain_array(b.meaning)
                return array if isinstance(array, Var) else None
        return None

    def head_scope(self, head: tree.Head, with_drawn: bool = True) -> Scope:
        return HeadScope(self, head, with_drawn)

    def define_joint(self, name: str, statements: list[tree.Statement]) -> None:
        joint = Joint(name, ())
        for s in statements:
            heads = [s.head] if isinstance(s, tree.Dist) else [h for h in s.heads if h.name.name == name]  # type: ignore[attr-defined]
            for head in heads:
                factor = self.factor(s, head)
                for f in joint.factors:
                    again = [v for v in factor.variables if v in f.variables]
                    if again:
                        raise Clash(f"`{name}` says twice what `{again[0].name}` is drawn from", head.span, "again")
                try:
                    joint = probability.declare(joint, factor)
                except ValueError as error:
                    raise Clash(str(error), head.span) from None
        self.out.joints[name] = joint
        self.bind(name, joint)

    def factor(self, s: tree.Statement, head: tree.Head) -> Factor:
        names = [v.name.name for v in (*head.variables, *head.given)]
        for k, v in enumerate((*head.variables, *head.given)):
            if v.name.name in names[:k]:
                raise Clash(f"the variable `{v.name.name}` stands twice", v.span, "again")
        if not head.variables:
            raise Clash(f"`{head.name.name}` is over no variable", head.span)
        drawn = tuple(self.head_variable(v) for v in head.variables)
        given = tuple(self.head_variable(v) for v in head.given)
        name = head.name.name
        if isinstance(s, tree.Density):
            return Factor(name, drawn, given, opaque_density(name, drawn[0].shape if len(drawn) == 1 else (), given))
        assert isinstance(s, tree.Dist)
        law = self.law_of(s)
        if law is None:
            law = self.own_density(s, drawn)
        elif len(drawn) != 1:
            raise Clash(f"`{name}` draws {len(drawn)} variables from one family", head.span, "one variable is needed",
                        help="say one `dist` per variable")  # fmt: skip
        else:
            self.check_event(s, drawn[0], law)
        return Factor(name, drawn, given, law)

    def head_variable(self, v: tree.Declared) -> Var:
        found = self.random_variable(v.name.name)
        if found is None:
            raise Clash(f"`{v.name.name}` is not a variable", v.span)
        if v.domain is not None:
            word, _, shape = self.domain(v.domain, v.name.name)
            same = len(shape) == found.rank and all(build.same_size(a, b) for a, b in zip(shape, found.shape, strict=True))
            if not same:
                where = self.places.get(v.name.name)
                raise Clash(f"`{v.name.name}` is declared with another shape", v.span, shape_text(shape),
                            [Witness(where, shape_text(found.shape))] if where else ())  # fmt: skip
        return found

    def check_event(self, s: tree.Dist, v: Var, law: Array) -> None:
        lead = v.rank - law.rank
        fits = lead >= 0 and all(
            b is ONE or build.same_size(a, b) for a, b in zip(v.shape[lead:], law.shape, strict=True)
        )
        if not fits:
            where = self.places.get(v.name)
            raise Clash(
                f"`{v.name}` {shape_text(v.shape)}, and `{self.written(s.law.span)}` draws what {shape_text(law.shape)}",
                s.law.span, shape_text(law.shape), [Witness(where, shape_text(v.shape))] if where else (),
            )  # fmt: skip

    def own_density(self, s: tree.Dist, drawn: tuple[Var, ...]) -> Array:
        """dist s(t: positive) = exp(-t)/Z: the log of the right side; an undeclared name in it is its normaliser."""
        if len(drawn) != 1:
            raise Clash("a density of your own is over one variable", s.head.span, help="use a vector")
        (v,) = drawn
        unknown = [n for n in free_names(s.law) if n not in self.statements and n != v.name and n not in self.heads
                   and n not in ("pi", "e", "inf")]  # fmt: skip
        if len(unknown) > 1:
            raise self.reader().unknown_name(unknown[1], s.law.span)
        normaliser = unknown[0] if unknown else ""
        placeholder = var(v.name, v.shape, v.domain, "placeholder", v.domain_args, uid=3)
        scope = HeadScope(self, s.head, True)
        scope.names[v.name] = Binding(build.of_array(placeholder), s.head.variables[0].span, "variable")
        if normaliser:
            scope.names[normaliser] = Binding(build.scalar(entry(var(normaliser, (), "positive", "normaliser", uid=3))),
                                              s.law.span, "normaliser")  # fmt: skip
        density = ModelReader(self, scope).value(s.law)
        if density.rank:
            raise Clash("a density is a scalar", s.law.span, shape_text(density.shape),
                        help="`prod(..)` over the components makes it one")  # fmt: skip
        return formula_law(placeholder, tensor((), fn("log", density.body)), normaliser)

    def check_parameters(self, reader: ModelReader, law: Array, e: tree.Call) -> None:
        """A parameter that must be positive may not be negative at a point of the declared domains."""
        row = row_of(law)
        if row is None or e.function not in (row.name, *getattr(row, "aliases", ())):
            return
        names = list(row.parameters)
        wanted = {**row.parameters}
        places: dict[str, tree.Expression] = {n: a for n, a in zip(names, e.arguments, strict=False)}
        places.update({k.name: k.value for k in e.keywords})
        values = {n: reader.value(a) for n, a in places.items()}
        for n, value in values.items():
            domain = wanted.get(n)
            if domain in ("positive", "unit", "nonnegative"):
                self.check_sign(reader, value, domain, n, places[n], e.function)

    def check_sign(self, reader: ModelReader, value: Value, domain: str, name: str, place: tree.Expression, what: str) -> None:
        array = value.array()
        if any(isinstance(n, Operator) for n in walk(array)):
            return
        facts = Facts(self.assumed)
        body = value.body
        if is_positive(body, facts) and domain != "unit":
            return
        if domain == "nonnegative" and is_nonnegative(body, facts):
            return
        found = self.counterexample(array, domain)
        if found is None:
            return
        word = {"sigma": "scale", "b": "scale", "s": "scale", "rate": "rate", "r": "rate", "lam": "rate",
                "p": "probability"}.get(name, f"parameter `{name}`")  # fmt: skip
        need = {"positive": "positive", "nonnegative": "nonnegative", "unit": "between 0 and 1"}[domain]
        bad = {"positive": "may be negative", "nonnegative": "may be negative", "unit": "may lie outside"}[domain]
        if isinstance(body, Num):
            bad = f"is {body.value}"
        text = self.written(place.span)
        witnesses = [
            Witness(self.places[v.name], f"any {v.domain} number" if v.domain == "real" else v.domain)
            for v in sorted(variables_of(array), key=lambda v: v.serial) if v.name in self.places
        ]  # fmt: skip
        plain = place.name if isinstance(place, tree.Name) else None
        help = None
        if plain and domain == "positive":
            shape = "[" + ", ".join(size_text(x) for x in value.shape) + "]" if value.rank else ""
            help = f"`exp({plain}/2)` if {plain} is a log-variance, or declare `{plain}: positive{shape}`"
        elif plain and domain == "unit":
            help = f"`sigmoid({plain})` if {plain} is a logit, or declare `{plain}: unit`"
        article = "an" if what[0] in "AEIOU" else "a"
        raise Clash(f"the {word} of {article} {what} must be {need}, and `{text}` {bad}", place.span, word, witnesses, help=help)

    def counterexample(self, array: Array, domain: str) -> float | None:
        """A value outside the domain at a random point of the declared domains; None if there was none."""
        variables = sorted(variables_of(array), key=lambda v: v.serial)
        sizes_needed = sizes_in([array], variables)
        for seed in range(8):
            rng = np.random.default_rng(seed)
            sizes = random_sizes(sizes_needed, {}, rng)
            point = random_point(variables, sizes, rng, 0, self.assumed) if sizes is not None else None
            if point is None:
                return None
            try:
                (value,) = evaluate([array], point)
            except NotEvaluable:
                return None
            flat = np.asarray(value, dtype=float).ravel()
            flat = flat[np.isfinite(flat)]
            bad = flat[flat < 0] if domain != "unit" else flat[(flat < 0) | (flat > 1)]
            if bad.size:
                return float(bad[0])
            if domain == "positive" and not variables and flat.size and flat[0] <= 0:
                return float(flat[0])
        return None

    # --- assumptions

    def assume(self, s: tree.Assume) -> None:
        reader = self.reader()
        for e in s.facts:
            v = reader.condition(e) if isinstance(e, tree.Comparison) else None
            if v is None:
                raise Clash("an assumption is a comparison, such as `a > b`", e.span, "not a comparison")
            if v.rank:
                raise Clash("an assumption is about scalars", e.span, shape_text(v.shape), reader.witnesses(e))
            if isinstance(v.body, Num):
                if not v.body.value:
                    raise Clash(f"`{self.written(e.span)}` never holds", e.span, "false")
                continue
            parts = v.body.args if isinstance(v.body, Logic) and v.body.op == "and" else (v.body,)
            before = Facts(self.assumed)
            for part in parts:
                if isinstance(part, Compare) and contradicts(before, part):
                    witnesses = [Witness(x.span, "against this") for x in self.earlier_facts(s, e)]
                    raise Clash(f"`{self.written(e.span)}` contradicts what is known", e.span, "cannot hold",
                                [*witnesses, *reader.witnesses(e)])  # fmt: skip
                self._assumed.append(part)
            self.out.assumptions.append(self.written(e.span))

    def earlier_facts(self, s: tree.Assume, e: tree.Expression) -> list[tree.Expression]:
        names = set(free_names(e))
        out = []
        for other in self.spec.statements:
            if isinstance(other, tree.Assume):
                for x in other.facts:
                    if x is e:
                        return out
                    if names & set(free_names(x)):
                        out.append(x)
        return out

    # --- games, goals, training

    def define_game(self, name: str, s: tree.Game) -> None:
        reader = self.reader()
        players: list[Player] = []
        seen: dict[str, Span] = {}
        if not s.players:
            raise Clash(f"the game `{name}` has no player", s.name.span, "no player", help=f"`game {name} = {{x: min V, y: max V}}`")
        for p in s.players:
            payoff = reader.value(p.payoff)
            if payoff.rank:
                raise Clash("a payoff is a scalar", p.payoff.span, shape_text(payoff.shape), reader.witnesses(p.payoff))
            moves: list[Array | Unknown] = []
            for n in p.names:
                if n.name in seen:
                    raise Clash(f"`{n.name}` has two players", n.span, "again", [Witness(seen[n.name], "first here")])
                seen[n.name] = n.span
                moves.append(self.strategy(reader, n))
            players.append(Player(tuple(moves), p.sense, payoff.array()))
        game = Game(name, tuple(players), tuple(self.out.joints.values()))
        for k in game.idle():
            place = next(p for p, q in zip(s.players, players, strict=True) if q is k)
            raise Clash(
                f"`{place.names[0].name}` does not occur in what its player wants", place.payoff.span, "its payoff",
                [Witness(place.names[0].span, "the player")],
            )  # fmt: skip
        self.out.games[name] = game
        self.bind(name, GameRef(name, game), "game")

    def strategy(self, reader: ModelReader, n: tree.Name) -> Array | Unknown:
        b = self.scope.find(n.name)
        if b is None:
            raise reader.unknown_name(n.name, n.span)
        if isinstance(b.meaning, UnknownFunction):
            return Unknown("function", n.name, b.meaning.range)
        if isinstance(b.meaning, Joint):
            law = b.meaning.factors[0].law
            if isinstance(law, Operator) and law.name == "density":
                return Unknown("density", n.name, shape=law.shape)
            raise Clash(f"`{n.name}` is a known distribution: a player moves a density or a parameter", n.span, "known",
                        [Witness(b.span, "declared here")])  # fmt: skip
        if isinstance(b.meaning, Value):
            array = plain_array(b.meaning)
            if isinstance(array, Var) and array.role == "param":
                return array
        raise Clash(f"a player moves a parameter, a function or a density, and `{n.name}` is a {b.kind}", n.span, b.kind,
                    [Witness(b.span, "declared here")])  # fmt: skip

    def goal(self, s: tree.Statement) -> None:
        if isinstance(s, tree.Derive):
            self.derive_goal(s)
        elif isinstance(s, tree.Claim):
            if s.name is not None:
                self.check_goal_name(s.name)
            self.out.claims.append(s)
        elif isinstance(s, tree.Train):
            self.train_goal(s)

    def check_goal_name(self, name: tree.Name) -> None:
        """A claim may share its name with nothing."""
        if name.name in self.statements:
            raise Clash(f"`{name.name}` is declared twice", name.span, "again",
                        [Witness(self.places[name.name], f"first as a {self.kinds[name.name]}")])  # fmt: skip
        for goal in self.out.goals:
            if goal.name == name.name:
                raise Clash(f"`{name.name}` is declared twice", name.span, "again", [Witness(goal.span, "first here")])

    def derive_goal(self, s: tree.Derive) -> None:
        if s.name is None:
            self.reader().value(s.goal)
        elif self.statements.get(s.name.name) is not s:
            return
        else:
            self.scope.find(s.name.name)
        self.out.goals.append(Goal(s.name.name if s.name is not None else None, s.goal, s.span))

    def train_goal(self, s: tree.Train) -> None:
        name = s.target.name
        b = self.scope.find(name)
        if b is None:
            near = near_name(name, [*self.out.losses, *self.out.games])
            raise Clash(f"unknown loss `{name}`", s.target.span, "not declared", help=f"did you mean `{near}`?" if near else None)
        is_game = isinstance(b.meaning, GameRef)
        if not is_game and name not in self.out.losses:
            raise Clash(f"`{name}` is a {b.kind}: a loss or a game is trained", s.target.span, b.kind,
                        [Witness(b.span, "declared here")],
                        help=f"declare it with `loss {name} = ..`" if b.kind == "named value" else None)  # fmt: skip
        known = GAME_METHODS if is_game else METHODS
        method = s.method
        if method is not None and method.function not in known:
            near = near_name(method.function, known)
            raise Clash(f"unknown method `{method.function}`", method.span, "not known",
                        help=f"did you mean `{near}`?" if near else "methods are " + ", ".join(known))  # fmt: skip
        if method is not None and method.arguments:
            raise Clash("options of a method go by name", method.span, help="`adam(lr=1e-3)`")
        options: dict[str, float] = {}
        for k in s.options:
            if k.name not in TRAIN_OPTIONS:
                near = near_name(k.name, TRAIN_OPTIONS)
                raise Clash(f"unknown option `{k.name}`", k.span, "not known", help=f"did you mean `{near}`?" if near else None)
            options[k.name] = float(self.number(k.value))
            if k.name in ("steps", "batch", "samples") and (options[k.name] < 1 or options[k.name] != int(options[k.name])):
                raise Clash(f"`{k.name}` is a positive integer", k.value.span, "not one")
        wrt: list[str] = []
        for n in s.wrt:
            declared = self.out.variables.get(n.name)
            if declared is None or declared.variable.role != "param":
                kind = self.kinds.get(n.name)
                if kind is None:
                    raise self.reader().unknown_name(n.name, n.span)
                raise Clash(f"`{n.name}` is a {kind}: parameters are trained", n.span, kind,
                            [Witness(self.places[n.name], "declared here")])  # fmt: skip
            wrt.append(n.name)
        if not is_game:
            used = {v.name for v in variables_of(self.out.lets[name]) if v.role == "param"}
            for n in s.wrt:
                if n.name not in used:
                    raise Clash(f"`{name}` does not depend on `{n.name}`", n.span, "not in the loss",
                                [Witness(self.places[name], "the loss")])  # fmt: skip
            if not wrt:
                wrt = [n for n in self.out.variables if n in used]
            if not wrt:
                raise Clash(f"`{name}` has no parameter to train", s.target.span, "no parameter")
        method_options = {k.name: float(self.number(k.value)) for k in method.keywords} if method is not None else {}
        self.out.trains.append(
            TrainGoal(name, is_game, tuple(wrt), method.function if method else "adam", method_options, options, s.span)
        )


class _Pending(Exception):
    """The shape of a variable that is being looked for already."""


class HeadScope(Scope):
    """The names of a spec, with the variables of a head in front."""

    def __init__(self, model: Elaborator, head: tree.Head, with_drawn: bool) -> None:
        super().__init__({}, model.scope)
        self.model = model
        self.own = {v.name.name for v in head.given} | ({v.name.name for v in head.variables} if with_drawn else set())

    def find(self, name: str) -> Binding | None:
        if name in self.names:
            return self.names[name]
        if name in self.own:
            v = self.model.random_variable(name)
            if v is not None:
                return Binding(build.of_array(v), self.model.places.get(name, tree.NOWHERE), "variable")
        return self.model.scope.find(name)


def plain_or_new(v: Value) -> Array:
    """The array that a value names already, or one of its own."""
    return plain_array(v) or v.array()


def mentions(e: tree.Expression, name: str) -> bool:
    return name in free_names(e)


def free_names(e: tree.Expression) -> list[str]:
    """The names in an expression that it does not bind, in order."""
    out: dict[str, None] = {}
    stack: list[tuple[tree.Expression, frozenset[str]]] = [(e, frozenset())]
    while stack:
        x, bound = stack.pop()
        if isinstance(x, tree.Name) and x.name not in bound:
            out[x.name] = None
        if isinstance(x, tree.Binder):
            bound = bound.union(
                n for s in x.specs for n in ((s.name,) if isinstance(s, tree.IndexSpec) else s.names)
            )
        stack.extend((p, bound) for p in reversed(parts_of(x)))
    return list(out)


def looks_like_family(name: str) -> bool:
    return name[:1].isupper() and name[1:2].islower()


def contradicts(facts: Facts, part: Compare) -> bool:
    """Whether the facts say the opposite for certain."""
    a, b = part.args
    difference = sub(b, a)
    if part.op == "<":
        return is_nonnegative(sub(a, b), facts) is True
    if part.op == "<=":
        return is_positive(sub(a, b), facts) is True
    if part.op == "==":
        return is_zero(difference, facts) is False
    return False


def elaborate(spec: tree.Spec) -> tuple[Elaborated, Elaborator]:
    """The model of a spec. Raises SpecError with all its mistakes."""
    elaborator = Elaborator(spec)
    with uncollected():
        return elaborator.run(), elaborator

