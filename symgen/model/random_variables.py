"""The variables of distributions: one per name in a spec, with the shape that its laws give it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from symgen.derivation.context import Context
from symgen.model.declarations import domain
from symgen.model.distribution_reader import DistributionReader, plain_array
from symgen.model.elaboration import Elaboration
from symgen.model.indexed_laws import indexed_law, is_indexed
from symgen.probability.laws.combinators import named_formula
from symgen.probability.laws.law import empirical, is_family, value_domain
from symgen.probability.means.support import domain_within
from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.domains import DOMAINS
from symgen.tensor.expression import Array, Scalar, Var, var
from symgen.tensor.facts import Facts
from symgen.tensor.formula import SPECIAL
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.scope import Binding, Clash, Poisoned, Scope, words_of
from symgen.text import tree

# the domains that hold a domain, from the least
WITHIN = {
    "unit": ("positive", "nonnegative", "real"),
    "positive": ("nonnegative", "real"),
    "binary": ("natural", "integer", "real"),
    "label": ("natural", "integer", "real"),
    "natural": ("integer", "real"),
    "spd": ("psd", "symmetric", "real"),
    "psd": ("symmetric", "real"),
    "diagonal": ("symmetric", "real"),
}


def random_variable(model: Elaboration, name: str) -> Var | None:
    """The variable `name` of the heads of dists and densities: one variable for the whole spec."""
    if name in model.random:
        return model.random[name]
    if name not in model.heads:
        return None
    if name in model.statements and model.kinds[name] not in ("distribution", "density", "game"):
        b = model.scope.find(name)
        if b is not None and isinstance(b.meaning, Value):
            array = plain_array(b.meaning)
            if isinstance(array, Var):
                model.random[name] = array
                return array
    if name in model.seeking:
        raise _Pending(name)
    model.seeking.add(name)
    try:
        made = find_variable(model, name)
    finally:
        model.seeking.discard(name)
    model.random[name] = made
    return made


def declared_domains(model: Elaboration, name: str) -> list[tree.Domain]:
    """The domains that heads declare for a variable."""
    out: list[tree.Domain] = []
    for s in model.spec.statements:
        heads = [s.head] if isinstance(s, tree.Dist) else list(s.heads) if isinstance(s, tree.Density) else []
        out += [v.domain for h in heads for v in (*h.variables, *h.given) if v.name.name == name and v.domain is not None]
    return out


def widest(words: Sequence[str]) -> str:
    """The least domain of the table that holds all of these."""
    chains = [[w, *WITHIN.get(w, ("real",))] for w in dict.fromkeys(words)]
    return next((w for w in chains[0] if all(w in chain for chain in chains)), "real")


def domains_of_laws(model: Elaboration, name: str) -> list[str]:
    """Where the values of a variable lie by the laws of heads that do not declare its domain."""
    out = []
    for where in model.heads[name]:
        if isinstance(where, tree.Dist) and not any(v.name.name == name and v.domain for v in where.head.variables):
            try:
                law = law_of(model, where) if any(v.name.name == name for v in where.head.variables) else None
            except (_Pending, Clash, Poisoned):
                continue
            if law is not None:
                out.append(drawn_domain(model, name, law))
    return [w for w in out if w in DOMAINS]


def drawn_domain(model: Elaboration, name: str, law: Array) -> str:
    """Where a variable lies by its law: by the ends of its support too where other laws are given it."""
    heads = [s.head for s in model.spec.statements if isinstance(s, tree.Dist)]
    if not any(v.name.name == name for h in heads for v in h.given):
        return value_domain(law)
    return domain_within(law, Context(facts=Facts(model.assumed)))


def find_variable(model: Elaboration, name: str) -> Var:
    said = declared_domains(model, name)
    if said:
        word, arguments, shape = domain(model, said[0], name)
        all_words = [word, *(domain(model, d, name)[0] for d in said[1:]), *domains_of_laws(model, name)]
        wide = widest(all_words)
        return var(name, shape, wide, "random", arguments if wide == word else ())
    best: tuple[int, tuple[Scalar, ...], str] | None = None
    for where in model.heads[name]:
        if isinstance(where, tree.Head):
            candidate: tuple[int, tuple[Scalar, ...], str] = (0, (), "real")
        else:
            try:
                law = law_of(model, where)
            except (_Pending, Clash, Poisoned):
                continue
            if law is None:
                candidate = (0, (), "real")
            else:
                candidate = (law.rank, law.shape, drawn_domain(model, name, law))
        if best is None or candidate[0] > best[0]:
            best = candidate
    if best is None:
        best = (0, (), "real")
    word = best[2] if best[2] in DOMAINS else "real"
    return var(name, best[1], widest([word, *domains_of_laws(model, name)]), "random")


def law_of(model: Elaboration, s: tree.Dist) -> Array | None:
    """The law of a `dist` whose right side is a family; None for a formula of one's own."""
    law: Array | None
    if id(s) in model.laws:
        return model.laws[id(s)]
    e = s.law
    if s.head.name.name not in model.running and any(
        w in model.running and model.kinds.get(w) == "distribution" for w in words_of(e)
    ):
        raise _Pending(s.head.name.name)  # it is made from a law whose own variable is looked for
    if is_indexed(s):
        v = s.head.variables[0]
        whole = declared_outside(model, v.name.name)
        scope = HeadScope(model, s.head, with_drawn=False)
        law = indexed_law(model, s, scope, None if whole is None else whole.shape, partial(_declared_shape, model))
        model.laws[id(s)] = law
        return law
    law = None
    b = model.scope.find(e.function) if isinstance(e, tree.Call) and e.function in model.statements else None
    if isinstance(e, tree.Call) and b is None and (is_family(e.function) or e.function == "Empirical") and not e.log:
        reader = model.reader(HeadScope(model, s.head, with_drawn=False))
        shape = None
        if len(s.head.variables) == 1 and e.function != "Empirical":
            v = s.head.variables[0]
            if v.domain is not None:
                shape = domain(model, v.domain, v.name.name)[2]
            elif declared_outside(model, v.name.name) is not None:
                shape = declared_outside(model, v.name.name).shape  # type: ignore[union-attr]
        if e.function == "Empirical":
            values = [reader.value(a) for a in e.arguments]
            if len(values) != 1 or e.keywords or values[0].rank == 0:
                raise Clash("`Empirical` takes one data array, whose rows are the points", e.span)
            law = empirical(values[0].array())
        else:
            law = family_law(model, reader, e, shape)
            law = named_formula(law, s.head.name.name)
    elif isinstance(e, tree.Call) and b is None and looks_like_family(e.function) and e.function not in ("E",):
        if e.function not in FUNCTIONS and e.function not in SPECIAL:
            raise model.reader().unknown_distribution(e)
    model.laws[id(s)] = law
    return law


def family_law(model: Elaboration, reader: DistributionReader, e: tree.Call, shape: Sequence[Scalar] | None) -> Array:
    try:
        return reader.law(e, None)
    except Clash:
        if shape is None:
            raise
        return reader.law(e, shape)


def declared_outside(model: Elaboration, name: str) -> Var | None:
    """A data array or parameter of the name of a head variable."""
    if name in model.statements and model.kinds[name] in ("data array", "parameter", "constant", "named value"):
        b = model.scope.find(name)
        if b is not None and isinstance(b.meaning, Value):
            array = plain_array(b.meaning)
            return array if isinstance(array, Var) else None
    return None


def _declared_shape(model: Elaboration, name: str) -> tuple[Scalar, ...] | None:
    whole = declared_outside(model, name)
    return None if whole is None else whole.shape


class _Pending(Exception):
    """The shape of a variable that is being looked for already."""


class HeadScope(Scope):
    """The names of a spec, with the variables of a head in front."""

    def __init__(self, model: Elaboration, head: tree.Head, with_drawn: bool) -> None:
        super().__init__({}, model.scope)
        self.model = model
        self.own = {v.name.name for v in head.given} | ({v.name.name for v in head.variables} if with_drawn else set())

    def find(self, name: str) -> Binding | None:
        if name in self.names:
            return self.names[name]
        if name in self.own:
            v = self.model.random_variable(name)
            if v is not None:
                return Binding(build.of_array(v), self.model.places.get(name, tree.NOWHERE), "variable")
        return self.model.scope.find(name)


def looks_like_family(name: str) -> bool:
    return name[:1].isupper() and name[1:2].islower()
