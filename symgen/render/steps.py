"""The steps of a derivation as chains of equations: one idea a line, its reason at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from symgen.derivation.derivation import Step
from symgen.render.compose import name_tree
from symgen.render.language import unparse
from symgen.render.measures import TooLong
from symgen.render.network import NoMatrixForm
from symgen.render.notation import BECOMES, DERIVATIVES, RULES
from symgen.render.page import Block, Chain, Inline, Paragraph, Relation
from symgen.render.writing import Writer
from symgen.tensor.expression import Array, Node, Operator, Recurrence, Var, walk
from symgen.text import tree as t

LONGEST = 4000  # characters of an expression that a step still shows
MANY = 40  # steps that are shown one by one


@dataclass(frozen=True)
class Told:
    """A step as a line, with the nodes that it goes from and to."""

    line: Relation
    before: Any
    after: Any
    equal: bool


def step_blocks(d: Any, writer: Writer) -> list[Block]:
    """The steps of `d`: a chain goes on where a step begins with what the last one ended with; what is shown on the way
    (a lemma on a part) stands below it."""
    asked = next((s for s in d.steps if _asks_the_goal(s, writer, d)), None) if isinstance(d.goal, t.Call) else None
    steps = [step for step in d.steps if step.rule not in ("stable", "name")]
    told = _without_repeats([x for x in (_told(step, writer, d, asked) for step in steps) if x is not None])
    said = [s.reason for s in d.steps if s.rule == "stable" and s.before is None]
    stable = [
        x.line
        for x in (_told(s, writer, d, asked) for s in d.steps if s.rule == "stable" and s.before is not None)
        if x is not None
    ]
    computed = [line for line in stable if line.left is None or unparse(line.left) != unparse(line.right)]
    blocks: list[Block] = []
    if len(told) > MANY:
        blocks.append(Paragraph((f"The first and the last of {len(told)} steps:",)))
        told = [*told[: MANY // 2], *told[-MANY // 2 :]]
    if len(told) == 1 and d.array is not None and told[0].after is d.array and not told[0].line.reason:
        return []
    chains, asides = _threaded(told, writer.names)
    if chains:
        blocks.append(Chain(tuple(chains)))
    if asides:
        blocks += [Paragraph(("using",)), Chain(tuple(asides))]
    if computed:
        blocks += [Paragraph(("and, in code,",)), Chain(tuple(computed))]
    blocks += [Paragraph((f"{reason[:1].upper()}{reason[1:]}.",)) for reason in said]
    return blocks


def _without_repeats(told: Sequence[Told]) -> list[Told]:
    seen: set[tuple[str, str]] = set()
    out: list[Told] = []
    for x in told:
        left = unparse(x.line.left) if x.line.left is not None else ""
        key = (left, unparse(x.line.right))
        if key in seen or key[0] == key[1]:
            continue
        seen.add(key)
        out.append(x)
    return out


def _threaded(told: Sequence[Told], names: Mapping[Array, str]) -> tuple[list[Relation], list[Relation]]:
    main: list[Relation] = []
    asides: list[Relation] = []
    last: Any = None
    head = 0
    for k, x in enumerate(told):
        if x.equal and last is not None and x.before is last:
            main.append(Relation(x.line.right, None, x.line.relation, (), x.line.reason))
            last = x.after
            if (
                x.after in names and main[head].relation == "=" == x.line.relation
            ):  # the whole chain has the name of what it comes to
                main[head] = _named(main[head], names[x.after])
        elif last is not None and any(y.equal and y.before is last for y in told[k + 1 :]):
            asides.append(x.line)
        else:
            head = len(main)
            main.append(x.line)
            last = x.after if x.equal else None
    return main, asides


def _named(line: Relation, name: str) -> Relation:
    """name = left = right for left = right."""
    left = line.left
    terms = left.operands if isinstance(left, t.Comparison) else (left,) if left is not None else ()
    if any(unparse(x) == name for x in terms):
        return line
    whole = (name_tree(name), *terms)
    return replace(line, left=t.Comparison(whole, ("=",) * (len(whole) - 1)) if terms else name_tree(name))


def _told(step: Step, writer: Writer, d: Any, asked: Step | None) -> Told | None:
    """before = after, with the name of what was made in front and the reason at the right; `asked` is the step that
    begins with the question."""
    if step.after is None:
        return None
    try:
        after = writer.array(step.after) if isinstance(step.after, Array) else writer.node(step.after)
        before = writer.node(step.before) if step.before is not None else None
    except (NoMatrixForm, TooLong):
        return None
    if len(unparse(after)) > LONGEST or (before is not None and len(unparse(before)) > LONGEST):
        return None
    if step is asked and isinstance(step.before, Operator):
        before = d.goal if step.before.shape == (d.array.shape if d.array is not None else ()) else before
    reason = reason_of(step)
    kind = BECOMES.get(step.rule, "" if is_equality(step) else "becomes")
    if kind == "zero":
        return Told(Relation(t.Number(Fraction(0)), after, reason=reason), step.before, step.after, False)
    if kind == "optimum" and step.where.isidentifier():
        best = writer.names.get(step.after, step.where) if isinstance(step.after, Array) else step.where
        return Told(Relation(after, t.Name(best), reason=reason), step.before, step.after, False)
    if kind == "alone":
        return Told(Relation(after, None, "", reason=reason), step.before, step.after, False)
    if kind in (">=", "<="):
        return Told(Relation(after, before, kind, reason=reason), step.before, step.after, True)
    if kind:
        return Told(Relation(after, before, "->", reason=reason), step.before, step.after, False)
    name = writer.names.get(step.after) if isinstance(step.after, Array) else None
    left = before
    explained = step.after in writer.defined and writer.defined[step.after] is None  # by its value, not as it was written
    defined = step.after in getattr(d, "author_names", {}) or explained or isinstance(step.after, Recurrence)
    if name is not None and defined and before is not None:
        if unparse(before) != name and not isinstance(step.after, Var):
            return Told(Relation(name_tree(name), before, reason=reason), step.before, step.after, True)
    if name is not None and before is not None and unparse(before) != name:
        left = t.Comparison((name_tree(name), before), ("=",))
    elif name is not None:
        left = name_tree(name)
    return Told(Relation(after, left, reason=reason), step.before, step.after, True)


def _asks_the_goal(step: Step, writer: Writer, d: Any) -> bool:
    """Whether a step begins with the question that was asked: the operator of the goal, by the same variable."""
    if not isinstance(step.before, Operator) or step.before.name != d.goal.function:
        return False
    if step.before.name not in DERIVATIVES:
        return True
    if len(d.goal.arguments) < 2:
        return False
    form = next((unparse(k.value) for k in d.goal.keywords if k.name == "form"), None)
    if "free" in step.before.attrs and form != "free":
        return False
    return unparse(writer.node(step.before.args[1])) == unparse(d.goal.arguments[1])


def is_equality(step: Step) -> bool:
    """Whether the step says before = after: an operator worked out, or a rule that is known to keep the value."""
    if not isinstance(step.before, Node):
        return step.rule == "name"
    if step.rule in RULES or isinstance(step.before, Operator):
        return True
    return any(isinstance(n, Operator) for n in walk(step.before))


def reason_of(step: Step) -> tuple[Inline, ...]:
    """The rule in words, and what it needs."""
    rule = RULES.get(step.rule, step.rule.replace("_", " ").strip())
    words = rule
    if step.reason:
        words = step.reason if not rule or rule in step.reason else f"{rule}, {step.reason}"
    if step.conditions:
        words += f" (needs {', '.join(step.conditions)})"
    if step.source:
        words += f" [{step.source}]"
    return (words,) if words else ()
