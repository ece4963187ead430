"""A parameter that must be positive or a probability is so wherever its variables may be."""

from __future__ import annotations

import numpy as np

from symgen.model.distribution_reader import DistributionReader
from symgen.model.elaboration import Elaboration
from symgen.probability.law import row_of
from symgen.tensor.build import Value
from symgen.tensor.evaluate import NotEvaluable, evaluate
from symgen.tensor.expression import Array, Num, Operator, variables_of, walk
from symgen.tensor.facts import Facts, is_nonnegative, is_positive
from symgen.tensor.sample import random_point, random_sizes, sizes_in
from symgen.tensor.scope import Clash, Witness, size_text
from symgen.text import tree


def check_parameters(model: Elaboration, reader: DistributionReader, law: Array, e: tree.Call) -> None:
    """A parameter that must be positive may not be negative at a point of the declared domains."""
    row = row_of(law)
    if row is None or e.function not in (row.name, *getattr(row, "aliases", ())):
        return
    places: dict[str, tree.Expression] = dict(zip(row.parameters, e.arguments, strict=False))
    places.update({k.name: k.value for k in e.keywords})
    values = {n: reader.value(a) for n, a in places.items()}
    for n, value in values.items():
        domain = row.parameters.get(n)
        if domain in ("positive", "unit", "nonnegative"):
            check_sign(model, reader, value, domain, n, places[n], e.function)


def check_sign(
    model: Elaboration,
    reader: DistributionReader,
    value: Value,
    domain: str,
    name: str,
    place: tree.Expression,
    what: str,
) -> None:
    array = value.array()
    if any(isinstance(n, Operator) for n in walk(array)):
        return
    facts = Facts(model.assumed)
    body = value.body
    if is_positive(body, facts) and domain != "unit":
        return
    if domain == "nonnegative" and is_nonnegative(body, facts):
        return
    found = counterexample(model, array, domain)
    if found is None:
        return
    word = {"sigma": "scale", "b": "scale", "s": "scale", "rate": "rate", "r": "rate", "lam": "rate",
            "p": "probability"}.get(name, f"parameter `{name}`")  # fmt: skip
    need = {"positive": "positive", "nonnegative": "nonnegative", "unit": "between 0 and 1"}[domain]
    bad = {"positive": "may be negative", "nonnegative": "may be negative", "unit": "may lie outside"}[domain]
    if isinstance(body, Num):
        bad = f"is {body.value}"
    text = model.written(place.span)
    witnesses = [
        Witness(model.places[v.name], f"any {v.domain} number" if v.domain == "real" else v.domain)
        for v in sorted(variables_of(array), key=lambda v: v.serial) if v.name in model.places
    ]  # fmt: skip
    plain = place.name if isinstance(place, tree.Name) else None
    help = None
    if plain and domain == "positive":
        shape = "[" + ", ".join(size_text(x) for x in value.shape) + "]" if value.rank else ""
        help = f"`exp({plain}/2)` if {plain} is a log-variance, or declare `{plain}: positive{shape}`"
    elif plain and domain == "unit":
        help = f"`sigmoid({plain})` if {plain} is a logit, or declare `{plain}: unit`"
    article = "an" if what[0] in "AEIOU" else "a"
    raise Clash(
        f"the {word} of {article} {what} must be {need}, and `{text}` {bad}", place.span, word, witnesses, help=help
    )


def counterexample(model: Elaboration, array: Array, domain: str) -> float | None:
    """A value outside the domain at a random point of the declared domains; None if there was none."""
    variables = sorted(variables_of(array), key=lambda v: v.serial)
    sizes_needed = sizes_in([array], variables)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        sizes = random_sizes(sizes_needed, {}, rng)
        point = random_point(variables, sizes, rng, 0, model.assumed) if sizes is not None else None
        if point is None:
            return None
        try:
            (value,) = evaluate([array], point)
        except NotEvaluable:
            return None
        flat = np.asarray(value, dtype=float).ravel()
        flat = flat[np.isfinite(flat)]
        bad = flat[flat < 0] if domain != "unit" else flat[(flat < 0) | (flat > 1)]
        if bad.size:
            return float(bad[0])
        if domain == "positive" and not variables and flat.size and flat[0] <= 0:
            return float(flat[0])
    return None
