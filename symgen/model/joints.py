"""`dist` and `density`: the factors under one name become one joint."""

from __future__ import annotations

from symgen.model.declarations import domain
from symgen.model.elaboration import Elaboration
from symgen.model.indexed_laws import entries_of, is_indexed
from symgen.model.own_joints import own_factors
from symgen.model.parameter_domains import is_outside, leaves
from symgen.model.random_variables import HeadScope, law_of
from symgen.probability.laws import joint as probability
from symgen.probability.laws.joint import Factor, Joint, full_law
from symgen.probability.laws.law import formula_law, opaque_density
from symgen.probability.means.own_density import why_not
from symgen.tensor import build
from symgen.tensor.expression import ONE, Array, Scalar, Var, entry, fn, tensor, var
from symgen.tensor.facts import Facts
from symgen.tensor.scope import Binding, Clash, Witness, free_names, names_in, shape_text
from symgen.text import tree
from symgen.text.tree import Span


def define_joint(model: Elaboration, name: str, statements: list[tree.Statement]) -> None:
    joint = Joint(name, ())
    places: dict[Var, Span] = {}
    for s in {id(s): s for s in statements}.values():  # `density p(x | z), p(z)` is one statement with two heads
        if isinstance(s, tree.Dist) and is_indexed(s) and entries_of(model, s).rule is not s:
            continue  # a first entry: its law is a part of that of the sequence
        heads = [s.head] if isinstance(s, tree.Dist) else [h for h in s.heads if h.name.name == name]  # type: ignore[attr-defined]
        for head in heads:
            for factor in factors_of(model, s, head):
                for f in joint.factors:
                    again = [v for v in factor.variables if v in f.variables]
                    if again:
                        raise Clash(f"`{name}` says twice what `{again[0].name}` is drawn from", head.span, "again",
                                    [Witness(places[again[0]], "first here")])  # fmt: skip
                places.update(dict.fromkeys(factor.variables, head.span))
                try:
                    joint = probability.declare(joint, factor)
                except ValueError as error:
                    raise Clash(str(error), head.span) from None
    model.out.joints[name] = joint
    model.bind(name, joint)


def factors_of(model: Elaboration, s: tree.Statement, head: tree.Head) -> list[Factor]:
    """What one head says: one factor, or those of a density of one's own over several variables."""
    names = [v.name.name for v in (*head.variables, *head.given)]
    for k, v in enumerate((*head.variables, *head.given)):
        if v.name.name in names[:k] and not tree.indices_of(v):
            first = (*head.variables, *head.given)[names.index(v.name.name)]
            raise Clash(f"the variable `{v.name.name}` stands twice", v.span, "again", [Witness(first.span, "first here")])
    if not head.variables:
        raise Clash(f"`{head.name.name}` is over no variable", head.span)
    entries = next((v for v in (*head.variables, *head.given) if tree.indices_of(v)), None)
    if entries is not None and isinstance(s, tree.Density):
        raise Clash("a density that is not known is of whole variables", entries.span, "an entry",
                    help=f"`{entries.name.name}` is all of it")  # fmt: skip
    drawn = tuple(head_variable(model, v) for v in head.variables)
    others = [v for v in head.given if not (tree.indices_of(v) and v.name.name == names[0])]
    given = tuple(dict.fromkeys(head_variable(model, v) for v in others))
    name = head.name.name
    if isinstance(s, tree.Density):
        shape = drawn[0].shape if len(drawn) == 1 else ()
        return [Factor(name, drawn, given, opaque_density(name, shape, given, [v.name for v in drawn]))]
    assert isinstance(s, tree.Dist)
    law = law_of(model, s)
    if law is None:
        if len(drawn) > 1:
            if given:
                raise Clash("a density of your own over several variables is given none", s.head.span,
                            help="say one `dist` per variable")  # fmt: skip
            return own_factors(model, s, drawn, *own_formula(model, s, drawn))
        law = own_density(model, s, drawn)
    elif len(drawn) != 1:
        raise Clash(f"`{name}` draws {len(drawn)} variables from one family", head.span, "one variable is needed",
                    help="say one `dist` per variable")  # fmt: skip
    else:
        check_event(model, s, drawn[0], law)
        if any(b is ONE and a is not ONE for a, b in zip(drawn[0].shape[drawn[0].rank - law.rank :], law.shape, strict=True)):
            law = full_law(law, drawn[0].shape)  # `b[:, None]` for a variable over [n, k]
    return [Factor(name, drawn, given, law)]


def head_variable(model: Elaboration, v: tree.Declared) -> Var:
    found = model.random_variable(v.name.name)
    if found is None:
        raise Clash(f"`{v.name.name}` is not a variable", v.span)
    if v.domain is not None:
        _, _, shape = domain(model, v.domain, v.name.name)
        same = len(shape) == found.rank and all(build.same_size(a, b) for a, b in zip(shape, found.shape, strict=True))
        if not same:
            where = model.places.get(v.name.name)
            raise Clash(f"`{v.name.name}` is declared with another shape", v.span, shape_text(shape),
                        [Witness(where, shape_text(found.shape))] if where else ())  # fmt: skip
    return found


def check_event(model: Elaboration, s: tree.Dist, v: Var, law: Array) -> None:
    lead = v.rank - law.rank
    fits = lead >= 0 and all(b is ONE or build.same_size(a, b) for a, b in zip(v.shape[lead:], law.shape, strict=True))
    if not fits:
        where = model.places.get(v.name)
        raise Clash(
            f"`{v.name}` {shape_text(v.shape)}, and `{model.written(s.law.span)}` draws what {shape_text(law.shape)}",
            s.law.span, shape_text(law.shape), [Witness(where, shape_text(v.shape))] if where else (),
        )  # fmt: skip


def own_density(model: Elaboration, s: tree.Dist, drawn: tuple[Var, ...]) -> Array:
    """dist s(t: positive) = exp(-t)/Z: the log of the right side; an undeclared name in it is its normaliser."""
    (placeholder,), density, normaliser = own_formula(model, s, drawn)
    law = formula_law(placeholder, tensor((), fn("log", density)), normaliser, s.head.name.name)
    why = why_not(law, Facts(model.assumed))
    if why is not None:
        raise Clash(why, s.law.span, "no density")
    return law


def own_formula(model: Elaboration, s: tree.Dist, drawn: tuple[Var, ...]) -> tuple[list[Var], Scalar, str]:
    """The right side over placeholders of the variables, and the name of its normaliser."""
    names = [v.name for v in drawn]
    unknown = [n for n in free_names(s.law) if n not in model.statements and n not in names and n not in model.heads
               and n not in ("pi", "e", "inf")]  # fmt: skip
    if len(unknown) > 1:
        places = {n.name: n.span for n in names_in(s.law)}
        listed = " and ".join(f"`{n}`" for n in unknown)
        raise Clash(f"{listed} are not declared, and only one of them can be the normaliser", places[unknown[0]],
                    "not declared", [Witness(places[n], "not declared") for n in unknown[1:]],
                    help=f"declare what is a parameter: `const {unknown[0]}: positive`")  # fmt: skip
    normaliser = unknown[0] if unknown else ""
    scope = HeadScope(model, s.head, True)
    own: list[Var] = []
    for v, declared in zip(drawn, s.head.variables, strict=True):
        word, arguments = v.domain, v.domain_args
        if declared.domain is not None:  # another dist of the same variable may be wider
            word, arguments, _ = domain(model, declared.domain, v.name)
        own.append(var(v.name, v.shape, word, "placeholder", arguments, uid=3))
        scope.names[v.name] = Binding(build.of_array(own[-1]), declared.span, "variable")
    if normaliser:
        scope.names[normaliser] = Binding(build.scalar(entry(var(normaliser, (), "positive", "normaliser", uid=3))),
                                          s.law.span, "normaliser")  # fmt: skip
    density = model.reader(scope).value(s.law)
    if density.rank:
        raise Clash("a density is a scalar", s.law.span, shape_text(density.shape),
                    help="`prod(..)` over the components makes it one")  # fmt: skip
    if leaves(model, tensor((), density.body), is_outside("positive", False)):
        raise Clash(f"the density of `{s.head.name.name}` may be negative", s.law.span, "a density")
    return own, density.body, normaliser
