"""What a goal came to: a derivation with its steps, evidence, pages and numbers; or a record with named fields.

Engines know neither renderers nor code generation; the methods that need them are here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Symbol, evaluate

from symgen.algebra.collect import with_numbers_out
from symgen.calculus.kinks import guarded
from symgen.calculus.root import by_halving
from symgen.derivation.context import BudgetSpent
from symgen.derivation.derivation import Evidence, Step
from symgen.derivation.referee import check_equal_numeric
from symgen.games.records import as_dict, evaluate_field, public
from symgen.model.reduce import Reduced
from symgen.nearness.kept import is_by_own_nodes, is_of_one_law, remainder_of, with_digits_kept
from symgen.probability.means.quadrature import check_value, number_at, stays
from symgen.render import derivation as render
from symgen.render.language import unparse
from symgen.render.raising import raise_array
from symgen.render.records import record_text
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Dim,
    Operator,
    Scalar,
    Var,
    entry,
    replace_arrays,
    tensor,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.sympy_bridge import array_to_sympy, within
from symgen.text import tree
from symgen.text.diagnostics import DataError
from symgen.text.names import canonical

if TYPE_CHECKING:
    from symgen.facade import Model

RANK = {"proved": 3, "checked": 2, "unknown": 1}


class Record:
    """A result with named fields; each is a SymPy expression (or a list, dict, text of them) in the author's names."""

    def __init__(self, record: Any, names: Mapping[Array, str], declared: Sequence[Var] = ()) -> None:
        self._record, self._names, self._declared = record, names, declared
        self._fields = [f.name for f in fields(record) if f.repr]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._fields:
            raise AttributeError(f"{self.kind_of_record} has no field `{name}`; it has {', '.join(self._fields)}")
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
        given = {canonical(k): v for k, v in values.items()}
        own = dict.fromkeys(v for f in self._fields for a in _arrays_in(getattr(self._record, f)) for v in variables_of(a))
        for v in (*own, *self._declared):  # a size may stand in the record that only an array beside it shows
            if v.name in given and np.ndim(given[v.name]) == v.rank:
                shown = zip(v.shape, np.shape(given[v.name]), strict=True)
                for name, length in ((s.name, length) for s, length in shown if isinstance(s, Dim)):
                    given.setdefault(name, length)
        try:
            return self._number(getattr(self._record, field), given)
        except KeyError as error:
            raise DataError(f"no value for `{error.args[0]}`") from None

    def _number(self, value: Any, given: Mapping[str, Any]) -> Any:
        """Arrays, and what is made from arrays, by generated code; the rest by SymPy."""
        if isinstance(value, Mapping):
            return {k: self._number(v, given) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._number(v, given) for v in value)
        if isinstance(value, Scalar) and any(v.shape for v in variables_of(value)):
            value = tensor((), value)
        if isinstance(value, Array):
            value = by_halving(value)
        if isinstance(value, Array) and not any(isinstance(n, Operator) for n in walk(value)):
            from symgen.codegen.compile import Compiled

            variables = {v.name: v for v in variables_of(value)}
            missing = [n for n in variables if n not in given]
            if missing:
                raise KeyError(missing[0])
            sizes = {k: int(v) for k, v in given.items() if k not in variables and np.ndim(v) == 0}
            made = Compiled({"result": value}, self._names)
            known = {d.name for d in made.dims}
            return made({n: given[n] for n in variables}, {k: n for k, n in sizes.items() if k in known})["result"]
        return evaluate_field(value, self._names, given)

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v}" for k, v in self.as_dict().items())
        return f"{self.kind_of_record}({inside})"


def _told_once(conditions: Sequence[str]) -> list[str]:
    """The conditions without repeats: 1 < a says what a > 1 does."""
    found: dict[tuple[str, ...], str] = {}
    for text in conditions:
        words = tuple(text.split(" > "))
        found.setdefault(words[::-1] if len(words) == 2 else tuple(text.split(" < ")), text)
    return list(found.values())


def _asked(ask: Callable[[], Evidence]) -> Evidence:
    """What a referee says; one that runs out of time has said nothing."""
    try:
        return ask()
    except BudgetSpent:
        return Evidence("unknown", tried=("the time was spent",))


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
        self._sampled, self._goal_array = reduced.sampled, reduced.goal
        self._forms: dict[Array, Array] = {}
        self._trace = reduced.trace
        self._untidied = reduced.untidied
        self.author_names: dict[Array, str] = reduced.names
        self.names: dict[Array, str] = {**reduced.trace.names, **reduced.names}

    # --- what it is

    @cached_property
    def steps(self) -> list[Step]:
        """The rules that were applied; the last says the result. Where generated code computes another form of it, since
        the result as it is written loses digits, the identity is a step of its own before the last."""
        told = self._trace.steps
        stable = self._stable_step() if told and self.array is not None and not self.spent else None
        return told if stable is None else [*told[:-1], stable, told[-1]]

    def _stable_step(self) -> Step | None:
        from symgen.codegen.stable_form import stable_form

        assert self.array is not None
        if self.array.rank or any(isinstance(n, Operator) for n in walk(self.array)):
            return None
        if self._kept(self.array) is not self.array:
            reason = (
                "near equal laws the code takes the remainder of its Taylor series along the segment between the parameters,"
                " or between the logarithms of positive ones, which loses no digits; elsewhere the closed form"
            )
            if is_by_own_nodes(self._goal_array, self.model.elaborated.facts):
                reason = (
                    "the code sums over nodes where the law has its mass: the closed form is a difference of nearly equal"
                    " numbers where the density hardly changes over the interval, and where the interval lies far out"
                )
                return Step("stable", None, self.array, reason=reason, evidence=Evidence("checked", points=1, method="code"))
            shown = remainder_of(self.array, self._goal_array)
            before, after = (self.array, shown) if shown is not None else (None, self.array)
            return Step("stable", before, after, reason=reason, evidence=Evidence("checked", points=24, method="code"))
        form = stable_form(self.array)
        if form is None or form is self.array:
            return None
        found = check_equal_numeric(self.array, form, self.model.elaborated.facts)
        reason = "stable rewriting, by which the code computes: differences of parameters first, then remainders"
        return Step("stable", self.array, form, evidence=found, reason=reason)

    @property
    def notes(self) -> list[str]:
        return list(dict.fromkeys(n for n in self._trace.notes if n not in self._trace.conditions))

    @property
    def conditions(self) -> list[str]:
        return _told_once(self._trace.conditions)

    @property
    def assumptions(self) -> list[str]:
        """The declared domains and facts that the result speaks of."""
        return self.model.assumptions_of([*self._roots(), *(array for _, array in self.definitions)])

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
        found = [_asked(ask) for ask in self._trace.checks]
        if not any(isinstance(n, Operator) and n.name in ("E", "Var", "Cov") for n in walk(*self._roots())):
            # a mean that was left to a later engine, and is not in the result
            found = [e for e in found if e.method != "an expectation stays"]
        if self.array is not None and self._untidied is not None and self._untidied is not self.array:
            before, facts = self._untidied, self.model.elaborated.facts
            if before.rank == 0 and stays((before,)):
                found.append(check_value(lambda p, level: number_at(before, p, level), self.array, [before], [], facts))
            else:
                found.append(check_equal_numeric(before, self.array, facts))
        own = getattr(self.record, "evidence", None)
        if own is not None:
            found.append(own)
        conditions = tuple(_told_once([*self._trace.conditions, *(c for e in found for c in e.conditions)]))
        if not found:
            if self.steps and not self.spent:
                return Evidence("unknown", conditions, tried=("no referee looks at results of this kind",))
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
            return Record(self.record, self.author_names, [d.variable for d in self.model.elaborated.variables.values()])
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
        name = self.author_names.get(self.array)
        if name is not None and self.goal is not None and not isinstance(self.goal, tree.Name):
            return tree.Name(name)
        names = {a: n for a, n in self.author_names.items() if a is not self.array or n != own}
        array = self.array
        for adjoint, (f, sequence) in self._trace.adjoints.items():  # that of a sequence is a derivative by it
            if sequence in names and f.rank == adjoint.rank - sequence.rank:
                of = names.get(f) or unparse(raise_array(f, names))
                said = f"{'jacobian' if f.rank else 'grad'}({of}, {names[sequence]})"
                if adjoint is array:
                    return tree.Name(said)
                if not f.rank:
                    names.setdefault(adjoint, said)
                    continue
                array = replace_arrays(array, {adjoint: _leading(var(said, (*f.shape, *sequence.shape)), f.rank)})
        return raise_array(with_numbers_out(array, names), names)

    @property
    def text_result(self) -> str:
        """The result in symgen's own language: the law of a posterior, the fields of other records on lines."""
        if self.tree is None:
            return record_text(self.record, self.author_names)
        return unparse(self.tree)

    @property
    def text_in_parts(self) -> list[str]:
        """The result with the parts that it repeats under names of their own: `let` statements, each after those that
        it is made of, and then the expression."""
        return [self.text_result] if self.array is None or self.tree is None else render.in_parts(self)

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

    @cached_property
    def _with_supports(self) -> Array:
        """The result with its densities 0 outside of their supports."""
        assert self.array is not None
        if not self._trace.may_lie_outside or self._goal_array is None:
            return self.array
        return self.model.for_numbers(self._goal_array).array or self.array

    def _for(self, given: Mapping[str, Any]) -> Array:
        """What is evaluated at numbers: the result itself, where it does not hang on the value of a density, and that is not
        given."""
        assert self.array is not None
        declared = self.model.elaborated.variables
        more = set(variables_of(self._with_supports)) - set(variables_of(self.array))
        known = all(v.name in given or (v.name in declared and declared[v.name].default is not None) for v in more)
        return self._with_supports if known else self.array

    def _kept(self, array: Array) -> Array:
        """The result in the form by which the code computes it."""
        if array not in self._forms:
            self._forms[array] = with_digits_kept(array, self._goal_array, self.model.elaborated.facts)
        return self._forms[array]

    def evaluate(self, /, **arrays: Any) -> Any:
        """The result at numbers, by the generated NumPy code: float, ndarray, or a dict of a record's fields.

        Constants take their defaults. A size that no array shows is a keyword; sampling needs `seed=` and takes
        `samples=`. Raises DataError for arrays that are missing or do not fit.
        """
        given = {canonical(k): v for k, v in arrays.items()}
        if self.array is None:
            return {f: self.result.evaluate(f, **given) for f in self.result.as_dict() if f != "conditions"}
        self._refuse_outside(given)
        names = dict(self.names)
        plain = self._for(given)
        array, _ = guarded(self._kept(plain), self._trace, self.model.elaborated.facts, names)
        value = self.model.evaluate_array(array, names, given, not self._sampled, plain)
        return 0.0 if isinstance(value, float) and value != 0 and is_of_one_law(self._goal_array, given) else value

    def _refuse_outside(self, given: Mapping[str, Any]) -> None:
        """Raises DataError where a density of one's own has no normaliser at the given numbers."""
        for c in self._trace.region:
            declared = self.model.elaborated.variables
            if any(v.name not in given and (v.name not in declared or declared[v.name].default is None) for v in variables_of(c)):
                continue
            if not self.model.evaluate_array(tensor((), where(c, ONE, ZERO)), dict(self.names), given):
                needed = unparse(raise_array(tensor((), c), self.names))
                raise DataError(f"the density has no normaliser at these numbers: it needs {needed}")


def _leading(by_sequence: Array, lead: int) -> Callable[..., Scalar]:
    """The entries of an adjoint, whose first axis is the time, as those of the derivative by the sequence."""
    return lambda t, *rest: entry(by_sequence, *rest[:lead], t, *rest[lead:])


def _arrays_in(value: Any) -> list[Array]:
    if isinstance(value, Array):
        return [value]
    if isinstance(value, Mapping):
        return [a for v in value.values() for a in _arrays_in(v)]
    if isinstance(value, (list, tuple)):
        return [a for v in value for a in _arrays_in(v)]
    return []
