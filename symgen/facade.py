"""What callers hold: models, derivations, verdicts and records, with the names that DESIGN promises.

Engines know neither renderers nor code generation; the methods that need them are here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from sympy import Symbol, evaluate

from symgen.calculus.telling import STYLES
from symgen.codegen.compile import Compiled
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence, Step
from symgen.derivation.referee import check_equal_numeric
from symgen.games.records import as_dict, evaluate_field, public
from symgen.model.elaborate import Elaborator, elaborate
from symgen.model.model import Elaborated, Goal
from symgen.model.reduce import SECONDS, Reduced, prepared, reduce
from symgen.render import derivation as render
from symgen.render.language import unparse
from symgen.render.raising import raise_array
from symgen.tensor.expression import Array, Dim, Expect, Operator, Tensor, Var, variables_of, walk
from symgen.tensor.formula import Clash, Poisoned
from symgen.tensor.sympy_bridge import array_to_sympy, within
from symgen.text import tree
from symgen.text.diagnostics import CannotDerive, DataError, Diagnostic, SpecError, SymgenError
from symgen.text.names import canonical
from symgen.text.parse import decoded, parse_claim, parse_expression, read_spec
from symgen.verify.check import check_claim
from symgen.verify.verdict import Verdict

RANK = {"proved": 3, "checked": 2, "unknown": 1}


class Record:
    """A result with named fields; each is a SymPy expression (or a list, dict, text of them) in the author's names."""

    def __init__(self, record: Any, names: Mapping[Array, str]) -> None:
        self._record, self._names = record, names
        self._fields = [f.name for f in fields(record) if f.repr]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._fields:
            raise AttributeError(f"{type(self._record).__name__} has no field `{name}`; it has {', '.join(self._fields)}")
        return public(getattr(self._record, name), self._names)

    def __dir__(self) -> list[str]:
        return [*self._fields, "as_dict", "evaluate", "kind_of_record"]

    @property
    def kind_of_record(self) -> str:
        """BestResponse, Equilibrium, Stability or Posterior."""
        return type(self._record).__name__

    def as_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return {k: public(v, self._names) for k, v in as_dict(self._record).items()}

    def evaluate(self, field: str, /, **values: Any) -> Any:
        """The number of a field; an unknown density or function is given by its value at the point."""
        if field not in self._fields:
            raise AttributeError(f"{self.kind_of_record} has no field `{field}`; it has {', '.join(self._fields)}")
        try:
            return evaluate_field(getattr(self._record, field), self._names, {canonical(k): v for k, v in values.items()})
        except KeyError as error:
            raise DataError(f"no value for `{error.args[0]}`") from None

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v}" for k, v in self.as_dict().items())
        return f"{self.kind_of_record}({inside})"


class Derivation:
    """How a goal was reduced, step by step, and what it came to."""

    def __init__(self, model: Model, goal: tree.Expression | None, reduced: Reduced, title: str) -> None:
        self.model = model
        self.goal = goal
        self.title = title
        self.model_name = model.name
        self.array = reduced.array
        self.record = reduced.record
        self.spent = reduced.spent
        self._trace = reduced.trace
        self._untidied = reduced.untidied
        self.author_names: dict[Array, str] = reduced.names
        self.names: dict[Array, str] = {**reduced.trace.names, **reduced.names}

    # --- what it is

    @property
    def steps(self) -> list[Step]:
        return self._trace.steps

    @property
    def notes(self) -> list[str]:
        return list(dict.fromkeys(n for n in self._trace.notes if n not in self._trace.conditions))

    @property
    def conditions(self) -> list[str]:
        return self._trace.conditions

    @property
    def assumptions(self) -> list[str]:
        """The declared domains and facts that the result speaks of."""
        return self.model.assumptions_of(self._roots())

    @property
    def definitions(self) -> list[tuple[str, Array]]:
        """The author's named values that the result speaks of, in the order of the program."""
        roots = self._roots()
        found: dict[Array, str] = {}
        own = set(self.model.elaborated.names.values())
        for node in walk(*roots):
            if isinstance(node, Array) and not isinstance(node, Var) and self.names.get(node) in own:
                found[node] = self.names[node]
        return [(name, array) for array, name in found.items() if array not in roots]

    def _roots(self) -> list[Array]:
        if self.array is not None:
            return [self.array]
        return [x for f in fields(self.record) for x in _arrays_in(getattr(self.record, f.name))]

    @cached_property
    def evidence(self) -> Evidence:
        """What speaks for the result; raises InternalError if its referee refutes it."""
        found = [ask() for ask in self._trace.checks]
        if self.array is not None and self._untidied is not None and self._untidied is not self.array:
            found.append(check_equal_numeric(self._untidied, self.array, self.model.elaborated.facts))
        own = getattr(self.record, "evidence", None)
        if own is not None:
            found.append(own)
        conditions = tuple(dict.fromkeys([*self._trace.conditions, *(c for e in found for c in e.conditions)]))
        if not found:
            return Evidence("unknown" if self.spent else "proved", conditions, method="by definition")
        worst = min(found, key=lambda e: RANK.get(e.kind, 0))
        digits = [e.digits for e in found if e.digits is not None]
        return Evidence(
            "unknown" if self.spent else worst.kind, conditions, min(digits) if digits else None,
            max(e.points for e in found), worst.method, tuple(t for e in found for t in e.tried),
        )  # fmt: skip

    @cached_property
    def result(self) -> Any:
        """A SymPy expression (of an entry over `indices`, for a tensor) in the author's names, or a `Record`."""
        if self.array is None:
            return Record(self.record, self.author_names)
        return self._sympy[0]

    @cached_property
    def _sympy(self) -> tuple[Any, tuple[Any, ...]]:
        if self.array is None:
            return None, ()
        found = within(3.0, array_to_sympy, self.array, self.author_names)
        if found is None:  # SymPy would write out a number or a product that is too long
            with evaluate(False):
                found = array_to_sympy(self.array, self.author_names)
        return found  # type: ignore[no-any-return]

    @property
    def indices(self) -> tuple[Any, ...]:
        """The SymPy symbols of the axes of the result, in order."""
        return self._sympy[1]

    @property
    def symbols(self) -> dict[str, Any]:
        """The free symbols of the result by name."""
        if self.array is None:
            return {}
        return {s.name: s for s in sorted(self.result.free_symbols, key=str) if isinstance(s, Symbol)}

    @cached_property
    def tree(self) -> tree.Expression | None:
        """The result as an expression of the language, in the names of the spec alone."""
        if self.array is None:
            return None
        own = self.goal.name if isinstance(self.goal, tree.Name) else None
        return raise_array(self.array, {a: n for a, n in self.author_names.items() if a is not self.array or n != own})

    @property
    def text_result(self) -> str:
        """The result in symgen's own language."""
        if self.tree is None:
            return repr(self.result)
        return unparse(self.tree)

    # --- pages

    def latex(self, document: bool = False) -> str:
        """The derivation as LaTeX: the body, or a document that compiles."""
        return render.latex_document(self) if document else render.latex(self)

    def markdown(self) -> str:
        return render.markdown(self)

    def html(self) -> str:
        """A page that stands alone."""
        return render.html(self)

    def text(self) -> str:
        return render.text(self)

    def to_json(self) -> str:
        return render.json(self)

    def pdf(self, path: str | Path) -> None:
        """Compiles the document with the user's pdflatex."""
        render.pdf(self, path)

    def __repr__(self) -> str:
        return self.text()

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_latex_(self) -> str:
        return render.latex_display(self)

    # --- numbers

    def evaluate(self, /, **arrays: Any) -> Any:
        """The result at numbers, by the generated NumPy code: float, ndarray, or a dict of a record's fields.

        Constants take their defaults. A size that no array shows is a keyword; sampling needs `seed=` and takes
        `samples=`. Raises DataError for arrays that are missing or do not fit.
        """
        given = {canonical(k): v for k, v in arrays.items()}
        if self.array is None:
            return {f: self.result.evaluate(f, **given) for f in self.result.as_dict() if f != "conditions"}
        return self.model.evaluate_array(self.array, self.names, given)


def _arrays_in(value: Any) -> list[Array]:
    if isinstance(value, Array):
        return [value]
    if isinstance(value, Mapping):
        return [a for v in value.values() for a in _arrays_in(v)]
    if isinstance(value, (list, tuple)):
        return [a for v in value for a in _arrays_in(v)]
    return []


class Model:
    """A spec that was read: derive from it, check claims against it, generate code from it."""

    def __init__(self, spec: tree.Spec) -> None:
        self.elaborated: Elaborated
        self._elaborator: Elaborator
        self.elaborated, self._elaborator = elaborate(spec)
        self._reduced: dict[tuple[Array, str, int], Reduced] = {}
        self._compiled: dict[Array, Compiled] = {}
        self.code_checks: list[Callable[[], Evidence]] = []  # the referee's questions about generated gradients

    @property
    def name(self) -> str:
        return Path(self.elaborated.source.name).stem

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
        parts = [f"{len(e.variables)} variables", f"{len(e.lets)} named values", f"{len(e.goals)} derivations", f"{len(e.claims)} claims"]
        return f"<Model {self.name}: {', '.join(parts)}>"

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

    def derive(
        self, goal: str | Goal, seconds: float | None = None, *, style: str = "chain", detail: int = 2
    ) -> Derivation:
        """Any expression of the language, in the model's scope, reduced step by step.

        Derivatives are told by the chain rule on named values (`style="chain"`: backpropagation) or by differentials
        (`style="differentials"`: df = tr(G' dX)); `detail` 1 shows the results, 2 every intermediate value, 3 also what
        was simplified. Raises SpecError if it does not type-check, CannotDerive where symgen lacks a rule.
        """
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

    def reduced(
        self, array: Array, seconds: float | None = None, style: str = "chain", detail: int = 2
    ) -> Reduced:
        """`array` with its operators reduced (remembered)."""
        found = self._reduced.get((array, style, detail))
        if found is None or found.spent:
            e = self.elaborated
            try:
                found = reduce(array, e.facts, e.names, seconds or SECONDS, style, detail)
            except RecursionError:
                raise CannotDerive("this is nested too deeply for symgen", array) from None
            self._reduced[array, style, detail] = found
        return found

    def derivations(self) -> list[Derivation]:
        """All `derive` statements of the file, in order."""
        return [self.derive(g) for g in self.elaborated.goals]

    def assumptions_of(self, roots: Sequence[Array]) -> list[str]:
        """The declarations of what occurs in `roots`, and the assumed facts."""
        used = {v for r in roots for v in variables_of(r)}
        out = []
        for d in self.elaborated.variables.values():
            if d.variable in used:
                shape = ", ".join(render.size_text(s) for s in d.variable.shape)
                out.append(f"{d.variable.name}: {d.variable.domain}" + (f"[{shape}]" if shape else ""))
        return [*out, *self.elaborated.assumptions]

    # --- verify

    def check(self, claim: str, seconds: float | None = None) -> Verdict:
        """The verdict on a claim: of the file, by name, or written out. A step that has no meaning is `malformed`."""
        for c in self.elaborated.claims:
            if (c.name is not None and c.name.name == claim) or self._written(c) == claim:
                return check_claim(self, c, self.elaborated.source, seconds)
        text = claim if claim.lstrip().startswith("claim") else claim
        return check_claim(self, parse_claim(text), tree.Source(text, "<claim>"), seconds)

    def verify(self, seconds: float | None = None) -> list[Verdict]:
        """The verdicts on all claims of the file."""
        return [check_claim(self, c, self.elaborated.source, seconds) for c in self.elaborated.claims]

    # --- numbers and code

    def evaluate_array(self, array: Array, names: Mapping[Array, str], given: Mapping[str, Any]) -> Any:
        declared = self.elaborated.variables
        known = {*declared, *self.elaborated.dims, "seed", "samples"}
        variables = {v.name: v for v in variables_of(array)}
        for k in given:
            if k not in known and k not in variables and k not in self._elaborator.heads:
                raise DataError(f"`{k}` is not declared")
        values: dict[str, Any] = {}
        for name in variables:
            if name in given:
                values[name] = given[name]
            elif name in declared and declared[name].default is not None:
                values[name] = declared[name].default
        self._stretch(values, variables)
        sizes = {k: int(v) for k, v in given.items() if k in self.elaborated.dims and np.ndim(v) == 0}
        self._sizes_of_the_rest(sizes, variables, given)
        if any(isinstance(n, Operator) and n.name == "E" for n in walk(array)):
            array = prepared(array, Context(facts=self.elaborated.facts, names=names))
        open_operators = [n for n in walk(array) if isinstance(n, Operator)]
        if open_operators:
            raise CannotDerive(f"`{open_operators[0].name}` was not reduced, and has no number", open_operators[0])
        compiled = self._compiled.get(array)
        if compiled is None:
            compiled = self._compiled[array] = Compiled({"result": array}, names)
        if any(isinstance(n, Expect) for n in walk(array)):
            if "seed" not in given:
                raise DataError("this is estimated by sampling: give a seed, `seed=0`")
            return compiled.estimate(values, sizes, int(given["seed"]), int(given.get("samples", 1000)))["result"]
        return compiled(values, sizes)["result"]

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
        """A default that is one number, for an array: as many of it as the array has entries, where its sizes are fixed."""
        for name, value in values.items():
            v = variables[name]
            if v.rank and np.ndim(value) == 0 and not any(isinstance(s, Dim) for s in v.shape):
                values[name] = np.full([int(s.value) for s in v.shape], float(value))  # type: ignore[attr-defined]

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


_ = (Tensor,)
