"""From the tree of a spec to its typed model: every name looked up, every shape found, every mistake reported once.

Statements stand in any order: a name is elaborated when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgen.model.assumptions import assume
from symgen.model.composites import with_composites
from symgen.model.declarations import define_dim, define_function, define_unknown, define_variable
from symgen.model.distribution_reader import DistributionReader, plain_or_new
from symgen.model.elaboration import Elaboration
from symgen.model.goals import define_game, goal
from symgen.model.joints import define_joint
from symgen.model.model import Elaborated
from symgen.model.named_values import define_let
from symgen.model.order import program_order
from symgen.model.parameter_domains import check_ends, check_parameters, check_step, check_weights
from symgen.model.random_variables import random_variable
from symgen.model.recurrences import coupled_sequences, define_coupled, define_recurrence, starts_later
from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import Array, Scalar, Var, uncollected
from symgen.tensor.facts import Facts
from symgen.tensor.reading import room_to_nest
from symgen.tensor.scope import Poisoned
from symgen.text import tree
from symgen.text.diagnostics import InternalError, SpecError


class Elaborator(Elaboration):
    """Elaborates one spec. `run` gives the model, or raises all its mistakes."""

    def run(self) -> Elaborated:
        for s in self.spec.statements:
            self.collect(s)
        self.coupled = coupled_sequences(self.statements)
        order, circles = program_order(self.statements)
        for circle in circles:
            self.report(self.defined_by_itself(circle))
        for s in self.spec.statements:
            if isinstance(s, tree.Assume):
                self.attempt(None, lambda s=s: assume(self, s))  # type: ignore[misc]
        for name in order:
            try:
                self.scope.find(name)
            except Poisoned:
                pass
        self.out.facts = Facts(self.assumed)
        for s in self.spec.statements:
            if not self.attempt(None, lambda s=s: goal(self, s)) and isinstance(s, tree.Derive):  # type: ignore[misc]
                self.report_unknown(s)
        for name in self.failed:
            self.report_unknown(self.statements[name])
        self.number_names()
        if self.diagnostics:
            self.diagnostics.sort(key=lambda d: d.position)
            raise SpecError(self.diagnostics)
        if self.failed:
            raise InternalError(f"nothing is said against {', '.join(sorted(self.failed))}, which could not be elaborated")
        return self.out

    def number_names(self) -> None:
        """The names in the order of the text, so that the result does not hang on who asked first."""
        ordered: dict[Array, str] = {}
        for name, array in sorted(self.out.lets.items(), key=lambda item: self.places[item[0]].start):
            if not isinstance(array, Var):
                ordered.setdefault(array, name)
        self.out.names = ordered
        self.out.lets = {n: self.out.lets[n] for n in self.statements if n in self.out.lets}
        self.out.variables = {n: self.out.variables[n] for n in self.statements if n in self.out.variables}

    def define(self, name: str, s: tree.Statement | list[tree.Statement]) -> None:
        if isinstance(s, list):
            if isinstance(s[0], tree.Let) and name in self.coupled:
                define_coupled(self, self.coupled[name])
            elif isinstance(s[0], tree.Let):
                define_recurrence(self, name, s)  # type: ignore[arg-type]
            else:
                define_joint(self, name, s)
        elif isinstance(s, tree.Dim):
            define_dim(self, name, s)
        elif isinstance(s, tree.Declaration):
            define_variable(self, name, s)
        elif isinstance(s, tree.Let) and name in self.coupled and starts_later(self, s):
            self.bind(name, None, "value inside of a recurrence")
        elif isinstance(s, tree.Let):
            define_let(self, name, s)
        elif isinstance(s, tree.Def):
            define_function(self, name, s)
        elif isinstance(s, tree.Function):
            define_unknown(self, name, s)
        elif isinstance(s, tree.Game):
            define_game(self, name, s)
        elif isinstance(s, tree.Derive):
            self.bind(name, build.of_array(plain_or_new(self.reader().value(s.goal))))

    def random_variable(self, name: str) -> Var | None:
        return random_variable(self, name)

    def check_parameters(self, reader: DistributionReader, law: Array, e: tree.Call) -> None:
        check_parameters(self, reader, law, e)

    def check_weights(self, value: Value, place: tree.Expression, text: str) -> None:
        check_weights(self, value, place, text)

    def check_ends(self, law: Array, low: Scalar, high: Scalar, e: tree.Call) -> None:
        check_ends(self, law, low, high, e)

    def check_step(self, step: Array, e: tree.Expression, text: str) -> None:
        check_step(self, step, e, text)


def elaborate(spec: tree.Spec, record_of: Callable[[Array, Elaborated], Any] | None = None) -> tuple[Elaborated, Elaborator]:
    """The model of a spec. Raises SpecError with all its mistakes. `record_of` reduces what gives a record, for
    expressions that name a part of one."""
    elaborator = Elaborator(with_composites(spec))
    elaborator.record_of = record_of
    with uncollected(), room_to_nest():
        made = elaborator.run()
        made.declared = frozenset((*elaborator.statements, *elaborator.heads))
        return made, elaborator
