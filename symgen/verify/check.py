"""A claim of the language: every side read and reduced, every step compared with the one before, every failure shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from symgen.algebra.equality import Comparison, proved_equal
from symgen.algebra.search import Search
from symgen.derivation.context import BudgetSpent
from symgen.derivation.derivation import Evidence
from symgen.model.model import Elaborated
from symgen.model.order import unbound
from symgen.model.reduce import Reduced
from symgen.probability.laws.properness import proper_conditions
from symgen.probability.laws.tables import complete_point
from symgen.tensor import build
from symgen.tensor.build import ShapeClash
from symgen.tensor.clock import spent
from symgen.tensor.evaluate import FLOAT, NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, Num, Operator, Scalar, Var, open_tensor, variables_of, walk
from symgen.tensor.facts import Facts
from symgen.tensor.formula import Clash, Poisoned, shape_text
from symgen.tensor.scope import CONSTANTS, names_in
from symgen.text import tree
from symgen.text.diagnostics import CannotDerive, Diagnostic, Label
from symgen.text.tree import Source, Span
from symgen.verify.chain import Relation, compare_values
from symgen.verify.definedness import (
    Need,
    Watch,
    as_assumptions,
    conditions_of,
    follows,
    needs_of,
    pieces_of,
    sign_text,
    where_defined,
)
from symgen.verify.joint_densities import with_chain_rule
from symgen.verify.suggest import balanced, suggest
from symgen.verify.verdict import Verdict, of_chain, of_comparison

SECONDS = 20.0  # of one claim
HINT_SECONDS = 3.0  # of the search for a suggestion
MAX_NAMES = 14


class ModelLike(Protocol):
    """What a claim is checked against: the facade's Model."""

    elaborated: Elaborated
    _elaborator: Any

    def reduced(self, array: Array, seconds: float | None = None) -> Reduced: ...


@dataclass
class Side:
    """One side of a chain: its value, reduced, or why it has none."""

    expression: tree.Expression
    array: Array | None = None
    malformed: Diagnostic | None = None
    others: tuple[Diagnostic, ...] = ()  # names that nothing declares, beside the first mistake
    unknown: str = ""
    given: tuple[Scalar, ...] = ()  # what the parameters of its laws satisfy
    needed: tuple[Need, ...] = ()  # what has to hold for it to have a value
    pieces: tuple[Scalar, ...] = ()  # without which it is infinite or undefined
    plain: bool = False  # a formula without derivatives, means or densities: it says something of every point

    @property
    def span(self) -> Span:
        return self.expression.span


def check_claim(model: ModelLike, claim: tree.Claim, source: Source, seconds: float | None = None) -> Verdict:
    """The verdict on a chain: `steps` holds one for each relation, in order.

    A side that has no meaning makes its steps malformed; the next is checked against the last that has one.
    """
    until = spent() + (seconds or SECONDS)
    sides = [read(model, e, source, until) for e in (claim.first, *(s.value for s in claim.steps))]
    steps: list[Verdict] = []
    before = sides[0]
    names = likely_names(model, [e.expression for e in sides])
    sound: Sound | None = Sound(sides[0], 0)
    for k, (step, side) in enumerate(zip(claim.steps, sides[1:], strict=True), 1):
        found = check_step(model, source, k, before, side, step, until, len(claim.steps) - k + 1, names, sound)
        steps.append(found)
        if side.malformed is None:
            before = side
        sound = after(sound, found, side, k, step.relation)
    verdict = of_chain(steps, claim.name.name if claim.name else "", claim)
    return replace(verdict, shapes=shapes_of(model.elaborated))


@dataclass(frozen=True)
class Sound:
    """The last side that follows from the left side, and its number; `broken`: the step after it does not hold."""

    side: Side
    number: int
    broken: bool = False


def after(sound: Sound | None, found: Verdict, side: Side, k: int, relation: str) -> Sound | None:
    """What is sound after step k; None where that is lost, behind a failed step that is no equation."""
    if sound is None:
        return None
    if found.holds and not sound.broken:
        return Sound(side, k)
    return replace(sound, broken=True) if relation == "=" else None


def likely_names(model: ModelLike, sides: Sequence[tree.Expression]) -> list[str]:
    """What a name may have been mistaken for: the names of the claim, then the other variables."""
    told = [n.name for e in sides for n in names_in(e)]
    return list(dict.fromkeys([*told, *model.elaborated.lets, *model.elaborated.variables]))[:MAX_NAMES]


def shapes_of(e: Elaborated) -> dict[str, tuple[Scalar, ...]]:
    """The shapes of the declared names, for whoever prints the claim."""
    shapes = {name: array.shape for array, name in e.names.items()}
    shapes.update({name: d.variable.shape for name, d in e.variables.items()})
    shapes.update(dict.fromkeys(e.dims, ()))
    return shapes


def mistakes_of_claims(model: ModelLike) -> list[Diagnostic]:
    """Why steps of the claims of a file have no meaning; nothing is reduced or compared."""
    found: list[Diagnostic] = []
    source = model.elaborated.source
    for claim in model.elaborated.claims:
        before: Side | None = None
        for k, e in enumerate((claim.first, *(s.value for s in claim.steps))):
            try:
                value, mistake = value_of(model, e, source)
            except CannotDerive:  # a part of a record that has none
                continue
            side = Side(e, value, mistake)
            if mistake is None and before is not None:
                mistake = other_shape(source, k, before, side)
            for d in (mistake, *(unknown_names(model, e, source, mistake) if mistake is not None else ())):
                if d is not None and d.message not in [x.message for x in found]:
                    found.append(d)
            before = side if value is not None else before
    return found


def other_shape(source: Source, k: int, before: Side, side: Side) -> Diagnostic | None:
    """Why two sides cannot be compared, where their shapes differ."""
    assert before.array is not None and side.array is not None
    try:
        one_shape(before.array, side.array)
    except ShapeClash:
        return Diagnostic(
            f"step {k} has another shape than {name_of(k - 1)}", source,
            (Label(side.span, shape_text(side.array.shape), True), Label(before.span, shape_text(before.array.shape))),
        )  # fmt: skip
    return None


def unknown_names(model: ModelLike, e: tree.Expression, source: Source, but: Diagnostic | None) -> tuple[Diagnostic, ...]:
    """What is told of the names of an expression that nothing declares, without the mistake that is told already."""
    reader = model._elaborator.reader()
    reader.written = lambda span: source.text[slice(*balanced(source.text, span.start, span.end))]
    found: dict[str, Diagnostic] = {}
    for name, span, what in unbound(tree.Derive(None, e)):
        known = reader.scope.find(name) is not None or name in CONSTANTS or reader.is_known_function(name)
        if not known and model._elaborator.random_variable(name) is None:
            found.setdefault(name, model._elaborator.diagnostic(reader.unknown_name(name, span, what), source))
    told = but.message if but is not None else ""
    return tuple(sorted((d for d in found.values() if d.message != told), key=lambda d: d.position))


def value_of(
    model: ModelLike, e: tree.Expression, source: Source, needed: list[Need] | None = None
) -> tuple[Array | None, Diagnostic | None]:
    """The value of an expression, or why it has none; `needed` gets the conditions under which it has one."""
    reader = model._elaborator.reader()
    if needed is not None:
        reader.watch = Watch(reader, model.elaborated.facts, needed).applied
    reader.written = lambda span: source.text[slice(*balanced(source.text, span.start, span.end))]
    try:
        value = reader.value(e)
        if value.outer:
            raise Clash("an index is free here", e.span)
        if needed is not None:
            needed += needs_of_lets(model, e)
        return value.array(), None
    except Clash as clash:
        return None, model._elaborator.diagnostic(clash, source)
    except Poisoned:
        return None, Diagnostic("this uses a name whose definition is wrong", source, (Label(e.span, "", True),))


MOST_LETS = 200  # whose definitions are looked at for what they need


def needs_of_lets(model: ModelLike, e: tree.Expression) -> list[Need]:
    """The conditions under which the named values that an expression speaks of have values."""
    elaborator = model._elaborator
    known: dict[str, list[Need]] = elaborator.needs_of_lets
    seen: dict[str, None] = {}
    todo = [e]
    while todo and len(seen) < MOST_LETS:
        for name in names_in(todo.pop()):
            s = elaborator.statements.get(name.name)
            if name.name in seen or not isinstance(s, tree.Let) or s.indices is not None:
                continue
            seen[name.name] = None
            todo.append(s.value)
            if name.name not in known:
                known[name.name] = []
                reader = elaborator.reader()
                reader.watch = Watch(reader, model.elaborated.facts, known[name.name]).applied
                source = model.elaborated.source
                reader.written = lambda span, text=source.text: text[slice(*balanced(text, span.start, span.end))]
                reader.value(s.value)
    return [n for name in seen for n in known[name]]


def read(model: ModelLike, e: tree.Expression, source: Source, until: float, asking: bool = True) -> Side:
    side = Side(e)
    needed: list[Need] = []
    try:
        array, side.malformed = value_of(model, e, source, needed if asking else None)
    except CannotDerive as error:  # a part of a record
        side.unknown = str(error)
        return side
    if array is None:
        side.others = unknown_names(model, e, source, side.malformed)
        return side
    side.given = tuple(proper_conditions(array))
    side.plain = not any(isinstance(n, Operator) for n in walk(array))
    try:
        reduced = model.reduced(array, max(0.5, (until - spent()) / 2))
        if asking:
            ask(reduced)
    except CannotDerive as error:
        side.unknown, side.array = str(error), array  # as it stands it may still be tested, on finite tables
        return side
    if reduced.array is None:
        side.unknown = "this is a record: compare its fields"
    elif reduced.spent:
        side.unknown = "the time was up"
    side.array = reduced.array
    side.pieces = pieces_of(reduced.array) if reduced.array is not None else ()
    side.needed = (*needed, *(Need(c) for c in reduced.trace.required if c in reduced.trace.conditions))
    return side


def facts_of(model: ModelLike, *sides: Side) -> Facts:
    """What the spec assumes, and what the parameters of the laws on the sides satisfy."""
    facts = model.elaborated.facts or Facts()
    given = [c for side in sides for c in side.given if c not in facts.assumptions]
    return Facts([*facts.assumptions, *given]) if given else facts


def ask(reduced: Reduced) -> None:
    """The referee's questions about what a side was reduced to: a verdict must not stand on a wrong derivation."""
    found = []
    while reduced.trace.checks:
        found.append(reduced.trace.checks.pop(0)())
    reduced.trace.checks.extend(lambda e=e: e for e in found)  # type: ignore[misc]


def check_step(
    model: ModelLike, source: Source, k: int, before: Side, side: Side, step: tree.ClaimStep, until: float, left: int,
    names: Sequence[str] = (), sound: Sound | None = None,
) -> Verdict:  # fmt: skip
    bad = (before.malformed if k == 1 else None) or side.malformed or before.malformed
    if bad is not None:
        more = [*(before.others if k == 1 else ()), *([side.malformed] if side.malformed else ()), *side.others]
        first, *rest = dict.fromkeys([bad, *more])
        return Verdict("malformed", evidence=Evidence("malformed"), reason=first.message, diagnostic=first, others=tuple(rest))
    if before.array is None or side.array is None:
        why = before.unknown or side.unknown
        return Verdict("unknown", evidence=Evidence("unknown", tried=(why,)), reason=why)
    over: list[Var] = []
    for name in step.over:
        try:
            found = model._elaborator.reader().variable(name, step.relation)
        except (Clash, Poisoned) as clash:
            bad = model._elaborator.diagnostic(clash, source) if isinstance(clash, Clash) else None
            return Verdict("malformed", evidence=Evidence("malformed"), reason=str(clash), diagnostic=bad)
        over.append(found)
    bad = other_shape(source, k, before, side)
    if bad is not None:
        return Verdict("malformed", evidence=Evidence("malformed"), reason=bad.message, diagnostic=bad)
    a, b = one_shape(before.array, side.array)
    relation = Relation(step.relation, tuple(over))
    now = spent()
    try:
        facts = facts_of(model, before, side)
        everywhere = before.plain and side.plain
        found = compare_values(a, b, relation, facts, now + max(0.5, (until - now) / left), everywhere=everywhere)
        if found.status == "checked" and relation.op == "=":
            found = proved_where_defined(a, b, facts, (*before.needed, *side.needed), until) or found
        narrow = where_defined(facts, [*before.needed, *side.needed]) if found.status == "refuted" else facts
        if narrow is not facts:  # sqrt(x)^2 became x: the point may lie where what was written has no value
            found = compare_values(a, b, relation, narrow, spent() + max(0.5, (until - now) / left))
    except BudgetSpent:
        return Verdict("unknown", evidence=Evidence("unknown", tried=("the time was up",)), reason="the time was up")
    verdict = under(found, facts, before, side)
    if found.status == "unknown" and (before.unknown or side.unknown):
        return replace(verdict, reason=before.unknown or side.unknown)
    if found.status != "refuted":
        return verdict
    said = spare_sound_sides(model, before, side, relation, sound, source, until, names)
    return replace(verdict, suggestion=said.help, diagnostic=excerpt_of(source, k, before, side, found, step, said))


PROOF_SECONDS = 3.0


def proved_where_defined(a: Array, b: Array, facts: Facts, needed: Sequence[Need], until: float) -> Comparison | None:
    """A proof that uses what has to hold for the sides to have values: log(a/b) is log(a) - log(b) for positive a and b."""
    known = [c for need in needed for c in as_assumptions(need)]
    new = [c for c in dict.fromkeys(known) if c not in facts.assumptions]
    seconds = min(PROOF_SECONDS, until - spent())
    if not new or seconds <= 0:
        return None
    return proved_equal(a, b, Facts([*facts.assumptions, *new]), spent() + seconds, with_chain_rule)


def under(found: Comparison, facts: Facts | None, *sides: Side) -> Verdict:
    """The verdict with what has to hold for the sides to have values, and with the signs that the proof used."""
    verdict = of_comparison(found)
    if not verdict.holds:
        return verdict
    alike = set.intersection(*(set(side.pieces) for side in sides))
    pieces = [n for c in dict.fromkeys(c for side in sides for c in side.pieces) if c not in alike for n in needs_of(c)]
    needs = [*(n for side in sides for n in side.needed), *pieces]
    known = Facts([c for n in needs for c in as_assumptions(n)])
    texts = {text for _, _, text in found.signs}
    used = [sign_text(node, says) for node, says, _ in found.signs if not follows(node, says, known)]
    proof = [*(c for c in verdict.evidence.conditions if c not in texts), *used]
    conditions = dict.fromkeys([*conditions_of(needs, facts), *proof])
    return replace(verdict, evidence=replace(verdict.evidence, conditions=tuple(conditions)))


@dataclass(frozen=True)
class Said:
    """The way out of a step that does not hold, or why the step is not the one to mend."""

    help: str | None = None
    note: str | None = None


def spare_sound_sides(
    model: ModelLike, before: Side, side: Side, relation: Relation, sound: Sound | None, source: Source, until: float,
    names: Sequence[str],
) -> Said:  # fmt: skip
    """Behind a wrong step the sides are held to the last one that was right: what equals it is not to be spoilt."""
    left = before.array
    told = before
    if sound is not None and sound.broken and relation.op == "=":
        left, told = sound.side.array, sound.side
        if left is None or side.array is None:
            return Said()
        try:
            a, b = one_shape(left, side.array)
            found = compare_values(a, b, relation, model.elaborated.facts, spent() + 1.0)
        except (ShapeClash, BudgetSpent):
            return Said()
        if found.holds:
            return Said(note=f"it equals {name_of(sound.number)}, which was right: the slip is in between")
    if left is None:
        return Said()
    return Said(hint(model, left, relation, side, source, until, names, told.expression))


_TURNED = {"<": ("<=", ">=", ">"), ">": (">=", "<=", "<"), "<=": (">=",), ">=": ("<=",)}


def hint(
    model: ModelLike, left: Array, relation: Relation, side: Side, source: Source, until: float, names: Sequence[str],
    told: tree.Expression | None = None,
) -> str | None:  # fmt: skip
    """The small edit of a wrong side under which its step holds, if there is one. That A @ B is A @ B, and not B @ A, is
    no way out."""
    facts = model.elaborated.facts
    if relation.op in _TURNED and side.array is not None:  # almost any edit would make an inequality hold
        for other in _TURNED[relation.op]:
            if compare_values(*one_shape(left, side.array), other, facts, spent() + HINT_SECONDS, prove=False).holds:
                return f"`{other}` for `{relation.op}`"
        return None
    screen = Screen(left, side.array, facts) if relation.op == "=" and side.array is not None else None

    def holds(e: tree.Expression) -> bool:
        if e == told and turned_around(e, side.expression):
            return False
        if screen is not None and screen.excludes_plain(model, e, left):
            return False
        array = read(model, e, source, until, asking=False).array
        if array is None:
            return False
        try:
            a, b = one_shape(left, array)
            if screen is not None and screen.excludes(b):
                return False
            return compare_values(a, b, relation, facts, spent() + 1.0, prove=False).holds
        except (ShapeClash, BudgetSpent):
            return False

    seconds = min(HINT_SECONDS, until - spent())
    here = [n.name for n in names_in(side.expression)]
    before = [n.name for n in names_in(told)] if told is not None else []
    lost = [n for n in before if before.count(n) > here.count(n)]
    edit = suggest(side.expression, source, holds, list(model.elaborated.dims), names, seconds, list(dict.fromkeys(lost)))
    return edit.text if edit is not None else None


def turned_around(a: tree.Expression, b: tree.Expression) -> bool:
    """Whether two products have the same factors in another order."""
    if not isinstance(a, tree.Factors) or not isinstance(b, tree.Factors):
        return False
    left, right = ([x.first, *(f for _, f in x.rest)] for x in (a, b))
    return left != right and len(left) == len(right) and all(x in right for x in left)


class Screen:
    """The value of the left side at one point, which most wrong edits do not have."""

    def __init__(self, left: Array, wrong: Array, facts: Facts | None) -> None:
        self.point: Point | None = None
        search = Search([left, wrong], facts, spent() + 1.0, complete_point)
        for attempt in range(3):
            points = search.sample(attempt)
            if points is None:
                continue
            try:
                (self.value,) = evaluate([left], points[0], FLOAT)
            except NotEvaluable:
                return
            if np.all(np.isfinite(self.value)):
                self.point = points[0]
                return

    def excludes_plain(self, model: ModelLike, e: tree.Expression, left: Array) -> bool:
        """Whether an expression that needs no reduction has another value there, or no meaning."""
        try:
            array = model._elaborator.reader().value(e).array()
            _, b = one_shape(left, array)
        except (Clash, Poisoned, ShapeClash):
            return True
        return not any(isinstance(n, Operator) for n in walk(b)) and self.excludes(b)

    def excludes(self, other: Array) -> bool:
        """Whether an array has another value there, for certain."""
        if self.point is None or not variables_of(other) <= self.point.values.keys():
            return False
        try:
            (value,) = evaluate([other], self.point, FLOAT)
        except NotEvaluable:
            return False
        with np.errstate(all="ignore"):
            if value.shape != self.value.shape or not np.all(np.isfinite(value)):
                return True  # undefined where the left side is not
            scale = np.max(np.abs(self.value), initial=0.0) + np.max(np.abs(value), initial=0.0)
            return bool(np.max(np.abs(value - self.value), initial=0.0) > 1e-6 * scale)


def one_shape(a: Array, b: Array) -> tuple[Array, Array]:
    """Both over one shape: equal shapes, or a number against an array (a gradient = 0)."""
    if a.rank == b.rank and all(build.same_size(x, y) for x, y in zip(a.shape, b.shape, strict=True)):
        return a, b
    if not b.rank and isinstance(open_tensor(b, ()), Num):
        return a, build.broadcast_to(build.of_array(b), a.shape).array()
    if not a.rank and isinstance(open_tensor(a, ()), Num):
        return build.broadcast_to(build.of_array(a), b.shape).array(), b
    raise ShapeClash("shapes differ")


def name_of(k: int) -> str:
    return f"step {k}" if k else "the left side"


def excerpt_of(source: Source, k: int, before: Side, side: Side, found: Comparison, step: tree.ClaimStep, said: Said) -> Diagnostic:
    x = found.counterexample
    notes: tuple[str, ...] = (x.text(name_of(k - 1), f"step {k}"),) if x is not None else ()
    notes += (said.note,) if said.note else ()
    word = "does not follow from" if step.relation in ("=", "propto", "~=") else "does not hold against"
    return Diagnostic(
        f"step {k} {word} {name_of(k - 1)}", source,
        (Label(side.span, f"step {k}", True), Label(before.span, name_of(k - 1))), notes, said.help,
    )  # fmt: skip
