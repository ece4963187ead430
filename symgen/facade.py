"""What callers hold: the model of a spec, with the names that DESIGN promises.

Engines, renderers and code generation are imported by the methods that need them: reading a spec takes none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from symgen.model.elaborate import Elaborator, elaborate
from symgen.model.model import Elaborated, Goal
from symgen.tensor.expression import Array, Dim, Expect, Node, Operator, Var, variables_of, walk
from symgen.tensor.reading import room_to_nest
from symgen.tensor.scope import Clash, Poisoned, size_text
from symgen.tensor.sharp import sharpened
from symgen.text import tree
from symgen.text.diagnostics import CannotDerive, DataError, Diagnostic, SpecError, SymgenError
from symgen.text.parse import decoded, parse_claim, parse_expression, read_spec

if TYPE_CHECKING:
    from symgen.codegen.compile import Compiled
    from symgen.derivation.derivation import Evidence
    from symgen.model.reduce import Reduced
    from symgen.results import Derivation
    from symgen.verify.verdict import Verdict

__all__ = ["Model", "load", "loads"]


def record_of(op: Array, e: Elaborated) -> Any:
    """The record that an operator gives, for an expression that names a part of it."""
    from symgen.model.reduce import SECONDS, reduce

    return reduce(op, e.facts, e.names, SECONDS, taken=e.declared).record


class Model:
    """A spec that was read: derive from it, check claims against it, generate code from it."""

    def __init__(self, spec: tree.Spec) -> None:
        self.elaborated: Elaborated
        self._elaborator: Elaborator
        self.elaborated, self._elaborator = elaborate(spec, record_of)
        self._reduced: dict[tuple[Array, str, int], Reduced] = {}
        self._compiled: dict[Array, Compiled] = {}
        self.code_checks: list[Callable[[], Evidence]] = []  # the referee's questions about generated gradients

    @property
    def name(self) -> str:
        return Path(self.elaborated.source.name).stem

    @property
    def spec(self) -> tree.Spec:
        """What was read, as a tree."""
        return self._elaborator.spec

    @property
    def warnings(self) -> list[Diagnostic]:
        return self.elaborated.warnings

    @property
    def goals(self) -> list[str]:
        """The `derive` statements: a name, or the expression as written."""
        return [g.name or self._written(g.expression) for g in self.elaborated.goals]

    @property
    def claims(self) -> list[str]:
        """The claims of the file: a name, or the claim as written."""
        return [c.name.name if c.name else self._written(c) for c in self.elaborated.claims]

    @property
    def losses(self) -> list[str]:
        return list(self.elaborated.losses)

    def _written(self, e: tree.Tree) -> str:
        return self.elaborated.source.text[e.span.start : e.span.end]

    def __repr__(self) -> str:
        e = self.elaborated
        counts = f"{len(e.variables)} variables, {len(e.lets)} named values, {len(e.goals)} derivations"
        return f"<Model {self.name}: {counts}, {len(e.claims)} claims>"

    # --- derive

    def _goal(self, goal: str | Goal) -> tuple[tree.Expression, str]:
        if isinstance(goal, Goal):
            return goal.expression, goal.name or self._written(goal.expression)
        for g in self.elaborated.goals:
            if g.name == goal or self._written(g.expression) == goal:
                return g.expression, g.name or goal
        return parse_expression(goal), goal

    def _array_of(self, e: tree.Expression, text: str, inside: bool) -> Array:
        try:
            with room_to_nest():
                return self._read(e, text, inside)
        except RecursionError:
            source = self.elaborated.source if inside else tree.Source(text, "<goal>")
            raise SpecError([self._elaborator.diagnostic(Clash("this is nested too deeply", e.span), source)]) from None

    def _read(self, e: tree.Expression, text: str, inside: bool) -> Array:
        reader = self._elaborator.reader()
        source = self.elaborated.source if inside else tree.Source(text, "<goal>")
        reader.written = lambda span: source.text[span.start : span.end]
        try:
            value = reader.value(e)
            if value.outer:
                raise Clash("an index is free here", e.span)
            return value.array()
        except Clash as clash:
            raise SpecError([self._elaborator.diagnostic(clash, source)]) from None
        except Poisoned:
            raise SpecError(self._elaborator.diagnostics) from None

    def derive(self, goal: str | Goal, seconds: float | None = None, *, style: str = "chain", detail: int = 2) -> Derivation:
        """Any expression of the language, in the model's scope, reduced step by step.

        Derivatives are told by the chain rule on named values (`style="chain"`: backpropagation) or by differentials
        (`style="differentials"`: df = tr(G' dX)); `detail` 1 shows the results, 2 every intermediate value, 3 also what
        was simplified. `seconds` of processor time are its budget. Raises SpecError if it does not type-check,
        CannotDerive where symgen lacks a rule.
        """
        from symgen.calculus.telling import STYLES
        from symgen.results import Derivation

        if style not in STYLES or detail not in (1, 2, 3):
            raise ValueError(f"the style is one of {', '.join(STYLES)}, and the detail 1, 2 or 3")
        expression, title = self._goal(goal)
        inside = any(g.expression is expression for g in self.elaborated.goals)
        array = self._array_of(expression, title if not inside else "", inside)
        reduced = self.reduced(array, seconds, style, detail)
        return Derivation(self, expression, reduced, title)

    def goal_array(self, goal: Goal) -> Array:
        """The unreduced array of a `derive` statement."""
        return self._array_of(goal.expression, "", True)

    def reduced(self, array: Array, seconds: float | None = None, style: str = "chain", detail: int = 2) -> Reduced:
        """`array` with its operators reduced (remembered)."""
        from symgen.model.reduce import SECONDS, reduce

        found = self._reduced.get((array, style, detail))
        if found is None or found.spent:
            e = self.elaborated
            try:
                with room_to_nest():
                    found = reduce(array, e.facts, e.names, seconds or SECONDS, style, detail, e.declared)
            except RecursionError:
                raise CannotDerive("this is nested too deeply for symgen", array) from None
            self._reduced[array, style, detail] = found
        return found

    def for_numbers(self, array: Array) -> Reduced:
        """`array` reduced for code: where a density is asked for what may lie outside of its support, it is 0 there."""
        from symgen.model.reduce import SECONDS, reduce

        plain = self.reduced(array)
        if not plain.trace.may_lie_outside or plain.array is None:
            return plain
        found = self._reduced.get((array, "outside", 0))
        if found is None:
            e = self.elaborated
            try:
                with room_to_nest():
                    found = reduce(array, e.facts, e.names, SECONDS, taken=e.declared, outside=True)
            except (RecursionError, CannotDerive):
                found = plain
            if found.spent or found.array is None or _operators_in(found.array) > _operators_in(plain.array):
                found = plain
            self._reduced[array, "outside", 0] = found
        return found

    def derivations(self) -> list[Derivation]:
        """All `derive` statements of the file, in order."""
        return [self.derive(g) for g in self.elaborated.goals]

    def assumptions_of(self, roots: Sequence[Node]) -> list[str]:
        """The declarations of what occurs in `roots`, and the assumed facts."""
        used = {v for r in roots for v in variables_of(r)}
        out = []
        for d in self.elaborated.variables.values():
            if d.variable in used:
                shape = ", ".join(size_text(s) for s in d.variable.shape)
                out.append(f"{d.variable.name}: {d.variable.domain}" + (f"[{shape}]" if shape else ""))
        return [*out, *self.elaborated.assumptions]

    # --- verify

    def check(self, claim: str, seconds: float | None = None) -> Verdict:
        """The verdict on a claim: of the file, by name, or written out. A step that has no meaning is `malformed`.
        `seconds` of processor time are its budget."""
        from symgen.verify.check import check_claim

        for c in self.elaborated.claims:
            if (c.name is not None and c.name.name == claim) or self._written(c) == claim:
                return check_claim(self, c, self.elaborated.source, seconds)
        return check_claim(self, parse_claim(claim), tree.Source(claim, "<claim>"), seconds)

    def verify(self, seconds: float | None = None) -> list[Verdict]:
        """The verdicts on all claims of the file."""
        from symgen.verify.check import check_claim

        return [check_claim(self, c, self.elaborated.source, seconds) for c in self.elaborated.claims]

    # --- numbers and code

    def evaluate_array(
        self, array: Array, names: Mapping[Array, str], given: Mapping[str, Any], exact: bool = False, form: Array | None = None
    ) -> Any:
        """The numbers of a reduced array; `given` are values, sizes, `seed` and `samples` by canonical names. Where
        `exact`, means over one scalar are summed over nodes and not estimated from samples. Of the closed `form`, digits
        that the code loses are those of balls."""
        from symgen.codegen.compile import Compiled
        from symgen.codegen.referee import check_code
        from symgen.derivation.context import Context
        from symgen.model.reduce import prepared
        from symgen.probability.means.finiteness import with_infinite_means

        declared = self.elaborated.variables
        known = {*declared, *self.elaborated.dims, "seed", "samples"}
        variables = {v.name: v for v in variables_of(array)}
        for k in given:
            if k not in known and k not in variables and k not in self._elaborator.heads:
                raise DataError(f"`{k}` is not declared")
        given = {k: regular(k, v) for k, v in given.items()}
        values: dict[str, Any] = {}
        for name in variables:
            if name in given:
                values[name] = given[name]
            elif name in declared and declared[name].default is not None:
                values[name] = declared[name].default
        self._stretch(values, variables)
        sizes = {k: int(v) for k, v in given.items() if k in self.elaborated.dims and np.ndim(v) == 0}
        self._sizes_of_the_rest(sizes, variables, given)
        if any(isinstance(n, Operator) and n.name in ("E", "integral", "root", "series") for n in walk(array)):
            context = Context(facts=self.elaborated.facts, names=names)
            array = with_infinite_means(
                array, {v: np.asarray(values[v.name], float) for v in variables_of(array) if v.name in values}, context
            )
            array = prepared(array, context, exact=exact)
        open_operators = [n for n in walk(array) if isinstance(n, Operator)]
        if open_operators:
            means = [n for n in open_operators if n.name == "E" and len(n.args) > 1 and isinstance(n.args[1], Operator)]
            if means:
                text = f"this mean has no closed form, and symgen has no draw of `{means[0].args[1].name}`: it has no number"
                raise CannotDerive(text, means[0])
            name = {"series": "sum"}.get(open_operators[0].name, open_operators[0].name)
            raise CannotDerive(f"`{name}` was not reduced, and has no number", open_operators[0])
        compiled = self._compiled.get(array)
        if compiled is None:
            compiled = Compiled({"result": array}, names)
            check_code(compiled, self.elaborated.facts)
            self._compiled[array] = compiled
        compiled.refuse_outside(values, sizes)
        sampled = any(isinstance(n, Expect) for n in walk(array))
        if sampled and "seed" not in given:
            raise DataError("this is estimated by sampling: give a seed, `seed=0`")
        try:
            if sampled:
                return compiled.estimate(values, sizes, int(given["seed"]), int(given.get("samples", 1000)))["result"]
            value = compiled(values, sizes)["result"]
            return value if form is None else sharpened(value, form, values, sizes)
        except np.linalg.LinAlgError as error:
            if form is not None and form is not array:  # a matrix on the way between the laws, not one of the result
                return self.evaluate_array(form, names, given, exact)
            raise DataError(f"a matrix of the result cannot be inverted or factorised: {str(error).lower()}") from error
        except IndexError as error:
            raise DataError(f"an index of the result lies outside its array: {error}") from error

    def _sizes_of_the_rest(self, sizes: dict[str, int], used: Mapping[str, Var], given: Mapping[str, Any]) -> None:
        """Sizes that only arrays show which the result does not need: the Jacobian of A @ B by A holds B alone."""
        shown = {s for v in used.values() for s in v.shape}
        for name, declared in self.elaborated.variables.items():
            v = declared.variable
            if name in given and name not in used and np.ndim(given[name]) == v.rank:
                for size, length in zip(v.shape, np.shape(given[name]), strict=True):
                    if isinstance(size, Dim) and size not in shown:
                        sizes.setdefault(size.name, length)

    @staticmethod
    def _stretch(values: dict[str, Any], variables: Mapping[str, Var]) -> None:
        """A default that is one number, for an array of fixed sizes: one for each entry."""
        for name, value in values.items():
            v = variables[name]
            if v.rank and np.ndim(value) == 0 and not any(isinstance(s, Dim) for s in v.shape):
                values[name] = np.full([int(s.value) for s in v.shape], float(value))

    def generate(self, target: str = "numpy") -> str:
        """The source text of a module with the losses, named values and derivations of the spec, and their training."""
        from symgen.units import unit_of

        made = unit_of(self)
        self._ask()
        return made.source(target)

    def compile(self, target: str = "numpy") -> ModuleType:
        """The generated module, imported."""
        from symgen.units import unit_of

        made = unit_of(self)
        self._ask()
        return made.module(target)

    def _ask(self) -> None:
        """The referee looks at every gradient before code of it is handed out."""
        while self.code_checks:
            self.code_checks.pop()()


def regular(name: str, value: Any) -> Any:
    """`value`, or as an array where it is a list. Raises DataError if its rows differ in length."""
    if not isinstance(value, (list, tuple)):
        return value
    try:
        return np.asarray(value)
    except ValueError:
        raise DataError(f"`{name}` is not an array: its rows differ in length") from None


def loads(text: str, name: str = "<text>", line_shift: int = 0) -> Model:
    """The model of a spec. Raises SpecError with all its diagnostics, those of the grammar and those of the model."""
    reading = read_spec(text, name, line_shift)
    try:
        model = Model(reading.spec)
    except SymgenError as error:
        if not reading.mistakes:
            raise
        rest = [d for d in getattr(error, "diagnostics", ()) if not reading.explains(d)]
        raise SpecError(sorted([*reading.mistakes, *rest], key=lambda d: d.position)) from None
    if reading.mistakes:
        raise SpecError(list(reading.mistakes))
    return model


def load(path: str | Path) -> Model:
    """The model of a spec in a file."""
    path = Path(path)
    return loads(decoded(path.read_bytes(), str(path)), str(path))


def _operators_in(array: Array) -> int:
    return sum(isinstance(n, Operator) for n in walk(array))
