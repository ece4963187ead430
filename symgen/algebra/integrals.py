"""Means in canonical form: linear, independent factors apart, densities that integrate to 1 gone, drawn variables renamed.

E[x ~ p](f) is the integral of p f; a mean under q of f p/q is then the same node as the mean of f under p. That the
means exist, and that a density that is divided by is positive, is kept as a condition.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgen.algebra import polynomial as poly
from symgen.algebra.polynomial import Monomial, Poly
from symgen.derivation.context import BudgetSpent
from symgen.tensor.expression import (
    INF,
    TWO,
    Array,
    Entry,
    Fn,
    Node,
    Operator,
    Scalar,
    Sum,
    Tensor,
    Var,
    entry,
    fn,
    neg,
    num,
    open_sum,
    open_tensor,
    operator,
    power,
    replace_arrays,
    sub,
    tensor,
    total,
    var,
    variables_of,
    walk,
)

if TYPE_CHECKING:
    from symgen.algebra.canonical import Workshop

__all__ = ["canonical_log_density", "is_mean", "open_integral", "open_mean"]

MEANS = ("E", "Var")
MAX_ORDER = 3  # of drawn variables whose order is chosen


def is_mean(array: Array) -> bool:
    """Whether an array is a mean or a variance of rank 0 that can be opened."""
    return (
        isinstance(array, Operator) and array.name in MEANS and array.rank == 0
        and len(array.attrs) == 1 and isinstance(array.attrs[0], tuple)
    )  # fmt: skip


def canonical_log_density(w: Workshop, op: Operator) -> Operator:
    """log p at values: the law says what it is given, so conditions are not repeated, nor the names of variables.

    Of a part of a joint's variables, their places are among the `attrs`.
    """
    given = op.args[: 1 + len(op.attrs[1])] if op.attrs[1] else op.args
    args = [w.form(a) if isinstance(a, Array) else w.scalar(a) for a in given]
    made = operator("log_density", args, op.shape, (op.attrs[0], *op.attrs[3:]))
    assert isinstance(made, Operator)
    return made


def open_mean(w: Workshop, op: Operator) -> Poly:
    """The mean as a polynomial of integrals."""
    variables: tuple[Var, ...] = op.attrs[0]
    laws = op.args[len(op.args) - len(variables) :]
    (body,) = op.args[: len(op.args) - len(variables)]
    value = open_tensor(body, ())
    w.used.setdefault("the means exist")
    if op.name == "Var":
        mean = entry(operator("E", op.args, (), op.attrs))
        value = power(sub(value, mean), TWO)
    fresh = [var(f"drawn{w.fresh()}", v.shape, v.domain, "random", v.domain_args, uid=-501) for v in variables]
    renamed: dict[Array, Array] = dict(zip(variables, fresh, strict=True))
    inside = w.poly(replace_arrays(value, renamed))
    turned = [replace_arrays(law, renamed) for law in laws]
    weight = w.times(*(w.poly(fn("exp", entry(d))) for d in _densities(w, fresh, turned, [v.name for v in variables])))
    return w.tidy(poly.add_polys(
        [poly.scale(_integral(w, poly.multiply({m: Fraction(1)}, weight, w.budget), fresh), c) for m, c in inside.items()],
        w.budget,
    ))  # fmt: skip


def open_integral(w: Workshop, op: Operator, indices: Sequence[Scalar]) -> Poly:
    """integral[x: a..b](f): term by term, constants outside, whatever x was called, from the end that comes first."""
    (x,) = op.attrs[0]
    body, *ends = (open_tensor(a, indices if a.rank else ()) for a in op.operands)
    low, high = (w.scalar(end) for end in ends)
    sign = Fraction(1)
    if high.serial < low.serial:
        low, high, sign = high, low, Fraction(-1)
    depth = 1 + max((_depth(n) for n in walk(body) if isinstance(n, Operator) and n.name == "integral"), default=0)
    place = var(f"x{depth}", (), x.domain, "random", uid=-651 - depth)
    out: list[Poly] = []
    for m, c in w.poly(replace_arrays(body, {x: place})).items():
        inside = [f for f in m if place in variables_of(f[0])]
        free = {poly.ordered({a: e for a, e in m if (a, e) not in inside}): sign * c}
        powers = [e for f, e in inside if f is entry(place) and e > -1 and (e.denominator == 1 or x.domain != "real")]
        spread = inside[0][0] if len(inside) == 1 and inside[0][1] == 1 else None
        if not inside:
            width = w.poly(sub(high, low))
        elif len(powers) == len(inside) and INF not in (low, high) and neg(INF) not in (low, high):
            n = 1 + powers[0]
            width = poly.scale(w.poly(sub(power(high, num(n)), power(low, num(n)))), 1 / n)
        elif isinstance(spread, Sum):
            f, over = open_sum(spread)
            at = sorted(f.free | low.free | high.free, key=lambda i: (i.kind, i.number))
            operands = (tensor(at, f), tensor(at, low), tensor(at, high))
            made = operator("integral", operands, operands[0].shape, ((place,),))
            width = w.poly(total(entry(made, *at), over))
        else:
            f = poly.term_node(poly.ordered(dict(inside)))
            at = sorted(f.free | low.free | high.free, key=lambda i: (i.kind, i.number))
            each = at if low.free or high.free else []
            operands = (tensor(at, f), tensor(each, low), tensor(each, high))
            width = poly.of_atom(entry(operator("integral", operands, operands[0].shape, ((place,),)), *at))
        out.append(poly.multiply(free, width, w.budget))
    return w.tidy(poly.add_polys(out, w.budget))


def _depth(op: Operator) -> int:
    """How many integrals stand one in another."""
    return 1 + max((_depth(n) for n in walk(*op.args) if isinstance(n, Operator) and n.name == "integral"), default=0)


def _densities(w: Workshop, variables: Sequence[Var], laws: Sequence[Array], names: Sequence[str]) -> list[Operator]:
    """The log-densities of which the joint one is the sum: one for each law, of a joint with all its variables."""
    out: list[Operator] = []
    k = 0
    while k < len(variables):
        law, count = laws[k], 1
        assert isinstance(law, Operator)
        joint: tuple[str, ...] = law.attrs[2] if law.name == "density" and len(law.attrs) > 2 else ()
        while joint and k + count < len(laws) and count < len(joint) and laws[k + count] is law:
            count += 1
        name = law.attrs[1] if law.name == "density" else law.name
        attrs: tuple[object, ...] = (name, (), ())
        drawn = list(variables[k : k + count])
        if joint and all(n in joint for n in names[k : k + count]):
            places = sorted(zip((joint.index(n) for n in names[k : k + count]), drawn, strict=True), key=lambda t: t[0])
            drawn = [v for _, v in places]
            if count < len(joint):
                attrs = (*attrs, tuple(place for place, _ in places))
        elif joint and count < len(joint):
            raise BudgetSpent  # which of its variables this is was not said
        out.append(canonical_log_density(w, operator("log_density", (law, *drawn), (), attrs)))
        k += count
    return out


def _integral(w: Workshop, p: Poly, variables: Sequence[Var]) -> Poly:
    """The integral of a polynomial over variables, in parts that share none."""
    return poly.add_polys([poly.scale(_integral_term(w, m, variables), c) for m, c in p.items()], w.budget)


def _integral_term(w: Workshop, m: Monomial, variables: Sequence[Var]) -> Poly:
    outside = tuple(f for f in m if variables_of(f[0]).isdisjoint(variables))
    left = [f for f in m if f not in outside]
    out: Poly = {outside: Fraction(1)}
    waiting = list(variables)
    while waiting:
        touched = {waiting.pop(0)}
        factors: list[tuple[Scalar, Fraction]] = []
        grown = True
        while grown:
            new = [f for f in left if not variables_of(f[0]).isdisjoint(touched)]
            left = [f for f in left if f not in new]
            factors += new
            for a, _ in new:
                touched |= variables_of(a) & set(variables)
            grown = bool(new)
        waiting = [v for v in waiting if v not in touched]
        part = _without_marginals(w, factors, [v for v in variables if v in touched])
        if part is not None:
            kept = [f for f in part[0] if not variables_of(f[0]).isdisjoint(part[1])]
            free = poly.ordered({a: e for a, e in part[0] if (a, e) not in kept})
            inner = _atom(w, kept, part[1]) if kept else poly.constant(1)
            out = poly.multiply(out, poly.multiply({free: Fraction(1)}, inner, w.budget), w.budget)
    return out


def _density_of(atom: Scalar) -> Operator | None:
    """The log-density d of an atom exp(d)."""
    if isinstance(atom, Entry) and isinstance(atom.array, Tensor):
        atom = open_tensor(atom.array, atom.indices)
    inner = atom.args[0] if isinstance(atom, Fn) and atom.name == "exp" else None
    op = inner.array if isinstance(inner, Entry) else None
    return op if isinstance(op, Operator) and op.name == "log_density" else None


def _without_marginals(
    w: Workshop, factors: list[tuple[Scalar, Fraction]], variables: list[Var]
) -> tuple[list[tuple[Scalar, Fraction]], list[Var]] | None:
    """A density is integrated over its variables that stand nowhere else: to 1, or to its marginal. None where nothing
    is left."""
    changed = True
    while changed and factors:
        changed = False
        for a, e in factors:
            d = _density_of(a)
            if d is None or e != 1:
                continue
            law, *at = d.args
            others = [b for b, _ in factors if b is not a]
            own = [v for v in at if isinstance(v, Var) and v in variables and v not in variables_of(law)
                   and at.count(v) == 1 and all(v not in variables_of(b) for b in others)]  # fmt: skip
            own = [v for v in own if all(v is x or not isinstance(x, Array) or v not in variables_of(x) for x in at)]
            if not own or (len(own) < len(at) and not _is_joint(law)):
                continue
            factors = [f for f in factors if f[0] is not a]
            variables = [v for v in variables if v not in own]
            if len(own) < len(at):
                places = d.attrs[1] if len(d.attrs) > 1 else tuple(range(len(at)))
                kept = [(x, place) for x, place in zip(at, places, strict=True) if x not in own]
                attrs = (d.attrs[0], tuple(place for _, place in kept))
                marginal = entry(operator("log_density", (law, *(x for x, _ in kept)), (), attrs))
                factors += [f for m in w.poly(fn("exp", marginal)) for f in m]
            changed = True
            break
    return (factors, variables) if factors else None


def _is_joint(law: Node) -> bool:
    return isinstance(law, Operator) and law.name == "density" and len(law.attrs) > 2


def _atom(w: Workshop, factors: list[tuple[Scalar, Fraction]], variables: list[Var]) -> Poly:
    """The integral as one node, whatever its variables were called."""
    for a, e in factors:
        d = _density_of(a)
        if d is not None and e < 0:
            w.used.setdefault(f"{d.attrs[0]} is positive")
    orders = itertools.permutations(range(len(variables))) if len(variables) <= MAX_ORDER else [range(len(variables))]
    best: Operator | None = None
    monomial = poly.term_node(poly.ordered(dict(factors)))
    for order in orders:
        places = [var(f"x{k}", variables[j].shape, variables[j].domain, "random", variables[j].domain_args, uid=-601 - k)
                  for k, j in enumerate(order)]  # fmt: skip
        mapping: dict[Array, Array] = {variables[j]: places[k] for k, j in enumerate(order)}
        body = w.scalar(replace_arrays(monomial, mapping))
        made = operator("mean_integral", (tensor((), body),), (), (tuple(places),))
        assert isinstance(made, Operator)
        if best is None or made.serial < best.serial:
            best = made
    assert best is not None
    return poly.of_atom(entry(best))
