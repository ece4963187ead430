"""A univariate law of the table at scalar parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgen.probability.families.distribution import Distribution
from symgen.probability.families.texts import scalar_text
from symgen.tensor.expression import Scalar

__all__ = ["Law"]


@dataclass(frozen=True)
class Law:
    """A univariate law at given parameters."""

    row: Distribution
    parameters: Mapping[str, Scalar]

    def text(self, text: str, **more: Scalar) -> Scalar:
        return scalar_text(text, {**self.parameters, **more})
