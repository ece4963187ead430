"""`assume`: facts about scalars, which must not contradict each other."""

from __future__ import annotations

from symgen.model.elaboration import Elaboration
from symgen.tensor.expression import Compare, Logic, Num, sub
from symgen.tensor.facts import Facts, is_nonnegative, is_positive, is_zero
from symgen.tensor.scope import Clash, Witness, free_names, shape_text
from symgen.text import tree


def assume(model: Elaboration, s: tree.Assume) -> None:
    reader = model.reader()
    for e in s.facts:
        v = reader.condition(e) if isinstance(e, tree.Comparison) else None
        if v is None:
            raise Clash("an assumption is a comparison, such as `a > b`", e.span, "not a comparison")
        if v.rank:
            raise Clash("an assumption is about scalars", e.span, shape_text(v.shape), reader.witnesses(e))
        if isinstance(v.body, Num):
            if not v.body.value:
                raise Clash(f"`{model.written(e.span)}` never holds", e.span, "false")
            continue
        parts = v.body.args if isinstance(v.body, Logic) and v.body.op == "and" else (v.body,)
        before = Facts(model.assumed)
        for part in parts:
            if isinstance(part, Compare) and contradicts(before, part):
                witnesses = [Witness(x.span, "against this") for x in earlier_facts(model, s, e)]
                raise Clash(f"`{model.written(e.span)}` contradicts what is known", e.span, "cannot hold",
                            [*witnesses, *reader.witnesses(e)])  # fmt: skip
            model.assumed.append(part)
        model.out.assumptions.append(model.written(e.span))


def earlier_facts(model: Elaboration, s: tree.Assume, e: tree.Expression) -> list[tree.Expression]:
    names = set(free_names(e))
    out: list[tree.Expression] = []
    for other in model.spec.statements:
        if isinstance(other, tree.Assume):
            for x in other.facts:
                if x is e:
                    return out
                if names & set(free_names(x)):
                    out.append(x)
    return out


def contradicts(facts: Facts, part: Compare) -> bool:
    """Whether the facts say the opposite for certain."""
    a, b = part.args
    difference = sub(b, a)
    if part.op == "<":
        return is_nonnegative(sub(a, b), facts) is True
    if part.op == "<=":
        return is_positive(sub(a, b), facts) is True
    if part.op == "==":
        return is_zero(difference, facts) is False
    return False
