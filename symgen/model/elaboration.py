"""Who declares what in a spec, and the elaboration of a name when it is first asked for.

A name whose definition failed is poisoned, so that one cause gives one message.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from symgen.model.distribution_reader import DistributionReader
from symgen.model.model import Elaborated
from symgen.model.order import Declaring, bound_in, unbound
from symgen.model.reader import ModelReader
from symgen.probability.laws.law import family
from symgen.tensor.build import Value
from symgen.tensor.expression import Array, Scalar, Var
from symgen.tensor.scope import CONSTANTS, Binding, Clash, Poisoned, Scope, Witness, mentions
from symgen.text import tree
from symgen.text.diagnostics import CannotDerive, Diagnostic, Label
from symgen.text.names import near_name
from symgen.text.tree import Source, Span

CALLED = ("function", "distribution", "density")


class GlobalScope(Scope):
    """The names of the spec, elaborated when first asked for."""

    def __init__(self, model: Elaboration) -> None:
        super().__init__({}, None)
        self.model = model

    def find(self, name: str) -> Binding | None:
        found = self.names.get(name)
        return found if found is not None else self.model.demand(name)

    def holds_value(self, name: str) -> bool:
        return name in self.model.statements and self.model.kinds[name] not in CALLED

    def all_names(self) -> list[str]:
        return list(self.model.statements)


class Elaboration(ABC):
    """The names of one spec, what they were elaborated to so far, and the mistakes that were found."""

    def __init__(self, spec: tree.Spec) -> None:
        self.spec = spec
        self.source: Source = spec.source
        self.out = Elaborated(spec.source, spec)
        self.diagnostics: list[Diagnostic] = []
        self.reported: set[Diagnostic] = set()
        self.unknown: set[str] = set()  # a name that is not declared is told where it stands first
        self.told: set[Span] = set()
        self.statements: dict[str, tree.Statement | list[tree.Statement]] = {}
        self.items: dict[str, tree.Declared] = {}
        self.sought = 0
        self.claim_names: dict[str, Span] = {}
        self.bound: dict[str, tuple[Span, str]] | None = None
        self.places: dict[str, Span] = {}
        self.kinds: dict[str, str] = {}
        self.scope = GlobalScope(self)
        self.running: list[str] = []
        self.failed: set[str] = set()
        self.random: dict[str, Var | None] = {}
        self.seeking: set[str] = set()
        self.laws: dict[int, Array | None] = {}
        self.heads: dict[str, list[tree.Dist | tree.Head]] = {}
        self.assumed: list[Scalar] = []
        self.coupled: dict[str, tuple[str, ...]] = {}  # sequences that need one another
        self.needs_of_lets: dict[str, list[Any]] = {}  # what has to hold for named values to have values, where it was asked
        self.out.reader = self.reader
        self.record_of: Callable[[Array, Elaborated], Any] | None = None

    def record(self, op: Array) -> Any:
        """The record that an operator gives; None where nobody finds it."""
        return self.record_of(op, self.out) if self.record_of is not None else None

    @abstractmethod
    def define(self, name: str, s: tree.Statement | list[tree.Statement]) -> None:
        """Elaborates the statements that declare `name`, and binds it."""

    @abstractmethod
    def random_variable(self, name: str) -> Var | None:
        """The variable `name` of the heads of dists and densities."""

    @abstractmethod
    def check_parameters(self, reader: DistributionReader, law: Array, e: tree.Call) -> None:
        """Raises a Clash where a parameter of the law may leave its domain."""

    @abstractmethod
    def check_weights(self, value: Value, place: tree.Expression, text: str) -> None:
        """Raises a Clash where the weights of a mixture may be none."""

    @abstractmethod
    def check_ends(self, law: Array, low: Scalar, high: Scalar, e: tree.Call) -> None:
        """Raises a Clash where nothing of a law lies between two ends."""

    @abstractmethod
    def check_step(self, step: Array, e: tree.Expression, text: str) -> None:
        """Raises a Clash where the step of an iteration may not be positive."""

    # --- help for readers

    def written(self, span: Span) -> str:
        return self.source.text[span.start : span.end]

    def reader(self, scope: Scope | None = None) -> ModelReader:
        return ModelReader(self, scope or self.scope)

    def near_name(self, name: str, known: Iterable[str]) -> str | None:
        """A known name that may have been meant: for the first hundred that are asked for, since each costs a look at all."""
        self.sought += 1
        return near_name(name, (n for n in known if n != name)) if self.sought <= 100 else None

    def bound_elsewhere(self, name: str) -> tuple[Span, str] | None:
        """Where `name` is bound by a binder or on the left of a `let`, and as what."""
        if self.bound is None:
            self.bound = dict(bound_in(self.spec))
        return self.bound.get(name)

    def joint_names(self) -> list[str]:
        return [n for n, k in self.kinds.items() if k in ("distribution", "density")]

    def parameter_names(self, name: str) -> list[str]:
        return list(family(name).parameters)

    # --- mistakes

    def report(self, clash: Clash, severity: str = "error") -> None:
        found = self.diagnostic(clash, self.source, severity)
        if severity == "warning":
            self.out.warnings.append(found)
        elif found not in self.reported and (clash.message not in self.unknown or not clash.message.startswith("unknown")):
            self.reported.add(found)
            self.unknown.add(clash.message)
            self.told.add(clash.span)
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
        except CannotDerive as error:
            self.report(Clash(f"a part of a record: {error}", self.places.get(name, tree.NOWHERE) if name else tree.NOWHERE))
        except RecursionError:
            span = self.places.get(name, tree.NOWHERE) if name else tree.NOWHERE
            self.report(Clash("this is nested too deeply", span))
        if name is not None:
            self.failed.add(name)
        return False

    def report_unknown(self, s: Declaring) -> None:
        """All names of a statement that nothing declares: of those, what failed first may have told one."""
        if isinstance(s, list):
            return  # heads and first entries bind names
        reader = self.reader()
        for name, span, what in unbound(s):
            if span in self.told:
                continue
            known = name in self.statements or name in self.heads or name in CONSTANTS or name in ("None", "True", "False")
            if not known and not reader.is_known_function(name):
                self.report(reader.unknown_name(name, span, what))

    # --- first pass: who declares what

    def collect(self, s: tree.Statement) -> None:
        if isinstance(s, tree.Dim):
            for name, _ in s.items:
                self.put(name, s, "size")
        elif isinstance(s, tree.Declaration):
            for item in s.items:
                if item.name.name not in self.statements:
                    self.items[item.name.name] = item
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
        self.report(self.declared_twice(name))

    def declared_twice(self, name: tree.Name) -> Clash:
        first, again = self.written(self.places[name.name]), self.written(name.span)
        return Clash(
            f"`{again}` is declared twice", name.span, "again",
            [Witness(self.places[name.name], f"first as a {self.kinds[name.name]}")],
            [f"`{first}` and `{again}` are one name"] if first != again else [],
        )  # fmt: skip

    def put_let(self, s: tree.Let) -> None:
        name = s.name.name
        earlier = self.statements.get(name)
        is_base = s.indices is not None and any(not isinstance(i, tree.IndexSpec) for i in s.indices)
        over_time = s.indices is not None and isinstance(earlier, list)  # its first entries came before
        recursive = over_time or (s.indices is not None and mentions(s.value, name))
        if isinstance(earlier, list) and all(isinstance(x, tree.Let) for x in earlier) and (is_base or recursive):
            earlier.append(s)
            return
        if is_base and isinstance(earlier, tree.Let) and earlier.indices is not None:
            self.statements[name] = [earlier, s]
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
            self.report(self.defined_by_itself(self.running[self.running.index(name) :]))
            raise Poisoned
        self.running.append(name)
        try:
            ok = self.attempt(name, lambda: self.define(name, s))
        finally:
            self.running.pop()
        if not ok or name in self.failed:
            raise Poisoned
        return self.scope.names[name]

    def defined_by_itself(self, circle: list[str]) -> Clash:
        """The names of the circle are poisoned; it is told from the one that stands first in the text."""
        self.failed.update(circle)
        first = circle.index(min(circle, key=lambda n: self.places[n].start))
        circle = [*circle[first:], *circle[:first]]
        name = circle[0]
        told = [f"`{n}`" for n in [*circle, name]]
        if len(told) > 6:
            told[3:-1] = [".."]
        witnesses = [Witness(self.places[n], "it needs this") for n in circle[1:6]]
        if len(circle) == 1:
            return Clash(f"`{name}` is defined by itself", self.places[name], "needs its own value")
        path = " needs ".join(told)
        return Clash(f"`{name}` is defined by itself: {path}", self.places[name], "defined by itself", witnesses)

    def bind(self, name: str, meaning: object, kind: str | None = None) -> None:
        self.scope.names[name] = Binding(meaning, self.places[name], kind or self.kinds[name])
