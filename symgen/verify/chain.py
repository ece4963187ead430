"""Chains of relations between values that are reduced: each step against the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symgen.algebra.equality import Comparison, Completion, equal, equal_up_to, less_equal, proportional
from symgen.derivation.context import BudgetSpent
from symgen.derivation.derivation import Evidence
from symgen.probability.laws.tables import complete_point
from symgen.tensor.clock import spent
from symgen.tensor.expression import Array, Var
from symgen.tensor.facts import Facts
from symgen.verify.joint_densities import with_chain_rule
from symgen.verify.means import compare_means
from symgen.verify.verdict import Verdict, of_chain, of_comparison

__all__ = ["Relation", "compare_values", "verify_chain"]

SECONDS = 6.0  # of one step


@dataclass(frozen=True)
class Relation:
    """= <= < >= > propto ~=, the last two over variables: up to a factor, or a term, that is free of them."""

    op: str
    over: tuple[Var, ...] = ()


def compare_values(
    left: Array,
    right: Array,
    relation: Relation | str,
    facts: Facts | None = None,
    deadline: float | None = None,
    complete: Completion = complete_point,
    prove: bool = True,
    everywhere: bool = False,
) -> Comparison:
    """Whether left `relation` right, entry by entry; `everywhere`: at jumps, too."""
    relation = relation if isinstance(relation, Relation) else Relation(relation)
    op, over = relation.op, relation.over
    if op in (">=", ">"):
        turned = compare_values(right, left, Relation({">=": "<=", ">": "<"}[op]), facts, deadline, complete)
        return _turned(turned)
    if op in ("<=", "<"):
        found = less_equal(left, right, facts, deadline, strict=op == "<", complete=complete, opened=with_chain_rule)
        return _by_quadrature(found, left, right, op, facts, deadline)
    if op == "propto":
        return proportional(left, right, over, facts, deadline, complete)
    if op == "~=":
        return equal_up_to(left, right, over, facts, deadline, complete)
    found = equal(left, right, facts, deadline, complete, prove, with_chain_rule, everywhere)
    return _by_quadrature(found, left, right, op, facts, deadline)


def _by_quadrature(
    found: Comparison, left: Array, right: Array, op: str, facts: Facts | None, deadline: float | None
) -> Comparison:
    """The comparison; what balls did not decide, by quadrature of the means that stay."""
    if found.status != "unknown":
        return found
    until = deadline if deadline is not None else spent() + SECONDS
    same = op in ("<", ">") and equal(left, right, facts, until, opened=with_chain_rule).status == "proved"
    return compare_means(left, right, op, facts, until, same) or found


def _turned(c: Comparison) -> Comparison:
    x = c.counterexample
    if x is None:
        return c
    swapped = replace(x, left=x.right, right=x.left, left_text=x.right_text, right_text=x.left_text)
    return replace(c, counterexample=swapped)


def verify_chain(
    values: Sequence[Array | None],
    relations: Sequence[Relation | str],
    facts: Facts | None = None,
    deadline: float | None = None,
    complete: Completion = complete_point,
) -> Verdict:
    """One verdict for each relation. A value None is malformed: its relation is, and the next one is checked against
    the last value that has a meaning."""
    steps: list[Verdict] = []
    until = deadline if deadline is not None else spent() + SECONDS * max(1, len(relations))
    before = values[0]
    for k, relation in enumerate(relations):
        value = values[k + 1]
        if value is None or before is None:
            steps.append(Verdict("malformed", evidence=Evidence("malformed"), reason="it does not type-check"))
            before = before if value is None else value
            continue
        now = spent()
        share = now + (until - now) / (len(relations) - k)
        try:
            steps.append(of_comparison(compare_values(before, value, relation, facts, share, complete)))
        except BudgetSpent:
            tried = ("the time was up",)
            steps.append(Verdict("unknown", evidence=Evidence("unknown", tried=tried), reason=tried[0]))
        before = value
    return of_chain(steps)
