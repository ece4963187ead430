"""From a model to the unit that code is generated from: losses with their gradients, named derivations, training."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symgen.calculus.gradient import gradient
from symgen.calculus.kinks import guarded, note_kinks
from symgen.codegen.compile import Compiled, check_source
from symgen.codegen.generate import generate_module
from symgen.codegen.referee import check_code
from symgen.codegen.unit import Game, Loss, Param, Player, Train, Unit
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.model.records import RECORDS
from symgen.model.reduce import asked_together, left_to_referee, prepared
from symgen.nearness.kept import with_digits_kept
from symgen.probability.laws.reparameterisation import thawed
from symgen.render.language import unparse
from symgen.render.raising import raise_array
from symgen.tensor.expression import (
    NAN,
    Array,
    Dim,
    Entry,
    Num,
    Operator,
    Tensor,
    Var,
    entry,
    fresh_index,
    logic,
    tensor,
    uncollected,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.text import tree
from symgen.text.diagnostics import CannotDerive
from symgen.text.names import canonical

if TYPE_CHECKING:
    from symgen.facade import Model


class Generated:
    """A unit with the formulas of its arrays."""

    def __init__(self, unit: Unit, written: Mapping[Array, Array]) -> None:
        self.unit = unit
        self.written = written  # arrays with guards at kinks, as they are written without

    def formula(self, array: Array) -> str:
        """An array in the language, for a comment."""
        array = self.written.get(array, array)
        names = {a: n for a, n in self.unit.names.items() if a is not array}
        return unparse(raise_array(array, names))

    def source(self, target: str = "numpy") -> str:
        return generate_module(self.unit, self.formula, target)

    def module(self, target: str = "numpy") -> ModuleType:
        """The generated module, imported; its source is checked before it runs."""
        source = self.source(target)
        check_source(source)
        module = ModuleType(f"symgen_{self.unit.name}")
        module.__dict__["__source__"] = source
        exec(compile(source, f"<generated {self.unit.name}>", "exec"), module.__dict__)  # noqa: S102  our own source
        sys.modules.setdefault(module.__name__, module)
        return module


def spellings_of(text: str, names: Iterable[str]) -> dict[str, str]:
    """The words of a spec that are another spelling of one of the names: `λ` of lambda."""
    known = set(names)
    return {w: canonical(w) for w in dict.fromkeys(re.findall(r"[^\W\d]\w*", text)) if canonical(w) != w and canonical(w) in known}


def is_record(array: Array) -> bool:
    """Whether a goal gives a record: no code is made of it."""
    node: Any = array
    if isinstance(array, Tensor) and not array.rank and isinstance(array.body, Entry):
        node = array.body.array
    return isinstance(node, Operator) and node.name in RECORDS


def ready(
    model: Model,
    array: Array,
    what: str,
    smooth: bool = False,
    written: dict[Array, Array] | None = None,
    trained: bool = False,
) -> Array:
    """`array` reduced and ready for code: what has no closed form as a mean over samples; `smooth`: only over samples
    through which gradients pass. What is `trained` takes the densities as they are written: its data lie inside."""
    reduced = model.reduced(array) if trained else model.for_numbers(array)
    if reduced.array is None:
        raise CannotDerive(f"{what} is a record, and has no code", array)
    ctx = Context(facts=model.elaborated.facts, names=reduced.names)
    whole = with_digits_kept(reduced.array, reduced.goal, model.elaborated.facts)
    result = prepared(whole, ctx, scored=False, smooth=smooth, exact=not reduced.sampled)
    shown = model.reduced(array).array
    if written is not None and shown is not None and result is not shown:
        written[result] = shown
    left = [n for n in walk(result) if isinstance(n, Operator)]
    if left:
        raise CannotDerive(f"{what} holds `{left[0].name}`, which was not reduced: it has no code", left[0])
    if reduced.trace.region:  # where a density of one's own has no normaliser, there is no number
        axes = [fresh_index(s) for s in result.shape]
        result = tensor(axes, where(logic("and", *reduced.trace.region), entry(result, *axes), NAN))
    result, was = guarded(result, reduced.trace, model.elaborated.facts, reduced.names)
    if written is not None:
        written.update(was)
    return result


def unit_of(model: Model) -> Generated:
    """The unit of a model. Raises CannotDerive where a loss or a named derivation could not be reduced."""
    with uncollected():
        return _unit_of(model)


def _unit_of(model: Model) -> Generated:
    e = model.elaborated
    names: dict[Array, str] = dict(e.names)
    declared = [d.variable for d in e.variables.values()]
    params = [v for v in declared if v.role == "param"]
    losses = []
    trained = {t.target for t in e.trains}
    written: dict[Array, Array] = {}
    for name in e.losses:
        value = ready(model, e.lets[name], f"the loss `{name}`", written=written, trained=name in trained)
        names.update(model.reduced(e.lets[name]).names)
        losses.append(Loss(name, value, gradients_of(model, value, params, names, e.lets[name], written, name in trained)))
    values: list[tuple[str, Array]] = []
    for goal in e.goals:
        plain = goal.name or (goal.expression.name if isinstance(goal.expression, tree.Name) else None)
        if plain is None or plain in e.losses:
            continue
        array = model.goal_array(goal)
        if is_record(array):
            continue
        values.append((plain, ready(model, array, f"the derivation `{plain}`", written=written)))
        names.update(model.reduced(array).names)
    games = [game_of(model, name, names) for name in e.games if any(t.target == name for t in e.trains)]
    own = {a: n for a, n in names.items() if not isinstance(a, Var)}
    unit = Unit(
        name=model.name if model.name.isidentifier() else "model",
        dims={n: int(s.value) if isinstance(s, Num) else None for n, s in e.dims.items() if isinstance(s, (Num, Dim))},
        params=[
            Param(d.variable, d.initial.kind if d.initial else None, d.initial.scale if d.initial else 0.0)
            for d in e.variables.values() if d.variable.role == "param"
        ],
        data=[v for v in declared if v.role == "data"],
        consts={d.variable: d.default for d in e.variables.values() if d.variable.role == "const"},
        losses=losses,
        values=values,
        trains=[Train(t.target, t.wrt, t.method, t.method_options, t.options) for t in e.trains],
        games=games,
        names=own,
        assumptions=list(e.assumptions),
        spellings=spellings_of(e.source.text, (v.name for v in declared if v.role in ("data", "param"))),
    )  # fmt: skip
    model.code_checks.append(lambda: code_checked(unit, model.elaborated.facts))
    return Generated(unit, written)


def code_checked(unit: Unit, facts: Facts | None) -> Evidence:
    """The losses, gradients and values of a unit as code, compared with their entry expressions at a random point."""
    outputs: dict[str, Array] = {f"value {name}": array for name, array in unit.values}
    for loss in unit.losses:
        outputs[f"loss {loss.name}"] = loss.value
        outputs.update({f"gradient of {loss.name} by {v.name}": g for v, g in loss.gradients.items()})
    points = check_code(Compiled(outputs, unit.names), facts) if outputs else 0
    return Evidence("checked" if points else "unknown", digits=6 if points else None, points=points, method="code")


def gradients_of(
    model: Model,
    value: Array,
    params: list[Var],
    names: dict[Array, str],
    loss: Array | None = None,
    written: dict[Array, Array] | None = None,
    trained: bool = False,
) -> Mapping[Var, Array]:
    """The gradients of a loss by all parameters that it depends on, in one sweep; each is put before the referee. Where
    `loss` draws what is no smooth function of noise, they pass by the score function."""
    used = [p for p in params if p in variables_of(value)]
    ctx = Context(facts=model.elaborated.facts, names=names)
    whole = None if loss is None else model.reduced(loss) if trained else model.for_numbers(loss)
    raw = None if whole is None else whole.array
    apart = Context(facts=model.elaborated.facts, names=names)
    exact = whole is not None and not whole.sampled
    f = value if raw is None else prepared(raw, apart, scored=True, smooth=True, exact=exact)
    found = gradient(f, used, ctx)
    note_kinks(ctx.trace, f, found.values(), ctx.facts)

    def safe(g: Array) -> Array:
        made, was = guarded(g, ctx.trace, ctx.facts, names)
        if written is not None:
            written.update(was)
        return made

    for array, name in ctx.trace.names.items():
        names.setdefault(array, name)
    if f is value:
        model.code_checks.append(asked_together(value, {p: found[p] for p in used}, model.elaborated.facts))
        return {p: safe(found[p]) for p in used}
    scored = {p: thawed(found[p]) for p in used}
    model.code_checks.extend(left_to_referee(f, p, scored[p], 1, model.elaborated.facts, []) for p in used)
    return {p: safe(prepared(scored[p], ctx, exact=exact)) for p in used}


def game_of(model: Model, name: str, names: dict[Array, str]) -> Game:
    """A game of parameters with each player's payoff and gradients. Raises CannotDerive if a player moves a function."""
    players = []
    for p in model.elaborated.games[name].players:
        if p.unknown is not None:
            raise CannotDerive(f"the game `{name}` is played with an unknown {p.unknown.kind}: it cannot be trained", p.payoff)
        payoff = ready(model, p.payoff, f"a payoff of `{name}`", smooth=True)
        moves = [v for v in p.parameters if isinstance(v, Var)]
        names.update(model.reduced(p.payoff).names)
        own = next((n for n, a in model.elaborated.lets.items() if a is p.payoff), "")
        players.append(Player(tuple(moves), p.sense, payoff, gradients_of(model, payoff, moves, names), own))
    return Game(name, tuple(players))
