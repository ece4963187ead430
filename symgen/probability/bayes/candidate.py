"""The referee of evidences where quadrature gives up: log p(x) = log p(x, z) - log p(z | x), the same at every z.

Besag (1989), the candidate's formula. The posterior is derived apart; its rows are refereed by quadrature.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from symgen.derivation.context import BudgetSpent, Context
from symgen.derivation.derivation import Evidence
from symgen.probability.bayes.conditional import law_given
from symgen.probability.bayes.posterior_checks import check_integrated, two_values
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.elimination import Question, log_joint, question
from symgen.probability.laws.joint import DistRef, Joint
from symgen.probability.means.quadrature import check_value
from symgen.tensor.clock import spent
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import Array, Scalar, replace_arrays, sub, tensor
from symgen.tensor.sample import generator, random_point
from symgen.text.diagnostics import CannotDerive

SECONDS = 6.0
METHOD = "the joint density over that of what is not seen, at several of its values"


def check_by_candidates(q: Question, result: Array, ctx: Context, less: Question | None = None) -> Evidence:
    """log p(seen) against log p(seen, z) - log p(z | seen) at random z; of a conditional, less that of what it is given."""
    questions = [x for x in (q, less) if x is not None]
    try:
        values = [tensor((), log_candidate(x, ctx)) for x in questions]
    except (CannotDerive, BudgetSpent) as error:
        return Evidence("unknown", method=METHOD, tried=(str(error) or "the time was spent",))
    hidden = {v for x in questions for v in x.hidden}

    def truth(point: Point, level: int) -> Any:
        inside = random_point(hidden, point.sizes, generator("candidate", str(level)), level, ())
        if inside is None:
            return None
        inside.values.update({v: x for v, x in point.values.items() if v not in hidden})
        found = [float(x) for x in evaluate(values, inside)]
        return np.asarray(found[0] - found[1] if len(found) == 2 else found[0])

    laws = [f.law for x in questions for f in x.factors]
    return check_value(truth, result, [*values, *laws], hidden, ctx.facts, method=METHOD)


def check_hidden(q: Question, log_q: Scalar, ctx: Context) -> Evidence:
    """`check_integrated`; where that gives up, log p(seen, z) by candidates at two values of the target z against what is
    claimed for log p(z | seen)."""
    found = check_integrated(q, log_q, ctx)
    (z,) = q.targets
    if found.kind != "unknown":
        return found
    try:
        first = tensor((), log_candidate(q, ctx))
    except (CannotDerive, BudgetSpent) as error:
        return replace(found, tried=(*found.tried, str(error) or "the time was spent"))
    ends = two_values(q, z)
    claim = tensor((), sub(*(replace_arrays(log_q, at) for at in ends)))
    values = [replace_arrays(first, at) for at in ends]

    def truth(point: Point, level: int) -> Any:
        inside = random_point(q.hidden, point.sizes, generator("candidate", str(level)), level, ())
        if inside is None:
            return None
        inside.values.update({v: x for v, x in point.values.items() if v not in q.hidden})
        found = [float(x) for x in evaluate(values, inside)]
        return np.asarray(found[0] - found[1])

    laws = [f.law for f in q.factors]
    return check_value(truth, claim, [*values, *laws], q.hidden, ctx.facts, method=METHOD)


def log_candidate(q: Question, ctx: Context) -> Scalar:
    """log p(seen, z) - log p(z | seen) for the hidden variables z of a question."""
    told = replace(ctx.quiet(), deadline=spent() + SECONDS)  # asked when the derivation is done
    out = log_joint(q.factors, q.values, told)
    joint = Joint("", q.factors)
    drawn = [v for f in q.factors for v in f.variables]
    seen = [*(v for v in drawn if v not in q.hidden), *(v for v in q.observed if v not in drawn)]
    for z in (v for v in drawn if v in q.hidden):
        law = law_given(question(DistRef(joint, (z,)), [z], seen, q.values), told).law
        if law is None:
            raise CannotDerive(f"the law of `{z.name}` given the rest is in no family of the table", None)
        out = sub(out, log_density_at(law, z, told))
        seen.append(z)
    return out
