"""`assume`: facts about scalars, which must not contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgen.model.elaboration import Elaboration
from symgen.tensor.expression import ONE, Add, Compare, Logic, Num, Scalar, as_coefficient, sub, variables_of
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
        known = linked([p for p in model.assumed if isinstance(p, Compare)], parts)
        before = Facts(known)
        for part in parts:
            if isinstance(part, Compare) and contradicts(before, part):
                raise contradiction(model, s, e)
            model.assumed.append(part)
        if is_contradictory([*known, *(p for p in parts if isinstance(p, Compare))]):
            raise contradiction(model, s, e)
        model.out.assumptions.append(model.written(e.span))


def contradiction(model: Elaboration, s: tree.Assume, e: tree.Expression) -> Clash:
    """Told with the earlier assumptions about the same names, and those names' domains."""
    witnesses = [Witness(x.span, "against this") for x in earlier_facts(model, s, e)]
    names = [n for n in free_names(e) if n in model.out.variables]
    domains = {n: model.out.variables[n].variable.domain for n in names}
    witnesses += [Witness(model.places[n], domains[n]) for n in names if domains[n] != "real"]
    text = model.written(e.span)
    if not witnesses and any(n in model.out.dims for n in free_names(e)):
        return Clash(f"`{text}` cannot hold: a size is at least 1", e.span, "cannot hold")
    return Clash(f"`{text}` contradicts what is known", e.span, "cannot hold", witnesses)


def earlier_facts(model: Elaboration, s: tree.Assume, e: tree.Expression) -> list[tree.Expression]:
    """The assumptions before `e` that speak, through any number of others, of its names."""
    before: list[tree.Expression] = []
    for other in model.spec.statements:
        if isinstance(other, tree.Assume):
            before += other.facts if other is not s else other.facts[: other.facts.index(e)]
        if other is s:
            break
    names, linked = set(free_names(e)), set[int]()
    while True:
        found = [k for k, x in enumerate(before) if k not in linked and names & set(free_names(x))]
        if not found:
            return [before[k] for k in sorted(linked)]
        linked.update(found)
        names.update(n for k in found for n in free_names(before[k]))


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


# --- comparisons of sums, decided by elimination (Fourier and Motzkin) ------------------------------------------------

Row = tuple[dict[Scalar, Fraction], bool]  # sum of c*x + c0 (under ONE) > 0, or >= 0 where not strict
LIMIT = 100  # rows: past it nothing is said
DISTANCE = 8  # facts from one to the next


def is_contradictory(parts: list[Compare]) -> bool:
    """Whether linear comparisons, with the domains of what they speak of, have no solution; what is not linear is a name."""
    rows: list[Row] = []
    for part in parts:
        a, b = part.args
        if part.op in ("<", "<="):
            rows.append((linear(sub(b, a)), part.op == "<"))
        elif part.op == "==":
            rows += [(linear(sub(b, a)), False), (linear(sub(a, b)), False)]
    atoms = {x for row, _ in rows for x in row if x is not ONE}
    nothing = Facts(())
    rows += [({x: Fraction(1)}, True) for x in atoms if is_positive(x, nothing)]
    for x in sorted(atoms, key=lambda x: x.serial):
        over = [r for r in rows if r[0].get(x, 0) > 0]
        under = [r for r in rows if r[0].get(x, 0) < 0]
        rows = [r for r in rows if not r[0].get(x, 0)] + [eliminated(x, p, q) for p in over for q in under]
        if len(rows) > LIMIT:
            return False
    return any(row.get(ONE, Fraction(0)) < 0 or (strict and not row.get(ONE, 0)) for row, strict in rows)


def linked(facts: list[Compare], parts: Sequence[Scalar]) -> list[Compare]:
    """The facts that speak, through few others, of what `parts` speak of; none if they are too many to be looked through."""
    names = {v for p in parts for v in variables_of(p)}
    found: set[Compare] = set()
    for _ in range(DISTANCE):
        new = [f for f in facts if f not in found and names & variables_of(f)]
        if not new or len(found) + len(new) > LIMIT:
            break
        found.update(new)
        names.update(v for f in new for v in variables_of(f))
    return [f for f in facts if f in found]


def linear(s: Scalar) -> dict[Scalar, Fraction]:
    """Coefficients by term: 2*a - b + 3 is {a: 2, b: -1, ONE: 3}."""
    out: dict[Scalar, Fraction] = {}
    for term in s.args if isinstance(s, Add) else (s,):
        c, x = as_coefficient(term)
        out[x] = out.get(x, Fraction(0)) + c
    return out


def eliminated(x: Scalar, p: Row, q: Row) -> Row:
    """The sum of two rows in which `x` cancels."""
    a, b = -q[0][x], p[0][x]
    keys = [k for k in dict.fromkeys((*p[0], *q[0])) if k is not x]
    return {k: a * p[0].get(k, 0) + b * q[0].get(k, 0) for k in keys}, p[1] or q[1]
