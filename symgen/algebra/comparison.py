"""What a comparison says: its status with its evidence, and the point at which a relation fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgen.derivation.derivation import Evidence
from symgen.tensor.expression import Scalar

__all__ = ["Comparison", "Counterexample", "ball_text", "two_texts", "value_text"]


@dataclass(frozen=True)
class Counterexample:
    """A point at which a relation fails: the sizes, the values by the names of the variables, and both sides at the
    entry `at` where they differ. `other` is the second point of a claim about two."""

    sizes: dict[str, int]
    values: dict[str, Any]
    left: float
    right: float
    at: tuple[int, ...] = ()
    other: dict[str, Any] = field(default_factory=dict)
    left_text: str = ""
    right_text: str = ""
    apart: str = ""  # how far, where the digits of both do not tell

    def __bool__(self) -> bool:
        return True

    def where(self) -> str:
        """`k = 1, mu = (0.5), s = (2)`."""
        parts = [f"{name} = {n}" for name, n in self.sizes.items()]
        parts += [f"{name} = {value_text(v)}" for name, v in self.values.items()]
        return ", ".join(parts)

    def text(self, left: str = "left", right: str = "right") -> str:
        """`at k = 1, mu = (0.5): left is 0.9319, right is 1.9319`."""
        where = self.where()
        if self.other:
            where += " and at " + ", ".join(f"{name} = {value_text(v)}" for name, v in self.other.items())
        entry_text = f", entry [{', '.join(map(str, self.at))}]" if self.at else ""
        start = f"at {where}{entry_text}: " if where or entry_text else ""
        if self.left_text == self.right_text:
            far = f" to the digits shown, and {self.apart} apart" if self.apart else ""
            return f"{start}{left} and {right} are both {self.left_text}{far}"
        return f"{start}{left} is {self.left_text}, {right} is {self.right_text}"

    def __str__(self) -> str:
        return self.text()


def value_text(value: Any) -> str:
    """A number, a vector (0.5, 2) or a matrix ((1, 2), (3, 4))."""
    a = np.asarray(value)
    if a.ndim == 0:
        x = a.item()
        if not isinstance(x, int | float) and getattr(x, "denominator", 1) != 1 and x.denominator < 1000:
            return str(x)
        x = float(x)
        return f"{x:.0f}" if x == round(x) and abs(x) < 1e15 else f"{x:.6g}"
    return "(" + ", ".join(value_text(v) for v in a) + ")"


@dataclass(frozen=True)
class Comparison:
    """The answer: proved, checked, refuted or unknown, with what speaks for it.

    `signs` are the expressions that a proof took to be "> 0", ">= 0" or "< 0", with the conditions that say so.
    """

    status: str
    evidence: Evidence
    counterexample: Counterexample | None = None
    tried: tuple[str, ...] = ()
    signs: tuple[tuple[Scalar, str, str], ...] = ()

    @property
    def holds(self) -> bool:
        return self.status in ("proved", "checked")


def two_texts(left: Any, right: Any) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to tell them apart."""
    for digits in (4, 6, 9, 12, 16, 25, 40, 80):
        a, b = ball_text(left, digits), ball_text(right, digits)
        if a != b:
            return a, b
    return ball_text(left, 6), ball_text(right, 6)


def ball_text(x: Any, digits: int) -> str:
    """The midpoint of a ball, to so many digits."""
    if not x.is_finite() and not x.is_nan() and (x > 0 or x < 0):
        return "inf" if x > 0 else "-inf"
    text = str(x.str(digits, radius=False))
    if text.startswith("0e"):
        return "0"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
