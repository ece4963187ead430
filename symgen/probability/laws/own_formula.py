"""A density of one's own as it was written: f(x) over its normaliser."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import depends_on_any, normalised, with_value
from symgen.tensor.expression import MINUS_ONE, ONE, Array, Operator, Scalar, Var, fn, num, open_tensor, sub, variables_of

__all__ = ["RANGES", "OwnDensity", "own_density"]

RANGES = {
    "real": (-math.inf, math.inf, False), "positive": (0.0, math.inf, False), "nonnegative": (0.0, math.inf, False),
    "unit": (0.0, 1.0, False), "natural": (0.0, math.inf, True), "binary": (0.0, 1.0, True),
    "integer": (-math.inf, math.inf, True),
}  # fmt: skip


@dataclass(frozen=True)
class OwnDensity:
    """A density as it was written: f(x) Z^power, power 1 or -1, `log_f` the logarithm of f; `normaliser` is empty where
    there is no Z."""

    x: Var
    log_f: Scalar
    normaliser: str
    z: Var | None
    name: str
    power: Scalar = MINUS_ONE

    @property
    def called(self) -> str:
        return f"the density `{self.name}`" if self.name else "the density"

    @property
    def range(self) -> tuple[float, float, bool] | None:
        return RANGES.get(self.x.domain) if not self.x.rank else None


def own_density(law: Array) -> OwnDensity:
    """The parts of a law made by `formula_law`."""
    assert isinstance(law, Operator) and law.name == "formula" and isinstance(law.args[0], Array)
    x, name = law.attrs[1], law.attrs[2]
    body = open_tensor(law.args[0], ())
    z = next((v for v in variables_of(law.args[0]) if v.role == "normaliser" and v.name == name), None)
    called = str(law.attrs[3]) if len(law.attrs) > 3 else ""
    if z is None:
        return OwnDensity(x, body, name, z, called)
    at_one, at_two = (with_value(body, z, lambda *_, n=n: num(n)) for n in (1, 2))
    power = MINUS_ONE
    is_random = depends_on_any(frozenset((x,)))
    know = Knowledge(Context(Trace()))
    change = collected(normalised(sub(at_two, at_one), is_random, know))
    if change is fn("log", num(2)):
        power = ONE
    return OwnDensity(x, at_one, name, z, called, power)
