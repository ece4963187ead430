"""The log-density of a law at a value, as a scalar; the parameters and moments of a law at an index."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgen.derivation.context import Context
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.texts import scalar_text, value_text
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.scaled import unscaled
from symgen.probability.forms.terms import factors_of, log_of
from symgen.probability.forms.walks import bottom_up, constants_opened
from symgen.probability.laws.law import alternative_of, parameters_of, row_of
from symgen.probability.laws.univariate_law import Law
from symgen.tensor import build
from symgen.tensor.build import Value, replace_scalars
from symgen.tensor.expression import (
    Array,
    Entry,
    Fn,
    Num,
    Operator,
    Pow,
    Scalar,
    Tensor,
    Var,
    add,
    entry,
    fn,
    fresh_index,
    mul,
    open_tensor,
    replace_arrays,
    substitute,
    tensor,
    total,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.scope import Clash
from symgen.text.diagnostics import CannotDerive


def entry_of(array: Array, indices: Sequence[Scalar], ctx: Context) -> Scalar:
    """An entry; what has no name of its own is opened."""
    x = entry(array, *indices)
    while isinstance(x, Entry) and isinstance(x.array, Tensor) and ctx.name_of(x.array) is None:
        if build.has_contraction(x.array.body):
            break
        x = open_tensor(x.array, x.indices)
    return x


@dataclass(frozen=True)
class Parameters:
    """The parameters of a law of the table at a batch index."""

    law: Operator
    row: Distribution
    ctx: Context

    def scope(self, batch: Sequence[Scalar]) -> dict[str, Value]:
        out: dict[str, Value] = {}
        arrays = dict(parameters_of(self.law))
        chosen = alternative_of(self.law)
        if chosen is not None:
            arrays.update({k: v for k, v in chosen[1].items() if k not in arrays})
        for name, array in arrays.items():
            own = build.fresh(array.shape[len(batch) :])
            out[name] = Value(own, entry_of(array, (*batch, *own), self.ctx))
        return out

    def sizes(self) -> dict[str, Scalar]:
        """The sizes that the letters of the row stand for."""
        out: dict[str, Scalar] = {}
        for array, name in zip(self.law.args, self.row.parameters, strict=False):
            letters = self.row.axes_of(name)
            out.update(zip(letters, array.shape[array.rank - len(letters) :], strict=True))
        if self.row.event:
            out.update(zip(self.row.event, self.law.shape[-self.row.own_rank :], strict=True))
        return out

    def scalars(self, batch: Sequence[Scalar]) -> dict[str, Scalar]:
        return {n: v.body for n, v in self.scope(batch).items()}

    def value(self, text: str, batch: Sequence[Scalar], **more: Value | Scalar) -> Value:
        try:
            return value_text(text, {**self.sizes(), **self.scope(batch), **more})
        except Clash as clash:  # labels where the other law draws vectors
            raise CannotDerive(f"a law of the family {self.row.name} has no density there: {clash.message}", self.law) from clash

    def univariate(self, batch: Sequence[Scalar], know: Knowledge | None = None) -> Law:
        scalars = self.scalars(batch)
        if know is not None:
            for name, domain in self.row.parameters.items():
                if domain == "positive":
                    know.assume_positive(scalars[name])
        return Law(self.row, scalars)


def parameters(law: Array, ctx: Context) -> Parameters:
    row = row_of(law)
    assert row is not None and isinstance(law, Operator)
    return Parameters(law, row, ctx)


def entry_log_density(law: Array, x: Value | Scalar, batch: Sequence[Scalar], ctx: Context) -> Scalar:
    """log p(x) of one independent component: the entry at `batch`, or the vector there."""
    p = parameters(law, ctx)
    if p.row.is_univariate and not p.row.shapes:
        assert not isinstance(x, Value)
        scalars = p.scalars(batch)
        return with_scales_apart(scalar_text(p.row.log_density, {**scalars, "x": x}), scalars, p.row, ctx)
    if p.row.spread and isinstance(x, Value):
        return density_of_chain(p, batch, x, ctx)
    body = p.value(p.row.log_density, batch, x=x).body
    chosen = alternative_of(law)
    if chosen is None:
        return unscaled(body)
    for key, sharper in chosen[0].identities.items():
        old, new = p.value(key, batch), p.value(sharper, batch)
        if not isinstance(old.body, Entry):
            continue
        array, outer = old.body.array, old.outer
        own = len(old.body.indices) - old.rank

        def put(*at: Scalar, outer: Sequence[Scalar] = outer, new: Value = new, own: int = own) -> Scalar:
            made: Scalar = substitute(new.at(*at[own:]), dict(zip(outer, at[:own], strict=True)))
            return made

        body = replace_arrays(body, {array: put})
    return unscaled(body)


def density_of_chain(p: Parameters, batch: Sequence[Scalar], x: Value, ctx: Context) -> Scalar:
    """log p(x) of the states of a chain, with the parameters of its steps at no time where they are the same at all times."""
    text, constant = p.row.log_density, {}
    for name, value in p.scope(batch).items():
        if p.row.axes_of(name)[:1] == ("s",) and value.indices[0] not in value.body.free:
            constant[name] = Value(value.indices[1:], value.body)
            text = re.sub(rf"((?:inv|logdet)\({name}\)|\b{name})\[t\]", r"\1", text)
    know = Knowledge(ctx)
    body = unscaled(p.value(text, batch, x=x, **constant).body)
    return bottom_up(body, lambda n: log_of(n.args[0], know) if isinstance(n, Fn) and n.name == "log" else n)


def with_scales_apart(body: Scalar, scalars: Mapping[str, Scalar], row: Distribution, ctx: Context) -> Scalar:
    """log(s t/sqrt(s^2 + t^2)) as log s + log t - log(s^2 + t^2)/2, for a parameter that is such a product."""
    know = Knowledge(ctx)
    for name, x in scalars.items():
        parts = factors_of(x)
        if any(v.role == "random" for v in variables_of(x)):
            continue
        if row.parameters.get(name) == "positive" and any(map(_is_root, parts)) and all(map(know.positive, parts)):
            apart = add(*(mul(f.exponent, fn("log", f.base)) if isinstance(f, Pow) else fn("log", f) for f in parts))
            body = replace_scalars(body, {fn("log", x): apart})
    return body


def _is_root(x: Scalar) -> bool:
    exponent = x.exponent.rational if isinstance(x, Pow) and isinstance(x.exponent, Num) else None
    return exponent is not None and exponent.denominator != 1


def log_density_terms(law: Array, value: Array, ctx: Context) -> tuple[Scalar, list]:  # type: ignore[type-arg]
    """log p of one component over fresh batch indices, and those indices: the log-density is its sum."""
    row = row_of(law)
    if row is None:  # a density of one's own
        assert isinstance(law, Operator) and law.name == "formula" and not law.attrs[2]
        return open_tensor(replace_arrays(law.args[0], {law.attrs[1]: value}), ()), []
    shape = value.shape
    own = row.own_rank
    indices = [fresh_index(s) for s in shape[: len(shape) - own]]
    batch = indices[len(indices) - (len(law.shape) - own) :] if len(law.shape) > own else []
    x: Value | Scalar
    if own:
        axes = build.fresh(shape[len(shape) - own :])
        x = Value(axes, entry_of(value, (*indices, *axes), ctx))
    else:
        x = entry_of(value, indices, ctx)
    return entry_log_density(law, x, batch, ctx), indices


def log_density_at(law: Array, value: Array, ctx: Context) -> Scalar:
    """log p(value), summed over all independent components; the law has the last axes of the value."""
    body, indices = log_density_terms(law, value, ctx)
    return total(constants_opened(body), indices)


def is_opaque(law: Array) -> bool:
    return isinstance(law, Operator) and law.name == "density"


def variable_of(value: Array) -> Var | None:
    return value if isinstance(value, Var) else None


def with_densities_written(law: Operator, ctx: Context) -> Operator:
    """A law whose formula speaks of log-densities of known laws, with these written out."""
    mapping: dict[Array, Array] = {}
    for n in walk(law):
        if isinstance(n, Operator) and n.name == "log_density" and isinstance(n.args[0], Operator) and isinstance(n.args[1], Array):
            if row_of(n.args[0]) is not None:
                mapping[n] = tensor((), log_density_at(n.args[0], n.args[1], ctx))
    made = replace_arrays(law, mapping) if mapping else law
    assert isinstance(made, Operator)
    return made
