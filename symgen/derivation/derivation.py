"""Steps, evidence and what a derivation is: data. The facade gives it `latex()` and `evaluate()`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from symgen.tensor.expression import Array, Node, Scalar, operator


class Step:
    """One rule applied: `before` became `after`. Both are nodes (arrays for tensors), `where` names what it was done to
    (a name or a short text), `reason` is the text at the right of the line, `conditions` what must hold for it.

    `before` may be handed over as what `operator` takes: a derivation of a deep network has thousands of steps, and
    most are never looked at."""

    __slots__ = ("_before", "after", "conditions", "evidence", "reason", "rule", "source", "where")

    def __init__(
        self,
        rule: str,
        before: Node | tuple[Any, ...] | None,
        after: Node | None,
        where: str = "",
        conditions: tuple[str, ...] = (),
        evidence: Evidence | None = None,
        reason: str = "",
        source: str = "",
    ) -> None:
        self.rule, self._before, self.after, self.where = rule, before, after, where
        self.conditions, self.evidence, self.reason, self.source = conditions, evidence, reason, source

    @property
    def before(self) -> Node | None:
        if isinstance(self._before, tuple):
            self._before = operator(*self._before)
        return self._before

    def __repr__(self) -> str:
        return f"Step({self.rule}: {self.before} -> {self.after})"


@dataclass(frozen=True)
class Evidence:
    """What speaks for a result. kind: proved, checked, refuted, malformed or unknown; `digits` agreed at `points` points;
    `method` says how it was looked at, `tried` what was tried in vain."""

    kind: str
    conditions: tuple[str, ...] = ()
    digits: int | None = None
    points: int = 0
    method: str = ""
    tried: tuple[str, ...] = ()


@dataclass
class Trace:
    """What engines write their steps into. `names` are suggested names of arrays that a derivation made (delta_z).
    `required` are those of the conditions without which the result is another, `region` those as scalars of which a density
    of one's own has no normaliser outside.

    `is_smooth` is False once something was differentiated that has kinks, pieces or roots of what may be 0;
    `brought_in` are the variables of norms that stand below a bar because something was differentiated, `poles` those of
    norms that did so before.
    """

    steps: list[Step] = field(default_factory=list)
    names: dict[Array, str] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    required: list[str] = field(default_factory=list)
    region: list[Scalar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checks: list[Callable[[], Evidence]] = field(default_factory=list)  # the referee's questions, asked before a result is shown
    adjoints: dict[Array, tuple[Array, Array]] = field(default_factory=dict)  # of sequences: of what, by which
    is_smooth: bool = True
    brought_in: set[frozenset[Node]] = field(default_factory=set)
    poles: set[frozenset[Node]] = field(default_factory=set)
    may_lie_outside: bool = False  # whether the value of a density may lie outside of its support

    def add(self, rule: str, before: Node | tuple[Any, ...] | None, after: Node | None, **more: Any) -> None:
        self.steps.append(Step(rule, before, after, **more))

    def kink(self, text: str) -> None:
        """A condition under which something is differentiable."""
        self.is_smooth = False
        self.condition(text)

    def condition(self, text: str) -> None:
        if text not in self.conditions:
            self.conditions.append(text)

    def require(self, text: str) -> None:
        """A condition without which the result is another."""
        self.condition(text)
        if text not in self.required:
            self.required.append(text)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
