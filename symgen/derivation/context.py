"""What an engine is handed: where to write its steps, what is known, what things are called, when to stop."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symgen.derivation.derivation import Trace
from symgen.tensor.clock import spent
from symgen.tensor.expression import Array

if TYPE_CHECKING:
    from symgen.tensor.facts import Facts


class BudgetSpent(Exception):
    """The time of a goal is up; the goal is answered by `unknown` or by what stands so far."""


class _Names(ChainMap):  # type: ignore[type-arg]
    """Two tables in one; asking whether a name is there is what is done most."""

    def __contains__(self, key: object) -> bool:
        first, second = self.maps
        return key in first or key in second


@dataclass
class Context:
    """`facts` holds the assumptions on scalars (None: the domains alone), `names` the author's names of arrays,
    `deadline` a value of `spent()` past which an engine gives up with `BudgetSpent`. `style` (chain, differentials)
    and `detail` (1 the results, 2 every intermediate value, 3 what was simplified too) say how derivatives are told.
    `outside`: densities are 0 outside of their supports, where a page says that the value lies inside."""

    trace: Trace = field(default_factory=Trace)
    facts: Facts | None = None
    names: Mapping[Array, str] = field(default_factory=dict)
    deadline: float = float("inf")
    style: str = "chain"
    detail: int = 2
    taken: frozenset[str] = frozenset()  # what the author declares: nothing that is invented has such a name
    outside: bool = False

    def check(self) -> None:
        if spent() > self.deadline:
            raise BudgetSpent

    def quiet(self) -> Context:
        """The same, and what is derived under it is told to nobody."""
        return Context(Trace(), self.facts, self.names, self.deadline, taken=self.taken)

    def all_names(self) -> Mapping[Array, str]:
        """The author's names and those that a derivation gave."""
        return _Names(self.names, self.trace.names) if self.trace.names else self.names  # type: ignore[arg-type]

    def name_of(self, array: Array) -> str | None:
        return self.names.get(array) or self.trace.names.get(array)
