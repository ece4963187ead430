"""Where the sides of a claim have values: the arguments of logarithms, roots and the like, as the author wrote them.

A claim says that both sides agree wherever both have a value. Where the declared domains are wider than that, the verdict
tells what has to hold: `log(a*b) = log(a) + log(b)` holds under {a > 0, b > 0}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from symgen.calculus.wording import said, said_relation
from symgen.tensor.build import Value
from symgen.tensor.evaluate import FLOAT, NotEvaluable, evaluate
from symgen.tensor.expression import (
    INF,
    NAN,
    Array,
    Compare,
    Entry,
    Logic,
    Num,
    Operator,
    Scalar,
    Var,
    Where,
    compare,
    fold,
    logic,
    num,
    sub,
    tensor,
    variables_of,
    walk,
)
from symgen.tensor.facts import Facts, range_of
from symgen.tensor.formula import Reader
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.intervals import Range, interval
from symgen.tensor.reading import unbracketed
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in
from symgen.tensor.scope import names_in
from symgen.tensor.sympy_bridge import to_sympy
from symgen.text import tree
from symgen.text.tree import Span

__all__ = ["Need", "Watch", "as_assumptions", "conditions_of", "follows", "needs_of", "pieces_of", "sign_text", "where_defined"]

POINTS = 40
LARGEST_TEXT = 60
NONNEGATIVE, POSITIVE = Range(Fraction(0), None), Range(Fraction(0), None, True)
OPERATORS = ("<", ">", "=", "where", " and ", " or ")


@dataclass(frozen=True)
class Need:
    """A condition in words; where it is one on a value, that and the interval in which it has to lie.

    Not every one is needed at every point: a negative number has powers, too, where the exponent is a whole number.
    """

    text: str
    body: Scalar | None = None
    domain: Range | None = None
    everywhere: bool = True


def conditions_of(needs: Sequence[Need], facts: Facts | None) -> list[str]:
    """The texts of the conditions, without those that follow from the others."""
    kept = list(dict.fromkeys(needs))
    for need in sorted(kept, key=lambda n: (n.domain is None or n.domain.low_open, -len(n.text))):
        if need.body is None or need.domain is None:
            continue
        others = [c for n in kept if n is not need for c in as_assumptions(n)]
        known = Facts([*(facts.assumptions if facts is not None else ()), *others])
        if lies_in(range_of(need.body, known), need.domain):
            kept.remove(need)
    return list(dict.fromkeys(n.text for n in kept))


def as_assumptions(need: Need) -> list[Scalar]:
    if need.body is None or need.domain is None or need.body.free:
        return []
    low, high = need.domain.low, need.domain.high
    out = [compare("<" if need.domain.low_open else "<=", num(low), need.body)] if low is not None else []
    return out + ([compare("<" if need.domain.high_open else "<=", need.body, num(high))] if high is not None else [])


def follows(node: Scalar, says: str, known: Facts) -> bool:
    """Whether `node` is "> 0", ">= 0" or "< 0" by what is known."""
    r = range_of(node, known)
    return r.positive if says == "> 0" else r.nonnegative if says == ">= 0" else r.negative


def sign_text(node: Scalar, says: str) -> str:
    """That `node` is "> 0", ">= 0" or "< 0", as a person writes it: `a < b`."""
    if isinstance(node, Entry) and isinstance(node.array, Var):
        return f"{node.array.name} {says}"
    return said_relation(to_sympy(node, names={}), says.split()[0])


def where_defined(facts: Facts, needs: Sequence[Need]) -> Facts:
    """The facts and, for each condition on a value, that its least and its largest entry satisfy it."""
    ends = [replace(n, body=fold(kind, n.body, sorted(n.body.free, key=lambda i: i.serial)))
            for n in dict.fromkeys(needs) if n.body is not None and n.everywhere
            for kind in (("min", "max") if n.body.free else ("min",))]  # fmt: skip
    more = [c for n in ends for c in as_assumptions(n) if c not in facts.assumptions]
    return Facts([*facts.assumptions, *more]) if more else facts


def pieces_of(array: Array) -> tuple[Scalar, ...]:
    """The conditions on parameters without which a value is infinite or undefined: those of a mean that need not exist."""
    found: dict[Scalar, None] = {}
    for node in walk(array):
        if isinstance(node, Where) and not node.args[0].free and not is_never_finite(node):
            condition, a, b = node.args
            if is_never_finite(b):
                found[condition] = None
            elif is_never_finite(a):
                found[logic("not", condition)] = None
    return tuple(found)


def is_never_finite(x: Scalar) -> bool:
    return x is INF or x is NAN or (isinstance(x, Where) and is_never_finite(x.args[1]) and is_never_finite(x.args[2]))


def needs_of(condition: Scalar) -> list[Need]:
    """A condition in words."""
    if isinstance(condition, Logic) and condition.op == "and":
        return [need for c in condition.args for need in needs_of(c)]
    if not isinstance(condition, Compare) or condition.op not in ("<", "<="):
        return []
    left, right = condition.args
    body = sub(right, left)
    text = said_relation(to_sympy(body, names={}), ">" if condition.op == "<" else ">=")
    return [Need(text, body, POSITIVE if condition.op == "<" else NONNEGATIVE)]


class Watch:
    """What a reader applies functions to that have no value everywhere; `needed` are the conditions."""

    def __init__(self, reader: Reader, facts: Facts | None, needed: list[Need]) -> None:
        self.reader, self.facts, self.needed = reader, facts, needed

    def applied(self, e: tree.Expression, values: Sequence[Value]) -> None:
        """A function or a power was applied to these values."""
        if self.reader.inside_where:
            return
        if isinstance(e, tree.Call):
            for argument, value, domain in zip(e.arguments, values, FUNCTIONS[e.function].domain, strict=False):
                self.asks(argument, value, interval(domain))
        elif isinstance(e, tree.Power) and len(values) == 2:
            exponent = values[1].body
            if isinstance(exponent, Num) and exponent.rational is not None:
                if exponent.rational.denominator > 1:
                    self.asks(e.base, values[0], NONNEGATIVE if exponent.rational > 0 else POSITIVE)
            elif not range_of(exponent, self.facts).integer:
                self.asks(e.base, values[0], POSITIVE, everywhere=False)

    def asks(self, e: tree.Expression, value: Value, domain: Range, everywhere: bool = True) -> None:
        """The value has to lie in the domain: a condition, where it does not for all that is declared."""
        if domain.low is None and domain.high is None:
            return
        if self.leaves(value, domain):
            self.needed.append(Need(self.condition(e, value, domain), value.body, domain, everywhere))

    def leaves(self, value: Value, domain: Range) -> bool:
        """Whether the value lies outside of the domain at some point of what is declared and assumed."""
        body = value.body
        if lies_in(range_of(body, self.facts), domain):
            return False
        if any(isinstance(n, Operator) for n in walk(body)):
            return False  # of means and unknown functions it is not known here
        array = tensor(sorted(body.free, key=lambda i: i.serial), body)
        variables = sorted(variables_of(array), key=lambda v: (v.name, v.uid))
        if any(v.role not in ("data", "param", "const") for v in variables):
            return False  # what is drawn lies in the support of its law
        assumptions = self.facts.assumptions if self.facts is not None else ()
        sizes = sizes_in([array, *assumptions], variables)
        more: list[Var] = [v for a in assumptions for v in variables_of(a) if v not in variables]
        rng = generator("definedness", *(v.name for v in variables))
        for attempt in range(POINTS):
            here = random_sizes(sizes, {}, rng, assumptions, 2 + attempt % 3)
            point = None if here is None else random_point([*variables, *more], here, rng, attempt % 3, assumptions)
            if point is None:
                continue
            try:
                with np.errstate(all="ignore"):
                    numbers = np.asarray(evaluate([array], point, FLOAT)[0], dtype=float)
            except (NotEvaluable, np.linalg.LinAlgError):
                return False
            numbers = numbers[np.isfinite(numbers)]
            scale = 1e-9 * (1 + np.max(np.abs(numbers), initial=0.0))
            if domain.low is not None and np.any(numbers < float(domain.low) - scale):
                return True
            if domain.high is not None and np.any(numbers > float(domain.high) + scale):
                return True
        return False

    def condition(self, e: tree.Expression, value: Value, domain: Range) -> str:
        """That the value lies in the domain: as it was written; what stands in a function of one's own, or in TeX, as it
        came out."""
        text = self.reader.written(e.span).strip() if e.span != Span(0, 0) else ""
        names = {n.name for n in names_in(e)}
        inner = any((b := self.reader.scope.find(n)) is not None and b.kind == "argument" for n in names)
        if not text or "\\" in text or "\n" in text or len(text) > LARGEST_TEXT or inner or any(o in text for o in OPERATORS):
            if domain.low == 0 and domain.high is None:
                return said_relation(to_sympy(value.body, names={}), ">" if domain.low_open else ">=")
            text = said(value.body, names={})
        return condition_text(unbracketed(text), domain)


def lies_in(inner: Range, outer: Range) -> bool:
    """Whether every value of one interval is one of the other, its ends left aside where they are 0 apart."""
    low = outer.low is None or (inner.low is not None and inner.low >= outer.low)
    high = outer.high is None or (inner.high is not None and inner.high <= outer.high)
    return low and high


def condition_text(name: str, domain: Range) -> str:
    less = "<" if domain.low_open else "<="
    if domain.low is not None and domain.high is not None:
        return f"{domain.low} {less} {name} {'<' if domain.high_open else '<='} {domain.high}"
    if domain.high is not None:
        return f"{name} {'<' if domain.high_open else '<='} {domain.high}"
    return f"{name} {'>' if domain.low_open else '>='} {domain.low}"
