"""A parameter that must be positive, a probability or a covariance is so wherever its variables may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symgen.derivation.context import Context
from symgen.model.distribution_reader import DistributionReader
from symgen.model.elaboration import Elaboration
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.texts import scalar_text
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.law import batch_shape, parameters_of, row_of
from symgen.probability.laws.referee import Numeric
from symgen.tensor.build import Value, fresh
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import Array, Num, Operator, Scalar, Tensor, sub, tensor, variables_of, walk
from symgen.tensor.facts import Facts, is_positive
from symgen.tensor.sample import random_point, random_sizes, sizes_in
from symgen.tensor.scope import Clash, Witness, shape_text, size_text
from symgen.text import tree
from symgen.text.tree import Span

ROUNDING = 1e-9

# the word for a parameter in a message, where it is not its name
WORDS = {
    "sigma": "scale", "b": "scale", "s": "scale", "scale": "scale", "rate": "rate", "r": "rate", "lam": "rate",
    "p": "probability", "Sigma": "covariance", "var": "variance", "precision": "precision", "alpha": "concentration",
}  # fmt: skip
NEEDS = {
    "positive": ("positive", "may be negative"),
    "unit": ("between 0 and 1", "may lie outside"),
    "simplex": ("a vector of probabilities", "may not sum to 1"),
    "spd": ("symmetric and positive definite", "may not be"),
    "natural": ("a natural number", "may be another number"),
    "integer": ("an integer", "may be another number"),
}


def is_outside(domain: str, constant: bool) -> Callable[[Any], bool]:
    """Whether an array lies outside of a domain; the edge is outside for a constant alone, since tests may meet it."""

    def outside(x: Any) -> bool:
        if domain == "positive":
            return bool((x < 0).any() or (constant and (x <= 0).any()))
        if domain == "unit":
            return bool(((x < 0) | (x > 1)).any())
        if domain == "simplex":
            return bool((x < 0).any() or (abs(x.sum(axis=-1) - 1) > ROUNDING * x.shape[-1]).any())
        if domain == "spd":
            size = 1 + abs(x).max()
            if (abs(x - x.swapaxes(-1, -2)) > ROUNDING * size).any():
                return True
            return bool((np.linalg.eigvalsh(x) < -ROUNDING * size).any())
        whole = bool((x == np.floor(x)).all())
        return not whole or (domain == "natural" and bool((x < 0).any()))

    return outside


def check_parameters(model: Elaboration, reader: DistributionReader, law: Array, e: tree.Call) -> None:
    """Raises a Clash where a parameter leaves its domain at a point of the declared domains."""
    row = row_of(law)
    if row is None:
        return
    domains, places = given(row, e)
    for name, place in places.items():
        domain = domains.get(name)
        value = reader.value(place)
        if domain == "spd" and value.rank < 2:
            square(model, row, name, value, place, reader.written(place.span))
        if domain in NEEDS:
            check(model, value, domain, name, place, row, reader.written(place.span))
    together(model, law, row, e, reader.written)


def together(model: Elaboration, law: Array, row: Distribution, e: tree.Call, written: Callable[[Span], str]) -> None:
    """What parameters must satisfy beyond their domains: numbers are held to all of it, symbols to their order, where
    no value of theirs satisfies it."""
    if any(isinstance(n, Operator) for n in walk(*law.args)):
        return
    known = not variables_of(law)
    for text, symbols_too in ((row.order, True), (row.proper, False)):
        if not text or not (known or symbols_too):
            continue
        batch = fresh(batch_shape(law))
        holds = parameters(law, Context()).value(f"where({text}, 1, 0)", batch)
        made = tensor((*holds.outer, *holds.indices), holds.body)
        if always(model, made, lambda x: bool((x != 1).any())):
            places = " and ".join(f"`{written(a.span)}`" for a in (*e.arguments, *(k.value for k in e.keywords)))
            raise Clash(f"the parameters of {named(row)} must satisfy `{text}`, and here they are {places}", e.span,
                        "there is no such law", witnesses_of(model, made))  # fmt: skip
    if known:
        finite(law, row, e)


def finite(law: Array, row: Distribution, e: tree.Call) -> None:
    """Raises a Clash where a number is infinite: an end of the support may be, where the density is still positive."""
    numbers: dict[str, Any] = {}
    for name, array in parameters_of(law).items():
        try:
            numbers[name] = np.asarray(evaluate([array], Point({}))[0], dtype=float)
        except (NotEvaluable, TypeError, ValueError):
            return
    for name, x in numbers.items():
        if np.isfinite(x).all():
            continue
        if not x.ndim and name in (row.region.low, row.region.high) and not math.isnan(x):
            one = Numeric(row, {n: float(y) for n, y in numbers.items()})
            inside = one.low + 1 if math.isfinite(one.low) else one.high - 1 if math.isfinite(one.high) else 0.0
            if np.isfinite(one.log_density(np.array([inside]))).all():
                continue
        word = WORDS.get(name, f"parameter `{name}`")
        raise Clash(f"the {word} of {named(row)} must be finite, and it is not", e.span, word)


def given(row: Distribution, e: tree.Call) -> tuple[dict[str, str], dict[str, tree.Expression]]:
    """The domains of the parameters in the way they are given here, and the expressions that give them."""
    keywords = {row.argument_names.get(k.name, k.name): k.value for k in e.keywords}
    domains = dict(row.parameters)
    for other in row.alternatives.values():
        own = [k for k in keywords if k not in row.parameters]
        if own and all(k in other.arguments for k in own):
            domains = {n: d for n, d in domains.items() if n not in other.canonical} | dict(other.arguments)
            break
    positional = [n for n in domains if n not in keywords]
    return domains, dict(zip(positional, e.arguments, strict=False)) | keywords


def square(model: Elaboration, row: Distribution, name: str, value: Value, place: tree.Expression, text: str) -> None:
    word = WORDS.get(name, f"parameter `{name}`")
    help = f"`diag={text}` gives the variances of independent components" if "diag" in row.alternatives else None
    raise Clash(f"the {word} of {named(row)} is a matrix, and `{text}` {shape_text(value.shape)}", place.span, word,
                witnesses_of(model, value.array()), help=help)  # fmt: skip


def check(model: Elaboration, value: Value, domain: str, name: str, place: tree.Expression, row: Distribution, text: str) -> None:
    array = value.array()
    if any(isinstance(n, Operator) for n in walk(array)):
        return
    if domain == "positive" and is_positive(value.body, Facts(model.assumed)):
        return
    if not leaves(model, array, is_outside(domain, not variables_of(array))):
        return
    word = WORDS.get(name, f"parameter `{name}`")
    need, bad = NEEDS[domain]
    about = f"it is {value.body.value}" if isinstance(value.body, Num) else f"`{text}` {bad}"
    raise Clash(f"the {word} of {named(row)} must be {need}, and {about}", place.span, word, witnesses_of(model, array),
                help=way_out(domain, name, place, value))  # fmt: skip


def check_weights(model: Elaboration, value: Value, place: tree.Expression, text: str) -> None:
    """Raises a Clash where the weights of a mixture may be none: negative, or with another sum than 1."""
    array, domain = value.array(), "simplex" if value.rank else "unit"
    if value.rank > 1 or any(isinstance(n, Operator) for n in walk(array)):
        return
    if leaves(model, array, is_outside(domain, not variables_of(array))):
        need, bad = NEEDS[domain]
        about = f"it is {value.body.value}" if isinstance(value.body, Num) else f"`{text}` {bad}"
        word = "weights" if value.rank else "weight"
        raise Clash(f"the {word} of a mixture must be {need}, and {about}", place.span, word, witnesses_of(model, array),
                    help=way_out(domain, word, place, value))  # fmt: skip


def check_ends(model: Elaboration, law: Array, low: Scalar, high: Scalar, e: tree.Call) -> None:
    """Raises a Clash where nothing of a law of one number lies between two ends."""
    pairs = [(high, low)]
    row = row_of(law)
    counts = row is not None and row.region.kind == "integers"
    if row is not None and row.is_univariate and not row.shapes and not law.rank and row.region.kind in ("interval", "integers"):
        scope = parameters(law, Context()).scalars(())
        pairs += [(high, scalar_text(row.region.low, scope)), (scalar_text(row.region.high, scope), low)]
    for upper, lower in pairs:
        gap = tensor((), sub(upper, lower))
        if always(model, gap, (lambda x: bool((x < 0).any())) if counts else (lambda x: bool((x <= 0).any()))):
            raise Clash("nothing of this law lies between the two ends", e.span, "cut off as a whole", witnesses_of(model, gap))


def check_step(model: Elaboration, step: Array, e: tree.Expression, text: str) -> None:
    """Raises a Clash where the step of an iteration may not be positive."""
    if not leaves(model, step, is_outside("positive", not variables_of(step))):
        return
    value = step.body.value if isinstance(step, Tensor) and isinstance(step.body, Num) else None
    about = f"it is {value}" if value is not None else f"`{text}` may be negative"
    raise Clash(f"a step must be positive, and {about}", e.span, "the step", witnesses_of(model, step),
                help="an undeclared name, as in `step=h`, is a positive symbol")  # fmt: skip


def way_out(domain: str, name: str, place: tree.Expression, value: Value) -> str | None:
    """What to write instead of a name that is no parameter of this kind."""
    if not isinstance(place, tree.Name):
        return None
    x = place.name
    shape = "[" + ", ".join(map(size_text, value.shape)) + "]" if value.rank else ""
    declared = f"declare `{x}: {domain}{shape}`"
    if domain == "positive" and WORDS.get(name) == "scale":
        return f"`exp({x}/2)` if {x} is a log-variance, or {declared}"
    if domain == "positive":
        return f"`exp({x})` if {x} is a logarithm, or {declared}"
    if domain == "unit":
        return f"`sigmoid({x})` if {x} is a logit, or {declared}"
    if domain == "simplex":
        return f"`softmax({x})` if {x} are logits, `{x}/sum({x})` if they are weights, or {declared}"
    return declared


def named(row: Distribution) -> str:
    """A family with its article: a Normal, an Exponential, an MvNormal."""
    return row.called


def witnesses_of(model: Elaboration, array: Array) -> list[Witness]:
    """Where the variables of a parameter are declared, and what they may be."""
    return [
        Witness(model.places[v.name], DOMAINS[v.domain].says)
        for v in sorted(variables_of(array), key=lambda v: v.serial) if v.name in model.places
    ]  # fmt: skip


def always(model: Elaboration, array: Array, outside: Callable[[Any], bool]) -> bool:
    """Whether `array` is outside at all of a few random points of the declared domains."""
    return bool(found := list(values(model, array))) and all(map(outside, found))


def leaves(model: Elaboration, array: Array, outside: Callable[[Any], bool]) -> bool:
    """Whether `array` is outside at one of a few random points of the declared domains."""
    return any(map(outside, values(model, array)))


def values(model: Elaboration, array: Array) -> Iterator[Any]:
    """The finite values of `array` at a few random points of the declared domains."""
    variables = sorted(variables_of(array), key=lambda v: v.serial)
    sizes_needed = sizes_in([array], variables)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        sizes = random_sizes(sizes_needed, {}, rng)
        point = random_point(variables, sizes, rng, 0, model.assumed) if sizes is not None else None
        if point is None:
            return
        try:
            (value,) = evaluate([array], point)
        except NotEvaluable:
            return
        x = np.asarray(value, dtype=float)
        if x.size and np.isfinite(x).all():
            yield x
        if not variables:
            return
