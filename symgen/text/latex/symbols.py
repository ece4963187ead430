"""What the names of a document mean: the names of a spec, and how LaTeX spells them.

`\\mu` is mu, `\\mathbf{w}` is w, `W_1` is W1 or W_1, `p_{\\text{data}}` is p_data, `\\hat y` is y_hat: names are matched
without regard to `_`. A density is known by its letter alone, `p_\\theta(x)` is p(x), unless `p_theta` is declared; and
`x_i` is row i of X, unless `x` is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symgen.text import tree as t
from symgen.text.latex.items import Shape
from symgen.text.latex.vocabulary import SPELLINGS

__all__ = ["Law", "Symbols"]


@dataclass(frozen=True)
class Law:
    """What is called with brackets: a distribution (its variables and what it is given), or a function."""

    name: str
    kind: str  # dist, density, function
    variables: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    scalar: bool = False  # a function of numbers alone

    @property
    def is_density(self) -> bool:
        return self.kind in ("dist", "density")


def _no_shape(e: t.Expression, shapes: Mapping[str, Shape]) -> Shape | None:
    return None


def _all_built_in(name: str) -> bool:
    return True


@dataclass
class Symbols:
    """The names of a spec. `shapes` holds every value with its shape, `laws` what is called, `depends` for a named value
    the variables that it is made of (`L(w)` is L); `shape_of` is the shape of an expression, given those of names;
    `families` the distributions by their word, `N` of \\mathcal{N} among them; `data` what is given, `values` what is given
    or computed, and no variable of a distribution alone; `mute` the parameters of functions, which mean any number; `built_in`
    tells the functions of the language."""

    shapes: Mapping[str, Shape] = field(default_factory=dict)
    laws: Mapping[str, Law] = field(default_factory=dict)
    depends: Mapping[str, frozenset[str]] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    shape_of: Callable[[t.Expression, Mapping[str, Shape]], Shape | None] = _no_shape
    sizes: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    mute: frozenset[str] = frozenset()
    built_in: Callable[[str], bool] = _all_built_in

    def declares(self, name: str) -> bool:
        return name in self.shapes or name in self.laws

    def is_drawn(self, name: str) -> bool:
        """Whether a name is a variable of distributions alone, and no value of its own."""
        return name in self.shapes and name not in self.values and name not in self.laws and name not in self.sizes

    @cached_property
    def by_letters(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in [*self.shapes, *self.laws]:
            found.setdefault(name.replace("_", ""), []).append(name)
        return found

    def find(self, base: str, parts: Sequence[str] = ()) -> str | None:
        """The declared name with this base and these subscripts and accents, or None."""
        for word in (base, *SPELLINGS.get(base, ())):
            for candidate in ("_".join([word, *parts]), "".join([word, *parts])):
                if self.declares(candidate):
                    return candidate
            orders = [[word, *parts]]
            if len(parts) == 1:
                orders.append([parts[0], word])
            elif len(parts) == 2:
                orders.append([word, parts[1], parts[0]])
            for order in orders:
                known = self.by_letters.get("".join(order).replace("_", ""), [])
                if len(known) == 1:
                    return known[0]
                if known:
                    return sorted(known, key=len)[0]
        return None

    def pieces(self, run: str) -> list[str]:
        """Letters side by side as names: the longest declared ones, else each letter on its own."""
        if self.declares(run) or len(run) == 1:
            return [run]
        best: list[list[str] | None] = [[]] + [None] * len(run)
        for end in range(1, len(run) + 1):
            for start in range(max(0, end - 24), end):
                head = best[start]
                if head is None:
                    continue
                piece = run[start:end]
                if end - start > 1 and not self.declares(piece):
                    continue
                now = best[end]
                if now is None or self._cost([*head, piece]) < self._cost(now):
                    best[end] = [*head, piece]
        return best[-1] or list(run)

    def _cost(self, pieces: Sequence[str]) -> tuple[int, int]:
        return sum(not self.declares(p) for p in pieces), len(pieces)
