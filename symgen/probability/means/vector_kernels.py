"""Families of vectors and matrices recognised by their statistics: log x, x, inv(x), logdet(x); directions by theirs."""

from __future__ import annotations

from dataclasses import dataclass, field

from symgen.derivation.context import Context
from symgen.probability.forms.collect import collected
from symgen.probability.forms.scaled import with_numbers_inside
from symgen.probability.forms.terms import TooManyTerms, depends_on_any, expanded
from symgen.probability.laws.elimination import opened_in
from symgen.probability.laws.law import LAW
from symgen.probability.means.conjugate import tidy
from symgen.probability.means.gaussian import inverse_of, named
from symgen.tensor.expression import (
    HALF,
    ONE,
    TWO,
    ZERO,
    Array,
    Entry,
    Fn,
    Index,
    Num,
    Operation,
    Scalar,
    Var,
    add,
    as_coefficient,
    delta,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    operator,
    power,
    sub,
    tensor,
    total,
    variables_of,
)  # fmt: skip


@dataclass
class Statistics:
    """A log-density as the sum of coefficient * statistic over the axes of x, plus a constant. The words: x, log,
    inv (matrices), logdet, cos, sin; those of a matrix have the coefficient of entry (i, j)."""

    axes: tuple[Index, ...]
    found: dict[str, Scalar] = field(default_factory=dict)
    constant: Scalar = ZERO

    def add(self, word: str, coefficient: Scalar) -> None:
        self.found[word] = add(self.found.get(word, ZERO), coefficient)


def statistics_of(body: Scalar, z: Var) -> Statistics | None:
    """The statistics of z in `body`; None where another form of z occurs."""
    out = Statistics(tuple(fresh_index(s) for s in z.shape))
    is_random = depends_on_any(frozenset((z,)))

    def visit(x: Scalar, coefficient: Scalar, bound: tuple[Index, ...]) -> bool:
        for item in expanded(x, is_random, lambda _: False):
            c, atom = mul(coefficient, item.coefficient), item.atom
            if item.indices:
                if not visit(atom, c, (*bound, *item.indices)):
                    return False
            elif not is_random(atom):
                out.constant = add(out.constant, total(mul(c, atom), list(bound)))
            elif not _statistic(out, atom, c, bound, z):
                return False
        return True

    try:
        if not visit(opened_in(body, z), ONE, ()):
            return None
    except TooManyTerms:
        return None
    out.found = {k: c for k, v in out.found.items() if (c := collected(v)) is not ZERO}
    return out


def _statistic(out: Statistics, atom: Scalar, c: Scalar, bound: tuple[Index, ...], z: Var) -> bool:
    if isinstance(atom, Entry) and isinstance(atom.array, Operation) and atom.array.operands[0] is z:
        if atom.array.name == "logdet":
            out.add("logdet", total(c, list(bound)))
            return True
        if atom.array.name == "inv":
            out.add("inv", _at(out, atom.indices, c, bound))
            return True
        return False
    if isinstance(atom, Fn) and atom.name == "cos":
        found = _angle(atom.args[0], z)
        if found is None:
            return False
        sign, shift, where = found
        out.add("cos", _at(out, where, mul(c, fn("cos", shift)), bound))
        out.add("sin", _at(out, where, mul(num(-sign), c, fn("sin", shift)), bound))
        return True
    word = "x"
    if isinstance(atom, Fn) and atom.name == "log":
        word, atom = "log", atom.args[0]
    if isinstance(atom, Entry) and atom.array is z and not any(z in variables_of(i) for i in atom.indices):
        out.add(word, _at(out, atom.indices, c, bound))
        return True
    return False


def _at(out: Statistics, where: tuple[Scalar, ...], c: Scalar, bound: tuple[Index, ...]) -> Scalar:
    """The coefficient that stands at the axes of z: sum over `bound` of c where the indices are those."""
    return total(mul(c, *(delta(a, b) for a, b in zip(where, out.axes, strict=True))), list(bound))


def _angle(x: Scalar, z: Var) -> tuple[int, Scalar, tuple[Scalar, ...]] | None:
    """s, b and the place with x = s z[place] + b, s one of 1 and -1; None where it is not that."""
    terms = x.args if type(x).__name__ == "Add" else (x,)
    mine = [t for t in terms if z in variables_of(t)]
    if len(mine) != 1:
        return None
    c, t = as_coefficient(mine[0])
    if abs(c) != 1 or not (isinstance(t, Entry) and t.array is z):
        return None
    return int(c), add(*(t for t in terms if t is not mine[0])), t.indices


def recognised_vector(body: Scalar, z: Var, support: str, ctx: Context) -> Array | None:
    """The law of a vector, matrix or angle with these statistics; `support` says where it lives."""
    if support not in READERS:
        return None
    s = statistics_of(body, z)
    if s is None:
        return None
    return READERS[support](s, z, ctx)


def _simplex(s: Statistics, z: Var, ctx: Context) -> Array | None:
    if not z.rank or set(s.found) - {"log"}:
        return None
    return operator("Dirichlet", [tensor(s.axes, tidy(add(s.found.get("log", ZERO), ONE)))], z.shape, (LAW,))


def _spd(s: Statistics, z: Var, ctx: Context) -> Array | None:
    """c logdet x - tr(A x)/2 is a Wishart, c logdet x - tr(A inv(x))/2 an inverse Wishart."""
    words = set(s.found)
    size, c = z.shape[-1], s.found.get("logdet", ZERO)
    if words <= {"x", "logdet"} and "x" in words:
        precision = tensor(s.axes, with_numbers_inside(collected(mul(num(-2), s.found["x"]))))
        scale, _ = inverse_of(precision)
        named(precision, "A", ctx, tensor((), s.constant))
        return operator("Wishart", [tensor((), tidy(add(mul(TWO, c), size, ONE))), scale], z.shape, (LAW,))
    if words <= {"inv", "logdet"} and "inv" in words:
        scale = tensor(s.axes, with_numbers_inside(collected(mul(num(-2), s.found["inv"]))))
        nu = tidy(sub(neg(mul(TWO, c)), add(size, ONE)))
        return operator("InverseWishart", [tensor((), nu), scale], z.shape, (LAW,))
    return None


def _sphere(s: Statistics, z: Var, ctx: Context) -> Array | None:
    if set(s.found) != {"x"} or not z.rank:
        return None
    pull = tensor(s.axes, s.found["x"])
    named(pull, "c", ctx, tensor((), s.constant))
    *lead, i = s.axes
    kappa = tensor(lead, power(total(power(entry(pull, *s.axes), TWO), [i]), HALF))
    named(kappa, "kappa_n", ctx, pull)
    direction = tensor(s.axes, divide(entry(pull, *s.axes), entry(kappa, *lead)))
    return operator("VonMisesFisher", [direction, kappa], z.shape, (LAW,))


def _angles(s: Statistics, z: Var, ctx: Context) -> Array | None:
    """a cos x + b sin x = r cos(x - m), where tan(m/2) = b/(r + a)."""
    if not s.found or set(s.found) - {"cos", "sin"}:
        return None
    a, b = tensor(s.axes, s.found.get("cos", ZERO)), tensor(s.axes, s.found.get("sin", ZERO))
    for array, name in ((a, "C"), (b, "S")):
        if not isinstance(array.args[0], Num):
            named(array, name, ctx, tensor((), s.constant))
    at_a, at_b = entry(a, *s.axes), entry(b, *s.axes)
    r = power(add(power(at_a, TWO), power(at_b, TWO)), HALF)
    mean = mul(TWO, fn("atan", divide(at_b, add(r, at_a))))
    return operator("VonMises", [tensor(s.axes, mean), tensor(s.axes, r)], z.shape, (LAW,))


READERS = {"simplex": _simplex, "spd": _spd, "sphere": _sphere, "angle": _angles}


def constant_of(body: Scalar, z: Var) -> Scalar | None:
    """What is free of the statistics of z."""
    found = statistics_of(body, z)
    return found.constant if found is not None else None


__all__ = ["constant_of", "recognised_vector", "statistics_of"]
