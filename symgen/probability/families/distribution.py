"""What a distribution is: a row of the table `distributions.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Support:
    """Where the density is positive. kind: interval (open ends do not matter), integers, or a named set (simplex);
    `low`, `high` are texts in the parameters; of a vector of counts, `total` is what they add up to."""

    kind: str
    low: str = ""
    high: str = ""
    total: str = ""

    @property
    def discrete(self) -> bool:
        return self.kind in ("integers", "onehot", "counts", "labels")


SUPPORTS = {
    "real": Support("interval", "-inf", "inf"),
    "positive": Support("interval", "0", "inf"),
    "unit": Support("interval", "0", "1"),
    "natural": Support("integers", "0", "inf"),
    "binary": Support("integers", "0", "1"),
}


def interval(low: str, high: str) -> Support:
    return Support("interval", low, high)


def integers(low: str, high: str) -> Support:
    return Support("integers", low, high)


@dataclass(frozen=True)
class Alternative:
    """Another way to give the parameters: `arguments` (name -> domain) stand for those that `canonical` defines.
    `identities` are sharper forms of operations on those: {"logdet(Sigma)": "2*sum(log(diagonal(chol)))"}."""

    arguments: Mapping[str, str]
    canonical: Mapping[str, str]
    shapes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    identities: Mapping[str, str] = field(default_factory=dict)
    noise: str = ""
    transform: str = ""


def with_article(name: str) -> str:
    """A Normal, an Exponential, an MvNormal, a Uniform."""
    return f"{'an' if name[0] in 'AEIO' or name.startswith('Mv') else 'a'} {name}"


LOGITS = Alternative({"logits": "real"}, {"p": "sigmoid(logits)"})
MEAN_AND_CONCENTRATION = Alternative(
    {"mean": "unit", "concentration": "positive"}, {"a": "mean*concentration", "b": "(1 - mean)*concentration"}
)


@dataclass(frozen=True)
class Distribution:
    """One family. Texts are in symgen's own language, over the parameters and `x`, the value of one draw.

    `parameters` name -> domain, in the order in which they are given; `event` the axes of one draw, `shapes` those of
    a parameter (none: a scalar), by letters that stand for sizes. `known` moments are what tests compare with.
    `noise`, `transform`: x = transform(eps) with eps from the law `noise`, for gradients through samples; `draw` is
    such a function that is not smooth in the parameters, through which no gradient passes. `kernel`: the
    statistics of x in the log-density with their coefficients; `inverse` gives the parameters back from those
    coefficients, named c1, c2, .. in order; `fixed` are those that stand inside
    statistics. `moments`: the parameters in terms of the mean and variance of a draw. `sampler` is a NumPy template.
    `order` is what several parameters must satisfy, `proper` what one must beyond
    its domain for there to be a law at all (a Geometric needs p > 0). `image_of`: the family of log x, entry by entry, at
    the same parameters. `open_ends` are parameters that may be infinite. Of sequences, `states` are the probabilities of
    the entries, `spread` their covariances, at each time.
    """

    name: str
    parameters: Mapping[str, str]
    support: str | Support
    log_density: str
    known: Mapping[str, str] = field(default_factory=dict)
    event: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alternatives: Mapping[str, Alternative] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    argument_names: Mapping[str, str] = field(default_factory=dict)
    noise: str = ""
    transform: str = ""
    draw: str = ""
    kernel: Mapping[str, str] = field(default_factory=dict)
    inverse: Mapping[str, str] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    moments: Mapping[str, str] = field(default_factory=dict)
    sampler: str = ""
    latex: str = ""
    source: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)
    order: str = ""
    proper: str = ""
    image_of: str = ""
    lengths: Mapping[str, str] = field(default_factory=dict)
    means: tuple[tuple[str, str, str], ...] = ()
    inner: str = ""
    states: str = ""
    spread: str = ""
    unit: str = ""
    open_ends: tuple[str, ...] = ()

    @property
    def region(self) -> Support:
        return SUPPORTS[self.support] if isinstance(self.support, str) else self.support

    @property
    def is_univariate(self) -> bool:
        """Whether entries of a draw are independent scalars."""
        return not self.event

    @property
    def own_rank(self) -> int:
        return len(self.event)

    @property
    def called(self) -> str:
        """The name with its article: a Normal, an Exponential, an MvNormal."""
        return with_article(self.name)

    def axes_of(self, parameter: str) -> tuple[str, ...]:
        return tuple(self.shapes.get(parameter, ()))
